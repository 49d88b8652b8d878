//! Kerberos inside Negotiate: choosing it, signing the list, and telling failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::Kerberos;
use portcullis::negotiate::Negotiate;
use portcullis::{Answer, Authority, ContextFlags as F, Credential, Question, Status, ntlm};
use portcullis_testkit::kerberos::{Client, Frame, Heard, Session, Site};
use portcullis_testkit::spnego::{offer, response};
use portcullis_testkit::{Initiator, Outcome, Realm, server_names, talk};
use portcullis_wire::der::Oid;
use portcullis_wire::kerberos::{InnerToken, gss_flag};
use portcullis_wire::spnego::{
    KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER, MechTypes, NEGOEX, NTLM, NegState, NegTokenResp,
};

const CONTINUE: Status = Status::SEC_I_CONTINUE_NEEDED;
const WINDOWS: [Oid<'static>; 3] = [KERBEROS_MICROSOFT, KERBEROS, NTLM];
const CLOUD: [Oid<'static>; 4] = [NEGOEX, KERBEROS_MICROSOFT, KERBEROS, NTLM];

/// Who answers for both packages.
struct Both<'s>(&'s Site, Realm);

impl Authority for Both<'_> {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::VerifyNtlm(_) => self.1.answer(question),
            _ => self.0.keys.answer(question),
        }
    }
}

fn credential(config: &Kerberos) -> Credential {
    Credential::acceptor(Negotiate::offering([config.clone().into(), ntlm::Ntlm::new(server_names()).into()]))
}

/// Tokens in turn, each made from the reply to the one before.
fn says(site: &Site, mut next: impl FnMut(usize, &[u8]) -> Option<Vec<u8>>) -> Outcome {
    let mut number = 0;
    talk(&credential(&site.config), &Both(site, Realm::of_user()), &site.settings, |reply| {
        number += 1;
        next(number, reply)
    })
}

fn tokens(site: &Site, tokens: &[Vec<u8>]) -> Outcome {
    says(site, |number, _| tokens.get(number - 1).cloned())
}

#[test]
fn the_first_choice_takes_one_round() {
    let site = Site::of_web();
    // Windows names Kerberos by its misspelt name first, and frames the ticket by the right one.
    for (seed, (list, frame)) in (1..).zip([
        (&WINDOWS[..], KERBEROS),
        (&WINDOWS[..], KERBEROS_MICROSOFT),
        (&[KERBEROS][..], KERBEROS),
        (&[KERBEROS, NTLM][..], KERBEROS_MICROSOFT),
    ]) {
        let client = Client { frame: Frame::Gss(frame), ..site.client() }.again(seed);
        let outcome = tokens(&site, &[offer(list, Some(&client.token()), None)]);
        assert_eq!(outcome.statuses, [Status::SEC_E_OK], "{:?}", outcome.cause);
        let reply = NegTokenResp::decode(&outcome.output).unwrap();
        assert_eq!((reply.state, reply.supported_mech), (Some(NegState::AcceptCompleted), Some(list[0])));
        assert_eq!(reply.mech_list_mic, None);
        let heard = client.heard(reply.response_token.unwrap()).reply();
        assert_eq!(heard.mechanism.as_deref(), Some(frame.0), "the reply wears the request's frame");
        let context = outcome.context.unwrap();
        assert_eq!((context.facts().package.name, context.facts().mechanism().name), ("Negotiate", "Kerberos"));
        assert_eq!(context.facts().client_name().as_deref(), Some(r"EXAMPLE\ann"));
    }
}

/// A client of a cloud directory: its first choice is not offered, so both sides sign the list.
///
/// `last` makes the client's last token of the signature due.
fn second_choice(client: &Client, last: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> (Outcome, Session) {
    let site = Site::of_web();
    let list = MechTypes::encode(&CLOUD);
    let mut session = None;
    let outcome = says(&site, |number, reply| match number {
        1 => Some(offer(&CLOUD, Some(b"NEGOEXTS"), None)),
        2 => {
            let reply = NegTokenResp::decode(reply).unwrap();
            assert_eq!((reply.state, reply.supported_mech), (Some(NegState::RequestMic), Some(KERBEROS_MICROSOFT)));
            assert_eq!(reply.response_token, None);
            Some(response(None, Some(&client.token()), None))
        }
        3 => {
            let reply = NegTokenResp::decode(reply).unwrap();
            assert_eq!(reply.state, Some(NegState::AcceptIncomplete));
            let heard = client.heard(reply.response_token.unwrap());
            let mut ours = Session::client(client, &heard);
            assert!(ours.fits(&list, reply.mech_list_mic.unwrap()), "the server signs the client's list");
            let mic = ours.mic(&list);
            session = Some(ours);
            Some(response(None, None, last(mic).as_deref()))
        }
        _ => None,
    });
    (outcome, session.unwrap())
}

#[test]
fn the_second_choice_is_signed() {
    let ends = |seed: u64, change: fn(&mut Vec<u8>), absent: bool| {
        second_choice(&Site::of_web().client().again(seed), |mut mic| {
            change(&mut mic);
            (!absent).then_some(mic)
        })
    };
    let (outcome, mut session) = ends(1, |_| {}, false);
    assert_eq!(outcome.statuses, [CONTINUE, CONTINUE, Status::SEC_E_OK], "{:?}", outcome.cause);
    let mut context = outcome.context.unwrap();
    // Messages go on behind the signed lists.
    let mut mic = session.mic(b"words");
    context.verify(&mut [portcullis::Segment::SignOnly(b"words"), portcullis::Segment::Token(&mut mic)]).unwrap();
    let altered = Status::SEC_E_MESSAGE_ALTERED;
    for (seed, change) in (2..).zip([(|mic| mic[20] ^= 1) as fn(&mut Vec<u8>), |mic| mic.truncate(20), Vec::clear]) {
        let (outcome, _) = ends(seed, change, false);
        assert!(outcome.context.is_none());
        assert_eq!(outcome.status(), altered, "{:?}", outcome.cause);
    }
    let (outcome, _) = ends(9, |_| {}, true);
    assert!(outcome.context.is_none(), "{:?}", outcome.cause);
}

/// RFC 4178 §5: Kerberos can always sign, so a client that asks for no integrity still signs the list.
#[test]
fn the_second_choice_is_signed_by_who_wants_no_integrity() {
    let client = |seed| Site::of_web().client().asking(gss_flag::MUTUAL).again(seed);
    let (outcome, _) = second_choice(&client(1), Some);
    assert_eq!(outcome.statuses, [CONTINUE, CONTINUE, Status::SEC_E_OK], "{:?}", outcome.cause);
    let granted = outcome.context.unwrap().facts().granted;
    assert!(!granted.contains(F::INTEGRITY), "{granted:?}");
    let (outcome, _) = second_choice(&client(2), |mut mic| {
        mic[20] ^= 1;
        Some(mic)
    });
    assert_eq!(outcome.status(), Status::SEC_E_MESSAGE_ALTERED, "{:?}", outcome.cause);
    let (outcome, _) = second_choice(&client(3), |_| None);
    assert!(outcome.context.is_none() && outcome.status() != Status::SEC_E_OK, "{:?}", outcome.cause);
}

#[test]
fn a_failure_is_told_and_nothing_weaker_tried() {
    let site = Site::of_web();
    let mut client = site.client();
    client.ticket.end_time = 0;
    let ntlm = Initiator::user().negotiate();
    let outcome = tokens(&site, &[offer(&WINDOWS, Some(&client.token()), None), response(None, Some(&ntlm), None)]);
    assert_eq!(outcome.statuses, [Status::SEC_E_CONTEXT_EXPIRED]);
    assert_eq!(outcome.cause_name(), "kerberos/ticket-expired");
    let reply = NegTokenResp::decode(&outcome.output).unwrap();
    assert_eq!(reply.state, Some(NegState::Reject));
    assert_eq!(client.heard(reply.response_token.unwrap()).error_code(), Some(32));
    // Without a wish for proof there is the reject alone.
    let silent = client.without_mutual();
    let outcome = tokens(&site, &[offer(&WINDOWS, Some(&silent.token()), None)]);
    assert_eq!(NegTokenResp::decode(&outcome.output).unwrap().response_token, None);
}

#[test]
fn a_clock_is_corrected_inside_as_well() {
    let mut site = Site::of_web();
    site.settings.want.flags = F::EXTENDED_ERROR;
    let wrong = Client { time: portcullis_testkit::kerberos::NOW - 4000, ..site.client() };
    let right = site.client().again(8);
    let outcome = says(&site, |number, reply| match number {
        1 => Some(offer(&WINDOWS, Some(&wrong.token()), None)),
        2 => {
            let reply = NegTokenResp::decode(reply).unwrap();
            assert_eq!(reply.state, Some(NegState::AcceptIncomplete));
            assert_eq!(wrong.heard(reply.response_token.unwrap()).error_code(), Some(37));
            Some(response(None, Some(&right.token()), None))
        }
        _ => None,
    });
    assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK]);
    let reply = NegTokenResp::decode(&outcome.output).unwrap();
    assert!(matches!(right.heard(reply.response_token.unwrap()), Heard::Reply(_)));
}

#[test]
fn kerberos_without_a_frame_of_negotiate() {
    let site = Site::of_web();
    for (seed, frame) in (1..).zip([KERBEROS, KERBEROS_MICROSOFT]) {
        let client = Client { frame: Frame::Gss(frame), ..site.client() }.again(seed);
        let outcome = tokens(&site, &[client.token()]);
        assert_eq!(outcome.statuses, [Status::SEC_E_OK]);
        assert!(matches!(client.heard(&outcome.output), Heard::Reply(_)));
        assert_eq!(outcome.context.unwrap().facts().mechanism().name, "Kerberos");
    }
    // The same token, in whatever frame, is good once.
    let client = site.client().again(1);
    assert_eq!(tokens(&site, &[offer(&WINDOWS, Some(&client.token()), None)]).cause_name(), "kerberos/replayed");
    let bare = site.client().dce().again(6);
    let outcome = says(&site, |number, reply| match number {
        1 => Some(bare.token()),
        2 => Some(bare.third(&bare.heard(reply).reply())),
        _ => None,
    });
    assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK], "{:?}", outcome.cause);
}

#[test]
fn dce_style_in_three_rounds() {
    let site = Site::of_web();
    let client = site.client().dce();
    let outcome = says(&site, |number, reply| match number {
        1 => Some(offer(&WINDOWS, Some(&client.token()), None)),
        2 => {
            let reply = NegTokenResp::decode(reply).unwrap();
            Some(response(None, Some(&client.third(&client.heard(reply.response_token.unwrap()).reply())), None))
        }
        _ => None,
    });
    assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK], "{:?}", outcome.cause);
    assert!(outcome.context.unwrap().facts().granted.contains(F::USE_DCE_STYLE));
}

#[test]
fn user_to_user_is_offered_where_there_is_a_ticket() {
    let site = Site::of_web();
    let client = Client { frame: Frame::Gss(KERBEROS_USER_TO_USER), ..site.client() };
    let outcome = tokens(&site, &[offer(&[KERBEROS_USER_TO_USER], Some(&client.asks_for_ticket()), None)]);
    assert_eq!(outcome.cause_name(), "negotiate/no-common-mechanism");
    let outcome = tokens(&site, &[client.framed(InnerToken::ApReq, &client.request())]);
    assert_eq!(outcome.cause_name(), "negotiate/mechanism-not-offered");
}

/// What a Kerberos-only client of old clients meets: NTLM's tokens are named, and none of Kerberos' are taken for them.
#[test]
fn tokens_of_the_wrong_mechanism() {
    let site = Site::of_web();
    let ntlm = Initiator::user().negotiate();
    let outcome = tokens(&site, &[offer(&WINDOWS, Some(&ntlm), None)]);
    assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", Status::SEC_E_INVALID_TOKEN));
    let outcome = tokens(&site, &[offer(&[NTLM, KERBEROS], Some(&site.client().token()), None)]);
    assert_eq!(outcome.cause_name(), "ntlm/malformed-token");
    // NTLM is still spoken where the client wants it.
    let client = Initiator::user();
    let outcome = says(&site, |number, reply| match number {
        1 => Some(client.negotiate()),
        2 => client.authenticate(&client.negotiate(), reply).map(|(message, _)| message),
        _ => None,
    });
    assert_eq!(outcome.cause_name(), "ok");
}
