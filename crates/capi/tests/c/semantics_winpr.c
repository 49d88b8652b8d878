/*
 * Without a store the host brings each account's secret itself, as programs for WinPR do: SEC_I_COMPLETE_NEEDED, then
 * what it sets, then CompleteAuthToken. Layouts and rules are those of WinPR 2.11 and 3.15.
 *
 *     semantics_winpr FOLDER        no PORTCULLIS_CONFIG
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>

static const char *package;
static char folder[400];
static CredHandle accepts, initiates;

/* Of ANN_PASSWORD; and HMAC-MD5 by that over "ANN" in UTF-16 (NTOWFv2, MS-NLMP 3.3.2). */
static const unsigned char NT_HASH[16] = {0x9e, 0x85, 0x2e, 0x7d, 0x74, 0x22, 0xb2, 0xed,
                                          0x11, 0x11, 0x7e, 0xc1, 0x70, 0x5d, 0xbf, 0x67};
static const unsigned char V2_HASH[16] = {0x8e, 0x98, 0x3f, 0x43, 0x7b, 0x2e, 0x4e, 0x11,
                                          0xb2, 0xa8, 0x07, 0xfd, 0xd2, 0x6c, 0x06, 0xb0};
/* Of the empty password. */
static const unsigned char EMPTY_HASH[16] = {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31,
                                             0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0};

struct auth_ntlm_hash {
    int32_t version;
    unsigned char hash[16];
};

static struct auth_ntlm_hash hash_of(int32_t version, const unsigned char *hash)
{
    struct auth_ntlm_hash made = {.version = version};
    memcpy(made.hash, hash, 16);
    return made;
}

static void waiting(struct side *client, struct side *server)
{
    *client = initiator(&initiates);
    *server = acceptor(&accepts);
    shake_but_last(client, server);
    FILL(server->expiry);
    MUST(STATUS(answer(server, client), SEC_I_COMPLETE_NEEDED));
    CHECK(server->length == 0 && server->granted == 0);
}

static SECURITY_STATUS set(struct side *server, ULONG attribute, const void *value, ULONG size)
{
    return SetContextAttributesA(&server->context, attribute, (void *)value, size);
}

/* CompleteAuthToken as FreeRDP calls it: with the output that the leg before left empty. */
static SECURITY_STATUS complete(struct side *server)
{
    SecBuffer out = {0, SECBUFFER_TOKEN, server->token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    return CompleteAuthToken(&server->context, &output);
}

static void let_in(struct side *client, struct side *server)
{
    char name[64];
    STATUS(complete(server), SEC_E_OK);
    name_of(server, name, sizeof name);
    TEXT(name, ANN);
    CHECK(tell(client, server, "let in") && tell(server, client, "and answered"));
    STATUS(complete(server), SEC_E_UNSUPPORTED_FUNCTION);
    end(client);
    end(server);
}

static void refused(struct side *client, struct side *server, SECURITY_STATUS status)
{
    STATUS(complete(server), status);
    STATUS(complete(server), SEC_E_INVALID_HANDLE);
    CHECK(!tell(server, client, "nobody"));
    end(client);
    end(server);
}

static void hashes(void)
{
    struct side client, server;
    const struct {
        const char *what;
        int32_t version;
        const unsigned char *hash;
        SECURITY_STATUS set, completed;
    } ROWS[] = {
        {"the right hash", 1, NT_HASH, SEC_E_OK, SEC_E_OK},
        {"the right NTOWFv2", 2, V2_HASH, SEC_E_OK, SEC_E_OK},
        {"a wrong hash", 1, V2_HASH, SEC_E_OK, SEC_E_LOGON_DENIED},
        {"a wrong NTOWFv2", 2, NT_HASH, SEC_E_OK, SEC_E_LOGON_DENIED},
        {"zeros", 1, (const unsigned char[16]){0}, SEC_E_INVALID_PARAMETER, SEC_E_NO_AUTHENTICATING_AUTHORITY},
        {"zeros as NTOWFv2", 2, (const unsigned char[16]){0}, SEC_E_INVALID_PARAMETER,
         SEC_E_NO_AUTHENTICATING_AUTHORITY},
        {"the empty password's", 1, EMPTY_HASH, SEC_E_INVALID_PARAMETER, SEC_E_NO_AUTHENTICATING_AUTHORITY},
        {"another version", 3, NT_HASH, SEC_E_INVALID_PARAMETER, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: %s", package, ROWS[at].what);
        waiting(&client, &server);
        struct auth_ntlm_hash value = hash_of(ROWS[at].version, ROWS[at].hash);
        STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, sizeof value), ROWS[at].set);
        if (ROWS[at].completed == SEC_E_OK) {
            let_in(&client, &server);
        } else {
            refused(&client, &server, ROWS[at].completed);
        }
    }
    CASE("%s: nothing is set", package);
    waiting(&client, &server);
    refused(&client, &server, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    CASE("%s: what cannot be set", package);
    waiting(&client, &server);
    struct auth_ntlm_hash value = hash_of(1, NT_HASH);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, 19), SEC_E_INVALID_PARAMETER);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, NULL, 20), SEC_E_INVALID_PARAMETER);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE, NULL, 0), SEC_E_INVALID_PARAMETER);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_HASH_CB, NULL, 0), SEC_E_INVALID_PARAMETER);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_MESSAGE, &value, 20), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_SERVER_CHALLENGE, &value, 20), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(set(&client, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, 20), SEC_E_UNSUPPORTED_FUNCTION);
    CASE("%s: a leg while the host is due", package);
    STATUS(answer(&server, &client), SEC_E_OUT_OF_SEQUENCE);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, 20), SEC_E_OK);
    let_in(&client, &server);
    CASE("%s: set between the legs, so that nothing is left to complete", package);
    client = initiator(&initiates);
    server = acceptor(&accepts);
    shake_but_last(&client, &server);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, 20), SEC_E_OK);
    STATUS(answer(&server, &client), SEC_E_OK);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, 20), SEC_E_INVALID_HANDLE);
    CHECK(tell(&client, &server, "at once"));
    end(&client);
    end(&server);
    CASE("%s: given up while the host is due", package);
    waiting(&client, &server);
    end(&client);
    end(&server);
    STATUS(complete(&server), SEC_E_INVALID_HANDLE);
}

static void what_the_client_sent(void)
{
    CASE("%s: what the client sent", package);
    struct side client, server;
    waiting(&client, &server);
    struct {
        char user[257], domain[257];
        char behind[8];
    } names;
    FILL(names);
    STATUS(QueryContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_IDENTITY, &names), SEC_E_OK);
    TEXT(names.user, ANN);
    TEXT(names.domain, "");
    UNTOUCHED(names.behind);
    STATUS(QueryContextAttributesExA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_IDENTITY, &names, 513),
           SEC_E_BUFFER_TOO_SMALL);
    FAILS(QueryContextAttributesW(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_IDENTITY, NULL));
    ULONG session_key = number_at(client.token, 56);
    SecBuffer parts[4];
    for (ULONG part = 0; part < 4; ++part) {
        STATUS(QueryContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_NTPROOF_VALUE + part, &parts[part]),
               SEC_E_OK);
    }
    /* Server challenge, then the client's: its version and time. */
    unsigned char *proof = parts[0].pvBuffer;
    CHECK(parts[0].cbBuffer > 36 && proof[8] == 1 && proof[9] == 1);
    CHECK(parts[1].cbBuffer == 16 && memcmp(parts[1].pvBuffer, client.token + session_key, 16) == 0);
    CHECK(parts[2].cbBuffer == 16 && memcmp(parts[2].pvBuffer, client.token + 72, 16) == 0);
    /* Three messages; the last with its MIC zeroed. */
    const unsigned char *messages = parts[3].pvBuffer;
    CHECK(parts[3].cbBuffer > client.length && memcmp(messages, "NTLMSSP\0\1", 9) == 0);
    const unsigned char *third = messages + parts[3].cbBuffer - client.length;
    static const unsigned char ZEROS[16];
    CHECK(memcmp(third, client.token, 72) == 0 && memcmp(third + 72, ZEROS, 16) == 0 &&
          memcmp(third + 88, client.token + 88, client.length - 88) == 0);
    for (int part = 0; part < 4; ++part) {
        free(parts[part].pvBuffer); /* as WinPR has it: malloc's, not ours */
    }
    struct auth_ntlm_hash value = hash_of(1, NT_HASH);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &value, sizeof value), SEC_E_OK);
    STATUS(complete(&server), SEC_E_OK);
    FILL(names);
    STATUS(QueryContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_IDENTITY, &names),
           SEC_E_UNSUPPORTED_FUNCTION);
    UNTOUCHED(names);
    end(&client);
    end(&server);
}

static void files(void)
{
    static const char *const TEXTS[] = {
        "ann:::9e852e7d7422b2ed11117ec1705dbf67:::\n",
        "# all\nben:::09d491f8f7f58313645d9c74002624d1:::\nann:::9E852E7D7422B2ED11117EC1705DBF67:::",
        "ann:::09d491f8f7f58313645d9c74002624d1:::\n",
        "Ann:::9e852e7d7422b2ed11117ec1705dbf67:::\n",
        "ann:OTHER::9e852e7d7422b2ed11117ec1705dbf67:::\n",
        "ann:::::\n",
        "ann:::00000000000000000000000000000000:::\n",
        "ann:::31d6cfe0d16ae931b73c59d7e0c089c0:::\n",
        "ann:::9e852e7d7422b2ed11117ec1705dbf:::\n",
        "",
    };
    char path[512];
    snprintf(path, sizeof path, "%s/SAM", folder);
    struct side client, server;
    for (size_t at = 0; at < sizeof TEXTS / sizeof *TEXTS; ++at) {
        CASE("%s: file %zu", package, at);
        FILE *file = fopen(path, "w");
        MUST(file != NULL && fputs(TEXTS[at], file) >= 0 && fclose(file) == 0);
        waiting(&client, &server);
        STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE, path, (ULONG)strlen(path)), SEC_E_OK);
        if (at < 2) {
            let_in(&client, &server);
        } else {
            refused(&client, &server, SEC_E_LOGON_DENIED);
        }
    }
    CASE("%s: no file", package);
    waiting(&client, &server);
    STATUS(set(&server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE, "/nonexistent/SAM", 0), SEC_E_OK);
    refused(&client, &server, SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

/* What the function is to do, and that it was called. */
struct wish {
    const unsigned char *hash;
    int32_t result;
    unsigned calls;
};

static int32_t compute(void *argument, const SEC_WINNT_AUTH_IDENTITY_W *identity, const SecBuffer *proof,
                       const unsigned char *random_key, const unsigned char *mic, const SecBuffer *mic_value,
                       unsigned char *hash)
{
    static const unsigned char ZEROS[16];
    struct wish *wish = argument;
    ++wish->calls;
    CHECK(identity->UserLength == 3 && identity->User[0] == 'a' && identity->User[2] == 'n');
    CHECK(identity->Domain == NULL && identity->DomainLength == 0 && identity->Password == NULL);
    CHECK(proof->cbBuffer > 36 && mic_value->cbBuffer > 200);
    CHECK(memcmp(random_key, ZEROS, 16) != 0 && memcmp(mic, ZEROS, 16) != 0 && memcmp(hash, ZEROS, 16) == 0);
    if (wish->hash != NULL) {
        memcpy(hash, wish->hash, 16);
    }
    return wish->result;
}

typedef int32_t hash_callback(void *, const SEC_WINNT_AUTH_IDENTITY_W *, const SecBuffer *, const unsigned char *,
                              const unsigned char *, const SecBuffer *, unsigned char *);

/* A function as the pointer that the attribute has it as. */
static void *as_pointer(hash_callback *function)
{
    void *pointer;
    memcpy(&pointer, &function, sizeof pointer);
    return pointer;
}

static void functions(void)
{
    const struct {
        const char *what;
        const unsigned char *hash;
        int32_t result;
        SECURITY_STATUS status;
    } ROWS[] = {
        {"success", V2_HASH, 1, SEC_E_OK},
        {"a hash, but no success", V2_HASH, 0, SEC_E_LOGON_DENIED},
        {"another hash", NT_HASH, 1, SEC_E_LOGON_DENIED},
        {"no hash and success", NULL, 1, SEC_E_LOGON_DENIED},
        {"no hash and failure", NULL, 0, SEC_E_LOGON_DENIED},
        {"a hash, but a failure", V2_HASH, SEC_E_NO_CREDENTIALS, SEC_E_LOGON_DENIED},
    };
    struct side client, server;
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: a function, %s", package, ROWS[at].what);
        struct wish wish = {ROWS[at].hash, ROWS[at].result, 0};
        waiting(&client, &server);
        STATUS(set(&server, PORTCULLIS_ATTR_WINPR_HASH_CB, as_pointer(compute), 0), SEC_E_OK);
        STATUS(set(&server, PORTCULLIS_ATTR_WINPR_HASH_CB_DATA, &wish, 0), SEC_E_OK);
        if (ROWS[at].status == SEC_E_OK) {
            let_in(&client, &server);
        } else {
            refused(&client, &server, ROWS[at].status);
        }
        CHECK(wish.calls == 1);
    }
}

/* FreeRDP 3 brings the settings when it acquires the credential, behind what Length counts. */
static void of_the_credential(void)
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
    char path[512];
    snprintf(path, sizeof path, "%s/SAM", folder);
    FILE *file = fopen(path, "w");
    MUST(file != NULL && fputs("ann:::9e852e7d7422b2ed11117ec1705dbf67:::\n", file) >= 0 && fclose(file) == 0);
    /* Here 0 is what newer versions mean by success. */
    struct wish wish = {V2_HASH, 0, 0};
    struct settings given[] = {{path, NULL, NULL}, {NULL, compute, &wish}};
    for (int at = 0; at < 2; ++at) {
        CASE("%s: settings %d of the credential", package, at);
        CredHandle with_settings;
        winpr.settings = &given[at];
        /* By the A function, as FreeRDP does. */
        MUST(STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, &winpr, NULL, NULL,
                                              &with_settings, NULL),
                    SEC_E_OK));
        struct side client = initiator(&initiates), server = acceptor(&with_settings);
        shake_but_last(&client, &server);
        STATUS(answer(&server, &client), SEC_E_OK);
        CHECK(tell(&client, &server, "at once"));
        end(&client);
        end(&server);
        FreeCredentialsHandle(&with_settings);
    }
    CHECK(wish.calls == 1);
    CASE("%s: no settings", package);
    CredHandle without;
    winpr.settings = NULL;
    STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, &winpr, NULL, NULL, &without, NULL),
           SEC_E_OK);
    struct side client = initiator(&initiates), server = acceptor(&without);
    shake_but_last(&client, &server);
    STATUS(answer(&server, &client), SEC_I_COMPLETE_NEEDED);
    end(&client);
    end(&server);
    FreeCredentialsHandle(&without);
}

/* One server's credential, two clients waiting for their secrets at a time. */
static void interleaved(void)
{
    CASE("%s: two at a time", package);
    struct side ann, for_ann, other, for_other;
    struct auth_ntlm_hash right = hash_of(1, NT_HASH), wrong = hash_of(1, V2_HASH);
    waiting(&ann, &for_ann);
    waiting(&other, &for_other);
    STATUS(set(&for_ann, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &right, sizeof right), SEC_E_OK);
    STATUS(set(&for_other, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &wrong, sizeof wrong), SEC_E_OK);
    refused(&other, &for_other, SEC_E_LOGON_DENIED);
    let_in(&ann, &for_ann);
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    snprintf(folder, sizeof folder, "%s", arguments[1]);
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
        hashes();
        what_the_client_sent();
        files();
        functions();
        of_the_credential();
        interleaved();
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    return check_done();
}
