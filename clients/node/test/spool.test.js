'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { contentOf, framed } = require('../src/spool/lines.js');
const { Spool } = require('../src/spool/spool.js');
const { Warnings } = require('../src/warnings.js');
const {
  eventually, leave, newClient, newSpool, record, segments, track,
} = require('./recorder.js');

test('a line that was changed anywhere is recognized', () => {
  const line = framed(Buffer.from('e {}')).subarray(0, -1);
  assert.equal(String(contentOf(line)), 'e {}');
  for (let at = 0; at < line.length; at++) {
    const changed = Buffer.from(line);
    changed[at] ^= 1;
    assert.equal(contentOf(changed), null, String(changed));
    assert.equal(contentOf(line.subarray(0, at)), null);
  }
});

test('what a process left is sent once by the next one', async (t) => {
  const spool = newSpool(t);
  const ids = await leave(t, spool, 250);
  const recorder = await record(t);
  const client = newClient(t, recorder.url, spool);
  const own = track(client, 1);
  await eventually(() => client.statistics.sent >= 251);
  assert.deepEqual(recorder.ids().sort(), [...ids, ...own].sort());
  await client.close();
  assert.deepEqual(fs.readdirSync(spool), []);
});

test('only the user may read the spool', async (t) => {
  const before = process.umask(0);
  const spool = newSpool(t);
  await leave(t, spool, 1).finally(() => process.umask(before));
  const mode = (file) => fs.statSync(file).mode & 0o777;
  const [segment] = segments(spool);
  assert.deepEqual([spool, path.dirname(segment), segment].map(mode), [0o700, 0o700, 0o600]);
});

for (const [name, damage] of [
  ['a cut end', (data) => data.subarray(0, -40)],
  ['zeros at the end', (data) => Buffer.concat([data, Buffer.alloc(5_000)])],
  ['line feeds at the end', (data) => Buffer.concat([data, Buffer.alloc(50, '\n')])],
  ['garbage in the middle', (data) => data.fill(0xff, data.length - 300, data.length - 250)],
]) {
  test(`a damaged spool gives up the damaged events only: ${name}`, async (t) => {
    const spool = newSpool(t);
    const ids = await leave(t, spool, 40);
    const [segment] = segments(spool);
    fs.writeFileSync(segment, damage(fs.readFileSync(segment)));
    const recorder = await record(t);
    const client = newClient(t, recorder.url, spool);
    track(client, 1);
    await eventually(() => ids.slice(0, 36).every((id) => recorder.ids().includes(id)));
    await eventually(() => client.warnings.some((line) => line.includes('damaged or unfinished')));
    assert.equal(await client.flush(60_000), true);
  });
}

test('a full spool drops the newest events and says so', async (t) => {
  const spool = newSpool(t);
  const client = newClient(t, 'http://127.0.0.1:1', spool, { maxSpoolBytes: 100_000 });
  track(client, 100, 2_000);
  const { recorded, dropped } = client.statistics;
  assert.ok(recorded >= 30 && recorded < 60);
  assert.equal(recorded + dropped, 100);
  assert.ok(client.warnings.some((line) => line.includes('The spool is full')));
});

test('without a place on disk events are sent from memory', async (t) => {
  const spool = newSpool(t);
  fs.mkdirSync(path.dirname(spool), { recursive: true });
  fs.writeFileSync(spool, ''); // in the way
  const recorder = await record(t);
  const client = newClient(t, recorder.url, path.join(spool, 'deeper'));
  const ids = track(client, 30);
  assert.equal(await client.flush(60_000), true);
  assert.deepEqual(recorder.ids().sort(), ids.sort());
  assert.equal(client.statistics.notOnDisk, 30);
  track(client, 1_500);
  assert.ok(client.statistics.dropped > 0);
});

test('a writer whose directory was taken over begins another one', (t) => {
  const spool = new Spool(newSpool(t), 1_000_000, 'interval', new Warnings({ warn: () => {} }));
  spool.add([Buffer.from('e {}')]);
  const { directory } = spool._writer;
  fs.renameSync(directory, `${directory}x`);
  spool._writer._beatAt -= 3_600_000; // it was silent for an hour
  spool.add([Buffer.from('e {}')]);
  assert.equal(segments(spool.directory).length, 2);
  spool.close();
});

test('nothing stays on disk after everything is sent', async (t) => {
  for (const sync of ['always', 'interval', 'never']) {
    const spool = newSpool(t);
    const recorder = await record(t);
    const client = newClient(t, recorder.url, spool, { sync });
    const ids = track(client, 300, 5_000);
    await client._spool.flush();
    assert.equal(await client.flush(60_000), true);
    assert.deepEqual(recorder.ids(), ids);
    assert.equal(segments(spool).length, 0);
    await client.close();
    assert.deepEqual(fs.readdirSync(spool), []);
  }
});
