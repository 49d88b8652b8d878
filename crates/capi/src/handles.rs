//! What a caller's handle stands for. A handle is a place, the count of its uses, and a mark that nobody can guess: one
//! that is stale, of another kind, or made up is found out, and nothing behind it is touched.
//!
//! The places are spread over shards, each behind a lock of its own, which a look-up holds for as long as a count takes
//! to go up.

use crate::abi::SecHandle;
use crate::code::Code;
use crate::context::Context;
use crate::credential::Credential;
use crate::fork;
use crate::lock::Lock;
use crate::token::Token;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// An object in a place.
#[derive(Clone)]
pub(crate) enum Held {
    Credential(Arc<Credential>),
    Context(Arc<Context>),
    Token(Arc<Token>),
}

/// A kind of object that handles stand for.
pub(crate) trait Kind: Sized {
    /// A mark of this kind in its handles.
    const MARK: usize;

    fn hold(this: Arc<Self>) -> Held;
    fn of(held: &Held) -> Option<&Arc<Self>>;
}

macro_rules! kinds {
    ($($kind:ident = $mark:literal),*) => { $(impl Kind for $kind {
        const MARK: usize = $mark;

        fn hold(this: Arc<Self>) -> Held {
            Held::$kind(this)
        }

        fn of(held: &Held) -> Option<&Arc<Self>> {
            if let Held::$kind(object) = held { Some(object) } else { None }
        }
    })* };
}
kinds!(Credential = 1, Context = 2, Token = 3);

struct Slot {
    /// The handle of its present use, or of the last one.
    handle: SecHandle,
    held: Option<Held>,
}

impl Slot {
    /// How often it was used.
    fn uses(&self) -> u32 {
        (self.handle.dwUpper >> 32) as u32
    }
}

struct Shard {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

const SHARDS: usize = 64;

static PLACES: [Lock<Shard>; SHARDS] = [const { Lock::new(Shard { slots: Vec::new(), free: Vec::new() }) }; SHARDS];

// A handle's lower half holds kind, shard and slot, the upper one use and mark.
const _: () = assert!(usize::BITS == 64, "handles have 64-bit halves");

/// What a handle says.
struct Parts {
    shard: usize,
    slot: usize,
    uses: u32,
}

impl Parts {
    /// Behind kind and shard.
    const SHIFT: u32 = 16;

    fn handle<K: Kind>(&self) -> SecHandle {
        let low = (self.shard << 4) | K::MARK;
        SecHandle { dwLower: (self.slot << Self::SHIFT) | low, dwUpper: ((self.uses as usize) << 32) | self.mark(low) }
    }

    /// What a handle of this kind says, true or not: who compares it with a slot's handle need not compute its mark.
    fn of<K: Kind>(handle: SecHandle) -> Result<Self, Code> {
        let low = handle.dwLower & ((1 << Self::SHIFT) - 1);
        let (kind, shard) = (low & 0xf, low >> 4);
        let parts = Self { shard, slot: handle.dwLower >> Self::SHIFT, uses: (handle.dwUpper >> 32) as u32 };
        if kind == K::MARK { Ok(parts) } else { Err(Code::INVALID_HANDLE) }
    }

    /// 32 bits that only this process can compute.
    fn mark(&self, low: usize) -> usize {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        KEY.get_or_init(RandomState::new).hash_one((low, self.slot, self.uses)) as u32 as usize
    }
}

/// Where the next object goes.
fn next_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
}

fn places(shard: usize) -> Result<&'static Lock<Shard>, Code> {
    PLACES.get(shard).ok_or(Code::INVALID_HANDLE)
}

/// A handle for an object.
pub(crate) fn insert<K: Kind>(object: Arc<K>) -> Result<SecHandle, Code> {
    fork::prepare();
    let shard = next_shard();
    let mut places = places(shard)?.lock();
    let slot = places.free.pop().unwrap_or(places.slots.len());
    let uses = places.slots.get(slot).map_or(0, Slot::uses) + 1;
    let handle = Parts { shard, slot, uses }.handle::<K>();
    let used = Slot { handle, held: Some(K::hold(object)) };
    match places.slots.get_mut(slot) {
        Some(place) => *place = used,
        None => places.slots.push(used),
    }
    Ok(handle)
}

/// The object of a handle.
pub(crate) fn get<K: Kind>(handle: SecHandle) -> Result<Arc<K>, Code> {
    look(handle, Arc::clone)
}

/// What `see` finds at the object of a handle. Its place is locked meanwhile.
pub(crate) fn look<K: Kind, R>(handle: SecHandle, see: impl FnOnce(&Arc<K>) -> R) -> Result<R, Code> {
    let parts = Parts::of::<K>(handle)?;
    let places = places(parts.shard)?.lock();
    let slot = places.slots.get(parts.slot).filter(|slot| slot.handle == handle);
    slot.and_then(|slot| K::of(slot.held.as_ref()?)).map(see).ok_or(Code::INVALID_HANDLE)
}

/// Puts another object behind a handle, in the place of `old`. `false` where another thread was faster, and what stands there
/// is not what `object` was made from.
pub(crate) fn replace<K: Kind>(handle: SecHandle, old: &Arc<K>, object: Arc<K>) -> Result<bool, Code> {
    let parts = Parts::of::<K>(handle)?;
    let mut places = places(parts.shard)?.lock();
    let slot = places.slots.get_mut(parts.slot).filter(|slot| slot.handle == handle).ok_or(Code::INVALID_HANDLE)?;
    let held = slot.held.as_mut().filter(|held| K::of(held).is_some()).ok_or(Code::INVALID_HANDLE)?;
    if !K::of(held).is_some_and(|now| Arc::ptr_eq(now, old)) {
        return Ok(false);
    }
    let before = std::mem::replace(held, K::hold(object));
    drop(places);
    drop(before);
    Ok(true)
}

/// Gives a handle up. `false` for one that was given up before.
pub(crate) fn remove<K: Kind>(handle: SecHandle) -> Result<bool, Code> {
    let parts = Parts::of::<K>(handle)?;
    let mut places = places(parts.shard)?.lock();
    let slot = places.slots.get_mut(parts.slot).ok_or(Code::INVALID_HANDLE)?;
    if slot.handle != handle {
        // Given up before, if it ever was one.
        let is_old = parts.uses < slot.uses() && parts.handle::<K>() == handle;
        return if is_old { Ok(false) } else { Err(Code::INVALID_HANDLE) };
    }
    let held = slot.held.take();
    // A place whose count is at its end is not used again: its old handles stay stale.
    if held.is_some() && slot.uses() < u32::MAX {
        places.free.push(parts.slot);
    }
    // What it was is dropped when the lock is free again: others may wait for it.
    drop(places);
    Ok(held.is_some())
}

/// Drops every object; their handles are stale then.
pub(crate) fn forget_all() {
    for shard in &PLACES {
        let shard = std::mem::replace(&mut *shard.lock(), Shard { slots: Vec::new(), free: Vec::new() });
        drop(shard);
    }
}

/// Takes the locks of all places, and of all contexts.
///
/// # Safety
/// This thread holds none of the library's locks.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe {
        PLACES.iter().for_each(|shard| shard.take());
        each_context(|context| context.take_locks());
    }
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe {
        each_context(|context| context.release_locks());
        PLACES.iter().for_each(|shard| shard.release());
    }
}

/// # Safety
/// This thread holds the locks of all places.
unsafe fn each_context(mut visit: impl FnMut(&Context)) {
    for shard in &PLACES {
        // SAFETY: as the caller says.
        let shard = unsafe { shard.held() };
        for slot in &shard.slots {
            if let Some(Held::Context(context)) = &slot.held {
                visit(context);
            }
        }
    }
}

/// The handle of a kind whose count of uses is not known: of its place, in its present use.
pub(crate) fn whole<K: Kind>(lower: usize, mark: usize) -> Result<SecHandle, Code> {
    let parts = Parts::of::<K>(SecHandle { dwLower: lower, dwUpper: 0 })?;
    let places = places(parts.shard)?.lock();
    let handle = places.slots.get(parts.slot).map(|slot| slot.handle);
    handle.filter(|of| of.dwLower == lower && of.dwUpper & 0xffff_ffff == mark).ok_or(Code::INVALID_HANDLE)
}
