/*
 * Schannel's credentials and attributes: versions, what a stream tells, application protocols, and what is resumed.
 *
 *     semantics_channel FOLDER
 */
#include "check.h"
#include "stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static CredHandle server, client;

static bool is_text(const WCHAR *found, const char *text)
{
    size_t at = 0;
    while (text[at] != 0 && found[at] == (WCHAR)(unsigned char)text[at]) {
        ++at;
    }
    return text[at] == 0 && found[at] == 0;
}

static void packages(void)
{
    CASE("packages");
    ULONG count;
    PSecPkgInfoA infos;
    MUST(STATUS(EnumerateSecurityPackagesA(&count, &infos), SEC_E_OK));
    CHECK(count == 6);
    static const char *const names[] = {SCHANNEL_NAME_A, UNISP_NAME_A, DEFAULT_TLS_SSP_NAME_A};
    for (int at = 0; at < 3; ++at) {
        PSecPkgInfoA info;
        if (STATUS(QuerySecurityPackageInfoA((SEC_CHAR *)names[at], &info), SEC_E_OK)) {
            CHECK(info->fCapabilities == 0x004107B3 && info->wRPCID == 14 && info->cbMaxToken == 24576);
            TEXT(info->Name, names[at]);
            FreeContextBuffer(info);
        }
    }
    FreeContextBuffer(infos);
}

static void credentials(void)
{
    CASE("credentials");
    CredHandle credential;
    TimeStamp expiry;
    PCCERT_CONTEXT own = certificate("server"), keyless, none = NULL;
    keyless = PortcullisCertificateFromPem(path_in_folder("ca.pem"), NULL);
    MUST(keyless != NULL);
    SCHANNEL_CRED old = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &own};
    SCH_CREDENTIALS new = {.dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = 1, .paCred = &own};
    MUST(STATUS(acquired(SECPKG_CRED_INBOUND, &old, &credential, &expiry), SEC_E_OK));
    FILETIME end = own->pCertInfo->NotAfter;
    long long difference = (long long)expiry.QuadPart - ((long long)end.dwHighDateTime << 32 | end.dwLowDateTime);
    CHECK(difference % (15LL * 60 * 10000000) == 0 && llabs(difference) <= 15LL * 3600 * 10000000);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    FILL(credential);
#define REFUSED(use, settings, status) \
    STATUS(acquired(use, settings, &credential, &expiry), status); \
    UNTOUCHED(credential)
    old.dwVersion = 3;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.dwVersion = SCHANNEL_CRED_VERSION;
    old.cCreds = 0;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_NO_CREDENTIALS);
    REFUSED(SECPKG_CRED_INBOUND, NULL, SEC_E_NO_CREDENTIALS);
    old.cCreds = 101;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.cCreds = 1;
    old.paCred = NULL;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.paCred = &keyless;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_NO_CREDENTIALS);
    old.paCred = &none;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.paCred = &own;
    old.dwCredFormat = SCH_CRED_FORMAT_CERT_HASH;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.dwCredFormat = 0;
    old.hRootStore = (HCERTSTORE)&old;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_INVALID_HANDLE);
    old.hRootStore = NULL;
    static const DWORD versions[] = {SP_PROT_TLS1_0, SP_PROT_SSL3TLS1_X & ~SP_PROT_TLS1_2 & ~SP_PROT_TLS1_3,
                                     SP_PROT_TLS1_2_CLIENT, SP_PROT_DTLS1_2};
    for (int at = 0; at < 4; ++at) {
        old.grbitEnabledProtocols = versions[at];
        REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_ALGORITHM_MISMATCH);
    }
    old.grbitEnabledProtocols = 0;
    old.dwMinimumCipherStrength = old.dwMaximumCipherStrength = (DWORD)-1;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_ALGORITHM_MISMATCH);
    old.dwMinimumCipherStrength = old.dwMaximumCipherStrength = 0;
    /* RC4 and SHA-1 are not there, and what is there cannot be left out. */
    ALG_ID named[] = {0x6801, 0x8004, 0x660E, 0x6610, 0x800C};
    old.palgSupportedAlgs = named;
    for (DWORD many = 1; many <= 5; ++many) {
        old.cSupportedAlgs = many;
        REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_ALGORITHM_MISMATCH);
    }
    old.cSupportedAlgs = 257;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    old.cSupportedAlgs = 4, old.palgSupportedAlgs = NULL;
    REFUSED(SECPKG_CRED_INBOUND, &old, SEC_E_UNKNOWN_CREDENTIALS);
    named[1] = 0x6602;
    old.palgSupportedAlgs = named;
    MUST(STATUS(acquired(SECPKG_CRED_INBOUND, &old, &credential, &expiry), SEC_E_OK));
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    FILL(credential);
    new.dwFlags = SCH_USE_DTLS_ONLY;
    REFUSED(SECPKG_CRED_INBOUND, &new, SEC_E_UNSUPPORTED_FUNCTION);
    new.dwFlags = 0;
    REFUSED(SECPKG_CRED_BOTH, &new, SEC_E_UNKNOWN_CREDENTIALS);
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = SP_PROT_TLS1_2 | SP_PROT_TLS1_3};
    new.cTlsParameters = 1;
    new.pTlsParameters = &parameters;
    REFUSED(SECPKG_CRED_INBOUND, &new, SEC_E_ALGORITHM_MISMATCH);
    new.cTlsParameters = 17;
    REFUSED(SECPKG_CRED_INBOUND, &new, SEC_E_UNKNOWN_CREDENTIALS);
    new.cTlsParameters = 1;
    parameters.grbitDisabledProtocols = 0;
    static SEC_WCHAR aes[] = {'A', 'E', 'S', 0}, rc4[] = {'R', 'C', '4', 0};
    CRYPTO_SETTINGS crypto = {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher, .strCngAlgId = {6, 8, aes}};
    parameters.cDisabledCrypto = 1;
    parameters.pDisabledCrypto = &crypto;
    REFUSED(SECPKG_CRED_INBOUND, &new, SEC_E_UNSUPPORTED_FUNCTION);
    crypto.strCngAlgId.Buffer = rc4;
    MUST(STATUS(acquired(SECPKG_CRED_INBOUND, &new, &credential, &expiry), SEC_E_OK));

    CASE("attributes of credentials");
    DWORD protocols = 0;
    SecPkgCred_SupportedAlgs algorithms;
    SecPkgCred_CipherStrengths strengths;
    SecPkgCredentials_Cert encoded;
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols), SEC_E_OK);
    CHECK(protocols == (SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER));
    if (STATUS(QueryCredentialsAttributesW(&credential, SECPKG_ATTR_SUPPORTED_ALGS, &algorithms), SEC_E_OK)) {
        bool aes_256 = false;
        for (DWORD at = 0; at < algorithms.cSupportedAlgs; ++at) {
            aes_256 |= algorithms.palgSupportedAlgs[at] == 0x6610;
        }
        CHECK(aes_256);
        /* What is answered may be asked for. */
        CredHandle again;
        old.palgSupportedAlgs = algorithms.palgSupportedAlgs;
        old.cSupportedAlgs = algorithms.cSupportedAlgs;
        if (STATUS(acquired(SECPKG_CRED_INBOUND, &old, &again, &expiry), SEC_E_OK)) {
            STATUS(FreeCredentialsHandle(&again), SEC_E_OK);
        }
        STATUS(FreeContextBuffer(algorithms.palgSupportedAlgs), SEC_E_OK);
    }
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_ATTR_CIPHER_STRENGTHS, &strengths), SEC_E_OK);
    CHECK(strengths.dwMinimumCipherStrength == 128 && strengths.dwMaximumCipherStrength == 256);
    if (STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_CERT, &encoded), SEC_E_OK)) {
        CHECK(encoded.EncodedCertSize == own->cbCertEncoded);
        CHECK(memcmp(encoded.EncodedCert, own->pbCertEncoded, own->cbCertEncoded) == 0);
        FreeContextBuffer(encoded.EncodedCert);
    }
    protocols = SP_PROT_TLS1_2_SERVER;
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols, 3),
           SEC_E_INVALID_PARAMETER);
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols, 4), SEC_E_OK);
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols), SEC_E_OK);
    CHECK(protocols == SP_PROT_TLS1_2_SERVER);
    protocols = SP_PROT_TLS1_3_SERVER;
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols, 4),
           SEC_E_ALGORITHM_MISMATCH);
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_CIPHER_STRENGTHS, &strengths, sizeof strengths),
           SEC_E_UNSUPPORTED_FUNCTION);
    struct end *c, *s;
    pair(&client, &credential, &c, &s);
    SecPkgContext_ConnectionInfo info;
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
    CHECK(info.dwProtocol == SP_PROT_TLS1_2_SERVER);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    CHECK(tell_over(c, s, "a context outlives its credential"));
    end_both(c, s);
    CertFreeCertificateContext(own);
    CertFreeCertificateContext(keyless);
}

static void *asks(void *argument)
{
    for (int round = 0; round < 200; ++round) {
        SecPkgContext_KeyingMaterial made;
        if (!STATUS(ATTRIBUTE((struct end *)argument, SECPKG_ATTR_KEYING_MATERIAL, &made), SEC_E_OK)) {
            break;
        }
        FreeContextBuffer(made.pbKeyingMaterial);
    }
    return NULL;
}

/* What is exported was said once, and two threads ask for it. */
static void asked_by_two(struct end *end)
{
    pthread_t other;
    MUST(pthread_create(&other, NULL, asks, end) == 0);
    asks(end);
    pthread_join(other, NULL);
}

static atomic_int renewed;

static void *renews(void *argument)
{
    SecPkgCred_SessionTicketKey key = {.KeyId = {1}, .KeyingMaterial = {2}, .KeyingMaterialSize = 32};
    SecPkgCred_SessionTicketKeys keys = {1, &key};
    for (int round = 0; round < 50; ++round) {
        STATUS(SetCredentialsAttributesA(argument, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys), SEC_E_OK);
        atomic_fetch_add(&renewed, 1);
    }
    return NULL;
}

/* While one thread brings keys, what another one changes is not undone. */
static void changed_by_two(void)
{
    CASE("changed by two threads");
    for (int round = 0; round < 4; ++round) {
        CredHandle credential = server_of("server", NULL, 0);
        atomic_store(&renewed, 0);
        pthread_t other;
        MUST(pthread_create(&other, NULL, renews, &credential) == 0);
        while (atomic_load(&renewed) == 0) {
        }
        DWORD protocols = SP_PROT_TLS1_2_SERVER;
        STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols, 4), SEC_E_OK);
        STATUS(PortcullisRequireContextFlags(&credential, ASC_REQ_MUTUAL_AUTH), SEC_E_OK);
        pthread_join(other, NULL);
        protocols = 0;
        STATUS(QueryCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols), SEC_E_OK);
        CHECK(protocols == SP_PROT_TLS1_2_SERVER);
        struct end *c = client_end(&client), *s = server_end(&credential);
        CHECK(!shake_hands(c, s) && s->status != SEC_E_OK);
        end_both(c, s);
        STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    }
}

static void connection(DWORD bits)
{
    CASE("connection of %x", (unsigned)bits);
    CredHandle credential = client_of(NULL, "ca.pem", 0);
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &bits, 4), SEC_E_OK);
    bool newer = bits == SP_PROT_TLS1_3;
    struct end *c, *s;
    pair(&credential, &server, &c, &s);
    SecPkgContext_ConnectionInfo info;
    SecPkgContext_ConnectionInfoEx more;
    SecPkgContext_CipherInfo cipher;
    SecPkgContext_SessionInfo session;
    SecPkgContext_ProtoInfoA protocol;
    SecPkgContext_KeyInfoA keys;
    SecPkgContext_Lifespan lifespan;
    SecPkgContext_PackageInfoA package;
    SecPkgContext_Flags flags;
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
    CHECK(info.dwProtocol == (newer ? SP_PROT_TLS1_3_SERVER : SP_PROT_TLS1_2_SERVER));
    CHECK(info.aiCipher == 0x6610 && info.dwCipherStrength == 256 && info.aiHash == 0x800D && info.aiExch == 0xAE06);
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
    CHECK(info.dwProtocol == (newer ? SP_PROT_TLS1_3_CLIENT : SP_PROT_TLS1_2_CLIENT));
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_CONNECTION_INFO_EX, &more), SEC_E_OK);
    CHECK(more.dwVersion == 1 && is_text(more.szCipher, "AES") && is_text(more.szHash, "SHA384"));
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_CIPHER_INFO, &cipher), SEC_E_OK);
    CHECK(is_text(cipher.szCipherSuite, newer ? "TLS_AES_256_GCM_SHA384" : "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
    CHECK(cipher.dwProtocol == (newer ? 0x304 : 0x303) && cipher.dwCipherSuite == (newer ? 0x1302 : 0xC02C));
    CHECK(is_text(cipher.szCertificate, newer ? "" : "ECDSA") && cipher.dwCipherLen == 256);
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_SESSION_INFO, &session), SEC_E_OK);
    CHECK((session.dwFlags & 1) == 0 && session.cbSessionId <= 32);
    if (STATUS(ATTRIBUTE(s, SECPKG_ATTR_PROTO_INFO, &protocol), SEC_E_OK)) {
        TEXT(protocol.sProtocolName, "TLS");
        CHECK(protocol.majorVersion == 1 && protocol.minorVersion == (newer ? 3 : 2));
        FreeContextBuffer(protocol.sProtocolName);
    }
    if (STATUS(ATTRIBUTE(s, SECPKG_ATTR_KEY_INFO, &keys), SEC_E_OK)) {
        TEXT(keys.sEncryptAlgorithmName, "AES");
        CHECK(keys.KeySize == 256);
        FreeContextBuffer(keys.sEncryptAlgorithmName);
        FreeContextBuffer(keys.sSignatureAlgorithmName);
    }
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
    CHECK(lifespan.tsExpiry.QuadPart == 0x7FFFFFFFFFFFFFFF && s->expiry.QuadPart == 0x7FFFFFFFFFFFFFFF);
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
    CHECK(lifespan.tsExpiry.QuadPart == c->expiry.QuadPart && c->expiry.QuadPart != 0x7FFFFFFFFFFFFFFF);
    if (STATUS(ATTRIBUTE(s, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK)) {
        TEXT(package.PackageInfo->Name, UNISP_NAME_A);
        FreeContextBuffer(package.PackageInfo);
    }
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
    CHECK((flags.Flags & ASC_RET_STREAM) != 0);
    static const ULONG absent[] = {SECPKG_ATTR_SIZES, SECPKG_ATTR_NAMES, SECPKG_ATTR_SESSION_KEY,
                                   SECPKG_ATTR_NEGOTIATION_INFO, SECPKG_ATTR_ISSUER_LIST_EX, SECPKG_ATTR_ACCESS_TOKEN};
    unsigned char place[1024];
    for (int at = 0; at < 6; ++at) {
        STATUS(ATTRIBUTE(s, absent[at], place), SEC_E_UNSUPPORTED_FUNCTION);
    }
    void *token = NULL;
    STATUS(QuerySecurityContextToken(&s->context, &token), SEC_E_NO_IMPERSONATION);
    STATUS(ImpersonateSecurityContext(&s->context), SEC_E_NO_IMPERSONATION);
    STATUS(CompleteAuthToken(&s->context, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    FAILS(ExportSecurityContext(&s->context, 0, &packed, NULL));
    CHECK(tell_over(c, s, "goes on"));
    STATUS(QueryContextAttributesExA(&s->context, SECPKG_ATTR_CIPHER_INFO, &cipher, sizeof cipher - 1),
           SEC_E_BUFFER_TOO_SMALL);

    CASE("certificates of %x", (unsigned)bits);
    PCCERT_CONTEXT peer = NULL, own = NULL;
    if (STATUS(ATTRIBUTE(c, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &peer), SEC_E_OK) &&
        STATUS(ATTRIBUTE(s, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &own), SEC_E_OK)) {
        CHECK(peer->cbCertEncoded == own->cbCertEncoded);
        CHECK(memcmp(peer->pbCertEncoded, own->pbCertEncoded, own->cbCertEncoded) == 0);
        PCCERT_CONTEXT in_store = CertEnumCertificatesInStore(peer->hCertStore, NULL);
        CHECK(in_store != NULL && in_store->cbCertEncoded == peer->cbCertEncoded);
        CertFreeCertificateContext(in_store);
    }
    SecPkgContext_Certificates chain;
    if (STATUS(ATTRIBUTE(c, SECPKG_ATTR_REMOTE_CERTIFICATES, &chain), SEC_E_OK)) {
        DWORD first;
        memcpy(&first, chain.pbCertificateChain, sizeof first);
        CHECK(chain.cCertificates >= 1 && first == peer->cbCertEncoded && chain.cbCertificateChain >= first + 4);
        CHECK(memcmp(chain.pbCertificateChain + 4, peer->pbCertEncoded, first) == 0);
        FreeContextBuffer(chain.pbCertificateChain);
    }
    CHECK(CertFreeCertificateContext(peer));
    CHECK(CertFreeCertificateContext(own));
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &peer), SEC_E_NO_CREDENTIALS);
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &peer), SEC_E_UNSUPPORTED_FUNCTION);

    CASE("keys of %x", (unsigned)bits);
    SecPkgContext_KeyingMaterial made[2];
    SecPkgContext_KeyingMaterialInfo what = {.cbLabel = 13, .pszLabel = "EXPORTER-abc", .cbKeyingMaterial = 40};
    STATUS(ATTRIBUTE(s, SECPKG_ATTR_KEYING_MATERIAL, &made[0]), SEC_E_OUT_OF_SEQUENCE);
    STATUS(SetContextAttributesA(&s->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &what, 8), SEC_E_INVALID_PARAMETER);
    for (int side = 0; side < 2; ++side) {
        CtxtHandle *context = side == 0 ? &s->context : &c->context;
        STATUS(SetContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &what, sizeof what), SEC_E_OK);
        MUST(STATUS(QueryContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL, &made[side]), SEC_E_OK));
    }
    CHECK(made[0].cbKeyingMaterial == 40 && memcmp(made[0].pbKeyingMaterial, made[1].pbKeyingMaterial, 40) == 0);
    SecPkgContext_KeyingMaterial_Inproc at_once = {.cbLabel = 13, .pszLabel = "EXPORTER-abc", .cbKeyingMaterial = 40};
    if (STATUS(ATTRIBUTE(c, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &at_once), SEC_E_OK)) {
        CHECK(memcmp(at_once.pbKeyingMaterial, made[0].pbKeyingMaterial, 40) == 0);
        FreeContextBuffer(at_once.pbKeyingMaterial);
    }
    /* As much as the protocol has, and one more. */
    DWORD most = newer ? 255 * 48 : 16384;
    what.cbKeyingMaterial = at_once.cbKeyingMaterial = most + 1;
    STATUS(SetContextAttributesA(&c->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &what, sizeof what),
           SEC_E_INVALID_PARAMETER);
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &at_once), SEC_E_INVALID_PARAMETER);
    at_once.cbKeyingMaterial = most;
    MUST(STATUS(ATTRIBUTE(c, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &at_once), SEC_E_OK));
    FreeContextBuffer(at_once.pbKeyingMaterial);
    what.cbKeyingMaterial = most;
    STATUS(SetContextAttributesA(&s->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &what, sizeof what), SEC_E_OK);
    asked_by_two(s);
    at_once.cbKeyingMaterial = 0;
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &at_once), SEC_E_INVALID_PARAMETER);
    FreeContextBuffer(made[0].pbKeyingMaterial);
    FreeContextBuffer(made[1].pbKeyingMaterial);

    CASE("bindings of %x", (unsigned)bits);
    SecPkgContext_Bindings bindings, others;
    for (int which = 0; which < 2; ++which) {
        ULONG number = which == 0 ? SECPKG_ATTR_ENDPOINT_BINDINGS : SECPKG_ATTR_UNIQUE_BINDINGS;
        const char *prefix = which == 0 ? "tls-server-end-point:" : "tls-exporter:";
        if (which == 1 && !newer) {
            STATUS(ATTRIBUTE(s, number, &bindings), SEC_E_UNSUPPORTED_FUNCTION);
            TEXT(cause(), "schannel/tls-unique");
            continue;
        }
        MUST(STATUS(ATTRIBUTE(s, number, &bindings), SEC_E_OK) && STATUS(ATTRIBUTE(c, number, &others), SEC_E_OK));
        SEC_CHANNEL_BINDINGS *blob = bindings.Bindings;
        CHECK(bindings.BindingsLength == 32 + strlen(prefix) + 32 && blob->dwApplicationDataOffset == 32);
        CHECK(blob->cbApplicationDataLength == bindings.BindingsLength - 32 && blob->cbInitiatorLength == 0);
        CHECK(memcmp((char *)blob + 32, prefix, strlen(prefix)) == 0);
        CHECK(others.BindingsLength == bindings.BindingsLength && memcmp(others.Bindings, blob, bindings.BindingsLength) == 0);
        FreeContextBuffer(bindings.Bindings);
        FreeContextBuffer(others.Bindings);
    }
    end_both(c, s);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
}

static void half_open(void)
{
    CASE("half-open");
    struct end *c = client_end(&client);
    MUST(STATUS(step(c, NULL, 0), SEC_I_CONTINUE_NEEDED));
    SecPkgContext_StreamSizes sizes;
    SecPkgContext_PackageInfoA package;
    STATUS(ATTRIBUTE(c, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_INVALID_HANDLE);
    if (STATUS(ATTRIBUTE(c, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK)) {
        FreeContextBuffer(package.PackageInfo);
    }
    STATUS(control(c, (DWORD[]){SCHANNEL_SESSION, 2}, 2), SEC_E_OK);
    STATUS(control(c, (DWORD[]){SCHANNEL_SHUTDOWN}, 1), SEC_E_UNSUPPORTED_FUNCTION);
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    STATUS(ExportSecurityContext(&c->context, 0, &packed, NULL), SEC_E_INVALID_HANDLE);
    give_up(c);
}

static ULONG list(unsigned char *place, const char *names)
{
    USHORT length = (USHORT)strlen(names);
    ULONG whole = 6u + length, alpn = 2;
    memcpy(place, &whole, 4);
    memcpy(place + 4, &alpn, 4);
    memcpy(place + 8, &length, 2);
    memcpy(place + 10, names, length);
    return 10u + length;
}

static void application_protocols(void)
{
    CASE("application protocols");
    unsigned char of_client[64], of_server[64];
    ULONG client_length = list(of_client, "\2h2\10http/1.1"), server_length = list(of_server, "\10http/1.1\3foo");
    for (int round = 0; round < 3; ++round) {
        struct end *c = client_end(&client), *s = server_end(&server);
        c->protocols = of_client;
        c->protocols_length = client_length;
        s->protocols = round == 0 ? of_server : round == 1 ? NULL : of_client;
        s->protocols_length = round == 0 ? server_length : client_length;
        MUST(shake_hands_by(c, s, round == 0 ? 50 : 1 << 20));
        SecPkgContext_ApplicationProtocol of_c, of_s;
        STATUS(ATTRIBUTE(c, SECPKG_ATTR_APPLICATION_PROTOCOL, &of_c), SEC_E_OK);
        STATUS(ATTRIBUTE(s, SECPKG_ATTR_APPLICATION_PROTOCOL, &of_s), SEC_E_OK);
        const char *expected = round == 0 ? "http/1.1" : round == 1 ? "" : "h2";
        CHECK(of_c.ProtocolIdSize == strlen(expected) && memcmp(of_c.ProtocolId, expected, strlen(expected)) == 0);
        CHECK(of_s.ProtoNegoStatus == (round == 1 ? 0 : 1) && of_s.ProtoNegoExt == (round == 1 ? 0 : 2));
        CHECK(of_s.ProtocolIdSize == of_c.ProtocolIdSize);
        end_both(c, s);
    }
    struct end *c = client_end(&client), *s = server_end(&server);
    c->protocols = of_client;
    c->protocols_length = client_length;
    server_length = list(of_server, "\3foo");
    s->protocols = of_server;
    s->protocols_length = server_length;
    step(c, NULL, 0);
    STATUS(step(s, c->said, c->length), SEC_E_APPLICATION_PROTOCOL_MISMATCH);
    CHECK(s->alert >= 7);
    STATUS(steps(c, s->said, s->length), SEC_E_APPLICATION_PROTOCOL_MISMATCH);
    s->protocols_length = server_length - 1;
    STATUS(step(s, "anything", 8), SEC_E_INVALID_TOKEN);
    CHECK(s->alert == 0);
    end_both(c, s);
}

static void resumption(void)
{
    CASE("resumption");
    SecPkgContext_SessionInfo session;
    for (int kept = 0; kept < 2; ++kept) {
        CredHandle own = server_of("server", NULL, kept == 0 ? SCH_CRED_DISABLE_RECONNECTS : 0);
        CredHandle returns = client_of(NULL, "ca.pem", 0);
        SecPkgCred_SessionTicketKey key = {.KeyId = {1}, .KeyingMaterial = {2}, .KeyingMaterialSize = 32};
        SecPkgCred_SessionTicketKeys keys = {1, &key};
        for (int round = 0; round < 4; ++round) {
            struct end *c, *s;
            pair(&returns, &own, &c, &s);
            CHECK(tell_over(s, c, "tickets were before this"));
            STATUS(ATTRIBUTE(s, SECPKG_ATTR_SESSION_INFO, &session), SEC_E_OK);
            /* In the last round the tickets are under other keys. */
            CHECK((session.dwFlags & 1) == (kept == 1 && round > 0 && round < 3 ? 1 : 0));
            end_both(c, s);
            if (kept == 1 && round == 2) {
                STATUS(SetCredentialsAttributesA(&own, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys), SEC_E_OK);
                key.KeyingMaterialSize = 65;
                STATUS(SetCredentialsAttributesA(&own, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys),
                       SEC_E_INVALID_PARAMETER);
            }
        }
        STATUS(FreeCredentialsHandle(&own), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&returns), SEC_E_OK);
    }
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    folder = arguments[1];
    server = server_of("server", NULL, 0);
    client = client_of(NULL, "ca.pem", 0);
    packages();
    credentials();
    changed_by_two();
    connection(SP_PROT_TLS1_2);
    connection(SP_PROT_TLS1_3);
    half_open();
    application_protocols();
    resumption();
    STATUS(FreeCredentialsHandle(&client), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&server), SEC_E_OK);
    return check_done();
}
