// @ts-check
// The script tag, as text and as an element.

/** @typedef {Record<string, string>} Attributes named as in `dataset`; '' is omitted */

/** @param {string} name `primaryColor` */
const dataName = (name) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @param {string} value */
const escaped = (value) => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

/**
 * The tag as a site owner pastes it.
 * @param {string} src
 * @param {Attributes} attributes
 */
export function tagText(src, attributes) {
  const shown = Object.entries(attributes)
    .filter(([, value]) => value)
    .map(([name, value]) => `\n  ${dataName(name)}="${escaped(value)}"`);
  return `<script src="${escaped(src)}" async${shown.join('')}></script>`;
}

/**
 * Adds the tag to the page.
 * @param {string} src
 * @param {Attributes} attributes
 */
export function addTag(src, attributes) {
  const script = document.createElement('script');
  script.async = true;
  for (const [name, value] of Object.entries(attributes)) if (value) script.dataset[name] = value;
  script.src = src;
  document.body.append(script);
  return script;
}

/**
 * Copies the text of `from` and reports the result in `told`.
 * @param {HTMLElement} from
 * @param {HTMLElement} told
 */
export async function copyText(from, told) {
  try {
    await navigator.clipboard.writeText(from.textContent ?? '');
    told.textContent = 'Copied.';
  } catch {
    // Over plain HTTP, browsers allow clipboard access only on localhost.
    getSelection()?.selectAllChildren(from);
    told.textContent = 'Selected: press Ctrl+C or ⌘C to copy.';
  }
}
