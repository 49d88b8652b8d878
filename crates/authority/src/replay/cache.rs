use super::shard::{Known, Shard};
use portcullis::kerberos::{Cause, SeenBefore};
use portcullis::{Answer, Authority, Denied, Question, Refusal};
use std::array;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The authenticators that this process has seen, each until its own time is over. All contexts of all credentials of a
/// process share one.
///
/// It is bounded: when it is full of entries that are still good, further clients are refused rather than one of them
/// forgotten. An entry takes 21 to 41 bytes, as full as its table is: [`DEFAULT_ENTRIES`](Self::DEFAULT_ENTRIES) of them
/// 41 MB at most. What it holds ends with the process; see [`Replays::stored`](super::Replays::stored).
///
/// ```
/// use portcullis_authority::{ReplayCache, Seen};
/// use std::time::{Duration, SystemTime};
/// let (cache, now) = (ReplayCache::new(1), SystemTime::now());
/// let until = now + Duration::from_secs(300);
/// assert_eq!(cache.remember(&[1; 16], now, until), Seen::Never);
/// assert_eq!(cache.remember(&[1; 16], now, until), Seen::Before);
/// assert_eq!(cache.remember(&[2; 16], now, until), Seen::NoRoom);
/// ```
pub struct ReplayCache {
    shards: [Mutex<Shard>; SHARDS],
    /// Which shard a tag is in: nobody outside can fill one alone.
    hasher: RandomState,
    most: AtomicUsize,
    held: AtomicUsize,
    /// The second in which all shards were last looked through.
    pruned: AtomicU64,
    /// The second in which the log was last told that there is no room.
    told: AtomicU64,
    fresh: AtomicU64,
    replayed: AtomicU64,
    refused: AtomicU64,
}

/// What is known of an authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is new, and remembered from now on.
    Never,
    /// It was seen.
    Before,
    /// It is new, and there is no room to remember it.
    NoRoom,
    /// Its time is over, or the clock went back to a time of which everything is forgotten.
    Unknowable,
    /// It would have to be remembered for more than [`ReplayCache::LONGEST`].
    TooLong,
}

/// Numbers for whoever watches a [`ReplayCache`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayCounts {
    /// Entries that it holds now; some may be over by less than 64 seconds.
    pub held: usize,
    /// The most that it may hold.
    pub most: usize,
    /// Authenticators that were new.
    pub fresh: u64,
    /// Those that were seen before, or may have been.
    pub replayed: u64,
    /// Those that were refused because there was no room.
    pub no_room: u64,
}

const SHARDS: usize = 64;

impl ReplayCache {
    /// How many entries are held unless somebody says otherwise: 1 600 logons a second, for ten minutes each.
    pub const DEFAULT_ENTRIES: usize = 1_000_000;

    /// The longest that an entry is asked to be held: whoever asks for more would fill the cache for good.
    pub const LONGEST: Duration = Duration::from_secs(86_400);

    /// A cache of at most `entries`.
    pub fn new(entries: usize) -> Self {
        Self {
            shards: array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            most: AtomicUsize::new(entries),
            held: AtomicUsize::new(0),
            pruned: AtomicU64::new(0),
            told: AtomicU64::new(0),
            fresh: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Changes how many entries are held. What is held stays, also where it is more.
    pub fn set_entries(&self, entries: usize) {
        self.most.store(entries, Ordering::Relaxed);
    }

    /// Whether `tag` was seen before; remembers it until `until` where it was not. Of two calls at the same time with
    /// the same tag one gets [`Seen::Never`].
    pub fn remember(&self, tag: &[u8; 16], now: SystemTime, until: SystemTime) -> Seen {
        let seen = self.judge(tag, now, until);
        let count = match seen {
            Seen::Never => &self.fresh,
            Seen::NoRoom => &self.refused,
            Seen::Before | Seen::Unknowable | Seen::TooLong => &self.replayed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        seen
    }

    /// Numbers as they are now.
    pub fn counts(&self) -> ReplayCounts {
        ReplayCounts {
            held: self.held.load(Ordering::Relaxed),
            most: self.most.load(Ordering::Relaxed),
            fresh: self.fresh.load(Ordering::Relaxed),
            replayed: self.replayed.load(Ordering::Relaxed),
            no_room: self.refused.load(Ordering::Relaxed),
        }
    }

    fn judge(&self, tag: &[u8; 16], now: SystemTime, until: SystemTime) -> Seen {
        if until.duration_since(now).is_ok_and(|left| left > Self::LONGEST) {
            return Seen::TooLong;
        }
        let (now, until) = (whole_seconds(now), seconds_up(until));
        if until <= now {
            return Seen::Unknowable;
        }
        let seen = self.judge_in(&mut self.shard_of(tag), tag, now, until);
        if seen == Seen::NoRoom && self.prune(now) {
            // Looked for once more: the lock was let go.
            return self.judge_in(&mut self.shard_of(tag), tag, now, until);
        }
        seen
    }

    fn judge_in(&self, shard: &mut Shard, tag: &[u8; 16], now: u64, until: u64) -> Seen {
        self.let_go(shard.expire(now));
        match shard.look(tag, until) {
            Known::Seen => Seen::Before,
            Known::Forgotten => Seen::Unknowable,
            Known::Never if self.take_place() => {
                shard.remember(*tag, until);
                Seen::Never
            }
            Known::Never => Seen::NoRoom,
        }
    }

    fn take_place(&self) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let more = |held: usize| (held < most).then_some(held + 1);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn let_go(&self, gone: usize) {
        if gone > 0 {
            self.held.fetch_sub(gone, Ordering::Relaxed);
        }
    }

    /// Looks through every shard for what is over, one after another and once a second at most; says whether there is
    /// room again.
    fn prune(&self, now: u64) -> bool {
        if self.pruned.swap(now, Ordering::Relaxed) != now {
            for shard in &self.shards {
                self.let_go(lock(shard).prune(now));
            }
        }
        self.held.load(Ordering::Relaxed) < self.most.load(Ordering::Relaxed)
    }

    fn shard_of(&self, tag: &[u8; 16]) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(self.hasher.hash_one(tag) % SHARDS as u64).unwrap_or(0);
        let [first, ..] = &self.shards;
        lock(self.shards.get(at).unwrap_or(first))
    }

    /// What a handshake is told, and the log where there is no room.
    pub(super) fn denial(&self, seen: Seen, question: &SeenBefore) -> Option<Denied> {
        let detail = match seen {
            Seen::Never => return None,
            Seen::Before => String::new(),
            Seen::NoRoom => {
                let ReplayCounts { held, most, no_room, .. } = self.counts();
                if self.told.swap(whole_seconds(question.now), Ordering::Relaxed) != whole_seconds(question.now) {
                    tracing::error!(
                        held,
                        most,
                        refused = no_room,
                        "the replay cache is full: Kerberos clients are refused until entries are over"
                    );
                }
                return Some(Denied { cause: Cause::ReplayCacheFull.into(), detail: format!("{held} of {most} held") });
            }
            Seen::Unknowable => {
                "its time is over by the clock of the replay cache, so that nobody can say whether it was seen: was the \
                 clock set back?"
                    .to_owned()
            }
            Seen::TooLong => {
                let detail = "it would have to be remembered for more than a day".to_owned();
                return Some(Denied { cause: Refusal::NotAnswered.into(), detail });
            }
        };
        Some(Denied { cause: Cause::Replayed.into(), detail })
    }
}

impl Authority for ReplayCache {
    fn answer(&self, question: &Question) -> Answer {
        let Question::SeenBefore(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        let seen = self.remember(&asked.tag, asked.now, asked.until);
        self.denial(seen, asked).map_or_else(|| asked.fresh(), |why| asked.refuse(why))
    }
}

impl Default for ReplayCache {
    fn default() -> Self {
        Self::new(Self::DEFAULT_ENTRIES)
    }
}

impl std::fmt::Debug for ReplayCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReplayCache").field(&self.counts()).finish()
    }
}

/// A panic under the lock leaves a shard that is whole: each change is one call.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The second that a time is in, of those since 1970.
pub(crate) fn whole_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The first whole second that is not before a time.
pub(crate) fn seconds_up(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().saturating_add(u64::from(since.subsec_nanos() > 0))
}
