//! A name stands for one type.

use std::collections::BTreeMap;

use super::source::{files, tokens};

/// A folder whose types are not compared yet.
const RENAMED_LATER: &str = "tables/";

#[test]
fn no_two_types_have_the_same_name() {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files() {
        if file.name.starts_with(RENAMED_LATER) {
            continue;
        }
        for name in defined(&file.tokens) {
            types.entry(name).or_default().push(file.name.clone());
        }
    }
    assert!(types.len() > 200, "the types were not found");
    let doubled: Vec<String> = types
        .iter()
        .filter(|(_, files)| files.len() > 1)
        .map(|(name, files)| format!("{name}: {}", files.join(", ")))
        .collect();
    assert!(doubled.is_empty(), "\n{}", doubled.join("\n"));
}

/// The types that `tokens` define; those of traits and their implementations are not counted.
fn defined(tokens: &[String]) -> Vec<String> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "struct" | "enum" | "trait" | "type" if token != "type" || depth == 0 => {
                let name = &tokens[at + 1];
                if name.starts_with(char::is_uppercase) {
                    found.push(name.clone());
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn types_are_found_wherever_they_are_defined() {
    let code = "pub struct A; fn f() { enum B {} } type C = u8; impl D for A { type E = u8; }";
    assert_eq!(defined(&tokens(code)), ["A", "B", "C"]);
}
