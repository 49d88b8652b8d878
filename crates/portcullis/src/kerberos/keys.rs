use super::crypto::{ChecksumKey, Cipher, Enctype, Key};
use portcullis_wire::kerberos::{
    CcachePrincipal, EncryptionKey, Keytab, KeytabEntry, PrincipalName, encode_principal_name, unparse,
};
use portcullis_wire::utf16;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// A long-term key of a service, with what is derived from it once.
#[derive(Debug)]
pub struct ServiceKey {
    /// The principal, with its realm: `HTTP/web.example@EXAMPLE`.
    pub principal: String,
    /// The key's version; zero fits every ticket.
    pub kvno: u32,
    /// When the key was made, in seconds since 1970; zero when nobody wrote it down.
    pub timestamp: u32,
    name: Vec<u8>,
    realm: Vec<u8>,
    key: Key,
    id: [u8; 16],
    ticket: Cipher,
    pac: ChecksumKey,
}

/// RFC 4120 §7.5.1: a ticket under a service's key.
const USAGE_TICKET: u32 = 2;
/// MS-PAC 2.8: KERB_NON_KERB_CKSUM_SALT.
const USAGE_PAC: u32 = 17;

impl ServiceKey {
    /// The key of a keytab's entry; `None` for an enctype that this library does not have, a length that does not fit
    /// it, or a principal of the KDC itself (`krbtgt`), which is never a service.
    pub fn of_entry(entry: &KeytabEntry<'_>) -> Option<Self> {
        let components: Vec<_> = entry.components().collect();
        let key = Key::new(Enctype::from_number(entry.etype)?, entry.key)?;
        let held = Self::new(entry.name_type, &components, entry.realm, key)?;
        Some(Self { kvno: entry.kvno, timestamp: entry.timestamp, ..held })
    }

    /// The session key of a ticket-granting ticket as a key of its owner: what user-to-user tickets are under.
    pub(super) fn of_session(owner: &CcachePrincipal<'_>, key: &EncryptionKey<'_>) -> Option<Self> {
        let key = Key::new(Enctype::from_number(key.etype)?, key.value)?;
        Self::new(owner.name_type, &owner.components().collect::<Vec<_>>(), owner.realm, key)
    }

    fn new(name_type: i32, components: &[&[u8]], realm: &[u8], key: Key) -> Option<Self> {
        if is_ticket_granting(components.first().copied()) {
            return None;
        }
        let name = encode_principal_name(name_type, components);
        let mut principal = String::new();
        unparse(&PrincipalName::from_encoded(&name).ok()?, realm, &mut principal);
        let digest = Sha256::new_with_prefix(b"portcullis: which key opened a ticket\0")
            .chain_update(key.enctype().number().to_le_bytes())
            .chain_update(key.bytes())
            .finalize();
        Some(Self {
            principal,
            kvno: 0,
            timestamp: 0,
            realm: realm.to_vec(),
            id: *digest.first_chunk()?,
            ticket: key.cipher(USAGE_TICKET),
            pac: key.checksum(USAGE_PAC),
            name,
            key,
        })
    }

    /// The key's enctype.
    pub fn enctype(&self) -> Enctype {
        self.key.enctype()
    }

    /// What the key is known by where it must not be seen: equal for the same key under several principals.
    pub(super) fn id(&self) -> [u8; 16] {
        self.id
    }

    pub(super) fn ticket(&self) -> &Cipher {
        &self.ticket
    }

    pub(super) fn pac(&self) -> &ChecksumKey {
        &self.pac
    }

    /// Whether both are one version of one principal's key of one enctype, and the same key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.kvno == other.kvno && self.principal == other.principal
    }

    /// Whether the ticket names this key's principal: case does not count (MS-KILE 3.4.5).
    pub(super) fn is_named(&self, realm: &[u8], name: &PrincipalName<'_>) -> bool {
        let same =
            |a: &[u8], b: &[u8]| a == b || utf16::same_name(&String::from_utf8_lossy(a), &String::from_utf8_lossy(b));
        PrincipalName::from_encoded(&self.name).is_ok_and(|own| {
            same(realm, &self.realm)
                && own.components().count() == name.components().count()
                && own.components().zip(name.components()).all(|(a, b)| same(a, b))
        })
    }
}

/// Whether a name's first component makes it the KDC's own (RFC 4120 §7.3).
pub(super) fn is_ticket_granting(first: Option<&[u8]>) -> bool {
    first.is_some_and(|first| first.eq_ignore_ascii_case(b"krbtgt"))
}

/// The keys of services, as an authority holds them: a snapshot that is replaced and never changed.
///
/// ```
/// use portcullis::kerberos::ServiceKeys;
/// // A keytab of version 2 without an entry.
/// assert!(ServiceKeys::from_keytab(&[5, 2]).unwrap().keys().is_empty());
/// assert!(ServiceKeys::from_keytab(b"no keytab").is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct ServiceKeys {
    keys: Vec<Arc<ServiceKey>>,
}

/// A file that is no keytab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadKeytab(portcullis_wire::Error);

impl fmt::Display for BadKeytab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a keytab: {}", self.0)
    }
}

impl std::error::Error for BadKeytab {}

/// The most keys that are tried on one ticket.
const MOST_TRIED: usize = 16;

/// The most keys that a detail names.
const MOST_NAMED: usize = 12;

impl ServiceKeys {
    /// The keys of a keytab's bytes. Entries that cannot be used ([`ServiceKey::of_entry`]) are left out.
    ///
    /// # Errors
    /// When it is no keytab, or ends inside an entry.
    pub fn from_keytab(bytes: &[u8]) -> Result<Self, BadKeytab> {
        let mut keys = Vec::new();
        for entry in Keytab::decode(bytes).map_err(BadKeytab)?.entries() {
            keys.extend(ServiceKey::of_entry(&entry.map_err(BadKeytab)?).map(Arc::new));
        }
        Ok(Self { keys })
    }

    /// These keys. Of the same ones the first counts.
    pub fn new(keys: impl IntoIterator<Item = Arc<ServiceKey>>) -> Self {
        let mut held: Vec<Arc<ServiceKey>> = Vec::new();
        for key in keys {
            if !held.iter().any(|other| other.is_same(&key)) {
                held.push(key);
            }
        }
        Self { keys: held }
    }

    /// Every key, in the keytab's order.
    pub fn keys(&self) -> &[Arc<ServiceKey>] {
        &self.keys
    }

    /// The keys that may open a ticket of this service, version and enctype, the likeliest first.
    pub(super) fn candidates(
        &self,
        realm: &[u8],
        name: &PrincipalName<'_>,
        kvno: Option<u32>,
        enctype: Enctype,
    ) -> impl Iterator<Item = &ServiceKey> {
        // A ticket without a version, and a key of version zero, fit everything.
        let fits = move |key: &ServiceKey| kvno.is_none_or(|kvno| kvno == 0 || key.kvno == 0 || key.kvno == kvno);
        let mut found: Vec<_> = self
            .keys
            .iter()
            .filter(|key| key.enctype() == enctype)
            .map(|key| (!key.is_named(realm, name), !fits(key), u32::MAX - key.kvno, key.as_ref()))
            .collect();
        found.sort_by_key(|(other_name, other_version, age, _)| (*other_name, *other_version, *age));
        // One key under many names is one key to try, under the likeliest name.
        let mut seen: Vec<[u8; 16]> = Vec::new();
        found
            .into_iter()
            .map(|(_, _, _, key)| key)
            .filter(move |key| {
                !seen.contains(&key.id()) && {
                    seen.push(key.id());
                    true
                }
            })
            .take(MOST_TRIED)
    }

    /// The entries that hold the same key, this one first: one account's key stands under each of its services' names,
    /// and which of them the ticket names nobody can prove.
    pub(super) fn same<'k>(&'k self, key: &'k ServiceKey) -> impl Iterator<Item = &'k ServiceKey> {
        std::iter::once(key).chain(self.keys.iter().map(AsRef::as_ref).filter(|other| other.id == key.id))
    }

    /// Whether a key of the service is held.
    pub(super) fn names(&self, realm: &[u8], name: &PrincipalName<'_>) -> bool {
        self.keys.iter().any(|key| key.is_named(realm, name))
    }

    /// What is held, for the operator.
    pub(super) fn held(&self, realm: &[u8], name: &PrincipalName<'_>) -> String {
        let mut named: Vec<_> = self.keys.iter().filter(|key| key.is_named(realm, name)).collect();
        if named.is_empty() {
            named = self.keys.iter().collect();
        }
        let mut text = String::new();
        for key in named.iter().take(MOST_NAMED) {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{} kvno {} {}", key.principal, key.kvno, key.enctype().name());
        }
        match named.len().checked_sub(MOST_NAMED) {
            None | Some(0) if text.is_empty() => "nothing".to_owned(),
            None | Some(0) => text,
            Some(more) => format!("{text} and {more} more"),
        }
    }
}
