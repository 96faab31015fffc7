//! A view per kind of event, with the fields named as in the log.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::SessionContext;
use tachograph_model::{KINDS, Kind};
use tachograph_store::{EVENT_TYPE, EXTRA, TIMESTAMP};

/// Names whose plural is not made by an `s`, or that are other words.
const IRREGULAR: [(&str, &str); 8] = [
    ("agent_discovery", "agent_discoveries"),
    ("query", "queries"),
    ("performance", "performance"),
    ("system_info", "system_info"),
    ("cache", "cache_events"),
    ("anomaly", "anomalies"),
    ("loss", "losses"),
    ("agent_usage", "agent_usage"),
];

/// The name of a kind's view.
pub(super) fn name_of(kind: &Kind) -> String {
    match IRREGULAR.iter().find(|(name, _)| *name == kind.name) {
        Some((_, view)) => (*view).to_owned(),
        None => format!("{}s", kind.name),
    }
}

/// Registers the views that `query` may name.
pub(super) async fn register(session: &SessionContext, query: &str) -> Result<()> {
    let query = query.to_lowercase();
    let all = ["information_schema", "show", "describe", "desc"]
        .iter()
        .any(|word| query.contains(word));
    for kind in KINDS {
        let name = name_of(kind);
        if all || query.contains(&name) {
            let filter = ident(EVENT_TYPE).eq(lit(kind.name));
            let fields = kind.fields.iter().map(|field| {
                let column = ident(field.column.name());
                let value = if field.scale == 1.0 {
                    column
                } else {
                    column / lit(field.scale)
                };
                value.alias(field.key)
            });
            add(session, &name, filter, fields).await?;
        }
    }
    if all || query.contains("sessions") {
        let filter = ident(EVENT_TYPE)
            .eq(lit("session_start"))
            .or(ident(EVENT_TYPE).eq(lit("session_end")));
        let fields = [
            ident(EVENT_TYPE),
            ident("name").alias("session_type"),
            ident("duration_ms"),
            ident("tokens"),
            ident("count").alias("agents_loaded"),
            ident("session_id"),
        ];
        add(session, "sessions", filter, fields).await?;
    }
    Ok(())
}

async fn add(
    session: &SessionContext,
    name: &str,
    filter: Expr,
    fields: impl IntoIterator<Item = Expr>,
) -> Result<()> {
    let mut columns = vec![ident(TIMESTAMP)];
    columns.extend(fields);
    columns.push(ident(EXTRA));
    let view = session
        .table("events")
        .await?
        .filter(filter)?
        .select(columns)?
        .into_view();
    session.register_table(name, Arc::clone(&view))?;
    Ok(())
}
