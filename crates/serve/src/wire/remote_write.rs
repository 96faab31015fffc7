//! Prometheus remote-write, 1.0 and 2.0: the messages as they lie on the wire,
//! one series at a time, so that a body of nothing but empty series holds no
//! more memory than it has bytes.
//!
//! Source: `prompb/types.proto` and `prompb/io/prometheus/write/v2/types.proto`
//! of Prometheus; the specifications at
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/> and
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>.

use super::protobuf::{Message, Wire, WireError};

/// Symbols that a request may have.
const MAX_SYMBOLS: usize = 1 << 20;
/// Labels, and samples or histograms, that one series of a request may have.
const MAX_LABELS: usize = 1 << 10;
const MAX_POINTS: usize = 1 << 20;

/// Which message a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

/// What a metric is; the numbers are those of both versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricType {
    #[default]
    Unknown,
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
}

/// A value at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    pub value: f64,
    /// Unix milliseconds.
    pub time: i64,
    /// When counting began, Unix milliseconds; 0 when it is not told.
    pub start: i64,
}

/// A native histogram, whole numbers or floats, without its buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Histogram {
    pub count: f64,
    pub sum: f64,
    /// Unix milliseconds.
    pub time: i64,
    /// As [`Sample::start`].
    pub start: i64,
    /// It is no running total.
    pub is_gauge: bool,
}

/// One series; to be used again for the next.
#[derive(Debug, Default)]
pub struct Series<'a> {
    /// Names and values; meant to be UTF-8.
    pub labels: Vec<(&'a [u8], &'a [u8])>,
    pub samples: Vec<Sample>,
    pub histograms: Vec<Histogram>,
    pub exemplars: u64,
    /// 2.0 only.
    pub kind: MetricType,
    /// 2.0 only; empty: none.
    pub unit: &'a [u8],
}

/// What 1.0 tells of all series of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Family<'a> {
    pub name: &'a [u8],
    pub kind: MetricType,
    pub unit: &'a [u8],
}

/// What came next.
#[derive(Debug, PartialEq)]
pub enum Part<'a> {
    /// The series that was handed in is filled.
    Series,
    Family(Family<'a>),
}

/// Why a body is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A reference leads nowhere.
    #[error("symbol {at} is referred to; there are {of}")]
    Symbol { at: u64, of: usize },
    /// A label has a name and no value.
    #[error("the references of a series' labels are no pairs")]
    Odd,
    /// There are too many symbols.
    #[error("more than {MAX_SYMBOLS} symbols; send fewer series at once")]
    Symbols,
    /// There are too many of something in a series.
    #[error(
        "a series has more than {MAX_LABELS} labels or {MAX_POINTS} samples; send fewer at once"
    )]
    Series,
}

/// Goes through a request.
#[derive(Debug)]
pub struct Reader<'a> {
    message: Message<'a>,
    version: Version,
    symbols: Vec<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// Begins; of 2.0 the symbols are read, wherever they stand.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn new(body: &'a [u8], version: Version) -> Result<Self, ReadError> {
        let message = Message::new(body);
        let mut symbols = Vec::new();
        if version == Version::V2 {
            let mut fields = message;
            while let Some((number, value)) = fields.next_field()? {
                if number == 4 {
                    symbols.push(value.bytes(4)?);
                }
                if symbols.len() > MAX_SYMBOLS {
                    return Err(ReadError::Symbols);
                }
            }
        }
        Ok(Self {
            message,
            version,
            symbols,
        })
    }

    /// Reads on; `None` at the end.
    ///
    /// # Errors
    /// [`ReadError`]. Go no further then.
    pub fn next_part(&mut self, series: &mut Series<'a>) -> Result<Option<Part<'a>>, ReadError> {
        while let Some((number, value)) = self.message.next_field()? {
            match (self.version, number) {
                (Version::V1, 1) | (Version::V2, 5) => {
                    self.series(value.message(number)?, series)?;
                    return Ok(Some(Part::Series));
                }
                (Version::V1, 3) => return Ok(Some(Part::Family(family(value.message(3)?)?))),
                _ => {}
            }
        }
        Ok(None)
    }

    fn series(&self, mut message: Message<'a>, series: &mut Series<'a>) -> Result<(), ReadError> {
        series.labels.clear();
        series.samples.clear();
        series.histograms.clear();
        (series.exemplars, series.kind, series.unit) = (0, MetricType::Unknown, b"");
        // 2.0's release candidates told it once for the whole series.
        let mut start = 0;
        let mut name = None;
        while let Some((number, value)) = message.next_field()? {
            match (self.version, number) {
                (Version::V1, 1) => series.labels.push(label(value.message(1)?)?),
                (Version::V2, 1) => match value {
                    Wire::Bytes(packed) => {
                        let mut packed = Message::new(packed);
                        while let Some(at) = packed.packed_varint()? {
                            self.label(at, &mut name, series)?;
                        }
                    }
                    value => self.label(value.varint(1)?, &mut name, series)?,
                },
                (_, 2) => series.samples.push(sample(value.message(2)?)?),
                (Version::V1, 4) | (Version::V2, 3) => {
                    series.histograms.push(histogram(value.message(number)?)?);
                }
                (Version::V1, 3) | (Version::V2, 4) => {
                    value.bytes(number)?;
                    series.exemplars += 1;
                }
                (Version::V2, 5) => self.metadata(value.message(5)?, series)?,
                (Version::V2, 6) => start = value.varint(6)?.cast_signed(),
                _ => {}
            }
            if series.labels.len() > MAX_LABELS
                || series.samples.len() > MAX_POINTS
                || series.histograms.len() > MAX_POINTS
            {
                return Err(ReadError::Series);
            }
        }
        if name.is_some() {
            return Err(ReadError::Odd);
        }
        if start != 0 {
            for sample in &mut series.samples {
                sample.start = start;
            }
            for histogram in &mut series.histograms {
                histogram.start = start;
            }
        }
        Ok(())
    }

    fn label(
        &self,
        at: u64,
        name: &mut Option<&'a [u8]>,
        series: &mut Series<'a>,
    ) -> Result<(), ReadError> {
        let symbol = self.symbol(at)?;
        if series.labels.len() > MAX_LABELS {
            return Err(ReadError::Series);
        }
        match name.take() {
            None => *name = Some(symbol),
            Some(name) => series.labels.push((name, symbol)),
        }
        Ok(())
    }

    fn symbol(&self, at: u64) -> Result<&'a [u8], ReadError> {
        let of = self.symbols.len();
        let symbol = usize::try_from(at).ok().and_then(|at| self.symbols.get(at));
        symbol.copied().ok_or(ReadError::Symbol { at, of })
    }

    fn metadata(&self, mut message: Message<'a>, series: &mut Series<'a>) -> Result<(), ReadError> {
        while let Some((number, value)) = message.next_field()? {
            match number {
                1 => series.kind = metric_type(value.varint(1)?),
                // No unit may be told as the first symbol, or not at all.
                4 => match value.varint(4)? {
                    0 => {}
                    at => series.unit = self.symbol(at)?,
                },
                _ => {}
            }
        }
        Ok(())
    }
}

fn label(mut message: Message<'_>) -> Result<(&[u8], &[u8]), ReadError> {
    let mut label: (&[u8], &[u8]) = (b"", b"");
    while let Some((number, value)) = message.next_field()? {
        match number {
            1 => label.0 = value.bytes(1)?,
            2 => label.1 = value.bytes(2)?,
            _ => {}
        }
    }
    Ok(label)
}

fn sample(mut message: Message<'_>) -> Result<Sample, ReadError> {
    let mut sample = Sample::default();
    while let Some((number, value)) = message.next_field()? {
        match number {
            1 => sample.value = value.double(1)?,
            2 => sample.time = value.varint(2)?.cast_signed(),
            3 => sample.start = value.varint(3)?.cast_signed(),
            _ => {}
        }
    }
    Ok(sample)
}

fn histogram(mut message: Message<'_>) -> Result<Histogram, ReadError> {
    const GAUGE: u64 = 3;
    let mut histogram = Histogram::default();
    while let Some((number, value)) = message.next_field()? {
        match number {
            1 => histogram.count = value.varint(1)? as f64,
            2 => histogram.count = value.double(2)?,
            3 => histogram.sum = value.double(3)?,
            14 => histogram.is_gauge = value.varint(14)? == GAUGE,
            15 => histogram.time = value.varint(15)?.cast_signed(),
            17 => histogram.start = value.varint(17)?.cast_signed(),
            _ => {}
        }
    }
    Ok(histogram)
}

fn family(mut message: Message<'_>) -> Result<Family<'_>, ReadError> {
    let mut family = Family::default();
    while let Some((number, value)) = message.next_field()? {
        match number {
            1 => family.kind = metric_type(value.varint(1)?),
            2 => family.name = value.bytes(2)?,
            5 => family.unit = value.bytes(5)?,
            _ => {}
        }
    }
    Ok(family)
}

fn metric_type(number: u64) -> MetricType {
    use MetricType::{Counter, Gauge, GaugeHistogram, Histogram, Info, StateSet, Summary, Unknown};
    match number {
        1 => Counter,
        2 => Gauge,
        3 => Histogram,
        4 => GaugeHistogram,
        5 => Summary,
        6 => Info,
        7 => StateSet,
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A field whose value has a length.
    fn bytes(number: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
        let value = value.as_ref();
        let mut field = vec![number << 3 | 2, u8::try_from(value.len()).expect("short")];
        field.extend_from_slice(value);
        field
    }

    fn double(number: u8, value: f64) -> Vec<u8> {
        [&[number << 3 | 1], &value.to_le_bytes()[..]].concat()
    }

    fn v1() -> Vec<u8> {
        let label = |name, value| bytes(1, [bytes(1, name), bytes(2, value)].concat());
        let sample = bytes(2, [double(1, 1.5), vec![0x10, 7]].concat());
        let histogram = bytes(4, [vec![0x08, 3], double(3, 4.5), vec![0x78, 9]].concat());
        let series = [
            label("__name__", "up"),
            label("job", "x"),
            sample,
            histogram,
            bytes(3, ""),
        ];
        let family = [
            vec![0x08, 1],
            bytes(2, "up"),
            bytes(4, "help"),
            bytes(5, "s"),
        ];
        [bytes(1, series.concat()), bytes(3, family.concat())].concat()
    }

    fn v2() -> Vec<u8> {
        let symbols = ["", "__name__", "up", "job", "x", "s"].map(|symbol| bytes(4, symbol));
        let sample = bytes(2, [double(1, 1.5), vec![0x10, 7, 0x18, 2]].concat());
        let histogram = [
            double(2, 3.0),
            double(3, 4.5),
            vec![0x70, 3, 0x78, 9, 0x88, 1, 2],
        ];
        let series = [
            bytes(1, [1, 2, 3, 4]),
            sample,
            bytes(3, histogram.concat()),
            bytes(4, ""),
            bytes(5, [0x08, 1, 0x18, 0, 0x20, 5]),
        ];
        [bytes(5, series.concat()), symbols.concat()].concat()
    }

    /// All of a body, in words.
    fn read(body: &[u8], version: Version) -> Result<Vec<String>, ReadError> {
        let mut reader = Reader::new(body, version)?;
        let mut series = Series::default();
        let mut found = Vec::new();
        while let Some(part) = reader.next_part(&mut series)? {
            found.push(match part {
                Part::Series => {
                    let text = String::from_utf8_lossy;
                    let labels = series.labels.iter();
                    let labels: Vec<_> = labels
                        .map(|(name, value)| format!("{}={}", text(name), text(value)))
                        .collect();
                    let kind = (series.kind, text(series.unit));
                    let points = (&series.samples, &series.histograms, series.exemplars);
                    format!("{} {points:?} {kind:?}", labels.join(","))
                }
                Part::Family(family) => format!("{family:?}"),
            });
        }
        Ok(found)
    }

    #[test]
    fn both_versions_are_read() {
        let one = "__name__=up,job=x ([Sample { value: 1.5, time: 7, start: 0 }], \
             [Histogram { count: 3.0, sum: 4.5, time: 9, start: 0, is_gauge: false }], 1) \
             (Unknown, \"\")"
            .to_owned();
        let family = Family {
            name: b"up",
            kind: MetricType::Counter,
            unit: b"s",
        };
        let family = format!("{family:?}");
        assert_eq!(read(&v1(), Version::V1), Ok(vec![one.clone(), family]));
        let two = one
            .replace("time: 7, start: 0", "time: 7, start: 2")
            .replace("start: 0, is_gauge: false", "start: 2, is_gauge: true")
            .replace("Unknown, \"\"", "Counter, \"s\"");
        assert_eq!(read(&v2(), Version::V2), Ok(vec![two]));
        // The wrong schema gives nothing, as both were made for.
        assert_eq!(read(&v1(), Version::V2), Ok(vec![]));
        assert_eq!(read(&v2(), Version::V1), Ok(vec![]));
    }

    #[test]
    fn what_is_no_request_is_named() {
        let check = |body: &[u8], error| assert_eq!(read(body, Version::V2), Err(error));
        let series = |refs: &[u8]| bytes(5, bytes(1, refs));
        check(&series(&[0, 0]), ReadError::Symbol { at: 0, of: 0 });
        let one = [bytes(4, ""), series(&[0])].concat();
        check(&one, ReadError::Odd);
        let far = [
            bytes(4, ""),
            series(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ];
        check(
            &far.concat(),
            ReadError::Symbol {
                at: u64::MAX,
                of: 1,
            },
        );
        check(&[0x28, 1], WireError::Type(5).into());
        let many = [0x22, 0].repeat(MAX_SYMBOLS + 1);
        check(&many, ReadError::Symbols);
        // As fields of their own and packed.
        let long = |content: Vec<u8>| {
            let mut field = vec![0x2a];
            let mut len = content.len();
            while len >= 0x80 {
                field.push(len as u8 | 0x80);
                len >>= 7;
            }
            field.push(len as u8);
            [bytes(4, ""), field, content].concat()
        };
        check(&long([0x12, 0].repeat(MAX_POINTS + 1)), ReadError::Series);
        check(&long([0x1a, 0].repeat(MAX_POINTS + 1)), ReadError::Series);
        check(&long([0x08, 0].repeat(3 * MAX_LABELS)), ReadError::Series);
        let packed = [vec![0x0a, 0x80, 0x18], vec![0; 3 * MAX_LABELS]].concat();
        check(&long(packed), ReadError::Series);
    }

    #[test]
    fn a_body_cut_anywhere_is_an_error_or_whole_parts() {
        for (body, version) in [(v1(), Version::V1), (v2(), Version::V2)] {
            let whole = read(&body, version).expect("whole");
            for end in 0..body.len() {
                let cut = read(&body[..end], version);
                assert!(
                    cut.is_err() || cut.is_ok_and(|parts| parts.len() < whole.len()),
                    "{version:?} {end}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for version in [Version::V1, Version::V2] {
                if let Ok(parts) = read(&bytes, version) {
                    prop_assert!(parts.len() <= bytes.len());
                }
            }
        }
    }
}
