// @ts-check
// What the loader needs on the host page once the chat loads: reading the page, and giving the window
// its place on small screens.

/** On these the layout is wider than the screen if the page has no `meta viewport`. */
const DEVICE = '(max-device-width:640px),(max-device-height:500px)';
/** Visual viewports are less high than the window by less than this without a keyboard. */
const KEYBOARD_PX = 120;

const CSS = `
.badge{position:absolute;top:-4px;right:-4px;box-sizing:border-box;min-width:24px;padding:0 6px;border:2px solid #fff;
 border-radius:12px;background:#c62839;color:#fff;font-size:13px;line-height:20px}
.badge:empty{display:none}
.news{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`;

/** The number of unread answers, on the button. */
const badge = document.createElement('span');
/** Reads them out. */
const news = document.createElement('div');
badge.className = 'badge';
badge.ariaHidden = 'true';
news.className = 'news';
news.role = 'status';

/**
 * @param {ShadowRoot} shadow
 * @param {HTMLElement} launcher
 * @param {() => void} raise called when the page opens a modal dialog, which must not cover an open chat
 */
export function assist(shadow, launcher, raise) {
  if (news.parentNode === shadow) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  shadow.adoptedStyleSheets.push(sheet);
  launcher.append(badge);
  shadow.append(news);
  document.addEventListener(
    'toggle',
    ({ target }) => {
      if (target instanceof Element && target.matches('dialog:modal')) raise();
    },
    true,
  );
}

/** @param {string | null} name @param {string} answer as Markdown */
export function announce(name, answer) {
  news.textContent = `${name}: ${answer.replace(/[*_`#|>]+/g, '')}`;
}

/** What the page shows right now. */
export function readPage() {
  /** @type {any} */
  const main = document.querySelector('main, [role=main], article') ?? document.body;
  const description = document.querySelector('meta[name=description], meta[property$=description]');
  /** @type {string} */
  const text = main.innerText
    .replace(/\t+/g, ' | ')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n');
  return {
    // The fragment may contain a secret.
    url: location.origin + location.pathname + location.search,
    title: document.title,
    description: description?.getAttribute('content'),
    content: text
      .trim()
      .slice(0, 8000)
      .replace(/[\uD800-\uDBFF]$/, ''),
    language: document.documentElement.lang,
  };
}

/**
 * A copy of what JSON can express. `JSON.stringify` would call the `toJSON` that old libraries add
 * to every array, and one bad value would cost all the others.
 * @param {any} source
 * @param {unknown[]} above what contains it
 */
export function plain(source, above = [source]) {
  /** @type {any} */
  const copy = Array.isArray(source) ? [] : {};
  for (const [key, value] of Object.entries(source)) {
    try {
      const isObject = value && typeof value === 'object' && !(value instanceof Date);
      if (/^(function|symbol|bigint)$/.test(typeof value) || above.includes(value)) continue;
      copy[key] = isObject ? plain(value, [...above, value]) : value;
    } catch {
      // A property that cannot be read.
    }
  }
  return copy;
}

/**
 * `auto` on pages that follow the system themselves or do not show what they are.
 * @param {(color: string) => number[]} measure returns a colour's luminance and opacity
 */
export function pageTheme(measure) {
  const { body, documentElement } = document;
  const styles = [documentElement, body].flatMap((one) => (one ? getComputedStyle(one) : []));
  const meta = /** @type {any} */ (document.querySelector('meta[name=color-scheme]'));
  const scheme = styles[0].colorScheme.replace('normal', meta?.content ?? '');
  if (scheme) return /dark.*light|light.*dark/.test(scheme) ? 'auto' : /light|dark/.exec(scheme)?.[0] ?? 'auto';
  for (const { backgroundColor } of styles.reverse()) {
    const [lightness, alpha] = measure(backgroundColor);
    if (alpha > 0.5) return lightness < 0.2 ? 'dark' : 'light';
  }
  return 'auto';
}

/** How many times wider than the screen the page is laid out, for want of a `meta viewport`. */
function excess() {
  if (!matchMedia(DEVICE).matches) return 1;
  const { width, height } = screen;
  // Some phones keep the sizes of portrait orientation.
  const landscape = innerWidth > innerHeight;
  const across = landscape ? Math.max(width, height) : Math.min(width, height);
  return Math.max(1, innerWidth / across);
}

/** Undoes what was done to the page. @type {(() => void) | undefined} */
let release;

/** Keeps the page behind a window that covers it from scrolling and from getting the focus. */
function hold() {
  const { body, documentElement } = document;
  const { overflow } = documentElement.style;
  const { inert } = body;
  documentElement.style.overflow = 'hidden';
  body.inert = true;
  return () => {
    documentElement.style.overflow = overflow;
    body.inert = inert;
  };
}

/** Lets the back button close the window. @param {() => void} close */
function onBack(close) {
  const back = () => {
    if (!history.state?.chatbotWidget) close();
  };
  history.pushState({ ...Object(history.state), chatbotWidget: true }, '');
  addEventListener('popstate', back);
  return () => {
    removeEventListener('popstate', back);
    // The page may have gone elsewhere in the meantime.
    if (history.state?.chatbotWidget) history.back();
  };
}

/**
 * Called whenever the window opens, closes, or has other room.
 * @param {{ root: HTMLElement, panel: HTMLElement, frame?: HTMLElement, fills: boolean, bubble: boolean,
 *   unread: number, isOpen: boolean,
 *   inline: boolean, close: () => void }} window
 */
export function fit({ root, panel, frame, fills, bubble, unread, isOpen, inline, close }) {
  badge.textContent = unread ? String(unread) : '';
  if (inline) return;
  const seen = window.visualViewport;
  const scale = excess();
  const hasKeyboard = seen && innerHeight - seen.height * seen.scale * scale > KEYBOARD_PX;
  // Who zooms in with two fingers wants to look at a part of it.
  const fits = isOpen && seen && Math.abs(seen.scale * scale - 1) < 0.05 && (fills || hasKeyboard);
  root.classList.toggle('full', fills || Boolean(fits));
  Object.assign(
    panel.style,
    fits
      ? { top: `${seen.offsetTop}px`, height: `${seen.height}px` }
      : { top: '', height: '' },
  );
  if (frame) {
    const shrunk = isOpen && scale > 1 ? `${100 / scale}%` : '';
    Object.assign(frame.style, {
      width: shrunk,
      height: shrunk,
      transformOrigin: '0 0',
      transform: shrunk && `scale(${scale})`,
    });
  }
  const covers = isOpen && fills;
  if (bubble) panel.ariaModal = covers ? 'true' : null;
  if (covers && !release) {
    const undo = [hold(), ...(bubble ? [onBack(close)] : [])];
    release = () => undo.forEach((step) => step());
  } else if (!covers && release) {
    release();
    release = undefined;
  }
}
