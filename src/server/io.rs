//! A connection's stream: with a limit on writes that make no progress, and with our response in
//! place of the empty one that hyper sends by itself when it cannot parse a request.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::FutureExt;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutStream;

use super::activity::ConnectionActivity;
use super::handler::Handler;

/// How much is read ahead: usually the whole head.
const BEGIN_BYTES: usize = 1024;

/// The longest head that may be hyper's own.
const MAX_BARE_HEAD: usize = 256;

/// `stream`, watched. A write of which nothing is accepted for `patience` fails; what is written
/// is reported to `activity`. `handler` says what to send for requests that cannot be parsed.
pub fn watched<S: AsyncRead + AsyncWrite>(
    stream: S,
    patience: Duration,
    activity: ConnectionActivity,
    handler: Arc<dyn Handler>,
) -> Watched<S> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience));
    let (begin, refusal) = (Bytes::new(), None);
    Watched { stream: Box::pin(stream), begin, activity, handler, refusal }
}

/// A stream whose writes are reported.
pub struct Watched<S> {
    stream: Pin<Box<TimeoutStream<S>>>,
    /// Bytes read ahead by [`Self::begins_with`].
    begin: Bytes,
    activity: ConnectionActivity,
    handler: Arc<dyn Handler>,
    refusal: Option<PendingRefusal>,
}

/// What is sent instead of hyper's own response.
struct PendingRefusal {
    left: Bytes,
    /// How many bytes of hyper's it stands for.
    replaced: usize,
}

impl<S: AsyncRead + AsyncWrite> Watched<S> {
    /// Whether the client's first bytes are `wanted`. They can still be read afterwards.
    pub async fn begins_with(&mut self, wanted: &[u8]) -> io::Result<bool> {
        let mut begin = BytesMut::with_capacity(BEGIN_BYTES);
        loop {
            let read = self.stream.read_buf(&mut begin).await?;
            let is_whole = begin.len() >= wanted.len();
            if read == 0 || is_whole || !wanted.starts_with(&begin) {
                let begins = begin.starts_with(wanted);
                self.begin = begin.freeze();
                return Ok(begins);
            }
        }
    }

    /// Sends our response in place of `bytes`, if those are hyper's own.
    fn poll_refusal(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        if self.refusal.is_none() && self.activity.is_silent() {
            let left = refusal(bytes, &*self.handler);
            self.refusal = left.map(|left| PendingRefusal { left, replaced: bytes.len() });
        }
        let PendingRefusal { left, replaced } = self.refusal.as_mut()?;
        let replaced = *replaced;
        while left.has_remaining() {
            match self.stream.as_mut().poll_write(context, left) {
                Poll::Ready(Ok(0)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(written)) => left.advance(written),
                stuck => return Some(stuck),
            }
        }
        self.refusal = None;
        Some(Poll::Ready(Ok(replaced)))
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(1..)) = written {
            self.activity.sent();
        }
        written
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begin.is_empty() {
            return self.stream.as_mut().poll_read(context, buffer);
        }
        let length = self.begin.len().min(buffer.remaining());
        buffer.put_slice(&self.begin.split_to(length));
        if self.begin.is_empty() {
            // The whole allocation goes with it.
            self.begin = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = self.poll_refusal(context, bytes) {
            return written;
        }
        let written = self.stream.as_mut().poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A head without a body is a slice by itself.
        if let [only] = slices
            && let Some(written) = self.poll_refusal(context, only)
        {
            return written;
        }
        let written = self.stream.as_mut().poll_write_vectored(context, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.as_mut().poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.activity.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

/// Our response, if `bytes` are the one that hyper sends when it cannot parse a request: its head
/// with what ours adds, and our body.
fn refusal(bytes: &[u8], handler: &dyn Handler) -> Option<Bytes> {
    const EMPTY: &str = "content-length: 0\r\n";
    let head = std::str::from_utf8(bytes).ok().filter(|head| head.len() <= MAX_BARE_HEAD)?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    let status = StatusCode::from_bytes(status.as_bytes()).ok()?;
    let lines = head.strip_suffix("\r\n").filter(|lines| lines.contains(EMPTY))?;
    let response = handler.refuse(status)?;
    let mut whole = lines.replace(EMPTY, "").into_bytes();
    let (parts, body) = response.into_parts();
    let body = body.into_bytes().now_or_never()?.ok()?;
    for (name, value) in &parts.headers {
        whole.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    whole.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
    whole.extend(body);
    Some(whole.into())
}
