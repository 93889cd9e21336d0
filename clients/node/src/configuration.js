// How a client works: from its options, else from the environment, else by default.
'use strict';

const { createHash } = require('node:crypto');
const os = require('node:os');
const path = require('node:path');
const { InvalidConfiguration } = require('./errors.js');

const SYNC_POLICIES = ['always', 'interval', 'never'];
const LEAST_SPOOL = 100_000; // a few large events have to fit
const DEFAULTS = {
  maxSpoolBytes: 100_000_000,
  sync: 'interval',
  flushInterval: 2_000,
  requestTimeout: 10_000,
  exitTimeout: 3_000,
};

/**
 * @param {import('../index').Options} options
 * @throws {InvalidConfiguration} something is missing or has no meaning
 */
function readConfiguration(options) {
  const read = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    if (options[name] !== undefined) read[name] = options[name];
  }
  if (options.disabled === undefined ? isDisabled() : options.disabled) {
    return { ...read, disabled: true, spoolDir: '' };
  }
  read.url = baseOf(options.url || process.env.BRAZEBEE_URL || '');
  read.apiKey = (options.apiKey || process.env.BRAZEBEE_API_KEY || '').trim();
  if (!read.apiKey) {
    throw new InvalidConfiguration(
      'There is no API key. Pass apiKey or set BRAZEBEE_API_KEY; in tests, pass disabled: true or' +
        ' set BRAZEBEE_DISABLED=1.',
    );
  }
  if (!/^[\x20-\x7e]+$/.test(read.apiKey)) {
    throw new InvalidConfiguration('The API key has characters that no key has');
  }
  const given = options.spoolDir || process.env.BRAZEBEE_SPOOL_DIR;
  read.spoolDir = given ? path.resolve(given) : defaultDirectory(read.url, read.apiKey);
  check(read);
  return { ...read, disabled: false };
}

function check(read) {
  if (!SYNC_POLICIES.includes(read.sync)) {
    throw new InvalidConfiguration(`sync is one of ${SYNC_POLICIES.join(', ')}`);
  }
  if (!(read.maxSpoolBytes >= LEAST_SPOOL)) {
    throw new InvalidConfiguration(`maxSpoolBytes is at least ${LEAST_SPOOL}`);
  }
  if (!(read.flushInterval > 0 && read.requestTimeout > 0 && read.exitTimeout >= 0)) {
    throw new InvalidConfiguration('flushInterval and requestTimeout are positive milliseconds');
  }
}

/**
 * Return the directory of this user for one address and one key. Without a directory of the
 * application's own, nothing tells apart the organizations to which the keys of one user belong,
 * and events must never reach another organization.
 */
function defaultDirectory(url, apiKey) {
  const name = createHash('sha256').update(`${url}\n${apiKey}`).digest('hex').slice(0, 16);
  return path.join(userDirectory(), 'brazebee-client', name);
}

function userDirectory() {
  const home = os.homedir();
  if (process.platform === 'win32') {
    return process.env.LOCALAPPDATA || path.join(home, 'AppData', 'Local');
  }
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Application Support');
  return process.env.XDG_STATE_HOME || path.join(home, '.local', 'state');
}

/** Return the address without a slash; `/v1` at its end is allowed. */
function baseOf(url) {
  if (!url) {
    throw new InvalidConfiguration(
      'There is no address. Pass url or set BRAZEBEE_URL, such as http://127.0.0.1:8000; in tests,' +
        ' pass disabled: true or set BRAZEBEE_DISABLED=1.',
    );
  }
  const base = url.trim().replace(/\/+$/, '').replace(/\/v1$/, '');
  let parts;
  try {
    parts = new URL(base);
  } catch {
    parts = null;
  }
  const fits = parts && ['http:', 'https:'].includes(parts.protocol);
  if (!fits || parts.username || parts.search || parts.hash) {
    throw new InvalidConfiguration(
      `${JSON.stringify(url)} is no address of Brazebee: it looks like https://events.example.com`,
    );
  }
  return base;
}

function isDisabled() {
  const value = (process.env.BRAZEBEE_DISABLED || '').trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  if (['', '0', 'false', 'no', 'off'].includes(value)) return false;
  throw new InvalidConfiguration('BRAZEBEE_DISABLED is 1 or 0');
}

module.exports = { readConfiguration };
