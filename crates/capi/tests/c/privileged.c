/*
 * Whether a program follows PORTCULLIS_CONFIG, which names a file that does not exist: who follows it has no accounts to
 * accept by. Prints `follows` or `ignores`, and whether the system says that the program has more rights than its user.
 */
#include <portcullis/sspi.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

int main(void)
{
    char package[] = "NTLM";
    CredHandle credential;
    if (getenv("PORTCULLIS_CONFIG") == NULL) {
        return 2;
    }
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (status != SEC_E_OK && status != SEC_E_NO_AUTHENTICATING_AUTHORITY) {
        printf("%08X\n", (unsigned)status);
        return 1;
    }
    printf("%s %s\n", status == SEC_E_OK ? "ignores" : "follows", getauxval(AT_SECURE) != 0 ? "secure" : "plain");
    return 0;
}
