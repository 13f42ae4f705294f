//! `/api/sessions`.

mod bot_config;
mod configure;
mod create;
mod expiry;
mod read;
mod unknown;
