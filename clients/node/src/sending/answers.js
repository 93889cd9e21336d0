// What an answer means for the records of a request: a decision for each, and no I/O.
'use strict';

const { EVENT } = require('../records.js');

const LONGEST_RETRY_AFTER = 3_600_000; // the window of the API's rate limit is an hour
const LONGEST_PACE = 30_000; // for which events wait at most so that the rate limit lasts
const FOREIGN = "an answer that is not Brazebee's: check the address";

/**
 * @typedef {{ index: number, status: number, error: string, details?: unknown }} Refused
 * @typedef {{ is: 'settled', refused: Refused[] }} Settled all others were accepted
 * @typedef {{ is: 'smaller', refused: Refused }} Smaller the halves have to be sent, to find out why
 * @typedef {{ is: 'later', reason: string, pause?: number }} Later the same has to be sent again
 * @typedef {{ is: 'paused', reason: string }} Paused somebody has to change something, such as a key
 */

/**
 * Decide what an answer to a request with `count` records of a kind means.
 * @returns {Settled | Smaller | Later | Paused}
 */
function decide(kind, count, answer, now) {
  const said = jsonObject(answer.body);
  const error = typeof said.error === 'string' ? said.error : null;
  const { status } = answer;
  if (status === 200) return settled(said.results, count);
  if ([408, 425, 429].includes(status) || status >= 500) {
    const pause = retryAfter(answer.headers['retry-after'], now);
    return { is: 'later', reason: `${status} ${error ?? ''}`.trim(), pause };
  }
  if (error && (status === 400 || status === 413)) {
    return { is: 'smaller', refused: { index: 0, status, error, details: said.details ?? null } };
  }
  if (error && (status === 404 || status === 405) && kind !== EVENT) {
    const reason = 'This server has no such endpoint: it is older than this client';
    const refused = Array.from({ length: count }, (_, index) => ({ index, status, error: reason }));
    return { is: 'settled', refused };
  }
  if (status === 401 || status === 403) {
    return { is: 'paused', reason: `${status} ${error ?? ''}`.trim() + ': check the API key' };
  }
  const whose = error ?? 'from something else than Brazebee';
  return { is: 'paused', reason: `${status} ${whose}: check the address` };
}

/** Return milliseconds between requests by which the rate limit lasts until it is reset. */
function pace(answer, now) {
  const remaining = Number(answer.headers['x-ratelimit-remaining'] ?? NaN);
  const reset = Number(answer.headers['x-ratelimit-reset'] ?? NaN);
  if (!Number.isFinite(remaining) || !Number.isFinite(reset)) return 0;
  const left = Math.min(Math.max(reset * 1000 - now, 0), LONGEST_RETRY_AFTER);
  // Other processes use up the same limit; a quarter of it is for this one.
  return Math.min((4 * left) / Math.max(remaining, 1), LONGEST_PACE);
}

function settled(results, count) {
  if (!Array.isArray(results) || results.length !== count) return { is: 'later', reason: FOREIGN };
  const refused = [];
  for (const [index, result] of results.entries()) {
    if (result?.status === 'rejected') {
      const error = String(result.error ?? 'Rejected');
      refused.push({ index, status: 400, error, details: result.details ?? null });
    } else if (result?.status !== 'accepted') {
      return { is: 'later', reason: FOREIGN };
    }
  }
  return { is: 'settled', refused };
}

function jsonObject(body) {
  try {
    const parsed = JSON.parse(body.toString());
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** Return the milliseconds of a `Retry-After`, which may be an instant. */
function retryAfter(header, now) {
  if (!header) return undefined;
  const seconds = Number(header);
  const pause = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000;
  return Number.isNaN(pause) ? undefined : Math.min(Math.max(pause, 0), LONGEST_RETRY_AFTER);
}

module.exports = { decide, pace };
