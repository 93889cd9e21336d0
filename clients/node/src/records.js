// Turns the arguments of a call into what is kept in the spool and sent later. A record is its
// kind, a blank, and one object of JSON, as the API takes it in a batch.
'use strict';

const { InvalidCall } = require('./errors.js');
const { newEventId } = require('./event-ids.js');

const EVENT = 'e';
const USER = 'u';
const COMPANY = 'c';
const KINDS = [EVENT, USER, COMPANY];

const DEEPEST = 32; // The API takes 10; a structure that contains itself has no end.

/**
 * Return the id of an event and its record.
 * @param {string} eventKey
 * @param {object} event its `company`, `user`, `data`, `timestamp` and `event_id`
 * @returns {{ id: string, record: Buffer }}
 * @throws {InvalidCall} an argument is missing or is no JSON
 */
function trackRecord(eventKey, event) {
  if (!isObject(event)) throw new InvalidCall('track needs an object with the `company`');
  const written = {
    event_key: text(eventKey, 'The event key'),
    company: identified(event.company, 'company', true),
  };
  if (event.user != null) written.user = identified(event.user, 'user');
  if (event.data != null) written.data = fields(event.data, 'data');
  written.timestamp = instant(event.timestamp);
  written.event_id = event.event_id == null ? newEventId() : text(event.event_id, 'event_id');
  return { id: written.event_id, record: record(EVENT, written) };
}

/**
 * Return the records that update a user, a company, or both and that they belong together.
 * @returns {Buffer[]}
 * @throws {InvalidCall} an argument is missing or is no JSON
 */
function userAndCompanyRecords(user, company, timestamp) {
  const at = instant(timestamp);
  const records = [];
  const companyFields = company == null ? null : identified(company, 'company');
  if (companyFields && (user == null || Object.keys(companyFields).length > 1)) {
    records.push(record(COMPANY, { company: companyFields, timestamp: at }));
  }
  if (user != null) {
    const update = { user: identified(user, 'user') };
    if (companyFields) update.company = { id: companyFields.id };
    records.push(record(USER, { ...update, timestamp: at }));
  }
  return records;
}

function record(kind, value) {
  return Buffer.from(`${kind} ${JSON.stringify(value)}`);
}

function identified(value, name, isNamed = false) {
  if (!isObject(value)) throw new InvalidCall(`${name} must be an object with an \`id\``);
  const plain = fields(value, name);
  if (Number.isSafeInteger(plain.id)) plain.id = String(plain.id);
  if (typeof plain.id !== 'string' || !plain.id) {
    throw new InvalidCall(`${name}.id is missing: it must be your own id, a string or an integer`);
  }
  if (isNamed && (typeof plain.name !== 'string' || !plain.name)) {
    throw new InvalidCall(`${name}.name is missing: every event names its company`);
  }
  return plain;
}

function fields(value, name) {
  if (!isObject(value)) throw new InvalidCall(`${name} must be an object`);
  return plain(value, name, 0);
}

function text(value, name) {
  if (typeof value !== 'string' || !value) {
    throw new InvalidCall(`${name} must be a string that is not empty`);
  }
  return value;
}

function instant(value) {
  if (value == null) return new Date().toISOString();
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new InvalidCall('timestamp is an invalid Date');
    return value.toISOString();
  }
  return text(value, 'timestamp');
}

/** Return a value as JSON has it. Like JSON.stringify, it leaves out what is undefined. */
function plain(value, path, depth) {
  if (depth > DEEPEST) throw new InvalidCall(`${path} is nested too deeply, or contains itself`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new InvalidCall(`${path} is ${value}, which JSON lacks`);
    return value;
  }
  if (value instanceof Date) return instant(value);
  if (value instanceof Set) return plain([...value], path, depth);
  if (Array.isArray(value)) {
    return value.map((inner, i) => plain(inner === undefined ? null : inner, `${path}[${i}]`, depth + 1));
  }
  if (typeof value === 'object' && typeof value.toJSON === 'function') {
    return plain(value.toJSON(), path, depth + 1);
  }
  if (isObject(value) && !(value instanceof Map)) {
    const written = Object.create(null); // so that a field may be called `__proto__`
    for (const [key, inner] of Object.entries(value)) {
      if (inner !== undefined) written[key] = plain(inner, `${path}.${key}`, depth + 1);
    }
    return written;
  }
  throw new InvalidCall(`${path} is a ${value instanceof Map ? 'Map' : typeof value}, which JSON lacks`);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { COMPANY, EVENT, KINDS, USER, trackRecord, userAndCompanyRecords };
