//! The offline demo: a deterministic stand-in for a model that answers from the prompt alone. It is
//! what a fresh installation offers, and what the tests use. For questions about a file it calls the
//! tool that queries it, as a model would.

use crate::domain::Usage;
use crate::domain::model::{Entry, Finish, ModelEvent, ModelRequest};
use data::DemoReply;
use language::{Language, fill};
use page::Page;
use report::{TableReport, escape};

mod asked;
mod columns;
mod data;
mod find;
mod language;
mod page;
mod query;
mod question;
mod report;
mod table;
mod translate;
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
    reply(request).0
}

/// The reply, with advice to those who ask what the demo can do.
fn conclude_with_advice(request: &ModelRequest) -> DemoReply {
    match reply(request) {
        (DemoReply::Text(mut text), Some(language)) => {
            text.push_str("\n\n");
            text.push_str(language.texts.key);
            DemoReply::Text(text)
        }
        (reply, _) => reply,
    }
}

fn question(request: &ModelRequest) -> &str {
    let mut newest_first = request.entries.iter().rev();
    let question = newest_first.find_map(|entry| match entry {
        Entry::User(text) => Some(text.as_str()),
        _ => None,
    });
    question.unwrap_or("")
}

/// The reply, and its language if it says what the demo can do.
fn reply(request: &ModelRequest) -> (DemoReply, Option<&'static Language>) {
    let question = question(request);
    let page = Page::read(&request.system);
    let language = Language::of(question, page.language);
    let texts = &language.texts;
    let table = data::table(request);
    let report = table.as_ref().map(|table| TableReport { table, language });
    let text = |text: String| (DemoReply::Text(text), None);
    let words = words::tokens(question).len();
    if language.mentions(language.abilities, question) && words <= 8 {
        return (DemoReply::Text(abilities(language, &page, report)), Some(language));
    }
    if language.mentions(language.greetings, question) && words <= 4 {
        return text(format!("{} {}", texts.hello, abilities(language, &page, report)));
    }
    if let Some(reply) = report.and_then(|report| data::reply(request, report, question)) {
        return (reply, None);
    }
    let answers = page.answers(question);
    if !answers.is_empty() {
        return text(as_paragraph(&answers));
    }
    if !page.is_empty() && language.mentions(language.about_page, question) {
        return text(describe(language, &page));
    }
    let apology = match (report, page.is_empty()) {
        (Some(_), _) => texts.unsure,
        (None, true) => texts.no_page,
        (None, false) => texts.not_found,
    };
    text(format!("{apology}{}", suggestions(language, &page, report)))
}

/// Sentences follow each other; rows of a table make a list.
fn as_paragraph(answers: &[String]) -> String {
    let is_sentence = |text: &String| text.ends_with(['.', '!', '?', '。', '！', '？', '؟']);
    match answers {
        [one] => escape(one),
        many if many.iter().all(is_sentence) => escape(&many.join(" ")),
        many => many
            .iter()
            .map(|it| format!("- {}\n", escape(it)))
            .collect::<String>()
            .trim_end()
            .to_owned(),
    }
}

fn describe(language: &Language, page: &Page<'_>) -> String {
    let title =
        page.title.map(|title| fill(language.texts.you_are_on, &[("title", &escape(title))]));
    let parts: Vec<String> =
        title.into_iter().chain(page.summary().map(|text| escape(&text))).collect();
    parts.join(" ")
}

/// What the demo can do, here and now.
fn abilities(language: &Language, page: &Page<'_>, report: Option<TableReport<'_>>) -> String {
    let texts = &language.texts;
    let mut parts = Vec::new();
    if !page.is_empty() {
        parts.push(texts.can_page.to_owned());
    }
    parts.push(match report {
        Some(report) => fill(texts.can_file, &[("file", &escape(&report.table.file))]),
        None => texts.can_upload.to_owned(),
    });
    format!("{}{}", parts.join(" "), suggestions(language, page, report))
}

/// Questions that make sense here, as a list.
fn suggestions(language: &Language, page: &Page<'_>, report: Option<TableReport<'_>>) -> String {
    let texts = &language.texts;
    let mut examples = report.map(TableReport::examples).unwrap_or_default();
    if page.summary().is_some() && examples.len() < 4 {
        examples.push(texts.examples[5].to_owned());
    }
    if examples.is_empty() {
        return String::new();
    }
    let list: Vec<String> = examples.iter().map(|it| format!("- {}", escape(it))).collect();
    format!(" {}\n\n{}", texts.try_asking, list.join("\n"))
}

#[cfg(test)]
mod tests;
