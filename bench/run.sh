#!/bin/sh
# Measures Portcullis beside its peers in one run; the table goes to standard output and to bench/RESULTS.md.
# usage: bench/run.sh [--rounds N] [--no-install] [--no-http] [--tls]
# --tls measures TLS alone, and leaves the rest of the table as it is.
set -eu

rounds=9 install=yes http=yes logons=yes
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2 && shift ;;
    --no-install) install=no ;;
    --no-http) http=no ;;
    --tls) logons=no http=no ;;
    *) echo "usage: bench/run.sh [--rounds N] [--no-install] [--no-http] [--tls]" >&2 && exit 2 ;;
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
packages="gcc libc6-dev pkg-config libssl-dev"
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

features=
if pkg-config --exists openssl; then features="--features bench-tls/openssl"; fi
if [ $logons = no ]; then
    (cd "$here" && CARGO_TARGET_DIR="$target" cargo build --release -p bench-tls -p bench-driver $features) >&2
    "$target/release/bench" "$rounds" "$here/RESULTS.md" tls="$target/release/bench-tls"
    exit
fi
(cd "$here" && CARGO_TARGET_DIR="$target" cargo build --release $features) >&2
set -- tls="$target/release/bench-tls" \
    portcullis="$target/release/bench-portcullis" sspi-rs="$target/release/bench-sspi-rs"

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
