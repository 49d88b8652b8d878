//! What is out: certificate contexts by their addresses; stores, providers and keys by handles that nobody can guess. A
//! pointer or handle that is not here is refused and never followed.
//!
//! A context lives as long as a caller holds it or its store does; a store, as long as it is open or a caller holds one of
//! its contexts. So a context may be freed alone, and the store that it names goes with it.

use super::fault::Fault;
use super::key::Key;
use super::layout::{CertContext, EXCHANGE, SIGNATURE};
use super::property::Properties;
use super::shown::Shown;
use crate::fork;
use crate::lock::{Guard, Lock};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock};

pub(crate) struct Registry {
    contexts: BTreeMap<usize, Entry>,
    stores: BTreeMap<usize, Store>,
    providers: BTreeMap<usize, Provider>,
    keys: BTreeMap<usize, Arc<Key>>,
    /// Key containers with names: they stay until they are deleted.
    pub(crate) containers: BTreeMap<String, Container>,
    /// How many objects there ever were.
    made: u64,
}

/// A certificate that callers may have.
pub(crate) struct Entry {
    pub(crate) shown: Shown,
    /// How often it is to be freed yet.
    held: usize,
    /// The store that it is or was in; zero for none.
    pub(crate) store: usize,
    /// Its place among those of its store.
    number: u64,
    /// Certificates that were given with it: whoever issued it, and so on.
    pub(crate) issuers: Arc<[Vec<u8>]>,
    pub(crate) properties: Properties,
}

/// What a new entry is made of.
pub(crate) struct Given<'g> {
    pub(crate) encoded: &'g [u8],
    pub(crate) issuers: Arc<[Vec<u8>]>,
    pub(crate) properties: Properties,
}

impl<'g> Given<'g> {
    /// A certificate and nothing else.
    pub(crate) fn bare(encoded: &'g [u8]) -> Self {
        Self { encoded, issuers: Arc::default(), properties: Properties::default() }
    }
}

#[derive(Default)]
struct Store {
    opened: usize,
    /// How often contexts of it are to be freed yet, those that were taken out of it with them.
    out: usize,
    /// Its contexts by their numbers.
    members: BTreeMap<u64, usize>,
}

/// Where CryptoAPI keeps keys: one to decrypt with, one to sign.
#[derive(Default)]
pub(crate) struct Container {
    exchange: Option<Arc<Key>>,
    signature: Option<Arc<Key>>,
}

impl Container {
    pub(crate) fn key(&self, spec: u32) -> Option<&Arc<Key>> {
        match spec {
            EXCHANGE => self.exchange.as_ref(),
            SIGNATURE => self.signature.as_ref(),
            _ => None,
        }
    }

    fn put(&mut self, spec: u32, key: Arc<Key>) {
        match spec {
            SIGNATURE => self.signature = Some(key),
            _ => self.exchange = Some(key),
        }
    }
}

/// What a HCRYPTPROV stands for.
pub(crate) enum Provider {
    /// The container of this name.
    Named(String),
    /// One of its own, which goes with it.
    Alone(Container),
}

static REGISTRY: Lock<Registry> = Lock::new(Registry::new());

/// The registry, for one thread at a time. Nothing is logged and no other lock taken meanwhile.
pub(crate) fn registry() -> Guard<'static, Registry> {
    fork::prepare();
    REGISTRY.lock()
}

impl Registry {
    const fn new() -> Self {
        Self {
            contexts: BTreeMap::new(),
            stores: BTreeMap::new(),
            providers: BTreeMap::new(),
            keys: BTreeMap::new(),
            containers: BTreeMap::new(),
            made: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A handle that never was one before: a count, under bits that only this process can compute.
    fn handle(&mut self) -> usize {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let number = self.next();
        let mark = KEY.get_or_init(RandomState::new).hash_one(number);
        // Neither zero, INVALID_HANDLE_VALUE nor an aligned pointer.
        ((mark << 32) | (number << 4 & 0xffff_ffff) | 5) as usize
    }

    /// A context that a caller holds.
    pub(crate) fn context(&self, context: *const CertContext) -> Result<&Entry, Fault> {
        self.contexts.get(&context.addr()).filter(|entry| entry.held > 0).ok_or(Fault::INVALID_HANDLE)
    }

    pub(crate) fn context_mut(&mut self, context: *const CertContext) -> Result<&mut Entry, Fault> {
        self.contexts.get_mut(&context.addr()).filter(|entry| entry.held > 0).ok_or(Fault::INVALID_HANDLE)
    }

    /// Every context, whoever has it.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.contexts.values()
    }

    /// A new context of no store (zero) or of this one; nobody holds it yet.
    pub(crate) fn insert(&mut self, store: usize, given: Given<'_>) -> Result<*const CertContext, Fault> {
        if store != 0 && !self.stores.contains_key(&store) {
            return Err(Fault::INVALID_HANDLE);
        }
        let shown = Shown::new(given.encoded, store)?;
        let (pointer, number) = (shown.pointer(), self.next());
        if let Some(store) = self.stores.get_mut(&store) {
            store.members.insert(number, pointer.addr());
        }
        let Given { issuers, properties, .. } = given;
        self.contexts.insert(pointer.addr(), Entry { shown, held: 0, store, number, issuers, properties });
        Ok(pointer)
    }

    /// Once more to be freed.
    pub(crate) fn hold(&mut self, context: *const CertContext) -> *const CertContext {
        if let Some(entry) = self.contexts.get_mut(&context.addr()) {
            entry.held += 1;
            if let Some(store) = self.stores.get_mut(&entry.store) {
                store.out += 1;
            }
        }
        context
    }

    /// Once less.
    pub(crate) fn release(&mut self, context: *const CertContext) -> Result<(), Fault> {
        let entry = self.context_mut(context)?;
        entry.held -= 1;
        let (left, store) = (entry.held, entry.store);
        if let Some(store) = self.stores.get_mut(&store) {
            store.out -= 1;
        }
        if left == 0 {
            self.settle(context.addr(), store);
        }
        Ok(())
    }

    /// Drops what nobody has any more.
    fn settle(&mut self, context: usize, store: usize) {
        let is_member = |store: &Store, entry: &Entry| store.members.contains_key(&entry.number);
        let entry = self.contexts.get(&context);
        let stays = entry.is_some_and(|entry| {
            entry.held > 0 || self.stores.get(&store).is_some_and(|store| is_member(store, entry))
        });
        if !stays {
            self.drop_context(context);
        }
        self.settle_store(store);
    }

    fn settle_store(&mut self, handle: usize) {
        if self.stores.get(&handle).is_none_or(|store| store.opened > 0 || store.out > 0) {
            return;
        }
        let members = self.stores.remove(&handle).map(|store| store.members).unwrap_or_default();
        members.into_values().for_each(|member| self.drop_context(member));
    }

    fn drop_context(&mut self, context: usize) {
        let owned = self.contexts.remove(&context).and_then(|entry| entry.properties.owned_provider());
        if let Some(provider) = owned {
            self.providers.remove(&provider);
        }
    }

    /// A new store.
    pub(crate) fn open_store(&mut self, opened: usize) -> usize {
        let handle = self.handle();
        self.stores.insert(handle, Store { opened, ..Store::default() });
        handle
    }

    pub(crate) fn duplicate_store(&mut self, handle: usize) -> Result<(), Fault> {
        let store = self.stores.get_mut(&handle).ok_or(Fault::INVALID_HANDLE)?;
        store.opened += 1;
        Ok(())
    }

    /// Closes it once. `force` closes it for all; contexts that callers hold stay. Says whether there are such.
    pub(crate) fn close_store(&mut self, handle: usize, force: bool) -> Result<bool, Fault> {
        let store = self.stores.get_mut(&handle).filter(|store| store.opened > 0).ok_or(Fault::INVALID_HANDLE)?;
        store.opened = if force { 0 } else { store.opened - 1 };
        let pending = store.opened == 0 && store.out > 0;
        self.settle_store(handle);
        Ok(pending)
    }

    /// The certificates of a store behind that of `after`, in their order; all for none.
    pub(crate) fn members(
        &self,
        store: usize,
        after: *const CertContext,
    ) -> Result<impl Iterator<Item = &Entry>, Fault> {
        let members = &self.stores.get(&store).ok_or(Fault::INVALID_HANDLE)?.members;
        let first = if after.is_null() {
            0
        } else {
            let of_it = self.context(after).ok().filter(|entry| entry.store == store);
            of_it.ok_or(Fault::INVALID_ARGUMENT)?.number + 1
        };
        Ok(members.range(first..).filter_map(|(_, member)| self.contexts.get(member)))
    }

    /// Takes a context out of its store; whoever holds it goes on.
    pub(crate) fn take_out(&mut self, context: *const CertContext) {
        let Some(entry) = self.contexts.get(&context.addr()) else { return };
        let (number, store) = (entry.number, entry.store);
        if let Some(store) = self.stores.get_mut(&store) {
            store.members.remove(&number);
        }
        self.settle(context.addr(), store);
    }

    pub(crate) fn add_provider(&mut self, provider: Provider) -> usize {
        let handle = self.handle();
        self.providers.insert(handle, provider);
        handle
    }

    pub(crate) fn remove_provider(&mut self, handle: usize) -> Result<(), Fault> {
        self.providers.remove(&handle).map(drop).ok_or(Fault::INVALID_HANDLE)
    }

    /// The container that a provider's handle leads to.
    pub(crate) fn container(&self, provider: usize) -> Result<&Container, Fault> {
        match self.providers.get(&provider).ok_or(Fault::INVALID_HANDLE)? {
            Provider::Named(name) => self.containers.get(name).ok_or(Fault::BAD_KEYSET),
            Provider::Alone(container) => Ok(container),
        }
    }

    /// Puts a key into a provider's container; gives a handle of it.
    pub(crate) fn add_key(&mut self, provider: usize, spec: u32, key: Key) -> Result<usize, Fault> {
        let container = match self.providers.get_mut(&provider).ok_or(Fault::INVALID_HANDLE)? {
            Provider::Named(name) => self.containers.get_mut(name).ok_or(Fault::BAD_KEYSET)?,
            Provider::Alone(container) => container,
        };
        let key = Arc::new(key);
        container.put(spec, Arc::clone(&key));
        let handle = self.handle();
        self.keys.insert(handle, key);
        Ok(handle)
    }

    pub(crate) fn remove_key(&mut self, handle: usize) -> Result<(), Fault> {
        self.keys.remove(&handle).map(drop).ok_or(Fault::INVALID_HANDLE)
    }
}

/// Drops everything but what callers may still read: their contexts' memory, without keys and properties.
pub(crate) fn forget_all() {
    let registry = std::mem::replace(&mut *REGISTRY.lock(), Registry::new());
    for entry in registry.contexts.into_values() {
        if entry.held > 0 {
            std::mem::forget(entry.shown);
        }
    }
}

/// Takes the lock of this part.
///
/// # Safety
/// This thread does not hold it.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe { REGISTRY.take() }
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe { REGISTRY.release() }
}
