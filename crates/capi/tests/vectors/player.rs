//! Plays a vector through the function table, as a server in C would.

use crate::accounts::Accounts;
use crate::foretold;
use crate::sspi::{
    self, CHANNEL_BINDINGS, EXTENDED_ERROR, FunctionTable, INBOUND, Library, OUTBOUND, SecBuffer, SecBufferDesc,
    SecHandle, TOKEN, at,
};
use crate::tickets;
use library::ntlm::TargetPolicy;
use library::{BindingPolicy, ChannelBindings, ContextFlags, Status};
use portcullis_testkit::hex;
use portcullis_testkit::vector::{Facts, Package, Setup, Vector};
use std::fmt::Write as _;
use std::net::IpAddr;

/// The configuration that a setting comes to.
pub fn config(setup: &Setup) -> String {
    let (ntlm, names) = (&setup.ntlm, &setup.ntlm.names);
    let mut text = String::new();
    writeln!(text, "[names]\nnetbios_computer = {:?}\ndns_computer = {:?}", names.netbios_computer, names.dns_computer)
        .unwrap();
    writeln!(text, "[domain]\nnetbios = {:?}\ndns = {:?}", names.netbios_domain, names.dns_domain).unwrap();
    writeln!(text, "tree = {:?}\n[negotiate]\npackages = {:?}", names.dns_tree, setup.packages.to_string()).unwrap();
    let bindings = binding_policy(ntlm.bindings);
    writeln!(text, "[ntlm]\nbindings = {bindings:?}\nminimum_key = {}", ntlm.minimum_key.bits()).unwrap();
    let (policy, targets) = match &ntlm.targets {
        TargetPolicy::Any => ("any", &vec![]),
        TargetPolicy::WhenPresent(targets) => ("when-present", targets),
        TargetPolicy::Require(targets) => ("require", targets),
    };
    writeln!(text, "target_policy = {policy:?}\ntargets = {targets:?}").unwrap();
    writeln!(text, "require_mic = {}\nallow_anonymous = {}", ntlm.require_mic, ntlm.allow_anonymous).unwrap();
    writeln!(text, "danger_accept_ntlmv1 = {}", ntlm.danger_accept_ntlmv1).unwrap();
    if let Some(kerberos) = &setup.kerberos {
        text += &tickets::section(kerberos);
    }
    assert!(!names.standalone, "a server is standalone where its domain is called as itself; no vector's is");
    text
}

/// A policy's name in the configuration.
pub const fn binding_policy(policy: BindingPolicy) -> &'static str {
    match policy {
        BindingPolicy::Ignore => "ignore",
        BindingPolicy::Audit => "audit",
        BindingPolicy::WhenPresent => "when-present",
        BindingPolicy::Require => "require",
        BindingPolicy::Proxied => "proxied",
        BindingPolicy::ByCall => "by-call",
    }
}

pub fn package(setup: &Setup) -> &'static str {
    match setup.package {
        Package::Ntlm => "NTLM",
        Package::Negotiate => "Negotiate",
        Package::Kerberos => "Kerberos",
        Package::Password => panic!("no package of sspi.h"),
    }
}

/// Plays it, and says what differs. The host lets refusals tell the client of `errors`, or is silent.
pub fn play(vector: &Vector, library: &Library, accounts: &mut Accounts, errors: bool) -> Result<(), String> {
    let settings = &vector.setup.settings;
    foretold::with(settings.now, settings.server_challenge, || {
        assert_eq!(library.set_authority(&accounts.source()), 0, "PortcullisSetAuthority");
        let mut server = Server::new(library, &vector.setup);
        accounts.acquired();
        for token in vector.setup.kerberos.iter().flat_map(|kerberos| &kerberos.earlier) {
            server.accepts_alone(token)?;
        }
        let lines = accounts.audit().len();
        let compared = server.converse(vector, errors);
        server.close();
        compared?;
        let audit = accounts.audit().into_iter().skip(lines).collect::<Vec<_>>();
        audited(vector, &audit)
    })
}

/// The audit log has one line of it, where there was a decision.
fn audited(vector: &Vector, lines: &[String]) -> Result<(), String> {
    let none = vector.cause == "call/no-room"
        || vector.setup.realm.outage == library::Refusal::named("account/authority-unreachable");
    let says = |key: &str, value: &str| lines.iter().all(|line| line.contains(&format!("\"{key}\":\"{value}\"")));
    let fits = lines.len() == usize::from(!none)
        && says("cause", &vector.cause)
        && vector.facts.version.as_ref().is_none_or(|version| says("version", version));
    if fits { Ok(()) } else { Err(format!("audit: {lines:?}")) }
}

/// A server in the middle of a conversation.
struct Server<'l> {
    library: &'l Library,
    table: &'static FunctionTable,
    credential: SecHandle,
    context: Option<SecHandle>,
}

impl<'l> Server<'l> {
    fn new(library: &'l Library, setup: &Setup) -> Self {
        // A ticket-granting ticket for others is one that a client could use: such a credential is both.
        let granting = setup.kerberos.as_ref().is_some_and(|kerberos| kerberos.granting.is_some());
        let direction = if granting { INBOUND | OUTBOUND } else { INBOUND };
        let table = library.table("InitSecurityInterfaceW");
        let mut name: Vec<u16> = package(setup).encode_utf16().chain([0]).collect();
        let mut credential = SecHandle::INVALID;
        let name = name.as_mut_ptr().expose_provenance();
        let status = table.slots[ACQUIRE].call(&[0, name, direction, 0, 0, 0, 0, at(&mut credential), 0]);
        assert_eq!(status, 0, "AcquireCredentialsHandleW: {status:#010x}");
        Self { library, table, credential, context: None }
    }

    /// A token of a handshake before.
    fn accepts_alone(&mut self, token: &[u8]) -> Result<(), String> {
        let leg = self.accept(token, None, 0, &mut vec![0; 70_000]);
        self.delete_context();
        let cause = self.library.last_cause();
        if leg.status == Status::SEC_E_OK {
            Ok(())
        } else {
            Err(format!("an earlier token: {:?}, {cause}", leg.status))
        }
    }

    fn converse(&mut self, vector: &Vector, errors: bool) -> Result<(), String> {
        let differs = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            Err(format!("{what}: expected {expected:?}, got {got:?}"))
        };
        let settings = &vector.setup.settings;
        let require = self.library.function("PortcullisRequireContextFlags");
        assert_eq!(require.call(&[at(&mut self.credential), settings.want.required.0 as usize]), 0);
        if let Some(peer) = settings.peer {
            let mut peer = address(peer);
            let tell = self.library.function("PortcullisSetPeerAddress");
            let len = size_of_val(&peer);
            assert_eq!(tell.call(&[0, at(&mut peer), len]), 0, "PortcullisSetPeerAddress");
        }
        let request = settings.want.flags.0 | if errors { EXTENDED_ERROR } else { 0 };
        let mut bindings = settings.bindings.as_ref().map(packed);
        let mut granted = 0;
        for (number, token) in vector.tokens.iter().enumerate() {
            let last = number + 1 == vector.tokens.len();
            let mut room = vec![0; settings.room.unwrap_or(70_000)];
            let leg = self.accept(token, bindings.as_deref_mut(), request, &mut room);
            let expected = if last { vector.expect } else { Status::SEC_I_CONTINUE_NEEDED };
            if leg.status != expected {
                return differs(
                    &format!("status of call {}", number + 1),
                    &expected,
                    &(leg.status, self.library.last_cause()),
                );
            }
            let silent = !errors && !leg.status.is_success();
            let reply =
                if silent { Some(&[][..]) } else { vector.replies.get(number).and_then(|reply| reply.as_deref()) };
            if let Some(reply) = reply
                && *reply != leg.output
            {
                return differs(&format!("reply {}", number + 1), &hex::encode(reply), &hex::encode(&leg.output));
            }
            granted = leg.granted;
        }
        if vector.cause != "ok" {
            let cause = self.library.last_cause();
            return if cause == vector.cause { Ok(()) } else { differs("cause", &vector.cause, &cause) };
        }
        let facts = self.facts(granted, settings.want.flags.0 | !EXTENDED_ERROR);
        // What a field of the vector does not say is not compared; the form of the proof is the audit log's.
        let mut said = vector.facts.clone();
        said.version = None;
        let heard = Facts {
            client: facts.client.filter(|_| said.client.is_some()),
            version: None,
            granted: facts.granted.filter(|_| said.granted.is_some()),
            session_key: facts.session_key.filter(|_| said.session_key.is_some()),
            target: facts.target.filter(|_| said.target.is_some()),
        };
        if said == heard { Ok(()) } else { differs("facts", &said, &heard) }
    }

    fn accept(&mut self, token: &[u8], bindings: Option<&mut [u8]>, request: u32, room: &mut [u8]) -> Leg {
        let mut token = token.to_vec();
        let mut inputs = vec![SecBuffer::new(TOKEN, &mut token)];
        inputs.extend(bindings.map(|bindings| SecBuffer::new(CHANNEL_BINDINGS, bindings)));
        let mut outputs = [SecBuffer::new(TOKEN, room)];
        let (mut input, mut output) = (SecBufferDesc::new(&mut inputs), SecBufferDesc::new(&mut outputs));
        let mut context = self.context.unwrap_or(SecHandle::INVALID);
        let (mut granted, mut expiry) = (0_u32, 0_i64);
        let before = if self.context.is_some() { at(&mut context) } else { 0 };
        let status = self.table.slots[ACCEPT].call(&[
            at(&mut self.credential),
            before,
            at(&mut input),
            request as usize,
            0x10,
            at(&mut context),
            at(&mut output),
            at(&mut granted),
            at(&mut expiry),
        ]);
        self.context = Some(context).filter(|context| *context != SecHandle::INVALID);
        let len = outputs[0].len as usize;
        Leg { status: Status(status), output: room[..len].to_vec(), granted }
    }

    /// What the context says of itself, of the flags only those `of_vector`: one was asked for here.
    fn facts(&mut self, granted: u32, of_vector: u32) -> Facts {
        let text = |value: Option<[usize; 2]>| {
            // SAFETY: the attribute's structure is a pointer to a string.
            value.map(|[address, _]| unsafe { sspi::wide(address) })
        };
        let flags = self.attribute(FLAGS).map(|[flags, _]| flags as u32);
        assert_eq!(flags, Some(granted), "FLAGS and what AcceptSecurityContext told");
        // SAFETY: the structure is a length and a pointer to as many bytes.
        let session_key =
            self.attribute(SESSION_KEY).map(|[len, address]| unsafe { sspi::bytes(address, len as u32 as usize) });
        Facts {
            client: text(self.attribute(NAMES)),
            version: None,
            granted: Some(ContextFlags(granted & of_vector).names().collect::<Vec<_>>().join(" ")),
            session_key,
            target: text(self.attribute(CLIENT_SPECIFIED_TARGET)).filter(|target| !target.is_empty()),
        }
    }

    fn attribute(&mut self, attribute: usize) -> Option<[usize; 2]> {
        let mut value = [0_usize; 2];
        let context = self.context.as_mut().unwrap();
        let status = self.table.slots[QUERY].call(&[at(context), attribute, at(&mut value)]);
        (status == 0).then_some(value)
    }

    fn delete_context(&mut self) {
        if let Some(mut context) = self.context.take() {
            assert_eq!(self.table.slots[DELETE].call(&[at(&mut context)]), 0);
        }
    }

    fn close(mut self) {
        self.delete_context();
        assert_eq!(self.table.slots[FREE_CREDENTIAL].call(&[at(&mut self.credential)]), 0);
    }
}

struct Leg {
    status: Status,
    output: Vec<u8>,
    granted: u32,
}

fn address(peer: IpAddr) -> libc::sockaddr_in {
    let IpAddr::V4(peer) = peer else { panic!("the vectors' peers have addresses of IPv4") };
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 4711_u16.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(peer).to_be() },
        sin_zero: [0; 8],
    }
}

/// SEC_CHANNEL_BINDINGS: a header of 32 bytes, and the application data behind it.
fn packed(bindings: &ChannelBindings) -> Vec<u8> {
    let mut bytes = vec![0; 24];
    bytes.extend(u32::try_from(bindings.application_data.len()).unwrap().to_le_bytes());
    bytes.extend(32_u32.to_le_bytes());
    bytes.extend(&bindings.application_data);
    bytes
}

// Slots of the table.
const ACQUIRE: usize = 2;
const FREE_CREDENTIAL: usize = 3;
const ACCEPT: usize = 6;
const DELETE: usize = 8;
const QUERY: usize = 10;

// Attributes.
const NAMES: usize = 1;
const SESSION_KEY: usize = 9;
const FLAGS: usize = 14;
const CLIENT_SPECIFIED_TARGET: usize = 27;
