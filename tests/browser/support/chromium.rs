//! Chromium with its driver.

use std::process::Command;

use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};

use super::engine::Listening;
use super::process::Process;

const DRIVER: &str = "/usr/bin/chromedriver";
const BROWSER: &str = "/usr/bin/chromium";

/// Only this machine can be reached, and no background activity is allowed. Because of the pipe,
/// Chromium ends with its driver, however that ends. A page and its frames share one process:
/// otherwise the frames' console would be lost, and settings for a page would not apply to them.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP *.example 127.0.0.1, EXCLUDE localhost, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND",
];

pub fn listen() -> Listening {
    // It picks a port that is free for IPv4 and IPv6, and gives up if another process is faster.
    let (port, process) =
        (0..10).find_map(|_| start()).unwrap_or_else(|| panic!("{DRIVER} ends before it listens"));
    let mut wanted = ChromeCapabilities::new();
    wanted.set_binary(BROWSER).unwrap();
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    for argument in ARGUMENTS {
        wanted.add_arg(argument).unwrap();
    }
    let profile = process.files().join("profile");
    wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
    Listening { port, wanted: wanted.into(), processes: vec![process] }
}

/// Returns `None` if it has exited instead of listening.
fn start() -> Option<(u16, Process)> {
    let mut process = Process::start(Command::new(DRIVER).args(["--port=0", "--log-level=SEVERE"]));
    let port = process.reports(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })?;
    Some((port, process))
}
