//! What is legal in the settings but unsafe, without effect, or impossible in this version. For the
//! start, and for commands that check a configuration.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::Date;
use url::Url;

use super::exit::Exit;
use super::{AppEnv, Config, Database};
use crate::domain::{ProviderKind, Timestamp};
use crate::models::Retirement;

/// Something that the operator should know about a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The setting's variable, such as `ALLOWED_HOSTS`.
    pub setting: Cow<'static, str>,
    /// How serious it is.
    pub severity: Severity,
    /// What is wrong and what to do about it; completes the sentence that begins with `setting`.
    pub text: String,
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The server starts nevertheless.
    Warning,
    /// The server does not start: the setting cannot have its effect.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.text)
    }
}

fn warning(setting: &'static str, text: impl Into<String>) -> Finding {
    Finding { setting: setting.into(), severity: Severity::Warning, text: text.into() }
}

fn error(setting: &'static str, text: impl Into<String>) -> Finding {
    Finding { setting: setting.into(), severity: Severity::Error, text: text.into() }
}

impl Config {
    /// Everything worth knowing about these settings at the time `now`, errors first.
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        let mut findings = self.unsupported();
        findings.extend(self.provider_warnings());
        findings.extend(self.model_warnings(now.date()));
        findings.extend(self.exposure_warnings());
        if self.admin.secret_key.is_some() {
            findings.push(warning(
                "SECRET_KEY",
                "is not used by this version; it can be removed until there is an admin panel",
            ));
        }
        findings
    }

    /// Refuses settings that this version cannot give their effect.
    ///
    /// # Errors
    /// The first such setting.
    pub fn ensure_supported(&self) -> Result<(), Exit> {
        match self.unsupported().first() {
            Some(Finding { setting, text, .. }) => Err(Exit::setting(setting, text)),
            None => Ok(()),
        }
    }

    fn unsupported(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if matches!(self.storage.database, Database::Postgres(_)) {
            let text = "PostgreSQL is not supported by this version; use redb://FILE";
            findings.push(error("DATABASE_URL", text));
        }
        if self.admin.account.is_some() {
            let text = "is not supported by this version; remove it and ADMIN_PASSWORD";
            findings.push(error("ADMIN_USERNAME", text));
        }
        if !self.limits.retention.is_zero() {
            let text = "is not supported by this version; remove it or set it to 0";
            findings.push(error("CHAT_RETENTION", text));
        }
        findings
    }

    fn provider_warnings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let providers = &self.providers;
        for (setting, kind) in
            [("AI_PROVIDER", providers.preferred), ("AI_FALLBACK", providers.fallback)]
        {
            if let Some(kind) = kind.filter(|kind| !providers.is_configured(*kind)) {
                let key = match kind {
                    ProviderKind::Claude => "ANTHROPIC_API_KEY",
                    ProviderKind::OpenAi | ProviderKind::Demo => "OPENAI_API_KEY",
                };
                let text = format!("{kind} is not configured and will not be used; set {key}");
                findings.push(warning(setting, text));
            }
        }
        let demo_by_default = providers.chosen() == ProviderKind::Demo
            && providers.preferred != Some(ProviderKind::Demo);
        if self.app_env == AppEnv::Production && demo_by_default {
            findings.push(warning(
                "AI_PROVIDER",
                "no model is configured, so the demo answers visitors; set ANTHROPIC_API_KEY, \
                 OPENAI_API_KEY or OPENAI_BASE_URL, or AI_PROVIDER=demo if that is intended",
            ));
        }
        if providers.openai.as_ref().is_some_and(|openai| !ends_in_v1(&openai.base_url)) {
            findings.push(warning(
                "OPENAI_BASE_URL",
                "does not end in /v1, as the addresses of most OpenAI-compatible APIs do; \
                 check it if calls fail",
            ));
        }
        findings
    }

    /// Models that are retired, soon will be, or may not exist. Only the providers' own addresses are
    /// judged: other servers choose the names of their models themselves.
    fn model_warnings(&self, today: Date) -> Vec<Finding> {
        let providers = &self.providers;
        let own = |host: &str| {
            matches!(host, "api.anthropic.com" | "api.openai.com")
                || host.ends_with(".api.openai.com")
        };
        [("CLAUDE_MODEL", &providers.anthropic), ("OPENAI_MODEL", &providers.openai)]
            .into_iter()
            .filter_map(|(setting, api)| Some((setting, api.as_ref()?)))
            .filter(|(_, api)| api.base_url.host_str().is_some_and(own))
            .filter_map(|(setting, api)| {
                let (models, model) = (&providers.models, api.model.as_str());
                let instead = models.successor(model).map_or_else(
                    || "set a current model".to_owned(),
                    |successor| format!("set {setting}={successor}"),
                );
                let text = match models.retirement(model, today) {
                    Some(Retirement::Past(date)) => {
                        format!("{model} was retired on {date}; {instead}")
                    }
                    Some(Retirement::Near(date)) => {
                        format!("{model} will be retired on {date}; {instead}")
                    }
                    None if !models.knows(model) => format!(
                        "{model} is not in the table of models of {}; check the name if calls \
                         fail, and add its prices to PRICES",
                        models.as_of()
                    ),
                    None => return None,
                };
                Some(warning(setting, text))
            })
            .collect()
    }

    fn exposure_warnings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.metrics.addr.is_some_and(|addr| !is_loopback(addr.ip())) {
            findings.push(warning(
                "METRICS_ADDR",
                "is not a loopback address: metrics are served without a password; \
                 use 127.0.0.1 or keep others out with a firewall",
            ));
        }
        if self.app_env != AppEnv::Production {
            return findings;
        }
        if self.access.allowed_hosts.is_any() {
            let text = "is * in production; name the hosts that are served";
            findings.push(warning("ALLOWED_HOSTS", text));
        }
        if self.access.allowed_origins.is_any() {
            let text = "is * in production: any site can use the chat at your expense; \
                        name the origins of your sites";
            findings.push(warning("ALLOWED_ORIGINS", text));
        }
        if IpNet::aggregate(&self.access.trusted_proxies).iter().any(|net| net.prefix_len() == 0) {
            let text = "covers every address, so clients can forge their own; \
                        name the networks of your proxies";
            findings.push(warning("TRUSTED_PROXIES", text));
        }
        findings
    }
}

fn ends_in_v1(url: &Url) -> bool {
    url.path().trim_end_matches('/').ends_with("/v1")
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
