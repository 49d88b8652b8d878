#!/bin/sh
# Makes, in the current folder, every certificate that the tests of TLS need, with the openssl command line alone.
#
#   certificates.sh all                         everything that does not depend on a running server
#   certificates.sh client NAME KIND VALUE      a client certificate with a SID (`sid`, `sid-uri`), UPN (`upn`) or mail;
#                                               made again, it is renewed: the key stays
#   certificates.sh revoke NAME                 puts a client certificate on `issuing.crl`
#
# The latter two work beside the folder CERTIFICATES, which the first made.
# NAME.pem is the leaf and what is between it and the root; NAME.leaf.pem the leaf; NAME.key its key.
set -eu

quiet() { openssl "$@" 2>openssl.log || { cat openssl.log >&2; echo "openssl $*" >&2; exit 1; }; }
# Keys: ec (P-256), p384, rsa (2048), ed25519.
key() {
    case $2 in
        ec) quiet genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
        p384) quiet genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1.key" ;;
        rsa) quiet genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
        ed25519) quiet genpkey -algorithm ed25519 -out "$1.key" ;;
    esac
}

# root NAME KEY SUBJECT
root() {
    key "$1" "$2"
    quiet req -x509 -new -key "$1.key" -out "$1.pem" -days 30 -subj "$3" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# signed NAME CA SUBJECT EXTENSIONS OPTIONS…: a certificate for NAME.key, by the CA's key
signed() {
    name=$1 ca=$2 subject=$3 extensions=$4
    shift 4
    quiet req -new -key "$name.key" -out "$name.csr" -subj "$subject"
    printf '%b' "$extensions" >"$name.ext"
    quiet x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -days 30 -extfile "$name.ext" \
        -set_serial "0x$(openssl rand -hex 8 | sed 's/^./4/')" -out "$name.leaf.pem" "$@"
    cp "$name.leaf.pem" "$name.pem"
}

server() {
    name=$1 kind=$2 ca=$3 san=$4
    shift 4
    key "$name" "$kind"
    signed "$name" "$ca" "/CN=$name" \
        "subjectAltName=$san\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n" "$@"
}

# issued NAME SUBJECT EXTENSIONS OPTIONS…: a client certificate of the issuing CA, which keeps a list of what it issued
issued() {
    name=$1 subject=$2 extensions=$3
    shift 3
    quiet req -new -key "$name.key" -out "$name.csr" -subj "$subject"
    printf '%b' "basicConstraints=critical,CA:FALSE\n$extensions" >"$name.ext"
    quiet ca -batch -config issuing.cnf -in "$name.csr" -out "$name.leaf.pem" -extfile "$name.ext" -notext "$@"
    cat "$name.leaf.pem" issuing.leaf.pem >"$name.pem"
}

CLIENT='extendedKeyUsage=clientAuth\n'
HERE='DNS:localhost,IP:127.0.0.1'

authorities() {
    root root ec "/CN=Test root"
    root root-rsa rsa "/CN=Test root RSA"
    root root-ed25519 ed25519 "/CN=Test root Ed25519"
    root foreign-root ec "/CN=Foreign root"
    cat root.pem root-rsa.pem root-ed25519.pem >roots.pem
    key issuing ec
    signed issuing root "/CN=Test issuing" \
        'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
    for ca in issuing root; do
        : >$ca.index
        echo 1000 >$ca.number
        cat >$ca.cnf <<END
[ca]
default_ca = this
[this]
database = $ca.index
new_certs_dir = .
certificate = $ca.pem
private_key = $ca.key
crlnumber = $ca.number
rand_serial = yes
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = optional
emailAddress = optional
END
    done
}

servers() {
    server p256 ec root $HERE
    server p384 p384 root $HERE -sha384
    server rsa rsa root-rsa $HERE -sha256
    server rsa-sha512 rsa root-rsa $HERE -sha512
    server pss rsa root-rsa $HERE -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
    server pss-sha384 rsa root-rsa $HERE -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
    server ed25519 ed25519 root-ed25519 $HERE
    server sha1 rsa root-rsa $HERE -sha1
    # Between a client and the server: one that nobody declared, and one that is declared.
    server middle ec root $HERE
    server terminator ec root $HERE
    server a.example ec root DNS:a.example
    server b.example ec root DNS:b.example,DNS:www.b.example
    quiet pkcs12 -export -in p384.pem -inkey p384.key -name p384 -passout pass:secret -out p384.p12
    echo secret >password
}

clients() {
    for name in ann ben revoked unmapped expired early server-only; do key $name ec; done
    key rsa-client rsa
    issued ann /CN=ann "$CLIENT"
    issued ben /CN=ben "$CLIENT"
    issued rsa-client "/CN=ann rsa" "$CLIENT"
    issued unmapped /CN=unmapped "$CLIENT"
    issued revoked /CN=revoked "$CLIENT"
    issued expired /CN=expired "$CLIENT" -startdate 20200101000000Z -enddate 20210101000000Z
    issued early /CN=early "$CLIENT" -startdate 20980101000000Z -enddate 20990101000000Z
    issued server-only /CN=server-only 'extendedKeyUsage=serverAuth\n'
    key foreign ec
    signed foreign foreign-root /CN=ann "$CLIENT"
    key self-signed ec
    quiet req -x509 -new -key self-signed.key -out self-signed.pem -days 30 -subj /CN=ann -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=clientAuth
    cp self-signed.pem self-signed.leaf.pem
    for name in ann ben unmapped revoked foreign; do
        quiet pkcs12 -export -in $name.pem -inkey $name.key -name $name -passout pass:secret -out $name.p12
    done
}

# The issuing authority's own list, copied, so that tests do not see each other.
copied() {
    for file in issuing.pem issuing.key issuing.cnf issuing.leaf.pem issuing.index issuing.number; do
        [ -e "$file" ] || cp "$CERTIFICATES/$file" .
    done
}

lists() {
    quiet ca -batch -config root.cnf -gencrl -out root.crl
    quiet ca -batch -config issuing.cnf -gencrl -out issuing-empty.crl
    quiet ca -batch -config issuing.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z \
        -out issuing-stale.crl
    quiet ca -batch -config issuing.cnf -revoke revoked.leaf.pem
    quiet ca -batch -config issuing.cnf -gencrl -out issuing.crl
}

case $1 in
    all)
        authorities
        servers
        clients
        lists
        ;;
    client)
        copied
        [ -e "$2.key" ] || key "$2" ec
        case $3 in
            sid) more="1.3.6.1.4.1.311.25.2=ASN1:SEQUENCE:names\n[names]\none=IMPLICIT:0,SEQUENCE:name\n[name]\ntype=OID:1.3.6.1.4.1.311.25.2.1\nvalue=EXPLICIT:0,FORMAT:ASCII,OCT:$4\n" ;;
            sid-uri) more="subjectAltName=@names\n[names]\nURI=tag:microsoft.com,2022-09-14:sid:$4\n" ;;
            upn) more="subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:$4\n" ;;
            mail) more="subjectAltName=email:$4\n" ;;
        esac
        issued "$2" "/CN=$2" "$CLIENT$more"
        ;;
    revoke)
        copied
        [ -e "$2.leaf.pem" ] || cp "$CERTIFICATES/$2.leaf.pem" .
        quiet ca -batch -config issuing.cnf -revoke "$2.leaf.pem"
        quiet ca -batch -config issuing.cnf -gencrl -out issuing.crl
        ;;
esac
