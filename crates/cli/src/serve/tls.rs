//! The files of TLS: read at the start and when they change, by this process or, where it may open none, by the keeper.

use crate::data::Failed;
use crate::keeper::{Keeper, Kept};
use portcullis::schannel::TicketKeys;
use portcullis_authority::settings::HostNames;
use portcullis_authority::{TicketFile, Tickets};
use portcullis_server::{Config, Files, Loaded, Replacer, Tls, TlsSettings, self_signed};
use std::fs::OpenOptions;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Who reads the files.
#[derive(Clone)]
pub(super) enum Reader {
    Here,
    Keeper(Arc<Keeper>),
}

impl Reader {
    pub(super) fn fetch(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self {
            Self::Here => std::fs::read(path),
            Self::Keeper(keeper) => keeper.file(path),
        }
    }

    fn tickets(&self, file: &TicketFile) -> io::Result<Tickets> {
        match self {
            Self::Here => file.read(SystemTime::now()),
            // It has brought the file up to date.
            Self::Keeper(keeper) => file.read_open(keeper.open(file.path())?),
        }
    }
}

/// Every file that TLS and the terminators in front have, absolute.
pub(super) fn settle(settings: &mut Config, data: &Path) {
    let beside = |path: &mut PathBuf| *path = data.join(&path);
    let Config { tls, http, .. } = settings;
    let single = [&mut tls.cert, &mut tls.key, &mut tls.password_file, &mut tls.client_ca, &mut tls.client_sid_ca];
    single.into_iter().flatten().for_each(beside);
    tls.client_crls.iter_mut().chain(&mut http.terminator_certificates).for_each(beside);
    for more in &mut tls.certificates {
        beside(&mut more.cert);
        more.key.iter_mut().chain(&mut more.password_file).for_each(beside);
    }
    beside(tls.ticket_keys.get_or_insert_with(|| PathBuf::from("tickets.key")));
    if tls.cert.is_none() {
        (tls.cert, tls.key) = (Some(data.join("tls.pem")), Some(data.join("tls.key")));
    }
}

/// Makes the certificate of a first start, where none was named and none is there; says whether it did.
pub(super) fn first_certificate(settings: &TlsSettings, data: &Path, host: &HostNames) -> Result<bool, Failed> {
    let (Some(cert), Some(key)) = (&settings.cert, &settings.key) else { return Ok(false) };
    if *cert != data.join("tls.pem") || cert.exists() {
        return Ok(false);
    }
    std::fs::create_dir_all(data)?;
    let mut names = vec![host.dns.clone(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.dedup();
    let (certificate, secret) = self_signed(&names, SystemTime::now())?;
    // The key first: a certificate without one would not be made anew.
    write_new(key, 0o600, secret.expose())?;
    write_new(cert, 0o644, &certificate)?;
    Ok(true)
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failed> {
    // A key without its certificate is of a start that did not come to an end; its file may have another mode.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// What the keeper may be asked for.
pub(super) fn kept(settings: &Config) -> Kept {
    let Config { tls, http, .. } = settings;
    let single = [&tls.cert, &tls.key, &tls.password_file, &tls.client_ca, &tls.client_sid_ca];
    let mut files: Vec<PathBuf> = http.terminator_certificates.clone();
    if !tls.listen.is_empty() {
        files.extend(single.into_iter().flatten().cloned());
        files.extend(tls.client_crls.iter().cloned());
        let more = tls.certificates.iter();
        files.extend(
            more.flat_map(|more| [Some(&more.cert), more.key.as_ref(), more.password_file.as_ref()]).flatten().cloned(),
        );
    }
    files.sort();
    files.dedup();
    let tickets = ticket_file(tls).filter(|_| !tls.listen.is_empty());
    Kept {
        files,
        keytab: settings.kerberos.keytab.clone(),
        tickets: tickets
            .map(|file| (file.path().to_owned(), hours(tls.ticket_rotation_hours), hours(tls.ticket_hours))),
    }
}

fn ticket_file(settings: &TlsSettings) -> Option<TicketFile> {
    let path = settings.ticket_keys.as_ref().filter(|_| settings.ticket_hours > 0)?;
    Some(TicketFile::new(path, hours(settings.ticket_rotation_hours), hours(settings.ticket_hours)))
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours.saturating_mul(3600))
}

/// The state of the files that a server's TLS was made from.
pub(super) struct Material {
    settings: TlsSettings,
    /// What the files held, as hashes: keys are among them.
    contents: Vec<(PathBuf, u64)>,
    hash: RandomState,
    looked: Instant,
    loaded: Loaded,
    tickets: Option<Tickets>,
}

impl Material {
    /// Reads all files; `None` where there is no endpoint of TLS.
    pub(super) fn read(settings: &TlsSettings, reader: &Reader) -> Result<Option<Self>, Failed> {
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let (contents, hash) = (std::cell::RefCell::new(Vec::new()), RandomState::new());
        let fetch = |path: &Path| {
            let bytes = reader.fetch(path)?;
            contents.borrow_mut().push((path.to_owned(), hash.hash_one(&bytes)));
            Ok(bytes)
        };
        let files = Files {
            cert: settings.cert.clone().unwrap_or_default(),
            key: settings.key.clone().or_else(|| settings.cert.clone()).unwrap_or_default(),
        };
        let loaded = settings.load(&files, &fetch).map_err(|error| Failed::Failed(error.to_string()))?;
        let tickets = ticket_file(settings).and_then(|file| match reader.tickets(&file) {
            Ok(tickets) => Some(tickets),
            Err(error) => {
                tracing::error!(%error, path = %file.path().display(), "the ticket keys cannot be read; no session is resumed");
                None
            }
        });
        let contents = contents.into_inner();
        let looked = Instant::now();
        let material = Self { settings: settings.clone(), contents, hash, looked, loaded, tickets };
        material.look_at_the_end();
        Ok(Some(material))
    }

    /// Where HTTPS is served.
    pub(super) fn listens(&self) -> Vec<SocketAddr> {
        self.settings.listen.clone()
    }

    fn look_at_the_end(&self) {
        if let Some(end) = self.loaded.not_after()
            && end <= SystemTime::now() + hours(24 * 7)
        {
            tracing::warn!("a server certificate has ended, or ends within a week");
        }
    }

    /// TLS, as the server takes it.
    pub(super) fn tls(&self) -> Result<Tls, Failed> {
        let keys: Option<TicketKeys> = self.tickets.as_ref().map(|tickets| tickets.keys.clone());
        self.loaded.tls(keys).map_err(|error| Failed::Failed(error.to_string()))
    }

    /// Looks at the files again, and replaces the server's TLS where they changed.
    pub(super) fn refresh(&mut self, reader: &Reader, replacer: &Replacer) {
        if self.looked.elapsed() >= hours(24) {
            self.looked = Instant::now();
            self.look_at_the_end();
        }
        let same =
            |(path, hash): &(PathBuf, u64)| reader.fetch(path).is_ok_and(|now| self.hash.hash_one(&now) == *hash);
        let tickets_same = match (ticket_file(&self.settings).map(|file| reader.tickets(&file)), &self.tickets) {
            (Some(Ok(now)), Some(before)) => now.same_as(before),
            (Some(Ok(_)), None) => false,
            (Some(Err(_)) | None, _) => true,
        };
        if tickets_same && self.contents.iter().all(same) {
            return;
        }
        let fresh = Self::read(&self.settings, reader).and_then(|fresh| match fresh {
            Some(fresh) => Ok((fresh.tls()?, fresh)),
            None => Err(Failed::Failed("there is no endpoint of TLS".to_owned())),
        });
        match fresh {
            Ok((tls, fresh)) => {
                replacer.replace_tls(tls);
                *self = fresh;
                tracing::info!("certificates, revocation lists or ticket keys changed and are read anew");
            }
            Err(error) => tracing::error!(%error, "the changed files of TLS cannot be used; the old ones stay in use"),
        }
    }
}

/// How often the files are looked at.
pub(super) const REFRESH: Duration = Duration::from_secs(20);
