#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::source::Source;
use super::{Files, Finding, Rule, hygiene, layout, rooms, unsafety};

/// The walls themselves: this is the test that runs with all others.
#[test]
fn the_walls_stand() {
    let findings = super::findings().unwrap();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

fn files(list: &[(&str, &str)]) -> Files {
    let all = list
        .iter()
        .map(|(path, text)| Source::new(path, (*text).to_owned()));
    Files(all.collect())
}

/// Runs one rule over made-up files and compares `path:line` of what it finds.
fn check(rule: Rule, list: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = rule(&files(list))
        .iter()
        .map(|finding| format!("{}:{}", finding.path, finding.line))
        .collect();
    assert_eq!(found, expected, "for {list:?}");
}

#[test]
fn comments_strings_and_characters_are_not_code() {
    let cases = [
        ("a // unsafe\nb", "a          \nb"),
        ("a /* x /* y */ z */ b", "a                   b"),
        (r#"f("un\"safe")"#, r#"f("        ")"#),
        ("f(r#\"a\"b\"#)c", "f(r#\"    #)c"),
        ("let c = '\"'; d", "let c = ' '; d"),
        ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ("f('\\'', \"x\")", "f('  ', \" \")"),
    ];
    for (text, code) in cases {
        let source = Source::new("a.rs", text.to_owned());
        assert_eq!(source.code().len(), text.len(), "offsets of {text}");
        assert_eq!(source.code().trim_end(), code.trim_end(), "for {text}");
    }
}

#[test]
fn a_file_that_does_not_end_well_is_read_anyway() {
    for text in [
        "\"open",
        "r#\"open\"",
        "/* /* */",
        "'\\",
        "'",
        "r",
        "b'",
        "//",
    ] {
        let source = Source::new("a.rs", text.to_owned());
        assert_eq!(source.code().len(), text.len(), "for {text}");
    }
}

#[test]
fn offsets_survive_letters_of_several_bytes() {
    let text = "let a = \"déjà – vu\"; // ünsafe\nlet b = 'é'; c";
    let source = Source::new("a.rs", text.to_owned());
    assert_eq!(source.code().len(), text.len());
    assert!(source.code().ends_with("; c"));
    assert!(source.code().is_ascii());
}

#[test]
fn test_items_are_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { { } }\n}\nfn c() {}\n";
    let source = Source::new("a.rs", text.to_owned());
    assert!(source.shipped().contains("fn a") && source.shipped().contains("fn c"));
    assert!(!source.shipped().contains("fn b") && !source.shipped().contains("cfg"));
    assert_eq!(source.lines_shipped(), 2);

    let outside = "#[cfg(test)]\nmod tests;\nfn c() -> [u8; 2] { [0; 2] }\n";
    let source = Source::new("a.rs", outside.to_owned());
    assert_eq!(source.lines_shipped(), 1);
}

#[test]
fn comments_and_blank_lines_count_as_lines() {
    let source = Source::new("a.rs", "// why\n\nfn a() {}\n".to_owned());
    assert_eq!(source.lines_shipped(), 3);
}

#[test]
fn a_file_may_be_long_by_its_tests_only() {
    let code = "fn a() {}\n".repeat(600);
    let tests = format!("{code}#[cfg(test)]\nmod tests {{\n{code}}}\n");
    check(layout::length, &[("crates/log/src/a.rs", &tests)], &[]);
    let long = format!("{code}fn b() {{}}\n");
    check(
        layout::length,
        &[("crates/log/src/a.rs", &long)],
        &["crates/log/src/a.rs:0"],
    );
    check(layout::length, &[("crates/log/src/a_tests.rs", &long)], &[]);
    check(layout::length, &[("web/vendor/a.js", &long)], &[]);
    check(layout::length, &[("web/a.mjs", &long)], &["web/a.mjs:0"]);
}

#[test]
fn unsafe_is_found_and_must_be_explained() {
    let ring = "crates/record/src/ring.rs";
    let good = "// SAFETY: the page is ours\n// until drop.\nunsafe { a() }";
    check(unsafety::check, &[(ring, good)], &[]);
    let statement = "// SAFETY: ours\nlet a =\n    unsafe { b() };";
    check(unsafety::check, &[(ring, statement)], &[]);
    let attribute = "// SAFETY: plain bytes\n#[cfg(unix)]\nunsafe impl Send for A {}";
    check(unsafety::check, &[(ring, attribute)], &[]);
    check(
        unsafety::check,
        &[(ring, "a();\nunsafe { b() }")],
        &["crates/record/src/ring.rs:2"],
    );
    let stale = "// SAFETY: ours\nunsafe { a() };\nunsafe { b() }";
    check(
        unsafety::check,
        &[(ring, stale)],
        &["crates/record/src/ring.rs:3"],
    );
    let elsewhere = "#![allow(unsafe_code)]\n// unsafe\n// SAFETY: x\nunsafe { b() }";
    check(
        unsafety::check,
        &[("crates/log/src/a.rs", elsewhere)],
        &["crates/log/src/a.rs:4"],
    );
}

#[test]
fn libraries_leave_the_outside_to_their_caller() {
    let uses = "fn a() { std::env::var(\"HOME\"); }\nfn b() { println!(); std::process::exit(1) }";
    let both = ["a.rs:1", "a.rs:2", "a.rs:2"].map(|at| format!("crates/store/src/{at}"));
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    check(rooms::libraries, &[("crates/store/src/a.rs", uses)], &both);
    check(rooms::libraries, &[("crates/cli/src/a.rs", uses)], &[]);
    check(
        rooms::libraries,
        &[("crates/store/tests/it/a.rs", uses)],
        &[],
    );
    check(
        rooms::libraries,
        &[("crates/store/examples/a.rs", uses)],
        &[],
    );
    let test = format!("#[cfg(test)]\nmod tests {{ {uses} }}");
    check(rooms::libraries, &[("crates/store/src/a.rs", &test)], &[]);
    let words = "/// println!(\"in a doc\")\nfn a() { blueprintln!(); env!(\"X\") }";
    check(rooms::libraries, &[("crates/store/src/a.rs", words)], &[]);
}

#[test]
fn exceptions_allow_one_thing_only() {
    let env = "crates/record/src/env.rs";
    check(
        rooms::libraries,
        &[(env, "fn a() { env::var(\"X\"); }")],
        &[],
    );
    check(
        rooms::libraries,
        &[(env, "fn a() { eprintln!(); }")],
        &["crates/record/src/env.rs:1"],
    );
    let notice = "crates/record/src/notice.rs";
    check(
        rooms::libraries,
        &[(notice, "fn a() { eprintln!(); }")],
        &[],
    );
}

#[test]
fn connections_are_opened_in_known_places() {
    let code = "fn a() { TcpStream::connect(b); }\nfn b() { reqwest::get(c); }";
    let serve = "crates/serve/src/ingest.rs";
    check(
        rooms::connections,
        &[(serve, code)],
        &[
            "crates/serve/src/ingest.rs:1",
            "crates/serve/src/ingest.rs:2",
        ],
    );
    check(
        rooms::connections,
        &[("crates/ship/src/send/http.rs", code)],
        &[],
    );
    check(
        rooms::connections,
        &[("crates/serve/src/notify/http.rs", code)],
        &[],
    );
    check(
        rooms::connections,
        &[("crates/serve/src/alert/watch.rs", "use lettre::Message;")],
        &["crates/serve/src/alert/watch.rs:1"],
    );
    check(
        rooms::connections,
        &[("crates/serve/tests/it/a.rs", code)],
        &[],
    );
    let manifest = "[dependencies]\nureq = \"3\"\nserde.workspace = true\n";
    check(
        rooms::connections,
        &[("crates/store/Cargo.toml", manifest)],
        &["crates/store/Cargo.toml:2"],
    );
    check(
        rooms::connections,
        &[("crates/ship/Cargo.toml", manifest)],
        &[],
    );
}

#[test]
fn a_forgotten_file_is_found() {
    let crate_files = [
        (
            "crates/a/src/lib.rs",
            "mod b;\n#[cfg(test)]\n#[path = \"d_tests.rs\"]\nmod tests;\n// mod x;",
        ),
        ("crates/a/src/b.rs", "mod c;"),
        ("crates/a/src/b/c.rs", ""),
        ("crates/a/src/d_tests.rs", ""),
        ("crates/a/src/x.rs", ""),
        ("crates/a/tests/it/main.rs", "mod one;\nmod two;"),
        ("crates/a/tests/it/one.rs", ""),
        ("crates/a/tests/it/two/mod.rs", "mod deep;"),
        ("crates/a/tests/it/two/deep.rs", ""),
        ("crates/a/tests/it/three.rs", ""),
    ];
    check(
        layout::forgotten,
        &crate_files,
        &["crates/a/src/x.rs:0", "crates/a/tests/it/three.rs:0"],
    );
}

#[test]
fn a_second_test_binary_is_found() {
    let list = [
        ("crates/a/tests/it/main.rs", ""),
        ("crates/a/tests/it/one.rs", ""),
        ("crates/a/tests/more.rs", ""),
        ("crates/a/tests/other/main.rs", ""),
    ];
    check(
        layout::one_test_binary,
        &list,
        &["crates/a/tests/more.rs:0", "crates/a/tests/other/main.rs:0"],
    );
}

#[test]
fn undone_work_is_found() {
    let code =
        "fn a() { todo!() }\n#[test]\n#[ignore]\nfn b() {}\n// todo! later\nfn c() { \"dbg!\"; }";
    check(
        hygiene::undone,
        &[("crates/a/src/a.rs", code)],
        &["crates/a/src/a.rs:1", "crates/a/src/a.rs:3"],
    );
}

#[test]
fn names_of_one_machine_are_found() {
    let text = format!("fine\npath: {}home\n", concat!("/wo", "rk/"));
    check(hygiene::machine, &[("docs/a.md", &text)], &["docs/a.md:2"]);
    let lock = "[[package]]\nsource = \"git+https://example.org/a\"\n";
    check(hygiene::machine, &[("Cargo.lock", lock)], &["Cargo.lock:2"]);
}

#[test]
fn invisible_characters_are_found() {
    let text = "a\tb é 👩\u{200d}🚀\nc\u{202e}d\n\u{7}";
    check(hygiene::invisible, &[("a.md", text)], &["a.md:2", "a.md:3"]);
    check(
        hygiene::invisible,
        &[("crates/a/tests/data/a.jsonl", text)],
        &[],
    );
}
