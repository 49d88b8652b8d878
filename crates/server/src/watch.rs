//! A connection's clock: how long it has been idle, and how long a request's headers take to come.

use crate::config::Limits;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<(Phase, Instant)>,
    /// Requests that are being answered.
    under_way: AtomicUsize,
    /// Whether what comes between requests is taken for the front of one.
    times_headers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It waits for a request, or still sends an answer.
    Idle,
    /// Part of a request's headers has come.
    Headers,
    /// A request is being answered, under limits of its own.
    Busy,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::timing(true))
    }

    /// Where requests do not come one after the other.
    pub(crate) fn without_headers() -> Arc<Self> {
        Arc::new(Self::timing(false))
    }

    fn timing(times_headers: bool) -> Self {
        Self { state: Mutex::new((Phase::Idle, Instant::now())), under_way: AtomicUsize::new(0), times_headers }
    }

    pub(crate) fn busy(&self) {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        self.set(|_| Some(Phase::Busy));
    }

    pub(crate) fn idle(&self) {
        if self.under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.set(|_| Some(Phase::Idle));
        }
    }

    fn received(&self) {
        self.set(|phase| (phase == Phase::Idle && self.times_headers).then_some(Phase::Headers));
    }

    fn set(&self, change: impl FnOnce(Phase) -> Option<Phase>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(phase) = change(state.0) {
            *state = (phase, Instant::now());
        }
    }

    /// What is left of the phase's time; `None` for a phase without a bound.
    fn remaining(&self, limits: &Limits) -> Option<Duration> {
        let (phase, since) = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = match phase {
            Phase::Idle => limits.idle_seconds,
            Phase::Headers => limits.header_seconds,
            Phase::Busy => return None,
        };
        Some(Duration::from_secs(bound).saturating_sub(since.elapsed()))
    }

    /// Returns once a phase has taken too long.
    pub(crate) async fn overdue(&self, limits: &Limits) {
        // Looked at now and then instead of being woken with each phase: a second more or less does not matter here.
        let step = Duration::from_secs((limits.header_seconds / 8).clamp(1, 5));
        loop {
            match self.remaining(limits) {
                Some(Duration::ZERO) => return,
                Some(remaining) => tokio::time::sleep(remaining.min(step)).await,
                None => tokio::time::sleep(step).await,
            }
        }
    }
}

/// A stream that tells an [`Activity`] when something comes.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    pub(crate) stream: S,
    pub(crate) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_own_time() {
        let limits = Limits { idle_seconds: 100, header_seconds: 10, ..Limits::default() };
        let activity = Activity::new();
        let within = |low: u64, high: u64| {
            let left = activity.remaining(&limits).unwrap();
            left > Duration::from_secs(low) && left <= Duration::from_secs(high)
        };
        assert!(within(90, 100));
        activity.received();
        assert!(within(5, 10));
        activity.busy();
        activity.received();
        assert_eq!(activity.remaining(&limits), None);
        activity.idle();
        assert!(within(90, 100));
    }

    #[tokio::test]
    async fn slow_headers_are_overdue() {
        let limits = Limits { idle_seconds: 1000, header_seconds: 1, ..Limits::default() };
        let activity = Activity::new();
        activity.received();
        tokio::time::timeout(Duration::from_secs(5), activity.overdue(&limits)).await.unwrap();
    }
}
