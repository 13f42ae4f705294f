//! What is shown: help, debug output, the example file.

use super::*;

const SECRETS: [(&str, &str); 5] = [
    ("SECRET_KEY", "hidden-0-xxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ("ANTHROPIC_API_KEY", "hidden-1"),
    ("OPENAI_API_KEY", "hidden-2"),
    ("ADMIN_PASSWORD", "hidden-3"),
    ("DATABASE_URL", "postgresql://u:hidden-4@h/d"),
];

#[test]
fn debug_shows_no_secret() {
    let env: Vec<_> = SECRETS.into_iter().chain([("ADMIN_USERNAME", "ada")]).collect();
    let shown = format!("{:?} {:#?}", from_env(&env), from_env(&env));
    assert!(shown.contains("ada") && shown.contains("REDACTED"));
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn help_names_every_variable_and_no_secret() {
    let env: Vec<_> = SECRETS.into_iter().collect();
    for args in [&["--help"][..], &["-h"], &["serve", "--help"], &["--port", "x", "--help"]] {
        let Err(exit @ Exit::Info(_)) = read(args, &env, None) else {
            panic!("{args:?} is help");
        };
        assert_eq!(exit.code(), 0);
        let help = exit.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        for variable in VARIABLES.split_whitespace() {
            assert!(help.contains(&format!("[env: {variable}]")), "{variable} in {help}");
            assert!(help.contains(&flag(variable)), "{variable}");
        }
        assert!(help.starts_with("An embeddable AI chat") || help.starts_with("Serve the chat"));
        assert!(help.contains("[env: DEBUG] [default: false in production, else true]"));
        assert!(help.contains("[default: 8000]") && help.contains("Sessions and limits:"));
        assert!(!help.contains("hidden"), "{help}");
        let count = help.matches("[env: ").count();
        assert_eq!(count, VARIABLES.split_whitespace().count(), "no setting outside the table");
    }
    let Err(version @ Exit::Info(_)) = read(&["--version"], &[], None) else {
        panic!("--version is information");
    };
    let expected = format!("chatbot-widget {}\n", env!("BUILD_VERSION"));
    assert_eq!(version.to_string(), expected);
}

#[test]
fn the_example_file_names_every_variable_with_its_default() {
    let example = include_str!("../../../.env.example");
    let lines: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let active: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| line.split_once('=').is_some_and(|(name, _)| VARIABLES.contains(name)))
        .collect();
    for variable in VARIABLES.split_whitespace() {
        let count = active.iter().filter(|line| line.starts_with(&format!("{variable}="))).count();
        assert_eq!(count, 1, "{variable}");
    }
    let from_example = read(&[], &[], Some(&active.join("\n"))).unwrap().1;
    let mut defaults = from_env(&[]);
    // The example names the default provider, which here has no key.
    defaults.providers.preferred = from_example.providers.preferred;
    assert_eq!(format!("{from_example:#?}"), format!("{defaults:#?}"));
}
