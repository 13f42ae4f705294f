//! Answers from the page that the visitor is on.

use crate::domain::block::read_block;

use super::language::Language;

/// Maximum number of sentences of the page in an answer.
const QUOTES: usize = 3;

/// Maximum length of a heading, in characters.
const HEADING: usize = 60;

/// What the prompt says about the visitor's page.
pub struct Page<'a> {
    pub title: Option<&'a str>,
    pub language: Option<&'a str>,
    description: Option<&'a str>,
    text: &'a str,
}

impl<'a> Page<'a> {
    pub fn read(system: &'a str) -> Self {
        let facts = read_block(system, "page").unwrap_or("");
        let fact =
            |label: &str| facts.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
        Self {
            title: fact("Title:"),
            language: fact("Language:"),
            description: fact("Description:"),
            text: read_block(system, "page_text").unwrap_or(""),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.text.is_empty()
    }

    /// What the page is about, in its own words.
    pub fn summary(&self) -> Option<String> {
        let first = || statements(self.text).into_iter().next().map(|found| found.text);
        self.description.map(str::to_owned).or_else(first)
    }

    /// The statements that share the most words or subjects with a question, in the order of the
    /// page.
    pub fn answers(&self, question: &str) -> Vec<String> {
        let asked = keywords(question);
        let subjects = Language::topics_of(question, &asked);
        let score = |text: &str| {
            let has = keywords(text);
            let words = asked.iter().filter(|word| has.iter().any(|h| alike(h, word))).count();
            let topics = subjects
                .iter()
                .filter(|topic| has.iter().any(|word| Language::topic(word) == Some(**topic)));
            2 * words + topics.count()
        };
        let mut scored: Vec<(usize, usize, String)> = statements(self.text)
            .into_iter()
            .enumerate()
            .filter_map(|(place, found)| {
                let score = 2 * score(&found.text) + score(&found.heading);
                (score > 0).then_some((score, place, found.text))
            })
            .collect();
        // A sentence that shares one word adds little to one that shares three.
        let best = scored.iter().map(|(score, ..)| *score).max().unwrap_or(0);
        scored.retain(|(score, ..)| score * 2 > best);
        scored.sort_by_key(|(score, place, _)| (std::cmp::Reverse(*score), *place));
        scored.truncate(QUOTES);
        scored.sort_by_key(|(_, place, _)| *place);
        scored.into_iter().map(|(_, _, text)| text).collect()
    }
}

/// A sentence or a row of a table, and the heading that it stands under.
struct Statement {
    text: String,
    heading: String,
}

fn statements(text: &str) -> Vec<Statement> {
    let mut heading = String::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| line.chars().any(char::is_alphanumeric)) {
        let cells: Vec<&str> =
            line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
        if let [first, rest @ ..] = &cells[..]
            && !rest.is_empty()
        {
            let text = format!("{first}: {}", rest.join(", "));
            found.push(Statement { text, heading: heading.clone() });
        } else if line.chars().count() <= HEADING
            && !line.ends_with(['.', '!', '?', '。', '！', '？', ':', '؟'])
        {
            heading = line.to_owned();
        } else {
            let sentences = sentences(line)
                .map(|text| Statement { text: text.to_owned(), heading: heading.clone() });
            found.extend(sentences);
        }
    }
    found
}

/// The sentences of `text`. They end with a full stop, question mark or exclamation mark before white
/// space, or with the line.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
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
pub fn keywords(text: &str) -> Vec<String> {
    const STOP: &[&str] = &[
        "a", "about", "am", "an", "and", "any", "are", "at", "be", "by", "can", "could", "did",
        "do", "does", "for", "from", "had", "has", "have", "how", "i", "in", "is", "it", "me",
        "much", "many", "my", "of", "on", "or", "our", "page", "please", "say", "says", "tell",
        "that", "the", "there", "this", "to", "was", "we", "what", "when", "where", "which", "who",
        "why", "will", "with", "would", "you", "your",
    ];
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !STOP.contains(&word.as_str()))
        .collect()
}

/// Whether two words differ only in their endings, as `return` and `returns` do.
fn alike(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short == long
        || (short.chars().count() >= 4
            && long.strip_prefix(short).is_some_and(|ending| ending.chars().count() <= 3))
}
