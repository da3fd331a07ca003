// What every peer does: say that it is ready, take JSON lines, and end with its standard input.
"use strict";
const readline = require("node:readline");

function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

function ready(info, onMessage = () => {}) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => onMessage(JSON.parse(line)));
  lines.on("close", () => process.exit(0));
  say({ ready: true, ...info });
}

module.exports = { ready, say };
