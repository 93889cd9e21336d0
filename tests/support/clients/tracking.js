// An application that tracks events and tells the id of each once the call has returned, as
// tracking.py does: `tracking.js FORM NUMBER`.
'use strict';

const cluster = require('node:cluster');
const fs = require('node:fs');
const { Worker, isMainThread } = require('node:worker_threads');
const { Client } = require('../../../clients/node');

const company = { id: 'acme', name: 'Acme' };

function client(options = {}) {
  return new Client({ flushInterval: 20, exitTimeout: 5000, ...options });
}

function track(running, number) {
  for (let n = 0; n < number; n++) {
    const id = running.track('login', { company, data: { n, of: process.pid } });
    fs.writeSync(1, `${id}\n`);
  }
}

const forms = {
  /** Track in bursts, with turns of the event loop in between. */
  endless() {
    const running = client();
    const burst = () => {
      track(running, 5);
      setImmediate(burst);
    };
    burst();
  },
  to_its_end(number) {
    track(client(), number);
  },
  steadily(number) {
    const running = client();
    const timer = setInterval(() => {
      track(running, 1);
      if (--number === 0) clearInterval(timer);
    }, 2);
  },
  /** End before anything is sent. */
  without_sending(number) {
    track(client({ flushInterval: 60_000 }), number);
    process.exit(0);
  },
  uncaught(number) {
    track(client({ flushInterval: 60_000 }), number);
    throw new Error('on purpose');
  },
  in_cluster(number) {
    if (cluster.isPrimary) {
      for (let worker = 0; worker < 3; worker++) cluster.fork();
      track(client(), number);
    } else {
      const running = client();
      track(running, number);
      running.close().then(() => process.exit(0));
    }
  },
  in_worker_threads(number) {
    track(client(), number);
    if (isMainThread) new Worker(__filename, { argv: process.argv.slice(2) });
  },
};

forms[process.argv[2]](Number(process.argv[3]));
