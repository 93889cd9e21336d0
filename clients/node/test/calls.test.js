'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { Client, InvalidCall, InvalidConfiguration } = require('brazebee-client');
const { company, newClient, newSpool, record } = require('./recorder.js');

test('an event is sent in the words of the API', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  const before = new Date().toISOString();
  const id = client.track('login', { company, user: { id: 7 }, data: { from: 'web' } });
  assert.equal(await client.flush(60_000), true);
  const [{ event_id: sent, timestamp, ...event }] = recorder.accepted;
  assert.equal(sent, id);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(before <= timestamp && timestamp <= new Date().toISOString());
  assert.deepEqual(event, { event_key: 'login', company, user: { id: '7' }, data: { from: 'web' } });
  assert.equal(recorder.requests[0].path, '/v1/track/batch');
  assert.equal(recorder.requests[0].headers['x-api-key'], 'bzb_key');
});

test('updates of companies and users are sent to their endpoints', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  client.identify({ id: 7, role: 'admin' });
  client.identify({ id: 8 }, { id: 'acme' });
  client.group({ id: 'acme', plan: 'pro' }, { id: 9 });
  assert.equal(await client.flush(60_000), true);
  const sent = { '/v1/users/batch': [], '/v1/companies/batch': [] };
  for (const request of recorder.requests) {
    for (const { timestamp, ...update } of request.records) {
      assert.ok(timestamp);
      sent[request.path].push(update);
    }
  }
  assert.deepEqual(sent, {
    '/v1/users/batch': [
      { user: { id: '7', role: 'admin' } },
      { user: { id: '8' }, company: { id: 'acme' } },
      { user: { id: '9' }, company: { id: 'acme' } },
    ],
    '/v1/companies/batch': [{ company: { id: 'acme', plan: 'pro' } }],
  });
});

test('common types are written as JSON has them', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  const at = new Date(0);
  const data = { at, tags: new Set(['a']), none: undefined, list: [undefined, 1.5], text: 'ü\n' };
  client.track('login', { company, data, timestamp: at, event_id: 'order-1' });
  data.text = 'changed after the call';
  await client.flush(60_000);
  const [event] = recorder.accepted;
  const iso = at.toISOString();
  assert.deepEqual(event.data, { at: iso, tags: ['a'], list: [null, 1.5], text: 'ü\n' });
  assert.deepEqual([event.timestamp, event.event_id], [iso, 'order-1']);
});

const itself = {};
itself.itself = itself;

for (const [name, event, message] of [
  ['no company', {}, /company must be an object/],
  ['no event', undefined, /track needs an object/],
  ['no id', { company: { name: 'Acme' } }, /company.id is missing/],
  ['no name', { company: { id: 'acme' } }, /company.name is missing/],
  ['a user without id', { company, user: { email: 'a@b.c' } }, /user.id is missing/],
  ['data that is a list', { company, data: [] }, /data must be an object/],
  ['not a number', { company, data: { a: [NaN] } }, /data.a\[0\] is NaN/],
  ['a big integer', { company, data: { a: 1n } }, /data.a is a bigint/],
  ['a cycle', { company, data: itself }, /contains itself/],
  ['an invalid date', { company, timestamp: new Date(NaN) }, /invalid Date/],
]) {
  test(`a mistake in the program is thrown at the call: ${name}`, (t) => {
    const client = newClient(t, 'http://127.0.0.1:1', newSpool(t));
    assert.throws(() => client.track('login', event), (error) => {
      assert.ok(error instanceof InvalidCall);
      assert.match(error.message, message);
      return true;
    });
  });
}

for (const [options, message] of [
  [{ url: '' }, /Pass url or set BRAZEBEE_URL/],
  [{ apiKey: '' }, /Pass apiKey or set BRAZEBEE_API_KEY/],
  [{ url: 'localhost' }, /is no address of Brazebee/],
  [{ url: 'ftp://localhost' }, /is no address of Brazebee/],
  [{ sync: 'sometimes' }, /sync is one of/],
  [{ maxSpoolBytes: 10 }, /maxSpoolBytes is at least/],
  [{ flushInterval: 0 }, /positive milliseconds/],
]) {
  test(`a configuration without a meaning is thrown: ${JSON.stringify(options)}`, (t) => {
    for (const name of ['BRAZEBEE_URL', 'BRAZEBEE_API_KEY', 'BRAZEBEE_DISABLED']) {
      delete process.env[name];
    }
    const complete = { url: 'http://127.0.0.1:1/v1/', apiKey: 'k', spoolDir: newSpool(t) };
    assert.throws(() => new Client({ ...complete, ...options }), InvalidConfiguration);
    assert.throws(() => new Client({ ...complete, ...options }), message);
  });
}

test('a disabled client checks calls and does nothing', async (t) => {
  const spool = newSpool(t);
  const client = new Client({ disabled: true, spoolDir: spool });
  assert.ok(client.track('login', { company }));
  assert.throws(() => client.track('login', { company: { id: 'acme' } }), InvalidCall);
  assert.equal(await client.flush(60_000), true);
  assert.equal(await client.close(), true);
  assert.equal(fs.existsSync(spool), false);
});

test('the package is usable as ES module and as CommonJS', () => {
  const folder = path.join(__dirname, '..');
  const code = "import { Client } from 'brazebee-client'; new Client({ disabled: true }).close();";
  execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
});
