import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { dataLine, fillBubble, GrowingAnswer } from '../../assets/static/widget/answer.js';

const textNode = (text) => Object.assign(new FakeElement('#text'), { textContent: text });

/** The part of an element that messages use. */
class FakeElement {
  attributes = {};
  dataset = {};
  classes = new Set();
  children = [];
  className = '';
  textContent = '';
  classList = {
    add: (name) => this.classes.add(name),
    toggle: (name, on) => (on ? this.classes.add(name) : this.classes.delete(name)),
  };
  constructor(tag) {
    this.localName = tag;
  }
  addEventListener() {}
  get childNodes() {
    return this.children;
  }
  append(...nodes) {
    nodes = nodes.map((node) => (typeof node === 'string' ? textNode(node) : node));
    for (const node of nodes) (node.parent?.remove(node), (node.parent = this));
    this.children.push(...nodes);
  }
  remove(node) {
    if (!node) return this.parent?.remove(this);
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

/** What the parser returns for a text, by type: a body with these tags, or a root with these inside. */
const parsed = [];
const of = (...tags) => tags.map((tag) => new FakeElement(tag));
before(() => {
  globalThis.document = { createElement: (tag) => new FakeElement(tag) };
  globalThis.DOMParser = class {
    parseFromString(text, type) {
      parsed.push([type, text]);
      if (type === 'text/html') {
        const body = new FakeElement('body');
        body.append(...of(...text.split(' ').filter(Boolean)));
        return { body };
      }
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
  fillBubble(bubble, { role: 'assistant', content: 'the text', ...message });
  return bubble;
};

test('a message without HTML shows its text, and nothing is parsed', () => {
  parsed.length = 0;
  for (const html of [undefined, '']) {
    const bubble = filled({ html, content: '<b>1 < 2</b>' });
    assert.equal(bubble.textContent, '<b>1 < 2</b>');
    assert.deepEqual([...bubble.classes], []);
    assert.deepEqual(bubble.children, []);
  }
  assert.deepEqual(parsed, []);
});

test('HTML replaces the text; wide elements scroll in boxes that the keyboard can reach', () => {
  const bubble = filled({ html: 'p table pre' });
  assert.deepEqual([...bubble.classes], ['rich']);
  assert.deepEqual(names(bubble), ['p', 'div', 'div']);
  const [p, box, code] = bubble.children;
  assert.deepEqual(names(box), ['table']);
  assert.equal(box.attributes.tabindex, '0');
  assert.equal(p.attributes.tabindex, undefined);
  assert.equal(code.className, 'code');
  assert.deepEqual(names(code), ['button', 'pre']);
  const [button, pre] = code.children;
  assert.deepEqual([button.className, button.textContent], ['copy-code', 'Copy code']);
  assert.equal(pre.attributes.tabindex, '0');
});

test('a growing answer keeps the elements of its finished blocks', () => {
  const bubble = new FakeElement('div');
  const answer = new GrowingAnswer();
  answer.add(undefined, 'p');
  answer.show(bubble);
  assert.deepEqual([names(bubble), names(bubble.children[0])], [['div'], ['p']]);
  answer.add('p ', 'ul');
  answer.show(bubble);
  const [first] = bubble.children;
  answer.add('ul ', '');
  answer.show(bubble);
  assert.deepEqual(names(bubble), ['p', 'ul']);
  // It is told once more, after a broken connection.
  answer.restart();
  answer.add('p ul ', 'p');
  answer.show(bubble);
  assert.deepEqual(names(bubble), ['p', 'ul', 'div']);
  fillBubble(bubble, { role: 'assistant', content: 'the text', html: 'p ul p' }, answer);
  assert.deepEqual(names(bubble), ['p', 'ul', 'p']);
  assert.equal(bubble.children[0], first);
  // A late definition made a block another one.
  fillBubble(bubble, { role: 'assistant', content: 'the text', html: 'ol p' }, answer);
  assert.deepEqual(names(bubble), ['ol', 'p']);
});

test('a chart follows the text as an image with its description', () => {
  const bubble = filled({ html: 'p', chart: { svg: 'svg rect', alt: 'Bars: 1, 2.' } });
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

test('a chart that is not an image is left out', () => {
  for (const svg of ['html body', 'parsererror', 'svg rect parsererror'])
    assert.deepEqual(names(filled({ html: 'p', chart: { svg, alt: '' } })), ['p'], svg);
});

/** The element's name, class and text, and its children's. */
const outline = ({ localName, className, textContent, children }) => [
  localName,
  className,
  children.length ? children.map(outline) : textContent,
];

test('the SQL behind an answer is shown as text, with the number of rows', () => {
  const tools = [
    { name: 'query_data', sql: 'SELECT x', status: 'failed' },
    { name: 'query_data', sql: "SELECT '<b>'", status: 'done', rowCount: 1, tableRows: 1461 },
    { name: 'query_data', sql: 'SELECT 2', status: 'done', tableRows: 1461 },
    { name: 'other', status: 'done' },
  ];
  const query = (text) => ['pre', '', [['#text', '', text]]];
  assert.deepEqual(dataLine({ tools }).map(outline), [
    [
      'details',
      '',
      [
        ['summary', 'computed', 'Calculated from all 1,461 rows'],
        query("SELECT '<b>'"),
        query('SELECT 2'),
      ],
    ],
  ]);
});

test('an answer without SQL shows no such line; one row is singular', () => {
  assert.deepEqual(dataLine({}), []);
  assert.deepEqual(dataLine({ tools: [{ sql: 'SELECT x', status: 'failed' }] }), []);
  const line = (tableRows) =>
    dataLine({ tools: [{ sql: 'SELECT 1', status: 'done', tableRows }] })[0].children[0];
  assert.equal(line(1).textContent, 'Calculated from 1 row');
  assert.equal(line(undefined).textContent, 'Calculated with SQL');
});
