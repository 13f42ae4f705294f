//! Where a closing tag stands.

/// The text before the tag, as far as it matters.
#[derive(Debug, Default)]
pub struct Context {
    /// It contains an opening tag, so it is about tags.
    pub mentions_tags: bool,
    /// It ends inside a fenced block of code.
    in_fence: bool,
    /// The line's first characters other than spaces, at most 3.
    head: String,
    /// The number of backticks in the line.
    backticks: usize,
    last: Option<char>,
}

impl Context {
    /// Reads text that comes before the tag.
    pub fn read(&mut self, text: &str) {
        for c in text.chars() {
            self.last = Some(c);
            match c {
                '\n' => {
                    self.head.clear();
                    self.backticks = 0;
                }
                _ if c.is_whitespace() && self.head.is_empty() => {}
                _ => {
                    self.backticks += usize::from(c == '`');
                    if self.head.chars().count() < 3 {
                        self.head.push(c);
                        self.in_fence ^= self.head == "```" || self.head == "~~~";
                    }
                }
            }
        }
    }

    /// Whether a closing tag here is bare: it stands where no sentence and no code would have it.
    /// `after` is what follows, up to the end of the answer if `is_end`. `None` if more is needed.
    pub fn is_bare(&self, after: &str, is_end: bool) -> Option<bool> {
        let in_span = self.backticks % 2 == 1 && self.head != "```";
        if self.mentions_tags || self.in_fence || in_span {
            return Some(false);
        }
        let starts_line = self.head.is_empty();
        let follows = self.last.is_none_or(|c| !c.is_whitespace() && !is_opening(c));
        let line = after.trim_start_matches([' ', '\t', '\r']);
        let is_bare = match line.chars().next() {
            None if !is_end => return None,
            None | Some('\n') => starts_line || follows,
            Some(_) if line.len() < after.len() => starts_line,
            Some(c) => !".,;:!?)]}>\"'`»”’…。，、；：！？）」』*_".contains(c),
        };
        Some(is_bare)
    }
}

fn is_opening(c: char) -> bool {
    "([{<\"'`«“‘„:=（「『".contains(c)
}
