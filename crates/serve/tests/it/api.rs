//! The API as its clients see it.

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
