// A server that notes what clients send, and answers as a test wants.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { Client } = require('brazebee-client');

const company = { id: 'acme', name: 'Acme' };

/** Run a server; `answers` may return `{ status, body, headers, cut }` for a request. */
async function record(t, { answers = () => null, port = 0 } = {}) {
  const recorder = { answers, requests: [], accepted: [] };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      let body = Buffer.concat(chunks);
      if (request.headers['content-encoding'] === 'gzip') body = zlib.gunzipSync(body);
      const [records] = Object.values(JSON.parse(body.toString()));
      const received = { path: request.url, headers: request.headers, records };
      recorder.requests.push(received);
      const results = records.map((_, index) => ({ index, status: 'accepted' }));
      const reply = recorder.answers(received) ?? { body: { results } };
      if (reply.hang) return;
      if (reply.cut) {
        request.socket.destroy();
        return;
      }
      if ((reply.status ?? 200) === 200 && Array.isArray(reply.body?.results)) {
        reply.body.results.forEach((result, i) => {
          if (result.status === 'accepted') recorder.accepted.push(records[i]);
        });
      }
      response.writeHead(reply.status ?? 200, reply.headers);
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}));
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  recorder.url = `http://127.0.0.1:${server.address().port}`;
  recorder.ids = () => recorder.accepted.map((one) => one.event_id);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return recorder;
}

/** Return a new directory for a spool. */
function newSpool(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'brazebee-client-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return path.join(made, 'spool');
}

/** Return a client that is closed after the test; its warnings are in `warnings`. */
function newClient(t, url, spoolDir, options = {}) {
  const warnings = [];
  const client = new Client({
    url,
    apiKey: 'bzb_key',
    spoolDir,
    flushInterval: 10,
    exitTimeout: 200,
    logger: { warn: (message) => warnings.push(message) },
    ...options,
  });
  t.after(() => client.close());
  return Object.assign(client, { warnings });
}

/** Let failures be repeated without a pause. */
function hurried(client) {
  client._sender.backOff.first = 1;
  client._sender.backOff.longest = 1;
  return client;
}

function track(client, number, size = 10) {
  return Array.from({ length: number }, (_, n) =>
    client.track('login', { company, data: { n, text: 'x'.repeat(size) } }),
  );
}

/** Leave events in the spool as a process does that is gone. */
async function leave(t, spool, number, size) {
  const client = newClient(t, 'http://127.0.0.1:1', spool);
  const ids = track(client, number, size);
  await client.close(0);
  for (const name of fs.readdirSync(spool)) {
    if (!name.startsWith('js-')) continue;
    const gone = name.replace(`-${process.pid}-`, '-4194304-'); // more than any process has
    fs.renameSync(path.join(spool, name), path.join(spool, gone));
  }
  return ids;
}

async function eventually(answers, milliseconds = 60_000) {
  const deadline = Date.now() + milliseconds;
  while (!answers()) {
    if (Date.now() > deadline) throw new Error(`still not: ${answers}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Return the paths of all segments of a spool. */
function segments(spool) {
  return fs
    .readdirSync(spool)
    .filter((name) => name.startsWith('js-'))
    .flatMap((name) => fs.readdirSync(path.join(spool, name)).map((file) => path.join(spool, name, file)))
    .filter((file) => file.endsWith('.log'));
}

module.exports = {
  company, eventually, hurried, leave, newClient, newSpool, record, segments, track,
};
