// Rules that the files themselves must keep: CSP, sizes, addresses.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

const root = new URL('../../assets/', import.meta.url).pathname;
const files = readdirSync(root, { recursive: true })
  .map(String)
  .filter((name) => statSync(join(root, name)).isFile());
const read = (name) => readFileSync(join(root, name), 'utf8');
const gzipped = (name) => gzipSync(read(name)).length;
const byExtension = (extension) => files.filter((name) => extname(name) === extension);
const html = ['index.html', join('widget', 'chatbot.html')];

test('pages have nothing inline, and name only files that are there', () => {
  const served = new Set(['/', '/docs', '/openapi.json', '/health', '/embed.js']);
  for (const name of html) {
    const page = read(name);
    assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    for (const [, attributes, body] of page.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
      assert.match(attributes, /\ssrc="/, name);
      assert.equal(body, '', name);
    }
    for (const [, address] of page.matchAll(/\s(?:src|href)="([^"]*)"/g)) {
      assert.match(address, /^\//, `${name}: ${address}`);
      assert.ok(served.has(address) || existsSync(join(root, address)), `${name}: ${address}`);
    }
  }
});

test('scripts write no HTML, run no text and talk to no wildcard', () => {
  for (const name of byExtension('.js')) {
    const script = read(name);
    assert.doesNotMatch(
      script,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      name,
    );
    assert.doesNotMatch(script, /postMessage\([^;]*['"]\*['"]/, name);
    assert.match(script, /^\/\/ @ts-check/, name);
  }
});

test('every module of the window is asked for at once', () => {
  const page = read(join('widget', 'chatbot.html'));
  const modules = files.filter(
    (name) => name.startsWith(join('static', 'widget')) && extname(name) === '.js',
  );
  for (const name of modules) {
    const address = `/static/widget/${basename(name)}`;
    const asked =
      basename(name) === 'chatbot.js'
        ? `src="${address}"`
        : `rel="modulepreload" href="${address}"`;
    assert.ok(page.includes(asked), address);
  }
});

test('the window keeps the element ids of the earlier widget', () => {
  const page = read(join('widget', 'chatbot.html'));
  const ids =
    'chatbot-container messages-list messages-container message-input send-btn minimize-btn bot-status bot-name typing-indicator connection-status error-modal powered-by floating-icon welcome-time';
  for (const id of ids.split(' ')) assert.equal(page.split(`id="${id}"`).length, 2, id);
});

test('the loader stays under 5 KB gzipped, everything that a visitor loads under 25 KB', () => {
  assert.ok(gzipped('embed.js') <= 5 * 1024, `embed.js: ${gzipped('embed.js')}`);
  const loaded = files.filter(
    (name) => name !== 'index.html' && !name.startsWith(join('static', 'demo')),
  );
  const total = loaded.reduce((sum, name) => sum + gzipped(name), 0);
  assert.ok(total <= 25 * 1024, `all: ${total}`);
});
