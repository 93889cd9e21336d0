// @segment/analytics-node; the argument is the name under which a version is installed.

const { drive, lost, tell } = require("./driver.cjs");
const { Analytics } = require(process.argv[2]);

drive((url, key) => {
  const analytics = new Analytics({ host: url, writeKey: key });
  analytics.on("error", () => {}); // the callbacks of the calls say the same
  const make = ({ n, type, user: userId, company, name, fields, timestamp }) => {
    const common = { userId, timestamp: timestamp ?? undefined };
    const callback = (error, context) => {
      if (error) lost(n, error);
      else tell({ n, id: context.event.messageId });
    };
    if (type === "identify") analytics.identify({ ...common, traits: fields }, callback);
    else if (type === "group")
      analytics.group({ ...common, groupId: company, traits: fields }, callback);
    else {
      const context = company ? { groupId: company } : undefined;
      analytics.track({ ...common, event: name, properties: fields, context }, callback);
    }
    return null;
  };
  return { make, flush: () => analytics.closeAndFlush() };
});
