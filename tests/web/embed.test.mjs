// What of the loader can be told without a browser; what it does is in tests/browser.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { runInNewContext } from 'node:vm';
import { EN } from '../../assets/static/widget/strings.js';

const assets = new URL('../../assets/', import.meta.url);
const code = readFileSync(new URL('embed.js', assets), 'utf8');
const languages = new URL('static/widget/lang/', assets);

test('the launcher and the window say the same in every language', async () => {
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

test('a second tag leaves the first one’s widget alone', () => {
  const first = { open() {} };
  const document = { currentScript: { src: 'https://chat.example/embed.js', dataset: {} } };
  const window = { document, ChatbotWidget: first };
  runInNewContext(code, { window, document });
  assert.equal(window.ChatbotWidget, first);
});
