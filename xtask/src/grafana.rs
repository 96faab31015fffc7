//! `cargo xtask grafana`, a part of `cargo xtask test`: whether the dashboards in
//! `integrations/grafana` are what Grafana's own types (`@grafana/schema`) ask for.
//! What they ask Prometheus is tried by `e2e/clients/grafana.py`.

use std::process::Command;

use anyhow::Result;

use crate::node;
use crate::test::{Count, counted};
use crate::workspace::{on_ci, root};

const DASHBOARDS: [&str; 3] = ["overview", "tools", "models"];

/// Checks them, and adds up what held. Without node or its packages they are left out
/// on a developer's machine, and the run fails on a build server.
pub(crate) fn check(count: &mut Count) -> Result<bool> {
    node::names_no_registry("grafana")?;
    let folder = match node::packages("grafana", &["@grafana/schema", "typescript"]) {
        Ok(folder) => folder,
        Err(error) => {
            println!("no types to check with: {error:#}");
            println!("the dashboards' types are left out");
            return Ok(!on_ci());
        }
    };
    let here = root().join("e2e/grafana");
    std::fs::copy(here.join("shape.ts"), folder.join("shape.ts"))?;
    let mut check = Command::new("node");
    check.arg(here.join("check.mjs")).arg(&folder);
    for name in DASHBOARDS {
        let file = format!("integrations/grafana/{name}.json");
        check.arg(root().join(file));
    }
    counted(&mut check, count)
}
