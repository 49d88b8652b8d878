/*
 * Handshakes of Kerberos: their legs and flags, what is refused and how, channel bindings, replays, and Negotiate around it.
 *
 *     kerberos_legs FOLDER        no PORTCULLIS_CONFIG; FOLDER as tests/kerberos/realm.rs fills it
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "realm.h"

#include <stdio.h>
#include <stdlib.h>

static CredHandle accepts, alice;

static void begin(struct side *client, struct side *server)
{
    *client = initiator(&alice);
    *server = acceptor(&accepts);
}

/* The client's first token, and what a new context of the acceptor says to it. */
static SECURITY_STATUS heard(struct side *client, struct side *server)
{
    leg(client, NULL, 0);
    return answer(server, client);
}

static void legs(void)
{
    struct side client, server;
    char name[64];
    CASE("one leg, where nobody asks the server to prove itself");
    begin(&client, &server);
    STATUS(leg(&client, NULL, 0), SEC_E_OK);
    CHECK(client.length > 0 && client.token[0] == 0x60 && (client.granted & ISC_RET_MUTUAL_AUTH) == 0);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(server.length == 0);
    CHECK(server.granted == (BOTH_WAYS_ACCEPT & server.granted) && (server.granted & ASC_RET_CONFIDENTIALITY) != 0);
    CHECK(tell(&client, &server, "there") && tell(&server, &client, "and back"));
    name_of(&server, name, sizeof name);
    TEXT(name, ALICE);
    name_of(&client, name, sizeof name);
    TEXT(name, ALICE);
    CHECK(server.expiry.QuadPart == client.expiry.QuadPart && server.expiry.QuadPart != 0x7fffffffffffffffLL);
    end(&client);
    end(&server);

    CASE("two legs, where somebody does");
    begin(&client, &server);
    client.wants |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_IDENTIFY;
    STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(server.length > 0 && (server.granted & (ASC_RET_MUTUAL_AUTH | ASC_RET_IDENTIFY)) ==
                                   (ASC_RET_MUTUAL_AUTH | ASC_RET_IDENTIFY));
    STATUS(answer(&client, &server), SEC_E_OK);
    CHECK(client.length == 0 && (client.granted & (ISC_RET_MUTUAL_AUTH | ISC_RET_IDENTIFY)) ==
                                    (ISC_RET_MUTUAL_AUTH | ISC_RET_IDENTIFY));
    CHECK(tell(&client, &server, "there") && tell(&server, &client, "and back"));
    CASE("once more on an established context");
    STATUS(answer(&server, &client), SEC_E_OUT_OF_SEQUENCE);
    CHECK(tell(&client, &server, "still there"));
    end(&client);
    end(&server);

    CASE("three legs in DCE style, without frames");
    begin(&client, &server);
    client.wants |= ISC_REQ_USE_DCE_STYLE | ISC_REQ_MUTUAL_AUTH;
    server.wants |= ASC_REQ_USE_DCE_STYLE;
    STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED);
    CHECK(client.token[0] == 0x6e);
    STATUS(answer(&server, &client), SEC_I_CONTINUE_NEEDED);
    CHECK(server.token[0] == 0x6f);
    STATUS(answer(&client, &server), SEC_E_OK);
    CHECK(client.length > 0 && client.token[0] == 0x6f && (client.granted & ISC_RET_USED_DCE_STYLE) != 0);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(server.length == 0 && (server.granted & ASC_RET_USED_DCE_STYLE) != 0);
    CHECK(tell(&client, &server, "sixteen bytes ok") && tell(&server, &client, "and sixteen back"));
    end(&client);
    end(&server);

    CASE("no flags, no protection");
    begin(&client, &server);
    client.wants = 0;
    server.wants = 0;
    STATUS(heard(&client, &server), SEC_E_OK);
    CHECK((server.granted & (ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT)) == 0);
    CHECK(!tell(&client, &server, "nothing was agreed on"));
    end(&client);
    end(&server);
}

/* The third leg of DCE style must fit the second. */
static void third_leg(void)
{
    struct side client, server;
    for (int which = 0; which < 3; ++which) {
        CASE("a third leg that does not fit: %d", which);
        begin(&client, &server);
        client.wants |= ISC_REQ_USE_DCE_STYLE;
        heard(&client, &server);
        MUST(STATUS(answer(&client, &server), SEC_E_OK));
        if (which == 0) {
            client.token[client.length - 1] ^= 1;
        } else if (which == 1) {
            client.length -= 1;
        } else {
            memcpy(client.token, server.token, server.length);
            client.length = server.length;
        }
        FAILS(answer(&server, &client));
        CHECK(!tell(&client, &server, "not established"));
        end(&client);
        end(&server);
    }
}

static void refusals(void)
{
    struct side client, server;
    static const struct {
        const char *keytab, *cause;
        SECURITY_STATUS status;
    } ROWS[] = {
        {"wrong.keytab", "kerberos/ticket-not-decryptable", SEC_E_LOGON_DENIED},
        {"old.keytab", "kerberos/no-key-version", SEC_E_NO_KERB_KEY},
        {"aes128.keytab", "kerberos/no-key", SEC_E_NO_KERB_KEY},
        {"ldap.keytab", "kerberos/ticket-not-decryptable", SEC_E_LOGON_DENIED},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        for (int tells = 0; tells < 2; ++tells) {
            CASE("%s, %s", ROWS[at].keytab, tells ? "EXTENDED_ERROR" : "no token");
            CredHandle other = service("Kerberos", ROWS[at].keytab);
            begin(&client, &server);
            server.credential = &other;
            client.wants |= ISC_REQ_MUTUAL_AUTH;
            server.wants |= tells ? ASC_REQ_EXTENDED_ERROR : 0;
            FILL(server.context);
            STATUS(heard(&client, &server), ROWS[at].status);
            TEXT(cause(), ROWS[at].cause);
            UNTOUCHED(server.context);
            CHECK((server.length > 0) == (tells != 0));
            if (tells) {
                CHECK((server.granted & ASC_RET_EXTENDED_ERROR) != 0 && server.token[0] == 0x60);
                STATUS(answer(&client, &server), SEC_E_LOGON_DENIED);
                TEXT(cause(), "kerberos/server-refused");
            }
            end(&client);
            STATUS(FreeCredentialsHandle(&other), SEC_E_OK);
        }
    }
    CASE("a ticket whose time is over");
    CredHandle expired = client_of("Kerberos", "expired");
    begin(&client, &server);
    client.credential = &expired;
    STATUS(leg(&client, NULL, 0), SEC_E_CONTEXT_EXPIRED);
    TEXT(cause(), "kerberos/own-ticket-expired");
    STATUS(FreeCredentialsHandle(&expired), SEC_E_OK);

    CASE("an initiator whose target is missing, or that has no ticket for it");
    CtxtHandle none;
    SecBuffer out = {sizeof client.token, SECBUFFER_TOKEN, client.token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    FILL(none);
    STATUS(InitializeSecurityContextA(&alice, NULL, NULL, 0, 0, 0, NULL, 0, &none, &output, &granted, NULL),
           SEC_E_INVALID_PARAMETER);
    STATUS(InitializeSecurityContextA(&alice, NULL, "nfs/elsewhere", 0, 0, 0, NULL, 0, &none, &output, &granted, NULL),
           SEC_E_NO_CREDENTIALS);
    CASE("clients without a name are NTLM's");
    STATUS(InitializeSecurityContextA(&alice, NULL, TARGET, ISC_REQ_NULL_SESSION, 0, 0, NULL, 0, &none, &output, &granted,
                                      NULL),
           SEC_E_UNSUPPORTED_FUNCTION);
    UNTOUCHED(none);
    CASE("a flag that is required");
    STATUS(PortcullisRequireContextFlags(&accepts, ASC_RET_MUTUAL_AUTH), SEC_E_OK);
    begin(&client, &server);
    STATUS(heard(&client, &server), SEC_E_SECURITY_QOS_FAILED);
    end(&client);
    begin(&client, &server);
    client.wants |= ISC_REQ_MUTUAL_AUTH;
    STATUS(heard(&client, &server), SEC_E_OK);
    end(&client);
    end(&server);
    STATUS(PortcullisRequireContextFlags(&accepts, 0), SEC_E_OK);
}

static void bent_tokens(void)
{
    struct side client, server, fresh;
    begin(&client, &server);
    leg(&client, NULL, 0);
    static unsigned char kept[16384];
    ULONG length = client.length;
    memcpy(kept, client.token, length);
    CASE("a token that breaks off");
    for (ULONG cut = 0; cut < length; cut += cut < 64 || cut + 32 > length ? 1 : 17) {
        fresh = acceptor(&accepts);
        STATUS(leg(&fresh, kept, cut), SEC_E_INVALID_TOKEN);
    }
    CASE("a token with a byte behind it");
    kept[length] = 0;
    fresh = acceptor(&accepts);
    STATUS(leg(&fresh, kept, length + 1), SEC_E_INVALID_TOKEN);
    CASE("a token with one bit turned");
    for (ULONG at = 0; at < length; at += 5) {
        kept[at] ^= 0x04;
        fresh = acceptor(&accepts);
        /* What stands readable of the service's name decides nothing, and neither do the request's options. */
        if (leg(&fresh, kept, length) == SEC_E_OK) {
            CHECK(at < 160);
            end(&fresh);
            end(&client);
            begin(&client, &server);
            leg(&client, NULL, 0);
            length = client.length;
            memcpy(kept, client.token, length);
            continue;
        }
        CHECK(fresh.status < 0 && fresh.length == 0);
        kept[at] ^= 0x04;
    }
    CASE("tokens of others, and none");
    fresh = acceptor(&accepts);
    STATUS(leg(&fresh, "NTLMSSP\0\1\0\0\0", 12), SEC_E_INVALID_TOKEN);
    STATUS(leg(&fresh, NULL, 0), SEC_E_INVALID_TOKEN);
    STATUS(leg(&fresh, "\x6f\x03\x30\x01\x00", 5), SEC_E_INVALID_TOKEN);
    CASE("the honest token, once");
    fresh = acceptor(&accepts);
    STATUS(leg(&fresh, kept, length), SEC_E_OK);
    end(&fresh);
    end(&client);
}

static void replays(void)
{
    struct side client, server, again;
    CASE("the same token again");
    begin(&client, &server);
    STATUS(heard(&client, &server), SEC_E_OK);
    again = acceptor(&accepts);
    STATUS(answer(&again, &client), SEC_E_LOGON_DENIED);
    TEXT(cause(), "kerberos/replayed");
    CASE("at another credential, and another package");
    CredHandle other = service("Kerberos", "http.keytab"), negotiate = service("Negotiate", "http.keytab");
    again = acceptor(&other);
    STATUS(answer(&again, &client), SEC_E_LOGON_DENIED);
    again = acceptor(&negotiate);
    STATUS(answer(&again, &client), SEC_E_LOGON_DENIED);
    TEXT(cause(), "kerberos/replayed");
    STATUS(FreeCredentialsHandle(&other), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&negotiate), SEC_E_OK);
    CHECK(tell(&client, &server, "the first one goes on"));
    end(&client);
    end(&server);
    CASE("too small an output is no use of the token");
    begin(&client, &server);
    client.wants |= ISC_REQ_MUTUAL_AUTH;
    leg(&client, NULL, 0);
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token}, out = {16, SECBUFFER_TOKEN, server.token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    FILL(server.context);
    STATUS(AcceptSecurityContext(&accepts, NULL, &input, server.wants, 0, &server.context, &output, &server.granted, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(server.context);
    STATUS(answer(&server, &client), SEC_E_OK);
    STATUS(answer(&client, &server), SEC_E_OK);
    end(&client);
    end(&server);
}

static void two_clients(void)
{
    struct side one, two, of_one, of_two;
    char name[64];
    CASE("two clients of one credential at once");
    CredHandle ben = client_of("Kerberos", "bob");
    one = initiator(&alice);
    two = initiator(&ben);
    one.wants |= ISC_REQ_USE_DCE_STYLE;
    two.wants |= ISC_REQ_USE_DCE_STYLE;
    of_one = acceptor(&accepts);
    of_two = acceptor(&accepts);
    heard(&one, &of_one);
    heard(&two, &of_two);
    STATUS(answer(&one, &of_one), SEC_E_OK);
    STATUS(answer(&two, &of_two), SEC_E_OK);
    STATUS(answer(&of_one, &one), SEC_E_OK);
    name_of(&of_one, name, sizeof name);
    TEXT(name, ALICE);
    STATUS(answer(&of_two, &two), SEC_E_OK);
    name_of(&of_two, name, sizeof name);
    TEXT(name, "bob/admin@" REALM);
    name_of(&of_one, name, sizeof name);
    TEXT(name, ALICE);
    CHECK(tell(&one, &of_one, "to the one") && tell(&two, &of_two, "to the other") && !tell(&one, &of_two, "astray"));
    CASE("a credential may go before its contexts");
    STATUS(FreeCredentialsHandle(&ben), SEC_E_OK);
    CHECK(tell(&of_two, &two, "still here"));
    end(&one);
    end(&two);
    end(&of_one);
    end(&of_two);
}

struct blob {
    SEC_CHANNEL_BINDINGS header;
    char data[40];
};

static struct blob channel(const char *data)
{
    struct blob blob = {.header = {.cbApplicationDataLength = (ULONG)strlen(data),
                                   .dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS)}};
    memcpy(blob.data, data, strlen(data));
    return blob;
}

/* A handshake whose sides have these channels; NULL for none. What the acceptor says. */
static SECURITY_STATUS bound(const char *of_client, const char *of_server, ULONG flags, ULONG *result)
{
    struct side client, server;
    begin(&client, &server);
    struct blob mine = channel(of_client == NULL ? "" : of_client), theirs = channel(of_server == NULL ? "" : of_server);
    SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL},
                       {sizeof mine.header + mine.header.cbApplicationDataLength, SECBUFFER_CHANNEL_BINDINGS, &mine}};
    SecBufferDesc input = {SECBUFFER_VERSION, of_client == NULL ? 1 : 2, in};
    SecBuffer out = {sizeof client.token, SECBUFFER_TOKEN, client.token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    MUST(STATUS(InitializeSecurityContextA(&alice, NULL, TARGET, client.wants, 0, 0, &input, 0, &client.context, &output,
                                           &client.granted, NULL),
                SEC_E_OK));
    in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, client.token};
    in[1] = (SecBuffer){sizeof theirs.header + theirs.header.cbApplicationDataLength, SECBUFFER_CHANNEL_BINDINGS, &theirs};
    input.cBuffers = of_server == NULL ? 1 : 2;
    SEC_CHANNEL_BINDINGS_RESULT told = {0xffffffff};
    SecBuffer outs[2] = {{sizeof server.token, SECBUFFER_TOKEN, server.token},
                         {sizeof told, SECBUFFER_CHANNEL_BINDINGS_RESULT, &told}};
    output = (SecBufferDesc){SECBUFFER_VERSION, 2, outs};
    SECURITY_STATUS status = AcceptSecurityContext(&accepts, NULL, &input, server.wants | flags, 0, &server.context,
                                                   &output, &server.granted, NULL);
    *result = told.flags;
    STATUS(DeleteSecurityContext(&client.context), SEC_E_OK);
    if (status == SEC_E_OK) {
        STATUS(DeleteSecurityContext(&server.context), SEC_E_OK);
    }
    return status;
}

static void bindings(void)
{
    static const char ONE[] = "tls-server-end-point:0123456789abcdef", OTHER[] = "tls-server-end-point:fedcba9876543210";
    static const struct {
        const char *what, *client, *server;
        ULONG flags;
        SECURITY_STATUS status;
        ULONG result;
    } ROWS[] = {
        {"the same channel", ONE, ONE, 0, SEC_E_OK, SEC_CHANNEL_BINDINGS_RESULT_VALID_MATCHED},
        {"another channel", ONE, OTHER, 0, SEC_E_BAD_BINDINGS, SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISMATCH},
        {"another channel, ALLOW_MISSING", ONE, OTHER, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS,
         SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISMATCH},
        {"a client without a channel", NULL, ONE, 0, SEC_E_BAD_BINDINGS, SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISSING},
        {"a client without a channel, ALLOW_MISSING", NULL, ONE, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_OK,
         SEC_CHANNEL_BINDINGS_RESULT_VALID_MISSING},
        {"a server without a channel", ONE, NULL, 0, SEC_E_OK, 0},
        {"any channel, PROXY", ONE, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_OK, SEC_CHANNEL_BINDINGS_RESULT_VALID_PROXY},
        {"no channel, PROXY", NULL, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_BAD_BINDINGS,
         SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISSING},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("bindings: %s", ROWS[at].what);
        ULONG result = 0;
        STATUS(bound(ROWS[at].client, ROWS[at].server, ROWS[at].flags, &result), ROWS[at].status);
        CHECK(ROWS[at].result == 0 || (result & ROWS[at].result) == ROWS[at].result);
    }
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    folder_is(arguments[1]);
    MUST(unsetenv("KRB5CCNAME") == 0 && unsetenv("KRB5_KTNAME") == 0);
    accepts = service("Kerberos", "http.keytab");
    alice = client_of("Kerberos", "alice");
    legs();
    third_leg();
    refusals();
    bent_tokens();
    replays();
    two_clients();
    bindings();
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&alice), SEC_E_OK);
    return check_done();
}
