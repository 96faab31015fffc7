use super::*;

fn check(text: &str, expected: Result<&str, TimeError>) {
    let read = UnixNanos::parse(text, false);
    assert_eq!(
        read.map(|t| t.to_string()),
        expected.map(String::from),
        "{text}"
    );
}

#[test]
fn reads_what_fromisoformat_reads() {
    let noon = Ok("2025-11-20T11:00:00+00:00");
    check("2025-11-20T11:00:00+00:00", noon);
    check("2025-11-20T11:00:00Z", noon);
    check("2025-11-20 11:00:00Z", noon);
    check("2025-11-20é11:00:00Z", noon);
    check("20251120T110000Z", noon);
    check("2025-11-20T11+00:00", noon);
    check("2025-11-20T16:30:00+05:30", noon);
    check("2025-11-20T05:00:00-0600", noon);
    check(
        "2025-11-20T11:00:00.5Z",
        Ok("2025-11-20T11:00:00.500000+00:00"),
    );
    check(
        "2025-11-20T11:00:00.123456+00:00",
        Ok("2025-11-20T11:00:00.123456+00:00"),
    );
    check(
        "2025-11-20T11:00:00.123456789Z",
        Ok("2025-11-20T11:00:00.123456789+00:00"),
    );
    check(
        "1969-12-31T23:59:59.999999Z",
        Ok("1969-12-31T23:59:59.999999+00:00"),
    );
    check("2024-02-29T00:00:00Z", Ok("2024-02-29T00:00:00+00:00"));
}

#[test]
fn refuses_the_rest_and_says_why() {
    check("2024-13-45", Err(TimeError::OutOfRange));
    check("2025-02-29T00:00:00Z", Err(TimeError::OutOfRange));
    check("2025-11-20T24:00:00Z", Err(TimeError::OutOfRange));
    check("2025-11-20T00", Err(TimeError::Naive));
    check("2025-11-20T11:00:00", Err(TimeError::Naive));
    check("9999-12-31T23:59:59Z", Err(TimeError::Unrepresentable));
    check("0000-01-01T00:00:00Z", Err(TimeError::OutOfRange));
    check("2025-11-20T11:00:00.Z", Err(TimeError::Malformed));
    check("2025-11-20T11:00:00Zx", Err(TimeError::Malformed));
    check("yesterday", Err(TimeError::Malformed));
    check("", Err(TimeError::Malformed));
}

#[test]
fn calendar_round_trips_for_every_day_of_the_range() {
    for day in (-106_000..106_000).step_by(7) {
        let (year, month, dom) = calendar_of_day(day);
        assert_eq!(days_from_civil(year, month, dom), Ok(day));
    }
    assert_eq!(UnixNanos(0).weekday(), 3);
    assert_eq!(date_of_day(20_412), "2025-11-20");
}

#[test]
fn epoch_seconds_round_trip_to_the_microsecond() {
    let at = UnixNanos::from_epoch_seconds(1_757_495_269.932_687).expect("in range");
    assert_eq!(at.to_string(), "2025-09-10T09:07:49.932687+00:00");
    assert_eq!(at.as_epoch_seconds(), 1_757_495_269.932_687);
    assert_eq!(UnixNanos::from_epoch_seconds(f64::NAN), None);
    assert_eq!(UnixNanos::from_epoch_seconds(1e300), None);
}

mod property {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The short way reads nothing otherwise than the long one.
        #[test]
        fn the_usual_form_is_read_as_any_other(
            text in "[0-9]{4}-[0-3][0-9]-[0-3][0-9][T ,x][0-2][0-9]:[0-6][0-9]:[0-6][0-9]\
                     (\\.[0-9]{5,7})?(Z|\\+00:00|\\+00:01|)",
            spoiled in proptest::option::weighted(0.3, (0..32_usize, any::<char>())),
        ) {
            let mut text = text;
            if let Some((at, with)) = spoiled
                && at < text.len()
            {
                text.replace_range(at..=at, &with.to_string());
            }
            if let Some(time) = parse_usual(text.as_bytes()) {
                prop_assert_eq!(parse_any(text.as_bytes(), false), Ok(time));
            }
        }

        #[test]
        fn what_is_written_is_read_back(nanos in any::<i64>()) {
            let text = UnixNanos(nanos).to_string();
            prop_assert_eq!(UnixNanos::parse(&text, false), Ok(UnixNanos(nanos)));
        }
    }

    #[test]
    fn the_form_that_we_write_is_the_usual_one() {
        for text in ["2025-11-20T11:00:00.123456+00:00", "2025-11-20T11:00:00Z"] {
            assert_eq!(
                parse_usual(text.as_bytes()).map(Ok),
                Some(parse_any(text.as_bytes(), false))
            );
        }
    }
}
