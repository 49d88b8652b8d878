use super::Case;
use crate::initiator::{Bindings, Initiator, Layout, NegotiateForm, Responses, Slot};
use crate::realm::Entry;
use portcullis::ntlm::{KeyStrength, TargetPolicy};
use portcullis::{ChannelBindings, ContextFlags};
use portcullis_wire::ntlm::{AvId, Flags};

/// Conversations that end well.
pub(super) fn cases() -> Vec<Case> {
    let user = Initiator::user;
    let asks = |clear: Flags| Initiator { asks: Flags(Initiator::WINDOWS.0 & !clear.0), ..user() };
    let named = |user: &str, domain: &str| Initiator::new(user, domain, "Password");
    let channel = ChannelBindings::tls_server_end_point(&[0x11; 32]);
    let mut cases = vec![
        Case::new("ok", "NTLMv2 with MIC, key exchange, signing and sealing by 128 bits", user()),
        Case::new("ok-no-mic", "a client without MIC that announces none", user().without_mic()),
        Case::new(
            "ok-lmv2-beside",
            "an LMv2 response beside the NT response is not looked at",
            Initiator { responses: Responses::V2WithLmV2, ..user() },
        ),
        Case::new("ok-curl", "NEGOTIATE as curl 7.88.1 sends it: no UNICODE, no version, no MIC", user().curl_like()),
        Case::new("ok-curl-latin1", "a name in OEM text that is not UTF-8 is read as Latin-1", {
            Initiator { user: "Jürgen".into(), ..user().curl_like() }
        })
        .set(|setup| setup.realm.accounts = vec![Entry::new("Jürgen", "Password")]),
        Case::new(
            "ok-negotiate-16-bytes",
            "the shortest NEGOTIATE: signature, type, flags",
            Initiator { negotiate: NegotiateForm::Shortest, ..user() },
        ),
        Case::new(
            "ok-negotiate-names",
            "NEGOTIATE with domain and workstation in OEM text",
            Initiator { negotiate: NegotiateForm::Names(b"DOMAIN".to_vec(), b"COMPUTER".to_vec()), ..user() },
        ),
        Case::new(
            "ok-negotiate-odd-layout",
            "NEGOTIATE with gaps and its names in unusual order; the MIC covers it",
            Initiator { negotiate: NegotiateForm::Raw(odd_negotiate()), ..user() },
        ),
        Case::new("ok-every-reserved-bit", "bits of NEGOTIATE without a name are dropped, not fatal", {
            let reserved = !Flags::NAMED.iter().fold(0, |all, (flag, _)| all | flag.0);
            Initiator { asks: Flags(Initiator::WINDOWS.0 | reserved), ..user() }
        }),
        Case::new(
            "ok-layout-gaps",
            "gaps between the fields of AUTHENTICATE",
            Initiator { layout: Layout { gap: 3, ..Layout::default() }, ..user().without_mic() },
        ),
        Case::new(
            "ok-layout-order",
            "another order of the fields, empty ones with a wild offset, wild maximum lengths",
            {
                let order = [Slot::Key, Slot::Nt, Slot::User, Slot::Lm, Slot::Workstation, Slot::Domain];
                let layout = Layout { order, empty_at: Some(0xffff_fff0), max_len: Some(1), ..Layout::default() };
                Initiator { layout, workstation: String::new(), ..user() }
            },
        ),
        Case::new(
            "ok-no-version-field",
            "AUTHENTICATE as of NT: 64 bytes, then the payload",
            Initiator { layout: Layout { version: false, ..Layout::default() }, ..user().without_mic() },
        ),
        Case::new(
            "ok-blob-tail",
            "undefined bytes behind the end of the AV pairs are hashed and ignored",
            Initiator { blob_tail: b"\x0a\0\xff\xffundefined".to_vec(), ..user() },
        ),
        Case::new(
            "ok-av-unknown",
            "an AV pair 0x7fff, of odd length, is ignored",
            Initiator { added_pairs: vec![(0x7fff, vec![1, 2, 3]), (8, vec![0; 80])], ..user() },
        ),
        Case::new(
            "ok-own-time",
            "the client's own clock in the blob: the proof is over what came",
            Initiator { time: Some(0x01d9_8765_4321_0000), ..user() },
        ),
        Case::new(
            "ok-pairs-not-copied",
            "a client that copies none of the server's names and times",
            Initiator { dropped_pairs: (1..=7).map(AvId).collect(), ..user() },
        ),
        Case::new(
            "ok-ntlmv1",
            "NTLMv1, where it is switched on",
            Initiator {
                responses: Responses::V1WithLm,
                asks: Flags(Initiator::WINDOWS.0 & !Flags::EXTENDED_SESSION_SECURITY.0),
                ..user().without_mic()
            },
        )
        .set(|setup| setup.ntlm.danger_accept_ntlmv1 = true),
        Case::new(
            "ok-ntlmv1-ess",
            "NTLMv1 with extended session security, where it is switched on",
            Initiator { responses: Responses::V1Ess, ..user().without_mic() },
        )
        .set(|setup| setup.ntlm.danger_accept_ntlmv1 = true),
        Case::new(
            "ok-anonymous",
            "a null session, where credential and call allow it",
            Initiator { responses: Responses::AnonymousZero, ..user().without_mic() },
        )
        .set(|setup| {
            setup.ntlm.allow_anonymous = true;
            setup.settings.want.flags = ContextFlags::NULL_SESSION;
        }),
        Case::new(
            "ok-bindings",
            "the client's channel bindings are those of the channel",
            Initiator { bindings: Bindings::Of(channel.clone()), ..user() },
        )
        .set(|setup| setup.settings.bindings = Some(channel)),
        Case::new(
            "ok-target-required",
            "the client's target is one of ours, its port not looked at",
            Initiator { target: Some("http/SERVER.domain.example:8080".into()), ..user() },
        )
        .set(|setup| setup.ntlm.targets = TargetPolicy::Require(vec!["HTTP/server.domain.example".into()])),
        Case::new("ok-logoff", "logon hours that end some day end the context then", user())
            .set(|setup| setup.realm.accounts[0].logoff_at = Some(0x01da_0100_0000_0000)),
        Case::new(
            "ok-identify",
            "a client that wants to be identified only",
            Initiator { asks: Initiator::WINDOWS | Flags::IDENTIFY, ..user() },
        ),
    ];
    for (strength, clear) in
        [(KeyStrength::Bits56, Flags::KEY_128), (KeyStrength::Bits40, Flags::KEY_128 | Flags::KEY_56)]
    {
        let bits = strength.bits();
        cases.push(
            Case::new(&format!("ok-{bits}-bit"), &format!("sealing by {bits} bits, where it is allowed"), asks(clear))
                .set(|setup| setup.ntlm.minimum_key = strength),
        );
    }
    let flags = [
        ("ok-no-key-exchange", "without key exchange the session key is the exchange key", Flags::KEY_EXCHANGE),
        ("ok-no-ess", "NTLMv2 without extended session security", Flags::EXTENDED_SESSION_SECURITY),
        ("ok-sign-only", "signing without sealing", Flags::SEAL),
        ("ok-no-protection", "neither signing nor sealing: no strength, no key information", Flags::SIGN | Flags::SEAL),
    ];
    cases.extend(flags.map(|(name, shows, clear)| Case::new(name, shows, asks(clear))));
    let names = [
        ("ok-name-plain", "User", ""),
        ("ok-name-dot", "User", "."),
        ("ok-name-dot-inside", r".\User", ""),
        ("ok-name-domain-inside", r"domain\uSER", ""),
        ("ok-name-upn", "user@DOMAIN.example", ""),
        ("ok-name-dns-domain", "User", "Domain.Example"),
    ];
    cases.extend(names.map(|(name, user, domain)| {
        Case::new(name, &format!("the client writes user `{user}` and domain `{domain}`"), named(user, domain))
    }));
    let unicode = [
        ("ok-name-sharp-s", "Straße", "straße", "ß has no upper case of one letter and stays"),
        ("ok-name-y-diaeresis", "Ÿves", "ÿves", "ÿ is Ÿ: out of Latin-1, but one unit to one unit"),
        ("ok-name-final-sigma", "Νίκος", "νίκος", "the final sigma stays where a full mapping makes it Σ"),
        ("ok-name-dotless-i", "Işık", "işık", "i is I; the dotless ı has no upper case"),
        ("ok-name-deseret", "\u{10414}x", "\u{10414}X", "letters outside the basic plane stay as they are"),
    ];
    cases.extend(unicode.map(|(name, stored, written, shows)| {
        Case::new(name, shows, named(written, "DOMAIN"))
            .set(|setup| setup.realm.accounts = vec![Entry::new(stored, "Password")])
    }));
    cases.push(Case::new(
        "ok-hashed-without-domain",
        "a client that sends a domain and hashes none is tried once more",
        Initiator { hashed: Some(("User".into(), String::new())), ..user() },
    ));
    cases
}

/// NEGOTIATE with its workstation before its domain, gaps around both, no version, and bytes behind.
fn odd_negotiate() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend_from_slice(&(Initiator::WINDOWS.0 & !Flags::VERSION.0 | 0x3000).to_le_bytes());
    message.extend_from_slice(&[6, 0, 0xff, 0xff, 53, 0, 0, 0]);
    message.extend_from_slice(&[8, 0, 0, 0, 41, 0, 0, 0]);
    message.extend_from_slice(b"gap gap ?COMPUTER????DOMAINbehind");
    message
}
