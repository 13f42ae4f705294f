// @ts-check
// The contents of a message: text or HTML, code to copy, a chart, and the data behind the answer.

import { button, element, say, worded } from './dom.js';

const COPIED_MS = 2000;

/** @typedef {import('./api.js').Message} Message */

/** @param {string} text @param {DOMParserSupportedType} type */
const parse = (text, type) => new DOMParser().parseFromString(text, type);

/**
 * Elements of HTML that the server has sanitised. It is parsed in a separate document, where no script
 * runs. Tables and code can be scrolled, code can be copied.
 * @param {string} html
 * @returns {ChildNode[]}
 */
function elements(html) {
  const { body } = parse(html, 'text/html');
  for (const wide of body.querySelectorAll('table, pre')) {
    const box = element('div', wide.localName === 'pre' ? 'code' : '');
    wide.replaceWith(box);
    // Makes the scrollable element scrollable by keyboard.
    (wide.localName === 'pre' ? wide : box).setAttribute('tabindex', '0');
    if (box.className)
      box.append(copyButton('copy-code', 'copyCode', () => (wide.textContent ?? '').trimEnd()));
    box.append(wide);
  }
  return [...body.childNodes];
}

/** An answer that is being written: its finished blocks, and the open one. */
export class GrowingAnswer {
  #blocks = '';
  #tail = '';
  /** The HTML of the blocks that are shown. */
  #shown = '';
  #open = element('div', 'tail');

  get isEmpty() {
    return !this.#blocks && !this.#tail;
  }

  /** It comes again from its start. What is shown stays. */
  restart() {
    this.#blocks = this.#tail = '';
  }

  /** @param {string} [html] more finished blocks @param {string} [tail] the open block */
  add(html = '', tail = this.#tail) {
    this.#blocks += html;
    this.#tail = tail;
  }

  /** @param {HTMLElement} bubble */
  show(bubble) {
    bubble.classList.add('rich');
    this.#append(bubble, this.#blocks);
    this.#open.replaceChildren(...elements(this.#tail));
    if (this.#tail) bubble.append(this.#open);
    else this.#open.remove();
  }

  /** Shows the whole answer; elements that are shown already stay. @param {HTMLElement} bubble @param {string} html */
  complete(bubble, html) {
    this.#open.remove();
    this.#append(bubble, html);
  }

  /** @param {HTMLElement} bubble @param {string} html */
  #append(bubble, html) {
    if (!html.startsWith(this.#shown) || !this.#shown) {
      bubble.replaceChildren();
      this.#shown = '';
    }
    this.#open.remove();
    bubble.append(...elements(html.slice(this.#shown.length)));
    this.#shown = html;
  }
}

/**
 * Shows a message's text, HTML and chart in `bubble`.
 * @param {HTMLElement} bubble
 * @param {Message} message
 * @param {GrowingAnswer} [shown] what of it `bubble` shows
 */
export function fillBubble(bubble, { content, html, chart }, shown = new GrowingAnswer()) {
  bubble.classList.toggle('rich', Boolean(html));
  if (html) shown.complete(bubble, html);
  else bubble.textContent = content;
  const svg = chart && parse(chart.svg, 'image/svg+xml').documentElement;
  // Chromium reports a parse error inside the root element.
  if (svg?.localName === 'svg' && !svg.querySelector('parsererror')) {
    svg.setAttribute('class', 'chart');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', chart?.alt ?? '');
    bubble.append(svg);
  }
}

/**
 * How many rows an answer was calculated from, with the SQL to unfold.
 * @param {Message} message
 * @returns {HTMLElement[]} empty if it was not
 */
export function dataLine({ tools = [] }) {
  const ran = tools.filter(({ sql, status }) => sql && status === 'done');
  if (!ran.length) return [];
  const rows = ran[0].tableRows; // There is one file, so it is the same for all.
  const line =
    rows === undefined
      ? worded('summary', 'computed', 'sql')
      : worded('summary', 'computed', 'sqlRows', rows);
  return [element('details', '', line, ...ran.map(({ sql = '' }) => element('pre', '', sql)))];
}

/**
 * @param {string} className
 * @param {'copy' | 'copyCode'} key
 * @param {() => string} text
 */
export function copyButton(className, key, text) {
  const made = button(className, key, async () => {
    if (!(await copy(text()))) return;
    say(made, 'copied');
    setTimeout(() => say(made, key), COPIED_MS);
  });
  made.setAttribute('aria-live', 'polite');
  return made;
}

/** @param {string} text @returns {Promise<boolean>} */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain HTTP, or a frame without permission.
    const box = document.createElement('textarea');
    const { activeElement } = document;
    box.className = 'sr-only';
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    if (activeElement instanceof HTMLElement) activeElement.focus();
    return done;
  }
}
