//! Takes connections, and serves each in a task of its own.

use crate::config::Limits;
use crate::decision::{Attempt, CorrelationId};
use crate::http::{self, Channel, Connection};
use crate::server::{Endpoint, Shared};
use crate::tls::{self, Accepted, TlsChannel, TlsStream};
use crate::watch::{Activity, Watched};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};

/// After an accept that failed for want of open files or memory.
const RECOVERY: Duration = Duration::from_millis(50);
/// How long, and how much, is read of a client that still sends while its connection closes.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 4 << 20;

/// Listens, outside any runtime: whoever binds may give up the right to before threads start.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    // The standard library sets SO_REUSEADDR on Unix, and asks for the longest queue that the system gives.
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

pub(crate) async fn accept(
    listener: TcpListener,
    endpoint: Endpoint,
    shared: Arc<Shared>,
    limit: usize,
    mut stopped: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(RECOVERY).await;
                continue;
            }
        };
        let close = Arc::new(Notify::new());
        let Some(registration) = shared.connections.register(limit, peer.ip(), &close) else {
            tracing::warn!(%peer, limit, "no place for another connection; raise limits.connections or the open-files limit");
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        let connection = Connection {
            shared: Arc::clone(&shared),
            peer,
            local,
            channel: Channel::between(peer, local),
            registration,
            close,
            standing: Default::default(),
        };
        let (stopped, alive) = (stopped.clone(), alive.clone());
        tokio::spawn(async move {
            // Each answer is one small write: waiting for more only makes a three-legged handshake slow.
            let _ = stream.set_nodelay(true);
            match endpoint {
                Endpoint::Http => serve_http1(stream, connection, stopped).await,
                Endpoint::Https => serve_tls(stream, connection, stopped).await,
            }
            drop(alive);
        });
    }
}

/// Brings the TLS handshake to its end, and then serves what client and server agreed to speak.
async fn serve_tls(stream: TcpStream, mut connection: Connection, mut stopped: watch::Receiver<bool>) {
    let core = connection.shared.core();
    let Some(correlation_id) = CorrelationId::new() else { return };
    let attempt = Attempt::new(correlation_id, connection.peer, connection.local, "Schannel");
    let close = Arc::clone(&connection.close);
    let accepted = tokio::select! {
        accepted = tls::accept(stream, &core, attempt, core.config.limits.handshake()) => accepted,
        () = close.notified() => return,
        _ = stopped.changed() => return,
    };
    let Accepted { stream, attempt } = match accepted {
        Ok(accepted) => accepted,
        Err(None) => return,
        Err(Some((attempt, failure))) => {
            core.refuse(attempt, &failure);
            return;
        }
    };
    let facts = stream.context().share_facts();
    let Some(channel) = facts.channel.clone() else { return };
    let correlation_id = attempt.correlation_id.clone();
    // A logon by certificate is one more decision; a channel whose client shows none is none.
    if let Some(refusal) = channel.unmapped {
        core.refuse(attempt, &refusal.into());
    } else if facts.account.is_some() {
        let decision = attempt.established(&facts);
        if let Err(failure) = core.decide(&decision) {
            core.refuse(decision.attempt, &failure);
            return;
        }
        connection.registration.settle();
    }
    connection.channel = Channel::Tls(Arc::new(TlsChannel::new(facts, correlation_id)));
    match channel.application_protocol.as_deref() {
        Some(b"h2") => serve_http2(stream, connection, stopped).await,
        _ => serve_http1(stream, connection, stopped).await,
    }
}

async fn serve_http1<S>(stream: S, connection: Connection, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits: Limits = connection.shared.core().config.limits.clone();
    let (activity, close) = (Activity::new(), Arc::clone(&connection.close));
    let io = TokioIo::new(Watched { stream, activity: Arc::clone(&activity) });
    let service = PerConnection { connection: Arc::new(connection), activity: Arc::clone(&activity) };
    let mut connection = http1::Builder::new()
        .half_close(true)
        .header_read_timeout(None)
        // Above what is answered in plain words (`header_bytes`), so that those words can be said.
        .max_buf_size(limits.header_bytes.saturating_mul(2).max(64 << 10))
        .serve_connection(io, service);
    let mut overdue = pin!(activity.overdue(&limits));
    let mut stopping = *stopped.borrow();
    if stopping {
        Pin::new(&mut connection).graceful_shutdown();
    }
    loop {
        tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                break;
            }
            _ = stopped.changed(), if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            () = &mut overdue => return end(connection.into_parts().io.into_inner().stream).await,
            () = close.notified() => return end(connection.into_parts().io.into_inner().stream).await,
        }
    }
    linger(connection.into_parts().io.into_inner().stream).await;
}

/// Ends a connection at once: with a last word where the protocol has one, and without waiting for the client.
async fn end(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = tokio::time::timeout(LINGER, stream.shutdown()).await;
}

/// Requests of one client at a time over HTTP/2.
const STREAMS: u32 = 100;

async fn serve_http2(stream: TlsStream<TcpStream>, connection: Connection, mut stopped: watch::Receiver<bool>) {
    let limits: Limits = connection.shared.core().config.limits.clone();
    // Frames between requests are no beginnings of requests: hyper itself bounds how long headers take.
    let (activity, close) = (Activity::without_headers(), Arc::clone(&connection.close));
    let io = TokioIo::new(Watched { stream, activity: Arc::clone(&activity) });
    let service = PerConnection { connection: Arc::new(connection), activity: Arc::clone(&activity) };
    let headers = u32::try_from(limits.header_bytes.saturating_mul(2).max(64 << 10)).unwrap_or(u32::MAX);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(headers)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let mut overdue = pin!(activity.overdue(&limits));
    let mut stopping = *stopped.borrow();
    if stopping {
        connection.as_mut().graceful_shutdown();
    }
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            _ = stopped.changed(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut overdue => break,
            () = close.notified() => break,
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(LINGER, connection).await;
}

/// Ends a connection so that its last answer arrives. Closing while the client still sends would make the system send
/// a reset, and the client's system would throw away what it had not read yet.
pub(crate) async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = stream.take(LINGER_BYTES);
    let mut sink = [0; 16 << 10];
    let _ =
        tokio::time::timeout(LINGER, async { while rest.read(&mut sink).await.is_ok_and(|read| read > 0) {} }).await;
}

struct PerConnection {
    connection: Arc<Connection>,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for PerConnection {
    type Response = Response<Full<Bytes>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (connection, activity) = (Arc::clone(&self.connection), Arc::clone(&self.activity));
        Box::pin(async move {
            let _busy = Busy::with(activity);
            let (head, body) = request.into_parts();
            if http::needs_http11(&connection, &head) {
                // It ends the request's stream with this code; the connection goes on.
                return Err(h2::Error::from(h2::Reason::HTTP_1_1_REQUIRED).into());
            }
            Ok(http::answer(&connection, Request::from_parts(head, body)).await)
        })
    }
}

/// A request is being answered; also one that is given up.
struct Busy(Arc<Activity>);

impl Busy {
    fn with(activity: Arc<Activity>) -> Self {
        activity.busy();
        Self(activity)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle();
    }
}
