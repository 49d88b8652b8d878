/*
 * Accounts that the host itself knows: names that a proof does not cover, settings of FreeRDP 3's credentials, which entry
 * of a SAM file is meant, and accounts without a password, which let nobody in.
 *
 *     semantics_hosts FOLDER        no PORTCULLIS_CONFIG
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>

static const char *package;
static char sam[420];

/* Of ANN_PASSWORD and of BEN_PASSWORD; and HMAC-MD5 by the first over "ANN" in UTF-16 (NTOWFv2, MS-NLMP 3.3.2). */
#define ANN_HASH "9e852e7d7422b2ed11117ec1705dbf67"
#define BEN_HASH "09d491f8f7f58313645d9c74002624d1"
static const unsigned char V2_HASH[16] = {0x8e, 0x98, 0x3f, 0x43, 0x7b, 0x2e, 0x4e, 0x11,
                                          0xb2, 0xa8, 0x07, 0xfd, 0xd2, 0x6c, 0x06, 0xb0};

/* ---- A client that signs what it changed: the MIC is HMAC-MD5 by the session key over all three messages. ---- */

struct md5 {
    ULONG state[4];
    unsigned char block[64];
    ULONG64 length;
};

static void md5_block(struct md5 *md5)
{
    static const ULONG K[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
    };
    static const unsigned char SHIFTS[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    ULONG a = md5->state[0], b = md5->state[1], c = md5->state[2], d = md5->state[3];
    for (ULONG step = 0; step < 64; ++step) {
        static const ULONG FACTORS[4] = {1, 5, 3, 7}, ADDENDS[4] = {0, 1, 5, 0};
        ULONG round = step / 16, mixed = round == 0   ? (b & c) | (~b & d)
                                         : round == 1 ? (d & b) | (~d & c)
                                         : round == 2 ? b ^ c ^ d
                                                      : c ^ (b | ~d);
        ULONG word = number_at(md5->block, 4 * ((FACTORS[round] * step + ADDENDS[round]) % 16));
        ULONG sum = a + mixed + K[step] + word, shift = SHIFTS[round][step % 4];
        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }
    md5->state[0] += a;
    md5->state[1] += b;
    md5->state[2] += c;
    md5->state[3] += d;
}

static void md5_add(struct md5 *md5, const unsigned char *bytes, size_t length)
{
    for (size_t at = 0; at < length; ++at) {
        md5->block[md5->length++ % 64] = bytes[at];
        if (md5->length % 64 == 0) {
            md5_block(md5);
        }
    }
}

/* Inner or outer half of HMAC by a key of 16 bytes. */
static struct md5 md5_keyed(const unsigned char *key, unsigned char with)
{
    struct md5 md5 = {.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
    unsigned char block[64];
    for (int at = 0; at < 64; ++at) {
        block[at] = (unsigned char)((at < 16 ? key[at] : 0) ^ with);
    }
    md5_add(&md5, block, sizeof block);
    return md5;
}

static void md5_end(struct md5 *md5, unsigned char *hash)
{
    static const unsigned char END[64] = {0x80};
    ULONG64 bits = md5->length * 8;
    unsigned char length[8];
    put_number(length, 0, (ULONG)bits);
    put_number(length, 4, (ULONG)(bits >> 32));
    md5_add(md5, END, 1 + (119 - md5->length % 64) % 64);
    md5_add(md5, length, sizeof length);
    for (size_t word = 0; word < 4; ++word) {
        put_number(hash, 4 * word, md5->state[word]);
    }
}

/* Writes the MIC into a client's last token anew. */
static void sign(struct side *client, const struct side *first, const struct side *server)
{
    SecPkgContext_SessionKey key;
    unsigned char hash[16];
    MUST(STATUS(QueryContextAttributesA(&client->context, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK));
    memset(client->token + 72, 0, 16);
    struct md5 inner = md5_keyed(key.SessionKey, 0x36), outer = md5_keyed(key.SessionKey, 0x5c);
    md5_add(&inner, first->token, first->length);
    md5_add(&inner, server->token, server->length);
    md5_add(&inner, client->token, client->length);
    md5_end(&inner, hash);
    md5_add(&outer, hash, sizeof hash);
    md5_end(&outer, client->token + 72);
    STATUS(FreeContextBuffer(key.SessionKey), SEC_E_OK);
}

/* ---- What a server makes of its clients. ---- */

static SECURITY_STATUS log_on(CredHandle *accepts, const char *user, const char *domain, const char *password)
{
    CredHandle initiates;
    MUST(STATUS(acquire(package, SECPKG_CRED_OUTBOUND, user, domain, password, &initiates), SEC_E_OK));
    struct side client = initiator(&initiates), server = acceptor(accepts);
    shake_but_last(&client, &server);
    SECURITY_STATUS status = answer(&server, &client);
    end(&client);
    end(&server);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    return status;
}

static void the_name_is(struct side *server, const char *expected)
{
    char name[64];
    void *token;
    PORTCULLIS_TOKEN_INFO *info;
    name_of(server, name, sizeof name);
    TEXT(name, expected);
    MUST(STATUS(QuerySecurityContextToken(&server->context, &token), SEC_E_OK));
    MUST(STATUS(PortcullisQueryToken(token, &info), SEC_E_OK));
    TEXT(info->User, expected);
    STATUS(FreeContextBuffer(info), SEC_E_OK);
    STATUS(PortcullisCloseToken(token), SEC_E_OK);
}

/* A domain that the proof does not cover may be anyone's word: it is not reported. */
static void domains(void)
{
    static const struct {
        const char *what, *domain, *name;
        bool changed;
    } ROWS[] = {
        {"none", "", "ann", false},
        {"one under the proof", "CORP", "CORP\\ann", false},
        {"one that was put there", "", "ann", true},
    };
    CredHandle accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: a domain: %s", package, ROWS[at].what);
        CredHandle initiates;
        MUST(STATUS(acquire(package, SECPKG_CRED_OUTBOUND, ANN, ROWS[at].domain, ANN_PASSWORD, &initiates), SEC_E_OK));
        struct side client = initiator(&initiates), server = acceptor(&accepts);
        leg(&client, NULL, 0);
        struct side first = client;
        answer(&server, &client);
        MUST(STATUS(answer(&client, &server), SEC_E_OK));
        if (ROWS[at].changed) {
            memcpy(client.token + 28, client.token + 36, 8); /* the user's fields become the domain's too */
        }
        unsigned char before[16];
        memcpy(before, client.token + 72, 16);
        sign(&client, &first, &server);
        CHECK((memcmp(before, client.token + 72, 16) != 0) == ROWS[at].changed);
        STATUS(answer(&server, &client), SEC_I_COMPLETE_NEEDED);
        struct {
            int32_t version;
            unsigned char hash[16];
        } hash = {1, {0x9e, 0x85, 0x2e, 0x7d, 0x74, 0x22, 0xb2, 0xed, 0x11, 0x11, 0x7e, 0xc1, 0x70, 0x5d, 0xbf, 0x67}};
        STATUS(SetContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH, &hash, sizeof hash),
               SEC_E_OK);
        MUST(STATUS(CompleteAuthToken(&server.context, NULL), SEC_E_OK));
        the_name_is(&server, ROWS[at].name);
        CHECK(tell(&client, &server, "whoever it is"));
        end(&client);
        end(&server);
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
}

typedef int32_t hash_callback(void *, const SEC_WINNT_AUTH_IDENTITY_W *, const SecBuffer *, const unsigned char *,
                              const unsigned char *, const SecBuffer *, unsigned char *);

struct wish {
    const unsigned char *hash;
    int32_t result;
    SECURITY_STATUS status;
    unsigned calls;
};

static int32_t compute(void *argument, const SEC_WINNT_AUTH_IDENTITY_W *identity, const SecBuffer *proof,
                       const unsigned char *random_key, const unsigned char *mic, const SecBuffer *mic_value,
                       unsigned char *hash)
{
    (void)identity, (void)proof, (void)random_key, (void)mic, (void)mic_value;
    struct wish *wish = argument;
    ++wish->calls;
    if (wish->hash != NULL) {
        memcpy(hash, wish->hash, 16);
    }
    return wish->result;
}

/* A function that comes with the credential means yes by 0 or more; and nothing is left for the host to complete. */
static void settings(void)
{
    struct {
        SEC_WINNT_AUTH_IDENTITY_EXW identity;
        struct {
            const char *sam_file;
            hash_callback *function;
            void *argument;
        } *settings;
        void *kerberos;
    } winpr = {.identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION, .Length = sizeof winpr.identity,
                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | 0x100}};
    CHECK((char *)&winpr.settings - (char *)&winpr == 72);
    struct wish wishes[] = {
        {V2_HASH, 0, SEC_E_OK, 0},
        {V2_HASH, 1, SEC_E_OK, 0},
        {V2_HASH, -1, SEC_E_LOGON_DENIED, 0},
        {V2_HASH, SEC_E_NO_CREDENTIALS, SEC_E_LOGON_DENIED, 0},
        {NULL, 0, SEC_E_LOGON_DENIED, 0},
        {NULL, 1, SEC_E_LOGON_DENIED, 0},
        {V2_HASH, 0x7fffffff, SEC_E_OK, 0},
    };
    for (size_t at = 0; at < sizeof wishes / sizeof *wishes; ++at) {
        CASE("%s: a function of the credential %zu", package, at);
        CredHandle accepts;
        winpr.settings = malloc(sizeof *winpr.settings);
        MUST(winpr.settings != NULL);
        winpr.settings->sam_file = NULL;
        winpr.settings->function = compute;
        winpr.settings->argument = &wishes[at];
        MUST(STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, &winpr, NULL, NULL, &accepts,
                                              NULL),
                    SEC_E_OK));
        free(winpr.settings); /* it was copied */
        STATUS(log_on(&accepts, ANN, "", ANN_PASSWORD), wishes[at].status);
        CHECK(wishes[at].calls == 1);
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
}

/* Of several entries the first of exactly this domain counts, else the first without one. */
static void entries(void)
{
    static const struct {
        const char *what, *text, *domain;
        bool right;
    } ROWS[] = {
        {"the first counts", "ann:::" ANN_HASH ":::\nann:::" BEN_HASH ":::\n", "", true},
        {"the second does not", "ann:::" BEN_HASH ":::\nann:::" ANN_HASH ":::\n", "", false},
        {"first of its domain", "ann:CORP::" ANN_HASH ":::\nann:CORP::" BEN_HASH ":::\n", "CORP", true},
        {"second of its domain", "ann:CORP::" BEN_HASH ":::\nann:CORP::" ANN_HASH ":::\n", "CORP", false},
        {"without a domain it serves each", "ann:::" ANN_HASH ":::\n", "CORP", true},
        {"another domain's does not", "ann:OTHER::" ANN_HASH ":::\n", "CORP", false},
        {"a domain's serves none without", "ann:CORP::" ANN_HASH ":::\n", "", false},
        {"the domain's own behind", "ann:::" BEN_HASH ":::\nann:CORP::" ANN_HASH ":::\n", "CORP", true},
        {"the domain's own before", "ann:CORP::" BEN_HASH ":::\nann:::" ANN_HASH ":::\n", "CORP", false},
        {"none without a domain beside", "ann:CORP::" BEN_HASH ":::\nann:::" ANN_HASH ":::\n", "", true},
    };
    CredHandle accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("%s: a SAM file: %s", package, ROWS[at].what);
        FILE *file = fopen(sam, "w");
        MUST(file != NULL && fputs(ROWS[at].text, file) >= 0 && fclose(file) == 0);
        CredHandle initiates;
        MUST(STATUS(acquire(package, SECPKG_CRED_OUTBOUND, ANN, ROWS[at].domain, ANN_PASSWORD, &initiates), SEC_E_OK));
        struct side client = initiator(&initiates), server = acceptor(&accepts);
        shake_but_last(&client, &server);
        STATUS(SetContextAttributesA(&server.context, PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE, sam, 0), SEC_E_OK);
        STATUS(answer(&server, &client), ROWS[at].right ? SEC_E_OK : SEC_E_LOGON_DENIED);
        end(&client);
        end(&server);
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
}

/* An account without a password, or with a hash of nothing, lets nobody in, whoever computes with the same. */
static void no_password(void)
{
    static const struct {
        char text[33];
        ULONG length;
    } NOTHINGS[] = {
        {"", 0},
        {"00000000000000000000000000000000", 512 + 32},
        {"31d6cfe0d16ae931b73c59d7e0c089c0", 512 + 32},
    };
    SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (unsigned char *)ANN, .UserLength = 3,
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    for (int of_server = 0; of_server < 3; ++of_server) {
        for (int of_client = 0; of_client < 3; ++of_client) {
            CASE("%s: no password %d, no password %d", package, of_server, of_client);
            CredHandle accepts, initiates;
            identity.Password = (unsigned char *)NOTHINGS[of_server].text;
            identity.PasswordLength = NOTHINGS[of_server].length;
            MUST(STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, &identity, NULL, NULL,
                                                  &accepts, NULL),
                        SEC_E_OK));
            identity.Password = (unsigned char *)NOTHINGS[of_client].text;
            identity.PasswordLength = NOTHINGS[of_client].length;
            MUST(STATUS(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                  &initiates, NULL),
                        SEC_E_OK));
            struct side client = initiator(&initiates), server = acceptor(&accepts);
            shake_but_last(&client, &server);
            MUST(STATUS(client.status, SEC_E_OK));
            STATUS(answer(&server, &client), SEC_E_LOGON_DENIED);
            end(&client);
            end(&server);
            STATUS(log_on(&accepts, ANN, "", ANN_PASSWORD), SEC_E_LOGON_DENIED);
            STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
            STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
        }
    }
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    snprintf(sam, sizeof sam, "%s/SAM", arguments[1]);
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        domains();
        settings();
        entries();
        no_password();
    }
    return check_done();
}
