import assert from 'node:assert/strict';
import test, { after, before, mock } from 'node:test';
import { ApiError, limitError } from '../../assets/static/widget/api.js';
import { Chat } from '../../assets/static/widget/chat.js';

before(() => (globalThis.document = { hidden: false }));
after(() => delete globalThis.document);

/** The window as a list of lines, with a conversation scripted by the test. */
function room(conversation = {}) {
  let items = [];
  const told = [];
  const state = { notice: '', box: '', busy: 'idle', files: [] };
  const stored = new Map();
  const mark = (item, status) => (item.status = status);
  const add = ({ role, content, status }) => {
    const item = { role, content, status, remove: () => (items = items.filter((i) => i !== item)) };
    items.push(item);
    return item;
  };
  const feed = {
    add,
    mark,
    clear: () => (items = []),
    showEnd() {},
    withdrawRetry: () => items.forEach((item) => delete item.retry),
    offerRetry(item, retry, wait) {
      feed.withdrawRetry();
      Object.assign(item, { retry, wait });
    },
    begin() {
      let item;
      const open = () => (item ??= add({ role: 'assistant', content: '' }));
      return {
        begin() {},
        write: ({ text }) => (open().content += text),
        discard: () => item && (item.content = ''),
        finish: ({ content, status }) => Object.assign(open(), { content, status }),
        fail: () => (item && mark(item, 'incomplete'), item ?? null),
        close() {},
      };
    },
  };
  const view = {
    notice: ({ text, onAction, wait }) =>
      Object.assign(state, { notice: text, action: onAction, wait }),
    hideNotice: () => (state.notice = ''),
    setState: (busy) => (state.busy = busy),
    giveBack: (text) => (state.box = text),
    focus() {},
  };
  const server = { messages: [] };
  const parts = {
    conversation: {
      begun: true,
      restore: async () => server,
      stop: async () => told.push('stop'),
      clear: async () => told.push('clear'),
      ...conversation,
    },
    store: {
      read: (part = '') => stored.get(part) ?? null,
      write: (v, part = '') => stored.set(part, v),
    },
    view,
    feed,
    files: { busy: false, show: (file) => state.files.push(file?.fileName ?? null) },
    post: (type, data) => told.push(data?.code ?? data?.message ?? type),
    config: async () => ({}),
  };
  const chat = new Chat(parts);
  return {
    chat,
    parts,
    server,
    state,
    stored,
    told,
    /** Waits for pending work. */
    settle: () => new Promise((resolve) => setImmediate(resolve)),
    lines: () =>
      items.map(({ role, content, status, retry }) =>
        [`${role[0]}: ${content}`, status, retry && 'retry'].filter(Boolean).join(', '),
      ),
    item: (at) => items.at(at),
  };
}

const answer = (response, extra) => ({
  response,
  sessionId: 's',
  messageCount: 2,
  timestamp: 5,
  ...extra,
});
const fault = (extra) => Object.assign(new ApiError('Busy.', 503, 'provider_busy'), extra);

test('an answer is shown as it streams in, and reported to the page', async () => {
  const { chat, lines, told, state, settle } = room({
    async ask(text, config, key, progress) {
      progress('start', {});
      progress('delta', { text: 'Y' });
      assert.deepEqual([lines(), state.busy], [['u: Tea?', 'a: Y'], 'writing']);
      progress('tool', { status: 'running' });
      assert.equal(state.busy, 'querying');
      return answer('Yes.');
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
  assert.equal(state.busy, 'idle');
  assert.deepEqual(told, ['Tea?', 'Yes.']);
});

test('thinking is shown until the first word or tool', async () => {
  const { chat, lines, state, settle } = room({
    async ask(text, config, key, progress) {
      const seen = [];
      for (const [type, data] of [
        ['thinking', {}],
        ['start', {}],
        ['thinking', {}],
        ['tool', { status: 'running' }],
        ['tool', { status: 'done' }],
        ['thinking', {}],
        ['something new', {}],
        ['delta', { text: 'Yes.' }],
      ]) {
        progress(type, data);
        seen.push(state.busy);
      }
      assert.deepEqual(
        seen.join(' '),
        'thinking thinking thinking querying waiting thinking thinking writing',
      );
      return answer('Yes.');
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
});

test('text that is replaced is no longer shown', async () => {
  const { chat, lines, state, settle } = room({
    async ask(text, config, key, progress) {
      progress('start', {});
      progress('delta', { text: 'The user asks for tea.' });
      progress('replace', { text: 'First.' });
      assert.deepEqual(lines(), ['u: Tea?', 'a: First.']);
      progress('replace', { text: '' });
      progress('thinking', {});
      assert.deepEqual([lines(), state.busy], [['u: Tea?', 'a: '], 'thinking']);
      progress('delta', { text: 'Yes.' });
      return answer('Yes.');
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
});

test('questions are asked one after another', async () => {
  const order = [];
  const { chat, settle } = room({
    async ask(text) {
      order.push(text);
      await settle();
      order.push(`${text} done`);
      return answer('Yes.');
    },
  });
  chat.send('one');
  chat.send('two');
  while (order.length < 4) await settle();
  assert.deepEqual(order, ['one', 'one done', 'two', 'two done']);
});

test('a failed question is retried in its place, with its key', async () => {
  const keys = [];
  const { chat, lines, item, state, told, settle } = room({
    async ask(text, config, key) {
      keys.push(key);
      if (keys.length < 3) throw fault();
      return answer('Yes.');
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
  assert.equal(state.notice, 'Busy.');
  assert.deepEqual(told, ['Tea?', 'provider_busy']);
  item(0).retry();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
  state.action();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
  assert.equal(state.notice, '');
  assert.equal(new Set(keys).size, 1);
});

test('a rate-limited question can be retried once the wait is over', async () => {
  mock.timers.enable({ apis: ['Date'] });
  try {
    const asked = [];
    const { chat, lines, item, state, told, settle } = room({
      async ask(text, config, key) {
        asked.push([text, key]);
        if (asked.length === 1) throw limitError(429, 'rate_limited', 12);
        return answer('Yes.');
      },
    });
    chat.send('Tea?');
    await settle();
    assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
    assert.deepEqual(
      [state.notice, state.wait, item(0).wait, state.busy],
      ['You’re going too fast. Please wait 12 seconds.', 12, 12, 'idle'],
    );
    assert.deepEqual(told, ['Tea?', 'rate_limited']);

    mock.timers.tick(5000);
    chat.send('Coffee?');
    await settle();
    assert.equal(asked.length, 1, 'the next one is not even sent');
    assert.equal(state.box, 'Coffee?', 'and stays in the box');
    assert.deepEqual(
      [state.notice, state.wait],
      ['You’re going too fast. Please wait 7 seconds.', 7],
    );
    assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
    item(0).retry();
    state.action();
    await settle();
    assert.equal(asked.length, 1, 'nor is the first one');

    mock.timers.tick(7000);
    state.action();
    await settle();
    assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
    assert.equal(state.notice, '');
    assert.deepEqual(asked[0], asked[1]);
    chat.send('Coffee?');
    await settle();
    assert.equal(asked.length, 3);
  } finally {
    mock.timers.reset();
  }
});

test('the wait survives a new chat, which leaves nothing to retry', async () => {
  const { chat, lines, state, settle } = room({
    ask: () => Promise.reject(limitError(429, 'rate_limited', 9)),
  });
  chat.send('Tea?');
  await settle();
  chat.newChat();
  await settle();
  chat.send('Coffee?');
  await settle();
  assert.deepEqual([lines(), state.box, state.wait], [[], 'Coffee?', 9]);
  assert.equal(state.action, undefined);
});

test('the wait survives a refresh of the history', async () => {
  const { chat, lines, item, settle } = room({
    ask: () => Promise.reject(limitError(503, 'server_busy', 9)),
  });
  chat.send('Tea?');
  await settle();
  await chat.refresh();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
  assert.equal(item(0).wait, 9);
});

test('a question that would be refused again goes back into the box', async () => {
  const { chat, lines, state, settle } = room({
    ask: () => Promise.reject(fault({ retryable: false })),
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual([lines(), state.box, state.notice], [[], 'Tea?', 'Busy.']);
});

test('an interrupted answer is kept as the server has it, until the retry replaces both', async () => {
  let asked = 0;
  const { chat, lines, item, server, settle, stored } = room({
    async ask(text, config, key, progress) {
      assert.equal(key, stored.get(' question'));
      if ((asked += 1) > 1) return answer('Yes, it is.');
      progress('delta', { text: 'Yes, **it' });
      server.messages = [
        { role: 'user', content: 'Tea?' },
        { role: 'assistant', content: 'Yes, it', status: 'incomplete' },
      ];
      throw fault();
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes, it, incomplete, retry']);
  item(-1).retry();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes, it is.']);
});

test('an interrupted answer stays with its note if the server is unreachable', async () => {
  const { chat, lines, settle } = room({
    async ask(text, config, key, progress) {
      progress('delta', { text: 'Yes' });
      throw fault({ status: 0 });
    },
    restore: () => Promise.reject(fault({ status: 0 })),
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes, incomplete, retry']);
});

test('an answer that ended while disconnected is taken from the history, once', async () => {
  const { chat, lines, server, settle } = room({
    async ask(text, config, key, progress) {
      progress('delta', { text: 'Ye' });
      server.messages = [
        { role: 'user', content: 'Tea?' },
        { role: 'assistant', content: 'Yes.' },
      ];
      return null;
    },
  });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.']);
});

test('a question stopped before its first token can be asked again', async () => {
  const { chat, lines, settle } = room({ ask: async () => answer('', { status: 'stopped' }) });
  chat.send('Tea?');
  await settle();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
});

test('stopping before the server has started takes effect once it has', async () => {
  let begin;
  const { chat, told, settle } = room({
    async ask(text, config, key, progress) {
      await new Promise((resolve) => (begin = resolve));
      progress('start', {});
      return answer('', {});
    },
  });
  chat.send('Tea?');
  await settle();
  await chat.stop();
  assert.deepEqual(told, ['Tea?', 'stop']);
  begin();
  await settle();
  assert.deepEqual(told, ['Tea?', 'stop', 'stop']);
});

test('after a new chat nothing of what was in progress is shown', async () => {
  let end;
  let asked = 0;
  const { chat, lines, told, state, settle } = room({
    async ask(text, config, key, progress, signal) {
      if ((asked += 1) > 1) return answer('New.');
      await new Promise((resolve) => (end = resolve));
      assert.equal(signal.aborted, true);
      progress('delta', { text: 'Old' });
      return answer('Old.');
    },
  });
  chat.send('Tea?');
  await settle();
  chat.newChat();
  assert.equal(state.busy, 'idle');
  chat.send('Coffee?');
  await settle();
  end();
  await settle();
  assert.deepEqual(lines(), ['u: Coffee?', 'a: New.']);
  assert.deepEqual(told, ['Tea?', 'clear', 'chat_cleared', 'Coffee?', 'New.']);
});

test('a reload shows the history and its file, and continues the answer in progress', async () => {
  const { chat, lines, server, state, settle } = room();
  server.file = { fileName: 'tea.csv' };
  server.messages = [
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'One.' },
    { role: 'user', content: 'Two?', status: 'unanswered' },
  ];
  server.follow = async (progress) => {
    assert.deepEqual(lines(), ['u: One?', 'a: One.', 'u: Two?']);
    progress('start', {});
    progress('delta', { text: 'Tw' });
    return answer('Two.', { messageCount: 4 });
  };
  await chat.restore();
  await settle();
  assert.deepEqual(lines(), ['u: One?', 'a: One.', 'u: Two?', 'a: Two.']);
  assert.deepEqual(state.files, ['tea.csv']);
});

test('a question left unanswered is retried with its original key', async () => {
  let asked;
  const { chat, lines, item, server, stored, settle } = room({
    ask: async (text, config, key) => ((asked = key), answer('Yes.')),
  });
  stored.set(' question', 'k');
  server.messages = [{ role: 'user', content: 'Tea?', status: 'unanswered' }];
  await chat.restore();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
  item(0).retry();
  await settle();
  assert.deepEqual([lines(), asked], [['u: Tea?', 'a: Yes.'], 'k']);
});

test('a history that cannot be read shows a notice, from which it can be read again', async () => {
  let down = true;
  const { chat, lines, state, settle } = room({
    restore: async () => {
      if (down) throw fault();
      return { messages: [{ role: 'user', content: 'Tea?' }] };
    },
  });
  await chat.restore();
  assert.equal(state.notice, 'Busy.');
  down = false;
  state.action();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?']);
});

test('messages from another page are shown; those already shown are not redrawn', async () => {
  const { chat, lines, item, server, stored, settle } = room({ ask: async () => answer('Yes.') });
  stored.set('', 's');
  chat.send('Tea?');
  await settle();
  const shown = item(0);
  server.messages = [
    { role: 'user', content: 'Tea?' },
    { role: 'assistant', content: 'Yes.' },
  ];
  await chat.refresh();
  await settle();
  assert.equal(item(0), shown);
  server.messages = [...server.messages, { role: 'user', content: 'More?' }];
  await chat.refresh();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.', 'u: More?']);
});

test('a question that never reached the server survives a refresh of the history', async () => {
  const { chat, lines, server, settle } = room({ ask: () => Promise.reject(fault({ status: 0 })) });
  chat.send('Tea?');
  await settle();
  await chat.refresh();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?, unanswered, retry']);
  server.messages = [
    { role: 'user', content: 'Tea?' },
    { role: 'assistant', content: 'Yes.' },
  ];
  await chat.refresh();
  await settle();
  assert.deepEqual(lines(), ['u: Tea?', 'a: Yes.'], 'it had reached the server and was answered');
});
