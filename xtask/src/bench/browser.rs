//! The page as a browser has it: `e2e/page/bench.mjs` measures, in Chromium.

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

use super::Row;
use super::generate::ANCHOR;
use super::lab::Lab;
use crate::page;
use crate::workspace::output;

/// From the start of a process to what is seen.
pub(crate) fn first_paint(lab: &Lab) -> Result<Vec<Row>> {
    measure(lab, "first-paint", &[])
}

/// Bytes of the page.
pub(crate) fn weight(lab: &Lab) -> Result<Vec<Row>> {
    measure(lab, "weight", &[])
}

/// How soon an event that was acknowledged is on the screen.
pub(crate) fn visible(lab: &Lab) -> Result<Vec<Row>> {
    measure(lab, "visible", &[])
}

/// What steady load costs whoever looks at it.
pub(crate) fn live(lab: &Lab) -> Result<Vec<Row>> {
    let seconds = lab.steady().as_secs().to_string();
    measure(lab, "live", &[("TACHOGRAPH_PAGE_SECONDS", &seconds)])
}

/// Views over a month of ten million sealed events.
pub(crate) fn month(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.sealed(10_000_000)?.display().to_string();
    let place = [
        ("TACHOGRAPH_PAGE_HOME", home.as_str()),
        ("TACHOGRAPH_PAGE_END", ANCHOR),
    ];
    measure(lab, "month", &place)
}

fn measure(lab: &Lab, name: &str, env: &[(&str, &str)]) -> Result<Vec<Row>> {
    let mut script = page::script("bench.mjs", lab.tacho())?;
    let lines = output(script.arg(name).envs(env.iter().copied()))?;
    let rows: Vec<Row> = lines.lines().map(row).collect::<Result<_>>()?;
    if rows.is_empty() {
        bail!("bench.mjs {name} measured nothing");
    }
    Ok(rows)
}

fn row(line: &str) -> Result<Row> {
    let said: Json = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let text = |name| said[name].as_str().with_context(|| line.to_owned());
    Ok(Row::new(text("what")?, text("asked")?, text("measured")?))
}
