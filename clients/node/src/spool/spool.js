// The spool of one process: what calls write into, and what the sender reads from.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { beat, newDirectory, takeDirectoriesLeft } = require('./ownership.js');
const { RefusedRecords } = require('./refused.js');
const { START, directoryBytes, reaches, segmentPath, writeCursor } = require('./segments.js');
const { MemorySource, SegmentSource } = require('./sources.js');
const { Writer } = require('./writer.js');

const RETIRE_BYTES = 64_000; // from here on, a segment that is sent is deleted, not appended to
const MOST_DAMAGED_BYTES = 1_000_000; // of unreadable lines that are kept for an examination
const BROKEN = 1_000; // how long the disk is left alone after a failure
const DAMAGED = 'damaged.log';

const Kept = Object.freeze({ ON_DISK: 'on disk', IN_MEMORY: 'in memory', NOWHERE: 'nowhere' });

class Spool {
  /**
   * @param {string} directory
   * @param {number} maxBytes
   * @param {'always' | 'interval' | 'never'} sync
   * @param {import('../warnings.js').Warnings} warnings
   */
  constructor(directory, maxBytes, sync, warnings) {
    this.directory = directory;
    this.refused = new RefusedRecords(directory);
    this.memory = new MemorySource();
    this._maxBytes = maxBytes;
    this._sync = sync;
    this._warnings = warnings;
    this._writer = null;
    this._own = null;
    this._left = [];
    this._turn = 0;
    this._bytes = 0;
    this._brokenUntil = 0;
  }

  /** Keep records, all or none of them; it never throws. */
  add(contents) {
    try {
      const length = contents.reduce((sum, content) => sum + content.length, 0);
      if (this._bytes + length > this._maxBytes) return Kept.NOWHERE;
      if (Date.now() >= this._brokenUntil) {
        this._append(contents);
        return Kept.ON_DISK;
      }
    } catch (error) {
      this._brokenUntil = Date.now() + BROKEN;
      this._warnings.warn(
        'disk',
        `The spool cannot be written (${error.message}); events stay in memory`,
      );
    }
    return this.memory.add(contents) ? Kept.IN_MEMORY : Kept.NOWHERE;
  }

  /** Return the next records, of each source in turn; null if there are none. */
  read() {
    const sources = [this.memory, ...this._left];
    if (this._own) sources.push(this._own);
    for (let tried = 0; tried < sources.length; tried++) {
      this._turn += 1;
      const source = sources[this._turn % sources.length];
      try {
        const batch = source.read();
        if (batch) return batch;
        if (this._left.includes(source)) {
          this._left = this._left.filter((other) => other !== source);
          source.remove();
        }
      } catch (error) {
        this._warnings.warn('read', `A part of the spool cannot be read: ${error.message}`);
      }
    }
    return null;
  }

  /** Forget records that are sent or refused. */
  done(batch) {
    if (batch.damaged.length) this._keepDamaged(batch.damaged);
    try {
      batch.source.advance(batch.end);
      if (batch.source === this._own && batch.end.offset >= RETIRE_BYTES) {
        if (this._writer.retire(batch.end)) {
          fs.unlinkSync(segmentPath(this._own.directory, batch.end.segment));
        }
      }
    } catch (error) {
      this._warnings.warn('cursor', `What was sent cannot be noted: ${error.message}`);
    }
  }

  /** The end of what this process has written. */
  get position() {
    return this._writer ? this._writer.position : START;
  }

  /** A promise to ask: whether what is recorded up to now, by this process, is done. */
  mark() {
    const { position, _own: own } = this;
    return () =>
      this.memory.contents.length === 0 && (own === null || reaches(own.position, position));
  }

  /** Flush to the disk what was written since the last time. */
  async flush() {
    try {
      if (this._writer) await this._writer.flush();
    } catch (error) {
      this._warnings.warn('flush', `The spool cannot be flushed to the disk: ${error.message}`);
    }
  }

  /** Show that this process lives. */
  beat() {
    if (this._writer && !this._writer.beat()) this._leave();
    for (const source of this._left) {
      try {
        beat(source.directory);
      } catch {
        this._left = this._left.filter((other) => other !== source); // it was taken over
      }
    }
  }

  /** Take over what ended processes left, and measure; whether the memory is on disk now. */
  lookAround() {
    const taken = takeDirectoriesLeft(this.directory);
    this._left = [...this._left, ...taken.map((directory) => new SegmentSource(directory))];
    this._bytes = directoryBytes(this.directory);
    const contents = this.memory.contents;
    if (contents.length === 0) return false;
    try {
      this._append(contents);
    } catch {
      return false; // as before
    }
    this.memory.contents = [];
    return true;
  }

  /** Whether there may be records of other processes, which are perhaps gone. */
  hasRecords() {
    return directoryBytes(this.directory) > 0;
  }

  /** Release everything; what is not sent stays on disk for another process. */
  close() {
    const { _writer: writer, _own: own, _left: left } = this;
    this._writer = this._own = null;
    this._left = [];
    for (const source of left) {
      try {
        if (source.read() === null) source.remove();
      } catch {
        // another process finds it
      }
    }
    if (!writer) return;
    writer.close();
    try {
      if (reaches(own.position, writer.position)) own.remove();
    } catch {
      // another process finds it, and removes it
    }
  }

  _append(contents) {
    if (this._writer && this._writer.isTaken) this._leave();
    this._bytes += (this._writer ?? this._open()).append(contents);
  }

  _open() {
    this._bytes = directoryBytes(this.directory);
    const directory = newDirectory(this.directory);
    try {
      writeCursor(directory, START); // it has its place before the disk is full
    } catch (error) {
      fs.rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    const writer = new Writer(directory, this._sync);
    this._own = new SegmentSource(writer.directory, () => writer.position);
    this._writer = writer;
    return writer;
  }

  /** Begin in another directory, because this one was taken over or deleted. */
  _leave() {
    this._warnings.warn('gone', `${this._writer.directory} is gone; another process may have it`);
    this._writer.close();
    this._writer = this._own = null;
  }

  _keepDamaged(lines) {
    const data = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    const file = path.join(this.directory, DAMAGED);
    this._warnings.warn(
      'damaged',
      `${lines.length} damaged or unfinished lines (${data.length} bytes) of the spool were set` +
        ` aside in ${file}`,
    );
    try {
      const opened = fs.openSync(file, 'a', 0o600);
      if (fs.fstatSync(opened).size + data.length <= MOST_DAMAGED_BYTES) fs.writeSync(opened, data);
      fs.closeSync(opened);
    } catch {
      // the warning has said it
    }
  }
}

module.exports = { Kept, Spool };
