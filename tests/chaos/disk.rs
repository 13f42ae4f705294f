//! A disk that is full, and then is not.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, csv};
use crate::probe::{Probe, Seen};
use crate::report::{Load, Row, Scale, print};
use crate::server::Server;

/// A file system of its own, unmounted when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(mebibytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "none"]);
        let mounted = mount.arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left. Returns the file that has it.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since the server may still be there if a test has failed.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Fills the disk by another file, and again by uploads. Writes are refused with 507, reads go on,
/// and writes work again as soon as there is room.
pub fn full_and_back(scale: Scale) -> Option<Row> {
    let Some(disk) = Disk::mount(scale.pick(24, 48)) else {
        print("skipped: only root can mount a small file system to fill\n");
        return None;
    };
    let begun = Instant::now();
    let mut server = Server::start(disk.path(), &[]);
    let probe = Probe::start(server.address, false);
    let load = Load::default();
    let client = Client::new(server.address);
    let mut known: Vec<(String, usize)> = Vec::new();
    let mut longest = Duration::ZERO;
    for _ in 0..scale.pick(2, 10) {
        let session = client.session_with_file(5);
        client.ask(&session, "What can you do?").unwrap().expect(200);
        known.push((session, 1));
        let filler = disk.fill();
        // What the file has room for inside is still accepted.
        write_until_full(&client, &mut known, &load);
        for path in ["/api/sessions/create", "/api/chat/message"] {
            let body = serde_json::json!({"sessionId": known[0].0, "message": "full"});
            let refused = client.post(path, &body).unwrap();
            load.count_as(&refused.status.to_string());
            assert_eq!(refused.expect(507)["code"], "storage_full", "{path}");
        }
        let refused = client.upload(&known[0].0, &csv(20_000)).unwrap();
        assert_eq!(refused.expect(507)["code"], "storage_full");
        client.get("/health/ready").unwrap().expect(503);
        verify(&client, &known);
        std::fs::remove_file(filler).unwrap();
        let room = Instant::now();
        loop {
            let answer = client.ask(&known[0].0, "What can you do?").unwrap();
            load.count_as(&answer.status.to_string());
            if answer.status == 200 {
                break known[0].1 += 1;
            }
            assert!(room.elapsed() < Duration::from_secs(5), "no writes: {}", answer.text());
            std::thread::sleep(Duration::from_millis(20));
        }
        longest = longest.max(room.elapsed());
        client.get("/health/ready").unwrap().expect(200);
    }
    // A stop and a start on the full disk.
    let filler = disk.fill();
    write_until_full(&client, &mut known, &load);
    let seen = probe.finish();
    assert_eq!(seen.failures, [""; 0]);
    let peak_memory = server.peak_memory();
    server.signal("TERM");
    let (code, elapsed) = server.wait();
    // 1 if the times of the last activity, which nobody was promised, could not be written.
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    std::fs::remove_file(filler).unwrap();
    let mut server = Server::start(disk.path(), &[]);
    verify(&Client::new(server.address), &known);
    server.stop(Duration::from_secs(5));
    Some(row(begun, &load, seen, peak_memory, longest))
}

fn row(
    begun: Instant,
    load: &Load,
    seen: Seen,
    peak_memory: Option<u64>,
    longest: Duration,
) -> Row {
    Row {
        name: "disk full and back",
        elapsed: begun.elapsed(),
        requests: load.total(),
        outcomes: load.outcomes(),
        seen,
        peak_memory,
        note: format!("writes work {} ms after there is room", longest.as_millis()),
    }
}

/// New sessions and questions until the first 507; everything acknowledged is added to `known`.
fn write_until_full(client: &Client, known: &mut Vec<(String, usize)>, load: &Load) {
    for _ in 0..100_000 {
        let session = match client.create().unwrap() {
            Ok(session) => session,
            Err(refused) => {
                load.count_as(&refused.status.to_string());
                refused.expect(507);
                return;
            }
        };
        load.count_as("201");
        let answer = client.ask(&session, "What can you do?").unwrap();
        load.count_as(&answer.status.to_string());
        known.push((session, usize::from(answer.status == 200)));
        if answer.status != 200 {
            answer.expect(507);
            return;
        }
    }
    panic!("the disk is never full");
}

/// All sessions have their acknowledged answers.
fn verify(client: &Client, known: &[(String, usize)]) {
    for (session, turns) in known {
        let history = client.history(session).unwrap().expect(200);
        let messages = history["messages"].as_array().unwrap();
        let answers = messages
            .iter()
            .filter(|message| message["role"] == "assistant" && message.get("status").is_none());
        assert_eq!(answers.count(), *turns, "{session}: {history}");
    }
}
