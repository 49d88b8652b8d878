use super::pac::USAGE;
use super::{LongTerm, RawKey, keytab};
use portcullis::kerberos::{Cause, ConfirmPac, SeenBefore, ServiceKeys, ServiceNames, open_ticket};
use portcullis::{Answer, Authority, Question, Refusal};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::SystemTime;

/// An authority with the keys of a keytab, that remembers every authenticator until it is out of date.
#[derive(Debug)]
pub struct Keys {
    keys: ServiceKeys,
    seen: Mutex<HashMap<[u8; 16], SystemTime>>,
    capacity: usize,
    kdc: Option<RawKey>,
}

impl Keys {
    /// An authority with these keys.
    pub fn of(keys: &[LongTerm]) -> Self {
        Self::from_keytab(&keytab(keys))
    }

    /// An authority with a keytab's keys.
    ///
    /// # Panics
    /// When it is no keytab.
    pub fn from_keytab(bytes: &[u8]) -> Self {
        let keys = ServiceKeys::from_keytab(bytes).unwrap();
        Self { keys, seen: Mutex::default(), capacity: usize::MAX, kdc: None }
    }

    /// The same authority, which remembers so many authenticators at most.
    #[must_use]
    pub fn remembering(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// The same authority, which can ask the KDC of this key.
    #[must_use]
    pub fn asking(self, kdc: RawKey) -> Self {
        Self { kdc: Some(kdc), ..self }
    }

    /// Whether the KDC made a PAC, as it would say itself; `None` where nobody can be asked.
    fn made_by_kdc(&self, question: &ConfirmPac) -> Option<bool> {
        let key = self.kdc.as_ref()?.key();
        let of_type = question.kdc_signature.checksum_type == key.enctype().checksum_type();
        let fits = key.checksum(USAGE).verify([question.server_signature.as_slice()], &question.kdc_signature.checksum);
        Some(of_type && fits)
    }

    /// How many authenticators it remembers.
    pub fn remembered(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Remembers an authenticator, or says why it is not good.
    fn fresh(&self, question: &SeenBefore) -> Result<(), Cause> {
        let mut seen = self.seen.lock().unwrap();
        seen.retain(|_, until| *until > question.now);
        if seen.contains_key(&question.tag) {
            return Err(Cause::Replayed);
        }
        if seen.len() >= self.capacity {
            return Err(Cause::ReplayCacheFull);
        }
        seen.insert(question.tag, question.until);
        Ok(())
    }
}

impl Authority for Keys {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::OpenTicket(asked) => match open_ticket(&self.keys, &ServiceNames::Any, asked) {
                Ok(opened) => asked.accept(opened),
                Err(denied) => asked.refuse(denied),
            },
            Question::ConfirmPac(asked) => match self.made_by_kdc(asked) {
                None => asked.not_asked(),
                Some(true) => asked.confirm(),
                Some(false) => asked.refuse(Cause::PacSignatureWrong),
            },
            Question::SeenBefore(asked) => match self.fresh(asked) {
                Ok(()) => asked.fresh(),
                Err(cause) => asked.refuse(cause),
            },
            _ => question.refuse(Refusal::NotAnswered),
        }
    }
}
