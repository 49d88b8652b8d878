/*
 * ChangeAccountPassword against a store: who knows the old password sets a new one, by the store's rules; and wrong old
 * ones count as wrong logons do.
 *
 *     semantics_password DATA [short]        `short` leaves the counting out
 */
#include "check.h"
#include "talk.h"

#include <stdio.h>

static const char *package;
static CredHandle accepts;

static SECURITY_STATUS log_on(const char *user, const char *password)
{
    CredHandle initiates = must_acquire(package, SECPKG_CRED_OUTBOUND, user, password);
    struct side client = initiator(&initiates), server = acceptor(&accepts);
    shake_but_last(&client, &server);
    SECURITY_STATUS status = answer(&server, &client);
    end(&client);
    end(&server);
    FreeCredentialsHandle(&initiates);
    return status;
}

#define RESTRICTED ((SECURITY_STATUS)0xC000006C)

static void passwords(void)
{
    struct {
        USHORT least, history;
        ULONG properties;
        LONGLONG most_age, least_age;
    } rules;
    SecBuffer buffer = {sizeof rules, SECBUFFER_CHANGE_PASS_RESPONSE, &rules};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer};
#define CHANGE(account, old, new) ChangeAccountPasswordA(package, "", account, old, new, FALSE, 0, &output)
    CASE("%s: a new password", package);
    STATUS(CHANGE(BEN, BEN_PASSWORD, "Another-staple 1"), SEC_E_OK);
    CHECK(rules.least == 8 && rules.history == 0 && rules.properties == 0 && rules.least_age == 0);
    STATUS(log_on(BEN, BEN_PASSWORD), SEC_E_LOGON_DENIED);
    STATUS(log_on(BEN, "Another-staple 1"), SEC_E_OK);
    STATUS(ChangeAccountPasswordW(wide(package), wide("CORP"), wide(BEN), wide("Another-staple 1"), wide(BEN_PASSWORD),
                                  FALSE, 0, NULL),
           SEC_E_OK);
    STATUS(log_on(BEN, BEN_PASSWORD), SEC_E_OK);
    CASE("%s: passwords that are not taken", package);
    FILL(rules);
    STATUS(CHANGE(BEN, BEN_PASSWORD, "short"), RESTRICTED);
    CHECK(rules.least == 8);
    STATUS(CHANGE(BEN, BEN_PASSWORD, ""), RESTRICTED);
    STATUS(CHANGE(BEN, "Another-staple 1", "Another-staple 2"), SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/wrong-proof");
    STATUS(CHANGE("nobody", BEN_PASSWORD, "Another-staple 2"), SEC_E_LOGON_DENIED);
    STATUS(CHANGE(BEN, BEN_PASSWORD, NULL), SEC_E_INVALID_PARAMETER);
    STATUS(CHANGE(NULL, BEN_PASSWORD, "Another-staple 2"), SEC_E_INVALID_PARAMETER);
    STATUS(CHANGE("", BEN_PASSWORD, "Another-staple 2"), SEC_E_INVALID_PARAMETER);
    STATUS(ChangeAccountPasswordA("WDigest", "", BEN, BEN_PASSWORD, "Another-staple 2", FALSE, 0, NULL),
           SEC_E_SECPKG_NOT_FOUND);
    STATUS(ChangeAccountPasswordA("Kerberos", "", BEN, BEN_PASSWORD, "Another-staple 2", FALSE, 0, NULL),
           SEC_E_UNSUPPORTED_FUNCTION);
    FILL(rules);
    buffer.cbBuffer = sizeof rules - 1;
    STATUS(CHANGE(BEN, BEN_PASSWORD, "Another-staple 2"), SEC_E_BUFFER_TOO_SMALL);
    UNTOUCHED(rules);
    STATUS(log_on(BEN, BEN_PASSWORD), SEC_E_OK);
    CASE("%s: the rules in memory of the library's", package);
    buffer = (SecBuffer){0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    STATUS(CHANGE(BEN, BEN_PASSWORD, "short"), RESTRICTED);
    CHECK(buffer.cbBuffer == sizeof rules && buffer.pvBuffer != NULL);
    STATUS(FreeContextBuffer(buffer.pvBuffer), SEC_E_OK);
#undef CHANGE
}

/* Who must change the password cannot log on with it, and can change it. */
static void must_change(void)
{
    CASE("a password that must be changed");
    STATUS(log_on(EVE, EVE_PASSWORD), SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/must-change");
    STATUS(ChangeAccountPasswordA(package, "", EVE, "Initial-secret 2", "Chosen-secret 1", FALSE, 0, NULL),
           SEC_E_LOGON_DENIED);
    STATUS(ChangeAccountPasswordA(package, NULL, "CORP\\eve", EVE_PASSWORD, "Chosen-secret 1", FALSE, 0, NULL),
           SEC_E_OK);
    STATUS(log_on(EVE, "Chosen-secret 1"), SEC_E_OK);
}

/* Wrong old passwords count as wrong logons do: in the end the right one does not help. */
static void counted(void)
{
    CASE("wrong old passwords are counted");
    int tries = 0;
    while (tries < 200 && strcmp(cause(), "account/locked") != 0) {
        ++tries;
        STATUS(ChangeAccountPasswordA(package, "", EVE, "wrong", "Chosen-secret 2", FALSE, 0, NULL),
               SEC_E_LOGON_DENIED);
    }
    CHECK(tries > 1 && tries < 200);
    STATUS(ChangeAccountPasswordA(package, "", EVE, "Chosen-secret 1", "Chosen-secret 2", FALSE, 0, NULL),
           SEC_E_LOGON_DENIED);
    TEXT(cause(), "account/locked");
    STATUS(log_on(EVE, "Chosen-secret 1"), SEC_E_LOGON_DENIED);
}

int main(int count, char **arguments)
{
    char source[512];
    MUST(count >= 2);
    bool brief = count == 3;
    STATUS(ChangeAccountPasswordA("NTLM", "", BEN, BEN_PASSWORD, "Another-staple 1", FALSE, 0, NULL),
           SEC_E_NO_AUTHENTICATING_AUTHORITY);
    snprintf(source, sizeof source, "sqlite:%s", arguments[1]);
    MUST(STATUS(PortcullisSetAuthority(source), SEC_E_OK));
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2 - brief; ++at) {
        package = packages[at];
        accepts = must_acquire(package, SECPKG_CRED_INBOUND, NULL, NULL);
        passwords();
        if (at == 0) {
            must_change();
            if (!brief) {
                counted();
            }
        }
        STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
    }
    return check_done();
}
