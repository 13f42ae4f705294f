//! The HTTP client and its failures.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, NoProxy, Proxy, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::SetupError;
use crate::provider::{Fault, ProviderError};

/// The proxies to use, by default none: the environment is considered only by
/// [`from_vars`](Self::from_vars).
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<(&'static str, String)>,
    https: Option<(&'static str, String)>,
    except: String,
}

/// Addresses may contain passwords, so only the names of the variables are shown.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.as_ref().map(|(variable, _)| variable))
            .field("https", &self.https.as_ref().map(|(variable, _)| variable))
            .field("except", &self.except)
            .finish()
    }
}

/// Hosts that are never reached through a proxy: its loopback is not ours.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the same in lower case)
    /// by means of `var`, which looks up an environment variable. Machines behind a firewall may
    /// have no other way to the public APIs.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 4]| {
            names.into_iter().find_map(|name| {
                let value = var(name)?.trim().to_owned();
                (!value.is_empty()).then_some((name, value))
            })
        };
        Self {
            http: first(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]),
            https: first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            except: var("NO_PROXY").or_else(|| var("no_proxy")).unwrap_or_default(),
        }
    }

    fn build(&self) -> Result<Vec<Proxy>, SetupError> {
        let except = NoProxy::from_string(&format!("{LOOPBACK},{}", self.except));
        let proxy = |(variable, address): &(&'static str, String), make: fn(&str) -> _| {
            let proxy: reqwest::Result<Proxy> = make(address);
            // The cause would show the address.
            proxy
                .map(|proxy| proxy.no_proxy(except.clone()))
                .map_err(|_| SetupError::Proxy { variable })
        };
        let http = self.http.iter().map(|set| proxy(set, |address| Proxy::http(address)));
        let https = self.https.iter().map(|set| proxy(set, |address| Proxy::https(address)));
        http.chain(https).collect()
    }
}

/// Builds the client. `connect` limits the time to establish a connection.
///
/// HTTP/1 only: an answer with its own connection cannot be delayed or cut off by another one, and
/// no limit on streams gets in the way of many concurrent calls.
pub fn build(proxies: &Proxies, connect: Duration) -> Result<Client, SetupError> {
    let mut client = Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls()?)
        .http1_only()
        .hickory_dns(true)
        .connect_timeout(connect)
        // A redirect could carry the key to another host: `x-api-key` is not removed.
        .redirect(redirect::Policy::none())
        .referer(false)
        // Gateways close idle connections after 60 s; we must not use one that is closing.
        .pool_idle_timeout(Duration::from_secs(50))
        .pool_max_idle_per_host(4096)
        .no_proxy();
    for proxy in proxies.build()? {
        client = client.proxy(proxy);
    }
    Ok(client.build()?)
}

/// TLS with the machine's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` are respected), or
/// with Mozilla's, which are built in, if there are none, as in an empty container image.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Classifies a failure of the client. A refused connection and a host name without an address are
/// [`Fault::Unreachable`]: they fail immediately, so retrying soon is worthwhile. An invalid
/// certificate is [`Fault::Misconfigured`]: retrying changes nothing.
pub fn failure(error: reqwest::Error) -> ProviderError {
    // The URL may contain credentials.
    let error = error.without_url();
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !chain.contains(&text) {
            chain.push_str(": ");
            chain.push_str(&text);
        }
        source = cause.source();
    }
    let fault = if error.is_builder() || caused_by(&error, is_certificate) {
        Fault::Misconfigured
    } else if error.is_timeout() {
        Fault::Timeout
    } else if error.is_decode() && !caused_by(&error, |cause| cause.is::<hyper::Error>()) {
        // The connection is fine but not its content: data that claims to be gzip and is not.
        Fault::Malformed
    } else {
        Fault::Unreachable
    };
    ProviderError::new(fault, chain)
}

fn is_certificate(cause: &(dyn Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether `error` or one of its causes passes `test`.
fn caused_by(error: &(dyn Error + 'static), test: fn(&(dyn Error + 'static)) -> bool) -> bool {
    // An `io::Error` hides the error that it wraps: its source is that error's source.
    let hidden = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    test(error)
        || hidden.is_some_and(|hidden| caused_by(hidden, test))
        || error.source().is_some_and(|source| caused_by(source, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_in_either_case_and_blank_ones_ignored() {
        let vars =
            [("https_proxy", "proxy.test:3128"), ("HTTP_PROXY", " "), ("NO_PROXY", "a.test")];
        let proxies = Proxies::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(proxies.http, None);
        assert_eq!(proxies.https, Some(("https_proxy", "proxy.test:3128".to_owned())));
        assert_eq!(proxies.build().unwrap().len(), 1);
        build(&proxies, Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn an_invalid_proxy_is_reported_without_its_password() {
        let proxies =
            Proxies::from_vars(|name| (name == "ALL_PROXY").then(|| "http://u:hush@:x".to_owned()));
        let error = build(&proxies, Duration::from_secs(5)).unwrap_err().to_string();
        assert_eq!(error, "ALL_PROXY is not the address of a proxy");
        assert!(!format!("{proxies:?}").contains("hush"));
    }

    #[test]
    fn a_bad_certificate_is_found_inside_other_errors() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let bad = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let twice = std::io::Error::other(std::io::Error::other(bad));
        assert!(caused_by(&Outer(twice), is_certificate));
        let other = rustls::Error::HandshakeNotComplete;
        assert!(!caused_by(&Outer(std::io::Error::other(other)), is_certificate));
    }
}
