//! A running server, and stand-ins for the models that it asks.

pub mod claude;
pub mod model;
pub mod raw;
pub mod responses;

use std::sync::Arc;

use chatbot_widget::app::App;
use chatbot_widget::config::Config;
use chatbot_widget::domain::{Clock, ManualClock, Timestamp};
use chatbot_widget::provider::transport::Proxies;
use chatbot_widget::server;
use chatbot_widget::store::Backend;
use chatbot_widget::store::redb::{Options, RedbStore};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use model::Model;

/// When the tests' clocks start: 2026-01-31T12:00:00Z.
pub const START: Timestamp = Timestamp(1_769_860_800_000);

/// A running server. Its data is deleted when it is dropped.
pub struct Server {
    pub base: String,
    pub address: std::net::SocketAddr,
    pub clock: Arc<ManualClock>,
    pub app: Arc<App>,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
    data: TempDir,
}

/// A response that has been read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The response's JSON, after checking its status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Checks that it is an error of this shape, and returns its sentence.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> String {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["requestId"].as_str(), self.header("x-request-id"), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json; charset=utf-8"));
        let sentence = body["error"].as_str().expect("a sentence");
        assert!(sentence.ends_with(['.', '!', ')']) || sentence.ends_with(")."), "{sentence}");
        sentence.to_owned()
    }
}

impl Server {
    /// A server with the default settings; the demo answers.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server that asks `model`, as Claude.
    pub async fn asking(model: &Model) -> Self {
        Self::with(&model.flags()).await
    }

    /// A server with these flags beside the defaults.
    pub async fn with(flags: &[&str]) -> Self {
        Self::with_options(flags, server::ServerOptions::default()).await
    }

    /// The same, served with these options.
    pub async fn with_options(flags: &[&str], serving: server::ServerOptions) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self::build(data, flags, serving, Arc::new).await.0
    }

    /// A server whose store is what `wrap` makes of the real one.
    pub async fn over<S: Backend + 'static>(
        flags: &[&str],
        wrap: impl FnOnce(RedbStore) -> S,
    ) -> (Self, Arc<S>) {
        let data = tempfile::tempdir().unwrap();
        let wrap = |store| Arc::new(wrap(store));
        Self::build(data, flags, server::ServerOptions::default(), wrap).await
    }

    /// Stops the server, and starts another one with `flags` and the same data.
    pub async fn restart(mut self, flags: &[&str]) -> Self {
        self.begin_stop();
        self.task.await.unwrap().unwrap();
        drop(self.app);
        Self::build(self.data, flags, server::ServerOptions::default(), Arc::new).await.0
    }

    async fn build<S: Backend + 'static>(
        data: TempDir,
        flags: &[&str],
        serving: server::ServerOptions,
        wrap: impl FnOnce(RedbStore) -> Arc<S>,
    ) -> (Self, Arc<S>) {
        let folder = data.path().display().to_string();
        let fixed = ["chatbot-widget", "--app-env", "testing", "--data-dir", &folder];
        let config = Config::parse_from(fixed.iter().chain(flags)).unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let options = Options {
            cache_bytes: 1024 * 1024,
            session_timeout: config.limits.session_timeout,
            now: clock.now(),
        };
        let store = RedbStore::open(&data.path().join("chatbot.redb"), options).unwrap();
        let providers = chatbot_widget::app::providers(&config, &Proxies::default()).unwrap();
        let store = wrap(store);
        let shared = Arc::clone(&store) as Arc<dyn Backend>;
        let app = App::assemble(config, shared, Arc::clone(&clock) as Arc<dyn Clock>, providers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            // A dropped sender stops the server as well.
            let _ = stopped.await;
        };
        let task = tokio::spawn(server::run(listener, Arc::clone(&app), serving, shutdown));
        let base = format!("http://{address}");
        // Fails in every test of the process but the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        let stop = Some(stop);
        (Self { base, address, clock, app, client, stop, task, data }, store)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A new session's id.
    pub async fn session(&self, config: Value) -> String {
        let created = self.post("/api/sessions/create", json!({ "config": config })).await;
        created.expect(201)["sessionId"].as_str().unwrap().to_owned()
    }

    pub async fn say(&self, id: &str, message: &str) -> Answer {
        self.post("/api/chat/message", json!({"sessionId": id, "message": message})).await
    }

    pub async fn history(&self, id: &str) -> Vec<Value> {
        let history = self.get(&format!("/api/chat/history/{id}")).await.expect(200);
        let messages = history["messages"].as_array().unwrap().clone();
        assert_eq!(history["messageCount"], messages.len());
        messages
    }

    /// Tells the server to stop, without waiting for it.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) {
        self.begin_stop();
        self.task.await.unwrap().unwrap();
    }
}
