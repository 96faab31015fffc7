//! `tacho doctor`: looks at everything in the home, and mends it.

use std::time::Duration;

use serde_json::json;
use tachograph_log::Home;
use tachograph_store::{Finding, RepairReport, Severity, Store};

use crate::args::Format;
use crate::args::keep::Doctor;
use crate::context::{Context, Place};
use crate::exit::{Exit, Result};
use crate::out::{self, Style};

/// Another process that seals is waited for so long.
const WAIT: Duration = Duration::from_secs(60);

/// Runs the command.
///
/// # Errors
/// When the home cannot be listed or, to mend it, not be written.
pub fn run(args: &Doctor, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let busy = ctx.busy("looking for damage");
    let repaired = match args.repair {
        true => Some(Store::open(&Home::at(ctx.home()?)).repair(WAIT)?),
        false => None,
    };
    let home = Home::at(ctx.folder());
    let store = match ctx.place {
        Place::Home(_) => Store::open(&home),
        Place::Foreign(_) => Store::open_readonly(&home),
    };
    let findings = store.doctor()?;
    drop(busy);
    let text = match form {
        Format::Json => to_json(&findings, repaired.as_ref())?,
        _ => to_text(&findings, repaired.as_ref(), ctx),
    };
    out::print(&text)?;
    let bad = findings
        .iter()
        .any(|finding| finding.severity > Severity::Info);
    Ok(if bad { Exit::Findings } else { Exit::Ok })
}

fn to_text(findings: &[Finding], repaired: Option<&RepairReport>, ctx: &Context) -> String {
    let mut text = String::new();
    if let Some(report) = repaired {
        for (path, events) in &report.quarantined {
            text += &format!("set aside: {} ({events} events)\n", path.display());
        }
        for (path, events) in &report.missing {
            text += &format!(
                "forgotten, for it is missing: {} ({events} events)\n",
                path.display()
            );
        }
        for path in &report.closed {
            text += &format!("closed to others: {}\n", path.display());
        }
        if report.rollups > 0 {
            text += &format!("made again: rollups of {} segments\n", report.rollups);
        }
        if report.manifest {
            text += "made again: manifest.json\n";
        }
    }
    for finding in findings {
        let style = match finding.severity {
            Severity::Info => Style::Dim,
            Severity::Warning => Style::Magenta,
            Severity::Error => Style::Red,
        };
        let name = ctx.look.paint(style, name(finding.severity));
        text += &format!(
            "{name}: {}: {}\n  way out: {}\n",
            finding.path.display(),
            finding.what,
            finding.way_out
        );
    }
    if findings.is_empty() {
        text += &format!(
            "{}: {} is sound\n",
            ctx.look.paint(Style::Green, "ok"),
            ctx.folder().display()
        );
    }
    text
}

fn to_json(findings: &[Finding], repaired: Option<&RepairReport>) -> Result<String> {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({"severity": name(finding.severity), "path": finding.path, "what": finding.what, "way_out": finding.way_out})
        })
        .collect();
    let repaired = repaired.map(|report| {
        json!({"quarantined": report.quarantined, "missing": report.missing, "rollups": report.rollups,
            "manifest": report.manifest, "closed": report.closed})
    });
    let all = json!({"findings": findings, "repaired": repaired});
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
