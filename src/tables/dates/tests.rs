use super::*;

fn iso(text: &str, day_first: bool) -> Option<String> {
    read(text.as_bytes())?.date(day_first).map(|date| date.to_string())
}

#[test]
fn unambiguous_dates_are_read() {
    for (text, expected) in [
        ("2012-01-31", "2012-01-31"),
        ("2012/1/31", "2012-01-31"),
        ("2012.01.31", "2012-01-31"),
        ("Jan 1 2000", "2000-01-01"),
        ("January 31, 2012", "2012-01-31"),
        ("Sept. 5, 1999", "1999-09-05"),
        ("1 January 2000", "2000-01-01"),
        ("7-Aug-98", "1998-08-07"),
        ("07-AUG-2004", "2004-08-07"),
        ("1. May 2000", "2000-05-01"),
        ("2012-01-31T12:00:00Z", "2012-01-31T12:00:00Z"),
        ("2012-01-31 12:30", "2012-01-31T12:30:00"),
        ("2012-01-31T12:30:05.2500", "2012-01-31T12:30:05.25"),
        ("2012-01-31T23:30:00-02:00", "2012-02-01T01:30:00Z"),
        ("2012-01-01 00:30 +0100", "2011-12-31T23:30:00Z"),
        ("2012-01-31 11:05:06 pm", "2012-01-31T23:05:06"),
        ("2012-01-31 12:00 AM", "2012-01-31T00:00:00"),
        ("2000-02-29", "2000-02-29"),
    ] {
        assert_eq!(iso(text, false).as_deref(), Some(expected), "{text}");
        assert_eq!(iso(text, true).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn ambiguous_dates_are_read_both_ways() {
    for (text, month_first, day_first) in [
        ("1/2/2012", Some("2012-01-02"), Some("2012-02-01")),
        ("31/1/2012", None, Some("2012-01-31")),
        ("1/31/12", Some("2012-01-31"), None),
        ("01.02.2012", Some("2012-01-02"), Some("2012-02-01")),
        ("31.12.19", None, Some("2019-12-31")),
        ("01.02.03", None, Some("2003-02-01")),
        ("13-02-2012 10:00", None, Some("2012-02-13T10:00:00")),
    ] {
        assert_eq!(iso(text, false).as_deref(), month_first, "{text}");
        assert_eq!(iso(text, true).as_deref(), day_first, "{text}");
    }
}

/// Such a time was shown as a date in year 0, which is not itself read as one.
#[test]
fn an_offset_must_not_lead_out_of_the_years_1_to_9999() {
    assert_eq!(iso("0001-01-01T01:00+01:00", false).as_deref(), Some("0001-01-01T00:00:00Z"));
    assert_eq!(iso("0001-01-01T00:59+01:00", false), None);
    assert_eq!(iso("9999-12-31T22:59-01:00", false).as_deref(), Some("9999-12-31T23:59:00Z"));
    assert_eq!(iso("9999-12-31T23:00-01:00", false), None);
}

#[test]
fn text_that_is_not_a_date_is_refused() {
    for text in [
        "2012",
        "2012-01",
        "2012-13-01",
        "2012-02-30",
        "1900-02-29",
        "0000-01-01",
        "1.2.3",
        "192.168.1.1",
        "1.2.12",
        "31.1.19",
        "10.15.07",
        "10.10.10.10",
        "1-2-12",
        "13/13/2012",
        "2012-01/31",
        "Janu 1 2000",
        "Jan 2000",
        "Mayor 1 2000",
        "12:30",
        "2012-01-31T25:00",
        "2012-01-31T12",
        "2012-01-31x",
        "2012-01-31T12:00:00+99:00",
        "555-1234",
        "10/10",
        "20120131",
        "2012-01-31 13:00 PM",
    ] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn every_date_and_time_is_read_back(
        year in 1_i16..=9999, day in 1_i16..=365, second in 0_i64..86_400, nano in 0_i32..1_000_000_000
    ) {
        let date = jiff::civil::date(year, 1, 1)
            .checked_add(jiff::SignedDuration::from_hours(24 * i64::from(day - 1))).unwrap();
        let text = date.to_string();
        proptest::prop_assert_eq!(iso(&text, false), Some(text));
        let at = date.at(0, 0, 0, nano)
            .checked_add(jiff::SignedDuration::from_secs(second)).unwrap();
        let text = at.to_string();
        proptest::prop_assert_eq!(iso(&text, false), Some(text));
    }

    #[test]
    fn never_panics(text in "[-0-9/.: TZJanFebUtc,+]{0,30}|.{0,20}") {
        let _ = read(text.as_bytes());
    }
}
