//! Attributes of a stream's context, and of Schannel's credentials.

use super::asked;
use super::layout::{
    ApplicationProtocol, Certificates, CipherInfo, ConnectionInfo, ConnectionInfoEx, Counted, KeyingMaterialInfo,
    KeyingMaterialInproc, ProtoInfo, SessionInfo, StreamSizes, Text,
};
use crate::attribute::Place;
use crate::code::Code;
use crate::context::{Context, Open};
use crate::crypt;
use crate::lock::Lock;
use crate::memory;
use crate::text::Charset;
use library::attribute::Attribute;
use library::schannel::Cause;
use library::{Channel, ChannelBindings, Failure, GROUPS, Secret, TlsVersion};
use std::ffi::c_void;

const PROTO_INFO: u32 = 7;
const UNIQUE_BINDINGS: u32 = 25;
const REMOTE_CERT_CONTEXT: u32 = 0x53;
const REMOTE_CERTIFICATES: u32 = 0x5F;
const REMOTE_CERT_CHAIN: u32 = 0x67;
const KEYING_MATERIAL_INFO: u32 = 0x6A;
const KEYING_MATERIAL: u32 = 0x6B;
const CONNECTION_INFO_EX: u32 = 0x6E;
const KEYING_MATERIAL_INPROC: u32 = 0x70;

/// CALG_ECDH_EPHEM: every exchange here is one, also that with ML-KEM beside it.
const ECDH_EPHEMERAL: u32 = 0xAE06;
/// SSL_SESSION_RECONNECT.
const RECONNECT: u32 = 1;

/// What is exported next, as SetContextAttributes(KEYING_MATERIAL_INFO) said.
#[derive(Default, Clone)]
pub(crate) struct Export {
    label: Vec<u8>,
    /// In TLS 1.2 no context and an empty one differ.
    context: Option<Vec<u8>>,
    len: usize,
}

/// Attributes that are a stream's alone; `None` for one that other contexts have too.
///
/// # Safety
/// `place` is of the attribute's structure, which is filled in where it is a question.
pub(crate) unsafe fn query<C: Charset>(open: &Open, attribute: u32, place: &Place) -> Option<Result<Code, Code>> {
    let channel = open.facts.channel.as_deref()?;
    let has_peer = !channel.peer_certificates.is_empty();
    // SAFETY: as the caller says.
    unsafe {
        Some(match attribute {
            PROTO_INFO => proto_info::<C>(channel, place),
            UNIQUE_BINDINGS if channel.version == TlsVersion::Tls12 => Err(Failure::from(Cause::TlsUnique).into()),
            UNIQUE_BINDINGS => place.fits::<Counted>().and_then(|()| {
                let bound = exporting(open, || channel.exporter_bindings())?;
                bindings(&bound, place)
            }),
            KEYING_MATERIAL => keying_material(open, channel, place),
            KEYING_MATERIAL_INPROC => keying_material_inproc(open, channel, place),
            REMOTE_CERT_CONTEXT | REMOTE_CERTIFICATES | REMOTE_CERT_CHAIN if !has_peer => Err(Code::NO_CREDENTIALS),
            _ => return None,
        })
    }
}

/// What the library's table says of a stream.
///
/// # Safety
/// As [`query`].
pub(crate) unsafe fn put(value: &Attribute<'_>, attribute: u32, acceptor: bool, place: &Place) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    unsafe {
        match value {
            Attribute::StreamSizes(sizes) => place.put(StreamSizes {
                cbHeader: sizes.header,
                cbTrailer: sizes.trailer,
                cbMaximumMessage: sizes.max_message,
                cBuffers: sizes.buffers,
                cbBlockSize: sizes.block_size,
            }),
            Attribute::Bindings(of) => bindings(of, place),
            Attribute::ApplicationProtocol(name) => place.put(application_protocol(*name)),
            Attribute::Certificates(chain) if attribute == REMOTE_CERTIFICATES => certificates(chain, place),
            Attribute::Certificates(chain) => {
                place.fits::<*const c_void>()?;
                place.put(crypt::make(chain)?)
            }
            Attribute::ConnectionInfo(channel) if attribute == CONNECTION_INFO_EX => {
                place.put(connection_info_ex(channel, acceptor))
            }
            Attribute::ConnectionInfo(channel) => place.put(connection_info(channel, acceptor)),
            Attribute::SessionInfo(channel) => place.put(session_info(channel)),
            Attribute::CipherInfo(channel) => place.put(cipher_info(channel)),
            // An attribute that is newer than this table.
            _ => Err(Code::UNSUPPORTED_FUNCTION),
        }
    }
}

/// SetContextAttributes of a stream; `None` for what is another package's.
///
/// # Safety
/// As [`query`]; the structure's pointers hold.
pub(crate) unsafe fn set(
    context: &Context,
    attribute: u32,
    value: *const c_void,
    len: u32,
) -> Option<Result<Code, Code>> {
    if !context.is_stream() || attribute != KEYING_MATERIAL_INFO {
        return None;
    }
    if value.is_null() || (len as usize) < size_of::<KeyingMaterialInfo>() {
        return Some(Err(Code::INVALID_PARAMETER));
    }
    // SAFETY: as the caller says.
    let export = unsafe { Export::read(&value.cast::<KeyingMaterialInfo>().read_unaligned()) };
    Some(export.and_then(|export| {
        let open = context.open()?;
        export.check(open.facts.channel.as_deref().ok_or(Code::INTERNAL_ERROR)?)?;
        *open.halves()?.export.lock() = export;
        Ok(Code::OK)
    }))
}

impl Export {
    /// # Safety
    /// Label and context are as long as they say.
    unsafe fn read(info: &KeyingMaterialInfo) -> Result<Self, Code> {
        let (label, context) = (usize::from(info.cbLabel), usize::from(info.cbContextValue));
        let missing = |at: *const u8, len: usize| at.is_null() && len > 0;
        let len = info.cbKeyingMaterial as usize;
        if missing(info.pszLabel, label) || missing(info.pbContextValue, context) || !(1..=LONGEST).contains(&len) {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: as the caller says.
        let bytes = |at: *const u8, len| unsafe { std::slice::from_raw_parts(at, len) };
        // Its end mark is counted, and no part of it.
        let label = if label == 0 { &[][..] } else { bytes(info.pszLabel, label) };
        let label = label.strip_suffix(&[0]).unwrap_or(label);
        if label.is_empty() || !label.is_ascii() || label.contains(&0) {
            return Err(Code::INVALID_PARAMETER);
        }
        let context = (!info.pbContextValue.is_null()).then(|| bytes(info.pbContextValue, context).to_vec());
        Ok(Self { label: label.to_vec(), context, len })
    }

    /// Refuses what the protocol has no bytes for: of one label TLS 1.3 gives 255 hashes (RFC 5869).
    fn check(&self, channel: &Channel) -> Result<(), Code> {
        let most = match channel.version {
            TlsVersion::Tls13 => 255 * channel.suite.hash_bits as usize / 8,
            _ => LONGEST,
        };
        if self.len > most { Err(Code::INVALID_PARAMETER) } else { Ok(()) }
    }

    fn run(&self, open: &Open, channel: &Channel) -> Result<Secret<Vec<u8>>, Code> {
        let mut made = Secret::new(vec![0; self.len]);
        exporting(open, || channel.keying_material(&self.label, self.context.as_deref(), made.expose_mut()))?;
        Ok(made)
    }
}

/// More than anybody needs of one label; TLS 1.2 has no bound of its own.
const LONGEST: usize = 16 << 10;

/// Keys are exported under the sender's lock, so that a fork waits for it: the library's own has no such care.
fn exporting<R>(open: &Open, export: impl FnOnce() -> Result<R, Failure>) -> Result<R, Code> {
    let sealer = open.halves()?.sealer.lock();
    let exported = export();
    drop(sealer);
    Ok(exported?)
}

/// What an export starts from.
pub(crate) type NextExport = Lock<Export>;

/// # Safety
/// As [`query`].
unsafe fn keying_material(open: &Open, channel: &Channel, place: &Place) -> Result<Code, Code> {
    place.fits::<Counted>()?;
    // The same may be asked for again, and by several threads.
    let export = open.halves()?.export.lock().clone();
    if export.len == 0 {
        return Err(Code::OUT_OF_SEQUENCE); // nobody said what
    }
    let given = memory::copy(export.run(open, channel)?.expose())?;
    // SAFETY: as the caller says.
    unsafe { place.put(Counted { count: export.len as u32, at: given }) }
}

/// Question and answer in one structure.
///
/// # Safety
/// As [`query`].
unsafe fn keying_material_inproc(open: &Open, channel: &Channel, place: &Place) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let asked: KeyingMaterialInproc = unsafe { place.get() }?;
    let KeyingMaterialInproc { cbLabel, pszLabel, cbContextValue, pbContextValue, cbKeyingMaterial, .. } = asked;
    let info = KeyingMaterialInfo { cbLabel, pszLabel, cbContextValue, pbContextValue, cbKeyingMaterial };
    // SAFETY: as the caller says.
    let export = unsafe { Export::read(&info) }?;
    export.check(channel)?;
    let made = export.run(open, channel)?;
    let given = memory::copy(made.expose())?;
    // SAFETY: as the caller says.
    unsafe { place.put(KeyingMaterialInproc { pbKeyingMaterial: given, ..asked }) }
}

/// # Safety
/// As [`query`].
unsafe fn proto_info<C: Charset>(channel: &Channel, place: &Place) -> Result<Code, Code> {
    place.fits::<ProtoInfo>()?;
    let (major, minor) = if channel.version == TlsVersion::Tls13 { (1, 3) } else { (1, 2) };
    let info = ProtoInfo { sProtocolName: C::give("TLS")?, majorVersion: major, minorVersion: minor };
    // SAFETY: as the caller says.
    unsafe { place.put(info) }
}

/// SEC_CHANNEL_BINDINGS in memory of ours, as AcceptSecurityContext of another package takes it.
///
/// # Safety
/// As [`query`].
unsafe fn bindings(of: &ChannelBindings, place: &Place) -> Result<Code, Code> {
    place.fits::<Counted>()?;
    // Those of a channel have no addresses.
    let data = &of.application_data;
    let numbers = [0, 0, 0, 0, 0, 0, data.len() as u32, HEADER];
    let blob: Vec<u8> =
        numbers.iter().flat_map(|number: &u32| number.to_le_bytes()).chain(data.iter().copied()).collect();
    let given = memory::copy(&blob)?;
    // SAFETY: as the caller says.
    unsafe { place.put(Counted { count: blob.len() as u32, at: given }) }
}

/// The size of SEC_CHANNEL_BINDINGS.
const HEADER: u32 = 32;

/// Each certificate behind its length (32 bits), the peer's own first.
///
/// # Safety
/// As [`query`].
unsafe fn certificates(chain: &[Vec<u8>], place: &Place) -> Result<Code, Code> {
    place.fits::<Certificates>()?;
    let framed = |der: &Vec<u8>| [&(der.len() as u32).to_le_bytes()[..], der].concat();
    let blob: Vec<u8> = chain.iter().flat_map(framed).collect();
    let given = memory::copy(&blob)?;
    // SAFETY: as the caller says.
    unsafe {
        place.put(Certificates {
            cCertificates: chain.len() as u32,
            cbCertificateChain: blob.len() as u32,
            pbCertificateChain: given,
        })
    }
}

fn application_protocol(name: Option<&[u8]>) -> ApplicationProtocol {
    const SUCCESS: u32 = 1;
    const ALPN: u32 = 2;
    let mut protocol =
        ApplicationProtocol { ProtoNegoStatus: 0, ProtoNegoExt: 0, ProtocolIdSize: 0, ProtocolId: [0; 255] };
    if let Some(name) = name
        && let (Ok(len), Some(room)) = (u8::try_from(name.len()), protocol.ProtocolId.get_mut(..name.len()))
    {
        room.copy_from_slice(name);
        (protocol.ProtoNegoStatus, protocol.ProtoNegoExt, protocol.ProtocolIdSize) = (SUCCESS, ALPN, len);
    }
    protocol
}

fn text(text: &str) -> Text {
    let mut place = [0; 64];
    // The last one stays zero.
    place.iter_mut().take(63).zip(text.encode_utf16()).for_each(|(place, unit)| *place = unit);
    place
}

fn group(channel: &Channel) -> (&'static str, u32) {
    GROUPS.iter().find(|(id, ..)| *id == channel.group).map_or(("", 0), |(_, name, bits)| (name, *bits))
}

fn connection_info(channel: &Channel, acceptor: bool) -> ConnectionInfo {
    let suite = channel.suite;
    ConnectionInfo {
        dwProtocol: asked::bit(channel.version, acceptor),
        aiCipher: suite.cipher_id,
        dwCipherStrength: suite.cipher_bits,
        aiHash: suite.hash_id,
        dwHashStrength: suite.hash_bits,
        aiExch: ECDH_EPHEMERAL,
        dwExchStrength: group(channel).1,
    }
}

fn connection_info_ex(channel: &Channel, acceptor: bool) -> ConnectionInfoEx {
    let (suite, (exchange, strength)) = (channel.suite, group(channel));
    ConnectionInfoEx {
        dwVersion: 1,
        dwProtocol: asked::bit(channel.version, acceptor),
        szCipher: text(suite.cipher),
        dwCipherStrength: suite.cipher_bits,
        szHash: text(suite.hash),
        dwHashStrength: suite.hash_bits,
        szExchange: text(exchange),
        dwExchStrength: strength,
    }
}

fn cipher_info(channel: &Channel) -> CipherInfo {
    let (suite, (_, bits)) = (channel.suite, group(channel));
    CipherInfo {
        dwVersion: 1,
        // By the number in its records, as CNG has it.
        dwProtocol: if channel.version == TlsVersion::Tls13 { 0x0304 } else { 0x0303 },
        dwCipherSuite: u32::from(suite.id),
        dwBaseCipherSuite: u32::from(suite.id),
        szCipherSuite: text(suite.name),
        szCipher: text(suite.cipher),
        dwCipherLen: suite.cipher_bits,
        dwCipherBlockLen: suite.block_len,
        szHash: text(suite.hash),
        dwHashLen: suite.hash_bits,
        szExchange: text("ECDHE"),
        dwMinExchangeLen: bits,
        dwMaxExchangeLen: bits,
        szCertificate: text(suite.certificate),
        dwKeyType: u32::from(channel.group),
    }
}

fn session_info(channel: &Channel) -> SessionInfo {
    let mut id = [0; 32];
    id.iter_mut().zip(&channel.session_id).for_each(|(place, byte)| *place = *byte);
    SessionInfo {
        dwFlags: if channel.resumed { RECONNECT } else { 0 },
        cbSessionId: channel.session_id.len().min(id.len()) as u32,
        rgbSessionId: id,
    }
}
