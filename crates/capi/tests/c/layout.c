/*
 * Layouts of the header's structures on 64-bit machines, and its functions, checked by the compiler alone: there is
 * nothing to link or to run. The numbers were taken from what mingw-w64's headers (v10.0.0) give, not from ours, except
 * those of PORTCULLIS_TOKEN_INFO and PORTCULLIS_BYTES. The same ones for other languages are in ../abi/layout.txt.
 *
 *     cc -std=c11 -Wall -Wextra -Werror -pedantic -I include -fsyntax-only tests/c/layout.c
 */
#include <portcullis/sspi.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
/* The prototype is there, and a pointer to it is what the typedef says. */
#define FUNCTION(name, pointer) _Static_assert(_Generic(&(name), pointer: 1, default: 0), #name)

_Static_assert(sizeof(void *) == 8, "these are the offsets of 64-bit machines");

SIZE(LUID, 8);
AT(LUID, LowPart, 0);
AT(LUID, HighPart, 4);

SIZE(LARGE_INTEGER, 8);
AT(LARGE_INTEGER, QuadPart, 0);
AT(LARGE_INTEGER, LowPart, 0);
AT(LARGE_INTEGER, HighPart, 4);

SIZE(GUID, 16);
AT(GUID, Data1, 0);
AT(GUID, Data2, 4);
AT(GUID, Data3, 6);
AT(GUID, Data4, 8);

SIZE(UNICODE_STRING, 16);
AT(UNICODE_STRING, Length, 0);
AT(UNICODE_STRING, MaximumLength, 2);
AT(UNICODE_STRING, Buffer, 8);

SIZE(SecHandle, 16);
AT(SecHandle, dwLower, 0);
AT(SecHandle, dwUpper, 8);

SIZE(SecPkgInfoA, 32);
AT(SecPkgInfoA, fCapabilities, 0);
AT(SecPkgInfoA, wVersion, 4);
AT(SecPkgInfoA, wRPCID, 6);
AT(SecPkgInfoA, cbMaxToken, 8);
AT(SecPkgInfoA, Name, 16);
AT(SecPkgInfoA, Comment, 24);

SIZE(SecPkgInfoW, 32);
AT(SecPkgInfoW, fCapabilities, 0);
AT(SecPkgInfoW, wVersion, 4);
AT(SecPkgInfoW, wRPCID, 6);
AT(SecPkgInfoW, cbMaxToken, 8);
AT(SecPkgInfoW, Name, 16);
AT(SecPkgInfoW, Comment, 24);

SIZE(SECURITY_PACKAGE_OPTIONS, 24);
AT(SECURITY_PACKAGE_OPTIONS, Size, 0);
AT(SECURITY_PACKAGE_OPTIONS, Type, 4);
AT(SECURITY_PACKAGE_OPTIONS, Flags, 8);
AT(SECURITY_PACKAGE_OPTIONS, SignatureSize, 12);
AT(SECURITY_PACKAGE_OPTIONS, Signature, 16);

SIZE(SecBuffer, 16);
AT(SecBuffer, cbBuffer, 0);
AT(SecBuffer, BufferType, 4);
AT(SecBuffer, pvBuffer, 8);

SIZE(SecBufferDesc, 16);
AT(SecBufferDesc, ulVersion, 0);
AT(SecBufferDesc, cBuffers, 4);
AT(SecBufferDesc, pBuffers, 8);

SIZE(SECURITY_STRING, 16);
AT(SECURITY_STRING, Length, 0);
AT(SECURITY_STRING, MaximumLength, 2);
AT(SECURITY_STRING, Buffer, 8);

SIZE(SEC_NEGOTIATION_INFO, 24);
AT(SEC_NEGOTIATION_INFO, Size, 0);
AT(SEC_NEGOTIATION_INFO, NameLength, 4);
AT(SEC_NEGOTIATION_INFO, Name, 8);
AT(SEC_NEGOTIATION_INFO, Reserved, 16);

SIZE(SEC_CHANNEL_BINDINGS, 32);
AT(SEC_CHANNEL_BINDINGS, dwInitiatorAddrType, 0);
AT(SEC_CHANNEL_BINDINGS, cbInitiatorLength, 4);
AT(SEC_CHANNEL_BINDINGS, dwInitiatorOffset, 8);
AT(SEC_CHANNEL_BINDINGS, dwAcceptorAddrType, 12);
AT(SEC_CHANNEL_BINDINGS, cbAcceptorLength, 16);
AT(SEC_CHANNEL_BINDINGS, dwAcceptorOffset, 20);
AT(SEC_CHANNEL_BINDINGS, cbApplicationDataLength, 24);
AT(SEC_CHANNEL_BINDINGS, dwApplicationDataOffset, 28);

SIZE(SEC_CHANNEL_BINDINGS_EX, 48);
AT(SEC_CHANNEL_BINDINGS_EX, magicNumber, 0);
AT(SEC_CHANNEL_BINDINGS_EX, flags, 4);
AT(SEC_CHANNEL_BINDINGS_EX, cbHeaderLength, 8);
AT(SEC_CHANNEL_BINDINGS_EX, cbStructureLength, 12);
AT(SEC_CHANNEL_BINDINGS_EX, dwInitiatorAddrType, 16);
AT(SEC_CHANNEL_BINDINGS_EX, cbInitiatorLength, 20);
AT(SEC_CHANNEL_BINDINGS_EX, dwInitiatorOffset, 24);
AT(SEC_CHANNEL_BINDINGS_EX, dwAcceptorAddrType, 28);
AT(SEC_CHANNEL_BINDINGS_EX, cbAcceptorLength, 32);
AT(SEC_CHANNEL_BINDINGS_EX, dwAcceptorOffset, 36);
AT(SEC_CHANNEL_BINDINGS_EX, cbApplicationDataLength, 40);
AT(SEC_CHANNEL_BINDINGS_EX, dwApplicationDataOffset, 44);

SIZE(SEC_CHANNEL_BINDINGS_RESULT, 4);
AT(SEC_CHANNEL_BINDINGS_RESULT, flags, 0);

SIZE(SEC_FLAGS, 8);
AT(SEC_FLAGS, Flags, 0);

SIZE(SEC_APPLICATION_PROTOCOL_LIST, 8);
AT(SEC_APPLICATION_PROTOCOL_LIST, ProtoNegoExt, 0);
AT(SEC_APPLICATION_PROTOCOL_LIST, ProtocolListSize, 4);
AT(SEC_APPLICATION_PROTOCOL_LIST, ProtocolList, 6);

SIZE(SEC_APPLICATION_PROTOCOLS, 12);
AT(SEC_APPLICATION_PROTOCOLS, ProtocolListsSize, 0);
AT(SEC_APPLICATION_PROTOCOLS, ProtocolLists, 4);

SIZE(SEC_DTLS_MTU, 2);
AT(SEC_DTLS_MTU, PathMTU, 0);

SIZE(SEND_GENERIC_TLS_EXTENSION, 12);
AT(SEND_GENERIC_TLS_EXTENSION, ExtensionType, 0);
AT(SEND_GENERIC_TLS_EXTENSION, HandshakeType, 2);
AT(SEND_GENERIC_TLS_EXTENSION, Flags, 4);
AT(SEND_GENERIC_TLS_EXTENSION, BufferSize, 8);
AT(SEND_GENERIC_TLS_EXTENSION, Buffer, 10);

SIZE(TLS_EXTENSION_SUBSCRIPTION, 4);
AT(TLS_EXTENSION_SUBSCRIPTION, ExtensionType, 0);
AT(TLS_EXTENSION_SUBSCRIPTION, HandshakeType, 2);

SIZE(SUBSCRIBE_GENERIC_TLS_EXTENSION, 12);
AT(SUBSCRIBE_GENERIC_TLS_EXTENSION, Flags, 0);
AT(SUBSCRIBE_GENERIC_TLS_EXTENSION, SubscriptionsCount, 4);
AT(SUBSCRIBE_GENERIC_TLS_EXTENSION, Subscriptions, 8);

SIZE(SEC_TRAFFIC_SECRETS, 400);
AT(SEC_TRAFFIC_SECRETS, SymmetricAlgId, 0);
AT(SEC_TRAFFIC_SECRETS, ChainingMode, 128);
AT(SEC_TRAFFIC_SECRETS, HashAlgId, 256);
AT(SEC_TRAFFIC_SECRETS, KeySize, 384);
AT(SEC_TRAFFIC_SECRETS, IvSize, 386);
AT(SEC_TRAFFIC_SECRETS, MsgSequenceStart, 388);
AT(SEC_TRAFFIC_SECRETS, MsgSequenceEnd, 390);
AT(SEC_TRAFFIC_SECRETS, TrafficSecretType, 392);
AT(SEC_TRAFFIC_SECRETS, TrafficSecretSize, 396);
AT(SEC_TRAFFIC_SECRETS, TrafficSecret, 398);

SIZE(SEC_WINNT_AUTH_IDENTITY_A, 48);
AT(SEC_WINNT_AUTH_IDENTITY_A, User, 0);
AT(SEC_WINNT_AUTH_IDENTITY_A, UserLength, 8);
AT(SEC_WINNT_AUTH_IDENTITY_A, Domain, 16);
AT(SEC_WINNT_AUTH_IDENTITY_A, DomainLength, 24);
AT(SEC_WINNT_AUTH_IDENTITY_A, Password, 32);
AT(SEC_WINNT_AUTH_IDENTITY_A, PasswordLength, 40);
AT(SEC_WINNT_AUTH_IDENTITY_A, Flags, 44);

SIZE(SEC_WINNT_AUTH_IDENTITY_W, 48);
AT(SEC_WINNT_AUTH_IDENTITY_W, User, 0);
AT(SEC_WINNT_AUTH_IDENTITY_W, UserLength, 8);
AT(SEC_WINNT_AUTH_IDENTITY_W, Domain, 16);
AT(SEC_WINNT_AUTH_IDENTITY_W, DomainLength, 24);
AT(SEC_WINNT_AUTH_IDENTITY_W, Password, 32);
AT(SEC_WINNT_AUTH_IDENTITY_W, PasswordLength, 40);
AT(SEC_WINNT_AUTH_IDENTITY_W, Flags, 44);

SIZE(SEC_WINNT_AUTH_IDENTITY_EXA, 72);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, Version, 0);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, Length, 4);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, User, 8);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, UserLength, 16);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, Domain, 24);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, DomainLength, 32);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, Password, 40);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, PasswordLength, 48);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, Flags, 52);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, PackageList, 56);
AT(SEC_WINNT_AUTH_IDENTITY_EXA, PackageListLength, 64);

SIZE(SEC_WINNT_AUTH_IDENTITY_EXW, 72);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, Version, 0);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, Length, 4);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, User, 8);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, UserLength, 16);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, Domain, 24);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, DomainLength, 32);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, Password, 40);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, PasswordLength, 48);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, Flags, 52);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, PackageList, 56);
AT(SEC_WINNT_AUTH_IDENTITY_EXW, PackageListLength, 64);

SIZE(SEC_WINNT_AUTH_IDENTITY_EX2, 48);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, Version, 0);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, cbHeaderLength, 4);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, cbStructureLength, 8);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, UserOffset, 12);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, UserLength, 16);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, DomainOffset, 20);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, DomainLength, 24);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsOffset, 28);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, PackedCredentialsLength, 32);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, Flags, 36);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, PackageListOffset, 40);
AT(SEC_WINNT_AUTH_IDENTITY_EX2, PackageListLength, 44);

SIZE(SEC_WINNT_AUTH_BYTE_VECTOR, 8);
AT(SEC_WINNT_AUTH_BYTE_VECTOR, ByteArrayOffset, 0);
AT(SEC_WINNT_AUTH_BYTE_VECTOR, ByteArrayLength, 4);

SIZE(SEC_WINNT_AUTH_DATA, 24);
AT(SEC_WINNT_AUTH_DATA, CredType, 0);
AT(SEC_WINNT_AUTH_DATA, CredData, 16);

SIZE(SEC_WINNT_AUTH_PACKED_CREDENTIALS, 28);
AT(SEC_WINNT_AUTH_PACKED_CREDENTIALS, cbHeaderLength, 0);
AT(SEC_WINNT_AUTH_PACKED_CREDENTIALS, cbStructureLength, 2);
AT(SEC_WINNT_AUTH_PACKED_CREDENTIALS, AuthData, 4);

SIZE(SEC_WINNT_AUTH_DATA_PASSWORD, 8);
AT(SEC_WINNT_AUTH_DATA_PASSWORD, UnicodePassword, 0);

SIZE(SCHANNEL_CRED, 80);
AT(SCHANNEL_CRED, dwVersion, 0);
AT(SCHANNEL_CRED, cCreds, 4);
AT(SCHANNEL_CRED, paCred, 8);
AT(SCHANNEL_CRED, hRootStore, 16);
AT(SCHANNEL_CRED, cMappers, 24);
AT(SCHANNEL_CRED, aphMappers, 32);
AT(SCHANNEL_CRED, cSupportedAlgs, 40);
AT(SCHANNEL_CRED, palgSupportedAlgs, 48);
AT(SCHANNEL_CRED, grbitEnabledProtocols, 56);
AT(SCHANNEL_CRED, dwMinimumCipherStrength, 60);
AT(SCHANNEL_CRED, dwMaximumCipherStrength, 64);
AT(SCHANNEL_CRED, dwSessionLifespan, 68);
AT(SCHANNEL_CRED, dwFlags, 72);
AT(SCHANNEL_CRED, dwCredFormat, 76);

SIZE(CRYPTO_SETTINGS, 48);
AT(CRYPTO_SETTINGS, eAlgorithmUsage, 0);
AT(CRYPTO_SETTINGS, strCngAlgId, 8);
AT(CRYPTO_SETTINGS, cChainingModes, 24);
AT(CRYPTO_SETTINGS, rgstrChainingModes, 32);
AT(CRYPTO_SETTINGS, dwMinBitLength, 40);
AT(CRYPTO_SETTINGS, dwMaxBitLength, 44);

SIZE(TLS_PARAMETERS, 40);
AT(TLS_PARAMETERS, cAlpnIds, 0);
AT(TLS_PARAMETERS, rgstrAlpnIds, 8);
AT(TLS_PARAMETERS, grbitDisabledProtocols, 16);
AT(TLS_PARAMETERS, cDisabledCrypto, 20);
AT(TLS_PARAMETERS, pDisabledCrypto, 24);
AT(TLS_PARAMETERS, dwFlags, 32);

SIZE(SCH_CREDENTIALS, 72);
AT(SCH_CREDENTIALS, dwVersion, 0);
AT(SCH_CREDENTIALS, dwCredFormat, 4);
AT(SCH_CREDENTIALS, cCreds, 8);
AT(SCH_CREDENTIALS, paCred, 16);
AT(SCH_CREDENTIALS, hRootStore, 24);
AT(SCH_CREDENTIALS, cMappers, 32);
AT(SCH_CREDENTIALS, aphMappers, 40);
AT(SCH_CREDENTIALS, dwSessionLifespan, 48);
AT(SCH_CREDENTIALS, dwFlags, 52);
AT(SCH_CREDENTIALS, cTlsParameters, 56);
AT(SCH_CREDENTIALS, pTlsParameters, 64);

SIZE(SCHANNEL_ALERT_TOKEN, 12);
AT(SCHANNEL_ALERT_TOKEN, dwTokenType, 0);
AT(SCHANNEL_ALERT_TOKEN, dwAlertType, 4);
AT(SCHANNEL_ALERT_TOKEN, dwAlertNumber, 8);

SIZE(SCHANNEL_SESSION_TOKEN, 8);
AT(SCHANNEL_SESSION_TOKEN, dwTokenType, 0);
AT(SCHANNEL_SESSION_TOKEN, dwFlags, 4);

SIZE(CREDSSP_CRED, 24);
AT(CREDSSP_CRED, Type, 0);
AT(CREDSSP_CRED, pSchannelCred, 8);
AT(CREDSSP_CRED, pSpnegoCred, 16);

SIZE(SecPkgCredentials_NamesA, 8);
AT(SecPkgCredentials_NamesA, sUserName, 0);

SIZE(SecPkgCredentials_NamesW, 8);
AT(SecPkgCredentials_NamesW, sUserName, 0);

SIZE(SecPkgCredentials_SSIProviderA, 24);
AT(SecPkgCredentials_SSIProviderA, sProviderName, 0);
AT(SecPkgCredentials_SSIProviderA, ProviderInfoLength, 8);
AT(SecPkgCredentials_SSIProviderA, ProviderInfo, 16);

SIZE(SecPkgCredentials_SSIProviderW, 24);
AT(SecPkgCredentials_SSIProviderW, sProviderName, 0);
AT(SecPkgCredentials_SSIProviderW, ProviderInfoLength, 8);
AT(SecPkgCredentials_SSIProviderW, ProviderInfo, 16);

SIZE(SecPkgCredentials_KdcProxySettingsW, 16);
AT(SecPkgCredentials_KdcProxySettingsW, Version, 0);
AT(SecPkgCredentials_KdcProxySettingsW, Flags, 4);
AT(SecPkgCredentials_KdcProxySettingsW, ProxyServerOffset, 8);
AT(SecPkgCredentials_KdcProxySettingsW, ProxyServerLength, 10);
AT(SecPkgCredentials_KdcProxySettingsW, ClientTlsCredOffset, 12);
AT(SecPkgCredentials_KdcProxySettingsW, ClientTlsCredLength, 14);

SIZE(SecPkgCredentials_Cert, 16);
AT(SecPkgCredentials_Cert, EncodedCertSize, 0);
AT(SecPkgCredentials_Cert, EncodedCert, 8);

SIZE(SecPkgCred_SupportedAlgs, 16);
AT(SecPkgCred_SupportedAlgs, cSupportedAlgs, 0);
AT(SecPkgCred_SupportedAlgs, palgSupportedAlgs, 8);

SIZE(SecPkgCred_CipherStrengths, 8);
AT(SecPkgCred_CipherStrengths, dwMinimumCipherStrength, 0);
AT(SecPkgCred_CipherStrengths, dwMaximumCipherStrength, 4);

SIZE(SecPkgCred_SupportedProtocols, 4);
AT(SecPkgCred_SupportedProtocols, grbitProtocol, 0);

SIZE(SecPkgCred_ClientCertPolicy, 56);
AT(SecPkgCred_ClientCertPolicy, dwFlags, 0);
AT(SecPkgCred_ClientCertPolicy, guidPolicyId, 4);
AT(SecPkgCred_ClientCertPolicy, dwCertFlags, 20);
AT(SecPkgCred_ClientCertPolicy, dwUrlRetrievalTimeout, 24);
AT(SecPkgCred_ClientCertPolicy, fCheckRevocationFreshnessTime, 28);
AT(SecPkgCred_ClientCertPolicy, dwRevocationFreshnessTime, 32);
AT(SecPkgCred_ClientCertPolicy, fOmitUsageCheck, 36);
AT(SecPkgCred_ClientCertPolicy, pwszSslCtlStoreName, 40);
AT(SecPkgCred_ClientCertPolicy, pwszSslCtlIdentifier, 48);

SIZE(SecPkgCred_SessionTicketKey, 88);
AT(SecPkgCred_SessionTicketKey, TicketInfoVersion, 0);
AT(SecPkgCred_SessionTicketKey, KeyId, 4);
AT(SecPkgCred_SessionTicketKey, KeyingMaterial, 20);
AT(SecPkgCred_SessionTicketKey, KeyingMaterialSize, 84);

SIZE(SecPkgCred_SessionTicketKeys, 16);
AT(SecPkgCred_SessionTicketKeys, cSessionTicketKeys, 0);
AT(SecPkgCred_SessionTicketKeys, pSessionTicketKeys, 8);

SIZE(SecPkgContext_Sizes, 16);
AT(SecPkgContext_Sizes, cbMaxToken, 0);
AT(SecPkgContext_Sizes, cbMaxSignature, 4);
AT(SecPkgContext_Sizes, cbBlockSize, 8);
AT(SecPkgContext_Sizes, cbSecurityTrailer, 12);

SIZE(SecPkgContext_StreamSizes, 20);
AT(SecPkgContext_StreamSizes, cbHeader, 0);
AT(SecPkgContext_StreamSizes, cbTrailer, 4);
AT(SecPkgContext_StreamSizes, cbMaximumMessage, 8);
AT(SecPkgContext_StreamSizes, cBuffers, 12);
AT(SecPkgContext_StreamSizes, cbBlockSize, 16);

SIZE(SecPkgContext_NamesA, 8);
AT(SecPkgContext_NamesA, sUserName, 0);

SIZE(SecPkgContext_NamesW, 8);
AT(SecPkgContext_NamesW, sUserName, 0);

SIZE(SecPkgContext_Lifespan, 16);
AT(SecPkgContext_Lifespan, tsStart, 0);
AT(SecPkgContext_Lifespan, tsExpiry, 8);

SIZE(SecPkgContext_DceInfo, 16);
AT(SecPkgContext_DceInfo, AuthzSvc, 0);
AT(SecPkgContext_DceInfo, pPac, 8);

SIZE(SecPkgContext_KeyInfoA, 32);
AT(SecPkgContext_KeyInfoA, sSignatureAlgorithmName, 0);
AT(SecPkgContext_KeyInfoA, sEncryptAlgorithmName, 8);
AT(SecPkgContext_KeyInfoA, KeySize, 16);
AT(SecPkgContext_KeyInfoA, SignatureAlgorithm, 20);
AT(SecPkgContext_KeyInfoA, EncryptAlgorithm, 24);

SIZE(SecPkgContext_KeyInfoW, 32);
AT(SecPkgContext_KeyInfoW, sSignatureAlgorithmName, 0);
AT(SecPkgContext_KeyInfoW, sEncryptAlgorithmName, 8);
AT(SecPkgContext_KeyInfoW, KeySize, 16);
AT(SecPkgContext_KeyInfoW, SignatureAlgorithm, 20);
AT(SecPkgContext_KeyInfoW, EncryptAlgorithm, 24);

SIZE(SecPkgContext_AuthorityA, 8);
AT(SecPkgContext_AuthorityA, sAuthorityName, 0);

SIZE(SecPkgContext_AuthorityW, 8);
AT(SecPkgContext_AuthorityW, sAuthorityName, 0);

SIZE(SecPkgContext_ProtoInfoA, 16);
AT(SecPkgContext_ProtoInfoA, sProtocolName, 0);
AT(SecPkgContext_ProtoInfoA, majorVersion, 8);
AT(SecPkgContext_ProtoInfoA, minorVersion, 12);

SIZE(SecPkgContext_ProtoInfoW, 16);
AT(SecPkgContext_ProtoInfoW, sProtocolName, 0);
AT(SecPkgContext_ProtoInfoW, majorVersion, 8);
AT(SecPkgContext_ProtoInfoW, minorVersion, 12);

SIZE(SecPkgContext_PasswordExpiry, 8);
AT(SecPkgContext_PasswordExpiry, tsPasswordExpires, 0);

SIZE(SecPkgContext_LogoffTime, 8);
AT(SecPkgContext_LogoffTime, tsLogoffTime, 0);

SIZE(SecPkgContext_SessionKey, 16);
AT(SecPkgContext_SessionKey, SessionKeyLength, 0);
AT(SecPkgContext_SessionKey, SessionKey, 8);

SIZE(SecPkgContext_NegoKeys, 32);
AT(SecPkgContext_NegoKeys, KeyType, 0);
AT(SecPkgContext_NegoKeys, KeyLength, 4);
AT(SecPkgContext_NegoKeys, KeyValue, 8);
AT(SecPkgContext_NegoKeys, VerifyKeyType, 16);
AT(SecPkgContext_NegoKeys, VerifyKeyLength, 20);
AT(SecPkgContext_NegoKeys, VerifyKeyValue, 24);

SIZE(SecPkgContext_PackageInfoA, 8);
AT(SecPkgContext_PackageInfoA, PackageInfo, 0);

SIZE(SecPkgContext_PackageInfoW, 8);
AT(SecPkgContext_PackageInfoW, PackageInfo, 0);

SIZE(SecPkgContext_NegotiationInfoA, 16);
AT(SecPkgContext_NegotiationInfoA, PackageInfo, 0);
AT(SecPkgContext_NegotiationInfoA, NegotiationState, 8);

SIZE(SecPkgContext_NegotiationInfoW, 16);
AT(SecPkgContext_NegotiationInfoW, PackageInfo, 0);
AT(SecPkgContext_NegotiationInfoW, NegotiationState, 8);

SIZE(SecPkgContext_UserFlags, 4);
AT(SecPkgContext_UserFlags, UserFlags, 0);

SIZE(SecPkgContext_Flags, 4);
AT(SecPkgContext_Flags, Flags, 0);

SIZE(SecPkgContext_NativeNamesA, 16);
AT(SecPkgContext_NativeNamesA, sClientName, 0);
AT(SecPkgContext_NativeNamesA, sServerName, 8);

SIZE(SecPkgContext_NativeNamesW, 16);
AT(SecPkgContext_NativeNamesW, sClientName, 0);
AT(SecPkgContext_NativeNamesW, sServerName, 8);

SIZE(SecPkgContext_CredentialNameA, 16);
AT(SecPkgContext_CredentialNameA, CredentialType, 0);
AT(SecPkgContext_CredentialNameA, sCredentialName, 8);

SIZE(SecPkgContext_CredentialNameW, 16);
AT(SecPkgContext_CredentialNameW, CredentialType, 0);
AT(SecPkgContext_CredentialNameW, sCredentialName, 8);

SIZE(SecPkgContext_AccessToken, 8);
AT(SecPkgContext_AccessToken, AccessToken, 0);

SIZE(SecPkgContext_TargetInformation, 16);
AT(SecPkgContext_TargetInformation, MarshalledTargetInfoLength, 0);
AT(SecPkgContext_TargetInformation, MarshalledTargetInfo, 8);

SIZE(SecPkgContext_Target, 16);
AT(SecPkgContext_Target, TargetLength, 0);
AT(SecPkgContext_Target, Target, 8);

SIZE(SecPkgContext_AuthzID, 16);
AT(SecPkgContext_AuthzID, AuthzIDLength, 0);
AT(SecPkgContext_AuthzID, AuthzID, 8);

SIZE(SecPkgContext_ClientSpecifiedTarget, 8);
AT(SecPkgContext_ClientSpecifiedTarget, sTargetName, 0);

SIZE(SecPkgContext_Bindings, 16);
AT(SecPkgContext_Bindings, BindingsLength, 0);
AT(SecPkgContext_Bindings, Bindings, 8);

SIZE(SecPkgContext_CredInfo, 8);
AT(SecPkgContext_CredInfo, CredClass, 0);
AT(SecPkgContext_CredInfo, IsPromptingNeeded, 4);

SIZE(SecPkgContext_LastClientTokenStatus, 4);
AT(SecPkgContext_LastClientTokenStatus, LastClientTokenStatus, 0);

SIZE(SecPkgContext_NegoPackageInfo, 4);
AT(SecPkgContext_NegoPackageInfo, PackageMask, 0);

SIZE(SecPkgContext_NegoStatus, 4);
AT(SecPkgContext_NegoStatus, LastStatus, 0);

SIZE(SecPkgContext_SubjectAttributes, 8);
AT(SecPkgContext_SubjectAttributes, AttributeInfo, 0);

SIZE(SecPkgContext_ApplicationProtocol, 264);
AT(SecPkgContext_ApplicationProtocol, ProtoNegoStatus, 0);
AT(SecPkgContext_ApplicationProtocol, ProtoNegoExt, 4);
AT(SecPkgContext_ApplicationProtocol, ProtocolIdSize, 8);
AT(SecPkgContext_ApplicationProtocol, ProtocolId, 9);

SIZE(SecPkgContext_NegotiatedTlsExtensions, 16);
AT(SecPkgContext_NegotiatedTlsExtensions, ExtensionsCount, 0);
AT(SecPkgContext_NegotiatedTlsExtensions, Extensions, 8);

SIZE(SecPkgContext_ClientCreds, 16);
AT(SecPkgContext_ClientCreds, AuthBufferLen, 0);
AT(SecPkgContext_ClientCreds, AuthBuffer, 8);

SIZE(SecPkgContext_ConnectionInfo, 28);
AT(SecPkgContext_ConnectionInfo, dwProtocol, 0);
AT(SecPkgContext_ConnectionInfo, aiCipher, 4);
AT(SecPkgContext_ConnectionInfo, dwCipherStrength, 8);
AT(SecPkgContext_ConnectionInfo, aiHash, 12);
AT(SecPkgContext_ConnectionInfo, dwHashStrength, 16);
AT(SecPkgContext_ConnectionInfo, aiExch, 20);
AT(SecPkgContext_ConnectionInfo, dwExchStrength, 24);

SIZE(SecPkgContext_ConnectionInfoEx, 404);
AT(SecPkgContext_ConnectionInfoEx, dwVersion, 0);
AT(SecPkgContext_ConnectionInfoEx, dwProtocol, 4);
AT(SecPkgContext_ConnectionInfoEx, szCipher, 8);
AT(SecPkgContext_ConnectionInfoEx, dwCipherStrength, 136);
AT(SecPkgContext_ConnectionInfoEx, szHash, 140);
AT(SecPkgContext_ConnectionInfoEx, dwHashStrength, 268);
AT(SecPkgContext_ConnectionInfoEx, szExchange, 272);
AT(SecPkgContext_ConnectionInfoEx, dwExchStrength, 400);

SIZE(SecPkgContext_CipherInfo, 680);
AT(SecPkgContext_CipherInfo, dwVersion, 0);
AT(SecPkgContext_CipherInfo, dwProtocol, 4);
AT(SecPkgContext_CipherInfo, dwCipherSuite, 8);
AT(SecPkgContext_CipherInfo, dwBaseCipherSuite, 12);
AT(SecPkgContext_CipherInfo, szCipherSuite, 16);
AT(SecPkgContext_CipherInfo, szCipher, 144);
AT(SecPkgContext_CipherInfo, dwCipherLen, 272);
AT(SecPkgContext_CipherInfo, dwCipherBlockLen, 276);
AT(SecPkgContext_CipherInfo, szHash, 280);
AT(SecPkgContext_CipherInfo, dwHashLen, 408);
AT(SecPkgContext_CipherInfo, szExchange, 412);
AT(SecPkgContext_CipherInfo, dwMinExchangeLen, 540);
AT(SecPkgContext_CipherInfo, dwMaxExchangeLen, 544);
AT(SecPkgContext_CipherInfo, szCertificate, 548);
AT(SecPkgContext_CipherInfo, dwKeyType, 676);

SIZE(SecPkgContext_EapKeyBlock, 192);
AT(SecPkgContext_EapKeyBlock, rgbKeys, 0);
AT(SecPkgContext_EapKeyBlock, rgbIVs, 128);

SIZE(SecPkgContext_SessionInfo, 40);
AT(SecPkgContext_SessionInfo, dwFlags, 0);
AT(SecPkgContext_SessionInfo, cbSessionId, 4);
AT(SecPkgContext_SessionInfo, rgbSessionId, 8);

SIZE(SecPkgContext_SessionAppData, 16);
AT(SecPkgContext_SessionAppData, dwFlags, 0);
AT(SecPkgContext_SessionAppData, cbAppData, 4);
AT(SecPkgContext_SessionAppData, pbAppData, 8);

SIZE(SecPkgContext_EapPrfInfo, 16);
AT(SecPkgContext_EapPrfInfo, dwVersion, 0);
AT(SecPkgContext_EapPrfInfo, cbPrfData, 4);
AT(SecPkgContext_EapPrfInfo, pbPrfData, 8);

SIZE(SecPkgContext_SupportedSignatures, 16);
AT(SecPkgContext_SupportedSignatures, cSignatureAndHashAlgorithms, 0);
AT(SecPkgContext_SupportedSignatures, pSignatureAndHashAlgorithms, 8);

SIZE(SecPkgContext_Certificates, 16);
AT(SecPkgContext_Certificates, cCertificates, 0);
AT(SecPkgContext_Certificates, cbCertificateChain, 4);
AT(SecPkgContext_Certificates, pbCertificateChain, 8);

SIZE(SecPkgContext_CertInfo, 40);
AT(SecPkgContext_CertInfo, dwVersion, 0);
AT(SecPkgContext_CertInfo, cbSubjectName, 4);
AT(SecPkgContext_CertInfo, pwszSubjectName, 8);
AT(SecPkgContext_CertInfo, cbIssuerName, 16);
AT(SecPkgContext_CertInfo, pwszIssuerName, 24);
AT(SecPkgContext_CertInfo, dwKeySize, 32);

SIZE(SecPkgContext_IssuerListInfoEx, 16);
AT(SecPkgContext_IssuerListInfoEx, aIssuers, 0);
AT(SecPkgContext_IssuerListInfoEx, cIssuers, 8);

SIZE(SecPkgContext_KeyingMaterialInfo, 40);
AT(SecPkgContext_KeyingMaterialInfo, cbLabel, 0);
AT(SecPkgContext_KeyingMaterialInfo, pszLabel, 8);
AT(SecPkgContext_KeyingMaterialInfo, cbContextValue, 16);
AT(SecPkgContext_KeyingMaterialInfo, pbContextValue, 24);
AT(SecPkgContext_KeyingMaterialInfo, cbKeyingMaterial, 32);

SIZE(SecPkgContext_KeyingMaterial, 16);
AT(SecPkgContext_KeyingMaterial, cbKeyingMaterial, 0);
AT(SecPkgContext_KeyingMaterial, pbKeyingMaterial, 8);

SIZE(SecPkgContext_KeyingMaterial_Inproc, 48);
AT(SecPkgContext_KeyingMaterial_Inproc, cbLabel, 0);
AT(SecPkgContext_KeyingMaterial_Inproc, pszLabel, 8);
AT(SecPkgContext_KeyingMaterial_Inproc, cbContextValue, 16);
AT(SecPkgContext_KeyingMaterial_Inproc, pbContextValue, 24);
AT(SecPkgContext_KeyingMaterial_Inproc, cbKeyingMaterial, 32);
AT(SecPkgContext_KeyingMaterial_Inproc, pbKeyingMaterial, 40);

SIZE(SecPkgContext_SrtpParameters, 16);
AT(SecPkgContext_SrtpParameters, ProtectionProfile, 0);
AT(SecPkgContext_SrtpParameters, MasterKeyIdentifierSize, 2);
AT(SecPkgContext_SrtpParameters, MasterKeyIdentifier, 8);

SIZE(SecPkgContext_TokenBinding, 16);
AT(SecPkgContext_TokenBinding, MajorVersion, 0);
AT(SecPkgContext_TokenBinding, MinorVersion, 1);
AT(SecPkgContext_TokenBinding, KeyParametersSize, 2);
AT(SecPkgContext_TokenBinding, KeyParameters, 8);

SIZE(SecPkgContext_ClientCertPolicyResult, 20);
AT(SecPkgContext_ClientCertPolicyResult, dwPolicyResult, 0);
AT(SecPkgContext_ClientCertPolicyResult, guidPolicyId, 4);

SIZE(SecPkgContext_CertificateValidationResult, 8);
AT(SecPkgContext_CertificateValidationResult, dwChainErrorStatus, 0);
AT(SecPkgContext_CertificateValidationResult, hrVerifyChainStatus, 4);

SIZE(SecurityFunctionTableA, 256);
AT(SecurityFunctionTableA, dwVersion, 0);
AT(SecurityFunctionTableA, EnumerateSecurityPackagesA, 8);
AT(SecurityFunctionTableA, QueryCredentialsAttributesA, 16);
AT(SecurityFunctionTableA, AcquireCredentialsHandleA, 24);
AT(SecurityFunctionTableA, FreeCredentialsHandle, 32);
AT(SecurityFunctionTableA, Reserved2, 40);
AT(SecurityFunctionTableA, InitializeSecurityContextA, 48);
AT(SecurityFunctionTableA, AcceptSecurityContext, 56);
AT(SecurityFunctionTableA, CompleteAuthToken, 64);
AT(SecurityFunctionTableA, DeleteSecurityContext, 72);
AT(SecurityFunctionTableA, ApplyControlToken, 80);
AT(SecurityFunctionTableA, QueryContextAttributesA, 88);
AT(SecurityFunctionTableA, ImpersonateSecurityContext, 96);
AT(SecurityFunctionTableA, RevertSecurityContext, 104);
AT(SecurityFunctionTableA, MakeSignature, 112);
AT(SecurityFunctionTableA, VerifySignature, 120);
AT(SecurityFunctionTableA, FreeContextBuffer, 128);
AT(SecurityFunctionTableA, QuerySecurityPackageInfoA, 136);
AT(SecurityFunctionTableA, Reserved3, 144);
AT(SecurityFunctionTableA, Reserved4, 152);
AT(SecurityFunctionTableA, ExportSecurityContext, 160);
AT(SecurityFunctionTableA, ImportSecurityContextA, 168);
AT(SecurityFunctionTableA, AddCredentialsA, 176);
AT(SecurityFunctionTableA, Reserved8, 184);
AT(SecurityFunctionTableA, QuerySecurityContextToken, 192);
AT(SecurityFunctionTableA, EncryptMessage, 200);
AT(SecurityFunctionTableA, DecryptMessage, 208);
AT(SecurityFunctionTableA, SetContextAttributesA, 216);
AT(SecurityFunctionTableA, SetCredentialsAttributesA, 224);
AT(SecurityFunctionTableA, ChangeAccountPasswordA, 232);
AT(SecurityFunctionTableA, QueryContextAttributesExA, 240);
AT(SecurityFunctionTableA, QueryCredentialsAttributesExA, 248);

SIZE(SecurityFunctionTableW, 256);
AT(SecurityFunctionTableW, dwVersion, 0);
AT(SecurityFunctionTableW, EnumerateSecurityPackagesW, 8);
AT(SecurityFunctionTableW, QueryCredentialsAttributesW, 16);
AT(SecurityFunctionTableW, AcquireCredentialsHandleW, 24);
AT(SecurityFunctionTableW, FreeCredentialsHandle, 32);
AT(SecurityFunctionTableW, Reserved2, 40);
AT(SecurityFunctionTableW, InitializeSecurityContextW, 48);
AT(SecurityFunctionTableW, AcceptSecurityContext, 56);
AT(SecurityFunctionTableW, CompleteAuthToken, 64);
AT(SecurityFunctionTableW, DeleteSecurityContext, 72);
AT(SecurityFunctionTableW, ApplyControlToken, 80);
AT(SecurityFunctionTableW, QueryContextAttributesW, 88);
AT(SecurityFunctionTableW, ImpersonateSecurityContext, 96);
AT(SecurityFunctionTableW, RevertSecurityContext, 104);
AT(SecurityFunctionTableW, MakeSignature, 112);
AT(SecurityFunctionTableW, VerifySignature, 120);
AT(SecurityFunctionTableW, FreeContextBuffer, 128);
AT(SecurityFunctionTableW, QuerySecurityPackageInfoW, 136);
AT(SecurityFunctionTableW, Reserved3, 144);
AT(SecurityFunctionTableW, Reserved4, 152);
AT(SecurityFunctionTableW, ExportSecurityContext, 160);
AT(SecurityFunctionTableW, ImportSecurityContextW, 168);
AT(SecurityFunctionTableW, AddCredentialsW, 176);
AT(SecurityFunctionTableW, Reserved8, 184);
AT(SecurityFunctionTableW, QuerySecurityContextToken, 192);
AT(SecurityFunctionTableW, EncryptMessage, 200);
AT(SecurityFunctionTableW, DecryptMessage, 208);
AT(SecurityFunctionTableW, SetContextAttributesW, 216);
AT(SecurityFunctionTableW, SetCredentialsAttributesW, 224);
AT(SecurityFunctionTableW, ChangeAccountPasswordW, 232);
AT(SecurityFunctionTableW, QueryContextAttributesExW, 240);
AT(SecurityFunctionTableW, QueryCredentialsAttributesExW, 248);

SIZE(PORTCULLIS_BYTES, 16);
AT(PORTCULLIS_BYTES, Length, 0);
AT(PORTCULLIS_BYTES, Bytes, 8);

SIZE(PORTCULLIS_TOKEN_INFO, 48);
AT(PORTCULLIS_TOKEN_INFO, Size, 0);
AT(PORTCULLIS_TOKEN_INFO, Level, 4);
AT(PORTCULLIS_TOKEN_INFO, LogonId, 8);
AT(PORTCULLIS_TOKEN_INFO, User, 16);
AT(PORTCULLIS_TOKEN_INFO, UserSid, 24);
AT(PORTCULLIS_TOKEN_INFO, GroupCount, 32);
AT(PORTCULLIS_TOKEN_INFO, GroupSids, 40);

SIZE(TimeStamp, 8);
AT(TimeStamp, LowPart, 0);
AT(TimeStamp, HighPart, 4);

SIZE(SecPkgContext_Authority, 8);
AT(SecPkgContext_Authority, sAuthorityName, 0);

FUNCTION(EnumerateSecurityPackagesA, ENUMERATE_SECURITY_PACKAGES_FN_A);
FUNCTION(EnumerateSecurityPackagesW, ENUMERATE_SECURITY_PACKAGES_FN_W);
FUNCTION(QuerySecurityPackageInfoA, QUERY_SECURITY_PACKAGE_INFO_FN_A);
FUNCTION(QuerySecurityPackageInfoW, QUERY_SECURITY_PACKAGE_INFO_FN_W);
FUNCTION(AddSecurityPackageA, ADD_SECURITY_PACKAGE_FN_A);
FUNCTION(AddSecurityPackageW, ADD_SECURITY_PACKAGE_FN_W);
FUNCTION(DeleteSecurityPackageA, DELETE_SECURITY_PACKAGE_FN_A);
FUNCTION(DeleteSecurityPackageW, DELETE_SECURITY_PACKAGE_FN_W);
FUNCTION(FreeContextBuffer, FREE_CONTEXT_BUFFER_FN);
FUNCTION(AcquireCredentialsHandleA, ACQUIRE_CREDENTIALS_HANDLE_FN_A);
FUNCTION(AcquireCredentialsHandleW, ACQUIRE_CREDENTIALS_HANDLE_FN_W);
FUNCTION(AddCredentialsA, ADD_CREDENTIALS_FN_A);
FUNCTION(AddCredentialsW, ADD_CREDENTIALS_FN_W);
FUNCTION(FreeCredentialsHandle, FREE_CREDENTIALS_HANDLE_FN);
FUNCTION(QueryCredentialsAttributesA, QUERY_CREDENTIALS_ATTRIBUTES_FN_A);
FUNCTION(QueryCredentialsAttributesW, QUERY_CREDENTIALS_ATTRIBUTES_FN_W);
FUNCTION(QueryCredentialsAttributesExA, QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_A);
FUNCTION(QueryCredentialsAttributesExW, QUERY_CREDENTIALS_ATTRIBUTES_EX_FN_W);
FUNCTION(SetCredentialsAttributesA, SET_CREDENTIALS_ATTRIBUTES_FN_A);
FUNCTION(SetCredentialsAttributesW, SET_CREDENTIALS_ATTRIBUTES_FN_W);
FUNCTION(ChangeAccountPasswordA, CHANGE_PASSWORD_FN_A);
FUNCTION(ChangeAccountPasswordW, CHANGE_PASSWORD_FN_W);
FUNCTION(InitializeSecurityContextA, INITIALIZE_SECURITY_CONTEXT_FN_A);
FUNCTION(InitializeSecurityContextW, INITIALIZE_SECURITY_CONTEXT_FN_W);
FUNCTION(AcceptSecurityContext, ACCEPT_SECURITY_CONTEXT_FN);
FUNCTION(CompleteAuthToken, COMPLETE_AUTH_TOKEN_FN);
FUNCTION(ApplyControlToken, APPLY_CONTROL_TOKEN_FN);
FUNCTION(DeleteSecurityContext, DELETE_SECURITY_CONTEXT_FN);
FUNCTION(QueryContextAttributesA, QUERY_CONTEXT_ATTRIBUTES_FN_A);
FUNCTION(QueryContextAttributesW, QUERY_CONTEXT_ATTRIBUTES_FN_W);
FUNCTION(QueryContextAttributesExA, QUERY_CONTEXT_ATTRIBUTES_EX_FN_A);
FUNCTION(QueryContextAttributesExW, QUERY_CONTEXT_ATTRIBUTES_EX_FN_W);
FUNCTION(SetContextAttributesA, SET_CONTEXT_ATTRIBUTES_FN_A);
FUNCTION(SetContextAttributesW, SET_CONTEXT_ATTRIBUTES_FN_W);
FUNCTION(ImpersonateSecurityContext, IMPERSONATE_SECURITY_CONTEXT_FN);
FUNCTION(RevertSecurityContext, REVERT_SECURITY_CONTEXT_FN);
FUNCTION(QuerySecurityContextToken, QUERY_SECURITY_CONTEXT_TOKEN_FN);
FUNCTION(MakeSignature, MAKE_SIGNATURE_FN);
FUNCTION(VerifySignature, VERIFY_SIGNATURE_FN);
FUNCTION(EncryptMessage, ENCRYPT_MESSAGE_FN);
FUNCTION(DecryptMessage, DECRYPT_MESSAGE_FN);
FUNCTION(ExportSecurityContext, EXPORT_SECURITY_CONTEXT_FN);
FUNCTION(ImportSecurityContextA, IMPORT_SECURITY_CONTEXT_FN_A);
FUNCTION(ImportSecurityContextW, IMPORT_SECURITY_CONTEXT_FN_W);
FUNCTION(InitSecurityInterfaceA, INIT_SECURITY_INTERFACE_A);
FUNCTION(InitSecurityInterfaceW, INIT_SECURITY_INTERFACE_W);
FUNCTION(PortcullisSetAuthority, SECURITY_STATUS (*)(const char *));
FUNCTION(PortcullisSetKeytab, SECURITY_STATUS (*)(const char *));
FUNCTION(PortcullisRequireContextFlags, SECURITY_STATUS (*)(PCredHandle, ULONG));
FUNCTION(PortcullisSetPeerAddress, SECURITY_STATUS (*)(PCtxtHandle, const struct sockaddr *, ULONG));
FUNCTION(PortcullisSetLog, SECURITY_STATUS (*)(PORTCULLIS_LOG_FN, void *));
FUNCTION(PortcullisLastCause, SECURITY_STATUS (*)(char *, ULONG));
FUNCTION(PortcullisQueryToken, SECURITY_STATUS (*)(HANDLE, PORTCULLIS_TOKEN_INFO **));
FUNCTION(PortcullisCloseToken, SECURITY_STATUS (*)(HANDLE));
FUNCTION(SealMessage, ENCRYPT_MESSAGE_FN);
FUNCTION(UnsealMessage, DECRYPT_MESSAGE_FN);
FUNCTION(InitSecurityInterfaceExA, PSecurityFunctionTableA (*)(ULONG));
FUNCTION(InitSecurityInterfaceExW, PSecurityFunctionTableW (*)(ULONG));
