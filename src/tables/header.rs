//! Names of columns: those of the file, as far as they are distinct.

use std::collections::HashSet;

/// Maximum length of a name, in characters.
const MAX_CHARS: usize = 200;

/// Names of `width` columns. Blank or missing names become `column_3` (their position); duplicates
/// become `a_2`, with the first number that no other column uses.
pub fn names(header: &csv::ByteRecord, width: usize) -> Vec<String> {
    let texts = (0..width)
        .map(|at| header.get(at).map(String::from_utf8_lossy).unwrap_or_default().into_owned());
    unique(texts)
}

/// Names for `texts` that are distinct regardless of ASCII case, as SQL compares them.
pub fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let cleaned: Vec<String> = texts.map(|text| clean(&text)).collect();
    // The first column that has a name in the file keeps it.
    let mut taken: HashSet<String> = HashSet::new();
    let first: Vec<bool> = cleaned
        .iter()
        .map(|name| !name.is_empty() && taken.insert(name.to_ascii_lowercase()))
        .collect();
    let mut next: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    cleaned
        .into_iter()
        .zip(first)
        .enumerate()
        .map(|(at, (name, first))| {
            if first {
                return name;
            }
            let base = if name.is_empty() { format!("column_{}", at + 1) } else { name };
            if taken.insert(base.to_ascii_lowercase()) {
                return base;
            }
            let suffix = next.entry(base.to_ascii_lowercase()).or_insert(2);
            loop {
                let name = format!("{base}_{suffix}");
                *suffix += 1;
                if taken.insert(name.to_ascii_lowercase()) {
                    return name;
                }
            }
        })
        .collect()
}

/// Removes control characters and surrounding white space, and truncates a long name.
fn clean(text: &str) -> String {
    let printable: String =
        text.chars().map(|c| if c.is_control() || c == '\u{feff}' { ' ' } else { c }).collect();
    printable.trim().chars().take(MAX_CHARS).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &[&str], width: usize) -> Vec<String> {
        names(&csv::ByteRecord::from(header.to_vec()), width)
    }

    #[test]
    fn blank_duplicate_and_missing_names_are_replaced() {
        assert_eq!(
            named(&["a", "a", "", "b", "a"], 6),
            ["a", "a_2", "column_3", "b", "a_3", "column_6"]
        );
        assert_eq!(named(&["a", "a", "a_2"], 3), ["a", "a_3", "a_2"], "no collision");
        assert_eq!(named(&["a", "A", "A_2"], 3), ["a", "A_3", "A_2"], "SQL knows no case");
        assert_eq!(named(&["", "column_1"], 2), ["column_1_2", "column_1"]);
        assert_eq!(named(&["select", " order id ", "x\ny\0"], 3), ["select", "order id", "x y"]);
        assert_eq!(named(&["Straße", "価格", "  "], 3), ["Straße", "価格", "column_3"]);
        assert_eq!(named(&["ä".repeat(300).as_str()], 1)[0].chars().count(), 200);
    }

    proptest::proptest! {
        #[test]
        fn names_are_complete_and_distinct(header in proptest::collection::vec("[aA_2 ]{0,4}|.{0,5}", 1..12)) {
            let names = unique(header.iter().cloned());
            proptest::prop_assert_eq!(names.len(), header.len());
            let different: HashSet<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
            proptest::prop_assert_eq!(different.len(), names.len());
            proptest::prop_assert!(names.iter().all(|n| !n.trim().is_empty() && !n.contains('\0')));
        }
    }
}
