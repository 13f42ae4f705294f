//! The HTTP side: routes, the OpenAPI document, and what every request passes on its way in and
//! every answer on its way out.

mod assets;
mod docs;
mod gate;
mod health;
mod visitor;
mod wire;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem::{EndpointExt, IntoEndpoint, Response};
use poem_openapi::{ExtraHeader, LicenseObject, OpenApi, OpenApiService, Tags};

use crate::app::App;
pub use gate::Gate;
use gate::methods::{AllowedMethods, allowed_methods};
use visitor::{chat, files, sessions, stream};

/// Groups of operations in the OpenAPI document.
#[derive(Tags)]
enum ApiTag {
    /// A visitor's session: settings and messages.
    Sessions,
    /// Questions and answers.
    Chat,
    /// Tables to ask questions about.
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

/// The OpenAPI document, as JSON.
pub fn spec() -> String {
    let mut spec = service_for_docs().spec();
    spec.push('\n');
    spec
}

/// The document says the same whatever the server holds, so it is made from the types alone.
fn service_for_docs() -> OpenApiService<Described, ()> {
    describe(Described)
}

fn describe<T: OpenApi>(apis: T) -> OpenApiService<T, ()> {
    OpenApiService::new(apis, "chatbot-widget", env!("CARGO_PKG_VERSION"))
        .description(
            "The API behind an embeddable AI chat. Create a session, send it messages, read its \
             history; give it a CSV or JSON file and ask about that.\n\nErrors are always `{error, code, requestId}`: a sentence that a visitor \
             may read, a stable word for programs, and the id under which the server logged it.",
        )
        .license(LicenseObject::new("MIT").identifier("MIT"))
        .extra_response_header::<String, _>(
            ExtraHeader::new("X-Request-Id").description("The id under which the server logs it."),
        )
}

/// The APIs' descriptions without anything behind them.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<poem_openapi::registry::MetaApi> {
        Apis::meta()
    }

    fn register(registry: &mut poem_openapi::registry::Registry) {
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
