//! The executable as a process.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_chatbot-widget");

/// A command for the executable in `folder`, with an empty environment.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(EXECUTABLE);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs it until it exits.
pub fn run(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    command(folder).args(args).envs(env.iter().copied()).output().unwrap()
}

/// What it wrote to standard error, which must be a single line.
#[track_caller]
pub fn one_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}

/// A running server.
pub struct Running {
    pub child: Child,
    pub address: SocketAddr,
    pub log: mpsc::Receiver<String>,
}

impl Running {
    /// Starts it in `folder` on a free port and waits until it listens.
    pub fn start(folder: &Path, env: &[(&str, &str)]) -> Self {
        Self::run(command(folder), env)
    }

    /// The same, under the shell's `ulimit` with these arguments.
    pub fn start_with_limit(folder: &Path, limit: &str, env: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("ulimit {limit} && exec \"$0\""), EXECUTABLE])
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::null());
        Self::run(shell, env)
    }

    /// Starts it in `folder` with `log` as its standard error and waits until it listens.
    pub fn start_with_log(folder: &Path, log: Stdio, env: &[(&str, &str)]) -> Self {
        // Free just now; if it is taken in the meantime, the server does not start.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let port = free.port().to_string();
        let mut child = command(folder)
            .envs(env.iter().copied())
            .env("PORT", &port)
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(free).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "it must not exit");
            assert!(Instant::now() < deadline, "it does not listen");
            std::thread::yield_now();
        }
        let (_, log) = mpsc::channel();
        Self { child, address: free, log }
    }

    fn run(mut command: Command, env: &[(&str, &str)]) -> Self {
        let mut env: HashMap<&str, &str> = env.iter().copied().collect();
        env.entry("PORT").or_insert("0");
        let mut child = command.envs(env).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (send, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut seen = Vec::new();
        let address = loop {
            let line = log
                .recv_timeout(Duration::from_secs(30))
                .unwrap_or_else(|_| panic!("it does not listen: {seen:?}"));
            let listening = line.split_once("listening on ").map(|(_, address)| address);
            let address = listening.and_then(|address| {
                address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"))
            });
            if let Some(address) = address {
                let end = address.find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)));
                break address[..end.unwrap_or(address.len())].parse().unwrap();
            }
            seen.push(line);
        };
        Self { child, address, log }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits at most 30 seconds for its exit code; `None` if a signal ended it.
    pub fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not exit");
            std::thread::yield_now();
        }
    }

    /// See [`call`].
    pub fn call(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        call(self.address, method, path, body)
    }
}

/// Sends a request over a new connection and returns its status and body.
pub fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    match (status, answer.split_once("\r\n\r\n")) {
        (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
        _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
