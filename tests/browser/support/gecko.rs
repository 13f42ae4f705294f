//! Firefox with its driver.

use std::process::Command;

use serde_json::json;
use thirtyfour::Capabilities;

use super::engine::Listening;
use super::process::Process;

/// It is built by `tests/run`, since Debian has no package of it.
const DRIVER: &str = "geckodriver";
const BROWSER: &str = "/usr/bin/firefox-esr";

pub fn listen() -> Listening {
    let mut process =
        Process::start(Command::new(DRIVER).args(["--host", "127.0.0.1", "--port", "0"]));
    let port = process
        .reports(|line| line.split_once("Listening on 127.0.0.1:")?.1.parse().ok())
        .unwrap_or_else(|| panic!("{DRIVER} ends before it listens"));
    let wanted = json!({
        "browserName": "firefox",
        "moz:firefoxOptions": {
            "binary": BROWSER,
            "args": ["-headless", "--width=1280", "--height=885"],
            // Nothing beyond this machine is asked for.
            "prefs": {
                "app.normandy.enabled": false,
                "browser.safebrowsing.malware.enabled": false,
                "browser.safebrowsing.phishing.enabled": false,
                "browser.search.suggest.enabled": false,
                "datareporting.policy.dataSubmissionEnabled": false,
                "extensions.update.enabled": false,
                "intl.accept_languages": "en-US",
                "network.captive-portal-service.enabled": false,
                "network.connectivity-service.enabled": false,
                "network.dns.disablePrefetch": true,
                "network.proxy.type": 0,
                "services.settings.server": "http://127.0.0.1:9",
                "toolkit.telemetry.enabled": false,
            },
        },
    });
    let wanted: Capabilities = serde_json::from_value(wanted).unwrap();
    Listening { port, wanted, processes: vec![process] }
}
