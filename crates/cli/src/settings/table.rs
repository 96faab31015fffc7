//! The table of settings.

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Key {
    Recording,
    ToolMetrics,
    QueryMetrics,
    KeepText,
    SlowQueryMs,
    VerySlowQueryMs,
    ExactLimit,
    RetentionDays,
    RetentionBytes,
    AgentsDir,
    BaselineAgents,
    BaselineTokens,
    TargetListAgentsMs,
    TargetGetAgentMs,
    TargetSearchMs,
    TargetOtherMs,
    TargetOverallMs,
    TargetHitRate,
    TargetSavings,
    Color,
    WindowSize,
    SamplingRate,
    JsonFile,
    CsvFile,
    JsonEnabled,
    JsonPort,
    PrometheusEnabled,
    PrometheusPort,
    TelemetryEnabled,
    TelemetryEndpoint,
    TelemetryTimeout,
    TelemetryBatchSize,
    TelemetryRetryAttempts,
    TelemetryRetryBackoff,
    TelemetrySalt,
    MetricsBufferSize,
    MetricsPersistence,
    EnableDashboard,
    DashboardHost,
    DashboardPort,
    EnableProfiling,
    ProfileCpu,
    ProfileMemory,
    EnableRegressionAnalysis,
    RegressionBaselineDuration,
    RegressionCheckInterval,
    EnableAlerts,
    AlertEmail,
    AlertWebhook,
    EnableAutomatedReports,
    ReportIntervalHours,
    ReportFormats,
    EnableLoadTesting,
    LoadTestScenarios,
    AlertRules,
    AnomalyDetection,
    CollectionIntervals,
    Baselines,
}

/// What a setting's value may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// true or false.
    Bool,
    /// A whole number from, to.
    Int(i64, i64),
    /// A number from, to.
    Float(f64, f64),
    /// Any text.
    Text,
    /// A secret: any text, never printed.
    Secret,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A list or a block, checked by the command that uses it.
    Block,
}

/// How a variable of the environment is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// As the setting's kind says; anything else is an error.
    Strict,
    /// Off if true, 1, yes or on; on if false, 0, no or off.
    OffIfYes,
    /// Off if exactly `0`, else on (the first seed's rule).
    OffIfZero,
    /// On if `true` in any case, else off (the third and fifth seeds' rule).
    OnIfTrue,
    /// On if true, 1, yes or on in any case, else off (the second seed's).
    OnIfYes,
}

/// A setting's entry in the table.
#[derive(Debug)]
pub struct Def {
    /// The setting itself; its number is its place in the table.
    pub key: Key,
    /// Its name in config.yaml.
    pub name: &'static str,
    /// Its other name in config.yaml, from another tool's file.
    pub alias: Option<&'static str>,
    /// Its variables, the strongest first.
    pub env: &'static [(&'static str, Rule)],
    /// What its value may be.
    pub kind: Kind,
    /// Its default, as JSON (a text may go without quotes); `null` when there is none.
    pub default: &'static str,
    /// Whether this version does anything with it.
    pub used: bool,
    /// What it means.
    pub doc: &'static str,
}

const fn used(
    key: Key,
    name: &'static str,
    env: &'static [(&'static str, Rule)],
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Def {
    Def {
        key,
        name,
        alias: None,
        env,
        kind,
        default,
        used: true,
        doc,
    }
}

const fn kept(
    key: Key,
    name: &'static str,
    env: &'static [(&'static str, Rule)],
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Def {
    Def {
        key,
        name,
        alias: None,
        env,
        kind,
        default,
        used: false,
        doc,
    }
}

const PORT: Kind = Kind::Int(0, 65_535);
const MS: Kind = Kind::Float(0.0, 86_400_000.0);
const PERCENT: Kind = Kind::Float(0.0, 100.0);
const SECONDS: Kind = Kind::Int(1, 31_536_000);

/// The table, in the order of [`Key`].
pub static SETTINGS: &[Def] = {
    use Kind::{Block, Bool, Choice, Float, Int, Secret, Text};
    use Rule::{OffIfYes, OffIfZero, OnIfTrue, OnIfYes, Strict};
    &[
        Def {
            key: Key::Recording,
            name: "recording",
            alias: Some("enable_metrics"),
            env: &[
                ("TACHOGRAPH_DISABLED", OffIfYes),
                ("MYCELIUM_TELEMETRY", OffIfZero),
            ],
            kind: Bool,
            default: "true",
            used: true,
            doc: "record at all; any variable that says no is obeyed",
        },
        used(
            Key::ToolMetrics,
            "record_tools",
            &[("PERFORMANCE_METRICS_ENABLED", OnIfTrue)],
            Bool,
            "true",
            "record tool calls and caches",
        ),
        used(
            Key::QueryMetrics,
            "record_queries",
            &[("METRICS_ENABLED", OnIfTrue)],
            Bool,
            "true",
            "record queries and what they used",
        ),
        used(
            Key::KeepText,
            "keep_text",
            &[("TACHOGRAPH_KEEP_TEXT", Strict)],
            Bool,
            "false",
            "keep prompts, messages and unknown fields",
        ),
        used(
            Key::SlowQueryMs,
            "slow_query_ms",
            &[("METRICS_SLOW_THRESHOLD_MS", Strict)],
            MS,
            "5000.0",
            "a query above this is slow",
        ),
        used(
            Key::VerySlowQueryMs,
            "very_slow_query_ms",
            &[("METRICS_VERY_SLOW_THRESHOLD_MS", Strict)],
            MS,
            "30000.0",
            "a query above this is very slow",
        ),
        used(
            Key::ExactLimit,
            "exact_limit",
            &[("TACHOGRAPH_EXACT_LIMIT", Strict)],
            Int(0, i64::MAX),
            "5000000",
            "count exactly up to so many events, by sketches beyond",
        ),
        used(
            Key::RetentionDays,
            "retention_days",
            &[("TACHOGRAPH_RETENTION_DAYS", Strict)],
            Int(1, 36_500),
            "null",
            "compact deletes what is older; unset: nothing",
        ),
        used(
            Key::RetentionBytes,
            "retention_bytes",
            &[("TACHOGRAPH_RETENTION_BYTES", Strict)],
            Int(1_048_576, i64::MAX),
            "null",
            "compact deletes the oldest beyond this; unset: nothing",
        ),
        used(
            Key::AgentsDir,
            "agents_dir",
            &[("TACHOGRAPH_AGENTS_DIR", Strict)],
            Text,
            "null",
            "folder of agent definitions; unset: the one indexed last",
        ),
        used(
            Key::BaselineAgents,
            "baseline_agents",
            &[("TACHOGRAPH_BASELINE_AGENTS", Strict)],
            Int(1, 1_000_000),
            "null",
            "agents there are, for token savings; unset: from the index, else 119",
        ),
        used(
            Key::BaselineTokens,
            "baseline_tokens_per_agent",
            &[("TACHOGRAPH_BASELINE_TOKENS", Strict)],
            Int(1, 1_000_000),
            "null",
            "tokens of each; unset: from the index, else 450",
        ),
        used(
            Key::TargetListAgentsMs,
            "target_list_agents_ms",
            &[],
            MS,
            "20.0",
            "health: p95 of listing agents",
        ),
        used(
            Key::TargetGetAgentMs,
            "target_get_agent_ms",
            &[],
            MS,
            "5.0",
            "health: p95 of fetching an agent",
        ),
        used(
            Key::TargetSearchMs,
            "target_search_ms",
            &[],
            MS,
            "10.0",
            "health: p95 of a search",
        ),
        used(
            Key::TargetOtherMs,
            "target_other_ms",
            &[],
            MS,
            "10.0",
            "health: p95 of any other discovery",
        ),
        used(
            Key::TargetOverallMs,
            "target_overall_ms",
            &[],
            MS,
            "10.0",
            "health: p95 of all discoveries",
        ),
        used(
            Key::TargetHitRate,
            "target_cache_hit_rate",
            &[],
            PERCENT,
            "80.0",
            "health: percent of cache look-ups that hit",
        ),
        used(
            Key::TargetSavings,
            "target_token_savings",
            &[],
            PERCENT,
            "40.0",
            "health: percent of the baseline's tokens saved",
        ),
        used(
            Key::Color,
            "color",
            &[("TACHOGRAPH_COLOR", Strict)],
            Choice(&["auto", "always", "never"]),
            "auto",
            "colors and emoji",
        ),
        kept(
            Key::WindowSize,
            "window_size",
            &[("METRICS_WINDOW_SIZE", Strict)],
            Int(1, 1_000_000),
            "1000",
            "latencies per tool that a live window holds",
        ),
        kept(
            Key::SamplingRate,
            "sampling_rate",
            &[("METRICS_SAMPLING_RATE", Strict)],
            Float(0.0, 1.0),
            "1.0",
            "share of queries recorded",
        ),
        kept(
            Key::JsonFile,
            "json_file",
            &[("METRICS_JSON_FILE", Strict)],
            Text,
            "null",
            "query metrics file of another tool",
        ),
        kept(
            Key::CsvFile,
            "csv_file",
            &[("METRICS_CSV_FILE", Strict)],
            Text,
            "null",
            "query metrics file of another tool",
        ),
        kept(
            Key::JsonEnabled,
            "json_endpoint_enabled",
            &[
                ("METRICS_JSON_ENDPOINT_ENABLED", OnIfTrue),
                ("METRICS_JSON_ENABLED", OnIfTrue),
            ],
            Bool,
            "true",
            "serve metrics as JSON",
        ),
        kept(
            Key::JsonPort,
            "json_port",
            &[("METRICS_JSON_PORT", Strict)],
            PORT,
            "9109",
            "port of the JSON metrics",
        ),
        kept(
            Key::PrometheusEnabled,
            "prometheus_enabled",
            &[("PROMETHEUS_ENABLED", OnIfTrue)],
            Bool,
            "false",
            "serve metrics to Prometheus",
        ),
        kept(
            Key::PrometheusPort,
            "prometheus_port",
            &[("PROMETHEUS_PORT", Strict), ("METRICS_PORT", Strict)],
            PORT,
            "9108",
            "port of the Prometheus metrics",
        ),
        kept(
            Key::TelemetryEnabled,
            "telemetry_enabled",
            &[("TELEMETRY_ENABLED", OnIfYes)],
            Bool,
            "false",
            "send anonymous counts outside; nothing does yet",
        ),
        kept(
            Key::TelemetryEndpoint,
            "telemetry_endpoint",
            &[("TELEMETRY_ENDPOINT", Strict)],
            Text,
            "null",
            "where to",
        ),
        kept(
            Key::TelemetryTimeout,
            "telemetry_timeout",
            &[("TELEMETRY_TIMEOUT", Strict)],
            Int(1, 30),
            "5",
            "seconds",
        ),
        kept(
            Key::TelemetryBatchSize,
            "telemetry_batch_size",
            &[("TELEMETRY_BATCH_SIZE", Strict)],
            Int(1, 1_000),
            "100",
            "events",
        ),
        kept(
            Key::TelemetryRetryAttempts,
            "telemetry_retry_attempts",
            &[("TELEMETRY_RETRY_ATTEMPTS", Strict)],
            Int(0, 10),
            "3",
            "times",
        ),
        kept(
            Key::TelemetryRetryBackoff,
            "telemetry_retry_backoff",
            &[("TELEMETRY_RETRY_BACKOFF", Strict)],
            Float(1.0, 10.0),
            "2.0",
            "factor",
        ),
        kept(
            Key::TelemetrySalt,
            "telemetry_salt",
            &[("TELEMETRY_SALT", Strict)],
            Secret,
            "null",
            "salt of what is sent",
        ),
        kept(
            Key::MetricsBufferSize,
            "metrics_buffer_size",
            &[],
            Int(1, i64::MAX),
            "10000",
            "measurements held in memory",
        ),
        kept(
            Key::MetricsPersistence,
            "metrics_persistence",
            &[],
            Bool,
            "true",
            "everything recorded is kept in any case",
        ),
        kept(
            Key::EnableDashboard,
            "enable_dashboard",
            &[],
            Bool,
            "true",
            "serve the dashboard",
        ),
        kept(
            Key::DashboardHost,
            "dashboard_host",
            &[],
            Text,
            "127.0.0.1",
            "address of the dashboard",
        ),
        kept(
            Key::DashboardPort,
            "dashboard_port",
            &[("TACHOGRAPH_PORT", Strict)],
            PORT,
            "8090",
            "port of the dashboard",
        ),
        kept(
            Key::EnableProfiling,
            "enable_profiling",
            &[],
            Bool,
            "true",
            "profile components",
        ),
        kept(
            Key::ProfileCpu,
            "profile_cpu",
            &[],
            Bool,
            "true",
            "profile processor time",
        ),
        kept(
            Key::ProfileMemory,
            "profile_memory",
            &[],
            Bool,
            "true",
            "profile memory",
        ),
        kept(
            Key::EnableRegressionAnalysis,
            "enable_regression_analysis",
            &[],
            Bool,
            "true",
            "compare with the baselines",
        ),
        kept(
            Key::RegressionBaselineDuration,
            "regression_baseline_duration",
            &[],
            SECONDS,
            "300",
            "seconds",
        ),
        kept(
            Key::RegressionCheckInterval,
            "regression_check_interval",
            &[],
            SECONDS,
            "300",
            "seconds",
        ),
        kept(
            Key::EnableAlerts,
            "enable_alerts",
            &[],
            Bool,
            "true",
            "watch the alert rules",
        ),
        kept(
            Key::AlertEmail,
            "alert_email",
            &[],
            Text,
            "null",
            "address for alerts",
        ),
        kept(
            Key::AlertWebhook,
            "alert_webhook",
            &[],
            Secret,
            "null",
            "address for alerts",
        ),
        kept(
            Key::EnableAutomatedReports,
            "enable_automated_reports",
            &[],
            Bool,
            "true",
            "write reports regularly",
        ),
        kept(
            Key::ReportIntervalHours,
            "report_interval_hours",
            &[],
            Float(0.01, 8_760.0),
            "24.0",
            "hours",
        ),
        kept(
            Key::ReportFormats,
            "report_formats",
            &[],
            Block,
            "[\"html\",\"json\",\"markdown\"]",
            "forms of those reports",
        ),
        kept(
            Key::EnableLoadTesting,
            "enable_load_testing",
            &[],
            Bool,
            "false",
            "offer load tests",
        ),
        kept(
            Key::LoadTestScenarios,
            "load_test_scenarios",
            &[],
            Block,
            "null",
            "which",
        ),
        kept(
            Key::AlertRules,
            "alert_rules",
            &[],
            Block,
            "null",
            "rules for alerts",
        ),
        kept(
            Key::AnomalyDetection,
            "anomaly_detection",
            &[],
            Block,
            "null",
            "how anomalies are found",
        ),
        kept(
            Key::CollectionIntervals,
            "collection_intervals",
            &[],
            Block,
            "null",
            "seconds between measurements",
        ),
        kept(
            Key::Baselines,
            "baselines",
            &[],
            Block,
            "null",
            "limits of the architecture",
        ),
    ]
};

impl Key {
    /// Returns the setting's entry in the table.
    pub fn def(self) -> &'static Def {
        &SETTINGS[self as usize]
    }
}
