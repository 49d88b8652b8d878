/*
 * A service, or its client, that speaks with programs of other libraries over TCP: `interop/python/kerberos_seal.py` says what
 * is in the frames.
 *
 *     kerberos_peer serve PACKAGE FLAGS [CHANNEL]        FLAGS: ASC_REQ_... in hexadecimal; CHANNEL: what clients must be bound to
 *     kerberos_peer connect PACKAGE FLAGS PORT TARGET KINDS    FLAGS: ISC_REQ_...; KINDS of messages: SEPM
 *
 * The service prints `listening PORT`, and of each client `client FLAGS NAME` or `refused STATUS CAUSE`. The client prints
 * `established FLAGS`, a line for each kind of message, and `done`; or `refused STATUS CAUSE`.
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LARGEST (1u << 20)
#define PLAIN ((ULONG)SECQOP_WRAP_NO_ENCRYPT)

struct piece {
    ULONG length;
    unsigned char *bytes;
};

static CtxtHandle context;
static SecPkgContext_Sizes sizes;

static _Noreturn void fail(const char *what, SECURITY_STATUS status)
{
    char cause[128] = "";
    PortcullisLastCause(cause, sizeof cause);
    printf("failed %s %08X %s\n", what, (unsigned)status, cause);
    exit(1);
}

static void *room(size_t length)
{
    void *place = calloc(1, length == 0 ? 1 : length);
    if (place == NULL) {
        abort();
    }
    return place;
}

static bool exactly(int socket, unsigned char *place, size_t length)
{
    while (length > 0) {
        ssize_t got = read(socket, place, length);
        if (got <= 0) {
            return false;
        }
        place += got;
        length -= (size_t)got;
    }
    return true;
}

static ULONG number_at(const unsigned char *place)
{
    return (ULONG)place[0] << 24 | (ULONG)place[1] << 16 | (ULONG)place[2] << 8 | place[3];
}

static void put_number(unsigned char *place, ULONG number)
{
    for (int byte = 0; byte < 4; ++byte) {
        place[byte] = (unsigned char)(number >> (24 - 8 * byte));
    }
}

/* A frame; without bytes where the other side has closed. */
static struct piece receive(int socket)
{
    unsigned char head[4];
    struct piece frame = {0, NULL};
    if (!exactly(socket, head, 4)) {
        return frame;
    }
    frame.length = number_at(head);
    frame.bytes = frame.length > LARGEST ? NULL : room(frame.length);
    if (frame.bytes == NULL || !exactly(socket, frame.bytes, frame.length)) {
        fail("frame", 0);
    }
    return frame;
}

static void transmit(int socket, const void *bytes, size_t length)
{
    unsigned char *whole = room(length + 4);
    put_number(whole, (ULONG)length);
    memcpy(whole + 4, bytes, length);
    if (write(socket, whole, length + 4) != (ssize_t)(length + 4)) {
        fail("write", 0);
    }
    free(whole);
}

/* A message of a kind and its pieces. */
static void say(int socket, char kind, const struct piece *pieces, int count)
{
    size_t length = 1;
    for (int at = 0; at < count; ++at) {
        length += 4 + pieces[at].length;
    }
    unsigned char *whole = room(length), *place = whole;
    *place++ = (unsigned char)kind;
    for (int at = 0; at < count; ++at) {
        put_number(place, pieces[at].length);
        memcpy(place + 4, pieces[at].bytes, pieces[at].length);
        place += 4 + pieces[at].length;
    }
    transmit(socket, whole, length);
    free(whole);
}

static bool apart(const struct piece *message, struct piece *pieces, int count)
{
    ULONG at = 1;
    for (int which = 0; which < count; ++which) {
        if (message->length - at < 4 || number_at(message->bytes + at) > message->length - at - 4) {
            return false;
        }
        pieces[which] = (struct piece){number_at(message->bytes + at), message->bytes + at + 4};
        at += 4 + pieces[which].length;
    }
    return at == message->length;
}

static int pieces_of(char kind)
{
    return kind == 'S' ? 2 : kind == 'M' ? 3 : 1;
}

static struct piece reversed(const unsigned char *bytes, ULONG length)
{
    struct piece made = {length, room(length)};
    for (ULONG at = 0; at < length; ++at) {
        made.bytes[at] = bytes[length - 1 - at];
    }
    return made;
}

/* Takes a message apart and checks it; what it says, where it says it in one piece, else the head and the rest. */
static SECURITY_STATUS take(char kind, struct piece *pieces, struct piece *head, struct piece *text)
{
    SecBuffer buffers[3];
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG quality = 7;
    SECURITY_STATUS status;
    *head = (struct piece){0, NULL};
    if (kind == 'S') {
        buffers[0] = (SecBuffer){pieces[0].length, SECBUFFER_TOKEN, pieces[0].bytes};
        buffers[1] = (SecBuffer){pieces[1].length, SECBUFFER_DATA, pieces[1].bytes};
        *text = pieces[1];
        return VerifySignature(&context, &message, 0, &quality);
    }
    if (kind == 'M') {
        buffers[0] = (SecBuffer){pieces[0].length, SECBUFFER_TOKEN, pieces[0].bytes};
        buffers[1] = (SecBuffer){pieces[1].length, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, pieces[1].bytes};
        buffers[2] = (SecBuffer){pieces[2].length, SECBUFFER_DATA, pieces[2].bytes};
        message.cBuffers = 3;
        *head = pieces[1];
        *text = pieces[2];
        status = DecryptMessage(&context, &message, 0, &quality);
    } else {
        buffers[0] = (SecBuffer){pieces[0].length, SECBUFFER_STREAM, pieces[0].bytes};
        buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
        status = DecryptMessage(&context, &message, 0, &quality);
        *text = (struct piece){buffers[1].cbBuffer, buffers[1].pvBuffer};
    }
    if (status == SEC_E_OK && quality != (kind == 'P' ? PLAIN : 0)) {
        fail("quality", (SECURITY_STATUS)quality);
    }
    return status;
}

/* Makes a message of a kind; head and text are changed. */
static void make(int socket, char kind, struct piece head, struct piece text)
{
    unsigned char padding[16] = {0};
    struct piece token = {sizes.cbSecurityTrailer, room(sizes.cbSecurityTrailer)}, pieces[3];
    SecBuffer buffers[3] = {{kind == 'S' ? sizes.cbMaxSignature : token.length, SECBUFFER_TOKEN, token.bytes}};
    SecBufferDesc message = {SECBUFFER_VERSION, 3, buffers};
    SECURITY_STATUS status;
    if (kind == 'S') {
        buffers[1] = (SecBuffer){text.length, SECBUFFER_DATA, text.bytes};
        message.cBuffers = 2;
        status = MakeSignature(&context, 0, &message, 0);
        pieces[0] = (struct piece){buffers[0].cbBuffer, token.bytes};
        pieces[1] = text;
    } else if (kind == 'M') {
        buffers[1] = (SecBuffer){head.length, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, head.bytes};
        buffers[2] = (SecBuffer){text.length, SECBUFFER_DATA, text.bytes};
        status = EncryptMessage(&context, 0, &message, 0);
        pieces[0] = (struct piece){buffers[0].cbBuffer, token.bytes};
        pieces[1] = head;
        pieces[2] = text;
    } else {
        buffers[1] = (SecBuffer){text.length, SECBUFFER_DATA, text.bytes};
        buffers[2] = (SecBuffer){sizes.cbBlockSize, SECBUFFER_PADDING, padding};
        status = EncryptMessage(&context, kind == 'P' ? PLAIN : 0, &message, 0);
        ULONG length = buffers[0].cbBuffer + text.length + buffers[2].cbBuffer;
        pieces[0] = (struct piece){length, room(length)};
        memcpy(pieces[0].bytes, token.bytes, buffers[0].cbBuffer);
        memcpy(pieces[0].bytes + buffers[0].cbBuffer, text.bytes, text.length);
        memcpy(pieces[0].bytes + buffers[0].cbBuffer + text.length, padding, buffers[2].cbBuffer);
    }
    if (status != SEC_E_OK) {
        fail("make", status);
    }
    say(socket, kind, pieces, pieces_of(kind));
    if (kind == 'E' || kind == 'P') {
        free(pieces[0].bytes);
    }
    free(token.bytes);
}

static struct piece bound_to(const char *channel)
{
    SEC_CHANNEL_BINDINGS header = {.cbApplicationDataLength = (ULONG)strlen(channel),
                                   .dwApplicationDataOffset = sizeof header};
    struct piece made = {(ULONG)(sizeof header + strlen(channel)), room(sizeof header + strlen(channel))};
    memcpy(made.bytes, &header, sizeof header);
    memcpy(made.bytes + sizeof header, channel, strlen(channel));
    return made;
}

static void talk(int socket)
{
    for (;;) {
        struct piece message = receive(socket), pieces[3], head, text;
        if (message.bytes == NULL) {
            return;
        }
        char kind = message.length == 0 ? '?' : (char)message.bytes[0];
        if (!apart(&message, pieces, pieces_of(kind))) {
            fail("message", 0);
        }
        SECURITY_STATUS status = take(kind, pieces, &head, &text);
        if (status != SEC_E_OK) {
            unsigned char answer[5] = {'F'};
            put_number(answer + 1, (ULONG)status);
            transmit(socket, answer, sizeof answer);
            free(message.bytes);
            return;
        }
        struct piece back = reversed(text.bytes, text.length), head_back = reversed(head.bytes, head.length);
        make(socket, kind, head_back, back);
        free(back.bytes);
        free(head_back.bytes);
        free(message.bytes);
    }
}

static void client_came(int socket, CredHandle *credential, ULONG flags, const char *channel)
{
    unsigned char token[48000], verdict[5] = {0};
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    ULONG granted = 0;
    bool begun = false;
    struct piece bindings = channel == NULL ? (struct piece){0, NULL} : bound_to(channel);
    while (status == SEC_I_CONTINUE_NEEDED) {
        struct piece given = receive(socket);
        if (given.bytes == NULL) {
            status = SEC_E_INVALID_TOKEN;
            break;
        }
        SecBuffer in[2] = {{given.length, SECBUFFER_TOKEN, given.bytes},
                           {bindings.length, SECBUFFER_CHANNEL_BINDINGS, bindings.bytes}};
        SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
        SecBufferDesc input = {SECBUFFER_VERSION, channel == NULL ? 1 : 2, in}, output = {SECBUFFER_VERSION, 1, &out};
        status = AcceptSecurityContext(credential, begun ? &context : NULL, &input, flags, SECURITY_NATIVE_DREP, &context,
                                       &output, &granted, NULL);
        begun = begun || status >= 0;
        if (out.cbBuffer > 0) {
            transmit(socket, token, out.cbBuffer);
        }
        free(given.bytes);
    }
    verdict[0] = status != SEC_E_OK;
    put_number(verdict + 1, (ULONG)status);
    if (status == SEC_E_OK) {
        SecPkgContext_NamesA names;
        if (QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names) != SEC_E_OK ||
            QueryContextAttributesA(&context, SECPKG_ATTR_SIZES, &sizes) != SEC_E_OK) {
            fail("attributes", status);
        }
        printf("client %08X %s\n", (unsigned)granted, names.sUserName);
        FreeContextBuffer(names.sUserName);
    } else {
        char cause[128] = "";
        PortcullisLastCause(cause, sizeof cause);
        printf("refused %08X %s\n", (unsigned)status, cause);
    }
    transmit(socket, verdict, sizeof verdict);
    if (status == SEC_E_OK) {
        talk(socket);
    }
    if (begun) {
        DeleteSecurityContext(&context);
    }
    free(bindings.bytes);
}

static int serve(CredHandle *credential, ULONG flags, const char *channel)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        fail("listen", 0);
    }
    printf("listening %u\n", ntohs(address.sin_port));
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            fail("accept", 0);
        }
        client_came(client, credential, flags, channel);
        close(client);
    }
}

static void messages(int socket, const char *kinds)
{
    static const ULONG LENGTHS[] = {0, 1, 15, 16, 17, 255, 256, 4096, 70000};
    for (int which = 0; kinds[which] != 0; ++which) {
        int count = 0;
        for (size_t at = 0; at < sizeof LENGTHS / sizeof *LENGTHS; ++at, ++count) {
            ULONG length = LENGTHS[at];
            struct piece text = {length, room(length)}, head = {7, room(7)}, pieces[3], head_back, back;
            memset(head.bytes, 'h', 7);
            for (ULONG byte = 0; byte < length; ++byte) {
                text.bytes[byte] = (unsigned char)(byte * 7 + at);
            }
            struct piece expected = reversed(text.bytes, length);
            make(socket, kinds[which], head, text);
            struct piece answer = receive(socket);
            if (answer.length == 0 || answer.bytes[0] != kinds[which] || !apart(&answer, pieces, pieces_of(kinds[which]))) {
                fail("answer", answer.length == 5 ? (SECURITY_STATUS)number_at(answer.bytes + 1) : 0);
            }
            SECURITY_STATUS status = take(kinds[which], pieces, &head_back, &back);
            if (status != SEC_E_OK || back.length != length || memcmp(back.bytes, expected.bytes, length) != 0) {
                fail("another text", status);
            }
            free(expected.bytes);
            free(text.bytes);
            free(head.bytes);
            free(answer.bytes);
        }
        printf("%c %d\n", kinds[which], count);
    }
}

static int refused(SECURITY_STATUS status)
{
    char cause[128] = "";
    PortcullisLastCause(cause, sizeof cause);
    printf("refused %08X %s\n", (unsigned)status, cause);
    return 1;
}

static int connect_to(CredHandle *credential, ULONG flags, const char *port, const char *target,
                      const char *kinds)
{
    static unsigned char token[48000];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((unsigned short)strtoul(port, NULL, 10))};
    int service = socket(AF_INET, SOCK_STREAM, 0);
    if (service < 0 || connect(service, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect", 0);
    }
    struct piece given = {0, NULL};
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    ULONG granted = 0;
    bool begun = false;
    for (;;) {
        if (status == SEC_I_CONTINUE_NEEDED) {
            SecBuffer in = {given.length, SECBUFFER_TOKEN, given.bytes}, out = {sizeof token, SECBUFFER_TOKEN, token};
            SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
            status = InitializeSecurityContextA(credential, begun ? &context : NULL, target, flags, 0, SECURITY_NATIVE_DREP,
                                                begun ? &input : NULL, 0, &context, &output, &granted, NULL);
            if (status < 0) {
                return refused(status);
            }
            begun = true;
            if (out.cbBuffer > 0) {
                transmit(service, token, out.cbBuffer);
            }
            free(given.bytes);
            given.bytes = NULL;
        }
        given = receive(service);
        if (given.bytes == NULL) {
            fail("closed", 0);
        }
        if (given.length == 5) {
            break;
        }
    }
    if (given.bytes[0] != 0 || status != SEC_E_OK) {
        return refused((SECURITY_STATUS)number_at(given.bytes + 1));
    }
    free(given.bytes);
    printf("established %08X\n", (unsigned)granted);
    if (QueryContextAttributesA(&context, SECPKG_ATTR_SIZES, &sizes) != SEC_E_OK) {
        fail("sizes", 0);
    }
    messages(service, kinds);
    printf("done\n");
    close(service);
    DeleteSecurityContext(&context);
    return 0;
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool serves = count >= 4 && strcmp(arguments[1], "serve") == 0;
    if (!serves && !(count == 7 && strcmp(arguments[1], "connect") == 0)) {
        return 2;
    }
    CredHandle credential;
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, arguments[2], serves ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                  NULL, &credential, NULL);
    if (status != SEC_E_OK) {
        fail("credential", status);
    }
    ULONG flags = (ULONG)strtoul(arguments[3], NULL, 16);
    if (serves) {
        return serve(&credential, flags, count > 4 ? arguments[4] : NULL);
    }
    int ended = connect_to(&credential, flags, arguments[4], arguments[5], arguments[6]);
    FreeCredentialsHandle(&credential);
    return ended;
}
