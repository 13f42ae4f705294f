// @ts-check
// The demo page: the tag with this server's address, and questions that go into the widget.

/** @type {any} */
const page = window;
const tag = document.getElementById('tag');
const copied = document.getElementById('copied');

if (tag)
  tag.textContent = `<script src="${new URL('/embed.js', location.href).href}" async></script>`;

document.getElementById('copy')?.addEventListener('click', async () => {
  if (!tag || !copied) return;
  try {
    await navigator.clipboard.writeText(tag.textContent ?? '');
    copied.textContent = 'Copied.';
  } catch {
    // Browsers have no clipboard on plain http, except on the local machine.
    getSelection()?.selectAllChildren(tag);
    copied.textContent = 'Selected: press Ctrl+C or ⌘C to copy.';
  }
});

for (const button of document.querySelectorAll('[data-ask]')) {
  button.addEventListener('click', () => {
    page.ChatbotWidget?.open();
    page.ChatbotWidget?.sendMessage(button.textContent ?? '');
  });
}
