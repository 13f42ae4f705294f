use super::*;

#[test]
fn numbers_with_a_decimal_point_are_read() {
    for (text, value) in [
        ("0", 0.0),
        ("-17", -17.0),
        ("+5", 5.0),
        ("2.50", 2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0.001", -0.001),
        ("1e-3", 0.001),
        ("1.5E+3", 1500.0),
        ("1,234.56", 1234.56),
        ("-12,345,678", -12_345_678.0),
        ("123456789.123456789", 123_456_789.123_456_79),
        ("0.1", 0.1),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("1e308", 1e308),
        ("31.95376472", 31.953_764_72),
    ] {
        assert_eq!(number(text.as_bytes()).map(|n| n.value), Some(value), "{text}");
    }
    for text in [
        "",
        "-",
        "+",
        ".",
        "-.",
        "007",
        "00",
        "-01",
        "1e",
        "e5",
        "1e999",
        "1,23",
        "1,2345",
        ",123",
        "0,123",
        "1,234,",
        "1.2.3",
        "0x10",
        "12a",
        "1 2",
        "NaN",
        "inf",
        "+4930123456",
        "2012-01-31",
        "1,234e",
        "1.234,5",
        "--1",
        "1e5.5",
    ] {
        assert_eq!(number(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn whole_numbers_keep_all_their_digits() {
    for n in [0, 1, -1, i64::MAX, i64::MIN] {
        let read = number(n.to_string().as_bytes()).unwrap();
        assert_eq!((read.whole, read.long), (Some(n), false));
    }
    assert_eq!(number(b"1,234").unwrap().whole, Some(1234));
    assert_eq!(number(b"5.0").unwrap().whole, None, "written as a fraction");
    for long in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234"] {
        let read = number(long.as_bytes()).unwrap();
        assert!(read.whole.is_none() && read.long, "{long}");
        assert_eq!(read.value, long.parse::<f64>().unwrap());
    }
}

#[test]
fn numbers_with_a_decimal_comma_are_read() {
    for (text, value) in
        [("1,5", 1.5), ("1.234,56", 1234.56), ("1.234", 1234.0), ("7", 7.0), ("-0,25", -0.25)]
    {
        assert_eq!(number_with_comma(text.as_bytes()).map(|n| n.value), Some(value), "{text}");
    }
    for text in ["1.5", "1,234.5", "01,5", "1,2,3", "31.12.2012"] {
        assert_eq!(number_with_comma(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn words_for_booleans_and_no_value_are_read() {
    assert_eq!(boolean(b"TRUE"), Some(true));
    assert_eq!(boolean(b"No"), Some(false));
    assert_eq!(boolean(b"1"), None);
    assert!(is_missing(b"N/A") && is_missing(b"") && is_missing(b"NaN") && is_missing(b"-"));
    assert!(!is_missing(b"0") && !is_missing(b"nothing"));
}

proptest::proptest! {
    #[test]
    fn every_float_is_read_exactly(value: f64) {
        proptest::prop_assume!(value.is_finite());
        let text = value.to_string();
        let read = number(text.as_bytes()).unwrap();
        proptest::prop_assert_eq!(read.value, value);
        let exponent = format!("{value:e}");
        proptest::prop_assert_eq!(number(exponent.as_bytes()).unwrap().value, value);
        let comma = text.replace('.', ",");
        proptest::prop_assert_eq!(number_with_comma(comma.as_bytes()).unwrap().value, value);
    }

    #[test]
    fn never_panics(text in ".{0,12}|[-+0-9.,eE ]{0,24}") {
        for read in [number(text.as_bytes()), number_with_comma(text.as_bytes())] {
            proptest::prop_assert!(read.is_none_or(|n| n.value.is_finite()));
        }
    }
}
