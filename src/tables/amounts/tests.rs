use super::*;

fn values(text: &str) -> Option<(Option<f64>, Option<f64>, String)> {
    let amount = read(text.as_bytes())?;
    let value = |number: Option<Number>| number.map(|number| number.value);
    Some((value(amount.point), value(amount.comma), amount.unit))
}

#[test]
fn both_notations_are_tried() {
    for (text, point, comma, unit) in [
        ("$1,234.50", Some(1234.5), None, "$"),
        ("1.234,50 €", None, Some(1234.5), "€"),
        ("1.234 €", Some(1.234), Some(1234.0), "€"),
        ("5 kg", Some(5.0), Some(5.0), "kg"),
        ("1 234.500", Some(1234.5), None, ""),
        ("١٬٢٣٤٫٥", Some(1234.5), Some(1234.5), ""),
        ("\u{200e}$5\u{200f}", Some(5.0), Some(5.0), "$"),
        ("$ -", Some(0.0), Some(0.0), "$"),
    ] {
        assert_eq!(values(text), Some((point, comma, unit.to_owned())), "{text}");
    }
}

#[test]
fn what_is_odd_about_an_amount_is_reported() {
    let traits = |text: &str| read(text.as_bytes()).map(|amount| amount.traits).unwrap_or_default();
    assert!(traits("(212)").brackets && !traits("(212.5)").brackets && !traits("($5)").brackets);
    assert!(traits("2-").grade && !traits("250-").grade && !traits("2.50-").grade);
    assert_eq!(traits("732 829 320").blanks, Some(9));
    assert_eq!(traits("12 829 320").blanks, None, "eight digits");
    assert_eq!(traits("732 829 000").blanks, None, "a round number");
    assert!(traits("5 apples").unknown_unit && !traits("5 kg").unknown_unit);
}

#[test]
fn the_length_is_limited() {
    let text = |zeros: usize| format!("$1.{}", "0".repeat(zeros));
    assert!(read(text(MAX_BYTES - 3).as_bytes()).is_some());
    assert_eq!(read(text(MAX_BYTES - 2).as_bytes()), None);
}

#[test]
fn whole_numbers_keep_their_digits() {
    let whole = |text: &str| read(text.as_bytes()).and_then(|amount| amount.point?.whole);
    assert_eq!(whole("(9,223,372,036,854,775,807)"), Some(-i64::MAX));
    assert_eq!(whole("$9223372036854775807"), Some(i64::MAX));
    assert!(read(b"$9223372036854775808").unwrap().point.unwrap().long);
}

proptest::proptest! {
    #[test]
    fn never_panics(text in ".{0,20}|[-+(]?[$€R]{0,2} ?[-0-9., '٣\u{66b}\u{66c}()%a-z]{0,24}") {
        if let Some(amount) = read(text.as_bytes()) {
            for number in [amount.point, amount.comma].into_iter().flatten() {
                proptest::prop_assert!(number.value.is_finite());
            }
        }
    }
}
