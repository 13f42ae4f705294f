//! The executable as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server, killed when it is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process until it listened.
    pub start_time: Duration,
}

/// The standard error of a server that nothing reads.
pub type UnreadLog = BufReader<ChildStderr>;

fn executable() -> String {
    let default = env!("CARGO_BIN_EXE_chatbot-widget");
    std::env::var("CHATBOT_EXECUTABLE").unwrap_or_else(|_| default.to_owned())
}

impl Server {
    /// Starts it with its data in `folder`, on a free port, without rate limits unless `env` says
    /// otherwise.
    pub fn start(folder: &Path, env: &[(&str, &str)]) -> Self {
        let (server, log) = Self::start_unread(folder, env, "");
        // Read, so that the pipe never fills up.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        server
    }

    /// The same with at most `files` descriptors.
    pub fn start_with_descriptors(folder: &Path, files: usize) -> Self {
        let (server, log) = Self::start_unread(folder, &[], &format!("ulimit -n {files} &&"));
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        server
    }

    /// Starts it after a piece of shell, and reads its log no further than to the line that names
    /// the address.
    pub fn start_unread(folder: &Path, env: &[(&str, &str)], before: &str) -> (Self, UnreadLog) {
        let begun = Instant::now();
        let mut child = Command::new("sh")
            .args(["-c", &format!("{before} exec \"$0\""), &executable()])
            .env_clear()
            .envs([("PORT", "0"), ("RATE_LIMIT", "0"), ("CHAT_SESSION_TIMEOUT", "86400")])
            .envs(env.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            let start = seen.len();
            assert!(log.read_line(&mut seen).unwrap() > 0, "it does not listen: {seen}");
            if let Some((_, address)) = seen[start..].split_once("listening on http://") {
                let end = address.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)));
                break address[..end.unwrap_or(address.len())].parse().unwrap();
            }
        };
        (Self { child, address, start_time: begun.elapsed() }, log)
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Its exit code, `None` if a signal ended it, and how long that took from now on.
    pub fn wait(&mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begun.elapsed());
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends SIGTERM and waits. It must end by itself, with 0, within `limit`.
    #[track_caller]
    pub fn stop(&mut self, limit: Duration) -> Duration {
        self.signal("TERM");
        let (code, elapsed) = self.wait();
        assert_eq!(code, Some(0));
        assert!(elapsed < limit, "it took {elapsed:?} to end");
        elapsed
    }

    #[track_caller]
    pub fn assert_is_running(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the server has ended");
    }

    /// Peak of the memory in use, in MiB, if the system tells.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
    }

    /// Number of open descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Processor time so far, assuming the usual 100 ticks a second.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        Duration::from_millis(ticks.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
