//! The composition root: opens the store, builds the providers, and hands out the use cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::chat::{self, Chat};
use crate::config::{Config, Database, ProviderSettings};
use crate::demo;
use crate::domain::{Clock, Limits, SystemClock};
use crate::error::AppError;
use crate::files::Files;
use crate::provider::Provider;
use crate::provider::anthropic::Anthropic;
use crate::provider::offline::Offline;
use crate::provider::openai::OpenAi;
use crate::provider::transport::{self, Proxies, SetupError, Transport};
use crate::sessions::Sessions;
use crate::store::redb::{OpenError, Options, RedbStore};
use crate::store::{Store, StoreError};

/// How often expired sessions are swept, and activity that is only in memory is written down.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Memory that the store may use as a cache.
const STORE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The use cases and what they share.
pub struct App {
    /// The settings that the server runs with.
    pub config: Config,
    /// Use cases of sessions.
    pub sessions: Sessions,
    /// Use cases of conversations.
    pub chat: Chat,
    /// Use cases of files.
    pub files: Files,
    store: Arc<dyn Store>,
    stopping: AtomicBool,
}

/// Why the server cannot start. `Display` is the one line that the operator reads.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("DATA_DIR: cannot create {path}: {source}")]
    DataDir {
        /// The folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// A database that this version cannot use.
    #[error("DATABASE_URL: PostgreSQL is not supported by this version, use redb://")]
    Postgres,
    /// The way to the providers cannot be set up.
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
        let Database::Redb(path) = &config.database else { return Err(StartError::Postgres) };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StartError::DataDir {
                path: folder.display().to_string(),
                source,
            })?;
        }
        let options = Options {
            cache_bytes: STORE_CACHE_BYTES,
            session_timeout: config.session_timeout,
            now: clock.now(),
        };
        let store = without_panic_messages(|| RedbStore::open(path, options))?;
        // The one reading of the environment beside the settings: other programs' variables.
        let proxies = Proxies::from_vars(|name| std::env::var(name).ok());
        let providers = providers(&config, &proxies)?;
        Ok(Self::assemble(config, Arc::new(store), clock, providers))
    }

    /// Puts the parts together.
    pub fn assemble(
        config: Config,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        providers: Vec<Arc<dyn Provider>>,
    ) -> Arc<Self> {
        let limits = Limits {
            max_tokens: config.max_tokens_limit,
            allowed_models: config.allowed_models.clone(),
        };
        let settings = chat::Settings {
            limits: limits.clone(),
            bot_name: config.bot.name.clone(),
            instructions: config.bot.instructions.clone(),
            max_message_chars: config.max_message_chars,
            context_tokens: config.context_tokens,
            preferred: config.ai_provider,
            fallback: config.ai_fallback,
        };
        let sessions =
            Sessions::new(Arc::clone(&store), Arc::clone(&clock), limits, defaults(&config));
        let files = Files::new(Arc::clone(&store), Arc::clone(&clock), config.max_upload_bytes);
        let chat = Chat::new(Arc::clone(&store), clock, files.clone(), providers, settings);
        Arc::new(Self { config, sessions, chat, files, store, stopping: AtomicBool::new(false) })
    }

    /// Whether the server can do its work.
    pub async fn ready(&self) -> Result<(), AppError> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(AppError::Stopping);
        }
        self.sessions.ready().await
    }

    /// From now on the server is not ready any more.
    pub fn begin_shutdown(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Deletes what has expired, for as long as the server runs.
    pub async fn keep_house(&self) {
        self.sessions.sweep_regularly(SWEEP_EVERY).await;
    }

    /// Writes what is still in memory and closes the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

/// Runs `open` with the panic hook taken off: the database library can panic on a damaged file,
/// which the store turns into an error that says what to do.
fn without_panic_messages<T>(open: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = open();
    std::panic::set_hook(hook);
    opened
}

/// The providers that have a key, or in OpenAI's case an address, and the demo.
pub fn providers(config: &Config, proxies: &Proxies) -> Result<Vec<Arc<dyn Provider>>, StartError> {
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    if config.anthropic.is_some() || config.openai.is_some() {
        let transport = Transport::new(proxies, transport::TimeLimits::default())
            .map_err(StartError::Client)?;
        if let Some(settings) = &config.anthropic {
            let claude = Anthropic::new(provider_settings(settings), transport.clone())
                .map_err(|error| StartError::Provider("ANTHROPIC_BASE_URL", error))?;
            providers.push(Arc::new(claude));
        }
        if let Some(settings) = &config.openai {
            let openai = OpenAi::new(provider_settings(settings), transport)
                .map_err(|error| StartError::Provider("OPENAI_BASE_URL", error))?;
            providers.push(Arc::new(openai));
        }
    }
    providers.push(Arc::new(Offline::new(demo::MODEL, config.bot.name.clone(), demo::answer)));
    Ok(providers)
}

fn provider_settings(settings: &ProviderSettings) -> transport::ApiSettings {
    transport::ApiSettings {
        base_url: settings.base_url.clone(),
        key: settings.key.clone(),
        model: settings.model.clone(),
        display_name: settings.bot_name.clone(),
    }
}

/// The operator's part of a session's settings.
fn defaults(config: &Config) -> Map<String, Value> {
    let bot = &config.bot;
    let defaults = json!({
        "botName": bot.name,
        "poweredBy": bot.powered_by,
        "botColor": bot.color,
        "botIcon": bot.icon,
        "botMsgBgColor": bot.msg_bg_color,
    });
    defaults.as_object().cloned().unwrap_or_default()
}
