/*
 * A host closes the library while a thread that used TLS still lives: what runs when that thread ends must be there. It is
 * not linked to the library.
 *
 *     schannel_unload LIBRARY FOLDER
 */
#define _POSIX_C_SOURCE 200809L

#include <portcullis/sspi.h>
#include <portcullis/wincrypt.h>

#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void *library;
static char pem[512], key[512];
static pthread_barrier_t used, closed;

static void handshake(void)
{
    INIT_SECURITY_INTERFACE_A init;
    PCCERT_CONTEXT (*from_pem)(const char *, const char *);
    BOOL (*free_certificate)(PCCERT_CONTEXT);
    *(void **)&init = dlsym(library, "InitSecurityInterfaceA");
    *(void **)&from_pem = dlsym(library, "PortcullisCertificateFromPem");
    *(void **)&free_certificate = dlsym(library, "CertFreeCertificateContext");
    PSecurityFunctionTableA table = init();
    PCCERT_CONTEXT own = from_pem(pem, key);
    MUST(own != NULL);
    SCHANNEL_CRED settings = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &own};
    CredHandle accepts, initiates;
    MUST(STATUS(table->AcquireCredentialsHandleA(NULL, UNISP_NAME_A, SECPKG_CRED_INBOUND, NULL, &settings, NULL, NULL,
                                                 &accepts, NULL), SEC_E_OK));
    settings.cCreds = 0;
    settings.dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION;
    MUST(STATUS(table->AcquireCredentialsHandleA(NULL, UNISP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &settings, NULL, NULL,
                                                 &initiates, NULL), SEC_E_OK));
    static unsigned char hello[16384], answer[16384];
    CtxtHandle c, s;
    ULONG granted;
    SecBuffer in[2] = {{0, SECBUFFER_TOKEN, hello}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof hello, SECBUFFER_TOKEN, hello};
    SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
    STATUS(table->InitializeSecurityContextA(&initiates, NULL, NULL, 0, 0, 0, NULL, 0, &c, &output, &granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    in[0].cbBuffer = out.cbBuffer;
    out = (SecBuffer){sizeof answer, SECBUFFER_TOKEN, answer};
    STATUS(table->AcceptSecurityContext(&accepts, NULL, &input, 0, 0, &s, &output, &granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    /* Context and credential are left as they are. */
    free_certificate(own);
}

static void *work(void *argument)
{
    handshake();
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&closed);
    return argument;
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    snprintf(pem, sizeof pem, "%s/server.pem", arguments[2]);
    snprintf(key, sizeof key, "%s/server.key", arguments[2]);
    for (int round = 0; round < 5; ++round) {
        library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        MUST(library != NULL);
        pthread_barrier_init(&used, NULL, 2);
        pthread_barrier_init(&closed, NULL, 2);
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, work, NULL) == 0);
        pthread_barrier_wait(&used);
        CHECK(dlclose(library) == 0);
        pthread_barrier_wait(&closed);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return check_done();
}
