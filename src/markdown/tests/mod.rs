//! The exact HTML of each Markdown construct.

mod emphasis;
mod hostile;
mod kept;
mod payloads;
mod sanitiser;

use super::*;

const LINK: &str = "rel=\"noopener noreferrer nofollow\" target=\"_blank\"";

/// Compares. In the expected HTML `@` stands for the attributes that all links have.
fn check(cases: &[(&str, &str)]) {
    for (markdown, html) in cases {
        assert_eq!(render(markdown), html.replace(" @>", &format!(" {LINK}>")), "of {markdown:?}");
    }
}

#[test]
fn text_and_spans() {
    check(&[
        ("", ""),
        (
            "Hello, *you* and **all** of ~~them~~ `a < b`.",
            "<p>Hello, <em>you</em> and <strong>all</strong> of <del>them</del> <code>a &lt; \
             b</code>.</p>",
        ),
        ("one\ntwo  \nthree\\\nfour\n\nfive", "<p>one<br>two<br>three<br>four</p><p>five</p>"),
        ("one\r\ntwo\rthree", "<p>one<br>two<br>three</p>"),
        (
            "AT&T &amp; 1 < 2 > 0 \"quoted\" 'so'",
            "<p>AT&amp;T &amp; 1 &lt; 2 &gt; 0 \"quoted\" 'so'</p>",
        ),
        (
            "\\*not emphasis\\* 2 * 3 * 4 snake_case_name",
            "<p>*not emphasis* 2 * 3 * 4 snake_case_name</p>",
        ),
        ("a\0b", "<p>a\u{fffd}b</p>"),
        ("Grüße, 你好, مرحبا, 👋🏽", "<p>Grüße, 你好, مرحبا, 👋🏽</p>"),
        ("costs $5 and $6, $$x^2$$", "<p>costs $5 and $6, $$x^2$$</p>"),
        ("see[^1]\n\n[^1]", "<p>see[^1]</p><p>[^1]</p>"),
    ]);
}

#[test]
fn blocks() {
    check(&[
        (
            "# A\n## B\n### C\n#### D\n###### E",
            "<h3>A</h3><h4>B</h4><h5>C</h5><h6>D</h6><h6>E</h6>",
        ),
        ("A\n=\n\nB\n-", "<h3>A</h3><h4>B</h4>"),
        ("# A {#id .c onclick=x}", "<h3>A {#id .c onclick=x}</h3>"),
        (
            "> quoted\n> > twice",
            "<blockquote><p>quoted</p><blockquote><p>twice</p></blockquote></blockquote>",
        ),
        ("> [!NOTE]\n> text", "<blockquote><p>[!NOTE]<br>text</p></blockquote>"),
        ("a\n\n***\n\nb", "<p>a</p><hr><p>b</p>"),
        ("---\ntitle: x\n---", "<hr><h4>title: x</h4>"),
    ]);
}

#[test]
fn lists() {
    check(&[
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("7) a\n8) b", "<ol start=\"7\"><li>a</li><li>b</li></ol>"),
        ("0. a", "<ol start=\"0\"><li>a</li></ol>"),
        (
            "1. a\n   ```\n   x\n   ```\n2. b",
            "<ol><li>a<pre><code>x\n</code></pre></li><li>b</li></ol>",
        ),
    ]);
}

#[test]
fn task_lists() {
    let open = "<li class=\"task-list-item\"><label><input type=\"checkbox\" disabled=\"\"> ";
    let done =
        "<li class=\"task-list-item\"><label><input type=\"checkbox\" disabled=\"\" checked=\"\"> ";
    let cases = [
        (
            "- [ ] a *b*\n- [x] c\n- d",
            format!("<ul>{open}a <em>b</em></label></li>{done}c</label></li><li>d</li></ul>"),
        ),
        (
            "- [ ] a\n  - [X] b\n- c",
            format!("<ul>{open}a</label><ul>{done}b</label></li></ul></li><li>c</li></ul>"),
        ),
        (
            "- [ ] a\n\n  more\n- b",
            format!(
                "<ul>{}a</label></p><p>more</p></li><li><p>b</p></li></ul>",
                open.replace("<label>", "<p><label>")
            ),
        ),
        (
            "- [ ] a\n  > b",
            format!("<ul>{open}a</label><blockquote><p>b</p></blockquote></li></ul>"),
        ),
        ("- [y] a\n- [] b\n\n[ ] c", "<ul><li>[y] a</li><li>[] b</li></ul><p>[ ] c</p>".into()),
    ];
    for (markdown, html) in cases {
        assert_eq!(render(markdown), html, "of {markdown:?}");
    }
}

#[test]
fn tables() {
    check(&[
        (
            "| a | b | c | d |\n|---|:--|:-:|--:|\n| 1 | *2* | `x\\|y` | 4 |",
            "<table><thead><tr><th>a</th><th align=\"left\">b</th><th align=\"center\">c</th>\
             <th align=\"right\">d</th></tr></thead>\
             <tbody><tr><td>1</td><td align=\"left\"><em>2</em></td><td align=\"center\">\
             <code>x|y</code></td><td align=\"right\">4</td></tr></tbody></table>",
        ),
        (
            "a|b\n-|-\n1\n1|2|3\n\nend",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td>\
             </tr><tr><td>1</td><td>2</td></tr></tbody></table><p>end</p>",
        ),
        ("a|b\n-|-", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody></tbody></table>"),
        (
            "a|b\n-|-\none<br>two<BR/>three|<b>x</b>",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr>\
             <td>one<br>two<br>three</td><td>&lt;b&gt;x&lt;/b&gt;</td></tr></tbody></table>",
        ),
        ("a|b\n-|-|-\n", "<p>a|b<br>-|-|-</p>"),
    ]);
}

#[test]
fn code() {
    check(&[
        (
            "```rust\nlet a = \"<b>\" && 1;\n```",
            "<pre><code class=\"language-rust\">let a = \"&lt;b&gt;\" &amp;&amp; 1;\n</code></pre>",
        ),
        ("```\n\n  a\n\n```", "<pre><code>\n  a\n\n</code></pre>"),
        ("~~~ c++ title=x\na\n~~~", "<pre><code class=\"language-c++\">a\n</code></pre>"),
        ("```C#,ignore\na\n```", "<pre><code class=\"language-C#\">a\n</code></pre>"),
        ("```{.python}\na\n```", "<pre><code>a\n</code></pre>"),
        ("```sql\nselect 1", "<pre><code class=\"language-sql\">select 1</code></pre>"),
        (
            "    indented https://example.com",
            "<pre><code>indented https://example.com</code></pre>",
        ),
        ("`` `https://example.com` ``", "<p><code>`https://example.com`</code></p>"),
    ]);
    let long = format!("```{}\n```", "x".repeat(100));
    assert_eq!(
        render(&long),
        format!("<pre><code class=\"language-{}\"></code></pre>", "x".repeat(32))
    );
}

#[test]
fn links() {
    check(&[
        (
            "[a *b*](https://example.com/x?a=1&b=2 \"title\")",
            "<p><a href=\"https://example.com/x?a=1&amp;b=2\" @>a <em>b</em></a></p>",
        ),
        ("[a][r]\n\n[r]: HTTP://Example.com", "<p><a href=\"http://example.com/\" @>a</a></p>"),
        (
            "<https://example.com/a>",
            "<p><a href=\"https://example.com/a\" @>https://example.com/a</a></p>",
        ),
        ("<me@example.com>", "<p><a href=\"mailto:me@example.com\" @>me@example.com</a></p>"),
        (
            "[mail](mailto:me@example.com?subject=a%20b)",
            "<p><a href=\"mailto:me@example.com?subject=a%20b\" @>mail</a></p>",
        ),
        (
            "[](https://example.com)",
            "<p><a href=\"https://example.com/\" @>https://example.com/</a></p>",
        ),
        ("[a](<https://example.com/a b>)", "<p><a href=\"https://example.com/a%20b\" @>a</a></p>"),
        (
            "[a](https://bücher.example/ü)",
            "<p><a href=\"https://xn--bcher-kva.example/%C3%BC\" @>a</a></p>",
        ),
        (
            "[https://example.com](https://example.org)",
            "<p><a href=\"https://example.org/\" @>https://example.com</a></p>",
        ),
        ("[a](/path) [b](page.html) [c](#part) [d](//example.com) [e]()", "<p>a b c d e</p>"),
        (
            "[a](ftp://example.com) [b](tel:123) [c](https://) [d](https://user:pw@example.com)",
            "<p>a b c d</p>",
        ),
    ]);
}

#[test]
fn images_are_links() {
    check(&[
        (
            "![a *cat*](https://example.com/c.png \"t\")",
            "<p><a href=\"https://example.com/c.png\" @>a <em>cat</em></a></p>",
        ),
        (
            "![](https://example.com/c.png)",
            "<p><a href=\"https://example.com/c.png\" @>https://example.com/c.png</a></p>",
        ),
        ("![chart](chart.png) ![d](data:image/png;base64,AAAA)", "<p>chart d</p>"),
        (
            "[![badge](https://example.com/b.svg)](https://example.org)",
            "<p><a href=\"https://example.org/\" @>badge</a></p>",
        ),
        (
            "[![badge](https://example.com/b.svg)](x)",
            "<p><a href=\"https://example.com/b.svg\" @>badge</a></p>",
        ),
        (
            "![a [b](https://example.org) https://c.example](https://example.com)",
            "<p><a href=\"https://example.com/\" @>a b https://c.example</a></p>",
        ),
    ]);
}

#[test]
fn bare_addresses() {
    let web = |shown: &str, href: &str| format!("<a href=\"{href}\" {LINK}>{shown}</a>");
    let same = |shown: &str| web(shown, shown);
    let cases = [
        ("see https://example.com/a_b_c.", format!("see {}.", same("https://example.com/a_b_c"))),
        ("https://example.com", web("https://example.com", "https://example.com/")),
        (
            "(http://example.com/a_(b)), next",
            format!("({}), next", same("http://example.com/a_(b)")),
        ),
        ("[1: https://example.com/a]", format!("[1: {}]", same("https://example.com/a"))),
        (
            "**https://example.com/a?b=c&d=e**",
            format!(
                "<strong>{}</strong>",
                web("https://example.com/a?b=c&amp;d=e", "https://example.com/a?b=c&amp;d=e")
            ),
        ),
        ("HTTPS://EXAMPLE.com/A", web("HTTPS://EXAMPLE.com/A", "https://example.com/A")),
        (
            "www.example.com, www.example",
            format!("{}, www.example", web("www.example.com", "http://www.example.com/")),
        ),
        (
            "http://localhost:8080/docs: here",
            format!("{}: here", same("http://localhost:8080/docs")),
        ),
        (
            "at https://example.com: here",
            format!("at {}: here", web("https://example.com", "https://example.com/")),
        ),
        ("请看https://example.com/a。谢谢", format!("请看{}。谢谢", same("https://example.com/a"))),
        (
            "打开https://example.com的页面",
            format!("打开{}的页面", web("https://example.com", "https://example.com/")),
        ),
        ("„https://example.com/a“", format!("„{}“", same("https://example.com/a"))),
        ("https://bücher.example", web("https://bücher.example", "https://xn--bcher-kva.example/")),
        (
            "mail a.b+c@example.co.uk.",
            format!("mail {}.", web("a.b+c@example.co.uk", "mailto:a.b+c@example.co.uk")),
        ),
        ("邮箱me@example.com", format!("邮箱{}", web("me@example.com", "mailto:me@example.com"))),
        ("a@b a@b.1 @user user@ émi@example.com", "a@b a@b.1 @user user@ émi@example.com".into()),
        (
            "https://user:pw@/ https://a:b@c ftp://example.com xhttp://a.b http:// https://.",
            "https://user:pw@/ https://a:b@c ftp://example.com xhttp://a.b http:// https://."
                .into(),
        ),
        (
            "https://example.com\"onclick=x",
            format!("{}\"onclick=x", web("https://example.com", "https://example.com/")),
        ),
        (
            "https://a.example/1 https://a.example/2",
            format!("{} {}", same("https://a.example/1"), same("https://a.example/2")),
        ),
        ("https://example.com:99999/x", "https://example.com:99999/x".into()),
    ];
    for (markdown, html) in cases {
        assert_eq!(render(markdown), format!("<p>{html}</p>"), "of {markdown:?}");
    }
}

#[test]
fn raw_html_is_text() {
    check(&[
        ("a <b>c</b> Vec<String>", "<p>a &lt;b&gt;c&lt;/b&gt; Vec&lt;String&gt;</p>"),
        ("<div>\n*a*\n</div>\n\nb", "<p>&lt;div&gt;<br>*a*<br>&lt;/div&gt;</p><p>b</p>"),
        ("<!-- a -->", "<p>&lt;!-- a --&gt;</p>"),
        ("a<br>b<br />c<br class=x>", "<p>a<br>b<br>c&lt;br class=x&gt;</p>"),
        ("- <div>\n  x\n- y", "<ul><li><p>&lt;div&gt;<br>x</p></li><li>y</li></ul>"),
        ("&lt;script&gt; &#60;b&#62;", "<p>&lt;script&gt; &lt;b&gt;</p>"),
    ]);
}

#[test]
fn text_that_is_too_long_or_too_deep_or_grows_too_much_is_shown_plain() {
    let long = format!("*a*\n{}", "b".repeat(MAX_MARKDOWN));
    assert!(render(&long).starts_with("<p>*a*<br>bbb"));
    let deep = format!("{}x *y*", "> ".repeat(102));
    assert_eq!(render(&deep), format!("<p>{}x *y*</p>", "&gt; ".repeat(102)));
    let deep = format!("{}x *y*", "- ".repeat(102));
    assert_eq!(render(&deep), format!("<p>{}x *y*</p>", "- ".repeat(102)));
    let cells = format!("{}\n{}\n{}", "|a".repeat(1000), "|-".repeat(1000), "a\n".repeat(2000));
    let html = render(&cells);
    assert!(html.starts_with("<p>|a|a"), "{}", html.len());
}

#[test]
fn long_lines_are_still_markdown() {
    let wide =
        format!("```\n{}\n+{}+\n{}\n```\n*a*", "-".repeat(400), "-".repeat(400), " ".repeat(300));
    assert!(render(&wide).ends_with("</pre><p><em>a</em></p>"));
    assert_eq!(render(&"-".repeat(400)), "<hr>");
}

#[test]
fn elements_nested_too_deeply_lose_their_tags_and_keep_their_text() {
    let html = render(&format!("{}x", "> ".repeat(90)));
    assert_eq!(html.matches("<blockquote>").count(), MAX_DEPTH);
    assert_eq!(html.matches("</blockquote>").count(), MAX_DEPTH);
    assert!(html.contains("<p>x</p>"));
    let items: String =
        (0..60).map(|depth| format!("{}- i{depth}\n", "  ".repeat(depth))).collect();
    let html = render(&items);
    assert_eq!(html.matches("<ul>").count(), MAX_DEPTH);
    assert!((0..60).all(|depth| html.contains(&format!(">i{depth}<"))), "{html}");
    let html = render(
        &"*a **b "
            .repeat(100)
            .trim_end()
            .chars()
            .chain("** c*".repeat(100).chars())
            .collect::<String>(),
    );
    assert!(html.matches("<em>").count() <= MAX_DEPTH);
    assert_eq!(html.matches('c').count(), 100);
}
