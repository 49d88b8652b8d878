use super::engine::{self, CallClock, Tickets, drain, during};
use super::flight::{self, Progress, time};
use super::identity::{Resolver, provider};
use super::records::{self, Front};
use super::session::{self, Hello, Through};
use super::tickets::Ticketer;
use super::trust::HostVerifies;
use super::{AcceptorSettings, Cause, ClientAuth, Identities, SettingsError, Trust, cause};
use crate::call::Leg;
use crate::credential::{AcceptorPackage, Package, Sealed};
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, ContextFlags, Control, Failure, PackageInfo, Wants, package};
use aws_lc_rs::digest;
use portcullis_wire::tls::{ContentType, RecordHeader};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{Accepted, Acceptor as HelloReader, NoServerSessionStorage};
use rustls::{Connection, ServerConfig, ServerConnection};
use std::fmt;
use std::sync::Arc;

/// A server's side of TLS, to be made into a [`crate::Credential`].
pub struct Acceptor {
    pub(super) settings: AcceptorSettings,
    pub(super) identities: Arc<Identities>,
    none: Arc<ServerConfig>,
    /// For [`ClientAuth::Request`] and [`ClientAuth::Require`].
    asking: Option<[Asking; 2]>,
    pub(super) sid_verifier: Option<Arc<dyn ClientCertVerifier>>,
}

#[derive(Clone)]
struct Asking {
    config: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Acceptor {
    /// An acceptor that is these identities.
    ///
    /// # Errors
    /// When what the settings name cannot be read, or does not make sense together.
    pub fn new(identities: Identities, settings: AcceptorSettings) -> Result<Self, SettingsError> {
        super::check_protocols(&settings.application_protocols)?;
        let identities = Arc::new(identities);
        let config = |auth: ClientAuth, verifier: Option<Arc<dyn ClientCertVerifier>>| {
            config(&settings, &identities, auth, verifier).map(Arc::new)
        };
        let asking = |auth: ClientAuth| -> Result<Option<Asking>, SettingsError> {
            let mandatory = auth == ClientAuth::Require;
            let verifier: Arc<dyn ClientCertVerifier> = match &settings.clients {
                _ if settings.danger_host_verifies_clients => Arc::new(HostVerifies { mandatory }),
                Some(trust) => trust.client_verifier(mandatory)?,
                None => return Ok(None),
            };
            Ok(Some(Asking { config: config(auth, Some(Arc::clone(&verifier)))?, verifier }))
        };
        let none = config(ClientAuth::None, None)?;
        let asking = match (asking(ClientAuth::Request)?, asking(ClientAuth::Require)?) {
            (Some(request), Some(require)) => Some([request, require]),
            _ => None,
        };
        let sid_verifier = settings.clients.as_ref().map_or(Ok(None), Trust::sid_verifier)?;
        Ok(Self { settings, identities, none, asking, sid_verifier })
    }

    /// Who this server is.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// How this server behaves.
    pub fn settings(&self) -> &AcceptorSettings {
        &self.settings
    }

    /// Whether the client of a call is asked for its certificate.
    pub(super) fn client_auth(&self, want: &Wants) -> ClientAuth {
        let flagged = match want.all().contains(ContextFlags::MUTUAL_AUTH) {
            true if self.settings.danger_mutual_auth_only_asks => ClientAuth::Request,
            true => ClientAuth::Require,
            false => ClientAuth::None,
        };
        flagged.max(self.settings.client_auth)
    }

    fn asking(&self, auth: ClientAuth) -> Result<Option<&Asking>, Failure> {
        let Some([request, require]) = &self.asking else {
            return if auth == ClientAuth::None { Ok(None) } else { Err(Cause::NoClientRoots.into()) };
        };
        Ok(match auth {
            ClientAuth::None => None,
            ClientAuth::Request => Some(request),
            ClientAuth::Require => Some(require),
        })
    }

    /// The configuration of one handshake: with the call's own application protocols, tickets are another policy's.
    fn config(&self, asking: Option<&Asking>, auth: ClientAuth, leg: &Leg<'_>) -> Result<Arc<ServerConfig>, Failure> {
        let config = asking.map_or(&self.none, |asking| &asking.config);
        let Some(protocols) = leg.application_protocols else { return Ok(Arc::clone(config)) };
        super::check_protocols(protocols).map_err(|_| Cause::NoCommonProtocol)?;
        let mut config = ServerConfig::clone(config);
        config.alpn_protocols = protocols.to_vec();
        if let Some(keys) = &self.settings.tickets {
            let scope = scope(&self.settings, &self.identities, auth, protocols);
            config.ticketer = Arc::new(Ticketer::new(keys.clone(), scope));
        }
        Ok(Arc::new(config))
    }
}

fn config(
    settings: &AcceptorSettings,
    identities: &Arc<Identities>,
    auth: ClientAuth,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, SettingsError> {
    let builder = ServerConfig::builder_with_details(provider(), Arc::new(CallClock))
        .with_protocol_versions(&super::versions(&settings.versions))
        .map_err(|_| SettingsError::Unusable)?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Resolver(Arc::clone(identities))));
    config.alpn_protocols = settings.application_protocols.clone();
    // Data before the handshake is through can be replayed: there is none.
    config.max_early_data_size = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    match &settings.tickets {
        Some(keys) => {
            let scope = scope(settings, identities, auth, &settings.application_protocols);
            config.ticketer = Arc::new(Ticketer::new(keys.clone(), scope));
        }
        None => config.send_tls13_tickets = 0,
    }
    Ok(config)
}

/// What a session must have in common with the handshake that resumes it: who the server is, what it asks of clients,
/// whom it believes, and what is spoken above.
fn scope(settings: &AcceptorSettings, identities: &Identities, auth: ClientAuth, protocols: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut put = |bytes: &[u8]| {
        hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    put(package::SCHANNEL.name.as_bytes());
    put(settings.service.as_bytes());
    put(&[auth as u8, settings.mapping as u8, u8::from(settings.danger_host_verifies_clients)]);
    put(&[u8::from(identities.strict_names)]);
    for identity in &identities.list {
        identity.chain.first().into_iter().for_each(|own| put(own));
        identity.names().iter().for_each(|name| put(name.as_bytes()));
    }
    put(b"clients");
    if let (Some(trust), true) = (&settings.clients, auth != ClientAuth::None) {
        trust.roots.iter().for_each(|root| put(root));
        put(&[trust.revocation() as u8, u8::from(trust.end_entity_only)]);
        trust.sid_issuers.iter().flatten().for_each(|issuer| put(issuer));
    }
    put(b"protocols");
    protocols.iter().for_each(|protocol| put(protocol));
    hash.finish().as_ref().try_into().unwrap_or_default()
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("identities", &self.identities).field("settings", &self.settings).finish()
    }
}

impl AcceptorPackage for Acceptor {}

impl Sealed for Acceptor {
    fn into_package(self) -> Arc<dyn Package> {
        Arc::new(self)
    }
}

impl Package for Acceptor {
    fn info(&self) -> &'static PackageInfo {
        &package::SCHANNEL
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(AwaitHello {
            acceptor: self,
            tickets: Tickets::USED,
            reader: HelloReader::default(),
            heard: Vec::new(),
        })
    }
}

/// Waits for the ClientHello, which may come in several records.
struct AwaitHello {
    acceptor: Arc<Acceptor>,
    tickets: Tickets,
    reader: HelloReader,
    /// The fragments so far.
    heard: Vec<u8>,
}

/// The longest ClientHello: real ones stay below 4 KiB, and one with a post-quantum share and a ticket below 8.
const MAX_HELLO: usize = 20 << 10;

impl Step for AwaitHello {
    fn step(mut self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(bytes) = input else { return Err(CallCause::WrongInput.into()) };
        if leg.want.all().contains(ContextFlags::DELEGATE) {
            return Err(Cause::Flag.into());
        }
        let mut rest = bytes;
        let accepted = loop {
            leg.left = rest.len();
            let front = match self.heard.is_empty() {
                true => records::first_of_all(rest, leg.out)?,
                false => records::first(rest).inspect_err(|failure| leg.out.extend(records::alert_of(failure)))?,
            };
            let (header, record) = match front {
                Front::Whole(header, record) => (header, record),
                Front::Partial { missing } if rest.len() == bytes.len() => return Ok(Next::Incomplete(missing, self)),
                Front::Partial { .. } => return Ok(Next::Token(self)),
            };
            let fragment = record.get(RecordHeader::LEN..).unwrap_or_default();
            if self.heard.len() + fragment.len() > MAX_HELLO {
                let failure = Failure::from(Cause::TooLarge);
                leg.out.extend(records::alert_of(&failure));
                return Err(failure);
            }
            self.heard.extend(fragment);
            rest = rest.get(record.len()..).unwrap_or_default();
            let before = leg.out.len();
            match hear(&mut self.reader, record, leg) {
                Ok(Some(accepted)) => break accepted,
                Ok(None) => {}
                // The library looks at the version after much else that such a client lacks too.
                Err(_) if session::speaks_only_old(&self.heard) => {
                    leg.out.truncate(before);
                    leg.out.extend(records::refusal_of(Cause::Version));
                    return Err(Cause::Version.into());
                }
                Err(failure) => {
                    // The library is silent about what is no hello. An alert is not answered by another.
                    if leg.out.len() == before && header.content != ContentType::ALERT {
                        leg.out.extend(records::alert_of(&failure));
                    }
                    return Err(failure);
                }
            }
        };
        leg.left = rest.len();
        self.greet(accepted, rest, leg)
    }

    fn control(&mut self, control: Control) -> Result<(), Failure> {
        self.tickets.control(control)
    }
}

/// Gives the hello's reader one record.
fn hear(reader: &mut HelloReader, record: &[u8], leg: &mut Leg<'_>) -> Result<Option<Accepted>, Failure> {
    let heard = during(time(leg), Tickets::USED, || {
        records::feed(record, |rest| reader.read_tls(rest)).map_err(|error| (error, None))?;
        reader.accept().map_err(|(error, alert)| (error, Some(alert)))
    });
    heard.map_err(|(error, alert)| {
        // It writes to memory.
        let _ = alert.map(|mut alert| alert.write_all(leg.out));
        cause::of(&error)
    })
}

impl AwaitHello {
    /// Answers the hello.
    fn greet(self: Box<Self>, accepted: Accepted, rest: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let auth = self.acceptor.client_auth(&leg.want);
        let asking = self.acceptor.asking(auth)?;
        let config = self.acceptor.config(asking, auth, leg)?;
        let said = accepted.client_hello();
        let choice = self.acceptor.identities.choose(said.server_name(), said.signature_schemes());
        let hello = Hello::of_client(&self.heard, said.server_name());
        let (before, _) = (leg.out.len(), engine::chosen());
        let mut connection = match self.begin(accepted, &config, self.tickets, leg) {
            Ok(connection) => connection,
            // The library does not say why it has no certificate: none has the name, or none can sign what the client
            // verifies, or that goes with the client's suites.
            Err(failure) if failure == Cause::Internal.into() && engine::chosen().is_none() => {
                let cause = choice.err().unwrap_or(Cause::NoCommonSuite);
                leg.out.truncate(before);
                leg.out.extend(records::refusal_of(cause));
                return Err(cause.into());
            }
            Err(failure) => return Err(failure),
        };
        if let Some(asking) = asking
            && !still_holds(&connection, asking, leg)
        {
            connection = self.begin_anew(&config, leg)?;
        }
        let local = engine::chosen().ok_or(Cause::NoCertificate)?;
        // A second hello (RFC 8446 §4.1.2) resumes nothing: its session's certificate would be judged by nobody.
        let tickets = Tickets { taken: false, ..self.tickets };
        let flight = Box::new(AwaitFlight {
            connection: Box::new(Connection::Server(connection)),
            through: Through { acceptor: self.acceptor, auth, hello, local, tickets },
        });
        if flight.connection.wants_write() { flight.speak(leg) } else { flight.advance(rest, leg) }
    }

    fn begin(
        &self,
        accepted: Accepted,
        config: &Arc<ServerConfig>,
        tickets: Tickets,
        leg: &mut Leg<'_>,
    ) -> Result<ServerConnection, Failure> {
        let begun = during(time(leg), tickets, || accepted.into_connection(Arc::clone(config)));
        begun.map_err(|(error, mut alert)| {
            let _ = alert.write_all(leg.out);
            cause::of(&error)
        })
    }

    /// The same hello once more, as if it had brought no ticket: nothing was sent yet.
    fn begin_anew(&self, config: &Arc<ServerConfig>, leg: &mut Leg<'_>) -> Result<ServerConnection, Failure> {
        let mut reader = HelloReader::default();
        for fragment in self.heard.chunks(portcullis_wire::tls::MAX_PLAINTEXT) {
            let len = u16::try_from(fragment.len()).unwrap_or(u16::MAX).to_be_bytes();
            let record = [&[22, 3, 1], &len[..], fragment].concat();
            if let Some(accepted) = hear(&mut reader, &record, leg)? {
                let tickets = Tickets { taken: false, ..self.tickets };
                return self.begin(accepted, config, tickets, leg);
            }
        }
        Err(Cause::Internal.into())
    }
}

/// Whether the certificate of a session that is being resumed would be accepted now. It may have expired, or been
/// revoked; a full handshake then tells the client so.
fn still_holds(connection: &ServerConnection, asking: &Asking, leg: &Leg<'_>) -> bool {
    match connection.peer_certificates() {
        Some([own, above @ ..]) => asking.verifier.verify_client_cert(own, above, time(leg)).is_ok(),
        _ => true,
    }
}

/// Waits for the client's next flight.
struct AwaitFlight {
    /// It is large, and goes from state to state.
    connection: Box<Connection>,
    through: Through,
}

impl Step for AwaitFlight {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(bytes) = input else { return Err(CallCause::WrongInput.into()) };
        self.advance(bytes, leg)
    }

    fn control(&mut self, control: Control) -> Result<(), Failure> {
        self.through.tickets.control(control)
    }
}

impl AwaitFlight {
    fn advance(mut self: Box<Self>, bytes: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let _ = engine::chosen();
        let progress = flight::take(&mut self.connection, bytes, self.through.tickets, leg)?;
        // A second hello may ask for what another identity answers.
        self.through.local = engine::chosen().unwrap_or(self.through.local);
        match progress {
            Progress::Incomplete(missing) => Ok(Next::Incomplete(missing, self)),
            Progress::Wanting => Ok(Next::Token(self)),
            Progress::Turn if self.connection.is_handshaking() => self.speak(leg),
            Progress::Turn => session::accepted(self.connection, self.through, leg),
        }
    }

    fn speak(mut self: Box<Self>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let before = leg.out.len();
        drain(&mut self.connection, leg.out);
        let room = leg.out.len().saturating_sub(before);
        if leg.needs_room(room).is_err() {
            leg.out.truncate(before);
            return Err(CallCause::NoRoom.into());
        }
        Ok(Next::Token(self))
    }
}
