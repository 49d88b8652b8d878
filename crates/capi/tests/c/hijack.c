/*
 * A host that has functions of the same names loads the library: every slot of every table is the library's, and a
 * handshake by the table enters none of the host's.
 *
 *     hijack LIBRARY local|global expected|none      whether `hijacked` is expected to be there (hijacker.c)
 */
#define _GNU_SOURCE
#include <portcullis/wincrypt.h>

#include "check.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char *library;

static void is_ours(const void *function, const char *what, int slot)
{
    Dl_info info;
    CASE("%s, slot %d", what, slot);
    CHECK(function != NULL);
    MUST(dladdr(function, &info) != 0);
    TEXT(info.dli_fname, library);
}

static void all_ours(const void *table, const char *what)
{
    ULONG version;
    memcpy(&version, table, sizeof version);
    CHECK(version == 5);
    for (int slot = 0; slot < 31; ++slot) {
        void *function;
        memcpy(&function, (const char *)table + 8 + 8 * slot, sizeof function);
        is_ours(function, what, slot);
    }
}

/* A function of the library by its name; the name must lead there, too. */
static void *named(void *handle, const char *name)
{
    void *function = dlsym(handle, name);
    is_ours(function, name, -1);
    return function;
}

static void handshake(PSecurityFunctionTableA table)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = {(unsigned char *)"ann",    3, (unsigned char *)"", 0,
                                          (unsigned char *)"secret", 6, SEC_WINNT_AUTH_IDENTITY_ANSI};
    unsigned char tokens[2][4096], signature[16], text[] = "a message";
    CredHandle credential;
    CtxtHandle client, server;
    ULONG granted;
    CASE("a handshake by the table");
    MUST(STATUS(table->AcquireCredentialsHandleA(NULL, "NTLM", SECPKG_CRED_BOTH, NULL, &identity, NULL, NULL,
                                                 &credential, NULL),
                SEC_E_OK));
    SecBuffer one = {sizeof tokens[0], SECBUFFER_TOKEN, tokens[0]}, two = {sizeof tokens[1], SECBUFFER_TOKEN, tokens[1]};
    SecBufferDesc from_client = {SECBUFFER_VERSION, 1, &one}, from_server = {SECBUFFER_VERSION, 1, &two};
    ULONG wants = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    STATUS(table->InitializeSecurityContextA(&credential, NULL, NULL, wants, 0, 0, NULL, 0, &client, &from_client,
                                             &granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    STATUS(table->AcceptSecurityContext(&credential, NULL, &from_client, ASC_REQ_CONFIDENTIALITY, 0, &server,
                                        &from_server, &granted, NULL),
           SEC_I_CONTINUE_NEEDED);
    one.cbBuffer = sizeof tokens[0];
    STATUS(table->InitializeSecurityContextA(&credential, &client, NULL, wants, 0, 0, &from_server, 0, &client,
                                             &from_client, &granted, NULL),
           SEC_E_OK);
    two.cbBuffer = sizeof tokens[1];
    STATUS(table->AcceptSecurityContext(&credential, &server, &from_client, ASC_REQ_CONFIDENTIALITY, 0, &server,
                                        &from_server, &granted, NULL),
           SEC_E_OK);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, signature}, {sizeof text, SECBUFFER_DATA, text}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    STATUS(table->EncryptMessage(&client, 0, &message, 0), SEC_E_OK);
    STATUS(table->DecryptMessage(&server, &message, 0, NULL), SEC_E_OK);
    STATUS(table->MakeSignature(&server, 0, &message, 0), SEC_E_OK);
    STATUS(table->VerifySignature(&client, &message, 0, NULL), SEC_E_OK);
    TEXT((char *)text, "a message");
    SecPkgContext_NamesA names;
    STATUS(table->QueryContextAttributesA(&server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    STATUS(table->FreeContextBuffer(names.sUserName), SEC_E_OK);
    PSecPkgInfoA info;
    STATUS(table->QuerySecurityPackageInfoA("Negotiate", &info), SEC_E_OK);
    STATUS(table->FreeContextBuffer(info), SEC_E_OK);
    STATUS(table->DeleteSecurityContext(&client), SEC_E_OK);
    STATUS(table->DeleteSecurityContext(&server), SEC_E_OK);
    STATUS(table->FreeCredentialsHandle(&credential), SEC_E_OK);
}

/* A store, by the names that libwinpr2 has, too. */
static void certificates(void *handle)
{
    CASE("a store of certificates");
    HCERTSTORE (*open)(LPCSTR, DWORD, HCRYPTPROV_LEGACY, DWORD, const void *);
    PCCERT_CONTEXT (*next)(HCERTSTORE, PCCERT_CONTEXT);
    BOOL (*close)(HCERTSTORE, DWORD);
    DWORD (*error)(void);
    *(void **)&open = named(handle, "CertOpenStore");
    *(void **)&next = named(handle, "CertEnumCertificatesInStore");
    *(void **)&close = named(handle, "CertCloseStore");
    *(void **)&error = named(handle, "PortcullisGetLastError");
    HCERTSTORE store = open(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    CHECK(store != NULL);
    CHECK(next(store, NULL) == NULL && (HRESULT)error() == CRYPT_E_NOT_FOUND);
    CHECK(close(store, CERT_CLOSE_STORE_CHECK_FLAG));
    CHECK(!close(store, 0) && error() == ERROR_INVALID_HANDLE);
}

int main(int count, char **arguments)
{
    MUST(count == 4);
    library = arguments[1];
    int how = RTLD_NOW | (strcmp(arguments[2], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL);
    void *handle = dlopen(library, how);
    if (handle == NULL) {
        CHECK(dlerror() == NULL);
        return check_done();
    }
    INIT_SECURITY_INTERFACE_A init_a;
    INIT_SECURITY_INTERFACE_W init_w;
    PSecurityFunctionTableA (*init_ex_a)(ULONG);
    PSecurityFunctionTableW (*init_ex_w)(ULONG);
    *(void **)&init_a = named(handle, "InitSecurityInterfaceA");
    *(void **)&init_w = named(handle, "InitSecurityInterfaceW");
    *(void **)&init_ex_a = named(handle, "InitSecurityInterfaceExA");
    *(void **)&init_ex_w = named(handle, "InitSecurityInterfaceExW");
    named(handle, "AcceptSecurityContext");
    named(handle, "FreeContextBuffer");
    all_ours(init_a(), "A");
    all_ours(init_w(), "W");
    CHECK(init_ex_a(0) == init_a() && init_ex_w(0) == init_w());
    PSecurityFunctionTableA table = init_a();
    CHECK(table->Reserved3 == *(void **)&table->EncryptMessage && table->Reserved4 == *(void **)&table->DecryptMessage);
    handshake(table);
    certificates(handle);
    CASE("the host's functions");
    unsigned long *hijacked = dlsym(RTLD_DEFAULT, "hijacked");
    bool expected = strcmp(arguments[3], "expected") == 0;
    CHECK((hijacked != NULL) == expected);
    CHECK(hijacked == NULL || *hijacked == 0);
    /* The test tests something: by default the name leads to the host's. */
    Dl_info info;
    void *theirs = dlsym(RTLD_DEFAULT, "AcceptSecurityContext");
    MUST(theirs != NULL && dladdr(theirs, &info) != 0);
    CHECK(strcmp(info.dli_fname, library) != 0);
    return check_done();
}
