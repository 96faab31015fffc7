//! The page's own files: modules, styles and what is vendored. A debug build
//! reads them from the disk each time, so that an edit needs no build; a release
//! holds them.
//!
//! All of them lie below `/assets/HASH/`, where HASH is of all of them together:
//! an address says which version it is of, and what is there never changes. They
//! refer to each other by relative paths, and so stay within their version.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::problem::{Kind, Problem, quoted};
use super::slim::slim;
use crate::gzip;

/// Relative to the crate; which folder that is, is settled when it is built.
#[derive(RustEmbed)]
#[folder = "page/"]
struct Folder;

/// What the page begins with.
const INDEX: &str = "index.html";
/// Modules that are needed for the first picture, with all that they import.
const FIRST: [&str; 2] = ["app.js", "views/overview.js"];
/// As many bytes gain nothing from being packed.
const GZIP_FROM: usize = 512;
/// A year: the most that is understood.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// One file, ready to be sent.
#[derive(Debug)]
pub struct Asset {
    bytes: Bytes,
    kind: &'static str,
    etag: HeaderValue,
    /// Packed at the first request; `None`: that would not make it smaller.
    packed: OnceLock<Option<Bytes>>,
}

/// All files of one version.
#[derive(Debug)]
pub struct Assets {
    hash: String,
    files: BTreeMap<String, Asset>,
    index: Option<Asset>,
}

/// `GET /assets/{hash}/{*path}`
pub async fn get(Path((hash, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let assets = Assets::now();
    if hash != assets.hash {
        let detail = "the page is of another version than the server; load it anew";
        return Problem::new(Kind::NotFound, detail)
            .with("version", quoted(&hash))
            .into_response();
    }
    match assets.files.get(&path) {
        Some(asset) => asset.answer(&headers, FOREVER),
        None => {
            let path = quoted(&path);
            let detail = format!("the page has no file {path:?}");
            Problem::new(Kind::NotFound, detail)
                .with("path", path)
                .into_response()
        }
    }
}

impl Assets {
    /// Those that are served now.
    pub fn now() -> Arc<Self> {
        static HELD: Mutex<Option<Arc<Assets>>> = Mutex::new(None);
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(assets) = &*held
            && (!cfg!(debug_assertions) || assets.hash == hash_of(&on_disk()))
        {
            return assets.clone();
        }
        let assets = Arc::new(Self::of(on_disk()));
        *held = Some(assets.clone());
        assets
    }

    /// From names and contents; what is no part of a page, such as the settings
    /// of tools, is not served.
    pub fn of(files: BTreeMap<String, Cow<'static, [u8]>>) -> Self {
        let hash = hash_of(&files);
        let index = files.get(INDEX).map(|template| {
            let template = String::from_utf8_lossy(template);
            let html = filled(&template, &hash, &first_modules(&files));
            Asset::new(html.into(), "text/html; charset=utf-8")
        });
        let files = files.into_iter().filter_map(|(name, bytes)| {
            let kind = kind_of(&name)?;
            let bytes = match bytes {
                bytes if is_ours(&name) => Bytes::from(slim(&String::from_utf8_lossy(&bytes))),
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            Some((name, Asset::new(bytes, kind)))
        });
        Self {
            hash,
            files: files.collect(),
            index,
        }
    }

    /// What the page begins with; `None`: a debug build whose sources are gone.
    pub fn index(&self) -> Option<&Asset> {
        self.index.as_ref()
    }
}

impl Asset {
    fn new(bytes: Bytes, kind: &'static str) -> Self {
        let etag = format!("\"{}\"", hex(&Sha256::digest(&bytes)));
        Self {
            bytes,
            kind,
            // Digits and quotes can stand in a header.
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
            packed: OnceLock::new(),
        }
    }

    /// The answer to whoever asks with these headers.
    pub fn answer(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let mut answer: Vec<(HeaderName, HeaderValue)> = vec![
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if self.is_known(headers) {
            return with(StatusCode::NOT_MODIFIED, answer, Body::empty());
        }
        answer.push((header::CONTENT_TYPE, HeaderValue::from_static(self.kind)));
        let packed = gzip::is_taken(headers).then(|| self.packed()).flatten();
        if packed.is_some() {
            let gzip = HeaderValue::from_static("gzip");
            answer.push((header::CONTENT_ENCODING, gzip));
        }
        let bytes = packed.unwrap_or(&self.bytes).clone();
        with(StatusCode::OK, answer, bytes.into())
    }

    /// Whether whoever asks has it already. Weak and strong tags are one here:
    /// packed or not, it is the same file.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let ours = self.etag.to_str().unwrap_or_default();
        let theirs = headers.get_all(header::IF_NONE_MATCH).iter();
        let mut theirs = theirs
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"));
        theirs.any(|tag| tag == "*" || tag == ours)
    }

    fn packed(&self) -> Option<&Bytes> {
        let packed = self.packed.get_or_init(|| {
            if self.bytes.len() < GZIP_FROM {
                return None;
            }
            let packed = gzip::packed(&self.bytes, Compression::new(7)).ok()?;
            (packed.len() < self.bytes.len()).then(|| packed.into())
        });
        packed.as_ref()
    }
}

fn with(status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

/// All files as they are now.
fn on_disk() -> BTreeMap<String, Cow<'static, [u8]>> {
    let files = Folder::iter().filter_map(|name| {
        let file = Folder::get(&name)?;
        Some((name.into_owned(), file.data))
    });
    files.collect()
}

/// Of names and contents together.
fn hash_of(files: &BTreeMap<String, Cow<'static, [u8]>>) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            // With lengths, so that nothing moves from one to the next unseen.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

/// The first 64 bits: as many as tell versions apart.
fn hex(hash: &[u8]) -> String {
    hash.iter().take(8).fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What is served, as what.
fn kind_of(name: &str) -> Option<&'static str> {
    let (stem, ending) = name.rsplit_once('.')?;
    match ending {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
    .filter(|_| !stem.is_empty())
}

/// A module that is not another's: what is vendored travels as it is.
fn is_ours(name: &str) -> bool {
    name.ends_with(".js") && !name.starts_with("vendor/")
}

/// The first page with the places of its parts, and what else to fetch at once.
fn filled(template: &str, hash: &str, modules: &[String]) -> String {
    let mut preload = String::new();
    for module in modules {
        // As above.
        let _ = writeln!(
            preload,
            "<link rel=\"modulepreload\" href=\"{{assets}}/{module}\">"
        );
    }
    let html = template.replace("{preload}\n", &preload);
    html.replace("{assets}", &format!("assets/{hash}"))
}

/// Modules of the first picture in the order in which they are met, each once.
fn first_modules(files: &BTreeMap<String, Cow<'static, [u8]>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut next: VecDeque<String> = FIRST.map(str::to_owned).into();
    while let Some(module) = next.pop_front() {
        let Some(bytes) = files.get(&module) else {
            continue;
        };
        if !seen.insert(module.clone()) {
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        next.extend(imports(&text).map(|import| beside(&module, import)));
        found.push(module);
    }
    found
}

/// What a module imports before it runs: `… from './x.js'` and `import './x.js'`
/// at the end of a line. Those in comments on types have a bracket.
pub fn imports(module: &str) -> impl Iterator<Item = &str> {
    module.lines().filter_map(|line| {
        let line = line.trim_end().strip_suffix("';")?;
        let (before, path) = line.rsplit_once('\'')?;
        let imports = before.ends_with("from ") || before == "import ";
        (imports && path.starts_with('.')).then_some(path)
    })
}

/// Where a relative path leads that stands in a file.
pub fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(of: &[(&str, &'static str)]) -> BTreeMap<String, Cow<'static, [u8]>> {
        let files = of.iter().map(|(name, text)| {
            let bytes: Cow<'static, [u8]> = text.as_bytes().into();
            ((*name).to_owned(), bytes)
        });
        files.collect()
    }

    #[test]
    fn a_version_is_of_all_names_and_contents() {
        let hash = |of| hash_of(&files(of));
        let first = hash(&[("a.js", "x"), ("b.js", "y")]);
        assert_eq!(first.len(), 16);
        assert_eq!(first, hash(&[("b.js", "y"), ("a.js", "x")]));
        for other in [
            &[("a.js", "x"), ("b.js", "z")][..],
            &[("a.js", "x"), ("c.js", "y")][..],
            &[("a.js", "x")][..],
            &[("a.js", "xb.jsy")][..],
            &[][..],
        ] {
            assert_ne!(hash(other), first, "{other:?}");
        }
    }

    #[test]
    fn only_parts_of_a_page_are_served() {
        for (name, kind) in [
            ("app.js", Some("text/javascript; charset=utf-8")),
            ("parts/parts.css", Some("text/css; charset=utf-8")),
            ("icon.svg", Some("image/svg+xml")),
            ("index.html", None),
            ("tsconfig.json", None),
            ("types.d.ts", None),
            ("vendor/x/LICENSE", None),
            (".js", None),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn the_first_page_names_what_it_needs() {
        let assets = Assets::of(files(&[
            (
                "index.html",
                "<a href=\"{assets}/app.js\">\n{preload}\n</a>",
            ),
            (
                "app.js",
                "import { a } from './a.js';\nimport './parts/b.js';\n\
                 /** @type {import('./c.js').C} */\nimport(`./views/x.js`);\n",
            ),
            ("a.js", "export {\n  b,\n} from './parts/b.js';\n"),
            ("parts/b.js", "import { a } from '../a.js';\n"),
            ("c.js", ""),
        ]));
        let index = assets.index().expect("an index");
        let hash = &assets.hash;
        let link = |name| format!("<link rel=\"modulepreload\" href=\"assets/{hash}/{name}\">\n");
        let links: String = ["app.js", "a.js", "parts/b.js"].map(link).concat();
        assert_eq!(
            String::from_utf8_lossy(&index.bytes),
            format!("<a href=\"assets/{hash}/app.js\">\n{links}</a>")
        );
    }

    #[test]
    fn paths_stand_beside_their_file() {
        for (file, path, there) in [
            ("app.js", "./a.js", "a.js"),
            ("views/x.js", "../parts/b.js", "parts/b.js"),
            ("views/x.js", "./y.js", "views/y.js"),
            ("x.js", "../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(beside(file, path), there, "{file} {path}");
        }
    }
}
