/*
 * Credentials: SEC_WINNT_AUTH_IDENTITY in its forms, whose Flags and not the function's suffix say of which kind its
 * characters are; that everything is copied; directions, packages, and what a credential answers.
 */
#include "check.h"
#include "talk.h"

#include <stdlib.h>

static CredHandle server_of[2];
static const char *PACKAGES[2] = {"NTLM", "Negotiate"};

/* Whether a credential lets its bearer in as ann. */
static SECURITY_STATUS proves(CredHandle *credential, int at)
{
    struct side client = initiator(credential), server = acceptor(&server_of[at]);
    shake(&client, &server);
    SECURITY_STATUS status = client.status < 0 ? client.status : server.status;
    if (status == SEC_E_OK) {
        char name[64];
        name_of(&server, name, sizeof name);
        TEXT(name, ANN);
    }
    end(&client);
    end(&server);
    return status;
}

/* Acquires by the A or the W function, with a copy of the identity that is gone afterwards; frees the credential. */
static SECURITY_STATUS acquired(int at, bool by_w, const void *identity, size_t size)
{
    void *copy = malloc(size);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, identity, size);
    CredHandle credential;
    TimeStamp expiry;
    FILL(credential);
    FILL(expiry);
    SECURITY_STATUS status =
        by_w ? AcquireCredentialsHandleW(NULL, wide(PACKAGES[at]), SECPKG_CRED_OUTBOUND, NULL, copy, NULL, NULL,
                                         &credential, &expiry)
             : AcquireCredentialsHandleA(NULL, PACKAGES[at], SECPKG_CRED_OUTBOUND, NULL, copy, NULL, NULL, &credential,
                                         &expiry);
    memset(copy, 'x', size);
    free(copy);
    if (status < 0) {
        UNTOUCHED(credential);
        UNTOUCHED(expiry);
        return status;
    }
    CHECK(expiry.QuadPart == 0x7FFFFFFFFFFFFFFF);
    status = proves(&credential, at);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    return status;
}

static SEC_WINNT_AUTH_IDENTITY_A ansi(const char *user, const char *password, ULONG flags)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){(unsigned char *)user,     (ULONG)strlen(user),     (unsigned char *)"", 0,
                                       (unsigned char *)password, (ULONG)strlen(password), flags};
}

static SEC_WINNT_AUTH_IDENTITY_W unicode(const char *user, const char *password, ULONG flags)
{
    return (SEC_WINNT_AUTH_IDENTITY_W){wide(user),     (ULONG)strlen(user),     wide(""), 0,
                                       wide(password), (ULONG)strlen(password), flags};
}

static void charsets(int at)
{
    SEC_WINNT_AUTH_IDENTITY_A a = ansi(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_ANSI);
    SEC_WINNT_AUTH_IDENTITY_W w = unicode(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_UNICODE);
    for (int by_w = 0; by_w < 2; ++by_w) {
        CASE("%s by %c: the flags say which characters", PACKAGES[at], by_w ? 'W' : 'A');
        STATUS(acquired(at, by_w, &a, sizeof a), SEC_E_OK);
        STATUS(acquired(at, by_w, &w, sizeof w), SEC_E_OK);
        /* Both bits: Unicode, as in WinPR. None: the function's. */
        w.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI | SEC_WINNT_AUTH_IDENTITY_UNICODE;
        STATUS(acquired(at, by_w, &w, sizeof w), SEC_E_OK);
        w.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
        if (by_w) {
            SEC_WINNT_AUTH_IDENTITY_W none = unicode(ANN, ANN_PASSWORD, 0);
            STATUS(acquired(at, true, &none, sizeof none), SEC_E_OK);
        } else {
            SEC_WINNT_AUTH_IDENTITY_A none = ansi(ANN, ANN_PASSWORD, 0);
            STATUS(acquired(at, false, &none, sizeof none), SEC_E_OK);
        }
    }
    CASE("%s: texts that are none", PACKAGES[at]);
    SEC_WINNT_AUTH_IDENTITY_A bad = ansi("\xff\xfe", "x", SEC_WINNT_AUTH_IDENTITY_ANSI);
    STATUS(acquired(at, false, &bad, sizeof bad), SEC_E_INVALID_PARAMETER);
    bad = ansi("ann", "x", SEC_WINNT_AUTH_IDENTITY_ANSI);
    bad.PasswordLength = 0xffffffff;
    STATUS(acquired(at, false, &bad, sizeof bad), SEC_E_INVALID_PARAMETER);
    static USHORT surrogate[] = {0xd800};
    SEC_WINNT_AUTH_IDENTITY_W half = unicode(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_UNICODE);
    half.User = surrogate;
    half.UserLength = 1;
    SECURITY_STATUS status = acquired(at, true, &half, sizeof half);
    CHECK(status == SEC_E_INVALID_PARAMETER || status == SEC_E_LOGON_DENIED);
    CASE("%s: the length counts, not a zero", PACKAGES[at]);
    SEC_WINNT_AUTH_IDENTITY_A longer = ansi("annXXX", "Correct-horse 7XXX", SEC_WINNT_AUTH_IDENTITY_ANSI);
    longer.UserLength -= 3;
    longer.PasswordLength -= 3;
    STATUS(acquired(at, false, &longer, sizeof longer), SEC_E_OK);
    CASE("%s: a text that is nowhere is empty", PACKAGES[at]);
    longer.Domain = NULL;
    longer.DomainLength = 12;
    STATUS(acquired(at, false, &longer, sizeof longer), SEC_E_OK);
}

static void extended(int at)
{
    bool negotiate = at == 1;
    SEC_WINNT_AUTH_IDENTITY_EXA a = {
        SEC_WINNT_AUTH_IDENTITY_VERSION, sizeof a, (unsigned char *)ANN, 3, (unsigned char *)"", 0,
        (unsigned char *)ANN_PASSWORD, sizeof ANN_PASSWORD - 1, SEC_WINNT_AUTH_IDENTITY_ANSI, NULL, 0};
    SEC_WINNT_AUTH_IDENTITY_EXW w = {
        SEC_WINNT_AUTH_IDENTITY_VERSION, sizeof w, wide(ANN), 3, wide(""), 0,
        wide(ANN_PASSWORD), sizeof ANN_PASSWORD - 1, SEC_WINNT_AUTH_IDENTITY_UNICODE, NULL, 0};
    for (int by_w = 0; by_w < 2; ++by_w) {
        CASE("%s by %c: EX", PACKAGES[at], by_w ? 'W' : 'A');
        STATUS(acquired(at, by_w, &a, sizeof a), SEC_E_OK);
        STATUS(acquired(at, by_w, &w, sizeof w), SEC_E_OK);
    }
    CASE("%s: EX, packages", PACKAGES[at]);
    static const struct {
        const char *list;
        bool with_ntlm;
    } LISTS[] = {{"ntlm", true},       {"NTLM,kerberos", true}, {"!kerberos", true}, {"!ntlm", false},
                 {"kerberos", false}};
    for (size_t list = 0; list < sizeof LISTS / sizeof *LISTS; ++list) {
        a.PackageList = (unsigned char *)LISTS[list].list;
        a.PackageListLength = (ULONG)strlen(LISTS[list].list);
        STATUS(acquired(at, false, &a, sizeof a),
               LISTS[list].with_ntlm || !negotiate ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
    }
    a.PackageList = NULL;
    a.PackageListLength = 0;
    CASE("%s: EX, lengths that are none", PACKAGES[at]);
    ULONG lengths[] = {0, 8, 48, sizeof a - 1};
    for (size_t length = 0; length < sizeof lengths / sizeof *lengths; ++length) {
        a.Length = lengths[length];
        /* It is read as far as it says, and no further. */
        STATUS(acquired(at, false, &a, lengths[length] < 8 ? 8 : lengths[length]), SEC_E_INVALID_PARAMETER);
    }
    a.Length = sizeof a + 40;
    STATUS(acquired(at, false, &a, sizeof a), SEC_E_OK);
}

/* SEC_WINNT_AUTH_IDENTITY_EX2: everything in one piece. */
static size_t packed(unsigned char *place, const char *user, const char *domain, const char *password)
{
    /* SEC_WINNT_AUTH_PACKED_CREDENTIALS, its type SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, and the password behind it. */
    static const unsigned char PASSWORD[16] = {0x2f, 0xfc, 0xbf, 0x28, 0xf6, 0x10, 0x38, 0x47,
                                               0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a};
    size_t at = sizeof(SEC_WINNT_AUTH_IDENTITY_EX2);
    SEC_WINNT_AUTH_IDENTITY_EX2 head = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
                                        .cbHeaderLength = sizeof head,
                                        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    head.UserOffset = (ULONG)at;
    head.UserLength = (USHORT)(2 * strlen(user));
    memcpy(place + at, wide(user), head.UserLength);
    at += head.UserLength;
    head.DomainOffset = (ULONG)at;
    head.DomainLength = (USHORT)(2 * strlen(domain));
    memcpy(place + at, wide(domain), head.DomainLength);
    at += head.DomainLength;
    unsigned char *credentials = place + at;
    size_t length = 2 * strlen(password);
    memset(credentials, 0, 36);
    credentials[0] = 28;
    put_number(credentials, 2, (ULONG)(36 + length));
    memcpy(credentials + 4, PASSWORD, 16);
    put_number(credentials, 20, 28);
    put_number(credentials, 24, (ULONG)(8 + length));
    put_number(credentials, 28, 8);
    put_number(credentials, 32, (ULONG)length);
    memcpy(credentials + 36, wide(password), length);
    head.PackedCredentialsOffset = (ULONG)at;
    head.PackedCredentialsLength = (USHORT)(36 + length);
    at += 36 + length;
    head.cbStructureLength = (ULONG)at;
    memcpy(place, &head, sizeof head);
    return at;
}

static void in_one_piece(int at)
{
    unsigned char place[512];
    size_t size = packed(place, ANN, "", ANN_PASSWORD);
    for (int by_w = 0; by_w < 2; ++by_w) {
        CASE("%s by %c: EX2", PACKAGES[at], by_w ? 'W' : 'A');
        STATUS(acquired(at, by_w, place, size), SEC_E_OK);
    }
    CASE("%s: EX2, a wrong password", PACKAGES[at]);
    size = packed(place, ANN, "", "Correct-horse 8");
    STATUS(acquired(at, false, place, size), SEC_E_LOGON_DENIED);
    CASE("%s: EX2, another kind of credential", PACKAGES[at]);
    size = packed(place, ANN, "", ANN_PASSWORD);
    SEC_WINNT_AUTH_IDENTITY_EX2 head;
    memcpy(&head, place, sizeof head);
    place[head.PackedCredentialsOffset + 4] ^= 1;
    STATUS(acquired(at, false, place, size), SEC_E_UNKNOWN_CREDENTIALS);
    CASE("%s: EX2, each number of its head out of bounds", PACKAGES[at]);
    static const struct {
        size_t offset;
        size_t size;
    } NUMBERS[] = {
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbHeaderLength), 2},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserOffset), 4},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, UserLength), 2},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, DomainLength), 2},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsOffset), 4},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsLength), 2},
        {offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, PackageListLength), 2},
    };
    for (size_t number = 0; number < sizeof NUMBERS / sizeof *NUMBERS; ++number) {
        size = packed(place, ANN, "", ANN_PASSWORD);
        memset(place + NUMBERS[number].offset, 0xff, NUMBERS[number].size);
        FAILS(acquired(at, false, place, size));
    }
    CASE("%s: EX2, shorter than its parts", PACKAGES[at]);
    for (ULONG whole = 0; whole < size - 1; whole += 3) {
        size = packed(place, ANN, "", ANN_PASSWORD);
        put_number(place, offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, cbStructureLength), whole);
        FAILS(acquired(at, false, place, whole < sizeof head ? sizeof head : whole));
    }
    CASE("%s: EX2, each byte of the credentials out of bounds", PACKAGES[at]);
    for (size_t byte = 20; byte < 36; ++byte) {
        size = packed(place, ANN, "", ANN_PASSWORD);
        memcpy(&head, place, sizeof head);
        place[head.PackedCredentialsOffset + byte] ^= 0x80;
        SECURITY_STATUS status = acquired(at, false, place, size);
        /* Where two bytes have no meaning, they change nothing. */
        CHECK(status < 0 || (byte & 3) >= 2);
    }
}

/* A name is a text to its end, and what others encrypted is no password. */
static void not_taken(int at)
{
    CASE("%s: names with a zero in them", PACKAGES[at]);
    SEC_WINNT_AUTH_IDENTITY_A a = ansi(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_ANSI);
    SEC_WINNT_AUTH_IDENTITY_W w = unicode(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_UNICODE);
    ++a.UserLength; /* the zero is the last of its characters */
    ++w.UserLength;
    STATUS(acquired(at, false, &a, sizeof a), SEC_E_INVALID_PARAMETER);
    STATUS(acquired(at, true, &w, sizeof w), SEC_E_INVALID_PARAMETER);
    --a.UserLength;
    --w.UserLength;
    a.Domain = (unsigned char *)"CORP\0EVIL";
    a.DomainLength = 9;
    w.DomainLength = 1;
    STATUS(acquired(at, false, &a, sizeof a), SEC_E_INVALID_PARAMETER);
    STATUS(acquired(at, true, &w, sizeof w), SEC_E_INVALID_PARAMETER);
    CredHandle credential;
    for (ULONG use = SECPKG_CRED_INBOUND; use <= SECPKG_CRED_BOTH; ++use) {
        FILL(credential);
        STATUS(AcquireCredentialsHandleA(NULL, PACKAGES[at], use, NULL, &a, NULL, NULL, &credential, NULL),
               SEC_E_INVALID_PARAMETER);
        UNTOUCHED(credential);
    }
    CASE("%s: encrypted by whomever", PACKAGES[at]);
    SEC_WINNT_AUTH_IDENTITY_EXA ex = {
        SEC_WINNT_AUTH_IDENTITY_VERSION, sizeof ex, (unsigned char *)ANN, 3, (unsigned char *)"", 0,
        (unsigned char *)ANN_PASSWORD, sizeof ANN_PASSWORD - 1, 0, NULL, 0};
    unsigned char piece[512];
    size_t size = packed(piece, ANN, "", ANN_PASSWORD);
    for (ULONG bit = 0x10; bit <= 0x80; bit *= 2) {
        a = ansi(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_ANSI | bit);
        w = unicode(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_UNICODE | bit);
        ex.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI | bit;
        put_number(piece, offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Flags), SEC_WINNT_AUTH_IDENTITY_UNICODE | bit);
        STATUS(acquired(at, false, &a, sizeof a), SEC_E_UNKNOWN_CREDENTIALS);
        STATUS(acquired(at, true, &w, sizeof w), SEC_E_UNKNOWN_CREDENTIALS);
        STATUS(acquired(at, false, &ex, sizeof ex), SEC_E_UNKNOWN_CREDENTIALS);
        STATUS(acquired(at, true, piece, size), SEC_E_UNKNOWN_CREDENTIALS);
        FILL(credential);
        STATUS(AcquireCredentialsHandleA(NULL, PACKAGES[at], SECPKG_CRED_INBOUND, NULL, &a, NULL, NULL, &credential,
                                         NULL),
               SEC_E_UNKNOWN_CREDENTIALS);
        UNTOUCHED(credential);
    }
}

/* WinPR's way to give a hash: hexadecimal, its length beyond 512. */
static void hashes(int at)
{
    CASE("%s: the password is its hash", PACKAGES[at]);
    SEC_WINNT_AUTH_IDENTITY_A hash = ansi(ANN, "9e852e7d7422b2ed11117ec1705dbf67", SEC_WINNT_AUTH_IDENTITY_ANSI);
    hash.PasswordLength = 512 + 32;
    STATUS(acquired(at, false, &hash, sizeof hash), SEC_E_OK);
    hash.Password = (unsigned char *)"9e852e7d7422b2ed11117ec1705dbfXX";
    STATUS(acquired(at, false, &hash, sizeof hash), SEC_E_INVALID_PARAMETER);
}

static void directions(int at)
{
    const char *package = PACKAGES[at];
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_ANSI);
    CredHandle credential;
    FILL(credential);
    CASE("%s: directions and owners", package);
#define ACQUIRE(name, use, luid, data) \
    AcquireCredentialsHandleA(NULL, name, use, luid, data, NULL, NULL, &credential, NULL)
    STATUS(ACQUIRE(package, 0, NULL, &identity), SEC_E_UNKNOWN_CREDENTIALS);
    STATUS(ACQUIRE(package, 4, NULL, &identity), SEC_E_UNKNOWN_CREDENTIALS);
    LUID luid = {0x3e7, 0};
    STATUS(ACQUIRE(package, SECPKG_CRED_OUTBOUND, &luid, &identity), SEC_E_NOT_OWNER);
    STATUS(ACQUIRE(package, SECPKG_CRED_OUTBOUND, NULL, NULL), SEC_E_NO_CREDENTIALS);
    STATUS(ACQUIRE("WDigest", SECPKG_CRED_OUTBOUND, NULL, &identity), SEC_E_SECPKG_NOT_FOUND);
    /* Nobody asks a KDC by the password. */
    STATUS(ACQUIRE("Kerberos", SECPKG_CRED_OUTBOUND, NULL, &identity), SEC_E_NO_CREDENTIALS);
    STATUS(ACQUIRE("", SECPKG_CRED_OUTBOUND, NULL, &identity), SEC_E_SECPKG_NOT_FOUND);
    STATUS(ACQUIRE(NULL, SECPKG_CRED_OUTBOUND, NULL, &identity), SEC_E_SECPKG_NOT_FOUND);
    UNTOUCHED(credential);
    STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, NULL, NULL),
           SEC_E_INVALID_HANDLE);
    CASE("%s: names of credentials", package);
    identity.Domain = (unsigned char *)"CORP";
    identity.DomainLength = 4;
    STATUS(ACQUIRE(package, SECPKG_CRED_BOTH, NULL, &identity), SEC_E_OK);
    SecPkgCredentials_NamesA names;
    SecPkgCredentials_NamesW wides;
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    STATUS(QueryCredentialsAttributesExW(&credential, SECPKG_CRED_ATTR_NAMES, &wides, sizeof wides), SEC_E_OK);
    TEXT(names.sUserName, "CORP\\ann");
    CHECK(wide_is(wides.sUserName, "CORP\\ann"));
    STATUS(FreeContextBuffer(names.sUserName), SEC_E_OK);
    STATUS(FreeContextBuffer(wides.sUserName), SEC_E_OK);
    FILL(names);
    STATUS(QueryCredentialsAttributesExA(&credential, SECPKG_CRED_ATTR_NAMES, &names, 7), SEC_E_BUFFER_TOO_SMALL);
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, &names),
           SEC_E_UNSUPPORTED_FUNCTION);
    UNTOUCHED(names);
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, NULL), SEC_E_INVALID_PARAMETER);
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names, 8), SEC_E_UNSUPPORTED_FUNCTION);

    CASE("%s: AddCredentials", package);
    bool negotiate = at == 1;
    identity = ansi(ANN, "Correct-horse 8", SEC_WINNT_AUTH_IDENTITY_ANSI);
    STATUS(proves(&credential, at), SEC_E_OK);
    STATUS(AddCredentialsA(&credential, NULL, "NTLM", SECPKG_CRED_OUTBOUND, &identity, NULL, NULL, NULL),
           negotiate ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(proves(&credential, at), negotiate ? SEC_E_LOGON_DENIED : SEC_E_OK);
    SEC_WINNT_AUTH_IDENTITY_W better = unicode(ANN, ANN_PASSWORD, SEC_WINNT_AUTH_IDENTITY_UNICODE);
    STATUS(AddCredentialsW(&credential, NULL, wide("NTLM"), SECPKG_CRED_OUTBOUND, &better, NULL, NULL, NULL),
           negotiate ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
    STATUS(proves(&credential, at), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
#undef ACQUIRE
}

int main(void)
{
    for (int at = 0; at < 2; ++at) {
        server_of[at] = must_acquire(PACKAGES[at], SECPKG_CRED_INBOUND, ANN, ANN_PASSWORD);
        charsets(at);
        extended(at);
        in_one_piece(at);
        not_taken(at);
        hashes(at);
        directions(at);
        STATUS(FreeCredentialsHandle(&server_of[at]), SEC_E_OK);
    }
    return check_done();
}
