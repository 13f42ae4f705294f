import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '../../assets/static/widget/api.js';
import { factsOf, isReadable, refusalOf, send } from '../../assets/static/widget/upload.js';

const LIMIT = 10485760;

test('only CSV and JSON files up to the limit are accepted', () => {
  for (const name of ['a.csv', 'A.JSON', 'a.b.csv', '.csv'])
    assert.equal(refusalOf({ name, size: LIMIT }, LIMIT), '', name);
  for (const name of ['a.txt', 'a.csv.html', 'csv', 'a.csv ', 'photo.png']) {
    assert.equal(isReadable({ name }), false, name);
    assert.equal(refusalOf({ name, size: 1 }, LIMIT), 'Only CSV and JSON files are supported.');
  }
  assert.equal(refusalOf({ name: 'a.csv', size: LIMIT + 1 }, LIMIT), 'Files can be up to 10 MB.');
});

test('a file is described by its rows and columns, wherever their counts are', () => {
  const file = { fileName: 'a', fileType: 'json', fileSize: 100492 };
  const facts = (more) => factsOf({ ...file, ...more });
  assert.equal(facts({ rowCount: 1461, columnCount: 6 }), '1,461 rows · 6 columns');
  assert.equal(facts({ rowCount: 1, columnCount: 1 }), '1 row · 1 column');
  assert.equal(
    facts({ summary: { rowCount: 0, columnCount: 2, columns: [] } }),
    '0 rows · 2 columns',
  );
  const array = { type: 'array', length: 406, firstItemKeys: ['a'], dataTypes: { a: 1, b: 1 } };
  assert.equal(facts({ summary: array }), '406 rows · 2 columns');
  assert.equal(
    facts({ summary: { type: 'object', keys: ['a'], dataTypes: {} } }),
    'JSON · 98.1 kB',
  );
  assert.equal(facts({}), 'JSON · 98.1 kB');
});

/** Stands in for the browser's, controlled by the test. */
class FakeRequest {
  static last;
  upload = {};
  aborted = false;
  constructor() {
    FakeRequest.last = this;
  }
  open(...call) {
    this.opened = call;
  }
  send(body) {
    this.body = body;
  }
  getResponseHeader(name) {
    return name.toLowerCase() === 'retry-after' ? this.retryAfter : null;
  }
  abort() {
    this.aborted = true;
    this.onabort();
  }
  answer(status, response, retryAfter = null) {
    Object.assign(this, { status, response, retryAfter });
    this.onload();
  }
}

function begin(onProgress) {
  const running = send(
    'POST',
    new URL('http://x/api/files/upload'),
    'body',
    onProgress,
    FakeRequest,
  );
  return { ...running, request: FakeRequest.last };
}

test('progress is reported while bytes are sent, and at the end', () => {
  const shares = [];
  const { request } = begin((share) => shares.push(share));
  assert.deepEqual(request.opened, ['POST', new URL('http://x/api/files/upload')]);
  assert.equal(request.body, 'body');
  request.upload.onprogress({ loaded: 1, total: 4 });
  request.upload.onprogress({ loaded: 3, total: 4 });
  request.upload.onload();
  assert.deepEqual(shares, [0.25, 0.75, 1]);
});

test('the result is the response body', async () => {
  const { done, request } = begin();
  request.upload.onload();
  request.answer(200, { success: true });
  assert.deepEqual(await done, { success: true });
});

test("a refusal has the server's message, a proxy's page does not", async () => {
  const refused = begin();
  refused.request.answer(400, { error: 'The file is not text.', code: 'not_text' });
  await assert.rejects(refused.done, {
    message: 'The file is not text.',
    code: 'not_text',
    retryable: false,
  });
  for (const status of [200, 502]) {
    const proxied = begin();
    proxied.request.answer(status, null);
    await assert.rejects(proxied.done, { code: 'unknown', status });
  }
});

test('a rate limit has its wait', async () => {
  const refused = begin();
  refused.request.answer(429, { error: 'Slow down.', code: 'rate_limited' }, '17');
  await assert.rejects(refused.done, { code: 'rate_limited', wait: 17, retryable: true });
});

test('a broken connection and a cancelled upload reject', async () => {
  const broken = begin();
  broken.request.onerror();
  await assert.rejects(broken.done, (fault) => fault instanceof ApiError && fault.retryable);
  const cancelled = begin();
  cancelled.abort();
  await assert.rejects(cancelled.done, ApiError);
  assert.equal(cancelled.request.aborted, true);
});
