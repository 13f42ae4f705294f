use futures_util::{FutureExt, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use futures_util::future::BoxFuture;
use http::StatusCode;
use poem::Response;

use super::*;

/// Its response ends at once at `/`, never at `/endless`, and does not begin elsewhere.
struct Slow;

impl Handler for Slow {
    fn respond(&self, request: Request) -> BoxFuture<'static, Response> {
        match request.uri().path() {
            "/" => std::future::ready(Response::builder().body("done")).boxed(),
            "/endless" => {
                let words = stream::repeat("word ").map(Ok::<_, io::Error>);
                let body = poem::Body::from_bytes_stream(words);
                std::future::ready(Response::builder().body(body)).boxed()
            }
            _ => std::future::pending().boxed(),
        }
    }

    fn refuse(&self, status: StatusCode) -> Option<Response> {
        Some(Response::builder().status(status).header("x-reason", "none").body("{}"))
    }
}

struct Served {
    client: DuplexStream,
    task: JoinHandle<(Result<(), Ended>, Duration)>,
    phase: watch::Sender<Phase>,
}

/// A connection to [`Slow`], and how and when it ends.
fn serve() -> Served {
    serve_over(None)
}

fn serve_over(tls: Option<TlsAcceptor>) -> Served {
    let (phase, phases) = watch::channel(Phase::Serving);
    let connections = Connections::new(Arc::new(Slow), ServerLimits::default(), tls, phases);
    let (client, stream) = tokio::io::duplex(1024);
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let task = tokio::spawn(async move {
        let begun = Instant::now();
        let ends = Ends { local: nowhere, remote: nowhere };
        let result = connections.serve(stream, ends).await;
        (result, begun.elapsed())
    });
    Served { client, task, phase }
}

impl Served {
    async fn send(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    /// What has been written so far.
    async fn received(&mut self) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 512];
        let quiet = Duration::from_millis(10);
        while let Ok(Ok(1..)) = tokio::time::timeout(quiet, async {
            let read = self.client.read(&mut buffer).await?;
            text.extend_from_slice(&buffer[..read]);
            Ok::<_, io::Error>(read)
        })
        .await
        {}
        String::from_utf8(text).unwrap()
    }

    /// Why it was closed, and after how many whole seconds.
    async fn closed(self) -> (String, u64) {
        let (result, elapsed) = self.task.await.unwrap();
        (result.unwrap_err().to_string(), elapsed.as_secs())
    }
}

const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &str = "\0\0\0\u{4}\0\0\0\0\0";

/// hyper's automatic choice reads the preface without a timer, and HTTP/2 has none for a head.
#[tokio::test(start_paused = true)]
async fn a_first_request_that_does_not_come_ends_the_connection_after_15_s() {
    let no_request = ("closed: no request came in time".to_owned(), 15);
    for begin in ["", "G", &HEAD[..20], &PREFACE[..10], PREFACE, &[PREFACE, SETTINGS].concat()] {
        let mut served = serve();
        served.send(begin).await;
        assert_eq!(served.closed().await, no_request, "{begin:?}");
    }
    // A byte now and then does not help.
    let mut served = serve();
    for byte in HEAD[..10].chars() {
        served.send(&byte.to_string()).await;
        tokio::time::sleep(Duration::from_millis(1400)).await;
    }
    assert_eq!(served.closed().await, no_request);
}

/// The timer runs from accept to the first head, not from the handshake's end.
#[tokio::test(start_paused = true)]
async fn a_tls_handshake_counts_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let issued = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    let files = crate::config::Tls {
        cert: file("cert", issued.cert.pem()),
        key: file("key", issued.signing_key.serialize_pem()),
        redirect_port: None,
    };
    let acceptor = crate::server::Certificates::load(files).unwrap().acceptor().unwrap();
    let no_request = ("closed: no request came in time".to_owned(), 15);
    // A TLS record that never ends.
    for begin in ["", "\u{16}\u{3}\u{1}\0\u{7f}\u{1}"] {
        let mut served = serve_over(Some(acceptor.clone()));
        served.send(begin).await;
        assert_eq!(served.closed().await, no_request);
    }
    let mut plain = serve_over(Some(acceptor.clone()));
    plain.send(HEAD).await;
    assert!(matches!(plain.task.await.unwrap().0, Err(Ended::Handshake(_))));
    // A handshake at 14 s leaves one more second.
    let served = serve_over(Some(acceptor));
    tokio::time::sleep(Duration::from_secs(14)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(issued.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = "a".try_into().unwrap();
    let client = connector.connect(name, served.client).await.unwrap();
    let (result, elapsed) = served.task.await.unwrap();
    assert!(matches!(result, Err(Ended::Closed(_))), "{result:?}");
    assert_eq!(elapsed.as_secs(), 15);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_after_15_s() {
    let mut served = serve();
    for _ in 0..3 {
        served.send(HEAD).await;
        assert!(served.received().await.ends_with("\r\n\r\ndone"));
        tokio::time::sleep(Duration::from_secs(14)).await;
    }
    served.send(&HEAD[..20]).await;
    let (reason, seconds) = served.closed().await;
    assert_eq!((reason.as_str(), seconds), ("closed: no further request", 2 * 14 + 15));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_take_longer() {
    let mut served = serve();
    served.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!served.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_loses_its_connection() {
    let mut served = serve();
    let begun = Instant::now();
    let patience = ServerLimits::default().write;
    served.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
    // As long as something is accepted from time to time, it goes on.
    for _ in 0..4 {
        tokio::time::sleep(patience - Duration::from_secs(1)).await;
        served.client.read_exact(&mut [0; 512]).await.unwrap();
        assert!(!served.task.is_finished());
    }
    let (result, _) = served.task.await.unwrap();
    assert!(begun.elapsed() >= patience * 4);
    let Err(Ended::Broken(error)) = result else { panic!("{result:?}") };
    let cause = std::error::Error::source(&error).and_then(|e| e.downcast_ref::<io::Error>());
    assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::TimedOut), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn at_the_stop_a_connection_ends_with_its_request() {
    let stop = |served: &Served| served.phase.send_replace(Phase::Stopping(Instant::now()));
    // An idle one at once.
    let mut idle = serve();
    idle.send(HEAD).await;
    idle.received().await;
    let stopped = Instant::now();
    stop(&idle);
    assert!(idle.task.await.unwrap().0.is_ok());
    assert!(stopped.elapsed() < Duration::from_millis(100));
    // One whose head is not complete has half a second for it, and is then served.
    let mut late = serve();
    late.send(&HEAD[..20]).await;
    late.received().await;
    stop(&late);
    late.send(&HEAD[20..]).await;
    let response = late.received().await;
    assert!(response.contains("connection: close") && response.ends_with("done"), "{response}");
    assert!(late.task.await.unwrap().0.is_ok());
    // Else it is closed.
    for begin in ["", &HEAD[..20], PREFACE] {
        let mut half_open = serve();
        half_open.send(begin).await;
        half_open.received().await;
        let stopped = Instant::now();
        stop(&half_open);
        assert!(half_open.task.await.unwrap().0.is_err());
        assert!(stopped.elapsed() <= Duration::from_millis(500), "{begin:?}");
    }
}

/// On its own, hyper responds to requests that it cannot parse with nothing but a status.
#[tokio::test(start_paused = true)]
async fn what_is_not_a_request_gets_our_response() {
    for bad in [
        "GET / HTTP/1.2\r\n\r\n",
        "G\u{1}T / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ] {
        for before in ["", HEAD] {
            let mut served = serve();
            served.send(before).await;
            assert_eq!(served.received().await.ends_with("\r\n\r\ndone"), !before.is_empty());
            served.send(bad).await;
            let response = served.received().await;
            assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");
            assert_eq!(response.matches("content-length:").count(), 1, "{response}");
            assert!(response.contains("\r\ncontent-length: 2\r\n"), "{response}");
            assert!(response.contains("\r\nx-reason: none\r\n"), "{response}");
            assert!(response.ends_with("\r\n\r\n{}"), "{response}");
            assert!(served.task.await.unwrap().0.is_err());
        }
    }
}

/// A client that keeps its HTTP/2 windows shut: the socket takes whatever is written, which is
/// nothing but control frames.
#[tokio::test(start_paused = true)]
async fn an_http2_client_that_does_not_read_loses_its_connection() {
    let mut served = serve();
    let mut frames = PREFACE.as_bytes().to_vec();
    // SETTINGS: an initial window of nothing.
    frames.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    // HEADERS of stream 1: GET, http, /endless, a (RFC 7541, static table: 2, 6, 4, 1).
    let head = [&[0x82, 0x86, 0x44, 8][..], b"/endless", &[0x41, 1, b'a']].concat();
    frames.extend([0, 0, u8::try_from(head.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    frames.extend(head);
    served.client.write_all(&frames).await.unwrap();
    let (result, elapsed) = served.task.await.unwrap();
    assert_eq!(result.unwrap_err().to_string(), "closed: the client does not read");
    assert_eq!(elapsed.as_secs(), 30);
    drop(served.client);
}
