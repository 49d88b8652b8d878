/* A server in C as a peer of the benches: answers `accept N` and `seal BYTES N`, one line each, through the function table
 * of a module that it loads, and through nothing else of it. The same program runs over libportcullis and over libwinpr2.
 *
 *     peer MODULE account|hash
 *
 * `account`: the acceptor's credential has the account's name and password (libportcullis alone knows that).
 * `hash`: the server sets the account's NT hash when the AUTHENTICATE is there, and CompleteAuthToken judges: WinPR's way,
 * which libportcullis has too.
 *
 * The client is the module's own. Counted as the server's: both AcceptSecurityContext, in `hash` also
 * SetContextAttributes and CompleteAuthToken, and DeleteSecurityContext. All times are CPU time of this thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <portcullis/sspi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, ROOM = 1024, SIGNATURE = 16 };

typedef struct {
    unsigned char bytes[ROOM];
    ULONG length;
} Token;

typedef struct {
    CredHandle inbound;
    CtxtHandle client, server;
    Token negotiate, challenge, authenticate;
} Logon;

static SecurityFunctionTableA *table;
static CredHandle inbound, outbound;
static bool sets_hash;
static Logon logons[BATCH];

/* SecPkgContext_AuthNtlmHash: the NT hash of the account's password. */
static struct {
    int version;
    unsigned char hash[16];
} nt_hash = {1, {0x15, 0x6a, 0xa7, 0xc9, 0x45, 0x63, 0x5a, 0x29, 0x7b, 0x5c, 0xd3, 0x68, 0x0f, 0x94, 0x67, 0xdd}};

static void must(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "c: %s failed\n", what);
    exit(1);
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The heap, counted: these stand before the C library's own for every module of the process. Rust's allocator is built on
 * them. */
static bool counting;
static unsigned long allocations;
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

void *malloc(size_t size) {
    allocations += counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations += counting;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations += counting;
    return __libc_realloc(old, size);
}

static SECURITY_STATUS acquire(ULONG direction, const char *password, CredHandle *made) {
    SEC_WINNT_AUTH_IDENTITY_A ann = {(unsigned char *)"ann",    3, (unsigned char *)"CORP",        4,
                                     (unsigned char *)password, 0, SEC_WINNT_AUTH_IDENTITY_ANSI};
    if (password) ann.PasswordLength = (ULONG)strlen(password);
    TimeStamp expiry;
    return table->AcquireCredentialsHandleA(NULL, "NTLM", direction, NULL, password ? &ann : NULL, NULL, NULL, made,
                                            &expiry);
}

static SECURITY_STATUS client_step(CredHandle *credential, Logon *l, Token *in, Token *out) {
    SecBuffer i = {in ? in->length : 0, SECBUFFER_TOKEN, in ? in->bytes : NULL}, o = {ROOM, SECBUFFER_TOKEN, out->bytes};
    SecBufferDesc id = {SECBUFFER_VERSION, 1, &i}, od = {SECBUFFER_VERSION, 1, &o};
    ULONG wants = ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_USE_SESSION_KEY, granted = 0;
    TimeStamp expiry;
    SECURITY_STATUS status = table->InitializeSecurityContextA(
        credential, in ? &l->client : NULL, "HTTP/web1.corp.example", wants, 0, SECURITY_NATIVE_DREP, in ? &id : NULL, 0,
        &l->client, &od, &granted, &expiry);
    if (status == SEC_I_COMPLETE_NEEDED) status = table->CompleteAuthToken(&l->client, &od);
    out->length = o.cbBuffer;
    return status;
}

static SECURITY_STATUS server_step(Logon *l, bool first, Token *in, Token *out) {
    SecBuffer i = {in->length, SECBUFFER_TOKEN, in->bytes}, o = {ROOM, SECBUFFER_TOKEN, out->bytes};
    SecBufferDesc id = {SECBUFFER_VERSION, 1, &i}, od = {SECBUFFER_VERSION, 1, &o};
    ULONG wants = ASC_REQ_CONFIDENTIALITY | ASC_REQ_CONNECTION | ASC_REQ_USE_SESSION_KEY | ASC_REQ_REPLAY_DETECT |
                  ASC_REQ_SEQUENCE_DETECT;
    ULONG granted = 0;
    TimeStamp expiry;
    SECURITY_STATUS status = table->AcceptSecurityContext(&l->inbound, first ? NULL : &l->server, &id, wants,
                                                          SECURITY_NATIVE_DREP, &l->server, &od, &granted, &expiry);
    if (status == SEC_I_COMPLETE_NEEDED && sets_hash) {
        must(table->SetContextAttributesA(&l->server, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &nt_hash, sizeof nt_hash) ==
                 SEC_E_OK,
             "the hash");
        status = table->CompleteAuthToken(&l->server, &od);
    }
    out->length = o.cbBuffer;
    return status;
}

static void make_challenge(Logon *l) {
    must(server_step(l, true, &l->negotiate, &l->challenge) == SEC_I_CONTINUE_NEEDED, "the CHALLENGE");
}

static SECURITY_STATUS judge(Logon *l) {
    static Token none;
    return server_step(l, false, &l->authenticate, &none);
}

/* WinPR keeps the peer's identity in the credential: where it judges, each logon needs one of its own. */
static void begin(CredHandle *credential, Logon *l) {
    l->inbound = inbound;
    if (sets_hash) must(acquire(SECPKG_CRED_INBOUND, NULL, &l->inbound) == SEC_E_OK, "the server's credential");
    must(client_step(credential, l, NULL, &l->negotiate) == SEC_I_CONTINUE_NEEDED, "the NEGOTIATE");
}

static void answer(CredHandle *credential, Logon *l) {
    SECURITY_STATUS status = client_step(credential, l, &l->challenge, &l->authenticate);
    must(status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED, "the client");
}

static void end(Logon *l) {
    table->DeleteSecurityContext(&l->client);
    if (sets_hash) table->FreeCredentialsHandle(&l->inbound);
}

static double accept_batch(void) {
    for (int n = 0; n < BATCH; n++) begin(&outbound, &logons[n]);
    double start = cpu();
    for (int n = 0; n < BATCH; n++) make_challenge(&logons[n]);
    double first = cpu() - start;
    for (int n = 0; n < BATCH; n++) answer(&outbound, &logons[n]);
    start = cpu();
    for (int n = 0; n < BATCH; n++) {
        must(judge(&logons[n]) == SEC_E_OK, "the AUTHENTICATE");
        table->DeleteSecurityContext(&logons[n].server);
    }
    double second = cpu() - start;
    for (int n = 0; n < BATCH; n++) end(&logons[n]);
    return first + second;
}

static void run_accept(int n) {
    int batches = (n + BATCH - 1) / BATCH;
    double time = 0;
    for (int i = 0; i < batches; i++) time += accept_batch();

    Logon *l = &logons[0];
    begin(&outbound, l);
    allocations = 0;
    counting = true;
    make_challenge(l);
    counting = false;
    answer(&outbound, l);
    counting = true;
    must(judge(l) == SEC_E_OK, "the AUTHENTICATE");
    table->DeleteSecurityContext(&l->server);
    counting = false;
    end(l);
    printf("accept_us=%f allocations=%lu challenge_bytes=%u authenticate_bytes=%u\n", time * 1e6 / (batches * BATCH),
           allocations, (unsigned)l->challenge.length, (unsigned)l->authenticate.length);
}

typedef struct {
    size_t size;
    unsigned char *data;
    unsigned char signature[SIGNATURE];
} Message;

static void seal(CtxtHandle *context, Message *m) {
    SecBuffer b[2] = {{SIGNATURE, SECBUFFER_TOKEN, m->signature}, {(ULONG)m->size, SECBUFFER_DATA, m->data}};
    SecBufferDesc d = {SECBUFFER_VERSION, 2, b};
    must(table->EncryptMessage(context, 0, &d, 0) == SEC_E_OK, "EncryptMessage");
}

static void unseal(CtxtHandle *context, Message *m) {
    SecBuffer b[2] = {{SIGNATURE, SECBUFFER_TOKEN, m->signature}, {(ULONG)m->size, SECBUFFER_DATA, m->data}};
    SecBufferDesc d = {SECBUFFER_VERSION, 2, b};
    ULONG quality = 0;
    must(table->DecryptMessage(context, &d, 0, &quality) == SEC_E_OK, "DecryptMessage");
}

static bool is_plain(const Message *m) {
    for (size_t i = 0; i < m->size; i++)
        if (m->data[i] != 0x5a) return false;
    return true;
}

static void run_seal(size_t size, int n) {
    Logon *l = &logons[0];
    begin(&outbound, l);
    make_challenge(l);
    answer(&outbound, l);
    must(judge(l) == SEC_E_OK, "the AUTHENTICATE");
    unsigned char *data = malloc(size * (size_t)n);
    Message *messages = malloc(sizeof *messages * (size_t)n);
    must(data && messages, "memory");
    memset(data, 0x5a, size * (size_t)n);
    for (int i = 0; i < n; i++) messages[i] = (Message){size, data + size * (size_t)i, {0}};

    double sealed = cpu();
    for (int i = 0; i < n; i++) seal(&l->server, &messages[i]);
    sealed = cpu() - sealed;
    for (int i = 0; i < n; i++) {
        must(!is_plain(&messages[i]), "the encryption");
        unseal(&l->client, &messages[i]);
        must(is_plain(&messages[i]), "the way to the client");
        seal(&l->client, &messages[i]);
    }
    double unsealed = cpu();
    for (int i = 0; i < n; i++) unseal(&l->server, &messages[i]);
    unsealed = cpu() - unsealed;
    for (int i = 0; i < n; i++) must(is_plain(&messages[i]), "the way to the server");

    allocations = 0;
    counting = true;
    seal(&l->server, &messages[0]);
    counting = false;
    double bytes = (double)size * n / 1e6;
    printf("seal=%f unseal=%f seal_allocations=%lu\n", bytes / sealed, bytes / unsealed, allocations);
    free(data);
    free(messages);
    table->DeleteSecurityContext(&l->server);
    end(l);
}

/* A peer that lets everybody in would be fast. */
static bool refuses(const char *password) {
    CredHandle other;
    must(acquire(SECPKG_CRED_OUTBOUND, password, &other) == SEC_E_OK, "another client's credential");
    Logon *l = &logons[0];
    begin(&other, l);
    make_challenge(l);
    answer(&other, l);
    SECURITY_STATUS status = judge(l);
    table->DeleteSecurityContext(&l->server);
    end(l);
    table->FreeCredentialsHandle(&other);
    return status != SEC_E_OK;
}

int main(int argc, char **argv) {
    must(argc == 3, "usage: peer MODULE account|hash");
    void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!module) fprintf(stderr, "%s\n", dlerror());
    must(module != NULL, "dlopen");
    /* WinPR's own name first: its InitSecurityInterfaceA may give the table of another library that it finds. */
    SecurityFunctionTableA *(*by_flags)(ULONG) = (SecurityFunctionTableA * (*)(ULONG)) dlsym(module, "InitSecurityInterfaceExA");
    INIT_SECURITY_INTERFACE_A plain = (INIT_SECURITY_INTERFACE_A)dlsym(module, "InitSecurityInterfaceA");
    table = by_flags ? by_flags(0) : plain ? plain() : NULL;
    must(table != NULL, "the function table");
    sets_hash = strcmp(argv[2], "hash") == 0;
    must(sets_hash || strcmp(argv[2], "account") == 0, "account or hash");

    static const char password[] = "Bench.Passw0rd";
    must(acquire(SECPKG_CRED_OUTBOUND, password, &outbound) == SEC_E_OK, "the client's credential");
    if (!sets_hash) must(acquire(SECPKG_CRED_INBOUND, password, &inbound) == SEC_E_OK, "the server's credential");
    must(refuses("Another.Passw0rd"), "the refusal of a wrong password");

    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        int n = 0;
        size_t size = 0;
        if (sscanf(line, "accept %d", &n) == 1) run_accept(n);
        else if (sscanf(line, "seal %zu %d", &size, &n) == 2) run_seal(size, n);
        else must(false, "an unknown command");
        fflush(stdout);
    }
    return 0;
}
