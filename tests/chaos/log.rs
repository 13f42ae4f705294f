//! A log that cannot be written, under load.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::report::{Observed, Row, Scale};
use crate::server::Server;

/// The reader of the log's pipe is gone.
pub fn closed(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = Server::start_unread(folder.path(), &[], "");
    drop(log);
    Some(serve(server, "log to a closed pipe", scale))
}

/// The reader has stopped: after some hundreds of lines, writing would block.
pub fn stopped(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = Server::start_unread(folder.path(), &[], "");
    let row = serve(server, "log that is not read", scale);
    drop(log);
    Some(row)
}

/// Four visitors talk for some seconds; then the server ends well.
fn serve(mut server: Server, name: &'static str, scale: Scale) -> Row {
    let observed = Observed::start(name, scale, &server);
    let until = Instant::now() + Duration::from_secs(scale.pick(1, 10));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = Client::new(server.address);
                let session = client.session();
                while Instant::now() < until {
                    observed.load.count(&client.ask(&session, "What can you do?"));
                }
            });
        }
    });
    observed.load.assert_only(&["200"]);
    assert!(observed.load.of("200") > 100, "too few to fill a pipe");
    let row = observed.finish(&mut server, "");
    server.stop(Duration::from_secs(5));
    row
}
