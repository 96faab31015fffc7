//! What gets in at the door, and what stays out.

use super::*;

fn door(keep_text: bool) -> Admission<Salt> {
    Admission::new(Salt::new([1; 32]), keep_text)
}

fn admit(door: &mut Admission<Salt>, kind: &str, key: &str, json: Json) -> Result<String, String> {
    let kind = Kind::by_name(kind).expect("a kind");
    let field = kind
        .fields
        .iter()
        .find(|field| field.key == key)
        .expect("a field");
    let mut event = Event::new(UnixNanos(0), kind.name);
    door.json(&mut event, kind, field, &json)
        .map_err(|error| error.to_string())?;
    let line = String::from_utf8(event.to_line()).expect("UTF-8");
    let object: Json = serde_json::from_str(&line).expect("JSON");
    Ok(object.get(key).map_or("-".to_owned(), Json::to_string))
}

#[test]
fn what_belongs_in_a_field_gets_in() {
    let mut door = door(false);
    let mut check = |kind, key, json, result: Result<&str, &str>| {
        assert_eq!(
            admit(&mut door, kind, key, json),
            result.map(str::to_owned).map_err(str::to_owned)
        );
    };
    check("tool_call", "tool", "grep".into(), Ok("\"grep\""));
    check("tool_call", "duration_ms", 3.into(), Ok("3.0"));
    check(
        "tool_call",
        "duration_ms",
        (-1).into(),
        Err("duration_ms: -1 is not a number of at least 0"),
    );
    check(
        "tool_call",
        "duration_ms",
        "x".into(),
        Err("duration_ms: \"x\" is not a number of at least 0"),
    );
    check(
        "llm_call",
        "cost_usd",
        (-0.5).into(),
        Err("cost_usd: -0.5 is not a number of at least 0"),
    );
    for (kind, key) in [("agent_discovery", "operation"), ("llm_call", "provider")] {
        check(kind, key, "".into(), Ok("-"));
    }
    check("tool_call", "success", Json::Null, Ok("-"));
    check(
        "tool_call",
        "tool",
        "x".repeat(300).into(),
        Err("tool: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… is not a name of at most 256 bytes"),
    );
    check(
        "session_end",
        "session_duration_seconds",
        1.5.into(),
        Ok("1.5"),
    );
    check("llm_call", "input_tokens", 9.0.into(), Ok("9"));
    check(
        "llm_call",
        "input_tokens",
        9.5.into(),
        Err("input_tokens: 9.5 is not a whole number of at least 0"),
    );
    check(
        "llm_call",
        "input_tokens",
        (-9).into(),
        Err("input_tokens: -9 is not a whole number of at least 0"),
    );
    check("file_count_delta", "delta", (-9).into(), Ok("-9"));
    check("query", "agent_type", "crewai".into(), Ok("\"crewai\""));
    check("query", "query_text", "who am I".into(), Ok("-"));
    check(
        "agent_load",
        "agent_id_hash",
        "f2f2cbc2".into(),
        Ok("\"f2f2cbc2\""),
    );
}

#[test]
fn only_the_form_of_our_hashes_is_trusted() {
    let mut door = door(false);
    door.trust_hashes = true;
    let ours = "\"00112233aabbccdd\"";
    let mut session = |id: &str| admit(&mut door, "tool_call", "session_id", id.into());
    assert_eq!(session("00112233aabbccdd").as_deref(), Ok(ours));
    for other in [
        "deadbeef",
        "00112233AABBCCDD",
        &"ab".repeat(32),
        "0011223344556677889900",
    ] {
        let hashed = session(other).expect("admitted");
        assert!(
            hashed.len() == ours.len() && !hashed.contains(other),
            "{hashed}"
        );
    }
}

#[test]
fn identities_are_hashed_and_texts_stay_out() {
    let mut door = door(false);
    for (kind, key) in [
        ("tool_call", "agent"),
        ("tool_call", "session_id"),
        ("agent_load", "agent_id_hash"),
    ] {
        let shown = admit(&mut door, kind, key, "alice".into()).expect("admitted");
        assert!(
            !shown.contains("alice") && shown.len() == 18,
            "{kind}.{key}: {shown}"
        );
    }
    let tags =
        serde_json::json!({"user": "alice", "region": "eu", "n": 1, "nested": {"a": "alice"}});
    let shown = admit(&mut door, "metric", "tags", tags).expect("admitted");
    assert!(
        !shown.contains("alice") && shown.contains("\"eu\""),
        "{shown}"
    );
    let metadata = serde_json::json!({"retry_count": 2, "path": "/home/alice", "success": "alice"});
    assert_eq!(
        admit(&mut door, "agent_usage", "metadata", metadata),
        Ok("{\"retry_count\":2}".to_owned())
    );
}

#[test]
fn identities_that_are_numbers_are_no_plain_numbers() {
    let mut door = door(false);
    let tags = serde_json::json!({"user_id": 4711, "shard": 4712, "hostName": "alice", "filePath": "alice"});
    let shown = admit(&mut door, "metric", "tags", tags).expect("admitted");
    assert!(
        !shown.contains("4711") && !shown.contains("alice"),
        "{shown}"
    );
    assert!(shown.contains("\"shard\":4712"), "{shown}");
    for (kind, members, kept) in [
        (
            "tool_call",
            "\"session_id\":4711,\"tries\":2",
            "\"session_id\":\"",
        ),
        ("tool_call", "\"user_id\":4711,\"tries\":2", "\"tries\":2"),
        ("error", "\"error_message\":4711,\"tries\":2", "\"tries\":2"),
        ("their own", "\"userId\":4711,\"tries\":2", "\"tries\":2"),
        ("query", "\"agent_type\":4712", "\"agent_type\":4712"),
    ] {
        let line = format!(
            "{{\"timestamp\":\"2025-11-20T11:00:00Z\",\"event_type\":\"{kind}\",{members}}}"
        );
        let event = Event::from_line(line.as_bytes()).expect("an event");
        let admitted = door.event(event).expect("admitted").to_line();
        let admitted = String::from_utf8_lossy(&admitted);
        assert!(
            !admitted.contains("4711") && admitted.contains(kept),
            "{admitted}"
        );
    }
    let long = Event::new(UnixNanos(0), "x".repeat(MAX_NAME_BYTES + 1));
    assert!(
        door.event(long)
            .is_err_and(|error| matches!(error, Refusal::Misfit(_)))
    );
}

#[test]
fn a_message_is_no_class_of_an_error() {
    let mut door = door(false);
    let mut check = |text: &str, kept: &str| {
        let shown = admit(&mut door, "tool_call", "error_type", text.into());
        assert_eq!(shown, Ok(kept.to_owned()), "{text}");
    };
    check("TimeoutError", "\"TimeoutError\"");
    check("openai.RateLimitError", "\"openai.RateLimitError\"");
    check("http_429", "\"http_429\"");
    check("KeyError: alice", "\"KeyError\"");
    check("no such file: /home/alice/notes", "-");
    check("/home/alice/notes", "-");
    assert_eq!(door.texts_left_out, 3);
}

#[test]
fn with_keep_text_texts_are_kept() {
    let mut door = door(true);
    assert_eq!(
        admit(&mut door, "query", "query_text", "who".into()),
        Ok("\"who\"".to_owned())
    );
}

#[test]
fn a_null_is_stored_the_same_by_whichever_way_it_comes() {
    let line = r#"{"timestamp":"2025-11-20T11:00:00+00:00","event_type":"tool_call","tool":"grep","error_type":null}"#;
    let mut door = door(false);
    let whole = door.event(Event::from_line(line.as_bytes()).expect("an event"));
    let kind = Kind::by_name("tool_call").expect("a kind");
    let mut piecewise = Event::new(whole.as_ref().expect("admitted").time, kind.name);
    for (key, json) in raw::members(line).expect("an object") {
        let field = kind.fields.iter().find(|field| field.key == key);
        let field = field.expect("a field");
        door.raw(&mut piecewise, kind, field, &json)
            .expect("admitted");
    }
    assert_eq!(
        String::from_utf8_lossy(&piecewise.to_line()).trim_end(),
        line
    );
    assert_eq!(whole, Ok(piecewise));
}

#[test]
fn who_calls_itself_other_is_told_from_what_is_not_told_apart() {
    for keep_text in [false, true] {
        let mut door = door(keep_text);
        for (kind, key) in [
            ("tool_call", "tool"),
            ("cache", "cache"),
            ("metric", "source"),
        ] {
            for (name, stored) in [("_other", "\"__other\""), ("__other", "\"___other\"")] {
                let admitted = admit(&mut door, kind, key, name.into());
                assert_eq!(admitted, Ok(stored.to_owned()), "{kind}.{key} {keep_text}");
            }
        }
    }
    // A log of ours has what a recorder did not tell apart.
    let mut door = door(false);
    door.trust_hashes = true;
    let line =
        br#"{"timestamp":"2025-11-20T11:00:00+00:00","event_type":"tool_call","tool":"_other"}"#;
    let event = door.event(Event::from_line(line).expect("an event"));
    let event = event.expect("admitted");
    assert_eq!(event.str(Column::Name), Some("_other"));
}

#[test]
fn a_text_in_a_name_s_place_is_hashed() {
    let mut door = door(false);
    for (kind, key) in [
        ("tool_call", "tool"),
        ("tool_call", "trace_id"),
        ("tool_call", "span_id"),
        ("tool_call", "parent_id"),
        ("query", "query_id"),
        ("query", "agent_type"),
        ("query", "entities_detected"),
        ("llm_call", "model"),
        ("llm_call", "provider"),
        ("llm_call", "operation"),
        ("cache", "cache"),
        ("metric", "name"),
        ("metric", "source"),
        ("span", "name"),
    ] {
        for text in [
            "rm -rf /home/SECRET",
            "https://x.y/a?token=SECRET",
            "SECRET@example.org",
            "token=SECRET",
            "/home/SECRET/x y",
        ] {
            let json = match key {
                "entities_detected" => serde_json::json!([text]),
                _ => text.into(),
            };
            let shown = admit(&mut door, kind, key, json).expect("admitted");
            let shown = shown.trim_matches(['[', ']', '"']);
            let hashed = privacy::is_keyed_hash(shown);
            assert!(hashed || shown == "x y", "{kind}.{key} {text}: {shown}");
        }
        let whole = serde_json::json!("grep");
        if key != "entities_detected" {
            assert_eq!(
                admit(&mut door, kind, key, whole),
                Ok("\"grep\"".to_owned())
            );
        }
    }
    let model = admit(&mut door, "llm_call", "model", "/home/SECRET/m.gguf".into());
    assert_eq!(model, Ok("\"m.gguf\"".to_owned()));
    let unit = admit(&mut door, "metric", "unit", "/home/SECRET".into());
    assert_eq!((unit.as_deref(), door.texts_left_out), (Ok("-"), 1));
    door.keep_text = true;
    let kept = admit(&mut door, "tool_call", "tool", "rm -rf /".into());
    assert_eq!(kept, Ok("\"rm -rf /\"".to_owned()));
}
