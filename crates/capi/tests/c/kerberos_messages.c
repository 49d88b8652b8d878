/*
 * Signed and sealed messages of Kerberos: as pieces, as whole tokens, in DCE style, without encryption, padded; what is
 * altered, out of order, or no message at all.
 *
 *     kerberos_messages FOLDER CACHE...        FOLDER as tests/kerberos/realm.rs fills it
 *
 * With each of the caches in turn, whose session keys differ.
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "realm.h"

#include <stdlib.h>

/* SECQOP_WRAP_NO_ENCRYPT is no int. */
#define PLAIN ((ULONG)SECQOP_WRAP_NO_ENCRYPT)

static struct side client, server;
static SecPkgContext_Sizes sizes;

static SecBufferDesc message(SecBuffer *buffers, ULONG count)
{
    return (SecBufferDesc){SECBUFFER_VERSION, count, buffers};
}

static void established(CredHandle *initiates, CredHandle *accepts, ULONG style)
{
    client = initiator(initiates);
    server = acceptor(accepts);
    client.wants |= style;
    server.wants |= style & ASC_REQ_USE_DCE_STYLE;
    MUST(shake(&client, &server));
    STATUS(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    CHECK(sizes.cbMaxToken == 48000 && sizes.cbMaxSignature >= 28 && sizes.cbSecurityTrailer >= 45);
    SecPkgContext_Sizes others;
    STATUS(QueryContextAttributesW(&server.context, SECPKG_ATTR_SIZES, &others), SEC_E_OK);
    CHECK(memcmp(&sizes, &others, sizeof sizes) == 0);
}

static void ended(void)
{
    end(&client);
    end(&server);
}

static void pieces(void)
{
    CASE("pieces, with what is signed alone among them");
    unsigned char token[128], one[] = "first ", two[] = "second", head[] = "head", tail[] = "tail";
    SecBuffer buffers[5] = {
        {sizeof head - 1, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, head},
        {sizeof one - 1, SECBUFFER_DATA, one},
        {sizeof two - 1, SECBUFFER_DATA, two},
        {sizeof tail - 1, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, tail},
        {sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token},
    };
    SecBufferDesc whole = message(buffers, 5);
    ULONG quality = 7;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
    CHECK(buffers[4].cbBuffer <= sizes.cbSecurityTrailer && buffers[1].cbBuffer == 6);
    CHECK(memcmp(one, "first ", 6) != 0 && memcmp(two, "second", 6) != 0);
    TEXT((char *)head, "head");
    STATUS(DecryptMessage(&server.context, &whole, 0, &quality), SEC_E_OK);
    CHECK(quality == 0 && memcmp(one, "first ", 6) == 0 && memcmp(two, "second", 6) == 0);

    CASE("what is signed alone is signed");
    for (int which = 0; which < 2; ++which) {
        buffers[4].cbBuffer = sizes.cbSecurityTrailer;
        STATUS(EncryptMessage(&server.context, 0, &whole, 0), SEC_E_OK);
        (which == 0 ? head : tail)[0] ^= 1;
        STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_MESSAGE_ALTERED);
        (which == 0 ? head : tail)[0] ^= 1;
        memcpy(one, "first ", 6);
        memcpy(two, "second", 6);
    }
    CASE("what is read-only is left out of the signature");
    buffers[0].BufferType = SECBUFFER_DATA | SECBUFFER_READONLY;
    buffers[4].cbBuffer = sizes.cbSecurityTrailer;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
    head[0] ^= 1;
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OK);
    head[0] ^= 1;
    CASE("no data at all");
    buffers[0] = (SecBuffer){sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token};
    buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
    whole.cBuffers = 2;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OK);
}

static void signatures(void)
{
    CASE("signatures");
    unsigned char signature[128], text[] = "a text to sign";
    SecBuffer buffers[2] = {{sizes.cbMaxSignature, SECBUFFER_TOKEN, signature}, {sizeof text, SECBUFFER_DATA, text}};
    SecBufferDesc whole = message(buffers, 2);
    ULONG quality = 7;
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_OK);
    CHECK(buffers[0].cbBuffer == sizes.cbMaxSignature);
    TEXT((char *)text, "a text to sign");
    STATUS(VerifySignature(&server.context, &whole, 0, &quality), SEC_E_OK);
    CHECK(quality == 0);
    CASE("the same again, and back to its sender");
    STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
    STATUS(VerifySignature(&client.context, &whole, 0, NULL), SEC_E_MESSAGE_ALTERED);
    CASE("a bit of it turned");
    for (ULONG at = 0; at < sizes.cbMaxSignature; ++at) {
        /* RC4's numbers are under no checksum (RFC 4757 7.2): another number is out of order, and the next one too. */
        if (sizes.cbMaxSignature == 37 && at >= 21 && at < 25) {
            continue;
        }
        buffers[0].cbBuffer = sizes.cbMaxSignature;
        STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_OK);
        signature[at] ^= 0x20;
        FAILS(VerifySignature(&server.context, &whole, 0, NULL));
        signature[at] ^= 0x20;
        STATUS(VerifySignature(&server.context, &whole, 0, NULL), SEC_E_OK);
    }
    CASE("signatures have one quality");
    STATUS(MakeSignature(&client.context, PLAIN, &whole, 0), SEC_E_QOP_NOT_SUPPORTED);
    STATUS(EncryptMessage(&client.context, 1, &whole, 0), SEC_E_QOP_NOT_SUPPORTED);
    CHECK(tell(&client, &server, "in step still"));
}

static void unencrypted(void)
{
    CASE("signed as a sealed message is, and readable");
    unsigned char token[128], text[] = "everybody may read this";
    SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token}, {sizeof text, SECBUFFER_DATA, text}};
    SecBufferDesc whole = message(buffers, 2);
    ULONG quality = 7;
    STATUS(EncryptMessage(&client.context, PLAIN, &whole, 0), SEC_E_OK);
    TEXT((char *)text, "everybody may read this");
    STATUS(DecryptMessage(&server.context, &whole, 0, &quality), SEC_E_OK);
    CHECK(quality == PLAIN);
    TEXT((char *)text, "everybody may read this");
    CASE("and signed it is");
    buffers[0].cbBuffer = sizes.cbSecurityTrailer;
    STATUS(EncryptMessage(&client.context, PLAIN, &whole, 0), SEC_E_OK);
    text[0] ^= 1;
    quality = 7;
    STATUS(DecryptMessage(&server.context, &whole, 0, &quality), SEC_E_MESSAGE_ALTERED);
    CHECK(quality == 7);
}

/* TOKEN, DATA and PADDING one behind the other are one token. */
static ULONG laid_out(struct side *from, ULONG qop, const char *text, unsigned char *place)
{
    unsigned char token[128], data[256], padding[16];
    ULONG length = (ULONG)strlen(text);
    memcpy(data, text, length);
    SecBuffer buffers[3] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token},
                            {length, SECBUFFER_DATA, data},
                            {sizes.cbBlockSize, SECBUFFER_PADDING, padding}};
    SecBufferDesc whole = message(buffers, 3);
    STATUS(EncryptMessage(&from->context, qop, &whole, 0), SEC_E_OK);
    ULONG at = 0;
    for (int which = 0; which < 3; ++which) {
        memcpy(place + at, buffers[which].pvBuffer, buffers[which].cbBuffer);
        at += buffers[which].cbBuffer;
    }
    return at;
}

static void streams(void)
{
    unsigned char whole_token[512];
    SecBuffer buffers[2];
    SecBufferDesc whole = message(buffers, 2);
    static const char *const TEXTS[] = {"", "a", "a text that is longer than two blocks of anything"};
    for (int plain = 0; plain < 2; ++plain) {
        for (int at = 0; at < 3; ++at) {
            CASE("a whole token of %zu bytes%s", strlen(TEXTS[at]), plain ? ", not encrypted" : "");
            ULONG quality = 7;
            ULONG length = laid_out(&client, plain ? PLAIN : 0, TEXTS[at], whole_token);
            buffers[0] = (SecBuffer){length, SECBUFFER_STREAM, whole_token};
            buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
            STATUS(DecryptMessage(&server.context, &whole, 0, &quality), SEC_E_OK);
            CHECK(quality == (plain ? PLAIN : 0));
            CHECK(buffers[1].cbBuffer == strlen(TEXTS[at]));
            CHECK((unsigned char *)buffers[1].pvBuffer >= whole_token &&
                  (unsigned char *)buffers[1].pvBuffer + buffers[1].cbBuffer <= whole_token + length);
            CHECK(memcmp(buffers[1].pvBuffer, TEXTS[at], strlen(TEXTS[at])) == 0);
        }
    }
    CASE("a whole token that breaks off");
    unsigned char bent[512];
    ULONG length = laid_out(&client, 0, "some text in it", whole_token);
    for (ULONG cut = 0; cut < length; ++cut) {
        memcpy(bent, whole_token, length);
        buffers[0] = (SecBuffer){cut, SECBUFFER_STREAM, bent};
        buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
        FAILS(DecryptMessage(&server.context, &whole, 0, NULL));
        CHECK(buffers[1].cbBuffer == 0 && buffers[1].pvBuffer == NULL);
    }
    CASE("a bit of it turned");
    for (ULONG at = 0; at < length; ++at) {
        memcpy(bent, whole_token, length);
        bent[at] ^= 0x08;
        buffers[0] = (SecBuffer){length, SECBUFFER_STREAM, bent};
        buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
        FAILS(DecryptMessage(&server.context, &whole, 0, NULL));
    }
    CASE("memory that may not be written, two streams, no data");
    buffers[0] = (SecBuffer){length, SECBUFFER_STREAM | SECBUFFER_READONLY, whole_token};
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    buffers[0] = (SecBuffer){length, SECBUFFER_STREAM, whole_token};
    buffers[1] = buffers[0];
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    whole.cBuffers = 1;
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    whole.cBuffers = 2;
    buffers[1] = (SecBuffer){0, SECBUFFER_DATA, NULL};
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OK);
    CHECK(buffers[1].cbBuffer == 15 && memcmp(buffers[1].pvBuffer, "some text in it", 15) == 0);
}

static void order(void)
{
    CASE("messages out of their order");
    unsigned char tokens[3][128];
    unsigned char texts[3][8] = {"message", "MESSAGE", "massage"};
    SecBuffer buffers[2];
    SecBufferDesc whole = message(buffers, 2);
#define TAKE(number) \
    (buffers[0] = (SecBuffer){lengths[number], SECBUFFER_TOKEN, tokens[number]}, \
     buffers[1] = (SecBuffer){8, SECBUFFER_DATA, texts[number]})
    ULONG lengths[3] = {sizes.cbSecurityTrailer, sizes.cbSecurityTrailer, sizes.cbSecurityTrailer};
    for (int at = 0; at < 3; ++at) {
        TAKE(at);
        STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
        lengths[at] = buffers[0].cbBuffer;
    }
    unsigned char kept[8];
    memcpy(kept, texts[0], 8);
    TAKE(0);
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OK);
    memcpy(texts[0], kept, 8);
    TAKE(0);
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
    TAKE(2);
    STATUS(DecryptMessage(&server.context, &whole, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
#undef TAKE
}

static void no_messages(void)
{
    unsigned char memory[512];
    FILL(memory);
    SecBuffer buffers[3] = {{16, SECBUFFER_DATA, memory}};
    SecBufferDesc whole = message(buffers, 1);
    CASE("no token, no data, two tokens, too small a token");
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    buffers[0] = (SecBuffer){128, SECBUFFER_TOKEN, memory};
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    STATUS(DecryptMessage(&client.context, &whole, 0, NULL), SEC_E_INVALID_TOKEN);
    buffers[1] = (SecBuffer){128, SECBUFFER_TOKEN, memory + 128};
    buffers[2] = (SecBuffer){128, SECBUFFER_DATA, memory + 256};
    whole.cBuffers = 3;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    buffers[1] = buffers[2];
    whole.cBuffers = 2;
    buffers[0].cbBuffer = sizes.cbSecurityTrailer - 1;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_BUFFER_TOO_SMALL);
    buffers[0].cbBuffer = sizes.cbMaxSignature - 1;
    STATUS(MakeSignature(&client.context, 0, &whole, 0), SEC_E_BUFFER_TOO_SMALL);
    CASE("buffers that overlap, padding too");
    buffers[0] = (SecBuffer){128, SECBUFFER_TOKEN, memory};
    buffers[1].pvBuffer = memory + 127;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    buffers[1] = (SecBuffer){128, SECBUFFER_DATA, memory + 128};
    buffers[2] = (SecBuffer){1, SECBUFFER_PADDING, memory + 255};
    whole.cBuffers = 3;
    STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_INVALID_TOKEN);
    UNTOUCHED(memory);
    CASE("tokens that are none");
    whole.cBuffers = 2;
    for (ULONG length = 0; length <= 128; ++length) {
        buffers[0].cbBuffer = length;
        FAILS(DecryptMessage(&server.context, &whole, 0, NULL));
        buffers[1].BufferType = SECBUFFER_DATA;
        FAILS(VerifySignature(&server.context, &whole, 0, NULL));
    }
    CHECK(tell(&client, &server, "after all that"));
}

static void altered(void)
{
    CASE("a bit of a sealed message turned");
    unsigned char token[128], text[32];
    for (ULONG at = 0; at < sizes.cbSecurityTrailer + sizeof text; at += 3) {
        memset(text, 'x', sizeof text);
        SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token}, {sizeof text, SECBUFFER_DATA, text}};
        SecBufferDesc whole = message(buffers, 2);
        STATUS(EncryptMessage(&client.context, 0, &whole, 0), SEC_E_OK);
        if (at < buffers[0].cbBuffer) {
            token[at] ^= 0x10;
        } else {
            text[at % sizeof text] ^= 0x10;
        }
        FAILS(DecryptMessage(&server.context, &whole, 0, NULL));
        for (size_t byte = 0; byte < sizeof text; ++byte) {
            CHECK(text[byte] != 'x');
        }
    }
}

int main(int count, char **arguments)
{
    MUST(count >= 3);
    folder_is(arguments[1]);
    MUST(unsetenv("KRB5CCNAME") == 0 && unsetenv("KRB5_KTNAME") == 0);
    void (*themes[])(void) = {pieces, signatures, unencrypted, streams, order, no_messages, altered};
    CredHandle accepts = service("Kerberos", "http.keytab");
    for (int at = 2; at < count; ++at) {
        CredHandle initiates = client_of("Kerberos", arguments[at]);
        for (size_t theme = 0; theme < sizeof themes / sizeof *themes; ++theme) {
            /* Where the server answers, the two agree on a key of another kind than the ticket's (RFC 4537). */
            established(&initiates, &accepts, at == 2 && theme % 2 == 0 ? ISC_REQ_MUTUAL_AUTH : 0);
            themes[theme]();
            ended();
        }
        CASE("DCE style, %s", arguments[at]);
        established(&initiates, &accepts, ASC_REQ_USE_DCE_STYLE);
        pieces();
        signatures();
        CHECK(tell(&client, &server, "sixteen bytes...") && tell(&client, &server, "one block and a half...."));
        ended();
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    CASE("inside Negotiate");
    CredHandle inside = service("Negotiate", "http.keytab"), initiates = client_of("Negotiate", arguments[2]);
    for (size_t theme = 0; theme < sizeof themes / sizeof *themes; ++theme) {
        established(&initiates, &inside, ISC_REQ_MUTUAL_AUTH);
        themes[theme]();
        ended();
    }
    STATUS(FreeCredentialsHandle(&inside), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    return check_done();
}
