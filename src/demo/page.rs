//! Answers from the page that the visitor is on.

use crate::domain::block::read_block;

/// Maximum number of sentences of the page that an answer quotes.
const QUOTES: usize = 3;

/// What the prompt says about the visitor's page.
pub struct Page<'a> {
    title: Option<&'a str>,
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
            description: fact("Description:"),
            text: read_block(system, "page_text").unwrap_or(""),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.title.is_none() && self.description.is_none() && self.text.is_empty()
    }

    /// How to refer to the page at the start of a sentence.
    pub fn called(&self) -> String {
        self.title.map_or_else(|| "The page".to_owned(), |title| format!("The page “{title}”"))
    }

    pub fn describe(&self) -> String {
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

    /// The sentences that share the most of `words`, in the order of the page.
    pub fn quotes(&self, words: &[String]) -> Vec<&'a str> {
        let mut scored: Vec<(usize, usize, &str)> = sentences(self.text)
            .enumerate()
            .filter_map(|(place, sentence)| {
                let has = keywords(sentence);
                let score = words.iter().filter(|word| has.iter().any(|h| alike(h, word))).count();
                (score > 0).then_some((score, place, sentence))
            })
            .collect();
        // A sentence that shares one word adds little to one that shares three.
        let best = scored.iter().map(|(score, ..)| *score).max().unwrap_or(0);
        scored.retain(|(score, ..)| score * 2 > best);
        scored.sort_by_key(|&(score, place, _)| (std::cmp::Reverse(score), place));
        scored.truncate(QUOTES);
        scored.sort_by_key(|&(_, place, _)| place);
        scored.into_iter().map(|(_, _, sentence)| sentence).collect()
    }
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

/// Whether a question is about the page as a whole.
pub fn asks_about_the_page(question: &str) -> bool {
    let question = question.to_lowercase();
    question.split(|c: char| !c.is_alphanumeric()).any(|word| {
        matches!(word, "here" | "about")
            || ["page", "site", "seite"].iter().any(|name| word.contains(name))
    })
}
