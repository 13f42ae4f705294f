//! The table of provider faults over the Responses API, with a server that misbehaves.

use super::*;
use crate::provider::transport::tests::stand_in::{fault_rows, forever};

/// Asks a server that follows `scripts`. Returns the number of its requests, the text, the failure.
async fn served(
    transport: &Transport,
    scripts: Vec<Vec<Step>>,
) -> (usize, String, Option<ProviderError>) {
    let server = StandIn::start_scripts(scripts).await;
    let provider = provider(OpenAiApi::Responses, &server.url, transport);
    let policy = Policy::new(&[Arc::clone(&provider)], None, quick());
    let (mut text, mut failure) = (String::new(), None);
    match policy.calls_from(&provider).stream(&mut request("m")).await {
        Err(error) => failure = Some(error),
        Ok(mut events) => {
            while let Some(event) = events.next().await {
                match event {
                    Ok(ModelEvent::Text(piece)) => text.push_str(&piece),
                    Ok(_) => {}
                    Err(error) => failure = Some(error),
                }
            }
        }
    }
    (server.seen().concat().len(), text, failure)
}

fn words(text: &str) -> String {
    let delta = json!({"type": "response.output_text.delta", "delta": text});
    format!("data: {delta}\n\n")
}

const DONE: &str = "data: {\"type\":\"response.completed\",\"response\":{}}\n\n";

fn good() -> Vec<Step> {
    vec![ok(), chunk(words("Good")), chunk(words(" day")), chunk(DONE), end()]
}

/// A failure as it comes inside a stream.
fn failed(code: &str) -> String {
    let error = json!({"code": code, "message": "m"});
    let event = json!({"type": "response.failed", "response": {"error": error}});
    format!("data: {event}\n\n")
}

#[tokio::test]
async fn failures_before_the_first_word_are_retried_by_the_table() {
    let transport = transport();
    let in_band = |event: String| vec![ok(), chunk(event), end()];
    let thoughts =
        "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"reasoning\"}}\n\n";
    let mut rows = fault_rows();
    rows.extend([
        ("only thoughts", in_band(thoughts.to_owned()), 2, Fault::Malformed),
        ("empty", in_band(DONE.to_owned()), 2, Fault::Malformed),
        ("failed first", in_band(failed("server_error")), 3, Fault::Overloaded),
        ("busy in the stream", in_band(failed("rate_limit_exceeded")), 3, Fault::Busy),
    ]);
    for (name, steps, attempts, fault) in rows {
        let (seen, text, failure) = served(&transport, vec![steps.clone()]).await;
        assert_eq!((seen, text.as_str()), (attempts, ""), "{name}");
        assert_eq!(failure.map(|error| error.fault), Some(fault), "{name}");
        if attempts > 1 {
            let (seen, text, failure) = served(&transport, vec![steps, good()]).await;
            assert_eq!((seen, text.as_str()), (2, "Good day"), "{name}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn answers_interrupted_after_a_word_are_not_retried() {
    let transport = transport();
    let half = || chunk(words("Good"));
    for (name, steps) in [
        ("error", vec![ok(), half(), chunk(failed("server_error")), end()]),
        ("reset", vec![ok(), half(), Step::Reset]),
        ("no end mark", vec![ok(), half(), end()]),
        ("broken JSON", vec![ok(), half(), chunk("data: {\"type\":\n\n"), end()]),
    ] {
        let (seen, text, failure) = served(&transport, vec![steps, good()]).await;
        // A reset may overtake what was sent before it.
        assert!(text == "Good" || name == "reset", "{name}: {text}");
        if text == "Good" {
            let failure = failure.map(|error| error.fault);
            assert_eq!((seen, failure), (1, Some(Fault::Interrupted)), "{name}");
        }
    }
}

#[tokio::test]
async fn endless_text_is_interrupted() {
    let piece = words(&"x".repeat(1 << 20));
    let (seen, text, failure) = served(&transport(), vec![vec![ok(), forever(&piece)]]).await;
    assert_eq!((seen, text.len()), (1, 4 << 20));
    let failure = failure.unwrap();
    let expected = (Fault::Interrupted, "the answer is endless");
    assert_eq!((failure.fault, failure.detail.as_str()), expected);
}

#[tokio::test]
async fn unusual_bytes_are_decoded_correctly() {
    let transport = transport();
    let mebibyte = "é".repeat(1 << 19);
    let plain = [words("Zażółć"), words(" 🦀"), DONE.to_owned()].concat();
    let long = [words(&mebibyte), DONE.to_owned()].concat();
    let mut bad = [words("a?b"), DONE.to_owned()].concat().into_bytes();
    let mark = bad.iter().position(|&byte| byte == b'?').unwrap();
    bad[mark] = 0xFF;
    for (name, bytes, expected) in [
        ("CRLF", plain.replace('\n', "\r\n").as_bytes(), "Zażółć 🦀"),
        ("BOM", format!("\u{FEFF}{plain}").as_bytes(), "Zażółć 🦀"),
        ("comments", format!(": hi\n\n{plain}").as_bytes(), "Zażółć 🦀"),
        ("a line of 1 MiB", long.as_bytes(), mebibyte.as_str()),
        ("bad UTF-8", &bad, "a\u{FFFD}b"),
    ] {
        let size = if bytes.len() > 1 << 20 { 65_521 } else { 3 };
        let pieces = bytes.chunks(size).map(chunk);
        let steps: Vec<_> = std::iter::once(ok()).chain(pieces).chain([end()]).collect();
        let (seen, text, failure) = served(&transport, vec![steps]).await;
        assert!((seen, text.as_str()) == (1, expected), "{name}: {failure:?}");
    }
}
