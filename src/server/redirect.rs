//! The plain listener beside HTTPS, which only redirects there.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header;
use poem::http::StatusCode;
use poem::{Request, Response};

use super::handler::Handler;
use crate::config::{AllowedHosts, split_host};

/// Port of plain HTTP where none is named, and of HTTPS.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Redirects from one port to the HTTPS listener on another.
pub struct Redirect {
    /// The hosts that are redirected.
    pub allowed: AllowedHosts,
    /// The plain listener's port.
    pub port: u16,
    /// The HTTPS listener's port.
    pub https_port: u16,
}

impl Handler for Redirect {
    fn respond(&self, request: Request) -> BoxFuture<'static, Response> {
        let response = respond(&request, &self.allowed, self.port, self.https_port);
        std::future::ready(response).boxed()
    }
}

fn respond(request: &Request, allowed: &AllowedHosts, port: u16, https_port: u16) -> Response {
    let response = Response::builder()
        .header(header::CONNECTION, "close")
        .header(header::CACHE_CONTROL, "no-store");
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    let host = request.uri().authority().map(|authority| authority.as_str()).or(host);
    let Some((name, given)) = host.and_then(split_host) else {
        return response.status(StatusCode::BAD_REQUEST).finish();
    };
    if !host.is_some_and(|host| allowed.allows(host)) {
        return response.status(StatusCode::MISDIRECTED_REQUEST).finish();
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = target(&name, given, port, https_port);
    response
        .status(StatusCode::PERMANENT_REDIRECT)
        .header(header::LOCATION, format!("https://{target}{path}"))
        .finish()
}

/// Where HTTPS is found for a client that reached us by `name` and the port `given`. A client that
/// names no port has come through port 80. If we do not listen on that ourselves, ports are mapped
/// before us (by a container's host, say), and those of HTTPS as well.
fn target(name: &str, given: Option<u16>, port: u16, https_port: u16) -> String {
    let is_mapped = given.unwrap_or(HTTP_PORT) != port;
    if is_mapped || https_port == HTTPS_PORT {
        name.to_owned()
    } else {
        format!("{name}:{https_port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(target: &str, host: &str, allowed: &str) -> (u16, Option<String>) {
        let request = Request::builder().uri(target.parse().unwrap()).header("host", host).finish();
        let allowed = AllowedHosts::parse(allowed).unwrap();
        let response = respond(&request, &allowed, 80, 443);
        assert_eq!(response.header("connection"), Some("close"));
        (response.status().as_u16(), response.header("location").map(str::to_owned))
    }

    #[test]
    fn host_and_path_stay() {
        let to = |location: &str| (308, Some(location.to_owned()));
        assert_eq!(redirected("/", "a.test", "*"), to("https://a.test/"));
        assert_eq!(
            redirected("/x/%20y?q=1&r", "A.test:80", "*"),
            to("https://a.test/x/%20y?q=1&r")
        );
        assert_eq!(redirected("/x", "[::1]", "*"), to("https://[::1]/x"));
        assert_eq!(
            redirected("//evil.test/", "a.test", "a.test"),
            to("https://a.test//evil.test/")
        );
    }

    #[test]
    fn hosts_are_checked() {
        assert_eq!(redirected("/", "a.test", "a.test").0, 308);
        assert_eq!(redirected("/", "evil.test", "a.test"), (421, None));
        assert_eq!(redirected("http://evil.test/", "a.test", "a.test"), (421, None));
        for host in ["", "a test", "user@a.test", "a.test/x", "a.test:99999"] {
            assert_eq!(redirected("/", host, "*"), (400, None), "{host}");
        }
    }

    #[test]
    fn the_port_is_the_one_that_the_client_can_reach() {
        assert_eq!(target("a.test", None, 80, 443), "a.test");
        assert_eq!(target("a.test", Some(8080), 8080, 8443), "a.test:8443");
        assert_eq!(target("a.test", None, 80, 8443), "a.test:8443");
        assert_eq!(target("a.test", None, 8080, 8443), "a.test", "80 and 443 are mapped");
    }
}
