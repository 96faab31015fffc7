//! What each recording call writes to the log.

use std::time::Duration;

use serde_json::json;
use tachograph::{MetricType, ModelCall, Recorder, Salt, TagValue};

use crate::lab::{Lab, without_time};

const MS: Duration = Duration::from_millis(1);

#[test]
fn tool_calls() {
    let lab = Lab::new();
    let search = lab.recorder.tool("search");
    search.success(MS * 12);
    search.failure(MS * 30, "TimeoutError");
    search.failure_unnamed(Duration::ZERO);
    let r = &lab.recorder;
    r.record_tool_call("fetch", true, Duration::from_nanos(1_500), Some("Ignored"));
    r.record_tool_call("fetch", false, MS, Some("E"));
    let written: Vec<_> = lab.events().iter().map(without_time).collect();
    let call = "tool_call";
    assert_eq!(
        written,
        [
            json!({"event_type": call, "tool": "search", "duration_ms": 12.0, "success": true}),
            json!({"event_type": call, "tool": "search", "duration_ms": 30.0, "success": false, "error_type": "TimeoutError"}),
            json!({"event_type": call, "tool": "search", "duration_ms": 0.0, "success": false}),
            json!({"event_type": call, "tool": "fetch", "duration_ms": 0.0015, "success": true}),
            json!({"event_type": call, "tool": "fetch", "duration_ms": 1.0, "success": false, "error_type": "E"}),
        ]
    );
}

#[test]
fn caches() {
    let lab = Lab::new();
    let pages = lab.recorder.cache("pages").source("disk");
    pages.hit();
    pages.miss_in(MS);
    pages.eviction_of(512);
    lab.recorder.record_cache_size_rejection("pages");
    let written: Vec<_> = lab.of("cache").iter().map(without_time).collect();
    assert_eq!(
        written,
        [
            json!({"event_type": "cache", "cache": "pages", "operation": "hit", "hit": true, "source": "disk"}),
            json!({"event_type": "cache", "cache": "pages", "operation": "miss", "hit": false, "duration_ms": 1.0, "source": "disk"}),
            json!({"event_type": "cache", "cache": "pages", "operation": "eviction", "size_bytes": 512, "source": "disk"}),
            json!({"event_type": "cache", "cache": "pages", "operation": "size_rejection"}),
        ]
    );
}

#[test]
fn model_calls() {
    let lab = Lab::new();
    let model = lab.recorder.model("anthropic", "claude-x");
    model.call(ModelCall {
        duration: MS * 900,
        input_tokens: 1_200,
        output_tokens: 300,
        cache_read_tokens: 1_000,
        cache_write_tokens: 100,
        reasoning_tokens: 40,
        cost_usd: Some(0.0081),
        error_type: None,
    });
    model.call(ModelCall {
        error_type: Some("RateLimitError"),
        cost_usd: Some(f64::NAN),
        ..ModelCall::default()
    });
    model.call(ModelCall {
        cost_usd: Some(-0.5),
        ..ModelCall::default()
    });
    let written: Vec<_> = lab.of("llm_call").iter().map(without_time).collect();
    assert_eq!(
        written,
        [
            json!({"event_type": "llm_call", "provider": "anthropic", "model": "claude-x", "duration_ms": 900.0, "success": true, "input_tokens": 1200, "output_tokens": 300, "cache_read_tokens": 1000, "cache_write_tokens": 100, "reasoning_tokens": 40, "cost_usd": 0.0081}),
            json!({"event_type": "llm_call", "provider": "anthropic", "model": "claude-x", "duration_ms": 0.0, "success": false, "error_type": "RateLimitError", "input_tokens": 0, "output_tokens": 0}),
            json!({"event_type": "llm_call", "provider": "anthropic", "model": "claude-x", "duration_ms": 0.0, "success": true, "input_tokens": 0, "output_tokens": 0}),
        ]
    );
    let losses = lab.recorder.losses();
    assert_eq!(losses.len(), 1);
    assert_eq!(
        (losses[0].kind, losses[0].reason, losses[0].count),
        ("llm_call", "invalid", 2)
    );
}

#[test]
fn metrics_with_tags() {
    let lab = Lab::new();
    let depth = lab
        .recorder
        .metric("scheduler", "depth", MetricType::Gauge)
        .unit("1")
        .tag("queue", "high")
        .tag("shard", 3_i64);
    depth.record(17.5);
    depth.record(f64::INFINITY);
    assert_eq!(
        lab.one("metric"),
        json!({"event_type": "metric", "source": "scheduler", "name": "depth", "type": "gauge", "value": 17.5, "unit": "1", "tags": {"queue": "high", "shard": 3}})
    );
    // What was dropped is told in the log, once.
    let loss = lab.one("loss");
    assert_eq!(
        loss,
        json!({"event_type": "loss", "kind": "metric", "reason": "invalid", "count": 1})
    );
    assert_eq!(lab.of("loss").len(), 1);
}

#[test]
fn tags_that_tell_who_or_what_are_hashed_or_left_out() {
    let lab = Lab::new();
    let tags = [
        ("region", TagValue::Text("eu")),
        ("user.email", "Lovelace".into()),
        ("userId", 4_711_i64.into()),
        ("file_path", "Lovelace".into()),
        ("prompt", "Lovelace".into()),
    ];
    lab.recorder.record_performance("rss", 1.0, "By", &tags);
    let metric = lab.recorder.metric("s", "m", MetricType::Counter);
    let metric = tags
        .iter()
        .fold(metric, |metric, (key, value)| metric.tag(key, *value));
    metric.record(1.0);
    for kind in ["performance", "metric"] {
        let tags = &lab.one(kind)["tags"];
        let keys: Vec<_> = tags.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["region", "user.email", "userId"], "{tags}");
        let text = tags.to_string();
        assert!(
            !text.contains("Lovelace") && !text.contains("4711"),
            "{text}"
        );
        assert_eq!(tags["region"], "eu");
    }
    let open = Lab::with(|builder| builder.keep_text(true));
    open.recorder.record_performance("rss", 1.0, "By", &tags);
    let kept = &open.one("performance")["tags"];
    assert_eq!(
        (&kept["user.email"], &kept["userId"]),
        (&json!("Lovelace"), &json!(4711))
    );
}

#[test]
fn system_levels_are_metrics_and_live() {
    let lab = Lab::new();
    lab.recorder.set_active_sessions(5);
    lab.recorder.set_concurrent_requests(3);
    let written = lab.of("metric");
    assert_eq!(written[0]["source"], "system");
    assert_eq!(
        (&written[0]["name"], &written[0]["value"]),
        (&json!("active_sessions"), &json!(5.0))
    );
    assert_eq!(
        (&written[1]["name"], &written[1]["value"]),
        (&json!("concurrent_requests"), &json!(3.0))
    );
    let system = &lab.recorder.all_metrics()["system_metrics"];
    assert_eq!(
        (&system["active_sessions"], &system["concurrent_requests"]),
        (&json!(5), &json!(3))
    );
}

#[test]
fn the_first_seed_s_events_have_its_fields() {
    let salt = Salt::new([7; 32]);
    let lab = Lab::with(|builder| builder.salt(salt.clone()));
    let r = &lab.recorder;
    r.record_agent_discovery("get_agent", Duration::from_micros(80), true, 1);
    r.record_agent_load("01-core-api-designer", MS * 2, 1_800, 450);
    r.record_session_start("interactive", 1_500);
    r.record_session_end(Duration::from_millis(2_500), 900, 2);
    r.record_cache_operation("put", 12, 87.5, 1);
    let written: Vec<_> = lab.events().iter().map(without_time).collect();
    assert_eq!(
        written,
        [
            json!({"event_type": "agent_discovery", "operation": "get_agent", "duration_ms": 0.08, "cache_hit": true, "agent_count": 1}),
            json!({"event_type": "agent_load", "agent_id_hash": salt.hash("01-core-api-designer"), "load_time_ms": 2.0, "content_size_bytes": 1800, "estimated_tokens": 450}),
            json!({"event_type": "session_start", "session_type": "interactive", "initial_tokens": 1500}),
            json!({"event_type": "session_end", "session_duration_seconds": 2.5, "total_tokens_loaded": 900, "agents_loaded": 2}),
            json!({"event_type": "cache_operation", "operation": "put", "cache_size": 12, "hit_rate": 87.5, "evictions": 1}),
        ]
    );
}

#[test]
fn the_first_seed_s_hash_is_to_be_had() {
    let lab = Lab::with(|builder| builder.legacy_agent_hash(true));
    lab.recorder
        .record_agent_load("01-core-api-designer", MS, 1, 1);
    assert_eq!(lab.one("agent_load")["agent_id_hash"], "f2f2cbc2");
}

#[test]
fn a_home_s_salt_is_kept() {
    let lab = Lab::new();
    lab.recorder.record_agent_load("ada", MS, 1, 1);
    let first = lab.one("agent_load")["agent_id_hash"].clone();
    let again = Recorder::builder().home(lab.home()).build();
    again.record_agent_load("ada", MS, 1, 1);
    again.shutdown(crate::lab::PATIENCE);
    let loads = lab.of("agent_load");
    assert_eq!(loads.len(), 2);
    assert_eq!(loads[1]["agent_id_hash"], first);
}

#[test]
fn sessions_span_their_calls() {
    let lab = Lab::new();
    let session = lab.recorder.session("interactive", 1_500);
    session.add_agent_load(450);
    session.add_agent_load(50);
    lab.recorder.tool("search").in_session(&session).success(MS);
    let id = session.id();
    session.end();
    assert_eq!(lab.one("session_start")["session_id"], id);
    assert_eq!(lab.one("tool_call")["session_id"], id);
    let end = lab.one("session_end");
    assert_eq!(end["session_id"], id);
    assert_eq!(
        (&end["total_tokens_loaded"], &end["agents_loaded"]),
        (&json!(500), &json!(2))
    );
    assert!(end["session_duration_seconds"].as_f64().expect("a number") < 20.0);
}

#[test]
fn a_session_s_identity_is_hashed() {
    let lab = Lab::new();
    let one = lab.recorder.session_of("ada@example.org", "chat", 0);
    let two = lab.recorder.session_of("ada@example.org", "chat", 0);
    assert_eq!(one.id(), two.id());
    drop((one, two));
    for event in lab.events() {
        assert!(!event.to_string().contains("ada"), "{event}");
    }
}

#[test]
fn the_host_itself() {
    let lab = Lab::new();
    let r = &lab.recorder;
    r.record_performance("rss", 12.5, "MB", &[("zone", TagValue::Text("a"))]);
    r.record_error(
        "IoError",
        "loader",
        Some("/home/Lovelace/secret.txt: denied"),
    );
    r.record_profile("planner", "expand", MS * 5, MS * 4, 4_096, 3);
    r.record_system_info();
    r.record_agent_usage(
        "ada's agent",
        "get",
        &[
            ("retry_count", 3_i64.into()),
            ("success", true.into()),
            ("result_count", "Lovelace".into()),
            ("seen by Lovelace", 1_i64.into()),
        ],
    );
    assert_eq!(
        lab.one("performance"),
        json!({"event_type": "performance", "metric_name": "rss", "value": 12.5, "unit": "MB", "tags": {"zone": "a"}})
    );
    assert_eq!(
        lab.one("error"),
        json!({"event_type": "error", "error_type": "IoError", "source": "loader"})
    );
    assert_eq!(
        lab.one("profile"),
        json!({"event_type": "profile", "component": "planner", "operation": "expand", "duration_ms": 5.0, "cpu_time_ms": 4.0, "memory_peak_bytes": 4096, "call_count": 3})
    );
    assert_eq!(lab.one("system_info")["platform"], std::env::consts::OS);
    assert_eq!(
        lab.one("agent_usage")["metadata"],
        json!({"retry_count": 3, "success": true})
    );
    for event in lab.events() {
        assert!(!event.to_string().contains("Lovelace"), "{event}");
    }
}

#[test]
fn text_is_kept_when_asked_for() {
    let lab = Lab::with(|builder| builder.keep_text(true));
    lab.recorder
        .record_error("IoError", "loader", Some("no such page"));
    lab.recorder.query("simple").text("how many bills?");
    assert_eq!(lab.one("error")["error_message"], "no such page");
    assert_eq!(lab.one("query")["query_text"], "how many bills?");
}

#[test]
fn a_disabled_recorder_writes_nothing_and_answers_everything() {
    let lab = Lab::with(|builder| builder.enabled(false));
    let r = &lab.recorder;
    let tool = r.tool("search");
    assert_eq!(tool.try_time(|| "7".parse::<u8>()), Ok(7));
    r.cache("c").hit();
    r.metric("s", "m", MetricType::Counter)
        .tag("k", "v")
        .record(1.0);
    let query = r.query("simple");
    query.tool_call_named("search");
    assert_eq!(query.id(), "");
    query.finish_ok(1);
    let id = r.start_query("text", "simple");
    assert!(!r.finish_query(id, true, None, 0));
    r.span("plan").ok();
    r.session("chat", 0).end();
    let metrics = r.all_metrics();
    assert_eq!(metrics["enabled"], false);
    assert_eq!(metrics["tool_metrics"], json!({}));
    assert!(r.flush(MS) && r.shutdown(MS));
    assert!(!lab.home().exists());
}

#[test]
fn parts_can_be_switched_off() {
    let lab = Lab::with(|builder| builder.tool_metrics(false).query_metrics(false));
    let r = &lab.recorder;
    r.tool("t").success(MS);
    r.record_tool_call("t", true, MS, None);
    r.record_cache_hit("c");
    r.set_active_sessions(1);
    r.query("simple").finish_ok(1);
    r.record_agent_discovery("search", MS, false, 3);
    assert_eq!(r.all_metrics()["enabled"], false);
    let events = lab.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["event_type"], "agent_discovery");
}
