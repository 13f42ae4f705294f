//! A separate browser with its driver for each test.

use std::time::Duration;

use thirtyfour::{Capabilities, WebDriver};

use super::process::Process;
use super::{chromium, gecko, webkit};

/// What draws the page and runs its scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, which most scenarios use: only its driver reports the console and imitates phones.
    Chromium,
    /// Firefox.
    Gecko,
    /// WebKitGTK's MiniBrowser, the engine of Safari.
    WebKit,
}

/// A browser used by one test only.
pub struct Browser {
    pub driver: WebDriver,
    pub engine: Engine,
    _processes: Vec<Process>,
}

/// A driver that listens, and what it should start.
pub struct Listening {
    pub port: u16,
    pub wanted: Capabilities,
    /// The driver, and what else must run; they end in this order.
    pub processes: Vec<Process>,
}

impl Browser {
    pub async fn start(engine: Engine) -> Self {
        let listening = match engine {
            Engine::Chromium => chromium::listen(),
            Engine::Gecko => gecko::listen(),
            Engine::WebKit => webkit::listen().await,
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = format!("http://127.0.0.1:{}", listening.port);
        let driver = WebDriver::builder(address, listening.wanted).client(client).await.unwrap();
        // The session ends with its process, so it needs no explicit end.
        driver.clone().leak().unwrap();
        driver.set_script_timeout(Duration::from_secs(10)).await.unwrap();
        Self { driver, engine, _processes: listening.processes }
    }
}
