//! What the access log records of a request.

use std::sync::atomic::{AtomicU64, Ordering};

/// Generates request ids: 16 hexadecimal digits, the first 8 random for each start of the server.
pub struct RequestIds {
    start: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Begins with a new random prefix.
    pub fn new() -> Self {
        Self { start: uuid::Uuid::new_v4().as_fields().0, next: AtomicU64::new(0) }
    }

    /// The next id.
    pub fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        format!("{:08x}{n:08x}", self.start)
    }
}

/// A path for the log. Session ids are capabilities, so only their first 8 characters are shown.
pub fn loggable(path: &str) -> String {
    let shorten = |segment: &str| match uuid::Uuid::try_parse(segment) {
        Ok(_) => format!("{}…", segment.chars().take(8).collect::<String>()),
        Err(_) => segment.chars().take(64).collect(),
    };
    path.split('/').map(shorten).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_shortened_in_the_log() {
        assert_eq!(
            loggable("/api/chat/history/0d6f1f0e-5d3c-4c5e-9d0a-3a4f1c2b7e58"),
            "/api/chat/history/0d6f1f0e…"
        );
        assert_eq!(loggable("/health"), "/health");
    }

    #[test]
    fn request_ids_differ() {
        let ids = RequestIds::new();
        let (a, b) = (ids.next(), ids.next());
        assert_ne!(a, b);
        assert_eq!((a.len(), &a[..8]), (16, &b[..8]));
    }
}
