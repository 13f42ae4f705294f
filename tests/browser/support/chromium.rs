//! A separate Chromium with its driver for each test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel, WebDriver};

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

/// A browser used by one test only.
pub struct Chromium {
    pub driver: WebDriver,
    _process: Process,
}

/// The driver. Dropping it ends the browser and removes the files of both.
struct Process {
    driver: Child,
    port: u16,
    /// Profile, temporary files, sockets.
    files: TempDir,
}

impl Chromium {
    pub async fn start() -> Self {
        for program in [DRIVER, BROWSER] {
            assert!(
                Path::new(program).exists(),
                "{program} is not there: run tests/run, which installs what the tests need"
            );
        }
        // It picks a port that is free for IPv4 and IPv6, and gives up if another process is faster.
        let process = (0..10).find_map(|_| Process::start());
        let process = process.unwrap_or_else(|| panic!("{DRIVER} ends before it listens"));

        let mut wanted = ChromeCapabilities::new();
        wanted.set_binary(BROWSER).unwrap();
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        for argument in ARGUMENTS {
            wanted.add_arg(argument).unwrap();
        }
        let profile = process.files.path().join("profile");
        wanted.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = format!("http://127.0.0.1:{}", process.port);
        let driver = WebDriver::builder(address, wanted).client(client).await.unwrap();
        // The session ends with its process, so it needs no explicit end.
        driver.clone().leak().unwrap();
        driver.set_script_timeout(Duration::from_secs(10)).await.unwrap();
        Self { driver, _process: process }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // The browser ends a little later and writes to its folder until then.
        for _ in 0..500 {
            if !running_in(self.files.path()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Process {
    /// Returns `None` if it has exited instead of listening.
    fn start() -> Option<Self> {
        let files = tempfile::tempdir().unwrap();
        let mut driver = Command::new(DRIVER)
            .args(["--port=0", "--log-level=SEVERE"])
            .env("TMPDIR", files.path())
            .env("HOME", files.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim_end().trim_end_matches('.').parse().unwrap();
                // Keep reading: it would block on a full pipe.
                std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return Some(Self { driver, port, files });
            }
            line.clear();
        }
        driver.wait().unwrap();
        None
    }
}

/// Whether a process started with this folder is still running.
fn running_in(folder: &Path) -> bool {
    let folder = folder.as_os_str().as_encoded_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes
        .flatten()
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| line.windows(folder.len()).any(|part| part == folder))
}
