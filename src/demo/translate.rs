//! Turns a question of any language into the planner's words. Words that name a column or a value
//! of the file stay as they are, and so does what no table knows: it will not be understood.

use super::language::{Language, TERMS};
use super::table::TableProfile;
use super::words::{root, tokens, words};

/// Superlatives of something: the words of the planner, and the columns that they may be about, the
/// first that exists.
const SUPERLATIVES: [(&str, &str, &[&str]); 8] = [
    ("hottest", "highest", &["max temp", "temp"]),
    ("coldest", "lowest", &["min temp", "temp"]),
    ("rainiest", "highest", &["precipitation", "rainfall"]),
    ("windiest", "highest", &["wind"]),
    ("best mileage", "highest", &["miles per gallon", "mpg", "mileage"]),
    ("heaviest", "highest", &["weight"]),
    ("cheapest", "lowest", &["price"]),
    ("dearest", "highest", &["price"]),
];

/// Maximum number of words of a phrase.
const PHRASE: usize = 5;

/// The shortest part of a compound, in characters.
const PART: usize = 3;

struct Translator<'a> {
    language: &'a Language,
    /// Words of columns and frequent values.
    own: Vec<String>,
    table: &'a TableProfile,
}

/// `text` in the planner's words.
pub fn translate(table: &TableProfile, language: &Language, text: &str) -> Vec<String> {
    let own = table.columns.iter().flat_map(|column| {
        let values = column.top.iter().flat_map(|value| words(value));
        column.words.iter().cloned().chain(values)
    });
    let translator = Translator { language, own: own.collect(), table };
    let read = tokens(text);
    let mut found = Vec::new();
    if language.unspaced {
        read.iter().for_each(|run| translator.split(run, &mut found));
    } else {
        translator.phrases(&read, &mut found);
    }
    let found = compare_forward(found.into_iter().filter(|word| !word.is_empty()).collect());
    group_last(found, language.by_follows)
}

impl Translator<'_> {
    fn is_own(&self, word: &str) -> bool {
        self.own.iter().any(|own| own == word)
    }

    /// The planner's term for a phrase.
    fn term(&self, phrase: &str) -> Option<&'static str> {
        let at = self.language.terms.iter().position(|phrases| {
            phrases.split('|').any(|known| !known.is_empty() && known == phrase)
        })?;
        TERMS.get(at).copied()
    }

    /// Text with spaces: the longest phrase first.
    fn phrases(&self, read: &[String], found: &mut Vec<String>) {
        let mut at = 0;
        while at < read.len() {
            let longest = (1..=PHRASE.min(read.len() - at)).rev().find_map(|length| {
                let part = read.get(at..at + length)?;
                if part.iter().any(|word| self.is_own(word)) {
                    return None;
                }
                let phrase = part.join(" ");
                self.term(&phrase)
                    .or_else(|| self.bare(&phrase).and_then(|bare| self.term(bare)))
                    .map(|term| (length, term))
            });
            match longest {
                Some((length, term)) => {
                    self.emit(term, &read[at..at + length].join(" "), found);
                    at += length;
                }
                None => {
                    self.word(&read[at], found);
                    at += 1;
                }
            }
        }
    }

    /// A phrase without what is stuck to its beginning, if that makes it known.
    fn bare<'w>(&self, phrase: &'w str) -> Option<&'w str> {
        self.language.prefixes.iter().find_map(|prefix| {
            let rest = phrase.strip_prefix(prefix)?;
            (self.term(rest).is_some() || self.is_own(rest)).then_some(rest)
        })
    }

    /// A single word that is no phrase.
    fn word(&self, word: &str, found: &mut Vec<String>) {
        if self.is_own(word) {
            found.push(word.to_owned());
        } else if let Some(bare) = self.bare(word) {
            found.push(bare.to_owned());
        } else if let Some((left, right)) = self.parts(word) {
            for part in [left, right] {
                match self.term(part) {
                    Some(term) if !self.is_own(part) => self.emit(term, part, found),
                    _ => found.push(part.to_owned()),
                }
            }
        } else {
            found.push(self.number(word).unwrap_or_else(|| word.to_owned()));
        }
    }

    /// The two known words that form a compound.
    fn parts<'w>(&self, word: &'w str) -> Option<(&'w str, &'w str)> {
        if !self.language.compounds {
            return None;
        }
        let knows =
            |part: &str| self.term(part).is_some_and(|term| !term.is_empty()) || self.is_own(part);
        word.char_indices().skip(PART).find_map(|(at, _)| {
            let (left, right) = word.split_at(at);
            let left = if knows(left) { left } else { left.strip_suffix('s')? };
            (right.chars().count() >= PART && knows(left) && knows(right)).then_some((left, right))
        })
    }

    /// A run of text without spaces: the longest known part first.
    fn split(&self, run: &str, found: &mut Vec<String>) {
        let mut rest = run;
        let mut unknown = String::new();
        while let Some(first) = rest.chars().next() {
            let ascii =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
            let phrases = self.language.terms.iter().flat_map(|phrases| phrases.split('|'));
            let own = self.own.iter().map(String::as_str).filter(|own| !own.is_ascii());
            let known = phrases
                .chain(own)
                .filter(|part| !part.is_empty() && rest.starts_with(part))
                .max_by_key(|part| part.len())
                .map(str::len);
            let length = if ascii > 0 { Some(ascii) } else { known };
            let Some(length) = length else {
                unknown.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            if !unknown.is_empty() {
                found.push(std::mem::take(&mut unknown));
            }
            let (part, after) = rest.split_at(length);
            match self.term(part) {
                Some(term) if !self.is_own(part) => self.emit(term, part, found),
                _ => found.push(self.number(part).unwrap_or_else(|| part.to_owned())),
            }
            rest = after;
        }
        if !unknown.is_empty() {
            found.push(unknown);
        }
    }

    /// Adds the words of a term.
    fn emit(&self, term: &'static str, phrase: &str, found: &mut Vec<String>) {
        let has_columns = |names: &&&str| {
            names.split(' ').all(|name| {
                name == "per"
                    || self
                        .table
                        .columns
                        .iter()
                        .any(|column| column.words.iter().any(|word| root(word) == root(name)))
            })
        };
        let mut add = |words: &str| found.extend(words.split(' ').map(str::to_owned));
        if let Some((_, direction, columns)) = SUPERLATIVES.iter().find(|(name, ..)| *name == term)
        {
            add(direction);
            add(columns.iter().find(has_columns).copied().unwrap_or(phrase));
        } else if term == "mileage" {
            let names = ["miles per gallon", "mpg", "mileage"];
            add(names.iter().find(has_columns).copied().unwrap_or(phrase));
        } else {
            add(term);
        }
    }

    /// A number, in digits with a decimal point.
    fn number(&self, word: &str) -> Option<String> {
        let (point, separator) = self.language.marks_of_numbers;
        let (whole, decimals) = match word.split_once(point) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (word, None),
        };
        let mut groups = whole.split(separator);
        let first = groups.next()?;
        let mut digits = first.to_owned();
        for group in groups {
            if group.len() != 3 || first.len() > 3 {
                return None;
            }
            digits.push_str(group);
        }
        if let Some(decimals) = decimals {
            digits = format!("{digits}.{decimals}");
        }
        let is_number = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        (is_number && digits.parse::<f64>().is_ok()).then_some(digits)
    }
}

/// Puts the word that compares before its number; in some languages it follows.
fn compare_forward(mut found: Vec<String>) -> Vec<String> {
    let is_number = |word: Option<&String>| word.is_some_and(|word| word.parse::<f64>().is_ok());
    for at in 1..found.len() {
        let compares = matches!(found[at].as_str(), "morethan" | "lessthan" | "atleast" | "atmost");
        if compares && is_number(found.get(at - 1)) && !is_number(found.get(at + 1)) {
            found.swap(at - 1, at);
        }
    }
    found
}

/// Moves what is grouped by to the end, where the planner expects it.
fn group_last(mut found: Vec<String>, by_follows: bool) -> Vec<String> {
    const FIGURES: [&str; 8] =
        ["average", "total", "how", "highest", "lowest", "chart", "rows", "most"];
    let Some(at) = found.iter().position(|word| word == "by") else { return found };
    if by_follows {
        let group: Vec<String> = found.drain(..=at).collect();
        found.push("by".to_owned());
        found.extend(group.into_iter().filter(|word| word != "by"));
    } else if at == 0 {
        let end = found.iter().position(|word| FIGURES.contains(&word.as_str()));
        if let Some(end) = end {
            found.rotate_left(end);
        }
    }
    found
}
