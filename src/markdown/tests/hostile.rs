//! Nothing hostile gets through: the output is parsed as a browser would (html5ever, inside
//! ammonia) and checked against the elements and attributes that are allowed.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::payloads::PAYLOADS;
use super::sanitiser::{check_inert, sanitiser};
use super::*;

#[test]
fn the_oracle_detects_unsafe_html() {
    let sanitiser = sanitiser();
    for html in [
        "<script>x</script>",
        "<p onclick=\"x\">a</p>",
        "<p style=\"x\">a</p>",
        "<p id=\"x\">a</p>",
        "<img src=\"https://example.com/a.png\">",
        "<a href=\"javascript:x\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">a</a>",
        "<a href=\"//example.com\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">a</a>",
        "<a href=\"https://example.com\" rel=\"opener\" target=\"_blank\">a</a>",
        "<code class=\"header\">a</code>",
        "<input type=\"text\">",
        "<!-- a -->",
        "<em>a",
        "<p>a<p>b</p></p>",
        "<svg></svg>",
    ] {
        assert!(check_inert(&sanitiser, html).is_err(), "{html}");
    }
    assert_eq!(check_inert(&sanitiser, &render("- [x] [a](https://example.com) `b`")), Ok(()));
}

#[test]
fn payloads_stay_text() {
    let sanitiser = sanitiser();
    let around =
        [("", ""), ("- ", ""), ("> 1. ", ""), ("a|b\n-|-\n", "|c"), ("**", "**"), ("- [ ] ", "\n")];
    for payload in PAYLOADS {
        for (before, after) in around {
            let html = render(&format!("{before}{payload}{after}"));
            if let Err(difference) = check_inert(&sanitiser, &html) {
                panic!("{before}{payload}{after}: {difference}");
            }
        }
        let mut cut = String::new();
        for letter in payload.chars() {
            cut.push(letter);
            assert_eq!(check_inert(&sanitiser, &render(&cut)), Ok(()), "{cut}");
        }
    }
    let together = PAYLOADS.join("\n");
    assert_eq!(check_inert(&sanitiser, &render(&together)), Ok(()));
    let together = normalised(&together);
    assert_eq!(check_inert(&sanitiser, &plain(&together)), Ok(()));
}

#[test]
fn hostile_schemes_make_no_link() {
    let hostile = ["script:", "script&colon;", "data:", "file:", "blob:", "view-source:", "](//"];
    for payload in PAYLOADS {
        let opens =
            payload.starts_with('[') || payload.starts_with("![") || payload.starts_with('<');
        if opens && hostile.iter().any(|h| payload.contains(h)) && !payload.contains("http") {
            assert!(!render(payload).contains("<a "), "{payload}");
        }
    }
    assert_eq!(render("[a](JaVaScRiPt:alert(1)) [b](//evil.example)"), "<p>a b</p>");
}

/// A limit of seconds, not milliseconds: quadratic time would be minutes in a debug build.
#[test]
fn hostile_sizes_take_linear_time() {
    const SIZE: usize = 100_000;
    let mut texts: Vec<String> = [
        "[",
        "*a ",
        "<",
        "|",
        ">",
        "> ",
        "`",
        "a`",
        "[](",
        "[a](<b",
        "[ (](",
        "[*_a",
        "a***",
        "a <![CDATA[",
        "a <?",
        "a <!A",
        "](\n[",
        "- ",
        "* a\n",
        "1. ",
        "![",
        "![[]()",
        "<a b=",
        "<!--",
        "_a",
        "~a~",
        "|a",
        "a|\n",
        "&",
        "\\",
        "&#x",
        "[a]: ",
        "[a]: x\n",
        "[^a]: ",
        "<a\n[^",
        "http://",
        "http://a(",
        "https://a.b/",
        "http://a:99999/",
        "www.",
        "www.a..",
        "a.b@c.d ",
        "a@",
        "- a\n\t",
        "> - ",
        "#",
        " ```\n",
        "- [ ] ",
        "<div>\n",
        "<a href=\"",
        "[a](b \"",
        "*_*_ ",
        "a*_~~`[<",
        "|-|\n",
        "a|b\n-|-\n",
        "\t",
        "\n",
        "1) > ",
        "\r",
        "<br>",
    ]
    .iter()
    .map(|unit| unit.repeat(SIZE / unit.len()))
    .collect();
    texts.push((0..300).map(|depth| format!("{}* a\n", "  ".repeat(depth))).collect());
    texts.push(format!("{}\n{}", "> ".repeat(99), "a\n".repeat(SIZE / 2)));
    texts.push(format!("{}a{}", "- ".repeat(99), "\n".repeat(SIZE)));
    texts.push(format!("[x]: {}\n{}", "x".repeat(SIZE / 2), "[x]".repeat(SIZE / 6)));
    texts.push(format!("{}{}", "[".repeat(SIZE / 2), "]".repeat(SIZE / 2)));
    texts.push(format!("{}\n{}\n{}", "|a".repeat(1000), "|-".repeat(1000), "a\n".repeat(SIZE / 4)));
    texts.push((1..400).map(|length| format!("{} a ", "`".repeat(length))).collect());
    texts.push(PAYLOADS.join("\n").repeat(600));
    for text in texts {
        let start = Instant::now();
        let html = render(&text);
        let name: String = text.chars().take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(20), "{name:?} took {:?}", start.elapsed());
        assert!(html.len() <= MAX_HTML.0 + MAX_HTML.1 * text.len() + 1024, "{name:?} grew");
    }
}

/// Pieces of Markdown and HTML that are special to one parser or another.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "B",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "*",
        "**",
        "_",
        "__",
        "~",
        "~~",
        "`",
        "```",
        "~~~",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "](<",
        "][",
        "]: ",
        "[a]",
        "[^a]",
        "[a]: ",
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<!A",
        "<br>",
        "<script>",
        "</script>",
        "<style>",
        "<div ",
        "<svg",
        "<img src=x onerror=alert(1)>",
        "<a href=",
        "\"",
        "'",
        "\\",
        "&",
        "&lt;",
        "&#x3c;",
        "&colon;",
        "&Tab;",
        ";",
        ":",
        "//",
        "/",
        "?",
        "#",
        "# ",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "[ ] ",
        "[x] ",
        "> ",
        ">",
        "|",
        "|-|",
        "|a|b|\n|-|-:|\n",
        ":-:",
        "---",
        "===",
        "=",
        "\0",
        "\u{1}",
        "\u{7f}",
        "\u{a0}",
        "\u{200b}",
        "\u{202e}",
        "\u{feff}",
        "\u{fffd}",
        "é",
        "的",
        "。",
        "🎉",
        "http://",
        "https://",
        "https://a.b",
        "www.",
        "www.a.b",
        ".",
        "@",
        "@a.bc",
        "mailto:",
        "javascript:",
        "data:",
        "file:",
        "%0a",
        "$$",
        "{",
        "}",
        "^",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_are_inert(markdown in pieces()) {
        prop_assert_eq!(check_inert(&sanitiser(), &render(&markdown)), Ok(()));
    }

    #[test]
    fn any_text_is_inert(markdown in any::<String>()) {
        prop_assert_eq!(check_inert(&sanitiser(), &render(&markdown)), Ok(()));
    }

    #[test]
    fn text_between_any_pieces_is_kept(before in pieces(), after in pieces()) {
        let html = render(&format!("{before}\n\nkeepsake\n\n{after}"));
        // Only a link reference definition may swallow the text that follows it.
        prop_assert!(html.contains("keepsake") || before.contains("]:"));
    }
}
