// @ts-check
// Settings: their sources, their precedence, and which of them go to the server.

/** @typedef {Record<string, unknown>} Settings the object of `window.ChatbotConfig` */

/**
 * What the window shows.
 * @typedef {typeof DEFAULTS & { theme: 'auto' | 'light' | 'dark', suggestions: string[],
 *   maxMessageChars: number, canMinimize: boolean }} Display
 */

const DEFAULTS = {
  botName: 'Assistant',
  botColor: '#667eea', // any CSS colour
  botMsgBgColor: '#667eea',
  botIcon: '', // the address of an image; the CSP limits where it may come from
  poweredBy: '',
  greeting: '', // the page's, else the server's `welcome`; '' for the built-in one
  chatFont: '', // `font-family` and `border-radius`, taken from the host page
  chatRadius: '',
};

/** Keys that the API understands, with their types. */
const SESSION_KEYS = /** @type {const} */ ({
  botName: 'string',
  aiProvider: 'string',
  model: 'string',
  maxTokens: 'number',
  temperature: 'number',
  customInstructions: 'string',
  userIdentifier: 'string',
  pageContext: 'object',
  pageData: 'object',
  jsonData: 'any',
});

/** Settings that change how the window looks, but not what it says. */
const APPEARANCE_KEYS = ['botColor', 'botMsgBgColor', 'theme', 'language', 'mode'];

/** @param {unknown} value @returns {value is Settings} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The settings in an address, `?config=<JSON>`. In a frame all of them count: `frame-ancestors`
 * decides which sites can frame the chat. At top level anyone's link can name any settings, so only
 * the appearance counts; words, pictures and instructions would be the sender's under our host.
 * @param {string} search
 * @param {boolean} framed
 * @returns {Settings} empty if there are none or they cannot be read
 */
export function settingsFromQuery(search, framed) {
  try {
    const parsed = JSON.parse(new URLSearchParams(search).get('config') ?? '{}');
    if (!isObject(parsed)) return {};
    return framed
      ? parsed
      : Object.fromEntries(Object.entries(parsed).filter(([key]) => APPEARANCE_KEYS.includes(key)));
  } catch {
    return {};
  }
}

/**
 * What to show: the page's settings win over the server's, and these over the defaults.
 * @param {Settings} page
 * @param {Settings} [server] response of `/api/sessions/bot-config`
 * @returns {Display}
 */
export function display(page, server = {}) {
  /** @param {keyof typeof DEFAULTS} key */
  const pick = (key) => {
    for (const source of [page, server]) {
      const value = source[key];
      if (typeof value === 'string' && (value.trim() || key === 'poweredBy')) return value.trim();
    }
    return DEFAULTS[key];
  };
  // If the page sets only one colour, it is used for both.
  const botColor = pick('botColor');
  const botMsgBgColor =
    typeof page.botColor === 'string' && !page.botMsgBgColor ? botColor : pick('botMsgBgColor');
  const theme = page.theme === 'light' || page.theme === 'dark' ? page.theme : 'auto';
  return {
    botName: pick('botName'),
    botColor,
    botMsgBgColor,
    botIcon: pick('botIcon'),
    poweredBy: pick('poweredBy'),
    greeting: pick('greeting') || (typeof server.welcome === 'string' ? server.welcome.trim() : ''),
    chatFont: pick('chatFont'),
    chatRadius: pick('chatRadius'),
    theme,
    suggestions: texts(page.suggestions) ?? texts(server.suggestions) ?? [],
    maxMessageChars: typeof server.maxMessageChars === 'number' ? server.maxMessageChars : Infinity,
    canMinimize: page.mode !== 'inline' && page.mode !== 'fullscreen',
  };
}

/** @param {unknown} value @returns {string[] | undefined} undefined if it is not an array */
function texts(value) {
  if (!Array.isArray(value)) return undefined;
  return value.filter((text) => typeof text === 'string' && text.trim()).map((text) => text.trim());
}

/**
 * The settings that the server understands, without those of a wrong type.
 * @param {Settings} page
 * @returns {Settings}
 */
export function sessionConfig(page) {
  /** @type {Settings} */
  const config = {};
  for (const [key, type] of Object.entries(SESSION_KEYS)) {
    const value = page[key];
    if (value === undefined || value === null) continue;
    if (key === 'userIdentifier' && typeof value === 'number') config[key] = String(value);
    else if (type === 'any' || (type === 'object' ? isObject(value) : typeof value === type))
      config[key] = value;
  }
  return config;
}

/**
 * The part of `config` that differs from `sent`; the server merges key by key.
 * @param {Settings} config
 * @param {ReadonlyMap<string, string>} sent JSON by key
 * @returns {Settings | undefined} undefined if nothing has changed
 */
export function changes(config, sent) {
  const changed = Object.entries(config).filter(
    ([key, value]) => sent.get(key) !== JSON.stringify(value),
  );
  return changed.length ? Object.fromEntries(changed) : undefined;
}
