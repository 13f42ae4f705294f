//! No line of an answer is missing from its HTML.

use proptest::prelude::*;

use super::*;

#[test]
fn definitions_that_nothing_uses_are_text() {
    check(&[
        ("[ERROR]: Timeout", "<p>[ERROR]: Timeout</p>"),
        (
            "[INFO]: started\n[INFO]: stopped\n\nDone",
            "<p>[INFO]: started<br>[INFO]: stopped</p><p>Done</p>",
        ),
        ("see[^1]\n\n[^1]: Note", "<p>see[^1]</p><p>[^1]: Note</p>"),
        ("a[^1][^2]\n\n[^1]: One\n[^2]: Two", "<p>a[^1][^2]</p><p>[^1]: One<br>[^2]: Two</p>"),
        ("The [ERROR] line\n\n[ERROR]: Timeout", "<p>The [ERROR] line</p><p>[ERROR]: Timeout</p>"),
        ("- [a]: x\n- b", "<ul><li>[a]: x</li><li>b</li></ul>"),
        ("> [a]: x 'y'", "<blockquote><p>[a]: x 'y'</p></blockquote>"),
        ("[a]:\nx\n'y'\nz", "<p>[a]:<br>x<br>'y'<br>z</p>"),
        ("[//]: # (a comment)", "<p>[//]: # (a comment)</p>"),
        (
            "```\n[a]: x\n```\n\n    [b]: y",
            "<pre><code>[a]: x\n</code></pre><pre><code>[b]: y</code></pre>",
        ),
        ("`[a]: x` <!-- [b]: y -->", "<p><code>[a]: x</code> &lt;!-- [b]: y --&gt;</p>"),
        (
            "[a]: https://a.example/",
            "<p>[a]: <a href=\"https://a.example/\" @>https://a.example/</a></p>",
        ),
    ]);
}

#[test]
fn definitions_that_are_used_define() {
    check(&[
        (
            "[a][r]\n\n[R]: https://a.example/ \"t\"",
            "<p><a href=\"https://a.example/\" @>a</a></p>",
        ),
        (
            "see[^1]\n\n[^1]: https://a.example/",
            "<p>see<a href=\"https://a.example/\" @>^1</a></p>",
        ),
        ("[a][r] ![b][]\n\n[r]: /x\n[b]: #y", "<p>a b</p>"),
        // The second of the same label defines nothing.
        (
            "[r]\n\n[r]: https://a.example/\n[r]: https://b.example/",
            "<p><a href=\"https://a.example/\" @>r</a></p>\
             <p><a href=\"https://a.example/\" @>r</a>: <a href=\"https://b.example/\" @>https://b.example/</a></p>",
        ),
        // The first line is text, so the second is too, but it still defines.
        (
            "[WARN]: slow\n[r]: https://a.example/\n\n[a][r]",
            "<p>[WARN]: slow<br><a href=\"https://a.example/\" @>r</a>: <a href=\"https://a.example/\" @>https://a.example/</a></p>\
             <p><a href=\"https://a.example/\" @>a</a></p>",
        ),
        (
            "[**注意：**必ず][r]\n\n[r]: https://a.example/",
            "<p><a href=\"https://a.example/\" @><strong>注意：</strong>必ず</a></p>",
        ),
        (
            "[x](https://a.example/字**（b]:c)",
            "<p><a href=\"https://a.example/%E5%AD%97**%EF%BC%88b]:c\" @>x</a></p>",
        ),
    ]);
}

#[test]
fn text_with_every_mark_is_shown_plain() {
    let all: String = MARKS.iter().collect();
    assert_eq!(render(&format!("*a* {all}")), format!("<p>*a* {all}</p>"));
    assert_eq!(render(&format!("*a* {}", MARKS[0])), format!("<p><em>a</em> {}</p>", MARKS[0]));
}

/// The text of HTML, without its tags.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for (number, part) in html.split('<').enumerate() {
        let part = if number == 0 { part } else { part.split_once('>').map_or("", |(_, it)| it) };
        text.push(' ');
        text.push_str(part);
    }
    text
}

/// Lines of which no word is a target, a title or a part of markup; `@` stands for a word.
fn lines() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "[@]: @",
        "[@]: <@>",
        "[@]: @ \"@\"",
        "[@]: @ '@",
        "[^@]: @",
        "[^1]: @ @",
        "[@]:",
        "[@]:@",
        "[@]",
        "[@][@]",
        "@[^1]",
        "[@",
        "]: @",
        "   [@]: @",
        "    [@]: @",
        "[a]: @",
        "[a]: @\n@",
        "<!-- @",
        "-->",
        "<!-- @ -->",
        "<div>@",
        "</div>",
        "<@>",
        "<?@",
        "?>",
        "<![CDATA[@",
        "]]>",
        "<!X @>",
        "<@ a=\"@\">",
        "@",
        "**@：**@",
        "*@*@",
        "`@`",
        "`@",
        "``",
        "~~@~~",
        "| @ |",
        "@|@",
        "|-|",
        "|-|-|",
        "",
        "",
        "> ",
        "> @",
        "- ",
        "- @",
        "* [@]: @",
        "1. @",
        "> [@]: @",
        "> - [@]: @",
        "# @",
        "[@]: @ #",
        "---",
        "===",
        "\\[@]: @",
        "\\@",
        "&amp;@",
        "![@]",
        "- [ ] @",
        "@\\",
    ]);
    prop::collection::vec(
        (prop::sample::select(vec!["", "", "", "  ", "> ", "- ", "   "]), line),
        1..12,
    )
    .prop_map(|lines| {
        lines.into_iter().map(|(start, line)| format!("{start}{line}\n")).collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_word_is_in_the_text(lines in lines()) {
        let mut words = 0;
        let mut markdown = String::new();
        for part in lines.split_inclusive('@') {
            markdown.push_str(part.trim_end_matches('@'));
            if part.ends_with('@') {
                markdown.push_str(&format!("w{words}w"));
                words += 1;
            }
        }
        // Cells beyond those of the header are no part of a table (GFM).
        prop_assume!(!render(&markdown).contains("<table>") || !markdown.contains("@|@"));
        let text = text_of(&render(&markdown));
        for word in 0..words {
            let word = format!("w{word}w");
            prop_assert!(text.contains(&word), "{} of {:?} is not in {:?}", word, markdown, text);
        }
    }
}
