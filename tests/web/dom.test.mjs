import assert from 'node:assert/strict';
import test, { afterEach, beforeEach, mock } from 'node:test';
import { disableFor } from '../../assets/static/widget/dom.js';
import { setLanguage } from '../../assets/static/widget/strings.js';

/** A button, and its children besides the text. */
function fakeButton() {
  const inside = [];
  const target = { disabled: false, append: (...made) => inside.push(...made) };
  return { inside, target };
}

const realDocument = globalThis.document;
beforeEach(async () => {
  await setLanguage('en');
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  globalThis.document = {
    createElement: () => ({
      attributes: {},
      append() {},
      remove() {
        this.removed = true;
      },
      setAttribute(name, value) {
        this.attributes[name] = value;
      },
    }),
  };
});
afterEach(() => {
  mock.timers.reset();
  globalThis.document = realDocument;
});

test('a button is disabled for some seconds, with a countdown that is not read out', () => {
  const { inside, target } = fakeButton();
  let ended = 0;
  disableFor(target, 3, () => (ended += 1));
  const [countdown] = inside;
  assert.equal(countdown.attributes['aria-hidden'], 'true');
  const seen = [];
  for (let second = 0; second < 3; second += 1) {
    seen.push([countdown.textContent, target.disabled, ended]);
    mock.timers.tick(1000);
  }
  assert.deepEqual(seen, [
    ['(3)', true, 0],
    ['(2)', true, 0],
    ['(1)', true, 0],
  ]);
  assert.deepEqual([target.disabled, countdown.removed, ended], [false, true, 1]);
  mock.timers.tick(10_000);
  assert.equal(ended, 1, 'once');
});

test('a countdown can be ended early, without the callback', () => {
  const { target, inside } = fakeButton();
  const end = disableFor(target, 60, () => assert.fail('called'));
  mock.timers.tick(1000);
  end();
  assert.deepEqual([target.disabled, inside[0].removed], [false, true]);
  mock.timers.tick(100_000);
  end();
});

test('without a wait the button is enabled', () => {
  const { target, inside } = fakeButton();
  target.disabled = true;
  disableFor(target, 0, () => assert.fail('called'));
  assert.deepEqual([target.disabled, inside], [false, []]);
});

test('the countdown is formatted for the language', async () => {
  await setLanguage('de');
  const { target, inside } = fakeButton();
  const end = disableFor(target, 3600);
  assert.equal(inside[0].textContent, '(3.600)');
  end();
});
