// @ts-check
// Every word that the window itself says. English is here; each other language is a module of its
// own, loaded only for those who read it. `{name}` stands for a value; where a number decides the
// words, there is one text for each plural category of the language.

export const EN = {
  greeting: 'Hi! I am {name}. How can I help you?',
  online: 'Online',
  writing: 'Writing…',
  offline: 'Offline',
  offlineBar: 'You are offline. What you write stays here.',
  conversation: 'Conversation',
  placeholder: 'Write a message…',
  input: 'Your message',
  send: 'Send',
  close: 'Close chat',
  open: 'Open chat',
  you: 'You',
  typing: '{name} is writing',
  poweredBy: 'Powered by {name}',
  tryAgain: 'Try again',
  dismiss: 'Dismiss',
  startAnew: 'Start anew',
  startAnewQuestion: 'Delete this conversation and start anew?',
  keep: 'Keep it',
  unanswered: 'Not answered',
  incomplete: 'Broke off',
  stopped: 'Stopped',
  truncated: 'Cut at the length limit',
  sql: 'Computed with SQL',
  sqlRows: { one: 'Computed over {count} row', other: 'Computed over all {count} rows' },
  querying: 'Querying your data…',
  stop: 'Stop answering',
  suggestions: 'Suggested questions',
  copy: 'Copy',
  copied: 'Copied',
  copyCode: 'Copy code',
  characters: '{count} of {limit} characters',
  tooLong: {
    one: '{count} character too many',
    other: '{count} characters too many',
  },
  errorOffline: 'You are offline. Your message is kept; try again once you are connected.',
  errorUnreachable: 'The chat cannot be reached just now. Your message is kept.',
  errorTimeout: 'The answer is taking too long. Your message is kept.',
  errorOther: 'Something went wrong. Your message is kept.',
  errorTooFast: {
    one: 'You’re going too fast. Please wait {count} second.',
    other: 'You’re going too fast. Please wait {count} seconds.',
  },
  errorBusy: {
    one: 'The chat is very busy right now. Please wait {count} second.',
    other: 'The chat is very busy right now. Please wait {count} seconds.',
  },
  canRetry: 'You can try again now.',
  attach: 'Attach a CSV or JSON file',
  dropHint: 'Drop a CSV or JSON file here',
  uploading: 'Uploading {name}…',
  reading: 'Reading {name}…',
  cancelUpload: 'Cancel upload',
  uploadCancelled: 'Upload cancelled',
  removeFile: 'Remove {name}',
  fileRemoved: '{name} was removed',
  fileType: 'Only CSV and JSON files can be read here.',
  fileLimit: 'A file may have up to {size}.',
  fileFailed: 'That did not work for {name}. Please check your connection.',
  oneFile: 'One file at a time: only {name} was taken.',
  rows: { one: '{count} row', other: '{count} rows' },
  columns: { one: '{count} column', other: '{count} columns' },
};

/** @typedef {keyof typeof EN} StringKey */
/** @typedef {string | { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>} Text */
/** @typedef {Record<StringKey, Text>} Strings */

const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'ar', 'he', 'zh', 'ja'];
const RIGHT_TO_LEFT = ['ar', 'he'];

/** @type {Strings} */
let strings = EN;
/** @type {{ tag: string, dir: 'rtl' | 'ltr' }} */
let current = { tag: 'en', dir: 'ltr' };
let calls = 0;

/**
 * Speaks the language of `tag` from now on, or English where there is no table or it does not load.
 * Of several calls the last one counts, whichever loads first.
 * @param {string} tag BCP 47, such as `pt-BR`
 * @param {Record<string, unknown>} [overrides] texts of the site's own, by key
 * @returns {Promise<boolean>} false when a later call has come between
 */
export async function setLanguage(tag, overrides = {}) {
  const call = ++calls;
  let next = localeOf(tag);
  /** @type {Strings} */
  let table = EN;
  if (next.language !== 'en') {
    const module = await import(`./lang/${next.language}.js`).catch(() => null);
    if (module) table = module.default;
    else next = localeOf('en');
  }
  if (call !== calls) return false;
  table = { ...table };
  for (const key of /** @type {StringKey[]} */ (Object.keys(EN)))
    if (typeof overrides[key] === 'string') table[key] = overrides[key];
  current = { tag: next.baseName, dir: RIGHT_TO_LEFT.includes(next.language) ? 'rtl' : 'ltr' };
  strings = table;
  return true;
}

/** The tag's locale if its language is known here, else English. @param {string} tag */
function localeOf(tag) {
  try {
    // `Intl.Locale` knows the old names, too: `iw` is `he`.
    const locale = new Intl.Locale(tag.replaceAll('_', '-'));
    if (LANGUAGES.includes(locale.language)) return locale;
  } catch {
    // No tag at all.
  }
  return new Intl.Locale('en');
}

/** The language of the words, as `<html>` names it. */
export const language = () => current;

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [values] for `{name}` and the like; numbers are written as
 *   the language does, and the first one chooses the plural
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = strings[key];
  const count = Object.values(values).find((value) => typeof value === 'number');
  const form =
    typeof text === 'string'
      ? text
      : (text[new Intl.PluralRules(current.tag).select(Number(count))] ?? text.other);
  return form.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (typeof value === 'number') return number(value);
    // A left-to-right name must not carry its neighbours along in a right-to-left sentence.
    return value && current.dir === 'rtl' ? `\u2068${value}\u2069` : (value ?? whole);
  });
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(current.tag, options).format(value);

/** "1.2 MB" @param {number} bytes */
export const fileSize = (bytes) =>
  number(Math.max(0.1, bytes / (bytes < 2 ** 20 ? 1024 : 2 ** 20)), {
    style: 'unit',
    unit: bytes < 2 ** 20 ? 'kilobyte' : 'megabyte',
    maximumFractionDigits: 1,
  });
