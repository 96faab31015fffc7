//! What a setting is: its key, what its value may be, how its variables are read.

use super::list::SETTINGS;

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
    OtlpGrpcPort,
    OtlpHttpPort,
    StatsdPort,
    AllowedHosts,
    RequireToken,
    Token,
    TlsCert,
    TlsKeyFile,
    CollectSystem,
    CollectProcesses,
    SealAfterBytes,
    SqlTime,
    SqlMemory,
    SqlResult,
    SqlQueries,
    AlertChannels,
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
    /// One that holds secrets, and is shown without them.
    SecretBlock,
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
#[derive(Clone, Copy, Debug)]
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

impl Key {
    /// Whether only programs that embed the recorder use the setting, and read
    /// it from their own environment.
    pub fn is_for_embedding(self) -> bool {
        matches!(self, Self::WindowSize | Self::SamplingRate)
    }

    /// Whether it says what is alerted of, and who is told.
    pub fn is_for_alerts(self) -> bool {
        matches!(
            self,
            Self::EnableAlerts
                | Self::AlertEmail
                | Self::AlertWebhook
                | Self::AlertRules
                | Self::AlertChannels
        )
    }

    /// Whether only `tacho start` uses the setting.
    pub fn is_for_serving(self) -> bool {
        matches!(
            self,
            Self::JsonEnabled
                | Self::JsonPort
                | Self::PrometheusEnabled
                | Self::PrometheusPort
                | Self::EnableDashboard
                | Self::DashboardHost
                | Self::DashboardPort
                | Self::CollectionIntervals
                | Self::EnableAlerts
                | Self::AlertEmail
                | Self::AlertWebhook
                | Self::AlertRules
                | Self::AlertChannels
                | Self::OtlpGrpcPort
                | Self::SqlQueries
                | Self::OtlpHttpPort
                | Self::StatsdPort
                | Self::AllowedHosts
                | Self::RequireToken
                | Self::Token
                | Self::TlsCert
                | Self::TlsKeyFile
                | Self::CollectSystem
                | Self::CollectProcesses
                | Self::SealAfterBytes
        )
    }

    /// Returns the setting's entry in the table.
    pub fn def(self) -> &'static Def {
        &SETTINGS[self as usize]
    }
}
