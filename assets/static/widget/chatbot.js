// @ts-check
// The chat window: joins the settings, the conversation, the view and the page around it.

import { Api, ApiError } from './api.js';
import { Bridge } from './bridge.js';
import { applyTheme } from './color.js';
import { display, isObject, sessionConfig, settingsFromQuery } from './config.js';
import { Conversation, sessionStore } from './conversation.js';
import { t } from './strings.js';
import { View } from './view.js';

/** How long the host page may take to read its own text. */
const CONTEXT_TIMEOUT_MS = 500;
/** The window shows itself by then, with the server's colours or without. */
const SETTINGS_TIMEOUT_MS = 1500;
/** After a reload, a younger question may still be being answered. */
const PENDING_MS = 45_000;
const POLL_MS = 2000;

/** From the address and the host page. @type {import('./config.js').Settings} */
let settings = settingsFromQuery(location.search);
/** @type {import('./config.js').Settings} */
let serverSettings = {};
/** Whether our own loader is around: it has a launcher and reads the page for us. */
let hasLoader = false;
/** By request id. @type {Map<string, (data: unknown) => void>} */
const contextRequests = new Map();
/** One message after the other. @type {Promise<void>} */
let work = Promise.resolve();
/** Grows with each "start anew": what was under way before is not shown after. */
let epoch = 0;

/** Whether name and colours are known, and whether to focus the box then. */
let settled = false;
let wantsFocus = false;

const bridge = new Bridge();
// This file is at {base}/static/widget/chatbot.js.
const api = new Api(new URL('../../', import.meta.url));
const conversation = new Conversation(
  api,
  sessionStore(`chatbot-session ${bridge.origin}`.trim()),
  (sessionId) => bridge.post('session_created', { sessionId }),
);
const view = new View({
  send: (text) => void enqueue(text),
  startAnew: askToStartAnew,
  minimize,
  maximize,
});

function showSettings() {
  const shown = display(settings, serverSettings);
  applyTheme(shown);
  view.configure(shown);
}

/** @param {unknown} change */
function configure(change) {
  if (!isObject(change)) return;
  const { loader, ...rest } = change;
  hasLoader ||= loader === true;
  settings = { ...settings, ...rest };
  showSettings();
}

/** @param {string} text @returns {Promise<void>} */
function enqueue(text, key = randomKey()) {
  const asked = epoch;
  work = work.then(() => (asked === epoch ? ask(text, key) : undefined));
  return work;
}

/** @param {string} text @param {string} key */
async function ask(text, key) {
  const begun = epoch;
  view.hideNotice();
  const item = view.add({ role: 'user', content: text });
  view.setBusy(true);
  bridge.post('message_sent', { message: text });
  try {
    const answer = await conversation.ask(text, sessionConfig(await withPageContext()), key);
    if (begun !== epoch) return;
    const timestamp = new Date(answer.timestamp ?? Date.now()).getTime();
    view.setBusy(false);
    view.add({ ...answer, role: 'assistant', content: answer.response });
    bridge.post('message_received', {
      message: answer.response,
      sessionId: answer.sessionId,
      timestamp,
    });
  } catch (fault) {
    if (begun === epoch) failed(item, text, key, fault);
  } finally {
    if (begun === epoch) view.setBusy(false);
  }
}

/** @param {HTMLElement} item @param {string} text @param {string} key @param {unknown} fault */
function failed(item, text, key, fault) {
  const error = fault instanceof ApiError ? fault : new ApiError(t('errorOther'), 0, 'unknown');
  bridge.post('widget_error', { error: error.message, code: error.code });
  if (!error.retryable) {
    // The same text would be refused again: it goes back into the box, to be changed.
    item.remove();
    view.giveBack(text);
    view.notice({ text: error.message, tone: 'error' });
    return;
  }
  view.mark(item, 'unanswered');
  offerRetry(error.message, item, text, key);
}

/** @param {string} reason @param {HTMLElement} item @param {string} text @param {string} [key] */
function offerRetry(reason, item, text, key) {
  offer(reason, () => {
    item.remove();
    void enqueue(text, key);
  });
}

/** @param {string} text @param {() => void} onAction */
function offer(text, onAction) {
  view.notice({ text, tone: 'error', action: t('tryAgain'), onAction });
}

/** @param {unknown} fault */
function wordsOf(fault) {
  return fault instanceof ApiError ? fault.message : t('errorOther');
}

/** The settings with the host page's text of this moment. */
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

function askToStartAnew() {
  if (!conversation.begun && view.isEmpty) {
    view.focus();
    return;
  }
  view.notice({
    text: t('startAnewQuestion'),
    tone: 'question',
    action: t('startAnew'),
    dismiss: t('keep'),
    onAction: startAnew,
  });
}

/** What is under way is not waited for; what comes next waits for the server to have forgotten. */
function startAnew() {
  epoch += 1;
  view.setBusy(false);
  view.hideNotice();
  work = forget();
}

async function forget() {
  try {
    await conversation.clear();
    view.clear();
    bridge.post('chat_cleared');
  } catch (fault) {
    offer(wordsOf(fault), startAnew);
  }
}

function minimize() {
  if (!bridge.framed) return;
  if (!hasLoader) view.fold();
  bridge.post('widget_minimized');
}

function maximize() {
  wantsFocus = true;
  if (!settled) return; // Nameless and in the wrong colours is worse than a moment later.
  view.show();
  view.focus();
}

async function restore() {
  /** @type {import('./api.js').Message[]} */
  let messages;
  const begun = epoch;
  const until = performance.now() + PENDING_MS;
  try {
    messages = await conversation.restore();
    // A question without an answer yet may be being answered: the server goes on without us.
    while (isPending(messages.at(-1)) && begun === epoch && performance.now() < until) {
      draw(messages, true);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      messages = await conversation.restore();
    }
  } catch (fault) {
    view.setBusy(false);
    offer(wordsOf(fault), () => void (work = work.then(restore)));
    return;
  }
  if (begun === epoch) draw(messages, false);
}

/** @param {import('./api.js').Message[]} messages @param {boolean} pending */
function draw(messages, pending) {
  view.clear();
  /** @type {HTMLElement | undefined} */
  let item;
  for (const message of messages) {
    const waiting = pending && message === messages.at(-1);
    item = view.add(waiting ? { ...message, status: '' } : message);
  }
  view.setBusy(pending);
  const last = messages.at(-1);
  if (item && last?.status === 'unanswered' && !pending)
    offerRetry(t('questionUnanswered'), item, last.content);
}

/** @param {import('./api.js').Message | undefined} message */
function isPending(message) {
  return (
    message?.status === 'unanswered' && Date.now() - Number(message.timestamp ?? 0) < PENDING_MS
  );
}

/** 128 random bits; `crypto.randomUUID` is missing on plain http. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

bridge.on('hello', () => bridge.post('widget_ready'));
bridge.on('configure', configure);
bridge.on('page_data', (data) => {
  if (!isObject(data)) return;
  const { requestId, ...rest } = data;
  const waiting = typeof requestId === 'string' ? contextRequests.get(requestId) : undefined;
  if (waiting) waiting(rest);
  // The earlier host pages send the page's fields themselves, unasked.
  else if (typeof requestId !== 'string') settings = { ...settings, pageData: rest };
});
bridge.on('send_message', (data) => {
  const text = typeof data === 'string' ? data : data.message;
  if (typeof text === 'string' && text.trim()) void enqueue(text.trim());
});
bridge.on('clear_chat', startAnew);
bridge.on('minimize', minimize);
bridge.on('maximize', maximize);
addEventListener('online', () => view.showConnection());
addEventListener('offline', () => view.showConnection());

if (!bridge.framed) document.documentElement.dataset.alone = '';
view.allowMinimize(bridge.framed);
view.showConnection();
work = restore();
bridge.post('widget_ready');

const known = api.botConfig().then(
  (answer) => (serverSettings = answer),
  () => undefined, // The first message tells what is wrong.
);
await Promise.race([known, new Promise((resolve) => setTimeout(resolve, SETTINGS_TIMEOUT_MS))]);
settled = true;
showSettings();
view.show();
if (wantsFocus || !bridge.framed) view.focus();
void known.then(showSettings);
