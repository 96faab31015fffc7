//! `--output`: files whole or not at all, through links, into what is no file.
#![cfg(unix)]

use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::Stdio;

use crate::harness::Desk;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "x", "--duration-ms", "1"]);
    desk
}

#[test]
fn links_are_followed_and_the_file_behind_is_replaced_whole() {
    let desk = desk();
    for name in ["there.txt", "not-yet.txt"] {
        let real = desk.cwd().join("real");
        std::fs::create_dir_all(&real).unwrap();
        let target = real.join(name);
        if name == "there.txt" {
            std::fs::write(&target, "old").unwrap();
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
        }
        let link = desk.cwd().join("link");
        symlink(format!("real/{name}"), &link).unwrap();
        desk.ok(&["report", "-o", "link"]);
        assert!(link.is_symlink(), "the link stays a link");
        let text = std::fs::read_to_string(&target).unwrap();
        assert!(text.contains("Events: 1"), "{text}");
        if name == "there.txt" {
            let mode = target.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640, "who may read it stays");
        }
        let left: Vec<_> = std::fs::read_dir(&real).unwrap().collect();
        assert_eq!(left.len(), if name == "there.txt" { 1 } else { 2 });
        std::fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_fifo_is_written_and_stays_one() {
    let desk = desk();
    let fifo = desk.cwd().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for args in [
        &["report", "--json", "-o", "fifo"][..],
        &["export", "--format", "parquet", "-o", "fifo"],
    ] {
        let mut child = desk.command(args).stderr(Stdio::piped()).spawn().unwrap();
        let bytes = std::fs::read(&fifo).unwrap();
        assert!(child.wait().unwrap().success(), "{args:?}");
        assert!(bytes.starts_with(b"{") || bytes.starts_with(b"PAR1"));
        assert!(fifo.metadata().unwrap().file_type().is_fifo());
    }
}

#[test]
fn stdout_has_several_names() {
    let desk = desk();
    let plain = desk.ok(&["export"]).stdout;
    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let said = desk.ok(&["export", "-o", name]);
        assert_eq!(
            (said.stdout.as_str(), said.stderr.as_str()),
            (plain.as_str(), "")
        );
    }
    assert!(desk.ok(&["report", "-o", "-"]).stdout.contains("Events: 1"));
    assert!(!desk.cwd().join("-").exists());
    let parquet = desk.command(&["export", "--format", "parquet", "-o", "-"]);
    let bytes = { parquet }.output().unwrap().stdout;
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    // What was written to it before stays.
    let both = desk.file("both.txt", "");
    let out = std::fs::OpenOptions::new()
        .append(true)
        .open(&both)
        .unwrap();
    for _ in 0..2 {
        let mut command = desk.command(&["export", "-o", "/dev/stdout"]);
        assert!(
            command
                .stdout(out.try_clone().unwrap())
                .status()
                .unwrap()
                .success()
        );
    }
    assert_eq!(std::fs::read_to_string(both).unwrap(), plain.repeat(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_and_stays_a_device() {
    let desk = desk();
    for args in [
        &["report", "-o", "/dev/full"][..],
        &["export", "-o", "/dev/full"],
        &["export", "--format", "parquet", "-o", "/dev/full"],
    ] {
        desk.tacho(args).fails(1, &["/dev/full", "No space left"]);
    }
    let full = std::fs::metadata("/dev/full").unwrap();
    assert!(full.file_type().is_char_device());
}

#[test]
fn what_cannot_be_written_is_named_with_the_way_out() {
    let desk = desk();
    desk.file("file", "");
    for command in ["report", "export"] {
        desk.tacho(&[command, "-o", "file/below/x"]).fails(
            1,
            &[
                "cannot make the folder file/below",
                "hint: name a file in a folder",
            ],
        );
        desk.ok(&[command, "-o", &format!("new/{command}/x")]);
        desk.tacho(&[command, "-o", "."])
            .fails(2, &["--output . is a folder", "hint: name a file in it"]);
        desk.tacho(&[command, "-o", "other/"])
            .fails(2, &["--output other/ is a folder"]);
    }
    desk.tacho(&["export", "--format", "parquet"])
        .fails(2, &["needs --output FILE", "hint: `--output -`"]);
}

#[test]
fn a_failure_leaves_what_was_there() {
    let desk = desk();
    desk.file("old.csv", "old");
    // A broken manifest cannot be read at all.
    std::fs::remove_file(desk.home().join("events.jsonl")).unwrap();
    std::fs::create_dir(desk.home().join("manifest.json")).unwrap();
    let said = desk.tacho(&["export", "--format", "csv", "-o", "old.csv"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(
        std::fs::read_to_string(desk.cwd().join("old.csv")).unwrap(),
        "old"
    );
    assert_eq!(std::fs::read_dir(desk.cwd()).unwrap().count(), 1);
}

#[test]
fn a_row_is_asked_for_by_its_exact_name() {
    let desk = desk();
    desk.ok(&["record", "tool_call", "--tool", "X", "--duration-ms", "2"]);
    for (model, provider) in [("m", "one"), ("m", "two"), ("n", "two")] {
        desk.ok(&[
            "record",
            "llm_call",
            "--model",
            model,
            "--provider",
            provider,
        ]);
    }
    let ask = |args: &[&str]| {
        let mut line = vec!["report", "--json", "--section"];
        line.extend(args);
        desk.ok(&line).json()
    };
    let tools = ask(&["tools", "--name", "X"]);
    assert_eq!(tools["tools"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(tools["tools"]["tools"][0]["name"], "X");
    assert_eq!(tools["tools"]["duration_ms"]["mean"], 2.0);
    let none = ask(&["tools", "--name", "' OR 1=1 --"]);
    assert_eq!(none["tools"]["tools"].as_array().unwrap().len(), 0);
    for (args, models) in [
        (&["models", "--name", "m"][..], 2),
        (&["models", "--source", "two"], 2),
        (&["models", "--name", "m", "--source", "two"], 1),
    ] {
        let found = ask(args);
        let listed = found["models"]["models"].as_array().unwrap().len();
        assert_eq!(listed, models, "{args:?}: {found}");
    }
    for (args, hint) in [
        (&["--name", "x"][..], "hint: --section tools"),
        (
            &["--section", "tools,models", "--name", "x"],
            "hint: --section tools",
        ),
        (
            &["--section", "errors", "--name", "x"],
            "hint: --section tools",
        ),
        (
            &["--section", "tools", "--source", "x"],
            "hint: --section models",
        ),
    ] {
        let mut line = vec!["report"];
        line.extend(args);
        desk.tacho(&line).fails(2, &[hint]);
    }
}

#[test]
fn a_row_that_is_not_there_is_said_not_to_be_and_which_was_meant() {
    let desk = desk();
    desk.ok(&["record", "tool_call", "--tool", "grep", "--agent", "coder"]);
    desk.ok(&["record", "cache", "--cache", "agents", "--hit", "true"]);
    for (model, provider) in [("m", "one"), ("mimi", "two")] {
        let args = ["record", "llm_call", "--model", model];
        desk.ok(&[&args[..], &["--provider", provider]].concat());
    }
    let asked = |args: &[&str]| desk.ok(&[&["report", "--section"][..], args].concat());
    let check = |args: &[&str], said: &str, hint: &str| {
        let told = asked(args);
        let note = format!("note: {said} in this window\nhint: {hint}\n");
        assert!(told.stderr.contains(&note), "{args:?}: {told:?}");
        assert!(!told.stderr.contains("--since"), "{args:?}: {told:?}");
    };
    let all = "the same without it lists all there are";
    check(
        &["tools", "--name", "gerp"],
        "no tool is called \"gerp\"",
        "did you mean grep?",
    );
    check(
        &["tools", "--name", "a\u{1b}[2Jb"],
        "no tool is called \"a\\u{1b}[2Jb\"",
        all,
    );
    check(
        &["caches", "--name", "agent"],
        "no cache is called \"agent\"",
        "did you mean agents?",
    );
    check(
        &["agents", "--name", "nobody"],
        "no agent is called \"nobody\"",
        all,
    );
    check(
        &["models", "--name", "mini"],
        "no model is called \"mini\"",
        "did you mean mimi?",
    );
    check(
        &["models", "--source", "twoo"],
        "there is no model of \"twoo\"",
        "did you mean --source two?",
    );
    check(
        &["models", "--source", "two", "--name", "m"],
        "no model of \"two\" is called \"m\"",
        "did you mean --source one?",
    );
    // An agent is found by what it is called, and as it is stored.
    let agents = |name: &str| asked(&["agents", "--name", name, "--json"]).json();
    let coder = agents("coder")["agents"]["agents"].clone();
    assert_eq!(coder.as_array().map(Vec::len), Some(1), "{coder}");
    let stored = coder[0]["agent"].as_str().unwrap();
    assert_ne!(stored, "coder");
    assert_eq!(agents(stored)["agents"]["agents"], coder);
    // Where the window holds nothing at all, that is what is said.
    let past = ["report", "--section", "tools", "--name", "grep"];
    let then = ["--since", "2001-01-01", "--until", "2001-01-02"];
    let told = desk.ok(&[&past[..], &then].concat());
    assert!(told.stderr.contains("no event in this window"), "{told:?}");
    // Where it holds other things only, it is not empty either.
    let other = self::desk();
    other.ok(&["record", "tool_call", "--tool", "grep"]);
    for since in ["2001-01-01", "1700-01-01"] {
        let args = [
            "report",
            "--section",
            "models",
            "--name",
            "x",
            "--since",
            since,
        ];
        let told = other.ok(&args).stderr;
        let said = "no model is called \"x\" in this window\nhint: it holds no model at all\n";
        assert!(told.contains(said) && !told.contains("no event"), "{told}");
    }
    for flag in ["--name", "--source"] {
        let args = ["report", "--section", "models", flag, ""];
        desk.tacho(&args).fails(2, &[flag, "is empty", "unknown"]);
    }
}
