/* Both ends of a stream of TLS in one process. */
#ifndef STREAM_H
#define STREAM_H

#include "talk.h"

#include <portcullis/sspi.h>
#include <portcullis/wincrypt.h>

#include <stdbool.h>
#include <string.h>

#define SERVER_NAME "www.server.example"

/* One end: what it was given and has not used yet, and what it said last. */
struct end {
    bool accepts;
    CredHandle *credential;
    CtxtHandle context;
    bool begun;
    ULONG wants;
    ULONG granted;
    TimeStamp expiry;
    SECURITY_STATUS status;
    /* A buffer for its first call: SECBUFFER_APPLICATION_PROTOCOLS. */
    const void *protocols;
    ULONG protocols_length;
    /* Of the last call: the spare input buffer's type and count. */
    ULONG spare;
    ULONG count;
    unsigned char said[1 << 16];
    ULONG length;
    ULONG alert;
};

/* The folder of certificates; the program's first argument. */
extern const char *folder;

const char *path_in_folder(const char *name);
/* NAME.pem with NAME.key. */
PCCERT_CONTEXT certificate(const char *name);
HCERTSTORE authorities(const char *name);

/* A server's credential that is NAME and believes clients of `roots`, unless that is NULL. */
CredHandle server_of(const char *name, const char *roots, DWORD flags);
/* A client's that believes servers of `roots`; NAME may be NULL. */
CredHandle client_of(const char *name, const char *roots, DWORD flags);
/* A credential of these settings. */
SECURITY_STATUS acquired(ULONG use, void *settings, CredHandle *credential, TimeStamp *expiry);

struct end *server_end(CredHandle *credential);
struct end *client_end(CredHandle *credential);
/* A call with these bytes, and its output in `said`. */
SECURITY_STATUS step(struct end *end, const void *bytes, ULONG length);
/* Calls with these bytes and with what each leaves, until all are used; all that it says. */
SECURITY_STATUS steps(struct end *end, const void *bytes, ULONG length);
/* The handshake, to its end on both sides. True where both are through. */
bool shake_hands(struct end *client, struct end *server);
/* The same with no more than `most` bytes in one call. */
bool shake_hands_by(struct end *client, struct end *server, ULONG most);
/* Ends its context and gives it back. */
void give_up(struct end *end);
/* An established pair. */
void pair(CredHandle *of_client, CredHandle *of_server, struct end **client, struct end **server);
void end_both(struct end *client, struct end *server);
/* An attribute of an end's context. */
#define ATTRIBUTE(end, number, place) QueryContextAttributesA(&(end)->context, number, place)

/* Seals a text into a record; its length, 0 for a failure. */
ULONG sealed(struct end *end, const void *text, ULONG length, unsigned char *record);
/* What DecryptMessage makes of bytes: the data's place and length, and how many bytes are left. */
struct opened {
    SECURITY_STATUS status;
    unsigned char *data;
    ULONG length;
    ULONG extra;
    ULONG missing;
};
struct opened opened(struct end *end, unsigned char *bytes, ULONG length);
/* A text goes over. */
bool tell_over(struct end *from, struct end *to, const char *text);
/* ApplyControlToken with these numbers. */
SECURITY_STATUS control(struct end *end, const DWORD *numbers, ULONG count);

#endif
