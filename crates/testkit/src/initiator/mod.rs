//! An NTLM client that does what it is told, wrong things too.

mod layout;
mod lm;

pub use layout::{Layout, Slot};
pub use lm::lmowf_v1;

use crate::session::Session;
use layout::Fields;
use md5::{Digest, Md5};
use portcullis::ChannelBindings;
use portcullis::ntlm::keys::{self, Key};
use portcullis_wire::ntlm::{AvFlags, AvId, Challenge, Flags, MIC_OFFSET, Negotiate, Version, push_av_pair};
use portcullis_wire::utf16;

/// The version that the initiator shows.
pub const VERSION: Version = Version { major: 10, minor: 0, build: 17763, revision: 15 };

/// An NTLM client, every part of whose behaviour is a field. [`Initiator::new`] is a good one, as Windows behaves.
#[derive(Debug, Clone)]
pub struct Initiator {
    /// UserName as it is sent.
    pub user: String,
    /// DomainName as it is sent.
    pub domain: String,
    /// Workstation as it is sent.
    pub workstation: String,
    /// The password that the responses are made from.
    pub password: String,
    /// The user and domain that are hashed, where they are not those that are sent.
    pub hashed: Option<(String, String)>,
    /// NegotiateFlags of NEGOTIATE.
    pub asks: Flags,
    /// What NEGOTIATE holds besides the flags.
    pub negotiate: NegotiateForm,
    /// Which responses are made.
    pub responses: Responses,
    /// Whether the NT proof, once made, is spoilt. The keys stay those of the right proof's owner: this is who knows
    /// the secret and does not prove it.
    pub spoils_proof: bool,
    /// The MIC field.
    pub mic: Mic,
    /// MsvAvFlags; `None` leaves the pair out.
    pub av_flags: Option<u32>,
    /// MsvAvChannelBindings.
    pub bindings: Bindings,
    /// MsvAvTargetName; `None` leaves the pair out.
    pub target: Option<String>,
    /// The FILETIME in the blob; `None` copies the server's, or says zero where there is none.
    pub time: Option<u64>,
    /// AV pairs of the CHALLENGE that are not copied.
    pub dropped_pairs: Vec<AvId>,
    /// AV pairs added before the end mark.
    pub added_pairs: Vec<(u16, Vec<u8>)>,
    /// What stands behind the end mark.
    pub blob_tail: Vec<u8>,
    /// Bits that AUTHENTICATE has besides those of the CHALLENGE.
    pub sets: Flags,
    /// Bits that AUTHENTICATE lacks although the CHALLENGE has them.
    pub clears: Flags,
    /// The eight bytes of the client's choice.
    pub client_challenge: [u8; 8],
    /// The session key that is sent where one is exchanged.
    pub random_session_key: [u8; 16],
    /// How AUTHENTICATE is laid out.
    pub layout: Layout,
}

/// What NEGOTIATE holds besides its flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NegotiateForm {
    /// Triples and a version, without names.
    Version,
    /// Triples without version (32 bytes), as curl sends.
    NoVersion,
    /// Signature, type and flags alone (16 bytes).
    Shortest,
    /// Triples, a version, domain and workstation in OEM text.
    Names(Vec<u8>, Vec<u8>),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
}

/// Which responses an initiator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responses {
    /// NTLMv2, and 24 zeros for LM, as Windows answers a server that sent its time.
    V2,
    /// NTLMv2 with an LMv2 response beside it.
    V2WithLmV2,
    /// NTLMv1 in both slots.
    V1,
    /// NTLMv1 with a real LM response.
    V1WithLm,
    /// NTLMv1 with extended session security.
    V1Ess,
    /// The LM response alone.
    LmOnly,
    /// The LMv2 response alone.
    LmV2Only,
    /// None: an anonymous client.
    Anonymous,
    /// None, and the LM response is one zero byte: another anonymous client.
    AnonymousZero,
}

/// The MIC field of AUTHENTICATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mic {
    /// There is no such field.
    NoField,
    /// Zeros.
    Zero,
    /// One bit off.
    Wrong,
    /// As it must be.
    Right,
}

/// MsvAvChannelBindings of an initiator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bindings {
    /// No such pair.
    Absent,
    /// All zero.
    Zero,
    /// The hash of this channel.
    Of(ChannelBindings),
    /// These bytes, whatever their number.
    Raw(Vec<u8>),
}

impl Initiator {
    /// What a present Windows asks for when the program wants to sign and seal.
    pub const WINDOWS: Flags = Flags(0xe208_8237);
    /// What curl 7.88.1 asks for.
    pub const CURL: Flags = Flags(0x0008_8206);

    /// A good client: NTLMv2 with MIC, session keys of 128 bits, signing and sealing.
    pub fn new(user: &str, domain: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            workstation: "COMPUTER".to_owned(),
            password: password.to_owned(),
            hashed: None,
            asks: Self::WINDOWS,
            negotiate: NegotiateForm::Version,
            responses: Responses::V2,
            spoils_proof: false,
            mic: Mic::Right,
            av_flags: Some(AvFlags::MIC),
            bindings: Bindings::Zero,
            target: Some("HTTP/server.domain.example".to_owned()),
            time: None,
            dropped_pairs: Vec::new(),
            added_pairs: Vec::new(),
            blob_tail: vec![0; 4],
            sets: Flags(0),
            clears: Flags(0),
            client_challenge: [0xaa; 8],
            random_session_key: [0x55; 16],
            layout: Layout::default(),
        }
    }

    /// The one account of most tests.
    pub fn user() -> Self {
        Self::new("User", "DOMAIN", "Password")
    }

    /// A client as curl behaves: no MIC, no AV pairs of its own, nothing to sign with.
    pub fn curl_like(self) -> Self {
        Self {
            asks: Self::CURL,
            negotiate: NegotiateForm::NoVersion,
            mic: Mic::NoField,
            av_flags: None,
            bindings: Bindings::Absent,
            target: None,
            ..self
        }
    }

    /// The client without MIC and without a word of it.
    pub fn without_mic(self) -> Self {
        Self { mic: Mic::NoField, av_flags: None, ..self }
    }

    /// The NEGOTIATE message.
    pub fn negotiate(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.negotiate {
            NegotiateForm::Version => Negotiate::encode(
                self.asks,
                None,
                None,
                self.asks.contains(Flags::VERSION).then_some(VERSION),
                &mut out,
            ),
            NegotiateForm::NoVersion => {
                Negotiate::encode(self.asks, None, None, None, &mut out);
                out.truncate(32);
            }
            NegotiateForm::Shortest => {
                Negotiate::encode(self.asks, None, None, None, &mut out);
                out.truncate(16);
            }
            NegotiateForm::Names(domain, workstation) => {
                Negotiate::encode(self.asks, Some(domain), Some(workstation), Some(VERSION), &mut out);
            }
            NegotiateForm::Raw(bytes) => out.clone_from(bytes),
        }
        out
    }

    /// The AUTHENTICATE message and the session as this client then sees it; `None` when the CHALLENGE cannot be read.
    pub fn authenticate(&self, negotiate: &[u8], challenge: &[u8]) -> Option<(Vec<u8>, Session)> {
        let server = Challenge::decode(challenge).ok()?;
        let flags = Flags((server.flags.0 | self.sets.0) & !self.clears.0);
        let Made { lm, nt, base_key } = self.respond(&server)?;

        let v1_ess = (self.responses == Responses::V1Ess).then_some((&server.server_challenge, &self.client_challenge));
        let exchange_key = keys::key_exchange_key(&base_key, v1_ess);
        let exchanges = flags.contains(Flags::KEY_EXCHANGE) && flags.intersects(Flags::SIGN | Flags::SEAL);
        let (key, encrypted) = match exchanges {
            true => {
                (self.random_session_key, keys::exchange(&exchange_key, &self.random_session_key).expose().to_vec())
            }
            false => (*exchange_key.expose(), Vec::new()),
        };
        let anonymous = matches!(self.responses, Responses::Anonymous | Responses::AnonymousZero);
        let text = |text: &str| match flags.contains(Flags::UNICODE) {
            true => utf16::encode(text),
            false => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        };
        let fields = Fields {
            lm,
            nt,
            domain: text(&self.domain),
            user: if anonymous { Vec::new() } else { text(&self.user) },
            workstation: text(&self.workstation),
            key: encrypted,
        };
        let mut message = self.layout.write(&fields, flags, self.mic != Mic::NoField);
        if let Some((before, rest)) = message.split_at_mut_checked(MIC_OFFSET)
            && let Some((field, behind)) = rest.split_first_chunk_mut::<16>()
            && self.mic != Mic::NoField
        {
            let right = keys::mic(&key.into(), &[negotiate, challenge], (before, behind));
            match self.mic {
                Mic::Right => *field = right,
                Mic::Wrong => {
                    *field = right;
                    field[5] ^= 0x10;
                }
                Mic::Zero | Mic::NoField => {}
            }
        }
        // Who asks for neither has no keys; what the server did not grant is not there to use.
        Some((message, Session::client(key, Flags(flags.0 & server.flags.0))))
    }

    fn respond(&self, server: &Challenge<'_>) -> Option<Made> {
        let nt_hash = keys::nt_hash(&self.password);
        let challenge = &server.server_challenge;
        let (user, domain) = self.hashed.as_ref().map_or((&*self.user, &*self.domain), |(user, domain)| (user, domain));
        let v2_key = keys::ntowf_v2(&nt_hash, user, domain);
        let lm_v2 = || [&keys::lm_v2(&v2_key, challenge, &self.client_challenge)[..], &self.client_challenge].concat();
        let v1_key = || keys::session_base_key_v1(&nt_hash);
        let nothing = || Key::new([0; 16]);
        Some(match self.responses {
            Responses::V2 | Responses::V2WithLmV2 => {
                let blob = self.blob(server);
                let mut proof = keys::proof_v2(&v2_key, challenge, &blob);
                if self.spoils_proof {
                    proof[0] ^= 1;
                }
                let base_key = keys::session_base_key_v2(&v2_key, &proof);
                let lm = if self.responses == Responses::V2 { vec![0; 24] } else { lm_v2() };
                Made { lm, nt: [&proof[..], &blob].concat(), base_key }
            }
            Responses::V1 => {
                let nt = self.spoilt(keys::response_v1(&nt_hash, challenge));
                Made { lm: nt.clone(), nt, base_key: v1_key() }
            }
            Responses::V1WithLm => Made {
                lm: keys::response_v1(&lmowf_v1(&self.password), challenge).to_vec(),
                nt: self.spoilt(keys::response_v1(&nt_hash, challenge)),
                base_key: v1_key(),
            },
            Responses::V1Ess => {
                let digest = Md5::new().chain_update(challenge).chain_update(self.client_challenge).finalize();
                let half = digest.first_chunk()?;
                Made {
                    lm: [&self.client_challenge[..], &[0; 16]].concat(),
                    nt: self.spoilt(keys::response_v1(&nt_hash, half)),
                    base_key: v1_key(),
                }
            }
            Responses::LmOnly => Made {
                lm: keys::response_v1(&lmowf_v1(&self.password), challenge).to_vec(),
                nt: Vec::new(),
                base_key: nothing(),
            },
            Responses::LmV2Only => Made { lm: lm_v2(), nt: Vec::new(), base_key: nothing() },
            Responses::Anonymous => Made { lm: Vec::new(), nt: Vec::new(), base_key: nothing() },
            Responses::AnonymousZero => Made { lm: vec![0], nt: Vec::new(), base_key: nothing() },
        })
    }

    fn spoilt(&self, mut response: [u8; 24]) -> Vec<u8> {
        response[0] ^= u8::from(self.spoils_proof);
        response.to_vec()
    }

    /// NTLMv2_CLIENT_CHALLENGE (MS-NLMP 2.2.2.7) over the server's AV pairs and the client's own.
    fn blob(&self, server: &Challenge<'_>) -> Vec<u8> {
        let mut pairs = Vec::new();
        let mut servers_time = 0;
        for pair in server.av_pairs().map_while(Result::ok) {
            if pair.id == AvId::TIMESTAMP {
                servers_time = pair.value.first_chunk().map_or(0, |time| u64::from_le_bytes(*time));
            }
            if !self.dropped_pairs.contains(&pair.id) {
                push_av_pair(&mut pairs, pair.id, pair.value);
            }
        }
        if let Some(flags) = self.av_flags {
            push_av_pair(&mut pairs, AvId::FLAGS, &flags.to_le_bytes());
        }
        match &self.bindings {
            Bindings::Absent => {}
            Bindings::Zero => push_av_pair(&mut pairs, AvId::CHANNEL_BINDINGS, &[0; 16]),
            Bindings::Of(channel) => push_av_pair(&mut pairs, AvId::CHANNEL_BINDINGS, &channel.md5()),
            Bindings::Raw(bytes) => push_av_pair(&mut pairs, AvId::CHANNEL_BINDINGS, bytes),
        }
        if let Some(target) = &self.target {
            push_av_pair(&mut pairs, AvId::TARGET_NAME, &utf16::encode(target));
        }
        for (id, value) in &self.added_pairs {
            push_av_pair(&mut pairs, AvId(*id), value);
        }
        push_av_pair(&mut pairs, AvId::EOL, &[]);

        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend_from_slice(&self.time.unwrap_or(servers_time).to_le_bytes());
        blob.extend_from_slice(&self.client_challenge);
        blob.extend_from_slice(&[0; 4]);
        blob.extend_from_slice(&pairs);
        blob.extend_from_slice(&self.blob_tail);
        blob
    }
}

struct Made {
    lm: Vec<u8>,
    nt: Vec<u8>,
    base_key: Key,
}
