//! The rows of the table, one provider at a time.

use super::*;

const CLAUDE: ProviderKind = ProviderKind::Claude;

/// When a provider is called that always fails with `error`, and the fault in the end.
async fn times(error: ProviderError) -> (Vec<u64>, Fault) {
    let provider = Scripted::stuck(CLAUDE, Script::Fail(error));
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    (provider.times(), failure.fault)
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_retried_as_its_row_says() {
    let quota = r#"{"error":{"type":"insufficient_quota","message":"m"}}"#;
    let misread = ProviderError::new(Fault::Malformed, "a page of HTML or XML");
    let reset = ProviderError::new(Fault::Unreachable, "connection reset");
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (name, error, expected, fault) in [
        ("429", refusal(429, &[], ""), vec![0, 500, 1500], Fault::Busy),
        ("429, 3 s", refusal(429, &[("retry-after", "3")], ""), vec![0, 3000, 6000], Fault::Busy),
        ("429, in ms", refusal(429, &[("retry-after-ms", "20")], ""), vec![0, 20, 40], Fault::Busy),
        (
            "429, until a date",
            refusal(429, &[("retry-after", "Sun, 06 Nov 1994 08:49:42 GMT"), date], ""),
            vec![0, 5000, 10_000],
            Fault::Busy,
        ),
        (
            "429, 10 s",
            refusal(429, &[("retry-after", "10")], ""),
            vec![0, 10_000, 20_000],
            Fault::Busy,
        ),
        ("429, 11 s", refusal(429, &[("retry-after", "11")], ""), vec![0], Fault::Busy),
        ("quota", refusal(429, &[], quota), vec![0], Fault::Exhausted),
        ("402", refusal(402, &[], ""), vec![0], Fault::Exhausted),
        ("529", refusal(529, &[], ""), vec![0, 500, 1500], Fault::Overloaded),
        ("503", refusal(503, &[], ""), vec![0, 500, 1500], Fault::Overloaded),
        ("503, 2 s", refusal(503, &[("retry-after", "2")], ""), vec![0, 2000, 4000], {
            Fault::Overloaded
        }),
        ("503, 60 s", refusal(503, &[("retry-after", "60")], ""), vec![0], Fault::Overloaded),
        ("500", refusal(500, &[], ""), vec![0, 500, 1500], Fault::Overloaded),
        ("500, never", refusal(500, &[("x-should-retry", "false")], ""), vec![0], {
            Fault::Overloaded
        }),
        ("502", refusal(502, &[], ""), vec![0, 500, 1500], Fault::Unreachable),
        ("408", refusal(408, &[], ""), vec![0, 500, 1500], Fault::Unreachable),
        ("409", refusal(409, &[], ""), vec![0, 500, 1500], Fault::Unreachable),
        ("reset", reset, vec![0, 500, 1500], Fault::Unreachable),
        ("504", refusal(504, &[], ""), vec![0, 500], Fault::Timeout),
        ("401", refusal(401, &[], ""), vec![0], Fault::Misconfigured),
        ("403", refusal(403, &[], ""), vec![0], Fault::Misconfigured),
        ("404", refusal(404, &[], ""), vec![0], Fault::Misconfigured),
        ("302", refusal(302, &[], ""), vec![0], Fault::Misconfigured),
        ("400", refusal(400, &[], ""), vec![0], Fault::Rejected),
        ("400, again", refusal(400, &[("x-should-retry", "true")], ""), vec![0, 500, 1500], {
            Fault::Rejected
        }),
        ("413", refusal(413, &[], ""), vec![0], Fault::TooLong),
        ("HTML", misread, vec![0, 500], Fault::Malformed),
    ] {
        assert_eq!(times(error).await, (expected, fault), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_not_visible() {
    let provider = Scripted::new(
        CLAUDE,
        [Script::Fail(refusal(429, &[], "")), Script::Fail(refusal(502, &[], ""))],
    );
    assert_eq!(ask(&policy(&[&provider], None), &provider).await.unwrap(), "Hi");
    assert_eq!(provider.times(), [0, 500, 1500]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_with_one_retry_counts_earlier_retries_of_others() {
    let provider = Scripted::stuck(CLAUDE, timeout());
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!((provider.times(), failure.fault), (vec![0, 30_500], Fault::Timeout));
    let provider = Scripted::new(CLAUDE, [Script::Fail(overloaded()), timeout()]);
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!((provider.times(), failure.fault), (vec![0, 500], Fault::Timeout));
}

#[tokio::test(start_paused = true)]
async fn errors_in_the_stream_before_any_text_are_treated_like_their_status() {
    let started = || Ok(ModelEvent::Started { model: "served".to_owned() });
    let in_band =
        |body: &str| Script::Say(vec![started(), Err(fault::classify_event(body.as_bytes()))]);
    for (body, expected, fault) in [
        (r#"{"error":{"type":"overloaded_error"}}"#, vec![0, 500, 1500], Fault::Overloaded),
        (r#"{"error":{"type":"timeout_error"}}"#, vec![0, 500], Fault::Timeout),
        (r#"{"error":{"type":"invalid_request_error"}}"#, vec![0], Fault::Rejected),
        (r#"{"error":{"type":"authentication_error"}}"#, vec![0], Fault::Misconfigured),
    ] {
        let provider = Scripted::stuck(CLAUDE, in_band(body));
        let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
        assert_eq!((provider.times(), failure.fault), (expected, fault), "{body}");
    }
    for nothing in [vec![], vec![started()], vec![Ok(ModelEvent::Finished(Finish::Complete))]] {
        let provider = Scripted::stuck(CLAUDE, Script::Say(nothing));
        let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
        assert_eq!((provider.times(), failure.fault), (vec![0, 500], Fault::Malformed));
    }
}

#[tokio::test(start_paused = true)]
async fn events_before_the_first_word_are_kept_and_a_refusal_is_an_answer() {
    let usage = ModelEvent::Usage(crate::domain::Usage::default());
    let started = ModelEvent::Started { model: "served".to_owned() };
    for said in [
        vec![started.clone(), usage.clone(), ModelEvent::Text("Hi".to_owned()), usage.clone()],
        vec![started.clone(), tool_call(), ModelEvent::Finished(Finish::ToolUse)],
        vec![started, usage, ModelEvent::Finished(Finish::Refused)],
    ] {
        let steps = [Script::Say(said.iter().cloned().map(Ok).collect())];
        let provider = Scripted::new(CLAUDE, steps);
        let policy = policy(&[&provider], None);
        let (events, failure) =
            read(policy.calls_from(&handle(&provider)).stream(&mut request()).await).await;
        assert_eq!((events, failure.map(|error| error.fault)), (said, None));
    }
}

#[tokio::test(start_paused = true)]
async fn each_refused_parameter_is_dropped_at_once_and_only_once() {
    let refused = |name: &str| {
        let body = format!("{{\"error\":{{\"param\":\"{name}\",\"message\":\"no {name}\"}}}}");
        Script::Fail(refusal(400, &[], &body))
    };
    let steps = [refused("temperature"), refused("max_tokens"), refused("stream_options")];
    let provider = Scripted::new(ProviderKind::OpenAi, steps);
    assert_eq!(ask(&policy(&[&provider], None), &provider).await.unwrap(), "Hi");
    assert_eq!(provider.times(), [0, 0, 0, 0]);

    let provider = Scripted::stuck(ProviderKind::OpenAi, refused("temperature"));
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!((provider.times(), failure.fault), (vec![0, 0], Fault::Rejected));

    // A provider that cannot do without it.
    let provider = Scripted::stuck(CLAUDE, refused("max_tokens"));
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!((provider.times(), failure.fault), (vec![0], Fault::Rejected));
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_is_too_long_is_shortened_once() {
    let body = r#"{"error":{"code":"context_length_exceeded","message":"m"}}"#;
    let too_long = Script::Fail(refusal(400, &[], body));
    let provider = Scripted::new(CLAUDE, [too_long.clone()]);
    let mut sent = request();
    let call = policy(&[&provider], None).calls_from(&handle(&provider)).stream(&mut sent).await;
    assert_eq!(text(&read(call).await.0), "Hi");
    assert_eq!(sent.entries, [Entry::user("1 + 1?")], "the next round starts from what fitted");
    let lengths: Vec<_> = provider.requests().iter().map(|r| r.entries.len()).collect();
    assert_eq!((lengths, provider.times()), (vec![3, 1], vec![0, 0]));

    let provider = Scripted::stuck(CLAUDE, too_long);
    let failure = ask(&policy(&[&provider], None), &provider).await.unwrap_err();
    assert_eq!((provider.times().len(), failure.status), (2, Some(400)));
    // There is nothing to leave out.
    let settings = PolicySettings { trim: |_| false, ..exact() };
    let policy = Policy::new(&[handle(&provider)], None, settings);
    let failure = policy.calls_from(&handle(&provider)).stream(&mut request()).await.err();
    assert_eq!((provider.times().len(), failure.unwrap().fault), (3, Fault::TooLong));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_answer_may_be_requested_once_more() {
    let broken = || {
        let cut = ProviderError::new(Fault::Interrupted, "reset");
        Script::Say(vec![Ok(ModelEvent::Text("Half".to_owned())), Err(cut)])
    };
    let provider = Scripted::new(CLAUDE, [broken(), broken()]);
    let policy = policy(&[&provider], None);
    let mut calls = policy.calls_from(&handle(&provider));
    let mut request = request();
    let (events, failure) = read(calls.stream(&mut request).await).await;
    assert_eq!(text(&events), "Half");
    let failure = failure.unwrap();
    assert_eq!((provider.times(), &failure.fault), (vec![0], &Fault::Interrupted));
    assert!(calls.once_more(&failure).await);
    let (_, failure) = read(calls.stream(&mut request).await).await;
    assert_eq!(provider.times(), [0, 500]);
    assert!(!calls.once_more(&failure.unwrap()).await, "once in a turn");

    let mut calls = policy.calls_from(&handle(&provider));
    let (_, failure) = read(calls.stream(&mut request).await).await;
    assert!(failure.is_none());
    assert!(!calls.once_more(&overloaded()).await, "only what was interrupted");
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_turn_share_the_time_for_waits() {
    let busy = || Script::Fail(refusal(429, &[("retry-after", "9")], ""));
    let tool = || Script::Say(vec![Ok(tool_call()), Ok(ModelEvent::Finished(Finish::ToolUse))]);
    let provider = Scripted::new(CLAUDE, [busy(), tool(), busy(), tool(), busy()]);
    let policy = policy(&[&provider], None);
    let mut calls = policy.calls_from(&handle(&provider));
    for _ in 0..2 {
        assert!(read(calls.stream(&mut request()).await).await.1.is_none());
    }
    // 18 s are gone: another 9 would be too many.
    let failure = calls.stream(&mut request()).await.err().unwrap();
    assert!(matches!(failure.fault, Fault::Busy), "{failure}");
    assert_eq!(provider.times(), [0, 9000, 9000, 18_000, 18_000]);
}
