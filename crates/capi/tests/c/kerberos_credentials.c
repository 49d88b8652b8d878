/*
 * Credentials of Kerberos: where a service's keys and a client's tickets come from, in their order, and what is refused.
 *
 *     kerberos_credentials FOLDER        no PORTCULLIS_CONFIG; FOLDER as tests/kerberos/realm.rs fills it
 */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static SECURITY_STATUS get(const char *principal, const char *package, ULONG use, void *identity, CredHandle *credential)
{
    FILL(*credential);
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(principal, package, use, NULL, identity, NULL, NULL, credential, NULL);
    if (status != SEC_E_OK) {
        UNTOUCHED(*credential);
    }
    return status;
}

static void gone(CredHandle *credential)
{
    STATUS(FreeCredentialsHandle(credential), SEC_E_OK);
}

/* Whom a credential's handshake names; the cause of a refusal. Each time by a new token: alice's tickets are good for many. */
static const char *heard(CredHandle *accepts, const char *package)
{
    static char said[128];
    CredHandle alice = client_of(package, "alice");
    struct side client = initiator(&alice), server = acceptor(accepts);
    leg(&client, NULL, 0);
    answer(&server, &client);
    if (server.status == SEC_E_OK) {
        name_of(&server, said, sizeof said);
    } else {
        snprintf(said, sizeof said, "%s", cause());
    }
    end(&client);
    end(&server);
    gone(&alice);
    return said;
}

static void packages(void)
{
    CASE("the package");
    SecPkgInfoA *all = NULL, *one = NULL;
    ULONG count = 0;
    STATUS(EnumerateSecurityPackagesA(&count, &all), SEC_E_OK);
    CHECK(count == 6);
    TEXT(all[0].Name, "Negotiate");
    TEXT(all[1].Name, "Kerberos");
    TEXT(all[2].Name, "NTLM");
    STATUS(FreeContextBuffer(all), SEC_E_OK);
    STATUS(QuerySecurityPackageInfoA("kerberos", &one), SEC_E_OK);
    TEXT(one->Name, "Kerberos");
    TEXT(one->Comment, "Microsoft Kerberos V1.0");
    CHECK(one->fCapabilities == 0x028F3BBF && one->wVersion == 1 && one->wRPCID == 16 && one->cbMaxToken == 48000);
    STATUS(FreeContextBuffer(one), SEC_E_OK);
}

static void no_keys(void)
{
    CredHandle credential;
    CASE("no key anywhere");
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_BOTH, NULL, &credential), SEC_E_NO_CREDENTIALS);
    CASE("keytabs that are none");
    STATUS(PortcullisSetKeytab("/nonexistent/keytab"), SEC_E_NO_CREDENTIALS);
    STATUS(PortcullisSetKeytab(file("alice")), SEC_E_NO_CREDENTIALS);
    STATUS(PortcullisSetKeytab(file("")), SEC_E_NO_CREDENTIALS);
    STATUS(PortcullisSetKeytab("KEYRING:persistent:0"), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetKeytab(""), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetKeytab("FILE:"), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    CASE("KRB5_KTNAME that is of no use: Negotiate goes on without");
    MUST(setenv("KRB5_KTNAME", "/nonexistent/keytab", 1) == 0);
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    STATUS(get(NULL, "Negotiate", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK);
    gone(&credential);
    MUST(unsetenv("KRB5_KTNAME") == 0);
}

static void sources(void)
{
    CredHandle credential;
    char name[600];
    static union {
        ULONG aligned;
        unsigned char bytes[20000];
    } good, wrong;
    size_t length = packed_keytab(good.bytes, sizeof good, "http.keytab");
    packed_keytab(wrong.bytes, sizeof wrong, "wrong.keytab");

    CASE("KRB5_KTNAME");
    snprintf(name, sizeof name, "FILE:%s", file("http.keytab"));
    MUST(setenv("KRB5_KTNAME", name, 1) == 0);
    for (int at = 0; at < 2; ++at) {
        const char *package = at == 0 ? "Kerberos" : "Negotiate";
        MUST(STATUS(get(NULL, package, SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
        TEXT(heard(&credential, package), ALICE);
        gone(&credential);
    }
    CASE("PortcullisSetKeytab before that");
    STATUS(PortcullisSetKeytab(file("wrong.keytab")), SEC_E_OK);
    MUST(STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Kerberos"), "kerberos/ticket-not-decryptable");
    CASE("a credential keeps what it was acquired with");
    STATUS(PortcullisSetKeytab(file("http.keytab")), SEC_E_OK);
    TEXT(heard(&credential, "Kerberos"), "kerberos/ticket-not-decryptable");
    gone(&credential);
    CASE("one that cannot be used changes nothing");
    STATUS(PortcullisSetKeytab("/nonexistent/keytab"), SEC_E_NO_CREDENTIALS);
    MUST(STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Kerberos"), ALICE);
    gone(&credential);
    CASE("a keytab in the identity before that");
    MUST(STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, &wrong, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Kerberos"), "kerberos/ticket-not-decryptable");
    gone(&credential);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
    MUST(unsetenv("KRB5_KTNAME") == 0);
    for (int at = 0; at < 2; ++at) {
        const char *package = at == 0 ? "Kerberos" : "Negotiate";
        MUST(STATUS(get(NULL, package, SECPKG_CRED_INBOUND, &good, &credential), SEC_E_OK));
        TEXT(heard(&credential, package), ALICE);
        gone(&credential);
    }
    CASE("a keytab that breaks off, of which nothing else takes the place");
    STATUS(PortcullisSetKeytab(file("http.keytab")), SEC_E_OK);
    SEC_WINNT_AUTH_PACKED_CREDENTIALS *packed = (void *)(good.bytes + sizeof(SEC_WINNT_AUTH_IDENTITY_EX2));
    for (USHORT cut = 1; cut < 64; cut += 9) {
        packed->AuthData.CredData.ByteArrayLength = (USHORT)(length - sizeof(SEC_WINNT_AUTH_IDENTITY_EX2) -
                                                             sizeof *packed - cut);
        STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, &good, &credential), SEC_E_NO_CREDENTIALS);
        STATUS(get(NULL, "Negotiate", SECPKG_CRED_INBOUND, &good, &credential), SEC_E_NO_CREDENTIALS);
    }
    packed->AuthData.CredData.ByteArrayLength = 0xffff;
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, &good, &credential), SEC_E_INVALID_PARAMETER);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
}

/* SEC_WINPR_KERBEROS_SETTINGS, and the identity of FreeRDP 3's hosts. */
struct kerberos_settings {
    const char *kdc, *keytab, *cache, *armor, *anchors, *identity;
    int32_t pac, start, renew, life;
    unsigned char certificate[20];
};

struct winpr_identity {
    SEC_WINNT_AUTH_IDENTITY_EXW identity;
    void *ntlm;
    struct kerberos_settings *kerberos;
};

static void winpr(void)
{
    CredHandle credential;
    struct kerberos_settings settings = {.keytab = file("http.keytab")};
    struct winpr_identity identity = {
        .identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION, .Length = sizeof(SEC_WINNT_AUTH_IDENTITY_EXW),
                     .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | 0x100},
        .kerberos = &settings,
    };
    CASE("the keytab of WinPR's settings");
    MUST(STATUS(get(NULL, "Negotiate", SECPKG_CRED_INBOUND, &identity, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Negotiate"), ALICE);
    gone(&credential);
    settings.keytab = file("missing");
    STATUS(get(NULL, "Negotiate", SECPKG_CRED_INBOUND, &identity, &credential), SEC_E_NO_CREDENTIALS);
    CASE("their credential cache");
    settings = (struct kerberos_settings){.cache = file("alice")};
    SecPkgCredentials_NamesA names;
    MUST(STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_OK));
    STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    TEXT(names.sUserName, ALICE);
    STATUS(FreeContextBuffer(names.sUserName), SEC_E_OK);
    gone(&credential);
    settings.cache = "KCM:0";
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_NO_CREDENTIALS);
}

static void services(void)
{
    CredHandle credential;
    SecPkgCredentials_NamesA names;
    STATUS(PortcullisSetKeytab(file("many.keytab")), SEC_E_OK);
    CASE("any service that there is a key of");
    MUST(STATUS(get(NULL, "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Kerberos"), ALICE);
    gone(&credential);
    CASE("the service that is named");
    static const char *const RIGHT[] = {TARGET, SERVICE, "http/WEB1.corp.example",
                                        ("ldap/web1.corp.example, " TARGET)};
    for (int at = 0; at < 4; ++at) {
        MUST(STATUS(get(RIGHT[at], "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
        STATUS(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
        TEXT(names.sUserName, RIGHT[at]);
        STATUS(FreeContextBuffer(names.sUserName), SEC_E_OK);
        TEXT(heard(&credential, "Kerberos"), ALICE);
        gone(&credential);
    }
    CASE("another service");
    MUST(STATUS(get("ldap/web1.corp.example", "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_OK));
    TEXT(heard(&credential, "Kerberos"), "kerberos/service-not-ours");
    gone(&credential);
    CASE("a service without a key");
    STATUS(get("nfs/web1.corp.example", "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    STATUS(get(TARGET "@ELSEWHERE.EXAMPLE", "Kerberos", SECPKG_CRED_INBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
}

/* A time of the library, which is local. */
static double hours_from_now(TimeStamp stamp)
{
    time_t now = time(NULL);
    struct tm parts;
    MUST(localtime_r(&now, &parts) != NULL);
    long long local = ((long long)now + parts.tm_gmtoff + 11644473600LL) * 10000000;
    return (double)(stamp.QuadPart - local) / 36e9;
}

static void clients(void)
{
    CredHandle credential;
    SecPkgCredentials_NamesW wide_names;
    SEC_WINNT_AUTH_IDENTITY_A identity = {.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    CASE("no tickets");
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    STATUS(get(NULL, "Negotiate", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    static const char *const BAD[] = {"/nonexistent/cache", "KEYRING:here", "MEMORY:", "DIR:/tmp", ""};
    for (int at = 0; at < 5; ++at) {
        MUST(setenv("KRB5CCNAME", BAD[at], 1) == 0);
        STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    }
    tickets_are("http.keytab");
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    CASE("tickets, and when they end");
    tickets_are("alice");
    TimeStamp expiry;
    MUST(STATUS(AcquireCredentialsHandleA(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential,
                                          &expiry),
                SEC_E_OK));
    CHECK(hours_from_now(expiry) > 8 && hours_from_now(expiry) < 11);
    STATUS(QueryCredentialsAttributesW(&credential, SECPKG_CRED_ATTR_NAMES, &wide_names), SEC_E_OK);
    CHECK(wide_is(wide_names.sUserName, ALICE));
    STATUS(FreeContextBuffer(wide_names.sUserName), SEC_E_OK);
    STATUS(SetCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, &expiry, sizeof expiry),
           SEC_E_UNSUPPORTED_FUNCTION);
    gone(&credential);
    CASE("whose tickets they must be");
    STATUS(get("alice", "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_OK);
    gone(&credential);
    STATUS(get("ALICE@mit.example", "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_OK);
    gone(&credential);
    STATUS(get("ben", "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_NO_CREDENTIALS);
    identity.User = (unsigned char *)"alice";
    identity.UserLength = 5;
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_OK);
    gone(&credential);
    identity.Domain = (unsigned char *)"MIT";
    identity.DomainLength = 3;
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_OK);
    gone(&credential);
    identity.Domain = (unsigned char *)"ELSEWHERE";
    identity.DomainLength = 9;
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_NO_CREDENTIALS);
    CASE("an identity of empty strings is nobody, which Kerberos has not");
    identity = (SEC_WINNT_AUTH_IDENTITY_A){.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, &credential), SEC_E_NO_CREDENTIALS);
    CASE("a credential of Kerberos holds one client");
    STATUS(get(NULL, "Kerberos", SECPKG_CRED_OUTBOUND, NULL, &credential), SEC_E_OK);
    STATUS(AddCredentialsA(&credential, NULL, "Kerberos", SECPKG_CRED_OUTBOUND, &identity, NULL, NULL, NULL),
           SEC_E_UNSUPPORTED_FUNCTION);
    gone(&credential);
    tickets_are(NULL);
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    folder_is(arguments[1]);
    MUST(unsetenv("KRB5CCNAME") == 0 && unsetenv("KRB5_KTNAME") == 0);
    packages();
    no_keys();
    sources();
    winpr();
    services();
    clients();
    return check_done();
}
