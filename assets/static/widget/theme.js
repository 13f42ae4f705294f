// @ts-check
// Puts the settings' colours and theme onto the page, through the CSSOM as the CSP wants it.

import { fill, NIGHT, parseColor, readable, textOn, toHex, WHITE } from './color.js';

/**
 * Any CSS colour, read by letting the browser compute it.
 * @param {string} value
 * @returns {import('./color.js').Rgb | null}
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
  // The two are equal unless somebody chose: then answers get a light tint rather than full colour.
  const own = Boolean(answers && primary && toHex(answers) !== toHex(primary));
  if (own) root.setAttribute('data-answers', 'own-colour');
  else root.removeAttribute('data-answers');

  /** @param {string} name @param {import('./color.js').Rgb} color */
  function set(name, color) {
    root.style.setProperty(name, toHex(color));
  }
}
