//! Writes the parser's events as HTML.

use std::fmt::Write as _;

use pulldown_cmark::{
    Alignment, BrokenLink, CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd,
};

use super::definitions::Definitions;
use super::escape::{escape, escape_attribute, push_lines};
use super::{MAX_DEPTH, MAX_LANGUAGE, OPTIONS, link, unmarked};

/// A link that is open in the output.
struct OpenLink {
    /// Where its text begins in the output, to tell whether it has any.
    text_at: usize,
    href: String,
}

/// Renders one text. Remembers which elements it left out, to leave out their end tags as well.
pub(super) struct Renderer<'a> {
    source: &'a str,
    /// The sign that marks places in the source and is not written.
    mark: char,
    /// Maximum length of the HTML, in bytes.
    limit: usize,
    out: String,
    /// Text that the parser has delivered in pieces, not yet written: a bare address can span them.
    text: String,
    /// For each open element, whether it is in the output.
    open: Vec<bool>,
    /// Number of lists, quotes and spans among `open` that are in the output.
    depth: usize,
    link: Option<OpenLink>,
    /// Alignments of the table's columns, and the column of the next cell.
    columns: (Vec<Alignment>, usize),
    in_table_head: bool,
    in_code_block: bool,
    in_html_block: bool,
    /// Where to insert attributes of the `<li>` that was just opened.
    item_at: Option<usize>,
    in_task_label: bool,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(source: &'a str, mark: char, limit: usize) -> Self {
        Self {
            source,
            mark,
            limit,
            out: String::with_capacity(source.len() + source.len() / 2 + 64),
            text: String::new(),
            open: Vec::new(),
            depth: 0,
            link: None,
            columns: (Vec::new(), 0),
            in_table_head: false,
            in_code_block: false,
            in_html_block: false,
            item_at: None,
            in_task_label: false,
        }
    }

    /// The HTML, or `None` if it grows out of proportion.
    pub(super) fn run(mut self, definitions: &Definitions) -> Option<String> {
        let mark = self.mark;
        let target = |link: BrokenLink<'_>| {
            let target = definitions.target(&link.reference, mark)?;
            Some((target.to_owned().into(), "".into()))
        };
        for event in Parser::new_with_broken_link_callback(self.source, OPTIONS, Some(target)) {
            self.event(event);
            if self.out.len() > self.limit {
                return None;
            }
        }
        self.flush();
        Some(self.out)
    }

    fn event(&mut self, event: Event<'a>) {
        if let Event::Text(text) = &event {
            let text = unmarked(text, self.mark);
            if self.in_code_block {
                escape(&mut self.out, &text);
            } else {
                self.text.push_str(&text);
            }
            return;
        }
        if let Event::Html(html) = &event {
            self.text.push_str(&unmarked(html, self.mark));
            return;
        }
        self.flush();
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(code) => {
                self.out.push_str("<code>");
                escape(&mut self.out, &unmarked(&code, self.mark));
                self.out.push_str("</code>");
            }
            Event::InlineHtml(html) if is_line_break(&html) => self.out.push_str("<br>"),
            Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => escape(&mut self.out, &unmarked(&text, self.mark)),
            Event::SoftBreak | Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => {
                self.end_task_label();
                self.out.push_str("<hr>");
            }
            Event::TaskListMarker(done) => self.task(done),
            Event::Text(_) | Event::Html(_) => {}
        }
    }

    /// Writes the collected text: line by line in an HTML block, elsewhere with its addresses as
    /// links.
    fn flush(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        if self.in_html_block {
            push_lines(&mut self.out, text.trim_matches('\n'));
        } else if self.link.is_some() {
            escape(&mut self.out, &text);
        } else {
            self.linked(&text);
        }
        self.text = text;
        self.text.clear();
    }

    fn linked(&mut self, text: &str) {
        let mut written = 0;
        while let Some(found) = link::find(text, written) {
            escape(&mut self.out, &text[written..found.start]);
            open_link(&mut self.out, &found.href);
            escape(&mut self.out, &text[found.start..found.end]);
            self.out.push_str("</a>");
            written = found.end;
        }
        escape(&mut self.out, &text[written..]);
    }

    fn start(&mut self, tag: Tag<'a>) {
        if !matches!(
            tag,
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
        ) {
            self.end_task_label();
        }
        if tag != Tag::Paragraph {
            self.item_at = None;
        }
        let shown = match tag {
            Tag::Paragraph | Tag::HtmlBlock => {
                self.in_html_block = tag == Tag::HtmlBlock;
                self.element("<p>")
            }
            Tag::Heading { level, .. } => {
                let _ = write!(self.out, "<{}>", heading(level));
                true
            }
            Tag::BlockQuote(_) => self.nested("<blockquote>"),
            Tag::CodeBlock(kind) => {
                self.in_code_block = true;
                self.code_block(&kind)
            }
            Tag::List(None) => self.nested("<ul>"),
            Tag::List(Some(1)) => self.nested("<ol>"),
            Tag::List(Some(first)) => {
                let shown = self.nested("<ol");
                if shown {
                    let _ = write!(self.out, " start=\"{first}\">");
                }
                shown
            }
            Tag::Item => self.item(),
            Tag::Table(alignments) => {
                self.columns = (alignments, 0);
                self.element("<table>")
            }
            Tag::TableHead => {
                self.in_table_head = true;
                self.columns.1 = 0;
                self.element("<thead><tr>")
            }
            Tag::TableRow => {
                self.columns.1 = 0;
                self.element("<tr>")
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.nested("<em>"),
            Tag::Strong => self.nested("<strong>"),
            Tag::Strikethrough => self.nested("<del>"),
            Tag::Link { link_type, dest_url, .. } => self.link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => self.link(LinkType::Inline, &dest_url),
            _ => false,
        };
        self.open.push(shown);
    }

    fn end(&mut self, tag: TagEnd) {
        if matches!(tag, TagEnd::Paragraph | TagEnd::Item) {
            self.end_task_label();
        }
        self.item_at = None;
        match tag {
            TagEnd::HtmlBlock => self.in_html_block = false,
            TagEnd::CodeBlock => self.in_code_block = false,
            _ => {}
        }
        if !self.open.pop().unwrap_or(false) {
            return;
        }
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.out.push_str("</p>"),
            TagEnd::Heading(level) => {
                let _ = write!(self.out, "</{}>", heading(level));
            }
            TagEnd::BlockQuote(_) => self.end_nested("</blockquote>"),
            TagEnd::CodeBlock => self.out.push_str("</code></pre>"),
            TagEnd::List(true) => self.end_nested("</ol>"),
            TagEnd::List(false) => self.end_nested("</ul>"),
            TagEnd::Item => self.out.push_str("</li>"),
            TagEnd::Table => self.out.push_str("</tbody></table>"),
            TagEnd::TableHead => {
                self.in_table_head = false;
                self.out.push_str("</tr></thead><tbody>");
            }
            TagEnd::TableRow => self.out.push_str("</tr>"),
            TagEnd::TableCell => {
                self.out.push_str(if self.in_table_head { "</th>" } else { "</td>" });
            }
            TagEnd::Emphasis => self.end_nested("</em>"),
            TagEnd::Strong => self.end_nested("</strong>"),
            TagEnd::Strikethrough => self.end_nested("</del>"),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    fn element(&mut self, start: &str) -> bool {
        self.out.push_str(start);
        true
    }

    /// An element that can nest in its own kind: left out when too many are open.
    fn nested(&mut self, start: &str) -> bool {
        let shown = self.depth < MAX_DEPTH;
        if shown {
            self.depth += 1;
            self.out.push_str(start);
        }
        shown
    }

    fn end_nested(&mut self, end: &str) {
        self.depth -= 1;
        self.out.push_str(end);
    }

    fn item(&mut self) -> bool {
        // An item whose list was left out becomes a line.
        let shown = self.open.last().copied().unwrap_or(false);
        self.out.push_str(if shown { "<li" } else { "<br>" });
        self.item_at = shown.then_some(self.out.len());
        if shown {
            self.out.push('>');
        }
        shown
    }

    fn task(&mut self, done: bool) {
        if let Some(at) = self.item_at.take() {
            self.out.insert_str(at, " class=\"task-list-item\"");
        }
        // The label names the checkbox for screen readers.
        self.in_task_label = true;
        self.out.push_str("<label><input type=\"checkbox\" disabled=\"\"");
        self.out.push_str(if done { " checked=\"\"> " } else { "> " });
    }

    fn end_task_label(&mut self) {
        if std::mem::take(&mut self.in_task_label) {
            self.out.push_str("</label>");
        }
    }

    fn cell(&mut self) -> bool {
        self.out.push_str(if self.in_table_head { "<th" } else { "<td" });
        self.out.push_str(match self.columns.0.get(self.columns.1) {
            Some(Alignment::Left) => " align=\"left\">",
            Some(Alignment::Center) => " align=\"center\">",
            Some(Alignment::Right) => " align=\"right\">",
            Some(Alignment::None) | None => ">",
        });
        self.columns.1 += 1;
        true
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>) -> bool {
        self.out.push_str("<pre><code");
        if let CodeBlockKind::Fenced(info) = kind {
            let info = unmarked(info, self.mark);
            let language = language(&info);
            if !language.is_empty() {
                let _ = write!(self.out, " class=\"language-{language}\"");
            }
        }
        self.out.push('>');
        true
    }

    fn link(&mut self, link_type: LinkType, target: &str) -> bool {
        if self.link.is_some() {
            return false;
        }
        let target = unmarked(target, self.mark);
        let href = match link_type {
            LinkType::Email => link::safe_href(&format!("mailto:{target}")),
            _ => link::safe_href(&target),
        };
        let Some(href) = href else { return false };
        open_link(&mut self.out, &href);
        self.link = Some(OpenLink { text_at: self.out.len(), href });
        true
    }

    fn end_link(&mut self) {
        if let Some(link) = self.link.take() {
            if self.out.get(link.text_at..).is_none_or(|text| text.trim().is_empty()) {
                escape(&mut self.out, &link.href);
            }
            self.out.push_str("</a>");
        }
    }
}

fn open_link(out: &mut String, href: &str) {
    out.push_str("<a href=\"");
    escape_attribute(out, href);
    out.push_str("\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">");
}

/// Two levels down, since the answer is part of a page.
fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "h3",
        HeadingLevel::H2 => "h4",
        HeadingLevel::H3 => "h5",
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => "h6",
    }
}

/// The language in a fence's info string, as far as a class name can hold it.
fn language(info: &str) -> &str {
    let word = info.trim_start();
    let end = word
        .bytes()
        .take(MAX_LANGUAGE)
        .take_while(|b| b.is_ascii_alphanumeric() || b"+#-_.".contains(b))
        .count();
    word.get(..end).unwrap_or_default()
}

fn is_line_break(html: &str) -> bool {
    ["<br>", "<br/>", "<br />"].iter().any(|tag| html.trim().eq_ignore_ascii_case(tag))
}
