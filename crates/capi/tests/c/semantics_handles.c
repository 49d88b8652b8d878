/*
 * Handles that are stale, freed twice, of another kind or made up: each function answers SEC_E_INVALID_HANDLE and writes
 * nothing. Half-open contexts answer what they may, and can be given up in every state.
 */
#include "check.h"
#include "talk.h"

static SecHandle made_up[] = {
    {0, 0},
    {1, 1},
    {~(ULONG_PTR)0, ~(ULONG_PTR)0},
    {SEC_DELETED_HANDLE, SEC_DELETED_HANDLE},
    {0x12345678, 0xdeadbeefcafe},
    {(ULONG_PTR)made_up, (ULONG_PTR)made_up},
    {1, 1ull << 32},
    {2, 1ull << 32},
    {0x10002, 1ull << 32 | 0xffffffff},
};

/* Every function that takes a context, with one that is none. */
static void no_context(PCtxtHandle handle)
{
    unsigned char memory[600];
    SecBuffer buffers[2] = {{64, SECBUFFER_TOKEN, memory}, {64, SECBUFFER_DATA, memory + 64}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    CtxtHandle fresh;
    ULONG number;
    void *token;
    SecBuffer packed;
    FILL(memory);
    FILL(fresh);
    FILL(number);
    FILL(token);
    FILL(packed);
    for (ULONG attribute = 0; attribute < 40; ++attribute) {
        STATUS(QueryContextAttributesA(handle, attribute, memory), SEC_E_INVALID_HANDLE);
        STATUS(QueryContextAttributesExW(handle, attribute, memory, sizeof memory), SEC_E_INVALID_HANDLE);
    }
    ULONG of_winpr[] = {1001, 1003, 1004, 1104, 1105, 1106, 1107, 1108, 1109, 0xffffffff};
    for (size_t at = 0; at < sizeof of_winpr / sizeof *of_winpr; ++at) {
        STATUS(QueryContextAttributesW(handle, of_winpr[at], memory), SEC_E_INVALID_HANDLE);
        STATUS(SetContextAttributesA(handle, of_winpr[at], memory, 32), SEC_E_INVALID_HANDLE);
    }
    STATUS(MakeSignature(handle, 0, &message, 0), SEC_E_INVALID_HANDLE);
    STATUS(VerifySignature(handle, &message, 0, &number), SEC_E_INVALID_HANDLE);
    STATUS(EncryptMessage(handle, 0, &message, 0), SEC_E_INVALID_HANDLE);
    STATUS(DecryptMessage(handle, &message, 0, &number), SEC_E_INVALID_HANDLE);
    STATUS(SealMessage(handle, 0, &message, 0), SEC_E_INVALID_HANDLE);
    STATUS(UnsealMessage(handle, &message, 0, &number), SEC_E_INVALID_HANDLE);
    STATUS(ImpersonateSecurityContext(handle), SEC_E_INVALID_HANDLE);
    STATUS(RevertSecurityContext(handle), SEC_E_INVALID_HANDLE);
    STATUS(QuerySecurityContextToken(handle, &token), SEC_E_INVALID_HANDLE);
    STATUS(ExportSecurityContext(handle, 0, &packed, &token), SEC_E_INVALID_HANDLE);
    STATUS(CompleteAuthToken(handle, &message), SEC_E_INVALID_HANDLE);
    STATUS(ApplyControlToken(handle, &message), SEC_E_INVALID_HANDLE);
    STATUS(PortcullisSetPeerAddress(handle, NULL, 0), handle == NULL ? SEC_E_INVALID_PARAMETER : SEC_E_INVALID_HANDLE);
    UNTOUCHED(memory);
    UNTOUCHED(number);
    UNTOUCHED(token);
    UNTOUCHED(packed);
    CHECK(buffers[0].cbBuffer == 64 && buffers[1].cbBuffer == 64);
    /* NULL means the first leg, and is none of these. */
    if (handle != NULL) {
        STATUS(AcceptSecurityContext(NULL, handle, &message, 0, 0, &fresh, &message, &number, NULL),
               SEC_E_INVALID_HANDLE);
        STATUS(InitializeSecurityContextW(NULL, handle, NULL, 0, 0, 0, &message, 0, &fresh, &message, &number, NULL),
               SEC_E_INVALID_HANDLE);
        UNTOUCHED(fresh);
        UNTOUCHED(number);
        UNTOUCHED(memory);
        CHECK(buffers[0].cbBuffer == 0);
    }
}

static void no_credential(PCredHandle handle)
{
    unsigned char memory[64];
    ULONG number;
    CtxtHandle fresh;
    SecBuffer buffer = {sizeof memory, SECBUFFER_TOKEN, memory};
    SecBufferDesc message = {SECBUFFER_VERSION, 1, &buffer};
    TimeStamp expiry;
    FILL(memory);
    FILL(number);
    FILL(fresh);
    FILL(expiry);
    STATUS(FreeCredentialsHandle(handle), SEC_E_INVALID_HANDLE);
    STATUS(QueryCredentialsAttributesA(handle, SECPKG_CRED_ATTR_NAMES, memory), SEC_E_INVALID_HANDLE);
    STATUS(QueryCredentialsAttributesExW(handle, SECPKG_CRED_ATTR_NAMES, memory, 64), SEC_E_INVALID_HANDLE);
    STATUS(SetCredentialsAttributesW(handle, SECPKG_CRED_ATTR_NAMES, memory, 64), SEC_E_INVALID_HANDLE);
    STATUS(PortcullisRequireContextFlags(handle, 0), SEC_E_INVALID_HANDLE);
    STATUS(AddCredentialsA(handle, NULL, "NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, &expiry),
           SEC_E_INVALID_HANDLE);
    STATUS(AcceptSecurityContext(handle, NULL, &message, 0, 0, &fresh, &message, &number, &expiry),
           SEC_E_INVALID_HANDLE);
    buffer.cbBuffer = sizeof memory;
    STATUS(InitializeSecurityContextA(handle, NULL, NULL, 0, 0, 0, NULL, 0, &fresh, &message, &number, &expiry),
           SEC_E_INVALID_HANDLE);
    CHECK(buffer.cbBuffer == 0);
    UNTOUCHED(memory);
    UNTOUCHED(number);
    UNTOUCHED(fresh);
    UNTOUCHED(expiry);
}

static void no_token(HANDLE token)
{
    PORTCULLIS_TOKEN_INFO *info;
    FILL(info);
    STATUS(PortcullisQueryToken(token, &info), SEC_E_INVALID_HANDLE);
    STATUS(PortcullisCloseToken(token), SEC_E_INVALID_HANDLE);
    UNTOUCHED(info);
}

static void all_made_up(void)
{
    for (size_t at = 0; at < sizeof made_up / sizeof *made_up; ++at) {
        CASE("made up %zu", at);
        no_context(&made_up[at]);
        STATUS(DeleteSecurityContext(&made_up[at]), SEC_E_INVALID_HANDLE);
        no_credential(&made_up[at]);
        no_token((HANDLE)made_up[at].dwLower);
    }
    CASE("NULL");
    no_context(NULL);
    STATUS(DeleteSecurityContext(NULL), SEC_E_INVALID_HANDLE);
    no_credential(NULL);
    no_token(NULL);
}

static void of_other_kinds(const char *package, const char *other_package)
{
    CASE("%s: handles of other kinds", package);
    CredHandle both = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    CredHandle others = must_acquire(other_package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    struct side client = initiator(&both), server = acceptor(&both);
    shake_but_last(&client, &server);
    no_context(&both);
    STATUS(DeleteSecurityContext(&both), SEC_E_INVALID_HANDLE);
    no_credential(&server.context);
    SecHandle swapped = {both.dwUpper, both.dwLower}, halved = {both.dwLower, 0}, mixed = {both.dwLower, 0};
    mixed.dwUpper = server.context.dwUpper;
    no_credential(&swapped);
    no_credential(&halved);
    no_credential(&mixed);
    CASE("%s: the other side's context, another package's credential", package);
    CtxtHandle fresh;
    FILL(fresh);
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token}, out = {4096, SECBUFFER_TOKEN, server.token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    STATUS(AcceptSecurityContext(&both, &client.context, &input, 0, 0, &fresh, &output, NULL, NULL),
           SEC_E_INVALID_HANDLE);
    STATUS(InitializeSecurityContextA(&both, &server.context, NULL, 0, 0, 0, &input, 0, &fresh, &output, NULL, NULL),
           SEC_E_INVALID_HANDLE);
    out.cbBuffer = 4096;
    STATUS(AcceptSecurityContext(&others, &server.context, &input, 0, 0, &fresh, &output, NULL, NULL),
           SEC_E_INVALID_HANDLE);
    UNTOUCHED(fresh);
    /* None of that did any harm. */
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(tell(&client, &server, "unharmed"));
    end(&client);
    end(&server);
    STATUS(FreeCredentialsHandle(&others), SEC_E_OK);

    CASE("%s: freed handles", package);
    CredHandle copy = both;
    STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
    no_credential(&both);
    no_credential(&copy);
    no_context(&client.context);
    no_context(&server.context);
    /* Once more is no mistake for these, as long as the handle was one. */
    STATUS(DeleteSecurityContext(&client.context), SEC_E_OK);
    CASE("%s: their places are used again", package);
    for (int count = 0; count < 200; ++count) {
        CredHandle again = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        CHECK(memcmp(&again, &both, sizeof again) != 0);
        STATUS(FreeCredentialsHandle(&both), SEC_E_INVALID_HANDLE);
        STATUS(FreeCredentialsHandle(&again), SEC_E_OK);
    }
    no_credential(&both);
}

static void wrong_way(const char *package)
{
    CASE("%s: credentials of one direction", package);
    CredHandle in = must_acquire(package, SECPKG_CRED_INBOUND, ANN, ANN_PASSWORD);
    CredHandle out = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    struct side client = initiator(&in), server = acceptor(&out);
    FILL(client.context);
    STATUS(leg(&client, NULL, 0), SEC_E_NO_CREDENTIALS);
    UNTOUCHED(client.context);
    client = initiator(&out);
    STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED);
    STATUS(answer(&server, &client), SEC_E_NO_CREDENTIALS);
    end(&client);
    FreeCredentialsHandle(&in);
    FreeCredentialsHandle(&out);
}

static void half_open(const char *package)
{
    CASE("%s: half-open contexts", package);
    bool negotiate = strcmp(package, "Negotiate") == 0;
    CredHandle both = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    struct side sides[2] = {initiator(&both), acceptor(&both)};
    leg(&sides[0], NULL, 0);
    answer(&sides[1], &sides[0]);
    for (int at = 0; at < 2; ++at) {
        PCtxtHandle context = &sides[at].context;
        SecPkgContext_PackageInfoW info;
        STATUS(QueryContextAttributesW(context, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
        CHECK(wide_is(info.PackageInfo->Name, package));
        STATUS(FreeContextBuffer(info.PackageInfo), SEC_E_OK);
        SecPkgContext_NegotiationInfoA negotiation;
        FILL(negotiation);
        STATUS(QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation),
               negotiate ? SEC_E_OK : SEC_E_INVALID_HANDLE);
        if (negotiate) {
            TEXT(negotiation.PackageInfo->Name, "Negotiate");
            CHECK(negotiation.NegotiationState == SECPKG_NEGOTIATION_IN_PROGRESS);
            STATUS(FreeContextBuffer(negotiation.PackageInfo), SEC_E_OK);
        } else {
            UNTOUCHED(negotiation);
        }
        unsigned char memory[600];
        FILL(memory);
        for (ULONG attribute = 0; attribute < 40; ++attribute) {
            if (attribute != SECPKG_ATTR_PACKAGE_INFO && attribute != SECPKG_ATTR_NEGOTIATION_INFO) {
                STATUS(QueryContextAttributesA(context, attribute, memory), SEC_E_INVALID_HANDLE);
            }
        }
        UNTOUCHED(memory);
        SecBuffer buffers[2] = {{64, SECBUFFER_TOKEN, memory}, {64, SECBUFFER_DATA, memory + 64}};
        SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
        STATUS(MakeSignature(context, 0, &message, 0), SEC_E_INVALID_HANDLE);
        STATUS(DecryptMessage(context, &message, 0, NULL), SEC_E_INVALID_HANDLE);
        STATUS(ExportSecurityContext(context, 0, buffers, NULL), SEC_E_INVALID_HANDLE);
        STATUS(ImpersonateSecurityContext(context), SEC_E_INVALID_HANDLE);
        STATUS(CompleteAuthToken(context, &message), SEC_E_UNSUPPORTED_FUNCTION);
        STATUS(ApplyControlToken(context, &message), SEC_E_UNSUPPORTED_FUNCTION);
        UNTOUCHED(memory);
    }
    /* Asking did no harm, and what is given up takes its half with it. */
    STATUS(answer(&sides[0], &sides[1]), SEC_E_OK);
    end(&sides[1]);
    STATUS(answer(&sides[1], &sides[0]), SEC_E_INVALID_TOKEN);
    end(&sides[0]);
    STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
}

static void packages(void)
{
    CASE("packages");
    PSecPkgInfoA infos;
    PSecPkgInfoW wides;
    ULONG count = 0;
    STATUS(EnumerateSecurityPackagesA(&count, &infos), SEC_E_OK);
    STATUS(EnumerateSecurityPackagesW(&count, &wides), SEC_E_OK);
    CHECK(count >= 2);
    for (ULONG at = 0; at < count; ++at) {
        CHECK(wide_is(wides[at].Name, infos[at].Name) && wide_is(wides[at].Comment, infos[at].Comment));
        PSecPkgInfoA one;
        STATUS(QuerySecurityPackageInfoA(infos[at].Name, &one), SEC_E_OK);
        CHECK(one->cbMaxToken == infos[at].cbMaxToken && one->wRPCID == infos[at].wRPCID);
        STATUS(FreeContextBuffer(one), SEC_E_OK);
        /* The strings are part of the array. */
        STATUS(FreeContextBuffer(infos[at].Name), SEC_E_INVALID_HANDLE);
    }
    STATUS(FreeContextBuffer(infos), SEC_E_OK);
    STATUS(FreeContextBuffer(wides), SEC_E_OK);
    STATUS(EnumerateSecurityPackagesA(NULL, &infos), SEC_E_INVALID_PARAMETER);
    STATUS(EnumerateSecurityPackagesA(&count, NULL), SEC_E_INVALID_PARAMETER);
    STATUS(QuerySecurityPackageInfoA("ntlm", &infos), SEC_E_OK);
    TEXT(infos->Name, "NTLM");
    CHECK(infos->wRPCID == 10 && infos->wVersion == 1);
    STATUS(FreeContextBuffer(infos), SEC_E_OK);
    FILL(infos);
    STATUS(QuerySecurityPackageInfoA("Kerberos5", &infos), SEC_E_SECPKG_NOT_FOUND);
    STATUS(QuerySecurityPackageInfoW(NULL, &wides), SEC_E_SECPKG_NOT_FOUND);
    UNTOUCHED(infos);
    STATUS(QuerySecurityPackageInfoA("NTLM", NULL), SEC_E_INVALID_PARAMETER);
    STATUS(AddSecurityPackageA("x", NULL), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(DeleteSecurityPackageW(wide("x")), SEC_E_UNSUPPORTED_FUNCTION);
}

int main(void)
{
    packages();
    all_made_up();
    of_other_kinds("NTLM", "Negotiate");
    of_other_kinds("Negotiate", "NTLM");
    wrong_way("NTLM");
    wrong_way("Negotiate");
    half_open("NTLM");
    half_open("Negotiate");
    return check_done();
}
