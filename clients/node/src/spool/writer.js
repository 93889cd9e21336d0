// Appends records to the segments of this process.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { framed } = require('./lines.js');
const { BEAT, beat } = require('./ownership.js');
const { segmentPath } = require('./segments.js');

const SEGMENT_BYTES = 1_000_000;
const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

class Writer {
  /**
   * @param {string} directory of this process
   * @param {'always' | 'interval' | 'never'} sync
   */
  constructor(directory, sync) {
    this.directory = directory;
    this._sync = sync;
    this._number = 0;
    this._size = 0;
    this._file = -1;
    this._former = this.position;
    this._isDirty = false;
    this._toFlush = [];
    this._flushing = -1;
    this._closeAfterFlush = -1;
    this._beatAt = Date.now();
  }

  /** The end of what is written. */
  get position() {
    return { segment: this._number, offset: this._size };
  }

  /** Whether another process has taken the directory, because this one was silent for long. */
  get isTaken() {
    const now = Date.now();
    if (now - this._beatAt < 2 * BEAT) return false;
    return !this.beat();
  }

  /** Show that this process lives; false if it no longer has the directory. */
  beat() {
    this._beatAt = Date.now();
    try {
      beat(this.directory);
    } catch {
      return false;
    }
    return true;
  }

  /**
   * Write records together and return their bytes: all are there afterwards, or none. One call of
   * the kernel has them in its cache, where they outlive this process.
   * @param {Buffer[]} contents
   */
  append(contents) {
    const data = Buffer.concat(contents.map(framed));
    if (this._file < 0 || this._size >= SEGMENT_BYTES) this._openNext();
    try {
      if (fs.writeSync(this._file, data) < data.length) {
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      }
      if (this._sync === 'always') fs.fdatasyncSync(this._file);
    } catch (error) {
      this._abandon();
      throw error;
    }
    this._size += data.length;
    this._isDirty = true;
    return data.length;
  }

  /** End the current segment if it ends at a position, so that it can be deleted. */
  retire(position) {
    const isEnd = position.segment === this._number && position.offset === this._size;
    if (!isEnd || this._file < 0 || this._size === 0) return false;
    this._close(this._file);
    this._file = -1;
    this._isDirty = false;
    return true;
  }

  /** Flush to the disk, beside the event loop, what was written since the last time. */
  async flush() {
    if (this._sync !== 'interval') return;
    const full = this._toFlush;
    this._toFlush = [];
    const current = this._isDirty && this._file >= 0 ? this._file : -1;
    this._isDirty = false;
    this._flushing = current;
    const files = current < 0 ? full : [...full, current];
    const results = await Promise.allSettled(files.map(datasync));
    this._flushing = -1;
    for (const file of full) fs.closeSync(file);
    if (current >= 0 && this._closeAfterFlush === current) fs.closeSync(current);
    this._closeAfterFlush = -1;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Close all files, of which those not flushed are left to the kernel. */
  close() {
    for (const file of this._toFlush) fs.closeSync(file);
    if (this._file >= 0) this._close(this._file);
    this._toFlush = [];
    this._file = -1;
  }

  _openNext() {
    const opened = fs.openSync(
      segmentPath(this.directory, this._number + 1),
      O_WRONLY | O_CREAT | O_EXCL | O_APPEND,
      0o600,
    );
    if (this._file >= 0) {
      if (this._sync === 'interval' && this._isDirty && this._file !== this._flushing) {
        this._toFlush.push(this._file);
      } else {
        this._close(this._file);
      }
    }
    this._former = this.position;
    this._file = opened;
    this._number += 1;
    this._size = 0;
    this._isDirty = false;
    if (this._sync === 'always') {
      syncFolder(this.directory);
      syncFolder(path.dirname(this.directory));
    }
  }

  /** Cut what was written of the records, and go on in another segment. */
  _abandon() {
    try {
      fs.ftruncateSync(this._file, this._size);
      if (this._size === 0) {
        fs.unlinkSync(segmentPath(this.directory, this._number));
        this._number = this._former.segment;
        this._size = this._former.offset;
      }
    } catch {
      // a part of a line is no line, nor before another one
    }
    this._close(this._file);
    this._file = -1;
  }

  /** Close a file, after its flush if one is going on. */
  _close(file) {
    if (file === this._flushing) this._closeAfterFlush = file;
    else fs.closeSync(file);
  }
}

function datasync(file) {
  return new Promise((resolve, reject) => {
    fs.fdatasync(file, (error) => (error ? reject(error) : resolve(undefined)));
  });
}

function syncFolder(folder) {
  if (process.platform === 'win32') return; // which does not open folders
  const opened = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(opened);
  } finally {
    fs.closeSync(opened);
  }
}

module.exports = { Writer };
