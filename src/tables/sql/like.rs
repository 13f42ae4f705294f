//! `LIKE` regardless of case beyond ASCII, for composed and decomposed letters alike.

use std::borrow::Cow;

use memchr::memmem;

use crate::tables::fold::fold;

/// A pattern, folded.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What stands between the `%`, which is at least one part.
    parts: Vec<Part>,
    /// The pattern ends in the escape character, so nothing matches it.
    broken: bool,
}

/// Characters that match one after the other.
#[derive(Debug, Default)]
struct Part {
    /// `None` matches any character.
    characters: Vec<Option<char>>,
    /// The characters as text, if all of them are given.
    text: Option<String>,
}

impl Pattern {
    /// Reads a pattern in which the character after `escape` stands for itself.
    pub(super) fn new(pattern: &str, escape: Option<char>) -> Self {
        let mut parts = vec![Part::default()];
        let mut literal = String::new();
        let mut broken = false;
        let mut characters = pattern.chars();
        while let Some(c) = characters.next() {
            match c {
                _ if Some(c) == escape => match characters.next() {
                    Some(next) => literal.push(next),
                    None => broken = true,
                },
                '%' | '_' => {
                    add(&mut parts, &mut literal);
                    match parts.last_mut() {
                        Some(part) if c == '_' => part.characters.push(None),
                        _ => parts.push(Part::default()),
                    }
                }
                _ => literal.push(c),
            }
        }
        add(&mut parts, &mut literal);
        for part in &mut parts {
            part.text = part.characters.iter().copied().collect();
        }
        Self { parts, broken }
    }

    /// Whether the text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let folded = if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(fold(text))
        };
        let (Some((first, rest)), false) = (self.parts.split_first(), self.broken) else {
            return false;
        };
        let Some(after) = first.strip(&folded) else { return false };
        let Some((last, middle)) = rest.split_last() else { return after.is_empty() };
        middle
            .iter()
            .try_fold(after, |text, part| part.find(text))
            .is_some_and(|text| last.ends(text))
    }
}

/// Appends the given characters to the last part.
fn add(parts: &mut [Part], literal: &mut String) {
    if let Some(part) = parts.last_mut() {
        part.characters.extend(fold(literal).chars().map(Some));
    }
    literal.clear();
}

impl Part {
    /// What follows the part at the beginning of the text.
    fn strip<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut rest = text.chars();
        let matches = |wanted: &Option<char>| {
            rest.next().is_some_and(|c| wanted.is_none_or(|wanted| wanted == c))
        };
        self.characters.iter().all(matches).then_some(rest.as_str())
    }

    /// What follows the first occurrence of the part.
    fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        if let Some(part) = &self.text {
            let at = memmem::find(text.as_bytes(), part.as_bytes())?;
            return text.get(at + part.len()..);
        }
        text.char_indices().find_map(|(at, _)| self.strip(&text[at..]))
    }

    /// Whether the text ends with the part.
    fn ends(&self, text: &str) -> bool {
        let mut rest = text.chars().rev();
        self.characters
            .iter()
            .rev()
            .all(|wanted| rest.next().is_some_and(|c| wanted.is_none_or(|wanted| wanted == c)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `LIKE` by its definition, in any amount of time.
    fn like(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|at| like(rest, &text[at..])),
            Some((wanted, rest)) => text
                .split_first()
                .is_some_and(|(c, text)| (*wanted == '_' || wanted == c) && like(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_by_the_definition(pattern in "[abAİö%_]{0,8}", text in "[abABiIöÖ]{0,8}") {
            let folded = |text: &str| fold(text).chars().collect::<Vec<char>>();
            let expected = like(&folded(&pattern), &folded(&text));
            prop_assert_eq!(Pattern::new(&pattern, None).matches(&text), expected);
        }

        #[test]
        fn a_text_is_like_itself_folded_or_escaped(text in any::<String>()) {
            let escaped: String = text.chars().flat_map(|c| ['!', c]).collect();
            for same in [fold(&text), crate::tables::fold::composed(&text).into_owned(), text.clone()] {
                prop_assert!(Pattern::new(&escaped, Some('!')).matches(&same));
            }
            let within = format!("%{escaped}%");
            let around = format!("1 {text} 2");
            prop_assert!(Pattern::new(&within, Some('!')).matches(&around));
        }
    }
}
