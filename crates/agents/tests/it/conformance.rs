//! The first seed's own answers.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tachograph_agents::{Filter, Index, Lru, scan};

use crate::support::{data, hit_ids, ids, json, real_index, strings};

const LIMIT: u64 = 1 << 20;

#[test]
fn generated_index_is_the_originals() {
    let found = scan(&data("generate"), LIMIT).unwrap();
    assert_eq!((found.seen, found.found.len()), (8, 6));
    let index = Index::of_scan(&found, "<TS>", "input/agents");
    let expected = json("generate.json")["index"].clone();
    // As text, so that the order of keys and the indentation count too.
    let expected_text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
    assert_eq!(index.to_json(), expected_text);
    assert_eq!(index.problems(), [""; 0]);
}

#[test]
fn skipped_files_are_named_as_the_original_names_them() {
    let found = scan(&data("generate"), LIMIT).unwrap();
    let expected = json("generate.json")["stderr"].as_str().unwrap().to_owned();
    let dir = data("generate");
    let warnings: String = found
        .skipped
        .iter()
        .map(|skipped| format!("Warning: {skipped}\n"))
        .collect::<String>()
        .replace(dir.to_str().unwrap(), "<DIR>/input/agents");
    assert_eq!(warnings, expected);
}

#[test]
fn the_real_folder_gives_what_the_generator_gives_today() {
    let found = scan(&data("agents"), LIMIT).unwrap();
    let index = Index::of_scan(&found, "now", "plugins/mycelium-core/agents/");
    let ours: Value = serde_json::from_str(&index.to_json()).unwrap();
    let expected = json("real_agents.json");
    for (ours, expected) in ours["agents"]
        .as_array()
        .unwrap()
        .iter()
        .zip(expected.as_array().unwrap())
    {
        assert_eq!(ours.to_string(), expected.to_string());
    }
    assert_eq!(ours["agents"], expected);
}

#[test]
fn a_loaded_index_is_written_as_it_was() {
    let text = fs::read_to_string(data("agents/index.json")).unwrap();
    let (index, notes) = Index::from_json(&text).unwrap();
    assert_eq!(notes, []);
    assert_eq!(index.to_json(), text);
    assert_eq!(index.problems(), [""; 0]);
}

#[test]
fn lists_are_the_originals() {
    let expected = json("real_index.json");
    let shelf = real_index();
    assert_eq!(
        ids(&shelf.list(&Filter::default())),
        strings(&expected["list_all"])
    );
    for (category, expected) in expected["list_category"].as_object().unwrap() {
        let found = ids(&shelf.list(&Filter {
            category,
            ..Filter::default()
        }));
        if category == "core-development" {
            // Documented, but the original finds nothing: see `defects`.
            assert_eq!(strings(expected), [""; 0]);
            continue;
        }
        assert_eq!(found, strings(expected), "category {category:?}");
    }
    for (typed, expected) in expected["list_keywords"].as_object().unwrap() {
        let keywords: Vec<&str> = typed.split('|').collect();
        let found = ids(&shelf.list(&Filter {
            keywords: &keywords,
            ..Filter::default()
        }));
        assert_eq!(found, strings(expected), "keywords {typed:?}");
    }
    for (typed, expected) in expected["list_category_and_keywords"].as_object().unwrap() {
        let (category, keyword) = typed.split_once('|').unwrap();
        let found = ids(&shelf.list(&Filter {
            category,
            keywords: &[keyword],
        }));
        assert_eq!(found, strings(expected), "{typed:?}");
    }
}

#[test]
fn searches_find_what_the_original_finds() {
    let expected = json("real_index.json");
    let shelf = real_index();
    for (query, expected) in expected["search_as_sorted_id_set"].as_object().unwrap() {
        let expected: BTreeSet<String> = strings(expected).into_iter().collect();
        let ranked: BTreeSet<String> = hit_ids(&shelf.search(query)).into_iter().collect();
        let plain: BTreeSet<String> = ids(&shelf.search_substring(query)).into_iter().collect();
        assert_eq!(plain, expected, "substring {query:?}");
        if query.contains(' ') {
            assert!(ranked.is_superset(&expected), "{query:?}");
        } else {
            assert_eq!(ranked, expected, "ranked {query:?}");
        }
    }
}

#[test]
fn agents_are_loaded_whole() {
    let expected = json("real_index.json");
    let shelf = real_index();
    for (id, expected) in expected["get_agent"].as_object().unwrap() {
        let agent = shelf.get(id).unwrap();
        let digest: String = Sha256::digest(agent.content.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(json!(digest), expected["content_sha256"], "{id}");
        assert_eq!(
            json!(agent.content.len()),
            expected["content_bytes"],
            "{id}"
        );
        let value = serde_json::to_value(&*agent).unwrap();
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(json!(keys), expected["keys"], "{id}");
    }
    assert!(shelf.get("nope").is_err());
}

#[test]
fn cache_scripts_give_the_originals_counters() {
    for script in json("lru.json").as_array().unwrap() {
        let size = usize::try_from(script["size"].as_u64().unwrap()).unwrap();
        let mut cache: Lru<Value> = Lru::new(NonZeroUsize::new(size).unwrap());
        let mut results = Vec::new();
        for op in script["ops"].as_array().unwrap() {
            let key = op[1].as_str().unwrap_or_default();
            results.push(match op[0].as_str().unwrap() {
                "put" => {
                    cache.put(key, op[2].clone());
                    Value::Null
                }
                "get" => cache.get(key).cloned().unwrap_or_default(),
                "clear" => {
                    cache.clear();
                    Value::Null
                }
                other => panic!("unknown operation {other}"),
            });
        }
        assert_eq!(json!(results), script["expected_results"], "{script}");
        assert_eq!(json!(cache.stats()), script["expected_stats"], "{script}");
    }
}

#[test]
fn malformed_indexes_are_refused_in_the_originals_words() {
    for (text, expected) in [
        ("{}", "Index missing required 'agents' key"),
        ("[]", "Index missing required 'agents' key"),
        ("3", "Index missing required 'agents' key"),
        ("{\"agents\": {}}", "'agents' must be a list"),
        ("{\"agents\": null}", "'agents' must be a list"),
    ] {
        assert_eq!(
            Index::from_json(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    for text in ["", "{", "{\"agents\": [}"] {
        let message = Index::from_json(text).unwrap_err().to_string();
        assert!(
            message.starts_with("Invalid JSON in index file: "),
            "{message}"
        );
        assert!(message.contains("line 1"), "{message}");
    }
    let missing = Index::load(Path::new("nowhere/index.json")).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "Index file not found: nowhere/index.json"
    );
}
