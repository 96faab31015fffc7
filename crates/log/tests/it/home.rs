//! The folder and its secret.

use std::fs;

use tachograph_log::{Appender, Home};

#[test]
fn racing_processes_agree_on_the_salt() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path().join("a/b")).unwrap();
    let salts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| home.salt().unwrap()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(salts.iter().all(|salt| salt == &salts[0]));
    assert_eq!(home.salt().unwrap(), salts[0]);
    assert_ne!(salts[0].as_bytes(), &[0; 32]);
    let names: Vec<_> = fs::read_dir(home.root())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["salt"], "nothing is left beside it");
}

#[test]
fn a_salt_of_the_wrong_size_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path()).unwrap();
    fs::write(home.salt_path(), b"short").unwrap();
    assert!(home.salt().unwrap_err().to_string().contains("salt"));
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(dir.path().join("home")).unwrap();
    home.salt().unwrap();
    Appender::new(&home).append(b"x\n").unwrap();
    assert_eq!(mode(home.root()), 0o700);
    for path in [home.salt_path(), home.log(), home.events_lock()] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_folder_of_the_first_seed_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "events_20251119_080000_000001.jsonl",
        "events.jsonl",
        "events_20251118_080000_000001.jsonl",
    ] {
        fs::write(dir.path().join(name), b"{}\n").unwrap();
    }
    fs::write(dir.path().join("other.jsonl"), b"{}\n").unwrap();
    let home = Home::create(dir.path()).unwrap();
    let names: Vec<_> = home
        .files()
        .unwrap()
        .files
        .iter()
        .map(|file| file.path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "events_20251118_080000_000001.jsonl",
            "events_20251119_080000_000001.jsonl",
            "events.jsonl"
        ]
    );
    assert!(home.files().unwrap().files[2].live);
}
