// @ts-check
// The loader, which a site adds with one script tag: a launcher button, and the chat window in an
// iframe from the server that this script comes from. Both live in a shadow root with a constructed
// style sheet, so the page's CSS cannot change them. Messages are only sent to the frame's origin and
// only accepted from that frame. Under a strict CSP the tag needs the page's nonce and nothing else
// does: there is no style element. Such a page must allow this server in frame-src, and in connect-src
// unless it sets a colour itself.
(() => {
  /** @type {any} */
  const page = window;
  /** @type {HTMLScriptElement | null} */
  const script = page.document.currentScript ?? document.querySelector('script[src*="/embed.js"]');
  // Elements and frames with this name or id show up as `window.ChatbotWidget` too, though never as
  // an own property. They are not meant for us and must not keep the chat from loading.
  const found = Object.hasOwn(page, 'ChatbotWidget') ? page.ChatbotWidget : undefined;
  // The widget of an earlier tag.
  if (!script || typeof found?.open === 'function') return;
  if (page.ChatbotWidget && !Array.isArray(found))
    console.warn('ChatbotWidget: replacing something else with this name on the page.');
  /** Calls made before this script was loaded, such as `['open']`. @type {unknown[]} */
  const early = Array.isArray(found) ? found : [];

  const tag = script.dataset;
  const base = new URL((tag.apiUrl || '.').replace(/\/?$/, '/'), script.src);
  const frameUrl = new URL('widget/chatbot.html', base);
  /** Messages of the frame that become events on the page. @type {Record<string, string>} */
  const EVENTS = {
    session_created: 'session',
    message_sent: 'message-sent',
    message_received: 'message',
    chat_cleared: 'reset',
    widget_error: 'error',
  };
  /** By language: the launcher's label when closed and when open, the text and button if loading fails. @type {Record<string, string[]>} */
  const WORDS = {
    en: ['Open chat', 'Close chat', 'The chat can’t be reached right now.', 'Try again'],
    de: [
      'Chat öffnen',
      'Chat schließen',
      'Der Chat ist gerade nicht erreichbar.',
      'Erneut versuchen',
    ],
    fr: [
      'Ouvrir le chat',
      'Fermer le chat',
      'Le chat est injoignable pour le moment.',
      'Réessayer',
    ],
    es: [
      'Abrir el chat',
      'Cerrar el chat',
      'Ahora mismo no se puede acceder al chat.',
      'Reintentar',
    ],
    pt: [
      'Abrir o chat',
      'Fechar o chat',
      'O chat está indisponível no momento.',
      'Tentar novamente',
    ],
    ar: ['فتح الدردشة', 'إغلاق الدردشة', 'يتعذر الوصول إلى الدردشة الآن.', 'إعادة المحاولة'],
    he: ['פתיחת הצ׳אט', 'סגירת הצ׳אט', 'אין כרגע גישה לצ׳אט.', 'ניסיון נוסף'],
    zh: ['打开聊天', '关闭聊天', '暂时无法连接聊天服务。', '重试'],
    ja: ['チャットを開く', 'チャットを閉じる', '現在チャットに接続できません。', '再試行'],
  };
  const narrow = matchMedia('(max-width: 639px)');

  const { mode, position = '' } = tag;
  const inline = mode === 'inline';
  const fullscreen = mode === 'fullscreen';
  const bubble = !inline && !fullscreen;
  const edge = position.startsWith('top') ? 'top' : 'bottom';
  const side = position.endsWith('left') ? 'left' : 'right';
  const zIndex = Number(tag.zIndex ?? 2147483000);
  const box = inline
    ? `display:block!important;position:relative!important;overflow:hidden!important;
 width:var(--chat-width,100%)!important;height:var(--chat-height,100%)!important`
    : `position:fixed!important;z-index:var(--chat-z-index,${zIndex})!important;
 ${edge}:20px!important;${side}:20px!important`;
  // Gives the chat a height if the element around it has none.
  const inlineCss = inline
    ? `.root::before{content:"";display:block;height:min(560px,90dvh)}
.panel{position:absolute;height:100%;border-width:1px;border-radius:var(--chat-radius,12px);box-shadow:none}`
    : '';
  const CSS_TEXT = `
:host{all:initial!important;font-family:system-ui,sans-serif!important;${box}}
button{font:inherit;cursor:pointer}
button:focus-visible{outline:3px solid var(--bot-primary-color,#667eea);outline-offset:3px}
.launcher{display:grid;place-items:center;position:relative;z-index:1;width:60px;height:60px;padding:0;border:1px solid transparent;
 border-radius:50%;background:var(--bot-primary-color,#667eea);color:var(--on-primary,#fff);
 box-shadow:0 8px 32px rgb(22 28 45/20%);transition:.16s}
.launcher:hover{transform:scale(1.05)}
svg{width:30px;fill:currentColor}
path{stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;transition:.16s}
.chat{stroke-width:4}
.close,.open .chat{opacity:0}
.open .close,.open .panel{opacity:1;visibility:visible}
.panel{position:fixed;${edge}:92px;${side}:20px;display:flex;box-sizing:border-box;
 width:var(--chat-width,384px);height:var(--chat-height,640px);max-width:calc(100vw - 40px);
 max-height:calc(100dvh - 112px);border-radius:var(--chat-radius,12px);overflow:hidden;background:Canvas;color:CanvasText;
 border:1px solid rgb(128 128 128/30%);box-shadow:0 8px 32px rgb(22 28 45/20%);
 visibility:hidden;opacity:0;transition:.16s}
.wait{margin:auto;font-size:15px;text-align:center}
.wait button{display:block;margin:12px auto;padding:8px 16px}
iframe{position:absolute;inset:0;width:100%;height:100%;border-width:0;visibility:hidden}
.ready.open iframe{visibility:inherit}
@media ${bubble ? narrow.media : 'all'}{
 .panel{inset:0;width:100%;height:100dvh;max-width:none;max-height:none;border-width:0;border-radius:0}
 .ready.open .launcher{display:none}
}
${inlineCss}
@media (prefers-reduced-motion){*{transition:none!important}}
@media print{.root{display:none}}`;

  /** @type {Map<string, Set<(detail: unknown) => void>>} */
  const listeners = new Map();
  /** Messages kept until the frame is ready. @type {[string, unknown][]} */
  const queue = [];
  /** Set with `setContext`. */
  let extra = {};
  /** Set with `setUser`, `setTheme` and `setLocale`. */
  const chosen = {};
  /** The response of `/api/sessions/bot-config`. */
  let server = {};
  /** @type {any} */
  let frame;
  let ready = false;
  let isOpen = false;
  let failTimer = 0;
  const life = new AbortController();
  const { signal } = life;

  const host = create('chatbot-widget');
  const shadow = host.attachShadow({ mode: 'open' });
  const root = create('div', { class: 'root' });
  const launcher = create('button', { class: 'launcher', 'aria-haspopup': 'dialog' });
  const panel = create('div', { class: 'panel', role: bubble ? 'dialog' : 'region' });
  const wait = create('div', { class: 'wait', role: 'status', dir: 'auto' });
  const seen = window.visualViewport;
  const bodies = new MutationObserver(attach);

  /** @param {Element} element @param {Record<string, string>} attributes @returns {any} the element */
  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /** @param {string} name @returns {HTMLElement} */
  function create(name, attributes = {}) {
    return set(document.createElement(name), attributes);
  }

  /** @param {string} name @param {Record<string, string>} attributes @returns {SVGElement} */
  function shape(name, attributes) {
    return set(document.createElementNS('http://www.w3.org/2000/svg', name), attributes);
  }

  /** @type {string[] | undefined} */
  let suggestions;
  try {
    // Also throws if it is not an array.
    if (tag.suggestions) suggestions = JSON.parse(tag.suggestions).map(String);
  } catch (error) {
    console.warn('data-suggestions:', error);
  }

  /** @returns {any} the page's current settings: those from script win over the tag's, and these over CSS */
  function settings() {
    const style = getComputedStyle(host);
    /** @param {string} name */
    const css = (name) => style.getPropertyValue(name).trim() || undefined;
    const merged = {
      theme: tag.theme || 'auto',
      language: tag.language,
      pageLanguage: document.documentElement.lang,
      botName: tag.botName,
      greeting: tag.greeting,
      suggestions,
      userIdentifier: tag.userId,
      botColor: tag.primaryColor || css('--bot-primary-color'),
      botMsgBgColor: css('--bot-msg-bg-color'),
      chatFont: css('--chat-font'),
      chatRadius: css('--chat-radius'),
      mode,
      ...page.ChatbotConfig,
      ...chosen,
    };
    try {
      // Only JSON can be sent.
      return JSON.parse(JSON.stringify(merged));
    } catch {
      return {};
    }
  }

  /** What the page shows right now. */
  function readPage() {
    /** @type {any} */
    const main = document.querySelector('main, [role=main], article') ?? document.body;
    const description = document.querySelector(
      'meta[name=description], meta[property$=description]',
    );
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

  /** @param {string} type @param {unknown} [data] */
  function post(type, data = {}) {
    if (!ready) {
      queue.push([type, data]);
      return load();
    }
    if (type === 'maximize') frame?.focus();
    frame?.contentWindow?.postMessage({ type, data }, frameUrl.origin);
  }

  /** @param {string} name @param {unknown} [detail] */
  function emit(name, detail = {}) {
    // A listener that throws must not stop the others.
    for (const fn of listeners.get(name) ?? []) queueMicrotask(() => fn(detail));
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
    if (!root.isConnected || frame) return;
    wait.textContent = '…';
    const label = { ...server, ...settings() }.botName || 'Chat';
    set(panel, { 'aria-label': label });
    frame = create('iframe', {
      title: label,
      // For the copy buttons.
      allow: 'clipboard-write',
      // Tells the frame which origin to post to.
      referrerpolicy: 'origin',
      src: frameUrl.href,
    });
    // A frame that cannot determine our origin posts nothing until it has received a message.
    frame.onload = () =>
      ready || frame?.contentWindow?.postMessage({ type: 'hello' }, frameUrl.origin);
    failTimer = setTimeout(fail, 15000);
    panel.append(frame);
  }

  function fail() {
    const [, , error, retry] = WORDS[root.lang];
    const again = create('button');
    again.textContent = retry;
    again.onclick = api.open;
    wait.replaceChildren(error, again);
    frame?.remove();
    frame = undefined;
    emit('error', { error, code: 'unreachable' });
  }

  /** @param {boolean} focus whether to focus the message box as well */
  function open(focus) {
    const opens = !isOpen;
    isOpen = true;
    load();
    showState();
    if (focus) post('maximize');
    if (opens) emit('opened');
  }

  function close() {
    if (!isOpen || !bubble) return;
    isOpen = false;
    const inside = shadow.activeElement === frame;
    showState();
    if (inside) launcher.focus();
    emit('closed');
  }

  function showState() {
    const { language, strings } = settings();
    const wanted = language || document.documentElement.lang || navigator.language;
    const code = String(wanted).toLowerCase().split('-')[0];
    root.lang = Object.hasOwn(WORDS, code) ? code : 'en';
    const label = WORDS[root.lang][Number(isOpen)];
    root.classList.toggle('open', isOpen);
    set(launcher, {
      'aria-expanded': `${isOpen}`,
      'aria-label': strings?.[isOpen ? 'close' : 'open'] ?? label,
    });
    fitViewport();
  }

  /** On small screens, makes the window end above the keyboard, which `dvh` does not account for. */
  function fitViewport() {
    const fills = fullscreen || (bubble && narrow.matches);
    const fit = isOpen && fills && seen?.scale === 1;
    panel.style.height = fit ? `${seen.height}px` : '';
    panel.style.top = fit ? `${seen.offsetTop}px` : '';
  }

  /** Colours the launcher. Its icon is white unless the contrast would be below 3:1. */
  function paint() {
    const shown = { ...server, ...settings() };
    if (CSS.supports('color', shown.botColor))
      root.style.setProperty('--bot-primary-color', shown.botColor);
    const [r, g, b] = (getComputedStyle(launcher).backgroundColor.match(/[\d.]+/g) ?? []).map(
      (part) => (Number(part) / 255) ** 2.2,
    );
    const light = 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) < 3;
    root.style.setProperty('--on-primary', light ? '#1b2030' : '#fff');
    root.style.colorScheme = shown.theme === 'auto' ? 'light dark' : shown.theme;
  }

  /** Adds the element to the page, again if the page has replaced its body. */
  function attach() {
    if (host.isConnected) return;
    // Moving a frame reloads it.
    ready = false;
    root.classList.remove('ready');
    const home = tag.target ? document.querySelector(tag.target) : document.body;
    if (!home) console.warn('data-target: no such element');
    if (inline && !tag.target && home?.contains(script)) script?.after(host);
    else home?.append(host);
  }

  async function mount() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
    shadow.adoptedStyleSheets = [sheet];
    const icon = shape('svg', { viewBox: '0 0 24 24' });
    icon.append(
      shape('path', { class: 'chat', d: 'M5 6h14v9h-6l-4 3v-3H5z' }),
      shape('path', { class: 'close', d: 'm6.5 6.5 11 11m0-11-11 11' }),
    );
    launcher.append(icon);
    panel.append(wait);
    if (bubble) root.append(launcher);
    root.append(panel);
    launcher.onclick = () => api.toggle();
    launcher.onpointerenter = launcher.onfocus = load;
    root.onkeydown = (event) => {
      if (event.key === 'Escape') close(); // Must not return false, which would cancel other keys.
    };
    window.addEventListener('message', receive, { signal });
    for (const name of ['resize', 'scroll']) seen?.addEventListener(name, fitViewport, { signal });
    attach();
    bodies.observe(document.documentElement, { childList: true });

    // Wait for the server's colour unless the page sets one, so that the launcher never changes colour.
    if (bubble && !settings().botColor) {
      server = await fetch(new URL('api/sessions/bot-config', base), {
        signal: AbortSignal.timeout(1500),
      })
        .then((answer) => answer.json())
        .catch(() => ({}));
    }
    if (signal.aborted) return;
    shadow.append(root);
    showState();
    paint();
    if (queue.length || isOpen) load();
    emit('ready');
    if (inline) new IntersectionObserver(near, { rootMargin: '400px' }).observe(host);
    // On a small screen the window would cover the page without the visitor having asked for it.
    else if (fullscreen || (/^(true)?$/.test(tag.openOnLoad ?? '-') && !narrow.matches))
      open(false);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  function near(entries) {
    if (entries.some((entry) => entry.isIntersecting)) open(false);
  }

  /** @param {Record<string, unknown>} change */
  function choose(change) {
    Object.assign(chosen, change);
    showState();
    paint();
    if (ready) post('configure', settings());
  }

  /** @type {Record<string, (...args: any[]) => void>} */
  const api = {
    open: () => open(true),
    close,
    toggle: () => (isOpen ? close() : open(true)),
    show: () => void (root.hidden = false),
    hide: () => void (root.hidden = true),
    /** @param {string} text */
    sendMessage(text) {
      if (typeof text === 'string' && text.trim()) post('send_message', { message: text });
    },
    reset: () => post('clear_chat'),
    /** Overrides what is read from the page, key by key, or adds to it. @param {Record<string, unknown> | null} context */
    setContext(context) {
      extra = context ? { ...extra, ...context } : {};
    },
    /** @param {string | null} id */
    setUser: (id) => choose({ userIdentifier: id }),
    /** @param {'auto' | 'light' | 'dark'} theme */
    setTheme: (theme) => choose({ theme }),
    /** @param {string} language */
    setLocale: (language) => choose({ language }),
    /** @param {string} event @param {(detail: unknown) => void} fn */
    on(event, fn) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(fn));
    },
    /** @param {string} event @param {(detail: unknown) => void} fn */
    off(event, fn) {
      listeners.get(event)?.delete(fn);
    },
    /** Like that of the array it replaces: `push(['open'])`. @param {unknown[]} calls */
    push(...calls) {
      for (const call of calls) {
        const [name, ...args] = Array.isArray(call) ? call : [];
        if (Object.hasOwn(api, name)) api[name](...args);
        else console.warn('ChatbotWidget: no such method', call);
      }
    },
    destroy() {
      clearTimeout(failTimer);
      life.abort();
      bodies.disconnect();
      listeners.clear();
      host.remove();
      delete page.ChatbotWidget;
    },
  };
  page.ChatbotWidget = api;
  api.push(...early);
  if (document.readyState === 'complete') void mount();
  else window.addEventListener('load', mount, { signal });
})();
