//! Tracks one connection's requests, and decides when it has lasted too long.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Version;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::limits::ServerLimits;

/// The largest part of a body that is handed to hyper at once. That the client has accepted one part
/// shows only when hyper asks for the next.
const MAX_PART: usize = 16 * 1024;

/// The server's phase.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    /// Requests are served.
    Serving,
    /// The server was asked to stop at that time: requests in progress are finished.
    Stopping(Instant),
    /// Every connection that is still open is closed now.
    Closing,
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Look again at this time, or when the phase changes.
    WaitUntil(Instant),
    /// Finish what is in progress and take no further requests.
    Retire,
    /// Close it, for this reason.
    Close(&'static str),
}

/// Keeps track of one connection's requests. Clones share it.
#[derive(Clone)]
pub struct ConnectionActivity(Arc<Mutex<ActivityState>>);

struct ActivityState {
    opened: Instant,
    /// The version of the latest request; `None` before the first one.
    version: Option<Version>,
    /// Requests whose response has not yet been handed over completely.
    in_progress: usize,
    /// Those of them that wait for the client to accept what it was given.
    blocked: usize,
    /// The last time at which a part of a response was handed over.
    handed_over: Instant,
    /// The last time at which a request ended or, in HTTP/1, anything was sent.
    quiet_since: Instant,
    /// Whether anything of a response may not have been sent.
    unsent: bool,
    /// When the connection was asked to finish.
    retired: Option<Instant>,
}

impl ConnectionActivity {
    /// A connection that has just been accepted.
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(ActivityState {
            opened: now,
            version: None,
            in_progress: 0,
            blocked: 0,
            handed_over: now,
            quiet_since: now,
            unsent: false,
            retired: None,
        })))
    }

    /// A request whose head is complete. It is in progress as long as the guard lives.
    pub fn begin(&self, version: Version) -> InProgress {
        let mut state = self.lock();
        state.version = Some(version);
        state.in_progress += 1;
        state.unsent = true;
        drop(state);
        InProgress { activity: self.clone(), blocked: false }
    }

    /// Something was sent.
    pub fn sent(&self) {
        let mut state = self.lock();
        // In HTTP/2 the bytes may be mere replies to pings.
        if state.version.is_none_or(|version| version < Version::HTTP_2) {
            state.quiet_since = Instant::now();
        }
    }

    /// All that was written has been sent.
    pub fn flushed(&self) {
        let mut state = self.lock();
        state.unsent = state.in_progress > 0;
    }

    /// Whether what is written now cannot be part of a response to a request that we saw.
    pub fn is_silent(&self) -> bool {
        !self.lock().unsent
    }

    /// What to do with the connection now.
    pub fn verdict(&self, phase: Phase, limits: &ServerLimits) -> Verdict {
        self.lock().verdict(Instant::now(), phase, limits)
    }

    /// Notes that the connection was asked to finish.
    pub fn retired(&self) {
        self.lock().retired = Some(Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, ActivityState> {
        // Nothing in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActivityState {
    fn verdict(&self, now: Instant, phase: Phase, limits: &ServerLimits) -> Verdict {
        let is_http2 = self.version == Some(Version::HTTP_2);
        let until = |deadline: Instant, expired: Verdict| {
            if deadline > now { Verdict::WaitUntil(deadline) } else { expired }
        };
        let stopped = match phase {
            Phase::Closing => return Verdict::Close("the server stops"),
            Phase::Stopping(at) => Some(at),
            Phase::Serving => None,
        };
        if self.version.is_none() {
            let head = self.opened + limits.head;
            let deadline = stopped.map_or(head, |at| head.min(at + limits.stop_grace));
            return until(deadline, Verdict::Close("no request came in time"));
        }
        if stopped.is_some() && self.retired.is_none() {
            return Verdict::Retire;
        }
        if self.in_progress > 0 {
            // Hyper times nothing of a stream whose window the client keeps shut. (In HTTP/1 the
            // socket itself is full then, and the write timeout applies.)
            if is_http2 && self.blocked == self.in_progress {
                let deadline = self.handed_over + limits.write;
                return until(deadline, Verdict::Close("the client does not read"));
            }
            // Whatever begins after now cannot be overdue before that.
            let shortest = if stopped.is_some() { limits.flush } else { limits.head };
            return Verdict::WaitUntil(now + shortest.min(limits.write).min(limits.http2_idle));
        }
        if let Some(at) = stopped {
            let deadline = if self.quiet_since <= at {
                at + limits.stop_grace
            } else {
                self.quiet_since + limits.flush
            };
            return until(deadline, Verdict::Close("the server stops"));
        }
        match self.retired {
            Some(at) => {
                let deadline = at.max(self.quiet_since) + limits.write;
                until(deadline, Verdict::Close("the client does not read"))
            }
            None if is_http2 => until(self.quiet_since + limits.http2_idle, Verdict::Retire),
            None => until(self.quiet_since + limits.head, Verdict::Close("no further request")),
        }
    }
}

/// A request in progress.
pub struct InProgress {
    activity: ConnectionActivity,
    /// Whether a part was handed over and no more has been asked for since.
    blocked: bool,
}

impl InProgress {
    fn set_blocked(&mut self, blocked: bool) {
        let mut state = self.activity.lock();
        if blocked {
            state.handed_over = Instant::now();
            state.unsent = true;
        }
        if blocked != self.blocked {
            state.blocked = if blocked { state.blocked + 1 } else { state.blocked - 1 };
            self.blocked = blocked;
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.in_progress -= 1;
        state.blocked -= usize::from(self.blocked);
        state.unsent = true;
        state.quiet_since = Instant::now();
    }
}

/// A response's body that reports its progress.
pub struct TrackedBody<B> {
    inner: B,
    /// The rest of a part that was too large to hand over at once.
    rest: Bytes,
    request: InProgress,
}

impl<B> TrackedBody<B> {
    /// `inner`, the body of the response to `request`.
    pub fn new(inner: B, request: InProgress) -> Self {
        Self { inner, rest: Bytes::new(), request }
    }
}

impl<B: Body<Data = Bytes, Error = io::Error> + Unpin> Body for TrackedBody<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            match Pin::new(&mut this.inner).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => {
                    this.request.set_blocked(false);
                    return other;
                }
            }
        }
        this.request.set_blocked(true);
        let part = this.rest.split_to(this.rest.len().min(MAX_PART));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests;
