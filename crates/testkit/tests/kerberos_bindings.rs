//! Channel bindings: every policy and every client, each cell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::{BindingPolicy, BindingsOutcome, ChannelBindings, ContextFlags, Status};
use portcullis_testkit::kerberos::{Bound, Checksum, Client, Site};

fn channel() -> ChannelBindings {
    ChannelBindings::tls_server_end_point(&[0x11; 32])
}

/// How a client ends: the outcome that the facts tell, or the cause.
type End = Result<BindingsOutcome, &'static str>;

const MISSING: End = Err("kerberos/bindings-missing");
const WRONG: End = Err("kerberos/bindings-wrong");

/// The clients in turn: those who say nothing, who say that they have no channel, who are right, and who are wrong.
fn clients(site: &Site) -> [(Vec<Client>, bool); 4] {
    let client = || site.client();
    let zero = |ap_options| Client { ap_options, ..client() };
    let other = ChannelBindings::tls_server_end_point(&[0x12; 32]);
    let mut nearly = channel().md5();
    nearly[15] ^= 1;
    let unaware = vec![
        zero(None),
        zero(Some(0)),
        zero(Some(0x8000)),
        Client { checksum: Checksum::Absent, ap_options: Some(0x4000), ..client() },
        Client { checksum: Checksum::Keyed(Vec::new()), ..client() },
    ];
    let nowhere = vec![zero(Some(0x4000)), zero(Some(0xffff_ffff))];
    let right = [None, Some(0x4000)].map(|ap_options| Client { ap_options, ..client() }.bound(Bound::To(channel())));
    let wrong = vec![
        client().bound(Bound::To(other)),
        client().bound(Bound::To(ChannelBindings::default())),
        client().bound(Bound::Raw(nearly)),
        client().bound(Bound::Raw([0xff; 16])),
        Client { ap_options: Some(0x4000), ..client().bound(Bound::Raw([1; 16])) },
    ];
    [(unaware, false), (nowhere, true), (right.to_vec(), true), (wrong, true)]
}

/// Plays every client against a policy; `ends` are those of the four kinds.
fn play(policy: BindingPolicy, given: bool, flags: ContextFlags, ends: [End; 4]) {
    use BindingsOutcome as O;
    let mut site = Site::of_web();
    site.config.bindings = policy;
    site.settings.bindings = given.then(channel);
    site.settings.want.flags = flags;
    let mut seed = 0;
    for (kind, ((clients, aware), end)) in clients(&site).into_iter().zip(ends).enumerate() {
        for client in clients {
            seed += 1;
            let client = client.again(seed);
            match end {
                Err(cause) => {
                    let status = Status::SEC_E_BAD_BINDINGS;
                    let outcome = site.refuses(&client, cause, status, Some(36));
                    let judged = if cause.ends_with("missing") { O::Missing } else { O::Mismatch };
                    let event = format!("Bindings {{ outcome: {judged:?}, aware: {aware} }}");
                    assert!(outcome.events.contains(&event), "{event}: {:#?}", outcome.events);
                }
                Ok(outcome) => {
                    let context = site.accepts(&client);
                    let facts = context.facts();
                    assert_eq!((facts.bindings, facts.bindings_aware), (outcome, aware), "{policy:?}, kind {kind}");
                }
            }
        }
    }
}

const NONE: ContextFlags = ContextFlags::NONE;
const UNCHECKED: [End; 4] = [Ok(BindingsOutcome::Unchecked); 4];
const REQUIRED: [End; 4] = [MISSING, MISSING, Ok(BindingsOutcome::Matched), WRONG];
const WHEN_PRESENT: [End; 4] = [Ok(BindingsOutcome::AllowedMissing), MISSING, Ok(BindingsOutcome::Matched), WRONG];
const PROXIED: [End; 4] = [MISSING, MISSING, Ok(BindingsOutcome::Proxied), Ok(BindingsOutcome::Proxied)];

#[test]
fn k17_required() {
    play(BindingPolicy::Require, true, NONE, REQUIRED);
    // Even where the call would allow less.
    play(BindingPolicy::Require, true, ContextFlags::ALLOW_MISSING_BINDINGS, REQUIRED);
    // A host that requires what it does not supply lets nobody in.
    play(BindingPolicy::Require, false, NONE, [MISSING, MISSING, WRONG, WRONG]);
}

#[test]
fn k17_when_present() {
    play(BindingPolicy::WhenPresent, true, NONE, WHEN_PRESENT);
}

#[test]
fn k17_by_call() {
    play(BindingPolicy::ByCall, true, NONE, REQUIRED);
    play(BindingPolicy::ByCall, true, ContextFlags::ALLOW_MISSING_BINDINGS, WHEN_PRESENT);
    play(BindingPolicy::ByCall, false, NONE, UNCHECKED);
    play(BindingPolicy::ByCall, false, ContextFlags::PROXY_BINDINGS, PROXIED);
}

#[test]
fn k17_proxied() {
    play(BindingPolicy::Proxied, true, NONE, PROXIED);
    play(BindingPolicy::Proxied, false, NONE, PROXIED);
}

#[test]
fn ignored_and_audited() {
    use BindingsOutcome as O;
    play(BindingPolicy::Ignore, true, NONE, UNCHECKED);
    play(BindingPolicy::Ignore, false, NONE, UNCHECKED);
    play(BindingPolicy::Audit, true, NONE, [Ok(O::Missing), Ok(O::Missing), Ok(O::Matched), Ok(O::Mismatch)]);
}

/// Bindings stand under the session key: who changes them on the way changes the authenticator.
#[test]
fn a_relay_cannot_change_them() {
    let mut site = Site::of_web();
    site.settings.bindings = Some(channel());
    let relayed = site.client().bound(Bound::To(ChannelBindings::tls_server_end_point(&[0x66; 32])));
    let token = relayed.token();
    for at in token.len() - relayed.authenticator().len()..token.len() {
        let mut token = token.clone();
        token[at] ^= 1;
        let outcome = site.hears_tokens(&[token]);
        assert!(outcome.context.is_none(), "byte {at}");
    }
    site.refuses(&relayed, "kerberos/bindings-wrong", Status::SEC_E_BAD_BINDINGS, Some(36));
}
