use crate::protection::{Open, Protection, Seal};
use crate::{Facts, Failure, Negotiation, PackageInfo, Segment};
use std::fmt;
use std::sync::Arc;

/// What both sides share after a handshake: who the client is, and keys for messages.
pub struct Context {
    facts: Arc<Facts>,
    protection: Box<dyn Protection>,
    // Keys are derived when the first message needs them: most servers never sign.
    halves: Option<(Box<dyn Seal>, Box<dyn Open>)>,
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

    /// Signs a message into its token (MakeSignature); gives the token's length in bytes.
    ///
    /// # Errors
    /// `call/bad-buffers` when there is not exactly one token, or it is too short.
    pub fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.halves().0.sign(message)
    }

    /// Seals a message in place and signs it into its token (EncryptMessage); gives the token's length in bytes.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and `call/not-negotiated` where the client did not negotiate sealing.
    pub fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.halves().0.seal(message)
    }

    /// Checks a message against its token (VerifySignature).
    ///
    /// # Errors
    /// `call/bad-signature`, `call/out-of-sequence`, or as [`sign`](Self::sign).
    pub fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.halves().1.verify(message)
    }

    /// Opens a sealed message in place and checks its token (DecryptMessage). After a failure the data is zeroed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and `call/not-negotiated` where the client did not negotiate sealing.
    pub fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.halves().1.unseal(message)
    }

    /// The two halves, for two threads: one seals while the other opens.
    pub fn split(self) -> (Sealer, Opener, Arc<Facts>) {
        let (seal, open) = self.halves.unwrap_or_else(|| self.protection.halves());
        (Sealer(seal), Opener(open), self.facts)
    }

    fn halves(&mut self) -> &mut (Box<dyn Seal>, Box<dyn Open>) {
        self.halves.get_or_insert_with(|| self.protection.halves())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The sending half of a context.
pub struct Sealer(Box<dyn Seal>);

impl Sealer {
    /// As [`Context::sign`].
    ///
    /// # Errors
    /// As [`Context::sign`].
    pub fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.0.sign(message)
    }

    /// As [`Context::seal`].
    ///
    /// # Errors
    /// As [`Context::seal`].
    pub fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.0.seal(message)
    }
}

/// The receiving half of a context.
pub struct Opener(Box<dyn Open>);

impl Opener {
    /// As [`Context::verify`].
    ///
    /// # Errors
    /// As [`Context::verify`].
    pub fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.0.verify(message)
    }

    /// As [`Context::unseal`].
    ///
    /// # Errors
    /// As [`Context::unseal`].
    pub fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        self.0.unseal(message)
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
