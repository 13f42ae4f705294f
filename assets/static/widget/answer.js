// @ts-check
// What a message shows: text or HTML, code to copy, a chart, and the data that it comes from.

import { button, element, say, worded } from './dom.js';

const COPIED_MS = 2000;

/** @typedef {import('./api.js').Message} Message */

/** @param {string} text @param {DOMParserSupportedType} type */
const parse = (text, type) => new DOMParser().parseFromString(text, type);

/**
 * Shows a message's text, HTML and chart in `bubble`. The server has made the HTML safe; it is parsed
 * apart from the page, where nothing of it runs.
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
    // What scrolls can be scrolled by key.
    (wide.localName === 'pre' ? wide : box).setAttribute('tabindex', '0');
    if (box.className)
      box.append(copyButton('copy-code', 'copyCode', () => (wide.textContent ?? '').trimEnd()));
    box.append(wide);
  }
  const svg = chart && parse(chart.svg, 'image/svg+xml').documentElement;
  // Chromium puts its report of a broken document inside the root.
  if (svg?.localName === 'svg' && !svg.querySelector('parsererror')) {
    svg.setAttribute('class', 'chart');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', chart?.alt ?? '');
    bubble.append(svg);
  }
}

/**
 * Over how much data an answer was computed, with the SQL to unfold.
 * @param {Message} message
 * @returns {HTMLElement[]} none when it was not
 */
export function dataLine({ tools = [] }) {
  const ran = tools.filter(({ sql, status }) => sql && status === 'done');
  if (!ran.length) return [];
  const rows = ran[0].tableRows; // One file, so the same for all.
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
    // Over plain http, and in a frame that may not.
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
