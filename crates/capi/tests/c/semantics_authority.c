/*
 * Who judges where a store is configured: the store, whatever settings or identity a credential brings besides; and that
 * the store's audit log says so, of logons and of changed passwords.
 *
 *     semantics_authority DATA        no PORTCULLIS_CONFIG
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>

#define SVC "svc"
#define SVC_PASSWORD "Service-secret 3"

static const char *package;
static char audit[512];
/* The last line of the audit log. */
static char line[2048];

/* How many lines there are. */
static unsigned audited(void)
{
    unsigned lines = 0;
    FILE *file = fopen(audit, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        ++lines;
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

static bool says(const char *field, const char *value)
{
    char text[128];
    snprintf(text, sizeof text, "\"%s\":\"%s\"", field, value);
    if (strstr(line, text) == NULL) {
        printf("%s is not in %s", text, line);
        return false;
    }
    return true;
}

/* Logs on; `lines` is how many the audit log must have more. */
static void log_on(CredHandle *accepts, CredHandle *initiates, SECURITY_STATUS status, const char *as, unsigned lines)
{
    struct side client = initiator(initiates), server = acceptor(accepts);
    char name[64];
    unsigned before = audited();
    shake_but_last(&client, &server);
    STATUS(answer(&server, &client), status);
    if (status == SEC_E_OK) {
        name_of(&server, name, sizeof name);
        TEXT(name, as);
        CHECK(tell(&client, &server, "let in"));
    }
    CHECK(audited() == before + lines);
    if (lines > 0) {
        CHECK(says("outcome", status == SEC_E_OK ? "accepted" : "refused") && says("package", package));
    }
    end(&client);
    end(&server);
}

typedef int32_t hash_callback(void *, const SEC_WINNT_AUTH_IDENTITY_W *, const SecBuffer *, const unsigned char *,
                              const unsigned char *, const SecBuffer *, unsigned char *);

static int32_t compute(void *argument, const SEC_WINNT_AUTH_IDENTITY_W *identity, const SecBuffer *proof,
                       const unsigned char *random_key, const unsigned char *mic, const SecBuffer *mic_value,
                       unsigned char *hash)
{
    (void)identity, (void)proof, (void)random_key, (void)mic, (void)mic_value, (void)hash;
    ++*(unsigned *)argument;
    return -1;
}

/* A function that would let nobody in, and a file that has another password of ann's. */
static void settings(CredHandle *ann, CredHandle *svc)
{
    struct settings {
        const char *sam_file;
        hash_callback *function;
        void *argument;
    };
    struct {
        SEC_WINNT_AUTH_IDENTITY_EXW identity;
        struct settings *settings;
        void *kerberos;
    } winpr = {.identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION, .Length = sizeof winpr.identity,
                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | 0x100}};
    unsigned calls = 0;
    struct settings given[] = {{NULL, compute, &calls}, {"SAM", NULL, NULL}};
    FILE *file = fopen("SAM", "w");
    MUST(file != NULL && fputs("ann:::09d491f8f7f58313645d9c74002624d1:::\n", file) >= 0 && fclose(file) == 0);
    for (int at = 0; at < 2; ++at) {
        CASE("%s: settings %d of a credential beside a store", package, at);
        CredHandle accepts;
        winpr.settings = &given[at];
        MUST(STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, &winpr, NULL, NULL, &accepts,
                                              NULL),
                    SEC_E_OK));
        log_on(&accepts, ann, SEC_E_OK, "CORP\\ann", 1);
        log_on(&accepts, svc, SEC_E_LOGON_DENIED, NULL, 1);
        CHECK(says("cause", "account/unknown-account"));
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
        CASE("%s: attributes of a context beside a store", package);
        accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        struct side client = initiator(ann), server = acceptor(&accepts);
        shake_but_last(&client, &server);
        STATUS(SetContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE, (void *)"SAM", 3),
               SEC_E_UNSUPPORTED_FUNCTION);
        STATUS(answer(&server, &client), SEC_E_OK);
        end(&client);
        end(&server);
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
    CHECK(calls == 0);
    remove("SAM");
}

/* Who it is itself, and whom it lets in. */
static void identities(CredHandle *ann, CredHandle *svc)
{
    CASE("%s: BOTH with an identity beside a store", package);
    CredHandle both = must_acquire(package, SECPKG_CRED_BOTH, SVC, SVC_PASSWORD);
    log_on(&both, ann, SEC_E_OK, "CORP\\ann", 1);
    log_on(&both, svc, SEC_E_LOGON_DENIED, NULL, 1);
    CHECK(says("cause", "account/unknown-account"));
    log_on(&both, &both, SEC_E_LOGON_DENIED, NULL, 1);
    CASE("%s: INBOUND with an identity is for that one account", package);
    CredHandle one = must_acquire(package, SECPKG_CRED_INBOUND, SVC, SVC_PASSWORD);
    log_on(&one, svc, SEC_E_OK, "svc", 0);
    log_on(&one, &both, SEC_E_OK, "svc", 0);
    log_on(&one, ann, SEC_E_LOGON_DENIED, NULL, 0);
    if (strcmp(package, "Negotiate") == 0) {
        CASE("AddCredentials changes nothing of that");
        SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)SVC, 3, NULL, 0, (unsigned char *)SVC_PASSWORD,
                                              sizeof SVC_PASSWORD - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};
        STATUS(AddCredentialsA(&both, NULL, "NTLM", SECPKG_CRED_BOTH, &identity, NULL, NULL, NULL), SEC_E_OK);
        log_on(&both, svc, SEC_E_LOGON_DENIED, NULL, 1);
        log_on(&both, ann, SEC_E_OK, "CORP\\ann", 1);
    }
    STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&one), SEC_E_OK);
}

static void password_changes(void)
{
    static const struct {
        const char *what, *user, *old, *new;
        SECURITY_STATUS status;
        const char *outcome, *cause;
    } ROWS[] = {
        {"a wrong one", BEN, "Battery-staple 8", "Another-staple 1", SEC_E_LOGON_DENIED, "refused",
         "account/wrong-proof"},
        {"nobody's", "nobody", BEN_PASSWORD, "Another-staple 1", SEC_E_LOGON_DENIED, "refused",
         "account/unknown-account"},
        {"the right one", BEN, BEN_PASSWORD, "Another-staple 1", SEC_E_OK, "accepted", "ok"},
        {"and back", BEN, "Another-staple 1", BEN_PASSWORD, SEC_E_OK, "accepted", "ok"},
        {"that must be changed", EVE, "Initial-secret 2", "Chosen-secret 1", SEC_E_LOGON_DENIED, "refused",
         "account/wrong-proof"},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: an old password: %s", package, ROWS[at].what);
        unsigned before = audited();
        STATUS(ChangeAccountPasswordA(package, "CORP", ROWS[at].user, ROWS[at].old, ROWS[at].new, FALSE, 0, NULL),
               ROWS[at].status);
        CHECK(audited() == before + 1);
        CHECK(says("mechanism", "ChangeAccountPassword") && says("package", package));
        CHECK(says("outcome", ROWS[at].outcome) && says("cause", ROWS[at].cause));
        CHECK(says("claimed_user", ROWS[at].user));
        CHECK(strstr(line, ROWS[at].old) == NULL && strstr(line, ROWS[at].new) == NULL);
    }
}

int main(int count, char **arguments)
{
    char source[512];
    MUST(count == 2);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    snprintf(audit, sizeof audit, "%s/audit.jsonl", arguments[1]);
    MUST(STATUS(PortcullisSetAuthority(source), SEC_E_OK));
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        CredHandle ann = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
        CredHandle svc = must_acquire(package, SECPKG_CRED_OUTBOUND, SVC, SVC_PASSWORD);
        settings(&ann, &svc);
        identities(&ann, &svc);
        password_changes();
        STATUS(FreeCredentialsHandle(&ann), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&svc), SEC_E_OK);
    }
    return check_done();
}
