/*
 * A PORTCULLIS_CONFIG that cannot be used lets nobody in: no acceptor's credential, and above all not the mode in which
 * the host brings the secrets. Initiators need no accounts, but what the file says besides.
 *
 *     semantics_config config|store|key      what is unusable: the file, the store that it names, the export key's file
 */
#include "check.h"
#include "talk.h"

int main(int count, char **arguments)
{
    MUST(count == 2);
    bool key_alone = strcmp(arguments[1], "key") == 0, store_alone = strcmp(arguments[1], "store") == 0;
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        CASE("%s: what is unusable: %s", packages[at], arguments[1]);
        CredHandle accepts, both, initiates;
        FILL(accepts);
        SECURITY_STATUS refused = key_alone ? SEC_I_COMPLETE_NEEDED : SEC_E_NO_AUTHENTICATING_AUTHORITY;
        SECURITY_STATUS status = acquire(packages[at], SECPKG_CRED_INBOUND, NULL, NULL, NULL, &accepts);
        STATUS(status, key_alone ? SEC_E_OK : refused);
        if (key_alone) {
            STATUS(FreeCredentialsHandle(&accepts), SEC_E_OK);
        } else {
            UNTOUCHED(accepts);
            STATUS(PortcullisSetAuthority(NULL), SEC_E_OK);
            STATUS(acquire(packages[at], SECPKG_CRED_BOTH, NULL, NULL, NULL, &accepts), refused);
            if (!store_alone) {
                /* A host that chooses the mode by a call has its file's other settings missing all the same. */
                STATUS(PortcullisSetAuthority("none"), SEC_E_OK);
                STATUS(acquire(packages[at], SECPKG_CRED_INBOUND, NULL, NULL, NULL, &accepts), refused);
                STATUS(acquire(packages[at], SECPKG_CRED_INBOUND, ANN, "", ANN_PASSWORD, &accepts), refused);
                STATUS(PortcullisSetAuthority(NULL), SEC_E_OK);
            }
            STATUS(ChangeAccountPasswordA(packages[at], "", ANN, ANN_PASSWORD, "Another-horse 1", FALSE, 0, NULL),
                   refused);
            UNTOUCHED(accepts);
        }
        struct side client;
        STATUS(acquire(packages[at], SECPKG_CRED_OUTBOUND, ANN, "", ANN_PASSWORD, &initiates),
               key_alone || store_alone ? SEC_E_OK : refused);
        if (key_alone || store_alone) {
            client = initiator(&initiates);
            STATUS(leg(&client, NULL, 0), SEC_I_CONTINUE_NEEDED);
            end(&client);
            STATUS(FreeCredentialsHandle(&initiates), SEC_E_OK);
        }
        if (key_alone) {
            both = must_acquire(packages[at], SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
            client = initiator(&both);
            struct side server = acceptor(&both);
            MUST(shake(&client, &server));
            SecBuffer packed;
            FILL(packed);
            STATUS(ExportSecurityContext(&server.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL),
                   SEC_E_CANNOT_PACK);
            UNTOUCHED(packed);
            packed = (SecBuffer){sizeof client.token, SECBUFFER_TOKEN, client.token};
            STATUS(ImportSecurityContextA(packages[at], &packed, NULL, &accepts), SEC_E_CANNOT_PACK);
            CHECK(tell(&client, &server, "it is still here"));
            end(&client);
            end(&server);
            STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
        }
    }
    return check_done();
}
