use super::ReplayCache;
use crate::{Directory, Store, StoreError};
use portcullis::kerberos::Cause;
use portcullis::{Answer, Authority, Question, Refusal};
use std::sync::Arc;
use std::time::SystemTime;

/// Where authenticators are remembered by all processes of a computer, and over a restart.
pub trait SeenStore: Send + Sync {
    /// Whether `tag` is new; remembers it until `until` where it is. Of two processes that ask at the same time one is
    /// told `true`. What may have been forgotten is not new.
    ///
    /// # Errors
    /// When it cannot be looked up and written down.
    fn remember(&self, tag: &[u8; 16], now: SystemTime, until: SystemTime) -> Result<bool, StoreError>;
}

/// Answers whether a Kerberos authenticator was seen before.
pub struct Replays {
    cache: Arc<ReplayCache>,
    store: Option<Arc<dyn SeenStore>>,
}

impl Replays {
    /// From the memory of this process alone. What it has seen it forgets when it ends: a token that was taken before a
    /// restart can be taken once more after it, for as long as its own time allows (twice the skew at most).
    pub fn in_memory(cache: Arc<ReplayCache>) -> Self {
        Self { cache, store: None }
    }

    /// From a store that outlives this process and may be shared with others, behind the memory: what was seen here is
    /// refused without the store, and each new one is written to it.
    pub fn stored(cache: Arc<ReplayCache>, store: Arc<dyn SeenStore>) -> Self {
        Self { cache, store: Some(store) }
    }

    /// The memory.
    pub fn cache(&self) -> &Arc<ReplayCache> {
        &self.cache
    }
}

impl Authority for Replays {
    fn answer(&self, question: &Question) -> Answer {
        let Question::SeenBefore(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        let seen = self.cache.remember(&asked.tag, asked.now, asked.until);
        if let Some(why) = self.cache.denial(seen, asked) {
            return asked.refuse(why);
        }
        match self.store.as_ref().map(|store| store.remember(&asked.tag, asked.now, asked.until)) {
            None | Some(Ok(true)) => asked.fresh(),
            Some(Ok(false)) => asked.refuse(Cause::Replayed),
            Some(Err(error)) => {
                tracing::error!(%error, "the store cannot remember a Kerberos token; nobody can log on by one");
                asked.refuse(Refusal::Unreachable)
            }
        }
    }
}

impl<S: Store + SeenStore> SeenStore for Directory<S> {
    fn remember(&self, tag: &[u8; 16], now: SystemTime, until: SystemTime) -> Result<bool, StoreError> {
        self.store().remember(tag, now, until)
    }
}

impl std::fmt::Debug for Replays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replays").field("cache", &self.cache).field("stored", &self.store.is_some()).finish()
    }
}
