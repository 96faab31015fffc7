//! Whether a page keeps to the rules of Prometheus' text form.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;

/// Every sample by its name and labels. Panics on what breaks the form's rules.
pub(super) fn checked(text: &str, open: bool) -> HashMap<String, f64> {
    let body = match open {
        true => text.strip_suffix("# EOF\n").expect("the end is marked"),
        false => text,
    };
    assert!(body.ends_with('\n'), "the last line ends");
    let mut samples = HashMap::new();
    let mut families = HashSet::new();
    let (mut family, mut ty, mut helped) = (String::new(), String::new(), String::new());
    // Only line feeds end lines; a lone carriage return may stand in a value.
    for line in body.trim_end_matches('\n').split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(helped.clone()), "{helped} is in one piece");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            (family, ty) = (name.to_owned(), kind.to_owned());
            assert_eq!(family, helped, "help stands before the type");
            assert!(!open || !family.ends_with("_total"), "{family}");
            assert_eq!(
                ty == "counter" && !open,
                family.ends_with("_total"),
                "{family}"
            );
        } else {
            let (key, value) = line.rsplit_once(' ').expect(line);
            let name = &key[..key.find('{').unwrap_or(key.len())];
            let suffix = name.strip_prefix(&family).expect("is of its family");
            let allowed: &[&str] = match ty.as_str() {
                "counter" if open => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                "summary" => &["_sum", "_count"],
                _ => &[""],
            };
            assert!(allowed.contains(&suffix), "{line}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            check_labels(&key[name.len()..]);
            let value = value.parse().expect(line);
            assert!(
                samples.insert(key.to_owned(), value).is_none(),
                "twice: {key}"
            );
        }
    }
    check_histograms(&samples, body);
    samples
}

/// `{a="…",b="…"}` with quotes, backslashes and line ends escaped.
fn check_labels(labels: &str) {
    let Some(mut rest) = labels.strip_prefix('{') else {
        assert_eq!(labels, "");
        return;
    };
    loop {
        let (name, value) = rest.split_once("=\"").expect(labels);
        assert!(name.bytes().all(|b| b.is_ascii_lowercase()), "{labels}");
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            assert!(!escaped || matches!(c, '"' | '\\' | 'n'), "{labels}");
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = &value[end.expect(labels) + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return assert_eq!(rest, "}", "{labels}"),
        }
    }
}

/// Buckets rise, and the last of them is the count.
fn check_histograms(samples: &HashMap<String, f64>, body: &str) {
    let mut before = 0.0;
    for line in body.split('\n') {
        let Some((key, _)) = line.rsplit_once(' ').filter(|_| line.contains("_bucket{")) else {
            continue;
        };
        let count = samples[key];
        assert!(count >= before, "{line}");
        before = count;
        if let Some(labels) = key.strip_suffix(r#",le="+Inf"}"#) {
            let of = labels.replacen("_bucket{", "_count{", 1);
            assert_eq!(samples[&format!("{of}}}")], count, "{line}");
            before = 0.0;
        }
    }
}

/// Where Prometheus' own checker is installed, it has nothing to say.
pub(super) fn promtool(text: &str) {
    let child = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}
