// @ts-check
// The inline demo page: the tag with this server's address.

import { copyText, tagText } from './tag.js';

const tag = document.getElementById('tag');
const copied = document.getElementById('copied');

if (tag && copied) {
  const src = new URL('/embed.js', location.href).href;
  tag.textContent = `<div id="help"></div>\n${tagText(src, { mode: 'inline', target: '#help' })}`;
  document.getElementById('copy')?.addEventListener('click', () => copyText(tag, copied));
}
