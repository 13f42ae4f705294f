//! More connections than descriptors.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::probe::Seen;
use crate::report::{Row, Scale};
use crate::server::Server;

const CONNECTIONS: usize = 200;

/// 200 connections to a server that may open 64 files. It waits without spinning and serves again
/// when they are closed.
pub fn none_left(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_with_descriptors(folder.path(), 64);
    let client = Client::new(server.address);
    let session = client.session();
    let begun = Instant::now();
    let (mut spent, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let rounds = scale.pick(1, 5);
    for _ in 0..rounds {
        let held: Vec<_> =
            (0..CONNECTIONS).map(|_| TcpStream::connect(server.address).unwrap()).collect();
        let before = server.cpu_time();
        std::thread::sleep(Duration::from_secs(2));
        spent = spent.max(server.cpu_time() - before);
        assert!(spent < Duration::from_millis(500), "it spins: {spent:?} in 2 s");
        drop(held);
        let closed = Instant::now();
        client.get("/health").unwrap().expect(200);
        slowest = slowest.max(closed.elapsed());
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
        client.ask(&session, "What can you do?").unwrap().expect(200);
    }
    server.assert_is_running();
    Some(Row {
        name: "out of descriptors",
        elapsed: begun.elapsed(),
        requests: rounds * CONNECTIONS,
        outcomes: format!("{rounds} × {CONNECTIONS} connections, 64 descriptors"),
        seen: Seen::default(),
        peak_memory: server.peak_memory(),
        note: format!(
            "health {} ms after they are closed; {} ms of processor time in 2 s",
            slowest.as_millis(),
            spent.as_millis()
        ),
    })
}
