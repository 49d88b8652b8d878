//! Certificates and whose they are (KB5014754; CVE-2022-26923, 26931 and 34691 are what must not come back).

use super::{PASSWORD, Site, client::Client, minutes};
use portcullis::{Account, Authority as _, Claim, FindAccount, Question, Refusal, Secret};
use portcullis_authority::*;
use portcullis_wire::der::{Constructed, Oid, tag};
use portcullis_wire::x509::{AltSecurityIdentity, Certificate, NormalName, Value, oid};
use std::net::IpAddr;
use std::sync::Arc;

/// A certificate; its signature is nothing, which handshakes look at and authorities do not.
#[derive(Clone)]
pub struct Made {
    pub serial: Vec<u8>,
    pub issuer: &'static str,
    pub subject: &'static str,
    pub key: u8,
    pub ski: Option<[u8; 20]>,
    pub upn: Option<&'static str>,
    pub mail: Option<&'static str>,
    pub sid: Option<&'static str>,
    pub sid_uri: Option<&'static str>,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            serial: vec![0x2b, 0, 0x12],
            issuer: "DC=com,DC=contoso,CN=CA",
            subject: "O=Corp,CN=Ann",
            key: 7,
            ski: None,
            upn: None,
            mail: None,
            sid: None,
            sid_uri: None,
        }
    }
}

impl Made {
    pub fn der(&self) -> Vec<u8> {
        let oid = |text: &str| Constructed::new().with(tag::OID, &Oid::parse(text).unwrap());
        let signature = oid("1.2.840.10045.4.3.2").into_tlv(tag::SEQUENCE);
        let key = Constructed::new()
            .with_encoded(&oid("1.2.840.10045.2.1").into_tlv(tag::SEQUENCE))
            .with(tag::BIT_STRING, &[0, 4, self.key, self.key]);
        let validity = Constructed::new().with(tag::UTC_TIME, b"200101000000Z").with(tag::UTC_TIME, b"491231235959Z");
        let mut tbs = Constructed::new()
            .with(tag::context(0), &[tag::INTEGER, 1, 2])
            .with(tag::INTEGER, &self.serial)
            .with_encoded(&signature)
            .with_encoded(&name(self.issuer))
            .with_encoded(&validity.into_tlv(tag::SEQUENCE))
            .with_encoded(&name(self.subject))
            .with_encoded(&key.into_tlv(tag::SEQUENCE));
        let extensions = self.extensions().into_tlv(tag::SEQUENCE);
        tbs = tbs.with(tag::context(3), &extensions);
        let whole = Constructed::new().with_encoded(&tbs.into_tlv(tag::SEQUENCE)).with_encoded(&signature);
        whole.with(tag::BIT_STRING, &[0, 0]).into_tlv(tag::SEQUENCE)
    }

    fn extensions(&self) -> Constructed {
        let one = |list: Constructed, oid: Oid<'_>, value: &[u8]| {
            let extension = Constructed::new().with(tag::OID, oid.0).with(tag::OCTET_STRING, value);
            list.with_encoded(&extension.into_tlv(tag::SEQUENCE))
        };
        let other = |kind: Oid<'_>, tag: u8, text: &str| {
            let value = Constructed::new().with(tag, text.as_bytes()).into_tlv(tag::context(0));
            Constructed::new().with(tag::OID, kind.0).with_encoded(&value).into_tlv(tag::context(0))
        };
        let mut list = Constructed::new();
        if let Some(ski) = self.ski {
            list = one(list, oid::SUBJECT_KEY_IDENTIFIER, &[&[tag::OCTET_STRING, 20][..], &ski].concat());
        }
        if let Some(sid) = self.sid {
            let entry = other(oid::NTDS_OBJECT_SID, tag::OCTET_STRING, sid);
            let value = Constructed::new().with_encoded(&entry).into_tlv(tag::SEQUENCE);
            list = one(list, oid::NTDS_CA_SECURITY, &value);
        }
        let mut names = Constructed::new();
        if let Some(upn) = self.upn {
            names = names.with_encoded(&other(oid::USER_PRINCIPAL_NAME, tag::UTF8_STRING, upn));
        }
        if let Some(mail) = self.mail {
            names = names.with(tag::context_primitive(1), mail.as_bytes());
        }
        if let Some(sid) = self.sid_uri {
            let uri = format!("tag:microsoft.com,2022-09-14:sid:{sid}");
            names = names.with(tag::context_primitive(6), uri.as_bytes());
        }
        one(list, oid::SUBJECT_ALT_NAME, &names.into_tlv(tag::SEQUENCE))
    }

    /// The identity of this form.
    fn identity(&self, form: &str) -> AltSecurityIdentity {
        let der = self.der();
        let all = identities(&Certificate::decode(&der).unwrap()).unwrap();
        all.into_iter().find(|identity| identity.form().name() == form).unwrap()
    }

    fn ask_from(&self, authority: &Directory<impl Store>, peer: Option<IpAddr>) -> Result<Arc<Account>, Refusal> {
        let claim = Claim::new(self.upn.unwrap_or(self.subject), "", "", "");
        let question = Question::FindAccount(FindAccount::new(claim, peer, self.der(), true));
        super::account(&authority.answer(&question))
    }

    /// The account that the certificate logs on to, its issuer being trusted to name SIDs.
    fn ask(&self, authority: &Directory<impl Store>) -> Result<String, Refusal> {
        self.ask_from(authority, Some([192, 0, 2, 1].into())).map(|account| account.name.clone())
    }

    fn ask_untrusted(&self, authority: &Directory<impl Store>) -> Result<String, Refusal> {
        let question = Question::FindAccount(FindAccount::new(Claim::default(), None, self.der(), false));
        super::account(&authority.answer(&question)).map(|account| account.name.clone())
    }
}

fn name(text: &str) -> Vec<u8> {
    let mut rdns = Constructed::new();
    for rdn in NormalName::from_windows_order(text).unwrap().rdns() {
        let mut set = Constructed::new();
        for attribute in rdn {
            let Value::Text(text) = &attribute.value else { panic!("{attribute:?}") };
            let pair = Constructed::new().with(tag::OID, &attribute.oid).with(tag::UTF8_STRING, text.as_bytes());
            set = set.with_encoded(&pair.into_tlv(tag::SEQUENCE));
        }
        rdns = rdns.with_encoded(&set.into_tlv(tag::SET));
    }
    rdns.into_tlv(tag::SEQUENCE)
}

fn allow_weak<S: Store>(site: &Site<S>) {
    let mut policy = site.directory.store().policy().unwrap();
    policy.danger_weak_certificate_mappings = true;
    site.directory.store().set_policy(&policy).unwrap();
    assert_eq!(site.directory.store().policy().unwrap(), policy);
}

const ANN: &str = "S-1-5-21-1-2-3-1000";
const BOB: &str = "S-1-5-21-1-2-3-1001";

pub fn certificates_name_accounts_by_sid<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add("bob");
    let d = &site.directory;
    let by = |sid, sid_uri| Made { sid, sid_uri, ..Made::default() };
    assert_eq!(by(Some(ANN), None).ask(d), Ok("ann".into()));
    assert_eq!(by(None, Some(BOB)).ask(d), Ok("bob".into()));
    assert_eq!(by(Some(ANN), Some(ANN)).ask(d), Ok("ann".into()));
    assert_eq!(by(Some(ANN), Some(BOB)).ask(d), Err(Refusal::AmbiguousCertificate));
    let account = by(Some(ANN), None).ask_from(d, None).unwrap();
    assert_eq!((account.sid.unwrap().to_string().as_str(), account.groups[0].name.as_str()), (ANN, "Domain Users"));
    // Other domains' SIDs, groups', nobody's, and texts that are none.
    for sid in [
        "S-1-5-21-9-9-9-1000",
        "S-1-5-21-1-2-3-513",
        "S-1-5-21-1-2-3-4000",
        "S-1-5-21-1-2-3",
        "S-1-5-18",
        "S-1-5-21-1-2-3-01000",
        "",
    ] {
        assert_eq!(by(Some(sid), None).ask(d), Err(Refusal::UnmappedCertificate), "{sid}");
        assert_eq!(by(None, Some(sid)).ask(d), Err(Refusal::UnmappedCertificate), "{sid}");
    }
    // A SID from an issuer that may not name any counts for nothing: neither for an account nor against one.
    assert_eq!(by(Some(ANN), Some(ANN)).ask_untrusted(d), Err(Refusal::UnmappedCertificate));
    let mapped = by(Some(BOB), Some(ANN));
    d.map_certificate("ann", &mapped.identity("issuer-serial")).unwrap();
    assert_eq!(mapped.ask_untrusted(d), Ok("ann".into()));
}

pub fn certificates_are_mapped_strongly<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add("bob");
    let d = &site.directory;
    let made = Made { ski: Some([9; 20]), ..Made::default() };
    for form in ["issuer-serial", "ski", "sha1-public-key"] {
        let identity = made.identity(form);
        assert_eq!(made.ask(d), Err(Refusal::UnmappedCertificate), "{form}");
        assert!(d.map_certificate("ANN", &identity).unwrap().1);
        assert!(!d.map_certificate("ann", &identity).unwrap().1);
        assert_eq!(made.ask(d), Ok("ann".into()), "{form}");
        let taken = d.map_certificate("bob", &identity).unwrap_err();
        assert!(
            matches!(&taken, AdminError::Store(StoreError::MappingTaken { account, .. }) if account == "ann"),
            "{taken}"
        );
        let ann = d.account("ann").unwrap();
        let mappings = d.store().mappings(ann.rid).unwrap();
        assert_eq!(mappings, [CertificateMapping::of(&identity, site.now())]);
        assert_eq!(d.unmap_certificate("bob", std::slice::from_ref(&identity)).unwrap().1, []);
        assert_eq!(d.unmap_certificate("ann", std::slice::from_ref(&identity)).unwrap().1, mappings);
        assert!(d.store().mappings(ann.rid).unwrap().is_empty());
    }
    // Neighbours of each identity are nobody's.
    d.map_certificate("ann", &made.identity("issuer-serial")).unwrap();
    d.map_certificate("ann", &made.identity("sha1-public-key")).unwrap();
    let other = Made { key: 8, ..made.clone() };
    assert_eq!(Made { serial: vec![0x2b, 0, 0x13], ..other.clone() }.ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(Made { serial: vec![0x12, 0, 0x2b], ..other.clone() }.ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(Made { issuer: "DC=com,DC=contoso,CN=ca", ..other.clone() }.ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(Made { issuer: "CN=CA,DC=contoso,DC=com", ..other.clone() }.ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(other.ask(d), Ok("ann".into()));
    // What an account was mapped to goes with it, and is free then.
    d.store().remove_account(d.account("ann").unwrap().rid).unwrap();
    assert_eq!(made.ask(d), Err(Refusal::UnmappedCertificate));
    d.map_certificate("bob", &made.identity("issuer-serial")).unwrap();
    assert_eq!(made.ask(d), Ok("bob".into()));
    assert!(matches!(d.map_certificate("eve", &made.identity("ski")), Err(AdminError::NoSuchAccount(_))));
}

pub fn certificates_of_two_accounts_are_nobodys<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add("bob");
    let d = &site.directory;
    let made = Made { ski: Some([9; 20]), sid: Some(BOB), ..Made::default() };
    d.map_certificate("ann", &made.identity("issuer-serial")).unwrap();
    assert_eq!(made.ask(d), Err(Refusal::AmbiguousCertificate));
    assert_eq!(made.ask_untrusted(d), Ok("ann".into()));
    d.map_certificate("bob", &made.identity("ski")).unwrap();
    assert_eq!(made.ask_untrusted(d), Err(Refusal::AmbiguousCertificate));
    // A SID of nobody here stands against nobody's strong mapping.
    let foreign = Made { ski: None, sid: Some("S-1-5-21-9-9-9-1001"), ..made };
    assert_eq!(foreign.ask(d), Ok("ann".into()));
}

pub fn weak_mappings_are_off<S: Store>(site: Site<S>) {
    let upn = AccountEdit { upn: Some(Some("ann@corp.example".into())), ..AccountEdit::default() };
    site.add_with("ann", NewSecret::None, upn);
    site.add("bob");
    site.add("pc1$");
    let d = &site.directory;
    let made = Made { mail: Some("bob@example.com"), ..Made::default() };
    let forms = ["issuer-subject", "subject", "rfc822"].map(|form| made.identity(form));
    for identity in &forms {
        assert!(matches!(d.map_certificate("bob", identity), Err(AdminError::WeakMapping(_))), "{identity}");
    }
    let upn = Made { upn: Some("ANN@corp.example"), ..Made::default() };
    assert!(matches!(d.map_certificate("ann", &upn.identity("upn")), Err(AdminError::UpnIsNoMapping)));
    assert_eq!(upn.ask(d), Err(Refusal::WeakCertificateMapping));
    allow_weak(&site);
    assert_eq!(upn.ask(d), Ok("ann".into()));
    for identity in &forms {
        d.map_certificate("bob", identity).unwrap();
        assert_eq!(made.ask(d), Ok("bob".into()), "{identity}");
        d.unmap_certificate("bob", std::slice::from_ref(identity)).unwrap();
        assert_eq!(made.ask(d), Err(Refusal::UnmappedCertificate));
    }
    // Names are whole: no part of one, no `$` more or less, no account's name in the place of a principal's.
    for name in [
        "ann",
        "ann@",
        "@corp.example",
        "ann$@corp.example",
        "ann@corp.example.",
        "xann@corp.example",
        "pc1@corp.example",
        "pc1$@corp.example",
        "bob@corp.example",
        "ann@corp.example\0",
    ] {
        let upn = Made { upn: Some(name), ..Made::default() };
        assert_eq!(upn.ask(d), Err(Refusal::UnmappedCertificate), "{name}");
    }
    // Two accounts by two weak forms; a strong one decides.
    d.map_certificate("bob", &forms[1]).unwrap();
    assert_eq!(upn.ask(d), Err(Refusal::AmbiguousCertificate));
    d.map_certificate("pc1$", &upn.identity("issuer-serial")).unwrap();
    assert_eq!(upn.ask(d), Ok("pc1$".into()));
    // Whom the issuer names by a SID nobody else becomes by a name.
    let foreign = Made { serial: vec![1], sid: Some("S-1-5-21-9-9-9-1000"), ..Made::default() };
    assert_eq!(foreign.ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(foreign.ask_untrusted(d), Ok("bob".into()));
    // Made when they were allowed, and allowed no more.
    site.directory.store().set_policy(&Policy::default()).unwrap();
    assert_eq!(foreign.ask_untrusted(d), Err(Refusal::WeakCertificateMapping));
}

/// A name in a certificate never becomes more than one value, whatever it holds.
pub fn names_in_certificates_are_not_taken_apart<S: Store>(site: Site<S>) {
    site.add("ann");
    let d = &site.directory;
    allow_weak(&site);
    d.map_certificate("ann", &"X509:<S>O=Corp,OU=Admins,CN=Ann".parse().unwrap()).unwrap();
    let of = |subject| Made { subject, ..Made::default() };
    assert_eq!(of("O=Corp,OU=Admins,CN=Ann").ask(d), Ok("ann".into()));
    for subject in [
        r"O=Corp,OU=Admins\,CN\=Ann",
        r"O=Corp\,OU\=Admins,CN=Ann",
        r"O=Corp,OU=Admins+CN=Ann",
        "CN=Ann,OU=Admins,O=Corp",
        "O=corp,OU=Admins,CN=Ann",
        "O=Corp,OU=Admins,CN=Ann,CN=Ann",
        r"O=Corp,OU=Admins,CN=Ann\00",
        r"O=Corp,OU=Admins,CN=Ann\ ",
        "O=Corp,OU=Admins,CN=*",
    ] {
        assert_eq!(of(subject).ask(d), Err(Refusal::UnmappedCertificate), "{subject}");
    }
    d.map_certificate("ann", &"X509:<I>O=CA<S>CN=Ann".parse().unwrap()).unwrap();
    let issued = |issuer, subject| Made { issuer, subject, ..Made::default() };
    assert_eq!(issued("O=CA", "CN=Ann").ask(d), Ok("ann".into()));
    assert_eq!(issued("O=CB", r"CN=Eve\<I\>O=CA\<S\>CN=Ann").ask(d), Err(Refusal::UnmappedCertificate));
    assert_eq!(issued(r"O=CA\<S\>CN=Ann", "CN=Eve").ask(d), Err(Refusal::UnmappedCertificate));
    // What is no certificate is nobody's.
    let mut cut = of("O=Corp,OU=Admins,CN=Ann").der();
    cut.pop();
    let question = Question::FindAccount(FindAccount::new(Claim::default(), None, cut, true));
    assert_eq!(d.answer(&question).cause(), Some(Refusal::UnmappedCertificate.into()));
}

pub fn mapped_accounts_are_judged<S: Store>(site: Site<S>) {
    site.add("ann");
    let d = &site.directory;
    let made = Made { sid: Some(ANN), ..Made::default() };
    let edit = AccountEdit::default;
    let fresh = AccountEdit {
        disabled: Some(false),
        must_change: Some(false),
        expires: Some(None),
        hours: Some(LogonHours::ALL),
        workstations: Some(vec![]),
        ..edit()
    };
    for (state, refusal) in [
        (AccountEdit { disabled: Some(true), ..edit() }, Refusal::Disabled),
        (AccountEdit { expires: Some(Some(site.now())), ..edit() }, Refusal::AccountExpired),
        (AccountEdit { hours: Some(LogonHours::NONE), ..edit() }, Refusal::LogonHours),
        (AccountEdit { workstations: Some(vec!["PC2".into()]), ..edit() }, Refusal::Workstation),
    ] {
        site.edit("ann", state);
        assert_eq!(made.ask(d), Err(refusal));
        site.edit("ann", fresh.clone());
        assert_eq!(made.ask(d), Ok("ann".into()));
    }
    // What concerns the password does not count: it was not used.
    site.edit("ann", AccountEdit { must_change: Some(true), ..edit() });
    let mut policy = d.store().policy().unwrap();
    policy.password.max_age = Some(minutes(1));
    d.store().set_policy(&policy).unwrap();
    site.wait(minutes(2));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(d).unwrap_err(), Refusal::MustChange);
    assert_eq!(made.ask(d), Ok("ann".into()));
    site.add_with("nopassword", NewSecret::None, edit());
    assert_eq!(Made { sid: Some(BOB), ..Made::default() }.ask(d), Ok("nopassword".into()));
    // A logon is noted.
    assert_eq!(d.account("nopassword").unwrap().last_logon, Some(site.now()));
    site.edit("ann", fresh);
    d.set_password("ann", &Secret::new(PASSWORD.into()), false).unwrap();
    // Wrong passwords lock the account for certificates too; a certificate counts for none and forgives none.
    site.lockout(|lockout| (lockout.threshold, lockout.address_threshold) = (3, 3));
    for _ in 0..5 {
        assert_eq!(Made { sid: None, ..made.clone() }.ask(d), Err(Refusal::UnmappedCertificate));
    }
    for _ in 0..2 {
        Client::new("ann", "wrong").ntlm(d).unwrap_err();
        assert_eq!(made.ask(d), Ok("ann".into()));
    }
    Client::new("ann", "wrong").ntlm(d).unwrap_err();
    assert_eq!(made.ask(d), Err(Refusal::LockedOut));
    // Throttled addresses are slowed in guessing; another account's owner does not guess.
    assert_eq!(Made { sid: Some(BOB), ..Made::default() }.ask(d), Ok("nopassword".into()));
    d.store().unlock(AccountKey::of("ann")).unwrap();
    assert_eq!(made.ask(d), Ok("ann".into()));
}
