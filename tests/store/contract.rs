//! The contract of every store, in small cases that run against each backend.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chatbot_widget::domain::{
    IdempotencyKey, Message, MessageId, NewMessage, Session, SessionId, Stats, Status, Timestamp,
};
use chatbot_widget::store::{
    ConfigPatch, FinishedTurn, NewTurn, Office, Store, StoreError, Transcript, TurnLockError,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::support::{
    Backend, T0, TIMEOUT, answer, at, begin, created, messages, new_session, not_found, object,
    question, set, texts, to, turn,
};

pub use crate::files::{
    a_file_expires_with_its_session, a_file_is_read_back_as_stored,
    a_new_file_replaces_the_previous_one, an_answer_keeps_its_tools_and_chart,
};

/// Runs every case against a backend.
macro_rules! contract {
    ($backend:ty) => {
        contract!($backend:
            a_session_is_read_back_as_stored,
            an_unknown_session_is_not_found_anywhere,
            merging_replaces_named_keys_and_keeps_the_rest,
            a_turn_is_stored_in_order_with_its_statuses,
            a_failed_turn_marks_its_question_and_stores_no_answer,
            a_cleared_question_gets_no_answer,
            a_repeated_key_returns_the_stored_answer,
            a_failed_question_is_replaced_by_its_next_attempt,
            keys_belong_to_a_session_and_are_cleared_with_its_messages,
            clearing_returns_the_count_and_never_reuses_ids,
            history_is_read_in_pages_from_the_end,
            reading_history_does_not_count_as_activity,
            a_session_expires_exactly_at_the_timeout,
            every_other_call_keeps_a_session_alive,
            an_earlier_time_does_not_shorten_a_sessions_life,
            a_sweep_deletes_expired_sessions_in_slices,
            a_sweep_deletes_everything_of_a_session,
            a_sweep_spares_sessions_that_were_only_read,
            counts_are_exact_and_exclude_expired_sessions,
            the_first_value_of_a_setting_is_kept,
            settings_grow_to_their_limit_and_no_further,
            every_number_comes_back_to_the_last_bit,
            a_turn_begins_with_one_snapshot_of_session_history_and_file,
            an_answer_names_its_question_even_after_other_messages,
            a_session_has_one_turn_at_a_time_and_a_bounded_queue,
            concurrent_writers_lose_nothing,
            concurrent_merges_keep_every_key,
            acknowledged_writes_survive_a_drop,
            activity_survives_a_close,
            a_closed_store_refuses_every_call,
            a_file_is_read_back_as_stored,
            a_new_file_replaces_the_previous_one,
            a_file_expires_with_its_session,
            an_answer_keeps_its_tools_and_chart,
        );
    };
    ($backend:ty: $($case:ident),* $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            crate::contract::$case(&<$backend>::default()).await;
        }
    )* };
}

pub async fn a_session_is_read_back_as_stored(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let config = json!({"botName": "B", "own": {"z": [1, 2.5, null], "a": "\u{1f600}"}, "k": ""});
    let session = new_session(config, T0);
    store.create_session(session.clone()).await.unwrap();
    assert_eq!(store.session(session.id, T0).await.unwrap(), session);
    let read = store.session(session.id, at(7)).await.unwrap();
    assert_eq!(read, Session { last_activity: at(7), ..session.clone() });
    let keys: Vec<_> = read.config.as_map().keys().collect();
    assert_eq!(keys, ["botName", "own", "k"]);
    let read = store.transcript(session.id, at(8)).await.unwrap();
    let session = Session { last_activity: at(8), ..session };
    assert_eq!(read, Transcript { session, messages: vec![], file: None });
    store.ready().await.unwrap();
}

/// Every call that names a session, with one that does not exist.
async fn assert_absent(store: &(impl Store + Office), id: SessionId, now: Timestamp) {
    not_found(store.session(id, now).await);
    not_found(store.transcript(id, now).await);
    not_found(store.merge_config(id, set(object(json!({"a": 1}))), now).await);
    not_found(store.merge_config(id, set(Map::new()), now).await);
    not_found(begin(store, id, Map::new(), question("?", now), None).await);
    let reply = Some(answer("!", now));
    not_found(store.finish_turn(id, MessageId(1), Status::Complete, reply, now).await);
    not_found(store.finish_turn(id, MessageId(1), Status::Unanswered, None, now).await);
    not_found(store.history(id, None, 10, now).await);
    not_found(store.clear_history(id, now).await);
}

pub async fn an_unknown_session_is_not_found_anywhere(backend: &impl Backend) {
    let store = backend.open(T0).await;
    created(&store, T0).await;
    assert_absent(&store, SessionId::random(), T0).await;
    assert_eq!(store.stats(T0).await.unwrap(), Stats { total: 1, recent: 1 });
}

pub async fn merging_replaces_named_keys_and_keeps_the_rest(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let session = new_session(json!({"a": {"x": 1, "y": 2}, "own": "kept"}), T0);
    let id = session.id;
    store.create_session(session).await.unwrap();
    let patch = object(json!({"a": {"x": 3}, "new": null}));
    let merged = store.merge_config(id, set(patch.clone()), at(1)).await.unwrap();
    let expected = object(json!({"a": {"x": 3}, "own": "kept", "new": null}));
    assert_eq!(merged.config.as_map(), &expected);
    assert_eq!((merged.created, merged.last_activity), (T0, at(1)));
    assert_eq!(store.session(id, at(1)).await.unwrap(), merged);

    let again = store.merge_config(id, set(patch), at(2)).await.unwrap();
    assert_eq!(again, Session { last_activity: at(2), ..merged });

    let patch = object(json!({"own": "changed"}));
    let begun = begin(&store, id, patch, question("?", at(3)), None).await.unwrap();
    let expected = object(json!({"a": {"x": 3}, "own": "changed", "new": null}));
    assert_eq!(begun.session.config.as_map(), &expected);
    assert_eq!(store.session(id, at(3)).await.unwrap(), begun.session);
    let begun = begin(&store, id, Map::new(), question("?", at(3)), None).await.unwrap();
    assert_eq!(begun.session.config.as_map(), &expected);
}

pub async fn a_turn_is_stored_in_order_with_its_statuses(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("one", at(1)), None).await.unwrap();
    assert_eq!((begun.session.message_count, begun.session.last_activity), (1, at(1)));
    let Transcript { session, messages, .. } = store.transcript(id, at(1)).await.unwrap();
    assert_eq!(session, begun.session);
    let stored = Message { id: begun.question, body: question("one", at(1)) };
    assert_eq!(messages, std::slice::from_ref(&stored), "the question is stored before its answer");

    let reply = answer("two", at(2));
    let ended = store.finish_turn(id, begun.question, Status::Complete, Some(reply.clone()), at(3));
    let answer = MessageId(begun.question.0 + 1);
    let ended = ended.await.unwrap();
    assert_eq!(ended, FinishedTurn { message_count: 2, answer: Some(answer) });
    let answered = NewMessage { status: Status::Complete, ..stored.body };
    turn(&store, id, "three", at(4)).await;
    let Transcript { session, messages, .. } = store.transcript(id, at(5)).await.unwrap();
    assert_eq!((session.message_count, session.last_activity), (4, at(5)));
    assert_eq!(messages[0], Message { id: begun.question, body: answered });
    assert_eq!(messages[1], Message { id: answer, body: to(begun.question, reply) });
    let places: Vec<_> = messages.iter().map(|m| m.id.0 - begun.question.0).collect();
    assert_eq!(places, [0, 1, 2, 3]);
}

pub async fn a_failed_turn_marks_its_question_and_stores_no_answer(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("a", T0), None).await.unwrap();
    let ended = store.finish_turn(id, begun.question, Status::Unanswered, None, at(1)).await;
    assert_eq!(ended.unwrap().message_count, 1);
    let other = begin(&store, id, Map::new(), question("b", T0), None).await.unwrap();
    let ended = store.finish_turn(id, other.question, Status::Stopped, None, at(1)).await;
    assert_eq!(ended.unwrap().message_count, 2);
    let Transcript { session, messages, .. } = store.transcript(id, at(2)).await.unwrap();
    let statuses: Vec<_> = messages.iter().map(|message| message.body.status).collect();
    assert_eq!(statuses, [Status::Unanswered, Status::Stopped]);
    assert_eq!(session.message_count, 2);
}

fn key(name: &str) -> Option<IdempotencyKey> {
    IdempotencyKey::new(name)
}

pub async fn a_repeated_key_returns_the_stored_answer(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("one", T0), key("k")).await.unwrap();
    assert_eq!(begun.answered, None);
    for (n, status) in [Status::Complete, Status::Stopped, Status::Truncated, Status::Refused]
        .into_iter()
        .enumerate()
    {
        let name = format!("key {n}");
        let begun = begin(&store, id, Map::new(), question("?", T0), key(&name)).await.unwrap();
        let reply = NewMessage { status, ..answer("once", at(1)) };
        let ended =
            store.finish_turn(id, begun.question, Status::Complete, Some(reply.clone()), at(1));
        ended.await.unwrap();
        let before = store.transcript(id, at(2)).await.unwrap();
        let patch = object(json!({"botName": "other"}));
        let again = begin(&store, id, patch, question("?", at(2)), key(&name)).await.unwrap();
        let answered = again.answered.unwrap();
        assert_eq!((again.question, answered.body), (begun.question, to(begun.question, reply)));
        assert_eq!(again.session, before.session, "{status:?}");
        assert_eq!((again.earlier, again.file), (vec![], None));
        assert_eq!(store.transcript(id, at(2)).await.unwrap(), before, "nothing has changed");
    }
    let other = begin(&store, id, Map::new(), question("?", at(3)), key("new")).await.unwrap();
    assert_eq!((other.answered, other.session.message_count), (None, 10));
}

pub async fn a_failed_question_is_replaced_by_its_next_attempt(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    turn(&store, id, "before", T0).await;
    let begun = begin(&store, id, Map::new(), question("1st", T0), key("k")).await.unwrap();
    store.finish_turn(id, begun.question, Status::Unanswered, None, T0).await.unwrap();
    turn(&store, id, "between", T0).await;

    let begun = begin(&store, id, Map::new(), question("2nd", at(1)), key("k")).await.unwrap();
    assert_eq!((begun.answered, begun.session.message_count), (None, 5));
    let part = NewMessage { status: Status::Incomplete, ..answer("par", at(1)) };
    store.finish_turn(id, begun.question, Status::Complete, Some(part), at(1)).await.unwrap();
    let all = ["before", "re: before", "between", "re: between", "2nd", "par"];
    assert_eq!(texts(&store, id, at(1)).await, all);

    let begun = begin(&store, id, Map::new(), question("3rd", at(2)), key("k")).await.unwrap();
    assert_eq!((begun.answered, begun.session.message_count), (None, 5));
    let reply = Some(answer("whole", at(2)));
    let ended = store.finish_turn(id, begun.question, Status::Complete, reply.clone(), at(2));
    let last = ended.await.unwrap();
    assert_eq!(last.message_count, 6);
    let all = ["before", "re: before", "between", "re: between", "3rd", "whole"];
    assert_eq!(texts(&store, id, at(2)).await, all);
    let again = begin(&store, id, Map::new(), question("4th", at(3)), key("k")).await.unwrap();
    let answered = again.answered.unwrap();
    assert_eq!(answered.body, to(begun.question, reply.unwrap()));
    assert_eq!(Some(answered.id), last.answer);
}

pub async fn keys_belong_to_a_session_and_are_cleared_with_its_messages(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("one", T0), key("k")).await.unwrap();
    let reply = Some(answer("re", T0));
    store.finish_turn(id, begun.question, Status::Complete, reply, T0).await.unwrap();
    let other = created(&store, T0).await;
    let begun = begin(&store, other, Map::new(), question("one", T0), key("k")).await.unwrap();
    assert_eq!(begun.answered, None, "another session's key");
    store.clear_history(id, T0).await.unwrap();
    let begun = begin(&store, id, Map::new(), question("again", T0), key("k")).await.unwrap();
    assert_eq!((begun.answered, begun.session.message_count), (None, 1));
}

pub async fn a_cleared_question_gets_no_answer(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let begun = begin(&store, id, Map::new(), question("gone", T0), None).await.unwrap();
    assert_eq!(store.clear_history(id, T0).await.unwrap(), 1);
    let late = Some(answer("late", T0));
    let ended = store.finish_turn(id, begun.question, Status::Complete, late.clone(), T0).await;
    assert_eq!(ended.unwrap().message_count, 0);
    turn(&store, id, "next", T0).await;
    let ended = store.finish_turn(id, begun.question, Status::Complete, late, T0).await;
    assert_eq!(ended.unwrap().message_count, 2);
    assert_eq!(texts(&store, id, T0).await, ["next", "re: next"]);
}

pub async fn clearing_returns_the_count_and_never_reuses_ids(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let (id, other) = (created(&store, T0).await, created(&store, T0).await);
    turn(&store, other, "other", T0).await;
    assert_eq!(store.clear_history(id, T0).await.unwrap(), 0);
    turn(&store, id, "a", T0).await;
    let last = MessageId(turn(&store, id, "b", T0).await.0 + 1);
    assert_eq!(store.clear_history(id, at(1)).await.unwrap(), 4);
    let Transcript { session, messages, .. } = store.transcript(id, at(1)).await.unwrap();
    assert_eq!((session.message_count, messages), (0, vec![]));
    assert_eq!(store.clear_history(id, at(2)).await.unwrap(), 0);
    let begun = begin(&store, id, Map::new(), question("c", at(3)), None).await.unwrap();
    assert!(begun.question > last, "{} comes after {last}", begun.question);
    assert_eq!(begun.session.message_count, 1);
    assert_eq!(texts(&store, other, T0).await, ["other", "re: other"]);
}

pub async fn history_is_read_in_pages_from_the_end(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let (id, other) = (created(&store, T0).await, created(&store, T0).await);
    assert_eq!(store.history(id, None, 5, T0).await.unwrap(), []);
    for text in ["a", "b", "c"] {
        turn(&store, id, text, T0).await;
        turn(&store, other, "other", T0).await;
    }
    let all = messages(&store, id, T0).await;
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = store.history(id, before, 4, T0).await.unwrap();
        let Some(first) = page.first() else { break };
        before = Some(first.id);
        pages.push(page);
    }
    assert_eq!(pages, [&all[2..], &all[..2]]);
    assert_eq!(store.history(id, None, 0, T0).await.unwrap(), []);
    assert_eq!(store.history(id, Some(MessageId(0)), 9, T0).await.unwrap(), []);
    assert_eq!(store.history(id, None, usize::MAX, T0).await.unwrap(), all);
}

pub async fn reading_history_does_not_count_as_activity(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    store.history(id, None, 1, at(1799)).await.unwrap();
    not_found(store.history(id, None, 1, at(1800)).await);
}

pub async fn a_session_expires_exactly_at_the_timeout(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let end = T0.after(TIMEOUT);
    store.history(id, None, 1, Timestamp(end.0 - 1)).await.unwrap();
    assert_absent(&store, id, end).await;
    assert_eq!(store.stats(Timestamp(end.0 - 1)).await.unwrap().total, 1);
    assert_eq!(store.stats(end).await.unwrap().total, 0, "before any sweep");
    assert_eq!(store.expire(Timestamp(end.0 - 1), 10).await.unwrap().len(), 0);
    assert_eq!(store.expire(end, 10).await.unwrap().len(), 1);
    assert_absent(&store, id, T0).await;
}

pub async fn every_other_call_keeps_a_session_alive(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    store.session(id, at(1700)).await.unwrap();
    store.transcript(id, at(3400)).await.unwrap();
    store.merge_config(id, set(object(json!({"a": 1}))), at(5100)).await.unwrap();
    store.merge_config(id, set(object(json!({"a": 1}))), at(6800)).await.unwrap();
    let begun = begin(&store, id, Map::new(), question("?", at(8500)), None).await.unwrap();
    store.finish_turn(id, begun.question, Status::Unanswered, None, at(10_200)).await.unwrap();
    store.clear_history(id, at(11_900)).await.unwrap();
    store.clear_history(id, at(13_600)).await.unwrap();
    assert_eq!(store.expire(at(15_399), 10).await.unwrap().len(), 0);
    store.history(id, None, 1, at(15_399)).await.unwrap();
    assert_absent(&store, id, at(15_400)).await;
}

pub async fn an_earlier_time_does_not_shorten_a_sessions_life(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, at(100)).await;
    let session = store.session(id, at(90)).await.unwrap();
    assert_eq!(session.last_activity, at(100));
    store.history(id, None, 1, at(1899)).await.unwrap();
}

pub async fn a_sweep_deletes_expired_sessions_in_slices(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let mut old = Vec::new();
    for _ in 0..5 {
        old.push(created(&store, T0).await);
    }
    let young = created(&store, at(1)).await;
    let now = T0.after(TIMEOUT);
    assert_eq!(store.expire(now, 0).await.unwrap().len(), 0);
    assert_eq!(store.expire(now, 2).await.unwrap().len(), 2);
    assert_eq!(store.expire(now, 3).await.unwrap().len(), 3);
    assert_eq!(store.expire(now, 3).await.unwrap().len(), 0);
    for id in old {
        assert_absent(&store, id, T0).await;
    }
    store.session(young, now).await.unwrap();
}

pub async fn a_sweep_deletes_everything_of_a_session(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let session = new_session(json!({"secret": 1}), T0);
    store.create_session(session.clone()).await.unwrap();
    turn(&store, session.id, "secret", T0).await;
    let other = created(&store, at(1)).await;
    turn(&store, other, "kept", at(1)).await;
    assert_eq!(store.expire(T0.after(TIMEOUT), 10).await.unwrap().len(), 1);
    // Reusing the id, which cannot happen in practice, shows what is left of the first session.
    let now = T0.after(TIMEOUT);
    let again = Session { last_activity: now, created: now, ..new_session(json!({}), now) };
    let again = Session { id: session.id, ..again };
    store.create_session(again.clone()).await.unwrap();
    let left = store.transcript(session.id, now).await.unwrap();
    assert_eq!(left, Transcript { session: again, messages: vec![], file: None });
    assert_eq!(texts(&store, other, now).await, ["kept", "re: kept"]);
}

pub async fn a_sweep_spares_sessions_that_were_only_read(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let (read, idle) = (created(&store, T0).await, created(&store, T0).await);
    store.session(read, at(1000)).await.unwrap();
    assert_eq!(store.expire(at(1800), 10).await.unwrap().len(), 1);
    store.history(read, None, 1, at(2799)).await.unwrap();
    not_found(store.session(idle, T0).await);
    assert_eq!(store.expire(at(2800), 10).await.unwrap().len(), 1);
    not_found(store.session(read, T0).await);
}

pub async fn counts_are_exact_and_exclude_expired_sessions(backend: &impl Backend) {
    let store = backend.open(T0).await;
    assert_eq!(store.stats(T0).await.unwrap(), Stats::default());
    let first = created(&store, T0).await;
    created(&store, T0.after(Duration::from_millis(900))).await;
    created(&store, at(300)).await;
    let count = async |now| {
        let Stats { total, recent } = store.stats(now).await.unwrap();
        (total, recent)
    };
    assert_eq!(count(at(300).before(Duration::from_millis(1))).await, (3, 3));
    assert_eq!(count(at(300)).await, (3, 2), "used 300 s ago is not in the last 5 minutes");
    assert_eq!(count(at(301)).await, (3, 1));
    assert_eq!(count(at(1800)).await, (2, 0));
    assert_eq!(count(at(1801)).await, (1, 0));
    store.session(first, at(1700)).await.unwrap();
    assert_eq!(count(at(1801)).await, (2, 1));
    assert_eq!(store.expire(at(1801), 10).await.unwrap().len(), 1);
    assert_eq!(count(at(1801)).await, (2, 1));
    assert_eq!(count(at(3500)).await, (0, 0));
}

pub async fn the_first_value_of_a_setting_is_kept(backend: &impl Backend) {
    let store = backend.open(T0).await;
    assert_eq!(store.setting("key").await.unwrap(), None);
    assert_eq!(store.setting_or_insert("key", vec![0, 255]).await.unwrap(), [0, 255]);
    assert_eq!(store.setting_or_insert("key", vec![1]).await.unwrap(), [0, 255]);
    assert!(store.setting_or_insert("other", vec![]).await.unwrap().is_empty());
    drop(store);
    let store = backend.open(T0).await;
    assert_eq!(store.setting("key").await.unwrap(), Some(vec![0, 255]));
    assert_eq!(store.setting("other").await.unwrap(), Some(vec![]));
}

pub async fn settings_grow_to_their_limit_and_no_further(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    // `{"a":"…"}` of exactly `length` bytes.
    let value = |length: usize| object(json!({"a": "x".repeat(length - 8)}));
    let within = |keys| ConfigPatch { keys, max_bytes: 100 };
    store.merge_config(id, within(value(100)), T0).await.unwrap();
    let before = store.session(id, T0).await.unwrap();
    let too_large = |error| assert!(matches!(error, StoreError::ConfigTooLarge(100)), "{error:?}");
    too_large(store.merge_config(id, within(value(101)), T0).await.unwrap_err());
    too_large(store.merge_config(id, within(object(json!({"b": 1}))), T0).await.unwrap_err());
    let turn = NewTurn {
        question: question("?", T0),
        patch: within(object(json!({"b": 1}))),
        key: None,
        history: 0,
    };
    too_large(store.begin_turn(id, turn).await.unwrap_err());
    let after = store.transcript(id, T0).await.unwrap();
    assert_eq!((after.session, after.messages), (before, vec![]), "nothing has changed");
    store.merge_config(id, within(object(json!({"a": "y"}))), T0).await.expect("they may shrink");
}

/// Any finite float, subnormal ones and both zeros included.
fn floats(count: usize) -> Vec<f64> {
    let mut runner = TestRunner::deterministic();
    let random = proptest::collection::vec(proptest::num::f64::ANY, count..=count);
    let random = random.new_tree(&mut runner).unwrap().current();
    let named = [13_436_424.411_240_121, 1.46e-220, f64::MIN_POSITIVE / 3.0, f64::MAX, 0.0, -0.0];
    random.into_iter().chain(named).filter(|number| number.is_finite()).collect()
}

pub async fn every_number_comes_back_to_the_last_bit(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let floats = floats(2000);
    let integers = [0, 1, u64::MAX - 1, u64::MAX].map(Value::from);
    let negative = [-1, i64::MIN].map(Value::from);
    let integers: Vec<_> = integers.into_iter().chain(negative).collect();
    let keys = object(json!({"floats": floats, "integers": integers}));
    let session = new_session(json!(keys), T0);
    let (created, merged) = (session.id, self::created(&store, T0).await);
    store.create_session(session).await.unwrap();
    store.merge_config(merged, set(keys), T0).await.unwrap();
    // Read, and written once more beside another key, which must not change them either.
    for _ in 0..2 {
        for id in [created, merged] {
            let session = store.session(id, T0).await.unwrap();
            let config = session.config.as_map();
            assert_eq!(config["integers"], Value::from(integers.clone()));
            let read = config["floats"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap());
            let changed = read.zip(&floats).find(|(read, n)| read.to_bits() != n.to_bits());
            assert_eq!(changed, None);
            store.merge_config(id, set(object(json!({"other": [1]}))), T0).await.unwrap();
        }
    }
}

pub async fn a_turn_begins_with_one_snapshot_of_session_history_and_file(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let (id, other) = (created(&store, T0).await, created(&store, T0).await);
    for text in ["a", "b", "c"] {
        turn(&store, id, text, T0).await;
        turn(&store, other, "other", T0).await;
    }
    let (file, text) = crate::support::file(7, "a;b\n");
    store.put_file(id, file.clone(), text, T0).await.unwrap();
    let before = messages(&store, id, T0).await;
    for history in [0, 1, 5, 6, 7, usize::MAX] {
        let new =
            NewTurn { question: question("?", T0), patch: set(Map::new()), key: None, history };
        let begun = store.begin_turn(id, new).await.unwrap();
        let all = messages(&store, id, T0).await;
        let count = all.len() - 1;
        assert_eq!(all[count].id, begun.question);
        assert_eq!(begun.earlier, all[count.saturating_sub(history)..count], "{history}");
        assert_eq!(begun.session, store.session(id, T0).await.unwrap());
        assert_eq!(begun.file.as_ref(), Some(&file));
    }
    assert_eq!(messages(&store, id, T0).await[..6], before);
}

pub async fn an_answer_names_its_question_even_after_other_messages(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    let first = begin(&store, id, Map::new(), question("1", T0), key("k")).await.unwrap();
    let second = begin(&store, id, Map::new(), question("2", T0), None).await.unwrap();
    let reply = |text| Some(answer(text, at(1)));
    store.finish_turn(id, second.question, Status::Complete, reply("re 2"), T0).await.unwrap();
    let unanswered = begin(&store, id, Map::new(), question("1", T0), key("k")).await.unwrap();
    assert_eq!(unanswered.answered, None, "the answer after it belongs to another question");
    let question = unanswered.question;
    assert!(question > first.question);
    turn(&store, id, "3", T0).await;
    store.finish_turn(id, question, Status::Complete, reply("re 1"), T0).await.unwrap();
    let again = begin(&store, id, Map::new(), crate::support::question("1", T0), key("k")).await;
    let answered = again.unwrap().answered.unwrap();
    assert_eq!(answered.body, to(question, answer("re 1", at(1))));
}

pub async fn a_session_has_one_turn_at_a_time_and_a_bounded_queue(backend: &impl Backend) {
    let store = Arc::new(backend.open(T0).await);
    let (id, other) = (created(&*store, T0).await, created(&*store, T0).await);
    let patience = Duration::from_secs(30);
    let held = store.lock_turn(id, patience, 1).await.unwrap();
    store.lock_turn(other, Duration::ZERO, 1).await.expect("another session's turn is free");
    let late = store.lock_turn(id, Duration::from_millis(1), 1).await.unwrap_err();
    assert!(matches!(late, TurnLockError::Timeout), "{late:?}");
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.lock_turn(id, patience, 4).await.map(drop) }
    });
    // Times out at once until the task above is queued.
    let full = loop {
        match store.lock_turn(id, Duration::ZERO, 1).await {
            Err(TurnLockError::Timeout) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(matches!(full, Err(TurnLockError::QueueFull)), "{full:?}");
    drop(held);
    waiting.await.unwrap().unwrap();
    store.lock_turn(id, Duration::ZERO, 1).await.unwrap();
}

pub async fn concurrent_writers_lose_nothing(backend: &impl Backend) {
    let store = Arc::new(backend.open(T0).await);
    let shared = created(&*store, T0).await;
    let tasks: Vec<_> = (0..300)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let own = created(&*store, T0).await;
                turn(&*store, own, "own", T0).await;
                turn(&*store, shared, &n.to_string(), T0).await;
                not_found(store.clear_history(SessionId::random(), T0).await);
                own
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(texts(&*store, task.await.unwrap(), T0).await, ["own", "re: own"]);
    }
    let Transcript { session, messages, .. } = store.transcript(shared, T0).await.unwrap();
    assert_eq!(session.message_count, 600);
    assert!(messages.is_sorted_by(|a, b| a.id.0 + 1 == b.id.0));
    let asked: BTreeSet<_> = messages.iter().map(|m| m.body.content.as_str()).collect();
    assert!((0..300).all(|n| asked.contains(n.to_string().as_str())));
    assert!(messages.iter().all(|message| message.body.status == Status::Complete));
    assert_eq!(store.stats(T0).await.unwrap().total, 301);
}

pub async fn concurrent_merges_keep_every_key(backend: &impl Backend) {
    let store = Arc::new(backend.open(T0).await);
    let id = created(&*store, T0).await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            let patch = object(json!({format!("key{n}"): n}));
            tokio::spawn(async move { store.merge_config(id, set(patch), T0).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.session(id, T0).await.unwrap().config.as_map().len(), 50);
}

pub async fn acknowledged_writes_survive_a_drop(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let session = new_session(json!({"a": 1}), T0);
    let id = session.id;
    store.create_session(session).await.unwrap();
    turn(&store, id, "kept", at(1)).await;
    store.merge_config(id, set(object(json!({"b": 2}))), at(2)).await.unwrap();
    let before = store.transcript(id, at(3)).await.unwrap();
    let swept = created(&store, T0).await;
    drop(store);
    let store = backend.open(at(1800)).await;
    assert_eq!(store.stats(at(1800)).await.unwrap().total, 1, "expired while it was closed");
    not_found(store.session(swept, at(1800)).await);
    assert_eq!(store.expire(at(1800), 10).await.unwrap().len(), 1);
    let Transcript { session, messages, .. } = store.transcript(id, at(1801)).await.unwrap();
    assert_eq!(messages, before.messages);
    assert_eq!(session, Session { last_activity: at(1801), ..before.session });
}

pub async fn activity_survives_a_close(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    store.session(id, at(1000)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = backend.open(at(2799)).await;
    assert_eq!(store.stats(at(2799)).await.unwrap().total, 1);
    store.history(id, None, 1, at(2799)).await.unwrap();
    not_found(store.history(id, None, 1, at(2800)).await);
}

pub async fn a_closed_store_refuses_every_call(backend: &impl Backend) {
    let store = backend.open(T0).await;
    let id = created(&store, T0).await;
    store.close().await.unwrap();
    let unavailable = |error| assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    unavailable(store.create_session(new_session(json!({}), T0)).await.unwrap_err());
    unavailable(store.session(id, T0).await.unwrap_err());
    unavailable(store.session(SessionId::random(), T0).await.unwrap_err());
    unavailable(store.history(id, None, 1, T0).await.unwrap_err());
    unavailable(store.clear_history(id, T0).await.unwrap_err());
    unavailable(store.expire(T0, 1).await.unwrap_err());
    unavailable(store.stats(T0).await.unwrap_err());
    unavailable(store.setting("key").await.unwrap_err());
    unavailable(store.ready().await.unwrap_err());
}
