use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn table() -> ModelTable {
    ModelTable::built_in().unwrap()
}

fn dollars(model: &str, usage: Usage) -> Option<String> {
    table().cost(model, usage).map(|money| money.to_string())
}

#[test]
fn answers_cost_what_the_list_says() {
    let million = Usage { input_tokens: 50_000, output_tokens: 10_000, ..Usage::default() };
    // 50,000 × 0.10 + 10,000 × 0.50 dollars per million.
    assert_eq!(dollars("claude-haiku-5-5", million).unwrap(), "0.010000");
    assert_eq!(dollars("gpt-6-luna", million).unwrap(), "0.010000");
    assert_eq!(dollars("gpt-5.4-mini-2026-03-17", million).unwrap(), "0.082500");
    assert_eq!(dollars("openai/gpt-5.4-mini", million).unwrap(), "0.082500");
    assert_eq!(dollars("claude-haiku-4-5-20251001", million).unwrap(), "0.100000");
    assert_eq!(dollars("llama3.2", million), None);
    assert_eq!(dollars("gpt-4o", million), None, "retired models have no prices");
}

#[test]
fn cached_tokens_and_long_prompts_have_prices_of_their_own() {
    let cached = Usage {
        input_tokens: 60_000,
        cached_input_tokens: 40_000,
        cache_write_tokens: 10_000,
        ..Usage::default()
    };
    // 10,000 × 0.10 + 40,000 × 0.01 + 10,000 × 0.125 dollars per million.
    assert_eq!(dollars("claude-haiku-5-5", cached).unwrap(), "0.002650");
    let prompt = |input_tokens| Usage { input_tokens, ..Usage::default() };
    assert_eq!(dollars("claude-haiku-5-5", prompt(100_000)).unwrap(), "0.010000");
    assert_eq!(dollars("claude-haiku-5-5", prompt(100_001)).unwrap(), "0.050001");
    assert_eq!(dollars("gpt-6-luna", prompt(272_000)).unwrap(), "0.027200");
    assert_eq!(dollars("gpt-6-luna", prompt(272_001)).unwrap(), "0.054400");
}

#[test]
fn no_count_overflows() {
    let all = u32::MAX;
    let usage = Usage {
        input_tokens: all,
        output_tokens: all,
        cached_input_tokens: all,
        cache_write_tokens: all,
        reasoning_tokens: all,
    };
    assert!(table().cost("claude-fable-5-1", usage).unwrap() > Money::default());
    let dear = r#"{"models": {"m": {"input": 1000000, "output": 1000000}}}"#;
    assert!(ModelTable::parse(dear).unwrap().cost("m", usage).unwrap() > Money::default());
}

#[test]
fn retirement_is_told_sixty_days_ahead() {
    let table = table();
    let on = |model, date| table.retirement(model, day(date));
    assert_eq!(on("gpt-4o-mini", "2026-11-14"), None);
    let end = day("2027-01-14");
    assert_eq!(on("gpt-4o-mini", "2026-11-15"), Some(Retirement::Near(end)));
    assert_eq!(on("gpt-4o-mini", "2027-01-13"), Some(Retirement::Near(end)));
    assert_eq!(on("gpt-4o-mini", "2027-01-14"), Some(Retirement::Past(end)));
    assert_eq!(on("gpt-4o-2024-08-06", "2027-02-01"), Some(Retirement::Past(end)));
    assert_eq!(on("gpt-6-luna", "2030-01-01"), None);
    assert_eq!(table.successor("gpt-4o-mini"), Some("gpt-6-luna"));
}

#[test]
fn every_successor_is_known_and_not_retired_itself() {
    let table = table();
    for entry in table.models.values() {
        let Some(successor) = &entry.successor else { continue };
        assert!(table.knows(successor), "{successor}");
        assert_eq!(table.retirement(successor, table.as_of()), None, "{successor}");
    }
}

#[test]
fn the_operators_prices_replace_ours() {
    let own = r#"{"models": {
        "claude-haiku-5-5": {"input": 1, "output": 2},
        "house-model": {"input": 0, "output": 0.000001}
    }}"#;
    let table = table().overlaid_with(ModelTable::parse(own).unwrap());
    let usage =
        Usage { input_tokens: 3, cached_input_tokens: 1, output_tokens: 1, ..Usage::default() };
    assert_eq!(table.cost("claude-haiku-5-5", usage).unwrap().to_string(), "0.000005");
    assert_eq!(table.cost("house-model", usage), Money::from_dollars_per_million(0.000_001));
    assert!(table.cost("gpt-6-luna", usage).is_some());
}

#[test]
fn tables_that_make_no_sense_are_refused() {
    for (json, reason) in [
        ("", "is not a table of prices"),
        ("[]", "is not a table of prices"),
        (r#"{"models": {"m": {"inputs": 1}}}"#, "unknown field `inputs`"),
        (r#"{"models": {"m": {"input": 1}}}"#, "has a price of m"),
        (r#"{"models": {"m": {"input": -1, "output": 1}}}"#, "has a price of m"),
        (r#"{"models": {"m": {"input": 1, "output": 1000001}}}"#, "has a price of m"),
        (r#"{"models": {"m": {"retires": "soon"}}}"#, "has a date of m"),
    ] {
        let error = ModelTable::parse(json).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn only_whole_dates_are_taken_off_names() {
    for (name, plain) in [
        ("gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("gpt-4o-2024-8-6", "gpt-4o-2024-8-6"),
        ("größe-é1234567", "größe-é1234567"),
        ("-20251001", ""),
        ("", ""),
    ] {
        assert_eq!(without_date(name), plain);
    }
}
