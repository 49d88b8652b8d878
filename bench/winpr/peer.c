/* WinPR's NTLM acceptor as a peer of the benches: answers `accept N` and `seal BYTES N`, one line each.
 *
 * The server holds the account's NT hash and hands it out by WinPR's hash callback, which is what a store would do.
 * The client is WinPR's own. Counted as the server's: both AcceptSecurityContext, the attributes that name the
 * callback, CompleteAuthToken (where it judges) and DeleteSecurityContext. All times are CPU time of this thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winpr/ntlm.h>
#include <winpr/ssl.h>
#include <winpr/sspi.h>

enum { BATCH = 64, ROOM = 4096 };

typedef struct {
    BYTE bytes[ROOM];
    ULONG length;
} Token;

typedef struct {
    CredHandle inbound;
    CtxtHandle client, server;
    Token negotiate, challenge, authenticate;
} Logon;

static SecurityFunctionTableA *table;
static CredHandle outbound;
static BYTE nt_hash[16];
static Logon logons[BATCH];

static void must(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "winpr: %s failed\n", what);
        exit(1);
    }
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* 1 means success in the 2.x series. */
static SECURITY_STATUS give_hash(void *client, const SEC_WINNT_AUTH_IDENTITY *who, const SecBuffer *proof,
                                 const BYTE *key, const BYTE *mic, const SecBuffer *covered, BYTE *out) {
    (void)client, (void)proof, (void)key, (void)mic, (void)covered;
    NTOWFv2FromHashW(nt_hash, (LPWSTR)who->User, who->UserLength * 2, (LPWSTR)who->Domain, who->DomainLength * 2, out);
    return 1;
}

static SECURITY_STATUS client_step(Logon *l, Token *in, Token *out) {
    SecBuffer i = {in ? in->length : 0, SECBUFFER_TOKEN, in ? in->bytes : NULL}, o = {ROOM, SECBUFFER_TOKEN, out->bytes};
    SecBufferDesc id = {SECBUFFER_VERSION, 1, &i}, od = {SECBUFFER_VERSION, 1, &o};
    ULONG wants = ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_USE_SESSION_KEY, granted = 0;
    TimeStamp expiry;
    SECURITY_STATUS status = table->InitializeSecurityContextA(
        &outbound, in ? &l->client : NULL, "HTTP/web1.corp.example", wants, 0, SECURITY_NATIVE_DREP, in ? &id : NULL, 0,
        &l->client, &od, &granted, &expiry);
    if (status == SEC_I_COMPLETE_NEEDED) status = table->CompleteAuthToken(&l->client, &od);
    out->length = o.cbBuffer;
    return status;
}

static SECURITY_STATUS server_step(Logon *l, int first, Token *in, Token *out, SecBufferDesc *od) {
    SecBuffer i = {in->length, SECBUFFER_TOKEN, in->bytes};
    SecBufferDesc id = {SECBUFFER_VERSION, 1, &i};
    ULONG wants = ASC_REQ_CONFIDENTIALITY | ASC_REQ_CONNECTION | ASC_REQ_USE_SESSION_KEY | ASC_REQ_REPLAY_DETECT |
                  ASC_REQ_SEQUENCE_DETECT;
    ULONG granted = 0;
    TimeStamp expiry;
    *od->pBuffers = (SecBuffer){ROOM, SECBUFFER_TOKEN, out->bytes};
    SECURITY_STATUS status = table->AcceptSecurityContext(&l->inbound, first ? NULL : &l->server, &id, wants,
                                                          SECURITY_NATIVE_DREP, &l->server, od, &granted, &expiry);
    out->length = od->pBuffers->cbBuffer;
    return status;
}

static void make_challenge(Logon *l) {
    SecBuffer o;
    SecBufferDesc od = {SECBUFFER_VERSION, 1, &o};
    must(server_step(l, 1, &l->negotiate, &l->challenge, &od) == SEC_I_CONTINUE_NEEDED, "the CHALLENGE");
}

static void judge(Logon *l) {
    static Token none;
    SecBuffer o;
    SecBufferDesc od = {SECBUFFER_VERSION, 1, &o};
    must(server_step(l, 0, &l->authenticate, &none, &od) == SEC_I_COMPLETE_NEEDED, "the AUTHENTICATE");
    table->SetContextAttributesA(&l->server, SECPKG_ATTR_AUTH_NTLM_HASH_CB, (void *)give_hash, 0);
    table->SetContextAttributesA(&l->server, SECPKG_ATTR_AUTH_NTLM_HASH_CB_DATA, &l->server, 0);
    must(table->CompleteAuthToken(&l->server, &od) == SEC_E_OK, "CompleteAuthToken");
}

/* WinPR keeps the peer's identity in the credential: each logon needs one of its own. */
static void begin(Logon *l) {
    SECURITY_STATUS status = table->AcquireCredentialsHandleA(NULL, (SEC_CHAR *)"NTLM", SECPKG_CRED_INBOUND, NULL, NULL,
                                                              NULL, NULL, &l->inbound, NULL);
    must(status == SEC_E_OK, "the credential");
    must(client_step(l, NULL, &l->negotiate) == SEC_I_CONTINUE_NEEDED, "the NEGOTIATE");
}

static void answer(Logon *l) {
    SECURITY_STATUS status = client_step(l, &l->challenge, &l->authenticate);
    must(status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED, "the client");
}

static double accept_batch(void) {
    for (int n = 0; n < BATCH; n++) begin(&logons[n]);
    double start = cpu();
    for (int n = 0; n < BATCH; n++) make_challenge(&logons[n]);
    double first = cpu() - start;
    for (int n = 0; n < BATCH; n++) answer(&logons[n]);
    start = cpu();
    for (int n = 0; n < BATCH; n++) {
        judge(&logons[n]);
        table->DeleteSecurityContext(&logons[n].server);
    }
    double second = cpu() - start;
    for (int n = 0; n < BATCH; n++) {
        table->DeleteSecurityContext(&logons[n].client);
        table->FreeCredentialsHandle(&logons[n].inbound);
    }
    return first + second;
}

static void run_accept(int n) {
    int batches = (n + BATCH - 1) / BATCH;
    double time = 0;
    for (int i = 0; i < batches; i++) time += accept_batch();
    printf("accept_us=%f challenge_bytes=%u authenticate_bytes=%u\n", time * 1e6 / (batches * BATCH),
           logons[0].challenge.length, logons[0].authenticate.length);
}

static double rate(double bytes, double seconds) { return bytes / 1e6 / seconds; }

static void run_seal(size_t size, int n) {
    Logon *l = &logons[0];
    begin(l);
    make_challenge(l);
    answer(l);
    judge(l);
    BYTE *data = malloc(size * (size_t)n), (*signatures)[16] = malloc((size_t)n * 16);
    must(data && signatures, "memory");
    memset(data, 0x5a, size * (size_t)n);
    double sealed = cpu();
    for (int i = 0; i < n; i++) {
        SecBuffer b[2] = {{16, SECBUFFER_TOKEN, signatures[i]}, {(ULONG)size, SECBUFFER_DATA, data + size * (size_t)i}};
        SecBufferDesc d = {SECBUFFER_VERSION, 2, b};
        must(table->EncryptMessage(&l->server, 0, &d, (ULONG)i) == SEC_E_OK, "EncryptMessage");
    }
    sealed = cpu() - sealed;
    double unsealed = cpu();
    for (int i = 0; i < n; i++) {
        SecBuffer b[2] = {{16, SECBUFFER_TOKEN, signatures[i]}, {(ULONG)size, SECBUFFER_DATA, data + size * (size_t)i}};
        SecBufferDesc d = {SECBUFFER_VERSION, 2, b};
        ULONG quality = 0;
        must(table->DecryptMessage(&l->client, &d, (ULONG)i, &quality) == SEC_E_OK, "DecryptMessage");
    }
    unsealed = cpu() - unsealed;
    must(data[0] == 0x5a && data[size * (size_t)n - 1] == 0x5a, "the round trip");
    printf("seal=%f unseal=%f\n", rate((double)size * n, sealed), rate((double)size * n, unsealed));
    free(data);
    free(signatures);
    table->DeleteSecurityContext(&l->server);
    table->DeleteSecurityContext(&l->client);
    table->FreeCredentialsHandle(&l->inbound);
}

int main(void) {
    winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT);
    table = InitSecurityInterfaceExA(0);
    SEC_WINNT_AUTH_IDENTITY ann = {0};
    char password[] = "Bench.Passw0rd";
    sspi_SetAuthIdentity(&ann, "ann", "CORP", password);
    NTOWFv1A(password, sizeof password - 1, nt_hash);
    SECURITY_STATUS status = table->AcquireCredentialsHandleA(NULL, (SEC_CHAR *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, &ann,
                                                              NULL, NULL, &outbound, NULL);
    must(status == SEC_E_OK, "the client's credential");
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        int n = 0;
        size_t size = 0;
        if (sscanf(line, "accept %d", &n) == 1) run_accept(n);
        else if (sscanf(line, "seal %zu %d", &size, &n) == 2) run_seal(size, n);
        else must(0, "an unknown command");
        fflush(stdout);
    }
    return 0;
}
