// @ts-check
// Messages between this frame and the page around it: `{ type, data }`, to and from the parent's
// own origin only.

/**
 * The origin of the page around this one, as far as the browser tells.
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

  /** The parent's origin, '' while it is unknown. */
  get origin() {
    return this.#origin;
  }

  /** @param {string} type @param {(data: any) => void} handler */
  on(type, handler) {
    this.#handlers.set(type, handler);
  }

  /**
   * Tells the parent. Without a known origin nothing is said: a wildcard would tell anybody.
   * @param {string} type
   * @param {Record<string, unknown>} [data]
   */
  post(type, data = {}) {
    if (this.framed && this.#origin) this.#window.parent.postMessage({ type, data }, this.#origin);
  }

  /** @param {MessageEvent} event */
  #receive(event) {
    if (event.source !== this.#window.parent || !event.origin || event.origin === 'null') return;
    // Browsers that name neither ancestors nor referrer: the parent's first word names it.
    if (!this.#origin) this.#origin = event.origin;
    if (event.origin !== this.#origin) return;
    const { type, data } = event.data ?? {};
    if (typeof type === 'string') this.#handlers.get(type)?.(data ?? {});
  }
}
