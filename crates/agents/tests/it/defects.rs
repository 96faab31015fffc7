//! Where the first seed fails its users (its agent discovery), ours right.

use std::fs;
use std::path::Path;

use tachograph_agents::{Filter, Reach, Shelf, ShelfNote, ShelfOptions};

use crate::support::{data, folder, hit_ids, ids, markdown, open, real_files, real_index};

#[test]
fn get_does_not_depend_on_the_current_directory() {
    // The shipped index says plugins/mycelium-core/agents/…, which exists
    // neither here nor beside it; its files lie in its own folder.
    let shelf = real_index();
    assert!(!Path::new(&shelf.list(&Filter::default())[0].file_path).exists());
    assert!(shelf.get("01-core-api-designer").is_ok());
}

#[test]
fn a_given_root_is_what_paths_are_relative_to() {
    let project = folder(&[]);
    let agents = project.path().join("plugins/agents");
    fs::create_dir_all(&agents).unwrap();
    fs::write(agents.join("a.md"), markdown("a", "one", "text")).unwrap();
    let index = project.path().join("index.json");
    let listed = r#"{"agents": [{"id": "a", "file_path": "plugins/agents/a.md"}]}"#;
    fs::write(&index, listed).unwrap();
    let elsewhere = folder(&[("index.json", listed)]);
    assert!(open(&index).get("a").is_ok());
    assert!(open(&elsewhere.path().join("index.json")).get("a").is_err());
    let options = ShelfOptions {
        root: Some(project.path().to_owned()),
        ..ShelfOptions::default()
    };
    let shelf = Shelf::open(&elsewhere.path().join("index.json"), options).unwrap();
    assert!(shelf.get("a").is_ok());
}

#[test]
fn a_callers_list_is_the_callers_own() {
    let shelf = real_index();
    let mut list = shelf.list(&Filter::default());
    list.clear();
    assert_eq!(shelf.list(&Filter::default()).len(), 120);
}

#[test]
fn documented_category_slugs_match() {
    let shelf = real_index();
    let expected = ids(&shelf.list(&Filter {
        category: "Core Development",
        ..Filter::default()
    }));
    assert_eq!(expected.len(), 11);
    for category in ["core-development", "core", "01-core", "CORE DEVELOPMENT"] {
        let found = ids(&shelf.list(&Filter {
            category,
            ..Filter::default()
        }));
        assert_eq!(found, expected, "{category}");
    }
}

#[test]
fn a_stale_index_is_noticed() {
    // The shipped index differs from its own files in 86 fields.
    assert_eq!(real_index().staleness().changed.len(), 86);
    assert!(real_files().staleness().is_fresh());
    let shelf = real_files();
    let [ShelfNote::Stale(staleness)] = shelf.notes() else {
        panic!("expected one note, got {:?}", shelf.notes());
    };
    assert_eq!(staleness.changed.len(), 86);
    assert!(staleness.vanished.is_empty() && staleness.unindexed.is_empty());
}

#[test]
fn new_and_vanished_files_are_noticed() {
    let index = r#"{"version": "1.0.0", "agents": [{"id": "gone"}, {"id": "a", "name": "old"}]}"#;
    let agent = markdown("a", "one", "text");
    let made = folder(&[("index.json", index), ("a.md", &agent), ("b.md", &agent)]);
    let shelf = open(made.path());
    assert_eq!(ids(&shelf.list(&Filter::default())), ["a", "b"]);
    let [ShelfNote::Stale(staleness)] = shelf.notes() else {
        panic!("expected one note, got {:?}", shelf.notes());
    };
    assert_eq!(staleness.vanished, ["gone"]);
    assert_eq!(staleness.unindexed, ["b"]);
    assert!(
        staleness
            .changed
            .iter()
            .any(|change| change.id == "a" && change.field == "name")
    );
}

#[test]
fn late_alphabet_keywords_are_found() {
    // Twenty keywords; the index keeps the first fifteen.
    let early = "aaa bbb ccc ddd eee fff ggg hhh iii jjj kkk lll mmm nnn ooo ppp";
    let text = markdown("x", "d", &format!("{early} xylophone zebra"));
    let made = folder(&[("x.md", &text), ("y.md", &markdown("y", "d", "other"))]);
    let shelf = open(made.path());
    assert!(
        !shelf.list(&Filter::default())[0]
            .keywords
            .contains(&"zebra".to_owned())
    );
    assert_eq!(hit_ids(&shelf.search("zebra")), ["x"]);
    assert_eq!(hit_ids(&shelf.search("xylo")), ["x"]);
    let zebra = Filter {
        keywords: &["Zebra"],
        ..Filter::default()
    };
    assert_eq!(ids(&shelf.list(&zebra)), ["x"]);

    let only_index = ShelfOptions {
        reach: Some(Reach::Index),
        ..ShelfOptions::default()
    };
    let shelf = Shelf::open(made.path(), only_index).unwrap();
    assert_eq!(hit_ids(&shelf.search("zebra")), [""; 0]);
}

#[test]
fn an_index_file_reaches_all_keywords_when_asked() {
    let options = ShelfOptions {
        reach: Some(Reach::Files),
        ..ShelfOptions::default()
    };
    let wide = Shelf::open(&data("agents/index.json"), options).unwrap();
    let narrow = real_index();
    for word in ["workflow", "user", "requirements"] {
        let narrow = narrow.search(word).len();
        assert!(wide.search(word).len() > narrow, "{word}: {narrow}");
    }
}

#[test]
fn several_words_are_searched_one_by_one() {
    let shelf = real_index();
    assert!(shelf.search_substring("python api").is_empty());
    let found = hit_ids(&shelf.search("python api"));
    for id in ["02-language-python-pro", "01-core-api-designer"] {
        let place = found.iter().position(|found| found == id);
        assert!(
            place.is_some_and(|place| place < 5),
            "{id} at {place:?} of {found:?}"
        );
    }
}

#[test]
fn the_baseline_is_the_folders_own() {
    let baseline = real_files().baseline();
    assert_eq!(baseline.agents, 120);
    let sum: u64 = real_files()
        .list(&Filter::default())
        .iter()
        .map(|agent| agent.estimated_tokens)
        .sum();
    assert_eq!(baseline.tokens, sum);
    assert!(baseline.tokens > 120 * 450, "{}", baseline.tokens);
}
