use crate::protection::{Halves, Open, Protection, Seal};
use crate::{Control, Facts, Failure, Negotiation, Opened, PackageInfo, Record, Segment};
use std::fmt;
use std::sync::Arc;

/// What both sides share after a handshake: who the client is, and keys for messages.
pub struct Context {
    pub(crate) facts: Arc<Facts>,
    pub(crate) protection: Box<dyn Protection>,
    // Keys are derived when the first message needs them: most servers never sign.
    pub(crate) halves: Option<Halves>,
}

impl Context {
    pub(crate) fn new(facts: Facts, protection: Box<dyn Protection>) -> Self {
        Self { facts: Arc::new(facts), protection, halves: None }
    }

    /// The same context as one of the package around it.
    pub(crate) fn within(self, package: &'static PackageInfo, negotiation: Negotiation) -> Self {
        let facts = Arc::new(self.facts.within(package, negotiation));
        Self { facts, ..self }
    }

    /// The keys, before anything was protected with them.
    pub(crate) fn protection(&mut self) -> &mut dyn Protection {
        self.protection.as_mut()
    }

    /// What the handshake learned.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The same, to be kept beside the context or beyond it.
    pub fn share_facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts)
    }

    /// Signs a message into its token (MakeSignature); gives the token's length in bytes.
    ///
    /// # Errors
    /// `call/bad-buffers` when there is not exactly one token, or it is too short.
    pub fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.halves().0.sign(message)
    }

    /// Seals a message in place and signs it into its token (EncryptMessage); gives the token's length in bytes. Of a
    /// stream that is the trailer's; of no data a stream makes no record, gives zero, and nothing is to be sent.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and `call/not-negotiated` where the client did not negotiate sealing.
    pub fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.halves().0.seal(message)
    }

    /// Signs a message as [`seal`](Self::seal) lays it out, and leaves it readable (EncryptMessage with
    /// SECQOP_WRAP_NO_ENCRYPT); gives the token's length in bytes. The peer's [`unseal`](Self::unseal) opens it, and
    /// says that it was not enciphered. By Kerberos.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and `call/not-negotiated` for a package that has no such messages.
    pub fn seal_plain(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.halves().0.seal_plain(message)
    }

    /// Appends `data` to `out` as one token, `enciphered` or signed only: what `gss_wrap` makes, for SASL and other
    /// protocols that carry such tokens. [`unseal`](Self::unseal) opens one in a [`Segment::Stream`]. By Kerberos.
    ///
    /// # Errors
    /// `call/not-negotiated` for a package that has no such tokens, or where the client did not negotiate sealing and
    /// `enciphered` asks for it.
    pub fn wrap(&mut self, data: &[u8], enciphered: bool, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.halves().0.wrap(data, enciphered, out)
    }

    /// Checks a message against its token (VerifySignature).
    ///
    /// # Errors
    /// `call/bad-signature`, `call/malformed-message`, `call/out-of-sequence`, or as [`sign`](Self::sign).
    pub fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.halves().1.verify(message)
    }

    /// Opens a sealed message in place and checks its token (DecryptMessage); tells whether it was enciphered, which a
    /// peer chooses for each message. After a failure the data is zeroed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and `call/not-negotiated` where the client did not negotiate sealing.
    pub fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        self.halves().1.unseal(message)
    }

    /// Opens the record at the front of a stream in place (DecryptMessage of a stream package): one record a call.
    ///
    /// # Errors
    /// With the cause; the stream is then at its end, and every later call fails alike. What the peer is to be told is
    /// fetched by [`control`](Self::control). `call/not-negotiated` for a context that is no stream.
    pub fn unseal_record(&mut self, stream: &mut [u8]) -> Result<Record, Failure> {
        self.halves().1.unseal_record(stream)
    }

    /// Tells a stream what is no message (ApplyControlToken, and the call of AcceptSecurityContext that follows it);
    /// the token to be sent is appended to `out`.
    ///
    /// # Errors
    /// `call/not-negotiated` for a context that is no stream.
    pub fn control(&mut self, control: Control, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.halves().0.control(control, out)
    }

    /// The two halves, for two threads: one seals while the other opens. [`reunite`](Self::reunite) takes it back.
    pub fn split(self) -> (Sealer, Opener, Arc<Facts>) {
        let Self { facts, protection, halves } = self;
        let (seal, open) = halves.unwrap_or_else(|| protection.halves());
        let sealer = Sealer { half: seal, protection, of: Arc::clone(&facts) };
        (sealer, Opener { half: open, of: Arc::clone(&facts) }, facts)
    }

    /// The context of two halves, where they stand: to be exported, or used as one again.
    ///
    /// # Errors
    /// Gives both back, unchanged, when they are halves of different contexts.
    pub fn reunite(sealer: Sealer, opener: Opener) -> Result<Self, (Sealer, Opener)> {
        // The facts are made anew for each context and shared by its halves alone: they tell contexts apart.
        if !Arc::ptr_eq(&sealer.of, &opener.of) {
            return Err((sealer, opener));
        }
        Ok(Self { facts: opener.of, protection: sealer.protection, halves: Some((sealer.half, opener.half)) })
    }

    fn halves(&mut self) -> &mut Halves {
        self.halves.get_or_insert_with(|| self.protection.halves())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The sending half of a context.
pub struct Sealer {
    half: Box<dyn Seal>,
    /// What both halves came from.
    protection: Box<dyn Protection>,
    /// The facts of the context that this is a half of.
    of: Arc<Facts>,
}

impl Sealer {
    /// As [`Context::sign`].
    ///
    /// # Errors
    /// As [`Context::sign`].
    pub fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.half.sign(message)
    }

    /// As [`Context::seal`].
    ///
    /// # Errors
    /// As [`Context::seal`].
    pub fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.half.seal(message)
    }

    /// As [`Context::seal_plain`].
    ///
    /// # Errors
    /// As [`Context::seal_plain`].
    pub fn seal_plain(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.half.seal_plain(message)
    }

    /// As [`Context::wrap`].
    ///
    /// # Errors
    /// As [`Context::wrap`].
    pub fn wrap(&mut self, data: &[u8], enciphered: bool, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.half.wrap(data, enciphered, out)
    }

    /// As [`Context::control`].
    ///
    /// # Errors
    /// As [`Context::control`].
    pub fn control(&mut self, control: Control, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.half.control(control, out)
    }
}

/// The receiving half of a context.
pub struct Opener {
    half: Box<dyn Open>,
    /// The facts of the context that this is a half of.
    of: Arc<Facts>,
}

impl Opener {
    /// As [`Context::verify`].
    ///
    /// # Errors
    /// As [`Context::verify`].
    pub fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.half.verify(message)
    }

    /// As [`Context::unseal`].
    ///
    /// # Errors
    /// As [`Context::unseal`].
    pub fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        self.half.unseal(message)
    }

    /// As [`Context::unseal_record`].
    ///
    /// # Errors
    /// As [`Context::unseal_record`].
    pub fn unseal_record(&mut self, stream: &mut [u8]) -> Result<Record, Failure> {
        self.half.unseal_record(stream)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}
