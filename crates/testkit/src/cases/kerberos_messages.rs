use super::Case;
use super::kerberos::{ann, web};
use crate::converse::talk;
use crate::kerberos::{Cached, Client, Frame, LongTerm, NOW, Name, RawKey, Session, Ticket, ccache};
use crate::spnego::{offer, response};
use crate::vector::{Package, Setup};
use portcullis::kerberos::crypto::Enctype;
use portcullis::{ContextFlags, Status};
use portcullis_wire::kerberos::{ApReq, InnerToken};
use portcullis_wire::spnego::{
    KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER, MechTypes, NEGOEX, NTLM, NegTokenResp, SPNEGO,
};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const INVALID: Status = Status::SEC_E_INVALID_TOKEN;

/// Conversations with a Kerberos acceptor of more than one token, in other frames, or of none that can be read.
pub(super) fn cases() -> Vec<Case> {
    [frames(), bytes(), clocks(), dce(), user_to_user(), negotiate()].concat()
}

/// A conversation whose later tokens are made from the replies.
fn spoken(case: Case, says: impl Fn(usize, &[u8]) -> Option<Vec<u8>>) -> Case {
    let Setup { settings, .. } = &case.setup;
    let mut number = 0;
    let outcome = talk(&case.setup.credential(), &case.setup.authority(), settings, |reply| {
        number += 1;
        says(number, reply)
    });
    let tokens = outcome.messages.into_iter().step_by(2).collect();
    Case { says: super::Says::Tokens(tokens), ..case }
}

fn frames() -> Vec<Case> {
    let framed = |frame| Client { frame, ..ann() }.token();
    let unexpected = |name: &str, shows: &str, token: Vec<u8>| {
        Case::kerberos(name, shows, vec![token]).refused(INVALID, "kerberos/unexpected-message")
    };
    let client = ann();
    vec![
        Case::kerberos(
            "ok-microsoft-frame",
            "the mechanism by its misspelt name",
            vec![framed(Frame::Gss(KERBEROS_MICROSOFT))],
        ),
        unexpected("frame-of-another-mechanism", "a frame that names another mechanism", framed(Frame::Gss(NTLM))),
        unexpected("frame-of-negotiate", "a frame that names Negotiate, around no offer", framed(Frame::Gss(SPNEGO))),
        unexpected(
            "reply-first",
            "a reply where the request is due",
            client.third_saying(Some(1), &client.ticket.session),
        ),
        unexpected("error-first", "an error where the request is due", client.framed(InnerToken::KrbError, &[0x7e, 0])),
    ]
}

/// What is no request at all.
fn bytes() -> Vec<Case> {
    let good = ann().token();
    let malformed = |name: &str, shows: &str, token: Vec<u8>| {
        Case::kerberos(name, shows, vec![token]).refused(INVALID, "kerberos/malformed-token")
    };
    let spoilt = |at: usize, value: u8| {
        let mut token = good.clone();
        token[at] = value;
        token
    };
    vec![
        malformed("empty", "nothing", Vec::new()),
        malformed("text", "text", b"Negotiate YIIG".to_vec()),
        malformed("ntlm", "a token of NTLM", b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2".to_vec()),
        malformed("cut", "a request that is cut in the middle", good[..good.len() / 2].to_vec()),
        malformed("glued", "a byte behind the request", [&good[..], &[0]].concat()),
        malformed("twice", "the request twice", good.repeat(2)),
        malformed(
            "frame-short",
            "a frame that ends inside its mechanism",
            vec![0x60, 0x05, 0x06, 0x09, 0x2a, 0x86, 0x48],
        ),
        malformed("length-indefinite", "an indefinite length", vec![0x6e, 0x80, 0x30, 0x80]),
        malformed("length-2-31", "a length of 2^31", vec![0x6e, 0x84, 0x80, 0, 0, 0]),
        malformed("version-4", "version 4 of the protocol", {
            let at = good.windows(5).position(|window| window == [0xa0, 3, 2, 1, 5]).unwrap();
            spoilt(at + 4, 4)
        }),
        malformed("nested", "2 000 lengths without an end, one in another", [0x60, 0x80].repeat(2000)),
    ]
}

fn clocks() -> Vec<Case> {
    let wrong = Client { time: NOW - 4000, micros: 0, ..ann() };
    let told = |case: Case| case.set(|setup| setup.settings.want.flags |= ContextFlags::EXTENDED_ERROR);
    let both = |name: &str, shows: &str, second: &Client| {
        told(Case::kerberos(name, shows, vec![wrong.token(), second.token()]))
    };
    vec![
        both("ok-clock-corrected", "a slow clock: the client is told ours, and tries again", &ann().again(7)),
        both("clock-slow-twice", "the same twice", &wrong.clone().again(7))
            .refused(Status::SEC_E_TIME_SKEW, "kerberos/clock-skew"),
    ]
}

fn dce() -> Vec<Case> {
    let client = ann().dce();
    let third = |name: &str, shows: &str, third: &dyn Fn(&[u8]) -> Vec<u8>| {
        spoken(Case::kerberos(name, shows, Vec::new()), |number, reply| match number {
            1 => Some(client.token()),
            2 => Some(third(reply)),
            _ => None,
        })
    };
    let seq = |reply: &[u8]| client.heard(reply).reply().seq;
    let session = &client.ticket.session;
    vec![
        third("ok-dce", "DCE style: three messages without frames", &|reply| client.third_saying(seq(reply), session)),
        third("dce-wrong-number", "the third has another number than the server's", &|reply| {
            client.third_saying(seq(reply).map(|seq| seq ^ 1), session)
        })
        .refused(DENIED, "kerberos/third-leg-wrong"),
        third("dce-wrong-key", "the third is under another key", &|reply| {
            client.third_saying(seq(reply), &RawKey::drawn(Enctype::Aes256Sha1, 5))
        })
        .refused(DENIED, "kerberos/third-leg-wrong"),
        third("dce-reflected", "the third is the server's own reply", &<[u8]>::to_vec)
            .refused(DENIED, "kerberos/third-leg-wrong"),
        third("dce-request-again", "the third is the first", &|_| client.token())
            .refused(INVALID, "kerberos/unexpected-message"),
    ]
}

fn user_to_user() -> Vec<Case> {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    let mut granting = Ticket::of(&kdc, "me@EXAMPLE", NOW).without_pac();
    granting.session = RawKey::drawn(Enctype::Aes256Sha1, 0x6d65);
    let owner = LongTerm { name: Name::user("me@EXAMPLE"), kvno: 0, key: granting.session.clone() };
    let mut client = Client::of(Ticket { kvno: None, ..Ticket::of(&owner, "ann@EXAMPLE", NOW) });
    client.options |= ApReq::USE_SESSION_KEY;
    client.frame = Frame::Gss(KERBEROS_USER_TO_USER);
    let cache = ccache(&[Cached::of(granting)]);
    let configured = |case: Case| case.keyed(|kerberos| kerberos.granting = Some(cache.clone()));
    let tokens = || vec![client.asks_for_ticket(), client.token()];
    let mut other = client.clone();
    other.ticket.under = RawKey::drawn(Enctype::Aes256Sha1, 3);
    let no = (Status::SEC_E_NO_CREDENTIALS, "kerberos/user-to-user-not-configured");
    vec![
        configured(Case::kerberos(
            "ok-user-to-user",
            "the client asks for our ticket, and gets one under its key",
            tokens(),
        )),
        configured(Case::kerberos(
            "user-to-user-wrong-key",
            "a ticket under another key than our ticket's",
            vec![other.token()],
        ))
        .refused(DENIED, "kerberos/ticket-not-decryptable"),
        Case::kerberos("user-to-user-off", "our ticket is asked for, and we have none", vec![client.asks_for_ticket()])
            .refused(no.0, no.1),
        Case::kerberos("user-to-user-off-request", "a ticket under its key comes all the same", vec![client.token()])
            .refused(no.0, no.1),
    ]
}

/// Inside Negotiate, which offers NTLM too.
fn negotiate() -> Vec<Case> {
    let windows = [KERBEROS_MICROSOFT, KERBEROS, NTLM];
    let cloud = [NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM];
    let case = |name: &str, shows: &str, tokens| {
        Case::kerberos(name, shows, tokens).set(|setup| setup.package = Package::Negotiate)
    };
    let offered = |client: &Client| vec![offer(&windows, Some(&client.token()), None)];
    let mut expired = ann();
    expired.ticket.end_time = 0;
    let signed = |name: &str, shows: &str, spoil: u8| {
        spoken(case(name, shows, Vec::new()), |number, reply| match number {
            1 => Some(offer(&cloud, Some(b"NEGOEXTS"), None)),
            2 => Some(response(None, Some(&ann().token()), None)),
            3 => {
                let token = NegTokenResp::decode(reply).unwrap().response_token.unwrap().to_vec();
                let mut mic = Session::client(&ann(), &ann().heard(&token)).mic(&MechTypes::encode(&cloud));
                mic[20] ^= spoil;
                Some(response(None, None, Some(&mic)))
            }
            _ => None,
        })
    };
    let other = Client { name: web().name, ..ann() };
    vec![
        case("ok-negotiate", "in Negotiate, as Windows offers it", offered(&ann())),
        case("ok-negotiate-raw", "Kerberos' own token to Negotiate", vec![ann().token()]),
        signed("ok-negotiate-second-choice", "NEGOEX first: both sides sign the list", 0),
        signed("negotiate-list-mic-wrong", "the signature over the list does not fit", 1)
            .refused(Status::SEC_E_MESSAGE_ALTERED, "negotiate/list-mic-wrong"),
        case("negotiate-expired", "the reject token holds Kerberos' error, and NTLM is not tried", offered(&expired))
            .refused(Status::SEC_E_CONTEXT_EXPIRED, "kerberos/ticket-expired"),
        case("negotiate-client-differs", "the same of a token put together from two", offered(&other))
            .refused(DENIED, "kerberos/client-differs"),
    ]
}
