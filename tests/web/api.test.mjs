import assert from 'node:assert/strict';
import test, { afterEach } from 'node:test';
import { Api, ApiError, errorOf } from '../../assets/static/widget/api.js';

const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

const reply = (status, body) => (globalThis.fetch = async () => new Response(body, { status }));

/** Responds with these events and records the requests. */
function stream(text, seen = []) {
  globalThis.fetch = async (url, options) => (
    seen.push([String(url), options]),
    new Response(text)
  );
  return seen;
}

const read = async (events) => {
  const types = [];
  for await (const { type, data, id } of events) types.push([type, data, id]);
  return types;
};

test('questions are sent to the base as JSON without cookies; the answer is read as events', async () => {
  const seen = stream('id: 1\nevent: delta\ndata: {}\n\n');
  const events = await new Api('https://chat.test/sub/').ask(
    { sessionId: 's', message: 'm' },
    'key-1',
  );
  assert.deepEqual(await read(events), [['delta', '{}', '1']]);
  const [[url, options]] = seen;
  assert.equal(url, 'https://chat.test/sub/api/chat/stream?html=1');
  assert.equal(options.method, 'POST');
  assert.equal(options.credentials, 'omit');
  assert.deepEqual(options.headers, {
    'Content-Type': 'application/json',
    'Idempotency-Key': 'key-1',
  });
  assert.equal(options.body, '{"sessionId":"s","message":"m"}');
});

test('reading resumes from the start; 204 means there is nothing to read', async () => {
  const seen = stream('data: {}\n\n');
  const api = new Api('http://x/');
  await read(await api.resume('a b'));
  assert.deepEqual(
    seen.map(([url]) => url),
    ['http://x/api/chat/stream/a%20b?html=1'],
  );
  globalThis.fetch = async () => new Response(null, { status: 204 });
  assert.equal(await api.resume('s'), null);
});

test('an error before the first event has its message, one in the middle is a broken connection', async () => {
  reply(409, '{"error":"Please wait.","code":"turn_in_progress"}');
  await assert.rejects(new Api('http://x/').ask({}, 'k'), {
    message: 'Please wait.',
    code: 'turn_in_progress',
    retryable: true,
  });
  globalThis.fetch = async () =>
    new Response(
      new ReadableStream({
        pull: (line) => line.error(new TypeError('network error')),
      }),
    );
  const events = await new Api('http://x/').ask({}, 'k');
  await assert.rejects(read(events), { code: 'unreachable', status: 0, retryable: true });
});

test('aborting ends the request', async () => {
  let ended;
  globalThis.fetch = (url, { signal }) =>
    new Promise((resolve, reject) => {
      ended = signal;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const control = new AbortController();
  const asked = new Api('http://x/').ask({}, 'k', control.signal);
  control.abort();
  await assert.rejects(asked, ApiError);
  assert.equal(ended.aborted, true);
});

test('a request aborted before it starts is not sent', async () => {
  let sent = false;
  globalThis.fetch = async (url, { signal }) => {
    signal.throwIfAborted();
    sent = true;
    return new Response('');
  };
  await assert.rejects(new Api('http://x/').ask({}, 'k', AbortSignal.abort()), ApiError);
  assert.equal(sent, false);
});

test("the visitor reads the server's error message", async () => {
  reply(503, '{"error":"The assistant is busy.","code":"provider_busy","requestId":"r"}');
  await assert.rejects(new Api('http://x/').botConfig(), {
    message: 'The assistant is busy.',
    status: 503,
    code: 'provider_busy',
    retryable: true,
  });
});

test("a proxy's HTML, and a 200 that is not a JSON object, get a message of our own", async () => {
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

test('an unreachable server is reported as such', async () => {
  globalThis.fetch = async () => {
    throw new TypeError('fetch failed');
  };
  await assert.rejects(new Api('http://x/').botConfig(), {
    code: 'unreachable',
    status: 0,
    retryable: true,
  });
});

test('a request that would be refused again is not retryable', () => {
  for (const status of [400, 401, 403, 413, 415, 422])
    assert.equal(errorOf(status, {}).retryable, false, String(status));
  for (const status of [404, 408, 409, 429, 500, 502, 503, 504, 507])
    assert.equal(errorOf(status, {}).retryable, true, String(status));
  assert.equal(errorOf(200, {}, true).retryable, true, 'unless the server says so');
});

test("a rate limit is reported with its wait, in the visitor's language", async () => {
  const { setLanguage } = await import('../../assets/static/widget/strings.js');
  const limited = (retryAfter, code = 'rate_limited', status = 429) =>
    errorOf(status, { error: 'Slow down.', code }, undefined, retryAfter);
  assert.equal(limited('12').message, 'You’re going too fast. Please wait 12 seconds.');
  assert.equal(limited('1').message, 'You’re going too fast. Please wait 1 second.');
  assert.equal(limited('7', 'too_many_questions').wait, 7);
  const busy = limited('5', 'server_busy', 503);
  assert.equal(busy.message, 'The chat is very busy right now. Please wait 5 seconds.');
  assert.deepEqual([busy.wait, busy.code, busy.retryable], [5, 'server_busy', true]);
  const proxied = errorOf(429, null, undefined, '3');
  assert.deepEqual([proxied.code, proxied.wait], ['rate_limited', 3]);
  for (const other of [errorOf(503, { code: 'provider_busy' }, undefined, '9'), errorOf(500, {})])
    assert.equal(other.wait, 0, 'any other failure may be retried at once');
  try {
    for (const tag of ['ar', 'de', 'es', 'fr', 'he', 'ja', 'pt', 'zh']) {
      await setLanguage(tag);
      for (const { message } of [limited('12'), limited('12', 'server_busy', 503)]) {
        assert.match(message, /12/, tag);
        assert.doesNotMatch(message, /Slow down|too fast|busy/, tag);
      }
    }
  } finally {
    await setLanguage('en');
  }
});

test('there is a wait whatever Retry-After says', () => {
  const wait = (header) => errorOf(429, {}, undefined, header).wait;
  for (const [header, seconds] of [
    ['0', 1],
    ['1', 1],
    [' 60 ', 60],
    ['3600', 3600],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 1],
    ['1.5', 2],
    ['-1', 1],
    ['soon', 10],
    ['', 10],
    [null, 10],
    [undefined, 10],
  ])
    assert.equal(wait(header), seconds, String(header));
  const inAMinute = wait(new Date(Date.now() + 60_000).toUTCString());
  assert.ok(inAMinute >= 59 && inAMinute <= 60, String(inAMinute));
});

test('the wait is read from the response header', async () => {
  globalThis.fetch = async () =>
    new Response('{"error":"Slow down.","code":"rate_limited"}', {
      status: 429,
      headers: { 'Retry-After': '17' },
    });
  await assert.rejects(new Api('http://x/').ask({}, 'k'), { code: 'rate_limited', wait: 17 });
});

test('an error is readable whatever the body is', () => {
  for (const body of [null, undefined, 7, 'x', [], { error: 5 }, { error: ' ' }])
    assert.match(errorOf(500, body).message, /Something went wrong/);
  assert.equal(errorOf(400, { error: 'x'.repeat(9999) }).message.length, 400);
});

test("temporary errors are reported in the visitor's language, others in the server's words", async () => {
  const { setLanguage, t } = await import('../../assets/static/widget/strings.js');
  const said = { error: 'The assistant is overloaded.', code: 'provider_overloaded' };
  assert.equal(errorOf(503, said).message, said.error);
  await setLanguage('de');
  try {
    assert.match(t('errorOther'), /schiefgegangen/);
    assert.equal(errorOf(503, said).message, t('errorOther'));
    assert.equal(errorOf(200, said, true).message, t('errorOther'));
    assert.equal(errorOf(503, said).code, 'provider_overloaded');
    const refused = { error: 'The message is too long.', code: 'message_too_long' };
    assert.equal(errorOf(413, refused).message, refused.error);
  } finally {
    await setLanguage('en');
  }
});
