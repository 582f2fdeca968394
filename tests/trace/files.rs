//! Files that are damaged, cut off, mixed, or made to do harm: a clear error, or a correct picture.

use crate::{lesson_trace, papo, scratch, text};

fn write(name: &str, bytes: &[u8]) -> String {
    let path = scratch(name);
    std::fs::write(&path, bytes).expect("a disk with room");
    path.to_str().expect("a path").to_owned()
}

/// What papo says on stderr, in one line, and that it fails.
fn error(args: &[&str]) -> String {
    let out = papo(args);
    assert_eq!(out.status.code(), Some(3), "{args:?}: {out:?}");
    let said = text(&out.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn what_is_no_trace_is_named_and_said_to_be_none() {
    let empty = write("empty.trace", b"");
    assert!(error(&["trace", &empty]).contains("it is empty"));
    let binary = write("binary.trace", &[0xff, 0, b'{', b'\n', 7]);
    assert!(error(&["trace", &binary]).contains("is no trace of papo's"));
    let json = write("other.trace", b"{\"a\":1}\n[1,2]\n\"x\"\n");
    assert!(error(&["trace", &json]).contains("is no trace of papo's"));
    assert!(error(&["trace", "/nowhere/at-all"]).contains("cannot be read"));
    assert!(error(&["trace", env!("CARGO_TARGET_TMPDIR")]).contains("a directory"));
    let later = "{\"key\":\"00000000000000aa\",\"n\":1,\"t\":1,\"wall\":1,\"e\":\"node\",\"trace\":2,\"nick\":\"a\",\"room\":\"r\",\"standing\":\"seeking\"}\n";
    let later = write("later.trace", later.as_bytes());
    assert!(error(&["trace", &later]).contains("a later papo"));
    let deep = write("deep.trace", &[vec![b'['; 100_000], vec![b'\n']].concat());
    assert!(error(&["trace", &deep]).contains("is no trace"));
    let endless = write("endless.trace", &vec![b'x'; 3 << 20]);
    assert!(error(&["trace", &endless]).contains("is no trace"));
}

/// A pipe is read as a file is, up to its end; what is none of both is said not to be read.
#[test]
fn a_trace_may_come_from_a_pipe() {
    let trace = lesson_trace("failover", "piped.trace");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_papo"))
        .args(["trace", "/dev/stdin"])
        .stdin(std::fs::File::open(&trace).expect("a trace"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("papo runs");
    let mut said = String::new();
    let mut out = child.stdout.take().expect("a pipe");
    std::io::Read::read_to_string(&mut out, &mut said).expect("text");
    assert!(child.wait().expect("an end").success());
    assert!(said.contains("eva#5, who announced itself to 3"), "{said}");
    assert!(error(&["trace", "/dev/null"]).contains("it is empty"));
}

/// Whatever a node was told, and whatever it calls itself, its trace is whole lines that are read again.
#[test]
fn numbers_and_names_of_any_size_are_drawn() {
    let most = u64::MAX;
    let long = "é".repeat(100_000);
    let mut lines = String::new();
    let mut add = |n: u64, t: u64, rest: &str| {
        lines +=
            &format!("{{\"key\":\"00000000000000aa\",\"n\":{n},\"t\":{t},\"wall\":{t},{rest}}}\n");
    };
    let node = format!(
        r#""e":"node","trace":1,"nick":"{long}","room":"r","id":{most},"standing":"member","view":[{most},"00000000000000aa"],"coordinator":[{most},"ffffffffffffffff"]"#
    );
    add(most, 1 << 50, &node);
    add(
        0,
        1 << 50,
        r#""e":"connected","link":18446744073709551615,"wire":"""#,
    );
    add(
        1,
        0,
        &format!(
            r#""e":"sent","m":"{long}","to":[[{most},{most}]],"view":{most},"seq":{most},"ids":[["00000000000000aa",{most},0]]"#
        ),
    );
    add(
        2,
        5,
        &format!(
            r#""e":"confirmed","ids":[["00000000000000aa",0,{most}]],"members":{most},"confirmed":0"#
        ),
    );
    add(
        3,
        5,
        r#""e":"taken","ids":[["00000000000000aa",0,18446744073709551615]],"how":"late""#,
    );
    add(
        4,
        5,
        r#""e":"floor","at":[18446744073709551615,"ffffffffffffffff",18446744073709551615]"#,
    );
    // A number that is none of a clock's, and one that is no number of papo's.
    add(5, most, r#""e":"away""#);
    lines += r#"{"key":"00000000000000aa","n":6,"t":1e99,"wall":-1,"e":"away"}"#;
    let trace = write("huge.trace", lines.as_bytes());
    let html = scratch("huge.html");
    let html = html.to_str().expect("a path");
    for args in [
        &["trace", &trace][..],
        &["trace", "--text", "--width", "60", &trace],
        &["trace", "--svg", "-", &trace],
        &["trace", "--shiviz", "-", &trace],
        &["trace", "--html", html, &trace],
    ] {
        let out = papo(args);
        assert!(
            matches!(out.status.code(), Some(0 | 1)),
            "{args:?}: {out:?}"
        );
        assert!(out.stdout.len() < 1 << 20, "{args:?}");
    }
}

#[test]
fn a_damaged_trace_is_drawn_as_far_as_it_goes_and_that_is_said() {
    let whole = std::fs::read(lesson_trace("failover", "damaged.trace")).expect("a trace");
    let cut = write("cut.trace", &whole[..whole.len() - 40]);
    let out = papo(&["trace", &cut]);
    assert!(
        text(&out.stdout).contains("its last line is not whole"),
        "{out:?}"
    );
    let mut holes = whole.clone();
    for at in (5_000..holes.len()).step_by(9_973) {
        holes[at] = b'\x01';
    }
    let holes = write("holes.trace", &holes);
    let out = papo(&["trace", "--text", &holes]);
    assert!(matches!(out.status.code(), Some(0 | 1)), "{out:?}");
    // Lines in any order, twice, and with those of another room among them, are the same nodes.
    let mut lines: Vec<&[u8]> = whole.split(|b| *b == b'\n').collect();
    lines.reverse();
    let mixed = write(
        "mixed.trace",
        &[lines.join(&b'\n'), b"\n".to_vec(), whole.clone()].concat(),
    );
    let out = papo(&["trace", &mixed]);
    let said = text(&out.stdout);
    assert!(said.contains("lines were there twice"), "{said}");
    assert!(said.contains("eva#5, who announced itself to 3"), "{said}");
}

/// A trace in which every text that a stranger may choose is markup.
pub fn hostile() -> String {
    let evil =
        r#"</script><script>alert(1)</script><img src=x onerror=alert(2)>\u001b[2J\u202e'\"&]]>"#;
    let mut lines = String::new();
    for (key, other) in [
        ("00000000000000aa", "00000000000000bb"),
        ("00000000000000bb", "00000000000000aa"),
    ] {
        let head = |n: u64, t: u64| {
            format!("{{\"key\":\"{key}\",\"n\":{n},\"t\":{t},\"wall\":18446744073709551,")
        };
        let mut add = |n: u64, t: u64, rest: String| {
            lines += &head(n, t).replace("18446744073709551", "1000000000000");
            lines += &rest;
            lines += "}\n";
        };
        add(
            1,
            5,
            format!(
                r#""e":"node","trace":1,"nick":"{evil}","room":"{evil}","standing":"{evil}","members":[["{key}",18446744073709551615,"{evil}"],["{other}",1,"{evil}"]],"links":[[1,"{other}","{evil}"]]"#
            ),
        );
        add(
            2,
            9_000_000,
            format!(
                r#""e":"sent","m":"{evil}","to":[[1,1],[1,18446744073709551615]],"kind":"{evil}","texts":["{evil}"]"#
            ),
        );
        // Backwards, and by much.
        add(
            3,
            1,
            format!(
                r#""e":"got","m":"{evil}","link":1,"no":1,"ids":[["{other}",0,18446744073709551615]]"#
            ),
        );
        add(
            4,
            2,
            format!(r#""e":"standing","standing":"electing","why":"{evil}""#),
        );
        add(
            5,
            3,
            format!(r#""e":"election","phase":"started","why":"{evil}""#),
        );
        add(
            6,
            3,
            format!(r#""e":"election","phase":"won","why":"{evil}""#),
        );
        add(
            7,
            3,
            format!(r#""e":"lost","peer":"{other}","why":"{evil}""#),
        );
        add(
            8,
            3,
            format!(r#""e":"fate","fate":"{evil}","peer":"{other}""#),
        );
        add(
            9,
            3,
            format!(
                r#""e":"taken","ids":[["{key}",1,18446744073709551615]],"own":true,"how":"{evil}""#
            ),
        );
        add(
            10,
            3,
            format!(r#""e":"missed","ids":[["{key}",0,18446744073709551615],["{key}",5,1]]"#),
        );
        add(
            11,
            3,
            r#""e":"view","view":18446744073709551615,"of":"00000000000000aa","size":0"#.to_owned(),
        );
        add(12, 3, r#""e":"something new","with":[1,2,3]"#.to_owned());
        add(u64::MAX, 1 << 59, r#""e":"away""#.to_owned());
    }
    // Times that are no clock's.
    lines += "{\"key\":\"00000000000000aa\",\"n\":77,\"t\":18446744073709551615,\"wall\":18446744073709551615,\"e\":\"away\"}\n";
    lines
}

#[test]
fn markup_in_names_is_never_markup_in_a_picture() {
    let trace = write("hostile.trace", hostile().as_bytes());
    let (svg, html) = (scratch("hostile.svg"), scratch("hostile.html"));
    let (svg, html) = (
        svg.to_str().expect("a path"),
        html.to_str().expect("a path"),
    );
    let out = papo(&[
        "trace", "--svg", svg, "--html", html, "--shiviz", "-", &trace,
    ]);
    assert!(matches!(out.status.code(), Some(0 | 1)), "{out:?}");
    let svg = std::fs::read_to_string(svg).expect("a picture");
    let html = std::fs::read_to_string(html).expect("a page");
    for (what, drawn) in [("SVG", &svg), ("HTML", &html)] {
        assert!(!drawn.contains("<script>alert"), "{what}");
        assert!(!drawn.contains("<img"), "{what}");
        assert!(
            !drawn.contains('\u{1b}') && !drawn.contains('\u{202e}'),
            "{what}"
        );
    }
    assert_eq!(svg.matches("<script").count(), 0);
    assert_eq!(
        html.matches("<script").count(),
        2,
        "the data, and the page's own"
    );
    assert_eq!(html.matches("</script").count(), 2);
    assert!(html.contains("Content-Security-Policy"));
    for args in [&["trace", &trace][..], &["trace", "--text", &trace]] {
        let out = papo(args);
        assert!(matches!(out.status.code(), Some(0 | 1)), "{out:?}");
        assert!(
            !text(&out.stdout).contains('\u{1b}'),
            "no control character reaches a terminal"
        );
    }
}

/// The page lets no script run but its own, whose hash it names.
#[test]
fn the_page_names_the_hash_of_its_own_script() {
    use sha2::Digest as _;
    let script = include_str!("../../src/trace/html/page.js");
    let hash = sha2::Sha256::digest(script.as_bytes());
    let html = scratch("hash.html");
    let trace = lesson_trace("failover", "hash.trace");
    let (html, trace) = (
        html.to_str().expect("a path"),
        trace.to_str().expect("a path"),
    );
    assert!(papo(&["trace", "--html", html, trace]).status.success());
    let page = std::fs::read_to_string(html).expect("a page");
    let named = format!("script-src 'sha256-{}'", base64(&hash));
    assert!(
        page.contains(&named),
        "the script has changed: name {named} in src/trace/html/mod.rs"
    );
    assert!(page.contains(&format!("<script>{script}</script>")));
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "nothing is fetched"
    );
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let number =
            part.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = number >> (18 - 6 * place) & 63;
            let is_there = place <= part.len();
            out.push(if is_there {
                char::from(DIGITS[digit as usize])
            } else {
                '='
            });
        }
    }
    out
}

#[test]
fn what_cannot_be_found_is_said_with_what_there_is() {
    let trace = lesson_trace("failover", "found.trace");
    let trace = trace.to_str().expect("a path");
    assert!(error(&["trace", "--around", "merge", trace]).contains("there is no merge"));
    assert!(error(&["trace", "--around", "election.9", trace]).contains("there are only"));
    assert!(error(&["trace", "--around", "soon", trace]).contains("such as 1.5s"));
    assert!(error(&["trace", "--between", "2s..1s", trace]).contains("before the second"));
    assert!(error(&["trace", "--nodes", "zoe", trace]).contains("ana#1"));
    assert!(error(&["trace", "--types", "GOSSIP", trace]).contains("HELLO"));
    let rows = text(
        &papo(&[
            "trace",
            "--text",
            "--between",
            "1s..2s",
            "--width",
            "80",
            trace,
        ])
        .stdout,
    );
    assert!(
        rows.contains("COORDINATOR") && rows.lines().all(|l| l.chars().count() <= 80),
        "{rows}"
    );
}
