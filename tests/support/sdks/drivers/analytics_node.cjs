// analytics-node, which @segment/analytics-node has replaced.

const { drive, ofBatches } = require("./driver.cjs");
const Analytics = require("analytics-node");

drive((url, key) => {
  const analytics = new Analytics(key, { host: url });
  let pending = 0;
  const told = ofBatches((data) => data);
  const callback = (error, data) => {
    pending -= 1;
    told(error, data);
  };
  const make = ({ type, user: userId, company, name, fields, timestamp }) => {
    const common = { userId, ...(timestamp && { timestamp: new Date(timestamp) }) };
    pending += 1;
    if (type === "identify") analytics.identify({ ...common, traits: fields }, callback);
    else if (type === "group")
      analytics.group({ ...common, groupId: company, traits: fields }, callback);
    else {
      const context = company ? { groupId: company } : {};
      analytics.track({ ...common, event: name, properties: fields, context }, callback);
    }
    return null;
  };
  const flush = async () => {
    while (pending > 0) {
      await analytics.flush().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { make, flush };
});
