//! The library's own initiators: with its acceptors, and against servers and people on the way that do not behave.
//! That others accept them is shown in `crates/cli/tests/interop/initiator.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::negotiate::{self, Negotiate};
use portcullis::ntlm::{self, KeyStrength, Ntlm, TargetPolicy, keys};
use portcullis::{
    Answer, Authority, BindingPolicy, ChannelBindings, ContextFlags, Credential, Handshake, Question, Refusal, Role,
    Secret, Segment, Status,
};
use portcullis_testkit::{Foretold, Host, Meeting, Realm, Settings, meet, server_names};
use portcullis_wire::ntlm::{Authenticate, AvFlags, AvId, Challenge, Charset, Flags, NtResponse, push_av_pair};
use portcullis_wire::spnego::{KERBEROS, NEGOEX, NTLM, NegState, NegTokenInit, NegTokenResp};
use portcullis_wire::utf16;

const SEALED: ContextFlags = ContextFlags::CONFIDENTIALITY;

fn client(password: &str) -> ntlm::Initiator {
    ntlm::Initiator::with_password("User", "DOMAIN", &Secret::new(password.to_owned()))
}

/// The same account, by NTLM and by Negotiate.
fn clients(password: &str) -> [(&'static str, Credential, Credential); 2] {
    let acceptor = || Ntlm::new(server_names());
    [
        ("NTLM", Credential::initiator(client(password)), Credential::acceptor(acceptor())),
        (
            "Negotiate",
            Credential::initiator(negotiate::Initiator::trying([client(password).into()])),
            Credential::acceptor(Negotiate::offering([acceptor().into()])),
        ),
    ]
}

fn wanting(flags: ContextFlags) -> Settings {
    Settings { target: Some("HTTP/web.domain.example".into()), ..Settings::default().wanting(flags) }
}

fn with(initiator: &Credential, acceptor: &Credential, settings: &Settings) -> Meeting {
    meet((initiator, settings), (acceptor, &Settings::default()), &Realm::of_user(), |_, _| {})
}

#[test]
fn both_sides_share_a_context() {
    for (name, initiator, acceptor) in clients("Password") {
        for want in [ContextFlags::NONE, ContextFlags::INTEGRITY, SEALED] {
            let meeting = with(&initiator, &acceptor, &wanting(want));
            assert_eq!((meeting.initiator.ended(), meeting.acceptor.ended()), ("ok", "ok"), "{name} {want:?}");
            let (mut ours, mut theirs) = (meeting.initiator.context.unwrap(), meeting.acceptor.context.unwrap());
            let (client, server) = (ours.facts(), theirs.facts());
            assert_eq!((client.role, server.role), (Role::Initiator, Role::Acceptor));
            assert_eq!(client.granted, server.granted, "{name} {want:?}");
            assert_eq!((client.package.name, client.mechanism().name), (name, "NTLM"));
            let key = |facts: &portcullis::Facts| facts.session_key.as_ref().unwrap().expose().clone();
            assert_eq!(key(client), key(server));
            assert_eq!(server.claim.target(), "HTTP/web.domain.example");
            assert!(client.access_token().is_none() && server.access_token().is_some());
            assert!(client.account.is_none());
            // NTLM proves nothing of the server.
            assert!(!client.granted.contains(ContextFlags::MUTUAL_AUTH));
            assert_eq!(client.granted.contains(SEALED), want == SEALED);
            if want == SEALED {
                for number in 0..3u8 {
                    for (from, to) in [(true, &[number; 40]), (false, &[number ^ 0xff; 40])] {
                        let (mut data, mut token) = (to.to_vec(), [0; 16]);
                        let (one, two) = if from { (&mut ours, &mut theirs) } else { (&mut theirs, &mut ours) };
                        one.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                        assert_ne!(data, to);
                        two.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                        assert_eq!(data, to);
                    }
                }
            }
        }
    }
}

/// What NTLM cannot give is refused where it is required: who the server is, and somebody else's rights.
#[test]
fn what_cannot_be_had_is_refused() {
    for (name, initiator, acceptor) in clients("Password") {
        for required in [ContextFlags::MUTUAL_AUTH, ContextFlags::DELEGATE] {
            let mut settings = wanting(SEALED);
            settings.want.required = required;
            let meeting = with(&initiator, &acceptor, &settings);
            assert_eq!(meeting.initiator.ended(), "call/requirement-not-met", "{name} {required:?}");
            assert_eq!(meeting.acceptor.ended(), "waits", "nothing is proved to it: {name} {required:?}");
        }
    }
}

#[test]
fn the_hash_is_as_good_as_the_password() {
    let by_hash = ntlm::Initiator::with_nt_hash("User", "DOMAIN", keys::nt_hash("Password"));
    let acceptor = Credential::acceptor(Ntlm::new(server_names()));
    assert_eq!(with(&Credential::initiator(by_hash), &acceptor, &wanting(SEALED)).acceptor.ended(), "ok");
    let other = ntlm::Initiator::with_nt_hash("User", "DOMAIN", keys::nt_hash("password"));
    let meeting = with(&Credential::initiator(other), &acceptor, &wanting(SEALED));
    assert_eq!(meeting.acceptor.ended(), "account/wrong-proof");
}

#[test]
fn a_wrong_password_is_refused_and_told() {
    for (name, initiator, acceptor) in clients("password") {
        let meeting = with(&initiator, &acceptor, &wanting(SEALED));
        assert_eq!(meeting.acceptor.ended(), "account/wrong-proof", "{name}");
        // NTLM's initiator is through with its last message; Negotiate's waits for the server's word.
        let ended = if name == "NTLM" { "ok" } else { "negotiate/rejected-by-peer" };
        assert_eq!(meeting.initiator.ended(), ended, "{name}");
    }
}

/// MIC, bindings and target are in the message, under the proof.
#[test]
fn what_the_initiator_says_of_itself() {
    let channel = ChannelBindings::tls_server_end_point(&[0x22; 32]);
    for bound in [None, Some(channel.clone())] {
        let settings = Settings { bindings: bound.clone(), ..wanting(SEALED) };
        let (_, initiator, acceptor) = clients("Password").into_iter().next().unwrap();
        let meeting = meet((&initiator, &settings), (&acceptor, &Settings::default()), &Realm::of_user(), |_, _| {});
        let message = Authenticate::decode(&meeting.messages[2], Charset::Unicode).unwrap();
        assert!(message.mic().is_some_and(|mic| *mic != [0; 16]));
        let Ok(NtResponse::V2(response)) = NtResponse::decode(message.nt_response) else { panic!("not NTLMv2") };
        let said = &response.client_challenge;
        assert!(said.flags().unwrap().has(AvFlags::MIC));
        assert_eq!(said.target_name(), Some(&*utf16::encode("HTTP/web.domain.example")));
        let hash = bound.map_or([0; 16], |channel| channel.md5());
        assert_eq!(said.channel_bindings().unwrap(), Some(&hash));
        assert_eq!(message.lm_response, [0; 24], "the server told its time: no LMv2 response");
    }
}

#[test]
fn acceptors_that_demand_more() {
    let channel = || ChannelBindings::tls_server_end_point(&[0x22; 32]);
    let mut strict = Ntlm::new(server_names());
    strict.require_mic = true;
    strict.bindings = BindingPolicy::Require;
    strict.targets = TargetPolicy::Require(vec!["HTTP/web.domain.example".into()]);
    let acceptors = [
        ("NTLM", Credential::acceptor(strict.clone())),
        ("Negotiate", Credential::acceptor(Negotiate::offering([strict.into()]))),
    ];
    let rows = [
        (Some(channel()), Some("HTTP/web.domain.example"), "ok"),
        (None, Some("HTTP/web.domain.example"), "ntlm/bindings-missing"),
        (
            Some(ChannelBindings::tls_server_end_point(&[0x23; 32])),
            Some("HTTP/web.domain.example"),
            "ntlm/bindings-wrong",
        ),
        (Some(channel()), Some("HTTP/other.domain.example"), "ntlm/target-not-ours"),
        (Some(channel()), None, "ntlm/target-missing"),
    ];
    for ((name, acceptor), (_, initiator, _)) in acceptors.iter().zip(clients("Password")) {
        for (bindings, target, cause) in &rows {
            let ours = Settings { bindings: bindings.clone(), target: target.map(str::to_owned), ..wanting(SEALED) };
            let theirs = Settings { bindings: Some(channel()), ..Settings::default() };
            let meeting = meet((&initiator, &ours), (acceptor, &theirs), &Realm::of_user(), |_, _| {});
            assert_eq!(meeting.acceptor.ended(), *cause, "{name}");
        }
    }
}

#[test]
fn without_a_name() {
    let mut open = Ntlm::new(server_names());
    open.allow_anonymous = true;
    for allowed in [true, false] {
        let acceptor = if allowed { open.clone() } else { Ntlm::new(server_names()) };
        for (initiator, acceptor) in [
            (Credential::initiator(ntlm::Initiator::anonymous()), Credential::acceptor(acceptor.clone())),
            (
                Credential::initiator(negotiate::Initiator::trying([ntlm::Initiator::anonymous().into()])),
                Credential::acceptor(Negotiate::offering([acceptor.into()])),
            ),
        ] {
            let theirs = Settings::default().wanting(ContextFlags::NULL_SESSION);
            let meeting = meet((&initiator, &Settings::default()), (&acceptor, &theirs), &Realm::of_user(), |_, _| {});
            let ended = if allowed { "ok" } else { "ntlm/anonymous-refused" };
            assert_eq!(meeting.acceptor.ended(), ended);
            if let Some(context) = meeting.acceptor.context {
                assert!(context.facts().account.is_none() && context.facts().session_key.is_none());
                let context = meeting.initiator.context.unwrap();
                assert!(context.facts().granted.contains(ContextFlags::NULL_SESSION));
            }
            // Who wants to seal cannot be anonymous.
            let mut ours = Settings::default();
            ours.want.required = SEALED;
            let meeting = meet((&initiator, &ours), (&acceptor, &theirs), &Realm::of_user(), |_, _| {});
            assert_eq!(meeting.initiator.ended(), "call/requirement-not-met");
        }
    }
}

/// Gives an initiator this CHALLENGE, and says how that ended.
fn challenged(initiator: ntlm::Initiator, settings: &Settings, challenge: &[u8]) -> (&'static str, Status) {
    let mut host = Host::new(settings, Foretold::seeded(3));
    let begun = Credential::initiator(initiator).begin();
    let Some(Handshake::NeedsToken(waiting)) = host.call(|call| begun.token(b"", call)) else { panic!("no NEGOTIATE") };
    host.take_output();
    let _ = host.call(|call| waiting.token(challenge, call));
    let said = !host.take_output().is_empty();
    let outcome = host.finish();
    assert_eq!(said, outcome.cause.is_none(), "nothing is sent to a server that is refused");
    (outcome.cause_name(), outcome.status())
}

fn challenge(flags: u32, pairs: &[(AvId, &[u8])]) -> Vec<u8> {
    let mut target_info = Vec::new();
    pairs.iter().for_each(|(id, value)| push_av_pair(&mut target_info, *id, value));
    if !pairs.is_empty() {
        push_av_pair(&mut target_info, AvId::EOL, &[]);
    }
    let name = utf16::encode("DOMAIN");
    let message = Challenge {
        target_name: &name,
        flags: Flags(flags),
        server_challenge: [7; 8],
        target_info: &target_info,
        version: None,
    };
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

#[test]
fn ntlm_refuses_a_server_that_it_should_not_answer() {
    const GOOD: u32 = 0xe289_8235 & !0x0200_0000;
    let text = utf16::encode("SERVER");
    let names = [(AvId::NB_DOMAIN_NAME, &text[..]), (AvId::NB_COMPUTER_NAME, &text[..]), (AvId::TIMESTAMP, &[0; 8])];
    let no = |flag: Flags| GOOD & !flag.0;
    let (weak, invalid, denied) =
        (Status::SEC_E_UNSUPPORTED_FUNCTION, Status::SEC_E_INVALID_TOKEN, Status::SEC_E_LOGON_DENIED);
    let sealing = wanting(SEALED);
    let rows = [
        ("as it must be", challenge(GOOD, &names), "ok", Status::SEC_E_OK),
        ("no Unicode", challenge(no(Flags::UNICODE) | 2, &names), "ntlm/server-without-unicode", invalid),
        ("no session security", challenge(no(Flags::EXTENDED_SESSION_SECURITY), &names), "ntlm/server-too-weak", weak),
        ("56 bits", challenge(no(Flags::KEY_128), &names), "ntlm/server-too-weak", weak),
        ("40 bits", challenge(no(Flags::KEY_128 | Flags::KEY_56), &names), "ntlm/server-too-weak", weak),
        ("no computer", challenge(GOOD, &names[..1]), "ntlm/server-nameless", denied),
        ("no domain", challenge(GOOD, &names[1..]), "ntlm/server-nameless", denied),
        (
            "an empty computer",
            challenge(GOOD, &[names[0], (AvId::NB_COMPUTER_NAME, &[])]),
            "ntlm/server-nameless",
            denied,
        ),
        ("no names", challenge(GOOD, &[]), "ntlm/server-nameless", denied),
        (
            "a short time",
            challenge(GOOD, &[names[0], names[1], (AvId::TIMESTAMP, &[0; 7])]),
            "ntlm/malformed-token",
            invalid,
        ),
        ("a message of its own", b"NTLMSSP\0\x01\0\0\0".to_vec(), "ntlm/malformed-token", invalid),
        ("nothing", Vec::new(), "ntlm/malformed-token", invalid),
    ];
    for (what, challenge, cause, status) in &rows {
        let got = challenged(client("Password"), &sealing, challenge);
        // An NTLM initiator that is through says so with the same call.
        assert_eq!(got, (*cause, *status), "{what}");
    }
    // Who neither signs nor seals needs neither strength nor names.
    for (what, challenge, cause, status) in &rows[2..9] {
        assert_eq!(
            challenged(client("Password"), &wanting(ContextFlags::NONE), challenge).0,
            "ok",
            "{what} {cause} {status:?}"
        );
    }
    // A weaker key, for those who want it so.
    let mut lenient = client("Password");
    lenient.minimum_key = KeyStrength::Bits56;
    assert_eq!(challenged(lenient, &sealing, &rows[3].1).0, "ok");
    // SIGN and SEAL struck out: what is required is refused, what is wished for is not granted.
    let unsealed = challenge(no(Flags::SIGN | Flags::SEAL), &names);
    let mut required = sealing.clone();
    required.want.required = SEALED;
    assert_eq!(challenged(client("Password"), &required, &unsealed).0, "call/requirement-not-met");
    assert_eq!(challenged(client("Password"), &sealing, &unsealed).0, "ok");
}

#[test]
fn names_that_no_message_can_hold() {
    let long = "n".repeat(2049);
    let secret = Secret::new("Password".to_owned());
    let mut somewhere = client("Password");
    somewhere.workstation = long.clone();
    let (challenge, usual) =
        (challenge(0xe089_8235, &[(AvId::NB_DOMAIN_NAME, b"D\0"), (AvId::NB_COMPUTER_NAME, b"C\0")]), wanting(SEALED));
    let rows = [
        (ntlm::Initiator::with_password(&long, "DOMAIN", &secret), usual.clone()),
        (ntlm::Initiator::with_password("User", &long, &secret), usual.clone()),
        (somewhere, usual.clone()),
        (client("Password"), Settings { target: Some(long.clone()), ..usual.clone() }),
    ];
    for (initiator, settings) in rows {
        assert_eq!(challenged(initiator, &settings, &challenge), ("ntlm/name-too-long", Status::SEC_E_INVALID_TOKEN));
    }
    let longest = ntlm::Initiator::with_password(&long[1..], &long[1..], &secret);
    assert_eq!(challenged(longest, &usual, &challenge).0, "ok");
}

/// What makes a reply from what was said.
type Reply<'r> = dyn Fn(&[u8]) -> Vec<u8> + 'r;

/// A Negotiate initiator of NTLM that hears these replies, each made from what it said.
fn hears(replies: &[&Reply<'_>]) -> (&'static str, Vec<Vec<u8>>) {
    let settings = wanting(SEALED);
    let mut host = Host::new(&settings, Foretold::seeded(3));
    let mut waiting = Some(Credential::initiator(negotiate::Initiator::trying([client("Password").into()])).begin());
    let (mut said, mut token) = (Vec::new(), Vec::new());
    let mut replies = replies.iter();
    loop {
        let Some(begun) = waiting.take() else { break };
        let at = host.call(|call| begun.token(&token, call));
        said.push(host.take_output());
        match (at, replies.next()) {
            (Some(Handshake::NeedsToken(next)), Some(reply)) => {
                waiting = Some(next);
                token = reply(said.last().unwrap());
            }
            (Some(Handshake::NeedsToken(_)), None) => return ("waits", said),
            _ => {}
        }
    }
    (host.finish().cause_name(), said)
}

fn reply(state: NegState, token: Option<&[u8]>, mic: Option<&[u8]>, named: bool) -> Vec<u8> {
    let mut out = Vec::new();
    NegTokenResp {
        state: Some(state),
        supported_mech: named.then_some(NTLM),
        response_token: token,
        mech_list_mic: mic,
    }
    .encode(&mut out);
    out
}

/// What a careful client refuses of a server that speaks SPNEGO.
#[test]
fn negotiate_refuses_a_server_that_it_should_not_answer() {
    use NegState::{AcceptCompleted, AcceptIncomplete, Reject, RequestMic};
    let text = utf16::encode("S");
    let good = challenge(0xe089_8235, &[(AvId::NB_DOMAIN_NAME, &text), (AvId::NB_COMPUTER_NAME, &text)]);
    let first = |_: &[u8]| reply(AcceptIncomplete, Some(&good), None, true);
    let one = |make: &dyn Fn(&[u8]) -> Vec<u8>| hears(&[make]).0;
    let two = |make: &dyn Fn(&[u8]) -> Vec<u8>| hears(&[&first, make]).0;
    let rows = [
        ("rejects at once", one(&|_| reply(Reject, None, None, false)), "negotiate/rejected-by-peer"),
        ("completes at once", one(&|_| reply(AcceptCompleted, None, None, true)), "negotiate/token-missing"),
        (
            "completes with a challenge",
            one(&|_| reply(AcceptCompleted, Some(&good), None, true)),
            "negotiate/unexpected-move",
        ),
        (
            "signs before there are keys",
            one(&|_| reply(AcceptIncomplete, Some(&good), Some(&[1; 16]), true)),
            "negotiate/list-mic-wrong",
        ),
        (
            "takes what was not offered",
            one(&|_| {
                let mut out = Vec::new();
                NegTokenResp {
                    state: Some(RequestMic),
                    supported_mech: Some(KERBEROS),
                    response_token: None,
                    mech_list_mic: None,
                }
                .encode(&mut out);
                out
            }),
            "negotiate/unexpected-move",
        ),
        ("has no token", one(&|_| reply(AcceptIncomplete, None, None, true)), "negotiate/token-missing"),
        ("reflects the offer", one(&<[u8]>::to_vec), "negotiate/unexpected-move"),
        ("speaks NTLM without frame", one(&|_| good.clone()), "negotiate/unexpected-move"),
        ("speaks nothing", one(&|_| Vec::new()), "negotiate/token-missing"),
        ("is no SPNEGO", one(&|_| b"HTTP/1.1 200 OK".to_vec()), "negotiate/unexpected-move"),
        ("rejects in the end", two(&|_| reply(Reject, None, None, false)), "negotiate/rejected-by-peer"),
        ("does not sign", two(&|_| reply(AcceptCompleted, None, None, false)), "negotiate/list-mic-missing"),
        ("signs wrongly", two(&|_| reply(AcceptCompleted, None, Some(&[1; 16]), false)), "negotiate/list-mic-wrong"),
        (
            "signs with the constant",
            two(&|_| reply(AcceptCompleted, None, Some(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), false)),
            "negotiate/list-mic-wrong",
        ),
        (
            "reflects the signature",
            two(&|said| {
                let ours = NegTokenResp::decode(said).unwrap().mech_list_mic.unwrap().to_vec();
                reply(AcceptCompleted, None, Some(&ours), false)
            }),
            "negotiate/list-mic-wrong",
        ),
        ("is never through", two(&|_| reply(AcceptIncomplete, None, None, false)), "negotiate/unexpected-move"),
        ("asks for signatures late", two(&|_| reply(RequestMic, None, None, false)), "negotiate/unexpected-move"),
        (
            "goes on after the last",
            two(&|_| reply(AcceptCompleted, Some(&good), None, false)),
            "negotiate/unexpected-move",
        ),
        (
            "changes its mind",
            two(&|_| {
                let mut out = Vec::new();
                NegTokenResp {
                    state: Some(AcceptCompleted),
                    supported_mech: Some(NEGOEX),
                    response_token: None,
                    mech_list_mic: None,
                }
                .encode(&mut out);
                out
            }),
            "negotiate/unexpected-move",
        ),
        (
            "is a garbled challenge",
            one(&|_| reply(AcceptIncomplete, Some(&good[..30]), None, true)),
            "ntlm/malformed-token",
        ),
    ];
    for (what, got, expected) in rows {
        assert_eq!(got, expected, "{what}");
    }
    // The last token brings the signature: NTLM's message has a MIC, so the list is signed.
    let (_, said) = hears(&[&first]);
    assert_eq!(NegTokenInit::decode(&said[0]).unwrap().mech_types.iter().collect::<Vec<_>>(), [NTLM]);
    assert!(NegTokenResp::decode(&said[1]).unwrap().mech_list_mic.is_some());
}

/// Somebody on the way changes one byte of one message: never do both sides take it, and never does the server.
#[test]
fn every_byte_on_the_way_counts() {
    let settings = wanting(SEALED);
    for (name, initiator, acceptor) in clients("Password") {
        let whole = with(&initiator, &acceptor, &settings).messages;
        for (which, message) in whole.iter().enumerate() {
            for at in 0..message.len() {
                let meeting = meet(
                    (&initiator, &settings),
                    (&acceptor, &Settings::default()),
                    &Realm::of_user(),
                    |number, bytes| {
                        if number == which
                            && let Some(byte) = bytes.get_mut(at)
                        {
                            *byte ^= 0x41;
                        }
                    },
                );
                let taken = meeting.acceptor.context.is_some() && which < 3;
                assert!(
                    !taken || harmless(message, which, at),
                    "{name}: message {which}, byte {at}: the server took it"
                );
            }
        }
    }
}

/// Bytes that say nothing: NTLM's MIC covers whole messages, so only the frame around it is left.
fn harmless(message: &[u8], which: usize, at: usize) -> bool {
    let ntlm = message.windows(8).position(|window| window == b"NTLMSSP\0").unwrap_or(message.len());
    let inside = at >= ntlm;
    // Of SPNEGO's own fields the state of a reply is free: what is due next follows from the mechanism.
    !inside && which == 1
}

/// The server speaks first: what it does not take is not offered.
#[test]
fn a_hint_is_heard() {
    let settings = wanting(SEALED);
    let credential = Credential::initiator(negotiate::Initiator::trying([client("Password").into()]));
    let offer_after = |mechanisms: &[portcullis_wire::der::Oid<'_>]| {
        let mut hint = Vec::new();
        NegTokenInit::encode_hint(mechanisms, &mut hint);
        let mut host = Host::new(&settings, Foretold::seeded(3));
        let _ = host.call(|call| credential.begin().token(&hint, call));
        let said = host.take_output();
        (host.finish().cause_name(), said)
    };
    let (cause, said) = offer_after(&[NEGOEX, KERBEROS, NTLM]);
    assert_eq!(cause, "ok");
    assert_eq!(NegTokenInit::decode(&said).unwrap().mech_types.iter().collect::<Vec<_>>(), [NTLM]);
    let (cause, said) = offer_after(&[KERBEROS]);
    assert_eq!((cause, said.len()), ("negotiate/no-common-mechanism", 0));
    let mut excluded = negotiate::Initiator::trying([client("Password").into()]);
    excluded.packages = "!ntlm".parse().unwrap();
    let mut host = Host::new(&settings, Foretold::seeded(3));
    assert!(host.call(|call| Credential::initiator(excluded).begin().token(b"", call)).is_none());
    assert_eq!(host.finish().cause_name(), "negotiate/no-common-mechanism");
}

/// A sole mechanism speaks its own tokens where that is configured, but not to a server that spoke first.
#[test]
fn a_sole_mechanism_speaks_directly() {
    let direct = |password| {
        let mut negotiate = negotiate::Initiator::trying([client(password).into()]);
        negotiate.direct_when_alone = true;
        Credential::initiator(negotiate)
    };
    let acceptor = Credential::acceptor(Negotiate::offering([Ntlm::new(server_names()).into()]));
    let meeting = with(&direct("Password"), &acceptor, &wanting(SEALED));
    assert_eq!((meeting.initiator.ended(), meeting.acceptor.ended()), ("ok", "ok"));
    assert_eq!(meeting.messages.len(), 3);
    assert!(meeting.messages.iter().all(|message| message.starts_with(b"NTLMSSP\0")));
    for side in [&meeting.initiator, &meeting.acceptor] {
        let facts = side.context.as_ref().unwrap().facts();
        assert_eq!((facts.package.name, facts.mechanism().name), ("Negotiate", "NTLM"));
        assert_eq!(facts.negotiation, Some(portcullis::Negotiation::Direct));
    }
    assert_eq!(with(&direct("password"), &acceptor, &wanting(SEALED)).acceptor.ended(), "account/wrong-proof");

    let (mut hint, settings) = (Vec::new(), wanting(SEALED));
    NegTokenInit::encode_hint(&[NTLM], &mut hint);
    let mut host = Host::new(&settings, Foretold::seeded(3));
    let _ = host.call(|call| direct("Password").begin().token(&hint, call));
    assert_eq!(NegTokenInit::decode(&host.take_output()).unwrap().mech_types.iter().count(), 1);
}

/// An authority that has NTOWFv2 alone compares as strictly as one that has the hash.
#[test]
fn the_key_over_the_names_is_a_proof_too() {
    struct ByKey(keys::Key, Realm);
    impl Authority for ByKey {
        fn answer(&self, question: &Question) -> Answer {
            let Question::VerifyNtlm(ntlm) = question else { panic!("{question:?}") };
            match ntlm::verify_v2(&self.0, ntlm) {
                // The realm knows the account, whoever compared.
                Some(verified) => match self.1.answer(question).verdict() {
                    Ok(vouched) => ntlm.accept(verified, vouched.account().unwrap().clone()),
                    Err(why) => question.refuse(why.clone()),
                },
                None => question.refuse(Refusal::WrongProof),
            }
        }
    }
    let acceptor = Credential::acceptor(Ntlm::new(server_names()));
    let ends = |key| {
        let initiator = Credential::initiator(client("Password"));
        let settings = wanting(SEALED);
        let judge = ByKey(key, Realm::of_user());
        meet((&initiator, &settings), (&acceptor, &Settings::default()), &judge, |_, _| {}).acceptor.ended()
    };
    let hash = keys::nt_hash("Password");
    assert_eq!(ends(keys::ntowf_v2(&hash, "User", "DOMAIN")), "ok");
    for wrong in [keys::ntowf_v2(&hash, "User", "OTHER"), keys::ntowf_v2(&hash, "Users", "DOMAIN"), hash] {
        assert_eq!(ends(wrong), "account/wrong-proof");
    }
    assert_eq!(ends(Secret::new([0; 16])), "account/wrong-proof");
}

/// A proof tells whether it covers the domain that was named.
#[test]
fn the_domain_is_under_the_proof_or_said_not_to_be() {
    struct Tells(std::sync::Mutex<Option<bool>>);
    impl Authority for Tells {
        fn answer(&self, question: &Question) -> Answer {
            let Question::VerifyNtlm(ntlm) = question else { panic!("{question:?}") };
            let verified = ntlm::verify(&keys::nt_hash("Password"), ntlm);
            *self.0.lock().unwrap() = verified.map(|verified| verified.proves_domain());
            question.refuse(Refusal::WrongProof)
        }
    }
    let acceptor = Credential::acceptor(Ntlm::new(server_names()));
    let tells = |client: ntlm::Initiator, change: fn(&mut Vec<u8>)| {
        let (judge, initiator) = (Tells(std::sync::Mutex::new(None)), Credential::initiator(client));
        let edit = |number: usize, message: &mut Vec<u8>| {
            if number == 2 {
                change(message)
            }
        };
        meet((&initiator, &wanting(SEALED)), (&acceptor, &Settings::default()), &judge, edit);
        judge.0.into_inner().unwrap()
    };
    let nameless = || ntlm::Initiator::with_password("User", "", &Secret::new("Password".to_owned()));
    assert_eq!(tells(client("Password"), |_| {}), Some(true));
    assert_eq!(tells(nameless(), |_| {}), Some(true), "that there is none is proved as well");
    // Somebody on the way writes a domain into a message whose proof has none: over the start of the user's name.
    assert_eq!(tells(nameless(), |message| message.copy_within(36..44, 28)), Some(false));
    assert_eq!(tells(client("password"), |_| {}), None);
}
