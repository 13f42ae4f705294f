//! What answers a listener's requests.

use futures_util::future::BoxFuture;
use http::StatusCode;
use poem::{Request, Response};

/// What responds to the requests of a listener.
pub trait Handler: Send + Sync + 'static {
    /// Responds to `request`.
    fn respond(&self, request: Request) -> BoxFuture<'static, Response>;

    /// The response to bytes that are not a request, instead of hyper's own, which has this `status`
    /// and no body; `None` keeps hyper's.
    fn refuse(&self, _status: StatusCode) -> Option<Response> {
        None
    }
}
