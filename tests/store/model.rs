//! A store behaves like a few maps in memory, whatever the operations and their order.

use std::collections::BTreeMap;

use chatbot_widget::domain::{
    IdempotencyKey, Message, MessageId, NewMessage, Session, SessionId, Stats, Status, Timestamp,
};
use chatbot_widget::store::{FinishedTurn, Office, Store, StoreError, Transcript};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::redb::InFolder;
use crate::support::{Backend, T0, TIMEOUT, answer, begin, object, question, set, to};

/// How many sessions the operations choose from.
const SESSIONS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Create,
    Read,
    Transcript,
    Merge(u8, u8),
    /// Optionally with a setting and an idempotency key.
    Begin(Option<(u8, u8)>, Option<u8>),
    /// Ends the turn whose question was asked this many questions ago.
    Finish(usize, Status, Option<Status>),
    History(Option<u64>, usize),
    Clear,
    Expire(usize),
    Stats,
    Setting(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let answered = prop_oneof![Just(Status::Complete), Just(Status::Incomplete)];
    let status = prop_oneof![Just(Status::Complete), Just(Status::Unanswered)];
    prop_oneof![
        4 => Just(Step::Create),
        2 => Just(Step::Read),
        2 => Just(Step::Transcript),
        2 => (0..3_u8, 0..3_u8).prop_map(|(key, value)| Step::Merge(key, value)),
        5 => (proptest::option::of((0..3_u8, 0..3_u8)), proptest::option::of(0..3_u8))
            .prop_map(|(pair, key)| Step::Begin(pair, key)),
        5 => (0..2_usize, status, proptest::option::of(answered))
            .prop_map(|(n, s, a)| Step::Finish(n, s, a)),
        2 => (proptest::option::of(0..12_u64), 0..6_usize).prop_map(|(b, l)| Step::History(b, l)),
        1 => Just(Step::Clear),
        2 => (0..3_usize).prop_map(Step::Expire),
        2 => Just(Step::Stats),
        1 => any::<u8>().prop_map(Step::Setting),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    sessions: BTreeMap<SessionId, (Session, Vec<Message>, u64)>,
    keys: BTreeMap<(SessionId, u8), MessageId>,
    setting: Option<Vec<u8>>,
}

type Answer<T> = Result<T, StoreError>;

impl Model {
    fn live(&mut self, id: SessionId, now: Timestamp) -> Answer<&mut (Session, Vec<Message>, u64)> {
        let found = self.sessions.get_mut(&id);
        found.filter(|(s, ..)| s.last_activity > now.before(TIMEOUT)).ok_or(StoreError::NotFound)
    }

    fn touch(
        &mut self,
        id: SessionId,
        now: Timestamp,
    ) -> Answer<&mut (Session, Vec<Message>, u64)> {
        let found = self.live(id, now)?;
        found.0.last_activity = now;
        Ok(found)
    }

    fn append(&mut self, id: SessionId, body: NewMessage, now: Timestamp) -> Answer<MessageId> {
        let (session, messages, next) = self.touch(id, now)?;
        messages.push(Message { id: MessageId(*next), body });
        *next += 1;
        session.message_count = messages.len() as u64;
        Ok(MessageId(*next - 1))
    }

    /// The stored question with that key, if any: its id and its answer.
    fn earlier(&self, id: SessionId, key: Option<u8>) -> Option<(MessageId, Option<Message>)> {
        let question = *self.keys.get(&(id, key?))?;
        let (_, messages, _) = self.sessions.get(&id)?;
        messages.iter().find(|message| message.id == question)?;
        let answer = messages.iter().find(|message| message.body.answers == Some(question));
        Some((question, answer.cloned()))
    }

    fn is_answered(&self, id: SessionId, question: MessageId) -> bool {
        let messages = self.sessions.get(&id).map(|(_, messages, _)| messages);
        messages.is_some_and(|all| all.iter().any(|m| m.body.answers == Some(question)))
    }

    /// Removes the question and its interrupted answer.
    fn take_back(&mut self, id: SessionId, question: MessageId) {
        let (_, messages, _) = self.sessions.get_mut(&id).unwrap();
        messages.retain(|m| m.id != question && m.body.answers != Some(question));
    }

    fn merge(
        &mut self,
        id: SessionId,
        patch: Map<String, Value>,
        now: Timestamp,
    ) -> Answer<Session> {
        let (session, ..) = self.touch(id, now)?;
        session.config.merge(patch);
        Ok(session.clone())
    }

    fn finish(
        &mut self,
        id: SessionId,
        asked: MessageId,
        status: Status,
        reply: Option<NewMessage>,
        now: Timestamp,
    ) -> Answer<FinishedTurn> {
        let (_, messages, _) = self.touch(id, now)?;
        let mut answer = None;
        if let Some(question) = messages.iter_mut().find(|message| message.id == asked) {
            question.body.status = status;
            if let Some(reply) = reply {
                answer = Some(self.append(id, to(asked, reply), now)?);
            }
        }
        Ok(FinishedTurn { message_count: self.touch(id, now)?.0.message_count, answer })
    }

    /// The expected counts at `now`.
    fn count(&self, now: Timestamp) -> Stats {
        let within = |from: Timestamp| {
            self.sessions.values().filter(|(s, ..)| s.last_activity > from).count() as u64
        };
        let cutoff = now.before(TIMEOUT);
        let recent = now.before(std::time::Duration::from_secs(300)).max(cutoff);
        Stats { total: within(cutoff), recent: within(recent) }
    }
}

#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(found: Answer<T>, expected: Answer<T>) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(StoreError::NotFound), Err(StoreError::NotFound)) => {}
        other => panic!("{other:?}"),
    }
}

async fn behaves_like_the_model(steps: Vec<(Step, usize, u32)>) {
    let backend = InFolder::default();
    let mut now = T0;
    let mut store = backend.open(now).await;
    let mut model = Model::default();
    let mut ids: Vec<_> = (0..SESSIONS).map(|_| SessionId::random()).collect();
    let mut asked = vec![MessageId(0)];
    for (step, which, pause) in steps {
        now = Timestamp(now.0 + i64::from(pause));
        let id = ids[which];
        match step {
            Step::Create => {
                let id = SessionId::random();
                ids[which] = id;
                let mut session = crate::support::new_session(json!({"a": 0}), now);
                session.id = id;
                store.create_session(session.clone()).await.unwrap();
                model.sessions.insert(id, (session, vec![], 1));
            }
            Step::Read => same(
                store.session(id, now).await,
                model.touch(id, now).map(|(session, ..)| session.clone()),
            ),
            Step::Transcript => same(
                store.transcript(id, now).await,
                model.touch(id, now).map(|(session, all, _)| Transcript {
                    session: session.clone(),
                    messages: all.clone(),
                    file: None,
                }),
            ),
            Step::Merge(key, value) => {
                let patch = object(json!({format!("k{key}"): value}));
                let found = store.merge_config(id, set(patch.clone()), now).await;
                same(found, model.merge(id, patch, now));
            }
            Step::Begin(pair, key) => {
                let patch = pair.map(|(key, value)| object(json!({format!("k{key}"): value})));
                let patch = patch.unwrap_or_default();
                let body = question("?", now);
                let digest = key.map(|key| IdempotencyKey([key; 16]));
                let found = begin(&store, id, patch.clone(), body.clone(), digest).await;
                if model.touch(id, now).is_ok()
                    && let Some((place, answer)) = model.earlier(id, key)
                {
                    match answer {
                        Some(answer) if answer.body.status != Status::Incomplete => {
                            let begun = found.unwrap();
                            assert_eq!((begun.question, begun.answered), (place, Some(answer)));
                            assert_eq!(begun.session, model.touch(id, now).unwrap().0);
                            continue;
                        }
                        _ => model.take_back(id, place),
                    }
                }
                let place = model.append(id, body, now);
                if let (Some(key), Ok(place)) = (key, &place) {
                    model.keys.insert((id, key), *place);
                }
                asked.extend(place.as_ref().ok());
                let expected = place.and_then(|place| {
                    let session = model.merge(id, patch, now)?;
                    let (_, all, _) = &model.sessions[&id];
                    Ok((session, place, all[..all.len() - 1].to_vec()))
                });
                let found = found.map(|begun| {
                    assert_eq!(begun.answered, None);
                    (begun.session, begun.question, begun.earlier)
                });
                same(found, expected);
            }
            Step::Finish(ago, status, answered) => {
                let place = asked[asked.len().saturating_sub(ago + 1)];
                // The turn's lock lets nobody answer a question twice.
                let reply = answered.filter(|_| !model.is_answered(id, place));
                let reply = reply.map(|status| NewMessage { status, ..answer("!", now) });
                let found = store.finish_turn(id, place, status, reply.clone(), now).await;
                same(found, model.finish(id, place, status, reply, now));
            }
            Step::History(before, limit) => same(
                store.history(id, before.map(MessageId), limit, now).await,
                model.live(id, now).map(|(_, all, _)| {
                    let end = all.iter().filter(|m| before.is_none_or(|b| m.id.0 < b)).count();
                    all[end.saturating_sub(limit)..end].to_vec()
                }),
            ),
            Step::Clear => {
                model.keys.retain(|(session, _), _| *session != id);
                let expected = model.touch(id, now).map(|(session, all, _)| {
                    session.message_count = 0;
                    std::mem::take(all).len() as u64
                });
                same(store.clear_history(id, now).await, expected);
            }
            Step::Expire(limit) => {
                let cutoff = now.before(TIMEOUT);
                let mut old: Vec<_> = model.sessions.values().map(|(s, ..)| s).collect();
                old.retain(|session| session.last_activity <= cutoff);
                old.sort_by_key(|session| (session.last_activity, session.id));
                let gone: Vec<_> = old.iter().take(limit).map(|session| session.id).collect();
                assert_eq!(store.expire(now, limit).await.unwrap(), gone);
                model.sessions.retain(|id, _| !gone.contains(id));
            }
            Step::Stats => assert_eq!(store.stats(now).await.unwrap(), model.count(now)),
            Step::Setting(value) => {
                assert_eq!(store.setting("s").await.unwrap(), model.setting);
                let kept = model.setting.get_or_insert(vec![value]).clone();
                assert_eq!(store.setting_or_insert("s", vec![value]).await.unwrap(), kept);
            }
            Step::Reopen => {
                // Closing and dropping must be equivalent.
                if which % 2 == 0 {
                    store.close().await.unwrap();
                }
                drop(store);
                store = backend.open(now).await;
            }
        }
    }
    assert_eq!(store.stats(now).await.unwrap(), model.count(now));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_store_behaves_like_maps_in_memory(
        steps in proptest::collection::vec((step(), 0..SESSIONS, 0..400_000_u32), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(behaves_like_the_model(steps));
    }
}
