//! The `Host` header.

use poem::Request;
use poem::http::{Version, header};

use crate::config::{AllowedHosts, split_host};
use crate::http::wire::refusal::Refusal;

/// Checks that there is exactly one `Host` (RFC 9112, 3.2) and that it is one of `allowed`.
pub fn check_host(request: &Request, allowed: &AllowedHosts) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map_err(|_| Refusal::BadHost)?,
        (None, None) if request.version() == Version::HTTP_10 => return Ok(()),
        _ => return Err(Refusal::BadHost),
    };
    split_host(host).ok_or(Refusal::BadHost)?;
    // An absolute address in the request line takes precedence.
    let host = request.uri().authority().map_or(host, |authority| authority.as_str());
    if allowed.allows(host) { Ok(()) } else { Err(Refusal::UnknownHost) }
}
