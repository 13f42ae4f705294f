//! The programs that a browser consists of.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A program with all that it starts, and a folder for their profiles, temporary files and sockets.
/// Dropping it ends and removes them.
pub struct Process {
    child: Child,
    files: TempDir,
}

impl Process {
    /// Starts it in a process group of its own, so that nothing outlives it.
    pub fn start(command: &mut Command) -> Self {
        let program = Path::new(command.get_program());
        assert!(
            !program.is_absolute() || program.exists(),
            "{} is not there: run tests/run, which installs what the tests need",
            program.display()
        );
        let files = tempfile::tempdir().unwrap();
        for name in ["HOME", "TMPDIR", "XDG_RUNTIME_DIR"] {
            command.env(name, files.path());
        }
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{command:?}: {error}; tests/run installs what is needed")
            });
        Self { child, files }
    }

    /// The first thing that `find` finds in a line of its output; `None` if it ends before.
    pub fn reports<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            if let Some(found) = find(line.trim_end()) {
                // Keep reading: it would block on a full pipe.
                std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
                return Some(found);
            }
            line.clear();
        }
        None
    }

    /// Its folder.
    pub fn files(&self) -> &Path {
        self.files.path()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
        // The browser ends a little later and writes to its folder until then.
        for _ in 0..500 {
            if !running_in(self.files.path()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// Whether a process started with this folder is still running.
fn running_in(folder: &Path) -> bool {
    let folder = folder.as_os_str().as_encoded_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    processes
        .flatten()
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| line.windows(folder.len()).any(|part| part == folder))
}
