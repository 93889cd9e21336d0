// The client that applications use.
'use strict';

const fs = require('node:fs');
const { readConfiguration } = require('./configuration.js');
const { trackRecord, userAndCompanyRecords } = require('./records.js');
const { Sender } = require('./sending/sender.js');
const { Transport } = require('./sending/transport.js');
const { refusalOf } = require('./spool/refused.js');
const { Kept, Spool } = require('./spool/spool.js');
const { Warnings } = require('./warnings.js');

const LARGEST_RECORD = 32 * 1024; // bytes of an event or update that the API takes
const FULL_BATCH = 100;
const TICK = 1_000; // how often it flushes to the disk and looks around, at least
const POLL = 10;

class Client {
  /** @param {import('../index').Options} [options] */
  constructor(options = {}) {
    const read = readConfiguration(options);
    this._configuration = read;
    this._isClosed = false;
    this._recorded = this._dropped = this._notOnDisk = this._unsent = 0;
    this._warnings = new Warnings(options.logger ?? console);
    this._timer = null;
    this._running = null;
    this._isUrgent = false;
    if (read.disabled) return;
    this._now = () => performance.now();
    this._nextAt = this._now() + read.flushInterval;
    this._spool = new Spool(read.spoolDir, read.maxSpoolBytes, read.sync, this._warnings);
    const transport = new Transport(read.url, read.apiKey, read.requestTimeout);
    this._sender = new Sender(
      this._spool, transport, this._now, this._warnings, options.onRefused,
    );
    this._atExit = () => this._flushAtExit();
    process.on('beforeExit', this._atExit);
    if (this._spool.hasRecords()) this._schedule();
  }

  track(eventKey, event) {
    const { id, record } = trackRecord(eventKey, event);
    this._record([record]);
    return id;
  }

  identify(user, company = null, update = {}) {
    this._record(userAndCompanyRecords(user ?? {}, company, update.timestamp));
  }

  group(company, user = null, update = {}) {
    this._record(userAndCompanyRecords(user, company ?? {}, update.timestamp));
  }

  async flush(timeout = 10_000) {
    return this._configuration.disabled || this._flush(timeout, false);
  }

  async close(timeout = this._configuration.exitTimeout) {
    if (this._configuration.disabled) return true;
    process.off('beforeExit', this._atExit);
    const isDone = await this._flush(timeout, true);
    this._isClosed = true;
    clearTimeout(this._timer);
    this._timer = null;
    this._sender.close(); // which ends a request that still waits for its answer
    await this._running;
    await this._spool.flush();
    this._spool.close();
    return isDone;
  }

  refused() {
    return this._configuration.disabled ? [] : this._spool.refused.list();
  }

  retryRefused() {
    if (this._configuration.disabled) return 0;
    let count = 0;
    for (const { records, file } of this._spool.refused.takeAll()) {
      if (records.length && !this._record(records)) break;
      fs.rmSync(file, { force: true });
      count += records.length;
    }
    return count;
  }

  get statistics() {
    return {
      recorded: this._recorded,
      sent: this._sender?.sent ?? 0,
      refused: this._sender?.refused ?? 0,
      dropped: this._dropped,
      notOnDisk: this._notOnDisk,
      failedAttempts: this._sender?.failedAttempts ?? 0,
      waitingFor: this._sender?.waitingFor ?? null,
    };
  }

  /** Keep records; false if there is no place for them. It never throws. */
  _record(records) {
    if (this._configuration.disabled) return true;
    const small = records.filter((record) => record.length <= LARGEST_RECORD + 2);
    if (small.length < records.length) {
      this._refuseLarge(records);
      if (small.length === 0) return true;
    }
    const kept = this._spool.add(small);
    if (kept === Kept.NOWHERE) {
      this._dropped += small.length;
      this._warnings.warn(
        'dropped', `The spool is full: events are dropped (${this._dropped} so far)`,
      );
      return false;
    }
    this._recorded += small.length;
    if (kept === Kept.IN_MEMORY) this._notOnDisk += small.length;
    this._unsent += small.length;
    this._schedule(this._unsent === FULL_BATCH);
    return true;
  }

  /** Refuse at once what the API would refuse. */
  _refuseLarge(records) {
    const error = `An event is at most ${LARGEST_RECORD / 1024} KB`;
    const large = records.filter((record) => record.length > LARGEST_RECORD + 2);
    this._sender.keepRefused(
      large.map((record) => {
        const [kind, body] = [String.fromCharCode(record[0]), record.subarray(2)];
        return refusalOf({ kind, body }, 0, error, { bytes: body.length });
      }),
    );
  }

  /** Plan the next run; one that is planned already is moved only if there is a reason. */
  _schedule(isSooner = false) {
    if (this._isClosed || this._running || (this._timer && !isSooner)) return;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._timer = null;
      this._running = this._run().finally(() => {
        this._running = null;
        this._schedule();
      });
    }, this._delay());
    this._timer.unref();
  }

  async _run() {
    try {
      await this._sender.maintain();
      if (this._now() < this._nextAt && !this._isUrgent && this._unsent < FULL_BATCH) return;
      do {
        this._unsent = 0;
        await this._sender.maintain();
      } while (!this._isClosed && (await this._sender.step()));
      const { flushInterval } = this._configuration;
      this._nextAt = this._now() + Math.max(flushInterval, this._sender.pace);
    } catch (error) {
      this._warnings.warn('fault', `Sending failed; it goes on: ${error?.stack ?? error}`);
    }
  }

  /** Return for how long further records are gathered, or until it is tried again. */
  _delay() {
    const { pause } = this._sender;
    if (!pause && this._unsent >= FULL_BATCH) return 0;
    if (!pause && this._isUrgent) {
      this._isUrgent = !this._spool.mark()();
      return POLL;
    }
    return Math.min(pause || Math.max(this._nextAt - this._now(), 0), TICK);
  }

  /** Wait until everything is done, time is up, or, with `giveUp`, an attempt has failed. */
  async _flush(timeout, giveUp) {
    const isDone = this._spool.mark();
    if (isDone()) return true;
    const deadline = this._now() + timeout;
    const failed = this._sender.failedAttempts;
    this._isUrgent = true;
    this._sender.hurry();
    this._schedule(true);
    while (!isDone()) {
      const left = deadline - this._now();
      const hasFailed = this._sender.failedAttempts > failed;
      if (left <= 0 || (giveUp && (hasFailed || this._sender.pause > left))) return false;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, POLL))); // keeps running
    }
    return true;
  }

  _flushAtExit() {
    if (this._hasTriedAtExit === this._recorded) return;
    this._hasTriedAtExit = this._recorded;
    this._flush(this._configuration.exitTimeout, true).then((isDone) => {
      if (isDone && !this._isClosed) this._spool.close(); // nothing is left in it
    });
  }
}

module.exports = { Client };
