//! What is printed: each leg as it goes, then what came of it.

use super::client::Answer;
use super::offers::Offer;
use crate::data::Failed;
use crate::output::visible;
use portcullis::{Context, Facts, Failure};
use portcullis_diagnose::Decoded;
use portcullis_wire::x509::Certificate;
use serde::Serialize;
use std::io::Write as _;

/// Everything that was said, and the end.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    url: String,
    /// What TLS agreed on, where there is TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    /// The scheme that was used; none where it was only asked what is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scheme: Option<&'static str>,
    legs: Vec<Leg>,
    /// Whether the server let the user in and this side agrees.
    authenticated: bool,
    /// The last answer's status.
    status: Option<u16>,
    /// What this side knows of the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Established>,
    /// The last answer's body, where it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<serde_json::Value>,
    /// The server's name for this decision, in its logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    /// Why not, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
    #[serde(skip)]
    json: bool,
    #[serde(skip)]
    asked_only: bool,
}

#[derive(Debug, Serialize)]
struct Tls {
    version: &'static str,
    cipher_suite: &'static str,
    certificate: String,
    verified: bool,
}

#[derive(Debug, Serialize)]
struct Leg {
    direction: &'static str,
    line: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Decoded>,
}

#[derive(Debug, Serialize)]
struct Established {
    package: &'static str,
    mechanism: &'static str,
    version: &'static str,
    flags: Vec<&'static str>,
    target: String,
}

/// Why it did not come to a logon.
#[derive(Debug, Serialize)]
pub(super) struct Why {
    cause: String,
    advice: String,
}

impl Why {
    pub(super) fn new(cause: &str, advice: impl Into<String>) -> Self {
        Self { cause: cause.to_owned(), advice: advice.into() }
    }

    /// This side refused.
    pub(super) fn refused(failure: &Failure) -> Self {
        Self::new(&failure.cause.to_string(), failure.cause.advice())
    }
}

impl Report {
    /// What TLS agreed on.
    pub(super) fn over(&mut self, facts: Option<&Facts>) -> Result<(), Failed> {
        let Some(channel) = facts.and_then(|facts| facts.channel.as_deref()) else { return Ok(()) };
        let subject = channel.peer_certificates.first().and_then(|der| Certificate::decode(der).ok());
        let certificate = subject.map_or_else(String::new, |certificate| certificate.subject.to_string());
        let tls = Tls {
            version: channel.version.name(),
            cipher_suite: channel.suite.name,
            certificate: visible(&certificate),
            verified: channel.verified,
        };
        if !self.json {
            let verified = if tls.verified { "verified" } else { "not verified" };
            println!("over {} with {}, certificate {} ({verified})", tls.version, tls.cipher_suite, tls.certificate);
        }
        self.tls = Some(tls);
        Ok(())
    }

    pub(super) fn new(url: String, json: bool) -> Self {
        Self {
            url,
            tls: None,
            scheme: None,
            legs: Vec::new(),
            authenticated: false,
            status: None,
            context: None,
            answer: None,
            correlation_id: None,
            why: None,
            json,
            asked_only: false,
        }
    }

    /// A request.
    pub(super) fn sent(&mut self, path: &str, credentials: Option<String>, token: Option<&[u8]>) -> Result<(), Failed> {
        self.leg(Leg {
            direction: "sent",
            line: format!("GET {path} HTTP/1.1"),
            offers: Vec::new(),
            credentials,
            token: token.map(portcullis_diagnose::decode),
        })
    }

    /// An answer.
    pub(super) fn received(&mut self, answer: &Answer, offers: &[Offer], token: Option<&[u8]>) -> Result<(), Failed> {
        self.status = Some(answer.status.as_u16());
        let id = answer.headers.get("x-correlation-id").and_then(|value| value.to_str().ok());
        self.correlation_id = id.map(str::to_owned).or(self.correlation_id.take());
        // A token stands decoded below its offer.
        let is_token =
            |offer: &Offer| token.is_some() && self.scheme.is_some_and(|name| name.eq_ignore_ascii_case(&offer.scheme));
        let shown =
            |offer: &Offer| if is_token(offer) { format!("{} (token)", offer.scheme) } else { offer.to_string() };
        let offers = offers.iter().map(shown).collect();
        self.leg(Leg {
            direction: "received",
            line: answer.status.to_string(),
            offers,
            credentials: None,
            token: token.map(portcullis_diagnose::decode),
        })
    }

    fn leg(&mut self, leg: Leg) -> Result<(), Failed> {
        if !self.json {
            let arrow = if leg.direction == "sent" { '>' } else { '<' };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{arrow} {}", visible(&leg.line))?;
            for offer in &leg.offers {
                writeln!(out, "{arrow}   WWW-Authenticate: {}", visible(offer))?;
            }
            if let Some(credentials) = &leg.credentials {
                writeln!(out, "{arrow}   {}", visible(credentials))?;
            }
            if let Some(token) = &leg.token {
                token.to_string().lines().try_for_each(|line| writeln!(out, "{arrow}   {line}"))?;
            }
            out.flush()?;
        }
        self.legs.push(leg);
        Ok(())
    }

    /// The server let the user in.
    pub(super) fn succeed(&mut self, answer: &Answer, context: Option<&Context>) {
        self.authenticated = true;
        self.answer = serde_json::from_slice(&answer.body).ok();
        self.context = context.map(|context| {
            let facts = context.facts();
            Established {
                package: facts.package.name,
                mechanism: facts.mechanism().name,
                version: facts.version,
                flags: facts.granted.names().collect(),
                target: facts.claim.target().to_owned(),
            }
        });
    }

    pub(super) fn fail(&mut self, why: Why) {
        self.why = Some(why);
    }

    /// It was only asked what is offered.
    pub(super) fn only_asked(&mut self) {
        self.asked_only = true;
    }

    /// Prints the end; the error is the exit code's.
    pub(super) fn finish(self) -> Result<(), Failed> {
        if self.json {
            let text = serde_json::to_string_pretty(&self).map_err(|error| Failed::Failed(error.to_string()))?;
            writeln!(std::io::stdout().lock(), "{text}")?;
        } else if self.authenticated {
            self.say_who()?;
        }
        match (&self.why, self.authenticated || self.asked_only) {
            (None, true) => Ok(()),
            (Some(why), _) => {
                let id = self.correlation_id.as_ref();
                let id = id.map_or_else(String::new, |id| format!("\n  the server's logs name this {}", visible(id)));
                Err(Failed::Failed(format!("not logged on: {}\n  {}{id}", why.cause, why.advice)))
            }
            (None, false) => Err(Failed::Failed("not logged on".to_owned())),
        }
    }

    fn say_who(&self) -> Result<(), Failed> {
        let mut out = std::io::stdout().lock();
        let said = |name: &str| self.answer.as_ref()?.get(name)?.as_str().map(visible);
        match (said("domain"), said("name")) {
            (Some(domain), Some(name)) => writeln!(out, "logged on: the server says {domain}\\{name}")?,
            _ => writeln!(out, "logged on: the server answers {}", self.status.unwrap_or_default())?,
        }
        if let Some(context) = &self.context {
            let flags = context.flags.join(" ");
            writeln!(out, "  {} by {}, {}; {flags}", context.package, context.mechanism, context.version)?;
        }
        Ok(())
    }
}
