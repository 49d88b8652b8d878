use super::stream::TlsStream;
use crate::decision::Attempt;
use crate::listen::linger;
use crate::random::SystemRandom;
use crate::server::Core;
use portcullis::{Call, CallCause, Cause, Context, Failure, Handshake, HostCause, Inbound, schannel};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A client whose handshake is through.
pub(crate) struct Accepted<S> {
    pub(crate) stream: TlsStream<S>,
    pub(crate) attempt: Attempt,
}

/// Brings a handshake over a connection to its end, or says why it failed; `None` where the client left without a word.
pub(crate) async fn accept<S>(
    mut io: S,
    core: &Core,
    mut attempt: Attempt,
    patience: Duration,
) -> Result<Accepted<S>, Option<(Attempt, Failure)>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shaken = tokio::time::timeout(patience, shake(&mut io, core, &mut attempt)).await;
    match shaken {
        Ok(Ok((context, extra))) => Ok(Accepted { stream: TlsStream::new(io, context, extra), attempt }),
        Ok(Err(None)) => Err(None),
        Ok(Err(Some(failure))) => {
            farewell(io, &failure).await;
            Err(Some((attempt, failure)))
        }
        Err(_) => Err(Some((attempt, HostCause::HandshakeTimeout.into()))),
    }
}

/// What is read at once.
const CHUNK: usize = 4 << 10;

/// How much of a stream is kept before it is used: more than the longest record.
const MOST: usize = 32 << 10;

async fn shake<S>(io: &mut S, core: &Core, attempt: &mut Attempt) -> Result<(Context, Vec<u8>), Option<Failure>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(tls) = &core.tls else { return Err(Some(CallCause::WrongInput.into())) };
    let mut waiting = tls.credential.begin();
    let (mut pending, mut out) = (Vec::with_capacity(CHUNK), Vec::new());
    let (mut begun, mut hungry) = (false, true);
    loop {
        if hungry || pending.is_empty() {
            pending.reserve(CHUNK);
            match io.read_buf(&mut pending).await {
                Ok(0) | Err(_) if !begun => return Err(None),
                Ok(0) | Err(_) => return Err(Some(schannel::Cause::Truncated.into())),
                Ok(_) if pending.len() > MOST => return Err(Some(schannel::Cause::TooLarge.into())),
                Ok(_) => begun = true,
            }
        }
        let mut inbound = Inbound::new(&pending);
        let mut at = waiting.stream(&mut inbound, call(attempt, &mut SystemRandom, &mut out));
        if let Ok(Handshake::NeedsAnswer(asking)) = at {
            let answer = core.authority.answer(asking.question()).await;
            at = asking.answer(answer, call(attempt, &mut SystemRandom, &mut out));
        }
        let used = inbound.used();
        // Said also when it failed: the alert.
        if !out.is_empty() {
            let sent = io.write_all(&out).await;
            out.clear();
            if sent.is_err() && at.is_ok() {
                return Err(None);
            }
        }
        pending.drain(..used);
        (waiting, hungry) = match at.map_err(Some)? {
            Handshake::NeedsToken(next) => (next, used == 0),
            Handshake::Incomplete { again, .. } => (again, true),
            Handshake::Established(context) => return Ok((context, pending)),
            // A state that this server has no part in cannot come of the credential that it makes.
            _ => return Err(Some(CallCause::WrongInput.into())),
        };
    }
}

fn call<'a>(attempt: &'a mut Attempt, random: &'a mut SystemRandom, out: &'a mut Vec<u8>) -> Call<'a> {
    let peer = attempt.client;
    let mut call = Call::new(SystemTime::now(), random, attempt, out);
    call.peer = Some(peer);
    call
}

/// Says in plain words what a client does wrong that speaks HTTP here, and ends.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, failure: &Failure) {
    const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Connection: close\r\nContent-Length: 59\r\n\r\nThis port speaks TLS: the address must begin with https://\n";
    if failure.cause == Cause::Schannel(schannel::Cause::Http) {
        let _ = io.write_all(PLAIN).await;
    }
    // A client that still sends would lose the alert to a reset.
    linger(io).await;
}
