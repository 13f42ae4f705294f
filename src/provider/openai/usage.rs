//! Token counts, which both APIs report under different names.

use serde::Deserialize;

use crate::domain::Usage;
use crate::provider::transport::wire::Count;

/// Parts of the input. Compatible servers may omit them.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct InputDetails {
    cached_tokens: Option<Count>,
    cache_write_tokens: Option<Count>,
}

/// Parts of the output.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct OutputDetails {
    reasoning_tokens: Option<Count>,
}

/// The usage, from the totals of input and output and their parts.
pub fn usage(
    input: (Option<Count>, Option<InputDetails>),
    output: (Option<Count>, Option<OutputDetails>),
) -> Usage {
    let count = |count: Option<Count>| count.unwrap_or_default().0;
    let (input_details, output_details) =
        (input.1.unwrap_or_default(), output.1.unwrap_or_default());
    Usage {
        input_tokens: count(input.0),
        output_tokens: count(output.0),
        cached_input_tokens: count(input_details.cached_tokens),
        cache_write_tokens: count(input_details.cache_write_tokens),
        reasoning_tokens: count(output_details.reasoning_tokens),
    }
}
