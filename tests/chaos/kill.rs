//! `kill -9` under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, csv};
use crate::probe::Seen;
use crate::report::{Row, Scale};
use crate::server::Server;

const WRITERS: usize = 6;

/// How long a start may take after a kill.
const START_LIMIT: Duration = Duration::from_secs(5);

/// What one writer knows of its session.
struct Written {
    session: String,
    /// Questions, with answers and their ids, that were acknowledged.
    turns: Vec<(String, String, Value)>,
    /// The last acknowledged value of a setting, and the last one that was sent.
    setting: (u64, u64),
    /// The same for the rows of its file, 0 for no file.
    rows: (usize, usize),
    /// A question that was sent without an answer, until it is repeated.
    open: Option<String>,
}

/// Kills the server again and again under writers. What was acknowledged is there after each
/// restart; a question in progress may be repeated by its key and is then there once.
pub fn kill_9_under_load(scale: Scale) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut all: Vec<Written> = Vec::new();
    let mut slowest = Duration::ZERO;
    let kills = scale.pick(6, 200);
    let mut peak = None;
    for cycle in 0..kills {
        let server = Server::start(folder.path(), &[]);
        slowest = slowest.max(server.start_time);
        assert!(server.start_time < START_LIMIT, "start {cycle}: {:?}", server.start_time);
        // The latest sessions now, all of them at the end.
        let recent = all.len().saturating_sub(2 * WRITERS);
        all[recent..].iter_mut().for_each(|written| verify(&server, written));
        // From the start of a commit to its end, and everything between.
        let life = Duration::from_millis(150 + cycle * 37 % 250);
        let (written, memory) = write_until_killed(&server, cycle, life);
        all.extend(written);
        peak = peak.max(memory);
    }
    let mut server = Server::start(folder.path(), &[]);
    all.iter_mut().for_each(|written| verify(&server, written));
    let turns: usize = all.iter().map(|written| written.turns.len()).sum();
    assert!(turns as u64 > kills * 10, "only {turns} turns were acknowledged");
    server.stop(Duration::from_secs(5));
    Some(Row {
        name: "kill -9 under load",
        elapsed: begun.elapsed(),
        requests: turns,
        outcomes: format!("{kills} kills, {} sessions, 0 lost, 0 doubled", all.len()),
        seen: Seen::default(),
        peak_memory: peak,
        note: format!("slowest start {} ms", slowest.as_millis()),
    })
}

fn write_until_killed(server: &Server, cycle: u64, life: Duration) -> (Vec<Written>, Option<u64>) {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let client = Client::new(server.address);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
            std::thread::spawn(move || write(&client, &format!("{cycle}/{writer}"), &acknowledged))
        })
        .collect();
    std::thread::sleep(life);
    // A slow machine gets its chance to have something to lose.
    let deadline = Instant::now() + Duration::from_secs(20);
    while acknowledged.load(Ordering::Relaxed) < 2 * WRITERS && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let memory = server.peak_memory();
    server.signal("KILL");
    (writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect(), memory)
}

/// Writes until the server is gone; `None` if it is before the session is there.
fn write(client: &Client, name: &str, acknowledged: &AtomicUsize) -> Option<Written> {
    let session = client.create().ok()?.unwrap();
    let mut written = Written {
        session: session.clone(),
        turns: Vec::new(),
        setting: (0, 0),
        rows: (0, 0),
        open: None,
    };
    for n in 1.. {
        let question = format!("{name} question {n}");
        written.open = Some(question.clone());
        let Ok(answer) = client.ask_once(&session, &question, &format!("\"{question}\"")) else {
            break;
        };
        let answer = answer.expect(200);
        let text = answer["response"].as_str().unwrap().to_owned();
        written.turns.push((question, text, answer["messageId"].clone()));
        written.open = None;
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if n % 3 == 1 {
            written.setting.1 = n;
            let path = format!("/api/sessions/{session}/config");
            let Ok(set) = client.put(&path, &json!({"config": {"count": n}})) else { break };
            set.expect(200);
            written.setting.0 = n;
        }
        if n % 5 == 2 {
            written.rows.1 = n as usize;
            let Ok(uploaded) = client.upload(&session, &csv(n as usize)) else { break };
            uploaded.expect(200);
            written.rows.0 = n as usize;
        }
    }
    Some(written)
}

fn verify(server: &Server, written: &mut Written) {
    let client = Client::new(server.address);
    let session = &written.session;
    if let Some(question) = written.open.take() {
        let answer = client.ask_once(session, &question, &format!("\"{question}\"")).unwrap();
        let answer = answer.expect(200);
        let text = answer["response"].as_str().unwrap().to_owned();
        written.turns.push((question, text, answer["messageId"].clone()));
    }
    let history = client.history(session).unwrap().expect(200);
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2 * written.turns.len(), "{session}: {history}");
    for (pair, (question, answer, id)) in messages.chunks(2).zip(&written.turns) {
        let [asked, answered] = pair else { unreachable!() };
        assert_eq!((&asked["role"], &asked["content"]), (&json!("user"), &json!(question)));
        let expected = (&json!("assistant"), &json!(answer), id);
        assert_eq!((&answered["role"], &answered["content"], &answered["id"]), expected);
        for message in pair {
            let status = message.get("status").and_then(Value::as_str);
            assert!(matches!(status, None | Some("complete")), "{message}");
        }
    }
    let read = client.get(&format!("/api/sessions/{session}")).unwrap().expect(200);
    let setting = read["config"]["count"].as_u64().unwrap_or(0);
    assert!([written.setting.0, written.setting.1].contains(&setting), "{session}: {setting}");
    let file = client.get(&format!("/api/files/info/{session}")).unwrap();
    let rows = match file.status {
        404 => 0,
        _ => file.expect(200)["summary"]["rowCount"].as_u64().unwrap() as usize,
    };
    assert!([written.rows.0, written.rows.1].contains(&rows), "{session}: {rows} rows");
    // The table behind it is whole as well.
    if rows > 0 {
        let counted = client.sql(session, "SELECT count(*) FROM data").unwrap().expect(200);
        assert_eq!(counted["results"]["rows"][0][0], rows, "{session}");
    }
}
