//! Answering a fold: rollups where they fit, events elsewhere, on all
//! processors.
//!
//! ```text
//! window      [--------------------------------------)
//! segments  |  day 1  |  day 2  |  day 3  |  day 4  |
//! read       raw·hours   day       day      hours·raw
//! ```

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::error::ArrowError;
use tachograph_model::time::NANOS_PER_DAY;
use tachograph_model::{UnixNanos, Window};

use super::kept::{self, Kept, Key, Stretch};
use super::{Folded, Snapshot};
use crate::decode::{BATCH_ROWS, Broken, LogPart};
use crate::error::StoreError;
use crate::fold::{Apart, Census, FoldSpec, Folder, Taking};
use crate::manifest::Segment;
use crate::note::Note;
use crate::rollup::{Tier, TierRows, read_tier};
use crate::segment::{Scan, unless_it_panics};

/// Rows that are decoded at once from a segment.
const SEGMENT_ROWS: usize = 32 << 10;
/// Bytes of log in one piece of work.
const PIECE_BYTES: u64 = 8 << 20;
/// About so many bytes of exact values an event leaves in its cell.
const BYTES_AN_EVENT: u64 = 16;

enum Work<'a> {
    Segment(&'a Segment),
    Log(LogPart),
}

/// What one thread found.
struct Found {
    folder: Folder,
    sketched: u64,
    notes: Vec<Note>,
    broken: HashMap<PathBuf, Broken>,
}

/// Folds with everything apart; where that is too much, counts and chooses
/// first ([`crate::fold::crowd`]).
pub(super) fn cells(
    snapshot: &Snapshot,
    window: Window,
    spec: &FoldSpec,
) -> Result<Folded, StoreError> {
    let apart = fold(snapshot, window, spec, &Taking::Apart);
    let (Err(StoreError::Crowded), Some(mut bound)) = (&apart, spec.bound) else {
        return apart;
    };
    let census = Arc::new(Census::default());
    fold(snapshot, window, spec, &Taking::Census(census.clone()))?;
    let mut spec = spec.clone();
    loop {
        let chosen = Arc::new(census.lock().choose(bound));
        if bound.series == 0 {
            // Nothing more to give up.
            spec.bound = None;
        }
        match fold(snapshot, window, &spec, &Taking::Chosen(chosen.clone())) {
            // Too many stretches of time for so many series.
            Err(StoreError::Crowded) => bound.series /= 4,
            Err(error) => return Err(error),
            Ok(mut folded) => {
                folded.notes.extend(chosen.notes.iter().cloned());
                return Ok(folded);
            }
        }
    }
}

fn fold(
    snapshot: &Snapshot,
    window: Window,
    spec: &FoldSpec,
    taking: &Taking,
) -> Result<Folded, StoreError> {
    let mut work: Vec<Work<'_>> = snapshot.segments_in(window).map(Work::Segment).collect();
    for log in &snapshot.logs {
        let pieces = match snapshot.kept {
            // At the same places the next time, too.
            Some(_) => log.split_every(PIECE_BYTES),
            None => log.split(usize::try_from(log.bytes().div_ceil(PIECE_BYTES)).unwrap_or(1)),
        };
        work.extend(pieces.into_iter().map(Work::Log));
    }
    let next = AtomicUsize::new(0);
    let run = || -> Result<Found, StoreError> {
        let mut found = Found {
            folder: Folder::new(spec.clone(), window).taking(taking),
            sketched: 0,
            notes: Vec::new(),
            broken: HashMap::new(),
        };
        while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            match piece {
                Work::Segment(segment) => {
                    snapshot.add_segment(segment, window, spec, taking, &mut found)?;
                }
                Work::Log(part) => match &snapshot.kept {
                    Some(kept) => add_kept_log(kept, part, window, spec, taking, &mut found)?,
                    None => add_log(part, window, &mut found)?,
                },
            }
        }
        Ok(found)
    };
    let threads = snapshot.threads.min(work.len()).max(1);
    let mut all: Vec<Result<Found, StoreError>> = Vec::with_capacity(threads);
    if threads == 1 {
        all.push(run());
    } else {
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            all.push(run());
            for other in others {
                all.push(other.join().unwrap_or_else(|_| {
                    Err(StoreError::Stopped {
                        step: "fold",
                        why: "a thread panicked".to_owned(),
                    })
                }));
            }
        });
    }
    gather(snapshot, all)
}

fn gather(snapshot: &Snapshot, all: Vec<Result<Found, StoreError>>) -> Result<Folded, StoreError> {
    let mut answer = Folded::default();
    let mut broken: HashMap<PathBuf, Broken> = HashMap::new();
    let mut whole: Option<Folder> = None;
    for found in all {
        let found = found?;
        answer.sketched += found.sketched;
        answer.notes.extend(found.notes);
        for (path, part) in found.broken {
            broken.entry(path).or_default().merge(part);
        }
        match &mut whole {
            Some(whole) => whole.merge(found.folder)?,
            None => whole = Some(found.folder),
        }
    }
    answer.notes.extend(snapshot.notes_on(broken));
    if let Some(mut whole) = whole {
        answer.first_named = whole.take_first_named();
        answer.rows = whole.rows();
        answer.cells = whole.finish();
    }
    let negative: u64 = answer.cells.iter().map(|cell| cell.negative).sum();
    if negative > 0 {
        answer
            .notes
            .push(Note::NegativeDurations { count: negative });
    }
    Ok(answer)
}

fn add_log(part: &LogPart, window: Window, found: &mut Found) -> Result<(), StoreError> {
    let mut scan = part.scan(Folder::columns(), window, BATCH_ROWS);
    for batch in scan.by_ref() {
        found.folder.push(&batch?)?;
    }
    found.note_broken(part, scan.into_broken().0);
    Ok(())
}

/// As [`add_log`], but folds only what has come since it was folded last.
fn add_kept_log(
    kept: &Kept,
    part: &LogPart,
    window: Window,
    spec: &FoldSpec,
    taking: &Taking,
    found: &mut Found,
) -> Result<(), StoreError> {
    let key = Key::Log {
        file: part.id,
        from: part.from,
        grain: spec.grain,
        exact: spec.exact,
        apart: spec.apart,
    };
    let (mut stretch, fresh) = kept.get_of_log::<Stretch>(&key, part)?;
    let crowded = stretch.as_ref().is_some_and(|held| held.crowded);
    // A census is taken of what is there: nothing is made to be kept.
    if !fresh.is_empty() && !crowded && !matches!(taking, Taking::Census(_)) {
        let ending = |stretch: Stretch| -> Result<_, StoreError> {
            let tail = kept::tail_of(&part.file, stretch.to);
            let tail = tail.map_err(StoreError::io("read", &part.path))?;
            Ok(Arc::new(Stretch { tail, ..stretch }))
        };
        let crowded = || {
            ending(Stretch {
                to: part.from,
                ..Stretch::crowded()
            })
        };
        let whole = match fold_on(kept, part, stretch.as_deref(), fresh, spec) {
            Err(StoreError::Crowded) => crowded()?,
            whole => ending(whole?)?,
        };
        if !kept.put(key.clone(), &whole) {
            kept.put(key, &crowded()?);
        }
        stretch = Some(whole);
    }
    let Some(stretch) = stretch.filter(|stretch| !stretch.crowded && stretch.lies_in(window))
    else {
        return add_log(part, window, found);
    };
    found.folder.push_kept(&stretch, Window::ALL)?;
    found.note_broken(part, stretch.broken.clone());
    let rest = LogPart {
        from: stretch.to,
        ..part.clone()
    };
    add_log(&rest, window, found)
}

/// Folds what has come since `held` was.
fn fold_on(
    kept: &Kept,
    part: &LogPart,
    held: Option<&Stretch>,
    fresh: Range<u64>,
    spec: &FoldSpec,
) -> Result<Stretch, StoreError> {
    let spec = spec.of_everything().bounded(kept.bound());
    let fresh = LogPart {
        from: fresh.start,
        to: fresh.end,
        ..part.clone()
    };
    let to = fresh.to;
    let fresh = fold_log(&fresh, &spec)?;
    let Some(held) = held else {
        return Ok(Stretch { to, ..fresh });
    };
    let mut folder = Folder::new(spec, Window::ALL);
    let mut broken = fresh.broken.clone();
    for known in [held, &fresh] {
        folder.push_kept(known, Window::ALL)?;
    }
    broken.merge(held.broken.clone());
    Ok(Stretch {
        broken,
        to,
        ..Stretch::of(folder)
    })
}

/// Folds all events of a stretch of log.
fn fold_log(part: &LogPart, spec: &FoldSpec) -> Result<Stretch, StoreError> {
    let mut folder = Folder::new(spec.clone(), Window::ALL);
    let mut scan = part.scan(Folder::columns(), Window::ALL, BATCH_ROWS);
    for batch in scan.by_ref() {
        folder.push(&batch?)?;
    }
    Ok(Stretch {
        broken: scan.into_broken().0,
        ..Stretch::of(folder)
    })
}

impl Found {
    fn note_broken(&mut self, part: &LogPart, broken: Broken) {
        if broken.count > 0 {
            let known = self.broken.entry(part.path.clone()).or_default();
            known.merge(broken);
        }
    }
}

impl Snapshot {
    /// A segment counts wholly or, with a note, not at all.
    fn add_segment(
        &self,
        segment: &Segment,
        window: Window,
        spec: &FoldSpec,
        taking: &Taking,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let by_rollups = || {
            let mut folder = Folder::new(spec.clone(), window).taking(taking);
            self.fold_planned(segment, window, spec, &mut folder)
                .map(|sketched| (folder, sketched))
        };
        let by_events = || {
            let mut folder = Folder::new(spec.clone(), window).taking(taking);
            self.fold_events(segment, window, spec, &mut folder)
                .map(|()| (folder, 0))
        };
        // A damaged or missing rollup is no loss: the events are there.
        let outcome = match unless_it_panics(by_rollups) {
            Err(StoreError::Crowded) => Err(StoreError::Crowded),
            outcome => outcome.or_else(|_| unless_it_panics(by_events)),
        };
        match outcome {
            Ok((folder, sketched)) => {
                found.sketched += sketched;
                found.folder.merge(folder)?;
            }
            Err(StoreError::Crowded) => return Err(StoreError::Crowded),
            Err(error) => found.notes.push(self.unreadable(segment, &error)),
        }
        Ok(())
    }

    fn fold_planned(
        &self,
        segment: &Segment,
        window: Window,
        spec: &FoldSpec,
        folder: &mut Folder,
    ) -> Result<u64, StoreError> {
        let mut sketched = 0;
        for (tier, stretch) in plan(segment, window, spec) {
            match tier {
                None if spec.exact || spec.apart == Apart::Everything => {
                    self.fold_events(segment, stretch, spec, folder)?;
                }
                None => self.fold_edge(segment, stretch, spec, folder)?,
                Some(tier) => {
                    let before = folder.rows();
                    self.fold_tier(segment, tier, stretch, folder)?;
                    sketched += folder.rows() - before;
                }
            }
        }
        Ok(sketched)
    }

    fn fold_tier(
        &self,
        segment: &Segment,
        tier: Tier,
        stretch: Window,
        folder: &mut Folder,
    ) -> Result<(), StoreError> {
        let path = self.home.root().join(tier.path(segment.day, &segment.id));
        let check = || self.check_file(&path, segment.tier_checksum(tier.name()));
        let Some(kept) = &self.kept else {
            check()?;
            return read_tier(&path, stretch, folder);
        };
        let key = Key::Tier {
            segment: segment.id.clone(),
            tier,
        };
        let rows = match kept.get::<TierRows>(&key) {
            Some(rows) => rows,
            None => {
                check()?;
                let rows = Arc::new(TierRows::read(&path)?);
                kept.put(key, &rows);
                rows
            }
        };
        match rows.fold(stretch, folder)? {
            true => Ok(()),
            false => Err(StoreError::Columns {
                what: "read a rollup",
                source: ArrowError::ParseError(format!("{} is damaged", path.display())),
            }),
        }
    }

    /// As [`Self::fold_events`], but whole hours are folded once and kept: so a
    /// window that moves on reads the events of an hour at most.
    fn fold_edge(
        &self,
        segment: &Segment,
        stretch: Window,
        spec: &FoldSpec,
        folder: &mut Folder,
    ) -> Result<(), StoreError> {
        let hour = Tier::Hour;
        if self.kept.is_none() || segment.lies_in(stretch) || !spec.grain.is_made_of(hour.grain()) {
            return self.fold_events(segment, stretch, spec, folder);
        }
        let mut pieces = Vec::new();
        cover(stretch, &[Some(hour)], &mut pieces);
        for (hours, piece) in pieces {
            let hours = match hours {
                Some(hour) => self.kept_events(segment, &spec.clone().by(hour.grain()))?,
                None => None,
            };
            match hours {
                Some(hours) => folder.push_kept(&hours, piece)?,
                None => self.scan_events(segment, piece, spec, folder)?,
            }
        }
        Ok(())
    }

    fn fold_events(
        &self,
        segment: &Segment,
        window: Window,
        spec: &FoldSpec,
        folder: &mut Folder,
    ) -> Result<(), StoreError> {
        let cells = match segment.lies_in(window) {
            true => self.kept_events(segment, spec)?,
            false => None,
        };
        match cells {
            Some(cells) => folder.push_kept(&cells, Window::ALL),
            None => self.scan_events(segment, window, spec, folder),
        }
    }

    /// All events of a segment, folded so; `None` where that is not kept.
    fn kept_events(
        &self,
        segment: &Segment,
        spec: &FoldSpec,
    ) -> Result<Option<Arc<Stretch>>, StoreError> {
        let room = |kept: &&Kept| kept.has_room_for(segment.rows * BYTES_AN_EVENT);
        let Some(kept) = self.kept.as_deref().filter(room) else {
            return Ok(None);
        };
        let key = Key::Segment {
            segment: segment.id.clone(),
            grain: spec.grain,
            exact: spec.exact,
            apart: spec.apart,
        };
        kept.get_or(key, || {
            let spec = spec.of_everything().bounded(kept.bound());
            let mut folder = Folder::new(spec.clone(), Window::ALL);
            self.scan_events(segment, Window::ALL, &spec, &mut folder)
                .map(|()| Stretch::of(folder))
        })
    }

    fn scan_events(
        &self,
        segment: &Segment,
        window: Window,
        spec: &FoldSpec,
        folder: &mut Folder,
    ) -> Result<(), StoreError> {
        self.check(segment)?;
        let whole = segment.lies_in(window);
        let scan = Scan::open(
            &self.segment_path(segment),
            Folder::columns(),
            window,
            spec.types.as_deref(),
            whole,
            SEGMENT_ROWS,
        )?;
        folder.narrow(window);
        for batch in scan {
            folder.push(&batch?)?;
        }
        Ok(())
    }
}

/// Which tier answers which stretch of a segment; `None` is its events.
pub(crate) fn plan(
    segment: &Segment,
    window: Window,
    spec: &FoldSpec,
) -> Vec<(Option<Tier>, Window)> {
    if spec.exact {
        return vec![(None, window)];
    }
    let has = |tier: Tier| spec.grain.is_made_of(tier.grain()) && segment.has(tier.name());
    let day = Window {
        from: UnixNanos(segment.day.saturating_mul(NANOS_PER_DAY)),
        to: UnixNanos((segment.day + 1).saturating_mul(NANOS_PER_DAY)),
    };
    // A bound beyond the segment's events cuts nothing off.
    let stretch = Window {
        from: if window.from.0 <= segment.min_time {
            day.from
        } else {
            window.from
        },
        to: if window.to.0 > segment.max_time {
            day.to
        } else {
            window.to
        },
    };
    let of = |tier: Tier| has(tier).then_some(tier);
    // Where less is told apart, there are fewer cells.
    let chart = match spec.apart {
        Apart::Charts => of(Tier::Chart),
        Apart::Kinds => of(Tier::Kind).or_else(|| of(Tier::Chart)),
        _ => None,
    };
    if stretch == day {
        let fewer = match spec.apart {
            Apart::Everything => None,
            Apart::Named => of(Tier::Named),
            Apart::Agents => of(Tier::Agent),
            Apart::Charts | Apart::Kinds => chart,
        };
        let coarsest = || Tier::ALL.into_iter().rev().find(|tier| has(*tier));
        return vec![(fewer.or_else(coarsest), stretch)];
    }
    let tiers = [chart.or_else(|| of(Tier::Hour)), of(Tier::Minute)];
    let mut pieces = Vec::new();
    cover(stretch, &tiers, &mut pieces);
    pieces
}

/// Covers a stretch with whole stretches of the first tier, what is left with
/// those of the next, and what is left then with events.
fn cover(stretch: Window, tiers: &[Option<Tier>], pieces: &mut Vec<(Option<Tier>, Window)>) {
    if stretch.from >= stretch.to {
        return;
    }
    let Some((tier, finer)) = tiers.split_first() else {
        return pieces.push((None, stretch));
    };
    let Some(tier) = *tier else {
        return cover(stretch, finer, pieces);
    };
    let grain = tier.grain();
    let up = grain.start_of(stretch.from);
    let from = if up == stretch.from {
        up
    } else {
        UnixNanos(up.0.saturating_add(grain.nanos().unwrap_or(0)))
    };
    let to = grain.start_of(stretch.to);
    if from >= to {
        return cover(stretch, finer, pieces);
    }
    let part = |from, to| Window { from, to };
    cover(part(stretch.from, from), finer, pieces);
    pieces.push((Some(tier), part(from, to)));
    cover(part(to, stretch.to), finer, pieces);
}
