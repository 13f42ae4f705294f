// @ts-check
// Colours: which text can be read on which ground (WCAG 2.2: relative luminance, contrast ratio), and
// the settings' colours put onto the page, through the CSSOM as the CSP wants it.

/** @typedef {[number, number, number]} Rgb 0 to 255 each */

/** @type {Rgb} */
export const WHITE = [255, 255, 255];
/** @type {Rgb} */
export const INK = [27, 32, 48];
/** `--chat-bg` of the dark theme. @type {Rgb} */
export const NIGHT = [23, 26, 35];

/**
 * Reads `#rgb`, `#rrggbb` (an alpha is passed over) and the `rgb(…)` that a browser computes.
 * @param {unknown} text
 * @returns {Rgb | null} null for anything else
 */
export function parseColor(text) {
  if (typeof text !== 'string') return null;
  const hex = /^#(?:([\da-f]{3,4})|([\da-f]{6}|[\da-f]{8}))$/i.exec(text.trim());
  if (hex) {
    const digits = hex[1] ? [...hex[1]].map((d) => d + d).join('') : hex[2];
    return /** @type {Rgb} */ ([0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)));
  }
  const rgb = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)\s*(?:[,/]\s*[\d.]+%?\s*)?\)$/i.exec(
    text.trim(),
  );
  if (!rgb) return null;
  return /** @type {Rgb} */ (
    rgb.slice(1, 4).map((part) => Math.min(255, Math.round(Number(part))))
  );
}

/** @param {Rgb} color @returns {string} `#rrggbb` */
export function toHex(color) {
  return '#' + color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('');
}

/** @param {Rgb} color @returns {number} 0 (black) to 1 (white) */
export function luminance(color) {
  const [r, g, b] = color.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} a @param {Rgb} b @returns {number} 1 (the same) to 21 (black on white) */
export function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/**
 * White if it reaches `ratio` on `ground`, else whichever of white and ink reads better.
 * @param {Rgb} ground
 * @param {number} [ratio] 4.5 for text, 3 for icons
 * @returns {Rgb}
 */
export function textOn(ground, ratio = 4.5) {
  const white = contrast(WHITE, ground);
  return white >= ratio || white >= contrast(INK, ground) ? WHITE : INK;
}

/**
 * Moves `color` towards black or white, away from `other`, until the two have `ratio`.
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
 * A ground for text in the owner's colour. A colour on which white almost reads is darkened until
 * it does; a lighter one stays as it is, with dark text.
 * @param {Rgb} color
 * @returns {{ ground: Rgb, text: Rgb }}
 */
export function fill(color) {
  if (contrast(WHITE, color) >= 3) return { ground: readable(color, WHITE), text: WHITE };
  return { ground: color, text: textOn(color) };
}

/**
 * Any CSS colour, read by letting the browser compute it.
 * @param {string} value
 * @returns {Rgb | null}
 */
function resolveColor(value) {
  const direct = parseColor(value);
  if (direct || !CSS.supports('color', value)) return direct;
  const probe = document.createElement('span');
  probe.style.setProperty('color', value);
  probe.hidden = true;
  document.body.append(probe);
  const computed = parseColor(getComputedStyle(probe).color);
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
    set('--bot-primary-color-dark', readable(primary, WHITE));
    set('--bot-primary-color-light', readable(primary, NIGHT));
    set('--chat-on-primary', textOn(primary, 3));
    set('--chat-fill', ground.ground);
    set('--chat-on-fill', ground.text);
  }
  const tint = answers ?? primary;
  if (tint) {
    set('--bot-msg-bg-color', tint);
    set('--bot-msg-bg-color-dark', readable(tint, WHITE));
    set('--bot-msg-text-color', textOn(tint));
  }
  // Equal unless somebody chose: then answers get a light tint.
  const own = Boolean(answers && primary && toHex(answers) !== toHex(primary));
  if (own) root.setAttribute('data-answers', 'own-colour');
  else root.removeAttribute('data-answers');

  /** @param {string} name @param {Rgb} color */
  function set(name, color) {
    root.style.setProperty(name, toHex(color));
  }
}
