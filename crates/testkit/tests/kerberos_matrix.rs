//! The transition matrix of Kerberos: each state, given each kind of token; and each question, given each answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::{Cause, Initiator, TicketGranting};
use portcullis::{Authority as _, ContextFlags as F, Credential, Handshake, NeedsToken, Question, Refusal};
use portcullis_testkit::kerberos::{Cached, Client, Frame, Heard, LongTerm, NOW, Name, Site, Ticket, ccache};
use portcullis_testkit::{Foretold, Host, Settings};
use portcullis_wire::kerberos::{ApReq, InnerToken};
use portcullis_wire::spnego::KERBEROS_USER_TO_USER;
use std::sync::Arc;

/// A site with everything switched on that makes states.
fn site() -> Site {
    let mut site = Site::of_web();
    let cache = ccache(&[Cached::of(granting())]);
    site.config.user_to_user = Some(Arc::new(TicketGranting::from_ccache(&cache).unwrap()));
    site.settings.want.flags = F::EXTENDED_ERROR | F::MUTUAL_AUTH;
    site.settings.target = Some("HTTP/web.example".into());
    site
}

fn granting() -> Ticket {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, portcullis::kerberos::crypto::Enctype::Aes256Sha1);
    Ticket::of(&kdc, "me@EXAMPLE", NOW)
}

fn by_session() -> Client {
    let owner = LongTerm { name: Name::user("me@EXAMPLE"), kvno: 0, key: granting().session };
    let mut client = Client::of(Ticket { kvno: None, ..Ticket::of(&owner, "ann@EXAMPLE", NOW) });
    client.options |= ApReq::USE_SESSION_KEY;
    Client { frame: Frame::Gss(KERBEROS_USER_TO_USER), ..client }
}

fn skewed(site: &Site) -> Client {
    Client { time: NOW - 1000, ..site.client() }.again(20)
}

fn error(site: &Site, code: i32) -> Vec<u8> {
    let mut client = site.client();
    match code {
        37 => client.time = NOW - 1000,
        _ => client.ticket.end_time = 0,
    }
    let outcome = site.hears(&client);
    outcome.messages.get(1).unwrap_or(&outcome.output).clone()
}

/// Every kind of token, made from what the other side said last.
type Make = fn(&Site, &[u8]) -> Vec<u8>;
const INPUTS: [(&str, Make); 14] = [
    ("nothing", |_, _| Vec::new()),
    ("request", |site, _| site.client().token()),
    ("request, of another clock", |site, _| skewed(site).token()),
    ("request, expired", |site, _| {
        let mut client = site.client();
        client.ticket.end_time = 0;
        client.token()
    }),
    ("request, DCE style", |site, _| site.client().dce().again(5).token()),
    ("request, user-to-user", |_, _| by_session().token()),
    ("asks for a ticket", |_, _| by_session().asks_for_ticket()),
    ("a ticket", |site, _| site.client().framed(InnerToken::TgtRep, &[0x30, 0])),
    ("reply", |site, said| match site.client().heard(said) {
        Heard::Reply(reply) => site.client().third(&reply),
        _ => site.client().third_saying(Some(1), &site.client().ticket.session),
    }),
    ("what was said last, sent back", |_, said| said.to_vec()),
    ("error, of the clock", |site, _| error(site, 37)),
    ("error, another", |site, _| error(site, 32)),
    ("NTLM", |_, _| b"NTLMSSP\0\x01\0\0\0".to_vec()),
    ("text", |_, _| b"hello".to_vec()),
];

/// A state, the credential, and the tokens that lead there.
type State = (&'static str, fn(&Site) -> Credential, fn(&Site) -> Vec<Vec<u8>>);
const STATES: [State; 6] = [
    ("acceptor: start", Site::credential, |_| Vec::new()),
    ("acceptor: told its clock", Site::credential, |site| vec![skewed(site).again(30).token()]),
    ("acceptor: gave its ticket", Site::credential, |_| vec![by_session().asks_for_ticket()]),
    ("acceptor: DCE style, replied", Site::credential, |site| vec![site.client().dce().token()]),
    ("initiator: start", initiator, |_| Vec::new()),
    ("initiator: sent its request", initiator, |_| vec![Vec::new()]),
];

fn initiator(site: &Site) -> Credential {
    Credential::initiator(Initiator::from_ccache(&ccache(&[Cached::of(site.ticket("ann@EXAMPLE"))])).unwrap())
}

/// What must come of it: a line a state, a word an input in the order above.
const EXPECTED: &str = "
acceptor: start: malformed ok on expired on ok on undue undue malformed undue undue malformed malformed
acceptor: told its clock: malformed ok skew expired on ok on undue undue undue undue undue malformed malformed
acceptor: gave its ticket: malformed ok on expired on ok on undue undue undue undue undue malformed malformed
acceptor: DCE style, replied: malformed undue undue undue undue undue undue undue ok third undue undue malformed malformed
initiator: start: on undue undue undue undue undue undue undue undue on undue undue undue undue
initiator: sent its request: malformed undue undue undue undue undue undue undue unproved undue on refused malformed malformed
";

fn word(cause: &str) -> &str {
    match cause {
        "kerberos/malformed-token" => "malformed",
        "kerberos/unexpected-message" => "undue",
        "kerberos/ticket-expired" => "expired",
        "kerberos/clock-skew" => "skew",
        "kerberos/third-leg-wrong" => "third",
        "kerberos/server-not-proved" => "unproved",
        "kerberos/server-refused" => "refused",
        other => other,
    }
}

/// Gives a token, and the answers that are asked for.
fn give(host: &mut Host<'_, Foretold>, waiting: NeedsToken, token: &[u8], site: &Site) -> Option<Handshake> {
    let mut at = host.call(|call| waiting.token(token, call));
    while let Some(Handshake::NeedsAnswer(asking)) = at {
        at = host.call(|call| asking.ask(&site.keys, call));
    }
    at
}

#[test]
fn every_state_and_every_kind_of_token() {
    let mut table = String::from("\n");
    for (name, credential, path) in STATES {
        let mut words = Vec::new();
        for (_, make) in INPUTS {
            let site = site();
            let settings: Settings = site.settings.clone();
            let (mut host, mut waiting) = (Host::new(&settings, Foretold::seeded(1)), credential(&site).begin());
            let mut said = Vec::new();
            for token in path(&site) {
                let Some(Handshake::NeedsToken(next)) = give(&mut host, waiting, &token, &site) else {
                    panic!("{name}")
                };
                (waiting, said) = (next, host.take_output());
            }
            // What makes the tokens is another site with the same keys: nothing is remembered of it here.
            let elsewhere = Site { settings: settings.clone(), ..Site::of_web() };
            let token = make(&elsewhere, &said);
            words.push(match give(&mut host, waiting, &token, &site) {
                Some(Handshake::Established(_)) => "ok".to_owned(),
                Some(_) => "on".to_owned(),
                None => word(host.finish().cause_name()).to_owned(),
            });
        }
        table.push_str(&format!("{name}: {}\n", words.join(" ")));
    }
    assert_eq!(table, EXPECTED, "{table}");
}

#[test]
fn every_question_and_every_kind_of_answer() {
    let site = site();
    // Each of the three questions, and its own yes.
    for depth in 0..3 {
        let fresh = |seed: u64| {
            let mut host = Host::new(&site.settings, Foretold::seeded(1));
            let token = site.client().again(seed).token();
            let mut at = host.call(|call| site.credential().begin().token(&token, call));
            for _ in 0..depth {
                let Some(Handshake::NeedsAnswer(asking)) = at else { panic!() };
                at = host.call(|call| asking.ask(&site.keys, call));
            }
            let Some(Handshake::NeedsAnswer(asking)) = at else { panic!("no question at {depth}") };
            (host, asking)
        };
        let kind = |question: &Question| match question {
            Question::OpenTicket(_) => 0,
            Question::ConfirmPac(_) => 1,
            Question::SeenBefore(_) => 2,
            other => panic!("{other:?}"),
        };
        let end = |(mut host, asking): (Host<'_, Foretold>, portcullis::NeedsAnswer), answer| {
            let at = host.call(|call| asking.answer(answer, call));
            (at.is_some(), host.finish())
        };
        let (host, asking) = fresh(100 + depth);
        assert_eq!(kind(asking.question()), depth);
        let answer = site.keys.answer(asking.question());
        assert!(end((host, asking), answer).0, "its own yes");
        // Every no, of a store's and of Kerberos' own.
        for refusal in Refusal::ALL {
            let (host, asking) = fresh(200);
            let answer = asking.question().refuse(refusal);
            let (went_on, outcome) = end((host, asking), answer);
            assert_eq!((went_on, outcome.cause_name()), (false, refusal.row().name));
        }
        for cause in [Cause::NoKeytab, Cause::PacSignatureWrong, Cause::Replayed, Cause::ReplayCacheFull] {
            let (host, asking) = fresh(200);
            let answer = asking.question().refuse(cause);
            let (went_on, outcome) = end((host, asking), answer);
            assert_eq!((went_on, outcome.cause), (false, Some(cause.into())));
        }
        // A yes to the same question of another handshake, and to another kind of question.
        let (_, other) = fresh(300 + depth);
        let answer = site.keys.answer(other.question());
        assert_eq!(end(fresh(400), answer).1.cause_name(), "call/foreign-answer");
        // What the host holds back for ever is asked of nobody else: dropping it is all.
        drop(fresh(500));
    }
}
