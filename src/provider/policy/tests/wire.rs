//! The table over the wire: both APIs, with a server that misbehaves. Waits are short here; the tests
//! in paused time check their lengths.

use super::*;
use crate::provider::anthropic::Anthropic;
use crate::provider::openai::OpenAi;
use crate::provider::transport::tests::settings;
use crate::provider::transport::tests::stand_in::{
    StandIn, Step, chunk, end, fault_rows, forever, ok, send, status, whole,
};
use crate::provider::transport::{Proxies, TimeLimits, Transport};

const KINDS: [ProviderKind; 2] = [ProviderKind::Claude, ProviderKind::OpenAi];

/// Limits that a test on one machine never reaches.
const LONG: TimeLimits = TimeLimits {
    connect: Duration::from_secs(60),
    silence: Duration::from_secs(60),
    silence_in_thought: Duration::from_secs(60),
    first_word: Duration::from_secs(60),
    between_words: Duration::from_secs(60),
    thought: Duration::from_secs(60),
    whole: Duration::from_secs(60),
    end_mark: Duration::from_secs(60),
};

/// Limits for servers that fall silent; the answer after that must come within them.
const SHORT: TimeLimits = TimeLimits {
    first_word: Duration::from_millis(500),
    between_words: Duration::from_millis(500),
    ..LONG
};

/// One for all calls of a test, because reading the machine's certificates takes a while.
fn transport(limits: TimeLimits) -> Transport {
    Transport::new(&Proxies::default(), limits).unwrap()
}

fn provider(kind: ProviderKind, url: &str, transport: &Transport) -> Arc<dyn Provider> {
    let transport = transport.clone();
    let key = Some("key-of-the-operator-0123456789");
    match kind {
        ProviderKind::OpenAi => {
            let url = format!("{url}/v1");
            Arc::new(OpenAi::new(settings(&url, key), transport).unwrap())
        }
        _ => Arc::new(Anthropic::new(settings(url, key), transport).unwrap()),
    }
}

fn quick() -> PolicySettings {
    let backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
    PolicySettings { backoff, ..PolicySettings::default() }
}

/// The events of a text in the format of one API; without an end, the answer is interrupted.
fn events(kind: ProviderKind, texts: &[&str], has_end: bool) -> String {
    let quoted = texts.iter().map(|text| serde_json::Value::from(*text).to_string());
    let line = |data: String| format!("data: {data}\n\n");
    let (texts, end): (String, &str) = match kind {
        ProviderKind::OpenAi => (
            quoted
                .map(|t| line(format!(r#"{{"choices":[{{"delta":{{"content":{t}}}}}]}}"#)))
                .collect(),
            "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        ),
        _ => (
            quoted
                .map(|t| {
                    let delta = format!(r#"{{"type":"text_delta","text":{t}}}"#);
                    line(format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#))
                })
                .collect(),
            "data: {\"type\":\"message_stop\"}\n\n",
        ),
    };
    if has_end { texts + end } else { texts }
}

fn good(kind: ProviderKind) -> Vec<Step> {
    vec![ok(), chunk(events(kind, &["Good", " day"], true)), end()]
}

/// An error as both APIs put it into a stream.
fn in_band(kind: &str) -> String {
    format!("event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\"}}}}\n\n")
}

/// Asks a server that follows `scripts`. Returns the number of its requests, the text, the failure.
async fn served(
    transport: &Transport,
    kind: ProviderKind,
    scripts: Vec<Vec<Step>>,
) -> (usize, String, Option<ProviderError>) {
    let server = StandIn::start_scripts(scripts).await;
    let provider = provider(kind, &server.url, transport);
    let policy = Policy::new(&[Arc::clone(&provider)], None, quick());
    let (events, failure) = read(policy.calls_from(&provider).stream(&mut request()).await).await;
    (server.seen().concat().len(), text(&events), failure)
}

#[tokio::test]
async fn failures_before_the_first_word_are_retried_by_the_table() {
    let transport = transport(LONG);
    let first = vec![ok(), chunk(in_band("overloaded_error")), end()];
    let mut rows = fault_rows();
    rows.push(("error first", first, 3, Fault::Overloaded));
    for (name, steps, attempts, fault) in rows {
        for kind in KINDS {
            let (seen, text, failure) = served(&transport, kind, vec![steps.clone()]).await;
            let failure = failure.map(|error| error.fault);
            assert_eq!((seen, text.as_str()), (attempts, ""), "{name}, {kind}");
            assert_eq!(failure, Some(fault), "{name}, {kind}");
            if attempts > 1 {
                let (seen, text, failure) =
                    served(&transport, kind, vec![steps.clone(), good(kind)]).await;
                assert_eq!((seen, text.as_str()), (2, "Good day"), "{name}, {kind}: {failure:?}");
            }
        }
    }
}

#[tokio::test]
async fn answers_interrupted_after_a_word_are_not_retried() {
    let transport = transport(LONG);
    for kind in KINDS {
        let half = || chunk(events(kind, &["Good"], false));
        for (name, steps) in [
            ("error", vec![ok(), half(), chunk(in_band("overloaded_error")), end()]),
            ("reset", vec![ok(), half(), Step::Reset]),
            ("no end mark", vec![ok(), half(), end()]),
            ("broken JSON", vec![ok(), half(), chunk("data: {\"type\":\n\n"), end()]),
        ] {
            let (seen, text, failure) = served(&transport, kind, vec![steps, good(kind)]).await;
            // A reset may overtake what was sent before it.
            assert!(text == "Good" || name == "reset", "{name}, {kind}: {text}");
            if text == "Good" {
                let failure = failure.map(|error| error.fault);
                assert_eq!((seen, failure), (1, Some(Fault::Interrupted)), "{name}, {kind}");
            }
        }
    }
}

#[tokio::test]
async fn a_silent_server_times_out_and_pings_are_silence() {
    let transport = &transport(SHORT);
    let pings = || forever(": ping\n\n");
    let mut all = Vec::new();
    for kind in KINDS {
        let half = || chunk(events(kind, &["Good"], false));
        for steps in [vec![], vec![ok()], vec![ok(), pings()]] {
            all.push((kind, vec![steps.clone()], 2, "", Some(Fault::Timeout)));
            all.push((kind, vec![steps, good(kind)], 2, "Good day", None));
        }
        for steps in [vec![ok(), half()], vec![ok(), half(), pings()]] {
            all.push((kind, vec![steps], 1, "Good", Some(Fault::Interrupted)));
        }
    }
    let all = all.into_iter().map(|(kind, scripts, attempts, expected, fault)| async move {
        let (seen, text, failure) = served(transport, kind, scripts).await;
        let failure = failure.map(|error| error.fault);
        assert_eq!((seen, text.as_str(), failure), (attempts, expected, fault), "{kind}");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn endless_text_is_interrupted() {
    let transport = transport(LONG);
    let piece = "x".repeat(1 << 20);
    for kind in KINDS {
        let steps = vec![ok(), forever(&events(kind, &[&piece], false))];
        let (seen, text, failure) = served(&transport, kind, vec![steps]).await;
        assert_eq!((seen, text.len()), (1, 4 << 20), "{kind}");
        let failure = failure.unwrap();
        assert_eq!(failure.fault, Fault::Interrupted, "{kind}");
        assert_eq!(failure.detail, "the answer is endless", "{kind}");
    }
}

#[tokio::test]
async fn unusual_bytes_are_decoded_correctly() {
    let transport = transport(LONG);
    let mebibyte = "é".repeat(1 << 19);
    for kind in KINDS {
        let plain = events(kind, &["Zażółć", " 🦀"], true);
        let crlf = plain.replace('\n', "\r\n");
        let long = events(kind, &[&mebibyte], true);
        let mut bad = events(kind, &["a?b"], true).into_bytes();
        let mark = bad.iter().position(|&byte| byte == b'?').unwrap();
        bad[mark] = 0xFF;
        for (name, bytes, expected) in [
            ("CRLF", crlf.as_bytes(), "Zażółć 🦀"),
            ("BOM", format!("\u{FEFF}{plain}").as_bytes(), "Zażółć 🦀"),
            ("comments", format!(": hi\n\n{plain}").as_bytes(), "Zażółć 🦀"),
            ("a line of 1 MiB", long.as_bytes(), mebibyte.as_str()),
            ("bad UTF-8", &bad, "a\u{FFFD}b"),
        ] {
            let size = if bytes.len() > 1 << 20 { 65_521 } else { 3 };
            let pieces = bytes.chunks(size).map(chunk);
            let steps: Vec<_> = std::iter::once(ok()).chain(pieces).chain([end()]).collect();
            let (seen, text, failure) = served(&transport, kind, vec![steps]).await;
            assert!((seen, text.as_str()) == (1, expected), "{name}, {kind}: {failure:?}");
        }
    }
}

/// The bodies of the requests that `asked` calls lead to, and the text of the last answer.
async fn bodies(
    kind: ProviderKind,
    refusals: &[&str],
    asked: usize,
    request: &ModelRequest,
) -> (Vec<serde_json::Value>, String) {
    let refusals =
        refusals.iter().map(|body| whole("400 Bad ModelRequest", "application/json", body));
    let server = StandIn::start_scripts(refusals.chain([good(kind)]).collect()).await;
    let provider = provider(kind, &server.url, &transport(LONG));
    let policy = Policy::new(&[Arc::clone(&provider)], None, quick());
    let mut said = String::new();
    for _ in 0..asked {
        let mut request = request.clone();
        let (events, failure) = read(policy.calls_from(&provider).stream(&mut request).await).await;
        assert!(failure.is_none(), "{failure:?}");
        said = text(&events);
    }
    let requests = server.seen().concat();
    let body =
        |request: &String| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    (requests.iter().map(body).collect(), said)
}

#[tokio::test]
async fn refused_parameters_are_left_out_from_then_on() {
    let openai = [
        r#"{"error":{"message":"Unsupported value: 'temperature'","param":"temperature"}}"#,
        r#"{"error":{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'"}}"#,
        r#"{"error":{"message":"Unknown parameter: 'stream_options'.","param":"stream_options"}}"#,
    ];
    let (bodies_sent, said) = bodies(ProviderKind::OpenAi, &openai, 2, &request()).await;
    let names = ["temperature", "max_tokens", "max_completion_tokens", "stream_options"];
    let named = |body: &serde_json::Value| names.map(|name| body.get(name).is_some());
    let expected = [
        [true, true, false, true],
        [false, true, false, true],
        [false, false, true, true],
        [false, false, true, false],
        [false, false, true, false],
    ];
    assert_eq!(bodies_sent.iter().map(named).collect::<Vec<_>>(), expected);
    assert_eq!(said, "Good day");

    let claude = [
        r#"{"error":{"message":"`temperature` is deprecated for this model."}}"#,
        r#"{"error":{"message":"max_tokens: 10 > 4, which is the maximum allowed number"}}"#,
        r#"{"error":{"message":"system.0.cache_control: Extra inputs are not permitted"}}"#,
    ];
    let request = ModelRequest { system: "Be brief. ".repeat(500), ..request() };
    let (bodies_sent, said) = bodies(ProviderKind::Claude, &claude, 2, &request).await;
    let seen = |body: &serde_json::Value| {
        let limit = body["max_tokens"].as_u64().unwrap();
        (body.get("temperature").is_some(), limit, body["system"].is_array())
    };
    let expected = [
        (true, 10, true),
        (false, 10, true),
        (false, 4, true),
        (false, 4, false),
        (false, 4, false),
    ];
    assert_eq!(bodies_sent.iter().map(seen).collect::<Vec<_>>(), expected);
    assert_eq!(said, "Good day");
}

#[tokio::test]
async fn a_prompt_that_is_too_long_loses_its_older_entries() {
    for (kind, body) in [
        (ProviderKind::Claude, r#"{"error":{"message":"prompt is too long: 9 tokens > 8"}}"#),
        (ProviderKind::OpenAi, r#"{"error":{"code":"context_length_exceeded","message":"m"}}"#),
    ] {
        let (bodies, said) = bodies(kind, &[body], 1, &request()).await;
        let system = usize::from(kind == ProviderKind::OpenAi);
        let entries =
            |body: &serde_json::Value| body["messages"].as_array().unwrap().len() - system;
        assert_eq!((bodies.iter().map(entries).collect(), said.as_str()), (vec![3, 1], "Good day"));
    }
}

#[tokio::test]
async fn the_fallback_answers_over_the_wire_with_its_own_key_and_model() {
    let transport = transport(LONG);
    let down = StandIn::start(status("529 Overloaded", "", "{}")).await;
    let up = StandIn::start(good(ProviderKind::OpenAi)).await;
    let first = provider(ProviderKind::Claude, &down.url, &transport);
    let second = provider(ProviderKind::OpenAi, &up.url, &transport);
    let providers = [Arc::clone(&first), second];
    let policy = Policy::new(&providers, Some(ProviderKind::OpenAi), quick());
    let mut calls = policy.calls_from(&first);
    let (events, failure) = read(calls.stream(&mut request()).await).await;
    assert_eq!((text(&events).as_str(), failure.is_none()), ("Good day", true));
    assert_eq!(calls.provider().kind(), ProviderKind::OpenAi);
    let asked = up.seen().concat();
    assert!(asked[0].contains("\"model\":\"model\"") && !asked[0].contains("x-api-key"));
}

#[tokio::test]
async fn a_broken_response_head_is_a_broken_connection() {
    let transport = transport(LONG);
    for kind in KINDS {
        let steps = vec![send("HTTP/1.1 200"), Step::Close];
        let (seen, text, failure) = served(&transport, kind, vec![steps, good(kind)]).await;
        assert_eq!((seen, text.as_str()), (2, "Good day"), "{kind}: {failure:?}");
    }
}
