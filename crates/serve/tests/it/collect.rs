//! The machine's own metrics come to the log like everything else.

use std::time::{Duration, Instant};

use tachograph_serve::config::{Collect, Config};

use crate::common::{Door, config};

#[test]
fn the_machine_s_metrics_are_stored() {
    let door = Door::with(Config {
        collect: Some(Collect {
            system_every: Duration::from_millis(200),
            processes_every: Duration::from_millis(200),
            processes: Vec::new(),
        }),
        ..config()
    });
    let began = Instant::now();
    // Two measurements of each.
    let enough = |name: &str| {
        let stored = door.stored();
        let of_name = stored.iter().filter(|event| event["name"] == name);
        of_name.count() >= 2
    };
    while !(enough("cpu_usage_percent") && enough("memory_available_mb")) {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            door.stored()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    for event in door.stored() {
        assert_eq!(event["event_type"], "metric", "{event}");
        assert_eq!(event["source"], "system", "{event}");
        assert_eq!(event["type"], "gauge", "{event}");
        assert!(event["value"].is_number(), "{event}");
    }
}

#[test]
fn nothing_is_measured_unless_asked_for() {
    let door = Door::open();
    std::thread::sleep(Duration::from_millis(1_300));
    assert!(door.stored().is_empty());
}
