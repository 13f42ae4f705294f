// What can be tested of the loader without a browser; the rest is in tests/browser.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { runInNewContext } from 'node:vm';
import { EN } from '../../assets/static/widget/strings.js';

const assets = new URL('../../assets/', import.meta.url);
const code = readFileSync(new URL('embed.js', assets), 'utf8');
const languages = new URL('static/widget/lang/', assets);

test('the launcher and the window use the same words in every language', async () => {
  const tables = { en: EN };
  for (const name of readdirSync(languages))
    tables[name.replace('.js', '')] = (await import(new URL(name, languages))).default;
  const text = String.raw`\s*'([^']*)',?`;
  const words = [
    ...code.matchAll(new RegExp(String.raw`^ {4}(\w\w): \[${text.repeat(4)}\s*\]`, 'gm')),
  ];
  assert.deepEqual(words.map(([, tag]) => tag).sort(), Object.keys(tables).sort());
  for (const [, tag, open, close, error, retry] of words) {
    const table = tables[tag];
    assert.deepEqual([open, close, retry], [table.open, table.close, table.tryAgain], tag);
    assert.ok(table.errorUnreachable.startsWith(error), tag);
  }
});

/**
 * Runs the loader on a page with this `window`, before the `load` event.
 * @returns the warnings on the console
 */
function load(window) {
  const warnings = [];
  const element = () => ({
    setAttribute() {},
    attachShadow: () => ({}),
    remove() {},
    classList: { add() {}, toggle() {} },
    style: {},
  });
  const document = {
    currentScript: { src: 'https://chat.example/embed.js', dataset: {} },
    createElement: element,
    documentElement: { lang: 'en' },
    readyState: 'loading',
  };
  Object.assign(window, { document, addEventListener() {} });
  runInNewContext(code, {
    window,
    document,
    URL,
    AbortController,
    clearTimeout,
    navigator: { language: 'en' },
    matchMedia: () => ({ matches: false, media: '' }),
    getComputedStyle: () => ({ getPropertyValue: () => '' }),
    MutationObserver: class {
      disconnect() {}
    },
    console: { warn: (...words) => warnings.push(words.join(' ')) },
  });
  return warnings;
}

test('a second tag leaves the first one’s widget alone', () => {
  const first = { open() {} };
  const window = { ChatbotWidget: first };
  assert.deepEqual(load(window), []);
  assert.equal(window.ChatbotWidget, first);
});

test('an element named ChatbotWidget does not keep the chat from loading', () => {
  // Browsers put named elements and frames on an object in the prototype chain of `window`.
  const form = { tagName: 'FORM' };
  const frame = { open() {} };
  for (const named of [form, frame]) {
    const window = Object.create({ ChatbotWidget: named });
    const warnings = load(window);
    assert.equal(typeof window.ChatbotWidget.toggle, 'function');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /ChatbotWidget/);
  }
});

test('anything else with our name is replaced, and the console says so', () => {
  for (const other of [{ name: 'theirs' }, true, 'text', { open: 'yes' }]) {
    const window = { ChatbotWidget: other };
    assert.equal(load(window).length, 1);
    assert.equal(typeof window.ChatbotWidget.toggle, 'function');
  }
  for (const nothing of [undefined, null, 0, '']) {
    const window = { ChatbotWidget: nothing };
    assert.deepEqual(load(window), []);
    assert.equal(typeof window.ChatbotWidget.toggle, 'function');
  }
});

test('calls that do not name a method are reported, and the others still run', () => {
  const odd = [['__proto__'], ['constructor'], ['toString'], ['nothing'], [], 'open', null, {}, 7];
  const early = { ChatbotWidget: [...odd, ['destroy']] };
  assert.equal(load(early).length, odd.length);
  assert.equal('ChatbotWidget' in early, false, 'destroyed');
  const late = {};
  load(late);
  late.ChatbotWidget.push(...odd, ['destroy']);
  assert.equal('ChatbotWidget' in late, false, 'destroyed');
});
