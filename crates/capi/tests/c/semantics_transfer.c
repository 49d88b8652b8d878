/*
 * A context goes over to another process, and the account behind a context as a token.
 *
 *     semantics_transfer pretends|honest FOLDER     PORTCULLIS_CONFIG names a store, and a file for the key
 *     semantics_transfer import PACKAGE FOLDER      the other process
 *
 * `pretends` where the configuration has danger_pretend_impersonation.
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static CredHandle accepts, initiates;
static const char *package;

static void established(struct side *client, struct side *server)
{
    *client = initiator(&initiates);
    *server = acceptor(&accepts);
    MUST(shake(client, server));
}

/* The same side, with its context from an export; what was exported stays in `packed`. */
static struct side moved(struct side *side, ULONG flags, SecBuffer *packed)
{
    struct side there = *side;
    FILL(*packed);
    packed->BufferType = SECBUFFER_DATA | SECBUFFER_READONLY;
    MUST(STATUS(ExportSecurityContext(&side->context, flags, packed, NULL), SEC_E_OK));
    CHECK(packed->BufferType == (SECBUFFER_TOKEN | SECBUFFER_READONLY) && packed->cbBuffer > 0);
    MUST(STATUS(ImportSecurityContextA(package, packed, NULL, &there.context), SEC_E_OK));
    CHECK(memcmp(&there.context, &side->context, sizeof there.context) != 0);
    return there;
}

static void in_one_process(void)
{
    struct side client, server;
    SecBuffer packed, other;
    char name[64];
    CASE("%s: exported and imported", package);
    established(&client, &server);
    CHECK(tell(&client, &server, "before") && tell(&server, &client, "before, back"));
    struct side there = moved(&server, 0, &packed);
    name_of(&there, name, sizeof name);
    TEXT(name, "CORP\\ann");
    SecPkgContext_SessionKey keys[2];
    STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_SESSION_KEY, &keys[0]), SEC_E_OK);
    STATUS(QueryContextAttributesA(&there.context, SECPKG_ATTR_SESSION_KEY, &keys[1]), SEC_E_OK);
    CHECK(memcmp(keys[0].SessionKey, keys[1].SessionKey, 16) == 0);
    FreeContextBuffer(keys[0].SessionKey);
    FreeContextBuffer(keys[1].SessionKey);
    CHECK(tell(&client, &there, "goes on there") && tell(&there, &client, "and back"));
    CASE("%s: an imported context takes part in no handshake", package);
    there.begun = true;
    STATUS(answer(&there, &client), SEC_E_INVALID_HANDLE);
    CHECK(tell(&client, &there, "still there"));
    CASE("%s: exported again", package);
    struct side again = moved(&there, 0, &other);
    CHECK(tell(&client, &again, "third place") && tell(&again, &client, "back"));
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    STATUS(FreeContextBuffer(other.pvBuffer), SEC_E_OK);
    end(&again);
    end(&there);
    end(&server);
    end(&client);

    CASE("%s: DELETE_OLD", package);
    established(&client, &server);
    there = moved(&server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed);
    SecPkgContext_NamesA names;
    STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names), SEC_E_INVALID_HANDLE);
    CHECK(!tell(&server, &client, "the old one"));
    CHECK(tell(&there, &client, "the new one") && tell(&client, &there, "back"));
    STATUS(DeleteSecurityContext(&server.context), SEC_E_OK);
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    end(&there);
    end(&client);

    CASE("%s: RESET_NEW", package);
    established(&client, &server);
    CHECK(tell(&client, &server, "counted") && tell(&client, &server, "counted too"));
    struct side new_client = moved(&client, SECPKG_CONTEXT_EXPORT_RESET_NEW, &packed);
    there = moved(&server, SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD, &other);
    CHECK(tell(&new_client, &there, "from the beginning") && tell(&there, &new_client, "both ways"));
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    STATUS(FreeContextBuffer(other.pvBuffer), SEC_E_OK);
    end(&new_client);
    end(&there);
    end(&client);
    STATUS(DeleteSecurityContext(&server.context), SEC_E_OK);
}

static void what_cannot_be(void)
{
    struct side client, server;
    SecBuffer packed, none;
    CtxtHandle fresh;
    FILL(none);
    FILL(fresh);
    CASE("%s: what cannot be exported", package);
    established(&client, &server);
    STATUS(ExportSecurityContext(&server.context, SECPKG_CONTEXT_EXPORT_TO_KERNEL, &none, NULL),
           SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(ExportSecurityContext(&server.context, 8, &none, NULL), SEC_E_INVALID_PARAMETER);
    STATUS(ExportSecurityContext(&server.context, 0, NULL, NULL), SEC_E_INVALID_PARAMETER);
    UNTOUCHED(none);
    CASE("%s: what cannot be imported", package);
    const char *other = strcmp(package, "NTLM") == 0 ? "Negotiate" : "NTLM";
    struct side there = moved(&server, 0, &packed);
    end(&there);
    FAILS(ImportSecurityContextA(other, &packed, NULL, &fresh));
    STATUS(ImportSecurityContextA("WDigest", &packed, NULL, &fresh), SEC_E_SECPKG_NOT_FOUND);
    FAILS(ImportSecurityContextA("Kerberos", &packed, NULL, &fresh));
    STATUS(ImportSecurityContextW(NULL, &packed, NULL, &fresh), SEC_E_SECPKG_NOT_FOUND);
    STATUS(ImportSecurityContextA(package, NULL, NULL, &fresh), SEC_E_INVALID_PARAMETER);
    STATUS(ImportSecurityContextA(package, &packed, NULL, NULL), SEC_E_INVALID_PARAMETER);
    unsigned char *bytes = packed.pvBuffer;
    SecBuffer bad = packed;
    for (ULONG at = 0; at < packed.cbBuffer; at += 7) {
        bytes[at] ^= 0x10;
        FAILS(ImportSecurityContextA(package, &packed, NULL, &fresh));
        bytes[at] ^= 0x10;
        bad.cbBuffer = at;
        FAILS(ImportSecurityContextA(package, &bad, NULL, &fresh));
    }
    bad = (SecBuffer){packed.cbBuffer, SECBUFFER_TOKEN, NULL};
    FAILS(ImportSecurityContextA(package, &bad, NULL, &fresh));
    UNTOUCHED(fresh);
    STATUS(ImportSecurityContextW(wide(package), &packed, NULL, &fresh), SEC_E_OK);
    STATUS(DeleteSecurityContext(&fresh), SEC_E_OK);
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    end(&client);
    end(&server);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t length)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    MUST(file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

static size_t read_file(const char *folder, const char *name, void *bytes, size_t room)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    MUST(file != NULL);
    size_t length = fread(bytes, 1, room, file);
    fclose(file);
    return length;
}

static void into_another_process(const char *self, const char *folder)
{
    CASE("%s: into another process", package);
    struct side client, server;
    SecBuffer packed;
    established(&client, &server);
    CHECK(tell(&client, &server, "one before"));
    FILL(packed);
    MUST(STATUS(ExportSecurityContext(&server.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL), SEC_E_OK));
    write_file(folder, "context", packed.pvBuffer, packed.cbBuffer);
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    unsigned char question[16 + 8] = {0}, reply[16 + 8];
    memcpy(question + 16, "question", 8);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, question}, {8, SECBUFFER_DATA, question + 16}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    STATUS(EncryptMessage(&client.context, 0, &message, 0), SEC_E_OK);
    write_file(folder, "question", question, sizeof question);
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "import", package, folder, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(read_file(folder, "reply", reply, sizeof reply) == sizeof reply);
    buffers[0].pvBuffer = reply;
    buffers[1].pvBuffer = reply + 16;
    STATUS(DecryptMessage(&client.context, &message, 0, NULL), SEC_E_OK);
    CHECK(memcmp(reply + 16, "answered", 8) == 0);
    end(&client);
    end(&server);
}

static int the_other_process(const char *folder)
{
    static unsigned char bytes[65536];
    unsigned char question[16 + 8];
    SecBuffer packed = {(ULONG)read_file(folder, "context", bytes, sizeof bytes), SECBUFFER_TOKEN, bytes};
    struct side there = {.accepts = true, .begun = true};
    MUST(STATUS(ImportSecurityContextA(package, &packed, NULL, &there.context), SEC_E_OK));
    char name[64];
    name_of(&there, name, sizeof name);
    TEXT(name, "CORP\\ann");
    CHECK(read_file(folder, "question", question, sizeof question) == sizeof question);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, question}, {8, SECBUFFER_DATA, question + 16}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    STATUS(DecryptMessage(&there.context, &message, 0, NULL), SEC_E_OK);
    CHECK(memcmp(question + 16, "question", 8) == 0);
    memcpy(question + 16, "answered", 8);
    STATUS(EncryptMessage(&there.context, 0, &message, 0), SEC_E_OK);
    write_file(folder, "reply", question, sizeof question);
    void *token;
    STATUS(QuerySecurityContextToken(&there.context, &token), SEC_E_OK);
    STATUS(PortcullisCloseToken(token), SEC_E_OK);
    end(&there);
    return check_done();
}

static void token_says(HANDLE token)
{
    PORTCULLIS_TOKEN_INFO *info = NULL;
    STATUS(PortcullisQueryToken(token, NULL), SEC_E_INVALID_PARAMETER);
    MUST(STATUS(PortcullisQueryToken(token, &info), SEC_E_OK));
    CHECK(info->Size == sizeof *info && info->Level == PORTCULLIS_TOKEN_IMPERSONATE && info->LogonId != 0);
    TEXT(info->User, "CORP\\ann");
    CHECK(strncmp(info->UserSid, "S-1-5-21-", 9) == 0);
    bool users = false, ntlm = false;
    for (ULONG group = 0; group < info->GroupCount; ++group) {
        users = users || strcmp(info->GroupSids[group] + strlen(info->GroupSids[group]) - 4, "-513") == 0;
        ntlm = ntlm || strcmp(info->GroupSids[group], "S-1-5-64-10") == 0;
    }
    CHECK(users && ntlm);
    STATUS(FreeContextBuffer(info), SEC_E_OK);
}

static void tokens(bool pretends)
{
    struct side client, server;
    CASE("%s: tokens", package);
    established(&client, &server);
    void *one = NULL, *two = NULL;
    STATUS(QuerySecurityContextToken(&server.context, &one), SEC_E_OK);
    STATUS(QuerySecurityContextToken(&server.context, &two), SEC_E_OK);
    STATUS(QuerySecurityContextToken(&server.context, NULL), SEC_E_INVALID_PARAMETER);
    CHECK(one != two);
    token_says(one);
    STATUS(PortcullisCloseToken(one), SEC_E_OK);
    STATUS(PortcullisCloseToken(one), SEC_E_INVALID_HANDLE);
    PORTCULLIS_TOKEN_INFO *info;
    FILL(info);
    STATUS(PortcullisQueryToken(one, &info), SEC_E_INVALID_HANDLE);
    UNTOUCHED(info);
    SecPkgContext_AccessToken of_context[2];
    STATUS(QueryContextAttributesA(&server.context, SECPKG_ATTR_ACCESS_TOKEN, &of_context[0]), SEC_E_OK);
    STATUS(QueryContextAttributesW(&server.context, SECPKG_ATTR_ACCESS_TOKEN, &of_context[1]), SEC_E_OK);
    CHECK(of_context[0].AccessToken == of_context[1].AccessToken && of_context[0].AccessToken != two);
    token_says(of_context[0].AccessToken);
    SecBuffer packed;
    FILL(packed);
    void *exported;
    FILL(exported);
    STATUS(ExportSecurityContext(&server.context, 0, &packed, &exported), SEC_E_OK);
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    token_says(exported);
    STATUS(PortcullisCloseToken(exported), SEC_E_OK);

    CASE("%s: an initiator has no token of its peer", package);
    FILL(one);
    STATUS(QuerySecurityContextToken(&client.context, &one), SEC_E_NO_IMPERSONATION);
    UNTOUCHED(one);
    STATUS(ImpersonateSecurityContext(&client.context), SEC_E_NO_IMPERSONATION);
    STATUS(ExportSecurityContext(&client.context, 0, &packed, &one), SEC_E_OK);
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    CHECK(one == NULL);

    CASE("%s: acting for the client", package);
    SECURITY_STATUS expected = pretends ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
    STATUS(ImpersonateSecurityContext(&server.context), expected);
    STATUS(RevertSecurityContext(&server.context), expected);

    CASE("%s: a token outlives its context, unless it is the context's", package);
    end(&server);
    token_says(two);
    STATUS(PortcullisQueryToken(of_context[0].AccessToken, &info), SEC_E_INVALID_HANDLE);
    STATUS(PortcullisCloseToken(of_context[0].AccessToken), SEC_E_INVALID_HANDLE);
    STATUS(PortcullisCloseToken(two), SEC_E_OK);
    end(&client);
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "import") == 0) {
        package = arguments[2];
        return the_other_process(arguments[3]);
    }
    MUST(count == 3);
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
        in_one_process();
        what_cannot_be();
        into_another_process(arguments[0], arguments[2]);
        tokens(strcmp(arguments[1], "pretends") == 0);
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    return check_done();
}
