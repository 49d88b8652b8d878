//! Whatever an exported context was, its copy is; whatever else is imported is nothing.

use super::*;
use crate::ntlm::keys::{self, KeyStrength, Sender};
use crate::ntlm::{Ntlm, SessionKeys};
use crate::protection::{Halves, Protection};
use crate::tests::{Ann, acceptor, ann, both_packages, counting, meet};
use crate::*;
use portcullis_wire::ntlm::{AuthenticateBuilder, Challenge, Flags, Negotiate};
use portcullis_wire::utf16;
use std::time::UNIX_EPOCH;

const SIGNED: ContextFlags = ContextFlags::INTEGRITY;
const SEALED: ContextFlags = ContextFlags::CONFIDENTIALITY;

fn key() -> ExportKey {
    ExportKey::new(Secret::new([7; 32]))
}

fn export(context: &Context, reset: bool) -> Vec<u8> {
    context.export(&key(), &mut counting(), reset).unwrap()
}

fn import(blob: &[u8], package: &'static PackageInfo) -> Result<Context, Failure> {
    Context::import(package, &key(), blob)
}

/// The copy of a context, which knows what the context knows.
fn copy(context: &Context, reset: bool) -> Context {
    let copy = import(&export(context, reset), context.facts().package).unwrap();
    assert_eq!(format!("{:?}", copy.facts()), format!("{:?}", context.facts()));
    let session_key = |context: &Context| context.facts().session_key.as_ref().map(|key| key.expose().clone());
    assert_eq!(session_key(&copy), session_key(context));
    copy
}

/// A message from one to the other, sealed where that was negotiated; gives the signature.
fn say(from: &mut Context, to: &mut Context) -> Vec<u8> {
    let seals = from.facts().granted.contains(ContextFlags::CONFIDENTIALITY);
    let (mut data, mut signature) = (b"a message".to_vec(), vec![0; 16]);
    if seals {
        from.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        assert_ne!(data, b"a message");
        to.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        assert_eq!(data, b"a message");
    }
    from.sign(&mut [Segment::SignOnly(b"another"), Segment::Token(&mut signature)]).unwrap();
    to.verify(&mut [Segment::SignOnly(b"another"), Segment::Token(&mut signature)]).unwrap();
    signature
}

/// Both speak, one more often.
fn talk(ours: &mut Context, theirs: &mut Context) {
    for turn in 0..3 {
        say(ours, theirs);
        if turn != 1 {
            say(theirs, ours);
        }
    }
}

/// A client of any flags: the acceptor's context and its own. It logs on as clients without a MIC do.
fn with_flags(flags: Flags) -> (Context, Context) {
    let flags = flags | Flags::UNICODE | Flags::NTLM | Flags::REQUEST_TARGET;
    let acceptor = Credential::acceptor(Ntlm { minimum_key: KeyStrength::Bits40, ..acceptor() });
    let (mut random, mut events, mut out, mut hello) = (counting(), (), Vec::new(), Vec::new());
    Negotiate::encode(flags, None, None, None, &mut hello);
    let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
    let Ok(Handshake::NeedsToken(next)) = acceptor.begin().token(&hello, call) else { panic!("no CHALLENGE") };
    let challenge = Challenge::decode(&out).unwrap();
    let flags = flags & challenge.flags;

    let ntowf = keys::ntowf_v2(&keys::nt_hash("secret"), "ann", "CORP");
    let blob = [&[1, 1, 0, 0, 0, 0, 0, 0][..], &[9; 16], &[0; 4], challenge.target_info, &[0; 4]].concat();
    let proof = keys::proof_v2(&ntowf, &challenge.server_challenge, &blob);
    let base = keys::session_base_key_v2(&ntowf, &proof);
    let exchanges = flags.contains(Flags::KEY_EXCHANGE);
    let session = if exchanges { Secret::new([5; 16]) } else { Secret::new(*base.expose()) };
    let encrypted = keys::exchange(&base, session.expose());
    let mut message = Vec::new();
    AuthenticateBuilder {
        nt_response: &[&proof[..], &blob].concat(),
        domain: &utf16::encode("CORP"),
        user: &utf16::encode("ann"),
        encrypted_session_key: if exchanges { encrypted.expose() } else { &[] },
        flags,
        ..AuthenticateBuilder::default()
    }
    .encode(&mut message);
    let mut out = Vec::new();
    let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
    let Ok(Handshake::NeedsAnswer(asks)) = next.token(&message, call) else { panic!("no question") };
    let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
    let Ok(Handshake::Established(ours)) = asks.ask(&Ann, call) else { panic!("no context") };
    assert_eq!(ours.facts().session_key.as_ref().unwrap().expose(), session.expose());
    let protection = Box::new(SessionKeys::new(&session, flags, Sender::Client, false));
    let theirs = Context { facts: Arc::clone(&ours.facts), protection, halves: None };
    (ours, theirs)
}

/// The forms of messages: every flag that has a part in them.
fn forms() -> Vec<Flags> {
    let none = Flags(0);
    let mut forms = Vec::new();
    for protects in [Flags::SIGN, Flags::SEAL, Flags::SIGN | Flags::SEAL] {
        for session in [none, Flags::EXTENDED_SESSION_SECURITY] {
            for exchange in [none, Flags::KEY_EXCHANGE] {
                for strength in [none, Flags::KEY_56, Flags::KEY_128] {
                    forms.push(protects | session | exchange | strength);
                }
            }
        }
    }
    forms
}

#[test]
fn a_conversation_goes_on_in_another_process() {
    for flags in forms() {
        let (mut ours, mut theirs) = with_flags(flags);
        let granted = ours.facts().granted;
        assert_eq!(granted.contains(SEALED), flags.contains(Flags::SEAL), "{flags:?}");
        // Before the first message, in the middle, and from copy to copy.
        for _ in 0..3 {
            ours = copy(&ours, false);
            talk(&mut ours, &mut theirs);
            theirs = copy(&theirs, false);
            talk(&mut theirs, &mut ours);
        }
    }
    // A client that neither signs nor seals has dummy signatures.
    let (mut ours, mut theirs) = with_flags(Flags::EXTENDED_SESSION_SECURITY);
    talk(&mut ours, &mut theirs);
    talk(&mut copy(&ours, false), &mut copy(&theirs, false));
}

/// In Negotiate the list was signed before: messages go on behind it.
#[test]
fn contexts_of_every_package_on_both_sides() {
    for (acceptor, initiator) in &both_packages() {
        for want in [ContextFlags::NONE, SIGNED, SEALED, ContextFlags::IDENTIFY | ContextFlags::USE_DCE_STYLE] {
            let (mut ours, mut theirs) = meet(acceptor, initiator, want);
            assert_eq!(ours.facts().account.as_deref(), Some(&ann()));
            for _ in 0..2 {
                talk(&mut ours, &mut theirs);
                (ours, theirs) = (copy(&ours, false), copy(&theirs, false));
            }
            talk(&mut theirs, &mut ours);
            assert_eq!(ours.facts().mechanism(), &package::NTLM);
            assert_eq!(ours.facts().access_token().map(|token| token.user), ann().sid);
        }
    }
}

#[test]
fn a_reset_copy_begins_as_after_the_handshake() {
    let sequence = |signature: Vec<u8>| signature[12..].to_vec();
    for ((acceptor, initiator), lists) in both_packages().iter().zip(0..) {
        let (mut ours, mut theirs) = meet(acceptor, initiator, SEALED);
        let mut fresh = (copy(&ours, false), copy(&theirs, false));
        talk(&mut ours, &mut theirs);
        let mut reset = (copy(&ours, true), copy(&theirs, true));
        let first = say(&mut reset.0, &mut reset.1);
        assert_eq!(first, say(&mut fresh.0, &mut fresh.1));
        assert_eq!(say(&mut reset.1, &mut reset.0), say(&mut fresh.1, &mut fresh.0));
        // The sealed message came first.
        assert_eq!(sequence(first), [lists + 1, 0, 0, 0]);
        assert_eq!(sequence(say(&mut ours, &mut theirs)), [lists + 7, 0, 0, 0]);
    }
    for flags in forms() {
        let (mut ours, mut theirs) = with_flags(flags);
        talk(&mut ours, &mut theirs);
        talk(&mut copy(&ours, true), &mut copy(&theirs, true));
    }
}

#[test]
fn contexts_without_keys() {
    let nobody = Credential::initiator(ntlm::Initiator::anonymous());
    let offer = Credential::initiator(negotiate::Initiator::trying([ntlm::Initiator::anonymous().into()]));
    let [(plain, _), (negotiate, _)] = both_packages();
    for (acceptor, initiator) in [(plain, nobody), (negotiate, offer)] {
        let (ours, theirs) = meet(&acceptor, &initiator, ContextFlags::NULL_SESSION);
        for mut context in [copy(&ours, false), copy(&theirs, true)] {
            assert!(context.facts().granted.contains(ContextFlags::NULL_SESSION));
            let failure = context.sign(&mut [Segment::Token(&mut [0; 16])]).unwrap_err();
            assert_eq!(failure.cause, CallCause::NotNegotiated.into());
            // The halves that it has now say so too.
            assert!(copy(&context, false).sign(&mut [Segment::Token(&mut [0; 16])]).is_err());
        }
        let token = copy(&ours, false).facts().access_token().unwrap();
        assert_eq!(token, ours.facts().access_token().unwrap());
    }
    let (mut random, mut events, mut out) = (counting(), (), Vec::new());
    let basic = Credential::acceptor(password::Password::new());
    let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
    let Ok(Handshake::NeedsAnswer(asks)) = basic.begin().token(b"ann:secret", call) else { panic!("no question") };
    let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
    let Ok(Handshake::Established(context)) = asks.ask(&Ann, call) else { panic!("no context") };
    assert_eq!(copy(&context, false).facts().package, &package::PASSWORD);
}

/// Contexts of both packages that have spoken.
fn spoken() -> [Context; 2] {
    both_packages().map(|(acceptor, initiator)| {
        let (mut ours, mut theirs) = meet(&acceptor, &initiator, SEALED);
        talk(&mut ours, &mut theirs);
        ours
    })
}

fn is_bad(blob: &[u8], package: &'static PackageInfo) -> bool {
    import(blob, package).is_err_and(|failure| {
        assert_eq!(failure.status, Status::SEC_E_INVALID_TOKEN);
        failure.cause.name() == "call/bad-export"
    })
}

#[test]
fn an_altered_export_is_refused() {
    for context in spoken() {
        let (blob, package) = (export(&context, false), context.facts().package);
        assert!(import(&blob, package).is_ok());
        for bit in 0..8 * blob.len() {
            let mut altered = blob.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(is_bad(&altered, package), "bit {bit}");
        }
        for len in 0..blob.len() {
            assert!(is_bad(&blob[..len], package), "cut at {len}");
            assert!(is_bad(&blob[len + 1..], package), "cut before {len}");
        }
        for behind in [&[0][..], &blob, &blob[HEADER.len()..]] {
            assert!(is_bad(&[&blob, behind].concat(), package));
            assert!(is_bad(&[behind, &blob].concat(), package));
        }
        let other = export(&context, true);
        let halves = [&blob[..blob.len() / 2], &other[other.len() / 2..]].concat();
        assert!(is_bad(&halves, package));
        assert!(is_bad(&vec![0; MAX_BODY + 100], package));
    }
}

#[test]
fn an_export_is_for_its_key_and_package_only() {
    let [ntlm, negotiate] = spoken();
    for (context, other) in [(&ntlm, &package::NEGOTIATE), (&negotiate, &package::NTLM)] {
        let blob = export(context, false);
        assert!(is_bad(&blob, other) && is_bad(&blob, &package::PASSWORD));
        for byte in 0..32 {
            let mut wrong = [7; 32];
            wrong[byte] ^= 0x80;
            let import = Context::import(context.facts().package, &ExportKey::new(Secret::new(wrong)), &blob);
            assert_eq!(import.unwrap_err().cause, CallCause::BadExport.into());
        }
        // Not by its owner either.
        let body = context.body(false).unwrap();
        assert!(is_bad(&key().seal(other, [1; NONCE], body).unwrap(), other));
    }
    assert!(!format!("{:?}", key()).contains('7'));
}

#[test]
fn nonces_come_from_the_call() {
    let [context, _] = spoken();
    let mut random = counting();
    let blobs = [(); 2].map(|()| context.export(&key(), &mut random, false).unwrap());
    assert_eq!(blobs[0].len(), blobs[1].len());
    assert_ne!(blobs[0][HEADER.len() + NONCE..], blobs[1][HEADER.len() + NONCE..]);
    let session_key = context.facts().session_key.as_ref().unwrap().expose();
    assert!(!blobs[0].windows(16).any(|window| window == session_key) && !blobs[0].windows(3).any(|w| w == b"ann"));
    let mut broken = |_: &mut [u8]| Err(NoRandomness);
    assert_eq!(context.export(&key(), &mut broken, false).unwrap_err().cause, CallCause::NoRandomness.into());
}

/// Whoever has the key may seal anything: it is refused or a context, and never a panic or a great allocation.
#[test]
fn bodies_are_read_with_care() {
    let (mut plain, mut client) = with_flags(Flags::SEAL);
    talk(&mut plain, &mut client);
    let [ntlm, negotiate] = spoken();
    for context in [plain, ntlm, negotiate] {
        let body = context.body(false).unwrap().into_bytes();
        let read = |bytes: &[u8]| Context::read(&mut Reader::new(bytes));
        assert!(read(body.expose()).is_ok());
        assert!(read(&[body.expose(), &[0][..]].concat()).is_err());
        for at in 0..body.expose().len() {
            assert!(read(&body.expose()[..at]).is_err(), "cut at {at}");
            for value in [0, 1, 0x7f, 0xff, body.expose()[at] ^ 1] {
                let mut altered = body.expose().clone();
                altered[at] = value;
                if let Ok(mut context) = read(&altered) {
                    let _ = context.sign(&mut [Segment::SignOnly(b"text"), Segment::Token(&mut [0; 16])]);
                    let _ = context.facts().access_token();
                    assert!(context.body(false).is_ok());
                }
                // A count of four bytes, and whatever follows.
                altered.iter_mut().skip(at).take(4).for_each(|byte| *byte = value);
                let _ = read(&altered);
            }
        }
        // The seal does not help.
        let (mut cut, package) = (Body::new(), context.facts().package);
        cut.bytes(&body.expose()[..100]);
        assert!(is_bad(&key().seal(package, [1; NONCE], cut).unwrap(), package));
    }
}

/// The body's form by its digest: whoever changes it changes the version in [`HEADER`] too.
#[test]
fn the_form_of_version_2() {
    use md5::{Digest, Md5};
    let digest = |flags: Flags| {
        let protection = SessionKeys::new(&Secret::new([5; 16]), flags, Sender::Server, true);
        let facts = Facts {
            package: &package::NTLM,
            role: Role::Acceptor,
            account: Some(Arc::new(ann())),
            claim: Claim::new("Ann", "corp", "PC1", "HTTP/web1"),
            version: "NTLMv2",
            granted: SIGNED,
            start: UNIX_EPOCH,
            expiry: ann().logoff_at,
            sizes: Sizes { max_token: 1, max_signature: 2, block_size: 3, security_trailer: 4 },
            key_info: protection.key_info(),
            session_key: protection.session_key(),
            bindings: BindingsOutcome::Matched,
            bindings_aware: true,
            logon_id: 6,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        };
        let context = Context::new(facts, Box::new(protection)).within(&package::NEGOTIATE, Negotiation::Complete);
        let mut context = copy(&context, false);
        context.sign(&mut [Segment::Token(&mut [0; 16])]).unwrap();
        let digest = Md5::digest(context.body(false).unwrap().into_bytes().expose());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(digest(Flags::SIGN), "d5d892c66f7623206d9fefa461adbbab");
    assert_eq!(digest(Flags::SIGN | Flags::EXTENDED_SESSION_SECURITY), "1b8668bf28a20a6df6676f523a94900b");
}

/// Keys that cannot leave their process.
struct Kept;

impl Protection for Kept {
    fn halves(&self) -> Halves {
        crate::protection::NoKeys.halves()
    }

    fn make_list_mic(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn check_list_mic(&mut self, _: &[u8], _: &[u8]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }
}

#[test]
fn what_cannot_be_exported() {
    let refused = |context: &Context| {
        let failure = context.export(&key(), &mut counting(), false).unwrap_err();
        assert_eq!(failure.status, Status::SEC_E_UNSUPPORTED_FUNCTION);
        failure.cause.name() == "call/not-exportable"
    };
    let [kept, _] = spoken();
    assert!(refused(&Context { protection: Box::new(Kept), ..kept }));
    // Nor what is too large to be imported.
    let [mut large, _] = spoken();
    let facts = Arc::get_mut(&mut large.facts).unwrap();
    facts.account = Some(Arc::new(Account { name: "n".repeat(MAX_BODY), ..ann() }));
    assert!(refused(&large));
}

#[test]
fn halves_are_reunited_with_their_own() {
    for (acceptor, initiator) in both_packages() {
        let (ours, mut theirs) = meet(&acceptor, &initiator, SEALED);
        let (mut sealer, mut opener, facts) = ours.split();
        let (mut data, mut signature) = (b"out".to_vec(), [0; 16]);
        sealer.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        theirs.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        theirs.sign(&mut [Segment::SignOnly(b"in"), Segment::Token(&mut signature)]).unwrap();
        opener.verify(&mut [Segment::SignOnly(b"in"), Segment::Token(&mut signature)]).unwrap();

        // The same client, the same keys, and still not the same context.
        let (other, _) = meet(&acceptor, &initiator, SEALED);
        let (other_sealer, other_opener, _) = other.split();
        let Err((sealer, other_opener)) = Context::reunite(sealer, other_opener) else { panic!("strangers") };
        let Err((other_sealer, opener)) = Context::reunite(other_sealer, opener) else { panic!("strangers") };
        assert!(Context::reunite(other_sealer, other_opener).is_ok());

        let Ok(mut ours) = Context::reunite(sealer, opener) else { panic!("one context") };
        assert!(std::ptr::eq(ours.facts(), &*facts));
        talk(&mut ours, &mut theirs);
        talk(&mut copy(&ours, true), &mut copy(&theirs, true));
        let mut ours = copy(&ours, false);
        talk(&mut ours, &mut theirs);
        // Copies are apart from each other, too.
        let (sealer, opener, _) = copy(&ours, false).split();
        let (again, _, _) = copy(&ours, false).split();
        let Err((_, opener)) = Context::reunite(again, opener) else { panic!("two copies") };
        let Ok(mut ours) = Context::reunite(sealer, opener) else { panic!("one copy") };
        talk(&mut ours, &mut theirs);
    }
}
