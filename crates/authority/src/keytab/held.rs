use portcullis::kerberos::{ServiceKey, ServiceKeys};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The keys of a keytab, and those that were in it until lately: tickets that were made with them are still about.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<One>);

#[derive(Debug)]
struct One {
    key: Arc<ServiceKey>,
    /// When it was first found missing from the file.
    vanished: Option<Instant>,
}

/// What a reading changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Change {
    pub(super) added: usize,
    pub(super) vanished: usize,
    /// Keys whose time after they vanished is over.
    pub(super) dropped: usize,
}

impl Change {
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Held {
    /// What the file holds now: keys that are held stay the same values, what is derived from them included.
    pub(super) fn replace(&mut self, fresh: &ServiceKeys, now: Instant, retire: Duration) -> Change {
        let mut change = Change::default();
        let mut old: HashMap<(String, u32), Vec<One>> = HashMap::new();
        for one in self.0.drain(..) {
            old.entry((one.key.principal.clone(), one.key.kvno)).or_default().push(one);
        }
        for key in fresh.keys() {
            let known = old.get_mut(&(key.principal.clone(), key.kvno)).and_then(|those| {
                let at = those.iter().position(|one| one.key.is_same(key))?;
                Some(those.swap_remove(at))
            });
            let (key, known) = known.map_or_else(|| (Arc::clone(key), false), |one| (one.key, true));
            change.added += usize::from(!known);
            self.0.push(One { key, vanished: None });
        }
        let mut gone: Vec<One> = old.into_values().flatten().collect();
        // In an order that does not depend on a hash: the newest is tried first.
        gone.sort_by(|a, b| (&a.key.principal, b.key.kvno).cmp(&(&b.key.principal, a.key.kvno)));
        for one in gone {
            change.vanished += usize::from(one.vanished.is_none());
            self.0.push(One { vanished: Some(one.vanished.unwrap_or(now)), ..one });
        }
        change.dropped = self.expire(now, retire);
        change
    }

    /// Drops what vanished too long ago; gives how many that were.
    pub(super) fn expire(&mut self, now: Instant, retire: Duration) -> usize {
        let before = self.0.len();
        self.0.retain(|one| one.vanished.is_none_or(|when| now.saturating_duration_since(when) < retire));
        before - self.0.len()
    }

    /// All of them, as handshakes use them.
    pub(super) fn snapshot(&self) -> ServiceKeys {
        ServiceKeys::new(self.0.iter().map(|one| Arc::clone(&one.key)))
    }
}
