//! Findings about legal settings.

use super::*;
use crate::domain::ProviderKind;

const PRODUCTION: (&str, &str) = ("APP_ENV", "production");

/// Settings with which production has nothing to report.
const QUIET: [(&str, &str); 4] = [
    PRODUCTION,
    ("ALLOWED_HOSTS", "chat.example.com"),
    ("ALLOWED_ORIGINS", "https://example.com"),
    ("ANTHROPIC_API_KEY", "sk-ant"),
];

/// The findings, one line each; all of them must have this severity.
#[track_caller]
fn lines(severity: Severity, env: &[(&str, &str)]) -> Vec<String> {
    let findings = from_env(env).findings(TODAY);
    assert!(findings.iter().all(|finding| finding.severity == severity), "{findings:?}");
    findings.iter().map(ToString::to_string).collect()
}

/// The warnings of settings beside those that are [`QUIET`].
#[track_caller]
fn warnings(env: &[(&str, &str)]) -> Vec<String> {
    // The first of two counts.
    let env: Vec<_> = env.iter().chain(&QUIET).copied().collect();
    lines(Severity::Warning, &env)
}

#[test]
fn each_risk_in_production_is_one_warning() {
    assert_eq!(warnings(&[]), Vec::<String>::new());
    assert_eq!(
        lines(Severity::Warning, &[PRODUCTION]),
        [
            "AI_PROVIDER: no model is configured, so the demo answers visitors; set \
             ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL, or AI_PROVIDER=demo if that is \
             intended",
            "ALLOWED_HOSTS: is * in production; name the hosts that are served",
            "ALLOWED_ORIGINS: is * in production: any site can use the chat at your expense; name \
             the origins of your sites",
        ]
    );
    assert_eq!(
        warnings(&[("TRUSTED_PROXIES", "0.0.0.0/0")]),
        ["TRUSTED_PROXIES: covers every address, so clients can forge their own; name the \
          networks of your proxies"]
    );
    for everything in ["::/0", "10.0.0.0/8,0.0.0.0/1,128.0.0.0/1"] {
        assert_eq!(warnings(&[("TRUSTED_PROXIES", everything)]).len(), 1, "{everything}");
    }
    assert_eq!(warnings(&[("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/1")]), Vec::<String>::new());
}

#[test]
fn development_may_be_open() {
    let open = [("TRUSTED_PROXIES", "0.0.0.0/0")];
    assert_eq!(lines(Severity::Warning, &open), Vec::<String>::new());
}

#[test]
fn the_demo_may_be_chosen_in_production() {
    assert_eq!(warnings(&[("ANTHROPIC_API_KEY", ""), ("AI_PROVIDER", "demo")]), [""; 0]);
    // Without the first, both the missing key and its consequence are reported.
    let env = [("ANTHROPIC_API_KEY", ""), ("AI_PROVIDER", "openai")];
    assert_eq!(lines(Severity::Warning, &[&env[..], &QUIET[..3]].concat()).len(), 2);
}

#[test]
fn providers_asked_for_but_not_configured_are_a_warning() {
    let env = [("AI_PROVIDER", "openai"), ("AI_FALLBACK", "claude")];
    assert_eq!(from_env(&env).providers.preferred, Some(ProviderKind::OpenAi));
    let expected = [
        "AI_PROVIDER: openai is not configured and will not be used; set OPENAI_API_KEY",
        "AI_FALLBACK: claude is not configured and will not be used; set ANTHROPIC_API_KEY",
    ];
    assert_eq!(lines(Severity::Warning, &env), expected);
    let demo = [("AI_PROVIDER", "demo"), ("AI_FALLBACK", "demo")];
    assert!(from_env(&demo).findings(TODAY).is_empty());
}

#[test]
fn an_openai_address_should_end_in_v1() {
    for url in [
        "http://localhost:11434/v1",
        "http://localhost:11434/v1/",
        "https://x.openai.azure.com/openai/v1",
    ] {
        assert_eq!(lines(Severity::Warning, &[("OPENAI_BASE_URL", url)]), [""; 0], "{url}");
    }
    for url in [
        "http://localhost:11434",
        "https://a.test/v10",
        "https://a.test/av1",
        "https://a.test/v1/x",
    ] {
        let found = lines(Severity::Warning, &[("OPENAI_BASE_URL", url)]);
        assert!(found.len() == 1 && found[0].starts_with("OPENAI_BASE_URL: does not end in /v1"));
    }
}

#[test]
fn metrics_belong_on_loopback() {
    for addr in ["127.0.0.1:9100", "127.1.2.3:9100", "[::1]:9100", "[::ffff:127.0.0.1]:9100"] {
        assert_eq!(lines(Severity::Warning, &[("METRICS_ADDR", addr)]), [""; 0], "{addr}");
    }
    for addr in ["0.0.0.0:9100", "[::]:9100", "10.0.0.1:9100"] {
        let found = lines(Severity::Warning, &[("METRICS_ADDR", addr)]);
        assert!(found.len() == 1 && found[0].starts_with("METRICS_ADDR: is not a loopback"));
    }
}

#[test]
fn settings_that_cannot_have_their_effect_stop_the_start() {
    for (env, refusal) in [
        (
            &[("DATABASE_URL", "postgresql://u:p@h/d")][..],
            "DATABASE_URL: PostgreSQL is not supported by this version; use redb://FILE",
        ),
        (
            &[("ADMIN_USERNAME", "ada"), ("ADMIN_PASSWORD", "pass")],
            "ADMIN_USERNAME: is not supported by this version; remove it and ADMIN_PASSWORD",
        ),
        (
            &[("CHAT_RETENTION", "1")],
            "CHAT_RETENTION: is not supported by this version; remove it or set it to 0",
        ),
    ] {
        assert_eq!(lines(Severity::Error, env), [refusal]);
        let exit = from_env(env).ensure_supported().unwrap_err();
        assert_eq!((exit.code(), exit.to_string()), (2, format!("error: {refusal}")));
    }
    for env in [("CHAT_RETENTION", "0"), ("TLS_CERT", ""), ("ALLOWED_HOSTS", "*")] {
        assert_eq!(from_env(&[env]).ensure_supported(), Ok(()), "{env:?}");
    }
}

#[test]
fn an_unused_secret_key_is_a_warning() {
    let found = lines(Severity::Warning, &[("SECRET_KEY", "short")]);
    assert!(found.len() == 1 && found[0].starts_with("SECRET_KEY: is not used by this version"));
    assert!(!found[0].contains("short"));
}

#[test]
fn models_that_are_retired_or_unknown_are_a_warning() {
    let openai = |model| warnings(&[("OPENAI_API_KEY", "sk"), ("OPENAI_MODEL", model)]);
    assert_eq!(
        openai("gpt-4o-mini"),
        ["OPENAI_MODEL: gpt-4o-mini will be retired on 2027-01-14; set OPENAI_MODEL=gpt-6-luna"]
    );
    assert_eq!(
        openai("o3-mini"),
        ["OPENAI_MODEL: o3-mini was retired on 2026-10-23; set OPENAI_MODEL=gpt-6-luna"]
    );
    let unknown = "OPENAI_MODEL: gpt-7 is not in the table of models of 2026-11-25; check the name \
                   if calls fail, and add its prices to PRICES";
    assert_eq!(openai("gpt-7"), [unknown]);
    for known in ["gpt-6-luna", "gpt-5.4-mini-2026-03-17"] {
        assert_eq!(openai(known), [""; 0]);
    }
    assert_eq!(
        warnings(&[("CLAUDE_MODEL", "claude-3-5-haiku-20241022")]),
        ["CLAUDE_MODEL: claude-3-5-haiku-20241022 was retired on 2026-02-19; \
          set CLAUDE_MODEL=claude-haiku-5-5"]
    );
    // Other servers name their models as they like, those of a similar name too.
    let foreign = ("OPENAI_BASE_URL", "https://myapi.openai.com/v1");
    assert_eq!(warnings(&[foreign, ("OPENAI_MODEL", "gpt-4o-mini")]), [""; 0]);
    let regional = ("OPENAI_BASE_URL", "https://eu.api.openai.com/v1");
    assert_eq!(warnings(&[regional, ("OPENAI_MODEL", "gpt-4o-mini")]).len(), 1);
    let local = [("OPENAI_BASE_URL", "http://localhost:11434/v1"), ("OPENAI_MODEL", "gpt-4o-mini")];
    assert_eq!(warnings(&local), [""; 0]);
}

#[test]
fn prices_of_a_file_make_a_model_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.json");
    std::fs::write(&path, r#"{"models": {"gpt-7": {"input": 1, "output": 2}}}"#).unwrap();
    let path = path.to_str().unwrap();
    let env = [("OPENAI_API_KEY", "sk"), ("OPENAI_MODEL", "gpt-7"), ("PRICES", path)];
    assert_eq!(warnings(&env), [""; 0]);
    std::fs::write(path, r#"{"models": {"gpt-7": {"input": 1}}}"#).unwrap();
    assert_eq!(
        refusal(&env),
        format!(
            "error: PRICES: {path} has a price of gpt-7 that is not a number of US dollars from 0 to 1000000"
        )
    );
    std::fs::remove_file(path).unwrap();
    assert!(refusal(&env).starts_with(&format!("error: PRICES: {path} cannot be read: ")));
}
