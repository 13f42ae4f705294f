// @ts-check
// Messages between this frame and the page around it: `{ type, data }`, only to and from the parent's
// origin.

/**
 * The origin of the page around this one, if the browser reveals it.
 * @param {ArrayLike<string> | undefined} ancestors `location.ancestorOrigins`
 * @param {string} referrer
 * @returns {string} '' when unknown or opaque
 */
export function parentOrigin(ancestors, referrer) {
  if (ancestors?.length) return ancestors[0] === 'null' ? '' : ancestors[0];
  try {
    const { origin } = new URL(referrer);
    return origin === 'null' ? '' : origin;
  } catch {
    return '';
  }
}

export class Bridge {
  /** @type {Map<string, (data: any) => void>} */
  #handlers = new Map();
  #origin = '';
  /** @type {Window} */
  #window;

  /** @param {Window} [own] */
  constructor(own = window) {
    this.#window = own;
    if (!this.framed) return;
    this.#origin = parentOrigin(own.location.ancestorOrigins, own.document.referrer);
    own.addEventListener('message', (event) => this.#receive(event));
  }

  get framed() {
    return this.#window.parent !== this.#window;
  }

  /** The parent's origin, '' while unknown. */
  get origin() {
    return this.#origin;
  }

  /** @param {string} type @param {(data: any) => void} handler */
  on(type, handler) {
    this.#handlers.set(type, handler);
  }

  /**
   * Posts to the parent. Nothing is posted while its origin is unknown: a wildcard would reach any page.
   * @param {string} type
   * @param {Record<string, unknown>} [data]
   */
  post(type, data = {}) {
    if (this.framed && this.#origin) this.#window.parent.postMessage({ type, data }, this.#origin);
  }

  /** @param {MessageEvent} event */
  #receive(event) {
    if (event.source !== this.#window.parent || !event.origin || event.origin === 'null') return;
    // In browsers that reveal neither ancestors nor referrer, the parent's first message tells.
    if (!this.#origin) this.#origin = event.origin;
    if (event.origin !== this.#origin) return;
    const { type, data } = event.data ?? {};
    if (typeof type === 'string') this.#handlers.get(type)?.(data ?? {});
  }
}
