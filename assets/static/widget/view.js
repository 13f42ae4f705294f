// @ts-check
// The window around the messages: header, box, notices. No logic of the chat.

import { bot, byId, disableFor, element, relabel, say, timeElement } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./dom.js').StringKey} StringKey */

/** @typedef {'idle' | 'waiting' | 'querying' | 'writing'} State of the answer */

/** Of the limit of a message: from here on its characters are counted. */
const COUNTED_SHARE = 0.8;
const MAX_SUGGESTIONS = 6;

export class View {
  #container = byId('chatbot-container');
  #notice = byId('error-modal');
  /** @type {HTMLTextAreaElement} */
  #input = byId('message-input');
  #floating = byId('floating-icon');
  #actions;
  /** @type {State} */
  #state = 'idle';
  #limit = Infinity;
  /** @type {(() => void) | null} */
  #noticeAction = null;
  /** Ends the countdown of the notice's button. */
  #endCountdown = () => {};

  /** @param {{ send(text: string): void } & Record<'stop' | 'startAnew' | 'minimize' | 'maximize', () => void>} actions */
  constructor(actions) {
    this.#actions = actions;
    timeElement(Date.now(), byId('welcome-time'));
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('input', () => this.#fit());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method composes, Enter is its own: 229 is how Safari tells.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229)
        return;
      event.preventDefault();
      this.#submit();
    });
    this.#on('stop-btn', actions.stop);
    this.#on('notice-action', () => {
      const action = this.#noticeAction;
      this.hideNotice();
      action?.();
    });
    this.#on('notice-dismiss', () => this.hideNotice());
    byId('reset-btn').addEventListener('click', actions.startAnew);
    byId('minimize-btn').addEventListener('click', actions.minimize);
    this.#floating.addEventListener('click', actions.maximize);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.isComposing) actions.minimize();
    });
  }

  /** @param {import('./config.js').Display} display */
  configure({ botName, greeting, poweredBy, botIcon, suggestions, maxMessageChars, canMinimize }) {
    bot.name = document.title = botName;
    byId('bot-name').textContent = botName;
    const welcome = byId('welcome-text');
    say(welcome, greeting ? undefined : 'greeting');
    if (greeting) welcome.textContent = greeting;
    byId('powered-by').textContent = poweredBy ? t('poweredBy', { name: poweredBy }) : '';
    this.#input.placeholder = t('placeholder');
    byId('minimize-btn').hidden = !canMinimize;
    this.#limit = maxMessageChars;
    this.#suggest(suggestions.slice(0, MAX_SUGGESTIONS));
    this.#showIcon(botIcon);
    relabel();
    this.#showState();
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

  /** @param {State} state */
  setState(state) {
    this.#state = state;
    this.#showState();
  }

  showConnection() {
    say(byId('connection-status'), navigator.onLine ? undefined : 'offlineBar');
    this.#showState();
  }

  /**
   * Shows a message above the box, with at most one thing to do about it.
   * @param {{ text: string, tone: 'error' | 'question', action?: StringKey, dismiss?: StringKey, onAction?: () => void, wait?: number }} notice
   *   `wait` is how many seconds the action is disabled; without an action, how long this is shown
   */
  notice({ text, tone, action, dismiss = 'dismiss', onAction, wait = 0 }) {
    const words = byId('notice-text');
    /** @type {HTMLButtonElement} */
    const button = byId('notice-action');
    this.hideNotice();
    this.#notice.dataset.tone = tone;
    words.textContent = text;
    say(button, action);
    button.hidden = !onAction;
    say(byId('notice-dismiss'), dismiss);
    this.#noticeAction = onAction ?? null;
    this.#endCountdown = disableFor(button, wait, () => {
      if (onAction) words.textContent = t('canRetry');
      else this.hideNotice();
    });
    this.#notice.hidden = false;
  }

  hideNotice() {
    this.#notice.hidden = true;
    this.#noticeAction = null;
    this.#endCountdown();
  }

  /** A button that goes away or changes when it is pressed. @param {string} id @param {() => void} action */
  #on(id, action) {
    byId(id).addEventListener('click', () => {
      action();
      this.focus();
    });
  }

  #submit() {
    const text = this.#input.value.trim();
    if (!text || this.#state !== 'idle' || this.#excess(text) > 0) return;
    this.#input.value = '';
    this.#actions.send(text);
    // On a phone the keyboard stays for who types.
    if (document.activeElement !== this.#input) this.focus();
  }

  /** @param {string[]} suggestions */
  #suggest(suggestions) {
    byId('suggestions').replaceChildren(
      ...suggestions.map((text) => {
        const made = element('button', 'suggestion', text);
        made.setAttribute('type', 'button');
        made.dir = 'auto';
        made.addEventListener('click', () => {
          if (this.#state !== 'idle') return;
          this.#actions.send(text);
          this.focus();
        });
        return made;
      }),
    );
  }

  /** @param {string} address */
  #showIcon(address) {
    const icon = /** @type {HTMLImageElement} */ (byId('bot-icon'));
    if (icon.getAttribute('src') === address) return;
    icon.hidden = true;
    icon.onload = () => (icon.hidden = false);
    if (address) icon.src = address;
    else icon.removeAttribute('src');
  }

  #showState() {
    const state = this.#state;
    const waits = state === 'waiting' || state === 'querying';
    byId('typing-bubble').hidden = !waits;
    const words = byId('typing-words');
    words.classList.toggle('sr-only', state !== 'querying');
    say(words, !waits ? undefined : state === 'querying' ? state : 'typing');
    byId('stop-btn').hidden = state === 'idle';
    byId('send-btn').hidden = state !== 'idle';
    const status = byId('bot-status');
    status.dataset.state = navigator.onLine ? 'online' : 'offline';
    say(status, !navigator.onLine ? 'offline' : state === 'idle' ? 'online' : 'writing');
    this.#fit();
  }

  /** How many characters are too many, as the server counts them. @param {string} text */
  #excess(text) {
    return text.length > this.#limit ? [...text].length - this.#limit : 0;
  }

  /** The box grows with its text. */
  #fit() {
    const text = this.#input.value.trim();
    const length = text.length < this.#limit * COUNTED_SHARE ? 0 : [...text].length;
    const excess = length - this.#limit;
    const counter = byId('char-count');
    counter.hidden = length < this.#limit * COUNTED_SHARE;
    counter.textContent =
      excess > 0
        ? t('tooLong', { count: excess })
        : t('characters', { count: length, limit: this.#limit });
    this.#input.setAttribute('aria-invalid', String(excess > 0));
    /** @type {HTMLButtonElement} */ (byId('send-btn')).disabled = !text || excess > 0;
    this.#input.style.setProperty('height', 'auto');
    this.#input.style.setProperty('height', `${this.#input.scrollHeight}px`);
  }
}
