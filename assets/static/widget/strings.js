// @ts-check
// All text of the window itself. English is here; every other language is a module of its own that is
// loaded only when needed. `{name}` is a placeholder; where the wording depends on a number, there is
// one text for each plural category of the language.
//
// Sites override single texts by these keys, so a key keeps its name when its text changes.

export const EN = {
  greeting: 'Hi! I’m {name}. How can I help you?',
  online: 'Online',
  writing: 'Typing…',
  offline: 'Offline',
  offlineBar: 'You’re offline. What you type is kept here.',
  conversation: 'Conversation',
  placeholder: 'Write a message…',
  input: 'Your message',
  send: 'Send',
  close: 'Close chat',
  open: 'Open chat',
  you: 'You',
  typing: '{name} is typing',
  poweredBy: 'Powered by {name}',
  tryAgain: 'Try again',
  sendAgain: 'Send again',
  dismiss: 'Dismiss',
  startAnew: 'New chat',
  startAnewQuestion: 'Delete this conversation and start a new one?',
  fileStays: 'The file stays attached.',
  keep: 'Cancel',
  unanswered: 'Not answered',
  incomplete: 'Interrupted',
  stopped: 'Stopped',
  truncated: 'Cut off at the length limit',
  sql: 'Calculated with SQL',
  sqlRows: { one: 'Calculated from {count} row', other: 'Calculated from all {count} rows' },
  querying: 'Querying your data…',
  thinking: 'Thinking…',
  stop: 'Stop the answer',
  suggestions: 'Suggested questions',
  copy: 'Copy',
  copied: 'Copied',
  copyCode: 'Copy code',
  characters: '{count} of {limit} characters',
  tooLong: {
    one: '{count} character over the limit',
    other: '{count} characters over the limit',
  },
  errorOffline: 'You’re offline. Your message is kept; try again once you’re back online.',
  errorUnreachable: 'The chat can’t be reached right now. Your message is kept.',
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
  fileType: 'Only CSV and JSON files are supported.',
  fileLimit: 'Files can be up to {size}.',
  fileFailed: 'Something went wrong with {name}. Please check your connection.',
  oneFile: 'One file at a time, please: only {name} was added.',
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
 * Switches to the language of `tag`, or to English if there is no table for it or it does not load.
 * Of several concurrent calls the last one wins, whichever loads first.
 * @param {string} tag BCP 47, such as `pt-BR`
 * @param {Record<string, unknown>} [overrides] the site's own texts, by key
 * @returns {Promise<boolean>} false if a later call has superseded this one
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

/** The locale of `tag` if we have its language, else English. @param {string} tag */
function localeOf(tag) {
  try {
    // `Intl.Locale` also maps deprecated codes: `iw` becomes `he`.
    const locale = new Intl.Locale(tag.replaceAll('_', '-'));
    if (LANGUAGES.includes(locale.language)) return locale;
  } catch {
    // Not a valid tag.
  }
  return new Intl.Locale('en');
}

/** The current language, as `lang` and `dir` of `<html>`. */
export const language = () => current;

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [values] for the placeholders; numbers are formatted for the
 *   language, and the first one selects the plural form
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
    // Isolated, a left-to-right name does not reorder the right-to-left text around it.
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
