// What the drivers in JavaScript share; driver.py describes the lines.

const diagnostics = require("node:diagnostics_channel");
const readline = require("node:readline");

const answers = {};
let requests = 0;
const request = () => {
  requests += 1;
};
const answer = ({ response }) => {
  answers[response.statusCode] = (answers[response.statusCode] ?? 0) + 1;
};

diagnostics.subscribe("http.client.request.start", request);
diagnostics.subscribe("http.client.response.finish", answer);
diagnostics.subscribe("undici:request:create", request);
diagnostics.subscribe("undici:request:headers", answer);

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** Report calls that the SDK says it has given up. */
const lost = (n, error) => tell({ n, lost: String(error?.message ?? error) });

const numberOf = ({ properties, traits, context }) =>
  (properties?.$set ?? properties?.$group_set ?? properties ?? traits ?? context.traits).call;

/** Return a callback for calls whose SDK hands over the batch: `decode` reads it. */
const ofBatches = (decode) => {
  const seen = new WeakSet();
  return (error, data) => {
    if (!data || seen.has(data)) return;
    seen.add(data);
    for (const message of decode(data).batch) {
      if (error) lost(numberOf(message), error);
      else tell({ n: numberOf(message), id: message.messageId });
    }
  };
};

/** Make each call at its time, flush and report. */
const drive = async (start) => {
  // An application without this line would be ended by some SDKs, when they give up a request.
  process.on("unhandledRejection", (error) => tell({ rejection: String(error) }));
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { url, key, calls } = JSON.parse((await lines.next()).value);
  const { make, flush } = start(url, key);
  tell({ ready: true });
  await lines.next();
  const began = performance.now();
  for (const call of calls) {
    const wait = began + 1000 * call.after - performance.now();
    // Even without a wait, answers have their turn, as in an application.
    await new Promise((resolve) => (wait > 1 ? setTimeout(resolve, wait) : setImmediate(resolve)));
    tell({ n: call.n, at: Date.now() / 1000, id: make(call) });
  }
  await flush();
  const answered = Object.values(answers).reduce((sum, number) => sum + number, 0);
  tell({ answers: { ...answers, ...(requests > answered && { none: requests - answered }) } });
  process.stdin.destroy();
};

module.exports = { drive, lost, numberOf, ofBatches, tell };
