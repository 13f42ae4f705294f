import assert from 'node:assert/strict';
import test from 'node:test';
import { Bridge, parentOrigin } from '../../assets/static/widget/bridge.js';
import { sessionStore } from '../../assets/static/widget/conversation.js';
import { t } from '../../assets/static/widget/strings.js';

/** A frame in a page; `say` delivers a message to it. */
function frame({ ancestors, referrer = '' } = {}) {
  const posted = [];
  const parent = { postMessage: (message, target) => posted.push([message, target]) };
  let listener = () => {};
  const own = {
    parent,
    location: { ancestorOrigins: ancestors },
    document: { referrer },
    addEventListener: (_type, fn) => (listener = fn),
  };
  const say = (origin, data, source = parent) => listener({ origin, data, source });
  return { own, posted, say };
}

test("the parent's origin is the one that the browser reports, never a guess", () => {
  assert.equal(
    parentOrigin(['https://a.test', 'https://b.test'], 'https://c.test/x'),
    'https://a.test',
  );
  assert.equal(parentOrigin(['null'], 'https://c.test/x'), '');
  assert.equal(parentOrigin(undefined, 'https://c.test:8443/x?y'), 'https://c.test:8443');
  assert.equal(parentOrigin(undefined, ''), '');
  assert.equal(parentOrigin(undefined, 'file:///x'), '');
});

test('only messages from the parent and its origin are handled', () => {
  const { own, say } = frame({ ancestors: ['https://shop.test'] });
  const heard = [];
  new Bridge(own).on('configure', (data) => heard.push(data));
  say('https://shop.test', { type: 'configure', data: 1 });
  say('https://shop.test', { type: 'configure', data: 2 }, { other: 'window' });
  say('https://evil.test', { type: 'configure', data: 3 });
  say('null', { type: 'configure', data: 4 });
  for (const odd of [null, undefined, 'text', 7, {}, { type: 5 }, { type: 'unknown' }])
    say('https://shop.test', odd);
  assert.deepEqual(heard, [1]);
});

test('messages are posted to that origin; nothing is posted while it is unknown', () => {
  const known = frame({ referrer: 'https://shop.test/page' });
  new Bridge(known.own).post('widget_ready');
  assert.deepEqual(known.posted, [[{ type: 'widget_ready', data: {} }, 'https://shop.test']]);

  const unknown = frame();
  const bridge = new Bridge(unknown.own);
  bridge.post('widget_ready');
  assert.deepEqual(unknown.posted, []);
  unknown.say('https://shop.test', { type: 'hello' });
  bridge.post('widget_ready');
  assert.equal(unknown.posted[0][1], 'https://shop.test');
  unknown.say('https://evil.test', { type: 'hello' });
  bridge.post('widget_ready');
  assert.equal(unknown.posted[1][1], 'https://shop.test', 'the first origin stays');
});

test('a page that is not framed neither listens nor posts', () => {
  const { own, posted } = frame();
  own.parent = own;
  own.addEventListener = () => assert.fail('listens');
  const bridge = new Bridge(own);
  bridge.post('widget_ready');
  assert.equal(bridge.framed, false);
  assert.deepEqual(posted, []);
});

test('the session id survives a browser that denies storage', () => {
  const refused = sessionStore('k', () => {
    throw new DOMException('no', 'SecurityError');
  });
  assert.equal(refused.read(), null);
  refused.write('s');
  assert.equal(refused.read(), 's');
  refused.write(null);
  assert.equal(refused.read(), null);

  const items = new Map();
  const storage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
  sessionStore('k', () => storage).write('s');
  assert.equal(sessionStore('k', () => storage).read(), 's');
});

test('strings fill in names and leave unknown placeholders', () => {
  assert.equal(t('typing', { name: 'A {name} $&' }), 'A {name} $& is typing');
  assert.equal(t('typing'), '{name} is typing');
});
