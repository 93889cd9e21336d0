// Takes records from the spool and sends them, as fast as the API allows.
'use strict';

const { COMPANY, EVENT, USER } = require('../records.js');
const { refusalOf } = require('../spool/refused.js');
const { BEAT } = require('../spool/ownership.js');
const { debug } = require('../warnings.js');
const { decide, pace } = require('./answers.js');
const { BackOff } = require('./back-off.js');
const { Unreachable } = require('./transport.js');

const LOOK_AROUND = 2_000;
const FLUSH = 900; // at each second of the client
const PAUSE = 60_000; // between attempts while somebody has to change something, such as the key

const ENDPOINTS = {
  [EVENT]: { path: '/v1/track/batch', list: 'events' },
  [USER]: { path: '/v1/users/batch', list: 'users' },
  [COMPANY]: { path: '/v1/companies/batch', list: 'companies' },
};

/** Thrown when nothing can be sent for a while. */
class Postponed extends Error {}

class Sender {
  /**
   * @param {import('../spool/spool.js').Spool} spool
   * @param {import('./transport.js').Transport} transport
   * @param {() => number} now milliseconds of a clock
   * @param {import('../warnings.js').Warnings} warnings
   * @param {((refusal: object) => void) | undefined} onRefused
   */
  constructor(spool, transport, now, warnings, onRefused) {
    this.sent = 0;
    this.refused = 0;
    this.waitingFor = null;
    this.failedAttempts = 0;
    this.pace = 0;
    this.backOff = new BackOff();
    this._spool = spool;
    this._transport = transport;
    this._now = now;
    this._warnings = warnings;
    this._onRefused = onRefused;
    this._batch = null;
    this._notBefore = -Infinity;
    this._isTold = false;
    this._due = { look: -Infinity, flush: -Infinity, beat: -Infinity };
  }

  /** Milliseconds until something may be sent. */
  get pause() {
    return Math.max(0, this._notBefore - this._now());
  }

  /** Try at once, unless the server has said when. */
  hurry() {
    if (!this._isTold) this._notBefore = -Infinity;
  }

  /** Do what is due from time to time. */
  async maintain() {
    if (this._isDue('flush', FLUSH)) await this._spool.flush();
    if (this._isDue('beat', BEAT)) this._spool.beat();
    if (this._isDue('look', LOOK_AROUND)) {
      const isMoved = this._spool.lookAround();
      if (isMoved && this._batch?.source === this._spool.memory) this._batch = null;
    }
  }

  /** Send one batch, and return whether there may be more to send at once. */
  async step() {
    if (this.pause) return false;
    const batch = (this._batch ??= this._spool.read());
    if (!batch) return false;
    try {
      for (const kind of Object.keys(ENDPOINTS)) await this._send(kind, batch);
    } catch (error) {
      if (error instanceof Postponed) return false;
      throw error;
    }
    this._batch = null;
    this._spool.done(batch);
    return !batch.isLast;
  }

  close() {
    this._transport.close();
  }

  /** Keep refusals, log them, and tell the application. */
  keepRefused(refusals) {
    this.refused += refusals.length;
    try {
      this._spool.refused.add(refusals);
    } catch (error) {
      this._warnings.warn('refused', `Refused events cannot be kept: ${error.message}`);
    }
    for (const refusal of refusals) {
      const details = refusal.details ? ` ${JSON.stringify(refusal.details)}` : '';
      this._warnings.warn(
        `refused ${refusal.error}`,
        `Refused for good: ${refusal.error}${details}. It is kept in ${this._spool.directory};` +
          ' retryRefused() sends it again',
      );
      try {
        this._onRefused?.(refusal);
      } catch (error) {
        this._warnings.warn('onRefused', `onRefused failed: ${error?.stack ?? error}`);
      }
    }
  }

  /** Send the records of one kind, in parts if they are too much. */
  async _send(kind, batch) {
    const records = batch.records.filter((record) => record.kind === kind);
    const parts = records.length ? [records] : [];
    while (parts.length) {
      const part = parts.pop();
      const decision = await this._post(kind, part);
      if (decision.is === 'smaller' && part.length > 1) {
        const middle = part.length >> 1;
        parts.push(part.slice(middle), part.slice(0, middle));
        continue;
      }
      const refused = decision.is === 'smaller' ? [decision.refused] : decision.refused;
      if (refused.length) {
        this.keepRefused(
          refused.map((one) => refusalOf(part[one.index], one.status, one.error, one.details)),
        );
      }
      this.sent += part.length - refused.length;
      const done = new Set(part);
      batch.records = batch.records.filter((record) => !done.has(record));
    }
  }

  async _post(kind, records) {
    const { path, list } = ENDPOINTS[kind];
    const parts = [Buffer.from(`{"${list}":[`)];
    records.forEach((record, i) => parts.push(Buffer.from(i ? ',' : ''), record.body));
    parts.push(Buffer.from(']}'));
    let answer;
    try {
      answer = await this._transport.post(path, Buffer.concat(parts));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      throw this._postponed({ is: 'later', reason: error.message });
    }
    debug('%s with %d records: %d', path, records.length, answer.status);
    this.pace = pace(answer, Date.now());
    const decision = decide(kind, records.length, answer, Date.now());
    if (decision.is === 'later' || decision.is === 'paused') throw this._postponed(decision);
    this.waitingFor = null;
    this._isTold = false;
    this.backOff.reset();
    return decision;
  }

  /** Note why and until when nothing is sent. */
  _postponed(decision) {
    this.failedAttempts += 1;
    this.waitingFor = decision.reason;
    let pause = this.backOff.nextPause();
    if (decision.is === 'paused') pause = PAUSE;
    else if (decision.pause) pause = decision.pause;
    this._isTold = Boolean(decision.pause);
    this._notBefore = this._now() + pause;
    this._warnings.warn(
      `waiting ${decision.reason.slice(0, 3)}`,
      `Nothing can be sent (${decision.reason}); events stay in the spool, next attempt in` +
        ` ${(pause / 1000).toFixed(1)} s`,
    );
    return new Postponed(decision.reason);
  }

  _isDue(what, every) {
    const now = this._now();
    if (now < this._due[what]) return false;
    this._due[what] = now + every;
    return true;
  }
}

module.exports = { Sender };
