/*
 * Tokens and accounts that are refused: by exactly which status, with which cause, and that nothing is left that could be
 * gone on with. The one account is that of the credential.
 */
#include "check.h"
#include "talk.h"

/* AUTHENTICATE: MS-NLMP 2.2.1.3. */
#define NT_FIELD 20
#define MIC 72

static const char *package;

/* What the server says to a client's last token after `change`. */
static SECURITY_STATUS last(CredHandle *client_of, CredHandle *server_of, void (*change)(struct side *client))
{
    struct side client = initiator(client_of), server = acceptor(server_of);
    shake_but_last(&client, &server);
    MUST(STATUS(client.status, SEC_E_OK));
    if (change != NULL) {
        change(&client);
    }
    CtxtHandle before = server.context;
    FILL(server.granted);
    FILL(server.expiry);
    SECURITY_STATUS status = answer(&server, &client);
    if (status < 0) {
        CHECK(server.length == 0);
        CHECK(memcmp(&before, &server.context, sizeof before) == 0);
        UNTOUCHED(server.granted);
        UNTOUCHED(server.expiry);
        /* It is over: the same token, a good one, and everything else finds no context. */
        struct side again = server;
        STATUS(answer(&again, &client), SEC_E_INVALID_HANDLE);
        SecPkgContext_NamesA names;
        FILL(names);
        STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names), SEC_E_INVALID_HANDLE);
        UNTOUCHED(names);
        CHECK(!tell(&server, &client, "nobody"));
        void *token;
        FILL(token);
        STATUS(QuerySecurityContextToken(&server.context, &token), SEC_E_INVALID_HANDLE);
        UNTOUCHED(token);
    }
    end(&client);
    end(&server);
    return status;
}

static void mic_zeroed(struct side *client)
{
    memset(client->token + MIC, 0, 16);
}

static void mic_changed(struct side *client)
{
    client->token[MIC + 7] ^= 0x20;
}

/* The 16 bytes are gone, and what lies behind them is where it is said to be. */
static void mic_cut_out(struct side *client)
{
    memmove(client->token + MIC, client->token + MIC + 16, client->length - MIC - 16);
    client->length -= 16;
    for (size_t field = 12; field <= 52; field += 8) {
        put_number(client->token, field + 4, number_at(client->token, field + 4) - 16);
    }
}

static void flags_changed(struct side *client)
{
    put_number(client->token, 60, number_at(client->token, 60) & ~0x20u); /* SEAL */
}

static void proof_changed(struct side *client)
{
    client->token[number_at(client->token, NT_FIELD + 4)] ^= 1;
}

static void user_changed(struct side *client)
{
    client->token[number_at(client->token, 40)] ^= 1; /* "ann" becomes "`nn" */
}

static void glued(struct side *client)
{
    memcpy(client->token + client->length, client->token, client->length);
    client->length *= 2;
}

static void emptied(struct side *client)
{
    client->length = 0;
}

static void offset_outside(struct side *client)
{
    put_number(client->token, NT_FIELD + 4, 0xFFFFFFF0);
}

static void accounts(CredHandle *server)
{
    CASE("%s: a wrong password", package);
    CredHandle wrong = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, "Correct-horse 8");
    STATUS(last(&wrong, server, NULL), SEC_E_LOGON_DENIED);
    FreeCredentialsHandle(&wrong);
    CASE("%s: an unknown user", package);
    wrong = must_acquire(package, SECPKG_CRED_OUTBOUND, "nobody", ANN_PASSWORD);
    STATUS(last(&wrong, server, NULL), SEC_E_LOGON_DENIED);
    FreeCredentialsHandle(&wrong);
    CASE("%s: no name at all", package);
    wrong = must_acquire(package, SECPKG_CRED_OUTBOUND, "", "");
    STATUS(last(&wrong, server, NULL), SEC_E_LOGON_DENIED);
    FreeCredentialsHandle(&wrong);
}

static void tokens(CredHandle *both)
{
    static const struct {
        const char *what;
        void (*change)(struct side *client);
        SECURITY_STATUS status;
        const char *cause;
    } CHANGES[] = {
        {"MIC zeroed", mic_zeroed, SEC_E_MESSAGE_ALTERED, "ntlm/mic-missing"},
        {"MIC changed", mic_changed, SEC_E_MESSAGE_ALTERED, "ntlm/mic-wrong"},
        {"MIC cut out", mic_cut_out, SEC_E_INVALID_TOKEN, "ntlm/malformed-token"},
        {"flags changed", flags_changed, SEC_E_MESSAGE_ALTERED, "ntlm/mic-wrong"},
        {"proof changed", proof_changed, SEC_E_LOGON_DENIED, "account/wrong-proof"},
        {"user changed", user_changed, SEC_E_LOGON_DENIED, "account/unknown-account"},
        {"glued", glued, SEC_E_MESSAGE_ALTERED, "ntlm/mic-wrong"},
        {"emptied", emptied, SEC_E_INVALID_TOKEN, NULL},
        {"an offset outside", offset_outside, SEC_E_INVALID_TOKEN, "ntlm/malformed-token"},
    };
    for (size_t at = 0; at < sizeof CHANGES / sizeof *CHANGES; ++at) {
        CASE("%s: %s", package, CHANGES[at].what);
        struct side client = initiator(both), server = acceptor(both);
        shake_but_last(&client, &server);
        CHANGES[at].change(&client);
        STATUS(answer(&server, &client), CHANGES[at].status);
        if (CHANGES[at].cause != NULL) {
            TEXT(cause(), CHANGES[at].cause);
        }
        end(&client);
        end(&server);
        STATUS(last(both, both, CHANGES[at].change), CHANGES[at].status);
    }
    CASE("%s: nothing changed", package);
    STATUS(last(both, both, NULL), SEC_E_OK);
}

static void cut_short(CredHandle *both)
{
    struct side client = initiator(both), server = acceptor(both);
    leg(&client, NULL, 0);
    for (ULONG length = 0; length < client.length; ++length) {
        CASE("%s: %u bytes of the first token", package, (unsigned)length);
        struct side fresh = acceptor(both);
        /* NEGOTIATE may end after its flags, or after its fields. */
        SECURITY_STATUS status = leg(&fresh, client.token, length);
        CHECK(status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INVALID_TOKEN);
        CHECK(length >= 16 || status == SEC_E_INVALID_TOKEN || (length == 0 && strcmp(package, "Negotiate") == 0));
        end(&fresh);
    }
    answer(&server, &client);
    answer(&client, &server);
    struct side old = client;
    for (ULONG length = 0; length < old.length; length += 5) {
        CASE("%s: %u bytes of the last token", package, (unsigned)length);
        end(&server);
        client = initiator(both);
        server = acceptor(both);
        shake_but_last(&client, &server);
        client.length = length;
        SECURITY_STATUS status = answer(&server, &client);
        CHECK(status < 0 && status != SEC_E_INTERNAL_ERROR && status != SEC_E_INSUFFICIENT_MEMORY);
        CHECK(length > 88 || status == SEC_E_INVALID_TOKEN);
        end(&client);
    }
    end(&server);
    end(&old);
}

static void replayed(CredHandle *both)
{
    struct side client = initiator(both), server = acceptor(both), other = initiator(both), fresh = acceptor(both);
    shake_but_last(&client, &server);
    struct side saved = client;
    MUST(answer(&server, &client) == SEC_E_OK);
    CASE("%s: the last token again, on another context", package);
    leg(&other, NULL, 0);
    answer(&fresh, &other);
    STATUS(answer(&fresh, &saved), SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/wrong-proof");
    end(&fresh);
    CASE("%s: the last token first", package);
    fresh = acceptor(both);
    STATUS(answer(&fresh, &saved), SEC_E_INVALID_TOKEN);
    CHECK(!fresh.begun);
    CASE("%s: the first token last", package);
    end(&other);
    other = initiator(both);
    fresh = acceptor(both);
    leg(&other, NULL, 0);
    answer(&fresh, &other);
    STATUS(answer(&fresh, &other), SEC_E_INVALID_TOKEN);
    CASE("%s: our own token comes back", package);
    end(&fresh);
    fresh = acceptor(both);
    answer(&fresh, &other);
    struct side mirror = fresh;
    STATUS(answer(&fresh, &mirror), SEC_E_INVALID_TOKEN);
    end(&fresh);
    end(&other);
    end(&client);
    end(&server);
}

static void servers_that_lie(CredHandle *both)
{
    CASE("%s: a challenge that is none", package);
    struct side client = initiator(both), server = acceptor(both);
    leg(&client, NULL, 0);
    CtxtHandle before = client.context;
    FILL(client.granted);
    STATUS(leg(&client, "NTLMSSP\0\3\0\0\0", 12), SEC_E_INVALID_TOKEN);
    CHECK(client.length == 0 && memcmp(&before, &client.context, sizeof before) == 0);
    UNTOUCHED(client.granted);
    STATUS(leg(&client, "x", 1), SEC_E_INVALID_HANDLE);
    end(&client);
    CASE("%s: a challenge cut short", package);
    client = initiator(both);
    leg(&client, NULL, 0);
    answer(&server, &client);
    server.length = 40;
    STATUS(answer(&client, &server), SEC_E_INVALID_TOKEN);
    end(&client);
    end(&server);
}

/* In SPNEGO a refusal can be told: the token of a failure. */
static void error_tokens(CredHandle *server_of)
{
    CredHandle wrong = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, ANN, "Correct-horse 8");
    for (int told = 0; told < 3; ++told) {
        CASE("an error token: %d", told);
        struct side client = initiator(&wrong), server = acceptor(server_of);
        unsigned char token[16384];
        server.wants |= told > 0 ? ASC_REQ_EXTENDED_ERROR : 0;
        leg(&client, NULL, 0);
        ULONG length = spnego_init(token, client.token, client.length);
        MUST(STATUS(leg(&server, token, length), SEC_I_CONTINUE_NEEDED));
        const unsigned char *challenge = ntlm_inside(server.token, server.length, &length);
        MUST(challenge != NULL);
        MUST(STATUS(leg(&client, challenge, length), SEC_E_OK));
        length = spnego_response(token, client.token, client.length);
        SecBuffer in = {length, SECBUFFER_TOKEN, token};
        SecBuffer out = {sizeof server.token, SECBUFFER_TOKEN, server.token};
        ULONG wants = server.wants;
        if (told == 2) {
            wants |= ASC_REQ_ALLOCATE_MEMORY;
            out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
        }
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
        FILL(server.granted);
        STATUS(AcceptSecurityContext(server_of, &server.context, &input, wants, 0, &server.context, &output,
                                     &server.granted, NULL),
               SEC_E_LOGON_DENIED);
        if (told == 0) {
            CHECK(out.cbBuffer == 0);
            UNTOUCHED(server.granted);
        } else {
            /* NegTokenResp { negState reject (2) } */
            static const unsigned char REJECT[] = {0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x02};
            CHECK(out.cbBuffer == sizeof REJECT && memcmp(out.pvBuffer, REJECT, sizeof REJECT) == 0);
            CHECK(server.granted == (ASC_RET_EXTENDED_ERROR | (told == 2 ? ASC_RET_ALLOCATED_MEMORY : 0)));
        }
        if (told == 2) {
            STATUS(FreeContextBuffer(out.pvBuffer), SEC_E_OK);
        }
        end(&client);
        end(&server);
    }
    FreeCredentialsHandle(&wrong);
}

int main(void)
{
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        CredHandle both = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        accounts(&both);
        tokens(&both);
        cut_short(&both);
        replayed(&both);
        servers_that_lie(&both);
        if (at == 1) {
            error_tokens(&both);
        }
        STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
    }
    return check_done();
}
