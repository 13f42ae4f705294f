//! Starting, and refusing to start.

use std::fs;

use crate::process::{Running, one_line, run};

#[test]
fn it_runs_without_any_setting() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]);
    let (status, body) = server.call("GET", "/", "").unwrap();
    assert!(status == 200 && body.contains("<html"));
    assert!(folder.path().join("data/chatbot.redb").is_file());
}

#[test]
fn in_development_the_log_shows_the_next_steps() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]);
    let base = format!("http://{}", server.address);
    for expected in [
        &format!("open {base}/ in a browser"),
        "the built-in demo; for a model set ANTHROPIC_API_KEY",
        "data is kept in ./data/chatbot.redb",
        &format!("<script src=\"{base}/embed.js\" async></script>"),
    ] {
        let line = server.log.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn in_production_the_log_is_json_without_next_steps() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[("APP_ENV", "production")]);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let log: Vec<String> = server.log.iter().collect();
    assert!(log.iter().all(|line| line.starts_with('{')), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("in a browser")), "{log:?}");
}

#[test]
fn an_invalid_setting_exits_with_2_and_one_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value) in [
        ("PORT", "99999"),
        ("PORT", "http"),
        ("BOT_COLOR", "no colour"),
        ("ANTHROPIC_BASE_URL", "not a url"),
        ("OPENAI_BASE_URL", "ftp://x"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("ALLOWED_ORIGINS", "example.com"),
        ("CHAT_SESSION_TIMEOUT", "soon"),
        ("AI_PROVIDER", "gemini"),
        ("LOG_FORMAT", "xml"),
        ("APP_ENV", "staging"),
        ("BOT_SUGGESTIONS", "not json"),
        ("DATABASE_URL", "mysql://x"),
    ] {
        let output = run(folder.path(), &[], &[(variable, value)]);
        assert_eq!(output.status.code(), Some(2), "{variable}");
        let line = one_line(&output);
        assert!(line.starts_with(&format!("error: {variable}: ")), "{line}");
    }
    let short = [("APP_ENV", "production"), ("SECRET_KEY", "short")];
    let output = run(folder.path(), &[], &short);
    assert_eq!(output.status.code(), Some(2));
    let line = one_line(&output);
    assert!(line.starts_with("error: SECRET_KEY: ") && !line.contains("short,"), "{line}");
    let output = run(folder.path(), &["--no-such-flag"], &[]);
    assert_eq!(output.status.code(), Some(2));
    one_line(&output);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing was created");
}

#[test]
fn the_environment_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "BOT_NAME=\"From the file\"\n").unwrap();
    let server = Running::start(folder.path(), &[]);
    let (_, body) = server.call("GET", "/api/sessions/bot-config", "").unwrap();
    assert!(body.contains("From the file"), "{body}");
    drop(server);
    let server = Running::start(folder.path(), &[("BOT_NAME", "From outside")]);
    let (_, body) = server.call("GET", "/api/sessions/bot-config", "").unwrap();
    assert!(body.contains("From outside"), "{body}");
}

#[test]
fn unusable_data_exits_with_1_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    let in_a_file = file.join("data");
    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("chatbot.redb"), "this is not a database, but long enough".repeat(500))
        .unwrap();
    for data in [in_a_file, foreign] {
        let output =
            run(folder.path(), &["--data-dir", data.to_str().unwrap(), "--port", "0"], &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let line = one_line(&output);
        assert!(line.starts_with("error: ") && line.contains(data.to_str().unwrap()), "{line}");
    }
}

#[test]
fn settings_that_this_version_cannot_apply_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = run(folder.path(), &[], &[("DATABASE_URL", "postgresql://u:p@127.0.0.1/db")]);
    assert_eq!(postgres.status.code(), Some(2));
    assert!(one_line(&postgres).contains("PostgreSQL is not supported"));
    for env in [
        &[("ADMIN_USERNAME", "ada"), ("ADMIN_PASSWORD", "hidden")][..],
        &[("CHAT_RETENTION", "60"), ("APP_ENV", "production")],
    ] {
        let output = run(folder.path(), &[], env);
        assert_eq!(output.status.code(), Some(2));
        let line = one_line(&output);
        let start = format!("error: {}: is not supported by this version", env[0].0);
        assert!(line.starts_with(&start) && !line.contains("hidden"), "{line}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing was created");
    // Other commands do not depend on it.
    assert!(run(folder.path(), &["openapi"], &[("CHAT_RETENTION", "60")]).status.success());
}

#[test]
fn a_data_folder_is_used_by_only_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(folder.path(), &[]);
    let second = run(folder.path(), &["--port", "0"], &[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(one_line(&second).contains("another process"), "{second:?}");
    assert_eq!(first.call("GET", "/health/ready", "").unwrap().0, 200);
}

#[test]
fn an_occupied_port_is_reported_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = run(folder.path(), &[], &[("PORT", &port)]);
    assert_eq!(output.status.code(), Some(1));
    let line = one_line(&output);
    assert!(line.starts_with(&format!("error: cannot listen on 127.0.0.1:{port}: ")), "{line}");
    assert!(line.ends_with("; choose another port with PORT or --port"), "{line}");
}

#[test]
fn warnings_are_logged_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = run(folder.path(), &[], &[("PORT", &port), ("APP_ENV", "production")]);
    let log = String::from_utf8(output.stderr).unwrap();
    for warning in ["AI_PROVIDER: no model", "ALLOWED_HOSTS: is *", "ALLOWED_ORIGINS: is *"] {
        assert_eq!(log.matches(warning).count(), 1, "{log}");
    }
}

#[test]
fn secrets_and_session_ids_stay_out_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(
        folder.path(),
        &[("RUST_LOG", "trace"), ("SECRET_KEY", "top-secret-key-of-the-operator-123")],
    );
    let (_, body) = server.call("POST", "/api/sessions/create", "{}").unwrap();
    let id = body.split("\"sessionId\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let message = format!("{{\"sessionId\":\"{id}\",\"message\":\"my private question\"}}");
    assert_eq!(server.call("POST", "/api/chat/message", &message).unwrap().0, 200);
    assert_eq!(server.call("GET", &format!("/api/sessions/{id}"), "").unwrap().0, 200);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let log: Vec<String> = server.log.iter().collect();
    let log = log.join("\n");
    assert!(log.contains(&id[..8]), "the prefix is logged");
    for secret in [id.as_str(), "my private question", "top-secret-key"] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// With more connections than descriptors it logs that, waits for some to close, and continues.
#[test]
fn without_free_descriptors_it_waits_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with_limit(folder.path(), "-n 60", &[("LOG_FORMAT", "json")]);
    let connections: Vec<_> =
        (0..100).map(|_| std::net::TcpStream::connect(server.address).unwrap()).collect();
    let said = server.log.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
    assert!(said.contains("cannot accept connections"), "{said}");
    drop(connections);
    assert_eq!(server.call("GET", "/health/ready", "").unwrap().0, 200);
}

/// The soft limit is often 1,024 while the hard one is far higher.
#[test]
fn the_limit_of_open_files_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with_limit(folder.path(), "-S -n 60", &[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let values: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(values[3], values[4], "soft and hard: {files}");
    let connections: Vec<_> =
        (0..100).map(|_| std::net::TcpStream::connect(server.address).unwrap()).collect();
    assert_eq!(server.call("GET", "/health/ready", "").unwrap().0, 200);
    drop(connections);
}

#[test]
fn metrics_have_their_own_listener() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Running::start(folder.path(), &[("METRICS_ADDR", &free.to_string())]);
    assert_eq!(server.call("POST", "/api/sessions/create", "{}").unwrap().0, 201);
    assert_eq!(server.call("GET", "/metrics", "").unwrap().0, 404, "not for visitors");
    let (status, text) = crate::process::call(free, "GET", "/metrics", "").unwrap();
    assert_eq!(status, 200);
    for line in [
        "chatbot_widget_http_requests_total{route=\"/api/sessions/create\",method=\"POST\",status=\"201\"} 1",
        "chatbot_widget_sessions 1",
        "chatbot_widget_log_lines_dropped_total 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let taken = run(folder.path(), &[], &[("PORT", "0"), ("METRICS_ADDR", &free.to_string())]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(one_line(&taken).contains("METRICS_ADDR: cannot listen on"));
}

#[test]
fn a_misspelt_setting_is_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "RATE_LIMITS=2\n").unwrap();
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let env = [("PORT", port.as_str()), ("ANTHROPIC_APIKEY", "sk-hidden")];
    let log = String::from_utf8(run(folder.path(), &[], &env).stderr).unwrap();
    for expected in [
        "ANTHROPIC_APIKEY: is not a setting and has no effect; did you mean ANTHROPIC_API_KEY?",
        "RATE_LIMITS: is not a setting and has no effect; did you mean RATE_LIMIT?",
    ] {
        assert!(log.contains(expected), "{log}");
    }
    assert!(!log.contains("hidden"), "{log}");
}
