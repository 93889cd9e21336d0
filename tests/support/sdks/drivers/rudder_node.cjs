// @rudderstack/rudder-sdk-node.

const { gunzipSync } = require("node:zlib");
const { drive, ofBatches } = require("./driver.cjs");
const Analytics = require("@rudderstack/rudder-sdk-node");

drive((url, key) => {
  const analytics = new Analytics(key, { dataPlaneUrl: url });
  let pending = 0;
  const told = ofBatches((data) => JSON.parse(gunzipSync(data)));
  const callback = (error, data) => {
    pending -= 1;
    told(error, data);
  };
  const make = ({ type, user: userId, company, name, fields, timestamp }) => {
    const common = { userId, ...(timestamp && { originalTimestamp: new Date(timestamp) }) };
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
