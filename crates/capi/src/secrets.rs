//! Accounts whose secrets the host program brings itself: one account with its password, or WinPR's ways (a SAM file, a
//! hash, a function that makes one). There is no lockout behind them: that is what a store is for.

use crate::abi::{AuthIdentity, IDENTITY_UNICODE, SECBUFFER_TOKEN, SecBuffer};
use crate::code::Code;
use library::ntlm::keys::{self, Key};
use library::ntlm::{Form, Verified, verify, verify_v2};
use library::{Account, Answer, Claim, Question, Realm, Refusal, Secret, Sid, VerifyNtlm};
use portcullis_wire::ntlm::{Authenticate, Charset, MIC_OFFSET, NtResponse};
use portcullis_wire::utf16;
use sha2::{Digest as _, Sha256};
use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::Arc;

/// WinPR's function of a server that computes NTOWFv2 for a client.
pub(crate) type HashCallback = unsafe extern "C" fn(
    argument: *mut c_void,
    identity: *const AuthIdentity,
    nt_proof_value: *const SecBuffer,
    rand_key: *const u8,
    mic: *const u8,
    mic_value: *const SecBuffer,
    hash: *mut u8,
) -> i32;

/// What a host for WinPR brought.
#[derive(Default, Clone)]
pub(crate) struct HostSecrets {
    pub(crate) sam: Option<PathBuf>,
    pub(crate) hash: Option<Arc<GivenHash>>,
    pub(crate) callback: Option<(HashCallback, Means)>,
    /// The function's argument, as a number: it is not followed here.
    pub(crate) argument: usize,
}

/// What a function means by its result: WinPR changed its mind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// More than zero is yes: where it is set as an attribute, which WinPR has done without since.
    PositiveIsYes,
    /// Zero is yes to newer hosts and no to older ones: only a negative one certainly is no. A hash that was not written, or
    /// does not fit the proof, is none in any case.
    NegativeIsNo,
}

/// SecPkgContext_AuthNtlmHash.
pub(crate) enum GivenHash {
    Nt(Key),
    V2(Key),
}

impl HostSecrets {
    /// Whether there is anything to judge by.
    pub(crate) fn is_empty(&self) -> bool {
        self.sam.is_none() && self.hash.is_none() && self.callback.is_none()
    }

    /// What it says to a client.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let Question::VerifyNtlm(question) = question else { return question.refuse(Refusal::NotAnswered) };
        let verified = match (&self.hash, self.callback) {
            (Some(hash), _) => match &**hash {
                GivenHash::Nt(hash) => verify(hash, question),
                GivenHash::V2(hash) => verify_v2(hash, question),
            },
            (None, Some(callback)) => match call(callback, self.argument, question) {
                Some(hash) => verify_v2(&hash, question),
                None => return question.refuse(Refusal::UnknownAccount),
            },
            (None, None) => return self.by_sam(question),
        };
        // The host looked the user up. What it was not asked about is reported only where the proof covers it.
        let domain = verified.as_ref().filter(|verified| verified.proves_domain()).map(|_| question.claim.domain());
        judged(question, verified, || account(question.claim.user(), domain.unwrap_or_default()))
    }

    fn by_sam(&self, question: &VerifyNtlm) -> Answer {
        let Some(path) = &self.sam else { return question.refuse(Refusal::NotAnswered) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text),
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the SAM file cannot be read; nobody can log on");
                return question.refuse(Refusal::Unreachable);
            }
        };
        let (user, domain) = (question.claim.user(), question.claim.domain());
        let (hash, domain) = find(text.expose(), user, domain).unzip();
        by_hash(question, hash.as_ref(), || account(user, domain.unwrap_or_default()))
    }
}

/// The entry of `user:domain:LM hash:NT hash:…` with exactly this user and domain, else with this user and no domain; of
/// several the first. A line that is none, or has no hash, is no account. All lines are read whatever is found: the time
/// tells nobody who is in the file.
fn find<'s>(sam: &'s str, user: &str, domain: &str) -> Option<(Key, &'s str)> {
    let (mut of_domain, mut of_none) = (None, None);
    for line in sam.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(':');
        let (Some(name), Some(of), Some(_), Some(hash), Some(_)) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let Some(hash) = nt_hash_of_hex(hash).ok().filter(|hash| !is_nobodys(hash.expose())) else { continue };
        if name != user || name.is_empty() {
            continue;
        }
        if of == domain {
            of_domain.get_or_insert((hash, of));
        } else if of.is_empty() {
            of_none.get_or_insert((hash, of));
        }
    }
    of_domain.or(of_none)
}

/// A hash written in hexadecimal.
pub(crate) fn nt_hash_of_hex(text: &str) -> Result<Key, Code> {
    let mut hash = Secret::new([0; 16]);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != hash.expose().len() || !rest.is_empty() {
        return Err(Code::INVALID_PARAMETER);
    }
    for (byte, pair) in hash.expose_mut().iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = value.ok_or(Code::INVALID_PARAMETER)?;
    }
    Ok(hash)
}

/// The one account that an acceptor was made for.
pub(crate) struct OneAccount {
    account: Arc<Account>,
    /// `None` where the identity has no password: then nobody is let in.
    nt_hash: Option<Key>,
}

impl OneAccount {
    pub(crate) fn new(user: &str, domain: &str, nt_hash: Key) -> Self {
        let nt_hash = Some(nt_hash).filter(|hash| !is_nobodys(hash.expose()));
        Self { account: account(user, domain), nt_hash }
    }

    /// What it says to a client. Without a domain of its own, any that a client names is right.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let Question::VerifyNtlm(question) = question else { return question.refuse(Refusal::NotAnswered) };
        let hash = self.nt_hash.as_ref().filter(|_| self.is_meant(&question.claim));
        by_hash(question, hash, || Arc::clone(&self.account))
    }

    fn is_meant(&self, claim: &Claim) -> bool {
        let (mine, principal) = (&*self.account, claim.principal());
        let same = |domain: &str| mine.domain.is_empty() || utf16::same_name(domain, &mine.domain);
        match principal.realm {
            Realm::Here => utf16::same_name(principal.user, &mine.name),
            Realm::Domain(domain) => utf16::same_name(principal.user, &mine.name) && same(domain),
            Realm::Upn { name, suffix } => {
                utf16::same_name(principal.user, &mine.name) || utf16::same_name(name, &mine.name) && same(suffix)
            }
        }
    }
}

/// Compares with an account's hash, and with nobody's where there is none: the work is the same.
fn by_hash(question: &VerifyNtlm, hash: Option<&Key>, account: impl FnOnce() -> Arc<Account>) -> Answer {
    match hash {
        Some(hash) => judged(question, verify(hash, question), account),
        None => {
            // Whatever comes of it: nobody is let in.
            drop(verify(&Secret::new([1; 16]), question));
            question.refuse(Refusal::UnknownAccount)
        }
    }
}

fn judged(question: &VerifyNtlm, verified: Option<Verified>, account: impl FnOnce() -> Arc<Account>) -> Answer {
    match verified {
        Some(verified) => question.accept(verified, account()),
        None => question.refuse(Refusal::WrongProof),
    }
}

/// An account of which nothing is known but its name.
fn account(user: &str, domain: &str) -> Arc<Account> {
    Arc::new(Account {
        sid: Some(sid(user, domain)),
        name: user.to_owned(),
        domain: domain.to_owned(),
        dns_domain: String::new(),
        upn: None,
        display_name: None,
        mail: None,
        groups: Vec::new(),
        logoff_at: None,
        password_expires_at: None,
    })
}

/// A SID that always is the same for the same name, and of nobody else: the name's hash stands where a domain's random
/// numbers would.
fn sid(user: &str, domain: &str) -> Sid {
    let name = format!("{}\0{}", utf16::upper_string(domain), utf16::upper_string(user));
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let numbers: Vec<u32> = hash.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
    let sub: Vec<u32> = std::iter::once(21).chain(numbers.into_iter().take(4)).collect();
    Sid::new(5, &sub).unwrap_or(library::well_known::ANONYMOUS)
}

/// Asks the host's function.
fn call((callback, means): (HashCallback, Means), argument: usize, question: &VerifyNtlm) -> Option<Key> {
    let parts = Parts::of(question)?;
    let (user, domain) = (utf16::encode(question.claim.user()), utf16::encode(question.claim.domain()));
    let text = |bytes: &[u8]| if bytes.is_empty() { std::ptr::null() } else { bytes.as_ptr().cast() };
    let identity = AuthIdentity {
        User: text(&user),
        UserLength: u32::try_from(user.len() / 2).ok()?,
        Domain: text(&domain),
        DomainLength: u32::try_from(domain.len() / 2).ok()?,
        Password: std::ptr::null(),
        PasswordLength: 0,
        Flags: IDENTITY_UNICODE,
    };
    let buffer = |bytes: &[u8]| SecBuffer {
        cbBuffer: bytes.len() as u32,
        BufferType: SECBUFFER_TOKEN,
        pvBuffer: bytes.as_ptr().cast_mut().cast(),
    };
    let (proof, mic) = (buffer(&parts.proof_value), buffer(&parts.mic_value));
    let mut hash = Secret::new([0; 16]);
    // SAFETY: the host gave function and argument for this; all pointers live until it returns.
    let said = unsafe {
        callback(
            std::ptr::with_exposed_provenance_mut(argument),
            &identity,
            &proof,
            parts.random_key.as_ptr(),
            parts.mic.as_ptr(),
            &mic,
            hash.expose_mut().as_mut_ptr(),
        )
    };
    let yes = if means == Means::PositiveIsYes { said > 0 } else { said >= 0 };
    (yes && !is_nobodys(hash.expose())).then_some(hash)
}

/// What the host can compute a proof over: the pieces of the client's messages.
pub(crate) struct Parts {
    /// The server's challenge and the client's.
    pub(crate) proof_value: Vec<u8>,
    pub(crate) random_key: [u8; 16],
    pub(crate) mic: [u8; 16],
    /// The three messages, the MIC's bytes zero.
    pub(crate) mic_value: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(question: &VerifyNtlm) -> Option<Self> {
        let message = Authenticate::decode(question.message(), Charset::Unicode).ok()?;
        let proof_value = match (question.form(), NtResponse::decode(message.nt_response).ok()?) {
            (Form::V2, NtResponse::V2(response)) => [&question.server_challenge[..], response.blob].concat(),
            _ => Vec::new(),
        };
        let mic = message.mic().copied().unwrap_or([0; 16]);
        let mut authenticate = message.raw.to_vec();
        if let (Some(_), Some(field)) = (message.mic(), authenticate.get_mut(MIC_OFFSET..MIC_OFFSET + mic.len())) {
            field.fill(0);
        }
        Some(Self {
            proof_value,
            random_key: message.encrypted_session_key.first_chunk().copied().unwrap_or([0; 16]),
            mic,
            mic_value: [question.transcript(), &authenticate].concat(),
        })
    }
}

/// The hash of the empty password, or of nothing at all: anybody can compute with it, so it lets nobody in.
pub(crate) fn is_nobodys(hash: &[u8; 16]) -> bool {
    *hash == keys::EMPTY_NT_HASH || *hash == [0; 16]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "8846F7EAEE8FB117AD06BDD830B7586C";

    #[test]
    fn entries_of_a_sam_file() {
        let sam = format!(
            "# comment\nbroken\nann:CORP::{HASH}:::\nann:::{}:::\njoe:::::\nzero:::00000000000000000000000000000000:::\n:::{HASH}:::\n",
            HASH.replace('8', "9")
        );
        let found = |user, domain| find(&sam, user, domain).map(|(hash, _)| hash.expose()[0]);
        assert_eq!(found("ann", "CORP"), Some(0x88));
        assert_eq!(found("ann", ""), Some(0x99));
        assert_eq!(found("ann", "OTHER"), Some(0x99), "the entry without a domain serves every one");
        for (user, domain) in [("Ann", "CORP"), ("joe", ""), ("", ""), ("broken", ""), ("zero", "")] {
            assert_eq!(found(user, domain), None, "{user}@{domain}");
        }
    }

    #[test]
    fn hashes_in_hexadecimal() {
        assert_eq!(nt_hash_of_hex(HASH).unwrap().expose()[15], 0x6c);
        for bad in ["", "88", &HASH[1..], &HASH.replace('8', "x"), &format!("+{}", &HASH[1..])] {
            assert!(nt_hash_of_hex(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sids_by_name() {
        assert_eq!(sid("ann", "corp"), sid("ANN", "CORP"));
        assert_ne!(sid("ann", "corp"), sid("ann", "other"));
        assert_ne!(sid("x\\y", ""), sid("y", "\\x"));
    }
}
