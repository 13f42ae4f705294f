import assert from 'node:assert/strict';
import test from 'node:test';
import {
  changes,
  display,
  iconAddress,
  sessionConfig,
  settingsFromQuery,
} from '../../assets/static/widget/config.js';

test('settings in the address are an object or nothing', () => {
  const search = `?x=1&config=${encodeURIComponent('{"botName":"Ann & Co","jsonData":[1]}')}`;
  assert.deepEqual(settingsFromQuery(search), { botName: 'Ann & Co', jsonData: [1] });
  for (const broken of [
    '',
    '?config',
    '?config={',
    '?config=[1]',
    '?config=null',
    '?config=%E0%A4%A',
  ])
    assert.deepEqual(settingsFromQuery(broken), {});
});

test('the page wins over the server, the server over the built-in', () => {
  const server = {
    botName: 'Server',
    poweredBy: 'Claude',
    botColor: '#111111',
    botMsgBgColor: '#222222',
    botIcon: null,
  };
  const shown = display({ botName: 'Page', theme: 'dark' }, server);
  assert.deepEqual(shown, {
    botName: 'Page',
    poweredBy: 'Claude',
    botColor: '#111111',
    botMsgBgColor: '#222222',
    botIcon: '',
    greeting: '',
    theme: 'dark',
  });
  assert.equal(display({}).botColor, '#667eea');
});

test('blank and wrongly typed settings count as absent, but the powered-by line can be emptied', () => {
  const shown = display(
    { botName: ' ', botColor: 7, poweredBy: '', theme: 'pink' },
    { botName: 'Server', poweredBy: 'Claude' },
  );
  assert.equal(shown.botName, 'Server');
  assert.equal(shown.botColor, '#667eea');
  assert.equal(shown.poweredBy, '');
  assert.equal(shown.theme, 'auto');
});

test('one colour given by the page is for both', () => {
  const server = { botColor: '#111111', botMsgBgColor: '#222222' };
  assert.equal(display({ botColor: '#00aa00' }, server).botMsgBgColor, '#00aa00');
  assert.equal(
    display({ botColor: '#00aa00', botMsgBgColor: '#eee' }, server).botMsgBgColor,
    '#eee',
  );
});

test('only addresses of pictures become pictures', () => {
  for (const good of [
    'https://x.test/a.png',
    'http://x.test/a.png',
    '/a.png',
    'a.png',
    'data:image/png;base64,AA',
  ])
    assert.equal(iconAddress(good), good);
  for (const bad of [
    'javascript:alert(1)',
    ' JavaScript:alert(1)',
    'data:text/html,x',
    'blob:x',
    'file:///x',
    null,
    7,
  ])
    assert.equal(iconAddress(bad), '');
});

test('only keys with a meaning, of the right type, go to the server', () => {
  const page = {
    botName: 'Ann',
    botColor: '#fff',
    theme: 'dark',
    greeting: 'Hi',
    apiKey: 'k',
    aiProvider: 'claude',
    maxTokens: '5',
    customInstructions: null,
    pageContext: 'text',
    pageData: { title: 'T' },
    jsonData: [1, 2],
    userIdentifier: 17,
    temperature: 0,
  };
  assert.deepEqual(sessionConfig(page), {
    botName: 'Ann',
    aiProvider: 'claude',
    pageData: { title: 'T' },
    jsonData: [1, 2],
    userIdentifier: '17',
    temperature: 0,
  });
});

test('only what has changed is sent again', () => {
  const sent = new Map([
    ['botName', '"Ann"'],
    ['pageContext', '{"title":"A"}'],
  ]);
  assert.equal(changes({ botName: 'Ann', pageContext: { title: 'A' } }, sent), undefined);
  assert.deepEqual(changes({ botName: 'Ann', pageContext: { title: 'B' } }, sent), {
    pageContext: { title: 'B' },
  });
  assert.equal(changes({}, new Map()), undefined);
});
