/*
 * A web server that lets its clients prove who they are by Negotiate (RFC 4559), with Kerberos and NTLM inside.
 *
 *     sample_http_server PORT [KEYTAB]
 *
 * PORT 0 takes a free one. KEYTAB is what PortcullisSetKeytab takes; without it the keys are where PORTCULLIS_CONFIG or
 * KRB5_KTNAME say. It listens on 127.0.0.1, serves one connection after the other, and prints
 *
 *     listening PORT
 *     client MECHANISM NAME
 *     refused STATUS CAUSE      instead
 *
 * The answer to a client that was let in is its name. A handshake belongs to its connection.
 *
 *     cc -std=c11 -Wall -Wextra -Werror -I include tests/c/sample_http_server.c -lportcullis
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* A request's head; a token of Kerberos with a large PAC is the largest part of it. */
#define LARGEST_HEAD (128u * 1024u)
#define PATIENCE_SECONDS 30

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One connection. The context is valid where `begun` says so. */
struct connection {
    int socket;
    struct sockaddr_in address;
    CtxtHandle context;
    bool begun;
};

/* What a request is answered with. */
struct answer {
    int status;
    char *token;
    char name[256];
};

static size_t decode(const char *text, size_t length, unsigned char *bytes)
{
    unsigned long bits = 0;
    size_t count = 0, made = 0;
    while (length > 0 && text[length - 1] == '=') {
        --length;
    }
    for (size_t at = 0; at < length; ++at) {
        const char *letter = text[at] == 0 ? NULL : strchr(LETTERS, text[at]);
        if (letter == NULL) {
            return 0;
        }
        bits = bits << 6 | (unsigned long)(letter - LETTERS);
        if (++count == 4) {
            bytes[made++] = (unsigned char)(bits >> 16);
            bytes[made++] = (unsigned char)(bits >> 8);
            bytes[made++] = (unsigned char)bits;
            count = 0;
            bits = 0;
        }
    }
    if (count == 3) {
        bytes[made++] = (unsigned char)(bits >> 10);
        bytes[made++] = (unsigned char)(bits >> 2);
    } else if (count == 2) {
        bytes[made++] = (unsigned char)(bits >> 4);
    }
    return count == 1 ? 0 : made;
}

static char *encode(const unsigned char *bytes, size_t length)
{
    char *text = malloc(length / 3 * 4 + 5), *place = text;
    if (text == NULL) {
        abort();
    }
    for (size_t at = 0; at < length; at += 3) {
        unsigned long bits = (unsigned long)bytes[at] << 16;
        bits |= at + 1 < length ? (unsigned long)bytes[at + 1] << 8 : 0;
        bits |= at + 2 < length ? bytes[at + 2] : 0;
        *place++ = LETTERS[bits >> 18 & 63];
        *place++ = LETTERS[bits >> 12 & 63];
        *place++ = at + 1 < length ? LETTERS[bits >> 6 & 63] : '=';
        *place++ = at + 2 < length ? LETTERS[bits & 63] : '=';
    }
    *place = 0;
    return text;
}

/* The connection's handshake is over, whatever came of it. */
static void forget(struct connection *connection)
{
    if (connection->begun) {
        DeleteSecurityContext(&connection->context);
        connection->begun = false;
    }
}

static void let_in(struct connection *connection, struct answer *answer)
{
    SecPkgContext_NamesA names;
    SecPkgContext_NegotiationInfoA negotiated;
    if (QueryContextAttributesA(&connection->context, SECPKG_ATTR_NAMES, &names) != SEC_E_OK) {
        answer->status = 403; /* a client without a name */
        return;
    }
    snprintf(answer->name, sizeof answer->name, "%s", names.sUserName);
    FreeContextBuffer(names.sUserName);
    answer->status = 200;
    if (QueryContextAttributesA(&connection->context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiated) == SEC_E_OK) {
        printf("client %s %s\n", negotiated.PackageInfo->Name, answer->name);
        FreeContextBuffer(negotiated.PackageInfo);
    }
}

static void negotiate(struct connection *connection, CredHandle *credential, const char *text, size_t length,
                      struct answer *answer)
{
    unsigned char *token = malloc(length + 3);
    if (token == NULL) {
        abort();
    }
    SecBuffer in = {(ULONG)decode(text, length, token), SECBUFFER_TOKEN, token}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted = 0;
    /* Most clients are let in or refused by their first token. */
    if (!connection->begun) {
        PortcullisSetPeerAddress(NULL, (struct sockaddr *)&connection->address, sizeof connection->address);
    }
    SECURITY_STATUS status = AcceptSecurityContext(
        credential, connection->begun ? &connection->context : NULL, &input,
        ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_CONNECTION | ASC_REQ_EXTENDED_ERROR | ASC_REQ_MUTUAL_AUTH, SECURITY_NATIVE_DREP,
        &connection->context, &output, &granted, NULL);
    free(token);
    if (status >= 0) {
        connection->begun = true;
    }
    /* The last token goes with the answer. */
    if (out.cbBuffer > 0) {
        answer->token = encode(out.pvBuffer, out.cbBuffer);
        FreeContextBuffer(out.pvBuffer);
    }
    if (status == SEC_E_OK) {
        let_in(connection, answer);
    } else if (status != SEC_I_CONTINUE_NEEDED) {
        char cause[128] = "";
        PortcullisLastCause(cause, sizeof cause);
        printf("refused %08X %s\n", (unsigned)status, cause);
    }
    if (status != SEC_I_CONTINUE_NEEDED) {
        forget(connection);
    }
}

/* A request's head, up to its empty line; false at the connection's end. */
static bool read_head(int socket, char *head)
{
    size_t length = 0;
    while (length < LARGEST_HEAD - 1) {
        if (read(socket, head + length, 1) != 1) {
            return false;
        }
        head[++length] = 0;
        if (length >= 4 && memcmp(head + length - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool write_answer(int socket, const struct answer *answer)
{
    size_t token = answer->token == NULL ? 0 : strlen(answer->token);
    char *text = malloc(token + 1024);
    if (text == NULL) {
        abort();
    }
    const char *reason = answer->status == 200 ? "OK" : answer->status == 401 ? "Unauthorized" : "Forbidden";
    int length = snprintf(text, token + 1024, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n", answer->status, reason,
                          strlen(answer->name));
    if (token > 0 || answer->status == 401) {
        length += snprintf(text + length, token + 1024 - (size_t)length, "WWW-Authenticate: Negotiate%s%s\r\n",
                           token > 0 ? " " : "", token > 0 ? answer->token : "");
    }
    length += snprintf(text + length, token + 1024 - (size_t)length, "\r\n%s", answer->name);
    bool sent = write(socket, text, (size_t)length) == length;
    free(text);
    return sent;
}

static void serve(CredHandle *credential, struct connection *connection)
{
    static char head[LARGEST_HEAD];
    bool open = true;
    while (open && read_head(connection->socket, head)) {
        struct answer answer = {.status = 401};
        for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
            if (strncasecmp(line + 2, "Authorization: Negotiate ", 25) == 0) {
                const char *text = line + 27;
                negotiate(connection, credential, text, strcspn(text, "\r\n"), &answer);
                break;
            }
        }
        open = write_answer(connection->socket, &answer);
        free(answer.token);
    }
    forget(connection);
    close(connection->socket);
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: %s PORT [KEYTAB]\n", arguments[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    SECURITY_STATUS status = count == 3 ? PortcullisSetKeytab(arguments[2]) : SEC_E_OK;
    CredHandle credential;
    if (status == SEC_E_OK) {
        status = AcquireCredentialsHandleA(NULL, "Negotiate", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    }
    if (status != SEC_E_OK) {
        fprintf(stderr, "no credential: %08X\n", (unsigned)status);
        return 1;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((unsigned short)strtoul(arguments[1], NULL, 10))};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        perror("listen");
        return 1;
    }
    printf("listening %u\n", ntohs(address.sin_port));
    for (;;) {
        struct connection connection = {.socket = -1};
        length = sizeof connection.address;
        connection.socket = accept(listener, (struct sockaddr *)&connection.address, &length);
        if (connection.socket < 0) {
            continue;
        }
        struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
        setsockopt(connection.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        serve(&credential, &connection);
    }
}
