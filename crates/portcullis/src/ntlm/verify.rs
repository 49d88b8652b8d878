use super::{Form, keys};
use crate::{Secret, VerifyNtlm};
use portcullis_wire::ntlm::{Authenticate, Charset, NtResponse};
use subtle::{Choice, ConstantTimeEq};

/// The proof fits the account's secret. Only a comparison makes this value.
#[derive(Debug)]
pub struct Verified {
    session_base_key: keys::Key,
    proves_domain: bool,
}

impl Verified {
    /// For an authority that does not hold the secret itself: someone it trusts (a domain controller, another
    /// process) made the comparison and gave this SessionBaseKey.
    pub fn vouched_for(session_base_key: keys::Key) -> Self {
        Self { session_base_key, proves_domain: false }
    }

    /// Whether the proof covers the domain that the client names. Where it does not, whoever is on the way may have put it
    /// there: an authority that knows the account by the claim alone must not report it.
    pub fn proves_domain(&self) -> bool {
        self.proves_domain
    }

    pub(crate) fn into_session_base_key(self) -> keys::Key {
        self.session_base_key
    }
}

/// Compares the client's NT proof with the one that `nt_hash` gives, in constant time; `None` when it does not fit.
///
/// A wrong proof is recomputed once with an empty domain, for clients that send a domain and hash none (MS-NLMP
/// 3.2.5.1.2). The empty password's hash verifies nobody. Work and time are the same for every hash, so that an
/// authority can hide an unknown account behind any other.
pub fn verify(nt_hash: &keys::Key, question: &VerifyNtlm) -> Option<Verified> {
    let message = Authenticate::decode(question.message(), Charset::Oem).ok()?;
    let usable = !nt_hash.expose().ct_eq(&keys::EMPTY_NT_HASH);
    match (question.form(), NtResponse::decode(message.nt_response).ok()?) {
        (Form::V2, NtResponse::V2(response)) => {
            let claim = &question.claim;
            let found = attempt(nt_hash, question, claim.domain(), &response.proof, response.blob, usable);
            if found.is_none() && !claim.domain().is_empty() {
                let without = attempt(nt_hash, question, "", &response.proof, response.blob, usable);
                return without.map(|verified| Verified { proves_domain: false, ..verified });
            }
            found
        }
        (Form::V1, NtResponse::V1(response)) => v1(nt_hash, response, &question.server_challenge, usable),
        (Form::V1Ess, NtResponse::V1(response)) => {
            let client_challenge = message.lm_response.first_chunk()?;
            v1(nt_hash, response, &keys::ess_challenge(&question.server_challenge, client_challenge), usable)
        }
        _ => None,
    }
}

/// As [`verify`], for an authority that has NTOWFv2 ([`keys::ntowf_v2`]) over the names as the client sent them, and not
/// the hash that it is made from. A key of zeros verifies nobody.
pub fn verify_v2(ntowf_v2: &keys::Key, question: &VerifyNtlm) -> Option<Verified> {
    let message = Authenticate::decode(question.message(), Charset::Oem).ok()?;
    let usable = !ntowf_v2.expose().ct_eq(&[0; 16]);
    match (question.form(), NtResponse::decode(message.nt_response).ok()?) {
        (Form::V2, NtResponse::V2(response)) => {
            compare(keys::V2Key::new(ntowf_v2), question, &response.proof, response.blob, usable)
        }
        _ => None,
    }
}

fn attempt(
    nt_hash: &keys::Key,
    question: &VerifyNtlm,
    domain: &str,
    proof: &[u8; 16],
    blob: &[u8],
    usable: Choice,
) -> Option<Verified> {
    let key = keys::V2Key::new(&keys::ntowf_v2(nt_hash, question.claim.user(), domain));
    compare(key, question, proof, blob, usable)
}

fn compare(key: keys::V2Key, question: &VerifyNtlm, proof: &[u8; 16], blob: &[u8], usable: Choice) -> Option<Verified> {
    let expected = Secret::new(key.proof(&question.server_challenge, blob));
    let same = expected.expose().ct_eq(proof) & usable;
    let session_base_key = key.session_base_key(proof);
    bool::from(same).then_some(Verified { session_base_key, proves_domain: true })
}

fn v1(nt_hash: &keys::Key, response: &[u8; 24], challenge: &[u8; 8], usable: Choice) -> Option<Verified> {
    let expected = Secret::new(keys::response_v1(nt_hash, challenge));
    let same = expected.expose().ct_eq(response) & usable;
    bool::from(same).then(|| Verified { session_base_key: keys::session_base_key_v1(nt_hash), proves_domain: false })
}
