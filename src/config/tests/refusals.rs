//! Values that are refused.

use super::*;

#[test]
fn wrong_values_are_reported_in_one_line() {
    let long = "x".repeat(201);
    let url = "must be an http:// or https:// address, without password, ? or #";
    let hosts = "must be * or host names separated by commas, .example.com for subdomains";
    let origins = "must be * or origins such as https://example.com, separated by commas";
    let name = "must be at most 200 characters, without control characters";
    let colour = "must be a CSS colour such as #667eea";
    let socket = "must be an address and port such as 127.0.0.1:9100";
    let host = "must be an IP address such as 127.0.0.1 or ::, or localhost";
    let database = "must be redb://FILE or postgresql://USER:PASS@HOST/DB";
    let key = "must be printable ASCII without spaces";
    let icon = "must be an http(s) address, a relative path or a data:image address";
    let suggestions = "must be a JSON array of texts of at most 200 characters each";
    let networks = "must be networks such as 10.0.0.0/8, separated by commas";
    let provider = "must be claude, openai or demo";
    let user = "must be at most 150 characters, without spaces and control characters";
    let timeout = "must be a whole number of seconds from 1 to 4294967295";
    for (variable, value, reason) in [
        ("HOST", "example.com", host),
        ("HOST", "127.0.0.1:80", host),
        ("PORT", "65536", "must be a number from 0 to 65535"),
        ("PORT", "-1", "must be a number from 0 to 65535"),
        ("PORT", "eighty", "must be a number from 0 to 65535"),
        ("APP_ENV", "prod", "must be development, production or testing"),
        ("DEBUG", "maybe", "must be true or false"),
        ("DATABASE_URL", "mysql://h/d", database),
        ("DATABASE_URL", "redb://", database),
        ("DATABASE_URL", "postgresql:db", database),
        ("SECRET_KEY", "a\0b", "must not contain NUL"),
        ("ALLOWED_HOSTS", "*.example.com", hosts),
        ("ALLOWED_HOSTS", "https://a.test", hosts),
        ("ALLOWED_ORIGINS", "example.com", origins),
        ("ALLOWED_ORIGINS", "https://a.test/x", origins),
        ("ANTHROPIC_API_KEY", "sk a", key),
        ("OPENAI_API_KEY", "sk-ü", key),
        ("ANTHROPIC_BASE_URL", "api.anthropic.com", url),
        ("ANTHROPIC_BASE_URL", "ftp://a.test", url),
        ("ANTHROPIC_BASE_URL", "https://", url),
        ("OPENAI_BASE_URL", "https://u:p@a.test/v1", url),
        ("OPENAI_BASE_URL", "https://a.test/v1?x=1", url),
        ("OPENAI_BASE_URL", "https://a.test/v1#x", url),
        ("OPENAI_BASE_URL", "https://a.test/\nv1", url),
        ("OPENAI_API", "both", "must be auto, responses or chat"),
        ("CLAUDE_MODEL", "a\nb", name),
        ("OPENAI_MODEL", &long, name),
        ("AI_PROVIDER", "gemini", provider),
        ("AI_FALLBACK", "none", provider),
        ("BOT_NAME", &long, name),
        ("BOT_POWERED_BY", "a\tb", name),
        ("BOT_COLOR", "redd", colour),
        ("BOT_MSG_BG_COLOR", "red;", colour),
        ("BOT_ICON", "javascript:alert(1)", icon),
        ("CLAUDE_BOT_NAME", &long, name),
        ("OPENAI_BOT_NAME", &long, name),
        ("BOT_WELCOME", "\0", "must not contain NUL"),
        ("BOT_SUGGESTIONS", "What?", suggestions),
        ("BOT_SUGGESTIONS", "[1]", suggestions),
        ("BOT_SUGGESTIONS", "[\" \"]", suggestions),
        ("BOT_INSTRUCTIONS", "a\0", "must not contain NUL"),
        ("CHAT_SESSION_TIMEOUT", "0", timeout),
        ("CHAT_SESSION_TIMEOUT", "1.5", timeout),
        ("CHAT_SESSION_TIMEOUT", "30m", timeout),
        ("CHAT_RETENTION", "-1", "must be a whole number of seconds from 0 to 4294967295"),
        ("MAX_UPLOAD_BYTES", "0", "must be a number from 1 to 1073741824"),
        ("MAX_UPLOAD_BYTES", "10MB", "must be a number from 1 to 1073741824"),
        ("MAX_MESSAGE_CHARS", "0", "must be a number from 1 to 10000000"),
        ("MAX_BODY_BYTES", "10", "must be a number from 1024 to 1073741824"),
        ("CONTEXT_TOKENS", "999", "must be a number from 1000 to 10000000"),
        ("RATE_LIMIT", "-1", "must be a number from 0 to 1000000"),
        ("MAX_TOKENS_LIMIT", "0", "must be a number from 1 to 1000000"),
        ("ALLOWED_MODELS", "a,b\u{1}", name),
        ("TRUSTED_PROXIES", "10.0.0.0/33", networks),
        ("TRUSTED_PROXIES", "proxy.test", networks),
        ("ADMIN_USERNAME", "a b", user),
        ("ADMIN_PASSWORD", "a\0", "must not contain NUL"),
        ("METRICS_ADDR", "9100", socket),
        ("METRICS_ADDR", "metrics.test:9100", socket),
        ("LOG_FORMAT", "xml", "must be text or json"),
        ("RUST_LOG", "a=b=c", "must be a log filter such as info or warn,chatbot_widget=debug"),
    ] {
        let expected = format!("error: {variable}: {reason}");
        assert_eq!(refusal(&[(variable, value)]), expected, "{value}");
        let argument = format!("{}={value}", flag(variable));
        let exit = read(&[&argument], &[], None).unwrap_err();
        assert_eq!(exit.to_string(), expected, "by flag: {value}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_reported_by_its_name() {
    use std::os::unix::ffi::OsStringExt;
    let env = |name: &str| (name == "BOT_NAME").then(|| OsString::from_vec(vec![0xff]));
    let exit = parse(["x"], &env, None).unwrap_err();
    assert_eq!(exit.to_string(), "error: BOT_NAME: must be UTF-8");
}

#[test]
fn wrong_usage_is_reported_in_one_line() {
    for (args, part) in [
        (&["--prot", "1"][..], "'--prot'"),
        (&["serv"], "'serv'"),
        (&["serve", "more"], "'more'"),
        (&["a\nb"], "a"),
    ] {
        let exit = read(args, &[], None).unwrap_err();
        let line = exit.to_string();
        assert_eq!(exit.code(), 2);
        assert!(line.starts_with("error: ") && line.ends_with("(see --help)"), "{line}");
        assert!(line.contains(part) && !line.contains('\n'), "{line}");
    }
    for (argument, line) in [
        (
            "--prot",
            "error: unexpected argument '--prot' found; did you mean '--port'? (see --help)",
        ),
        ("serv", "error: unrecognized subcommand 'serv'; did you mean 'serve'? (see --help)"),
        ("--qqqqqq", "error: unexpected argument '--qqqqqq' found (see --help)"),
    ] {
        assert_eq!(read(&[argument], &[], None).unwrap_err().to_string(), line);
    }
    let missing = read(&["--port"], &[], None).unwrap_err();
    assert_eq!(missing.to_string(), "error: PORT: needs a value");
}

#[test]
fn paired_settings_are_refused_alone() {
    for (given, value, missing) in [
        ("TLS_CERT", "c.pem", "TLS_KEY"),
        ("TLS_KEY", "k.pem", "TLS_CERT"),
        ("ADMIN_USERNAME", "ada", "ADMIN_PASSWORD"),
        ("ADMIN_PASSWORD", "pass", "ADMIN_USERNAME"),
    ] {
        let expected = format!("error: {missing}: is needed beside {given}");
        assert_eq!(refusal(&[(given, value)]), expected);
    }
    let lost = "error: TLS_REDIRECT_PORT: is of use only with TLS_CERT and TLS_KEY";
    assert_eq!(refusal(&[("TLS_REDIRECT_PORT", "80")]), lost);
    let config = from_env(&[
        ("TLS_CERT", "c.pem"),
        ("TLS_KEY", "k.pem"),
        ("ADMIN_USERNAME", "ada"),
        ("ADMIN_PASSWORD", " a pass "),
    ]);
    let tls = Tls { cert: "c.pem".into(), key: "k.pem".into(), redirect_port: None };
    assert_eq!(config.tls, Some(tls));
    let admin = config.admin.account.unwrap();
    assert_eq!((admin.username.as_str(), admin.password.expose_secret()), ("ada", " a pass "));
}

#[test]
fn production_needs_a_long_secret_key() {
    let short = "x".repeat(31);
    let long = "x".repeat(32);
    assert_eq!(
        refusal(&[("APP_ENV", "production"), ("SECRET_KEY", &short)]),
        "error: SECRET_KEY: must be at least 32 bytes long in production"
    );
    assert!(
        from_env(&[("APP_ENV", "production"), ("SECRET_KEY", &long)]).admin.secret_key.is_some()
    );
    assert!(from_env(&[("SECRET_KEY", "short")]).admin.secret_key.is_some());
    assert!(from_env(&[("APP_ENV", "production")]).admin.secret_key.is_none());
}
