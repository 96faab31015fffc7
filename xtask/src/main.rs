//! The chores of the workspace: `cargo xtask test | tidy | bench | codegen | crash | clients | grafana | page | alerts`.
//!
//! ```text
//! test     format, build, every test, lints; what CI runs      (test.rs)
//! tidy     the walls of the architecture; also runs as a test  (tidy/)
//! bench    the speed table, asked beside measured              (bench/)
//! codegen  documents generated from the model                  (codegen.rs)
//! crash    processes killed at random moments: nothing lost     (crash.rs)
//! clients  real clients against a real server; part of `test` (clients.rs)
//! grafana  the dashboards beside Grafana's own types; part of `test` (grafana.rs)
//! page     the page in a browser, and its pictures; part of `test` (page.rs)
//! alerts   mail, webhooks, an Alertmanager are told; part of `test` (alerts.rs)
//! ```

mod alerts;
mod bench;
mod clients;
mod codegen;
mod crash;
mod grafana;
mod node;
mod page;
mod peers;
mod python;
mod server;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of the Tachograph workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format check, build, all tests, lints: all that CI asks for
    Test(test::Options),
    /// Check the walls between the rooms and the habits of the code
    Tidy,
    /// Measure speed and size and print them beside what is asked
    Bench(bench::Options),
    /// Write the documents that are generated from the model
    Codegen(codegen::Options),
    /// Kill recording and sealing processes at random and count what is lost or doubled
    Crash(crash::Options),
    /// Try real clients against the server that the tests have built
    Clients(clients::Options),
    /// Check the dashboards with Grafana's own types
    Grafana,
    /// Look at the page in a browser, or make its pictures
    Page(page::Options),
    /// Try alerts end to end, with the server that the tests have built
    Alerts(alerts::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Tidy => tidy::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Codegen(options) => codegen::run(&options),
        Task::Crash(options) => crash::run(&options),
        Task::Clients(options) => clients::run(&options),
        Task::Grafana => grafana::check(&mut test::Count::default()),
        Task::Page(options) => page::run(&options),
        Task::Alerts(options) => alerts::run(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
