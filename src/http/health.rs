//! `/health`: for load balancers and watchdogs.

use std::sync::Arc;

use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::ApiTag;
use super::wire::reply::Reply;
use super::wire::types::{EXAMPLE_TIME, iso};
use crate::app::App;

/// Health.
pub struct HealthApi {
    pub(super) app: Arc<App>,
}

/// The server is running.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct Health {
    /// Always `OK`.
    status: String,
    /// Now.
    timestamp: String,
    /// The server's version.
    version: String,
}

impl Example for Health {
    fn example() -> Self {
        Self {
            status: "OK".to_owned(),
            timestamp: EXAMPLE_TIME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl HealthApi {
    fn health(&self) -> Health {
        Health {
            status: "OK".to_owned(),
            timestamp: iso(self.app.now()),
            version: env!("BUILD_VERSION").to_owned(),
        }
    }
}

#[OpenApi(prefix_path = "/health", tag = "ApiTag::Health")]
impl HealthApi {
    /// Check that the server is running
    ///
    /// Does not use the store.
    #[oai(path = "/", method = "get", operation_id = "health")]
    async fn live(&self) -> Reply<Health> {
        Reply(self.health())
    }

    /// Check that the server can work
    ///
    /// 200 when the store works and no shutdown has begun.
    #[oai(path = "/ready", method = "get", operation_id = "ready")]
    async fn ready(&self) -> poem::Result<Reply<Health>> {
        self.app.ready().await?;
        Ok(Reply(self.health()))
    }
}
