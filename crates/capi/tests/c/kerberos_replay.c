/*
 * A token that one process makes and others take.
 *
 *     kerberos_replay make FILE        the client's token; KRB5CCNAME
 *     kerberos_replay take FILE        the service, by PORTCULLIS_CONFIG
 *
 * `take` prints the status, and the cause of a refusal.
 */
#include "check.h"
#include "realm.h"

#include <netinet/in.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    MUST(count == 3);
    CredHandle credential;
    bool takes = strcmp(arguments[1], "take") == 0;
    folder_is(".");
    MUST(STATUS(acquire("Kerberos", takes ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, &credential),
                SEC_E_OK));
    if (takes) {
        static unsigned char token[16384];
        struct side server = acceptor(&credential);
        size_t length = read_file(arguments[2], token, sizeof token);
        struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(4711), .sin_addr.s_addr = htonl(0xC0000207)};
        STATUS(PortcullisSetPeerAddress(NULL, (struct sockaddr *)&peer, sizeof peer), SEC_E_OK);
        SECURITY_STATUS status = leg(&server, token, (ULONG)length);
        printf("%08X %s\n", (unsigned)status, status == SEC_E_OK ? "" : cause());
        end(&server);
    } else {
        struct side client = initiator(&credential);
        MUST(STATUS(leg(&client, NULL, 0), SEC_E_OK));
        write_file(arguments[2], client.token, client.length);
        end(&client);
    }
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    return check_done();
}
