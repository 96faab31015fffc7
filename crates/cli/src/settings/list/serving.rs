//! The server's settings, in the order of [`Key`].

use super::super::table::{Def, Key, Kind, Rule};
use super::{PORT, used};

pub(super) const SERVING: &[Def] = {
    use Kind::{Block, Bool, Int, Secret, SecretBlock, Text};
    use Rule::Strict;
    &[
        used(
            Key::OtlpGrpcPort,
            "otlp_grpc_port",
            &[("TACHOGRAPH_OTLP_GRPC_PORT", Strict)],
            PORT,
            "4317",
            "start: port for OTLP over gRPC; 0: any free one",
        ),
        used(
            Key::OtlpHttpPort,
            "otlp_http_port",
            &[("TACHOGRAPH_OTLP_HTTP_PORT", Strict)],
            PORT,
            "4318",
            "start: port for OTLP over HTTP; 0: any free one",
        ),
        used(
            Key::StatsdPort,
            "statsd_port",
            &[("TACHOGRAPH_STATSD_PORT", Strict)],
            PORT,
            "null",
            "start: port for StatsD over UDP; unset: none",
        ),
        used(
            Key::AllowedHosts,
            "allowed_hosts",
            &[],
            Block,
            "[]",
            "start: names this machine is called by in requests, beside localhost and addresses",
        ),
        used(
            Key::RequireToken,
            "require_token",
            &[],
            Bool,
            "false",
            "start: ask for the token also on loopback",
        ),
        used(
            Key::Token,
            "token",
            &[("TACHOGRAPH_TOKEN", Strict)],
            Secret,
            "null",
            "start: the token to ask for; unset: the file `token` in the home, made when needed",
        ),
        used(
            Key::TlsCert,
            "tls_cert",
            &[("TACHOGRAPH_TLS_CERT", Strict)],
            Text,
            "null",
            "start: certificate chain (PEM) to speak TLS with; unset: none",
        ),
        used(
            Key::TlsKeyFile,
            "tls_key",
            &[("TACHOGRAPH_TLS_KEY", Strict)],
            Text,
            "null",
            "start: its key (PEM)",
        ),
        used(
            Key::CollectSystem,
            "collect_system",
            &[],
            Bool,
            "true",
            "start: measure this machine: processor, memory, disks, network",
        ),
        used(
            Key::CollectProcesses,
            "collect_processes",
            &[],
            Block,
            "[\"claude\",\"codex\",\"gemini\",\"qwen\",\"opencode\",\"copilot\"]",
            "start: names of processes to measure; never their arguments",
        ),
        used(
            Key::SealAfterBytes,
            "seal_after_bytes",
            &[("TACHOGRAPH_SEAL_AFTER_BYTES", Strict)],
            Int(1_048_576, i64::MAX),
            "67108864",
            "start: bytes of log that are sealed although younger than an hour",
        ),
        used(
            Key::SqlTime,
            "sql_time_limit_seconds",
            &[("TACHOGRAPH_SQL_TIME_LIMIT_SECONDS", Strict)],
            Int(1, 86_400),
            "null",
            "how long a query in SQL may run; unset: 30 through the server, else without end",
        ),
        used(
            Key::SqlMemory,
            "sql_memory_bytes",
            &[("TACHOGRAPH_SQL_MEMORY_BYTES", Strict)],
            Int(33_554_432, i64::MAX),
            "null",
            "memory of a query in SQL; unset: 512 MiB through the server, else 1 GiB",
        ),
        used(
            Key::SqlResult,
            "sql_result_bytes",
            &[("TACHOGRAPH_SQL_RESULT_BYTES", Strict)],
            Int(1024, i64::MAX),
            "null",
            "bytes of rows that SQL returns; unset: 64 MiB through the server, else all",
        ),
        used(
            Key::SqlQueries,
            "sql_queries",
            &[("TACHOGRAPH_SQL_QUERIES", Strict)],
            Int(1, 64),
            "4",
            "start: queries in SQL that run at once",
        ),
        used(
            Key::AlertChannels,
            "alert_channels",
            &[],
            SecretBlock,
            "null",
            "start: who is told of alerts, and how, by name",
        ),
    ]
};
