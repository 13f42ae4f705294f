// @ts-check
// The loader that a site pastes as one script tag: a launcher, and the chat window in an iframe of
// this script's own server. It lives in a shadow root with a constructed style sheet: neither the
// page's CSS nor its CSP changes it. Messages go to the frame's origin and come from that frame only.
(() => {
  'use strict';

  /** @type {any} */
  const page = window;
  const script = /** @type {HTMLScriptElement | null} */ (
    document.currentScript ?? document.querySelector('script[src*="/embed.js"]')
  );
  if (!script || page.ChatbotWidget) return;

  const tag = script.dataset;
  const base = new URL((tag.apiUrl || '.').replace(/\/?$/, '/'), script.src);
  const frameUrl = new URL('widget/chatbot.html', base);
  /** The frame's messages that are told to the page. @type {Record<string, string>} */
  const EVENTS = {
    session_created: 'session',
    message_sent: 'message-sent',
    message_received: 'message',
    chat_cleared: 'reset',
    widget_error: 'error',
  };
  const NARROW = '(max-width: 639px)';

  const { position = '' } = tag;
  const edge = position.startsWith('top') ? 'top' : 'bottom';
  const side = position.endsWith('left') ? 'left' : 'right';
  const zIndex = /^\d{1,10}$/.test(tag.zIndex ?? '') ? tag.zIndex : 2147483000;
  const CSS_TEXT = `
:host{all:initial!important;position:fixed!important;z-index:var(--chat-z-index,${zIndex})!important;
 ${edge}:20px!important;${side}:20px!important;font-family:system-ui,sans-serif!important}
button{font:inherit;cursor:pointer}
button:focus-visible{outline:3px solid var(--bot-primary-color,#667eea);outline-offset:3px}
.launcher{display:grid;place-items:center;width:60px;height:60px;padding:0;border:1px solid transparent;border-radius:50%;
 background:var(--bot-primary-color,#667eea);color:var(--on-primary,#fff);
 box-shadow:0 8px 24px rgb(22 28 45/22%);transition:.16s}
.launcher:hover{transform:scale(1.05)}
svg{width:30px;fill:currentColor;grid-area:1/1;transition:.16s}
.close{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;opacity:0;transform:rotate(-45deg)}
.open .chat{opacity:0}.open .close,.open .panel{opacity:1;transform:none;visibility:visible}
.panel{position:fixed;${edge}:92px;${side}:20px;display:flex;box-sizing:border-box;
 width:var(--chat-width,384px);height:var(--chat-height,640px);max-width:calc(100vw - 40px);
 max-height:calc(100dvh - 112px);border-radius:var(--chat-radius,12px);overflow:hidden;background:#fff;color:#5c6478;
 box-shadow:0 0 0 1px rgb(22 28 45/8%),0 16px 48px rgb(22 28 45/18%);
 visibility:hidden;opacity:0;transform:translateY(8px);transition:.16s}
.wait{margin:auto;font-size:15px;text-align:center}
.wait button{display:block;margin:12px auto;padding:8px 16px}
iframe{position:absolute;inset:0;width:100%;height:100%;border:0;visibility:hidden}
.ready.open iframe{visibility:inherit}
.dark .panel{background:#171a23;color:#a6aec2;box-shadow:0 0 0 1px #343a4b}
@media ${NARROW}{
 .panel{inset:0;width:100%;height:100dvh;max-width:none;max-height:none;border-radius:0}
 .ready.open .launcher{display:none}
}
@media (prefers-reduced-motion){*{transition:none!important}}`;

  /** @type {Map<string, Set<(detail: unknown) => void>>} */
  const listeners = new Map();
  /** Kept until the frame is there. @type {[string, unknown][]} */
  const queue = [];
  /** What `setContext` was given. */
  let extra = {};
  /** What `/api/sessions/bot-config` says. */
  let server = {};
  /** @type {HTMLElement | undefined} */
  let host;
  /** @type {HTMLIFrameElement | undefined} */
  let frame;
  let ready = false;
  let isOpen = false;
  let failTimer = 0;
  const life = new AbortController();
  const { signal } = life;

  const root = create('div', 'root');
  const launcher = /** @type {HTMLButtonElement} */ (create('button', 'launcher'));
  const panel = create('div', 'panel');
  const wait = create('div', 'wait');
  const darkMode = matchMedia('(prefers-color-scheme: dark)');

  /** @param {string} tag @param {string} className */
  function create(tag, className) {
    const made = document.createElement(tag);
    made.className = className;
    return made;
  }

  /** @param {string} className @param {string} path */
  function icon(className, path) {
    const [svg, line] = ['svg', 'path'].map((tag) =>
      document.createElementNS('http://www.w3.org/2000/svg', tag),
    );
    svg.setAttribute('class', className);
    svg.setAttribute('viewBox', '0 0 24 24');
    line.setAttribute('d', path);
    svg.append(line);
    return svg;
  }

  /** The page's settings; the script's win over the tag's. Read anew each time: pages change theirs. */
  function settings() {
    const merged = {
      theme: tag.theme,
      botName: tag.botName,
      greeting: tag.greeting,
      botColor: tag.primaryColor,
      ...page.ChatbotConfig,
    };
    try {
      return JSON.parse(JSON.stringify(merged)); // What cannot be JSON cannot be sent either.
    } catch {
      return {};
    }
  }

  /** What the page shows at this moment. */
  function readPage() {
    const main = /** @type {HTMLElement} */ (
      document.querySelector('main, [role="main"], article') ?? document.body
    );
    const description = document.querySelector(
      'meta[name=description], meta[property="og:description"]',
    );
    const text = main.innerText
      .replace(/\t+/g, ' | ')
      .replace(/[^\S\n]+/g, ' ')
      .replace(/ ?\n ?/g, '\n')
      .replace(/\n{3,}/g, '\n\n');
    return {
      url: location.origin + location.pathname + location.search, // A fragment may hold a secret.
      title: document.title.slice(0, 300),
      description: description?.getAttribute('content')?.slice(0, 1000),
      content: text
        .trim()
        .slice(0, 8000)
        .replace(/[\uD800-\uDBFF]$/, ''),
      language: document.documentElement.lang,
    };
  }

  /** @param {string} type @param {unknown} [data] */
  function post(type, data = {}) {
    if (!ready) return void queue.push([type, data]);
    if (type === 'maximize') frame?.focus();
    frame?.contentWindow?.postMessage({ type, data }, frameUrl.origin);
  }

  /** @param {string} name @param {unknown} [detail] */
  function emit(name, detail = {}) {
    for (const fn of listeners.get(name) ?? []) queueMicrotask(() => fn(detail)); // One that throws stops no other.
    window.dispatchEvent(new CustomEvent(`chatbot:${name}`, { detail }));
  }

  function configure() {
    ready = true;
    clearTimeout(failTimer);
    root.classList.add('ready');
    post('configure', { ...settings(), loader: true });
    for (const [type, data] of queue.splice(0)) post(type, data);
  }

  /** @param {MessageEvent} event */
  function receive(event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== frameUrl.origin) return;
    const { type, data = {} } = event.data ?? {};
    if (type === 'widget_ready') configure();
    else if (type === 'context_request') {
      const own = settings();
      post('page_data', {
        ...own,
        requestId: data.requestId,
        pageContext: { ...readPage(), ...own.pageContext, ...extra },
      });
    } else if (type === 'widget_minimized') close();
    else if (Object.hasOwn(EVENTS, type)) emit(EVENTS[type], data);
  }

  function load() {
    if (!host?.isConnected || frame) return;
    wait.textContent = 'Loading…';
    frame = /** @type {HTMLIFrameElement} */ (create('iframe', ''));
    const { botName } = { ...server, ...settings() };
    frame.title = botName ? `Chat: ${botName}` : 'Chat';
    frame.referrerPolicy = 'origin'; // Tells the frame whom to speak to.
    // A frame that cannot know our origin says nothing until it has heard from us.
    frame.onload = () =>
      ready || frame?.contentWindow?.postMessage({ type: 'hello' }, frameUrl.origin);
    frame.src = frameUrl.href;
    failTimer = window.setTimeout(fail, 15000);
    panel.append(frame);
  }

  function fail() {
    const error = 'The chat cannot be reached just now.';
    const again = create('button', '');
    again.textContent = 'Try again';
    again.addEventListener('click', load);
    wait.replaceChildren(error, again);
    frame?.remove();
    frame = undefined;
    emit('error', { error, code: 'unreachable' });
  }

  /** @param {boolean} focus whether the cursor goes there too */
  function open(focus) {
    if (isOpen) return;
    isOpen = true;
    load();
    showState();
    if (focus) post('maximize');
    emit('opened');
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    const inside = host?.shadowRoot?.activeElement === frame;
    showState();
    if (inside) launcher.focus();
    emit('closed');
  }

  function showState() {
    root.classList.toggle('open', isOpen);
    launcher.setAttribute('aria-expanded', String(isOpen));
    launcher.setAttribute('aria-label', isOpen ? 'Close chat' : 'Open chat');
    fitViewport();
  }

  /** On small screens the window ends above the keyboard, which `dvh` does not know of. */
  function fitViewport() {
    const seen = window.visualViewport;
    const full = isOpen && seen && matchMedia(NARROW).matches && seen.scale === 1;
    panel.style.setProperty('height', full ? `${seen.height}px` : '');
    panel.style.setProperty('top', full ? `${seen.offsetTop}px` : '');
  }

  /** The launcher in the owner's colour, its icon white wherever that can be seen (3:1). */
  function paint() {
    const shown = { ...server, ...settings() };
    if (CSS.supports('color', shown.botColor))
      root.style.setProperty('--bot-primary-color', shown.botColor);
    const [r, g, b] = (getComputedStyle(launcher).backgroundColor.match(/[\d.]+/g) ?? []).map(
      (part) => (Number(part) / 255) ** 2.2,
    );
    const light = 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) < 3;
    root.style.setProperty('--on-primary', light ? '#1b2030' : '#fff');
    root.classList.toggle(
      'dark',
      shown.theme === 'dark' || (shown.theme !== 'light' && darkMode.matches),
    );
  }

  async function mount() {
    host = create('chatbot-widget', '');
    const shadow = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
    shadow.adoptedStyleSheets = [sheet];
    launcher.type = 'button';
    launcher.append(
      icon(
        'chat',
        'M6 4h12a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-4.6l-4.5 3.6c-.5.4-1.2 0-1.2-.6V17H6a3 3 0 0 1-3-3V7a3 3 0 0 1 3-3z',
      ),
      icon('close', 'm6.5 6.5 11 11m0-11-11 11'),
    );
    panel.setAttribute('role', 'dialog');
    panel.setAttribute('aria-label', 'Chat');
    panel.append(wait);
    root.append(launcher, panel);
    shadow.append(root);
    launcher.addEventListener('click', () => api.toggle());
    for (const hint of ['pointerenter', 'focus']) launcher.addEventListener(hint, load);
    root.addEventListener('keydown', (event) => event.key === 'Escape' && close());
    window.addEventListener('message', receive, { signal });
    window.visualViewport?.addEventListener('resize', fitViewport, { signal });
    darkMode.addEventListener('change', paint, { signal });
    showState();

    // The server's colour, unless the page names one: better a moment later than in two colours.
    if (!settings().botColor) {
      server = await fetch(new URL('api/sessions/bot-config', base), {
        credentials: 'omit',
        signal: AbortSignal.timeout(1500),
      })
        .then((answer) => answer.json())
        .catch(() => ({}));
    }
    if (signal.aborted) return;
    document.body.append(host);
    paint();
    if (queue.length || isOpen) load();
    emit('ready');
    // A window that fills a small screen unasked would be in the visitor's way.
    if ((tag.openOnLoad ?? 'false') !== 'false' && !matchMedia(NARROW).matches) open(false);
  }

  const api = {
    open: () => open(true),
    close,
    toggle: () => (isOpen ? close() : open(true)),
    /** @param {string} text */
    sendMessage(text) {
      if (typeof text !== 'string' || !text.trim()) return;
      post('send_message', { message: text });
      load();
    },
    reset() {
      post('clear_chat');
      load();
    },
    /** Replaces what is read of the page, key by key, or adds to it. @param {Record<string, unknown> | null} context */
    setContext(context) {
      extra = context ? { ...extra, ...context } : {};
    },
    /** @param {string} event @param {(detail: unknown) => void} fn */
    on(event, fn) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(fn));
    },
    /** @param {string} event @param {(detail: unknown) => void} fn */
    off(event, fn) {
      listeners.get(event)?.delete(fn);
    },
    destroy() {
      clearTimeout(failTimer);
      life.abort();
      listeners.clear();
      host?.remove();
      delete page.ChatbotWidget;
    },
  };
  page.ChatbotWidget = api;
  if (document.readyState === 'complete') void mount();
  else window.addEventListener('load', mount, { signal });
})();
