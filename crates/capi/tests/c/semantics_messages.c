/*
 * Signed and sealed messages: pieces in any order, read-only ones, streams, what no message can be made of, the order of
 * messages, altered ones, and qualities of protection.
 */
#include "check.h"
#include "talk.h"

static struct side client, server;

static SecBufferDesc message(SecBuffer *buffers, ULONG count)
{
    return (SecBufferDesc){SECBUFFER_VERSION, count, buffers};
}

static void pieces(void)
{
    CASE("pieces in any order");
    unsigned char signature[16], one[] = "first ", two[] = "second", head[] = "head", tail[] = "tail";
    SecBuffer buffers[5] = {
        {sizeof one - 1, SECBUFFER_DATA, one},
        {sizeof head - 1, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, head},
        {sizeof signature, SECBUFFER_TOKEN, signature},
        {sizeof two - 1, SECBUFFER_DATA, two},
        {sizeof tail - 1, SECBUFFER_DATA | SECBUFFER_READONLY, tail},
    };
    SecBufferDesc whole = message(buffers, 5);
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
    CHECK(buffers[2].cbBuffer == 16 && buffers[0].cbBuffer == 6);
    CHECK(memcmp(one, "first ", 6) != 0 && memcmp(two, "second", 6) != 0);
    TEXT((char *)head, "head");
    TEXT((char *)tail, "tail");
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OK);
    CHECK(memcmp(one, "first ", 6) == 0 && memcmp(two, "second", 6) == 0);
    TEXT((char *)head, "head");

    CASE("what is left readable is signed all the same");
    for (int which = 0; which < 2; ++which) {
        buffers[2].cbBuffer = sizeof signature;
        STATUS(EncryptMessage(&server.context, 0, &whole, 0), SEC_E_OK);
        (which == 0 ? head : tail)[0] ^= 1;
        STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_MESSAGE_ALTERED);
        (which == 0 ? head : tail)[0] ^= 1;
    }
    STATUS(FreeContextBuffer(NULL), SEC_E_OK);
}

static void signatures(void)
{
    CASE("signatures");
    static const char constant[] = "in memory that cannot be written";
    unsigned char signature[32];
    FILL(signature);
    SecBuffer buffers[2] = {{sizeof signature, SECBUFFER_TOKEN, signature},
                            {sizeof constant, SECBUFFER_DATA, (void *)constant}};
    SecBufferDesc whole = message(buffers, 2);
    ULONG quality = 7;
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_OK);
    CHECK(buffers[0].cbBuffer == 16);
    CHECK(signature[0] == 1 && signature[16] == 0xA5);
    /* The token of a signature is only read. */
    unsigned char kept[16];
    memcpy(kept, signature, sizeof kept);
    buffers[0].BufferType |= SECBUFFER_READONLY;
    STATUS(VerifySignature(&server.context, &whole, 0, &quality), SEC_E_OK);
    CHECK(quality == 0 && memcmp(kept, signature, sizeof kept) == 0);
    CASE("the same signature again");
    quality = 7;
    STATUS(VerifySignature(&server.context, &whole, 0, &quality), SEC_E_OUT_OF_SEQUENCE);
    CHECK(quality == 7);
    CASE("no text at all");
    buffers[0] = (SecBuffer){16, SECBUFFER_TOKEN, signature};
    whole.cBuffers = 1;
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_OK);
    STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OK);
    CHECK(tell(&client, &server, "in step still"));
}

static void order(void)
{
    CASE("messages out of their order");
    unsigned char signatures[3][16];
    unsigned char texts[3][8] = {"message", "MESSAGE", "message"};
    SecBuffer buffers[2];
    SecBufferDesc whole = message(buffers, 2);
#define TAKE(number) \
    (buffers[0] = (SecBuffer){16, SECBUFFER_TOKEN, signatures[number]}, \
     buffers[1] = (SecBuffer){8, SECBUFFER_DATA, texts[number]})
    for (int at = 0; at < 3; ++at) {
        TAKE(at);
        STATUS(MakeSignature(&client.context, 0, &whole, (ULONG)at), SEC_E_OK);
    }
    TAKE(1);
    STATUS(VerifySignature(&server.context, &whole, 1, NULL), SEC_E_OUT_OF_SEQUENCE);
    TAKE(0);
    STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OK);
    TAKE(0);
    STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
    TAKE(2);
    STATUS(VerifySignature(&server.context, &whole, 2, NULL), SEC_E_OUT_OF_SEQUENCE);
    TAKE(1);
    /* The number that the caller gives is not the message's: the context counts. */
    STATUS(VerifySignature(&server.context, &whole, 99, NULL), SEC_E_OK);
    TAKE(2);
    STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OK);
#undef TAKE
    CASE("a message comes back to its sender");
    unsigned char signature[16], text[] = "mirror";
    buffers[0] = (SecBuffer){16, SECBUFFER_TOKEN, signature};
    buffers[1] = (SecBuffer){6, SECBUFFER_DATA, text};
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
    FAILS(DecryptMessage(&client.context, &whole, 0, NULL));
}

static void no_messages(void)
{
    unsigned char memory[256];
    SecBuffer buffers[3];
    SecBufferDesc whole = message(buffers, 2);
    ULONG quality;
    FILL(memory);
    FILL(quality);
#define BUFFERS(...) do { SecBuffer given[] = {__VA_ARGS__}; memcpy(buffers, given, sizeof given); \
        whole.cBuffers = sizeof given / sizeof *given; } while (0)
#define SEAL() EncryptMessage(&client.context, 0, &whole, 0)
#define OPEN() DecryptMessage(&server.context, &whole, 0, &quality)
    CASE("no token, no data, two tokens");
    BUFFERS({16, SECBUFFER_DATA, memory});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    STATUS(OPEN(), SEC_E_INVALID_TOKEN);
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    BUFFERS({16, SECBUFFER_TOKEN, memory});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    STATUS(OPEN(), SEC_E_INVALID_TOKEN);
    BUFFERS({16, SECBUFFER_TOKEN, memory}, {16, SECBUFFER_TOKEN, memory + 16}, {16, SECBUFFER_DATA, memory + 32});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    STATUS(OPEN(), SEC_E_INVALID_TOKEN);
    STATUS(EncryptMessage(&client.context, 0, NULL, 0), SEC_E_INVALID_TOKEN);
    CASE("the token is too small, read-only, nowhere");
    BUFFERS({15, SECBUFFER_TOKEN, memory}, {16, SECBUFFER_DATA, memory + 32});
    STATUS(SEAL(), SEC_E_BUFFER_TOO_SMALL);
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_BUFFER_TOO_SMALL);
    CHECK(buffers[0].cbBuffer == 15);
    FAILS(OPEN());
    BUFFERS({16, SECBUFFER_TOKEN, NULL}, {16, SECBUFFER_DATA, memory + 32});
    STATUS(SEAL(), SEC_E_BUFFER_TOO_SMALL);
    BUFFERS({16, SECBUFFER_TOKEN | SECBUFFER_READONLY, memory}, {16, SECBUFFER_DATA, memory + 32});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    CASE("buffers that overlap");
    BUFFERS({16, SECBUFFER_TOKEN, memory}, {16, SECBUFFER_DATA, memory + 15});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    STATUS(OPEN(), SEC_E_INVALID_TOKEN);
    BUFFERS({16, SECBUFFER_TOKEN, memory + 64}, {32, SECBUFFER_DATA, memory}, {4, SECBUFFER_DATA, memory + 8});
    STATUS(SEAL(), SEC_E_INVALID_TOKEN);
    BUFFERS({16, SECBUFFER_TOKEN, memory}, {16, SECBUFFER_DATA | SECBUFFER_READONLY, memory + 8},
            {16, SECBUFFER_DATA, memory + 32});
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    CASE("qualities");
    BUFFERS({16, SECBUFFER_TOKEN, memory}, {16, SECBUFFER_DATA, memory + 16});
    STATUS(EncryptMessage(&client.context, SECQOP_WRAP_NO_ENCRYPT, &whole, 0), SEC_E_QOP_NOT_SUPPORTED);
    STATUS(EncryptMessage(&client.context, 1, &whole, 0), SEC_E_QOP_NOT_SUPPORTED);
    STATUS(MakeSignature(&client.context, SECQOP_WRAP_OOB_DATA, &whole, 0), SEC_E_QOP_NOT_SUPPORTED);
    UNTOUCHED(memory);
    UNTOUCHED(quality);
    /* None of it used a number up. */
    CHECK(tell(&client, &server, "none was one") && tell(&server, &client, "here neither"));
    CASE("no data, but a buffer for it");
    BUFFERS({16, SECBUFFER_TOKEN, memory}, {0, SECBUFFER_DATA, NULL});
    STATUS(SEAL(), SEC_E_OK);
    STATUS(OPEN(), SEC_E_OK);
    CASE("padding");
    BUFFERS({64, SECBUFFER_TOKEN, memory}, {5, SECBUFFER_DATA, memory + 64}, {8, SECBUFFER_PADDING, memory + 128});
    STATUS(SEAL(), SEC_E_OK);
    CHECK(buffers[0].cbBuffer == 16 && buffers[2].cbBuffer == 0);
    STATUS(OPEN(), SEC_E_OK);
#undef SEAL
#undef OPEN
#undef BUFFERS
}

/* Buffers that lie where no compiler puts them are none; no message is counted. */
static void crooked(void)
{
    CASE("buffers that are not aligned");
    unsigned char signature[16];
    char text[] = "crooked";
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, signature}, {sizeof text, SECBUFFER_DATA, text}};
    _Alignas(8) unsigned char places[sizeof buffers + 8];
    FILL(signature);
    for (int bytes = 1; bytes < 8; ++bytes) {
        memcpy(places + bytes, buffers, sizeof buffers);
        SecBufferDesc whole = message((void *)(places + bytes), 2);
        STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
        STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
        STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
        STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
        CHECK(memcmp(places + bytes, buffers, sizeof buffers) == 0);
    }
    UNTOUCHED(signature);
    TEXT(text, "crooked");
    CHECK(tell(&client, &server, "nothing was counted"));
}

static void streams(void)
{
    CASE("a whole message in one piece");
    unsigned char memory[16 + 12];
    memcpy(memory + 16, "as a stream.", 12);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, memory}, {12, SECBUFFER_DATA, memory + 16}};
    SecBufferDesc whole = message(buffers, 2);
    STATUS(EncryptMessage(&server.context, 0, &whole, 0), SEC_E_OK);
    buffers[0] = (SecBuffer){sizeof memory, SECBUFFER_STREAM, memory};
    buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
    ULONG quality = 5;
    STATUS(DecryptMessage(&client.context, &whole, 0, &quality), SEC_E_OK);
    CHECK(quality == 0 && buffers[1].pvBuffer == memory + 16 && buffers[1].cbBuffer == 12);
    CHECK(memcmp(memory + 16, "as a stream.", 12) == 0);
    CASE("streams that are none");
    buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
    STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
    CHECK(buffers[1].pvBuffer == NULL && buffers[1].cbBuffer == 0);
    buffers[0].cbBuffer = 15;
    STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    buffers[0] = (SecBuffer){sizeof memory, SECBUFFER_STREAM | SECBUFFER_READONLY, memory};
    STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    buffers[0].BufferType = SECBUFFER_STREAM;
    whole.cBuffers = 1;
    STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
}

static void altered(void)
{
    for (int which = 0; which < 3; ++which) {
        CASE("altered: %d", which);
        unsigned char signature[16], text[] = "to be altered";
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, signature}, {sizeof text, SECBUFFER_DATA, text}};
        SecBufferDesc whole = message(buffers, 2);
        STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
        if (which == 0) {
            text[3] ^= 1;
        } else if (which == 1) {
            signature[5] ^= 1;
        } else {
            buffers[1].cbBuffer -= 1;
        }
        ULONG quality = 9;
        STATUS(DecryptMessage(&server.context, &whole, 0, &quality), SEC_E_MESSAGE_ALTERED);
        CHECK(quality == 9);
    }
    CASE("altered: the version of the signature");
    unsigned char signature[16], text[] = "text";
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, signature}, {4, SECBUFFER_DATA, text}};
    SecBufferDesc whole = message(buffers, 2);
    STATUS(MakeSignature(&server.context, 0, &whole, 0), SEC_E_OK);
    signature[0] = 2;
    STATUS(VerifySignature(&client.context, &whole, 0, NULL), SEC_E_MESSAGE_ALTERED);
}

/* Neither signing nor sealing was agreed on. */
static void unprotected(const char *package, CredHandle *credential)
{
    CASE("%s: no protection was asked for", package);
    struct side bare = initiator(credential), other = acceptor(credential);
    bare.wants = ISC_REQ_NO_INTEGRITY;
    other.wants = 0;
    MUST(shake(&bare, &other));
    CHECK((other.granted & (ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY)) == 0);
    unsigned char signature[16], text[] = "text";
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, signature}, {4, SECBUFFER_DATA, text}};
    SecBufferDesc whole = message(buffers, 2);
    STATUS(EncryptMessage(&bare.context, 0, &whole, 0), SEC_E_UNSUPPORTED_FUNCTION);
    CHECK(memcmp(text, "text", 4) == 0);
    STATUS(MakeSignature(&bare.context, 0, &whole, 0), SEC_E_OK);
    static const unsigned char DUMMY[16] = {1};
    CHECK(memcmp(signature, DUMMY, 16) == 0);
    STATUS(VerifySignature(&other.context, &whole, 0, NULL), SEC_E_OK);
    signature[15] = 1;
    STATUS(VerifySignature(&other.context, &whole, 0, NULL), SEC_E_MESSAGE_ALTERED);
    end(&bare);
    end(&other);
}

int main(void)
{
    const char *packages[] = {"NTLM", "Negotiate"};
    void (*themes[])(void) = {pieces, signatures, order, no_messages, crooked, streams, altered};
    for (int at = 0; at < 2; ++at) {
        CredHandle both = must_acquire(packages[at], SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        for (size_t theme = 0; theme < sizeof themes / sizeof *themes; ++theme) {
            client = initiator(&both);
            server = acceptor(&both);
            MUST(shake(&client, &server));
            themes[theme]();
            end(&client);
            end(&server);
        }
        unprotected(packages[at], &both);
        STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
    }
    return check_done();
}
