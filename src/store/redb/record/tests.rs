//! Every version of every record, byte for byte.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::{ChartKind, ToolOutcome};

const ID: MessageId = MessageId(7);

fn answer() -> NewMessage {
    NewMessage {
        author: Author::Bot,
        answers: Some(MessageId(4)),
        content: "Grüße \u{1f600}".to_owned(),
        html: None,
        timestamp: Timestamp(-5),
        status: Status::Truncated,
        provider: Some(ProviderKind::OpenAi),
        model: Some("gpt".to_owned()),
        usage: Some(Usage { input_tokens: u32::MAX, ..Usage::default() }),
        tools: Vec::new(),
        chart: None,
    }
}

#[test]
fn an_answer_keeps_its_tools_its_chart_and_its_usage() {
    let run = ToolRun {
        name: "query_data".to_owned(),
        input: Map::from_iter([("sql".to_owned(), json!("SELECT 1"))]),
        outcome: ToolOutcome::Rows { row_count: 1, table_rows: Some(2) },
        elapsed_ms: 0.25,
    };
    let outcome = ToolOutcome::Failed("no such column".to_owned());
    let failed = ToolRun { outcome, ..run.clone() };
    let chart = Chart {
        kind: ChartKind::Line,
        title: "t".to_owned(),
        svg: "<svg/>".to_owned(),
        alt: "a".to_owned(),
    };
    let html = Some("<p>Grüße</p>".to_owned());
    let usage = Some(Usage {
        input_tokens: 9,
        output_tokens: 5,
        cached_input_tokens: 8,
        cache_write_tokens: 1,
        reasoning_tokens: 4,
    });
    for (html, tools, chart, usage) in [
        (html.clone(), vec![], None, None),
        (None, vec![run.clone()], None, usage),
        (None, vec![], Some(chart.clone()), None),
        (html, vec![failed, run], Some(chart), usage),
    ] {
        let message = NewMessage { html, tools, chart, usage, ..answer() };
        let bytes = encode_message(&message).unwrap();
        assert_eq!(decode_message(ID, &bytes).unwrap(), message);
        for end in 1..bytes.len() {
            assert!(decode_message(ID, &bytes[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn every_enum_value_survives_a_round_trip() {
    for author in [Author::Visitor, Author::Bot, Author::Agent, Author::System] {
        for provider in ProviderKind::ALL.map(Some).into_iter().chain([None]) {
            for status in (0..6).map(|code| super::status(code).unwrap()) {
                let message = NewMessage { author, provider, status, ..answer() };
                let bytes = encode_message(&message).unwrap();
                assert_eq!(decode_message(ID, &bytes).unwrap(), message);
            }
        }
    }
    for state in
        [SessionState::Bot, SessionState::Waiting, SessionState::Human, SessionState::Closed]
    {
        let header = Header { state, ..header() };
        assert_eq!(decode_header(&encode_header(&header).unwrap()).unwrap(), header);
    }
}

fn header() -> Header {
    Header {
        created: Timestamp(1),
        message_count: 3,
        next_id: 300,
        bot: BotId::new("shop").unwrap(),
        state: SessionState::Bot,
    }
}

#[test]
fn current_versions_are_written_as_released() {
    let expected = [2, 2, 3, 172, 2, 4, b's', b'h', b'o', b'p', 0];
    assert_eq!(encode_header(&header()).unwrap(), expected);
    let question = NewMessage::question("hi".to_owned(), Timestamp(1));
    let expected = [4, 0, 0, 5, 2, 2, b'h', b'i', 0, 0, 0, 0, 0];
    assert_eq!(encode_message(&question).unwrap(), expected);
}

/// Whole files of the earlier schemas are in `tests/fixtures/store`.
#[test]
fn the_first_version_is_read_as_released() {
    let read = decode_header(&[1, 2, 4, 3, 172, 2]).unwrap();
    assert_eq!(read, Header { bot: BotId::default(), ..header() });
    let question = NewMessage::question("hi".to_owned(), Timestamp(1));
    let bytes = [1, 0, 5, 2, 2, b'h', b'i', 0, 0, 0];
    assert_eq!(decode_message(ID, &bytes).unwrap(), question);
    let bytes = [1, 1, 0, 2, 2, b'h', b'i', 0, 0, 0];
    let answer = decode_message(ID, &bytes).unwrap();
    assert_eq!((answer.author, answer.answers), (Author::Bot, Some(MessageId(6))));
}

#[test]
fn a_config_keeps_unknown_keys_and_their_order() {
    let map = json!({"z": null, "a": {"deep": [1, 2.5, "x"]}}).as_object().cloned().unwrap();
    let config = SessionConfig::new(map);
    let bytes = encode_config(&config).unwrap();
    assert_eq!(bytes, b"\x01{\"z\":null,\"a\":{\"deep\":[1,2.5,\"x\"]}}");
    assert_eq!(decode_config(&bytes).unwrap(), config);
}

#[test]
fn bytes_that_are_not_a_record_are_refused_without_a_panic() {
    assert!(matches!(decode_header(&[]), Err(RecordError::Empty)));
    assert!(matches!(decode_header(&[3, 0]), Err(RecordError::Version(3))));
    assert!(matches!(decode_config(b"\x02{}"), Err(RecordError::Version(2))));
    assert!(matches!(decode_config(b"\x01[]"), Err(RecordError::Json(_))));
    let good = encode_message(&answer()).unwrap();
    let longer = [good.as_slice(), &[0]].concat();
    assert!(matches!(decode_message(ID, &longer), Err(RecordError::Trailing)));
    assert!(matches!(decode_message(ID, &[5, 0]), Err(RecordError::Version(5))));
    let strange = [4, 9, 0, 5, 2, 0, 0, 0, 0, 0, 0];
    assert!(matches!(decode_message(ID, &strange), Err(RecordError::Code("author", 9))));
    let bot = [2, 2, 3, 172, 2, 1, b'!', 0];
    assert!(matches!(decode_header(&bot), Err(RecordError::Bot)));
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..6) {
        let bytes = [&[version], bytes.as_slice()].concat();
        let _ = (decode_message(ID, &bytes), decode_header(&bytes), decode_config(&bytes), decode_file(&bytes));
    }
}
