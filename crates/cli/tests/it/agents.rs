//! `tacho agents …`: every operation, and that it is recorded.

use crate::harness::Desk;

fn definition(name: &str, description: &str) -> String {
    format!(
        "---\nname: {name}\ndescription: {description}\ntools: Read, Write\n---\n\nYou are {name}.\n"
    )
}

fn desk_with_agents() -> Desk {
    let desk = Desk::new();
    std::fs::create_dir(desk.cwd().join("defs")).unwrap();
    for (file, name, description) in [
        (
            "01-core-api-designer.md",
            "api-designer",
            "Designs public interfaces over HTTP",
        ),
        (
            "02-language-python-pro.md",
            "python-pro",
            "Writes Python services with an API",
        ),
        (
            "02-language-rust-engineer.md",
            "rust-engineer",
            "Writes systems in Rust",
        ),
    ] {
        desk.file(&format!("defs/{file}"), definition(name, description));
    }
    desk.file("defs/notes.md", "no front matter");
    desk
}

#[test]
fn indexed_listed_searched_fetched_and_recorded() {
    let desk = desk_with_agents();
    let said = desk.ok(&["agents", "index", "defs", "--json"]);
    let summary = said.json();
    assert_eq!(
        (&summary["agents"], &summary["skipped"]),
        (&3.into(), &1.into())
    );
    assert!(said.stderr.contains("notes.md"), "{said:?}");
    assert!(desk.home().join("agents-index.json").is_file());
    // From here on the folder is remembered.
    let ids = |args: &[&str]| -> Vec<String> {
        let entries = desk.ok(args).json();
        entries
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&["agents", "list", "--json"]).len(), 3);
    assert_eq!(
        ids(&[
            "agents",
            "list",
            "--json",
            "--category",
            "language-specialists"
        ])
        .len(),
        2
    );
    assert_eq!(
        ids(&["agents", "search", "--json", "python", "api"])[0],
        "02-language-python-pro"
    );
    let text = desk.ok(&["agents", "get", "01-core-api-designer"]).stdout;
    assert_eq!(
        text,
        definition("api-designer", "Designs public interfaces over HTTP")
    );
    assert!(desk.ok(&["agents", "list"]).stdout.starts_with("id "));
    let events = desk.events();
    let operations: Vec<_> = events
        .iter()
        .filter_map(|event| event["operation"].as_str())
        .collect();
    assert_eq!(
        operations,
        [
            "list_agents",
            "list_agents",
            "search",
            "get_agent",
            "list_agents"
        ]
    );
    let load = events
        .iter()
        .find(|event| event["event_type"] == "agent_load")
        .unwrap();
    assert_eq!(load["agent_id_hash"].as_str().unwrap().len(), 16);
    assert_eq!(load["content_size_bytes"], text.len());
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert!(!log.contains("api-designer"), "ids are hashed");
}

#[test]
fn mistakes_are_named() {
    let desk = desk_with_agents();
    desk.tacho(&["agents", "list"])
        .fails(2, &["which folder", "hint: `tacho agents index DIR`"]);
    desk.tacho(&["agents", "index", "nowhere"])
        .fails(1, &["cannot read nowhere"]);
    desk.tacho(&["agents", "list", "--dir", "."])
        .fails(1, &["no agent definitions in"]);
    desk.tacho(&["agents", "get", "api-designer", "--dir", "defs"])
        .fails(
            1,
            &[
                "no agent has the id api-designer",
                "hint: did you mean 01-core-api-designer?",
            ],
        );
    assert_eq!(
        desk.tacho(&["agents", "search", "zebra", "--dir", "defs"])
            .code,
        Some(1)
    );
    desk.ok(&["agents", "index", "defs", "--validate-only"]);
    assert!(!desk.home().join("agents.json").exists());
}

#[test]
fn the_benchmark_meets_its_targets() {
    let desk = desk_with_agents();
    let said = desk.ok(&["agents", "benchmark", "--dir", "defs"]);
    assert!(
        said.stdout
            .starts_with("=== Agent Discovery Performance Benchmarks ==="),
        "{said:?}"
    );
    assert!(said.stdout.ends_with("All performance targets met! 🎉\n"));
}
