use crate::{DomainNames, SealError};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use md5::{Digest, Md5};
use portcullis::ntlm::keys::{EMPTY_NT_HASH, nt_hash};
use portcullis::{Secret, password};
use portcullis_wire::Reader;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What is kept of a password, made when it is set: everything that a later logon by any package can need, so that no
/// password must be set again when a package is switched on.
pub struct SecretRecord {
    nt_hash: Secret<[u8; 16]>,
    slow: Option<SlowHash>,
    digests: Option<Digests>,
}

impl SecretRecord {
    /// The record of a password. Takes some ten milliseconds and 19 MiB: the slow hash is slow on purpose.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`] when there is no salt.
    pub fn of_password(password: &str, owner: &Owner<'_>) -> Result<Self, SealError> {
        let slow = Some(SlowHash::of(password)?);
        Ok(Self { nt_hash: nt_hash(password), slow, digests: Some(Digests::of(password, owner)) })
    }

    /// The record of an imported NT hash. It serves NTLM and plain passwords; Digest needs a password to be set.
    pub fn of_nt_hash(nt_hash: Secret<[u8; 16]>) -> Self {
        Self { nt_hash, slow: None, digests: None }
    }

    /// The NT hash.
    pub fn nt_hash(&self) -> &Secret<[u8; 16]> {
        &self.nt_hash
    }

    /// Whether the password is the empty one, with which nobody may log on.
    pub fn is_empty_password(&self) -> bool {
        self.nt_hash.expose().ct_eq(&EMPTY_NT_HASH).into()
    }

    /// Compares a plain password; `None` when it does not fit. The work is the same for every record and every password
    /// of one length: an imported NT hash is compared beside a slow hash that counts for nothing.
    pub fn verify_password(&self, given: &str) -> Option<password::Verified> {
        self.verify_password_in(given, &mut SlowMemory::default())
    }

    /// The same, with memory that is used again.
    pub(crate) fn verify_password_in(&self, given: &str, memory: &mut SlowMemory) -> Option<password::Verified> {
        let parameters = self.slow.as_ref().map_or(&SlowHash::PARAMETERS, |slow| &slow.parameters);
        let derived = SlowHash::derive(given, parameters, memory);
        let fast = password::verify(self.nt_hash.expose(), nt_hash(given).expose());
        match &self.slow {
            Some(slow) => password::verify(slow.hash.expose(), derived?.expose()),
            None => fast,
        }
        .filter(|_| !given.is_empty() && !self.is_empty_password())
    }

    /// H(A1) of one form for HTTP Digest (RFC 7616 §3.4.2) with MD5, over UTF-8; `None` when only an NT hash is known.
    pub fn digest_md5(&self, form: usize) -> Option<&[u8; 16]> {
        self.digests.as_ref()?.md5.expose().get(form)
    }

    /// H(A1) of one form with MD5 over ISO-8859-1, which clients that know no UTF-8 use (RFC 2831 §2.1.2.1); `None` when
    /// it is the same as over UTF-8, or cannot be written so.
    pub fn digest_md5_latin1(&self, form: usize) -> Option<&[u8; 16]> {
        self.digests.as_ref()?.md5_latin1.expose().get(form)
    }

    /// H(A1) of one form with SHA-256, over UTF-8; `None` when only an NT hash is known.
    pub fn digest_sha256(&self, form: usize) -> Option<&[u8; 32]> {
        self.digests.as_ref()?.sha256.expose().get(form)
    }

    /// The record as bytes: always of one length, so that sealing and opening take one time.
    pub(crate) fn encode(&self) -> Secret<Vec<u8>> {
        let mut out = Vec::with_capacity(LENGTH + ROOM_FOR_TAG);
        out.push(LAYOUT);
        out.extend_from_slice(self.nt_hash.expose());
        out.push(u8::from(self.slow.is_some()));
        if let Some(slow) = &self.slow {
            for number in [slow.parameters.memory_kib, slow.parameters.passes, slow.parameters.lanes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&slow.parameters.salt);
            out.extend_from_slice(slow.hash.expose());
        }
        let counts = self.digests.as_ref().map_or([0; 3], |digests| {
            [digests.md5.expose().len(), digests.md5_latin1.expose().len(), digests.sha256.expose().len()]
        });
        out.extend(counts.map(|count| u8::try_from(count).unwrap_or(0)));
        if let Some(digests) = &self.digests {
            out.extend_from_slice(digests.md5.expose().as_flattened());
            out.extend_from_slice(digests.md5_latin1.expose().as_flattened());
            out.extend_from_slice(digests.sha256.expose().as_flattened());
        }
        out.resize(LENGTH.max(out.len()), 0);
        Secret::new(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        read(&mut Reader::new(bytes)).map_err(|_| SealError::Damaged)
    }
}

impl std::fmt::Debug for SecretRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretRecord(…)")
    }
}

/// Whose password it is: H(A1) holds names.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The account's name.
    pub name: &'a str,
    /// Its user principal name, where it has one.
    pub upn: Option<&'a str>,
    /// Its domain.
    pub domain: &'a DomainNames,
}

impl Owner<'_> {
    /// The user and realm of each form, in the order of the primary:WDigest credentials of Active Directory (MS-SAMR
    /// 3.1.1.8.11.3.1): a client may write either name in any of these ways, and the hash covers what it wrote.
    pub fn digest_forms(&self) -> Vec<(String, String)> {
        let name = Spellings::of(self.name);
        let netbios = Spellings::of(&self.domain.netbios);
        let dns = Spellings::of(if self.domain.dns.is_empty() { &self.domain.netbios } else { &self.domain.dns });
        let upn = Spellings::of(&self.upn.map_or_else(|| format!("{}@{}", self.name, dns.typed), str::to_owned));
        let flat = Spellings::of(&format!("{}\\{}", self.domain.netbios, self.name));
        let mut forms = Vec::with_capacity(DIGEST_FORMS);
        for realm in [&netbios, &dns] {
            let pairs = [
                (&name.typed, &realm.typed),
                (&name.lower, &realm.lower),
                (&name.upper, &realm.upper),
                (&name.typed, &realm.upper),
                (&name.typed, &realm.lower),
                (&name.upper, &realm.lower),
                (&name.lower, &realm.upper),
            ];
            forms.extend(pairs.map(|(user, realm)| (user.clone(), realm.clone())));
        }
        for (user, realm) in [(&upn, ""), (&flat, ""), (&name, "Digest"), (&upn, "Digest"), (&flat, "Digest")] {
            forms.extend([&user.typed, &user.lower, &user.upper].map(|user| (user.clone(), realm.to_owned())));
        }
        forms
    }
}

/// How many forms [`Owner::digest_forms`] gives.
pub const DIGEST_FORMS: usize = 29;

struct Spellings {
    typed: String,
    lower: String,
    upper: String,
}

impl Spellings {
    fn of(text: &str) -> Self {
        let upper = portcullis_wire::utf16::upper_string(text);
        Self { typed: text.to_owned(), lower: text.to_lowercase(), upper }
    }
}

struct Digests {
    md5: Secret<Vec<[u8; 16]>>,
    md5_latin1: Secret<Vec<[u8; 16]>>,
    sha256: Secret<Vec<[u8; 32]>>,
}

impl Digests {
    fn of(password: &str, owner: &Owner<'_>) -> Self {
        let forms = owner.digest_forms();
        let (mut md5, mut sha256) = (Vec::with_capacity(forms.len()), Vec::with_capacity(forms.len()));
        let mut md5_latin1 = Vec::with_capacity(forms.len());
        let mut needs_latin1 = false;
        for (user, realm) in &forms {
            let a1 = Secret::new(format!("{user}:{realm}:{password}"));
            md5.push(Md5::digest(a1.expose()).into());
            sha256.push(Sha256::digest(a1.expose()).into());
            let latin1 = a1.expose().chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
            // What cannot be written so is hashed as UTF-8: the list keeps its order, and the entry says nothing new.
            let latin1 = Secret::new(latin1.unwrap_or_else(|_| a1.expose().as_bytes().to_vec()));
            needs_latin1 |= latin1.expose() != a1.expose().as_bytes();
            md5_latin1.push(Md5::digest(latin1.expose()).into());
        }
        if !needs_latin1 {
            md5_latin1.clear();
        }
        Self { md5: Secret::new(md5), md5_latin1: Secret::new(md5_latin1), sha256: Secret::new(sha256) }
    }
}

/// Argon2id (RFC 9106) over the password in UTF-8.
/// The memory of a slow hash, to be used for the next one too: given back each time, it would stay with the allocator, once
/// for every thread that ever asked.
#[derive(Default)]
pub(crate) struct SlowMemory(Vec<Block>);

struct SlowHash {
    parameters: Parameters,
    hash: Secret<[u8; 32]>,
}

struct Parameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
}

impl SlowHash {
    /// 19 MiB and two passes, on one core: what a server can afford for each plain logon. The salt is for the hash that
    /// counts for nothing.
    const PARAMETERS: Parameters = Parameters { memory_kib: 19 * 1024, passes: 2, lanes: 1, salt: [0; 16] };

    fn of(password: &str) -> Result<Self, SealError> {
        let mut parameters = Self::PARAMETERS;
        getrandom::fill(&mut parameters.salt).map_err(|_| SealError::NoRandomness)?;
        let hash = Self::derive(password, &parameters, &mut SlowMemory::default()).ok_or(SealError::Damaged)?;
        Ok(Self { parameters, hash })
    }

    fn derive(password: &str, parameters: &Parameters, memory: &mut SlowMemory) -> Option<Secret<[u8; 32]>> {
        let &Parameters { memory_kib, passes, lanes, salt } = parameters;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).ok()?;
        let mut hash = Secret::new([0; 32]);
        memory.0.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let derived =
            argon2.hash_password_into_with_memory(password.as_bytes(), &salt, hash.expose_mut(), &mut memory.0);
        // What is left in it comes of the password.
        memory.0.fill(Block::default());
        derived.ok()?;
        Some(hash)
    }
}

fn read(reader: &mut Reader<'_>) -> Result<SecretRecord, portcullis_wire::Error> {
    let wrong = |at, field| Err(portcullis_wire::Error::new(at, field, portcullis_wire::Kind::Unexpected));
    if reader.u8("layout")? != LAYOUT {
        return wrong(0, "layout");
    }
    let nt_hash = Secret::new(reader.array("NT hash")?);
    let slow = match reader.u8("slow hash")? {
        0 => None,
        1 => {
            let (memory_kib, passes, lanes) = (reader.u32("memory")?, reader.u32("passes")?, reader.u32("lanes")?);
            // More than this was never written; it would only serve to exhaust this host.
            if memory_kib > 1 << 20 || passes > 64 || lanes > 16 {
                return wrong(reader.offset(), "slow hash");
            }
            let parameters = Parameters { memory_kib, passes, lanes, salt: reader.array("salt")? };
            Some(SlowHash { parameters, hash: Secret::new(reader.array("hash")?) })
        }
        _ => return wrong(reader.offset(), "slow hash"),
    };
    let counts = [reader.u8("MD5")?, reader.u8("MD5 Latin-1")?, reader.u8("SHA-256")?];
    let [md5, md5_latin1, sha256] = counts.map(usize::from);
    let digests = match md5 {
        0 => None,
        _ => Some(Digests {
            md5: Secret::new(reader.take(md5 * 16, "MD5")?.as_chunks().0.to_vec()),
            md5_latin1: Secret::new(reader.take(md5_latin1 * 16, "MD5 Latin-1")?.as_chunks().0.to_vec()),
            sha256: Secret::new(reader.take(sha256 * 32, "SHA-256")?.as_chunks().0.to_vec()),
        }),
    };
    Ok(SecretRecord { nt_hash, slow, digests })
}

const LAYOUT: u8 = 1;
/// 17 bytes of NT hash, 61 of slow hash, 3 counts and three lists fit in it.
const LENGTH: usize = 2048;
const ROOM_FOR_TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn corp() -> DomainNames {
        DomainNames::new("CORP", "corp.example").unwrap()
    }

    #[test]
    fn a_password_makes_all_forms_and_they_survive() {
        let domain = corp();
        let owner = Owner { name: "Ann", upn: Some("ann.smith@corp.example"), domain: &domain };
        let record = SecretRecord::of_password("Pass:wörd 1", &owner).unwrap();
        let bytes = record.encode();
        assert_eq!(bytes.expose().len(), LENGTH);
        let record = SecretRecord::decode(bytes.expose()).unwrap();
        assert_eq!(record.nt_hash().expose(), nt_hash("Pass:wörd 1").expose());
        assert!(record.verify_password("Pass:wörd 1").is_some());
        assert!(record.verify_password("Pass:word 1").is_none());
        assert!(record.verify_password("").is_none());

        let forms = owner.digest_forms();
        assert_eq!(forms.len(), DIGEST_FORMS);
        let pair = |user: &str, realm: &str| (user.to_owned(), realm.to_owned());
        assert_eq!(forms[0], pair("Ann", "CORP"));
        assert_eq!(forms[8], pair("ann", "corp.example"));
        assert_eq!(forms[14], pair("ann.smith@corp.example", ""));
        assert_eq!(forms[19], pair("CORP\\ANN", "").clone());
        assert_eq!(forms[28], pair("CORP\\ANN", "Digest"));
        for (at, (user, realm)) in forms.iter().enumerate() {
            let a1 = format!("{user}:{realm}:Pass:wörd 1");
            assert_eq!(record.digest_md5(at).unwrap(), &<[u8; 16]>::from(Md5::digest(&a1)));
            assert_eq!(record.digest_sha256(at).unwrap(), &<[u8; 32]>::from(Sha256::digest(&a1)));
            let latin1: Vec<u8> = a1.chars().map(|c| u8::try_from(c).unwrap()).collect();
            assert_eq!(record.digest_md5_latin1(at).unwrap(), &<[u8; 16]>::from(Md5::digest(&latin1)));
        }
        assert!(record.digest_md5(DIGEST_FORMS).is_none());
    }

    #[test]
    fn h_a1_as_rfc_7616_has_it() {
        // RFC 7616 §3.9.1: Mufasa, realm http-auth@example.org, password "Circle of Life"; its H(A1) with MD5, computed
        // by hand from the definition (the RFC prints the response only).
        let domain = DomainNames { netbios: "http-auth@example.org".into(), dns: String::new() };
        let digests = Digests::of("Circle of Life", &Owner { name: "Mufasa", upn: None, domain: &domain });
        assert_eq!(hex(&digests.md5.expose()[0]), "3d78807defe7de2157e2b0b6573a855f");
        assert!(digests.md5_latin1.expose().is_empty(), "ASCII is the same in both");
    }

    #[test]
    fn an_imported_hash_serves_plain_passwords() {
        let record = SecretRecord::of_nt_hash(nt_hash("Passw0rd!"));
        let bytes = record.encode();
        assert_eq!(bytes.expose().len(), LENGTH);
        let record = SecretRecord::decode(bytes.expose()).unwrap();
        assert!(record.verify_password("Passw0rd!").is_some());
        assert!(record.verify_password("passw0rd!").is_none());
        assert!(record.digest_md5(0).is_none());
    }

    #[test]
    fn the_empty_password_verifies_nobody() {
        let record = SecretRecord::of_nt_hash(nt_hash(""));
        assert!(record.is_empty_password());
        assert!(record.verify_password("").is_none());
        let domain = corp();
        let owner = Owner { name: "Ann", upn: None, domain: &domain };
        let record = SecretRecord::of_password("", &owner).unwrap();
        assert!(record.is_empty_password() && record.verify_password("").is_none());
    }

    #[test]
    fn damaged_records_are_refused() {
        let bytes = SecretRecord::of_nt_hash(Secret::new([1; 16])).encode();
        for len in 0..21 {
            assert!(SecretRecord::decode(&bytes.expose()[..len]).is_err(), "{len}");
        }
        let mut other = bytes.expose().clone();
        other[0] = 2;
        assert!(SecretRecord::decode(&other).is_err());
    }
}
