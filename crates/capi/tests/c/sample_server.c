/*
 * A server on TCP that lets its clients prove who they are: the shape of the sample "Using SSPI with a Windows Sockets
 * Server" in Microsoft's documentation, written anew for sockets of Linux. sample_client.c is the other side.
 *
 *     sample_server PORT PACKAGE [AUTHORITY]
 *
 * PORT 0 takes a free one. PACKAGE is NTLM or Negotiate. AUTHORITY is what PortcullisSetAuthority takes; without it the
 * accounts are where PORTCULLIS_CONFIG says. It listens on 127.0.0.1, serves one client after the other, and prints
 *
 *     listening PORT
 *     impersonate STATUS        whether the thread could act for the client (in hexadecimal, 00000000 is success)
 *     client NAME
 *     refused STATUS CAUSE      instead of NAME; causes of its own begin with sample/
 *
 * On the wire a token has its length before it. The message at the end has the length of all that follows, the length
 * of the signature, the signature, and the encrypted data. Lengths are 4 bytes, lowest first.
 *
 *     cc -std=c11 -Wall -Wextra -Werror -I include tests/c/sample_server.c -lportcullis
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* No token of any package is larger; more is not read from somebody unknown. */
#define LARGEST_TOKEN (128u * 1024u)
/* A client that says nothing for this long makes place for the next one. */
#define PATIENCE_SECONDS 30

static const char GREETING[] = "This is your server speaking";

static const ULONG WANTED = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT |
                            ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONNECTION | ASC_REQ_EXTENDED_ERROR;

/* The connection of one client. The context is valid where `begun` says so. */
struct client {
    int socket;
    struct sockaddr_in address;
    CtxtHandle context;
    bool begun;
    ULONG granted;
    /* Why this server itself gave up, where it was not the library. */
    const char *gave_up;
};

static int listen_on(unsigned short port);
static void serve(CredHandle *credential, ULONG largest, struct client *client);
static SECURITY_STATUS authenticate(CredHandle *credential, ULONG largest, struct client *client);
static SECURITY_STATUS greet(struct client *client);
static bool send_all(int socket, const void *bytes, size_t length);
static bool receive_all(int socket, void *bytes, size_t length);
static bool send_token(int socket, const SecBuffer *token);
static bool receive_token(int socket, SecBuffer *token);
static void put_length(unsigned char *place, ULONG length);
static SECURITY_STATUS give_up(struct client *client, SECURITY_STATUS status, const char *cause);
static void report_refusal(const struct client *client, SECURITY_STATUS status);

int main(int count, char **arguments)
{
    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: %s PORT PACKAGE [AUTHORITY]\n", arguments[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (count == 4) {
        SECURITY_STATUS status = PortcullisSetAuthority(arguments[3]);
        if (status < 0) {
            fprintf(stderr, "PortcullisSetAuthority: %08X\n", (unsigned)status);
            return 1;
        }
    }

    PSecPkgInfoA package = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoA(arguments[2], &package);
    if (status < 0) {
        fprintf(stderr, "QuerySecurityPackageInfo: %08X\n", (unsigned)status);
        return 1;
    }
    ULONG largest = package->cbMaxToken;
    FreeContextBuffer(package);

    /* One credential serves every client; nothing of a client stays in it. */
    CredHandle credential;
    TimeStamp expiry;
    status = AcquireCredentialsHandleA(NULL, arguments[2], SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential,
                                       &expiry);
    if (status < 0) {
        fprintf(stderr, "AcquireCredentialsHandle: %08X\n", (unsigned)status);
        return 1;
    }

    int listener = listen_on((unsigned short)strtoul(arguments[1], NULL, 10));
    if (listener < 0) {
        perror("listen");
        FreeCredentialsHandle(&credential);
        return 1;
    }
    for (;;) {
        struct client client = {.socket = -1};
        socklen_t length = sizeof client.address;
        client.socket = accept(listener, (struct sockaddr *)&client.address, &length);
        if (client.socket < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            perror("accept");
            break;
        }
        struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
        setsockopt(client.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(client.socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        serve(&credential, largest, &client);
        close(client.socket);
    }
    close(listener);
    FreeCredentialsHandle(&credential);
    return 1;
}

/* A socket that listens on 127.0.0.1, or -1; says on which port. */
static int listen_on(unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int again = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) {
        return -1;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        close(listener);
        return -1;
    }
    printf("listening %u\n", (unsigned)ntohs(address.sin_port));
    return listener;
}

static void serve(CredHandle *credential, ULONG largest, struct client *client)
{
    SECURITY_STATUS status = authenticate(credential, largest, client);
    if (status == SEC_E_OK) {
        status = greet(client);
    }
    if (status != SEC_E_OK) {
        report_refusal(client, status);
    }
    /* Due also after a failure: a context exists since the first leg that succeeded. */
    if (client->begun) {
        DeleteSecurityContext(&client->context);
    }
}

/* The handshake: a token in, a token out, until the package knows. */
static SECURITY_STATUS authenticate(CredHandle *credential, ULONG largest, struct client *client)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    unsigned char *answer = calloc(1, largest);
    if (answer == NULL) {
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    while (status == SEC_I_CONTINUE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
        if (!receive_token(client->socket, &token)) {
            status = give_up(client, SEC_E_INCOMPLETE_MESSAGE, "sample/hung-up");
            break;
        }
        SecBuffer reply = {largest, SECBUFFER_TOKEN, answer};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &token};
        SecBufferDesc output = {SECBUFFER_VERSION, 1, &reply};
        TimeStamp expiry;
        /* The same variable twice: it is read as the old handle before it is written as the new one. */
        status = AcceptSecurityContext(credential, client->begun ? &client->context : NULL, &input, WANTED,
                                       SECURITY_NATIVE_DREP, &client->context, &output, &client->granted, &expiry);
        free(token.pvBuffer);
        if (status >= 0 && !client->begun) {
            client->begun = true;
            PortcullisSetPeerAddress(&client->context, (const struct sockaddr *)&client->address,
                                     (ULONG)sizeof client->address);
        }
        if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
            SECURITY_STATUS completed = CompleteAuthToken(&client->context, &output);
            if (completed < 0) {
                status = completed;
                break;
            }
        }
        /*
         * A failure may have a token, too, for the client's package; the client is told nothing else. Some libraries
         * leave cbBuffer at our buffer's size when they fail: that is no token.
         */
        bool answered = reply.cbBuffer != 0 && (status >= 0 || reply.cbBuffer < largest);
        if (answered && !send_token(client->socket, &reply) && status >= 0) {
            status = give_up(client, SEC_E_INCOMPLETE_MESSAGE, "sample/hung-up");
        }
    }
    free(answer);
    return status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : status;
}

/* Who is it, can this thread act for them, and a message that only they can read. */
static SECURITY_STATUS greet(struct client *client)
{
    /* A flag that was asked for is not thereby granted. */
    if ((client->granted & ASC_RET_CONFIDENTIALITY) == 0) {
        return give_up(client, SEC_E_SECURITY_QOS_FAILED, "sample/no-confidentiality");
    }
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(&client->context, SECPKG_ATTR_SIZES, &sizes);
    if (status < 0) {
        return status;
    }
    SecPkgContext_NamesA names;
    status = QueryContextAttributesA(&client->context, SECPKG_ATTR_NAMES, &names);
    if (status < 0) {
        return status;
    }

    /* Only to see: nothing is done in the client's name here. A server that would do so stops where this fails. */
    SECURITY_STATUS acting = ImpersonateSecurityContext(&client->context);
    if (acting >= 0) {
        RevertSecurityContext(&client->context);
    }
    printf("impersonate %08X\n", (unsigned)acting);

    /* Lengths, signature and data in one piece of memory; the signature may turn out shorter than its room. */
    size_t room = 8 + (size_t)sizes.cbSecurityTrailer + sizeof GREETING - 1;
    unsigned char *message = malloc(room);
    if (message == NULL) {
        FreeContextBuffer(names.sUserName);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    unsigned char *data = message + 8 + sizes.cbSecurityTrailer;
    memcpy(data, GREETING, sizeof GREETING - 1);
    SecBuffer buffers[2] = {
        {sizes.cbSecurityTrailer, SECBUFFER_TOKEN, message + 8},
        {(ULONG)(sizeof GREETING - 1), SECBUFFER_DATA, data},
    };
    SecBufferDesc whole = {SECBUFFER_VERSION, 2, buffers};
    status = EncryptMessage(&client->context, 0, &whole, 0);
    if (status == SEC_E_OK) {
        put_length(message, 4 + buffers[0].cbBuffer + buffers[1].cbBuffer);
        put_length(message + 4, buffers[0].cbBuffer);
        if (send_all(client->socket, message, 8 + (size_t)buffers[0].cbBuffer) &&
            send_all(client->socket, data, buffers[1].cbBuffer)) {
            printf("client %s\n", names.sUserName);
        } else {
            status = give_up(client, SEC_E_INCOMPLETE_MESSAGE, "sample/hung-up");
        }
    }
    free(message);
    FreeContextBuffer(names.sUserName);
    return status;
}

static SECURITY_STATUS give_up(struct client *client, SECURITY_STATUS status, const char *cause)
{
    client->gave_up = cause;
    return status;
}

/* The cause is for these lines, which the operator reads; the client is told a token at most. */
static void report_refusal(const struct client *client, SECURITY_STATUS status)
{
    char known[128];
    const char *cause = client->gave_up;
    if (cause == NULL) {
        bool told = PortcullisLastCause(known, sizeof known) == SEC_E_OK && known[0] != 0;
        cause = told ? known : "-";
    }
    printf("refused %08X %s\n", (unsigned)status, cause);
}

static bool send_token(int socket, const SecBuffer *token)
{
    unsigned char length[4];
    put_length(length, token->cbBuffer);
    return send_all(socket, length, sizeof length) && send_all(socket, token->pvBuffer, token->cbBuffer);
}

/* The caller frees pvBuffer, unless it failed. */
static bool receive_token(int socket, SecBuffer *token)
{
    unsigned char bytes[4];
    if (!receive_all(socket, bytes, sizeof bytes)) {
        return false;
    }
    ULONG length = (ULONG)bytes[0] | (ULONG)bytes[1] << 8 | (ULONG)bytes[2] << 16 | (ULONG)bytes[3] << 24;
    if (length > LARGEST_TOKEN) {
        return false;
    }
    token->pvBuffer = malloc(length == 0 ? 1 : length);
    if (token->pvBuffer == NULL || !receive_all(socket, token->pvBuffer, length)) {
        free(token->pvBuffer);
        token->pvBuffer = NULL;
        return false;
    }
    token->cbBuffer = length;
    return true;
}

static void put_length(unsigned char *place, ULONG length)
{
    for (int byte = 0; byte < 4; ++byte) {
        place[byte] = (unsigned char)(length >> 8 * byte);
    }
}

static bool send_all(int socket, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;
    while (length > 0) {
        /* A client that went away is an error here, not a signal. */
        ssize_t sent = send(socket, next, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        next += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool receive_all(int socket, void *bytes, size_t length)
{
    unsigned char *next = bytes;
    while (length > 0) {
        ssize_t got = recv(socket, next, length, 0);
        if (got <= 0) {
            return false;
        }
        next += got;
        length -= (size_t)got;
    }
    return true;
}
