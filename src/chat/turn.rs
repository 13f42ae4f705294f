//! The turn itself: the question stored, the prompt written, the provider asked, its tools run, the
//! answer stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::{Conclusion, Gathered, Round};
use super::feed::{RunningTurn, TurnEvent};
use super::tools::query_data as tools;
use super::{Answer, Delivery, Inner, Question};
use crate::domain::{NewMessage, SessionConfig, SessionId, Status};
use crate::error::AppError;
use crate::prompt::{self, Operator};
use crate::provider::policy::ModelCalls;
use crate::provider::{Entry, ModelRequest, Provider, ToolChoice};
use crate::store::StoreError;

/// How many messages of the conversation so far go into a prompt at the most. What was said fifty
/// exchanges ago hardly ever matters, and every question would pay for it in tokens and in time.
const HISTORY_MESSAGES: usize = 100;

/// How long a question waits for the session's earlier one.
const TURN_WAIT: Duration = Duration::from_secs(30);

/// How often a model may call its tool in one turn.
const MAX_TOOL_CALLS: usize = 5;

/// The default of the `maxTokens` setting.
const DEFAULT_MAX_TOKENS: u32 = 1000;

impl Inner {
    /// Runs a turn from its question to its stored answer.
    pub(super) async fn turn(
        &self,
        id: SessionId,
        question: Question,
        turn: &Arc<RunningTurn>,
    ) -> Result<Answer, AppError> {
        let started = Instant::now();
        let Question { message, patch, delivery, key } = question;
        let store = &self.store;
        // Refused before it waits for the lock, and before anything is stored.
        let session = store.session(id, self.clock.now()).await?;
        let mut config = session.config;
        config.merge(patch.clone());
        let provider = self.choose(&config)?;
        let _locked = self.locks.lock(id, TURN_WAIT).await.ok_or(AppError::TurnInProgress)?;
        let _registered = self.turns.register(id, Arc::clone(turn));

        let asked = NewMessage::question(message, self.clock.now());
        let question = asked.content.clone();
        let begun = store.begin_turn(id, patch, asked, key).await?;
        if let Some(answer) = begun.answered {
            tracing::info!(session.id = id.short(), "answered before");
            return Ok(self.again(answer, &*provider, begun.session.message_count, turn));
        }
        let config = &begun.session.config;
        let mut request = self.request(id, begun.question, config, &question, &*provider).await?;
        let mut calls = self.policy.calls_from(&provider);
        let whole = delivery == Delivery::Whole;
        let mut gathered = Gathered::new(turn, whole, provider.kind(), request.model.clone());
        self.converse(id, &mut calls, &mut request, turn, &mut gathered).await;
        let provider = calls.provider();
        let Conclusion { question: status, answer, failure } = gathered.conclude(self.clock.now());

        let stored = answer.clone();
        let now = self.clock.now();
        let finished = store.finish_turn(id, begun.question, status, stored, now).await;
        if let Some(failure) = failure {
            tracing::info!(
                session.id = id.short(),
                provider = %provider.kind(),
                provider.fault = ?failure.fault,
                elapsed_ms = millis(started),
                "not answered"
            );
            if let Err(error) = finished {
                tracing::error!(error = ?error, "the end of a failed turn could not be stored");
            }
            return Err(AppError::Provider(failure));
        }
        let message_count = match finished {
            Ok(count) => count,
            // The session was deleted or expired while the model spoke: the answer is still right.
            Err(StoreError::NotFound) => begun.session.message_count + 1,
            Err(error) => return Err(error.into()),
        };
        // Without an answer the visitor has stopped before its first word.
        let answer = answer.unwrap_or_else(|| NewMessage {
            status: Status::Stopped,
            model: Some(request.model),
            ..NewMessage::question(String::new(), now)
        });
        let result = Answer::new(answer, &**provider, message_count);
        tracing::info!(
            session.id = id.short(),
            provider = %result.provider,
            model = result.model,
            tokens.input = result.usage.input_tokens,
            tokens.cached = result.usage.cached_input_tokens,
            tokens.output = result.usage.output_tokens,
            answer.status = result.status.as_str(),
            tools.calls = result.tools.len(),
            elapsed_ms = millis(started),
            "answered"
        );
        Ok(result)
    }

    /// An answer that was given before, for a client that has asked again; `asked` is who would
    /// answer now.
    fn again(
        &self,
        answer: NewMessage,
        asked: &dyn Provider,
        message_count: u64,
        turn: &RunningTurn,
    ) -> Answer {
        let kind = answer.provider.unwrap_or(asked.kind());
        let provider = self.providers.iter().find(|provider| provider.kind() == kind);
        let answer = Answer::new(answer, provider.map_or(asked, |found| &**found), message_count);
        turn.push(TurnEvent::Started { provider: kind, model: answer.model.clone() });
        turn.push(TurnEvent::Text(answer.text.clone()));
        answer
    }

    /// The provider that `config` names, else the operator's, else the first there is.
    fn choose(&self, config: &SessionConfig) -> Result<Arc<dyn Provider>, AppError> {
        let find = |kind| self.providers.iter().find(|provider| provider.kind() == kind);
        match config.ai_provider() {
            Some(asked) => find(asked).cloned().ok_or_else(|| AppError::ProviderNotConfigured {
                asked,
                available: self.providers.iter().map(|provider| provider.kind()).collect(),
            }),
            None => find(self.settings.preferred)
                .or_else(|| self.providers.first())
                .cloned()
                .ok_or_else(|| AppError::Internal("no provider at all".into())),
        }
    }

    /// The call that answers `question`, with as much of the earlier conversation as fits.
    async fn request(
        &self,
        id: SessionId,
        place: u64,
        config: &SessionConfig,
        question: &str,
        provider: &dyn Provider,
    ) -> Result<ModelRequest, AppError> {
        let operator = Operator {
            bot_name: config.bot_name().unwrap_or(&self.settings.bot_name),
            instructions: self.settings.instructions.as_deref(),
        };
        let file = self.files.find(id).await?.map(|file| file.dataset);
        let budget = self.settings.context_tokens;
        let draft = prompt::draft(budget, operator, config, file.as_ref(), question);
        let mut filling = draft.with_history();
        let now = self.clock.now();
        // One more than is used tells whether there are older ones.
        let mut earlier = self.store.history(id, Some(place), HISTORY_MESSAGES + 1, now).await?;
        let older = earlier.len().saturating_sub(HISTORY_MESSAGES);
        filling.add(earlier.split_off(older));
        if older > 0 {
            filling.leave_out_the_rest();
        }
        let prompt = filling.finish();
        Ok(ModelRequest {
            model: config.model().unwrap_or(provider.default_model()).to_owned(),
            system: prompt.system,
            entries: prompt.entries,
            tools: file.iter().map(|_| tools::query_data()).collect(),
            tool_choice: ToolChoice::Auto,
            max_tokens: config
                .max_tokens()
                .unwrap_or(DEFAULT_MAX_TOKENS)
                .min(self.settings.limits.max_tokens),
            temperature: config.temperature(),
        })
    }

    /// Talks with the provider until it has answered, has failed, is stopped, or has to be.
    async fn converse(
        &self,
        id: SessionId,
        calls: &mut ModelCalls,
        request: &mut ModelRequest,
        turn: &RunningTurn,
        gathered: &mut Gathered<'_>,
    ) {
        let ended = tokio::select! {
            () = self.rounds(id, calls, request, gathered) => None,
            () = turn.stopped() => Some(Ended::ByVisitor),
            () = self.cut.cancelled() => Some(Ended::ByShutdown),
        };
        match ended {
            None => {}
            Some(Ended::ByVisitor) => gathered.stop(),
            Some(Ended::ByShutdown) => gathered.interrupt("the server was stopped"),
        }
    }

    /// Calls the provider, runs the tools that it asks for, and calls it again with what they gave.
    async fn rounds(
        &self,
        id: SessionId,
        calls: &mut ModelCalls,
        request: &mut ModelRequest,
        gathered: &mut Gathered<'_>,
    ) {
        loop {
            let round = Self::call(calls, request, gathered).await;
            if round.calls.is_empty() || request.tool_choice == ToolChoice::None {
                return;
            }
            let mut results = Vec::new();
            for call in round.calls.clone() {
                let outcome = if gathered.tool_calls() < MAX_TOOL_CALLS {
                    gathered.tool_runs(&call);
                    tools::run(&self.files, id, call).await
                } else {
                    tools::refused(call)
                };
                results.push(outcome.result);
                gathered.tool_ran(outcome.run, outcome.chart);
            }
            if gathered.tool_calls() >= MAX_TOOL_CALLS {
                request.tool_choice = ToolChoice::None;
            }
            request.entries.push(Entry::Assistant { text: round.text, calls: round.calls });
            request.entries.push(Entry::ToolResults(results));
        }
    }

    /// One call of the provider; made once more if it breaks off and nobody has seen any of it.
    async fn call(
        calls: &mut ModelCalls,
        request: &mut ModelRequest,
        gathered: &mut Gathered<'_>,
    ) -> Round {
        loop {
            let events = calls.stream(request).await;
            gathered.answered_by(calls.provider().kind(), &request.model);
            let round = gathered.round(events).await;
            match gathered.broke_off() {
                Some(error) if gathered.is_whole() && calls.once_more(error).await => {
                    gathered.take_back();
                }
                _ => return round,
            }
        }
    }
}

/// Why a turn ended before its provider did.
enum Ended {
    ByVisitor,
    ByShutdown,
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
