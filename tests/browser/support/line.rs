//! The connection between a browser and the server: it can be cut, held up, and refuse requests.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards everything to a server, from a fixed address of its own.
pub struct Line {
    pub base: String,
    path: &'static str,
    address: SocketAddr,
    server: SocketAddr,
    task: Option<tokio::task::JoinHandle<()>>,
    /// Whether long uploads may proceed.
    flows: Arc<watch::Sender<bool>>,
    cuts: Arc<watch::Sender<u32>>,
    refusals: Refusals,
}

/// Beginnings of requests to refuse, once each, and the seconds for their `Retry-After`.
type Refusals = Arc<Mutex<Vec<(&'static str, u32)>>>;

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Bytes forwarded while uploads are held up: more than any other request has.
const HELD_AFTER: usize = 256 * 1024;

impl Line {
    pub async fn to(server: SocketAddr) -> Self {
        Self::below("", server).await
    }

    /// Serves the server below `path`, which it removes from addresses, as proxies do.
    pub async fn below(path: &'static str, server: SocketAddr) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = listener.local_addr().unwrap();
        let flows = Arc::new(watch::Sender::new(true));
        let cuts = Arc::new(watch::Sender::new(0));
        let base = format!("http://{address}{path}");
        let refusals = Refusals::default();
        let mut line = Self { base, path, address, server, task: None, flows, cuts, refusals };
        line.pass(listener);
        line
    }

    fn pass(&mut self, listener: TcpListener) {
        let (server, flows, cuts) = (self.server, Arc::clone(&self.flows), Arc::clone(&self.cuts));
        let (path, refusals) = (self.path, Arc::clone(&self.refusals));
        self.task = Some(tokio::spawn(async move {
            // Aborting the task ends all of its connections.
            let mut carried = JoinSet::new();
            while let Ok((browser, _)) = listener.accept().await {
                let (flows, mut cuts) = (flows.subscribe(), cuts.subscribe());
                let refusals = Arc::clone(&refusals);
                carried.spawn(async move {
                    tokio::select! {
                        () = carry(browser, (server, path), flows, refusals) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        }));
    }

    /// Closes all connections and accepts no others: the server is gone.
    pub fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Accepts connections again.
    pub fn mend(&mut self) {
        self.pass(listen(self.address));
    }

    /// Closes all connections once; new ones are accepted at once.
    pub fn hiccup(&self) {
        self.cuts.send_modify(|times| *times += 1);
    }

    /// Refuses the next request that starts like this, such as `POST /api/chat/stream`, as the
    /// server's rate limit does.
    pub fn refuse(&self, request: &'static str, retry_after: u32) {
        self.refusals.lock().unwrap().push((request, retry_after));
    }

    /// Holds up requests longer than any message, or lets them proceed.
    pub fn hold_uploads(&self, held: bool) {
        self.flows.send_replace(!held);
    }
}

/// With small buffers, since a browser counts everything in them as sent.
fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind(address).unwrap();
    socket.listen(64).unwrap()
}

async fn carry(
    browser: TcpStream,
    (server, path): (SocketAddr, &str),
    mut flows: watch::Receiver<bool>,
    refusals: Refusals,
) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (browser.set_nodelay(true), server.set_nodelay(true));
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut passed = 0;
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_browser.read(&mut piece).await {
            if let Some(retry_after) = refusal(&refusals, &piece[..length]) {
                let request = piece[..length].to_vec();
                return read_rest(request, &mut from_browser).await.then_some(retry_after);
            }
            passed += length;
            if passed > HELD_AFTER && flows.wait_for(|flows| *flows).await.is_err() {
                return None;
            }
            if to_server.write_all(&without(path, &piece[..length])).await.is_err() {
                return None;
            }
        }
        None
    };
    let down = tokio::io::copy(&mut from_server, &mut to_browser);
    let refused = tokio::select! {
        refused = up => refused,
        _ = down => None,
    };
    if let Some(retry_after) = refused {
        let body = r#"{"error":"Too many requests.","code":"rate_limited","requestId":"r"}"#;
        let response = format!(
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n\
             Retry-After: {retry_after}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = to_browser.write_all(response.as_bytes()).await;
    }
}

/// A piece of a connection, without `path` in the address if it is the start of a request.
fn without<'a>(path: &str, piece: &'a [u8]) -> Cow<'a, [u8]> {
    let method = piece.iter().position(|byte| *byte == b' ').unwrap_or(piece.len());
    let rest = piece[method..].strip_prefix(format!(" {path}/").as_bytes());
    match rest {
        Some(rest) if !path.is_empty() => [&piece[..method], b" /", rest].concat().into(),
        _ => piece.into(),
    }
}

/// The `Retry-After` of this request if it is to be refused. Browsers write the head of a request in
/// one go, so it is at the start of a piece.
fn refusal(refusals: &Refusals, piece: &[u8]) -> Option<u32> {
    let mut refusals = refusals.lock().unwrap();
    let at = refusals.iter().position(|(request, _)| piece.starts_with(request.as_bytes()))?;
    Some(refusals.remove(at).1)
}

/// Reads a request to its end: closing earlier would reset the connection. Returns false if the
/// browser hangs up.
async fn read_rest(mut request: Vec<u8>, browser: &mut (impl AsyncReadExt + Unpin)) -> bool {
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            let body = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            if request.len() >= body + length {
                return true;
            }
        }
        if !matches!(browser.read_buf(&mut request).await, Ok(1..)) {
            return false;
        }
    }
}
