//! What values mean.

use std::time::Duration;

use super::*;
use crate::domain::{OpenAiApi, ProviderKind};

#[test]
fn the_defaults_without_any_source() {
    let (command, config) = read(&[], &[], None).unwrap();
    assert_eq!(command, Command::Serve);
    assert_eq!(config.listen.address().to_string(), "127.0.0.1:8000");
    assert_eq!(config.storage.data_dir, Path::new("./data"));
    assert!(
        matches!(&config.storage.database, Database::Redb(p) if p == Path::new("./data/chatbot.redb"))
    );
    assert_eq!(config.app_env, AppEnv::Development);
    assert!(config.debug && config.admin.secret_key.is_none());
    assert!(config.access.allowed_hosts.is_any() && config.access.allowed_origins.is_any());
    assert!(config.providers.anthropic.is_none() && config.providers.openai.is_none());
    assert_eq!((config.providers.preferred, config.providers.chosen()), (None, ProviderKind::Demo));
    assert_eq!(config.providers.fallback, None);
    assert_eq!(
        config.bot,
        BotConfig {
            name: "Assistant".into(),
            powered_by: String::new(),
            color: "#667eea".into(),
            msg_bg_color: "#667eea".into(),
            icon: None,
            welcome: None,
            suggestions: vec![],
            instructions: None,
        }
    );
    assert_eq!(config.limits.max_tokens, 4096);
    assert!(config.limits.allowed_models.is_empty());
    assert_eq!(config.limits.session_timeout, Duration::from_secs(1800));
    assert_eq!(config.limits.retention, Duration::ZERO);
    assert_eq!(config.limits.max_upload_bytes, 10_485_760);
    assert_eq!(config.limits.max_message_chars, 10_000);
    assert_eq!(config.limits.max_body_bytes, 1_048_576);
    assert_eq!((config.limits.context_tokens, config.limits.rate_limit), (16_000, 30));
    assert_eq!(shown(&config.access.trusted_proxies), ["127.0.0.0/8", "::1/128"]);
    assert!(config.tls.is_none() && config.admin.account.is_none());
    assert_eq!(config.metrics.addr, None);
    assert_eq!(config.log, LogConfig { format: LogFormat::Text, filter: "info".into() });
    assert_eq!(config.findings(TODAY), []);
}

#[test]
fn presets_apply_to_settings_that_are_not_given() {
    let production = from_env(&[("APP_ENV", "production")]);
    assert!(!production.debug);
    assert_eq!(production.log, LogConfig { format: LogFormat::Json, filter: "info".into() });
    assert_eq!(production.limits.rate_limit, 30);
    let testing = from_env(&[("APP_ENV", "testing")]);
    assert!(testing.debug);
    assert_eq!(testing.log, LogConfig { format: LogFormat::Text, filter: "warn".into() });
    assert_eq!(testing.limits.rate_limit, 0);

    let explicit = from_env(&[
        ("APP_ENV", "production"),
        ("DEBUG", "on"),
        ("LOG_FORMAT", "text"),
        ("RUST_LOG", "debug"),
        ("RATE_LIMIT", "5"),
    ]);
    assert!(explicit.debug);
    assert_eq!(explicit.log, LogConfig { format: LogFormat::Text, filter: "debug".into() });
    assert_eq!(explicit.limits.rate_limit, 5);
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
    let claude = config.providers.anthropic.as_ref().unwrap();
    assert_eq!(claude.key.as_ref().unwrap().expose_secret(), "sk-ant");
    assert_eq!(claude.base_url.as_str(), "http://127.0.0.1:9/x");
    assert_eq!((claude.model.as_str(), claude.bot_name.as_str()), ("model-a", "Ada"));
    let openai = config.providers.openai.as_ref().unwrap();
    assert_eq!(openai.base_url.as_str(), "https://api.openai.com/v1");
    assert_eq!((openai.model.as_str(), openai.bot_name.as_str()), ("gpt-6-luna", "GPT Assistant"));

    assert_eq!(config.providers.openai_api, OpenAiApi::Auto);
    let api = |name| from_env(&[("OPENAI_API", name)]).providers.openai_api;
    assert_eq!((api("responses"), api("chat")), (OpenAiApi::Responses, OpenAiApi::Chat));

    let local = from_env(&[("OPENAI_BASE_URL", "http://localhost:11434/v1")]);
    assert!(local.providers.openai.as_ref().unwrap().key.is_none());
    assert!(
        local.providers.is_configured(ProviderKind::OpenAi)
            && !local.providers.is_configured(ProviderKind::Claude)
    );
    assert!(from_env(&[("ANTHROPIC_BASE_URL", "http://a.test")]).providers.anthropic.is_none());
}

#[test]
fn the_bot_is_called_claude_only_if_claude_is_chosen() {
    let claude = ("ANTHROPIC_API_KEY", "sk-ant");
    let openai = ("OPENAI_API_KEY", "sk-oai");
    let prefers = |name| ("AI_PROVIDER", name);
    for (env, chosen, name, powered_by) in [
        (&[claude, openai][..], ProviderKind::Claude, "Claude Assistant", "Claude"),
        (&[claude, prefers("openai")], ProviderKind::Claude, "Claude Assistant", "Claude"),
        (&[claude, openai, prefers("openai")], ProviderKind::OpenAi, "Assistant", ""),
        (&[openai, prefers("claude")], ProviderKind::OpenAi, "Assistant", ""),
        (&[claude, prefers("demo")], ProviderKind::Demo, "Assistant", ""),
        (&[], ProviderKind::Demo, "Assistant", ""),
        // Each name by itself.
        (&[claude, ("BOT_NAME", "Ada")], ProviderKind::Claude, "Ada", "Claude"),
        (&[("BOT_POWERED_BY", "us")], ProviderKind::Demo, "Assistant", "us"),
    ] {
        let config = from_env(env);
        assert_eq!(config.providers.chosen(), chosen, "{env:?}");
        let names = (config.bot.name.as_str(), config.bot.powered_by.as_str());
        assert_eq!(names, (name, powered_by), "{env:?}");
    }
}

#[test]
fn values_are_accepted_in_their_usual_spellings() {
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
    assert_eq!(config.listen.address().to_string(), "127.0.0.1:0");
    assert!(
        matches!(&config.storage.database, Database::Redb(p) if p == Path::new("/var/lib/chat/a/b.redb"))
    );
    assert_eq!(shown(&config.access.trusted_proxies), ["10.0.0.0/8", "::1/128"]);
    assert_eq!(config.limits.allowed_models, ["a", "b"]);
    assert_eq!(config.bot.suggestions, ["What?", "Why?"]);
    assert_eq!(config.bot.instructions.as_deref(), Some("Line\nline"));
    assert_eq!(config.metrics.addr.unwrap().to_string(), "127.0.0.1:9100");
    assert_eq!(config.limits.retention, Duration::from_secs(86_400));

    let file = from_env(&[("DATABASE_URL", "redb:///srv/x.redb")]).storage.database;
    assert!(matches!(&file, Database::Redb(p) if p == Path::new("/srv/x.redb")));
    let server = from_env(&[("DATABASE_URL", "postgres://u:p@db/chat")]).storage.database;
    assert!(
        matches!(&server, Database::Postgres(url) if url.expose_secret() == "postgres://u:p@db/chat")
    );
    assert_eq!(from_env(&[("HOST", "[::]")]).listen.host.to_string(), "::");
}
