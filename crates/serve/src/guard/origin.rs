//! What keeps a page of some other site, opened in a browser on this machine,
//! from talking to us.
//!
//! - **Rebinding**: the other site's name is made to point here, so its page
//!   counts as ours. Such a request carries that name in `Host`; only names and
//!   addresses of this machine are taken.
//! - **Drive-by requests**: the page sends to our address without asking us. A
//!   browser says so, in `Origin` and `Sec-Fetch-Site`; only our own pages may.
//!   There is no way to allow another, and there are no CORS headers.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version, header, uri::Authority};

/// Types that a form may send without asking first.
const FORM_TYPES: [&str; 3] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
];

/// Why a request is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It calls this machine by a name it does not have.
    Host(String),
    /// Another site's page sent it.
    Origin,
}

/// Checks where a request says it goes.
///
/// # Errors
/// [`Foreign::Host`] with the name.
pub fn host(head: &Parts, allowed: &[String]) -> Result<(), Foreign> {
    // HTTP/2 has it in the target, HTTP/1 in a header; whoever sends both, or
    // the header twice, must mean the same machine by all of them.
    let named = head.headers.get_all(header::HOST).iter();
    let named = named.map(|value| value.to_str().unwrap_or("?"));
    let target = head.uri.authority().map(Authority::as_str);
    for authority in target.into_iter().chain(named) {
        if !is_ours(authority, allowed) {
            return Err(Foreign::Host(authority.to_owned()));
        }
    }
    Ok(())
}

/// Whether a request says where it goes, once (RFC 9112, 3.2).
pub fn names_host(head: &Parts) -> bool {
    let hosts = head.headers.get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && head.version != Version::HTTP_11)
}

/// Checks which page sent a request, if a browser did.
///
/// # Errors
/// [`Foreign::Origin`].
pub fn origin(head: &Parts) -> Result<(), Foreign> {
    let headers = &head.headers;
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => {}
        (Some(origin), None) => {
            let same = origin.to_str().is_ok_and(|text| is_same(text, head));
            return if same { Ok(()) } else { Err(Foreign::Origin) };
        }
        _ => return Err(Foreign::Origin),
    }
    match text(headers, "sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        // A link that was followed shows its answer to the user, not to the page.
        Some(_) if reads && is_link(headers) => return Ok(()),
        Some(_) => return Err(Foreign::Origin),
        None => {}
    }
    // A browser that is too old for either: a form is all it can send unasked.
    let browser = text(headers, "user-agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
    let form = text(headers, "content-type").is_none_or(|sent| {
        let sent = sent.split(';').next().unwrap_or_default().trim();
        FORM_TYPES
            .iter()
            .any(|form| sent.eq_ignore_ascii_case(form))
    });
    if browser && form && !reads {
        return Err(Foreign::Origin);
    }
    Ok(())
}

/// Whether the user went here: a frame within another site's page, which that
/// page may open as often as it likes, is no link.
fn is_link(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-mode") == Some("navigate")
        && matches!(text(headers, "sec-fetch-dest"), None | Some("document"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a name with or without a port means this machine: an address (no
/// name was looked up, so none was rebound), a name of loopback, or an allowed one.
fn is_ours(authority: &str, allowed: &[String]) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().trim_end_matches('.');
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || allowed
            .iter()
            .any(|allowed| name.eq_ignore_ascii_case(allowed))
}

/// Whether an origin is the very address the request went to.
fn is_same(origin: &str, head: &Parts) -> bool {
    let (default_port, rest) = match origin.split_once("://") {
        Some(("http", rest)) => (80, rest),
        Some(("https", rest)) => (443, rest),
        _ => return false,
    };
    let named = || head.headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    let Some(target) = head.uri.authority().cloned().or_else(named) else {
        return false;
    };
    let Ok(origin) = rest.parse::<Authority>() else {
        return false;
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
    origin.host().eq_ignore_ascii_case(target.host()) && port(&origin) == port(&target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_names_of_this_machine_are_answered_to() {
        let allowed = ["build-box".to_owned()];
        for (name, ours) in [
            ("127.0.0.1:8090", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("localhost.", true),
            ("tacho.localhost:8090", true),
            ("[::1]:8090", true),
            ("192.168.1.7:8090", true),
            ("build-box:8090", true),
            ("Build-Box", true),
            ("evil.example", false),
            ("evil.example:8090", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evillocalhost", false),
            ("", false),
            ("a b", false),
        ] {
            let by_header = head("GET", "/", &[("host", name)]);
            assert_eq!(host(&by_header, &allowed).is_ok(), ours, "{name:?}");
        }
        // In the target, as HTTP/2 has it; and two that differ.
        let target = head("GET", "http://evil.example/", &[]);
        assert!(host(&target, &allowed).is_err());
        let two = head(
            "GET",
            "/",
            &[("host", "localhost"), ("host", "evil.example")],
        );
        assert!(host(&two, &allowed).is_err());
        let both = head("GET", "http://localhost/", &[("host", "evil.example")]);
        assert!(host(&both, &allowed).is_err());
        // HTTP/1.0 without one: no browser sends that.
        assert!(host(&head("GET", "/", &[]), &allowed).is_ok());
    }

    #[test]
    fn only_our_own_pages_may_send() {
        const HERE: (&str, &str) = ("host", "127.0.0.1:8090");
        const BROWSER: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11)");
        let check = |method, headers: &[(&str, &str)], fine: bool| {
            let headers = [&[HERE], headers].concat();
            let head = head(method, "/api/v1/events", &headers);
            assert_eq!(origin(&head).is_ok(), fine, "{method} {headers:?}");
        };
        let site = |site| ("sec-fetch-site", site);
        // Programs say nothing of it, whatever type they send.
        check("POST", &[], true);
        check("POST", &[("content-type", "text/plain")], true);
        // Ours.
        check("POST", &[("origin", "http://127.0.0.1:8090")], true);
        check("GET", &[("origin", "http://127.0.0.1:8090"), BROWSER], true);
        check("POST", &[site("same-origin"), BROWSER], true);
        // Others', reading as well as writing: a WebSocket begins with GET.
        for method in ["GET", "POST", "OPTIONS", "DELETE"] {
            for foreign in [
                "http://evil.example",
                "http://127.0.0.1:8091",
                "http://127.0.0.1",
                "http://localhost:8090",
                "null",
                "",
                "file://",
                "http://127.0.0.1:8090.evil.example",
                "http://127.0.0.1:8090@evil.example",
            ] {
                check(method, &[("origin", foreign)], false);
            }
        }
        let two = [
            ("origin", "http://127.0.0.1:8090"),
            ("origin", "http://evil.example"),
        ];
        check("POST", &two, false);
        check("POST", &[site("cross-site")], false);
        check("POST", &[site("same-site")], false);
        check("GET", &[site("cross-site")], false);
        check(
            "GET",
            &[site("cross-site"), ("sec-fetch-mode", "navigate")],
            true,
        );
        check(
            "POST",
            &[site("cross-site"), ("sec-fetch-mode", "navigate")],
            false,
        );
        for (dest, fine) in [("document", true), ("iframe", false), ("object", false)] {
            let navigates = [
                site("cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", dest),
            ];
            check("GET", &navigates, fine);
        }
        // Old browsers send forms without a word.
        check("POST", &[BROWSER], false);
        check(
            "POST",
            &[BROWSER, ("content-type", "Text/Plain; charset=x")],
            false,
        );
        check(
            "POST",
            &[BROWSER, ("content-type", "application/json")],
            true,
        );
    }

    #[test]
    fn a_port_may_be_left_out_where_it_is_the_scheme_s() {
        let behind_a_proxy = |origin| {
            let head = head(
                "POST",
                "/",
                &[("host", "tacho.localhost"), ("origin", origin)],
            );
            super::origin(&head).is_ok()
        };
        assert!(behind_a_proxy("https://tacho.localhost"));
        assert!(behind_a_proxy("https://tacho.localhost:443"));
        assert!(!behind_a_proxy("https://tacho.localhost:8443"));
    }
}
