//! SECPKG_ATTR_*: one row each, and how it is read from [`Facts`].

use crate::{
    AccessToken, Account, Channel, ChannelBindings, Facts, KeyInfo, Negotiation, PackageInfo, Role, Sizes, StreamSizes,
    TlsVersion, package,
};
use std::borrow::Cow;
use std::time::SystemTime;

/// One row of the catalogue of context attributes.
#[derive(Debug)]
pub struct AttributeRow {
    /// `SECPKG_ATTR_*`.
    pub id: u32,
    /// The constant's name without its prefix.
    pub name: &'static str,
    /// How it is read.
    read: for<'f> fn(&'f Facts) -> Option<Attribute<'f>>,
}

/// The value of an attribute.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Attribute<'f> {
    /// SecPkgContext_Sizes.
    Sizes(Sizes),
    /// SecPkgContext_Names: the client's `DOMAIN\name`.
    Names(String),
    /// SecPkgContext_Lifespan; no end is never.
    Lifespan(SystemTime, Option<SystemTime>),
    /// SecPkgContext_DceInfo: the client's name for RPC, which stands where a package with a PAC has that.
    DceInfo(String),
    /// SecPkgContext_KeyInfo.
    KeyInfo(KeyInfo),
    /// SecPkgContext_Authority: the domain that judged the logon.
    Authority(&'f str),
    /// SecPkgContext_PasswordExpiry; `None` is never.
    PasswordExpiry(Option<SystemTime>),
    /// SecPkgContext_SessionKey.
    SessionKey(&'f [u8]),
    /// SecPkgContext_PackageInfo.
    PackageInfo(&'static PackageInfo),
    /// SecPkgContext_UserFlags: `LOGON_*` of the logon, as the PAC says; without one there are none.
    UserFlags(u32),
    /// SecPkgContext_NegotiationInfo: the mechanism, and how the two sides came to it.
    NegotiationInfo(&'static PackageInfo, Negotiation),
    /// SecPkgContext_NativeNames: client and server as the protocol spells them.
    NativeNames(Cow<'f, str>, Cow<'f, str>),
    /// SecPkgContext_Flags.
    Flags(u32),
    /// SecPkgContext_AccessToken.
    AccessToken(AccessToken),
    /// SecPkgContext_LogoffTime; `None` is never.
    LogoffTime(Option<SystemTime>),
    /// SecPkgContext_ClientSpecifiedTarget.
    ClientSpecifiedTarget(&'f str),
    /// SecPkgContext_LastClientTokenStatus: whether the client's last token was its last word. 0 is yes.
    LastClientTokenStatus(u32),
    /// SecPkgContext_NegoPackageInfo: `SECPKG_ATTR_NEGO_INFO_FLAG_NO_*`, the packages that the mechanism is not.
    NegoPackageInfo(u32),
    /// SecPkgContext_NegoStatus: the mechanism's last status.
    NegoStatus(u32),
    /// Whether client and server are on one computer and took a short cut.
    IsLoopback(bool),
    /// SecPkgContext_StreamSizes.
    StreamSizes(StreamSizes),
    /// SecPkgContext_Bindings.
    Bindings(Cow<'f, ChannelBindings>),
    /// SecPkgContext_ApplicationProtocol; `None` when none was agreed on.
    ApplicationProtocol(Option<&'f [u8]>),
    /// Certificates in DER, one's own first; a CERT_CONTEXT, or a list of certificates.
    Certificates(&'f [Vec<u8>]),
    /// SecPkgContext_ConnectionInfo, and its extended form.
    ConnectionInfo(&'f Channel),
    /// SecPkgContext_SessionInfo.
    SessionInfo(&'f Channel),
    /// SecPkgContext_CipherInfo.
    CipherInfo(&'f Channel),
    /// SecPkgContext_KeyingMaterial, by [`Channel::keying_material`].
    KeyingMaterial(&'f Channel),
}

/// Every attribute that a context may answer.
pub const TABLE: &[AttributeRow] = &[
    AttributeRow { id: 0, name: "SIZES", read: |f| f.channel.is_none().then_some(Attribute::Sizes(f.sizes)) },
    AttributeRow { id: 1, name: "NAMES", read: |f| f.client_name().map(Attribute::Names) },
    AttributeRow { id: 2, name: "LIFESPAN", read: |f| Some(Attribute::Lifespan(f.start, f.expiry)) },
    AttributeRow { id: 3, name: "DCE_INFO", read: |f| f.client_name().map(Attribute::DceInfo) },
    AttributeRow { id: 4, name: "STREAM_SIZES", read: |f| channel(f).map(|c| Attribute::StreamSizes(c.sizes)) },
    AttributeRow { id: 5, name: "KEY_INFO", read: |f| f.key_info.map(Attribute::KeyInfo) },
    AttributeRow {
        id: 6,
        name: "AUTHORITY",
        read: |f| account(f).map(|account| Attribute::Authority(authority(account))),
    },
    AttributeRow {
        id: 8,
        name: "PASSWORD_EXPIRY",
        read: |f| account(f).map(|account| Attribute::PasswordExpiry(account.password_expires_at)),
    },
    AttributeRow {
        id: 9,
        name: "SESSION_KEY",
        read: |f| f.session_key.as_ref().map(|key| Attribute::SessionKey(key.expose())),
    },
    AttributeRow { id: 10, name: "PACKAGE_INFO", read: |f| Some(Attribute::PackageInfo(f.package)) },
    AttributeRow {
        id: 11,
        name: "USER_FLAGS",
        read: |f| {
            let flags = f.ticket.as_ref().and_then(|ticket| ticket.pac.as_ref()).map_or(0, |pac| pac.user_flags);
            (f.role == Role::Acceptor).then_some(Attribute::UserFlags(flags))
        },
    },
    AttributeRow {
        id: 12,
        name: "NEGOTIATION_INFO",
        read: |f| f.negotiation.map(|state| Attribute::NegotiationInfo(f.mechanism(), state)),
    },
    AttributeRow { id: 13, name: "NATIVE_NAMES", read: native_names },
    AttributeRow { id: 14, name: "FLAGS", read: |f| Some(Attribute::Flags(f.granted.0)) },
    AttributeRow { id: 18, name: "ACCESS_TOKEN", read: |f| f.access_token().map(Attribute::AccessToken) },
    AttributeRow {
        id: 21,
        name: "LOGOFF_TIME",
        read: |f| account(f).map(|account| Attribute::LogoffTime(account.logoff_at)),
    },
    AttributeRow { id: 25, name: "UNIQUE_BINDINGS", read: unique_bindings },
    AttributeRow {
        id: 26,
        name: "ENDPOINT_BINDINGS",
        read: |f| channel(f)?.end_point.as_deref().map(|bindings| Attribute::Bindings(Cow::Borrowed(bindings))),
    },
    AttributeRow {
        id: 27,
        name: "CLIENT_SPECIFIED_TARGET",
        read: |f| Some(Attribute::ClientSpecifiedTarget(f.claim.target())),
    },
    // There are facts when the handshake is at its end: the client has nothing more to say.
    AttributeRow { id: 30, name: "LAST_CLIENT_TOKEN_STATUS", read: |_| Some(Attribute::LastClientTokenStatus(0)) },
    AttributeRow { id: 31, name: "NEGO_PKG_INFO", read: nego_package_info },
    AttributeRow { id: 32, name: "NEGO_STATUS", read: |f| f.negotiation.map(|_| Attribute::NegoStatus(0)) },
    AttributeRow {
        id: 35,
        name: "APPLICATION_PROTOCOL",
        read: |f| channel(f).map(|c| Attribute::ApplicationProtocol(c.application_protocol.as_deref())),
    },
    AttributeRow { id: 37, name: "IS_LOOPBACK", read: |_| Some(Attribute::IsLoopback(false)) },
    AttributeRow { id: 0x53, name: "REMOTE_CERT_CONTEXT", read: peer_certificates },
    AttributeRow {
        id: 0x54,
        name: "LOCAL_CERT_CONTEXT",
        read: |f| certificates(&channel(f)?.local_certificates).map(Attribute::Certificates),
    },
    AttributeRow { id: 0x5a, name: "CONNECTION_INFO", read: |f| channel(f).map(Attribute::ConnectionInfo) },
    AttributeRow { id: 0x5d, name: "SESSION_INFO", read: |f| channel(f).map(Attribute::SessionInfo) },
    AttributeRow { id: 0x5f, name: "REMOTE_CERTIFICATES", read: peer_certificates },
    AttributeRow { id: 0x64, name: "CIPHER_INFO", read: |f| channel(f).map(Attribute::CipherInfo) },
    AttributeRow { id: 0x67, name: "REMOTE_CERT_CHAIN", read: peer_certificates },
    // What is exported, and how much of it, another call says before (KEYING_MATERIAL_INFO).
    AttributeRow { id: 0x6b, name: "KEYING_MATERIAL", read: |f| channel(f).map(Attribute::KeyingMaterial) },
    AttributeRow { id: 0x6e, name: "CONNECTION_INFO_EX", read: |f| channel(f).map(Attribute::ConnectionInfo) },
];

fn channel(facts: &Facts) -> Option<&Channel> {
    facts.channel.as_deref()
}

fn certificates(chain: &[Vec<u8>]) -> Option<&[Vec<u8>]> {
    (!chain.is_empty()).then_some(chain)
}

fn peer_certificates(facts: &Facts) -> Option<Attribute<'_>> {
    certificates(&channel(facts)?.peer_certificates).map(Attribute::Certificates)
}

/// `tls-unique` does not exist in TLS 1.3, where `tls-exporter` took its place (RFC 9266); of TLS 1.2 the library that
/// does the handshake keeps it to itself.
fn unique_bindings(facts: &Facts) -> Option<Attribute<'_>> {
    let channel = channel(facts).filter(|channel| channel.version == TlsVersion::Tls13)?;
    channel.exporter_bindings().ok().map(|bindings| Attribute::Bindings(Cow::Owned(bindings)))
}

fn account(facts: &Facts) -> Option<&Account> {
    facts.account.as_deref()
}

/// The domain; of a principal without one its realm.
fn authority(account: &Account) -> &str {
    if account.domain.is_empty() { &account.dns_domain } else { &account.domain }
}

/// Of Kerberos both principals; of other packages the account, and the service that the client means.
fn native_names(facts: &Facts) -> Option<Attribute<'_>> {
    if let Some(ticket) = &facts.ticket {
        let (client, service) = (&ticket.client, &ticket.service.principal);
        return Some(Attribute::NativeNames(Cow::Borrowed(client), Cow::Borrowed(service)));
    }
    let account = facts.account.as_ref()?;
    let client = account.upn.as_deref().map_or_else(|| Cow::Owned(account.qualified_name()), Cow::Borrowed);
    Some(Attribute::NativeNames(client, Cow::Borrowed(facts.claim.target())))
}

fn nego_package_info(facts: &Facts) -> Option<Attribute<'_>> {
    let negotiated = facts.negotiation.is_some();
    negotiated
        .then(|| Attribute::NegoPackageInfo(if *facts.mechanism() == package::NTLM { NO_KERBEROS } else { NO_NTLM }))
}

const NO_KERBEROS: u32 = 1;
const NO_NTLM: u32 = 2;

impl Facts {
    /// The attribute with this number; `None` where the context has none of it (SEC_E_UNSUPPORTED_FUNCTION).
    pub fn attribute(&self, id: u32) -> Option<Attribute<'_>> {
        TABLE.iter().find(|row| row.id == id).and_then(|row| (row.read)(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BindingsOutcome, Claim, ContextFlags, Group, Level};
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn ann() -> Account {
        Account {
            sid: "S-1-5-21-1-2-3-1001".parse().ok(),
            name: "ann".into(),
            domain: "CORP".into(),
            dns_domain: "corp.example".into(),
            upn: None,
            display_name: None,
            mail: None,
            groups: vec![Group { sid: "S-1-5-21-1-2-3-513".parse().unwrap(), name: "Domain Users".into() }],
            logoff_at: Some(at(200)),
            password_expires_at: Some(at(300)),
        }
    }

    fn facts(role: Role, account: Option<Account>, claim: Claim) -> Facts {
        Facts {
            package: &package::NTLM,
            role,
            account: account.map(Arc::new),
            claim,
            version: "NTLMv2",
            granted: ContextFlags::CONNECTION,
            start: at(100),
            expiry: None,
            sizes: Sizes { max_token: 1, max_signature: 2, block_size: 3, security_trailer: 4 },
            key_info: None,
            session_key: None,
            bindings: BindingsOutcome::Unchecked,
            bindings_aware: false,
            logon_id: 7,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        }
    }

    /// The rows that only some contexts answer, as these facts do.
    fn differing(facts: &Facts) -> Vec<(&'static str, Attribute<'_>)> {
        let always = ["SIZES", "LIFESPAN", "PACKAGE_INFO", "FLAGS", "CLIENT_SPECIFIED_TARGET"];
        let always = [&always[..], &["LAST_CLIENT_TOKEN_STATUS", "IS_LOOPBACK"]].concat();
        let rows = TABLE.iter().filter(|row| !always.contains(&row.name));
        rows.filter_map(|row| Some((row.name, facts.attribute(row.id)?))).collect()
    }

    #[test]
    fn rows_are_in_order() {
        assert!(TABLE.windows(2).all(|two| two[0].id < two[1].id));
    }

    #[test]
    fn of_an_account() {
        let facts = facts(Role::Acceptor, Some(ann()), Claim::new("ANN", "corp", "PC1", "HTTP/web1"));
        let token = AccessToken::of(&ann(), package::NTLM.authentication_sid, 7, Level::Impersonate).unwrap();
        assert_eq!(
            differing(&facts),
            [
                ("NAMES", Attribute::Names("CORP\\ann".into())),
                ("DCE_INFO", Attribute::DceInfo("CORP\\ann".into())),
                ("AUTHORITY", Attribute::Authority("CORP")),
                ("PASSWORD_EXPIRY", Attribute::PasswordExpiry(Some(at(300)))),
                ("USER_FLAGS", Attribute::UserFlags(0)),
                ("NATIVE_NAMES", Attribute::NativeNames("CORP\\ann".into(), "HTTP/web1".into())),
                ("ACCESS_TOKEN", Attribute::AccessToken(token)),
                ("LOGOFF_TIME", Attribute::LogoffTime(Some(at(200)))),
            ]
        );
    }

    #[test]
    fn of_nobody() {
        let facts = facts(Role::Acceptor, None, Claim::default());
        let token = AccessToken::anonymous(7);
        let expected = [("USER_FLAGS", Attribute::UserFlags(0)), ("ACCESS_TOKEN", Attribute::AccessToken(token))];
        assert_eq!(differing(&facts), expected);
    }

    /// It knows itself, and nothing of who judged it.
    #[test]
    fn of_an_initiator() {
        for (claim, name) in [
            (Claim::new("ann", "CORP", "PC1", "HTTP/web1"), Some("CORP\\ann")),
            (Claim::new("ann@corp.example", "", "PC1", "HTTP/web1"), Some("ann@corp.example")),
            (Claim::new("", "", "PC1", "HTTP/web1"), None),
        ] {
            let facts = facts(Role::Initiator, None, claim);
            let names = name.map(|name| ("NAMES", Attribute::Names(name.into())));
            let dce = name.map(|name| ("DCE_INFO", Attribute::DceInfo(name.into())));
            assert_eq!(differing(&facts), names.into_iter().chain(dce).collect::<Vec<_>>());
            assert_eq!(facts.attribute(27), Some(Attribute::ClientSpecifiedTarget("HTTP/web1")));
        }
    }

    #[test]
    fn of_what_was_negotiated() {
        for role in [Role::Acceptor, Role::Initiator] {
            for (state, number) in [(Negotiation::Complete, 0), (Negotiation::Direct, 3)] {
                let inner = Arc::new(facts(role, None, Claim::default()));
                assert_eq!([12, 31, 32].map(|id| inner.attribute(id)), [None, None, None]);
                let facts = inner.within(&package::NEGOTIATE, state);
                assert_eq!(facts.attribute(10), Some(Attribute::PackageInfo(&package::NEGOTIATE)));
                assert_eq!(facts.attribute(12), Some(Attribute::NegotiationInfo(&package::NTLM, state)));
                assert_eq!(facts.attribute(31), Some(Attribute::NegoPackageInfo(1)));
                assert_eq!(facts.attribute(32), Some(Attribute::NegoStatus(0)));
                assert_eq!(state as u32, number);
            }
        }
    }

    #[test]
    fn of_every_context() {
        for role in [Role::Acceptor, Role::Initiator] {
            let facts = facts(role, None, Claim::default());
            assert_eq!(facts.attribute(30), Some(Attribute::LastClientTokenStatus(0)));
            assert_eq!(facts.attribute(37), Some(Attribute::IsLoopback(false)));
            assert_eq!(facts.attribute(4), None);
        }
    }
}
