// @ts-check
// Colours: which text colour is readable on which background (WCAG 2.2: relative luminance, contrast
// ratio), and how the colours of the settings get onto the page: through the CSSOM, as the CSP requires.

/** @typedef {[number, number, number]} Rgb 0 to 255 each */

/** @type {Rgb} */
export const WHITE = [255, 255, 255];
/** @type {Rgb} */
export const INK = [27, 32, 48];
/** `--chat-surface` of the light theme, the darkest background behind the accent there. @type {Rgb} */
export const PAPER = [245, 246, 250];
/** `--chat-surface` of the dark theme, the lightest background behind the accent there. @type {Rgb} */
export const NIGHT = [34, 38, 51];

/**
 * Parses `color(srgb 0.4 0.5 1 / 0.5)`, the form in which browsers return mixed colours. Ignores alpha.
 * @param {string} text
 * @returns {Rgb}
 */
export function parseMixed(text) {
  const parts = (text.match(/-?\d[\d.]*(e-?\d+)?/g) ?? []).slice(0, 3);
  return /** @type {Rgb} */ (
    parts.map((part) => Math.round(255 * Math.min(1, Math.max(0, Number(part)))))
  );
}

/** @param {Rgb} color @returns {number} 0 (black) to 1 (white) */
export function luminance(color) {
  const [r, g, b] = color.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} a @param {Rgb} b @returns {number} 1 (equal) to 21 (black on white) */
export function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/**
 * White if it reaches `ratio` on `ground`, otherwise whichever of white and ink has more contrast.
 * @param {Rgb} ground
 * @param {number} [ratio] 4.5 for text, 3 for icons
 * @returns {Rgb}
 */
export function textOn(ground, ratio = 4.5) {
  const white = contrast(WHITE, ground);
  return white >= ratio || white >= contrast(INK, ground) ? WHITE : INK;
}

/**
 * Moves `color` towards black or white, away from `other`, until their contrast is `ratio`.
 * @param {Rgb} color
 * @param {Rgb} other
 * @param {number} [ratio]
 * @returns {Rgb}
 */
export function readable(color, other, ratio = 4.5) {
  const end = luminance(other) > 0.18 ? 0 : 255;
  for (let step = 0; step < 100; step += 1) {
    const moved = /** @type {Rgb} */ (
      color.map((part) => Math.round(part + ((end - part) * step) / 100))
    );
    if (contrast(moved, other) >= ratio) return moved;
  }
  return [end, end, end];
}

/**
 * A background in the site owner's colour, with its text colour. A colour on which white is almost
 * readable is darkened until it is; a lighter one is kept and gets dark text.
 * @param {Rgb} color
 * @returns {{ ground: Rgb, text: Rgb }}
 */
export function fill(color) {
  if (contrast(WHITE, color) >= 3) return { ground: readable(color, WHITE), text: WHITE };
  return { ground: color, text: textOn(color) };
}

/**
 * Resolves any CSS colour by letting the browser mix it with itself, which yields sRGB.
 * @param {string} value
 * @returns {Rgb | null}
 */
function resolveColor(value) {
  const mixed = `color-mix(in srgb, ${value}, ${value})`;
  if (!CSS.supports('color', mixed)) return null;
  const probe = document.createElement('span');
  probe.style.setProperty('color', mixed);
  document.body.append(probe);
  const computed = parseMixed(getComputedStyle(probe).color);
  probe.remove();
  return computed;
}

/** @param {import('./config.js').Display} display */
export function applyTheme(display) {
  const root = document.documentElement;
  if (display.theme === 'auto') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', display.theme);

  const primary = resolveColor(display.botColor);
  const answers = resolveColor(display.botMsgBgColor);
  if (primary) {
    const ground = fill(primary);
    set('--bot-primary-color', primary);
    set('--bot-primary-color-dark', readable(primary, PAPER));
    set('--bot-primary-color-light', readable(primary, NIGHT));
    set('--chat-on-primary', textOn(primary, 3));
    set('--chat-fill', ground.ground);
    set('--chat-on-fill', ground.text);
  }
  const tint = answers ?? primary;
  if (tint) {
    set('--bot-msg-bg-color', tint);
    set('--bot-msg-text-color', textOn(tint));
  }
  // Equal by default, in which case answers get a light tint.
  const own = answers && primary && String(answers) !== String(primary);
  if (own) root.setAttribute('data-answers', 'own-colour');
  else root.removeAttribute('data-answers');

  const { chatFont, chatRadius } = display;
  if (CSS.supports('font-family', chatFont)) root.style.setProperty('--chat-font', chatFont);
  if (CSS.supports('border-radius', chatRadius))
    root.style.setProperty('--chat-radius', chatRadius);

  /** @param {string} name @param {Rgb} color */
  function set(name, color) {
    root.style.setProperty(name, `rgb(${color})`);
  }
}
