/*
 * portcullis/sspi.h: the Security Support Provider Interface of libportcullis, for programs in C and C++ on Linux.
 *
 * Names, numbers, structures and parameters are those of Windows, so that a program written for SSPI compiles against
 * this header. Link with -lportcullis, or load libportcullis.so and ask it for InitSecurityInterfaceA or ...W.
 *
 * Where Linux differs, the sizes of Windows win:
 *   - ULONG and LONG have 32 bits, as everything that Windows spells `unsigned long`. A variable that a function writes
 *     to (pfContextAttr, pfQOP, pcPackages) has to be a ULONG: `unsigned long` has 64 bits here.
 *   - SEC_WCHAR is one unit of UTF-16 in 16 bits, never wchar_t. SEC_WTEXT("...") makes such a literal (C11, C++11).
 *   - SEC_CHAR strings are UTF-8.
 *   - SEC_ENTRY is empty: the calling convention is the platform's.
 *   - Parameters that are only read are const here also where Windows leaves the word out; either style of caller fits.
 *
 * Before it is included one may define
 *   UNICODE                     plain names mean the ...W functions and structures; otherwise the ...A ones.
 *   PORTCULLIS_NO_BASIC_TYPES   the program has the types and constants of windows.h already (section 1 lists them);
 *                               their sizes are checked.
 *   SECURITY_WIN32              allowed, and without effect.
 *
 * Memory: what a function hands out is freed with FreeContextBuffer, and only with that. What a program hands in stays
 * its own and may be freed when the function returns. Where a function fills a structure and is told no size, it writes
 * the structure that the attribute's comment stands above, and no byte more.
 *
 * Threads: every function may be called from any thread. One context takes part in one handshake call at a time; after
 * the handshake, one thread may encrypt or sign while another decrypts or verifies. A credential serves any number of
 * threads and contexts, and contexts outlive it. A handle that was freed, or never was one, is refused with
 * SEC_E_INVALID_HANDLE and nothing is touched.
 */
#ifndef PORTCULLIS_SSPI_H
#define PORTCULLIS_SSPI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Anonymous members (LARGE_INTEGER) are younger than C99; this keeps -pedantic quiet about them. */
#if defined(__GNUC__) || defined(__clang__)
#define PORTCULLIS_EXTENSION __extension__
#else
#define PORTCULLIS_EXTENSION
#endif

/* ================================================================================================================
 * 1. Basic types
 * ============================================================================================================= */

/* With PORTCULLIS_NO_BASIC_TYPES the program brings all of these, under these names and with these sizes. */
#ifndef PORTCULLIS_NO_BASIC_TYPES

typedef int32_t LONG;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef uint16_t USHORT;
typedef uint16_t WORD;
typedef uint8_t UCHAR;
typedef uint8_t BYTE;
typedef uint8_t BOOLEAN;
typedef int32_t BOOL;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;
typedef uint64_t ULONG64;
typedef uintptr_t ULONG_PTR;
typedef uint16_t WCHAR;
typedef char *LPSTR;
typedef WCHAR *LPWSTR;
typedef void *HANDLE;
typedef int32_t HRESULT;

/* The identifier of a logon session. */
typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef union _LARGE_INTEGER {
    PORTCULLIS_EXTENSION struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;
#endif

/* Length and MaximumLength count bytes; nothing promises a terminating zero. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    WCHAR *Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

/* Of the certificate functions only what a pointer needs; wincrypt.h beside this file has the rest. */
typedef ULONG ALG_ID;
typedef void *HCERTSTORE;
typedef const struct _CERT_CONTEXT *PCCERT_CONTEXT;
typedef struct _CRYPTOAPI_BLOB *PCERT_NAME_BLOB;

/* How far a token may be used. */
typedef enum _SECURITY_IMPERSONATION_LEVEL {
    SecurityAnonymous = 0,
    SecurityIdentification = 1,
    SecurityImpersonation = 2,
    SecurityDelegation = 3
} SECURITY_IMPERSONATION_LEVEL;

#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

#endif /* PORTCULLIS_NO_BASIC_TYPES */

/* A host whose ULONG is `unsigned long` would read every structure wrongly: it does not compile. */
typedef char portcullis_ulong_has_32_bits[sizeof(ULONG) == 4 ? 1 : -1];
typedef char portcullis_long_has_32_bits[sizeof(LONG) == 4 ? 1 : -1];
typedef char portcullis_dword_has_32_bits[sizeof(DWORD) == 4 ? 1 : -1];
typedef char portcullis_bool_has_32_bits[sizeof(BOOL) == 4 ? 1 : -1];
typedef char portcullis_wchar_has_16_bits[sizeof(WCHAR) == 2 ? 1 : -1];
typedef char portcullis_boolean_has_8_bits[sizeof(BOOLEAN) == 1 ? 1 : -1];
typedef char portcullis_ulong_ptr_is_a_pointers_size[sizeof(ULONG_PTR) == sizeof(void *) ? 1 : -1];
typedef char portcullis_large_integer_has_64_bits[sizeof(LARGE_INTEGER) == 8 ? 1 : -1];

/* What a function answers. Not negative is success: SEC_E_OK, and SEC_I_... that say what comes next. */
typedef LONG SECURITY_STATUS;

typedef char SEC_CHAR;
typedef WCHAR SEC_WCHAR;

#ifndef SEC_ENTRY
#define SEC_ENTRY
#endif
#define SEC_FAR

/* A literal of UTF-16. char16_t is a type of its own in C++, hence the cast there. */
#ifdef __cplusplus
#define SEC_WTEXT(text) ((SEC_WCHAR *)(u##text))
#else
#define SEC_WTEXT(text) u##text
#endif

#ifdef UNICODE
typedef SEC_WCHAR *SECURITY_PSTR;
typedef const SEC_WCHAR *SECURITY_PCSTR;
#define SEC_TEXT(text) SEC_WTEXT(text)
#else
typedef SEC_CHAR *SECURITY_PSTR;
typedef const SEC_CHAR *SECURITY_PCSTR;
#define SEC_TEXT(text) text
#endif

/* ================================================================================================================
 * 2. Handles and time
 * ============================================================================================================= */

/* Opaque. Copies of the two words are the same handle; freeing one frees them all. */
typedef struct _SecHandle {
    ULONG_PTR dwLower;
    ULONG_PTR dwUpper;
} SecHandle, *PSecHandle;

typedef SecHandle CredHandle;
typedef PSecHandle PCredHandle;
typedef SecHandle CtxtHandle;
typedef PSecHandle PCtxtHandle;

/* A handle that stands for nothing yet has both words at -1. */
#define SecInvalidateHandle(handle) \
    ((void)(((PSecHandle)(handle))->dwLower = ((PSecHandle)(handle))->dwUpper = ~(ULONG_PTR)0))
#define SecIsValidHandle(handle) \
    (((PSecHandle)(handle))->dwLower != ~(ULONG_PTR)0 && ((PSecHandle)(handle))->dwUpper != ~(ULONG_PTR)0)
#define SEC_DELETED_HANDLE (~(ULONG_PTR)1)

/* Steps of 100 ns since the first of January 1601. 0x7FFFFFFFFFFFFFFF is "never". */
typedef LARGE_INTEGER SECURITY_INTEGER, *PSECURITY_INTEGER;
typedef SECURITY_INTEGER TimeStamp, *PTimeStamp;

/* ================================================================================================================
 * 3. Statuses
 * ============================================================================================================= */

/* Failures, and SEC_E_OK, which is 0. SEC_E_INCOMPLETE_MESSAGE only asks for more bytes. Two have a second name. */
#define SEC_E_OK                            ((SECURITY_STATUS)0x00000000L)
#define SEC_E_INSUFFICIENT_MEMORY           ((SECURITY_STATUS)0x80090300L)
#define SEC_E_INVALID_HANDLE                ((SECURITY_STATUS)0x80090301L)
#define SEC_E_UNSUPPORTED_FUNCTION          ((SECURITY_STATUS)0x80090302L)
#define SEC_E_TARGET_UNKNOWN                ((SECURITY_STATUS)0x80090303L)
#define SEC_E_INTERNAL_ERROR                ((SECURITY_STATUS)0x80090304L)
#define SEC_E_SECPKG_NOT_FOUND              ((SECURITY_STATUS)0x80090305L)
#define SEC_E_NOT_OWNER                     ((SECURITY_STATUS)0x80090306L)
#define SEC_E_CANNOT_INSTALL                ((SECURITY_STATUS)0x80090307L)
#define SEC_E_INVALID_TOKEN                 ((SECURITY_STATUS)0x80090308L)
#define SEC_E_CANNOT_PACK                   ((SECURITY_STATUS)0x80090309L)
#define SEC_E_QOP_NOT_SUPPORTED             ((SECURITY_STATUS)0x8009030AL)
#define SEC_E_NO_IMPERSONATION              ((SECURITY_STATUS)0x8009030BL)
#define SEC_E_LOGON_DENIED                  ((SECURITY_STATUS)0x8009030CL)
#define SEC_E_UNKNOWN_CREDENTIALS           ((SECURITY_STATUS)0x8009030DL)
#define SEC_E_NO_CREDENTIALS                ((SECURITY_STATUS)0x8009030EL)
#define SEC_E_MESSAGE_ALTERED               ((SECURITY_STATUS)0x8009030FL)
#define SEC_E_OUT_OF_SEQUENCE               ((SECURITY_STATUS)0x80090310L)
#define SEC_E_NO_AUTHENTICATING_AUTHORITY   ((SECURITY_STATUS)0x80090311L)
#define SEC_E_BAD_PKGID                     ((SECURITY_STATUS)0x80090316L)
#define SEC_E_CONTEXT_EXPIRED               ((SECURITY_STATUS)0x80090317L)
#define SEC_E_INCOMPLETE_MESSAGE            ((SECURITY_STATUS)0x80090318L)
#define SEC_E_INCOMPLETE_CREDENTIALS        ((SECURITY_STATUS)0x80090320L)
#define SEC_E_BUFFER_TOO_SMALL              ((SECURITY_STATUS)0x80090321L)
#define SEC_E_WRONG_PRINCIPAL               ((SECURITY_STATUS)0x80090322L)
#define SEC_E_TIME_SKEW                     ((SECURITY_STATUS)0x80090324L)
#define SEC_E_UNTRUSTED_ROOT                ((SECURITY_STATUS)0x80090325L)
#define SEC_E_ILLEGAL_MESSAGE               ((SECURITY_STATUS)0x80090326L)
#define SEC_E_CERT_UNKNOWN                  ((SECURITY_STATUS)0x80090327L)
#define SEC_E_CERT_EXPIRED                  ((SECURITY_STATUS)0x80090328L)
#define SEC_E_ENCRYPT_FAILURE               ((SECURITY_STATUS)0x80090329L)
#define SEC_E_DECRYPT_FAILURE               ((SECURITY_STATUS)0x80090330L)
#define SEC_E_ALGORITHM_MISMATCH            ((SECURITY_STATUS)0x80090331L)
#define SEC_E_SECURITY_QOS_FAILED           ((SECURITY_STATUS)0x80090332L)
#define SEC_E_UNFINISHED_CONTEXT_DELETED    ((SECURITY_STATUS)0x80090333L)
#define SEC_E_NO_TGT_REPLY                  ((SECURITY_STATUS)0x80090334L)
#define SEC_E_NO_IP_ADDRESSES               ((SECURITY_STATUS)0x80090335L)
#define SEC_E_WRONG_CREDENTIAL_HANDLE       ((SECURITY_STATUS)0x80090336L)
#define SEC_E_CRYPTO_SYSTEM_INVALID         ((SECURITY_STATUS)0x80090337L)
#define SEC_E_MAX_REFERRALS_EXCEEDED        ((SECURITY_STATUS)0x80090338L)
#define SEC_E_MUST_BE_KDC                   ((SECURITY_STATUS)0x80090339L)
#define SEC_E_STRONG_CRYPTO_NOT_SUPPORTED   ((SECURITY_STATUS)0x8009033AL)
#define SEC_E_TOO_MANY_PRINCIPALS           ((SECURITY_STATUS)0x8009033BL)
#define SEC_E_NO_PA_DATA                    ((SECURITY_STATUS)0x8009033CL)
#define SEC_E_PKINIT_NAME_MISMATCH          ((SECURITY_STATUS)0x8009033DL)
#define SEC_E_SMARTCARD_LOGON_REQUIRED      ((SECURITY_STATUS)0x8009033EL)
#define SEC_E_SHUTDOWN_IN_PROGRESS          ((SECURITY_STATUS)0x8009033FL)
#define SEC_E_KDC_INVALID_REQUEST           ((SECURITY_STATUS)0x80090340L)
#define SEC_E_KDC_UNABLE_TO_REFER           ((SECURITY_STATUS)0x80090341L)
#define SEC_E_KDC_UNKNOWN_ETYPE             ((SECURITY_STATUS)0x80090342L)
#define SEC_E_UNSUPPORTED_PREAUTH           ((SECURITY_STATUS)0x80090343L)
#define SEC_E_DELEGATION_REQUIRED           ((SECURITY_STATUS)0x80090345L)
#define SEC_E_BAD_BINDINGS                  ((SECURITY_STATUS)0x80090346L)
#define SEC_E_MULTIPLE_ACCOUNTS             ((SECURITY_STATUS)0x80090347L)
#define SEC_E_NO_KERB_KEY                   ((SECURITY_STATUS)0x80090348L)
#define SEC_E_CERT_WRONG_USAGE              ((SECURITY_STATUS)0x80090349L)
#define SEC_E_DOWNGRADE_DETECTED            ((SECURITY_STATUS)0x80090350L)
#define SEC_E_SMARTCARD_CERT_REVOKED        ((SECURITY_STATUS)0x80090351L)
#define SEC_E_ISSUING_CA_UNTRUSTED          ((SECURITY_STATUS)0x80090352L)
#define SEC_E_REVOCATION_OFFLINE_C          ((SECURITY_STATUS)0x80090353L)
#define SEC_E_PKINIT_CLIENT_FAILURE         ((SECURITY_STATUS)0x80090354L)
#define SEC_E_SMARTCARD_CERT_EXPIRED        ((SECURITY_STATUS)0x80090355L)
#define SEC_E_NO_S4U_PROT_SUPPORT           ((SECURITY_STATUS)0x80090356L)
#define SEC_E_CROSSREALM_DELEGATION_FAILURE ((SECURITY_STATUS)0x80090357L)
#define SEC_E_REVOCATION_OFFLINE_KDC        ((SECURITY_STATUS)0x80090358L)
#define SEC_E_ISSUING_CA_UNTRUSTED_KDC      ((SECURITY_STATUS)0x80090359L)
#define SEC_E_KDC_CERT_EXPIRED              ((SECURITY_STATUS)0x8009035AL)
#define SEC_E_KDC_CERT_REVOKED              ((SECURITY_STATUS)0x8009035BL)
#define SEC_E_INVALID_PARAMETER             ((SECURITY_STATUS)0x8009035DL)
#define SEC_E_DELEGATION_POLICY             ((SECURITY_STATUS)0x8009035EL)
#define SEC_E_POLICY_NLTM_ONLY              ((SECURITY_STATUS)0x8009035FL)
#define SEC_E_NO_CONTEXT                    ((SECURITY_STATUS)0x80090361L)
#define SEC_E_PKU2U_CERT_FAILURE            ((SECURITY_STATUS)0x80090362L)
#define SEC_E_MUTUAL_AUTH_FAILED            ((SECURITY_STATUS)0x80090363L)
#define SEC_E_ONLY_HTTPS_ALLOWED            ((SECURITY_STATUS)0x80090365L)
#define SEC_E_APPLICATION_PROTOCOL_MISMATCH ((SECURITY_STATUS)0x80090367L)
#define SEC_E_INVALID_UPN_NAME              ((SECURITY_STATUS)0x80090369L)
#define SEC_E_EXT_BUFFER_TOO_SMALL          ((SECURITY_STATUS)0x8009036AL)
#define SEC_E_INSUFFICIENT_BUFFERS          ((SECURITY_STATUS)0x8009036BL)
#define SEC_E_NOT_SUPPORTED                 SEC_E_UNSUPPORTED_FUNCTION
#define SEC_E_NO_SPM                        SEC_E_INTERNAL_ERROR

/* Successes that say what is to be done next. */
#define SEC_I_CONTINUE_NEEDED            ((SECURITY_STATUS)0x00090312L)
#define SEC_I_COMPLETE_NEEDED            ((SECURITY_STATUS)0x00090313L)
#define SEC_I_COMPLETE_AND_CONTINUE      ((SECURITY_STATUS)0x00090314L)
#define SEC_I_LOCAL_LOGON                ((SECURITY_STATUS)0x00090315L)
#define SEC_I_GENERIC_EXTENSION_RECEIVED ((SECURITY_STATUS)0x00090316L)
#define SEC_I_CONTEXT_EXPIRED            ((SECURITY_STATUS)0x00090317L)
#define SEC_I_INCOMPLETE_CREDENTIALS     ((SECURITY_STATUS)0x00090320L)
#define SEC_I_RENEGOTIATE                ((SECURITY_STATUS)0x00090321L)
#define SEC_I_NO_LSA_CONTEXT             ((SECURITY_STATUS)0x00090323L)
#define SEC_I_SIGNATURE_NEEDED           ((SECURITY_STATUS)0x0009035CL)
#define SEC_I_NO_RENEGOTIATION           ((SECURITY_STATUS)0x00090360L)
#define SEC_I_MESSAGE_FRAGMENT           ((SECURITY_STATUS)0x00090364L)
#define SEC_I_CONTINUE_NEEDED_MESSAGE_OK ((SECURITY_STATUS)0x00090366L)
#define SEC_I_ASYNC_CALL_PENDING         ((SECURITY_STATUS)0x00090368L)

/* ================================================================================================================
 * 4. Flags of contexts
 *
 * REQ is what one asks for, RET what was granted. The same flag has different bits on the two sides.
 * ============================================================================================================= */

/* What AcceptSecurityContext is asked for. MESSAGES has room only in a SECBUFFER_FLAGS. */
#define ASC_REQ_DELEGATE               0x00000001
#define ASC_REQ_MUTUAL_AUTH            0x00000002
#define ASC_REQ_REPLAY_DETECT          0x00000004
#define ASC_REQ_SEQUENCE_DETECT        0x00000008
#define ASC_REQ_CONFIDENTIALITY        0x00000010
#define ASC_REQ_USE_SESSION_KEY        0x00000020
#define ASC_REQ_SESSION_TICKET         0x00000040
#define ASC_REQ_ALLOCATE_MEMORY        0x00000100
#define ASC_REQ_USE_DCE_STYLE          0x00000200
#define ASC_REQ_DATAGRAM               0x00000400
#define ASC_REQ_CONNECTION             0x00000800
#define ASC_REQ_CALL_LEVEL             0x00001000
#define ASC_REQ_FRAGMENT_SUPPLIED      0x00002000
#define ASC_REQ_EXTENDED_ERROR         0x00008000
#define ASC_REQ_STREAM                 0x00010000
#define ASC_REQ_INTEGRITY              0x00020000
#define ASC_REQ_LICENSING              0x00040000
#define ASC_REQ_IDENTIFY               0x00080000
#define ASC_REQ_ALLOW_NULL_SESSION     0x00100000
#define ASC_REQ_ALLOW_NON_USER_LOGONS  0x00200000
#define ASC_REQ_ALLOW_CONTEXT_REPLAY   0x00400000
#define ASC_REQ_FRAGMENT_TO_FIT        0x00800000
#define ASC_REQ_NO_TOKEN               0x01000000
#define ASC_REQ_PROXY_BINDINGS         0x04000000
#define ASC_REQ_ALLOW_MISSING_BINDINGS 0x10000000
#define ASC_REQ_MESSAGES               0x0000000100000000ULL

/* What it granted. */
#define ASC_RET_DELEGATE              0x00000001
#define ASC_RET_MUTUAL_AUTH           0x00000002
#define ASC_RET_REPLAY_DETECT         0x00000004
#define ASC_RET_SEQUENCE_DETECT       0x00000008
#define ASC_RET_CONFIDENTIALITY       0x00000010
#define ASC_RET_USE_SESSION_KEY       0x00000020
#define ASC_RET_SESSION_TICKET        0x00000040
#define ASC_RET_ALLOCATED_MEMORY      0x00000100
#define ASC_RET_USED_DCE_STYLE        0x00000200
#define ASC_RET_DATAGRAM              0x00000400
#define ASC_RET_CONNECTION            0x00000800
#define ASC_RET_CALL_LEVEL            0x00002000
#define ASC_RET_THIRD_LEG_FAILED      0x00004000
#define ASC_RET_EXTENDED_ERROR        0x00008000
#define ASC_RET_STREAM                0x00010000
#define ASC_RET_INTEGRITY             0x00020000
#define ASC_RET_LICENSING             0x00040000
#define ASC_RET_IDENTIFY              0x00080000
#define ASC_RET_NULL_SESSION          0x00100000
#define ASC_RET_ALLOW_NON_USER_LOGONS 0x00200000
#define ASC_RET_ALLOW_CONTEXT_REPLAY  0x00400000
#define ASC_RET_FRAGMENT_ONLY         0x00800000
#define ASC_RET_NO_TOKEN              0x01000000
#define ASC_RET_NO_ADDITIONAL_TOKEN   0x02000000
#define ASC_RET_MESSAGES              0x0000000100000000ULL

/* What InitializeSecurityContext is asked for. The last three have room only in a SECBUFFER_FLAGS. */
#define ISC_REQ_DELEGATE                 0x00000001
#define ISC_REQ_MUTUAL_AUTH              0x00000002
#define ISC_REQ_REPLAY_DETECT            0x00000004
#define ISC_REQ_SEQUENCE_DETECT          0x00000008
#define ISC_REQ_CONFIDENTIALITY          0x00000010
#define ISC_REQ_USE_SESSION_KEY          0x00000020
#define ISC_REQ_PROMPT_FOR_CREDS         0x00000040
#define ISC_REQ_USE_SUPPLIED_CREDS       0x00000080
#define ISC_REQ_ALLOCATE_MEMORY          0x00000100
#define ISC_REQ_USE_DCE_STYLE            0x00000200
#define ISC_REQ_DATAGRAM                 0x00000400
#define ISC_REQ_CONNECTION               0x00000800
#define ISC_REQ_CALL_LEVEL               0x00001000
#define ISC_REQ_FRAGMENT_SUPPLIED        0x00002000
#define ISC_REQ_EXTENDED_ERROR           0x00004000
#define ISC_REQ_STREAM                   0x00008000
#define ISC_REQ_INTEGRITY                0x00010000
#define ISC_REQ_IDENTIFY                 0x00020000
#define ISC_REQ_NULL_SESSION             0x00040000
#define ISC_REQ_MANUAL_CRED_VALIDATION   0x00080000
#define ISC_REQ_RESERVED1                0x00100000
#define ISC_REQ_FRAGMENT_TO_FIT          0x00200000
#define ISC_REQ_FORWARD_CREDENTIALS      0x00400000
#define ISC_REQ_NO_INTEGRITY             0x00800000
#define ISC_REQ_USE_HTTP_STYLE           0x01000000
#define ISC_REQ_UNVERIFIED_TARGET_NAME   0x20000000
#define ISC_REQ_CONFIDENTIALITY_ONLY     0x40000000
#define ISC_REQ_MESSAGES                 0x0000000100000000ULL
#define ISC_REQ_DEFERRED_CRED_VALIDATION 0x0000000200000000ULL
#define ISC_REQ_NO_POST_HANDSHAKE_AUTH   0x0000000400000000ULL

/* What it granted. */
#define ISC_RET_DELEGATE                 0x00000001
#define ISC_RET_MUTUAL_AUTH              0x00000002
#define ISC_RET_REPLAY_DETECT            0x00000004
#define ISC_RET_SEQUENCE_DETECT          0x00000008
#define ISC_RET_CONFIDENTIALITY          0x00000010
#define ISC_RET_USE_SESSION_KEY          0x00000020
#define ISC_RET_USED_COLLECTED_CREDS     0x00000040
#define ISC_RET_USED_SUPPLIED_CREDS      0x00000080
#define ISC_RET_ALLOCATED_MEMORY         0x00000100
#define ISC_RET_USED_DCE_STYLE           0x00000200
#define ISC_RET_DATAGRAM                 0x00000400
#define ISC_RET_CONNECTION               0x00000800
#define ISC_RET_INTERMEDIATE_RETURN      0x00001000
#define ISC_RET_CALL_LEVEL               0x00002000
#define ISC_RET_EXTENDED_ERROR           0x00004000
#define ISC_RET_STREAM                   0x00008000
#define ISC_RET_INTEGRITY                0x00010000
#define ISC_RET_IDENTIFY                 0x00020000
#define ISC_RET_NULL_SESSION             0x00040000
#define ISC_RET_MANUAL_CRED_VALIDATION   0x00080000
#define ISC_RET_RESERVED1                0x00100000
#define ISC_RET_FRAGMENT_ONLY            0x00200000
#define ISC_RET_FORWARD_CREDENTIALS      0x00400000
#define ISC_RET_USED_HTTP_STYLE          0x01000000
#define ISC_RET_NO_ADDITIONAL_TOKEN      0x02000000
#define ISC_RET_REAUTHENTICATION         0x08000000
#define ISC_RET_CONFIDENTIALITY_ONLY     0x40000000
#define ISC_RET_MESSAGES                 0x0000000100000000ULL
#define ISC_RET_DEFERRED_CRED_VALIDATION 0x0000000200000000ULL
#define ISC_RET_NO_POST_HANDSHAKE_AUTH   0x0000000400000000ULL

/* ================================================================================================================
 * 5. Other constants
 * ============================================================================================================= */

/* Versions of the function table, for its dwVersion: what they reach is said in section 11. */
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION   1
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2 2
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_3 3
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4 4
#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5 5

/* Byte order of the target; either does. */
#define SECURITY_NETWORK_DREP 0x00000000
#define SECURITY_NATIVE_DREP  0x00000010

/* What a package can do: SecPkgInfo.fCapabilities. */
#define SECPKG_FLAG_INTEGRITY                    0x00000001
#define SECPKG_FLAG_PRIVACY                      0x00000002
#define SECPKG_FLAG_TOKEN_ONLY                   0x00000004
#define SECPKG_FLAG_DATAGRAM                     0x00000008
#define SECPKG_FLAG_CONNECTION                   0x00000010
#define SECPKG_FLAG_MULTI_REQUIRED               0x00000020
#define SECPKG_FLAG_CLIENT_ONLY                  0x00000040
#define SECPKG_FLAG_EXTENDED_ERROR               0x00000080
#define SECPKG_FLAG_IMPERSONATION                0x00000100
#define SECPKG_FLAG_ACCEPT_WIN32_NAME            0x00000200
#define SECPKG_FLAG_STREAM                       0x00000400
#define SECPKG_FLAG_NEGOTIABLE                   0x00000800
#define SECPKG_FLAG_GSS_COMPATIBLE               0x00001000
#define SECPKG_FLAG_LOGON                        0x00002000
#define SECPKG_FLAG_ASCII_BUFFERS                0x00004000
#define SECPKG_FLAG_FRAGMENT                     0x00008000
#define SECPKG_FLAG_MUTUAL_AUTH                  0x00010000
#define SECPKG_FLAG_DELEGATION                   0x00020000
#define SECPKG_FLAG_READONLY_WITH_CHECKSUM       0x00040000
#define SECPKG_FLAG_RESTRICTED_TOKENS            0x00080000
#define SECPKG_FLAG_NEGO_EXTENDER                0x00100000
#define SECPKG_FLAG_NEGOTIABLE2                  0x00200000
#define SECPKG_FLAG_APPCONTAINER_PASSTHROUGH     0x00400000
#define SECPKG_FLAG_APPCONTAINER_CHECKS          0x00800000
#define SECPKG_FLAG_CREDENTIAL_ISOLATION_ENABLED 0x01000000
#define SECPKG_FLAG_APPLY_LOOPBACK               0x02000000

/* The wRPCID of a package that has none, and that of TLS. */
#define UNISP_RPC_ID   14
#define SECPKG_ID_NONE 0xFFFF

/* Kinds of packages in SECURITY_PACKAGE_OPTIONS.Type, and its Flags. */
#define SECPKG_OPTIONS_PERMANENT    1
#define SECPKG_OPTIONS_TYPE_LSA     1
#define SECPKG_OPTIONS_TYPE_SSPI    2
#define SECPKG_OPTIONS_TYPE_UNKNOWN 0

/* What a credential is for, and how it may be used. */
#define SECPKG_CRED_INBOUND              0x00000001
#define SECPKG_CRED_OUTBOUND             0x00000002
#define SECPKG_CRED_BOTH                 0x00000003
#define SECPKG_CRED_DEFAULT              0x00000004
#define SECPKG_CRED_AUTOLOGON_RESTRICTED 0x00000010
#define SECPKG_CRED_PROCESS_POLICY_ONLY  0x00000020
#define SECPKG_CRED_RESERVED             0xF0000000

/* Who called a package. */
#define SECPKG_CALLFLAGS_APPCONTAINER             0x00000001
#define SECPKG_CALLFLAGS_APPCONTAINER_AUTHCAPABLE 0x00000002
#define SECPKG_CALLFLAGS_FORCE_SUPPLIED           0x00000004
#define SECPKG_CALLFLAGS_APPCONTAINER_UPNCAPABLE  0x00000008

/* Attributes of credentials. */
#define SECPKG_CRED_ATTR_NAMES              1
#define SECPKG_CRED_ATTR_SSI_PROVIDER       2
#define SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS 3
#define SECPKG_CRED_ATTR_CERT               4
#define SECPKG_CRED_ATTR_PAC_BYPASS         5

/* Version and flag of SecPkgCredentials_KdcProxySettingsW. */
#define KDC_PROXY_SETTINGS_V1               1
#define KDC_PROXY_SETTINGS_FLAGS_FORCEPROXY 1

/* Attributes of contexts. */
#define SECPKG_ATTR_SIZES                       0
#define SECPKG_ATTR_NAMES                       1
#define SECPKG_ATTR_LIFESPAN                    2
#define SECPKG_ATTR_DCE_INFO                    3
#define SECPKG_ATTR_STREAM_SIZES                4
#define SECPKG_ATTR_DATAGRAM_SIZES              4
#define SECPKG_ATTR_KEY_INFO                    5
#define SECPKG_ATTR_AUTHORITY                   6
#define SECPKG_ATTR_PROTO_INFO                  7
#define SECPKG_ATTR_PASSWORD_EXPIRY             8
#define SECPKG_ATTR_SESSION_KEY                 9
#define SECPKG_ATTR_PACKAGE_INFO                10
#define SECPKG_ATTR_USER_FLAGS                  11
#define SECPKG_ATTR_NEGOTIATION_INFO            12
#define SECPKG_ATTR_NATIVE_NAMES                13
#define SECPKG_ATTR_FLAGS                       14
#define SECPKG_ATTR_USE_VALIDATED               15
#define SECPKG_ATTR_CREDENTIAL_NAME             16
#define SECPKG_ATTR_TARGET_INFORMATION          17
#define SECPKG_ATTR_ACCESS_TOKEN                18
#define SECPKG_ATTR_TARGET                      19
#define SECPKG_ATTR_AUTHENTICATION_ID           20
#define SECPKG_ATTR_LOGOFF_TIME                 21
#define SECPKG_ATTR_NEGO_KEYS                   22
#define SECPKG_ATTR_PROMPTING_NEEDED            24
#define SECPKG_ATTR_UNIQUE_BINDINGS             25
#define SECPKG_ATTR_ENDPOINT_BINDINGS           26
#define SECPKG_ATTR_CLIENT_SPECIFIED_TARGET     27
#define SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS    30
#define SECPKG_ATTR_NEGO_PKG_INFO               31
#define SECPKG_ATTR_NEGO_STATUS                 32
#define SECPKG_ATTR_CONTEXT_DELETED             33
#define SECPKG_ATTR_DTLS_MTU                    34
#define SECPKG_ATTR_APPLICATION_PROTOCOL        35
#define SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS   36
#define SECPKG_ATTR_IS_LOOPBACK                 37
#define SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES 128

/* Attributes of contexts and credentials of TLS. */
#define SECPKG_ATTR_ISSUER_LIST                           0x50
#define SECPKG_ATTR_REMOTE_CRED                           0x51
#define SECPKG_ATTR_LOCAL_CRED                            0x52
#define SECPKG_ATTR_REMOTE_CERT_CONTEXT                   0x53
#define SECPKG_ATTR_LOCAL_CERT_CONTEXT                    0x54
#define SECPKG_ATTR_ROOT_STORE                            0x55
#define SECPKG_ATTR_SUPPORTED_ALGS                        0x56
#define SECPKG_ATTR_CIPHER_STRENGTHS                      0x57
#define SECPKG_ATTR_SUPPORTED_PROTOCOLS                   0x58
#define SECPKG_ATTR_ISSUER_LIST_EX                        0x59
#define SECPKG_ATTR_CONNECTION_INFO                       0x5A
#define SECPKG_ATTR_EAP_KEY_BLOCK                         0x5B
#define SECPKG_ATTR_MAPPED_CRED_ATTR                      0x5C
#define SECPKG_ATTR_SESSION_INFO                          0x5D
#define SECPKG_ATTR_APP_DATA                              0x5E
#define SECPKG_ATTR_REMOTE_CERTIFICATES                   0x5F
#define SECPKG_ATTR_CLIENT_CERT_POLICY                    0x60
#define SECPKG_ATTR_CC_POLICY_RESULT                      0x61
#define SECPKG_ATTR_USE_NCRYPT                            0x62
#define SECPKG_ATTR_LOCAL_CERT_INFO                       0x63
#define SECPKG_ATTR_CIPHER_INFO                           0x64
#define SECPKG_ATTR_EAP_PRF_INFO                          0x65
#define SECPKG_ATTR_SUPPORTED_SIGNATURES                  0x66
#define SECPKG_ATTR_REMOTE_CERT_CHAIN                     0x67
#define SECPKG_ATTR_UI_INFO                               0x68
#define SECPKG_ATTR_EARLY_START                           0x69
#define SECPKG_ATTR_KEYING_MATERIAL_INFO                  0x6A
#define SECPKG_ATTR_KEYING_MATERIAL                       0x6B
#define SECPKG_ATTR_SRTP_PARAMETERS                       0x6C
#define SECPKG_ATTR_TOKEN_BINDING                         0x6D
#define SECPKG_ATTR_CONNECTION_INFO_EX                    0x6E
#define SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING         0x6F
#define SECPKG_ATTR_KEYING_MATERIAL_INPROC                0x70
#define SECPKG_ATTR_CERT_CHECK_RESULT                     0x71
#define SECPKG_ATTR_CERT_CHECK_RESULT_INPROC              0x72
#define SECPKG_ATTR_SESSION_TICKET_KEYS                   0x73
#define SECPKG_ATTR_SERIALIZED_REMOTE_CERT_CONTEXT_INPROC 0x74
#define SECPKG_ATTR_SERIALIZED_REMOTE_CERT_CONTEXT        0x75

/* Attributes of contexts of CredSSP. */
#define SECPKG_ATTR_C_ACCESS_TOKEN      0x80000012
#define SECPKG_ATTR_CREDS               0x80000080
#define SECPKG_ATTR_NEGOTIATION_PACKAGE 0x80000081
#define SECPKG_ATTR_C_FULL_ACCESS_TOKEN 0x80000082
#define SECPKG_ATTR_SERVER_AUTH_FLAGS   0x80000083
#define SECPKG_ATTR_CERT_TRUST_STATUS   0x80000084
#define SECPKG_ATTR_CREDS_2             0x80000086

/* What SECPKG_ATTR_NEGO_PKG_INFO leaves out. */
#define SECPKG_ATTR_NEGO_INFO_FLAG_NO_KERBEROS 1
#define SECPKG_ATTR_NEGO_INFO_FLAG_NO_NTLM     2

/* SecPkgContext_NegotiationInfo.NegotiationState. */
#define SECPKG_NEGOTIATION_COMPLETE      0
#define SECPKG_NEGOTIATION_OPTIMISTIC    1
#define SECPKG_NEGOTIATION_IN_PROGRESS   2
#define SECPKG_NEGOTIATION_DIRECT        3
#define SECPKG_NEGOTIATION_TRY_MULTICRED 4

/* fFlags of ExportSecurityContext. */
#define SECPKG_CONTEXT_EXPORT_RESET_NEW  0x00000001
#define SECPKG_CONTEXT_EXPORT_DELETE_OLD 0x00000002
#define SECPKG_CONTEXT_EXPORT_TO_KERNEL  0x00000004

/* Quality of protection: sign but do not encrypt; send an alert. */
#define SECQOP_WRAP_OOB_DATA   0x40000000
#define KERB_WRAP_NO_ENCRYPT   0x80000001
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001

/* SecBufferDesc.ulVersion. */
#define SECBUFFER_VERSION 0

/* Roles of buffers. Compare them without the bits of SECBUFFER_ATTRMASK. */
#define SECBUFFER_EMPTY                           0
#define SECBUFFER_DATA                            1
#define SECBUFFER_TOKEN                           2
#define SECBUFFER_PKG_PARAMS                      3
#define SECBUFFER_MISSING                         4
#define SECBUFFER_EXTRA                           5
#define SECBUFFER_STREAM_TRAILER                  6
#define SECBUFFER_STREAM_HEADER                   7
#define SECBUFFER_NEGOTIATION_INFO                8
#define SECBUFFER_PADDING                         9
#define SECBUFFER_STREAM                          10
#define SECBUFFER_MECHLIST                        11
#define SECBUFFER_MECHLIST_SIGNATURE              12
#define SECBUFFER_TARGET                          13
#define SECBUFFER_CHANNEL_BINDINGS                14
#define SECBUFFER_CHANGE_PASS_RESPONSE            15
#define SECBUFFER_TARGET_HOST                     16
#define SECBUFFER_ALERT                           17
#define SECBUFFER_APPLICATION_PROTOCOLS           18
#define SECBUFFER_SRTP_PROTECTION_PROFILES        19
#define SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER      20
#define SECBUFFER_TOKEN_BINDING                   21
#define SECBUFFER_PRESHARED_KEY                   22
#define SECBUFFER_PRESHARED_KEY_IDENTITY          23
#define SECBUFFER_DTLS_MTU                        24
#define SECBUFFER_SEND_GENERIC_TLS_EXTENSION      25
#define SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION 26
#define SECBUFFER_FLAGS                           27
#define SECBUFFER_TRAFFIC_SECRETS                 28
#define SECBUFFER_CERTIFICATE_REQUEST_CONTEXT     29
#define SECBUFFER_CHANNEL_BINDINGS_RESULT         30

/* Bits beside the role: not to be written to; the same, but covered by the signature; where the memory is. */
#define SECBUFFER_READONLY_WITH_CHECKSUM 0x10000000
#define SECBUFFER_KERNEL_MAP             0x20000000
#define SECBUFFER_UNMAPPED               0x40000000
#define SECBUFFER_RESERVED               0x60000000
#define SECBUFFER_READONLY               0x80000000
#define SECBUFFER_ATTRMASK               0xF0000000

/* SEC_CHANNEL_BINDINGS_RESULT.flags: what the client sent, and whether that was enough. */
#define SEC_CHANNEL_BINDINGS_RESULT_CLIENT_SUPPORT    0x01
#define SEC_CHANNEL_BINDINGS_RESULT_ABSENT            0x02
#define SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISMATCH 0x04
#define SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISSING  0x08
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_MATCHED     0x10
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_PROXY       0x20
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_MISSING     0x40

/* SEC_CHANNEL_BINDINGS_EX.flags: check and report, but refuse nobody. */
#define SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS 1

/* Versions of SEC_WINNT_AUTH_IDENTITY_EX and _EX2. */
#define SEC_WINNT_AUTH_IDENTITY_VERSION   0x200
#define SEC_WINNT_AUTH_IDENTITY_VERSION_2 0x201

/* Flags of an identity: kind of its characters, and how it was packed. */
#define SEC_WINNT_AUTH_IDENTITY_ANSI       1
#define SEC_WINNT_AUTH_IDENTITY_UNICODE    2
#define SEC_WINNT_AUTH_IDENTITY_MARSHALLED 4
#define SEC_WINNT_AUTH_IDENTITY_ONLY       8

/* Flags of an identity: encrypted parts, absent parts, and what a dialogue made of it. */
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED            0x00000010
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED             0x00000020
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED               0x00000040
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED             0x00000080
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_RESERVED                     0x00010000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER                    0x00020000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN                  0x00040000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_ID_PROVIDER                  0x00080000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_LOAD 0x10000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_NO_CHECKBOX          0x20000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_SAVE_CRED_CHECKED    0x40000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_SAVE_CRED_BY_CALLER  0x80000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_SAVE 0x80000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_VALID_SSPIPFC_FLAGS          0xF0000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_USE_MASK             0xFF000000

/* How wide an encrypted identity can be read. */
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON   1
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS 2
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM   4

/* TLS: dwVersion and credential formats. */
#define SCHANNEL_CRED_VERSION           4
#define SCH_CREDENTIALS_VERSION         5
#define SCH_CRED_VERSION                2
#define SCH_CRED_V1                     1
#define SCH_CRED_V2                     2
#define SCH_CRED_V3                     3
#define SCH_CRED_FORMAT_CERT_CONTEXT    0
#define SCH_CRED_FORMAT_CERT_HASH       1
#define SCH_CRED_FORMAT_CERT_HASH_STORE 2
#define SCH_CRED_X509_CERTCHAIN         1
#define SCH_CRED_X509_CAPI              2
#define SCH_CRED_CERT_CONTEXT           3
#define SCH_MACHINE_CERT_HASH           1
#define SCHANNEL_SECRET_TYPE_CAPI       1
#define SCHANNEL_SECRET_PRIVKEY         2

/* TLS: limits. */
#define SCH_CRED_MAX_STORE_NAME_SIZE 128
#define SCH_CRED_MAX_SUPPORTED_ALGS  256
#define SCH_CRED_MAX_SUPPORTED_CERTS 100
#define SCH_MAX_EXT_SUBSCRIPTIONS    2

/* TLS: flags of a credential. */
#define SCH_CRED_NO_SYSTEM_MAPPER                    0x00000002
#define SCH_CRED_NO_SERVERNAME_CHECK                 0x00000004
#define SCH_CRED_MANUAL_CRED_VALIDATION              0x00000008
#define SCH_CRED_NO_DEFAULT_CREDS                    0x00000010
#define SCH_CRED_AUTO_CRED_VALIDATION                0x00000020
#define SCH_CRED_USE_DEFAULT_CREDS                   0x00000040
#define SCH_CRED_DISABLE_RECONNECTS                  0x00000080
#define SCH_CRED_REVOCATION_CHECK_END_CERT           0x00000100
#define SCH_CRED_REVOCATION_CHECK_CHAIN              0x00000200
#define SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT 0x00000400
#define SCH_CRED_IGNORE_NO_REVOCATION_CHECK          0x00000800
#define SCH_CRED_IGNORE_REVOCATION_OFFLINE           0x00001000
#define SCH_CRED_RESTRICTED_ROOTS                    0x00002000
#define SCH_CRED_REVOCATION_CHECK_CACHE_ONLY         0x00004000
#define SCH_CRED_CACHE_ONLY_URL_RETRIEVAL            0x00008000
#define SCH_CRED_MEMORY_STORE_CERT                   0x00010000
#define SCH_CRED_CACHE_ONLY_URL_RETRIEVAL_ON_CREATE  0x00020000
#define SCH_SEND_ROOT_CERT                           0x00040000
#define SCH_CRED_SNI_CREDENTIAL                      0x00080000
#define SCH_CRED_SNI_ENABLE_OCSP                     0x00100000
#define SCH_SEND_AUX_RECORD                          0x00200000
#define SCH_USE_STRONG_CRYPTO                        0x00400000
#define SCH_USE_PRESHAREDKEY_ONLY                    0x00800000
#define SCH_USE_DTLS_ONLY                            0x01000000
#define SCH_ALLOW_NULL_ENCRYPTION                    0x02000000
#define SCH_CRED_DEFERRED_CRED_VALIDATION            0x04000000

/* TLS: TLS_PARAMETERS.dwFlags. */
#define TLS_PARAMS_OPTIONAL 1

/* TLS: what ApplyControlToken is told. */
#define SCHANNEL_RENEGOTIATE 0
#define SCHANNEL_SHUTDOWN    1
#define SCHANNEL_ALERT       2
#define SCHANNEL_SESSION     3

/* TLS: SCHANNEL_SESSION_TOKEN.dwFlags, and SecPkgContext_SessionInfo.dwFlags. */
#define SSL_SESSION_ENABLE_RECONNECTS  1
#define SSL_SESSION_DISABLE_RECONNECTS 2
#define SSL_SESSION_RECONNECT          1

/* TLS: kinds of keys. */
#define SCHANNEL_MAC_KEY 0
#define SCHANNEL_ENC_KEY 1

/* TLS: versions, a bit for each side; the names without a side are both. */
#define SP_PROT_NONE               0x00000000
#define SP_PROT_PCT1_SERVER        0x00000001
#define SP_PROT_PCT1_CLIENT        0x00000002
#define SP_PROT_PCT1               0x00000003
#define SP_PROT_SSL2_SERVER        0x00000004
#define SP_PROT_SSL2_CLIENT        0x00000008
#define SP_PROT_SSL2               0x0000000C
#define SP_PROT_SSL3_SERVER        0x00000010
#define SP_PROT_SSL3_CLIENT        0x00000020
#define SP_PROT_SSL3               0x00000030
#define SP_PROT_TLS1_SERVER        0x00000040
#define SP_PROT_TLS1_0_SERVER      0x00000040
#define SP_PROT_SSL3TLS1_SERVERS   0x00000050
#define SP_PROT_TLS1_CLIENT        0x00000080
#define SP_PROT_TLS1_0_CLIENT      0x00000080
#define SP_PROT_SSL3TLS1_CLIENTS   0x000000A0
#define SP_PROT_TLS1               0x000000C0
#define SP_PROT_TLS1_0             0x000000C0
#define SP_PROT_SSL3TLS1           0x000000F0
#define SP_PROT_TLS1_1_SERVER      0x00000100
#define SP_PROT_TLS1_1_CLIENT      0x00000200
#define SP_PROT_TLS1_1             0x00000300
#define SP_PROT_TLS1_2_SERVER      0x00000400
#define SP_PROT_TLS1_2_CLIENT      0x00000800
#define SP_PROT_TLS1_2             0x00000C00
#define SP_PROT_TLS1_3_SERVER      0x00001000
#define SP_PROT_TLS1_3PLUS_SERVER  0x00001000
#define SP_PROT_TLS1_1PLUS_SERVER  0x00001500
#define SP_PROT_TLS1_X_SERVER      0x00001540
#define SP_PROT_SSL3TLS1_X_SERVERS 0x00001550
#define SP_PROT_TLS1_3_CLIENT      0x00002000
#define SP_PROT_TLS1_3PLUS_CLIENT  0x00002000
#define SP_PROT_TLS1_1PLUS_CLIENT  0x00002A00
#define SP_PROT_TLS1_X_CLIENT      0x00002A80
#define SP_PROT_SSL3TLS1_X_CLIENTS 0x00002AA0
#define SP_PROT_TLS1_3             0x00003000
#define SP_PROT_TLS1_3PLUS         0x00003000
#define SP_PROT_TLS1_1PLUS         0x00003F00
#define SP_PROT_TLS1_X             0x00003FC0
#define SP_PROT_SSL3TLS1_X         0x00003FF0
#define SP_PROT_DTLS_SERVER        0x00010000
#define SP_PROT_DTLS1_0_SERVER     0x00010000
#define SP_PROT_DTLS_CLIENT        0x00020000
#define SP_PROT_DTLS1_0_CLIENT     0x00020000
#define SP_PROT_DTLS               0x00030000
#define SP_PROT_DTLS1_0            0x00030000
#define SP_PROT_DTLS1_2_SERVER     0x00040000
#define SP_PROT_DTLS1_X_SERVER     0x00050000
#define SP_PROT_DTLS1_2_CLIENT     0x00080000
#define SP_PROT_DTLS1_X_CLIENT     0x000A0000
#define SP_PROT_DTLS1_2            0x000C0000
#define SP_PROT_DTLS1_X            0x000F0000
#define SP_PROT_UNI_SERVER         0x40000000
#define SP_PROT_SERVERS            0x40000055
#define SP_PROT_X_SERVERS          0x40051555
#define SP_PROT_UNI_CLIENT         0x80000000
#define SP_PROT_CLIENTS            0x800000AA
#define SP_PROT_X_CLIENTS          0x800A2AAA
#define SP_PROT_UNI                0xC0000000
#define SP_PROT_ALL                0xFFFFFFFF

/* Names of packages. NTLMSP_NAME is wide on Windows also without UNICODE. */
#define NTLMSP_NAME_A             "NTLM"
#define NTLMSP_NAME               SEC_WTEXT("NTLM")
#define NEGOSSP_NAME_A            "Negotiate"
#define NEGOSSP_NAME_W            SEC_WTEXT("Negotiate")
#define MICROSOFT_KERBEROS_NAME_A "Kerberos"
#define MICROSOFT_KERBEROS_NAME_W SEC_WTEXT("Kerberos")
#define WDIGEST_SP_NAME_A         "WDigest"
#define WDIGEST_SP_NAME_W         SEC_WTEXT("WDigest")
#define SCHANNEL_NAME_A           "Schannel"
#define SCHANNEL_NAME_W           SEC_WTEXT("Schannel")
#define UNISP_NAME_A              "Microsoft Unified Security Protocol Provider"
#define UNISP_NAME_W              SEC_WTEXT("Microsoft Unified Security Protocol Provider")
#define DEFAULT_TLS_SSP_NAME_A    "Default TLS SSP"
#define DEFAULT_TLS_SSP_NAME_W    SEC_WTEXT("Default TLS SSP")
#ifdef UNICODE
#define NEGOSSP_NAME NEGOSSP_NAME_W
#define MICROSOFT_KERBEROS_NAME MICROSOFT_KERBEROS_NAME_W
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_W
#define SCHANNEL_NAME SCHANNEL_NAME_W
#define UNISP_NAME UNISP_NAME_W
#define DEFAULT_TLS_SSP_NAME DEFAULT_TLS_SSP_NAME_W
#else
#define NEGOSSP_NAME NEGOSSP_NAME_A
#define MICROSOFT_KERBEROS_NAME MICROSOFT_KERBEROS_NAME_A
#define WDIGEST_SP_NAME WDIGEST_SP_NAME_A
#define SCHANNEL_NAME SCHANNEL_NAME_A
#define UNISP_NAME UNISP_NAME_A
#define DEFAULT_TLS_SSP_NAME DEFAULT_TLS_SSP_NAME_A
#endif

/* The functions that a host looks up to get the table. dlsym takes the ANSI ones; the 16 bit one is of the past. */
#define SECURITY_ENTRYPOINTA      "InitSecurityInterfaceA"
#define SECURITY_ENTRYPOINTW      SEC_WTEXT("InitSecurityInterfaceW")
#define SECURITY_ENTRYPOINT_ANSIA "InitSecurityInterfaceA"
#define SECURITY_ENTRYPOINT_ANSIW "InitSecurityInterfaceW"
#define SECURITY_ENTRYPOINT16     "INITSECURITYINTERFACEA"
#ifdef UNICODE
#define SECURITY_ENTRYPOINT SECURITY_ENTRYPOINTW
#define SECURITY_ENTRYPOINT_ANSI SECURITY_ENTRYPOINT_ANSIW
#else
#define SECURITY_ENTRYPOINT SECURITY_ENTRYPOINTA
#define SECURITY_ENTRYPOINT_ANSI SECURITY_ENTRYPOINT_ANSIA
#endif

/* The level of the interface, and its mode: programs, not the kernel. */
#define ISSP_MODE  1
#define ISSP_LEVEL 32

/* What programs that use SSPI also know from winnt.h and wincrypt.h, where they have no such header. */
#ifndef PORTCULLIS_NO_BASIC_TYPES

/* Quality of service of a client that opens something. */
#define SECURITY_ANONYMOUS        0x00000000
#define SECURITY_IDENTIFICATION   0x00010000
#define SECURITY_IMPERSONATION    0x00020000
#define SECURITY_DELEGATION       0x00030000
#define SECURITY_CONTEXT_TRACKING 0x00040000
#define SECURITY_EFFECTIVE_ONLY   0x00080000
#define SECURITY_SQOS_PRESENT     0x00100000
#define SECURITY_VALID_SQOS_FLAGS 0x001F0000

/* Lowest and highest of SECURITY_IMPERSONATION_LEVEL, and how a context is tracked. */
#define SECURITY_MIN_IMPERSONATION_LEVEL 0
#define SECURITY_MAX_IMPERSONATION_LEVEL 3
#define SECURITY_STATIC_TRACKING         0
#define SECURITY_DYNAMIC_TRACKING        1

/* Authorities of SIDs, six bytes each. */
#define SECURITY_NULL_SID_AUTHORITY         {0, 0, 0, 0, 0, 0}
#define SECURITY_WORLD_SID_AUTHORITY        {0, 0, 0, 0, 0, 1}
#define SECURITY_LOCAL_SID_AUTHORITY        {0, 0, 0, 0, 0, 2}
#define SECURITY_CREATOR_SID_AUTHORITY      {0, 0, 0, 0, 0, 3}
#define SECURITY_NON_UNIQUE_AUTHORITY       {0, 0, 0, 0, 0, 4}
#define SECURITY_NT_AUTHORITY               {0, 0, 0, 0, 0, 5}
#define SECURITY_RESOURCE_MANAGER_AUTHORITY {0, 0, 0, 0, 0, 9}
#define SECURITY_APP_PACKAGE_AUTHORITY      {0, 0, 0, 0, 0, 15}
#define SECURITY_MANDATORY_LABEL_AUTHORITY  {0, 0, 0, 0, 0, 16}
#define SECURITY_SCOPED_POLICY_ID_AUTHORITY {0, 0, 0, 0, 0, 17}
#define SECURITY_AUTHENTICATION_AUTHORITY   {0, 0, 0, 0, 0, 18}

/* Parts of SIDs: capabilities and application packages. */
#define SECURITY_CAPABILITY_APPOINTMENTS                  0x0000000B
#define SECURITY_CAPABILITY_BASE_RID                      0x00000003
#define SECURITY_CAPABILITY_CONTACTS                      0x0000000C
#define SECURITY_CAPABILITY_DOCUMENTS_LIBRARY             0x00000007
#define SECURITY_CAPABILITY_ENTERPRISE_AUTHENTICATION     0x00000008
#define SECURITY_CAPABILITY_INTERNET_CLIENT               0x00000001
#define SECURITY_CAPABILITY_INTERNET_CLIENT_SERVER        0x00000002
#define SECURITY_CAPABILITY_INTERNET_EXPLORER             0x00001000
#define SECURITY_CAPABILITY_MUSIC_LIBRARY                 0x00000006
#define SECURITY_CAPABILITY_PICTURES_LIBRARY              0x00000004
#define SECURITY_CAPABILITY_PRIVATE_NETWORK_CLIENT_SERVER 0x00000003
#define SECURITY_CAPABILITY_REMOVABLE_STORAGE             0x0000000A
#define SECURITY_CAPABILITY_RID_COUNT                     0x00000005
#define SECURITY_CAPABILITY_SHARED_USER_CERTIFICATES      0x00000009
#define SECURITY_CAPABILITY_VIDEOS_LIBRARY                0x00000005
#define SECURITY_APP_PACKAGE_BASE_RID                     0x00000002
#define SECURITY_APP_PACKAGE_RID_COUNT                    0x00000008
#define SECURITY_BUILTIN_APP_PACKAGE_RID_COUNT            0x00000002
#define SECURITY_BUILTIN_CAPABILITY_RID_COUNT             0x00000002
#define SECURITY_BUILTIN_PACKAGE_ANY_PACKAGE              0x00000001
#define SECURITY_BUILTIN_PACKAGE_ANY_RESTRICTED_PACKAGE   0x00000002

/* Parts of SIDs: labels of integrity. */
#define SECURITY_MANDATORY_UNTRUSTED_RID         0x00000000
#define SECURITY_MANDATORY_LOW_RID               0x00001000
#define SECURITY_MANDATORY_MEDIUM_RID            0x00002000
#define SECURITY_MANDATORY_HIGH_RID              0x00003000
#define SECURITY_MANDATORY_SYSTEM_RID            0x00004000
#define SECURITY_MANDATORY_MAXIMUM_USER_RID      0x00004000
#define SECURITY_MANDATORY_PROTECTED_PROCESS_RID 0x00005000

/* Parts of SIDs: who created something. */
#define SECURITY_CREATOR_OWNER_RID        0x00000000
#define SECURITY_CREATOR_GROUP_RID        0x00000001
#define SECURITY_CREATOR_OWNER_SERVER_RID 0x00000002
#define SECURITY_CREATOR_GROUP_SERVER_RID 0x00000003
#define SECURITY_CREATOR_OWNER_RIGHTS_RID 0x00000004

/* Parts of SIDs: ways in which authentication was asserted. */
#define SECURITY_AUTHENTICATION_AUTHORITY_ASSERTED_RID 0x00000001
#define SECURITY_AUTHENTICATION_AUTHORITY_RID_COUNT    0x00000001
#define SECURITY_AUTHENTICATION_SERVICE_ASSERTED_RID   0x00000002

/* Parts of SIDs: packages. */
#define SECURITY_CRED_TYPE_BASE_RID          0x00000041
#define SECURITY_CRED_TYPE_RID_COUNT         0x00000002
#define SECURITY_CRED_TYPE_THIS_ORG_CERT_RID 0x00000001
#define SECURITY_PACKAGE_BASE_RID            0x00000040
#define SECURITY_PACKAGE_DIGEST_RID          0x00000015
#define SECURITY_PACKAGE_NTLM_RID            0x0000000A
#define SECURITY_PACKAGE_RID_COUNT           0x00000002
#define SECURITY_PACKAGE_SCHANNEL_RID        0x0000000E

/* Parts of SIDs: the installer of Windows. */
#define SECURITY_TRUSTED_INSTALLER_RID1 956008885U
#define SECURITY_TRUSTED_INSTALLER_RID2 3418522649U
#define SECURITY_TRUSTED_INSTALLER_RID3 1831038044U
#define SECURITY_TRUSTED_INSTALLER_RID4 1853292631U
#define SECURITY_TRUSTED_INSTALLER_RID5 2271478464U

/* Parts of SIDs: bases and counts of ranges. */
#define SECURITY_APPPOOL_ID_BASE_RID                        0x00000052
#define SECURITY_APPPOOL_ID_RID_COUNT                       0x00000006
#define SECURITY_CLOUD_INFRASTRUCTURE_SERVICES_ID_BASE_RID  0x00000055
#define SECURITY_CLOUD_INFRASTRUCTURE_SERVICES_ID_RID_COUNT 0x00000006
#define SECURITY_COM_ID_BASE_RID                            0x00000059
#define SECURITY_DASHOST_ID_BASE_RID                        0x0000005C
#define SECURITY_DASHOST_ID_RID_COUNT                       0x00000006
#define SECURITY_LOGON_IDS_RID_COUNT                        0x00000003
#define SECURITY_MAX_ALWAYS_FILTERED                        0x000003E7
#define SECURITY_MAX_BASE_RID                               0x0000006F
#define SECURITY_MIN_BASE_RID                               0x00000050
#define SECURITY_MIN_NEVER_FILTERED                         0x000003E8
#define SECURITY_NFS_ID_BASE_RID                            0x00000058
#define SECURITY_NT_NON_UNIQUE_SUB_AUTH_COUNT               0x00000003
#define SECURITY_RDV_GFX_BASE_RID                           0x0000005B
#define SECURITY_RESERVED_ID_BASE_RID                       0x00000051
#define SECURITY_SERVICE_ID_BASE_RID                        0x00000050
#define SECURITY_SERVICE_ID_RID_COUNT                       0x00000006
#define SECURITY_TASK_ID_BASE_RID                           0x00000057
#define SECURITY_USERMODEDRIVERHOST_ID_BASE_RID             0x00000054
#define SECURITY_USERMODEDRIVERHOST_ID_RID_COUNT            0x00000006
#define SECURITY_VIRTUALACCOUNT_ID_RID_COUNT                0x00000006
#define SECURITY_VIRTUALSERVER_ID_BASE_RID                  0x00000053
#define SECURITY_VIRTUALSERVER_ID_RID_COUNT                 0x00000006
#define SECURITY_WINDOWSMOBILE_ID_BASE_RID                  0x00000070
#define SECURITY_WINDOW_MANAGER_BASE_RID                    0x0000005A
#define SECURITY_WMIHOST_ID_BASE_RID                        0x00000056
#define SECURITY_WMIHOST_ID_RID_COUNT                       0x00000006

/* Parts of SIDs: well known ones. */
#define SECURITY_NULL_RID                            0x00000000
#define SECURITY_LOCAL_RID                           0x00000000
#define SECURITY_WORLD_RID                           0x00000000
#define SECURITY_DIALUP_RID                          0x00000001
#define SECURITY_LOCAL_LOGON_RID                     0x00000001
#define SECURITY_NETWORK_RID                         0x00000002
#define SECURITY_BATCH_RID                           0x00000003
#define SECURITY_INTERACTIVE_RID                     0x00000004
#define SECURITY_LOGON_IDS_RID                       0x00000005
#define SECURITY_SERVICE_RID                         0x00000006
#define SECURITY_ANONYMOUS_LOGON_RID                 0x00000007
#define SECURITY_PROXY_RID                           0x00000008
#define SECURITY_SERVER_LOGON_RID                    0x00000009
#define SECURITY_ENTERPRISE_CONTROLLERS_RID          0x00000009
#define SECURITY_PRINCIPAL_SELF_RID                  0x0000000A
#define SECURITY_AUTHENTICATED_USER_RID              0x0000000B
#define SECURITY_RESTRICTED_CODE_RID                 0x0000000C
#define SECURITY_TERMINAL_SERVER_RID                 0x0000000D
#define SECURITY_REMOTE_LOGON_RID                    0x0000000E
#define SECURITY_THIS_ORGANIZATION_RID               0x0000000F
#define SECURITY_IUSER_RID                           0x00000011
#define SECURITY_LOCAL_SYSTEM_RID                    0x00000012
#define SECURITY_LOCAL_SERVICE_RID                   0x00000013
#define SECURITY_NETWORK_SERVICE_RID                 0x00000014
#define SECURITY_NT_NON_UNIQUE                       0x00000015
#define SECURITY_ENTERPRISE_READONLY_CONTROLLERS_RID 0x00000016
#define SECURITY_BUILTIN_DOMAIN_RID                  0x00000020
#define SECURITY_WRITE_RESTRICTED_CODE_RID           0x00000021
#define SECURITY_OTHER_ORGANIZATION_RID              0x000003E8

/* Security descriptors, zones, and the rest. */
#define SECURITY_DESCRIPTOR_REVISION  1
#define SECURITY_DESCRIPTOR_REVISION1 1
#define SECURITY_IE_STATE_GREEN       0
#define SECURITY_IE_STATE_RED         1
#define EXPORT_PRIVATE_KEYS           4

#define SECURITY_DESCRIPTOR_MIN_LENGTH (8 + 4 * sizeof(void *)) /* two words, and four pointers */
#define SECURITY_MAX_SID_SIZE 68 /* a SID with 15 parts */

#endif /* PORTCULLIS_NO_BASIC_TYPES */

/* ================================================================================================================
 * 6. Packages and buffers
 * ============================================================================================================= */

/* What a package can do (SECPKG_FLAG_...), and the largest token that it makes. */
typedef struct _SecPkgInfoA {
    ULONG fCapabilities;
    USHORT wVersion;
    USHORT wRPCID;
    ULONG cbMaxToken;
    SEC_CHAR *Name;
    SEC_CHAR *Comment;
} SecPkgInfoA, *PSecPkgInfoA;

typedef struct _SecPkgInfoW {
    ULONG fCapabilities;
    USHORT wVersion;
    USHORT wRPCID;
    ULONG cbMaxToken;
    SEC_WCHAR *Name;
    SEC_WCHAR *Comment;
} SecPkgInfoW, *PSecPkgInfoW;

/* How AddSecurityPackage describes a package. */
typedef struct _SECURITY_PACKAGE_OPTIONS {
    ULONG Size;
    ULONG Type;
    ULONG Flags;
    ULONG SignatureSize;
    void *Signature;
} SECURITY_PACKAGE_OPTIONS, *PSECURITY_PACKAGE_OPTIONS;

/* A piece of memory and its role: a SECBUFFER_... number, with the bits of SECBUFFER_ATTRMASK ORed in. */
typedef struct _SecBuffer {
    ULONG cbBuffer;
    ULONG BufferType;
    void *pvBuffer;
} SecBuffer, *PSecBuffer;

/* Pieces in their order; ulVersion is SECBUFFER_VERSION. */
typedef struct _SecBufferDesc {
    ULONG ulVersion;
    ULONG cBuffers;
    PSecBuffer pBuffers;
} SecBufferDesc, *PSecBufferDesc;

/* Length and MaximumLength count bytes. */
typedef struct _SECURITY_STRING {
    USHORT Length;
    USHORT MaximumLength;
    USHORT *Buffer;
} SECURITY_STRING, *PSECURITY_STRING;

/* Content of SECBUFFER_NEGOTIATION_INFO. */
typedef struct _SEC_NEGOTIATION_INFO {
    ULONG Size;
    ULONG NameLength;
    SEC_WCHAR *Name;
    void *Reserved;
} SEC_NEGOTIATION_INFO, *PSEC_NEGOTIATION_INFO;

/*
 * Content of SECBUFFER_CHANNEL_BINDINGS. Offsets count from the start of the structure, and the data follow it. For TLS
 * only the application data are there: "tls-server-end-point:" or "tls-unique:" and the binding's bytes.
 */
typedef struct _SEC_CHANNEL_BINDINGS {
    ULONG dwInitiatorAddrType;
    ULONG cbInitiatorLength;
    ULONG dwInitiatorOffset;
    ULONG dwAcceptorAddrType;
    ULONG cbAcceptorLength;
    ULONG dwAcceptorOffset;
    ULONG cbApplicationDataLength;
    ULONG dwApplicationDataOffset;
} SEC_CHANNEL_BINDINGS, *PSEC_CHANNEL_BINDINGS;

/* The longer form, with flags (SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS). */
typedef struct _SEC_CHANNEL_BINDINGS_EX {
    ULONG magicNumber;
    ULONG flags;
    ULONG cbHeaderLength;
    ULONG cbStructureLength;
    ULONG dwInitiatorAddrType;
    ULONG cbInitiatorLength;
    ULONG dwInitiatorOffset;
    ULONG dwAcceptorAddrType;
    ULONG cbAcceptorLength;
    ULONG dwAcceptorOffset;
    ULONG cbApplicationDataLength;
    ULONG dwApplicationDataOffset;
} SEC_CHANNEL_BINDINGS_EX, *PSEC_CHANNEL_BINDINGS_EX;

/* Content of SECBUFFER_CHANNEL_BINDINGS_RESULT, which an acceptor fills: SEC_CHANNEL_BINDINGS_RESULT_... */
typedef struct _SEC_CHANNEL_BINDINGS_RESULT {
    ULONG flags;
} SEC_CHANNEL_BINDINGS_RESULT, *PSEC_CHANNEL_BINDINGS_RESULT;

/* Content of SECBUFFER_FLAGS: request flags of which the upper 32 bits have no room in fContextReq. */
typedef struct _SEC_FLAGS {
    ULONGLONG Flags;
} SEC_FLAGS, *PSEC_FLAGS;

/* How an application protocol was agreed on (ALPN), and with what outcome. */
typedef enum _SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT {
    SecApplicationProtocolNegotiationExt_None = 0,
    SecApplicationProtocolNegotiationExt_NPN = 1,
    SecApplicationProtocolNegotiationExt_ALPN = 2
} SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT, *PSEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT;

typedef enum _SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS {
    SecApplicationProtocolNegotiationStatus_None = 0,
    SecApplicationProtocolNegotiationStatus_Success = 1,
    SecApplicationProtocolNegotiationStatus_SelectedClientOnly = 2
} SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS, *PSEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS;

/* Content of SECBUFFER_APPLICATION_PROTOCOLS: lists back to back without padding, each longer than it is declared. */
typedef struct _SEC_APPLICATION_PROTOCOL_LIST {
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT ProtoNegoExt;
    USHORT ProtocolListSize;
    UCHAR ProtocolList[1];
} SEC_APPLICATION_PROTOCOL_LIST, *PSEC_APPLICATION_PROTOCOL_LIST;

typedef struct _SEC_APPLICATION_PROTOCOLS {
    ULONG ProtocolListsSize;
    SEC_APPLICATION_PROTOCOL_LIST ProtocolLists[1];
} SEC_APPLICATION_PROTOCOLS, *PSEC_APPLICATION_PROTOCOLS;

/* Content of SECBUFFER_DTLS_MTU. */
typedef struct _SEC_DTLS_MTU {
    USHORT PathMTU;
} SEC_DTLS_MTU, *PSEC_DTLS_MTU;

/* Content of SECBUFFER_SEND_GENERIC_TLS_EXTENSION; Buffer is as long as BufferSize says. */
typedef struct _SEND_GENERIC_TLS_EXTENSION {
    WORD ExtensionType;
    WORD HandshakeType;
    DWORD Flags;
    WORD BufferSize;
    UCHAR Buffer[1];
} SEND_GENERIC_TLS_EXTENSION, *PSEND_GENERIC_TLS_EXTENSION;

/* Content of SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION. */
typedef struct _TLS_EXTENSION_SUBSCRIPTION {
    WORD ExtensionType;
    WORD HandshakeType;
} TLS_EXTENSION_SUBSCRIPTION, *PTLS_EXTENSION_SUBSCRIPTION;

typedef struct _SUBSCRIBE_GENERIC_TLS_EXTENSION {
    DWORD Flags;
    DWORD SubscriptionsCount;
    TLS_EXTENSION_SUBSCRIPTION Subscriptions[1];
} SUBSCRIBE_GENERIC_TLS_EXTENSION, *PSUBSCRIBE_GENERIC_TLS_EXTENSION;

/* Content of SECBUFFER_TRAFFIC_SECRETS: keys for a transport that has its own records (QUIC). */
#define SZ_ALG_MAX_SIZE 64

typedef enum _SEC_TRAFFIC_SECRET_TYPE {
    SecTrafficSecret_None = 0,
    SecTrafficSecret_Client = 1,
    SecTrafficSecret_Server = 2
} SEC_TRAFFIC_SECRET_TYPE, *PSEC_TRAFFIC_SECRET_TYPE;

typedef struct _SEC_TRAFFIC_SECRETS {
    SEC_WCHAR SymmetricAlgId[SZ_ALG_MAX_SIZE];
    SEC_WCHAR ChainingMode[SZ_ALG_MAX_SIZE];
    SEC_WCHAR HashAlgId[SZ_ALG_MAX_SIZE];
    USHORT KeySize;
    USHORT IvSize;
    USHORT MsgSequenceStart;
    USHORT MsgSequenceEnd;
    SEC_TRAFFIC_SECRET_TYPE TrafficSecretType;
    USHORT TrafficSecretSize;
    UCHAR TrafficSecret[1];
} SEC_TRAFFIC_SECRETS, *PSEC_TRAFFIC_SECRETS;

/* ================================================================================================================
 * 7. Identities and credentials
 * ============================================================================================================= */

/*
 * Name and password for AcquireCredentialsHandle. Lengths count characters, without a terminating zero. Flags says of
 * which kind the characters are (SEC_WINNT_AUTH_IDENTITY_ANSI or _UNICODE), whichever function gets the structure.
 */
typedef struct _SEC_WINNT_AUTH_IDENTITY_A {
    unsigned char *User;
    ULONG UserLength;
    unsigned char *Domain;
    ULONG DomainLength;
    unsigned char *Password;
    ULONG PasswordLength;
    ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_A, *PSEC_WINNT_AUTH_IDENTITY_A;

typedef struct _SEC_WINNT_AUTH_IDENTITY_W {
    USHORT *User;
    ULONG UserLength;
    USHORT *Domain;
    ULONG DomainLength;
    USHORT *Password;
    ULONG PasswordLength;
    ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_W, *PSEC_WINNT_AUTH_IDENTITY_W;

/*
 * The same with a list of packages ("kerberos", or "!ntlm" to leave one out), separated by commas. Version is
 * SEC_WINNT_AUTH_IDENTITY_VERSION, Length the size of the structure.
 */
typedef struct _SEC_WINNT_AUTH_IDENTITY_EXA {
    ULONG Version;
    ULONG Length;
    unsigned char *User;
    ULONG UserLength;
    unsigned char *Domain;
    ULONG DomainLength;
    unsigned char *Password;
    ULONG PasswordLength;
    ULONG Flags;
    unsigned char *PackageList;
    ULONG PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXA, *PSEC_WINNT_AUTH_IDENTITY_EXA;

typedef struct _SEC_WINNT_AUTH_IDENTITY_EXW {
    ULONG Version;
    ULONG Length;
    USHORT *User;
    ULONG UserLength;
    USHORT *Domain;
    ULONG DomainLength;
    USHORT *Password;
    ULONG PasswordLength;
    ULONG Flags;
    USHORT *PackageList;
    ULONG PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXW, *PSEC_WINNT_AUTH_IDENTITY_EXW;

/*
 * The same in one piece: offsets count from its start, lengths count bytes. Version is
 * SEC_WINNT_AUTH_IDENTITY_VERSION_2, cbHeaderLength the size of the structure, cbStructureLength that of all.
 */
typedef struct _SEC_WINNT_AUTH_IDENTITY_EX2 {
    ULONG Version;
    USHORT cbHeaderLength;
    ULONG cbStructureLength;
    ULONG UserOffset;
    USHORT UserLength;
    ULONG DomainOffset;
    USHORT DomainLength;
    ULONG PackedCredentialsOffset;
    USHORT PackedCredentialsLength;
    ULONG Flags;
    ULONG PackageListOffset;
    USHORT PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EX2, *PSEC_WINNT_AUTH_IDENTITY_EX2;

/*
 * What PackedCredentials leads to: a credential of this type, whose bytes lie CredData behind the structure's own start. Of a
 * keytab those are the bytes of the file; of a password they are SEC_WINNT_AUTH_DATA_PASSWORD, whose text is UTF-16.
 */
typedef struct _SEC_WINNT_AUTH_BYTE_VECTOR {
    ULONG ByteArrayOffset;
    USHORT ByteArrayLength;
} SEC_WINNT_AUTH_BYTE_VECTOR, *PSEC_WINNT_AUTH_BYTE_VECTOR;

typedef struct _SEC_WINNT_AUTH_DATA {
    GUID CredType;
    SEC_WINNT_AUTH_BYTE_VECTOR CredData;
} SEC_WINNT_AUTH_DATA, *PSEC_WINNT_AUTH_DATA;

typedef struct _SEC_WINNT_AUTH_PACKED_CREDENTIALS {
    USHORT cbHeaderLength;
    USHORT cbStructureLength;
    SEC_WINNT_AUTH_DATA AuthData;
} SEC_WINNT_AUTH_PACKED_CREDENTIALS, *PSEC_WINNT_AUTH_PACKED_CREDENTIALS;

typedef struct _SEC_WINNT_AUTH_DATA_PASSWORD {
    SEC_WINNT_AUTH_BYTE_VECTOR UnicodePassword;
} SEC_WINNT_AUTH_DATA_PASSWORD, *PSEC_WINNT_AUTH_DATA_PASSWORD;

static const GUID SEC_WINNT_AUTH_DATA_TYPE_PASSWORD = {
    0x28bfc32f, 0x10f6, 0x4738, {0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a}};
static const GUID SEC_WINNT_AUTH_DATA_TYPE_KEYTAB = {
    0xd587aae8, 0xf78f, 0x4455, {0xa1, 0x12, 0xc9, 0x34, 0xbe, 0xee, 0x7c, 0xe1}};

/* Any of them. */
typedef void *PSEC_WINNT_AUTH_IDENTITY_OPAQUE;

#ifdef UNICODE
#define SEC_WINNT_AUTH_IDENTITY SEC_WINNT_AUTH_IDENTITY_W
#define PSEC_WINNT_AUTH_IDENTITY PSEC_WINNT_AUTH_IDENTITY_W
#define _SEC_WINNT_AUTH_IDENTITY _SEC_WINNT_AUTH_IDENTITY_W
#define SEC_WINNT_AUTH_IDENTITY_EX SEC_WINNT_AUTH_IDENTITY_EXW
#define PSEC_WINNT_AUTH_IDENTITY_EX PSEC_WINNT_AUTH_IDENTITY_EXW
#else
#define SEC_WINNT_AUTH_IDENTITY SEC_WINNT_AUTH_IDENTITY_A
#define PSEC_WINNT_AUTH_IDENTITY PSEC_WINNT_AUTH_IDENTITY_A
#define _SEC_WINNT_AUTH_IDENTITY _SEC_WINNT_AUTH_IDENTITY_A
#define SEC_WINNT_AUTH_IDENTITY_EX SEC_WINNT_AUTH_IDENTITY_EXA
#define PSEC_WINNT_AUTH_IDENTITY_EX PSEC_WINNT_AUTH_IDENTITY_EXA
#endif

/* Fetches a key while a credential is acquired. */
typedef void(SEC_ENTRY *SEC_GET_KEY_FN)(void *Arg, void *Principal, ULONG KeyVer, void **Key, SECURITY_STATUS *Status);

/* TLS credentials of the older kind: dwVersion is SCHANNEL_CRED_VERSION. */
struct _HMAPPER;

typedef struct _SCHANNEL_CRED {
    DWORD dwVersion;
    DWORD cCreds;
    PCCERT_CONTEXT *paCred;
    HCERTSTORE hRootStore;
    DWORD cMappers;
    struct _HMAPPER **aphMappers;
    DWORD cSupportedAlgs;
    ALG_ID *palgSupportedAlgs;
    DWORD grbitEnabledProtocols;
    DWORD dwMinimumCipherStrength;
    DWORD dwMaximumCipherStrength;
    DWORD dwSessionLifespan;
    DWORD dwFlags;
    DWORD dwCredFormat;
} SCHANNEL_CRED, *PSCHANNEL_CRED;

/* TLS credentials of the newer kind: dwVersion is SCH_CREDENTIALS_VERSION. */
typedef enum _eTlsAlgorithmUsage {
    TlsParametersCngAlgUsageKeyExchange = 0,
    TlsParametersCngAlgUsageSignature = 1,
    TlsParametersCngAlgUsageCipher = 2,
    TlsParametersCngAlgUsageDigest = 3,
    TlsParametersCngAlgUsageCertSig = 4
} eTlsAlgorithmUsage;

typedef struct _CRYPTO_SETTINGS {
    eTlsAlgorithmUsage eAlgorithmUsage;
    UNICODE_STRING strCngAlgId;
    DWORD cChainingModes;
    PUNICODE_STRING rgstrChainingModes;
    DWORD dwMinBitLength;
    DWORD dwMaxBitLength;
} CRYPTO_SETTINGS, *PCRYPTO_SETTINGS;

typedef struct _TLS_PARAMETERS {
    DWORD cAlpnIds;
    PUNICODE_STRING rgstrAlpnIds;
    DWORD grbitDisabledProtocols;
    DWORD cDisabledCrypto;
    PCRYPTO_SETTINGS pDisabledCrypto;
    DWORD dwFlags;
} TLS_PARAMETERS, *PTLS_PARAMETERS;

typedef struct _SCH_CREDENTIALS {
    DWORD dwVersion;
    DWORD dwCredFormat;
    DWORD cCreds;
    PCCERT_CONTEXT *paCred;
    HCERTSTORE hRootStore;
    DWORD cMappers;
    struct _HMAPPER **aphMappers;
    DWORD dwSessionLifespan;
    DWORD dwFlags;
    DWORD cTlsParameters;
    PTLS_PARAMETERS pTlsParameters;
} SCH_CREDENTIALS, *PSCH_CREDENTIALS;

/* What ApplyControlToken takes beside a bare SCHANNEL_SHUTDOWN or SCHANNEL_RENEGOTIATE. */
typedef struct _SCHANNEL_ALERT_TOKEN {
    DWORD dwTokenType;
    DWORD dwAlertType;
    DWORD dwAlertNumber;
} SCHANNEL_ALERT_TOKEN;

typedef struct _SCHANNEL_SESSION_TOKEN {
    DWORD dwTokenType;
    DWORD dwFlags;
} SCHANNEL_SESSION_TOKEN;

/* Credentials of CredSSP: those of the TLS channel, and those that go through it. */
typedef enum _CREDSSP_SUBMIT_TYPE {
    CredsspPasswordCreds = 2,
    CredsspSchannelCreds = 4,
    CredsspCertificateCreds = 13,
    CredsspSubmitBufferBoth = 50,
    CredsspSubmitBufferBothOld = 51,
    CredsspCredEx = 100
} CREDSPP_SUBMIT_TYPE; /* the P for an S is part of the name */

typedef struct _CREDSSP_CRED {
    CREDSPP_SUBMIT_TYPE Type;
    void *pSchannelCred;
    void *pSpnegoCred;
} CREDSSP_CRED, *PCREDSSP_CRED;

/* ================================================================================================================
 * 8. Attributes of credentials
 *
 * The structure is the caller's; what its pointers lead to is freed with FreeContextBuffer.
 * ============================================================================================================= */

/* SECPKG_CRED_ATTR_NAMES */
typedef struct _SecPkgCredentials_NamesA {
    SEC_CHAR *sUserName;
} SecPkgCredentials_NamesA, *PSecPkgCredentials_NamesA;

typedef struct _SecPkgCredentials_NamesW {
    SEC_WCHAR *sUserName;
} SecPkgCredentials_NamesW, *PSecPkgCredentials_NamesW;

/* SECPKG_CRED_ATTR_SSI_PROVIDER */
typedef struct _SecPkgCredentials_SSIProviderA {
    SEC_CHAR *sProviderName;
    ULONG ProviderInfoLength;
    char *ProviderInfo;
} SecPkgCredentials_SSIProviderA, *PSecPkgCredentials_SSIProviderA;

typedef struct _SecPkgCredentials_SSIProviderW {
    SEC_WCHAR *sProviderName;
    ULONG ProviderInfoLength;
    char *ProviderInfo;
} SecPkgCredentials_SSIProviderW, *PSecPkgCredentials_SSIProviderW;

/* SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS: offsets from its own start, lengths in bytes; wide in either function. */
typedef struct _SecPkgCredentials_KdcProxySettingsW {
    ULONG Version;
    ULONG Flags;
    USHORT ProxyServerOffset;
    USHORT ProxyServerLength;
    USHORT ClientTlsCredOffset;
    USHORT ClientTlsCredLength;
} SecPkgCredentials_KdcProxySettingsW, *PSecPkgCredentials_KdcProxySettingsW;
#define SecPkgCredentials_KdcProxySettings SecPkgCredentials_KdcProxySettingsW
#define PSecPkgCredentials_KdcProxySettings PSecPkgCredentials_KdcProxySettingsW

/* SECPKG_CRED_ATTR_CERT */
typedef struct _SecPkgCredentials_Cert {
    ULONG EncodedCertSize;
    UCHAR *EncodedCert;
} SecPkgCredentials_Cert, *PSecPkgCredentials_Cert;

/* SECPKG_ATTR_SUPPORTED_ALGS, _CIPHER_STRENGTHS, _SUPPORTED_PROTOCOLS, _CLIENT_CERT_POLICY and _SESSION_TICKET_KEYS */
typedef struct _SecPkgCred_SupportedAlgs {
    DWORD cSupportedAlgs;
    ALG_ID *palgSupportedAlgs;
} SecPkgCred_SupportedAlgs, *PSecPkgCred_SupportedAlgs;

typedef struct _SecPkgCred_CipherStrengths {
    DWORD dwMinimumCipherStrength;
    DWORD dwMaximumCipherStrength;
} SecPkgCred_CipherStrengths, *PSecPkgCred_CipherStrengths;

typedef struct _SecPkgCred_SupportedProtocols {
    DWORD grbitProtocol;
} SecPkgCred_SupportedProtocols, *PSecPkgCred_SupportedProtocols;

typedef struct _SecPkgCred_ClientCertPolicy {
    DWORD dwFlags;
    GUID guidPolicyId;
    DWORD dwCertFlags;
    DWORD dwUrlRetrievalTimeout;
    BOOL fCheckRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    BOOL fOmitUsageCheck;
    LPWSTR pwszSslCtlStoreName;
    LPWSTR pwszSslCtlIdentifier;
} SecPkgCred_ClientCertPolicy, *PSecPkgCred_ClientCertPolicy;

typedef struct _SecPkgCred_SessionTicketKey {
    DWORD TicketInfoVersion;
    BYTE KeyId[16];
    BYTE KeyingMaterial[64];
    BYTE KeyingMaterialSize;
} SecPkgCred_SessionTicketKey, *PSecPkgCred_SessionTicketKey;

typedef struct _SecPkgCred_SessionTicketKeys {
    DWORD cSessionTicketKeys;
    PSecPkgCred_SessionTicketKey pSessionTicketKeys;
} SecPkgCred_SessionTicketKeys, *PSecPkgCred_SessionTicketKeys;

/* ================================================================================================================
 * 9. Attributes of contexts
 *
 * The structure is the caller's; what its pointers lead to is freed with FreeContextBuffer, unless it says otherwise.
 * ============================================================================================================= */

/* SECPKG_ATTR_SIZES: how large tokens, signatures and the trailer of an encrypted message are at most. */
typedef struct _SecPkgContext_Sizes {
    ULONG cbMaxToken;
    ULONG cbMaxSignature;
    ULONG cbBlockSize;
    ULONG cbSecurityTrailer;
} SecPkgContext_Sizes, *PSecPkgContext_Sizes;

/* SECPKG_ATTR_STREAM_SIZES: the same of packages that make records. */
typedef struct _SecPkgContext_StreamSizes {
    ULONG cbHeader;
    ULONG cbTrailer;
    ULONG cbMaximumMessage;
    ULONG cBuffers;
    ULONG cbBlockSize;
} SecPkgContext_StreamSizes, *PSecPkgContext_StreamSizes;
typedef SecPkgContext_StreamSizes SecPkgContext_DatagramSizes, *PSecPkgContext_DatagramSizes;

/* SECPKG_ATTR_NAMES: who the other side is, DOMAIN\user. */
typedef struct _SecPkgContext_NamesA {
    SEC_CHAR *sUserName;
} SecPkgContext_NamesA, *PSecPkgContext_NamesA;

typedef struct _SecPkgContext_NamesW {
    SEC_WCHAR *sUserName;
} SecPkgContext_NamesW, *PSecPkgContext_NamesW;

/* SECPKG_ATTR_LIFESPAN */
typedef struct _SecPkgContext_Lifespan {
    TimeStamp tsStart;
    TimeStamp tsExpiry;
} SecPkgContext_Lifespan, *PSecPkgContext_Lifespan;

/*
 * SECPKG_ATTR_DCE_INFO: for RPC. Where AuthzSvc is RPC_C_AUTHZ_NAME, pPac is the client's name. Where it is RPC_C_AUTHZ_DCE, it
 * is the client's PAC, verified, as its ticket has it (MS-PAC 2.3); PORTCULLIS_ATTR_PAC says how long that is.
 */
#ifndef RPC_C_AUTHZ_NAME
#define RPC_C_AUTHZ_NAME 1
#endif
#ifndef RPC_C_AUTHZ_DCE
#define RPC_C_AUTHZ_DCE 2
#endif
typedef struct _SecPkgContext_DceInfo {
    ULONG AuthzSvc;
    void *pPac;
} SecPkgContext_DceInfo, *PSecPkgContext_DceInfo;

/*
 * SECPKG_ATTR_KEY_INFO. Of Kerberos the numbers are those of ntsecapi.h, KERB_CHECKSUM_... (as an unsigned number) and
 * KERB_ETYPE_..., and of the registries that these come from.
 */
#ifndef KERB_ETYPE_RC4_HMAC_NT
#define KERB_ETYPE_AES128_CTS_HMAC_SHA1_96 17
#define KERB_ETYPE_AES256_CTS_HMAC_SHA1_96 18
#define KERB_ETYPE_RC4_HMAC_NT             23
#endif
#ifndef KERB_CHECKSUM_HMAC_MD5
#define KERB_CHECKSUM_HMAC_SHA1_96_AES128 15
#define KERB_CHECKSUM_HMAC_SHA1_96_AES256 16
#define KERB_CHECKSUM_HMAC_MD5            (-138)
#endif
typedef struct _SecPkgContext_KeyInfoA {
    SEC_CHAR *sSignatureAlgorithmName;
    SEC_CHAR *sEncryptAlgorithmName;
    ULONG KeySize;
    ULONG SignatureAlgorithm;
    ULONG EncryptAlgorithm;
} SecPkgContext_KeyInfoA, *PSecPkgContext_KeyInfoA;

typedef struct _SecPkgContext_KeyInfoW {
    SEC_WCHAR *sSignatureAlgorithmName;
    SEC_WCHAR *sEncryptAlgorithmName;
    ULONG KeySize;
    ULONG SignatureAlgorithm;
    ULONG EncryptAlgorithm;
} SecPkgContext_KeyInfoW, *PSecPkgContext_KeyInfoW;

/* SECPKG_ATTR_AUTHORITY: who vouched for the client. */
typedef struct _SecPkgContext_AuthorityA {
    SEC_CHAR *sAuthorityName;
} SecPkgContext_AuthorityA, *PSecPkgContext_AuthorityA;

typedef struct _SecPkgContext_AuthorityW {
    SEC_WCHAR *sAuthorityName;
} SecPkgContext_AuthorityW, *PSecPkgContext_AuthorityW;

/* SECPKG_ATTR_PROTO_INFO */
typedef struct _SecPkgContext_ProtoInfoA {
    SEC_CHAR *sProtocolName;
    ULONG majorVersion;
    ULONG minorVersion;
} SecPkgContext_ProtoInfoA, *PSecPkgContext_ProtoInfoA;

typedef struct _SecPkgContext_ProtoInfoW {
    SEC_WCHAR *sProtocolName;
    ULONG majorVersion;
    ULONG minorVersion;
} SecPkgContext_ProtoInfoW, *PSecPkgContext_ProtoInfoW;

/* SECPKG_ATTR_PASSWORD_EXPIRY */
typedef struct _SecPkgContext_PasswordExpiry {
    TimeStamp tsPasswordExpires;
} SecPkgContext_PasswordExpiry, *PSecPkgContext_PasswordExpiry;

/* SECPKG_ATTR_LOGOFF_TIME */
typedef struct _SecPkgContext_LogoffTime {
    TimeStamp tsLogoffTime;
} SecPkgContext_LogoffTime, *PSecPkgContext_LogoffTime;

/* SECPKG_ATTR_SESSION_KEY: a secret; wipe it before it is freed. */
typedef struct _SecPkgContext_SessionKey {
    ULONG SessionKeyLength;
    UCHAR *SessionKey;
} SecPkgContext_SessionKey, *PSecPkgContext_SessionKey;

/* SECPKG_ATTR_NEGO_KEYS */
typedef struct _SecPkgContext_NegoKeys {
    ULONG KeyType;
    USHORT KeyLength;
    UCHAR *KeyValue;
    ULONG VerifyKeyType;
    USHORT VerifyKeyLength;
    UCHAR *VerifyKeyValue;
} SecPkgContext_NegoKeys, *PSecPkgContext_NegoKeys;

/* SECPKG_ATTR_PACKAGE_INFO */
typedef struct _SecPkgContext_PackageInfoA {
    PSecPkgInfoA PackageInfo;
} SecPkgContext_PackageInfoA, *PSecPkgContext_PackageInfoA;

typedef struct _SecPkgContext_PackageInfoW {
    PSecPkgInfoW PackageInfo;
} SecPkgContext_PackageInfoW, *PSecPkgContext_PackageInfoW;

/* SECPKG_ATTR_NEGOTIATION_INFO: the package that was chosen, and SECPKG_NEGOTIATION_... */
typedef struct _SecPkgContext_NegotiationInfoA {
    PSecPkgInfoA PackageInfo;
    ULONG NegotiationState;
} SecPkgContext_NegotiationInfoA, *PSecPkgContext_NegotiationInfoA;

typedef struct _SecPkgContext_NegotiationInfoW {
    PSecPkgInfoW PackageInfo;
    ULONG NegotiationState;
} SecPkgContext_NegotiationInfoW, *PSecPkgContext_NegotiationInfoW;

/* SECPKG_ATTR_USER_FLAGS: LOGON_... of the logon, as the PAC has it (MS-PAC 2.5); 0 without one. */
#ifndef LOGON_GUEST
#define LOGON_GUEST                 0x0001
#define LOGON_NOENCRYPTION          0x0002
#define LOGON_EXTRA_SIDS            0x0020
#define LOGON_SUBAUTH_SESSION_KEY   0x0040
#define LOGON_SERVER_TRUST_ACCOUNT  0x0080
#define LOGON_RESOURCE_GROUPS       0x0200
#define LOGON_PROFILE_PATH_RETURNED 0x0400
#endif
typedef struct _SecPkgContext_UserFlags {
    ULONG UserFlags;
} SecPkgContext_UserFlags, *PSecPkgContext_UserFlags;

/* SECPKG_ATTR_FLAGS: what was granted, ISC_RET_... or ASC_RET_... */
typedef struct _SecPkgContext_Flags {
    ULONG Flags;
} SecPkgContext_Flags, *PSecPkgContext_Flags;

/* SECPKG_ATTR_NATIVE_NAMES: client and server as the package itself names them. */
typedef struct _SecPkgContext_NativeNamesA {
    SEC_CHAR *sClientName;
    SEC_CHAR *sServerName;
} SecPkgContext_NativeNamesA, *PSecPkgContext_NativeNamesA;

typedef struct _SecPkgContext_NativeNamesW {
    SEC_WCHAR *sClientName;
    SEC_WCHAR *sServerName;
} SecPkgContext_NativeNamesW, *PSecPkgContext_NativeNamesW;

/* SECPKG_ATTR_CREDENTIAL_NAME */
typedef struct _SecPkgContext_CredentialNameA {
    ULONG CredentialType;
    SEC_CHAR *sCredentialName;
} SecPkgContext_CredentialNameA, *PSecPkgContext_CredentialNameA;

typedef struct _SecPkgContext_CredentialNameW {
    ULONG CredentialType;
    SEC_WCHAR *sCredentialName;
} SecPkgContext_CredentialNameW, *PSecPkgContext_CredentialNameW;

/* SECPKG_ATTR_ACCESS_TOKEN: the context's own token, gone with the context; do not close it. */
typedef struct _SecPkgContext_AccessToken {
    void *AccessToken;
} SecPkgContext_AccessToken, *PSecPkgContext_AccessToken;

/* SECPKG_ATTR_TARGET_INFORMATION */
typedef struct _SecPkgContext_TargetInformation {
    ULONG MarshalledTargetInfoLength;
    UCHAR *MarshalledTargetInfo;
} SecPkgContext_TargetInformation, *PSecPkgContext_TargetInformation;

/* SECPKG_ATTR_TARGET */
typedef struct _SecPkgContext_Target {
    ULONG TargetLength;
    char *Target;
} SecPkgContext_Target, *PSecPkgContext_Target;

/* SECPKG_ATTR_AUTHENTICATION_ID */
typedef struct _SecPkgContext_AuthzID {
    ULONG AuthzIDLength;
    char *AuthzID;
} SecPkgContext_AuthzID, *PSecPkgContext_AuthzID;

/* SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: the service that the client meant to reach; wide in either function. */
typedef struct _SecPkgContext_ClientSpecifiedTarget {
    SEC_WCHAR *sTargetName;
} SecPkgContext_ClientSpecifiedTarget, *PSecPkgContext_ClientSpecifiedTarget;

/* SECPKG_ATTR_UNIQUE_BINDINGS and SECPKG_ATTR_ENDPOINT_BINDINGS, ready for a SECBUFFER_CHANNEL_BINDINGS */
typedef struct _SecPkgContext_Bindings {
    ULONG BindingsLength;
    SEC_CHANNEL_BINDINGS *Bindings;
} SecPkgContext_Bindings, *PSecPkgContext_Bindings;

/* SECPKG_ATTR_PROMPTING_NEEDED */
typedef enum _SECPKG_CRED_CLASS {
    SecPkgCredClass_None = 0,
    SecPkgCredClass_Ephemeral = 10,
    SecPkgCredClass_PersistedGeneric = 20,
    SecPkgCredClass_PersistedSpecific = 30,
    SecPkgCredClass_Explicit = 40
} SECPKG_CRED_CLASS, *PSECPKG_CRED_CLASS;

typedef struct _SecPkgContext_CredInfo {
    SECPKG_CRED_CLASS CredClass;
    ULONG IsPromptingNeeded;
} SecPkgContext_CredInfo, *PSecPkgContext_CredInfo;

/* SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS: was that the client's last token? */
typedef enum _SECPKG_ATTR_LCT_STATUS {
    SecPkgAttrLastClientTokenYes = 0,
    SecPkgAttrLastClientTokenNo = 1,
    SecPkgAttrLastClientTokenMaybe = 2
} SECPKG_ATTR_LCT_STATUS, *PSECPKG_ATTR_LCT_STATUS;

typedef struct _SecPkgContext_LastClientTokenStatus {
    SECPKG_ATTR_LCT_STATUS LastClientTokenStatus;
} SecPkgContext_LastClientTokenStatus, *PSecPkgContext_LastClientTokenStatus;

/* SECPKG_ATTR_NEGO_PKG_INFO */
typedef struct _SecPkgContext_NegoPackageInfo {
    ULONG PackageMask;
} SecPkgContext_NegoPackageInfo, *PSecPkgContext_NegoPackageInfo;

/* SECPKG_ATTR_NEGO_STATUS: the chosen package's own last status */
typedef struct _SecPkgContext_NegoStatus {
    ULONG LastStatus;
} SecPkgContext_NegoStatus, *PSecPkgContext_NegoStatus;

/* SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES */
typedef struct _SecPkgContext_SubjectAttributes {
    void *AttributeInfo;
} SecPkgContext_SubjectAttributes, *PSecPkgContext_SubjectAttributes;

/* SECPKG_ATTR_APPLICATION_PROTOCOL */
#define MAX_PROTOCOL_ID_SIZE 0xff

typedef struct _SecPkgContext_ApplicationProtocol {
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_STATUS ProtoNegoStatus;
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT ProtoNegoExt;
    UCHAR ProtocolIdSize;
    UCHAR ProtocolId[MAX_PROTOCOL_ID_SIZE];
} SecPkgContext_ApplicationProtocol, *PSecPkgContext_ApplicationProtocol;

/* SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS */
typedef struct _SecPkgContext_NegotiatedTlsExtensions {
    ULONG ExtensionsCount;
    USHORT *Extensions;
} SecPkgContext_NegotiatedTlsExtensions, *PSecPkgContext_NegotiatedTlsExtensions;

/* SECPKG_ATTR_CREDS and SECPKG_ATTR_CREDS_2: what the client delegated; secrets. */
typedef struct _SecPkgContext_ClientCreds {
    ULONG AuthBufferLen;
    UCHAR *AuthBuffer;
} SecPkgContext_ClientCreds, *PSecPkgContext_ClientCreds;

/* SECPKG_ATTR_CONNECTION_INFO */
typedef struct _SecPkgContext_ConnectionInfo {
    DWORD dwProtocol;
    ALG_ID aiCipher;
    DWORD dwCipherStrength;
    ALG_ID aiHash;
    DWORD dwHashStrength;
    ALG_ID aiExch;
    DWORD dwExchStrength;
} SecPkgContext_ConnectionInfo, *PSecPkgContext_ConnectionInfo;

/* SECPKG_ATTR_CONNECTION_INFO_EX */
typedef struct _SecPkgContext_ConnectionInfoEx {
    DWORD dwVersion;
    DWORD dwProtocol;
    WCHAR szCipher[SZ_ALG_MAX_SIZE];
    DWORD dwCipherStrength;
    WCHAR szHash[SZ_ALG_MAX_SIZE];
    DWORD dwHashStrength;
    WCHAR szExchange[SZ_ALG_MAX_SIZE];
    DWORD dwExchStrength;
} SecPkgContext_ConnectionInfoEx, *PSecPkgContext_ConnectionInfoEx;

/* SECPKG_ATTR_CIPHER_INFO */
typedef struct _SecPkgContext_CipherInfo {
    DWORD dwVersion;
    DWORD dwProtocol;
    DWORD dwCipherSuite;
    DWORD dwBaseCipherSuite;
    WCHAR szCipherSuite[SZ_ALG_MAX_SIZE];
    WCHAR szCipher[SZ_ALG_MAX_SIZE];
    DWORD dwCipherLen;
    DWORD dwCipherBlockLen;
    WCHAR szHash[SZ_ALG_MAX_SIZE];
    DWORD dwHashLen;
    WCHAR szExchange[SZ_ALG_MAX_SIZE];
    DWORD dwMinExchangeLen;
    DWORD dwMaxExchangeLen;
    WCHAR szCertificate[SZ_ALG_MAX_SIZE];
    DWORD dwKeyType;
} SecPkgContext_CipherInfo, *PSecPkgContext_CipherInfo;

/* SECPKG_ATTR_EAP_KEY_BLOCK */
typedef struct _SecPkgContext_EapKeyBlock {
    BYTE rgbKeys[128];
    BYTE rgbIVs[64];
} SecPkgContext_EapKeyBlock, *PSecPkgContext_EapKeyBlock;

/* SECPKG_ATTR_SESSION_INFO */
typedef struct _SecPkgContext_SessionInfo {
    DWORD dwFlags;
    DWORD cbSessionId;
    BYTE rgbSessionId[32];
} SecPkgContext_SessionInfo, *PSecPkgContext_SessionInfo;

/* SECPKG_ATTR_APP_DATA */
typedef struct _SecPkgContext_SessionAppData {
    DWORD dwFlags;
    DWORD cbAppData;
    BYTE *pbAppData;
} SecPkgContext_SessionAppData, *PSecPkgContext_SessionAppData;

/* SECPKG_ATTR_EAP_PRF_INFO */
typedef struct _SecPkgContext_EapPrfInfo {
    DWORD dwVersion;
    DWORD cbPrfData;
    BYTE *pbPrfData;
} SecPkgContext_EapPrfInfo, *PSecPkgContext_EapPrfInfo;

/* SECPKG_ATTR_SUPPORTED_SIGNATURES */
typedef struct _SecPkgContext_SupportedSignatures {
    WORD cSignatureAndHashAlgorithms;
    WORD *pSignatureAndHashAlgorithms;
} SecPkgContext_SupportedSignatures, *PSecPkgContext_SupportedSignatures;

/* SECPKG_ATTR_REMOTE_CERTIFICATES */
typedef struct _SecPkgContext_Certificates {
    DWORD cCertificates;
    DWORD cbCertificateChain;
    BYTE *pbCertificateChain;
} SecPkgContext_Certificates, *PSecPkgContext_Certificates;

/* SECPKG_ATTR_LOCAL_CERT_INFO */
typedef struct _SecPkgContext_CertInfo {
    DWORD dwVersion;
    DWORD cbSubjectName;
    LPWSTR pwszSubjectName;
    DWORD cbIssuerName;
    LPWSTR pwszIssuerName;
    DWORD dwKeySize;
} SecPkgContext_CertInfo, *PSecPkgContext_CertInfo;

/* SECPKG_ATTR_ISSUER_LIST_EX */
typedef struct _SecPkgContext_IssuerListInfoEx {
    PCERT_NAME_BLOB aIssuers;
    DWORD cIssuers;
} SecPkgContext_IssuerListInfoEx, *PSecPkgContext_IssuerListInfoEx;

/* SECPKG_ATTR_KEYING_MATERIAL_INFO, _KEYING_MATERIAL and _KEYING_MATERIAL_INPROC: exported keys of TLS */
typedef struct _SecPkgContext_KeyingMaterialInfo {
    WORD cbLabel;
    LPSTR pszLabel;
    WORD cbContextValue;
    BYTE *pbContextValue;
    DWORD cbKeyingMaterial;
} SecPkgContext_KeyingMaterialInfo, *PSecPkgContext_KeyingMaterialInfo;

typedef struct _SecPkgContext_KeyingMaterial {
    DWORD cbKeyingMaterial;
    BYTE *pbKeyingMaterial;
} SecPkgContext_KeyingMaterial, *PSecPkgContext_KeyingMaterial;

typedef struct _SecPkgContext_KeyingMaterial_Inproc {
    WORD cbLabel;
    LPSTR pszLabel;
    WORD cbContextValue;
    BYTE *pbContextValue;
    DWORD cbKeyingMaterial;
    BYTE *pbKeyingMaterial;
} SecPkgContext_KeyingMaterial_Inproc, *PSecPkgContext_KeyingMaterial_Inproc;

/* SECPKG_ATTR_SRTP_PARAMETERS */
typedef struct _SecPkgContext_SrtpParameters {
    USHORT ProtectionProfile;
    UCHAR MasterKeyIdentifierSize;
    UCHAR *MasterKeyIdentifier;
} SecPkgContext_SrtpParameters, *PSecPkgContext_SrtpParameters;

/* SECPKG_ATTR_TOKEN_BINDING */
typedef struct _SecPkgContext_TokenBinding {
    UCHAR MajorVersion;
    UCHAR MinorVersion;
    USHORT KeyParametersSize;
    UCHAR *KeyParameters;
} SecPkgContext_TokenBinding, *PSecPkgContext_TokenBinding;

/* SECPKG_ATTR_CC_POLICY_RESULT */
typedef struct _SecPkgContext_ClientCertPolicyResult {
    HRESULT dwPolicyResult;
    GUID guidPolicyId;
} SecPkgContext_ClientCertPolicyResult, *PSecPkgContext_ClientCertPolicyResult;

/* SECPKG_ATTR_CERT_CHECK_RESULT */
typedef struct _SecPkgContext_CertificateValidationResult {
    DWORD dwChainErrorStatus;
    HRESULT hrVerifyChainStatus;
} SecPkgContext_CertificateValidationResult, *PSecPkgContext_CertificateValidationResult;

/* The plain names of the structures that come in two kinds. */
#ifdef UNICODE
#define SecPkgInfo SecPkgInfoW
#define PSecPkgInfo PSecPkgInfoW
#define SecPkgCredentials_Names SecPkgCredentials_NamesW
#define PSecPkgCredentials_Names PSecPkgCredentials_NamesW
#define SecPkgCredentials_SSIProvider SecPkgCredentials_SSIProviderW
#define PSecPkgCredentials_SSIProvider PSecPkgCredentials_SSIProviderW
#define SecPkgContext_Names SecPkgContext_NamesW
#define PSecPkgContext_Names PSecPkgContext_NamesW
#define SecPkgContext_KeyInfo SecPkgContext_KeyInfoW
#define PSecPkgContext_KeyInfo PSecPkgContext_KeyInfoW
#define SecPkgContext_Authority SecPkgContext_AuthorityW
#define PSecPkgContext_Authority PSecPkgContext_AuthorityW
#define SecPkgContext_ProtoInfo SecPkgContext_ProtoInfoW
#define PSecPkgContext_ProtoInfo PSecPkgContext_ProtoInfoW
#define SecPkgContext_PackageInfo SecPkgContext_PackageInfoW
#define PSecPkgContext_PackageInfo PSecPkgContext_PackageInfoW
#define SecPkgContext_NegotiationInfo SecPkgContext_NegotiationInfoW
#define PSecPkgContext_NegotiationInfo PSecPkgContext_NegotiationInfoW
#define SecPkgContext_NativeNames SecPkgContext_NativeNamesW
#define PSecPkgContext_NativeNames PSecPkgContext_NativeNamesW
#define SecPkgContext_CredentialName SecPkgContext_CredentialNameW
#define PSecPkgContext_CredentialName PSecPkgContext_CredentialNameW
#else
#define SecPkgInfo SecPkgInfoA
#define PSecPkgInfo PSecPkgInfoA
#define SecPkgCredentials_Names SecPkgCredentials_NamesA
#define PSecPkgCredentials_Names PSecPkgCredentials_NamesA
#define SecPkgCredentials_SSIProvider SecPkgCredentials_SSIProviderA
#define PSecPkgCredentials_SSIProvider PSecPkgCredentials_SSIProviderA
#define SecPkgContext_Names SecPkgContext_NamesA
#define PSecPkgContext_Names PSecPkgContext_NamesA
#define SecPkgContext_KeyInfo SecPkgContext_KeyInfoA
#define PSecPkgContext_KeyInfo PSecPkgContext_KeyInfoA
#define SecPkgContext_Authority SecPkgContext_AuthorityA
#define PSecPkgContext_Authority PSecPkgContext_AuthorityA
#define SecPkgContext_ProtoInfo SecPkgContext_ProtoInfoA
#define PSecPkgContext_ProtoInfo PSecPkgContext_ProtoInfoA
#define SecPkgContext_PackageInfo SecPkgContext_PackageInfoA
#define PSecPkgContext_PackageInfo PSecPkgContext_PackageInfoA
#define SecPkgContext_NegotiationInfo SecPkgContext_NegotiationInfoA
#define PSecPkgContext_NegotiationInfo PSecPkgContext_NegotiationInfoA
#define SecPkgContext_NativeNames SecPkgContext_NativeNamesA
#define PSecPkgContext_NativeNames PSecPkgContext_NativeNamesA
#define SecPkgContext_CredentialName SecPkgContext_CredentialNameA
#define PSecPkgContext_CredentialName PSecPkgContext_CredentialNameA
#endif

/* ================================================================================================================
 * 10. Functions
 * ============================================================================================================= */

/* All packages, as one array: one FreeContextBuffer frees it and its strings. */
SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesA(ULONG *pcPackages, PSecPkgInfoA *ppPackageInfo);
SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesW(ULONG *pcPackages, PSecPkgInfoW *ppPackageInfo);

/* One package, by name in any case. Freed with FreeContextBuffer. SEC_E_SECPKG_NOT_FOUND: there is none. */
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoA(const SEC_CHAR *pszPackageName, PSecPkgInfoA *ppPackageInfo);
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoW(const SEC_WCHAR *pszPackageName, PSecPkgInfoW *ppPackageInfo);

/* Packages are built in: both answer SEC_E_UNSUPPORTED_FUNCTION. */
SECURITY_STATUS SEC_ENTRY AddSecurityPackageA(const SEC_CHAR *pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);
SECURITY_STATUS SEC_ENTRY AddSecurityPackageW(const SEC_WCHAR *pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);
SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageA(const SEC_CHAR *pszPackageName);
SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageW(const SEC_WCHAR *pszPackageName);

/* Frees what any of these functions handed out. NULL is allowed. */
SECURITY_STATUS SEC_ENTRY FreeContextBuffer(void *pvContextBuffer);

/*
 * A credential of a package, to accept with (SECPKG_CRED_INBOUND), to initiate with (_OUTBOUND), or both. pAuthData is
 * one of the structures of section 7, or NULL for what the process has; it is copied. ptsExpiry may be NULL.
 *
 * Of Kerberos, pszPrincipal is the service that accepts (names between commas, "HTTP/web.example"), or the client that
 * initiates ("ann@EXAMPLE"); NULL is whatever there are keys and tickets of. A service's keys are those of pAuthData
 * (SEC_WINNT_AUTH_DATA_TYPE_KEYTAB), of PortcullisSetKeytab, of the configuration, of the authority's process, or of
 * KRB5_KTNAME; a client's tickets are those of KRB5CCNAME. SEC_E_NO_CREDENTIALS: there are none, or the keytab that was named
 * cannot be used.
 */
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleA(
    const SEC_CHAR *pszPrincipal, const SEC_CHAR *pszPackage, ULONG fCredentialUse, void *pvLogonId, void *pAuthData,
    SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PCredHandle phCredential, PTimeStamp ptsExpiry);
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleW(
    const SEC_WCHAR *pszPrincipal, const SEC_WCHAR *pszPackage, ULONG fCredentialUse, void *pvLogonId, void *pAuthData,
    SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PCredHandle phCredential, PTimeStamp ptsExpiry);

/* Another credential for the same handle. */
SECURITY_STATUS SEC_ENTRY AddCredentialsA(
    PCredHandle hCredentials, const SEC_CHAR *pszPrincipal, const SEC_CHAR *pszPackage, ULONG fCredentialUse,
    void *pAuthData, SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PTimeStamp ptsExpiry);
SECURITY_STATUS SEC_ENTRY AddCredentialsW(
    PCredHandle hCredentials, const SEC_WCHAR *pszPrincipal, const SEC_WCHAR *pszPackage, ULONG fCredentialUse,
    void *pAuthData, SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PTimeStamp ptsExpiry);

/* Gives the credential up. Contexts that it began go on. */
SECURITY_STATUS SEC_ENTRY FreeCredentialsHandle(PCredHandle phCredential);

/* SECPKG_CRED_ATTR_... into the structure of section 8 that belongs to it. The Ex form is told how large that is. */
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesA(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesW(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExA(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExW(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesA(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesW(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);

/* Changes a password, given the old one. pOutput has one SECBUFFER_CHANGE_PASS_RESPONSE. */
SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordA(
    const SEC_CHAR *pszPackageName, const SEC_CHAR *pszDomainName, const SEC_CHAR *pszAccountName,
    const SEC_CHAR *pszOldPassword, const SEC_CHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
    PSecBufferDesc pOutput);
SECURITY_STATUS SEC_ENTRY ChangeAccountPasswordW(
    const SEC_WCHAR *pszPackageName, const SEC_WCHAR *pszDomainName, const SEC_WCHAR *pszAccountName,
    const SEC_WCHAR *pszOldPassword, const SEC_WCHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
    PSecBufferDesc pOutput);

/*
 * A leg of a handshake, on the side that begins it. First leg: phContext and pInput are NULL. Later: phContext is the
 * handle that phNewContext got, and both may point to the same variable. A token in pOutput goes to the
 * peer whatever the status; cbBuffer is 0 where there is none, also after a failure. SEC_I_CONTINUE_NEEDED: bring the
 * peer's next token. SEC_E_OK: compare *pfContextAttr with what was asked for. After a failure DeleteSecurityContext is
 * still due where a handle was given.
 *
 * TLS is a stream: a SECBUFFER_EMPTY behind the input's token becomes SECBUFFER_MISSING with SEC_E_INCOMPLETE_MESSAGE (nothing
 * was used, and a first leg has made no context), or SECBUFFER_EXTRA, which counts the bytes at the token's end that were not
 * used. A leg on an established context makes the token that SEC_I_RENEGOTIATE or ApplyControlToken asked for.
 */
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextA(
    PCredHandle phCredential, PCtxtHandle phContext, const SEC_CHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
    ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2, PCtxtHandle phNewContext, PSecBufferDesc pOutput,
    ULONG *pfContextAttr, PTimeStamp ptsExpiry);
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextW(
    PCredHandle phCredential, PCtxtHandle phContext, const SEC_WCHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
    ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2, PCtxtHandle phNewContext, PSecBufferDesc pOutput,
    ULONG *pfContextAttr, PTimeStamp ptsExpiry);

/*
 * A leg of a handshake, on the side that was called; handles and tokens as above. A client whose name, password or
 * account does not do is refused with SEC_E_LOGON_DENIED, whichever it was; PortcullisLastCause has the reason.
 */
SECURITY_STATUS SEC_ENTRY AcceptSecurityContext(
    PCredHandle phCredential, PCtxtHandle phContext, PSecBufferDesc pInput, ULONG fContextReq, ULONG TargetDataRep,
    PCtxtHandle phNewContext, PSecBufferDesc pOutput, ULONG *pfContextAttr, PTimeStamp ptsExpiry);

/* Due after SEC_I_COMPLETE_NEEDED and SEC_I_COMPLETE_AND_CONTINUE. */
SECURITY_STATUS SEC_ENTRY CompleteAuthToken(PCtxtHandle phContext, PSecBufferDesc pToken);

/*
 * Asks a TLS context to shut down, by SCHANNEL_SHUTDOWN or the alert close_notify: the next leg makes the token. Or not to be
 * resumed, by SCHANNEL_SESSION. Renegotiation and other alerts are SEC_E_UNSUPPORTED_FUNCTION.
 */
SECURITY_STATUS SEC_ENTRY ApplyControlToken(PCtxtHandle phContext, PSecBufferDesc pInput);

/* Ends a context in whatever state it is. */
SECURITY_STATUS SEC_ENTRY DeleteSecurityContext(PCtxtHandle phContext);

/*
 * SECPKG_ATTR_... into the structure of section 9 that belongs to it. The Ex form is told how large that is.
 * SEC_E_UNSUPPORTED_FUNCTION: the package has no such attribute.
 */
SECURITY_STATUS SEC_ENTRY QueryContextAttributesA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);
SECURITY_STATUS SEC_ENTRY QueryContextAttributesW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);
SECURITY_STATUS SEC_ENTRY QueryContextAttributesExA(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY QueryContextAttributesExW(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY SetContextAttributesA(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
SECURITY_STATUS SEC_ENTRY SetContextAttributesW(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);

/*
 * The calling thread acts for the client, until RevertSecurityContext. A server whose call fails must not go on for
 * that client.
 */
SECURITY_STATUS SEC_ENTRY ImpersonateSecurityContext(PCtxtHandle phContext);
SECURITY_STATUS SEC_ENTRY RevertSecurityContext(PCtxtHandle phContext);

/* A token of the client for PortcullisQueryToken. It is the caller's, who closes it with PortcullisCloseToken. */
SECURITY_STATUS SEC_ENTRY QuerySecurityContextToken(PCtxtHandle phContext, void **Token);

/*
 * Signs the SECBUFFER_DATA buffers into the SECBUFFER_TOKEN one; and checks that. The context counts the messages
 * itself; MessageSeqNo is 0.
 */
SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);
SECURITY_STATUS SEC_ENTRY VerifySignature(
    PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo, ULONG *pfQOP);

/*
 * Encrypts the SECBUFFER_DATA buffers in place and signs them; and the way back. A message that was altered
 * (SEC_E_MESSAGE_ALTERED) or comes out of order (SEC_E_OUT_OF_SEQUENCE) is not to be used.
 *
 * Of Kerberos, SECBUFFER_TOKEN, _DATA and _PADDING one behind the other, each as long as its cbBuffer says then, are the token
 * that gss_wrap makes. To decrypt one, SECBUFFER_STREAM has all of it, and SECBUFFER_DATA is pointed at what is inside. fQOP
 * may be SECQOP_WRAP_NO_ENCRYPT; *pfQOP is, where the peer signed its message only: that was readable on the way.
 *
 * Of TLS one record: SECBUFFER_STREAM_HEADER, _DATA and _STREAM_TRAILER, whose lengths SECPKG_ATTR_STREAM_SIZES says. To decrypt,
 * SECBUFFER_DATA and three SECBUFFER_EMPTY become header, data, trailer and what is left (SECBUFFER_EXTRA); or one becomes
 * SECBUFFER_MISSING. SEC_I_CONTEXT_EXPIRED: the peer has ended. SEC_I_RENEGOTIATE: call for a leg, and send its token.
 */
SECURITY_STATUS SEC_ENTRY EncryptMessage(
    PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);
SECURITY_STATUS SEC_ENTRY DecryptMessage(
    PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo, ULONG *pfQOP);

/* The older names of the two. */
SECURITY_STATUS SEC_ENTRY SealMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);
SECURITY_STATUS SEC_ENTRY UnsealMessage(
    PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo, ULONG *pfQOP);

/*
 * A finished context as bytes, for another process on the same machine; they hold its keys. pPackedContext comes back
 * allocated, for FreeContextBuffer; pToken may be NULL. fFlags is SECPKG_CONTEXT_EXPORT_...
 */
SECURITY_STATUS SEC_ENTRY ExportSecurityContext(
    PCtxtHandle phContext, ULONG fFlags, PSecBuffer pPackedContext, void **pToken);
SECURITY_STATUS SEC_ENTRY ImportSecurityContextA(
    const SEC_CHAR *pszPackage, PSecBuffer pPackedContext, void *Token, PCtxtHandle phContext);
SECURITY_STATUS SEC_ENTRY ImportSecurityContextW(
    const SEC_WCHAR *pszPackage, PSecBuffer pPackedContext, void *Token, PCtxtHandle phContext);

/* The plain names. */
#ifdef UNICODE
#define EnumerateSecurityPackages EnumerateSecurityPackagesW
#define QuerySecurityPackageInfo QuerySecurityPackageInfoW
#define AddSecurityPackage AddSecurityPackageW
#define DeleteSecurityPackage DeleteSecurityPackageW
#define AcquireCredentialsHandle AcquireCredentialsHandleW
#define AddCredentials AddCredentialsW
#define QueryCredentialsAttributes QueryCredentialsAttributesW
#define QueryCredentialsAttributesEx QueryCredentialsAttributesExW
#define SetCredentialsAttributes SetCredentialsAttributesW
#define ChangeAccountPassword ChangeAccountPasswordW
#define InitializeSecurityContext InitializeSecurityContextW
#define QueryContextAttributes QueryContextAttributesW
#define QueryContextAttributesEx QueryContextAttributesExW
#define SetContextAttributes SetContextAttributesW
#define ImportSecurityContext ImportSecurityContextW
#define InitSecurityInterface InitSecurityInterfaceW
#else
#define EnumerateSecurityPackages EnumerateSecurityPackagesA
#define QuerySecurityPackageInfo QuerySecurityPackageInfoA
#define AddSecurityPackage AddSecurityPackageA
#define DeleteSecurityPackage DeleteSecurityPackageA
#define AcquireCredentialsHandle AcquireCredentialsHandleA
#define AddCredentials AddCredentialsA
#define QueryCredentialsAttributes QueryCredentialsAttributesA
#define QueryCredentialsAttributesEx QueryCredentialsAttributesExA
#define SetCredentialsAttributes SetCredentialsAttributesA
#define ChangeAccountPassword ChangeAccountPasswordA
#define InitializeSecurityContext InitializeSecurityContextA
#define QueryContextAttributes QueryContextAttributesA
#define QueryContextAttributesEx QueryContextAttributesExA
#define SetContextAttributes SetContextAttributesA
#define ImportSecurityContext ImportSecurityContextA
#define InitSecurityInterface InitSecurityInterfaceA
#endif

/* ================================================================================================================
 * 11. The table of functions
 * ============================================================================================================= */

/* One for each function of the table, and for a few beside it. */
typedef SECURITY_STATUS(SEC_ENTRY *ENUMERATE_SECURITY_PACKAGES_FN_A)(ULONG *pcPackages, PSecPkgInfoA *ppPackageInfo);
typedef SECURITY_STATUS(SEC_ENTRY *ENUMERATE_SECURITY_PACKAGES_FN_W)(ULONG *pcPackages, PSecPkgInfoW *ppPackageInfo);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_PACKAGE_INFO_FN_A)(
    const SEC_CHAR *pszPackageName, PSecPkgInfoA *ppPackageInfo);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_PACKAGE_INFO_FN_W)(
    const SEC_WCHAR *pszPackageName, PSecPkgInfoW *ppPackageInfo);
typedef SECURITY_STATUS(SEC_ENTRY *ADD_SECURITY_PACKAGE_FN_A)(
    const SEC_CHAR *pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);
typedef SECURITY_STATUS(SEC_ENTRY *ADD_SECURITY_PACKAGE_FN_W)(
    const SEC_WCHAR *pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);
typedef SECURITY_STATUS(SEC_ENTRY *DELETE_SECURITY_PACKAGE_FN_A)(const SEC_CHAR *pszPackageName);
typedef SECURITY_STATUS(SEC_ENTRY *DELETE_SECURITY_PACKAGE_FN_W)(const SEC_WCHAR *pszPackageName);
typedef SECURITY_STATUS(SEC_ENTRY *FREE_CONTEXT_BUFFER_FN)(void *pvContextBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *ACQUIRE_CREDENTIALS_HANDLE_FN_A)(
    const SEC_CHAR *pszPrincipal, const SEC_CHAR *pszPackage, ULONG fCredentialUse, void *pvLogonId, void *pAuthData,
    SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PCredHandle phCredential, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *ACQUIRE_CREDENTIALS_HANDLE_FN_W)(
    const SEC_WCHAR *pszPrincipal, const SEC_WCHAR *pszPackage, ULONG fCredentialUse, void *pvLogonId, void *pAuthData,
    SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PCredHandle phCredential, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *ADD_CREDENTIALS_FN_A)(
    PCredHandle hCredentials, const SEC_CHAR *pszPrincipal, const SEC_CHAR *pszPackage, ULONG fCredentialUse,
    void *pAuthData, SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *ADD_CREDENTIALS_FN_W)(
    PCredHandle hCredentials, const SEC_WCHAR *pszPrincipal, const SEC_WCHAR *pszPackage, ULONG fCredentialUse,
    void *pAuthData, SEC_GET_KEY_FN pGetKeyFn, void *pvGetKeyArgument, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *FREE_CREDENTIALS_HANDLE_FN)(PCredHandle phCredential);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_FN_A)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_FN_W)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *SET_CREDENTIALS_ATTRIBUTES_FN_A)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *SET_CREDENTIALS_ATTRIBUTES_FN_W)(
    PCredHandle phCredential, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *CHANGE_PASSWORD_FN_A)(
    const SEC_CHAR *pszPackageName, const SEC_CHAR *pszDomainName, const SEC_CHAR *pszAccountName,
    const SEC_CHAR *pszOldPassword, const SEC_CHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
    PSecBufferDesc pOutput);
typedef SECURITY_STATUS(SEC_ENTRY *CHANGE_PASSWORD_FN_W)(
    const SEC_WCHAR *pszPackageName, const SEC_WCHAR *pszDomainName, const SEC_WCHAR *pszAccountName,
    const SEC_WCHAR *pszOldPassword, const SEC_WCHAR *pszNewPassword, BOOLEAN bImpersonating, ULONG dwReserved,
    PSecBufferDesc pOutput);
typedef SECURITY_STATUS(SEC_ENTRY *INITIALIZE_SECURITY_CONTEXT_FN_A)(
    PCredHandle phCredential, PCtxtHandle phContext, const SEC_CHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
    ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2, PCtxtHandle phNewContext, PSecBufferDesc pOutput,
    ULONG *pfContextAttr, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *INITIALIZE_SECURITY_CONTEXT_FN_W)(
    PCredHandle phCredential, PCtxtHandle phContext, const SEC_WCHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
    ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2, PCtxtHandle phNewContext, PSecBufferDesc pOutput,
    ULONG *pfContextAttr, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *ACCEPT_SECURITY_CONTEXT_FN)(
    PCredHandle phCredential, PCtxtHandle phContext, PSecBufferDesc pInput, ULONG fContextReq, ULONG TargetDataRep,
    PCtxtHandle phNewContext, PSecBufferDesc pOutput, ULONG *pfContextAttr, PTimeStamp ptsExpiry);
typedef SECURITY_STATUS(SEC_ENTRY *COMPLETE_AUTH_TOKEN_FN)(PCtxtHandle phContext, PSecBufferDesc pToken);
typedef SECURITY_STATUS(SEC_ENTRY *APPLY_CONTROL_TOKEN_FN)(PCtxtHandle phContext, PSecBufferDesc pInput);
typedef SECURITY_STATUS(SEC_ENTRY *DELETE_SECURITY_CONTEXT_FN)(PCtxtHandle phContext);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_FN_A)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_FN_W)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_EX_FN_A)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_CONTEXT_ATTRIBUTES_EX_FN_W)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *SET_CONTEXT_ATTRIBUTES_FN_A)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *SET_CONTEXT_ATTRIBUTES_FN_W)(
    PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer);
typedef SECURITY_STATUS(SEC_ENTRY *IMPERSONATE_SECURITY_CONTEXT_FN)(PCtxtHandle phContext);
typedef SECURITY_STATUS(SEC_ENTRY *REVERT_SECURITY_CONTEXT_FN)(PCtxtHandle phContext);
typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_CONTEXT_TOKEN_FN)(PCtxtHandle phContext, void **Token);
typedef SECURITY_STATUS(SEC_ENTRY *MAKE_SIGNATURE_FN)(
    PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);
typedef SECURITY_STATUS(SEC_ENTRY *VERIFY_SIGNATURE_FN)(
    PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo, ULONG *pfQOP);
typedef SECURITY_STATUS(SEC_ENTRY *ENCRYPT_MESSAGE_FN)(
    PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);
typedef SECURITY_STATUS(SEC_ENTRY *DECRYPT_MESSAGE_FN)(
    PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo, ULONG *pfQOP);
typedef SECURITY_STATUS(SEC_ENTRY *EXPORT_SECURITY_CONTEXT_FN)(
    PCtxtHandle phContext, ULONG fFlags, PSecBuffer pPackedContext, void **pToken);
typedef SECURITY_STATUS(SEC_ENTRY *IMPORT_SECURITY_CONTEXT_FN_A)(
    const SEC_CHAR *pszPackage, PSecBuffer pPackedContext, void *Token, PCtxtHandle phContext);
typedef SECURITY_STATUS(SEC_ENTRY *IMPORT_SECURITY_CONTEXT_FN_W)(
    const SEC_WCHAR *pszPackage, PSecBuffer pPackedContext, void *Token, PCtxtHandle phContext);

/*
 * The functions in their fixed order. A table of version 1 ends after DecryptMessage, of 2 after SetContextAttributes,
 * of 3 after SetCredentialsAttributes, of 4 after ChangeAccountPassword, of 5 at its end; ours is complete. Reserved3
 * and Reserved4 are EncryptMessage and DecryptMessage, for programs that know them by their former place.
 */
typedef struct _SECURITY_FUNCTION_TABLE_A {
    ULONG dwVersion;
    ENUMERATE_SECURITY_PACKAGES_FN_A EnumerateSecurityPackagesA;
    QUERY_CREDENTIALS_ATTRIBUTES_FN_A QueryCredentialsAttributesA;
    ACQUIRE_CREDENTIALS_HANDLE_FN_A AcquireCredentialsHandleA;
    FREE_CREDENTIALS_HANDLE_FN FreeCredentialsHandle;
    void *Reserved2;
    INITIALIZE_SECURITY_CONTEXT_FN_A InitializeSecurityContextA;
    ACCEPT_SECURITY_CONTEXT_FN AcceptSecurityContext;
    COMPLETE_AUTH_TOKEN_FN CompleteAuthToken;
    DELETE_SECURITY_CONTEXT_FN DeleteSecurityContext;
    APPLY_CONTROL_TOKEN_FN ApplyControlToken;
    QUERY_CONTEXT_ATTRIBUTES_FN_A QueryContextAttributesA;
    IMPERSONATE_SECURITY_CONTEXT_FN ImpersonateSecurityContext;
    REVERT_SECURITY_CONTEXT_FN RevertSecurityContext;
    MAKE_SIGNATURE_FN MakeSignature;
    VERIFY_SIGNATURE_FN VerifySignature;
    FREE_CONTEXT_BUFFER_FN FreeContextBuffer;
    QUERY_SECURITY_PACKAGE_INFO_FN_A QuerySecurityPackageInfoA;
    void *Reserved3;
    void *Reserved4;
    EXPORT_SECURITY_CONTEXT_FN ExportSecurityContext;
    IMPORT_SECURITY_CONTEXT_FN_A ImportSecurityContextA;
    ADD_CREDENTIALS_FN_A AddCredentialsA;
    void *Reserved8;
    QUERY_SECURITY_CONTEXT_TOKEN_FN QuerySecurityContextToken;
    ENCRYPT_MESSAGE_FN EncryptMessage;
    DECRYPT_MESSAGE_FN DecryptMessage;
    SET_CONTEXT_ATTRIBUTES_FN_A SetContextAttributesA;
    SET_CREDENTIALS_ATTRIBUTES_FN_A SetCredentialsAttributesA;
    CHANGE_PASSWORD_FN_A ChangeAccountPasswordA;
    QUERY_CONTEXT_ATTRIBUTES_EX_FN_A QueryContextAttributesExA;
    QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A QueryCredentialsAttributesExA;
} SecurityFunctionTableA, *PSecurityFunctionTableA;

typedef struct _SECURITY_FUNCTION_TABLE_W {
    ULONG dwVersion;
    ENUMERATE_SECURITY_PACKAGES_FN_W EnumerateSecurityPackagesW;
    QUERY_CREDENTIALS_ATTRIBUTES_FN_W QueryCredentialsAttributesW;
    ACQUIRE_CREDENTIALS_HANDLE_FN_W AcquireCredentialsHandleW;
    FREE_CREDENTIALS_HANDLE_FN FreeCredentialsHandle;
    void *Reserved2;
    INITIALIZE_SECURITY_CONTEXT_FN_W InitializeSecurityContextW;
    ACCEPT_SECURITY_CONTEXT_FN AcceptSecurityContext;
    COMPLETE_AUTH_TOKEN_FN CompleteAuthToken;
    DELETE_SECURITY_CONTEXT_FN DeleteSecurityContext;
    APPLY_CONTROL_TOKEN_FN ApplyControlToken;
    QUERY_CONTEXT_ATTRIBUTES_FN_W QueryContextAttributesW;
    IMPERSONATE_SECURITY_CONTEXT_FN ImpersonateSecurityContext;
    REVERT_SECURITY_CONTEXT_FN RevertSecurityContext;
    MAKE_SIGNATURE_FN MakeSignature;
    VERIFY_SIGNATURE_FN VerifySignature;
    FREE_CONTEXT_BUFFER_FN FreeContextBuffer;
    QUERY_SECURITY_PACKAGE_INFO_FN_W QuerySecurityPackageInfoW;
    void *Reserved3;
    void *Reserved4;
    EXPORT_SECURITY_CONTEXT_FN ExportSecurityContext;
    IMPORT_SECURITY_CONTEXT_FN_W ImportSecurityContextW;
    ADD_CREDENTIALS_FN_W AddCredentialsW;
    void *Reserved8;
    QUERY_SECURITY_CONTEXT_TOKEN_FN QuerySecurityContextToken;
    ENCRYPT_MESSAGE_FN EncryptMessage;
    DECRYPT_MESSAGE_FN DecryptMessage;
    SET_CONTEXT_ATTRIBUTES_FN_W SetContextAttributesW;
    SET_CREDENTIALS_ATTRIBUTES_FN_W SetCredentialsAttributesW;
    CHANGE_PASSWORD_FN_W ChangeAccountPasswordW;
    QUERY_CONTEXT_ATTRIBUTES_EX_FN_W QueryContextAttributesExW;
    QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W QueryCredentialsAttributesExW;
} SecurityFunctionTableW, *PSecurityFunctionTableW;

/* Older headers leave out an s in the table of the A kind. */
#define FreeCredentialHandle FreeCredentialsHandle

/* The library's table: it is static, and nobody frees it. Hosts look these up by name (SECURITY_ENTRYPOINT_ANSI). */
PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceA(void);
PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(void);

typedef PSecurityFunctionTableA(SEC_ENTRY *INIT_SECURITY_INTERFACE_A)(void);
typedef PSecurityFunctionTableW(SEC_ENTRY *INIT_SECURITY_INTERFACE_W)(void);

/* The same for programs that were linked to WinPR, whose names these are; flags is 0. */
PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceExA(ULONG flags);
PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceExW(ULONG flags);

#ifdef UNICODE
#define SecurityFunctionTable SecurityFunctionTableW
#define PSecurityFunctionTable PSecurityFunctionTableW
#define INIT_SECURITY_INTERFACE INIT_SECURITY_INTERFACE_W
#define InitSecurityInterfaceEx InitSecurityInterfaceExW
#else
#define SecurityFunctionTable SecurityFunctionTableA
#define PSecurityFunctionTable PSecurityFunctionTableA
#define INIT_SECURITY_INTERFACE INIT_SECURITY_INTERFACE_A
#define InitSecurityInterfaceEx InitSecurityInterfaceExA
#endif

/* ================================================================================================================
 * 12. Portcullis's own
 *
 * Not of Windows: where accounts are, what a service insists on, and what happened. Each answers a SECURITY_STATUS and
 * none sets errno.
 * ============================================================================================================= */

/*
 * Attributes by which hosts made for WinPR hand the accounts over themselves, with SetContextAttributes (SET) and
 * QueryContextAttributes (QUERY). WinPR chose the numbers; it keeps them for itself and so do we.
 */
#define PORTCULLIS_ATTR_WINPR_AUTH_IDENTITY      1001 /* QUERY: the name that the client gave */
#define PORTCULLIS_ATTR_WINPR_AUTH_NTLM_HASH     1003 /* SET: the NT hash itself */
#define PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE 1004 /* SET: path of a file of accounts */
#define PORTCULLIS_ATTR_WINPR_MESSAGE            1100 /* SET */
#define PORTCULLIS_ATTR_WINPR_TIMESTAMP          1101 /* SET */
#define PORTCULLIS_ATTR_WINPR_CLIENT_CHALLENGE   1102 /* SET */
#define PORTCULLIS_ATTR_WINPR_SERVER_CHALLENGE   1103 /* SET */
#define PORTCULLIS_ATTR_WINPR_NTPROOF_VALUE      1104 /* QUERY: what the proof covers */
#define PORTCULLIS_ATTR_WINPR_RANDKEY            1105 /* QUERY: the encrypted session key */
#define PORTCULLIS_ATTR_WINPR_MIC                1106 /* QUERY: the code over the messages */
#define PORTCULLIS_ATTR_WINPR_MIC_VALUE          1107 /* QUERY: what that covers */
#define PORTCULLIS_ATTR_WINPR_HASH_CB            1108 /* SET: a function that knows the hash */
#define PORTCULLIS_ATTR_WINPR_HASH_CB_DATA       1109 /* SET: its first argument */

/*
 * Attributes of a Kerberos context that accepted, also inside Negotiate: QueryContextAttributes fills PORTCULLIS_BYTES, whose
 * bytes FreeContextBuffer frees. SEC_E_UNSUPPORTED_FUNCTION: the client forwarded no ticket; its ticket has no PAC.
 *
 * The delegated credentials are a credential cache (a file of MIT's format, version 4) with the client's ticket-granting ticket.
 * Written to a file of mode 0600 that KRB5CCNAME names, programs act as the client by it: it is a secret. The client in
 * it is the one that logged on; that was compared.
 */
#define PORTCULLIS_ATTR_DELEGATED_CREDENTIALS 2001
#define PORTCULLIS_ATTR_PAC                   2002 /* verified, as the ticket has it: MS-PAC 2.3 */

typedef struct _PORTCULLIS_BYTES {
    ULONG Length;
    UCHAR *Bytes;
} PORTCULLIS_BYTES, *PPORTCULLIS_BYTES;

/*
 * Says where the accounts are, for every credential acquired from now on in this process; credentials and contexts that
 * exist keep what they have. The string is read during the call.
 *
 *   "sqlite:DIR"   a data folder that `portcullis account add --data DIR` made
 *   "unix:PATH"    the socket of a running `portcullis authority`
 *   "none"         no accounts here, as WinPR has it: acceptors answer SEC_I_COMPLETE_NEEDED, the host sets
 *                  PORTCULLIS_ATTR_WINPR_AUTH_NTLM_SAM_FILE or a hash callback and calls CompleteAuthToken
 *   NULL           back to what the file named by the environment variable PORTCULLIS_CONFIG says
 *
 * SEC_E_INVALID_PARAMETER            the string has none of these forms
 * SEC_E_NO_AUTHENTICATING_AUTHORITY  it cannot be opened; what was in force stays in force
 */
SECURITY_STATUS SEC_ENTRY PortcullisSetAuthority(const char *source);

/*
 * Says which keytab has the keys of this process's services, for every credential of Kerberos and Negotiate acquired from now
 * on that brings none of its own. `keytab` is a path, with "FILE:" before it or without; it is read when a credential is acquired,
 * and again when it changes. NULL: back to what the configuration says.
 *
 * SEC_E_INVALID_PARAMETER  a keytab that is no file ("KEYRING:...")
 * SEC_E_NO_CREDENTIALS     it cannot be read, or has no key that can be used; what was in force stays in force
 */
SECURITY_STATUS SEC_ENTRY PortcullisSetKeytab(const char *keytab);

/*
 * Makes flags a must: every context that this credential begins from now on has to be granted all of them, ASC_RET_...
 * for one that accepts, ISC_RET_... for one that initiates. A context that lacks one ends with
 * SEC_E_SECURITY_QOS_FAILED instead of SEC_E_OK. A later call replaces the flags; 0 requires nothing.
 *
 * SEC_E_INVALID_HANDLE  the credential is none
 */
SECURITY_STATUS SEC_ENTRY PortcullisRequireContextFlags(PCredHandle credential, ULONG flags);

struct sockaddr;

/*
 * Tells an accepting context where its peer calls from, so that failures are counted, slowed down and locked out by
 * address, and the audit log has it. Called between the legs of the handshake: after the first AcceptSecurityContext gave
 * the context, before the one that decides. Where the first leg decides, as most of Kerberos do, there is no context before it:
 * with NULL for it the address is that of the next context that this thread begins to accept. The address (AF_INET,
 * AF_INET6, AF_UNIX; `length` bytes) is copied.
 *
 * SEC_E_INVALID_HANDLE     the context is none
 * SEC_E_INVALID_PARAMETER  no address, or one too short for its family
 */
SECURITY_STATUS SEC_ENTRY PortcullisSetPeerAddress(PCtxtHandle context, const struct sockaddr *address, ULONG length);

/* Levels of a line of the log. Refusals come at PORTCULLIS_LOG_INFO, with the stable name of their cause. */
#define PORTCULLIS_LOG_ERROR 1
#define PORTCULLIS_LOG_WARN 2
#define PORTCULLIS_LOG_INFO 3
#define PORTCULLIS_LOG_DEBUG 4
#define PORTCULLIS_LOG_TRACE 5

/*
 * Takes one line, NUL terminated and without a line break, which is the library's and gone when the function returns.
 * Runs on the thread that caused the line, possibly on several at once, and must return. It may call the library; what it
 * causes there is logged by calling it again.
 */
typedef void (*PORTCULLIS_LOG_FN)(void *argument, ULONG level, const char *line);

/*
 * Sends what happens to `function`, with `argument` handed through; there is one log in a process, and a later call
 * replaces it. NULL turns it off. `argument` has to live until another call has replaced it and no call of the former
 * function is running. No line holds a secret; names of users and addresses are in them.
 */
SECURITY_STATUS SEC_ENTRY PortcullisSetLog(PORTCULLIS_LOG_FN function, void *argument);

/*
 * Why this thread was last refused: the cause's stable name, such as "ntlm/mic-wrong", NUL terminated; "" where it was
 * not. For the operator's log; a peer that is told it learns what to try next.
 *
 * SEC_E_BUFFER_TOO_SMALL   name and NUL have no room in `size` bytes; nothing is written
 * SEC_E_INVALID_PARAMETER  `buffer` is NULL
 */
SECURITY_STATUS SEC_ENTRY PortcullisLastCause(char *buffer, ULONG size);

/* How far the token may be used; numbers of SECURITY_IMPERSONATION_LEVEL. */
#define PORTCULLIS_TOKEN_ANONYMOUS 0
#define PORTCULLIS_TOKEN_IDENTIFY 1
#define PORTCULLIS_TOKEN_IMPERSONATE 2

/* Who a token stands for. Strings are UTF-8, NUL terminated; SIDs are written S-1-5-... */
typedef struct _PORTCULLIS_TOKEN_INFO {
    ULONG Size;         /* of this structure as the library knows it; later versions add fields at the end */
    ULONG Level;        /* PORTCULLIS_TOKEN_... */
    ULONG64 LogonId;    /* of the logon session */
    char *User;         /* DOMAIN\name; NULL for an anonymous client */
    char *UserSid;
    ULONG GroupCount;
    char **GroupSids;   /* GroupCount of them */
} PORTCULLIS_TOKEN_INFO, *PPORTCULLIS_TOKEN_INFO;

/*
 * What is known of a token that QuerySecurityContextToken or SECPKG_ATTR_ACCESS_TOKEN gave. Structure and strings are
 * one allocation: a single FreeContextBuffer(*info) frees them.
 *
 * SEC_E_INVALID_HANDLE       the token is none, or was closed; *info is left alone
 * SEC_E_INVALID_PARAMETER    `info` is NULL
 * SEC_E_INSUFFICIENT_MEMORY
 */
SECURITY_STATUS SEC_ENTRY PortcullisQueryToken(HANDLE token, PORTCULLIS_TOKEN_INFO **info);

/*
 * Closes a token of QuerySecurityContextToken, each exactly once; it outlives its context until then. (Windows has
 * CloseHandle for this.) Tokens of SECPKG_ATTR_ACCESS_TOKEN belong to their context and are not closed.
 *
 * SEC_E_INVALID_HANDLE  the token is none, or was closed
 */
SECURITY_STATUS SEC_ENTRY PortcullisCloseToken(HANDLE token);

#ifdef __cplusplus
}
#endif

#endif /* PORTCULLIS_SSPI_H */
