/*
 * Layouts of wincrypt.h's structures on 64-bit machines, as those of sspi.h in layout.c: sizes and offsets that Windows'
 * documentation gives, and prototypes. It compiles as C and as C++.
 */
#include <portcullis/wincrypt.h>

#include <stddef.h>

#ifdef __cplusplus
#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, field, offset) static_assert(offsetof(type, field) == (offset), #type "." #field)
#define NUMBER(name, value) static_assert((unsigned)(name) == (value), #name)
#else
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define NUMBER(name, value) _Static_assert((unsigned)(name) == (value), #name)
#endif

SIZE(FILETIME, 8);
SIZE(CRYPT_DATA_BLOB, 16);
AT(CRYPT_DATA_BLOB, pbData, 8);
SIZE(CRYPT_BIT_BLOB, 24);
AT(CRYPT_BIT_BLOB, cUnusedBits, 16);
SIZE(CRYPT_ALGORITHM_IDENTIFIER, 24);
AT(CRYPT_ALGORITHM_IDENTIFIER, Parameters, 8);
SIZE(CERT_PUBLIC_KEY_INFO, 48);
AT(CERT_PUBLIC_KEY_INFO, PublicKey, 24);
SIZE(CERT_EXTENSION, 32);
AT(CERT_EXTENSION, fCritical, 8);
AT(CERT_EXTENSION, Value, 16);

SIZE(CERT_INFO, 208);
AT(CERT_INFO, dwVersion, 0);
AT(CERT_INFO, SerialNumber, 8);
AT(CERT_INFO, SignatureAlgorithm, 24);
AT(CERT_INFO, Issuer, 48);
AT(CERT_INFO, NotBefore, 64);
AT(CERT_INFO, NotAfter, 72);
AT(CERT_INFO, Subject, 80);
AT(CERT_INFO, SubjectPublicKeyInfo, 96);
AT(CERT_INFO, IssuerUniqueId, 144);
AT(CERT_INFO, SubjectUniqueId, 168);
AT(CERT_INFO, cExtension, 192);
AT(CERT_INFO, rgExtension, 200);

SIZE(CERT_CONTEXT, 40);
AT(CERT_CONTEXT, dwCertEncodingType, 0);
AT(CERT_CONTEXT, pbCertEncoded, 8);
AT(CERT_CONTEXT, cbCertEncoded, 16);
AT(CERT_CONTEXT, pCertInfo, 24);
AT(CERT_CONTEXT, hCertStore, 32);

SIZE(CERT_KEY_CONTEXT, 24);
AT(CERT_KEY_CONTEXT, hCryptProv, 8);
AT(CERT_KEY_CONTEXT, dwKeySpec, 16);
SIZE(CRYPT_KEY_PROV_INFO, 48);
AT(CRYPT_KEY_PROV_INFO, dwProvType, 16);
AT(CRYPT_KEY_PROV_INFO, rgProvParam, 32);
AT(CRYPT_KEY_PROV_INFO, dwKeySpec, 40);
SIZE(BLOBHEADER, 8);
AT(BLOBHEADER, aiKeyAlg, 4);
SIZE(RSAPUBKEY, 12);

NUMBER(CERT_FIND_SUBJECT_STR_A, 7 << 16 | 7);
NUMBER(CERT_FIND_SUBJECT_STR_W, 8 << 16 | 7);
NUMBER(CERT_FIND_ISSUER_STR_W, 8 << 16 | 4);
NUMBER(CERT_FIND_SUBJECT_CERT, 11 << 16);
NUMBER(CERT_FIND_EXISTING, 13 << 16);
NUMBER(CERT_FIND_HAS_PRIVATE_KEY, 21 << 16);
NUMBER(CRYPT_E_NOT_FOUND, 0x80092004u);

/* What callers on Windows write compiles. */
PCCERT_CONTEXT by_name(HCERTSTORE store, const WCHAR *name);
PCCERT_CONTEXT by_name(HCERTSTORE store, const WCHAR *name)
{
    return CertFindCertificateInStore(store, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR, name,
                                      NULL);
}
