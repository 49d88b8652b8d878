use super::{Case, Says};
use crate::initiator::Initiator;
use crate::kerberos::{
    Bound, Checksum, Client, Forwarded, Info, LongTerm, NOW, Name, PacPlan, PacSignature, RawKey, SKEW, SignatureValue,
    Ticket, settings,
};
use crate::vector::{KerberosSetup, Package};
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{KdcSignature, PacPolicy, ServiceNames, Transited};
use portcullis::{BindingPolicy, ChannelBindings, Status};
use portcullis_wire::kerberos::pac::ClientInfo;
use portcullis_wire::kerberos::{TicketFlags, gss_flag};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const INVALID: Status = Status::SEC_E_INVALID_TOKEN;

/// Conversations with a Kerberos acceptor that end with the client's first token: tickets, authenticators, PACs.
pub(super) fn cases() -> Vec<Case> {
    [good(), keys(), tickets(), authenticators(), bindings(), pacs(), replays(), delegation()].concat()
}

pub(super) fn web() -> LongTerm {
    LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes256Sha1)
}

/// The one client of most cases.
pub(super) fn ann() -> Client {
    Client::of(Ticket::of(&web(), "ann@EXAMPLE", NOW))
}

impl Case {
    /// A conversation with an acceptor of Kerberos that holds the key of `HTTP/web.example@EXAMPLE`.
    pub(super) fn kerberos(name: &str, shows: &str, tokens: Vec<Vec<u8>>) -> Self {
        let mut case = Self { says: Says::Tokens(tokens), ..Self::new(name, shows, Initiator::user()) };
        case.setup.package = Package::Kerberos;
        case.setup.kerberos = Some(KerberosSetup::holding(&[web()]));
        case.setup.settings = settings();
        case.setup.realm.accounts.clear();
        case
    }

    /// The same with one token, a client's.
    fn client(name: &str, shows: &str, client: &Client) -> Self {
        Self::kerberos(name, shows, vec![client.token()])
    }

    /// Changes what belongs to Kerberos in the setting.
    pub(super) fn keyed(self, change: impl FnOnce(&mut KerberosSetup)) -> Self {
        self.set(|setup| change(setup.kerberos.get_or_insert_default()))
    }

    fn denied(self, cause: &'static str) -> Self {
        self.refused(DENIED, cause)
    }
}

fn with_ticket(change: impl FnOnce(&mut Ticket)) -> Client {
    let mut client = ann();
    change(&mut client.ticket);
    client
}

fn with_pac(change: impl FnOnce(&mut PacPlan)) -> Client {
    with_ticket(|ticket| change(ticket.pac.get_or_insert_with(|| PacPlan::of(&Name::user("ann@EXAMPLE")))))
}

fn good() -> Vec<Case> {
    let mit = with_ticket(|ticket| ticket.pac = Some(PacPlan::of_mit(&ticket.client)));
    let foreign = Client::of(Ticket::of(&web(), "ann@OTHER", NOW));
    let mut cases = vec![
        Case::client("ok", "as Windows does: a PAC, the server's proof, messages signed and sealed", &ann()),
        Case::client("ok-no-mutual", "the client wants no proof of the server: nothing comes back", &{
            ann().without_mutual()
        }),
        Case::client("ok-no-pac", "a ticket without a PAC, as other KDCs make it", &{
            with_ticket(|ticket| ticket.pac = None)
        }),
        Case::client("ok-pac-without-logon", "a PAC that names no account, as MIT's KDC makes it", &mit),
        Case::client("ok-no-checksum", "an authenticator without a checksum asks for nothing", &{
            Client { checksum: Checksum::Absent, options: 0, ..ann() }
        }),
        Case::client("ok-name-rewritten", "what the ticket says of its service outside decides nothing", &{
            with_ticket(|ticket| ticket.service = Name::service("ldap/elsewhere@OTHER"))
        }),
        Case::client("ok-kvno-zero", "a ticket whose key version is zero", &{
            with_ticket(|ticket| ticket.kvno = Some(0))
        }),
        Case::client("ok-old-key", "the key before the last one is kept", &ann())
            .keyed(|kerberos| *kerberos = KerberosSetup::holding(&[LongTerm { kvno: 4, ..other_key() }, web()])),
        Case::client("ok-clock-at-the-border", "a clock that is fast by all that is allowed", &{
            Client { time: NOW + SKEW, micros: 0, ..ann() }
        }),
        Case::client("ok-foreign-client", "a client of another realm", &foreign),
        Case::client("ok-target", "the client says which name its user asked for", &{
            Client { target: Some("HTTP/alias.example@EXAMPLE".into()), ..ann() }
        }),
    ];
    for enctype in Enctype::ALL {
        let key = LongTerm::of("HTTP/web.example@EXAMPLE", 3, enctype);
        let client = Client::of(Ticket::of(&key, "ann@EXAMPLE", NOW));
        let name = format!("ok-{}", enctype.name());
        let case = Case::client(&name, "service and session key of one enctype", &client);
        cases.push(case.keyed(|kerberos| {
            *kerberos = KerberosSetup::holding(&[key]);
            kerberos.config.danger_accept_rc4 = enctype.is_weak();
        }));
    }
    cases
}

fn other_key() -> LongTerm {
    LongTerm { key: RawKey::drawn(Enctype::Aes256Sha1, 0x006f_7468_6572), ..web() }
}

/// Whose key opens the ticket.
fn keys() -> Vec<Case> {
    let no_key = Status::SEC_E_NO_KERB_KEY;
    let only = |case: Case, keys: &[LongTerm]| {
        let keys = keys.to_vec();
        case.keyed(move |kerberos| *kerberos = KerberosSetup::holding(&keys))
    };
    let aes_128 = LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes128Sha1);
    let rc4 = LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Rc4);
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 3, Enctype::Aes256Sha1);
    let granting = Client::of(Ticket::of(&kdc, "ann@EXAMPLE", NOW));
    let rc4_client = Client::of(Ticket::of(&rc4, "ann@EXAMPLE", NOW));
    vec![
        only(Case::client("no-keytab", "no key is held", &ann()), &[])
            .refused(Status::SEC_E_NO_CREDENTIALS, "kerberos/no-keytab"),
        only(Case::client("no-key", "no key of the ticket's enctype is held", &ann()), &[aes_128])
            .refused(no_key, "kerberos/no-key"),
        only(Case::client("no-key-version", "the password was changed after the keytab was made", &ann()), &{
            [LongTerm { kvno: 2, ..other_key() }]
        })
        .refused(no_key, "kerberos/no-key-version"),
        only(Case::client("wrong-key", "the keytab is of another password", &ann()), &[other_key()])
            .denied("kerberos/ticket-not-decryptable"),
        Case::client("altered-ticket", "a bit of the ticket was changed", &{
            let mut client = ann();
            let mut raw = client.ticket.encode();
            let last = raw.len() - 20;
            raw[last] ^= 1;
            client.raw_ticket = Some(raw);
            client
        })
        .denied("kerberos/ticket-not-decryptable"),
        Case::client("service-not-ours", "the key is held, and the service not ours to be", &ann())
            .keyed(|kerberos| kerberos.config.services = ServiceNames::List(vec!["ldap/web.example".into()]))
            .denied("kerberos/service-not-ours"),
        Case::client("ticket-granting", "a ticket-granting ticket", &granting).denied("kerberos/ticket-granting"),
        only(
            Case::client("ticket-granting-key", "the same where somebody put the KDC's key into the keytab", &granting),
            &{ [kdc, web()] },
        )
        .denied("kerberos/ticket-granting"),
        only(Case::client("rc4", "RC4 is off by default", &rc4_client), &[rc4]).denied("kerberos/rc4-refused"),
        Case::client("rc4-session", "and so is a session key of it", &{
            with_ticket(|ticket| ticket.session = RawKey::drawn(Enctype::Rc4, 1))
        })
        .denied("kerberos/rc4-refused"),
        Case::client("triple-des", "an enctype that is no longer", &with_ticket(|ticket| ticket.etype = 16))
            .denied("kerberos/unknown-enctype"),
    ]
}

fn tickets() -> Vec<Case> {
    let expired = with_ticket(|ticket| ticket.end_time = NOW - SKEW - 1);
    let mut distant = ann();
    distant.ticket.addresses = Some(vec![(2, vec![192, 0, 2, 1])]);
    let skewed = |name: &str, shows: &str, seconds: i64| {
        Case::client(name, shows, &Client { time: NOW + seconds, micros: 0, ..ann() })
            .refused(Status::SEC_E_TIME_SKEW, "kerberos/clock-skew")
    };
    vec![
        Case::client("invalid", "a postdated ticket that its KDC has not validated", &{
            with_ticket(|ticket| ticket.flags = ticket.flags | TicketFlags::INVALID)
        })
        .denied("kerberos/ticket-invalid"),
        Case::client("not-yet-valid", "a ticket whose time has not begun", &{
            with_ticket(|ticket| ticket.start_time = Some(NOW + SKEW + 1))
        })
        .refused(Status::SEC_E_TIME_SKEW, "kerberos/ticket-not-yet-valid"),
        Case::client("expired", "a ticket whose time is over", &expired)
            .refused(Status::SEC_E_CONTEXT_EXPIRED, "kerberos/ticket-expired"),
        Case::client(
            "expired-no-mutual",
            "the same, of a client that wants to hear nothing",
            &expired.without_mutual(),
        )
        .refused(Status::SEC_E_CONTEXT_EXPIRED, "kerberos/ticket-expired"),
        skewed("clock-fast", "a clock that is fast by a second too much", SKEW + 1),
        skewed("clock-slow", "a clock that is slow by a second too much", -SKEW - 1),
        Case::client("address", "a ticket that is good from another address", &distant)
            .keyed(|kerberos| kerberos.config.check_addresses = true)
            .set(|setup| setup.settings.peer = Some([192, 0, 2, 2].into()))
            .denied("kerberos/address-not-allowed"),
        Case::client("transited", "another realm, and nobody checked the way", &{
            Client::of(Ticket::of(&web(), "ann@OTHER", NOW))
        })
        .keyed(|kerberos| kerberos.config.transited = Transited::Checked)
        .denied("kerberos/transited-unchecked"),
    ]
}

fn authenticators() -> Vec<Case> {
    let named = |name: &str| Client { name: Name::user(name), ..ann() };
    let host = Client { name: Name::user("host/b@EXAMPLE"), ..Client::of(Ticket::of(&web(), "host/a@EXAMPLE", NOW)) };
    let sum = |checksum: Checksum| Client { checksum, ..ann() };
    vec![
        Case::client("authenticator-other-key", "whoever sent it does not hold the session key", &{
            Client { under: Some(RawKey::drawn(Enctype::Aes256Sha1, 9)), ..ann() }
        })
        .denied("kerberos/authenticator-altered"),
        Case::client("client-differs", "ticket and authenticator name different clients", &named("bob@EXAMPLE"))
            .denied("kerberos/client-differs"),
        Case::client("client-differs-realm", "the same name in another realm", &named("ann@OTHER"))
            .denied("kerberos/client-differs"),
        Case::client("client-differs-host", "host/a is not host/b", &host).denied("kerberos/client-differs"),
        Case::client("checksum-crc-32", "a checksum that anyone can make", &sum(Checksum::Other(1, vec![0; 4])))
            .denied("kerberos/checksum-wrong"),
        Case::client("checksum-md5", "another one", &sum(Checksum::Other(7, vec![0; 16])))
            .denied("kerberos/checksum-wrong"),
        Case::client("checksum-over-something", "a keyed checksum, over other bytes", &{
            sum(Checksum::Keyed(b"something".to_vec()))
        })
        .denied("kerberos/checksum-wrong"),
        Case::client("checksum-all-ones", "GSS-API's checksum with every bit set", &{
            sum(Checksum::Other(0x8003, vec![0xff; 24]))
        })
        .refused(INVALID, "kerberos/malformed-token"),
        Case::client("checksum-short", "GSS-API's checksum without its flags", &{
            sum(Checksum::Other(0x8003, [&[16, 0, 0, 0][..], &[0; 16]].concat()))
        })
        .refused(INVALID, "kerberos/malformed-token"),
    ]
}

fn bindings() -> Vec<Case> {
    let channel = || ChannelBindings::tls_server_end_point(&[0x11; 32]);
    let through = |case: Case| case.set(|setup| setup.settings.bindings = Some(channel()));
    let bad = Status::SEC_E_BAD_BINDINGS;
    let missing = |case: Case| through(case).refused(bad, "kerberos/bindings-missing");
    let to = |byte| ann().bound(Bound::To(ChannelBindings::tls_server_end_point(&[byte; 32])));
    let lenient = |case: Case| case.keyed(|kerberos| kerberos.config.bindings = BindingPolicy::WhenPresent);
    vec![
        through(Case::client("ok-bindings", "the client is bound to this channel", &to(0x11))),
        lenient(through(Case::client(
            "ok-bindings-unaware",
            "a client that knows of no bindings, where it may",
            &ann(),
        ))),
        missing(Case::client("bindings-zero", "all zero is no binding", &ann())),
        missing(Case::client("bindings-no-checksum", "without a checksum there are none", &{
            Client { checksum: Checksum::Absent, ..ann() }
        })),
        lenient(missing(Case::client(
            "bindings-aware-zero",
            "a client that knows of bindings, and saw no channel",
            &{ Client { ap_options: Some(0x4000), ..ann() } },
        ))),
        through(Case::client("bindings-other", "the client is bound to another channel: a relay", &to(0x12)))
            .refused(bad, "kerberos/bindings-wrong"),
    ]
}

fn pacs() -> Vec<Case> {
    let pac = |name: &str, shows: &str, cause: &'static str, change: fn(&mut PacPlan)| {
        Case::client(name, shows, &with_pac(change)).denied(cause)
    };
    let confirmed = |case: Case| case.keyed(|kerberos| kerberos.config.kdc_signature = KdcSignature::Require);
    let none = with_ticket(|ticket| ticket.pac = None);
    vec![
        pac("pac-changed", "a SID was changed after the PAC was signed", "kerberos/pac-signature-wrong", |plan| {
            plan.edit = Some(|pac| {
                let at = pac.len() / 3;
                pac[at] ^= 1;
            });
        }),
        pac("pac-other-key", "signed by somebody without the service's key", "kerberos/pac-signature-wrong", |plan| {
            plan.server[0].by = Some(RawKey::drawn(Enctype::Aes256Sha1, 4));
        }),
        pac("pac-hmac-md5", "the signature of RC4 by a key of AES", "kerberos/pac-signature-type", |plan| {
            plan.server[0].value = SignatureValue::HmacMd5;
        }),
        pac("pac-crc-32", "a signature that anyone can make", "kerberos/pac-signature-type", |plan| {
            plan.server[0].value = SignatureValue::Crc32;
        }),
        pac("pac-no-server-signature", "no server signature", "kerberos/pac-unsigned", |plan| plan.server.clear()),
        pac("pac-no-kdc-signature", "no signature of a KDC", "kerberos/pac-unsigned", |plan| plan.kdc.clear()),
        pac("pac-two-server-signatures", "two server signatures", "kerberos/pac-malformed", |plan| {
            plan.server.push(PacSignature::due());
        }),
        pac("pac-2-28-buffers", "a table that is longer than everything", "kerberos/pac-malformed", |plan| {
            plan.edit = Some(|pac| pac[3] = 0x10);
        }),
        pac("pac-no-client", "nothing that ties it to the ticket", "kerberos/pac-client-differs", |plan| {
            plan.client = Info::Absent;
        }),
        pac("pac-of-another-client", "made for another client", "kerberos/pac-client-differs", |plan| {
            let client_id = u64::try_from(NOW - 300 + 11_644_473_600).unwrap() * 10_000_000;
            plan.client = Info::Other(ClientInfo { client_id, name: "bob".into() });
        }),
        pac("pac-of-another-logon", "made for another logon", "kerberos/pac-client-differs", |plan| {
            plan.client = Info::Other(ClientInfo { client_id: 0, name: "ann".into() });
        }),
        pac("pac-other-sid", "its parts name different accounts", "kerberos/pac-contradicts", |plan| {
            plan.requester = "S-1-5-21-1-2-3-500".parse().ok();
        }),
        pac("pac-other-name", "they have different names", "kerberos/pac-contradicts", |plan| {
            plan.upn.iter_mut().for_each(|upn| upn.sam_name = Some("administrator".into()));
        }),
        pac("pac-of-a-ticket-granting-ticket", "a SID and no logon", "kerberos/ticket-granting", |plan| {
            (plan.logon, plan.upn) = (None, None);
        }),
        Case::client("pac-missing", "no PAC, where there must be one", &none)
            .keyed(|kerberos| kerberos.config.pac = PacPolicy::Require)
            .denied("kerberos/pac-missing"),
        confirmed(Case::client("pac-unconfirmed", "a KDC must confirm, and none can be asked", &ann()))
            .refused(Status::SEC_E_NO_AUTHENTICATING_AUTHORITY, "kerberos/pac-unconfirmed"),
        confirmed(Case::client("pac-missing-to-confirm", "a KDC must confirm, and there is nothing to confirm", &none))
            .denied("kerberos/pac-missing"),
        Case::client("pac-forged", "made with the service's key, and the KDC says that it made none", &ann())
            .keyed(|kerberos| kerberos.kdc = Some(RawKey::drawn(Enctype::Aes256Sha1, 8)))
            .denied("kerberos/pac-signature-wrong"),
    ]
}

fn replays() -> Vec<Case> {
    let earlier = |case: Case, client: Client| case.keyed(|kerberos| kerberos.earlier = vec![client.token()]);
    let renamed = with_ticket(|ticket| ticket.service = Name::service("HTTP/alias.example@EXAMPLE"));
    vec![
        earlier(Case::client("ok-again", "the same client with another authenticator", &ann().again(7)), ann()),
        earlier(Case::client("replayed", "the same token once more", &ann()), ann()).denied("kerberos/replayed"),
        earlier(Case::client("replayed-renamed", "the same with another service's name in it", &renamed), ann())
            .denied("kerberos/replayed"),
        earlier(Case::client("replayed-allowed", "where another filter has seen it before", &ann()), ann())
            .keyed(|kerberos| kerberos.config.danger_accept_replays = true),
        earlier(
            Case::client("replay-cache-full", "nobody is let in while nothing can be remembered", &{ ann().again(7) }),
            ann(),
        )
        .keyed(|kerberos| kerberos.remembers = Some(1))
        .refused(Status::SEC_E_INSUFFICIENT_MEMORY, "kerberos/replay-cache-full"),
    ]
}

fn delegation() -> Vec<Case> {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    let forwarding = |name: &str, under: Option<RawKey>| {
        let mut client = ann().asking(Client::FLAGS | gss_flag::DELEG);
        let ticket = Ticket::of(&kdc, name, NOW).without_pac();
        client.asks().delegation = Forwarded::of(ticket, under).encode();
        client
    };
    let session = ann().ticket.session;
    vec![
        Case::client("ok-delegation", "the client forwards its ticket", &forwarding("ann@EXAMPLE", Some(session))),
        Case::client("ok-delegation-readable", "the same, not sealed once more", &forwarding("ann@EXAMPLE", None)),
        Case::client("delegation-of-another", "the client forwards a ticket of somebody else", &{
            forwarding("bob@EXAMPLE", None)
        })
        .denied("kerberos/delegated-client-differs"),
        Case::client("delegation-other-key", "what is forwarded is under another key", &{
            forwarding("ann@EXAMPLE", Some(RawKey::drawn(Enctype::Aes256Sha1, 6)))
        })
        .refused(INVALID, "kerberos/delegation-unreadable"),
    ]
}
