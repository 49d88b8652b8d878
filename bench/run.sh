#!/bin/sh
# Measures Portcullis beside its peers in one run; the table goes to standard output and to bench/RESULTS.md.
# usage: bench/run.sh [--rounds N] [--no-install] [--no-http] [--kerberos | --tls]
# --kerberos and --tls measure that alone, and leave the rest of the table as it is.
set -eu

rounds=9 install=yes http=yes logons=yes kerberos=yes tls=yes
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2 && shift ;;
    --no-install) install=no ;;
    --no-http) http=no ;;
    --kerberos) logons=no http=no tls=no ;;
    --tls) logons=no http=no kerberos=no ;;
    *) echo "usage: bench/run.sh [--rounds N] [--no-install] [--no-http] [--kerberos | --tls]" >&2 && exit 2 ;;
    esac
    shift
done

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$here/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # Apache's workers read gss-ntlmssp's library here

# What the peers need. gss-ntlmssp is unpacked further down and never installed: installed, it would offer NTLM to
# every GSSAPI program of the machine.
packages="gcc libc6-dev pkg-config"
[ $tls = no ] || packages="$packages libssl-dev"
[ $kerberos = no ] || packages="$packages libkrb5-dev heimdal-multidev"
[ $logons = no ] || packages="$packages libwinpr2-dev"
[ $http = no ] || packages="$packages apache2 libapache2-mod-auth-gssapi libwbclient0 libunistring2"
missing=$(for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
done)
if [ -n "$missing" ] && [ $install = yes ] && [ "$(id -u)" = 0 ]; then
    echo "installing:" $missing >&2
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >&2
elif [ -n "$missing" ]; then
    echo "not installed, and what needs it is left out:" $missing >&2
fi

features= built="-p bench-driver"
if [ $tls = yes ]; then
    built="$built -p bench-tls"
    if pkg-config --exists openssl; then features="--features bench-tls/openssl"; fi
fi
[ $kerberos = no ] || built="$built -p bench-kerberos"
[ $logons = no ] || built="$built -p bench-portcullis -p bench-sspi-rs"
(cd "$here" && CARGO_TARGET_DIR="$target" cargo build --release $built $features) >&2
set --
[ $tls = no ] || set -- "$@" tls="$target/release/bench-tls"

# The Kerberos acceptors of MIT and Heimdal, each the same program with the other library. Debian has the headers of both
# in folders of their own.
gss_program() { # NAME PACKAGE
    if pkg-config --exists "$2"; then
        gcc -std=gnu11 -O2 -Wall -Wextra -o "$work/$1" "$here/kerberos/peer.c" $(pkg-config --cflags --libs "$2") -lpthread \
            "-Wl,-rpath,$(pkg-config --variable=libdir "$2")"
    else
        echo "$1: not measurable: $2 is not installed" >&2 && return 1
    fi
}
if [ $kerberos = yes ]; then
    set -- "$@" kerberos-realm="$target/release/bench-realm" kerberos-portcullis="$target/release/bench-kerberos" \
        kerberos-sspi-rs="$target/release/bench-kerberos-sspi-rs"
    if gss_program mit mit-krb5-gssapi; then
        printf '#!/bin/sh\nexec "%s" "$1" none\n' "$work/mit" >"$work/mit-none" && chmod 755 "$work/mit-none"
        set -- "$@" kerberos-mit="$work/mit" kerberos-mit-none="$work/mit-none"
    fi
    if gss_program heimdal heimdal-gssapi; then set -- "$@" kerberos-heimdal="$work/heimdal"; fi
fi
if [ $logons = no ]; then
    "$target/release/bench" "$rounds" "$here/RESULTS.md" "$@"
    exit
fi
set -- "$@" portcullis="$target/release/bench-portcullis" sspi-rs="$target/release/bench-sspi-rs"

# The C library and libwinpr2 through one program that knows their function tables alone.
c_program() { # NAME MODULE account|hash
    printf '#!/bin/sh\nPORTCULLIS_CONFIG="%s" exec "%s" "%s" "%s"\n' "$work/portcullis.toml" "$work/c-peer" "$2" "$3" >"$work/$1"
    chmod 755 "$work/$1"
}
# The names of bench-portcullis: every byte of a CHALLENGE is hashed three times.
printf '[names]\nnetbios_computer = "WEB1"\ndns_computer = ""\n' >"$work/portcullis.toml"
if (cd "$root" && CARGO_TARGET_DIR="$target" cargo build --release -p portcullis-capi) >&2 &&
    gcc -std=c11 -O2 -Wall -Wextra -rdynamic -I "$root/crates/capi/include" -o "$work/c-peer" "$here/c/peer.c" -ldl; then
    c_program c "$target/release/libportcullis.so" account
    c_program c-hash "$target/release/libportcullis.so" hash
    set -- "$@" c="$work/c" c-hash="$work/c-hash"
    if pkg-config --exists winpr2; then
        c_program c-winpr libwinpr2.so.2 hash
        set -- "$@" c-winpr="$work/c-winpr"
    else
        echo "libwinpr2 through the C program: not measurable: libwinpr2-dev is not installed" >&2
    fi
else
    echo "the C library: not measurable: it or its peer does not build" >&2
fi

if pkg-config --exists winpr2; then
    gcc -O2 -Wall -Wno-deprecated-declarations -o "$work/winpr" "$here/winpr/peer.c" $(pkg-config --cflags --libs winpr2)
    set -- "$@" winpr="$work/winpr"
else
    echo "winpr: not measurable: libwinpr2-dev is not installed" >&2
fi

if [ $http = yes ]; then
    if (cd "$root" && CARGO_TARGET_DIR="$target" cargo build --release --bin portcullis) >&2; then
        set -- "$@" http-portcullis="$target/release/portcullis"
    else
        echo "portcullis serve: not measurable: it does not build" >&2
    fi
    if command -v apache2 >/dev/null && (cd "$work" && apt-get -o APT::Sandbox::User=root download -qq gss-ntlmssp >&2); then
        dpkg-deb -x "$work"/gss-ntlmssp_*.deb "$work/gss"
        set -- "$@" http-apache="$(dirname "$(find "$work/gss" -name gssntlmssp.so)")"
    else
        echo "apache: not measurable: apache2 or gss-ntlmssp cannot be had" >&2
    fi
fi

"$target/release/bench" "$rounds" "$here/RESULTS.md" "$@"
