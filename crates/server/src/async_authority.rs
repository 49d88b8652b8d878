//! An authority that answers without blocking, and the ways between it and the library's blocking one.

use portcullis::{Answer, Authority, Question, Refusal};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// A future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Answers questions without blocking.
pub trait AsyncAuthority: Send + Sync {
    /// The answer, made from the question by its `accept` or `refuse`.
    fn answer<'a>(&'a self, question: &'a Question) -> Answering<'a>;
}

/// A blocking authority, asked from async code.
///
/// A question may hold a password, so it is answered where it lies and never copied to another thread: the runtime is
/// told that this thread blocks, and moves its other tasks away. It must be the multi-threaded one.
pub struct Threads {
    authority: Arc<dyn Authority>,
    places: Semaphore,
    patience: Duration,
}

impl Threads {
    /// Asks at most `calls` questions at a time; one that has waited for its turn longer than `patience` is answered
    /// [`Refusal::Unreachable`].
    pub fn new(authority: Arc<dyn Authority>, calls: usize, patience: Duration) -> Self {
        Self { authority, places: Semaphore::new(calls.min(Semaphore::MAX_PERMITS)), patience }
    }
}

impl AsyncAuthority for Threads {
    fn answer<'a>(&'a self, question: &'a Question) -> Answering<'a> {
        Box::pin(async move {
            match tokio::time::timeout(self.patience, self.places.acquire()).await {
                Ok(Ok(_place)) => tokio::task::block_in_place(|| self.authority.answer(question)),
                Ok(Err(_)) | Err(_) => question.refuse(Refusal::Unreachable),
            }
        })
    }
}

/// An async authority, asked from blocking code.
pub struct Blocking {
    authority: Arc<dyn AsyncAuthority>,
    runtime: Handle,
}

impl Blocking {
    /// Asks `authority` on `runtime`. It must not be asked from that runtime's own async code, which would wait for
    /// itself.
    pub fn new(authority: Arc<dyn AsyncAuthority>, runtime: Handle) -> Self {
        Self { authority, runtime }
    }
}

impl Authority for Blocking {
    fn answer(&self, question: &Question) -> Answer {
        self.runtime.block_on(self.authority.answer(question))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::password::Password;
    use portcullis::{Call, Credential, Handshake};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    /// Refuses everybody, slowly, and counts how many it was asked about at once.
    #[derive(Default)]
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Authority for Slow {
        fn answer(&self, question: &Question) -> Answer {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            self.now.fetch_sub(1, Ordering::SeqCst);
            question.refuse(Refusal::UnknownAccount)
        }
    }

    fn pending() -> portcullis::NeedsAnswer {
        let mut random = |bytes: &mut [u8]| {
            bytes.fill(1);
            Ok(())
        };
        let (mut events, mut out) = ((), Vec::new());
        let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        match Credential::acceptor(Password::new()).begin().token(b"ann:secret", call).unwrap() {
            Handshake::NeedsAnswer(pending) => pending,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_more_questions_at_a_time_than_allowed() {
        let slow = Arc::new(Slow::default());
        let threads = Arc::new(Threads::new(Arc::clone(&slow) as _, 3, Duration::from_secs(10)));
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let threads = Arc::clone(&threads);
                tokio::spawn(async move { threads.answer(pending().question()).await.cause() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Some(Refusal::UnknownAccount.into()));
        }
        assert!(slow.most.load(Ordering::SeqCst) <= 3);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_waits_too_long_is_told_that_the_store_is_unreachable() {
        let threads = Threads::new(Arc::new(Slow::default()), 1, Duration::from_millis(1));
        let taken = threads.places.acquire().await.unwrap();
        assert_eq!(threads.answer(pending().question()).await.cause(), Some(Refusal::Unreachable.into()));
        drop(taken);
        assert_eq!(threads.answer(pending().question()).await.cause(), Some(Refusal::UnknownAccount.into()));
    }

    #[test]
    fn an_async_authority_answers_blocking_code() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let inner = Arc::new(Threads::new(Arc::new(Slow::default()), 1, Duration::from_secs(1)));
        let blocking = Blocking::new(inner, runtime.handle().clone());
        let pending = pending();
        let answer = blocking.answer(pending.question());
        assert_eq!(answer.cause(), Some(Refusal::UnknownAccount.into()));
    }
}
