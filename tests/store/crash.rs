//! A killed process loses nothing that it has acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chatbot_widget::domain::SessionId;

use crate::redb::{InFolder, open};
use crate::support::{T0, created, texts, turn};

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let folder = InFolder::default();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::helper_stores_until_it_is_killed", "--nocapture"])
            .env("TEST_KILLED_STORE", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged: Vec<_> = said
            .map(Result::unwrap)
            .filter_map(|line| line.strip_prefix("stored ")?.parse().ok())
            .take(40)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(acknowledged.len(), 40);
        let store = open(&folder.path(), T0).unwrap();
        for id in acknowledged {
            assert_eq!(texts(&store, SessionId(id), T0).await, ["a", "re: a"]);
        }
    }
}

/// The process killed by the test above; does nothing if run by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helper_stores_until_it_is_killed() {
    let Some(path) = std::env::var_os("TEST_KILLED_STORE") else { return };
    let store = Arc::new(open(Path::new(&path), T0).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            loop {
                let id = created(&*store, T0).await;
                turn(&*store, id, "a", T0).await;
                // Bypasses the test harness, which would capture it.
                let _ = writeln!(std::io::stdout().lock(), "stored {id}");
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}
