//! Messages whose tokens are of any length: Kerberos'. A piece is a length (four bytes, big-endian) and bytes.

use portcullis::{CallCause, Context, Failure, Segment};

/// Reads a message, opens it, and gives the reply: every text reversed.
pub(super) fn answer(context: &mut Context, frame: &[u8]) -> Result<Vec<u8>, Failure> {
    let (&kind, rest) = frame.split_first().ok_or_else(bad)?;
    match kind {
        b'S' => {
            let [mut token, mut text] = pieces(rest)?;
            context.verify(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
            text.reverse();
            let mut token = room(context.facts().sizes.max_signature)?;
            let len = context.sign(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
            token.truncate(len);
            reply(kind, &[&token, &text])
        }
        b'E' | b'P' => {
            let [mut token] = pieces(rest)?;
            let opened = context.unseal(&mut [Segment::Stream(&mut token)])?;
            if opened.enciphered != (kind == b'E') {
                return Err(bad());
            }
            let text = opened.data.and_then(|range| token.get(range)).ok_or_else(bad)?;
            let mut wrapped = Vec::new();
            context.wrap(&reversed(text), opened.enciphered, &mut wrapped)?;
            reply(kind, &[&wrapped])
        }
        b'M' => {
            let [mut token, mut head, mut text] = pieces(rest)?;
            let parts = &mut [Segment::Token(&mut token), Segment::SignOnly(&head), Segment::Data(&mut text)];
            if !context.unseal(parts)?.enciphered {
                return Err(bad());
            }
            head.reverse();
            text.reverse();
            let mut token = room(context.facts().sizes.security_trailer)?;
            let parts = &mut [Segment::Token(&mut token), Segment::SignOnly(&head), Segment::Data(&mut text)];
            let len = context.seal(parts)?;
            token.truncate(len);
            reply(kind, &[&token, &head, &text])
        }
        _ => Err(bad()),
    }
}

fn bad() -> Failure {
    CallCause::BadBuffers.into()
}

fn room(len: u32) -> Result<Vec<u8>, Failure> {
    usize::try_from(len).map(|len| vec![0; len]).map_err(|_| bad())
}

fn reversed(text: &[u8]) -> Vec<u8> {
    text.iter().rev().copied().collect()
}

/// As many pieces as are wanted, and nothing behind them.
fn pieces<const COUNT: usize>(mut rest: &[u8]) -> Result<[Vec<u8>; COUNT], Failure> {
    let mut pieces = [const { Vec::new() }; COUNT];
    for piece in &mut pieces {
        let (len, behind) = rest.split_first_chunk().ok_or_else(bad)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| bad())?;
        let (bytes, behind) = behind.split_at_checked(len).ok_or_else(bad)?;
        piece.extend_from_slice(bytes);
        rest = behind;
    }
    if rest.is_empty() { Ok(pieces) } else { Err(bad()) }
}

fn reply(kind: u8, pieces: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    let mut reply = vec![kind];
    for piece in pieces {
        reply.extend_from_slice(&u32::try_from(piece.len()).map_err(|_| bad())?.to_be_bytes());
        reply.extend_from_slice(piece);
    }
    Ok(reply)
}
