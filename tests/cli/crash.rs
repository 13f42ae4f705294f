//! `kill -9` under load: acknowledged turns survive.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::process::{Running, call};

/// Number of acknowledged turns before the kill.
const TURNS: usize = 150;

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut before: Vec<(String, Vec<String>)> = Vec::new();
    for round in 0..3 {
        let server = Running::start(folder.path(), &[("RATE_LIMIT", "0")]);
        verify(&server, &before);
        before.extend(load_until_killed(&server, round));
    }
    let server = Running::start(folder.path(), &[]);
    verify(&server, &before);
    assert_eq!(server.call("GET", "/health/ready", "").unwrap().0, 200);
}

/// Eight visitors ask questions, each in its own session, until the server is killed.
/// Returns the sessions with the questions whose answers had arrived.
fn load_until_killed(server: &Running, round: usize) -> Vec<(String, Vec<String>)> {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let sessions = Arc::new(Mutex::new(Vec::new()));
    let visitors: Vec<_> = (0..8)
        .map(|visitor| {
            let (acknowledged, sessions) = (Arc::clone(&acknowledged), Arc::clone(&sessions));
            let address = server.address;
            std::thread::spawn(move || {
                let Ok((201, body)) = call(address, "POST", "/api/sessions/create", "{}") else {
                    return;
                };
                let body: Value = serde_json::from_str(&body).unwrap();
                let id = body["sessionId"].as_str().unwrap().to_owned();
                let mut asked = Vec::new();
                for n in 0.. {
                    let question = format!("round {round} visitor {visitor} question {n}");
                    let body = serde_json::json!({"sessionId": id, "message": question});
                    match call(address, "POST", "/api/chat/message", &body.to_string()) {
                        Ok((200, _)) => asked.push(question),
                        Ok((status, body)) => panic!("{status}: {body}"),
                        Err(_) => break,
                    }
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                sessions.lock().unwrap().push((id, asked));
            })
        })
        .collect();
    while acknowledged.load(Ordering::SeqCst) < TURNS {
        std::thread::yield_now();
    }
    server.signal("KILL");
    for visitor in visitors {
        visitor.join().unwrap();
    }
    let sessions = sessions.lock().unwrap();
    assert!(sessions.iter().map(|(_, asked)| asked.len()).sum::<usize>() >= TURNS);
    sessions.clone()
}

fn verify(server: &Running, sessions: &[(String, Vec<String>)]) {
    for (id, asked) in sessions {
        let (status, body) = server.call("GET", &format!("/api/chat/history/{id}"), "").unwrap();
        assert_eq!(status, 200, "{body}");
        let history: Value = serde_json::from_str(&body).unwrap();
        let messages = history["messages"].as_array().unwrap();
        for (n, question) in asked.iter().enumerate() {
            assert_eq!(messages[2 * n]["content"], *question);
            assert_eq!(messages[2 * n].get("status"), None, "{question}");
            assert_eq!(messages[2 * n + 1]["role"], "assistant", "{question}");
        }
        // At most one more question was under way.
        assert!(messages.len() <= 2 * asked.len() + 2, "{}", messages.len());
    }
}
