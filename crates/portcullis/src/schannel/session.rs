//! From a handshake that is through to its context.

use super::accept::Acceptor;
use super::engine::{SessionExporter, Shared, Tickets, drain};
use super::flight::time;
use super::protection::StreamProtection;
use super::{Cause, ClientAuth, Mapping, identity};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::{
    BindingsOutcome, CallCause, Cause as AnyCause, Channel, ChannelBindings, CipherSuite, Claim, Context, ContextFlags,
    Event, Facts, Failure, FindAccount, Question, Refusal, Role, Sizes, StreamSizes, TlsVersion, package,
};
use portcullis_wire::tls::{self, Handshake, MAX_PLAINTEXT, extension};
use portcullis_wire::x509::Certificate;
use rustls::{Connection, HandshakeKind, ProtocolVersion};
use std::sync::Arc;

/// What a hello said that the library keeps to itself.
#[derive(Debug, Default)]
pub(super) struct Hello {
    pub(super) session_id: Vec<u8>,
    pub(super) server_name: Option<String>,
    /// Whether it offers, or takes, the extended master secret (RFC 7627).
    pub(super) extended_master_secret: bool,
}

impl Hello {
    /// Of a client's hello, in fragments without record headers.
    pub(super) fn of_client(fragments: &[u8], server_name: Option<&str>) -> Self {
        let hello = find(fragments, Handshake::CLIENT_HELLO).and_then(|body| tls::Hello::client(body).ok());
        Self { server_name: server_name.map(str::to_owned), ..Self::of(hello) }
    }

    /// Of a server's hello, likewise.
    pub(super) fn of_server(fragments: &[u8], server_name: Option<String>) -> Self {
        let hello = find(fragments, Handshake::SERVER_HELLO).and_then(|body| tls::Hello::server(body).ok());
        Self { server_name, ..Self::of(hello) }
    }

    fn of(hello: Option<tls::Hello<'_>>) -> Self {
        hello.map_or_else(Self::default, |hello| Self {
            session_id: hello.session_id.to_vec(),
            server_name: None,
            extended_master_secret: hello.extension(extension::EXTENDED_MASTER_SECRET).is_some(),
        })
    }
}

/// The body of the handshake's first message, where it is of this kind.
fn find(fragments: &[u8], kind: u8) -> Option<&[u8]> {
    tls::find_handshake(fragments).filter(|message| message.kind == kind).map(|message| message.body)
}

/// Whether a client's hello offers no version that is known here.
pub(super) fn speaks_only_old(fragments: &[u8]) -> bool {
    let hello = find(fragments, Handshake::CLIENT_HELLO).and_then(|body| tls::Hello::client(body).ok());
    hello.is_some_and(|hello| match hello.extension(extension::SUPPORTED_VERSIONS) {
        // A byte of length, then versions of two bytes (RFC 8446 §4.2.1).
        Some([_, versions @ ..]) => !versions.chunks(2).any(|version| matches!(version, [3, 3 | 4])),
        _ => hello.version < TLS_1_2,
    })
}

const TLS_1_2: u16 = 0x0303;

/// What an acceptor knows of a handshake beside the library.
pub(super) struct Through {
    pub(super) acceptor: Arc<Acceptor>,
    pub(super) auth: ClientAuth,
    pub(super) hello: Hello,
    /// The identity that was chosen.
    pub(super) local: usize,
    pub(super) tickets: Tickets,
}

/// An acceptor's handshake is through: who is the client?
pub(super) fn accepted(mut connection: Box<Connection>, through: Through, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let Through { acceptor, auth, hello, local, tickets } = through;
    let mut last = Vec::new();
    drain(&mut connection, &mut last);
    leg.needs_room(last.len())?;
    let peer: Vec<Vec<u8>> =
        connection.peer_certificates().unwrap_or_default().iter().map(|der| der.to_vec()).collect();
    // The library has refused already; a session that somebody else's policy let in must not pass either.
    // Nor one that a later call than the first wanted.
    if auth.max(acceptor.client_auth(&leg.want)) == ClientAuth::Require && peer.is_empty() {
        return Err(Cause::NoClientCertificate.into());
    }
    let identity = acceptor.identities.list.get(local).ok_or(Cause::Internal)?;
    let verified = !peer.is_empty() && !acceptor.settings.danger_host_verifies_clients;
    let may_name_sid = verified && may_name_sid(&connection, &acceptor, leg);
    let end_point = Some(Arc::clone(&identity.end_point));
    let channel = channel(&connection, hello, Arc::clone(&identity.chain), end_point)?;
    let session = Session { connection, channel, last, verified, peer, tickets };
    let Some(own) = session.peer.first().filter(|_| verified && acceptor.settings.mapping != Mapping::Off) else {
        return session.done(Role::Acceptor, Claim::default(), Ok(None), leg);
    };
    let claim = claim(own);
    leg.event(&Event::Claimed { package: package::SCHANNEL.name, version: CERTIFICATE, claim: &claim });
    let question = FindAccount::new(claim, leg.peer, own.clone(), may_name_sid);
    let required = acceptor.settings.mapping == Mapping::Required;
    Ok(Next::Ask(Question::FindAccount(question), Box::new(AwaitVerdict { session, required })))
}

/// An initiator's handshake is through.
pub(super) fn initiated(
    mut connection: Box<Connection>,
    hello: Hello,
    verified: bool,
    local: Arc<Vec<Vec<u8>>>,
    tickets: Tickets,
    leg: &mut Leg<'_>,
) -> Result<Next, Failure> {
    let mut last = Vec::new();
    drain(&mut connection, &mut last);
    leg.needs_room(last.len())?;
    let peer: Vec<Vec<u8>> =
        connection.peer_certificates().unwrap_or_default().iter().map(|der| der.to_vec()).collect();
    let decoded = peer.first().and_then(|own| Some((own, Certificate::decode(own).ok()?)));
    let end_point = decoded.map(|(own, certificate)| Arc::new(identity::end_point(own, &certificate)));
    let channel = channel(&connection, hello, local, end_point)?;
    let session = Session { connection, channel, last, verified, peer, tickets };
    session.done(Role::Initiator, Claim::default(), Ok(None), leg)
}

/// What stands for the form of a proof by certificate.
pub(crate) const CERTIFICATE: &str = "certificate";

/// What a certificate says of its owner: for logs, and nothing else.
fn claim(der: &[u8]) -> Claim {
    let Ok(certificate) = Certificate::decode(der) else { return Claim::default() };
    match certificate.user_principal_name() {
        Ok(Some(name)) => Claim::new(name, "", "", ""),
        _ => Claim::new(&certificate.subject.to_string(), "", "", ""),
    }
}

fn may_name_sid(connection: &Connection, acceptor: &Acceptor, leg: &Leg<'_>) -> bool {
    match (&acceptor.sid_verifier, connection.peer_certificates()) {
        (None, _) => true,
        (Some(verifier), Some([own, above @ ..])) => verifier.verify_client_cert(own, above, time(leg)).is_ok(),
        (Some(_), _) => false,
    }
}

/// Waits for whose certificate it is. What the library has to say last is held back until then.
struct AwaitVerdict {
    session: Session,
    required: bool,
}

impl Step for AwaitVerdict {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::FindAccount(question), answer) = input else {
            return Err(CallCause::WrongInput.into());
        };
        let Self { mut session, required } = *self;
        let found = match answer.into_logon() {
            Ok(logon) => {
                leg.event(&Event::Verified { account: &logon.account });
                Ok(Some(logon.account))
            }
            Err(failure) if required => {
                // The handshake is through for the client: there is no alert that says so any more, only an end.
                leg.out.extend(&session.last);
                session.connection.send_close_notify();
                drain(&mut session.connection, leg.out);
                return Err(failure);
            }
            Err(failure) => match failure.cause {
                AnyCause::Refused(refusal) => Err(refusal),
                _ => return Err(failure),
            },
        };
        session.done(Role::Acceptor, question.claim, found, leg)
    }
}

/// A handshake that is through.
struct Session {
    connection: Box<Connection>,
    channel: Unbound,
    /// What must still be sent.
    last: Vec<u8>,
    verified: bool,
    peer: Vec<Vec<u8>>,
    tickets: Tickets,
}

impl Session {
    fn done(
        self,
        role: Role,
        claim: Claim,
        found: Result<Option<Arc<crate::Account>>, Refusal>,
        leg: &mut Leg<'_>,
    ) -> Result<Next, Failure> {
        let Self { connection, channel, last, verified, peer, tickets } = self;
        let (account, unmapped) = match found {
            Ok(account) => (account, None),
            Err(refusal) => (None, Some(refusal)),
        };
        // The peer is proved where its certificate was verified here, and is somebody's where that was asked.
        let mutual = verified && unmapped.is_none();
        let granted = GRANTED.with(ContextFlags::MUTUAL_AUTH, mutual);
        leg.requires(granted)?;
        let end = peer.first().and_then(|own| Some(Certificate::decode(own).ok()?.not_after));
        let expiry = end.into_iter().chain(account.as_ref().and_then(|account| account.logoff_at)).min();
        let engine = Shared::new(connection, time(leg), tickets, channel.suite);
        let facts = Facts {
            package: &package::SCHANNEL,
            role,
            account,
            claim,
            version: channel.version.name(),
            granted,
            start: leg.now,
            expiry,
            sizes: Sizes {
                max_token: package::SCHANNEL.max_token,
                max_signature: 0,
                block_size: 0,
                security_trailer: 0,
            },
            key_info: Some(channel.key_info()),
            session_key: None,
            bindings: BindingsOutcome::Unchecked,
            bindings_aware: false,
            logon_id: leg.random().map(u64::from_le_bytes)?,
            negotiation: None,
            inner: None,
            channel: Some(Arc::new(channel.bind(&engine, peer, verified, unmapped))),
            ticket: None,
        };
        leg.out.extend(last);
        Ok(Next::Done(Context::new(facts, Box::new(StreamProtection(engine)))))
    }
}

/// What every channel has. Confidentiality and integrity are not for choice; for the second SSPI has no bit here.
const GRANTED: ContextFlags = ContextFlags(
    ContextFlags::STREAM.0
        | ContextFlags::CONNECTION.0
        | ContextFlags::CONFIDENTIALITY.0
        | ContextFlags::REPLAY_DETECT.0
        | ContextFlags::SEQUENCE_DETECT.0
        | ContextFlags::EXTENDED_ERROR.0,
);

/// A channel before its keys can be asked for.
struct Unbound {
    version: TlsVersion,
    suite: &'static CipherSuite,
    group: u16,
    application_protocol: Option<Vec<u8>>,
    resumed: bool,
    hello: Hello,
    local: Arc<Vec<Vec<u8>>>,
    end_point: Option<Arc<ChannelBindings>>,
}

fn channel(
    connection: &Connection,
    hello: Hello,
    local: Arc<Vec<Vec<u8>>>,
    end_point: Option<Arc<ChannelBindings>>,
) -> Result<Unbound, Failure> {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
        Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
        _ => return Err(Cause::Internal.into()),
    };
    let suite = connection.negotiated_cipher_suite().map(|suite| u16::from(suite.suite()));
    Ok(Unbound {
        version,
        suite: suite.and_then(CipherSuite::of).ok_or(Cause::Internal)?,
        group: connection.negotiated_key_exchange_group().map_or(0, |group| u16::from(group.name())),
        application_protocol: connection.alpn_protocol().map(<[u8]>::to_vec),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        hello,
        local,
        end_point,
    })
}

impl Unbound {
    fn bind(self, engine: &Shared, peer: Vec<Vec<u8>>, verified: bool, unmapped: Option<Refusal>) -> Channel {
        let Self { version, suite, group, application_protocol, resumed, hello, local, end_point } = self;
        let is_bound = version == TlsVersion::Tls13 || hello.extended_master_secret;
        Channel {
            version,
            suite,
            group,
            application_protocol,
            server_name: hello.server_name,
            resumed,
            session_id: hello.session_id,
            peer_certificates: peer,
            verified,
            local_certificates: local,
            sizes: StreamSizes {
                header: suite.record_header,
                trailer: suite.record_trailer,
                max_message: MAX_PLAINTEXT as u32,
                buffers: 4,
                block_size: suite.block_len.max(1),
            },
            unmapped,
            end_point,
            exporter: Arc::new(SessionExporter { engine: engine.clone(), is_bound }),
        }
    }

    fn key_info(&self) -> crate::KeyInfo {
        crate::KeyInfo {
            signature_algorithm: self.suite.hash,
            encrypt_algorithm: self.suite.cipher,
            key_bits: self.suite.cipher_bits,
            signature_id: self.suite.hash_id as i32,
            encrypt_id: self.suite.cipher_id,
        }
    }
}
