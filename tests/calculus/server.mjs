// Runs generated modules for the tests. A request is 1024 bytes of JSON, { module, n }, then n rows of eight float64 numbers; the answer is the rows'
// numbers, value and gradient, as float64. Raw bytes, so that NaN, infinities and subnormal numbers get through.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

function read(length) {
  const buffer = Buffer.alloc(length);
  let have = 0;
  while (have < length) {
    const n = fs.readSync(0, buffer, have, length - have, null);
    if (n === 0) process.exit(0);
    have += n;
  }
  return buffer;
}

function write(buffer) {
  let done = 0;
  while (done < buffer.length) done += fs.writeSync(1, buffer, done);
}

for (;;) {
  const { module, n } = JSON.parse(read(1024).toString());
  const [f] = Object.values(await import(pathToFileURL(module)));
  const rows = read(64 * n);
  const answers = [];
  for (let i = 0; i < n; i++) {
    const row = Array.from({ length: 8 }, (_, k) => rows.readDoubleLE(64 * i + 8 * k));
    const answer = f(...row);
    answers.push(...(typeof answer === "number" ? [answer] : [answer.value, ...answer.gradient]));
  }
  const out = Buffer.alloc(8 * answers.length);
  answers.forEach((x, i) => out.writeDoubleLE(x, 8 * i));
  write(out);
}
