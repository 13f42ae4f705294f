//! The executable: reads the command line, starts what it asks for, and turns the outcome into an
//! exit code: 0, 1 failed, 2 wrong usage or configuration.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use chatbot_widget::app::App;
use chatbot_widget::config::{self, Command, Config};
use chatbot_widget::{cli, server, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long work on blocking threads may delay the exit. Nobody waits for its result any more.
const BLOCKING_PATIENCE: Duration = Duration::from_secs(1);

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
        Command::Openapi => cli::openapi::run().map_err(|error| error.to_string()),
        Command::Healthcheck => cli::healthcheck::run(config.listen.address()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            // Nothing is left to be done if even this fails.
            let _ = writeln!(std::io::stderr(), "error: {line}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> Result<(), String> {
    let _log = telemetry::start(config.log.format, &config.log.filter)?;
    for finding in config.findings() {
        tracing::warn!("{finding}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let address = config.listen.address();
        // Taken first: an occupied port is found before anything is touched on disk.
        let listener =
            TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
        let app = App::open(config).await.map_err(|error| error.to_string())?;
        let local = listener.local_addr().map_err(|error| error.to_string())?;
        let shutdown = stop_signal().map_err(|error| error.to_string())?;
        tracing::info!(
            version = env!("BUILD_VERSION"),
            providers = app.chat.provider_names(),
            "listening on http://{local}"
        );
        for line in cli::startup::hints(&app.config, "http", local) {
            tracing::info!("{line}");
        }
        server::run(listener, app, shutdown).await.map_err(|error| error.to_string())?;
        tracing::info!("stopped");
        Ok(())
    });
    // Dropping the runtime would wait for every blocking thread, however long its work takes.
    runtime.shutdown_timeout(BLOCKING_PATIENCE);
    served
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => "; choose another port with PORT or --port",
        _ => "",
    };
    format!("cannot listen on {address}: {error}{advice}")
}

/// Resolves at the first SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
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
