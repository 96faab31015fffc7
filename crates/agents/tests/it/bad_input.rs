//! Files, folders and indexes that mean no good or make no sense.

use std::fs;
use std::os::unix::fs::symlink;

use tachograph_agents::{
    Filter, GetError, OpenError, ReadError, Shelf, ShelfOptions, Skipped, scan,
};

use crate::support::{folder, ids, markdown, open};

#[test]
fn one_bad_file_never_spoils_the_others() {
    let good = markdown("good", "fine", "text");
    let made = folder(&[
        ("good.md", &good),
        ("empty.md", ""),
        ("open.md", "---\nname: x\ndescription: y\n"),
    ]);
    let path = |name: &str| made.path().join(name);
    fs::create_dir(path("folder.md")).unwrap();
    fs::write(
        path("latin.md"),
        b"---\nname: x\ndescription: caf\xe9\n---\n",
    )
    .unwrap();
    fs::write(path("huge.md"), "x".repeat(5000)).unwrap();
    symlink(path("loop-b.md"), path("loop-a.md")).unwrap();
    symlink(path("loop-a.md"), path("loop-b.md")).unwrap();
    symlink(path("nowhere"), path("dangling.md")).unwrap();
    symlink("/etc/passwd", path("passwd.md")).unwrap();
    symlink(path("good.md"), path("alias.md")).unwrap();
    let scan = scan(made.path(), 4096).unwrap();
    let found: Vec<&str> = scan
        .found
        .iter()
        .map(|found| found.definition.id.as_str())
        .collect();
    assert_eq!(found, ["alias", "good"]);
    assert_eq!(scan.seen, 11);
    let reasons: Vec<String> = scan.skipped.iter().map(ToString::to_string).collect();
    for (reason, expected) in reasons.iter().zip([
        "no such file",
        "No frontmatter in ",
        "not a regular file",
        "larger than the limit of 4096 bytes",
        "not UTF-8",
        "could not read",
        "could not read",
        "No frontmatter in ",
        "refused to read passwd.md: it lies outside the agents folder",
    ]) {
        assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
    }
    assert_eq!(reasons.len(), 9);
}

#[test]
fn sub_folders_are_read_and_no_walk_goes_astray() {
    let file = |name: &str| markdown(name, "fine", "");
    let made = folder(&[("01-core-a.md", &file("a"))]);
    let path = |name: &str| made.path().join(name);
    for name in ["team/deep", ".git", "node_modules", "locked"] {
        fs::create_dir_all(path(name)).unwrap();
        fs::write(path(name).join("02-language-b.md"), file("b")).unwrap();
    }
    fs::write(path("team/01-core-a.md"), file("again")).unwrap();
    fs::write(
        path("team/crlf.md"),
        "\u{feff}".to_owned() + &file("c").replace('\n', "\r\n"),
    )
    .unwrap();
    symlink(made.path(), path("team/circle")).unwrap();
    symlink("/etc", path("elsewhere")).unwrap();
    let mut bottom = path("bottom");
    for _ in 0..20 {
        bottom.push("x");
    }
    fs::create_dir_all(&bottom).unwrap();
    fs::write(bottom.join("never.md"), file("never")).unwrap();
    fs::remove_file(path("locked/02-language-b.md")).unwrap();

    let found = scan(made.path(), 4096).unwrap();
    let files: Vec<&str> = found.found.iter().map(|f| f.file_name.as_str()).collect();
    assert_eq!(
        files,
        ["01-core-a.md", "team/deep/02-language-b.md", "team/crlf.md"]
    );
    let reasons: Vec<String> = found.skipped.iter().map(ToString::to_string).collect();
    for (reason, expected) in reasons.iter().zip([
        "team/01-core-a.md has the id 01-core-a of 01-core-a.md, which counts",
        "elsewhere: links to folders are not followed",
        "team/circle: links to folders are not followed",
        "it lies more than 8 folders down",
    ]) {
        assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
    }
    assert_eq!(reasons.len(), 4, "{reasons:#?}");
    // They are found again by the path in the index.
    let shelf = open(made.path());
    assert!(
        shelf
            .get("02-language-b")
            .unwrap()
            .content
            .contains("name: b")
    );
    assert!(shelf.get("01-core-a").unwrap().content.contains("name: a"));
}

#[test]
fn a_folder_of_folders_is_left_before_it_takes_all_day() {
    let made = folder(&[]);
    for at in 0..1_003 {
        fs::create_dir(made.path().join(format!("f{at:04}"))).unwrap();
    }
    let found = scan(made.path(), 4096).unwrap();
    assert_eq!(found.skipped.len(), 3);
    assert!(
        found.skipped[0]
            .to_string()
            .contains("more than 1000 folders")
    );
}

#[test]
fn a_pipe_is_not_waited_for() {
    let made = folder(&[("good.md", &markdown("good", "fine", ""))]);
    let status = std::process::Command::new("mkfifo")
        .arg(made.path().join("pipe.md"))
        .status()
        .unwrap();
    assert!(status.success());
    let scan = scan(made.path(), 4096).unwrap();
    assert!(matches!(
        &scan.skipped[..],
        [Skipped::Unreadable(ReadError::NotAFile { .. })]
    ));
}

#[test]
fn an_index_cannot_lead_out_of_its_folder() {
    let outer = folder(&[("secret.md", "secret")]);
    let agents = outer.path().join("agents");
    fs::create_dir(&agents).unwrap();
    fs::write(agents.join("passwd"), "decoy").unwrap();
    fs::write(agents.join("secret.md"), "decoy").unwrap();
    symlink(outer.path(), agents.join("up")).unwrap();
    let hostile = [
        "../../etc/passwd",
        "../secret.md",
        "x/../../secret.md",
        "/etc/passwd",
        "up/secret.md",
        &outer.path().join("secret.md").display().to_string(),
    ]
    .map(str::to_owned);
    for file_path in hostile {
        let index = serde_json::json!({"agents": [{"id": "a", "file_path": file_path}]});
        fs::write(agents.join("index.json"), index.to_string()).unwrap();
        let error = open(&agents.join("index.json")).get("a").unwrap_err();
        let GetError::Unreadable {
            source: source @ ReadError::Outside { .. },
            ..
        } = error
        else {
            panic!("{file_path}: {error:?}");
        };
        assert!(source.to_string().contains(&file_path), "{source}");
    }
}

#[test]
fn paths_that_stay_inside_are_followed() {
    let made = folder(&[("a.md", "text")]);
    fs::create_dir(made.path().join("sub")).unwrap();
    let absolute = made
        .path()
        .canonicalize()
        .unwrap()
        .join("a.md")
        .display()
        .to_string();
    for file_path in [
        "a.md",
        "./a.md",
        "sub/../a.md",
        "moved/from/a.md",
        absolute.as_str(),
    ] {
        let index = serde_json::json!({"agents": [{"id": "a", "file_path": file_path}]});
        fs::write(made.path().join("index.json"), index.to_string()).unwrap();
        let shelf = open(&made.path().join("index.json"));
        assert_eq!(shelf.get("a").unwrap().content, "text", "{file_path}");
    }
}

#[test]
fn what_cannot_be_loaded_says_why() {
    let made = folder(&[("latin.md", "")]);
    fs::write(made.path().join("latin.md"), b"\xff").unwrap();
    let index = r#"{"agents": [
        {"id": "02-language-python-pro", "name": "python-pro", "file_path": "gone.md"},
        {"id": "latin", "file_path": "latin.md"},
        {"id": "none"}
    ]}"#;
    fs::write(made.path().join("index.json"), index).unwrap();
    let shelf = open(&made.path().join("index.json"));
    let source = |id: &str| match shelf.get(id) {
        Err(GetError::Unreadable { source, .. }) => source,
        other => panic!("{id}: {other:?}"),
    };
    assert!(matches!(
        source("02-language-python-pro"),
        ReadError::Missing { .. }
    ));
    assert!(matches!(source("latin"), ReadError::NotText { .. }));
    assert!(matches!(
        source("none"),
        ReadError::NotAFile { .. } | ReadError::Missing { .. }
    ));
    for typed in ["Python-Pro", "python"] {
        let Err(GetError::Unknown { similar, .. }) = shelf.get(typed) else {
            panic!("{typed}");
        };
        assert_eq!(similar, ["02-language-python-pro"], "{typed}");
    }
    assert_eq!(shelf.stats().file_reads, 0);
}

#[test]
fn missing_and_empty_places_are_refused() {
    let empty = folder(&[("README.md", "# hello")]);
    let error = Shelf::open(empty.path(), ShelfOptions::default())
        .err()
        .unwrap();
    assert!(
        matches!(&error, OpenError::Empty { skipped, .. } if skipped.len() == 1),
        "{error}"
    );
    let nowhere = empty.path().join("nowhere");
    let error = Shelf::open(&nowhere, ShelfOptions::default())
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        format!("Index file not found: {}", nowhere.display())
    );
    assert!(scan(&nowhere, 1).is_err());
    fs::create_dir(empty.path().join("index.json")).unwrap();
    assert!(Shelf::open(empty.path(), ShelfOptions::default()).is_err());
}

#[test]
fn a_broken_index_beside_good_files_is_noted() {
    for broken in ["", "{", "[]", "{\"agents\": 3}"] {
        let made = folder(&[("a.md", &markdown("a", "one", "")), ("index.json", broken)]);
        let shelf = open(made.path());
        assert_eq!(ids(&shelf.list(&Filter::default())), ["a"]);
        assert_eq!(shelf.notes().len(), 1, "{broken}");
        assert!(
            shelf.notes()[0]
                .to_string()
                .ends_with("the files were read instead")
        );
    }
}

#[test]
fn deep_json_is_refused_not_a_crash() {
    let deep = "[".repeat(200_000);
    let made = folder(&[("index.json", &deep)]);
    assert!(Shelf::open(&made.path().join("index.json"), ShelfOptions::default()).is_err());
}
