use super::*;

fn request() -> ModelRequest {
    ModelRequest {
        model: String::new(),
        system: String::new(),
        entries: Vec::new(),
        tools: Vec::new(),
        tool_choice: crate::provider::ToolChoice::Auto,
        max_tokens: 1000,
        temperature: Some(0.5),
    }
}

fn without(
    dialect: MessagesDialect,
    parameter: Parameter,
    objection: Objection,
) -> Option<MessagesDialect> {
    dialect.without(Refused { parameter, objection }, &request())
}

#[test]
fn thinking_depends_on_the_family() {
    use Thinking::{BetweenTools, Disabled, LowEffort, Unspecified};
    for (model, thinking, temperature) in [
        ("claude-haiku-5-5", Disabled, false),
        ("claude-haiku-5-5-20261007", Disabled, false),
        ("claude-sonnet-5", Disabled, false),
        ("claude-sonnet-5-20260630", Disabled, false),
        ("claude-opus-5", Disabled, false),
        ("claude-sonnet-5-5", BetweenTools, false),
        ("anthropic/claude-sonnet-5-5", BetweenTools, false),
        ("us.anthropic.claude-opus-5-5-v1:0", LowEffort, false),
        ("claude-fable-5-1", LowEffort, false),
        ("claude-mythos-1", LowEffort, false),
        ("claude-opus-4-7", Unspecified, false),
        ("claude-haiku-4-5", Unspecified, true),
        ("claude-haiku-4-5-20251001", Unspecified, true),
        ("claude-sonnet-4-6", Unspecified, true),
        ("claude-fable-6", LowEffort, false),
        ("anthropic/claude-sonnet-5.5", BetweenTools, false),
        // To come: the value that teaches most if it is refused.
        ("claude-haiku-6", Disabled, false),
        ("claude-opus-6-1", Disabled, false),
        ("claude-opus-55", Disabled, false),
        ("claude-3-5-haiku-20241022", Unspecified, true),
        ("claude-next", Unspecified, true),
        ("llama3.2", Unspecified, true),
    ] {
        let dialect = MessagesDialect::of(model);
        assert_eq!((dialect.thinking, dialect.temperature), (thinking, temperature), "{model}");
        let has_room = matches!(thinking, BetweenTools | LowEffort);
        assert_eq!(dialect.limit(1000), if has_room { 5000 } else { 1000 }, "{model}");
    }
}

#[test]
fn thinking_is_learned_from_refusals() {
    let plain = MessagesDialect::of("claude-haiku-5-5");
    let between = without(plain, Parameter::Thinking, Objection::OnlyBetweenTools).unwrap();
    assert_eq!((between.thinking, between.room), (Thinking::BetweenTools, ROOM));
    let low = without(plain, Parameter::Thinking, Objection::NotTaken).unwrap();
    assert_eq!((low.thinking, low.room), (Thinking::LowEffort, ROOM));
    assert_eq!(without(between, Parameter::Thinking, Objection::NotTaken), Some(low));
    let silent = without(low, Parameter::OutputConfig, Objection::NotTaken).unwrap();
    assert_eq!((silent.thinking, silent.room), (Thinking::Unspecified, ROOM));
}

/// Regression test: calls that were refused together used to fail, all but the first, or to teach
/// the wrong thing.
#[test]
fn a_refusal_that_comes_again_changes_nothing() {
    let plain = MessagesDialect { temperature: true, ..MessagesDialect::of("claude-haiku-5-5") };
    for (parameter, objection) in [
        (Parameter::Thinking, Objection::OnlyBetweenTools),
        (Parameter::Thinking, Objection::NotTaken),
        (Parameter::ThinkingBlocks, Objection::NotTaken),
        (Parameter::Temperature, Objection::NotTaken),
        (Parameter::MaxTokens, Objection::TooLarge(Some(500))),
        (Parameter::CacheControl, Objection::NotTaken),
    ] {
        let once = without(plain, parameter, objection).unwrap();
        assert_ne!(once, plain, "{parameter:?}");
        assert_eq!(without(once, parameter, objection), Some(once), "{parameter:?}");
    }
    let low = MessagesDialect::of("claude-opus-5-5");
    let once = without(low, Parameter::OutputConfig, Objection::NotTaken).unwrap();
    assert_eq!(without(once, Parameter::OutputConfig, Objection::NotTaken), Some(once));
}

#[test]
fn the_mark_of_the_whole_request_goes_before_those_of_its_parts() {
    let plain = MessagesDialect::of("claude-haiku-5-5");
    let parts = without(plain, Parameter::AutomaticCache, Objection::NotTaken).unwrap();
    assert_eq!((parts.cache, parts.automatic_cache), (true, false));
    let none = without(parts, Parameter::AutomaticCache, Objection::NotTaken).unwrap();
    assert!(!none.cache);
}

fn with_results() -> ModelRequest {
    ModelRequest { entries: vec![Entry::ToolResults(Vec::new())], ..request() }
}

#[test]
fn the_rounds_of_an_answer_agree_about_thinking() {
    let unknown = MessagesDialect::of("claude-next");
    let small =
        Refused { parameter: Parameter::ThinkingRoom, objection: Objection::TooSmall(None) };
    let first = unknown.without(small, &request()).unwrap();
    assert_eq!((first.thinking, first.room), (Thinking::Disabled, 0));
    let later = unknown.without(small, &with_results()).unwrap();
    assert_eq!((later.thinking, later.room), (Thinking::Unspecified, ROOM));
}

#[test]
fn thoughts_go_back_to_the_model_that_had_them() {
    let thought = |api, model: &str| Verbatim { api, model: model.to_owned(), items: vec![] };
    let carries = |dialect: MessagesDialect, message: &Verbatim| dialect.carries(message, "m");
    let opus = MessagesDialect::of("claude-opus-5-5");
    assert!(carries(opus, &thought(API, "m")));
    assert!(!carries(opus, &thought(API, "n")) && !carries(opus, &thought("responses", "m")));
    assert!(!carries(MessagesDialect::of("claude-haiku-5-5"), &thought(API, "m")));
    let refused = without(opus, Parameter::ThinkingBlocks, Objection::NotTaken).unwrap();
    assert!(!carries(refused, &thought(API, "m")));
}

#[test]
fn a_call_of_a_tool_fits_into_an_answer_whose_limit_cut_it() {
    let plain = MessagesDialect::of("claude-haiku-5-5");
    let small = Refused { parameter: Parameter::MaxTokens, objection: Objection::TooSmall(None) };
    let tool = crate::provider::ToolSpec {
        name: "f",
        description: String::new(),
        parameters: serde_json::Value::Null,
    };
    let asked = |max_tokens| ModelRequest { max_tokens, tools: vec![tool.clone()], ..request() };
    let learned = plain.without(small, &asked(CALL - 1)).unwrap();
    assert_eq!(learned.limit_of(&asked(5)), CALL);
    assert_eq!(learned.limit_of(&asked(CALL + 1)), CALL + 1, "no more for anybody else");
    assert_eq!(learned.limit_of(&ModelRequest { max_tokens: 5, ..request() }), 5);
    assert_eq!(plain.without(small, &asked(CALL)), None);
    assert_eq!(plain.without(small, &ModelRequest { max_tokens: 5, ..request() }), None);
}

#[test]
fn a_length_without_a_word_turns_thinking_off_or_makes_room() {
    let small = Objection::TooSmall(None);
    let unknown = MessagesDialect::of("claude-next");
    let off = without(unknown, Parameter::ThinkingRoom, small).unwrap();
    assert_eq!((off.thinking, off.room), (Thinking::Disabled, 0));
    let mut dialect = off;
    let mut rooms = Vec::new();
    while let Some(more) = without(dialect, Parameter::ThinkingRoom, small) {
        rooms.push(more.room);
        dialect = more;
    }
    assert_eq!(rooms, [4_000, 8_000, 16_000, 32_000]);
}

#[test]
fn what_is_refused_is_left_out_or_lowered() {
    let old = MessagesDialect::of("claude-haiku-4-5");
    let cold = without(old, Parameter::Temperature, Objection::NotTaken);
    assert_eq!(cold, Some(MessagesDialect { temperature: false, ..old }));
    let uncached = without(old, Parameter::CacheControl, Objection::NotTaken);
    assert_eq!(uncached, Some(MessagesDialect { cache: false, ..old }));
    let lower = without(old, Parameter::MaxTokens, Objection::TooLarge(Some(500))).unwrap();
    assert_eq!(lower.limit(1000), 500);
    for objection in [Objection::TooLarge(Some(1000)), Objection::TooLarge(None)] {
        assert_eq!(without(old, Parameter::MaxTokens, objection), None);
    }
    assert_eq!(without(old, Parameter::Tools, Objection::NotTaken), None);
}
