// @ts-check
// Announces answers to screen readers, sentence by sentence as they stream in.
//
// Nothing else in the conversation is announced: the log itself is `aria-live="off"`, since a growing
// text would be read letter by letter, or from the start with every word, and once more when the
// rendered HTML replaces it.

import { language } from './strings.js';

const KEPT_MS = 10_000;

/**
 * Splits off the sentences that are complete.
 * @param {string} text
 * @param {string} [locale]
 * @returns {[string[], string]} the sentences and the rest; joined, they are the text
 */
export function splitSentences(text, locale) {
  // Browsers without the segmenter support look-behind.
  const sentences = Intl.Segmenter
    ? [...new Intl.Segmenter(locale, { granularity: 'sentence' }).segment(text)].map(
        ({ segment }) => segment,
      )
    : text.split(/(?<=[.!?…。！？؟]\s|\n)/);
  // The last one may be incomplete unless its line has ended: `3.` may become `3.5`.
  const rest = /\n$/.test(text) ? '' : (sentences.pop() ?? '');
  return [sentences, rest];
}

/** A sentence as it should be read out, without Markdown syntax. @param {string} text */
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

  /** @param {string} text the next part of an answer */
  write(text) {
    const [sentences, rest] = splitSentences(this.#rest + text, language().tag);
    this.#rest = rest;
    for (const sentence of sentences) this.#say(sentence);
  }

  /** Announces the rest: the answer is complete. */
  end() {
    this.#say(this.#rest);
    this.#rest = '';
  }

  /** Discards what has not been announced yet. */
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
    // Otherwise someone navigating by hand would come across it a second time.
    setTimeout(() => line.remove(), KEPT_MS);
  }
}
