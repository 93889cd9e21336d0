// Reads records back in the order in which they were written, and forgets those that are done.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { KINDS } = require('../records.js');
const { contentOf } = require('./lines.js');
const { readCursor, segmentNumbers, segmentPath, writeCursor } = require('./segments.js');

const MOST_RECORDS = 100; // of a request, which is what the API takes
const MOST_BYTES = 900_000; // of a request: the API takes 1 MB with what is around the records
const READ_BYTES = 300_000;
const MEMORY_BATCH = 25;
const LINE_FEED = 0x0a;

/**
 * @typedef {{ kind: string, body: Buffer }} Record an event or an update: its kind and its JSON
 * @typedef {object} Batch records that are sent together; those that are done are removed
 * @property {SegmentSource | MemorySource} source
 * @property {Record[]} records
 * @property {import('./segments.js').Position} end
 * @property {boolean} isLast whether there were no more, and the source is still written to
 * @property {Buffer[]} damaged
 */

/** The segments of one directory: of this process, or of one that is gone. */
class SegmentSource {
  /**
   * @param {string} directory
   * @param {() => (import('./segments.js').Position | null)} end where the segments end that this
   *   process is writing; null if nobody writes them
   */
  constructor(directory, end = () => null) {
    this.directory = directory;
    this._end = end;
    this.position = readCursor(directory);
  }

  /** Return the next records; null if there are none. Throws if a segment cannot be read. */
  read() {
    const from = this.position;
    const batch = { source: this, records: [], end: { ...from }, isLast: false, damaged: [] };
    let size = 0;
    while (batch.records.length < MOST_RECORDS && size < MOST_BYTES) {
      const end = this._end();
      const number = this._numberFrom(batch.end, end);
      if (number === undefined) break; // nobody writes to it, or nothing was written yet
      if (number !== batch.end.segment) batch.end = { segment: number, offset: 0 };
      const isComplete = end === null || number < end.segment;
      const most = isComplete ? READ_BYTES : Math.min(READ_BYTES, end.offset - batch.end.offset);
      const data = this._read(batch.end, most);
      if (data.length === 0) {
        if (!isComplete) {
          batch.isLast = true;
          break;
        }
        batch.end = { segment: number + 1, offset: 0 };
        continue;
      }
      size = takeLines(batch, data, size);
    }
    const isEmpty = batch.end.segment === from.segment && batch.end.offset === from.offset;
    return isEmpty ? null : batch;
  }

  /** Forget what is before a position, and delete the segments before it. */
  advance(end) {
    this.position = end;
    for (const number of segmentNumbers(this.directory)) {
      if (number < end.segment) fs.unlinkSync(segmentPath(this.directory, number));
    }
    writeCursor(this.directory, end); // may need the place that has become free
  }

  /** Delete the directory with its files, which are all sent. */
  remove() {
    for (const name of fs.readdirSync(this.directory)) {
      fs.unlinkSync(path.join(this.directory, name));
    }
    fs.rmdirSync(this.directory);
  }

  _numberFrom(position, end) {
    if (end && position.segment === end.segment) return position.segment;
    return segmentNumbers(this.directory).find((number) => number >= position.segment);
  }

  _read(position, most) {
    if (most <= 0) return Buffer.alloc(0);
    const file = fs.openSync(segmentPath(this.directory, position.segment), 'r');
    try {
      const data = Buffer.allocUnsafe(most);
      return data.subarray(0, fs.readSync(file, data, 0, most, position.offset));
    } finally {
      fs.closeSync(file);
    }
  }
}

/** Add the records of some data to a batch; return the bytes of all its records. */
function takeLines(batch, data, size) {
  let start = 0;
  while (start < data.length && batch.records.length < MOST_RECORDS && size < MOST_BYTES) {
    const stop = data.indexOf(LINE_FEED, start);
    if (stop < 0 && start > 0 && data.length >= READ_BYTES) break; // the rest comes next
    const line = data.subarray(start, stop < 0 ? data.length : stop);
    const content = contentOf(line);
    const kind = content && String.fromCharCode(content[0]);
    if (!KINDS.includes(kind)) {
      batch.damaged.push(line);
    } else {
      batch.records.push({ kind, body: content.subarray(2) });
      size += content.length;
    }
    start = stop < 0 ? data.length : stop + 1;
  }
  batch.end = { segment: batch.end.segment, offset: batch.end.offset + start };
  return size;
}

/** Records for which the disk had no place; they are lost with this process. */
class MemorySource {
  static MOST = 1_000;

  constructor() {
    /** @type {Buffer[]} */
    this.contents = [];
  }

  /** Keep records; false if there are too many. */
  add(contents) {
    if (this.contents.length + contents.length > MemorySource.MOST) return false;
    this.contents.push(...contents);
    return true;
  }

  read() {
    const taken = this.contents.slice(0, MEMORY_BATCH);
    if (taken.length === 0) return null;
    const records = taken.map((content) => ({
      kind: String.fromCharCode(content[0]),
      body: content.subarray(2),
    }));
    return { source: this, records, end: { segment: 0, offset: taken.length }, isLast: false, damaged: [] };
  }

  advance(end) {
    this.contents.splice(0, end.offset);
  }
}

module.exports = { MemorySource, SegmentSource };
