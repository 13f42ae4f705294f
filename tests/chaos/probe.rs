//! What other visitors see meanwhile.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::client::{Client, Response, csv};

const HEALTH_EVERY: Duration = Duration::from_millis(50);
const VISIT_EVERY: Duration = Duration::from_millis(500);

/// Threads that use the server as others do, and measure: one asks `GET /health`, the other one is
/// a new visitor each time, with an address of their own, who creates a session, asks a question,
/// reads the history, uploads a small file and runs `SELECT 1` over it.
pub struct Probe {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    seen: Arc<Mutex<Seen>>,
}

/// What the probe has seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Times of `GET /health`.
    pub health: Vec<Duration>,
    /// Times of visitors' calls that succeeded.
    pub calls: Vec<(&'static str, Duration)>,
    /// Calls that were refused with 503 and `Retry-After`, which only work over files may be.
    pub busy: Vec<(&'static str, Duration)>,
    /// Everything else.
    pub failures: Vec<String>,
}

impl Probe {
    /// Begins to probe the server at `address`; `visits` also as visitors, not only by `/health`.
    pub fn start(address: SocketAddr, visits: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::<Mutex<Seen>>::default();
        let mut threads = Vec::new();
        let mut run = |every: Duration, step: fn(SocketAddr, &Mutex<Seen>)| {
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            threads.push(std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    step(address, &seen);
                    std::thread::sleep(every);
                }
            }));
        };
        run(HEALTH_EVERY, check_health);
        if visits {
            run(VISIT_EVERY, visit);
        }
        Self { stop, threads, seen }
    }

    /// Ends it, after the calls in progress.
    pub fn finish(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn check_health(address: SocketAddr, seen: &Mutex<Seen>) {
    let begun = Instant::now();
    let response = Client::new(address).get("/health");
    let elapsed = begun.elapsed();
    let mut seen = seen.lock().unwrap();
    match response {
        Ok(response) if response.status == 200 => seen.health.push(elapsed),
        other => seen.failures.push(format!("health after {elapsed:?}: {other:?}")),
    }
}

/// One visit; it ends at the first call that does not succeed.
fn visit(address: SocketAddr, seen: &Mutex<Seen>) {
    let visitor = Client::new(address);
    let call = |name: &'static str, status: u16, call: &dyn Fn() -> io::Result<Response>| {
        let begun = Instant::now();
        let response = call();
        let elapsed = begun.elapsed();
        let mut seen = seen.lock().unwrap();
        match response {
            Ok(response) if response.status == status => {
                seen.calls.push((name, elapsed));
                return Some(response);
            }
            Ok(response) if response.status == 503 && response.header("retry-after").is_some() => {
                seen.busy.push((name, elapsed));
            }
            Ok(response) => {
                let (status, text) = (response.status, response.text());
                seen.failures.push(format!("{name} after {elapsed:?}: {status} {text}"));
            }
            Err(error) => seen.failures.push(format!("{name} after {elapsed:?}: {error}")),
        }
        None
    };
    let visit = || {
        let create = || visitor.post("/api/sessions/create", &serde_json::json!({}));
        let session = call("create", 201, &create)?.json();
        let session = session["sessionId"].as_str()?;
        call("message", 200, &|| visitor.ask(session, "What can you do?"))?;
        call("history", 200, &|| visitor.history(session))?;
        call("upload", 200, &|| visitor.upload(session, &csv(3)))?;
        call("SELECT 1", 200, &|| visitor.sql(session, "SELECT 1"))
    };
    visit();
}

impl Seen {
    /// The slowest `GET /health`.
    pub fn worst_health(&self) -> Duration {
        self.health.iter().max().copied().unwrap_or_default()
    }

    /// The time within which 99 of 100 `GET /health` were answered.
    pub fn p99_health(&self) -> Duration {
        let mut times = self.health.clone();
        times.sort();
        let place = times.len().saturating_sub(1).min(times.len() * 99 / 100);
        times.get(place).copied().unwrap_or_default()
    }

    /// The slowest call of a visitor that succeeded.
    pub fn worst_call(&self) -> (&'static str, Duration) {
        self.calls.iter().max_by_key(|(_, time)| *time).copied().unwrap_or_default()
    }
}
