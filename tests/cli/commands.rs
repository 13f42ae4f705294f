//! `openapi`, `healthcheck`, `--help`, `--version`.

use crate::process::{Running, one_line, run};

#[test]
fn openapi_prints_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["openapi"], &[]);
    assert!(output.status.success());
    assert!(output.stdout == include_bytes!("../../openapi/openapi.json"));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it creates no files");
}

#[test]
fn help_and_version() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("ANTHROPIC_API_KEY", "sk-very-secret")];
    let help = run(folder.path(), &["--help"], &env);
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["serve", "openapi", "healthcheck", "CHAT_SESSION_TIMEOUT", "--anthropic-api-key"] {
        assert!(text.contains(word), "{word}");
    }
    assert!(!text.contains("sk-very-secret"));
    let version = run(folder.path(), &["--version"], &[]);
    let text = String::from_utf8(version.stdout).unwrap();
    assert!(text.starts_with(concat!("chatbot-widget ", env!("CARGO_PKG_VERSION"))), "{text}");
}

#[test]
fn healthcheck_reports_whether_the_server_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[("ALLOWED_HOSTS", "chat.test")]);
    let port = server.address.port().to_string();
    let healthy = run(folder.path(), &["healthcheck", "--port", &port], &[("HOST", "0.0.0.0")]);
    assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
    drop(server);
    let gone = run(folder.path(), &["healthcheck", "--port", &port], &[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(one_line(&gone).starts_with("error: no answer from 127.0.0.1 port "));
}
