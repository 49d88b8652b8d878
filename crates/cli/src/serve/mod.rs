//! `portcullis serve`: the HTTP endpoint, with its authority inside or in another process.

mod source;
mod tls;

use crate::config::{self, Folder};
use crate::data::Failed;
use crate::isolation::{self, User};
use crate::logging::Logging;
use clap::{Args, ValueEnum};
use portcullis::Secret;
use portcullis_authority::settings::HostNames;
use portcullis_authority::{DomainNames, bootstrap};
use portcullis_server::{
    ClientAuthName, Config, DEFAULT_FILE, LogFormat, Replacer, Request, SchemeName, Server, Signals,
};
use source::Source;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use tls::Material;

/// `portcullis serve`
#[derive(Debug, Args)]
#[command(after_help = "\
The first start makes the data folder, the account store, its key, a configuration file and one account, whose password
it shows once. SIGHUP reads the configuration again, opens the store anew and reopens the audit log; SIGTERM finishes
the requests under way and ends.

With --authority or --separate this process holds no account, hash or key: another one does, and is asked over a socket.
This one then gives up root's rights, and the right to open files, sockets and programs, once it listens.

Examples:
  portcullis serve
  portcullis serve --schemes negotiate,ntlm
  portcullis serve --keytab /etc/portcullis/http.keytab
  portcullis serve --https 0.0.0.0:443 --tls-cert web1.pem --tls-key web1.key
  portcullis serve --https [::]:443 --tls-client-ca ca.pem --tls-client-auth require
  portcullis serve --separate --data /var/lib/portcullis --http 0.0.0.0:80
  portcullis serve --authority /run/portcullis/authority.sock --user www-data --http 0.0.0.0:80
  portcullis serve --data /var/lib/portcullis --http 0.0.0.0:80 --http [::]:80 --log-format json")]
pub(crate) struct Serve {
    #[command(flatten)]
    folder: Folder,
    /// Listen here; port 0 chooses one. Can be given several times; overrides `http.listen`
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    http: Vec<SocketAddr>,
    /// Listen here for HTTPS; can be given several times; overrides `tls.listen`. Without --http there is then no plain
    /// endpoint
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    https: Vec<SocketAddr>,
    /// The server's certificate, with the authorities above it: PEM or PKCS#12; overrides `tls.cert`. Without one, the
    /// first start makes one that vouches for itself
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key as PEM; overrides `tls.key`. The default is the certificate's file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The authorities that may issue clients' certificates, as PEM; overrides `tls.client_ca`
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
    /// Whether clients are asked for a certificate: none, request or require; overrides `tls.client_auth`
    #[arg(long, value_name = "WHETHER")]
    tls_client_auth: Option<ClientAuthName>,
    /// Accept Kerberos with the keys of this keytab, within Negotiate; overrides `kerberos.keytab`. With --separate the
    /// authority reads it; with --authority give it to that (`portcullis authority --keytab`)
    #[arg(long, value_name = "FILE", conflicts_with = "authority")]
    keytab: Option<PathBuf>,
    /// What HTTP offers, in this order, between commas: negotiate, ntlm, basic; overrides `http.schemes`
    #[arg(long, value_name = "SCHEMES", value_delimiter = ',', value_parser = scheme)]
    schemes: Vec<SchemeName>,
    /// Ask the authority process that listens on this Unix socket (`portcullis authority`)
    #[arg(long, value_name = "PATH", conflicts_with = "separate")]
    authority: Option<PathBuf>,
    /// Start an authority process for the data folder, and ask that
    #[arg(long)]
    separate: bool,
    /// With --authority or --separate, where root starts it: become this user. The default is `portcullis`, or `nobody`
    /// where there is no such user
    #[arg(long, value_name = "NAME", value_parser = isolation::user)]
    user: Option<User>,
    /// With --authority or --separate: keep the right to open files, sockets and programs
    #[arg(long)]
    danger_no_sandbox: bool,
    /// How log lines are written to standard error; overrides `log.format`
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
    /// What is logged, as `debug` or `info,portcullis_server=trace`; overrides `log.level`
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Print the configuration file, or the default one, and end
    #[arg(long)]
    print_config: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// The account that a first start makes.
const FIRST_ACCOUNT: &str = "admin";

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failed> {
        if self.print_config {
            return config::show(&self.folder.data);
        }
        if !self.is_isolated() && (self.user.is_some() || self.danger_no_sandbox) {
            return Err(Failed::Usage("--user and --danger-no-sandbox go with --authority or --separate".to_owned()));
        }
        let settings = self.overridden(config::load(&self.folder.data)?)?;
        if settings.tls.listen.is_empty()
            && (self.tls_cert.is_some() || self.tls_client_ca.is_some() || self.tls_client_auth.is_some())
        {
            return Err(Failed::Usage(
                "--tls-… is about HTTPS, and nothing listens for that: give --https ADDR:PORT".into(),
            ));
        }
        let logging = Logging::start(&settings.log)?;
        if !settings.tls.listen.is_empty() && !settings.http.listen.is_empty() {
            tracing::warn!(
                "plain HTTP is served beside HTTPS: a logon that is relayed to the plain endpoint is bound to no channel"
            );
        }
        let host = HostNames::of_this_computer();
        // Where another process holds the accounts, it makes the first of them.
        let first = if self.is_isolated() { None } else { first_start(&self.folder.data, &settings, &host)? };
        let self_signed = !settings.tls.listen.is_empty()
            && tls::first_certificate(&settings.tls, &std::path::absolute(&self.folder.data)?, &host)?;
        let Started { server, mut signals, source, bound, runtime, mut material } = match self.start(&settings, host) {
            Ok(started) => started,
            Err(error) => {
                // The account is made and its password is nowhere else: it must not be lost with a start that failed.
                if let Some((name, password)) = &first {
                    eprintln!("The account `{name}` was made. Its password, shown this once: {}", password.expose());
                }
                return Err(error);
            }
        };
        announce(&bound, first.as_ref())?;
        if self_signed {
            tracing::warn!(
                path = %self.folder.data.join("tls.pem").display(),
                "a certificate was made that vouches for itself: clients must be told to believe it; set `tls.cert` to a real one"
            );
        }
        drop(first);
        let replacer = server.replacer();
        let reader = source.reader();
        runtime.block_on(server.run(async {
            let mut tick = tokio::time::interval(tls::REFRESH);
            loop {
                tokio::select! {
                    request = signals.next() => match request {
                        Request::Reload => self.reload(&source, &replacer, &logging, &mut material),
                        Request::Stop => break,
                    },
                    _ = tick.tick() => {
                        if let Some(material) = &mut material {
                            tokio::task::block_in_place(|| material.refresh(&reader, &replacer));
                        }
                    }
                }
            }
            tracing::info!("stopping: requests under way are finished");
        }));
        // What still runs was given its time.
        runtime.shutdown_background();
        Ok(())
    }

    fn is_isolated(&self) -> bool {
        self.separate || self.authority.is_some()
    }

    /// The configuration, with what the command line overrides.
    fn overridden(&self, mut settings: Config) -> Result<Config, Failed> {
        if !self.http.is_empty() || !self.https.is_empty() {
            settings.http.listen.clone_from(&self.http);
        }
        if !self.https.is_empty() {
            settings.tls.listen.clone_from(&self.https);
        }
        // What stands in the file lies beside it; what stands on the command line, where the command was given.
        if let Some(cert) = &self.tls_cert {
            settings.tls.cert = Some(std::path::absolute(cert)?);
            settings.tls.key = self.tls_key.as_ref().map(std::path::absolute).transpose()?;
        }
        if let Some(ca) = &self.tls_client_ca {
            settings.tls.client_ca = Some(std::path::absolute(ca)?);
        }
        if let Some(auth) = self.tls_client_auth {
            settings.tls.client_auth = auth;
        }
        config::settle_keytab(&mut settings, &self.folder.data, self.keytab.as_deref())?;
        tls::settle(&mut settings, &std::path::absolute(&self.folder.data)?);
        if !self.schemes.is_empty() {
            settings.http.schemes.clone_from(&self.schemes);
            settings.check().map_err(|error| Failed::Usage(error.to_string()))?;
        }
        if let Some(format) = self.log_format {
            settings.log.format = match format {
                Format::Text => LogFormat::Text,
                Format::Json => LogFormat::Json,
            };
        }
        if let Some(level) = &self.log {
            settings.log.level.clone_from(level);
        }
        Ok(settings)
    }

    fn start(&self, settings: &Config, host: HostNames) -> Result<Started, Failed> {
        if settings.http.listen.is_empty() && settings.tls.listen.is_empty() {
            return Err(Failed::Usage(
                "nowhere to listen: `http.listen` and `tls.listen` are empty, and there is neither --http nor --https"
                    .to_owned(),
            ));
        }
        let data = &self.folder.data;
        let source = match (&self.authority, self.separate) {
            (Some(socket), _) => Source::elsewhere(socket, data, host, false, settings)?,
            (None, true) => Source::elsewhere(&data.join("authority.sock"), data, host, true, settings)?,
            (None, false) => Source::here(data, host)?,
        };
        let material = Material::read(&settings.tls, &source.reader())?;
        let tls = material.as_ref().map(Material::tls).transpose()?;
        let mut server = Server::new(source.service(settings.clone(), tls)?);
        let mut bound = Vec::new();
        for address in &settings.http.listen {
            let failed = |error| format!("cannot listen on {address}: {error}; choose another by --http");
            bound.push(("http", server.bind(*address).map_err(failed)?));
        }
        for address in &settings.tls.listen {
            let failed = |error| format!("cannot listen on {address}: {error}; choose another by --https");
            bound.push(("https", server.bind_tls(*address).map_err(failed)?));
        }
        if self.is_isolated() {
            isolation::apply(self.user.as_ref(), !self.danger_no_sandbox)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let context = runtime.enter();
        // Before anybody is told that this serves: a signal that comes early would end the process.
        let signals = Signals::new()?;
        drop(context);
        Ok(Started { server, signals, source, bound, runtime, material })
    }

    /// Reads everything anew. What cannot be used leaves the old in place.
    fn reload(&self, source: &Source, replacer: &Replacer, logging: &Logging, material: &mut Option<Material>) {
        source.reopen_audit();
        let reloaded = source.config().and_then(|settings| {
            let mut settings = self.overridden(settings)?;
            // Where it listens it goes on to listen.
            settings.tls.listen = material.as_ref().map(Material::listens).unwrap_or_default();
            let fresh = match material {
                Some(_) => Material::read(&settings.tls, &source.reader())?,
                // Whoever does not listen for it has no use of it.
                None => None,
            };
            let tls = fresh.as_ref().map(Material::tls).transpose()?;
            let service = source.service(settings.clone(), tls)?;
            logging.change(&settings.log)?;
            Ok((service, fresh))
        });
        match reloaded {
            Ok((service, fresh)) => {
                replacer.replace(service);
                *material = fresh;
                tracing::info!(
                    "configuration and store are read anew; `http.listen`, `tls.listen` and `log.format` hold from the next start"
                );
            }
            Err(error) => tracing::error!(%error, "the new configuration cannot be used; the old one stays in use"),
        }
    }
}

/// A server that can run.
struct Started {
    server: Server,
    signals: Signals,
    source: Source,
    bound: Vec<(&'static str, SocketAddr)>,
    material: Option<Material>,
    runtime: tokio::runtime::Runtime,
}

/// An address and a port; a name is looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found =
        text.to_socket_addrs().map_err(|error| format!("{error}; write it like 127.0.0.1:8080 or [::1]:0"))?;
    found.next().ok_or_else(|| "the name has no address".to_owned())
}

fn scheme(text: &str) -> Result<SchemeName, String> {
    text.parse()
}

/// Makes what a data folder needs and does not have; gives the account that a first start makes, and its password.
pub(crate) fn first_start(
    folder: &Path,
    settings: &Config,
    host: &HostNames,
) -> Result<Option<(String, Secret<String>)>, Failed> {
    let first = bootstrap(folder, &domain(settings, host)?, Some(FIRST_ACCOUNT))?.first;
    write_default_config(folder)?;
    Ok(first)
}

/// The domain that a first start makes.
fn domain(settings: &Config, host: &HostNames) -> Result<DomainNames, Failed> {
    let of_host = DomainNames::of_host(&host.dns);
    let computer = settings.names.netbios_computer.clone().unwrap_or(of_host.netbios);
    let netbios = settings.domain.netbios.as_deref().unwrap_or(&computer);
    Ok(DomainNames::new(netbios, settings.domain.dns.as_deref().unwrap_or(&of_host.dns))?)
}

fn write_default_config(folder: &Path) -> Result<(), Failed> {
    let path = config::file_in(folder);
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => Ok(file.write_all(DEFAULT_FILE.as_bytes())?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// Says where clients can connect, and how the first of them logs on.
fn announce(bound: &[(&str, SocketAddr)], first: Option<&(String, Secret<String>)>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (scheme, address) in bound {
        writeln!(out, "listening {scheme} {address}")?;
    }
    if let (Some((name, password)), Some((scheme, address))) = (first, bound.first()) {
        let url = url_of(scheme, *address);
        let insecure = if *scheme == "https" { "-k " } else { "" };
        let password = password.expose();
        writeln!(out, "\nThis is the first start. The account `{name}` has the password, shown this once:\n")?;
        writeln!(out, "  {password}\n")?;
        writeln!(out, "Open {url} in a browser, or try:\n")?;
        writeln!(out, "  curl {insecure}--ntlm -u '{name}:{password}' {url}\n")?;
    }
    out.flush()
}

/// Where a client on this computer reaches an endpoint.
fn url_of(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}/", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_everywhere_is_reached_on_loopback() {
        assert_eq!(url_of("http", "0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80/");
        assert_eq!(url_of("https", "[::]:8080".parse().unwrap()), "https://[::1]:8080/");
        assert_eq!(url_of("http", "192.0.2.1:80".parse().unwrap()), "http://192.0.2.1:80/");
    }

    #[test]
    fn addresses_have_a_port() {
        assert_eq!(address("[::1]:0").unwrap(), "[::1]:0".parse().unwrap());
        assert!(address("localhost:8080").unwrap().ip().is_loopback());
        assert!(address("8080").unwrap_err().contains("127.0.0.1:8080"));
    }

    #[test]
    fn the_first_domain_is_the_configured_one_or_the_computer() {
        let host = HostNames::of("web1.corp.example");
        let named = Config::parse("[domain]\nnetbios = \"CORP\"\ndns = \"corp.example\"").unwrap();
        assert_eq!(domain(&named, &host).unwrap(), DomainNames::new("CORP", "corp.example").unwrap());
        assert_eq!(domain(&Config::default(), &host).unwrap().netbios, "WEB1");
    }
}
