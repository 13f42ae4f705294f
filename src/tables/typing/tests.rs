//! Columns by kind: what they must be read as.

use std::ops::ControlFlow;

use bytes::Bytes;
use proptest::prelude::*;

use crate::domain::Timestamp;
use crate::tables::ingest::{IngestLimits, Ingested, ingest};
use crate::tables::rows::{Cell, for_each_row};

fn take(name: &str, text: &str) -> Ingested {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    ingest(name, &bytes, Timestamp(0), &IngestLimits::default()).unwrap()
}

/// The cells of a column: numbers as text, `NULL`, or the text in quotation marks.
fn cells(file: &Ingested, column: usize) -> Vec<String> {
    let mut cells = Vec::new();
    for_each_row(&file.dataset, &file.text, &mut |row| {
        cells.push(match &row[column] {
            Cell::Null => "NULL".to_owned(),
            Cell::Int(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Bool(value) => value.to_string(),
            Cell::Text(text) => format!("“{text}”"),
        });
        ControlFlow::Continue(())
    });
    cells
}

/// Column `v` of a file divided by vertical bars: its type, its unit and its cells.
fn column(values: &[&str]) -> (String, String, String) {
    let text = values.iter().fold("v|w\n".to_owned(), |text, value| text + value + "|x\n");
    let file = take("a.csv", &text);
    let column = &file.dataset.columns[0];
    let unit = column.stats.unit.clone().unwrap_or_default();
    (column.kind.as_str().to_owned(), unit, cells(&file, 0).join(" "))
}

#[test]
fn amounts_of_every_kind_are_numbers() {
    for (values, unit, numbers) in [
        // Currencies.
        (&["$1,234.50", "$20", "$3.5"][..], "$", "1234.5 20 3.5"),
        (&["$1,234,567", "$20"], "$", "1234567 20"),
        (&["-$5", "$-6.5", "($7)", "$(8)"], "$", "-5 -6.5 -7 -8"),
        (&["$ 1,234.50 ", " $ -   ", "$ (3.00)"], "$", "1234.5 0 -3"),
        (&["12,50 €", "9,90 €", "1.099,00 €"], "€", "12.5 9.9 1099"),
        (&["€ 12,50", "€ 1.099,00"], "€", "12.5 1099"),
        (&["€12.50", "€1,099.00"], "€", "12.5 1099"),
        (&["12,50\u{a0}€", "1\u{202f}099,00\u{202f}€"], "€", "12.5 1099"),
        (&["EUR 5", "EUR 7"], "EUR", "5 7"),
        (&["12.50 EUR", "7 EUR"], "EUR", "12.5 7"),
        (&["5 €", "EUR 7,50"], "€", "5 7.5"),
        (&["USD 1,234.50", "USD 5.00"], "USD", "1234.5 5"),
        (&["USD1,234.50", "USD5.00"], "USD", "1234.5 5"),
        (&["US$1,234.50", "US$5"], "US$", "1234.5 5"),
        (&["CHF 12.50", "CHF 1'234.50"], "CHF", "12.5 1234.5"),
        (&["CHF 12.–", "CHF 5.-"], "CHF", "12 5"),
        (&["R$ 1.234,50", "R$ 5,00"], "R$", "1234.5 5"),
        (&["R$1.234", "R$2.500"], "R$", "1234 2500"),
        (&["1 234,50 kr", "99,00 kr"], "kr", "1234.5 99"),
        (&["kr 1.234,50", "kr 99,00"], "kr", "1234.5 99"),
        (&["99,00 kr.", "5,00 kr."], "kr.", "99 5"),
        (&["100,-", "99,50", "5,--"], "", "100 99.5 5"),
        (&["£2.50", "£1,000"], "£", "2.5 1000"),
        (&["¥1,234", "¥500"], "¥", "1234 500"),
        (&["￥１，２３４", "￥５００"], "￥", "1234 500"),
        (&["₹12,34,567.50", "₹1,000"], "₹", "1234567.5 1000"),
        (&["Rs. 500", "Rs. 1,50,000"], "Rs.", "500 150000"),
        (&["1 234,50 zł", "5,00 zł"], "zł", "1234.5 5"),
        (&["1 234 Kč", "5 Kč"], "Kč", "1234 5"),
        (&["1 234,50 ₽", "5,00 ₽"], "₽", "1234.5 5"),
        (&["R1 234,50", "R99,00"], "R", "1234.5 99"),
        (&["R 1,234.50", "R 99.00"], "R", "1234.5 99"),
        (&["S/ 1,234.50", "S/ 5.00"], "S/", "1234.5 5"),
        (&["1 500 FCFA", "20 000 FCFA"], "FCFA", "1500 20000"),
        (&["₩12,000", "₩500"], "₩", "12000 500"),
        (&["1.234 Ft", "500 Ft"], "Ft", "1234 500"),
        (&["5.000 €", "12.000 €"], "€", "5000 12000"),
        (&["$1.5M", "$20M"], "$ M", "1.5 20"),
        (&["$5 million", "$1.5 million"], "$ million", "5 1.5"),
        (&["$5.00 USD", "$6.00 USD"], "$ USD", "5 6"),
        (&["3,50 €/kg", "4,20 €/kg"], "€/kg", "3.5 4.2"),
        (&["1.234,50 TL", "5,00 TL"], "TL", "1234.5 5"),
        // Percentages.
        (&["12%", "9%", "100%"], "%", "12 9 100"),
        (&["12 %", "9,5 %"], "%", "12 9.5"),
        (&["+12.5%", "-3.0%", "\u{2212}1.5%"], "%", "12.5 -3 -1.5"),
        (&["%12", "%9"], "%", "12 9"),
        (&["12\u{a0}%", "7\u{a0}%"], "%", "12 7"),
        (&["3‰", "4‰"], "‰", "3 4"),
        (&["(5%)", "10%"], "%", "-5 10"),
        // Groups of digits.
        (&["1'234.50", "12'000", "7"], "", "1234.5 12000 7"),
        (&["1’234.50", "1’234’567.00"], "", "1234.5 1234567"),
        (&["1 234,50", "12 000,00", "900,00"], "", "1234.5 12000 900"),
        (&["1\u{202f}234,50", "900,00"], "", "1234.5 900"),
        (&["1\u{a0}234\u{a0}567", "900"], "", "1234567 900"),
        (&["1\u{2009}234.5", "900"], "", "1234.5 900"),
        (&["1 234", "12 000", "7"], "", "1234 12000 7"),
        (&["-1 234,5", "0,5"], "", "-1234.5 0.5"),
        (&["12,34,567", "1,00,000", "500"], "", "1234567 100000 500"),
        (&["1,23,45,678.90", "5"], "", "12345678.9 5"),
        (&["1.234.567", "1.234"], "", "1234567 1234"),
        (&["1,234,567", "1,234"], "", "1234567 1234"),
        (&["1.234,5", "1.234"], "", "1234.5 1234"),
        (&["0,5", "1,234"], "", "0.5 1.234"),
        (&["0.5", "1.234"], "", "0.5 1.234"),
        // Less than zero.
        (&["(120.50)", "100", "30"], "", "-120.5 100 30"),
        (&["(1,234.50)", "(5.25)"], "", "-1234.5 -5.25"),
        (&["($5)", "$7"], "$", "-5 7"),
        (&["(5,00 €)", "7,00 €"], "€", "-5 7"),
        (&["(5,00) €", "7,00 €"], "€", "-5 7"),
        (&["120.50-", "100"], "", "-120.5 100"),
        (&["1.234,50-", "100,00"], "", "-1234.5 100"),
        (&["250-", "100"], "", "-250 100"),
        (&["\u{2212}120.5", "3"], "", "-120.5 3"),
        (&["–120.5", "3"], "", "-120.5 3"),
        (&["－１２", "３"], "", "-12 3"),
        (&["-5,00 €", "- 5,00 €", "€ -7,00"], "€", "-5 -5 -7"),
        // Units.
        (&["12 kg", "5 kg", "0.5 kg"], "kg", "12 5 0.5"),
        (&["12kg", "5kg"], "kg", "12 5"),
        (&["5 µg", "100 \u{3bc}g"], "µg", "5 100"),
        (&["21 °C", "-3.5 °C"], "°C", "21 -3.5"),
        (&["21°", "-3°"], "°", "21 -3"),
        (&["1.234 km", "0.5 km"], "km", "1.234 0.5"),
        (&["120 km/h", "80 km/h"], "km/h", "120 80"),
        (&["80 m²", "120,5 m²"], "m²", "80 120.5"),
        (&["80 m2", "95 m2"], "m2", "80 95"),
        (&["512 MB", "1,024 MB", "2,048 MB"], "MB", "512 1024 2048"),
        (&["90 min", "120 min"], "min", "90 120"),
        (&["3 pcs", "12 pcs"], "pcs", "3 12"),
        (&["3 Äpfel", "12 Äpfel"], "Äpfel", "3 12"),
        (&["1.5K", "20K"], "K", "1.5 20"),
        (&["5 lakh", "12.5 lakh"], "lakh", "5 12.5"),
        (&["230 V", "", "NA", "110 V"], "V", "230 NULL NULL 110"),
        // Other digits.
        (&["١٢٫٥", "٣"], "", "12.5 3"),
        (&["١٬٢٣٤", "٣"], "", "1234 3"),
        (&["۱۲۳", "۴"], "", "123 4"),
        (&["१२३", "४"], "", "123 4"),
        (&["１２３．５", "４"], "", "123.5 4"),
        (&["٪ ١٢", "٪ ٩"], "%", "12 9"),
    ] {
        let expected = ("number".to_owned(), unit.to_owned(), numbers.to_owned());
        assert_eq!(column(values), expected, "{values:?}");
    }
}

#[test]
fn what_only_resembles_amounts_stays_what_it_is() {
    for (values, kind) in [
        // Two units, or a unit here and none there.
        (&["$5", "5 €"][..], "string"),
        (&["$5", "5"], "string"),
        (&["12%", "9"], "string"),
        (&["5 kg", "500 g"], "string"),
        (&["5 mW", "5 MW"], "string"),
        (&["CHF 5", "EUR 5"], "string"),
        (&["1 day", "2 days"], "string"),
        // Two notations.
        (&["12,50", "12.50"], "string"),
        (&["1.234,50", "1,234.50"], "string"),
        (&["1.234", "1,234"], "string"),
        // Codes, telephone numbers, versions, addresses.
        (&["007", "008"], "string"),
        (&["01067", "99999"], "string"),
        (&["007 kg", "008 kg"], "string"),
        (&["1.2.3", "1.10.0"], "string"),
        (&["192.168.1.1", "10.0.0.1"], "string"),
        (&["+49 301 234567", "+1 234 567 890"], "string"),
        (&["030 123 456", "040 987 654"], "string"),
        (&["555-1234", "555-9876"], "string"),
        (&["(555) 123-4567", "(212) 555-0000"], "string"),
        (&["(212)", "(415)"], "string"),
        (&["732 829 320", "552 100 554"], "string"),
        (&["22 33 44 55", "40 50 60 70"], "string"),
        (&["4111 1111 1111 1111", "5500 0000 0000 0004"], "string"),
        (&["978-3-16-148410-0", "978-0-13-110362-7"], "string"),
        (&["12345678901234567890", "12345678901234567891"], "string"),
        (&["CAD101", "CAD102"], "string"),
        (&["EUR5", "EUR6"], "string"),
        (&["R1", "R2"], "string"),
        (&["TOP 10", "TOP 20"], "string"),
        (&["A1", "A2"], "string"),
        (&["12A", "14A"], "string"),
        (&["12 a", "14 b"], "string"),
        (&["12 x", "14 x"], "string"),
        (&["#5", "#6"], "string"),
        (&["SW1A 1AA", "EC1A 1BB"], "string"),
        (&["1011 AB", "1012 AB 3"], "string"),
        // Dates, times, durations, ordinals, ranges, ratios.
        (&["2012-01-31", "2013-02-01"], "date"),
        (&["31.12.2012", "01.01.2013"], "date"),
        (&["31/12/12", "01/01/13"], "date"),
        (&["31.12.19", "01.01.20"], "date"),
        (&["9:05", "10:30"], "string"),
        (&["9 am", "10 am"], "string"),
        (&["9am", "10am"], "string"),
        (&["1:30:00", "0:45:10"], "string"),
        (&["1h 30m", "2h 5m"], "string"),
        (&["PT1H", "PT2H"], "string"),
        (&["12 Jan", "15 Jan"], "string"),
        (&["12 März", "15 März"], "string"),
        (&["1st", "21st"], "string"),
        (&["3rd", "23rd"], "string"),
        (&["500 BC", "44 BC"], "string"),
        (&["2-", "3-", "1"], "string"),
        (&["2+", "3-"], "string"),
        (&["5-7", "8-9"], "string"),
        (&["1/2", "3/4"], "string"),
        (&["5 / 10", "6 / 10"], "string"),
        (&["< 5", "> 7"], "string"),
        (&["5 apples", ""], "string"),
        (&["12 Main Street", "14 Main Street"], "string"),
        // Not numbers at all.
        (&["1 23", "4 56"], "string"),
        (&["1'23", "4'56"], "string"),
        (&["1 234'567", "1"], "string"),
        (&["1 234.5.6", "1"], "string"),
        (&["(5", "6)"], "string"),
        (&["(-5)", "6"], "string"),
        (&["--5", "6"], "string"),
        (&["$", "€"], "string"),
        (&["$$5", "$$6"], "string"),
        (&["5 % 6", "7"], "string"),
        (&["- item", "- other"], "string"),
        (&["- 5", "- 6"], "string"),
    ] {
        let (is, unit, _) = column(values);
        assert_eq!((is.as_str(), unit.as_str()), (kind, ""), "{values:?}");
    }
}

#[test]
fn the_file_decides_what_a_column_leaves_open() {
    const BY_POINT: &str = "1234 2500 10000";
    const DECIMAL: &str = "1.234 2.5 10";
    for (text, at, expected) in [
        ("k;preis;m\na;12,50;1.234\nb;9,90;2.500\nc;1.099,00;10.000\n", 2, BY_POINT),
        ("k;price;m\na;12.50;1,234\nb;9.90;2,500\nc;1,099.00;10,000\n", 2, BY_POINT),
        ("k;price;m\na;12.50;1.234\nb;9.90;2.500\nc;7.25;10.000\n", 2, DECIMAL),
        ("k;preis;m\na;12,50;1,234\nb;9,90;2,500\nc;7,25;10,000\n", 2, DECIMAL),
        ("k\tpreis\tm\na\t12,50\t1.234\nb\t9,90\t2.500\nc\t7,25\t10.000\n", 2, BY_POINT),
        ("k|m\na|1.234\nb|2.500\nc|10.000\n", 1, DECIMAL),
        ("k;m\na;1.234\nb;2.500\nc;10.000\n", 1, BY_POINT),
        ("k|d|m\na|31.12.2020|1.234\nb|1.1.2021|2.500\nc|2.1.2021|10.000\n", 2, BY_POINT),
        ("k|p|m\na|5 €|1.234\nb|6 €|2.500\nc|7 €|10.000\n", 2, BY_POINT),
        ("k|p|m\na|$5|1.234\nb|$6|2.500\nc|$7|10.000\n", 2, DECIMAL),
        ("k|p|m\na|$5|1,234\nb|$6|2,500\nc|$7|10,000\n", 2, BY_POINT),
        ("k|m\na|1,234\nb|2,500\nc|10,000\n", 1, BY_POINT),
        ("k,m\na,\"1,234\"\nb,\"2,500\"\nc,\"10,000\"\n", 1, BY_POINT),
        ("k,m\na,1.234\nb,2.500\nc,10.000\n", 1, DECIMAL),
        ("k;m\na;$1,234\nb;$2,500\nc;$10,000\n", 1, BY_POINT),
        ("k,m\na,\"€1,234\"\nb,\"€2,500\"\nc,\"€10,000\"\n", 1, BY_POINT),
        ("k|m\na|1,234 €\nb|2,500 €\nc|10,000 €\n", 1, BY_POINT),
        ("k;m\na;1,234 €\nb;2,500 €\nc;10,000 €\n", 1, DECIMAL),
        ("k;m\na;$1.234\nb;$2.500\nc;$10.000\n", 1, BY_POINT),
        ("k,m\na,$1.234\nb,$2.500\nc,$10.000\n", 1, DECIMAL),
        ("k,d,m\na,31.12.2020,1.234\nb,1.1.2021,2.500\nc,2.1.2021,10.000\n", 2, BY_POINT),
        ("k;m\na;1.234\nb;2.500\nc;10.000\nd;2500\n", 1, "1.234 2.5 10 2500"),
        ("k,p,m\na,\"12,50 €\",1.234\nb,\"5,00 €\",2.500\nc,\"5,00 €\",10.000\n", 2, BY_POINT),
        ("k,p,m\na,\"1.012,50\",1.234\nb,\"5,00\",2.500\nc,\"5,00\",10.000\n", 2, BY_POINT),
        ("k,p,m\na,\"12,50\",\"1,234\"\nb,\"5,00\",\"2,5\"\nc,\"5,00\",\"10,0\"\n", 2, DECIMAL),
    ] {
        let file = take("a.csv", text);
        assert_eq!(cells(&file, at).join(" "), expected, "{text:?}");
    }
}

#[test]
fn notes_say_what_was_guessed() {
    let notes = |text: &str| take("a.csv", text).dataset.notes;
    for (text, note) in [
        (
            "k;price;menge\na;12,50;1.234\n",
            "The column menge was read with a decimal comma, because price has one.",
        ),
        (
            "k|m\na|1.234\n",
            "The column m was read with a decimal point, but nothing in the file proves it: \
             “1.234” could also have a decimal comma.",
        ),
        (
            "k|price\na|$5\nb|5 €\n",
            "The column price remains text, because its numbers have different units, such as $ \
             and €, and cannot be added up.",
        ),
        (
            "k|price\na|$5\nb|5\n",
            "The column price remains text, because only some of the numbers have the unit $.",
        ),
        (
            "k|a\na|12,50\nb|12.50\n",
            "The column a remains text, because some of the numbers have a decimal comma and \
             others a decimal point.",
        ),
        ("k|share\na|5%\n", "The column share was read as numbers with the unit %."),
        (
            "share|w\n5%|3 kg\n4%|4 kg\n",
            "These columns were read as numbers with a unit: share (%) and w (kg).",
        ),
        (
            "k,p\na,\"12,50\"\nb,\"9,90\"\n",
            "The column p was read with a decimal comma, because there are always two decimals.",
        ),
        (
            "k,p\na,\"1,5\"\nb,\"2,5\"\n",
            "The column p remains text, because the commas could be decimal signs or divide \
             several numbers.",
        ),
        (
            "k|area\na|(212)\nb|(415)\n",
            "The column area remains text, because numbers in brackets may be negative amounts or \
             codes.",
        ),
        (
            "k|siren\na|732 829 320\nb|552 100 554\n",
            "The column siren remains text, because all numbers have equally many digits, as \
             identifiers do.",
        ),
        (
            "k|note\na|2-\nb|3-\n",
            "The column note remains text, because numbers with a minus behind them may be grades.",
        ),
        (
            "a|b|c|d|e\n1.234|1.234|1.234|1.234|12,50\n",
            "The columns a, b, c and 1 more were read with a decimal comma, because e has one.",
        ),
    ] {
        assert_eq!(notes(text), [note], "{text:?}");
    }
    for plain in ["a,b\n1,2.5\n2,3.125\n", "a,b,c\n1.234,2.5,x\n", "a;b\n1;x\n1,5;y\n"] {
        assert_eq!(notes(plain), [""; 0], "{plain:?}");
    }
}

#[test]
fn strings_of_json_are_amounts_too() {
    let read = |text: &str| {
        let file = take("a.json", text);
        let column = &file.dataset.columns[0];
        (
            column.kind.as_str(),
            column.stats.unit.clone().unwrap_or_default(),
            cells(&file, 0).join(" "),
        )
    };
    let is =
        |kind: &'static str, unit: &str, cells: &str| (kind, unit.to_owned(), cells.to_owned());
    assert_eq!(read(r#"[{"p":"10.5"},{"p":"9.5"},{"p":"100"}]"#), is("number", "", "10.5 9.5 100"));
    assert_eq!(read(r#"[{"p":"$1,234.50"},{"p":"$20"}]"#), is("number", "$", "1234.5 20"));
    assert_eq!(read(r#"[{"p":"12,50"},{"p":"9,90"}]"#), is("number", "", "12.5 9.9"));
    assert_eq!(read(r#"[{"p":12},{"p":"13"},{"p":1.234}]"#), is("number", "", "12 13 1.234"));
    assert_eq!(read(r#"[{"p":12},{"p":"1,5"}]"#).0, "string");
    assert_eq!(read(r#"[{"p":12},{"p":"5 kg"}]"#).0, "string");
    assert_eq!(
        read(r#"[{"id":12345678901234567890},{"id":12345678901234567891}]"#),
        is("string", "", "“12345678901234567890” “12345678901234567891”")
    );
    assert_eq!(read(r#"[9223372036854775807]"#), is("number", "", "9223372036854775807"));
    assert_eq!(read(r#"[9223372036854775808]"#), is("string", "", "“9223372036854775808”"));
}

/// JSON's numbers have a point everywhere, so they prove nothing about its strings.
#[test]
fn numbers_of_json_do_not_decide_about_strings() {
    let file =
        take("a.json", r#"[{"x":1.5,"a":"12,50","b":"1.234"},{"x":2.5,"a":"9,90","b":"2.500"}]"#);
    assert_eq!(cells(&file, 2), ["1234", "2500"]);
    assert_eq!(cells(&file, 0), ["1.5", "2.5"]);
}

#[test]
fn summaries_show_the_file_as_uploaded() {
    let summary = take("a.csv", "item,price\nA,\"$1,234.50\"\nB,$20\n").dataset.summary();
    assert_eq!(summary["columnTypes"]["price"], "number");
    assert_eq!(summary["sampleData"][0]["price"], "$1,234.50");
    assert_eq!(summary["stats"]["price"]["unit"], "$");
    assert_eq!(summary["stats"]["price"]["max"], 1234.5);
    assert_eq!(summary["stats"]["item"]["unit"], serde_json::Value::Null);
    let summary = take("a.json", r#"[{"p":"10 %","id":12345678901234567890}]"#).dataset.summary();
    assert_eq!(summary["dataTypes"]["p"], "string");
    assert_eq!(summary["dataTypes"]["id"], "number");
    assert_eq!(summary["stats"]["p"]["unit"], "%");
}

/// Columns of more values than are counted one by one, on two threads.
#[test]
fn long_columns_are_read_like_short_ones() {
    let mut text = "id;price;menge;share;mixed\n".to_owned();
    for n in 0..40_000 {
        text.push_str(&format!("{n};{n},25 €;{}.{:03};{n}.5 %;", n % 90 + 10, n % 1000));
        text.push_str(if n == 39_999 { "5 £\n" } else { "5 $\n" });
    }
    let file = take("a.csv", &text);
    let columns = &file.dataset.columns;
    let units: Vec<_> = columns.iter().map(|column| column.stats.unit.as_deref()).collect();
    assert_eq!(units, [None, Some("€"), None, Some("%"), None]);
    assert_eq!(columns[4].kind.as_str(), "string");
    assert_eq!(columns[1].stats.max.as_deref(), Some("39999.25"));
    assert_eq!(columns[1].stats.mean, Some(19_999.75));
    assert_eq!(columns[2].stats.min.as_deref(), Some("10000"));
}

/// Ways to write a number, each with a decimal sign and a separator of thousands.
const NOTATIONS: [(&str, &str); 9] = [
    (".", ","),
    (",", "."),
    (".", "'"),
    (".", "’"),
    (",", " "),
    (",", "\u{a0}"),
    (",", "\u{202f}"),
    (".", " "),
    (".", ""),
];

const AFFIXES: [(&str, &str); 9] = [
    ("", ""),
    ("$", ""),
    ("", " €"),
    ("CHF ", ""),
    ("", "%"),
    ("", " kg"),
    ("R$ ", ""),
    ("(", ")"),
    ("", "-"),
];

/// `cents` with two decimals.
fn written(
    cents: i64,
    (decimal, separator): (&str, &str),
    (before, after): (&str, &str),
) -> String {
    let digits = (cents.abs() / 100).to_string();
    let mut whole = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            whole.push_str(separator);
        }
        whole.push(digit);
    }
    let (before, after, sign) = match (before, cents < 0) {
        ("(", false) | ("", false) if matches!(after, ")" | "-") => ("", "", ""),
        ("(", true) => ("(", ")", ""),
        ("", true) if after == "-" => ("", "-", ""),
        (_, true) => (before, after, "-"),
        _ => (before, after, ""),
    };
    format!("{sign}{before}{whole}{decimal}{:02}{after}", cents.abs() % 100)
}

proptest! {
    #[test]
    fn numbers_in_any_notation_are_read_back(
        list in prop::collection::vec(-10_000_000_000_i64..10_000_000_000, 1..20),
        notation in 0..NOTATIONS.len(),
        affix in 0..AFFIXES.len(),
        delimiter in prop::sample::select(vec![';', '|', '\t', ',']),
        json: bool,
    ) {
        let texts: Vec<String> =
            list.iter().map(|cents| written(*cents, NOTATIONS[notation], AFFIXES[affix])).collect();
        let file = if json {
            let items: Vec<_> = texts.iter().map(|text| serde_json::json!({"v": text})).collect();
            take("a.json", &serde_json::json!(items).to_string())
        } else {
            let rows = texts.iter().map(|text| format!("x{delimiter}\"{text}\"\n"));
            take("a.csv", &format!("k{delimiter}v\n{}", rows.collect::<String>()))
        };
        let column = file.dataset.columns.iter().position(|column| column.name == "v").unwrap();
        let read = cells(&file, column);
        let expected: Vec<String> =
            list.iter().map(|cents| (*cents as f64 / 100.0).to_string()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn arbitrary_values_never_panic(
        values in prop::collection::vec("[-+(]?[$€%a-zA-Z]{0,3} ?[0-9.,' \u{a0}\u{66b}٣]{0,12}[-) ]{0,2}[%€a-zµ°]{0,3}|.{0,12}", 1..8)
    ) {
        let items: Vec<_> = values.iter().map(|text| serde_json::json!({"v": text})).collect();
        let file = take("a.json", &serde_json::json!(items).to_string());
        // No value is lost on its way to SQL.
        let nulls = cells(&file, 0).iter().filter(|cell| *cell == "NULL").count();
        prop_assert_eq!(nulls as u64, file.dataset.columns[0].stats.nulls);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["v", "w"]).unwrap();
        for value in &values {
            writer.write_record([value.replace('\0', "").as_str(), "x"]).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let file = take("a.csv", &text);
        prop_assert_eq!(cells(&file, 1).len(), file.dataset.rows as usize);
    }
}
