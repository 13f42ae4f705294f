//! The token estimate, compared with an exact tokenizer, `o200k_base`.
//!
//! The prices were fitted to other text and to the fixtures `*-1.txt`; `*-2.txt` are held out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use chatbot_widget::prompt::tokens::{clip_end, clip_start, estimate};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tiktoken_rs::CoreBPE;

/// Kinds for which the estimate is neither too low nor too high.
const BOUNDED: [&str; 15] = [
    "arabic",
    "chinese",
    "csv",
    "english",
    "french",
    "german",
    "hindi",
    "japanese",
    "javascript",
    "json",
    "korean",
    "python",
    "russian",
    "rust",
    "spanish",
];
/// Kinds for which it must only not be too low.
const NOT_UNDER: [&str; 5] = ["emoji", "encoded", "indented", "numbers", "urls"];

const LOWEST: f64 = 0.90;
const HIGHEST: f64 = 1.25;

/// Characters of a piece (half the text if that is shorter), and the distance between the starts of
/// two pieces. They overlap, so that the bounds do not depend on where the first one starts.
const WINDOW: usize = 1000;
const STRIDE: usize = 97;

static EXACT: LazyLock<CoreBPE> = LazyLock::new(|| tiktoken_rs::o200k_base().unwrap());

fn exact(text: &str) -> usize {
    EXACT.encode_ordinary(text).len()
}

struct Fixture {
    name: String,
    text: String,
}

impl Fixture {
    fn kind(&self) -> &str {
        self.name.rsplit_once('-').unwrap().0
    }

    fn windows(&self) -> impl Iterator<Item = &str> {
        let at: Vec<usize> = boundaries(&self.text).collect();
        let chars = at.len() - 1;
        let window = WINDOW.min(chars / 2);
        (0..=chars - window)
            .step_by(STRIDE)
            .map(move |start| &self.text[at[start]..at[start + window]])
    }
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokens");
    let mut all: Vec<Fixture> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            Fixture { name, text: fs::read_to_string(path).unwrap() }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The estimate as a multiple of the exact count.
fn ratio(text: &str) -> f64 {
    estimate(text) as f64 / exact(text) as f64
}

fn highest(kind: &str) -> f64 {
    if BOUNDED.contains(&kind) { HIGHEST } else { f64::INFINITY }
}

#[test]
fn every_kind_has_a_fixture_for_fitting_and_one_held_out() {
    let names: Vec<String> = fixtures().into_iter().map(|fixture| fixture.name).collect();
    let mut expected: Vec<String> = BOUNDED
        .iter()
        .chain(&NOT_UNDER)
        .flat_map(|kind| [format!("{kind}-1"), format!("{kind}-2")])
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn whole_texts_are_within_bounds() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let (name, text) = (&fixture.name, &fixture.text);
        let ratio = ratio(text);
        let error = 100.0 * (ratio - 1.0);
        let (exact, estimate) = (exact(text), estimate(text));
        table.push_str(&format!("{name:<14} {exact:>6} {estimate:>6} {error:>+6.1} %\n"));
        if ratio < LOWEST || ratio > highest(fixture.kind()) {
            wrong.push(name.clone());
        }
    }
    println!("fixture         exact estimate error\n{table}");
    assert!(wrong.is_empty(), "out of bounds: {wrong:?}\n{table}");
}

/// The bounds for whole texts hold for pieces too.
#[test]
fn pieces_are_within_bounds() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let ratios: Vec<f64> = fixture.windows().map(ratio).collect();
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(0.0, f64::max);
        table.push_str(&format!(
            "{:<14} {:>3} {:>+6.1} % {:>+6.1} %\n",
            fixture.name,
            ratios.len(),
            100.0 * (low - 1.0),
            100.0 * (high - 1.0)
        ));
        if low < LOWEST || high > highest(fixture.kind()) {
            wrong.push(fixture.name);
        }
    }
    println!("fixture    pieces   lowest  highest\n{table}");
    assert!(wrong.is_empty(), "out of bounds: {wrong:?}\n{table}");
}

#[test]
fn only_the_empty_text_costs_nothing() {
    assert_eq!(estimate(""), 0);
    for text in
        ["a", " ", "\n", "7", "é", "я", "字", "あ", "한", "ا", "अ", "🙂", "\0", "\u{10ffff}"]
    {
        assert!(estimate(text) >= 1, "{text:?}");
    }
}

#[test]
fn ruled_lines_and_long_blanks_stay_cheap() {
    for text in ["-".repeat(400), "=".repeat(400), " ".repeat(400), "\n".repeat(400)] {
        assert!(estimate(&text) <= 25, "{}", estimate(&text));
    }
}

#[test]
fn texts_are_cut_at_white_space_if_there_is_some() {
    let text = "Where is the order that I placed last Tuesday, please?";
    let words: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    // The last word alone takes three tokens.
    for budget in 3..estimate(text) {
        let start = clip_end(text, budget);
        assert!(words.contains(&start.len()), "{budget}: {start:?}");
        let end = clip_start(text, budget);
        assert!(words.contains(&(text.len() - end.len() - 1)), "{budget}: {end:?}");
    }
    assert_eq!(clip_end(text, estimate(text)), text);
    assert_eq!(clip_start(text, estimate(text)), text);
    assert_eq!((clip_end(text, 0), clip_start(text, 0)), ("", ""));
    assert_eq!((clip_end("", 0), clip_start("", 0)), ("", ""));
}

#[test]
fn texts_without_white_space_are_cut_between_characters() {
    let chinese = "老街尽头有一家修钟表的小铺子门口挂着一块褪了色的木牌".repeat(20);
    let base64 = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9".repeat(20);
    for text in [chinese, base64, "🙂".repeat(300), "7".repeat(900)] {
        for budget in [1, 3, 50, 100] {
            for part in [clip_end(&text, budget), clip_start(&text, budget)] {
                assert!(estimate(part) <= budget);
                assert!(budget < 3 || !part.is_empty());
                assert!(
                    budget < 50 || estimate(part) + 3 >= budget,
                    "{} of {budget}",
                    estimate(part)
                );
            }
        }
    }
}

#[test]
fn a_clipped_fixture_uses_most_of_its_budget() {
    for Fixture { name, text } in fixtures() {
        for budget in [100, 200, 300] {
            for part in [clip_end(&text, budget), clip_start(&text, budget)] {
                let used = estimate(part);
                assert!(used <= budget, "{name}: {used} of {budget}");
                // A word's end may be up to 80 bytes away, which in base64 is about 60 tokens.
                assert!(used + 65 >= budget, "{name}: {used} of {budget}");
            }
        }
    }
}

/// Text of every class, in runs and mixed.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z]{1,14}",
        "[0-9]{1,9}",
        " {1,9}|\n{1,3}|\t{1,3}|\r\n",
        "[-.,;:!?\"'`(){}\\[\\]<>/\\\\_+=*&|^%$#@~]{1,6}",
        "-{1,30}|={1,30}",
        "[à-öø-ÿąćęłńśźżěščřžğışế]{1,6}",
        "[а-яА-ЯёЁіїє]{1,12}",
        "[α-ω]{1,8}|[א-ת]{1,8}|[ا-ي]{1,8}|[अ-ह]{1,8}|[ก-ฮ]{1,8}",
        "[一-龥]{1,12}|[ぁ-ん]{1,9}|[ァ-ヶ]{1,9}|[가-힣]{1,6}",
        "[😀-🙏🚀-🛅→■★‍️–—“”…、。]{1,4}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn boundaries(text: &str) -> impl Iterator<Item = usize> {
    (0..=text.len()).filter(|&at| text.is_char_boundary(at))
}

/// Generates the same cases in every run.
fn fixed_cases() -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(fixed_cases())]

    #[test]
    fn no_prefix_costs_more_than_a_longer_one(text in any_text()) {
        let mut before = 0;
        for at in boundaries(&text) {
            let now = estimate(&text[..at]);
            prop_assert!(now >= before);
            before = now;
        }
    }

    #[test]
    fn two_parts_cost_as_much_as_the_whole_within_four_tokens(text in any_text()) {
        let whole = estimate(&text);
        for at in boundaries(&text) {
            let parts = estimate(&text[..at]) + estimate(&text[at..]);
            prop_assert!(parts.abs_diff(whole) <= 4, "{} and {} at {}", parts, whole, at);
        }
    }

    #[test]
    fn a_clipped_text_fits_its_budget(text in any_text(), budget in 0usize..120) {
        let start = clip_end(&text, budget);
        prop_assert!(text.starts_with(start));
        prop_assert!(estimate(start) <= budget);
        let end = clip_start(&text, budget);
        prop_assert!(text.ends_with(end));
        prop_assert!(estimate(end) <= budget);
        if estimate(&text) <= budget {
            prop_assert_eq!(start, text.as_str());
            prop_assert_eq!(end, text.as_str());
        }
    }
}
