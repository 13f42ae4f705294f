//! The HTTP side: routes, the OpenAPI document, and what every request passes on its way in and
//! every answer on its way out.

mod assets;
mod docs;
mod gate;
mod health;
mod openapi;
mod setup;
mod visitor;
mod wire;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{EndpointExt, IntoEndpoint, Response};
use poem_openapi::registry::Registry;
use poem_openapi::types::Type as _;
use poem_openapi::{LicenseObject, OpenApi, OpenApiService, Tags};

use crate::app::App;
pub use gate::Gate;
use gate::methods::{AllowedMethods, allowed_methods};
pub use openapi::DocumentLimits;
use visitor::{chat, files, sessions, stream};
use wire::error::ErrorBody;

/// Groups of operations in the OpenAPI document.
#[derive(Tags)]
enum ApiTag {
    /// A visitor's session: settings and messages.
    Sessions,
    /// Questions and answers.
    Chat,
    /// Tables that visitors can query.
    Files,
    /// For load balancers and watchdogs.
    Health,
}

type Apis =
    (sessions::SessionsApi, chat::ChatApi, stream::StreamApi, files::FilesApi, health::HealthApi);

/// The server's endpoint.
pub fn endpoint(app: Arc<App>) -> Gate {
    Gate::new(Arc::clone(&app), api(app), api_methods())
}

/// The paths of the API with their methods.
fn api_methods() -> Vec<AllowedMethods> {
    allowed_methods::<Apis>()
}

fn api(app: Arc<App>) -> BoxEndpoint<'static, Response> {
    service(app).into_endpoint().boxed()
}

fn service(app: Arc<App>) -> OpenApiService<Apis, ()> {
    describe((
        sessions::SessionsApi { app: Arc::clone(&app) },
        chat::ChatApi { app: Arc::clone(&app) },
        stream::StreamApi { app: Arc::clone(&app) },
        files::FilesApi { app: Arc::clone(&app) },
        health::HealthApi { app },
    ))
}

/// The OpenAPI document of a server with these limits, as JSON.
pub fn spec(limits: &DocumentLimits) -> String {
    // The document says the same whatever the server holds, so it is made from the types alone.
    let derived = serde_json::from_str(&describe(Described).spec()).unwrap_or_default();
    let mut registry = Registry::new();
    ErrorBody::register(&mut registry);
    let error = serde_json::to_value(registry.schemas.get(&*ErrorBody::name()));
    let document = openapi::document(derived, &error.unwrap_or_default(), limits);
    format!("{document:#}\n")
}

fn describe<T: OpenApi>(apis: T) -> OpenApiService<T, ()> {
    OpenApiService::new(apis, "chatbot-widget", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT").identifier("MIT"))
}

const DESCRIPTION: &str = "\
The API behind an embeddable AI chat. Create a session, send it messages, read its history; upload a \
CSV or JSON file and ask about that.

**Access.** There are no accounts and no keys: the session's id is the credential. Whoever knows it \
may read and use the session, so keep it out of logs and links.

**Errors** are always `{error, code, requestId}`: a sentence that a visitor may read, a stable word \
for programs, and the id under which the server logged it. Any operation may also fail with 408, \
421, 431 or 500, before or beside what it does.

**Limits** of messages, tokens and files are the operator's; `botConfig` returns some of them.";

/// The APIs' descriptions without anything behind them.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<poem_openapi::registry::MetaApi> {
        Apis::meta()
    }

    fn register(registry: &mut Registry) {
        Apis::register(registry);
    }

    fn add_routes(
        self,
        _routes: &mut std::collections::HashMap<
            String,
            std::collections::HashMap<Method, BoxEndpoint<'static>>,
        >,
    ) {
    }
}
