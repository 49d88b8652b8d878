/* Both sides of a handshake in one process. */
#ifndef TALK_H
#define TALK_H

#include <portcullis/sspi.h>

#include <stdbool.h>
#include <string.h>

#define ANN "ann"
#define ANN_PASSWORD "Correct-horse 7"
#define BEN "ben"
#define BEN_PASSWORD "Battery-staple 9"
#define EVE "eve"
#define EVE_PASSWORD "Initial-secret 1"
#define TARGET "HTTP/web1.corp.example"

/* One side, and what it said last. */
struct side {
    bool accepts;
    /* Without one, the later legs are called with NULL. */
    CredHandle *credential;
    CtxtHandle context;
    bool begun;
    ULONG wants;
    ULONG granted;
    TimeStamp expiry;
    SECURITY_STATUS status;
    unsigned char token[16384];
    ULONG length;
};

/* Both directions' flags for signed and sealed messages. */
extern const ULONG BOTH_WAYS_ACCEPT;
extern const ULONG BOTH_WAYS_INITIATE;

/* A credential of an account; of nobody where `user` is NULL (pAuthData is NULL then). */
SECURITY_STATUS acquire(const char *package, ULONG use, const char *user, const char *domain, const char *password,
                        CredHandle *credential);
/* The same, which must not fail. */
CredHandle must_acquire(const char *package, ULONG use, const char *user, const char *password);

struct side acceptor(CredHandle *credential);
struct side initiator(CredHandle *credential);
/* A leg with these bytes; answer and status are in the side. */
SECURITY_STATUS leg(struct side *side, const void *token, ULONG length);
/* A leg with what the other side said last. */
SECURITY_STATUS answer(struct side *side, const struct side *other);
/* Legs to the end; `client` begins. True where both sides are established. */
bool shake(struct side *client, struct side *server);
/* Legs up to the client's last token, which the server has not seen. */
void shake_but_last(struct side *client, struct side *server);
/* Ends a side's context. */
void end(struct side *side);

/* The name that a context answers for SECPKG_ATTR_NAMES, in `name`; "" where it has none. */
void name_of(const struct side *side, char *name, size_t size);
/* This thread's last cause. */
const char *cause(void);

/* Seals a text on one side and opens it on the other. True where it arrives. */
bool tell(struct side *from, struct side *to, const char *text);

/* UTF-8 of ASCII alone as UTF-16, in one of several places that are used in turn. */
SEC_WCHAR *wide(const char *text);
/* Whether UTF-16 is this ASCII text. */
bool wide_is(const SEC_WCHAR *found, const char *text);

/* A 32-bit number in a token. */
ULONG number_at(const unsigned char *token, size_t offset);
void put_number(unsigned char *token, size_t offset, ULONG number);

/* An SPNEGO NegTokenInit that offers NTLM with this token; its length. */
ULONG spnego_init(unsigned char *place, const unsigned char *token, ULONG length);
/* An SPNEGO NegTokenResp with this token; its length. */
ULONG spnego_response(unsigned char *place, const unsigned char *token, ULONG length);
/* The NTLM message inside an SPNEGO token; NULL where there is none. */
const unsigned char *ntlm_inside(const unsigned char *token, ULONG length, ULONG *inside);

#endif
