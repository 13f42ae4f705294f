//! Variables that look like misspelt settings.

use super::super::misspelt::misspelt;

fn lines(names: &[&str]) -> Vec<String> {
    misspelt(names.iter().map(|name| (*name).to_owned())).iter().map(ToString::to_string).collect()
}

#[test]
fn a_misspelt_setting_is_named_with_the_right_one() {
    for (wrong, right) in [
        ("ANTHROPIC_APIKEY", "ANTHROPIC_API_KEY"),
        ("ANTROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("CLAUDE_API_KEY", "ANTHROPIC_API_KEY"),
        ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        ("OPENAI_BASEURL", "OPENAI_BASE_URL"),
        ("RATE_LIMITS", "RATE_LIMIT"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("DATADIR", "DATA_DIR"),
        ("bot_name", "BOT_NAME"),
    ] {
        let expected =
            format!("{wrong}: is not a setting and has no effect; did you mean {right}?");
        assert_eq!(lines(&[wrong]), [expected]);
    }
}

#[test]
fn settings_and_variables_of_other_programs_are_left_alone() {
    for name in [
        "ANTHROPIC_API_KEY",
        "RATE_LIMIT",
        "PORTS",
        "HOSTNAME",
        "HTTP_PROXY",
        "RUST_BACKTRACE",
        "DATABASE_PASSWORD",
        "ANTHROPIC_AUTH_TOKEN",
        "OPENAI_ORG_ID",
        "",
        "é",
    ] {
        assert_eq!(lines(&[name]), Vec::<String>::new(), "{name}");
    }
    assert_eq!(lines(&["CLAUDE_API_KEY", "ANTHROPIC_API_KEY"]), Vec::<String>::new());
}
