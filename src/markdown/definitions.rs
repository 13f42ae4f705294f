//! Link reference definitions, which CommonMark removes from the text whether or not anything
//! refers to them. A line such as `[ERROR]: Timeout` or `[^1]: Note` is one.
//!
//! Here only those are definitions that a link uses. The colon of every other one gets a mark
//! before it, by which it is text; the renderer removes the mark.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, LinkType, Parser, Tag};

use super::{OPTIONS, link, unmarked};

/// Rounds until every definition left is used. One is the rule; another follows where text that was
/// taken for a definition contained a link or began the paragraph of a definition.
const MAX_ROUNDS: usize = 3;

/// The targets of links by their labels.
#[derive(Default)]
pub(super) struct Definitions(HashMap<String, String>);

impl Definitions {
    /// The target of a label.
    pub(super) fn target(&self, label: &str, mark: char) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&normalised(label, mark)).map(String::as_str)
    }
}

/// Inserts `mark` into the definitions that are text. The others may no longer be where a
/// definition can be, and are returned.
pub(super) fn mark(text: &mut String, mark: char) -> Definitions {
    let mut definitions = Definitions::default();
    for round in 0..=MAX_ROUNDS {
        let mut used = used(text, mark, &mut definitions);
        if used.is_none() && round == 0 {
            break;
        }
        if round == MAX_ROUNDS {
            used = None;
        }
        let used = used.unwrap_or_default();
        let mut marked = String::with_capacity(text.len() + 64);
        let mut copied = 0;
        for at in memchr::memmem::find_iter(text.as_bytes(), b"]:") {
            if !used.contains(&at) {
                marked.push_str(&text[copied..=at]);
                marked.push(mark);
                copied = at + 1;
            }
        }
        if copied == 0 {
            break;
        }
        marked.push_str(&text[copied..]);
        *text = marked;
    }
    definitions
}

/// The places of the brackets that close the labels of used definitions. `None` if there is no
/// definition at all.
fn used(text: &str, mark: char, definitions: &mut Definitions) -> Option<HashSet<usize>> {
    let known = |link: pulldown_cmark::BrokenLink<'_>| {
        definitions.target(&link.reference, mark).map(|it| (it.to_owned().into(), "".into()))
    };
    let mut parser = Parser::new_with_broken_link_callback(text, OPTIONS, Some(known));
    parser.reference_definitions().iter().next()?;
    let mut labels = HashSet::new();
    for event in parser.by_ref() {
        if let Event::Start(
            Tag::Link { link_type, dest_url, id, .. } | Tag::Image { link_type, dest_url, id, .. },
        ) = event
        {
            let uses = match link_type {
                // In `a[^1][^2]` two footnotes look like one link.
                LinkType::Reference | LinkType::Collapsed if !id.starts_with('^') => true,
                LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut => {
                    link::safe_href(&unmarked(&dest_url, mark)).is_some()
                }
                _ => false,
            };
            if uses {
                labels.insert(id);
            }
        }
    }
    let mut places = HashSet::new();
    let mut found = Vec::new();
    for label in &labels {
        if let Some(definition) = parser.reference_definitions().get(label) {
            let label_end = text.get(definition.span.clone()).and_then(label_end);
            places.extend(label_end.map(|end| definition.span.start + end));
            found.push((normalised(label, mark), unmarked(&definition.dest, mark).into_owned()));
        }
    }
    drop(parser);
    definitions.0.extend(found);
    Some(places)
}

/// The place of the bracket that closes the label at the beginning.
fn label_end(definition: &str) -> Option<usize> {
    let bytes = definition.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b']' => return Some(at),
            _ => at += 1,
        }
    }
}

/// A label as labels are compared.
fn normalised(label: &str, mark: char) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    unmarked(&words.join(" "), mark).to_lowercase()
}
