use super::{Case, Edit, Says};
use crate::initiator::{Bindings, Initiator, Mic, Responses};
use crate::spnego::{Form, ListMic, Optimistic, Spnego, offer, response};
use crate::vector::Package;
use portcullis::{BindingPolicy, ContextFlags, Refusal, Status};
use portcullis_wire::der::Oid;
use portcullis_wire::ntlm::Flags;
use portcullis_wire::spnego::{IAKERB, KERBEROS, KERBEROS_MICROSOFT, NEGOEX, NTLM, NegState};

const INVALID: Status = Status::SEC_E_INVALID_TOKEN;
const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const ALTERED: Status = Status::SEC_E_MESSAGE_ALTERED;

/// A mechanism that nobody knows, 1.3.6.1.4.1.99999.1.
const UNKNOWN: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f, 0x01]);

/// Conversations with a Negotiate acceptor that offers NTLM.
pub(super) fn cases() -> Vec<Case> {
    [good(), proofs(), signatures(), choices(), first_tokens(), moves(), bytes()].concat()
}

fn user() -> Spnego {
    Spnego::user()
}

/// What a Windows client that is joined to a cloud directory offers: NEGOEX first, with a token of it.
fn negoex_first() -> Spnego {
    let negoex = [&b"NEGOEXTS"[..], &[0; 88]].concat();
    Spnego { mechanisms: vec![NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM], ..Spnego::preferring(NEGOEX, &negoex) }
}

fn good() -> Vec<Case> {
    let curl = || Spnego { mic: ListMic::AsDue, ..Spnego::of(Initiator::user().curl_like()) };
    let ap_req = [&[0x60, 0x0d, 0x06, 0x09][..], KERBEROS.0, &[0x01, 0x00]].concat();
    let cases = [
        ("ok", "as Windows does: NTLM's first token with the offer, the list signed", user()),
        ("ok-no-mic", "neither NTLM nor the list is signed: nothing demands it", curl()),
        ("ok-list-signed-all-the-same", "NTLM has no MIC and the list is signed: it is checked and answered", {
            Spnego { mic: ListMic::Right, ..Spnego::of(Initiator::user().without_mic()) }
        }),
        ("ok-microsoft-form", "the offer has a hint in field 3", Spnego { form: Form::Microsoft, ..user() }),
        ("ok-without-frame", "the offer has no GSS frame", Spnego { form: Form::Bare, ..user() }),
        ("ok-no-token", "the offer has no token: NTLM begins after the choice", {
            Spnego { optimistic: Optimistic::Absent, ..user() }
        }),
        ("ok-empty-token", "the offer's token is empty", Spnego { optimistic: Optimistic::Empty, ..user() }),
        ("ok-negoex-first", "NEGOEX is not offered: its token is dropped, the signature demanded", negoex_first()),
        ("ok-kerberos-first", "a Kerberos token to an acceptor without Kerberos", {
            Spnego {
                mechanisms: vec![KERBEROS_MICROSOFT, KERBEROS, NTLM],
                ..Spnego::preferring(KERBEROS_MICROSOFT, &ap_req)
            }
        }),
        ("ok-unknown-first", "a mechanism that nobody knows comes first", Spnego::preferring(UNKNOWN, b"whatever")),
        ("ok-unknown-last", "a mechanism that nobody knows comes last", {
            Spnego { mechanisms: vec![NTLM, UNKNOWN, IAKERB], ..user() }
        }),
        ("ok-second-choice-no-ntlm-mic", "the second choice: the list is signed though NTLM has no MIC", {
            Spnego { ntlm: Initiator::user().without_mic(), ..negoex_first() }
        }),
        (
            "ok-state",
            "the client's responses have a state",
            Spnego { state: Some(NegState::AcceptIncomplete), ..user() },
        ),
        ("ok-names-mechanism", "the client repeats which mechanism was chosen", Spnego { names: Some(NTLM), ..user() }),
        ("ok-hint", "an empty first token asks for the hint", Spnego { asks_hint: 1, ..user() }),
        ("ok-pieces", "tokens in pieces of 100 bytes", Spnego { pieces: Some(100), ..negoex_first() }),
    ];
    let mut cases = cases.map(|(name, shows, client)| Case::spnego(name, shows, client)).to_vec();
    let mut raw = Case::new("ok-raw-ntlm", "NTLM without Negotiate is answered so", Initiator::user());
    raw.setup.package = Package::Negotiate;
    cases.push(raw);
    cases.push(anonymous("ok-anonymous", "an anonymous client, where credential and call allow it"));
    cases
}

fn anonymous(name: &str, shows: &str) -> Case {
    let client = Initiator { responses: Responses::Anonymous, ..Initiator::user().without_mic() };
    Case::spnego(name, shows, Spnego { mic: ListMic::Absent, ..Spnego::of(client) }).set(|setup| {
        setup.ntlm.allow_anonymous = true;
        setup.settings.want.flags |= ContextFlags::NULL_SESSION;
    })
}

fn proofs() -> Vec<Case> {
    let wrong = |client: Spnego| Spnego { ntlm: Initiator { password: "Passw0rd".into(), ..client.ntlm }, ..client };
    let spoilt = |client: Spnego| Spnego { ntlm: Initiator { spoils_proof: true, ..client.ntlm }, ..client };
    let refused =
        |name: &str, shows: &str, client| Case::spnego(name, shows, client).refused(DENIED, "account/wrong-proof");
    vec![
        refused("wrong-password", "the wrong password: a reject token comes back", wrong(user())),
        refused("wrong-password-second-choice", "the same after a dropped token", wrong(negoex_first())),
        refused("wrong-password-no-mic", "the same without any signature", {
            wrong(Spnego::of(Initiator::user().curl_like()))
        }),
        refused("wrong-proof-right-signatures", "right MIC, right list, wrong proof", spoilt(user())),
        refused("wrong-proof-pieces", "a wrong proof in pieces", Spnego { pieces: Some(64), ..spoilt(user()) }),
        Case::spnego("unknown-account", "nobody has this name", {
            Spnego::of(Initiator { user: "Nobody".into(), ..Initiator::user() })
        })
        .refused(DENIED, "account/unknown-account"),
        Case::spnego("state-disabled", "the account is disabled", user())
            .set(|setup| setup.realm.accounts[0].state = Some(Refusal::Disabled))
            .refused(DENIED, "account/disabled"),
        Case::spnego("authority-unreachable", "the accounts cannot be reached", user())
            .set(|setup| setup.realm.outage = Some(Refusal::AuthorityUnreachable))
            .refused(Status::SEC_E_NO_AUTHENTICATING_AUTHORITY, "account/authority-unreachable"),
        Case::spnego("ntlm-mic-missing", "a user's name is no leave to drop an announced MIC", {
            Spnego::of(Initiator { mic: Mic::Zero, ..Initiator::user() })
        })
        .refused(ALTERED, "ntlm/mic-missing"),
        Case::spnego("ntlm-mic-wrong", "NTLM's MIC is checked inside Negotiate", {
            Spnego::of(Initiator { mic: Mic::Wrong, ..Initiator::user() })
        })
        .refused(ALTERED, "ntlm/mic-wrong"),
        Case::spnego("bindings-missing", "NTLM's bindings are checked inside Negotiate", {
            Spnego::of(Initiator { bindings: Bindings::Absent, ..Initiator::user() })
        })
        .set(|setup| setup.ntlm.bindings = BindingPolicy::Require)
        .refused(Status::SEC_E_BAD_BINDINGS, "ntlm/bindings-missing"),
        Case { setup: Case::spnego("", "", user()).setup, ..anonymous("anonymous", "nobody, where nobody may come") }
            .refused(DENIED, "ntlm/anonymous-refused"),
    ]
}

/// The signature over the list, wrong in every way.
fn signatures() -> Vec<Case> {
    let missing = |name: &str, shows: &str, client| {
        Case::spnego(name, shows, client).refused(ALTERED, "negotiate/list-mic-missing")
    };
    let wrong = |name: &str, shows: &str, client| {
        Case::spnego(name, shows, client).refused(ALTERED, "negotiate/list-mic-wrong")
    };
    let with = |mic| Spnego { mic, ..user() };
    let second = |mic| Spnego { mic, ..negoex_first() };
    let unsigned = Initiator {
        asks: Flags(Initiator::WINDOWS.0 & !(Flags::SIGN | Flags::SEAL).0),
        ..Initiator::user().without_mic()
    };
    let shortened: Edit = |token| *token = offer(&[NTLM], Some(&Initiator::user().negotiate()), None);
    vec![
        missing("list-mic-absent", "NTLM has a MIC, so the list must have one", with(ListMic::Absent)),
        missing("list-mic-like-token", "Windows 2000 repeats the token there: that is no signature", {
            with(ListMic::LikeToken)
        }),
        missing("second-choice-list-mic-absent", "the signature that was asked for does not come", {
            second(ListMic::Absent)
        }),
        missing("second-choice-no-keys", "the second choice, by a client that has no keys to sign with", {
            Spnego { ntlm: Initiator::user().curl_like(), ..negoex_first() }
        }),
        missing("second-choice-dummy", "a client without keys signs with the constant that such clients have", {
            Spnego { ntlm: unsigned, mic: ListMic::Right, ..negoex_first() }
        }),
        wrong("list-mic-wrong", "a bit of the signature is off", with(ListMic::Wrong)),
        wrong("list-mic-short", "a signature of twelve bytes", with(ListMic::Short)),
        wrong("list-mic-other-list", "a signature over another list", {
            Spnego { signed: Some(vec![KERBEROS, NTLM]), ..user() }
        }),
        wrong("list-mic-reordered", "a signature over the same mechanisms in another order", {
            Spnego { signed: Some(vec![NTLM, NEGOEX, KERBEROS_MICROSOFT, KERBEROS]), ..negoex_first() }
        }),
        wrong("second-choice-list-mic-wrong", "the signature that was asked for is wrong", second(ListMic::Wrong)),
        wrong("list-mic-wrong-not-demanded", "a signature that nobody demanded must fit all the same", {
            Spnego { mic: ListMic::Wrong, ..Spnego::of(Initiator::user().without_mic()) }
        }),
        edited(
            "list-shortened",
            "someone on the way takes the better mechanisms out of the list",
            negoex_first(),
            0,
            shortened,
        )
        .refused(ALTERED, "negotiate/list-mic-wrong"),
    ]
}

fn edited(name: &str, shows: &str, client: Spnego, number: usize, edit: Edit) -> Case {
    Case { says: Says::EditedSpnego(Box::new(client.clone()), number, edit), ..Case::spnego(name, shows, client) }
}

fn tokens(name: &str, shows: &str, tokens: Vec<Vec<u8>>) -> Case {
    Case { says: Says::Tokens(tokens), ..Case::spnego(name, shows, user()) }
}

/// Nothing in common.
fn choices() -> Vec<Case> {
    let none = |case: Case| case.refused(INVALID, "negotiate/no-common-mechanism");
    let not_offered = |case: Case| case.refused(INVALID, "negotiate/mechanism-not-offered");
    let negotiate = Initiator::user().negotiate();
    let without_ntlm = |case: Case| case.set(|setup| setup.packages = "!ntlm".parse().unwrap());
    let framed = |oid: Oid<'_>| {
        let mut out = Vec::new();
        portcullis_wire::spnego::frame(oid, &[0x01, 0x00, 0x6e, 0x00], &mut out);
        out
    };
    vec![
        none(tokens(
            "no-common-mechanism",
            "only mechanisms that are not offered",
            vec![offer(&[NEGOEX, KERBEROS, UNKNOWN], Some(b"whatever"), None)],
        )),
        without_ntlm(none(tokens(
            "ntlm-excluded",
            "NTLM is excluded by the package list",
            vec![offer(&[NTLM], Some(&negotiate), None)],
        ))),
        without_ntlm(not_offered(tokens("raw-ntlm-excluded", "so is NTLM without Negotiate", vec![negotiate]))),
        not_offered(tokens("raw-kerberos", "Kerberos without Negotiate", vec![framed(KERBEROS)])),
        not_offered(tokens("raw-kerberos-microsoft", "by its misspelt name", vec![framed(KERBEROS_MICROSOFT)])),
        not_offered(tokens("raw-ap-req", "a Kerberos message without frame, as DCE style has it", {
            vec![vec![0x6e, 0x03, 0x30, 0x01, 0x00]]
        })),
    ]
}

fn first_tokens() -> Vec<Case> {
    let unknown = |name: &str, shows: &str, token: &[u8]| {
        tokens(name, shows, vec![token.to_vec()]).refused(INVALID, "negotiate/unknown-token")
    };
    let malformed = |name: &str, shows: &str, token: Vec<u8>| {
        tokens(name, shows, vec![token]).refused(INVALID, "negotiate/malformed-token")
    };
    let spoilt = |at: usize, value: u8| {
        let mut token = offer(&[NTLM], Some(b"NTLMSSP\0"), None);
        token[at] = value;
        token
    };
    vec![
        unknown("negoex-bare", "a NEGOEX message outside of SPNEGO", &[&b"NEGOEXTS"[..], &[0; 88]].concat()),
        unknown("text", "text", b"Basic VXNlcjpQYXNzd29yZA=="),
        unknown("tls", "a TLS ClientHello", &[0x16, 0x03, 0x01, 0x00, 0x02, 0x01, 0x00]),
        unknown("frame-without-oid", "a GSS frame that names nothing", &[0x60, 0x02, 0x05, 0x00]),
        tokens("response-first", "a response comes first", vec![response(None, Some(b"NTLMSSP\0"), None)])
            .refused(INVALID, "negotiate/unexpected-move"),
        tokens("hint-twice", "the hint is asked for twice", vec![Vec::new(), Vec::new()])
            .refused(INVALID, "negotiate/token-missing"),
        malformed("no-mechanism", "an empty list", offer(&[], Some(b"NTLMSSP\0"), None)),
        malformed("too-many-mechanisms", "a list of 65 mechanisms", offer(&[UNKNOWN; 65], None, None)),
        malformed("length-indefinite", "an indefinite length", vec![0x60, 0x80, 0x06, 0x06]),
        malformed("length-2-31", "a length of 2^31", vec![0x60, 0x84, 0x80, 0x00, 0x00, 0x00, 0x06, 0x06]),
        malformed("length-not-shortest", "a length with a leading zero", vec![0x60, 0x82, 0x00, 0x20, 0x06]),
        malformed("length-inside-longer", "a list longer than the message", spoilt(17, 0x70)),
        malformed("oid-for-list", "an OID where the list is due", spoilt(16, 0x06)),
        malformed("glued", "a byte behind the offer", [offer(&[NTLM], None, None), vec![0]].concat()),
        malformed("two-offers", "two offers in one token", offer(&[NTLM], None, None).repeat(2)),
    ]
}

/// Messages that are not due.
fn moves() -> Vec<Case> {
    let unexpected = |case: Case| case.refused(INVALID, "negotiate/unexpected-move");
    let missing = |case: Case| case.refused(INVALID, "negotiate/token-missing");
    let negotiate = Initiator::user().negotiate();
    let begun = || offer(&[NTLM], Some(&Initiator::user().negotiate()), None);
    let after = |name: &str, shows: &str, second: Vec<u8>| tokens(name, shows, vec![begun(), second]);
    let state = |state| Spnego { state: Some(state), ..user() };
    vec![
        unexpected(after("offer-twice", "a second offer", begun())),
        unexpected(after("raw-after-offer", "NTLM's own token after an offer", negotiate.clone())),
        unexpected(tokens("signature-too-soon", "an offer that is signed before there are keys", {
            vec![offer(&[NTLM], Some(&negotiate), Some(&[1; 16]))]
        })),
        unexpected(Case::spnego("client-asks-signature", "only an acceptor asks for signatures", {
            state(NegState::RequestMic)
        })),
        Case::spnego("client-rejects", "the client gives up, with a right token", state(NegState::Reject))
            .refused(DENIED, "negotiate/rejected-by-peer"),
        after("client-rejects-bare", "the client gives up", response(Some(NegState::Reject), None, None))
            .refused(DENIED, "negotiate/rejected-by-peer"),
        unexpected(Case::spnego("client-changes-mechanism", "the client names another mechanism than was chosen", {
            Spnego { names: Some(KERBEROS), ..user() }
        })),
        missing(after("second-token-empty", "an empty second token", Vec::new())),
        missing(after("response-empty", "a response without anything in it", response(None, None, None))),
        missing(after("response-empty-token", "an empty token for NTLM", response(None, Some(&[]), None))),
        missing(after("signature-alone", "a signature and no token", response(None, None, Some(&[1; 16])))),
        missing(after("completed-by-client", "the client says that all is through", {
            response(Some(NegState::AcceptCompleted), None, None)
        })),
        after("ntlm-negotiate-twice", "NTLM's first message twice", response(None, Some(&negotiate), None))
            .refused(INVALID, "ntlm/malformed-token"),
        tokens("ntlm-garbage", "the token of the chosen mechanism is none", {
            vec![offer(&[NTLM], Some(b"not a token of NTLM"), None)]
        })
        .refused(INVALID, "ntlm/malformed-token"),
        tokens("kerberos-token-for-ntlm", "a Kerberos token ahead of a list that begins with NTLM", {
            vec![offer(&[NTLM, KERBEROS], Some(&[0x60, 0x03, 0x06, 0x01, 0x00]), None)]
        })
        .refused(INVALID, "ntlm/malformed-token"),
    ]
}

/// Responses that are not DER, or not what they should be.
fn bytes() -> Vec<Case> {
    let edits: [(&str, &str, Edit); 7] = [
        ("response-glued", "a byte behind the response", |token| token.push(0)),
        ("response-length-short", "an inner length that cuts the fields", |token| token[5] = 0x10),
        ("response-state-unknown", "a state that does not exist", |token| {
            *token = vec![0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x04];
        }),
        ("response-fields-reordered", "the signature ahead of the token", |token| {
            let fields = [&[0xa3, 0x03, 0x04, 0x01, 0x00][..], &[0xa2, 0x03, 0x04, 0x01, 0x00]].concat();
            *token = [&[0xa1, 0x0c, 0x30, 0x0a][..], &fields].concat();
        }),
        ("response-token-bit-string", "the token is no OCTET STRING", |token| {
            *token = vec![0xa1, 0x07, 0x30, 0x05, 0xa2, 0x03, 0x03, 0x01, 0x00];
        }),
        ("response-negoex", "a NEGOEX message instead", |token| *token = b"NEGOEXTS".to_vec()),
        ("response-length-2-31", "a length of 2^31", |token| *token = vec![0xa1, 0x84, 0x80, 0x00, 0x00, 0x00]),
    ];
    edits
        .map(|(name, shows, edit)| edited(name, shows, user(), 1, edit).refused(INVALID, "negotiate/malformed-token"))
        .to_vec()
}
