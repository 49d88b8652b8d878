//! altSecurityIdentities ([MS-ADA1] 2.62): the texts by which a certificate is mapped to an account, as KB5014754 lists
//! them.

use super::name_text::split_at_mark;
use super::{Certificate, GeneralName, NormalName, NotAName};
use crate::{Error, utf16};
use std::fmt;
use std::str::FromStr;

/// One of the ways in which a certificate can mean an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AltSecurityIdentity {
    /// `X509:<I>issuer<SR>serial`, strong.
    IssuerSerial {
        /// Who issued it.
        issuer: NormalName,
        /// The serial number, the most significant byte first, without zeros before it.
        serial: Vec<u8>,
    },
    /// `X509:<SKI>hex`, strong: the subject's key identifier.
    SubjectKeyIdentifier(Vec<u8>),
    /// `X509:<SHA1-PUKEY>hex`, strong: SHA-1 over the public key, the content of its BIT STRING without the count of
    /// unused bits ([`PublicKey::bits`](super::PublicKey::bits)).
    ///
    /// That these bytes are hashed, which is RFC 5280's method (1) for a key identifier and what Windows calls
    /// `Key Id Hash(rfc-sha1)`, is how Samba's KDC and its tests read KB5014754. It was not tried against a domain
    /// controller of Windows.
    Sha1PublicKey([u8; 20]),
    /// `X509:<I>issuer<S>subject`, weak.
    IssuerSubject {
        /// Who issued it.
        issuer: NormalName,
        /// Whose it is.
        subject: NormalName,
    },
    /// `X509:<S>subject`, weak.
    Subject(NormalName),
    /// `X509:<RFC822>mail`, weak.
    Rfc822(String),
    /// A user principal name, weak. altSecurityIdentities do not hold it; Windows' directories in the cloud write
    /// `X509:<PN>name`.
    Upn(String),
}

/// What kind of identity it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// [`AltSecurityIdentity::IssuerSerial`].
    IssuerSerial,
    /// [`AltSecurityIdentity::SubjectKeyIdentifier`].
    SubjectKeyIdentifier,
    /// [`AltSecurityIdentity::Sha1PublicKey`].
    Sha1PublicKey,
    /// [`AltSecurityIdentity::IssuerSubject`].
    IssuerSubject,
    /// [`AltSecurityIdentity::Subject`].
    Subject,
    /// [`AltSecurityIdentity::Rfc822`].
    Rfc822,
    /// [`AltSecurityIdentity::Upn`].
    Upn,
}

impl Form {
    /// Every form, the strong ones first.
    pub const ALL: [Self; 7] = [
        Self::IssuerSerial,
        Self::SubjectKeyIdentifier,
        Self::Sha1PublicKey,
        Self::IssuerSubject,
        Self::Subject,
        Self::Rfc822,
        Self::Upn,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IssuerSerial => "issuer-serial",
            Self::SubjectKeyIdentifier => "ski",
            Self::Sha1PublicKey => "sha1-public-key",
            Self::IssuerSubject => "issuer-subject",
            Self::Subject => "subject",
            Self::Rfc822 => "rfc822",
            Self::Upn => "upn",
        }
    }

    /// The form of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Whether it names what nobody else comes to have (KB5014754): one certificate, or one key.
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::IssuerSerial | Self::SubjectKeyIdentifier | Self::Sha1PublicKey)
    }
}

impl AltSecurityIdentity {
    /// All identities of a certificate, the strong ones first. `key_hash` is SHA-1 over its
    /// [`PublicKey::bits`](super::PublicKey::bits): nothing is hashed here.
    ///
    /// # Errors
    /// Where an extension that would give one is malformed.
    pub fn of(certificate: &Certificate<'_>, key_hash: [u8; 20]) -> Result<Vec<Self>, Error> {
        let (issuer, subject) = (certificate.issuer.to_normal(), certificate.subject.to_normal());
        let mut all = Vec::new();
        // An empty issuer names nobody (RFC 5280 §4.1.2.4), and a negative number is written like another's.
        if let Some(serial) = certificate.serial_magnitude().filter(|_| !issuer.is_empty()) {
            all.push(Self::IssuerSerial { issuer: issuer.clone(), serial: serial.to_vec() });
        }
        if let Some(id) = certificate.subject_key_identifier()?.filter(|id| (1..=MAX_HEX).contains(&id.len())) {
            all.push(Self::SubjectKeyIdentifier(id.to_vec()));
        }
        all.push(Self::Sha1PublicKey(key_hash));
        if !subject.is_empty() {
            if !issuer.is_empty() {
                all.push(Self::IssuerSubject { issuer, subject: subject.clone() });
            }
            all.push(Self::Subject(subject));
        }
        let names = certificate.subject_alt_names()?;
        for name in names {
            if let GeneralName::Rfc822(mail) = name
                && is_plain(mail)
            {
                all.push(Self::Rfc822(mail.to_owned()));
            }
        }
        if let Some(upn) = names.user_principal_name()?.filter(|upn| is_plain(upn)) {
            all.push(Self::Upn(upn.to_owned()));
        }
        Ok(all)
    }

    /// What kind it is.
    pub const fn form(&self) -> Form {
        match self {
            Self::IssuerSerial { .. } => Form::IssuerSerial,
            Self::SubjectKeyIdentifier(_) => Form::SubjectKeyIdentifier,
            Self::Sha1PublicKey(_) => Form::Sha1PublicKey,
            Self::IssuerSubject { .. } => Form::IssuerSubject,
            Self::Subject(_) => Form::Subject,
            Self::Rfc822(_) => Form::Rfc822,
            Self::Upn(_) => Form::Upn,
        }
    }

    /// What is compared: among identities of one form, equal keys are equal identities. Mail addresses and user
    /// principal names are compared as Windows compares names.
    pub fn key(&self) -> Vec<u8> {
        let two = |first: &NormalName, second: &[u8]| {
            let first = first.to_bytes();
            let len = u32::try_from(first.len()).unwrap_or(u32::MAX);
            [&len.to_be_bytes()[..], &first, second].concat()
        };
        match self {
            Self::IssuerSerial { issuer, serial } => two(issuer, serial),
            Self::IssuerSubject { issuer, subject } => two(issuer, &subject.to_bytes()),
            Self::SubjectKeyIdentifier(id) => id.clone(),
            Self::Sha1PublicKey(hash) => hash.to_vec(),
            Self::Subject(subject) => subject.to_bytes(),
            Self::Rfc822(name) | Self::Upn(name) => utf16::upper_string(name).into_bytes(),
        }
    }
}

impl fmt::Display for AltSecurityIdentity {
    /// As altSecurityIdentities have it: the serial number's bytes last to first, as KB5014754 writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        match self {
            Self::IssuerSerial { issuer, serial } => {
                write!(f, "<I>{}<SR>", issuer.windows_order())?;
                serial.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
            Self::SubjectKeyIdentifier(id) => {
                f.write_str("<SKI>")?;
                id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Sha1PublicKey(hash) => {
                f.write_str("<SHA1-PUKEY>")?;
                hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::IssuerSubject { issuer, subject } => {
                write!(f, "<I>{}<S>{}", issuer.windows_order(), subject.windows_order())
            }
            Self::Subject(subject) => write!(f, "<S>{}", subject.windows_order()),
            Self::Rfc822(mail) => write!(f, "<RFC822>{mail}"),
            Self::Upn(name) => write!(f, "<PN>{name}"),
        }
    }
}

/// Why a text is no such identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnIdentity {
    /// It has none of the forms.
    UnknownForm,
    /// A name in it is none.
    Name(NotAName),
    /// A name in it is empty.
    EmptyName,
    /// What should be hexadecimal is not, or of another length.
    Hex(&'static str),
    /// A mail address or user principal name is empty, too long, or holds control characters.
    Text,
}

impl fmt::Display for NotAnIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownForm => f.write_str(
                "not of the form X509:<I>issuer<SR>serial, X509:<SKI>identifier, X509:<SHA1-PUKEY>hash, \
                 X509:<I>issuer<S>subject, X509:<S>subject or X509:<RFC822>mail",
            ),
            Self::Name(why) => fmt::Display::fmt(why, f),
            Self::EmptyName => f.write_str("the name of an issuer or subject is empty"),
            Self::Hex(what) => write!(f, "behind <{what}> stand no hexadecimal digits, two a byte, or too many or few"),
            Self::Text => f.write_str("the name is empty, too long, or holds a control character"),
        }
    }
}

impl std::error::Error for NotAnIdentity {}

impl FromStr for AltSecurityIdentity {
    type Err = NotAnIdentity;

    /// Reads what [`Display`](fmt::Display) writes, and what Windows' administrators write: names in the order of the
    /// certificate, the serial number's bytes last to first.
    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotAnIdentity::UnknownForm)?;
        if let Some(rest) = rest.strip_prefix("<I>") {
            let (issuer, rest) = split_at_mark(rest);
            let issuer = name(issuer)?;
            if let Some(digits) = rest.strip_prefix("<SR>") {
                return Ok(Self::IssuerSerial { issuer, serial: serial(digits)? });
            }
            let subject = rest.strip_prefix("<S>").ok_or(NotAnIdentity::UnknownForm)?;
            return Ok(Self::IssuerSubject { issuer, subject: name(subject)? });
        }
        if let Some(digits) = rest.strip_prefix("<SKI>") {
            return Ok(Self::SubjectKeyIdentifier(hex(digits, "SKI")?));
        }
        if let Some(digits) = rest.strip_prefix("<SHA1-PUKEY>") {
            let hash = hex(digits, "SHA1-PUKEY")?.try_into();
            return Ok(Self::Sha1PublicKey(hash.map_err(|_| NotAnIdentity::Hex("SHA1-PUKEY"))?));
        }
        if let Some(subject) = rest.strip_prefix("<S>") {
            return Ok(Self::Subject(name(subject)?));
        }
        let plain = |name: &str| if is_plain(name) { Ok(name.to_owned()) } else { Err(NotAnIdentity::Text) };
        match (rest.strip_prefix("<RFC822>"), rest.strip_prefix("<PN>")) {
            (Some(mail), _) => plain(mail).map(Self::Rfc822),
            (_, Some(upn)) => plain(upn).map(Self::Upn),
            _ => Err(NotAnIdentity::UnknownForm),
        }
    }
}

const PREFIX: &str = "X509:";

/// The most bytes that stand in an identity as hexadecimal digits.
const MAX_HEX: usize = 64;

fn name(text: &str) -> Result<NormalName, NotAnIdentity> {
    let name = NormalName::from_windows_order(text).map_err(NotAnIdentity::Name)?;
    if name.is_empty() { Err(NotAnIdentity::EmptyName) } else { Ok(name) }
}

fn serial(digits: &str) -> Result<Vec<u8>, NotAnIdentity> {
    let mut serial = hex(digits, "SR")?;
    while serial.len() > 1 && serial.last() == Some(&0) {
        serial.pop();
    }
    serial.reverse();
    Ok(serial)
}

fn hex(digits: &str, what: &'static str) -> Result<Vec<u8>, NotAnIdentity> {
    unhex(digits).filter(|bytes| (1..=MAX_HEX).contains(&bytes.len())).ok_or(NotAnIdentity::Hex(what))
}

/// The bytes of hexadecimal digits, two a byte.
pub(super) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
}

/// Whether a mail address or user principal name can be one.
fn is_plain(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && !text.contains(char::is_control)
}
