//! From a client's certificate to an account: the question, and what follows from each answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{AcceptorSettings, ClientAuth, Mapping, Trust};
use portcullis::{Account, ContextFlags, Credential, Level, Question, Record, Refusal, TlsVersion, Wants};
use portcullis_testkit::tls::{
    Ca, Judge, Leaf, Server, VERSIONS, client_of, connect, handshake, hears, reads, sends, writes,
};
use portcullis_wire::x509::Certificate;
use rustls::ClientConnection;
use std::time::{Duration, SystemTime};

struct Service {
    ca: Ca,
    ann: Leaf,
    credential: Credential,
}

impl Service {
    fn new(mapping: Mapping) -> Self {
        Self::with(mapping, |_, _| ())
    }

    fn with(mapping: Mapping, edit: impl FnOnce(&Ca, &mut Trust)) -> Self {
        let ca = Ca::new("Root");
        let mut trust = ca.trust();
        edit(&ca, &mut trust);
        let settings =
            AcceptorSettings { client_auth: ClientAuth::Request, clients: Some(trust), mapping, ..Default::default() };
        Self { ann: ca.client("Ann", 7), credential: ca.server(&["localhost"]).acceptor(settings), ca }
    }

    fn client(&self, version: TlsVersion, leaf: Option<&Leaf>) -> ClientConnection {
        connect(&client_of(version, &self.ca, leaf, |_| ()), "localhost")
    }

    /// A server after Ann's handshake, judged so.
    fn judged<'a>(&self, version: TlsVersion, judge: &'a Judge) -> Server<'a> {
        let mut server = Server::new(&self.credential, judge);
        handshake(&mut self.client(version, Some(&self.ann)), &mut server).unwrap();
        server
    }
}

#[test]
fn a_mapped_certificate_is_an_account() {
    for (version, mapping) in VERSIONS
        .into_iter()
        .flat_map(|version| [Mapping::Optional, Mapping::Required].map(|mapping| (version, mapping)))
    {
        let service = Service::new(mapping);
        let judge = Judge::accepts(Judge::ann());
        let mut server = service.judged(version, &judge);
        assert_eq!(server.ended(), "ok");
        assert_eq!(*judge.asked.lock().unwrap(), [(service.ann.certificate.clone(), true)]);
        let facts = server.context().share_facts();
        assert_eq!(facts.account.as_deref(), Some(&Judge::ann()));
        assert_eq!(facts.client_name().as_deref(), Some("CORP\\ann"));
        assert_eq!(facts.claim.user(), "CN=Ann", "what the certificate says is a claim");
        assert!(facts.granted.contains(ContextFlags::MUTUAL_AUTH));
        let token = facts.access_token().unwrap();
        assert_eq!((Some(token.user), token.level), (Judge::ann().sid, Level::Impersonate));
        assert_eq!(facts.channel.as_ref().unwrap().unmapped, None);
        let not_after = Certificate::decode(&service.ann.certificate).unwrap().not_after;
        assert_eq!(facts.expiry, Some(not_after));
    }
}

#[test]
fn a_context_ends_with_the_first_of_its_ends() {
    let service = Service::new(Mapping::Optional);
    let soon = SystemTime::now() + Duration::from_secs(60);
    let judge = Judge::accepts(Account { logoff_at: Some(soon), ..Judge::ann() });
    assert_eq!(service.judged(TlsVersion::Tls13, &judge).context().facts().expiry, Some(soon));
    let late = Certificate::decode(&service.ann.certificate).unwrap().not_after + Duration::from_secs(60);
    let judge = Judge::accepts(Account { logoff_at: Some(late), ..Judge::ann() });
    let expiry = service.judged(TlsVersion::Tls13, &judge).context().facts().expiry.unwrap();
    assert!(expiry < late, "the certificate's end comes first");
}

/// Where mapping is optional, a certificate that is nobody's is no account, no token, and nothing mutual.
#[test]
fn an_unmapped_certificate_is_nobody() {
    for version in VERSIONS {
        for why in [Refusal::UnmappedCertificate, Refusal::AmbiguousCertificate, Refusal::Disabled, Refusal::LockedOut]
        {
            let service = Service::new(Mapping::Optional);
            let judge = Judge::accepts(Judge::ann());
            judge.refuses(why);
            let mut server = service.judged(version, &judge);
            assert_eq!(server.ended(), "ok");
            assert_eq!(server.channel().unmapped, Some(why));
            assert_eq!(server.channel().peer_certificates, service.ann.chain());
            let facts = server.context().share_facts();
            assert!(facts.account.is_none() && facts.access_token().is_none());
            assert_eq!((facts.attribute(1), facts.attribute(18)), (None, None));
            assert!(!facts.granted.contains(ContextFlags::MUTUAL_AUTH));
        }
    }
}

#[test]
fn where_mapping_is_required_the_refusal_ends_the_handshake() {
    for version in VERSIONS {
        for (why, cause) in [
            (Refusal::UnmappedCertificate, "account/unmapped-certificate"),
            (Refusal::Disabled, "account/disabled"),
            (Refusal::AccountExpired, "account/account-expired"),
            (Refusal::Unreachable, "account/store-unreachable"),
        ] {
            let service = Service::new(Mapping::Required);
            let judge = Judge::accepts(Judge::ann());
            judge.refuses(why);
            let mut client = service.client(version, Some(&service.ann));
            let mut server = Server::new(&service.credential, &judge);
            handshake(&mut client, &mut server).unwrap();
            assert_eq!(server.ended(), cause);
            assert!(server.context.is_none());
            assert!(client.process_new_packets().unwrap().peer_has_closed(), "the client is told that it is over");
            assert!(reads(&mut client).is_empty());
        }
        // A client without a certificate asks nobody.
        let service = Service::new(Mapping::Required);
        let judge = Judge::accepts(Judge::ann());
        let mut server = Server::new(&service.credential, &judge);
        handshake(&mut service.client(version, None), &mut server).unwrap();
        assert_eq!((server.ended(), judge.times()), ("ok", 0));
        assert!(server.context().facts().access_token().is_none());
    }
}

/// Whoever requires a known client does not get an unknown one.
#[test]
fn mutual_authentication_is_not_granted_without_an_account() {
    let service = Service::new(Mapping::Optional);
    let judge = Judge::accepts(Judge::ann());
    for (why, ended) in [(None, "ok"), (Some(Refusal::UnmappedCertificate), "call/requirement-not-met")] {
        why.into_iter().for_each(|why| judge.refuses(why));
        let mut server = Server::new(&service.credential, &judge);
        server.want = Wants { required: ContextFlags::MUTUAL_AUTH, ..Wants::default() };
        let _ = handshake(&mut service.client(TlsVersion::Tls13, Some(&service.ann)), &mut server);
        assert_eq!(server.ended(), ended);
    }
}

#[test]
fn mapping_off_asks_nobody() {
    for version in VERSIONS {
        let service = Service::new(Mapping::Off);
        let judge = Judge::accepts(Judge::ann());
        let mut server = service.judged(version, &judge);
        assert_eq!((server.ended(), judge.times()), ("ok", 0));
        let facts = server.context().share_facts();
        assert!(facts.granted.contains(ContextFlags::MUTUAL_AUTH), "the certificate is good");
        assert!(facts.account.is_none() && facts.access_token().is_none());
        assert_eq!(server.channel().unmapped, None);
    }
}

#[test]
fn who_may_name_sids() {
    let other = Ca::new("Other");
    for (issuers, may) in [
        (None, true),
        (Some(vec![]), false),
        (Some(vec![None]), true),
        (Some(vec![Some(other.certificate())]), false),
        (Some(vec![Some(other.certificate()), None]), true),
    ] {
        let service = Service::with(Mapping::Optional, |ca, trust| {
            trust.roots.push(other.certificate());
            let own = |issuer: &Option<Vec<u8>>| issuer.clone().unwrap_or_else(|| ca.certificate());
            trust.sid_issuers = issuers.as_ref().map(|issuers| issuers.iter().map(own).collect());
        });
        for version in VERSIONS {
            let judge = Judge::accepts(Judge::ann());
            assert_eq!(service.judged(version, &judge).ended(), "ok", "it is believed either way");
            assert_eq!(*judge.asked.lock().unwrap(), [(service.ann.certificate.clone(), may)]);
        }
    }
}

/// The way up to who may name SIDs is looked up like any other: in the same lists, and as strictly.
#[test]
fn who_may_name_sids_was_not_revoked() {
    let now = SystemTime::now();
    let day = Duration::from_secs(24 * 3600);
    let root = Ca::new("Root");
    let below = root.below("Below");
    let ann = below.client("Ann", 7);
    let (upper, lower) = (root.revokes(&[8], now - day, 2 * day), below.revokes(&[8], now - day, 2 * day));
    for (lists, end_entity_only, may) in [
        (vec![], false, true),
        (vec![lower.clone()], false, false),
        (vec![lower.clone()], true, true),
        (vec![lower, upper], false, true),
    ] {
        // Clients are believed by the nearer authority; only above it is what the lists may not cover.
        let trust = Trust {
            revocation_lists: lists,
            end_entity_only,
            sid_issuers: Some(vec![root.certificate()]),
            ..below.trust()
        };
        let settings =
            AcceptorSettings { client_auth: ClientAuth::Request, clients: Some(trust), ..Default::default() };
        let credential = root.server(&["localhost"]).acceptor(settings);
        for version in VERSIONS {
            let judge = Judge::accepts(Judge::ann());
            let mut server = Server::new(&credential, &judge);
            let mut client = connect(&client_of(version, &root, Some(&ann), |_| ()), "localhost");
            handshake(&mut client, &mut server).unwrap();
            assert_eq!(server.ended(), "ok");
            assert_eq!(*judge.asked.lock().unwrap(), [(ann.certificate.clone(), may)]);
        }
    }
}

/// The account's world may be slow: the handshake waits as a value, and nothing that was promised to the client is out.
#[test]
fn an_answer_that_comes_later() {
    for version in VERSIONS {
        let service = Service::new(Mapping::Required);
        let judge = Judge::accepts(Judge::ann());
        let mut client = service.client(version, Some(&service.ann));
        let mut server = Server::new(&service.credential, &judge);
        server.parks = true;
        server.hear(&sends(&mut client));
        let reply = std::mem::take(&mut server.out);
        hears(&mut client, &reply).unwrap();
        let mut last = sends(&mut client);
        if version == TlsVersion::Tls13 {
            last.extend(writes(&mut client, b"early"));
        }
        server.hear(&last);
        assert!(server.out.is_empty(), "the last word waits for the answer");
        assert!(server.context.is_none() && judge.times() == 0);
        let answer = {
            let Question::FindAccount(question) = server.asking.as_ref().unwrap().question() else { panic!("whose?") };
            assert_eq!(question.certificate(), service.ann.certificate);
            question.accept(std::sync::Arc::new(Judge::ann()))
        };
        server.answer(answer);
        assert_eq!(server.ended(), "ok");
        let reply = std::mem::take(&mut server.out);
        hears(&mut client, &reply).unwrap();
        assert!(!client.is_handshaking());
        if version == TlsVersion::Tls13 {
            let (opened, data) = server.receive().unwrap();
            assert!(matches!(opened, Record::Data { .. }));
            assert_eq!(data, b"early", "it kept");
        }
    }
}

#[test]
fn answers_cannot_be_swapped() {
    let service = Service::new(Mapping::Optional);
    let judge = Judge::accepts(Judge::ann());
    let park = || {
        let mut client = service.client(TlsVersion::Tls13, Some(&service.ann));
        let mut server = Server::new(&service.credential, &judge);
        server.parks = true;
        handshake(&mut client, &mut server).unwrap();
        server
    };
    let (mut first, second) = (park(), park());
    let Question::FindAccount(other) = second.asking.as_ref().unwrap().question() else { panic!("whose?") };
    first.answer(other.accept(std::sync::Arc::new(Judge::ann())));
    assert_eq!(first.ended(), "call/foreign-answer");
    assert!(first.context.is_none());
}
