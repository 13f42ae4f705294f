//! Which columns a question is about, and what is to be done with them.

use std::ops::Range;

use super::asked::Asked;
use super::query::{Figure, Group, Select, Unit};
use super::table::ColumnKind;
use super::words::root;

/// Maximum number of points in a chart over time, before days are grouped by month or year.
const MAX_POINTS: u32 = 50;

/// Maximum number of bars for single numbers, before they are grouped by ranges.
const MAX_BARS: u32 = 15;

/// How many days are listed if a question asks which had the greatest or least of something.
const MAX_DAYS: u32 = 10;

/// The result of [`Asked::columns`].
pub enum Selection {
    Query(Select, Option<Group>, Option<u32>),
    NotNumeric(usize),
}

impl Asked<'_> {
    /// What is asked for, of which columns, grouped by which, and how many rows.
    pub fn columns(&mut self) -> Option<Selection> {
        let end = self.by.unwrap_or(self.question.words.len());
        let head = 0..end;
        let tail = end..self.question.words.len();
        if self.top.is_some() {
            return self.top_columns(head, tail);
        }
        if self.is_commonest() || self.wants_spread {
            let column = self.question.column(self.question.all(), |_, _| true)?;
            self.mark_extreme();
            let facts = self.question.table.columns.get(column)?;
            let many = facts.distinct.is_none_or(|distinct| distinct > u64::from(MAX_BARS));
            if self.wants_spread && many && facts.kind == ColumnKind::Number && !facts.is_code() {
                return Some(Selection::Query(Select::Bins { column }, None, None));
            }
            let select = Select::Figure(Figure::Count, None);
            return Some(Selection::Query(select, Some(by_value(column)), None));
        }
        // The grouping column comes first, so that its words are not taken for another column's.
        let group = self.group(tail)?;
        let is_figure = matches!(self.figure, Some(Figure::Average | Figure::Total));
        let measure = match self.has_rows {
            true => None,
            false => self.measure(head.clone(), is_figure || self.extreme.is_some()),
        };
        // "the average maximum temperature" does not ask for a maximum, "the highest maximum
        // temperature" does.
        if self.extreme.is_some_and(|(at, _)| self.question.is_used(at)) {
            let other = self.find_extreme();
            if other.is_some() || self.figure.is_some() {
                self.extreme = other;
            }
        }
        if let Some(column) = measure {
            let facts = self.question.table.columns.get(column)?;
            let (kind, is_code) = (facts.kind, facts.is_code());
            let is_range = matches!(self.figure, Some(Figure::Minimum | Figure::Maximum))
                || (self.figure.is_none() && self.extreme.is_some());
            // The greatest text is not the greatest amount. Dates do have a first and a last one.
            if is_figure && (!kind.is_numeric() || is_code) || is_range && kind == ColumnKind::Text
            {
                self.mark_extreme();
                return Some(Selection::NotNumeric(column));
            }
        }
        if let (Some(group), Some(unit), Some(_)) = (group, self.unit, self.extreme)
            && self.by.is_none()
            && self.question.find("which when what").is_some()
        {
            return self.best_period(group, unit, measure);
        }
        if group.is_none()
            && self.extreme.is_some()
            && let Some(found) = self.superlative(&head, measure)
        {
            return Some(found);
        }
        let select = self.figure_of(measure, group)?;
        // "chart weather" counts its values.
        if let (Select::Figure(Figure::Count, Some(column)), None, None) =
            (select, group, self.figure)
        {
            let count = Select::Figure(Figure::Count, None);
            return Some(Selection::Query(count, Some(by_value(column)), None));
        }
        Some(Selection::Query(select, group, None))
    }

    /// The figure that is asked for, or the obvious one.
    fn figure_of(&mut self, measure: Option<usize>, group: Option<Group>) -> Option<Select> {
        let kind = measure.and_then(|column| Some(self.question.table.columns.get(column)?.kind));
        let figure = match (self.figure, measure) {
            (Some(Figure::Count), Some(_)) => {
                let asks_how_many = matches!(self.question.word(self.figure_at), "how" | "number");
                let is_distinct = self.question.take("different distinct unique");
                if asks_how_many || is_distinct { Figure::Distinct } else { Figure::Count }
            }
            (Some(Figure::Count), _) => Figure::Count,
            (Some(figure), Some(_)) => figure,
            (None, Some(_)) if self.extreme.is_some() => {
                let is_least = self.extreme.is_some_and(|(_, is_least)| is_least);
                self.mark_extreme();
                if is_least { Figure::Minimum } else { Figure::Maximum }
            }
            (None, Some(_)) if kind.is_some_and(ColumnKind::is_numeric) => {
                (self.wants_chart || group.is_some()).then_some(Figure::Average)?
            }
            (None, Some(_)) if self.wants_chart && group.is_none() => Figure::Count,
            (None, None) if self.wants_chart && group.is_some() => Figure::Count,
            _ => return None,
        };
        Some(Select::Figure(figure, measure))
    }

    /// "which month was the rainiest".
    fn best_period(
        &mut self,
        column: Group,
        unit: Unit,
        measure: Option<usize>,
    ) -> Option<Selection> {
        self.mark_extreme();
        let group = Some(Group { column: column.column, unit });
        let select = match measure {
            Some(column) => {
                let usual = if self.adds_up(column) { Figure::Total } else { Figure::Average };
                Select::Figure(self.figure.unwrap_or(usual), Some(column))
            }
            None => Select::Figure(self.figure.filter(|figure| *figure == Figure::Count)?, None),
        };
        Some(Selection::Query(select, group, Some(MAX_DAYS)))
    }

    /// "which GROUP has the highest FIGURE", "when was the highest COLUMN".
    fn superlative(&mut self, head: &Range<usize>, measure: Option<usize>) -> Option<Selection> {
        let table = self.question.table;
        let label = self.question.column(head.clone(), |at, _| Some(at) != measure);
        let label = match label {
            Some(label) => label,
            None if self.question.take("when day days") => table.first(ColumnKind::Date)?,
            None => {
                self.question.find("which who")?;
                table.label(measure?)?
            }
        };
        self.mark_extreme();
        let facts = table.columns.get(label)?;
        // Without a limit, days would be sorted by date.
        let limit = (facts.kind == ColumnKind::Date).then_some(MAX_DAYS);
        let Some(column) = measure else {
            let count = Select::Figure(self.figure?, None);
            return Some(Selection::Query(count, Some(by_value(label)), limit));
        };
        let tells_rows_apart = facts.distinct.is_some() && facts.distinct == table.rows;
        let adds_up = !tells_rows_apart && self.adds_up(column);
        let figure = self.figure.or(adds_up.then_some(Figure::Total));
        Some(match figure {
            Some(figure) => {
                Selection::Query(Select::Figure(figure, Some(column)), Some(by_value(label)), limit)
            }
            None => Selection::Query(Select::Rows { label: Some(label), column }, None, Some(1)),
        })
    }

    /// "top N COLUMN [by COLUMN]": what is counted or measured may be on either side.
    fn top_columns(&mut self, head: Range<usize>, tail: Range<usize>) -> Option<Selection> {
        let limit = self.top;
        let table = self.question.table;
        let is_numeric = |column: usize| {
            table.columns.get(column).is_some_and(|column| column.kind.is_numeric())
        };
        self.mark_extreme();
        let second = self.question.column(tail, |_, _| true);
        let first = self.question.column(head, |at, _| Some(at) != second);
        let (first, second) = match (first, second) {
            (Some(first), second) => (first, second),
            (None, second) => (second?, None),
        };
        let counts = self.figure == Some(Figure::Count) || self.has_rows;
        let (group, measure) = match second {
            None if counts || !is_numeric(first) => (Some(first), None),
            None => (None, Some(first)),
            Some(second) if is_numeric(second) && !is_numeric(first) => (Some(first), Some(second)),
            Some(second) if is_numeric(first) && !is_numeric(second) => (Some(second), Some(first)),
            // Rows, ordered by the second.
            Some(second) if is_numeric(second) => {
                let select = Select::Rows { label: Some(first), column: second };
                return Some(Selection::Query(select, None, limit));
            }
            Some(_) => return None,
        };
        let (select, group) = match (group, measure) {
            (Some(group), None) => (Select::Figure(Figure::Count, None), Some(by_value(group))),
            (group, Some(column)) => match (group, self.figure) {
                (None, None) => (Select::Rows { label: table.label(column), column }, None),
                (None, Some(_)) => return None,
                (Some(group), figure) => {
                    let usual = if self.adds_up(column) {
                        Figure::Total
                    } else if self.extreme.is_some_and(|(_, is_least)| is_least) {
                        Figure::Minimum
                    } else {
                        Figure::Maximum
                    };
                    let figure = figure.unwrap_or(usual);
                    (Select::Figure(figure, Some(column)), Some(by_value(group)))
                }
            },
            (None, None) => return None,
        };
        Some(Selection::Query(select, group, limit))
    }

    /// The column whose figure is asked for: one of numbers if there is a choice, and after the word
    /// for the figure if possible.
    fn measure(&mut self, head: Range<usize>, prefers_numbers: bool) -> Option<usize> {
        let word = match (self.figure, self.extreme) {
            (Some(_), _) => self.figure_at,
            (None, Some((at, _))) => at,
            (None, None) => 0,
        };
        // "maximum" may be part of the name.
        let behind = word.min(head.end)..head.end;
        if prefers_numbers {
            for range in [behind.clone(), head.clone()] {
                let found = self.question.column(range, |_, column| column.kind.is_numeric());
                if found.is_some() {
                    return found;
                }
            }
        }
        self.question
            .column(behind, |_, _| true)
            .or_else(|| self.question.column(head, |_, _| true))
    }

    /// What a figure is grouped by. The outer `None` means that the column cannot be found.
    fn group(&mut self, tail: Range<usize>) -> Option<Option<Group>> {
        let table = self.question.table;
        let date = table.first(ColumnKind::Date);
        if self.over_time {
            let column = date?;
            let unit = self.unit.unwrap_or_else(|| self.unit_of(column));
            return Some(Some(Group { column, unit }));
        }
        if let Some(unit) = self.unit {
            let named = self.question.column(tail, |_, column| column.kind == ColumnKind::Date);
            return Some(Some(Group { column: named.or(date)?, unit }));
        }
        if self.by.is_none() {
            return Some(None);
        }
        let column = self.question.column(tail, |_, _| true)?;
        let is_date = Some(ColumnKind::Date) == table.columns.get(column).map(|column| column.kind);
        // A line of a thousand days is useless, and the tool returns only some hundreds.
        let unit = if is_date { self.unit_of(column) } else { Unit::Value };
        Some(Some(Group { column, unit }))
    }

    /// What a chart of one figure is drawn over: time if there is a date, otherwise a text column with
    /// few values.
    pub fn usual_group(&self) -> Option<Group> {
        let table = self.question.table;
        let date = table.first(ColumnKind::Date);
        date.map(|column| Group { column, unit: self.unit_of(column) })
            .or_else(|| table.category().map(by_value))
    }

    /// The smallest unit of time that leads to few enough points.
    fn unit_of(&self, column: usize) -> Unit {
        let Some(column) = self.question.table.columns.get(column) else { return Unit::Value };
        if column.distinct.is_none_or(|distinct| distinct <= u64::from(MAX_POINTS)) {
            return Unit::Value;
        }
        let year = |date: &str| date.get(..4)?.parse::<u32>().ok();
        let years = column.range.as_ref().and_then(|(first, last)| {
            Some(year(last)?.saturating_sub(year(first)?).saturating_add(1))
        });
        let has_few_months = years.is_some_and(|years| years <= MAX_POINTS / 12);
        if has_few_months { Unit::Month } else { Unit::Year }
    }

    /// Whether the sum of a column makes sense, by its name.
    fn adds_up(&self, column: usize) -> bool {
        const SUMS: &str = "sale revenue amount qty count sum unit vote gross precipitation visit visitor \
            click order cost profit income population spend expense budget download view \
            point goal";
        let column = self.question.table.columns.get(column);
        column.is_some_and(|column| {
            column.words.iter().any(|word| SUMS.split(' ').any(|sum| sum == root(word)))
        })
    }
}

fn by_value(column: usize) -> Group {
    Group { column, unit: Unit::Value }
}
