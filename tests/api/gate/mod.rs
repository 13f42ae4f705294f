//! What every request and every response passes, whatever the route.

mod bodies;
mod cors;
mod headers;
mod hosts;
mod http;
mod limits;
