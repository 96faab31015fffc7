//! A small agent that reads a folder and reports on it, with the recorder
//! embedded as a program would: one line at the start, handles for what it
//! calls, and nothing else in its way.
//!
//! ```text
//! cargo run -p tachograph --example agent_loop -- crates/record/src "Which files mention rings?"
//! ```
//!
//! Its tools are real (they list, read, search and count files), its cache is
//! real, and so is what it records. Its "model" is a local summariser, so that
//! the example needs no key and no network; it is recorded as provider `local`.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tachograph::{Cache, Model, ModelCall, Query, Recorder, Tool, complexity_score, select_agent};

/// Files that the agent keeps in memory.
const CACHED_FILES: usize = 64;
/// Files larger than this are not worth a place in the cache.
const LARGEST_CACHED: usize = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let asked: Vec<String> = arguments.collect();
    let questions = match asked.is_empty() {
        true => vec![
            "How many words are there?".to_owned(),
            "Which files mention \"cache\" and which mention \"error\"?".to_owned(),
            "Compare the longest files and analyze their words".to_owned(),
        ],
        false => asked,
    };

    let recorder = tachograph::init();
    recorder.record_system_info();
    let session = recorder.session("agent_loop", 0);
    let mut agent = Agent::new(&recorder, Path::new(&folder));
    for question in &questions {
        println!("> {question}");
        match agent.answer(&recorder, question) {
            Ok(answer) => println!("{answer}\n"),
            Err(error) => println!("  could not answer: {error}\n"),
        }
    }
    session.end();

    let figures = recorder.all_metrics();
    println!("tools: {:#}", figures["tool_metrics"]);
    println!("caches: {:#}", figures["cache_metrics"]);
    for loss in recorder.losses() {
        println!("lost: {} {} ({})", loss.count, loss.kind, loss.reason);
    }
    match tachograph::Settings::from_env().home {
        _ if !recorder.is_enabled() => println!("recording is switched off"),
        Some(home) => println!("the log is {}", home.join("events.jsonl").display()),
        None => println!("no home: nothing was kept"),
    }
    Ok(())
}

/// An agent over the files of a folder.
struct Agent {
    folder: PathBuf,
    files: FileCache,
    list: Tool,
    read: Tool,
    grep: Tool,
    model: Model,
}

impl Agent {
    /// Resolves every handle once.
    fn new(recorder: &Recorder, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: FileCache::new(recorder.cache("files")),
            list: recorder.tool("list_files"),
            read: recorder.tool("read_file"),
            grep: recorder.tool("grep"),
            model: recorder.model("local", "summariser"),
        }
    }

    /// Answers a question: choose a kind of agent, gather, summarise.
    fn answer(&mut self, recorder: &Recorder, question: &str) -> io::Result<String> {
        let chosen = select_agent(question);
        let score = complexity_score(question);
        let query = recorder.query(chosen.agent);
        let _within = query.enter();
        query.text(question);
        query.selection(chosen.agent, score, chosen.reason);
        println!(
            "  {} agent ({}, complexity {score})",
            chosen.agent, chosen.reason
        );

        let answer = self.gather(recorder, &query, question);
        let size = answer.as_ref().map_or(0, |text| text.len() as u64);
        query.finish(&answer, size);
        answer
    }

    fn gather(&mut self, recorder: &Recorder, query: &Query, question: &str) -> io::Result<String> {
        let gathering = recorder.span("gather");
        query.tool_call_named("list_files");
        let paths = self.list.try_time(|| list(&self.folder))?;
        query.entities(&["files"]);

        let wanted: Vec<&str> = question.split('"').skip(1).step_by(2).collect();
        let mut notes = Vec::new();
        for path in paths {
            query.tool_call_named("read_file");
            // A file that is no text is recorded as a failure; the agent goes on.
            let Ok(text) = self.files.get(&path, |path| {
                self.read.try_time(|| fs::read_to_string(path))
            }) else {
                continue;
            };
            let mentions: Vec<usize> = wanted
                .iter()
                .map(|word| {
                    query.tool_call_named("grep");
                    self.grep
                        .time(|| text.lines().filter(|line| line.contains(word)).count())
                })
                .collect();
            notes.push(Note {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                words: count_words(&text),
                mentions,
            });
        }
        gathering.ok();
        Ok(summarise(&self.model, question, &wanted, notes))
    }
}

/// What the agent learned of a file.
struct Note {
    name: String,
    words: usize,
    mentions: Vec<usize>,
}

/// The attribute records every call, without a handle to carry around.
#[tachograph::tool(name = "count_words")]
fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// The local "model": puts the notes into words. A token is taken for four
/// bytes, as the first seed estimates.
fn summarise(model: &Model, question: &str, wanted: &[&str], mut notes: Vec<Note>) -> String {
    let start = Instant::now();
    notes.sort_by(|a, b| b.words.cmp(&a.words).then_with(|| a.name.cmp(&b.name)));
    let words: usize = notes.iter().map(|note| note.words).sum();
    let mut answer = format!("  {} files, {words} words", notes.len());
    for (at, word) in wanted.iter().enumerate() {
        let named: Vec<_> = notes
            .iter()
            .filter(|note| note.mentions[at] > 0)
            .map(|note| format!("{} ({})", note.name, note.mentions[at]))
            .collect();
        answer += &match named.is_empty() {
            true => format!("\n  nobody mentions {word}"),
            false => format!("\n  {word}: {}", named.join(", ")),
        };
    }
    if wanted.is_empty() {
        for note in notes.iter().take(3) {
            answer += &format!("\n  {}: {} words", note.name, note.words);
        }
    }
    let input: usize = question.len() + notes.iter().map(|note| note.name.len() + 8).sum::<usize>();
    model.call(ModelCall {
        duration: start.elapsed(),
        input_tokens: input as u64 / 4,
        output_tokens: answer.len() as u64 / 4,
        cost_usd: Some(0.0),
        ..ModelCall::default()
    });
    answer
}

/// Keeps the files read last.
struct FileCache {
    files: HashMap<PathBuf, (u64, String)>,
    clock: u64,
    recorded: Cache,
}

impl FileCache {
    fn new(recorded: Cache) -> Self {
        Self {
            files: HashMap::new(),
            clock: 0,
            recorded,
        }
    }

    /// The file's text: from memory, or `read` and remembered.
    fn get(
        &mut self,
        path: &Path,
        read: impl Fn(&Path) -> io::Result<String>,
    ) -> io::Result<String> {
        let start = Instant::now();
        self.clock += 1;
        if let Some((used, text)) = self.files.get_mut(path) {
            *used = self.clock;
            self.recorded.hit_in(start.elapsed());
            return Ok(text.clone());
        }
        let text = read(path)?;
        self.recorded
            .miss_in(start.elapsed().max(Duration::from_nanos(1)));
        if text.len() > LARGEST_CACHED {
            self.recorded.size_rejection_of(text.len() as u64);
            return Ok(text);
        }
        if self.files.len() >= CACHED_FILES {
            self.evict();
        }
        self.files
            .insert(path.to_owned(), (self.clock, text.clone()));
        Ok(text)
    }

    /// Throws out the file that was used longest ago.
    fn evict(&mut self) {
        let oldest = self.files.iter().min_by_key(|(_, (used, _))| *used);
        if let Some(path) = oldest.map(|(path, _)| path.clone())
            && let Some((_, text)) = self.files.remove(&path)
        {
            self.recorded.eviction_of(text.len() as u64);
        }
    }
}
