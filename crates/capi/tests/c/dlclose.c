/*
 * A host loads the library, works with it and unloads it, many times: each time it is gone from the process, and neither
 * memory nor files stay behind, whatever was left open.
 *
 *     dlclose LIBRARY TIMES [log|file]        whether the host takes the library's lines, or a file that
 *                                             PORTCULLIS_CONFIG names
 *
 * GLIBC_TUNABLES turns caches of threads off, which would count as memory in use.
 */
#define _GNU_SOURCE
#include <portcullis/wincrypt.h>

#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *library;
static unsigned long lines;
static bool with_log;

static void hear(void *argument, ULONG level, const char *line)
{
    (void)argument;
    (void)level;
    lines += line[0] != 0;
}

static bool mapped(void)
{
    char line[1024];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        found = found || strstr(line, library) != NULL;
    }
    fclose(maps);
    return found;
}

static int count_in(const char *folder)
{
    DIR *entries = opendir(folder);
    int count = 0;
    MUST(entries != NULL);
    while (readdir(entries) != NULL) {
        ++count;
    }
    closedir(entries);
    return count;
}

/* Two handshakes, one of which is left as it is, with its credential and memory that was handed out. */
static void work(PSecurityFunctionTableA table, int round)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)"ann", 3, (unsigned char *)"", 0,
                                          (unsigned char *)"Correct-horse 7", 15, SEC_WINNT_AUTH_IDENTITY_ANSI};
    unsigned char tokens[2][4096];
    CredHandle initiates, accepts;
    ULONG granted;
    MUST(STATUS(table->AcquireCredentialsHandleA(NULL, "NTLM", SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                 &initiates, NULL),
                SEC_E_OK));
    /* The accounts are where PORTCULLIS_CONFIG says; without one, the credential has its own. */
    bool of_store = getenv("PORTCULLIS_CONFIG") != NULL;
    MUST(STATUS(table->AcquireCredentialsHandleA(NULL, "NTLM", SECPKG_CRED_INBOUND, NULL, of_store ? NULL : &identity,
                                                 NULL, NULL, &accepts, NULL),
                SEC_E_OK));
    for (int at = 0; at < 2; ++at) {
        CtxtHandle client, server;
        SecBuffer one = {sizeof tokens[0], SECBUFFER_TOKEN, tokens[0]};
        SecBuffer two = {sizeof tokens[1], SECBUFFER_TOKEN, tokens[1]};
        SecBufferDesc from_client = {SECBUFFER_VERSION, 1, &one}, from_server = {SECBUFFER_VERSION, 1, &two};
        STATUS(table->InitializeSecurityContextA(&initiates, NULL, NULL, 0, 0, 0, NULL, 0, &client, &from_client,
                                                 &granted, NULL),
               SEC_I_CONTINUE_NEEDED);
        STATUS(table->AcceptSecurityContext(&accepts, NULL, &from_client, 0, 0, &server, &from_server, &granted, NULL),
               SEC_I_CONTINUE_NEEDED);
        one.cbBuffer = sizeof tokens[0];
        STATUS(table->InitializeSecurityContextA(&initiates, &client, NULL, 0, 0, 0, &from_server, 0, &client,
                                                 &from_client, &granted, NULL),
               SEC_E_OK);
        two.cbBuffer = sizeof tokens[1];
        STATUS(table->AcceptSecurityContext(&accepts, &server, &from_client, 0, 0, &server, &from_server, &granted,
                                            NULL),
               SEC_E_OK);
        SecPkgContext_AccessToken token;
        STATUS(table->QueryContextAttributesA(&server, SECPKG_ATTR_ACCESS_TOKEN, &token), SEC_E_OK);
        if (at == 0 || round % 2 == 0) {
            STATUS(table->DeleteSecurityContext(&client), SEC_E_OK);
            STATUS(table->DeleteSecurityContext(&server), SEC_E_OK);
        }
    }
    if (round % 2 == 0) {
        STATUS(table->FreeCredentialsHandle(&accepts), SEC_E_OK);
        STATUS(table->FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
}

/* A store, and a container with a key's handle, left as they are. */
static void leave_open(void *handle)
{
    HCERTSTORE (*open)(LPCSTR, DWORD, HCRYPTPROV_LEGACY, DWORD, const void *);
    BOOL (*acquire)(HCRYPTPROV *, LPCSTR, LPCSTR, DWORD, DWORD);
    BOOL (*import)(HCRYPTPROV, const BYTE *, DWORD, HCRYPTKEY, DWORD, HCRYPTKEY *);
    HCRYPTPROV provider;
    HCRYPTKEY key;
    /* A key of 16 bits: its parts are behind the two headers. */
    BYTE blob[29] = {PRIVATEKEYBLOB, 2, 0, 0, 0, 0xa4, 0, 0, 'R', 'S', 'A', '2', 16, 0, 0, 0, 1, 0, 1, 0, 1, 2, 3};
    *(void **)&open = dlsym(handle, "CertOpenStore");
    *(void **)&acquire = dlsym(handle, "CryptAcquireContextA");
    *(void **)&import = dlsym(handle, "CryptImportKey");
    CHECK(open(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL) != NULL);
    CHECK(acquire(&provider, "left", NULL, PROV_RSA_FULL, CRYPT_NEWKEYSET));
    CHECK(import(provider, blob, sizeof blob, 0, 0, &key));
}

static void *load_and_work(void *argument)
{
    int round = *(int *)argument;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    MUST(handle != NULL);
    INIT_SECURITY_INTERFACE_A init;
    SECURITY_STATUS (*set_log)(PORTCULLIS_LOG_FN, void *);
    *(void **)&init = dlsym(handle, "InitSecurityInterfaceA");
    *(void **)&set_log = dlsym(handle, "PortcullisSetLog");
    if (with_log) {
        STATUS(set_log(hear, NULL), SEC_E_OK);
    }
    int threads = count_in("/proc/self/task");
    work(init(), round);
    leave_open(handle);
    CHECK(count_in("/proc/self/task") == threads);
    CHECK(mapped());
    CHECK(dlclose(handle) == 0);
    return NULL;
}

int main(int count, char **arguments)
{
    MUST(count >= 3);
    library = arguments[1];
    bool any_log = count == 4;
    with_log = any_log && strcmp(arguments[3], "log") == 0;
    int times = atoi(arguments[2]), files = 0;
    size_t memory = 0;
    for (int round = 0; round < times; ++round) {
        CASE("round %d", round);
        load_and_work(&round);
        CHECK(!mapped());
        /* In a thread that ends: what it kept of the library must not be looked for. */
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, load_and_work, &round) == 0 && pthread_join(thread, NULL) == 0);
        CHECK(!mapped());
        /* The first rounds warm the C library up. */
        if (round == times / 4) {
            files = count_in("/proc/self/fd");
            memory = mallinfo2().uordblks;
        }
    }
    CASE("afterwards");
    CHECK(count_in("/proc/self/fd") == files);
    int rounds = times - times / 4 - 1; /* of two loads each */
    long grown = (long)(mallinfo2().uordblks - memory);
    /* The crate tracing keeps the one subscriber of a process for good. */
    if (!CHECK(grown < 4096 + (any_log ? 400 * rounds : 0))) {
        printf("%ld bytes in %d rounds\n", grown, rounds);
    }
    CHECK(with_log == (lines > 0));
    return check_done();
}
