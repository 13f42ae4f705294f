// @ts-check
// The window's elements: what they show, and what visitors do with them. No logic of the chat.

import { t } from './strings.js';

/** @typedef {import('./api.js').Message} Message */

/** Statuses that a message shows in words. @type {Record<string, import('./strings.js').StringKey>} */
const NOTES = {
  unanswered: 'unanswered',
  incomplete: 'incomplete',
  stopped: 'stopped',
  truncated: 'truncated',
};

/** A new message is scrolled to by those who are this near to the end. */
const NEAR_END_PX = 120;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return /** @type {T} */ (found);
}

export class View {
  #container = byId('chatbot-container');
  #scroller = byId('messages-container');
  #list = byId('messages-list');
  #notice = byId('error-modal');
  /** @type {HTMLTextAreaElement} */
  #input = byId('message-input');
  /** @type {HTMLButtonElement} */
  #sendButton = byId('send-btn');
  #floating = byId('floating-icon');
  #botName = '';
  #busy = false;
  /** @type {(() => void) | null} */
  #noticeAction = null;

  /** @param {{ send(text: string): void } & Record<'startAnew' | 'minimize' | 'maximize', () => void>} actions */
  constructor(actions) {
    label('messages-container', t('conversation'));
    label('message-input', t('input'));
    label('send-btn', t('send'));
    label('minimize-btn', t('close'));
    label('reset-btn', t('startAnew'));
    label('floating-icon', t('open'));
    this.#input.placeholder = t('placeholder');
    byId('notice-dismiss').textContent = t('dismiss');
    showTime(byId('welcome-time'));

    const submit = () => {
      const text = this.#input.value.trim();
      if (!text || this.#busy) return;
      this.#input.value = '';
      this.#fit();
      actions.send(text);
    };
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      submit();
    });
    this.#input.addEventListener('input', () => this.#fit());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method composes, Enter is its own: 229 is how Safari tells.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229)
        return;
      event.preventDefault();
      submit();
    });
    byId('reset-btn').addEventListener('click', actions.startAnew);
    byId('minimize-btn').addEventListener('click', actions.minimize);
    this.#floating.addEventListener('click', actions.maximize);
    byId('notice-action').addEventListener('click', () => {
      const action = this.#noticeAction;
      this.hideNotice();
      action?.();
      this.focus();
    });
    byId('notice-dismiss').addEventListener('click', () => {
      this.hideNotice();
      this.focus();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.isComposing) actions.minimize();
    });
  }

  /** @param {import('./config.js').Display} display */
  configure(display) {
    this.#botName = display.botName;
    document.title = display.botName;
    byId('bot-name').textContent = display.botName;
    byId('welcome-text').textContent = display.greeting || t('greeting', { name: display.botName });
    byId('powered-by').textContent = display.poweredBy
      ? t('poweredBy', { name: display.poweredBy })
      : '';
    const icon = /** @type {HTMLImageElement} */ (byId('bot-icon'));
    if (icon.getAttribute('src') === display.botIcon) return;
    icon.hidden = true;
    icon.onload = () => (icon.hidden = false);
    if (display.botIcon) icon.src = display.botIcon;
    else icon.removeAttribute('src');
  }

  show() {
    this.#container.hidden = false;
    this.#floating.hidden = true;
  }

  /** Leaves only the round button. */
  fold() {
    this.#container.hidden = true;
    this.#floating.hidden = false;
    this.#floating.focus();
  }

  /** @param {boolean} possible */
  allowMinimize(possible) {
    byId('minimize-btn').hidden = !possible;
  }

  /** Focuses the box, unless that would raise a keyboard. */
  focus() {
    const touch = matchMedia('(pointer: coarse)').matches;
    (touch ? this.#container : this.#input).focus({ preventScroll: true });
  }

  /** @param {string} text put before what has been typed since */
  giveBack(text) {
    this.#input.value = [text, this.#input.value].filter((part) => part.trim()).join('\n');
    this.#fit();
  }

  /**
   * @param {Message} message
   * @returns {HTMLElement} the message's element
   */
  add(message) {
    const mine = message.role === 'user';
    const near =
      this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight <
      NEAR_END_PX;
    const item = element('div', `message ${mine ? 'user' : 'bot'}`);
    const bubble = element('div', 'bubble');
    bubble.dir = 'auto';
    const below = fillBubble(bubble, message);
    const meta = element('p', 'meta');
    const time = document.createElement('time');
    showTime(time, message.timestamp);
    meta.append(time);
    item.append(
      element('span', 'sr-only', `${mine ? t('you') : this.#botName}: `),
      bubble,
      ...below,
      meta,
    );
    this.#list.append(item);
    this.mark(item, message.status ?? '');
    if (mine || near) this.#scrollTo(item);
    return item;
  }

  /** @param {HTMLElement} item @param {string} status of a message */
  mark(item, status) {
    item.classList.toggle('failed', status === 'unanswered');
    item.querySelector('.note')?.remove();
    if (Object.hasOwn(NOTES, status))
      item.querySelector('.meta')?.append(element('span', 'note', t(NOTES[status])));
  }

  get isEmpty() {
    return this.#list.childElementCount === 0;
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.#busy = busy;
    byId('typing-bubble').hidden = !busy;
    byId('typing-words').textContent = busy ? t('typing', { name: this.#botName }) : '';
    this.#container.setAttribute('aria-busy', String(busy));
    if (busy) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#showStatus();
    this.#fit();
  }

  showConnection() {
    byId('connection-status').textContent = navigator.onLine ? '' : t('offlineBar');
    this.#showStatus();
  }

  /**
   * Says something above the box, with at most one thing to do about it.
   * @param {{ text: string, tone: 'error' | 'question', action?: string, dismiss?: string, onAction?: () => void }} notice
   */
  notice({ text, tone, action = '', dismiss = t('dismiss'), onAction }) {
    this.#notice.dataset.tone = tone;
    byId('notice-text').textContent = text;
    byId('notice-action').textContent = action;
    byId('notice-action').hidden = !onAction;
    byId('notice-dismiss').textContent = dismiss;
    this.#noticeAction = onAction ?? null;
    this.#notice.hidden = false;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  hideNotice() {
    this.#notice.hidden = true;
    this.#noticeAction = null;
  }

  #showStatus() {
    const status = byId('bot-status');
    status.dataset.state = navigator.onLine ? 'online' : 'offline';
    status.textContent = t(!navigator.onLine ? 'offline' : this.#busy ? 'writing' : 'online');
  }

  /** The box grows with its text. */
  #fit() {
    this.#sendButton.disabled = this.#busy || !this.#input.value.trim();
    this.#input.style.setProperty('height', 'auto');
    this.#input.style.setProperty('height', `${this.#input.scrollHeight}px`);
  }

  /** To the beginning of the last message, or to its end if all of it fits. @param {HTMLElement} item */
  #scrollTo(item) {
    this.#scroller.scrollTop = item.offsetTop - this.#scroller.offsetTop - 16;
  }
}

/** @param {string} text @param {DOMParserSupportedType} type */
const parse = (text, type) => new DOMParser().parseFromString(text, type);

/**
 * Shows a message's text, HTML and chart in `bubble`. The server has made the HTML safe; it is parsed
 * apart from the page, where nothing of it runs.
 * @param {HTMLElement} bubble
 * @param {Message} message
 * @returns {HTMLElement[]} what belongs below the bubble: the SQL that the answer comes from
 */
export function fillBubble(bubble, { content, html, chart, tools = [] }) {
  bubble.classList.toggle('rich', Boolean(html));
  if (html) bubble.replaceChildren(...parse(html, 'text/html').body.childNodes);
  else bubble.textContent = content;
  for (const table of bubble.querySelectorAll('table')) {
    const box = element('div', '');
    table.replaceWith(box);
    box.append(table);
  }
  // What scrolls can be scrolled by key.
  for (const box of bubble.querySelectorAll('div, pre')) box.setAttribute('tabindex', '0');
  const svg = chart && parse(chart.svg, 'image/svg+xml').documentElement;
  // Chromium puts its report of a broken document inside the root.
  if (svg?.localName === 'svg' && !svg.querySelector('parsererror')) {
    svg.setAttribute('class', 'chart');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', chart?.alt ?? '');
    bubble.append(svg);
  }
  const statements = tools.filter(({ sql, status }) => sql && status !== 'failed');
  if (!statements.length) return [];
  const details = element('details', '');
  details.append(
    element('summary', '', t('sql')),
    ...statements.map(({ sql }) => element('pre', '', sql)),
  );
  return [details];
}

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @param {string} id @param {string} text */
function label(id, text) {
  const target = byId(id);
  target.setAttribute('aria-label', text);
  if (target instanceof HTMLButtonElement) target.title = text;
}

/** @param {any} time a `<time>` @param {string | number} [at] */
function showTime(time, at = Date.now()) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return;
  const today = date.toDateString() === new Date().toDateString();
  time.dateTime = date.toISOString();
  time.textContent = new Intl.DateTimeFormat(undefined, {
    ...(!today && { dateStyle: 'medium' }),
    timeStyle: 'short',
  }).format(date);
}
