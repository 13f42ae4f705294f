//! Sentences on what was guessed about columns.

use crate::tables::number_range::Lookalike;

/// Maximum number of columns that a sentence names.
const NAMES: usize = 3;

/// Maximum length of a name in a sentence, in characters.
const NAME_CHARS: usize = 40;

/// What the visitor and the model should know about a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeFinding {
    /// The notation follows from another column.
    Because { is_comma: bool, proof: String },
    /// Nothing proves the notation, in which `example` could be read either way.
    Guess { is_comma: bool, example: String },
    /// Nothing proves whether the day or the month comes first in dates.
    DateGuess { is_day_first: bool },
    /// A decimal comma where commas also divide cells.
    Comma { proof: Option<String> },
    /// The commas may divide lists.
    List,
    /// Numbers with a unit.
    Unit(String),
    /// JSON strings that hold numbers.
    JsonText,
    /// JSON numbers whose digits would be lost.
    Long,
    /// Text because of two units, one of which may be empty.
    Units(String, String),
    /// Text because of both notations.
    Notations,
    /// Text because the numbers are probably something else.
    Lookalike(Lookalike),
}

/// Findings by column, those of one kind together.
#[derive(Default)]
pub struct Findings(Vec<(TypeFinding, Vec<String>)>);

impl Findings {
    /// Adds one about the column `name`.
    pub fn add(&mut self, name: &str, finding: TypeFinding) {
        match self.0.iter_mut().find(|(known, _)| *known == finding) {
            Some((_, names)) => names.push(name.to_owned()),
            None => self.0.push((finding, vec![name.to_owned()])),
        }
    }

    /// A sentence for each kind, the doubtful ones first, and one for all units.
    pub fn sentences(&self) -> Vec<String> {
        let (units, rest): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(finding, _)| matches!(finding, TypeFinding::Unit(_)));
        let sentences = rest.into_iter().map(|(finding, names)| sentence(finding, names));
        let units = match units.as_slice() {
            [] => None,
            [(finding, names)] => Some(sentence(finding, names)),
            several => {
                let all = several.iter().flat_map(|(finding, names)| {
                    names.iter().map(move |name| match finding {
                        TypeFinding::Unit(unit) => format!("{} ({unit})", short(name)),
                        _ => short(name),
                    })
                });
                let list = list(&all.collect::<Vec<_>>());
                Some(format!("These columns were read as numbers with a unit: {list}."))
            }
        };
        sentences.chain(units).collect()
    }
}

fn sentence(finding: &TypeFinding, names: &[String]) -> String {
    let list = list(names);
    let many = names.len() > 1;
    let (columns, was, stays, its) = if many {
        (format!("The columns {list}"), "were read", "remain text", "their")
    } else {
        (format!("The column {list}"), "was read", "remains text", "its")
    };
    let notation = |is_comma: bool| if is_comma { "a decimal comma" } else { "a decimal point" };
    match finding {
        TypeFinding::Because { is_comma, proof } => {
            format!(
                "{columns} {was} with {}, because {} has one.",
                notation(*is_comma),
                short(proof)
            )
        }
        TypeFinding::Guess { is_comma, example } => format!(
            "{columns} {was} with {}, but nothing in the file proves it: “{example}” could also \
             have {}.",
            notation(*is_comma),
            notation(!is_comma),
        ),
        TypeFinding::DateGuess { is_day_first } => {
            let [read, other] = if *is_day_first { ["day", "month"] } else { ["month", "day"] };
            format!(
                "{columns} {was} with the {read} first, but nothing in the file proves it: the \
                 {other} may come first."
            )
        }
        TypeFinding::Comma { proof: Some(proof) } => {
            format!("{columns} {was} with a decimal comma, as {} was.", short(proof))
        }
        TypeFinding::Comma { proof: None } => {
            format!("{columns} {was} with a decimal comma, because there are always two decimals.")
        }
        TypeFinding::List => format!(
            "{columns} {stays}, because the commas could be decimal signs or divide several numbers."
        ),
        TypeFinding::Unit(unit) => format!("{columns} {was} as numbers with the unit {unit}."),
        TypeFinding::JsonText => format!("{columns} {was} as numbers, although written as text."),
        TypeFinding::Long => {
            format!("{columns} {stays}, because {its} whole numbers are too long to compute with.")
        }
        TypeFinding::Units(a, b) if a.is_empty() || b.is_empty() => {
            format!("{columns} {stays}, because only some of the numbers have the unit {a}{b}.")
        }
        TypeFinding::Units(a, b) => format!(
            "{columns} {stays}, because {its} numbers have different units, such as {a} and {b}, \
             and cannot be added up."
        ),
        TypeFinding::Notations => format!(
            "{columns} {stays}, because some of the numbers have a decimal comma and others a \
             decimal point."
        ),
        TypeFinding::Lookalike(lookalike) => {
            let what = match lookalike {
                Lookalike::Brackets => "numbers in brackets may be negative amounts or codes",
                Lookalike::Grades => "numbers with a minus behind them may be grades",
                Lookalike::Identifiers => "all numbers have equally many digits, as identifiers do",
                Lookalike::Phrase => "the text only begins with a number",
            };
            format!("{columns} {stays}, because {what}.")
        }
    }
}

/// `a`, `a and b`, `a, b and 7 more`.
fn list(names: &[String]) -> String {
    let mut parts: Vec<String> = names.iter().take(NAMES).map(|name| short(name)).collect();
    if names.len() > NAMES {
        parts.push(format!("{} more", names.len() - NAMES));
    }
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}

/// A name on one line, shortened.
fn short(name: &str) -> String {
    let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::tables::profile::clip_to(&line, NAME_CHARS)
}
