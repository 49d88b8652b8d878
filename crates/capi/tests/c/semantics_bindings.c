/*
 * Channel bindings: SECBUFFER_CHANNEL_BINDINGS of both sides against the two flags of an acceptor, the result in a buffer
 * of type 30, and blobs that are none.
 */
#include "check.h"
#include "talk.h"

static const char *package;

struct blob {
    SEC_CHANNEL_BINDINGS header;
    char data[40];
};

static const struct blob NOTHING;

static struct blob channel(const char *data)
{
    struct blob blob = {.header = {.cbApplicationDataLength = (ULONG)strlen(data),
                                   .dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS)}};
    memcpy(blob.data, data, strlen(data));
    return blob;
}

static ULONG size_of(const struct blob *blob)
{
    return (ULONG)sizeof blob->header + blob->header.cbApplicationDataLength;
}

/* A handshake whose sides have these channels; NULL for none. What the acceptor says in the end. */
static SECURITY_STATUS bound(CredHandle *credential, const struct blob *of_client, const struct blob *of_server,
                             ULONG flags, ULONG *result)
{
    struct side client = initiator(credential), server = acceptor(credential);
    SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_CHANNEL_BINDINGS | SECBUFFER_READONLY, NULL}};
    SecBuffer out = {sizeof client.token, SECBUFFER_TOKEN, client.token};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    struct blob mine = of_client == NULL ? NOTHING : *of_client, theirs = of_server == NULL ? NOTHING : *of_server;
    leg(&client, NULL, 0);
    answer(&server, &client);
    in[0] = (SecBuffer){server.length, SECBUFFER_TOKEN, server.token};
    in[1].pvBuffer = &mine;
    in[1].cbBuffer = of_client == NULL ? 0 : size_of(&mine); /* empty: a client without a channel */
    MUST(STATUS(InitializeSecurityContextA(credential, &client.context, TARGET, client.wants, 0, 0, &input, 0,
                                           &client.context, &output, &client.granted, NULL),
                SEC_E_OK));
    in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, client.token};
    in[1].pvBuffer = &theirs;
    in[1].cbBuffer = size_of(&theirs);
    input.cBuffers = of_server == NULL ? 1 : 2;
    SEC_CHANNEL_BINDINGS_RESULT told = {0xffffffff};
    SecBuffer outs[2] = {{sizeof server.token, SECBUFFER_TOKEN, server.token},
                         {sizeof told, SECBUFFER_CHANNEL_BINDINGS_RESULT, &told}};
    output = (SecBufferDesc){SECBUFFER_VERSION, 2, outs};
    SECURITY_STATUS status = AcceptSecurityContext(credential, &server.context, &input, server.wants | flags, 0,
                                                   &server.context, &output, &server.granted, NULL);
    *result = told.flags;
    CHECK(outs[1].cbBuffer == sizeof told);
    if (status == SEC_E_OK) {
        CHECK(tell(&client, &server, "bound"));
    } else {
        CHECK(outs[0].cbBuffer == 0);
    }
    end(&client);
    end(&server);
    return status;
}

static void the_table(CredHandle *credential)
{
    struct blob one = channel("tls-server-end-point:0123456789abcdef");
    struct blob other = channel("tls-server-end-point:fedcba9876543210");
    /* An initiator without a channel says so by zeros: it knows of bindings. */
    const struct {
        const char *what;
        const struct blob *client, *server;
        ULONG flags;
        SECURITY_STATUS status;
        ULONG result;
    } ROWS[] = {
        {"required, matched", &one, &one, 0, SEC_E_OK, 0x11},
        {"required, another", &other, &one, 0, SEC_E_BAD_BINDINGS, 0x05},
        {"required, none", NULL, &one, 0, SEC_E_BAD_BINDINGS, 0x0B},
        {"allowed to miss, matched", &one, &one, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_OK, 0x11},
        {"allowed to miss, another", &other, &one, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS, 0x05},
        {"allowed to miss, zeros", NULL, &one, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS, 0x0B},
        {"a proxy, some channel", &one, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_OK, 0x21},
        {"a proxy, zeros", NULL, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_BAD_BINDINGS, 0x0B},
        {"not looked at, some channel", &one, NULL, 0, SEC_E_OK, 0x01},
        {"not looked at, zeros", NULL, NULL, 0, SEC_E_OK, 0x01},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: %s", package, ROWS[at].what);
        ULONG result;
        STATUS(bound(credential, ROWS[at].client, ROWS[at].server, ROWS[at].flags, &result), ROWS[at].status);
        STATUS((SECURITY_STATUS)result, (SECURITY_STATUS)ROWS[at].result);
        if (ROWS[at].status < 0) {
            TEXT(cause(), (result & 4) != 0 ? "ntlm/bindings-wrong" : "ntlm/bindings-missing");
        }
    }
}

/* A channel that the server's first leg names is that of the last one too, unless that names another. */
static void named_first(CredHandle *credential)
{
    const struct {
        const char *what, *client, *first, *last;
        SECURITY_STATUS status;
    } ROWS[] = {
        {"matched", "one", "one", NULL, SEC_E_OK},
        {"another", "other", "one", NULL, SEC_E_BAD_BINDINGS},
        {"none", NULL, "one", NULL, SEC_E_BAD_BINDINGS},
        {"matched by the last", "one", "other", "one", SEC_E_OK},
        {"another than the last", "one", "one", "other", SEC_E_BAD_BINDINGS},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: named on the first leg: %s", package, ROWS[at].what);
        struct side client = initiator(credential), server = acceptor(credential);
        struct blob mine = channel(ROWS[at].client == NULL ? "" : ROWS[at].client), theirs = channel(ROWS[at].first);
        SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL}, {size_of(&theirs), SECBUFFER_CHANNEL_BINDINGS, &theirs}};
        SecBuffer out = {sizeof server.token, SECBUFFER_TOKEN, server.token};
        SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
        leg(&client, NULL, 0);
        in[0] = (SecBuffer){client.length, SECBUFFER_TOKEN, client.token};
        MUST(STATUS(AcceptSecurityContext(credential, NULL, &input, server.wants, 0, &server.context, &output, NULL,
                                          NULL),
                    SEC_I_CONTINUE_NEEDED));
        server.begun = true;
        in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, server.token};
        in[1] = (SecBuffer){size_of(&mine), SECBUFFER_CHANNEL_BINDINGS, &mine};
        input.cBuffers = ROWS[at].client == NULL ? 1 : 2;
        out = (SecBuffer){sizeof client.token, SECBUFFER_TOKEN, client.token};
        MUST(STATUS(InitializeSecurityContextA(credential, &client.context, TARGET, client.wants, 0, 0, &input, 0,
                                               &client.context, &output, NULL, NULL),
                    SEC_E_OK));
        in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, client.token};
        theirs = channel(ROWS[at].last == NULL ? "" : ROWS[at].last);
        in[1] = (SecBuffer){size_of(&theirs), SECBUFFER_CHANNEL_BINDINGS, &theirs};
        input.cBuffers = ROWS[at].last == NULL ? 1 : 2;
        out = (SecBuffer){sizeof server.token, SECBUFFER_TOKEN, server.token};
        STATUS(AcceptSecurityContext(NULL, &server.context, &input, server.wants, 0, &server.context, &output, NULL,
                                     NULL),
               ROWS[at].status);
        end(&client);
        end(&server);
    }
}

/* Addresses count as well as data. */
static void addresses(CredHandle *credential)
{
    struct blob one = channel("data"), other;
    one.header.dwInitiatorAddrType = 2;
    one.header.cbInitiatorLength = 4;
    one.header.dwInitiatorOffset = sizeof one.header;
    ULONG result;
    CASE("%s: an address", package);
    STATUS(bound(credential, &one, &one, 0, &result), SEC_E_OK);
    other = one;
    other.header.dwInitiatorAddrType = 3;
    STATUS(bound(credential, &one, &other, 0, &result), SEC_E_BAD_BINDINGS);
    other = one;
    other.header.cbInitiatorLength = 0;
    STATUS(bound(credential, &one, &other, 0, &result), SEC_E_BAD_BINDINGS);
    /* An offset without a length leads nowhere. */
    other = one;
    other.header.dwAcceptorOffset = 0xffffffff;
    STATUS(bound(credential, &one, &other, 0, &result), SEC_E_OK);
}

/* SEC_CHANNEL_BINDINGS_EX, whose flag says that bindings are reported on and nobody is refused. */
static void audited(CredHandle *credential)
{
    struct {
        SEC_CHANNEL_BINDINGS_EX header;
        char data[4];
    } blob = {{.cbHeaderLength = sizeof blob.header, .cbStructureLength = sizeof blob, .cbApplicationDataLength = 4,
               .dwApplicationDataOffset = sizeof blob.header},
              {'d', 'a', 't', 'a'}};
    const struct {
        const char *client;
        ULONG flags;
        SECURITY_STATUS status;
        ULONG result;
    } ROWS[] = {
        {"data", 0, SEC_E_OK, 0x11},
        {"data", SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS, SEC_E_OK, 0x11},
        {"other", 0, SEC_E_BAD_BINDINGS, 0x05},
        {"other", SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS, SEC_E_OK, 0x05},
        {NULL, 0, SEC_E_BAD_BINDINGS, 0x0B},
        {NULL, SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS, SEC_E_OK, 0x0B},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: the longer form %zu", package, at);
        struct side client = initiator(credential), server = acceptor(credential);
        leg(&client, NULL, 0);
        answer(&server, &client);
        struct blob mine = channel(ROWS[at].client == NULL ? "" : ROWS[at].client);
        SecBuffer in[2] = {{server.length, SECBUFFER_TOKEN, server.token}, {size_of(&mine), SECBUFFER_CHANNEL_BINDINGS, &mine}};
        SecBuffer out[2] = {{sizeof client.token, SECBUFFER_TOKEN, client.token}, {0, SECBUFFER_CHANNEL_BINDINGS_RESULT, NULL}};
        SecBufferDesc input = {SECBUFFER_VERSION, ROWS[at].client == NULL ? 1 : 2, in}, output = {SECBUFFER_VERSION, 1, out};
        MUST(STATUS(InitializeSecurityContextA(credential, &client.context, TARGET, client.wants, 0, 0, &input, 0,
                                               &client.context, &output, NULL, NULL),
                    SEC_E_OK));
        blob.header.flags = ROWS[at].flags;
        in[0] = (SecBuffer){out[0].cbBuffer, SECBUFFER_TOKEN, client.token};
        in[1] = (SecBuffer){sizeof blob, SECBUFFER_CHANNEL_BINDINGS, &blob};
        input.cBuffers = 2;
        ULONG result = 0xffffffff;
        out[0] = (SecBuffer){sizeof server.token, SECBUFFER_TOKEN, server.token};
        out[1] = (SecBuffer){sizeof result, SECBUFFER_CHANNEL_BINDINGS_RESULT, &result};
        output.cBuffers = 2;
        STATUS(AcceptSecurityContext(credential, &server.context, &input, server.wants, 0, &server.context, &output,
                                     NULL, NULL),
               ROWS[at].status);
        CHECK(result == ROWS[at].result);
        end(&client);
        end(&server);
    }
}

static void no_bindings(CredHandle *credential)
{
    struct side client = initiator(credential), server = acceptor(credential);
    leg(&client, NULL, 0);
    const struct {
        SEC_CHANNEL_BINDINGS header;
        ULONG size;
    } BLOBS[] = {
        {{0}, 0}, /* a server that would go on without checking any */
        {{0}, 31},
        {{0}, 1},
        {{.cbApplicationDataLength = 1, .dwApplicationDataOffset = 72}, 72},
        {{.cbApplicationDataLength = 41, .dwApplicationDataOffset = 32}, 72},
        {{.cbApplicationDataLength = 0xffffffff, .dwApplicationDataOffset = 32}, 72},
        {{.cbApplicationDataLength = 0xffffffe0, .dwApplicationDataOffset = 0x20}, 72},
        {{.cbInitiatorLength = 8, .dwInitiatorOffset = 0xfffffffc}, 72},
        {{.cbAcceptorLength = 100, .dwAcceptorOffset = 0}, 72},
    };
    for (size_t at = 0; at < sizeof BLOBS / sizeof *BLOBS; ++at) {
        CASE("%s: blob %zu", package, at);
        struct blob blob = {.header = BLOBS[at].header};
        CtxtHandle fresh;
        ULONG granted;
        FILL(fresh);
        FILL(granted);
        SecBuffer in[2] = {{client.length, SECBUFFER_TOKEN, client.token},
                           {BLOBS[at].size, SECBUFFER_CHANNEL_BINDINGS, &blob}};
        SecBuffer out = {sizeof server.token, SECBUFFER_TOKEN, server.token};
        SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
        STATUS(AcceptSecurityContext(credential, NULL, &input, 0, 0, &fresh, &output, &granted, NULL),
               SEC_E_INVALID_TOKEN);
        CHECK(out.cbBuffer == 0);
        UNTOUCHED(fresh);
        UNTOUCHED(granted);
    }
    end(&client);
}

/* A place for the result that is too small or read-only gets none, and nothing else happens. */
static void no_place(CredHandle *credential)
{
    CASE("%s: no place for the result", package);
    struct side client = initiator(credential), server = acceptor(credential);
    shake_but_last(&client, &server);
    SecBuffer in = {client.length, SECBUFFER_TOKEN, client.token};
    unsigned char results[2][8];
    FILL(results);
    SecBuffer outs[2] = {{sizeof server.token, SECBUFFER_TOKEN, server.token},
                         {3, SECBUFFER_CHANNEL_BINDINGS_RESULT, results[0]}};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 2, outs};
    STATUS(AcceptSecurityContext(credential, &server.context, &input, 0, 0, NULL, &output, NULL, NULL), SEC_E_OK);
    UNTOUCHED(results);
    end(&client);
    end(&server);
}

int main(void)
{
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        CredHandle credential = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        the_table(&credential);
        named_first(&credential);
        addresses(&credential);
        audited(&credential);
        no_bindings(&credential);
        no_place(&credential);
        STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    }
    return check_done();
}
