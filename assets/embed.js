// @ts-check
// The loader, which a site adds with one script tag: a launcher button, and the chat window in an
// iframe from the server that this script comes from. Both live in a shadow root with a constructed
// style sheet, so the page's CSS cannot change them. Their host hangs under `<html>`, in the top layer
// where there is one, out of reach of what the page does to its body. Messages are only sent to the
// frame's origin and only accepted from that frame. Under a strict CSP the tag needs the page's nonce and nothing else
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
  // The widget of an earlier tag, which may have been removed from the page since.
  if (!script || typeof found?.open === 'function') return found?.push?.();
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
  // Without a `meta viewport`, a phone's window is 980 px wide; its device is not. Few lines would be
  // left of a floating window on a phone in landscape.
  const small = matchMedia(
    '(max-width:640px),(max-height:500px),(max-device-width:640px),(max-device-height:500px)',
  );

  const { mode, position = '' } = tag;
  const inline = mode === 'inline';
  const fullscreen = mode === 'fullscreen';
  const bubble = !inline && !fullscreen;
  const edge = position.startsWith('top') ? 'top' : 'bottom';
  const side = position.endsWith('left') ? 'left' : 'right';
  const zIndex = Number(tag.zIndex ?? 2147483000);
  /** @param {'x' | 'y'} axis @param {string} [value] */
  const offset = (axis, value = '20') => `var(--chat-offset-${axis},${parseFloat(value) || 0}px)`;
  const x = offset('x', tag.offsetX);
  const y = offset('y', tag.offsetY);
  const box = inline
    ? `display:block!important;position:relative!important;overflow:hidden!important;
 width:var(--chat-width,100%)!important;height:var(--chat-height,100%)!important`
    : `position:fixed!important;z-index:var(--chat-z-index,${zIndex})!important;
 ${edge}:${y}!important;${side}:${x}!important`;
  // Gives the chat a height if the element around it has none.
  const inlineCss = inline
    ? `.root::before{content:"";display:block;height:min(560px,90dvh)}
.full .panel{position:absolute;height:100%;border-width:1px;border-radius:var(--chat-radius,12px);box-shadow:none}`
    : '';
  const CSS_TEXT = `
:host{all:initial!important;font-family:system-ui,sans-serif!important;${box}}
button{font:inherit;cursor:pointer}
button:focus-visible{outline:3px solid var(--bot-primary-color,#667eea);outline-offset:3px}
.launcher{display:grid;place-items:center;position:relative;z-index:1;width:60px;height:60px;padding:0;border:1px solid transparent;
 border-radius:50%;background:var(--bot-primary-color,#667eea);color:var(--on-primary,#fff);
 box-shadow:0 8px 32px rgb(22 28 45/20%);transition:.16s}
svg{width:30px;fill:currentColor;stroke:currentColor}
path{stroke-width:2;stroke-linecap:round;stroke-linejoin:round;transition:.16s}
.chat{stroke-width:4}
.close,.open .chat{opacity:0}
.open .close,.open .panel{opacity:1;visibility:visible;transform:none}
.panel{position:fixed;${edge}:calc(${y} + 72px);${side}:${x};display:flex;flex-direction:column;box-sizing:border-box;
 width:var(--chat-width,384px);height:var(--chat-height,640px);max-width:calc(100vw - 20px - ${x});
 max-height:calc(100dvh - 92px - ${y});border-radius:var(--chat-radius,12px);overflow:hidden;background:Canvas;color:CanvasText;
 border:1px solid rgb(128 128 128/30%);box-shadow:0 8px 32px rgb(22 28 45/20%);
 visibility:hidden;opacity:0;transform:translateY(16px);transition:.16s}
.head{display:flex;align-items:center;gap:12px;padding:12px 16px;font-weight:600;border-bottom:1px solid rgb(128 128 128/30%)}
.head::before{content:"";width:40px;height:40px;border-radius:50%;background:var(--bot-primary-color,#667eea)}
.wait{margin:auto;padding:0 16px;font-size:15px;text-align:center}
.wait:empty{width:55%;height:40px;margin:16px;padding:0;border-radius:12px;background:rgb(128 128 128/15%)}
.wait button{display:block;margin:12px auto;padding:8px}
iframe{position:absolute;inset:0;width:100%;height:100%;border-width:0;visibility:hidden}
.ready.open iframe{visibility:inherit}
.full .panel{inset:0;width:100%;height:100dvh;max-width:none;max-height:none;border-width:0;border-radius:0}
.full.ready.open .launcher{display:none}
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
  /** Loaded with the chat. @type {typeof import('./static/loader/page.js') | undefined} */
  let helper;
  let ready = false;
  let isOpen = false;
  let failTimer = 0;
  /** Answers that ended while the chat was closed. */
  let unread = 0;
  /** The theme in use, which `auto` takes from the page. */
  let theme = '';
  const life = new AbortController();
  const { signal } = life;

  const host = create('chatbot-widget');
  const shadow = host.attachShadow({ mode: 'open' });
  const root = create('div', { class: 'root' });
  const launcher = create('button', { class: 'launcher', 'aria-haspopup': 'dialog' });
  const panel = create('div', { class: 'panel', role: bubble ? 'dialog' : 'region' });
  const head = create('div', { class: 'head', dir: 'auto' });
  const wait = create('div', { class: 'wait', role: 'status', dir: 'auto' });
  const seen = window.visualViewport;
  const changes = new MutationObserver(follow);

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
      theme: tag.theme,
      ...page.ChatbotConfig,
      ...chosen,
    };
    if (!/^(light|dark)$/.test(merged.theme)) merged.theme = helper?.pageTheme(measure) ?? 'auto';
    // What is not set must not hide the server's settings.
    for (const name in merged) if (merged[name] === undefined) delete merged[name];
    return merged;
  }

  /** @param {string} color as computed @returns {number[]} its relative luminance and its opacity */
  function measure(color) {
    const [r, g, b, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    const [red, green, blue] = [r, g, b].map((part) => (part / 255) ** 2.2);
    return [0.2126 * red + 0.7152 * green + 0.0722 * blue, alpha];
  }

  /** @param {string} type @param {unknown} [data] */
  function post(type, data = {}) {
    if (!ready) {
      queue.push([type, data]);
      return load();
    }
    if (type === 'maximize') frame?.focus();
    frame?.contentWindow?.postMessage({ type, data: helper?.plain(data) ?? data }, frameUrl.origin);
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
    if (type === 'widget_ready') void assist().then(configure);
    else if (type === 'context_request') {
      const own = settings();
      post('page_data', {
        ...own,
        requestId: data.requestId,
        pageContext: { ...helper?.readPage(), ...own.pageContext, ...extra },
      });
    }
    else if (type === 'widget_minimized') close();
    else if (Object.hasOwn(EVENTS, type)) emit(EVENTS[type], data);
    if (type === 'message_received' && !isOpen) {
      unread += 1;
      showState();
      helper?.announce(panel.ariaLabel, data.message);
    }
  }

  /** Loads the helper. The chat works without it, though it knows nothing of the page. */
  async function assist() {
    helper ??= await import(new URL('static/loader/page.js', base).href).catch(console.warn);
    helper?.assist(shadow, launcher, () => isOpen && raise());
    follow();
    fit();
  }

  function load() {
    if (!root.isConnected || frame) return;
    const label = { ...server, ...settings() }.botName || 'Chat';
    head.textContent = label;
    wait.textContent = '';
    set(panel, { 'aria-label': label });
    void assist();
    frame = create('iframe', {
      title: label,
      // For the copy buttons.
      allow: 'clipboard-write',
      // Tells the frame which origin to post to.
      referrerpolicy: 'origin',
      src: frameUrl.href,
    });
    frame.onload = () => {
      if (ready) return;
      // A frame that cannot determine our origin posts nothing until it has received a message.
      frame?.contentWindow?.postMessage({ type: 'hello' }, frameUrl.origin);
      // If it stays silent, it is the browser's error page.
      expect(1000);
    };
    expect(2500);
    panel.append(frame);
  }

  /** Says that the chat cannot be reached unless it is ready in time. It may still come later. @param {number} time */
  function expect(time) {
    clearTimeout(failTimer);
    failTimer = setTimeout(fail, time);
  }

  function fail() {
    const [, , error, retry] = WORDS[root.lang];
    if (wait.textContent) return;
    const again = create('button');
    again.textContent = retry;
    again.onclick = () => {
      frame.remove();
      frame = undefined;
      api.open();
    };
    wait.replaceChildren(error, again);
    emit('error', { error, code: 'unreachable' });
  }

  /** @param {boolean} focus whether to focus the message box as well */
  function open(focus) {
    const opens = !isOpen;
    isOpen = true;
    unread = 0;
    follow();
    load();
    if (opens) raise();
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
    const label = strings?.[isOpen ? 'close' : 'open'] ?? WORDS[root.lang][Number(isOpen)];
    root.classList.toggle('open', isOpen);
    set(launcher, {
      'aria-expanded': `${isOpen}`,
      'aria-label': unread ? `${label} (${unread})` : label,
    });
    fit();
  }

  /** Gives the window its place: all of a small screen, above the keyboard, over a page that waits. */
  function fit() {
    const fills = !bubble || small.matches;
    root.classList.toggle('full', fills);
    helper?.fit({ root, panel, frame, fills, bubble, unread, isOpen, inline, close });
  }

  /** Colours the launcher. Its icon is white unless the contrast would be below 3:1. */
  function paint() {
    const shown = { ...server, ...settings() };
    if (CSS.supports('color', shown.botColor))
      root.style.setProperty('--bot-primary-color', shown.botColor);
    const [lightness] = measure(getComputedStyle(launcher).backgroundColor);
    root.style.setProperty('--on-primary', 1.05 / (lightness + 0.05) < 3 ? '#1b2030' : '#fff');
    theme = shown.theme;
    root.style.colorScheme = theme === 'auto' ? 'light dark' : theme;
  }

  /** Keeps up with a page that removes the element or changes its own colours. */
  function follow() {
    attach();
    if (theme && theme !== settings().theme) choose({});
  }

  /** Adds the element to the page, again if the page has removed it. */
  function attach() {
    if (host.isConnected || signal.aborted) return;
    // Moving a frame reloads it.
    ready = false;
    root.classList.remove('ready');
    if (frame) expect(2500);
    if (inline) {
      const home = tag.target ? document.querySelector(tag.target) : document.body;
      if (!home) console.warn('data-target: no such element');
      if (!tag.target && home?.contains(script)) script?.after(host);
      else home?.append(host);
    } else document.documentElement.append(host);
    raise();
  }

  /** To the end of the top layer, above what the page has put there since. */
  function raise() {
    if (inline || !host.showPopover || !host.isConnected) return;
    host.popover = 'manual';
    host.hidePopover();
    host.showPopover();
  }

  async function mount() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
    shadow.adoptedStyleSheets = [sheet];
    const icon = shape('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' });
    icon.append(
      shape('path', { class: 'chat', d: 'M5 6h14v9h-6l-4 3v-3H5z' }),
      shape('path', { class: 'close', d: 'm6.5 6.5 11 11m0-11-11 11' }),
    );
    launcher.append(icon);
    panel.append(head, wait);
    if (bubble) root.append(launcher);
    root.append(panel);
    launcher.onclick = () => api.toggle();
    launcher.onpointerenter = launcher.onfocus = load;
    root.onkeydown = (event) => {
      if (event.key === 'Escape') close(); // Must not return false, which would cancel other keys.
    };
    window.addEventListener('message', receive, { signal });
    for (const name of ['resize', 'scroll']) seen?.addEventListener(name, fit, { signal });
    small.addEventListener('change', fit, { signal });
    attach();
    changes.observe(document, { childList: true });
    changes.observe(document.documentElement, { childList: true, attributes: true });

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
    else if (fullscreen || (/^(true)?$/.test(tag.openOnLoad ?? '-') && !small.matches))
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
      // For a second tag.
      if (root.firstChild) attach();
      for (const call of calls) {
        const [name, ...args] = Array.isArray(call) ? call : [];
        if (Object.hasOwn(api, name)) api[name](...args);
        else console.warn('ChatbotWidget: no such method', call);
      }
    },
    destroy() {
      clearTimeout(failTimer);
      life.abort();
      changes.disconnect();
      isOpen = false;
      fit();
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
