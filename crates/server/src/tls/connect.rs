use super::stream::TlsStream;
use crate::random::SystemRandom;
use portcullis::{Call, CallCause, Credential, Failure, Handshake, Inbound, schannel};
use std::time::SystemTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Brings a client's handshake with `host` over a connection to its end.
///
/// # Errors
/// Why this side refuses; `schannel/truncated` where the server ends the connection.
pub async fn connect_tls<S>(mut io: S, credential: &Credential, host: &str) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let gone = || Failure::from(schannel::Cause::Truncated);
    let (mut waiting, mut pending) = (credential.begin(), Vec::new());
    loop {
        let mut out = Vec::new();
        let mut inbound = Inbound::new(&pending);
        let (mut random, mut events) = (SystemRandom, ());
        let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        call.target = Some(host);
        let at = waiting.stream(&mut inbound, call);
        let used = inbound.used();
        let sent = io.write_all(&out).await;
        pending.drain(..used);
        waiting = match at? {
            Handshake::NeedsToken(next) | Handshake::Incomplete { again: next, .. } => next,
            Handshake::Established(context) => return Ok(TlsStream::new(io, context, pending)),
            _ => return Err(CallCause::WrongInput.into()),
        };
        sent.map_err(|_| gone())?;
        if used == 0 || pending.is_empty() {
            match io.read_buf(&mut pending).await {
                Ok(0) | Err(_) => return Err(gone()),
                Ok(_) => {}
            }
        }
    }
}
