/*
 * portcullis/wincrypt.h: certificates, their private keys and stores of them, as far as callers of Schannel need them:
 * SCHANNEL_CRED and SCH_CREDENTIALS take a PCCERT_CONTEXT and an HCERTSTORE, and a peer's certificate is given as one.
 *
 * Names, numbers, structures and parameters are those of wincrypt.h on Windows. What is said at the top of sspi.h of sizes,
 * characters, const and threads holds here, too. Only the structures that these functions use are here.
 *
 * Before it is included one may define
 *   UNICODE                          plain names mean the ...W functions; otherwise the ...A ones.
 *   PORTCULLIS_NO_BASIC_TYPES        the program has the types of windows.h already, those of section 1 with them.
 *   PORTCULLIS_DEFINE_GETLASTERROR   GetLastError means PortcullisGetLastError.
 *
 * Failure: these functions answer FALSE, zero or NULL, and PortcullisGetLastError says why. It is not called GetLastError:
 * other libraries on Linux (WinPR) export that name, and each knows its own errors alone.
 *
 * Pointers and handles: a PCCERT_CONTEXT, HCERTSTORE, HCRYPTPROV or HCRYPTKEY that is not of this library, or was given
 * back, is refused with ERROR_INVALID_HANDLE and not followed. (The memory of a context that was given back may come to
 * be another context's: do not rely on it.) A context's structures may be read until it is given back, by any thread.
 *
 * Keys live in this process's memory alone. Nothing is read from or written to a user's or machine's store: there is
 * none. Key containers with names are known to the process that made them.
 */
#ifndef PORTCULLIS_WINCRYPT_H
#define PORTCULLIS_WINCRYPT_H

#include <portcullis/sspi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ================================================================================================================
 * 1. Basic types
 * ============================================================================================================= */

#ifndef PORTCULLIS_NO_BASIC_TYPES

typedef const char *LPCSTR;
typedef const WCHAR *LPCWSTR;

#ifndef _FILETIME_
#define _FILETIME_
/* 100 ns since 1601 in UTC, in two halves. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;
#endif

#endif /* PORTCULLIS_NO_BASIC_TYPES */

#ifndef WINAPI
#define WINAPI
#endif

typedef ULONG_PTR HCRYPTPROV;
typedef ULONG_PTR HCRYPTPROV_LEGACY;
typedef ULONG_PTR HCRYPTPROV_OR_NCRYPT_KEY_HANDLE;
typedef ULONG_PTR NCRYPT_KEY_HANDLE;
typedef ULONG_PTR HCRYPTKEY;

/* What PortcullisGetLastError gives. */
#ifndef ERROR_INVALID_HANDLE
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_ACCESS_DENIED 5
#define ERROR_INVALID_HANDLE 6
#define ERROR_READ_FAULT 30
#define ERROR_NOT_SUPPORTED 50
#define ERROR_INVALID_PASSWORD 86
#define ERROR_INVALID_PARAMETER 87
#define ERROR_MORE_DATA 234
#define ERROR_INTERNAL_ERROR 1359
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif
#ifndef NTE_BAD_DATA
#define NTE_BAD_DATA ((HRESULT)0x80090005)
#define NTE_BAD_VER ((HRESULT)0x80090007)
#define NTE_BAD_ALGID ((HRESULT)0x80090008)
#define NTE_BAD_TYPE ((HRESULT)0x8009000A)
#define NTE_NO_KEY ((HRESULT)0x8009000D)
#define NTE_EXISTS ((HRESULT)0x8009000F)
#define NTE_BAD_KEYSET ((HRESULT)0x80090016)
#endif
#ifndef CRYPT_E_NOT_FOUND
#define CRYPT_E_BAD_ENCODE ((HRESULT)0x80092002)
#define CRYPT_E_NOT_FOUND ((HRESULT)0x80092004)
#define CRYPT_E_EXISTS ((HRESULT)0x80092005)
#define CRYPT_E_PENDING_CLOSE ((HRESULT)0x8009200F)
#define CRYPT_E_ASN1_EOD ((HRESULT)0x80093102)
#define CRYPT_E_ASN1_CORRUPT ((HRESULT)0x80093103)
#define CRYPT_E_ASN1_BADTAG ((HRESULT)0x8009310B)
#endif

/* Why this thread's last failed function of this header failed; functions that succeed do not touch it. Never fails. */
DWORD WINAPI PortcullisGetLastError(void);

#ifdef PORTCULLIS_DEFINE_GETLASTERROR
#define GetLastError PortcullisGetLastError
#endif

/* ================================================================================================================
 * 2. Structures
 * ============================================================================================================= */

typedef struct _CRYPTOAPI_BLOB {
    DWORD cbData;
    BYTE *pbData;
} CRYPT_INTEGER_BLOB, *PCRYPT_INTEGER_BLOB, CRYPT_UINT_BLOB, *PCRYPT_UINT_BLOB, CRYPT_OBJID_BLOB, *PCRYPT_OBJID_BLOB,
    CERT_NAME_BLOB, CERT_RDN_VALUE_BLOB, *PCERT_RDN_VALUE_BLOB, CERT_BLOB, *PCERT_BLOB, CRYPT_DATA_BLOB,
    *PCRYPT_DATA_BLOB, CRYPT_HASH_BLOB, *PCRYPT_HASH_BLOB, CRYPT_DIGEST_BLOB, *PCRYPT_DIGEST_BLOB, CRYPT_DER_BLOB,
    *PCRYPT_DER_BLOB, CRYPT_ATTR_BLOB, *PCRYPT_ATTR_BLOB;

typedef struct _CRYPT_BIT_BLOB {
    DWORD cbData;
    BYTE *pbData;
    DWORD cUnusedBits;
} CRYPT_BIT_BLOB, *PCRYPT_BIT_BLOB;

/* Parameters is a whole DER value, or empty. */
typedef struct _CRYPT_ALGORITHM_IDENTIFIER {
    LPSTR pszObjId;
    CRYPT_OBJID_BLOB Parameters;
} CRYPT_ALGORITHM_IDENTIFIER, *PCRYPT_ALGORITHM_IDENTIFIER;

typedef struct _CERT_PUBLIC_KEY_INFO {
    CRYPT_ALGORITHM_IDENTIFIER Algorithm;
    CRYPT_BIT_BLOB PublicKey;
} CERT_PUBLIC_KEY_INFO, *PCERT_PUBLIC_KEY_INFO;

typedef struct _CERT_EXTENSION {
    LPSTR pszObjId;
    BOOL fCritical;
    CRYPT_OBJID_BLOB Value;
} CERT_EXTENSION, *PCERT_EXTENSION;
typedef const CERT_EXTENSION *PCCERT_EXTENSION;

/* SerialNumber begins with its least significant byte. Issuer and Subject are DER. */
typedef struct _CERT_INFO {
    DWORD dwVersion;
    CRYPT_INTEGER_BLOB SerialNumber;
    CRYPT_ALGORITHM_IDENTIFIER SignatureAlgorithm;
    CERT_NAME_BLOB Issuer;
    FILETIME NotBefore;
    FILETIME NotAfter;
    CERT_NAME_BLOB Subject;
    CERT_PUBLIC_KEY_INFO SubjectPublicKeyInfo;
    CRYPT_BIT_BLOB IssuerUniqueId;
    CRYPT_BIT_BLOB SubjectUniqueId;
    DWORD cExtension;
    PCERT_EXTENSION rgExtension;
} CERT_INFO, *PCERT_INFO;

/* All of it belongs to the library. hCertStore is open as long as the context is, without CertCloseStore. */
typedef struct _CERT_CONTEXT {
    DWORD dwCertEncodingType;
    BYTE *pbCertEncoded;
    DWORD cbCertEncoded;
    PCERT_INFO pCertInfo;
    HCERTSTORE hCertStore;
} CERT_CONTEXT, *PCERT_CONTEXT;

typedef struct _CERT_KEY_CONTEXT {
    DWORD cbSize;
    HCRYPTPROV hCryptProv;
    DWORD dwKeySpec;
} CERT_KEY_CONTEXT, *PCERT_KEY_CONTEXT;

typedef struct _CRYPT_KEY_PROV_PARAM {
    DWORD dwParam;
    BYTE *pbData;
    DWORD cbData;
    DWORD dwFlags;
} CRYPT_KEY_PROV_PARAM, *PCRYPT_KEY_PROV_PARAM;

typedef struct _CRYPT_KEY_PROV_INFO {
    LPWSTR pwszContainerName;
    LPWSTR pwszProvName;
    DWORD dwProvType;
    DWORD dwFlags;
    DWORD cProvParam;
    PCRYPT_KEY_PROV_PARAM rgProvParam;
    DWORD dwKeySpec;
} CRYPT_KEY_PROV_INFO, *PCRYPT_KEY_PROV_INFO;

/* A PRIVATEKEYBLOB begins with these two. */
typedef struct _PUBLICKEYSTRUC {
    BYTE bType;
    BYTE bVersion;
    WORD reserved;
    ALG_ID aiKeyAlg;
} BLOBHEADER, PUBLICKEYSTRUC;

typedef struct _RSAPUBKEY {
    DWORD magic;
    DWORD bitlen;
    DWORD pubexp;
} RSAPUBKEY;

/* ================================================================================================================
 * 3. Certificates
 * ============================================================================================================= */

#define CRYPT_ASN_ENCODING 0x00000001
#define X509_ASN_ENCODING 0x00000001
#define PKCS_7_ASN_ENCODING 0x00010000

/*
 * Of this library, and not of Windows: a certificate with its private key, from files or memory in PEM or DER. The first
 * certificate is the context's; those behind it are its chain, in their order, and are in its hCertStore. The key may
 * stand among the certificates (`key_path`, `key` NULL); without one there the context has none. Keys are PKCS#8, PKCS#1
 * or SEC1, not encrypted: ERROR_NOT_SUPPORTED for one that is, with a line in the log. NTE_NO_KEY where a key was named and
 * there is none. CertFreeCertificateContext gives the context back, and all that came with it.
 */
PCCERT_CONTEXT WINAPI PortcullisCertificateFromPem(const char *certificates_path, const char *key_path);
PCCERT_CONTEXT WINAPI PortcullisCertificateFromMemory(
    const BYTE *certificates, DWORD certificates_length, const BYTE *key, DWORD key_length);

/* DER of one certificate, nothing behind it. X509_ASN_ENCODING must be in `dwCertEncodingType`. */
PCCERT_CONTEXT WINAPI CertCreateCertificateContext(
    DWORD dwCertEncodingType, const BYTE *pbCertEncoded, DWORD cbCertEncoded);
/* The same pointer, which is to be freed once more. */
PCCERT_CONTEXT WINAPI CertDuplicateCertificateContext(PCCERT_CONTEXT pCertContext);
/* NULL is allowed. Unlike on Windows it may fail: for a context that was freed already. */
BOOL WINAPI CertFreeCertificateContext(PCCERT_CONTEXT pCertContext);

/* pvData of a set as in the comments; NULL takes the property away. Others are set by a CRYPT_DATA_BLOB. */
#define CERT_KEY_PROV_HANDLE_PROP_ID 1 /* the HCRYPTPROV itself, cast to a pointer */
#define CERT_KEY_PROV_INFO_PROP_ID 2   /* CRYPT_KEY_PROV_INFO: a container of this process */
#define CERT_SHA1_HASH_PROP_ID 3       /* computed */
#define CERT_HASH_PROP_ID CERT_SHA1_HASH_PROP_ID
#define CERT_MD5_HASH_PROP_ID 4   /* computed */
#define CERT_KEY_CONTEXT_PROP_ID 5 /* CERT_KEY_CONTEXT, of an HCRYPTPROV */
#define CERT_KEY_SPEC_PROP_ID 6   /* DWORD */
#define CERT_FRIENDLY_NAME_PROP_ID 11
#define CERT_SHA256_HASH_PROP_ID 107 /* computed */
#define CERT_FIRST_USER_PROP_ID 0x00008000

#define CERT_STORE_NO_CRYPT_RELEASE_FLAG 0x00000001
#define CERT_SET_PROPERTY_IGNORE_PERSIST_ERROR_FLAG 0x80000000
#define CERT_SET_PROPERTY_INHIBIT_PERSIST_FLAG 0x40000000

/* Without room (pvData NULL) *pcbData becomes the size; ERROR_MORE_DATA where it is too small. */
BOOL WINAPI CertGetCertificateContextProperty(
    PCCERT_CONTEXT pCertContext, DWORD dwPropId, void *pvData, DWORD *pcbData);
/* Without CERT_STORE_NO_CRYPT_RELEASE_FLAG a provider goes with the context. Its key is taken when it is set. */
BOOL WINAPI CertSetCertificateContextProperty(
    PCCERT_CONTEXT pCertContext, DWORD dwPropId, DWORD dwFlags, const void *pvData);

#define ALG_CLASS_HASH (4 << 13)
#define CALG_MD5 0x00008003
#define CALG_SHA 0x00008004
#define CALG_SHA1 0x00008004
#define CALG_SHA_256 0x0000800c
#define CALG_SHA_384 0x0000800d
#define CALG_SHA_512 0x0000800e

/* Of any bytes; algorithm 0 is SHA-1. Sizes as CertGetCertificateContextProperty. */
BOOL WINAPI CryptHashCertificate(
    HCRYPTPROV_LEGACY hCryptProv, ALG_ID Algid, DWORD dwFlags, const BYTE *pbEncoded, DWORD cbEncoded,
    BYTE *pbComputedHash, DWORD *pcbComputedHash);

#define CERT_SIMPLE_NAME_STR 1
#define CERT_OID_NAME_STR 2
#define CERT_X500_NAME_STR 3
#define CERT_NAME_STR_REVERSE_FLAG 0x02000000
#define CERT_NAME_STR_CRLF_FLAG 0x08000000
#define CERT_NAME_STR_NO_QUOTING_FLAG 0x10000000
#define CERT_NAME_STR_NO_PLUS_FLAG 0x20000000
#define CERT_NAME_STR_SEMICOLON_FLAG 0x40000000

/*
 * The number of characters with the end mark: of the whole text where there is no room, of what was written where there is
 * some; a text that does not fit is cut. CertNameToStr answers 0 for what is no name.
 */
DWORD WINAPI CertNameToStrA(
    DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPSTR psz, DWORD csz);
DWORD WINAPI CertNameToStrW(
    DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPWSTR psz, DWORD csz);

#define CERT_NAME_EMAIL_TYPE 1
#define CERT_NAME_RDN_TYPE 2  /* pvTypePara: a DWORD, CERT_X500_NAME_STR and flags; NULL for CERT_SIMPLE_NAME_STR */
#define CERT_NAME_ATTR_TYPE 3 /* pvTypePara: an OID, as char * */
#define CERT_NAME_SIMPLE_DISPLAY_TYPE 4
#define CERT_NAME_FRIENDLY_DISPLAY_TYPE 5
#define CERT_NAME_DNS_TYPE 6
#define CERT_NAME_URL_TYPE 7
#define CERT_NAME_ISSUER_FLAG 0x1

/* A name that the certificate has not is empty: the answer is 1. */
DWORD WINAPI CertGetNameStringA(
    PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara, LPSTR pszNameString,
    DWORD cchNameString);
DWORD WINAPI CertGetNameStringW(
    PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara, LPWSTR pszNameString,
    DWORD cchNameString);

/* ================================================================================================================
 * 4. Stores
 * ============================================================================================================= */

#define CERT_STORE_PROV_MEMORY ((LPCSTR)2)
#define CERT_STORE_PROV_FILENAME_A ((LPCSTR)7)
#define CERT_STORE_PROV_FILENAME_W ((LPCSTR)8)
#define CERT_STORE_PROV_FILENAME CERT_STORE_PROV_FILENAME_W
#define sz_CERT_STORE_PROV_MEMORY "Memory"
#define sz_CERT_STORE_PROV_FILENAME_W "File"
#define sz_CERT_STORE_PROV_FILENAME sz_CERT_STORE_PROV_FILENAME_W

/*
 * A store in memory, empty or filled from the file that `pvPara` names: certificates in PEM, or in DER one behind another
 * (Windows reads other formats there). Nothing is written back. All other providers, the system's stores among them, fail
 * with ERROR_FILE_NOT_FOUND.
 */
HCERTSTORE WINAPI CertOpenStore(
    LPCSTR lpszStoreProvider, DWORD dwEncodingType, HCRYPTPROV_LEGACY hCryptProv, DWORD dwFlags, const void *pvPara);
/* The same handle, which is to be closed once more. */
HCERTSTORE WINAPI CertDuplicateStore(HCERTSTORE hCertStore);

#define CERT_CLOSE_STORE_FORCE_FLAG 0x00000001
#define CERT_CLOSE_STORE_CHECK_FLAG 0x00000002

/*
 * Contexts of it that are out stay whole, also with FORCE, until they are freed. With CHECK, that there are such is told:
 * FALSE and CRYPT_E_PENDING_CLOSE, and it is closed all the same. NULL is allowed.
 */
BOOL WINAPI CertCloseStore(HCERTSTORE hCertStore, DWORD dwFlags);

#define CERT_STORE_ADD_NEW 1
#define CERT_STORE_ADD_USE_EXISTING 2
#define CERT_STORE_ADD_REPLACE_EXISTING 3
#define CERT_STORE_ADD_ALWAYS 4
#define CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES 5

/* A copy, with properties, key and chain. Existing is the same certificate. Without a store the copy is of none. */
BOOL WINAPI CertAddCertificateContextToStore(
    HCERTSTORE hCertStore, PCCERT_CONTEXT pCertContext, DWORD dwAddDisposition, PCCERT_CONTEXT *ppStoreContext);
BOOL WINAPI CertAddEncodedCertificateToStore(
    HCERTSTORE hCertStore, DWORD dwCertEncodingType, const BYTE *pbCertEncoded, DWORD cbCertEncoded,
    DWORD dwAddDisposition, PCCERT_CONTEXT *ppCertContext);

/* The next one; gives `pPrevCertContext` back in any case. CRYPT_E_NOT_FOUND at the end. */
PCCERT_CONTEXT WINAPI CertEnumCertificatesInStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pPrevCertContext);

#define CERT_FIND_ANY 0x00000000
#define CERT_FIND_SHA1_HASH 0x00010000 /* CRYPT_HASH_BLOB */
#define CERT_FIND_HASH CERT_FIND_SHA1_HASH
#define CERT_FIND_MD5_HASH 0x00040000
#define CERT_FIND_PROPERTY 0x00050000 /* DWORD */
#define CERT_FIND_SUBJECT_NAME 0x00020007 /* CERT_NAME_BLOB */
#define CERT_FIND_ISSUER_NAME 0x00020004
#define CERT_FIND_SUBJECT_STR_A 0x00070007 /* a part of CERT_SIMPLE_NAME_STR, in any case */
#define CERT_FIND_SUBJECT_STR_W 0x00080007
#define CERT_FIND_SUBJECT_STR CERT_FIND_SUBJECT_STR_W
#define CERT_FIND_ISSUER_STR_A 0x00070004
#define CERT_FIND_ISSUER_STR_W 0x00080004
#define CERT_FIND_ISSUER_STR CERT_FIND_ISSUER_STR_W
#define CERT_FIND_SUBJECT_CERT 0x000b0000 /* CERT_INFO: issuer and serial number */
#define CERT_FIND_ISSUER_OF 0x000c0000    /* CERT_CONTEXT */
#define CERT_FIND_EXISTING 0x000d0000     /* CERT_CONTEXT */
#define CERT_FIND_HAS_PRIVATE_KEY 0x00150000

/* As CertEnumCertificatesInStore, of those that fit. E_INVALIDARG for other kinds. */
PCCERT_CONTEXT WINAPI CertFindCertificateInStore(
    HCERTSTORE hCertStore, DWORD dwCertEncodingType, DWORD dwFindFlags, DWORD dwFindType, const void *pvFindPara,
    PCCERT_CONTEXT pPrevCertContext);
/* Gives the context back in any case. */
BOOL WINAPI CertDeleteCertificateFromStore(PCCERT_CONTEXT pCertContext);

/* ================================================================================================================
 * 5. PKCS#12
 * ============================================================================================================= */

#define CRYPT_EXPORTABLE 0x00000001
#define CRYPT_USER_PROTECTED 0x00000002
#define CRYPT_USER_KEYSET 0x00001000
#define PKCS12_INCLUDE_EXTENDED_PROPERTIES 0x00000010
#define PKCS12_ALLOW_OVERWRITE_KEY 0x00004000
#define PKCS12_NO_PERSIST_KEY 0x00008000

/*
 * A store in memory of the file's certificates; one with a private key has it. Flags have no meaning: no key is written
 * anywhere. ERROR_INVALID_PASSWORD for a wrong password, CRYPT_E_BAD_ENCODE for what is no such file, NTE_BAD_ALGID for an
 * encryption other than PBES2, 3DES or RC2-40. A file without a MAC is taken.
 */
HCERTSTORE WINAPI PFXImportCertStore(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags);
/* From outside: nothing is decrypted. */
BOOL WINAPI PFXIsPFXBlob(CRYPT_DATA_BLOB *pPFX);
BOOL WINAPI PFXVerifyPassword(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags);

/* ================================================================================================================
 * 6. Key containers
 * ============================================================================================================= */

#define PROV_RSA_FULL 1
#define PROV_RSA_SCHANNEL 12
#define PROV_RSA_AES 24
#define CRYPT_VERIFYCONTEXT 0xF0000000
#define CRYPT_NEWKEYSET 0x00000008
#define CRYPT_DELETEKEYSET 0x00000010
#define CRYPT_MACHINE_KEYSET 0x00000020
#define CRYPT_SILENT 0x00000040

/* Which provider, and of which type, has no meaning here. Containers are of this process. */
BOOL WINAPI CryptAcquireContextA(
    HCRYPTPROV *phProv, LPCSTR szContainer, LPCSTR szProvider, DWORD dwProvType, DWORD dwFlags);
BOOL WINAPI CryptAcquireContextW(
    HCRYPTPROV *phProv, LPCWSTR szContainer, LPCWSTR szProvider, DWORD dwProvType, DWORD dwFlags);
BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags);

#define AT_KEYEXCHANGE 1
#define AT_SIGNATURE 2
#define PRIVATEKEYBLOB 0x7
#define CUR_BLOB_VERSION 2
#define CALG_RSA_SIGN 0x00002400
#define CALG_RSA_KEYX 0x0000a400

/* A PRIVATEKEYBLOB of RSA, not encrypted, becomes the container's key of its kind. */
BOOL WINAPI CryptImportKey(
    HCRYPTPROV hProv, const BYTE *pbData, DWORD dwDataLen, HCRYPTKEY hPubKey, DWORD dwFlags, HCRYPTKEY *phKey);
/* Gives the handle back; the container has the key still. */
BOOL WINAPI CryptDestroyKey(HCRYPTKEY hKey);

#ifdef UNICODE
#define CertNameToStr CertNameToStrW
#define CertGetNameString CertGetNameStringW
#define CryptAcquireContext CryptAcquireContextW
#else
#define CertNameToStr CertNameToStrA
#define CertGetNameString CertGetNameStringA
#define CryptAcquireContext CryptAcquireContextA
#endif

#ifdef __cplusplus
}
#endif

#endif /* PORTCULLIS_WINCRYPT_H */
