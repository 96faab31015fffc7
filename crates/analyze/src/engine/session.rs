//! A DataFusion session over one snapshot: the tables, a limit on memory, no
//! way to the disk.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tachograph_model::Window;
use tachograph_store::Snapshot;

use super::breaks::Breaks;
use super::config::EngineConfig;
use super::events::Events;
use super::rollups::Rollups;
use super::watch::Watch;
use super::{bounded, views};

/// Builds the session; `query` says which views are worth making.
pub(super) async fn session(
    snapshot: &Arc<Snapshot>,
    config: &EngineConfig,
    watch: &Watch,
    query: &str,
) -> Result<(SessionContext, Events)> {
    let threads = config.threads.max(1);
    let mut settings = SessionConfig::new()
        .with_target_partitions(threads)
        .with_information_schema(true)
        .with_default_catalog_and_schema("tachograph", "public");
    settings.options_mut().execution.time_zone = Some("UTC".to_owned());
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(config.sql_memory_bytes, 1.0)
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(settings)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rule(Arc::new(Breaks(watch.clone())))
        .build();
    let session = SessionContext::new_with_state(state);
    let events = Events::of(snapshot, Window::ALL, threads)?;
    events.open_to(&session.runtime_env())?;
    session.register_table("events", Arc::new(events.clone()))?;
    session.register_table("rollups", Arc::new(Rollups::of(snapshot.clone())))?;
    bounded::register(&session, watch)?;
    views::register(&session, query).await?;
    Ok((session, events))
}
