/*
 * What a context says of a client whose ticket names an account of Active Directory.
 *
 *     kerberos_account PACKAGE TARGET        KRB5CCNAME: the client's tickets; KRB5_KTNAME: the service's keys
 *
 * Prints a line for each of: name, client, server, authority, dce (RPC_C_AUTHZ_..., the PAC's first number), flags, password
 * and logoff (`never` or `some`), target, level, user, and a line `group SID` for each group; or `refused STATUS CAUSE`.
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>

static CtxtHandle client, server;

static SECURITY_STATUS shaken(const char *package, char *target)
{
    CredHandle initiates, accepts;
    static unsigned char token[48000];
    ULONG granted;
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token}, reply = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out}, answer = {SECBUFFER_VERSION, 1, &reply};
    MUST(STATUS(acquire(package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, &initiates), SEC_E_OK));
    MUST(STATUS(acquire(package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, &accepts), SEC_E_OK));
    ULONG flags = BOTH_WAYS_INITIATE | ISC_REQ_MUTUAL_AUTH;
    MUST(STATUS(InitializeSecurityContextA(&initiates, NULL, target, flags, 0, 0, NULL, 0, &client, &output, &granted, NULL),
                SEC_I_CONTINUE_NEEDED));
    SECURITY_STATUS status = AcceptSecurityContext(&accepts, NULL, &output, BOTH_WAYS_ACCEPT | ASC_REQ_ALLOCATE_MEMORY, 0,
                                                   &server, &answer, &granted, NULL);
    if (status == SEC_E_OK) {
        CHECK((granted & ASC_RET_ALLOCATED_MEMORY) != 0);
        out.cbBuffer = sizeof token;
        STATUS(InitializeSecurityContextA(&initiates, &client, target, flags, 0, 0, &answer, 0, &client, &output, &granted,
                                          NULL),
               SEC_E_OK);
        STATUS(FreeContextBuffer(reply.pvBuffer), SEC_E_OK);
        struct side of_client = {.context = client}, of_server = {.context = server};
        CHECK(tell(&of_client, &of_server, "there") && tell(&of_server, &of_client, "and back"));
    }
    STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
    STATUS(DeleteSecurityContext(&client), SEC_E_OK);
    return status;
}

static void told(const char *what, char *text)
{
    printf("%s %s\n", what, text);
    STATUS(FreeContextBuffer(text), SEC_E_OK);
}

static const char *time_of(TimeStamp time)
{
    return time.QuadPart == 0x7fffffffffffffffLL ? "never" : "some";
}

static void attributes(void)
{
    SecPkgContext_NamesA name;
    SecPkgContext_NativeNamesA native;
    SecPkgContext_AuthorityA authority;
    SecPkgContext_DceInfo dce;
    SecPkgContext_UserFlags flags;
    SecPkgContext_PasswordExpiry password;
    SecPkgContext_LogoffTime logoff;
    SecPkgContext_ClientSpecifiedTarget target;
    PORTCULLIS_BYTES pac;
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_NAMES, &name), SEC_E_OK);
    told("name", name.sUserName);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
    told("client", native.sClientName);
    told("server", native.sServerName);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_AUTHORITY, &authority), SEC_E_OK);
    told("authority", authority.sAuthorityName);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_DCE_INFO, &dce), SEC_E_OK);
    STATUS(QueryContextAttributesA(&server, PORTCULLIS_ATTR_PAC, &pac), SEC_E_OK);
    CHECK(memcmp(dce.pPac, pac.Bytes, pac.Length) == 0);
    printf("dce %u %u\n", (unsigned)dce.AuthzSvc, (unsigned)number_at(pac.Bytes, 0));
    STATUS(FreeContextBuffer(dce.pPac), SEC_E_OK);
    STATUS(FreeContextBuffer(pac.Bytes), SEC_E_OK);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_USER_FLAGS, &flags), SEC_E_OK);
    printf("flags %X\n", (unsigned)flags.UserFlags);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_PASSWORD_EXPIRY, &password), SEC_E_OK);
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_LOGOFF_TIME, &logoff), SEC_E_OK);
    printf("password %s\nlogoff %s\n", time_of(password.tsPasswordExpires), time_of(logoff.tsLogoffTime));
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    printf("target ");
    for (const SEC_WCHAR *at = target.sTargetName; *at != 0; ++at) {
        putchar(*at);
    }
    putchar('\n');
    STATUS(FreeContextBuffer(target.sTargetName), SEC_E_OK);
}

static void account(void)
{
    void *token = NULL;
    PORTCULLIS_TOKEN_INFO *info;
    MUST(STATUS(QuerySecurityContextToken(&server, &token), SEC_E_OK));
    STATUS(PortcullisQueryToken(token, &info), SEC_E_OK);
    printf("level %u\nuser %s\n", (unsigned)info->Level, info->UserSid);
    for (ULONG at = 0; at < info->GroupCount; ++at) {
        printf("group %s\n", info->GroupSids[at]);
    }
    STATUS(FreeContextBuffer(info), SEC_E_OK);
    STATUS(PortcullisCloseToken(token), SEC_E_OK);
    SecPkgContext_AccessToken of_context;
    STATUS(QueryContextAttributesA(&server, SECPKG_ATTR_ACCESS_TOKEN, &of_context), SEC_E_OK);
}

int main(int count, char **arguments)
{
    MUST(count == 3);
    SECURITY_STATUS status = shaken(arguments[1], arguments[2]);
    if (status != SEC_E_OK) {
        printf("refused %08X %s\n", (unsigned)status, cause());
        return check_done();
    }
    attributes();
    account();
    STATUS(DeleteSecurityContext(&server), SEC_E_OK);
    return check_done();
}
