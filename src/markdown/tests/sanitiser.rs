//! The oracle for rendered Markdown: a sanitiser that must find nothing to remove. Fuzzing uses it
//! too, so this file depends on `ammonia` alone.

use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};

/// A sanitiser that lets through what the documentation of `markdown` lists, and nothing else.
pub fn sanitiser() -> Builder<'static> {
    let tags = "a blockquote br code del em h3 h4 h5 h6 hr input label li ol p pre strong table \
                tbody td th thead tr ul";
    let attributes = [
        ("a", &["href", "rel", "target"][..]),
        ("ol", &["start"]),
        ("td", &["align"]),
        ("th", &["align"]),
        ("code", &["class"]),
        ("li", &["class"]),
        ("input", &["type", "checked", "disabled"]),
    ];
    let mut builder = Builder::empty();
    builder
        .tags(tags.split_ascii_whitespace().collect())
        .tag_attributes(
            attributes
                .iter()
                .map(|(tag, names)| (*tag, names.iter().copied().collect()))
                .collect::<HashMap<_, HashSet<_>>>(),
        )
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(|element, attribute, value| {
            let fine = match (element, attribute) {
                ("a", "href") => {
                    value.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
                        && ["http://", "https://", "mailto:"].iter().any(|s| value.starts_with(s))
                }
                ("a", "rel") => value == "noopener noreferrer nofollow",
                ("a", "target") => value == "_blank",
                ("ol", "start") => value.bytes().all(|b| b.is_ascii_digit()),
                ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
                ("code", "class") => value.strip_prefix("language-").is_some_and(|language| {
                    language.bytes().all(|b| b.is_ascii_alphanumeric() || b"+#-_.".contains(&b))
                }),
                ("li", "class") => value == "task-list-item",
                ("input", "type") => value == "checkbox",
                ("input", "checked" | "disabled") => value.is_empty(),
                _ => false,
            };
            fine.then(|| value.into())
        });
    builder
}

/// Fails, with the first difference, unless the sanitiser returns `html` unchanged. It parses,
/// filters and serialises; the same bytes mean that nothing was filtered, that every element is
/// closed where it should be, and that a second parser (as in mutation attacks) sees what the first
/// one saw.
pub fn check_inert(sanitiser: &Builder<'_>, html: &str) -> Result<(), String> {
    let clean = sanitiser.clean(html).to_string().replace("&nbsp;", "\u{a0}");
    if clean == html {
        return Ok(());
    }
    let same = clean.bytes().zip(html.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let part: Vec<u8> =
            text.as_bytes().iter().skip(same.saturating_sub(40)).take(80).copied().collect();
        String::from_utf8_lossy(&part).into_owned()
    };
    Err(format!("\n got {}\nsafe {}", around(html), around(&clean)))
}
