//! SIGTERM and SIGINT.

use crate::process::Running;

#[test]
fn either_signal_ends_it_cleanly_and_data_survives() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for signal in ["TERM", "INT"] {
        let mut server = Running::start(folder.path(), &[]);
        let (status, body) = server.call("POST", "/api/sessions/create", "{}").unwrap();
        assert_eq!(status, 201);
        ids.push(
            body.split("\"sessionId\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned(),
        );
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "{signal}");
    }
    let server = Running::start(folder.path(), &[]);
    for id in ids {
        assert_eq!(server.call("GET", &format!("/api/sessions/{id}"), "").unwrap().0, 200);
    }
}
