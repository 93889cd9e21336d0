// The files of one directory: numbered segments, and the place up to which all is sent.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { contentOf, framed } = require('./lines.js');

const SUFFIX = '.log';
const CURSOR = 'cursor';

/** @typedef {{ segment: number, offset: number }} Position a place between two records */

const START = { segment: 0, offset: 0 };

/** Whether a position is at another one or behind it. */
function reaches(position, other) {
  return (
    position.segment > other.segment ||
    (position.segment === other.segment && position.offset >= other.offset)
  );
}

function segmentPath(directory, number) {
  return path.join(directory, String(number).padStart(8, '0') + SUFFIX);
}

/** Return the numbers of the segments that exist, in order. */
function segmentNumbers(directory) {
  let names;
  try {
    names = fs.readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+\.log$/.test(name))
    .map((name) => parseInt(name, 10))
    .sort((a, b) => a - b);
}

/** Return where sending has to go on: if that is lost, at the start, which changes nothing. */
function readCursor(directory) {
  try {
    const content = contentOf(fs.readFileSync(path.join(directory, CURSOR)).subarray(0, -1));
    const [segment, offset] = content.toString('latin1').split(' ').map(Number);
    return { segment, offset };
  } catch {
    return START;
  }
}

/** Keep a place. Its size never changes, so this works on a full disk, too. */
function writeCursor(directory, position) {
  const content = [
    String(position.segment).padStart(10, '0'),
    String(position.offset).padStart(12, '0'),
  ].join(' ');
  const file = fs.openSync(
    path.join(directory, CURSOR),
    fs.constants.O_WRONLY | fs.constants.O_CREAT,
    0o600,
  );
  try {
    fs.writeSync(file, framed(Buffer.from(content)));
  } finally {
    fs.closeSync(file);
  }
}

/** Return the bytes of all segments below a spool directory. */
function directoryBytes(spool) {
  let total = 0;
  for (const folder of list(spool)) {
    for (const name of list(path.join(spool, folder))) {
      if (!name.endsWith(SUFFIX)) continue;
      try {
        total += fs.statSync(path.join(spool, folder, name)).size;
      } catch {
        continue; // it is sent, and deleted
      }
    }
  }
  return total;
}

function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

module.exports = {
  START,
  directoryBytes,
  reaches,
  readCursor,
  segmentNumbers,
  segmentPath,
  writeCursor,
};
