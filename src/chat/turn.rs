//! The turn itself: stores the question, builds the prompt, calls the provider, runs its tools and
//! stores the answer.

use std::sync::Arc;
use std::time::Instant;

use super::answer::{AnswerInProgress, Conclusion, Round};
use super::feed::{RunningTurn, TurnEvent};
use super::tools::Toolbox;
use super::tools::query_data::QueryData;
use super::{Answer, ChatInner, Delivery, Question};
use crate::domain::model::{Entry, ModelRequest, ToolChoice};
use crate::domain::{
    Bot, IdempotencyKey, Message, MessageId, Money, NewMessage, ProviderKind, SessionConfig,
    Status, Usage, check_patch,
};
use crate::error::AppError;
use crate::prompt::{self, Operator, Prompt};
use crate::provider::policy::ModelCalls;
use crate::provider::{Provider, ProviderError};
use crate::quota::Caller;
use crate::store::{
    BegunTurn, ConfigPatch, FinishedTurn, NewTurn, StoreError, TurnGuard, TurnLockError,
};

/// Maximum number of earlier messages in a prompt. What was said fifty exchanges ago hardly ever
/// matters, and every question would pay for it in tokens and time.
const HISTORY_MESSAGES: usize = 100;

/// Maximum number of tool calls in one turn.
const MAX_TOOL_CALLS: usize = 5;

/// The default of the `maxTokens` setting.
const DEFAULT_MAX_TOKENS: u32 = 1000;

/// Building a prompt of up to this size takes well under a millisecond, less than a round trip to
/// another thread.
const SMALL_PROMPT_BYTES: usize = 32 * 1024;

/// A turn that has been admitted.
struct Admitted {
    bot: Arc<Bot>,
    /// The question, to be stored.
    turn: NewTurn,
    /// Held until the turn has ended.
    _guard: TurnGuard,
}

/// Everything a turn needs once its question is stored.
struct Exchange {
    bot: Arc<Bot>,
    question: MessageId,
    delivery: Delivery,
    provider: Arc<dyn Provider>,
    request: ModelRequest,
    tools: Toolbox,
    started: Instant,
}

impl ChatInner {
    /// Runs a turn from its question to its stored answer.
    pub(super) async fn run(
        &self,
        question: Question,
        turn: &Arc<RunningTurn>,
    ) -> Result<Answer, AppError> {
        let started = Instant::now();
        let Question { message, patch, delivery, key, client } = question;
        let caller = Caller { session: turn.session, client };
        let Admitted { bot, turn: new, _guard } =
            self.admit(turn, message.clone(), patch, key).await?;
        let _registered = self.running.register(Arc::clone(turn));
        let mut begun = self.store.begin_turn(turn.session, new).await?;
        if let Some(answer) = begun.answered.take() {
            return Ok(replay(&bot, answer, begun.session.message_count, turn));
        }
        let count = begun.session.message_count;
        let question = begun.question;
        match self.prepare(caller, &bot, begun, message).await {
            Ok((provider, request, tools)) => {
                let exchange =
                    Exchange { bot, question, delivery, provider, request, tools, started };
                self.converse(turn, exchange, count).await
            }
            Err(error) => {
                self.finish(turn, question, Status::Unanswered, None).await?;
                Err(error)
            }
        }
    }

    /// Checks the question, then waits for the session's turn. A question that is refused does not
    /// wait first, and stores nothing.
    async fn admit(
        &self,
        turn: &RunningTurn,
        message: String,
        keys: serde_json::Map<String, serde_json::Value>,
        key: Option<IdempotencyKey>,
    ) -> Result<Admitted, AppError> {
        let id = turn.session;
        let session = self.store.session(id, self.clock.now()).await?;
        let bot = self.bots.of_session(&session.bot);
        check_patch(&keys, &bot.limits)?;
        let mut config = session.config;
        config.merge(keys.clone());
        self.choose(&bot, &config)?;
        let limits = &self.limits;
        let guard = self.store.lock_turn(id, limits.turn_patience, limits.turn_queue).await;
        let guard = guard.map_err(|refused| match refused {
            TurnLockError::Timeout => AppError::TurnInProgress,
            TurnLockError::QueueFull => AppError::TooManyQuestions,
            TurnLockError::Store(error) => error.into(),
        })?;
        let turn = NewTurn {
            question: NewMessage::question(message, self.clock.now()),
            patch: ConfigPatch { keys, max_bytes: limits.max_config_bytes },
            key,
            // One more than is used shows whether there are older ones.
            history: HISTORY_MESSAGES + 1,
        };
        Ok(Admitted { bot, turn, _guard: guard })
    }

    /// The provider that `config` names, else the bot's, else the first one.
    fn choose(&self, bot: &Bot, config: &SessionConfig) -> Result<Arc<dyn Provider>, AppError> {
        let find = |kind| self.providers.iter().find(|provider| provider.kind() == kind);
        match config.ai_provider() {
            Some(asked) => find(asked).cloned().ok_or_else(|| AppError::ProviderNotConfigured {
                asked,
                available: self.providers.iter().map(|provider| provider.kind()).collect(),
            }),
            None => find(bot.provider)
                .or_else(|| self.providers.first())
                .cloned()
                .ok_or_else(|| AppError::Internal("no provider is configured".into())),
        }
    }

    /// The provider, its request and the tools for a question that has just been stored, all from
    /// the same snapshot of the session.
    async fn prepare(
        &self,
        caller: Caller,
        bot: &Arc<Bot>,
        begun: BegunTurn,
        question: String,
    ) -> Result<(Arc<dyn Provider>, ModelRequest, Toolbox), AppError> {
        let BegunTurn { session, earlier, file, .. } = begun;
        let provider = self.choose(bot, &session.config)?;
        let config = session.config;
        let mut request = ModelRequest {
            model: config.model().unwrap_or(provider.default_model()).to_owned(),
            system: String::new(),
            entries: Vec::new(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: config
                .max_tokens()
                .unwrap_or(DEFAULT_MAX_TOKENS)
                .min(bot.limits.max_tokens),
            temperature: config.temperature(),
        };
        let mut tools = Toolbox::default();
        if file.is_some() {
            tools.add(QueryData::new(self.files.clone(), caller));
        }
        request.tools = tools.specs();
        let budget = provider.estimated_budget(self.limits.context_tokens);
        let bot = Arc::clone(bot);
        let size =
            config.prompt_bytes() + file.as_ref().map_or(0, |file| file.dataset.columns.len() * 64);
        let build = move || {
            let operator =
                Operator { bot_name: &bot.look.name, instructions: bot.instructions.as_deref() };
            let dataset = file.as_ref().map(|file| &file.dataset);
            build(budget, operator, &config, dataset, &question, earlier)
        };
        let Prompt { system, entries } = match size <= SMALL_PROMPT_BYTES {
            true => build(),
            false => self.quota.place(caller).await?.run(build).await?,
        };
        request.system = system;
        request.entries = entries;
        Ok((provider, request, tools))
    }

    /// Talks to the provider until it has answered, failed or been interrupted, then stores the
    /// outcome. `count` is the number of messages up to the question.
    async fn converse(
        &self,
        turn: &Arc<RunningTurn>,
        mut exchange: Exchange,
        count: u64,
    ) -> Result<Answer, AppError> {
        let thinking = Arc::clone(turn);
        let calls = self.policy.calls_from(&exchange.provider);
        let mut calls = calls.on_thinking(move || thinking.push(TurnEvent::Thinking));
        let kind = exchange.provider.kind();
        let model = exchange.request.model.clone();
        let mut answer = AnswerInProgress::new(turn, exchange.delivery, kind, model);
        tokio::select! {
            () = rounds(&mut calls, &mut exchange, &mut answer) => {}
            () = turn.stopped() => answer.stop(),
            () = self.cut.cancelled() => answer.interrupt("the server was stopped"),
        }
        let kind = calls.provider().kind();
        if let Some(first) = answer.first_word() {
            self.metrics.first_word(kind, first.duration_since(exchange.started));
        }
        let conclusion = answer.conclude(self.clock.now());
        self.close(turn, &exchange, kind, conclusion, count).await
    }

    /// Stores and logs the turn's outcome.
    async fn close(
        &self,
        turn: &RunningTurn,
        exchange: &Exchange,
        provider: ProviderKind,
        conclusion: Conclusion,
        count: u64,
    ) -> Result<Answer, AppError> {
        let Conclusion { question: status, answer, failure } = conclusion;
        let finished = self.finish(turn, exchange.question, status, answer.clone()).await;
        if let Some(failure) = failure {
            log_failure(turn, exchange, provider, &failure);
            let error = AppError::Provider(failure);
            self.metrics.turn(provider, error.code(), Usage::default());
            if let Err(error) = finished {
                tracing::error!(error = ?error, "the outcome of a failed turn could not be stored");
            }
            return Err(error);
        }
        let is_gone = matches!(finished, Err(StoreError::NotFound));
        let finished = match finished {
            Ok(finished) => finished,
            // The session expired while the model was writing; the answer is still good.
            Err(StoreError::NotFound) => FinishedTurn { message_count: count + 1, answer: None },
            Err(error) => return Err(error.into()),
        };
        // If the history was cleared in the meantime, the answer is not stored; to the visitor it
        // counts as stopped.
        let is_cleared = answer.is_some() && finished.answer.is_none() && !is_gone;
        let answer = answer.map(|answer| match is_cleared {
            true => NewMessage { status: Status::Stopped, ..answer },
            false => answer,
        });
        // No answer means that the visitor stopped it before its first word.
        let message = answer.unwrap_or_else(|| NewMessage {
            status: Status::Stopped,
            model: Some(exchange.request.model.clone()),
            ..NewMessage::question(String::new(), self.clock.now())
        });
        let name = exchange.bot.provider_names.of(provider);
        let answer = Answer::new(finished.answer, message, provider, name, finished.message_count);
        let cost = self
            .models
            .cost(&answer.model, answer.usage)
            .or_else(|| self.models.cost(&exchange.request.model, answer.usage));
        log_answer(turn, exchange, &answer, cost);
        self.metrics.turn(provider, answer.status.as_str(), answer.usage);
        if let Some(cost) = cost {
            self.metrics.cost(provider, cost);
        }
        Ok(answer)
    }

    async fn finish(
        &self,
        turn: &RunningTurn,
        question: MessageId,
        status: Status,
        answer: Option<NewMessage>,
    ) -> Result<FinishedTurn, StoreError> {
        let now = self.clock.now();
        self.store.finish_turn(turn.session, question, status, answer, now).await
    }
}

/// Builds the prompt, with as much of the earlier conversation as fits.
fn build(
    budget: usize,
    operator: Operator<'_>,
    config: &SessionConfig,
    file: Option<&crate::domain::Dataset>,
    question: &str,
    mut earlier: Vec<Message>,
) -> Prompt {
    let mut filling = prompt::draft(budget, operator, config, file, question).with_history();
    let older = earlier.len().saturating_sub(HISTORY_MESSAGES);
    filling.add(earlier.split_off(older));
    if older > 0 {
        filling.leave_out_the_rest();
    }
    filling.finish()
}

/// Repeats a stored answer for a client that sent its question again.
fn replay(bot: &Bot, answer: Message, message_count: u64, turn: &RunningTurn) -> Answer {
    tracing::info!(session.id = turn.session.short(), "answer replayed");
    let kind = answer.body.provider.unwrap_or(bot.provider);
    let name = bot.provider_names.of(kind);
    let answer = Answer::new(Some(answer.id), answer.body, kind, name, message_count);
    turn.push(TurnEvent::Started { provider: kind, model: answer.model.clone() });
    turn.push(TurnEvent::Text(answer.text.clone()));
    answer
}

/// Calls the provider, runs the tools it asks for, and calls it again with their results.
async fn rounds(
    calls: &mut ModelCalls,
    exchange: &mut Exchange,
    answer: &mut AnswerInProgress<'_>,
) {
    let Exchange { request, tools, .. } = exchange;
    loop {
        let round = call(calls, request, answer).await;
        if round.calls.is_empty() || request.tool_choice == ToolChoice::None {
            return;
        }
        let mut results = Vec::new();
        for call in round.calls.clone() {
            let handled = if answer.tool_calls() < MAX_TOOL_CALLS {
                answer.announce_tool(&call);
                tools.run(call).await
            } else {
                tools.refuse(call)
            };
            answer.record_tool(&handled);
            results.push(handled.result);
        }
        if answer.tool_calls() >= MAX_TOOL_CALLS {
            request.tool_choice = ToolChoice::None;
        }
        request.entries.push(Entry::Assistant {
            text: round.text,
            calls: round.calls,
            verbatim: round.verbatim,
        });
        request.entries.push(Entry::ToolResults(results));
    }
}

/// One call of the provider, repeated if it was interrupted before any of it was delivered.
async fn call(
    calls: &mut ModelCalls,
    request: &mut ModelRequest,
    answer: &mut AnswerInProgress<'_>,
) -> Round {
    loop {
        let events = calls.stream(request).await;
        answer.answered_by(calls.provider().kind(), &request.model);
        let round = answer.round(events).await;
        match answer.interruption() {
            Some(error) if answer.is_held_back() && calls.once_more(error).await => {
                answer.take_back();
            }
            _ => return round,
        }
    }
}

fn log_failure(
    turn: &RunningTurn,
    exchange: &Exchange,
    provider: ProviderKind,
    failure: &ProviderError,
) {
    tracing::info!(
        session.id = turn.session.short(),
        provider = %provider,
        provider.fault = ?failure.fault,
        elapsed_ms = millis(exchange.started),
        "not answered"
    );
}

fn log_answer(turn: &RunningTurn, exchange: &Exchange, answer: &Answer, cost: Option<Money>) {
    tracing::info!(
        session.id = turn.session.short(),
        provider = %answer.provider,
        model = answer.model,
        tokens.input = answer.usage.input_tokens,
        tokens.cached = answer.usage.cached_input_tokens,
        tokens.output = answer.usage.output_tokens,
        tokens.reasoning = answer.usage.reasoning_tokens,
        cost.usd = cost.map(tracing::field::display),
        answer.status = answer.status.as_str(),
        tools.calls = answer.tools.len(),
        elapsed_ms = millis(exchange.started),
        "answered"
    );
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
