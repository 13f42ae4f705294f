//! Marked blocks: how text of strangers stands in a prompt, so that a model can tell it from its
//! instructions, and how it is found there again.

use std::borrow::Cow;

const OPEN: &str = "<untrusted name=\"";
const CLOSE: &str = "</untrusted>";

/// Appends `text` to `prompt` as the block `name`. Marks inside the text are made harmless, so
/// that a block ends only where it should.
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
        // Instructions may speak of marks; a real one ends its line.
        let Some(after) = after.strip_prefix(name).and_then(|after| after.strip_prefix("\">\n"))
        else {
            continue;
        };
        let (text, _) = after.split_once(CLOSE)?;
        return Some(text.strip_suffix('\n').unwrap_or(text));
    }
}

/// `text` with every `<untrusted` and `</untrusted`, in any case, robbed of its bracket.
fn defuse(text: &str) -> Cow<'_, str> {
    let is_mark = |at: usize| {
        let tail = &text.as_bytes()[at + 1..];
        let tail = tail.strip_prefix(b"/").unwrap_or(tail);
        tail.get(..9).is_some_and(|word| word.eq_ignore_ascii_case(b"untrusted"))
    };
    let mut marks = text.match_indices('<').map(|(at, _)| at).filter(|&at| is_mark(at)).peekable();
    if marks.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for at in marks {
        safe.push_str(&text[from..at]);
        safe.push('‹');
        from = at + 1;
    }
    safe.push_str(&text[from..]);
    Cow::Owned(safe)
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

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_block(text in "(<|/|</?[uU]ntrusted( name=\"x\")?>|\\PC|\n){0,40}") {
            let mut prompt = String::new();
            write_block(&mut prompt, "page", &text);
            prop_assert_eq!(prompt.matches(CLOSE).count(), 1);
            prop_assert_eq!(prompt.matches(OPEN).count(), 1);
            prop_assert_eq!(read_block(&prompt, "x"), None);
            let read = read_block(&prompt, "page").unwrap();
            prop_assert_eq!(read.replace('‹', "<"), text.strip_suffix('\n').unwrap_or(&text).replace('‹', "<"));
        }
    }
}
