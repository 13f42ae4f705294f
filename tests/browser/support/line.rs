//! The line between a browser and the server: it can be cut, and held up.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes everything on to a server, under an address of its own that stays the same.
pub struct Line {
    pub base: String,
    address: SocketAddr,
    server: SocketAddr,
    task: Option<tokio::task::JoinHandle<()>>,
    /// Whether long uploads may go on.
    flows: Arc<watch::Sender<bool>>,
    cuts: Arc<watch::Sender<u32>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
    }
}

/// What passes while uploads are held up: more than any other request has.
const HELD_AFTER: usize = 256 * 1024;

impl Line {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = listener.local_addr().unwrap();
        let flows = Arc::new(watch::Sender::new(true));
        let cuts = Arc::new(watch::Sender::new(0));
        let base = format!("http://{address}");
        let mut line = Self { base, address, server, task: None, flows, cuts };
        line.pass(listener);
        line
    }

    fn pass(&mut self, listener: TcpListener) {
        let (server, flows, cuts) = (self.server, Arc::clone(&self.flows), Arc::clone(&self.cuts));
        self.task = Some(tokio::spawn(async move {
            // With the task, all that it carries ends.
            let mut carried = JoinSet::new();
            while let Ok((browser, _)) = listener.accept().await {
                let (flows, mut cuts) = (flows.subscribe(), cuts.subscribe());
                carried.spawn(async move {
                    tokio::select! {
                        () = carry(browser, server, flows) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        }));
    }

    /// Ends every connection and takes no other: the server is gone.
    pub fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Takes connections again.
    pub fn mend(&mut self) {
        self.pass(listen(self.address));
    }

    /// Ends every connection once; new ones are taken at once.
    pub fn hiccup(&self) {
        self.cuts.send_modify(|times| *times += 1);
    }

    /// Holds up what is longer than any message, or lets it go on.
    pub fn hold_uploads(&self, held: bool) {
        self.flows.send_replace(!held);
    }
}

/// Small buffers: a browser counts as sent what these have taken.
fn listen(address: SocketAddr) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind(address).unwrap();
    socket.listen(64).unwrap()
}

async fn carry(browser: TcpStream, server: SocketAddr, mut flows: watch::Receiver<bool>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (browser.set_nodelay(true), server.set_nodelay(true));
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut passed = 0;
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_browser.read(&mut piece).await {
            passed += length;
            if passed > HELD_AFTER && flows.wait_for(|flows| *flows).await.is_err() {
                return;
            }
            if to_server.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_browser);
    tokio::select! {
        () = up => {}
        _ = down => {}
    }
}
