//! The header `Idempotency-Key`.

use poem::http::HeaderMap;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::refusal::Refusal;
use crate::domain::IdempotencyKey;

const NAME: &str = "idempotency-key";

/// The client's name for its question, if it sent one. A malformed key is rejected, not ignored: a
/// client that sends one depends on it.
#[derive(Clone, Copy, Debug)]
pub struct KeyHeader(pub Option<IdempotencyKey>);

impl<'a> ApiExtractor<'a> for KeyHeader {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema {
            min_length: Some(1),
            max_length: Some(IdempotencyKey::MAX_BYTES),
            ..MetaSchema::new("string")
        })))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(key(request.headers())?))
    }
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut values = headers.get_all(NAME).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().and_then(IdempotencyKey::new);
    if key.is_none() || values.next().is_some() {
        return Err(Refusal::BadField(
            "`Idempotency-Key` must be one text of 1 to 255 printable ASCII characters.",
        ));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_printable_key_or_none_is_taken() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(NAME, poem::http::HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers).map_err(|error| error.to_string())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"k 1"]), Ok(IdempotencyKey::new("k 1")));
        for bad in [&[b"".as_slice()][..], &[b"\xFFkey"], &[b"a", b"b"], &["é".as_bytes()]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
