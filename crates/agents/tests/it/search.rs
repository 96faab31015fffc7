//! Ranking.

use proptest::prelude::*;
use tachograph_agents::Filter;

use crate::support::{folder, hit_ids, ids, markdown, open, real_files, real_index};

#[test]
fn names_come_before_mentions() {
    for (query, first) in [
        ("python", "02-language-python-pro"),
        ("kubernetes", "03-infrastructure-kubernetes-specialist"),
        ("kube", "03-infrastructure-kubernetes-specialist"),
        ("machine learning", "05-data-machine-learning-engineer"),
        ("learning machine", "05-data-machine-learning-engineer"),
        ("Data-Engineer", "05-data-data-engineer"),
        ("an expert in rust", "02-language-rust-engineer"),
    ] {
        for shelf in [real_index(), real_files()] {
            let found = hit_ids(&shelf.search(query));
            assert_eq!(
                found.first().map(String::as_str),
                Some(first),
                "{query}: {found:?}"
            );
        }
    }
}

#[test]
fn more_terms_come_first() {
    let made = folder(&[
        ("a.md", &markdown("alpha", "does one thing", "")),
        ("b.md", &markdown("one", "nothing", "")),
        ("c.md", &markdown("gamma", "does one and two", "")),
    ]);
    let hits = open(made.path()).search("one two");
    assert_eq!(hit_ids(&hits), ["c", "b", "a"]);
    assert_eq!(
        hits.iter().map(|hit| hit.terms).collect::<Vec<_>>(),
        [2, 1, 1]
    );
}

#[test]
fn whole_words_come_before_beginnings_before_insides() {
    let made = folder(&[
        ("a.md", &markdown("a", "rapid", "")),
        ("b.md", &markdown("b", "apis", "")),
        ("c.md", &markdown("c", "rapid-api, too", "")),
        ("d.md", &markdown("d", "none", "")),
    ]);
    assert_eq!(hit_ids(&open(made.path()).search("API")), ["c", "b", "a"]);
}

#[test]
fn the_beginning_of_a_name_comes_before_a_keyword() {
    let made = folder(&[
        ("a.md", &markdown("other", "a kube for all", "")),
        ("b.md", &markdown("kubernetes-pro", "nothing", "")),
    ]);
    assert_eq!(hit_ids(&open(made.path()).search("kube")), ["b", "a"]);
}

#[test]
fn a_rare_term_is_worth_more_than_a_common_one() {
    let common: Vec<(String, String)> = (0..8)
        .map(|n| (format!("a{n}.md"), markdown("x", "common", "")))
        .collect();
    let mut files: Vec<(&str, &str)> = common
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let rare = markdown("x", "rare", "");
    files.push(("z.md", &rare));
    let found = hit_ids(&open(folder(&files).path()).search("common rare"));
    assert_eq!(found.len(), 9);
    assert_eq!(found[0], "z");
}

#[test]
fn nothing_asked_gives_everything() {
    let shelf = real_index();
    let all = ids(&shelf.list(&Filter::default()));
    for query in ["", " ", "\t\n"] {
        assert_eq!(hit_ids(&shelf.search(query)), all, "{query:?}");
    }
    assert_eq!(ids(&shelf.search_substring("")), all);
}

#[test]
fn odd_questions_find_nothing() {
    let shelf = real_index();
    for query in ["\0", "a\0b", "zzzz", "\u{fffd}", &"x".repeat(100_000)] {
        assert!(shelf.search(query).is_empty(), "{query:.9}");
        assert!(shelf.search_substring(query).is_empty(), "{query:.9}");
    }
    assert_eq!(
        shelf.search("\0 python").len(),
        shelf.search("python").len()
    );
    assert_eq!(
        shelf.search("python python").len(),
        shelf.search("python").len()
    );
    assert!(!shelf.search("the").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the plain substring search finds, the ranked one finds; for one
    /// word and the index alone it finds nothing else.
    #[test]
    fn nothing_is_lost(
        texts in prop::collection::vec("[a-cA-C.+é -]{1,12}", 1..6),
        query in "[a-cA-C.+é -]{0,4}",
    ) {
        let agents: Vec<String> = texts
            .iter()
            .enumerate()
            .map(|(id, text)| serde_json::json!({"id": id.to_string(), "name": text, "description": text, "keywords": [text]}).to_string())
            .collect();
        let made = folder(&[("index.json", &format!("{{\"agents\": [{}]}}", agents.join(",")))]);
        let shelf = open(&made.path().join("index.json"));
        let mut plain = ids(&shelf.search_substring(&query));
        let mut ranked = hit_ids(&shelf.search(&query));
        plain.sort();
        ranked.sort();
        prop_assert!(plain.iter().all(|id| ranked.contains(id)), "{plain:?} {ranked:?}");
        if !query.contains(' ') {
            prop_assert_eq!(plain, ranked);
        }
    }
}
