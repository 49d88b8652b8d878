/*
 * The header as C++ sees it: that it compiles, that a few layouts are those of C (layout.c has them all), and what the
 * string constants say, which C cannot compare while it compiles.
 *
 *     c++ -std=c++17 -Wall -Wextra -Werror -pedantic -I include -fsyntax-only tests/c/layout_cpp.cpp
 */
#include <portcullis/sspi.h>

#include <type_traits>

namespace {

constexpr bool same(const char *one, const char *other)
{
    while (*one != 0 && *one == *other) {
        ++one;
        ++other;
    }
    return *one == *other;
}

constexpr bool six(const unsigned char (&authority)[6], unsigned char last)
{
    for (int place = 0; place < 5; ++place) {
        if (authority[place] != 0) {
            return false;
        }
    }
    return authority[5] == last;
}

/* SEC_WTEXT casts in C++; undone, its literal can be looked at. */
#undef SEC_WTEXT
#define SEC_WTEXT(text) u##text

constexpr bool same(const char16_t *wide, const char *narrow)
{
    while (*wide != 0 && *wide == static_cast<char16_t>(*narrow)) {
        ++wide;
        ++narrow;
    }
    return *wide == static_cast<char16_t>(*narrow);
}

static_assert(same(NTLMSP_NAME_A, "NTLM"), "NTLMSP_NAME_A");
static_assert(same(NTLMSP_NAME, "NTLM"), "NTLMSP_NAME");
static_assert(same(NEGOSSP_NAME_A, "Negotiate"), "NEGOSSP_NAME_A");
static_assert(same(NEGOSSP_NAME_W, "Negotiate"), "NEGOSSP_NAME_W");
static_assert(same(MICROSOFT_KERBEROS_NAME_A, "Kerberos"), "MICROSOFT_KERBEROS_NAME_A");
static_assert(same(MICROSOFT_KERBEROS_NAME_W, "Kerberos"), "MICROSOFT_KERBEROS_NAME_W");
static_assert(same(WDIGEST_SP_NAME_A, "WDigest"), "WDIGEST_SP_NAME_A");
static_assert(same(WDIGEST_SP_NAME_W, "WDigest"), "WDIGEST_SP_NAME_W");
static_assert(same(SCHANNEL_NAME_A, "Schannel"), "SCHANNEL_NAME_A");
static_assert(same(SCHANNEL_NAME_W, "Schannel"), "SCHANNEL_NAME_W");
static_assert(same(UNISP_NAME_A, "Microsoft Unified Security Protocol Provider"), "UNISP_NAME_A");
static_assert(same(UNISP_NAME_W, "Microsoft Unified Security Protocol Provider"), "UNISP_NAME_W");
static_assert(same(SECURITY_ENTRYPOINTA, "InitSecurityInterfaceA"), "SECURITY_ENTRYPOINTA");
static_assert(same(SECURITY_ENTRYPOINTW, "InitSecurityInterfaceW"), "SECURITY_ENTRYPOINTW");
static_assert(same(SECURITY_ENTRYPOINT_ANSIA, "InitSecurityInterfaceA"), "SECURITY_ENTRYPOINT_ANSIA");
static_assert(same(SECURITY_ENTRYPOINT_ANSIW, "InitSecurityInterfaceW"), "SECURITY_ENTRYPOINT_ANSIW");
static_assert(same(SECURITY_ENTRYPOINT16, "INITSECURITYINTERFACEA"), "SECURITY_ENTRYPOINT16");

static_assert(six(SECURITY_NULL_SID_AUTHORITY, 0), "SECURITY_NULL_SID_AUTHORITY");
static_assert(six(SECURITY_WORLD_SID_AUTHORITY, 1), "SECURITY_WORLD_SID_AUTHORITY");
static_assert(six(SECURITY_LOCAL_SID_AUTHORITY, 2), "SECURITY_LOCAL_SID_AUTHORITY");
static_assert(six(SECURITY_CREATOR_SID_AUTHORITY, 3), "SECURITY_CREATOR_SID_AUTHORITY");
static_assert(six(SECURITY_NON_UNIQUE_AUTHORITY, 4), "SECURITY_NON_UNIQUE_AUTHORITY");
static_assert(six(SECURITY_NT_AUTHORITY, 5), "SECURITY_NT_AUTHORITY");
static_assert(six(SECURITY_RESOURCE_MANAGER_AUTHORITY, 9), "SECURITY_RESOURCE_MANAGER_AUTHORITY");
static_assert(six(SECURITY_APP_PACKAGE_AUTHORITY, 15), "SECURITY_APP_PACKAGE_AUTHORITY");
static_assert(six(SECURITY_MANDATORY_LABEL_AUTHORITY, 16), "SECURITY_MANDATORY_LABEL_AUTHORITY");
static_assert(six(SECURITY_SCOPED_POLICY_ID_AUTHORITY, 17), "SECURITY_SCOPED_POLICY_ID_AUTHORITY");
static_assert(six(SECURITY_AUTHENTICATION_AUTHORITY, 18), "SECURITY_AUTHENTICATION_AUTHORITY");

static_assert(sizeof(SecHandle) == 16, "SecHandle");
static_assert(sizeof(SecBuffer) == 16, "SecBuffer");
static_assert(sizeof(SecBufferDesc) == 16, "SecBufferDesc");
static_assert(sizeof(SecPkgInfoA) == 32, "SecPkgInfoA");
static_assert(sizeof(SecPkgInfoW) == 32, "SecPkgInfoW");
static_assert(sizeof(TimeStamp) == 8, "TimeStamp");
static_assert(sizeof(SEC_WINNT_AUTH_IDENTITY_A) == 48, "SEC_WINNT_AUTH_IDENTITY_A");
static_assert(sizeof(SEC_WINNT_AUTH_IDENTITY_EXW) == 72, "SEC_WINNT_AUTH_IDENTITY_EXW");
static_assert(sizeof(SCHANNEL_CRED) == 80, "SCHANNEL_CRED");
static_assert(sizeof(SecurityFunctionTableA) == 256, "SecurityFunctionTableA");
static_assert(sizeof(SecurityFunctionTableW) == 256, "SecurityFunctionTableW");
static_assert(sizeof(PORTCULLIS_TOKEN_INFO) == 48, "PORTCULLIS_TOKEN_INFO");
static_assert(sizeof(PORTCULLIS_BYTES) == 16, "PORTCULLIS_BYTES");
static_assert(sizeof(SEC_WINNT_AUTH_PACKED_CREDENTIALS) == 28, "SEC_WINNT_AUTH_PACKED_CREDENTIALS");
static_assert(offsetof(SecurityFunctionTableA, QueryCredentialsAttributesExA) == 248, "the last slot");
static_assert(std::is_standard_layout<SecurityFunctionTableW>::value, "a structure of C");
static_assert(std::is_same<SECURITY_STATUS, int32_t>::value, "SECURITY_STATUS");
static_assert(std::is_same<decltype(&AcceptSecurityContext), ACCEPT_SECURITY_CONTEXT_FN>::value, "prototypes");
#ifdef UNICODE
static_assert(std::is_same<decltype(&AcquireCredentialsHandle), ACQUIRE_CREDENTIALS_HANDLE_FN_W>::value, "plain names");
#else
static_assert(std::is_same<decltype(&AcquireCredentialsHandle), ACQUIRE_CREDENTIALS_HANDLE_FN_A>::value, "plain names");
#endif

/* A status labels a case here, too. */
constexpr bool denied(SECURITY_STATUS status)
{
    switch (status) {
    case SEC_E_LOGON_DENIED:
        return true;
    case SEC_E_OK:
    case SEC_I_CONTINUE_NEEDED:
    default:
        return false;
    }
}
static_assert(denied(SEC_E_LOGON_DENIED) && !denied(SEC_E_OK), "switch");

} // namespace
