//! The words of a question that say what is asked for: which figure, how many, what chart, by what.

use super::find::{QuestionWords, ROWS};
use super::query::{Figure, Filter, Unit};
use super::table::{ColumnKind, ColumnProfile};
use super::words::root;
use crate::domain::ChartKind;

/// Maximum number of rows of a "top N".
const MAX_TOP: u32 = 50;

/// What a question asks for, before its columns are identified.
#[derive(Debug)]
pub struct Asked<'t> {
    pub question: QuestionWords<'t>,
    pub figure: Option<Figure>,
    /// The position of the word for the figure.
    pub figure_at: usize,
    /// A word for the greatest or the least: its position, and whether it means the least.
    pub extreme: Option<(usize, bool)>,
    pub top: Option<u32>,
    pub chart: Option<ChartKind>,
    pub wants_chart: bool,
    pub by: Option<usize>,
    pub unit: Option<Unit>,
    pub over_time: bool,
    /// It asks about rows, not about the values of a column.
    pub has_rows: bool,
    /// It asks how often the values of a column occur.
    pub wants_spread: bool,
    /// It asks how many.
    pub counts_things: bool,
    /// Which rows it is about, as far as comparisons and years say.
    pub filters: Vec<Filter>,
}

impl<'t> Asked<'t> {
    /// Reads those words, and marks them as understood.
    pub fn read(question: QuestionWords<'t>) -> Self {
        let mut asked = Self {
            question,
            figure: None,
            figure_at: 0,
            extreme: None,
            top: None,
            chart: None,
            wants_chart: false,
            by: None,
            unit: None,
            over_time: false,
            has_rows: false,
            wants_spread: false,
            counts_things: false,
            filters: Vec::new(),
        };
        asked.filters = asked.question.filters();
        asked.read_chart();
        asked.read_by();
        asked.read_extreme_and_top();
        let year = asked.question.year();
        asked.filters.extend(year);
        asked.wants_spread = asked.question.take("distribution breakdown frequency histogram");
        asked.read_figure();
        let counts = match asked.figure {
            Some(figure) => figure == Figure::Count,
            None => asked.wants_chart || asked.by.is_some() || asked.top.is_some(),
        };
        asked.has_rows = counts
            && (asked.question.take(ROWS) || (asked.is_daily() && asked.question.take("day days")));
        asked.counts_things = asked.figure == Some(Figure::Count);
        if asked.has_rows {
            asked.figure = Some(Figure::Count);
        }
        asked
    }

    /// Whether there is one row for each day.
    fn is_daily(&self) -> bool {
        let table = self.question.table;
        let date = table.first(ColumnKind::Date).and_then(|column| table.columns.get(column));
        let has_day = |column: &ColumnProfile| column.words.iter().any(|word| word == "day");
        date.is_some_and(|date| date.distinct == table.rows) && !table.columns.iter().any(has_day)
    }

    fn read_chart(&mut self) {
        const CHART: &str = "chart charts plot graph diagram draw visualize visualise visualization \
                             picture";
        self.wants_chart = self.question.take(CHART);
        for (chart, words, is_telling) in [
            (ChartKind::Pie, "pie donut doughnut", true),
            (ChartKind::Line, "trend", true),
            (ChartKind::Line, "line", self.wants_chart),
            (ChartKind::Bar, "bar bars", self.wants_chart),
        ] {
            if is_telling && self.question.take(words) {
                self.chart = self.chart.or(Some(chart));
                self.wants_chart = true;
            }
        }
    }

    /// Finds the last word that separates what is asked for from what it is grouped by.
    fn read_by(&mut self) {
        const BY: &[&str] = &["by", "per", "versus", "vs", "against"];
        let question = &mut self.question;
        let parts = |at: &usize| {
            let before = at.checked_sub(1).map_or("", |at| question.word(at));
            match question.word(*at) {
                _ if question.is_named(*at) => false,
                word if BY.contains(&word) => true,
                "each" | "every" => matches!(before, "for" | "in" | "of" | "on"),
                "across" => *at > 0,
                "over" => matches!(question.word(at + 1), "time" | "the"),
                _ => false,
            }
        };
        self.by = question.all().rev().find(parts);
        if let Some(at) = self.by {
            question.mark(at);
        }
        let table = question.table;
        let has_column = |word: &str| {
            table.columns.iter().any(|column| column.words.iter().any(|name| name == word))
        };
        for (unit, name, words) in [
            (Unit::Month, "month", "month months monthly"),
            (Unit::Year, "year", "year years yearly annual annually"),
        ] {
            if !has_column(name) && question.take(words) {
                self.unit = Some(unit);
            }
        }
        if !has_column("time") {
            self.over_time = question.take("time");
        }
    }

    fn read_extreme_and_top(&mut self) {
        self.extreme = self.find_extreme();
        let question = &mut self.question;
        if let Some(at) = question.find("top bottom") {
            let is_least = question.word(at) == "bottom";
            question.mark(at);
            self.extreme = Some((at, is_least));
            self.top = Some(number(question.word(at + 1)).unwrap_or(10).clamp(1, MAX_TOP));
            if number(question.word(at + 1)).is_some() {
                question.mark(at + 1);
            }
        } else if let Some((at, _)) = self.extreme {
            let beside = [Some(at + 1), at.checked_sub(1)];
            let found = beside
                .into_iter()
                .flatten()
                .find_map(|at| number(question.word(at)).map(|number| (at, number)));
            if let Some((place, number)) = found {
                question.mark(place);
                question.mark(at);
                self.top = Some(number.clamp(1, MAX_TOP));
            }
        }
    }

    pub fn find_extreme(&self) -> Option<(usize, bool)> {
        let at = self.question.find_root(&["max", "min"])?;
        Some((at, root(self.question.word(at)) == "min"))
    }

    fn read_figure(&mut self) {
        let question = &mut self.question;
        let pair = |first: &str, second: &str| {
            question.all().find(|&at| question.word(at) == first && question.word(at + 1) == second)
        };
        let many = pair("how", "many").or_else(|| pair("number", "of"));
        let plain = |root| question.find_root(&[root]);
        let found = if let Some(at) = plain("avg") {
            Some((Figure::Average, at, at))
        } else if let Some(at) = many {
            Some((Figure::Count, at, at + 1))
        } else if let Some(at) = plain("sum") {
            Some((Figure::Total, at, at))
        } else {
            plain("count").map(|at| (Figure::Count, at, at))
        };
        let Some((figure, at, end)) = found else { return };
        question.mark(at);
        question.mark(end);
        if figure == Figure::Count {
            // "the total number of rows"
            question.take("total");
        }
        self.figure = Some(figure);
        self.figure_at = at;
    }

    /// Whether it asks for "the most common COLUMN".
    pub fn is_commonest(&mut self) -> bool {
        self.extreme.is_some() && self.question.take("common frequent popular often")
    }

    pub fn mark_extreme(&mut self) {
        if let Some((at, _)) = self.extreme {
            self.question.mark(at);
        }
    }
}

/// A number in digits or words.
fn number(word: &str) -> Option<u32> {
    const WORDS: [&str; 10] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let spelled = || WORDS.iter().position(|known| *known == word);
    word.parse().ok().or_else(|| u32::try_from(spelled()? + 1).ok())
}
