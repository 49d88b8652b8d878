/*
 * Credentials of TLS without pAuthData: what the file of PORTCULLIS_CONFIG says.
 *
 *     semantics_schannel_file FOLDER whole|none|revoked
 *     semantics_schannel_file FOLDER expired     without such a file: what the log says of an own certificate that has ended
 */
#include "check.h"
#include "stream.h"

static void count_ends(void *argument, ULONG level, const char *line)
{
    *(int *)argument += level == PORTCULLIS_LOG_WARN && strstr(line, "has expired") != NULL;
}

static void expired(void)
{
    int lines = 0;
    STATUS(PortcullisSetLog(count_ends, &lines), SEC_E_OK);
    CredHandle good = server_of("server", NULL, 0);
    CHECK(lines == 0);
    CredHandle ended = server_of("expired", NULL, 0);
    CHECK(lines == 1);
    STATUS(FreeCredentialsHandle(&good), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&ended), SEC_E_OK);
    STATUS(PortcullisSetLog(NULL, NULL), SEC_E_OK);
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    folder = arguments[1];
    if (strcmp(arguments[2], "expired") == 0) {
        expired();
        return check_done();
    }
    CredHandle server, client, own = client_of("client", "ca.pem", 0);
    TimeStamp expiry;
    if (strcmp(arguments[2], "none") == 0) {
        STATUS(acquired(SECPKG_CRED_INBOUND, NULL, &server, &expiry), SEC_E_NO_CREDENTIALS);
        return check_done();
    }
    MUST(STATUS(acquired(SECPKG_CRED_INBOUND, NULL, &server, &expiry), SEC_E_OK));
    if (strcmp(arguments[2], "revoked") == 0) {
        client = client_of("revoked", "ca.pem", 0);
        struct {
            CredHandle *client;
            SECURITY_STATUS status;
        } cases[] = {{&client, (SECURITY_STATUS)0x80092010}, {&own, SEC_E_OK}};
        for (int at = 0; at < 2; ++at) {
            struct end *c = client_end(cases[at].client), *s = server_end(&server);
            s->wants |= ASC_REQ_MUTUAL_AUTH;
            shake_hands(c, s);
            STATUS(s->status, cases[at].status);
            end_both(c, s);
        }
        return check_done();
    }
    MUST(STATUS(acquired(SECPKG_CRED_OUTBOUND, NULL, &client, &expiry), SEC_E_OK));
    CHECK(expiry.QuadPart == 0x7FFFFFFFFFFFFFFF);
    DWORD protocols;
    STATUS(QueryCredentialsAttributesA(&server, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols), SEC_E_OK);
    CHECK(protocols == SP_PROT_TLS1_3_SERVER);
    SecPkgContext_SessionInfo session;
    for (int round = 0; round < 2; ++round) {
        struct end *c = client_end(&client), *s = server_end(&server);
        CHECK(shake_hands(c, s) && tell_over(s, c, "as the file says"));
        STATUS(QueryContextAttributesA(&s->context, SECPKG_ATTR_SESSION_INFO, &session), SEC_E_OK);
        CHECK((session.dwFlags & 1) == (ULONG)round);
        give_up(c);
        give_up(s);
    }
    struct end *c = client_end(&own), *s = server_end(&server);
    s->wants |= ASC_REQ_MUTUAL_AUTH;
    CHECK(shake_hands(c, s) && (s->granted & ASC_RET_MUTUAL_AUTH) != 0);
    give_up(c);
    give_up(s);
    STATUS(FreeCredentialsHandle(&server), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&client), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&own), SEC_E_OK);
    return check_done();
}
