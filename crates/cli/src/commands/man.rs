//! `tacho man`

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{self, Cli};
use crate::exit::{Exit, Result};
use crate::out;

/// Prints the manual page, or writes one page per command into a folder.
///
/// # Errors
/// When the page cannot be written.
pub fn run(args: &args::keep::Man) -> Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.out else {
        out::print(&page(&command)?)?;
        return Ok(Exit::Ok);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let count = write_pages(&command, "tacho", folder)?;
    out::err(format_args!(
        "{count} pages written to {}",
        folder.display()
    ));
    Ok(Exit::Ok)
}

fn write_pages(command: &Command, name: &str, folder: &Path) -> Result<usize> {
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    let mut count = 1;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        count += write_pages(sub, &format!("{name}-{}", sub.get_name()), folder)?;
    }
    Ok(count)
}

fn page(command: &Command) -> Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
