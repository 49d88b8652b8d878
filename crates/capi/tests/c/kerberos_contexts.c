/*
 * What a context of Kerberos answers, what a client forwards, its export, Negotiate around it, and tickets that are renewed.
 *
 *     kerberos_contexts FOLDER        PORTCULLIS_CONFIG names a key for exports; FOLDER as tests/kerberos/realm.rs fills it
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "realm.h"

#include <stdio.h>
#include <stdlib.h>

static struct side client, server;

static void established(CredHandle *initiates, CredHandle *accepts, ULONG flags)
{
    client = initiator(initiates);
    server = acceptor(accepts);
    client.wants |= ISC_REQ_MUTUAL_AUTH | flags;
    MUST(shake(&client, &server));
}

static void ended(void)
{
    end(&client);
    end(&server);
}

static SECURITY_STATUS query(struct side *side, ULONG attribute, void *value)
{
    return QueryContextAttributesA(&side->context, attribute, value);
}

static void free_text(const char *found, const char *expected)
{
    TEXT(found, expected);
    STATUS(FreeContextBuffer((void *)found), SEC_E_OK);
}

static void names(const char *package)
{
    CASE("%s: names", package);
    SecPkgContext_NamesA name;
    SecPkgContext_NativeNamesA native;
    SecPkgContext_DceInfo dce;
    SecPkgContext_AuthorityA authority;
    SecPkgContext_ClientSpecifiedTarget target;
    for (int which = 0; which < 2; ++which) {
        struct side *side = which == 0 ? &client : &server;
        STATUS(query(side, SECPKG_ATTR_NAMES, &name), SEC_E_OK);
        free_text(name.sUserName, ALICE);
        STATUS(query(side, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
        free_text(native.sClientName, ALICE);
        free_text(native.sServerName, SERVICE);
        STATUS(query(side, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
        CHECK(wide_is(target.sTargetName, TARGET));
        STATUS(FreeContextBuffer(target.sTargetName), SEC_E_OK);
    }
    CASE("%s: whose realm's KDC it was that judged", package);
    STATUS(query(&server, SECPKG_ATTR_AUTHORITY, &authority), SEC_E_OK);
    free_text(authority.sAuthorityName, REALM);
    STATUS(query(&client, SECPKG_ATTR_AUTHORITY, &authority), SEC_E_UNSUPPORTED_FUNCTION);
    CASE("%s: the PAC of MIT's KDC, and of nobody", package);
    STATUS(query(&server, SECPKG_ATTR_DCE_INFO, &dce), SEC_E_OK);
    PORTCULLIS_BYTES pac;
    MUST(STATUS(query(&server, PORTCULLIS_ATTR_PAC, &pac), SEC_E_OK));
    CHECK(dce.AuthzSvc == RPC_C_AUTHZ_DCE && memcmp(dce.pPac, pac.Bytes, pac.Length) == 0);
    CHECK(pac.Length > 8 && number_at(pac.Bytes, 0) >= 3 && number_at(pac.Bytes, 4) == 0);
    STATUS(FreeContextBuffer(dce.pPac), SEC_E_OK);
    STATUS(FreeContextBuffer(pac.Bytes), SEC_E_OK);
    STATUS(query(&client, SECPKG_ATTR_DCE_INFO, &dce), SEC_E_OK);
    CHECK(dce.AuthzSvc == RPC_C_AUTHZ_NAME);
    free_text(dce.pPac, ALICE);
    STATUS(query(&client, PORTCULLIS_ATTR_PAC, &pac), SEC_E_UNSUPPORTED_FUNCTION);
}

static void numbers(const char *package)
{
    CASE("%s: times, keys, flags", package);
    SecPkgContext_Lifespan life;
    SecPkgContext_KeyInfoA key;
    SecPkgContext_SessionKey session[2];
    SecPkgContext_Flags flags;
    SecPkgContext_UserFlags user = {7};
    SecPkgContext_LastClientTokenStatus last;
    SecPkgContext_PasswordExpiry password;
    SecPkgContext_LogoffTime logoff;
    BOOLEAN loopback = 7;
    for (int which = 0; which < 2; ++which) {
        struct side *side = which == 0 ? &client : &server;
        STATUS(query(side, SECPKG_ATTR_LIFESPAN, &life), SEC_E_OK);
        CHECK(life.tsExpiry.QuadPart == side->expiry.QuadPart && life.tsStart.QuadPart < life.tsExpiry.QuadPart);
        /* The two sides agree on a better one than the ticket's (RFC 4537): etype 20, and its checksum. */
        STATUS(query(side, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
        CHECK(key.KeySize == 256 && key.EncryptAlgorithm == 20 && key.SignatureAlgorithm == 20);
        free_text(key.sSignatureAlgorithmName, "HMAC-SHA384-192");
        free_text(key.sEncryptAlgorithmName, "AES-256-CTS-HMAC-SHA384-192");
        STATUS(query(side, SECPKG_ATTR_SESSION_KEY, &session[which]), SEC_E_OK);
        CHECK(session[which].SessionKeyLength == 32);
        STATUS(query(side, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
        CHECK((flags.Flags | 0x100) == (side->granted | 0x100));
        STATUS(query(side, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last), SEC_E_OK);
        CHECK(last.LastClientTokenStatus == SecPkgAttrLastClientTokenYes);
        STATUS(query(side, SECPKG_ATTR_IS_LOOPBACK, &loopback), SEC_E_OK);
        CHECK(loopback == 0);
        STATUS(query(side, SECPKG_ATTR_STREAM_SIZES, &key), SEC_E_UNSUPPORTED_FUNCTION);
    }
    CHECK(memcmp(session[0].SessionKey, session[1].SessionKey, 32) == 0);
    STATUS(FreeContextBuffer(session[0].SessionKey), SEC_E_OK);
    STATUS(FreeContextBuffer(session[1].SessionKey), SEC_E_OK);
    STATUS(query(&server, SECPKG_ATTR_USER_FLAGS, &user), SEC_E_OK);
    CHECK(user.UserFlags == 0);
    STATUS(query(&server, SECPKG_ATTR_PASSWORD_EXPIRY, &password), SEC_E_OK);
    STATUS(query(&server, SECPKG_ATTR_LOGOFF_TIME, &logoff), SEC_E_OK);
    CHECK(password.tsPasswordExpires.QuadPart == 0x7fffffffffffffffLL &&
          logoff.tsLogoffTime.QuadPart == 0x7fffffffffffffffLL);
    CASE("%s: the package", package);
    SecPkgContext_PackageInfoA info;
    STATUS(query(&server, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
    TEXT(info.PackageInfo->Name, package);
    STATUS(FreeContextBuffer(info.PackageInfo), SEC_E_OK);
    CASE("%s: a principal has no SID, and so no token", package);
    void *token;
    FILL(token);
    STATUS(QuerySecurityContextToken(&server.context, &token), SEC_E_NO_IMPERSONATION);
    UNTOUCHED(token);
    STATUS(query(&server, SECPKG_ATTR_ACCESS_TOKEN, &token), SEC_E_UNSUPPORTED_FUNCTION);
    UNTOUCHED(token);
    STATUS(ImpersonateSecurityContext(&server.context), SEC_E_NO_IMPERSONATION);
    CASE("%s: room that is told", package);
    SecPkgContext_SessionKey room;
    FILL(room);
    STATUS(QueryContextAttributesExA(&server.context, PORTCULLIS_ATTR_PAC, &room, sizeof room - 1), SEC_E_BUFFER_TOO_SMALL);
    STATUS(QueryContextAttributesA(&server.context, PORTCULLIS_ATTR_PAC, NULL), SEC_E_INVALID_PARAMETER);
    UNTOUCHED(room);
}

/* Without an answer of the server's the key is the client's, of the ticket's session. */
static void keys_of_the_ticket(CredHandle *accepts)
{
    static const struct {
        const char *cache, *signature, *encryption;
        ULONG bits, signature_id, encryption_id;
    } ROWS[] = {
        {"alice", "HMAC-SHA1-96", "AES-256-CTS-HMAC-SHA1-96", 256, KERB_CHECKSUM_HMAC_SHA1_96_AES256,
         KERB_ETYPE_AES256_CTS_HMAC_SHA1_96},
        {"aes128", "HMAC-SHA1-96", "AES-128-CTS-HMAC-SHA1-96", 128, KERB_CHECKSUM_HMAC_SHA1_96_AES128,
         KERB_ETYPE_AES128_CTS_HMAC_SHA1_96},
        {"camellia", "CMAC", "CAMELLIA-128-CTS-CMAC", 128, 17, 25},
    };
    for (size_t at = 0; at < sizeof ROWS / sizeof *ROWS; ++at) {
        CASE("keys of %s", ROWS[at].cache);
        CredHandle initiates = client_of("Kerberos", ROWS[at].cache);
        client = initiator(&initiates);
        server = acceptor(accepts);
        MUST(shake(&client, &server));
        SecPkgContext_KeyInfoA key;
        STATUS(query(&server, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
        CHECK(key.KeySize == ROWS[at].bits && key.SignatureAlgorithm == ROWS[at].signature_id &&
              key.EncryptAlgorithm == ROWS[at].encryption_id);
        free_text(key.sSignatureAlgorithmName, ROWS[at].signature);
        free_text(key.sEncryptAlgorithmName, ROWS[at].encryption);
        ended();
        STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    }
}

static void half_open(CredHandle *initiates, CredHandle *accepts)
{
    CASE("half-open contexts answer what the package is");
    SecPkgContext_PackageInfoA info;
    PORTCULLIS_BYTES bytes;
    client = initiator(initiates);
    server = acceptor(accepts);
    client.wants |= ISC_REQ_USE_DCE_STYLE;
    leg(&client, NULL, 0);
    STATUS(answer(&server, &client), SEC_I_CONTINUE_NEEDED);
    for (int which = 0; which < 2; ++which) {
        struct side *side = which == 0 ? &client : &server;
        STATUS(query(side, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
        TEXT(info.PackageInfo->Name, "Kerberos");
        STATUS(FreeContextBuffer(info.PackageInfo), SEC_E_OK);
        STATUS(query(side, SECPKG_ATTR_NAMES, &info), SEC_E_INVALID_HANDLE);
        STATUS(query(side, PORTCULLIS_ATTR_PAC, &bytes), SEC_E_INVALID_HANDLE);
    }
    ended();
}

static void delegated(CredHandle *initiates, CredHandle *accepts)
{
    PORTCULLIS_BYTES cache;
    CASE("no ticket was forwarded");
    established(initiates, accepts, 0);
    CHECK((client.granted & ISC_RET_DELEGATE) == 0 && (server.granted & ASC_RET_DELEGATE) == 0);
    STATUS(query(&server, PORTCULLIS_ATTR_DELEGATED_CREDENTIALS, &cache), SEC_E_UNSUPPORTED_FUNCTION);
    ended();
    CASE("a forwarded ticket");
    established(initiates, accepts, ISC_REQ_DELEGATE);
    CHECK((client.granted & ISC_RET_DELEGATE) != 0 && (server.granted & ASC_RET_DELEGATE) != 0);
    MUST(STATUS(query(&server, PORTCULLIS_ATTR_DELEGATED_CREDENTIALS, &cache), SEC_E_OK));
    STATUS(query(&client, PORTCULLIS_ATTR_DELEGATED_CREDENTIALS, &cache), SEC_E_UNSUPPORTED_FUNCTION);
    write_file("delegated", cache.Bytes, cache.Length);
    STATUS(FreeContextBuffer(cache.Bytes), SEC_E_OK);
    CHECK(tell(&client, &server, "beside it"));
    ended();
    /* The test that runs this has klist look at it too. */
    CredHandle onward = client_of("Kerberos", "delegated");
    SecPkgCredentials_NamesA name;
    STATUS(QueryCredentialsAttributesA(&onward, SECPKG_CRED_ATTR_NAMES, &name), SEC_E_OK);
    free_text(name.sUserName, ALICE);
    client = initiator(&onward);
    STATUS(leg(&client, NULL, 0), SEC_E_NO_CREDENTIALS);
    TEXT(cause(), "kerberos/no-ticket");
    STATUS(FreeCredentialsHandle(&onward), SEC_E_OK);
}

/* The same side, with its context from an export. */
static struct side moved(const char *package, struct side *side, ULONG flags)
{
    struct side there = *side;
    SecBuffer packed = {0};
    MUST(STATUS(ExportSecurityContext(&side->context, flags, &packed, NULL), SEC_E_OK));
    MUST(STATUS(ImportSecurityContextA(package, &packed, NULL, &there.context), SEC_E_OK));
    STATUS(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    return there;
}

static void transferred(const char *package, CredHandle *initiates, CredHandle *accepts)
{
    char name[64];
    CASE("%s: exported and imported", package);
    established(initiates, accepts, ISC_REQ_DELEGATE);
    CHECK(tell(&client, &server, "before") && tell(&server, &client, "before, back"));
    struct side there = moved(package, &server, SECPKG_CONTEXT_EXPORT_DELETE_OLD);
    name_of(&there, name, sizeof name);
    TEXT(name, ALICE);
    CHECK(tell(&client, &there, "goes on there") && tell(&there, &client, "and back"));
    SecPkgContext_NativeNamesA native;
    STATUS(query(&there, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
    free_text(native.sClientName, ALICE);
    free_text(native.sServerName, SERVICE);
    struct side here = moved(package, &client, 0);
    CHECK(tell(&here, &there, "the client too") && tell(&there, &here, "and back"));
    end(&here);
    end(&there);
    end(&client);
    STATUS(DeleteSecurityContext(&server.context), SEC_E_OK);
}

static void chosen(struct side *side, const char *mechanism, ULONG state)
{
    SecPkgContext_NegotiationInfoA info;
    STATUS(query(side, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    TEXT(info.PackageInfo->Name, mechanism);
    CHECK(info.NegotiationState == state);
    STATUS(FreeContextBuffer(info.PackageInfo), SEC_E_OK);
}

static CredHandle listed(const char *list, ULONG use, const char *user, const char *password)
{
    CredHandle credential;
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof identity,
        .User = (unsigned char *)user,
        .UserLength = user == NULL ? 0 : (ULONG)strlen(user),
        .Password = (unsigned char *)password,
        .PasswordLength = password == NULL ? 0 : (ULONG)strlen(password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)list,
        .PackageListLength = (ULONG)strlen(list),
    };
    MUST(STATUS(AcquireCredentialsHandleA(NULL, "Negotiate", use, NULL, &identity, NULL, NULL, &credential, NULL), SEC_E_OK));
    return credential;
}

static void negotiated(void)
{
    CredHandle accepts = service("Negotiate", "http.keytab"), initiates = client_of("Negotiate", "alice");
    CASE("Negotiate takes Kerberos where there are tickets");
    client = initiator(&initiates);
    server = acceptor(&accepts);
    client.wants |= ISC_REQ_MUTUAL_AUTH;
    leg(&client, NULL, 0);
    SecPkgContext_NegotiationInfoA info;
    STATUS(query(&client, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    CHECK(info.NegotiationState == SECPKG_NEGOTIATION_IN_PROGRESS);
    STATUS(FreeContextBuffer(info.PackageInfo), SEC_E_OK);
    STATUS(answer(&server, &client), SEC_E_OK);
    CHECK(server.length > 0);
    STATUS(answer(&client, &server), SEC_E_OK);
    for (int which = 0; which < 2; ++which) {
        struct side *side = which == 0 ? &client : &server;
        chosen(side, "Kerberos", SECPKG_NEGOTIATION_COMPLETE);
        SecPkgContext_NegoPackageInfo left_out;
        STATUS(query(side, SECPKG_ATTR_NEGO_PKG_INFO, &left_out), SEC_E_OK);
        CHECK(left_out.PackageMask == SECPKG_ATTR_NEGO_INFO_FLAG_NO_NTLM);
    }
    names("Negotiate");
    numbers("Negotiate");
    ended();
    transferred("Negotiate", &initiates, &accepts);

    CASE("Kerberos' own tokens at Negotiate");
    CredHandle bare = client_of("Kerberos", "alice");
    client = initiator(&bare);
    server = acceptor(&accepts);
    MUST(shake(&client, &server));
    chosen(&server, "Kerberos", SECPKG_NEGOTIATION_DIRECT);
    CHECK(tell(&client, &server, "without a frame"));
    ended();
    STATUS(FreeCredentialsHandle(&bare), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);

    CASE("a service that Kerberos is not allowed for");
    STATUS(PortcullisSetKeytab(file("http.keytab")), SEC_E_OK);
    CredHandle without = listed("!kerberos", SECPKG_CRED_INBOUND, NULL, NULL);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
    initiates = client_of("Negotiate", "alice");
    client = initiator(&initiates);
    server = acceptor(&without);
    leg(&client, NULL, 0);
    FAILS(answer(&server, &client));
    TEXT(cause(), "negotiate/no-common-mechanism");
    end(&client);
    STATUS(FreeCredentialsHandle(&without), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);

    CASE("one account is let in, and no ticket in its place");
    STATUS(PortcullisSetKeytab(file("http.keytab")), SEC_E_OK);
    CredHandle one = must_acquire("Negotiate", SECPKG_CRED_INBOUND, ANN, ANN_PASSWORD);
    STATUS(PortcullisSetKeytab(NULL), SEC_E_OK);
    initiates = client_of("Negotiate", "alice");
    client = initiator(&initiates);
    server = acceptor(&one);
    leg(&client, NULL, 0);
    FAILS(answer(&server, &client));
    end(&client);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);

    CASE("an identity beside another's tickets: NTLM alone");
    tickets_are("alice");
    CredHandle ann = must_acquire("Negotiate", SECPKG_CRED_OUTBOUND, ANN, ANN_PASSWORD);
    client = initiator(&ann);
    server = acceptor(&one);
    MUST(shake(&client, &server));
    chosen(&server, "NTLM", SECPKG_NEGOTIATION_DIRECT);
    ended();
    STATUS(FreeCredentialsHandle(&ann), SEC_E_OK);
    CASE("an identity beside its own tickets: Kerberos first, and NTLM where that cannot be");
    CredHandle both = must_acquire("Negotiate", SECPKG_CRED_OUTBOUND, "alice", "Some-password 1");
    CredHandle of_alice = must_acquire("Negotiate", SECPKG_CRED_INBOUND, "alice", "Some-password 1");
    tickets_are(NULL);
    client = initiator(&both);
    server = acceptor(&accepts);
    MUST(shake(&client, &server));
    chosen(&server, "Kerberos", SECPKG_NEGOTIATION_COMPLETE);
    ended();
    client = initiator(&both);
    server = acceptor(&of_alice);
    MUST(shake(&client, &server));
    chosen(&server, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    CHECK(tell(&client, &server, "by the other mechanism"));
    ended();
    CASE("Kerberos alone");
    tickets_are("alice");
    CredHandle only = listed("Kerberos", SECPKG_CRED_OUTBOUND, "alice", "Some-password 1");
    tickets_are(NULL);
    client = initiator(&only);
    server = acceptor(&of_alice);
    leg(&client, NULL, 0);
    FAILS(answer(&server, &client));
    end(&client);
    CredHandle *all[] = {&both, &of_alice, &only, &one, &accepts};
    for (int at = 0; at < 5; ++at) {
        STATUS(FreeCredentialsHandle(all[at]), SEC_E_OK);
    }
}

static void renewed(CredHandle *accepts)
{
    static unsigned char bytes[65536];
    CASE("tickets that come later into the same file");
    write_file("renewed", bytes, read_file("bare", bytes, sizeof bytes));
    CredHandle initiates = client_of("Kerberos", "renewed");
    client = initiator(&initiates);
    STATUS(leg(&client, NULL, 0), SEC_E_NO_CREDENTIALS);
    TEXT(cause(), "kerberos/no-ticket");
    write_file("renewed", bytes, read_file("alice", bytes, sizeof bytes));
    client = initiator(&initiates);
    server = acceptor(accepts);
    MUST(shake(&client, &server));
    CHECK(tell(&client, &server, "by the new ticket"));
    ended();
    CASE("another's tickets in their place are not taken");
    write_file("renewed", bytes, read_file("bob", bytes, sizeof bytes));
    client = initiator(&initiates);
    server = acceptor(accepts);
    MUST(shake(&client, &server));
    char name[64];
    name_of(&server, name, sizeof name);
    TEXT(name, ALICE);
    ended();
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    CASE("a keytab that gets the right keys");
    write_file("changing.keytab", bytes, read_file("wrong.keytab", bytes, sizeof bytes));
    CredHandle changing = service("Kerberos", "changing.keytab"), alice = client_of("Kerberos", "alice");
    client = initiator(&alice);
    server = acceptor(&changing);
    leg(&client, NULL, 0);
    STATUS(answer(&server, &client), SEC_E_LOGON_DENIED);
    end(&client);
    write_file("changing.keytab", bytes, read_file("http.keytab", bytes, sizeof bytes));
    client = initiator(&alice);
    server = acceptor(&changing);
    MUST(shake(&client, &server));
    ended();
    STATUS(FreeCredentialsHandle(&changing), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&alice), SEC_E_OK);
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    folder_is(arguments[1]);
    MUST(unsetenv("KRB5CCNAME") == 0 && unsetenv("KRB5_KTNAME") == 0);
    CredHandle accepts = service("Kerberos", "http.keytab"), alice = client_of("Kerberos", "alice");
    established(&alice, &accepts, 0);
    names("Kerberos");
    numbers("Kerberos");
    SecPkgContext_NegotiationInfoA info;
    STATUS(query(&server, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_UNSUPPORTED_FUNCTION);
    ended();
    keys_of_the_ticket(&accepts);
    half_open(&alice, &accepts);
    delegated(&alice, &accepts);
    transferred("Kerberos", &alice, &accepts);
    negotiated();
    renewed(&accepts);
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&alice), SEC_E_OK);
    return check_done();
}
