/*
 * A server of TLS that speaks a little HTTP/1.1: the shape of the Schannel samples in Microsoft's documentation, written
 * anew for sockets of Linux. Any client of HTTPS is the other side, such as curl.
 *
 *     sample_schannel_server PORT PFX PASSWORD [chunk BYTES] [clients CA] [authority SOURCE] [early 1]
 *
 * PORT 0 takes a free one. PFX is a PKCS#12 file with the server's certificate. With `chunk` no more bytes are read at
 * once; with `clients` every client must show a certificate of that authority; SOURCE is what PortcullisSetAuthority
 * takes. With `early` it speaks before the protocol has had its say, which must be refused. It listens on 127.0.0.1, serves
 * one client after the other, and prints
 *
 *     listening PORT
 *     established VERSION CIPHER CLIENT     the client's subject's account, or -
 *     refused STATUS CAUSE
 *     early STATUS                          of the message that was too early
 *     renegotiated                          the protocol had something of its own to send
 *     closed                                the client said that it ends; `truncated` where it did not
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>
#include <portcullis/wincrypt.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The longest record, and what may stand behind it. */
#define ROOM (1u << 16)
#define PATIENCE_SECONDS 30

static size_t chunk = ROOM;
static bool early;
static ULONG wanted = ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT | ASC_REQ_CONFIDENTIALITY |
                      ASC_REQ_EXTENDED_ERROR | ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_STREAM;

/* The connection of one client: what has come of it and is not used yet. */
struct client {
    int socket;
    CtxtHandle context;
    bool begun;
    SecPkgContext_StreamSizes sizes;
    unsigned char buffer[ROOM];
    ULONG length;
};

static void fail(const char *what, SECURITY_STATUS status)
{
    fprintf(stderr, "%s: %08X\n", what, (unsigned)status);
    exit(1);
}

static bool send_all(int socket, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t sent = send(socket, at, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* More of the stream behind what there is. */
static bool receive_more(struct client *client)
{
    size_t room = sizeof client->buffer - client->length;
    ssize_t received = recv(client->socket, client->buffer + client->length, room < chunk ? room : chunk, 0);
    if (received <= 0) {
        return false;
    }
    client->length += (ULONG)received;
    return true;
}

/* Keeps the last bytes of what has come. */
static void keep_last(struct client *client, ULONG extra)
{
    memmove(client->buffer, client->buffer + client->length - extra, extra);
    client->length = extra;
}

static PCCERT_CONTEXT certificate_of(const char *path, const char *password)
{
    static BYTE bytes[1 << 16];
    SEC_WCHAR wide[128] = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    CRYPT_DATA_BLOB blob = {(DWORD)fread(bytes, 1, sizeof bytes, file), bytes};
    fclose(file);
    for (size_t at = 0; password[at] != 0 && at < 127; ++at) {
        wide[at] = (unsigned char)password[at];
    }
    HCERTSTORE store = PFXImportCertStore(&blob, wide, 0);
    PCCERT_CONTEXT found = store == NULL ? NULL
                                         : CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
                                                                      CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    if (found == NULL) {
        fail("PFXImportCertStore", (SECURITY_STATUS)PortcullisGetLastError());
    }
    CertCloseStore(store, 0);
    return found;
}

/* The legs of the handshake. What is left in the buffer when it is through belongs to the stream. */
static SECURITY_STATUS handshake(CredHandle *credential, struct client *client)
{
    SECURITY_STATUS status = SEC_E_INCOMPLETE_MESSAGE;
    ULONG granted = 0;
    TimeStamp expiry;
    for (;;) {
        if (client->length == 0 || status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!receive_more(client)) {
                return SEC_E_INCOMPLETE_MESSAGE;
            }
        }
        SecBuffer in[2] = {{client->length, SECBUFFER_TOKEN, client->buffer}, {0, SECBUFFER_EMPTY, NULL}};
        SecBuffer out[1] = {{0, SECBUFFER_TOKEN, NULL}};
        SecBufferDesc input = {SECBUFFER_VERSION, 2, in};
        SecBufferDesc output = {SECBUFFER_VERSION, 1, out};
        granted = 0;
        status = AcceptSecurityContext(credential, client->begun ? &client->context : NULL, &input, wanted,
                                       SECURITY_NATIVE_DREP, &client->context, &output, &granted, &expiry);
        client->begun = client->begun || status >= 0;
        if (status >= 0 || (granted & ASC_RET_EXTENDED_ERROR) != 0) {
            bool sent = out[0].cbBuffer == 0 || send_all(client->socket, out[0].pvBuffer, out[0].cbBuffer);
            if (out[0].pvBuffer != NULL) {
                FreeContextBuffer(out[0].pvBuffer);
            }
            if (!sent) {
                return SEC_E_INTERNAL_ERROR;
            }
        }
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            continue;
        }
        if (status < 0) {
            return status;
        }
        keep_last(client, in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
        if (status == SEC_E_OK) {
            return status;
        }
    }
}

/* Seals and sends. */
static bool speak(struct client *client, const char *text, size_t length)
{
    unsigned char *message = malloc(client->sizes.cbHeader + client->sizes.cbMaximumMessage + client->sizes.cbTrailer);
    bool sent = message != NULL;
    while (sent && length > 0) {
        ULONG part = length < client->sizes.cbMaximumMessage ? (ULONG)length : client->sizes.cbMaximumMessage;
        memcpy(message + client->sizes.cbHeader, text, part);
        SecBuffer buffers[4] = {
            {client->sizes.cbHeader, SECBUFFER_STREAM_HEADER, message},
            {part, SECBUFFER_DATA, message + client->sizes.cbHeader},
            {client->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, message + client->sizes.cbHeader + part},
            {0, SECBUFFER_EMPTY, NULL},
        };
        SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
        SECURITY_STATUS status = EncryptMessage(&client->context, 0, &desc, 0);
        sent = status >= 0 && send_all(client->socket, message,
                                       buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
        text += part;
        length -= part;
    }
    free(message);
    return sent;
}

/* What the protocol has to send of its own, or the end of this side. */
static SECURITY_STATUS say_own(CredHandle *credential, struct client *client)
{
    SecBuffer in[2] = {{client->length, SECBUFFER_TOKEN, client->buffer}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out[1] = {{0, SECBUFFER_TOKEN, NULL}};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, out};
    ULONG granted;
    TimeStamp expiry;
    SECURITY_STATUS status = AcceptSecurityContext(credential, &client->context, &input, wanted, SECURITY_NATIVE_DREP,
                                                   &client->context, &output, &granted, &expiry);
    if (status >= 0) {
        if (out[0].cbBuffer != 0) {
            send_all(client->socket, out[0].pvBuffer, out[0].cbBuffer);
            FreeContextBuffer(out[0].pvBuffer);
        }
        keep_last(client, in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
    }
    return status;
}

static void shut_down(CredHandle *credential, struct client *client)
{
    DWORD kind = SCHANNEL_SHUTDOWN;
    SecBuffer buffer = {sizeof kind, SECBUFFER_TOKEN, &kind};
    SecBufferDesc token = {SECBUFFER_VERSION, 1, &buffer};
    if (ApplyControlToken(&client->context, &token) == SEC_E_OK) {
        client->length = 0;
        say_own(credential, client);
    }
}

/* Opens records until there are data; -1 at the end. The data are moved to `data`. */
static long listen_to(CredHandle *credential, struct client *client, char *data)
{
    SECURITY_STATUS status = client->length == 0 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
    for (;;) {
        if (status == SEC_E_INCOMPLETE_MESSAGE && !receive_more(client)) {
            puts("truncated");
            return -1;
        }
        SecBuffer buffers[4] = {{client->length, SECBUFFER_DATA, client->buffer},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
        status = DecryptMessage(&client->context, &message, 0, NULL);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            continue;
        }
        if (status < 0) {
            printf("unreadable %08X\n", (unsigned)status);
            return -1;
        }
        long length = 0;
        ULONG extra = 0;
        for (int number = 0; number < 4; ++number) {
            if (buffers[number].BufferType == SECBUFFER_DATA) {
                length = (long)buffers[number].cbBuffer;
                memcpy(data, buffers[number].pvBuffer, buffers[number].cbBuffer);
            } else if (buffers[number].BufferType == SECBUFFER_EXTRA) {
                extra = buffers[number].cbBuffer;
            }
        }
        keep_last(client, extra);
        if (status == SEC_I_CONTEXT_EXPIRED) {
            puts("closed");
            return -1;
        }
        if (status == SEC_I_RENEGOTIATE) {
            if (early) {
                unsigned char room[64];
                SecBuffer parts[3] = {{client->sizes.cbHeader, SECBUFFER_STREAM_HEADER, room},
                                      {4, SECBUFFER_DATA, room + client->sizes.cbHeader},
                                      {client->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, room + client->sizes.cbHeader + 4}};
                SecBufferDesc too_early = {SECBUFFER_VERSION, 3, parts};
                printf("early %08X\n", (unsigned)EncryptMessage(&client->context, 0, &too_early, 0));
            }
            if (say_own(credential, client) != SEC_E_OK) {
                return -1;
            }
            puts("renegotiated");
            status = client->length == 0 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
            continue;
        }
        if (length > 0) {
            return length;
        }
        status = client->length == 0 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
    }
}

static void report(struct client *client)
{
    SecPkgContext_ConnectionInfo info = {0};
    SecPkgContext_CipherInfo cipher = {.dwVersion = 1};
    SecPkgContext_NamesA names = {NULL};
    char suite[64] = {0};
    if (QueryContextAttributesA(&client->context, SECPKG_ATTR_CONNECTION_INFO, &info) != SEC_E_OK ||
        QueryContextAttributesA(&client->context, SECPKG_ATTR_CIPHER_INFO, &cipher) != SEC_E_OK ||
        QueryContextAttributesA(&client->context, SECPKG_ATTR_STREAM_SIZES, &client->sizes) != SEC_E_OK) {
        exit(1);
    }
    for (int at = 0; at < 63; ++at) {
        suite[at] = (char)cipher.szCipherSuite[at];
    }
    QueryContextAttributesA(&client->context, SECPKG_ATTR_NAMES, &names);
    PCCERT_CONTEXT peer = NULL;
    bool certified =
        QueryContextAttributesA(&client->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, (void *)&peer) == SEC_E_OK;
    printf("established %s %s %s\n", info.dwProtocol == SP_PROT_TLS1_3_SERVER ? "1.3" : "1.2", suite,
           names.sUserName != NULL ? names.sUserName : certified ? "certified" : "-");
    if (certified) {
        CertFreeCertificateContext(peer);
    }
    FreeContextBuffer(names.sUserName);
}

/* Answers each line of a request that ends a block, or each line of a talk that is no HTTP. */
static void serve(CredHandle *credential, struct client *client)
{
    SECURITY_STATUS status = handshake(credential, client);
    if (status != SEC_E_OK) {
        char cause[64] = "";
        PortcullisLastCause(cause, sizeof cause);
        printf("refused %08X %s\n", (unsigned)status, status == SEC_E_INCOMPLETE_MESSAGE ? "left" : cause);
        return;
    }
    report(client);
    static char data[ROOM];
    static char request[ROOM];
    size_t length = 0;
    for (long got; (got = listen_to(credential, client, data)) >= 0;) {
        if (length + (size_t)got >= sizeof request) {
            break;
        }
        memcpy(request + length, data, (size_t)got);
        length += (size_t)got;
        request[length] = 0;
        bool is_http = strncmp(request, "GET ", 4) == 0 || strncmp(request, "G", length) == 0;
        if (is_http && strstr(request, "\r\n\r\n") != NULL) {
            size_t size = strncmp(request, "GET /large", 10) == 0 ? 200000 : 6;
            char *body = malloc(size);
            char head[128];
            memset(body, 'x', size);
            if (size == 6) {
                memcpy(body, "hello\n", 6);
            }
            int written = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
            bool said = speak(client, head, (size_t)written) && speak(client, body, size);
            free(body);
            length = 0;
            if (!said) {
                break;
            }
        } else if (!is_http && memchr(request, '\n', length) != NULL) {
            if (strncmp(request, "bye", 3) == 0 || !speak(client, request, length)) {
                break;
            }
            length = 0;
        }
    }
    shut_down(credential, client);
}

int main(int count, char **arguments)
{
    if (count < 4 || count % 2 != 0) {
        fprintf(stderr, "usage: %s PORT PFX PASSWORD [chunk BYTES] [clients CA] [authority SOURCE]\n", arguments[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    PCCERT_CONTEXT certificate = certificate_of(arguments[2], arguments[3]);
    SCH_CREDENTIALS settings = {.dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = 1, .paCred = &certificate};
    for (int at = 4; at < count; at += 2) {
        if (strcmp(arguments[at], "chunk") == 0) {
            chunk = strtoul(arguments[at + 1], NULL, 10);
        } else if (strcmp(arguments[at], "clients") == 0) {
            settings.hRootStore = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, arguments[at + 1]);
            wanted |= ASC_REQ_MUTUAL_AUTH;
        } else if (strcmp(arguments[at], "early") == 0) {
            early = true;
        } else if (PortcullisSetAuthority(arguments[at + 1]) != SEC_E_OK) {
            fail("PortcullisSetAuthority", SEC_E_NO_AUTHENTICATING_AUTHORITY);
        }
    }
    CredHandle credential;
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, UNISP_NAME_A, SECPKG_CRED_INBOUND, NULL, &settings, NULL,
                                                       NULL, &credential, &expiry);
    if (status != SEC_E_OK) {
        fail("AcquireCredentialsHandle", status);
    }
    /* The credential has what it needs of them. */
    CertFreeCertificateContext(certificate);
    CertCloseStore(settings.hRootStore, 0);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("listen");
        return 1;
    }
    printf("listening %u\n", ntohs(address.sin_port));
    for (;;) {
        static struct client client;
        memset(&client, 0, sizeof client);
        client.socket = accept(listener, NULL, NULL);
        if (client.socket < 0) {
            continue;
        }
        struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
        setsockopt(client.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        serve(&credential, &client);
        if (client.begun) {
            DeleteSecurityContext(&client.context);
        }
        close(client.socket);
    }
}
