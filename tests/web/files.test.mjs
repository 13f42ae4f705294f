import assert from 'node:assert/strict';
import test, { afterEach, beforeEach, mock } from 'node:test';
import { FileArea } from '../../assets/static/widget/files.js';
import { setLanguage } from '../../assets/static/widget/strings.js';

/** The part of an element that the file area uses. */
class FakeElement {
  children = [];
  dataset = {};
  attributes = {};
  className = '';
  textContent = '';
  constructor(tag) {
    this.tag = tag;
  }
  append(...children) {
    this.children.push(...children);
    for (const child of children) if (typeof child === 'string') this.textContent += child;
  }
  prepend(...children) {
    this.children.unshift(...children);
  }
  replaceChildren(...children) {
    this.children = children;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  removeAttribute(name) {
    delete this.attributes[name];
  }
  contains(other) {
    return this === other || this.children.some((child) => child.contains?.(other));
  }
  focus() {
    document.activeElement = this;
  }
  remove() {}
  addEventListener(type, listener) {
    this[`on${type}`] = listener;
  }
  find(className) {
    for (const child of this.children) {
      if (child.className?.split(' ').includes(className)) return child;
      const found = child.find?.(className);
      if (found) return found;
    }
  }
}

class FakeRequest {
  upload = {};
  open(method, address) {
    Object.assign(this, { method, path: address.pathname });
    requests.push(this);
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

/** Lets pending promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

let requests, listeners, faults, sessions, area, host;
const names = ['document', 'DOMParser', 'XMLHttpRequest', 'File'];
const real = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
/** The data of a drop or a paste. */
const carried = (files, types = ['Files']) => ({ files, types });
const csv = (name = 'weather.csv') => new File(['a,b\n1,2\n'], name);
const taken = { fileName: 'weather.csv', fileType: 'csv', fileSize: 8 };
const answer = { success: true, ...taken, summary: { rowCount: 1461, columnCount: 6 } };
const GONE = { error: 'Session not found.', code: 'session_not_found' };

function fire(type, event = {}) {
  let prevented = false;
  listeners[type]({ type, preventDefault: () => (prevented = true), ...event });
  return prevented;
}
const drop = (...files) => fire('drop', { dataTransfer: carried(files) });
const chip = () => host.find('file-chip');
const said = () => host.find('sr-only').textContent;
const facts = () => chip()?.find('file-facts').textContent;

beforeEach(async () => {
  await setLanguage('en');
  [requests, faults, listeners] = [[], [], {}];
  globalThis.document = {
    createElement: (tag) => new FakeElement(tag),
    addEventListener: (type, listener) => (listeners[type] = listener),
    activeElement: null,
  };
  globalThis.DOMParser = class {
    parseFromString = () => ({ documentElement: new FakeElement('svg') });
  };
  globalThis.XMLHttpRequest = FakeRequest;
  sessions = { current: 's1', renewed: 0 };
  host = new FakeElement('div');
  const composer = new FakeElement('form');
  area = new FileArea({
    base: new URL('https://chat.test/sub/'),
    area: host,
    composer,
    drop: host,
    session: async () => sessions.current,
    renew: async () => (sessions.current = `renewed${++sessions.renewed}`),
    onError: (message, retry, wait) => faults.push({ message, retry, ...(wait && { wait }) }),
  });
  host.attach = composer.children[0];
  host.hint = host.children.find(({ id }) => id === 'drop-hint');
});

afterEach(() => Object.assign(globalThis, real));

test('a dropped file is uploaded to the session and becomes a chip', async () => {
  assert.equal(drop(csv()), true);
  assert.equal(area.busy, true);
  await settle();
  const [request] = requests;
  assert.deepEqual([request.method, request.path], ['POST', '/sub/api/files/upload']);
  assert.deepEqual([...request.body.keys()], ['sessionId', 'file']);
  assert.equal(request.body.get('sessionId'), 's1');
  assert.equal(request.body.get('file').name, 'weather.csv');
  request.answer(200, answer);
  await settle();
  assert.equal(area.busy, false);
  assert.equal(chip().find('file-name').textContent, 'weather.csv');
  assert.equal(facts(), '1,461 rows · 6 columns');
  assert.equal(said(), 'weather.csv: 1,461 rows · 6 columns');
  assert.deepEqual(faults, []);
});

test('progress shows the bytes sent, then that the server is reading', async () => {
  drop(csv());
  await settle();
  const card = host.find('file-upload');
  const bar = card.find('file-progress');
  assert.equal(said(), 'Uploading weather.csv…');
  requests[0].upload.onprogress({ loaded: 45, total: 100 });
  assert.equal(card.find('file-name').textContent, 'Uploading weather.csv… 45%');
  assert.equal(bar.attributes.value, '0.45');
  assert.equal(said(), 'Uploading weather.csv…', 'percents are not announced one by one');
  requests[0].upload.onload();
  assert.equal(card.find('file-name').textContent, 'Reading weather.csv…');
  assert.equal('value' in bar.attributes, false);
  assert.equal(said(), 'Reading weather.csv…');
});

test('unsupported and oversized files are refused with a reason before anything is sent', async () => {
  area.configure({ maxUploadBytes: 5 });
  drop(csv());
  drop(csv('photo.png'));
  area.configure({});
  drop(csv('b.csv'));
  await settle();
  assert.deepEqual(
    faults.map(({ message }) => message),
    [
      'Files can be up to 0.1 kB.',
      'Only CSV and JSON files are supported.',
      'Files can be up to 0.1 kB.',
    ],
  );
  assert.deepEqual(requests, []);
});

test('of several files only the first is added, with a notice', async () => {
  drop(csv('a.csv'), csv('b.csv'));
  await settle();
  assert.equal(requests.length, 1);
  assert.equal(requests[0].body.get('file').name, 'a.csv');
  assert.equal(faults[0].message, 'One file at a time, please: only a.csv was added.');
});

test('a file that the server refuses leaves the earlier one', async () => {
  area.show({ ...taken, rowCount: 2, columnCount: 1 });
  drop(csv('bad.csv'));
  await settle();
  assert.equal(chip(), undefined);
  requests[0].answer(400, { error: 'The file is not text.', code: 'not_text' });
  await settle();
  assert.deepEqual(faults, [{ message: 'The file is not text.', retry: undefined }]);
  assert.equal(facts(), '2 rows · 1 column');
  assert.equal(said(), '');
});

test('a broken connection is reported with the size limit, and can be retried', async () => {
  drop(csv());
  await settle();
  requests[0].onerror();
  await settle();
  assert.match(faults[0].message, /weather\.csv.*connection.*10 MB/);
  faults[0].retry();
  await settle();
  requests[1].answer(200, answer);
  await settle();
  assert.equal(facts(), '1,461 rows · 6 columns');
});

const LIMITED = { error: 'Too many requests.', code: 'rate_limited' };

test('a rate-limited file is kept until it can be sent again', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    area.show({ ...taken, rowCount: 2, columnCount: 1 });
    drop(csv('b.csv'));
    await settle();
    requests[0].answer(429, LIMITED, '12');
    await settle();
    const words = 'You’re going too fast. Please wait 12 seconds.';
    assert.deepEqual(faults, [{ message: words, retry: undefined, wait: 12 }]);
    assert.equal(area.busy, false);
    assert.equal(facts(), '2 rows · 1 column', 'the earlier file stays');
    const kept = () => host.find('file-refused');
    const retry = () => kept().find('link-btn');
    assert.equal(kept().find('file-name').textContent, 'b.csv');
    assert.deepEqual([retry().textContent, retry().disabled], ['Try again', true]);

    mock.timers.tick(11_000);
    area.relabel();
    assert.equal(retry().disabled, true, 'a change of language does not end the wait');
    assert.equal(said(), '');
    mock.timers.tick(1000);
    assert.equal(retry().disabled, false);
    assert.equal(said(), 'You can try again now.');

    retry().onclick();
    assert.equal(kept(), undefined);
    await settle();
    assert.equal(requests[1].body.get('file').name, 'b.csv');
    requests[1].answer(200, { ...answer, fileName: 'b.csv' });
    await settle();
    assert.equal(chip().find('file-name').textContent, 'b.csv');
    assert.equal(kept(), undefined);
  } finally {
    mock.timers.reset();
  }
});

test('a kept file can be removed, and is replaced by another one', async () => {
  const refuse = async () => {
    drop(csv('b.csv'));
    await settle();
    requests.at(-1).answer(503, { error: 'Busy.', code: 'server_busy' }, '5');
    await settle();
  };
  await refuse();
  assert.equal(faults[0].message, 'The chat is very busy right now. Please wait 5 seconds.');
  const forget = host.find('file-forget');
  assert.equal(forget.ariaLabel, 'Remove b.csv');
  forget.focus();
  forget.onclick();
  assert.equal(host.find('file-refused'), undefined);
  assert.equal(document.activeElement, host.attach);
  await refuse();
  drop(csv('c.csv'));
  assert.equal(host.find('file-refused'), undefined);
  await settle();
  assert.equal(requests.at(-1).body.get('file').name, 'c.csv');
});

test('an expired session is renewed once, silently, and its file is gone', async () => {
  area.show(taken);
  drop(csv());
  await settle();
  requests[0].answer(404, GONE);
  await settle();
  assert.equal(requests[1].body.get('sessionId'), 'renewed1');
  requests[1].answer(404, GONE);
  await settle();
  assert.equal(requests.length, 2);
  assert.equal(chip(), undefined);
  assert.equal(faults[0].message, 'Session not found.');
});

test('a session renewed by a question in the meantime is used', async () => {
  drop(csv());
  await settle();
  sessions.current = 's2';
  area.clear();
  requests[0].answer(404, GONE);
  await settle();
  assert.equal(sessions.renewed, 0);
  assert.equal(requests[1].body.get('sessionId'), 's2');
});

test('a cancelled upload leaves the earlier file, and nothing follows', async () => {
  area.show({ ...taken, rowCount: 2, columnCount: 1 });
  drop(csv('b.csv'));
  await settle();
  const cancel = host.find('file-cancel');
  cancel.focus();
  cancel.onclick();
  await settle();
  assert.equal(requests[0].aborted, true);
  assert.deepEqual([area.busy, facts(), faults], [false, '2 rows · 1 column', []]);
  assert.equal(said(), 'Upload cancelled');
  assert.equal(document.activeElement, host.attach);
});

test('cancelled before there is a session, nothing is sent', async () => {
  drop(csv());
  host.find('file-cancel').onclick();
  await settle();
  assert.deepEqual([requests, faults], [[], []]);
});

test('another file replaces the upload in progress', async () => {
  drop(csv('a.csv'));
  await settle();
  drop(csv('b.csv'));
  await settle();
  assert.equal(requests[0].aborted, true);
  requests[1].answer(200, { ...answer, fileName: 'b.csv' });
  await settle();
  assert.equal(chip().find('file-name').textContent, 'b.csv');
  assert.deepEqual(faults, []);
});

test('a file is removed on the server, then here', async () => {
  area.show(taken);
  const remove = host.find('file-remove');
  remove.focus();
  remove.onclick();
  await settle();
  assert.deepEqual([requests[0].method, requests[0].path], ['DELETE', '/sub/api/files/s1']);
  assert.ok(chip(), 'it stays until the server has removed it');
  requests[0].answer(500, null);
  await settle();
  assert.ok(chip());
  assert.match(faults[0].message, /went wrong with weather\.csv/);
  faults[0].retry();
  await settle();
  requests[1].answer(404, { error: 'This session has no file.', code: 'file_not_found' });
  await settle();
  assert.equal(chip(), undefined);
  assert.equal(said(), 'weather.csv was removed');
});

test('the hint shows while a file is dragged, and text is left alone', () => {
  const { hint } = host;
  assert.equal(hint.hidden, true);
  assert.equal(fire('dragover', { dataTransfer: carried([], ['text/plain']) }), false);
  assert.equal(hint.hidden, true);
  assert.equal(fire('dragenter', { dataTransfer: carried([]) }), true);
  assert.equal(hint.hidden, false);
  fire('dragleave', { dataTransfer: carried([]), target: {}, relatedTarget: {} });
  assert.equal(hint.hidden, false);
  fire('dragleave', { dataTransfer: carried([]), target: hint, relatedTarget: {} });
  assert.equal(hint.hidden, true);
  fire('dragover', { dataTransfer: carried([]) });
  drop();
  assert.equal(hint.hidden, true);
});

test('a pasted file is sent; cells of a spreadsheet stay text', async () => {
  const cells = carried([csv('image.png')], ['text/plain', 'Files']);
  assert.equal(fire('paste', { clipboardData: cells }), false);
  assert.equal(fire('paste', { clipboardData: carried([], ['text/plain']) }), false);
  assert.equal(fire('paste', { clipboardData: carried([csv()], ['text/plain', 'Files']) }), true);
  await settle();
  assert.equal(requests.length, 1);
  assert.deepEqual(faults, []);
});

test('all texts follow a change of language, those of an upload in progress too', async () => {
  area.show({ ...taken, rowCount: 1461, columnCount: 6 });
  await setLanguage('de');
  area.relabel();
  assert.equal(facts(), '1.461 Zeilen · 6 Spalten');
  assert.equal(host.find('file-remove').ariaLabel, 'weather.csv entfernen');
  assert.equal(host.attach.ariaLabel, 'CSV- oder JSON-Datei anhängen');
  drop(csv());
  await settle();
  requests[0].upload.onprogress({ loaded: 1, total: 2 });
  await setLanguage('fr');
  area.relabel();
  assert.match(host.find('file-name').textContent, /^Envoi de weather\.csv… 50\s%$/u);
  requests[0].upload.onload();
  assert.equal(host.find('file-name').textContent, 'Lecture de weather.csv…');
});

test('notes on how the file was read are shown and announced as text', async () => {
  drop(csv());
  await settle();
  requests[0].answer(200, { ...answer, notes: ['2 lines were <b>passed</b> over.'] });
  await settle();
  const note = chip().find('file-notes');
  assert.equal(note.textContent, '2 lines were <b>passed</b> over.');
  assert.deepEqual([note.tag, note.lang], ['p', 'en']);
  assert.equal(
    said(),
    'weather.csv: 1,461 rows · 6 columns. 2 lines were <b>passed</b> over.',
  );
  area.show({ ...taken, notes: ['First.', 'Second.', 'Third.'] });
  const notes = chip().find('file-notes');
  assert.equal(notes.tag, 'details');
  assert.deepEqual(notes.children.map(({ textContent }) => textContent), ['First.', 'Second.', 'Third.']);
  area.show({ ...taken, notes: [] });
  assert.equal(chip().find('file-notes'), undefined);
});
