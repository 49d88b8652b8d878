/*
 * Accounts in a store: who is let in, what is written down, peers' addresses, required flags, the log, and a store that
 * goes away. What stands in the audit log afterwards is for who runs this to check.
 *
 *     semantics_store DATA          DATA is moved away in the end; no PORTCULLIS_CONFIG
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "talk.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *package;
static CredHandle accepts;
static char source[512];

static void sources(void)
{
    CASE("PortcullisSetAuthority");
    static const char *const BAD[] = {"", "sqlite", "sqlite:", "unix:", "unix", "NONE", "none:", "file:/x", "/x", "\xff"};
    for (size_t at = 0; at < sizeof BAD / sizeof *BAD; ++at) {
        STATUS(PortcullisSetAuthority(BAD[at]), SEC_E_INVALID_PARAMETER);
    }
    STATUS(PortcullisSetAuthority(source), SEC_E_OK);
    STATUS(PortcullisSetAuthority("sqlite:/nonexistent/folder"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    STATUS(PortcullisSetAuthority("unix:/nonexistent/socket"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    STATUS(PortcullisSetAuthority("nothing"), SEC_E_INVALID_PARAMETER);
    /* What was in force is that still: this credential asks the store. */
    CredHandle of_store = must_acquire("NTLM", SECPKG_CRED_INBOUND, NULL, NULL);
    STATUS(PortcullisSetAuthority("none"), SEC_E_OK);
    CredHandle of_host = must_acquire("NTLM", SECPKG_CRED_INBOUND, NULL, NULL);
    STATUS(PortcullisSetAuthority(NULL), SEC_E_OK);
    CredHandle initiates = must_acquire("NTLM", SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    CredHandle *servers[] = {&of_store, &of_host};
    for (int at = 0; at < 2; ++at) {
        struct side client = initiator(&initiates), server = acceptor(servers[at]);
        shake_but_last(&client, &server);
        STATUS(answer(&server, &client), at == 0 ? SEC_E_OK : SEC_I_COMPLETE_NEEDED);
        end(&client);
        end(&server);
    }
    STATUS(FreeCredentialsHandle(&of_store), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&of_host), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    STATUS(PortcullisSetAuthority(source), SEC_E_OK);
}

/* One inbound credential, two users at a time: each context knows its own. */
static void interleaved(void)
{
    CASE("%s: two users at a time", package);
    CredHandle of_ann = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    CredHandle of_ben = must_acquire(package, SECPKG_CRED_OUTBOUND, BEN, BEN_PASSWORD);
    struct side ann = initiator(&of_ann), ben = initiator(&of_ben), for_ann = acceptor(&accepts), for_ben = for_ann;
    char name[64];
    leg(&ann, NULL, 0);
    leg(&ben, NULL, 0);
    STATUS(answer(&for_ann, &ann), SEC_I_CONTINUE_NEEDED);
    STATUS(answer(&for_ben, &ben), SEC_I_CONTINUE_NEEDED);
    STATUS(answer(&ben, &for_ben), SEC_E_OK);
    STATUS(answer(&ann, &for_ann), SEC_E_OK);
    STATUS(answer(&for_ann, &ann), SEC_E_OK);
    name_of(&for_ann, name, sizeof name);
    TEXT(name, "CORP\\ann");
    STATUS(answer(&for_ben, &ben), SEC_E_OK);
    name_of(&for_ann, name, sizeof name);
    TEXT(name, "CORP\\ann");
    name_of(&for_ben, name, sizeof name);
    TEXT(name, "CORP\\ben");
    CHECK(tell(&ann, &for_ann, "of ann") && tell(&ben, &for_ben, "of ben"));
    CHECK(!tell(&ben, &for_ann, "of ben to ann"));
    end(&ann);
    end(&ben);
    end(&for_ann);
    end(&for_ben);
    FreeCredentialsHandle(&of_ann);
    FreeCredentialsHandle(&of_ben);
}

static SECURITY_STATUS log_on(const char *user, const char *password, const struct sockaddr *peer, ULONG length)
{
    CredHandle initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, user, password);
    struct side client = initiator(&initiates), server = acceptor(&accepts);
    shake_but_last(&client, &server);
    if (peer != NULL) {
        STATUS(PortcullisSetPeerAddress(&server.context, peer, length), SEC_E_OK);
    }
    SECURITY_STATUS status = answer(&server, &client);
    end(&client);
    end(&server);
    FreeCredentialsHandle(&initiates);
    return status;
}

static void *in_another_thread(void *unused)
{
    (void)unused;
    TEXT(cause(), "");
    return NULL;
}

static void causes(void)
{
    CASE("%s: causes", package);
    STATUS(log_on(ANN, "Correct-horse 8", NULL, 0), SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/wrong-proof");
    STATUS(log_on("nobody", ANN_PASSWORD, NULL, 0), SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/unknown-account");
    char small[32];
    FILL(small);
    STATUS(PortcullisLastCause(small, (ULONG)strlen("account/unknown-account")), SEC_E_BUFFER_TOO_SMALL);
    STATUS(PortcullisLastCause(small, 0), SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(small);
    STATUS(PortcullisLastCause(small, (ULONG)strlen("account/unknown-account") + 1), SEC_E_OK);
    STATUS(PortcullisLastCause(NULL, 100), SEC_E_INVALID_PARAMETER);
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, in_another_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

/* Each logon's address must stand in the audit log: 192.0.2.7, 2001:db8::7, 192.0.2.8, none. */
static void peers(void)
{
    CASE("%s: addresses of peers", package);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4711), .sin_addr = {htonl(0xC0000207)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = {{{0x20, 1, 0x0d, 0xb8, [15] = 7}}}};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6,
                                  .sin6_addr = {{{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 8}}}};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    STATUS(log_on(ANN, ANN_PASSWORD, (struct sockaddr *)&v4, sizeof v4), SEC_E_OK);
    STATUS(log_on(ANN, ANN_PASSWORD, (struct sockaddr *)&v6, sizeof v6), SEC_E_OK);
    STATUS(log_on(ANN, "Correct-horse 8", (struct sockaddr *)&mapped, sizeof mapped), SEC_E_LOGON_DENIED);
    STATUS(log_on(ANN, ANN_PASSWORD, (struct sockaddr *)&local, 2), SEC_E_OK);

    CASE("%s: no addresses", package);
    CredHandle initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    struct side client = initiator(&initiates), server = acceptor(&accepts);
    struct sockaddr_in odd = {.sin_family = AF_APPLETALK};
    shake_but_last(&client, &server);
    STATUS(PortcullisSetPeerAddress(&server.context, NULL, sizeof v4), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetPeerAddress(&server.context, (struct sockaddr *)&v4, sizeof v4 - 1), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetPeerAddress(&server.context, (struct sockaddr *)&v6, sizeof v4), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetPeerAddress(&server.context, (struct sockaddr *)&v4, 0), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetPeerAddress(&server.context, (struct sockaddr *)&odd, sizeof odd), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetPeerAddress(&client.context, (struct sockaddr *)&v4, sizeof v4), SEC_E_INVALID_HANDLE);
    STATUS(answer(&server, &client), SEC_E_OK);
    STATUS(PortcullisSetPeerAddress(&server.context, (struct sockaddr *)&v4, sizeof v4), SEC_E_INVALID_HANDLE);
    end(&client);
    end(&server);
    FreeCredentialsHandle(&initiates);
}

static void required_flags(void)
{
    CASE("%s: required flags", package);
    CredHandle initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    STATUS(PortcullisRequireContextFlags(&accepts, ASC_RET_CONFIDENTIALITY), SEC_E_OK);
    for (int wanted = 0; wanted < 2; ++wanted) {
        struct side client = initiator(&initiates), server = acceptor(&accepts);
        if (!wanted) {
            client.wants = ISC_REQ_NO_INTEGRITY;
            server.wants = 0;
        }
        shake_but_last(&client, &server);
        STATUS(answer(&server, &client), wanted ? SEC_E_OK : SEC_E_SECURITY_QOS_FAILED);
        end(&client);
        end(&server);
    }
    STATUS(PortcullisRequireContextFlags(&accepts, ASC_RET_DELEGATE), SEC_E_OK);
    STATUS(log_on(ANN, ANN_PASSWORD, NULL, 0), SEC_E_SECURITY_QOS_FAILED);
    STATUS(PortcullisRequireContextFlags(&accepts, 0), SEC_E_OK);
    STATUS(log_on(ANN, ANN_PASSWORD, NULL, 0), SEC_E_OK);
    /* The initiator's numbers are its own. */
    STATUS(PortcullisRequireContextFlags(&initiates, ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY), SEC_E_OK);
    struct side client = initiator(&initiates), server = acceptor(&accepts);
    CHECK(shake(&client, &server));
    end(&client);
    end(&server);
    STATUS(PortcullisRequireContextFlags(&initiates, ISC_RET_MUTUAL_AUTH), SEC_E_OK);
    client = initiator(&initiates);
    server = acceptor(&accepts);
    shake_but_last(&client, &server);
    STATUS(client.status, SEC_E_SECURITY_QOS_FAILED);
    CHECK(client.length == 0);
    end(&client);
    end(&server);
    FreeCredentialsHandle(&initiates);
}

struct heard {
    unsigned lines;
    bool wrong_proof;
};

static void hear(void *argument, ULONG level, const char *line)
{
    struct heard *heard = argument;
    ++heard->lines;
    CHECK(level >= PORTCULLIS_LOG_ERROR && level <= PORTCULLIS_LOG_TRACE && strchr(line, '\n') == NULL);
    CHECK(strstr(line, "Correct-horse") == NULL);
    if (strstr(line, "account/wrong-proof") != NULL) {
        CHECK(level == PORTCULLIS_LOG_INFO);
        heard->wrong_proof = true;
    }
}

static void logs(void)
{
    CASE("%s: the log", package);
    struct heard heard = {0, false};
    STATUS(PortcullisSetLog(hear, &heard), SEC_E_OK);
    STATUS(log_on(ANN, "Correct-horse 8", NULL, 0), SEC_E_LOGON_DENIED);
    CHECK(heard.lines > 0 && heard.wrong_proof);
    STATUS(PortcullisSetLog(NULL, NULL), SEC_E_OK);
    unsigned before = heard.lines;
    STATUS(log_on(ANN, ANN_PASSWORD, NULL, 0), SEC_E_OK);
    CHECK(heard.lines == before);
}

static void gone(const char *data)
{
    CASE("the store goes while it serves");
    char away[520];
    STATUS(log_on(ANN, ANN_PASSWORD, NULL, 0), SEC_E_OK);
    snprintf(away, sizeof away, "%s.away", data);
    MUST(rename(data, away) == 0);
    STATUS(log_on(ANN, ANN_PASSWORD, NULL, 0), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    TEXT(cause(), "account/store-unreachable");
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    sources();
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        interleaved();
        causes();
        peers();
        required_flags();
        logs();
        if (at == 1) {
            gone(arguments[1]);
        }
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
    return check_done();
}
