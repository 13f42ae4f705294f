//! Emphasis where CommonMark sees none, because it expects spaces between words.
//!
//! CommonMark tells opening from closing delimiters by the characters around them: in `**注意：**必ず`
//! the second run follows punctuation and precedes a letter, so it can only open. In text without
//! spaces that is nearly always wrong. Such a run gets a mark on its outer side, a sign that counts
//! as punctuation, by which it can do both. The renderer removes the marks.
//!
//! - Beside Chinese, Japanese, Korean and Southeast Asian text any run of `*`, `~~` and, next to
//!   punctuation beyond ASCII, `_` is judged so. Opening brackets still cannot end emphasis, nor
//!   closing ones and full stops begin it.
//! - Elsewhere only where it is plain what is meant: `**Note:**text` closes what a run after a space
//!   opened, and `das**„Wort“**er` puts emphasis on a quotation. Lone asterisks stay as they are,
//!   since they multiply and point, except around a bracket: `*(a)*b`.

/// Longest quotation that is emphasised inside a word, in bytes. It bounds the search for its end.
const MAX_QUOTATION: usize = 200;

/// A run of delimiters and the characters around it; a space stands for the start and the end.
#[derive(Clone, Copy)]
struct Run {
    delimiter: u8,
    start: usize,
    end: usize,
    before: char,
    after: char,
}

/// Where emphasis of a kind was opened and may be closed.
#[derive(Clone, Copy, Default)]
struct Openers {
    /// The end of the last `*`, and of the last `**` or `~~`.
    single: Option<usize>,
    double: Option<usize>,
}

/// Inserts `mark` into `text` where a run needs it. `None` if none does.
pub(super) fn mark(text: &str, mark: char) -> Option<String> {
    let bytes = text.as_bytes();
    let mut marker = Marker { text, mark, out: String::new(), copied: 0 };
    let mut openers = [Openers::default(); 2];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1 + usize::from(bytes.get(at + 1).is_some_and(u8::is_ascii_punctuation)),
            b'\n' => {
                at += 1;
                let line = bytes[at..].split(|&b| b == b'\n').next().unwrap_or_default();
                // Nothing is emphasised across a blank line.
                if line.trim_ascii_start().is_empty() {
                    openers = Default::default();
                    at += line.len();
                }
            }
            b'*' | b'~' | b'_' => {
                let length = bytes[at..].iter().take_while(|&&b| b == byte).count();
                let run = Run {
                    delimiter: byte,
                    start: at,
                    end: at + length,
                    before: text[..at].chars().next_back().unwrap_or(' '),
                    after: text[at + length..].chars().next().unwrap_or(' '),
                };
                if !(run.before.is_whitespace() && run.after.is_whitespace()) {
                    marker.judge(run, &mut openers[usize::from(byte == b'~')]);
                }
                at = run.end;
            }
            _ => at += 1,
        }
    }
    marker.finish()
}

struct Marker<'a> {
    text: &'a str,
    mark: char,
    out: String,
    /// How much of the text `out` holds.
    copied: usize,
}

impl Marker<'_> {
    fn insert(&mut self, at: usize) {
        self.out.push_str(&self.text[self.copied..at]);
        self.out.push(self.mark);
        self.copied = at;
    }

    fn finish(mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        self.out.push_str(&self.text[self.copied..]);
        Some(self.out)
    }

    fn judge(&mut self, run: Run, openers: &mut Openers) {
        let length = run.end - run.start;
        let Run { before, after, .. } = run;
        if run.delimiter == b'~' && length != 2 {
            return;
        }
        let unspaced = is_unspaced(before) || is_unspaced(after);
        let fits = |inner: char, outer: char| match run.delimiter {
            b'_' => !inner.is_ascii(),
            b'*' if length == 1 => !is_bracket(inner) || is_unspaced(outer),
            _ => true,
        };
        if unspaced && is_sign(before) && after.is_alphanumeric() {
            if !is_opening(before) && fits(before, after) {
                self.insert(run.end);
            }
        } else if unspaced && before.is_alphanumeric() && is_sign(after) {
            let begins = match after {
                '.' => self.text[run.end + 1..].starts_with(char::is_alphanumeric),
                _ => !ends_clause(after),
            };
            if begins && fits(after, before) {
                self.insert(run.start);
            }
        } else if run.delimiter != b'_' && length <= 2 {
            self.judge_spaced(run, openers);
        }
    }

    /// A run in text with spaces between words.
    fn judge_spaced(&mut self, run: Run, openers: &mut Openers) {
        let Run { before, after, .. } = run;
        let double = run.end - run.start == 2;
        let opener = if double { &mut openers.double } else { &mut openers.single };
        if after.is_whitespace() || (before.is_alphanumeric() && after.is_alphanumeric()) {
            *opener = None;
        } else if before.is_alphanumeric() {
            let closes = opener.take().is_some();
            if double && !closes && self.is_quotation(run) {
                self.insert(run.start);
                *opener = Some(run.end);
            }
        } else if before.is_whitespace()
            || before == '|'
            || (is_opening(before) && !opener.is_some_and(|from| self.is_quoted(from, run.start)))
        {
            *opener = Some(run.end);
        } else if !after.is_alphanumeric() {
            *opener = None;
        } else if let Some(inside) = opener.take().and_then(|from| self.text.get(from..run.start))
            && if double { is_phrase(inside) } else { is_enclosed(inside) }
        {
            self.insert(run.end);
        }
    }

    /// Whether a quotation or code begins behind the run and ends before one of the same kind.
    fn is_quotation(&self, run: Run) -> bool {
        let rest = &self.text.as_bytes()[run.end..];
        let rest = &rest[..rest.len().min(MAX_QUOTATION)];
        let delimiters = &self.text.as_bytes()[run.start..run.end];
        let end = memchr::memmem::find(rest, delimiters);
        end.is_some_and(|end| self.is_quoted(run.end, run.end + end))
    }

    /// Whether this part of the text is in quotation marks or backticks.
    fn is_quoted(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(is_quoted)
    }
}

/// Punctuation or a symbol. Marks of letters are taken for signs too, which does no harm: a run
/// beside them already opens and closes.
fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}

/// A character of a script that writes words without spaces or, as Korean, particles without them;
/// its punctuation and full-width forms included.
fn is_unspaced(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0e00..=0x109f // Thai, Lao, Tibetan, Myanmar
            | 0x1100..=0x11ff // Hangul
            | 0x1780..=0x17ff // Khmer
            | 0x2e80..=0xa4cf // radicals, punctuation, kana, ideographs
            | 0xa960..=0xa97f
            | 0xac00..=0xd7ff
            | 0xf900..=0xfaff
            | 0xfe10..=0xfe1f // vertical forms
            | 0xfe30..=0xfe6f
            | 0xff01..=0xffee // full-width and half-width forms
            | 0x1_b000..=0x1_b2ff
            | 0x2_0000..=0x3_ffff
    ) && !c.is_whitespace()
}

/// Brackets, each opening one before its partner.
const BRACKETS: &str = "()[]{}<>（）［］｛｝＜＞「」『』【】〔〕〖〗〘〙〚〛〈〉《》｢｣〝〞“”‘’«»‹›";

fn bracket(c: char) -> Option<usize> {
    BRACKETS.chars().position(|it| it == c)
}

fn is_bracket(c: char) -> bool {
    bracket(c).is_some()
}

fn is_opening(c: char) -> bool {
    matches!(c, '„' | '‚' | '¿' | '¡') || bracket(c).is_some_and(|at| at % 2 == 0)
}

/// A closing bracket, or a sign that belongs to the words before it.
fn ends_clause(c: char) -> bool {
    matches!(
        c,
        ',' | ';' | ':' | '!' | '?' | '，' | '、' | '。' | '．' | '；' | '：' | '！' | '？' | '…'
    ) || bracket(c).is_some_and(|at| at % 2 == 1)
}

/// Whether this is a line in quotation marks or backticks.
fn is_quoted(text: &str) -> bool {
    let mut signs = text.chars();
    let closing = match signs.next() {
        Some('`') => "`",
        Some('"') => "\"",
        Some('“' | '„') => "”“",
        Some('‘' | '‚') => "’‘",
        Some('«') => "»",
        Some('»') => "«",
        Some('‹') => "›",
        Some('›') => "‹",
        _ => return false,
    };
    signs.next_back().is_some_and(|last| closing.contains(last)) && !text.contains('\n')
}

/// Whether this can be emphasised although a letter follows.
fn is_phrase(text: &str) -> bool {
    is_quoted(text) || (text.chars().next_back().is_some_and(ends_phrase) && is_balanced(text))
}

/// Whether emphasised words may end with this sign and be followed by a letter. The rest occur
/// before `**` in formulas, paths and arguments of functions.
fn ends_phrase(c: char) -> bool {
    match c {
        ')' | ']' | '}' | '%' | ':' | '.' | '!' | '?' | '"' | '\'' | '-' | '+' | '#' | '`'
        | '_' | '~' => true,
        _ => !c.is_ascii() && !is_opening(c),
    }
}

/// Whether brackets and straight quotation marks come in pairs.
fn is_balanced(text: &str) -> bool {
    let count = |wanted: char| text.chars().filter(|&c| c == wanted).count();
    [('(', ')'), ('[', ']'), ('{', '}')].iter().all(|&(a, b)| count(a) == count(b))
        && count('"') % 2 == 0
}

/// Whether one pair of brackets surrounds the text.
fn is_enclosed(text: &str) -> bool {
    let (first, last) = (text.chars().next(), text.chars().next_back());
    let opening = first.and_then(bracket).filter(|at| at % 2 == 0);
    opening.is_some_and(|at| last.and_then(bracket) == Some(at + 1)) && is_balanced(text)
}
