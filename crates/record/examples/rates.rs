//! Measures the recorder from outside: nanoseconds a call, and events a second
//! into the log. Run with `--release`.

use std::time::{Duration, Instant};

use tachograph::Recorder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let recorder = Recorder::builder().home(home.path()).build();
    let tool = recorder.tool("search");
    tool.success(Duration::from_millis(1));
    std::thread::sleep(Duration::from_millis(100));
    // Bursts that the ring holds: the call alone.
    let mut bursts = Vec::new();
    for n in 0..500_u64 {
        recorder.flush(Duration::from_secs(5));
        let start = Instant::now();
        for i in 0..1_000 {
            tool.success(Duration::from_nanos(12_345_678 + n * i));
        }
        bursts.push(start.elapsed().as_nanos() as f64 / 1_000.0);
    }
    bursts.sort_by(f64::total_cmp);
    println!(
        "a call, in bursts of 1000: p50 {:.1} ns, p99 {:.1} ns",
        bursts[250], bursts[495]
    );
    // Sustained: flushed every 1000, so that nothing is lost.
    let start = Instant::now();
    let events = 3_000_000_u64;
    for n in 0..events {
        tool.success(Duration::from_nanos(12_345_678 + n));
        if n % 3_000 == 0 {
            recorder.flush(Duration::from_secs(5));
        }
    }
    recorder.flush(Duration::from_secs(5));
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "into the log: {:.2} M events/s, lost {:?}",
        events as f64 / seconds / 1e6,
        recorder.losses()
    );
    Ok(())
}
