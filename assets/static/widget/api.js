// @ts-check
// The HTTP API, as far as the window uses it.

import { t } from './strings.js';

/** The server gives a whole answer 120 s. */
const MESSAGE_TIMEOUT_MS = 150_000;
const TIMEOUT_MS = 20_000;

/**
 * @typedef {object} Extras what a message or answer may have besides its text
 * @property {string | number} [timestamp] ISO, or milliseconds since 1970
 * @property {string} [status] absent or `complete`, `incomplete`, `stopped`, `truncated`, `refused`, `unanswered`
 * @property {string} [html] the text as safe HTML
 * @property {{ svg: string, alt: string }} [chart]
 * @property {{ sql?: string, status: string }[]} [tools]
 */

/** @typedef {Extras & { role: 'user' | 'assistant', content: string }} Message as the server keeps it */

/** @typedef {Extras & { response: string, sessionId: string }} Answer */

/** A fault in words that a visitor may read. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status, 0 without an answer
   * @param {string} code the server's stable word, or `offline`, `unreachable`, `timeout`, `unknown`
   */
  constructor(message, status, code) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }

  /** Whether the same request may succeed later. */
  get retryable() {
    return (
      this.status === 0 || this.status >= 500 || [404, 408, 409, 425, 429].includes(this.status)
    );
  }
}

/**
 * The fault that a failed answer stands for; a sentence of our own for a proxy's HTML page.
 * @param {number} status
 * @param {unknown} body
 */
export function faultOf(status, body) {
  const { error, code } = /** @type {{ error?: unknown, code?: unknown }} */ (body ?? {});
  const sentence = typeof error === 'string' && error.trim() ? error.trim() : t('errorOther');
  return new ApiError(sentence.slice(0, 400), status, typeof code === 'string' ? code : 'unknown');
}

export class Api {
  /** @param {URL | string} base the address that `api/…` hangs on, with a `/` at its end */
  constructor(base) {
    this.base = base;
  }

  /** @returns {Promise<Record<string, unknown>>} */
  botConfig() {
    return this.#call('GET', 'sessions/bot-config');
  }

  /** @param {Record<string, unknown>} config @returns {Promise<{ sessionId: string }>} */
  createSession(config) {
    return this.#call('POST', 'sessions/create', { body: { config } });
  }

  /**
   * @param {{ sessionId: string, message: string, config?: Record<string, unknown> }} body
   * @param {string} key names this question, so that sending it twice asks it once
   * @returns {Promise<Answer>}
   */
  sendMessage(body, key) {
    return this.#call('POST', 'chat/message', { body, key, timeout: MESSAGE_TIMEOUT_MS });
  }

  /** @param {string} id @returns {Promise<{ messages: Message[] }>} */
  history(id) {
    return this.#call('GET', `chat/history/${encodeURIComponent(id)}`);
  }

  /** @param {string} id */
  clearHistory(id) {
    return this.#call('DELETE', `chat/history/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} method
   * @param {string} path below `api/`
   * @param {{ body?: unknown, key?: string, timeout?: number }} [options]
   * @returns {Promise<any>} the body of a 2xx
   * @throws {ApiError}
   */
  async #call(method, path, { body, key, timeout = TIMEOUT_MS } = {}) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeout);
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    try {
      const response = await fetch(new URL(`api/${path}`, this.base), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: limit.signal,
        credentials: 'omit',
        cache: 'no-store',
      });
      const answer = await response.json().catch((cause) => {
        if (limit.signal.aborted) throw cause;
        return null;
      });
      if (!response.ok || typeof answer !== 'object' || answer === null)
        throw faultOf(response.status, answer);
      return answer;
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      if (limit.signal.aborted) throw new ApiError(t('errorTimeout'), 0, 'timeout');
      if (globalThis.navigator?.onLine === false)
        throw new ApiError(t('errorOffline'), 0, 'offline');
      throw new ApiError(t('errorUnreachable'), 0, 'unreachable');
    } finally {
      clearTimeout(timer);
    }
  }
}
