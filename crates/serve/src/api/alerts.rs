//! `/api/v1/alerts`: every rule and who made it, how each alert stands now, and
//! rules replaced or removed.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::alert::{EVERY, MAX_NAME, SEVERITIES, State as Stands};
use tachograph_model::render::iso;

use super::Api;
use super::json::Json;
use super::params::{Param, Params, Takes};
use super::problem::{Kind, Problem, quoted, small_body};
use super::seed4::alerts::BODY_BYTES;
use super::seed4::rules::RulesError;
use crate::alert::list::ListError;
use crate::alert::silence::{self, Ask, Silence, SilenceError};
use crate::alert::{Alert, Book, Origin, Owned, Totals, read, unwatched};

/// Alerts that are shown, what matters first.
const MOST: usize = 1000;

/// `GET /api/v1/alerts`
///
/// # Errors
/// When too much is asked at once.
pub async fn get(State(api): State<Arc<Api>>) -> Result<Json, Problem> {
    let found = api.live.run(move |hub| {
        // What cannot be read is told, and the rest shown.
        let unread = [hub.alerts.renew().err(), hub.alerts.renew_silences().err()];
        let mut silences = hub.alerts.post().silences();
        silences.retain(|silence| silence.until > UnixNanos::now());
        let (mut shown, crowded) = {
            let book = hub.alerts.book();
            (shown(&book, &silences), crowded(&book))
        };
        let channels = hub.alerts.post().channels();
        // A rule may have been made when there were others.
        let strange = hub.alerts.book().rules().iter().find_map(|owned| {
            let error = channels.check(&owned.rule.channels).err()?;
            Some(format!("rule {}: {error}", quoted(&owned.rule.name)))
        });
        let unread = unread.iter().flatten().map(ToString::to_string);
        let notes: Vec<String> = unread
            .chain(strange)
            .chain(crowded)
            .chain(hub.alerts.far().notes(Instant::now()))
            .collect();
        shown["channels"] = hub.alerts.post().shown();
        shown["silences"] = json!(silences);
        shown["enabled"] = hub.alerts.enabled().into();
        shown["notes"] = notes.into();
        Ok(shown)
    });
    Ok(Json(found.await?))
}

fn shown(book: &Book, silences: &[Silence]) -> Value {
    let now = UnixNanos::now();
    let mut alerts: Vec<Alert> = book.alerts().collect();
    alerts.sort_by_key(urgency);
    let more = alerts.len().saturating_sub(MOST);
    alerts.truncate(MOST);
    json!({
        "rules": book.rules().iter().map(|it| watched(it, book)).collect::<Vec<_>>(),
        "alerts": alerts.iter().map(|it| alert(it, silences, now)).collect::<Vec<_>>(),
        "more": more,
        "unwatched": book.crowded(),
        "totals": totals(book),
    })
}

/// What keeps series from being watched, if anything does.
fn crowded(book: &Book) -> Option<String> {
    let of = |owned: &Owned| book.state_of(&owned.rule, None).unwatched;
    unwatched(book.rules().iter().map(|it| (&*it.rule.name, of(it))))
}

/// Of all of them, also of those that are not listed.
fn totals(book: &Book) -> Map<String, Value> {
    let found = book.totals();
    let mut totals = by_state(&found);
    let open = found.open_without_data;
    totals.insert("open_without_data".to_owned(), open.into());
    totals
}

fn by_state(totals: &Totals) -> Map<String, Value> {
    let of_state = |state: Stands| (state.name().to_owned(), totals.of(state).into());
    Stands::ALL.into_iter().map(of_state).collect()
}

fn urgency(alert: &Alert) -> (usize, usize) {
    let state = match alert.machine.state() {
        Stands::Firing => 0,
        Stands::Pending => 1,
        Stands::NoData if alert.machine.is_open() => 2,
        Stands::Resolved => 3,
        Stands::NoData => 4,
        Stands::Inactive => 5,
    };
    let severity = SEVERITIES.iter().position(|it| *it == alert.rule.severity);
    (state, SEVERITIES.len() - severity.unwrap_or(0))
}

fn rule(owned: &Owned) -> Value {
    let mut rule = serde_json::to_value(&owned.rule).unwrap_or_default();
    rule["builtin"] = (owned.origin == Origin::Builtin).into();
    rule["origin"] = owned.origin.name().into();
    rule
}

/// A rule, and how all its alerts stand.
fn watched(owned: &Owned, book: &Book) -> Value {
    let found = book.state_of(&owned.rule, None);
    let mut rule = rule(owned);
    let told = [
        ("state", json!(found.state.map(Stands::name))),
        ("series", by_state(&found.totals).into()),
        ("open", found.totals.open().into()),
        ("unwatched", found.unwatched.into()),
    ];
    for (key, value) in told {
        rule[key] = value;
    }
    rule
}

/// What is told of a rule beside what it says.
const BESIDE: [&str; 6] = ["builtin", "origin", "state", "series", "open", "unwatched"];

/// One alert, as it is shown.
pub(super) fn alert(alert: &Alert, silences: &[Silence], now: UnixNanos) -> Value {
    let Alert {
        rule,
        series,
        machine,
    } = alert;
    let silenced = silence::until(silences, &rule.name, &series.0, &series.1, now);
    json!({
        "rule": rule.name,
        "family": rule.family,
        "source": *series.0,
        "name": *series.1,
        "state": machine.state().name(),
        "open": machine.is_open(),
        "severity": rule.severity,
        "value": machine.value(),
        "threshold": rule.threshold,
        "condition": rule.condition,
        "since": iso(machine.since()),
        "fired_at": machine.fired_at().map(iso),
        "resolved_at": machine.resolved_at().map(iso),
        "silenced_until": silenced.map(iso),
        "description": rule.description,
        "labels": rule.labels,
    })
}

/// `PUT /api/v1/alerts/rules/{name}`
///
/// # Errors
/// What is wrong with the rule; what keeps it from being stored.
pub async fn put(
    state: State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    keep(state, named(path)?, body).await
}

/// `PUT /api/v1/alerts/rules?name=…`: what no path can name, such as `..`, a
/// query can.
///
/// # Errors
/// As [`put`].
pub async fn put_named(
    state: State<Arc<Api>>,
    uri: OriginalUri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    keep(state, in_query(&uri, NAME)?, body).await
}

async fn keep(
    State(api): State<Arc<Api>>,
    name: String,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json, Problem> {
    let body = small_body(body, BODY_BYTES)?;
    let bad = |what: String| Problem::new(Kind::BadBody, what);
    let body: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|error| bad(format!("a rule is an object in JSON: {error}")))?;
    let body = own(body, &name).map_err(bad)?;
    let rule = read::rule(&body, UnixNanos::now()).map_err(bad)?;
    let stored = rule.clone();
    let shared = api.clone();
    let added = api.live.run(move |hub| {
        let named = hub.alerts.post().channels().check(&stored.channels);
        named.map_err(|error| Problem::new(Kind::BadBody, format!("`channels`: {error}")))?;
        let added = shared.rules.add(stored);
        // It shows at once.
        let _ = hub.alerts.renew();
        Ok(added)
    });
    added.await?.map_err(failed)?;
    Ok(Json(self::rule(&Owned {
        rule,
        origin: Origin::Api,
    })))
}

/// The body of a rule that was read from here is taken, too.
fn own(mut body: Map<String, Value>, name: &str) -> Result<Map<String, Value>, String> {
    let told = body.entry("name").or_insert_with(|| name.into());
    if told != name {
        return Err("`name` must be the one in the address".to_owned());
    }
    for key in BESIDE {
        body.remove(key);
    }
    Ok(body)
}

/// `DELETE /api/v1/alerts/rules/{name}`
///
/// # Errors
/// When the API has no such rule; what keeps it from being removed.
pub async fn delete(
    state: State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    remove(state, named(path)?).await
}

/// `DELETE /api/v1/alerts/rules?name=…`
///
/// # Errors
/// As [`delete`].
pub async fn delete_named(state: State<Arc<Api>>, uri: OriginalUri) -> Result<Json, Problem> {
    remove(state, in_query(&uri, NAME)?).await
}

async fn remove(State(api): State<Arc<Api>>, name: String) -> Result<Json, Problem> {
    let shown = quoted(&name);
    let shared = api.clone();
    let removed = api.live.run(move |hub| {
        let removed = shared.rules.remove(&name);
        let _ = hub.alerts.renew();
        let other = {
            let book = hub.alerts.book();
            let other = book.rules().iter().find(|owned| owned.rule.name == name);
            other.map(|owned| owned.origin)
        };
        // Silences of what is no more would hold for whatever is called so next.
        let ended = match (&removed, other) {
            (Ok(true), None) => hub.alerts.silences().remove_of(&name, UnixNanos::now()),
            _ => Ok(Vec::new()),
        };
        Ok(removed.map(|removed| (removed, other, ended)))
    });
    let (removed, other, ended) = removed.await?.map_err(failed)?;
    let (ended, unended) = match ended {
        Ok(ended) => (ended, None),
        Err(error) => (Vec::new(), Some(format!("its silences stay: {error}"))),
    };
    match (removed, other) {
        (true, now) => Ok(Json(json!({
            "removed": shown,
            // Whose rule of that name is watched instead.
            "now": now.map(Origin::name),
            "silences_ended": ended,
            "notes": unended.as_slice(),
        }))),
        (false, Some(origin)) => Err(Problem::new(
            Kind::NotFound,
            format!(
                "{shown} is a rule of {}; PUT one of that name with \"enabled\": false to turn it \
                 off",
                match origin {
                    Origin::Config => "config.yaml",
                    _ => "those built in",
                }
            ),
        )),
        (false, None) => {
            let detail = format!("there is no rule {shown}; GET /api/v1/alerts lists them");
            Err(Problem::new(Kind::NotFound, detail))
        }
    }
}

/// `POST /api/v1/alerts/silences`
///
/// # Errors
/// What is wrong with it; what keeps it from being stored.
pub async fn silence(
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json), Problem> {
    let ask = asked(&small_body(body, BODY_BYTES)?)?;
    let shared = api.clone();
    let made = api.live.run(move |hub| {
        let _ = hub.alerts.renew();
        // Of a rule that cannot be read nobody knows that it is not there.
        let known = shared.rules.read().is_err()
            || ask.rule == EVERY
            || hub
                .alerts
                .book()
                .rules()
                .iter()
                .any(|it| it.rule.name == ask.rule);
        if !known {
            let rule = quoted(&ask.rule);
            let detail = format!("there is no rule {rule}; GET /api/v1/alerts lists them");
            return Err(Problem::new(Kind::NotFound, detail));
        }
        let made = hub.alerts.silences().add(ask, "api", UnixNanos::now());
        // It counts at once.
        let _ = hub.alerts.renew_silences();
        made.map_err(|error| not_silenced(&error))
    });
    let made = serde_json::to_value(made.await?).unwrap_or_default();
    Ok((StatusCode::CREATED, Json(made)))
}

fn asked(body: &[u8]) -> Result<Ask, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        rule: String,
        source: Option<String>,
        name: Option<String>,
        minutes: u64,
    }
    let bad = |what: String| Problem::new(Kind::BadBody, what);
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        bad(format!(
            "a silence is an object with `rule` and `minutes`, and `source` and `name` if it is \
             of one series: {error}"
        ))
    })?;
    // A page sends what its alert has: of many there is no source.
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let ask = Ask {
        rule: body.rule,
        source: some(body.source),
        name: some(body.name),
        minutes: body.minutes,
    };
    ask.check().map_err(|error| not_silenced(&error))?;
    Ok(ask)
}

/// `DELETE /api/v1/alerts/silences/{id}`
///
/// # Errors
/// When there is no such silence; what keeps it from being ended.
pub async fn unsilence(
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    let id = named(path)?;
    let shown = quoted(&id);
    let removed = api.live.run(move |hub| {
        let removed = hub.alerts.silences().remove(&id, UnixNanos::now());
        let _ = hub.alerts.renew_silences();
        removed.map_err(|error| not_silenced(&error.into()))
    });
    match removed.await? {
        true => Ok(Json(json!({"removed": shown}))),
        false => {
            let detail = format!("there is no silence {shown}; GET /api/v1/alerts lists them");
            Err(Problem::new(Kind::NotFound, detail))
        }
    }
}

fn not_silenced(error: &SilenceError) -> Problem {
    let kind = match error {
        SilenceError::Field { .. } | SilenceError::TooMany => Kind::BadBody,
        SilenceError::List(error) => not_changed(error),
    };
    Problem::new(kind, error.to_string())
}

fn not_changed(error: &ListError) -> Kind {
    match error {
        ListError::Malformed { .. } => Kind::Unreadable,
        ListError::Locked { .. } | ListError::Io { .. } => Kind::NotStored,
    }
}

/// `POST /api/v1/alerts/test/{channel}`
///
/// # Errors
/// When there is no such channel, or it could not be told: why.
pub async fn test(
    state: State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json, Problem> {
    try_out(state, named(path)?).await
}

/// `POST /api/v1/alerts/test?name=…`, as [`put_named`].
///
/// # Errors
/// As [`test`].
pub async fn test_named(state: State<Arc<Api>>, uri: OriginalUri) -> Result<Json, Problem> {
    try_out(state, in_query(&uri, CHANNEL)?).await
}

async fn try_out(State(api): State<Arc<Api>>, name: String) -> Result<Json, Problem> {
    let told = api.tests.run(move |hub| {
        let post = hub.alerts.post();
        let Some(channel) = post.channels().get(&name) else {
            let detail = post.channels().check(&[name]).err().unwrap_or_default();
            return Err(Problem::new(Kind::NotFound, detail));
        };
        let began = Instant::now();
        let (name, kind) = (channel.name().to_owned(), channel.kind());
        let told = channel.test(post.link());
        let took_ms = began.elapsed().as_secs_f64() * 1e3;
        match told {
            Ok(()) => Ok(json!({
                "channel": name,
                "kind": kind,
                "sent": true,
                "took_ms": (took_ms * 10.0).round() / 10.0,
            })),
            Err(failure) => Err(Problem::new(Kind::NotDelivered, failure.what)
                .with("channel", name)
                .with("kind", kind)),
        }
    });
    Ok(Json(told.await?))
}

fn named(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(name) = path.map_err(|error| Problem::new(Kind::NotFound, error.body_text()))?;
    Ok(name)
}

/// The name of a rule, in a query.
pub const NAME: Param = Param {
    name: "name",
    doc: "The rule's name, whatever it holds.",
    takes: Takes::Name(MAX_NAME),
};

/// The name of a channel, in a query.
pub const CHANNEL: Param = Param {
    doc: "The channel's name, whatever it holds.",
    ..NAME
};

fn in_query(uri: &OriginalUri, param: Param) -> Result<String, Problem> {
    let params = Params::read(uri.query(), &[param])?;
    let name = params.text(param.name);
    name.map(str::to_owned).ok_or_else(|| {
        let detail = "there is no name: give it as `name`, such as ?name=slow";
        Problem::new(Kind::BadParameter, detail).with("parameter", param.name)
    })
}

fn failed(error: RulesError) -> Problem {
    let kind = match &error {
        RulesError::TooMany => Kind::BadBody,
        RulesError::List(error) => not_changed(error),
    };
    Problem::new(kind, error.to_string())
}
