use serde_json::{Value, json};

use super::page::sentences;
use super::table::TableProfile;
use super::*;
use crate::domain::block::write_block;
use crate::domain::model::{ToolCall, ToolChoice, ToolResult, ToolSpec};

mod questions;

/// What the demo says, if it does not call the tool.
fn said(request: &ModelRequest) -> String {
    match conclude_with_advice(request) {
        DemoReply::Text(text) => text,
        DemoReply::Call(call) => panic!("calls {call:?}"),
    }
}

fn ask(question: &str) -> String {
    let mut system = "You are a bot.\n".to_owned();
    write_block(&mut system, "page", "Title: Corner Shop\nDescription: Tea and honey.");
    write_block(
        &mut system,
        "page_text",
        "We open at 9. Returns are free within 30 days! Delivery costs 4.90 euros.\nAsk us",
    );
    said(&request(system, question))
}

fn request(system: String, question: &str) -> ModelRequest {
    ModelRequest {
        model: MODEL.to_owned(),
        system,
        entries: vec![Entry::user(question)],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 100,
        temperature: None,
    }
}

#[test]
fn sentences_end_with_punctuation_or_the_line() {
    let text = "One. Two 3.5 euros! 三。四？\nLast line";
    let found: Vec<&str> = sentences(text).collect();
    assert_eq!(found, ["One.", "Two 3.5 euros!", "三。", "四？", "Last line"]);
}

#[test]
fn streams_in_words_and_ends_with_usage() {
    let events = answer_with_advice(&request(String::new(), "Hi"));
    assert!(matches!(&events[0], ModelEvent::Started { model } if model == MODEL));
    assert!(events.iter().filter(|event| matches!(event, ModelEvent::Text(_))).count() > 5);
    assert!(
        matches!(events[events.len() - 2], ModelEvent::Usage(usage) if usage.output_tokens > 5)
    );
    assert_eq!(events[events.len() - 1], ModelEvent::Finished(Finish::Complete));
}

pub const WEATHER: &str = "\
File: seattle-weather.csv (csv, 47.1 KB), 1,461 rows, 7 columns; query it as table `data`
Columns:
- \"date\" (date): 2012-01-01 to 2015-12-31, 1461 distinct
- \"precipitation\" (number): 0 to 55.9, mean 3.03, 111 distinct
- \"temp_max\" (number): -1.6 to 35.6, mean 16.44, 67 distinct
- \"temp_min\" (number): -7.1 to 18.3, mean 8.23, 55 distinct
- \"wind\" (number): 0.4 to 9.5, mean 3.24, 79 distinct
- \"weather\" (string): 5 distinct, top: rain (641), sun (640), fog (101)
- \"note\" (empty)
Sample rows (CSV):
date,precipitation,temp_max,temp_min,wind,weather
2012-01-01,0.0,12.8,5.0,4.7,drizzle
";

const SALES: &str = "\
File: My \"sales\" 2024.json (json, 3 KB), 12 rows, 6 columns; query it as table `data`
Columns:
- \"Product Name\" (string): 4 distinct, top: Tea (4), O'Neill's Honey (3)
- \"total_bill\" (number): 1 to 9, mean 5, 9 distinct
- \"unitPrice\" (number): 0.001 to 0.02, mean 0.01, 12 distinct
- \"Sales \"\"EUR\"\"\" (number): 1 to 99, mean 50, 12 distinct
- \"country\" (string): 3 distinct, top: DE (6), FR (3)
- \"paid\" (boolean): 2 distinct, top: true (8)
Sample rows (CSV):
";

/// A system text with a file.
pub fn system(block: &str) -> String {
    let mut system = "You are a bot.\n".to_owned();
    write_block(&mut system, "page_text", "Delivery costs 4.90 euros. The shop has 3 rooms.");
    write_block(&mut system, "data", block);
    system
}

fn with_file(block: &str, question: &str) -> ModelRequest {
    let tool = ToolSpec {
        name: data::TOOL,
        description: "Runs SQL.".to_owned(),
        parameters: json!({"type": "object"}),
    };
    ModelRequest { tools: vec![tool], ..request(system(block), question) }
}

/// The SQL and the chart that a question leads to, or the text instead.
fn query(block: &str, question: &str) -> (String, String) {
    match conclude_with_advice(&with_file(block, question)) {
        DemoReply::Call(call) => {
            assert_eq!(call.name, data::TOOL);
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            let part = |name: &str| arguments[name].as_str().unwrap_or("").to_owned();
            (part("sql"), part("chart"))
        }
        DemoReply::Text(text) => (text, "text".to_owned()),
    }
}

#[test]
fn figures_have_their_unit() {
    for (unit, expected) in
        [("$", "**$1,234.5**"), ("%", "**1,234.5 %**"), ("kg", "**1,234.5 kg**")]
    {
        let block = WEATHER.replace("(number): 0 to", &format!("(number): unit {unit}, 0 to"));
        let mut request = with_file(&block, "max of precipitation");
        let DemoReply::Call(call) = conclude(&request) else { panic!("no call") };
        let content = result(&["max"], &json!([[1234.5]]), 1, false);
        let result = ToolResult { call_id: call.id.clone(), content, is_error: false };
        request.entries.push(Entry::Assistant {
            text: String::new(),
            calls: vec![call],
            verbatim: None,
        });
        request.entries.push(Entry::ToolResults(vec![result]));
        let text = said(&request);
        assert!(text.contains(expected), "{text}");
    }
}

/// What the demo says about `question` after the tool has returned `content`.
fn told(question: &str, content: &str, is_error: bool) -> String {
    let mut request = with_file(WEATHER, question);
    request.entries.insert(0, Entry::user("Hi"));
    request.entries.insert(1, Entry::assistant("Hello!"));
    let DemoReply::Call(call) = conclude(&request) else { panic!("no call: {question}") };
    let result = ToolResult { call_id: call.id.clone(), content: content.to_owned(), is_error };
    request.entries.push(Entry::Assistant {
        text: String::new(),
        calls: vec![call],
        verbatim: None,
    });
    request.entries.push(Entry::ToolResults(vec![result]));
    said(&request)
}

fn result(columns: &[&str], rows: &Value, count: usize, truncated: bool) -> String {
    let rows = json!({"columns": columns, "rows": rows, "rowCount": count, "truncated": truncated});
    let mut content = String::new();
    write_block(&mut content, "result", &rows.to_string());
    content
}

#[test]
fn a_call_ends_the_answer() {
    let events = answer(&with_file(WEATHER, "How many rows?"));
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: data::TOOL.to_owned(),
        arguments: "{\"sql\":\"SELECT count(*) AS \\\"count\\\" FROM data\"}".to_owned(),
    };
    assert_eq!(events[1], ModelEvent::ToolCall(call));
    assert!(matches!(events[2], ModelEvent::Usage(_)));
    assert_eq!(events[3..], [ModelEvent::Finished(Finish::ToolUse)]);
}

#[test]
fn it_copes_with_any_question_and_any_block() {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;
    let word = "average|max|top|by|5|how|many|rows|chart|weather|temp_max|date|over|time|which|has|\
                the|highest|for|each|pie|most|common|columns|monthly|rain|\\PC{0,4}";
    let questions = proptest::collection::vec(word, 0..9).prop_map(|words| words.join(" "));
    let blocks =
        prop_oneof![Just(WEATHER.to_owned()), Just(SALES.to_owned()), "(- \"|\"|\n|\\PC){0,20}"];
    let mut runner = TestRunner::deterministic();
    runner
        .run(&(questions, blocks), |(question, block)| {
            let mut request = with_file(&block, &question);
            if let DemoReply::Call(call) = conclude(&request) {
                let result = ToolResult {
                    call_id: call.id.clone(),
                    content: "{\"columns\":[],\"rows\":[[]],\"rowCount\":1,\"truncated\":false}"
                        .to_owned(),
                    is_error: false,
                };
                request.entries.push(Entry::Assistant {
                    text: String::new(),
                    calls: vec![call],
                    verbatim: None,
                });
                request.entries.push(Entry::ToolResults(vec![result]));
                prop_assert!(matches!(conclude(&request), DemoReply::Text(_)));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn answers_with_the_sentence_of_the_page() {
    assert_eq!(ask("What does delivery cost?"), "Delivery costs 4.90 euros.");
    assert_eq!(ask("Was kostet die Lieferung?"), "Delivery costs 4.90 euros.");
    assert!(ask("Who painted the Mona Lisa?").starts_with("I found nothing about that"));
    for question in ["What does delivery cost?", "How many rooms does the shop have?"] {
        let text = said(&with_file(WEATHER, question));
        assert!(text.contains("4.90") || text.contains("3 rooms"), "{text}");
    }
}

#[test]
fn rows_of_a_page_s_table_are_found_by_their_heading() {
    let mut system = String::new();
    write_block(
        &mut system,
        "page_text",
        "Opening hours\nSaturday | 9:00 to 16:00\nPots\nBig pot | 9 euros",
    );
    let text = said(&request(system, "When are you open?"));
    assert_eq!(text, "Saturday: 9:00 to 16:00");
}

#[test]
fn only_what_it_can_do_mentions_the_key_and_never_in_production() {
    let request = with_file(WEATHER, "What can you do?");
    assert!(said(&request).contains("ANTHROPIC_API_KEY"));
    let DemoReply::Text(text) = conclude(&request) else { panic!("a call") };
    assert!(!text.contains("API_KEY") && text.contains("seattle-weather.csv"), "{text}");
    assert!(!said(&with_file(WEATHER, "Hello!")).contains("API_KEY"));
}

#[test]
fn it_asks_back_rather_than_guess() {
    for question in [
        "average of humidity",
        "median wind",
        "average wind on weekends",
        "by",
        "top",
        "How many?",
        "average temp_max and wind by weather",
        "how many days were not rainy?",
        "",
    ] {
        let (text, chart) = query(WEATHER, question);
        assert_eq!(chart, "text", "{question}: {text}");
        assert!(text.starts_with("I am not sure"), "{question}: {text}");
    }
    let (text, _) = query(WEATHER, "average temperature");
    assert_eq!(text, "Do you mean temp_max or temp_min?");
}

#[test]
fn its_own_examples_are_understood_in_every_language() {
    for block in [WEATHER, SALES] {
        let table = TableProfile::read(&system(block)).unwrap();
        for &language in language::LANGUAGES {
            for example in (TableReport { table: &table, language }).examples() {
                assert_ne!(query(block, &example).1, "text", "{example}");
            }
        }
    }
}

#[test]
fn codes_and_text_have_no_average() {
    let block = "File: x.csv (csv, 1 KB), 9 rows, 2 columns; query it\nColumns:\n\
                 - \"order_id\" (number): 1 to 9, 9 distinct\n- \"city\" (string): 2 distinct, top: Rome (5)\n";
    for question in ["average order_id", "sum of order_id", "maximum city"] {
        let (text, _) = query(block, question);
        assert!(text.contains("is not an amount"), "{question}: {text}");
    }
}

#[test]
fn results_become_sentences_in_the_visitor_s_language() {
    let one = |value: Value| result(&["x"], &json!([[value]]), 1, false);
    for (question, value, text) in [
        ("How many rows?", json!(1461), "There are **1,461** rows in seattle-weather.csv."),
        ("How many rows are fog?", json!(101), "There are **101** rows with fog."),
        (
            "Wie viele Regentage gab es in 2014?",
            json!(148),
            "Es gibt **148** Zeilen mit rain (2014).",
        ),
        ("Durchschnitt Wind", json!(3.24), "Der Durchschnitt von wind ist **3,24**."),
        ("total precipitation", json!(4426.0), "The total of precipitation is **4,426**."),
    ] {
        assert_eq!(told(question, &one(value), false), text, "{question}");
    }
    let content = result(&["a", "b"], &json!([["sun", 2.96], [null, 1.0]]), 2, false);
    assert_eq!(
        told("average wind by weather", &content, false),
        "Average wind by weather:\n\n| weather | Average wind |\n| --- | ---: |\n| sun | 2.96 |\n| (empty) | 1 |"
    );
    for (content, is_error) in [("no such column: x", true), ("no JSON", false), ("", false)] {
        let text = told("average wind", content, is_error);
        assert_eq!(text, "I could not find that out: the query failed.");
    }
}

#[test]
fn numbers_are_written_as_in_the_language() {
    for (language, text) in [("en", "1,234.5"), ("de", "1.234,5"), ("ja", "1,234.5")] {
        let found = language::LANGUAGES.iter().find(|it| it.code == language).unwrap();
        assert_eq!(found.number("1234.5", false), text);
        assert_eq!(found.number("2014", true), "2014");
    }
}
