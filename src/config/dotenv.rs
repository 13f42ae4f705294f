//! The `.env` file. It is read into a map; the process environment is not changed.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::Exit;

/// The variables in the file at `path`; empty if there is no such file. If a name appears twice, the
/// first one counts. Errors name the file and the line but never quote it: it may hold secrets.
pub fn read(path: &Path) -> Result<HashMap<String, String>, Exit> {
    let name = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(Exit::setting(&name, &format!("cannot be read: {error}"))),
    };
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Exit::setting(&name, "must be UTF-8 text"))?;
    // dotenvy rejects trailing space on a last line without a newline.
    let text = format!("{}\n", text.strip_prefix('\u{feff}').unwrap_or(text));

    let mut variables = HashMap::new();
    // Where to look for the next variable: dotenvy does not report positions.
    let mut position = 0;
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        let (key, value) = line.map_err(|error| match error {
            dotenvy::Error::LineParse(part, _) => {
                let line = number_of(find(&text, position, &part), &text);
                let rule = "must be NAME=value, in quotes if the value has spaces";
                Exit::setting(&name, &format!("line {line} {rule}"))
            }
            _ => Exit::setting(&name, "cannot be read"),
        })?;
        position = find(&text, position, &key) + key.len();
        variables.entry(key).or_insert(value);
    }
    Ok(variables)
}

/// The position of `part` in `text`, at `from` or later; `from` if it is not there.
fn find(text: &str, from: usize, part: &str) -> usize {
    text.get(from..).and_then(|rest| rest.find(part)).map_or(from, |offset| from + offset)
}

/// The number of the line that contains `position`.
fn number_of(position: usize, text: &str) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}
