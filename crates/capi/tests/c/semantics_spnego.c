/*
 * Whole SPNEGO, where the server speaks first: what CompleteAuthToken does with the last token of a host that judges, what
 * that host can read, and legs with too little room, which ask nobody and can be made again.
 *
 *     semantics_spnego DATA        no PORTCULLIS_CONFIG
 */
#define _GNU_SOURCE
#include "check.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>

static CredHandle accepts, initiates;
static char audit[512];

/* Of ANN_PASSWORD. */
static const struct {
    int32_t version;
    unsigned char hash[16];
} HASH = {1, {0x9e, 0x85, 0x2e, 0x7d, 0x74, 0x22, 0xb2, 0xed, 0x11, 0x11, 0x7e, 0xc1, 0x70, 0x5d, 0xbf, 0x67}};

/* The client's first leg, with what the server says of itself. */
static SECURITY_STATUS hinted(struct side *client, const struct side *server)
{
    SecBuffer in = {server->length, SECBUFFER_TOKEN, (void *)server->token};
    SecBuffer out = {sizeof client->token, SECBUFFER_TOKEN, client->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    client->status = InitializeSecurityContextA(client->credential, NULL, TARGET, client->wants, 0,
                                                SECURITY_NATIVE_DREP, &input, 0, &client->context, &output,
                                                &client->granted, NULL);
    client->begun = client->status >= 0;
    client->length = out.cbBuffer;
    return client->status;
}

/* NTLM's messages as they went by. */
struct messages {
    unsigned char bytes[4096];
    ULONG length;
};

/* Its end is where its last field's is: offsets and lengths stand in the message (MS-NLMP 2.2.1). */
static void note(struct messages *messages, const struct side *side)
{
    static const ULONG FIELDS[3][7] = {{16, 24}, {12, 40}, {12, 20, 28, 36, 44, 52}};
    ULONG length, end = 0;
    const unsigned char *message = ntlm_inside(side->token, side->length, &length);
    MUST(message != NULL && length > 12 && message[8] >= 1 && message[8] <= 3);
    const ULONG *fields = FIELDS[message[8] - 1];
    for (int at = 0; fields[at] != 0; ++at) {
        ULONG of = (number_at(message, fields[at]) & 0xffff) + number_at(message, fields[at] + 4);
        end = of > end ? of : end;
    }
    end = end < 40 ? 40 : end; /* a NEGOTIATE without names has its version last */
    MUST(end <= length && messages->length + end <= sizeof messages->bytes);
    memcpy(messages->bytes + messages->length, message, end);
    if (message[8] == 3) {
        memset(messages->bytes + messages->length + 72, 0, 16);
    }
    messages->length += end;
}

/* All but the server's last leg. */
static void due(struct side *client, struct side *server, struct messages *messages)
{
    *client = initiator(&initiates);
    *server = acceptor(&accepts);
    MUST(STATUS(leg(server, NULL, 0), SEC_I_CONTINUE_NEEDED));
    CHECK(server->length > 0 && server->token[0] == 0x60);
    MUST(STATUS(hinted(client, server), SEC_I_CONTINUE_NEEDED));
    CHECK(client->token[0] == 0x60);
    messages->length = 0;
    note(messages, client);
    MUST(STATUS(answer(server, client), SEC_I_CONTINUE_NEEDED));
    note(messages, server);
    MUST(STATUS(answer(client, server), SEC_I_CONTINUE_NEEDED));
    note(messages, client);
}

/* The server's last leg into this output. */
static SECURITY_STATUS last(const struct side *client, struct side *server, ULONG wants, SecBuffer *out)
{
    SecBuffer in = {client->length, SECBUFFER_TOKEN, (void *)client->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, out};
    return AcceptSecurityContext(server->credential, &server->context, &input, server->wants | wants,
                                 SECURITY_NATIVE_DREP, &server->context, &output, &server->granted, NULL);
}

static SECURITY_STATUS judged(struct side *server, SecBuffer *out)
{
    SecBufferDesc output = {SECBUFFER_VERSION, 1, out};
    STATUS(SetContextAttributesA(&server->context, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, (void *)&HASH, sizeof HASH),
           SEC_E_OK);
    return CompleteAuthToken(&server->context, out == NULL ? NULL : &output);
}

/* The client takes the server's last word. */
static void finished(struct side *client, struct side *server, const void *token, ULONG length)
{
    /* NegTokenResp { negState accept-completed (0), ... } */
    static const unsigned char COMPLETED[] = {0xa0, 0x03, 0x0a, 0x01, 0x00};
    MUST(length > 9);
    CHECK(((const unsigned char *)token)[0] == 0xa1 && memmem(token, length, COMPLETED, sizeof COMPLETED) != NULL);
    STATUS(leg(client, token, length), SEC_E_OK);
    CHECK(client->length == 0);
    CHECK(tell(client, server, "agreed") && tell(server, client, "both ways"));
    end(client);
    end(server);
}

static void completed(void)
{
    struct side client, server;
    struct messages messages;
    unsigned char memory[512];
    for (ULONG room = 0; room < 9; room += 4) {
        CASE("CompleteAuthToken has room for %u bytes", (unsigned)room);
        due(&client, &server, &messages);
        FILL(memory);
        SecBuffer out = {sizeof memory, SECBUFFER_TOKEN, memory};
        STATUS(last(&client, &server, 0, &out), SEC_I_COMPLETE_NEEDED);
        CHECK(out.cbBuffer == 0);
        out.cbBuffer = room;
        STATUS(judged(&server, &out), SEC_E_OK);
        CHECK(out.cbBuffer == 0);
        UNTOUCHED(memory);
        end(&client);
        end(&server);
    }
    CASE("CompleteAuthToken has no buffer");
    due(&client, &server, &messages);
    SecBuffer out = {sizeof memory, SECBUFFER_TOKEN, memory};
    STATUS(last(&client, &server, 0, &out), SEC_I_COMPLETE_NEEDED);
    STATUS(judged(&server, NULL), SEC_E_OK);
    UNTOUCHED(memory);
    end(&client);
    end(&server);

    CASE("CompleteAuthToken has room");
    due(&client, &server, &messages);
    out = (SecBuffer){sizeof memory, SECBUFFER_TOKEN, memory};
    STATUS(last(&client, &server, 0, &out), SEC_I_COMPLETE_NEEDED);
    out.cbBuffer = 256;
    STATUS(judged(&server, &out), SEC_E_OK);
    unsigned char behind[256];
    memcpy(behind, memory + 256, sizeof behind);
    UNTOUCHED(behind);
    finished(&client, &server, memory, out.cbBuffer);

    CASE("the leg asked for memory of the library's");
    due(&client, &server, &messages);
    out = (SecBuffer){3, SECBUFFER_TOKEN, memory};
    STATUS(last(&client, &server, ASC_REQ_ALLOCATE_MEMORY, &out), SEC_I_COMPLETE_NEEDED);
    CHECK(out.cbBuffer == 0 && out.pvBuffer == NULL);
    STATUS(judged(&server, &out), SEC_E_OK);
    CHECK(out.pvBuffer != NULL && out.pvBuffer != memory && out.BufferType == SECBUFFER_TOKEN);
    void *given = out.pvBuffer;
    finished(&client, &server, given, out.cbBuffer);
    STATUS(FreeContextBuffer(given), SEC_E_OK);
}

/* What the MIC covers is NTLM's messages, whatever frame they came in. */
static void what_the_mic_covers(void)
{
    CASE("PORTCULLIS_ATTR_WINPR_MIC_VALUE");
    struct side client, server;
    struct messages messages;
    due(&client, &server, &messages);
    STATUS(answer(&server, &client), SEC_I_COMPLETE_NEEDED);
    SecBuffer value;
    MUST(STATUS(QueryContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_MIC_VALUE, &value), SEC_E_OK));
    CHECK(value.cbBuffer == messages.length && memcmp(value.pvBuffer, "NTLMSSP\0\1", 9) == 0);
    CHECK(value.cbBuffer == messages.length && memcmp(value.pvBuffer, messages.bytes, messages.length) == 0);
    free(value.pvBuffer);
    end(&client);
    end(&server);
}

static unsigned audited(void)
{
    unsigned lines = 0;
    FILE *file = fopen(audit, "r");
    for (int character; file != NULL && (character = fgetc(file)) != EOF;) {
        lines += character == '\n';
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

/* Where a leg has too little room nobody is asked for anything, and a second try goes on. */
static void too_little_room(void)
{
    struct side client, server;
    struct messages messages;
    unsigned char memory[512];
    for (int pieces = 0; pieces < 2; ++pieces) {
        CASE("too little room for the last token%s", pieces ? ", in pieces" : "");
        ULONG wants = pieces ? ASC_REQ_FRAGMENT_TO_FIT : 0;
        due(&client, &server, &messages);
        unsigned before = audited();
        for (ULONG room = 0; room < 5; room += 2) {
            FILL(memory);
            SecBuffer out = {room, SECBUFFER_TOKEN, memory};
            STATUS(last(&client, &server, wants, &out), SEC_E_BUFFER_TOO_SMALL);
            UNTOUCHED(memory);
        }
        CHECK(audited() == before);
        SecBuffer out = {sizeof memory, SECBUFFER_TOKEN, memory};
        STATUS(last(&client, &server, wants, &out), SEC_E_OK);
        CHECK(audited() == before + 1);
        finished(&client, &server, memory, out.cbBuffer);
    }
    CASE("the last token in pieces of five bytes");
    due(&client, &server, &messages);
    unsigned before = audited();
    ULONG length = 0;
    SecBuffer out = {5, SECBUFFER_TOKEN, memory};
    SECURITY_STATUS status = last(&client, &server, ASC_REQ_FRAGMENT_TO_FIT, &out);
    struct side nothing = {.length = 0};
    while (status == SEC_I_CONTINUE_NEEDED && length < 400) {
        CHECK(out.cbBuffer == 5);
        length += out.cbBuffer;
        out = (SecBuffer){2, SECBUFFER_TOKEN, memory + length};
        STATUS(last(&nothing, &server, ASC_REQ_FRAGMENT_TO_FIT, &out), SEC_E_BUFFER_TOO_SMALL);
        out.cbBuffer = 5;
        status = last(&nothing, &server, ASC_REQ_FRAGMENT_TO_FIT, &out);
    }
    STATUS(status, SEC_E_OK);
    CHECK(audited() == before + 1);
    finished(&client, &server, memory, length + out.cbBuffer);
}

/* NTLM without a frame after the hint: that is not cut into pieces. */
static void without_a_frame(void)
{
    for (int pieces = 0; pieces < 2; ++pieces) {
        CASE("a hint, then NTLM without a frame%s", pieces ? ", in pieces" : "");
        struct side client = initiator(&initiates), server = acceptor(&accepts);
        ULONG wants = pieces ? ASC_REQ_FRAGMENT_TO_FIT : 0;
        unsigned char memory[50];
        FILL(memory);
        MUST(STATUS(leg(&server, NULL, 0), SEC_I_CONTINUE_NEEDED));
        MUST(STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED));
        CHECK(memcmp(client.token, "NTLMSSP", 8) == 0);
        SecBuffer out = {sizeof memory, SECBUFFER_TOKEN, memory};
        STATUS(last(&client, &server, wants, &out), SEC_E_BUFFER_TOO_SMALL);
        UNTOUCHED(memory);
        out = (SecBuffer){sizeof server.token, SECBUFFER_TOKEN, server.token};
        STATUS(last(&client, &server, wants, &out), SEC_I_CONTINUE_NEEDED);
        STATUS(leg(&client, server.token, out.cbBuffer), SEC_E_OK);
        STATUS(answer(&server, &client), SEC_E_OK);
        CHECK(tell(&client, &server, "the retry was sound"));
        end(&client);
        end(&server);
    }
}

int main(int count, char **arguments)
{
    char source[512];
    MUST(count == 2);
    initiates = must_acquire("Negotiate", SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    accepts = must_acquire("Negotiate", SECPKG_CRED_INBOUND, NULL, NULL);
    completed();
    what_the_mic_covers();
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    snprintf(audit, sizeof audit, "%s/audit.jsonl", arguments[1]);
    MUST(STATUS(PortcullisSetAuthority(source), SEC_E_OK));
    accepts = must_acquire("Negotiate", SECPKG_CRED_INBOUND, NULL, NULL);
    too_little_room();
    without_a_frame();
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    return check_done();
}
