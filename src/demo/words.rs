//! The words of questions and of column names, and their similarity.

/// The words of `text` in lower case, also split at `_` and in `camelCase`.
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    for c in text.chars() {
        let is_hump = after_lower && c.is_uppercase();
        if (is_hump || !c.is_alphanumeric()) && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// The words of a question, in which numbers may have points and commas.
pub fn tokens(text: &str) -> Vec<String> {
    let is_digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<String> = Vec::new();
    let mut joins = false;
    let mut from = 0;
    for (at, &c) in chars.iter().enumerate() {
        let inside = at > 0 && is_digit(chars.get(at - 1)) && is_digit(chars.get(at + 1));
        let hump = at > from && chars[at - 1].is_lowercase() && c.is_uppercase();
        let sign = matches!(c, '<' | '>' | '=');
        if !(c.is_alphanumeric() || is_mark(c) || (matches!(c, '.' | ',') && inside)) || hump {
            joins = false;
        }
        let keeps = c.is_alphanumeric() || is_mark(c) || (matches!(c, '.' | ',') && inside);
        if keeps && joins {
            if let Some(last) = found.last_mut() {
                last.extend(c.to_lowercase());
            }
        } else if keeps {
            from = at;
            found.push(c.to_lowercase().collect());
            joins = true;
        } else if sign {
            match found
                .last_mut()
                .filter(|last| at > 0 && chars[at - 1] != ' ' && last.starts_with(['<', '>']))
            {
                Some(last) => last.push(c),
                None => found.push(c.to_string()),
            }
        }
    }
    found
}

/// A combining mark, which is part of its word.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{652}' | '\u{5b0}'..='\u{5c7}')
}

/// The canonical form of a word, for our purposes: its singular, or the usual synonym.
pub fn root(word: &str) -> &str {
    match word {
        "maximum" | "maximal" | "maxima" | "highest" | "largest" | "biggest" | "greatest"
        | "latest" | "newest" | "most" => "max",
        "minimum" | "minimal" | "minima" | "lowest" | "smallest" | "least" | "earliest"
        | "oldest" => "min",
        "average" | "averages" | "mean" => "avg",
        "total" | "totals" | "sums" => "sum",
        "counts" => "count",
        "temperature" | "temperatures" | "temps" => "temp",
        "num" | "numbers" => "number",
        "quantity" | "quantities" => "qty",
        "percentage" | "pct" => "percent",
        "latitude" => "lat",
        "longitude" | "lng" | "long" => "lon",
        _ => singular(word),
    }
}

fn singular(word: &str) -> &str {
    if word.len() <= 3 || ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word;
    }
    let has_es = ["ses", "xes", "ches", "shes"].iter().any(|end| word.ends_with(end));
    let ending = if has_es { "es" } else { "s" };
    word.strip_suffix(ending).unwrap_or(word)
}

/// Whether a word is a statistical term. Alone it does not name a column, unless that is its name.
pub fn is_statistic(word: &str) -> bool {
    matches!(root(word), "max" | "min" | "avg" | "sum" | "count" | "number")
}

/// The similarity of a word in a question and one in a column's name, 0 to 3.
pub fn likeness(asked: &str, name: &str) -> f32 {
    let (short, long) = if asked.len() <= name.len() { (asked, name) } else { (name, asked) };
    if asked == name {
        3.0
    } else if root(asked) == root(name) || is_plural_in_ies(short, long) {
        2.5
    } else if short.len() >= 4 && long.starts_with(short) && !is_statistic(short) {
        2.0
    } else {
        0.0
    }
}

fn is_plural_in_ies(one: &str, many: &str) -> bool {
    many.strip_suffix("ies").is_some_and(|stem| one.strip_suffix('y') == Some(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (text, expected) in [
            ("What's the temp_max?", &["what", "s", "the", "temp", "max"][..]),
            ("unitPrice-EUR", &["unit", "price", "eur"]),
            ("ÜBER größe2", &["über", "größe2"]),
            ("  ", &[]),
        ] {
            assert_eq!(words(text), expected);
        }
    }

    #[test]
    fn words_are_similar_by_root_plural_and_prefix() {
        for (asked, name) in [
            ("maximum", "max"),
            ("temperatures", "temp"),
            ("countries", "country"),
            ("boxes", "box"),
            ("prices", "price"),
            ("precip", "precipitation"),
            ("mean", "average"),
        ] {
            assert!(likeness(asked, name) > 0.0, "{asked} {name}");
            assert!(likeness(asked, name) < likeness(name, name));
        }
        for (asked, name) in [("count", "country"), ("the", "theme"), ("min", "max"), ("a", "b")] {
            assert_eq!(likeness(asked, name), 0.0, "{asked} {name}");
        }
    }
}
