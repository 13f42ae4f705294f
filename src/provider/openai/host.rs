//! The server behind the base URL, and the API that it is asked over.

use url::Url;

use crate::domain::OpenAiApi;

/// The kind of server behind the base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// OpenAI itself.
    OpenAi,
    /// Azure's OpenAI service.
    Azure,
    /// A server that speaks OpenAI's API.
    Compatible,
}

/// One of OpenAI's two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `POST {base}/chat/completions`, which all servers know.
    Chat,
    /// `POST {base}/responses`, over which alone OpenAI's models that always think accept tools.
    Responses,
}

impl Api {
    /// Its name in settings and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
        }
    }
}

impl Host {
    /// Decides by the host name. OpenAI has subdomains for regions (`eu.api.openai.com`).
    pub fn of(base_url: &Url) -> Self {
        let host = base_url.host_str().unwrap_or("");
        let is_azure =
            [".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com"]
                .into_iter()
                .any(|domain| host.ends_with(domain));
        match host {
            "api.openai.com" => Self::OpenAi,
            _ if host.ends_with(".api.openai.com") => Self::OpenAi,
            _ if is_azure => Self::Azure,
            _ => Self::Compatible,
        }
    }

    /// The API that is tried first. Azure has Responses only beside the newer paths, and compatible
    /// servers have had Chat Completions for longer.
    pub fn first_api(self, base_url: &Url, choice: OpenAiApi) -> Api {
        match (choice, self) {
            (OpenAiApi::Responses, _) | (OpenAiApi::Auto, Self::OpenAi) => Api::Responses,
            (OpenAiApi::Auto, Self::Azure) if base_url.path().contains("/openai/v1") => {
                Api::Responses
            }
            _ => Api::Chat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_follows_from_the_address_unless_it_is_chosen() {
        use Api::{Chat, Responses};
        for (address, host, api) in [
            ("https://api.openai.com/v1", Host::OpenAi, Responses),
            // Regression: regional hosts were treated as compatible servers.
            ("https://eu.api.openai.com/v1", Host::OpenAi, Responses),
            ("https://evilapi.openai.com/v1", Host::Compatible, Chat),
            ("https://api.openai.com.example/v1", Host::Compatible, Chat),
            ("https://me.openai.azure.com/openai/v1/", Host::Azure, Responses),
            ("https://me.openai.azure.com/openai/deployments/d", Host::Azure, Chat),
            ("https://me.services.ai.azure.com/openai/v1", Host::Azure, Responses),
            ("http://127.0.0.1:11434/v1", Host::Compatible, Chat),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(Host::of(&url), host, "{address}");
            assert_eq!(host.first_api(&url, OpenAiApi::Auto), api, "{address}");
            assert_eq!(host.first_api(&url, OpenAiApi::Chat), Chat, "{address}");
            assert_eq!(host.first_api(&url, OpenAiApi::Responses), Responses, "{address}");
        }
    }
}
