//! `/api/v1/<question>` and SQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tachograph_model::Question;
use tachograph_serve::Config;

use super::engine::{Engine, HOSTILE, door};
use crate::common::{Door, config, get, post};

fn open() -> Door {
    door(config(), Arc::default())
}

/// The status of `GET path`, and what the members of the answer say.
#[track_caller]
fn check(door: &Door, path: &str, status: u16, members: &[(&str, Json)]) {
    let reply = get(door.addresses().dashboard, path, &[]);
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    let json = reply.json();
    for (pointer, value) in members {
        assert_eq!(
            json.pointer(pointer),
            Some(value),
            "{path} {pointer}: {json}"
        );
    }
    if status >= 400 {
        let form = reply.header("content-type");
        assert_eq!(form, Some("application/problem+json"), "{path}");
        assert_eq!(json["status"], status, "{path}");
    }
}

#[test]
fn every_question_is_answered() {
    let door = open();
    for name in Question::NAMES {
        let path = format!("/api/v1/{name}");
        match *name {
            // It needs a statement.
            "sql" => check(&door, &path, 400, &[("/parameter", "query".into())]),
            // These the engine fails at.
            "errors" => check(
                &door,
                &path,
                500,
                &[("/title", "the events cannot be read".into())],
            ),
            "sessions" => check(&door, &path, 500, &[("/title", "something broke".into())]),
            _ => check(&door, &path, 200, &[]),
        }
    }
    let said = "cannot read the events: reading a segment: the disk is on fire";
    check(&door, "/api/v1/errors", 500, &[("/detail", said.into())]);
    check(
        &door,
        "/api/v1/tools",
        200,
        &[
            ("/tools/tools/0/name", "search".into()),
            ("/tools/tools/1/name", HOSTILE.into()),
            ("/tools/tools/0/calls/failed", 1.into()),
            ("/about/events", 3.into()),
            ("/notes/0/text", "one line holds no event".into()),
        ],
    );
    check(&door, "/api/v1/health", 200, &[("/missed", false.into())]);
    let path = "/api/v1/timeline?kind=tool_call&name=grep&source=a%20b&buckets=500&hours=1";
    let asked = [
        ("/timeline/kind", "tool_call".into()),
        ("/timeline/name", "grep".into()),
        ("/timeline/source", "a b".into()),
        ("/timeline/bucket_seconds", 500.into()),
        ("/about/events", 3.into()),
        ("/notes/0/text", "one line holds no event".into()),
    ];
    check(&door, path, 200, &asked);
    let unasked = [
        ("/timeline/kind", Json::Null),
        ("/timeline/bucket_seconds", 120.into()),
    ];
    check(&door, "/api/v1/timeline", 200, &unasked);
    check(&door, "/api/v1/stats", 200, &[]);
    let one = [("/agent", "crewai".into()), ("/total_queries", 0.into())];
    check(&door, "/api/v1/stats?agent=crewai", 200, &one);
    check(
        &door,
        "/api/v1/report?section=tools,models",
        200,
        &[("/tools/tools", json!([]))],
    );
    check(
        &door,
        "/api/v1/report?days=30",
        200,
        &[("/report_period_days", 30.into())],
    );
    check(
        &door,
        "/api/v1/report?hours=12",
        200,
        &[("/report_period_days", 0.5.into())],
    );
    let path = "/api/v1/report?since=2025-11-01&until=2025-11-03&exact&as_of=2025-12-01";
    let report = [
        ("/report_period_days", 2.into()),
        ("/generated_at", "2025-12-01T00:00:00+00:00".into()),
    ];
    check(&door, path, 200, &report);
    let storage = [("/total_events", 40.into()), ("/file_count", 2.into())];
    check(&door, "/api/v1/storage", 200, &storage);
}

#[test]
fn a_list_has_so_many_rows_and_says_how_many_more_there_are() {
    let door = open();
    let ask = |query: &str| {
        get(
            door.addresses().dashboard,
            &format!("/api/v1/tools{query}"),
            &[],
        )
    };
    for (query, listed) in [("", 2), ("?limit=2", 2), ("?limit=1", 1)] {
        let reply = ask(query);
        let json = reply.json();
        assert_eq!(
            json["tools"]["tools"].as_array().map(Vec::len),
            Some(listed)
        );
        let truncated = (listed < 2).then_some("true");
        assert_eq!(reply.header("tachograph-truncated"), truncated, "{query}");
        let notes = json["notes"].to_string();
        let said = "1 tools are listed, and 1 more are not (`limit`)";
        assert_eq!(notes.contains(said), listed < 2, "{query}: {notes}");
    }
    // As text it says so itself, and of more rows than that.
    assert!(ask("?limit=1&format=text").text().contains("search"));
    for limit in ["0", "10001", "x"] {
        assert_eq!(ask(&format!("?limit={limit}")).status, 400, "{limit}");
    }
}

#[test]
fn what_is_listed_is_there() {
    let door = open();
    let list = get(door.addresses().dashboard, "/api/v1", &[]).json();
    let listed = list["questions"].as_array().expect("a list");
    assert_eq!(listed.len(), Question::NAMES.len() + 2);
    for one in listed {
        let path = one["path"].as_str().expect("a path");
        let status = get(door.addresses().dashboard, path, &[]).status;
        assert_ne!(status, 404, "{path}");
    }
}

/// Whatever a name holds, it is what the engine is asked for.
#[test]
fn one_is_asked_for_by_its_exact_name() {
    let door = open();
    let long = "é".repeat(9_900);
    for name in [
        "search",
        HOSTILE,
        "' OR '1'='1",
        "..",
        "/",
        " ",
        "a\n\0b",
        "\u{202e}\u{1f551}",
        "_other",
        "unknown",
        &long,
    ] {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for (path, texts) in [
            ("agents?name=", json!([name])),
            ("caches?name=", json!([name])),
            ("tools?name=", json!([name])),
            ("session_list?agent=", json!([name])),
            ("models?name=", json!([name, null])),
            ("models?source=", json!([null, name])),
        ] {
            let path = format!("/api/v1/{path}{encoded}");
            let asked = texts.to_string();
            check(&door, &path, 200, &[("/notes/1/text", asked.into())]);
        }
    }
}

#[test]
fn hostile_parameters_are_named() {
    let door = open();
    let day = "/api/v1/tools?days=";
    for value in [
        "0",
        "-1",
        "NaN",
        "inf",
        "1e9",
        "36501",
        "1.5",
        "%00",
        "",
        "'; drop table",
        "٣",
    ] {
        let path = format!("{day}{}", value.replace(' ', "%20"));
        let members = [
            ("/parameter", "days".into()),
            ("/allowed", "a whole number from 1 to 36500".into()),
        ];
        check(&door, &path, 400, &members);
    }
    let bad = |path: &str, members: &[(&str, Json)]| check(&door, path, 400, members);
    bad(
        &format!("{day}{}", "9".repeat(400)),
        &[("/parameter", "days".into())],
    );
    bad("/api/v1/tools?day=1", &[("/near", "days".into())]);
    bad(
        "/api/v1/tools?since=2025-02-30",
        &[("/parameter", "since".into())],
    );
    bad(
        "/api/v1/tools?days=1&hours=1",
        &[("/parameter", "days".into())],
    );
    bad(
        "/api/v1/tools?hours=1&since=2025-01-01",
        &[("/parameter", "hours".into())],
    );
    bad(
        "/api/v1/tools?days=1&days=1",
        &[("/parameter", "days".into())],
    );
    bad(
        "/api/v1/tools?since=2025-01-02&until=2025-01-01",
        &[("/parameter", "since".into())],
    );
    bad(
        "/api/v1/tools?since=9999-01-01",
        &[("/parameter", "since".into())],
    );
    bad(
        "/api/v1/tools?as_of=%F0%28%8C%28",
        &[("/value", "%F0%28%8C%28".into())],
    );
    bad(
        "/api/v1/tools?format=pdf",
        &[("/allowed", json!(["json", "csv", "markdown", "text"]))],
    );
    bad(
        "/api/v1/health?format=csv",
        &[("/allowed", json!(["json", "text"]))],
    );
    bad(
        "/api/v1/stats?agent=a&format=csv",
        &[("/allowed", json!(["json", "text"]))],
    );
    bad("/api/v1/report?section=tool", &[("/near", "tools".into())]);
    bad("/api/v1/storage?days=1", &[("/parameter", "days".into())]);
    bad("/api/v1/stats?agent=%0A", &[("/parameter", "agent".into())]);
    let timeline = "/api/v1/timeline?";
    for buckets in ["0", "801", "-1", "x", ""] {
        let members = [
            ("/parameter", "buckets".into()),
            ("/allowed", "a whole number from 1 to 800".into()),
        ];
        bad(&format!("{timeline}buckets={buckets}"), &members);
    }
    for name in ["kind", "name", "source"] {
        for value in ["", &"x".repeat((16 << 10) + 1)] {
            let path = format!("{timeline}{name}={value}");
            bad(&path, &[("/parameter", name.into())]);
        }
    }
    for (path, name) in [
        ("agents", "name"),
        ("caches", "name"),
        ("models", "name"),
        ("models", "source"),
        ("session_list", "agent"),
        ("tools", "name"),
    ] {
        for value in ["", &"x".repeat((16 << 10) + 1)] {
            let path = format!("/api/v1/{path}?{name}={value}");
            bad(&path, &[("/parameter", name.into())]);
        }
    }
    bad("/api/v1/errors?name=a", &[("/parameter", "name".into())]);
    bad("/api/v1/tools?source=a", &[("/parameter", "source".into())]);
    bad(
        "/api/v1/agents?name=a&name=b",
        &[("/parameter", "name".into())],
    );
    bad(
        &format!("{timeline}limit=1"),
        &[("/parameter", "limit".into())],
    );
    for path in ["/api/v1/trace?limit=0", "/api/v1/session_list?limit=10001"] {
        bad(path, &[("/parameter", "limit".into())]);
    }
    for id in ["", &"x".repeat((16 << 10) + 1)] {
        bad(
            &format!("/api/v1/trace?session={id}"),
            &[("/parameter", "session".into())],
        );
        bad(
            &format!("/api/v1/trace?trace={id}"),
            &[("/parameter", "trace".into())],
        );
    }
    bad("/api/v1/tools?kind=cache", &[("/parameter", "kind".into())]);
    check(
        &door,
        "/api/v1/tool",
        404,
        &[("/near", "/api/v1/tools".into())],
    );
    check(
        &door,
        "/api/v1/tools/",
        404,
        &[("/near", "/api/v1/tools".into())],
    );
    check(&door, "/api/v1/%2e%2e/tools", 404, &[]);
    // The whole of time is no error.
    check(
        &door,
        "/api/v1/tools?since=1700-01-01&until=2261-01-01",
        200,
        &[],
    );
    check(&door, "/api/v1/tools?days=36500&as_of=1700-01-01", 200, &[]);
    // The guard's token may stand in the address.
    check(&door, "/api/v1/tools?token=x", 200, &[]);
}

#[test]
fn an_answer_has_the_form_that_is_asked_for() {
    let door = open();
    let check = |path: &str, accept: Option<&str>, form: &str, holds: &str| {
        let headers: Vec<_> = accept
            .map(|accept| ("accept", accept))
            .into_iter()
            .collect();
        let reply = get(door.addresses().dashboard, path, &headers);
        assert_eq!(reply.status, 200, "{path} {accept:?}: {}", reply.text());
        assert_eq!(
            reply.header("content-type"),
            Some(form),
            "{path} {accept:?}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert!(
            reply.text().contains(holds),
            "{path} {accept:?}: {}",
            reply.text()
        );
    };
    let (csv, json) = ("text/csv; charset=utf-8", "application/json");
    let (markdown, text) = ("text/markdown; charset=utf-8", "text/plain; charset=utf-8");
    let tools = "/api/v1/tools";
    check(tools, None, json, "  \"tools\": {");
    check(tools, Some("text/html,*/*;q=0.8"), json, "  \"tools\": {");
    check(tools, Some("text/csv"), csv, "section,name,metric,value\n");
    check(tools, Some("text/csv"), csv, "'=cmd|'<script>");
    check(tools, Some("text/markdown"), markdown, "\\<script\\>");
    check(tools, Some("text/plain"), text, "search");
    // `format` counts before `Accept`; text commands no terminal.
    check(
        "/api/v1/tools?format=text",
        Some("text/csv"),
        text,
        "\\u{1b}[31m",
    );
    check(
        "/api/v1/report?format=markdown",
        None,
        markdown,
        "# Tachograph Report",
    );
    check(
        "/api/v1/changes?format=csv",
        None,
        csv,
        "section,name,metric,value\n",
    );
    check("/api/v1/health?format=text", None, text, "tacho report");
    check("/api/v1/storage?format=text", None, text, "Segments: 2");
    check("/api/v1/sql?query=select%201", None, json, "\"n\": 1");
    check(
        "/api/v1/sql?query=select%201&format=jsonl",
        None,
        "application/x-ndjson",
        "{\"n\":1,",
    );
    check(
        "/api/v1/sql?query=select%201&format=table",
        None,
        "application/vnd.tachograph.table+json",
        "{\"columns\":[{\"name\":\"n\",\"type\":\"Utf8\",\"numeric\":true},",
    );
    check(
        "/api/v1/sql?query=select+1&format=csv",
        None,
        csv,
        "n,name\n1,'=cmd",
    );
    let none = get(
        door.addresses().dashboard,
        tools,
        &[("accept", "image/png")],
    );
    assert_eq!(none.status, 406);
    assert_eq!(none.json()["allowed"][0], "json");
}

#[test]
fn sql_reads_and_nothing_else() {
    let door = open();
    let address = door.addresses().dashboard;
    let check = |form: &str, body: &[u8], query: &str, status: u16, kind: &str| {
        let path = format!("/api/v1/sql{query}");
        let reply = post(address, &path, &[("content-type", form)], body);
        assert_eq!(reply.status, status, "{}", reply.text());
        if status != 200 {
            let full = format!("urn:tachograph:problem:{kind}");
            assert_eq!(reply.json()["type"], full, "{}", reply.text());
        }
        reply
    };
    let json = "application/json";
    let reply = check(json, br#"{"query":"select 1"}"#, "", 200, "");
    assert_eq!(reply.json(), json!([{"n": 1, "name": HOSTILE}]));
    assert_eq!(reply.header("tachograph-truncated"), None);
    check("application/sql", b"select 1", "", 200, "");
    check(
        "application/json; charset=utf-8",
        br#"{"query":"select 1"}"#,
        "?format=csv",
        200,
        "",
    );
    let few = check(json, br#"{"query":"select many","limit":2}"#, "", 200, "");
    assert_eq!(few.json().as_array().map(Vec::len), Some(2));
    assert_eq!(few.header("tachograph-truncated"), Some("true"));
    check("application/sql", b"select many", "?limit=9", 200, "");
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"query":1}"#,
        r#"{"query":""}"#,
        r#"{"query":"  "}"#,
        r#"{"query":"select 1","qeury":1}"#,
        "\u{feff}{}",
        r#"{"query":"select 1"} x"#,
    ] {
        check(json, body.as_bytes(), "", 400, "bad-body");
    }
    for limit in ["0", "-1", "1.5", "\"5\"", "1e9", "null"] {
        let body = format!(r#"{{"query":"select 1","limit":{limit}}}"#);
        check(json, body.as_bytes(), "", 400, "bad-parameter");
    }
    check(json, b"\xff\xfe", "", 400, "bad-body");
    check("application/sql", b"\xff", "", 400, "bad-body");
    check(
        "application/sql",
        b"select 1",
        "?query=select+1",
        400,
        "unknown-parameter",
    );
    check("application/xml", b"<q/>", "", 415, "unsupported-type");
    check(
        "application/sql",
        b"drop table events",
        "",
        403,
        "forbidden-query",
    );
    check("application/sql", b"selct 1", "", 400, "bad-query");
    let limit = check("application/sql", b"select slow", "", 422, "query-limit");
    assert!(limit.json()["setting"].is_string());
    check("application/sql", &vec![b'x'; 70_000], "", 400, "bad-body");
    check(
        "application/sql",
        &vec![b'x'; 200_000],
        "",
        413,
        "too-large",
    );
    let get = |path: &str| get(address, path, &[]).status;
    assert_eq!(get("/api/v1/sql?query=drop%20table%20x"), 403);
    assert_eq!(get("/api/v1/sql?query=selct"), 400);
    assert_eq!(get("/api/v1/sql?query=%20"), 400);
    assert_eq!(get("/api/v1/sql"), 400);
}

#[test]
fn so_many_questions_at_once_and_no_more() {
    let engine = Arc::new(Engine {
        takes: Duration::from_millis(300),
        ..Engine::default()
    });
    let mut config: Config = config();
    config.limits.questions = 2;
    config.limits.questions_waiting = 3;
    let door = door(config, engine.clone());
    let address = door.addresses().dashboard;
    let replies: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..10)
            .map(|_| scope.spawn(move || get(address, "/api/v1/tools", &[])))
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect()
    });
    let of = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!((of(200), of(429)), (5, 5));
    assert!(engine.most.load(Ordering::SeqCst) <= 2);
    let refused = replies
        .iter()
        .find(|reply| reply.status == 429)
        .expect("one");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // And then there is room again; a wrong question never took any.
    assert_eq!(get(address, "/api/v1/tools?days=x", &[]).status, 400);
    assert_eq!(get(address, "/api/v1/tools", &[]).status, 200);
    assert_eq!(engine.asked.load(Ordering::SeqCst), 6);
}

#[test]
fn no_question_waits_behind_sql_and_a_statement_not_for_long() {
    let engine = Arc::new(Engine::default());
    let mut config: Config = config();
    config.limits.sql_queries = 2;
    let door = door(config, engine.clone());
    let address = door.addresses().dashboard;
    let ended = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                get(address, "/api/v1/sql?query=select%20at%20length", &[]);
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        while engine.asked.load(Ordering::SeqCst) < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        for path in ["/api/v1/tools", "/api/v1/report", "/api/v1/storage"] {
            assert_eq!(get(address, path, &[]).status, 200, "{path}");
        }
        let refused = get(address, "/api/v1/sql?query=select%201", &[]);
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("retry-after"), Some("5"));
        assert_eq!(refused.json()["setting"], "sql_queries");
        assert_eq!(ended.load(Ordering::SeqCst), 0, "nobody waited for them");
        engine.released.store(true, Ordering::SeqCst);
    });
    // And then there is room again.
    let again = get(address, "/api/v1/sql?query=select%201", &[]);
    assert_eq!(again.status, 200);
}
