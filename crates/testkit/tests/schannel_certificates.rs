//! Client certificates: who is asked, and whose are believed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{AcceptorSettings, ClientAuth, Mapping, Revocation, Trust};
use portcullis::{ContextFlags, Credential, Status, TlsVersion, Wants};
use portcullis_testkit::tls::{Ca, Leaf, NoAccounts, Server, VERSIONS, client_of, connect, handshake, provider, sends};
use rcgen::{ExtendedKeyUsagePurpose, SerialNumber};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The server's certificate, and what it trusts.
struct Service {
    ca: Ca,
    server: Leaf,
}

impl Service {
    fn new() -> Self {
        let ca = Ca::new("Root");
        let server = ca.server(&["localhost"]);
        Self { ca, server }
    }

    fn settings(&self, client_auth: ClientAuth, trust: Trust) -> AcceptorSettings {
        AcceptorSettings { client_auth, clients: Some(trust), mapping: Mapping::Off, ..Default::default() }
    }

    fn credential(&self, client_auth: ClientAuth, trust: Trust) -> Credential {
        self.server.acceptor(self.settings(client_auth, trust))
    }

    /// How a handshake of this client ends; what both think of it is the same.
    fn ends(&self, credential: &Credential, version: TlsVersion, leaf: Option<&Leaf>) -> &'static str {
        let mut client = connect(&client_of(version, &self.ca, leaf, |_| ()), "localhost");
        let mut server = Server::new(credential, &NoAccounts);
        let thinks = handshake(&mut client, &mut server);
        assert_eq!(thinks.is_ok(), server.ended() == "ok", "{thinks:?}");
        server.ended()
    }

    /// How it ends where a certificate must come and be believed by `trust`.
    fn judged(&self, trust: &Trust, leaf: &Leaf) -> &'static str {
        let credential = self.credential(ClientAuth::Require, trust.clone());
        let [old, new] = VERSIONS.map(|version| self.ends(&credential, version, Some(leaf)));
        assert_eq!(old, new, "both versions judge alike");
        // What is sent must be good, also where nothing need be sent.
        let credential = self.credential(ClientAuth::Request, trust.clone());
        assert_eq!(self.ends(&credential, TlsVersion::Tls13, Some(leaf)), new);
        new
    }
}

/// A certificate that is good from and until so many days from now.
fn lasting(ca: &Ca, from: i64, until: i64) -> Leaf {
    ca.issue("Ann", &[], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let day = |days: i64| {
            let distance = DAY * u32::try_from(days.unsigned_abs()).unwrap();
            if days < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance }
        };
        params.not_before = day(from).into();
        params.not_after = day(until).into();
    })
}

#[test]
fn who_is_asked() {
    let service = Service::new();
    let ann = service.ca.client("Ann", 7);
    for version in VERSIONS {
        for (auth, none, some) in [
            (ClientAuth::None, ("ok", 0), ("ok", 0)),
            (ClientAuth::Request, ("ok", 0), ("ok", 1)),
            (ClientAuth::Require, ("schannel/no-client-certificate", 0), ("ok", 1)),
        ] {
            let credential = service.credential(auth, service.ca.trust());
            for (leaf, (ended, certificates)) in [(None, none), (Some(&ann), some)] {
                let mut client = connect(&client_of(version, &service.ca, leaf, |_| ()), "localhost");
                let mut server = Server::new(&credential, &NoAccounts);
                let _ = handshake(&mut client, &mut server);
                assert_eq!(server.ended(), ended, "{version:?} {auth:?}");
                if ended == "ok" {
                    let channel = server.channel();
                    assert_eq!(channel.peer_certificates.len(), certificates);
                    let mutual = server.context().facts().granted.contains(ContextFlags::MUTUAL_AUTH);
                    assert_eq!(mutual, certificates > 0, "granted is what happened");
                    assert_eq!(channel.peer_certificates.first(), (certificates > 0).then_some(&ann.certificate));
                    assert!(channel.verified || certificates == 0);
                }
            }
        }
    }
}

#[test]
fn a_call_that_wants_mutual_authentication() {
    let service = Service::new();
    let ann = service.ca.client("Ann", 7);
    let settings = service.settings(ClientAuth::None, service.ca.trust());
    let lenient = AcceptorSettings { danger_mutual_auth_only_asks: true, ..settings.clone() };
    let ends = |settings: &AcceptorSettings, want: Wants, leaf: Option<&Leaf>| {
        let mut client = connect(&client_of(TlsVersion::Tls13, &service.ca, leaf, |_| ()), "localhost");
        let credential = service.server.acceptor(settings.clone());
        let mut server = Server::new(&credential, &NoAccounts);
        server.want = want;
        let _ = handshake(&mut client, &mut server);
        server.ended()
    };
    let wished = Wants { flags: ContextFlags::MUTUAL_AUTH, ..Wants::default() };
    let required = Wants { required: ContextFlags::MUTUAL_AUTH, ..Wants::default() };
    for want in [wished, required] {
        assert_eq!(ends(&settings, want, None), "schannel/no-client-certificate");
        assert_eq!(ends(&settings, want, Some(&ann)), "ok");
        assert_eq!(ends(&lenient, want, Some(&ann)), "ok");
    }
    assert_eq!(ends(&lenient, wished, None), "ok");
    assert_eq!(ends(&lenient, required, None), "call/requirement-not-met");
    // A later call that wants it comes too late to ask, and is not met.
    for version in VERSIONS {
        let mut client = connect(&client_of(version, &service.ca, Some(&ann), |_| ()), "localhost");
        let credential = service.server.acceptor(settings.clone());
        let mut server = Server::new(&credential, &NoAccounts);
        server.hear(&sends(&mut client));
        server.want = wished;
        let _ = handshake(&mut client, &mut server);
        assert_eq!(server.ended(), "schannel/no-client-certificate", "{version:?}");
    }
    // It is asked for, and nobody would be believed.
    let nobody = AcceptorSettings::default();
    assert_eq!(ends(&nobody, wished, Some(&ann)), "schannel/no-client-roots");
    let delegation = Wants { flags: ContextFlags::DELEGATE, ..Wants::default() };
    assert_eq!(ends(&nobody, delegation, None), "schannel/flag-not-supported");
}

#[test]
fn whose_certificates_are_believed() {
    let service = Service::new();
    let trust = service.ca.trust();
    let ca = &service.ca;
    assert_eq!(service.judged(&trust, &ca.client("Ann", 7)), "ok");
    assert_eq!(service.judged(&trust, &lasting(ca, -9, -1)), "schannel/certificate-expired");
    assert_eq!(service.judged(&trust, &lasting(ca, 1, 9)), "schannel/certificate-not-yet-valid");
    assert_eq!(service.judged(&trust, &Ca::new("Other").client("Ann", 7)), "schannel/untrusted-root");
    // Of the same name, and another key.
    let impostor = service.judged(&trust, &Ca::new("Root").client("Ann", 7));
    assert!(["schannel/proof-wrong", "schannel/untrusted-root"].contains(&impostor), "{impostor}");
    assert_eq!(service.judged(&trust, &ca.server(&["localhost"])), "schannel/certificate-wrong-usage");
    let garbage = Leaf { certificate: b"\x30\x03\x02\x01\x00".to_vec(), ..ca.client("Ann", 7) };
    let forged = forger(&service, &garbage.certificate, &garbage.key);
    assert_eq!(forged, "schannel/certificate-bad");
}

/// A good certificate, and another key.
#[test]
fn a_certificate_without_its_key() {
    let service = Service::new();
    let (ann, other) = (service.ca.client("Ann", 7), service.ca.client("Eve", 8));
    assert_eq!(forger(&service, &ann.certificate, &other.key), "schannel/proof-wrong");
    assert_eq!(forger(&service, &ann.certificate, &ann.key), "ok");
}

/// How a handshake ends with this certificate and this key, which need not belong together.
fn forger(service: &Service, certificate: &[u8], key: &[u8]) -> &'static str {
    let key = PrivateKeyDer::try_from(key.to_vec()).unwrap();
    let key = provider().key_provider.load_private_key(key).unwrap();
    let forged = CertifiedKey::new(vec![CertificateDer::from(certificate.to_vec())], key);
    let resolver = Arc::new(SingleCertAndKey::from(forged));
    let credential = service.credential(ClientAuth::Require, service.ca.trust());
    let [old, new] = VERSIONS.map(|version| {
        let config =
            client_of(version, &service.ca, None, |config| config.client_auth_cert_resolver = resolver.clone());
        let mut client = connect(&config, "localhost");
        let mut server = Server::new(&credential, &NoAccounts);
        let _ = handshake(&mut client, &mut server);
        server.ended()
    });
    assert_eq!(old, new);
    new
}

#[test]
fn the_authorities_in_between() {
    let service = Service::new();
    let trust = service.ca.trust();
    let deep = service.ca.below("A").below("B").below("C");
    let ann = deep.client("Ann", 7);
    assert_eq!(ann.above.len(), 3);
    assert_eq!(service.judged(&trust, &ann), "ok");
    let cut = Leaf { above: ann.above[..2].to_vec(), ..ann.clone() };
    assert_eq!(service.judged(&trust, &cut), "schannel/untrusted-root");
    let alone = Leaf { above: Vec::new(), ..ann.clone() };
    assert_eq!(service.judged(&trust, &alone), "schannel/untrusted-root");
    // In another order it is found all the same.
    let shuffled = Leaf { above: ann.above.iter().rev().cloned().collect(), ..ann };
    assert_eq!(service.judged(&trust, &shuffled), "ok");
    // A chain without an end, and a client's certificate that plays authority.
    let mut endless = service.ca.below("1");
    for number in 2..20 {
        endless = endless.below(&number.to_string());
    }
    let refused = service.judged(&trust, &endless.client("Ann", 7));
    assert!(["schannel/untrusted-root", "schannel/certificate-bad"].contains(&refused), "{refused}");
}

#[test]
fn revocation() {
    let service = Service::new();
    let ca = &service.ca;
    let (good, bad) = (ca.client("Ann", 7), ca.client("Ben", 8));
    let now = SystemTime::now();
    let fresh = ca.revokes(&[8], now - DAY, 2 * DAY);
    let stale = ca.revokes(&[8], now - 3 * DAY, DAY);
    let foreign = Ca::new("Other").revokes(&[7, 8], now - DAY, 2 * DAY);
    let none: &[Vec<u8>] = &[];
    let require = Some(Revocation::Require);
    let known = Some(Revocation::WhenKnown);
    let unknown = "schannel/revocation-unknown";
    let revoked = "schannel/certificate-revoked";
    let old = "schannel/revocation-stale";
    for (lists, revocation, of_good, of_bad) in [
        // Where there are lists, they must speak.
        (std::slice::from_ref(&fresh), None, "ok", revoked),
        (std::slice::from_ref(&fresh), known, "ok", revoked),
        (std::slice::from_ref(&fresh), Some(Revocation::Off), "ok", "ok"),
        (std::slice::from_ref(&stale), require, old, old),
        (std::slice::from_ref(&stale), known, "ok", revoked),
        (std::slice::from_ref(&foreign), require, unknown, unknown),
        (std::slice::from_ref(&foreign), known, "ok", "ok"),
        (none, None, "ok", "ok"),
        (none, known, "ok", "ok"),
        (none, require, unknown, unknown),
    ] {
        let trust = Trust { revocation_lists: lists.to_vec(), revocation, ..ca.trust() };
        assert_eq!(service.judged(&trust, &good), of_good, "{revocation:?}");
        assert_eq!(service.judged(&trust, &bad), of_bad, "{revocation:?}");
    }
    // A long list, as a large authority's is.
    let serials: Vec<u64> = (1000..6000).chain([8]).collect();
    let trust = Trust { revocation_lists: vec![ca.revokes(&serials, now - DAY, 2 * DAY)], ..ca.trust() };
    assert_eq!([&good, &bad].map(|leaf| service.judged(&trust, leaf)), ["ok", revoked]);
    // Above the client's own: each authority has a list, unless only the client's own counts.
    let below = ca.below("Below");
    let list = below.revokes(&[8], now - DAY, 2 * DAY);
    let trust = |lists: &[&Vec<u8>], end_entity_only| Trust {
        revocation_lists: lists.iter().map(|&list| list.clone()).collect(),
        end_entity_only,
        ..ca.trust()
    };
    assert_eq!(service.judged(&trust(&[&list], false), &below.client("Ann", 7)), unknown);
    assert_eq!(service.judged(&trust(&[&list], true), &below.client("Ann", 7)), "ok");
    assert_eq!(service.judged(&trust(&[&list], true), &below.client("Ben", 8)), revoked);
    assert_eq!(service.judged(&trust(&[&list, &fresh], false), &below.client("Ann", 7)), "ok");
    assert_eq!(service.judged(&trust(&[&list, &fresh], false), &below.client("Ben", 8)), revoked);
}

/// The status tells a host what a name would tell people.
#[test]
fn statuses() {
    let service = Service::new();
    let status = |trust: Trust, leaf: Option<&Leaf>| {
        let credential = service.credential(ClientAuth::Require, trust);
        let mut client = connect(&client_of(TlsVersion::Tls13, &service.ca, leaf, |_| ()), "localhost");
        let mut server = Server::new(&credential, &NoAccounts);
        handshake(&mut client, &mut server).unwrap_err();
        server.failure.unwrap().status
    };
    let trust = || service.ca.trust();
    let revoking = service.ca.revokes(&[8], SystemTime::now() - DAY, 2 * DAY);
    let with_list = Trust { revocation_lists: vec![revoking], ..trust() };
    let ben = service.ca.client("Ben", 8);
    assert_eq!(status(trust(), None), Status::SEC_E_NO_CREDENTIALS);
    assert_eq!(status(trust(), Some(&lasting(&service.ca, -9, -1))), Status::SEC_E_CERT_EXPIRED);
    assert_eq!(status(trust(), Some(&Ca::new("Other").client("Ann", 7))), Status::SEC_E_UNTRUSTED_ROOT);
    assert_eq!(status(with_list, Some(&ben)), Status::CRYPT_E_REVOKED);
}

/// The host takes it upon itself: any certificate is taken, whose key the client has, and it is nobody's.
#[test]
fn a_host_that_verifies_itself() {
    let service = Service::new();
    let settings = AcceptorSettings {
        client_auth: ClientAuth::Require,
        danger_host_verifies_clients: true,
        mapping: Mapping::Required,
        ..Default::default()
    };
    let credential = service.server.acceptor(settings);
    let expired = lasting(&Ca::new("Other"), -9, -1);
    for version in VERSIONS {
        assert_eq!(service.ends(&credential, version, None), "schannel/no-client-certificate");
        let mut client = connect(&client_of(version, &service.ca, Some(&expired), |_| ()), "localhost");
        let mut server = Server::new(&credential, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        let channel = server.channel();
        assert_eq!(channel.peer_certificates, expired.chain());
        assert!(!channel.verified);
        let granted = server.context().facts().granted;
        assert!(!granted.contains(ContextFlags::MUTUAL_AUTH), "nobody here verified it");
        assert_eq!(channel.unmapped, None, "nobody was asked");
        assert!(server.context().facts().account.is_none());
    }
}

#[test]
fn settings_that_make_no_sense() {
    use portcullis::schannel::{Acceptor, Identities, SettingsError};
    let service = Service::new();
    let error =
        |settings: AcceptorSettings| Acceptor::new(Identities::new(service.server.identity()), settings).unwrap_err();
    let trusting = |trust: Trust| service.settings(ClientAuth::Require, trust);
    assert_eq!(error(trusting(Trust::default())), SettingsError::NoRoots);
    let bad_root = Trust { roots: vec![service.ca.certificate(), b"?".to_vec()], ..Trust::default() };
    assert_eq!(error(trusting(bad_root)), SettingsError::BadRoot(1));
    let bad_list = Trust { revocation_lists: vec![b"?".to_vec()], ..service.ca.trust() };
    assert_eq!(error(trusting(bad_list)), SettingsError::BadRevocationList);
    let protocols = |name: &[u8]| AcceptorSettings { application_protocols: vec![name.to_vec()], ..Default::default() };
    assert_eq!(error(protocols(b"")), SettingsError::BadApplicationProtocol);
    assert_eq!(error(protocols(&[b'a'; 256])), SettingsError::BadApplicationProtocol);
    let serial = service.ca.issue("Ann", &[], |params| params.serial_number = Some(SerialNumber::from(9_u64)));
    assert_eq!(service.judged(&service.ca.trust(), &serial), "ok", "without extended usages it is for every use");
}
