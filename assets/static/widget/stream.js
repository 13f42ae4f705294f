// @ts-check
// Server-sent events read from a response body: `EventSource` can neither POST nor report a status.

/** @typedef {{ type: string, data: string, id: string }} ServerEvent `id` is the last one received so far */

/**
 * A parser of `text/event-stream` (HTML standard, 9.2.6).
 * @returns {(chunk: string) => ServerEvent[]} takes text split anywhere, returns the events completed by it
 */
export function eventParser() {
  let rest = '';
  let id = '';
  let type = '';
  /** @type {string[]} */
  let data = [];
  return (chunk) => {
    /** @type {ServerEvent[]} */
    const events = [];
    // A CR at the end may be half of a CRLF; the next chunk decides.
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, field, value] = /** @type {RegExpExecArray} */ (/^([^:]*):? ?(.*)/s.exec(line));
      if (field === 'data') data.push(value);
      else if (field === 'event') type = value;
      else if (field === 'id') id = value;
      else if (!line) {
        if (data.length) events.push({ type: type || 'message', data: data.join('\n'), id });
        type = '';
        data = [];
      }
    }
    return events;
  };
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {<T>(step: Promise<T>) => Promise<T>} within limits the time of each read
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 */
export async function* readEvents(body, within) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parse = eventParser();
  try {
    for (;;) {
      const { done, value } = await within(reader.read());
      if (done) return;
      yield* parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // Closes the connection if reading stops early.
  }
}
