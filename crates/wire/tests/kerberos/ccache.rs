//! Credential caches.

use crate::samples::captured;
use portcullis_wire::kerberos::*;
use portcullis_wire::{Error, Kind};

fn text(name: &CcachePrincipal<'_>) -> String {
    let mut text = String::new();
    unparse_components(name.components(), name.realm, &mut text);
    text
}

fn credentials(file: &[u8]) -> Vec<Credential<'_>> {
    Ccache::decode(file).unwrap().credentials().map(Result::unwrap).collect()
}

#[test]
fn version_4_by_kinit_and_kvno() {
    let file = captured("ccache-4");
    let cache = Ccache::decode(&file).unwrap();
    assert_eq!((text(&cache.default_principal), cache.time_offset), ("ann@EXAMPLE.TEST".into(), Some((0, 0))));
    let all = credentials(&file);
    let tickets: Vec<_> = all.iter().filter(|credential| credential.configuration().is_none()).collect();
    let names: Vec<_> = tickets.iter().map(|credential| text(&credential.server)).collect();
    assert_eq!(names, ["krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", "HTTP/server.example.test@EXAMPLE.TEST"]);
    for credential in &tickets {
        assert_eq!(text(&credential.client), "ann@EXAMPLE.TEST");
        assert_eq!((credential.key.etype, credential.key.value.len()), (etype::AES256_SHA1, 32));
        let times = credential.times;
        assert_eq!((times.authtime, times.endtime.0 - times.starttime.0), (KerberosTime(0x6b07_1425), 36_000));
        assert!(credential.flags.contains(TicketFlags::FORWARDABLE | TicketFlags::RENEWABLE));
        assert!(!credential.is_skey && credential.second_ticket.is_empty());
        let ticket = Ticket::decode(credential.ticket).unwrap();
        assert!(ticket.sname.components().eq(credential.server.components()));
    }
    assert!(tickets[0].flags.contains(TicketFlags::INITIAL) && !tickets[1].flags.contains(TicketFlags::INITIAL));
    let settings: Vec<_> = all
        .iter()
        .filter_map(|credential| credential.configuration().map(|found| (found, credential.ticket)))
        .collect();
    let about = Some(&b"krbtgt/EXAMPLE.TEST@EXAMPLE.TEST"[..]);
    assert_eq!(settings, [((&b"fast_avail"[..], about), &b"yes"[..])]);
    // Written again it is the same file.
    assert_eq!(Ccache::encode(cache.time_offset, &cache.default_principal, &all), Ok(file.clone()));
}

#[test]
fn version_3_by_kinit() {
    let file = captured("ccache-3");
    let cache = Ccache::decode(&file).unwrap();
    assert_eq!((text(&cache.default_principal), cache.time_offset), ("ann@EXAMPLE.TEST".into(), None));
    let all = credentials(&file);
    let ticket = all.iter().find(|credential| credential.configuration().is_none()).unwrap();
    assert_eq!(text(&ticket.server), "krbtgt/EXAMPLE.TEST@EXAMPLE.TEST");
    assert_eq!((ticket.key.etype, ticket.key.value.len()), (etype::AES256_SHA1, 32));
    assert!(Ticket::decode(ticket.ticket).is_ok());
    // As version 4 it holds the same.
    let newer = Ccache::encode(None, &cache.default_principal, &all).unwrap();
    assert_eq!(newer[..4], [5, 4, 0, 0]);
    assert_eq!(credentials(&newer).len(), all.len());
    assert_eq!(Ccache::decode(&newer).unwrap().default_principal, cache.default_principal);
}

#[test]
fn older_and_other_files() {
    for (file, kind) in [
        (&[][..], Kind::Truncated),
        (&[5], Kind::Truncated),
        (&[5, 1, 0, 0], Kind::Unexpected),
        (&[5, 2, 0, 0], Kind::Unexpected),
        (&[5, 5, 0, 0], Kind::Unexpected),
        (&[4, 4, 0, 0], Kind::Unexpected),
        (&[5, 4, 0], Kind::Truncated),
        (&[5, 4, 0, 1], Kind::Truncated),
    ] {
        let error = Ccache::decode(file).unwrap_err();
        assert_eq!(error.kind, kind, "{file:02x?}");
        assert!(file.len() > 2 || error.field == "file_format_version");
    }
}

#[test]
fn every_truncation() {
    for name in ["ccache-3", "ccache-4"] {
        let file = captured(name);
        let whole = credentials(&file).len();
        for len in 0..file.len() {
            let Ok(cache) = Ccache::decode(&file[..len]) else { continue };
            let read: Vec<_> = cache.credentials().collect();
            // A file may end between credentials; else there is an error, and nothing behind it.
            let cut = read.last().is_some_and(Result::is_err);
            assert!(read.iter().filter(|credential| credential.is_ok()).count() < whole.max(1), "{name} of {len}");
            assert_eq!(read.iter().filter(|credential| credential.is_err()).count(), usize::from(cut));
            if let Some(Err(error)) = read.last() {
                assert!(error.offset <= len, "counted from the file's first byte");
            }
        }
    }
}

#[test]
fn every_changed_byte() {
    for name in ["ccache-3", "ccache-4"] {
        let file = captured(name);
        for at in 0..file.len() {
            for change in [0x01, 0x40, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                let Ok(cache) = Ccache::decode(&changed) else { continue };
                let read: Result<Vec<_>, Error> = cache.credentials().collect();
                if let Ok(read) = read {
                    let again = Ccache::encode(cache.time_offset, &cache.default_principal, &read).unwrap();
                    assert_eq!(credentials(&again).len(), read.len());
                }
            }
        }
    }
}

/// Counts at their most: nothing is allocated by them, and none is believed.
#[test]
fn counts_that_lead_outside() {
    let name = CcachePrincipal::of(1, b"R", &[b"a"]).unwrap();
    let error = |bytes: &[u8]| {
        let error = CcachePrincipal::from_encoded(bytes).unwrap_err();
        (error.offset, error.field, error.kind)
    };
    let with = |at: usize, value: u32| [&name[..at], &value.to_be_bytes(), &name[at + 4..]].concat();
    assert_eq!(error(&with(4, u32::MAX)), (4, "num_components", Kind::TooLarge));
    assert_eq!(error(&with(4, 65)), (4, "num_components", Kind::TooLarge));
    assert_eq!(error(&with(4, 2)), (name.len(), "component", Kind::Truncated));
    assert_eq!(error(&with(4, 0)), (13, "principal", Kind::Unexpected));
    assert_eq!(error(&with(8, u32::MAX)), (12, "realm", Kind::Truncated));
    let list = Tagged::of(&[(2, &[127, 0, 0, 1]), (24, &[0; 16])]).unwrap();
    let read = Tagged::from_encoded(&list).unwrap();
    assert_eq!(read.iter().collect::<Vec<_>>(), [(2, &[127, 0, 0, 1][..]), (24, &[0; 16])]);
    for count in [3, 64, 65, u32::MAX] {
        assert!(Tagged::from_encoded(&[&count.to_be_bytes()[..], &list[4..]].concat()).is_err());
    }
}

#[test]
fn what_the_file_has_no_room_for() {
    let file = captured("ccache-4");
    let cache = Ccache::decode(&file).unwrap();
    let good = credentials(&file)[0];
    let refused = |credential: Credential<'_>| {
        Ccache::encode(None, &cache.default_principal, &[credential]).map_err(|error| (error.field, error.kind))
    };
    assert!(refused(good).is_ok());
    let key = EncryptionKey { etype: 70_000, ..good.key };
    assert_eq!(refused(Credential { key, ..good }), Err(("keytype", Kind::Unexpected)));
    for seconds in [-1, 1 << 32] {
        let times = CredentialTimes { endtime: KerberosTime(seconds), ..good.times };
        assert_eq!(refused(Credential { times, ..good }), Err(("endtime", Kind::Unexpected)));
    }
    let list = Tagged::of(&[(2, &[127, 0, 0, 1])]).unwrap();
    let addresses = Tagged::from_encoded(&list).unwrap();
    let user_to_user = Credential { addresses, is_skey: true, second_ticket: b"tgt", ..good };
    let file = refused(user_to_user).unwrap();
    let read = credentials(&file)[0];
    assert!(read.is_skey && read.second_ticket == b"tgt" && read.addresses == addresses);
}

#[test]
fn keys_are_not_shown() {
    let file = captured("ccache-4");
    let cache = Ccache::decode(&file).unwrap();
    let all = credentials(&file);
    let key = all.iter().find(|credential| !credential.key.value.is_empty()).unwrap().key.value;
    let digits = format!("{key:?}").replace(['[', ']'], "");
    for shown in [format!("{cache:?}"), format!("{:?}", cache.credentials()), format!("{all:?}")] {
        assert!(!shown.contains(&digits), "{shown}");
    }
}
