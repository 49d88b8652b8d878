//! Who the client is: for people and for programs.

use crate::decision::CorrelationId;
use crate::tls::TlsChannel;
use askama::Template;
use jiff::Timestamp;
use portcullis::{Channel, Facts, GROUPS};
use portcullis_wire::x509::Certificate;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// What is known of a client that logged on.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Who {
    name: String,
    domain: String,
    sid: Option<String>,
    upn: Option<String>,
    display_name: Option<String>,
    groups: Vec<GroupName>,
    package: &'static str,
    mechanism: &'static str,
    version: &'static str,
    flags: Vec<&'static str>,
    flags_hex: String,
    key_strength: Option<u32>,
    workstation: Option<String>,
    target: Option<String>,
    channel_bindings: &'static str,
    client_certificate: Option<CertificateOf>,
    tls: Option<TlsOf>,
    expires: Option<String>,
    correlation_id: String,
}

#[derive(Debug, Serialize, PartialEq)]
struct GroupName {
    sid: String,
    name: String,
}

/// The client's certificate, as it is; whose account it is, the logon says.
#[derive(Debug, Serialize, PartialEq)]
struct CertificateOf {
    subject: String,
    issuer: String,
    serial: String,
    sha256: String,
    not_before: String,
    not_after: String,
    /// The account that it is; `None` when it is nobody's.
    account: Option<String>,
}

/// The channel.
#[derive(Debug, Serialize, PartialEq)]
struct TlsOf {
    version: &'static str,
    cipher_suite: &'static str,
    group: Option<&'static str>,
    application_protocol: Option<String>,
    server_name: Option<String>,
    resumed: bool,
}

#[derive(Template)]
#[template(path = "who.html")]
struct Page<'a> {
    who: &'a Who,
    flags: String,
}

impl Who {
    pub(crate) fn of(facts: &Facts, tls: Option<&TlsChannel>, id: &CorrelationId) -> Self {
        let token = facts.access_token(); // there is none of a Kerberos principal without a SID
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let account = facts.account.as_deref();
        Self {
            // A null session has the name that Windows gives it (MS-DTYP 2.4.2.4, S-1-5-7).
            name: account.map_or_else(|| "ANONYMOUS LOGON".to_owned(), |account| account.name.clone()),
            domain: account.map_or_else(|| "NT AUTHORITY".to_owned(), |account| account.domain.clone()),
            sid: token.map(|token| token.user.to_string()),
            upn: account.and_then(|account| account.upn.clone()),
            display_name: account.and_then(|account| account.display_name.clone()),
            groups: account.map_or_else(Vec::new, |account| {
                account
                    .groups
                    .iter()
                    .map(|group| GroupName { sid: group.sid.to_string(), name: group.name.clone() })
                    .collect()
            }),
            package: facts.package.name,
            mechanism: facts.mechanism().name,
            version: facts.version,
            flags: facts.granted.names().collect(),
            flags_hex: format!("{:#010x}", facts.granted.0),
            key_strength: facts.key_info.map(|info| info.key_bits),
            workstation: said(facts.claim.workstation()),
            target: said(facts.claim.target()),
            channel_bindings: facts.bindings.name(),
            client_certificate: tls.and_then(CertificateOf::of),
            tls: tls.and_then(|tls| tls.facts.channel.as_deref()).map(TlsOf::of),
            expires: facts.expiry.and_then(|end| Timestamp::try_from(end).ok()).map(|end| end.to_string()),
            correlation_id: id.as_str().to_owned(),
        }
    }

    pub(crate) fn json(&self) -> String {
        // Plain strings and numbers: serialising them cannot fail.
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    pub(crate) fn html(&self) -> String {
        Page { who: self, flags: self.flags.join(", ") }.render().unwrap_or_default()
    }
}

impl CertificateOf {
    fn of(tls: &TlsChannel) -> Option<Self> {
        let der = tls.facts.channel.as_deref()?.peer_certificates.first()?;
        let certificate = Certificate::decode(der).ok()?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let time = |time: SystemTime| Timestamp::try_from(time).map(|time| time.to_string()).unwrap_or_default();
        Some(Self {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: hex(certificate.serial_magnitude().unwrap_or(certificate.serial)),
            sha256: hex(&Sha256::digest(der)),
            not_before: time(certificate.not_before),
            not_after: time(certificate.not_after),
            account: tls.facts.account.as_ref().map(|account| account.qualified_name()),
        })
    }
}

impl TlsOf {
    fn of(channel: &Channel) -> Self {
        let group = GROUPS.iter().find(|(number, _, _)| *number == channel.group).map(|(_, name, _)| *name);
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        Self {
            version: channel.version.name(),
            cipher_suite: channel.suite.name,
            group,
            application_protocol: channel.application_protocol.as_ref().map(text),
            server_name: channel.server_name.clone(),
            resumed: channel.resumed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_wrote_is_text_in_the_page() {
        let who = Who {
            name: "ann".into(),
            domain: "WEB1".into(),
            sid: Some("S-1-5-21-1-2-3-1000".into()),
            upn: None,
            display_name: Some("<script>alert(1)</script>".into()),
            groups: vec![GroupName { sid: "S-1-5-32-545".into(), name: "A & B".into() }],
            package: "NTLM",
            mechanism: "NTLM",
            version: "NTLMv2",
            flags: vec!["INTEGRITY"],
            flags_hex: "0x00020000".into(),
            key_strength: None,
            workstation: Some("\"><img src=x>".into()),
            target: None,
            channel_bindings: "unchecked",
            client_certificate: None,
            tls: None,
            expires: None,
            correlation_id: "00".into(),
        };
        let page = who.html();
        assert!(page.contains("S-1-5-21-1-2-3-1000") && page.contains("S-1-5-32-545"));
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        let json: serde_json::Value = serde_json::from_str(&who.json()).unwrap();
        assert_eq!(json["groups"][0]["name"], "A & B");
        assert_eq!(json["key_strength"], serde_json::Value::Null);
    }
}
