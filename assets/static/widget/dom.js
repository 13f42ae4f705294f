// @ts-check
// Elements and their texts. `data-text` and `data-label` hold the key of an element's text or label, so
// that all of them can be updated when the language changes.

import { language, number, t } from './strings.js';

/** @typedef {import('./strings.js').StringKey} StringKey */

/** The bot's name, `{name}` in any string. */
export const bot = { name: '' };

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return /** @type {T} */ (found);
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(Node | string)} children
 */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/**
 * An element with the string `key` as its text.
 * @param {string} tag
 * @param {string} className
 * @param {StringKey} key
 * @param {number} [count] for `{count}` in it
 */
export function worded(tag, className, key, count) {
  const made = element(tag, className);
  if (count !== undefined) made.dataset.count = String(count);
  say(made, key);
  return made;
}

/** Sets an element's text. @param {HTMLElement} target @param {StringKey} [key] none empties it */
export function say(target, key) {
  target.dataset.text = key ?? '';
  target.textContent = key ? wordsOf(target, key) : '';
}

/** @param {string} className @param {StringKey} key @param {() => void} action */
export function button(className, key, action) {
  const made = /** @type {HTMLButtonElement} */ (worded('button', className, key));
  made.type = 'button';
  made.addEventListener('click', action);
  return made;
}

/**
 * Disables a button for some seconds. Its countdown is hidden from screen readers, which would read
 * out every second of it inside a live region.
 * @param {HTMLButtonElement} target
 * @param {number} seconds 0 enables it
 * @param {() => void} [onEnd] called when the time is up
 * @returns {() => void} enables the button early, without calling `onEnd`
 */
export function disableFor(target, seconds, onEnd = () => {}) {
  const until = Date.now() + seconds * 1000;
  const countdown = element('span', 'countdown');
  countdown.setAttribute('aria-hidden', 'true');
  let timer = 0;
  const end = () => {
    clearTimeout(timer);
    countdown.remove();
    target.disabled = false;
  };
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    countdown.textContent = `(${number(left)})`;
    if (left > 0) timer = setTimeout(tick, 1000);
    else {
      end();
      onEnd();
    }
  };
  target.disabled = seconds > 0;
  if (target.disabled) {
    target.append(countdown);
    tick();
  }
  return end;
}

/** @param {string | number} [at] @param {any} [time] the `<time>` to show it in */
export function timeElement(at = Date.now(), time = document.createElement('time')) {
  const date = new Date(at);
  if (!Number.isNaN(date.getTime())) time.dateTime = date.toISOString();
  showTime(time);
  return time;
}

/** Updates all texts and labels to the current language. */
export function relabel() {
  const { tag, dir } = language();
  Object.assign(document.documentElement, { lang: tag, dir });
  for (const target of /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll('[data-text], [data-label]')
  )) {
    const { text, label } = /** @type {Record<string, StringKey>} */ (target.dataset);
    if (text) target.textContent = wordsOf(target, text);
    if (!label) continue;
    const words = wordsOf(target, label);
    target.setAttribute('aria-label', words);
    if (target instanceof HTMLButtonElement) target.title = words;
  }
  for (const time of document.querySelectorAll('time')) showTime(time);
}

/** @param {HTMLElement} target @param {StringKey} key */
function wordsOf({ dataset: { count } }, key) {
  return t(key, count ? { count: Number(count) } : bot);
}

/** @param {any} time */
function showTime(time) {
  if (!time.dateTime) return;
  const date = new Date(time.dateTime);
  const today = date.toDateString() === new Date().toDateString();
  time.textContent = new Intl.DateTimeFormat(language().tag, {
    ...(!today && { dateStyle: 'medium' }),
    timeStyle: 'short',
  }).format(date);
}
