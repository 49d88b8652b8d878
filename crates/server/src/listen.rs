//! Takes connections, and serves each in a task of its own.

use crate::config::Limits;
use crate::http::{self, Channel, Connection};
use crate::server::Shared;
use crate::watch::{Activity, Watched};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
            serve(stream, connection, stopped).await;
            drop(alive);
        });
    }
}

async fn serve(stream: TcpStream, connection: Connection, mut stopped: watch::Receiver<bool>) {
    // Each answer is one small write: waiting for more only makes a three-legged handshake slow.
    let _ = stream.set_nodelay(true);
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
            () = &mut overdue => return,
            () = close.notified() => return,
        }
    }
    linger(connection.into_parts().io.into_inner().stream).await;
}

/// Ends a connection so that its last answer arrives. Closing while the client still sends would make the system send
/// a reset, and the client's system would throw away what it had not read yet.
async fn linger(mut stream: TcpStream) {
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
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (connection, activity) = (Arc::clone(&self.connection), Arc::clone(&self.activity));
        Box::pin(async move {
            activity.busy();
            let answer = http::answer(&connection, request).await;
            activity.idle();
            Ok(answer)
        })
    }
}
