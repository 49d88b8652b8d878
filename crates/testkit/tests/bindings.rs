//! The extended-protection table: what the host gives and wants, by what the client says, under every policy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::Ntlm;
use portcullis::{BindingPolicy, ChannelBindings, ContextFlags, Credential};
use portcullis_testkit::{Bindings, Initiator, Realm, Responses, Settings, converse, server_names};

fn ours() -> ChannelBindings {
    ChannelBindings::tls_server_end_point(&[0x11; 32])
}

/// What the client says: match, mismatch, all-zero, nothing at all.
fn clients() -> [Initiator; 4] {
    let other = ChannelBindings::tls_server_end_point(&[0x22; 32]);
    [Bindings::Of(ours()), Bindings::Of(other), Bindings::Zero, Bindings::Absent]
        .map(|bindings| Initiator { bindings, ..Initiator::user() })
}

/// The result flags where a client comes in, the cause where it does not.
fn row(policy: BindingPolicy, given: bool, flags: ContextFlags) -> [Result<u32, &'static str>; 4] {
    clients().map(|client| judged(policy, given, flags, &client))
}

fn judged(policy: BindingPolicy, given: bool, flags: ContextFlags, client: &Initiator) -> Result<u32, &'static str> {
    let mut ntlm = Ntlm::new(server_names());
    ntlm.bindings = policy;
    ntlm.danger_accept_ntlmv1 = true;
    let mut settings = Settings { bindings: given.then(ours), ..Settings::default() };
    settings.want.flags = flags;
    let outcome = converse(&Credential::acceptor(ntlm), &Realm::of_user(), client, &settings);
    match outcome.context.as_ref().map(portcullis::Context::facts) {
        Some(facts) => Ok(facts.bindings.result_flags(facts.bindings_aware)),
        None => Err(outcome.cause_name()),
    }
}

const WRONG: Result<u32, &str> = Err("ntlm/bindings-wrong");
const MISSING: Result<u32, &str> = Err("ntlm/bindings-missing");
const NONE: ContextFlags = ContextFlags::NONE;
const ALLOW: ContextFlags = ContextFlags::ALLOW_MISSING_BINDINGS;
const PROXY: ContextFlags = ContextFlags::PROXY_BINDINGS;

// Bits: 0x1 the client knows of bindings, 0x10 matched, 0x20 proxied, 0x40 allowed to be missing, 0x2 absent.

/// The table as SSPI has it: the host's call decides.
#[test]
fn by_call() {
    let by_call = |given, flags| row(BindingPolicy::ByCall, given, flags);
    assert_eq!(by_call(true, NONE), [Ok(0x11), WRONG, MISSING, MISSING]);
    assert_eq!(by_call(true, ALLOW), [Ok(0x11), WRONG, MISSING, Ok(0x42)]);
    assert_eq!(by_call(false, PROXY), [Ok(0x21), Ok(0x21), MISSING, MISSING]);
    assert_eq!(by_call(false, NONE), [Ok(0x1), Ok(0x1), Ok(0x1), Ok(0)]);
}

#[test]
fn require() {
    for flags in [NONE, ALLOW, PROXY] {
        assert_eq!(row(BindingPolicy::Require, true, flags), [Ok(0x11), WRONG, MISSING, MISSING]);
        // A host that requires what it does not supply lets nobody in.
        assert_eq!(row(BindingPolicy::Require, false, flags), [WRONG, WRONG, MISSING, MISSING]);
    }
}

#[test]
fn when_present() {
    for flags in [NONE, ALLOW, PROXY] {
        assert_eq!(row(BindingPolicy::WhenPresent, true, flags), [Ok(0x11), WRONG, MISSING, Ok(0x42)]);
        assert_eq!(row(BindingPolicy::WhenPresent, false, flags), [WRONG, WRONG, MISSING, Ok(0x42)]);
    }
}

#[test]
fn proxied() {
    for given in [true, false] {
        assert_eq!(row(BindingPolicy::Proxied, given, NONE), [Ok(0x21), Ok(0x21), MISSING, MISSING]);
    }
}

#[test]
fn ignore() {
    for (given, flags) in [(true, NONE), (false, NONE), (true, ALLOW), (false, PROXY)] {
        assert_eq!(row(BindingPolicy::Ignore, given, flags), [Ok(0x1), Ok(0x1), Ok(0x1), Ok(0)]);
    }
}

/// Audit only: the result is told, nobody is refused.
#[test]
fn audit() {
    assert_eq!(row(BindingPolicy::Audit, true, NONE), [Ok(0x11), Ok(0x5), Ok(0xb), Ok(0xa)]);
    assert_eq!(row(BindingPolicy::Audit, false, NONE), [Ok(0x5), Ok(0x5), Ok(0xb), Ok(0xa)]);
}

/// NTLMv1 has no place for bindings: such a client says nothing at all.
#[test]
fn version_1_is_unaware() {
    let client = Initiator { responses: Responses::V1Ess, ..Initiator::user().without_mic() };
    for (policy, expected) in [
        (BindingPolicy::ByCall, MISSING),
        (BindingPolicy::Require, MISSING),
        (BindingPolicy::Proxied, MISSING),
        (BindingPolicy::WhenPresent, Ok(0x42)),
        (BindingPolicy::Ignore, Ok(0)),
        (BindingPolicy::Audit, Ok(0xa)),
    ] {
        assert_eq!(judged(policy, true, NONE, &client), expected, "{policy:?}");
    }
}

/// The binding is judged after the proof: who does not know the password does not learn of it.
#[test]
fn a_wrong_password_learns_nothing_of_bindings() {
    for client in clients() {
        let client = Initiator { password: "other".into(), ..client };
        assert_eq!(judged(BindingPolicy::Require, true, NONE, &client), Err("account/wrong-proof"));
    }
}

/// RFC 4121 §4.1.1.2 as computed by hand: MD5 over 73 bytes for `tls-server-end-point:` and the bytes 00 to 1f.
#[test]
fn the_hash_is_that_of_the_gss_structure() {
    let hash: Vec<u8> = (0..32).collect();
    let md5 = ChannelBindings::tls_server_end_point(&hash).md5();
    assert_eq!(portcullis_testkit::hex::encode(&md5), "8f1214c9c9cab8dc3bf866da9aba57a7");
}

/// Under audit the outcome tells who would have been refused.
#[test]
fn audit_tells_valid_from_invalid() {
    let mut ntlm = Ntlm::new(server_names());
    ntlm.bindings = BindingPolicy::Audit;
    let credential = Credential::acceptor(ntlm);
    let settings = Settings { bindings: Some(ours()), ..Settings::default() };
    let valid = clients().map(|client| {
        let outcome = converse(&credential, &Realm::of_user(), &client, &settings);
        outcome.context.unwrap().facts().bindings.is_valid()
    });
    assert_eq!(valid, [true, false, false, false]);
}
