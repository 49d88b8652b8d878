use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::time::Duration;

/// What became of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// It was read to its end: the connection can go on.
    Whole,
    /// It is longer than the bound, too slow, or broken: the connection must close after the answer.
    Left,
}

/// Reads a body and drops it, so that the next request of the connection can be read. A body that says beforehand that
/// it is too long is not begun: a client that waits for `100 Continue` then never sends it.
pub(crate) async fn drain<B>(mut body: B, bound: u64, patience: Duration) -> Drained
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Drained::Whole;
    }
    if body.size_hint().lower() > bound {
        return Drained::Left;
    }
    let read = async {
        let mut total = 0_u64;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Drained::Left };
            total = total.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
            if total > bound {
                return Drained::Left;
            }
        }
        Drained::Whole
    };
    tokio::time::timeout(patience, read).await.unwrap_or(Drained::Left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    #[tokio::test]
    async fn a_body_within_the_bound_is_read_whole() {
        let second = Duration::from_secs(1);
        let body = || Full::new(Bytes::from_static(b"12345678"));
        assert_eq!(drain(body(), 8, second).await, Drained::Whole);
        assert_eq!(drain(body(), 7, second).await, Drained::Left);
        assert_eq!(drain(http_body_util::Empty::new(), 0, second).await, Drained::Whole);
    }
}
