use proptest::prelude::*;

use super::*;

/// What a visitor has in the end, and whether text was taken back on the way.
fn filtered<'a>(habit: Habit, pieces: impl Iterator<Item = &'a str>) -> (String, bool) {
    let mut filter = ThoughtFilter::default();
    filter.expect(habit);
    let (mut text, mut taken_back) = (String::new(), false);
    let mut add = |filtered: Filtered| {
        if filtered.is_taken_back {
            taken_back = true;
            text.clear();
        }
        text.push_str(&filtered.text);
    };
    for piece in pieces {
        add(filter.push(piece));
    }
    add(filter.end());
    (text, taken_back)
}

fn chars(text: &str) -> impl Iterator<Item = &str> {
    text.split("").filter(|piece| !piece.is_empty())
}

/// The answer in `text`, however it is split.
fn answer(habit: Habit, text: &str) -> String {
    let (whole, taken_back) = filtered(habit, std::iter::once(text));
    assert!(!taken_back, "nothing was passed on before");
    assert_eq!(filtered(habit, chars(text)).0, whole, "{text}");
    for (at, _) in text.char_indices() {
        let (left, right) = text.split_at(at);
        assert_eq!(filtered(habit, [left, right].into_iter()).0, whole, "{left} | {right}");
    }
    whole
}

#[test]
fn thoughts_at_the_start_are_left_out() {
    for text in [
        "<think>\nplan\n</think>\n\nHello!",
        "\n <think>plan</think>Hello!",
        "<THINK>plan</Think> Hello!",
        "<think></think>\n\n<think>a <think> b < /think > </thin</think>\nHello!",
        "<thinking>plan</think></thinking>Hello!",
        "<reasoning>plan</reasoning>\nHello!",
        "<thought>plan</thought>\nHello!",
        "[THINK]plan[/THINK]Hello!",
        "◁think▷plan◁/think▷Hello!",
        "<seed:think>plan</seed:think>Hello!",
        "<|START_THINKING|>plan<|END_THINKING|><|START_RESPONSE|>Hello!<|END_RESPONSE|>",
        "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>Hello!",
        "<|channel|>analysis<|message|>plan<|channel|>final<|message|>Hello!<|return|>",
        "<|start|>assistant<|channel|>analysis<|message|>a<|end|><|start|>assistant\
         <|channel|>commentary<|message|>b<|end|><|start|>assistant<|channel|>final<|message|>Hello!<|end|>",
        "</think>\n\nHello!",
    ] {
        for habit in [Habit::Clean, Habit::Suspected, Habit::Leaks] {
            assert_eq!(answer(habit, text), "Hello!", "{text}");
        }
    }
}

#[test]
fn thoughts_without_an_end_are_left_out_whole() {
    for text in
        ["<think>plan", "<think>", "[THINK]plan[/THIN", "<|channel|>analysis<|message|>x<|e"]
    {
        assert_eq!(answer(Habit::Clean, text), "");
    }
}

#[test]
fn text_before_a_bare_closing_tag_was_thoughts() {
    for text in [
        "The user says hi.\n</think>\n\nHello!",
        "The user says hi.</think>Hello!",
        "The user says hi.</think>\nHello!",
        "The user says hi.\n</think> Hello!",
        "```\ncode\n```\n</think>\r\nHello!",
        "I do not know.\n[/THINK]Hello!",
        "Hm.\n  </thinking>\nHello!",
    ] {
        for habit in [Habit::Clean, Habit::Suspected, Habit::Leaks] {
            assert_eq!(answer(habit, text), "Hello!", "{text}");
        }
    }
    assert_eq!(answer(Habit::Leaks, "It is `x` </think> Hello!"), "Hello!");
    assert_eq!(answer(Habit::Clean, "Only a thought.\n</think>\n"), "");
}

#[test]
fn text_is_taken_back_only_if_it_was_passed_on() {
    let pieces = || ["The user ", "says hi.\n", "</think>", "\n\nHello!"].into_iter();
    assert_eq!(filtered(Habit::Clean, pieces()), ("Hello!".to_owned(), true));
    for habit in [Habit::Suspected, Habit::Leaks] {
        assert_eq!(filtered(habit, pieces()), ("Hello!".to_owned(), false));
    }
}

#[test]
fn answers_about_tags_stay_as_they_are() {
    for text in [
        "`<think>` opens a thought and `</think>` closes it.",
        "```\n<think>\nplan\n</think>\n```\nThat is the format.",
        "~~~\nplan\n</think>\n\nHello!\n~~~\n",
        "Models write <think> first.\n</think>\nends it.",
        "The tag </think> ends a thought.",
        "The last tag is </think>",
        "The last tag is: </think>\nThat is all.",
        "Close it (with </think>) or \"</think>\", or </think>.",
        "Sure!\n<think>plan</think>\nHello!",
        "A <b>bold</b> [link](x) [/think<",
        "< think >",
        "<thinker>Hello!</thinker>",
        "<",
        "  Hello!",
        "a<|end|>b",
        "<|start",
        "1 < 2",
    ] {
        for habit in [Habit::Clean, Habit::Suspected] {
            assert_eq!(answer(habit, text), text);
        }
    }
}

#[test]
fn text_is_not_held_back_but_for_what_may_be_a_tag() {
    let mut filter = ThoughtFilter::default();
    for (piece, expected) in [
        ("Hello", "Hello"),
        (" <", " "),
        ("b>", "<b>"),
        ("</th", ""),
        ("</think", "</th"),
        (">", ""),
        (" ", ""),
        ("is", "</think> is"),
    ] {
        assert_eq!(filter.push(piece).text, expected, "{piece}");
    }
}

#[test]
fn a_model_is_held_back_while_it_leaks() {
    let after = |habit, text: &str| {
        let mut filter = ThoughtFilter::default();
        filter.expect(habit);
        filter.push(text);
        filter.end();
        filter.habit()
    };
    for habit in [Habit::Clean, Habit::Suspected, Habit::Leaks] {
        assert_eq!(after(habit, "plan\n</think>\nHello!"), Some(Habit::Leaks));
        let otherwise = (habit != Habit::Clean).then_some(Habit::Clean);
        assert_eq!(after(habit, "Hello!"), otherwise);
        assert_eq!(after(habit, "<think>plan</think>Hello!"), otherwise);
        assert_eq!(after(habit, "</think>Hello!"), otherwise);
    }
}

#[test]
fn names_of_models_that_think_are_known() {
    for name in
        ["deepseek-r1:8b", "DeepSeek-R1-Distill", "Qwen3-4B-Thinking-2507", "magistral-small"]
    {
        assert_eq!(Habit::of_unknown(name), Habit::Suspected, "{name}");
    }
    for name in ["", "gpt-6-luna", "llama3.1", "qwen2.5", "claude-haiku-5-5", "command-r12"] {
        assert_eq!(Habit::of_unknown(name), Habit::Clean, "{name}");
    }
}

proptest! {
    #[test]
    fn splits_do_not_matter_and_text_without_tags_passes(
        parts in prop::collection::vec(
            prop_oneof![
                Just("<think>"), Just("</think>"), Just("<"), Just("\n"), Just(" "), Just("`"),
                Just("```"), Just("[/THINK]"), Just("Hi"), Just("."), Just("◁"), Just("</th"),
                Just("<|channel|>final<|message|>"), Just("<|end|>"), Just("é"),
            ],
            0..10,
        ),
        cuts in prop::collection::vec(any::<bool>(), 120),
        habit in prop_oneof![Just(Habit::Clean), Just(Habit::Suspected), Just(Habit::Leaks)],
    ) {
        let text = parts.concat();
        let (whole, _) = filtered(habit, std::iter::once(&*text));
        let mut pieces = vec![String::new()];
        for (c, cut) in text.chars().zip(cuts.iter().cycle()) {
            if *cut {
                pieces.push(String::new());
            }
            pieces.last_mut().unwrap().push(c);
        }
        let split = filtered(habit, pieces.iter().map(String::as_str));
        prop_assert_eq!(&split.0, &whole);
        if !text.contains("think") && !text.contains("THINK") && !text.contains("<|") {
            let expected = if text.trim().is_empty() { "" } else { &text };
            prop_assert_eq!(whole, expected);
        }
    }
}
