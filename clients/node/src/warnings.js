// Warnings that do not flood the log: each at most once a minute, with how often it happened.
'use strict';

const { debuglog } = require('node:util');

const PAUSE = 60_000;

/** Debug output, with NODE_DEBUG=brazebee; it has neither contents nor keys. */
const debug = debuglog('brazebee');

class Warnings {
  /** @param {{ warn(message: string): void }} logger */
  constructor(logger) {
    this._logger = logger;
    this._last = new Map();
    this._suppressed = new Map();
  }

  /** Log a warning, unless the last one on its subject is less than a minute ago. */
  warn(subject, message) {
    const now = Date.now();
    if (now - (this._last.get(subject) ?? -Infinity) < PAUSE) {
      this._suppressed.set(subject, (this._suppressed.get(subject) ?? 0) + 1);
      return;
    }
    this._last.set(subject, now);
    const suppressed = this._suppressed.get(subject);
    this._suppressed.delete(subject);
    const since = suppressed ? ` (and ${suppressed} times since the last such warning)` : '';
    try {
      this._logger.warn(`brazebee-client: ${message}${since}`);
    } catch (error) {
      debug('the logger failed: %s', error);
    }
  }
}

module.exports = { Warnings, debug };
