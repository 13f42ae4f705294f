//! A browser, websites and models for the scenarios.

pub mod axe;
mod chromium;
pub mod engine;
mod gecko;
pub mod line;
pub mod live_model;
pub mod on_disk;
mod process;
#[path = "../../support/mod.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
pub mod server;
pub mod sight;
pub mod site;
pub mod visitor;
mod webkit;

pub use engine::Engine;
pub use line::Line;
pub use live_model::LiveModel;
pub use on_disk::OnDisk;
pub use server::Server;
pub use server::model::Model;
pub use site::{Page, Site, with_head, with_tag};
/// `Key::Return` is the main Enter key; `Key::Enter` is the one on the numeric keypad.
pub use thirtyfour::Key;
pub use visitor::{BOX, FRAME, LAUNCHER, PANEL, Visitor, visit, visit_in};

/// A model controlled by the test, a server that uses it, and a site with the server's tag.
pub async fn stage(attributes: &str) -> (LiveModel, Server, Site) {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let site = Site::of(with_tag(&server.base, attributes)).await;
    (model, server, site)
}
