//! The latest sessions of a window: from what is known of each segment's
//! sessions, from the events where there is nothing, and from the log.
//!
//! ```text
//! window      [---------------------------------------------)
//! session   ──┼──a     b──     ──c──            ──d──     ──┼──e
//! figures     events   as kept ...                          events
//! ```
//! Only sessions that the window cuts are counted event by event: at its end
//! all of them, for when they were last seen says who is listed; at its start
//! those that are listed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

use tachograph_model::answer::OneSession;
use tachograph_model::{UnixNanos, Window};

use super::kept::{self, Keepable, Kept, Key, OfLog};
use super::{Snapshot, side_by_side};
use crate::decode::{BATCH_ROWS, Broken, LogPart};
use crate::error::StoreError;
use crate::manifest::Segment;
use crate::note::Note;
use crate::segment::{Scan, unless_it_panics};
use crate::sessions::{COST_UNIT, Figures, Folder, NAME, Places, Sessions, columns, read};

/// So many sessions are told apart, those of the newest files: about a hundred
/// bytes each.
pub(super) const MOST: usize = 1 << 20;
/// Rows that are decoded at once from a segment.
const SEGMENT_ROWS: usize = 32 << 10;
/// Bytes of log in one piece of work.
const PIECE_BYTES: u64 = 8 << 20;

/// Sessions, the latest first.
#[derive(Debug, Default)]
pub struct Listed {
    /// As many as were asked for; the figures are of their events in the window.
    pub sessions: Vec<OneSession>,
    /// How many there are.
    pub found: u64,
    /// What was left out, and why.
    pub notes: Vec<Note>,
}

/// Where sessions are known from.
enum Source<'a> {
    Segment(&'a Segment),
    Log(LogPart),
}

/// The sessions of a source.
#[derive(Default)]
struct Part<'a> {
    sessions: Arc<Sessions>,
    /// Those with events in the window; `None`: all.
    inside: Option<Vec<u32>>,
    /// Of these, in order, the ones whose first events are not in it; and whose.
    cut: Vec<u32>,
    segment: Option<&'a Segment>,
    broken: Option<(PathBuf, Broken)>,
    note: Option<Note>,
}

/// What a piece of log holds.
struct LogSessions {
    sessions: Arc<Sessions>,
    broken: Broken,
    to: u64,
    tail: u64,
}

impl Keepable for LogSessions {
    fn memory_bytes(&self) -> usize {
        self.sessions.memory_bytes()
    }
}

impl OfLog for LogSessions {
    fn end(&self) -> (u64, u64) {
        (self.to, self.tail)
    }
}

/// Which sessions are listed.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) window: Window,
    /// Only those with an event of this agent.
    pub(super) agent: Option<&'a str>,
    /// The latest so many.
    pub(super) limit: usize,
}

/// Lists sessions; about `most` are told apart.
pub(super) fn list(
    snapshot: &Snapshot,
    wanted: Wanted<'_>,
    most: usize,
) -> Result<Listed, StoreError> {
    let Wanted { window, agent, .. } = wanted;
    let sources = newest_first(snapshot, window);
    let mut all = All::of(agent);
    let mut read = 0;
    while read < sources.len() && all.seen.len() <= most {
        let some = &sources[read..sources.len().min(read + snapshot.threads * 4)];
        read += some.len();
        for part in side_by_side(snapshot.threads, some, |s| snapshot.part(s, wanted)) {
            all.add(part?);
        }
    }
    let mut found = all.latest(wanted.limit);
    let theirs = all.seen.iter().filter(|seen| seen.theirs);
    let mut listed = Listed {
        found: theirs.count() as u64,
        ..Listed::default()
    };
    let unsure = all.seen.iter().filter(|seen| !seen.theirs && seen.unsure);
    let unsure = unsure.count() as u64;
    if unsure > 0 {
        listed.notes.push(Note::AgentsNotKnown { sessions: unsure });
    }
    for part in &all.parts {
        found.collect(snapshot, window, part, &mut listed.notes);
    }
    // Sessions that are listed may have begun in files that were not looked at.
    for source in &sources[read..] {
        let part = snapshot.part(source, wanted)?;
        found.collect(snapshot, window, &part, &mut listed.notes);
        all.leave_out(part);
    }
    if read < sources.len() {
        listed.notes.push(Note::SessionsNotCounted {
            counted: all.seen.len() as u64,
            files: sources.len() - read,
        });
    }
    listed.notes.extend(all.notes);
    listed.notes.extend(snapshot.notes_on(all.broken));
    listed.sessions = found.finish();
    Ok(listed)
}

fn newest_first(snapshot: &Snapshot, window: Window) -> Vec<Source<'_>> {
    let pieces = snapshot
        .logs
        .iter()
        .flat_map(|log| log.split_every(PIECE_BYTES));
    let mut sources: Vec<Source<'_>> = pieces.map(Source::Log).collect();
    sources.reverse();
    let mut segments: Vec<&Segment> = snapshot.segments_in(window).collect();
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.max_time));
    sources.extend(segments.into_iter().map(Source::Segment));
    sources
}

/// Every session, once.
#[derive(Default)]
struct All<'a> {
    /// Whose are listed, if not everybody's.
    agent: Option<&'a str>,
    parts: Vec<Part<'a>>,
    seen: Vec<Seen>,
    places: Places,
    notes: Vec<Note>,
    broken: HashMap<PathBuf, Broken>,
}

/// Where a session was met first, and when it was last seen.
#[derive(Clone, Copy)]
struct Seen {
    part: u32,
    row: u32,
    last: i64,
    /// It is one of those that are listed.
    theirs: bool,
    /// It may be one of them: who its agents are was not kept.
    unsure: bool,
}

impl<'a> All<'a> {
    fn of(agent: Option<&'a str>) -> Self {
        Self {
            agent,
            ..Self::default()
        }
    }

    fn add(&mut self, mut part: Part<'a>) {
        self.take_notes(&mut part);
        let at = self.parts.len() as u32;
        let sessions = part.sessions.clone();
        let inside = part.inside.clone();
        self.parts.push(part);
        // One that this part does not know did nothing in it, unless in a
        // session whose agents are not known.
        let agent = self
            .agent
            .map(|name| sessions.agent(name).unwrap_or(u32::MAX));
        let mut see = |row: u32| {
            let by = &sessions.figures(row as usize).by;
            let named = agent.map_or(Some(true), |agent| by.names(&agent));
            self.see(at, &sessions, row, named);
        };
        match inside {
            Some(rows) => rows.into_iter().for_each(&mut see),
            None => (0..sessions.len() as u32).for_each(&mut see),
        }
    }

    fn see(&mut self, part: u32, sessions: &Sessions, row: u32, named: Option<bool>) {
        let (id, hash) = (sessions.id(row as usize), sessions.hash(row as usize));
        let one = Seen {
            part,
            row,
            last: sessions.figures(row as usize).last,
            theirs: named == Some(true),
            unsure: named.is_none(),
        };
        let next = self.seen.len() as u32;
        let (seen, parts) = (&self.seen, &self.parts);
        let place = self.places.of(hash, next, |place| {
            let first = seen[place as usize];
            parts[first.part as usize].sessions.id(first.row as usize) == id
        });
        match self.seen.get_mut(place as usize) {
            Some(seen) => {
                seen.last = seen.last.max(one.last);
                seen.theirs |= one.theirs;
                seen.unsure |= one.unsure;
            }
            None => self.seen.push(one),
        }
    }

    /// A part that is only looked up in.
    fn leave_out(&mut self, mut part: Part<'_>) {
        self.take_notes(&mut part);
    }

    fn take_notes(&mut self, part: &mut Part<'_>) {
        self.notes.extend(part.note.take());
        if let Some((path, broken)) = part.broken.take() {
            self.broken.entry(path).or_default().merge(broken);
        }
    }

    fn id(&self, seen: &Seen) -> &str {
        self.parts[seen.part as usize]
            .sessions
            .id(seen.row as usize)
    }

    /// Those that were seen last; of the same instant in the order of their ids.
    fn latest(&self, limit: usize) -> Chosen {
        let theirs = self.seen.iter().filter(|seen| seen.theirs);
        let mut seen: Vec<Seen> = theirs.copied().collect();
        let order = |a: &Seen, b: &Seen| {
            let by_time = b.last.cmp(&a.last);
            by_time.then_with(|| self.id(a).cmp(self.id(b)))
        };
        if seen.len() > limit {
            seen.select_nth_unstable_by(limit, order);
            seen.truncate(limit);
        }
        seen.sort_unstable_by(order);
        let sessions = seen.iter().map(|seen| {
            let part = &self.parts[seen.part as usize];
            One {
                id: self.id(seen).to_owned(),
                hash: part.sessions.hash(seen.row as usize),
                figures: Figures::default(),
            }
        });
        Chosen(sessions.collect())
    }
}

/// The sessions that are listed.
struct Chosen(Vec<One>);

struct One {
    id: String,
    hash: u64,
    figures: Figures<Arc<str>>,
}

impl Chosen {
    /// Adds what a part knows of them.
    fn collect(
        &mut self,
        snapshot: &Snapshot,
        window: Window,
        part: &Part<'_>,
        notes: &mut Vec<Note>,
    ) {
        let mut again: HashMap<&str, &mut Figures<Arc<str>>> = HashMap::new();
        for one in &mut self.0 {
            let Some(row) = part.sessions.find(one.hash, &one.id) else {
                continue;
            };
            if part.cut.binary_search(&(row as u32)).is_ok() {
                again.insert(&one.id, &mut one.figures);
            } else if part.inside.is_none() || part.sessions.figures(row).overlaps(window) {
                one.figures.merge(part.sessions.told(row));
            }
        }
        let (false, Some(segment)) = (again.is_empty(), part.segment) else {
            return;
        };
        match snapshot.scan_sessions(segment, window, |id| again.contains_key(id)) {
            Ok(sessions) => {
                for row in 0..sessions.len() {
                    if let Entry::Occupied(mut one) = again.entry(sessions.id(row)) {
                        one.get_mut().merge(sessions.told(row));
                    }
                }
            }
            Err(error) => notes.push(snapshot.unreadable(segment, &error)),
        }
    }

    fn finish(self) -> Vec<OneSession> {
        let listed = self
            .0
            .into_iter()
            .map(|One { id, figures, .. }| OneSession {
                session: id,
                agent: match figures.by {
                    crate::sessions::By::One(agent) => Some(agent.to_string()),
                    _ => None,
                },
                first: UnixNanos(figures.began),
                last: UnixNanos(figures.last),
                events: figures.events,
                tool_calls: figures.tool_calls,
                llm_calls: figures.llm_calls,
                failed: figures.failed,
                tokens: figures.tokens,
                cost_usd: figures.cost.map(|cost| cost as f64 / COST_UNIT),
            });
        // One whose events could not be read after all has none.
        listed.filter(|one| one.events > 0).collect()
    }
}

impl Snapshot {
    fn part<'a>(&self, source: &Source<'a>, wanted: Wanted<'_>) -> Result<Part<'a>, StoreError> {
        match source {
            Source::Log(part) => self.log_part(part, wanted.window),
            // A segment counts wholly or, with a note, not at all.
            Source::Segment(segment) => {
                Ok(self
                    .segment_part(segment, wanted)
                    .unwrap_or_else(|error| Part {
                        note: Some(self.unreadable(segment, &error)),
                        ..Part::default()
                    }))
            }
        }
    }

    fn segment_part<'a>(
        &self,
        segment: &'a Segment,
        wanted: Wanted<'_>,
    ) -> Result<Part<'a>, StoreError> {
        let window = wanted.window;
        let known = self.known_sessions(segment);
        if segment.lies_in(window) {
            return Ok(Part::whole(match known {
                Some(sessions) => sessions,
                None => self.keep_sessions(segment, self.scan_sessions(segment, window, |_| true)?),
            }));
        }
        let Some(known) = known else {
            let sessions = self.scan_sessions(segment, window, |_| true)?;
            return Ok(Part::whole(Arc::new(sessions)));
        };
        let mut inside = Vec::new();
        let mut cut = Vec::new();
        // Whose events lie in the window is not known without counting them.
        let mut count_now = false;
        for row in 0..known.len() as u32 {
            let figures = known.figures(row as usize);
            if figures.lies_in(window) {
                inside.push(row);
            } else if figures.overlaps(window) {
                cut.push(row);
                count_now |= figures.last >= window.to.0 || wanted.agent.is_some();
            }
        }
        if !count_now {
            inside.extend(&cut);
            return Ok(Part {
                sessions: known,
                inside: Some(inside),
                cut,
                segment: Some(segment),
                ..Part::default()
            });
        }
        let wanted: std::collections::HashSet<&str> =
            cut.iter().map(|row| known.id(*row as usize)).collect();
        let counted = self.scan_sessions(segment, window, |id| wanted.contains(id))?;
        let mut folder = Folder::default();
        folder.take(&known, inside.into_iter().map(|row| row as usize))?;
        folder.take(&counted, 0..counted.len())?;
        Ok(Part::whole(Arc::new(folder.finish())))
    }

    /// The sessions of a segment, if that is known without its events.
    fn known_sessions(&self, segment: &Segment) -> Option<Arc<Sessions>> {
        let key = Key::Sessions {
            segment: segment.id.clone(),
        };
        if let Some(held) = self.kept.as_ref().and_then(|kept| kept.get(&key)) {
            return Some(held);
        }
        if !segment.has(NAME) {
            return None;
        }
        let path = crate::rollup::file_of(NAME, segment.day, &segment.id);
        let path = self.home.root().join(path);
        // A damaged or missing file is no loss: the events are there.
        let sessions = unless_it_panics(|| {
            self.check_file(&path, segment.tier_checksum(NAME))?;
            read(&path)
        });
        sessions
            .ok()
            .map(|sessions| self.keep_sessions(segment, sessions))
    }

    fn keep_sessions(&self, segment: &Segment, sessions: Sessions) -> Arc<Sessions> {
        let sessions = Arc::new(sessions);
        if let Some(kept) = &self.kept {
            let segment = segment.id.clone();
            kept.put(Key::Sessions { segment }, &sessions);
        }
        sessions
    }

    /// Counts the events of a segment that lie in `window`, of wanted sessions.
    fn scan_sessions(
        &self,
        segment: &Segment,
        window: Window,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Sessions, StoreError> {
        self.check(segment)?;
        unless_it_panics(|| {
            let whole = segment.lies_in(window);
            let path = self.segment_path(segment);
            let scan = Scan::open(&path, &columns(), window, None, whole, SEGMENT_ROWS)?;
            let mut folder = Folder::default();
            for batch in scan {
                folder.push(&batch?, window, &wanted)?;
            }
            Ok(folder.finish())
        })
    }

    fn log_part(&self, part: &LogPart, window: Window) -> Result<Part<'static>, StoreError> {
        let kept = self.kept.as_ref();
        let known = kept.map(|kept| kept_log(kept, part)).transpose()?.flatten();
        let known = known.filter(|known| known.sessions.lies_in(window));
        let rest = LogPart {
            from: known.as_ref().map_or(part.from, |known| known.to),
            ..part.clone()
        };
        let (sessions, mut broken) = scan_log(&rest, window)?;
        let sessions = match known {
            None => Arc::new(sessions),
            Some(known) => {
                broken.merge(known.broken.clone());
                joined(&known.sessions, sessions)?
            }
        };
        Ok(Part {
            broken: (broken.count > 0).then(|| (part.path.clone(), broken)),
            ..Part::whole(sessions)
        })
    }
}

impl Part<'_> {
    fn whole(sessions: Arc<Sessions>) -> Self {
        Self {
            sessions,
            ..Self::default()
        }
    }
}

/// What is known of a piece of log, with what has come since; `None` where no
/// line is whole.
fn kept_log(kept: &Kept, part: &LogPart) -> Result<Option<Arc<LogSessions>>, StoreError> {
    let key = Key::LogSessions {
        file: part.id,
        from: part.from,
    };
    let (held, fresh) = kept.get_of_log::<LogSessions>(&key, part)?;
    if fresh.is_empty() {
        return Ok(held);
    }
    let fresh = LogPart {
        from: fresh.start,
        to: fresh.end,
        ..part.clone()
    };
    let (sessions, mut broken) = scan_log(&fresh, Window::ALL)?;
    let sessions = match held {
        None => Arc::new(sessions),
        Some(held) => {
            broken.merge(held.broken.clone());
            joined(&held.sessions, sessions)?
        }
    };
    let tail = kept::tail_of(&part.file, fresh.to).map_err(StoreError::io("read", &part.path))?;
    let known = Arc::new(LogSessions {
        sessions,
        broken,
        to: fresh.to,
        tail,
    });
    kept.put(key, &known);
    Ok(Some(known))
}

fn joined(known: &Arc<Sessions>, more: Sessions) -> Result<Arc<Sessions>, StoreError> {
    if more.len() == 0 {
        return Ok(known.clone());
    }
    let mut folder = Folder::default();
    folder.take(known, 0..known.len())?;
    folder.take(&more, 0..more.len())?;
    Ok(Arc::new(folder.finish()))
}

fn scan_log(part: &LogPart, window: Window) -> Result<(Sessions, Broken), StoreError> {
    let mut folder = Folder::default();
    let mut scan = part.scan(&columns(), window, BATCH_ROWS);
    for batch in scan.by_ref() {
        folder.push(&batch?, window, |_| true)?;
    }
    Ok((folder.finish(), scan.into_broken().0))
}
