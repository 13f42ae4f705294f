//! The demo's languages: the words that it understands, and the sentences that it answers with. One
//! file each, of data only; its type makes every language have every entry.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod he;
mod ja;
mod pt;
mod zh;

use super::words::tokens;
use crate::domain::text::thousands;

/// What a question may mention, in the planner's own words, which are English. A language lists its
/// phrases for each, in this order.
pub const TERMS: [&str; 59] = [
    "",
    "how many",
    "average",
    "total",
    "highest",
    "lowest",
    "top",
    "bottom",
    "which",
    "when",
    "by",
    "rows",
    "days",
    "month",
    "year",
    "most common",
    "distribution",
    "chart",
    "pie",
    "line",
    "bar",
    "different",
    "columns",
    "file",
    "morethan",
    "lessthan",
    "atleast",
    "atmost",
    "over time",
    "hottest",
    "coldest",
    "rainiest",
    "windiest",
    "best mileage",
    "heaviest",
    "cheapest",
    "dearest",
    "weather",
    "rain",
    "snow",
    "sun",
    "fog",
    "drizzle",
    "wind",
    "temp",
    "precipitation",
    "price",
    "revenue",
    "orders",
    "cars",
    "weight",
    "origin",
    "country",
    "city",
    "customers",
    "products",
    "quantity",
    "horsepower",
    "mileage",
];

/// Subjects that pages are asked about: opening hours, prices, delivery, returns, payment, contact,
/// address, guarantee.
pub const TOPICS: usize = 8;

/// A language of questions and answers.
#[derive(Debug)]
pub struct Language {
    /// Its code, as in the page's `lang`.
    pub code: &'static str,
    /// Frequent words that tell it from other languages.
    pub marks: &'static str,
    /// Words that may be stuck to the beginning of another word.
    pub prefixes: &'static [&'static str],
    /// Whether it is written without spaces.
    pub unspaced: bool,
    /// Whether known words may form one long word.
    pub compounds: bool,
    /// Whether the word for "by" follows what is grouped by.
    pub by_follows: bool,
    /// Its phrases for [`TERMS`], separated by `|`.
    pub terms: [&'static str; TERMS.len()],
    /// The beginnings of its words for [`TOPICS`].
    pub topics: [&'static str; TOPICS],
    /// Greetings.
    pub greetings: &'static str,
    /// Questions about what the demo can do, or parts of them.
    pub abilities: &'static str,
    /// Questions about the page as a whole, or parts of them.
    pub about_page: &'static str,
    /// Decimal point and separator of thousands.
    pub marks_of_numbers: (char, char),
    /// Its sentences.
    pub texts: Texts,
}

/// Sentences, with placeholders such as `{column}`.
#[derive(Debug)]
pub struct Texts {
    pub hello: &'static str,
    pub can_page: &'static str,
    pub can_file: &'static str,
    pub can_upload: &'static str,
    pub try_asking: &'static str,
    pub you_are_on: &'static str,
    pub no_page: &'static str,
    pub not_found: &'static str,
    pub unsure: &'static str,
    pub do_you_mean: &'static str,
    pub or: &'static str,
    pub failed: &'static str,
    pub all_rows: &'static str,
    pub rows: &'static str,
    pub rows_with: &'static str,
    pub different: &'static str,
    /// Sentences for the average, total, minimum and maximum.
    pub figures: [&'static str; 4],
    pub no_values: &'static str,
    pub highest_row: &'static str,
    pub lowest_row: &'static str,
    /// Headings of the number of rows, of different values, the average, total, minimum, maximum.
    pub headings: [&'static str; 6],
    pub by: &'static str,
    pub highest: &'static str,
    pub lowest: &'static str,
    pub month: &'static str,
    pub year: &'static str,
    pub from: &'static str,
    pub spread: &'static str,
    pub leader: &'static str,
    pub shown: &'static str,
    pub shown_of_more: &'static str,
    pub columns: &'static str,
    /// Number, true or false, date, text, empty.
    pub kinds: [&'static str; 5],
    pub no_amount: &'static str,
    pub empty: &'static str,
    /// Questions: average by, average, top, rows by, rows, about the page.
    pub examples: [&'static str; 6],
    pub key: &'static str,
}

/// All languages, English first.
pub const LANGUAGES: &[&Language] =
    &[&en::EN, &de::DE, &fr::FR, &es::ES, &pt::PT, &ar::AR, &he::HE, &zh::ZH, &ja::JA];

impl Language {
    /// The language of `question`, or of the page if the question does not tell.
    pub fn of(question: &str, page: Option<&str>) -> &'static Self {
        let by_code = |code: &str| LANGUAGES.iter().copied().find(|it| it.code == code);
        let page = page.map(|tag| tag.split(['-', '_']).next().unwrap_or(tag).to_lowercase());
        let page = page.as_deref();
        let is_in = |ranges: &[(char, char)]| {
            question.chars().any(|c| ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)))
        };
        let script = if is_in(&[('\u{590}', '\u{5ff}')]) {
            Some("he")
        } else if is_in(&[('\u{600}', '\u{6ff}')]) {
            Some("ar")
        } else if is_in(&[('\u{3040}', '\u{30ff}')]) {
            Some("ja")
        } else if is_in(&[('\u{4e00}', '\u{9fff}')]) {
            Some(if page == Some("ja") || is_japanese(question) { "ja" } else { "zh" })
        } else {
            None
        };
        if let Some(language) = script.and_then(by_code) {
            return language;
        }
        let words = tokens(question);
        let score = |language: &Self| {
            let known = |word: &&String| {
                language.marks.split(' ').any(|mark| mark == word.as_str())
                    || language
                        .terms
                        .iter()
                        .any(|term| term.split('|').any(|phrase| phrase == word.as_str()))
            };
            2 * words.iter().filter(known).count() + usize::from(page == Some(language.code))
        };
        let fallback = page.and_then(by_code).unwrap_or(&en::EN);
        LANGUAGES
            .iter()
            .copied()
            .filter(|it| !it.unspaced)
            .fold(fallback, |best, next| if score(next) > score(best) { next } else { best })
    }

    /// The subject that a word is about.
    pub fn topic(word: &str) -> Option<usize> {
        LANGUAGES.iter().find_map(|language| {
            language.topics.iter().position(|stems| {
                stems.split(' ').any(|stem| !stem.is_empty() && word.starts_with(stem))
            })
        })
    }

    /// The subjects of a question. Without spaces, a word may be anywhere in it.
    pub fn topics_of(question: &str, words: &[String]) -> Vec<usize> {
        let inside = LANGUAGES.iter().filter(|language| language.unspaced).flat_map(|language| {
            language.topics.iter().enumerate().filter(|(_, stems)| {
                stems.split(' ').any(|stem| !stem.is_empty() && question.contains(stem))
            })
        });
        let mut found: Vec<usize> = inside.map(|(topic, _)| topic).collect();
        found.extend(words.iter().filter_map(|word| Self::topic(word)));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether `phrases` has one that `question` contains as whole words; without spaces, anywhere.
    pub fn mentions(&self, phrases: &str, question: &str) -> bool {
        if self.unspaced {
            return phrases.split('|').any(|phrase| question.contains(phrase));
        }
        let question = format!(" {} ", tokens(question).join(" "));
        phrases.split('|').any(|phrase| question.contains(&format!(" {phrase} ")))
    }

    /// A number as the language writes it. `plain` ones, such as years, are not grouped.
    pub fn number(&self, text: &str, plain: bool) -> String {
        let (point, separator) = self.marks_of_numbers;
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let Ok(value) = whole.parse::<u64>() else { return text.to_owned() };
        let whole = match plain {
            true => whole.to_owned(),
            false => thousands(value).replace(',', &separator.to_string()),
        };
        match decimals {
            "" | "0" => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}{point}{decimals}"),
        }
    }
}

/// Whether a question in Han characters only has more Japanese phrases than Chinese ones.
fn is_japanese(question: &str) -> bool {
    let known = |language: &Language| {
        let phrases = language.terms.iter().flat_map(|phrases| phrases.split('|'));
        phrases.filter(|phrase| phrase.chars().count() > 1 && question.contains(phrase)).count()
    };
    known(&ja::JA) > known(&zh::ZH)
}

/// `template` with its placeholders filled in.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, next) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(values.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
        rest = next;
    }
    text.push_str(rest);
    text
}
