// @ts-check
// The list of messages: what is said, by whom, and the end of it in sight.

import { copyButton, dataLine, fillBubble } from './answer.js';
import { bot, button, byId, disableFor, element, timeElement, worded } from './dom.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./announcer.js').Announcer} Announcer */

/** Statuses that a message shows in words. */
const NOTES = /** @type {const} */ (['unanswered', 'incomplete', 'stopped', 'truncated']);

/** Who is this near to the end follows it. */
const NEAR_END_PX = 120;

export class Feed {
  #scroller = byId('messages-container');
  #list = byId('messages-list');
  #announcer;

  /** @param {Announcer} announcer */
  constructor(announcer) {
    this.#announcer = announcer;
    // What appears below, such as the keyboard of a phone, must not cover the end.
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

  /** Changes the list, and stays at its end for who is there. @param {() => void} change */
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
    const made = button('retry', 'tryAgain', retry);
    disableFor(made, wait);
    this.keepEnd(() => item.querySelector('.meta')?.append(made));
  }

  withdrawRetry() {
    this.#list.querySelector('.retry')?.remove();
  }

  /** An answer that is being written; it appears with its first word. */
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
        // Once a frame, however fast the words come.
        if (!waiting) requestAnimationFrame(show);
        waiting += piece;
        this.#announcer.write(piece);
      },
      /** From the first word again. */
      restart: () => {
        text.data = waiting = '';
        this.#announcer.drop();
      },
      /** @param {Message} message */
      finish: (message) => {
        waiting = '';
        this.keepEnd(() => this.#fill((item ??= this.#open(text)), message));
        this.#announcer.end();
      },
      /** It broke off. @returns {HTMLElement | null} what there is of it */
      fail: () => {
        show();
        if (item) this.mark(item, 'incomplete');
        this.#announcer.end();
        return item;
      },
      /** Nothing more comes. */
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
