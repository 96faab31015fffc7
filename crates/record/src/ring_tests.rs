//! The ring, single-threaded, with two threads, and under the model checker
//! (`RUSTFLAGS="--cfg loom" cargo test -p tachograph --lib ring`).

use super::*;

fn ring(data: usize) -> Arc<Ring> {
    Arc::new(Ring::over(Words::heap(HEADER_WORDS + data)).expect("a power of two"))
}

#[cfg(not(all(loom, test)))]
#[test]
fn records_come_out_as_they_went_in_round_and_round() {
    let ring = ring(256);
    let mut producer = Producer::new(ring.clone());
    let mut record = Vec::new();
    for n in 0..10_000_u64 {
        let values: Vec<u64> = (0..n % 7).map(|i| n * 10 + i).collect();
        assert_ne!(producer.push(3, n as i64, 0b101, &values), Pushed::Lost);
        let next = ring
            .read(ring.tail(), ring.head(), &mut record)
            .expect("a record");
        assert_eq!(Header(record[0]).kind(), 3);
        assert_eq!(Header(record[0]).presence(), 0b101);
        assert_eq!(record[1], n);
        assert_eq!(record[2..], values);
        ring.set_tail(next);
        assert_eq!(ring.tail(), ring.head());
    }
}

#[cfg(not(all(loom, test)))]
#[test]
fn a_full_ring_counts_and_keeps_what_it_has() {
    let ring = ring(256);
    let mut producer = Producer::new(ring.clone());
    let pushed: Vec<_> = (0..200).map(|n| producer.push(5, n, 0, &[1, 2])).collect();
    let kept = pushed.iter().filter(|p| **p != Pushed::Lost).count();
    assert_eq!(kept, 64, "256 words hold 64 records of 4");
    assert!(pushed.contains(&Pushed::Crowded));
    assert_eq!((ring.lost(5), ring.lost(4)), (136, 0));
    let mut record = Vec::new();
    let mut at = ring.tail();
    for n in 0..64 {
        at = ring.read(at, ring.head(), &mut record).expect("a record");
        assert_eq!(record[1], n);
    }
    ring.set_tail(at);
    assert_eq!(producer.push(5, 0, 0, &[1, 2]), Pushed::Kept);
}

#[cfg(not(all(loom, test)))]
#[test]
fn damage_is_noticed() {
    let ring = ring(256);
    let mut record = Vec::new();
    // No record at all, one that says it is empty, one that is too long.
    assert_eq!(ring.read(0, 0, &mut record), None);
    ring.word(0).store(1, Ordering::Relaxed);
    assert_eq!(ring.read(0, 100, &mut record), None);
    ring.word(0).store(200, Ordering::Relaxed);
    assert_eq!(ring.read(0, 100, &mut record), None);
    assert!(Ring::over(Words::heap(HEADER_WORDS + 300)).is_none());
    assert!(Ring::over(Words::heap(3)).is_none());
    // A record that is too long for its header is lost, not cut.
    let mut producer = Producer::new(self::ring(1024));
    assert_eq!(producer.push(0, 0, 0, &[0; 254]), Pushed::Lost);
    assert_eq!(producer.push(0, 0, 0, &[0; 253]), Pushed::Kept);
}

#[cfg(not(all(loom, test)))]
#[test]
fn two_threads_agree() {
    const RECORDS: u64 = if cfg!(miri) { 300 } else { 200_000 };
    let ring = ring(1024);
    let mut producer = Producer::new(ring.clone());
    let writer = std::thread::spawn(move || {
        for n in 0..RECORDS {
            while producer.push(1, n as i64, 0, &[!n]) == Pushed::Lost {
                std::thread::yield_now();
            }
        }
    });
    let mut record = Vec::new();
    let mut expected = 0;
    while expected < RECORDS {
        let (mut at, head) = (ring.tail(), ring.head());
        while at < head {
            at = ring.read(at, head, &mut record).expect("whole records");
            assert_eq!((record[1], record[2]), (expected, !expected));
            expected += 1;
        }
        ring.set_tail(at);
        std::thread::yield_now();
    }
    writer.join().expect("no panic");
}

/// Every interleaving, and every reordering that loom explores: the consumer
/// sees whole records in order, and the producer never writes over what has
/// not been taken. Loom lets no load see a later store, so it would not miss
/// the release of the tail; it does miss that of the head.
#[cfg(all(loom, test))]
#[test]
fn model_of_one_producer_and_one_consumer() {
    loom::model(|| {
        // A ring of 256 words, of which 252 are taken: room for one record.
        let ring = ring(256);
        let mut producer = Producer::new(ring.clone());
        assert_ne!(producer.push(0, 7, 0, &[8; 250]), Pushed::Lost);
        let writer = loom::thread::spawn(move || {
            let first = producer.push(1, 1, 0, &[11]);
            let second = producer.push(2, 2, 0, &[22]);
            (first, second)
        });
        let mut record = Vec::new();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (mut at, head) = (ring.tail(), ring.head());
            while at < head {
                at = ring.read(at, head, &mut record).expect("whole records");
                seen.push((Header(record[0]).kind(), record[1], record[2]));
            }
            ring.set_tail(at);
        }
        let (first, second) = writer.join().expect("no panic");
        let (mut at, head) = (ring.tail(), ring.head());
        while at < head {
            at = ring.read(at, head, &mut record).expect("whole records");
            seen.push((Header(record[0]).kind(), record[1], record[2]));
        }
        let mut expected = vec![(0, 7, 8)];
        if first != Pushed::Lost {
            expected.push((1, 1, 11));
        }
        if second != Pushed::Lost {
            expected.push((2, 2, 22));
        }
        assert_eq!(seen, expected);
        let lost = u64::from(first == Pushed::Lost) + u64::from(second == Pushed::Lost);
        assert_eq!(ring.lost(1) + ring.lost(2), lost);
    });
}
