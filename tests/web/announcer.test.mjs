import assert from 'node:assert/strict';
import test from 'node:test';
import { splitSentences, spoken } from '../../assets/static/widget/announcer.js';

/** What is announced of a text that arrives in pieces. */
function said(pieces, locale) {
  let rest = '';
  const sentences = [];
  for (const piece of pieces) {
    const [complete, left] = splitSentences(rest + piece, locale);
    sentences.push(...complete);
    rest = left;
  }
  return [...sentences, rest].map((text) => text.trim()).filter(Boolean);
}

const TEXTS = [
  ['en', 'The tea costs 4.90 euros. Is that much? No!\nIt is good.', 4],
  ['ja', '茶は四百円です。安いですか。はい', 3],
  ['ar', 'يكلّف الشاي أربعة يورو. هل هذا كثير؟ لا.', 3],
];

test('a text split anywhere is announced in the same whole sentences', () => {
  for (const [locale, text, count] of TEXTS) {
    const whole = said([text], locale);
    assert.equal(whole.length, count, text);
    assert.deepEqual(said(text, locale), whole, 'letter by letter');
    assert.deepEqual(said(text.split(/(?<= )/), locale), whole, 'word by word');
  }
});

test('nothing is announced before its sentence has ended', () => {
  assert.deepEqual(splitSentences('It costs 4.', 'en'), [[], 'It costs 4.']);
  assert.deepEqual(splitSentences('One. Tw', 'en'), [['One. '], 'Tw']);
  assert.deepEqual(splitSentences('- a point\n', 'en'), [['- a point\n'], '']);
  assert.deepEqual(splitSentences('', 'en'), [[], '']);
});

test('browsers without a segmenter announce sentences too', (t) => {
  const { Segmenter } = Intl;
  t.after(() => (Intl.Segmenter = Segmenter));
  Intl.Segmenter = undefined;
  assert.deepEqual(said(TEXTS[0][1]), said([TEXTS[0][1]]));
  assert.equal(said(TEXTS[0][1]).length, 4);
});

test('Markdown syntax is not read out', () => {
  assert.equal(spoken('## The **best** `tea` is *this*.\n'), 'The best tea is this.');
  assert.equal(spoken('| Tea | Price |\n'), 'Tea Price');
  assert.equal(spoken('|---|---:|\n'), '');
  assert.equal(spoken('See [the page](https://example.com/a_b).'), 'See the page.');
});
