// @ts-check
// Uploads without their elements: what may be sent, sending it, and describing the result.

import { ApiError, errorOf } from './api.js';
import { fileSize, t } from './strings.js';

/**
 * @typedef {object} FileInfo the session's file
 * @property {string} fileName
 * @property {string} fileType `csv` or `json`
 * @property {number} fileSize bytes
 * @property {number} [rowCount]
 * @property {number} [columnCount]
 * @property {string[]} [notes] what was guessed while reading it
 */

/** @param {{ name: string }} file */
export const isReadable = ({ name }) => /\.(csv|json)$/i.test(name);

/**
 * Why a file would be refused, as a sentence; '' if it may be sent.
 * @param {{ name: string, size: number }} file
 * @param {number} limit bytes
 */
export function refusalOf(file, limit) {
  if (!isReadable(file)) return t('fileType');
  return file.size > limit ? t('fileLimit', { size: fileSize(limit) }) : '';
}

/**
 * "1,461 rows · 6 columns". The history has both counts; otherwise they come from the upload's summary,
 * which has none for a JSON object.
 * @param {FileInfo & { summary?: any }} file
 */
export function factsOf({ summary, ...file }) {
  const known = { ...summary, ...file };
  const { rowCount = known.length } = known;
  const { columnCount = Object.keys(known.dataTypes ?? {}).length } = known;
  return (
    rowCount === undefined
      ? [known.fileType.toUpperCase(), fileSize(known.fileSize)]
      : [t('rows', { count: rowCount }), t('columns', { count: columnCount })]
  ).join(' · ');
}

/**
 * A request that reports upload progress, which `fetch` does not.
 * @param {string} method
 * @param {URL} address
 * @param {FormData} [body]
 * @param {(share: number) => void} [onProgress] from 0 to 1 (all sent)
 * @param {new () => XMLHttpRequest} [Request]
 * @returns {{ done: Promise<any>, abort(): void }} the body of a 2xx; rejected with an `ApiError`
 */
export function send(method, address, body, onProgress, Request = XMLHttpRequest) {
  const request = new Request();
  const done = new Promise((resolve, reject) => {
    request.onerror = request.onabort = () => reject(new ApiError('', 0, 'unreachable'));
    request.onload = () => {
      const { status, response } = request;
      if (status < 300 && response) resolve(response);
      else reject(errorOf(status, response, undefined, request.getResponseHeader('Retry-After')));
    };
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(loaded / total);
    request.upload.onload = () => onProgress?.(1);
  });
  request.open(method, address);
  request.responseType = 'json';
  request.send(body);
  return { done, abort: () => request.abort() };
}
