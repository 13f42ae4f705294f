// @ts-check
// The session's id outlives the page. Browsers may refuse storage to a frame of another site:
// then it is kept as long as the page is.

/**
 * @typedef {object} Store
 * @property {() => string | null} read
 * @property {(id: string | null) => void} write null forgets it
 */

/**
 * @param {string} key
 * @param {() => Storage} [storage] asked anew each time, since the property itself may throw
 * @returns {Store}
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
