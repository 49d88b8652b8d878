//! `portcullis connect`: our own client, for people who want to see what is said.

mod channel;
mod client;
mod offers;
mod report;
mod talk;

use crate::data::Failed;
use crate::password_source::KnownPassword;
use clap::Args;
use hyper::Uri;
use portcullis::{Credential, Secret};
use portcullis_server::SchemeName;
use std::path::PathBuf;
use std::time::Duration;
use talk::{Login, Proof};

/// `portcullis connect`
#[derive(Debug, Args)]
#[command(after_help = "\
Each message is printed as it goes, with its token decoded; the proof inside is not shown. Without --user it only asks
what the server offers. It ends with 0 when the server let the user in and this side agrees, with 1 when not, and with 2
when it was called wrongly. Proxies of the environment are not used, and redirections are not followed.

Examples:
  portcullis connect http://127.0.0.1:8080/
  portcullis connect http://127.0.0.1:8080/ --user CORP\\\\ann
  portcullis connect https://web.corp.example/ --user ann --ca corp-ca.pem
  portcullis connect http://web.corp.example/ --user ann@corp.example --scheme ntlm --password-file secret.txt
  pass show ann | portcullis connect http://web.corp.example/ --user ann --password-stdin --json")]
pub(crate) struct Connect {
    /// Where to go: `http://…` or `https://…`
    url: String,
    #[command(flatten)]
    tls: channel::TlsOptions,
    /// Who logs on: NAME, DOMAIN\NAME or NAME@DOMAIN. The default is to ask what is offered
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// negotiate, ntlm or basic. The default is the first of these that the server offers
    #[arg(long, value_name = "SCHEME")]
    scheme: Option<SchemeName>,
    #[command(flatten)]
    password: KnownPassword,
    /// Read the password's NT hash from a file, 32 hexadecimal digits, in place of the password
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_stdin", "password_file"])]
    nt_hash_file: Option<PathBuf>,
    /// The service's name (SPN). The default is HTTP/ and the host of the URL
    #[arg(long, value_name = "SPN")]
    target: Option<String>,
    /// The name of this computer, as it is told to the server. The default is none
    #[arg(long, value_name = "NAME", default_value = "")]
    workstation: String,
    /// How long each answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Send a plain password (Basic) over a connection that others can read
    #[arg(long)]
    danger_plaintext: bool,
    /// Print one JSON document at the end, for programs
    #[arg(long)]
    json: bool,
}

impl Connect {
    pub(crate) fn run(self) -> Result<(), Failed> {
        let mut place = Place::parse(&self.url)?;
        if self.url.starts_with("https:") {
            place.tls = Some(self.tls.credential()?);
        }
        let login = self.login(&place)?;
        let patience = Duration::from_secs(self.timeout);
        let report = report::Report::new(self.url.clone(), self.json);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(talk::run(&place, login, patience, report))?;
        report.finish()
    }

    fn login(&self, place: &Place) -> Result<Option<Login>, Failed> {
        let Some(name) = &self.user else {
            let password = self.password.is_given() || self.nt_hash_file.is_some();
            return match password || self.scheme.is_some() {
                true => Err(Failed::Usage("a password or scheme needs a --user".into())),
                false => Ok(None),
            };
        };
        let proof = match &self.nt_hash_file {
            Some(_) if self.scheme == Some(SchemeName::Basic) => {
                return Err(Failed::Usage(
                    "Basic needs the password itself; an NT hash is for negotiate and ntlm".into(),
                ));
            }
            Some(path) => Proof::Hash(crate::password_source::read_nt_hash(path)?),
            None => Proof::Password(self.password.read(name)?),
        };
        let (domain, user) = name.split_once('\\').unwrap_or(("", name));
        Ok(Some(Login {
            user: user.to_owned(),
            domain: domain.to_owned(),
            typed: Secret::new(name.clone()),
            proof,
            scheme: self.scheme,
            target: self.target.clone().unwrap_or_else(|| format!("HTTP/{}", place.host)),
            workstation: self.workstation.clone(),
            plaintext: self.danger_plaintext,
        }))
    }
}

/// Where an URL leads.
#[derive(Debug)]
struct Place {
    host: String,
    port: u16,
    /// Host and port as the URL has them.
    authority: String,
    /// Path and query.
    path: String,
    /// For TLS, where the URL asks for it.
    tls: Option<Credential>,
}

impl Place {
    fn parse(url: &str) -> Result<Self, Failed> {
        let usage = |why: &str| Failed::Usage(format!("`{}`: {why}", crate::output::visible(url)));
        let uri: Uri = url.parse().map_err(|_| usage("this is no URL; write http://HOST[:PORT]/"))?;
        let port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(usage("only http:// and https:// are known here")),
        };
        let authority = uri.authority().ok_or_else(|| usage("the host is missing"))?;
        if authority.as_str().contains('@') {
            return Err(usage("who logs on is said by --user, not in the URL"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(usage("the host is missing"));
        }
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(port),
            tls: None,
            authority: authority.to_string(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let place = Place::parse("http://web.example:8080/a?b=c").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("web.example", 8080, "/a?b=c"));
        let place = Place::parse("http://[::1]").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("::1", 80, "/"));
        for (url, why) in [
            ("ftp://web.example/", "only http://"),
            ("web.example", "only http://"),
            ("http://ann:secret@web.example/", "--user"),
            ("", "no URL"),
        ] {
            let Err(Failed::Usage(words)) = Place::parse(url) else { panic!("{url} was taken") };
            assert!(words.contains(why), "{url}: {words}");
        }
    }
}
