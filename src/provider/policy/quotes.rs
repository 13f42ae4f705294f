//! Refusals that quote the visitor. Some servers repeat the message that they refuse, and a message
//! may say that the model does not support tools: nothing must be learned from that.

use crate::provider::{Entry, ModelRequest};

/// This many words in a row, and this many characters, are no coincidence.
const WORDS: usize = 3;
const CHARS: usize = 12;

/// Whether `detail` repeats what a visitor has written in `request`.
pub fn quotes_visitor(detail: &str, request: &ModelRequest) -> bool {
    let detail = words(detail);
    let detail: Vec<&str> = detail.split(' ').collect();
    let phrases: Vec<String> = detail
        .windows(WORDS)
        .map(|words| words.join(" "))
        .filter(|phrase| phrase.chars().count() >= CHARS)
        .collect();
    request.entries.iter().any(|entry| match entry {
        Entry::User(text) => {
            let text = words(text);
            let is_short = text.split(' ').nth(WORDS - 1).is_none();
            phrases.iter().any(|phrase| text.contains(phrase))
                || (is_short && text.len() >= CHARS && detail.join(" ").contains(&text))
        }
        Entry::Assistant { .. } | Entry::ToolResults(_) => false,
    })
}

/// Letters and digits in lower case, with single spaces for all else.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ToolChoice;

    fn asked(question: &str) -> ModelRequest {
        ModelRequest {
            model: "m".to_owned(),
            system: String::new(),
            entries: vec![Entry::user(question)],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: 1000,
            temperature: None,
        }
    }

    #[test]
    fn only_the_servers_own_words_are_believed() {
        let echo = "400: [{'type': 'string_too_long', 'loc': ('body', 'messages', 1), \
                    'input': 'Why: model does not support tools?'}]";
        let own = "400: registry/gemma3 does not support tools";
        for (detail, question, is_quoted) in [
            (echo, "Why: model does not  support tools?", true),
            (echo, "model DOES NOT support \u{201c}tools\u{201d}", true),
            (echo, "How many rows are there?", false),
            (own, "Which tools do you support?", false),
            (own, "", false),
            ("Invalid prompt: 'temperature unsupported'", "Temperature unsupported", true),
            ("Unsupported parameter: 'temperature'", "temperature", false),
        ] {
            assert_eq!(quotes_visitor(detail, &asked(question)), is_quoted, "{question}");
        }
    }
}
