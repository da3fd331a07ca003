// A Modbus server of modbus-serial: `tcp PORT`, or `serial PATH` for frames on a serial line.
"use strict";
const { ServerSerial, ServerTCP } = require("modbus-serial");
const { ready, say } = require("./peer.js");

const LAST = 5000;
const ILLEGAL_ADDRESS = 2;

const registers = new Map();

// Puts bytes into holding registers from an address on.
function put(address, size, write, turn = (bytes) => bytes) {
  const bytes = Buffer.alloc(size);
  write(bytes);
  const sent = turn(bytes);
  for (let place = 0; place < size; place += 2) {
    registers.set(address + place / 2, sent.readUInt16BE(place));
  }
}

const turns = {
  big: (bytes) => bytes,
  little: (bytes) => bytes.reverse(),
  bytes: (bytes) => bytes.swap16(),
  words: (bytes) => bytes.reverse().swap16(),
  halves: (bytes) => Buffer.concat([bytes.subarray(4), bytes.subarray(0, 4)]),
  within: (bytes) => bytes.swap32().swap16(),
};

put(100, 2, (bytes) => bytes.writeInt16BE(-5));
put(102, 2, (bytes) => bytes.writeUInt16BE(0x1234));
put(103, 4, (bytes) => bytes.writeUInt32BE(0x12345678));
put(105, 2, (bytes) => bytes.writeUInt16BE(0b1000000000000100));
put(106, 2, (bytes) => (bytes.writeInt8(-7, 0), bytes.writeUInt8(200, 1)));
put(107, 2, (bytes) => bytes.writeUInt16BE(0x3e00)); // 1.5 in half precision
put(110, 6, (bytes) => bytes.write("RUN"));
put(113, 6, (bytes) => bytes.write("IDLE"), turns.bytes);
["big", "little", "bytes", "words"].forEach((name, index) => {
  put(200 + 10 * index, 4, (bytes) => bytes.writeFloatBE(-1234.5), turns[name]);
  put(204 + 10 * index, 4, (bytes) => bytes.writeInt32BE(-123456789), turns[name]);
});
["big", "little", "bytes", "words", "halves", "within"].forEach((name, index) => {
  put(300 + 20 * index, 8, (bytes) => bytes.writeDoubleBE(-1234.5678), turns[name]);
  put(306 + 20 * index, 8, (bytes) => bytes.writeBigInt64BE(-(2n ** 40n) - 5n), turns[name]);
});

function known(address) {
  if (address > LAST) {
    throw { modbusErrorCode: ILLEGAL_ADDRESS, msg: "no such address" };
  }
  return address;
}

let writes = 0;
const noteWrite = () => { writes += 1; };
const vector = {
  getHoldingRegister: (address) => registers.get(address) ?? known(address),
  getInputRegister: (address, unit) => known(address) + 1000 * unit,
  getCoil: (address) => known(address) % 3 === 0,
  getDiscreteInput: (address) => known(address) % 2 === 1,
  setRegister: noteWrite,
  setCoil: noteWrite,
};

const [kind, where] = process.argv.slice(2);
const all = 255;
if (kind === "tcp") {
  const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(where), unitID: all });
  server.on("initialized", () => ready({}, () => say({ writes })));
} else {
  const options = { path: where, port: where, baudRate: 115200, unitID: all, interval: 5 };
  const server = new ServerSerial(vector, options);
  server.on("initialized", () => ready({}, () => say({ writes })));
}
