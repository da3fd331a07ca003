"use strict";
// An OPC UA server with many types, all three security policies and a login by name.
// arguments: a folder for its certificates

const path = require("node:path");
const {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  Variant,
  VariantArrayType,
  coerceLocalizedText,
} = require("node-opcua");
const { ready, say } = require("./peer");

const OWN_URI = "urn:example:interop:plant";
const VALUES = {
  Flag: [DataType.Boolean, true],
  SByte: [DataType.SByte, -100],
  Byte: [DataType.Byte, 200],
  Int16: [DataType.Int16, -30000],
  UInt16: [DataType.UInt16, 60000],
  Int32: [DataType.Int32, -2000000000],
  UInt32: [DataType.UInt32, 4000000000],
  Int64: [DataType.Int64, [0xffffff00, 0]], // high and low word of -2^40
  UInt64: [DataType.UInt64, [256, 0]], // 2^40
  Float: [DataType.Float, 0.5],
  Double: [DataType.Double, 1.25e-9],
  Moment: [DataType.DateTime, new Date("2026-03-01T08:00:00.250Z")],
  Serial: [DataType.String, "00042"],
  Reading: [DataType.String, " 12.50"],
  Word: [DataType.String, "EXECUTE"],
  Label: [DataType.LocalizedText, coerceLocalizedText("Held")],
  Bytes: [DataType.ByteString, Buffer.from("abc")],
};

async function manager(folder, name, options = {}) {
  const found = new OPCUACertificateManager({ rootFolder: path.join(folder, name), ...options });
  await found.initialize();
  return found;
}

function populate(addressSpace) {
  const namespace = addressSpace.registerNamespace(OWN_URI);
  const plant = namespace.addObject({
    organizedBy: addressSpace.rootFolder.objects,
    browseName: "Plant",
  });
  const variables = {};
  const add = (name, options) => {
    variables[name] = namespace.addVariable({
      componentOf: plant,
      browseName: name,
      nodeId: `s=${name}`,
      ...options,
    });
  };
  for (const [name, [dataType, value]] of Object.entries(VALUES)) {
    add(name, { dataType });
    const arrayType = VariantArrayType.Scalar;
    variables[name].setValueFromSource(new Variant({ arrayType, dataType, value }));
  }
  add("Zones", { dataType: DataType.Double, valueRank: 1, arrayDimensions: [3] });
  variables.Zones.setValueFromSource(
    new Variant({
      dataType: DataType.Double,
      arrayType: VariantArrayType.Array,
      value: Float64Array.from([181.5, 182.5, 183.5]),
    }),
  );
  const states = namespace.addEnumerationType({
    browseName: "MachineState",
    enumeration: [
      { displayName: "IDLE", value: 10 },
      { displayName: "RUN", value: 20 },
    ],
  });
  add("State", { dataType: states.nodeId });
  variables.State.setValueFromSource(new Variant({ dataType: DataType.Int32, value: 20 }));
  namespace.addMultiStateDiscrete({
    componentOf: plant,
    browseName: "Discrete",
    nodeId: "s=Discrete",
    enumStrings: ["Off", "Warming up", "On"],
    value: 1,
  });
  namespace.addMultiStateValueDiscrete({
    componentOf: plant,
    browseName: "ValueDiscrete",
    nodeId: "s=ValueDiscrete",
    enumValues: { Red: 0xff0000, Green: 0x00ff00 },
    value: 0x00ff00,
  });
  add("Broken", { dataType: DataType.Double });
  variables.Broken.setValueFromSource(
    new Variant({ dataType: DataType.Double, value: 0 }),
    StatusCodes.BadSensorFailure,
  );
  return variables;
}

async function main(folder) {
  const users = await manager(folder, "user");
  const server = new OPCUAServer({
    port: 0,
    hostname: "127.0.0.1",
    nodeset_filename: [require("node-opcua").nodesets.standard],
    serverCertificateManager: await manager(folder, "server", {
      automaticallyAcceptUnknownCertificate: true,
    }),
    userCertificateManager: users,
    securityPolicies: [
      SecurityPolicy.None,
      SecurityPolicy.Basic256Sha256,
      SecurityPolicy.Aes128_Sha256_RsaOaep,
      SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    securityModes: [
      MessageSecurityMode.None,
      MessageSecurityMode.Sign,
      MessageSecurityMode.SignAndEncrypt,
    ],
    allowAnonymous: true,
    userManager: { isValidUser: (name, password) => name === "reader" && password === "示例 1" },
    buildInfo: { productName: "Interop", manufacturerName: "示例厂商" },
  });
  await server.initialize();
  const variables = populate(server.engine.addressSpace);
  await server.start();
  ready({ port: server.endpoints[0].port }, async (message) => {
    if (message.write) {
      const [dataType] = VALUES[message.write];
      variables[message.write].setValueFromSource(
        new Variant({ dataType, value: message.value }),
      );
    } else if (message.reload) {
      await users.reloadCertificates();
      say({ reloaded: true });
    } else {
      say({ sessions: server.currentSessionCount });
    }
  });
}

main(process.argv[2]);
