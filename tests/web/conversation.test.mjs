import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError, limitError } from '../../assets/static/widget/api.js';
import { Conversation, sessionStore } from '../../assets/static/widget/conversation.js';

const gone = () => new ApiError('Session not found.', 404, 'session_not_found');
const broken = () => new ApiError('Unreachable.', 0, 'unreachable');

/** An event of turn `t`; its position is its id. */
const event = (place, type, data) => ({ type, data: JSON.stringify(data), id: `t-${place}` });
const START = event(0, 'start', { turnId: 't' });
const words = (...texts) => texts.map((text, at) => event(at + 1, 'delta', { text }));
const done = (place, extra) => event(place, 'done', { response: 'yes', ...extra });

/** The events of a connection; an error among them breaks it. */
async function* line(...events) {
  for (const one of events) {
    if (one instanceof Error) throw one;
    yield one;
  }
}

/**
 * A server that records its calls. `faults` are thrown by the next calls, one each; `lines` are the
 * events that the next questions and resumptions read.
 */
function server({
  faults = [],
  stored = null,
  lines = [],
  messages = [{ role: 'user', content: 'q' }],
} = {}) {
  const calls = [];
  const log = [];
  let made = 0;
  let id = stored;
  const take = (name, ...args) => {
    calls.push([name, ...structuredClone(args)]);
    const fault = faults.shift();
    if (fault) throw fault;
  };
  const next = (other) => {
    const found = lines.length ? lines.shift() : other;
    if (found instanceof Error) throw found;
    return found;
  };
  const api = {
    createSession: async (config) => (take('create', config), { sessionId: `s${(made += 1)}` }),
    ask: async (body, key) => (take('ask', body, key), next(line(START, done(1)))),
    resume: async (of) => (take('resume', of), next(null)),
    stop: async (of) => take('stop', of),
    history: async (of) => (
      take('history', of),
      { messages: typeof messages === 'function' ? messages() : messages }
    ),
    clearHistory: async (of) => take('clear', of),
  };
  const store = { read: () => id, write: (value) => (id = value) };
  const chat = new Conversation(api, store, {
    onSession: (session) => log.push(`session ${session}`),
    onGone: () => log.push('gone'),
    pause: async (attempt) => log.push(`pause ${attempt}`),
    wait: async ({ wait }) => log.push(`wait ${wait}`),
  });
  return { api, calls, chat, log, store };
}

/** Records the progress of an answer. */
function progress() {
  const told = [];
  return Object.assign((type, data) => told.push(data.text ?? type), { told });
}

const ignore = () => {};

test('the session is created with the settings at the first question; they are not sent again', async () => {
  const { chat, calls, store, log } = server();
  assert.equal(chat.begun, false);
  await chat.ask('one', { botName: 'Ann' }, 'k1', ignore);
  await chat.ask('two', { botName: 'Ann', pageContext: { title: 'T' } }, 'k2', ignore);
  await chat.ask('three', { botName: 'Ann', pageContext: { title: 'T' } }, 'k3', ignore);
  assert.deepEqual(calls, [
    ['create', { botName: 'Ann' }],
    ['ask', { sessionId: 's1', message: 'one' }, 'k1'],
    ['ask', { sessionId: 's1', message: 'two', config: { pageContext: { title: 'T' } } }, 'k2'],
    ['ask', { sessionId: 's1', message: 'three' }, 'k3'],
  ]);
  assert.equal(store.read(), 's1');
  assert.deepEqual(log, ['session s1']);
});

test('a session created by another page gets the settings as well', async () => {
  const { chat, calls, store } = server({ stored: 'a' });
  await chat.ask('one', { botName: 'Ann' }, 'k', ignore);
  store.write('b');
  await chat.ask('two', { botName: 'Ann' }, 'k', ignore);
  assert.deepEqual(
    calls.map(([, body]) => body.config),
    [{ botName: 'Ann' }, { botName: 'Ann' }],
  );
});

test('a file and a question at the same time create one session', async () => {
  const { chat, calls } = server();
  const [id] = await Promise.all([chat.session({}), chat.ask('one', {}, 'k', ignore)]);
  assert.equal(id, 's1');
  assert.deepEqual(
    calls.map(([name]) => name),
    ['create', 'ask'],
  );
  assert.equal(await chat.renew({}), 's2');
});

const limited = (seconds) => limitError(429, 'rate_limited', seconds);

test('a rate-limited session is requested once more after the wait', async () => {
  const { chat, calls, log } = server({ faults: [limited(60)] });
  const [id] = await Promise.all([
    chat.session({}),
    chat.ask('one', { botName: 'A' }, 'k', ignore),
  ]);
  assert.equal(id, 's1');
  assert.deepEqual(
    calls.map(([name]) => name),
    ['create', 'create', 'ask'],
  );
  assert.deepEqual(log, ['wait 60', 'session s1']);
});

test('a session refused twice, or for longer, is an error', async () => {
  const twice = server({ faults: [limited(5), limited(7)] });
  await assert.rejects(twice.chat.ask('one', {}, 'k', ignore), { wait: 7 });
  assert.equal(twice.calls.length, 2);
  const long = server({ faults: [limited(61)] });
  await assert.rejects(long.chat.ask('one', {}, 'k', ignore), { wait: 61 });
  assert.deepEqual([long.calls.length, long.log], [1, []]);
  const busy = server({ faults: [limitError(503, 'server_busy', 5)] });
  await assert.rejects(busy.chat.ask('one', {}, 'k', ignore), { code: 'server_busy' });
  assert.equal(busy.calls.length, 1);
  await busy.chat.ask('one', {}, 'k', ignore);
  assert.equal(busy.calls.length, 3, 'the next question gets its session');
});

test('progress is reported as an answer streams in', async () => {
  const { chat } = server({ lines: [line(START, ...words('Yes, ', 'it is.'), done(3))] });
  const tell = progress();
  const answer = await chat.ask('one', {}, 'k', tell);
  assert.deepEqual(tell.told, ['start', 'Yes, ', 'it is.']);
  assert.equal(answer.response, 'yes');
});

test('after a broken connection the answer is read from its start, with a pause', async () => {
  const lines = [
    line(START, ...words('a', 'b'), broken()),
    broken(),
    line(START, ...words('a', 'b', 'c')),
    line(START, ...words('a', 'b', 'c'), done(4)),
  ];
  const { chat, calls, log } = server({ stored: 's', lines });
  const tell = progress();
  const answer = await chat.ask('one', {}, 'k', tell);
  assert.equal(answer.response, 'yes');
  const again = ['start', 'a', 'b', 'c'];
  assert.deepEqual(tell.told, ['start', 'a', 'b', ...again, ...again]);
  assert.deepEqual(calls.slice(1), [
    ['resume', 's'],
    ['resume', 's'],
    ['resume', 's'],
  ]);
  assert.deepEqual(log, ['pause 0', 'pause 1', 'pause 0']);
});

test('a connection that stays broken is an error after some attempts', async () => {
  const { chat, calls } = server({
    stored: 's',
    lines: [line(START, broken()), ...Array.from({ length: 9 }, () => line(START, broken()))],
  });
  await assert.rejects(chat.ask('one', {}, 'k', ignore), { code: 'unreachable' });
  assert.equal(calls.length, 6);
});

test('an answer that ends while disconnected is in the history', async () => {
  const { chat } = server({ stored: 's', lines: [line(START, broken()), null] });
  assert.equal(await chat.ask('one', {}, 'k', ignore), null);
});

test('a failed answer is an error, not a broken connection', async () => {
  const data = { error: 'The assistant is busy.', code: 'provider_busy', retryable: true };
  const { chat, calls } = server({ lines: [line(START, event(1, 'error', data))] });
  await assert.rejects(chat.ask('one', {}, 'k', ignore), {
    message: 'The assistant is busy.',
    code: 'provider_busy',
    retryable: true,
  });
  assert.equal(calls.length, 2);
  const final = server({
    lines: [line(event(0, 'error', { ...data, retryable: false }))],
  });
  await assert.rejects(final.chat.ask('one', {}, 'k', ignore), { retryable: false });
});

test('an aborted question is not resumed', async () => {
  const { chat, calls } = server({ stored: 's', lines: [line(START, broken())] });
  await assert.rejects(chat.ask('one', {}, 'k', ignore, AbortSignal.abort()));
  assert.equal(calls.length, 1);
});

test('an expired session is replaced once, and the question is asked again with all settings', async () => {
  const { chat, calls, store, log } = server({ stored: 'old', faults: [gone()] });
  await chat.ask('one', { botName: 'Ann' }, 'k', ignore);
  assert.equal(store.read(), 's1');
  assert.deepEqual(
    calls.map(([name, first]) => [name, first.sessionId ?? first]),
    [
      ['ask', 'old'],
      ['create', { botName: 'Ann' }],
      ['ask', 's1'],
    ],
  );
  assert.deepEqual(log, ['gone', 'session s1']);
});

test('a session that is gone twice is an error', async () => {
  const { chat, calls } = server({ stored: 'old', faults: [gone(), null, gone()] });
  await assert.rejects(chat.ask('one', {}, 'k', ignore), { code: 'session_not_found' });
  assert.equal(calls.length, 3);
});

test('other errors are not retried, and unsent settings are sent the next time', async () => {
  const { chat, calls, store } = server({
    stored: 's',
    faults: [new ApiError('Busy.', 503, 'provider_busy')],
  });
  await assert.rejects(chat.ask('one', { botName: 'Ann' }, 'k', ignore), { message: 'Busy.' });
  assert.equal(store.read(), 's');
  await chat.ask('one', { botName: 'Ann' }, 'k', ignore);
  assert.deepEqual(calls[0], calls[1]);
});

test('restoring returns the stored history, and forgets a session unknown to the server', async () => {
  assert.deepEqual(await server().chat.restore(), { messages: [] });
  const { messages, follow } = await server({ stored: 's' }).chat.restore();
  assert.deepEqual([messages.length, follow], [1, undefined]);
  const lost = server({ stored: 's', faults: [gone()] });
  assert.deepEqual(await lost.chat.restore(), { messages: [] });
  assert.equal(lost.store.read(), null);
  const down = server({ stored: 's', faults: [broken()] });
  await assert.rejects(down.chat.restore(), { code: 'unreachable' });
  assert.equal(down.store.read(), 's', 'a broken connection is no reason to forget it');
});

const OPEN = [{ role: 'user', content: 'q', status: 'unanswered' }];

test('an answer that is being written is read from its start', async () => {
  const lines = [line(START, ...words('a'), done(2))];
  const { chat, calls } = server({ stored: 's', messages: OPEN, lines });
  const { messages, follow } = await chat.restore();
  assert.deepEqual(messages, OPEN);
  assert.deepEqual(calls, [
    ['resume', 's'],
    ['history', 's'],
  ]);
  const tell = progress();
  assert.equal((await follow(tell)).response, 'yes');
  assert.deepEqual(tell.told, ['start', 'a']);
});

test('an answer that ends between the two requests is shown once', async () => {
  const full = [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'yes' },
  ];
  const ended = server({ stored: 's', messages: full, lines: [line(START, done(1))] });
  const { messages, follow } = await ended.chat.restore();
  assert.deepEqual([messages, follow], [full, undefined]);
});

test('a question that is about to be stored is waited for', async () => {
  let reads = 0;
  const { chat } = server({
    stored: 's',
    messages: () => ((reads += 1) === 1 ? [] : OPEN),
    lines: [line(START, done(1)), line(START, done(1))],
  });
  const { messages, follow } = await chat.restore();
  assert.deepEqual(messages, OPEN);
  assert.equal((await follow(ignore)).response, 'yes');
});

test('clearing stops the answer and keeps the session; one that is gone counts as cleared', async () => {
  const { chat, calls, store } = server({ stored: 's' });
  await chat.clear();
  assert.deepEqual(calls, [
    ['stop', 's'],
    ['clear', 's'],
  ]);
  assert.equal(store.read(), 's');
  const lost = server({ stored: 's', faults: [gone()] });
  await lost.chat.clear();
  assert.equal(lost.store.read(), null);
  const none = server();
  await none.chat.stop();
  await none.chat.clear();
  assert.deepEqual(none.calls, []);
});

test('values are stored by part, and kept in memory where storage is denied', () => {
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  const refused = () => {
    throw new DOMException('no', 'SecurityError');
  };
  for (const asked of [() => storage, refused]) {
    const store = sessionStore('chat', asked);
    assert.equal(store.read(), null);
    store.write('id');
    store.write('key', ' question');
    assert.deepEqual([store.read(), store.read(' question')], ['id', 'key']);
    store.write(null);
    assert.deepEqual([store.read(), store.read(' question')], [null, 'key']);
  }
  assert.deepEqual([...kept], [['chat question', 'key']]);
});
