// @ts-check
// The window around the messages: header, box, notices. Contains no chat logic.

import { bot, byId, disableFor, element, relabel, say, timeElement } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./dom.js').StringKey} StringKey */

/** @typedef {'idle' | 'waiting' | 'thinking' | 'querying' | 'writing'} State of the current answer */

/** The character count appears at this share of a message's limit. */
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

  /** @param {{ send(text: string): void, keep(draft: string): void } & Record<'stop' | 'newChat' | 'minimize' | 'maximize', () => void>} actions */
  constructor(actions) {
    this.#actions = actions;
    timeElement(Date.now(), byId('welcome-time'));
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('input', () => this.#fit());
    this.#input.addEventListener('keydown', (event) => {
      // During composition Enter belongs to the input method; Safari reports it as 229.
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
    byId('reset-btn').addEventListener('click', actions.newChat);
    byId('minimize-btn').addEventListener('click', actions.minimize);
    this.#floating.addEventListener('click', actions.maximize);
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing) return;
      if (this.#notice.hidden || this.#notice.dataset.tone !== 'question') return actions.minimize();
      this.hideNotice();
      this.focus();
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

  /** Collapses the window to its round button. */
  fold() {
    this.#container.hidden = true;
    this.#floating.hidden = false;
    this.#floating.focus();
  }

  /** Focuses the box unless that would open an on-screen keyboard. */
  focus() {
    const touch = matchMedia('(pointer: coarse)').matches;
    (touch ? this.#container : this.#input).focus({ preventScroll: true });
  }

  /** Puts text back into the box, before anything typed since. @param {string} text */
  giveBack(text) {
    this.#input.value = [text, this.#input.value].filter((part) => part.trim()).join('\n');
    this.#fit();
  }

  /** @param {State} state */
  setState(state) {
    if (state === this.#state) return; // It would be announced again.
    this.#state = state;
    this.#showState();
  }

  showConnection() {
    say(byId('connection-status'), navigator.onLine ? undefined : 'offlineBar');
    this.#showState();
  }

  /**
   * Shows a notice above the box, with at most one action besides dismissing it.
   * @param {{ text: string, tone: 'error' | 'question', action?: StringKey, dismiss?: StringKey, onAction?: () => void, wait?: number }} notice
   *   `wait`: how many seconds the action is disabled or, if there is none, the notice is shown
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

  /** A button that is hidden or changed by its action, so the focus moves. @param {string} id @param {() => void} action */
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
    // Keeps a phone's keyboard open while the visitor is typing.
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
    const named = state === 'thinking' || state === 'querying';
    const waits = state === 'waiting' || named;
    byId('typing-bubble').hidden = !waits;
    const words = byId('typing-words');
    words.classList.toggle('sr-only', !named);
    say(words, named ? state : waits ? 'typing' : undefined);
    byId('stop-btn').hidden = state === 'idle';
    byId('send-btn').hidden = state !== 'idle';
    const status = byId('bot-status');
    status.dataset.state = navigator.onLine ? (state === 'idle' ? 'online' : 'busy') : 'offline';
    const activity = state === 'idle' ? 'online' : state === 'thinking' ? state : 'writing';
    say(status, navigator.onLine ? activity : 'offline');
    this.#fit();
  }

  /** How many characters are over the limit, counted as the server does. @param {string} text */
  #excess(text) {
    return text.length > this.#limit ? [...text].length - this.#limit : 0;
  }

  /** Grows the box with its text. */
  #fit() {
    const text = this.#input.value.trim();
    this.#actions.keep(this.#input.value);
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
