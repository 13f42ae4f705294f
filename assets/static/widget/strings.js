// @ts-check
// Every word that the window itself says, one table a language.

const EN = {
  greeting: 'Hi! I am {name}. How can I help you?',
  online: 'Online',
  writing: 'Writing…',
  offline: 'Offline',
  offlineBar: 'You are offline. What you write stays here.',
  conversation: 'Conversation',
  placeholder: 'Write a message…',
  input: 'Your message',
  send: 'Send',
  close: 'Close chat',
  open: 'Open chat',
  you: 'You',
  typing: '{name} is writing',
  poweredBy: 'Powered by {name}',
  tryAgain: 'Try again',
  dismiss: 'Dismiss',
  startAnew: 'Start anew',
  startAnewQuestion: 'Delete this conversation and start anew?',
  keep: 'Keep it',
  unanswered: 'Not answered',
  incomplete: 'Broke off',
  stopped: 'Stopped',
  truncated: 'Cut at the length limit',
  sql: 'Computed with SQL',
  questionUnanswered: 'Your last question has not been answered.',
  errorOffline: 'You are offline. Your message is kept; try again once you are connected.',
  errorUnreachable: 'The chat cannot be reached just now. Your message is kept.',
  errorTimeout: 'The answer is taking too long. Your message is kept.',
  errorOther: 'Something went wrong. Your message is kept.',
};

/** @typedef {keyof typeof EN} StringKey */

/**
 * @param {StringKey} key
 * @param {Record<string, string>} [values] for `{name}` and the like
 * @returns {string}
 */
export function t(key, values = {}) {
  return EN[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
