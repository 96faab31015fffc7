//! An import that is killed between the log and its list of what it has
//! imported: nothing is lost, nothing is twice.

use crate::harness::Desk;

fn log(count: u32) -> String {
    (0..count)
        .map(|n| {
            format!(
                "{{\"event\":\"file_count_delta\",\"provider\":\"p{n}\",\"delta\":1,\"t\":{}}}\n",
                1_757_495_284 + n
            )
        })
        .collect()
}

#[test]
fn killed_at_every_step() {
    for (point, arrived) in [("pending", 0), ("written", 500), ("seen", 500)] {
        let desk = Desk::new();
        desk.file("a.jsonl", log(500));
        let killed = desk
            .command(&["import", "a.jsonl"])
            .env("TACHO_TEST_CRASH", point)
            .output()
            .unwrap();
        assert_eq!(killed.status.code(), None, "{point}: {killed:?}");
        assert_eq!(desk.events().len(), arrived, "{point}");
        desk.file("a.jsonl", log(600));
        desk.ok(&["import", "a.jsonl"]);
        let mut providers: Vec<String> = desk
            .events()
            .iter()
            .map(|event| event["source"].to_string())
            .collect();
        assert_eq!(providers.len(), 600, "{point}");
        providers.sort();
        providers.dedup();
        assert_eq!(providers.len(), 600, "{point}");
    }
}

#[test]
fn killed_and_sealed_before_the_next_import() {
    for (point, added) in [("pending", "500"), ("written", "0")] {
        let desk = Desk::new();
        desk.file("a.jsonl", log(500));
        let killed = desk
            .command(&["import", "a.jsonl"])
            .env("TACHO_TEST_CRASH", point)
            .output()
            .unwrap();
        assert_eq!(killed.status.code(), None);
        desk.ok(&["compact"]);
        let summary = desk.ok(&["import", "--json", "a.jsonl"]).json();
        assert_eq!(summary["added"].to_string(), added, "{point}");
    }
}

/// What was killed within the very last byte of a batch lacks nothing but its
/// end, which the next writer gives it.
#[test]
fn killed_before_the_last_newline() {
    let desk = Desk::new();
    desk.file("a.jsonl", log(500));
    let killed = desk
        .command(&["import", "a.jsonl"])
        .env("TACHO_TEST_CRASH", "written")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None);
    let events = std::fs::OpenOptions::new()
        .write(true)
        .open(desk.home().join("events.jsonl"))
        .unwrap();
    events
        .set_len(events.metadata().unwrap().len() - 1)
        .unwrap();
    desk.file("a.jsonl", log(501));
    let summary = desk.ok(&["import", "--json", "a.jsonl"]).json();
    assert_eq!(summary["added"], 1);
    assert_eq!(desk.events().len(), 501);
}

#[test]
fn a_torn_list_costs_nothing() {
    let desk = Desk::new();
    desk.file("a.jsonl", log(10));
    desk.ok(&["import", "a.jsonl"]);
    let seen = desk.home().join("imports/seen");
    let mut bytes = std::fs::read(&seen).unwrap();
    assert_eq!(bytes.len(), 80);
    bytes.extend([1, 2, 3]);
    std::fs::write(&seen, bytes).unwrap();
    desk.file("a.jsonl", log(11));
    desk.ok(&["import", "a.jsonl"]);
    desk.ok(&["import", "a.jsonl"]);
    assert_eq!(desk.events().len(), 11);
}

/// A seal must not take the batch of a dead import for that of the live one
/// that is about to settle it.
#[test]
fn killed_and_sealed_while_another_import_begins() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "x"]);
    desk.file("a.jsonl", log(500));
    let killed = desk
        .command(&["import", "a.jsonl"])
        .env("TACHO_TEST_CRASH", "pending")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None);
    let live = std::fs::File::open(desk.home().join("imports/lock")).unwrap();
    live.lock().unwrap();
    desk.ok(&["compact"]);
    assert!(desk.events().is_empty(), "the log is sealed and gone");
    drop(live);
    let summary = desk.ok(&["import", "--json", "a.jsonl"]).json();
    assert_eq!(summary["added"], 500);
}
