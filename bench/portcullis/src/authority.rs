use portcullis::{Account, Answer, Authority, Principal, Question, Realm, Refusal, Secret, Sid, ntlm};
use std::collections::HashMap;
use std::sync::Arc;

/// The smallest authority that still does all that one must: it finds the account by the name that the client sent,
/// and compares the proof. A store's own cost is measured over HTTP.
pub(crate) struct OneAccount {
    domain: String,
    accounts: HashMap<String, (Secret<[u8; 16]>, Arc<Account>)>,
}

impl OneAccount {
    pub(crate) fn new(name: &str, domain: &str, password: &str) -> Self {
        let account = Account {
            sid: Some("S-1-5-21-1-2-3-1104".parse::<Sid>().expect("a SID")),
            name: name.to_owned(),
            domain: domain.to_owned(),
            dns_domain: "corp.example".to_owned(),
            upn: None,
            display_name: None,
            mail: None,
            groups: Vec::new(),
            logoff_at: None,
            password_expires_at: None,
        };
        let hash = ntlm::keys::nt_hash(password);
        Self { domain: domain.to_owned(), accounts: HashMap::from([(name.to_owned(), (hash, Arc::new(account)))]) }
    }

    fn find(&self, who: &Principal<'_>) -> Result<&(Secret<[u8; 16]>, Arc<Account>), Refusal> {
        if matches!(who.realm, Realm::Domain(domain) if domain != self.domain) {
            return Err(Refusal::UnknownDomain);
        }
        self.accounts.get(who.user).ok_or(Refusal::UnknownAccount)
    }
}

impl Authority for OneAccount {
    fn answer(&self, question: &Question) -> Answer {
        let Question::VerifyNtlm(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        match self.find(&asked.claim.principal()) {
            Err(why) => asked.refuse(why),
            Ok((hash, account)) => match ntlm::verify(hash, asked) {
                Some(verified) => asked.accept(verified, Arc::clone(account)),
                None => asked.refuse(Refusal::WrongProof),
            },
        }
    }
}
