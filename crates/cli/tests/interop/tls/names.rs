//! Causes in the audit log, and how the endpoint says how bindings were judged.

pub const HTTP_ON_THE_TLS_PORT: &str = "schannel/http";
pub const DTLS: &str = "schannel/dtls";
pub const NOT_TLS: &str = "schannel/malformed-record";
pub const NO_COMMON_VERSION: &str = "schannel/version-too-old";
pub const NO_COMMON_PROTOCOL: &str = "schannel/no-common-protocol";
pub const NO_COMMON_SUITE: &str = "schannel/no-common-suite";

pub const UNKNOWN_NAME: &str = "schannel/unknown-server-name";

pub const NO_CERTIFICATE: &str = "schannel/no-client-certificate";
pub const CERTIFICATE_EXPIRED: &str = "schannel/certificate-expired";
pub const CERTIFICATE_NOT_YET_VALID: &str = "schannel/certificate-not-yet-valid";
pub const CERTIFICATE_REVOKED: &str = "schannel/certificate-revoked";
pub const CERTIFICATE_UNTRUSTED: &str = "schannel/untrusted-root";
pub const CERTIFICATE_WRONG_USAGE: &str = "schannel/certificate-wrong-usage";
pub const REVOCATION_UNKNOWN: &str = "schannel/revocation-unknown";
pub const REVOCATION_STALE: &str = "schannel/revocation-stale";

pub const UNMAPPED: &str = "account/unmapped-certificate";
pub const AMBIGUOUS: &str = "account/ambiguous-certificate";
pub const WEAK: &str = "account/weak-certificate-mapping";
pub const DISABLED: &str = "account/disabled";

pub const BINDINGS_MISSING: &str = "ntlm/bindings-missing";
pub const BINDINGS_WRONG: &str = "ntlm/bindings-wrong";

/// `channel_bindings` of `GET /`.
pub const MATCHED: &str = "matched";
pub const ALLOWED_MISSING: &str = "allowed-missing";

/// `package` of `GET /` for a client that its certificate names.
pub const PACKAGE: &str = "Schannel";
