/* The Kerberos acceptor of MIT or Heimdal, whichever it is linked with, as a peer of the benches: answers `accept N`,
 * `threads N` and `seal BYTES N`, one line each.
 *
 *     peer FOLDER [none]
 *
 * FOLDER is the realm's. `none` switches MIT's replay cache off; Heimdal's acceptor has none. All times but those of
 * `threads` are CPU time of this thread, the system's calls included. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <gssapi/gssapi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLICE = 256 };

static gss_OID_desc kerberos = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc host_based = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
static const char *folder;
static gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;

typedef struct {
    gss_buffer_desc *at;
    int count;
    char *bytes;
} Tokens;

static void must(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "gss: %s failed\n", what);
    exit(1);
}

/* Says why a call failed, in the library's words. `minor` is read after the call that sets it: hence the pointer. */
static void good(OM_uint32 major, const OM_uint32 *minor, const char *what) {
    if (!GSS_ERROR(major)) return;
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;
    gss_display_status(&ignored, *minor, GSS_C_MECH_CODE, &kerberos, &more, &text);
    fprintf(stderr, "gss: %s: %.*s\n", what, (int)text.length, (char *)text.value);
    exit(1);
}

static double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu(void) { return clock_of(CLOCK_THREAD_CPUTIME_ID); }

static Tokens read_tokens(const char *file) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "rb");
    must(in != NULL, path);
    fseek(in, 0, SEEK_END);
    size_t size = (size_t)ftell(in);
    rewind(in);
    Tokens tokens = {NULL, 0, malloc(size)};
    must(fread(tokens.bytes, 1, size, in) == size, path);
    fclose(in);
    for (size_t at = 0; at < size;) {
        uint32_t length;
        memcpy(&length, tokens.bytes + at, 4);
        length = ntohl(length);
        tokens.at = realloc(tokens.at, (size_t)(tokens.count + 1) * sizeof *tokens.at);
        tokens.at[tokens.count++] = (gss_buffer_desc){length, tokens.bytes + at + 4};
        at += 4 + length;
    }
    return tokens;
}

static void release(Tokens tokens) {
    free(tokens.at);
    free(tokens.bytes);
}

/* The server's call with what a server asks of it: who it is, the reply, the flags. */
static OM_uint32 accept_token(gss_buffer_desc *token, gss_ctx_id_t *context, gss_buffer_desc *reply, OM_uint32 *minor) {
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 flags, ignored;
    *context = GSS_C_NO_CONTEXT;
    OM_uint32 major = gss_accept_sec_context(minor, context, credential, token, GSS_C_NO_CHANNEL_BINDINGS, &client, NULL,
                                             reply, &flags, NULL, NULL);
    if (client) gss_release_name(&ignored, &client);
    return major;
}

static size_t accept_one(gss_buffer_desc *token) {
    gss_ctx_id_t context;
    gss_buffer_desc reply = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    good(accept_token(token, &context, &reply, &minor), &minor, "gss_accept_sec_context");
    size_t length = reply.length;
    gss_release_buffer(&minor, &reply);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    return length;
}

static int refuses(gss_buffer_desc *token) {
    gss_ctx_id_t context;
    gss_buffer_desc reply = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, major = accept_token(token, &context, &reply, &minor);
    gss_release_buffer(&minor, &reply);
    if (context) gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    return GSS_ERROR(major) != 0;
}

static void run_accept(int n) {
    Tokens tokens = read_tokens("tokens"), forged = read_tokens("forged");
    must(tokens.count == n, "the number of tokens");
    size_t reply = 0;
    double start = cpu();
    for (int i = 0; i < n; i++) reply = accept_one(&tokens.at[i]);
    double time = cpu() - start;
    printf("accept_us=%f reply_bytes=%zu refuses_forged=%d refuses_replayed=%d\n", time * 1e6 / n, reply,
           refuses(&forged.at[0]), refuses(&tokens.at[0]));
    release(tokens);
    release(forged);
}

typedef struct {
    atomic_int *waiting;
    gss_buffer_desc *tokens;
    double start, end;
} Job;

static void *work(void *argument) {
    Job *job = argument;
    atomic_fetch_sub(job->waiting, 1);
    while (atomic_load_explicit(job->waiting, memory_order_relaxed) > 0) {}
    job->start = clock_of(CLOCK_MONOTONIC);
    for (int i = 0; i < SLICE; i++) accept_one(&job->tokens[i]);
    job->end = clock_of(CLOCK_MONOTONIC);
    return NULL;
}

/* Accepts a second of wall time by as many threads on one credential. They wait for each other busily, so that all have a
 * processor when the first begins. */
static double rate_of(gss_buffer_desc *tokens, int threads) {
    atomic_int waiting = threads;
    pthread_t handles[2];
    Job jobs[2];
    for (int i = 0; i < threads; i++) {
        jobs[i] = (Job){&waiting, tokens + i * SLICE, 0, 0};
        must(pthread_create(&handles[i], NULL, work, &jobs[i]) == 0, "pthread_create");
    }
    double start = 0, end = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        if (i == 0 || jobs[i].start < start) start = jobs[i].start;
        if (jobs[i].end > end) end = jobs[i].end;
    }
    return threads * SLICE / (end - start);
}

/* The best of several slices each: what disturbs one only makes it slower. */
static void run_threads(int n) {
    Tokens tokens = read_tokens("tokens");
    must(tokens.count == n, "the number of tokens");
    double one = 0, two = 0;
    for (int at = 0; at + 3 * SLICE <= n; at += 3 * SLICE) {
        double single = rate_of(&tokens.at[at], 1), pair = rate_of(&tokens.at[at + SLICE], 2);
        if (single > one) one = single;
        if (pair > two) two = pair;
    }
    printf("one=%f two=%f\n", one, two);
    release(tokens);
}

/* The library's own client with the realm's ticket. */
static void handshake(gss_ctx_id_t *client, gss_ctx_id_t *server) {
    gss_buffer_desc text = {sizeof "HTTP@web1.corp.example" - 1, "HTTP@web1.corp.example"};
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER, reply = GSS_C_EMPTY_BUFFER, none = GSS_C_EMPTY_BUFFER;
    OM_uint32 wants = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
    OM_uint32 minor, ignored;
    gss_name_t target;
    good(gss_import_name(&minor, &text, &host_based, &target), &minor, "gss_import_name");
    *client = GSS_C_NO_CONTEXT;
    for (int leg = 0; leg < 2; leg++) {
        OM_uint32 major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, client, target, &kerberos, wants, 0,
                                               GSS_C_NO_CHANNEL_BINDINGS, leg ? &reply : GSS_C_NO_BUFFER, NULL,
                                               leg ? &none : &token, NULL, NULL);
        good(major, &minor, "gss_init_sec_context");
        if (leg == 0) good(accept_token(&token, server, &reply, &minor), &minor, "gss_accept_sec_context");
    }
    gss_release_buffer(&ignored, &token);
    gss_release_buffer(&ignored, &reply);
    gss_release_name(&ignored, &target);
}

/* Wraps n messages; gives the time. */
static double wrap(gss_ctx_id_t context, gss_buffer_desc *plain, gss_buffer_desc *wrapped, int n) {
    OM_uint32 minor;
    int sealed = 0;
    double start = cpu();
    for (int i = 0; i < n; i++)
        good(gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, plain, &sealed, &wrapped[i]), &minor, "gss_wrap");
    double time = cpu() - start;
    must(sealed, "encryption");
    return time;
}

/* Unwraps them, and releases both; gives the time. */
static double unwrap(gss_ctx_id_t context, gss_buffer_desc *plain, gss_buffer_desc *wrapped, int n) {
    OM_uint32 minor, ignored;
    double time = 0;
    for (int i = 0; i < n; i++) {
        gss_buffer_desc data;
        double start = cpu();
        good(gss_unwrap(&minor, context, &wrapped[i], &data, NULL, NULL), &minor, "gss_unwrap");
        time += cpu() - start;
        must(data.length == plain->length && memcmp(data.value, plain->value, data.length) == 0, "the round trip");
        gss_release_buffer(&ignored, &data);
        gss_release_buffer(&ignored, &wrapped[i]);
    }
    return time;
}

static void run_seal(size_t size, int n) {
    gss_ctx_id_t client, server;
    handshake(&client, &server);
    gss_buffer_desc plain = {size, malloc(size)}, *wrapped = calloc((size_t)n, sizeof *wrapped);
    must(plain.value && wrapped, "memory");
    memset(plain.value, 0x5a, size);
    double sealed = wrap(server, &plain, wrapped, n);
    unwrap(client, &plain, wrapped, n);
    wrap(client, &plain, wrapped, n);
    double unsealed = unwrap(server, &plain, wrapped, n), megabytes = (double)size * n / 1e6;
    printf("seal=%f unseal=%f\n", megabytes / sealed, megabytes / unsealed);
    OM_uint32 ignored;
    gss_delete_sec_context(&ignored, &client, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&ignored, &server, GSS_C_NO_BUFFER);
    free(plain.value);
    free(wrapped);
}

/* Points the library at a file of the realm's folder. */
static void point(const char *variable, const char *kind, const char *file) {
    char value[4096];
    snprintf(value, sizeof value, "%s%s/%s", kind, folder, file);
    must(setenv(variable, value, 1) == 0, "setenv");
}

int main(int count, char **arguments) {
    must(count >= 2, "usage: peer FOLDER [none]");
    folder = arguments[1];
    point("KRB5_CONFIG", "", "krb5.conf");
    point("KRB5CCNAME", "FILE:", "ccache");
    point("KRB5_KTNAME", "FILE:", "keytab");
    if (count > 2) must(setenv("KRB5RCACHENAME", "none:", 1) == 0, "setenv");
    else point("KRB5RCACHENAME", "file2:", "rcache");
    gss_OID_set_desc mechanisms = {1, &kerberos};
    OM_uint32 minor, major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT,
                                              &credential, NULL, NULL);
    good(major, &minor, "gss_acquire_cred");
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        int n = 0;
        size_t size = 0;
        if (sscanf(line, "accept %d", &n) == 1) run_accept(n);
        else if (sscanf(line, "threads %d", &n) == 1) run_threads(n);
        else if (sscanf(line, "seal %zu %d", &size, &n) == 2) run_seal(size, n);
        else must(0, "an unknown command");
        fflush(stdout);
    }
    return 0;
}
