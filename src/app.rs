//! The composition root: opens the store, builds the providers and assembles the use cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bots::Bots;
use crate::chat::{Chat, ChatLimits, ChatParts};
use crate::config::{AppEnv, Config, Database, ProviderSettings};
use crate::demo;
use crate::domain::{
    Bot, BotId, BotLook, Clock, ConfigLimits, ProviderNames, SystemClock, Timestamp,
};
use crate::error::AppError;
use crate::files::Files;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::provider::Provider;
use crate::provider::anthropic::Anthropic;
use crate::provider::offline::Offline;
use crate::provider::openai::OpenAi;
use crate::provider::transport::{self, Proxies, SetupError, Transport};
use crate::quota::{Quota, QuotaLimits};
use crate::sessions::Sessions;
use crate::store::redb::{OpenError, Options, RedbStore};
use crate::store::{Backend, Office, Store, StoreError};
use crate::telemetry;

/// How often expired sessions are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// How long a question waits for the session's previous turn.
const TURN_PATIENCE: Duration = Duration::from_secs(30);

/// Maximum number of waiting questions per session.
const TURN_QUEUE: usize = 4;

/// Size of the store's page cache, in bytes.
const STORE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The use cases and what they share.
pub struct App {
    /// The settings that the server runs with.
    pub config: Config,
    /// The bots.
    pub bots: Bots,
    /// Use cases of sessions.
    pub sessions: Sessions,
    /// Use cases of conversations.
    pub chat: Chat,
    /// Use cases of files.
    pub files: Files,
    /// The limited resources.
    pub quota: Quota,
    /// Metrics for Prometheus.
    pub metrics: Arc<Metrics>,
    store: Arc<dyn Store>,
    office: Arc<dyn Office>,
    clock: Arc<dyn Clock>,
    stopping: AtomicBool,
}

/// Why the server cannot start. `Display` is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be created.
    #[error("DATA_DIR: cannot create {path}: {source}")]
    DataDir {
        /// The folder.
        path: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// This version does not support the database.
    #[error("DATABASE_URL: PostgreSQL is not supported by this version, use redb://")]
    Postgres,
    /// The HTTP client for the providers cannot be set up.
    #[error("{0}")]
    Client(#[source] SetupError),
    /// A provider cannot be set up.
    #[error("{0}: {1}")]
    Provider(&'static str, #[source] SetupError),
}

impl App {
    /// Opens everything that `config` names.
    pub async fn open(config: Config) -> Result<Arc<Self>, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Database::Redb(path) = &config.storage.database else {
            return Err(StartError::Postgres);
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StartError::DataDir {
                path: folder.display().to_string(),
                source,
            })?;
        }
        let options = Options {
            cache_bytes: STORE_CACHE_BYTES,
            session_timeout: config.limits.session_timeout,
            now: clock.now(),
        };
        let store = without_panic_messages(|| RedbStore::open(path, options))?;
        // The only use of the environment apart from the settings: these are other programs'
        // variables.
        let proxies = Proxies::from_vars(|name| std::env::var(name).ok());
        let providers = providers(&config, &proxies)?;
        Ok(Self::assemble(config, Arc::new(store), clock, providers))
    }

    /// Assembles the use cases from their parts.
    pub fn assemble(
        config: Config,
        backend: Arc<dyn Backend>,
        clock: Arc<dyn Clock>,
        providers: Vec<Arc<dyn Provider>>,
    ) -> Arc<Self> {
        let store: Arc<dyn Store> = Arc::clone(&backend) as _;
        let office: Arc<dyn Office> = backend;
        let metrics = Arc::new(Metrics::default());
        let bounds = QuotaLimits { rate: config.limits.rate_limit, ..QuotaLimits::default() };
        let quota = Quota::new(bounds, Arc::clone(&metrics));
        let bots = Bots::new(default_bot(&config));
        let max_config_bytes = config.limits.max_body_bytes;
        let sessions =
            Sessions::new(Arc::clone(&store), Arc::clone(&clock), bots.clone(), max_config_bytes);
        let files = Files::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            quota.clone(),
            config.limits.max_upload_bytes,
        );
        let limits = ChatLimits {
            max_message_chars: config.limits.max_message_chars,
            context_tokens: config.limits.context_tokens,
            max_config_bytes,
            turn_patience: TURN_PATIENCE,
            turn_queue: TURN_QUEUE,
        };
        let parts = ChatParts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            bots: bots.clone(),
            files: files.clone(),
            quota: quota.clone(),
            providers,
            fallback: config.providers.fallback,
            metrics: Arc::clone(&metrics),
            models: Arc::clone(&config.providers.models),
        };
        let chat = Chat::new(parts, limits);
        let stopping = AtomicBool::new(false);
        Arc::new(Self {
            config,
            bots,
            sessions,
            chat,
            files,
            quota,
            metrics,
            store,
            office,
            clock,
            stopping,
        })
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Succeeds if the server can serve requests.
    ///
    /// # Errors
    /// Of the kind `Unavailable`, whatever the reason: a load balancer reads only that.
    pub async fn ready(&self) -> Result<(), AppError> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(AppError::Stopping);
        }
        self.store.ready().await.map_err(|error| match error {
            StoreError::Full(cause) => StoreError::Unavailable(cause).into(),
            other => other.into(),
        })
    }

    /// All metrics, as Prometheus reads them.
    pub async fn render_metrics(&self) -> String {
        let stats = self.sessions.stats().await.unwrap_or_default();
        let counters = self.office.counters();
        let (load, used) = (self.chat.load(), self.quota.in_use());
        let now = MetricsSnapshot {
            sessions: stats.total,
            sessions_recent: stats.recent,
            turns_running: load.turns,
            turns_begun: load.tasks,
            work_running: used.working,
            work_queued: used.queued,
            body_bytes: used.body_bytes,
            store_commits: counters.commits,
            store_operations: counters.operations,
            store_failures: counters.failed_commits,
            store_queued: counters.queued,
            log_lines_dropped: telemetry::dropped_lines(),
        };
        self.metrics.render(&now).into_owned()
    }

    /// Marks the server as no longer ready.
    pub fn begin_shutdown(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Deletes what has expired every `SWEEP_EVERY`; never returns. A failed sweep is logged and
    /// retried at the next interval.
    pub async fn sweep_regularly(&self) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.sweep().await {
                tracing::warn!(error = ?error, "sweep failed");
            }
        }
    }

    /// Deletes what has expired from the store and from memory.
    ///
    /// # Errors
    /// A store failure.
    pub async fn sweep(&self) -> Result<(), AppError> {
        self.quota.tidy();
        let deleted = self.sessions.sweep().await?;
        for id in &deleted {
            self.files.forget(*id);
        }
        self.files.forget_idle(self.config.limits.session_timeout);
        if !deleted.is_empty() {
            tracing::info!(sweep.sessions = deleted.len(), "expired sessions deleted");
        }
        Ok(self.store.tick().await?)
    }

    /// Flushes what is still in memory and closes the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

/// Runs `open` without the panic hook: the database library can panic on a damaged file, which the
/// store turns into an error that says what to do.
fn without_panic_messages<T>(open: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = open();
    std::panic::set_hook(hook);
    opened
}

/// The providers that have a key (or, for OpenAI, an address), and the demo.
pub fn providers(config: &Config, proxies: &Proxies) -> Result<Vec<Arc<dyn Provider>>, StartError> {
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    if config.providers.anthropic.is_some() || config.providers.openai.is_some() {
        let transport = Transport::new(proxies, transport::TimeLimits::default())
            .map_err(StartError::Client)?;
        if let Some(settings) = &config.providers.anthropic {
            let claude = Anthropic::new(provider_settings(settings), transport.clone())
                .map_err(|error| StartError::Provider("ANTHROPIC_BASE_URL", error))?;
            providers.push(Arc::new(claude));
        }
        if let Some(settings) = &config.providers.openai {
            let openai = OpenAi::new(provider_settings(settings), transport)
                .map_err(|error| StartError::Provider("OPENAI_BASE_URL", error))?;
            providers.push(Arc::new(openai.over(config.providers.openai_api)));
        }
    }
    // Visitors of a real site cannot do anything about a missing key.
    let answer = match config.app_env {
        AppEnv::Production => demo::answer,
        _ => demo::answer_with_advice,
    };
    providers.push(Arc::new(Offline::new(demo::MODEL, answer)));
    Ok(providers)
}

fn provider_settings(settings: &ProviderSettings) -> transport::ApiSettings {
    transport::ApiSettings {
        base_url: settings.base_url.clone(),
        key: settings.key.clone(),
        model: settings.model.clone(),
        former_model: settings.former_model.map(str::to_owned),
    }
}

/// The bot from the server's settings.
fn default_bot(config: &Config) -> Bot {
    let bot = &config.bot;
    let name = |settings: &Option<ProviderSettings>| {
        settings.as_ref().map_or_else(|| bot.name.clone(), |settings| settings.bot_name.clone())
    };
    Bot {
        id: BotId::default(),
        look: BotLook {
            name: bot.name.clone(),
            powered_by: bot.powered_by.clone(),
            color: bot.color.clone(),
            msg_bg_color: bot.msg_bg_color.clone(),
            icon: bot.icon.clone(),
        },
        welcome: bot.welcome.clone(),
        suggestions: bot.suggestions.clone(),
        instructions: bot.instructions.clone(),
        provider: config.providers.chosen(),
        provider_names: ProviderNames {
            claude: name(&config.providers.anthropic),
            openai: name(&config.providers.openai),
            demo: bot.name.clone(),
        },
        limits: ConfigLimits {
            max_tokens: config.limits.max_tokens,
            allowed_models: config.limits.allowed_models.clone(),
        },
    }
}
