//! The page in a real browser: it is opened from a file, filtered, zoomed and clicked, and it runs no script of a
//! trace's.
//!
//! Chromium is spoken to through a pipe (its remote debugging protocol). Where there is none the test is skipped, and
//! says so; `PAPO_TEST_NO_SKIP=1` makes that a failure. Screenshots are left in the target directory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{lesson_trace, papo, scratch};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A browser with one page.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: String,
    serial: u64,
}

impl Browser {
    /// None where there is no browser.
    fn open(page: &Path) -> Option<Browser> {
        let path = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&path).flat_map(|dir| NAMES.map(|name| dir.join(name)));
        let program = found.into_iter().find(|p| p.is_file())?;
        // It reads commands from descriptor 3, and answers on 4.
        let script = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let profile = page.with_extension("profile");
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
            ])
            .args([
                "--no-first-run",
                "--disable-dev-shm-usage",
                "--window-size=1300,800",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("a pipe");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut browser = Browser {
            child,
            to,
            from,
            session: String::new(),
            serial: 0,
        };
        let url = format!("file://{}", page.display());
        let target = browser.ask("Target.createTarget", &json!({ "url": url }));
        let id = &target["targetId"];
        let attach = json!({ "targetId": id, "flatten": true });
        let session = browser.ask("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().expect("a session").to_owned();
        browser.ask("Page.enable", &json!({}));
        for _ in 0..200 {
            if browser
                .says("document.readyState === 'complete' && !!document.querySelector('#story li')")
                == json!(true)
            {
                return Some(browser);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the page has not drawn itself");
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.serial += 1;
        let mut message = json!({ "id": self.serial, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        write!(self.to, "{message}\0").expect("a browser that runs");
        loop {
            let mut answer = Vec::new();
            let read = self.from.read_until(0, &mut answer).expect("a pipe");
            assert!(read > 0, "the browser has ended");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            if answer["id"] == json!(self.serial) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// What an expression is on the page.
    fn says(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", &params);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    fn text(&mut self, id: &str) -> String {
        let text = self.says(&format!("document.getElementById('{id}').textContent"));
        text.as_str().unwrap_or_default().to_owned()
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), more: &Value) {
        let mut params = json!({ "type": kind, "x": x, "y": y });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        self.ask("Input.dispatchMouseEvent", &params);
    }

    fn click(&mut self, at: (f64, f64)) {
        let button = json!({ "button": "left", "clickCount": 1 });
        self.mouse("mousePressed", at, &button);
        self.mouse("mouseReleased", at, &button);
    }

    /// Where on the screen an expression finds a place of the canvas.
    fn place(&mut self, expression: &str) -> (f64, f64) {
        let both = format!(
            "(() => {{ const r = canvas.getBoundingClientRect(); const [x, y] = {expression}; return [r.left + x, r.top + y]; }})()"
        );
        let place = self.says(&both);
        let number = |n: usize| place[n].as_f64().expect("a number");
        (number(0), number(1))
    }

    fn screenshot(&mut self, name: &str) {
        let shot = self.ask("Page.captureScreenshot", &json!({ "format": "png" }));
        let path = scratch(name);
        std::fs::write(&path, unbase64(shot["data"].as_str().expect("a picture")))
            .expect("a disk with room");
        println!("{}", path.display());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|part| {
        let number = part.iter().fold(0, |n, d| n << 6 | d) << (6 * (4 - part.len()));
        (0..part.len() - 1).map(move |n| (number >> (16 - 8 * n) & 255) as u8)
    });
    bytes.collect()
}

/// The page of a trace, in a browser; none, and said, where there is none.
fn open(trace: &Path, name: &str) -> Option<Browser> {
    let page = scratch(name);
    let (trace, html) = (
        trace.to_str().expect("a path"),
        page.to_str().expect("a path"),
    );
    let drawn = papo(&["trace", "--html", html, trace]);
    assert!(matches!(drawn.status.code(), Some(0 | 1)), "{drawn:?}");
    let browser = Browser::open(&page);
    if browser.is_none() {
        let why = "there is no Chromium here";
        assert!(std::env::var_os("PAPO_TEST_NO_SKIP").is_none(), "{why}");
        println!("skipped: {why}");
    }
    browser
}

#[test]
fn the_page_is_filtered_zoomed_and_clicked() {
    let trace = lesson_trace("failover", "page.trace");
    let Some(mut page) = open(&trace, "page.html") else {
        return;
    };
    page.screenshot("page-all.png");
    assert_eq!(page.says("data.nodes.length"), json!(5));
    // The sentence of the election leads to it.
    let sentence = "[...document.querySelectorAll('#story button')].find((b) => b.textContent.includes('announced itself to 3'))";
    page.says(&format!("{sentence}.click()"));
    let span = page.says("view.to - view.from").as_f64().expect("a number");
    assert!(span < 20_000.0, "{span} µs are in sight");
    page.screenshot("page-election.png");
    // An arrow says what it is, how long it took, and why it was sent.
    let arrow = "data.arrows.findIndex((a) => data.types[a[2]].name === 'COORDINATOR_ANNOUNCEMENT' && a[1] === 2)";
    let middle = format!(
        "(() => {{ const [x1, y1, x2, y2] = endsOf(data.arrows[{arrow}]); return [x1 + (x2 - x1) * 0.3, y1 + (y2 - y1) * 0.3]; }})()"
    );
    let at = page.place(&middle);
    page.click(at);
    let said = page.text("chosen");
    assert!(
        said.contains("COORDINATOR_ANNOUNCEMENT") && said.contains("eva#5 → caio#3"),
        "{said}"
    );
    assert!(
        said.contains("why: its process ended")
            || said.contains("why: a link had ended")
            || said.contains("why: the coordinator"),
        "{said}"
    );
    // A band says who is whose coordinator, and how the node stands.
    let band = page.place("[xOf(view.to - (view.to - view.from) * 0.05), yOf(4) + 7]");
    page.click(band);
    let said = page.text("chosen");
    assert!(said.contains("holds eva#5 for coordinator"), "{said}");
    page.screenshot("page-clicked.png");
    // The wheel zooms about the mouse.
    page.mouse("mouseWheel", at, &json!({ "deltaX": 0, "deltaY": -600 }));
    let closer = page.says("view.to - view.from").as_f64().expect("a number");
    assert!(closer < span, "{closer} and {span}");
    // A type that is not wanted is not drawn, and not found.
    page.says("document.getElementById('all').click()");
    let count = page
        .says("[...inSight()].length")
        .as_f64()
        .expect("a number");
    page.says("[...document.querySelectorAll('#types label')].find((l) => l.textContent.includes('HELLO')).querySelector('input').click()");
    let fewer = page
        .says("[...inSight()].length")
        .as_f64()
        .expect("a number");
    assert!(fewer < count, "{fewer} and {count}");
}

#[test]
fn no_script_of_a_trace_runs() {
    let path = scratch("evil.trace");
    std::fs::write(&path, crate::files::hostile()).expect("a disk with room");
    let Some(mut page) = open(&path, "evil.html") else {
        return;
    };
    page.screenshot("page-evil.png");
    assert_eq!(page.says("document.scripts.length"), json!(2));
    assert_eq!(page.says("document.images.length"), json!(0));
    assert!(
        page.says("document.getElementById('story').textContent")
            .as_str()
            .is_some_and(|s| s.contains("<script>"))
    );
    // The policy stops what got in some other way, too.
    page.says("(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); })()");
    assert_eq!(page.says("window.ran === undefined"), json!(true));
}
