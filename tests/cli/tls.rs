//! HTTPS with TLS_CERT and TLS_KEY, from the command line to the wire.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use reqwest::{StatusCode, Version};

use crate::process::{Running, call, one_line, run};

/// The certificate's name in all of these tests.
const NAME: &str = "chat.test";

/// Writes a new self-signed certificate and its key into `folder`, and returns the former.
fn write_certificate(folder: &Path) -> reqwest::Certificate {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    reqwest::Certificate::from_pem(cert.pem().as_bytes()).unwrap()
}

const FILES: [(&str, &str); 2] = [("TLS_CERT", "cert.pem"), ("TLS_KEY", "key.pem")];

fn start(folder: &Path, more: &[(&str, &str)]) -> Running {
    Running::start(folder, &[&FILES, more].concat())
}

/// A client that trusts only `certificate` and resolves [`NAME`] to the address of `server`.
fn client(server: &Running, certificate: &reqwest::Certificate) -> reqwest::ClientBuilder {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate.clone()])
        .resolve(NAME, server.address)
        .redirect(reqwest::redirect::Policy::none())
}

fn url(server: &Running, path: &str) -> String {
    format!("https://{NAME}:{}{path}", server.address.port())
}

#[tokio::test]
async fn both_protocols_are_served_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_certificate(folder.path());
    let production = [("APP_ENV", "production"), ("ALLOWED_HOSTS", NAME)];
    let server = start(folder.path(), &production);
    let http1 = client(&server, &certificate).http1_only().build().unwrap();
    let any = client(&server, &certificate).build().unwrap();
    for (client, version) in [(http1, Version::HTTP_11), (any, Version::HTTP_2)] {
        let page = client.get(url(&server, "/")).send().await.unwrap();
        assert_eq!((page.status(), page.version()), (StatusCode::OK, version));
        assert_eq!(page.headers()["strict-transport-security"], "max-age=31536000");
        assert!(page.text().await.unwrap().contains("<html"));
        let created = client.post(url(&server, "/api/sessions/create")).body("{}");
        let created = created.header("content-type", "application/json").send().await.unwrap();
        assert_eq!((created.status(), created.version()), (StatusCode::CREATED, version));
        let foreign = client.get(url(&server, "/health")).header("host", "evil.test");
        let status = foreign.send().await.unwrap().status().as_u16();
        // In HTTP/2 the address names a different host than the header.
        assert_eq!(status, if version == Version::HTTP_2 { 400 } else { 421 });
    }
    // Plain HTTP gets no response there.
    assert!(call(server.address, "GET", "/health", "").is_err());
    let port = server.address.port().to_string();
    let env = [("HOST", "0.0.0.0"), ("PORT", &port), FILES[0], FILES[1]];
    let healthy = run(folder.path(), &["healthcheck"], &env);
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
}

#[tokio::test]
async fn hsts_is_not_sent_in_development() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_certificate(folder.path());
    let server = start(folder.path(), &[]);
    let client = client(&server, &certificate).build().unwrap();
    let health = client.get(url(&server, "/health")).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert_eq!(health.headers().get("strict-transport-security"), None);
}

#[tokio::test]
async fn sighup_reloads_the_certificate_and_keeps_the_old_one_if_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_certificate(folder.path());
    let server = start(folder.path(), &[]);
    let is_served = async |certificate: &reqwest::Certificate| {
        // A new client each time: a connection keeps its first certificate.
        let client = client(&server, certificate).build().unwrap();
        client.get(url(&server, "/health")).send().await.is_ok()
    };
    let hang_up = |expected: &str| {
        server.signal("HUP");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let line = server.log.recv_timeout(deadline - Instant::now()).unwrap();
            if line.contains("SIGHUP") {
                assert!(line.contains(expected), "{line}");
                return;
            }
        }
    };
    assert!(is_served(&old).await);
    let new = write_certificate(folder.path());
    assert!(!is_served(&new).await, "not before the signal");
    hang_up("was read again");
    assert!(is_served(&new).await && !is_served(&old).await);
    fs::write(folder.path().join("cert.pem"), "half a certif").unwrap();
    hang_up("TLS_CERT: cert.pem holds no certificate");
    assert!(is_served(&new).await, "the current certificate stays in use");
}

#[test]
fn sighup_without_tls_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[]);
    for _ in 0..3 {
        server.signal("HUP");
        assert_eq!(server.call("GET", "/health/ready", "").unwrap().0, 200);
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

/// Damages the files in a folder.
type Damage<'a> = &'a dyn Fn(&Path);

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let cases: [(&str, Damage); 7] = [
        ("TLS_CERT: cannot read cert.pem: ", &|folder| {
            fs::remove_file(folder.join("cert.pem")).unwrap();
        }),
        ("TLS_KEY: cannot read key.pem: ", &|folder| {
            fs::remove_file(folder.join("key.pem")).unwrap();
        }),
        ("TLS_CERT: cert.pem holds no certificate", &|folder| {
            fs::write(folder.join("cert.pem"), "").unwrap();
        }),
        ("TLS_CERT: cert.pem holds no certificate", &|folder| {
            let key = fs::read(folder.join("key.pem")).unwrap();
            fs::write(folder.join("cert.pem"), key).unwrap();
        }),
        ("TLS_KEY: key.pem holds no private key", &|folder| {
            let cert = fs::read(folder.join("cert.pem")).unwrap();
            fs::write(folder.join("key.pem"), cert).unwrap();
        }),
        ("TLS_KEY: is not the key of the certificate", &|folder| {
            fs::write(folder.join("key.pem"), &other).unwrap();
        }),
        ("TLS_CERT: cannot be used", &|folder| {
            let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            fs::write(folder.join("cert.pem"), pem).unwrap();
        }),
    ];
    for (expected, damage) in cases {
        write_certificate(folder.path());
        damage(folder.path());
        let output = run(folder.path(), &["--port", "0"], &FILES);
        assert_eq!(output.status.code(), Some(2), "{expected}");
        let line = one_line(&output);
        assert!(line.starts_with(&format!("error: {expected}")), "{line}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was created");
    let lost = run(folder.path(), &["--tls-redirect-port", "0"], &[]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(one_line(&lost).starts_with("error: TLS_REDIRECT_PORT: "));
}

#[test]
fn the_plain_listener_only_redirects() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path());
    let more = [("TLS_REDIRECT_PORT", "0"), ("ALLOWED_HOSTS", "localhost")];
    let mut server = start(folder.path(), &more);
    let plain = loop {
        let line = server.log.recv_timeout(Duration::from_secs(30)).unwrap();
        if let Some((_, plain)) = line.split_once("redirecting from http://") {
            break plain.to_owned();
        }
    };
    let plain: std::net::SocketAddr = plain.split(' ').next().unwrap().parse().unwrap();
    let get = |head: &str| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(plain).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut response = String::new();
        // Reads to the end: the server does not wait for another request.
        stream.read_to_string(&mut response).unwrap();
        response
    };
    let host = format!("localhost:{}", plain.port());
    let response = get(&format!("GET /docs?x=%20 HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert!(response.starts_with("HTTP/1.1 308 "), "{response}");
    let port = server.address.port();
    assert!(response.contains(&format!("location: https://localhost:{port}/docs?x=%20\r\n")));
    assert!(get("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n").starts_with("HTTP/1.1 421 "));
    assert!(get("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}
