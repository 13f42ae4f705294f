// @ts-check
// The course of the conversation: questions one after another, answers as they stream in, failures and
// retries, and messages from other pages of the same site.

import { ApiError, limitError } from './api.js';
import { sleep } from './conversation.js';
import { t } from './strings.js';

/** @typedef {import('./api.js').Answer} Answer */
/** @typedef {import('./conversation.js').Progress} Progress */

/**
 * A question, the key shared by all attempts at it, and the elements that show it and its answer.
 * @typedef {{ text: string, key: string, items: HTMLElement[] }} Turn
 */

/**
 * @typedef {object} Parts
 * @property {import('./conversation.js').Conversation} conversation
 * @property {import('./conversation.js').Store} store
 * @property {import('./view.js').View} view
 * @property {import('./feed.js').Feed} feed
 * @property {import('./files.js').FileArea} files
 * @property {(type: string, data?: Record<string, unknown>) => void} post posts to the host page
 * @property {() => Promise<import('./config.js').Settings>} config for the next question
 */

const FILE_POLL_MS = 100;

/** @param {string | null} id @param {number} count */
const shownAs = (id, count) => `${id} ${count}`;

/** @param {unknown} error */
const asApiError = (error) =>
  error instanceof ApiError ? error : new ApiError(t('errorOther'), 0, 'unknown');

/** A key that no other question of this session has. */
export const randomKey = () => `${Date.now()}${Math.random()}`;

export class Chat {
  #parts;
  /** Serialises the questions. @type {Promise<void>} */
  #work = Promise.resolve();
  /** Aborted by a new chat, so that nothing started before it is shown after it. */
  #life = new AbortController();
  #busy = false;
  #wantsStop = false;
  /** The last turn if its answer is missing or incomplete. @type {Turn | null} */
  #failed = null;
  /** The last rate-limit refusal. @type {ApiError | null} */
  #limit = null;
  /** When it ends, in milliseconds since 1970. */
  #limitedUntil = 0;
  /** Identifies the messages shown, to notice when there are others. */
  #shown = '';
  /** The session whose messages are shown, and how many of them the server has, NaN when unknown. */
  #known = { id: /** @type {string | null} */ (null), count: 0 };

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {string} text @param {string} [key] of an earlier attempt */
  send(text, key = randomKey()) {
    void this.#enqueue((signal) => this.#ask(text, key, signal));
  }

  async stop() {
    this.#wantsStop = true;
    try {
      await this.#parts.conversation.stop();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Does not wait for what is in progress. Later questions wait until the server has cleared the history. */
  newChat() {
    const { conversation, view, feed, post } = this.#parts;
    this.#life.abort();
    this.#life = new AbortController();
    this.#work = Promise.resolve();
    this.#setBusy(false);
    view.hideNotice();
    void this.#enqueue(async () => {
      try {
        await conversation.clear();
        this.#failed = null;
        feed.clear();
        this.#known.count = 0;
        this.#touch();
        post('chat_cleared');
      } catch (error) {
        this.#tell(error, () => this.newChat());
      }
    });
  }

  /** Shows the conversation so far and continues an answer that is being written. */
  restore() {
    return this.#enqueue(async (signal) => {
      try {
        await this.#sync(signal);
      } catch (error) {
        if (!signal.aborted) this.#tell(error, () => void this.restore());
      }
    });
  }

  /** Shows messages sent from another page of the site, or an answer missed while disconnected. */
  async refresh() {
    const { conversation } = this.#parts;
    if (this.#busy || document.hidden || !conversation.begun) return;
    // Runs in the background, so a failure is not worth reporting.
    const history = await conversation.restore().catch(() => null);
    if (history && !this.#busy) void this.#enqueue((signal) => this.#show(history, signal));
  }

  /** @param {(signal: AbortSignal) => Promise<void>} step */
  #enqueue(step) {
    const { signal } = this.#life;
    return (this.#work = this.#work.then(() => (signal.aborted ? undefined : step(signal))));
  }

  /** @param {string} text @param {string} key @param {AbortSignal} signal */
  async #ask(text, key, signal) {
    const { conversation, store, view, feed, files, config, post } = this.#parts;
    const { status, code } = this.#limit ?? {};
    if (status && code && this.#wait) {
      // This one would be refused too, and the failed one would lose its retry button.
      view.giveBack(text);
      const retry = this.#failed ? () => this.#retry() : undefined;
      return this.#tell(limitError(status, code, this.#wait), retry, 'sendAgain');
    }
    view.hideNotice();
    feed.withdrawRetry();
    this.#failed = null;
    const turn = { text, key, items: [feed.add({ role: 'user', content: text })] };
    feed.showEnd();
    post('message_sent', { message: text });
    store.write(key, ' question');
    await this.#read(turn, signal, async (progress) => {
      // A question asked during an upload is about that file.
      while (files.busy) await sleep(FILE_POLL_MS);
      return conversation.ask(text, await config(), key, progress, signal);
    });
  }

  /**
   * Shows an answer as it streams in.
   * @param {Turn} turn
   * @param {AbortSignal} signal
   * @param {(progress: Progress) => Promise<Answer | null>} follow
   * @param {boolean} [asks] whether the question is new to the server
   */
  async #read(turn, signal, follow, asks = true) {
    const { conversation, store, view, feed, post } = this.#parts;
    const writing = feed.begin();
    this.#setBusy(true);
    this.#shown = '';
    let misses = false;
    try {
      const answer = await follow((type, data) => {
        if (signal.aborted) return;
        if (type === 'start') {
          writing.begin();
          this.#touch();
          if (this.#wantsStop) void conversation.stop();
        } else if (type === 'delta') {
          view.setState('writing');
          writing.write(data);
        } else if (type === 'replace') {
          writing.discard();
          writing.write(data);
        } else if (type === 'thinking') {
          view.setState('thinking');
        } else if (type === 'tool') {
          view.setState(data.status === 'running' ? 'querying' : 'waiting');
        }
      });
      if (signal.aborted) return;
      if (!answer) {
        writing.fail();
        return await this.#sync(signal);
      }
      const { response: content, sessionId, messageCount, timestamp = Date.now() } = answer;
      const { id, count } = this.#known;
      // Otherwise another page has asked in the meantime, and its messages are still to be shown.
      misses = asks && !Number.isNaN(count) && messageCount !== (id === sessionId ? count : 0) + 2;
      this.#known = { id: sessionId, count: messageCount };
      if (!misses) this.#shown = shownAs(sessionId, messageCount);
      // Empty if it was stopped before the first token.
      if (!content) return this.#offerRetry(turn);
      store.write(null, ' question');
      writing.finish({ ...answer, role: 'assistant', content });
      const at = new Date(timestamp).getTime();
      post('message_received', { message: content, sessionId, timestamp: at });
    } catch (error) {
      if (!signal.aborted) await this.#fail(turn, writing.fail(), asApiError(error), signal);
    } finally {
      writing.close();
      if (!signal.aborted) {
        this.#setBusy(false);
        this.#touch();
        if (misses) void this.refresh();
      }
    }
  }

  /**
   * @param {Turn} turn
   * @param {HTMLElement | null} part what arrived of the answer
   * @param {ApiError} error
   * @param {AbortSignal} signal
   */
  async #fail(turn, part, error, signal) {
    this.#known.count = NaN; // It may have stored the question or not.
    if (error.wait) {
      this.#limit = error;
      this.#limitedUntil = Date.now() + error.wait * 1000;
    }
    if (part) {
      turn.items.push(part);
    } else if (!error.retryable) {
      // The same text would be refused again, so it goes back into the box for editing.
      turn.items[0].remove();
      this.#parts.view.giveBack(turn.text);
      return this.#tell(error);
    }
    this.#offerRetry(turn);
    // The server has rendered HTML of the part.
    if (part) await this.#sync(signal).catch(() => {});
    if (signal.aborted || !this.#failed) return;
    // Only the site's owner can change what is wrong with the settings.
    if (error.retryable) this.#tell(error, () => this.#retry(), 'sendAgain');
    else this.#tell(error);
  }

  /** @param {Turn} turn */
  #offerRetry(turn) {
    const { feed } = this.#parts;
    const [question, answer] = turn.items;
    this.#failed = turn;
    if (!answer) feed.mark(question, 'unanswered');
    feed.offerRetry(answer ?? question, () => this.#retry(), this.#wait);
  }

  /** Seconds until the server accepts the next question. */
  get #wait() {
    return Math.max(0, Math.ceil((this.#limitedUntil - Date.now()) / 1000));
  }

  #retry() {
    const turn = this.#failed;
    if (!turn || this.#busy || this.#wait) return;
    for (const item of turn.items) item.remove();
    this.send(turn.text, turn.key);
    this.#parts.view.focus();
  }

  /** @param {AbortSignal} signal */
  async #sync(signal) {
    await this.#show(await this.#parts.conversation.restore(), signal);
  }

  /**
   * Shows the server's history unless it is already shown.
   * @param {import('./conversation.js').History} history
   * @param {AbortSignal} signal
   */
  async #show({ messages, file, follow }, signal) {
    const { store, view, feed, files } = this.#parts;
    const shown = shownAs(store.read(), messages.length);
    if (signal.aborted || (shown === this.#shown && !follow)) return;
    this.#shown = shown;
    this.#known = { id: store.read(), count: messages.length };
    if (!files.busy) files.show(file ?? null);
    const unsaved = this.#failed;
    this.#failed = null;
    feed.clear();
    const items = messages.map((message) => feed.add(message));
    feed.showEnd();
    const last = messages.at(-1);
    const asked = last?.role === 'user' ? -1 : -2;
    const { content: text = '' } = messages.at(asked) ?? {};
    const key = unsaved?.text === text ? unsaved.key : (store.read(' question') ?? randomKey());
    const turn = { text, key, items: items.slice(asked) };
    if (follow) {
      feed.mark(turn.items[0]);
      await this.#read(turn, signal, (progress) => follow(progress, signal), false);
    } else if (last?.status === 'unanswered' || last?.status === 'incomplete') {
      this.#offerRetry(turn);
    } else if (unsaved && unsaved.text !== text) {
      // The question has not reached the server.
      this.#offerRetry({ ...unsaved, items: [feed.add({ role: 'user', content: unsaved.text })] });
    } else if (unsaved) {
      view.hideNotice(); // It has been answered in the meantime.
    }
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#wantsStop = false;
    this.#parts.view.setState(busy ? 'waiting' : 'idle');
  }

  /** Notifies other pages of the site that there is something new. */
  #touch() {
    this.#parts.store.write(String(Date.now()), ' changed');
  }

  /**
   * @param {unknown} error
   * @param {() => void} [onAction]
   * @param {import('./strings.js').StringKey} [action]
   */
  #tell(error, onAction, action = 'tryAgain') {
    const { message, code, wait } = asApiError(error);
    this.#parts.post('widget_error', { error: message, code });
    this.#parts.view.notice({ text: message, tone: 'error', action, onAction, wait });
  }
}
