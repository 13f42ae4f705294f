// @ts-check
// The file that the conversation is about: choosing, uploading, showing and removing it.

import { button, disableFor, element } from './dom.js';
import { fileSize, number, t } from './strings.js';
import { factsOf, isReadable, refusalOf, send } from './upload.js';

/** @typedef {import('./upload.js').FileInfo} FileInfo */
/** @typedef {{ name: string, share: number, progress(): void, abort(): void }} Upload */

const CLIP = 'M17 8v8a5 5 0 0 1-10 0V7a3.5 3.5 0 0 1 7 0v8.5a1.5 1.5 0 0 1-3 0V8';
const CROSS = 'm7 7 10 10m0-10L7 17';

export class FileArea {
  #options;
  #limit = 10485760;
  /** @type {FileInfo | null | undefined} */
  #file;
  /** The upload in progress. @type {Upload | null} */
  #upload = null;
  /** A file that the server refused for now, and until when (milliseconds since 1970). @type {{ file: File, until: number } | null} */
  #refused = null;
  #endCountdown = () => {};

  #attach = iconButton('icon-btn', CLIP, () => this.#input.click());
  #input = Object.assign(document.createElement('input'), {
    id: 'file-input',
    type: 'file',
    accept: '.csv,.json',
    hidden: true,
  });
  #words = element('p', '');
  #hint = element('div', '', this.#words);
  #card = element('div', '');
  #refusedCard = element('div', '');
  #status = element('p', 'sr-only');

  /**
   * @param {object} options
   * @param {URL} options.base the address that `api/…` is relative to
   * @param {HTMLElement} options.area gets the chip and the progress bar
   * @param {HTMLFormElement} options.composer gets the attach button
   * @param {HTMLElement} options.drop gets the hint that covers the window while a file is dragged over it
   * @param {() => Promise<string>} options.session returns the session's id; creates one if needed
   * @param {() => Promise<string>} options.renew replaces an expired session
   * @param {(message: string, retry?: () => void, wait?: number) => void} options.onError
   *   `wait` is in seconds
   */
  constructor(options) {
    this.#options = options;
    this.#attach.id = 'attach-btn';
    this.#hint.id = 'drop-hint';
    this.#hint.hidden = true;
    this.#status.setAttribute('role', 'status');
    options.composer.prepend(this.#attach);
    options.area.append(this.#card, this.#refusedCard, this.#status, this.#input);
    options.drop.append(this.#hint);
    this.#input.onchange = () => {
      this.#take(this.#input.files);
      this.#input.value = ''; // So that the same file can be chosen again.
    };
    for (const type of ['dragenter', 'dragover', 'dragleave', 'drop', 'paste'])
      document.addEventListener(type, (event) => this.#receive(event));
    this.relabel();
  }

  /** @param {{ maxUploadBytes?: number }} settings */
  configure({ maxUploadBytes }) {
    this.#limit = maxUploadBytes || this.#limit;
  }

  /** @param {FileInfo | null} [file] the session's file */
  show(file) {
    this.#file = file;
    this.#draw();
  }

  /** The session's file is gone. An upload in progress continues with the next session. */
  clear() {
    this.show();
  }

  /** Whether a file is being uploaded. */
  get has() {
    return Boolean(this.#file);
  }

  get busy() {
    return Boolean(this.#upload);
  }

  relabel() {
    label(this.#attach, t('attach'));
    this.#words.textContent = t('dropHint');
    this.#draw();
    this.#drawRefused();
  }

  /** Handles drops anywhere in the window, and pastes. @param {any} event */
  #receive(event) {
    const { type, target, relatedTarget } = event;
    const { files, types } = event.dataTransfer ?? event.clipboardData;
    // The hint covers everything, so leaving it means leaving the window.
    if (type === 'drop' || (type === 'dragleave' && (target === this.#hint || !relatedTarget)))
      this.#hint.hidden = true;
    if (type === 'dragleave' || !types.includes('Files')) return;
    // Spreadsheets copy cells both as text and as an image; the text is what is wanted.
    if (type === 'paste' && types.includes('text/plain') && ![...files].some(isReadable)) return;
    event.preventDefault();
    if (type === 'drop' || type === 'paste') this.#take(files);
    else this.#hint.hidden = false;
  }

  /** @param {FileList | null} files */
  #take(files) {
    if (!files?.length) return;
    const [file] = files;
    if (files.length > 1) this.#options.onError(t('oneFile', { name: file.name }));
    void this.#send(file);
  }

  /** Replaces the earlier file, which stays if this one is refused. @param {File} file */
  async #send(file) {
    const { name } = file;
    const refusal = refusalOf(file, this.#limit);
    if (refusal) return this.#options.onError(refusal);
    this.#upload?.abort();
    this.#keepRefused(null);
    const upload = (this.#upload = { name, share: 0, progress() {}, abort() {} });
    this.#draw(t('uploading', { name }));
    try {
      const answer = await this.#deliver(upload, file);
      if (upload !== this.#upload) return;
      this.#upload = null;
      this.#file = answer;
      this.#draw([`${name}: ${factsOf(answer)}`, ...(answer.notes ?? [])].join('. '));
    } catch (error) {
      if (upload !== this.#upload) return;
      this.#upload = null;
      const { message, wait } = /** @type {any} */ (error);
      if (wait) {
        // Kept in a card of its own, which no other notice replaces.
        this.#keepRefused({ file, until: Date.now() + wait * 1000 });
        this.#draw('');
        return this.#options.onError(message, undefined, wait);
      }
      // A proxy with a lower limit may reset the connection instead of returning an error.
      const limit = t('fileLimit', { size: fileSize(this.#limit) });
      this.#fail(error, `${t('fileFailed', { name })} ${limit}`, () => this.#send(file));
    }
  }

  /** Uploads to the session, or to a new one if it has expired. @param {Upload} upload @param {File} file */
  async #deliver(upload, file) {
    const { session, renew } = this.#options;
    const attempt = (/** @type {string} */ id) => {
      // Cancelled while the session was being created.
      if (upload !== this.#upload) throw upload;
      const body = new FormData();
      body.append('sessionId', id);
      body.append('file', file);
      const { done, abort } = send('POST', this.#address('upload'), body, (share) => {
        upload.share = share;
        upload.progress();
      });
      upload.abort = abort;
      return done;
    };
    const id = await session();
    try {
      return await attempt(id);
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'session_not_found') throw error;
      this.#file = null; // It is gone with its session.
      // A question may have replaced the session already.
      const next = await session();
      return attempt(next === id ? await renew() : next);
    }
  }

  /** @param {string} name */
  async #remove(name) {
    try {
      await send('DELETE', this.#address(await this.#options.session())).done;
    } catch (/** @type {any} */ error) {
      // 404: the file is already gone, alone or with its session.
      if (error.status !== 404)
        return this.#fail(error, t('fileFailed', { name }), () => this.#remove(name));
    }
    this.#file = null;
    this.#draw(t('fileRemoved', { name }));
  }

  /** @param {string} path */
  #address(path) {
    return new URL(`api/files/${path}`, this.#options.base);
  }

  /** @param {any} error @param {string} words used unless the server sent an error @param {() => void} retry */
  #fail(error, words, retry) {
    this.#draw('');
    const said = error.status && error.code !== 'unknown';
    this.#options.onError(
      said ? error.message : words,
      said && !error.retryable ? undefined : retry,
    );
  }

  /** @param {{ file: File, until: number } | null} refused */
  #keepRefused(refused) {
    this.#refused = refused;
    this.#drawRefused();
  }

  /** The file that the server refused for now, with a button to send it again. */
  #drawRefused() {
    const card = this.#refusedCard;
    const focused = card.contains(document.activeElement);
    this.#endCountdown();
    card.className = this.#refused ? 'file-refused' : '';
    card.replaceChildren();
    if (this.#refused) {
      const { file, until } = this.#refused;
      const name = element('span', 'file-name', file.name);
      name.dir = 'auto';
      const retry = button('link-btn', 'tryAgain', () => this.#send(file));
      this.#endCountdown = disableFor(retry, (until - Date.now()) / 1000, () => {
        this.#status.textContent = t('canRetry');
      });
      const forget = iconButton('icon-btn file-forget', CROSS, () => this.#keepRefused(null));
      label(forget, t('removeFile', { name: file.name }));
      card.append(element('div', '', name), retry, forget);
    }
    if (focused) this.#attach.focus();
  }

  /** Shows the upload, else the file, else nothing. @param {string} [words] for screen readers */
  #draw(words = this.#status.textContent) {
    const upload = this.#upload;
    const file = this.#file;
    const card = this.#card;
    const focused = card.contains(document.activeElement);
    const first = element('span', 'file-name');
    first.dir = 'auto';
    this.#status.textContent = words;
    card.className = upload ? 'file-upload' : file ? 'file-chip' : '';
    card.replaceChildren();
    if (upload) {
      const { name } = upload;
      const bar = element('progress', 'file-progress');
      const cancel = iconButton('icon-btn file-cancel', CROSS, () => {
        this.#upload = null;
        upload.abort();
        this.#draw(t('uploadCancelled'));
      });
      label(cancel, t('cancelUpload'));
      upload.progress = () => {
        const { share } = upload;
        const sending = share < 1;
        const words = t(sending ? 'uploading' : 'reading', { name });
        label(bar, words);
        first.textContent = sending ? `${words} ${number(share, { style: 'percent' })}` : words;
        if (sending) bar.setAttribute('value', `${share}`);
        else {
          bar.removeAttribute('value');
          this.#status.textContent = words;
        }
      };
      upload.progress();
      card.append(element('div', '', first, bar), cancel);
    } else if (file) {
      const name = (first.textContent = first.title = file.fileName);
      const facts = element('span', 'file-facts', factsOf(file));
      const remove = iconButton('icon-btn file-remove', CROSS, () => this.#remove(name));
      label(remove, t('removeFile', { name }));
      card.append(element('div', '', first, facts, ...notesOf(file)), remove);
    }
    if (focused) this.#attach.focus();
  }
}

/**
 * What the server noted about the file, in English: the first sentence, which opens the others.
 * @param {FileInfo} file
 */
function notesOf({ notes: [note, ...more] = [] }) {
  if (!note) return [];
  const list = more.length
    ? element('details', 'file-notes', element('summary', '', note), ...more.map((text) => element('p', '', text)))
    : element('p', 'file-notes', note);
  list.lang = 'en';
  list.dir = 'auto';
  return [list];
}

/** @param {string} className @param {string} lines of its icon @param {() => void} onclick */
function iconButton(className, lines, onclick) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="${lines}"/></svg>`;
  const icon = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  return Object.assign(element('button', className, icon), { type: 'button', onclick });
}

/** @param {HTMLElement} target @param {string} words */
const label = (target, words) => Object.assign(target, { title: words, ariaLabel: words });
