//! The API as its clients see it.

mod alerts;
mod engine;
mod questions;
mod seed4;
mod socket;
mod stream;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::common::{Door, get, post};

#[test]
fn what_is_not_there_is_a_problem() {
    let door = Door::open();
    let doors = door.addresses();
    for address in [
        doors.dashboard,
        doors.otlp_http,
        doors.json,
        doors.prometheus,
    ] {
        let reply = get(address, "/no/such%20thing?x=1", &[]);
        assert_eq!(reply.status, 404);
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(reply.json()["type"], "urn:tachograph:problem:not-found");
        assert_eq!(reply.json()["path"], "/no/such%20thing");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{name}");
        }
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
        assert_eq!(post(address, "/no/such", &[], b"{}").status, 404);
    }
}

/// The head of what is said to a bare request.
fn head(address: Option<SocketAddr>, method: &str, path: &str) -> String {
    let address = address.expect("this door is open");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.to_ascii_lowercase()
}

#[test]
fn methods_are_those_of_the_route() {
    let door = Door::open();
    let check = |method: &str, path: &str, status: u16, holds: &str| {
        let answer = head(door.addresses().dashboard, method, path);
        assert!(
            answer.starts_with(&format!("http/1.1 {status}")),
            "{method} {path}: {answer}"
        );
        assert!(answer.contains(holds), "{method} {path}: {answer}");
        assert!(
            !answer.contains("access-control"),
            "{method} {path}: {answer}"
        );
        assert!(
            answer.contains("x-content-type-options: nosniff"),
            "{method} {path}: {answer}"
        );
        answer
    };
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let answer = check(method, "/api/v1/tools", 405, "allow: get,head\r\n");
        assert!(
            answer.contains("urn:tachograph:problem:method-not-allowed"),
            "{answer}"
        );
    }
    check("OPTIONS", "/api/v1/sql", 405, "allow: get,head,post\r\n");
    check("OPTIONS", "/api/v1", 405, "allow: get,head\r\n");
    check("DELETE", "/no/such", 404, "problem+json");
    let answer = check("HEAD", "/api/v1", 200, "content-type: application/json");
    assert!(answer.ends_with("\r\n\r\n"), "a HEAD has no body: {answer}");
    check("HEAD", "/api/v1/tools?days=x", 400, "problem+json");
}

#[test]
fn a_head_that_is_too_long_is_refused_and_the_next_one_answered() {
    let door = Door::open();
    let check = |path: &str, status: u16| {
        let answer = head(door.addresses().dashboard, "GET", path);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{head}: {body}");
        assert_eq!(get(door.addresses().dashboard, "/health", &[]).status, 200);
    };
    let named = |name: &str| {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("/api/v1/tools?name={encoded}")
    };
    // Of the longest that is taken the engine hears; there is none here.
    check(&named(&"€".repeat(7_000)), 500);
    check(&named(&"€".repeat(8_000)), 414);
    check(&named(&"😀".repeat(16_384)), 431);
    check("/ HTTP/9.9\r\nx: ", 400);
}

#[test]
fn the_document_describes_what_is_there() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let document = get(address, "/api/v1/openapi.json", &[]).json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    for name in tachograph_model::Question::NAMES {
        assert!(paths.contains_key(&format!("/api/v1/{name}")), "{name}");
    }
    // A rule that there is can be removed.
    let rule =
        r#"{"name":"kept","metric_name":"m","source":"s","condition":"avg > 1","threshold":1}"#;
    let json = [("content-type", "application/json")];
    assert_eq!(
        post(address, "/api/alerts/rules", &json, rule.as_bytes()).status,
        200
    );
    let mut ids = std::collections::HashSet::new();
    for (path, item) in paths {
        let path = path.replace("{source}", "agent").replace("{metric}", "m");
        let path = path.replace("{format}", "json").replace("{name}", "kept");
        for (method, operation) in item.as_object().expect("operations") {
            let answer = head(address, &method.to_uppercase(), &path);
            // A thing that is not there is another matter than a path that is not.
            let nothing = answer.contains("nothing is served at");
            assert!(
                !nothing && answer.get(9..12) != Some("405"),
                "{method} {path}: {answer}"
            );
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            assert!(ids.insert(id), "{method} {path}: its id is taken");
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
