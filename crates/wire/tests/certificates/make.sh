#!/bin/sh
# Makes the certificates beside this file anew, with other keys: `sh make.sh` in this folder. The tests name what is in
# them, not their keys.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(pwd)
cd "$work"

sid() { # szOID_NTDS_CA_SECURITY_EXT with this SID
    printf '%s\n' "1.3.6.1.4.1.311.25.2 = ASN1:SEQUENCE:ntds_$2" \
        "[ntds_$2]" "entry = IMPLICIT:0,SEQUENCE:ntds_entry_$2" \
        "[ntds_entry_$2]" "oid = OID:1.3.6.1.4.1.311.25.2.1" "sid = EXPLICIT:0,FORMAT:ASCII,OCT:$1"
}

openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj '/DC=com/DC=contoso/CN=CONTOSO-DC-CA' -days 9000 -out ca.pem \
    -addext keyUsage=keyCertSign
openssl ecparam -name prime256v1 -genkey -noout -out ann.key

# Names and serial number of KB5014754, and every name that an account may be found by.
{
    printf '%s\n' '[x]' 'basicConstraints = critical,CA:FALSE' 'subjectKeyIdentifier = hash' \
        'extendedKeyUsage = clientAuth' 'subjectAltName = @names'
    sid S-1-5-21-1-2-3-1000 a
    printf '%s\n' '[names]' 'otherName.0 = 1.3.6.1.4.1.311.20.2.3;UTF8:ann@corp.example' 'email.0 = ann@example.com' \
        'DNS.0 = pc1.corp.example' 'URI.0 = tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1000' \
        'URI.1 = https://corp.example/ann' 'IP.0 = 192.0.2.1' 'IP.1 = 2001:db8::1' 'dirName.0 = directory' 'RID.0 = 1.2.3' \
        '[directory]' 'CN = Ann elsewhere'
} > ann.cnf
openssl req -new -key ann.key -subj '/DC=com/DC=contoso/OU=People/CN=Ann Smith' -out ann.csr
openssl x509 -req -in ann.csr -CA ca.pem -CAkey ca.key -set_serial 0x2B0000000011AC0000000012 -days 9000 \
    -extfile ann.cnf -extensions x -out "$here/ann.pem"
openssl x509 -in "$here/ann.pem" -outform DER -out "$here/ann.der"
openssl x509 -in ca.pem -outform DER -out "$here/ca.der"

self() { # NAME SUBJECT [options of req]
    name=$1 subject=$2
    shift 2
    openssl req -x509 -new -utf8 -subj "$subject" -days 9000 -outform DER -out "$here/$name.der" "$@"
}

# One name in two string types.
printf '%s\n' '[req]' 'distinguished_name = d' 'string_mask = MASK:0x800' '[d]' > bmp.cnf
self bmp '/O=Corp/CN=Jörg Müller' -key ann.key -config bmp.cnf
self utf8 '/O=Corp/CN=Jörg Müller' -key ann.key
# A relative name of two attributes; names that look like more than they are.
self multi '/O=Corp/CN=Ann+UID=ann+OU=People' -key ann.key -multivalue-rdn
self comma '/O=Corp/CN=Ann,OU=Admins' -key ann.key
self mark '/O=Corp/CN=Ann<S>CN=Bob' -key ann.key
self mail '/C=DE/ST=Hessen/L= Frankfurt /emailAddress=ann@example.com' -key ann.key
self negative '/CN=negative' -key ann.key -set_serial -5
self high '/CN=high' -key ann.key -set_serial 0x8f00
# Version 1: no extensions.
openssl req -new -key ann.key -subj '/CN=one' -out one.csr
openssl x509 -req -in one.csr -signkey ann.key -days 9000 -outform DER -out "$here/version1.der"
# Ways of signing.
openssl genrsa -out rsa.key 1024
for hash in md5 sha1 sha224 sha256 sha384 sha512; do
    self "rsa-$hash" /CN=rsa -key rsa.key "-$hash"
done
self pss-sha384 /CN=pss -key rsa.key -sha384 -sigopt rsa_padding_mode:pss
self pss-sha1 /CN=pss -key rsa.key -sha1 -sigopt rsa_padding_mode:pss
self ecdsa-sha512 /CN=ecdsa -key ann.key -sha512
openssl genpkey -algorithm ed25519 -out ed.key
self ed25519 /CN=ed25519 -key ed.key
