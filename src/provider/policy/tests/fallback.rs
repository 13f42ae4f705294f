//! Which provider is asked instead, and when one is left alone.

use super::*;

const CLAUDE: ProviderKind = ProviderKind::Claude;
const OPENAI: ProviderKind = ProviderKind::OpenAi;

#[tokio::test(start_paused = true)]
async fn the_fallback_is_asked_only_when_the_provider_is_in_trouble() {
    let html = ProviderError::new(Fault::Malformed, "HTML");
    for (name, error, claude, openai) in [
        ("529", overloaded(), vec![0, 500, 1500], vec![1500]),
        ("502", refusal(502, &[], ""), vec![0, 500, 1500], vec![1500]),
        ("504", refusal(504, &[], ""), vec![0, 500], vec![500]),
        ("503, 60 s", refusal(503, &[("retry-after", "60")], ""), vec![0], vec![0]),
        ("429", refusal(429, &[], ""), vec![0, 500, 1500], vec![]),
        ("402", refusal(402, &[], ""), vec![0], vec![]),
        ("401", refusal(401, &[], ""), vec![0], vec![]),
        ("400", refusal(400, &[], ""), vec![0], vec![]),
        ("413", refusal(413, &[], ""), vec![0], vec![]),
        ("HTML", html, vec![0, 500], vec![]),
    ] {
        let (first, second) =
            (Scripted::stuck(CLAUDE, Script::Fail(error)), Scripted::new(OPENAI, []));
        let policy = policy(&[&first, &second], Some(OPENAI));
        let mut calls = policy.calls_from(&handle(&first));
        let mut request = request();
        let (events, failure) = read(calls.stream(&mut request).await).await;
        assert_eq!((first.times(), second.times()), (claude, openai.clone()), "{name}");
        let (text, model, kind) = match openai.is_empty() {
            true => ("", "asked", CLAUDE),
            false => ("Hi", "openai", OPENAI),
        };
        assert_eq!(super::text(&events), text, "{name}");
        assert_eq!(failure.is_some(), openai.is_empty(), "{name}");
        assert_eq!((request.model.as_str(), calls.provider().kind()), (model, kind), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_fails_too_is_retried_and_the_first_failure_is_returned() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let second = Scripted::stuck(OPENAI, Script::Fail(refusal(502, &[], "")));
    let policy = policy(&[&first, &second], Some(OPENAI));
    let mut calls = policy.calls_from(&handle(&first));
    let mut request = request();
    let failure = calls.stream(&mut request).await.err().unwrap();
    assert_eq!(failure.fault, Fault::Overloaded);
    assert_eq!((first.times(), second.times()), (vec![0, 500, 1500], vec![1500, 2000, 3000]));
    assert_eq!((request.model.as_str(), calls.provider().kind()), ("asked", CLAUDE));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_three_timeouts_at_most() {
    let (first, second) = (Scripted::stuck(CLAUDE, timeout()), Scripted::stuck(OPENAI, timeout()));
    let policy = policy(&[&first, &second], Some(OPENAI));
    let failure = ask(&policy, &first).await.unwrap_err();
    assert_eq!(failure.fault, Fault::Timeout);
    assert_eq!((first.times(), second.times()), (vec![0, 30_500], vec![60_500]));
}

#[tokio::test(start_paused = true)]
async fn a_turn_stays_with_the_provider_that_answers_and_never_changes_it_after_a_word() {
    let tool = || Script::Say(vec![Ok(tool_call()), Ok(ModelEvent::Finished(Finish::ToolUse))]);
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let second = Scripted::new(OPENAI, [tool()]);
    let policy = policy(&[&first, &second], Some(OPENAI));
    let mut calls = policy.calls_from(&handle(&first));
    let mut request = request();
    for _ in 0..2 {
        assert!(read(calls.stream(&mut request).await).await.1.is_none());
    }
    assert_eq!((first.times().len(), second.times().len()), (3, 2));

    let word = || Ok(ModelEvent::Text("Let me look.".to_owned()));
    let with_word =
        Script::Say(vec![word(), Ok(tool_call()), Ok(ModelEvent::Finished(Finish::ToolUse))]);
    let fails = || Script::Fail(overloaded());
    for (before, is_answered) in [(tool(), true), (with_word, false)] {
        let first = Scripted::new(CLAUDE, [before, fails(), fails(), fails()]);
        let second = Scripted::new(OPENAI, []);
        let policy = super::policy(&[&first, &second], Some(OPENAI));
        let mut calls = policy.calls_from(&handle(&first));
        assert!(read(calls.stream(&mut request).await).await.1.is_none());
        let (_, failure) = read(calls.stream(&mut request).await).await;
        assert_eq!(failure.is_none(), is_answered);
        assert_eq!(second.times().len(), usize::from(is_answered));
    }
}

#[tokio::test(start_paused = true)]
async fn neither_the_provider_itself_nor_a_missing_one_is_a_fallback() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    for fallback in [CLAUDE, OPENAI] {
        let before = first.times().len();
        let policy = policy(&[&first], Some(fallback));
        assert_eq!(ask(&policy, &first).await.unwrap_err().fault, Fault::Overloaded);
        assert_eq!(first.times().len() - before, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_keeps_failing_is_skipped_for_a_while() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let second = Scripted::new(OPENAI, []);
    let policy = policy(&[&first, &second], Some(OPENAI));
    for _ in 0..10 {
        assert_eq!(ask(&policy, &first).await.unwrap(), "Hi");
    }
    // The fifth failure, in the second call, opened the breaker: no third attempt, no more calls.
    assert_eq!(first.times(), [0, 500, 1500, 1500, 2000]);
    assert_eq!(second.times().len(), 10);
    tokio::time::advance(Duration::from_secs(30)).await;
    for _ in 0..3 {
        assert_eq!(ask(&policy, &first).await.unwrap(), "Hi");
    }
    assert_eq!(first.times()[5..], [32_000], "one probe, without retries");
    tokio::time::advance(Duration::from_secs(30)).await;
    first.steps.lock().unwrap()[0] = Script::Say(answer("Back"));
    assert_eq!(ask(&policy, &first).await.unwrap(), "Back");
    assert_eq!(ask(&policy, &first).await.unwrap(), "Back");
}

#[tokio::test(start_paused = true)]
async fn without_a_fallback_an_open_breaker_fails_at_once_and_says_how_long() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let policy = policy(&[&first], None);
    for _ in 0..2 {
        assert!(ask(&policy, &first).await.is_err());
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    let failure = ask(&policy, &first).await.unwrap_err();
    assert_eq!((first.times().len(), failure.fault), (5, Fault::Overloaded));
    assert_eq!(failure.retry_after, Some(Duration::from_secs(20)));
}

/// A caller's choice of a model that keeps failing must not take the provider away from others.
#[tokio::test(start_paused = true)]
async fn a_failing_model_that_a_caller_chose_leaves_the_default_model_available() {
    let failures = (0..5).map(|_| Script::Fail(overloaded()));
    let first = Scripted::new(CLAUDE, failures);
    let policy = policy(&[&first], None);
    for _ in 0..3 {
        assert!(ask_for(&policy, &first, "bad-one").await.is_err());
    }
    assert_eq!(first.times().len(), 5, "the breaker of that model is open");
    for model in ["claude", "another-one"] {
        assert_eq!(ask_for(&policy, &first, model).await.unwrap(), "Hi");
    }
    assert_eq!(ask_for(&policy, &first, "bad-one").await.unwrap_err().fault, Fault::Overloaded);
    assert_eq!(first.times().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_failing_default_model_does_not_shut_out_the_others() {
    let first = Scripted::new(CLAUDE, (0..5).map(|_| Script::Fail(overloaded())));
    let policy = policy(&[&first], None);
    for _ in 0..3 {
        assert!(ask_for(&policy, &first, "claude").await.is_err());
    }
    assert_eq!(first.times().len(), 5);
    assert_eq!(ask_for(&policy, &first, "another-one").await.unwrap(), "Hi");
    assert!(ask_for(&policy, &first, "claude").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn refusals_do_not_open_the_breaker() {
    let rejected = || Script::Fail(refusal(400, &[], ""));
    let first = Scripted::stuck(CLAUDE, rejected());
    let policy = policy(&[&first], None);
    for _ in 0..20 {
        assert!(ask(&policy, &first).await.is_err());
    }
    assert_eq!(first.times().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_disconnects_makes_room_for_the_next() {
    let first = Scripted::stuck(CLAUDE, Script::Fail(overloaded()));
    let policy = policy(&[&first], None);
    for _ in 0..2 {
        assert!(ask(&policy, &first).await.is_err());
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    first.steps.lock().unwrap()[0] = timeout();
    let patience = Duration::from_secs(1);
    assert!(tokio::time::timeout(patience, ask(&policy, &first)).await.is_err());
    first.steps.lock().unwrap()[0] = Script::Say(answer("Back"));
    assert_eq!(ask(&policy, &first).await.unwrap(), "Back");
}
