//! `tacho agents …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Agent definitions: Markdown files with a front matter.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    tacho agents index ./agents               read the definitions; the folder is remembered\n  \
    tacho agents list --category core-development\n  \
    tacho agents search \"python api\"\n  \
    tacho agents get 01-core-api-designer\n  \
    tacho agents benchmark")]
pub enum Agents {
    /// Read a folder of definitions, write its index, remember the folder
    Index(Index),
    /// List the agents
    List(List),
    /// Print one agent's definition
    Get(Get),
    /// Find agents by words in their name, keywords, description or tools
    Search(Search),
    /// Time each operation against its target; exit 1 when one is missed
    Benchmark(Benchmark),
}

/// Which folder.
#[derive(Args, Debug, Default)]
pub struct Folder {
    /// Folder of definitions [default: the one indexed last]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `tacho agents index`
#[derive(Args, Debug)]
pub struct Index {
    /// Folder of Markdown definitions
    #[arg(value_name = "DIR", conflicts_with = "dir")]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub from: Folder,
    /// Where to write the index [default: in the home]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Check only; write nothing
    #[arg(long)]
    pub validate_only: bool,
}

/// `tacho agents list`
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    pub from: Folder,
    /// Only this category, by name or slug, such as core-development
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// Only agents with one of these keywords
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub keyword: Vec<String>,
}

/// `tacho agents get`
#[derive(Args, Debug)]
pub struct Get {
    /// The agent's id
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub from: Folder,
}

/// `tacho agents search`
#[derive(Args, Debug)]
pub struct Search {
    /// Words, in any order
    #[arg(value_name = "WORDS", required = true)]
    pub words: Vec<String>,
    #[command(flatten)]
    pub from: Folder,
    /// Print at most N agents
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,
}

/// `tacho agents benchmark`
#[derive(Args, Debug)]
pub struct Benchmark {
    #[command(flatten)]
    pub from: Folder,
}
