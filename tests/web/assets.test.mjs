// Rules for the files themselves: CSP, addresses.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import test from 'node:test';

const root = new URL('../../assets/', import.meta.url).pathname;
const files = readdirSync(root, { recursive: true })
  .map(String)
  .filter((name) => statSync(join(root, name)).isFile());
const read = (name) => readFileSync(join(root, name), 'utf8');
const byExtension = (extension) => files.filter((name) => extname(name) === extension);
const html = byExtension('.html');

test('pages have nothing inline and refer only to files that exist', () => {
  const served = new Set(['/readme', '/guide', '/', '/demo/inline', '/docs', '/openapi.json', '/health', '/embed.js']);
  for (const name of html) {
    const page = read(name);
    assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    for (const [, attributes, body] of page.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
      assert.match(attributes, /\ssrc="/, name);
      assert.equal(body, '', name);
    }
    // What follows # is a place in the page; tests/api looks for it.
    for (const [, address] of page.matchAll(/\s(?:src|href)="([^"#]*)(?:#[^"]*)?"/g)) {
      assert.match(address, /^\//, `${name}: ${address}`);
      assert.ok(served.has(address) || existsSync(join(root, address)), `${name}: ${address}`);
    }
  }
});

test('scripts write no HTML, evaluate no text and post to no wildcard origin', () => {
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

test('the window keeps the element ids of the earlier widget', () => {
  const page = read(join('widget', 'chatbot.html'));
  const ids =
    'chatbot-container messages-list messages-container message-input send-btn minimize-btn bot-status bot-name typing-indicator connection-status error-modal powered-by floating-icon welcome-time';
  for (const id of ids.split(' ')) assert.equal(page.split(`id="${id}"`).length, 2, id);
});
