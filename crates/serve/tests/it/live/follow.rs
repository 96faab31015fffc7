//! Following the log, and what was sealed of the last hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};
use tachograph_model::port::{Sealed, SealedLog};
use tachograph_model::{Answer, Answerer, AskError, Question, UnixNanos};
use tachograph_serve::config::Limits;
use tachograph_serve::live::{Family, Live};

use super::{HOUR, tool};

/// A follower's home, and live state on it.
struct Followed {
    _folder: tempfile::TempDir,
    home: Home,
    log: Appender,
    live: std::sync::Arc<Live>,
}

impl Followed {
    /// With so many calls in the log before, rotated after each.
    fn after(past: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let log = Appender::new(&home);
        for _ in 0..past {
            log.append(&tool(UnixNanos::now(), "t", 1.0).to_line())
                .unwrap();
            log.lock().unwrap().rotate().unwrap();
        }
        let live = Live::start(&home, &Limits::default()).unwrap();
        Self {
            _folder: folder,
            home,
            log,
            live,
        }
    }

    fn append(&self) {
        let line = tool(UnixNanos::now(), "t", 1.0).to_line();
        self.log.append(&line).unwrap();
    }

    /// Waits until so many events have been read, and looks that they stay so
    /// many.
    #[track_caller]
    fn read(&self, events: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.live.overview().events < events && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(self.live.overview().events, events);
    }
}

#[test]
fn what_any_process_records_shows_up_across_rotation_sealing_and_deletion() {
    let at = Followed::after(0);
    at.append();
    at.read(1);
    // Rotated, and sealed away before it is read to its end.
    at.append();
    let rotated = at.log.lock().unwrap().rotate().unwrap().unwrap();
    at.append();
    at.read(3);
    std::fs::remove_file(rotated).unwrap();
    at.append();
    at.read(4);
    at.log.lock().unwrap().rotate().unwrap();
    std::fs::remove_file(at.home.log()).ok();
    at.append();
    at.read(5);
    // Deleted under the server; what was rotated before must not come again.
    std::fs::remove_file(at.home.log()).unwrap();
    at.append();
    at.read(6);
    let reading = at
        .live
        .reading(Family::Tool, "", "t", HOUR)
        .expect("a tool");
    assert_eq!(reading.window.expect("calls").count, 6);
    assert_eq!(reading.since_start.events, 6);
}

#[test]
fn the_past_is_read_in_but_no_counter_has_it() {
    let at = Followed::after(3);
    at.append();
    at.read(4);
    let overview = at.live.overview();
    assert!(overview.settled);
    assert_eq!(overview.events_since_start, 1);
    let reading = at
        .live
        .reading(Family::Tool, "", "t", HOUR)
        .expect("a tool");
    assert_eq!(reading.window.expect("calls").count, 4);
    assert_eq!((reading.totals.events, reading.since_start.events), (4, 1));
    assert_eq!(reading.since_start.buckets.iter().sum::<u64>(), 1);
}

#[test]
fn changes_are_told_and_the_thread_ends() {
    let at = Followed::after(0);
    let mut changes = at.live.changes();
    let before = *changes.borrow_and_update();
    at.append();
    at.live.wake();
    at.read(1);
    assert!(changes.has_changed().unwrap());
    assert!(*changes.borrow() > before);
    assert!(at.live.overview().lag < Duration::from_secs(5));
    let began = Instant::now();
    at.live.stop();
    assert!(began.elapsed() < Duration::from_secs(20));
    at.append();
    at.read(1);
}

/// Says what was sealed, whatever it is asked.
struct Sealing {
    lines: Vec<u8>,
    sealed: Sealed,
}

impl Answerer for Sealing {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        let question = question.name();
        Err(AskError::Mismatch { question })
    }

    fn sealed_since(
        &self,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        let hour = UnixNanos::now().saturating_sub(HOUR);
        assert!(since.0.abs_diff(hour.0) < 5_000_000_000, "{since}");
        let mut slices = self.lines.split_inclusive(|byte| *byte == b'\n');
        assert!(slices.all(take));
        Ok(self.sealed.clone())
    }
}

/// Reads without end until nobody wants it any more.
struct Endless;

impl Answerer for Endless {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        let question = question.name();
        Err(AskError::Mismatch { question })
    }

    fn sealed_since(
        &self,
        _since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        while take(b"") {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Sealed::default())
    }
}

#[test]
fn who_leaves_does_not_wait_for_what_was_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let live = Live::start_after(&home, &Limits::default(), Arc::new(Endless)).unwrap();
    assert!(!live.overview().settled);
    let (done, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        live.stop();
        done.send(()).unwrap();
    });
    stopped.recv_timeout(Duration::from_secs(5)).unwrap();
}

/// After `tacho compact`, say: the last hour is in no log any more.
#[test]
fn what_was_sealed_of_the_last_hour_is_past_and_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let log = Appender::new(&home);
    let call = |name: &str| tool(UnixNanos::now().saturating_sub(HOUR / 2), name, 4.0).to_line();
    // Sealed, but not deleted yet; one by its name, one as the file that it is.
    let mut logs = Vec::new();
    for _ in 0..2 {
        log.append(&call("sealed")).unwrap();
        let rotated = log.lock().unwrap().rotate().unwrap().unwrap();
        let name = rotated.file_name().unwrap().to_string_lossy().into_owned();
        let files = home.files().unwrap().files;
        let file = files.iter().find(|file| file.path == rotated).unwrap();
        let (inode, born) = (file.id.inode, file.id.born);
        logs.push(SealedLog { name, inode, born });
    }
    logs[1].inode = 0;
    if logs[0].born != 0 {
        logs[0].name = "renamed.jsonl".to_owned();
    }
    log.append(&call("rotated")).unwrap();
    log.lock().unwrap().rotate().unwrap();
    log.append(&call("live")).unwrap();
    let cut_at = UnixNanos::now();
    let sealing = Sealing {
        lines: [call("sealed"), call("sealed")].concat(),
        sealed: Sealed {
            logs,
            cut_at: Some(cut_at),
            left_out: vec!["a segment".to_owned()],
        },
    };
    let live = Live::start_after(&home, &Limits::default(), Arc::new(sealing)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !live.overview().settled && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    log.append(&call("sealed")).unwrap();
    while live.overview().events < 5 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(60));
    let overview = live.overview();
    assert_eq!((overview.events, overview.events_since_start), (5, 1));
    assert_eq!(overview.failures, 1, "what could not be read is counted");
    let [segment, cut] = &*live.take_left_out() else {
        panic!("what is not read in is told, each once");
    };
    assert_eq!(segment, "a segment");
    assert!(cut.contains(&format!("before {cut_at}")), "{cut}");
    assert_eq!(live.take_left_out(), [""; 0]);
    for (name, calls) in [("sealed", 3), ("rotated", 1), ("live", 1)] {
        let reading = live.reading(Family::Tool, "", name, HOUR).expect(name);
        assert_eq!(reading.window.expect("calls").count, calls, "{name}");
        let new = u64::from(name == "sealed");
        assert_eq!(reading.since_start.events, new, "{name}");
    }
    live.stop();
}
