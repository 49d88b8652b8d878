#define _GNU_SOURCE
#include "talk.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

const ULONG BOTH_WAYS_ACCEPT = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT |
                               ASC_REQ_SEQUENCE_DETECT | ASC_REQ_CONNECTION;
const ULONG BOTH_WAYS_INITIATE = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                                 ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONNECTION;

SECURITY_STATUS acquire(const char *package, ULONG use, const char *user, const char *domain, const char *password,
                        CredHandle *credential)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = {.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    if (user != NULL) {
        identity.User = (unsigned char *)user;
        identity.UserLength = (ULONG)strlen(user);
        identity.Domain = (unsigned char *)domain;
        identity.DomainLength = (ULONG)strlen(domain);
        identity.Password = (unsigned char *)password;
        identity.PasswordLength = (ULONG)strlen(password);
    }
    TimeStamp expiry;
    return AcquireCredentialsHandleA(NULL, package, use, NULL, user == NULL ? NULL : &identity, NULL, NULL, credential,
                                     &expiry);
}

CredHandle must_acquire(const char *package, ULONG use, const char *user, const char *password)
{
    CredHandle credential;
    MUST(STATUS(acquire(package, use, user, "", password, &credential), SEC_E_OK));
    return credential;
}

struct side acceptor(CredHandle *credential)
{
    return (struct side){.accepts = true, .credential = credential, .wants = BOTH_WAYS_ACCEPT,
                         .status = SEC_I_CONTINUE_NEEDED};
}

struct side initiator(CredHandle *credential)
{
    return (struct side){.credential = credential, .wants = BOTH_WAYS_INITIATE, .status = SEC_I_CONTINUE_NEEDED};
}

SECURITY_STATUS leg(struct side *side, const void *token, ULONG length)
{
    unsigned char *copy = malloc(length == 0 ? 1 : length);
    if (copy == NULL) {
        abort();
    }
    if (length != 0) {
        memcpy(copy, token, length);
    }
    SecBuffer in = {length, SECBUFFER_TOKEN, copy};
    SecBuffer out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    PCtxtHandle former = side->begun ? &side->context : NULL;
    if (side->accepts) {
        side->status = AcceptSecurityContext(side->credential, former, &input, side->wants, SECURITY_NATIVE_DREP,
                                             &side->context, &output, &side->granted, &side->expiry);
    } else {
        side->status = InitializeSecurityContextA(side->credential, former, TARGET, side->wants, 0,
                                                  SECURITY_NATIVE_DREP, former == NULL ? NULL : &input, 0,
                                                  &side->context, &output, &side->granted, &side->expiry);
    }
    side->begun = side->begun || side->status >= 0;
    side->length = out.cbBuffer <= sizeof side->token ? out.cbBuffer : 0;
    free(copy);
    return side->status;
}

SECURITY_STATUS answer(struct side *side, const struct side *other)
{
    return leg(side, other->token, other->length);
}

void shake_but_last(struct side *client, struct side *server)
{
    leg(client, NULL, 0);
    answer(server, client);
    answer(client, server);
}

bool shake(struct side *client, struct side *server)
{
    leg(client, NULL, 0);
    for (int legs = 0; legs < 8 && client->status >= 0; ++legs) {
        if (client->length != 0 || server->status == SEC_I_CONTINUE_NEEDED) {
            answer(server, client);
        }
        if (server->status != SEC_I_CONTINUE_NEEDED && server->length == 0) {
            break;
        }
        answer(client, server);
        if (client->length == 0 && server->status == SEC_E_OK) {
            break;
        }
    }
    return client->status == SEC_E_OK && server->status == SEC_E_OK;
}

void end(struct side *side)
{
    if (side->begun) {
        STATUS(DeleteSecurityContext(&side->context), SEC_E_OK);
        side->begun = false;
    }
}

void name_of(const struct side *side, char *name, size_t size)
{
    SecPkgContext_NamesA names = {NULL};
    CtxtHandle context = side->context;
    name[0] = 0;
    if (QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK) {
        snprintf(name, size, "%s", names.sUserName);
        STATUS(FreeContextBuffer(names.sUserName), SEC_E_OK);
    }
}

const char *cause(void)
{
    static _Thread_local char name[128];
    STATUS(PortcullisLastCause(name, sizeof name), SEC_E_OK);
    return name;
}

bool tell(struct side *from, struct side *to, const char *text)
{
    unsigned char signature[128];
    char data[256];
    SecPkgContext_Sizes sizes;
    size_t length = strlen(text);
    if (length > sizeof data || QueryContextAttributesA(&from->context, SECPKG_ATTR_SIZES, &sizes) != SEC_E_OK ||
        sizes.cbSecurityTrailer > sizeof signature) {
        return false;
    }
    memcpy(data, text, length);
    SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, signature},
                            {(ULONG)length, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG quality = 1;
    return EncryptMessage(&from->context, 0, &message, 0) == SEC_E_OK &&
           (length < 8 || memcmp(data, text, length) != 0) &&
           DecryptMessage(&to->context, &message, 0, &quality) == SEC_E_OK && quality == 0 &&
           memcmp(data, text, length) == 0;
}

SEC_WCHAR *wide(const char *text)
{
    static _Thread_local SEC_WCHAR places[8][64];
    static _Thread_local unsigned next;
    SEC_WCHAR *place = places[next++ % 8];
    size_t at = 0;
    for (; text[at] != 0 && at < 63; ++at) {
        place[at] = (SEC_WCHAR)(unsigned char)text[at];
    }
    place[at] = 0;
    return place;
}

bool wide_is(const SEC_WCHAR *found, const char *text)
{
    size_t at = 0;
    while (text[at] != 0 && found[at] == (SEC_WCHAR)(unsigned char)text[at]) {
        ++at;
    }
    return text[at] == 0 && found[at] == 0;
}

ULONG number_at(const unsigned char *token, size_t offset)
{
    return (ULONG)token[offset] | (ULONG)token[offset + 1] << 8 | (ULONG)token[offset + 2] << 16 |
           (ULONG)token[offset + 3] << 24;
}

void put_number(unsigned char *token, size_t offset, ULONG number)
{
    for (int byte = 0; byte < 4; ++byte) {
        token[offset + (size_t)byte] = (unsigned char)(number >> 8 * byte);
    }
}

/* Puts tag and length before what ends at `end`; where it begins now. */
static unsigned char *wrapped(unsigned char *begin, const unsigned char *end, unsigned char tag)
{
    size_t length = (size_t)(end - begin);
    *--begin = (unsigned char)length;
    if (length >= 0x100) {
        *--begin = (unsigned char)(length >> 8);
        *--begin = 0x82;
    } else if (length >= 0x80) {
        *--begin = 0x81;
    }
    *--begin = tag;
    return begin;
}

static unsigned char *before(unsigned char *begin, const void *bytes, size_t length)
{
    begin -= length;
    memcpy(begin, bytes, length);
    return begin;
}

ULONG spnego_init(unsigned char *place, const unsigned char *token, ULONG length)
{
    static const unsigned char NTLM_LIST[] = {0xa0, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06,
                                              0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a};
    static const unsigned char SPNEGO[] = {0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
    unsigned char room[16384];
    unsigned char *end = room + sizeof room;
    unsigned char *at = wrapped(before(end, token, length), end, 0x04);
    at = before(wrapped(at, end, 0xa2), NTLM_LIST, sizeof NTLM_LIST);
    at = before(wrapped(wrapped(at, end, 0x30), end, 0xa0), SPNEGO, sizeof SPNEGO);
    at = wrapped(at, end, 0x60);
    memcpy(place, at, (size_t)(end - at));
    return (ULONG)(end - at);
}

ULONG spnego_response(unsigned char *place, const unsigned char *token, ULONG length)
{
    unsigned char room[16384];
    unsigned char *end = room + sizeof room;
    unsigned char *at = wrapped(before(end, token, length), end, 0x04);
    at = wrapped(wrapped(wrapped(at, end, 0xa2), end, 0x30), end, 0xa1);
    memcpy(place, at, (size_t)(end - at));
    return (ULONG)(end - at);
}

const unsigned char *ntlm_inside(const unsigned char *token, ULONG length, ULONG *inside)
{
    const unsigned char *found = memmem(token, length, "NTLMSSP", 8);
    *inside = found == NULL ? 0 : length - (ULONG)(found - token);
    return found;
}
