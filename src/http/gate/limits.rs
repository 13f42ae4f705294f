//! Limits on a request's size and duration.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use poem::http::{Version, header};
use poem::{Body, Request};
use tokio::time::Instant;

use crate::error::AppError;
use crate::http::wire::refusal::Refusal;
use crate::quota::{BodyLease, Quota};

/// Maximum length of an address, in bytes.
const MAX_ADDRESS: usize = 8 * 1024;

/// Maximum total size of the headers, in bytes.
const MAX_HEADERS: usize = 64 * 1024;

/// How slow a body may be. A phone on a poor connection may take minutes for an upload; a client
/// that only wants to hold a connection sends as little as it can.
const BODY_PACE: Pace =
    Pace { idle: Duration::from_secs(15), grace: Duration::from_secs(20), bytes_per_second: 500 };

/// The minimum speed required of a sender.
#[derive(Clone, Copy)]
struct Pace {
    /// Maximum time without a byte.
    idle: Duration,
    /// How long after the body's beginning the average starts to count.
    grace: Duration,
    /// Minimum average speed.
    bytes_per_second: u64,
}

impl Pace {
    /// When a body that began at `begun` becomes late, given that byte number `bytes` has just
    /// arrived.
    fn deadline(self, begun: Instant, bytes: usize) -> Instant {
        let paid_for = Duration::from_millis(bytes as u64 * 1000 / self.bytes_per_second);
        (Instant::now() + self.idle).min(begun + self.grace.max(paid_for))
    }
}

/// How much of a refused body is read and discarded, and for how long, so that its sender can read
/// the refusal instead of finding the connection reset.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Refuses an address or headers that are too large.
pub fn check_size(request: &Request) -> Result<(), Refusal> {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > MAX_ADDRESS {
        return Err(Refusal::AddressTooLong);
    }
    let headers = request.headers().iter();
    let size: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEADERS { Err(Refusal::HeadersTooLarge) } else { Ok(()) }
}

/// Reads the request's body, at most `limit` bytes, within `room`. A compressed body is refused:
/// inflated, it could be a thousand times as large.
pub async fn take_body(
    request: &mut Request,
    limit: usize,
    quota: &Quota,
    room: &mut BodyLease,
) -> poem::Result<Bytes> {
    let headers = request.headers();
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refusal::EncodedBody.into());
    }
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_none() && !is_chunked(request) {
        return Ok(Bytes::new());
    }
    if declared.is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge(limit).into());
    }
    let mut stream = request.take_body().into_bytes_stream();
    // Reserves the declared length, so that a large upload is not copied as it grows.
    let mut bytes = BytesMut::with_capacity(declared.unwrap_or(0));
    match read(&mut stream, &mut bytes, limit, quota, room).await {
        Ok(()) => Ok(bytes.freeze()),
        Err(refusal) => {
            request.set_body(Body::from_bytes_stream(stream));
            Err(refusal)
        }
    }
}

/// Reads `stream` into `bytes`, at most `limit` and at [`BODY_PACE`].
async fn read(
    stream: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
    bytes: &mut BytesMut,
    limit: usize,
    quota: &Quota,
    room: &mut BodyLease,
) -> poem::Result<()> {
    let begun = Instant::now();
    loop {
        let deadline = BODY_PACE.deadline(begun, bytes.len());
        let Ok(next) = tokio::time::timeout_at(deadline, stream.next()).await else {
            return Err(Refusal::BodyTimeout.into());
        };
        let Some(chunk) = next else { return Ok(()) };
        let chunk = chunk.map_err(|_| Refusal::BodyBroken)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Refusal::BodyTooLarge(limit).into());
        }
        quota.grow(room, bytes.len() + chunk.len()).await.map_err(AppError::from)?;
        bytes.extend_from_slice(&chunk);
    }
}

/// Whether a body of undeclared length may follow. In HTTP/2 that needs no header.
fn is_chunked(request: &Request) -> bool {
    request.version() == Version::HTTP_2
        || request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// Reads the rest of a body for a while, in the background. A client that waits for `100 Continue`
/// sends nothing and needs no draining; in HTTP/2 only the stream is reset.
pub fn drain(request: &mut Request) {
    let headers = request.headers();
    let has_body = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    if !has_body || headers.contains_key(header::EXPECT) || request.version() == Version::HTTP_2 {
        return;
    }
    let mut stream = request.take_body().into_bytes_stream();
    tokio::spawn(async move {
        let read = async {
            let mut left = DRAIN_BYTES;
            while let Some(Ok(chunk)) = stream.next().await {
                match left.checked_sub(chunk.len()) {
                    Some(rest) => left = rest,
                    None => break,
                }
            }
        };
        // Whether the end was reached makes no difference.
        let _ = tokio::time::timeout(DRAIN_PATIENCE, read).await;
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ClientKey;
    use crate::quota::QuotaLimits;

    /// Reads a body of chunks, each `(milliseconds after the previous one, bytes)`, and returns
    /// when and how that ended. `declared` is its Content-Length.
    async fn take(
        chunks: Vec<(u64, usize)>,
        declared: Option<usize>,
        limit: usize,
    ) -> (u128, Result<usize, u16>) {
        let begun = Instant::now();
        let body = stream::iter(chunks).then(|(wait, bytes)| async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            Ok::<_, io::Error>(vec![b'x'; bytes])
        });
        let request = match declared {
            Some(length) => Request::builder().header("content-length", length),
            None => Request::builder().header("transfer-encoding", "chunked"),
        };
        let mut request = request.body(Body::from_bytes_stream(body));
        let quota = Quota::new(QuotaLimits::default(), Arc::default());
        let mut room = quota.body(ClientKey::V4(1));
        let taken = take_body(&mut request, limit, &quota, &mut room).await;
        let taken = taken.map(|body| body.len()).map_err(|error| error.status().as_u16());
        (begun.elapsed().as_millis(), taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_at_most_limit_bytes() {
        for declared in [false, true] {
            for (bytes, expected) in [(9, Ok(9)), (10, Ok(10)), (11, Err(413))] {
                let declared = declared.then_some(bytes);
                let chunks = vec![(0, bytes - 1), (0, 1)];
                assert_eq!(take(chunks, declared, 10).await.1, expected, "{declared:?}");
            }
        }
        // A declared length is refused before anything has arrived.
        assert_eq!(take(vec![(60_000, 11)], Some(11), 10).await, (0, Err(413)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_a_byte_for_15_s_is_late() {
        assert_eq!(take(vec![(14_999, 15_000), (14_999, 1)], None, 99_999).await.1, Ok(15_001));
        assert_eq!(take(vec![(15_001, 5)], None, 99).await, (15_000, Err(408)));
        let stopped = take(vec![(10, 50_000), (10, 1), (60_000, 1)], None, 99_999).await;
        assert_eq!(stopped, (15_020, Err(408)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_under_500_bytes_a_second_is_late_after_20_s() {
        // Ten megabytes at 40 kB/s take four minutes, which is allowed.
        let slow = vec![(1000, 40_000); 250];
        assert_eq!(take(slow, None, 10_000_000).await, (250_000, Ok(10_000_000)));
        assert_eq!(take(vec![(1000, 600); 60], None, 99_999).await, (60_000, Ok(36_000)));
        assert_eq!(take(vec![(1000, 499); 60], None, 99_999).await, (20_000, Err(408)));
        // A byte every ten seconds holds a connection for 20 s, not forever.
        assert_eq!(take(vec![(10_000, 1); 99], None, 99_999).await, (20_000, Err(408)));
        // A fast beginning earns credit, but not for long.
        let tired = [vec![(0, 15_000)], vec![(1000, 1); 99]].concat();
        assert_eq!(take(tired, None, 99_999).await, (30_060, Err(408)));
    }

    proptest! {
        /// No sender, however it spreads its bytes, holds a connection longer than they allow.
        #[test]
        fn no_body_lasts_longer_than_its_bytes_allow(
            chunks in prop::collection::vec((0_u64..20_000, 0_usize..9_000), 0..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            let bytes: usize = chunks.iter().map(|(_, bytes)| bytes).sum();
            let (elapsed, _) = runtime.block_on(take(chunks, None, usize::MAX));
            prop_assert!(elapsed <= 20_001_u128.max(bytes as u128 * 2 + 2), "{elapsed} ms, {bytes}");
        }
    }
}
