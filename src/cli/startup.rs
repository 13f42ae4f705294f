//! What a developer wants to know after startup, besides the address.

use std::net::{IpAddr, SocketAddr};

use crate::config::{AppEnv, Config, Database, LogFormat};

/// The lines to log once the server listens on `local` with `scheme`, `http` or `https`. None
/// outside development, and none for log collectors.
pub fn hints(config: &Config, scheme: &str, local: SocketAddr) -> Vec<String> {
    if config.app_env != AppEnv::Development || config.log.format == LogFormat::Json {
        return Vec::new();
    }
    let base = base(scheme, local);
    let mut lines = vec![format!("open {base}/ in a browser to try the chat"), model(config)];
    if let Database::Redb(file) = &config.storage.database {
        lines.push(format!("data is kept in {}", file.display()));
    }
    lines.push(format!(
        "to add the chat to a page: <script src=\"{base}/embed.js\" async></script>"
    ));
    lines
}

/// An address that a browser on this machine can open.
fn base(scheme: &str, local: SocketAddr) -> String {
    let ip: IpAddr = local.ip();
    if ip.is_unspecified() {
        format!("{scheme}://localhost:{}", local.port())
    } else {
        format!("{scheme}://{local}")
    }
}

fn model(config: &Config) -> String {
    match config.providers.chosen_model() {
        Some(model) => format!("answers come from {} ({model})", config.providers.chosen()),
        None => "answers come from the built-in demo; for a model set ANTHROPIC_API_KEY, \
                 OPENAI_API_KEY or OPENAI_BASE_URL"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(flags: &[&str], local: &str) -> Vec<String> {
        let config = Config::parse_from(["x"].iter().chain(flags)).unwrap();
        hints(&config, "http", local.parse().unwrap())
    }

    #[test]
    fn a_developer_is_told_the_next_steps() {
        assert_eq!(
            lines(&["--data-dir", "/srv"], "127.0.0.1:8000"),
            [
                "open http://127.0.0.1:8000/ in a browser to try the chat",
                "answers come from the built-in demo; for a model set ANTHROPIC_API_KEY, \
                 OPENAI_API_KEY or OPENAI_BASE_URL",
                "data is kept in /srv/chatbot.redb",
                "to add the chat to a page: \
                 <script src=\"http://127.0.0.1:8000/embed.js\" async></script>",
            ]
        );
    }

    #[test]
    fn the_address_can_be_opened_and_the_model_is_named() {
        let key = ["--anthropic-api-key", "sk-hidden", "--claude-model", "model-a"];
        let shown = lines(&key, "[::]:80");
        assert_eq!(shown[0], "open http://localhost:80/ in a browser to try the chat");
        assert_eq!(shown[1], "answers come from claude (model-a)");
        assert!(!shown.concat().contains("hidden"));
        assert_eq!(lines(&[], "[::1]:80")[0], "open http://[::1]:80/ in a browser to try the chat");
    }

    #[test]
    fn production_and_log_collectors_get_none() {
        for flags in [["--app-env", "production"], ["--log-format", "json"]] {
            assert!(lines(&flags, "127.0.0.1:8000").is_empty(), "{flags:?}");
        }
    }
}
