use super::engine::{CallClock, Tickets, drain, during};
use super::flight::{self, Progress, time};
use super::identity::provider;
use super::session::{self, Hello};
use super::sessions::Sessions;
use super::trust::HostVerifies;
use super::{Cause, InitiatorSettings, SettingsError, cause};
use crate::call::Leg;
use crate::credential::{InitiatorPackage, Package, Sealed};
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, Control, Failure, PackageInfo, package};
use portcullis_wire::tls::{self, ContentType, RecordHeader, Split};
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, HandshakeKind};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A client's side of TLS, to be made into a [`crate::Credential`].
pub struct Initiator {
    settings: InitiatorSettings,
    verifier: Arc<dyn ServerCertVerifier>,
    config: Arc<ClientConfig>,
}

impl Initiator {
    /// An initiator that behaves so.
    ///
    /// # Errors
    /// When what the settings name cannot be read, or nobody is trusted.
    pub fn new(settings: InitiatorSettings) -> Result<Self, SettingsError> {
        super::check_protocols(&settings.application_protocols)?;
        let verifier: Arc<dyn ServerCertVerifier> = match &settings.servers {
            _ if settings.danger_host_verifies => Arc::new(HostVerifies { mandatory: true }),
            Some(trust) => trust.server_verifier()?,
            None => return Err(SettingsError::NoRoots),
        };
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(CallClock))
            .with_protocol_versions(&super::versions(&settings.versions))
            .map_err(|_| SettingsError::Unusable)?
            // It is as strict as the settings are: who hands the verifying to the host says so in their name.
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier));
        let mut config = match &settings.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity.key.clone())))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = settings.application_protocols.clone();
        config.resumption = match settings.resumes {
            true => Resumption::store(Arc::new(Sessions::new())),
            false => Resumption::disabled(),
        };
        Ok(Self { settings, verifier, config: Arc::new(config) })
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("settings", &self.settings).finish()
    }
}

impl InitiatorPackage for Initiator {}

impl Sealed for Initiator {
    fn into_package(self) -> Arc<dyn Package> {
        Arc::new(self)
    }
}

impl Package for Initiator {
    fn info(&self) -> &'static PackageInfo {
        &package::SCHANNEL
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(AwaitStart { initiator: self, tickets: Tickets::USED })
    }
}

/// Waits for the empty token.
struct AwaitStart {
    initiator: Arc<Initiator>,
    tickets: Tickets,
}

impl Step for AwaitStart {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        match input {
            Input::Token([]) => {}
            // The client speaks first: what came before was never protected (CVE-2011-0411).
            Input::Token(_) => return Err(Cause::Violation.into()),
            Input::Answer(..) => return Err(CallCause::WrongInput.into()),
        }
        let (name, sent) = server_name(leg.target)?;
        let mut config = Arc::clone(&self.initiator.config);
        if let Some(protocols) = leg.application_protocols {
            super::check_protocols(protocols).map_err(|_| Cause::NoCommonProtocol)?;
            let mut own = ClientConfig::clone(&config);
            own.alpn_protocols = protocols.to_vec();
            config = Arc::new(own);
        }
        let server = name.clone();
        let connection = during(time(leg), self.tickets, || ClientConnection::new(config, name));
        let flight = AwaitFlight {
            connection: connection.map_err(|error| cause::of(&error))?.into(),
            initiator: self.initiator,
            tickets: self.tickets,
            server,
            name: sent,
            heard: Some(Vec::new()),
            hello: Hello::default(),
        };
        flight.speak(leg)
    }

    fn control(&mut self, control: Control) -> Result<(), Failure> {
        self.tickets.control(control)
    }
}

/// The server's name, and as it is sent (SNI). A target may be an SPN or have a port.
fn server_name(target: Option<&str>) -> Result<(ServerName<'static>, Option<String>), Failure> {
    // Who names nobody sends no name, and has its own way to verify.
    let Some(target) = target.filter(|target| !target.is_empty()) else {
        return Ok((ServerName::from(IpAddr::from([0, 0, 0, 0])), None));
    };
    let host = target.rsplit_once('/').map_or(target, |(_, host)| host);
    let bare = host.trim_start_matches('[').split(']').next().unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((ServerName::from(address), None));
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.').to_owned();
    match host.parse::<IpAddr>() {
        Ok(address) => Ok((ServerName::from(address), None)),
        Err(_) => {
            let name = ServerName::try_from(host.clone()).map_err(|_| Cause::BadTarget)?;
            Ok((name, Some(host)))
        }
    }
}

/// Waits for the server's next flight.
struct AwaitFlight {
    connection: Connection,
    initiator: Arc<Initiator>,
    tickets: Tickets,
    server: ServerName<'static>,
    name: Option<String>,
    /// The fragments in the clear so far, until the server's hello is among them.
    heard: Option<Vec<u8>>,
    hello: Hello,
}

/// The server's hello is not looked for beyond so many bytes.
const HELLO: usize = 4 << 10;

impl Step for AwaitFlight {
    fn step(mut self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(bytes) = input else { return Err(CallCause::WrongInput.into()) };
        let progress = flight::take(&mut self.connection, bytes, self.tickets, leg)?;
        let taken = bytes.len().saturating_sub(leg.left);
        self.listen(bytes.get(..taken).unwrap_or_default());
        match progress {
            Progress::Incomplete(missing) => Ok(Next::Incomplete(missing, self)),
            Progress::Wanting => Ok(Next::Token(self)),
            Progress::Turn if self.connection.is_handshaking() => self.speak(leg),
            Progress::Turn => {
                self.still_holds(leg)?;
                let Self { connection, initiator, tickets, hello, .. } = *self;
                let verified = !initiator.settings.danger_host_verifies;
                let local = initiator.settings.identity.as_ref().map(|identity| Arc::clone(&identity.chain));
                session::initiated(Box::new(connection), hello, verified, local.unwrap_or_default(), tickets, leg)
            }
        }
    }

    fn control(&mut self, control: Control) -> Result<(), Failure> {
        self.tickets.control(control)
    }
}

impl AwaitFlight {
    fn speak(mut self, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let before = leg.out.len();
        drain(&mut self.connection, leg.out);
        if leg.needs_room(leg.out.len().saturating_sub(before)).is_err() {
            leg.out.truncate(before);
            return Err(CallCause::NoRoom.into());
        }
        Ok(Next::Token(Box::new(self)))
    }

    /// The certificate of a session that was resumed may have expired since.
    fn still_holds(&self, leg: &Leg<'_>) -> Result<(), Failure> {
        if self.connection.handshake_kind() != Some(HandshakeKind::Resumed) {
            return Ok(());
        }
        let chain = self.connection.peer_certificates().unwrap_or_default();
        let (own, above) = chain.split_first().ok_or(Cause::Internal)?;
        let verified = self.initiator.verifier.verify_server_cert(own, above, &self.server, &[], time(leg));
        verified.map(drop).map_err(|error| cause::of(&error))
    }

    /// Reads along as long as the server speaks in the clear.
    fn listen(&mut self, mut records: &[u8]) {
        let Some(mut heard) = self.heard.take() else { return };
        while let Ok(Split::Whole(header, record)) = tls::first(records) {
            records = records.get(record.len()..).unwrap_or_default();
            if header.content == ContentType::HANDSHAKE {
                heard.extend(record.get(RecordHeader::LEN..).unwrap_or_default());
            }
            if tls::find_handshake(&heard).is_some() {
                self.hello = Hello::of_server(&heard, self.name.take());
                // A request to try once more is not the last hello, and says nothing that is wanted here.
                return;
            }
            if heard.len() > HELLO {
                return;
            }
        }
        self.heard = Some(heard);
    }
}
