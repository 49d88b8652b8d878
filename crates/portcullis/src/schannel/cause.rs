use crate::failure::causes;
use crate::{CallCause, Failure, Status};
use portcullis_wire as wire;
use rustls::{CertRevocationListError, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};
use std::fmt;

causes! {
    /// Why the Schannel package refuses.
    pub enum Cause in "schannel" {
        /// Bytes that are no record of TLS.
        Malformed(wire::Error) = "malformed-record", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "what came is no record of TLS: the peer speaks another protocol, or something on the way changed the stream";
        /// A request of HTTP came to a port of TLS.
        Http = "http", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the client speaks plain HTTP to a port of TLS; its address must begin with https://";
        /// A datagram of DTLS came.
        Dtls = "dtls", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "the client speaks DTLS, which is not supported here; TLS 1.2 and 1.3 are";
        /// The peer knows no version that is spoken here.
        Version = "version-too-old", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "the peer speaks no version of TLS that is enabled here: TLS 1.2 and 1.3 are known, older ones were broken long ago. Bring the peer up to date";
        /// A hello that is too long.
        TooLarge = "too-large", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the peer's handshake message is longer than any real one";
        /// The acceptor has no certificate that fits the client.
        NoCertificate = "no-certificate", SEC_E_NO_CREDENTIALS, INTERNAL_ERROR,
            "no certificate of this server has a key that the client can verify; add one with an ECDSA P-256 or RSA key";
        /// The client asked for a server that is not here.
        UnknownName = "unknown-server-name", SEC_E_WRONG_PRINCIPAL, NOT_SUPPORTED,
            "the client asked for a server name (SNI) that no certificate here has, and strict names are configured";
        /// Client certificates are asked for, and no authority is trusted to issue them.
        NoClientRoots = "no-client-roots", SEC_E_NO_CREDENTIALS, INTERNAL_ERROR,
            "client certificates are asked for, and no certification authority is trusted to issue them; name one (`--tls-client-ca`)";
        /// Nothing in common.
        NoCommonSuite = "no-common-suite", SEC_E_ALGORITHM_MISMATCH, NOT_SUPPORTED,
            "the peer shares no cipher suite, group or signature algorithm with this side: it knows only old ones (CBC, RSA key exchange, SHA-1). Bring the peer up to date";
        /// No application protocol in common.
        NoCommonProtocol = "no-common-protocol", SEC_E_APPLICATION_PROTOCOL_MISMATCH, NOT_SUPPORTED,
            "client and server have no application protocol (ALPN) in common; the client means another service than this one";
        /// The client sent no certificate.
        NoClientCertificate = "no-client-certificate", SEC_E_NO_CREDENTIALS, LOGON_FAILURE,
            "a client certificate is required and the client sent none: it has none, or none of the authorities that this server names";
        /// A certificate's last day has passed.
        Expired = "certificate-expired", SEC_E_CERT_EXPIRED, LOGON_FAILURE,
            "the peer's certificate, or one above it, has expired; renew it, and compare both clocks";
        /// A certificate's first day is yet to come.
        NotYetValid = "certificate-not-yet-valid", SEC_E_CERT_EXPIRED, LOGON_FAILURE,
            "the peer's certificate, or one above it, is not valid yet; compare both clocks";
        /// A certificate was revoked.
        Revoked = "certificate-revoked", CRYPT_E_REVOKED, LOGON_FAILURE,
            "the peer's certificate was revoked by its issuer";
        /// Nobody knows whether a certificate was revoked.
        RevocationUnknown = "revocation-unknown", CRYPT_E_NO_REVOCATION_CHECK, LOGON_FAILURE,
            "no revocation list at hand covers the peer's certificate, and revocation must be checked; add its issuer's list, or set `revocation = \"when-known\"`";
        /// The revocation list is too old.
        RevocationStale = "revocation-stale", CRYPT_E_REVOCATION_OFFLINE, LOGON_FAILURE,
            "the revocation list of the peer's issuer is past its next update; fetch a fresh one";
        /// No trusted authority stands behind a certificate.
        UntrustedRoot = "untrusted-root", SEC_E_UNTRUSTED_ROOT, LOGON_FAILURE,
            "the peer's certificate leads to no authority that is trusted here: it is from elsewhere, or the peer does not send the authorities in between";
        /// A certificate is meant for something else.
        WrongUsage = "certificate-wrong-usage", SEC_E_CERT_WRONG_USAGE, LOGON_FAILURE,
            "the peer's certificate is not issued for this use: a client's needs the extended key usage clientAuth, a server's serverAuth";
        /// A certificate is of another name.
        WrongName = "certificate-wrong-name", SEC_E_WRONG_PRINCIPAL, LOGON_FAILURE,
            "the server's certificate is not of the name that was asked for";
        /// A certificate cannot be used, for another reason.
        BadCertificate = "certificate-bad", SEC_E_CERT_UNKNOWN, LOGON_FAILURE,
            "the peer's certificate cannot be read or its signature cannot be checked: malformed, an algorithm that is not trusted (SHA-1), a key with explicit parameters, or an unknown critical extension";
        /// The peer does not prove that it has its certificate's key, or somebody changed the handshake.
        ProofWrong = "proof-wrong", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "a signature or checksum over the handshake is wrong: somebody changed it on the way, or the peer does not have the key of its certificate";
        /// A record cannot be opened.
        BadRecord = "bad-record", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "a record does not open with the session's keys: it was altered on the way, came twice, or was lost";
        /// The peer said that something is wrong.
        PeerAlert(Alert) = "peer-alert", SEC_E_ILLEGAL_MESSAGE, LOGON_FAILURE,
            "the peer ended the connection with an alert; its own log says why. 42 to 48 mean that it does not accept this side's certificate, 70 and 71 that it wants other versions or suites, 116 that it wants a client certificate";
        /// The peer broke the protocol.
        Violation = "protocol-violation", SEC_E_ILLEGAL_MESSAGE, INVALID_PARAMETER,
            "the peer sent a message that TLS does not allow here";
        /// The peer sends and sends what has no use.
        Flood = "flood", SEC_E_ILLEGAL_MESSAGE, INVALID_PARAMETER,
            "the peer sent too many alerts, empty records or key updates in a row";
        /// The peer, or the host, wants a second handshake.
        Renegotiation = "renegotiation", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "a second handshake inside the first is not supported: ask for the client's certificate in the first one";
        /// The host wants the client's certificate after the handshake.
        PostHandshakeAuthentication = "post-handshake-authentication", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "a client certificate cannot be asked for after the handshake; ask in it (ASC_REQ_MUTUAL_AUTH in the first call)";
        /// tls-unique is asked for.
        TlsUnique = "tls-unique", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "channel bindings of type tls-unique are not to be had; tls-server-end-point is, and tls-exporter";
        /// Nothing binds the session's keys to it alone.
        ExporterUnbound = "exporter-unbound", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "the peer speaks TLS 1.2 without the extended master secret, so that a man in the middle could have the same keys on both sides: nothing is exported from them";
        /// A flag that this package does not have.
        Flag = "flag-not-supported", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "the host asks for delegation, which TLS does not have";
        /// The protocol's own answer must be sent first.
        ResponsePending = "response-pending", SEC_E_OUT_OF_SEQUENCE, INVALID_PARAMETER,
            "the protocol has something of its own to send first (an answer to a key update): fetch it by a call of AcceptSecurityContext or InitializeSecurityContext with the extra bytes, send it, and seal then; nothing was sealed";
        /// This direction has ended.
        Ended = "ended", SEC_E_CONTEXT_EXPIRED, INVALID_PARAMETER,
            "the host ended this direction of the stream, or it failed, and then went on to use it";
        /// The connection ended without a word.
        Truncated = "truncated", SEC_E_INCOMPLETE_MESSAGE, LOGON_FAILURE,
            "the connection ended without TLS's own end mark: something was cut off, perhaps by an attacker";
        /// More data than a record holds.
        MessageTooLong = "message-too-long", SEC_E_INVALID_PARAMETER, INVALID_PARAMETER,
            "more data than cbMaximumMessage was to be sealed at once; cut it";
        /// The target is no server name.
        BadTarget = "bad-target", SEC_E_WRONG_PRINCIPAL, INVALID_PARAMETER,
            "the target is neither a DNS name nor an IP address";
        /// The TLS library failed by itself.
        Internal = "internal", SEC_E_INTERNAL_ERROR, INTERNAL_ERROR,
            "the TLS library failed for a reason of its own; this is a defect";
    }
}

/// The number of an alert (RFC 8446 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert(pub u8);

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alert {}", self.0)
    }
}

impl Alert {
    /// What a host learns of an alert that came.
    const fn status(self) -> Status {
        match self.0 {
            20 | 30 => Status::SEC_E_MESSAGE_ALTERED,
            21 | 51 => Status::SEC_E_DECRYPT_FAILURE,
            42 | 43 | 46 => Status::SEC_E_CERT_UNKNOWN,
            44 => Status::CRYPT_E_REVOKED,
            45 => Status::SEC_E_CERT_EXPIRED,
            48 => Status::SEC_E_UNTRUSTED_ROOT,
            49 => Status::SEC_E_LOGON_DENIED,
            70 => Status::SEC_E_UNSUPPORTED_FUNCTION,
            71 => Status::SEC_E_ALGORITHM_MISMATCH,
            80 => Status::SEC_E_INTERNAL_ERROR,
            90 => Status::SEC_E_UNFINISHED_CONTEXT_DELETED,
            120 => Status::SEC_E_APPLICATION_PROTOCOL_MISMATCH,
            _ => Status::SEC_E_ILLEGAL_MESSAGE,
        }
    }
}

/// The TLS library's error as one of this package.
pub(super) fn of(error: &Error) -> Failure {
    if let Error::AlertReceived(alert) = error {
        let alert = Alert(u8::from(*alert));
        return Failure { status: alert.status(), cause: Cause::PeerAlert(alert).into() };
    }
    let cause = match error {
        Error::NoCertificatesPresented => Cause::NoClientCertificate,
        Error::DecryptError => Cause::BadRecord,
        Error::PeerSentOversizedRecord => Cause::TooLarge,
        Error::NoApplicationProtocol => Cause::NoCommonProtocol,
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::InvalidCertRevocationList(error) => of_list(error),
        Error::PeerIncompatible(error) => of_incompatible(error),
        Error::PeerMisbehaved(error) => of_misbehaviour(error),
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge
            | InvalidMessage::CertificatePayloadTooLarge
            | InvalidMessage::MessageTooLarge,
        ) => Cause::TooLarge,
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            Cause::Violation
        }
        Error::FailedToGetRandomBytes => return CallCause::NoRandomness.into(),
        _ => Cause::Internal,
    };
    cause.into()
}

fn of_certificate(error: &CertificateError) -> Cause {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Cause::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Cause::NotYetValid,
        CertificateError::Revoked => Cause::Revoked,
        CertificateError::UnknownRevocationStatus => Cause::RevocationUnknown,
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            Cause::RevocationStale
        }
        CertificateError::UnknownIssuer => Cause::UntrustedRoot,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Cause::WrongUsage,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Cause::WrongName,
        // Of the handshake's own signature too: the library calls both so.
        CertificateError::BadSignature => Cause::ProofWrong,
        _ => Cause::BadCertificate,
    }
}

fn of_list(_: &CertRevocationListError) -> Cause {
    Cause::RevocationUnknown
}

fn of_incompatible(error: &PeerIncompatible) -> Cause {
    match error {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => Cause::Version,
        _ => Cause::NoCommonSuite,
    }
}

fn of_misbehaviour(error: &PeerMisbehaved) -> Cause {
    match error {
        PeerMisbehaved::TooManyEmptyFragments
        | PeerMisbehaved::TooManyKeyUpdateRequests
        | PeerMisbehaved::TooManyRenegotiationRequests
        | PeerMisbehaved::TooManyWarningAlertsReceived
        | PeerMisbehaved::TooMuchEarlyDataReceived => Cause::Flood,
        PeerMisbehaved::IncorrectBinder => Cause::ProofWrong,
        _ => Cause::Violation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::AlertDescription;

    #[test]
    fn an_alert_has_the_status_that_the_documents_give_it() {
        for (alert, status) in [
            (AlertDescription::BadRecordMac, Status::SEC_E_MESSAGE_ALTERED),
            (AlertDescription::HandshakeFailure, Status::SEC_E_ILLEGAL_MESSAGE),
            (AlertDescription::BadCertificate, Status::SEC_E_CERT_UNKNOWN),
            (AlertDescription::CertificateRevoked, Status::CRYPT_E_REVOKED),
            (AlertDescription::CertificateExpired, Status::SEC_E_CERT_EXPIRED),
            (AlertDescription::UnknownCA, Status::SEC_E_UNTRUSTED_ROOT),
            (AlertDescription::AccessDenied, Status::SEC_E_LOGON_DENIED),
            (AlertDescription::DecryptError, Status::SEC_E_DECRYPT_FAILURE),
            (AlertDescription::ProtocolVersion, Status::SEC_E_UNSUPPORTED_FUNCTION),
            (AlertDescription::NoApplicationProtocol, Status::SEC_E_APPLICATION_PROTOCOL_MISMATCH),
        ] {
            let failure = of(&Error::AlertReceived(alert));
            assert_eq!(failure.status, status, "{alert:?}");
            assert_eq!(failure.cause.name(), "schannel/peer-alert");
        }
    }
}
