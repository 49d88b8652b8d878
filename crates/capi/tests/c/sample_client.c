/*
 * A client on TCP that proves who it is to sample_server.c, which says what goes over the wire.
 *
 *     sample_client PORT PACKAGE TARGET USER DOMAIN PASSWORD A|W
 *
 * PACKAGE is NTLM or Negotiate, TARGET the service's name (HTTP/host). USER "-" stands for the credentials that the
 * process has anyway; an empty DOMAIN is none. A calls the functions of the A kind with an identity in UTF-8, W those
 * of the W kind with one in UTF-16. It prints
 *
 *     established
 *     MESSAGE                   what the server said, decrypted
 *     refused STATUS            instead; in hexadecimal, or `closed` where the server hung up
 *
 * and ends with 0, 1 (refused), or 2 (it could not be tried).
 *
 *     cc -std=c11 -Wall -Wextra -Werror -I include tests/c/sample_client.c -lportcullis
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Nothing longer is read from a server that is not known yet. */
#define LARGEST_FRAME (128u * 1024u)
#define PATIENCE_SECONDS 30

static const ULONG WANTED = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                            ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONNECTION | ISC_REQ_ALLOCATE_MEMORY;

/* What the server's hanging up is called here; no function answers it. */
#define CLOSED ((SECURITY_STATUS)1)

struct session {
    int socket;
    bool wide;
    char *target;
    SEC_WCHAR *wide_target;
    CtxtHandle context;
    bool begun;
    ULONG granted;
};

static int connect_to(unsigned short port);
static SECURITY_STATUS acquire(char **arguments, bool wide, CredHandle *credential);
static SECURITY_STATUS authenticate(CredHandle *credential, struct session *session);
static SECURITY_STATUS listen_to_server(struct session *session);
static SEC_WCHAR *widen(const char *text, ULONG *length);
static bool send_token(int socket, const SecBuffer *token);
static bool receive_frame(int socket, unsigned char **bytes, ULONG *length);
static ULONG get_length(const unsigned char *place);
static bool send_all(int socket, const void *bytes, size_t length);
static bool receive_all(int socket, void *bytes, size_t length);

int main(int count, char **arguments)
{
    if (count != 8 || (strcmp(arguments[7], "A") != 0 && strcmp(arguments[7], "W") != 0)) {
        fprintf(stderr, "usage: %s PORT PACKAGE TARGET USER DOMAIN PASSWORD A|W\n", arguments[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct session session = {.socket = -1, .wide = arguments[7][0] == 'W', .target = arguments[3]};

    CredHandle credential;
    SECURITY_STATUS status = acquire(arguments, session.wide, &credential);
    if (status < 0) {
        fprintf(stderr, "AcquireCredentialsHandle: %08X\n", (unsigned)status);
        return 2;
    }
    ULONG length;
    session.wide_target = widen(session.target, &length);
    session.socket = connect_to((unsigned short)strtoul(arguments[1], NULL, 10));
    if (session.wide_target == NULL || session.socket < 0) {
        perror("connect");
        free(session.wide_target);
        FreeCredentialsHandle(&credential);
        return 2;
    }

    status = authenticate(&credential, &session);
    if (status == SEC_E_OK) {
        status = listen_to_server(&session);
    }
    if (status == CLOSED) {
        printf("refused closed\n");
    } else if (status != SEC_E_OK) {
        printf("refused %08X\n", (unsigned)status);
    }

    if (session.begun) {
        DeleteSecurityContext(&session.context);
    }
    FreeCredentialsHandle(&credential);
    free(session.wide_target);
    close(session.socket);
    return status == SEC_E_OK ? 0 : 1;
}

static int connect_to(unsigned short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection < 0) {
        return -1;
    }
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        close(connection);
        return -1;
    }
    return connection;
}

/* The library copies the identity, so that nothing of it has to be kept. */
static SECURITY_STATUS acquire(char **arguments, bool wide, CredHandle *credential)
{
    const char *package = arguments[2];
    bool given = strcmp(arguments[4], "-") != 0;
    TimeStamp expiry;
    if (!wide) {
        SEC_WINNT_AUTH_IDENTITY_A identity = {
            .User = (unsigned char *)arguments[4],
            .UserLength = (ULONG)strlen(arguments[4]),
            .Domain = (unsigned char *)arguments[5],
            .DomainLength = (ULONG)strlen(arguments[5]),
            .Password = (unsigned char *)arguments[6],
            .PasswordLength = (ULONG)strlen(arguments[6]),
            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        };
        return AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, given ? &identity : NULL, NULL,
                                         NULL, credential, &expiry);
    }
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    SEC_WINNT_AUTH_IDENTITY_W identity = {.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    ULONG length;
    SEC_WCHAR *name = widen(package, &length);
    identity.User = widen(arguments[4], &identity.UserLength);
    identity.Domain = widen(arguments[5], &identity.DomainLength);
    identity.Password = widen(arguments[6], &identity.PasswordLength);
    if (name != NULL && identity.User != NULL && identity.Domain != NULL && identity.Password != NULL) {
        status = AcquireCredentialsHandleW(NULL, name, SECPKG_CRED_OUTBOUND, NULL, given ? &identity : NULL, NULL, NULL,
                                           credential, &expiry);
    }
    free(name);
    free(identity.User);
    free(identity.Domain);
    free(identity.Password);
    return status;
}

/* The handshake: the first token out of nothing, then one for each of the server's. */
static SECURITY_STATUS authenticate(CredHandle *credential, struct session *session)
{
    unsigned char *received = NULL;
    ULONG length = 0;
    for (;;) {
        SecBuffer token = {length, SECBUFFER_TOKEN, received};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &token};
        /* ISC_REQ_ALLOCATE_MEMORY: the library brings the memory, FreeContextBuffer takes it back. */
        SecBuffer reply = {0, SECBUFFER_TOKEN, NULL};
        SecBufferDesc output = {SECBUFFER_VERSION, 1, &reply};
        PCtxtHandle former = session->begun ? &session->context : NULL;
        PSecBufferDesc given = session->begun ? &input : NULL;
        TimeStamp expiry;
        SECURITY_STATUS status =
            session->wide ? InitializeSecurityContextW(credential, former, session->wide_target, WANTED, 0,
                                                       SECURITY_NATIVE_DREP, given, 0, &session->context, &output,
                                                       &session->granted, &expiry)
                          : InitializeSecurityContextA(credential, former, session->target, WANTED, 0,
                                                       SECURITY_NATIVE_DREP, given, 0, &session->context, &output,
                                                       &session->granted, &expiry);
        free(received);
        received = NULL;
        session->begun = session->begun || status >= 0;
        if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
            SECURITY_STATUS completed = CompleteAuthToken(&session->context, &output);
            if (completed < 0) {
                status = completed;
            }
        }
        bool sent = reply.cbBuffer == 0 || send_token(session->socket, &reply);
        FreeContextBuffer(reply.pvBuffer);
        if (status < 0) {
            return status;
        }
        if (!sent) {
            return CLOSED;
        }
        if (status == SEC_E_OK || status == SEC_I_COMPLETE_NEEDED) {
            return SEC_E_OK;
        }
        if (!receive_frame(session->socket, &received, &length)) {
            return CLOSED;
        }
    }
}

/* The server's message shows that it agreed: until it is decrypted, only our own side was content. */
static SECURITY_STATUS listen_to_server(struct session *session)
{
    if ((session->granted & ISC_RET_CONFIDENTIALITY) == 0) {
        return SEC_E_SECURITY_QOS_FAILED;
    }
    unsigned char *frame = NULL;
    ULONG length = 0;
    if (!receive_frame(session->socket, &frame, &length)) {
        return CLOSED;
    }
    SECURITY_STATUS status = SEC_E_INVALID_TOKEN;
    if (length >= 4 && get_length(frame) <= length - 4) {
        ULONG signature = get_length(frame);
        SecBuffer buffers[2] = {
            {signature, SECBUFFER_TOKEN, frame + 4},
            {length - 4 - signature, SECBUFFER_DATA, frame + 4 + signature},
        };
        SecBufferDesc whole = {SECBUFFER_VERSION, 2, buffers};
        ULONG quality = 0;
        status = DecryptMessage(&session->context, &whole, 0, &quality);
        /* A signature alone, without encryption, is not what was asked for. */
        if (status == SEC_E_OK && quality == SECQOP_WRAP_NO_ENCRYPT) {
            status = SEC_E_MESSAGE_ALTERED;
        }
        if (status == SEC_E_OK) {
            printf("established\n%.*s\n", (int)buffers[1].cbBuffer, (const char *)buffers[1].pvBuffer);
        }
    }
    free(frame);
    return status;
}

/* UTF-8 as UTF-16 with a zero at its end, which `length` does not count. NULL: no memory, or not UTF-8. */
static SEC_WCHAR *widen(const char *text, ULONG *length)
{
    const unsigned char *next = (const unsigned char *)text;
    SEC_WCHAR *wide = malloc((strlen(text) + 1) * sizeof *wide);
    ULONG count = 0;
    if (wide == NULL) {
        return NULL;
    }
    while (*next != 0) {
        unsigned first = *next++;
        int more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : -1;
        uint32_t character = more <= 0 ? first : first & (0x3Fu >> more);
        for (int byte = 0; byte < more; ++byte) {
            if (*next >> 6 != 2) {
                more = -1;
                break;
            }
            character = character << 6 | (*next++ & 0x3Fu);
        }
        if (more < 0 || character > 0x10FFFF || (character >= 0xD800 && character < 0xE000)) {
            free(wide);
            return NULL;
        }
        if (character >= 0x10000) {
            wide[count++] = (SEC_WCHAR)(0xD800 + ((character - 0x10000) >> 10));
            wide[count++] = (SEC_WCHAR)(0xDC00 + ((character - 0x10000) & 0x3FF));
        } else {
            wide[count++] = (SEC_WCHAR)character;
        }
    }
    wide[count] = 0;
    *length = count;
    return wide;
}

static bool send_token(int socket, const SecBuffer *token)
{
    unsigned char length[4];
    for (int byte = 0; byte < 4; ++byte) {
        length[byte] = (unsigned char)(token->cbBuffer >> 8 * byte);
    }
    return send_all(socket, length, sizeof length) && send_all(socket, token->pvBuffer, token->cbBuffer);
}

/* The caller frees what came, unless it failed. */
static bool receive_frame(int socket, unsigned char **bytes, ULONG *length)
{
    unsigned char head[4];
    if (!receive_all(socket, head, sizeof head)) {
        return false;
    }
    *length = get_length(head);
    *bytes = *length > LARGEST_FRAME ? NULL : malloc(*length == 0 ? 1 : *length);
    if (*bytes == NULL || !receive_all(socket, *bytes, *length)) {
        free(*bytes);
        *bytes = NULL;
        return false;
    }
    return true;
}

static ULONG get_length(const unsigned char *place)
{
    return (ULONG)place[0] | (ULONG)place[1] << 8 | (ULONG)place[2] << 16 | (ULONG)place[3] << 24;
}

static bool send_all(int socket, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;
    while (length > 0) {
        /* A server that went away is an error here, not a signal. */
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
