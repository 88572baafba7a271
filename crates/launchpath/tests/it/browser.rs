//! The page in a real browser: nothing on its console, so nothing loaded or run that its policy does not allow.
//!
//! Skipped, with the reason, where Chromium is missing, except in CI, where `.ci/setup` installs it. What holds without a browser
//! (well-formed, no address loaded, anchors resolve) is tested always, in `launchpath-report`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{launchpath, scenario};

/// A browser of this machine.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file())
}

/// What the browser saw: the document after the script ran, and the lines of the console.
struct Seen {
    document: String,
    console: Vec<String>,
}

fn open(browser: &Path, page: &Path, profile: &Path) -> Seen {
    let (document, log) = (profile.join("document.html"), profile.join("log.txt"));
    let file = |path: &Path| Stdio::from(std::fs::File::create(path).expect("a file"));
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdout(file(&document))
        .stderr(file(&log))
        .spawn()
        .expect("the browser starts");
    let begun = Instant::now();
    while child.try_wait().expect("the browser's end").is_none() {
        if begun.elapsed() > Duration::from_mins(1) {
            child.kill().expect("the browser is stopped");
            panic!("the browser did not end: {}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("output")).into_owned();
    let console = text(&log).lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Seen { document: text(&document), console }
}

#[test]
fn the_page_opens_offline_without_a_word_on_the_console() {
    let Some(browser) = chromium() else {
        assert!(std::env::var_os("CI").is_none(), "no chromium in CI: .ci/setup installs it");
        println!("skipped: no chromium on the PATH");
        return;
    };
    let place = tempfile::tempdir().expect("a folder");
    for name in ["incident/as-rehearsed", "incident/as-collected", "base/nat"] {
        let page = place.path().join("report.html");
        let path = page.display().to_string();
        launchpath(&["diagnose", "--bundle", &scenario(name), "--format", "html", "--output", &path]);
        let seen = open(&browser, &page, place.path());
        assert!(seen.console.is_empty(), "{name}: {:?}", seen.console);
        assert!(seen.document.contains("<button type=\"button\">Copy</button>"), "{name}: the script ran");
    }
    // What is asserted above can fail: a page that loads something is seen.
    let page = place.path().join("report.html");
    let whole = std::fs::read_to_string(&page).expect("the page");
    let tampered = whole.replace("<footer>", "<footer><img src=\"http://127.0.0.1:9/x.png\"/>");
    std::fs::write(&page, tampered).expect("the page is written");
    assert!(!open(&browser, &page, place.path()).console.is_empty());
}
