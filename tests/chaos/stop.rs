//! SIGTERM.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, ENDLESS_SQL, read};
use crate::model;
use crate::probe::Seen;
use crate::report::{Load, Row, Scale, print};
use crate::server::Server;

fn row(name: &'static str, load: &Load, server: Option<u64>, took: Duration) -> Row {
    Row {
        name,
        elapsed: took,
        requests: load.total(),
        outcomes: load.outcomes(),
        seen: Seen::default(),
        peak_memory: server,
        note: format!("exit {} ms after SIGTERM", took.as_millis()),
    }
}

/// Nothing is going on.
pub fn idle(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let client = Client::new(server.address);
    client.ask(&client.session(), "What can you do?").unwrap().expect(200);
    let peak = server.peak_memory();
    let took = server.stop(Duration::from_secs(scale.pick(5, 1)));
    Some(row("SIGTERM, idle", &Load::default(), peak, took))
}

/// Answers that end within the time that is given to them are `done`.
pub fn with_short_answers(scale: Scale) -> Option<Row> {
    let length = Duration::from_secs(scale.pick(2, 8));
    Some(with_answers("SIGTERM, 20 answers of some seconds", length, "done"))
}

/// Longer ones get an `error` event, in the same time; only in the long form.
pub fn with_long_answers(scale: Scale) -> Option<Row> {
    match scale {
        Scale::Short => {
            print("skipped: it takes 15 s, and is part of the long form\n");
            None
        }
        Scale::Long => {
            let length = Duration::from_secs(60);
            Some(with_answers("SIGTERM, 20 answers of a minute", length, "error"))
        }
    }
}

fn with_answers(name: &'static str, length: Duration, expected: &str) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let model = model::start(length);
    let env = [("OPENAI_BASE_URL", model.as_str()), ("OPENAI_MODEL", "slow")];
    let mut server = Server::start(folder.path(), &env);
    let client = Client::new(server.address);
    let load = Load::default();
    let streams: Vec<_> = (0..20)
        .map(|_| {
            let body = json!({"sessionId": client.session(), "message": "Write a lot."});
            client.begin_json("POST", "/api/chat/stream", &body).unwrap()
        })
        .collect();
    // Once words arrive, they are being answered.
    for stream in &streams {
        let begun = Instant::now();
        let mut seen = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains("event: delta") {
            assert!(begun.elapsed() < Duration::from_secs(10), "no words");
            let _ = stream.peek(&mut seen).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let peak = server.peak_memory();
    let took = std::thread::scope(|scope| {
        for stream in streams {
            let load = &load;
            scope.spawn(move || {
                let text = read(stream).unwrap().text();
                let last = text.rsplit("event: ").next().unwrap_or_default();
                load.count_as(last.lines().next().unwrap_or_default());
            });
        }
        server.stop(Duration::from_secs(16))
    });
    assert_eq!(load.of(expected), 20, "{}", load.outcomes());
    let mut server = Server::start(folder.path(), &[]);
    server.stop(Duration::from_secs(5));
    row(name, &load, peak, took)
}

/// Statements and abandoned statements are going on.
pub fn during_a_flood(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let client = Client::new(server.address);
    let session = client.session_with_file(1);
    let path = format!("/api/files/query/{session}");
    let load = Load::default();
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let (peak, took) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let body = json!({ "sql": ENDLESS_SQL });
            // Also if the server does not stop in time, which fails the test.
            while !is_over.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(90) {
                match client.begin_json("POST", &path, &body) {
                    Ok(_) => load.count_as("abandoned"),
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        std::thread::sleep(Duration::from_millis(scale.pick(500, 3000)));
        let peak = server.peak_memory();
        let took = server.stop(Duration::from_secs(5));
        is_over.store(true, Ordering::Relaxed);
        (peak, took)
    });
    Some(row("SIGTERM, during a flood", &load, peak, took))
}
