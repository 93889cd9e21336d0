// Records that the API refused for good, with its reasons: bounded, the oldest go first. Each
// process appends with one write, and needs no lock.
'use strict';

const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { COMPANY, EVENT, USER } = require('../records.js');
const { contentOf, framed } = require('./lines.js');

const MOST_BYTES = 5_000_000; // size at which a file is put behind a new one; there are two
const KINDS = { [EVENT]: 'event', [USER]: 'user', [COMPANY]: 'company' };
const LETTERS = { event: EVENT, user: USER, company: COMPANY };
const FILE = 'refused.log';
const FORMER = 'refused.1.log';
const RETRYING = 'refused-retrying-';
const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;

/** @returns {import('../../index').Refusal} the refusal of a record, as of now */
function refusalOf(record, status, error, details = null) {
  const body = JSON.parse(record.body.toString());
  return { kind: KINDS[record.kind], body, status, error, details, at: new Date().toISOString() };
}

class RefusedRecords {
  constructor(spool) {
    this._spool = spool;
  }

  /** Keep refusals. Throws if the disk is full. */
  add(refusals) {
    const lines = refusals.map((refusal) => framed(Buffer.from(JSON.stringify(refusal))));
    fs.mkdirSync(this._spool, { recursive: true, mode: 0o700 });
    const file = path.join(this._spool, FILE);
    const opened = fs.openSync(file, O_WRONLY | O_CREAT | O_APPEND, 0o600);
    let size;
    try {
      size = fs.fstatSync(opened).size;
      if (size > 0) lines.unshift(Buffer.from('\n')); // after a line that was cut short
      fs.writeSync(opened, Buffer.concat(lines));
    } finally {
      fs.closeSync(opened);
    }
    if (size > MOST_BYTES) fs.renameSync(file, path.join(this._spool, FORMER));
  }

  /** Return the refusals that are kept, the oldest first. */
  list() {
    return [FORMER, FILE].flatMap((name) => refusalsIn(path.join(this._spool, name)));
  }

  /** Return the records of each file and the file, which the caller deletes afterwards. */
  takeAll() {
    for (const name of [FORMER, FILE]) {
      try {
        fs.renameSync(
          path.join(this._spool, name),
          path.join(this._spool, `${RETRYING}${randomUUID()}.log`),
        );
      } catch {
        continue; // there is none
      }
    }
    return this._retrying().map((file) => ({ file, records: refusalsIn(file).map(recordOf) }));
  }

  _retrying() {
    try {
      const names = fs.readdirSync(this._spool).filter((name) => name.startsWith(RETRYING));
      return names.sort().map((name) => path.join(this._spool, name));
    } catch {
      return [];
    }
  }
}

function recordOf(refusal) {
  return Buffer.from(`${LETTERS[refusal.kind]} ${JSON.stringify(refusal.body)}`);
}

function refusalsIn(file) {
  let data;
  try {
    data = fs.readFileSync(file);
  } catch {
    return [];
  }
  const refusals = [];
  for (let start = 0; start < data.length; ) {
    const found = data.indexOf('\n', start);
    const stop = found < 0 ? data.length : found;
    const content = contentOf(data.subarray(start, stop));
    if (content) refusals.push(JSON.parse(content.toString()));
    start = stop + 1;
  }
  return refusals;
}

module.exports = { RefusedRecords, refusalOf };
