//! Negotiate around a mechanism that does what it is told: what NTLM never does, whose last word is the client's. The
//! mechanism stands where Kerberos will.

use super::{AcceptorMechanism, Initiator, InitiatorMechanism, Negotiate};
use crate::credential::Package;
use crate::handshake::{Input, Next, Step};
use crate::protection::{NoKeys, Open, Protection, Seal};
use crate::*;
use portcullis_wire::der::Oid;
use portcullis_wire::spnego::{
    KERBEROS, KERBEROS_MICROSOFT, MechTypes, NEGOEX, NTLM, NegState, NegTokenInit, NegTokenResp,
};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// What the double answers to a token, on either side:
/// `one`: through, nothing to say. `two`: through, with a last token `reply`. `more`: a token `reply`, and more is due.
/// `bad`: refused, with the error token `error`. Anything else is refused without a word.
struct Double {
    info: &'static PackageInfo,
    /// An initiator's first token.
    begins: &'static [u8],
    keys: Keys,
}

#[derive(Clone, Copy, PartialEq)]
enum Keys {
    /// There are none.
    None,
    /// The list is signed where somebody asks for it.
    Willing,
    /// The list must be signed.
    Demanding,
}

const LIKE_KERBEROS: PackageInfo =
    PackageInfo { name: "Kerberos", mechanism_oids: &[KERBEROS_MICROSOFT, KERBEROS], ..package::NTLM };

static KERBEROS_INFO: PackageInfo = LIKE_KERBEROS;

impl Package for Double {
    fn info(&self) -> &'static PackageInfo {
        self.info
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(Going { double: self })
    }
}

struct Going {
    double: Arc<Double>,
}

impl Step for Going {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut crate::call::Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(token) = input else { panic!("the double asks nothing") };
        let ours = [&b"one"[..], b"two", b"more", b"bad", b""].contains(&token);
        assert!(
            !ours || leg.want.flags.contains(ContextFlags::INTEGRITY),
            "integrity is always asked inside Negotiate"
        );
        let done = |double: &Double, leg: &crate::call::Leg<'_>| Ok(Next::Done(double.context(leg)));
        match token {
            b"" => {
                leg.out.extend_from_slice(self.double.begins);
                Ok(Next::Token(self))
            }
            b"one" => done(&self.double, leg),
            b"two" => {
                leg.out.extend_from_slice(b"reply");
                done(&self.double, leg)
            }
            b"more" => {
                leg.out.extend_from_slice(b"reply");
                Ok(Next::Token(self))
            }
            b"bad" => {
                leg.out.extend_from_slice(b"error");
                Err(ntlm::Cause::MicWrong.into())
            }
            _ => Err(ntlm::Cause::NoCharset.into()),
        }
    }
}

impl Double {
    fn context(&self, leg: &crate::call::Leg<'_>) -> Context {
        let facts = Facts {
            package: self.info,
            role: Role::Acceptor,
            account: None,
            claim: Claim::new("", "", "", ""),
            version: "double",
            granted: ContextFlags::NONE.with(ContextFlags::INTEGRITY, self.keys != Keys::None),
            start: leg.now,
            expiry: None,
            sizes: Sizes { max_token: 1, max_signature: 1, block_size: 0, security_trailer: 1 },
            key_info: None,
            session_key: None,
            bindings: BindingsOutcome::Unchecked,
            bindings_aware: false,
            logon_id: 0,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        };
        Context::new(facts, Box::new(Signs(self.keys)))
    }
}

/// Signs a list with the words `signed` and the list; the peer's signature is the same.
struct Signs(Keys);

impl Protection for Signs {
    fn halves(&self) -> (Box<dyn Seal>, Box<dyn Open>) {
        (Box::new(NoKeys), Box::new(NoKeys))
    }

    fn demands_list_mic(&self) -> bool {
        self.0 == Keys::Demanding
    }

    fn make_list_mic(&mut self, list: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(signed(list))
    }

    fn check_list_mic(&mut self, list: &[u8], mic: &[u8]) -> Result<(), Failure> {
        if mic == signed(list) { Ok(()) } else { Err(CallCause::BadSignature.into()) }
    }
}

fn signed(list: &[u8]) -> Vec<u8> {
    [b"signed ", list].concat()
}

/// A mechanism that must not be tried.
struct Never;

impl Package for Never {
    fn info(&self) -> &'static PackageInfo {
        &package::NTLM
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        panic!("this mechanism must not be begun")
    }
}

fn acceptor(keys: Keys) -> Credential {
    let double = Double { info: &KERBEROS_INFO, begins: b"", keys };
    Credential::acceptor(Negotiate::offering([AcceptorMechanism(Arc::new(double)), AcceptorMechanism(Arc::new(Never))]))
}

/// Gives tokens in turn. Each line of the result: how the call ended, and what came out.
fn says(credential: &Credential, tokens: &[Vec<u8>]) -> Vec<String> {
    let mut waiting = Some(credential.begin());
    let mut lines = Vec::new();
    for token in tokens {
        let Some(begun) = waiting.take() else { break };
        let mut out = Vec::new();
        let (mut random, mut events) = (|_: &mut [u8]| Ok(()), ());
        let call = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
        let ended = match begun.token(token, call) {
            Ok(Handshake::NeedsToken(next)) => {
                waiting = Some(next);
                "continue".to_owned()
            }
            Ok(Handshake::NeedsAnswer(_)) => "asks".to_owned(),
            Ok(Handshake::Incomplete { .. }) => panic!("a package of messages knows no part of one"),
            Ok(Handshake::Established(context)) => {
                assert_eq!(context.facts().package.name, "Negotiate");
                "ok".to_owned()
            }
            Err(failure) => failure.cause.name().to_owned(),
        };
        lines.push(format!("{ended}: {}", shown(&out)));
    }
    lines
}

/// A reply in words.
fn shown(reply: &[u8]) -> String {
    if reply.is_empty() {
        return "nothing".to_owned();
    }
    let Ok(reply) = NegTokenResp::decode(reply) else { return format!("{} bytes", reply.len()) };
    let state = reply.state.map(|state| state.name().to_owned());
    let named = reply.supported_mech.map(|oid| format!("names {oid}"));
    let token = reply.response_token.map(|token| String::from_utf8_lossy(token).into_owned());
    let mic = reply.mech_list_mic.map(|_| "signed".to_owned());
    [state, named, token, mic].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn offer(mechanisms: &[Oid<'_>], token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let list = MechTypes::encode(mechanisms);
    let mech_types = MechTypes::decode(&list).unwrap();
    let mut out = Vec::new();
    NegTokenInit { mech_types, req_flags: None, mech_token: token, hint_name: None, mech_list_mic: mic }
        .encode(&mut out);
    out
}

fn response(token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    reply(None, None, token, mic)
}

fn reply(state: Option<NegState>, named: Option<Oid<'_>>, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    NegTokenResp { state, supported_mech: named, response_token: token, mech_list_mic: mic }.encode(&mut out);
    out
}

const BOTH: &[Oid<'_>] = &[KERBEROS_MICROSOFT, KERBEROS, NTLM];
const NEGOEX_FIRST: &[Oid<'_>] = &[NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM];

/// Windows clients want the name echoed that they gave (MS-SPNG 3.2.5.1): the misspelt one where that comes first.
#[test]
fn the_clients_own_name_is_echoed() {
    let (misspelt, right) = ("1.2.840.48018.1.2.2", "1.2.840.113554.1.2.2");
    let rows: [(&[Oid<'_>], &str); 4] = [
        (BOTH, misspelt),
        (&[KERBEROS, KERBEROS_MICROSOFT], right),
        (&[KERBEROS], right),
        (&[KERBEROS_MICROSOFT, NTLM], misspelt),
    ];
    for (list, name) in rows {
        let lines = says(&acceptor(Keys::Willing), &[offer(list, Some(b"two"), None)]);
        assert_eq!(lines, [format!("ok: accept-completed, names {name}, reply")]);
    }
    // Both names are of one mechanism, so the first one's token is good though the other is not first.
    let lines = says(&acceptor(Keys::Willing), &[offer(NEGOEX_FIRST, Some(b"two"), None)]);
    assert_eq!(lines, [format!("continue: request-mic, names {misspelt}")], "NEGOEX's token is dropped");
}

/// The acceptor's last token goes with its signature, and the client's signature is awaited (RFC 4178 §5, case b).
#[test]
fn a_signed_list_where_the_acceptor_speaks_last() {
    let list = MechTypes::encode(NEGOEX_FIRST);
    let first = offer(NEGOEX_FIRST, Some(b"whatever"), None);
    let talk = |second: Vec<u8>, third: Vec<u8>| says(&acceptor(Keys::Willing), &[first.clone(), second, third]);
    let asked = "continue: request-mic, names 1.2.840.48018.1.2.2";
    let ours = "continue: accept-incomplete, reply, signed";
    let right = response(None, Some(&signed(&list)));
    assert_eq!(talk(response(Some(b"two"), None), right.clone()), [asked, ours, "ok: nothing"]);
    // With the client's signature on its token all is said.
    let both = response(Some(b"two"), Some(&signed(&list)));
    assert_eq!(talk(both, Vec::new()), [asked, "ok: accept-completed, reply, signed"]);
    // Wrong, over another list, and instead of it: nothing, a token, an offer, a state.
    let other = signed(&MechTypes::encode(BOTH));
    let rows = [
        (response(None, Some(&other)), "negotiate/list-mic-wrong"),
        (response(None, Some(b"")), "negotiate/list-mic-wrong"),
        (response(None, None), "negotiate/list-mic-missing"),
        (response(Some(b"one"), None), "negotiate/list-mic-missing"),
        (response(Some(b"one"), Some(&signed(&list))), "negotiate/unexpected-move"),
        (reply(Some(NegState::Reject), None, None, Some(&signed(&list))), "negotiate/rejected-by-peer"),
        (reply(Some(NegState::RequestMic), None, None, Some(&signed(&list))), "negotiate/unexpected-move"),
        (reply(None, Some(NTLM), None, Some(&signed(&list))), "negotiate/unexpected-move"),
        (first.clone(), "negotiate/unexpected-move"),
        (Vec::new(), "negotiate/token-missing"),
        (b"NTLMSSP\0".to_vec(), "negotiate/unexpected-move"),
        ([right.clone(), vec![0]].concat(), "negotiate/malformed-token"),
    ];
    for (third, cause) in rows {
        let lines = talk(response(Some(b"two"), None), third.clone());
        assert_eq!(lines, [asked, ours, &format!("{cause}: reject")], "{third:02x?}");
    }
    // In pieces too.
    let mut tokens = vec![first.clone(), response(Some(b"two"), None)];
    tokens.extend(right.iter().map(|byte| vec![*byte]));
    let lines = says(&acceptor(Keys::Willing), &tokens);
    assert_eq!(lines.last().map(String::as_str), Some("ok: nothing"));
    assert!(lines[2..lines.len() - 1].iter().all(|line| line == "continue: nothing"));
}

/// The client's one token is the mechanism's last, and the mechanism wants a signature (case c IV).
#[test]
fn a_signed_list_after_one_token() {
    let list = MechTypes::encode(BOTH);
    let name = "names 1.2.840.48018.1.2.2";
    for (token, said) in [(b"one", ""), (b"two", ", reply")] {
        let first = offer(BOTH, Some(token), None);
        let asked = format!("continue: request-mic, {name}{said}, signed");
        let talk = |second| says(&acceptor(Keys::Demanding), &[first.clone(), second]);
        assert_eq!(talk(response(None, Some(&signed(&list)))), [&asked, "ok: nothing"]);
        assert_eq!(talk(response(None, None)), [&asked, "negotiate/list-mic-missing: reject"]);
        assert_eq!(talk(response(None, Some(b"x"))), [&asked, "negotiate/list-mic-wrong: reject"]);
    }
    // Signed with the offer: the first token already made the keys.
    let whole = offer(BOTH, Some(b"two"), Some(&signed(&list)));
    let lines = says(&acceptor(Keys::Demanding), &[whole]);
    assert_eq!(lines, [format!("ok: accept-completed, {name}, reply, signed")]);
    let wrong = offer(BOTH, Some(b"two"), Some(b"x"));
    assert_eq!(says(&acceptor(Keys::Demanding), &[wrong]), ["negotiate/list-mic-wrong: reject, reply"]);
}

/// A signature that is due with the client's last token, after which the acceptor has nothing to say.
#[test]
fn a_signed_list_where_the_client_speaks_last() {
    let list = MechTypes::encode(NEGOEX_FIRST);
    let first = offer(NEGOEX_FIRST, None, None);
    let talk = |keys, second| says(&acceptor(keys), &[first.clone(), second]).pop().unwrap();
    let right = signed(&list);
    assert_eq!(talk(Keys::Willing, response(Some(b"one"), Some(&right))), "ok: accept-completed, signed");
    assert_eq!(talk(Keys::Willing, response(Some(b"one"), None)), "negotiate/list-mic-missing: reject");
    assert_eq!(talk(Keys::None, response(Some(b"one"), None)), "negotiate/list-mic-missing: reject");
    assert_eq!(talk(Keys::None, response(Some(b"two"), None)), "negotiate/list-mic-missing: reject, reply");
    // There are no keys before the mechanism is through.
    let early = response(Some(b"more"), Some(&right));
    assert_eq!(talk(Keys::Willing, early), "negotiate/unexpected-move: reject, reply");
}

/// A mechanism that fails fails the handshake, with its error token for the client; nothing else is tried.
#[test]
fn an_error_token_goes_with_the_rejection() {
    for (token, line) in [(b"bad", "ntlm/mic-wrong: reject, error"), (b"xxx", "ntlm/no-charset: reject")] {
        assert_eq!(says(&acceptor(Keys::Willing), &[offer(BOTH, Some(token), None)]), [line]);
        let begun = offer(BOTH, None, None);
        let lines = says(&acceptor(Keys::Willing), &[begun, response(Some(token), None)]);
        assert_eq!(lines[1], line);
    }
}

/// Without negotiation the mechanism's answers have no frame.
#[test]
fn the_mechanism_alone() {
    let mut framed = Vec::new();
    portcullis_wire::spnego::frame(KERBEROS, b"two", &mut framed);
    // The double does not know frames: it says so itself, which shows that it was asked.
    assert_eq!(says(&acceptor(Keys::Willing), &[framed]), ["ntlm/no-charset: nothing"]);
    assert_eq!(says(&acceptor(Keys::Willing), &[vec![0x6e, 0x00]]), ["ntlm/no-charset: nothing"]);
}

fn initiator(keys: Keys) -> Credential {
    let double = |info, begins| InitiatorMechanism(Arc::new(Double { info, begins, keys }));
    Credential::initiator(Initiator::trying([double(&KERBEROS_INFO, b"ticket"), double(&package::NTLM, b"hello")]))
}

/// The initiator's list, as it offers it.
fn offered() -> Vec<u8> {
    MechTypes::encode(BOTH)
}

#[test]
fn an_initiator_whose_server_speaks_last() {
    use NegState::{AcceptCompleted, AcceptIncomplete, RequestMic};
    let list = signed(&offered());
    let rows = [
        // Nobody wants a signature.
        (Keys::Willing, reply(Some(AcceptCompleted), Some(KERBEROS), Some(b"one"), None), vec![], "ok: nothing"),
        // The server sends one although it need not: it gets one back.
        (
            Keys::Willing,
            reply(Some(AcceptIncomplete), Some(KERBEROS), Some(b"one"), Some(&list)),
            vec![],
            "ok: accept-completed, signed",
        ),
        (
            Keys::Willing,
            reply(Some(RequestMic), Some(KERBEROS), Some(b"one"), Some(&list)),
            vec![],
            "ok: accept-completed, signed",
        ),
        (
            Keys::Demanding,
            reply(Some(AcceptIncomplete), Some(KERBEROS), Some(b"one"), Some(&list)),
            vec![],
            "ok: accept-completed, signed",
        ),
        // This side speaks last: its token and signature, then the server's.
        (
            Keys::Willing,
            reply(Some(RequestMic), Some(KERBEROS), Some(b"two"), None),
            reply(Some(AcceptCompleted), None, None, Some(&list)),
            "ok: nothing",
        ),
        // A signature that is due and does not come, or is wrong.
        (
            Keys::Willing,
            reply(Some(RequestMic), Some(KERBEROS), Some(b"two"), None),
            reply(Some(AcceptCompleted), None, None, None),
            "negotiate/list-mic-missing: nothing",
        ),
        (
            Keys::Willing,
            reply(Some(RequestMic), Some(KERBEROS), Some(b"two"), None),
            reply(Some(AcceptCompleted), None, None, Some(b"x")),
            "negotiate/list-mic-wrong: nothing",
        ),
        (
            Keys::Demanding,
            reply(Some(AcceptCompleted), Some(KERBEROS), Some(b"one"), None),
            vec![],
            "negotiate/list-mic-missing: nothing",
        ),
        (
            Keys::None,
            reply(Some(RequestMic), Some(KERBEROS), Some(b"one"), None),
            vec![],
            "negotiate/list-mic-missing: nothing",
        ),
        // Through, but this side is not.
        (
            Keys::Willing,
            reply(Some(AcceptCompleted), Some(KERBEROS), Some(b"two"), None),
            vec![],
            "negotiate/unexpected-move: nothing",
        ),
        (
            Keys::Willing,
            reply(Some(AcceptCompleted), Some(KERBEROS), Some(b"more"), None),
            vec![],
            "negotiate/unexpected-move: nothing",
        ),
        // Not through, and nothing to go on with.
        (
            Keys::Willing,
            reply(Some(AcceptIncomplete), Some(KERBEROS), Some(b"one"), None),
            vec![],
            "negotiate/unexpected-move: nothing",
        ),
        // The mechanism refuses the server.
        (
            Keys::Willing,
            reply(Some(AcceptCompleted), Some(KERBEROS), Some(b"bad"), None),
            vec![],
            "ntlm/mic-wrong: nothing",
        ),
    ];
    for (keys, first, second, expected) in rows {
        let mut tokens = vec![Vec::new(), first.clone()];
        tokens.extend(Some(second).filter(|second| !second.is_empty()));
        let lines = says(&initiator(keys), &tokens);
        assert_eq!(lines.last().map(String::as_str), Some(expected), "{}", shown(&first));
    }
}

/// The server takes the second mechanism: that one begins, and both sides sign the list.
#[test]
fn an_initiator_whose_server_wants_another_mechanism() {
    use NegState::{AcceptCompleted, AcceptIncomplete, RequestMic};
    let list = signed(&offered());
    for state in [RequestMic, AcceptIncomplete] {
        let chosen = reply(Some(state), Some(NTLM), None, None);
        let begin = "continue: accept-incomplete, hello";
        let signs = "continue: accept-incomplete, reply, signed";
        let more = reply(Some(AcceptIncomplete), None, Some(b"two"), None);
        let talk = |last| says(&initiator(Keys::Willing), &[vec![], chosen.clone(), more.clone(), last])[1..].to_vec();
        let right = reply(Some(AcceptCompleted), None, None, Some(&list));
        assert_eq!(talk(right), [begin, signs, "ok: nothing"], "{state:?}");
        // An attacker who talked both down to the weaker mechanism cannot sign.
        let without = reply(Some(AcceptCompleted), None, None, None);
        assert_eq!(talk(without), [begin, signs, "negotiate/list-mic-missing: nothing"], "{state:?}");
        let wrong = reply(Some(AcceptCompleted), None, None, Some(&signed(&MechTypes::encode(&[NTLM]))));
        assert_eq!(talk(wrong), [begin, signs, "negotiate/list-mic-wrong: nothing"], "{state:?}");
    }
    for (odd, cause) in [
        (reply(Some(AcceptCompleted), Some(NTLM), None, None), "negotiate/unexpected-move"),
        (reply(Some(RequestMic), Some(NTLM), Some(b"two"), None), "negotiate/unexpected-move"),
        (reply(Some(RequestMic), Some(NEGOEX), None, None), "negotiate/unexpected-move"),
    ] {
        assert_eq!(says(&initiator(Keys::Willing), &[vec![], odd])[1], format!("{cause}: nothing"));
    }
    // A change of mind after the first reply.
    let go_on = reply(Some(AcceptIncomplete), Some(KERBEROS), Some(b"more"), None);
    let change = reply(Some(AcceptIncomplete), Some(NTLM), None, None);
    assert_eq!(says(&initiator(Keys::Willing), &[vec![], go_on, change])[2], "negotiate/unexpected-move: nothing");
}
