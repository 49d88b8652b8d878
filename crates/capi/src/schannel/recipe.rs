//! What a credential of Schannel is made of. It is immutable, as every credential: where its keys are renewed or a caller
//! changes it, another is made of the changed recipe and put behind the same handle.

use super::asked::{self, Asked, flag};
use super::configured::Tls;
use super::tickets::Tickets;
use crate::code::Code;
use crate::crypt::Held;
use crate::host::{self, Accounts};
use library::schannel::{
    Acceptor, AcceptorSettings, Identities, Identity, Initiator, InitiatorSettings, Mapping, Revocation, SettingsError,
    Trust,
};
use library::{Credential, TlsVersion};
use std::time::SystemTime;

/// One side.
#[derive(Clone)]
pub(crate) enum Recipe {
    Server { identities: Identities, settings: AcceptorSettings, tickets: Option<Tickets> },
    Client(InitiatorSettings),
}

impl Recipe {
    /// A server as the caller and the configuration have it; mapping asks these accounts.
    pub(super) fn server(asked: Option<Asked>, config: &Tls, accounts: &Accounts) -> Result<Self, Code> {
        let identities = match &asked {
            Some(asked) => many(&asked.certificates)?,
            None => config.identities()?,
        };
        let mut identities = identities.ok_or_else(|| {
            tracing::error!("a server's credential has no certificate: neither pAuthData nor tls.cert names one");
            Code::NO_CREDENTIALS
        })?;
        identities.strict_names = config.strict_names;
        let Asked { roots, enabled, disabled, lifespan, flags, .. } = asked.unwrap_or_default();
        let has = |flag| flags & flag != 0;
        let host_verifies = has(flag::MANUAL_CRED_VALIDATION);
        let mapped = !has(flag::NO_SYSTEM_MAPPER) && !host_verifies && *accounts != Accounts::None;
        let settings = AcceptorSettings {
            client_auth: config.client_auth,
            clients: config.clients(roots)?.map(|trust| revocation(trust, flags)),
            danger_host_verifies_clients: host_verifies,
            mapping: if mapped { config.client_mapping } else { Mapping::Off },
            service: "sspi".to_owned(),
            versions: versions(enabled, disabled, config, true)?,
            ..AcceptorSettings::default()
        };
        let lasts = lifespan.unwrap_or(config.lifespan());
        let resumes = !has(flag::DISABLE_RECONNECTS) && !lasts.is_zero();
        let tickets = match (resumes, config.ticket_file(lifespan)) {
            (false, _) => None,
            (true, Some(file)) => Some(Tickets::shared(file)),
            (true, None) => Some(Tickets::own(lasts)),
        };
        Ok(Self::Server { identities, settings, tickets })
    }

    /// A client, likewise.
    pub(super) fn client(asked: Option<Asked>, config: &Tls) -> Result<Self, Code> {
        let Asked { certificates, roots, enabled, disabled, flags, .. } = asked.unwrap_or_default();
        let identity = certificates.first().map(one).transpose()?;
        let host_verifies = flags & flag::MANUAL_CRED_VALIDATION != 0;
        // Who verifies by itself need not have authorities.
        let servers = match config.servers(roots) {
            Ok(trust) => Some(revocation(trust, flags)),
            Err(_) if host_verifies => None,
            Err(code) => return Err(code),
        };
        Ok(Self::Client(InitiatorSettings {
            servers,
            danger_host_verifies: host_verifies,
            identity,
            versions: versions(enabled, disabled, config, false)?,
            resumes: flags & flag::DISABLE_RECONNECTS == 0,
            ..InitiatorSettings::default()
        }))
    }

    /// The credential.
    pub(super) fn make(&self) -> Result<Credential, Code> {
        match self {
            Self::Server { identities, settings, tickets } => {
                let tickets = tickets.as_ref().and_then(Tickets::keys);
                let settings = AcceptorSettings { tickets, ..settings.clone() };
                let made = {
                    let _inside = host::uninterrupted();
                    Acceptor::new(identities.clone(), settings)
                };
                made.map(Credential::acceptor).map_err(|error| unusable(&error))
            }
            Self::Client(settings) => client(settings.clone()),
        }
    }

    /// The credential for a call whose host verifies the server itself.
    pub(super) fn make_unverified(&self) -> Result<Credential, Code> {
        match self {
            Self::Server { .. } => self.make(),
            Self::Client(settings) => client(InitiatorSettings { danger_host_verifies: true, ..settings.clone() }),
        }
    }

    /// The first of its certificates' ends.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.identities().map(Identity::not_after).min()
    }

    /// The certificate that it shows unless another one is asked for.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.identities().next().and_then(|identity| identity.certificates().first()).map(Vec::as_slice)
    }

    fn identities(&self) -> impl Iterator<Item = &Identity> {
        let (many, one) = match self {
            Self::Server { identities, .. } => (Some(identities.iter()), None),
            Self::Client(settings) => (None, settings.identity.as_ref()),
        };
        many.into_iter().flatten().chain(one)
    }

    pub(super) fn versions(&mut self) -> &mut Vec<TlsVersion> {
        match self {
            Self::Server { settings, .. } => &mut settings.versions,
            Self::Client(settings) => &mut settings.versions,
        }
    }

    /// SP_PROT_… of its versions.
    pub(super) fn protocols(&self) -> u32 {
        let (versions, acceptor) = match self {
            Self::Server { settings, .. } => (&settings.versions, true),
            Self::Client(settings) => (&settings.versions, false),
        };
        versions.iter().fold(0, |bits, version| bits | asked::bit(*version, acceptor))
    }
}

fn client(mut settings: InitiatorSettings) -> Result<Credential, Code> {
    // One authority of many may be of a kind that is not known here; the others are no worse for it.
    loop {
        let made = {
            let _inside = host::uninterrupted();
            Initiator::new(settings.clone())
        };
        match made {
            Ok(initiator) => return Ok(Credential::initiator(initiator)),
            Err(SettingsError::BadRoot(at)) => {
                let roots = settings.servers.as_mut().map(|trust| &mut trust.roots).filter(|roots| at < roots.len());
                roots.ok_or(Code::INTERNAL_ERROR)?.remove(at);
            }
            Err(error) => return Err(unusable(&error)),
        }
    }
}

fn unusable(error: &SettingsError) -> Code {
    tracing::error!(%error, "a credential cannot be made");
    match error {
        SettingsError::NoRoots => Code::NO_CREDENTIALS,
        _ => Code::UNKNOWN_CREDENTIALS,
    }
}

/// What the caller's bits leave of what the configuration allows.
fn versions(enabled: u32, disabled: u32, config: &Tls, acceptor: bool) -> Result<Vec<TlsVersion>, Code> {
    let mut versions = asked::versions(enabled, disabled, acceptor)?;
    versions.retain(|version| config.versions.contains(version));
    if versions.is_empty() {
        tracing::error!("tls.versions leaves none of the versions that the program wants");
        return Err(Code(library::Status::SEC_E_ALGORITHM_MISMATCH.0));
    }
    Ok(versions)
}

/// A caller that wants revocation looked up gets that; one that says nothing, what the configuration says.
fn revocation(mut trust: Trust, flags: u32) -> Trust {
    let chain = flag::REVOCATION_CHECK_CHAIN | flag::REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT;
    if flags & (chain | flag::REVOCATION_CHECK_END_CERT) != 0 {
        let lenient = flag::IGNORE_NO_REVOCATION_CHECK | flag::IGNORE_REVOCATION_OFFLINE;
        let is_lenient = flags & lenient == lenient;
        trust.revocation = Some(if is_lenient { Revocation::WhenKnown } else { Revocation::Require });
        trust.end_entity_only = flags & chain == 0;
    }
    trust
}

fn many(certificates: &[Held]) -> Result<Option<Identities>, Code> {
    let Some((first, more)) = certificates.split_first() else { return Ok(None) };
    let mut identities = Identities::new(one(first)?);
    for held in more {
        identities = identities.and(one(held)?);
    }
    Ok(Some(identities))
}

fn one(held: &Held) -> Result<Identity, Code> {
    let Some(key) = &held.key else {
        tracing::error!(
            "a certificate has no private key: bring one by PFXImportCertStore, PortcullisCertificateFromPem or \
             CertSetCertificateContextProperty"
        );
        return Err(Code::NO_CREDENTIALS);
    };
    let made = {
        let _inside = host::uninterrupted();
        Identity::from_der(held.chain.clone(), key.der.expose())
    };
    // Logged when a fork need not wait any more: the host's function may do anything.
    made.map_err(|error| {
        tracing::error!(%error, "a certificate cannot be used");
        Code::UNKNOWN_CREDENTIALS
    })
}
