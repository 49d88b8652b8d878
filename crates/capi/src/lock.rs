//! Locks that a host's fork leaves usable.
//!
//! A fork copies memory while other threads may hold locks that nobody releases in the copy. So [`crate::fork`] takes
//! every lock of the library before a fork and releases them on both sides; the operating system's own mutex allows that,
//! the standard library's does not.
//!
//! The order in which they are taken: places of handles, contexts, certificates, memory, settings, the clock. Who holds one
//! takes none before it.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

/// A value behind a mutex of the operating system.
pub(crate) struct Lock<T> {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the mutex alone, by one thread at a time.
unsafe impl<T: Send> Sync for Lock<T> {}
// SAFETY: an unlocked mutex of this kind is plain memory, and a value is not moved while it is borrowed by a guard.
unsafe impl<T: Send> Send for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), value: UnsafeCell::new(value) }
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // SAFETY: this thread does not hold it: no function here takes a lock twice.
        unsafe { self.take() };
        Guard(self)
    }

    /// The value, for who has the lock to itself.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Takes it without a guard.
    ///
    /// # Safety
    /// This thread does not hold it.
    pub(crate) unsafe fn take(&self) {
        // SAFETY: the mutex is initialised. A plain mutex has no error to report.
        let _ = unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
    }

    /// Releases it without a guard.
    ///
    /// # Safety
    /// This thread, or the one that it is the copy of, took it by [`take`](Self::take).
    pub(crate) unsafe fn release(&self) {
        // SAFETY: as the caller says.
        let _ = unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    /// The value, for the thread that holds it by [`take`](Self::take).
    ///
    /// # Safety
    /// This thread holds it, and no guard of it.
    pub(crate) unsafe fn held(&self) -> &T {
        // SAFETY: as the caller says.
        unsafe { &*self.value.get() }
    }
}

pub(crate) struct Guard<'l, T>(&'l Lock<T>);

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard's thread holds the mutex.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard's thread holds the mutex.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: the guard was made by the thread that took it.
        unsafe { self.0.release() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn one_thread_at_a_time() {
        let count = Arc::new(Lock::new(0u32));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let count = Arc::clone(&count);
                std::thread::spawn(move || (0..1000).for_each(|_| *count.lock() += 1))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock(), 8000);
    }
}
