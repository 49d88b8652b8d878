//! The conversation: what is offered, then token after token over one connection.

use super::Place;
use super::client::{Answer, Connection};
use super::offers::{self, Offer, Token};
use super::report::{Report, Why};
use crate::data::Failed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use portcullis::ntlm::keys::Key;
use portcullis::{Call, Context, Credential, Failure, Handshake, NeedsToken, NoRandomness, Secret, negotiate, ntlm};
use portcullis_server::SchemeName;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// Who logs on, and how.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) domain: String,
    /// The user as typed: Basic sends that.
    pub(super) typed: Secret<String>,
    pub(super) proof: Proof,
    pub(super) scheme: Option<SchemeName>,
    pub(super) target: String,
    pub(super) workstation: String,
    /// Whether Basic may go over any connection.
    pub(super) plaintext: bool,
}

pub(super) enum Proof {
    Password(Secret<String>),
    Hash(Key),
}

/// More legs than this make no sense with any scheme.
const MAX_LEGS: usize = 8;

pub(super) async fn run(
    place: &Place,
    login: Option<Login>,
    patience: Duration,
    mut report: Report,
) -> Result<Report, Failed> {
    let mut connection = Connection::open(place, patience).await?;
    report.over(connection.channel.as_deref())?;
    report.sent(&place.path, None, None)?;
    let answer = connection.ask(None).await?;
    let offered = offers::read(&answer.headers);
    report.received(&answer, &offered, None)?;
    let Some(login) = login else {
        report.only_asked();
        return Ok(report);
    };
    if answer.status != StatusCode::UNAUTHORIZED {
        report.fail(Why::new(
            "the server asks nobody who they are",
            "the first answer was no 401: this path needs no logon, or the server refuses before it asks",
        ));
        return Ok(report);
    }
    let Some(scheme) = choose(login.scheme, &login.proof, &offered) else {
        let wanted =
            login.scheme.map_or_else(|| "a scheme that is known here".to_owned(), |scheme| scheme.name().to_owned());
        report.fail(Why::new(
            &format!("the server does not offer {wanted}"),
            "what it offers stands above; --scheme chooses another",
        ));
        return Ok(report);
    };
    report.scheme = Some(scheme.name());
    // Nothing binds the question to what follows: a server may close its connection behind a 401.
    if !connection.is_open().await {
        connection = Connection::open(place, patience).await?;
    }
    match scheme {
        SchemeName::Basic => basic(place, &login, &mut connection, &mut report).await?,
        SchemeName::NTLM | SchemeName::Negotiate => {
            let mut talk = Talk { place, login: &login, scheme, connection, report: &mut report };
            talk.run(credential(scheme, &login)).await?;
        }
    }
    Ok(report)
}

/// The scheme to use: the named one, or the first that is offered, best first.
fn choose(wanted: Option<SchemeName>, proof: &Proof, offered: &[Offer]) -> Option<SchemeName> {
    let is_offered = |scheme: &SchemeName| offered.iter().any(|offer| offer.is(*scheme));
    let fits = |scheme: &SchemeName| *scheme != SchemeName::Basic || matches!(proof, Proof::Password(_));
    match wanted {
        Some(scheme) => Some(scheme).filter(is_offered),
        None => SchemeName::ALL.into_iter().filter(fits).find(is_offered),
    }
}

fn credential(scheme: SchemeName, login: &Login) -> Credential {
    let mut initiator = match &login.proof {
        Proof::Password(password) => ntlm::Initiator::with_password(&login.user, &login.domain, password),
        Proof::Hash(hash) => ntlm::Initiator::with_nt_hash(&login.user, &login.domain, Secret::new(*hash.expose())),
    };
    initiator.workstation.clone_from(&login.workstation);
    match scheme {
        SchemeName::Negotiate => Credential::initiator(negotiate::Initiator::trying([initiator.into()])),
        SchemeName::NTLM | SchemeName::Basic => Credential::initiator(initiator),
    }
}

/// A plain password (RFC 7617).
async fn basic(
    place: &Place,
    login: &Login,
    connection: &mut Connection<'_>,
    report: &mut Report,
) -> Result<(), Failed> {
    let Proof::Password(password) = &login.proof else { return Ok(()) };
    if !connection.peer.ip().is_loopback() && connection.channel.is_none() && !login.plaintext {
        return Err(Failed::Usage(format!(
            "Basic would send the password in plain to {}, over a connection that others can read; --danger-plaintext does it all the same",
            connection.peer.ip()
        )));
    }
    let typed = login.typed.expose();
    if typed.contains(':') {
        return Err(Failed::Usage("Basic has no place for a colon in the name".to_owned()));
    }
    let pair = Zeroizing::new(format!("{typed}:{}", password.expose()));
    let value = header(SchemeName::Basic, pair.as_bytes())?;
    report.sent(&place.path, Some(format!("Authorization: Basic, {typed} (password not shown)")), None)?;
    let answer = connection.ask(Some(value)).await?;
    let offered = offers::read(&answer.headers);
    report.received(&answer, &offered, None)?;
    match answer.status {
        StatusCode::UNAUTHORIZED => report.fail(refused_by_server()),
        status => ended(report, &answer, status, None),
    }
    Ok(())
}

/// A handshake over one connection.
struct Talk<'t> {
    place: &'t Place,
    login: &'t Login,
    scheme: SchemeName,
    connection: Connection<'t>,
    report: &'t mut Report,
}

/// Where this side stands.
enum Side {
    Waiting(NeedsToken),
    Through(Context),
}

impl Talk<'_> {
    async fn run(&mut self, credential: Credential) -> Result<(), Failed> {
        let mut side = Side::Waiting(credential.begin());
        let mut heard = Vec::new();
        for leg in 0..MAX_LEGS {
            let (next, token) = match side {
                Side::Waiting(waiting) => match self.step(waiting, &heard) {
                    Ok(stepped) => stepped,
                    Err(failure) => {
                        self.report.fail(Why::refused(&failure));
                        return Ok(());
                    }
                },
                Side::Through(_) => {
                    self.report.fail(after_the_end());
                    return Ok(());
                }
            };
            side = next;
            if leg > 0 && !self.connection.is_open().await {
                self.report.fail(Why::new(
                    "the server closed the connection between two messages",
                    "NTLM and Negotiate log on a connection, which must stay open: a proxy or balancer between, or a server that answers with `Connection: close`, breaks them",
                ));
                return Ok(());
            }
            let answer = self.ask(&token).await?;
            let offered = offers::read(&answer.headers);
            let bytes = match offers::token(&offered, self.scheme) {
                Token::None => None,
                Token::Bytes(bytes) => Some(bytes),
                Token::Broken => {
                    self.report.received(&answer, &offered, None)?;
                    self.report.fail(Why::new(
                        "the server's token is no base64",
                        "something between rewrites headers, or the server is broken",
                    ));
                    return Ok(());
                }
            };
            self.report.received(&answer, &offered, bytes.as_deref())?;
            match (answer.status, bytes) {
                (StatusCode::UNAUTHORIZED, Some(bytes)) => heard = bytes,
                (StatusCode::UNAUTHORIZED, None) => {
                    self.report.fail(refused_by_server());
                    return Ok(());
                }
                (_, bytes) => {
                    self.end(side, &answer, bytes);
                    return Ok(());
                }
            }
        }
        self.report.fail(Why::new(
            "the server never comes to an end",
            "it asks for one token after another; its own log may say why",
        ));
        Ok(())
    }

    /// The server let the request through: does this side agree?
    fn end(&mut self, side: Side, answer: &Answer, bytes: Option<Vec<u8>>) {
        let context = match (side, bytes) {
            (Side::Through(context), None) => context,
            // A word after the last: NTLM has none.
            (Side::Through(_), Some(_)) => return self.report.fail(after_the_end()),
            (Side::Waiting(_), None) => {
                return self.report.fail(Why::new(
                    "the server let the request through before the handshake was over",
                    "nothing shows that it knows who asked, nor that it is the server that was meant: this path may need no logon, or the server drops the last token, which belongs on the final answer",
                ));
            }
            (Side::Waiting(waiting), Some(bytes)) => match self.step(waiting, &bytes) {
                Ok((Side::Through(context), token)) if token.is_empty() => context,
                Ok(_) => {
                    return self.report.fail(Why::new(
                        "the server let the request through before the handshake was over",
                        "its last token asks for another answer of this side, and there is no leg left for it",
                    ));
                }
                Err(failure) => return self.report.fail(Why::refused(&failure)),
            },
        };
        ended(self.report, answer, answer.status, Some(&context));
    }

    fn step(&mut self, waiting: NeedsToken, token: &[u8]) -> Result<(Side, Vec<u8>), Failure> {
        let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
        let (mut events, mut out) = ((), Vec::new());
        let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        call.target = Some(&self.login.target);
        call.bindings = self.connection.bindings();
        let side = match waiting.token(token, call)? {
            Handshake::NeedsToken(next) => Side::Waiting(next),
            Handshake::Established(context) => Side::Through(context),
            // An initiator asks nothing: it brings its proof.
            _ => return Err(portcullis::CallCause::WrongInput.into()),
        };
        Ok((side, out))
    }

    async fn ask(&mut self, token: &[u8]) -> Result<Answer, Failed> {
        let value = header(self.scheme, token)?;
        let credentials = format!("Authorization: {}", self.scheme.name());
        self.report.sent(&self.place.path, Some(credentials), Some(token))?;
        self.connection.ask(Some(value)).await
    }
}

fn header(scheme: SchemeName, token: &[u8]) -> Result<HeaderValue, Failed> {
    let text = Zeroizing::new(format!("{} {}", scheme.name(), STANDARD.encode(token)));
    let mut value = HeaderValue::from_str(&text).map_err(|error| Failed::Failed(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The server asked who, and goes on.
fn ended(report: &mut Report, answer: &Answer, status: StatusCode, context: Option<&Context>) {
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        || status == StatusCode::BAD_REQUEST
        || status.is_server_error()
    {
        report.fail(Why::new(
            &format!("the server answers {status}"),
            "that is no answer to a logon: the server, or something before it, could not carry the request out",
        ));
        return;
    }
    report.succeed(answer, context);
}

fn refused_by_server() -> Why {
    Why::new(
        "the server refuses",
        "a wrong name or password, an account that may not log on, or a policy that is not met (a signature, channel bindings, the target's name). A server tells a client no more; its own log has the cause",
    )
}

fn after_the_end() -> Why {
    Why::new(
        "the server goes on after the last token",
        "it sent another token although the handshake was over: it is broken, or something between repeats its messages",
    )
}
