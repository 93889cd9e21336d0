// Records as lines: a checksum, a length, the content. A reader finds its way after any damage.
'use strict';

const zlib = require('node:zlib');

const SPACE = 0x20;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** @type {(data: Buffer) => number} */
const crc32 =
  zlib.crc32 ||
  ((data) => {
    let sum = -1;
    for (const byte of data) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
    return ~sum >>> 0;
  });

/** Return the line of a content, which has no line feed. */
function framed(content) {
  const head = `${crc32(content).toString(16).padStart(8, '0')} ${content.length} `;
  return Buffer.concat([Buffer.from(head), content, Buffer.from('\n')]);
}

/** Return the content of a line without its line feed; null if the line is damaged. */
function contentOf(line) {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  if (first !== 8 || second < 0) return null;
  const content = line.subarray(second + 1);
  const isWhole =
    Number(line.toString('latin1', first + 1, second)) === content.length &&
    parseInt(line.toString('latin1', 0, 8), 16) === crc32(content);
  return isWhole ? content : null;
}

module.exports = { contentOf, framed };
