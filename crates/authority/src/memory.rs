use crate::lockout::{Counter, Counters};
use crate::moment::{duration_ms, from_ms, to_ms};
use crate::{
    AccountEdit, AccountEntry, AccountKey, AddressKey, Attempt, CertificateMapping, Domain, DomainNames, Found, Gate,
    GroupEntry, KeyId, LockEntry, LockoutPolicy, Lookup, MAX_GROUPS, Member, NewEntry, Policy, Rotation, Sealed, Store,
    StoreError,
};
use portcullis::Group;
use portcullis_wire::utf16::{same_name, upper_string};
use portcullis_wire::x509::Form;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

/// A store that lives as long as the process: for tests and for hosts that bring their accounts with them.
#[derive(Debug, Default)]
pub struct Memory {
    state: RwLock<Option<State>>,
    counters: RwLock<BTreeMap<(AccountKey, AddressKey), Kept>>,
}

#[derive(Debug)]
struct State {
    domain: Domain,
    policy: Policy,
    key: KeyId,
    next_rid: u32,
    accounts: BTreeMap<u32, Found>,
    groups: BTreeMap<u32, GroupEntry>,
    /// Group, member.
    memberships: BTreeSet<(u32, u32)>,
    /// Form and key; the account.
    mappings: BTreeMap<(Form, Vec<u8>), (u32, CertificateMapping)>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    counter: Counter,
    ends: i64,
}

/// When so many counters are kept, those that have ended are swept out, and if that does not do, those that end first.
const MANY_COUNTERS: usize = 100_000;

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, work: impl FnOnce(&State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let state: RwLockReadGuard<'_, _> = self.state.read().unwrap_or_else(PoisonError::into_inner);
        work(state.as_ref().ok_or(StoreError::Empty)?)
    }

    fn write<T>(&self, work: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state: RwLockWriteGuard<'_, _> = self.state.write().unwrap_or_else(PoisonError::into_inner);
        work(state.as_mut().ok_or(StoreError::Empty)?)
    }
}

impl State {
    fn by_name(&self, name: &str) -> Option<&Found> {
        self.accounts.values().find(|found| same_name(&found.account.name, name))
    }

    fn name_is_free(&self, name: &str) -> Result<(), StoreError> {
        let group = self.groups.values().any(|group| same_name(&group.name, name));
        if group || self.by_name(name).is_some() { Err(StoreError::NameTaken(name.to_owned())) } else { Ok(()) }
    }

    fn upn_is_free(&self, upn: Option<&str>, rid: u32) -> Result<(), StoreError> {
        let Some(upn) = upn else { return Ok(()) };
        let same = |found: &&Found| {
            found.account.rid != rid && found.account.upn.as_deref().is_some_and(|u| same_name(u, upn))
        };
        match self.accounts.values().find(same) {
            Some(_) => Err(StoreError::UpnTaken(upn.to_owned())),
            None => Ok(()),
        }
    }

    fn group_is_there(&self, rid: u32) -> Result<(), StoreError> {
        match self.groups.contains_key(&rid) {
            _ if rid == GroupEntry::DOMAIN_USERS => Err(StoreError::BuiltIn),
            true => Ok(()),
            false => Err(StoreError::NoSuchGroup),
        }
    }

    fn account(&mut self, rid: u32) -> Result<&mut Found, StoreError> {
        self.accounts.get_mut(&rid).ok_or(StoreError::NoSuchAccount)
    }

    fn add(&mut self, new: &NewEntry) -> Result<(), StoreError> {
        self.name_is_free(&new.account.name)?;
        self.upn_is_free(new.account.upn.as_deref(), new.account.rid)?;
        if new.sealed.as_ref().is_some_and(|sealed| sealed.key != self.key) {
            return Err(StoreError::StaleKey);
        }
        for group in new.groups.iter().filter(|group| **group != GroupEntry::DOMAIN_USERS) {
            self.group_is_there(*group)?;
            self.memberships.insert((*group, new.account.rid));
        }
        let found = Found { account: new.account.clone(), sealed: new.sealed.clone() };
        self.accounts.insert(new.account.rid, found);
        Ok(())
    }

    fn forget_member(&mut self, rid: u32) {
        self.memberships.retain(|(group, member)| *group != rid && *member != rid);
    }
}

impl Store for Memory {
    fn domain(&self) -> Result<Domain, StoreError> {
        self.read(|state| Ok(state.domain.clone()))
    }

    fn create_domain(&self, domain: &Domain, key: KeyId) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.is_some() {
            return Err(StoreError::Exists);
        }
        let users = GroupEntry::domain_users(&domain.sid).ok_or(StoreError::NoMoreRids)?;
        *state = Some(State {
            domain: domain.clone(),
            policy: Policy::default(),
            key,
            next_rid: GroupEntry::FIRST_RID,
            accounts: BTreeMap::new(),
            groups: BTreeMap::from([(users.rid, users)]),
            memberships: BTreeSet::new(),
            mappings: BTreeMap::new(),
        });
        Ok(())
    }

    fn rename_domain(&self, names: &DomainNames) -> Result<(), StoreError> {
        self.write(|state| {
            state.domain.names = names.clone();
            Ok(())
        })
    }

    fn policy(&self) -> Result<Policy, StoreError> {
        self.read(|state| Ok(state.policy.clone()))
    }

    fn set_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        self.write(|state| {
            state.policy = policy.clone();
            Ok(())
        })
    }

    fn find(&self, name: Lookup<'_>) -> Result<Option<Found>, StoreError> {
        self.read(|state| {
            let found = match name {
                Lookup::Name(name) => state.by_name(name),
                Lookup::Upn(upn) => {
                    let same = |found: &&Found| found.account.upn.as_deref().is_some_and(|ours| same_name(ours, upn));
                    state.accounts.values().find(same)
                }
                Lookup::Rid(rid) => state.accounts.get(&rid),
            };
            Ok(found.cloned())
        })
    }

    fn mapped(&self, mapping: &CertificateMapping) -> Result<Option<u32>, StoreError> {
        self.read(|state| Ok(state.mappings.get(&place(mapping)).map(|(rid, _)| *rid)))
    }

    fn serves_suffix(&self, suffix: &str) -> Result<bool, StoreError> {
        let ends = |upn: &str| upn.rsplit_once('@').is_some_and(|(_, ours)| same_name(ours, suffix));
        self.read(|state| Ok(state.accounts.values().any(|found| found.account.upn.as_deref().is_some_and(ends))))
    }

    fn groups_of(&self, rid: u32) -> Result<Vec<Group>, StoreError> {
        self.read(|state| {
            let mut inside = BTreeSet::from([GroupEntry::DOMAIN_USERS]);
            let mut waiting = VecDeque::from([rid, GroupEntry::DOMAIN_USERS]);
            while let Some(member) = waiting.pop_front() {
                let direct = state.memberships.iter().filter(|(_, inner)| *inner == member).map(|(group, _)| *group);
                waiting.extend(direct.filter(|group| inside.insert(*group)));
            }
            let first = state.groups.get(&GroupEntry::DOMAIN_USERS);
            let rest = inside.iter().filter(|rid| **rid != GroupEntry::DOMAIN_USERS);
            let groups = first.into_iter().chain(rest.filter_map(|rid| state.groups.get(rid)));
            Ok(groups.take(MAX_GROUPS).map(|group| Group { sid: group.sid, name: group.name.clone() }).collect())
        })
    }

    fn gate(&self, attempt: &Attempt, now: SystemTime) -> Result<Gate, StoreError> {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        Ok(three(&counters, attempt).gate(attempt, to_ms(now)))
    }

    fn count_failure(&self, attempt: &Attempt, now: SystemTime, policy: &LockoutPolicy) -> Result<Gate, StoreError> {
        let now = to_ms(now);
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        let before = three(&counters, attempt);
        let gate = before.gate(attempt, now);
        if !matches!(gate, Gate::Open { .. }) {
            return Ok(gate);
        }
        let after = before.fail(attempt, now, policy);
        let window = duration_ms(policy.window);
        for (key, counter) in keys(attempt).into_iter().zip([after.here, after.everywhere, after.address]) {
            if let Some(counter) = counter {
                counters.insert(key, Kept { counter, ends: counter.ends(window) });
            }
        }
        if counters.len() > MANY_COUNTERS {
            sweep(&mut counters, now);
        }
        Ok(gate)
    }

    fn forget_failures(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&(attempt.account, attempt.address.clone()));
        Ok(())
    }

    fn note_logon(&self, rid: u32, now: SystemTime) -> Result<(), StoreError> {
        self.write(|state| {
            state.account(rid)?.account.last_logon = Some(from_ms(to_ms(now)));
            Ok(())
        })
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn reserve_rids(&self, count: u32) -> Result<u32, StoreError> {
        self.write(|state| {
            let first = state.next_rid;
            state.next_rid = first.checked_add(count).filter(|next| *next <= MAX_RID).ok_or(StoreError::NoMoreRids)?;
            Ok(first)
        })
    }

    fn add_accounts(&self, accounts: &[NewEntry]) -> Result<(), StoreError> {
        self.write(|state| {
            let before = (state.accounts.clone(), state.memberships.clone());
            let added = accounts.iter().try_for_each(|new| state.add(new));
            if added.is_err() {
                (state.accounts, state.memberships) = before;
            }
            added
        })
    }

    fn edit_account(&self, rid: u32, edit: AccountEdit) -> Result<AccountEntry, StoreError> {
        self.write(|state| {
            state.upn_is_free(edit.upn.as_ref().and_then(Option::as_deref), rid)?;
            let account = &mut state.account(rid)?.account;
            edit.apply(account);
            Ok(account.clone())
        })
    }

    fn set_secret(&self, rid: u32, sealed: &Sealed, now: SystemTime, must_change: bool) -> Result<(), StoreError> {
        self.write(|state| {
            if sealed.key != state.key {
                return Err(StoreError::StaleKey);
            }
            let found = state.account(rid)?;
            found.sealed = Some(sealed.clone());
            found.account.password_set = Some(from_ms(to_ms(now)));
            found.account.must_change = must_change;
            Ok(())
        })
    }

    fn remove_account(&self, rid: u32) -> Result<(), StoreError> {
        self.write(|state| {
            state.accounts.remove(&rid).ok_or(StoreError::NoSuchAccount)?;
            state.forget_member(rid);
            state.mappings.retain(|_, (owner, _)| *owner != rid);
            Ok(())
        })
    }

    fn accounts(&self) -> Result<Vec<AccountEntry>, StoreError> {
        self.read(|state| {
            let mut accounts: Vec<_> = state.accounts.values().map(|found| found.account.clone()).collect();
            accounts.sort_by_cached_key(|account| upper_string(&account.name));
            Ok(accounts)
        })
    }

    fn locks(&self, account: AccountKey, now: SystemTime) -> Result<Vec<LockEntry>, StoreError> {
        let now = to_ms(now);
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let own = counters.iter().filter(|((key, _), kept)| *key == account && kept.ends > now);
        Ok(own.map(|((_, address), kept)| LockEntry::of(address.as_str(), kept.counter, now)).collect())
    }

    fn unlock(&self, account: AccountKey) -> Result<usize, StoreError> {
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        let before = counters.len();
        counters.retain(|(key, _), _| *key != account);
        Ok(before - counters.len())
    }

    fn add_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
        self.write(|state| {
            state.account(rid)?;
            match state.mappings.get(&place(mapping)).map(|(owner, _)| *owner) {
                Some(owner) if owner == rid => Ok(false),
                Some(owner) => {
                    let account = state.account(owner)?.account.name.clone();
                    Err(StoreError::MappingTaken { identity: mapping.text.clone(), account })
                }
                None => {
                    let mapping = CertificateMapping { created: from_ms(to_ms(mapping.created)), ..mapping.clone() };
                    state.mappings.insert(place(&mapping), (rid, mapping));
                    Ok(true)
                }
            }
        })
    }

    fn remove_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
        self.write(|state| {
            let place = place(mapping);
            let is_there = state.mappings.get(&place).is_some_and(|(owner, _)| *owner == rid);
            Ok(is_there && state.mappings.remove(&place).is_some())
        })
    }

    fn mappings(&self, rid: u32) -> Result<Vec<CertificateMapping>, StoreError> {
        self.read(|state| {
            let own = state.mappings.values().filter(|(owner, _)| *owner == rid);
            let mut mappings: Vec<_> = own.map(|(_, mapping)| mapping.clone()).collect();
            mappings.sort_by(|a, b| (a.form, &a.text).cmp(&(b.form, &b.text)));
            Ok(mappings)
        })
    }

    fn add_group(&self, group: &GroupEntry) -> Result<(), StoreError> {
        self.write(|state| {
            state.name_is_free(&group.name)?;
            state.groups.insert(group.rid, group.clone());
            Ok(())
        })
    }

    fn remove_group(&self, rid: u32) -> Result<(), StoreError> {
        self.write(|state| {
            state.group_is_there(rid)?;
            state.groups.remove(&rid);
            state.forget_member(rid);
            Ok(())
        })
    }

    fn group(&self, name: &str) -> Result<Option<GroupEntry>, StoreError> {
        self.read(|state| Ok(state.groups.values().find(|group| same_name(&group.name, name)).cloned()))
    }

    fn groups(&self) -> Result<Vec<GroupEntry>, StoreError> {
        self.read(|state| {
            let mut groups: Vec<_> = state.groups.values().cloned().collect();
            groups.sort_by_cached_key(|group| upper_string(&group.name));
            Ok(groups)
        })
    }

    fn members(&self, group: u32) -> Result<Vec<Member>, StoreError> {
        self.read(|state| {
            let rids = state.memberships.iter().filter(|(outer, _)| *outer == group).map(|(_, member)| *member);
            let member = |rid| match (state.accounts.get(&rid), state.groups.get(&rid)) {
                (Some(found), _) => Some(Member { rid, name: found.account.name.clone(), is_group: false }),
                (_, Some(group)) => Some(Member { rid, name: group.name.clone(), is_group: true }),
                _ => None,
            };
            let mut members: Vec<_> = rids.filter_map(member).collect();
            members.sort_by_cached_key(|member| upper_string(&member.name));
            Ok(members)
        })
    }

    fn add_member(&self, group: u32, member: u32) -> Result<bool, StoreError> {
        self.write(|state| {
            state.group_is_there(group)?;
            if !state.accounts.contains_key(&member) && !state.groups.contains_key(&member) {
                return Err(StoreError::NoSuchMember);
            }
            Ok(state.memberships.insert((group, member)))
        })
    }

    fn remove_member(&self, group: u32, member: u32) -> Result<bool, StoreError> {
        self.write(|state| {
            state.group_is_there(group)?;
            Ok(state.memberships.remove(&(group, member)))
        })
    }

    fn key_id(&self) -> Result<KeyId, StoreError> {
        self.read(|state| Ok(state.key))
    }

    fn reseal(&self, rotation: &mut dyn Rotation) -> Result<u64, StoreError> {
        self.write(|state| {
            let key = rotation.choose(state.key)?;
            if key == state.key {
                return Ok(0);
            }
            let mut fresh = BTreeMap::new();
            for (rid, found) in &state.accounts {
                if let Some(sealed) = &found.sealed {
                    fresh.insert(*rid, rotation.reseal(&found.account.sid, sealed)?);
                }
            }
            let count = fresh.len();
            for (rid, sealed) in fresh {
                state.account(rid)?.sealed = Some(sealed);
            }
            state.key = key;
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
    }
}

fn place(mapping: &CertificateMapping) -> (Form, Vec<u8>) {
    (mapping.form, mapping.key.clone())
}

/// Relative ids fit 30 bits, as in Windows.
pub(crate) const MAX_RID: u32 = 1 << 30;

fn keys(attempt: &Attempt) -> [(AccountKey, AddressKey); 3] {
    let (account, address) = (attempt.account, attempt.address.clone());
    [(account, address.clone()), (account, AddressKey::any()), (AccountKey::ANY, address)]
}

fn three(counters: &BTreeMap<(AccountKey, AddressKey), Kept>, attempt: &Attempt) -> Counters {
    let [here, everywhere, address] = keys(attempt).map(|key| counters.get(&key).map(|kept| kept.counter));
    Counters { here, everywhere, address }
}

fn sweep(counters: &mut BTreeMap<(AccountKey, AddressKey), Kept>, now: i64) {
    counters.retain(|_, kept| kept.ends > now);
    if counters.len() > MANY_COUNTERS {
        let mut ends: Vec<i64> = counters.values().map(|kept| kept.ends).collect();
        let (_, middle, _) = ends.select_nth_unstable(MANY_COUNTERS / 2);
        let middle = *middle;
        counters.retain(|_, kept| kept.ends > middle);
    }
}
