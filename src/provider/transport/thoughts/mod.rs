//! Thoughts that a server leaves in the text of an answer.
//!
//! Servers without a reasoning parser send what their model writes: `<think>…</think>` and then the
//! answer. Some templates write the opening tag themselves, so that only the closing one arrives.
//!
//! Thoughts are recognised only at the start of an answer. A tag further on stays: there the answer
//! is about tags. The exception is a closing tag without an opening one, outside code and placed as
//! no sentence would place it: what came before it was thoughts. How that text is treated until the
//! tag arrives depends on the [`Habit`] of the model.

mod context;

use context::Context;

/// What a model of a server does with its thoughts, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Habit {
    /// Nothing suggests that it leaves them in the text without an opening tag: text is passed on as
    /// it arrives, and taken back if that was wrong.
    #[default]
    Clean,
    /// Its name is that of a model that thinks: its first answer is held back until the closing tag,
    /// or to the end.
    Suspected,
    /// Its last answer did: the next one is held back too.
    Leaks,
}

impl Habit {
    /// The habit of a model that has not answered yet, by its name.
    pub fn of_unknown(model: &str) -> Self {
        let name = model.to_ascii_lowercase();
        let is_r1 = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == "r1");
        let parts = ["qwq", "think", "reason", "magistral", "nemotron", "minimax-m"];
        match is_r1 || parts.iter().any(|part| name.contains(part)) {
            true => Self::Suspected,
            false => Self::Clean,
        }
    }
}

/// An opening tag and what ends the thoughts that it starts.
struct Tag {
    open: &'static str,
    close: &'static [&'static str],
}

/// The tags, in lower case: those of DeepSeek, Qwen and most others; of models that are told to use
/// them; of Magistral; Kimi; Seed; Command A; and gpt-oss, whose other channels are not answers.
const TAGS: [Tag; 12] = [
    Tag { open: "<think>", close: &["</think>"] },
    Tag { open: "<thinking>", close: &["</thinking>"] },
    Tag { open: "<thought>", close: &["</thought>"] },
    Tag { open: "<thoughts>", close: &["</thoughts>"] },
    Tag { open: "<reasoning>", close: &["</reasoning>"] },
    Tag { open: "<reason>", close: &["</reason>"] },
    Tag { open: "[think]", close: &["[/think]"] },
    Tag { open: "◁think▷", close: &["◁/think▷"] },
    Tag { open: "<seed:think>", close: &["</seed:think>"] },
    Tag { open: "<|start_thinking|>", close: &["<|end_thinking|>"] },
    Tag { open: "<|channel|>analysis<|message|>", close: &END_OF_CHANNEL },
    Tag { open: "<|channel|>commentary<|message|>", close: &END_OF_CHANNEL },
];

const END_OF_CHANNEL: [&str; 3] = ["<|end|>", "<|start|>assistant", "<|channel|>final<|message|>"];

/// What may stand before an answer without being part of it.
const LEADS: [&str; 3] =
    ["<|start|>assistant", "<|channel|>final<|message|>", "<|start_response|>"];

/// What ends an answer in which one of [`LEADS`] was left.
const ENDS: [&str; 3] = ["<|return|>", "<|end|>", "<|end_response|>"];

/// What a piece of an answer has turned out to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filtered {
    /// Text that was passed on before was thoughts. It comes before `text`.
    pub is_taken_back: bool,
    /// The next piece of the answer.
    pub text: String,
    /// Some of it was thoughts, or is held back.
    pub is_thought: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing of the answer has arrived. White space is held back.
    #[default]
    Start,
    /// In thoughts that one of these ends.
    Thinking(&'static [&'static str]),
    /// In text.
    Text,
    /// Behind the end.
    Ended,
}

/// Separates an answer's thoughts from its text. Its input may be split anywhere.
#[derive(Debug, Default)]
pub struct ThoughtFilter {
    state: State,
    habit: Habit,
    /// What has arrived and is undecided: the start of what may be a tag.
    rest: String,
    /// Text that is held back until it is known whether it was thoughts.
    held: String,
    /// What the last character of the text and its line look like.
    context: Context,
    /// Thoughts have been found, and text after them is what it seems.
    found: bool,
    /// Text has been passed on.
    spoke: bool,
    has_lead: bool,
    leaked: bool,
}

impl ThoughtFilter {
    /// Sets the model's habit, before the first text.
    pub fn expect(&mut self, habit: Habit) {
        self.habit = habit;
    }

    /// The server sends thoughts apart from the text.
    pub fn has_parser(&mut self) {
        if self.habit == Habit::Suspected {
            self.habit = Habit::Clean;
        }
    }

    /// The habit that the whole answer has shown, if it is worth remembering.
    pub fn habit(&self) -> Option<Habit> {
        match (self.leaked, self.habit) {
            (true, _) => Some(Habit::Leaks),
            (false, Habit::Clean) => None,
            (false, _) => Some(Habit::Clean),
        }
    }

    /// Adds the next piece.
    pub fn push(&mut self, piece: &str) -> Filtered {
        self.rest.push_str(piece);
        let mut filtered = Filtered::default();
        self.run(&mut filtered, false);
        self.spoke |= !filtered.text.is_empty();
        filtered
    }

    /// The answer has ended.
    pub fn end(&mut self) -> Filtered {
        let mut filtered = Filtered::default();
        self.run(&mut filtered, true);
        if matches!(self.state, State::Text) {
            filtered.text.insert_str(0, &std::mem::take(&mut self.held));
        }
        filtered
    }

    fn run(&mut self, filtered: &mut Filtered, is_end: bool) {
        while match self.state {
            State::Start => self.start(filtered, is_end),
            State::Thinking(close) => self.think(close, filtered),
            State::Text => self.text(filtered, is_end),
            State::Ended => {
                self.rest.clear();
                false
            }
        } {}
    }

    /// Looks for a tag at the start. Returns whether there is more to do.
    fn start(&mut self, filtered: &mut Filtered, is_end: bool) -> bool {
        let text = self.rest.trim_start();
        if text.is_empty() {
            return false;
        }
        if let Some(tag) = TAGS.iter().find(|tag| starts_with(text, tag.open)) {
            self.rest = text[tag.open.len()..].to_owned();
            self.found = true;
            filtered.is_thought = true;
            self.state = State::Thinking(tag.close);
            return true;
        }
        if let Some(lead) = LEADS.iter().find(|lead| starts_with(text, lead)) {
            self.rest = text[lead.len()..].to_owned();
            self.has_lead = true;
            return true;
        }
        // The remains of thoughts that were left out.
        if let Some(close) = closing_tags().find(|close| starts_with(text, close)) {
            self.rest = text[close.len()..].to_owned();
            self.found = true;
            return true;
        }
        if !is_end && all_tags().chain(LEADS).any(|tag| starts_with(tag, text)) {
            return false;
        }
        if self.found || self.has_lead {
            self.rest = text.to_owned();
        }
        self.state = State::Text;
        true
    }

    /// Leaves out thoughts up to their end. Returns whether there is more to do.
    fn think(&mut self, close: &'static [&'static str], filtered: &mut Filtered) -> bool {
        filtered.is_thought |= !self.rest.is_empty();
        match first_of(&self.rest, || close.iter().copied()) {
            Some((_, end)) => {
                self.has_lead |= close.len() > 1;
                self.rest.drain(..end);
                self.state = State::Start;
                true
            }
            None => {
                let undecided = undecided(&self.rest, || close.iter().copied());
                self.rest.drain(..self.rest.len() - undecided);
                false
            }
        }
    }

    /// Passes on text, unless a closing tag shows that it was thoughts. Returns whether there is more
    /// to do.
    fn text(&mut self, filtered: &mut Filtered, is_end: bool) -> bool {
        if self.has_lead {
            if let Some((at, _)) = first_of(&self.rest, || ENDS.into_iter()) {
                self.rest.truncate(at);
                self.pass(at, filtered);
                self.state = State::Ended;
                return true;
            }
            let kept = if is_end { 0 } else { undecided(&self.rest, || ENDS.into_iter()) };
            self.pass(self.rest.len() - kept, filtered);
            return false;
        }
        if self.found {
            self.pass(self.rest.len(), filtered);
            return false;
        }
        let Some((at, end)) = first_of(&self.rest, all_tags) else {
            let kept = if is_end { 0 } else { undecided(&self.rest, all_tags) };
            self.pass(self.rest.len() - kept, filtered);
            return false;
        };
        if closing_tags().all(|close| !starts_with(&self.rest[at..], close)) {
            self.pass(end, filtered);
            self.context.mentions_tags = true;
            return true;
        }
        self.pass(at, filtered);
        let end = end - at;
        let is_close = match self.habit {
            Habit::Leaks => true,
            _ => match self.context.is_bare(&self.rest[end..], is_end) {
                Some(is_bare) => is_bare,
                None => return false,
            },
        };
        if !is_close {
            self.pass(end, filtered);
            return true;
        }
        self.rest.drain(..end);
        self.held.clear();
        filtered.text.clear();
        filtered.is_taken_back |= std::mem::take(&mut self.spoke);
        filtered.is_thought = true;
        self.leaked = true;
        self.found = true;
        self.state = State::Start;
        true
    }

    /// Passes on the first `len` bytes of the rest, or holds them back.
    fn pass(&mut self, len: usize, filtered: &mut Filtered) {
        let text: String = self.rest.drain(..len).collect();
        if text.is_empty() {
            return;
        }
        self.context.read(&text);
        if self.habit != Habit::Clean && !self.found && !self.has_lead {
            self.held.push_str(&text);
            filtered.is_thought = true;
        } else {
            filtered.text.push_str(&text);
        }
    }
}

/// The characters that tags start with.
const TAG_STARTS: [char; 3] = ['<', '[', '◁'];

fn all_tags() -> impl Iterator<Item = &'static str> {
    TAGS.iter().map(|tag| tag.open).chain(closing_tags())
}

fn closing_tags() -> impl Iterator<Item = &'static str> {
    let closing = |tag: &'static Tag| match tag.close {
        [close] => Some(*close),
        _ => None,
    };
    TAGS.iter().filter_map(closing)
}

/// Whether `text` starts with `tag`, in whatever case.
fn starts_with(text: &str, tag: &str) -> bool {
    let start = text.as_bytes().get(..tag.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
}

/// The first of `tags` in `text`: its start and its end.
fn first_of<I: Iterator<Item = &'static str>>(
    text: &str,
    tags: impl Fn() -> I,
) -> Option<(usize, usize)> {
    text.match_indices(TAG_STARTS).find_map(|(at, _)| {
        let tag = tags().find(|tag| starts_with(&text[at..], tag))?;
        Some((at, at + tag.len()))
    })
}

/// The length of the end of `text` that may be the start of one of `tags`.
fn undecided<I: Iterator<Item = &'static str>>(text: &str, tags: impl Fn() -> I) -> usize {
    let mut starts = text.match_indices(TAG_STARTS).map(|(at, _)| at);
    let is_start = |at: &usize| tags().any(|tag| starts_with(tag, &text[*at..]));
    starts.find(is_start).map_or(0, |at| text.len() - at)
}

#[cfg(test)]
mod tests;
