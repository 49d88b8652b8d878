use std::collections::{BTreeMap, HashMap};

/// A part of a cache, under a lock of its own.
///
/// Tags lie in spans of 64 seconds by their end: a span that is over goes as a whole, and what is alive is in a dozen
/// of them, where a tag is looked for one after another. An entry is a tag and its second within the span.
#[derive(Debug, Default)]
pub(super) struct Shard {
    spans: BTreeMap<u64, HashMap<[u8; 16], u8>>,
    /// The last second of what was let go: nothing is known any more of tags that end by then.
    forgotten: u64,
    /// The second in which it was last looked through.
    pruned: u64,
}

/// What a shard knows of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is not here, and would be.
    Never,
    /// It is here.
    Seen,
    /// Nobody can say.
    Forgotten,
}

/// The seconds of a span, as a power of two.
const SPAN_BITS: u32 = 6;

impl Shard {
    /// What is known of a tag that ends with the second `until`. An entry that ends another time is the same: policies
    /// change, and so does the time that the same authenticator is good for.
    pub(super) fn look(&self, tag: &[u8; 16], until: u64) -> Known {
        if self.spans.values().any(|span| span.contains_key(tag)) {
            Known::Seen
        } else if until <= self.forgotten {
            Known::Forgotten
        } else {
            Known::Never
        }
    }

    /// Remembers a tag until the end of that second.
    pub(super) fn remember(&mut self, tag: [u8; 16], until: u64) {
        let second = until & ((1 << SPAN_BITS) - 1);
        let span = self.spans.entry(until >> SPAN_BITS).or_default();
        span.insert(tag, u8::try_from(second).unwrap_or(u8::MAX));
    }

    /// Lets spans go that are over; gives how many entries that were.
    ///
    /// A clock that goes back finds nothing that is over. One that went ahead and comes back finds what it let go
    /// [`Known::Forgotten`].
    pub(super) fn expire(&mut self, now: u64) -> usize {
        let mut gone = 0;
        while let Some(first) = self.spans.first_entry() {
            let last_second = (first.key() << SPAN_BITS) | ((1 << SPAN_BITS) - 1);
            if last_second > now {
                break;
            }
            gone += first.remove().len();
            self.forgotten = self.forgotten.max(last_second);
        }
        gone
    }

    /// Looks through the one span that is over in part, once a second at most; gives how many entries it let go.
    pub(super) fn prune(&mut self, now: u64) -> usize {
        let gone = self.expire(now);
        if self.pruned == now {
            return gone;
        }
        self.pruned = now;
        let number = now >> SPAN_BITS;
        let Some(span) = self.spans.get_mut(&number) else { return gone };
        let before = span.len();
        span.retain(|_, second| (number << SPAN_BITS) | u64::from(*second) > now);
        let pruned = before - span.len();
        if pruned > 0 {
            self.forgotten = self.forgotten.max(now);
        }
        if span.is_empty() {
            self.spans.remove(&number);
        }
        gone + pruned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_when_their_last_second_is_over() {
        let mut shard = Shard::default();
        for (tag, until) in [([1; 16], 127), ([2; 16], 128), ([3; 16], 191)] {
            assert_eq!(shard.look(&tag, until), Known::Never);
            shard.remember(tag, until);
        }
        assert_eq!((shard.expire(126), shard.look(&[1; 16], 127)), (0, Known::Seen));
        assert_eq!((shard.expire(127), shard.look(&[1; 16], 127)), (1, Known::Forgotten));
        assert_eq!((shard.expire(190), shard.look(&[2; 16], 128)), (0, Known::Seen));
        assert_eq!(
            (shard.prune(150), shard.look(&[2; 16], 128), shard.look(&[3; 16], 191)),
            (1, Known::Forgotten, Known::Seen)
        );
        shard.remember([4; 16], 151);
        assert_eq!(shard.prune(150), 0, "once a second");
        assert_eq!((shard.prune(151), shard.spans.len()), (1, 1));
        assert_eq!((shard.prune(191), shard.spans.len(), shard.forgotten), (1, 0, 191));
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing_and_knows_what_it_forgot() {
        let mut shard = Shard::default();
        shard.remember([1; 16], 1000);
        assert_eq!((shard.expire(10), shard.prune(10)), (0, 0));
        shard.expire(2000);
        assert_eq!(shard.look(&[1; 16], 1000), Known::Forgotten);
        // Tags of a time that nothing was let go of are known as ever.
        assert_eq!(shard.look(&[2; 16], 1024), Known::Never);
    }

    #[test]
    fn the_end_of_time() {
        let mut shard = Shard::default();
        shard.remember([1; 16], u64::MAX);
        assert_eq!((shard.expire(u64::MAX - 1), shard.look(&[1; 16], u64::MAX)), (0, Known::Seen));
        assert_eq!((shard.expire(u64::MAX), shard.look(&[1; 16], 0)), (1, Known::Forgotten));
    }
}
