import assert from 'node:assert/strict';
import test, { afterEach } from 'node:test';
import { Api, ApiError, faultOf } from '../../assets/static/widget/api.js';

const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

const reply = (status, body) => (globalThis.fetch = async () => new Response(body, { status }));

test('requests go to the base, as JSON, without cookies', async () => {
  const seen = [];
  globalThis.fetch = async (url, options) => (
    seen.push([String(url), options]),
    Response.json({ response: 'yes' })
  );
  await new Api('https://chat.test/sub/').sendMessage({ sessionId: 's', message: 'm' }, 'key-1');
  const [[url, options]] = seen;
  assert.equal(url, 'https://chat.test/sub/api/chat/message');
  assert.equal(options.method, 'POST');
  assert.equal(options.credentials, 'omit');
  assert.deepEqual(options.headers, {
    Accept: 'application/json',
    'Content-Type': 'application/json',
    'Idempotency-Key': 'key-1',
  });
  assert.equal(options.body, '{"sessionId":"s","message":"m"}');
});

test("the server's sentence is what the visitor reads", async () => {
  reply(503, '{"error":"The assistant is busy.","code":"provider_busy","requestId":"r"}');
  await assert.rejects(new Api('http://x/').botConfig(), {
    message: 'The assistant is busy.',
    status: 503,
    code: 'provider_busy',
    retryable: true,
  });
});

test('HTML of a proxy, and a 200 that is no JSON object, get a sentence of our own', async () => {
  for (const [status, body] of [
    [502, '<h1>Bad Gateway</h1>'],
    [200, '<h1>Hello</h1>'],
    [200, '7'],
  ]) {
    reply(status, body);
    await assert.rejects(
      new Api('http://x/').botConfig(),
      (fault) =>
        fault instanceof ApiError &&
        /Something went wrong/.test(fault.message) &&
        fault.code === 'unknown',
    );
  }
});

test('a server that cannot be reached is said to be so', async () => {
  globalThis.fetch = async () => {
    throw new TypeError('fetch failed');
  };
  await assert.rejects(new Api('http://x/').botConfig(), {
    code: 'unreachable',
    status: 0,
    retryable: true,
  });
});

test('what would be refused again is not offered again', () => {
  for (const status of [400, 401, 403, 413, 415, 422])
    assert.equal(faultOf(status, {}).retryable, false, String(status));
  for (const status of [404, 408, 409, 429, 500, 502, 503, 504, 507])
    assert.equal(faultOf(status, {}).retryable, true, String(status));
});

test('a fault is readable whatever the body is', () => {
  for (const body of [null, undefined, 7, 'x', [], { error: 5 }, { error: ' ' }])
    assert.match(faultOf(500, body).message, /Something went wrong/);
  assert.equal(faultOf(400, { error: 'x'.repeat(9999) }).message.length, 400);
});
