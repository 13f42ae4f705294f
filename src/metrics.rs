//! Prometheus metrics: counters and histograms of events, gauges of the current state.
//!
//! Label values come from this program alone (routes, kinds, words), never from what was sent: the
//! number of series is bounded.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::domain::{Money, ProviderKind, Usage};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnLabels {
    provider: &'static str,
    /// How the answer ended, or the code of the error.
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    provider: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    resource: &'static str,
    reason: &'static str,
}

/// A histogram of seconds.
type Seconds = fn() -> Histogram;

fn request_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 4.0, 10))
}

fn word_seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.05, 2.0, 12))
}

/// The state of the process at the moment when it is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricsSnapshot {
    /// Sessions that have not expired.
    pub sessions: u64,
    /// Those used in the last 5 minutes.
    pub sessions_recent: u64,
    /// Turns that are running.
    pub turns_running: usize,
    /// Turns that are running or waiting.
    pub turns_begun: usize,
    /// Jobs that are running.
    pub work_running: usize,
    /// Jobs that wait for a place.
    pub work_queued: usize,
    /// Bytes of request bodies in memory.
    pub body_bytes: usize,
    /// Transactions that the store has committed since the start.
    pub store_commits: u64,
    /// Operations in them.
    pub store_operations: u64,
    /// Transactions that could not be committed.
    pub store_failures: u64,
    /// Operations that wait for the store's writer.
    pub store_queued: usize,
    /// Log lines that were dropped since the start.
    pub log_lines_dropped: u64,
}

/// How a metric is read from a snapshot.
type SnapshotField = fn(&MetricsSnapshot) -> u64;

/// All metrics of this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabel, Histogram, Seconds>,
    turns: Family<TurnLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    cost: Family<ProviderLabel, Counter<f64, AtomicU64>>,
    first_word_seconds: Family<ProviderLabel, Histogram, Seconds>,
    refusals: Family<RefusalLabels, Counter>,
    gauges: Vec<(Gauge, SnapshotField)>,
    counters: Vec<(Counter, SnapshotField)>,
    /// One reader at a time, since counters that are kept elsewhere are brought up to date first.
    reading: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("chatbot_widget");
        let (requests, turns) = (Family::default(), Family::default());
        let (tokens, refusals) = (Family::default(), Family::default());
        let cost = Family::default();
        let request_seconds = Family::new_with_constructor(request_seconds as Seconds);
        let first_word_seconds = Family::new_with_constructor(word_seconds as Seconds);
        registry.register("http_requests", "Requests by route and status", requests.clone());
        let help = "Time until a response begins, in seconds";
        registry.register("http_request_seconds", help, request_seconds.clone());
        registry.register("turns", "Finished turns by outcome", turns.clone());
        registry.register("tokens", "Tokens as providers count them", tokens.clone());
        let help = "Cost of answers at list prices, in US dollars";
        registry.register("cost_dollars", help, cost.clone());
        let help = "Time from a question to the first word of its answer, in seconds";
        registry.register("first_word_seconds", help, first_word_seconds.clone());
        let help = "Requests refused because a limit was reached";
        registry.register("quota_refusals", help, refusals.clone());
        let mut metrics = Self {
            registry,
            requests,
            request_seconds,
            turns,
            tokens,
            cost,
            first_word_seconds,
            refusals,
            gauges: Vec::new(),
            counters: Vec::new(),
            reading: Mutex::default(),
        };
        metrics.register_snapshot();
        metrics
    }
}

impl Metrics {
    fn register_snapshot(&mut self) {
        let gauges: [(&str, &str, SnapshotField); 8] = [
            ("sessions", "Sessions that have not expired", |now| now.sessions),
            ("sessions_recent", "Sessions used in the last 5 minutes", |now| now.sessions_recent),
            ("turns_running", "Turns that are being answered", |now| now.turns_running as u64),
            ("turns_begun", "Turns that are running or waiting", |now| now.turns_begun as u64),
            ("work_running", "Pieces of work that compute", |now| now.work_running as u64),
            ("work_queued", "Pieces of work that wait for a place", |now| now.work_queued as u64),
            ("body_bytes", "Bytes of request bodies in memory", |now| now.body_bytes as u64),
            ("store_queued", "Operations that wait to be written", |now| now.store_queued as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = Gauge::default();
            self.registry.register(name, help, gauge.clone());
            self.gauges.push((gauge, value));
        }
        let counters: [(&str, &str, SnapshotField); 4] = [
            ("store_commits", "Transactions committed", |now| now.store_commits),
            ("store_operations", "Operations in them", |now| now.store_operations),
            ("store_failures", "Transactions that failed", |now| now.store_failures),
            ("log_lines_dropped", "Log lines that were dropped", |now| now.log_lines_dropped),
        ];
        for (name, help, value) in counters {
            let counter = Counter::default();
            self.registry.register(name, help, counter.clone());
            self.counters.push((counter, value));
        }
        let memory: Gauge = Gauge::default();
        self.registry.register("resident_memory_bytes", "Resident memory", memory.clone());
        self.gauges.push((memory, |_| resident_bytes()));
    }

    /// A request has been answered. `route` is the pattern of its path.
    pub fn request(&self, route: &str, method: &str, status: u16, elapsed: Duration) {
        let method = match method {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            "PUT" => "PUT",
            "DELETE" => "DELETE",
            "OPTIONS" => "OPTIONS",
            _ => "other",
        };
        let route = route.to_owned();
        let labels = RouteLabel { route: route.clone() };
        self.request_seconds.get_or_create(&labels).observe(elapsed.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }

    /// A turn has ended with `outcome`, a status or an error's code.
    pub fn turn(&self, provider: ProviderKind, outcome: &'static str, usage: Usage) {
        let provider = provider.as_str();
        self.turns.get_or_create(&TurnLabels { provider, outcome }).inc();
        for (kind, count) in [
            ("input", usage.input_tokens),
            ("cached_input", usage.cached_input_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("output", usage.output_tokens),
            ("reasoning", usage.reasoning_tokens),
        ] {
            if count > 0 {
                self.tokens.get_or_create(&TokenLabels { provider, kind }).inc_by(count.into());
            }
        }
    }

    /// A turn has cost `amount`.
    pub fn cost(&self, provider: ProviderKind, amount: Money) {
        let provider = provider.as_str();
        self.cost.get_or_create(&ProviderLabel { provider }).inc_by(amount.dollars());
    }

    /// The first word of an answer has come.
    pub fn first_word(&self, provider: ProviderKind, elapsed: Duration) {
        let labels = ProviderLabel { provider: provider.as_str() };
        self.first_word_seconds.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }

    /// A request was refused because a limit was reached.
    pub fn refusal(&self, resource: &'static str, reason: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { resource, reason }).inc();
    }

    /// All metrics as OpenMetrics text, with `now` among them.
    pub fn render(&self, now: &MetricsSnapshot) -> Cow<'static, str> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        for (gauge, value) in &self.gauges {
            gauge.set(i64::try_from(value(now)).unwrap_or(i64::MAX));
        }
        for (counter, value) in &self.counters {
            counter.inc_by(value(now).saturating_sub(counter.get()));
        }
        let mut text = String::new();
        match text::encode(&mut text, &self.registry) {
            Ok(()) => text.into(),
            // Writing to memory does not fail.
            Err(_) => Cow::Borrowed(""),
        }
    }
}

/// The process's resident memory in bytes; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.unwrap_or(0_u64) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_the_present_are_rendered() {
        let metrics = Metrics::default();
        metrics.request("/health", "GET", 200, Duration::from_millis(1));
        metrics.request("/health", "BREW", 405, Duration::from_millis(1));
        let usage = Usage { input_tokens: 7, output_tokens: 2, ..Usage::default() };
        metrics.turn(ProviderKind::Claude, "complete", usage);
        metrics.turn(ProviderKind::Claude, "provider_busy", Usage::default());
        metrics.first_word(ProviderKind::Demo, Duration::from_millis(60));
        metrics.cost(ProviderKind::Claude, Money::from_dollars_per_million(250_000.0).unwrap());
        metrics.refusal("messages", "rate_limited");
        let now = MetricsSnapshot { sessions: 3, store_commits: 5, ..MetricsSnapshot::default() };
        metrics.render(&now);
        let text = metrics.render(&MetricsSnapshot { store_commits: 6, ..now });
        for line in [
            "chatbot_widget_http_requests_total{route=\"/health\",method=\"GET\",status=\"200\"} 1",
            "chatbot_widget_http_requests_total{route=\"/health\",method=\"other\",status=\"405\"} 1",
            "chatbot_widget_turns_total{provider=\"claude\",outcome=\"complete\"} 1",
            "chatbot_widget_cost_dollars_total{provider=\"claude\"} 0.25",
            "chatbot_widget_turns_total{provider=\"claude\",outcome=\"provider_busy\"} 1",
            "chatbot_widget_tokens_total{provider=\"claude\",kind=\"input\"} 7",
            "chatbot_widget_quota_refusals_total{resource=\"messages\",reason=\"rate_limited\"} 1",
            "chatbot_widget_sessions 3",
            "chatbot_widget_store_commits_total 6",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(
            text.contains("first_word_seconds_bucket{le=\"0.1\",provider=\"demo\"} 1"),
            "{text}"
        );
        let memory = text
            .lines()
            .find_map(|line| line.strip_prefix("chatbot_widget_resident_memory_bytes "));
        assert!(memory.unwrap().parse::<u64>().unwrap() > 1_000_000, "{text}");
    }
}
