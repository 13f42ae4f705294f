//! What the names of Anthropic's models say.

/// The name of one of Anthropic's models.
pub struct ClaudeName {
    /// `haiku`, `sonnet`, `opus` …; empty if the name begins with the version.
    pub family: String,
    /// Major and minor version, if they are named.
    pub version: Option<(u32, u32)>,
}

impl ClaudeName {
    /// Reads `claude-haiku-5-5`, with or without the date of a snapshot, also as Bedrock
    /// (`us.anthropic.claude-haiku-5-5-v1:0`), Vertex (`claude-haiku-5-5@20261007`) and OpenRouter
    /// (`anthropic/claude-haiku-5.5`) spell it. `None` for other makers' models.
    pub fn read(model: &str) -> Option<Self> {
        let lower = model.to_ascii_lowercase();
        let (_, name) = lower.rsplit_once("claude-")?;
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric()).peekable();
        let family = words.next_if(|word| number(word).is_none()).unwrap_or_default().to_owned();
        let version = words.next().and_then(number).map(|major| {
            let minor = words.next().and_then(number).unwrap_or(0);
            (major, minor)
        });
        Some(Self { family, version })
    }
}

/// A part of a version. A date has more digits.
fn number(word: &str) -> Option<u32> {
    let is_short = matches!(word.len(), 1 | 2) && word.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| word.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn family_and_version_are_found_in_every_spelling() {
        for (model, family, version) in [
            ("claude-haiku-5-5", "haiku", Some((5, 5))),
            ("claude-haiku-5-5-20261007", "haiku", Some((5, 5))),
            ("claude-haiku-5-5@20261007", "haiku", Some((5, 5))),
            ("us.anthropic.claude-haiku-5-5-20261007-v1:0", "haiku", Some((5, 5))),
            ("anthropic/claude-haiku-5.5", "haiku", Some((5, 5))),
            ("openrouter/anthropic/Claude-Haiku-5.5:beta", "haiku", Some((5, 5))),
            ("claude-sonnet-5-20260630", "sonnet", Some((5, 0))),
            ("claude-opus-4-7", "opus", Some((4, 7))),
            ("claude-3-5-haiku-20241022", "", Some((3, 5))),
            ("claude-2.1", "", Some((2, 1))),
            ("claude-next", "next", None),
            ("claude-haiku-latest", "haiku", None),
            ("claude-", "", None),
        ] {
            let name = ClaudeName::read(model).unwrap();
            assert_eq!((&*name.family, name.version), (family, version), "{model}");
        }
        for other in ["", "llama3.2", "claude", "kimi-k3-5", "not-claude2"] {
            assert!(ClaudeName::read(other).is_none(), "{other}");
        }
    }
}
