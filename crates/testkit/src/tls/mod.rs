//! Certificates made in the process, and clients of TLS that are not the library's own initiator: rustls' ([`client`]),
//! one that sends what rustls would not ([`Raw`]), and one that is too old for it ([`Old`]).

mod certificates;
mod judge;
mod old;
mod peer;
mod raw;

pub use certificates::{Ca, Leaf};
pub use judge::{Judge, NoAccounts};
pub use old::Old;
pub use peer::{Client, meet_server, server};
pub use raw::{Raw, hello, plain_alert, record};

use portcullis::{
    Answer, Authority, Call, Channel, Context, Control, Credential, Failure, Handshake, Inbound, NeedsAnswer,
    NeedsToken, NoRandomness, Record, Segment, TlsVersion, Wants,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::SystemTime;

/// Both versions of TLS.
pub const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// A client's configuration with rustls: it believes `ca`, and has a certificate or none.
pub fn client(ca: &Ca, leaf: Option<&Leaf>, edit: impl FnOnce(&mut ClientConfig)) -> Arc<ClientConfig> {
    configured(provider(), rustls::ALL_VERSIONS, ca, leaf, edit)
}

/// A client that speaks one version.
pub fn client_of(
    version: TlsVersion,
    ca: &Ca,
    leaf: Option<&Leaf>,
    edit: impl FnOnce(&mut ClientConfig),
) -> Arc<ClientConfig> {
    configured(provider(), &[rustls_version(version)], ca, leaf, edit)
}

/// A client with other primitives.
pub fn client_with(
    provider: CryptoProvider,
    version: TlsVersion,
    ca: &Ca,
    leaf: Option<&Leaf>,
    edit: impl FnOnce(&mut ClientConfig),
) -> Arc<ClientConfig> {
    configured(provider, &[rustls_version(version)], ca, leaf, edit)
}

/// rustls' primitives.
pub fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

/// What rustls calls a version.
pub fn rustls_version(version: TlsVersion) -> &'static SupportedProtocolVersion {
    match version {
        TlsVersion::Tls12 => &rustls::version::TLS12,
        TlsVersion::Tls13 => &rustls::version::TLS13,
    }
}

fn configured(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    ca: &Ca,
    leaf: Option<&Leaf>,
    edit: impl FnOnce(&mut ClientConfig),
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.certificate())).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match leaf {
        Some(leaf) => {
            let key = PrivateKeyDer::try_from(leaf.key.clone()).unwrap();
            builder.with_client_auth_cert(leaf.chain().into_iter().map(CertificateDer::from).collect(), key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    edit(&mut config);
    Arc::new(config)
}

/// A connection of such a client to `name`.
pub fn connect(config: &Arc<ClientConfig>, name: &str) -> ClientConnection {
    ClientConnection::new(Arc::clone(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap()
}

/// A source of randomness that gives sevens: of a call's, the package makes the logon's number only.
pub fn sevens(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    bytes.fill(7);
    Ok(())
}

/// A server of a stream: its handshake, and what was sent to it and not used yet.
pub struct Server<'a> {
    authority: &'a dyn Authority,
    /// The time of its calls.
    pub now: SystemTime,
    /// What its calls want.
    pub want: Wants,
    /// The application protocols of its calls, instead of its credential's.
    pub protocols: Option<Vec<Vec<u8>>>,
    /// Whether questions stay open, for the test to answer.
    pub parks: bool,
    /// The question that stays open.
    pub asking: Option<NeedsAnswer>,
    /// What the last call that got less than a record said is missing.
    pub missing: usize,
    waiting: Option<NeedsToken>,
    /// The context, once there is one.
    pub context: Option<Context>,
    /// What came and was not used.
    pub pending: Vec<u8>,
    /// What it sent so far, for the client to take.
    pub out: Vec<u8>,
    /// Why it refused.
    pub failure: Option<Failure>,
}

impl<'a> Server<'a> {
    /// A server that begins.
    pub fn new(credential: &Credential, authority: &'a dyn Authority) -> Self {
        Self {
            authority,
            now: SystemTime::now(),
            want: Wants::default(),
            protocols: None,
            parks: false,
            asking: None,
            missing: 0,
            waiting: Some(credential.begin()),
            context: None,
            pending: Vec::new(),
            out: Vec::new(),
            failure: None,
        }
    }

    /// Takes bytes, as far as the handshake goes: afterwards `pending` holds what belongs to the context.
    pub fn hear(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        while let Some(waiting) = self.waiting.take() {
            let mut inbound = Inbound::new(&self.pending);
            let mut random = sevens;
            let mut events = ();
            let mut call = Call::new(self.now, &mut random, &mut events, &mut self.out);
            call.want = self.want;
            call.application_protocols = self.protocols.as_deref();
            let mut at = waiting.stream(&mut inbound, call);
            let used = inbound.used();
            self.pending.drain(..used);
            if let Ok(Handshake::NeedsAnswer(asking)) = at {
                if self.parks {
                    self.asking = Some(asking);
                    return;
                }
                let mut call = Call::new(self.now, &mut random, &mut events, &mut self.out);
                call.want = self.want;
                at = asking.ask(self.authority, call);
            }
            match at {
                Ok(Handshake::NeedsToken(next)) => self.waiting = Some(next),
                Ok(Handshake::Incomplete { missing, again }) => {
                    assert!(missing > 0 && used == 0);
                    self.missing = missing;
                    self.waiting = Some(again);
                    return;
                }
                Ok(Handshake::Established(context)) => self.context = Some(context),
                Ok(other) => panic!("{other:?}"),
                Err(failure) => self.failure = Some(failure),
            }
            if self.pending.is_empty() {
                return;
            }
        }
    }

    /// Goes on with an answer to the question that stays open.
    pub fn answer(&mut self, answer: Answer) {
        let asking = self.asking.take().expect("a question");
        let mut random = sevens;
        let mut events = ();
        match asking.answer(answer, Call::new(self.now, &mut random, &mut events, &mut self.out)) {
            Ok(Handshake::Established(context)) => self.context = Some(context),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// Tells the handshake what has no token.
    pub fn control_early(&mut self, control: Control) -> Result<(), Failure> {
        self.waiting.as_mut().expect("a handshake that waits").control(control)
    }

    /// How it ended: `ok`, `waits`, or the cause's name.
    pub fn ended(&self) -> &'static str {
        match (&self.context, &self.failure) {
            (_, Some(failure)) => failure.cause.name(),
            (Some(_), None) => "ok",
            (None, None) => "waits",
        }
    }

    /// The context.
    pub fn context(&mut self) -> &mut Context {
        self.context.as_mut().unwrap_or_else(|| panic!("{:?}", self.failure))
    }

    /// What the handshake agreed on.
    pub fn channel(&mut self) -> Arc<Channel> {
        self.context().facts().channel.clone().expect("a stream has one")
    }

    /// Seals data into one record, and sends it.
    pub fn send(&mut self, data: &[u8]) -> Result<(), Failure> {
        let sizes = self.context().facts().channel.as_ref().unwrap().sizes;
        let (mut header, mut trailer) = (vec![0; sizes.header as usize], vec![0; sizes.trailer as usize]);
        let mut data = data.to_vec();
        let segments = &mut [Segment::Header(&mut header), Segment::Data(&mut data), Segment::Trailer(&mut trailer)];
        let len = self.context().seal(segments)?;
        trailer.truncate(len);
        self.out.extend([header, data, trailer].concat());
        Ok(())
    }

    /// Opens the record at the front of what is pending; gives its data where it is one of data.
    pub fn receive(&mut self) -> Result<(Record, Vec<u8>), Failure> {
        let mut pending = std::mem::take(&mut self.pending);
        let record = self.context().unseal_record(&mut pending)?;
        let (data, used) = match record {
            Record::Data { start, len, used } => (pending[start..start + len].to_vec(), used),
            Record::WantsResponse { used } | Record::Closed { used } => (Vec::new(), used),
            Record::Incomplete { .. } => (Vec::new(), 0),
            other => panic!("{other:?}"),
        };
        pending.drain(..used);
        self.pending = pending;
        Ok((record, data))
    }

    /// Tells the stream something, and sends what follows from it.
    pub fn control(&mut self, control: Control) -> Result<(), Failure> {
        let mut out = Vec::new();
        let done = self.context().control(control, &mut out);
        self.out.extend(out);
        done
    }
}

/// Everything that the client wants to send now.
pub fn sends(client: &mut ClientConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut out).unwrap();
    }
    out
}

/// Gives the client bytes.
///
/// # Errors
/// What the client says to them.
pub fn hears(client: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), rustls::Error> {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

/// Data that the client has read.
pub fn reads(client: &mut ClientConnection) -> Vec<u8> {
    let mut data = Vec::new();
    // It ends with "would block".
    let _ = client.reader().read_to_end(&mut data);
    data
}

/// Lets both talk until nobody has anything to say; gives what the client thinks of it.
///
/// # Errors
/// As [`hears`].
pub fn handshake(client: &mut ClientConnection, server: &mut Server<'_>) -> Result<(), rustls::Error> {
    for _ in 0..8 {
        let flight = sends(client);
        if flight.is_empty() && server.out.is_empty() {
            break;
        }
        if !flight.is_empty() {
            server.hear(&flight);
        }
        let reply = std::mem::take(&mut server.out);
        hears(client, &reply)?;
    }
    Ok(())
}

/// A record of data of the client's.
pub fn writes(client: &mut ClientConnection, data: &[u8]) -> Vec<u8> {
    client.writer().write_all(data).unwrap();
    sends(client)
}
