/*
 * A host's own functions of the same names, as libwinpr2 2.11 has them. None may ever be entered: the library's calls are
 * the library's. Part of the program, or loaded in front of everything (LD_PRELOAD).
 */
#include <stdint.h>

/* How often any was entered. */
extern unsigned long hijacked;
unsigned long hijacked = 0;

#define THEIRS(name) \
    int32_t name(void); \
    int32_t name(void) \
    { \
        ++hijacked; \
        return -1; \
    }

THEIRS(AcceptSecurityContext)
THEIRS(AcquireCredentialsHandleA)
THEIRS(AcquireCredentialsHandleW)
THEIRS(ApplyControlToken)
THEIRS(CertCloseStore)
THEIRS(CertEnumCertificatesInStore)
THEIRS(CertFindCertificateInStore)
THEIRS(CertGetNameStringA)
THEIRS(CertGetNameStringW)
THEIRS(CertOpenStore)
THEIRS(CompleteAuthToken)
THEIRS(DecryptMessage)
THEIRS(DeleteSecurityContext)
THEIRS(EncryptMessage)
THEIRS(EnumerateSecurityPackagesA)
THEIRS(EnumerateSecurityPackagesW)
THEIRS(ExportSecurityContext)
THEIRS(FreeContextBuffer)
THEIRS(FreeCredentialsHandle)
THEIRS(ImpersonateSecurityContext)
THEIRS(ImportSecurityContextA)
THEIRS(ImportSecurityContextW)
THEIRS(InitSecurityInterfaceA)
THEIRS(InitSecurityInterfaceExA)
THEIRS(InitSecurityInterfaceExW)
THEIRS(InitSecurityInterfaceW)
THEIRS(InitializeSecurityContextA)
THEIRS(InitializeSecurityContextW)
THEIRS(MakeSignature)
THEIRS(QueryContextAttributesA)
THEIRS(QueryContextAttributesW)
THEIRS(QueryCredentialsAttributesA)
THEIRS(QueryCredentialsAttributesW)
THEIRS(QuerySecurityContextToken)
THEIRS(QuerySecurityPackageInfoA)
THEIRS(QuerySecurityPackageInfoW)
THEIRS(RevertSecurityContext)
THEIRS(SetContextAttributesA)
THEIRS(SetContextAttributesW)
THEIRS(VerifySignature)
