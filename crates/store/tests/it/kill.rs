//! `kill -9` while sealing and compacting: nothing lost, nothing twice.
//!
//! `TACHOGRAPH_KILLS` says how many (20); `cargo xtask crash` asks for more.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Window};
use tachograph_store::{SealOptions, Store};

use crate::common::{Place, tool_call};

const HOME: &str = "TACHOGRAPH_TEST_HOME";
const FIRST: &str = "TACHOGRAPH_TEST_FIRST";

/// The child: appends and seals until it is killed. Says what it has appended.
fn append_and_seal(home: &Path) -> ! {
    let home = Home::at(home);
    let mut next: i64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let log = Appender::with_rotation(&home, 20_000);
    let mut append = || {
        let lines: Vec<u8> = (next..next + 50)
            .flat_map(|number| tool_call(number * 100).to_line())
            .collect();
        log.append(&lines).unwrap();
        next += 50;
        next
    };
    loop {
        for _ in 0..3 {
            append();
        }
        println!("appended {}", append());
        std::io::stdout().flush().unwrap();
        // As recovery does; the log may be full and be rotated again.
        let mut hook = || {
            append();
            Ok(())
        };
        let options = SealOptions {
            wait: Duration::from_secs(30),
            step_bytes: 30_000,
            before_seal: Some(&mut hook),
            ..SealOptions::default()
        };
        let store = Store::open(&home).with_threads(2);
        store.seal(options).unwrap();
        store.compact(Duration::from_secs(30)).unwrap();
    }
}

#[test]
fn killed_sealers_lose_nothing_and_double_nothing() {
    if let Some(home) = std::env::var_os(HOME) {
        append_and_seal(Path::new(&home));
    }
    let kills: u64 = std::env::var("TACHOGRAPH_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let place = Place::new();
    let mut first = 0;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::killed_sealers_lose_nothing_and_double_nothing",
                "--nocapture",
            ])
            .env(HOME, place.home.root())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut appended: i64 = first;
        let mut hear = |appended: &mut i64| -> bool {
            for line in said.by_ref() {
                if let Some((_, number)) = line.unwrap().split_once("appended ") {
                    *appended = number.parse().unwrap();
                    return true;
                }
            }
            false
        };
        assert!(hear(&mut appended), "the child never appended anything");
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(kill | 1);
        std::thread::sleep(Duration::from_micros((random >> 33) % 120_000));
        child.kill().unwrap();
        child.wait().unwrap();
        while hear(&mut appended) {}
        let mut numbers: Vec<i64> = place
            .snapshot()
            .events(Window::ALL)
            .unwrap()
            .map(|event| {
                let id = event.str(Column::ParentId).unwrap().to_owned();
                id.trim_start_matches("call-").parse::<i64>().unwrap() / 100
            })
            .collect();
        numbers.sort_unstable();
        let many = numbers.len() as i64;
        assert_eq!(numbers, (0..many).collect::<Vec<_>>(), "kill {kill}");
        assert!(many >= appended, "kill {kill}: {many} of {appended}");
        first = many;
    }
    let store = Store::open(&place.home);
    store.seal(SealOptions::default()).unwrap();
    assert_eq!(
        store
            .snapshot()
            .unwrap()
            .events(Window::ALL)
            .unwrap()
            .count() as i64,
        first
    );
    assert_eq!(store.snapshot().unwrap().log_bytes(), 0);
    println!("{kills} kills, {first} events: none lost, none twice");
}
