//! Manners: exit codes, help, streams, colors, pipes.

use std::io::Read;
use std::process::Stdio;

use crate::harness::Desk;

#[test]
fn exit_codes_are_a_contract() {
    let desk = Desk::new();
    assert_eq!(
        desk.ok(&["--version"]).stdout,
        concat!("tacho ", env!("CARGO_PKG_VERSION"), "\n")
    );
    desk.tacho(&[]).fails(2, &["Usage: tacho"]);
    desk.tacho(&["reprot"]).fails(2, &["'reprot'", "'report'"]);
    desk.tacho(&["report", "--days", "0"]).fails(2, &["--days"]);
    desk.tacho(&["report", "--days", "1", "--hours", "1"])
        .fails(2, &["cannot be used with"]);
    desk.tacho(&["report", "--since", "tomorrow"])
        .fails(2, &["--since \"tomorrow\"", "hint: write 2025-11-20"]);
    desk.tacho(&["--as-of", "noon", "report"])
        .fails(2, &["--as-of \"noon\""]);
    desk.tacho(&["config", "--format", "csv"]).fails(
        2,
        &["--format csv does not fit", "hint: it takes text, json"],
    );
    desk.tacho(&["--events", "nowhere", "report"])
        .fails(2, &["no such folder"]);
    desk.tacho(&["--events", ".", "record", "tool_call"])
        .fails(2, &["--events only reads"]);
    desk.tacho(&["--events", ".", "--home", ".", "report"])
        .fails(2, &["cannot be used with"]);
}

#[test]
fn help_lists_what_works_with_examples() {
    let desk = Desk::new();
    let help = desk.ok(&["--help"]).stdout;
    for missing in ["telemetry", "baseline"] {
        assert!(
            !help.contains(&format!("\n  {missing} ")),
            "{missing} does not exist"
        );
    }
    for command in [
        "start",
        "top",
        "report",
        "health",
        "stats",
        "trends",
        "timeline",
        "alerts",
        "sql",
        "export",
        "record",
        "run",
        "import",
        "compact",
        "doctor",
        "config",
        "demo",
        "completions",
        "man",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let help = desk.ok(&[command, "--help"]).stdout;
        assert!(help.contains("Example"), "{command} has no example");
    }
    assert!(
        desk.ok(&["agents", "search", "--help"])
            .stdout
            .contains("--limit")
    );
    assert!(
        desk.ok(&["record", "--help"])
            .stdout
            .contains("--load-time-ms")
    );
}

#[test]
fn completions_for_every_shell_and_manual_pages() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.ok(&["completions", shell]).stdout;
        assert!(
            script.contains("tacho") && script.contains("import"),
            "{shell}"
        );
    }
    let bash = desk.file("tacho.bash", desk.ok(&["completions", "bash"]).stdout);
    assert!(
        std::process::Command::new("bash")
            .arg("-n")
            .arg(bash)
            .status()
            .unwrap()
            .success()
    );
    assert!(desk.ok(&["man"]).stdout.contains(".TH tacho 1"));
    desk.ok(&["man", "--out", "pages"]);
    let page = std::fs::read_to_string(desk.cwd().join("pages/tacho-agents-search.1")).unwrap();
    assert!(
        page.contains("tacho\\-agents\\-search") || page.contains("tacho-agents-search"),
        "{page}"
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let desk = Desk::new();
    for args in [&["config"][..], &["man"], &["completions", "zsh"]] {
        let mut child = desk
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut words = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut words)
            .unwrap();
        assert_eq!(
            (child.wait().unwrap().code(), words.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

#[test]
fn color_only_where_it_is_wanted() {
    let desk = Desk::new();
    assert!(
        !desk.ok(&["config"]).stdout.contains('\u{1b}'),
        "a pipe gets none"
    );
    assert!(
        desk.ok(&["config", "--color", "always"])
            .stdout
            .contains('\u{1b}')
    );
    let run = |env: &[(&str, &str)], args: &[&str]| {
        let mut command = desk.command(args);
        command.envs(env.iter().copied());
        String::from_utf8(command.output().unwrap().stdout)
            .unwrap()
            .contains('\u{1b}')
    };
    assert!(run(&[("TACHOGRAPH_COLOR", "always")], &["config"]));
    assert!(!run(
        &[("TACHOGRAPH_COLOR", "always")],
        &["config", "--color", "never"]
    ));
    assert!(
        run(&[("NO_COLOR", "1")], &["config", "--color", "always"]),
        "a flag says more than NO_COLOR"
    );
    desk.tacho(&["config", "--color", "red"])
        .fails(2, &["auto, always, never"]);
}

#[test]
fn emoji_and_letters_only_where_they_are_wanted() {
    let desk = Desk::new();
    let health = |env: &[(&str, &str)], args: &[&str]| {
        let mut command = desk.command(&[&["health"], args].concat());
        command.envs(env.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    // Into a pipe the older tool's bytes.
    assert!(health(&[], &[]).contains("📊 AGENT DISCOVERY"));
    assert!(health(&[("LC_ALL", "C.UTF-8")], &[]).contains("🔍"));
    for (env, args) in [
        (&[("NO_COLOR", "1")][..], &[][..]),
        (&[], &["--color", "never"]),
    ] {
        let text = health(env, args);
        assert!(text.contains("\nAGENT DISCOVERY PERFORMANCE\n"), "{text}");
        assert!(text.contains("━━━") && !text.contains('⚠'), "{text}");
    }
    let text = health(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], &[]);
    assert!(text.is_ascii() && text.contains("+====="), "{text}");
    assert!(
        text.contains("No Data Yet") && text.contains("tacho run"),
        "{text}"
    );
}

#[test]
fn an_older_tool_s_events_are_pointed_out() {
    let desk = Desk::new();
    let said = desk.ok(&["report"]);
    assert!(said.stderr.contains("nothing is recorded in"), "{said:?}");
    let older = desk.user().join(".mycelium/analytics");
    std::fs::create_dir_all(&older).unwrap();
    std::fs::write(older.join("events.jsonl"), "").unwrap();
    let said = desk.ok(&["report"]);
    assert!(
        said.stderr.contains("--events") && said.stderr.contains("tacho import"),
        "{said:?}"
    );
    assert!(!desk.home().exists(), "asking makes no home");
}

#[test]
fn a_doctor_finds_and_mends() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "x"]);
    assert_eq!(desk.ok(&["doctor"]).code, Some(0));
    let said = desk.ok(&["compact", "--json"]).json();
    assert_eq!(said["sealed"]["events"], 1);
    assert!(desk.ok(&["compact"]).stdout.contains("nothing to seal"));
    let manifest = desk.home().join("manifest.json");
    std::fs::write(&manifest, "{").unwrap();
    assert_eq!(desk.tacho(&["doctor"]).code, Some(1));
    desk.ok(&["doctor", "--repair"]);
    assert_eq!(
        desk.ok(&["doctor", "--json"]).json()["findings"],
        serde_json::json!([])
    );
}

#[test]
fn a_doctor_says_what_it_did_and_lets_it_rest() {
    let desk = Desk::new();
    let seal = || {
        desk.ok(&["record", "tool_call", "--tool", "x"]);
        desk.ok(&["compact"]);
        let mut folders = std::fs::read_dir(desk.home().join("segments")).unwrap();
        let folder = folders.next().unwrap().unwrap().path();
        let mut files = std::fs::read_dir(folder).unwrap();
        files.next().unwrap().unwrap().path()
    };
    let gone = seal();
    std::fs::remove_file(&gone).unwrap();
    assert_eq!(desk.tacho(&["doctor"]).code, Some(1));
    let said = desk.ok(&["doctor", "--repair"]).stdout;
    assert!(said.contains("forgotten, for it is missing: "), "{said}");
    assert!(!said.contains("set aside"), "{said}");

    std::fs::write(seal(), "PAR1").unwrap();
    assert_eq!(desk.tacho(&["doctor"]).code, Some(1));
    let said = desk.ok(&["doctor", "--repair"]).stdout;
    assert!(said.contains("set aside: "), "{said}");
    // What lies aside is worth a word, and no alarm for ever.
    let said = desk.ok(&["doctor", "--json"]).json();
    assert_eq!(said["findings"][0]["severity"], "info", "{said}");
}

#[test]
fn doctor_and_compact_make_no_home() {
    let desk = Desk::new();
    for args in [&["doctor"][..], &["doctor", "--repair"], &["compact"]] {
        let said = desk.ok(args);
        assert!(!desk.home().exists(), "{args:?}: {said:?}");
    }
}

#[test]
fn what_matches_nothing_says_what_there_is() {
    let desk = Desk::new();
    desk.ok(&[
        "record",
        "query",
        "--agent-type",
        "crewai",
        "--duration-ms",
        "5",
    ]);
    desk.ok(&["record", "own", "--keep-text"]);
    desk.tacho(&["export", "--kind", "tool_cal"]).fails(
        2,
        &[
            "no kind of event is called `tool_cal`",
            "did you mean tool_call?",
        ],
    );
    desk.tacho(&["export", "--kind", "query,nonsense"])
        .fails(2, &["`nonsense`", "there are agent_discovery, ", ", own"]);
    assert_eq!(
        desk.ok(&["export", "--kind", "own"]).stdout.lines().count(),
        1
    );
    let said = desk.ok(&["export", "--kind", "tool_call"]);
    assert_eq!(said.stdout, "");
    assert_eq!(
        said.stderr,
        "note: no event of kind tool_call in this window; there are events of own, query\n"
    );
    let said = desk.ok(&["export", "--since", "2020-01-01", "--until", "2020-01-02"]);
    assert!(said.stderr.contains("no event in this window"), "{said:?}");
    let said = desk.ok(&["stats", "--agent", "crewia"]);
    assert!(
        said.stderr
            .contains("`crewia` answered no query; did you mean crewai?"),
        "{said:?}"
    );
    let said = desk.ok(&["stats", "--agent", "somebody else"]);
    assert!(said.stderr.contains("there are crewai"), "{said:?}");
    assert_eq!(desk.ok(&["stats", "--agent", "crewai"]).stderr, "");
    desk.tacho(&["report", "--section", "tool"])
        .fails(2, &["did you mean tools?"]);
}

#[test]
fn a_second_opinion_is_for_those_who_ask() {
    let desk = Desk::new();
    let lines: String = (1..=9)
        .map(|day| {
            format!(
                "{{\"timestamp\":\"2025-11-0{day}T10:00:00Z\",\"event_type\":\"agent_discovery\",\
                 \"operation\":\"search\",\"duration_ms\":100.{day}}}\n"
            )
        })
        .collect();
    desk.tacho_with(&["record"], lines.as_bytes());
    let ask = ["--as-of", "2025-11-10T00:00:00Z", "trends", "--days", "10"];
    assert_eq!(desk.ok(&ask).stderr, "");
    let said = desk.ok(&[&ask[..], &["-v"]].concat());
    assert!(said.stderr.contains("Mann-Kendall"), "{said:?}");
}

/// What a process left in its ring may belong to a log that a seal deletes.
#[cfg(target_os = "linux")]
#[test]
fn a_ring_that_may_yet_be_read_holds_a_seal_up_and_one_that_never_can_does_not() {
    for (version, code, words, left) in [
        (2_u64, 1, "hint: put right what stands in the way", "1.ring"),
        (
            1,
            0,
            "has a damaged directory; it is kept as",
            "1.ring.damaged",
        ),
    ] {
        let desk = Desk::new();
        desk.ok(&["record", "tool_call", "--tool", "x"]);
        let rings = desk.home().join("rings");
        std::fs::create_dir(&rings).unwrap();
        let mut ring = vec![0; 8_192];
        ring[..8].copy_from_slice(b"TACHRING");
        ring[8..16].copy_from_slice(&version.to_le_bytes());
        // One block, of no kind.
        ring[64..72].copy_from_slice(&1_u64.to_le_bytes());
        ring[1_024..1_032].copy_from_slice(&u64::MAX.to_le_bytes());
        std::fs::write(rings.join("1.ring"), ring).unwrap();
        desk.tacho(&["compact"]).fails(code, &[words]);
        assert_eq!(desk.home().join("segments").exists(), code == 0, "sealed");
        let names: Vec<_> = std::fs::read_dir(&rings).unwrap().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].as_ref().unwrap().file_name(), left);
        desk.ok(&["stats"]);
    }
}
