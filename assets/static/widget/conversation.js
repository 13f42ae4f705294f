// @ts-check
// One visitor's conversation with the server. Its session is created when first needed and replaced
// when it has expired; an answer is read to its end even if the connection breaks.

import { ApiError, errorOf } from './api.js';
import { changes } from './config.js';
import { t } from './strings.js';

/** @typedef {import('./api.js').Answer} Answer */
/** @typedef {import('./api.js').Events} Events */
/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./config.js').Settings} Settings */
/** @typedef {ReturnType<typeof sessionStore>} Store */
/** @typedef {(type: string, data: any) => void} Progress called for `start`, `delta` and `tool` events; after a broken
 *   connection they come again from the `start` */

/**
 * A conversation as the server has it.
 * @typedef {object} History
 * @property {Message[]} messages
 * @property {import('./api.js').FileInfo} [file]
 * @property {(progress: Progress, signal: AbortSignal) => Promise<Answer | null>} [follow] reads the answer
 *   to the last message from its start; set while that answer is being written
 */

/** How often in a row a broken connection is resumed. */
const ATTEMPTS = 5;
/** Longest wait, in seconds, after which a refused session is requested again automatically. */
const MAX_SESSION_WAIT_S = 60;

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Conversation {
  /** The config that the session has, as JSON by key. @type {Map<string, string>} */
  #sent = new Map();
  /** The session that it was sent to. */
  #sentTo = '';
  /** @type {Promise<string> | undefined} */
  #creation;
  #api;
  #store;

  /**
   * @param {import('./api.js').Api} api
   * @param {Store} store
   * @param {object} [options]
   * @param {(sessionId: string) => void} [options.onSession] called for each new session
   * @param {() => void} [options.onGone] called when the session has expired
   * @param {(attempt: number) => Promise<unknown>} [options.pause] runs before each retry
   * @param {(limit: ApiError) => Promise<unknown>} [options.wait] waits `limit.wait` seconds before a
   *   refused session is requested again
   */
  constructor(
    api,
    store,
    {
      onSession = () => {},
      onGone = () => {},
      pause = (attempt) => sleep(500 * 2 ** attempt),
      wait = (limit) => sleep(limit.wait * 1000),
    } = {},
  ) {
    this.#api = api;
    this.#store = store;
    this.onSession = onSession;
    this.onGone = onGone;
    this.pause = pause;
    this.wait = wait;
  }

  get begun() {
    return this.#store.read() !== null;
  }

  /** The session's id; creates a session if there is none. @param {Settings} config @returns {Promise<string>} */
  async session(config) {
    return this.#store.read() ?? (this.#creation ??= this.#create(config));
  }

  /** Replaces an expired session. @param {Settings} config */
  renew(config) {
    this.#forget();
    return this.session(config);
  }

  /**
   * The conversation that this browser remembers, if the server still does.
   * @returns {Promise<History>}
   */
  async restore() {
    const id = this.#store.read();
    if (id === null) return { messages: [] };
    try {
      for (;;) {
        // In this order nothing is missed: an answer that ends in between is in the history.
        const events = await this.#api.resume(id);
        const { messages, file } = await this.#api.history(id);
        if (!events) return { messages, file };
        if (messages.at(-1)?.status === 'unanswered') {
          const follow = this.#follow.bind(this, id, events);
          return { messages, file, follow };
        }
        // It has just ended, or its question is about to be stored.
        void events.next().catch(() => {});
        void events.return();
        await this.pause(0);
      }
    } catch (error) {
      this.#forgetIfGone(error);
      return { messages: [] };
    }
  }

  /**
   * Sends a question with what has changed in `config` since the last one. An expired session is
   * replaced once, silently.
   * @param {string} message
   * @param {Settings} config
   * @param {string} key the same for all attempts at one question
   * @param {Progress} progress
   * @param {AbortSignal} [signal]
   * @returns {Promise<Answer | null>} null if it ended while disconnected: it is in the history
   */
  async ask(message, config, key, progress, signal) {
    const attempt = async () => {
      const sessionId = await this.session(config);
      if (sessionId !== this.#sentTo) this.#sent.clear(); // Another page created it.
      this.#sentTo = sessionId;
      const changed = changes(config, this.#sent);
      const body = { sessionId, message, ...(changed && { config: changed }) };
      const events = await this.#api.ask(body, key, signal);
      this.#remember(changed ?? {});
      return this.#follow(sessionId, events, progress, signal);
    };
    try {
      return await attempt();
    } catch (error) {
      this.#forgetIfGone(error);
      return attempt();
    }
  }

  /** Stops the answer that is being written; the part so far is kept. */
  async stop() {
    const id = this.#store.read();
    if (id !== null) await this.#api.stop(id);
  }

  /** Deletes the messages on the server; the session stays. */
  async clear() {
    const id = this.#store.read();
    if (id === null) return;
    try {
      await this.#api.stop(id); // Otherwise the next question would wait for it.
      await this.#api.clearHistory(id);
    } catch (error) {
      this.#forgetIfGone(error);
    }
  }

  /**
   * Reads an answer to its end.
   * @param {string} id
   * @param {Events | null} events
   * @param {Progress} progress
   * @param {AbortSignal} [signal]
   * @returns {Promise<Answer | null>}
   */
  async #follow(id, events, progress, signal) {
    // After a reconnection the events come again from the first one.
    const seen = new Set();
    for (let attempt = 0; ; attempt += 1) {
      /** @type {unknown} */
      let broken = new ApiError(t('errorUnreachable'), 0, 'unreachable');
      try {
        if (attempt) events = await this.#api.resume(id, signal);
        if (!events) return null;
        for await (const event of events) {
          if (!seen.has(event.id)) attempt = 0;
          seen.add(event.id);
          const data = JSON.parse(event.data);
          if (event.type === 'done') return data;
          // Status 200 tells this apart from a broken connection.
          if (event.type === 'error') throw errorOf(200, data, data.retryable);
          progress(event.type, data);
        }
      } catch (error) {
        const isConnection = error instanceof ApiError && (!error.status || error.status >= 500);
        if (!isConnection || signal?.aborted) throw error;
        broken = error;
      }
      if (attempt >= ATTEMPTS) throw broken;
      await this.pause(attempt);
    }
  }

  /** @param {Settings} config */
  async #create(config) {
    try {
      const { sessionId } = await this.#api.createSession(config).catch(async (error) => {
        if (error.status !== 429 || error.wait > MAX_SESSION_WAIT_S) throw error;
        await this.wait(error);
        return this.#api.createSession(config);
      });
      this.#store.write(sessionId);
      this.#sentTo = sessionId;
      this.#remember(config);
      this.onSession(sessionId);
      return sessionId;
    } finally {
      this.#creation = undefined;
    }
  }

  /** @param {Settings} config */
  #remember(config) {
    for (const [key, value] of Object.entries(config)) this.#sent.set(key, JSON.stringify(value));
  }

  #forget() {
    this.#store.write(null);
    this.#sent.clear();
  }

  /** Throws any other error. @param {unknown} error */
  #forgetIfGone(error) {
    if (!(error instanceof ApiError && error.status === 404 && error.code === 'session_not_found'))
      throw error;
    this.#forget();
    this.onGone();
  }
}

/**
 * Stores the session's id, and other values under the name `part`. If the browser denies storage to a
 * third-party frame, they last as long as the page.
 * @param {string} key
 * @param {() => Storage} [storage] called on each access, since the property itself may throw
 */
export function sessionStore(key, storage = () => window.localStorage) {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    /** @returns {string | null} */
    read(part = '') {
      const own = kept.get(part) ?? null;
      try {
        return storage().getItem(key + part) ?? own;
      } catch {
        return own;
      }
    },
    /** @param {string | null} value null removes it @param {string} [part] */
    write(value, part = '') {
      if (value === null) kept.delete(part);
      else kept.set(part, value);
      try {
        if (value === null) storage().removeItem(key + part);
        else storage().setItem(key + part, value);
      } catch {
        // It is kept in memory.
      }
    },
  };
}
