//! The offline demo: a deterministic stand-in for a model that answers from the prompt alone. It is
//! what a fresh installation offers, and what the tests use. For questions about a file it calls the
//! tool that queries it, as a model would.

use crate::domain::Usage;
use crate::domain::model::{Entry, Finish, ModelEvent, ModelRequest};
use data::DemoReply;
use page::{Page, asks_about_the_page, keywords};
use table::TableProfile;

mod asked;
mod columns;
mod data;
mod find;
mod page;
mod query;
mod question;
mod report;
mod table;
mod words;

/// The demo's model, for the API's `model` field.
pub const MODEL: &str = "demo";

/// The demo's answer to `request`, the same every time.
pub fn answer(request: &ModelRequest) -> Vec<ModelEvent> {
    say(request, conclude(request))
}

/// The same, with advice to those who try the program out: how to connect a model.
pub fn answer_with_advice(request: &ModelRequest) -> Vec<ModelEvent> {
    say(request, conclude_with_advice(request))
}

fn say(request: &ModelRequest, reply: DemoReply) -> Vec<ModelEvent> {
    let (said, finish): (Vec<ModelEvent>, Finish) = match reply {
        DemoReply::Text(text) => {
            let words = text.split_inclusive(' ').map(|word| ModelEvent::Text(word.to_owned()));
            (words.collect(), Finish::Complete)
        }
        DemoReply::Call(call) => (vec![ModelEvent::ToolCall(call)], Finish::ToolUse),
    };
    let usage = Usage {
        input_tokens: input_words(request),
        output_tokens: count(said.len()),
        ..Usage::default()
    };
    std::iter::once(ModelEvent::Started { model: MODEL.to_owned() })
        .chain(said)
        .chain([ModelEvent::Usage(usage), ModelEvent::Finished(finish)])
        .collect()
}

/// Counts words, because the demo has no tokenizer.
fn input_words(request: &ModelRequest) -> u32 {
    let words = |text: &str| text.split_whitespace().count();
    let entries = request.entries.iter().map(|entry| match entry {
        Entry::User(text) | Entry::Assistant { text, .. } => words(text),
        Entry::ToolResults(results) => results.iter().map(|result| words(&result.content)).sum(),
    });
    count(words(&request.system) + entries.sum::<usize>())
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn conclude(request: &ModelRequest) -> DemoReply {
    let (_, question) = question(request);
    reply(request, data::table(request).as_ref(), question).0
}

/// The reply, with advice to the first question and to greetings.
fn conclude_with_advice(request: &ModelRequest) -> DemoReply {
    let (is_first, question) = question(request);
    let table = data::table(request);
    match reply(request, table.as_ref(), question) {
        (DemoReply::Text(mut text), is_greeting) if is_first || is_greeting => {
            text.push_str("\n\n");
            text.push_str(&how_to_add_a_key(table.is_some()));
            DemoReply::Text(text)
        }
        (reply, _) => reply,
    }
}

/// The question, and whether it is the conversation's first.
fn question(request: &ModelRequest) -> (bool, &str) {
    let place = request.entries.iter().rposition(|entry| matches!(entry, Entry::User(_)));
    let question = place.and_then(|place| match request.entries.get(place)? {
        Entry::User(text) => Some(text.as_str()),
        _ => None,
    });
    let mut earlier = request.entries.iter().take(place.unwrap_or(0));
    let is_first = !earlier.any(|entry| matches!(entry, Entry::Assistant { .. }));
    (is_first, question.unwrap_or(""))
}

/// The reply to `question`, and whether that is a greeting.
fn reply(
    request: &ModelRequest,
    table: Option<&TableProfile>,
    question: &str,
) -> (DemoReply, bool) {
    let page = Page::read(&request.system);
    if is_greeting(question) {
        return (DemoReply::Text(greeting(&page, table)), true);
    }
    if let Some(reply) = table.and_then(|table| data::reply(request, table, question)) {
        return (reply, false);
    }
    let quotes = page.quotes(&keywords(question));
    let text = if !quotes.is_empty() {
        let quoted: Vec<String> = quotes.iter().map(|quote| format!("“{quote}”")).collect();
        format!("{} says:\n\n{}", page.called(), quoted.join("\n\n"))
    } else if !page.is_empty() && asks_about_the_page(question) {
        page.describe()
    } else if let Some(table) = table {
        format!("I do not understand that. {}", report::help(table))
    } else if page.is_empty() {
        "I know nothing about the page you are on, so I cannot look anything up for you.".to_owned()
    } else {
        format!("I found nothing about that on the page. {}", page.describe())
    };
    (DemoReply::Text(text), false)
}

fn greeting(page: &Page<'_>, table: Option<&TableProfile>) -> String {
    let mut text = match (page.is_empty(), table) {
        (true, None) => "Hello! Ask me something.".to_owned(),
        (true, Some(_)) => "Hello!".to_owned(),
        (false, _) => format!("Hello! {}", page.describe()),
    };
    if let Some(table) = table {
        text.push(' ');
        text.push_str(&report::help(table));
    }
    text
}

fn how_to_add_a_key(has_file: bool) -> String {
    let can = if has_file { "quote the page and query your file" } else { "quote the page" };
    format!(
        "I am the built-in demo, not a language model: I can only {can}. For real answers, start \
         the server with `ANTHROPIC_API_KEY` or `OPENAI_API_KEY` set, or with `OPENAI_BASE_URL` \
         for your own model server."
    )
}

fn is_greeting(question: &str) -> bool {
    const GREETINGS: &[&str] = &[
        "hello",
        "hi",
        "hey",
        "hiya",
        "greetings",
        "hallo",
        "moin",
        "servus",
        "bonjour",
        "salut",
        "hola",
        "ola",
        "olá",
        "ciao",
        "привет",
        "مرحبا",
        "שלום",
        "你好",
        "こんにちは",
    ];
    let mut words = question.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let first = words.next().map(str::to_lowercase);
    first.is_some_and(|word| GREETINGS.contains(&word.as_str())) && words.count() <= 2
}

#[cfg(test)]
mod tests;
