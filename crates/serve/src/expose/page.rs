//! Prometheus' two text forms, written: 0.0.4, and OpenMetrics 1.0.
//!
//! Sources: "Exposition formats" (prometheus.io) and the OpenMetrics 1.0
//! specification; checked with `promtool check metrics`.

use std::fmt::Write as _;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `text/plain; version=0.0.4`.
    Text,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

impl Form {
    /// As `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What a header `Accept` asks for. Whoever asks for neither gets text.
    pub fn asked(accept: &str) -> Self {
        let (mut open, mut text) = (0.0_f64, 0.0_f64);
        let mut text_named = false;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let mut quality = 1.0;
            let mut version = "1.0.0";
            for part in parts {
                match part.split_once('=') {
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("q") => {
                        quality = value.trim().parse().unwrap_or(0.0);
                    }
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("version") => {
                        version = value.trim().trim_matches('"');
                    }
                    _ => {}
                }
            }
            match name.as_str() {
                // 0.0.1 is a draft of it that has no other shapes.
                "application/openmetrics-text" if matches!(version, "1.0.0" | "0.0.1") => {
                    open = open.max(quality);
                }
                "text/plain" => {
                    text = if text_named {
                        text.max(quality)
                    } else {
                        quality
                    };
                    text_named = true;
                }
                // A range only says something of what is not named.
                "text/*" | "*/*" if !text_named => text = text.max(quality),
                _ => {}
            }
        }
        if open > 0.0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// What a family's samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Its name ends with `_total`.
    Counter,
    Gauge,
    Histogram,
    /// Here always without quantiles: a sum and a count.
    Summary,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A page in the making. Families come one after another; the samples of one
/// follow it.
#[derive(Debug)]
pub struct Page {
    form: Form,
    text: String,
}

impl Page {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            text: String::with_capacity(32 << 10),
        }
    }

    /// Begins a family; `name` as its samples have it.
    pub fn family(&mut self, name: &str, ty: Type, help: &str) {
        let family = match (self.form, ty) {
            (Form::OpenMetrics, Type::Counter) => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        self.text.push_str("# HELP ");
        self.text.push_str(family);
        self.text.push(' ');
        // OpenMetrics escapes quotes here as well.
        let quotes = self.form == Form::OpenMetrics;
        escape(&mut self.text, help, quotes);
        self.text.push_str("\n# TYPE ");
        self.text.push_str(family);
        self.text.push(' ');
        self.text.push_str(ty.name());
        self.text.push('\n');
    }

    /// One sample of the family; `suffix` is `_sum`, `_count` or nothing.
    pub fn sample(&mut self, name: &str, suffix: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        self.labels(labels, None);
        self.value(value);
    }

    /// A histogram from counts by upper end, the last of what is above them.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        bounds: impl Iterator<Item = f64>,
        counts: &[u64],
        sum: f64,
    ) {
        let mut all = 0;
        for (bound, count) in bounds.chain([f64::INFINITY]).zip(counts) {
            all += count;
            self.text.push_str(name);
            self.text.push_str("_bucket");
            self.labels(labels, Some(bound));
            self.value(all as f64);
        }
        self.sample(name, "_sum", labels, sum);
        self.sample(name, "_count", labels, all as f64);
    }

    /// The page, ended.
    pub fn end(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn labels(&mut self, labels: &[(&str, &str)], le: Option<f64>) {
        if labels.is_empty() && le.is_none() {
            return;
        }
        let mut before = '{';
        for (name, value) in labels {
            self.text.push(before);
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(&mut self.text, value, true);
            self.text.push('"');
            before = ',';
        }
        if let Some(le) = le {
            self.text.push(before);
            self.text.push_str("le=\"");
            number(&mut self.text, le, true);
            self.text.push('"');
        }
        self.text.push('}');
    }

    fn value(&mut self, value: f64) {
        self.text.push(' ');
        number(&mut self.text, value, false);
        self.text.push('\n');
    }
}

/// Backslashes and line ends escaped, and quotes if asked for.
fn escape(text: &mut String, value: &str, quotes: bool) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

/// `pointed`: whole numbers as `1.0`, as OpenMetrics has them in `le`.
fn number(text: &mut String, value: f64, pointed: bool) {
    // Writing to a string cannot fail.
    let _ = match value {
        _ if value.is_nan() => write!(text, "NaN"),
        _ if value.is_infinite() => write!(text, "{}Inf", if value > 0.0 { '+' } else { '-' }),
        _ if pointed => write!(text, "{value:?}"),
        _ if value.abs() >= 1e17 => write!(text, "{value:e}"),
        _ => write!(text, "{value}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_what_accept_asks_for() {
        let open = "application/openmetrics-text";
        for (accept, form) in [
            ("", Form::Text),
            ("*/*", Form::Text),
            ("text/plain", Form::Text),
            ("application/json", Form::Text),
            (open, Form::OpenMetrics),
            (
                "Application/OpenMetrics-Text; Version=1.0.0",
                Form::OpenMetrics,
            ),
            ("application/openmetrics-text; version=2.0.0", Form::Text),
            (
                "application/openmetrics-text; version=1.0.0; q=0",
                Form::Text,
            ),
            (
                "application/openmetrics-text;version=1.0.0;q=0.2, text/plain;q=0.9",
                Form::Text,
            ),
            (
                "text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=\"1.0.0\";q=0.4",
                Form::OpenMetrics,
            ),
            (
                "*/*, text/plain;q=0.1, application/openmetrics-text;q=0.5",
                Form::OpenMetrics,
            ),
            // What Prometheus 2.42 and 3.5 send.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Form::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            ("application/openmetrics-text;q=nonsense", Form::Text),
            (";;;,,=,q=", Form::Text),
        ] {
            assert_eq!(Form::asked(accept), form, "{accept}");
        }
    }

    #[test]
    fn numbers_and_texts_are_written_as_the_formats_ask() {
        let mut page = Page::new(Form::OpenMetrics);
        page.family("a_total", Type::Counter, "say \"a\"\\\n");
        page.sample("a_total", "", &[("x", "\"\\\n\r\u{1}é")], 1e21);
        page.family("b_seconds", Type::Histogram, "b");
        page.histogram("b_seconds", &[], [0.005, 1.0].into_iter(), &[1, 0, 2], 2.5);
        page.sample("c", "", &[], f64::NEG_INFINITY);
        page.sample("c", "", &[], f64::NAN);
        assert_eq!(
            page.end(),
            "# HELP a say \\\"a\\\"\\\\\\n\n# TYPE a counter\n\
             a_total{x=\"\\\"\\\\\\n\r\u{1}é\"} 1e21\n\
             # HELP b_seconds b\n# TYPE b_seconds histogram\n\
             b_seconds_bucket{le=\"0.005\"} 1\nb_seconds_bucket{le=\"1.0\"} 1\n\
             b_seconds_bucket{le=\"+Inf\"} 3\nb_seconds_sum 2.5\nb_seconds_count 3\n\
             c -Inf\nc NaN\n# EOF\n"
        );
        let mut page = Page::new(Form::Text);
        page.family("a_total", Type::Counter, "say \"a\"");
        page.sample("a_total", "", &[], 1.0);
        assert_eq!(
            page.end(),
            "# HELP a_total say \"a\"\n# TYPE a_total counter\na_total 1\n"
        );
    }
}
