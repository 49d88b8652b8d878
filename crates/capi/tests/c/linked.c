/*
 * The library as part of a program: a handshake, a message, and a fork, whose handlers must be there although nothing
 * loaded them.
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "talk.h"

#include <sys/wait.h>
#include <unistd.h>

static bool good(CredHandle *credential)
{
    struct side client = initiator(credential), server = acceptor(credential);
    bool shaken = shake(&client, &server) && tell(&client, &server, "linked") && tell(&server, &client, "and back");
    char name[64];
    name_of(&server, name, sizeof name);
    TEXT(name, ANN);
    end(&client);
    end(&server);
    return shaken;
}

int main(void)
{
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        CASE("%s", packages[at]);
        CredHandle credential = must_acquire(packages[at], SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        CHECK(good(&credential));
        pid_t child = fork();
        if (child == 0) {
            alarm(30);
            _exit(good(&credential) ? 0 : 1);
        }
        int status = 1;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    }
    /* The table leads to the functions that the linker found. */
    CHECK(InitSecurityInterfaceA()->dwVersion == 5 && InitSecurityInterfaceW() != NULL);
    return check_done();
}
