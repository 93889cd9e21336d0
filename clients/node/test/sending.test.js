'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const test = require('node:test');
const { EVENT } = require('../src/records.js');
const { decide, pace } = require('../src/sending/answers.js');
const { hurried, newClient, newSpool, record, track, eventually } = require('./recorder.js');

/** Answer the first requests in another way than the others. */
function first(reply, times) {
  return () => (times-- > 0 ? reply : null);
}

test('a thousand events are sent in order in full compressed batches', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  const ids = track(client, 1_000);
  assert.equal(await client.flush(60_000), true);
  assert.deepEqual(recorder.ids(), ids);
  assert.ok(recorder.requests.length < 15);
  assert.equal(recorder.requests[0].headers['content-encoding'], 'gzip');
});

test('batches stay below a megabyte', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  track(client, 100, 30_000);
  assert.equal(await client.flush(60_000), true);
  assert.equal(recorder.ids().length, 100);
  assert.ok(Math.max(...recorder.requests.map((request) => request.records.length)) <= 32);
});

for (const reply of [
  { status: 503, body: { error: 'Service temporarily unavailable' } },
  { status: 500, body: 'oops' },
  { status: 429, body: { error: 'Rate limit exceeded' }, headers: { 'retry-after': '0' } },
  { status: 200, body: '<html>a captive portal</html>' },
  { status: 200, body: { results: [] } },
  { cut: true },
  { hang: true },
]) {
  test(`events are sent again after ${JSON.stringify(reply)}`, async (t) => {
    const recorder = await record(t, { answers: first(reply, 3) });
    const requestTimeout = reply.hang ? 300 : 60_000;
    const client = hurried(newClient(t, recorder.url, newSpool(t), { requestTimeout }));
    const ids = track(client, 3);
    assert.equal(await client.flush(60_000), true);
    assert.deepEqual(recorder.ids(), ids);
  });
}

test('an hour without the server loses nothing and asks ever less often', async (t) => {
  const client = newClient(t, 'http://127.0.0.1:1', newSpool(t));
  let passed = 0;
  const pauses = [];
  client._sender._now = () => passed;
  client._now = () => passed;
  track(client, 250);
  while (passed < 3_600_000) {
    assert.equal(await client._sender.step(), false);
    pauses.push(client._sender.pause);
    passed += client._sender.pause;
  }
  assert.ok(pauses[0] <= 1_000 && Math.max(...pauses) <= 60_000);
  assert.ok(pauses.length >= 60 && pauses.length <= 150, String(pauses.length));
  const recorder = await record(t);
  const { Transport } = require('../src/sending/transport.js');
  client._sender._transport = new Transport(recorder.url, 'k', 1_000);
  track(client, 50);
  while (await client._sender.step());
  assert.equal(new Set(recorder.ids()).size, 300);
  assert.equal(recorder.ids().length, 300);
});

test('a call does not wait for a server that hangs', async (t) => {
  const server = net.createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  t.after(() => server.close());
  const client = newClient(t, `http://127.0.0.1:${server.address().port}`, newSpool(t));
  track(client, 200);
  assert.equal(await client.flush(50), false);
  assert.equal(client.statistics.recorded, 200);
});

test('a Retry-After is seconds or an instant', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  for (const [value, pause] of [
    ['5', 5_000], ['-3', 0], ['999999', 3_600_000], ['soon', undefined],
    [new Date(now + 120_000).toUTCString(), 120_000],
  ]) {
    const answer = { status: 503, headers: { 'retry-after': value }, body: '{"error": "Wait"}' };
    assert.deepEqual(decide(EVENT, 1, answer, now), { is: 'later', reason: '503 Wait', pause });
  }
});

test('a Retry-After is heeded even by a flush', async (t) => {
  const reply = { status: 429, body: { error: 'Slowly' }, headers: { 'retry-after': '900' } };
  const recorder = await record(t, { answers: first(reply, 1) });
  const client = newClient(t, recorder.url, newSpool(t));
  track(client, 1);
  assert.equal(await client.flush(150), false);
  assert.equal(recorder.requests.length, 1);
  assert.ok(client._sender.pause > 890_000);
});

test('requests are spread over what is left of the rate limit', () => {
  const headers = { 'x-ratelimit-remaining': '9000', 'x-ratelimit-reset': '3600' };
  assert.equal(pace({ headers }, 0), 1_600);
  assert.equal(pace({ headers: {} }, 0), 0);
});

function refusingOdd({ records }) {
  const results = records.map(({ data }, index) =>
    data.n % 2
      ? { index, status: 'rejected', error: 'Event setting not found for key: login' }
      : { index, status: 'accepted' },
  );
  return { body: { results } };
}

test('refused events are kept with their reason, and can be sent again', async (t) => {
  const recorder = await record(t, { answers: refusingOdd });
  const heard = [];
  const onRefused = (refusal) => {
    heard.push(refusal);
    throw new Error('a fault of the application');
  };
  const client = newClient(t, recorder.url, newSpool(t), { onRefused });
  const ids = track(client, 10);
  assert.equal(await client.flush(60_000), true);
  assert.deepEqual(recorder.ids(), ids.filter((_, n) => n % 2 === 0));
  assert.deepEqual(client.refused(), heard);
  assert.deepEqual(heard.map((refusal) => refusal.body.data.n), [1, 3, 5, 7, 9]);
  assert.equal(heard[0].error, 'Event setting not found for key: login');
  assert.equal(client.warnings.filter((line) => line.includes('Refused for good')).length, 1);
  recorder.answers = () => null;
  assert.equal(client.retryRefused(), 5);
  assert.equal(await client.flush(60_000), true);
  assert.deepEqual(new Set(recorder.ids()), new Set(ids));
  assert.deepEqual(client.refused(), []);
});

test('an event that is too large is refused at once and holds up nothing', async (t) => {
  const recorder = await record(t);
  const client = newClient(t, recorder.url, newSpool(t));
  track(client, 1, 40_000);
  track(client, 1);
  assert.equal(await client.flush(60_000), true);
  assert.equal(recorder.ids().length, 1);
  assert.equal(client.refused()[0].error, 'An event is at most 32 KB');
});

for (const status of [400, 413]) {
  test(`a batch refused as a whole with ${status} is split until the cause is alone`, async (t) => {
    const answers = ({ records }) =>
      records.some(({ data }) => data.n === 37) ? { status, body: { error: 'No' } } : null;
    const recorder = await record(t, { answers });
    const client = newClient(t, recorder.url, newSpool(t));
    const ids = track(client, 64);
    assert.equal(await client.flush(60_000), true);
    assert.equal(recorder.ids().length, 63);
    assert.deepEqual(client.refused().map((refusal) => refusal.body.event_id), [ids[37]]);
  });
}

for (const [reply, cure] of [
  [{ status: 401, body: { error: 'Invalid API key' } }, /401 Invalid API key: check the API key/],
  [{ status: 404, body: '<html>nothing here</html>' }, /something else than Brazebee/],
  [{ status: 301, body: '', headers: { location: 'https://elsewhere.example.com' } }, /check the address/],
]) {
  test(`${reply.status} pauses the sending and loses nothing`, async (t) => {
    const spool = newSpool(t);
    const recorder = await record(t, { answers: () => reply });
    const client = newClient(t, recorder.url, spool);
    const ids = track(client, 5);
    assert.equal(await client.flush(150), false);
    assert.match(client.statistics.waitingFor, cure);
    assert.equal(client.warnings.length, 1);
    assert.ok(recorder.requests.length <= 3);
    recorder.answers = () => null; // somebody has mended it
    client._sender.hurry();
    assert.equal(await client.flush(60_000), true);
    await eventually(() => recorder.ids().length >= 5);
    assert.deepEqual(recorder.ids(), ids);
  });
}

test('updates are set aside by a server that does not know them', async (t) => {
  const answers = ({ path }) =>
    path.includes('track') ? null : { status: 404, body: { error: 'Not found' } };
  const recorder = await record(t, { answers });
  const client = newClient(t, recorder.url, newSpool(t));
  client.identify({ id: 'ada' });
  track(client, 1);
  assert.equal(await client.flush(60_000), true);
  assert.match(client.refused()[0].error, /older than this client/);
});
