//! The catalogue of statuses: what the peer and the host program learn.

use std::fmt;

/// A SECURITY_STATUS: what the peer and the host program learn.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

/// One row of the catalogue of statuses.
#[derive(Debug, Clone, Copy)]
pub struct StatusRow {
    /// The status.
    pub status: Status,
    /// Its name in `sspi.h`.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// The major status of GSS-API that says the same (RFC 2744 §3.9.1).
    pub gss: &'static str,
    /// The LDAP resultCode of a bind that ends so (RFC 4511 §4.1.9).
    pub ldap: u8,
    /// The HTTP status of a request that ends so.
    pub http: u16,
}

macro_rules! statuses {
    ($($name:ident = $value:literal, $gss:ident, $ldap:literal, $http:literal, $meaning:literal;)*) => {
        #[allow(missing_docs, reason = "the rows of the table below say what each means")]
        impl Status {
            $(#[doc = $meaning] pub const $name: Self = Self($value);)*
        }

        /// Every status that this library gives, one row each.
        pub const TABLE: &[StatusRow] = &[$(StatusRow {
            status: Status::$name,
            name: stringify!($name),
            meaning: $meaning,
            gss: stringify!($gss),
            ldap: $ldap,
            http: $http,
        },)*];
    };
}

statuses! {
    SEC_E_OK = 0x0000_0000, GSS_S_COMPLETE, 0, 200, "established; output, if any, must still be sent";
    SEC_I_CONTINUE_NEEDED = 0x0009_0312, GSS_S_CONTINUE_NEEDED, 14, 401, "send the output and bring the peer's next token";
    SEC_I_CONTEXT_EXPIRED = 0x0009_0317, GSS_S_CONTEXT_EXPIRED, 0, 200, "the peer has ended its direction of a stream";
    SEC_I_RENEGOTIATE = 0x0009_0321, GSS_S_CONTINUE_NEEDED, 0, 200, "the protocol has an answer of its own to send: call AcceptSecurityContext again";
    SEC_E_INSUFFICIENT_MEMORY = 0x8009_0300, GSS_S_FAILURE, 51, 401, "a bound was reached; the cause says which";
    SEC_E_INVALID_HANDLE = 0x8009_0301, GSS_S_NO_CONTEXT, 80, 401, "the context is gone, of another kind, or never was";
    SEC_E_UNSUPPORTED_FUNCTION = 0x8009_0302, GSS_S_UNAVAILABLE, 53, 401, "a flag, strength or function that this package does not have";
    SEC_E_INTERNAL_ERROR = 0x8009_0304, GSS_S_FAILURE, 80, 500, "a defect of ours or of the host; never for bad input";
    SEC_E_INVALID_TOKEN = 0x8009_0308, GSS_S_DEFECTIVE_TOKEN, 49, 401, "malformed, or not of this package or state";
    SEC_E_QOP_NOT_SUPPORTED = 0x8009_030A, GSS_S_BAD_QOP, 53, 401, "this protection was not negotiated on the context";
    SEC_E_NO_IMPERSONATION = 0x8009_030B, GSS_S_UNAVAILABLE, 53, 401, "the context has no token that may be impersonated";
    SEC_E_LOGON_DENIED = 0x8009_030C, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "the proof is wrong or the account may not log on";
    SEC_E_NO_CREDENTIALS = 0x8009_030E, GSS_S_NO_CRED, 49, 401, "the credential cannot be used for accepting";
    SEC_E_MESSAGE_ALTERED = 0x8009_030F, GSS_S_BAD_SIG, 49, 401, "an integrity check over a message failed";
    SEC_E_OUT_OF_SEQUENCE = 0x8009_0310, GSS_S_UNSEQ_TOKEN, 49, 401, "a message came twice, or not in its turn";
    SEC_E_NO_AUTHENTICATING_AUTHORITY = 0x8009_0311, GSS_S_FAILURE, 52, 401, "nobody could judge: a domain that is not ours, or an authority out of reach";
    SEC_E_CONTEXT_EXPIRED = 0x8009_0317, GSS_S_CONTEXT_EXPIRED, 49, 401, "the context has ended";
    SEC_E_INCOMPLETE_MESSAGE = 0x8009_0318, GSS_S_DEFECTIVE_TOKEN, 49, 401, "the stream ends inside a record";
    SEC_E_BUFFER_TOO_SMALL = 0x8009_0321, GSS_S_FAILURE, 80, 500, "the caller's buffer is too small; nothing irreversible has happened";
    SEC_E_WRONG_PRINCIPAL = 0x8009_0322, GSS_S_BAD_NAME, 49, 401, "another name than that of the certificate";
    SEC_E_TIME_SKEW = 0x8009_0324, GSS_S_FAILURE, 49, 401, "the clocks of client and server differ by more than is allowed";
    SEC_E_UNTRUSTED_ROOT = 0x8009_0325, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "the certificate leads to no authority that is trusted";
    SEC_E_ILLEGAL_MESSAGE = 0x8009_0326, GSS_S_DEFECTIVE_TOKEN, 49, 401, "a message that the protocol does not allow here, or the peer's alert";
    SEC_E_CERT_UNKNOWN = 0x8009_0327, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "the certificate cannot be used";
    SEC_E_CERT_EXPIRED = 0x8009_0328, GSS_S_CREDENTIALS_EXPIRED, 49, 401, "the certificate is outside its time";
    SEC_E_DECRYPT_FAILURE = 0x8009_0330, GSS_S_BAD_SIG, 49, 401, "the peer could not decipher or verify what was sent";
    SEC_E_ALGORITHM_MISMATCH = 0x8009_0331, GSS_S_UNAVAILABLE, 53, 401, "no cipher suite, group or signature algorithm in common";
    SEC_E_SECURITY_QOS_FAILED = 0x8009_0332, GSS_S_BAD_QOP, 53, 401, "requested flags contradict each other or were not met";
    SEC_E_UNFINISHED_CONTEXT_DELETED = 0x8009_0333, GSS_S_FAILURE, 49, 401, "the peer gave up before the handshake was through";
    SEC_E_BAD_BINDINGS = 0x8009_0346, GSS_S_BAD_BINDINGS, 49, 401, "the channel bindings do not satisfy the policy";
    SEC_E_NO_KERB_KEY = 0x8009_0348, GSS_S_NO_CRED, 49, 401, "no key here fits the Kerberos ticket";
    SEC_E_CERT_WRONG_USAGE = 0x8009_0349, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "the certificate is not for this use";
    SEC_E_INVALID_PARAMETER = 0x8009_035D, GSS_S_FAILURE, 80, 500, "an argument of the call makes no sense";
    SEC_E_APPLICATION_PROTOCOL_MISMATCH = 0x8009_0367, GSS_S_UNAVAILABLE, 53, 401, "no application protocol in common";
    CRYPT_E_REVOKED = 0x8009_2010, GSS_S_CREDENTIALS_EXPIRED, 49, 401, "the certificate was revoked";
    CRYPT_E_NO_REVOCATION_CHECK = 0x8009_2012, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "nobody knows whether the certificate was revoked";
    CRYPT_E_REVOCATION_OFFLINE = 0x8009_2013, GSS_S_DEFECTIVE_CREDENTIAL, 49, 401, "the revocation list is out of date";
}

impl Status {
    /// The status' row, or `None` for one that this library does not give.
    pub fn row(self) -> Option<&'static StatusRow> {
        TABLE.iter().find(|row| row.status == self)
    }

    /// The name in `sspi.h`, or `None` for a status that this library does not give.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// Whether a caller may go on: the sign bit is clear.
    pub const fn is_success(self) -> bool {
        self.0 & 0x8000_0000 == 0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({:#010x})", self.0),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
