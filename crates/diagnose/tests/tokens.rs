//! What people read of tokens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_diagnose::{Value, decode};
use portcullis_testkit::spnego::{Spnego, offer, response};
use portcullis_testkit::vector::{Package, Vector};
use portcullis_testkit::{Initiator, Realm, Settings, converse, server_names};
use portcullis_wire::spnego::{IAKERB, KERBEROS, KERBEROS_MICROSOFT, NEGOEX, NTLM, NegState, NegTokenInit, frame};
use std::collections::BTreeSet;
use std::path::Path;

fn conversation() -> Vec<Vec<u8>> {
    let credential = portcullis::Credential::acceptor(portcullis::ntlm::Ntlm::new(server_names()));
    converse(&credential, &Realm::of_user(), &Initiator::user(), &Settings::default()).messages
}

#[test]
fn the_three_messages_of_ntlm() {
    let [negotiate, challenge, authenticate] = conversation().try_into().unwrap();
    let text = decode(&negotiate).to_string();
    assert!(text.starts_with("NTLM NEGOTIATE, 40 bytes\n  NegotiateFlags: 0xe2088237 UNICODE OEM "), "{text}");
    assert!(text.ends_with("\n  Version: 10.0 build 17763, NTLM revision 15"), "{text}");
    let text = decode(&challenge).to_string();
    for line in [
        "NTLM CHALLENGE, 194 bytes",
        "  TargetName: DOMAIN",
        "  ServerChallenge: 0123456789abcdef",
        "    MsvAvNbComputerName: SERVER",
        "    MsvAvDnsComputerName: server.domain.example",
        "    MsvAvTimestamp: 2023-10-16T", // 0x01da000000000000
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line:?} is not in\n{text}");
    }
    let text = decode(&authenticate).to_string();
    for line in [
        "  UserName: User",
        "  DomainName: DOMAIN",
        "  Workstation: COMPUTER",
        "  LmChallengeResponse: 24 zero bytes",
        "  NtChallengeResponse: NTLMv2, 258 bytes (the proof is not shown)",
        "    MsvAvFlags: 0x2: the message has a MIC",
        "    MsvAvChannelBindings: all zero: the client knows of bindings and sees no channel",
        "    MsvAvTargetName: HTTP/server.domain.example",
        "  EncryptedRandomSessionKey: present, 16 bytes",
        "  MIC: present",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}

/// A response is enough to guess the password by: neither it, nor the encrypted key, nor the client's part of it is shown.
#[test]
fn proofs_are_not_shown() {
    let clients = [
        Initiator::user(),
        Initiator { responses: portcullis_testkit::Responses::V1WithLm, ..Initiator::user().without_mic() },
    ];
    for client in clients {
        let mut setup = portcullis_testkit::vector::Setup::default();
        setup.ntlm.danger_accept_ntlmv1 = true;
        let said = converse(&setup.credential(), &setup.realm, &client, &setup.settings).messages;
        let message =
            portcullis_wire::ntlm::Authenticate::decode(&said[2], portcullis_wire::ntlm::Charset::Unicode).unwrap();
        let shown = decode(&said[2]);
        let texts = [shown.to_string(), serde_json::to_string(&shown).unwrap()];
        let secrets =
            [message.nt_response.get(..16), message.encrypted_session_key.get(..8), message.lm_response.get(..8)];
        for secret in secrets.into_iter().flatten().filter(|secret| secret.iter().any(|byte| *byte != 0)) {
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(texts.iter().all(|text| !text.contains(&hex)));
        }
    }
}

#[test]
fn tokens_inside_tokens() {
    let [negotiate, challenge, _] = conversation().try_into().unwrap();
    let shown = decode(&offer(&[NEGOEX, KERBEROS_MICROSOFT, NTLM], Some(&negotiate), None));
    assert_eq!(shown.kind, "SPNEGO NegTokenInit");
    let text = shown.to_string();
    let lines = "  mechTypes:\n    NEGOEX (1.3.6.1.4.1.311.2.2.30)\n    Kerberos (Microsoft) (1.2.840.48018.1.2.2)\n    NTLM (1.3.6.1.4.1.311.2.2.10)\n  mechToken: NTLM NEGOTIATE, 40 bytes\n    NegotiateFlags: ";
    assert!(text.contains(lines), "{text}");
    let shown = decode(&response(Some(NegState::RequestMic), Some(&challenge), Some(&[7; 16])));
    assert_eq!(shown.field("negState"), Some(&Value::Text("request-mic".into())));
    assert_eq!(shown.field("mechListMIC"), Some(&Value::Text("present, 16 bytes".into())));
    let Some(Value::Token(inner)) = shown.field("responseToken") else { panic!("{shown}") };
    assert_eq!(inner.kind, "NTLM CHALLENGE");
    let mut hint = Vec::new();
    NegTokenInit::encode_hint(&[NTLM], &mut hint);
    let shown = decode(&hint);
    assert_eq!(shown.kind, "SPNEGO NegTokenInit2");
    assert_eq!(shown.field("hintName"), Some(&Value::Text("not_defined_in_RFC4178@please_ignore".into())));
    // Programs read the same names.
    let json: serde_json::Value = serde_json::to_value(decode(&offer(&[NTLM], Some(&negotiate), None))).unwrap();
    assert_eq!(json["kind"], "SPNEGO NegTokenInit");
    assert_eq!(json["fields"]["mechToken"]["kind"], "NTLM NEGOTIATE");
    assert_eq!(json["fields"]["mechTypes"][0], "NTLM (1.3.6.1.4.1.311.2.2.10)");
    assert_eq!(json.get("unreadable"), None);
}

#[test]
fn other_protocols_are_named() {
    let framed = |oid, inner: &[u8]| {
        let mut out = Vec::new();
        frame(oid, inner, &mut out);
        out
    };
    let ap_req = decode(&framed(KERBEROS, &[0x01, 0x00, 0x6e, 0x00]));
    assert_eq!(
        ap_req.to_string(),
        "Kerberos token, 17 bytes\n  thisMech: Kerberos (1.2.840.113554.1.2.2)\n  TOK_ID: AP-REQ (01 00)\n  \
         message: AP-REQ, 2 bytes\n    cannot be read: the message ends inside AP-REQ at offset 2"
    );
    // Of another mechanism nothing is guessed.
    let iakerb = decode(&framed(IAKERB, &[0x01, 0x00, 0x6e, 0x00]));
    assert_eq!((iakerb.kind, iakerb.field("message")), ("Kerberos token", None));
    assert_eq!(decode(&[0x6e, 0x00]).kind, "Kerberos AP-REQ without a frame");
    assert_eq!(decode(&[0x6f, 0x00]).kind, "Kerberos AP-REP without a frame");
    let unknown = decode(&[0x16, 0x03, 0x01, 0x00, 0x05]);
    assert!(unknown.to_string().contains("looks like: a TLS handshake"), "{unknown}");
    assert!(decode(b"dXNlcjpwYXNz").to_string().contains("looks like: text"));
    assert_eq!(decode(b"").to_string(), "empty token, 0 bytes");
    let negoex = [&b"NEGOEXTS"[..], &[99, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 40, 0, 0, 0], &[0x11; 16]].concat();
    let text = decode(&negoex.repeat(2)).to_string();
    assert_eq!(text.matches("ConversationId: 11111111-1111-1111-1111-111111111111").count(), 2, "{text}");
}

/// Names come from anybody: no control character of theirs reaches a terminal.
#[test]
fn nothing_moves_the_cursor() {
    let client = Initiator { user: "a\u{1b}[2Jb\n".into(), workstation: "\u{7}\r".into(), ..Initiator::user() };
    let credential = portcullis::Credential::acceptor(portcullis::ntlm::Ntlm::new(server_names()));
    let said = converse(&credential, &Realm::of_user(), &client, &Settings::default()).messages;
    let text = decode(&said[2]).to_string();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.contains("UserName: a\\u{1b}[2Jb\\n\n"), "{text}");
}

/// Every token of every vector is read, or says where it cannot be; and so does each piece of it, and each change.
#[test]
fn nothing_panics() {
    let mut kinds = BTreeSet::new();
    for folder in ["ntlm", "negotiate"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let vector = Vector::parse(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
            assert_ne!(vector.setup.package, Package::Password);
            for token in vector.tokens.iter().chain(vector.replies.iter().flatten()) {
                let shown = decode(token);
                assert_eq!(shown.length, token.len());
                if vector.cause == "ok" && vector.setup.package == Package::Ntlm {
                    assert_eq!(shown.unreadable, None, "{shown}");
                }
                kinds.insert(shown.kind);
            }
        }
    }
    for kind in [
        "NTLM NEGOTIATE",
        "NTLM CHALLENGE",
        "NTLM AUTHENTICATE",
        "SPNEGO NegTokenInit",
        "SPNEGO NegTokenResp",
        "NEGOEX",
        "unknown token",
    ] {
        assert!(kinds.contains(kind), "{kind} is in no vector: {kinds:?}");
    }
    let spnego = Spnego::user().converse(
        &portcullis::Credential::acceptor(portcullis::negotiate::Negotiate::offering([portcullis::ntlm::Ntlm::new(
            server_names(),
        )
        .into()])),
        &Realm::of_user(),
        &Settings::default(),
    );
    for token in conversation().iter().chain(&spnego.0.messages) {
        for len in 0..token.len() {
            let _ = decode(&token[..len]).to_string();
        }
        for at in 0..token.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, token[at] ^ 0x20] {
                let mut changed = token.clone();
                changed[at] = value;
                let _ = decode(&changed).to_string();
            }
        }
    }
}
