// @ts-check
// The chat window: connects the settings, the conversation, the view and the page around it.

import { Announcer } from './announcer.js';
import { Api } from './api.js';
import { Bridge } from './bridge.js';
import { Chat, randomKey } from './chat.js';
import { applyTheme } from './color.js';
import { display, isObject, sessionConfig, settingsFromQuery } from './config.js';
import { Conversation, sessionStore, sleep } from './conversation.js';
import { byId } from './dom.js';
import { Feed } from './feed.js';
import { FileArea } from './files.js';
import { setLanguage, t } from './strings.js';
import { View } from './view.js';

/** How long the host page may take to read its text. */
const CONTEXT_TIMEOUT_MS = 500;
/** When the window appears at the latest, with or without the server's colours. */
const SETTINGS_TIMEOUT_MS = 1500;

/** @type {import('./config.js').Settings} */
let serverSettings = {};
/** Whether our loader embeds this frame: it has a launcher and reads the page for us. */
let hasLoader = false;
/** By request id. @type {Map<string, (data: unknown) => void>} */
const contextRequests = new Map();

/** Whether language, name and colours are known, and whether to focus the box once they are. */
let settled = false;
let wantsFocus = false;

const { documentElement } = document;
const bridge = new Bridge();
/** Settings from the address and the host page. @type {import('./config.js').Settings} */
let settings = settingsFromQuery(location.search, bridge.framed);
// This file is below {base}/static/.
const own = import.meta.url;
const api = new Api(own.slice(0, own.lastIndexOf('/static/') + 1));
const storeKey = `chatbot-session ${bridge.origin}`.trim();
const store = sessionStore(storeKey);
const drafts = sessionStore(`${storeKey} draft`, () => window.sessionStorage);
const conversation = new Conversation(api, store, {
  onSession: (sessionId) => bridge.post('session_created', { sessionId }),
  onGone: () => files.clear(),
  wait(limit) {
    view.notice({ text: limit.message, tone: 'error', wait: limit.wait });
    return sleep(limit.wait * 1000);
  },
});
const view = new View({
  send: (text) => chat.send(text),
  stop: () => void chat.stop(),
  keep: (draft) => drafts.write(draft || null),
  newChat: confirmNewChat,
  minimize,
  maximize,
});
// What was half written on the page before.
view.giveBack(drafts.read() ?? '');
const feed = new Feed(new Announcer(byId('announcer')));
const files = new FileArea({
  base: new URL(api.base),
  area: byId('file-area'),
  composer: byId('composer'),
  drop: byId('chatbot-container'),
  session: () => conversation.session(sessionConfig(settings)),
  renew: () => conversation.renew(sessionConfig(settings)),
  onError(text, onAction, wait) {
    bridge.post('widget_error', { error: text, code: 'upload_failed' });
    view.notice({ text, tone: 'error', action: 'tryAgain', onAction, wait });
  },
});
const chat = new Chat({
  conversation,
  store,
  view,
  feed,
  files,
  post: (type, data) => bridge.post(type, data),
  config: async () => sessionConfig(await withPageContext()),
});

/** Settles when the language of the settings is in use. */
let translated = translate();

function showSettings() {
  const shown = display(settings, serverSettings);
  applyTheme(shown);
  files.configure(serverSettings);
  view.configure({ ...shown, canMinimize: shown.canMinimize && bridge.framed });
}

async function translate() {
  const { language, pageLanguage, strings } = settings;
  const tag = [language, pageLanguage].find((value) => value && typeof value === 'string');
  const own = isObject(strings) ? strings : {};
  if (!(await setLanguage(String(tag ?? navigator.language), own))) return;
  showSettings();
  files.relabel();
}

/** @param {unknown} change */
function configure(change) {
  if (!isObject(change)) return;
  const { loader, ...rest } = change;
  hasLoader ||= loader === true;
  settings = { ...settings, ...rest };
  showSettings();
  translated = translate();
}

/** The settings with the host page's current text. */
async function withPageContext() {
  if (!hasLoader) return settings;
  const requestId = randomKey();
  /** @type {unknown} */
  const data = await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), CONTEXT_TIMEOUT_MS);
    contextRequests.set(requestId, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    bridge.post('context_request', { requestId });
  });
  contextRequests.delete(requestId);
  if (isObject(data)) settings = { ...settings, ...data };
  return settings;
}

function confirmNewChat() {
  if (!conversation.begun && feed.isEmpty) {
    view.focus();
    return;
  }
  view.notice({
    text: files.has ? `${t('startAnewQuestion')} ${t('fileStays')}` : t('startAnewQuestion'),
    tone: 'question',
    action: 'startAnew',
    dismiss: 'keep',
    onAction: () => chat.newChat(),
  });
}

function minimize() {
  if (!bridge.framed || !display(settings).canMinimize) return;
  if (!hasLoader) view.fold();
  bridge.post('widget_minimized');
}

function maximize() {
  wantsFocus = true;
  if (!settled) return; // Better a little later than without a name and in the wrong colours.
  view.show();
  view.focus();
}

bridge.on('hello', () => bridge.post('widget_ready'));
bridge.on('configure', configure);
bridge.on('page_data', (data) => {
  if (!isObject(data)) return;
  const { requestId, ...rest } = data;
  const waiting = typeof requestId === 'string' ? contextRequests.get(requestId) : undefined;
  if (waiting) waiting(rest);
  // Host pages written for the earlier widget send the page's fields by themselves.
  else if (typeof requestId !== 'string') settings = { ...settings, pageData: rest };
});
bridge.on('send_message', (data) => {
  const text = typeof data === 'string' ? data : data.message;
  if (typeof text === 'string' && text.trim()) chat.send(text.trim());
});
bridge.on('clear_chat', () => chat.newChat());
bridge.on('minimize', minimize);
bridge.on('maximize', maximize);

addEventListener('online', () => {
  view.showConnection();
  void chat.refresh();
});
addEventListener('offline', () => view.showConnection());
addEventListener('storage', ({ key }) => {
  if (key === `${storeKey} changed`) void chat.refresh();
});
document.addEventListener('visibilitychange', () => void chat.refresh());
if (!bridge.framed) {
  documentElement.dataset.alone = '';
  // On iOS the keyboard covers the page, and only the visual viewport reflects that.
  const seen = window.visualViewport;
  seen?.addEventListener('resize', () => {
    if (seen.scale === 1) documentElement.style.setProperty('--view-height', `${seen.height}px`);
  });
}

view.showConnection();
void chat.restore().then(() => (byId('suggestions').hidden = false));
bridge.post('widget_ready');

const known = api.botConfig().then(
  (answer) => (serverSettings = answer),
  () => undefined, // The first message will report what is wrong.
);
const timeout = new Promise((resolve) => setTimeout(resolve, SETTINGS_TIMEOUT_MS));
await Promise.race([known.then(() => translated), timeout]);
settled = true;
showSettings();
view.show();
feed.showEnd();
if (wantsFocus || !bridge.framed) view.focus();
void known.then(showSettings);
