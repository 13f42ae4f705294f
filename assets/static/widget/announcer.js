// @ts-check
// Tells screen readers the answers, sentence by sentence while they are written.
//
// This is the one voice of the conversation: the log itself is `aria-live="off"`, since it would
// read a growing text letter by letter or all of it again with each word, and once more when its HTML
// takes its place.

import { language } from './strings.js';

const KEPT_MS = 10_000;

/**
 * Splits what is complete from what may go on.
 * @param {string} text
 * @param {string} [locale]
 * @returns {[string[], string]} sentences, and the rest; joined they are the text
 */
export function splitSentences(text, locale) {
  // Whoever lacks the segmenter has look-behind.
  const sentences = Intl.Segmenter
    ? [...new Intl.Segmenter(locale, { granularity: 'sentence' }).segment(text)].map(
        ({ segment }) => segment,
      )
    : text.split(/(?<=[.!?…。！？؟]\s|\n)/);
  // The last may go on, unless its line is over: `3.` may become `3.5`.
  const rest = /\n$/.test(text) ? '' : (sentences.pop() ?? '');
  return [sentences, rest];
}

/** A sentence as it is to be read: without Markdown's marks. @param {string} text */
export function spoken(text) {
  return text
    .replace(/\]\([^)]*\)|[*\x60#>[\]]+|:?-{3,}:?/g, '')
    .replace(/[|\s]+/g, ' ')
    .trim();
}

export class Announcer {
  #region;
  #rest = '';

  /** @param {HTMLElement} region `aria-live="polite"`, additions only */
  constructor(region) {
    this.#region = region;
  }

  /** @param {string} text the next piece of an answer */
  write(text) {
    const [sentences, rest] = splitSentences(this.#rest + text, language().tag);
    this.#rest = rest;
    for (const sentence of sentences) this.#say(sentence);
  }

  /** The answer is complete. */
  end() {
    this.#say(this.#rest);
    this.#rest = '';
  }

  /** What has not been said yet is not going to be. */
  drop() {
    this.#rest = '';
  }

  /** @param {string} text */
  #say(text) {
    const words = spoken(text);
    if (!words) return;
    const line = document.createElement('p');
    line.textContent = words;
    this.#region.append(line);
    // Nobody who reads on by hand is to meet it a second time.
    setTimeout(() => line.remove(), KEPT_MS);
  }
}
