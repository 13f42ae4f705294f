//! WebKitGTK's MiniBrowser with its driver, on a virtual screen.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use thirtyfour::Capabilities;
use tokio::net::{TcpListener, TcpStream};

use super::engine::Listening;
use super::process::Process;

const DRIVER: &str = "/usr/bin/WebKitWebDriver";
const SCREEN: &str = "/usr/bin/Xvfb";

pub async fn listen() -> Listening {
    let mut screen = Process::start(Command::new(SCREEN).args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        "1400x1000x24",
        "-nolisten",
        "tcp",
    ]));
    let display = screen
        .reports(|line| line.parse::<u32>().ok())
        .unwrap_or_else(|| panic!("{SCREEN} ends before it shows a screen"));
    let port = free_port().await;
    let driver = Process::start(
        Command::new(DRIVER)
            .args([format!("--port={port}"), "--host=127.0.0.1".to_owned()])
            .env("DISPLAY", format!(":{display}"))
            .env("GDK_BACKEND", "x11")
            .env("LANG", "en_US.UTF-8")
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            // There is no session bus for accessibility.
            .env("NO_AT_BRIDGE", "1"),
    );
    for attempt in 0.. {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(_) => break,
            Err(error) => assert!(attempt < 1000, "{DRIVER} does not listen: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let wanted = json!({
        "webkitgtk:browserOptions": {"binary": browser(), "args": ["--automation"]},
    });
    let wanted: Capabilities = serde_json::from_value(wanted).unwrap();
    Listening { port, wanted, processes: vec![driver, screen] }
}

/// A port that was free a moment ago: the driver cannot choose one.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// The browser's program, in a folder that depends on architecture and version.
fn browser() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found: Vec<_> = folders
        .filter_map(|folder| std::fs::read_dir(folder.path()).ok())
        .flat_map(|inside| inside.flatten())
        .filter(|folder| folder.file_name().as_encoded_bytes().starts_with(b"webkit2gtk-"))
        .map(|folder| folder.path().join("MiniBrowser"))
        .filter(|program| program.exists())
        .collect();
    found.sort();
    found.pop().expect("WebKitGTK's MiniBrowser is there; tests/run installs what the tests need")
}
