//! The HTTP client and its failures.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, NoProxy, Proxy, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::SetupError;
use crate::provider::{Fault, ProviderError};

/// The proxies to use. None, by default: the environment counts only where it was
/// [read](Self::from_vars).
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<(&'static str, String)>,
    https: Option<(&'static str, String)>,
    except: String,
}

/// Addresses may hold passwords: only what was set is shown.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.as_ref().map(|(variable, _)| variable))
            .field("https", &self.https.as_ref().map(|(variable, _)| variable))
            .field("except", &self.except)
            .finish()
    }
}

/// Hosts that are never reached through a proxy: a proxy's loopback is not ours.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the same in lower case)
    /// through `var`, which looks up an environment variable. Machines behind a firewall reach
    /// the public APIs only so.
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
            // The cause would name the address.
            proxy
                .map(|proxy| proxy.no_proxy(except.clone()))
                .map_err(|_| SetupError::Proxy { variable })
        };
        let http = self.http.iter().map(|set| proxy(set, |address| Proxy::http(address)));
        let https = self.https.iter().map(|set| proxy(set, |address| Proxy::https(address)));
        http.chain(https).collect()
    }
}

/// Builds the client.
///
/// HTTP/1 only: an answer of its own connection cannot be held up or torn down by another one's,
/// and no server's limit of streams stands in the way of many calls at once.
pub fn build(proxies: &Proxies) -> Result<Client, SetupError> {
    let mut client = Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls()?)
        .http1_only()
        .hickory_dns(true)
        .connect_timeout(Duration::from_secs(5))
        // A redirect could carry the key to another host: `x-api-key` is not taken off.
        .redirect(redirect::Policy::none())
        .referer(false)
        // Gateways close idle connections after 60 s; one that is closing is not to be used.
        .pool_idle_timeout(Duration::from_secs(50))
        .pool_max_idle_per_host(4096)
        .no_proxy();
    for proxy in proxies.build()? {
        client = client.proxy(proxy);
    }
    Ok(client.build()?)
}

/// TLS by the machine's own root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` count), or by
/// Mozilla's, which are built in, where a machine has none, such as an empty container image.
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

/// What a failure of the client stands for. A refused connection and a host without address are
/// [`Fault::Unreachable`]: the answer came at once, so trying again soon is worth while. A
/// certificate that does not hold is [`Fault::Misconfigured`]: trying again changes nothing.
pub fn failure(error: reqwest::Error) -> ProviderError {
    // The address may hold credentials.
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
        // Not the connection but its content: gzip that is none.
        Fault::Malformed
    } else {
        Fault::Unreachable
    };
    ProviderError::new(fault, chain)
}

fn is_certificate(cause: &(dyn Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether `test` holds for `error` or one of its causes.
fn caused_by(error: &(dyn Error + 'static), test: fn(&(dyn Error + 'static)) -> bool) -> bool {
    // An `io::Error` hides the error that it was made from: its source is that one's source.
    let hidden = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    test(error)
        || hidden.is_some_and(|hidden| caused_by(hidden, test))
        || error.source().is_some_and(|source| caused_by(source, test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_from_either_case_and_blank_is_none() {
        let vars =
            [("https_proxy", "proxy.test:3128"), ("HTTP_PROXY", " "), ("NO_PROXY", "a.test")];
        let proxies = Proxies::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(proxies.http, None);
        assert_eq!(proxies.https, Some(("https_proxy", "proxy.test:3128".to_owned())));
        assert_eq!(proxies.build().unwrap().len(), 1);
        build(&proxies).unwrap();
    }

    #[test]
    fn a_proxy_that_is_no_address_is_named_without_its_password() {
        let proxies =
            Proxies::from_vars(|name| (name == "ALL_PROXY").then(|| "http://u:hush@:x".to_owned()));
        let error = build(&proxies).unwrap_err().to_string();
        assert_eq!(error, "ALL_PROXY is not the address of a proxy");
        assert!(!format!("{proxies:?}").contains("hush"));
    }

    #[test]
    fn a_bad_certificate_is_found_behind_the_errors_around_it() {
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
