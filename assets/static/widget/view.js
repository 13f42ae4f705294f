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

/** From here on a new message is scrolled to, nearer to the end than this many pixels. */
const NEAR_END_PX = 120;

/**
 * @typedef {object} Actions
 * @property {(text: string) => void} send
 * @property {() => void} startAnew
 * @property {() => void} minimize
 * @property {() => void} maximize
 */

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
  #typing = byId('typing-indicator');
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

  /** @param {Actions} actions */
  constructor(actions) {
    label('messages-container', t('conversation'));
    label('message-input', t('input'));
    label('send-btn', t('send'));
    label('minimize-btn', t('close'));
    label('reset-btn', t('startAnew'));
    label('floating-icon', t('open'));
    this.#input.placeholder = t('placeholder');
    byId('notice-dismiss').textContent = t('dismiss');
    const now = new Date();
    showTime(/** @type {HTMLTimeElement} */ (byId('welcome-time')), now.getTime());

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

  /** Shows the window, which is hidden until it has its name and colours. */
  show() {
    this.#container.hidden = false;
    this.#floating.hidden = true;
  }

  /** Leaves only the round button, where no page around this one has a button of its own. */
  fold() {
    this.#container.hidden = true;
    this.#floating.hidden = false;
    this.#floating.focus();
  }

  /** @param {boolean} possible whether there is anything that closing would do */
  allowMinimize(possible) {
    byId('minimize-btn').hidden = !possible;
  }

  /** Puts the cursor into the box, unless that would raise a keyboard over the screen. */
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
    const bubble = element('div', 'bubble', message.content);
    bubble.dir = 'auto';
    const meta = element('p', 'meta');
    const time = document.createElement('time');
    showTime(time, message.timestamp ?? Date.now());
    meta.append(time);
    item.append(element('span', 'sr-only', `${mine ? t('you') : this.#botName}: `), bubble, meta);
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

  /** @param {boolean} busy whether an answer is awaited */
  setBusy(busy) {
    this.#busy = busy;
    const bubble = /** @type {HTMLElement} */ (this.#typing.firstElementChild);
    bubble.hidden = !busy;
    const words = this.#typing.querySelector('.sr-only');
    if (words) words.textContent = busy ? t('typing', { name: this.#botName }) : '';
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
   * Says something between the messages and the box, with at most one thing to do about it.
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

  /** The box grows with its text, to the style sheet's limit. */
  #fit() {
    this.#sendButton.disabled = this.#busy || !this.#input.value.trim();
    this.#input.style.setProperty('height', 'auto');
    this.#input.style.setProperty('height', `${this.#input.scrollHeight}px`);
  }

  /** Shows the end of a short message, the beginning of a long one. @param {HTMLElement} item */
  #scrollTo(item) {
    const top = item.offsetTop - this.#scroller.offsetTop - 16;
    this.#scroller.scrollTop =
      item.offsetHeight > this.#scroller.clientHeight ? top : this.#scroller.scrollHeight;
  }
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

/** The time of today, date and time of another day. @param {HTMLTimeElement} time @param {number} at */
function showTime(time, at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return;
  const today = date.toDateString() === new Date().toDateString();
  time.dateTime = date.toISOString();
  time.textContent = new Intl.DateTimeFormat(undefined, {
    ...(!today && { dateStyle: 'medium' }),
    timeStyle: 'short',
  }).format(date);
}
