//! Limits on a request's size and duration.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use poem::http::header;
use poem::{Body, Request};

use crate::http::wire::refusal::Refusal;

/// Maximum length of an address, in bytes.
const MAX_ADDRESS: usize = 8 * 1024;

/// Maximum total size of the headers, in bytes.
const MAX_HEADERS: usize = 64 * 1024;

/// Maximum time for a body to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// How much of a refused body is read and discarded, and for how long, so that its sender sees the
/// refusal instead of a reset connection.
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

/// Reads the request's body, at most `limit` bytes. Compressed bodies are refused: one could grow
/// a thousandfold.
pub async fn take_body(request: &mut Request, limit: usize) -> Result<Bytes, Refusal> {
    let headers = request.headers();
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refusal::EncodedBody);
    }
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_none() && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(Bytes::new());
    }
    if declared.is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let mut stream = request.take_body().into_bytes_stream();
    // Reserves the declared length, so that a large upload is not copied as it grows.
    let mut bytes = BytesMut::with_capacity(declared.unwrap_or(0));
    let read = async {
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Refusal::BodyBroken)?;
            if bytes.len() + chunk.len() > limit {
                return Err(Refusal::BodyTooLarge(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let result = tokio::time::timeout(BODY_PATIENCE, read).await;
    match result.unwrap_or(Err(Refusal::BodyTimeout)) {
        Ok(()) => Ok(bytes.freeze()),
        Err(refusal) => {
            request.set_body(Body::from_bytes_stream(stream));
            Err(refusal)
        }
    }
}

/// Reads the rest of a body for a while, in the background. A client that waits for `100 Continue`
/// has sent nothing, so there is nothing to drain.
pub fn drain(request: &mut Request) {
    let headers = request.headers();
    let has_body = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    if !has_body || headers.contains_key(header::EXPECT) {
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
