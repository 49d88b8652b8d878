/*
 * Calls in random order with random handles: live ones, freed ones, of other kinds, made up; with what other threads are
 * using at the moment; NULL where something should stand; eight threads, and a fork now and then. Whatever they answer,
 * nothing crashes, nothing hangs, and afterwards all is as it should be. The random numbers are always the same ones.
 *
 *     misuse CALLS SEED [fork]        CALLS for each thread
 */
#define _GNU_SOURCE
#include "chance.h"
#include "check.h"
#include "stream.h"
#include "talk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define SECONDS 60

static PSecurityFunctionTableA a;
static PSecurityFunctionTableW w;
static atomic_ulong succeeded, failed, wrong;
/* Credentials of TLS, where the environment's CERTIFICATES names a folder of files for them. */
static CredHandle of_server, of_client;

/* Statuses that no misuse may lead to. */
static void judge(SECURITY_STATUS status, int which)
{
    if (status == SEC_E_INTERNAL_ERROR) {
        ++wrong;
        printf("call %d: SEC_E_INTERNAL_ERROR, %s\n", which, cause());
    }
    ++*(status >= 0 ? &succeeded : &failed);
}

/* A leg of either side, in the hope that something comes of it: its token goes to the next one. */
static SECURITY_STATUS any_leg(struct work *work)
{
    SecHandle credential, context, fresh = {0, 0};
    SecBuffer in = {work->length, SECBUFFER_TOKEN, work->token}, out = {2000, SECBUFFER_TOKEN, work->memory};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    SecBuffer buffers[5];
    SecBufferDesc other;
    PSecBufferDesc given = rarely(work) ? any_buffers(work, &other, buffers) : &input;
    PCtxtHandle former = below(work, 2) ? NULL : any_handle(work, &context);
    ULONG wants = below(work, 2) ? BOTH_WAYS_ACCEPT : (ULONG)chance(work), granted;
    bool allocate = (wants & ASC_REQ_ALLOCATE_MEMORY) != 0;
    if (rarely(work)) {
        out.cbBuffer = below(work, 100);
    }
    SECURITY_STATUS status =
        below(work, 2)
            ? a->AcceptSecurityContext(any_handle(work, &credential), former, given, wants, 0, &fresh, &output,
                                       &granted, NULL)
            : a->InitializeSecurityContextA(any_handle(work, &credential), former, rarely(work) ? NULL : TARGET, wants,
                                            0, 0, former == NULL && below(work, 2) ? NULL : given, 0, &fresh, &output,
                                            &granted, NULL);
    if (status >= 0) {
        keep(work, fresh);
    }
    if (out.cbBuffer > 0 && out.cbBuffer <= sizeof work->token && out.pvBuffer != NULL &&
        (status >= 0 || allocate)) {
        memcpy(work->token, out.pvBuffer, out.cbBuffer);
        work->length = out.cbBuffer;
    }
    if (allocate) {
        give_back_later(work, out.pvBuffer == work->memory ? NULL : out.pvBuffer);
    }
    return status;
}

/* Two sides that get along, kept for others to disturb. */
static SECURITY_STATUS a_pair(struct work *work)
{
    static const char *const PACKAGES[] = {"NTLM", "Negotiate"};
    SecHandle credential;
    if (any_handle(work, &credential) == NULL || below(work, 4) != 0) {
        /* Or all handles would be stale soon. */
        if (acquire(PACKAGES[below(work, 2)], SECPKG_CRED_BOTH, ANN, "", ANN_PASSWORD, &credential) < 0) {
            return SEC_E_NO_CREDENTIALS;
        }
        keep(work, credential);
    }
    struct side client = initiator(&credential), server = acceptor(&credential);
    bool good = shake(&client, &server);
    if (client.begun) {
        keep(work, client.context);
    }
    if (server.begun) {
        keep(work, server.context);
    }
    return good ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* The same over TLS, with credentials that others may have freed by then. */
static SECURITY_STATUS a_stream(struct work *work)
{
    /* It takes as long as many of the others. */
    if (folder == NULL || below(work, 16) != 0) {
        return a_pair(work);
    }
    struct end *client = client_end(&of_client), *server = server_end(&of_server);
    bool good = shake_hands(client, server);
    SECURITY_STATUS status = good ? SEC_E_OK : SEC_E_INVALID_TOKEN;
    if (client->begun) {
        keep(work, client->context);
    }
    if (server->begun) {
        keep(work, server->context);
    }
    client->begun = server->begun = false;
    end_both(client, server);
    return status;
}

/* What an attribute's pointers lead to. */
static void take_parts(struct work *work, ULONG attribute, const unsigned char *place)
{
    static const struct {
        ULONG attribute;
        int at[2];
    } PARTS[] = {{SECPKG_ATTR_NAMES, {0, -1}},     {SECPKG_ATTR_DCE_INFO, {8, -1}},
                 {SECPKG_ATTR_KEY_INFO, {0, 8}},   {SECPKG_ATTR_AUTHORITY, {0, -1}},
                 {SECPKG_ATTR_SESSION_KEY, {8, -1}}, {SECPKG_ATTR_PACKAGE_INFO, {0, -1}},
                 {SECPKG_ATTR_NATIVE_NAMES, {0, 8}}, {SECPKG_ATTR_NEGOTIATION_INFO, {0, -1}},
                 {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, {0, -1}},
                 {SECPKG_ATTR_PROTO_INFO, {0, -1}}, {SECPKG_ATTR_UNIQUE_BINDINGS, {8, -1}},
                 {SECPKG_ATTR_ENDPOINT_BINDINGS, {8, -1}}};
    void *pointer;
    for (size_t row = 0; row < sizeof PARTS / sizeof *PARTS; ++row) {
        for (int part = 0; part < 2 && PARTS[row].attribute == attribute && PARTS[row].at[part] >= 0; ++part) {
            memcpy(&pointer, place + PARTS[row].at[part], sizeof pointer);
            give_back_later(work, pointer);
        }
    }
    if (attribute == SECPKG_ATTR_ACCESS_TOKEN) {
        memcpy(&pointer, place, sizeof pointer);
        keep_token(work, pointer);
    } else if (attribute >= 1104 && attribute <= 1107) {
        memcpy(&pointer, place + 8, sizeof pointer);
        free(pointer);
    }
}

static SECURITY_STATUS any_attribute(struct work *work)
{
    static const ULONG ODD[] = {1001, 1104, 1105, 1106, 1107, 1000000, 0x80000080};
    SecHandle handle;
    unsigned char place[600];
    ULONG attribute = rarely(work) ? ODD[below(work, 7)] : below(work, 40);
    void *at = rarely(work) ? NULL : place;
    SECURITY_STATUS status = SEC_E_OK;
    switch (below(work, 6)) {
    case 0:
        status = a->QueryContextAttributesA(any_handle(work, &handle), attribute, at);
        break;
    case 1:
        status = w->QueryContextAttributesW(any_handle(work, &handle), attribute, at);
        break;
    case 2:
        status = a->QueryContextAttributesExA(any_handle(work, &handle), attribute, at, below(work, 64));
        break;
    case 3:
        status = w->QueryCredentialsAttributesW(any_handle(work, &handle), attribute, at);
        attribute = attribute == 1 ? 1 : 1000;
        break;
    case 4:
        memset(place, (int)chance(work), 32);
        return a->SetContextAttributesA(any_handle(work, &handle), rarely(work) ? attribute : 1003, at, below(work, 32));
    default:
        return w->SetCredentialsAttributesW(any_handle(work, &handle), attribute, at, below(work, 64));
    }
    if (status == SEC_E_OK && at != NULL) {
        take_parts(work, attribute, place);
    }
    return status;
}

static SECURITY_STATUS any_message(struct work *work)
{
    SecHandle handle;
    SecBuffer buffers[5] = {{16, SECBUFFER_TOKEN, work->memory}, {24, SECBUFFER_DATA, work->memory + 16}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    if (below(work, 3) == 0) {
        /* A stream's. */
        buffers[0] = (SecBuffer){5, SECBUFFER_STREAM_HEADER, work->memory};
        buffers[1] = (SecBuffer){24, SECBUFFER_DATA, work->memory + 5};
        buffers[2] = (SecBuffer){17, SECBUFFER_STREAM_TRAILER, work->memory + 29};
        buffers[3] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        desc.cBuffers = 4;
        if (below(work, 2)) {
            buffers[0].BufferType = buffers[2].BufferType = SECBUFFER_EMPTY;
            buffers[1] = (SecBuffer){46, SECBUFFER_DATA, work->memory};
        }
    }
    PSecBufferDesc message = below(work, 2) ? &desc : any_buffers(work, &desc, buffers);
    ULONG quality, *found = below(work, 2) ? NULL : &quality, qop = rarely(work) ? (ULONG)chance(work) : 0;
    switch (below(work, 4)) {
    case 0:
        return a->MakeSignature(any_handle(work, &handle), qop, message, 0);
    case 1:
        return a->VerifySignature(any_handle(work, &handle), message, 0, found);
    case 2:
        return a->EncryptMessage(any_handle(work, &handle), qop, message, 0);
    default:
        return a->DecryptMessage(any_handle(work, &handle), message, 0, found);
    }
}

static SECURITY_STATUS any_credential(struct work *work)
{
    static const char *const PACKAGES[] = {"NTLM", "Negotiate", "negotiate", "Kerberos", "", "Schannel"};
    SecHandle handle;
    const char *package = PACKAGES[below(work, 6)];
    ULONG use = below(work, 5);
    SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)ANN, 3, NULL, 0, (unsigned char *)ANN_PASSWORD,
                                          sizeof ANN_PASSWORD - 1, below(work, 2)};
    void *data = rarely(work) ? NULL : &identity;
    if (below(work, 4) == 0) {
        return a->AddCredentialsA(any_handle(work, &handle), NULL, package, use, data, NULL, NULL, NULL);
    }
    SECURITY_STATUS status =
        a->AcquireCredentialsHandleA(NULL, rarely(work) ? NULL : package, use, NULL, data, NULL, NULL, &handle, NULL);
    if (status >= 0) {
        keep(work, handle);
    }
    return status;
}

static SECURITY_STATUS any_transfer(struct work *work)
{
    SecHandle handle, fresh;
    SecBuffer packed = {sizeof work->memory, SECBUFFER_TOKEN, work->memory};
    void *token = NULL, **place = below(work, 2) ? NULL : &token;
    SECURITY_STATUS status = a->ExportSecurityContext(any_handle(work, &handle), below(work, 9), &packed, place);
    if (status < 0) {
        return rarely(work) ? a->ImportSecurityContextA("NTLM", &packed, NULL, &fresh) : status;
    }
    if (place != NULL) {
        keep_token(work, token);
    }
    if (rarely(work)) {
        ((unsigned char *)packed.pvBuffer)[below(work, packed.cbBuffer)] ^= 4;
    }
    status = a->ImportSecurityContextA(below(work, 2) ? "NTLM" : "Negotiate", &packed, NULL, &fresh);
    if (status >= 0) {
        keep(work, fresh);
    }
    give_back_later(work, packed.pvBuffer);
    return status;
}

static SECURITY_STATUS any_token(struct work *work)
{
    SecHandle handle;
    void *token = any_kept_token(work);
    PORTCULLIS_TOKEN_INFO *info = NULL;
    SECURITY_STATUS status;
    switch (below(work, 3)) {
    case 0:
        status = a->QuerySecurityContextToken(any_handle(work, &handle), rarely(work) ? NULL : &token);
        keep_token(work, token);
        return status;
    case 1:
        status = PortcullisQueryToken(token, &info);
        give_back_later(work, info);
        return status;
    default:
        return PortcullisCloseToken(token);
    }
}

static SECURITY_STATUS any_other(struct work *work)
{
    SecHandle handle;
    SecBufferDesc desc;
    SecBuffer buffers[5];
    struct sockaddr address = {.sa_family = (sa_family_t)below(work, 12)};
    ULONG count;
    PSecPkgInfoW infos = NULL;
    SECURITY_STATUS status;
    switch (below(work, 8)) {
    case 0:
        return a->CompleteAuthToken(any_handle(work, &handle), any_buffers(work, &desc, buffers));
    case 1:
        return a->ApplyControlToken(any_handle(work, &handle), any_buffers(work, &desc, buffers));
    case 2:
        return a->ImpersonateSecurityContext(any_handle(work, &handle));
    case 3:
        return a->RevertSecurityContext(any_handle(work, &handle));
    case 4:
        return PortcullisSetPeerAddress(any_handle(work, &handle), rarely(work) ? NULL : &address,
                                        below(work, sizeof address));
    case 5:
        return PortcullisRequireContextFlags(any_handle(work, &handle), below(work, 2) ? 0 : (ULONG)chance(work));
    case 6:
        status = w->EnumerateSecurityPackagesW(rarely(work) ? NULL : &count, &infos);
        give_back_later(work, infos);
        return status;
    default:
        return a->ChangeAccountPasswordA("NTLM", "", ANN, "x", "y", FALSE, 0, any_buffers(work, &desc, buffers));
    }
}

static SECURITY_STATUS any_freeing(struct work *work)
{
    SecHandle handle;
    switch (below(work, 4)) {
    case 0:
        return a->FreeCredentialsHandle(rarely(work) ? any_handle(work, &handle) : NULL);
    case 1:
        return a->FreeContextBuffer(rarely(work) ? work : given_back(work));
    default:
        return a->DeleteSecurityContext(any_handle(work, &handle));
    }
}

static SECURITY_STATUS any_call(struct work *work, ULONG which)
{
    SECURITY_STATUS (*const CALLS[])(struct work *) = {any_leg, any_leg, any_leg, a_pair, a_stream, any_attribute, any_message,
                                                       any_message, any_credential, any_transfer, any_token, any_other,
                                                       any_freeing};
    return CALLS[which](work);
}

/* A context of one's own is as it should be, whatever others do. */
static bool all_is_well(void)
{
    CredHandle credential;
    if (acquire("NTLM", SECPKG_CRED_BOTH, ANN, "", ANN_PASSWORD, &credential) != SEC_E_OK) {
        return false;
    }
    struct side client = initiator(&credential), server = acceptor(&credential);
    bool good = shake(&client, &server) && tell(&client, &server, "well") && tell(&server, &client, "as well");
    end(&client);
    end(&server);
    return FreeCredentialsHandle(&credential) == SEC_E_OK && good;
}

static void *misuse(void *argument)
{
    struct work *work = argument;
    for (unsigned long call = 0; call < work->calls; ++call) {
        ULONG which = below(work, 13);
        judge(any_call(work, which), (int)which);
        if (work->forks && call % (work->calls / 4) == 0) {
            pid_t child = fork();
            if (child == 0) {
                alarm(SECONDS);
                for (int more = 0; more < 200; ++more) {
                    any_call(work, below(work, 13));
                }
                bool good = all_is_well() && wrong == 0;
                if (below(work, 2)) {
                    exit(good ? 0 : 1);
                }
                _exit(good ? 0 : 1);
            }
            int status = 1;
            CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
        }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    static struct work works[THREADS];
    pthread_t threads[THREADS];
    MUST(count >= 3);
    setvbuf(stdout, NULL, _IONBF, 0);
    a = InitSecurityInterfaceA();
    w = InitSecurityInterfaceW();
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 8; ++at) {
        CredHandle credential = must_acquire(packages[at % 2], at < 6 ? SECPKG_CRED_BOTH : SECPKG_CRED_OUTBOUND, ANN,
                                             ANN_PASSWORD);
        keep(&works[0], credential);
    }
    folder = getenv("CERTIFICATES");
    if (folder != NULL) {
        of_server = server_of("server", NULL, 0);
        of_client = client_of(NULL, "ca.pem", 0);
        keep(&works[0], of_server);
        keep(&works[0], of_client);
    }
    for (size_t number = 0; number < THREADS; ++number) {
        works[number].state = strtoull(arguments[2], NULL, 10) * THREADS + number;
        works[number].calls = strtoul(arguments[1], NULL, 10);
        /* One thread forks: its children are copies of a process in which seven others were at work. */
        works[number].forks = number == 0 && count == 4;
        MUST(pthread_create(&threads[number], NULL, misuse, &works[number]) == 0);
    }
    for (size_t number = 0; number < THREADS; ++number) {
        pthread_join(threads[number], NULL);
    }
    give_all_back();
    CHECK(all_is_well());
    CHECK(wrong == 0 && succeeded > 0 && failed > 0);
    printf("%lu calls succeeded, %lu failed\n", (unsigned long)succeeded, (unsigned long)failed);
    return check_done();
}
