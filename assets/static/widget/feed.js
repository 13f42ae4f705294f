// @ts-check
// The list of messages, which stays scrolled to its end while the visitor is there.

import { copyButton, dataLine, fillBubble, GrowingAnswer } from './answer.js';
import { bot, button, byId, disableFor, element, timeElement, worded } from './dom.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./announcer.js').Announcer} Announcer */
/** @typedef {{ text: string, html?: string, tail?: string }} Piece of an answer: see docs/stream.md */

/** Statuses shown as a note below the message. */
const NOTES = /** @type {const} */ (['unanswered', 'incomplete', 'stopped', 'truncated']);

/** Within this distance from the end, the view follows new messages. */
const NEAR_END_PX = 120;

/** @param {HTMLElement} item @returns {HTMLElement} */
const bubbleOf = (item) => item.querySelector('.bubble') ?? element('div', 'bubble');

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
    const answer = new GrowingAnswer();
    /** @type {HTMLElement | null} */
    let item = null;
    let isDue = false;
    // Characters of the text that have arrived since the answer's start, and that have been announced.
    let told = 0;
    let heard = 0;
    const open = () => (item ??= this.#open());
    const show = () => {
      isDue = false;
      // An answer that is told again is not shown shorter than it was.
      if (told < heard || answer.isEmpty) return;
      this.keepEnd(() => answer.show(bubbleOf(open())));
    };
    return {
      /** The answer is told from its start, perhaps again. */
      begin: () => {
        told = 0;
        answer.restart();
      },
      /** @param {Piece} piece */
      write: ({ text, html, tail }) => {
        told += text.length;
        if (told > heard) {
          this.#announcer.write(text.slice(heard - told));
          heard = told;
        }
        if (html === undefined && tail === undefined) return;
        answer.add(html, tail);
        // At most once per frame, however fast the text arrives.
        if (!isDue) requestAnimationFrame(show);
        isDue = true;
      },
      /** What has been told was not the answer. */
      discard: () => {
        told = heard = 0;
        answer.restart();
        item?.remove();
        item = null;
        this.#announcer.drop();
      },
      /** @param {Message} message */
      finish: (message) => {
        answer.restart();
        this.keepEnd(() => this.#fill(open(), message, answer));
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
        answer.restart();
        item?.classList.remove('streaming');
      },
    };
  }

  #open() {
    const item = this.add({ role: 'assistant', content: '' });
    item.classList.add('streaming');
    return item;
  }

  /** @param {HTMLElement} item @param {Message} message @param {GrowingAnswer} [shown] the answer in it */
  #fill(item, message, shown) {
    const mine = message.role === 'user';
    const { content } = message;
    item.className = `message ${mine ? 'user' : 'bot'}`;
    const bubble = bubbleOf(item);
    bubble.dir = 'auto';
    fillBubble(bubble, message, shown);
    const meta = element('p', 'meta', timeElement(message.timestamp));
    if (!mine && content) meta.append(copyButton('copy', 'copy', () => content));
    const who = element('span', 'sr-only', mine ? worded('span', '', 'you') : bot.name, ': ');
    item.replaceChildren(who, bubble, ...dataLine(message), meta);
    this.mark(item, message.status);
  }
}
