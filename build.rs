//! Stamps the revision and lists the assets.
//!
//! For the compiler's environment:
//!
//! - `BUILD_REVISION`: the first 12 digits of the commit that a release build is made from. Empty
//!   without git, as in a source archive, and in debug builds, where every commit would otherwise
//!   recompile the crate and its tests. A value set in the environment is used as is. Uncommitted
//!   changes are not marked: that would require running on every build.
//! - `BUILD_VERSION`: the package's version, followed by `+revision` if there is one.
//!
//! In `$OUT_DIR/assets/`, the files of `assets/` as they are served.
//!
//! In `$OUT_DIR/assets.rs`, for inclusion by a module that defines `Asset`:
//!
//! - `VERSION: &str`, 16 hexadecimal digits that change if any of the files does.
//! - `ASSETS: &[Asset]`, one for each file under `assets/`, sorted by path in byte order:
//!   `Asset { path, hash, content_type, gzip }`, where `path` is relative to `assets/` and separated
//!   by `/`, `hash` is 16 hexadecimal digits of the content's SHA-256, and `gzip` is `Some(&[u8])` if
//!   compression makes the file smaller.

#[path = "build/layout.rs"]
mod layout;
#[path = "build/readme.rs"]
mod readme;
#[path = "build/script.rs"]
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, str};

use oxc_span::SourceType;
use script::Bundle;
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Extensions of files that can be served, their content types, and whether they are text.
const CONTENT_TYPES: &[(&str, &str, bool)] = &[
    ("css", "text/css; charset=utf-8", true),
    ("csv", "text/csv; charset=utf-8", true),
    ("gif", "image/gif", false),
    ("html", "text/html; charset=utf-8", true),
    ("ico", "image/x-icon", false),
    ("jpg", "image/jpeg", false),
    ("js", "text/javascript; charset=utf-8", true),
    ("json", "application/json", true),
    ("md", "text/markdown; charset=utf-8", true),
    ("mjs", "text/javascript; charset=utf-8", true),
    ("png", "image/png", false),
    ("svg", "image/svg+xml; charset=utf-8", true),
    ("txt", "text/plain; charset=utf-8", true),
    ("webmanifest", "application/manifest+json", true),
    ("webp", "image/webp", false),
    ("woff2", "font/woff2", false),
    ("xml", "application/xml; charset=utf-8", true),
];

/// The page that other sites frame.
const WINDOW: &str = "widget/chatbot.html";

fn main() -> Result<()> {
    tell("rerun-if-changed=build.rs")?;
    tell("rerun-if-changed=build")?;
    let revision = revision()?;
    let version = env::var("CARGO_PKG_VERSION")?;
    let version = if revision.is_empty() { version } else { format!("{version}+{revision}") };
    tell(&format!("rustc-env=BUILD_REVISION={revision}"))?;
    tell(&format!("rustc-env=BUILD_VERSION={version}"))?;

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("assets");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    tell("rerun-if-changed=assets")?;
    prepare_assets(&root, &out)
}

/// Writes one instruction for Cargo.
fn tell(instruction: &str) -> io::Result<()> {
    writeln!(io::stdout(), "cargo::{instruction}")
}

fn revision() -> Result<String> {
    tell("rerun-if-env-changed=BUILD_REVISION")?;
    if let Ok(given) = env::var("BUILD_REVISION") {
        // Characters that semantic versions allow after the plus sign.
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if given.chars().all(allowed) {
            return Ok(given);
        }
        return Err("BUILD_REVISION may hold letters, digits, '-' and '.' only".into());
    }
    // A source archive unpacked inside another repository must not get that repository's revision.
    let ours = || git(&["ls-files", "--error-unmatch", "Cargo.toml"]);
    if env::var("PROFILE")? == "debug" || ours().is_none() {
        return Ok(String::new());
    }
    for path in revision_files() {
        tell(&format!("rerun-if-changed={}", path.display()))?;
    }
    Ok(git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default())
}

/// The files that change with the revision: HEAD on a checkout and, on a branch, the branch's file on
/// a commit. While a branch exists only in `packed-refs`, the next commit creates its file, so the
/// folder is watched too. Files that do not exist are left out: Cargo would run this script on every
/// build.
fn revision_files() -> Vec<PathBuf> {
    let git_path = |name: &str| git(&["rev-parse", "--git-path", name]).map(PathBuf::from);
    let mut files: Vec<_> = git_path("HEAD").into_iter().collect();
    if let Some(branch) = git(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|name| git_path(&name))
    {
        if branch.exists() {
            files.push(branch);
        } else {
            files.extend(branch.ancestors().skip(1).find(|at| at.exists()).map(Path::to_owned));
            files.extend(git_path("packed-refs").filter(|path| path.exists()));
        }
    }
    files
}

/// The first line of git's output; `None` without git, without a repository, or if git fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// Writes the assets as served, the list of them, and their compressed forms.
fn prepare_assets(root: &Path, out: &Path) -> Result<()> {
    let mut paths = Vec::new();
    if root.is_dir() {
        collect(root, "", &mut paths)?;
    }
    paths.sort_unstable();
    let mut served = serve_scripts(root, &paths)?;
    for path in paths.iter().filter(|path| !path.ends_with(".js")) {
        let content = fs::read(root.join(path))?;
        let (_, is_text) = content_type(path)?;
        let content = match String::from_utf8(content) {
            Err(_) if is_text => return Err(format!("assets/{path} is not UTF-8").into()),
            Ok(text) if path.ends_with(".css") => without_comments(&text).into_bytes(),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        served.insert(path.clone(), content);
    }
    let project = root.parent().unwrap_or(root);
    for document in &readme::PAGES {
        tell(&format!("rerun-if-changed={}", document.file))?;
        let page =
            readme::page(project, document).map_err(|e| format!("{}: {e}", document.file))?;
        served.insert(document.page.to_owned(), page.into_bytes());
    }
    let package = env::var("CARGO_PKG_VERSION")?;
    for (path, content) in served.iter_mut().filter(|(path, _)| path.ends_with(".html")) {
        *content = layout::fill(str::from_utf8(content)?, path, &package).into_bytes();
    }
    let mut all = Sha256::new();
    for content in served.values() {
        all.update(content);
    }
    let version = short_hex(&all.finalize());
    // The earlier widget's address of the chat window.
    if let Some(window) = served.get(WINDOW) {
        served.insert(format!("static/{WINDOW}"), window.clone());
    }

    let (served_dir, gzip_dir) = (out.join("assets"), out.join("gzip"));
    for dir in [&served_dir, &gzip_dir] {
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        fs::create_dir_all(dir)?;
    }
    let mut code = format!("static VERSION: &str = {version:?};\nstatic ASSETS: &[Asset] = &[\n");
    for (path, mut content) in served {
        let (content_type, is_text) = content_type(&path)?;
        if path.ends_with(".html") {
            content = with_version(&content, &path, &version)?;
        }
        let file = served_dir.join(&path);
        fs::create_dir_all(file.parent().unwrap_or(&served_dir))?;
        fs::write(file, &content)?;
        let hash = short_hex(&Sha256::digest(&content));
        let gzip = match if is_text { compress(&content)? } else { None } {
            Some(bytes) => {
                fs::write(gzip_dir.join(format!("{hash}.gz")), bytes)?;
                format!("Some(include_bytes!(\"gzip/{hash}.gz\"))")
            }
            None => "None".to_owned(),
        };
        writeln!(
            code,
            "    Asset {{ path: {path:?}, hash: \"{hash}\", content_type: {content_type:?}, \
             gzip: {gzip} }},"
        )?;
    }
    code.push_str("];\n");
    fs::write(out.join("assets.rs"), code)?;
    Ok(())
}

/// The scripts among `paths` as served, by path: those that pages refer to, bundled with all their
/// imports, and the others on their own.
fn serve_scripts(root: &Path, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut served = BTreeMap::new();
    let mut bundled = BTreeSet::new();
    for page in paths.iter().filter(|path| path.ends_with(".html")) {
        let page = fs::read_to_string(root.join(page))?;
        for (at, mark) in page.match_indices("<script type=\"module\" src=\"/") {
            let entry = page[at + mark.len()..].split('"').next().unwrap_or_default();
            let named = |error| format!("assets/{entry}: {error}");
            let bundle = Bundle::new(root, entry).map_err(named)?;
            served.insert(entry.to_owned(), bundle.minified().map_err(named)?.into_bytes());
            bundled.extend(bundle.modules);
        }
    }
    for path in paths.iter().filter(|path| path.ends_with(".js") && !bundled.contains(*path)) {
        let source = fs::read_to_string(root.join(path))?;
        let is_module = path.starts_with("static/");
        let kind = if is_module { SourceType::mjs() } else { SourceType::script() };
        let code = script::minified(&source, kind).map_err(|e| format!("assets/{path}: {e}"))?;
        served.insert(path.clone(), code.into_bytes());
    }
    Ok(served)
}

/// Puts the version into the addresses of a page's scripts and styles, so that their content never
/// changes. Scripts import each other by relative addresses, so those include it too. Addresses become
/// relative to the page's `path`, for servers below a path of a host.
fn with_version(page: &[u8], path: &str, version: &str) -> Result<Vec<u8>> {
    let up = "../".repeat(path.matches('/').count());
    let page = str::from_utf8(page)?.replace("=\"/static/", &format!("=\"{up}static/{version}/"));
    Ok(page.replace("=\"/favicon.svg", &format!("=\"{up}favicon.svg")).into_bytes())
}

/// A style sheet without its comments and without indentation.
fn without_comments(css: &str) -> String {
    let mut code = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Collects the paths of all files below `folder`, except hidden ones and editors' backups.
fn collect(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let at = entry?.path();
        let Some(name) = at.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("the name of {} is not UTF-8", at.display()).into());
        };
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if at.is_dir() {
            collect(&at, &format!("{prefix}{name}/"), paths)?;
        } else {
            paths.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

/// A file's content type and whether it is text. An extension that is not listed fails the build:
/// browsers are told not to guess types, so they could not use the file.
fn content_type(path: &str) -> Result<(&'static str, bool)> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    CONTENT_TYPES
        .iter()
        .find(|(known, ..)| *known == ending)
        .map(|&(_, content_type, is_text)| (content_type, is_text))
        .ok_or_else(|| format!("assets/{path}: name its content type in build.rs").into())
}

/// The gzip form, or `None` if it is not smaller. It contains no time and no name, so that the same
/// content always yields the same bytes.
fn compress(content: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, content, &mut bytes)?;
    Ok((bytes.len() < content.len()).then_some(bytes))
}

/// The first 8 bytes in hexadecimal digits.
fn short_hex(digest: &[u8]) -> String {
    digest.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
