/*
 * Streams of TLS: legs, records, what is missing and what is left, alerts, ends, and what a stream does not have.
 *
 *     semantics_schannel FOLDER [short]
 */
#include "check.h"
#include "stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static CredHandle server, client;
static bool brief;

static CredHandle of_version(ULONG use, DWORD bits)
{
    CredHandle credential;
    TimeStamp expiry;
    PCCERT_CONTEXT own = use == SECPKG_CRED_INBOUND ? certificate("server") : NULL;
    SCHANNEL_CRED settings = {.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = bits};
    settings.cCreds = own != NULL;
    settings.paCred = &own;
    settings.hRootStore = use == SECPKG_CRED_INBOUND ? NULL : authorities("ca.pem");
    MUST(STATUS(acquired(use, &settings, &credential, &expiry), SEC_E_OK));
    CertFreeCertificateContext(own);
    CertCloseStore(settings.hRootStore, 0);
    return credential;
}

static void legs(void)
{
    for (int version = 2; version <= 3; ++version) {
        CASE("legs of TLS 1.%d", version);
        CredHandle credential = of_version(SECPKG_CRED_OUTBOUND, version == 2 ? SP_PROT_TLS1_2 : SP_PROT_TLS1_3);
        static const ULONG chunks[] = {1 << 20, 100, 7, 1};
        for (int at = 0; at < (brief ? 2 : 4); ++at) {
            struct end *c = client_end(&credential), *s = server_end(&server);
            CHECK(shake_hands_by(c, s, chunks[at]));
            CHECK(tell_over(c, s, "from the client") && tell_over(s, c, "from the server"));
            CHECK((s->granted & (ASC_RET_STREAM | ASC_RET_CONFIDENTIALITY | ASC_RET_EXTENDED_ERROR)) ==
                  (ASC_RET_STREAM | ASC_RET_CONFIDENTIALITY | ASC_RET_EXTENDED_ERROR));
            CHECK((s->granted & ASC_RET_MUTUAL_AUTH) == 0 && (c->granted & ISC_RET_MUTUAL_AUTH) != 0);
            CHECK((c->granted & (ISC_RET_STREAM | ISC_RET_EXTENDED_ERROR)) == (ISC_RET_STREAM | ISC_RET_EXTENDED_ERROR));
            end_both(c, s);
        }
        STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    }
}

/* What is not whole leaves nothing behind, and what is more than whole is left. */
static void missing_and_extra(void)
{
    CASE("missing");
    struct end *c = client_end(&client), *s = server_end(&server);
    MUST(STATUS(step(c, NULL, 0), SEC_I_CONTINUE_NEEDED));
    ULONG length = c->length;
    FILL(s->context);
    for (ULONG part = 0; part < length; part += part < 6 ? 1 : 97) {
        STATUS(step(s, c->said, part), SEC_E_INCOMPLETE_MESSAGE);
        CHECK(s->spare == SECBUFFER_MISSING && s->count == (part < 5 ? 5 - part : length - part));
        UNTOUCHED(s->context);
    }
    CASE("extra");
    unsigned char glued[1 << 14];
    memcpy(glued, c->said, length);
    memcpy(glued + length, "behind it", 9);
    STATUS(step(s, glued, length + 9), SEC_I_CONTINUE_NEEDED);
    CHECK(s->spare == SECBUFFER_EXTRA && s->count == 9);
    STATUS(step(s, NULL, 0), SEC_E_INCOMPLETE_MESSAGE);
    CHECK(s->spare == SECBUFFER_MISSING && s->count == 5);
    CASE("data behind the last message");
    MUST(STATUS(step(c, s->said, 0), SEC_E_INCOMPLETE_MESSAGE));
    end_both(c, s);

    c = client_end(&client);
    s = server_end(&server);
    step(c, NULL, 0);
    step(s, c->said, c->length);
    MUST(STATUS(steps(c, s->said, s->length), SEC_E_OK));
    unsigned char record[1 << 14];
    memcpy(glued, c->said, c->length);
    length = c->length;
    ULONG more = sealed(c, "early bird", 10, record);
    memcpy(glued + length, record, more);
    MUST(STATUS(step(s, glued, length + more), SEC_E_OK));
    CHECK(s->spare == SECBUFFER_EXTRA && s->count == more);
    struct opened found = opened(s, glued + length, more);
    CHECK(found.status == SEC_E_OK && found.length == 10 && memcmp(found.data, "early bird", 10) == 0);
    end_both(c, s);
}

/* A buffer that must not be written is no place to say what is missing. */
static void read_only_spare(void)
{
    CASE("a spare buffer that is read-only");
    unsigned char token[3] = {22, 3, 1}, room[64];
    SecBuffer in[3] = {{3, SECBUFFER_TOKEN, token}, {7, SECBUFFER_EMPTY | SECBUFFER_READONLY, room}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc input = {SECBUFFER_VERSION, 3, in}, output = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG granted;
    STATUS(AcceptSecurityContext(&server, NULL, &input, 0, 0, &context, &output, &granted, NULL),
           SEC_E_INCOMPLETE_MESSAGE);
    CHECK(in[1].BufferType == (SECBUFFER_EMPTY | SECBUFFER_READONLY) && in[1].cbBuffer == 7 && in[1].pvBuffer == room);
    CHECK(in[2].BufferType == SECBUFFER_MISSING && in[2].cbBuffer == 2);
}

static void too_small(void)
{
    CASE("too small an output");
    struct end *c = client_end(&client), *s = server_end(&server);
    step(c, NULL, 0);
    unsigned char hello[1 << 14], answer[1 << 14];
    ULONG length = c->length;
    memcpy(hello, c->said, length);
    SecBuffer in[2] = {{length, SECBUFFER_TOKEN, hello}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {10, SECBUFFER_TOKEN, answer};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    FILL(s->context);
    STATUS(AcceptSecurityContext(&server, NULL, &input, s->wants, 0, &s->context, &output, &granted, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(s->context);
    CHECK(in[1].BufferType == SECBUFFER_EMPTY);
    MUST(STATUS(step(s, hello, length), SEC_I_CONTINUE_NEEDED));

    in[0] = (SecBuffer){s->length, SECBUFFER_TOKEN, s->said};
    in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    for (int again = 0; again < 2; ++again) {
        out = (SecBuffer){3, SECBUFFER_TOKEN, answer};
        STATUS(InitializeSecurityContextA(&client, &c->context, SERVER_NAME, c->wants, 0, 0, &input, 0, &c->context,
                                          &output, &granted, NULL), SEC_E_BUFFER_TOO_SMALL);
        CHECK(in[1].BufferType == SECBUFFER_EMPTY);
    }
    CASE("other input than before");
    s->said[7] ^= 1;
    STATUS(InitializeSecurityContextA(&client, &c->context, SERVER_NAME, c->wants, 0, 0, &input, 0, &c->context,
                                      &output, &granted, NULL), SEC_E_INVALID_TOKEN);
    s->said[7] ^= 1;
    STATUS(control(c, (DWORD[]){SCHANNEL_SHUTDOWN}, 1), SEC_E_OUT_OF_SEQUENCE);
    CASE("allocated output, and more behind the input");
    memcpy(s->said + s->length, "\x17\3\3", 3);
    in[0].cbBuffer += 3;
    out = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    STATUS(InitializeSecurityContextA(&client, &c->context, SERVER_NAME, c->wants | ISC_REQ_ALLOCATE_MEMORY, 0, 0,
                                      &input, 0, &c->context, &output, &granted, NULL), SEC_I_CONTINUE_NEEDED);
    CHECK(in[1].BufferType == SECBUFFER_EXTRA && in[1].cbBuffer < in[0].cbBuffer && in[1].cbBuffer > 3);
    CHECK((unsigned char *)in[1].pvBuffer + in[1].cbBuffer == s->said + s->length + 3);
    CHECK((granted & ISC_RET_ALLOCATED_MEMORY) != 0 && out.BufferType == SECBUFFER_TOKEN && out.cbBuffer > 0);
    STATUS(step(s, out.pvBuffer, out.cbBuffer), SEC_I_CONTINUE_NEEDED);
    STATUS(FreeContextBuffer(out.pvBuffer), SEC_E_OK);
    end_both(c, s);
}

static void alerts(void)
{
    CASE("alerts");
    CredHandle stranger = client_of(NULL, "other.pem", 0);
    struct end *c = client_end(&stranger), *s = server_end(&server);
    step(c, NULL, 0);
    step(s, c->said, c->length);
    STATUS(steps(c, s->said, s->length), SEC_E_UNTRUSTED_ROOT);
    TEXT(cause(), "schannel/untrusted-root");
    CHECK(c->alert >= 7);
    STATUS(steps(s, c->said, c->length), SEC_E_UNTRUSTED_ROOT);
    TEXT(cause(), "schannel/peer-alert");
    STATUS(step(c, NULL, 0), SEC_E_INVALID_HANDLE);
    end_both(c, s);
    STATUS(FreeCredentialsHandle(&stranger), SEC_E_OK);

    CASE("an alert in the token");
    static const unsigned char junk[] = {99, 3, 1, 0, 4, 99, 0, 0, 0};
    for (int wanted = 0; wanted < 2; ++wanted) {
        unsigned char room[64];
        SecBuffer in[2] = {{sizeof junk, SECBUFFER_TOKEN, (void *)junk}, {0, SECBUFFER_EMPTY, NULL}};
        SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
        SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
        CtxtHandle context;
        ULONG granted = 0;
        STATUS(AcceptSecurityContext(&server, NULL, &input, wanted ? ASC_REQ_EXTENDED_ERROR : 0, 0, &context, &output,
                                     &granted, NULL), SEC_E_INVALID_TOKEN);
        CHECK(wanted ? out.cbBuffer == 7 && room[0] == 21 : out.cbBuffer == 0);
        CHECK(granted == (wanted ? ASC_RET_EXTENDED_ERROR : 0));
    }
    CASE("other protocols");
    s = server_end(&server);
    STATUS(step(s, "GET / HTTP/1.1\r\n\r\n", 18), SEC_E_INVALID_TOKEN);
    TEXT(cause(), "schannel/http");
    STATUS(step(s, "\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x10", 13), SEC_E_UNSUPPORTED_FUNCTION);
    TEXT(cause(), "schannel/dtls");
    give_up(s);
}

static void arguments(void)
{
    CASE("arguments");
    struct end *c = client_end(&client);
    c->wants |= ISC_REQ_DELEGATE;
    STATUS(step(c, NULL, 0), SEC_E_UNSUPPORTED_FUNCTION);
    TEXT(cause(), "schannel/flag-not-supported");
    c->wants = ISC_REQ_PROMPT_FOR_CREDS;
    STATUS(step(c, NULL, 0), SEC_E_UNSUPPORTED_FUNCTION);
    c->wants = ISC_REQ_STREAM;
    STATUS(step(c, "before it", 9), SEC_E_ILLEGAL_MESSAGE);
    CtxtHandle context;
    ULONG granted;
    STATUS(InitializeSecurityContextA(&client, NULL, SERVER_NAME, 0, 0, 7, NULL, 0, &context, NULL, &granted, NULL),
           SEC_E_INVALID_PARAMETER);
    STATUS(InitializeSecurityContextA(&client, NULL, SERVER_NAME, 0, 0, 0, NULL, 0, &context, NULL, &granted, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    STATUS(InitializeSecurityContextA(&server, NULL, SERVER_NAME, 0, 0, 0, NULL, 0, &context, NULL, &granted, NULL),
           SEC_E_NO_CREDENTIALS);
    give_up(c);
    struct end *s = server_end(&server);
    s->wants = ASC_REQ_MUTUAL_AUTH;
    c = client_end(&client);
    step(c, NULL, 0);
    STATUS(step(s, c->said, c->length), SEC_E_NO_CREDENTIALS);
    TEXT(cause(), "schannel/no-client-roots");
    end_both(c, s);
}

/* Sizes, and buffers that are none. */
static void records(DWORD bits)
{
    CASE("records of %x", (unsigned)bits);
    CredHandle credential = of_version(SECPKG_CRED_OUTBOUND, bits);
    struct end *c, *s;
    pair(&credential, &server, &c, &s);
    SecPkgContext_StreamSizes sizes;
    MUST(STATUS(QueryContextAttributesA(&s->context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK));
    CHECK(sizes.cbMaximumMessage == 16384 && sizes.cBuffers == 4);
    CHECK(bits == SP_PROT_TLS1_3 ? sizes.cbHeader == 5 && sizes.cbTrailer == 17
                                 : sizes.cbHeader == 13 && sizes.cbTrailer == 16);
    unsigned char *room = malloc(1 << 16), *text = malloc(sizes.cbMaximumMessage + 1);
    memset(text, 'a', sizes.cbMaximumMessage + 1);
    static const ULONG lengths[] = {1, 5, 1000, 16383, 16384};
    for (int at = 0; at < 5; ++at) {
        ULONG length = sealed(s, text, lengths[at], room);
        CHECK(length == sizes.cbHeader + lengths[at] + sizes.cbTrailer);
        struct opened found = opened(c, room, length);
        CHECK(found.status == SEC_E_OK && found.length == lengths[at] && found.data == room + sizes.cbHeader);
        CHECK(memcmp(found.data, text, found.length) == 0);
    }
    sealed(s, text, sizes.cbMaximumMessage + 1, room);
    STATUS(s->status, SEC_E_INVALID_PARAMETER);
    CHECK(sealed(s, text, 0, room) == 0 && s->status == SEC_E_OK);

    /* In any order, too large, and not next to each other. */
    unsigned char header[32], trailer[64], data[8] = "scatter";
    SecBuffer parts[4] = {{sizeof trailer, SECBUFFER_STREAM_TRAILER, trailer}, {0, SECBUFFER_EMPTY, NULL},
                          {7, SECBUFFER_DATA, data}, {sizeof header, SECBUFFER_STREAM_HEADER, header}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_OK);
    CHECK(parts[0].cbBuffer == sizes.cbTrailer && parts[2].cbBuffer == 7 && parts[3].cbBuffer == sizes.cbHeader);
    memcpy(room, header, sizes.cbHeader);
    memcpy(room + sizes.cbHeader, data, 7);
    memcpy(room + sizes.cbHeader + 7, trailer, sizes.cbTrailer);
    struct opened found = opened(c, room, sizes.cbHeader + 7 + sizes.cbTrailer);
    CHECK(found.status == SEC_E_OK && found.length == 7 && memcmp(found.data, "scatter", 7) == 0);

    /* What must not be written is not written, nor is it the record's. */
    parts[1] = (SecBuffer){99, SECBUFFER_STREAM_HEADER | SECBUFFER_READONLY, NULL};
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_OK);
    CHECK(parts[1].cbBuffer == 99 && parts[3].cbBuffer == sizes.cbHeader);
    memcpy(room, header, sizes.cbHeader);
    memcpy(room + sizes.cbHeader, data, 7);
    memcpy(room + sizes.cbHeader + 7, trailer, sizes.cbTrailer);
    STATUS(opened(c, room, sizes.cbHeader + 7 + sizes.cbTrailer).status, SEC_E_OK);
    parts[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    parts[2].pvBuffer = NULL;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_INVALID_TOKEN);
    parts[2].pvBuffer = data;

    parts[0].cbBuffer = sizes.cbTrailer - 1;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_BUFFER_TOO_SMALL);
    parts[0].cbBuffer = sizes.cbTrailer;
    parts[3].cbBuffer = sizes.cbHeader - 1;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_BUFFER_TOO_SMALL);
    parts[3].cbBuffer = sizes.cbHeader;
    parts[2].pvBuffer = header + 1;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_INVALID_TOKEN);
    parts[2].BufferType = SECBUFFER_DATA | SECBUFFER_READONLY;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_INVALID_TOKEN);
    parts[2].BufferType = SECBUFFER_EMPTY;
    STATUS(EncryptMessage(&s->context, 0, &message, 0), SEC_E_INVALID_TOKEN);
    STATUS(EncryptMessage(&s->context, SECQOP_WRAP_OOB_DATA, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(EncryptMessage(&s->context, SECQOP_WRAP_NO_ENCRYPT, &message, 0), SEC_E_QOP_NOT_SUPPORTED);
    STATUS(MakeSignature(&s->context, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(VerifySignature(&s->context, &message, 0, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    SecBuffer few[3] = {{100, SECBUFFER_DATA, room}, {0, SECBUFFER_EMPTY, NULL}, {0, SECBUFFER_EMPTY, NULL}};
    message = (SecBufferDesc){SECBUFFER_VERSION, 3, few};
    STATUS(DecryptMessage(&s->context, &message, 0, NULL), SEC_E_INVALID_TOKEN);

    CASE("two records and a half, %x", (unsigned)bits);
    ULONG one = sealed(s, "first", 5, room), two = sealed(s, "second", 6, room + one);
    ULONG three = sealed(s, "third", 5, room + one + two);
    found = opened(c, room, one - 1);
    STATUS(found.status, SEC_E_INCOMPLETE_MESSAGE);
    CHECK(found.missing == 1 && found.data == room && found.length == one - 1);
    found = opened(c, room, 3);
    CHECK(found.status == SEC_E_INCOMPLETE_MESSAGE && found.missing == 2);
    found = opened(c, room, one + two + 4);
    CHECK(found.status == SEC_E_OK && found.length == 5 && found.extra == two + 4);
    found = opened(c, room + one, two + 4);
    CHECK(found.status == SEC_E_OK && found.length == 6 && found.extra == 4);
    found = opened(c, room + one + two, three);
    CHECK(found.status == SEC_E_OK && found.length == 5 && found.extra == 0);

    CASE("altered, %x", (unsigned)bits);
    one = sealed(s, "first", 5, room);
    room[sizes.cbHeader] ^= 1;
    found = opened(c, room, one);
    STATUS(found.status, SEC_E_MESSAGE_ALTERED);
    TEXT(cause(), "schannel/bad-record");
    STATUS(opened(c, room, one).status, SEC_E_MESSAGE_ALTERED);
    /* The alert is to be had. */
    STATUS(step(c, NULL, 0), SEC_E_OK);
    CHECK(c->length > 5);
    unsigned char alert[256];
    ULONG of_alert = c->length < sizeof alert ? c->length : sizeof alert;
    memcpy(alert, c->said, of_alert);
    /* And behind it what the failure was. */
    STATUS(step(c, NULL, 0), SEC_E_MESSAGE_ALTERED);
    TEXT(cause(), "schannel/bad-record");
    STATUS(opened(s, alert, of_alert).status, SEC_E_MESSAGE_ALTERED);
    TEXT(cause(), "schannel/peer-alert");
    free(room);
    free(text);
    end_both(c, s);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
}

static void ends(DWORD bits)
{
    CASE("the end of %x", (unsigned)bits);
    CredHandle credential = of_version(SECPKG_CRED_OUTBOUND, bits);
    struct end *c, *s;
    pair(&credential, &server, &c, &s);
    STATUS(step(s, NULL, 0), SEC_E_UNSUPPORTED_FUNCTION);
    TEXT(cause(), "schannel/renegotiation");
    s->wants |= ASC_REQ_MUTUAL_AUTH;
    STATUS(step(s, NULL, 0), SEC_E_UNSUPPORTED_FUNCTION);
    TEXT(cause(), "schannel/post-handshake-authentication");
    s->wants &= ~(ULONG)ASC_REQ_MUTUAL_AUTH;
    STATUS(control(s, (DWORD[]){SCHANNEL_RENEGOTIATE}, 1), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(control(s, (DWORD[]){SCHANNEL_ALERT, 2, 40}, 3), SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(control(s, (DWORD[]){SCHANNEL_ALERT, 2}, 2), SEC_E_INVALID_TOKEN);
    STATUS(control(s, (DWORD[]){SCHANNEL_SESSION, 1}, 2), SEC_E_OK);
    STATUS(control(s, (DWORD[]){SCHANNEL_SESSION, 2}, 2), SEC_E_OK);
    STATUS(control(s, (DWORD[]){SCHANNEL_SESSION, 3}, 2), SEC_E_INVALID_PARAMETER);
    STATUS(control(s, (DWORD[]){77}, 1), SEC_E_INVALID_PARAMETER);
    STATUS(control(s, NULL, 0), SEC_E_INVALID_TOKEN);
    STATUS(ApplyControlToken(&s->context, NULL), SEC_E_INVALID_TOKEN);
    CHECK(tell_over(s, c, "still there") && tell_over(c, s, "and here"));

    STATUS(control(s, (DWORD[]){SCHANNEL_SHUTDOWN}, 1), SEC_E_OK);
    unsigned char record[256], last[1 << 14];
    CHECK(sealed(s, "late", 4, record) == 0 && s->status == SEC_E_CONTEXT_EXPIRED);
    TEXT(cause(), "schannel/ended");
    /* Too small first: the token waits. */
    unsigned char small[4];
    SecBuffer out = {sizeof small, SECBUFFER_TOKEN, small};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    STATUS(AcceptSecurityContext(&server, &s->context, NULL, s->wants, 0, &s->context, &output, &granted, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    STATUS(step(s, "not looked at", 13), SEC_E_OK);
    CHECK(s->length > 5 && s->spare == SECBUFFER_EXTRA && s->count == 13);
    ULONG length = s->length;
    memcpy(last, s->said, length);
    STATUS(step(s, NULL, 0), SEC_I_CONTEXT_EXPIRED);
    CHECK(s->length == 0);
    struct opened found = opened(c, last, length);
    STATUS(found.status, SEC_I_CONTEXT_EXPIRED);
    CHECK(found.length == 0 && found.extra == 0);
    /* The other direction goes on. */
    CHECK(tell_over(c, s, "one more thing"));
    STATUS(control(c, (DWORD[]){SCHANNEL_ALERT, 1, 0}, 3), SEC_E_OK);
    STATUS(step(c, NULL, 0), SEC_E_OK);
    length = c->length;
    memcpy(last, c->said, length);
    memcpy(last + length, "behind", 6);
    found = opened(s, last, length + 6);
    STATUS(found.status, SEC_I_CONTEXT_EXPIRED);
    CHECK(found.extra == 6);
    end_both(c, s);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
}

struct direction {
    struct end *from, *to;
    pthread_mutex_t lock;
    unsigned char records[64][128];
    ULONG lengths[64];
    int made, taken, rounds;
};

static void *seals(void *argument)
{
    struct direction *direction = argument;
    for (int round = 0; round < direction->rounds;) {
        pthread_mutex_lock(&direction->lock);
        bool room = direction->made - direction->taken < 64;
        pthread_mutex_unlock(&direction->lock);
        if (room) {
            int at = round++ % 64;
            direction->lengths[at] = sealed(direction->from, &round, sizeof round, direction->records[at]);
            pthread_mutex_lock(&direction->lock);
            ++direction->made;
            pthread_mutex_unlock(&direction->lock);
        }
    }
    return NULL;
}

static void *opens(void *argument)
{
    struct direction *direction = argument;
    for (int round = 0; round < direction->rounds;) {
        pthread_mutex_lock(&direction->lock);
        bool there = direction->made > direction->taken;
        pthread_mutex_unlock(&direction->lock);
        if (there) {
            int at = round++ % 64, number = 0;
            struct opened found = opened(direction->to, direction->records[at], direction->lengths[at]);
            if (CHECK(found.status == SEC_E_OK && found.length == sizeof number)) {
                memcpy(&number, found.data, sizeof number);
                CHECK(number == round);
            }
            pthread_mutex_lock(&direction->lock);
            ++direction->taken;
            pthread_mutex_unlock(&direction->lock);
        }
    }
    return NULL;
}

static void two_threads(void)
{
    CASE("two threads at each end");
    struct end *c, *s;
    pair(&client, &server, &c, &s);
    int rounds = brief ? 100 : 2000;
    static struct direction ways[2];
    ways[0] = (struct direction){.from = c, .to = s, .rounds = rounds, .lock = PTHREAD_MUTEX_INITIALIZER};
    ways[1] = (struct direction){.from = s, .to = c, .rounds = rounds, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[4];
    for (int at = 0; at < 4; ++at) {
        MUST(pthread_create(&threads[at], NULL, at % 2 == 0 ? seals : opens, &ways[at / 2]) == 0);
    }
    for (int at = 0; at < 4; ++at) {
        pthread_join(threads[at], NULL);
    }
    end_both(c, s);
}

int main(int count, char **arguments_)
{
    MUST(count >= 2);
    folder = arguments_[1];
    brief = count > 2;
    server = server_of("server", NULL, 0);
    client = client_of(NULL, "ca.pem", 0);
    legs();
    missing_and_extra();
    read_only_spare();
    too_small();
    alerts();
    arguments();
    records(SP_PROT_TLS1_2);
    records(SP_PROT_TLS1_3);
    ends(SP_PROT_TLS1_2);
    ends(SP_PROT_TLS1_3);
    two_threads();
    STATUS(FreeCredentialsHandle(&client), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&server), SEC_E_OK);
    return check_done();
}
