// @ts-check
// One visitor's conversation with the server: the session behind it, made when it is first needed
// and made anew when it has expired. Knows nothing of the page.

import { ApiError } from './api.js';
import { changes } from './config.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./config.js').Settings} Settings */

export class Conversation {
  /** What the session is known to have, as JSON by key. @type {Map<string, string>} */
  #sent = new Map();
  /** @type {import('./api.js').Api} */
  #api;
  /** @type {import('./storage.js').Store} */
  #store;

  /**
   * @param {import('./api.js').Api} api
   * @param {import('./storage.js').Store} store
   * @param {(sessionId: string) => void} [onSession] told of each new session
   */
  constructor(api, store, onSession = () => {}) {
    this.#api = api;
    this.#store = store;
    this.onSession = onSession;
  }

  /** Whether there is a session to go on with. */
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
      if (!isGone(fault)) throw fault;
      this.#forget();
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
      if (!isGone(fault)) throw fault;
      this.#forget();
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
      if (!isGone(fault)) throw fault;
      this.#forget();
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

  #forget() {
    this.#store.write(null);
    this.#sent.clear();
  }
}

/** @param {unknown} fault */
function isGone(fault) {
  return fault instanceof ApiError && fault.status === 404 && fault.code === 'session_not_found';
}
