import assert from 'node:assert/strict';
import test from 'node:test';
import { eventParser, readEvents } from '../../assets/static/widget/stream.js';

const all = (...chunks) => {
  const parse = eventParser();
  return chunks.flatMap((chunk) => parse(chunk));
};

const TRANSCRIPT = [
  ': hello',
  '',
  'id: t-0',
  'event: start',
  'data: {"turnId":"t"}',
  '',
  ':',
  'event: delta',
  'id: t-1',
  'data:{"text":"a: b"}',
  '',
  'data: first',
  'data',
  'data:  third',
  'retry: 9',
  '',
  'event: nothing',
  '',
  'id',
  'data: x',
  '',
  'event: delta',
  'data: never ended',
].join('\n');

const EVENTS = [
  { type: 'start', data: '{"turnId":"t"}', id: 't-0' },
  { type: 'delta', data: '{"text":"a: b"}', id: 't-1' },
  { type: 'message', data: 'first\n\n third', id: 't-1' },
  { type: 'message', data: 'x', id: '' },
];

test('events are parsed as in the standard, whatever the line endings', () => {
  for (const end of ['\n', '\r\n', '\r'])
    assert.deepEqual(all(TRANSCRIPT.replaceAll('\n', end)), EVENTS, JSON.stringify(end));
});

test('a text split anywhere yields the same events', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const text = TRANSCRIPT.replaceAll('\n', end);
    for (let at = 0; at <= text.length; at += 1)
      assert.deepEqual(all(text.slice(0, at), text.slice(at)), EVENTS, `${at}`);
    assert.deepEqual(all(...text), EVENTS, 'into characters');
  }
});

const within = (step) => step;

test('bytes split within a character are joined', async () => {
  const bytes = new TextEncoder().encode('data: žluťoučký 茶 🍵\n\n');
  const body = new ReadableStream({
    start(line) {
      for (const byte of bytes) line.enqueue(Uint8Array.of(byte));
      line.close();
    },
  });
  const read = [];
  for await (const { data } of readEvents(body, within)) read.push(data);
  assert.deepEqual(read, ['žluťoučký 茶 🍵']);
});

test('stopping early closes the connection', async () => {
  let closed = false;
  const body = new ReadableStream({
    pull: (line) => line.enqueue(new TextEncoder().encode('data: x\n\n')),
    cancel: () => void (closed = true),
  });
  for await (const { data } of readEvents(body, within)) {
    assert.equal(data, 'x');
    break;
  }
  assert.equal(closed, true);
});
