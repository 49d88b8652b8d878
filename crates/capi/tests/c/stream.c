#include "stream.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

const char *folder;

const char *path_in_folder(const char *name)
{
    static _Thread_local char paths[4][512];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

PCCERT_CONTEXT certificate(const char *name)
{
    char pem[128], key[128];
    snprintf(pem, sizeof pem, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    PCCERT_CONTEXT made = PortcullisCertificateFromPem(path_in_folder(pem), path_in_folder(key));
    MUST(made != NULL);
    return made;
}

HCERTSTORE authorities(const char *name)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_in_folder(name));
    MUST(store != NULL);
    return store;
}

SECURITY_STATUS acquired(ULONG use, void *settings, CredHandle *credential, TimeStamp *expiry)
{
    return AcquireCredentialsHandleA(NULL, UNISP_NAME_A, use, NULL, settings, NULL, NULL, credential, expiry);
}

static CredHandle credential_of(ULONG use, const char *name, const char *roots, DWORD flags)
{
    PCCERT_CONTEXT own = name == NULL ? NULL : certificate(name);
    SCH_CREDENTIALS settings = {.dwVersion = SCH_CREDENTIALS_VERSION, .dwFlags = flags};
    settings.cCreds = own != NULL;
    settings.paCred = &own;
    settings.hRootStore = roots == NULL ? NULL : authorities(roots);
    CredHandle credential;
    TimeStamp expiry;
    MUST(STATUS(acquired(use, &settings, &credential, &expiry), SEC_E_OK));
    CertFreeCertificateContext(own);
    CertCloseStore(settings.hRootStore, 0);
    return credential;
}

CredHandle server_of(const char *name, const char *roots, DWORD flags)
{
    return credential_of(SECPKG_CRED_INBOUND, name, roots, flags);
}

CredHandle client_of(const char *name, const char *roots, DWORD flags)
{
    return credential_of(SECPKG_CRED_OUTBOUND, name, roots, flags);
}

static struct end *made(struct end of)
{
    struct end *end = malloc(sizeof *end);
    MUST(end != NULL);
    of.status = SEC_I_CONTINUE_NEEDED;
    *end = of;
    return end;
}

struct end *server_end(CredHandle *credential)
{
    return made((struct end){.accepts = true,
                             .credential = credential,
                             .wants = ASC_REQ_STREAM | ASC_REQ_CONFIDENTIALITY | ASC_REQ_EXTENDED_ERROR});
}

struct end *client_end(CredHandle *credential)
{
    return made((struct end){.credential = credential,
                             .wants = ISC_REQ_STREAM | ISC_REQ_CONFIDENTIALITY | ISC_REQ_EXTENDED_ERROR});
}

SECURITY_STATUS step(struct end *end, const void *bytes, ULONG length)
{
    unsigned char *copy = malloc(length == 0 ? 1 : length);
    if (length != 0) {
        memcpy(copy, bytes, length);
    }
    SecBuffer in[3] = {{length, SECBUFFER_TOKEN, copy}, {0, SECBUFFER_EMPTY, NULL}, {0, SECBUFFER_EMPTY, NULL}};
    if (end->protocols != NULL && !end->begun) {
        in[2] = (SecBuffer){end->protocols_length, SECBUFFER_APPLICATION_PROTOCOLS, (void *)end->protocols};
    }
    unsigned char alert[4096];
    SecBuffer out[2] = {{sizeof end->said, SECBUFFER_EMPTY, end->said}, {sizeof alert, SECBUFFER_ALERT, alert}};
    SecBufferDesc input = {SECBUFFER_VERSION, 3, in};
    SecBufferDesc output = {SECBUFFER_VERSION, 2, out};
    PCtxtHandle former = end->begun ? &end->context : NULL;
    if (end->accepts) {
        end->status = AcceptSecurityContext(end->credential, former, &input, end->wants, SECURITY_NETWORK_DREP,
                                            &end->context, &output, &end->granted, &end->expiry);
    } else {
        end->status = InitializeSecurityContextA(end->credential, former, SERVER_NAME, end->wants, 0,
                                                 SECURITY_NATIVE_DREP, &input, 0, &end->context, &output,
                                                 &end->granted, &end->expiry);
    }
    end->begun = end->begun || end->status >= 0;
    CHECK(out[0].cbBuffer <= sizeof end->said && out[1].BufferType == SECBUFFER_ALERT);
    end->length = out[0].cbBuffer;
    end->alert = 0;
    if (end->status < 0) {
        CHECK(end->length == 0);
        end->alert = out[1].cbBuffer;
        end->length = out[1].cbBuffer;
        memcpy(end->said, alert, out[1].cbBuffer);
    } else {
        CHECK(out[1].cbBuffer == 0);
    }
    end->spare = in[1].BufferType;
    end->count = in[1].cbBuffer;
    if (end->spare == SECBUFFER_EXTRA) {
        CHECK(end->count <= length && in[1].pvBuffer == copy + length - end->count);
    }
    CHECK(in[0].BufferType == SECBUFFER_TOKEN && in[0].cbBuffer == length);
    CHECK(length == 0 || memcmp(copy, bytes, length) == 0);
    free(copy);
    return end->status;
}

SECURITY_STATUS steps(struct end *end, const void *bytes, ULONG length)
{
    static _Thread_local unsigned char copy[1 << 16], answer[1 << 16];
    ULONG answered = 0;
    memcpy(copy, bytes, length);
    for (unsigned char *at = copy; length > 0;) {
        SECURITY_STATUS status = step(end, at, length);
        memcpy(answer + answered, end->said, end->length);
        answered += end->length;
        if (status != SEC_I_CONTINUE_NEEDED || end->spare != SECBUFFER_EXTRA) {
            break;
        }
        at += length - end->count;
        length = end->count;
    }
    memcpy(end->said, answer, answered);
    end->length = answered;
    return end->status;
}

/* Brings what one end says to the other, `most` bytes more in each call. */
static void bring(struct end *to, unsigned char *bytes, ULONG *length, ULONG most, struct end *from)
{
    memcpy(bytes + *length, from->said, from->length);
    *length += from->length;
    from->length = 0;
    unsigned char answer[1 << 16];
    ULONG answered = 0, there = 0;
    while (there < *length && to->status == SEC_I_CONTINUE_NEEDED) {
        there = *length - there > most ? there + most : *length;
        SECURITY_STATUS status = step(to, bytes, there);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            CHECK(to->spare == SECBUFFER_MISSING && to->count > 0);
            to->status = SEC_I_CONTINUE_NEEDED;
            to->length = 0;
            continue;
        }
        memcpy(answer + answered, to->said, to->length);
        answered += to->length;
        ULONG used = status < 0 ? there : there - (to->spare == SECBUFFER_EXTRA ? to->count : 0);
        memmove(bytes, bytes + used, *length - used);
        *length -= used;
        there = 0;
    }
    memcpy(to->said, answer, answered);
    to->length = answered;
}

/* Tickets that came with the server's last words: records of the stream that leave nothing. */
static void take_tickets(struct end *client, struct end *server)
{
    unsigned char *at = server->said;
    while (server->length > 0) {
        struct opened found = opened(client, at, server->length);
        if (!CHECK(found.status == SEC_E_OK && found.length == 0)) {
            return;
        }
        at += server->length - found.extra;
        server->length = found.extra;
    }
}

bool shake_hands_by(struct end *client, struct end *server, ULONG most)
{
    unsigned char for_server[1 << 17], for_client[1 << 17];
    ULONG server_has = 0, client_has = 0;
    step(client, NULL, 0);
    for (int turn = 0; turn < 16 && (client->length != 0 || server->length != 0); ++turn) {
        bring(server, for_server, &server_has, most, client);
        if (server->status == SEC_E_OK && client->status == SEC_E_OK) {
            break; /* what the server said last are tickets, and belongs to the stream */
        }
        bring(client, for_client, &client_has, most, server);
    }
    CHECK(server->status != SEC_E_OK || server_has == 0);
    if (client->status != SEC_E_OK || server->status != SEC_E_OK) {
        return false;
    }
    take_tickets(client, server);
    return true;
}

bool shake_hands(struct end *client, struct end *server)
{
    return shake_hands_by(client, server, 1 << 20);
}

void give_up(struct end *end)
{
    if (end->begun) {
        STATUS(DeleteSecurityContext(&end->context), SEC_E_OK);
    }
    free(end);
}

void pair(CredHandle *of_client, CredHandle *of_server, struct end **client, struct end **server)
{
    *client = client_end(of_client);
    *server = server_end(of_server);
    MUST(shake_hands(*client, *server));
}

void end_both(struct end *client, struct end *server)
{
    give_up(client);
    give_up(server);
}

ULONG sealed(struct end *end, const void *text, ULONG length, unsigned char *record)
{
    SecPkgContext_StreamSizes sizes;
    if (!STATUS(QueryContextAttributesA(&end->context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK)) {
        return 0;
    }
    memcpy(record + sizes.cbHeader, text, length);
    SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                            {length, SECBUFFER_DATA, record + sizes.cbHeader},
                            {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + length},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    end->status = EncryptMessage(&end->context, 0, &message, 0);
    return end->status == SEC_E_OK ? buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer : 0;
}

struct opened opened(struct end *end, unsigned char *bytes, ULONG length)
{
    SecBuffer buffers[4] = {{length, SECBUFFER_DATA, bytes},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    struct opened found = {.status = DecryptMessage(&end->context, &message, 0, NULL)};
    for (int number = 0; number < 4; ++number) {
        const SecBuffer *buffer = &buffers[number];
        switch (buffer->BufferType) {
        case SECBUFFER_DATA:
            found.data = buffer->pvBuffer;
            found.length = buffer->cbBuffer;
            break;
        case SECBUFFER_EXTRA:
            CHECK((unsigned char *)buffer->pvBuffer == bytes + length - buffer->cbBuffer && number == 3);
            found.extra = buffer->cbBuffer;
            break;
        case SECBUFFER_MISSING:
            found.missing = buffer->cbBuffer;
            break;
        }
    }
    return found;
}

bool tell_over(struct end *from, struct end *to, const char *text)
{
    unsigned char record[1 << 15];
    ULONG length = sealed(from, text, (ULONG)strlen(text), record);
    struct opened found = opened(to, record, length);
    return length > strlen(text) && found.status == SEC_E_OK && found.length == strlen(text) &&
           memcmp(found.data, text, found.length) == 0 && found.extra == 0;
}

SECURITY_STATUS control(struct end *end, const DWORD *numbers, ULONG count)
{
    DWORD copy[4];
    memcpy(copy, numbers, count * sizeof *copy);
    SecBuffer buffer = {(ULONG)(count * sizeof *copy), SECBUFFER_TOKEN, copy};
    SecBufferDesc token = {SECBUFFER_VERSION, 1, &buffer};
    return ApplyControlToken(&end->context, &token);
}
