//! The commands in README and guides run, in the order in which they stand.

use std::path::Path;
use std::process::Command;

use crate::harness::Desk;

/// The `sh` blocks of a page, as one script.
fn script(page: &str) -> String {
    let mut script = String::from("set -eu\n");
    let mut inside = false;
    for line in page.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

#[test]
fn every_command_of_readme_and_guides_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md")];
    for entry in std::fs::read_dir(root.join("docs/guide")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    let mut ran = 0;
    for page in pages {
        let script = script(&std::fs::read_to_string(&page).unwrap());
        if !script.contains("tacho ") {
            continue;
        }
        let desk = Desk::new();
        let binary = Path::new(env!("CARGO_BIN_EXE_tacho")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let said = Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", format!("{}:{path}", binary.display()))
            .env("HOME", desk.user())
            .env("TACHOGRAPH_HOME", desk.home())
            .env("XDG_RUNTIME_DIR", desk.user())
            .current_dir(desk.cwd())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{}: {stderr}", page.display());
        ran += 1;
    }
    assert!(ran >= 1, "README at least has commands");
}
