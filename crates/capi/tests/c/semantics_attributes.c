/*
 * Attributes of contexts, of both sides: which there are, what they say in the A and the W form, that no byte more than
 * the structure is written, and whose memory the parts are.
 *
 *     semantics_attributes DATA
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>

static struct side client, server;
static bool negotiate;

/* Which attributes a context has, and the size of the structure. */
static const struct {
    ULONG attribute;
    ULONG size;
    /* Pointers that lead to memory of the library's, which FreeContextBuffer takes: where they stand, or -1. */
    int freed[2];
    enum { BOTH, ACCEPTOR, NEGOTIATED } of;
} TABLE[] = {
    {SECPKG_ATTR_SIZES, 16, {-1, -1}, BOTH},
    {SECPKG_ATTR_NAMES, 8, {0, -1}, BOTH},
    {SECPKG_ATTR_LIFESPAN, 16, {-1, -1}, BOTH},
    {SECPKG_ATTR_DCE_INFO, 16, {8, -1}, BOTH},
    {SECPKG_ATTR_KEY_INFO, 32, {0, 8}, BOTH},
    {SECPKG_ATTR_AUTHORITY, 8, {0, -1}, ACCEPTOR},
    {SECPKG_ATTR_PASSWORD_EXPIRY, 8, {-1, -1}, ACCEPTOR},
    {SECPKG_ATTR_SESSION_KEY, 16, {8, -1}, BOTH},
    {SECPKG_ATTR_PACKAGE_INFO, 8, {0, -1}, BOTH},
    {SECPKG_ATTR_USER_FLAGS, 4, {-1, -1}, ACCEPTOR},
    {SECPKG_ATTR_NEGOTIATION_INFO, 16, {0, -1}, NEGOTIATED},
    {SECPKG_ATTR_NATIVE_NAMES, 16, {0, 8}, ACCEPTOR},
    {SECPKG_ATTR_FLAGS, 4, {-1, -1}, BOTH},
    {SECPKG_ATTR_ACCESS_TOKEN, 8, {-1, -1}, ACCEPTOR},
    {SECPKG_ATTR_LOGOFF_TIME, 8, {-1, -1}, ACCEPTOR},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, 8, {0, -1}, BOTH},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, 4, {-1, -1}, BOTH},
    {SECPKG_ATTR_NEGO_PKG_INFO, 4, {-1, -1}, NEGOTIATED},
    {SECPKG_ATTR_NEGO_STATUS, 4, {-1, -1}, NEGOTIATED},
    {SECPKG_ATTR_IS_LOOPBACK, 1, {-1, -1}, BOTH},
};
#define ROWS (sizeof TABLE / sizeof *TABLE)

typedef SECURITY_STATUS query_fn(PCtxtHandle context, ULONG attribute, void *place, ULONG room);

static SECURITY_STATUS plain_a(PCtxtHandle context, ULONG attribute, void *place, ULONG room)
{
    (void)room;
    return QueryContextAttributesA(context, attribute, place);
}

static SECURITY_STATUS plain_w(PCtxtHandle context, ULONG attribute, void *place, ULONG room)
{
    (void)room;
    return QueryContextAttributesW(context, attribute, place);
}

static void free_parts(size_t row, unsigned char *place)
{
    for (int part = 0; part < 2 && TABLE[row].freed[part] >= 0; ++part) {
        void *pointer;
        memcpy(&pointer, place + TABLE[row].freed[part], sizeof pointer);
        CHECK(pointer != NULL);
        STATUS(FreeContextBuffer(pointer), SEC_E_OK);
        STATUS(FreeContextBuffer(pointer), SEC_E_INVALID_HANDLE);
    }
}

static void which_and_how_large(void)
{
    query_fn *queries[] = {plain_a, plain_w, QueryContextAttributesExA, QueryContextAttributesExW};
    for (int of = 0; of < 2; ++of) {
        PCtxtHandle context = of == 0 ? &server.context : &client.context;
        size_t row = 0;
        for (ULONG attribute = 0; attribute < 130; ++attribute) {
            CASE("%s: attribute %u of the %s", negotiate ? "Negotiate" : "NTLM", (unsigned)attribute,
                 of == 0 ? "acceptor" : "initiator");
            bool known = row < ROWS && TABLE[row].attribute == attribute;
            bool there = known && (TABLE[row].of == BOTH || (TABLE[row].of == ACCEPTOR && of == 0) ||
                                   (TABLE[row].of == NEGOTIATED && negotiate));
            for (int form = 0; form < 4; ++form) {
                unsigned char place[600];
                FILL(place);
                if (!there) {
                    STATUS(queries[form](context, attribute, place, sizeof place), SEC_E_UNSUPPORTED_FUNCTION);
                    UNTOUCHED(place);
                    continue;
                }
                ULONG size = TABLE[row].size;
                if (form >= 2) {
                    STATUS(queries[form](context, attribute, place, size - 1), SEC_E_BUFFER_TOO_SMALL);
                    STATUS(queries[form](context, attribute, place, 0), SEC_E_BUFFER_TOO_SMALL);
                    UNTOUCHED(place);
                }
                STATUS(queries[form](context, attribute, NULL, size), SEC_E_INVALID_PARAMETER);
                /* A place that is aligned for nothing. */
                STATUS(queries[form](context, attribute, place + 1, size), SEC_E_OK);
                free_parts(row, place + 1);
                unsigned char rest[64];
                memcpy(rest, place + 1 + size, sizeof rest);
                UNTOUCHED(rest);
                CHECK(place[0] == 0xA5);
            }
            row += known;
        }
        CHECK(row == ROWS);
    }
}

/* A string of an attribute in both forms; whose struct begins with it. */
static void both_forms(PCtxtHandle context, ULONG attribute, size_t offset, const char *expected)
{
    unsigned char place[64];
    char *ansi;
    SEC_WCHAR *unicode;
    CASE("%s: text of attribute %u", negotiate ? "Negotiate" : "NTLM", (unsigned)attribute);
    MUST(STATUS(QueryContextAttributesA(context, attribute, place), SEC_E_OK));
    memcpy(&ansi, place + offset, sizeof ansi);
    TEXT(ansi, expected);
    for (size_t row = 0; row < ROWS; ++row) {
        if (TABLE[row].attribute == attribute) {
            free_parts(row, place);
            MUST(STATUS(QueryContextAttributesW(context, attribute, place), SEC_E_OK));
            memcpy(&unicode, place + offset, sizeof unicode);
            CHECK(wide_is(unicode, expected));
            free_parts(row, place);
        }
    }
}

static void texts(void)
{
    both_forms(&server.context, SECPKG_ATTR_NAMES, 0, "CORP\\ann");
    both_forms(&client.context, SECPKG_ATTR_NAMES, 0, "ann");
    both_forms(&server.context, SECPKG_ATTR_DCE_INFO, 8, "CORP\\ann");
    both_forms(&client.context, SECPKG_ATTR_DCE_INFO, 8, "ann");
    both_forms(&server.context, SECPKG_ATTR_AUTHORITY, 0, "CORP");
    both_forms(&server.context, SECPKG_ATTR_NATIVE_NAMES, 0, "CORP\\ann");
    both_forms(&server.context, SECPKG_ATTR_NATIVE_NAMES, 8, TARGET);
    both_forms(&client.context, SECPKG_ATTR_KEY_INFO, 0, "HMAC-MD5");
    both_forms(&server.context, SECPKG_ATTR_KEY_INFO, 8, "RSADSI RC4");
    for (int of = 0; of < 2; ++of) {
        PCtxtHandle context = of == 0 ? &server.context : &client.context;
        for (int form = 0; form < 2; ++form) {
            CASE("the target is UTF-16 in both forms");
            SecPkgContext_ClientSpecifiedTarget target;
            STATUS((form == 0 ? plain_a : plain_w)(context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target, 0),
                   SEC_E_OK);
            CHECK(wide_is(target.sTargetName, TARGET));
            STATUS(FreeContextBuffer(target.sTargetName), SEC_E_OK);
        }
    }
}

static void numbers(void)
{
    CASE("%s: numbers", negotiate ? "Negotiate" : "NTLM");
    SecPkgContext_SessionKey keys[2];
    struct side *sides[2] = {&server, &client};
    for (int of = 0; of < 2; ++of) {
        PCtxtHandle context = &sides[of]->context;
        SecPkgContext_Sizes sizes;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
        CHECK(sizes.cbMaxToken >= 2888 && sizes.cbMaxSignature == 16);
        CHECK(sizes.cbBlockSize == 0 && sizes.cbSecurityTrailer == 16);
        SecPkgContext_KeyInfoA key;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
        CHECK(key.KeySize == 128 && key.EncryptAlgorithm == 0x6801 && key.SignatureAlgorithm == (ULONG)-138);
        FreeContextBuffer(key.sSignatureAlgorithmName);
        FreeContextBuffer(key.sEncryptAlgorithmName);
        SecPkgContext_Flags flags;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
        CHECK(flags.Flags == sides[of]->granted);
        SecPkgContext_Lifespan span;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_LIFESPAN, &span), SEC_E_OK);
        CHECK(span.tsExpiry.QuadPart == 0x7FFFFFFFFFFFFFFF && sides[of]->expiry.QuadPart == span.tsExpiry.QuadPart);
        /* After 2020. */
        CHECK(span.tsStart.QuadPart > 132223104000000000 && span.tsStart.QuadPart < span.tsExpiry.QuadPart);
        SecPkgContext_PackageInfoA info;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
        TEXT(info.PackageInfo->Name, negotiate ? "Negotiate" : "NTLM");
        FreeContextBuffer(info.PackageInfo);
        ULONG status = 9;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &status), SEC_E_OK);
        CHECK(status == 0);
        unsigned char loopback = 9;
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_IS_LOOPBACK, &loopback), SEC_E_OK);
        CHECK(loopback == 0);
        if (negotiate) {
            SecPkgContext_NegotiationInfoA negotiation;
            STATUS(QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation), SEC_E_OK);
            TEXT(negotiation.PackageInfo->Name, "NTLM");
            CHECK(negotiation.NegotiationState == SECPKG_NEGOTIATION_DIRECT);
            FreeContextBuffer(negotiation.PackageInfo);
            ULONG number = 9;
            STATUS(QueryContextAttributesA(context, SECPKG_ATTR_NEGO_PKG_INFO, &number), SEC_E_OK);
            CHECK(number == SECPKG_ATTR_NEGO_INFO_FLAG_NO_KERBEROS);
            STATUS(QueryContextAttributesA(context, SECPKG_ATTR_NEGO_STATUS, &number), SEC_E_OK);
            CHECK(number == 0);
        }
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_SESSION_KEY, &keys[of]), SEC_E_OK);
        CHECK(keys[of].SessionKeyLength == 16);
    }
    CHECK(memcmp(keys[0].SessionKey, keys[1].SessionKey, 16) == 0);
    FreeContextBuffer(keys[0].SessionKey);
    FreeContextBuffer(keys[1].SessionKey);
    TimeStamp never[2];
    STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_PASSWORD_EXPIRY, &never[0]), SEC_E_OK);
    STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_LOGOFF_TIME, &never[1]), SEC_E_OK);
    CHECK(never[0].QuadPart == 0x7FFFFFFFFFFFFFFF && never[1].QuadPart == 0x7FFFFFFFFFFFFFFF);
    STATUS(SetContextAttributesA(&server.context, SECPKG_ATTR_APP_DATA, never, 8), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(SetContextAttributesW(&client.context, SECPKG_ATTR_NAMES, never, 8), SEC_E_UNSUPPORTED_FUNCTION);
}

/* What a client does not say of itself, a server does not know. */
static void granted_flags(CredHandle *accepts, CredHandle *initiates)
{
    CASE("%s: flags that one side alone wants", negotiate ? "Negotiate" : "NTLM");
    struct side bare = initiator(initiates), other = acceptor(accepts);
    bare.wants = 0;
    MUST(shake(&bare, &other));
    CHECK((other.granted & ASC_RET_CONFIDENTIALITY) == 0);
    CHECK((bare.granted & ISC_RET_CONFIDENTIALITY) == 0);
    end(&bare);
    end(&other);
    bare = initiator(initiates);
    other = acceptor(accepts);
    bare.wants |= ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_SUPPLIED_CREDS | ISC_REQ_IDENTIFY;
    other.wants |= ASC_REQ_DELEGATE | ASC_REQ_MUTUAL_AUTH | ASC_REQ_SESSION_TICKET | ASC_REQ_STREAM;
    MUST(shake(&bare, &other));
    /* Nothing of that is NTLM's to grant: it is not echoed. */
    CHECK((other.granted & (ASC_RET_DELEGATE | ASC_RET_MUTUAL_AUTH | ASC_RET_STREAM)) == 0);
    CHECK((bare.granted & (ISC_RET_DELEGATE | ISC_RET_MUTUAL_AUTH)) == 0);
    CHECK((bare.granted & ISC_RET_USED_SUPPLIED_CREDS) != 0);
    end(&bare);
    end(&other);
}

int main(int count, char **arguments)
{
    char source[512];
    MUST(count == 2);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    MUST(STATUS(PortcullisSetAuthority(source), SEC_E_OK));
    for (int at = 0; at < 2; ++at) {
        negotiate = at == 1;
        const char *package = negotiate ? "Negotiate" : "NTLM";
        CredHandle accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        CredHandle initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
        client = initiator(&initiates);
        server = acceptor(&accepts);
        MUST(shake(&client, &server));
        which_and_how_large();
        texts();
        numbers();
        end(&client);
        end(&server);
        granted_flags(&accepts, &initiates);
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    return check_done();
}
