//! Marked blocks: how untrusted text is set off in a prompt, so that a model can tell it from its
//! instructions, and how it is read back.

use std::borrow::Cow;

use super::text::is_invisible;

const OPEN: &str = "<untrusted name=\"";
const CLOSE: &str = "</untrusted>";

/// Appends `text` to `prompt` as the block `name`. Marks inside the text are made harmless, so
/// that the text cannot end its block.
pub fn write_block(prompt: &mut String, name: &str, text: &str) {
    prompt.push_str(OPEN);
    prompt.push_str(name);
    prompt.push_str("\">\n");
    prompt.push_str(&defuse(text));
    if !text.ends_with('\n') {
        prompt.push('\n');
    }
    prompt.push_str(CLOSE);
    prompt.push('\n');
}

/// The text of the block `name` in `prompt`, without its marks.
pub fn read_block<'a>(prompt: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = prompt;
    loop {
        let (_, after) = rest.split_once(OPEN)?;
        rest = after;
        // Instructions may mention marks; only a real one ends its line.
        let Some(after) = after.strip_prefix(name).and_then(|after| after.strip_prefix("\">\n"))
        else {
            continue;
        };
        let (text, _) = after.split_once(CLOSE)?;
        return Some(text.strip_suffix('\n').unwrap_or(text));
    }
}

/// `text` with the bracket of every mark replaced, however the mark is spelt: in any case, in
/// full-width letters, with blanks or invisible characters in between.
fn defuse(text: &str) -> Cow<'_, str> {
    let is_bracket = |c: char| matches!(c, '<' | '\u{FF1C}' | '\u{FE64}');
    let is_mark = |at: usize, bracket: &str| is_mark(&text[at + bracket.len()..]);
    let mut marks =
        text.match_indices(is_bracket).filter(|&(at, bracket)| is_mark(at, bracket)).peekable();
    if marks.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for (at, bracket) in marks {
        safe.push_str(&text[from..at]);
        safe.push('‹');
        from = at + bracket.len();
    }
    safe.push_str(&text[from..]);
    Cow::Owned(safe)
}

/// Whether the text after a bracket makes it a mark: `untrusted`, optionally after a slash.
fn is_mark(rest: &str) -> bool {
    // Enough for the word with several invisible characters after each letter; a model would not
    // recognise it with more.
    const REACH: usize = 64;
    let mut letters = rest.chars().take(REACH).filter(|c| !is_ignorable(*c)).map(narrow);
    let mut next = letters.next();
    if next == Some('/') {
        next = letters.next();
    }
    let word = next.into_iter().chain(letters).take(9);
    word.eq("untrusted".chars())
}

/// Blanks and invisible characters.
fn is_ignorable(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Converts full-width letters to ASCII and capitals to small letters.
pub(super) fn narrow(c: char) -> char {
    let narrow = match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2044}' | '\u{2215}' => '/',
        other => other,
    };
    narrow.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_found_by_name() {
        let mut prompt = "Be brief.\n".to_owned();
        write_block(&mut prompt, "page", "Open 9 to 5\n");
        write_block(&mut prompt, "data", "a,b");
        assert_eq!(read_block(&prompt, "page"), Some("Open 9 to 5"));
        assert_eq!(read_block(&prompt, "data"), Some("a,b"));
        assert_eq!(read_block(&prompt, "file"), None);
    }

    #[test]
    fn marks_are_defused_in_every_spelling() {
        for mark in [
            "<untrusted name=\"x\">",
            "</untrusted>",
            "</UnTrusted >",
            "< /untrusted>",
            "</ untrusted>",
            "<\t/\n untrusted>",
            "</un\u{200B}trusted>",
            "<\u{200D}/\u{FEFF}u\u{AD}ntrusted>",
            "\u{FF1C}/untrusted>",
            "\u{FF1C}\u{FF0F}\u{FF55}ntrusted\u{FF1E}",
        ] {
            let text = format!("a {mark} b < c </b> <unt> \u{FF1C}");
            let defused = defuse(&text);
            assert_eq!(defused.matches('‹').count(), 1, "{defused}");
            assert!(defused.starts_with("a ‹"), "{defused}");
        }
        for harmless in ["a < b", "<b>untrusted</b>", "<trusted>", "<un trust>", "＜"] {
            assert!(matches!(defuse(harmless), Cow::Borrowed(_)), "{harmless}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_block(text in "(<|/|</?[uU]ntrusted( name=\"x\")?>|\\PC|\n){0,40}") {
            let mut prompt = String::new();
            write_block(&mut prompt, "page", &text);
            prop_assert_eq!(prompt.matches(CLOSE).count(), 1);
            prop_assert_eq!(prompt.matches(OPEN).count(), 1);
            prop_assert_eq!(read_block(&prompt, "x"), None);
            let read = read_block(&prompt, "page").unwrap();
            let plain = |text: &str| text.replace(['‹', '\u{FF1C}', '\u{FE64}'], "<");
            prop_assert_eq!(plain(read), plain(text.strip_suffix('\n').unwrap_or(&text)));
        }
    }
}
