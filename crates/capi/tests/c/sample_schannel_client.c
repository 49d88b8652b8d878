/*
 * A client of TLS in the shape of the Schannel samples in Microsoft's documentation, written anew for sockets of Linux.
 *
 *     sample_schannel_client PORT NAME CA TEXT [CERT KEY]
 *
 * It connects to 127.0.0.1, where NAME must be whose certificate the server has and CA (PEM) who issued it, sends TEXT and
 * a line's end, prints the version, what comes, and how it ended: `closed`, or `truncated`.
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
#include <unistd.h>

#define ROOM (1u << 16)

static const ULONG WANTED = ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY |
                            ISC_REQ_EXTENDED_ERROR | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM;

static int connection;
static CredHandle credential;
static CtxtHandle context;
static unsigned char buffer[ROOM];
static ULONG length;

static int failed(const char *what, SECURITY_STATUS status)
{
    char cause[64] = "";
    PortcullisLastCause(cause, sizeof cause);
    printf("%s %08X %s\n", what, (unsigned)status, cause);
    return 1;
}

static bool send_and_free(SecBuffer *token)
{
    bool sent = token->cbBuffer == 0 ||
                send(connection, token->pvBuffer, token->cbBuffer, MSG_NOSIGNAL) == (ssize_t)token->cbBuffer;
    FreeContextBuffer(token->pvBuffer);
    return sent;
}

static bool receive_more(void)
{
    ssize_t received = recv(connection, buffer + length, sizeof buffer - length, 0);
    length += received > 0 ? (ULONG)received : 0;
    return received > 0;
}

static void keep_last(ULONG extra)
{
    memmove(buffer, buffer + length - extra, extra);
    length = extra;
}

/* One call with what has come; its output is sent. */
static SECURITY_STATUS leg(bool first, SEC_CHAR *name)
{
    SecBuffer in[2] = {{length, SECBUFFER_TOKEN, buffer}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG granted = 0;
    TimeStamp expiry;
    SECURITY_STATUS status =
        InitializeSecurityContextA(&credential, first ? NULL : &context, name, WANTED, 0, SECURITY_NATIVE_DREP,
                                   first ? NULL : &input, 0, &context, &output, &granted, &expiry);
    if (status >= 0 || (granted & ISC_RET_EXTENDED_ERROR) != 0) {
        send_and_free(&out);
    }
    if (status >= 0) {
        keep_last(in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
    }
    return status;
}

static SECURITY_STATUS handshake(SEC_CHAR *name)
{
    SECURITY_STATUS status = leg(true, name);
    while (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE) {
        if ((length == 0 || status == SEC_E_INCOMPLETE_MESSAGE) && !receive_more()) {
            return SEC_E_INCOMPLETE_MESSAGE;
        }
        status = leg(false, name);
    }
    return status;
}

static SECURITY_STATUS say(const char *text)
{
    SecPkgContext_StreamSizes sizes;
    unsigned char message[4096];
    SECURITY_STATUS status = QueryContextAttributesA(&context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status != SEC_E_OK) {
        return status;
    }
    int written = snprintf((char *)message + sizes.cbHeader, 2048, "%s\n", text);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, message},
                            {(ULONG)written, SECBUFFER_DATA, message + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, message + sizes.cbHeader + written},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    status = EncryptMessage(&context, 0, &desc, 0);
    ULONG whole = buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
    if (status == SEC_E_OK && send(connection, message, whole, MSG_NOSIGNAL) != (ssize_t)whole) {
        return SEC_E_INTERNAL_ERROR;
    }
    return status;
}

static const char *listen_on(SEC_CHAR *name)
{
    SECURITY_STATUS status = length == 0 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
    for (;;) {
        if (status == SEC_E_INCOMPLETE_MESSAGE && !receive_more()) {
            return "truncated";
        }
        SecBuffer buffers[4] = {{length, SECBUFFER_DATA, buffer},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
        status = DecryptMessage(&context, &message, 0, NULL);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            continue;
        }
        if (status < 0) {
            failed("unreadable", status);
            return "broken";
        }
        ULONG extra = 0;
        for (int number = 0; number < 4; ++number) {
            if (buffers[number].BufferType == SECBUFFER_DATA) {
                fwrite(buffers[number].pvBuffer, 1, buffers[number].cbBuffer, stdout);
            } else if (buffers[number].BufferType == SECBUFFER_EXTRA) {
                extra = buffers[number].cbBuffer;
            }
        }
        keep_last(extra);
        if (status == SEC_I_CONTEXT_EXPIRED) {
            return "closed";
        }
        if (status == SEC_I_RENEGOTIATE && leg(false, name) != SEC_E_OK) {
            return "broken";
        }
        status = length == 0 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
    }
}

int main(int count, char **arguments)
{
    if (count != 5 && count != 7) {
        fprintf(stderr, "usage: %s PORT NAME CA TEXT [CERT KEY]\n", arguments[0]);
        return 2;
    }
    PCCERT_CONTEXT own = count == 7 ? PortcullisCertificateFromPem(arguments[5], arguments[6]) : NULL;
    SCH_CREDENTIALS settings = {.dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = own != NULL, .paCred = &own};
    settings.hRootStore = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, arguments[3]);
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, UNISP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &settings, NULL,
                                                       NULL, &credential, &expiry);
    CertFreeCertificateContext(own);
    CertCloseStore(settings.hRootStore, 0);
    if (status != SEC_E_OK) {
        return failed("no credential", status);
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        return 1;
    }
    status = handshake(arguments[2]);
    if (status != SEC_E_OK) {
        return failed("refused", status);
    }
    SecPkgContext_ConnectionInfo info;
    QueryContextAttributesA(&context, SECPKG_ATTR_CONNECTION_INFO, &info);
    printf("established %s\n", info.dwProtocol == SP_PROT_TLS1_3_CLIENT ? "1.3" : "1.2");
    status = say(arguments[4]);
    if (status != SEC_E_OK) {
        return failed("unsealed", status);
    }
    puts(listen_on(arguments[2]));
    DWORD kind = SCHANNEL_SHUTDOWN;
    SecBuffer token = {sizeof kind, SECBUFFER_TOKEN, &kind};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &token};
    if (ApplyControlToken(&context, &desc) == SEC_E_OK) {
        length = 0;
        leg(false, arguments[2]);
    }
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    close(connection);
    return 0;
}
