// posthog-node.

const { drive, numberOf, tell } = require("./driver.cjs");
const { PostHog } = require("posthog-node");

drive((url, key) => {
  const posthog = new PostHog(key, { host: url });
  for (const type of ["capture", "identify", "group", "groupIdentify"])
    posthog.on(type, (message) => tell({ n: numberOf(message), id: message.uuid }));
  posthog.on("error", (error) => tell({ error: String(error) }));
  const make = ({ type, user: distinctId, company, name, fields, timestamp }) => {
    const common = { distinctId, ...(timestamp && { timestamp: new Date(timestamp) }) };
    if (type === "identify") posthog.identify({ ...common, properties: fields });
    else if (type === "group")
      posthog.groupIdentify({
        ...common,
        groupType: "company",
        groupKey: company,
        properties: fields,
      });
    else {
      const groups = company ? { groups: { company } } : {};
      posthog.capture({ ...common, event: name, properties: fields, ...groups });
    }
    return null;
  };
  return { make, flush: () => posthog.shutdown(120_000) };
});
