//! Index files: reading leniently, checking strictly, writing whole.

use std::fs;

use serde_json::json;
use tachograph_agents::{Filter, Index, IndexNote, scan, unquoted, validate};

use crate::support::{folder, ids, json, markdown, open};

#[test]
fn agents_without_id_are_left_out_and_noted() {
    let text =
        json!({"agents": [{"name": "x"}, {"id": 3}, {"id": ""}, 7, {"id": "a"}]}).to_string();
    let (index, notes) = Index::from_json(&text).unwrap();
    assert_eq!(index.agents.len(), 1);
    assert_eq!(index.agents[0].category, "uncategorized");
    let places: Vec<usize> = notes
        .iter()
        .map(|note| match note {
            IndexNote::WithoutId { position } => *position,
            other @ IndexNote::DuplicateId { .. } => panic!("{other}"),
        })
        .collect();
    assert_eq!(places, [0, 1, 2, 3]);
}

#[test]
fn the_first_of_two_agents_with_one_id_counts() {
    let text = json!({"agents": [
        {"id": "a", "name": "first", "file_path": "a.md"},
        {"id": "a", "name": "second", "file_path": "b.md"},
    ]});
    let made = folder(&[
        ("index.json", &text.to_string()),
        ("a.md", "A"),
        ("b.md", "B"),
    ]);
    let shelf = open(made.path());
    assert_eq!(ids(&shelf.list(&Filter::default())), ["a", "a"]);
    assert_eq!(shelf.get("a").unwrap().content, "A");
    assert_eq!(shelf.notes().len(), 1);
    assert!(
        shelf.notes()[0].to_string().contains("twice"),
        "{}",
        shelf.notes()[0]
    );
}

#[test]
fn fields_of_odd_types_cost_only_themselves() {
    let text = json!({"version": 7, "agents": [
        {"id": "a", "name": null, "tools": "Read", "keywords": ["x", 3, null], "category": null, "estimated_tokens": -4},
    ]});
    let (index, _) = Index::from_json(&text.to_string()).unwrap();
    let agent = &index.agents[0];
    assert_eq!(agent.keywords, ["x"]);
    assert_eq!(
        (
            agent.tools.len(),
            agent.estimated_tokens,
            agent.category.as_str()
        ),
        (0, 0, "uncategorized")
    );
}

#[test]
fn every_rule_of_the_format_is_checked() {
    let good = json("generate.json")["index"].clone();
    assert_eq!(validate(&good), [""; 0]);
    let check = |pointer: &str, value: serde_json::Value, expected: &str| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        let problems = validate(&bad);
        assert_eq!(problems.len(), 1, "{pointer}: {problems:?}");
        assert!(problems[0].contains(expected), "{pointer}: {problems:?}");
    };
    check("/version", json!("2.0.0"), "version must be 1.0.0");
    check("/agent_count", json!(5), "agent_count is 5");
    check("/agents", json!({}), "agents must be a list");
    check(
        "/agents/1/id",
        json!("01-core-widget-maker"),
        "more than once",
    );
    for field in [
        "id",
        "name",
        "display_name",
        "category",
        "description",
        "file_path",
    ] {
        check(&format!("/agents/2/{field}"), json!(""), field);
        check(&format!("/agents/2/{field}"), json!(null), field);
    }
    check("/agents/0/tools", json!("Read"), "tools must be a list");
    check("/agents/0/estimated_tokens", json!(0), "estimated_tokens");
    check(
        "/agents/0/estimated_tokens",
        json!("98"),
        "estimated_tokens",
    );
    assert!(!validate(&json!(null)).is_empty());
}

#[test]
fn an_index_is_replaced_whole_and_leaves_nothing_behind() {
    let made = folder(&[("a.md", &markdown("a", "one", "")), ("index.json", "old")]);
    let index = Index::of_scan(&scan(made.path(), 1 << 20).unwrap(), "now", "");
    let path = made.path().join("index.json");
    index.write(&path).unwrap();
    assert_eq!(Index::load(&path).unwrap().0, index);
    assert_eq!(fs::read_dir(made.path()).unwrap().count(), 2);
    assert!(open(made.path()).notes().is_empty());

    // A folder in the file's place: the error names it, the temporary is gone.
    let blocked = made.path().join("blocked");
    fs::create_dir_all(blocked.join("full")).unwrap();
    let error = index.write(&blocked).unwrap_err();
    assert!(error.to_string().contains("blocked"), "{error}");
    assert_eq!(fs::read_dir(made.path()).unwrap().count(), 3);
}

#[test]
fn readers_see_the_old_index_or_the_new_one() {
    let made = folder(&[("a.md", &markdown("a", "one", ""))]);
    let path = made.path().join("index.json");
    let small = Index::of_scan(&scan(made.path(), 1 << 20).unwrap(), "small", "");
    let mut large = small.clone();
    large.agents = vec![small.agents[0].clone(); 500];
    small.write(&path).unwrap();
    std::thread::scope(|threads| {
        for index in [&small, &large] {
            threads.spawn(|| (0..50).for_each(|_| index.write(&path).unwrap()));
        }
        for _ in 0..200 {
            let (index, _) = Index::load(&path).unwrap();
            assert!(index.agents.len() == 1 || index.agents.len() == 500);
        }
    });
}

#[test]
fn quotes_stay_in_the_index_and_go_for_show() {
    let made = folder(&[("a.md", &markdown("\"a b\"", "'it''s'", ""))]);
    let agent = &open(made.path()).list(&Filter::default())[0];
    assert_eq!(agent.name, "\"a b\"");
    assert_eq!(unquoted(&agent.name), "a b");
    assert_eq!(unquoted("\""), "\"");
    assert_eq!(unquoted("'x\""), "'x\"");
}

#[test]
fn an_exact_category_name_goes_before_a_slug() {
    let text = serde_json::json!({"agents": [
        {"id": "a", "category": "core"},
        {"id": "b", "category": "Core Development"},
    ]});
    let made = folder(&[("index.json", &text.to_string())]);
    let shelf = open(made.path());
    let listed = |category| {
        ids(&shelf.list(&Filter {
            category,
            ..Filter::default()
        }))
    };
    assert_eq!(listed("core"), ["a"]);
    assert_eq!(listed("CORE"), ["a", "b"]);
    assert_eq!(listed("01-core"), ["b"]);
    assert_eq!(
        shelf.categories(),
        [("Core Development".to_owned(), 1), ("core".to_owned(), 1)]
    );
}
