//! What people read of Kerberos' tokens: everything that is not encrypted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_diagnose::{Value, decode};
use portcullis_testkit::hex;
use portcullis_testkit::spnego::offer;
use portcullis_wire::kerberos::{
    EncryptedData, InnerToken, KerbErrorData, KerbExtError, KerberosTime, KrbError, NT_PRINCIPAL, NT_SRV_INST,
    PrincipalName, Rc4Mic, Rc4Wrap, TgtReply, TgtRequest, Ticket, encode_principal_name, frame_token,
};
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER, NTLM};

/// What MIT's programs wrote, with what they hold decrypted.
fn captured(name: &str) -> Vec<u8> {
    let line = |line: &'static str| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    hex::bytes(include_str!("../../wire/tests/vectors/mit-1.20.txt").lines().find_map(line).unwrap())
}

fn framed(kind: InnerToken, encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut body, mut token) = (Vec::new(), Vec::new());
    encode(&mut body);
    frame_token(KERBEROS, kind, &body, &mut token);
    token
}

#[test]
fn a_request_and_its_reply() {
    let request = captured("deleg request");
    let text = decode(&request).to_string();
    assert_eq!(
        text,
        "Kerberos token, 1514 bytes
  thisMech: Kerberos (1.2.840.113554.1.2.2)
  TOK_ID: AP-REQ (01 00)
  message: AP-REQ, 1497 bytes
    ap-options: 0x20000000 mutual-required
    ticket: Ticket, 463 bytes
      realm: EXAMPLE.TEST
      sname: HTTP/server.example.test@EXAMPLE.TEST (type 3)
      enc-part: aes256-cts-hmac-sha1-96 (18), key version 1, 368 bytes
    authenticator: aes256-cts-hmac-sha1-96 (18), 982 bytes"
    );
    let text = decode(&captured("deleg reply")).to_string();
    assert!(
        text.ends_with("message: AP-REP, 139 bytes\n    enc-part: aes256-cts-hmac-sha1-96 (18), 110 bytes"),
        "{text}"
    );
    let dce = decode(&captured("dce request"));
    assert_eq!(dce.kind, "Kerberos AP-REQ without a frame");
    assert_eq!(dce.field("ap-options"), Some(&Value::Text("0x20000000 mutual-required".into())));
    // Inside an offer.
    let text = decode(&offer(&[KERBEROS_MICROSOFT, NTLM], Some(&request), None)).to_string();
    assert!(text.contains("\n        sname: HTTP/server.example.test@EXAMPLE.TEST (type 3)\n"), "{text}");
}

/// A ticket is enough to guess a service's password by: neither it nor the proof is shown.
#[test]
fn ciphertexts_are_not_shown() {
    for name in ["deleg request", "deleg reply", "dce request", "dce third", "deleg wrap-sealed", "deleg mic"] {
        let token = captured(name);
        let shown = [decode(&token).to_string(), serde_json::to_string(&decode(&token)).unwrap()];
        let tail: String = token[token.len() - 8..].iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(shown.iter().all(|text| !text.contains(&tail)), "{name}");
        assert_eq!(decode(&token).unreadable, None, "{name}");
    }
}

fn error(code: i32, e_data: Option<&[u8]>) -> String {
    let (cname, sname) = (
        encode_principal_name(NT_PRINCIPAL, &[b"ann"]),
        encode_principal_name(NT_SRV_INST, &[b"HTTP", b"web.example"]),
    );
    let message = KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime(771_228_197),
        susec: 123_456,
        error_code: code,
        crealm: Some(b"EXAMPLE"),
        cname: Some(PrincipalName::from_encoded(&cname).unwrap()),
        realm: b"EXAMPLE",
        sname: PrincipalName::from_encoded(&sname).unwrap(),
        e_text: Some(b"a\x1b[2Jb"),
        e_data,
    };
    decode(&framed(InnerToken::KrbError, |out| message.encode(out))).to_string()
}

#[test]
fn errors_say_what_they_mean() {
    let (mut skew, mut reason, mut extended) = (Vec::new(), Vec::new(), Vec::new());
    KerbErrorData { data_type: 2, data_value: None }.encode(&mut skew);
    KerbExtError { status: 0xc000_0133, reserved: 0, flags: 1 }.encode(&mut reason);
    KerbErrorData { data_type: 3, data_value: Some(&reason) }.encode(&mut extended);
    let text = error(37, Some(&skew));
    for line in [
        "    error-code: 37 KRB_AP_ERR_SKEW: The clocks differ too much.",
        "    stime: 1994-06-10T06:03:17.123456Z",
        "    crealm: EXAMPLE",
        "    cname: ann@EXAMPLE (type 1)",
        "    sname: HTTP/web.example@EXAMPLE (type 2)",
        "    e-text: a\\u{1b}[2Jb",
        "    e-data: KERB-ERROR-DATA: the client may correct its clock and try again",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("ctime"), "{text}");
    assert!(error(41, Some(&extended)).ends_with("e-data: KERB_EXT_ERROR: NTSTATUS 0xc0000133, flags 1"));
    assert!(error(41, Some(b"?")).ends_with("e-data: 1 bytes"));
    assert!(error(9999, None).contains("\n    error-code: 9999\n"));
}

#[test]
fn user_to_user() {
    let sname = encode_principal_name(NT_SRV_INST, &[b"krbtgt", b"EXAMPLE"]);
    let sname = PrincipalName::from_encoded(&sname).unwrap();
    let request = TgtRequest { server_name: Some(sname), realm: Some(b"EXAMPLE") };
    let text = decode(&framed(InnerToken::TgtReq, |out| request.encode(out))).to_string();
    assert!(text.contains("TGT-REQ (04 00)\n  message: TGT-REQ, "), "{text}");
    assert!(text.ends_with("server-name: krbtgt/EXAMPLE@EXAMPLE (type 2)\n    realm: EXAMPLE"), "{text}");
    let enc_part = EncryptedData { etype: 99, kvno: Some(u32::MAX), cipher: b"12345" };
    let reply = TgtReply { ticket: Ticket { raw: b"", realm: b"EXAMPLE", sname, enc_part } };
    let text = decode(&framed(InnerToken::TgtRep, |out| reply.encode(out))).to_string();
    assert!(text.ends_with("      enc-part: type 99, key version 4294967295, 5 bytes"), "{text}");
}

#[test]
fn messages_under_a_context() {
    assert_eq!(
        decode(&captured("deleg wrap-sealed")).to_string(),
        "Kerberos Wrap token, 65 bytes\n  Flags: 0x06 sealed acceptor-subkey\n  EC: 0\n  RRC: 0\n  \
         SND_SEQ: 572251148\n  data: 49 bytes"
    );
    let text = decode(&captured("deleg mic")).to_string();
    assert!(text.starts_with("Kerberos MIC token, 28 bytes\n  Flags: 0x04 acceptor-subkey\n"), "{text}");
    assert!(text.ends_with("\n  SGN_CKSUM: 12 bytes"), "{text}");
    // What only begins like one is not taken for one.
    assert_eq!(decode(&[4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).kind, "unknown token");
    let (mut mic, mut wrap) = (Vec::new(), Vec::new());
    let (header, eight) = (&Rc4Mic::HEADER, &[7; 8]);
    Rc4Mic { mechanism: KERBEROS, header, sgn_alg: 0x11, snd_seq: eight, sgn_cksum: eight }.encode(&mut mic);
    assert!(decode(&mic).to_string().ends_with("MIC token of RFC 1964 (01 01)\n  SGN_ALG: 0x0011 HMAC-MD5"));
    Rc4Wrap {
        mechanism: KERBEROS_USER_TO_USER,
        header: &Rc4Wrap::SEALED,
        sgn_alg: 0x11,
        seal_alg: 0x10,
        snd_seq: eight,
        sgn_cksum: eight,
        confounder: eight,
        payload: b"data\x01",
    }
    .encode(&mut wrap);
    let text = decode(&wrap).to_string();
    assert!(text.ends_with("  SGN_ALG: 0x0011 HMAC-MD5\n  SEAL_ALG: 0x0010 RC4\n  data: 5 bytes"), "{text}");
    let short = decode(&[&[0x60, 0x13, 6, 9][..], KERBEROS.0, &[2, 1, 0x11, 0, 0x10, 0, 0xff, 0xff]].concat());
    assert!(short.unreadable.unwrap().contains("SND_SEQ"));
}

#[test]
fn nothing_panics() {
    for name in ["deleg request", "deleg reply", "dce request", "dce third", "deleg wrap-signed", "deleg mic"] {
        let token = captured(name);
        for len in 0..token.len() {
            let shown = decode(&token[..len]);
            assert_eq!(shown.length, len);
            let _ = shown.to_string();
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
