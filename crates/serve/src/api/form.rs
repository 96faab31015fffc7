//! Forms of an answer, and which one a client wants: `format=`, else `Accept`,
//! else JSON.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::params::Params;
use super::problem::{Kind, Problem};

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    /// A JSON object a line.
    Jsonl,
    /// Columns, and rows as lists: a name may be there twice, and a type is told.
    Table,
    Csv,
    Markdown,
    Text,
}

/// Those of every question.
pub const FORMS: &[Form] = &[Form::Json, Form::Csv, Form::Markdown, Form::Text];

impl Form {
    /// Its name in `format=`, which is the command line's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Text => "text",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jsonl => "application/x-ndjson",
            Self::Table => "application/vnd.tachograph.table+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Chooses among `offered`, of which the first is the default.
    ///
    /// # Errors
    /// A problem when none of what `Accept` asks for is on offer, or `format`
    /// names one that is not.
    pub fn choose(params: &Params, headers: &HeaderMap, offered: &[Self]) -> Result<Self, Problem> {
        let names = || offered.iter().map(|form| form.name()).collect::<Vec<_>>();
        if let Some(name) = params.text("format") {
            let found = offered.iter().find(|form| form.name() == name);
            return found
                .copied()
                .ok_or_else(|| Problem::parameter("format", name, names()));
        }
        let accept: Vec<&str> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let Some(first) = offered.first().filter(|_| accept.is_empty()) else {
            return accepted(&accept.join(","), offered).ok_or_else(|| {
                let detail = format!(
                    "none of what `Accept` asks for is on offer here: {}",
                    offered
                        .iter()
                        .map(|form| form.essence())
                        .collect::<Vec<_>>()
                        .join(", ")
                );
                Problem::new(Kind::NotAcceptable, detail).with("allowed", names())
            });
        };
        Ok(*first)
    }

    /// Its media type without parameters.
    pub fn essence(self) -> &'static str {
        let whole = self.media_type();
        whole.split_once(';').map_or(whole, |(essence, _)| essence)
    }

    /// An answer of that form.
    pub fn answer(self, body: String) -> Response {
        let mut response = body.into_response();
        let media_type = HeaderValue::from_static(self.media_type());
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }
}

/// The form on offer that `Accept` likes best; the first of those it likes the
/// same. A range that says more counts before one that says less (RFC 9110,
/// 12.5.1).
fn accepted(accept: &str, offered: &[Form]) -> Option<Form> {
    let mut best: Option<(f32, Form)> = None;
    for form in offered {
        let essence = form.essence();
        let top = essence.split_once('/').map_or(essence, |(top, _)| top);
        let liking = accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let range = parts.next()?.to_ascii_lowercase();
                let says = match range.as_str() {
                    "*/*" => 1,
                    range if range.strip_suffix("/*") == Some(top) => 2,
                    range if range == essence => 3,
                    _ => return None,
                };
                let quality = parts.find_map(|part| part.strip_prefix("q="));
                let quality = quality.map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
                Some((says, quality.clamp(0.0, 1.0)))
            })
            .max_by_key(|(says, _)| *says);
        let Some((_, quality)) = liking.filter(|(_, quality)| *quality > 0.0) else {
            continue;
        };
        if best.is_none_or(|(most, _)| quality > most) {
            best = Some((quality, *form));
        }
    }
    best.map(|(_, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_understood() {
        let check = |accept: &str, form: Option<Form>| {
            assert_eq!(accepted(accept, FORMS), form, "{accept}");
        };
        check("*/*", Some(Form::Json));
        check("application/json", Some(Form::Json));
        check("text/csv", Some(Form::Csv));
        check("TEXT/CSV; charset=utf-8", Some(Form::Csv));
        check("text/*", Some(Form::Csv));
        check("text/*, text/csv;q=0", Some(Form::Markdown));
        check("text/csv;q=0.5, text/markdown;q=0.8", Some(Form::Markdown));
        check(
            "text/html,application/xml;q=0.9,*/*;q=0.8",
            Some(Form::Json),
        );
        check("text/plain, */*;q=0.1", Some(Form::Text));
        check("application/json;q=0, */*", Some(Form::Csv));
        check("application/json;q=NaN", None);
        check("image/png", None);
        check("", None);
        check(";;,,;q=,", None);
    }
}
