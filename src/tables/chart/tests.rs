use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn result(columns: &[&str], rows: Value) -> QueryResult {
    let rows: Vec<Vec<Value>> = serde_json::from_value(rows).unwrap();
    let columns = columns.iter().map(|&name| name.to_owned()).collect();
    QueryResult { columns, row_count: rows.len(), rows, truncated: false, elapsed_ms: 0.1 }
}

fn weather() -> QueryResult {
    result(&["weather", "avg_max"], json!([["drizzle", 15.926], ["fog", 16.757], ["sun", 19.861]]))
}

/// How often each element occurs; also that there is nothing that a strict policy stops, and that
/// all coordinates are numbers within the picture.
fn elements(svg: &str) -> std::collections::BTreeMap<String, usize> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    assert!(root.has_attribute("viewBox") && !root.has_attribute("width"));
    let view: Vec<f64> =
        root.attribute("viewBox").unwrap().split(' ').map(|it| it.parse().unwrap()).collect();
    let (width, height) = (view[2], view[3]);
    let within = |name: &str, number: f64| {
        let most = if ["y", "cy", "height"].contains(&name) { height } else { width };
        assert!((-1.0..=most + 1.0).contains(&number), "{name} {number} of {most}");
    };
    let mut counts = std::collections::BTreeMap::new();
    for node in root.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            ["svg", "title", "desc", "text", "rect", "polyline", "polygon", "circle"]
                .contains(&name),
            "{name}"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && !["style", "href"].contains(&name));
            assert!(!value.contains("url("), "{value}");
            if ["x", "y", "cx", "cy", "width", "height", "r"].contains(&name) {
                let number: f64 = value.parse().unwrap();
                within(name, number);
            }
            if name == "points" {
                for point in value.split(' ') {
                    let (x, y) = point.split_once(',').unwrap();
                    within("x", x.parse().unwrap());
                    within("y", y.parse().unwrap());
                }
            }
        }
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn bars_stand_for_the_rows() {
    let chart = draw(&weather(), ChartKind::Bar, "Average maximum").unwrap();
    assert_eq!(chart.title, "Average maximum");
    assert_eq!(chart.alt, "Bar chart of avg_max by weather: drizzle 15.93, fog 16.76, sun 19.86.");
    assert_eq!(elements(&chart.svg)["rect"], 3);
    let texts = texts(&chart.svg);
    for word in ["Average maximum", "avg max", "drizzle", "sun", "19.86", "0", "20"] {
        assert!(texts.iter().any(|text| text == word), "{word} in {texts:?}");
    }
    assert!(chart.svg.contains("currentColor") && !chart.svg.contains("#000"));
}

#[test]
fn heights_are_in_proportion() {
    let rows = json!([["a", 10], ["b", 5], ["c", -10], ["d", 0], ["e", null]]);
    let chart = draw(&result(&["k", "v"], rows), ChartKind::Bar, "v").unwrap();
    let document = roxmltree::Document::parse(&chart.svg).unwrap();
    let bars: Vec<(f64, f64)> = document
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .map(|node| {
            let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
            (number("y"), number("height"))
        })
        .collect();
    let [a, b, c, d] = bars[..] else { panic!("{bars:?}") };
    assert!((a.1 - 2.0 * b.1).abs() < 0.2 && (a.1 - c.1).abs() < 0.2, "{bars:?}");
    assert!((c.0 - (a.0 + a.1)).abs() < 0.2, "below zero starts at zero: {bars:?}");
    assert!(d.1 < 0.1);
}

#[test]
fn series_are_grouped_and_named() {
    let rows = json!([["N", 1, 2, 3, 4, 5, "x"], ["S", 1, null, 3, 4, 5, "y"]]);
    let table = result(&["region", "a", "b", "c", "d", "e", "note"], rows);
    let chart = draw(&table, ChartKind::Bar, "").unwrap();
    assert_eq!(chart.title, "a, b, c and d by region");
    // Four swatches, and seven bars.
    assert_eq!(elements(&chart.svg)["rect"], 11);
    assert_eq!(
        chart.alt,
        "Bar chart of a, b, c and d by region: N 1 / 2 / 3 / 4, S 1 / no value / 3 / 4."
    );
    let chart = draw(&table, ChartKind::Line, "").unwrap();
    assert_eq!(elements(&chart.svg)["circle"], 7);
}

#[test]
fn long_names_get_horizontal_bars() {
    let rows = json!([["Espresso machine", 1200], ["Dinner plates, set of 12", -300], ["Cup", 0]]);
    let chart = draw(&result(&["product", "total_revenue"], rows), ChartKind::Bar, "Total revenue");
    let svg = chart.unwrap().svg;
    elements(&svg);
    let bars: Vec<f64> = roxmltree::Document::parse(&svg)
        .unwrap()
        .descendants()
        .filter_map(|node| node.has_tag_name("rect").then(|| node.attribute("width"))?)
        .map(|width| width.parse().unwrap())
        .collect();
    let [long, short, none] = bars[..] else { panic!("{bars:?}") };
    assert!((long - 4.0 * short).abs() < 0.1 && none == 0.0, "{bars:?}");
    let words = [
        "Total revenue",
        "Espresso machine",
        "1200",
        "Dinner plates, set of 12",
        "-300",
        "Cup",
        "0",
    ];
    assert_eq!(texts(&svg), words, "names are whole, and the title is not repeated");
}

#[test]
fn days_stand_side_by_side_and_the_last_is_named() {
    let rows: Vec<Value> = (1..=31).map(|day| json!([format!("2025-01-{day:02}"), day])).collect();
    for kind in [ChartKind::Bar, ChartKind::Line] {
        let svg = draw(&result(&["day", "n"], json!(rows)), kind, "n").unwrap().svg;
        assert!(texts(&svg).contains(&"2025-01-31".to_owned()), "{svg}");
        let mut last = f64::NEG_INFINITY;
        let document = roxmltree::Document::parse(&svg).unwrap();
        let mut days: Vec<(f64, f64)> = document
            .descendants()
            .filter(|node| node.text().is_some_and(|it| it.starts_with("2025-")))
            .filter(|node| node.has_tag_name("text"))
            .map(|node| {
                let middle = node.attribute("x").unwrap().parse::<f64>().unwrap();
                (middle, text::width(node.text().unwrap(), labels::LABEL) / 2.0)
            })
            .collect();
        days.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (middle, half) in days {
            assert!(middle - half > last && middle + half <= svg::WIDTH, "{svg}");
            last = middle + half;
        }
        let root = elements(&svg);
        assert_eq!(root.contains_key("rect"), kind == ChartKind::Bar);
        assert!(svg.contains("viewBox=\"0 0 320 240\""), "{svg}");
    }
}

#[test]
fn texts_are_at_least_eleven_units_high() {
    for kind in [ChartKind::Bar, ChartKind::Line, ChartKind::Pie] {
        let svg = draw(&weather(), kind, "Weather").unwrap().svg;
        let document = roxmltree::Document::parse(&svg).unwrap();
        for size in document.descendants().filter_map(|node| node.attribute("font-size")) {
            assert!(size.parse::<f64>().unwrap() >= 11.0, "{svg}");
        }
        assert!(svg.contains("class=\"series-1\""), "a page can recolour the first series");
    }
}

#[test]
fn a_line_breaks_at_a_gap() {
    let rows = json!([["a", 1], ["b", 2], ["c", null], ["d", 2], ["e", 3]]);
    let whole = json!([["a", 1], ["b", 2], ["c", 2], ["d", 2], ["e", 3]]);
    let lines = |rows| {
        let chart = draw(&result(&["k", "v"], rows), ChartKind::Line, "").unwrap();
        elements(&chart.svg)["polyline"]
    };
    assert_eq!(lines(rows), lines(whole) + 1);
}

#[test]
fn points_are_limited_to_fifty() {
    let rows: Vec<Value> = (0..80).map(|at| json!([format!("day {at}"), at])).collect();
    let mut table = result(&["day", "n"], json!(rows));
    let chart = draw(&table, ChartKind::Bar, &"Long title ".repeat(20)).unwrap();
    assert!(chart.title.ends_with("… (first 50 of 80)"), "{}", chart.title);
    assert!(chart.title.chars().count() <= MAX_TITLE);
    assert_eq!(elements(&chart.svg)["rect"], 50);
    assert!(chart.alt.contains("(first 50 of 80)") && chart.alt.ends_with(", …"), "{}", chart.alt);
    assert!(chart.alt.chars().count() <= MAX_ALT);
    table.truncated = true;
    let chart = draw(&table, ChartKind::Line, "n").unwrap();
    assert_eq!(chart.title, "n (first 50 of more than 80)");
}

#[test]
fn a_pie_has_eight_slices_and_the_rest() {
    let rows: Vec<Value> = (-2..18).map(|at| json!([format!("c{at}"), at])).collect();
    let chart = draw(&result(&["c", "n"], json!(rows)), ChartKind::Pie, "").unwrap();
    let counts = elements(&chart.svg);
    assert_eq!((counts["polygon"], counts["rect"]), (9, 9));
    assert!(chart.alt.starts_with("Pie chart of n by c: c17 17, c16 16,"), "{}", chart.alt);
    assert!(chart.alt.ends_with("Other 45."), "{}", chart.alt);
    assert!(texts(&chart.svg).contains(&"153".to_owned()), "the sum stands in the middle");
    let one = draw(&result(&["c", "n"], json!([["all", 3]])), ChartKind::Pie, "").unwrap();
    assert!(texts(&one.svg).contains(&"3 · 100%".to_owned()));
}

#[test]
fn labels_are_escaped() {
    let evil = "</text><script>alert(1)</script>&\"'\u{0}\u{8}\n\u{ffff}";
    for kind in [ChartKind::Bar, ChartKind::Line, ChartKind::Pie] {
        let rows = json!([[evil, 1], ["<b>", 2]]);
        let chart = draw(&result(&[evil, "<i>&amp;"], rows), kind, evil).unwrap();
        elements(&chart.svg);
        assert!(!chart.svg.contains("<script") && !chart.title.contains('\n'), "{}", chart.svg);
        assert!(texts(&chart.svg).contains(&"<b>".to_owned()));
    }
}

#[test]
fn results_that_cannot_be_drawn_say_why() {
    let fault = |columns: &[&str], rows, kind| draw(&result(columns, rows), kind, "").unwrap_err();
    assert_eq!(fault(&["a", "b"], json!([]), ChartKind::Bar), ChartError::NoRows);
    assert_eq!(fault(&["a", "b"], json!([["x", null]]), ChartKind::Bar), ChartError::NoNumbers);
    assert_eq!(fault(&["a", "b"], json!([["x", "y"]]), ChartKind::Line), ChartError::NoNumbers);
    assert_eq!(fault(&["a", "b"], json!([["x", -1]]), ChartKind::Pie), ChartError::NoPositive);
    let far = json!([["x", 1e308], ["y", -1e308]]);
    assert_eq!(fault(&["a", "b"], far, ChartKind::Bar), ChartError::TooLarge);
    let far = json!([["x", 1e308], ["y", 1e308]]);
    assert_eq!(fault(&["a", "b"], far, ChartKind::Pie), ChartError::TooLarge);
}

#[test]
fn odd_shapes_are_drawn() {
    for (columns, rows) in [
        (vec!["n"], json!([[5]])),
        (vec!["n"], json!([[5], [6]])),
        (vec!["year", "n"], json!([[2020, 5], [2021, 6]])),
        (vec!["k", "n"], json!([["a", 0], ["b", 0]])),
        (vec!["k", "n"], json!([["a", 1e15], ["b", 1.0000001e15]])),
        (vec!["k", "n"], json!([["a", 1e-200], ["b", 2e-200]])),
        (vec!["k", "n"], json!([["a", 1e300], ["b", 2]])),
        (vec!["k", "n"], json!([["a", i64::MAX], ["b", i64::MIN]])),
        (vec!["", ""], json!([["", 1], [null, 2]])),
        (vec!["k", "n"], json!([["日本語の長いラベル".repeat(9), 1], ["🎉".repeat(200), 2]])),
    ] {
        for kind in [ChartKind::Bar, ChartKind::Line] {
            let chart = draw(&result(&columns, rows.clone()), kind, "").unwrap();
            elements(&chart.svg);
            assert!(chart.alt.chars().count() <= MAX_ALT);
        }
    }
}

#[test]
fn numbers_are_short() {
    for (value, short) in [
        (0.0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (15.926, "15.93"),
        (0.5, "0.5"),
        (0.123456, "0.123"),
        (0.01234, "0.0123"),
        (999.96, "1000"),
        (1461.0, "1461"),
        (9999.4, "9999"),
        (12_345.0, "12.3k"),
        (-1_234_567.0, "-1.23M"),
        (999_999.0, "1M"),
        (3.4e9, "3.4B"),
        (2e12, "2T"),
        (1.2e-7, "1.2e-7"),
        (1e20, "1e20"),
        (120_000.0, "120k"),
    ] {
        assert_eq!(text::number(value), short, "{value}");
    }
    assert_eq!(text::tick(5.25, 0.25), "5.25");
    assert_eq!(text::tick(1_000_010.0, 10.0), "1000010");
    assert_eq!(text::tick(150_000.0, 50_000.0), "150k");
}

#[test]
fn colours_contrast_with_white_and_black() {
    let luminance = |(r, g, b): (u8, u8, u8)| {
        let part = |it: u8| {
            let it = f64::from(it) / 255.0;
            if it <= 0.04045 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    };
    let dark = luminance((0x15, 0x17, 0x1c));
    for color in svg::PALETTE {
        let it = luminance((color.0, color.1, color.2));
        assert!(1.05 / (it + 0.05) >= 3.0, "{color:?} on white");
        assert!((it + 0.05) / (dark + 0.05) >= 3.0, "{color:?} on dark");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_result_is_drawn_or_refused(
        rows in prop::collection::vec(
            (any::<String>(), any::<Option<f64>>(), any::<Option<i32>>()), 0..60),
        title in any::<String>(),
        kind in prop::sample::select(vec![ChartKind::Bar, ChartKind::Line, ChartKind::Pie]),
    ) {
        let rows = rows.iter().map(|(label, a, b)| json!([label, a, b])).collect::<Vec<_>>();
        if let Ok(chart) = draw(&result(&["label", "a", "b"], json!(rows)), kind, &title) {
            elements(&chart.svg);
            prop_assert!(chart.title.chars().count() <= MAX_TITLE);
            prop_assert!(chart.alt.chars().count() <= MAX_ALT);
        }
    }
}
