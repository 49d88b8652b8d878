/*
 * Parameters and outputs of AcceptSecurityContext and InitializeSecurityContext: what is written and what is not, whose
 * memory it is, what a caller with too little room may do, and that a handshake needs no credential once it is begun.
 */
#include "check.h"
#include "talk.h"

static const char *package;

/* A leg with nothing but what is given; variables around it are watched. */
struct watched {
    CtxtHandle context;
    ULONG granted;
    TimeStamp expiry;
    unsigned char memory[4096];
    SecBuffer out;
};

static SECURITY_STATUS watched_leg(struct watched *w, struct side *side, const struct side *other, ULONG wants,
                                   ULONG room)
{
    SecBuffer in = {other == NULL ? 0 : other->length, SECBUFFER_TOKEN, other == NULL ? NULL : (void *)other->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &w->out};
    FILL(*w);
    w->out = (SecBuffer){room, SECBUFFER_TOKEN, w->memory};
    PCtxtHandle former = side->begun ? &side->context : NULL;
    if (side->accepts) {
        return AcceptSecurityContext(side->credential, former, &input, wants, SECURITY_NETWORK_DREP, &w->context,
                                     &output, &w->granted, &w->expiry);
    }
    return InitializeSecurityContextA(side->credential, former, TARGET, wants, 0, SECURITY_NETWORK_DREP,
                                      other == NULL ? NULL : &input, 0, &w->context, &output, &w->granted, &w->expiry);
}

static void handshakes(CredHandle *credential)
{
    CASE("%s: a handshake", package);
    struct side client = initiator(credential), server = acceptor(credential);
    STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED);
    CHECK(client.length > 0);
    CtxtHandle first = client.context;
    STATUS(answer(&server, &client), SEC_I_CONTINUE_NEEDED);
    CHECK(server.length > 0);
    CHECK((server.granted & ASC_RET_ALLOCATED_MEMORY) == 0);
    /* The same variable for the old handle and the new one. */
    STATUS(answer(&client, &server), SEC_E_OK);
    CHECK(client.length > 0);
    CHECK(memcmp(&first, &client.context, sizeof first) == 0);
    FILL(server.expiry);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(server.length == 0);
    CHECK(server.expiry.QuadPart == 0x7FFFFFFFFFFFFFFF);
    CHECK((server.granted & BOTH_WAYS_ACCEPT) == BOTH_WAYS_ACCEPT);
    CHECK((client.granted & BOTH_WAYS_INITIATE) == BOTH_WAYS_INITIATE);
    char name[64];
    name_of(&server, name, sizeof name);
    TEXT(name, ANN);
    CHECK(tell(&client, &server, "from the client") && tell(&server, &client, "and back"));
    CASE("%s: a leg after the last", package);
    STATUS(answer(&server, &client), SEC_E_OUT_OF_SEQUENCE);
    CHECK(server.length == 0);
    CHECK(tell(&client, &server, "all is as before"));
    end(&client);
    end(&server);

    CASE("%s: nothing wanted is told", package);
    client = initiator(credential);
    server = acceptor(credential);
    shake_but_last(&client, &server);
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token};
    SecBuffer out = {sizeof server.token, SECBUFFER_TOKEN, server.token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    STATUS(AcceptSecurityContext(NULL, &server.context, &input, 0, 0, NULL, &output, NULL, NULL), SEC_E_OK);
    CHECK(out.cbBuffer == 0);
    end(&client);
    end(&server);

    CASE("%s: old and new handle in two variables", package);
    client = initiator(credential);
    server = acceptor(credential);
    leg(&client, NULL, 0);
    answer(&server, &client);
    answer(&client, &server);
    struct watched w;
    STATUS(watched_leg(&w, &server, &client, BOTH_WAYS_ACCEPT, sizeof w.memory), SEC_E_OK);
    CHECK(memcmp(&w.context, &server.context, sizeof w.context) == 0);
    UNTOUCHED(w.memory);
    end(&client);
    end(&server);

    CASE("%s: input and output in one piece of memory", package);
    client = initiator(credential);
    server = acceptor(credential);
    leg(&client, NULL, 0);
    in = (SecBuffer){client.length, SECBUFFER_TOKEN | SECBUFFER_READONLY, client.token};
    out = (SecBuffer){sizeof client.token, SECBUFFER_TOKEN, client.token};
    STATUS(AcceptSecurityContext(credential, NULL, &input, BOTH_WAYS_ACCEPT, 0, &server.context, &output,
                                 &server.granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    server.begun = true;
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, client.token};
    out.cbBuffer = sizeof client.token;
    STATUS(InitializeSecurityContextA(credential, &client.context, TARGET, client.wants, 0, 0, &input, 0,
                                      &client.context, &output, &client.granted, NULL),
           SEC_E_OK);
    STATUS(leg(&server, client.token, out.cbBuffer), SEC_E_OK);
    end(&client);
    end(&server);
}

static void memory_of_ours(CredHandle *credential)
{
    CASE("%s: ALLOCATE_MEMORY", package);
    struct side client = initiator(credential), server = acceptor(credential);
    leg(&client, NULL, 0);
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token};
    /* What stands there is no place of the caller's. */
    SecBuffer out = {3, SECBUFFER_EMPTY, (void *)1};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG wants = BOTH_WAYS_ACCEPT | ASC_REQ_ALLOCATE_MEMORY;
    STATUS(AcceptSecurityContext(credential, NULL, &input, wants, 0, &server.context, &output, &server.granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    server.begun = true;
    CHECK((server.granted & ASC_RET_ALLOCATED_MEMORY) != 0);
    CHECK(out.cbBuffer > 32 && out.pvBuffer != (void *)1 && out.BufferType == SECBUFFER_TOKEN);
    STATUS(leg(&client, out.pvBuffer, out.cbBuffer), SEC_E_OK);
    STATUS(FreeContextBuffer(out.pvBuffer), SEC_E_OK);
    FAILS(FreeContextBuffer(out.pvBuffer));
    in = (SecBuffer){client.length, SECBUFFER_TOKEN, client.token};
    out = (SecBuffer){3, SECBUFFER_TOKEN, (void *)1};
    STATUS(AcceptSecurityContext(credential, &server.context, &input, wants, 0, &server.context, &output,
                                 &server.granted, NULL),
           SEC_E_OK);
    CHECK(out.cbBuffer == 0 && out.pvBuffer == NULL);
    CHECK((server.granted & ASC_RET_ALLOCATED_MEMORY) == 0);
    end(&client);
    end(&server);

    CASE("%s: ALLOCATE_MEMORY, refused", package);
    client = initiator(credential);
    server = acceptor(credential);
    shake_but_last(&client, &server);
    client.token[client.length - 1] ^= 1;
    in = (SecBuffer){client.length, SECBUFFER_TOKEN, client.token};
    out = (SecBuffer){3, SECBUFFER_TOKEN, (void *)1};
    FAILS(AcceptSecurityContext(credential, &server.context, &input, wants, 0, &server.context, &output,
                                &server.granted, NULL));
    CHECK(out.cbBuffer == 0 && out.pvBuffer == NULL);
    end(&client);
    end(&server);

    CASE("FreeContextBuffer");
    int mine = 0;
    STATUS(FreeContextBuffer(NULL), SEC_E_OK);
    STATUS(FreeContextBuffer(&mine), SEC_E_INVALID_HANDLE);
}

static void too_little_room(CredHandle *credential)
{
    struct watched w;
    struct side client = initiator(credential), server = acceptor(credential);
    CASE("%s: too little room for the first token", package);
    for (ULONG room = 0; room < 32; room += 8) {
        STATUS(watched_leg(&w, &client, NULL, client.wants, room), SEC_E_BUFFER_TOO_SMALL);
        UNTOUCHED(w.context);
        UNTOUCHED(w.granted);
        UNTOUCHED(w.expiry);
        UNTOUCHED(w.memory);
    }
    STATUS(InitializeSecurityContextA(credential, NULL, TARGET, 0, 0, 0, NULL, 0, &w.context, NULL, NULL, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(w.context);
    leg(&client, NULL, 0);
    for (ULONG room = 0; room < 56; room += 8) {
        STATUS(watched_leg(&w, &server, &client, server.wants, room), SEC_E_BUFFER_TOO_SMALL);
        UNTOUCHED(w.context);
        UNTOUCHED(w.granted);
        UNTOUCHED(w.memory);
    }
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token};
    SecBuffer nowhere = {4096, SECBUFFER_TOKEN, NULL}, kept = {4096, SECBUFFER_TOKEN | SECBUFFER_READONLY, w.memory};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &nowhere};
    STATUS(AcceptSecurityContext(credential, NULL, &input, server.wants, 0, &w.context, &output, NULL, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    output.pBuffers = &kept;
    STATUS(AcceptSecurityContext(credential, NULL, &input, server.wants, 0, &w.context, &output, NULL, NULL),
           SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(w.context);
    UNTOUCHED(w.memory);
    STATUS(answer(&server, &client), SEC_I_CONTINUE_NEEDED);

    CASE("%s: too little room for the client's last token", package);
    ULONG rooms[] = {0, 1, 87, 88, 200, 300};
    for (size_t at = 0; at < sizeof rooms / sizeof *rooms; ++at) {
        STATUS(watched_leg(&w, &client, &server, client.wants, rooms[at]), SEC_E_BUFFER_TOO_SMALL);
        UNTOUCHED(w.context);
        UNTOUCHED(w.granted);
        UNTOUCHED(w.memory);
    }
    STATUS(answer(&client, &server), SEC_E_OK);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(tell(&client, &server, "the retry was sound") && tell(&server, &client, "both ways"));
    end(&client);
    end(&server);

    CASE("%s: another input after too little room", package);
    client = initiator(credential);
    server = acceptor(credential);
    leg(&client, NULL, 0);
    answer(&server, &client);
    STATUS(watched_leg(&w, &client, &server, client.wants, 200), SEC_E_BUFFER_TOO_SMALL);
    server.token[24] ^= 1;
    FAILS(answer(&client, &server));
    end(&client);
    end(&server);
}

static void descriptors(CredHandle *credential)
{
    struct side client = initiator(credential);
    leg(&client, NULL, 0);
    struct watched w;
    FILL(w);
    SecBuffer in[70];
    memset(in, 0, sizeof in);
    in[0] = (SecBuffer){client.length, SECBUFFER_TOKEN, client.token};
    w.out = (SecBuffer){sizeof w.memory, SECBUFFER_TOKEN, w.memory};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, in}, output = {SECBUFFER_VERSION, 1, &w.out};
#define ACCEPT() AcceptSecurityContext(credential, NULL, &input, 0, 0, &w.context, &output, &w.granted, &w.expiry)
    CASE("%s: descriptors that are none", package);
    input.ulVersion = 1;
    STATUS(ACCEPT(), SEC_E_INVALID_TOKEN);
    input = (SecBufferDesc){SECBUFFER_VERSION, 70, in};
    STATUS(ACCEPT(), SEC_E_INVALID_TOKEN);
    input = (SecBufferDesc){SECBUFFER_VERSION, 1, in};
    output.ulVersion = 7;
    STATUS(ACCEPT(), SEC_E_INVALID_TOKEN);
    output.ulVersion = SECBUFFER_VERSION;
    /* Buffers that lie where no compiler puts them. */
    _Alignas(8) unsigned char crooked[sizeof in[0] + 8];
    for (int bytes = 1; bytes < 8; ++bytes) {
        memcpy(crooked + 8, in, sizeof in[0]);
        memmove(crooked + bytes, crooked + 8, sizeof in[0]);
        input.pBuffers = (void *)(crooked + bytes);
        STATUS(ACCEPT(), SEC_E_INVALID_TOKEN);
        input.pBuffers = in;
        memcpy(crooked + bytes, &w.out, sizeof w.out);
        output.pBuffers = (void *)(crooked + bytes);
        STATUS(ACCEPT(), SEC_E_INVALID_TOKEN);
        CHECK(memcmp(crooked + bytes, &w.out, sizeof w.out) == 0);
        output.pBuffers = &w.out;
    }
    UNTOUCHED(w.memory);
    UNTOUCHED(w.context);
    UNTOUCHED(w.granted);
    UNTOUCHED(w.expiry);
    STATUS(AcceptSecurityContext(credential, NULL, &input, 0, 0, NULL, &output, NULL, NULL), SEC_E_INVALID_HANDLE);
    STATUS(AcceptSecurityContext(NULL, NULL, &input, 0, 0, &w.context, &output, NULL, NULL), SEC_E_INVALID_HANDLE);
    UNTOUCHED(w.context);
    CASE("%s: no token", package);
    w.out.cbBuffer = sizeof w.memory;
    in[0].BufferType = SECBUFFER_DATA;
    SECURITY_STATUS speaks_first = strcmp(package, "NTLM") == 0 ? SEC_E_INVALID_TOKEN : SEC_I_CONTINUE_NEEDED;
    STATUS(ACCEPT(), speaks_first);
    if (speaks_first >= 0) {
        CHECK(w.out.cbBuffer > 0 && w.memory[0] == 0x60);
        STATUS(DeleteSecurityContext(&w.context), SEC_E_OK);
    } else {
        CHECK(w.out.cbBuffer == 0);
        UNTOUCHED(w.context);
    }
    CASE("%s: the token is not the first buffer, and EMPTY takes one", package);
    in[0] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    in[1] = (SecBuffer){client.length, SECBUFFER_TOKEN | SECBUFFER_READONLY_WITH_CHECKSUM, client.token};
    input.cBuffers = 2;
    SecBuffer outs[2] = {{0, SECBUFFER_DATA, NULL}, {sizeof w.memory, SECBUFFER_EMPTY, w.memory}};
    output = (SecBufferDesc){SECBUFFER_VERSION, 2, outs};
    STATUS(ACCEPT(), SEC_I_CONTINUE_NEEDED);
    CHECK(outs[1].BufferType == SECBUFFER_TOKEN && outs[1].cbBuffer > 0 && outs[1].cbBuffer < sizeof w.memory);
    STATUS(DeleteSecurityContext(&w.context), SEC_E_OK);
#undef ACCEPT
    end(&client);
}

static void credentials_that_go(void)
{
    CASE("%s: credentials freed between the legs", package);
    CredHandle one = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD), other = one;
    struct side client = initiator(&one), server = acceptor(&one);
    leg(&client, NULL, 0);
    answer(&server, &client);
    STATUS(FreeCredentialsHandle(&one), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&other), SEC_E_INVALID_HANDLE);
    /* A credential that is given must be one. */
    STATUS(answer(&client, &server), SEC_E_INVALID_HANDLE);
    client.credential = server.credential = NULL;
    STATUS(answer(&client, &server), SEC_E_OK);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(tell(&client, &server, "without a credential"));
    end(&client);
    end(&server);
}

int main(void)
{
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        CredHandle credential = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        handshakes(&credential);
        memory_of_ours(&credential);
        too_little_room(&credential);
        descriptors(&credential);
        credentials_that_go();
        STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    }
    return check_done();
}
