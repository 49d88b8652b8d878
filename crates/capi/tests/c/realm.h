/* Keytabs and credential caches of one realm, which the test that runs the program made beforehand in a folder. */
#ifndef REALM_H
#define REALM_H

#include "talk.h"

#include <stddef.h>

#define REALM "MIT.EXAMPLE"
#define SERVICE TARGET "@" REALM
#define ALICE "alice@" REALM

/* Where the files are. */
void folder_is(const char *path);
/* A file's path, in one of several places that are used in turn. */
const char *file(const char *name);
/* A file's bytes; how many. */
size_t read_file(const char *name, void *bytes, size_t room);
void write_file(const char *name, const void *bytes, size_t length);

/* The tickets of KRB5CCNAME from now on; NULL for none. */
void tickets_are(const char *cache);
/* Who accepts by this keytab; the choice does not outlast the call. */
CredHandle service(const char *package, const char *keytab);
/* Who initiates by these tickets alone. */
CredHandle client_of(const char *package, const char *cache);

/* A SEC_WINNT_AUTH_IDENTITY_EX2 with a keytab inside; its length. */
size_t packed_keytab(unsigned char *place, size_t room, const char *keytab);

#endif
