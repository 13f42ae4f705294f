//! No two modules use each other, directly or by way of others.
//!
//! A module and what lies inside it are one unit: they may use each other. Between the modules that
//! lie side by side in one folder, all uses go one way.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Modules, SourceFile, files};

/// A folder whose modules still use each other.
const UNTANGLED_LATER: &str = "src/tables";

/// Which module uses which, and an example for it.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn no_modules_use_each_other() {
    let files = files();
    let modules = Modules::new(&files);
    // By the module in which both lie.
    let mut folders: BTreeMap<String, Uses> = BTreeMap::new();
    let mut seen = 0;
    for file in &files {
        for used in modules.used_by(file) {
            seen += 1;
            let Some((folder, from, to)) = siblings(file, used) else { continue };
            if folder == UNTANGLED_LATER {
                continue;
            }
            let example = format!("{} uses {}", file.name, used.name);
            folders.entry(folder).or_default().entry(from).or_default().insert(to, example);
        }
    }
    assert!(seen > 500, "the uses were not found: {seen}");
    let circles: Vec<String> = folders
        .into_iter()
        .flat_map(|(folder, uses)| {
            circles(uses).into_iter().map(move |it| format!("{folder}: {it}"))
        })
        .collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}

/// The innermost module in which both files lie, and which of its children each of them belongs
/// to; `None` if one is the other or contains it.
fn siblings(from: &SourceFile, to: &SourceFile) -> Option<(String, String, String)> {
    let common = from.module.iter().zip(&to.module).take_while(|(a, b)| a == b).count();
    let folder = ["src"].into_iter().chain(from.module[..common].iter().map(String::as_str));
    let child = |file: &SourceFile| file.module.get(common).cloned();
    Some((folder.collect::<Vec<_>>().join("/"), child(from)?, child(to)?))
}

/// The circles among `uses`, each with the files that make it.
fn circles(mut uses: Uses) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(path) = circle(&uses) {
        let steps = path.iter().zip(path.iter().cycle().skip(1));
        let examples: Vec<&str> = steps.map(|(from, to)| uses[from][to].as_str()).collect();
        found.push(format!("{} ({})", path.join(" -> "), examples.join(", ")));
        let (last, first) = (path.last().unwrap().clone(), path[0].clone());
        uses.get_mut(&last).unwrap().remove(&first);
    }
    found
}

/// One circle: modules each of which uses the next, and the last the first.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn search(
        uses: &Uses,
        module: &str,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(at) = path.iter().position(|it| it == module) {
            path.drain(..at);
            return true;
        }
        if done.contains(module) {
            return false;
        }
        path.push(module.to_owned());
        for next in uses.get(module).into_iter().flat_map(BTreeMap::keys) {
            if search(uses, next, path, done) {
                return true;
            }
        }
        path.pop();
        done.insert(module.to_owned());
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|module| {
        let mut path = Vec::new();
        search(uses, module, &mut path, &mut done).then_some(path)
    })
}

#[test]
fn circles_are_found_and_named() {
    let uses = |edges: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in edges {
            uses.entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned(), format!("{from}.rs uses {to}.rs"));
        }
        circles(uses)
    };
    assert!(uses(&[("a", "b"), ("a", "c"), ("b", "c")]).is_empty());
    assert_eq!(
        uses(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]),
        ["b -> c (b.rs uses c.rs, c.rs uses b.rs)"]
    );
}
