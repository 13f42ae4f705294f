//! Answers that end right after the results of tools: the model has nothing to add. The same call
//! would end in the same way, so the model is asked once to go on.
//!
//! Source: Anthropic's documentation, "Handling stop reasons", empty responses with `end_turn`.

use std::future::Future;
use std::pin::Pin;

use futures_util::{StreamExt, stream};

use crate::domain::Usage;
use crate::provider::parameter::Parameter;
use crate::provider::{EventStream, ModelEvent, ProviderError};

/// What the model is asked then, in a user's message.
pub const REQUEST_TO_GO_ON: &str = "Please continue.";

/// An answer, and the call that follows if it has no words.
struct ContinuedAnswer<F> {
    events: EventStream,
    again: Option<Pin<Box<F>>>,
    /// The tokens of the answer without words.
    spent: Usage,
}

/// `events`; if they end without a word, those of the call `again` instead.
pub fn continued<F>(events: EventStream, again: F) -> EventStream
where
    F: Future<Output = Result<EventStream, ProviderError>> + Send + 'static,
{
    let answer = ContinuedAnswer { events, again: Some(Box::pin(again)), spent: Usage::default() };
    let events = stream::unfold(answer, |mut answer| async move {
        answer.next().await.map(|event| (event, answer))
    });
    events.boxed()
}

impl<F: Future<Output = Result<EventStream, ProviderError>>> ContinuedAnswer<F> {
    async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        match self.events.next().await? {
            Ok(ModelEvent::Usage(usage)) if self.again.is_some() => {
                self.spent = usage;
                Some(Ok(ModelEvent::Usage(usage)))
            }
            Ok(ModelEvent::Usage(usage)) => Some(Ok(ModelEvent::Usage(self.spent.plus(usage)))),
            Err(error) if is_without_words(&error) => {
                let Some(again) = self.again.take() else { return Some(Err(error)) };
                tracing::info!(
                    "the model had nothing to say about the results, and is asked again"
                );
                match again.await {
                    Ok(events) => self.events = events,
                    Err(error) => return Some(Err(error)),
                }
                Box::pin(self.next()).await
            }
            event => Some(event),
        }
    }
}

/// Whether an answer has ended properly, but without words.
fn is_without_words(error: &ProviderError) -> bool {
    error.refused.is_some_and(|refused| refused.parameter == Parameter::ToolResults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::parameter::Objection;
    use crate::provider::{Fault, Finish, Refused};

    type Item = Result<ModelEvent, ProviderError>;

    fn usage(output_tokens: u32) -> Item {
        Ok(ModelEvent::Usage(Usage { output_tokens, ..Usage::default() }))
    }

    fn without_words() -> Item {
        let refused = Refused { parameter: Parameter::ToolResults, objection: Objection::NotTaken };
        let error = ProviderError::new(Fault::Malformed, "the answer is empty");
        Err(ProviderError { refused: Some(refused), ..error })
    }

    /// The events, and the failure.
    async fn read(first: Vec<Item>, again: Vec<Item>) -> (Vec<ModelEvent>, Option<String>) {
        let again = async move { Ok(stream::iter(again).boxed()) };
        let items: Vec<Item> = continued(stream::iter(first).boxed(), again).collect().await;
        let failure = items.iter().find_map(|item| item.as_ref().err().map(ToString::to_string));
        (items.into_iter().filter_map(Result::ok).collect(), failure)
    }

    fn events(items: Vec<Item>) -> Vec<ModelEvent> {
        items.into_iter().map(Result::unwrap).collect()
    }

    fn answer() -> Vec<Item> {
        let text = ModelEvent::Text("Nine.".to_owned());
        vec![usage(3), Ok(text), usage(8), Ok(ModelEvent::Finished(Finish::Complete))]
    }

    #[tokio::test]
    async fn an_answer_with_words_is_passed_on() {
        assert_eq!(read(answer(), Vec::new()).await, (events(answer()), None));
        let late = ProviderError::new(Fault::Interrupted, "gone");
        let (seen, failure) = read(vec![usage(1), Err(late)], answer()).await;
        assert_eq!((seen, failure.unwrap()), (events(vec![usage(1)]), "Interrupted: gone".into()));
    }

    #[tokio::test]
    async fn an_answer_without_words_is_asked_to_go_on_once_and_is_paid_for() {
        let (seen, failure) = read(vec![usage(5), without_words()], answer()).await;
        let mut expected = answer();
        (expected[0], expected[2]) = (usage(8), usage(13));
        expected.insert(0, usage(5));
        assert_eq!((seen, failure), (events(expected), None));
        let (seen, failure) = read(vec![without_words()], vec![without_words()]).await;
        assert_eq!((seen, failure.is_some()), (Vec::new(), true));
    }
}
