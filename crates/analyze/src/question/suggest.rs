//! Thresholds that the past suggests: above what is usual, below what stands out.
//!
//! Of each series a window slides over the past, as a rule's would. What is the
//! worst of each stretch as long as the window is a figure; those far outside
//! (Tukey, "Exploratory Data Analysis", 1977: some interquartile ranges) stand
//! out, of shares those alone that chance does not explain: two failures of ten
//! calls are none where one of thirty fails. The threshold lies a quarter beyond
//! the worst of the others, so that a rule says nothing of usual days, by how it is
//! made; what it says of the past is then asked of the very machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{Condition, Op, Rule, Stat};
use tachograph_model::answer::{Note, NoteKind, RulePast, Suggestion};
use tachograph_stats::{Fences, Fraction, Part, Sample, fisher, quantile};

use super::backtest::{Looks, Point, Slide, Sliding};
use crate::engine::Taker;

/// What is looked at.
pub(crate) const FAMILIES: [&str; 3] = ["tool", "cache", "model_cost"];
/// The longest window, seconds.
pub(crate) const REACH: u64 = 3600;

/// Windows of which the shortest is taken that tells enough, seconds.
const WINDOWS: [u64; 3] = [300, 900, REACH];
/// The condition must hold, and be gone, for this part of the window: a figure that
/// comes and goes about the threshold while the window slides is one alert.
const HOLD: u64 = 5;
/// Figures without which nothing is said.
const LEAST_FIGURES: usize = 24;
/// Days with figures without which nothing is said.
const LEAST_DAYS: usize = 3;
/// More than this part does not stand out: it is how things are.
const MOST_OUTSTANDING: f64 = 0.1;
/// Ratios nearer than this are the same.
const LEAST_RANGE: f64 = 0.05;
/// A share stands out where it would not come about in all windows together by
/// chance with more than this probability: a tenth of the usual 0.01, for they slide.
const CHANCE: f64 = 0.001;
/// Series of one family that are surveyed, in the order in which they came.
const MOST_SERIES: usize = 256;
/// Rules of one kind, those of the busiest series.
const MOST_RULES: usize = 16;

/// A kind of rule.
#[derive(Debug)]
struct Kind {
    family: &'static str,
    stat: Stat,
    above: bool,
    /// Fewer values in a window tell nothing.
    min_count: u64,
    severity: &'static str,
    /// So many interquartile ranges beyond the quartiles a figure stands out. Of a
    /// tail, which a single slow call makes, it takes more.
    far: f64,
    title: &'static str,
    /// Its windows.
    windows: &'static [u64],
}

#[rustfmt::skip]
const KINDS: [Kind; 4] = [
    Kind { family: "tool", stat: Stat::Ratio, above: true, min_count: 10,
        severity: "warning", far: 3.0, title: "Failing tool", windows: &WINDOWS },
    Kind { family: "tool", stat: Stat::P95, above: true, min_count: 20,
        severity: "warning", far: 5.0, title: "Slow tool", windows: &WINDOWS },
    Kind { family: "cache", stat: Stat::Ratio, above: false, min_count: 20,
        severity: "info", far: 3.0, title: "Cold cache", windows: &WINDOWS },
    Kind { family: "model_cost", stat: Stat::Sum, above: true, min_count: 1,
        severity: "warning", far: 3.0, title: "Dear model", windows: &[REACH] },
];

/// The past of all series, on its way.
#[derive(Debug)]
pub(crate) struct Survey {
    looks: Looks,
    series: Vec<Series>,
    index: Index,
    left_out: u64,
}

/// By family, source and name; `None`: it is left out.
type Index = HashMap<&'static str, HashMap<Box<str>, HashMap<Box<str>, Option<usize>>>>;

#[derive(Debug)]
struct Series {
    family: &'static str,
    source: Arc<str>,
    name: Arc<str>,
    values: u64,
    /// Of these, failed; of look-ups of a cache, found.
    hits: u64,
    points: Vec<Point>,
    figures: Vec<Figures>,
}

/// What a kind of rule would see of a series, with one window.
#[derive(Debug)]
struct Figures {
    kind: &'static Kind,
    window: u64,
    slide: Slide,
    /// The worst of each stretch that told enough, by its number, and of how many
    /// values it is.
    worst: BTreeMap<i64, (f64, u64)>,
}

/// A rule that is suggested, before it is held against the past.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) rule: Rule,
    windows: u64,
    outstanding: u64,
    usual: f64,
    worst_usual: f64,
    days: u64,
}

impl Survey {
    pub(crate) fn new(from: UnixNanos, until: UnixNanos) -> Self {
        Self {
            looks: Looks::between(from, until),
            series: Vec::new(),
            index: HashMap::new(),
            left_out: 0,
        }
    }

    fn place(&mut self, family: &'static str, source: &str, name: &str) -> Option<usize> {
        let known = self.index.get(family);
        if let Some(place) = known.and_then(|sources| sources.get(source)?.get(name)) {
            return *place;
        }
        let of_family = self.series.iter().filter(|it| it.family == family);
        let place = match of_family.count() < MOST_SERIES {
            true => Some(self.series.len()),
            false => None,
        };
        self.left_out += u64::from(place.is_none());
        let names = self.index.entry(family).or_default();
        let names = names.entry(source.into()).or_default();
        names.insert(name.into(), place);
        let kinds = KINDS.iter().filter(|kind| kind.family == family);
        let figures = kinds.flat_map(|kind| {
            kind.windows.iter().map(|window| Figures {
                kind,
                window: *window,
                slide: Slide::new(kind.seen(), *window, self.looks),
                worst: BTreeMap::new(),
            })
        });
        if place.is_some() {
            let figures = figures.collect();
            self.series.push(Series {
                family,
                source: source.into(),
                name: name.into(),
                values: 0,
                hits: 0,
                points: Vec::new(),
                figures,
            });
        }
        place
    }

    /// The rules, by kind and the busiest series first, and what is to be said.
    pub(crate) fn drafts(mut self) -> (Vec<Draft>, Vec<Note>) {
        self.settle();
        let looks = self.looks;
        for figures in self.series.iter_mut().flat_map(|it| &mut it.figures) {
            figures.end();
        }
        self.series.sort_by(|one, other| {
            let key = |it: &Series| {
                (
                    std::cmp::Reverse(it.values),
                    it.source.clone(),
                    it.name.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        let (mut drafts, mut notes) = (Vec::new(), Vec::new());
        for kind in &KINDS {
            let (mut found, mut poor) = (Vec::new(), Vec::new());
            let of_family = self.series.iter().filter(|it| it.family == kind.family);
            for series in of_family {
                match series.draft(kind, looks) {
                    Ok(draft) if found.len() < MOST_RULES => found.push(draft),
                    Ok(_) => self.left_out += 1,
                    Err(why) => poor.push((series.label(), why)),
                }
            }
            if found.is_empty() && poor.is_empty() {
                let text = format!("{}: there is no data of the kind", kind.title);
                notes.push(Note::on("suggest", NoteKind::NotEnoughData, text));
            }
            notes.extend(poor.into_iter().take(MOST_RULES).map(|(label, why)| {
                let text = format!("{}: {label:?}: {why}", kind.title);
                Note::on("suggest", NoteKind::NotEnoughData, text)
            }));
            drafts.extend(found);
        }
        if self.left_out > 0 {
            let text = format!("{} less busy series are left out", self.left_out);
            notes.push(Note::on("suggest", NoteKind::Cardinality, text));
        }
        (drafts, notes)
    }
}

impl Taker for Survey {
    fn take(&mut self, family: &'static str, source: &str, name: &str, point: Point) {
        let at = point.at.min(self.looks.last());
        if let Some(place) = self.place(family, source, name) {
            self.series[place].points.push(Point { at, ..point });
        }
    }

    fn settle(&mut self) {
        for series in &mut self.series {
            let mut points = std::mem::take(&mut series.points);
            points.sort_by_key(|point| point.at);
            series.values += points.len() as u64;
            let is_hit = |point: &&Point| match series.family {
                "cache" => point.value.is_some_and(|hit| hit > 0.5),
                _ => point.failed,
            };
            series.hits += points.iter().filter(is_hit).count() as u64;
            for figures in &mut series.figures {
                points.iter().for_each(|point| figures.take(point));
            }
            points.clear();
            series.points = points;
        }
    }
}

impl Kind {
    fn seen(&self) -> Stat {
        match (self.stat, self.family) {
            (Stat::Ratio, "cache") => Stat::Avg,
            (stat, _) => stat,
        }
    }

    fn is_ratio(&self) -> bool {
        self.stat == Stat::Ratio
    }

    /// Durations and costs differ by factors, ratios by differences.
    fn scaled(&self, figure: f64) -> f64 {
        match self.is_ratio() {
            true => figure,
            false => figure.max(f64::MIN_POSITIVE).ln(),
        }
    }
}

impl Figures {
    fn take(&mut self, point: &Point) {
        let mut seen = Seen::of(self.kind, self.window, &mut self.worst);
        self.slide
            .take(point, |look, count, window| seen.look(look, count, window));
    }

    fn end(&mut self) {
        let mut seen = Seen::of(self.kind, self.window, &mut self.worst);
        self.slide
            .end(|look, count, window| seen.look(look, count, window));
    }
}

struct Seen<'a> {
    kind: &'static Kind,
    stretch: i64,
    worst: &'a mut BTreeMap<i64, (f64, u64)>,
}

impl<'a> Seen<'a> {
    fn of(kind: &'static Kind, window: u64, worst: &'a mut BTreeMap<i64, (f64, u64)>) -> Self {
        let stretch = i64::try_from(window).unwrap_or(i64::MAX).max(1);
        Self {
            kind,
            stretch,
            worst,
        }
    }

    fn look(&mut self, first: i64, count: i64, window: &Sliding) {
        let enough = window.count() >= self.kind.min_count;
        let Some(figure) = window.figure().filter(|_| enough) else {
            return;
        };
        let above = self.kind.above;
        for stretch in first / self.stretch..=(first + count - 1) / self.stretch {
            let found = (figure, window.count());
            let worst = self.worst.entry(stretch).or_insert(found);
            // Of equal shares that of more values is the rarer.
            let is_worse = match above {
                true => (worst.0, worst.1) < found,
                false => (found.0, worst.1) < (worst.0, found.1),
            };
            if is_worse {
                *worst = found;
            }
        }
    }
}

impl Series {
    fn label(&self) -> String {
        match self.source.is_empty() {
            true => self.name.to_string(),
            false => format!("{}/{}", self.source, self.name),
        }
    }

    fn draft(&self, kind: &'static Kind, looks: Looks) -> Result<Draft, String> {
        let of_kind = self.figures.iter().filter(|it| std::ptr::eq(it.kind, kind));
        let days = |it: &Figures| {
            let day = |stretch: &i64| looks.at(stretch * it.window as i64).day();
            it.worst.keys().map(day).collect::<BTreeSet<_>>().len()
        };
        let tells = |it: &&Figures| it.worst.len() >= LEAST_FIGURES && days(it) >= LEAST_DAYS;
        // The shortest that tells about most of the time that a longer one does.
        let most = of_kind.clone().filter(tells).max_by_key(|it| it.window);
        let covered = |it: &Figures| it.worst.len() as u64 * it.window;
        let wanted = most.map_or(0, covered) / 2;
        let chosen = of_kind.filter(tells).find(|it| covered(it) >= wanted);
        let Some(chosen) = chosen else {
            let (least, count) = (LEAST_FIGURES, kind.min_count);
            return Err(format!(
                "too little is known: it takes {least} windows of {REACH} s with at least {count} \
                 values each, on {LEAST_DAYS} days"
            ));
        };
        let worst: Vec<(f64, u64)> = chosen.worst.values().copied().collect();
        let (worst_usual, outstanding) = usual(kind, &worst, Part::new(self.hits, self.values));
        let (sample, _) = Sample::new(worst.into_iter().map(|(figure, _)| figure).collect());
        let sample = sample.ok_or("there are no figures")?;
        let number = threshold(kind, worst_usual)?;
        let op = if kind.above { Op::Above } else { Op::Below };
        let stat = kind.stat;
        let condition = Condition { stat, op, number };
        let name = format!("{}: {}", kind.title, self.label());
        let rule = Rule {
            family: kind.family.to_owned(),
            group: "suggested".to_owned(),
            severity: kind.severity.to_owned(),
            window_seconds: chosen.window,
            for_seconds: chosen.window / HOLD,
            min_count: kind.min_count,
            description: format!("beyond what was usual in {} days", days(chosen)),
            ..Rule::new(&name, &self.name, &self.source, condition)
        };
        rule.check().map_err(|error| error.to_string())?;
        Ok(Draft {
            rule,
            windows: sample.len() as u64,
            outstanding,
            usual: quantile(&sample, Fraction::MEDIAN),
            worst_usual,
            days: days(chosen) as u64,
        })
    }
}

/// The worst that does not stand out, and how many do. Each figure comes with the
/// number of its values; `all` are those of the series.
fn usual(kind: &Kind, worst: &[(f64, u64)], all: Option<Part>) -> (f64, u64) {
    let figures: Vec<f64> = worst.iter().map(|(figure, _)| *figure).collect();
    let (sample, _) = Sample::new(figures.iter().map(|it| kind.scaled(*it)).collect());
    let worse = |one: f64, other: f64| {
        if kind.above {
            one.max(other)
        } else {
            one.min(other)
        }
    };
    let worst_of_all = figures.iter().copied().reduce(worse).unwrap_or(f64::NAN);
    let Some(sample) = sample else {
        return (worst_of_all, 0);
    };
    let fences = Fences::of(&sample, kind.far);
    let range = fences.q3 - fences.q1;
    let reach = kind.far
        * if kind.is_ratio() {
            range.max(LEAST_RANGE)
        } else {
            range
        };
    let chance = CHANCE / worst.len() as f64;
    let stands_out = |(figure, count): &&(f64, u64)| {
        let scaled = kind.scaled(*figure);
        let is_far = match kind.above {
            true => scaled > fences.q3 + reach,
            false => scaled < fences.q1 - reach,
        };
        is_far && !(kind.is_ratio() && is_chance(kind, (*figure, *count), all, chance))
    };
    let outstanding = worst.iter().filter(stands_out).count();
    if outstanding as f64 > MOST_OUTSTANDING * worst.len() as f64 {
        return (worst_of_all, 0);
    }
    let others = worst.iter().filter(|it| !stands_out(it));
    let others = others.map(|(figure, _)| *figure);
    (
        others.reduce(worse).unwrap_or(worst_of_all),
        outstanding as u64,
    )
}

/// Whether a share of so many values may come about by chance, where all others
/// are as they are.
fn is_chance(kind: &Kind, (share, count): (f64, u64), all: Option<Part>, chance: f64) -> bool {
    let hits = (share * count as f64).round() as u64;
    let rest = all.and_then(|all| {
        let (hits, trials) = (
            all.hits().checked_sub(hits)?,
            all.trials().checked_sub(count)?,
        );
        Part::new(hits, trials)
    });
    let tested = rest
        .zip(Part::new(hits, count))
        .and_then(|(rest, it)| fisher(rest, it));
    tested.is_some_and(|tested| match kind.above {
        true => tested.greater > chance,
        false => tested.less > chance,
    })
}

/// A quarter beyond what was usual, of two digits, rounded away from it.
fn threshold(kind: &Kind, worst_usual: f64) -> Result<f64, String> {
    let aside = match (kind.above, kind.is_ratio()) {
        // One failure among the fewest values is none to tell of.
        (true, true) => {
            (worst_usual + (worst_usual / 4.0).max(LEAST_RANGE)).max(1.5 / kind.min_count as f64)
        }
        (true, false) => worst_usual * 1.25,
        (false, _) => worst_usual - (worst_usual / 4.0).max(LEAST_RANGE),
    };
    let percent = 100.0 * worst_usual;
    if kind.is_ratio() && kind.above && aside >= 1.0 {
        return Err(format!(
            "{percent:.0} % of its calls fail at times, as it is"
        ));
    }
    if aside <= 0.0 {
        return Err("what is usual leaves no room for a threshold".to_owned());
    }
    let digit = 10_f64.powf(aside.log10().floor() - 1.0);
    let digits = aside / digit;
    let digits = if kind.above {
        digits.ceil()
    } else {
        digits.floor()
    };
    // As it is written, so that it reads well.
    let text = format!("{:.*}", 12, digits * digit);
    text.parse::<f64>().map_err(|error| error.to_string())
}

impl Draft {
    pub(crate) fn with(self, past: RulePast) -> Suggestion {
        let day = |firing: &tachograph_model::answer::Firing| firing.start.day();
        let fired: BTreeSet<i64> = past.firings.iter().map(day).collect();
        Suggestion {
            windows: self.windows,
            outstanding: self.outstanding,
            usual: self.usual,
            worst_usual: self.worst_usual,
            days: self.days,
            fired_days: fired.len() as u64,
            past,
        }
    }
}
