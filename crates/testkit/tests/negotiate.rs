//! What went wrong in other acceptors of Negotiate (the rows of the attack list are the functions' names), and how
//! tokens come in pieces.
//!
//! The rows about HTTP, the final token (G13) and the status of a refusal (G14), are shown in
//! `crates/server/tests/http.rs` and with real clients in `crates/cli/tests/interop/negotiate.rs`; NEGOEX's decoder (G1,
//! G2) in `crates/wire/tests/negoex.rs`; the signature that the acceptor makes first, in
//! `crates/portcullis/src/negotiate/tests.rs`, since NTLM's last word is always the client's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::negotiate::Negotiate;
use portcullis::ntlm::Ntlm;
use portcullis::{Call, Context, ContextFlags, Credential, Handshake, Negotiation, Segment, Status};
use portcullis_testkit::spnego::{Form, ListMic, Optimistic, Seen, Spnego, offer, response};
use portcullis_testkit::vector::Setup;
use portcullis_testkit::{
    Foretold, Host, Initiator, Mic, Outcome, Part, Realm, Responses, Session, Settings, server_names, talk,
};
use portcullis_wire::der::Oid;
use portcullis_wire::ntlm::Flags;
use portcullis_wire::spnego::{
    HINT_NAME, KERBEROS, KERBEROS_MICROSOFT, NEGOEX, NTLM, NegState, NegTokenInit, NegTokenResp,
};

fn credential() -> Credential {
    Credential::acceptor(Negotiate::offering([Ntlm::new(server_names()).into()]))
}

fn says(client: &Spnego) -> (Outcome, Seen) {
    client.converse(&credential(), &Realm::of_user(), &Settings::default())
}

fn tokens(tokens: &[Vec<u8>]) -> Outcome {
    let mut tokens = tokens.iter();
    talk(&credential(), &Realm::of_user(), &Settings::default(), |_| tokens.next().cloned())
}

fn negotiate() -> Vec<u8> {
    Initiator::user().negotiate()
}

fn negoex_first(ntlm: Initiator) -> Spnego {
    let token = [&b"NEGOEXTS"[..], &[0; 88]].concat();
    Spnego { mechanisms: vec![NEGOEX, NTLM], ntlm, ..Spnego::preferring(NEGOEX, &token) }
}

fn is_reject(output: &[u8]) -> bool {
    NegTokenResp::decode(output).is_ok_and(|reply| reply.state == Some(NegState::Reject))
}

/// Both ends understand each other, in both directions.
fn both_ways(context: &mut Context, session: &mut Session) {
    for number in 0..3 {
        let plain = format!("message {number}").into_bytes();
        let (mut data, mut signature) = (plain.clone(), [0; 16]);
        context.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        let mut parts = [Part::Data(data)];
        assert!(session.unseal(&mut parts, &signature), "from the acceptor, {number}");
        assert_eq!(parts[0].bytes(), plain);
        let mut parts = [Part::Data(plain.clone())];
        let mut signature = session.seal(&mut parts);
        let mut data = parts[0].bytes().to_vec();
        context.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        assert_eq!(data, plain);
    }
}

/// A NEGOEX token whose offsets, counts and lengths are anything: it is not ours to read, and does no harm.
#[test]
fn g01_g02_negoex_is_dropped_whatever_it_says() {
    let mut nego = b"NEGOEXTS".to_vec();
    nego.resize(0x60, 0);
    for at in (8..0x60).step_by(4) {
        for value in [0u32, 1, 0x27, 0x60, 0x7fff_ffff, u32::MAX] {
            let mut token = nego.clone();
            token[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let client = Spnego { optimistic: Optimistic::Foreign(token.clone()), ..negoex_first(Initiator::user()) };
            let (outcome, seen) = says(&client);
            assert_eq!((outcome.cause_name(), seen.list_mic), ("ok", Some(true)));
            let bare = tokens(&[token]);
            assert_eq!((bare.status(), bare.cause_name()), (Status::SEC_E_INVALID_TOKEN, "negotiate/unknown-token"));
        }
    }
}

/// Odd continuations; the vectors of `vectors/negotiate/` have each alone.
#[test]
fn g03_only_what_is_due_is_taken() {
    let begun = offer(&[NTLM], Some(&negotiate()), None);
    let seconds = [
        Vec::new(),
        response(None, None, Some(&[1; 16])),
        response(Some(NegState::AcceptCompleted), None, None),
        response(Some(NegState::RequestMic), Some(&negotiate()), None),
        begun.clone(),
        negotiate(),
        b"NEGOEXTS".to_vec(),
        vec![0],
        vec![0xa1, 0x02, 0x30, 0x00],
    ];
    for second in seconds {
        let outcome = tokens(&[begun.clone(), second.clone()]);
        assert_eq!(outcome.status(), Status::SEC_E_INVALID_TOKEN, "{second:02x?}");
        assert!(outcome.context.is_none() && is_reject(&outcome.output), "{second:02x?}");
    }
    for mechanisms in [&[][..], &[KERBEROS], &[NEGOEX, KERBEROS, KERBEROS_MICROSOFT]] {
        let outcome = tokens(&[offer(mechanisms, Some(&negotiate()), None)]);
        assert_eq!(outcome.status(), Status::SEC_E_INVALID_TOKEN, "{mechanisms:?}");
        assert!(is_reject(&outcome.output));
    }
}

/// Contexts that were used half-open, or after a failure. Neither has a name here: a handshake that waits shows no
/// attribute and protects no message, and one that failed is gone.
#[test]
fn g04_a_failure_leaves_no_context() {
    let client = Spnego { mic: ListMic::Wrong, ..Spnego::user() };
    let (outcome, _) = says(&client);
    assert!(outcome.context.is_none() && outcome.cause.is_some());
    assert_eq!(outcome.statuses, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_MESSAGE_ALTERED]);
    // The credential goes on.
    assert_eq!(says(&Spnego::user()).0.cause_name(), "ok");
}

#[test]
fn g05_the_list_is_signed_where_it_must_be() {
    let no_mic = || Initiator::user().without_mic();
    let with = |ntlm: Initiator, mic| Spnego { mic, ..Spnego::of(ntlm) };
    let second = |ntlm: Initiator, mic| Spnego { mic, ..negoex_first(ntlm) };
    let rows = [
        ("NTLM has a MIC", with(Initiator::user(), ListMic::Right), "ok"),
        ("NTLM has a MIC", with(Initiator::user(), ListMic::Absent), "negotiate/list-mic-missing"),
        ("NTLM has a MIC", with(Initiator::user(), ListMic::Wrong), "negotiate/list-mic-wrong"),
        ("NTLM has a MIC", with(Initiator::user(), ListMic::LikeToken), "negotiate/list-mic-missing"),
        ("NTLM has none", with(no_mic(), ListMic::Absent), "ok"),
        ("NTLM has none", with(no_mic(), ListMic::Right), "ok"),
        ("NTLM has none", with(no_mic(), ListMic::Wrong), "negotiate/list-mic-wrong"),
        ("NTLM has none", with(no_mic(), ListMic::LikeToken), "ok"),
        ("second choice", second(Initiator::user(), ListMic::Right), "ok"),
        ("second choice", second(no_mic(), ListMic::Right), "ok"),
        ("second choice", second(no_mic(), ListMic::Absent), "negotiate/list-mic-missing"),
        ("second choice", second(no_mic(), ListMic::LikeToken), "negotiate/list-mic-missing"),
        ("second choice", second(no_mic(), ListMic::Short), "negotiate/list-mic-wrong"),
    ];
    for (what, client, cause) in rows {
        let (outcome, seen) = says(&client);
        assert_eq!(outcome.cause_name(), cause, "{what}, {:?}", client.mic);
        // Who signs gets a signature back, and it fits.
        let answered = (cause == "ok" && client.mic == ListMic::Right).then_some(true);
        assert_eq!(seen.list_mic, answered, "{what}, {:?}", client.mic);
    }
    // Over another list: one entry more, one less, another order, nothing.
    for signed in [vec![NEGOEX], vec![NTLM], vec![NTLM, NEGOEX], vec![NEGOEX, NTLM, KERBEROS], Vec::new()] {
        let client = Spnego { signed: Some(signed.clone()), ..negoex_first(Initiator::user()) };
        assert_eq!(says(&client).0.cause_name(), "negotiate/list-mic-wrong", "{signed:?}");
    }
    // Each bit of the list on the way: the signature sees it, or the choice does.
    let whole = Spnego::offer(&negoex_first(Initiator::user()));
    let list = whole.windows(2).position(|w| w == [0x30, 0x18]).unwrap();
    for at in list..list + 0x1a {
        for bit in 0..8 {
            let client = negoex_first(Initiator::user());
            let (mut next, mut first) = (client.talker(), true);
            let outcome = talk(&credential(), &Realm::of_user(), &Settings::default(), |reply| {
                let mut token = next(reply)?;
                token[at] ^= u8::from(std::mem::take(&mut first)) << bit;
                Some(token)
            });
            assert!(outcome.context.is_none(), "byte {at} bit {bit}");
        }
    }
}

/// The cipher begins anew behind the signatures over the list, and messages are numbered on.
#[test]
fn messages_after_signed_lists() {
    let flags = [Flags(0), Flags::EXTENDED_SESSION_SECURITY, Flags::KEY_EXCHANGE];
    for clears in flags {
        let asks = Flags(Initiator::WINDOWS.0 & !clears.0);
        for client in
            [Spnego::of(Initiator { asks, ..Initiator::user() }), negoex_first(Initiator { asks, ..Initiator::user() })]
        {
            let (outcome, seen) = says(&client);
            assert_eq!(seen.list_mic, Some(true), "{clears:?}");
            let (mut context, mut session) = outcome.ends();
            both_ways(&mut context, &mut session);
        }
    }
    let (outcome, seen) = says(&Spnego { mic: ListMic::Absent, ..Spnego::of(Initiator::user().without_mic()) });
    assert_eq!(seen.list_mic, None);
    let (mut context, mut session) = outcome.ends();
    both_ways(&mut context, &mut session);
}

#[test]
fn g06_the_clients_order_counts() {
    let unknown = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f, 0x01]);
    for first in [NEGOEX, unknown, KERBEROS_MICROSOFT, KERBEROS] {
        // The foreign token looks like NTLM's: it is dropped all the same.
        let (outcome, seen) = says(&Spnego::preferring(first, &negotiate()));
        assert_eq!(outcome.cause_name(), "ok", "{first}");
        let states = [NegState::RequestMic, NegState::AcceptIncomplete, NegState::AcceptCompleted].map(Some);
        assert_eq!(seen.states, states, "{first}");
        assert_eq!(seen.named, [Some(NTLM.0.to_vec()), None, None], "named once, and first");
        assert_eq!(outcome.messages[1].windows(8).position(|w| w == b"NTLMSSP\0"), None, "nothing of NTLM yet");
        assert_eq!(seen.list_mic, Some(true));
    }
    let (outcome, seen) = says(&Spnego::user());
    assert_eq!(seen.states, [NegState::AcceptIncomplete, NegState::AcceptCompleted].map(Some));
    assert_eq!(outcome.statuses, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_OK]);
}

#[test]
fn g08_both_forms_of_field_three() {
    for form in [Form::Rfc, Form::Microsoft, Form::Bare] {
        let (outcome, seen) = says(&Spnego { form, ..Spnego::user() });
        assert_eq!((outcome.cause_name(), seen.list_mic), ("ok", Some(true)), "{form:?}");
    }
    // A signature there comes too soon, in either place.
    let signed = offer(&[NTLM], Some(&negotiate()), Some(&[1; 16]));
    assert_eq!(tokens(&[signed]).cause_name(), "negotiate/unexpected-move");
}

#[test]
fn g09_a_mechanisms_own_tokens() {
    let mut setup = Setup { package: portcullis_testkit::vector::Package::Negotiate, ..Setup::default() };
    let talk = |setup: &Setup, client: &Initiator| {
        portcullis_testkit::converse(&setup.credential(), &setup.realm, client, &setup.settings)
    };
    let outcome = talk(&setup, &Initiator::user());
    assert!(outcome.messages[1].starts_with(b"NTLMSSP\0\x02"), "answered without a frame");
    assert!(outcome.output.is_empty());
    let (mut context, mut session) = outcome.ends();
    assert_eq!(context.facts().negotiation, Some(Negotiation::Direct));
    assert_eq!((context.facts().package.name, context.facts().mechanism().name), ("Negotiate", "NTLM"));
    both_ways(&mut context, &mut session);
    // What is refused is refused so too.
    let refusals = [
        (Initiator { password: "other".into(), ..Initiator::user() }, "account/wrong-proof"),
        (Initiator { mic: Mic::Zero, ..Initiator::user() }, "ntlm/mic-missing"),
        (Initiator { responses: Responses::Anonymous, ..Initiator::user().without_mic() }, "ntlm/anonymous-refused"),
    ];
    for (client, cause) in refusals {
        let outcome = talk(&setup, &client);
        assert_eq!(outcome.cause_name(), cause);
        assert!(outcome.output.is_empty(), "no SPNEGO to a client that speaks none");
    }
    setup.packages = "!NTLM".parse().unwrap();
    assert_eq!(talk(&setup, &Initiator::user()).cause_name(), "negotiate/mechanism-not-offered");
    for raw in [&[0x60, 0x03, 0x06, 0x01, 0x00][..], &[0x6e, 0x02, 0x30, 0x00]] {
        assert_eq!(tokens(&[raw.to_vec()]).cause_name(), "negotiate/mechanism-not-offered", "{raw:02x?}");
    }
}

/// After a failed mechanism nothing else is tried, whatever else was offered.
#[test]
fn g10_no_fallback() {
    let clients = [
        Spnego {
            mechanisms: vec![NTLM, KERBEROS, NEGOEX],
            ..Spnego::of(Initiator { password: "other".into(), ..Initiator::user() })
        },
        Spnego { optimistic: Optimistic::Foreign(b"NTLMSSP\0garbage".to_vec()), ..Spnego::user() },
    ];
    for client in clients {
        let (outcome, seen) = says(&client);
        assert!(outcome.context.is_none());
        assert_eq!(seen.states.last(), Some(&Some(NegState::Reject)), "{}", outcome.cause_name());
    }
}

/// No name lets a MIC be left out, nor the proof.
#[test]
fn g11_no_rule_depends_on_the_name() {
    for user in ["", "Guest", "ANONYMOUS", "ANONYMOUS LOGON", "User", "SYSTEM"] {
        let named = || Initiator { user: user.into(), ..Initiator::user() };
        for client in [
            Spnego::of(Initiator { mic: Mic::Zero, ..named() }),
            Spnego::of(Initiator { password: String::new(), ..named() }),
            Spnego::of(Initiator { spoils_proof: true, ..named() }),
            Spnego { mic: ListMic::Absent, ..Spnego::of(named()) },
            Spnego { mic: ListMic::Absent, ..negoex_first(named().without_mic()) },
        ] {
            let (outcome, _) = says(&client);
            assert!(outcome.context.is_none(), "{user}: {}", outcome.cause_name());
        }
    }
}

/// A failure comes with a reject token, in every leg; a call that could not be carried out says nothing.
#[test]
fn g12_failures_are_told() {
    let wrong = Spnego::of(Initiator { password: "other".into(), ..Initiator::user() });
    let (outcome, seen) = says(&wrong);
    assert_eq!(outcome.status(), Status::SEC_E_LOGON_DENIED);
    assert_eq!(outcome.output, [0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x02]);
    assert_eq!(seen.states.last(), Some(&Some(NegState::Reject)));
    assert_eq!(tokens(&[offer(&[KERBEROS], None, None)]).output, outcome.output);
    let settings = Settings { room: Some(5), ..Settings::default() };
    let (outcome, _) = Spnego::user().converse(&credential(), &Realm::of_user(), &settings);
    assert_eq!((outcome.status(), outcome.output.len()), (Status::SEC_E_BUFFER_TOO_SMALL, 0));
}

#[test]
fn g15_tokens_in_pieces() {
    for client in [Spnego::user(), negoex_first(Initiator::user()), Spnego { asks_hint: 1, ..Spnego::user() }] {
        let whole = says(&client).0;
        for pieces in [1, 2, 3, 7, 100] {
            let (outcome, seen) = says(&Spnego { pieces: Some(pieces), ..client.clone() });
            assert_eq!((outcome.cause_name(), seen.list_mic), ("ok", Some(true)), "pieces of {pieces}");
            assert_eq!(outcome.output, whole.output);
            // Until a token is whole the reply is empty.
            let replies: Vec<_> = outcome.replies().filter(|reply| !reply.is_empty()).collect();
            assert_eq!(replies, whole.replies().collect::<Vec<_>>());
            let wrong = Initiator { password: "other".into(), ..client.ntlm.clone() };
            let (outcome, _) = says(&Spnego { pieces: Some(pieces), ntlm: wrong, ..client.clone() });
            assert_eq!((outcome.cause_name(), is_reject(&outcome.output)), ("account/wrong-proof", true));
        }
    }
    // A length that no token may have is refused before anything is kept.
    for header in [[0x60, 0x84, 0x80, 0, 0, 0], [0x60, 0x84, 0xff, 0xff, 0xff, 0xff], [0x60, 0x83, 0x02, 0, 0, 0]] {
        assert_eq!(tokens(&[header.to_vec()]).cause_name(), "negotiate/malformed-token");
        let pieces: Vec<_> = header.iter().map(|byte| vec![*byte]).collect();
        assert_eq!(tokens(&pieces).cause_name(), "negotiate/malformed-token");
        let mut second = header.to_vec();
        second[0] = 0xa1;
        let outcome = tokens(&[offer(&[NTLM], Some(&negotiate()), None), second]);
        assert_eq!(outcome.cause_name(), "negotiate/malformed-token");
    }
    // More than was announced, in a piece of its own and in the last.
    let begun = offer(&[NTLM], Some(&negotiate()), None);
    let (head, tail) = begun.split_at(20);
    let glued = [tail, &begun].concat();
    assert_eq!(tokens(&[head.to_vec(), glued]).cause_name(), "negotiate/malformed-token");
    // Nothing, while a piece is due.
    assert_eq!(tokens(&[head.to_vec(), Vec::new()]).cause_name(), "negotiate/token-missing");
    // A mechanism's own token is never waited for.
    assert_eq!(tokens(&[b"NTLMSSP\0".to_vec()]).cause_name(), "ntlm/malformed-token");
}

/// The output in pieces, for a caller with a small buffer that asked for it.
#[test]
fn output_in_pieces() {
    let mut settings = Settings::default().wanting(ContextFlags::FRAGMENT_TO_FIT);
    for room in [5, 17, 64] {
        settings.room = Some(room);
        let user = Spnego::user();
        let mut client = user.talker();
        let mut host = Host::new(&settings, Foretold::scripted(&settings.server_challenge, 1));
        let (mut reply, mut waiting) = (Vec::new(), credential().begin());
        let context = loop {
            let token = client(&reply).expect("the client has something to say");
            reply.clear();
            let mut at = host.call(|call| waiting.token(&token, call));
            if let Some(Handshake::NeedsAnswer(asking)) = at {
                at = host.call(|call| asking.ask(&Realm::of_user(), call));
            }
            // An empty token asks for the next piece; a piece that is shorter than the room is the last.
            loop {
                let piece = host.take_output();
                assert!(piece.len() <= room);
                reply.extend_from_slice(&piece);
                match at {
                    Some(Handshake::NeedsToken(more)) if NegTokenResp::decode(&reply).is_err() => {
                        at = host.call(|call| more.token(b"", call));
                    }
                    _ => break,
                }
            }
            match at {
                Some(Handshake::NeedsToken(next)) => waiting = next,
                Some(Handshake::Established(context)) => break Some(context),
                _ => break None,
            }
        };
        assert!(context.is_some(), "room for {room}: {:?}", host.finish().cause);
    }
    // Too small for any piece, and too small without the wish for pieces.
    for (room, want) in [(4, ContextFlags::FRAGMENT_TO_FIT), (64, ContextFlags::NONE)] {
        let settings = Settings { room: Some(room), ..Settings::default().wanting(want) };
        let (outcome, _) = Spnego::user().converse(&credential(), &Realm::of_user(), &settings);
        assert_eq!(outcome.cause_name(), "call/no-room", "{room}");
    }
    // While pieces are due, a token of the client is none of them.
    settings.room = Some(20);
    let outcome = talk(&credential(), &Realm::of_user(), &settings, {
        let mut says = [offer(&[NTLM], Some(&negotiate()), None), response(None, Some(b"x"), None)].into_iter();
        move |_| says.next()
    });
    assert_eq!(outcome.cause_name(), "negotiate/unexpected-move");
}

/// The server first: what it offers, for protocols whose servers speak first.
#[test]
fn the_hint() {
    let outcome = tokens(&[Vec::new()]);
    assert_eq!(outcome.statuses, [Status::SEC_I_CONTINUE_NEEDED]);
    let hint = NegTokenInit::decode(&outcome.messages[1]).unwrap();
    assert_eq!(hint.mech_types.iter().collect::<Vec<_>>(), [NTLM]);
    assert_eq!((hint.hint_name, hint.mech_token, hint.mech_list_mic), (Some(HINT_NAME), None, None));
    assert!(outcome.messages[1].windows(8).any(|w| w == [0xa3, 0x2a, 0x30, 0x28, 0xa0, 0x26, 0x1b, 0x24]));
    // The signature is over the client's list, not over the hint's.
    let client = Spnego { asks_hint: 1, ..negoex_first(Initiator::user()) };
    let (outcome, seen) = says(&client);
    assert_eq!((outcome.cause_name(), seen.list_mic), ("ok", Some(true)));
    let (outcome, _) = says(&Spnego { signed: Some(vec![NTLM]), ..client });
    assert_eq!(outcome.cause_name(), "negotiate/list-mic-wrong");
}

/// What was granted is what the mechanism grants, and the facts say who did the work.
#[test]
fn the_facts_are_the_mechanisms() {
    let (outcome, _) = says(&Spnego::user());
    let (context, session) = outcome.ends();
    let facts = context.facts();
    assert_eq!((facts.package.name, facts.mechanism().name, facts.version), ("Negotiate", "NTLM", "NTLMv2"));
    assert_eq!(facts.negotiation, Some(Negotiation::Complete));
    assert_eq!(facts.session_key.as_ref().unwrap().expose(), &session.key);
    assert_eq!(facts.client_name().as_deref(), Some("DOMAIN\\User"));
    let inner = facts.inner.as_ref().unwrap();
    assert_eq!((inner.package.name, inner.granted), ("NTLM", facts.granted));
    // reqFlags of the offer neither raise nor lower anything.
    let (outcome, _) = says(&Spnego::of(Initiator::user().curl_like()));
    assert!(!outcome.context.unwrap().facts().granted.contains(ContextFlags::INTEGRITY));
}

/// Two users over one credential, their legs interleaved: neither ever gets the other's name.
#[test]
fn two_handshakes_interleaved() {
    let credential = credential();
    let realm = Realm::new("DOMAIN", "domain.example", &[("Ann", "a"), ("Bob", "b")]);
    let clients = [Initiator::new("Ann", "DOMAIN", "a"), Initiator::new("Bob", "DOMAIN", "b")].map(Spnego::of);
    let settings = Settings::default();
    let mut hosts = [1, 2].map(|seed| Host::new(&settings, Foretold::seeded(seed)));
    let mut talkers = clients.each_ref().map(Spnego::talker);
    let mut waiting: Vec<_> = (0..2).map(|_| Some(credential.begin())).collect();
    let mut replies = [Vec::new(), Vec::new()];
    let mut names = Vec::new();
    for turn in [0, 1, 1, 0] {
        let token = talkers[turn](&replies[turn]).unwrap();
        let begun = waiting[turn].take().unwrap();
        let mut at = hosts[turn].call(|call: Call<'_>| begun.token(&token, call));
        if let Some(Handshake::NeedsAnswer(asking)) = at {
            at = hosts[turn].call(|call| asking.ask(&realm, call));
        }
        replies[turn] = hosts[turn].take_output();
        match at.unwrap() {
            Handshake::NeedsToken(next) => waiting[turn] = Some(next),
            Handshake::Established(context) => names.push(context.facts().client_name().unwrap()),
            _ => panic!("a question is left"),
        }
    }
    assert_eq!(names, ["DOMAIN\\Bob", "DOMAIN\\Ann"]);
    // And one's last token in the other's handshake is no proof.
    let mut first = clients[0].talker();
    let (one, two) = (Settings { server_challenge: [1; 8], ..Settings::default() }, Settings::default());
    let mut stolen = None;
    talk(&credential, &realm, &one, |reply| {
        let token = first(reply)?;
        stolen = Some(token.clone());
        Some(token)
    });
    let mut says = [offer(&[NTLM], Some(&negotiate()), None), stolen.unwrap()].into_iter();
    let outcome = talk(&credential, &realm, &two, |_| says.next());
    assert_eq!(outcome.cause_name(), "account/wrong-proof");
}
