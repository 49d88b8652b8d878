//! Authenticators are good once: in one process, in several, over restarts, and when there is no more room.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod kerberos;

use kerberos::{cause, seen};
use portcullis::Authority;
use portcullis_authority::{ReplayCache, ReplayCounts, Replays, Seen, SeenStore, Sqlite};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SKEW: Duration = Duration::from_secs(300);

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn tag(number: u64) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[8..].copy_from_slice(&number.to_be_bytes());
    tag
}

/// How many of `threads` that bring the same authenticator at the same time are told that it is new.
fn successes(threads: usize, authority_of: impl Fn(usize) -> Arc<dyn Authority>, tag: [u8; 16]) -> usize {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..threads)
            .map(|number| {
                let (authority, barrier) = (authority_of(number), &barrier);
                scope.spawn(move || {
                    let question = seen(tag, at(0), at(0) + SKEW);
                    barrier.wait();
                    let answer = authority.answer(&question);
                    assert!(["ok", "kerberos/replayed"].contains(&cause(&answer)), "{answer:?}");
                    cause(&answer) == "ok"
                })
            })
            .collect();
        asking.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    })
}

#[test]
fn of_64_threads_with_one_token_one_succeeds() {
    let cache = Arc::new(ReplayCache::default());
    for number in 0..50 {
        assert_eq!(successes(64, |_| Arc::clone(&cache) as _, tag(number)), 1);
    }
    let counts = cache.counts();
    assert_eq!((counts.held, counts.fresh, counts.replayed, counts.no_room), (50, 50, 50 * 63, 0));
}

#[test]
fn an_entry_is_held_to_its_own_end_however_the_clock_runs() {
    let cache = ReplayCache::default();
    // A client whose clock is fast by nearly the skew: its token is good for twice as long.
    let until = at(0) + 2 * SKEW - Duration::from_millis(1);
    assert_eq!(cache.remember(&tag(1), at(0), until), Seen::Never);
    for seconds in [0, 1, 300, 301, 598, 599] {
        assert_eq!(cache.remember(&tag(1), at(seconds), until), Seen::Before, "{seconds}");
    }
    // The next whole second, and what comes then is out of date by its own time.
    for seconds in [600, 601, 1000] {
        assert_eq!(cache.remember(&tag(1), at(seconds), until), Seen::Unknowable, "{seconds}");
    }
    // The same authenticator under another policy's skew, and in another order.
    assert_eq!(cache.remember(&tag(2), at(1000), at(1500)), Seen::Never);
    assert_eq!(cache.remember(&tag(2), at(1000), at(1900)), Seen::Before);
    assert_eq!(cache.remember(&tag(2), at(1000), at(1100)), Seen::Before);
}

#[test]
fn a_clock_that_goes_back_lets_nothing_in_twice() {
    let cache = ReplayCache::default();
    assert_eq!(cache.remember(&tag(1), at(0), at(300)), Seen::Never);
    // Back: nothing is over by that.
    assert_eq!(cache.remember(&tag(2), at(0) - Duration::from_secs(7200), at(300)), Seen::Never);
    assert_eq!(cache.remember(&tag(1), at(0) - Duration::from_secs(7200), at(300)), Seen::Before);
    // Ahead: both are let go, by questions that come to every shard; and back again.
    for number in 100..2000 {
        assert_eq!(cache.remember(&tag(number), at(3600), at(3900)), Seen::Never);
    }
    assert!(cache.counts().held <= 1900, "{cache:?}");
    for number in [1, 2] {
        assert_eq!(cache.remember(&tag(number), at(10), at(300)), Seen::Unknowable);
    }
    assert_eq!(cause(&cache.answer(&seen(tag(1), at(10), at(300)))), "kerberos/replayed");
    let answer = cache.answer(&seen(tag(1), at(10), at(300)));
    assert!(answer.denied().unwrap().detail.contains("clock"), "{answer:?}");
}

#[test]
fn a_full_cache_refuses_and_forgets_nothing() {
    let cache = ReplayCache::new(1000);
    for number in 0..1000 {
        assert_eq!(cache.remember(&tag(number), at(0), at(300 + number % 2)), Seen::Never);
    }
    let answer = cache.answer(&seen(tag(5000), at(299), at(599)));
    assert_eq!(cause(&answer), "kerberos/replay-cache-full");
    assert_eq!(answer.denied().unwrap().detail, "1000 of 1000 held");
    for number in 0..1000 {
        let until = at(300 + number % 2);
        assert_eq!(cache.remember(&tag(number), at(299), until), Seen::Before, "{number}");
    }
    // Half of them are over in this second, wherever they lie; then there is room for as many.
    for number in 5000..5500 {
        assert_eq!(cache.remember(&tag(number), at(300), at(600)), Seen::Never, "{number}");
    }
    assert_eq!(cache.remember(&tag(9999), at(300), at(600)), Seen::NoRoom);
    assert_eq!(cache.remember(&tag(1), at(300), at(301)), Seen::Before, "this one is not over");
    cache.set_entries(1001);
    assert_eq!(cache.remember(&tag(9999), at(300), at(600)), Seen::Never);
    cache.set_entries(10);
    assert_eq!(cache.remember(&tag(9998), at(300), at(600)), Seen::NoRoom);
    assert_eq!(cache.remember(&tag(9999), at(300), at(600)), Seen::Before);
    let ReplayCounts { held, most, no_room, .. } = cache.counts();
    assert_eq!((held, most, no_room), (1001, 10, 3));
    assert_eq!(cause(&ReplayCache::new(0).answer(&seen(tag(1), at(0), at(1)))), "kerberos/replay-cache-full");
}

#[test]
fn what_is_over_goes_by_itself() {
    let cache = ReplayCache::new(100_000);
    for minute in 0..60 {
        for number in 0..1000 {
            let now = at(60 * minute);
            assert_eq!(cache.remember(&tag(minute * 1000 + number), now, now + 2 * SKEW), Seen::Never);
        }
    }
    // Ten minutes of tokens, and what a span of 64 seconds and shards that nobody asked lately keep longer.
    assert!(cache.counts().held <= 13_000, "{cache:?}");
}

#[test]
fn whoever_asks_for_too_long_fills_nothing() {
    let cache = ReplayCache::default();
    let longest = at(0) + ReplayCache::LONGEST;
    assert_eq!(cache.remember(&tag(1), at(0), longest), Seen::Never);
    for until in [longest + Duration::from_secs(1), UNIX_EPOCH + Duration::from_secs(1 << 40)] {
        assert_eq!(cache.remember(&tag(2), at(0), until), Seen::TooLong);
        assert_eq!(cause(&cache.answer(&seen(tag(2), at(0), until))), "account/not-answered");
    }
    for until in [UNIX_EPOCH, UNIX_EPOCH - Duration::from_secs(1), at(0)] {
        assert_eq!(cache.remember(&tag(3), at(0), until), Seen::Unknowable);
    }
    assert_eq!(cache.counts().held, 1);
}

fn stored(path: &Path) -> Arc<dyn Authority> {
    let store = Arc::new(Sqlite::open(path).unwrap());
    Arc::new(Replays::stored(Arc::new(ReplayCache::default()), store))
}

fn store() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.db");
    Sqlite::create(&path).unwrap();
    (folder, path)
}

#[test]
fn of_two_processes_of_one_store_one_succeeds() {
    let (_folder, path) = store();
    // Each with a cache and connections of its own, as two processes have them.
    let (one, two) = (stored(&path), stored(&path));
    for number in 0..10 {
        let pick = |thread: usize| Arc::clone(if thread.is_multiple_of(2) { &one } else { &two });
        assert_eq!(successes(8, pick, tag(number)), 1, "{number}");
    }
}

#[test]
fn a_store_outlives_the_process_and_memory_does_not() {
    let (_folder, path) = store();
    let question = || seen(tag(1), at(0), at(0) + SKEW);
    assert_eq!(cause(&stored(&path).answer(&question())), "ok");
    assert_eq!(cause(&stored(&path).answer(&question())), "kerberos/replayed");
    let memory = || Replays::in_memory(Arc::new(ReplayCache::default()));
    assert_eq!((cause(&memory().answer(&question())), cause(&memory().answer(&question()))), ("ok", "ok"));
}

#[test]
fn a_store_that_cannot_be_written_lets_nobody_in() {
    let (folder, path) = store();
    let authority = stored(&path);
    assert_eq!(cause(&authority.answer(&seen(tag(1), at(0), at(0) + SKEW))), "ok");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(cause(&authority.answer(&seen(tag(2), at(0), at(0) + SKEW))), "account/store-unreachable");
    // What the process itself has seen it knows without the store.
    assert_eq!(cause(&authority.answer(&seen(tag(1), at(0), at(0) + SKEW))), "kerberos/replayed");
    drop(folder);
}

#[test]
fn a_store_takes_away_what_is_over_and_knows_that_it_did() {
    let (folder, path) = store();
    let store = Sqlite::open(&path).unwrap();
    for number in 0..500 {
        assert!(store.remember(&tag(number), at(0), at(10 + number % 5)).unwrap());
        assert!(!store.remember(&tag(number), at(0), at(10 + number % 5)).unwrap());
    }
    for number in 1000..1200 {
        assert!(store.remember(&tag(number), at(20), at(100)).unwrap());
    }
    let rows = || {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.query_row("SELECT count(*) FROM seen", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(rows(), 200);
    // The clock went back: what was taken away is not new again.
    assert!(!store.remember(&tag(1), at(5), at(11)).unwrap());
    assert!(store.remember(&tag(2000), at(5), at(15)).unwrap());
    // Out of date by its own time.
    assert!(!store.remember(&tag(2001), at(50), at(50)).unwrap());
    drop(folder);
}
