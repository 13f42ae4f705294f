pub(in crate::provider) mod stand_in;

use std::io::Write as _;

use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::provider::anthropic::Anthropic;
use crate::provider::openai::OpenAi;
use crate::provider::{Entry, ModelRequest, Provider, ToolChoice};
use stand_in::{StandIn, Step, chunk, end, forever, head, ok, send, whole};

const KEY: &str = "key-of-the-operator-0123456789";
const STREAM: &str = include_str!("../../../../tests/fixtures/provider/anthropic/text.sse");
const TEXT: &str = "Zażółć gęślą \"jaźń\"\n🦀!";

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

const SHORT: Duration = Duration::from_millis(100);

/// How long a test waits for a call that its own limits must end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(in crate::provider) fn settings(base_url: &str, key: Option<&str>) -> ApiSettings {
    ApiSettings {
        former_model: None,
        base_url: Url::parse(base_url).unwrap(),
        key: key.map(SecretString::from),
        model: "model".to_owned(),
    }
}

fn anthropic(url: &str, limits: TimeLimits) -> Anthropic {
    let transport = Transport::new(&Proxies::default(), limits).unwrap();
    Anthropic::new(settings(url, Some(KEY)), transport).unwrap()
}

fn openai(url: &str, key: Option<&str>, limits: TimeLimits) -> OpenAi {
    let transport = Transport::new(&Proxies::default(), limits).unwrap();
    OpenAi::new(settings(url, key), transport).unwrap()
}

/// Makes a call. Returns the text, the end, and the error if there is one.
async fn ask(provider: &dyn Provider) -> (String, Option<Finish>, Option<ProviderError>) {
    let request = ModelRequest {
        model: "model".to_owned(),
        system: "Be brief.".to_owned(),
        entries: vec![Entry::user("Hi")],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 10,
        temperature: None,
    };
    let (mut text, mut finish) = (String::new(), None);
    let mut events = match provider.stream(request).await {
        Ok(events) => events,
        Err(error) => return (text, finish, Some(error)),
    };
    while let Some(event) = events.next().await {
        match event {
            Ok(ModelEvent::Text(more)) => text.push_str(&more),
            Ok(ModelEvent::Finished(how)) => finish = Some(how),
            Ok(_) => {}
            Err(error) => {
                assert!(events.next().await.is_none(), "an error ends the stream");
                return (text, finish, Some(error));
            }
        }
    }
    (text, finish, None)
}

async fn fault(provider: &dyn Provider) -> (String, Fault) {
    let (text, finish, error) = ask(provider).await;
    assert_eq!(finish, None);
    (text, error.expect("the call fails").fault)
}

#[tokio::test]
async fn answers_arrive_in_odd_pieces_and_connections_are_reused() {
    let mut steps = vec![ok()];
    steps.extend(STREAM.as_bytes().chunks(7).map(chunk));
    steps.push(end());
    let server = StandIn::start(steps).await;
    let provider = anthropic(&server.url, LONG);
    for _ in 0..3 {
        let (text, finish, error) = ask(&provider).await;
        assert_eq!((text.as_str(), finish), (TEXT, Some(Finish::Complete)), "{error:?}");
    }
    let seen = server.seen();
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [3]);
    let (head, body) = seen[0][0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{head}");
    for header in [
        &format!("x-api-key: {KEY}"),
        "anthropic-version: 2023-06-01",
        "accept: text/event-stream",
        "content-type: application/json",
        "accept-encoding: gzip",
        &format!("user-agent: chatbot-widget/{}", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} in {head}");
    }
    assert!(!head.contains("referer"), "{head}");
    assert!(
        body.starts_with(
            r#"{"model":"model","max_tokens":10,"system":[{"type":"text","text":"Be brief.","#
        ),
        "{body}"
    );
}

#[tokio::test]
async fn compatible_servers_get_a_key_only_if_there_is_one() {
    let body = include_str!("../../../../tests/fixtures/provider/openai/ollama.sse");
    let server = StandIn::start(vec![ok(), chunk(body), end()]).await;
    for (path, key) in [("/v1", None), ("/v1/", Some(KEY)), ("/a/v1/?api-version=1", None)] {
        let provider = openai(&format!("{}{path}", server.url), key, LONG);
        let (text, finish, error) = ask(&provider).await;
        assert_eq!(
            (text.as_str(), finish),
            ("\n\nHello there.", Some(Finish::Complete)),
            "{error:?}"
        );
    }
    let seen = server.seen().concat();
    assert!(seen[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(!seen[0].contains("authorization"), "{}", seen[0]);
    assert!(seen[1].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", seen[1]);
    assert!(seen[1].contains(&format!("authorization: Bearer {KEY}\r\n")), "{}", seen[1]);
    assert!(seen[2].starts_with("POST /a/v1/chat/completions?api-version=1 "), "{}", seen[2]);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_never_sees_the_key() {
    let trap = StandIn::start(vec![ok(), chunk(STREAM), end()]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}/v1/messages\r\n", trap.url);
        let server = StandIn::start(vec![head(status, &location), end()]).await;
        let (text, fault) = fault(&anthropic(&server.url, LONG)).await;
        assert_eq!((text.as_str(), fault), ("", Fault::Misconfigured), "{status}");
    }
    assert_eq!(trap.seen(), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn broken_connections_are_distinguished_by_whether_text_has_arrived() {
    let part = &STREAM[..STREAM.find("🦀").unwrap()];
    let half = "Zażółć gęślą \"jaźń\"\n";
    let start = &STREAM[..STREAM.find("event: content_block_delta").unwrap()];
    for (name, steps, expected, kind) in [
        ("closed at once", vec![Step::Close], "", Fault::Unreachable),
        ("reset at once", vec![Step::Reset], "", Fault::Unreachable),
        ("not HTTP", vec![send("220 smtp.test ESMTP\r\n"), Step::Close], "", Fault::Unreachable),
        ("closed before text", vec![ok(), chunk(start), Step::Close], "", Fault::Unreachable),
        ("reset before text", vec![ok(), Step::Reset], "", Fault::Unreachable),
        ("closed after text", vec![ok(), chunk(part), Step::Close], half, Fault::Interrupted),
        ("ended after text", vec![ok(), chunk(part), end()], half, Fault::Interrupted),
        ("empty body", vec![ok(), end()], "", Fault::Malformed),
    ] {
        let server = StandIn::start(steps).await;
        let (text, fault) = fault(&anthropic(&server.url, LONG)).await;
        assert_eq!((text.as_str(), fault), (expected, kind), "{name}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(fault(&anthropic(&url, LONG)).await.1, Fault::Unreachable);
}

#[tokio::test]
async fn bodies_that_are_not_answers_are_malformed() {
    let page = "<!doctype html><title>Sign in</title>";
    let gzip = head("200 OK", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n");
    for (name, steps) in [
        ("HTML", whole("200 OK", "text/html; charset=utf-8", page)),
        ("HTML by another name", whole("200 OK", "text/event-stream", page)),
        ("nothing", whole("200 OK", "application/json", "")),
        ("no content", vec![send("HTTP/1.1 204 No Content\r\n\r\n")]),
        ("broken JSON", whole("200 OK", "application/json", "{\"content\": [")),
        ("false gzip", vec![gzip, chunk(STREAM), end()]),
    ] {
        let server = StandIn::start(steps).await;
        assert_eq!(fault(&anthropic(&server.url, LONG)).await.1, Fault::Malformed, "{name}");
    }
}

#[tokio::test]
async fn an_answer_may_arrive_compressed_or_whole() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(STREAM.as_bytes()).unwrap();
    let mut steps =
        vec![head("200 OK", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n")];
    steps.extend(gzip.finish().unwrap().chunks(5).map(chunk));
    steps.push(end());
    let server = StandIn::start(steps).await;
    let (text, finish, error) = ask(&anthropic(&server.url, LONG)).await;
    assert_eq!((text.as_str(), finish), (TEXT, Some(Finish::Complete)), "{error:?}");

    let body = include_str!("../../../../tests/fixtures/provider/anthropic/whole.json");
    let server = StandIn::start(whole("200 OK", "application/json", body)).await;
    let (text, finish, _) = ask(&anthropic(&server.url, LONG)).await;
    assert_eq!((text.as_str(), finish), ("Hi! I am “Claude”.", Some(Finish::Complete)));

    let body = include_str!("../../../../tests/fixtures/provider/openai/whole.json");
    let server = StandIn::start(whole("200 OK", "application/json", body)).await;
    let (text, finish, _) = ask(&openai(&server.url, None, LONG)).await;
    assert_eq!((text.as_str(), finish), ("Hi! I am “local”.", Some(Finish::Length)));
}

#[tokio::test]
async fn silence_is_timed_by_tokens_and_pings_are_silence() {
    let part = &STREAM[..STREAM.find("event: content_block_stop").unwrap()];
    let start = &STREAM[..STREAM.find("event: content_block_delta").unwrap()];
    let first = TimeLimits { first_word: SHORT, ..LONG };
    let between = TimeLimits { between_words: SHORT, ..LONG };
    let total = TimeLimits { whole: 5 * SHORT, ..LONG };
    let pings = forever(": hello\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n");
    for (name, steps, limits, expected, kind) in [
        ("no headers", vec![], first, "", Fault::Timeout),
        ("no event", vec![ok()], first, "", Fault::Timeout),
        ("no token", vec![ok(), chunk(start)], first, "", Fault::Timeout),
        ("pings", vec![ok(), chunk(start), pings.clone()], first, "", Fault::Timeout),
        ("no next token", vec![ok(), chunk(part)], between, TEXT, Fault::Interrupted),
        ("pings then", vec![ok(), chunk(part), pings.clone()], between, TEXT, Fault::Interrupted),
        ("no end", vec![ok(), chunk(part), pings], total, TEXT, Fault::Interrupted),
        ("nothing at all", vec![ok()], total, "", Fault::Timeout),
    ] {
        let server = StandIn::start(steps).await;
        let provider = anthropic(&server.url, limits);
        // A call whose limits do not work would never end.
        let ended = tokio::time::timeout(PATIENCE, fault(&provider)).await;
        let (text, fault) = ended.unwrap_or_else(|_| panic!("no limit has ended it: {name}"));
        assert_eq!((text.as_str(), fault), (expected, kind), "{name}");
    }
}

/// The kernel of a server whose queue of connections is full ignores further ones.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_is_never_established_times_out() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting: Vec<_> = (0..8).map(|_| Box::pin(TcpStream::connect(address))).collect();
    for connection in &mut waiting {
        // The first poll sends the request for a connection.
        let _ = futures_util::poll!(connection);
    }
    let provider = anthropic(&format!("http://{address}"), TimeLimits { connect: SHORT, ..LONG });
    let ended = tokio::time::timeout(PATIENCE, fault(&provider)).await;
    assert_eq!(ended.expect("the limit ends the call").1, Fault::Timeout);
}

#[tokio::test]
async fn after_a_thought_the_first_word_has_a_limit_of_its_own() {
    let thinking = include_str!("../../../../tests/fixtures/provider/anthropic/thinking.sse");
    let thought = &thinking[..thinking.find("event: content_block_stop").unwrap()];
    let server = StandIn::start(vec![ok(), chunk(thought)]).await;
    let limits = TimeLimits { thought: SHORT, ..LONG };
    let error = ask(&anthropic(&server.url, limits)).await.2.unwrap();
    assert_eq!((error.fault, error.detail.as_str()), (Fault::Timeout, "no first word in time"));
}

#[tokio::test]
async fn a_piece_of_a_tool_call_counts_as_a_token() {
    let body = include_str!("../../../../tests/fixtures/provider/openai/vllm_tools.sse");
    let pieces: String = body.split_inclusive("\n\n").take(3).collect();
    let server = StandIn::start(vec![ok(), chunk(pieces)]).await;
    let limits = TimeLimits { first_word: 3 * SHORT, between_words: SHORT, ..LONG };
    let error = ask(&openai(&server.url, None, limits)).await.2.unwrap();
    assert_eq!((error.fault, error.detail.as_str()), (Fault::Timeout, "no next word in time"));
}

#[tokio::test]
async fn an_answer_that_lacks_only_its_end_mark_is_complete() {
    let body = include_str!("../../../../tests/fixtures/provider/openai/no_done.sse");
    let limits = TimeLimits { end_mark: SHORT, ..LONG };
    for steps in [vec![ok(), chunk(body)], vec![ok(), chunk(body), Step::Close]] {
        let server = StandIn::start(steps).await;
        let (text, finish, error) = ask(&openai(&server.url, None, limits)).await;
        assert_eq!((text.as_str(), finish), ("Short.", Some(Finish::Complete)), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_ends_at_its_end_mark_even_if_the_server_continues() {
    let server = StandIn::start(vec![ok(), chunk(STREAM), forever("\n")]).await;
    let (text, finish, error) = ask(&anthropic(&server.url, LONG)).await;
    assert_eq!((text.as_str(), finish), (TEXT, Some(Finish::Complete)), "{error:?}");
}

#[tokio::test]
async fn refusals_are_classified_with_their_id_and_without_the_key() {
    let body =
        format!("{{\"error\":{{\"type\":\"authentication_error\",\"message\":\"bad {KEY}\"}}}}");
    let server = StandIn::start(vec![
        head("401 Unauthorized", "request-id: req_9\r\n"),
        chunk(&body),
        end(),
    ])
    .await;
    let error = ask(&anthropic(&server.url, LONG)).await.2.unwrap();
    assert_eq!(error.fault, Fault::Misconfigured);
    assert_eq!(error.detail, "401 authentication_error: bad ***");
    assert_eq!(error.request_id.as_deref(), Some("req_9"));

    // The same in a stream, and cut in the middle of the key.
    let message = format!("{}{KEY}", "x".repeat(fault::MAX_DETAIL - 20 - "error event: ".len()));
    let event = format!("event: error\ndata: {{\"error\":{{\"message\":\"{message}\"}}}}\n\n");
    let server = StandIn::start(vec![ok(), chunk(event), end()]).await;
    let error = ask(&openai(&server.url, Some(KEY), LONG)).await.2.unwrap();
    assert!(error.detail.ends_with("xxx"), "{}", error.detail);
    assert_eq!(error.request_id.as_deref(), Some("req_7"));
}

#[tokio::test]
async fn an_endless_error_page_is_read_up_to_the_limit() {
    let steps = vec![head("503 Busy", ""), chunk(vec![b'x'; 1 << 20]), forever("x")];
    let server = StandIn::start(steps).await;
    assert_eq!(fault(&anthropic(&server.url, LONG)).await.1, Fault::Overloaded);
}

#[tokio::test]
async fn a_filtered_prompt_is_a_refusal() {
    let body = r#"{"error":{"code":"content_filter","message":"filtered","status":400}}"#;
    let server = StandIn::start(whole("400 Bad ModelRequest", "application/json", body)).await;
    let (text, finish, error) = ask(&openai(&server.url, None, LONG)).await;
    assert_eq!((text.as_str(), finish), ("", Some(Finish::Refused)), "{error:?}");
}

#[test]
fn invalid_settings_are_refused_and_keys_are_never_shown() {
    let transport = Transport::new(&Proxies::default(), LONG).unwrap();
    for url in ["ftp://a.test", "data:text/plain,x", "file:///etc/passwd"] {
        let error = Anthropic::new(settings(url, None), transport.clone()).unwrap_err();
        assert!(matches!(error, SetupError::BaseUrl), "{url}");
    }
    let bad = settings("https://a.test", Some("line\nbreak"));
    assert!(matches!(OpenAi::new(bad, transport.clone()), Err(SetupError::Key)));
    let provider = OpenAi::new(settings("https://a.test", Some(KEY)), transport).unwrap();
    assert!(!format!("{provider:?}").contains(KEY));
}
