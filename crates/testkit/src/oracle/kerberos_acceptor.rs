use super::{edit, next_token};
use crate::chance::Foretold;
use crate::converse::Outcome;
use crate::kerberos::{
    Bound, Cached, Client, Frame, Heard, LongTerm, NOW, Name, PacPlan, RawKey, SKEW, Site, Ticket, ccache, hmac_md5,
};
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{PacPolicy, TicketGranting};
use portcullis::{ChannelBindings, ContextFlags, Status};
use portcullis_wire::kerberos::pac::{BufferType, LogonInfo, Pac};
use portcullis_wire::kerberos::{
    AD_WIN2K_PAC, ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, GssChecksum, InnerToken, KrbError,
    PrincipalText, TgtReply, TicketFlags, recognise,
};
use std::sync::Arc;

/// A conversation with a Kerberos acceptor. The first byte chooses who speaks, the second the setting; see
/// [`kerberos_setting`].
///
/// By the lowest two bits of the first byte: tokens as they stand, each behind its length in two bytes; a good client's
/// tokens and edits of them, four bytes each; edits of what the client seals in its authenticator; edits of what the KDC
/// seals in the ticket.
///
/// Whoever is established holds the session key of a ticket under a key that is held here, in its time, with a PAC that
/// is signed: all of it is looked at once more, by other means.
pub fn kerberos_acceptor(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let site = kerberos_setting(setting);
    let client = client(&site, speaker, setting);
    let outcome = match speaker & 3 {
        0 => raw(&site, rest),
        1 => edited(&site, &client, rest),
        2 => sealed_after(&site, &client, rest),
        _ => issued_after(&site, &client, rest),
    };
    judge(&site, setting, &outcome);
}

/// One of the settings that [`kerberos_acceptor`] can choose.
pub fn kerberos_setting(setting: u8) -> Site {
    let bit = |n: u8| setting >> n & 1 == 1;
    let enctype = [Enctype::Aes256Sha1, Enctype::Rc4, Enctype::Aes256Sha384, Enctype::Camellia128];
    let mut site = Site::of_enctype(enctype[usize::from(setting & 3)]);
    site.config.pac = if bit(2) { PacPolicy::Require } else { PacPolicy::VerifyIfPresent };
    site.config.danger_accept_replays = bit(6);
    site.config.check_addresses = bit(7);
    site.settings.bindings = bit(3).then(channel);
    if bit(4) {
        site.settings.want.flags |= ContextFlags::EXTENDED_ERROR;
    }
    if bit(5) {
        let cache = ccache(&[Cached::of(granting())]);
        site.config.user_to_user = Some(Arc::new(TicketGranting::from_ccache(&cache).unwrap()));
    }
    site.settings.peer = Some([192, 0, 2, 1].into());
    site
}

/// The ticket-granting ticket of the server's own account.
fn granting() -> Ticket {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    Ticket { session: RawKey::drawn(Enctype::Aes256Sha1, 0x6d65), ..Ticket::of(&kdc, "me@EXAMPLE", NOW).without_pac() }
}

fn channel() -> ChannelBindings {
    ChannelBindings::tls_server_end_point(&[0x11; 32])
}

fn client(site: &Site, speaker: u8, setting: u8) -> Client {
    let bit = |n: u8| speaker >> n & 1 == 1;
    let mut client = site.client();
    if bit(2) && setting & 0x20 != 0 {
        let owner = LongTerm { name: Name::user("me@EXAMPLE"), kvno: 0, key: granting().session };
        client = Client::of(Ticket::of(&owner, "ann@EXAMPLE", NOW));
        client.options |= ApReq::USE_SESSION_KEY;
    }
    if bit(3) {
        client = client.without_mutual();
    }
    if bit(4) {
        client = client.dce();
    }
    if bit(5) {
        client.ticket.pac = Some(PacPlan::of_mit(&client.ticket.client));
    }
    if bit(6) {
        client.ticket.pac = None;
    }
    client.ap_options = bit(7).then_some(0x4000);
    client.bound(Bound::To(channel()))
}

/// Up to eight tokens, each behind its length.
fn raw(site: &Site, mut bytes: &[u8]) -> Outcome {
    let mut left = 8;
    site.talks(|_| {
        left -= 1;
        next_token(&mut bytes).filter(|_| left > 0).map(<[u8]>::to_vec)
    })
}

/// A good client's tokens: a wish for our ticket, where it needs it; the request; in DCE style the third message.
fn edited(site: &Site, client: &Client, edits: &[u8]) -> Outcome {
    let asks = client.options & ApReq::USE_SESSION_KEY != 0;
    let mut said = u8::from(!asks);
    site.talks(|reply| {
        let mut token = match said {
            0 => client.asks_for_ticket(),
            1 => client.token(),
            2 if client.frame == Frame::Bare => match client.heard(reply) {
                Heard::Reply(reply) => client.third(&reply),
                _ => client.clone().again(9).token(),
            },
            _ => return None,
        };
        edit(edits, said, &mut token);
        said += 1;
        Some(token)
    })
}

/// A client that holds the session key and seals what it likes.
fn sealed_after(site: &Site, client: &Client, edits: &[u8]) -> Outcome {
    let mut plain = client.authenticator();
    edit(edits, 0, &mut plain);
    site.hears_tokens(&[client.framed(InnerToken::ApReq, &client.request_around(&plain))])
}

/// A KDC that seals what it likes. The PAC in it is signed before, so that it fits while nobody touches it.
fn issued_after(site: &Site, client: &Client, edits: &[u8]) -> Outcome {
    let mut part = client.ticket.part();
    edit(edits, 0, &mut part);
    let raw_ticket = Some(client.ticket.around(&part));
    site.hears(&Client { raw_ticket, ..client.clone() })
}

/// Whether an outcome is one that the acceptor may come to.
///
/// # Panics
/// When it is not.
fn judge(site: &Site, setting: u8, outcome: &Outcome) {
    assert!(!outcome.statuses.contains(&Status::SEC_E_INTERNAL_ERROR), "{:?}", outcome.cause);
    for reply in outcome.replies().filter(|reply| !reply.is_empty()) {
        let message = recognise(reply).expect("our own token can be read");
        match message.kind {
            InnerToken::ApRep => drop(ApRep::decode(message.body).expect("our own AP-REP")),
            InnerToken::KrbError => drop(KrbError::decode(message.body).expect("our own KRB-ERROR")),
            InnerToken::TgtRep => drop(TgtReply::decode(message.body).expect("our own KERB-TGT-REPLY")),
            other => panic!("we never send {other:?}"),
        }
    }
    let Some(context) = &outcome.context else { return };
    let tokens: Vec<_> = outcome.messages.iter().step_by(2).collect();
    let request = tokens.iter().rev().find_map(|token| {
        let message = recognise(token).ok().filter(|message| message.kind == InnerToken::ApReq)?;
        ApReq::decode(message.body).ok()
    });
    let request = request.expect("nobody is established without a request");
    let by_session = request.options & ApReq::USE_SESSION_KEY != 0;
    let key = if by_session { granting().session } else { site.services[0].key.clone() };
    assert!(!by_session || setting & 0x20 != 0, "user-to-user, and there is no ticket for it");
    let part = key.open(2, request.ticket.enc_part.cipher).expect("the ticket is under a key that is held");
    let part = EncTicketPart::decode(&part).expect("what was believed can be read");
    let session = RawKey { etype: part.key.etype, value: part.key.value.to_vec() };
    let plain = session.open(11, request.authenticator.cipher).expect("the client holds the session key");
    let said = Authenticator::decode(&plain).expect("what was believed can be read");

    assert!(part.crealm == said.crealm && part.cname.same_components(&said.cname), "two clients in one token");
    let start = part.starttime.unwrap_or(part.authtime).0;
    assert!(start <= NOW + SKEW && part.endtime.0 >= NOW - SKEW, "outside its time");
    assert!((said.ctime.0 - NOW).abs() <= SKEW && !part.flags.contains(TicketFlags::INVALID));
    let facts = context.facts();
    let ticket = facts.ticket.as_ref().expect("a Kerberos context");
    let client = PrincipalText { name: part.cname, realm: part.crealm }.to_string();
    assert_eq!(ticket.client, client);
    if setting & 8 != 0 {
        let checksum = said.cksum.expect("bindings are required").checksum;
        assert_eq!(GssChecksum::decode(checksum).expect("GSS-API's").bindings, &channel().md5());
    }
    let account = facts.account.as_ref().expect("nobody is anonymous");
    match signed_account(&part, &key) {
        Some(name) => assert_eq!(account.name, name),
        None => {
            assert!(site.config.pac != PacPolicy::Require, "no PAC, and there must be one");
            assert_eq!((account.qualified_name(), account.groups.len(), account.sid), (client, 0, None));
        }
    }
    if facts.granted.contains(ContextFlags::USE_DCE_STYLE) {
        third(&session, outcome);
    }
}

/// The account of the ticket's PAC, whose server signature is checked; `None` where it names none.
fn signed_account(part: &EncTicketPart<'_>, key: &RawKey) -> Option<String> {
    let mut elements = part.authorization_data?.flatten();
    let raw = elements.find_map(|element| element.ok().filter(|element| element.ad_type == AD_WIN2K_PAC))?.data;
    let pac = Pac::decode(raw).expect("what was believed can be read");
    let mut zeroed = raw.to_vec();
    for kind in [BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE] {
        let at = pac.find(kind).expect("signed").offset + 4;
        let len = pac.signature(kind).unwrap().unwrap().signature.len();
        zeroed[at..at + len].fill(0);
    }
    let signature = pac.signature(BufferType::SERVER_SIGNATURE).unwrap().unwrap();
    let expected = match key.etype {
        23 => hmac_md5(&key.value, 17, &zeroed).to_vec(),
        _ => key.key().checksum(17).compute([zeroed.as_slice()]).to_vec(),
    };
    assert_eq!(signature.signature, expected, "established over a PAC that nobody signed");
    let logon = LogonInfo::decode(pac.buffer(BufferType::LOGON_INFO)?).expect("what was believed can be read");
    Some(logon.effective_name)
}

/// The third message of DCE style: under the session key, with our number, and not our own.
fn third(session: &RawKey, outcome: &Outcome) {
    let [.., ours, theirs] = &outcome.messages[..] else { panic!("DCE style in one message") };
    let part = |token: &[u8]| {
        let sealed = ApRep::decode(recognise(token).unwrap().body).unwrap().enc_part;
        let plain = session.open(12, sealed.cipher).expect("under the session key");
        (EncApRepPart::decode(&plain).unwrap().seq_number, sealed.cipher.to_vec())
    };
    let (ours, theirs) = (part(ours), part(theirs));
    assert_eq!(ours.0, theirs.0, "another number");
    assert_ne!(ours.1, theirs.1, "our own reply, sent back");
}

/// A script of edits for a good client, by chance.
pub fn random_kerberos_script(chance: &mut Foretold, edits: usize) -> Vec<u8> {
    let mut bytes = vec![chance.number() as u8, chance.number() as u8];
    for _ in 0..edits {
        let number = chance.number();
        let message = (number >> 32) as u8 & 7;
        bytes.extend_from_slice(&[message, (number >> 8) as u8 & 7, (number >> 16) as u8, (number >> 24) as u8]);
    }
    bytes
}
