//! The crate's own source as the architecture's tests read it: without comments and literals.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src`.
pub struct SourceFile {
    /// Its path below `src`.
    pub name: String,
    /// The path of its module: `["http", "gate"]`.
    pub module: Vec<String>,
    /// Its code as words and single signs, `::` being one.
    pub tokens: Vec<String>,
}

impl SourceFile {
    /// The paths in its code that begin with `crate`, `super` or `self`.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let starts = self.tokens.windows(2).enumerate().filter(|(at, pair)| {
            matches!(pair[0].as_str(), "crate" | "super" | "self")
                && pair[1] == "::"
                && (*at == 0 || self.tokens[at - 1] != "::")
        });
        starts.flat_map(|(at, _)| tree(&self.tokens[at..])).map(|path| path.segments).collect()
    }
}

/// All files of `src` but `main.rs`, which is a crate of its own; without their tests.
pub fn files() -> Vec<SourceFile> {
    let mut files = files_and_tests();
    files.retain(|file| file.module.iter().all(|part| part != "tests"));
    for file in &mut files {
        file.tokens = without_tests(std::mem::take(&mut file.tokens));
    }
    files
}

/// The same with their tests.
pub fn files_and_tests() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in paths(&root) {
        let below = path.strip_prefix(&root).unwrap();
        let name = below.to_str().unwrap().to_owned();
        let mut module: Vec<String> =
            below.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if name == "main.rs" {
            continue;
        }
        if name == "lib.rs" || module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let tokens = tokens(&fs::read_to_string(&path).unwrap());
        found.push(SourceFile { name, module, tokens });
    }
    assert!(found.len() > 100, "the files were not found");
    found
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(paths(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The words and signs of `text`, without comments, string and character literals.
pub fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if c == '"' || rest.starts_with("b\"") {
            quoted(rest, '"')
        } else if is_char_literal(rest) {
            quoted(rest, '\'')
        } else if word > 0 {
            found.push(rest[..word].to_owned());
            word
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// The length of a literal that ends with `quote`, where a backslash escapes the next character.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let open = text.find(quote).unwrap() + 1;
    for (at, c) in text[open..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return open + at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let body = after.trim_start_matches('#');
    let hashes = after.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

/// Whether `text` begins with `'x'`, `b'x'` or an escape, rather than with a lifetime.
fn is_char_literal(text: &str) -> bool {
    let Some(body) = text.strip_prefix("b'").or_else(|| text.strip_prefix('\'')) else {
        return false;
    };
    let mut chars = body.chars();
    chars.next() == Some('\\') || chars.next() == Some('\'')
}

/// Leaves out every item under `#[cfg(test)]`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(MARK.len()).eq(MARK) {
            let mut depth = 0_usize;
            at += MARK.len();
            while at < tokens.len() {
                let token = tokens[at].as_str();
                at += 1;
                match token {
                    "{" => depth += 1,
                    "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 && matches!(token, "}" | ";") {
                    break;
                }
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The modules of the crate and what they import.
pub struct Modules<'a> {
    files: HashMap<&'a [String], &'a SourceFile>,
    /// For each module, the path behind each name that it imports.
    imports: HashMap<&'a [String], HashMap<String, Vec<String>>>,
}

impl<'a> Modules<'a> {
    pub fn new(files: &'a [SourceFile]) -> Self {
        let mut this = Self {
            files: files.iter().map(|file| (file.module.as_slice(), file)).collect(),
            imports: HashMap::new(),
        };
        for file in files {
            let mut names = HashMap::new();
            for (at, _) in file.tokens.iter().enumerate().filter(|(_, token)| *token == "use") {
                for path in tree(&file.tokens[at + 1..]) {
                    let Some(absolute) = this.absolute(&file.module, &path.segments) else {
                        continue;
                    };
                    names.insert(path.name, absolute);
                }
            }
            this.imports.insert(&file.module, names);
        }
        this
    }

    /// The files that `file` names by `crate::`, `super::` and `self::`.
    pub fn used_by(&self, file: &'a SourceFile) -> Vec<&'a SourceFile> {
        let paths = file.paths().into_iter();
        let absolute = paths.filter_map(|path| self.absolute(&file.module, &path));
        absolute.map(|path| self.resolve(&path, 0)).collect()
    }

    /// A path from the crate's root, or `None` for one of another crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut absolute = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len() - 1].to_vec(),
            child => {
                let child = [module, &[child.to_owned()]].concat();
                self.files.contains_key(child.as_slice()).then_some(child)?
            }
        };
        for segment in rest {
            if segment == "super" {
                absolute.pop();
            } else {
                absolute.push(segment.clone());
            }
        }
        Some(absolute)
    }

    /// The file in which the item at `path` is defined: a name that its module only imports is
    /// looked up where it comes from.
    fn resolve(&self, path: &[String], depth: usize) -> &'a SourceFile {
        assert!(depth < 20, "imports in a circle: {path:?}");
        let length = (0..=path.len())
            .rev()
            .find(|length| self.files.contains_key(&path[..*length]))
            .expect("the root is a module");
        let (module, rest) = path.split_at(length);
        let imported = rest.first().and_then(|name| self.imports[module].get(name));
        match imported {
            Some(origin) if origin != path => {
                self.resolve(&[origin, &rest[1..]].concat(), depth + 1)
            }
            _ => self.files[module],
        }
    }
}

/// A path of a `use` tree, and the name that it gets.
struct UsedPath {
    segments: Vec<String>,
    name: String,
}

/// All paths of the tree that `tokens` begin with: `a::{b, c as d, e::*}`.
fn tree(tokens: &[String]) -> Vec<UsedPath> {
    let mut found = Vec::new();
    let mut at = 0;
    branch(tokens, &mut at, &[], &mut found);
    found
}

fn branch(tokens: &[String], at: &mut usize, prefix: &[String], found: &mut Vec<UsedPath>) {
    let mut segments = prefix.to_vec();
    loop {
        match tokens.get(*at).map(String::as_str) {
            Some("{") => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| token != "}") {
                    branch(tokens, at, &segments, found);
                    if tokens.get(*at).is_some_and(|token| token == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            Some("self") if !segments.is_empty() => *at += 1,
            Some(word) if word.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                segments.push(word.to_owned());
                *at += 1;
            }
            // `*`, or `<` of a generic call: the module is all that is known.
            _ => *at += 1,
        }
        if tokens.get(*at).is_some_and(|token| token == "::") {
            *at += 1;
        } else {
            break;
        }
    }
    let mut name = segments.last().cloned().unwrap_or_default();
    if tokens.get(*at).is_some_and(|token| token == "as") {
        name = tokens[*at + 1].clone();
        *at += 2;
    }
    found.push(UsedPath { segments, name });
}

#[test]
fn comments_and_texts_are_not_code() {
    let code = "a /* b */ r#\"c \"d\" \"# 'e' '\\'' b'f' &'g h::i \"j\\\"k\" // l\nm";
    assert_eq!(tokens(code).join(" "), "a & ' g h :: i m");
    let tests = "a #[cfg(test)] mod tests { fn b() {} } c #[cfg(test)] mod tests; d";
    assert_eq!(without_tests(tokens(tests)), ["a", "c", "d"]);
}

#[test]
fn trees_are_read_to_their_leaves() {
    let paths = tree(&tokens("crate::{a::{self, b as c}, d::*, e};"));
    let shown: Vec<String> =
        paths.iter().map(|path| format!("{}={}", path.name, path.segments.join("."))).collect();
    assert_eq!(shown, ["a=crate.a", "c=crate.a.b", "d=crate.d", "e=crate.e"]);
}
