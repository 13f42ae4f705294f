//! The words of a question, and which of them name a column.

use std::ops::Range;

use super::query::Filter;
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
    /// Columns that some words name equally well.
    pub ambiguous: Vec<usize>,
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
    /// The question of these words; `None` if there are none or too many.
    pub fn read(table: &'t TableProfile, words: Vec<String>) -> Option<Self> {
        if !(1..=MAX_WORDS).contains(&words.len()) {
            return None;
        }
        let none = vec![false; words.len()];
        let mut question =
            Self { table, words, used: none.clone(), named: none, ambiguous: Vec::new() };
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
        let hits: Vec<Hit> =
            columns.filter_map(|(at, column)| self.hit(&range, at, column)).collect();
        let best =
            hits.iter().reduce(|best, hit| if hit.score > best.score { hit } else { best })?;
        let equals: Vec<usize> = hits
            .iter()
            .filter(|hit| hit.score >= best.score && hit.words == best.words)
            .map(|hit| hit.column)
            .collect();
        if equals.len() > 1 {
            self.ambiguous = equals;
            return None;
        }
        let best = Hit { column: best.column, score: best.score, words: best.words.clone() };
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
        let mut score = match column.kind.is_numeric() {
            true if !column.is_code() => 0.4,
            _ => 0.0,
        };
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

    /// The conditions on rows: comparisons, years and frequent values. Their words are marked.
    pub fn filters(&mut self) -> Vec<Filter> {
        let mut filters = Vec::new();
        for at in self.all() {
            filters.extend(self.comparison(at));
        }
        filters
    }

    /// "wind morethan 5", or "morethan 5 wind".
    fn comparison(&mut self, at: usize) -> Option<Filter> {
        let sign = match self.word(at) {
            "morethan" => ">",
            "lessthan" => "<",
            "atleast" => ">=",
            "atmost" => "<=",
            _ => return None,
        };
        let number = self.word(at + 1).to_owned();
        number.parse::<f64>().ok()?;
        let before = (1..=5).map(|width| at.saturating_sub(width)..at);
        let after = (1..=3).map(|width| at + 2..(at + 2 + width).min(self.words.len()));
        let table = self.table;
        let found = before.chain(after).find_map(|range| {
            let columns = table.columns.iter().enumerate();
            let numeric = columns.filter(|(_, column)| column.kind == ColumnKind::Number);
            let mut hits = numeric.filter_map(|(at, column)| self.hit(&range, at, column));
            let hit = hits.next()?;
            hits.next().is_none().then_some((range, hit))
        });
        let (range, hit) = found?;
        // The name may be longer than the part that was enough to find it.
        let wide = range.start.saturating_sub(2)..range.end;
        let facts = table.columns.get(hit.column)?;
        let words = self.hit(&wide, hit.column, facts).map_or(hit.words, |hit| hit.words);
        words.into_iter().chain([at, at + 1]).for_each(|at| self.mark(at));
        Some(Filter::Compares { column: hit.column, sign, number })
    }

    /// "in 2014", if the file has dates of that year.
    pub fn year(&mut self) -> Option<Filter> {
        let mut dates = self
            .table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.kind == ColumnKind::Date);
        let (column, facts) = dates.next()?;
        if dates.next().is_some() {
            return None;
        }
        let (low, high) = facts.range.as_ref()?;
        let (low, high) = (low.get(..4)?.to_owned(), high.get(..4)?.to_owned());
        let is_year = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
        let at = self.all().find(|&at| {
            let word = self.word(at);
            !self.used[at] && is_year(word) && word >= low.as_str() && word <= high.as_str()
        })?;
        self.mark(at);
        Some(Filter::InYear { column, year: self.word(at).to_owned() })
    }

    /// A frequent value of a text column, other than those in `taken`, among the words that are not
    /// understood yet. Words that name the column are marked together with it.
    pub fn value(&mut self, taken: &[usize]) -> Option<(usize, String)> {
        let mut found: Vec<(usize, String, Vec<usize>)> = Vec::new();
        for (column, facts) in self.table.columns.iter().enumerate() {
            let texts = facts
                .top
                .iter()
                .filter(|_| facts.kind == ColumnKind::Text && !taken.contains(&column));
            for value in texts {
                let Some(places) = self.spelled(&self.all(), &words(value).concat()) else {
                    continue;
                };
                let is_new = places.iter().all(|&at| !self.used[at])
                    && places.iter().any(|&at| !self.is_filler(at));
                if is_new {
                    found.push((column, value.clone(), places));
                }
            }
        }
        let longest = found.iter().map(|(_, _, places)| places.len()).max()?;
        found.retain(|(_, _, places)| places.len() == longest);
        let place = found.first()?.2.clone();
        found.retain(|(_, _, places)| *places == place);
        let is_named = |column: usize| {
            let names = &self.table.columns[column].words;
            self.all().any(|at| names.iter().any(|name| likeness(self.word(at), name) > 0.0))
        };
        if found.len() > 1 {
            let columns = found.iter().map(|(column, ..)| *column).collect();
            found.retain(|(column, ..)| is_named(*column));
            if found.len() != 1 {
                self.ambiguous = columns;
                return None;
            }
        }
        let (column, value, places) = found.pop()?;
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

    /// Whether a word is the file's name, such as "orders".
    pub fn take_file_name(&mut self) -> bool {
        let file = words(&self.table.file);
        let at = self.all().find(|&at| {
            !self.used[at] && file.iter().any(|word| root(word) == root(self.word(at)))
        });
        at.inspect(|&at| self.mark(at)).is_some()
    }

    /// Whether every word has been understood, has no meaning of its own, or is from the file's name.
    pub fn is_understood(&self) -> bool {
        let file = words(&self.table.file);
        let is_of_file = |at| file.iter().any(|word| root(word) == root(self.word(at)));
        self.all().all(|at| self.used[at] || self.is_filler(at) || is_of_file(at))
    }
}
