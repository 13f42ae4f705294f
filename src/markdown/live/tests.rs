use proptest::prelude::*;

use super::*;

/// An answer with every construct that models use.
const ANSWER: &str = "## Returns & *refunds*\n\nYou have **30 days**, see [your orders](https://shop.example/orders?a=(1)) \
or `GET /orders`. It costs 2 * 3 = 6 euros & ~~more~~ less.\n\n1. Open **My orders**\n2. Choose `Return`\n   - a reason\n\
   - [ ] a *new* box\n\n> A quote with __strong__ words.\n\n| Product | Price |\n|---|---:|\n| **Mug** | 4.50 |\n| [Tea](https://t.example) | 7 |\n\n\
```rust\nfn main() { let a = \"**b**\"; }\n// | no | table |\n```\n\n---\n\nA snake_case_name, 5 < 6, \\*kept\\* and a picture: ![a cup](https://c.example/cup.png).\nThe **注意：**必要 end.\n";

fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag || c.is_whitespace() => {}
            _ => text.push(c),
        }
    }
    text
}

/// What is appended over all pieces, with the end.
fn streamed<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut live = LiveMarkdown::default();
    let mut html = String::new();
    for piece in pieces {
        live.push(piece);
        html.push_str(&live.take_finished());
    }
    html + &live.end()
}

#[test]
fn what_is_shown_at_any_moment_is_the_beginning_of_what_is_shown_at_the_end() {
    let whole = text_of(&render(ANSWER));
    let mut live = LiveMarkdown::default();
    let mut finished = String::new();
    for (at, c) in ANSWER.char_indices() {
        live.push(c.encode_utf8(&mut [0; 4]));
        finished.push_str(&live.take_finished());
        let shown = text_of(&(finished.clone() + &live.tail().unwrap()));
        assert!(
            whole.starts_with(&shown),
            "after {:?}:\n{shown}",
            &ANSWER[ANSWER.floor_char_boundary(at.saturating_sub(40))..at + c.len_utf8()]
        );
    }
    assert_eq!(finished + &live.end(), render(ANSWER));
}

#[test]
fn what_is_shown_keeps_up_with_what_is_written() {
    for (open, shown) in [
        ("", ""),
        ("#", ""),
        ("# Ti", "<h3>Ti</h3>"),
        ("Some **bo", "<p>Some <strong>bo</strong></p>"),
        ("Some **bold*", "<p>Some <strong>bold</strong></p>"),
        ("Some **bold ", "<p>Some <strong>bold</strong></p>"),
        ("Some **", "<p>Some</p>"),
        ("a ***b", "<p>a <em><strong>b</strong></em></p>"),
        ("see [the or", "<p>see the or</p>"),
        ("see [the orders](https://shop.ex", "<p>see the orders</p>"),
        ("a `let", "<p>a <code>let</code></p>"),
        ("a\n\n- ", "<p>a</p>"),
        ("- one\n- two **x", "<ul><li>one</li><li>two <strong>x</strong></li></ul>"),
        ("- [ ] ", ""),
        ("| a | b |\n|--", ""),
        (
            "| a |\n|---|\n| **x",
            "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td><strong>x</strong></td></tr></tbody></table>",
        ),
        ("```py\nx = **2\n``", "<pre><code class=\"language-py\">x = **2\n</code></pre>"),
        ("a <b", "<p>a</p>"),
        ("a < b", "<p>a &lt; b</p>"),
        ("5 * 4 *", "<p>5 * 4</p>"),
        ("snake_case_na", "<p>snake_case_na</p>"),
    ] {
        let mut live = LiveMarkdown::default();
        live.push(open);
        let seen = live.take_finished() + &live.tail().unwrap();
        assert_eq!(seen, shown, "of {open:?}");
    }
}

#[test]
fn blocks_are_finished_when_the_next_one_begins() {
    let mut live = LiveMarkdown::default();
    live.push("One.\n\n1");
    assert_eq!(live.take_finished(), "", "the line may become anything");
    live.push(" or 2.\n\nTw");
    assert_eq!(live.take_finished(), "<p>One.</p><p>1 or 2.</p>");
    live.push("o.\n");
    live.push("\n- a\n\n- b\n\n```\nx\n\ny\n```\n\nEnd\n");
    let (list, code) =
        ("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "<pre><code>x\n\ny\n</code></pre>");
    assert_eq!(live.take_finished(), format!("<p>Two.</p>{list}{code}"));
    assert_eq!(live.end(), "<p>End</p>");
}

#[test]
fn nothing_is_finished_after_a_definition_which_may_be_used_later() {
    let text = "One.\n\n[a]: https://a.example\n\nTwo.\n\nThree [a].\n\nEnd.";
    assert_eq!(streamed(text.split_inclusive(' ')), render(text));
}

#[test]
fn an_answer_that_is_too_long_or_too_deep_waits_for_its_end() {
    let mut live = LiveMarkdown::default();
    live.push("One.\n\nTwo.\n\n");
    live.push(&"word ".repeat(MAX_TAIL / 5 + 1));
    assert_eq!((live.take_finished().as_str(), live.tail()), ("<p>One.</p><p>Two.</p>", None));
    live.push(&"\n\nx\n\n".repeat(MAX_MARKDOWN / 5));
    live.take_finished();
    assert_eq!((live.tail(), live.end().as_str()), (None, ""));
    let mut live = LiveMarkdown::default();
    live.push(&format!("{}\n", "> ".repeat(300)));
    assert_eq!(live.tail(), None);
}

/// Not a matter of seconds, but of the number of bytes that are parsed.
#[test]
fn a_long_block_is_searched_a_limited_number_of_times() {
    let mut live = LiveMarkdown::default();
    live.push("```\n");
    let mut searched = 0;
    let mut len = 0;
    while len < MAX_MARKDOWN / 2 {
        let line = "a line of code\n";
        len += line.len();
        if live.open.len() + line.len() >= live.search_at {
            searched += live.open.len();
        }
        live.push(line);
    }
    assert!(searched < 40 * len, "{searched} bytes for {len}");
}

fn cut(text: &str, places: &[prop::sample::Index]) -> Vec<String> {
    let mut places: Vec<_> =
        places.iter().map(|place| text.floor_char_boundary(place.index(text.len() + 1))).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect()
}

/// Text that is dense with the signs of Markdown. Without `]:` there is no definition.
fn markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n\n".to_owned()),
        "[ \t]{0,5}",
        "[-+*>#|`~_=]{1,4} ?",
        "[a-z]{1,5}( [a-z]{1,3})?",
        r"(\r\n|\n|\r|\[|\]|\(|\)|!\[|<br>|<|&amp;|\\|\||注意：|、|1\. |12\) |\*\*|```|\[x\] |---\n)",
    ];
    prop::collection::vec(piece, 0..40)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("a definition", |text| !text.contains("]:"))
}

proptest! {
    #[test]
    fn the_blocks_are_those_of_the_whole(
        text in markdown(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let pieces = cut(&text, &places);
        prop_assert_eq!(streamed(pieces.iter().map(String::as_str)), render(&text), "{:?}", text);
    }

    #[test]
    fn any_text_can_be_shown_at_any_place(text in "\\PC{0,80}", at in any::<prop::sample::Index>()) {
        let at = text.floor_char_boundary(at.index(text.len() + 1));
        let mut live = LiveMarkdown::default();
        live.push(&text[..at]);
        prop_assert!(live.tail().is_some());
        live.push(&text[at..]);
        prop_assert!(live.tail().is_some());
        live.end();
    }
}
