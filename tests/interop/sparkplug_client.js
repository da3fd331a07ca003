// An edge node with one device, as the npm package sparkplug-client makes it.
// Arguments: address of the broker, group, edge node.
"use strict";
const sparkplug = require("sparkplug-client");
const { ready, say } = require("./peer.js");

const [serverUrl, groupId, edgeNode] = process.argv.slice(2);
const client = sparkplug.newClient({
  serverUrl, groupId, edgeNode, username: "", password: "",
  clientId: `${groupId}-${edgeNode}`, publishDeath: true,
});

const DEVICE = "D";
// Of every kind that a tag may have; numbers below zero show a lost sign.
const METRICS = [
  { name: "int8", type: "Int8", value: -8 },
  { name: "int16", type: "Int16", value: -16000 },
  { name: "int32", type: "Int32", value: -12 },
  { name: "int64", type: "Int64", value: -5000000000 },
  { name: "uint8", type: "UInt8", value: 200 },
  { name: "uint16", type: "UInt16", value: 60000 },
  { name: "uint32", type: "UInt32", value: 4000000000 },
  { name: "uint64", type: "UInt64", value: 5000000000 },
  { name: "float", type: "Float", value: 1.5 },
  { name: "double", type: "Double", value: -0.1 },
  { name: "boolean", type: "Boolean", value: true },
  { name: "time", type: "DateTime", value: 1772323200500 },
  { name: "state", type: "String", value: "RUN" },
];

function births() {
  const timestamp = Date.now();
  client.publishNodeBirth({ timestamp, metrics: [{ name: "load", type: "Double", value: 0.5 }] });
  const metrics = METRICS.map((metric, alias) => ({ ...metric, alias, timestamp }));
  client.publishDeviceBirth(DEVICE, { timestamp, metrics });
}

const commands = {
  births,
  data({ value, alias, type, compress }) {
    const timestamp = Date.now();
    const metrics = [{ alias, type, value, timestamp }];
    client.publishDeviceData(DEVICE, { timestamp, metrics }, { compress });
  },
  history({ value, timestamp }) {
    const metrics = [{ name: "load", type: "Double", value, timestamp, isHistorical: true }];
    client.publishNodeData({ timestamp: Date.now(), metrics });
  },
  deviceDeath() {
    client.publishDeviceDeath(DEVICE, { timestamp: Date.now() });
  },
  death() {
    client.stop();
  },
};

client.on("error", (error) => say({ error: String(error) }));
client.on("ncmd", (payload) => say({ asked: payload.metrics.map((metric) => metric.name) }));
client.once("birth", () => ready({}, (message) => commands[message.do](message)));
