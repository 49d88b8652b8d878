//! `portcullis account map-cert` and `unmap-cert`: which client certificates are whose.

use crate::data::{Data, Failed};
use crate::output::visible;
use portcullis::schannel::{IdentityError, certificates_in_pem};
use portcullis_authority::{Store as _, identities};
use portcullis_wire::x509::{AltSecurityIdentity, Certificate, MAX_LEN};
use serde::Serialize;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// `portcullis account map-cert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  portcullis account map-cert ann --cert ann.pem\n  \
    portcullis account map-cert ann --cert ann.der --form ski\n  \
    portcullis account map-cert ann --identity \"X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000AC11000000002B\"\n\n\
    An identity is written as in altSecurityIdentities: names in the certificate's own order, which is the reverse of\n\
    what OpenSSL's RFC 2253 form shows, and the serial number's bytes last to first. A comma inside a value is \\,\n\n\
    Weak forms (X509:<I>..<S>.., X509:<S>.., X509:<RFC822>..) need a policy that allows them:\n\
    others may come to have the same subject or mail address.")]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Map {
    /// The account's name
    name: String,
    /// The client's certificate: a file in PEM or DER
    #[arg(long, value_name = "FILE", group = "which")]
    cert: Option<PathBuf>,
    /// What of the certificate names it
    #[arg(long, value_name = "FORM", conflicts_with = "identity")]
    form: Option<Form>,
    /// The certificate's identity, as altSecurityIdentities has it
    #[arg(long, value_name = "TEXT", group = "which")]
    identity: Option<String>,
}

/// `portcullis account unmap-cert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  portcullis account unmap-cert ann --cert ann.pem\n  \
    portcullis account unmap-cert ann --identity \"X509:<SKI>df2f4b04462a5aba81fec3a42e3b94beb8f2e087\"\n  \
    portcullis account unmap-cert ann --all\n\n\
    `portcullis account show ann` lists what is mapped.")]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Unmap {
    /// The account's name
    name: String,
    /// A client's certificate: every mapping of the account that fits it
    #[arg(long, value_name = "FILE", group = "which")]
    cert: Option<PathBuf>,
    /// One mapping, as `portcullis account show` prints it
    #[arg(long, value_name = "TEXT", group = "which")]
    identity: Option<String>,
    /// Every mapping of the account
    #[arg(long, group = "which")]
    all: bool,
}

/// What of a certificate names it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// Issuer and serial number: this certificate alone (the default)
    IssuerSerial,
    /// The subject's key identifier: also the next certificate with this key
    Ski,
    /// SHA-1 of the public key: also the next certificate with this key
    Sha1PublicKey,
}

impl Form {
    const fn of(self) -> portcullis_wire::x509::Form {
        match self {
            Self::IssuerSerial => portcullis_wire::x509::Form::IssuerSerial,
            Self::Ski => portcullis_wire::x509::Form::SubjectKeyIdentifier,
            Self::Sha1PublicKey => portcullis_wire::x509::Form::Sha1PublicKey,
        }
    }
}

#[derive(Serialize)]
struct Mapped {
    name: String,
    identity: String,
    form: &'static str,
    /// Whether it was not mapped before.
    new: bool,
}

#[derive(Serialize)]
struct Unmapped {
    name: String,
    removed: Vec<String>,
}

pub(crate) fn map(args: Map, data: &Data) -> Result<(), Failed> {
    let identity = match (&args.cert, &args.identity) {
        (Some(file), _) => of_form(file, args.form.unwrap_or(Form::IssuerSerial))?,
        (None, Some(text)) => parse(text)?,
        (None, None) => return Err(Failed::Usage("name a certificate by --cert or --identity".into())),
    };
    let (account, new) = data.open()?.map_certificate(&args.name, &identity)?;
    let (identity, form) = (identity.to_string(), identity.form().name());
    data.output().print(&Mapped { name: account.name, identity, form, new }, |mapped| {
        let since = if mapped.new { "is mapped to" } else { "was mapped already to" };
        format!("{} {since} account {}", visible(&mapped.identity), mapped.name)
    })
}

pub(crate) fn unmap(args: Unmap, data: &Data) -> Result<(), Failed> {
    let meant = match (&args.cert, &args.identity) {
        (Some(file), _) => all_of(file)?,
        (None, Some(text)) => vec![parse(text)?],
        (None, None) => Vec::new(),
    };
    let directory = data.open()?;
    let (account, removed) = if args.all {
        let account = directory.account(&args.name)?;
        let mappings = directory.store().mappings(account.rid)?;
        for mapping in &mappings {
            directory.store().remove_mapping(account.rid, mapping)?;
        }
        (account, mappings)
    } else {
        directory.unmap_certificate(&args.name, &meant)?
    };
    if removed.is_empty() {
        return Err(Failed::Failed(format!(
            "no such certificate is mapped to account {name}; `portcullis account show {name}` lists those that are",
            name = account.name
        )));
    }
    let removed = removed.into_iter().map(|mapping| mapping.text).collect();
    data.output().print(&Unmapped { name: account.name, removed }, |unmapped| {
        let lines = unmapped.removed.iter().map(|text| format!("{} is no longer mapped", visible(text)));
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn parse(text: &str) -> Result<AltSecurityIdentity, Failed> {
    text.parse().map_err(|why| Failed::Usage(format!("--identity: {why}; see `portcullis account map-cert --help`")))
}

fn of_form(file: &Path, form: Form) -> Result<AltSecurityIdentity, Failed> {
    all_of(file)?.into_iter().find(|identity| identity.form() == form.of()).ok_or_else(|| {
        let why = match form {
            Form::IssuerSerial => "has no serial number that can be mapped: it is negative, or the issuer is nameless",
            Form::Ski | Form::Sha1PublicKey => "has no subject key identifier",
        };
        Failed::Failed(format!("{} {why}; try --form sha1-public-key", file.display()))
    })
}

/// Every identity of the certificate in a file.
fn all_of(file: &Path) -> Result<Vec<AltSecurityIdentity>, Failed> {
    let bad = |why: String| Failed::Failed(format!("{}: {why}", file.display()));
    // A certificate of 64 KiB in PEM, and some text before it.
    let mut bytes = Vec::new();
    let limit = u64::try_from(4 * MAX_LEN).unwrap_or(u64::MAX);
    File::open(file)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| bad(error.to_string()))?;
    let der = der_of(bytes).map_err(bad)?;
    let unreadable = |why| bad(format!("no X.509 certificate in PEM or DER ({why})"));
    let certificate = Certificate::decode(&der).map_err(unreadable)?;
    identities(&certificate).map_err(unreadable)
}

/// The one certificate of a file: in DER, or in PEM (RFC 7468) with any text around it.
fn der_of(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    // What is no text is DER.
    if std::str::from_utf8(&bytes).map_or(true, |text| !text.contains("-----BEGIN ")) {
        return Ok(bytes);
    }
    let certificates = certificates_in_pem(&bytes).map_err(|error| match error {
        IdentityError::NoCertificate => {
            "no certificate is in it; give the client's certificate, not its key".to_owned()
        }
        error => error.to_string(),
    })?;
    match <[_; 1]>::try_from(certificates) {
        Ok([certificate]) => Ok(certificate),
        Err(_) => Err("several certificates are in it; give the client's own alone".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_der() {
        let pem = "some text\n-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQA=\r\n-----END CERTIFICATE-----\n";
        let der = b"0\x03\x02\x01\0".to_vec();
        assert_eq!(der_of(pem.into()), Ok(der.clone()));
        assert_eq!(der_of(der.clone()), Ok(der));
        let twice = [pem, pem].concat();
        for (text, why) in [
            (twice.as_str(), "several"),
            ("-----BEGIN PRIVATE KEY-----\nMAMC\n-----END PRIVATE KEY-----\n", "not its key"),
            ("-----BEGIN CERTIFICATE-----\nMAMC", "no PEM"),
            ("-----BEGIN CERTIFICATE-----\nM!\n-----END CERTIFICATE-----", "no PEM"),
        ] {
            assert!(der_of(text.into()).unwrap_err().contains(why), "{text}");
        }
    }
}
