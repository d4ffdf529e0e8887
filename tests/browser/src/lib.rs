//! A real browser for tests, headless, with a profile of its own and nothing that it can reach; and a strict reader of what it shows.
//!
//! **In**: pages as text. **Out**: the document as the browser has it, what it logged, pictures. **Can fail**: by a panic, as a test
//! does; without chromium it says what installs it, for a page that nobody looked at must not pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test may panic"
)]

pub mod elements;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Whether the log tells of something that the page's own policy forbids.
pub fn breaks_policy(log: &str) -> bool {
    log.contains("Content Security Policy")
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name)))
        .find(|file| file.is_file())
}

/// A browser with a profile of its own, which can reach nothing.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
    folder: TempDir,
}

impl Browser {
    /// A browser for one test.
    pub fn start() -> Self {
        let program = chromium().expect("there is no chromium on PATH; `scripts/toolchain.sh test` installs it");
        let folder = tempfile::tempdir().unwrap();
        Self { program, folder }
    }

    /// Where its pages lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a page; its address.
    pub fn write(&self, name: &str, text: &str) -> String {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        format!("file://{}", file.display())
    }

    /// Opens a page: standard output, and what was logged.
    pub fn run(&self, arguments: &[&str], url: &str) -> (String, String) {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        let ran = Command::new(&self.program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args([
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--virtual-time-budget=3000",
                "--timeout=60000",
            ])
            .args(["--enable-logging=stderr", "--v=0", &profile])
            .args(arguments)
            .arg(url)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{}: {log}", ran.status);
        (String::from_utf8_lossy(&ran.stdout).into_owned(), log)
    }

    /// A picture of a page in a window of this size.
    pub fn shot(&self, name: &str, size: (u32, u32), dark: bool, url: &str) -> Picture {
        let file = self.folder.path().join(name);
        let (width, height) = size;
        self.run(
            &[
                &format!("--window-size={width},{height}"),
                &format!("--screenshot={}", file.display()),
                &format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }),
            ],
            url,
        );
        Picture::read(&file)
    }
}

/// As much of a PNG as tells whether there is something on it: its size, and its compressed bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Picture {
    fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap();
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let width = u32::from_be_bytes(bytes[16..20].try_into().unwrap());
        Self { width, bytes }
    }
}
