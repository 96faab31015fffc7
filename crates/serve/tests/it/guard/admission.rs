//! Who is let in: by the name that is asked for, the page that asks, the token.

use tachograph_serve::config::Config;

use super::{doors, request, say, status};
use crate::common::{Door, config};

#[test]
fn a_name_that_was_made_to_point_here_is_not_answered_to() {
    let door = Door::with(Config {
        allowed_hosts: vec!["build-box".to_owned()],
        ..config()
    });
    for address in doors(&door) {
        let host = |name: &str| {
            let line = format!("host: {name}");
            let answer = say(address, &request("GET", "/health", &[&line], ""));
            (status(&answer), answer)
        };
        for name in ["evil.example", "evil.example:80", "localhost.evil.example"] {
            let (code, answer) = host(name);
            assert_eq!(code, 403, "{address} {name}: {answer}");
            assert!(answer.contains("allowed_hosts"), "the way out: {answer}");
            assert!(answer.contains("nosniff"), "{answer}");
        }
        for name in ["localhost", "127.0.0.1:1", "[::1]:8090", "Build-Box:8090"] {
            assert_ne!(host(name).0, 403, "{address} {name}");
        }
        // What a proxy claims counts for nothing.
        let lines = [
            "host: evil.example",
            "x-forwarded-host: localhost",
            "forwarded: host=localhost",
        ];
        assert_eq!(
            status(&say(address, &request("GET", "/health", &lines, ""))),
            403
        );
    }
    let denied = door.running().hub().counters.requests_denied.get();
    assert_eq!(denied, 5 * 4);
}

#[test]
fn a_request_says_once_where_it_goes() {
    let door = Door::open();
    for address in doors(&door) {
        let check = |version: &str, headers: &[&str], is_bad| {
            let ask = request("GET", "/health", headers, "").replace("HTTP/1.1", version);
            let answer = say(address, &ask);
            assert_eq!(
                status(&answer) == 400,
                is_bad,
                "{version} {headers:?}: {answer}"
            );
        };
        check("HTTP/1.1", &["host: localhost"], false);
        check("HTTP/1.1", &[], true);
        check("HTTP/1.1", &["host: localhost", "host: localhost"], true);
        check("HTTP/1.0", &[], false);
    }
}

#[test]
fn another_site_s_page_can_neither_send_nor_listen() {
    let door = Door::open();
    let event = r#"{"event_type":"tool_call","tool":"x"}"#;
    for address in doors(&door) {
        let own = format!("origin: http://{address}");
        let host = format!("host: {address}");
        for kind in [
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded",
        ] {
            let kind = format!("content-type: {kind}");
            let sent = |extra: &[&str]| {
                let lines = [&[host.as_str(), kind.as_str()], extra].concat();
                let answer = say(address, &request("POST", "/api/v1/events", &lines, event));
                assert!(
                    !answer.to_ascii_lowercase().contains("access-control"),
                    "{answer}"
                );
                status(&answer)
            };
            for foreign in [
                "http://evil.example",
                "null",
                "http://127.0.0.1:1",
                "http://localhost",
            ] {
                assert_eq!(
                    sent(&[&format!("origin: {foreign}")]),
                    403,
                    "{kind} {foreign}"
                );
            }
            assert_eq!(sent(&["sec-fetch-site: cross-site"]), 403, "{kind}");
            assert_ne!(sent(&[&own]), 403, "{kind}");
            assert_ne!(sent(&[]), 403, "{kind}");
        }
        // Neither may its sockets listen.
        let upgrade = [
            host.as_str(),
            "origin: http://evil.example",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        for path in ["/ws", "/"] {
            assert_eq!(
                status(&say(address, &request("GET", path, &upgrade, ""))),
                403,
                "{path}"
            );
        }
        let preflight = [
            host.as_str(),
            "origin: http://evil.example",
            "access-control-request-method: POST",
        ];
        let answer = say(
            address,
            &request("OPTIONS", "/api/v1/events", &preflight, ""),
        );
        assert_eq!(status(&answer), 403);
    }
}

#[test]
fn a_token_is_asked_for_at_every_door() {
    let token = "0123456789abcdef0123456789abcdef";
    let door = Door::with(Config {
        token: Some(token.to_owned()),
        ..config()
    });
    let right = format!("authorization: Bearer {token}");
    let at = door.addresses();
    for address in doors(&door) {
        let ask = |target: &str, lines: &[&str]| {
            let lines = [&["host: localhost"], lines].concat();
            say(address, &request("GET", target, &lines, ""))
        };
        let missing = ask("/metrics", &[]);
        assert_eq!(status(&missing), 401);
        assert!(
            missing
                .to_ascii_lowercase()
                .contains("www-authenticate: bearer"),
            "{missing}"
        );
        assert_eq!(
            status(&ask("/metrics", &["authorization: Bearer wrong"])),
            401
        );
        assert!(![401, 403].contains(&status(&ask("/metrics", &[&right]))));
        // Only pages and sockets, which send no header, have it in the address.
        let in_query = status(&ask(&format!("/metrics?token={token}"), &[]));
        assert_eq!(in_query != 401, Some(address) == at.dashboard, "{in_query}");
        // Who watches over processes has no token.
        assert_ne!(status(&ask("/health", &[])), 401);
        // A token makes no page of another site welcome.
        assert_eq!(
            status(&ask("/metrics", &[&right, "origin: http://evil.example"])),
            403
        );
        // Whoever has it may call the machine what it likes.
        let named = request("GET", "/metrics", &["host: any.example", &right], "");
        assert_ne!(status(&say(address, &named)), 403);
    }
    // Guesses at all doors together, and then no more for a while; who has the
    // token and comes from here is no guesser.
    let address = doors(&door)[0];
    let with = |line: &str| {
        say(
            address,
            &request("GET", "/metrics", &["host: localhost", line], ""),
        )
    };
    let guessed = (0..20)
        .map(|at| status(&with(&format!("authorization: Bearer guess{at}"))))
        .max();
    assert_eq!(guessed, Some(429));
    assert!(![401, 429].contains(&status(&with(&right))));
    let waits = with("authorization: Bearer guess");
    assert_eq!(status(&waits), 429);
    assert!(
        waits.to_ascii_lowercase().contains("retry-after: 60"),
        "{waits}"
    );
}
