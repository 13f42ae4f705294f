// @ts-check
// Settings: where they come from, which count, and what of them goes to the server.

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
  botIcon: '', // the address of a picture; the CSP says of which kind
  poweredBy: '',
  greeting: '', // the page's, or else the server's `welcome`; '' for the built-in one
  chatFont: '', // `font-family` and `border-radius` as the page around has them
  chatRadius: '',
};

/** Keys that the API gives a meaning to, and the type that each must have. */
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

/** Settings that change how the window looks and not what it says. */
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
 * What to show: the page's settings over the server's over the built-in ones.
 * @param {Settings} page
 * @param {Settings} [server] answer of `/api/sessions/bot-config`
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
  // One colour given by the page means both, unless it names both.
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

/** @param {unknown} value @returns {string[] | undefined} undefined when it is no list */
function texts(value) {
  if (!Array.isArray(value)) return undefined;
  return value.filter((text) => typeof text === 'string' && text.trim()).map((text) => text.trim());
}

/**
 * What of the settings concerns the server, wrong types left out.
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
 * The keys of `config` whose values are not those in `sent`; the server merges key by key.
 * @param {Settings} config
 * @param {ReadonlyMap<string, string>} sent JSON by key
 * @returns {Settings | undefined} undefined when nothing has changed
 */
export function changes(config, sent) {
  const changed = Object.entries(config).filter(
    ([key, value]) => sent.get(key) !== JSON.stringify(value),
  );
  return changed.length ? Object.fromEntries(changed) : undefined;
}
