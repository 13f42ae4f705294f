use serde_json::{Value, json};

use super::page::sentences;
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
fn quotes_the_sentence_that_answers() {
    let text = ask("What does delivery cost?");
    assert!(text.contains("“Delivery costs 4.90 euros.”"), "{text}");
    assert!(!text.contains("Returns"), "{text}");
}

#[test]
fn greets_and_tells_how_to_add_a_key() {
    let text = ask("Hello!");
    assert!(text.starts_with("Hello! You are on the page “Corner Shop”."), "{text}");
    assert!(text.contains("ANTHROPIC_API_KEY"), "{text}");
}

#[test]
fn says_what_it_knows_about_the_page() {
    assert!(ask("What is on this page?").contains("It says: Tea and honey."));
    assert!(ask("Who painted the Mona Lisa?").starts_with("I found nothing about that"));
}

#[test]
fn without_a_page_it_says_so() {
    let text = said(&request("You are a bot.".to_owned(), "Where is the exit?"));
    assert!(text.starts_with("I know nothing about the page"), "{text}");
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
fn questions_that_are_not_fully_understood_are_not_queried() {
    for question in [
        "average temp_max in 2014",
        "average temp_max where wind is above 5",
        "How many rows have wind over 5?",
        "how many rainy days were there?",
        "average of humidity",
        "median wind",
        "average wind on weekends",
        "average temp_max and wind by weather",
        "average wind by humidity",
        "weather",
        "by",
        "top",
        "top 5",
        "How many?",
        "Who wrote Hamlet?",
        &"average wind ".repeat(40),
        "",
    ] {
        let (text, chart) = query(WEATHER, question);
        assert_eq!(chart, "text", "{question}: {text}");
        let help = "I do not understand that. I can count the rows of seattle-weather.csv, list";
        assert!(text.starts_with(help), "{question}: {text}");
        assert!(text.contains("“What is the average precipitation by weather?”"), "{text}");
        assert!(text.contains("ANTHROPIC_API_KEY"));
    }
}

#[test]
fn its_own_examples_are_understood() {
    for block in [WEATHER, SALES, "File: x.csv (csv, 1 KB), 1 row, 1 column; query it\nColumns:\n"]
    {
        let table = TableProfile::read(&system(block)).unwrap();
        for example in report::examples(&table) {
            assert_ne!(query(block, &example).1, "text", "{example}");
        }
    }
}

#[test]
fn questions_about_the_page_are_still_answered() {
    for (question, quote) in [
        ("What does delivery cost?", "“Delivery costs 4.90 euros.”"),
        ("How many rooms does the shop have?", "“The shop has 3 rooms.”"),
    ] {
        let text = said(&with_file(WEATHER, question));
        assert!(text.contains(quote), "{text}");
    }
    let hello = said(&with_file(WEATHER, "Hello!"));
    assert!(
        hello.contains("seattle-weather.csv") && hello.contains("ANTHROPIC_API_KEY"),
        "{hello}"
    );
}

#[test]
fn columns_are_listed_without_a_query() {
    for question in [
        "columns",
        "What columns are there?",
        "How many columns does the file have?",
        "list the column names",
        "What is in this file?",
        "Describe the data",
    ] {
        let text = said(&with_file(WEATHER, question));
        let list = "seattle-weather.csv has 1,461 rows and 7 columns:\n\n- date (date)\n\
                    - precipitation (number)\n- temp_max (number)\n";
        assert!(text.starts_with(list), "{question}: {text}");
        assert!(text.contains("\n- note (empty)\n"), "{text}");
    }
    let (text, _) = query(WEATHER, "total of weather");
    assert!(text.starts_with("weather holds text, not numbers"), "{text}");
}

/// The greatest text, `9%` of `9%` and `100%`, was shown as the maximum.
#[test]
fn text_has_no_maximum() {
    for question in [
        "max of weather",
        "What is the maximum weather?",
        "minimum of weather",
        "the highest weather",
        "average weather by wind",
    ] {
        let (text, chart) = query(WEATHER, question);
        assert_eq!(chart, "text", "{question}: {text}");
        assert!(text.starts_with("weather holds text, not numbers"), "{question}: {text}");
    }
    assert_ne!(query(WEATHER, "What is the maximum date?").1, "text");
}

#[test]
fn figures_have_their_unit() {
    for (unit, expected) in [("$", "**$1234.5**"), ("%", "**1234.5 %**"), ("kg", "**1234.5 kg**")] {
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
fn results_become_sentences_and_tables() {
    let one = |value: Value| result(&["x"], &json!([[value]]), 1, false);
    for (question, content, text) in [
        ("How many rows?", one(json!(1461)), "seattle-weather.csv has **1,461** rows."),
        (
            "How many rows are fog?",
            one(json!(101)),
            "The number of rows is **101**, computed from the rows where weather is fog, out of all 1,461.",
        ),
        (
            "average temp_max",
            one(json!(16.44)),
            "The average of temp_max is **16.44**, computed from all 1,461 rows.",
        ),
        (
            "total precipitation",
            one(json!(4426.0)),
            "The total of precipitation is **4426**, computed from all 1,461 rows.",
        ),
        (
            "How many different weather?",
            one(json!(5)),
            "weather has **5** different values, computed from all 1,461 rows.",
        ),
        ("maximum wind", one(Value::Null), "wind has no values, computed from all 1,461 rows."),
        (
            "When was the highest temp_max?",
            result(&["date", "temp_max"], &json!([["2014-08-11", 35.6]]), 1, false),
            "Highest temp_max: **35.6** (date: 2014-08-11), computed from all 1,461 rows.",
        ),
        (
            "average temp_max by weather",
            result(
                &["weather", "average_temp_max"],
                &json!([["sun", 19.86], ["a|b\n*", 16.0], [null, null]]),
                3,
                false,
            ),
            "Average temp_max by weather, computed from all 1,461 rows:\n\n\
             | weather | average_temp_max |\n| --- | ---: |\n| sun | 19.86 |\n| a\\|b \\* | 16 |\n\
             | (empty) | (empty) |",
        ),
        (
            "average wind by weather",
            result(&["weather", "average_wind"], &json!([]), 0, false),
            "Average wind by weather: no row has a value, computed from all 1,461 rows.",
        ),
    ] {
        assert_eq!(told(question, &content, false), text, "{question}");
    }
}

#[test]
fn long_results_are_shortened() {
    let rows: Vec<Value> = (0..1000).map(|n| json!([format!("day {n}"), n])).collect();
    let columns = &["date", "average_wind"];
    for (rows, count, truncated, end) in [
        (&rows[..48], 48, false, "The first 20 of 48 rows are shown."),
        (&rows[..], 1000, true, "The first 20 of 1,000 or more rows are shown."),
    ] {
        let content = result(columns, &json!(rows), count, truncated);
        let text = told("average wind by date", &content, false);
        assert_eq!(text.matches("| day ").count(), 20);
        assert!(text.ends_with(end), "{text}");
    }
}

#[test]
fn failures_are_reported_without_the_error_message() {
    for (content, is_error) in
        [("no such column: x", true), ("no JSON", false), ("{\"columns\": 1}", false), ("", false)]
    {
        let text = told("average wind", content, is_error);
        assert!(text.starts_with("I could not find that out: the query failed."), "{text}");
        assert!(!text.contains("no such column") && !text.contains("ANTHROPIC_API_KEY"), "{text}");
    }
}

#[test]
fn only_the_first_answer_mentions_the_key() {
    let mut request = with_file(WEATHER, "average wind");
    let DemoReply::Call(call) = conclude(&request) else { panic!("no call") };
    request.entries.push(Entry::Assistant {
        text: String::new(),
        calls: vec![call],
        verbatim: None,
    });
    request.entries.push(Entry::ToolResults(vec![ToolResult {
        call_id: "call_1".to_owned(),
        content: result(&["x"], &json!([[3.24]]), 1, false),
        is_error: false,
    }]));
    let text = said(&request);
    assert!(text.contains("**3.24**") && text.contains("ANTHROPIC_API_KEY"), "{text}");
}

#[test]
fn without_the_tool_the_file_is_ignored() {
    let mut request = with_file(WEATHER, "average wind");
    request.tool_choice = ToolChoice::None;
    assert!(said(&request).starts_with("I do not understand that."));
    request.tools.clear();
    assert!(said(&request).starts_with("I found nothing about that on the page."));
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
