//! The layers of the crate: which module may use which, read from its `use` lines and paths.

mod circles;
mod names;
mod source;

use std::collections::BTreeSet;

use source::files_and_tests;

/// The modules that each module may use, lowest layer first: none uses a later one.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("keyed_locks", &[]),
    ("models", &["domain"]),
    ("config", &["domain", "models"]),
    ("telemetry", &["config"]),
    ("store", &["domain", "keyed_locks"]),
    ("provider", &["domain"]),
    ("demo", &["domain"]),
    ("tables", &["domain"]),
    ("markdown", &[]),
    ("prompt", &["domain"]),
    ("metrics", &["domain"]),
    ("quota", &["domain", "keyed_locks", "metrics"]),
    ("error", &["domain", "provider", "quota", "store", "tables"]),
    ("bots", &["domain"]),
    ("sessions", &["bots", "domain", "error", "store"]),
    ("files", &["domain", "error", "quota", "store", "tables"]),
    (
        "chat",
        &[
            "bots", "domain", "error", "files", "markdown", "metrics", "models", "prompt",
            "provider", "quota", "store",
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
    ("http", &["app", "chat", "config", "domain", "error", "quota"]),
    ("cli", &["config", "http"]),
    ("server", &["app", "config", "domain", "http"]),
];

#[test]
fn no_module_uses_a_later_one() {
    for (place, (part, uses)) in MAY_USE.iter().enumerate() {
        for used in *uses {
            let is_earlier = MAY_USE[..place].iter().any(|(known, _)| known == used);
            assert!(is_earlier, "{part} uses {used}, which comes later in the list");
        }
    }
    let mut used_by_part = BTreeSet::new();
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
            assert!(allowed.contains(&used.as_str()), "{} uses {used}", file.name);
            used_by_part.insert((part.clone(), used.clone()));
        }
    }
    for (part, uses) in MAY_USE {
        for used in *uses {
            let is_used = used_by_part.contains(&(part.to_string(), used.to_string()));
            assert!(is_used, "{part} no longer uses {used}: remove the permission");
        }
    }
}
