//! Certificates made in the process, and a client of TLS that is not the library's own initiator.

use portcullis::schannel::{AcceptorSettings, Identities, Identity, Trust};
use portcullis::{
    Answer, Authority, Call, Context, Control, Credential, Failure, Handshake, Inbound, NeedsToken, NoRandomness,
    Question, Record, Refusal, Segment, Wants, schannel,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A certification authority.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, in DER.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key, as PKCS#8.
    pub key: Vec<u8>,
}

impl Ca {
    /// An authority with this name.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Its certificate in DER.
    pub fn certificate(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// A server's certificate for these names.
    pub fn server(&self, names: &[&str]) -> Leaf {
        self.issue(names[0], names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// A client's certificate, with the serial number `serial`.
    pub fn client(&self, name: &str, serial: u64) -> Leaf {
        self.issue(name, &[], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            params.serial_number = Some(SerialNumber::from(serial));
        })
    }

    /// A certificate to taste.
    pub fn issue(&self, name: &str, dns: &[&str], edit: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let dns: Vec<_> = dns.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(dns).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        edit(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate: certificate.der().to_vec(), key: key.serialize_der() }
    }

    /// A revocation list that names these serial numbers, good from `from` for so long.
    pub fn revokes(&self, serials: &[u64], from: SystemTime, length: Duration) -> Vec<u8> {
        let revoked = serials.iter().map(|&serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: from.into(),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: from.into(),
            next_update: (from + length).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer: &Issuer<'_, KeyPair> = &self.issuer;
        params.signed_by(issuer).unwrap().der().to_vec()
    }

    /// What believes this authority.
    pub fn trust(&self) -> Trust {
        Trust { roots: vec![self.certificate()], ..Trust::default() }
    }
}

impl Leaf {
    /// As the library takes it.
    pub fn identity(&self) -> Identity {
        Identity::from_der(vec![self.certificate.clone()], &self.key).unwrap()
    }

    /// A server that is this and behaves so.
    pub fn acceptor(&self, settings: AcceptorSettings) -> Credential {
        Credential::acceptor(schannel::Acceptor::new(Identities::new(self.identity()), settings).unwrap())
    }
}

/// A client's configuration with rustls: it believes `ca`, and has a certificate or none.
pub fn client(ca: &Ca, leaf: Option<&Leaf>, edit: impl FnOnce(&mut ClientConfig)) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ca.certificate())).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match leaf {
        Some(leaf) => {
            let key = PrivateKeyDer::try_from(leaf.key.clone()).unwrap();
            builder.with_client_auth_cert(vec![CertificateDer::from(leaf.certificate.clone())], key).unwrap()
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

/// A server of a stream: its handshake, and what was sent to it and not used yet.
pub struct Server<'a> {
    authority: &'a dyn Authority,
    /// The time of its calls.
    pub now: SystemTime,
    /// What its calls want.
    pub want: Wants,
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
            let mut random = |bytes: &mut [u8]| -> Result<(), NoRandomness> { Ok(bytes.fill(7)) };
            let mut events = ();
            let mut call = Call::new(self.now, &mut random, &mut events, &mut self.out);
            call.want = self.want;
            let mut at = waiting.stream(&mut inbound, call);
            if let Ok(Handshake::NeedsAnswer(asking)) = at {
                let call = Call::new(self.now, &mut random, &mut events, &mut self.out);
                at = asking.ask(self.authority, call);
            }
            let used = inbound.used();
            self.pending.drain(..used);
            match at {
                Ok(Handshake::NeedsToken(next)) => self.waiting = Some(next),
                Ok(Handshake::Incomplete { missing, again }) => {
                    assert!(missing > 0 && used == 0);
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

/// Knows no certificate.
pub struct NoAccounts;

impl Authority for NoAccounts {
    fn answer(&self, question: &Question) -> Answer {
        question.refuse(Refusal::UnmappedCertificate)
    }
}
