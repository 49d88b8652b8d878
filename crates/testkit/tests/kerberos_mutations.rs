//! Requests altered in every way: never accepted, and no panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::Status;
use portcullis::kerberos::crypto::Enctype;
use portcullis_testkit::kerberos::{Client, Frame, Site, Ticket};
use portcullis_testkit::{Foretold, Outcome};
use portcullis_wire::kerberos::{ApReq, InnerToken, recognise};

const INVALID: Status = Status::SEC_E_INVALID_TOKEN;

/// What is under keys in a token: the ticket's ciphertext and the authenticator's, with their enctypes.
fn sealed(token: &[u8]) -> Option<(i32, Vec<u8>, i32, Vec<u8>)> {
    let message = recognise(token).ok().filter(|message| message.kind == InnerToken::ApReq)?;
    let request = ApReq::decode(message.body).ok()?;
    let (ticket, authenticator) = (request.ticket.enc_part, request.authenticator);
    Some((ticket.etype, ticket.cipher.to_vec(), authenticator.etype, authenticator.cipher.to_vec()))
}

/// A token that is accepted holds what the KDC and the client sealed, byte for byte, and lets in nobody else.
fn judge(outcome: &Outcome, good: &[u8], altered: &[u8]) -> bool {
    assert!(!outcome.statuses.contains(&Status::SEC_E_INTERNAL_ERROR), "{:?}", outcome.cause);
    assert_eq!(outcome.statuses.len(), 1);
    let went_on = outcome.context.is_some() || outcome.status() == Status::SEC_I_CONTINUE_NEEDED;
    if went_on {
        assert_eq!(sealed(altered), sealed(good), "accepted though altered: {altered:02x?}");
    }
    if let Some(context) = &outcome.context {
        assert_eq!(context.facts().ticket.as_ref().unwrap().client, "ann@EXAMPLE");
        assert_eq!(context.facts().ticket.as_ref().unwrap().service.principal, "HTTP/web.example@EXAMPLE");
    }
    went_on
}

fn clients(enctype: Enctype) -> (Site, Vec<Client>) {
    let mut site = Site::of_enctype(enctype);
    site.config.danger_accept_replays = true; // each alteration is looked at alone
    let client = Client { ap_options: Some(0x4000), target: Some("HTTP/web.example".into()), ..site.client() };
    let clients = vec![client.clone(), client.clone().without_mutual(), Client { frame: Frame::Bare, ..client }];
    (site, clients)
}

#[test]
fn every_byte_of_a_request() {
    for enctype in [Enctype::Aes256Sha1, Enctype::Aes256Sha384, Enctype::Rc4, Enctype::Camellia128] {
        let (site, clients) = clients(enctype);
        for client in &clients[..if enctype == Enctype::Aes256Sha1 { 3 } else { 1 }] {
            let good = client.token();
            let (mut accepted, mut refused) = (0, 0);
            for at in 0..good.len() {
                for mask in [0x01, 0x80, 0xff] {
                    let mut altered = good.clone();
                    altered[at] ^= mask;
                    match judge(&site.hears_tokens(&[altered.clone()]), &good, &altered) {
                        true => accepted += 1,
                        false => refused += 1,
                    }
                }
            }
            // What stands outside of everything that is signed: the mechanism's other names, options, names, version.
            assert!(accepted < 3 * 60, "{enctype:?}: {accepted}");
            assert!(refused > 10 * accepted, "{enctype:?}: {accepted} of {}", accepted + refused);
        }
    }
}

#[test]
fn cut_at_every_byte_and_glued() {
    let (site, clients) = clients(Enctype::Aes256Sha1);
    for client in clients {
        let good = client.token();
        for len in 0..good.len() {
            let outcome = site.hears_tokens(&[good[..len].to_vec()]);
            assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", INVALID), "{len}");
            assert!(outcome.output.is_empty());
        }
        for behind in [&[0][..], b"\x30\x00", &good] {
            let outcome = site.hears_tokens(&[[&good[..], behind].concat()]);
            assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", INVALID));
        }
        let outcome = site.hears_tokens(&[[&[0][..], &good].concat()]);
        assert_eq!(outcome.cause_name(), "kerberos/malformed-token");
    }
}

#[test]
fn bytes_left_out_doubled_and_swapped() {
    let (site, clients) = clients(Enctype::Aes256Sha1);
    let good = clients[0].token();
    let mut chance = Foretold::seeded(11);
    let mut below = |most: usize| usize::try_from(chance.number() % most as u64).unwrap();
    for _ in 0..3000 {
        let mut altered = good.clone();
        for _ in 0..=below(3) {
            let (at, other) = (below(altered.len()), below(altered.len()));
            match below(5) {
                0 => drop(altered.remove(at)),
                1 => altered.insert(at, altered[other]),
                2 => altered.swap(at, other),
                3 => altered.truncate(at.max(1)),
                _ => {
                    let (from, to) = (at.min(other), at.max(other));
                    altered[from..to].fill(0);
                }
            }
        }
        let outcome = site.hears_tokens(&[altered.clone()]);
        assert!(!judge(&outcome, &good, &altered) || altered.len() == good.len());
    }
}

/// Parts of two good requests put together.
#[test]
fn pieced_together_from_two() {
    let (site, _) = clients(Enctype::Aes256Sha1);
    let ann = site.client();
    let mut bob = Client::of(site.ticket("bob@EXAMPLE"));
    bob.ticket.session = portcullis_testkit::kerberos::RawKey::drawn(Enctype::Aes256Sha1, 5);
    let stolen = Client { ticket: bob.ticket.clone(), under: Some(ann.ticket.session.clone()), ..ann.clone() };
    let denied = Status::SEC_E_LOGON_DENIED;
    site.refuses(&stolen, "kerberos/authenticator-altered", denied, Some(41));
    // Both of one session key, as a KDC never makes them.
    bob.ticket.session = ann.ticket.session.clone();
    let mixed = Client { ticket: bob.ticket, ..ann };
    site.refuses(&mixed, "kerberos/client-differs", denied, Some(36));
}

#[test]
fn as_large_as_may_be() {
    const MOST: usize = 128 * 1024;
    let (site, clients) = clients(Enctype::Aes256Sha1);
    let padded = |padding: usize| {
        let ticket = Ticket { authorization: vec![(0x7fff, vec![0; padding])], ..site.ticket("ann@EXAMPLE") };
        Client { ticket, ..clients[0].clone() }.token()
    };
    let token = padded(MOST - 2000);
    let exact = padded(MOST - 2000 + (MOST - token.len()));
    assert_eq!(exact.len(), MOST);
    assert_eq!(site.hears_tokens(&[exact]).cause_name(), "ok");
    for len in [MOST + 1, MOST + 17, 2 * MOST] {
        let larger = padded(MOST - 2000 + (len - token.len()));
        assert_eq!(larger.len(), len);
        let outcome = site.hears_tokens(&[larger]);
        assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", INVALID));
    }
    let outcome = site.hears_tokens(&[vec![0x60; MOST + 1]]);
    assert_eq!(outcome.cause_name(), "kerberos/malformed-token");
}

/// K4: a frame that ends before it names anything; K6: lengths without an end, one in another.
#[test]
fn k04_k06_frames_of_every_length_and_none() {
    let (site, clients) = clients(Enctype::Aes256Sha1);
    let good = clients[0].token();
    let malformed = |token: Vec<u8>| {
        let outcome = site.hears_tokens(std::slice::from_ref(&token));
        let causes = ["kerberos/malformed-token", "kerberos/unexpected-message"];
        assert!(causes.contains(&outcome.cause_name()), "{:?}: {:02x?}", outcome.cause, token.get(..20));
        assert_eq!(outcome.status(), INVALID);
    };
    for first in [0x60, 0x6e, 0x6f, 0x7e] {
        for len in 0..=0x20 {
            malformed(vec![first, len]);
            malformed([&[first, len][..], &vec![0; len.into()]].concat());
            malformed([&[first, len][..], &good[3..3 + usize::from(len)]].concat());
        }
        for length in [&[0x80][..], &[0x81, 0x05], &[0x82, 0, 0x80], &[0x84, 0x80, 0, 0, 0], &[0x89; 10], &[0xff]] {
            malformed([&[first], length, &good[2..]].concat());
        }
        malformed([&[first, 0x80][..], &[0x30, 0x80].repeat(30_000)].concat());
        malformed([first, 0x80].repeat(60_000));
    }
    for token in [&b""[..], b"NTLMSSP\0\x01\0\0\0", b"Negotiate", &[0; 64], &[0x16, 3, 1], &[0xa1, 3, 0x30, 1, 0]] {
        malformed(token.to_vec());
    }
}
