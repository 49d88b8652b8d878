use super::{Case, Edit, Says};
use crate::initiator::{Initiator, NegotiateForm};
use portcullis::Status;
use portcullis_wire::ntlm::Flags;

/// Tokens that cannot be read, or not now.
pub(super) fn cases() -> Vec<Case> {
    let malformed = |case: Case| case.refused(Status::SEC_E_INVALID_TOKEN, "ntlm/malformed-token");
    let negotiate = || Initiator::user().negotiate();
    let asks = |asks: Flags| Initiator { asks, ..Initiator::user() }.negotiate();
    let mut cases = vec![
        malformed(Case::tokens("empty-token", "an empty first token", Vec::new(), None)),
        malformed(Case::tokens("not-ntlm", "a token of another package", b"\x60\x03\x06\x01\x00".to_vec(), None)),
        malformed(Case::tokens("negotiate-truncated", "NEGOTIATE of 15 bytes", negotiate()[..15].to_vec(), None)),
        malformed(Case::tokens(
            "negotiate-triple-truncated",
            "NEGOTIATE ends in a triple",
            negotiate()[..20].to_vec(),
            None,
        )),
        malformed(Case::tokens(
            "negotiate-name-outside",
            "a name outside NEGOTIATE",
            {
                let client =
                    Initiator { negotiate: NegotiateForm::Names(b"D".to_vec(), b"W".to_vec()), ..Initiator::user() };
                let mut message = client.negotiate();
                message.pop();
                message
            },
            None,
        )),
        malformed(Case::tokens(
            "authenticate-first",
            "AUTHENTICATE where NEGOTIATE is due",
            crate::hex::bytes(crate::printed::AUTHENTICATE_V2),
            None,
        )),
        malformed(Case::tokens(
            "negotiate-twice",
            "NEGOTIATE where AUTHENTICATE is due",
            negotiate(),
            Some(negotiate()),
        )),
        malformed(Case::tokens("second-token-empty", "an empty second token", negotiate(), Some(Vec::new()))),
        malformed(Case::tokens(
            "token-too-large",
            "a token of more than 64 KiB",
            {
                let mut message = negotiate();
                message.resize(65 * 1024, 0);
                message
            },
            None,
        )),
        Case::tokens("no-charset", "neither UNICODE nor OEM", asks(Flags(Initiator::WINDOWS.0 & !3)), None)
            .refused(Status::SEC_E_INVALID_TOKEN, "ntlm/no-charset"),
        Case::tokens("connectionless", "connectionless mode", asks(Initiator::WINDOWS | Flags::DATAGRAM), None)
            .refused(Status::SEC_E_UNSUPPORTED_FUNCTION, "ntlm/connectionless"),
    ];
    let edits: [(&str, &str, Edit); 17] = [
        ("challenge-reflected", "our own CHALLENGE sent back", |m| *m = b"NTLMSSP\0\x02\0\0\0".to_vec()),
        ("signature-wrong", "a byte of the signature is off", |m| m[3] ^= 0x20),
        ("authenticate-63", "AUTHENTICATE of 63 bytes", |m| m.truncate(63)),
        ("payload-missing", "the fixed part alone", |m| m.truncate(88)),
        ("offset-wraps", "offset and length beyond 2^32", |m| m[24..28].fill(0xff)),
        ("offset-near-end", "a field ends one byte behind the message", |m| {
            let end = u32::try_from(m.len()).unwrap() - 15;
            m[56..60].copy_from_slice(&end.to_le_bytes());
        }),
        ("field-in-header", "a field that lies in the fixed part", |m| m[32..36].copy_from_slice(&12u32.to_le_bytes())),
        ("nt-response-short", "an NT response of 23 bytes", |m| m[20] = 23),
        ("nt-response-25", "an NT response of 25 bytes", |m| m[20..22].copy_from_slice(&[25, 0])),
        ("key-short", "key exchange with a key of 15 bytes", |m| m[52] = 15),
        ("key-missing", "key exchange without a key", |m| m[52] = 0),
        ("user-odd-length", "a name of an odd number of bytes", |m| m[36] = 7),
        ("user-unpaired-surrogate", "half a character in the name", |m| {
            let at = usize::from(m[40]);
            m[at..at + 2].copy_from_slice(&[0x00, 0xd8]);
        }),
        ("av-unterminated", "the AV pairs never end", |m| {
            let (at, pairs) = av_pairs(m);
            m[at + pairs - 8..at + pairs].copy_from_slice(&[0xff, 0x7f, 0, 0, 0xff, 0x7f, 0, 0]);
        }),
        ("av-length-outside", "an AV pair longer than the blob", |m| {
            let (at, _) = av_pairs(m);
            m[at + 2..at + 4].copy_from_slice(&[0xff, 0x7f]);
        }),
        ("av-flags-short", "MsvAvFlags of two bytes", |m| {
            let at = m.windows(8).position(|w| w == [6, 0, 4, 0, 2, 0, 0, 0]).unwrap();
            m[at..at + 8].copy_from_slice(&[6, 0, 2, 0, 2, 0, 0xff, 0x7f]);
        }),
        ("resp-type", "a response type other than 1", |m| {
            let (at, _) = av_pairs(m);
            m[at - 28] = 2;
        }),
    ];
    // A host that reads names as C does would see less than was proved.
    for (name, shows, user, domain) in [
        ("user-with-nul", "a NUL in the user's name", "User\0x", "DOMAIN"),
        ("domain-with-nul", "a NUL in the domain", "User", "DOMAIN\\Admin\0"),
    ] {
        cases.push(malformed(Case::new(name, shows, Initiator::new(user, domain, "Password"))));
    }
    cases.extend(edits.map(|(name, shows, edit)| {
        let client = Initiator::user();
        malformed(Case { says: Says::Edited(Box::new(client.clone()), edit), ..Case::new(name, shows, client) })
    }));
    cases
}

/// Where the AV pairs of an AUTHENTICATE stand, and how long they are with their tail.
fn av_pairs(message: &[u8]) -> (usize, usize) {
    let number = |at: usize| usize::from(message[at]) | usize::from(message[at + 1]) << 8;
    (number(24) + 44, number(20) - 44)
}
