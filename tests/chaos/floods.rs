//! One visitor, or many, who send as much as they can.
//!
//! Rates are not limited here but in [`messages`]: the other bounds must hold by themselves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, ENDLESS_SQL, form, read};
use crate::model;
use crate::report::{Observed, Row, Scale};
use crate::server::Server;

/// Runs `job` for each number below `jobs`, on `threads` threads.
fn share(jobs: usize, threads: usize, job: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let n = next.fetch_add(1, Ordering::Relaxed)
                    && n < jobs
                {
                    job(n);
                }
            });
        }
    });
}

/// One session sends statements and hangs up each time.
pub fn abandoned_statements(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let client = Client::new(server.address);
    let session = client.session_with_file(1);
    let path = format!("/api/files/query/{session}");
    let observed = Observed::start("abandoned statements of one session", scale, &server);
    for _ in 0..scale.pick(100, 560) {
        drop(client.begin_json("POST", &path, &json!({ "sql": ENDLESS_SQL })).unwrap());
        observed.load.count_as("abandoned");
    }
    let sent = Instant::now();
    // Its next statement is not kept waiting by those.
    while client.sql(&session, "SELECT 1").unwrap().status != 200 {
        assert!(sent.elapsed() < Duration::from_secs(scale.pick(20, 8)), "it is still busy");
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = sent.elapsed();
    let least = Duration::from_secs(scale.pick(2, 10));
    std::thread::sleep(least.saturating_sub(sent.elapsed()));
    Some(observed.finish(&mut server, format!("free again after {} ms", took.as_millis())))
}

/// Statements that use up their time, two from each of some sessions.
fn statements(server: &Server, observed: &Observed, sessions: &[(Client, String)]) {
    share(2 * sessions.len(), 2 * sessions.len(), |n| {
        let (client, session) = &sessions[n % sessions.len()];
        let begun = Instant::now();
        let response = client.sql(session, ENDLESS_SQL);
        observed.load.count(&response);
        // 5 s to wait for a session, and for a place, and 2 s to run.
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        let response = response.unwrap();
        if response.status != 400 {
            assert!(response.header("retry-after").is_some(), "{response:?}");
        }
    });
    observed.load.assert_only(&["400", "429", "503"]);
    Client::new(server.address).session_with_file(1);
}

/// 24 sessions of one address.
pub fn statements_of_one_address(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let client = Client::new(server.address);
    let sessions: Vec<_> =
        (0..scale.pick(12, 24)).map(|_| (client.clone(), client.session_with_file(1))).collect();
    let observed = Observed::start("slow statements of one address", scale, &server);
    statements(&server, &observed, &sessions);
    Some(observed.finish(&mut server, ""))
}

/// 24 sessions of as many addresses. They are as good as other visitors, so these may be told that
/// the server is busy, for work over files only.
pub fn statements_of_many_addresses(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let sessions: Vec<_> = (0..scale.pick(8, 24))
        .map(|_| {
            let client = Client::new(server.address);
            let session = client.session_with_file(1);
            (client, session)
        })
        .collect();
    let observed = Observed::start("slow statements of many addresses", scale, &server);
    statements(&server, &observed, &sessions);
    Some(observed.finish_busy(&mut server, ""))
}

/// Uploads that lack their last byte.
fn uploads(name: &'static str, scale: Scale, is_one_client: bool) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let one = Client::new(server.address);
    let session = one.session();
    // The largest that is accepted, in lines of a kilobyte.
    let csv = format!("{}\n", "x".repeat(1023)).repeat(10 * 1024 - 1);
    let body = form(&session, &csv);
    let observed = Observed::start(name, scale, &server);
    let count = match scale {
        // More than there is room for: 64 MiB for one, 256 MiB for all.
        Scale::Short => {
            if is_one_client {
                10
            } else {
                30
            }
        }
        Scale::Long => 60,
    };
    let pending = Mutex::new(Vec::new());
    share(count, count, |_| {
        let client = if is_one_client { one.clone() } else { Client::new(server.address) };
        match client.begin_upload(&body) {
            Ok(stream) => pending.lock().unwrap().push(stream),
            Err(_) => observed.load.count_as("closed"),
        }
    });
    // Refused for want of room within 5 s, or for want of bytes after 15.
    let pending = pending.into_inner().unwrap();
    let patience = Duration::from_secs(scale.pick(1, 40));
    std::thread::scope(|scope| {
        for stream in pending {
            let load = &observed.load;
            scope.spawn(move || {
                stream.set_read_timeout(Some(patience)).unwrap();
                match read(stream) {
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        load.count_as("pending");
                    }
                    response => load.count(&response),
                }
            });
        }
    });
    // The connection may be reset before a refusal could be read.
    observed.load.assert_only(match scale {
        Scale::Short => &["429", "503", "408", "closed", "pending"],
        Scale::Long => &["429", "503", "408", "closed"],
    });
    let peak = server.peak_memory().unwrap_or(0);
    assert!(peak < 450, "{peak} MiB for bodies in flight");
    observed.finish(&mut server, "")
}

/// All from one address.
pub fn uploads_of_one_address(scale: Scale) -> Option<Row> {
    Some(uploads("unfinished uploads of one address", scale, true))
}

/// Each from an address of its own.
pub fn uploads_of_many_addresses(scale: Scale) -> Option<Row> {
    Some(uploads("unfinished uploads of many addresses", scale, false))
}

/// One session sets one setting of 900 kB after the other, and reads them all back.
pub fn settings(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let client = Client::new(server.address);
    let session = client.session();
    let observed = Observed::start("settings of 900 kB", scale, &server);
    let large = "x".repeat(900_000);
    share(scale.pick(40, 1000), 4, |n| {
        let body = json!({"config": {format!("k{n}"): large}});
        let response = client.put(&format!("/api/sessions/{session}/config"), &body);
        if let Ok(refused) = &response
            && refused.status == 413
        {
            assert_eq!(refused.json()["code"], "config_too_large");
        }
        observed.load.count(&response);
    });
    // The first one fits; waiting for room for bodies is no reason to lose any here.
    assert_eq!(observed.load.of("200"), 1);
    observed.load.assert_only(&["200", "413"]);
    share(16, 16, |_| {
        let read = client.get(&format!("/api/sessions/{session}")).unwrap();
        assert!(read.expect(200).to_string().len() < 1 << 20);
    });
    let peak = server.peak_memory().unwrap_or(0);
    assert!(peak < 400, "{peak} MiB");
    Some(observed.finish(&mut server, ""))
}

/// Page data of 433 KiB: thousands of tables under a name of 400,000 characters.
pub fn json_data(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let observed = Observed::start("page data with thousands of tables", scale, &server);
    let tables = (0..2900).map(|n| (format!("a{n}"), json!([{}])));
    let tables: serde_json::Map<_, _> = tables.collect();
    let data = json!({"k".repeat(400_000): tables});
    let rounds = scale.pick(1, 10);
    share(10, 10, |_| {
        let client = Client::new(server.address);
        let session = client.session();
        for _ in 0..rounds {
            let body = json!({
                "sessionId": session,
                "message": "What can you do?",
                "config": {"jsonData": data},
            });
            let response = client.post("/api/chat/message", &body);
            observed.load.count(&response);
        }
    });
    observed.load.assert_only(&["200", "429", "503"]);
    assert!(observed.load.of("200") > 0);
    let peak = server.peak_memory().unwrap_or(0);
    assert!(peak < 400, "{peak} MiB");
    Some(observed.finish_busy(&mut server, ""))
}

/// Connections that never send anything, and some whose request's head never ends.
pub fn connections(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let before = server.descriptors();
    let observed = Observed::start("idle connections, slow heads", scale, &server);
    let (idle, slow) = scale.pick((200, 100), (5000, 1500));
    let connect = |_| TcpStream::connect(server.address).unwrap();
    let idle: Vec<_> = (0..idle).map(connect).collect();
    let mut slow: Vec<_> = (0..slow).map(connect).collect();
    let begun = Instant::now();
    let head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    let mut letters = head.iter().chain(std::iter::repeat(&b'x'));
    // A letter every half second; all are closed 15 s after they were opened.
    let held = Duration::from_secs(scale.pick(2, 25));
    while begun.elapsed() < held {
        let letter = letters.next().unwrap();
        // Fails once the server has closed it.
        slow.iter_mut().for_each(|stream| drop(stream.write_all(&[*letter])));
        std::thread::sleep(Duration::from_millis(500));
    }
    let left = server.descriptors();
    for mut stream in idle.into_iter().chain(slow) {
        stream.set_nonblocking(true).unwrap();
        let is_open = matches!(stream.read(&mut [0; 512]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        observed.load.count_as(if is_open { "open" } else { "closed" });
    }
    if scale == Scale::Long {
        observed.load.assert_only(&["closed"]);
        assert!(left < before + 50, "{left} descriptors");
    }
    Some(observed.finish(&mut server, format!("looked at after {} s", held.as_secs())))
}

/// Many readers of one answer, who claim to have read all sorts of events.
pub fn readers(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let model = model::start(Duration::from_secs(scale.pick(2, 6)));
    let slow = [("OPENAI_BASE_URL", model.as_str()), ("OPENAI_MODEL", "slow")];
    // Other visitors talk to the demo.
    let env = [slow[0], slow[1], ("AI_PROVIDER", "demo")];
    let mut server = Server::start(folder.path(), &env);
    let client = Client::new(server.address);
    let session = client.session();
    let config = json!({"aiProvider": "openai"});
    let body = json!({"sessionId": session, "message": "Write a lot.", "config": config});
    let mut stream = client.begin_json("POST", "/api/chat/stream", &body).unwrap();
    let mut first = [0; 4096];
    let mut seen = String::new();
    while !seen.contains("event: start") {
        let read = stream.read(&mut first).unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&first[..read]));
    }
    let id = seen.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let (turn, _) = id.rsplit_once('-').unwrap();
    let of_turn = |place: &str| format!("{turn}-{place}");
    // A place beyond the answer's end has no events after it; what is not a place is the beginning.
    let beyond = [of_turn("100000"), of_turn("18446744073709551615")];
    let wild = [
        id.to_owned(),
        of_turn("99999999999999999999999"),
        of_turn("-1"),
        String::new(),
        "0".to_owned(),
        "' OR 1=1 --".to_owned(),
        "\u{1f980}".to_owned(),
        "x".repeat(8000),
    ];
    let ids: Vec<_> = beyond.iter().chain(&wild).collect();
    let observed = Observed::start("readers of one stream", scale, &server);
    let count = scale.pick(100, 300);
    share(count, count, |n| {
        let id = ids[n % ids.len()];
        let header = format!("Last-Event-ID: {id}\r\n");
        let path = format!("/api/chat/stream/{session}");
        let response = client.begin("GET", &path, &header, b"").and_then(read);
        let is_done = response.as_ref().is_ok_and(|it| it.text().contains("event: done"));
        if response.is_ok() && is_done == beyond.contains(id) {
            observed.load.count_as("wrong end");
        }
        observed.load.count(&response);
    });
    observed.load.assert_only(&["200"]);
    assert!(read_rest(stream).contains("event: done"));
    Some(observed.finish(&mut server, ""))
}

fn read_rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    String::from_utf8_lossy(&rest).into_owned()
}

/// One address asks more than `RATE_LIMIT` times a minute.
pub fn messages(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[("RATE_LIMIT", "30")]);
    let client = Client::new(server.address);
    let session = client.session();
    let observed = Observed::start("messages beyond the rate limit", scale, &server);
    let begun = Instant::now();
    let count = scale.pick(300, 20_000);
    share(count, 4, |_| {
        let response = client.ask(&session, "What can you do?");
        if let Ok(refused) = &response
            && refused.status == 429
        {
            assert_eq!(refused.json()["code"], "rate_limited");
            let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds), "{seconds}");
        }
        observed.load.count(&response);
    });
    observed.load.assert_only(&["200", "429"]);
    let served = observed.load.of("200") as u64;
    // One more every two seconds.
    let allowed = 30..=31 + begun.elapsed().as_secs() / 2;
    assert!(allowed.contains(&served), "{served} of {allowed:?}");
    std::thread::sleep(Duration::from_secs(1));
    Some(observed.finish(&mut server, ""))
}

/// Statements of some hundred bytes that would take SQLite minutes to compile.
pub fn compile_bombs(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let sessions: Vec<_> = (0..2)
        .map(|_| {
            let client = Client::new(server.address);
            let session = client.session_with_file(1);
            (client, session)
        })
        .collect();
    let mut bomb = "WITH c0 AS (SELECT a FROM data)".to_owned();
    for n in 1..=scale.pick(13, 15) {
        bomb.push_str(&format!(", c{n} AS (SELECT x.a FROM c{0} x, c{0} y)", n - 1));
    }
    bomb.push_str(&format!(" SELECT count(*) FROM c{}", scale.pick(13, 15)));
    let observed = Observed::start("statements that take long to compile", scale, &server);
    let mut slowest = Duration::ZERO;
    for _ in 0..scale.pick(2, 50) {
        let begun = Instant::now();
        share(2, 2, |n| {
            let (client, session) = &sessions[n];
            observed.load.count(&client.sql(session, &bomb));
        });
        slowest = slowest.max(begun.elapsed());
        assert!(slowest < Duration::from_secs(6), "{slowest:?}");
    }
    observed.load.assert_only(&["400"]);
    Some(observed.finish(&mut server, format!("slowest refusal {} ms", slowest.as_millis())))
}
