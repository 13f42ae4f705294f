//! The words of a question, and which of them name a column.

use std::ops::Range;

use super::table::{ColumnKind, ColumnProfile, TableProfile};
use super::words::{is_statistic, likeness, root, words};

/// Maximum number of words of a question about data. Longer text is something else.
const MAX_WORDS: usize = 60;

/// Words that may occur in a question without a meaning of their own.
const FILLERS: &str = "a across all also an and any are as at be been broken calculate can compute could csv \
    data dataset determine did display do does down each entire every exist exists field \
    file find for from get give group grouped had has have hello here hey hi how i in is it \
    its json kind kinds level levels like list look make me measurement measurements much my now \
    occur of on our out overall please print reading readings respective s see show shown \
    sorted speed spreadsheet table tell thanks that the their them then there this to type \
    types upload uploaded us using value values want was we were what which who whole with \
    would you your";

/// Words for the rows of a table.
pub const ROWS: &str =
    "row rows record records entry entries line lines item items observation observations";

/// The words of a question about `table`, and which of them have been understood.
#[derive(Debug)]
pub struct QuestionWords<'t> {
    pub table: &'t TableProfile,
    pub words: Vec<String>,
    used: Vec<bool>,
    /// Whether the word is part of a column's name that is written out, such as `temp_max`, and so is
    /// not a word for a figure.
    named: Vec<bool>,
}

/// Whether `word` is in `list`, whose words are separated by spaces.
fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// Words that may name a column.
#[derive(Debug)]
struct Hit {
    column: usize,
    score: f32,
    words: Vec<usize>,
}

impl<'t> QuestionWords<'t> {
    /// Splits `text` into words; `None` if there are none or too many.
    pub fn read(table: &'t TableProfile, text: &str) -> Option<Self> {
        let words = words(text);
        if !(1..=MAX_WORDS).contains(&words.len()) {
            return None;
        }
        let none = vec![false; words.len()];
        let mut question = Self { table, words, used: none.clone(), named: none };
        for column in table.columns.iter().filter(|column| column.words.len() > 1) {
            let places = question.spelled(&question.all(), &column.words.concat());
            for at in places.unwrap_or_default() {
                question.named[at] = true;
            }
        }
        Some(question)
    }

    /// All positions.
    pub fn all(&self) -> Range<usize> {
        0..self.words.len()
    }

    /// The word at a position, empty beyond the end.
    pub fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// The position of the first word in `list` that is not understood yet.
    pub fn find(&self, list: &str) -> Option<usize> {
        self.all().find(|&at| self.is_open(at) && has(list, self.word(at)))
    }

    /// The same for words with one of these roots.
    pub fn find_root(&self, roots: &[&str]) -> Option<usize> {
        self.all().find(|&at| self.is_open(at) && roots.contains(&root(self.word(at))))
    }

    /// Whether a word is part of a column's name that is written out.
    pub fn is_named(&self, at: usize) -> bool {
        self.named.get(at).is_some_and(|named| *named)
    }

    /// Whether a word is not understood yet, and not part of a name.
    fn is_open(&self, at: usize) -> bool {
        !self.used[at] && !self.named[at]
    }

    /// Whether a word is understood.
    pub fn is_used(&self, at: usize) -> bool {
        self.used.get(at).is_some_and(|used| *used)
    }

    /// Marks a word as understood.
    pub fn mark(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
    }

    /// Marks all words in `list` as understood. Returns whether there was one.
    pub fn take(&mut self, list: &str) -> bool {
        let mut found = false;
        while let Some(at) = self.find(list) {
            self.mark(at);
            found = true;
        }
        found
    }

    /// Finds the column that words in `range` name best, among those that fit, and marks these words
    /// as understood.
    pub fn column(
        &mut self,
        range: Range<usize>,
        fits: impl Fn(usize, &ColumnProfile) -> bool,
    ) -> Option<usize> {
        let columns =
            self.table.columns.iter().enumerate().filter(|(at, column)| fits(*at, column));
        let hits = columns.filter_map(|(at, column)| self.hit(&range, at, column));
        let best = hits.reduce(|best, hit| if hit.score > best.score { hit } else { best })?;
        best.words.iter().for_each(|&at| self.mark(at));
        Some(best.column)
    }

    /// How well words in `range` name `column`: word by word in any order, or the whole name, written
    /// together or apart.
    fn hit(&self, range: &Range<usize>, at: usize, column: &ColumnProfile) -> Option<Hit> {
        let names = &column.words;
        // A word such as "maximum" may have been understood as the figure and still be part of a
        // name.
        let is_free = |at: &usize| !self.used[*at] || matches!(root(self.word(*at)), "max" | "min");
        let mut score = if column.kind.is_numeric() { 0.4 } else { 0.0 };
        let joined = names.concat();
        if let Some(words) = self.spelled(range, &joined).filter(|words| words.iter().all(is_free))
        {
            score += 3.0 * names.len() as f32 + 2.0;
            return Some(Hit { column: at, score, words });
        }
        let (mut taken, mut matched, mut is_telling) = (Vec::new(), 0, false);
        for name in names {
            let candidates = range.clone().filter(|at| is_free(at) && !taken.contains(at));
            let best = candidates
                .map(|at| (likeness(self.word(at), name), at))
                .filter(|(likeness, _)| *likeness > 0.0)
                .reduce(|best, next| if next.0 > best.0 { next } else { best });
            match best {
                Some((likeness, word)) => {
                    score += likeness;
                    matched += 1;
                    is_telling |= !is_statistic(name) && !self.is_filler(word);
                    taken.push(word);
                }
                None => score -= 1.0,
            }
        }
        let needed = names.iter().filter(|name| !has(FILLERS, name)).count();
        let is_hit =
            (is_telling && matched * 2 >= needed) || (matched > 0 && matched == names.len());
        is_hit.then_some(Hit { column: at, score, words: taken })
    }

    /// The positions of adjacent words in `range` that together form `joined`.
    fn spelled(&self, range: &Range<usize>, joined: &str) -> Option<Vec<usize>> {
        range.clone().find_map(|start| {
            let mut rest = joined;
            for at in start..range.end {
                rest = rest.strip_prefix(self.word(at))?;
                if rest.is_empty() {
                    return Some((start..=at).collect());
                }
            }
            None
        })
    }

    /// A frequent value of a text column among the words that are not understood yet: its column and
    /// the value. Words that name the column are marked together with it.
    pub fn value(&mut self) -> Option<(usize, String)> {
        let found = self.table.columns.iter().enumerate().find_map(|(column, facts)| {
            let mut texts = facts.top.iter().filter(|_| facts.kind == ColumnKind::Text);
            texts.find_map(|value| {
                let places = self.spelled(&self.all(), &words(value).concat())?;
                let is_new = places.iter().all(|&at| !self.used[at])
                    && places.iter().any(|&at| !self.is_filler(at));
                is_new.then(|| (column, value.clone(), places))
            })
        });
        let (column, value, places) = found?;
        places.iter().for_each(|&at| self.mark(at));
        for at in self.all() {
            let names = &self.table.columns[column].words;
            let is_name = names.iter().any(|name| likeness(self.word(at), name) > 0.0);
            if is_name || matches!(self.word(at), "where" | "when" | "equals" | "equal" | "only") {
                self.mark(at);
            }
        }
        Some((column, value))
    }

    fn is_filler(&self, at: usize) -> bool {
        has(FILLERS, self.word(at))
    }

    /// Whether every word has been understood, has no meaning of its own, or is from the file's name.
    pub fn is_understood(&self) -> bool {
        let file = words(&self.table.file);
        let is_of_file = |at| file.iter().any(|word| root(word) == root(self.word(at)));
        self.all().all(|at| self.used[at] || self.is_filler(at) || is_of_file(at))
    }
}
