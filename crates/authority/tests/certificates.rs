//! Whose a certificate is, asked over the socket as a server in another process asks: the same answers cross it. The
//! suite (`suite/certificates.rs`) shows each of them over each store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_macros,
    reason = "a test"
)]

mod suite;

use portcullis::{Answer, Authority, Claim, FindAccount, Question, Refusal};
use portcullis_authority::remote::{Peers, Remote, RemoteServer, Service};
use portcullis_authority::{AccountEdit, Directory, DomainNames, Memory, NewSecret, StoreError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use suite::certificates::Made;

struct Accounts(Directory<Memory>);

impl Authority for Accounts {
    fn answer(&self, question: &Question) -> Answer {
        self.0.answer(question)
    }
}

impl Service for Accounts {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        self.0.domain().map(|domain| domain.names)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.0.check()
    }

    fn write(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn verdicts_on_certificates_cross_the_socket() {
    let site = suite::site(Memory::new());
    let upn = AccountEdit { upn: Some(Some("ann@corp.example".into())), ..AccountEdit::default() };
    site.add_with("ann", NewSecret::None, upn);
    site.add("bob");
    let mapped = "X509:<I>DC=com,DC=contoso,CN=CA<SR>0A".parse().unwrap();
    site.directory.map_certificate("ann", &mapped).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.sock");
    let server = RemoteServer::bind(&path, Peers::default()).unwrap();
    let (stop, service) = (server.stop(), Arc::new(Accounts(site.directory)) as Arc<dyn Service>);
    std::thread::spawn(move || server.run(&service));
    let remote = Remote::at(&path, Duration::from_secs(5));
    let ask = |made: Made, may_name_sid| {
        let claim = Claim::new("ann", "", "", "");
        let question = Question::FindAccount(FindAccount::new(claim, None, made.der(), may_name_sid));
        suite::account(&remote.answer(&question)).map(|account| account.name.clone())
    };
    let bob = Some("S-1-5-21-1-2-3-1001");
    assert_eq!(ask(Made { serial: vec![10], ..Made::default() }, false), Ok("ann".into()));
    assert_eq!(ask(Made { sid: bob, ..Made::default() }, true), Ok("bob".into()));
    assert_eq!(ask(Made { sid: bob, ..Made::default() }, false), Err(Refusal::UnmappedCertificate));
    assert_eq!(
        ask(Made { serial: vec![10], sid_uri: bob, ..Made::default() }, true),
        Err(Refusal::AmbiguousCertificate)
    );
    let named = Made { upn: Some("ann@corp.example"), ..Made::default() };
    assert_eq!(ask(named, true), Err(Refusal::WeakCertificateMapping));
    stop.stop();
}
