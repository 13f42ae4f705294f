//! The executable: reads the command line, starts what it asks for, and turns the outcome into an
//! exit code: 0, 1 failed, 2 wrong usage or configuration.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chatbot_widget::app::App;
use chatbot_widget::config::{self, Command, Config};
use chatbot_widget::domain::{Clock, SystemClock};
use chatbot_widget::server::{Certificates, ServerLimits, ServerOptions};
use chatbot_widget::{cli, server, telemetry};
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

/// How long work on blocking threads may delay the exit. No one is waiting for its result.
const BLOCKING_PATIENCE: Duration = Duration::from_secs(1);

/// Why the program fails, in one line.
enum Failure {
    /// A setting is wrong: exit code 2.
    Usage(String),
    /// Anything else: exit code 1.
    Failed(String),
}

/// For everything but settings.
fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::Failed(error.into().to_string())
}

fn main() -> ExitCode {
    let (command, config) = match config::load() {
        Ok(loaded) => loaded,
        Err(exit) => return exit.finish(),
    };
    let outcome = match command {
        Command::Serve => match config.ensure_supported() {
            Ok(()) => serve(config),
            Err(exit) => return exit.finish(),
        },
        Command::Openapi => cli::openapi::run().map_err(failed),
        Command::Healthcheck => {
            let address = config.listen.address();
            cli::healthcheck::run(address, config.tls.is_some()).map_err(failed)
        }
    };
    let (line, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(line)) => (line, 2),
        Err(Failure::Failed(line)) => (line, 1),
    };
    // Nothing is left to be done if even this fails.
    let _ = writeln!(io::stderr(), "error: {line}");
    ExitCode::from(code)
}

fn serve(config: Config) -> Result<(), Failure> {
    let certificates = config.tls.clone().map(Certificates::load).transpose();
    let certificates = certificates.map_err(|error| Failure::Usage(error.to_string()))?;
    let _log = telemetry::start(config.log.format, &config.log.filter).map_err(failed)?;
    let findings =
        config::misspelt_settings().into_iter().chain(config.findings(SystemClock.now()));
    for finding in findings {
        tracing::warn!("{finding}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    let served = runtime.block_on(serve_until_stopped(config, certificates));
    // Dropping the runtime would wait for every blocking thread, however long its work takes.
    runtime.shutdown_timeout(BLOCKING_PATIENCE);
    served
}

async fn serve_until_stopped(
    config: Config,
    certificates: Option<Arc<Certificates>>,
) -> Result<(), Failure> {
    // Before anything else: an unhandled signal ends the process.
    let shutdown = stop_signal().map_err(failed)?;
    reload_on_hangup(certificates.clone()).map_err(failed)?;
    // Taken before anything is touched on disk, so that an occupied port is found first.
    let listener = bind(config.listen.address())?;
    let redirect = match config.tls.as_ref().and_then(|tls| tls.redirect_port) {
        Some(port) => Some(bind((config.listen.host, port).into())?),
        None => None,
    };
    let metrics = match config.metrics.addr {
        Some(address) => Some(server::bind_metrics(address).await.map_err(failed)?),
        None => None,
    };
    let limits = ServerLimits::for_process(config.access.trusted_proxies.clone());
    let app = App::open(config).await.map_err(failed)?;
    let scheme = if certificates.is_some() { "https" } else { "http" };
    let local = listener.local_addr().map_err(failed)?;
    tracing::info!(
        version = env!("BUILD_VERSION"),
        providers = app.chat.provider_names(),
        "listening on {scheme}://{local}"
    );
    for line in cli::startup::hints(&app.config, scheme, local) {
        tracing::info!("{line}");
    }
    if let Some(redirect) = &redirect {
        let address = redirect.local_addr().map_err(failed)?;
        tracing::info!("redirecting from http://{address} to HTTPS");
    }
    if let Some(metrics) = metrics {
        let app = Arc::clone(&app);
        let render = move || -> BoxFuture<'static, String> {
            let app = Arc::clone(&app);
            Box::pin(async move { app.render_metrics().await })
        };
        // Until the process ends.
        tokio::spawn(server::serve_metrics(metrics, render, std::future::pending()));
    }
    let options = ServerOptions { limits, certificates, redirect };
    server::run(listener, app, options, shutdown).await.map_err(failed)?;
    tracing::info!("stopped");
    Ok(())
}

/// Connections that may wait to be accepted, if the system allows as many. With the usual 128, a
/// burst would make others repeat their attempt to connect, after a second or more.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait until the last process's connections are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    listen(address).map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => "; choose another port with PORT or --port",
            _ => "",
        };
        failed(format!("cannot listen on {address}: {error}{advice}"))
    })
}

/// Resolves at the first SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(1);
        });
    })
}

/// Reloads the certificate at each SIGHUP, which has no other effect.
fn reload_on_hangup(certificates: Option<Arc<Certificates>>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match certificates.as_ref().map(|certificates| certificates.reload()) {
                Some(Ok(())) => tracing::info!("SIGHUP: the TLS certificate was read again"),
                Some(Err(error)) => {
                    tracing::error!(error = %error, "SIGHUP: the TLS certificate in use stays");
                }
                None => tracing::info!("SIGHUP: there is no TLS certificate to read again"),
            }
        }
    });
    Ok(())
}
