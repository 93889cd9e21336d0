// Ids of events: UUIDs of version 7, which sort by the time at which they were made.
'use strict';

const { randomBytes } = require('node:crypto');

/** @returns {string} a UUIDv7 */
function newEventId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join('-');
}

module.exports = { newEventId };
