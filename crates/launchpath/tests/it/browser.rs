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
    open_with(browser, page, profile, &["--dump-dom"])
}

fn open_with(browser: &Path, page: &Path, profile: &Path, how: &[&str]) -> Seen {
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
        ])
        .args(how)
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

#[test]
fn the_page_fits_every_width_and_has_a_light_a_dark_and_a_printed_side() {
    let Some(browser) = chromium() else {
        assert!(std::env::var_os("CI").is_none(), "no chromium in CI: .ci/setup installs it");
        println!("skipped: no chromium on the PATH");
        return;
    };
    let place = tempfile::tempdir().expect("a folder");
    let page = place.path().join("report.html");
    let path = page.display().to_string();
    launchpath(&[
        "diagnose",
        "--bundle",
        &scenario("incident/as-rehearsed"),
        "--format",
        "html",
        "--output",
        &path,
    ]);
    let shot = |name: &str, how: &[&str]| {
        let picture = place.path().join(name);
        let to = format!("--screenshot={}", picture.display());
        let mut all = vec!["--window-size=900,1400", "--hide-scrollbars", to.as_str()];
        all.extend(how);
        open_with(&browser, &page, place.path(), &all);
        std::fs::read(&picture).expect("the picture")
    };
    let light = shot("light.png", &["--blink-settings=preferredColorScheme=1"]);
    let dark = shot("dark.png", &["--blink-settings=preferredColorScheme=0"]);
    for picture in [&light, &dark] {
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 50_000, "a page with something on it");
    }
    assert_ne!(light, dark, "the page follows the reader's choice of colours");
    let paper = place.path().join("report.pdf");
    open_with(&browser, &page, place.path(), &[&format!("--print-to-pdf={}", paper.display())]);
    assert!(std::fs::read(&paper).expect("the paper").starts_with(b"%PDF"));
    // A page of our own shows the report in frames of several widths, and writes down what sticks out and what no key reaches.
    let frames = place.path().join("frames.html");
    let probe = r#"<!doctype html><title>frames</title><body><script>
        const widths = [320, 400, 768, 1400];
        for (const width of widths) {
            const frame = document.createElement("iframe");
            frame.src = "report.html"; frame.width = width; frame.height = 800; frame.style.border = 0;
            frame.onload = () => {
                const inside = frame.contentDocument, root = inside.documentElement;
                const all = [...inside.querySelectorAll("a[href], button, summary")];
                const out = document.createElement("p");
                out.textContent = `width ${width}: overflow ${root.scrollWidth - root.clientWidth}, unreachable ${all.filter(e => e.tabIndex < 0).length} of ${all.length}`;
                document.body.append(out);
            };
            document.body.append(frame);
        }
    </script>"#;
    std::fs::write(&frames, probe).expect("written");
    let seen = open_with(&browser, &frames, place.path(), &["--allow-file-access-from-files", "--dump-dom"]);
    for width in [320, 400, 768, 1400] {
        let line = format!("width {width}: overflow 0, unreachable 0 of ");
        let found = seen.document.split(&line).nth(1).and_then(|rest| rest.split('<').next());
        let reached: usize = found.and_then(|count| count.parse().ok()).unwrap_or_default();
        let lines: Vec<&str> = seen.document.split("<p>").skip(1).collect();
        assert!(reached > 10, "{line}: {lines:?} {:?}", seen.console);
    }
}
