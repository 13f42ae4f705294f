//! The layers of the crate: which module may use which, read from its `use` lines and paths.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of this crate that each module may use. Lowest layer first: none uses a later one.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("keyed_locks", &[]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("store", &["domain", "keyed_locks"]),
    ("provider", &["domain"]),
    ("demo", &["domain"]),
    ("tables", &["domain"]),
    ("markdown", &["domain"]),
    ("prompt", &["domain"]),
    ("metrics", &["domain"]),
    ("quota", &["domain", "keyed_locks", "metrics"]),
    ("error", &["domain", "provider", "quota", "store", "tables"]),
    ("bots", &["domain", "error"]),
    ("sessions", &["bots", "domain", "error", "store"]),
    ("files", &["domain", "error", "quota", "store", "tables"]),
    (
        "chat",
        &[
            "bots", "domain", "error", "files", "markdown", "metrics", "prompt", "provider",
            "quota", "store",
        ],
    ),
    (
        "app",
        &[
            "bots",
            "chat",
            "config",
            "demo",
            "domain",
            "error",
            "files",
            "metrics",
            "provider",
            "quota",
            "sessions",
            "store",
            "telemetry",
        ],
    ),
    ("http", &["app", "bots", "chat", "config", "domain", "error", "files", "quota", "sessions"]),
    ("cli", &["app", "config", "domain", "error", "http", "sessions"]),
    ("server", &["app", "config", "http"]),
];

#[test]
fn no_module_uses_a_later_one() {
    for (at, (part, uses)) in MAY_USE.iter().enumerate() {
        for used in *uses {
            let earlier = MAY_USE[..at].iter().any(|(known, _)| known == used);
            assert!(earlier, "{part} may not use {used}, which comes later");
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in files(&root) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let part = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if part == "lib" || part == "main" {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(known, _)| *known == part)
            .unwrap_or_else(|| panic!("{name} belongs to no layer: add it here"));
        for line in fs::read_to_string(&file).unwrap().lines() {
            for used in line.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used.is_empty() || used == part {
                    continue;
                }
                seen += 1;
                assert!(allowed.contains(&used.as_str()), "{name} uses {used}: {line}");
            }
        }
    }
    assert!(seen > 50, "the lines were not found");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
