//! Sentences on what was guessed or passed over while reading a file.

/// Maximum number of notes on a file.
const MAX_NOTES: usize = 8;

/// Maximum length of a note, in characters.
const MAX_CHARS: usize = 240;

/// Notes on a file: sentences in English, for visitors and for the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    sentences: Vec<String>,
    left_out: usize,
}

impl Notes {
    /// Adds a sentence. It may quote the file, such as the name of a column: control characters
    /// become spaces, and a long sentence is shortened. A repeated sentence is kept once.
    pub fn add(&mut self, sentence: &str) {
        let mut chars = sentence.chars().map(|c| if c.is_control() { ' ' } else { c });
        let mut text: String = chars.by_ref().take(MAX_CHARS).collect();
        if chars.next().is_some() {
            text.pop();
            text.push('…');
        }
        if self.sentences.contains(&text) {
            return;
        }
        if self.sentences.len() < MAX_NOTES {
            self.sentences.push(text);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds the notes of a later step.
    pub fn append(&mut self, later: Self) {
        for sentence in later.sentences {
            self.add(&sentence);
        }
        self.left_out += later.left_out;
    }

    /// The sentences; the last one says if more were left out.
    pub fn into_sentences(mut self) -> Vec<String> {
        if self.left_out > 0 {
            // The last one gives way to the count, and is counted itself.
            self.sentences.truncate(MAX_NOTES - 1);
            self.sentences.push(format!("{} more notes were left out.", self.left_out + 1));
        }
        self.sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sentences: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut notes = Notes::default();
        sentences.into_iter().for_each(|sentence| notes.add(&sentence));
        notes.into_sentences()
    }

    #[test]
    fn number_and_length_are_bounded() {
        let numbered = |count: usize| of((0..count).map(|at| format!("Note {at}.")));
        assert_eq!(numbered(MAX_NOTES).last().map(String::as_str), Some("Note 7."));
        let more = numbered(MAX_NOTES + 1);
        assert_eq!((more.len(), more[7].as_str()), (MAX_NOTES, "2 more notes were left out."));
        assert_eq!(numbered(100)[7], "93 more notes were left out.");
        let long = |chars: usize| of(["ä".repeat(chars)]).remove(0);
        assert_eq!(long(MAX_CHARS), "ä".repeat(MAX_CHARS));
        assert_eq!(long(MAX_CHARS + 1), "ä".repeat(MAX_CHARS - 1) + "…");
    }

    #[test]
    fn notes_are_single_lines_and_distinct() {
        assert_eq!(of(["a\nb\u{0}.".to_owned(), "a b .".to_owned()]), ["a b ."]);
        let mut notes = Notes::default();
        notes.add("A.");
        let mut later = Notes::default();
        later.add("A.");
        later.add("B.");
        notes.append(later);
        assert_eq!(notes.into_sentences(), ["A.", "B."]);
    }
}
