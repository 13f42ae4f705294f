//! The `.env` file. It is read into a map: the process environment stays as it is.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::Exit;

/// The variables in the file at `path`, none if there is no such file. Of a name that comes twice
/// the first counts. Errors name the file and the line but repeat nothing of it: it holds secrets.
pub fn read(path: &Path) -> Result<HashMap<String, String>, Exit> {
    let name = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(Exit::setting(&name, &format!("cannot be read: {error}"))),
    };
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Exit::setting(&name, "must be UTF-8 text"))?;
    // dotenvy refuses a space at the end of a last line that is not ended.
    let text = format!("{}\n", text.strip_prefix('\u{feff}').unwrap_or(text));

    let mut variables = HashMap::new();
    // Where in the text to look for what comes next: dotenvy does not say where it is.
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

/// Where `part` begins in `text`, at `from` or later.
fn find(text: &str, from: usize, part: &str) -> usize {
    text.get(from..).and_then(|rest| rest.find(part)).map_or(from, |offset| from + offset)
}

/// The number of the line that holds `position`.
fn number_of(position: usize, text: &str) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}
