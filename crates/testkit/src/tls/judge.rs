use portcullis::{Account, Answer, Authority, Question, Refusal};
use portcullis_wire::sid::Sid;
use std::sync::{Arc, Mutex};

/// Knows no certificate.
pub struct NoAccounts;

impl Authority for NoAccounts {
    fn answer(&self, question: &Question) -> Answer {
        question.refuse(Refusal::UnmappedCertificate)
    }
}

/// Says the same of every certificate, and remembers what it was asked.
pub struct Judge {
    /// What it says.
    pub verdict: Mutex<Result<Arc<Account>, Refusal>>,
    /// The certificates that it was asked about, and whether their issuers may name SIDs.
    pub asked: Mutex<Vec<(Vec<u8>, bool)>>,
}

impl Judge {
    /// Every certificate is this account's.
    pub fn accepts(account: Account) -> Self {
        Self { verdict: Mutex::new(Ok(Arc::new(account))), asked: Mutex::default() }
    }

    /// It says this from now on.
    pub fn says(&self, verdict: Result<Arc<Account>, Refusal>) {
        *self.verdict.lock().unwrap() = verdict;
    }

    /// Every certificate is refused so from now on.
    pub fn refuses(&self, why: Refusal) {
        self.says(Err(why));
    }

    /// How often it was asked.
    pub fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Ann's account.
    pub fn ann() -> Account {
        Account {
            sid: Some(Sid::well_known(5, [21, 1, 2, 3, 1104])),
            name: "ann".into(),
            domain: "CORP".into(),
            dns_domain: "corp.example".into(),
            upn: None,
            display_name: None,
            mail: None,
            groups: Vec::new(),
            logoff_at: None,
            password_expires_at: None,
        }
    }
}

impl Authority for Judge {
    fn answer(&self, question: &Question) -> Answer {
        let Question::FindAccount(asked) = question else { panic!("a channel asks for accounts only") };
        self.asked.lock().unwrap().push((asked.certificate().to_vec(), asked.may_name_sid()));
        match &*self.verdict.lock().unwrap() {
            Ok(account) => asked.accept(Arc::clone(account)),
            Err(why) => question.refuse(*why),
        }
    }
}
