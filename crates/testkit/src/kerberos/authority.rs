use super::{LongTerm, keytab};
use portcullis::kerberos::{Cause, SeenBefore, ServiceKeys, open_ticket};
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
        Self { keys, seen: Mutex::default(), capacity: usize::MAX }
    }

    /// The same authority, which remembers so many authenticators at most.
    #[must_use]
    pub fn remembering(self, capacity: usize) -> Self {
        Self { capacity, ..self }
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
            Question::OpenTicket(asked) => match open_ticket(&self.keys, asked) {
                Ok(opened) => asked.accept(opened),
                Err(denied) => asked.refuse(denied),
            },
            Question::SeenBefore(asked) => match self.fresh(asked) {
                Ok(()) => asked.fresh(),
                Err(cause) => asked.refuse(cause),
            },
            _ => question.refuse(Refusal::NotAnswered),
        }
    }
}
