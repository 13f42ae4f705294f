//! Which module may use which: the layers of the crate, read off its `use` lines and paths.

mod circles;
mod names;
mod source;

use source::files_and_tests;

/// The modules that each module may use. Those that may use none of each other stand side by side.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("keyed_locks", &[]),
    ("config", &["domain"]),
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
    ("telemetry", &["config"]),
    ("http", &["app", "bots", "chat", "config", "domain", "error", "files", "quota", "sessions"]),
    ("cli", &["app", "config", "domain", "error", "http", "sessions"]),
    ("server", &["app", "config", "http"]),
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
];

#[test]
fn no_module_uses_one_above_it() {
    let mut seen = 0;
    for file in files_and_tests() {
        let Some(part) = file.module.first() else { continue };
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(known, _)| known == part)
            .unwrap_or_else(|| panic!("{} belongs to no layer: add it here", file.name));
        for path in file.paths() {
            let [root, used, ..] = path.as_slice() else { continue };
            if root != "crate" || used == part {
                continue;
            }
            seen += 1;
            assert!(allowed.contains(&used.as_str()), "{} uses {used}", file.name);
        }
    }
    assert!(seen > 200, "the uses were not found: {seen}");
}
