// @ts-check
// The part of the HTTP API that the window uses.

import { readEvents } from './stream.js';
import { language, t } from './strings.js';

/** Until the first token: the server waits for an earlier question, then for its provider. */
const ANSWER_TIMEOUT_MS = 150_000;
/** The server sends something on an open stream every 15 s, if only a comment. */
const SILENCE_MS = 45_000;
const TIMEOUT_MS = 20_000;

/**
 * @typedef {object} Extras optional parts of a message or answer
 * @property {string | number} [timestamp] ISO, or milliseconds since 1970
 * @property {string} [status] absent or `complete`, `incomplete`, `stopped`, `truncated`, `refused`, `unanswered`
 * @property {string} [html] the text as safe HTML
 * @property {{ svg: string, alt: string }} [chart]
 * @property {{ sql?: string, status: string, tableRows?: number }[]} [tools]
 */

/** @typedef {Extras & { role: 'user' | 'assistant', content: string }} Message as the server stores it */

/** @typedef {Extras & { response: string, sessionId: string, messageCount: number }} Answer */

/** @typedef {import('./upload.js').FileInfo} FileInfo */

/** @typedef {AsyncGenerator<import('./stream.js').ServerEvent, void, void>} Events */

/** Statuses under 500 after which the same request may succeed later. */
const RETRYABLE = [404, 408, 409, 425, 429];
/** Seconds to wait after a 429 without a readable `Retry-After`. */
const DEFAULT_WAIT_S = 10;

/** A failure in words that a visitor can read. */
export class ApiError extends Error {
  /** Seconds until the server accepts such a request again, 0 if it did not ask us to wait. */
  wait = 0;

  /**
   * @param {string} message
   * @param {number} status HTTP status, 0 without a response
   * @param {string} code the server's stable code, or `offline`, `unreachable`, `timeout`, `unknown`
   * @param {boolean} [retryable] whether the same request may succeed later
   */
  constructor(message, status, code, retryable) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryable = retryable ?? (!status || status >= 500 || RETRYABLE.includes(status));
  }
}

/**
 * The error for a failed request.
 * @param {number} status
 * @param {unknown} body
 * @param {boolean} [retryable] if the server says so
 * @param {string | null} [retryAfter] that header
 */
export function errorOf(status, body, retryable, retryAfter) {
  const { error, code } = /** @type {{ error?: unknown, code?: unknown }} */ (body ?? {});
  const known = typeof code === 'string' ? code : status === 429 ? 'rate_limited' : 'unknown';
  if (status === 429 || known === 'server_busy') {
    const seconds = waitOf(retryAfter) ?? DEFAULT_WAIT_S;
    return limitError(status, known, seconds);
  }
  // The server writes English. For an error that will pass, our own sentence in the visitor's
  // language says as much; a proxy's HTML page has no sentence at all.
  const passes = (retryable ?? status >= 500) && !language().tag.startsWith('en');
  const sentence = (!passes && typeof error === 'string' && error.trim()) || t('errorOther');
  return new ApiError(sentence.slice(0, 400), status, known, retryable);
}

/** A request refused for now, because of too many. @param {number} status @param {string} code @param {number} seconds */
export function limitError(status, code, seconds) {
  const words = t(status === 429 ? 'errorTooFast' : 'errorBusy', { count: seconds });
  return Object.assign(new ApiError(words, status, code, true), { wait: seconds });
}

/**
 * @param {string | null} [header] `Retry-After`: seconds, or a date as some proxies write it
 * @returns {number | undefined} seconds, at least 1; undefined if it cannot be read
 */
function waitOf(header) {
  const text = header?.trim() ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
}

export class Api {
  /** @param {URL | string} base the address that `api/…` is relative to, ending in `/` */
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
   * Sends a question and reads the answer as it streams in.
   * @param {{ sessionId: string, message: string, config?: Record<string, unknown> }} body
   * @param {string} key identifies this question, so that sending it twice asks it once
   * @param {AbortSignal} [signal]
   * @returns {Promise<Events | null>}
   */
  ask(body, key, signal) {
    const headers = { 'Idempotency-Key': key };
    return this.#stream('POST', 'chat/stream?html=1', {
      body,
      headers,
      timeout: ANSWER_TIMEOUT_MS,
      signal,
    });
  }

  /**
   * Reads the answer that is being written, from its start.
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<Events | null>} null if no answer is being written
   */
  resume(id, signal) {
    return this.#stream('GET', `chat/stream/${encodeURIComponent(id)}?html=1`, { signal });
  }

  /** @param {string} id */
  stop(id) {
    return this.#call('POST', `chat/stop/${encodeURIComponent(id)}`);
  }

  /** @param {string} id @returns {Promise<{ messages: Message[], file?: FileInfo }>} */
  history(id) {
    return this.#call('GET', `chat/history/${encodeURIComponent(id)}`);
  }

  /** @param {string} id */
  clearHistory(id) {
    return this.#call('DELETE', `chat/history/${encodeURIComponent(id)}`);
  }

  /**
   * @typedef {object} Options
   * @property {unknown} [body]
   * @property {Record<string, string>} [headers]
   * @property {number} [timeout] until the response starts, in milliseconds
   * @property {AbortSignal} [signal]
   */

  /** @param {string} method @param {string} path @param {Options} options */
  async #stream(method, path, options) {
    const { response, within } = await this.#open(method, path, options);
    if (!response.body || response.status === 204) return null;
    return readEvents(response.body, (step) => within(SILENCE_MS, step));
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Options} [options]
   * @returns {Promise<any>} the body of a 2xx
   */
  async #call(method, path, options) {
    const { response, within } = await this.#open(method, path, options);
    const answer = asObject(await within(TIMEOUT_MS, response.text()));
    if (!answer) throw errorOf(response.status, answer);
    return answer;
  }

  /**
   * @param {string} method
   * @param {string} path below `api/`
   * @param {Options} [options]
   * @throws {ApiError} for every kind of failure, as does `within`
   */
  async #open(method, path, { body, headers = {}, timeout = TIMEOUT_MS, signal } = {}) {
    const control = new AbortController();
    signal?.addEventListener('abort', () => control.abort());
    if (signal?.aborted) control.abort();
    /** @template T @param {number} ms @param {Promise<T>} step @returns {Promise<T>} */
    const within = async (ms, step) => {
      const timer = setTimeout(() => control.abort(), ms);
      try {
        return await step;
      } catch {
        if (control.signal.aborted) throw new ApiError(t('errorTimeout'), 0, 'timeout');
        if (globalThis.navigator?.onLine === false)
          throw new ApiError(t('errorOffline'), 0, 'offline');
        throw new ApiError(t('errorUnreachable'), 0, 'unreachable');
      } finally {
        clearTimeout(timer);
      }
    };
    const request = fetch(new URL(`api/${path}`, this.base), {
      method,
      headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: control.signal,
      credentials: 'omit',
      cache: 'no-store',
    });
    const response = await within(timeout, request);
    if (!response.ok) {
      const failure = asObject(await within(TIMEOUT_MS, response.text()));
      const retryAfter = response.headers.get('Retry-After');
      throw errorOf(response.status, failure, undefined, retryAfter);
    }
    return { response, within };
  }
}

/** @param {string} text @returns {object | null} null for anything else, such as a proxy's HTML */
function asObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
