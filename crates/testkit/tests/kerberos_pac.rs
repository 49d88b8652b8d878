//! PACs: by whom they must be signed, whose they must be, and which account they say.
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
use portcullis::kerberos::{KdcSignature, PacPolicy};
use portcullis_testkit::kerberos::{
    Client, Info, Keys, LongTerm, Name, PacPlace, PacPlan, PacSignature, RawKey, SignatureValue, Site, Ticket,
};
use portcullis_wire::kerberos::pac::{BufferType, ClientInfo, Pac};
use portcullis_wire::kerberos::{AD_WIN2K_PAC, TicketFlags};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;

/// A client of the site whose PAC was changed before it was signed.
fn planned(site: &Site, change: impl FnOnce(&mut PacPlan)) -> Client {
    let mut client = site.client();
    change(client.ticket.pac.as_mut().unwrap());
    client
}

#[track_caller]
fn refused(site: &Site, client: &Client, cause: &str) {
    site.refuses(client, cause, DENIED, Some(41));
}

#[test]
fn a_good_pac_is_handed_out() {
    let site = Site::of_web();
    let client = site.client();
    let context = site.accepts(&client);
    let facts = context.facts();
    let pac = facts.ticket.as_ref().unwrap().pac.as_ref().unwrap();
    assert_eq!(pac.raw, client.ticket.sealed_pac().unwrap());
    assert_eq!((pac.logon_server.as_str(), pac.user_flags), ("DC1", 0));
    let account = facts.account.as_ref().unwrap();
    assert_eq!(facts.client_name().as_deref(), Some(r"EXAMPLE\ann"));
    assert_eq!(
        (account.name.as_str(), account.domain.as_str(), account.dns_domain.as_str()),
        ("ann", "EXAMPLE", "EXAMPLE")
    );
    assert_eq!((account.upn.as_deref(), account.display_name.as_deref()), (Some("ann@example"), Some("The user ann")));
    assert_eq!(account.sid, client.ticket.pac.as_ref().unwrap().requester);
    assert_eq!((account.logoff_at, account.password_expires_at), (None, None));
}

#[test]
fn k13_a_signature_that_does_not_fit() {
    let site = Site::of_web();
    let server = |value| planned(&site, |plan| plan.server[0].value = value);
    refused(&site, &server(SignatureValue::Wrong), "kerberos/pac-signature-wrong");
    refused(&site, &server(SignatureValue::Bytes(vec![0; 12])), "kerberos/pac-signature-wrong");
    refused(&site, &server(SignatureValue::Bytes(vec![0; 11])), "kerberos/pac-malformed");
    // By another key: that of a service of the same domain, of the KDC, of an old version.
    for key in [RawKey::drawn(Enctype::Aes256Sha1, 1), site.client().ticket.pac.unwrap().kdc_key] {
        refused(&site, &planned(&site, |plan| plan.server[0].by = Some(key)), "kerberos/pac-signature-wrong");
    }
    let old = LongTerm::of("HTTP/web.example@EXAMPLE", 2, Enctype::Aes256Sha1);
    let both = Site::holding(vec![site.services[0].clone(), old.clone()]);
    refused(&both, &planned(&both, |plan| plan.server[0].by = Some(old.key)), "kerberos/pac-signature-wrong");
}

/// Every checksum type with every key: one of each is right.
#[test]
fn k07_the_signature_is_of_the_keys_own_type() {
    const TYPES: [(i32, usize); 13] = [
        (-138, 16),
        (15, 12),
        (16, 12),
        (17, 16),
        (18, 16),
        (19, 16),
        (20, 24), // what keys make
        (1, 4),
        (2, 16),
        (7, 16),
        (8, 24),
        (12, 20),
        (0, 0), // what proves nothing, or nobody knows
    ];
    for enctype in Enctype::ALL {
        let site = Site::of_enctype(enctype);
        for (says, len) in TYPES {
            let says_so = planned(&site, |plan| plan.server[0].says = Some(says));
            let right_length = planned(&site, |plan| {
                plan.server[0] =
                    PacSignature { by: None, says: Some(says), value: SignatureValue::Bytes(vec![7; len]) };
            });
            for client in [says_so, right_length.clone()] {
                let outcome = site.hears(&client);
                if says == enctype.checksum_type() {
                    let cause = outcome.cause_name();
                    assert!(["ok", "kerberos/pac-signature-wrong"].contains(&cause), "{enctype:?} {says}: {cause}");
                } else {
                    // One whose bytes are too short for the type cannot even be read.
                    let cause = outcome.cause_name();
                    assert!(cause.starts_with("kerberos/pac-"), "{enctype:?} {says}: {cause}");
                }
            }
            let expected = if says == enctype.checksum_type() { "wrong" } else { "type" };
            refused(&site, &right_length, &format!("kerberos/pac-signature-{expected}"));
        }
        site.accepts(&site.client().again(99));
    }
}

#[test]
fn k09_unkeyed_and_weaker_signatures() {
    let site = Site::of_web();
    for value in [SignatureValue::Crc32, SignatureValue::Md5, SignatureValue::HmacMd5] {
        refused(&site, &planned(&site, |plan| plan.server[0].value = value), "kerberos/pac-signature-type");
    }
    // The HMAC of RC4 is right for RC4's keys alone, and made by them it is the same.
    let rc4 = Site::of_enctype(Enctype::Rc4);
    rc4.accepts(&planned(&rc4, |plan| plan.server[0].value = SignatureValue::HmacMd5));
    refused(&rc4, &planned(&rc4, |plan| plan.server[0].value = SignatureValue::Crc32), "kerberos/pac-signature-type");
}

#[test]
fn signatures_that_are_missing_or_there_twice() {
    let site = Site::of_web();
    refused(&site, &planned(&site, |plan| plan.server.clear()), "kerberos/pac-unsigned");
    refused(&site, &planned(&site, |plan| plan.kdc.clear()), "kerberos/pac-unsigned");
    let due = PacSignature::due;
    refused(&site, &planned(&site, |plan| plan.server.push(due())), "kerberos/pac-malformed");
    refused(&site, &planned(&site, |plan| plan.kdc.push(due())), "kerberos/pac-malformed");
    // The right one behind a wrong one, and before it.
    let wrong = || PacSignature { value: SignatureValue::Wrong, ..due() };
    refused(&site, &planned(&site, |plan| plan.server = vec![wrong(), due()]), "kerberos/pac-malformed");
    refused(&site, &planned(&site, |plan| plan.server = vec![due(), wrong()]), "kerberos/pac-malformed");
    // Those that only a KDC can check, and that older KDCs do not make.
    for (seed, (ticket, full)) in (1..).zip([(false, false), (true, false), (false, true)]) {
        site.accepts(&planned(&site, |plan| (plan.ticket, plan.full) = (ticket, full)).again(seed));
    }
    site.accepts(&planned(&site, |plan| plan.kdc[0].value = SignatureValue::Wrong).again(9));
}

/// Every byte of a PAC is under the server signature but the KDC's signature, which only the KDC can check.
#[test]
fn k13_every_byte_of_a_pac_counts() {
    let site = Site::of_web();
    let ticket = site.ticket("ann@EXAMPLE");
    let pac = ticket.sealed_pac().unwrap();
    let kdc = Pac::decode(&pac).unwrap().find(BufferType::KDC_SIGNATURE).unwrap();
    let value = kdc.offset + 4..kdc.offset + 16;
    let mut seed = 0;
    for at in 0..pac.len() {
        for bit in [1, 0x80] {
            seed += 1;
            let mut altered = pac.clone();
            altered[at] ^= bit;
            let raw_ticket = Some(ticket.around(&ticket.part_around(Some(&altered))));
            let outcome = site.hears(&Client { raw_ticket, ..site.client() }.again(seed));
            let cause = outcome.cause_name();
            match value.contains(&at) {
                true => assert_eq!(cause, "ok", "byte {at} of the KDC's signature"),
                false => assert!(cause.starts_with("kerberos/pac-"), "byte {at}: {cause}"),
            }
        }
    }
    for len in 0..pac.len() {
        let raw_ticket = Some(ticket.around(&ticket.part_around(Some(&pac[..len]))));
        let outcome = site.hears(&Client { raw_ticket, ..site.client() });
        assert!(outcome.cause_name().starts_with("kerberos/pac-"), "cut to {len}: {}", outcome.cause_name());
    }
}

#[test]
fn k05_counts_and_offsets_at_their_ends() {
    let site = Site::of_web();
    let edits: [fn(&mut Vec<u8>); 8] = [
        |pac| pac[..4].copy_from_slice(&(1_u32 << 28).to_le_bytes()),
        |pac| pac[..4].copy_from_slice(&u32::MAX.to_le_bytes()),
        |pac| pac[4] = 1,
        |pac| pac[12..16].copy_from_slice(&u32::MAX.to_le_bytes()),
        |pac| pac[16..24].copy_from_slice(&u64::MAX.to_le_bytes()),
        |pac| pac[16..24].copy_from_slice(&8_u64.to_le_bytes()),
        |pac| pac[16] += 4,
        |pac| pac.copy_within(16..24, 32),
    ];
    for edit in edits {
        refused(&site, &planned(&site, |plan| plan.edit = Some(edit)), "kerberos/pac-malformed");
    }
    // Nothing but zeros is a PAC without buffers; nothing at all is none.
    refused(&site, &planned(&site, |plan| plan.edit = Some(|pac| *pac = vec![0; 8])), "kerberos/pac-unsigned");
    refused(&site, &planned(&site, |plan| plan.edit = Some(Vec::clear)), "kerberos/pac-malformed");
}

/// What somebody makes who has the service's key and no KDC's.
fn forged(site: &Site) -> Client {
    planned(site, |plan| {
        plan.kdc_key = RawKey::drawn(Enctype::Aes256Sha1, 0xbad);
        plan.logon.as_mut().unwrap().groups.push((512, 7));
    })
}

/// A known gap where no KDC is asked: a service that has its own key, or whoever stole it, can make a PAC that says
/// anything to that service.
#[test]
fn k14_whoever_has_the_services_key_can_forge() {
    let site = Site::of_web();
    let context = site.accepts(&forged(&site));
    let account = context.facts().account.as_ref().unwrap();
    assert!(account.groups.iter().any(|group| group.sid.to_string() == "S-1-5-21-1-2-3-512"));
}

/// The gap is closed by asking.
#[test]
fn k14_unless_the_kdc_is_asked() {
    let mut site = Site::of_web();
    let kdc_key = site.client().ticket.pac.unwrap().kdc_key;
    site.keys = Keys::of(&site.services).asking(kdc_key);
    let wrong = planned(&site, |plan| plan.kdc[0].value = SignatureValue::Wrong);
    let other_type = planned(&site, |plan| plan.kdc[0].value = SignatureValue::HmacMd5);
    let bare = Client::of(site.ticket("ann@EXAMPLE").without_pac());
    for client in [forged(&site), wrong, other_type] {
        refused(&site, &client, "kerberos/pac-signature-wrong");
    }
    site.accepts(&site.client());
    site.accepts(&bare.clone().again(4));
    // Where one must be asked, a ticket that gives nothing to ask is refused: it is as easily forged.
    site.config.kdc_signature = KdcSignature::Require;
    refused(&site, &forged(&site), "kerberos/pac-signature-wrong");
    refused(&site, &bare, "kerberos/pac-missing");
    site.accepts(&site.client().again(5));
    let mit =
        Client::of(Ticket { pac: Some(PacPlan::of_mit(&Name::user("ann@EXAMPLE"))), ..site.ticket("ann@EXAMPLE") });
    site.accepts(&mit.again(6));
    site.config.pac = PacPolicy::Ignore;
    refused(&site, &site.client(), "kerberos/pac-missing");
    // And where there is nobody to ask.
    let mut alone = Site::of_web();
    alone.config.kdc_signature = KdcSignature::Require;
    let nobody = Status::SEC_E_NO_AUTHENTICATING_AUTHORITY;
    alone.refuses(&alone.client(), "kerberos/pac-unconfirmed", nobody, Some(41));
}

/// Another one: that a ticket's flags were changed by a service with its own key, which only a KDC can see by its
/// signature over the ticket (0x10, CVE-2020-17049). Whoever does not have the key changes nothing.
#[test]
fn k12_flags_are_the_word_of_who_has_the_key() {
    let site = Site::of_web();
    let plain = Ticket { flags: TicketFlags::PRE_AUTHENT, ..site.ticket("ann@EXAMPLE") };
    let pac = plain.sealed_pac().unwrap();
    let flipped = Ticket { flags: plain.flags | TicketFlags::FORWARDABLE, ..plain.clone() };
    let raw_ticket = Some(flipped.around(&flipped.part_around(Some(&pac))));
    let context = site.accepts(&Client { raw_ticket, ..site.client() });
    assert!(context.facts().ticket.as_ref().unwrap().flags.contains(TicketFlags::FORWARDABLE));
    let mut stranger = flipped.clone();
    stranger.under = RawKey::drawn(Enctype::Aes256Sha1, 3);
    let raw_ticket = Some(stranger.around(&flipped.part_around(Some(&pac))));
    refused(&site, &Client { raw_ticket, ..site.client() }, "kerberos/ticket-not-decryptable");
}

#[test]
fn k15_client_info_is_the_tickets() {
    let site = Site::of_web();
    let ticket = site.ticket("ann@EXAMPLE");
    let time = u64::try_from(ticket.auth_time + 11_644_473_600).unwrap() * 10_000_000;
    let info = |client_id: u64, name: &str| Info::Other(ClientInfo { client_id, name: name.into() });
    let with = |info: Info| planned(&site, |plan| plan.client = info);
    site.accepts(&with(info(time, "ann")));
    site.accepts(&with(info(time, "ann@EXAMPLE")).again(5));
    let wrong = [
        Info::Absent,
        info(time, "bob"),
        info(time, "Ann"),
        info(time, ""),
        info(time, "ann@OTHER"),
        info(time, "EXAMPLE\\ann"),
        info(time, "ann/admin"),
        info(time - 1, "ann"),
        info(time + 10_000_000, "ann"),
        info(0, "ann"),
        info(u64::MAX, "ann"),
    ];
    for info in wrong {
        refused(&site, &with(info), "kerberos/pac-client-differs");
    }
    // Of a name of several components all of them.
    let host = |name: &str| {
        let mut client =
            Client::of(Ticket { pac: Some(PacPlan::of_mit(&ticket.client)), ..site.ticket("host/a@EXAMPLE") });
        client.ticket.pac.as_mut().unwrap().client = info(time, name);
        client
    };
    site.accepts(&host("host/a").again(6));
    refused(&site, &host("host"), "kerberos/pac-client-differs");
    refused(&site, &host("host/b"), "kerberos/pac-client-differs");
}

/// What the operator reads: whose the ticket is, and whose its PAC.
#[test]
fn a_refused_pac_is_told_with_both_sides() {
    let site = Site::of_web();
    let told = |client: &Client| {
        let outcome = site.hears(client);
        let because: Vec<_> = outcome.events.into_iter().filter(|event| event.starts_with("Because")).collect();
        assert_eq!(because.len(), 1, "{because:?}");
        because.concat()
    };
    let bobs = site.ticket("bob@EXAMPLE").sealed_pac().unwrap();
    let anns = site.ticket("ann@EXAMPLE");
    let raw_ticket = Some(anns.around(&anns.part_around(Some(&bobs))));
    let text = told(&Client { raw_ticket, ..site.client() });
    assert!(text.contains("ann@EXAMPLE") && text.contains("bob"), "{text}");
    let own = site.client().ticket.pac.unwrap().requester.unwrap();
    let other = "S-1-5-21-1-2-3-500";
    let text = told(&planned(&site, |plan| plan.requester = Some(other.parse().unwrap())));
    assert!(text.contains(other) && text.contains(&own.to_string()), "{text}");
    let text = told(&planned(&site, |plan| plan.logon = None));
    assert!(text.contains("names a requester and no logon"), "{text}");
    let mut nobody = site.client();
    nobody.ticket.flags = TicketFlags::ANONYMOUS;
    let text = told(&nobody);
    assert!(text.contains("ann@EXAMPLE"), "{text}");
}

#[test]
fn k15_the_pac_of_another_ticket() {
    let site = Site::of_web();
    // Bob's PAC, well signed for this very service, in ann's ticket.
    let bobs = site.ticket("bob@EXAMPLE").sealed_pac().unwrap();
    let anns = site.ticket("ann@EXAMPLE");
    let raw_ticket = Some(anns.around(&anns.part_around(Some(&bobs))));
    refused(&site, &Client { raw_ticket, ..site.client() }, "kerberos/pac-client-differs");
    // Ann's own, of another logon.
    let older = Ticket { auth_time: anns.auth_time - 3600, ..anns.clone() }.sealed_pac().unwrap();
    let raw_ticket = Some(anns.around(&anns.part_around(Some(&older))));
    refused(&site, &Client { raw_ticket, ..site.client() }, "kerberos/pac-client-differs");
}

#[test]
fn k16_the_pac_of_a_ticket_granting_ticket() {
    let site = Site::of_web();
    let client = planned(&site, |plan| (plan.logon, plan.upn) = (None, None));
    refused(&site, &client, "kerberos/ticket-granting");
}

#[test]
fn k18_no_logon_info_is_no_account_and_no_refusal() {
    let mut site = Site::of_web();
    let mit = |site: &Site| {
        let ticket = site.ticket("ann@EXAMPLE");
        Client::of(Ticket { pac: Some(PacPlan::of_mit(&ticket.client)), ..ticket })
    };
    let bare = |site: &Site| Client::of(site.ticket("ann@EXAMPLE").without_pac());
    let by_principal = |context: portcullis::Context| {
        let account = context.facts().account.clone().unwrap();
        assert_eq!((account.name.as_str(), account.sid, account.groups.len()), ("ann", None, 0));
        assert_eq!((account.domain.as_str(), account.dns_domain.as_str()), ("EXAMPLE", "EXAMPLE"));
        assert_eq!(context.facts().client_name().as_deref(), Some("ann@EXAMPLE"));
        context.facts().ticket.as_ref().unwrap().pac.is_some()
    };
    assert!(by_principal(site.accepts(&mit(&site))));
    assert!(!by_principal(site.accepts(&bare(&site).again(5))));
    site.config.pac = PacPolicy::Require;
    refused(&site, &mit(&site), "kerberos/pac-missing");
    refused(&site, &bare(&site), "kerberos/pac-missing");
    site.accepts(&site.client().again(6));
    // Ignored, it may be anything, and says nothing.
    site.config.pac = PacPolicy::Ignore;
    let edits: [fn(&mut Vec<u8>); 3] = [|_| {}, |pac| pac.fill(0xff), Vec::clear];
    for (seed, edit) in (10..).zip(edits) {
        assert!(!by_principal(site.accepts(&planned(&site, |plan| plan.edit = Some(edit)).again(seed))));
    }
}

#[test]
fn where_the_pac_stands() {
    let mut site = Site::of_web();
    site.config.pac = PacPolicy::Require;
    let at = |pac_place| Client::of(Ticket { pac_place, ..site.ticket("ann@EXAMPLE") });
    for (seed, place) in (1..).zip([PacPlace::Outside, PacPlace::IfRelevant, PacPlace::Deep(2), PacPlace::Second]) {
        assert!(site.accepts(&at(place).again(seed)).facts().ticket.as_ref().unwrap().pac.is_some(), "{place:?}");
    }
    refused(&site, &at(PacPlace::Deep(3)), "kerberos/pac-missing");
    refused(&site, &at(PacPlace::Deep(9)), "kerberos/pac-missing");
    // Of two the first counts, wherever both stand.
    let admin = site.ticket("administrator@EXAMPLE").sealed_pac().unwrap();
    let mut client = at(PacPlace::IfRelevant).again(20);
    client.ticket.authorization = vec![(AD_WIN2K_PAC, admin.clone())];
    assert_eq!(site.accepts(&client).facts().account.as_ref().unwrap().name, "ann");
    let mut client = at(PacPlace::IfRelevant).again(21);
    (client.ticket.pac, client.ticket.authorization) = (None, vec![(AD_WIN2K_PAC, admin)]);
    refused(&site, &client, "kerberos/pac-client-differs");
}
