//! The offline provider: answers from the prompt alone, the same every time. It is what a fresh
//! install talks with, and what the tests talk to.

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::{Event, EventStream, Finish, Provider, ProviderError, Request};
use crate::domain::prompt::read_block;
use crate::domain::{ProviderKind, Role, Usage};

/// The demo's model, for the API's `model` field.
pub const MODEL: &str = "demo";

/// How many sentences of the page an answer quotes.
const QUOTES: usize = 3;

/// The demo provider.
#[derive(Debug)]
pub struct Demo {
    display_name: String,
}

impl Demo {
    /// A demo that visitors see under `display_name`.
    pub fn new(display_name: String) -> Self {
        Self { display_name }
    }
}

#[async_trait]
impl Provider for Demo {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Demo
    }

    fn display_name(&self) -> &str {
        &self.display_name
    }

    fn default_model(&self) -> &str {
        MODEL
    }

    async fn stream(&self, request: Request) -> Result<EventStream, ProviderError> {
        let text = answer(&request);
        let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
        let usage =
            Usage { input_tokens: input_words(&request), output_tokens: count(words.len()) };
        let events = std::iter::once(Event::Started { model: MODEL.to_owned() })
            .chain(words.into_iter().map(Event::Text))
            .chain([Event::Usage(usage), Event::Finished(Finish::Complete)]);
        Ok(stream::iter(events.map(Ok)).boxed())
    }
}

/// The demo has no tokenizer; it counts words.
fn input_words(request: &Request) -> u32 {
    let turns = request.turns.iter().map(|turn| turn.text.split_whitespace().count());
    count(request.system.split_whitespace().count() + turns.sum::<usize>())
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn answer(request: &Request) -> String {
    let question = request.turns.last().map_or("", |turn| turn.text.as_str());
    let page = Page::read(&request.system);
    let first = !request.turns.iter().any(|turn| turn.role == Role::Assistant);
    if is_greeting(question) {
        return format!("{}\n\n{}", greeting(&page), how_to_add_a_key());
    }
    let words = keywords(question);
    let quotes = page.quotes(&words);
    let mut text = if !quotes.is_empty() {
        let quoted: Vec<String> = quotes.iter().map(|quote| format!("> {quote}")).collect();
        format!("{} says:\n\n{}", page.called(), quoted.join("\n>\n"))
    } else if page.is_empty() {
        "I know nothing of the page you are on, so I cannot look anything up for you.".to_owned()
    } else if asks_about_the_page(question) {
        page.describe()
    } else {
        format!("I found nothing about that on the page. {}", page.describe())
    };
    if first {
        text.push_str("\n\n");
        text.push_str(how_to_add_a_key());
    }
    text
}

fn greeting(page: &Page<'_>) -> String {
    if page.is_empty() {
        "Hello! Ask me something.".to_owned()
    } else {
        format!("Hello! {}", page.describe())
    }
}

fn how_to_add_a_key() -> &'static str {
    "I am the built-in demo: no model, I only quote the page. For real answers start the server \
     with `ANTHROPIC_API_KEY` or `OPENAI_API_KEY` set, or with `OPENAI_BASE_URL` for a model \
     server of your own."
}

/// What the prompt says of the visitor's page.
struct Page<'a> {
    title: Option<&'a str>,
    description: Option<&'a str>,
    text: &'a str,
}

impl<'a> Page<'a> {
    fn read(system: &'a str) -> Self {
        let facts = read_block(system, "page").unwrap_or("");
        let fact =
            |label: &str| facts.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
        Self {
            title: fact("Title:"),
            description: fact("Description:"),
            text: read_block(system, "page_text").unwrap_or(""),
        }
    }

    fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.text.is_empty()
    }

    /// How to refer to the page at the start of a sentence.
    fn called(&self) -> String {
        self.title.map_or_else(|| "The page".to_owned(), |title| format!("The page “{title}”"))
    }

    fn describe(&self) -> String {
        let mut text = match self.title {
            Some(title) => format!("You are on the page “{title}”."),
            None => "I can see the page you are on.".to_owned(),
        };
        if let Some(first) = self.description.or_else(|| sentences(self.text).next()) {
            text.push_str(" It says: ");
            text.push_str(first);
        }
        text
    }

    /// The sentences that share the most words with the question, in the order of the page.
    fn quotes(&self, words: &[String]) -> Vec<&'a str> {
        let mut scored: Vec<(usize, usize, &str)> = sentences(self.text)
            .enumerate()
            .filter_map(|(place, sentence)| {
                let has = keywords(sentence);
                let score = words.iter().filter(|word| has.iter().any(|h| alike(h, word))).count();
                (score > 0).then_some((score, place, sentence))
            })
            .collect();
        // A sentence that shares only one word says little beside one that shares three.
        let best = scored.iter().map(|(score, ..)| *score).max().unwrap_or(0);
        scored.retain(|(score, ..)| score * 2 >= best);
        scored.sort_by_key(|&(score, place, _)| (std::cmp::Reverse(score), place));
        scored.truncate(QUOTES);
        scored.sort_by_key(|&(_, place, _)| place);
        scored.into_iter().map(|(_, _, sentence)| sentence).collect()
    }
}

/// Sentences of `text`: up to a full stop, question or exclamation mark before white space, or to
/// the end of the line.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(split_line)
        .map(str::trim)
        .filter(|s| s.chars().any(char::is_alphanumeric))
}

fn split_line(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let before_space = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        if matches!(c, '。' | '！' | '？') || (matches!(c, '.' | '!' | '?') && before_space) {
            parts.push(&line[from..end]);
            from = end;
        }
    }
    parts.push(&line[from..]);
    parts
}

/// The words of `text` that carry meaning, in lower case.
fn keywords(text: &str) -> Vec<String> {
    const STOP: &[&str] = &[
        "a", "about", "am", "an", "and", "any", "are", "at", "be", "by", "can", "could", "did",
        "do", "does", "for", "from", "have", "how", "i", "in", "is", "it", "me", "much", "many",
        "my", "of", "on", "or", "our", "page", "please", "say", "says", "tell", "that", "the",
        "there", "this", "to", "was", "we", "what", "when", "where", "which", "who", "why", "will",
        "with", "would", "you", "your",
    ];
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !STOP.contains(&word.as_str()))
        .collect()
}

/// Whether two words are the same but for an ending, as in `return` and `returns`.
fn alike(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short == long
        || (short.chars().count() >= 4
            && long.strip_prefix(short).is_some_and(|ending| ending.chars().count() <= 3))
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

fn asks_about_the_page(question: &str) -> bool {
    let question = question.to_lowercase();
    ["page", "site", "seite", "here", "about"].iter().any(|word| question.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prompt::write_block;
    use crate::provider::Turn;

    fn ask(question: &str) -> String {
        let mut system = "You are a bot.\n".to_owned();
        write_block(&mut system, "page", "Title: Corner Shop\nDescription: Tea and honey.");
        write_block(
            &mut system,
            "page_text",
            "We open at 9. Returns are free within 30 days! Delivery costs 4.90 euros.\nAsk us",
        );
        answer(&request(system, question))
    }

    fn request(system: String, question: &str) -> Request {
        Request {
            model: MODEL.to_owned(),
            system,
            turns: vec![Turn { role: Role::User, text: question.to_owned() }],
            max_tokens: 100,
            temperature: None,
        }
    }

    #[test]
    fn quotes_the_sentence_that_answers() {
        let text = ask("What does delivery cost?");
        assert!(text.contains("> Delivery costs 4.90 euros."), "{text}");
        assert!(!text.contains("Returns"), "{text}");
    }

    #[test]
    fn greets_and_tells_how_to_add_a_key() {
        let text = ask("Hello!");
        assert!(text.starts_with("Hello! You are on the page “Corner Shop”."), "{text}");
        assert!(text.contains("ANTHROPIC_API_KEY"), "{text}");
    }

    #[test]
    fn says_what_it_knows_of_the_page() {
        assert!(ask("What is on this page?").contains("It says: Tea and honey."));
        assert!(ask("Who painted the Mona Lisa?").starts_with("I found nothing about that"));
    }

    #[test]
    fn without_a_page_it_says_so() {
        let text = answer(&request("You are a bot.".to_owned(), "Where is the exit?"));
        assert!(text.starts_with("I know nothing of the page"), "{text}");
    }

    #[test]
    fn sentences_end_at_marks_and_lines() {
        let text = "One. Two 3.5 euros! 三。四？\nLast line";
        let found: Vec<&str> = sentences(text).collect();
        assert_eq!(found, ["One.", "Two 3.5 euros!", "三。", "四？", "Last line"]);
    }

    #[tokio::test]
    async fn streams_in_words_and_ends_with_usage() {
        let demo = Demo::new("Demo".to_owned());
        let stream = demo.stream(request(String::new(), "Hi")).await.unwrap();
        let events: Vec<Event> = stream.map(Result::unwrap).collect().await;
        assert!(matches!(&events[0], Event::Started { model } if model == MODEL));
        assert!(events.iter().filter(|event| matches!(event, Event::Text(_))).count() > 5);
        assert!(matches!(events[events.len() - 2], Event::Usage(usage) if usage.output_tokens > 5));
        assert_eq!(events[events.len() - 1], Event::Finished(Finish::Complete));
    }
}
