//! Tool calls, assembled from the pieces in which they arrive.
//!
//! OpenAI's own API numbers the calls of an answer and names each in its first piece. Compatible
//! servers omit numbers or ids, number every call 0, or repeat the name in every piece.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::halves;
use crate::provider::{Fault, ProviderError, ToolCall};

/// Maximum size of all tool calls of an answer together, in bytes.
pub const MAX_ARGUMENTS: usize = 256 * 1024;

/// Maximum number of calls in an answer.
pub const MAX_CALLS: usize = 64;

/// A piece of a call. What the server omits is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Piece<'a> {
    /// The call's number in the answer.
    pub index: Option<u32>,
    /// The call's id.
    pub id: &'a str,
    /// The tool's name.
    pub name: &'a str,
    /// The next piece of its arguments.
    pub arguments: &'a str,
    /// It starts a call, whatever came before.
    pub is_first: bool,
}

/// The tool calls of one answer, as far as they have arrived.
#[derive(Debug, Default)]
pub struct ToolCallParts {
    calls: Vec<(Option<u32>, ToolCall)>,
    /// Bytes of ids, names and arguments.
    size: usize,
}

impl ToolCallParts {
    /// Adds `piece` to the call that it belongs to.
    pub fn add(&mut self, piece: Piece<'_>) -> Result<(), ProviderError> {
        self.size += piece.id.len() + piece.name.len() + piece.arguments.len();
        let place = self.find(piece);
        if self.size > MAX_ARGUMENTS || (place.is_none() && self.calls.len() == MAX_CALLS) {
            return Err(ProviderError::new(Fault::Malformed, "the tool calls are endless"));
        }
        let Some((_, call)) = place.and_then(|place| self.calls.get_mut(place)) else {
            let call = ToolCall {
                id: piece.id.to_owned(),
                name: piece.name.to_owned(),
                arguments: piece.arguments.to_owned(),
            };
            self.calls.push((piece.index, call));
            return Ok(());
        };
        for (kept, new) in [(&mut call.id, piece.id), (&mut call.name, piece.name)] {
            if kept.is_empty() {
                kept.push_str(new);
            }
        }
        halves::append(&mut call.arguments, piece.arguments);
        Ok(())
    }

    /// The position of the call with the number `index`.
    pub fn numbered(&self, index: u32) -> Option<usize> {
        self.calls.iter().rposition(|(kept, _)| *kept == Some(index))
    }

    /// The position of the call that `piece` continues; `None` if it starts one.
    fn find(&self, piece: Piece<'_>) -> Option<usize> {
        if piece.is_first {
            return None;
        }
        let last = self.calls.len().checked_sub(1)?;
        let call_at = |place: usize| &self.calls[place];
        let place = match piece.index {
            // Some servers number only the later pieces.
            Some(index) => self
                .numbered(index)
                .or_else(|| (piece.name.is_empty() && call_at(last).0.is_none()).then_some(last))?,
            None if piece.id.is_empty() => last,
            None => {
                let known = self.calls.iter().rposition(|(_, call)| call.id == piece.id);
                known.or_else(|| piece.name.is_empty().then_some(last))?
            }
        };
        if piece.name.is_empty() {
            return Some(place);
        }
        let call = &call_at(place).1;
        let is_other = |kept: &str, new: &str| !new.is_empty() && !kept.is_empty() && kept != new;
        // A name that is repeated after complete arguments starts the next call of the same tool.
        let begins_again = piece.id.is_empty()
            && !piece.arguments.is_empty()
            && serde_json::from_str::<IgnoredAny>(&call.arguments).is_ok();
        let is_new =
            is_other(&call.id, piece.id) || is_other(&call.name, piece.name) || begins_again;
        (!is_new).then_some(place)
    }

    /// The complete calls. One without a name is left out, since it could not be run. An id that is
    /// missing or a duplicate is made up, counting from `first`.
    pub fn take(&mut self, first: usize) -> Vec<ToolCall> {
        let calls = std::mem::take(&mut self.calls);
        let mut done: Vec<ToolCall> = Vec::with_capacity(calls.len());
        let named = calls.into_iter().map(|(_, call)| call).filter(|call| !call.name.is_empty());
        for (number, mut call) in (first..).zip(named) {
            for text in [&mut call.id, &mut call.name, &mut call.arguments] {
                *text = halves::settle(Cow::Owned(std::mem::take(text))).into_owned();
            }
            halves::settle_escapes(&mut call.arguments);
            let is_taken = |id: &str| done.iter().any(|other| other.id == id);
            if call.id.is_empty() || is_taken(&call.id) {
                call.id = (number..)
                    .map(|number| format!("call_{number}"))
                    .find(|id| !is_taken(id))
                    .unwrap_or_default();
            }
            if call.arguments.trim().is_empty() {
                call.arguments = "{}".to_owned();
            }
            done.push(call);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Short = (Option<u32>, &'static str, &'static str, &'static str);

    fn join(pieces: &[Short]) -> Vec<(String, String, String)> {
        let mut calls = ToolCallParts::default();
        for &(index, id, name, arguments) in pieces {
            calls.add(Piece { index, id, name, arguments, is_first: false }).unwrap();
        }
        let calls = calls.take(3).into_iter();
        calls.map(|call| (call.id, call.name, call.arguments)).collect()
    }

    fn expect(pieces: &[Short], expected: &[(&str, &str, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(id, name, arguments)| (id.to_string(), name.to_string(), arguments.to_string()))
            .collect();
        assert_eq!(join(pieces), expected, "{pieces:?}");
    }

    #[test]
    fn pieces_find_their_calls() {
        let two = &[("a", "f", "{\"x\":1}"), ("b", "f", "{}")];
        // As OpenAI sends them, one after the other and interleaved.
        expect(
            &[(Some(0), "a", "f", ""), (Some(0), "", "", "{\"x\":"), (Some(0), "", "", "1}")],
            &two[..1],
        );
        expect(
            &[
                (Some(0), "a", "f", "{\"x\""),
                (Some(1), "b", "f", "{"),
                (Some(0), "", "", ":1}"),
                (Some(1), "", "", "}"),
            ],
            two,
        );
        // In one piece each, all numbered 0 or without numbers.
        expect(&[(Some(0), "a", "f", "{\"x\":1}"), (Some(0), "b", "f", "{}")], two);
        expect(&[(None, "a", "f", "{\"x\":1}"), (None, "b", "f", "{}")], two);
        // Without numbers, in several pieces, without or with the id and name repeated in each.
        expect(&[(None, "a", "f", "{\"x\""), (None, "", "", ":1}"), (None, "b", "f", "{}")], two);
        expect(&[(None, "a", "f", "{\"x\""), (None, "a", "f", ":1}"), (None, "b", "f", "")], two);
        // A new id in every piece.
        expect(&[(Some(0), "a", "f", "{\"x\":"), (Some(0), "c", "", "1}")], &two[..1]);
        // A number only in the first piece, or only in later ones.
        expect(&[(Some(0), "a", "f", ""), (None, "", "", "{\"x\":1}")], &two[..1]);
        expect(&[(None, "a", "f", ""), (Some(0), "", "", "{\"x\":1}")], &two[..1]);
    }

    #[test]
    fn missing_and_duplicate_ids_are_made_up() {
        let pieces = &[(None, "", "f", "{\"x\":1}"), (None, "", "f", "{}")];
        expect(pieces, &[("call_3", "f", "{\"x\":1}"), ("call_4", "f", "{}")]);
        let pieces = &[(Some(0), "", "f", "{"), (Some(0), "", "f", "}"), (Some(0), "", "g", "{}")];
        expect(pieces, &[("call_3", "f", "{}"), ("call_4", "g", "{}")]);
        let pieces = &[(Some(0), "call_4", "f", ""), (Some(1), "call_4", "g", "")];
        expect(pieces, &[("call_4", "f", "{}"), ("call_5", "g", "{}")]);
    }

    #[test]
    fn calls_without_a_name_are_left_out() {
        expect(&[(Some(0), "a", "", "{}"), (Some(1), "b", "f", "{}")], &[("b", "f", "{}")]);
        expect(&[(None, "", "", "{}")], &[]);
    }

    #[test]
    fn endless_calls_are_refused() {
        let kibibyte = "x".repeat(1024);
        let mut calls = ToolCallParts::default();
        let mut piece = Piece { index: Some(0), name: "f", ..Piece::default() };
        piece.arguments = &kibibyte;
        let taken = (0..1000).take_while(|_| calls.add(piece).is_ok()).count();
        assert_eq!(taken, MAX_ARGUMENTS / 1024 - 1);

        let mut calls = ToolCallParts::default();
        let piece = Piece { name: "f", is_first: true, ..Piece::default() };
        assert_eq!((0..1000).take_while(|_| calls.add(piece).is_ok()).count(), MAX_CALLS);
    }
}
