//! The messages of SPNEGO, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::der::{Der, Oid};
use portcullis_wire::spnego::{
    FirstToken, HINT_NAME, KERBEROS, KERBEROS_MICROSOFT, MechTypes, NAMES, NEGOEX, NTLM, NegState, NegTokenInit,
    NegTokenResp, SPNEGO, frame, name, unframe,
};
use portcullis_wire::{Error, Kind};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// An offer of NTLM with an eight-byte token, written by hand.
const OFFER: &str = "60 28 06 06 2b0601050502 a0 1e 30 1c
    a0 0e 30 0c 06 0a 2b060104018237 02020a
    a2 0a 04 08 4e544c4d53535000";

/// A first reply: accept-incomplete, NTLM, an eight-byte token.
const FIRST_REPLY: &str = "a1 21 30 1f
    a0 03 0a 01 01
    a1 0c 06 0a 2b060104018237 02020a
    a2 0a 04 08 4e544c4d53535000";

/// A last reply: accept-completed, and a signature.
const LAST_REPLY: &str = "a1 1b 30 19
    a0 03 0a 01 00
    a3 12 04 10 01000000 0011223344556677 00000000";

#[test]
fn an_offer() {
    let bytes = hex(OFFER);
    let init = NegTokenInit::decode(&bytes).unwrap();
    assert_eq!(init.mech_types.iter().collect::<Vec<_>>(), [NTLM]);
    assert_eq!(init.mech_types.raw, hex("30 0c 06 0a 2b060104018237 02020a"), "what is signed, without [0]");
    assert_eq!(
        (init.mech_token, init.mech_list_mic, init.hint_name, init.req_flags),
        (Some(&b"NTLMSSP\0"[..]), None, None, None)
    );
    let mut again = Vec::new();
    init.encode(&mut again);
    assert_eq!(again, bytes);
    // Without its frame.
    assert_eq!(NegTokenInit::decode(&bytes[10..]), Ok(init));
}

#[test]
fn replies() {
    for (text, expected) in [
        (
            FIRST_REPLY,
            NegTokenResp {
                state: Some(NegState::AcceptIncomplete),
                supported_mech: Some(NTLM),
                response_token: Some(b"NTLMSSP\0"),
                mech_list_mic: None,
            },
        ),
        (
            LAST_REPLY,
            NegTokenResp {
                state: Some(NegState::AcceptCompleted),
                mech_list_mic: Some(&[1, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0, 0, 0, 0]),
                ..NegTokenResp::default()
            },
        ),
        ("a1 07 30 05 a0 03 0a 01 02", NegTokenResp { state: Some(NegState::Reject), ..NegTokenResp::default() }),
        ("a1 07 30 05 a0 03 0a 01 03", NegTokenResp { state: Some(NegState::RequestMic), ..NegTokenResp::default() }),
        ("a1 02 30 00", NegTokenResp::default()),
        ("a1 06 30 04 a2 02 04 00", NegTokenResp { response_token: Some(b""), ..NegTokenResp::default() }),
    ] {
        let bytes = hex(text);
        assert_eq!(NegTokenResp::decode(&bytes), Ok(expected), "{text}");
        let mut again = Vec::new();
        expected.encode(&mut again);
        assert_eq!(again, bytes, "{text}");
    }
}

/// The server's hint, as MS-SPNG 3.2.5.2 shows its tail.
#[test]
fn the_hint() {
    let mut bytes = Vec::new();
    NegTokenInit::encode_hint(&[NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM], &mut bytes);
    let tail = [&hex("a3 2a 30 28 a0 26 1b 24")[..], HINT_NAME].concat();
    assert!(bytes.ends_with(&tail));
    let init = NegTokenInit::decode(&bytes).unwrap();
    assert_eq!(init.mech_types.iter().collect::<Vec<_>>(), [NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM]);
    assert_eq!((init.hint_name, init.mech_list_mic), (Some(HINT_NAME), None));
}

/// Field 3 is the signature in the RFC's form and the hint in Microsoft's, whose signature is field 4.
#[test]
fn both_forms_of_field_three() {
    let list = "a0 0e 30 0c 06 0a 2b060104018237 02020a";
    let with = |fields: &str| {
        let fields = hex(&format!("{list} {fields}"));
        let len = u8::try_from(fields.len()).unwrap();
        [&[0xa0, len + 2, 0x30, len][..], &fields].concat()
    };
    let rows = [
        ("a3 04 04 02 0102", None, Some(&[1, 2][..])),
        ("a3 07 30 05 a0 03 1b 01 78", Some(&b"x"[..]), None),
        ("a3 07 30 05 a0 03 1b 01 78 a4 04 04 02 0102", Some(b"x"), Some(&[1, 2])),
        ("a3 02 30 00 a4 04 04 02 0102", None, Some(&[1, 2])),
        ("a4 04 04 02 0102", None, Some(&[1, 2])),
        // A hint's address, and a later version's fields.
        ("a3 0b 30 09 a0 03 1b 01 78 a1 02 04 00 a5 00 a9 01 00", Some(b"x"), None),
    ];
    for (fields, hint, mic) in rows {
        let bytes = with(fields);
        let init = NegTokenInit::decode(&bytes).unwrap_or_else(|error| panic!("{fields}: {error}"));
        assert_eq!((init.hint_name, init.mech_list_mic), (hint, mic), "{fields}");
    }
    for wrong in
        ["a3 03 02 01 00", "a3 05 04 01 00 04 00", "a5 00 a4 04 04 02 0102", "a2 03 04 01 00 a1 04 03 02 0001", "30 00"]
    {
        assert!(NegTokenInit::decode(&with(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn lists_have_bounds() {
    let of = |count| {
        let mut out = Vec::new();
        let list = MechTypes::encode(&vec![NTLM; count]);
        let mech_types = MechTypes { raw: &list };
        NegTokenInit { mech_types, req_flags: None, mech_token: None, hint_name: None, mech_list_mic: None }
            .encode(&mut out);
        out
    };
    assert_eq!(NegTokenInit::decode(&of(64)).unwrap().mech_types.iter().count(), 64);
    assert_eq!(NegTokenInit::decode(&of(65)).unwrap_err().kind, Kind::TooLarge);
    assert_eq!(NegTokenInit::decode(&of(0)).unwrap_err().kind, Kind::WrongLength);
    assert_eq!(MechTypes::decode(&[0x30, 0x02, 0x04, 0x00]).unwrap_err().kind, Kind::Unexpected);
    assert!(MechTypes::decode(&hex("30 0c 06 0a 2b060104018237 02020a 00")).is_err());
}

#[test]
fn first_tokens() {
    let mut kerberos = Vec::new();
    frame(KERBEROS, &[0x01, 0x00], &mut kerberos);
    let mut misspelt = Vec::new();
    frame(KERBEROS_MICROSOFT, b"", &mut misspelt);
    let rows: [(&[u8], FirstToken<'_>); 12] = [
        (&hex(OFFER), FirstToken::Spnego),
        (&hex(OFFER)[10..], FirstToken::Spnego),
        (&hex(FIRST_REPLY), FirstToken::Response),
        (b"NTLMSSP\0\x01", FirstToken::Raw(NTLM)),
        (b"NTLMSSP", FirstToken::Other),
        (&kerberos, FirstToken::Raw(KERBEROS)),
        (&misspelt, FirstToken::Raw(KERBEROS_MICROSOFT)),
        (&[0x6e, 0x00], FirstToken::Raw(KERBEROS)),
        (b"NEGOEXTS", FirstToken::Other),
        (b"", FirstToken::Other),
        (&[0x60, 0x02, 0x04, 0x00], FirstToken::Other),
        (&[0x60], FirstToken::Other),
    ];
    for (token, expected) in rows {
        assert_eq!(FirstToken::recognise(token), expected, "{token:02x?}");
    }
    for (first, is_der) in [
        (None, false),
        (Some(0x60), true),
        (Some(0x6e), true),
        (Some(0xa0), true),
        (Some(0xa1), true),
        (Some(b'N'), false),
        (Some(0x16), false),
    ] {
        assert_eq!(FirstToken::is_der(first), is_der, "{first:02x?}");
    }
}

#[test]
fn frames() {
    let mut framed = Vec::new();
    frame(KERBEROS, b"inside, whatever it is", &mut framed);
    let (oid, inner) = unframe(&Der::new(&framed)).unwrap();
    assert_eq!((oid, inner.rest()), (KERBEROS, &b"inside, whatever it is"[..]));
    let glued = [framed.clone(), vec![0]].concat();
    assert_eq!(
        unframe(&Der::new(&glued)).unwrap_err(),
        Error::new(framed.len(), "InitialContextToken", Kind::Unexpected)
    );
}

#[test]
fn names() {
    assert_eq!(name(NTLM), Some("NTLM"));
    assert_eq!(name(SPNEGO), Some("SPNEGO"));
    assert_eq!(name(Oid(&[1])), None);
    let mut seen: Vec<_> = NAMES.iter().map(|(oid, _)| oid.0).collect();
    seen.dedup();
    assert_eq!(seen.len(), NAMES.len());
}

/// A cut message is never one; a changed one never panics, and is one only in its own form.
#[test]
fn cut_anywhere_and_changed_anywhere() {
    let mut hint = Vec::new();
    NegTokenInit::encode_hint(&[NEGOEX, NTLM], &mut hint);
    for good in [hex(OFFER), hint, hex(FIRST_REPLY), hex(LAST_REPLY)] {
        for len in 0..good.len() {
            assert!(
                NegTokenInit::decode(&good[..len]).is_err() && NegTokenResp::decode(&good[..len]).is_err(),
                "{len}"
            );
        }
        let glued = [good.clone(), vec![0]].concat();
        assert!(NegTokenInit::decode(&glued).is_err() && NegTokenResp::decode(&glued).is_err());
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bytes = good.clone();
                bytes[at] = value;
                if let Ok(response) = NegTokenResp::decode(&bytes) {
                    let mut again = Vec::new();
                    response.encode(&mut again);
                    assert_eq!(NegTokenResp::decode(&again), Ok(response));
                }
                if let Ok(init) = NegTokenInit::decode(&bytes) {
                    assert!(init.mech_types.iter().count() > 0);
                }
            }
        }
    }
}
