//! The client that a request comes from, as determined by the outermost layer.

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::domain::ClientKey;

/// The client. Not a documented parameter.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub ClientKey);

impl<'a> ApiExtractor<'a> for Client {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        None
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        None
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        // The gate sets it on every request of the API; without one all share a limit.
        Ok(Self(request.extensions().get().copied().unwrap_or(ClientKey::V4(0))))
    }
}
