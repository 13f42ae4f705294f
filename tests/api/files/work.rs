//! How many statements run at the same time, and what that costs others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chatbot_widget::quota::QuotaLimits;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Part, form, query, upload};
use crate::support::{Answer, Server};

/// Runs until its time is up.
const ENDLESS: &str =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

/// The most pieces of work that were seen to compute at the same time.
struct Watch {
    most: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    fn new(server: &Server) -> Self {
        let most = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn({
            let (app, most) = (Arc::clone(&server.app), Arc::clone(&most));
            async move {
                loop {
                    most.fetch_max(app.quota.in_use().working, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        });
        Self { most, task }
    }

    fn most(self) -> usize {
        self.task.abort();
        self.most.load(Ordering::Relaxed)
    }
}

/// Queries as a client with an address of its own, which a trusted proxy reports.
async fn query_from(server: &Server, client: usize, id: &str, sql: &str) -> Answer {
    let request = server
        .request(Method::POST, &format!("/api/files/query/{id}"))
        .header("x-forwarded-for", format!("192.0.2.{client}"))
        .json(&json!({ "sql": sql }));
    server.send(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_statements_run_than_there_are_places() {
    let server = Arc::new(Server::start().await);
    let places = QuotaLimits::default().work_places;
    // Heavy enough to overlap, light enough to be over soon.
    let sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) \
               SELECT count(*) FROM c";
    let mut sessions = Vec::new();
    for _ in 0..3 * places {
        let id = server.session(json!({})).await;
        upload(&server, &id, "a.csv", b"a\n1\n").await.expect(200);
        sessions.push(id);
    }
    let watch = Watch::new(&server);
    let queries = sessions.into_iter().enumerate().map(|(client, id)| {
        let server = Arc::clone(&server);
        async move { query_from(&server, client, &id, sql).await }
    });
    for answer in futures_util::future::join_all(queries).await {
        let answer = answer.expect(200);
        assert_eq!(answer["results"]["rows"], json!([[100_000]]));
    }
    assert_eq!(watch.most(), places, "all places are used, and no more");
    assert_eq!(server.app.quota.in_use().working, 0);
}

/// Clients that hang up used to free their places while their statements went on, until the
/// process had no thread left for anybody.
#[test]
fn statements_whose_callers_hang_up_leave_the_others_working() {
    // Few threads, so that few statements would take all of them.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(8).enable_all().build().unwrap();
    runtime.block_on(flood_and_hang_up());
    runtime.shutdown_background();
}

async fn flood_and_hang_up() {
    let server = Server::start().await;
    let attacker = server.session(json!({})).await;
    upload(&server, &attacker, "a.csv", b"a\n1\n").await.expect(200);
    let other = server.session(json!({})).await;
    let watch = Watch::new(&server);
    let body = json!({ "sql": ENDLESS }).to_string();
    let request = format!(
        "POST /api/files/query/{attacker} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..60 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        while server.app.quota.in_use().working == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        // The place stays taken. Were it freed, the next statement would begin beside this one.
        let freed = async {
            while server.app.quota.in_use().working > 0 {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(20), freed).await;
    }
    let work = async {
        let parts: [Part<'_>; 2] =
            [("sessionId", None, other.as_bytes()), ("file", Some("b.csv"), b"b\n1\n2\n")];
        let upload = server
            .request(Method::POST, "/api/files/upload")
            .header("x-forwarded-for", "192.0.2.2")
            .header("content-type", "multipart/form-data; boundary=xyz")
            .body(form(&parts));
        server.send(upload).await.expect(200);
        let found = query_from(&server, 2, &other, "SELECT sum(b) FROM data").await.expect(200);
        assert_eq!(found["results"]["rows"], json!([[3]]));
        server.get(&format!("/api/sessions/{other}")).await.expect(200);
        assert_eq!(server.history(&other).await.len(), 0);
        server.say(&other, "Hello").await.expect(200);
    };
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("the others are served");
    assert!(watch.most() <= QuotaLimits::default().work_places);
    query(&server, &other, json!({"query": "2"})).await.expect(200);
}
