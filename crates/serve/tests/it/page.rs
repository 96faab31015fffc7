//! The page and its files, as a browser asks for them.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use tachograph_serve::Config;
use tachograph_serve::api::assets::{Assets, beside, imports};
use tachograph_serve::api::slim::slim;

use crate::common::{Door, Reply, config, get};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const GZIP: (&str, &str) = ("accept-encoding", "gzip, deflate, br, zstd");
/// What it may weigh, all of it, as it is sent.
const MOST_GZIP_BYTES: usize = 150_000;

#[test]
fn browsers_get_the_page_and_programs_a_pointer() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let page = get(address, "/", &[BROWSER]);
    assert_eq!(page.status, 200);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("vary", "accept, accept-encoding"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").unwrap_or_default();
    let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
    for part in [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(parts.contains(&part), "{part} in {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    let text = page.text();
    assert!(
        !text.contains("{assets}") && !text.contains("{preload}"),
        "{text}"
    );
    // Nothing that such a policy would have to allow.
    let scripts = text.split("<script").skip(1);
    for script in scripts {
        let (tag, rest) = script.split_once('>').expect("the end of a tag");
        assert!(
            tag.contains(" src=") && rest.starts_with("</script>"),
            "{script}"
        );
    }
    assert!(
        !text.contains("<style") && !text.contains("style="),
        "{text}"
    );
    assert!(!text.contains("://"), "from elsewhere: {text}");

    let pointer = get(address, "/", &[]);
    assert_eq!(pointer.json()["openapi"], "/api/v1/openapi.json");
    assert_eq!(pointer.header("vary"), Some("accept"));
}

#[test]
fn the_server_says_where_each_door_is() {
    let door = Door::open();
    let told = get(door.addresses().dashboard, "/api/v1/server", &[]).json();
    let doors = door.addresses().by_name();
    for (name, address) in doors {
        let address = address.map(|address| address.to_string());
        let listener = told["listeners"][name].as_str().map(str::to_owned);
        assert_eq!(listener, address, "{name}");
    }
    let listeners = told["listeners"].as_object().map(|it| it.len());
    assert_eq!(listeners, Some(doors.len()));
    assert!(told["listeners"]["otlp_http"].is_string(), "{told}");
}

#[test]
fn a_page_that_is_turned_off_is_not_there() {
    let door = Door::with(Config {
        page: false,
        ..config()
    });
    let address = door.addresses().dashboard;
    let pointer = get(address, "/", &[BROWSER]);
    assert_eq!(pointer.json()["api"], "/api/v1");
    let there = format!(
        "/{}",
        Page::of(Door::open().addresses().dashboard).at("app.js")
    );
    assert_eq!(get(address, &there, &[]).status, 404);
}

/// The page as a browser has it.
struct Page {
    text: String,
    /// `assets/HASH`
    folder: String,
}

impl Page {
    fn of(address: Option<SocketAddr>) -> Self {
        let text = get(address, "/", &[BROWSER]).text();
        let at = text.find("assets/").expect("a file");
        let folder: String = text[at..].split('/').take(2).collect::<Vec<_>>().join("/");
        Self { text, folder }
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// Every file that it names.
    fn named(&self) -> Vec<&str> {
        let places = self
            .text
            .split(" href=\"")
            .chain(self.text.split(" src=\""));
        let places = places.filter_map(|text| text.split('"').next());
        places
            .filter(|place| place.starts_with("assets/"))
            .collect()
    }
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => panic!("what is {name}?"),
    }
}

fn assert_served(address: Option<SocketAddr>, place: &str) -> Reply {
    let file = get(address, &format!("/{place}"), &[]);
    assert_eq!(file.status, 200, "{place}");
    assert_eq!(file.header("content-type"), Some(type_of(place)), "{place}");
    assert_eq!(
        file.header("x-content-type-options"),
        Some("nosniff"),
        "{place}"
    );
    let cache = file.header("cache-control");
    assert_eq!(
        cache,
        Some("public, max-age=31536000, immutable"),
        "{place}"
    );
    file
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let page = Page::of(address);
    let named = page.named();
    for name in ["app.js", "theme.js", "theme.css", "layout.css", "icon.svg"] {
        assert!(named.contains(&&*page.at(name)), "{name} in {named:?}");
    }
    for place in &named {
        assert_served(address, place);
    }
    let preloaded: Vec<&str> = page.text.split("modulepreload\" href=\"").skip(1).collect();
    assert!(preloaded.len() > 5, "{}", page.text);
}

/// Those that are imported when they are needed among them.
#[test]
fn every_module_that_a_module_imports_is_there() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let page = Page::of(address);
    let views = std::fs::read_dir(folder().join("views")).expect("views");
    let views = views.map(|entry| entry.expect("a view").file_name());
    let views = views.map(|name| format!("views/{}", name.to_string_lossy()));
    let views = views.filter(|name| name.ends_with(".js"));
    let mut next: VecDeque<String> = views.chain(["app.js".to_owned()]).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(module) = next.pop_front() {
        if !seen.insert(module.clone()) {
            continue;
        }
        let text = assert_served(address, &page.at(&module)).text();
        next.extend(imports(&text).map(|path| beside(&module, path)));
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert!(
        seen.iter().any(|module| module.starts_with("vendor/")),
        "{seen:?}"
    );
}

#[test]
fn every_view_of_the_nav_has_a_module() {
    let app = std::fs::read_to_string(folder().join("app.js")).expect("app.js");
    let nav = app
        .split("const NAV = [")
        .nth(1)
        .and_then(|text| text.split("\n];").next());
    let names = nav
        .expect("a nav")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("['"));
    let names: Vec<&str> = names.filter_map(|line| line.split('\'').next()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    for name in names.into_iter().chain(["trace"]) {
        let file = folder().join("views").join(format!("{name}.js"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains("export default function"), "{name}");
        assert!(text.contains("export const title"), "{name}");
    }
}

#[test]
fn it_is_light() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let page = Page::of(address);
    let mut sizes: Vec<(usize, String)> = files_below(&folder())
        .into_iter()
        .map(|name| {
            let (size, packed) = size_of(address, &format!("/{}", page.at(&name)));
            assert!(packed || size < 512, "{name} is sent as it is");
            (size, name)
        })
        .collect();
    sizes.push((size_of(address, "/").0, "/".to_owned()));
    sizes.sort_unstable();
    let all: usize = sizes.iter().map(|(size, _)| size).sum();
    assert!(all > 40_000, "{sizes:?}");
    assert!(all <= MOST_GZIP_BYTES, "{all} bytes: {sizes:?}");
}

/// Every file that is served, by its name.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![folder.to_owned()];
    while let Some(at) = next.pop() {
        for entry in std::fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                next.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below it");
            let name = name.to_string_lossy().replace('\\', "/");
            if [".js", ".css", ".svg"]
                .iter()
                .any(|ending| name.ends_with(ending))
            {
                found.push(name);
            }
        }
    }
    found
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// Bytes of a body as it is sent, and whether it is packed. By hand: clients
/// unpack.
fn size_of(address: Option<SocketAddr>, place: &str) -> (usize, bool) {
    let lines = "accept: text/html\r\naccept-encoding: gzip, br\r\n";
    let (head, body) = raw(address, "GET", place, lines);
    assert!(head.starts_with("http/1.1 200"), "{place}: {head}");
    assert!(
        head.contains("vary: ") && head.contains("accept-encoding"),
        "{head}"
    );
    (body.len(), head.contains("content-encoding: gzip"))
}

/// The head in small letters, and the body.
fn raw(address: Option<SocketAddr>, method: &str, place: &str, lines: &str) -> (String, Vec<u8>) {
    let address = address.expect("this door is open");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request =
        format!("{method} {place} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n");
    let body = answer.split_off(end.expect("the end of a head") + 4);
    (String::from_utf8_lossy(&answer).to_ascii_lowercase(), body)
}

#[test]
fn packed_and_plain_are_one_file() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let place = format!("/{}", Page::of(address).at("app.js"));
    let plain = get(address, &place, &[("accept-encoding", "identity")]);
    assert_eq!(plain.header("content-encoding"), None);
    let (head, packed) = raw(address, "GET", &place, "accept-encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(packed.len() < plain.body.len() / 2);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*packed)
        .read_to_end(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, plain.body);
    // Without its comments, but otherwise what is on the disk.
    let source = std::fs::read_to_string(folder().join("app.js")).expect("app.js");
    assert_eq!(unpacked, slim(&source).as_bytes());
    for name in ["theme.css", "vendor/uplot-1.6.32/uPlot.iife.min.js"] {
        let sent = get(address, &format!("/{}", Page::of(address).at(name)), &[]);
        let source = std::fs::read(folder().join(name)).expect(name);
        assert!(sent.body == source, "{name}");
    }

    let (head, body) = raw(address, "HEAD", &place, "accept-encoding: gzip\r\n");
    assert!(
        head.starts_with("http/1.1 200") && body.is_empty(),
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}", packed.len())),
        "{head}"
    );
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let file = format!("/{}", Page::of(address).at("theme.css"));
    for place in [&*file, "/"] {
        let first = get(address, place, &[BROWSER, GZIP]);
        let tag = first.header("etag").expect("a tag");
        let weak = format!("W/{tag}");
        let several = format!("\"other\", {tag}");
        for (known, status) in [
            (tag, 304),
            (&*weak, 304),
            (&*several, 304),
            ("*", 304),
            ("\"other\"", 200),
            (tag.trim_matches('"'), 200),
        ] {
            let again = get(address, place, &[BROWSER, ("if-none-match", known)]);
            assert_eq!(again.status, status, "{place} {known}");
            assert_eq!(again.body.is_empty(), status == 304, "{place} {known}");
            assert_eq!(again.header("etag"), Some(tag), "{place} {known}");
        }
    }
}

#[test]
fn only_files_of_the_page_are_served() {
    let door = Door::open();
    let address = door.addresses().dashboard;
    let page = Page::of(address);
    for place in [
        page.at("../../Cargo.toml"),
        page.at("..%2f..%2fCargo.toml"),
        page.at("%2e%2e/%2e%2e/Cargo.toml"),
        page.at("/etc/passwd"),
        page.at("%2fetc%2fpasswd"),
        page.at("app.js%00.css"),
        page.at("app.js/"),
        page.at("views"),
        page.at("tsconfig.json"),
        page.at("types.d.ts"),
        page.at("index.html"),
        page.at(""),
        "assets/0123456789abcdef/app.js".to_owned(),
        "assets/app.js".to_owned(),
        "assets/".to_owned(),
        "app.js".to_owned(),
    ] {
        let (head, body) = raw(address, "GET", &format!("/{place}"), "");
        assert!(head.starts_with("http/1.1 404"), "{place}: {head}");
        assert!(head.contains("application/problem+json"), "{place}: {head}");
        let body = String::from_utf8_lossy(&body);
        assert!(
            !body.contains("[package]") && !body.contains("root:"),
            "{place}"
        );
    }
    let (head, _) = raw(
        address,
        "POST",
        &format!("/{}", page.at("app.js")),
        "content-length: 0\r\n",
    );
    assert!(head.starts_with("http/1.1 405"), "{head}");
}

#[test]
fn an_address_says_which_version_it_is_of() {
    let version = |of: &[(&str, &'static str)]| {
        let files = of
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().into()));
        let assets = Assets::of(files.collect());
        let index = assets.index().expect("an index");
        let answer = index.answer(&axum::http::HeaderMap::new(), "no-cache");
        answer.headers()["etag"].clone()
    };
    let index = ("index.html", "<script src=\"{assets}/app.js\"></script>");
    let first = version(&[index, ("app.js", "1")]);
    assert_eq!(version(&[index, ("app.js", "1")]), first);
    // The first page changes with any file, for it names them all.
    assert_ne!(version(&[index, ("app.js", "2")]), first);
    assert_ne!(version(&[index, ("app.js", "1"), ("b.css", "")]), first);
}

#[test]
fn a_token_guards_what_is_shown_and_not_what_shows_it() {
    let token = "0123456789abcdef0123456789abcdef";
    let door = Door::with(Config {
        token: Some(token.to_owned()),
        ..config()
    });
    let address = door.addresses().dashboard;
    let page = Page::of(address);
    let named = "x: y\r\n";
    let evil = "origin: http://evil.example\r\n";
    let html = "accept: text/html\r\n";
    let files = format!("/{}", page.at("app.js"));
    let bearer = format!("authorization: Bearer {token}\r\n");
    for (place, lines, status) in [
        ("/", html, 200),
        (&*format!("/?token={token}"), html, 200),
        ("/?token=wrong", html, 200),
        (&*files, named, 200),
        ("/assets/0/app.js", named, 404),
        // What programs are told there they ask with a token.
        ("/", named, 401),
        ("/", &*bearer, 200),
        ("/api/v1", html, 401),
        ("/api/v1/live", html, 401),
        ("/api/v1/live", &*bearer, 200),
        // Another site's page gets nothing, a page's file included.
        ("/", &*format!("{html}{evil}"), 403),
        (&*files, evil, 403),
    ] {
        let (head, body) = raw(address, "GET", place, lines);
        assert_eq!(head[9..12], status.to_string(), "{place} {lines}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains(token), "{place}");
    }
    // Other doors have no page.
    let (head, _) = raw(door.addresses().json, "GET", "/", html);
    assert!(head.starts_with("http/1.1 401"), "{head}");

    // Without a token the machine's name is what tells friend from foe.
    let door = Door::open();
    let foreign =
        format!("GET {files} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(door.addresses().dashboard.expect("a door")).expect("it");
    stream.write_all(foreign.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

/// What is vendored is what its makers published.
#[test]
fn vendored_files_have_their_sums() {
    use sha2::{Digest, Sha256};
    let vendor = folder().join("vendor");
    let mut checked = 0;
    for entry in std::fs::read_dir(vendor).expect("vendor") {
        let package = entry.expect("a package").path();
        let sums = std::fs::read_to_string(package.join("SHA256SUMS")).expect("SHA256SUMS");
        let listed: Vec<(&str, &str)> = sums
            .lines()
            .filter_map(|line| line.split_once("  "))
            .collect();
        assert!(
            listed.iter().any(|(_, name)| name.starts_with("LICENSE")),
            "{sums}"
        );
        let others = std::fs::read_dir(&package).expect("files").count() - 1;
        assert_eq!(listed.len(), others, "{}", package.display());
        for (sum, name) in listed {
            let bytes = std::fs::read(package.join(name)).expect(name);
            let found: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(found, sum, "{name}");
            checked += 1;
        }
    }
    assert!(checked >= 6, "{checked}");
}
