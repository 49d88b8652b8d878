use portcullis::ntlm::{self, keys};
use portcullis::{Account, Answer, Authority, Claim, Principal, Question, Realm as Place, Refusal, password};
use portcullis_wire::sid::Sid;
use portcullis_wire::{filetime, utf16};
use std::sync::Arc;

/// A small account store in memory, whose accounts can be in every state that an authority may refuse.
///
/// It judges in the order that real stores must: the proof first, the account's state only after the right proof.
#[derive(Debug, Clone)]
pub struct Realm {
    /// The domain's NetBIOS name.
    pub domain: String,
    /// The domain's DNS name.
    pub dns_domain: String,
    /// The accounts.
    pub accounts: Vec<Entry>,
    /// Where set, every question is refused so, unheard: a store that is out of reach, or an address that is throttled.
    pub outage: Option<Refusal>,
}

/// One account of a [`Realm`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The account's name.
    pub name: String,
    /// Its password; empty is what no store may accept.
    pub password: String,
    /// Why the account may not log on although its proof is right; `None` for one that may.
    pub state: Option<Refusal>,
    /// When the account's logon hours end, as FILETIME.
    pub logoff_at: Option<u64>,
}

impl Entry {
    /// An account that may log on.
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), state: None, logoff_at: None }
    }
}

impl Realm {
    /// A domain with these accounts.
    pub fn new(domain: &str, dns_domain: &str, accounts: &[(&str, &str)]) -> Self {
        let accounts = accounts.iter().map(|(name, password)| Entry::new(name, password)).collect();
        Self { domain: domain.to_owned(), dns_domain: dns_domain.to_owned(), accounts, outage: None }
    }

    /// The one account of most tests: `DOMAIN\User` with the password `Password`.
    pub fn of_user() -> Self {
        Self::new("DOMAIN", "domain.example", &[("User", "Password")])
    }

    fn find(&self, claim: &Claim) -> Result<(u32, &Entry), Refusal> {
        let Principal { user, realm } = claim.principal();
        let ours = |domain: &str| utf16::same_name(domain, &self.domain) || utf16::same_name(domain, &self.dns_domain);
        let name = match realm {
            Place::Here => user,
            Place::Domain(domain) if ours(domain) => user,
            Place::Upn { name, suffix } if ours(suffix) => name,
            Place::Domain(_) | Place::Upn { .. } => return Err(Refusal::UnknownDomain),
        };
        let found = self.accounts.iter().zip(1000..).find(|(entry, _)| utf16::same_name(&entry.name, name));
        found.map(|(entry, rid)| (rid, entry)).ok_or(Refusal::UnknownAccount)
    }

    fn describe(&self, rid: u32, entry: &Entry) -> Arc<Account> {
        Arc::new(Account {
            sid: Some(Sid::well_known(5, [21, 1, 2, 3, rid])),
            name: entry.name.clone(),
            domain: self.domain.clone(),
            dns_domain: self.dns_domain.clone(),
            upn: Some(format!("{}@{}", entry.name, self.dns_domain)),
            display_name: None,
            mail: None,
            groups: Vec::new(),
            logoff_at: entry.logoff_at.and_then(filetime::to_system),
            password_expires_at: None,
        })
    }
}

impl Authority for Realm {
    fn answer(&self, question: &Question) -> Answer {
        if let Some(outage) = self.outage {
            return question.refuse(outage);
        }
        if let Question::ConfirmPac(pac) = question {
            return pac.not_asked();
        }
        let (rid, entry) = match self.find(question.claim()) {
            Ok(found) => found,
            Err(why) => return question.refuse(why),
        };
        if entry.password.is_empty() {
            return question.refuse(Refusal::NoPassword);
        }
        let account = self.describe(rid, entry);
        let state = entry.state;
        match question {
            Question::VerifyNtlm(question) => match ntlm::verify(&keys::nt_hash(&entry.password), question) {
                None => question.refuse(Refusal::WrongProof),
                Some(verified) => state.map_or_else(|| question.accept(verified, account), |why| question.refuse(why)),
            },
            Question::VerifyPassword(question) => {
                match password::verify(entry.password.as_bytes(), question.password.expose().as_bytes()) {
                    None => question.refuse(Refusal::WrongProof),
                    Some(verified) => {
                        state.map_or_else(|| question.accept(verified, account), |why| question.refuse(why))
                    }
                }
            }
            _ => question.refuse(Refusal::NotAnswered),
        }
    }
}
