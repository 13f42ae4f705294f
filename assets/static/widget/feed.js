// @ts-check
// The list of messages, which stays scrolled to its end while the visitor is there.

import { copyButton, dataLine, fillBubble } from './answer.js';
import { bot, button, byId, disableFor, element, timeElement, worded } from './dom.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./announcer.js').Announcer} Announcer */

/** Statuses shown as a note below the message. */
const NOTES = /** @type {const} */ (['unanswered', 'incomplete', 'stopped', 'truncated']);

/** Within this distance from the end, the view follows new messages. */
const NEAR_END_PX = 120;

export class Feed {
  #scroller = byId('messages-container');
  #list = byId('messages-list');
  #announcer;

  /** @param {Announcer} announcer */
  constructor(announcer) {
    this.#announcer = announcer;
    // Anything that appears below, such as a phone's keyboard, must not cover the end.
    let height = 0;
    new ResizeObserver(() => {
      const { clientHeight, scrollHeight, scrollTop } = this.#scroller;
      if (scrollHeight - scrollTop - height < NEAR_END_PX) this.showEnd();
      height = clientHeight;
    }).observe(this.#scroller);
  }

  get isEmpty() {
    return !this.#list.childElementCount;
  }

  clear() {
    this.#list.replaceChildren();
  }

  showEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Changes the list, and stays at its end if it is scrolled there. @param {() => void} change */
  keepEnd(change) {
    const { clientHeight, scrollHeight, scrollTop } = this.#scroller;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    change();
    if (near) this.showEnd();
  }

  /**
   * @param {Message} message
   * @returns {HTMLElement} the message's element
   */
  add(message) {
    const item = document.createElement('div');
    this.#fill(item, message);
    this.keepEnd(() => this.#list.append(item));
    return item;
  }

  /** @param {HTMLElement} item @param {string} [status] of a message */
  mark(item, status) {
    item.classList.toggle('failed', status === 'unanswered');
    item.querySelector('.note')?.remove();
    const note = NOTES.find((known) => known === status);
    if (note) item.querySelector('.meta')?.append(worded('span', 'note', note));
  }

  /**
   * One message at a time can be retried: the last.
   * @param {HTMLElement} item
   * @param {() => void} retry
   * @param {number} [wait] seconds until it can be
   */
  offerRetry(item, retry, wait = 0) {
    this.withdrawRetry();
    const made = button('retry', 'sendAgain', retry);
    disableFor(made, wait);
    this.keepEnd(() => item.querySelector('.meta')?.append(made));
  }

  withdrawRetry() {
    this.#list.querySelector('.retry')?.remove();
  }

  /** Starts an answer, which appears with its first text. */
  begin() {
    const text = document.createTextNode('');
    let waiting = '';
    /** @type {HTMLElement | null} */
    let item = null;
    const show = () => {
      if (!waiting) return;
      this.keepEnd(() => {
        item ??= this.#open(text);
        text.appendData(waiting);
      });
      waiting = '';
    };
    return {
      /** @param {string} piece */
      write: (piece) => {
        // At most once per frame, however fast the text arrives.
        if (!waiting) requestAnimationFrame(show);
        waiting += piece;
        this.#announcer.write(piece);
      },
      /** Discards the text so far. */
      restart: () => {
        text.data = waiting = '';
        item?.remove();
        item = null;
        this.#announcer.drop();
      },
      /** @param {Message} message */
      finish: (message) => {
        waiting = '';
        this.keepEnd(() => this.#fill((item ??= this.#open(text)), message));
        this.#announcer.end();
      },
      /** The answer was interrupted. @returns {HTMLElement | null} the part so far */
      fail: () => {
        show();
        if (item) this.mark(item, 'incomplete');
        this.#announcer.end();
        return item;
      },
      /** The answer is over, complete or not. */
      close: () => {
        waiting = '';
        item?.classList.remove('streaming');
      },
    };
  }

  /** @param {Text} text */
  #open(text) {
    const item = this.add({ role: 'assistant', content: '' });
    item.classList.add('streaming');
    item.querySelector('.bubble')?.append(text);
    return item;
  }

  /** @param {HTMLElement} item @param {Message} message */
  #fill(item, message) {
    const mine = message.role === 'user';
    const { content } = message;
    item.className = `message ${mine ? 'user' : 'bot'}`;
    const bubble = /** @type {HTMLElement} */ (
      item.querySelector('.bubble') ?? element('div', 'bubble')
    );
    bubble.dir = 'auto';
    fillBubble(bubble, message);
    const meta = element('p', 'meta', timeElement(message.timestamp));
    if (!mine && content) meta.append(copyButton('copy', 'copy', () => content));
    const who = element('span', 'sr-only', mine ? worded('span', '', 'you') : bot.name, ': ');
    item.replaceChildren(who, bubble, ...dataLine(message), meta);
    this.mark(item, message.status);
  }
}
