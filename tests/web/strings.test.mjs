import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { beforeEach } from 'node:test';
import {
  EN,
  fileSize,
  language,
  number,
  setLanguage,
  t,
} from '../../assets/static/widget/strings.js';

const folder = new URL('../../assets/static/widget/lang/', import.meta.url);
const codes = readdirSync(folder).map((name) => name.replace('.js', ''));
const load = async (code) => (await import(new URL(`${code}.js`, folder))).default;

const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
const forms = (text) => (typeof text === 'string' ? { other: text } : text);

beforeEach(() => setLanguage('en'));

test('the promised languages exist', () => {
  assert.deepEqual(codes.sort(), ['ar', 'de', 'es', 'fr', 'he', 'ja', 'pt', 'zh']);
});

for (const code of codes) {
  test(`${code} has every text that English has, with the same placeholders`, async () => {
    const table = await load(code);
    assert.deepEqual(Object.keys(table).sort(), Object.keys(EN).sort());
    for (const [key, text] of Object.entries(table)) {
      assert.deepEqual(placeholders(forms(text).other), placeholders(forms(EN[key]).other), key);
      const { pluralCategories } = new Intl.PluralRules(code).resolvedOptions();
      for (const [category, form] of Object.entries(forms(text))) {
        assert.ok(pluralCategories.includes(category), `${key}.${category} is never used`);
        assert.ok(form.trim(), key);
        // Only forms such as "one row" may omit the number.
        const known = placeholders(forms(EN[key]).other);
        const missing = known.filter((name) => !form.includes(name));
        assert.ok(
          !missing.length || (['one', 'two'].includes(category) && missing.join() === '{count}'),
          `${key}.${category}`,
        );
        assert.ok(
          placeholders(form).every((name) => known.includes(name)),
          `${key}.${category}`,
        );
      }
    }
  });

  test(`${code} can be selected`, async () => {
    assert.equal(await setLanguage(code), true);
    assert.equal(language().tag, code);
    assert.equal(t('send'), (await load(code)).send);
  });
}

test('a language tag selects its language', async () => {
  for (const [tag, word, spoken] of [
    ['pt-BR', 'Enviar', 'pt-BR'],
    ['zh-Hant-TW', '发送', 'zh-Hant-TW'],
    ['iw', 'שליחה', 'he'],
    ['DE_at', 'Senden', 'de-AT'],
    ['en-GB', 'Send', 'en-GB'],
    ['sv', 'Send', 'en'],
    ['', 'Send', 'en'],
    ['no tag', 'Send', 'en'],
    ['../../evil', 'Send', 'en'],
    [undefined, 'Send', 'en'],
  ]) {
    await setLanguage(tag);
    assert.deepEqual([t('send'), language().tag], [word, spoken], String(tag));
  }
});

test('Arabic and Hebrew run from right to left', async () => {
  for (const [tag, dir] of [
    ['ar-EG', 'rtl'],
    ['iw-IL', 'rtl'],
    ['ja', 'ltr'],
    ['en', 'ltr'],
  ]) {
    await setLanguage(tag);
    assert.equal(language().dir, dir, tag);
  }
});

test("the site's own texts override ours, key by key, in any language", async () => {
  await setLanguage('de', { send: 'Los', rows: '{count} Sätze', open: 7, nonsense: 'x' });
  assert.equal(t('send'), 'Los');
  assert.equal(t('rows', { count: 2 }), '2 Sätze');
  assert.equal(t('open'), 'Chat öffnen');
  await setLanguage('de');
  assert.equal(t('send'), 'Senden');
});

test('of concurrent calls the last one wins', async () => {
  const calls = [setLanguage('ja'), setLanguage('fr'), setLanguage('en', { send: 'Go' })];
  assert.deepEqual(await Promise.all(calls), [false, false, true]);
  assert.deepEqual([t('send'), language().tag], ['Go', 'en']);
});

test('if a table does not load, English is used', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'strings-'));
  try {
    copyFileSync(new URL('../strings.js', folder), join(elsewhere, 'strings.mjs'));
    const alone = await import(join(elsewhere, 'strings.mjs'));
    assert.equal(await alone.setLanguage('ar', { open: 'Ask us' }), true);
    assert.deepEqual(alone.language(), { tag: 'en', dir: 'ltr' });
    assert.deepEqual([alone.t('send'), alone.t('open')], ['Send', 'Ask us']);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test('numbers select the plural form and are formatted for the language', async () => {
  assert.equal(t('rows', { count: 1 }), '1 row');
  assert.equal(t('rows', { count: 1461 }), '1,461 rows');
  await setLanguage('de');
  assert.equal(t('rows', { count: 1461 }), '1.461 Zeilen');
  assert.equal(number(0.45, { style: 'percent' }), '45\u00a0%');
  await setLanguage('ar');
  assert.deepEqual(
    [0, 1, 2, 3, 11, 100].map((count) => t('rows', { count })),
    ['0 صف', 'صف واحد', 'صفان', '3 صفوف', '11 صفًا', '100 صف'],
  );
});

test('only placeholders are replaced', () => {
  assert.equal(t('typing', { name: 'A {name} $& B' }), 'A {name} $& B is typing');
  assert.equal(t('typing'), '{name} is typing');
});

test('values are isolated in a right-to-left sentence', async () => {
  await setLanguage('ar');
  assert.equal(t('removeFile', { name: 'a.csv' }), 'إزالة \u2068a.csv\u2069');
});

test('sizes are given in kilobytes and megabytes', async () => {
  for (const [bytes, words] of [
    [10485760, '10 MB'],
    [1258291, '1.2 MB'],
    [100492, '98.1 kB'],
    [28, '0.1 kB'],
  ])
    assert.equal(fileSize(bytes), words);
  await setLanguage('fr');
  assert.equal(fileSize(1258291), '1,2\u202fMo');
});
