//! What a scenario did and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::client::Response;
use crate::probe::{Probe, Seen};
use crate::server::Server;

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Under a minute in all and on a debug build: bounds are generous.
    Short,
    /// Minutes, on a release build: bounds are those that are promised.
    Long,
}

impl Scale {
    pub fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }

    /// How long a visitor's call may take.
    fn call_limit(self) -> Duration {
        Duration::from_secs(self.pick(10, 3))
    }

    /// How long 99 of 100 `GET /health` may take.
    fn health_limit(self) -> Duration {
        Duration::from_millis(self.pick(5000, 100))
    }
}

/// What the attacker's requests came to. Shared by threads.
#[derive(Debug, Default)]
pub struct Load(Mutex<BTreeMap<String, usize>>);

impl Load {
    /// Counts a request by its status, or as closed if there was no response.
    pub fn count(&self, response: &io::Result<Response>) {
        self.count_as(&match response {
            Ok(response) => response.status.to_string(),
            Err(_) => "closed".to_owned(),
        });
    }

    pub fn count_as(&self, outcome: &str) {
        *self.0.lock().unwrap().entry(outcome.to_owned()).or_default() += 1;
    }

    /// How often it came to this.
    pub fn of(&self, outcome: &str) -> usize {
        self.0.lock().unwrap().get(outcome).copied().unwrap_or(0)
    }

    pub fn total(&self) -> usize {
        self.0.lock().unwrap().values().sum()
    }

    pub fn outcomes(&self) -> String {
        let counts = self.0.lock().unwrap();
        let counts = counts.iter().map(|(outcome, count)| format!("{outcome}: {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// No request may have come to anything else.
    #[track_caller]
    pub fn assert_only(&self, allowed: &[&str]) {
        let counts = self.0.lock().unwrap();
        let others = counts.keys().filter(|outcome| !allowed.contains(&outcome.as_str()));
        assert_eq!(others.count(), 0, "{counts:?}");
    }
}

/// A line of the report.
pub struct Row {
    pub name: &'static str,
    pub elapsed: Duration,
    pub requests: usize,
    pub outcomes: String,
    pub seen: Seen,
    /// MiB.
    pub peak_memory: Option<u64>,
    pub note: String,
}

/// A scenario against one server, under observation.
pub struct Observed {
    name: &'static str,
    scale: Scale,
    begun: Instant,
    probe: Probe,
    pub load: Load,
}

impl Observed {
    pub fn start(name: &'static str, scale: Scale, server: &Server) -> Self {
        let probe = Probe::start(server.address, true);
        Self { name, scale, begun: Instant::now(), probe, load: Load::default() }
    }

    /// Ends the observation. Other visitors must have been served, and in time.
    #[track_caller]
    pub fn finish(self, server: &mut Server, note: impl Into<String>) -> Row {
        self.finish_with(server, note, false)
    }

    /// The same where work over files may have been refused as long as all places were taken, after
    /// a bounded wait.
    #[track_caller]
    pub fn finish_busy(self, server: &mut Server, note: impl Into<String>) -> Row {
        self.finish_with(server, note, true)
    }

    #[track_caller]
    fn finish_with(self, server: &mut Server, note: impl Into<String>, may_be_busy: bool) -> Row {
        let elapsed = self.begun.elapsed();
        let seen = self.probe.finish();
        server.assert_is_running();
        let row = Row {
            name: self.name,
            elapsed,
            requests: self.load.total(),
            outcomes: self.load.outcomes(),
            seen,
            peak_memory: server.peak_memory(),
            note: note.into(),
        };
        // Before it is judged, so that a failure comes with its figures.
        print(&table(std::slice::from_ref(&row)));
        let (seen, name) = (&row.seen, self.name);
        assert_eq!(seen.failures, [""; 0], "{name}: other visitors");
        assert!(!seen.health.is_empty() && !seen.calls.is_empty(), "{name}: nothing was observed");
        let p99 = seen.p99_health();
        assert!(p99 < self.scale.health_limit(), "{name}: p99 of /health is {p99:?}");
        let (call, worst) = seen.worst_call();
        // A call over files may have waited for a place and then run.
        let limit = self.scale.call_limit() + Duration::from_secs(if may_be_busy { 5 } else { 0 });
        assert!(worst < limit, "{name}: {call} took {worst:?}");
        let busy: Vec<_> = seen
            .busy
            .iter()
            .filter(|(call, time)| {
                let over_files = ["upload", "SELECT 1"].contains(call);
                !(may_be_busy && over_files && *time < limit)
            })
            .collect();
        assert!(busy.is_empty(), "{name}: refused to others: {busy:?}");
        row
    }
}

/// Straight to standard error, where a test's output is not held back.
pub fn print(text: &str) {
    use std::io::Write;
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// The report as a Markdown table.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| scenario | seconds | requests | came to | health p99, worst (ms) \
                    | visitors' calls, worst (ms) | peak MiB | |\n|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1000.0);
        let seen = &row.seen;
        let health = match seen.health.is_empty() {
            true => "–".to_owned(),
            false => format!("{}, {}", ms(seen.p99_health()), ms(seen.worst_health())),
        };
        let mut visitors = match seen.calls.is_empty() {
            true => "–".to_owned(),
            false => format!(
                "{}, {} ({})",
                seen.calls.len(),
                ms(seen.worst_call().1),
                seen.worst_call().0
            ),
        };
        if !seen.busy.is_empty() {
            let longest = seen.busy.iter().map(|(_, time)| *time).max().unwrap_or_default();
            let _ = write!(visitors, "; {} × 503 within {}", seen.busy.len(), ms(longest));
        }
        let memory = row.peak_memory.map_or("–".to_owned(), |mib| mib.to_string());
        let _ = writeln!(
            text,
            "| {} | {:.1} | {} | {} | {health} | {visitors} | {memory} | {} |",
            row.name,
            row.elapsed.as_secs_f64(),
            row.requests,
            row.outcomes,
            row.note
        );
    }
    text
}
