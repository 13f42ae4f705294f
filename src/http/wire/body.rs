//! JSON bodies of requests, read strictly and refused in words that repeat nothing of the input.

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// How deep JSON may be nested.
pub const MAX_DEPTH: usize = 64;

/// A request that is read from a JSON object.
pub trait FromJson: Type {
    /// Whether a request without a body is the same as one with `{}`.
    const OPTIONAL: bool = false;

    /// Takes what it knows from `fields`; unknown ones are ignored, as earlier backends did.
    fn from_json(fields: Map<String, Value>) -> Result<Self, Refusal>
    where
        Self: Sized;
}

/// A JSON object as the body of a request.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<'a, T: FromJson> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType {
                content_type: "application/json",
                schema: T::schema_ref(),
            }],
            required: !T::OPTIONAL,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        if bytes.is_empty() {
            return if T::OPTIONAL {
                Ok(Self(T::from_json(Map::new())?))
            } else {
                Err(Refusal::NoBody.into())
            };
        }
        if !request.content_type().is_some_and(is_json) {
            return Err(Refusal::NotJson.into());
        }
        Ok(Self(T::from_json(parse(&bytes)?)?))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The object in `bytes`.
fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Refusal::BadJson("it is not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    check_depth_and_nul(text.as_bytes())?;
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::BadField("The request body must be a JSON object.")),
        Err(error) => {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                _ if error.to_string().starts_with("number out of range") => {
                    "a number is out of range"
                }
                _ if ["surrogate", "hex escape"]
                    .iter()
                    .any(|word| error.to_string().contains(word)) =>
                {
                    "a lone surrogate"
                }
                _ => "a syntax error",
            };
            let (line, column) = (error.line(), error.column());
            Err(Refusal::BadJson(format!("{what}, line {line}, column {column}")))
        }
    }
}

/// Refuses deep nesting before the parser recurses into it, and NUL characters, which no client
/// has a use for and some stores cannot hold.
fn check_depth_and_nul(json: &[u8]) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut at) = (0usize, false, 0);
    while let Some(&byte) = json.get(at) {
        at += 1;
        match (in_string, byte) {
            (true, b'\\') => {
                if json[at..].starts_with(b"u0000") {
                    return Err(Refusal::BadField("The request contains a NUL character."));
                }
                at += 1;
            }
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Refusal::BadField("The JSON is nested more than 64 levels deep."));
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// The object under `config`; absent and null mean an empty one.
pub fn config(fields: &mut Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    match fields.remove("config") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(config)) => Ok(config),
        Some(_) => Err(Refusal::BadField("`config` must be an object.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &[u8]) -> String {
        parse(json).expect_err("must be refused").to_string()
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        let cases: &[(&[u8], &str)] = &[
            (b"{\"a\": <script>}", "a syntax error, line 1, column 7"),
            (b"{\"a\": 1", "it ends too early"),
            (b"{\"a\": 1e999}", "a number is out of range"),
            (b"{\"a\": \"\\ud800\"}", "a lone surrogate"),
            (b"{\"a\": \"\xff\"}", "it is not UTF-8"),
            (b"{\"a\": \"x\\u0000\"}", "NUL"),
            (b"[]", "must be a JSON object"),
            (b"null", "must be a JSON object"),
            (b"{} {}", "a syntax error"),
            (b"{\"a\": NaN}", "a syntax error"),
        ];
        for (json, expected) in cases {
            let said = refusal(json);
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("script"), "{said}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings_only() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(63).as_bytes()).is_ok());
        assert!(refusal(nested(64).as_bytes()).contains("64 levels"));
        assert!(refusal(nested(100_000).as_bytes()).contains("64 levels"));
        let brackets = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(500), "{".repeat(500));
        assert!(parse(brackets.as_bytes()).is_ok());
        assert!(parse(b"{\"a\":\"\\\\u0000\"}").is_ok(), "an escaped backslash is no NUL");
    }

    #[test]
    fn json_content_types() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["text/plain", "text/json", "multipart/form-data", "", "application/jsonp"] {
            assert!(!is_json(no), "{no}");
        }
    }
}
