//! The multipart body of an upload: the session's id and one file, in either order.

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{Example, ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde_json::Value;

use super::refusal::Refusal;
use super::types::EXAMPLE_ID;
use crate::domain::SessionId;

const MULTIPART: &str = "multipart/form-data";

/// An upload as received.
#[derive(Debug)]
pub struct Upload {
    /// The session that the file is for.
    pub session: SessionId,
    /// The file's name as the client gave it.
    pub name: String,
    /// The file.
    pub bytes: Bytes,
}

/// The form of an upload.
#[derive(Debug, Object)]
#[oai(rename = "UploadRequest", rename_all = "camelCase", example)]
struct Form {
    /// The session's id.
    session_id: uuid::Uuid,
    /// A .csv or .json file.
    file: File,
}

impl Example for Form {
    fn example() -> Self {
        Self { session_id: EXAMPLE_ID.parse().unwrap_or_default(), file: File }
    }
}

/// A file in a form: `string` with the format `binary`, which Swagger UI offers a chooser for.
#[derive(Debug)]
struct File;

impl Type for File {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_binary".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for File {
    fn parse_from_json(_value: Option<Value>) -> ParseResult<Self> {
        Err(ParseError::custom("a file comes as a part of a form"))
    }
}

impl ToJSON for File {
    fn to_json(&self) -> Option<Value> {
        Some("products.csv".into())
    }
}

impl<'a> ApiExtractor<'a> for Upload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Form::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: MULTIPART, schema: Form::schema_ref() }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let kind = request.content_type().unwrap_or("");
        if !kind.trim_start().to_ascii_lowercase().starts_with(MULTIPART) {
            return Err(Refusal::NotForm.into());
        }
        let boundary = multer::parse_boundary(kind).map_err(|_| BROKEN)?;
        let bytes = <Bytes as FromRequest>::from_request(request, body).await?;
        Ok(read(bytes, boundary).await?)
    }
}

const BROKEN: Refusal = Refusal::BadField("The form cannot be read.");

async fn read(body: Bytes, boundary: String) -> Result<Upload, Refusal> {
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let (mut session, mut file) = (None, None);
    while let Some(field) = form.next_field().await.map_err(|_| BROKEN)? {
        match field.name() {
            Some("sessionId") => {
                let text = field.text().await.map_err(|_| BROKEN)?;
                let id = text.trim().parse().map_err(|_| Refusal::BadSessionId)?;
                session = Some(SessionId(id));
            }
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                file = Some((name, field.bytes().await.map_err(|_| BROKEN)?));
            }
            // What earlier clients send beside these.
            _ => {}
        }
    }
    let session = session.ok_or(Refusal::BadField("`sessionId` is missing."))?;
    let (name, bytes) = file.ok_or(Refusal::BadField("`file` is missing."))?;
    Ok(Upload { session, name, bytes })
}
