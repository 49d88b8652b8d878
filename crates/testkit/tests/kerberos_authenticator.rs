//! Authenticators: whose they are, and what their checksums and authorization data ask for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::{ContextFlags, Status};
use portcullis_testkit::kerberos::{Asks, Bound, Checksum, Client, Heard, LongTerm, Name, RawKey, Site, hmac_md5};
use portcullis_wire::kerberos::{
    AD_ETYPE_NEGOTIATION, AD_IF_RELEVANT, KERB_AP_OPTIONS, KERB_AUTH_DATA_CLIENT_TARGET, NT_ENTERPRISE, NT_SRV_HST,
    NT_UNKNOWN, gss_flag,
};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const INVALID: Status = Status::SEC_E_INVALID_TOKEN;

#[test]
fn k25_the_whole_client_counts() {
    let site = Site::of_web();
    let client = |ticket: &str, authenticator: Name| {
        let mut client = Client::of(site.ticket(ticket).without_pac());
        client.name = authenticator;
        client
    };
    let pairs = [
        ("ann@EXAMPLE", "bob@EXAMPLE"),
        ("ann@EXAMPLE", "ann@OTHER"),
        ("ann@EXAMPLE", "ann@example"),
        ("ann@EXAMPLE", "Ann@EXAMPLE"),
        ("ann@EXAMPLE", "ann@EXAMPLE.COM"),
        ("host/a@EXAMPLE", "host/b@EXAMPLE"),
        ("host/a@EXAMPLE", "host@EXAMPLE"),
        ("host@EXAMPLE", "host/a@EXAMPLE"),
        ("a/b/c@EXAMPLE", "a/b/d@EXAMPLE"),
        ("a/b/c@EXAMPLE", "a/b@EXAMPLE"),
        ("a/b@EXAMPLE", r"a\/b@EXAMPLE"),
        ("ann@EXAMPLE", "@EXAMPLE"),
    ];
    for (ticket, authenticator) in pairs {
        let client = client(ticket, Name::user(authenticator));
        let outcome = site.refuses(&client, "kerberos/client-differs", DENIED, Some(36));
        let said = outcome.events.join("\n");
        assert!(said.contains("the ticket for HTTP/web.example@EXAMPLE is of"), "{said}");
    }
    // A name's type takes no part.
    for (seed, kind) in (1..).zip([NT_SRV_HST, NT_UNKNOWN, NT_ENTERPRISE, -1]) {
        site.accepts(&client("host/a@EXAMPLE", Name::of_kind(kind, "host/a@EXAMPLE")).again(seed));
    }
    // And the name is told whole.
    for (seed, text) in (10..).zip(["host/a@EXAMPLE", "host/b@EXAMPLE", "a/b/c@EXAMPLE", r"ann\@mail@R.example"]) {
        let context = site.accepts(&client(text, Name::user(text)).again(seed));
        let facts = context.facts();
        assert_eq!(facts.ticket.as_ref().unwrap().client, text);
        assert_eq!(facts.account.as_ref().unwrap().qualified_name(), text);
    }
}

/// Two names of other bytes must not become one text, nor one name two lines.
#[test]
fn names_that_are_no_text() {
    let site = Site::of_web();
    for (seed, text) in
        (1..).zip(["@EXAMPLE", r"a\nb@EXAMPLE", r"a\tb@EXAMPLE", "ann@", "a/@EXAMPLE", "\u{7f}@EXAMPLE"])
    {
        let named = Client::of(site.ticket(text).without_pac()).again(seed);
        let outcome = site.hears(&named);
        assert_eq!(outcome.cause_name(), "kerberos/malformed-token", "{text}");
        assert!(outcome.context.is_none());
    }
}

#[test]
fn an_authenticator_under_another_key() {
    let site = Site::of_web();
    let altered = |client: &Client| {
        site.refuses(client, "kerberos/authenticator-altered", DENIED, Some(41));
    };
    let bobs = RawKey::drawn(Enctype::Aes256Sha1, 77);
    // Put together from two: ann's ticket, and an authenticator of somebody who saw it go by.
    altered(&Client { under: Some(bobs), ..site.client() });
    altered(&Client { under: Some(RawKey::drawn(Enctype::Aes128Sha1, 77)), ..site.client() });
    for etype in [17, 19, 20, 23, 0, -1] {
        altered(&Client { etype: Some(etype), ..site.client() });
    }
    // Under the service's own key, which the client cannot have, and under the sub-key.
    altered(&Client { under: Some(site.services[0].key.clone()), ..site.client() });
    altered(&Client { under: site.client().subkey, ..site.client() });
}

#[test]
fn an_authenticator_that_is_none() {
    let site = Site::of_web();
    let client = site.client();
    let whole = client.authenticator();
    let cut = (0..whole.len()).map(|len| whole[..len].to_vec());
    let strange = [[&whole[..], &[0]].concat(), whole.repeat(2), client.ticket.part(), b"Authenticator".to_vec()];
    for plain in cut.chain(strange) {
        let token = client.framed(portcullis_wire::kerberos::InnerToken::ApReq, &client.request_around(&plain));
        let outcome = site.hears_tokens(&[token]);
        assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", INVALID));
        assert!(outcome.output.is_empty() && outcome.context.is_none());
    }
}

#[test]
fn k09_checksums_that_prove_nothing() {
    let site = Site::of_web();
    let client = |checksum: Checksum| Client { checksum, ..site.client() };
    let session = site.client().ticket.session;
    let weak = [
        (1, vec![0; 4]),
        (1, crc32fast_of_nothing().to_vec()),
        (7, md5_of_nothing().to_vec()),
        (2, vec![0; 16]),
        (8, vec![0; 24]),
        (-138, hmac_md5(&session.value, 10, b"").to_vec()),
        (15, vec![0; 12]),
        (16, Vec::new()),
        (16, vec![0; 12]),
        (0x8004, vec![0; 24]),
        (0, Vec::new()),
        (i32::MIN, vec![0; 16]),
    ];
    for (kind, bytes) in weak {
        site.refuses(&client(Checksum::Other(kind, bytes)), "kerberos/checksum-wrong", DENIED, Some(50));
    }
    // The session key's own, but over something, cut short, or longer.
    let sum = session.key().checksum(10).compute([&b""[..]]).to_vec();
    site.refuses(&client(Checksum::Keyed(b"body".to_vec())), "kerberos/checksum-wrong", DENIED, Some(50));
    let other = [sum[..11].to_vec(), [&sum[..], &[0]].concat(), session.key().checksum(6).compute([&b""[..]]).to_vec()];
    for bytes in other {
        site.refuses(&client(Checksum::Other(16, bytes)), "kerberos/checksum-wrong", DENIED, Some(50));
    }
}

fn md5_of_nothing() -> [u8; 16] {
    0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e_u128.to_be_bytes()
}

fn crc32fast_of_nothing() -> [u8; 4] {
    0_u32.to_le_bytes()
}

/// Without GSS-API's checksum there are no flags; where nobody requires bindings, that is let in.
#[test]
fn k08_no_checksum_is_no_wish() {
    let signed = |enctype: Enctype| {
        let mut site = Site::of_enctype(enctype);
        site.config.danger_accept_rc4 = true;
        site
    };
    for enctype in Enctype::ALL {
        let site = signed(enctype);
        for (seed, checksum) in (1..).zip([Checksum::Absent, Checksum::Keyed(Vec::new())]) {
            let silent = Client { checksum, options: 0, ..site.client() }.again(seed);
            let context = site.accepts(&silent);
            assert_eq!(context.facts().granted, ContextFlags::CONNECTION);
            // The AP-REQ's own option is all that asks for a reply then.
            let mutual = Client { options: 0x2000_0000, ..silent }.again(seed + 10);
            let outcome = site.hears(&mutual);
            let granted = outcome.context.as_ref().unwrap().facts().granted;
            assert_eq!(granted, ContextFlags::CONNECTION | ContextFlags::MUTUAL_AUTH);
            assert!(matches!(mutual.heard(&outcome.output), Heard::Reply(_)));
        }
    }
}

#[test]
fn k10_what_the_checksum_asks_for_is_what_is_granted() {
    use portcullis::ContextFlags as F;
    let site = Site::of_web();
    let cases = [
        (0, F::NONE),
        (gss_flag::MUTUAL, F::MUTUAL_AUTH),
        (gss_flag::REPLAY, F::REPLAY_DETECT | F::INTEGRITY),
        (gss_flag::SEQUENCE, F::SEQUENCE_DETECT | F::INTEGRITY),
        (gss_flag::CONF, F::CONFIDENTIALITY | F::INTEGRITY),
        (gss_flag::INTEG, F::INTEGRITY),
        (gss_flag::IDENTIFY, F::IDENTIFY),
        (gss_flag::EXTENDED_ERROR, F::NONE),
        (!0x1fff_ffff, F::NONE),
        (Client::FLAGS, F::MUTUAL_AUTH | F::REPLAY_DETECT | F::SEQUENCE_DETECT | F::CONFIDENTIALITY | F::INTEGRITY),
    ];
    for (seed, (flags, granted)) in (1..).zip(cases) {
        let client = site.client().asking(flags).again(seed);
        let outcome = site.hears(&client);
        let context = outcome.context.as_ref().unwrap();
        assert_eq!(context.facts().granted, granted | F::CONNECTION, "{flags:#x}");
        assert_eq!(outcome.output.is_empty(), flags & gss_flag::MUTUAL == 0, "a reply where one was asked for");
    }
    // A host that requires what the client did not ask for.
    let mut strict = Site::of_web();
    strict.settings.want.required = F::CONFIDENTIALITY;
    let outcome = strict.hears(&strict.client().asking(gss_flag::INTEG));
    assert_eq!(
        (outcome.cause_name(), outcome.status()),
        ("call/requirement-not-met", Status::SEC_E_SECURITY_QOS_FAILED)
    );
    assert_eq!(strict.keys.remembered(), 0);
}

#[test]
fn k10_checksums_of_strange_bytes() {
    let site = Site::of_web();
    let client = |bytes: Vec<u8>| Client { checksum: Checksum::Other(0x8003, bytes), ..site.client() };
    let malformed = |bytes: Vec<u8>| {
        site.refuses(&client(bytes), "kerberos/malformed-token", INVALID, None);
    };
    let good = Asks::of(Client::FLAGS).encode();
    assert_eq!(good.len(), 24);
    (0..24).for_each(|len| malformed(good[..len].to_vec()));
    for length in [0, 15, 17, 0x10_0000, u32::MAX] {
        malformed([&length.to_le_bytes()[..], &good[4..]].concat());
    }
    malformed(vec![0xff; 24]);
    // Every flag, but nothing behind them that could be delegated.
    malformed([&good[..20], &[0xff; 4]].concat());
    let mut all = [&good[..20], &[0xfe, 0xef, 0xff, 0xff]].concat();
    site.accepts(&client(all.clone()).again(7));
    // All 0xff where the bindings stand are the bindings of no channel.
    all[4..20].fill(0xff);
    let mut bound = Site::of_web();
    bound.settings.bindings = Some(portcullis::ChannelBindings::tls_server_end_point(&[1; 32]));
    bound.refuses(&client(all), "kerberos/bindings-wrong", Status::SEC_E_BAD_BINDINGS, Some(36));
    // What stands behind is not ours (RFC 4121 §4.1.1, Exts).
    let mut extended = site.client().again(8);
    extended.asks().extensions = vec![0, 0, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4];
    site.accepts(&extended);
}

/// RFC 4537.
#[test]
fn the_client_chooses_the_enctype() {
    let mut site = Site::of_web();
    let chosen = |site: &Site, seed: u64, enctypes: Vec<i32>| {
        let client = Client { enctypes, ..site.client() }.again(seed);
        let outcome = site.hears(&client);
        let reply = client.heard(&outcome.output).reply();
        let key = outcome.context.as_ref().unwrap().facts().session_key.as_ref().unwrap().expose().clone();
        assert_eq!(reply.subkey.as_ref().unwrap().value, key);
        assert_eq!(reply.etype, 18, "the reply itself is under the session key");
        reply.subkey.unwrap().etype
    };
    for (seed, enctype) in (1..).zip(Enctype::ALL.into_iter().filter(|enctype| !enctype.is_weak())) {
        assert_eq!(chosen(&site, seed, vec![enctype.number(), 18]), enctype.number());
    }
    let lists = [(vec![99, 1, -1, 20, 17], 20), (vec![23, 19], 19), (vec![1, 3, 16], 18), (vec![99; 64], 18)];
    for (seed, (list, expected)) in (20..).zip(lists) {
        assert_eq!(chosen(&site, seed, list), expected);
    }
    // Too long a list, and one that is none.
    let long = Client { enctypes: vec![18; 65], ..site.client() };
    site.refuses(&long, "kerberos/malformed-token", INVALID, None);
    let none = Client { authorization: vec![(AD_ETYPE_NEGOTIATION, b"list".to_vec())], ..site.client() };
    site.refuses(&none, "kerberos/malformed-token", INVALID, None);
    // Without a reply nobody tells the client of another key: it goes on with its own.
    let silent = Client { enctypes: vec![20], ..site.client().without_mutual() }.again(40);
    let context = site.accepts(&silent);
    assert_eq!(*context.facts().session_key.as_ref().unwrap().expose(), silent.subkey.unwrap().value);
    // And where RC4 is taken, it can be asked for.
    site.config.danger_accept_rc4 = true;
    let rc4 = Client { enctypes: vec![23], ..site.client() }.again(41);
    assert_eq!(rc4.heard(&site.hears(&rc4).output).reply().subkey, None, "no sub-key: the client's own key is used");
}

#[test]
fn what_the_client_says_of_its_target() {
    let site = Site::of_web();
    let target = Some("HTTP/alias.example@EXAMPLE".to_owned());
    let key = "HTTP/web.example@EXAMPLE";
    let cases = [
        (None, None, key, false),
        (target.clone(), None, "HTTP/alias.example@EXAMPLE", false),
        (target.clone(), Some(0x4000), "HTTP/alias.example@EXAMPLE", false),
        (target.clone(), Some(0x8000), key, true),
        (None, Some(0xc000), key, true),
        (Some(String::new()), None, key, false),
    ];
    for (seed, (target, ap_options, told, unverified)) in (1..).zip(cases) {
        let context = site.accepts(&Client { target, ap_options, ..site.client() }.again(seed));
        let facts = context.facts();
        assert_eq!((facts.claim.target(), facts.ticket.as_ref().unwrap().target_unverified), (told, unverified));
    }
}

#[test]
fn authorization_data_that_is_strange() {
    let site = Site::of_web();
    let nested = |inner: &[(i32, &[u8])]| portcullis_wire::kerberos::AuthorizationData::of(inner);
    let options = 0x8000_u32.to_le_bytes();
    let inner = nested(&[(KERB_AP_OPTIONS, &options)]);
    let deep = nested(&[(AD_IF_RELEVANT, &inner)]);
    let told = |seed: u64, authorization: Vec<(i32, Vec<u8>)>| {
        let context = site.accepts(&Client { authorization, ..site.client() }.again(seed));
        context.facts().ticket.as_ref().unwrap().target_unverified
    };
    assert!(told(1, vec![(KERB_AP_OPTIONS, options.to_vec())]), "beside AD-IF-RELEVANT");
    assert!(told(2, vec![(AD_IF_RELEVANT, inner.clone())]));
    assert!(told(3, vec![(AD_IF_RELEVANT, deep)]), "two levels");
    assert!(told(4, vec![(AD_IF_RELEVANT, nested(&[])), (AD_IF_RELEVANT, inner)]), "in the second of two");
    // What is unknown is passed over, wherever it stands (MS-KILE 3.4.5).
    assert!(!told(5, vec![(0x7fff, b"?".to_vec()), (-1, Vec::new()), (141, vec![1]), (142, vec![2; 40])]));
    let strange = [
        vec![(AD_IF_RELEVANT, b"not a list".to_vec())],
        vec![(AD_IF_RELEVANT, Vec::new())],
        vec![(KERB_AP_OPTIONS, vec![0; 3])],
        vec![(KERB_AP_OPTIONS, vec![0; 5])],
    ];
    for authorization in strange {
        let client = Client { authorization, ..site.client() };
        site.refuses(&client, "kerberos/malformed-token", INVALID, None);
    }
    // A target that is no text is none.
    let odd = Client { authorization: vec![(KERB_AUTH_DATA_CLIENT_TARGET, vec![0x41])], ..site.client() };
    assert_eq!(site.accepts(&odd.again(6)).facts().claim.target(), "HTTP/web.example@EXAMPLE");
}

#[test]
fn a_client_that_says_as_little_as_it_may() {
    let site = Site::of_web();
    let client = Client { subkey: None, seq: None, ..site.client() };
    let outcome = site.hears(&client);
    assert_eq!(outcome.cause_name(), "ok");
    assert!(client.heard(&outcome.output).reply().subkey.is_some(), "the server's sub-key all the same");
    let silent = client.without_mutual().again(9);
    let context = site.accepts(&silent);
    assert_eq!(*context.facts().session_key.as_ref().unwrap().expose(), silent.ticket.session.value);
    // A sub-key of another enctype than the session's.
    for (seed, enctype) in (1..).zip([Enctype::Aes128Sha1, Enctype::Aes256Sha384, Enctype::Camellia128]) {
        let client = Client { subkey: Some(RawKey::drawn(enctype, 5)), ..site.client() }.again(seed);
        let reply = client.heard(&site.hears(&client).output).reply();
        assert_eq!(reply.subkey.unwrap().etype, enctype.number());
    }
}

#[test]
fn two_clients_of_one_key_do_not_mix() {
    let site = Site::holding(vec![
        LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes256Sha1),
        LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes128Sha1),
    ]);
    for (seed, name) in (1..).zip(["ann@EXAMPLE", "bob@EXAMPLE", "ann@EXAMPLE"]) {
        let client = Client::of(site.ticket(name)).again(seed).bound(Bound::Zero);
        let context = site.accepts(&client);
        assert_eq!(context.facts().ticket.as_ref().unwrap().client, name);
        assert_eq!(context.facts().account.as_ref().unwrap().name, name.split('@').next().unwrap());
    }
}
