//! Contexts for another process on the same machine (ExportSecurityContext, ImportSecurityContext).
//!
//! ```text
//!   magic, version │ nonce │ sealed: keys, where the halves stand, facts │ tag
//!   └── and the package's name: under the seal too
//! ```
//!
//! A context that comes out was put in by someone who has the key: an export is as good as the logon that it came
//! from, and so is the key.

mod body;
mod facts;
#[cfg(test)]
mod tests;
mod ticket;

pub(crate) use body::Body;

use crate::protection;
use crate::{CallCause, Context, Failure, NoRandomness, PackageInfo, Random, Secret};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use portcullis_wire::{Error, Kind, Reader};
use std::sync::Arc;

/// A key of 256 bits that exported contexts are sealed under. The host brings it: it must be unpredictable, and known
/// to nobody but the processes that hand contexts to each other, for whoever has it can make contexts of anybody.
#[derive(Debug)]
pub struct ExportKey(Secret<[u8; 32]>);

impl ExportKey {
    /// The key of these bytes.
    pub const fn new(key: Secret<[u8; 32]>) -> Self {
        Self(key)
    }

    fn seal(&self, package: &PackageInfo, nonce: [u8; NONCE], body: Body) -> Result<Vec<u8>, Failure> {
        let mut text = body.into_bytes();
        if text.expose().len() > MAX_BODY {
            return Err(CallCause::NotExportable.into());
        }
        let sealed = self.cipher().encrypt_in_place(&XNonce::from(nonce), &associated(package.name), text.expose_mut());
        sealed.map_err(|_| CallCause::NotExportable)?;
        Ok([&HEADER[..], &nonce, text.expose()].concat())
    }

    fn open(&self, package: &PackageInfo, blob: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, sealed) = blob.strip_prefix(&HEADER[..])?.split_first_chunk::<NONCE>()?;
        if sealed.len() > MAX_BODY + TAG {
            return None;
        }
        let mut text = Secret::new(sealed.to_vec());
        let nonce = XNonce::from(*nonce);
        self.cipher().decrypt_in_place(&nonce, &associated(package.name), text.expose_mut()).ok()?;
        Some(text)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose().into())
    }
}

impl Context {
    /// The context as bytes, for another process to go on with ([`import`](Self::import)): what the handshake learned,
    /// the keys, and where ciphers and sequence numbers stand. With `reset` the copy begins as right after the
    /// handshake (SECPKG_CONTEXT_EXPORT_RESET_NEW). Nonces come from `random`.
    ///
    /// The context itself is left as it is, and a blob can be imported more than once; only one of all these copies may
    /// go on. Two would send under the same sequence numbers, and NTLM would seal two messages with one keystream, which
    /// gives both away. The same holds of `reset` where the context has sealed before: use it where it has not.
    ///
    /// ```
    /// use portcullis::{Context, ExportKey, Failure, Random, package};
    ///
    /// fn hand_over(context: Context, key: &ExportKey, random: &mut dyn Random) -> Result<Vec<u8>, Failure> {
    ///     context.export(key, random, false) // and the context is gone: the other process goes on
    /// }
    ///
    /// fn take_over(blob: &[u8], key: &ExportKey) -> Result<Context, Failure> {
    ///     Context::import(&package::NTLM, key, blob)
    /// }
    /// ```
    ///
    /// # Errors
    /// `call/not-exportable` where the package's keys cannot leave the process, or the whole is larger than 4 MiB;
    /// `call/no-randomness`.
    pub fn export(&self, key: &ExportKey, random: &mut dyn Random, reset: bool) -> Result<Vec<u8>, Failure> {
        let body = self.body(reset)?;
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce).map_err(|NoRandomness| CallCause::NoRandomness)?;
        key.seal(self.facts.package, nonce, body)
    }

    /// A context of `package` that [`export`](Self::export) made into bytes under the same key.
    ///
    /// # Errors
    /// `call/bad-export` when `blob` is anything else: altered, cut or glued to something, of another key, another
    /// package or another version of this library.
    pub fn import(package: &'static PackageInfo, key: &ExportKey, blob: &[u8]) -> Result<Self, Failure> {
        let body = key.open(package, blob).ok_or(CallCause::BadExport)?;
        let context = Self::read(&mut Reader::new(body.expose())).map_err(|_| CallCause::BadExport)?;
        // The seal says so already; a key's owner may seal anything.
        if context.facts.package.name == package.name { Ok(context) } else { Err(CallCause::BadExport.into()) }
    }

    fn body(&self, reset: bool) -> Result<Body, Failure> {
        let mut body = Body::new();
        self.protection.export(&mut body)?;
        let halves = self.halves.as_ref().filter(|_| !reset);
        body.flag(halves.is_some());
        if let Some((seal, open)) = halves {
            seal.export(&mut body)?;
            open.export(&mut body)?;
        }
        facts::write(&self.facts, &mut body)?;
        Ok(body)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let protection = protection::import(reader)?;
        let halves = match body::flag(reader, "HasHalves")? {
            true => Some(protection.resume(reader)?),
            false => None,
        };
        let facts = Arc::new(facts::read(reader, protection.as_ref())?);
        match reader.rest() {
            [] => Ok(Self { facts, protection, halves }),
            _ => Err(Error::new(reader.offset(), "End", Kind::Unexpected)),
        }
    }
}

/// What the seal covers besides the body.
fn associated(package: &str) -> Vec<u8> {
    [&b"portcullis exported context\0"[..], &HEADER, package.as_bytes()].concat()
}

/// Magic and version. Whatever changes the body's form changes the version.
const HEADER: [u8; 9] = *b"PCULLCTX\x02";

/// XChaCha20's: long enough to be drawn.
const NONCE: usize = 24;

const TAG: usize = 16;

/// A body larger than this is neither written nor read, in bytes: some sixty thousand groups.
const MAX_BODY: usize = 4 * 1024 * 1024;
