//! Emphasis in text without spaces between words.

use proptest::prelude::*;

use super::*;

/// Compares. In the expected text `‹…›` is strong, `{…}` is emphasised and `~…~` is struck out.
fn check_emphasis(cases: &[(&str, &str)]) {
    for (markdown, wanted) in cases {
        let html = render(markdown);
        let shown = html
            .replace("<strong>", "‹")
            .replace("</strong>", "›")
            .replace("<em>", "{")
            .replace("</em>", "}")
            .replace("<del>", "~")
            .replace("</del>", "~");
        assert_eq!(shown, format!("<p>{wanted}</p>"), "of {markdown:?}");
    }
}

#[test]
fn emphasis_ends_and_begins_beside_chinese_japanese_and_korean() {
    check_emphasis(&[
        ("**注意：**必ず確認してください", "‹注意：›必ず確認してください"),
        ("这是**“术语”**的例子。价格为**¥100**元。", "这是‹“术语”›的例子。价格为‹¥100›元。"),
        ("**C#**和**F#**", "‹C#›和‹F#›"),
        ("**「重要」**です", "‹「重要」›です"),
        ("**(重要)**请看", "‹(重要)›请看"),
        ("**50%**增长", "‹50%›增长"),
        ("使用**`npm`**安装", "使用‹<code>npm</code>›安装"),
        ("**중요:**이것은", "‹중요:›이것은"),
        ("**\"서울\"**은 **서울(Seoul)**은", "‹\"서울\"›은 ‹서울(Seoul)›은"),
        ("*（注）*参照", "{（注）}参照"),
        ("本文*（注）*参照", "本文{（注）}参照"),
        ("*注意：*API", "{注意：}API"),
        ("~~「旧」~~です", "~「旧」~です"),
        ("说明~~（旧）~~新", "说明~（旧）~新"),
        ("__注意：__必ず __「重要」__です", "‹注意：›必ず ‹「重要」›です"),
        ("**注意**：x", "‹注意›：x"),
        ("***「重要」***です", "{‹「重要」›}です"),
        ("**「*重要*」**です", "‹「{重要}」›です"),
        ("**_重要_**です", "‹{重要}›です"),
        ("「**重要**」です「**更に**」", "「‹重要›」です「‹更に›」"),
        ("使用**.NET**框架和**-5°**", "使用‹.NET›框架和‹-5°›"),
        ("**提示：**重点：**必须**完成", "‹提示：›重点：‹必须›完成"),
        ("**สำคัญ:**ข้อความ", "‹สำคัญ:›ข้อความ"),
        ("**重要**,然后**《书》**出版", "‹重要›,然后‹《书》›出版"),
        ("**Hello！**world **“A”**和B", "‹Hello！›world ‹“A”›和B"),
        ("**①**项目**②**项目", "‹①›项目‹②›项目"),
    ]);
}

#[test]
fn emphasis_ends_after_punctuation_where_nothing_else_can_be_meant() {
    check_emphasis(&[
        ("**(a)**b", "‹(a)›b"),
        ("*(a)*b", "{(a)}b"),
        ("**Note:**text **50%**growth", "‹Note:›text ‹50%›growth"),
        ("das **„Wort“**er und das**„Wort“**er", "das ‹„Wort“›er und das‹„Wort“›er"),
        ("the**`npm`**tool", "the‹<code>npm</code>›tool"),
        ("**“term”**s, **10 €**pro", "‹“term”›s, ‹10 €›pro"),
        ("**»mot«**s le**«mot»**s **x (»mot«)**s", "‹»mot«›s le‹«mot»›s ‹x (»mot«)›s"),
        ("~~(old)~~new", "~(old)~new"),
    ]);
}

#[test]
fn what_is_no_emphasis_stays_none() {
    for text in [
        "y = 2*(a)*b",
        "x = (a)**b + (c)**d",
        "2**(3)**2",
        "f(x, **a,**b) and {**a,**b}",
        "a/*b and c/*d",
        "x=*p, y=*q",
        "(char)*p + (int)*q",
        "foo(**bar)**baz",
        "使用my_var_name变量",
        "初始化__init__方法",
        "变量_名称_的",
        "使用_(\"text\")_函数",
        "2*（a+b）*c",
        "a*\"foo\"*",
        "5~10岁，或20~30岁",
        "\\*\\*注意：\\*\\*必ず",
        "** 重要：** 必ず",
    ] {
        let html = render(text);
        assert!(!["<em>", "<strong>", "<del>"].iter().any(|it| html.contains(it)), "{html}");
    }
    check_emphasis(&[
        ("*(*foo*)*", "{({foo})}"),
        ("**foo \"*bar*\" foo**", "‹foo \"{bar}\" foo›"),
        ("**a**:**b** (**c**)**d**", "‹a›:‹b› (‹c›)‹d›"),
        ("面积=长*宽*高", "面积=长{宽}高"),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn words_after_spaces_are_read_as_by_commonmark(text in "([*]{1,3}|[(\"]?[a重，.]{1,3}[.)\":]?| ){0,20}") {
        // With a space at each side of every run, or none but letters, there is nothing to decide.
        let spaced = text.replace('*', " * ");
        prop_assert_eq!(crate::markdown::emphasis::mark(&spaced, MARKS[0]), None);
    }

    #[test]
    fn marks_change_no_text(text in "[*~_`(\"“”「」：。.,a重요\\\\ \n-]{0,40}") {
        let marked = crate::markdown::emphasis::mark(&text, MARKS[0]).unwrap_or_else(|| text.clone());
        prop_assert!(!render(&text).contains(MARKS[0]));
        prop_assert_eq!(marked.replace(MARKS[0], ""), text);
    }

    #[test]
    fn an_emphasised_phrase_is_emphasised_in_any_sentence(
        before in "[一-龥ぁ-んァ-ヶ가-힣]{0,3}",
        phrase in "[「“(（《]?[一-龥ぁ-んa-z0-9]{1,4}[」”)）》：。%!]?",
        after in "[一-龥ぁ-んァ-ヶ가-힣]{0,3}",
    ) {
        let opening = phrase.starts_with(['「', '“', '(', '（', '《']);
        let closing = phrase.ends_with(['」', '”', ')', '）', '》']);
        prop_assume!(opening == closing);
        let html = render(&format!("{before}**{phrase}**{after}"));
        prop_assert_eq!(html, format!("<p>{before}<strong>{phrase}</strong>{after}</p>"));
    }
}
