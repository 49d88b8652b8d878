//! The classes of mistakes that acceptors of NTLM have made, a test each.
//!
//! Four are a server's to make, and its tests show that it does not: another user's session through a proxy's
//! connection (N24), an anonymous bind over LDAP (N26), Basic without a check (N27), stalled handshakes (N28). See
//! `crates/server/tests/http.rs` and `crates/cli/tests/`; LDAP comes with its endpoint. What this library has of N26 and
//! N27, the empty password and the one path for all schemes, is at the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::{KeyStrength, Ntlm, TargetPolicy};
use portcullis::{BindingPolicy, ChannelBindings, ContextFlags, Credential, Refusal, Segment, Status};
use portcullis_testkit::{
    Bindings, Entry, Initiator, Layout, Mic, NegotiateForm, Outcome, Part, Realm, Responses, Settings, Slot, converse,
    exchange, server_names,
};
use portcullis_wire::ntlm::{AvFlags, AvId, Challenge, Flags, push_av_pair};

fn ntlm() -> Ntlm {
    Ntlm::new(server_names())
}

fn says(client: &Initiator) -> Outcome {
    converse(&Credential::acceptor(ntlm()), &Realm::of_user(), client, &Settings::default())
}

/// Lets the client talk, and edits its AUTHENTICATE on the way.
fn edited(client: &Initiator, edit: impl FnOnce(&mut Vec<u8>)) -> Outcome {
    let negotiate = client.negotiate();
    exchange(&Credential::acceptor(ntlm()), &Realm::of_user(), &Settings::default(), &negotiate, |challenge| {
        let (mut message, _) = client.authenticate(&negotiate, challenge)?;
        edit(&mut message);
        Some(message)
    })
}

fn denied(outcome: &Outcome, cause: &str, what: &str) {
    assert_eq!(outcome.cause_name(), cause, "{what}");
    assert_eq!(outcome.status(), Status::SEC_E_LOGON_DENIED, "{what}");
    assert!(outcome.context.is_none(), "{what}");
}

/// The password proved only through the MIC.
#[test]
fn n01_the_proof_is_always_compared() {
    let user = Initiator::user;
    let ways = [
        ("MIC present and right", user()),
        ("MIC absent, bit absent", user().without_mic()),
        ("MIC field there, bit cleared", Initiator { av_flags: Some(0), ..user() }),
        ("no AvFlags pair", Initiator { av_flags: None, ..user() }),
        ("TARGET_INFO cleared", Initiator { clears: Flags::TARGET_INFO, ..user() }),
        ("TARGET_INFO cleared, no MIC", Initiator { clears: Flags::TARGET_INFO, ..user().without_mic() }),
        ("no server pairs at all", Initiator { dropped_pairs: (1..=7).map(AvId).collect(), ..user().without_mic() }),
        ("neither SIGN nor SEAL", Initiator { clears: Flags::SIGN | Flags::SEAL, ..user() }),
        ("no key exchange", Initiator { clears: Flags::KEY_EXCHANGE, ..user() }),
    ];
    let wrongs: [fn(Initiator) -> Initiator; 4] = [
        |client| Initiator { password: "other".into(), ..client },
        |client| Initiator { password: String::new(), ..client },
        |client| Initiator { spoils_proof: true, ..client },
        |client| Initiator { hashed: Some(("Other".into(), "DOMAIN".into())), ..client },
    ];
    for (what, client) in ways {
        assert_eq!(says(&client).cause_name(), "ok", "right password, {what}");
        for (number, wrong) in wrongs.iter().enumerate() {
            denied(&says(&wrong(client.clone())), "account/wrong-proof", &format!("wrong way {number}, {what}"));
        }
    }
}

/// Dropping the MIC.
#[test]
fn n02_an_announced_mic_cannot_be_dropped() {
    for (mic, cause) in
        [(Mic::NoField, "ntlm/malformed-token"), (Mic::Zero, "ntlm/mic-missing"), (Mic::Wrong, "ntlm/mic-wrong")]
    {
        let outcome = says(&Initiator { mic, ..Initiator::user() });
        assert_eq!(outcome.cause_name(), cause);
        assert!(outcome.context.is_none());
    }
    // Each bit of the flags, of the version, and of the AV pairs' ids, lengths and AvFlags: the proof or the MIC sees it.
    let good = says(&Initiator::user()).messages[2].clone();
    let flags_and_version = 60..72;
    let response = usize::from(good[24]) | usize::from(good[25]) << 8;
    let pairs = response + 44..response + (usize::from(good[20]) | usize::from(good[21]) << 8);
    for at in flags_and_version.chain(pairs) {
        for bit in 0..8 {
            let outcome = edited(&Initiator::user(), |message| message[at] ^= 1 << bit);
            assert!(outcome.context.is_none(), "byte {at} bit {bit} was accepted");
        }
    }
    // Moving the payload to where the MIC stood, with the version field zeroed as older clients have it.
    let outcome = edited(&Initiator::user(), |message| {
        message.drain(72..88);
        for field in [12, 20, 28, 36, 44, 52] {
            let offset = u32::from_le_bytes(message[field + 4..field + 8].try_into().unwrap()) - 16;
            message[field + 4..field + 8].copy_from_slice(&offset.to_le_bytes());
        }
        message[64..72].fill(0);
    });
    assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/malformed-token", Status::SEC_E_INVALID_TOKEN));
}

/// The MIC compared instead of the proof.
#[test]
fn n03_proof_and_mic_are_both_compared() {
    denied(&says(&Initiator { spoils_proof: true, ..Initiator::user() }), "account/wrong-proof", "right MIC");
    let outcome = says(&Initiator { mic: Mic::Wrong, ..Initiator::user() });
    assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/mic-wrong", Status::SEC_E_MESSAGE_ALTERED));
}

/// The MIC recomputed over messages written anew.
#[test]
fn n04_the_mic_is_over_the_bytes_that_came() {
    let order = [Slot::Workstation, Slot::Key, Slot::Nt, Slot::User, Slot::Domain, Slot::Lm];
    let layout = Layout { order, gap: 5, max_len: Some(0), ..Layout::default() };
    let mut odd = b"NTLMSSP\0\x01\0\0\0".to_vec();
    odd.extend_from_slice(&Initiator::WINDOWS.0.to_le_bytes());
    odd.extend_from_slice(&[0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xee, 0, 0, 0]);
    odd.extend_from_slice(b"\x06\x01\xb0\x1d\0\0\0\x0fand bytes behind the version");
    for negotiate in [NegotiateForm::Raw(odd), NegotiateForm::Shortest, NegotiateForm::NoVersion] {
        let client = Initiator { negotiate, layout: layout.clone(), ..Initiator::user() };
        assert_eq!(says(&client).cause_name(), "ok", "{:?}", client.negotiate);
        assert_eq!(says(&Initiator { mic: Mic::Wrong, ..client }).cause_name(), "ntlm/mic-wrong");
    }
}

/// The proof recomputed with the server's time in place of the client's blob.
#[test]
fn n05_the_proof_is_over_the_clients_blob() {
    for (time, tail) in [(Some(0), vec![]), (Some(u64::MAX), vec![0; 4]), (None, b"Windows appends bytes".to_vec())] {
        let client = Initiator { time, blob_tail: tail, ..Initiator::user() };
        assert_eq!(says(&client).cause_name(), "ok", "{time:?}");
        // And a byte of the tail more or less is another proof.
        let outcome = edited(&client, |message| {
            let end = usize::from(message[24])
                + (usize::from(message[25]) << 8)
                + usize::from(message[20])
                + (usize::from(message[21]) << 8);
            message[end - 1] ^= 1;
        });
        assert!(outcome.context.is_none());
    }
}

/// The server's time 61 s off.
#[test]
fn n06_the_challenge_has_the_calls_time() {
    let outcome = says(&Initiator::user());
    let challenge = Challenge::decode(&outcome.messages[1]).unwrap();
    let time = challenge.av_pairs().find(AvId::TIMESTAMP).unwrap().unwrap().value;
    assert_eq!(time, Settings::default().now.to_le_bytes());
    // That this is the calendar's: `the_challenge_tells_the_time_of_the_call` in calls.rs.
}

/// NEGOTIATE without UNICODE refused.
#[test]
fn n07_oem_clients_are_served() {
    let curl = Initiator::user().curl_like();
    assert_eq!(curl.asks, Flags(0x0008_8206));
    let outcome = says(&curl);
    assert_eq!(outcome.cause_name(), "ok");
    let flags = Challenge::decode(&outcome.messages[1]).unwrap().flags;
    assert!(flags.contains(Flags::OEM) && !flags.contains(Flags::UNICODE));
    let neither = Initiator { asks: Flags(0x0008_8204), ..curl };
    let outcome = says(&neither);
    assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/no-charset", Status::SEC_E_INVALID_TOKEN));
}

/// The client's flags echoed, or put in place of the server's.
#[test]
fn n08_flags_are_computed() {
    let flags_of = |asks: u32| {
        let outcome = says(&Initiator { asks: Flags(asks), ..Initiator::user() });
        Challenge::decode(outcome.messages.get(1)?).ok().map(|challenge| challenge.flags)
    };
    let all = flags_of(!Flags::DATAGRAM.0).unwrap();
    assert!(!all.intersects(Flags::LM_KEY | Flags::OEM | Flags::ANONYMOUS | Flags::TARGET_TYPE_SERVER));
    assert!(all.contains(Flags::EXTENDED_SESSION_SECURITY | Flags::TARGET_TYPE_DOMAIN));
    let unprotected = flags_of(0xa008_8207).unwrap();
    assert!(!unprotected.intersects(Flags::KEY_128 | Flags::KEY_56), "{unprotected:?}");
    // What AUTHENTICATE sets and CHALLENGE did not offer does not count.
    let asks = Flags(Initiator::WINDOWS.0 & !(Flags::SEAL | Flags::SIGN).0);
    let client = Initiator { asks, sets: Flags::SIGN | Flags::SEAL, ..Initiator::user().without_mic() };
    let outcome = says(&client);
    let granted = outcome.context.as_ref().unwrap().facts().granted;
    assert!(!granted.contains(ContextFlags::CONFIDENTIALITY) && !granted.contains(ContextFlags::INTEGRITY));
    assert!(outcome.context.unwrap().seal(&mut [Segment::Data(&mut [1]), Segment::Token(&mut [0; 16])]).is_err());
}

/// One unknown bit erases all flags.
#[test]
fn n09_unknown_bits_do_no_harm() {
    let named = Flags::NAMED.iter().fold(0, |all, (flag, _)| all | flag.0);
    for bit in (0..32).map(|n| 1 << n).filter(|bit| named & bit == 0) {
        let outcome = says(&Initiator { asks: Initiator::WINDOWS | Flags(bit), ..Initiator::user() });
        assert_eq!(outcome.cause_name(), "ok", "bit {bit:#x} in NEGOTIATE");
        let flags = Challenge::decode(&outcome.messages[1]).unwrap().flags;
        assert!(flags.contains(Flags::SIGN | Flags::SEAL | Flags::KEY_128) && flags.0 & bit == 0);
        let outcome = says(&Initiator { sets: Flags(bit), ..Initiator::user() });
        assert_eq!(outcome.cause_name(), "ok", "bit {bit:#x} in AUTHENTICATE");
    }
}

/// Unknown AV ids and odd lengths taken for errors.
#[test]
fn n10_av_pairs_are_read_to_their_end() {
    let strange = Initiator { added_pairs: vec![(0x7fff, vec![7; 5]), (8, vec![0; 80])], ..Initiator::user() };
    assert_eq!(says(&strange).cause_name(), "ok");
    let end = |message: &[u8]| {
        usize::from(message[24])
            + (usize::from(message[25]) << 8)
            + usize::from(message[20])
            + (usize::from(message[21]) << 8)
    };
    let client = Initiator { blob_tail: Vec::new(), ..Initiator::user() };
    let outcome = edited(&client, |message| {
        let end = end(message);
        message[end - 4] = 0x77; // the end mark is an unknown pair now
    });
    assert_eq!(outcome.cause_name(), "ntlm/malformed-token", "missing end mark");
    let outcome = edited(&client, |message| {
        let end = end(message);
        message[end - 4] = 0x77;
        message[end - 2] = 1;
    });
    assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/malformed-token", Status::SEC_E_INVALID_TOKEN));
}

/// A CHALLENGE without the names that signing clients insist on.
#[test]
fn n11_the_challenge_has_names_and_time() {
    for names in [server_names(), portcullis::ntlm::ServerNames::standalone("WEB1")] {
        let credential = Credential::acceptor(Ntlm::new(names));
        let realm = Realm::of_user();
        for client in [Initiator::user(), Initiator::user().curl_like()] {
            let outcome = converse(&credential, &realm, &client, &Settings::default());
            let challenge = Challenge::decode(&outcome.messages[1]).unwrap();
            for id in [AvId::NB_COMPUTER_NAME, AvId::NB_DOMAIN_NAME, AvId::TIMESTAMP] {
                assert!(!challenge.av_pairs().find(id).unwrap().unwrap().value.is_empty(), "{id:?}");
            }
            assert!(challenge.flags.contains(Flags::TARGET_INFO) && !challenge.target_name.is_empty());
        }
    }
}

/// The name on the wire taken for the account that was verified.
#[test]
fn n12_the_account_is_the_verified_one() {
    let realm = Realm::new("DOMAIN", "domain.example", &[("Ann", "pa"), ("Ben", "pb")]);
    let credential = Credential::acceptor(ntlm());
    let say = |client: &Initiator| converse(&credential, &realm, client, &Settings::default());
    // Another user's name with one's own password; one's own proof under another's name.
    denied(&say(&Initiator::new("Ann", "DOMAIN", "pb")), "account/wrong-proof", "Ben as Ann");
    let borrowed = Initiator { hashed: Some(("Ben".into(), "DOMAIN".into())), ..Initiator::new("Ann", "DOMAIN", "pb") };
    denied(&say(&borrowed), "account/wrong-proof", "Ben's proof, Ann's name");
    for (written, domain) in [("ANN", ""), ("ann@domain.example", ""), (r"DOMAIN\aNN", ""), ("ann", ".")] {
        let name = say(&Initiator::new(written, domain, "pa")).context.unwrap().facts().client_name();
        assert_eq!(name.as_deref(), Some(r"DOMAIN\Ann"), "as stored, not as written");
    }
    // Two interleaved on one credential, and many threads: concurrency.rs.
}

/// Guest or anonymous let in by default.
#[test]
fn n13_nobody_and_guest_stay_out() {
    let user = Initiator::user;
    let nobody = |responses| Initiator { responses, ..user().without_mic() };
    for responses in [Responses::Anonymous, Responses::AnonymousZero] {
        denied(&says(&nobody(responses)), "ntlm/anonymous-refused", "by default");
        let mut allowed = ntlm();
        allowed.allow_anonymous = true;
        let credential = Credential::acceptor(allowed);
        let settings = Settings::default();
        let outcome = converse(&credential, &Realm::of_user(), &nobody(responses), &settings);
        denied(&outcome, "ntlm/anonymous-refused", "the call does not want it");
        let settings = settings.wanting(ContextFlags::NULL_SESSION);
        let mut context = converse(&credential, &Realm::of_user(), &nobody(responses), &settings).context.unwrap();
        let facts = context.facts();
        assert!(facts.granted.contains(ContextFlags::NULL_SESSION) && facts.account.is_none());
        assert!(facts.session_key.is_none() && facts.key_info.is_none());
        assert_eq!(facts.access_token().unwrap().user.to_string(), "S-1-5-7");
        assert!(context.sign(&mut [Segment::Data(&mut [1]), Segment::Token(&mut [0; 16])]).is_err());
        // A wrong proof is not let in as nobody.
        let wrong = Initiator { password: "other".into(), ..user() };
        denied(&converse(&credential, &Realm::of_user(), &wrong, &settings), "account/wrong-proof", "not as nobody");
    }
    for name in ["Guest", "guest", "GUEST", r"DOMAIN\Guest", "guest@domain.example", ""] {
        for password in ["", "any"] {
            let client = Initiator { user: name.into(), password: password.into(), domain: String::new(), ..user() };
            denied(&says(&client), "account/unknown-account", name);
        }
    }
}

/// An empty or missing account store lets all in.
#[test]
fn n14_no_store_and_no_password_let_nobody_in() {
    let credential = Credential::acceptor(ntlm());
    let settings = Settings::default();
    for password in ["", "Password"] {
        let client = Initiator { password: password.into(), ..Initiator::user() };
        let empty = Realm::new("DOMAIN", "domain.example", &[]);
        denied(&converse(&credential, &empty, &client, &settings), "account/unknown-account", "no accounts");
        let no_password = Realm { accounts: vec![Entry::new("User", "")], ..empty.clone() };
        denied(&converse(&credential, &no_password, &client, &settings), "account/no-password", "no password");
        let gone = Realm { outage: Some(Refusal::Unreachable), ..Realm::of_user() };
        let outcome = converse(&credential, &gone, &client, &settings);
        assert_eq!(outcome.status(), Status::SEC_E_NO_AUTHENTICATING_AUTHORITY);
        // The comparison itself refuses the empty password's hash, whatever a store holds.
        struct Careless;
        impl portcullis::Authority for Careless {
            fn answer(&self, question: &portcullis::Question) -> portcullis::Answer {
                let portcullis::Question::VerifyNtlm(asked) = question else { panic!("NTLM asks for NTLM") };
                let verified = portcullis::ntlm::verify(&portcullis::ntlm::keys::nt_hash(""), asked);
                assert!(verified.is_none(), "the empty password was verified");
                question.refuse(Refusal::WrongProof)
            }
        }
        denied(&converse(&credential, &Careless, &client, &settings), "account/wrong-proof", "empty hash");
    }
}

/// Bindings compared only where the client sends some; all-zero ones taken for bindings.
#[test]
fn n15_missing_bindings_are_missing() {
    let channel = ChannelBindings::tls_server_end_point(&[0x11; 32]);
    let mut required = ntlm();
    required.bindings = BindingPolicy::Require;
    required.danger_accept_ntlmv1 = true;
    let credential = Credential::acceptor(required);
    let settings = Settings { bindings: Some(channel.clone()), ..Settings::default() };
    let v1 = Initiator { responses: Responses::V1Ess, ..Initiator::user().without_mic() };
    for client in [
        Initiator { bindings: Bindings::Absent, ..Initiator::user() },
        Initiator { bindings: Bindings::Zero, ..Initiator::user() },
        v1,
    ] {
        let outcome = converse(&credential, &Realm::of_user(), &client, &settings);
        assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/bindings-missing", Status::SEC_E_BAD_BINDINGS));
    }
    let right = Initiator { bindings: Bindings::Of(channel), ..Initiator::user() };
    assert_eq!(converse(&credential, &Realm::of_user(), &right, &settings).cause_name(), "ok");
    // Each cell of the table: bindings.rs.
}

/// A third status where two are due.
#[test]
fn n16_two_calls_two_statuses() {
    for client in [Initiator::user(), Initiator::user().curl_like()] {
        assert_eq!(says(&client).statuses, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_OK]);
    }
}

/// Granted flags always zero, or those that were wished for; no expiry.
#[test]
fn n17_granted_flags_and_expiry_are_computed() {
    let granted = |clear: Flags, set: Flags| {
        let client = Initiator { asks: Flags((Initiator::WINDOWS.0 | set.0) & !clear.0), ..Initiator::user() };
        says(&client).context.unwrap().facts().granted
    };
    let integrity = ContextFlags::INTEGRITY | ContextFlags::REPLAY_DETECT | ContextFlags::SEQUENCE_DETECT;
    let connection = ContextFlags::CONNECTION;
    let none = Flags(0);
    assert_eq!(granted(none, none), connection | integrity | ContextFlags::CONFIDENTIALITY);
    assert_eq!(granted(Flags::SEAL, none), connection | integrity);
    assert_eq!(granted(Flags::SIGN, none), connection | integrity | ContextFlags::CONFIDENTIALITY);
    assert_eq!(granted(Flags::SIGN | Flags::SEAL, none), connection);
    assert_eq!(granted(Flags::SIGN | Flags::SEAL, Flags::IDENTIFY), connection | ContextFlags::IDENTIFY);

    let mut realm = Realm::of_user();
    let expiry = |realm: &Realm| {
        let outcome = converse(&Credential::acceptor(ntlm()), realm, &Initiator::user(), &Settings::default());
        outcome.context.unwrap().facts().expiry
    };
    assert_eq!(expiry(&realm), None, "never");
    realm.accounts[0].logoff_at = Some(0x01da_0100_0000_0000);
    assert_eq!(expiry(&realm), portcullis_wire::filetime::to_system(0x01da_0100_0000_0000));
}

/// A context that can be used, or asked for a name, after a failure. An error consumes the handshake, so that there is
/// nothing to ask: `a_failed_handshake_leaves_nothing` in calls.rs plays the tokens.
#[test]
fn n18_a_failure_leaves_no_context() {
    for client in [
        Initiator { password: "other".into(), ..Initiator::user() },
        Initiator { mic: Mic::Wrong, ..Initiator::user() },
        Initiator { responses: Responses::V1, ..Initiator::user().without_mic() },
    ] {
        assert!(says(&client).context.is_none());
    }
}

/// A wrong status for a wrong password; states told before the proof.
#[test]
fn n19_unknown_and_wrong_are_one_to_the_client() {
    let wrong = Initiator { password: "other".into(), ..Initiator::user() };
    let unknown = Initiator { user: "Nobody".into(), ..Initiator::user() };
    let baseline = says(&wrong).statuses;
    assert_eq!(baseline, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_LOGON_DENIED]);
    assert_eq!(says(&unknown).statuses, baseline);
    for state in [
        Refusal::Disabled,
        Refusal::LockedOut,
        Refusal::AccountExpired,
        Refusal::PasswordExpired,
        Refusal::MustChange,
        Refusal::LogonHours,
        Refusal::Workstation,
        Refusal::NoPassword,
        Refusal::Throttled,
    ] {
        let mut realm = Realm::of_user();
        realm.accounts[0].state = Some(state);
        for client in [&wrong, &Initiator::user()] {
            let outcome = converse(&Credential::acceptor(ntlm()), &realm, client, &Settings::default());
            assert_eq!(outcome.statuses, baseline, "{state:?}");
        }
    }
}

/// LM and NTLMv1 let in silently.
#[test]
fn n20_version_1_is_off() {
    let no_ess = Flags(Initiator::WINDOWS.0 & !Flags::EXTENDED_SESSION_SECURITY.0);
    for (responses, asks, cause) in [
        (Responses::V1, no_ess, "ntlm/ntlmv1-refused"),
        (Responses::V1WithLm, no_ess, "ntlm/ntlmv1-refused"),
        (Responses::V1Ess, Initiator::WINDOWS, "ntlm/ntlmv1-refused"),
        (Responses::LmOnly, no_ess, "ntlm/no-nt-response"),
        (Responses::LmV2Only, Initiator::WINDOWS, "ntlm/no-nt-response"),
    ] {
        let client = Initiator { responses, asks, ..Initiator::user().without_mic() };
        denied(&says(&client), cause, "off");
        let mut danger = ntlm();
        danger.danger_accept_ntlmv1 = true;
        let credential = Credential::acceptor(danger);
        let outcome = converse(&credential, &Realm::of_user(), &client, &Settings::default());
        // An LM response is not looked at even then.
        let expected = if cause == "ntlm/no-nt-response" { cause } else { "ok" };
        assert_eq!(outcome.cause_name(), expected, "{responses:?}");
        let wrong = Initiator { password: "other".into(), ..client };
        let outcome = converse(&credential, &Realm::of_user(), &wrong, &Settings::default());
        assert!(outcome.context.is_none());
    }
}

/// The cipher's state moved by more than the messages. The mechListMIC of SPNEGO comes with the Negotiate package; what
/// NTLM itself must keep is that each direction's stream moves by its messages alone.
#[test]
fn n21_each_direction_has_its_own_stream() {
    let (mut server, mut client) = says(&Initiator::user()).ends();
    for round in 0..3_u8 {
        for _ in 0..=round {
            let mut parts = [Part::Data(vec![round; 40])];
            let mut token = client.seal(&mut parts).to_vec();
            let mut data = parts[0].bytes().to_vec();
            server.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
            assert_eq!(data, [round; 40]);
        }
        let (mut data, mut token) = (vec![round; 7], [0; 16]);
        server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
        let mut parts = [Part::Data(data)];
        assert!(client.unseal(&mut parts, &token));
        assert_eq!(parts[0].bytes(), [round; 7]);
    }
}

/// Sealing by 128 bits and extended session security only.
#[test]
fn n22_every_strength_and_form_seals() {
    for bits in [Flags(0), Flags::KEY_56, Flags::KEY_128] {
        for clear in [Flags(0), Flags::KEY_EXCHANGE, Flags::EXTENDED_SESSION_SECURITY] {
            let asks = Flags((Initiator::WINDOWS.0 & !(Flags::KEY_56 | Flags::KEY_128 | clear).0) | bits.0);
            let mut weak = ntlm();
            weak.minimum_key = KeyStrength::Bits40;
            let client = Initiator { asks, ..Initiator::user() };
            let outcome = converse(&Credential::acceptor(weak), &Realm::of_user(), &client, &Settings::default());
            let (mut server, mut session) = outcome.ends();
            let (mut data, mut token) = (b"sealed".to_vec(), [0; 16]);
            server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
            assert_ne!(data, b"sealed");
            let mut parts = [Part::Data(data)];
            assert!(session.unseal(&mut parts, &token), "{asks:?}");
            assert_eq!(parts[0].bytes(), b"sealed");
        }
    }
    // The dummy signature, segments, two threads, what is refused: sealing.rs.
}

/// Truncation and bounds: every truncation and flip of the three messages is in mutations.rs; here, offsets.
#[test]
fn n23_offsets_do_not_wrap() {
    for field in [12, 20, 28, 36, 44, 52] {
        for offset in [0, 1, 63, 64, 87, 423, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff_u32] {
            for len in [1, 2, 16, 24, 0x7fff, 0xffff_u16] {
                let outcome = edited(&Initiator::user(), |message| {
                    message[field..field + 2].copy_from_slice(&len.to_le_bytes());
                    message[field + 4..field + 8].copy_from_slice(&offset.to_le_bytes());
                });
                assert!(outcome.context.is_none(), "field {field} offset {offset:#x} length {len:#x}");
            }
        }
    }
}

/// Relay and reflection.
#[test]
fn n25_reflected_and_relayed_clients_stay_out() {
    let client = Initiator::user();
    let outcome = exchange(
        &Credential::acceptor(ntlm()),
        &Realm::of_user(),
        &Settings::default(),
        &client.negotiate(),
        |challenge| Some(challenge.to_vec()),
    );
    assert_eq!((outcome.cause_name(), outcome.status()), ("ntlm/malformed-token", Status::SEC_E_INVALID_TOKEN));

    // A name that resolves to one host and authenticates to another, under every policy.
    let lure = "CIFS/server1UWhRCAAAAAAAAAAAAAAAAAAAAAAAAAAAAwbEAYBAAAA";
    let ours = || vec!["HTTP/server.domain.example".to_owned(), lure.to_owned()];
    for targets in [TargetPolicy::Any, TargetPolicy::WhenPresent(ours()), TargetPolicy::Require(ours())] {
        let mut strict = ntlm();
        strict.targets = targets;
        let credential = Credential::acceptor(strict);
        let lured = Initiator { target: Some(lure.into()), ..Initiator::user() };
        denied(
            &converse(&credential, &Realm::of_user(), &lured, &Settings::default()),
            "ntlm/target-not-ours",
            "marshalled",
        );
        assert_eq!(converse(&credential, &Realm::of_user(), &client, &Settings::default()).cause_name(), "ok");
    }
    // Whose AUTHENTICATE answers a challenge of another server, or of another connection here.
    let elsewhere = Settings { server_challenge: [0x77; 8], ..Settings::default() };
    let relayed = says(&client).messages[2].clone();
    let outcome =
        exchange(&Credential::acceptor(ntlm()), &Realm::of_user(), &elsewhere, &client.negotiate(), |_| Some(relayed));
    denied(&outcome, "account/wrong-proof", "another challenge");
}

/// An unverified target counts as none, and a pair that is there twice counts once, the first time.
#[test]
fn n25_targets_cannot_be_smuggled_in() {
    let mut strict = ntlm();
    strict.targets = TargetPolicy::Require(vec!["HTTP/server.domain.example".into()]);
    let credential = Credential::acceptor(strict);
    let say = |client: &Initiator| converse(&credential, &Realm::of_user(), client, &Settings::default());
    let unverified = Initiator { av_flags: Some(AvFlags::MIC | AvFlags::UNVERIFIED_TARGET), ..Initiator::user() };
    denied(&say(&unverified), "ntlm/target-missing", "unverified");
    let mut second = Vec::new();
    push_av_pair(&mut second, AvId::TARGET_NAME, &[]);
    let ours = portcullis_wire::utf16::encode("HTTP/server.domain.example");
    let twice = Initiator {
        target: Some("CIFS/other".into()),
        added_pairs: vec![(AvId::TARGET_NAME.0, ours)],
        ..Initiator::user()
    };
    denied(&say(&twice), "ntlm/target-not-ours", "twice");
}

/// What this library has of N26 and N27: an empty password is no logon by any scheme, and a plain password runs through
/// the same authority as NTLM.
#[test]
fn n26_n27_plain_passwords_are_judged() {
    let credential = Credential::acceptor(portcullis::password::Password::new());
    let realm = Realm::of_user();
    let say = |token: &[u8]| {
        let outcome = exchange(&credential, &realm, &Settings::default(), token, |_| None);
        (outcome.cause_name(), outcome.context.is_some())
    };
    assert_eq!(say(b"User:Password"), ("ok", true));
    assert_eq!(say(b"User:"), ("password/empty-password", false));
    for token in [&b"User:any"[..], b"User:PASSWORD", b"User:Password ", b"User:Password\0"] {
        assert_eq!(say(token), ("account/wrong-proof", false));
    }
    assert_eq!(say(b":Password"), ("account/unknown-account", false));
}
