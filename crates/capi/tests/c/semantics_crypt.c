/*
 * Certificates, their keys and stores of them. The files are made by openssl, and the numbers are what it says of them.
 *
 *     semantics_crypt FOLDER SHA1 SHA256 MD5 SERIAL NOT_BEFORE NOT_AFTER [short]
 *                     hashes and serial number in hexadecimal, times in seconds since 1970
 */
#define PORTCULLIS_DEFINE_GETLASTERROR
#include <portcullis/wincrypt.h>

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED(call, error) (CHECK(!(call)) ? (void)STATUS((int)GetLastError(), (int)(error)) : (void)0)
#define PASSWORD SEC_WTEXT("Geheim-\u00df 7")

static char **said;
static bool brief;

struct bytes {
    BYTE *at;
    DWORD length;
};

static const char *path_of(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", said[1], name);
    return path;
}

static struct bytes slurp(const char *name)
{
    FILE *file = fopen(path_of(name), "rb");
    MUST(file != NULL);
    struct bytes bytes = {malloc(1 << 16), 0};
    bytes.length = (DWORD)fread(bytes.at, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

/* So many bytes and not one more: whoever reads on is found out. */
static BYTE *exactly(const BYTE *from, DWORD length)
{
    BYTE *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, from, length);
    return copy;
}

static const char *hex(const BYTE *bytes, DWORD length)
{
    static char text[256];
    text[0] = 0;
    for (DWORD at = 0; at < length && at < 100; ++at) {
        sprintf(text + 2 * at, "%02x", bytes[at]);
    }
    return text;
}

static PCCERT_CONTEXT created(const char *name)
{
    struct bytes der = slurp(name);
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING, der.at, der.length);
    MUST(context != NULL);
    free(der.at);
    return context;
}

static unsigned long long seconds(FILETIME time)
{
    return (((unsigned long long)time.dwHighDateTime << 32) | time.dwLowDateTime) / 10000000 - 11644473600;
}

static void contexts(void)
{
    CASE("contexts");
    struct bytes der = slurp("leaf.der");
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, der.at, der.length);
    MUST(context != NULL);
    CHECK(context->dwCertEncodingType == X509_ASN_ENCODING && context->hCertStore == NULL);
    CHECK(context->cbCertEncoded == der.length && memcmp(context->pbCertEncoded, der.at, der.length) == 0);
    CHECK(context->pbCertEncoded != der.at);
    PCERT_INFO info = context->pCertInfo;
    CHECK(info->dwVersion == 2);
    BYTE serial[64];
    for (DWORD at = 0; at < info->SerialNumber.cbData && at < sizeof serial; ++at) {
        serial[at] = info->SerialNumber.pbData[info->SerialNumber.cbData - 1 - at];
    }
    TEXT(hex(serial, info->SerialNumber.cbData), said[5]);
    TEXT(info->SignatureAlgorithm.pszObjId, "1.2.840.113549.1.1.11");
    CHECK(info->SignatureAlgorithm.Parameters.cbData == 2 && info->SignatureAlgorithm.Parameters.pbData[0] == 5);
    TEXT(info->SubjectPublicKeyInfo.Algorithm.pszObjId, "1.2.840.113549.1.1.1");
    CHECK(info->SubjectPublicKeyInfo.PublicKey.cbData > 256 && info->SubjectPublicKeyInfo.PublicKey.cUnusedBits == 0);
    CHECK(seconds(info->NotBefore) == strtoull(said[6], NULL, 10));
    CHECK(seconds(info->NotAfter) == strtoull(said[7], NULL, 10));
    CHECK(info->Issuer.pbData[0] == 0x30 && info->Subject.pbData[0] == 0x30);
    CHECK(info->IssuerUniqueId.cbData == 0 && info->SubjectUniqueId.pbData == NULL);
    MUST(info->cExtension >= 2);
    bool alternative = false, critical = false;
    for (DWORD at = 0; at < info->cExtension; ++at) {
        alternative |= strcmp(info->rgExtension[at].pszObjId, "2.5.29.17") == 0;
        critical |= strcmp(info->rgExtension[at].pszObjId, "2.5.29.19") == 0 && info->rgExtension[at].fCritical;
    }
    CHECK(alternative && critical);

    CHECK(CertDuplicateCertificateContext(context) == context);
    CHECK(CertDuplicateCertificateContext(NULL) == NULL);
    CHECK(CertFreeCertificateContext(context));
    CHECK(info->dwVersion == 2);
    CHECK(CertFreeCertificateContext(context));
    REFUSED(CertFreeCertificateContext(context), ERROR_INVALID_HANDLE);
    REFUSED(CertDuplicateCertificateContext(context), ERROR_INVALID_HANDLE);
    CHECK(CertFreeCertificateContext(NULL));
    BYTE junk[64];
    FILL(junk);
    REFUSED(CertFreeCertificateContext((PCCERT_CONTEXT)(void *)junk), ERROR_INVALID_HANDLE);
    REFUSED(CertFreeCertificateContext((PCCERT_CONTEXT)(ULONG_PTR)1), ERROR_INVALID_HANDLE);
    UNTOUCHED(junk);

    REFUSED(CertCreateCertificateContext(PKCS_7_ASN_ENCODING, der.at, der.length), E_INVALIDARG);
    REFUSED(CertCreateCertificateContext(X509_ASN_ENCODING, NULL, 5), ERROR_INVALID_PARAMETER);
    for (DWORD length = 0; length < der.length; ++length) {
        BYTE *cut = exactly(der.at, length);
        REFUSED(CertCreateCertificateContext(X509_ASN_ENCODING, cut, length), CRYPT_E_ASN1_EOD);
        free(cut);
    }
    for (DWORD at = 0; at < der.length; at += brief ? 7 : 1) {
        for (int bit = 0; bit < 8; ++bit) {
            der.at[at] ^= (BYTE)(1 << bit);
            context = CertCreateCertificateContext(X509_ASN_ENCODING, der.at, der.length);
            CHECK(context == NULL || CertFreeCertificateContext(context));
            der.at[at] ^= (BYTE)(1 << bit);
        }
    }
    free(der.at);
}

static void property_is(PCCERT_CONTEXT context, DWORD id, const char *expected)
{
    BYTE value[64];
    DWORD size = 0;
    CHECK(CertGetCertificateContextProperty(context, id, NULL, &size));
    CHECK(size == strlen(expected) / 2);
    --size;
    FILL(value);
    REFUSED(CertGetCertificateContextProperty(context, id, value, &size), ERROR_MORE_DATA);
    UNTOUCHED(value);
    CHECK(size == strlen(expected) / 2);
    CHECK(CertGetCertificateContextProperty(context, id, value, &size));
    TEXT(hex(value, size), expected);
}

static void properties(void)
{
    CASE("properties");
    PCCERT_CONTEXT context = created("leaf.der");
    DWORD size = 100;
    BYTE value[100];
    property_is(context, CERT_SHA1_HASH_PROP_ID, said[2]);
    property_is(context, CERT_SHA256_HASH_PROP_ID, said[3]);
    property_is(context, CERT_MD5_HASH_PROP_ID, said[4]);
    DWORD none[] = {CERT_KEY_PROV_HANDLE_PROP_ID, CERT_KEY_PROV_INFO_PROP_ID, CERT_KEY_CONTEXT_PROP_ID,
                    CERT_KEY_SPEC_PROP_ID, CERT_FRIENDLY_NAME_PROP_ID, CERT_FIRST_USER_PROP_ID, 0};
    for (size_t at = 0; at < sizeof none / sizeof *none; ++at) {
        REFUSED(CertGetCertificateContextProperty(context, none[at], value, &size), CRYPT_E_NOT_FOUND);
    }
    WCHAR name[] = SEC_WTEXT("a friend");
    CRYPT_DATA_BLOB blob = {sizeof name, (BYTE *)name};
    CHECK(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob));
    CHECK(CertGetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, value, &size));
    CHECK(size == sizeof name && memcmp(value, name, size) == 0);
    char text[64];
    CHECK(CertGetNameStringA(context, CERT_NAME_FRIENDLY_DISPLAY_TYPE, 0, NULL, text, sizeof text) == 9);
    TEXT(text, "a friend");
    CHECK(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, NULL));
    REFUSED(CertGetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, NULL, &size), CRYPT_E_NOT_FOUND);
    REFUSED(CertSetCertificateContextProperty(context, CERT_SHA1_HASH_PROP_ID, 0, &blob), E_INVALIDARG);
    REFUSED(CertSetCertificateContextProperty(context, CERT_KEY_PROV_HANDLE_PROP_ID, 0, value), ERROR_INVALID_HANDLE);
    REFUSED(CertGetCertificateContextProperty(context, CERT_SHA1_HASH_PROP_ID, value, NULL), ERROR_INVALID_PARAMETER);
    CHECK(CertFreeCertificateContext(context));
    REFUSED(CertGetCertificateContextProperty(context, CERT_SHA1_HASH_PROP_ID, NULL, &size), ERROR_INVALID_HANDLE);
    REFUSED(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob), ERROR_INVALID_HANDLE);
}

static void hashes(void)
{
    CASE("hashes");
    struct bytes der = slurp("leaf.der");
    struct {
        ALG_ID algorithm;
        DWORD size;
        const char *expected;
    } known[] = {{CALG_SHA1, 20, said[2]}, {0, 20, said[2]}, {CALG_SHA_256, 32, said[3]}, {CALG_MD5, 16, said[4]}};
    for (size_t at = 0; at < sizeof known / sizeof *known; ++at) {
        BYTE hash[64];
        DWORD size = 0;
        CHECK(CryptHashCertificate(0, known[at].algorithm, 0, der.at, der.length, NULL, &size));
        CHECK(size == known[at].size);
        CHECK(CryptHashCertificate(0, known[at].algorithm, 0, der.at, der.length, hash, &size));
        TEXT(hex(hash, size), known[at].expected);
        --size;
        REFUSED(CryptHashCertificate(0, known[at].algorithm, 0, der.at, der.length, hash, &size), ERROR_MORE_DATA);
    }
    DWORD size = 0;
    REFUSED(CryptHashCertificate(0, 77, 0, der.at, der.length, NULL, &size), NTE_BAD_ALGID);
    free(der.at);
}

static void name_is(PCCERT_CONTEXT context, DWORD type, DWORD flags, void *parameter, const char *expected)
{
    char text[256];
    WCHAR wide[256];
    DWORD length = (DWORD)strlen(expected) + 1;
    CHECK(CertGetNameStringA(context, type, flags, parameter, NULL, 0) == length);
    CHECK(CertGetNameStringA(context, type, flags, parameter, text, sizeof text) == length);
    TEXT(text, expected);
    CHECK(CertGetNameStringW(context, type, flags, parameter, wide, 256) == length);
    for (DWORD at = 0; at < length; ++at) {
        CHECK(wide[at] == (WCHAR)expected[at]);
    }
    DWORD cut = length > 3 ? 3 : length;
    FILL(text);
    CHECK(CertGetNameStringA(context, type, flags, parameter, text, cut) == cut);
    CHECK(text[cut - 1] == 0 && (BYTE)text[cut] == 0xA5);
}

static void names(void)
{
    CASE("names");
    PCCERT_CONTEXT context = created("leaf.der");
    DWORD x500 = CERT_X500_NAME_STR, reversed = CERT_X500_NAME_STR | CERT_NAME_STR_REVERSE_FLAG;
    name_is(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, "server.example");
    name_is(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, CERT_NAME_ISSUER_FLAG, NULL, "Middle");
    name_is(context, CERT_NAME_FRIENDLY_DISPLAY_TYPE, 0, NULL, "server.example");
    name_is(context, CERT_NAME_RDN_TYPE, 0, &x500, "C=DE, O=\"Portcullis, Test\", CN=server.example");
    name_is(context, CERT_NAME_RDN_TYPE, 0, &reversed, "CN=server.example, O=\"Portcullis, Test\", C=DE");
    name_is(context, CERT_NAME_RDN_TYPE, CERT_NAME_ISSUER_FLAG, NULL, "Middle");
    name_is(context, CERT_NAME_ATTR_TYPE, 0, (void *)"2.5.4.6", "DE");
    name_is(context, CERT_NAME_ATTR_TYPE, 0, (void *)"1.2.3", "");
    name_is(context, CERT_NAME_DNS_TYPE, 0, NULL, "www.server.example");
    name_is(context, CERT_NAME_EMAIL_TYPE, 0, NULL, "post@server.example");
    name_is(context, CERT_NAME_URL_TYPE, 0, NULL, "");
    char text[128];
    DWORD length = CertNameToStrA(X509_ASN_ENCODING, &context->pCertInfo->Subject, CERT_X500_NAME_STR, NULL, 0);
    CHECK(length == strlen("C=DE, O=\"Portcullis, Test\", CN=server.example") + 1);
    CHECK(CertNameToStrA(X509_ASN_ENCODING, &context->pCertInfo->Subject, CERT_X500_NAME_STR, text, sizeof text) ==
          length);
    TEXT(text, "C=DE, O=\"Portcullis, Test\", CN=server.example");
    CHECK(CertNameToStrW(X509_ASN_ENCODING, &context->pCertInfo->Issuer, CERT_OID_NAME_STR, NULL, 0) == 15);
    CERT_NAME_BLOB name = context->pCertInfo->Subject;
    for (name.cbData = 0; name.cbData < context->pCertInfo->Subject.cbData; ++name.cbData) {
        CHECK(CertNameToStrA(X509_ASN_ENCODING, &name, CERT_X500_NAME_STR, text, sizeof text) == 0);
    }
    CHECK(CertNameToStrA(X509_ASN_ENCODING, NULL, CERT_X500_NAME_STR, text, sizeof text) == 0);
    CHECK(CertFreeCertificateContext(context));
    CHECK(CertGetNameStringA(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, text, sizeof text) == 0);
}

static DWORD count(HCERTSTORE store)
{
    DWORD found = 0;
    PCCERT_CONTEXT context = NULL;
    while ((context = CertEnumCertificatesInStore(store, context)) != NULL) {
        CHECK(context->hCertStore == store);
        ++found;
    }
    STATUS((int)GetLastError(), CRYPT_E_NOT_FOUND);
    return found;
}

/* How many fit; the first one's name is checked. */
static DWORD finds(HCERTSTORE store, DWORD type, const void *parameter, const char *first)
{
    DWORD found = 0;
    PCCERT_CONTEXT context = NULL;
    while ((context = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, type, parameter, context)) != NULL) {
        char text[64];
        CertGetNameStringA(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, text, sizeof text);
        if (found++ == 0) {
            TEXT(text, first);
        }
    }
    return found;
}

static void stores(void)
{
    CASE("stores");
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    MUST(store != NULL);
    PCCERT_CONTEXT leaf = created("leaf.der"), added = NULL, again = NULL;
    struct bytes middle = slurp("middle.der");
    CHECK(count(store) == 0);
    CHECK(CertAddCertificateContextToStore(store, leaf, CERT_STORE_ADD_NEW, &added));
    CHECK(added != leaf && added->hCertStore == store);
    REFUSED(CertAddCertificateContextToStore(store, leaf, CERT_STORE_ADD_NEW, NULL), CRYPT_E_EXISTS);
    CHECK(CertAddCertificateContextToStore(store, leaf, CERT_STORE_ADD_USE_EXISTING, &again) && again == added);
    CHECK(CertFreeCertificateContext(again));
    CHECK(CertAddCertificateContextToStore(store, leaf, CERT_STORE_ADD_ALWAYS, NULL));
    CHECK(CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, middle.at, middle.length, CERT_STORE_ADD_NEW,
                                           NULL));
    REFUSED(CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, middle.at, middle.length - 1,
                                             CERT_STORE_ADD_NEW, NULL),
            CRYPT_E_ASN1_EOD);
    REFUSED(CertAddCertificateContextToStore(store, leaf, 77, NULL), E_INVALIDARG);
    REFUSED(CertAddCertificateContextToStore(leaf->pCertInfo, leaf, CERT_STORE_ADD_NEW, NULL), ERROR_INVALID_HANDLE);
    CHECK(count(store) == 3);

    CASE("searches");
    BYTE hash[20];
    DWORD size = sizeof hash;
    CHECK(CertGetCertificateContextProperty(leaf, CERT_SHA1_HASH_PROP_ID, hash, &size));
    CRYPT_HASH_BLOB blob = {size, hash};
    CHECK(finds(store, CERT_FIND_ANY, NULL, "server.example") == 3);
    CHECK(finds(store, CERT_FIND_SHA1_HASH, &blob, "server.example") == 2);
    CHECK(finds(store, CERT_FIND_SUBJECT_STR_A, "SERVER.exam", "server.example") == 2);
    CHECK(finds(store, CERT_FIND_SUBJECT_STR_W, SEC_WTEXT("mIDDl"), "Middle") == 1);
    CHECK(finds(store, CERT_FIND_ISSUER_STR_A, "middle", "server.example") == 2);
    CHECK(finds(store, CERT_FIND_ISSUER_STR_W, SEC_WTEXT("nobody"), "") == 0);
    CHECK(finds(store, CERT_FIND_SUBJECT_CERT, leaf->pCertInfo, "server.example") == 2);
    CHECK(finds(store, CERT_FIND_SUBJECT_NAME, &leaf->pCertInfo->Issuer, "Middle") == 1);
    CHECK(finds(store, CERT_FIND_ISSUER_OF, leaf, "Middle") == 1);
    CHECK(finds(store, CERT_FIND_EXISTING, leaf, "server.example") == 2);
    CHECK(finds(store, CERT_FIND_EXISTING, middle.at, "") == 0);
    CHECK(finds(store, CERT_FIND_HAS_PRIVATE_KEY, NULL, "") == 0);
    STATUS((int)GetLastError(), CRYPT_E_NOT_FOUND);
    REFUSED(CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, 0x7f0000, NULL, NULL), E_INVALIDARG);
    again = CertDuplicateCertificateContext(added);
    REFUSED(CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR, NULL, again), E_INVALIDARG);
    /* It was given back all the same: what is left is `added`. */
    again = CertDuplicateCertificateContext(leaf);
    REFUSED(CertEnumCertificatesInStore(store, again), E_INVALIDARG);

    CASE("taken out while it is gone through");
    again = CertEnumCertificatesInStore(store, NULL);
    CHECK(again == added);
    CHECK(CertDeleteCertificateFromStore(CertDuplicateCertificateContext(again)));
    again = CertEnumCertificatesInStore(store, again);
    CHECK(again != NULL && again != added);
    CHECK(CertFreeCertificateContext(again));
    CHECK(count(store) == 2);
    CHECK(added->cbCertEncoded == leaf->cbCertEncoded);
    CHECK(CertDeleteCertificateFromStore(added));
    REFUSED(CertDeleteCertificateFromStore(added), ERROR_INVALID_HANDLE);

    CASE("closed");
    CHECK(CertDuplicateStore(store) == store);
    CHECK(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    again = CertEnumCertificatesInStore(store, NULL);
    REFUSED(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG), CRYPT_E_PENDING_CLOSE);
    REFUSED(CertCloseStore(store, 0), ERROR_INVALID_HANDLE);
    CHECK(count(again->hCertStore) == 2);
    CHECK(CertFreeCertificateContext(again));
    REFUSED(CertEnumCertificatesInStore(store, NULL), ERROR_INVALID_HANDLE);
    REFUSED(CertDuplicateStore(store), ERROR_INVALID_HANDLE);
    CHECK(CertCloseStore(NULL, 0));
    REFUSED(CertCloseStore((HCERTSTORE)said, 0), ERROR_INVALID_HANDLE);
    CHECK(CertAddCertificateContextToStore(NULL, leaf, CERT_STORE_ADD_ALWAYS, &added));
    CHECK(added != leaf && added->hCertStore == NULL && CertFreeCertificateContext(added));
    CHECK(CertAddCertificateContextToStore(NULL, leaf, CERT_STORE_ADD_ALWAYS, NULL));
    CHECK(CertFreeCertificateContext(leaf));
    free(middle.at);
}

static void file_stores(void)
{
    CASE("stores of files");
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("chain.pem"));
    MUST(store != NULL);
    CHECK(count(store) == 3);
    CHECK(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    WCHAR wide[4096];
    const char *path = path_of("bundle.der");
    size_t at = 0;
    do {
        wide[at] = (WCHAR)path[at];
    } while (path[at++] != 0);
    store = CertOpenStore(CERT_STORE_PROV_FILENAME_W, 0, 0, 0, wide);
    MUST(store != NULL);
    CHECK(count(store) == 2);
    CHECK(CertCloseStore(store, 0));
    store = CertOpenStore(sz_CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    CHECK(store != NULL && CertCloseStore(store, CERT_CLOSE_STORE_FORCE_FLAG));
    REFUSED(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("missing")), ERROR_FILE_NOT_FOUND);
    REFUSED(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("fifo")), ERROR_READ_FAULT);
    REFUSED(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, said[1]), ERROR_READ_FAULT);
    REFUSED(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, NULL), E_INVALIDARG);
    REFUSED(CertOpenStore((LPCSTR)10, 0, 0, 0, SEC_WTEXT("MY")), ERROR_FILE_NOT_FOUND);
    REFUSED(CertOpenStore("System", 0, 0, 0, SEC_WTEXT("MY")), ERROR_FILE_NOT_FOUND);
}

static void pfx(const char *name, bool mac)
{
    CASE("%s", name);
    struct bytes file = slurp(name);
    CRYPT_DATA_BLOB blob = {file.length, file.at};
    CHECK(PFXIsPFXBlob(&blob));
    CHECK(PFXVerifyPassword(&blob, PASSWORD, 0));
    HCERTSTORE store = PFXImportCertStore(&blob, PASSWORD, CRYPT_EXPORTABLE | PKCS12_NO_PERSIST_KEY);
    MUST(store != NULL);
    CHECK(count(store) == 3);
    CHECK(finds(store, CERT_FIND_HAS_PRIVATE_KEY, NULL, "server.example") == 1);
    PCCERT_CONTEXT leaf =
        CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    MUST(leaf != NULL);
    char text[64];
    CertGetNameStringA(leaf, CERT_NAME_FRIENDLY_DISPLAY_TYPE, 0, NULL, text, sizeof text);
    TEXT(text, "my server");
    DWORD size = 0, spec = 0, of_spec = sizeof spec;
    CHECK(CertGetCertificateContextProperty(leaf, CERT_KEY_SPEC_PROP_ID, &spec, &of_spec) && spec == AT_KEYEXCHANGE);
    CHECK(CertGetCertificateContextProperty(leaf, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size));
    CRYPT_KEY_PROV_INFO *info = malloc(size);
    CHECK(CertGetCertificateContextProperty(leaf, CERT_KEY_PROV_INFO_PROP_ID, info, &size));
    CHECK(info->pwszContainerName[0] == 'p' && info->pwszProvName[0] == 'P' && info->dwKeySpec == AT_KEYEXCHANGE);
    /* The same key for another context of the certificate. */
    PCCERT_CONTEXT other = created("leaf.der");
    CHECK(CertSetCertificateContextProperty(other, CERT_KEY_PROV_INFO_PROP_ID, 0, info));
    CHECK(CertFreeCertificateContext(other));
    free(info);
    CHECK(CertCloseStore(store, 0));
    CHECK(CertFreeCertificateContext(leaf));

    const WCHAR *wrong[] = {SEC_WTEXT("wrong"), SEC_WTEXT(""), NULL};
    for (size_t at = 0; at < 3; ++at) {
        REFUSED(PFXVerifyPassword(&blob, wrong[at], 0), ERROR_INVALID_PASSWORD);
        REFUSED(PFXImportCertStore(&blob, wrong[at], 0), ERROR_INVALID_PASSWORD);
    }
    for (DWORD length = 0; length < file.length; length += brief ? 29 : 1) {
        BYTE *cut = exactly(file.at, length);
        CRYPT_DATA_BLOB part = {length, cut};
        CHECK(!PFXIsPFXBlob(&part));
        REFUSED(PFXImportCertStore(&part, PASSWORD, 0), CRYPT_E_BAD_ENCODE);
        free(cut);
    }
    for (DWORD at = 0; at < file.length; at += brief ? 211 : 17) {
        file.at[at] ^= 0x15;
        store = PFXImportCertStore(&blob, PASSWORD, 0);
        /* What the MAC covers not, or nothing does where there is none. */
        CHECK(store == NULL || !mac || at < 60 || at + 400 > file.length);
        CHECK(store == NULL || CertCloseStore(store, 0));
        file.at[at] ^= 0x15;
    }
    REFUSED(PFXImportCertStore(NULL, PASSWORD, 0), ERROR_INVALID_PARAMETER);
    free(file.at);
}

static void pem(void)
{
    CASE("PEM");
    char other[4096];
    struct {
        const char *certificates, *key;
        DWORD chain;
        bool has_key;
    } files[] = {
        {"chain.pem", "leaf.key", 3, true}, {"chain.pem", "leaf.pkcs1.key", 3, true}, {"both.pem", NULL, 1, true},
        {"leaf.der", "leaf.key.der", 1, true}, {"ec.pem", "ec.key", 1, true}, {"chain.pem", NULL, 3, false},
        {"bundle.der", NULL, 2, false},
    };
    for (size_t at = 0; at < sizeof files / sizeof *files; ++at) {
        CASE("PEM: %s, %s", files[at].certificates, files[at].key == NULL ? "NULL" : files[at].key);
        if (files[at].key != NULL) {
            snprintf(other, sizeof other, "%s", path_of(files[at].key));
        }
        PCCERT_CONTEXT context =
            PortcullisCertificateFromPem(path_of(files[at].certificates), files[at].key == NULL ? NULL : other);
        MUST(context != NULL);
        HCERTSTORE store = context->hCertStore;
        CHECK(count(store) == files[at].chain);
        DWORD spec, size = sizeof spec;
        CHECK(!!CertGetCertificateContextProperty(context, CERT_KEY_SPEC_PROP_ID, &spec, &size) == files[at].has_key);
        CHECK(CertFreeCertificateContext(context));
        REFUSED(CertEnumCertificatesInStore(store, NULL), ERROR_INVALID_HANDLE);

        struct bytes certificates = slurp(files[at].certificates), key = {NULL, 0};
        if (files[at].key != NULL) {
            key = slurp(files[at].key);
        }
        context = PortcullisCertificateFromMemory(certificates.at, certificates.length, key.at, key.length);
        CHECK(context != NULL && count(context->hCertStore) == files[at].chain);
        CHECK(CertFreeCertificateContext(context));
        free(certificates.at);
        free(key.at);
    }
    CASE("PEM that is not taken");
    const char *encrypted[] = {"leaf.enc.key", "leaf.old.key", "leaf.enc.der"};
    for (size_t at = 0; at < 3; ++at) {
        snprintf(other, sizeof other, "%s", path_of(encrypted[at]));
        REFUSED(PortcullisCertificateFromPem(path_of("chain.pem"), other), ERROR_NOT_SUPPORTED);
    }
    snprintf(other, sizeof other, "%s", path_of("chain.pem"));
    REFUSED(PortcullisCertificateFromPem(path_of("chain.pem"), other), NTE_NO_KEY);
    REFUSED(PortcullisCertificateFromPem(path_of("leaf.key"), NULL), CRYPT_E_NOT_FOUND);
    REFUSED(PortcullisCertificateFromPem(path_of("missing"), NULL), ERROR_FILE_NOT_FOUND);
    REFUSED(PortcullisCertificateFromPem(NULL, NULL), ERROR_INVALID_PARAMETER);
    struct bytes both = slurp("both.pem");
    for (DWORD length = 0; length < both.length; length += brief ? 37 : 1) {
        BYTE *cut = exactly(both.at, length);
        PCCERT_CONTEXT context = PortcullisCertificateFromMemory(cut, length, NULL, 0);
        CHECK(context == NULL || CertFreeCertificateContext(context));
        free(cut);
    }
    free(both.at);
}

static void containers(void)
{
    CASE("containers");
    HCRYPTPROV provider, same;
    HCRYPTKEY key;
    struct bytes blob = slurp("leaf.blob");
    const WCHAR *name = SEC_WTEXT("server's");
    REFUSED(CryptAcquireContextW(&provider, name, NULL, PROV_RSA_SCHANNEL, 0), NTE_BAD_KEYSET);
    CHECK(CryptAcquireContextW(&provider, name, NULL, PROV_RSA_SCHANNEL, CRYPT_NEWKEYSET));
    REFUSED(CryptAcquireContextA(&same, "server's", NULL, PROV_RSA_SCHANNEL, CRYPT_NEWKEYSET), NTE_EXISTS);
    CHECK(CryptAcquireContextA(&same, "server's", NULL, PROV_RSA_SCHANNEL, 0));
    CHECK(CryptImportKey(provider, blob.at, blob.length, 0, 0, &key));
    CHECK(CryptDestroyKey(key));
    REFUSED(CryptDestroyKey(key), ERROR_INVALID_HANDLE);
    REFUSED(CryptDestroyKey(provider), ERROR_INVALID_HANDLE);
    for (DWORD length = 0; length < blob.length; ++length) {
        BYTE *cut = exactly(blob.at, length);
        REFUSED(CryptImportKey(provider, cut, length, 0, 0, &key), NTE_BAD_DATA);
        free(cut);
    }
    blob.at[0] = 6;
    REFUSED(CryptImportKey(provider, blob.at, blob.length, 0, 0, &key), NTE_BAD_TYPE);
    blob.at[0] = PRIVATEKEYBLOB;
    REFUSED(CryptImportKey(77, blob.at, blob.length, 0, 0, &key), ERROR_INVALID_HANDLE);

    PCCERT_CONTEXT context = created("leaf.der");
    CRYPT_KEY_PROV_INFO info = {(LPWSTR)name, NULL, PROV_RSA_SCHANNEL, 0, 0, NULL, AT_KEYEXCHANGE};
    CHECK(CertSetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    CERT_KEY_CONTEXT attached = {sizeof attached, same, AT_KEYEXCHANGE}, got;
    DWORD size = sizeof got;
    CHECK(CertSetCertificateContextProperty(context, CERT_KEY_CONTEXT_PROP_ID, CERT_STORE_NO_CRYPT_RELEASE_FLAG,
                                            &attached));
    CHECK(CertGetCertificateContextProperty(context, CERT_KEY_CONTEXT_PROP_ID, &got, &size));
    CHECK(got.cbSize == sizeof got && got.hCryptProv == same && got.dwKeySpec == AT_KEYEXCHANGE);
    CHECK(CertFreeCertificateContext(context));
    CHECK(CryptReleaseContext(same, 0));
    REFUSED(CryptReleaseContext(same, 0), ERROR_INVALID_HANDLE);

    CASE("a provider that goes with its certificate");
    context = created("leaf.der");
    CHECK(CertSetCertificateContextProperty(context, CERT_KEY_PROV_HANDLE_PROP_ID, 0, (void *)provider));
    CHECK(CertFreeCertificateContext(context));
    REFUSED(CryptReleaseContext(provider, 0), ERROR_INVALID_HANDLE);
    CHECK(CryptAcquireContextW(&provider, name, NULL, PROV_RSA_SCHANNEL, CRYPT_DELETEKEYSET));
    REFUSED(CryptAcquireContextW(&provider, name, NULL, PROV_RSA_SCHANNEL, CRYPT_DELETEKEYSET), NTE_BAD_KEYSET);
    CHECK(CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT));
    CHECK(CryptImportKey(provider, blob.at, blob.length, 0, 0, &key));
    CHECK(CryptReleaseContext(provider, 0) && CryptDestroyKey(key));
    REFUSED(CryptAcquireContextA(NULL, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT), ERROR_INVALID_PARAMETER);
    free(blob.at);
}

static atomic_bool over;
static HCERTSTORE common;

static bool round_trip(const struct bytes *der)
{
    PCCERT_CONTEXT made = CertCreateCertificateContext(X509_ASN_ENCODING, der->at, der->length), added = NULL;
    bool good = made != NULL && CertAddCertificateContextToStore(common, made, CERT_STORE_ADD_ALWAYS, &added);
    good = good && CertDeleteCertificateFromStore(added);
    PCCERT_CONTEXT found =
        CertFindCertificateInStore(common, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR_A, "middle", NULL);
    return CertFreeCertificateContext(made) && good && found != NULL && CertFreeCertificateContext(found);
}

static void *hammer(void *argument)
{
    bool good = true;
    while (!over) {
        good = good && round_trip(argument);
    }
    CHECK(good);
    return NULL;
}

static void threads_and_forks(void)
{
    CASE("threads and forks");
    pthread_t threads[4];
    struct bytes der = slurp("leaf.der"), middle = slurp("middle.der");
    common = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    CHECK(CertAddEncodedCertificateToStore(common, X509_ASN_ENCODING, middle.at, middle.length, CERT_STORE_ADD_NEW,
                                           NULL));
    for (int at = 0; at < 4; ++at) {
        MUST(pthread_create(&threads[at], NULL, hammer, &der) == 0);
    }
    for (int at = 0; at < (brief ? 3 : 30); ++at) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            if (!round_trip(&der)) {
                _exit(1);
            }
            /* No exit: what the other threads held when it was made is lost to it, which valgrind would count. */
            raise(SIGKILL);
        }
        int status = -1;
        MUST(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    over = true;
    for (int at = 0; at < 4; ++at) {
        pthread_join(threads[at], NULL);
    }
    CHECK(CertCloseStore(common, CERT_CLOSE_STORE_CHECK_FLAG));
    free(der.at);
    free(middle.at);
}

int main(int arguments, char **argument)
{
    MUST(arguments >= 8);
    said = argument;
    brief = arguments > 8;
    contexts();
    properties();
    hashes();
    names();
    stores();
    file_stores();
    pfx("legacy.pfx", true);
    pfx("rc2.pfx", true);
    pfx("modern.pfx", true);
    pfx("sha512.pfx", true);
    pem();
    containers();
    threads_and_forks();
    /* What is left open here is dropped with the library. */
    CHECK(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("chain.pem")) != NULL);
    return check_done();
}
