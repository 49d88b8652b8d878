#define _POSIX_C_SOURCE 200809L
#include "realm.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[400];

void folder_is(const char *path)
{
    MUST(strlen(path) < sizeof folder);
    strcpy(folder, path);
}

const char *file(const char *name)
{
    static _Thread_local char places[8][512];
    static _Thread_local unsigned next;
    char *place = places[next++ % 8];
    snprintf(place, sizeof places[0], "%s/%s", folder, name);
    return place;
}

size_t read_file(const char *name, void *bytes, size_t room)
{
    FILE *stream = fopen(file(name), "rb");
    MUST(stream != NULL);
    size_t length = fread(bytes, 1, room, stream);
    MUST(length < room && fclose(stream) == 0);
    return length;
}

void write_file(const char *name, const void *bytes, size_t length)
{
    FILE *stream = fopen(file(name), "wb");
    MUST(stream != NULL && fwrite(bytes, 1, length, stream) == length && fclose(stream) == 0);
}

void tickets_are(const char *cache)
{
    char name[600];
    if (cache == NULL) {
        MUST(unsetenv("KRB5CCNAME") == 0);
        return;
    }
    snprintf(name, sizeof name, "FILE:%s", file(cache));
    MUST(setenv("KRB5CCNAME", name, 1) == 0);
}

CredHandle service(const char *package, const char *keytab)
{
    CredHandle credential;
    MUST(STATUS(PortcullisSetKeytab(file(keytab)), SEC_E_OK));
    MUST(STATUS(acquire(package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, &credential), SEC_E_OK));
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
    return credential;
}

CredHandle client_of(const char *package, const char *cache)
{
    CredHandle credential;
    tickets_are(cache);
    MUST(STATUS(acquire(package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, &credential), SEC_E_OK));
    tickets_are(NULL);
    return credential;
}

size_t packed_keytab(unsigned char *place, size_t room, const char *keytab)
{
    static unsigned char bytes[16384];
    size_t length = read_file(keytab, bytes, sizeof bytes);
    SEC_WINNT_AUTH_PACKED_CREDENTIALS packed = {
        .cbHeaderLength = sizeof packed,
        .cbStructureLength = (USHORT)(sizeof packed + length),
        .AuthData = {SEC_WINNT_AUTH_DATA_TYPE_KEYTAB, {sizeof packed, (USHORT)length}},
    };
    SEC_WINNT_AUTH_IDENTITY_EX2 identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
        .cbHeaderLength = sizeof identity,
        .cbStructureLength = (ULONG)(sizeof identity + sizeof packed + length),
        .PackedCredentialsOffset = sizeof identity,
        .PackedCredentialsLength = (USHORT)(sizeof packed + length),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    MUST(identity.cbStructureLength <= room);
    memcpy(place, &identity, sizeof identity);
    memcpy(place + sizeof identity, &packed, sizeof packed);
    memcpy(place + sizeof identity + sizeof packed, bytes, length);
    return identity.cbStructureLength;
}
