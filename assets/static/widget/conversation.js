// @ts-check
// One visitor's conversation with the server: its session is made when first needed, and anew when it
// has expired.

import { ApiError } from './api.js';
import { changes } from './config.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./config.js').Settings} Settings */
/** @typedef {ReturnType<typeof sessionStore>} Store */

export class Conversation {
  /** What the session is known to have, as JSON by key. @type {Map<string, string>} */
  #sent = new Map();
  #api;
  #store;

  /**
   * @param {import('./api.js').Api} api
   * @param {Store} store
   * @param {(sessionId: string) => void} [onSession] told of each new session
   */
  constructor(api, store, onSession = () => {}) {
    this.#api = api;
    this.#store = store;
    this.onSession = onSession;
  }

  get begun() {
    return this.#store.read() !== null;
  }

  /**
   * The messages of the session that this browser remembers; none when it has expired.
   * @returns {Promise<Message[]>}
   */
  async restore() {
    const id = this.#store.read();
    if (id === null) return [];
    try {
      const { messages } = await this.#api.history(id);
      return Array.isArray(messages) ? messages : [];
    } catch (fault) {
      this.#forgetIfGone(fault);
      return [];
    }
  }

  /**
   * Asks, with what has changed of `config` since the last time. An expired session is replaced
   * once, quietly.
   * @param {string} message
   * @param {Settings} config
   * @param {string} key the same for each attempt at one question
   * @returns {Promise<import('./api.js').Answer>}
   */
  async ask(message, config, key) {
    try {
      return await this.#askOnce(message, config, key);
    } catch (fault) {
      this.#forgetIfGone(fault);
      return this.#askOnce(message, config, key);
    }
  }

  /** Deletes the messages on the server; the session stays. */
  async clear() {
    const id = this.#store.read();
    if (id === null) return;
    try {
      await this.#api.clearHistory(id);
    } catch (fault) {
      this.#forgetIfGone(fault);
    }
  }

  /** @param {string} message @param {Settings} config @param {string} key */
  async #askOnce(message, config, key) {
    const sessionId = this.#store.read() ?? (await this.#create(config));
    const changed = changes(config, this.#sent);
    const answer = await this.#api.sendMessage(
      { sessionId, message, ...(changed && { config: changed }) },
      key,
    );
    this.#remember(changed ?? {});
    return answer;
  }

  /** @param {Settings} config */
  async #create(config) {
    const { sessionId } = await this.#api.createSession(config);
    this.#store.write(sessionId);
    this.#remember(config);
    this.onSession(sessionId);
    return sessionId;
  }

  /** @param {Settings} config */
  #remember(config) {
    for (const [key, value] of Object.entries(config)) this.#sent.set(key, JSON.stringify(value));
  }

  /** Throws any other fault. @param {unknown} fault */
  #forgetIfGone(fault) {
    if (!(fault instanceof ApiError && fault.status === 404 && fault.code === 'session_not_found'))
      throw fault;
    this.#store.write(null);
    this.#sent.clear();
  }
}

/**
 * Keeps the session's id beyond the page. Where browsers refuse storage to a frame of another site it
 * is kept as long as the page is.
 * @param {string} key
 * @param {() => Storage} [storage] asked anew each time, since the property itself may throw
 */
export function sessionStore(key, storage = () => window.localStorage) {
  /** @type {string | null} */
  let kept = null;
  return {
    read() {
      try {
        return storage().getItem(key) ?? kept;
      } catch {
        return kept;
      }
    },
    /** @param {string | null} id null forgets it */
    write(id) {
      kept = id;
      try {
        if (id === null) storage().removeItem(key);
        else storage().setItem(key, id);
      } catch {
        // Kept in memory.
      }
    },
  };
}
