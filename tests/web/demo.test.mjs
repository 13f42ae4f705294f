import assert from 'node:assert/strict';
import test from 'node:test';
import { ordersCsv } from '../../assets/static/demo/orders.js';
import { tagText } from '../../assets/static/demo/tag.js';

const [header, ...rows] = ordersCsv()
  .trimEnd()
  .split('\n')
  .map((line) => line.split(','));

test('the sample file is reproducible, with 400 orders', () => {
  assert.equal(ordersCsv(), ordersCsv());
  assert.equal(rows.length, 400);
  assert.equal(header.length, 8);
  for (const row of rows) assert.equal(row.length, header.length);
  assert.equal(new Set(rows.map(([number]) => number)).size, 400);
});

test('the orders match the shop on the page', () => {
  const prices = { 'Espresso cup': 14, Mug: 22, 'Cereal bowl': 26, 'Dinner plate': 34, Teapot: 78 };
  assert.deepEqual(new Set(rows.map((row) => row[2])), new Set(Object.keys(prices)));
  let before = '2025-01-01';
  for (const [number, date, product, pieces, price, revenue, delivery, returned] of rows) {
    assert.ok(date >= before && date < '2026', number);
    assert.ok(new Date(date).getUTCDay() >= 2, `${number}: closed on ${date}`);
    before = date;
    assert.equal(Number(price), prices[product], number);
    // Sets of six cost 10% less.
    const full = Number(pieces) * Number(price);
    assert.equal(revenue, (pieces === '6' ? full * 0.9 : full).toFixed(2), number);
    assert.ok(['parcel', 'EU parcel', 'pickup'].includes(delivery), number);
    assert.ok(['yes', 'no'].includes(returned), number);
  }
});

test('the tag shows only what differs from the defaults', () => {
  const src = 'https://chat.example/embed.js';
  assert.equal(tagText(src, { theme: '' }), `<script src="${src}" async></script>`);
  assert.equal(
    tagText(src, { primaryColor: '#facc15', theme: '', language: 'de' }),
    `<script src="${src}" async\n  data-primary-color="#facc15"\n  data-language="de"></script>`,
  );
});

test('attribute values are escaped in the tag', () => {
  assert.equal(
    tagText('https://chat.example/embed.js?a&b', { botName: 'Q&A "us"' }),
    '<script src="https://chat.example/embed.js?a&amp;b" async\n' +
      '  data-bot-name="Q&amp;A &quot;us&quot;"></script>',
  );
});
