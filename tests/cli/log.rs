//! A log that cannot be written costs log lines, never a request.

use std::fs::OpenOptions;

use crate::process::Running;

#[track_caller]
fn serves_and_exits_cleanly(mut server: Running) {
    for _ in 0..20 {
        let (status, _) = server.call("GET", "/health", "").unwrap();
        assert_eq!(status, 200);
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn a_log_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    serves_and_exits_cleanly(Running::start_with_log(folder.path(), full.into(), &[]));
}

#[test]
fn a_log_whose_reader_has_closed_the_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Running::start_with_log(folder.path(), writer.into(), &[]);
    drop(reader);
    serves_and_exits_cleanly(server);
}

/// The pipe fills up after a few hundred lines; a further write would block.
#[test]
fn a_log_whose_reader_has_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Running::start_with_log(folder.path(), writer.into(), &[]);
    for _ in 0..1000 {
        assert_eq!(server.call("GET", "/health", "").expect("it must keep serving").0, 200);
    }
    serves_and_exits_cleanly(server);
    drop(reader);
}
