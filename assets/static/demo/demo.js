// @ts-check
// The demo page: the tag with this server's address, controls that change it, and questions to ask
// the widget.

import { FILE_NAME, ordersCsv } from './orders.js';
import { addTag, copyText, tagText } from './tag.js';

/** How long the chat window may take to load. */
const WAIT_MS = 10_000;

/** As in the tag of the page, whatever the operator's bot is called. */
const BOT_NAME = 'Assistant';

/** @type {any} */
const page = window;
const src = new URL('/embed.js', location.href).href;
/** The controls' values, named as in `dataset`; '' is the default. */
const choice = { primaryColor: '', position: '', theme: '', language: '' };
const sample = new File([ordersCsv()], FILE_NAME, { type: 'text/csv' });
/** Those of the page's tag. */
const suggestions = tagOfPage()?.dataset.suggestions ?? '';
let isOpen = false;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
const told = byId('file-told');

window.addEventListener('chatbot:opened', () => (isOpen = true));
window.addEventListener('chatbot:closed', () => (isOpen = false));

showTag();
byId('copy').addEventListener('click', () => copyText(byId('tag'), byId('copied')));

// Some browsers restore form values on reload, which the widget would not match.
byId('switches').reset();
byId('switches').addEventListener('change', (/** @type {any} */ { target }) => {
  const { name, value } = target;
  choice[/** @type {keyof typeof choice} */ (name)] = value;
  showTag();
  if (name === 'theme') {
    document.documentElement.dataset.theme = value;
    page.ChatbotWidget?.setTheme(value || 'auto');
  } else if (name === 'language') page.ChatbotWidget?.setLocale(value);
  else remount();
});

for (const button of document.querySelectorAll('[data-ask]'))
  button.addEventListener('click', () => ask(button.textContent));
for (const button of /** @type {NodeListOf<HTMLElement>} */ (
  document.querySelectorAll('[data-ask-file]')
))
  button.addEventListener('click', async () => {
    if (await attach()) ask(button.dataset.askFile || button.textContent);
  });
byId('attach').addEventListener('click', attach);
byId('download').href = URL.createObjectURL(sample);
byId('download').download = FILE_NAME;
showSetup();

/** Says what is left to do, as far as the server tells. Without an answer the page stays as it is. */
async function showSetup() {
  const setup = await fetch('/setup.json')
    .then((response) => response.json())
    .catch(() => undefined);
  if (!setup) return;
  const state = setup.production ? 'production' : setup.model ? 'model' : 'demo';
  for (const part of byId('setup').children) part.hidden = part.dataset.setup !== state;
  byId('setup-model').textContent = `${setup.model} (${setup.provider})`;
}

/** @returns {HTMLScriptElement | null} */
function tagOfPage() {
  return document.querySelector('script[src*="/embed.js"]');
}

function showTag() {
  byId('tag').textContent = tagText(src, choice);
  byId('copied').textContent = '';
}

/** Position and colour can only be set in the tag, so this replaces the tag, as a page load would. */
function remount() {
  page.ChatbotWidget?.destroy();
  for (const old of document.querySelectorAll('script[src*="/embed.js"]')) old.remove();
  // On the left it would cover the controls.
  const opens = isOpen && !choice.position.endsWith('left');
  isOpen = false;
  addTag(src, { ...choice, botName: BOT_NAME, suggestions, openOnLoad: opens ? 'true' : '' });
}

/** @param {string | null} question */
function ask(question) {
  page.ChatbotWidget?.open();
  page.ChatbotWidget?.sendMessage(question ?? '');
}

/** The chat window has this page's origin, so this page can reach into it. Other sites cannot. */
function chatWindow() {
  const frame = document.querySelector('chatbot-widget')?.shadowRoot?.querySelector('iframe');
  return frame?.contentDocument;
}

/**
 * Polls until `look` finds something.
 * @template T
 * @param {() => T | null | undefined | false} look
 * @returns {Promise<T>}
 */
async function found(look) {
  for (const until = performance.now() + WAIT_MS; performance.now() < until;) {
    const seen = look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('not found');
}

/** Whether the sample file is in the chat. */
const isAttached = () =>
  chatWindow()?.querySelector('.file-chip .file-name')?.textContent?.includes(FILE_NAME);

/** Attaches the sample file to the chat, as if the visitor had chosen it. @returns {Promise<boolean>} */
async function attach() {
  page.ChatbotWidget?.open();
  told.textContent = '';
  try {
    const shown = await found(() =>
      chatWindow()?.querySelector('#chatbot-container:not([hidden])'),
    );
    if (isAttached()) return true;
    const input = /** @type {HTMLInputElement} */ (
      await found(() => shown.querySelector('#file-input'))
    );
    const transfer = new DataTransfer();
    transfer.items.add(sample);
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return Boolean(await found(isAttached));
  } catch {
    told.textContent = 'That didn’t work. Please download the file and drop it onto the chat.';
    return false;
  }
}
