//! What is logged.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// The lines of a log, kept in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn with(&self, words: &[&str]) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }
}

fn log() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let writer = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone());
    (lines, tracing::subscriber::set_default(writer.finish()))
}

#[tokio::test(start_paused = true)]
async fn every_failed_attempt_is_one_line_without_bodies() {
    let (lines, _guard) = log();
    let error = refusal(529, &[("request-id", "req_1")], r#"{"error":{"message":"too many"}}"#);
    let provider = Scripted::stuck(ProviderKind::Claude, Script::Fail(error));
    assert!(ask(&policy(&[&provider], None), &provider).await.is_err());
    assert_eq!(lines.with(&[]), 3);
    for (attempt, wait, next) in [
        ("1", "wait_ms=500", "retry"),
        ("2", "wait_ms=1000", "retry"),
        ("3", "wait_ms=0", "give up"),
    ] {
        let attempt = format!("attempt={attempt} ");
        let words =
            ["WARN", "provider=claude", "Overloaded", "too many", "req_1", &attempt, wait, next];
        assert_eq!(lines.with(&words), 1, "{words:?}");
    }
    assert_eq!(lines.with(&["1 + 1?"]) + lines.with(&["Be brief."]), 0);
}

#[tokio::test(start_paused = true)]
async fn the_administrator_is_alerted_once_a_minute_for_each_provider() {
    let (lines, _guard) = log();
    let first = Scripted::stuck(ProviderKind::Claude, Script::Fail(refusal(401, &[], "bad key")));
    let second = Scripted::stuck(ProviderKind::OpenAi, Script::Fail(refusal(402, &[], "pay")));
    let policy = policy(&[&first, &second], None);
    for _ in 0..100 {
        assert!(ask(&policy, &first).await.is_err());
        assert!(ask(&policy, &second).await.is_err());
    }
    let told = |word: &str| lines.with(&["ERROR", &format!("alert=\"{word}\"")]);
    assert_eq!((told("provider_misconfigured"), told("provider_unavailable")), (1, 1));
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..100 {
        assert!(ask(&policy, &first).await.is_err());
    }
    assert_eq!(told("provider_misconfigured"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_answer_is_logged_and_a_complete_one_is_not() {
    let (lines, _guard) = log();
    let cut = ProviderError::new(Fault::Interrupted, "reset");
    let half = Script::Say(vec![Ok(ModelEvent::Text("Half".to_owned())), Err(cut)]);
    let provider = Scripted::new(ProviderKind::Claude, [half]);
    let policy = policy(&[&provider], None);
    assert!(ask(&policy, &provider).await.is_err());
    assert!(ask(&policy, &provider).await.is_ok());
    assert_eq!((lines.with(&[]), lines.with(&["WARN", "Interrupted", "reset"])), (1, 1));
}

const NO_MODEL: &str = r#"{"error":{"type":"not_found_error","message":"model: nope"}}"#;

/// A model that does not exist is the caller's mistake, unless it is the operator's default.
#[tokio::test(start_paused = true)]
async fn an_unknown_model_alerts_only_if_it_is_the_default() {
    let (lines, _guard) = log();
    let never_retried = [("x-should-retry", "true")];
    let unknown = refusal(404, &never_retried, NO_MODEL);
    let first = Scripted::stuck(ProviderKind::Claude, Script::Fail(unknown));
    let second = Scripted::new(ProviderKind::OpenAi, []);
    let policy = policy(&[&first, &second], Some(ProviderKind::OpenAi));
    for _ in 0..20 {
        let failure = ask_for(&policy, &first, "nope").await.unwrap_err();
        assert_eq!((failure.fault, failure.status), (Fault::UnknownModel, Some(404)));
    }
    assert_eq!((first.times(), second.times().len()), (vec![0; 20], 0));
    assert_eq!(lines.with(&["ERROR"]), 0);

    let failure = ask_for(&policy, &first, "claude").await.unwrap_err();
    assert_eq!((failure.fault, second.times().len()), (Fault::Misconfigured, 0));
    assert_eq!(lines.with(&["ERROR", "alert=\"provider_misconfigured\""]), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_permission_for_a_callers_model_alerts_nobody() {
    let (lines, _guard) = log();
    let first = Scripted::stuck(ProviderKind::Claude, Script::Fail(refusal(403, &[], "no")));
    let policy = policy(&[&first], None);
    assert!(ask_for(&policy, &first, "nope").await.is_err());
    assert_eq!(lines.with(&["ERROR"]), 0);
    assert!(ask_for(&policy, &first, "claude").await.is_err());
    assert_eq!(lines.with(&["ERROR"]), 1);
}

#[tokio::test(start_paused = true)]
async fn one_kind_of_alert_does_not_silence_another() {
    let (lines, _guard) = log();
    let (key, money) = (refusal(401, &[], "bad key"), refusal(402, &[], "pay"));
    let steps = [&key, &money, &key, &money].map(|error| Script::Fail(error.clone()));
    let provider = Scripted::new(ProviderKind::Claude, steps);
    let policy = policy(&[&provider], None);
    for _ in 0..4 {
        assert!(ask(&policy, &provider).await.is_err());
    }
    let told = |word: &str| lines.with(&["ERROR", &format!("alert=\"{word}\"")]);
    assert_eq!((told("provider_misconfigured"), told("provider_unavailable")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_reports_a_wrong_key_with_400_alerts() {
    let (lines, _guard) = log();
    let body = r#"{"error":{"message":"No connected db.","type":"no_db_connection","code":"400"}}"#;
    let steps = [Script::Fail(refusal(400, &[], body))];
    let provider = Scripted::new(ProviderKind::OpenAi, steps);
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!(failure.fault, Fault::Misconfigured);
    assert_eq!(lines.with(&["ERROR", "alert=\"provider_misconfigured\""]), 1);
}
