//! One HTTP/1.1 connection: NTLM and Negotiate log a connection on, so which one it is must be known.

use super::Place;
use crate::data::Failed;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use portcullis::{ChannelBindings, Facts};
use portcullis_server::connect_tls;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer's body longer than this is not read.
const MAX_BODY: usize = 1024 * 1024;

/// A connection to the server.
pub(super) struct Connection<'p> {
    place: &'p Place,
    patience: Duration,
    sender: http1::SendRequest<Empty<Bytes>>,
    /// The other end.
    pub(super) peer: SocketAddr,
    /// What TLS agreed on, where there is TLS.
    pub(super) channel: Option<Arc<Facts>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<'p> Connection<'p> {
    pub(super) async fn open(place: &'p Place, patience: Duration) -> Result<Self, Failed> {
        let to = format!("{}:{}", place.host, place.port);
        let connect = TcpStream::connect((place.host.as_str(), place.port));
        let stream = match timeout(patience, connect).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("cannot connect to {to}: {error}; is the server there?").into()),
            Err(_) => return Err(late(&format!("{to} does not take the connection"), patience)),
        };
        let peer = stream.peer_addr()?;
        let Some(credential) = &place.tls else {
            let sender = speak(stream, &to).await?;
            return Ok(Self { place, patience, sender, peer, channel: None });
        };
        let stream = match timeout(patience, connect_tls(stream, credential, &place.host)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(failure)) => {
                return Err(format!("{to}: no TLS with this server: {failure}: {}", failure.cause.advice()).into());
            }
            Err(_) => return Err(late(&format!("{to} does not finish the TLS handshake"), patience)),
        };
        let channel = Some(stream.context().share_facts());
        Ok(Self { place, patience, sender: speak(stream, &to).await?, peer, channel })
    }

    /// What a handshake binds itself to.
    pub(super) fn bindings(&self) -> Option<&ChannelBindings> {
        self.channel.as_ref()?.channel.as_ref()?.end_point.as_deref()
    }

    /// Whether the connection can take another request. NTLM needs that it does.
    pub(super) async fn is_open(&mut self) -> bool {
        matches!(timeout(Duration::from_millis(200), self.sender.ready()).await, Ok(Ok(())))
    }

    /// Asks once, with these credentials.
    pub(super) async fn ask(&mut self, authorization: Option<HeaderValue>) -> Result<Answer, Failed> {
        let mut request = Request::get(&self.place.path)
            .header(HOST, &self.place.authority)
            .header(USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json, */*;q=0.1")
            .body(Empty::new())
            .map_err(|error| Failed::Failed(error.to_string()))?;
        if let Some(value) = authorization {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let sender = &mut self.sender;
        let exchange = async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, hyper::Error>((head, Limited::new(body, MAX_BODY).collect().await))
        };
        let from = &self.place.authority;
        match timeout(self.patience, exchange).await {
            Err(_) => Err(late(&format!("{from} does not answer"), self.patience)),
            Ok(Err(error)) => Err(said(from, &error).into()),
            Ok(Ok((_, Err(error)))) => Err(format!("{from}: the answer's body cannot be read: {error}").into()),
            Ok(Ok((head, Ok(body)))) => {
                Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
            }
        }
    }
}

/// Speaks HTTP over a stream.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    to: &str,
) -> Result<http1::SendRequest<Empty<Bytes>>, Failed> {
    let opened = http1::Builder::new().max_headers(100).max_buf_size(64 * 1024).handshake(TokioIo::new(stream));
    let (sender, connection) = opened.await.map_err(|error| format!("{to}: {error}"))?;
    // Its errors show where an answer is waited for.
    tokio::spawn(connection);
    Ok(sender)
}

fn late(what: &str, patience: Duration) -> Failed {
    Failed::Failed(format!("{what} within {} s (--timeout)", patience.as_secs()))
}

/// What went wrong on a connection, for people.
fn said(from: &str, error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return format!("{from} closed the connection without an answer");
    }
    if error.is_parse() {
        return format!("{from} does not answer in HTTP/1.1, or with more headers than are read: {error}");
    }
    format!("{from}: {error}")
}
