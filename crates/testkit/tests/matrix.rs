//! The transition matrix: each state of each handshake, given each kind of input. `snapshots/matrix.txt` is what comes of
//! it, read by people; that nothing unexpected establishes is asserted here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::negotiate::{self, Negotiate};
use portcullis::ntlm::{self, Ntlm};
use portcullis::{Authority, ContextFlags, Credential, Handshake, NeedsAnswer, NeedsToken, Refusal, Secret};
use portcullis_testkit::spnego::{offer, response};
use portcullis_testkit::{Foretold, Host, Initiator, Realm, Settings, server_names};
use portcullis_wire::ntlm::{AvId, Challenge, Flags, push_av_pair};
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, NEGOEX, NTLM, NegState, NegTokenInit, NegTokenResp};
use portcullis_wire::utf16;
use std::fmt::Write as _;
use std::path::Path;

/// A state, and how to come to it.
struct State {
    name: &'static str,
    credential: fn() -> Credential,
    /// The tokens that lead there.
    path: Vec<Vec<u8>>,
    /// The inputs that may establish.
    establishes: &'static [&'static str],
}

fn ntlm() -> Ntlm {
    Ntlm::new(server_names())
}

fn ntlm_acceptor() -> Credential {
    Credential::acceptor(ntlm())
}

fn negotiate_acceptor() -> Credential {
    Credential::acceptor(Negotiate::offering([ntlm().into()]))
}

fn client() -> ntlm::Initiator {
    ntlm::Initiator::with_password("User", "DOMAIN", &Secret::new("Password".to_owned()))
}

fn ntlm_initiator() -> Credential {
    Credential::initiator(client())
}

fn negotiate_initiator() -> Credential {
    Credential::initiator(negotiate::Initiator::trying([client().into()]))
}

fn states() -> Vec<State> {
    let negotiate = || Initiator::user().negotiate();
    let begun = || offer(&[NTLM], Some(&negotiate()), None);
    let second_choice = || offer(&[NEGOEX, NTLM], Some(b"NEGOEXTS"), None);
    let acceptor = |name, path, establishes| State { name, credential: negotiate_acceptor, path, establishes };
    vec![
        State { name: "ntlm acceptor: start", credential: ntlm_acceptor, path: vec![], establishes: &[] },
        State {
            name: "ntlm acceptor: after NEGOTIATE",
            credential: ntlm_acceptor,
            path: vec![negotiate()],
            establishes: &["raw AUTHENTICATE"],
        },
        acceptor("negotiate acceptor: start", vec![], &[]),
        acceptor("negotiate acceptor: after the hint", vec![vec![]], &[]),
        acceptor("negotiate acceptor: a piece of the offer came", vec![begun()[..9].to_vec()], &[]),
        acceptor(
            "negotiate acceptor: after an offer with NEGOTIATE",
            vec![begun()],
            &["response: AUTHENTICATE, signed"],
        ),
        acceptor("negotiate acceptor: after an offer without a token", vec![offer(&[NTLM], None, None)], &[]),
        acceptor("negotiate acceptor: signature asked for", vec![second_choice()], &[]),
        acceptor(
            "negotiate acceptor: signature asked for, after NEGOTIATE",
            vec![second_choice(), response(None, Some(&negotiate()), None)],
            &["response: AUTHENTICATE, list of NEGOEX and NTLM signed"],
        ),
        acceptor(
            "negotiate acceptor: a piece of the response came",
            vec![begun(), response(None, Some(&[0; 64]), None)[..4].to_vec()],
            &[],
        ),
        acceptor("negotiate acceptor: after raw NEGOTIATE", vec![negotiate()], &["raw AUTHENTICATE"]),
        State { name: "ntlm initiator: start", credential: ntlm_initiator, path: vec![], establishes: &[] },
        State {
            name: "ntlm initiator: after NEGOTIATE",
            credential: ntlm_initiator,
            path: vec![vec![]],
            establishes: &["raw CHALLENGE"],
        },
        State { name: "negotiate initiator: start", credential: negotiate_initiator, path: vec![], establishes: &[] },
        State {
            name: "negotiate initiator: after the offer",
            credential: negotiate_initiator,
            path: vec![vec![]],
            establishes: &[],
        },
        State {
            name: "negotiate initiator: after AUTHENTICATE",
            credential: negotiate_initiator,
            path: vec![vec![], reply(NegState::AcceptIncomplete, Some(&challenge()), None)],
            establishes: &[],
        },
    ]
}

fn challenge() -> Vec<u8> {
    let mut pairs = Vec::new();
    for id in [AvId::NB_DOMAIN_NAME, AvId::NB_COMPUTER_NAME] {
        push_av_pair(&mut pairs, id, &utf16::encode("S"));
    }
    push_av_pair(&mut pairs, AvId::EOL, &[]);
    let message = Challenge {
        target_name: &utf16::encode("S"),
        flags: Flags(0xe089_8235),
        server_challenge: [7; 8],
        target_info: &pairs,
        version: None,
    };
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

fn reply(state: NegState, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    response(Some(state), token, mic)
}

/// An input: made from what the state's last call gave out, since a proof answers a challenge.
type Make = Box<dyn Fn(&[u8]) -> Vec<u8>>;

fn inputs() -> Vec<(&'static str, Make)> {
    let fixed = |bytes: Vec<u8>| -> Make { Box::new(move |_| bytes.clone()) };
    let negotiate = Initiator::user().negotiate();
    let hint = {
        let mut out = Vec::new();
        NegTokenInit::encode_hint(&[NTLM], &mut out);
        out
    };
    let named = |oid| {
        let mut out = Vec::new();
        let state = Some(NegState::AcceptIncomplete);
        NegTokenResp { state, supported_mech: Some(oid), response_token: None, mech_list_mic: None }.encode(&mut out);
        out
    };
    let framed = {
        let mut out = Vec::new();
        portcullis_wire::spnego::frame(KERBEROS, &[0x01, 0x00], &mut out);
        out
    };
    vec![
        ("nothing", fixed(Vec::new())),
        ("raw NEGOTIATE", fixed(negotiate.clone())),
        ("raw CHALLENGE", fixed(challenge())),
        ("raw AUTHENTICATE", Box::new(|said| proof(said, "Password").0)),
        ("raw AUTHENTICATE, wrong password", Box::new(|said| proof(said, "other").0)),
        ("raw Kerberos", fixed(framed)),
        ("raw AP-REQ", fixed(vec![0x6e, 0x02, 0x30, 0x00])),
        ("raw NEGOEX", fixed(b"NEGOEXTS".to_vec())),
        ("text", fixed(b"Basic dTpw".to_vec())),
        ("offer of NTLM with NEGOTIATE", fixed(offer(&[NTLM], Some(&negotiate), None))),
        ("offer of NTLM", fixed(offer(&[NTLM], None, None))),
        ("offer of NTLM, signed", fixed(offer(&[NTLM], Some(&negotiate), Some(&[1; 16])))),
        ("offer of NEGOEX, then NTLM", fixed(offer(&[NEGOEX, NTLM], Some(b"NEGOEXTS"), None))),
        ("offer of what is not here", fixed(offer(&[KERBEROS_MICROSOFT, KERBEROS], Some(b"x"), None))),
        ("offer of nothing", fixed(offer(&[], None, None))),
        ("hint", fixed(hint)),
        ("half an offer", fixed(offer(&[NTLM], Some(&negotiate), None)[..20].to_vec())),
        ("two offers", fixed(offer(&[NTLM], Some(&negotiate), None).repeat(2))),
        ("response: nothing", fixed(response(None, None, None))),
        ("response: NEGOTIATE", fixed(response(None, Some(&negotiate), None))),
        ("response: CHALLENGE", fixed(response(None, Some(&challenge()), None))),
        ("response: CHALLENGE, completed", fixed(reply(NegState::AcceptCompleted, Some(&challenge()), None))),
        ("response: AUTHENTICATE", Box::new(|said| response(None, Some(&proof(said, "Password").0), None))),
        ("response: AUTHENTICATE, signed", Box::new(|said| signed(said, "Password", &[NTLM]))),
        ("response: AUTHENTICATE, list of NEGOEX and NTLM signed", {
            Box::new(|said| signed(said, "Password", &[NEGOEX, NTLM]))
        }),
        ("response: AUTHENTICATE, wrong password, signed", Box::new(|said| signed(said, "other", &[NTLM]))),
        ("response: AUTHENTICATE, wrongly signed", {
            Box::new(|said| response(None, Some(&proof(said, "Password").0), Some(&[1; 16])))
        }),
        ("response: signature", fixed(response(None, None, Some(&[1; 16])))),
        ("response: completed", fixed(reply(NegState::AcceptCompleted, None, None))),
        ("response: completed, wrongly signed", fixed(reply(NegState::AcceptCompleted, None, Some(&[1; 16])))),
        ("response: incomplete", fixed(reply(NegState::AcceptIncomplete, None, None))),
        ("response: asks for a signature", fixed(reply(NegState::RequestMic, None, None))),
        ("response: rejects", fixed(reply(NegState::Reject, None, None))),
        ("response: names NTLM", fixed(named(NTLM))),
        ("response: names another", fixed(named(KERBEROS))),
        ("response: half", fixed(response(None, Some(&negotiate), None)[..5].to_vec())),
        ("response: a byte behind", fixed([response(None, Some(&negotiate), None), vec![0]].concat())),
    ]
}

/// AUTHENTICATE for the CHALLENGE in what was said, or for one of nobody's.
fn proof(said: &[u8], password: &str) -> (Vec<u8>, portcullis_testkit::Session) {
    let client = Initiator { password: password.into(), ..Initiator::user() };
    let inside = NegTokenResp::decode(said).ok().and_then(|reply| reply.response_token).unwrap_or(said);
    client
        .authenticate(&client.negotiate(), inside)
        .or_else(|| client.authenticate(&client.negotiate(), &challenge()))
        .unwrap()
}

fn signed(said: &[u8], password: &str, list: &[portcullis_wire::der::Oid<'_>]) -> Vec<u8> {
    let (message, mut session) = proof(said, password);
    let mic = session.list_mic(&portcullis_wire::spnego::MechTypes::encode(list));
    response(None, Some(&message), Some(&mic))
}

/// Comes to a state: what waits there, and what the last call gave out.
fn reach<'s>(state: &State, settings: &'s Settings) -> (Host<'s, Foretold>, NeedsToken, Vec<u8>) {
    let mut host = Host::new(settings, Foretold::scripted(&settings.server_challenge, 1));
    let (mut waiting, mut said) = ((state.credential)().begin(), Vec::new());
    for token in &state.path {
        let Some(Handshake::NeedsToken(next)) = host.call(|call| waiting.token(token, call)) else {
            panic!("{}: the path does not lead there", state.name)
        };
        waiting = next;
        said = host.take_output();
    }
    (host, waiting, said)
}

#[test]
fn every_state_and_every_input() {
    let settings = Settings::default().wanting(ContextFlags::CONFIDENTIALITY);
    let mut text = String::from("Each state, given each kind of input; written by crates/testkit/tests/matrix.rs.\n");
    let (mut cells, mut established) = (0, 0);
    for state in states() {
        writeln!(text, "\n{}", state.name).unwrap();
        for (name, make) in inputs() {
            let (mut host, waiting, said) = reach(&state, &settings);
            let mut at = host.call(|call| waiting.token(&make(&said), call));
            let asked = matches!(at, Some(Handshake::NeedsAnswer(_)));
            if let Some(Handshake::NeedsAnswer(asking)) = at {
                at = host.call(|call| asking.ask(&Realm::of_user(), call));
            }
            let out = host.take_output();
            let ended = match at {
                Some(Handshake::Established(_)) => {
                    assert!(state.establishes.contains(&name), "{}: {name} established", state.name);
                    established += 1;
                    "established"
                }
                Some(_) => "goes on",
                None => host.finish().cause_name(),
            };
            let question = if asked { " (asked the authority)" } else { "" };
            writeln!(text, "  {name:<56} {ended}{question}; {}", shown(&out)).unwrap();
            cells += 1;
        }
    }
    let expected: usize = states().iter().map(|state| state.establishes.len()).sum();
    assert_eq!(established, expected, "every input that must establish does");
    assert!(cells > 500, "{cells} cells");
    compare("matrix.txt", &text);
}

/// What a call gave out, in a word or two.
fn shown(out: &[u8]) -> String {
    if out.is_empty() {
        return "says nothing".into();
    }
    if let Ok(reply) = NegTokenResp::decode(out) {
        return format!("says {}", reply.state.map_or("something", NegState::name));
    }
    let kind = if out.starts_with(b"NTLMSSP\0") { "NTLM" } else { "an offer" };
    format!("says {kind}")
}

/// A question, given each kind of answer.
#[test]
fn every_question_and_every_answer() {
    let settings = Settings::default();
    let ask = |path: &[Vec<u8>], credential: fn() -> Credential| {
        let state = State { name: "", credential, path: path[..1].to_vec(), establishes: &[] };
        let (mut host, waiting, said) = reach(&state, &settings);
        let last = match path.len() {
            1 => proof(&said, "Password").0,
            _ => signed(&said, "Password", &[NTLM]),
        };
        let Some(Handshake::NeedsAnswer(asking)) = host.call(|call| waiting.token(&last, call)) else {
            panic!("no question")
        };
        (host, asking)
    };
    let begun = || offer(&[NTLM], Some(&Initiator::user().negotiate()), None);
    let raw = vec![Initiator::user().negotiate()];
    let framed = vec![begun(), Vec::new()];
    let realm = Realm::of_user();
    for (path, credential) in
        [(&raw, ntlm_acceptor as fn() -> Credential), (&raw, negotiate_acceptor), (&framed, negotiate_acceptor)]
    {
        let fresh = || ask(path, credential);
        let end = |(mut host, asking): (Host<'_, Foretold>, NeedsAnswer), answer| {
            let ended = host.call(|call| asking.answer(answer, call));
            let established = matches!(ended, Some(Handshake::Established(_)));
            (established, host.finish().cause_name())
        };
        let (host, asking) = fresh();
        let answer = realm.answer(asking.question());
        assert_eq!(end((host, asking), answer), (true, "ok"));
        for refusal in Refusal::ALL {
            let (host, asking) = fresh();
            let answer = asking.question().refuse(refusal);
            assert_eq!(end((host, asking), answer), (false, refusal.row().name));
        }
        // An answer that was made from another question, right as it is.
        let (_, other) = fresh();
        let answer = realm.answer(other.question());
        assert_eq!(end(fresh(), answer), (false, "call/foreign-answer"));
    }
}

/// Compares with the file of this name; what is new stands beside it in the target folder.
fn compare(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    if kept != text {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&new, text).unwrap();
        let first = kept.lines().zip(text.lines()).find(|(kept, new)| kept != new);
        panic!(
            "{} is not what comes now: {first:?}\nread the difference; if it is right: cp {} {}",
            file.display(),
            new.display(),
            file.display()
        );
    }
}
