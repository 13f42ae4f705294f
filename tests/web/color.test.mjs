import assert from 'node:assert/strict';
import test from 'node:test';
import {
  contrast,
  fill,
  INK,
  luminance,
  NIGHT,
  parseMixed,
  readable,
  textOn,
  WHITE,
} from '../../assets/static/widget/color.js';

test('colours are parsed as browsers write them', () => {
  assert.deepEqual(parseMixed('color(srgb 0.4 0.494118 0.917647)'), [102, 126, 234]);
  assert.deepEqual(parseMixed('color(srgb 1 0 0.5 / 0.25)'), [255, 0, 128]);
  assert.deepEqual(parseMixed('color(srgb -0.1 1.2 3e-05)'), [0, 255, 0], 'beyond sRGB');
});

test('contrast follows WCAG', () => {
  assert.equal(luminance([0, 0, 0]), 0);
  assert.equal(luminance(WHITE), 1);
  assert.equal(contrast([0, 0, 0], WHITE), 21);
  assert.equal(contrast(WHITE, [0, 0, 0]), 21);
  assert.ok(
    Math.abs(contrast([118, 118, 118], WHITE) - 4.54) < 0.01,
    '#767676 is the lightest grey for text on white',
  );
});

test('text on a colour is white where that is readable, otherwise dark', () => {
  assert.deepEqual(textOn([0, 0, 128]), WHITE);
  assert.deepEqual(textOn([255, 213, 79]), INK);
  assert.deepEqual(textOn([102, 126, 234], 3), WHITE, 'icons need less');
});

test('every colour yields a background and a text colour with at least 4.5:1', () => {
  for (let r = 0; r < 256; r += 51)
    for (let g = 0; g < 256; g += 51)
      for (let b = 0; b < 256; b += 51) {
        const { ground, text } = fill([r, g, b]);
        assert.ok(contrast(ground, text) >= 4.5, `${[r, g, b]}: ${text} on ${ground}`);
        assert.ok(contrast(readable([r, g, b], WHITE), WHITE) >= 4.5);
        assert.ok(contrast(readable([r, g, b], NIGHT), NIGHT) >= 4.5);
      }
});

test('a colour that is already readable is not changed', () => {
  assert.deepEqual(fill([0, 90, 60]), { ground: [0, 90, 60], text: WHITE });
  assert.deepEqual(fill([255, 213, 79]), { ground: [255, 213, 79], text: INK });
  assert.deepEqual(readable([0, 0, 128], WHITE), [0, 0, 128]);
});
