//! Behind a real nginx whose settings are its defaults.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::chat::reader::{Reader, names, text};
use crate::support::Server;
use crate::support::model::{Model, Script, claude_start, claude_words};

struct Nginx {
    child: Child,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master ends the worker as well; a killed one would leave it behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// An nginx that passes all on to `server`. Beyond that, only its own files are placed.
    async fn before(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let socket = folder.path().join("nginx.sock");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .collect();
        let config = format!(
            "pid {at}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{ listen unix:{}; location / {{ proxy_pass {}; }} }}\n}}\n",
            socket.display(),
            server.base
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program())
            .arg("-c")
            .arg(&file)
            .args(["-g", "daemon off; error_log stderr;"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nginx is there; tests/run installs it");
        let begun = Instant::now();
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(30), "nginx does not start: {}", log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let client = reqwest::Client::builder().unix_socket(socket).build().unwrap();
        Self { child, client, _folder: folder }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("http://chat.example.com{path}"))
    }
}

/// Debian keeps it out of users' PATH.
fn program() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}

#[tokio::test]
async fn words_come_through_nginx_as_they_are_written() {
    let words = [claude_start(), claude_words("The first words. ")].concat();
    let model = Model::start([Script::Stalled(words)]).await;
    let server = Server::asking(&model).await;
    let nginx = Nginx::before(&server).await;
    let id = server.session(json!({})).await;
    let body = json!({"sessionId": id, "message": "Hi"});
    let asked = nginx.request(Method::POST, "/api/chat/stream").json(&body).send();
    let mut reader = Reader::of(asked.await.unwrap());
    let mut seen = Vec::new();
    while text(&seen) != "The first words. " {
        seen.push(reader.next().await.unwrap());
    }
    // A reload: the stream is left and picked up, both while the model still writes.
    drop(reader);
    let last = &seen.last().unwrap().id;
    let resumed =
        nginx.request(Method::GET, &format!("/api/chat/stream/{id}")).header("last-event-id", last);
    let resumed = Reader::of(resumed.send().await.unwrap());
    let stopped = nginx.request(Method::POST, &format!("/api/chat/stop/{id}"));
    assert_eq!(server.send(stopped).await.expect(200)["status"], "stopped");
    let rest = resumed.rest().await;
    assert_eq!(names(&rest), ["done"]);
    assert_eq!(rest[0].data["status"], "stopped");
    assert_eq!(rest[0].data["response"], "The first words. ");
}
