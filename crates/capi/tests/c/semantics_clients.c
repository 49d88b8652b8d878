/*
 * Whom a stream's sides believe: several certificates, validation by the host, clients' certificates and whose they are, and
 * NTLM that is bound to the stream.
 *
 *     semantics_clients FOLDER DATA     DATA is a data folder whose account `ann` has the certificate `client`
 */
#include "check.h"
#include "stream.h"

#include <stdio.h>

static CredHandle server, client;

static void several(void)
{
    CASE("several certificates");
    PCCERT_CONTEXT certificates[2] = {certificate("client"), certificate("server")}, peer;
    SCH_CREDENTIALS settings = {.dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = 2, .paCred = certificates};
    CredHandle both;
    TimeStamp expiry;
    MUST(STATUS(acquired(SECPKG_CRED_INBOUND, &settings, &both, &expiry), SEC_E_OK));
    struct end *c, *s;
    pair(&client, &both, &c, &s);
    if (STATUS(ATTRIBUTE(s, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &peer), SEC_E_OK)) {
        CHECK(peer->cbCertEncoded == certificates[1]->cbCertEncoded);
        CertFreeCertificateContext(peer);
    }
    end_both(c, s);
    CertFreeCertificateContext(certificates[0]);
    CertFreeCertificateContext(certificates[1]);
    STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
}

static void manual(void)
{
    CASE("validation by the host");
    CredHandle stranger = client_of(NULL, "other.pem", 0), trusting = client_of(NULL, "other.pem", 8);
    for (int how = 0; how < 2; ++how) {
        struct end *c = client_end(how == 0 ? &stranger : &trusting), *s = server_end(&server);
        c->wants |= how == 0 ? ISC_REQ_MANUAL_CRED_VALIDATION : 0;
        CHECK(shake_hands(c, s));
        /* Whoever asked for it, the credential or the leg: nobody else verified the server. */
        CHECK((c->granted & ISC_RET_MANUAL_CRED_VALIDATION) != 0);
        CHECK((c->granted & ISC_RET_MUTUAL_AUTH) == 0);
        end_both(c, s);
    }
    STATUS(FreeCredentialsHandle(&stranger), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&trusting), SEC_E_OK);
    CASE("validation by the host that a later leg asks for");
    {
        struct end *c = client_end(&client), *s = server_end(&server);
        step(c, NULL, 0);
        step(s, c->said, c->length);
        c->wants |= ISC_REQ_MANUAL_CRED_VALIDATION;
        STATUS(steps(c, s->said, s->length), SEC_E_OK);
        CHECK((c->granted & ISC_RET_MANUAL_CRED_VALIDATION) == 0 && (c->granted & ISC_RET_MUTUAL_AUTH) != 0);
        end_both(c, s);
    }
    CASE("revocation that nobody can look up");
    CredHandle careful = client_of(NULL, "ca.pem", SCH_CRED_REVOCATION_CHECK_CHAIN);
    CredHandle lenient = client_of(NULL, "ca.pem", SCH_CRED_REVOCATION_CHECK_CHAIN | SCH_CRED_IGNORE_REVOCATION_OFFLINE |
                                                       SCH_CRED_IGNORE_NO_REVOCATION_CHECK);
    struct end *c = client_end(&careful), *s = server_end(&server);
    CHECK(!shake_hands(c, s));
    STATUS(c->status, (SECURITY_STATUS)0x80092012); /* CRYPT_E_NO_REVOCATION_CHECK */
    end_both(c, s);
    pair(&lenient, &server, &c, &s);
    end_both(c, s);
    STATUS(FreeCredentialsHandle(&careful), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&lenient), SEC_E_OK);
}

/* NTLM inside the stream, whose sides say which channel that is. */
static SECURITY_STATUS bound(CredHandle *ntlm, const SecPkgContext_Bindings *mine, const SecPkgContext_Bindings *theirs)
{
    struct side inner_client = initiator(ntlm), inner_server = acceptor(ntlm);
    leg(&inner_client, NULL, 0);
    answer(&inner_server, &inner_client);
    SecBuffer in[2] = {{inner_server.length, SECBUFFER_TOKEN, inner_server.token},
                       {mine->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, mine->Bindings}};
    SecBuffer out = {sizeof inner_client.token, SECBUFFER_TOKEN, inner_client.token};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    STATUS(InitializeSecurityContextA(ntlm, &inner_client.context, TARGET, inner_client.wants, 0, 0, &input, 0,
                                      &inner_client.context, &output, &inner_client.granted, NULL), SEC_E_OK);
    in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, inner_client.token};
    in[1] = (SecBuffer){theirs->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, theirs->Bindings};
    out = (SecBuffer){sizeof inner_server.token, SECBUFFER_TOKEN, inner_server.token};
    SECURITY_STATUS status = AcceptSecurityContext(ntlm, &inner_server.context, &input, inner_server.wants, 0,
                                                   &inner_server.context, &output, &inner_server.granted, NULL);
    end(&inner_client);
    end(&inner_server);
    return status;
}

static void extended_protection(void)
{
    CASE("extended protection");
    CredHandle ntlm = must_acquire("NTLM", SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    CredHandle other = server_of("foreign", NULL, 0), trusting = client_of(NULL, "ca.pem", 8);
    struct end *c, *s, *c2, *s2;
    pair(&client, &server, &c, &s);
    pair(&trusting, &other, &c2, &s2);
    for (int which = 0; which < 2; ++which) {
        ULONG number = which == 0 ? SECPKG_ATTR_ENDPOINT_BINDINGS : SECPKG_ATTR_UNIQUE_BINDINGS;
        SecPkgContext_Bindings mine, theirs, another;
        MUST(STATUS(ATTRIBUTE(c, number, &mine), SEC_E_OK) && STATUS(ATTRIBUTE(s, number, &theirs), SEC_E_OK));
        MUST(STATUS(ATTRIBUTE(c2, number, &another), SEC_E_OK));
        STATUS(bound(&ntlm, &mine, &theirs), SEC_E_OK);
        /* Somebody in the middle has the client speak to another certificate. */
        STATUS(bound(&ntlm, &another, &theirs), SEC_E_BAD_BINDINGS);
        FreeContextBuffer(mine.Bindings);
        FreeContextBuffer(theirs.Bindings);
        FreeContextBuffer(another.Bindings);
    }
    end_both(c, s);
    end_both(c2, s2);
    CredHandle *all[] = {&ntlm, &other, &trusting};
    for (int at = 0; at < 3; ++at) {
        STATUS(FreeCredentialsHandle(all[at]), SEC_E_OK);
    }
}

/* How a client with or without a certificate fares with a server that wants one. */
static void clients(const char *data)
{
    char source[512];
    snprintf(source, sizeof source, "sqlite:%s", data);
    STATUS(PortcullisSetAuthority(source), SEC_E_OK);
    CredHandle asking = server_of("server", "ca.pem", 0), unmapped = server_of("server", "ca.pem", 2);
    CredHandle known = client_of("client", "ca.pem", 0), unknown = client_of("nobody", "ca.pem", 0);
    CredHandle foreign = client_of("foreign", "ca.pem", 0);
    struct {
        CredHandle *client, *server;
        SECURITY_STATUS status;
        const char *name;
    } cases[] = {
        {&known, &asking, SEC_E_OK, "CORP\\ann"}, {&known, &unmapped, SEC_E_OK, NULL},
        {&unknown, &asking, SEC_E_OK, NULL},      {&client, &asking, SEC_E_NO_CREDENTIALS, NULL},
        {&foreign, &asking, SEC_E_UNTRUSTED_ROOT, NULL},
    };
    for (int at = 0; at < 5; ++at) {
        CASE("client %d", at);
        struct end *c = client_end(cases[at].client), *s = server_end(cases[at].server);
        s->wants |= ASC_REQ_MUTUAL_AUTH;
        shake_hands(c, s);
        if (STATUS(s->status, cases[at].status) && s->status == SEC_E_OK) {
            SecPkgContext_NamesA names = {NULL};
            PCCERT_CONTEXT peer = NULL;
            void *token = NULL;
            bool mapped = cases[at].name != NULL;
            STATUS(ATTRIBUTE(s, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &peer), SEC_E_OK);
            CertFreeCertificateContext(peer);
            STATUS(ATTRIBUTE(s, SECPKG_ATTR_NAMES, &names), mapped ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
            STATUS(QuerySecurityContextToken(&s->context, &token), mapped ? SEC_E_OK : SEC_E_NO_IMPERSONATION);
            if (mapped) {
                TEXT(names.sUserName, cases[at].name);
                FreeContextBuffer(names.sUserName);
                STATUS(PortcullisCloseToken(token), SEC_E_OK);
            }
            CHECK(((s->granted & ASC_RET_MUTUAL_AUTH) != 0) == (at < 2));
            STATUS(ATTRIBUTE(c, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &peer), SEC_E_OK);
            CertFreeCertificateContext(peer);
        }
        end_both(c, s);
    }
    CredHandle *all[] = {&asking, &unmapped, &known, &unknown, &foreign};
    for (int at = 0; at < 5; ++at) {
        STATUS(FreeCredentialsHandle(all[at]), SEC_E_OK);
    }
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    folder = arguments[1];
    server = server_of("server", NULL, 0);
    client = client_of(NULL, "ca.pem", 0);
    several();
    manual();
    extended_protection();
    clients(arguments[2]);
    STATUS(FreeCredentialsHandle(&client), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&server), SEC_E_OK);
    return check_done();
}
