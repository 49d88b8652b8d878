use super::{Ca, Leaf, provider, rustls_version, sevens};
use portcullis::{
    Call, Context, Control, Credential, Failure, Handshake, Inbound, NeedsToken, Record, Segment, TlsVersion,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use std::sync::Arc;
use std::time::SystemTime;

/// A client by the library's own initiator: its handshake, and what was sent to it and not used yet.
pub struct Client {
    waiting: Option<NeedsToken>,
    target: Option<String>,
    /// The time of its calls.
    pub now: SystemTime,
    /// The application protocols of its calls, instead of its credential's.
    pub protocols: Option<Vec<Vec<u8>>>,
    /// The context, once there is one.
    pub context: Option<Context>,
    /// What came and was not used.
    pub pending: Vec<u8>,
    /// Why it refused.
    pub failure: Option<Failure>,
}

impl Client {
    /// A client of `target` that begins.
    pub fn new(credential: &Credential, target: &str) -> Self {
        Self {
            waiting: Some(credential.begin()),
            target: Some(target.to_owned()).filter(|target| !target.is_empty()),
            now: SystemTime::now(),
            protocols: None,
            context: None,
            pending: Vec::new(),
            failure: None,
        }
    }

    /// Takes bytes as far as the handshake goes; gives what it says.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(waiting) = self.waiting.take() {
            let mut inbound = Inbound::new(&self.pending);
            let mut random = sevens;
            let mut events = ();
            let mut call = Call::new(self.now, &mut random, &mut events, &mut out);
            call.target = self.target.as_deref();
            call.application_protocols = self.protocols.as_deref();
            let at = waiting.stream(&mut inbound, call);
            let used = inbound.used();
            self.pending.drain(..used);
            match at {
                Ok(Handshake::NeedsToken(next)) => self.waiting = Some(next),
                Ok(Handshake::Incomplete { missing, again }) => {
                    assert!(missing > 0 && used == 0);
                    self.waiting = Some(again);
                    break;
                }
                Ok(Handshake::Established(context)) => self.context = Some(context),
                Ok(other) => panic!("{other:?}"),
                Err(failure) => self.failure = Some(failure),
            }
            if self.pending.is_empty() {
                break;
            }
        }
        out
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

    /// Tells the handshake what has no token.
    pub fn control_early(&mut self, control: Control) -> Result<(), Failure> {
        self.waiting.as_mut().expect("a handshake that waits").control(control)
    }

    /// Seals data into one record.
    pub fn seals(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let sizes = self.context().facts().channel.as_ref().unwrap().sizes;
        let (mut header, mut trailer) = (vec![0; sizes.header as usize], vec![0; sizes.trailer as usize]);
        let mut data = data.to_vec();
        let segments = &mut [Segment::Header(&mut header), Segment::Data(&mut data), Segment::Trailer(&mut trailer)];
        let len = self.context().seal(segments)?;
        trailer.truncate(len);
        Ok([header, data, trailer].concat())
    }

    /// Opens the record at the front of what is pending.
    pub fn receive(&mut self) -> Result<(Record, Vec<u8>), Failure> {
        let mut pending = std::mem::take(&mut self.pending);
        let record = self.context().unseal_record(&mut pending)?;
        let (data, used) = match record {
            Record::Data { start, len, used } => (pending[start..start + len].to_vec(), used),
            Record::WantsResponse { used } | Record::Closed { used } => (Vec::new(), used),
            _ => (Vec::new(), 0),
        };
        self.pending = pending.split_off(used);
        Ok((record, data))
    }
}

/// A server of rustls': its certificate, and whose clients it wants to know.
pub fn server(
    version: TlsVersion,
    leaf: &Leaf,
    clients: Option<&Ca>,
    edit: impl FnOnce(&mut ServerConfig),
) -> Arc<ServerConfig> {
    let provider = Arc::new(provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[rustls_version(version)])
        .unwrap();
    let builder = match clients {
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(ca.certificate())).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::try_from(leaf.key.clone()).unwrap();
    let chain = leaf.chain().into_iter().map(CertificateDer::from).collect();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    edit(&mut config);
    Arc::new(config)
}

/// Lets the library's initiator and rustls' server talk until nobody has anything to say; gives what the server thinks.
///
/// # Errors
/// What the server says to the client's bytes.
pub fn meet_server(client: &mut Client, server: &mut ServerConnection) -> Result<(), rustls::Error> {
    let mut said = client.hear(b"");
    for _ in 0..8 {
        let mut bytes = &said[..];
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets()?;
        }
        let mut reply = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut reply).unwrap();
        }
        if reply.is_empty() {
            break;
        }
        said = client.hear(&reply);
    }
    Ok(())
}
