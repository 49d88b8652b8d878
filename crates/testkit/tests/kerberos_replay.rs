//! Replays: one authenticator is good once, wherever and whenever it comes again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::{Authority as _, Handshake, NeedsAnswer, Question, Status};
use portcullis_testkit::kerberos::{Client, Frame, Keys, LongTerm, NOW, Name, SKEW, Site};
use portcullis_testkit::{Foretold, Host, Outcome, talk};
use portcullis_wire::kerberos::{InnerToken, NT_SRV_HST};
use portcullis_wire::spnego::{KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;

#[track_caller]
fn replayed(site: &Site, client: &Client) {
    site.refuses(client, "kerberos/replayed", DENIED, Some(34));
}

#[test]
fn k19_the_same_token_at_a_second_context() {
    let site = Site::of_web();
    let client = site.client();
    site.accepts(&client);
    for _ in 0..3 {
        replayed(&site, &client);
    }
    // Another credential over the same authority: another service of the host, another node with a shared cache.
    let credential = portcullis::Credential::acceptor(portcullis::kerberos::Kerberos::new());
    let mut tokens = [client.token()].into_iter();
    let outcome = talk(&credential, &site.keys, &site.settings, |_| tokens.next());
    assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/replayed", DENIED));
    // A client that says the same by an authenticator of its own is another one.
    site.accepts(&client.again(4));
}

#[test]
fn k20_what_anyone_can_rewrite_makes_no_new_one() {
    let web = LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes256Sha1);
    let alias = LongTerm { name: Name::service("HTTP/alias.example@EXAMPLE"), kvno: 7, key: web.key.clone() };
    for keys in [vec![web.clone()], vec![web.clone(), alias.clone()], vec![alias, web.clone()]] {
        let site = Site::holding(keys);
        let good = Client::of(portcullis_testkit::kerberos::Ticket::of(&web, "ann@EXAMPLE", NOW));
        site.accepts(&good);
        let rewritten = |change: &dyn Fn(&mut Client)| {
            let mut client = good.clone();
            change(&mut client);
            replayed(&site, &client);
        };
        rewritten(&|client| client.ticket.service = Name::service("HTTP/alias.example@EXAMPLE"));
        rewritten(&|client| client.ticket.service = Name::service("http/WEB.example@example"));
        rewritten(&|client| client.ticket.service.realm = b"OTHER".to_vec());
        rewritten(&|client| client.ticket.service.kind = NT_SRV_HST);
        rewritten(&|client| client.ticket.kvno = None);
        rewritten(&|client| client.ticket.kvno = Some(7));
        rewritten(&|client| client.options |= 0x8000_0000 | 0x1fff_ffff);
        rewritten(&|client| client.frame = Frame::Gss(KERBEROS_MICROSOFT));
        rewritten(&|client| client.frame = Frame::Gss(KERBEROS_USER_TO_USER));
        rewritten(&|client| client.frame = Frame::Bare);
        // The same message in another ticket of the same session key, as a KDC makes it at a renewal.
        rewritten(&|client| client.ticket.seed += 1);
    }
}

#[test]
fn k20_sixty_four_threads_and_one_success() {
    for round in 0..4 {
        let site = Site::of_web();
        let (credential, token) = (site.credential(), site.client().again(round).token());
        let (fresh, replays) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let gate = std::sync::Barrier::new(64);
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    gate.wait();
                    let mut tokens = [token.clone()].into_iter();
                    let outcome = talk(&credential, &site.keys, &site.settings, |_| tokens.next());
                    match outcome.cause_name() {
                        "ok" => fresh.fetch_add(1, Ordering::Relaxed),
                        "kerberos/replayed" => replays.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other}"),
                    }
                });
            }
        });
        assert_eq!((fresh.into_inner(), replays.into_inner()), (1, 63));
        assert_eq!(site.keys.remembered(), 1);
    }
}

/// Two users and many clients of each over one credential: nobody gets another's name, and nobody is a replay.
#[test]
fn two_users_at_once_over_one_credential() {
    let site = Site::of_web();
    let credential = site.credential();
    thread::scope(|scope| {
        for number in 0..8_u64 {
            let (site, credential) = (&site, &credential);
            scope.spawn(move || {
                let name = if number % 2 == 0 { "ann@EXAMPLE" } else { "bob@EXAMPLE" };
                for turn in 0..25 {
                    let client = Client::of(site.ticket(name)).again(1000 * number + turn);
                    let mut tokens = [client.token()].into_iter();
                    let outcome = talk(credential, &site.keys, &site.settings, |_| tokens.next());
                    assert_eq!(outcome.cause_name(), "ok");
                    let facts = outcome.context.as_ref().unwrap().facts();
                    assert_eq!(facts.ticket.as_ref().unwrap().client, name);
                    assert_eq!(facts.account.as_ref().unwrap().name, name.split('@').next().unwrap());
                }
            });
        }
    });
    assert_eq!(site.keys.remembered(), 200);
}

#[test]
fn k21_remembered_until_its_own_time_is_over() {
    for micros in [0, 999_999] {
        let mut site = Site::of_web();
        // A client whose clock is nearly as fast as is allowed: its token is good until ctime + skew, nearly twice the skew away.
        let client = Client { time: NOW + SKEW - 1, micros, ..site.client() };
        let last = 2 * SKEW - 1;
        site.accepts(&client);
        for seconds in [0, 1, SKEW - 1, SKEW, SKEW + 1, last - 1, last] {
            site = site.at(seconds);
            replayed(&site, &client);
        }
        site = site.at(last + 1);
        site.refuses(&client, "kerberos/clock-skew", Status::SEC_E_TIME_SKEW, Some(37));
    }
}

#[test]
fn k21_the_question_says_until_when() {
    let mut site = Site::of_web();
    for (skew, ahead) in [(300, 299), (300, -300), (10, 0), (0, 0)] {
        site.config.skew = Duration::from_secs(skew);
        let client = Client { time: NOW + ahead, micros: 0, ..site.client() };
        let asking = asked(&site, &client);
        let Question::SeenBefore(question) = asking.question() else { panic!("{asking:?}") };
        let dies = UNIX_EPOCH + Duration::from_secs((NOW + ahead) as u64 + skew);
        assert!(question.until > dies && question.until <= dies + Duration::from_secs(1));
        assert_eq!(question.now, UNIX_EPOCH + Duration::from_secs(NOW as u64));
        assert_eq!(question.claim.user(), "ann@EXAMPLE");
    }
}

/// A client's handshake as far as the question whether it was seen before.
fn asked(site: &Site, client: &Client) -> NeedsAnswer {
    let mut host = Host::new(&site.settings, Foretold::seeded(1));
    let token = client.token();
    let mut at = host.call(|call| site.credential().begin().token(&token, call));
    loop {
        match at {
            Some(Handshake::NeedsAnswer(asking)) if matches!(asking.question(), Question::SeenBefore(_)) => {
                return asking;
            }
            Some(Handshake::NeedsAnswer(asking)) => at = host.call(|call| asking.ask(&site.keys, call)),
            _ => panic!("{:?}", host.finish()),
        }
    }
}

fn answered(site: &Site, asking: NeedsAnswer, answer: portcullis::Answer) -> Outcome {
    let mut host = Host::new(&site.settings, Foretold::seeded(1));
    let at = host.call(|call| asking.answer(answer, call));
    let (output, mut outcome) = (host.take_output(), host.finish());
    if let Some(Handshake::Established(context)) = at {
        outcome.context = Some(context);
    }
    outcome.output = output;
    outcome
}

/// Both were asked for before one was answered: the last question decides, and nothing was given out before it.
#[test]
fn k20_two_handshakes_of_one_token_interleaved() {
    let site = Site::of_web();
    let client = site.client();
    let (first, second) = (asked(&site, &client), asked(&site, &client));
    let (Question::SeenBefore(one), Question::SeenBefore(two)) = (first.question(), second.question()) else {
        panic!()
    };
    assert_eq!(one.tag, two.tag);
    let (yes, no) = (site.keys.answer(second.question()), site.keys.answer(first.question()));
    let (second, first) = (answered(&site, second, yes), answered(&site, first, no));
    assert_eq!((second.cause_name(), second.context.is_some()), ("ok", true));
    assert_eq!((first.cause_name(), first.context.is_some()), ("kerberos/replayed", false));
    assert_eq!(client.heard(&first.output).error_code(), Some(34));
    // An answer for another handshake is none for this one.
    let (third, fourth) = (asked(&site, &client.clone().again(8)), asked(&site, &client.again(9)));
    let swapped = site.keys.answer(fourth.question());
    assert_eq!(answered(&site, third, swapped).cause_name(), "call/foreign-answer");
}

#[test]
fn tags_tell_authenticators_apart() {
    let site = Site::of_web();
    let tag = |site: &Site, client: &Client| match asked(site, client).question() {
        Question::SeenBefore(question) => question.tag,
        other => panic!("{other:?}"),
    };
    let client = site.client();
    assert_eq!(tag(&site, &client), tag(&site, &client));
    let mut all = vec![tag(&site, &client), tag(&site, &client.clone().again(9))];
    all.push(tag(&site, &Client { micros: 1, ..client }));
    for enctype in Enctype::ALL {
        let site = Site::of_enctype(enctype);
        all.extend([tag(&site, &site.client()), tag(&site, &site.client().again(1))]);
    }
    // The site of AES-256 is the first one again.
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3 + 2 * Enctype::ALL.len() - 1);
}

#[test]
fn k22_a_full_cache_lets_nobody_in() {
    let mut site = Site::of_web();
    site.keys = Keys::of(&site.services).remembering(2);
    let client = |seed| site.client().again(seed);
    let (clients, held) = ([1, 2, 3].map(client), 2);
    site.accepts(&clients[0]);
    site.accepts(&clients[1]);
    let outcome = site.hears(&clients[2]);
    let full = ("kerberos/replay-cache-full", Status::SEC_E_INSUFFICIENT_MEMORY);
    assert_eq!((outcome.cause_name(), outcome.status()), full);
    assert_eq!(clients[2].heard(&outcome.output).error_code(), Some(60));
    assert_eq!(site.keys.remembered(), held);
    // What is in it is still known, and once it is out of date there is room.
    replayed(&site, &clients[0]);
    site = site.at(SKEW + 2);
    let late = Client { time: NOW + SKEW, ..site.client() };
    site.accepts(&late);
    assert_eq!(site.keys.remembered(), 1);
}

/// Nothing is remembered of a token that is refused for something else: it would only fill the cache.
#[test]
fn the_cache_is_asked_last() {
    let mut site = Site::of_web();
    let client = site.client();
    site.config.pac = portcullis::kerberos::PacPolicy::Require;
    site.settings.want.required = portcullis::ContextFlags::DELEGATE;
    assert_eq!(site.hears(&client).cause_name(), "call/requirement-not-met");
    site.settings.want.required = portcullis::ContextFlags::NONE;
    site.settings.room = Some(40);
    assert_eq!(site.hears(&client).cause_name(), "call/no-room");
    site.settings.room = None;
    let cut = client.token()[..300].to_vec();
    assert_eq!(site.hears_tokens(&[cut]).cause_name(), "kerberos/malformed-token");
    assert_eq!(site.keys.remembered(), 0);
    site.accepts(&client);
}

#[test]
fn k32_a_filter_before_another_can_take_them_twice() {
    let mut site = Site::of_web();
    site.config.danger_accept_replays = true;
    let client = site.client();
    for _ in 0..3 {
        site.accepts(&client);
    }
    assert_eq!(site.keys.remembered(), 0, "nobody is asked");
}

/// Two nodes that share nothing: a known gap of each that does not bind to the channel. Bindings close it.
#[test]
fn k33_another_node_of_a_farm() {
    let (mut one, mut two) = (Site::of_web(), Site::of_web());
    let channel = |byte| portcullis::ChannelBindings::tls_server_end_point(&[byte; 32]);
    (one.settings.bindings, two.settings.bindings) = (Some(channel(1)), Some(channel(2)));
    let client = one.client().bound(portcullis_testkit::kerberos::Bound::To(channel(1)));
    one.accepts(&client);
    two.refuses(&client, "kerberos/bindings-wrong", Status::SEC_E_BAD_BINDINGS, Some(36));
    // Sharing the authority closes it as well.
    let mut tokens = [client.token()].into_iter();
    let outcome = talk(&one.credential(), &one.keys, &one.settings, |_| tokens.next());
    assert_eq!(outcome.cause_name(), "kerberos/replayed");
}

/// In the same handshake: there is no state in which a second request could be one.
#[test]
fn the_same_token_twice_in_one_handshake() {
    let site = Site::of_web();
    let client = site.client().dce();
    let outcome = site.hears_tokens(&[client.token(), client.token()]);
    assert_eq!(outcome.statuses, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_INVALID_TOKEN]);
    assert_eq!(outcome.cause_name(), "kerberos/unexpected-message");
    let framed = client.framed(InnerToken::ApReq, &client.request());
    assert_eq!(site.hears_tokens(&[framed]).cause_name(), "kerberos/replayed");
}

/// Handshakes that are left half-open hold nothing that others need, and end by being dropped. How many a server may
/// have is the server's to say.
#[test]
fn k31_two_thousand_half_open_handshakes() {
    let site = Site::of_web();
    let credential = site.credential();
    let mut open = Vec::new();
    for seed in 0..2000 {
        let token = site.client().dce().again(seed).token();
        let mut host = Host::new(&site.settings, Foretold::seeded(seed));
        let mut at = host.call(|call| credential.begin().token(&token, call));
        while let Some(Handshake::NeedsAnswer(asking)) = at {
            at = host.call(|call| asking.ask(&site.keys, call));
        }
        assert!(matches!(at, Some(Handshake::NeedsToken(_))));
        open.push(at);
    }
    site.accepts(&site.client().again(5000));
    drop(open);
    site.accepts(&site.client().again(5001));
    assert_eq!(site.keys.remembered(), 2002);
}
