import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { fillBubble } from '../../assets/static/widget/view.js';

/** As much of an element as messages use. */
class FakeElement {
  attributes = {};
  classes = new Set();
  children = [];
  className = '';
  textContent = '';
  classList = {
    toggle: (name, on) => (on ? this.classes.add(name) : this.classes.delete(name)),
  };
  constructor(tag) {
    this.localName = tag;
  }
  append(...nodes) {
    for (const node of nodes) (node.parent?.remove(node), (node.parent = this));
    this.children.push(...nodes);
  }
  remove(node) {
    this.children = this.children.filter((child) => child !== node);
  }
  replaceChildren(...nodes) {
    this.children = [];
    this.append(...nodes);
  }
  replaceWith(node) {
    const { parent } = this;
    parent.children[parent.children.indexOf(this)] = node;
    node.parent = parent;
    this.parent = undefined;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  querySelectorAll(selector) {
    const tags = selector.split(', ');
    return this.children.flatMap((child) => [
      ...(tags.includes(child.localName) ? [child] : []),
      ...child.querySelectorAll(selector),
    ]);
  }
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }
}

/** What the parser makes of a text, by type: a body of these tags, or a root with these inside. */
const parsed = [];
const of = (...tags) => tags.map((tag) => new FakeElement(tag));
before(() => {
  globalThis.document = { createElement: (tag) => new FakeElement(tag) };
  globalThis.DOMParser = class {
    parseFromString(text, type) {
      parsed.push([type, text]);
      if (type === 'text/html') return { body: { childNodes: of(...text.split(' ')) } };
      const [root, ...inner] = of(...text.split(' '));
      root.append(...inner);
      return { documentElement: root };
    }
  };
});
after(() => {
  delete globalThis.document;
  delete globalThis.DOMParser;
});

const names = (node) => node.children.map((child) => child.localName);
const filled = (message) => {
  const bubble = new FakeElement('div');
  const below = fillBubble(bubble, { role: 'assistant', content: 'the text', ...message });
  return { bubble, below };
};

test('a message without HTML is its text, and nothing is parsed', () => {
  parsed.length = 0;
  for (const html of [undefined, '']) {
    const { bubble, below } = filled({ html, content: '<b>1 < 2</b>' });
    assert.equal(bubble.textContent, '<b>1 < 2</b>');
    assert.deepEqual([...bubble.classes], []);
    assert.deepEqual([bubble.children, below], [[], []]);
  }
  assert.deepEqual(parsed, []);
});

test('HTML is shown in place of the text; tables and code scroll in boxes that keys reach', () => {
  const { bubble } = filled({ html: 'p table pre' });
  assert.deepEqual([...bubble.classes], ['rich']);
  assert.deepEqual(names(bubble), ['p', 'div', 'pre']);
  const [p, box, pre] = bubble.children;
  assert.deepEqual(names(box), ['table']);
  assert.equal(p.attributes.tabindex, undefined);
  assert.equal(box.attributes.tabindex, '0');
  assert.equal(pre.attributes.tabindex, '0');
});

test('a chart follows the words as a picture with its description', () => {
  const { bubble } = filled({ html: 'p', chart: { svg: 'svg rect', alt: 'Bars: 1, 2.' } });
  assert.deepEqual(names(bubble), ['p', 'svg']);
  assert.deepEqual(bubble.children[1].attributes, {
    class: 'chart',
    role: 'img',
    'aria-label': 'Bars: 1, 2.',
  });
  assert.deepEqual(
    parsed.slice(-2).map(([type]) => type),
    ['text/html', 'image/svg+xml'],
  );
});

test('a chart that is no picture is left out', () => {
  for (const svg of ['html body', 'parsererror', 'svg rect parsererror'])
    assert.deepEqual(names(filled({ html: 'p', chart: { svg, alt: '' } }).bubble), ['p'], svg);
});

test('the SQL that an answer comes from is told as text, without what failed', () => {
  const { below } = filled({
    tools: [
      { name: 'query_data', sql: 'SELECT x', status: 'failed' },
      { name: 'query_data', sql: "SELECT '<b>'", status: 'done', rowCount: 1, elapsedMs: 0.7 },
      { name: 'other', status: 'done' },
    ],
  });
  assert.deepEqual(
    below.map((node) => node.localName),
    ['details'],
  );
  assert.deepEqual(
    below[0].children.map(({ localName, textContent }) => [localName, textContent]),
    [
      ['summary', 'Computed with SQL'],
      ['pre', "SELECT '<b>'"],
    ],
  );
  assert.deepEqual(filled({ tools: [{ sql: 'SELECT x', status: 'failed' }] }).below, []);
});
