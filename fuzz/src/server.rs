//! The whole HTTP server over a store in memory, without a network.

use std::cell::RefCell;
use std::sync::Arc;

use chatbot_widget::app::{App, providers};
use chatbot_widget::config::Config;
use chatbot_widget::domain::{
    BotId, Clock, ManualClock, Session, SessionConfig, SessionId, SessionState, Timestamp,
};
use chatbot_widget::http::{Gate, endpoint};
use chatbot_widget::provider::transport::Proxies;
use chatbot_widget::store::Store;
use chatbot_widget::store::redb::{Options, RedbStore};
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request};
use redb::backends::InMemoryBackend;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// A session that always exists.
pub const SESSION: &str = "4d5f0f0e-3d6b-4c7e-9a44-0123456789ab";

const NOW: Timestamp = Timestamp(1_769_860_800_000);

/// Requests until the server is replaced, since conversations fill the memory.
const REQUESTS: u32 = 1_000;

struct Server {
    gate: Gate,
    runtime: Runtime,
    requests: u32,
}

impl Server {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let flags = ["chatbot-widget", "--app-env", "testing", "--data-dir", "unused"];
        let config = Config::parse_from(flags).unwrap();
        let options = Options {
            cache_bytes: 1 << 20,
            session_timeout: config.limits.session_timeout,
            now: NOW,
        };
        let store = RedbStore::open_with_backend(|| Ok(InMemoryBackend::new()), options).unwrap();
        let session = Session {
            id: SessionId(SESSION.parse().unwrap()),
            bot: BotId::default(),
            state: SessionState::Bot,
            created: NOW,
            last_activity: NOW,
            message_count: 0,
            config: SessionConfig::default(),
        };
        runtime.block_on(store.create_session(session)).unwrap();
        let providers = providers(&config, &Proxies::default()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW));
        let gate = endpoint(App::assemble(config, Arc::new(store), clock, providers));
        Self { gate, runtime, requests: 0 }
    }
}

/// Sends a request and checks that the response is JSON of our shape and not a server error.
pub fn send(method: Method, path: &str, content_type: &str, body: &[u8]) -> (StatusCode, Value) {
    thread_local! {
        static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
    }
    SERVER.with_borrow_mut(|slot| {
        let full = slot.as_ref().is_some_and(|server| server.requests >= REQUESTS);
        // A GET reads what the request before it has written.
        if full && method != Method::GET {
            *slot = None;
        }
        let server = slot.get_or_insert_with(Server::new);
        server.requests += 1;
        let request = Request::builder()
            .method(method)
            .uri_str(path)
            .header("host", "localhost")
            .header("content-length", body.len())
            .content_type(content_type)
            .body(body.to_vec());
        let (status, answer) = server.runtime.block_on(async {
            let response = server.gate.get_response(request).await;
            (response.status(), response.into_body().into_vec().await.unwrap())
        });
        let answer: Value = serde_json::from_slice(&answer).expect("every response is JSON");
        assert!(!status.is_server_error(), "{status}: {answer}");
        if !status.is_success() {
            assert!(status.is_client_error(), "{status}: {answer}");
            for key in ["error", "code", "requestId"] {
                assert!(answer[key].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
            }
        }
        (status, answer)
    })
}
