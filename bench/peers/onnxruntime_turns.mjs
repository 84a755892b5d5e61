// Times the Loops of onnx_loop.py in ONNX Runtime, one thread: node onnxruntime_turns.mjs PACKAGE LOOP.onnx IDLE.onnx
// PACKAGE is the folder that npm installed onnxruntime-node into. Every line on standard input, a number of microseconds, is one turn
// that takes about as long; the answer is one line of JSON, the microseconds of a trip with the network and of a trip without it.
import {createRequire} from "node:module";
import path from "node:path";
import {createInterface} from "node:readline";

const [folder, ...files] = process.argv.slice(2);
const ort = createRequire(path.resolve(folder, "package.json"))("onnxruntime-node");
const FEW = 8;

async function open(file) {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
  });
  const feeds = {};
  for (const {name, type, shape} of session.inputMetadata) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (name !== "trips") {
      feeds[name] = new ort.Tensor(type, type === "uint8" ? new Uint8Array(size) : new Float32Array(size), shape);
    }
  }
  const run = async trips => {
    feeds.trips = new ort.Tensor("int64", BigInt64Array.of(BigInt(trips)), []);
    const begin = process.hrtime.bigint();
    await session.run(feeds);
    return Number(process.hrtime.bigint() - begin) / 1000;
  };
  await run(100);
  return {run, guess_us: (await run(100)) / 100};
}

// The call from JavaScript costs the same for few trips and for many: it falls out of the difference. Few trips also warm up.
async function trip_us({run, guess_us}, micros) {
  const many = FEW + Math.max(FEW, Math.ceil(micros / guess_us));
  const short = Math.min(await run(FEW), await run(FEW), await run(FEW));
  const long = await run(many);
  return (long - short) / (many - FEW);
}

const network = await open(files[0]);
const idle = await open(files[1]);
for await (const line of createInterface({input: process.stdin})) {
  const micros = Number(line);
  const times = {network: await trip_us(network, micros), idle: await trip_us(idle, micros / 10)};
  process.stdout.write(JSON.stringify(times) + "\n");
}
