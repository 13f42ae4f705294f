// @ts-check
// The contents of a message: text or HTML, code to copy, a chart, and the data behind the answer.

import { button, element, say, worded } from './dom.js';

const COPIED_MS = 2000;

/** @typedef {import('./api.js').Message} Message */

/** @param {string} text @param {DOMParserSupportedType} type */
const parse = (text, type) => new DOMParser().parseFromString(text, type);

/**
 * Shows a message's text, HTML and chart in `bubble`. The server has sanitised the HTML; it is parsed
 * in a separate document, where no script runs.
 * @param {HTMLElement} bubble
 * @param {Message} message
 */
export function fillBubble(bubble, { content, html, chart }) {
  bubble.classList.toggle('rich', Boolean(html));
  if (html) bubble.replaceChildren(...parse(html, 'text/html').body.childNodes);
  else bubble.textContent = content;
  for (const wide of bubble.querySelectorAll('table, pre')) {
    const box = element('div', wide.localName === 'pre' ? 'code' : '');
    wide.replaceWith(box);
    // Makes the scrollable element scrollable by keyboard.
    (wide.localName === 'pre' ? wide : box).setAttribute('tabindex', '0');
    if (box.className)
      box.append(copyButton('copy-code', 'copyCode', () => (wide.textContent ?? '').trimEnd()));
    box.append(wide);
  }
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
