use super::*;

/// The variables of the configuration table.
const VARIABLES: &str = "HOST PORT DATA_DIR DATABASE_URL APP_ENV DEBUG SECRET_KEY ALLOWED_HOSTS
    ALLOWED_ORIGINS ANTHROPIC_API_KEY OPENAI_API_KEY ANTHROPIC_BASE_URL OPENAI_BASE_URL
    CLAUDE_MODEL OPENAI_MODEL AI_PROVIDER AI_FALLBACK BOT_NAME BOT_POWERED_BY BOT_COLOR
    BOT_MSG_BG_COLOR BOT_ICON CLAUDE_BOT_NAME OPENAI_BOT_NAME BOT_WELCOME BOT_SUGGESTIONS
    BOT_INSTRUCTIONS CHAT_SESSION_TIMEOUT CHAT_RETENTION MAX_UPLOAD_BYTES MAX_MESSAGE_CHARS
    MAX_BODY_BYTES CONTEXT_TOKENS RATE_LIMIT TRUSTED_PROXIES TLS_CERT TLS_KEY TLS_REDIRECT_PORT
    ADMIN_USERNAME ADMIN_PASSWORD METRICS_ADDR LOG_FORMAT RUST_LOG MAX_TOKENS_LIMIT ALLOWED_MODELS";

fn flag(variable: &str) -> String {
    format!("--{}", variable.to_lowercase().replace('_', "-"))
}

/// Reads a command line (without the program's name) and variables, and `.env` if there is a text.
fn read(
    args: &[&str],
    env: &[(&str, &str)],
    dotenv: Option<&str>,
) -> Result<(Command, Config), Exit> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    if let Some(text) = dotenv {
        std::fs::write(&path, text).unwrap();
    }
    let look_up = |name: &str| {
        env.iter().find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    };
    parse(["chatbot-widget"].iter().chain(args).copied(), &look_up, Some(&path))
}

fn from_env(env: &[(&str, &str)]) -> Config {
    read(&[], env, None).unwrap().1
}

fn refusal(env: &[(&str, &str)]) -> String {
    let exit = read(&[], env, None).unwrap_err();
    assert_eq!(exit.code(), 2, "{env:?}");
    exit.to_string()
}

#[test]
fn without_any_source_the_defaults_hold() {
    let (command, config) = read(&[], &[], None).unwrap();
    assert_eq!(command, Command::Serve);
    assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 8000));
    assert_eq!(config.data_dir, Path::new("./data"));
    assert!(matches!(&config.database, Database::Redb(p) if p == Path::new("./data/chatbot.redb")));
    assert_eq!(config.app_env, AppEnv::Development);
    assert!(config.debug && config.secret_key.is_none());
    assert!(config.allowed_hosts.is_any() && config.allowed_origins.is_any());
    assert!(config.anthropic.is_none() && config.openai.is_none());
    assert_eq!(config.ai_provider, ProviderKind::Claude);
    assert_eq!(config.ai_fallback, None);
    assert_eq!(
        config.bot,
        BotConfig {
            name: "Claude Assistant".into(),
            powered_by: "Claude".into(),
            color: "#667eea".into(),
            msg_bg_color: "#667eea".into(),
            icon: None,
            welcome: None,
            suggestions: vec![],
            instructions: None,
        }
    );
    assert_eq!(config.max_tokens_limit, 4096);
    assert!(config.allowed_models.is_empty());
    assert_eq!(config.session_timeout, Duration::from_secs(1800));
    assert_eq!(config.retention, Duration::ZERO);
    assert_eq!(config.max_upload_bytes, 10_485_760);
    assert_eq!(config.max_message_chars, 10_000);
    assert_eq!(config.max_body_bytes, 1_048_576);
    assert_eq!((config.context_tokens, config.rate_limit), (16_000, 30));
    assert!(config.trusted_proxies.is_empty() && config.tls.is_none() && config.admin.is_none());
    assert_eq!(config.metrics_addr, None);
    assert_eq!(config.log, LogConfig { format: LogFormat::Text, filter: "info".into() });
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn flags_win_over_environment_over_dotenv_over_defaults() {
    let port =
        |args: &[&str], env: &[(&str, &str)], dotenv| read(args, env, dotenv).unwrap().1.port;
    let env = [("PORT", "2")];
    let file = Some("PORT=3\n");
    assert_eq!(port(&["--port", "1"], &env, file), 1);
    assert_eq!(port(&["--port=1"], &[], None), 1);
    assert_eq!(port(&[], &env, file), 2);
    assert_eq!(port(&[], &[], file), 3);
    assert_eq!(port(&[], &[], Some("")), 8000);
    // Empty counts as none, at each level.
    assert_eq!(port(&["--port="], &env, file), 2);
    assert_eq!(port(&["--port", " "], &[("PORT", "")], file), 3);
    assert_eq!(port(&[], &[("PORT", "")], Some("PORT=")), 8000);
    // What is overruled is not even looked at.
    assert_eq!(port(&["--port", "1"], &[("PORT", "x")], Some("PORT=y")), 1);
    assert_eq!(port(&["--port", "x", "--port", "1"], &[], None), 1);
}

#[test]
fn flags_stand_before_or_after_the_command() {
    for args in [
        ["--port", "1", "serve", "--host", "::1"],
        ["serve", "--host", "::1", "--port", "1"],
        ["--host", "::1", "--port", "1", "serve"],
    ] {
        let (command, config) = read(&args, &[("PORT", "2")], None).unwrap();
        assert_eq!(command, Command::Serve);
        assert_eq!((config.host.as_str(), config.port), ("::1", 1), "{args:?}");
    }
    assert_eq!(read(&["openapi"], &[], None).unwrap().0, Command::Openapi);
    assert_eq!(read(&["healthcheck"], &[], None).unwrap().0, Command::Healthcheck);
    let after = read(&["--port", "1", "serve", "--port", "4"], &[], None).unwrap().1;
    assert_eq!(after.port, 4);
}

#[test]
fn dotenv_is_read_as_usual() {
    let file = "\u{feff}# comment\r\nBOT_NAME=\"Ada L.\"\r\nexport PORT=9\r\nPORT=10\r\n\
        UNKNOWN=1\r\nSECRET_KEY='a$b c'\r\nBOT_ICON=\r\nBOT_POWERED_BY=us ";
    let config = read(&[], &[], Some(file)).unwrap().1;
    assert_eq!(config.bot.name, "Ada L.");
    assert_eq!(config.bot.powered_by, "us");
    assert_eq!(config.port, 9, "the first of two counts");
    assert_eq!(config.secret_key.unwrap().expose_secret(), "a$b c");
    assert_eq!(config.bot.icon, None);
}

#[test]
fn a_broken_dotenv_is_named_without_its_contents() {
    for (text, end) in [
        (
            "PORT=1\nBOT_NAME=two words\n",
            ".env: line 2 must be NAME=value, in quotes if the value has spaces",
        ),
        ("\n\nsk-secret\n", ".env: line 3 must be NAME=value, in quotes if the value has spaces"),
        (
            "A=1\nB='sk-secret\nC=1\n",
            ".env: line 2 must be NAME=value, in quotes if the value has spaces",
        ),
    ] {
        let error = read(&[], &[], Some(text)).unwrap_err();
        assert_eq!(error.code(), 2);
        let error = error.to_string();
        assert!(error.starts_with("error: ") && error.ends_with(end), "{error}");
        assert!(!error.contains("secret"));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, b"BOT_NAME=\xff").unwrap();
    let error = parse(["x"], &|_| None, Some(&path)).unwrap_err().to_string();
    assert!(error.ends_with(".env: must be UTF-8 text"), "{error}");
    let error = parse(["x"], &|_| None, Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains(": cannot be read: "), "{error}");
    let missing = folder.path().join("none");
    assert!(parse(["x"], &|_| None, Some(&missing)).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_dotenv_and_any_flag_are_judged_without_a_panic(
        file in "([A-Z_]{0,3}(PORT|BOT_NAME)?[ =]?[a-z'\"#$ {}\\\\=.\u{e9}]{0,8}\r?\n?){0,4}",
        argument in "(--)?(port|bot-name|serve|bot-color)?=?.{0,6}",
    ) {
        for args in [&[argument.as_str()][..], &[]] {
            if let Err(Exit::Usage(line)) = read(args, &[], Some(&file)) {
                proptest::prop_assert!(!line.contains('\n'));
            }
        }
    }
}

#[test]
fn wrong_values_are_told_in_one_line() {
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
fn a_value_that_is_not_utf8_is_told_by_its_name() {
    use std::os::unix::ffi::OsStringExt;
    let env = |name: &str| (name == "BOT_NAME").then(|| OsString::from_vec(vec![0xff]));
    let exit = parse(["x"], &env, None).unwrap_err();
    assert_eq!(exit.to_string(), "error: BOT_NAME: must be UTF-8");
}

#[test]
fn wrong_usage_is_told_in_one_line() {
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
    let missing = read(&["--port"], &[], None).unwrap_err();
    assert_eq!(missing.to_string(), "error: PORT: needs a value");
}

#[test]
fn settings_that_go_together_are_both_given_or_neither() {
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
    let admin = config.admin.unwrap();
    assert_eq!((admin.username.as_str(), admin.password.expose_secret()), ("ada", " a pass "));
}

#[test]
fn presets_fill_what_is_not_given() {
    let production = from_env(&[("APP_ENV", "production")]);
    assert!(!production.debug);
    assert_eq!(production.log, LogConfig { format: LogFormat::Json, filter: "info".into() });
    assert_eq!(production.rate_limit, 30);
    assert_eq!(
        production.warnings,
        ["ALLOWED_HOSTS: is * in production; name the hosts that are served"]
    );
    let named = from_env(&[("APP_ENV", "production"), ("ALLOWED_HOSTS", ".example.com")]);
    assert!(named.warnings.is_empty() && named.allowed_hosts.allows("www.example.com"));

    let testing = from_env(&[("APP_ENV", "testing")]);
    assert!(testing.debug);
    assert_eq!(testing.log, LogConfig { format: LogFormat::Text, filter: "warn".into() });
    assert_eq!(testing.rate_limit, 0);

    let explicit = from_env(&[
        ("APP_ENV", "production"),
        ("DEBUG", "on"),
        ("LOG_FORMAT", "text"),
        ("RUST_LOG", "debug"),
        ("RATE_LIMIT", "5"),
    ]);
    assert!(explicit.debug);
    assert_eq!(explicit.log, LogConfig { format: LogFormat::Text, filter: "debug".into() });
    assert_eq!(explicit.rate_limit, 5);
}

#[test]
fn production_wants_a_long_secret_key() {
    let short = "x".repeat(31);
    let long = "x".repeat(32);
    assert_eq!(
        refusal(&[("APP_ENV", "production"), ("SECRET_KEY", &short)]),
        "error: SECRET_KEY: must be at least 32 bytes long in production"
    );
    assert!(from_env(&[("APP_ENV", "production"), ("SECRET_KEY", &long)]).secret_key.is_some());
    assert!(from_env(&[("SECRET_KEY", "short")]).secret_key.is_some());
    assert!(from_env(&[("APP_ENV", "production")]).secret_key.is_none());
}

#[test]
fn providers_exist_by_key_or_address() {
    let config = from_env(&[
        ("ANTHROPIC_API_KEY", "sk-ant\n"),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/x"),
        ("CLAUDE_MODEL", "model-a"),
        ("CLAUDE_BOT_NAME", "Ada"),
        ("OPENAI_API_KEY", "sk-oai"),
    ]);
    let claude = config.anthropic.as_ref().unwrap();
    assert_eq!(claude.key.as_ref().unwrap().expose_secret(), "sk-ant");
    assert_eq!(claude.base_url.as_str(), "http://127.0.0.1:9/x");
    assert_eq!((claude.model.as_str(), claude.bot_name.as_str()), ("model-a", "Ada"));
    let openai = config.openai.as_ref().unwrap();
    assert_eq!(openai.base_url.as_str(), "https://api.openai.com/v1");
    assert_eq!(
        (openai.model.as_str(), openai.bot_name.as_str()),
        ("gpt-5.4-mini", "GPT Assistant")
    );

    let local = from_env(&[("OPENAI_BASE_URL", "http://localhost:11434/v1")]);
    assert!(local.openai.as_ref().unwrap().key.is_none());
    assert!(
        local.is_configured(ProviderKind::OpenAi) && !local.is_configured(ProviderKind::Claude)
    );
    assert!(from_env(&[("ANTHROPIC_BASE_URL", "http://a.test")]).anthropic.is_none());
}

#[test]
fn providers_asked_for_but_not_configured_are_a_warning() {
    let config = from_env(&[("AI_PROVIDER", "openai"), ("AI_FALLBACK", "claude")]);
    assert_eq!(config.ai_provider, ProviderKind::OpenAi);
    assert_eq!(
        config.warnings,
        [
            "AI_PROVIDER: openai is not configured and will not be used",
            "AI_FALLBACK: claude is not configured and will not be used"
        ]
    );
    assert!(from_env(&[("AI_PROVIDER", "demo"), ("AI_FALLBACK", "demo")]).warnings.is_empty());
}

#[test]
fn values_are_read_in_their_usual_spellings() {
    for (text, value) in [("true", true), ("1", true), ("YES", true), ("on", true)]
        .into_iter()
        .chain([("False", false), ("0", false), ("no", false), ("off", false)])
    {
        assert_eq!(from_env(&[("DEBUG", text)]).debug, value, "{text}");
    }
    let config = from_env(&[
        ("HOST", "localhost"),
        ("PORT", " 0 "),
        ("DATABASE_URL", "redb://{DATA_DIR}/a/b.redb"),
        ("DATA_DIR", "/var/lib/chat"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1,"),
        ("ALLOWED_MODELS", "a, b ,"),
        ("BOT_SUGGESTIONS", r#"["What?", "Why?"]"#),
        ("BOT_INSTRUCTIONS", "Line\nline"),
        ("METRICS_ADDR", "localhost:9100"),
        ("CHAT_RETENTION", "86400"),
    ]);
    assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 0));
    assert!(
        matches!(&config.database, Database::Redb(p) if p == Path::new("/var/lib/chat/a/b.redb"))
    );
    let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(config.allowed_models, ["a", "b"]);
    assert_eq!(config.bot.suggestions, ["What?", "Why?"]);
    assert_eq!(config.bot.instructions.as_deref(), Some("Line\nline"));
    assert_eq!(config.metrics_addr.unwrap().to_string(), "127.0.0.1:9100");
    assert_eq!(config.retention, Duration::from_secs(86_400));

    let file = from_env(&[("DATABASE_URL", "redb:///srv/x.redb")]).database;
    assert!(matches!(&file, Database::Redb(p) if p == Path::new("/srv/x.redb")));
    let server = from_env(&[("DATABASE_URL", "postgres://u:p@db/chat")]).database;
    assert!(
        matches!(&server, Database::Postgres(url) if url.expose_secret() == "postgres://u:p@db/chat")
    );
    assert_eq!(from_env(&[("HOST", "[::]")]).host, "::");
}

#[test]
fn flags_alone_make_a_config_for_tests() {
    let config = Config::parse_from(["x", "--port", "0", "--data-dir", "/tmp/x"]).unwrap();
    assert_eq!((config.port, config.data_dir.as_path()), (0, Path::new("/tmp/x")));
    assert!(Config::parse_from(["x", "--port", "x"]).is_err());
}

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
        assert_eq!(count, VARIABLES.split_whitespace().count(), "no setting beside the table");
    }
    let Err(version @ Exit::Info(_)) = read(&["--version"], &[], None) else {
        panic!("--version is information");
    };
    let expected = format!("chatbot-widget {}\n", env!("BUILD_VERSION"));
    assert_eq!(version.to_string(), expected);
}

#[test]
fn the_example_file_names_every_variable_with_its_default() {
    let example = include_str!("../../.env.example");
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
    defaults.warnings.clone_from(&from_example.warnings);
    assert_eq!(format!("{from_example:#?}"), format!("{defaults:#?}"));
}
