//! What the log says.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Lines of a log, kept.
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
async fn the_administrator_is_told_once_a_minute_of_each_provider() {
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
async fn an_answer_that_breaks_off_is_logged_and_a_whole_one_is_not() {
    let (lines, _guard) = log();
    let cut = ProviderError::new(Fault::Interrupted, "reset");
    let half = Script::Say(vec![Ok(ModelEvent::Text("Half".to_owned())), Err(cut)]);
    let provider = Scripted::new(ProviderKind::Claude, [half]);
    let policy = policy(&[&provider], None);
    assert!(ask(&policy, &provider).await.is_err());
    assert!(ask(&policy, &provider).await.is_ok());
    assert_eq!((lines.with(&[]), lines.with(&["WARN", "Interrupted", "reset"])), (1, 1));
}
