//! The project's documents as pages, for users who only have the executable.

use std::error::Error;
use std::fs;
use std::path::Path;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A document of the project and the page that shows it.
pub struct Page {
    /// The document's path in the project.
    pub file: &'static str,
    /// The page's path among the assets.
    pub page: &'static str,
    /// The page's address.
    address: &'static str,
    title: &'static str,
}

/// All documents that are served.
pub const PAGES: [Page; 2] = [
    Page { file: "README.md", page: "readme.html", address: "/readme", title: "README" },
    Page {
        file: "docs/widget.md",
        page: "guide.html",
        address: "/guide",
        title: "The widget on your site",
    },
];

/// The page around each document, with marks for the `title`, the table of `contents` and the
/// `document`.
const SHELL: &str = include_str!("document.html");

/// Renders the page of a document of the project at `root`. Links to other documents lead to their
/// pages or, if they have none, become plain text; images are left out.
pub fn page(root: &Path, own: &Page) -> Result<String> {
    let text = fs::read_to_string(root.join(own.file))?;
    let mut document = Document::default();
    let mut body = String::new();
    let parser = Parser::new_ext(&text, Options::ENABLE_TABLES);
    let events: Vec<Event<'_>> = parser.filter_map(|event| document.served(event)).collect();
    html::push_html(&mut body, document.with_sections(&events).into_iter());
    // A header cell without text names nothing.
    let body = body.replace("<th></th>", "<td></td>");
    let contents: Vec<String> = document
        .sections
        .iter()
        .map(|(id, name)| format!("        <li><a href=\"#{id}\">{name}</a></li>"))
        .collect();
    Ok(SHELL
        .replace("<!-- title -->", own.title)
        .replace("<!-- contents -->", &contents.join("\n"))
        .replace("<!-- document -->", &body))
}

/// What is known while a document is read.
#[derive(Default)]
struct Document {
    /// Images that are open: what is inside is left out.
    images: usize,
    /// For each open link, whether it leads nowhere.
    dead_links: Vec<bool>,
    /// Sections of the second level: id and name, as HTML.
    sections: Vec<(String, String)>,
}

impl Document {
    /// The event as it is served, if it is.
    fn served<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::Start(Tag::Image { .. }) => {
                self.images += 1;
                None
            }
            Event::End(TagEnd::Image) => {
                self.images -= 1;
                None
            }
            _ if self.images > 0 => None,
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest = address(&dest_url);
                self.dead_links.push(dest.is_none());
                let dest_url = CowStr::from(dest?);
                Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
            }
            Event::End(TagEnd::Link) if self.dead_links.pop() == Some(true) => None,
            event => Some(event),
        }
    }

    /// Gives sections their ids. Tables and code get a frame to scroll in, which the keyboard
    /// reaches and which has a name.
    fn with_sections<'a>(&mut self, events: &[Event<'a>]) -> Vec<Event<'a>> {
        let mut out = Vec::new();
        let (mut section, mut frames) = (String::new(), 0);
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                    let name = text_of(&events[at + 1..]);
                    let id = slug(&name);
                    (section, frames) = (escaped(&name), 0);
                    if *level == HeadingLevel::H2 {
                        self.sections.push((id.clone(), section.clone()));
                    }
                    out.push(Event::Start(Tag::Heading {
                        level: *level,
                        id: Some(id.into()),
                        classes: classes.clone(),
                        attrs: attrs.clone(),
                    }));
                }
                Event::Start(Tag::Table(_) | Tag::CodeBlock(_)) => {
                    frames += 1;
                    let frame = format!(
                        "<div class=\"scroll\" role=\"group\" tabindex=\"0\" \
                         aria-label=\"{section}, {frames}\">\n"
                    );
                    out.extend([Event::Html(frame.into()), event.clone()]);
                }
                Event::End(TagEnd::Table | TagEnd::CodeBlock) => {
                    out.extend([event.clone(), Event::Html("</div>\n".into())]);
                }
                event => out.push(event.clone()),
            }
        }
        out
    }
}

/// The text of a heading whose content `events` begin with.
fn text_of(events: &[Event<'_>]) -> String {
    events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(&**text),
            _ => None,
        })
        .collect()
}

/// The id that GitHub gives a heading, so that links within a document work in both places.
fn slug(name: &str) -> String {
    let kept = name.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The address that a document's link has in the executable; `None` if it has none.
fn address(link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let file = link.trim_start_matches("../");
    if file == "openapi/openapi.json" {
        return Some("/openapi.json".to_owned());
    }
    let page = PAGES.iter().find(|page| page.file == file);
    page.map(|page| page.address.to_owned())
}
