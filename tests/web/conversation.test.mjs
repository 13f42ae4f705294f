import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '../../assets/static/widget/api.js';
import { Conversation } from '../../assets/static/widget/conversation.js';

const gone = () => new ApiError('Session not found.', 404, 'session_not_found');

/** A server that keeps its calls; `faults` are thrown by the next calls, one each. */
function server({ faults = [], stored = null } = {}) {
  const calls = [];
  let made = 0;
  let id = stored;
  const told = [];
  const take = (name, ...args) => {
    calls.push([name, ...structuredClone(args)]);
    const fault = faults.shift();
    if (fault) throw fault;
  };
  const api = {
    createSession: async (config) => (take('create', config), { sessionId: `s${(made += 1)}` }),
    sendMessage: async (body, key) => (
      take('message', body, key),
      { response: 'yes', sessionId: body.sessionId }
    ),
    history: async (of) => (take('history', of), { messages: [{ role: 'user', content: 'q' }] }),
    clearHistory: async (of) => take('clear', of),
  };
  const store = { read: () => id, write: (next) => (id = next) };
  return {
    calls,
    store,
    told,
    chat: new Conversation(api, store, (session) => told.push(session)),
  };
}

test('the session is made at the first question, with the settings, which are not sent again', async () => {
  const { chat, calls, store, told } = server();
  assert.equal(chat.begun, false);
  await chat.ask('one', { botName: 'Ann' }, 'k1');
  await chat.ask('two', { botName: 'Ann', pageContext: { title: 'T' } }, 'k2');
  await chat.ask('three', { botName: 'Ann', pageContext: { title: 'T' } }, 'k3');
  assert.deepEqual(calls, [
    ['create', { botName: 'Ann' }],
    ['message', { sessionId: 's1', message: 'one' }, 'k1'],
    ['message', { sessionId: 's1', message: 'two', config: { pageContext: { title: 'T' } } }, 'k2'],
    ['message', { sessionId: 's1', message: 'three' }, 'k3'],
  ]);
  assert.equal(store.read(), 's1');
  assert.deepEqual(told, ['s1']);
});

test('an expired session is replaced once and the question asked again with everything it needs', async () => {
  const { chat, calls, store } = server({ stored: 'old', faults: [gone()] });
  const answer = await chat.ask('one', { botName: 'Ann' }, 'k');
  assert.equal(answer.sessionId, 's1');
  assert.equal(store.read(), 's1');
  assert.deepEqual(
    calls.map(([name, first]) => [name, first.sessionId ?? first]),
    [
      ['message', 'old'],
      ['create', { botName: 'Ann' }],
      ['message', 's1'],
    ],
  );
});

test('a session that is gone twice is a fault', async () => {
  const { chat, calls } = server({ stored: 'old', faults: [gone(), null, gone()] });
  await assert.rejects(chat.ask('one', {}, 'k'), { code: 'session_not_found' });
  assert.equal(calls.length, 3);
});

test('other faults are not tried again, and unsent settings are sent the next time', async () => {
  const { chat, calls, store } = server({
    stored: 's',
    faults: [new ApiError('Busy.', 503, 'provider_busy')],
  });
  await assert.rejects(chat.ask('one', { botName: 'Ann' }, 'k'), { message: 'Busy.' });
  assert.equal(store.read(), 's');
  await chat.ask('one', { botName: 'Ann' }, 'k');
  assert.deepEqual(calls[0], calls[1]);
});

test('restoring shows what the server has, and forgets a session that it has not', async () => {
  assert.deepEqual(await server().chat.restore(), []);
  assert.equal((await server({ stored: 's' }).chat.restore()).length, 1);
  const lost = server({ stored: 's', faults: [gone()] });
  assert.deepEqual(await lost.chat.restore(), []);
  assert.equal(lost.store.read(), null);
  const down = server({ stored: 's', faults: [new ApiError('Down.', 0, 'unreachable')] });
  await assert.rejects(down.chat.restore(), { code: 'unreachable' });
  assert.equal(down.store.read(), 's', 'a broken line is no reason to forget');
});

test('clearing keeps the session; one that is gone counts as cleared', async () => {
  const { chat, calls, store } = server({ stored: 's' });
  await chat.clear();
  assert.deepEqual(calls, [['clear', 's']]);
  assert.equal(store.read(), 's');
  const lost = server({ stored: 's', faults: [gone()] });
  await lost.chat.clear();
  assert.equal(lost.store.read(), null);
});
