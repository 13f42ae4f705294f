//! Models that think before their first word.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::model::Verbatim;
use crate::provider::parameter::Objection;

const CLAUDE: ProviderKind = ProviderKind::Claude;
const OPENAI: ProviderKind = ProviderKind::OpenAi;

/// A model that starts to think after a second, and then does `end` after `millis`.
fn thinks(millis: u64, end: Result<ModelEvent, ProviderError>) -> Script {
    let end = (Duration::from_millis(millis), end);
    let second = Duration::from_secs(1);
    let done = (Duration::ZERO, Ok(ModelEvent::Finished(Finish::Complete)));
    Script::SayLate(vec![(second, Ok(ModelEvent::Thinking)), end, done])
}

fn word() -> Result<ModelEvent, ProviderError> {
    Ok(ModelEvent::Text("Hi".to_owned()))
}

/// One call: its outcome, and how often the caller was told that the model thinks.
async fn told(policy: &Policy, first: &Arc<Scripted>) -> (Result<String, Fault>, usize) {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let calls = policy.calls_from(&handle(first));
    let mut calls = calls.on_thinking(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (events, error) = read(calls.stream(&mut request()).await).await;
    let outcome = error.map_or_else(|| Ok(text(&events)), |error| Err(error.fault));
    (outcome, told.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_told_after_a_second_of_thinking() {
    for (millis, times) in [(0, 0), (999, 0), (1001, 1), (80_000, 1)] {
        let provider = Scripted::new(CLAUDE, [thinks(millis, word())]);
        let outcome = told(&policy(&[&provider], None), &provider).await;
        assert_eq!(outcome, (Ok("Hi".to_owned()), times), "{millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_while_it_thinks_is_retried_and_replaced() {
    let overloaded = || thinks(5000, Err(overloaded()));
    let first = Scripted::new(CLAUDE, [overloaded(), overloaded(), overloaded()]);
    let second = Scripted::new(OPENAI, [thinks(5000, word())]);
    let policy = policy(&[&first, &second], Some(OPENAI));
    assert_eq!(told(&policy, &first).await, (Ok("Hi".to_owned()), 4));
    assert_eq!((first.times().len(), second.times().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn after_90_seconds_of_thinking_the_fallback_is_asked_at_once() {
    let late = ProviderError::new(Fault::Timeout, "no first word in time");
    let first = Scripted::stuck(CLAUDE, thinks(89_000, Err(late)));
    let second = Scripted::new(OPENAI, []);
    let policy = policy(&[&first, &second], Some(OPENAI));
    assert_eq!(ask(&policy, &first).await.unwrap(), "Hi");
    assert_eq!((first.times(), second.times()), (vec![0], vec![90_000]));
}

#[tokio::test(start_paused = true)]
async fn tokens_used_up_by_thoughts_are_not_spent_twice() {
    let mut spent = ProviderError::new(Fault::Malformed, "the length limit was reached");
    let refused =
        Refused { parameter: Parameter::ThinkingRoom, objection: Objection::TooSmall(None) };
    spent.refused = Some(refused);
    spent.should_retry = Some(false);
    // The scripted Claude adapts nothing, the scripted GPT everything.
    for (kind, attempts) in [(CLAUDE, 1), (OPENAI, 2)] {
        let provider = Scripted::stuck(kind, Script::Fail(spent.clone()));
        let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
        assert_eq!((provider.times(), failure.fault), (vec![0; attempts], Fault::Malformed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_does_not_get_what_only_the_first_provider_can_read() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let second = Scripted::new(OPENAI, []);
    let policy = policy(&[&first, &second], Some(OPENAI));
    let verbatim = Verbatim { api: "messages", model: "asked".to_owned(), items: Vec::new() };
    let mut request = request();
    request.entries[1] =
        Entry::Assistant { text: "Hello!".to_owned(), calls: Vec::new(), verbatim: Some(verbatim) };
    let kept = |request: &ModelRequest| {
        let is_kept = |entry: &Entry| matches!(entry, Entry::Assistant { verbatim: Some(_), .. });
        request.entries.iter().any(is_kept)
    };
    assert!(read(policy.calls_from(&handle(&first)).stream(&mut request).await).await.1.is_none());
    assert!(first.requests().iter().all(kept));
    assert!(!kept(&second.requests()[0]) && !kept(&request));
}
