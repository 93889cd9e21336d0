// cloudevents for Node: its transport says nothing of the status, so a refusal is told by its body.

const { CloudEvent, HTTP, Mode, emitterFor, httpTransport } = require("cloudevents");
const { drive } = require("./driver.cjs");

const PAUSE_MS = 250;

drive((url, key) => {
  const transport = httpTransport(`${url}/v1/cloudevents`);
  const emitters = [Mode.STRUCTURED, Mode.BINARY].map((mode) =>
    emitterFor(transport, { binding: HTTP, mode }),
  );
  const post = async (n, event) => {
    try {
      const { headers } = await emitters[n % 2](event, { headers: { "x-api-key": key } });
      return headers["retry-after"] === undefined;
    } catch {
      return false;
    }
  };
  let last = Promise.resolve();
  const make = ({ n, user, company, name, fields, about, timestamp }) => {
    const event = new CloudEvent({
      type: name,
      source: "/tests",
      subject: "call",
      ...(timestamp && { time: timestamp }),
      data: {
        ...fields,
        company: { ...about.company, id: company },
        user: { ...about.user, id: user },
      },
    });
    last = last.then(async () => {
      while (!(await post(n, event))) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    });
    return event.id;
  };
  return { make, flush: () => last };
});
