// Times the Loops of onnx_loop.py in ONNX Runtime, one thread: node onnxruntime_loop.mjs PACKAGE SECONDS LOOP.onnx IDLE.onnx
// PACKAGE is the folder that npm installed onnxruntime-node into. Prints JSON: microseconds of a trip, several measurements of each.
import {createRequire} from "node:module";
import path from "node:path";

const [folder, seconds, ...files] = process.argv.slice(2);
const ort = createRequire(path.resolve(folder, "package.json"))("onnxruntime-node");
const BLOCK_US = 10_000;
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
  return async trips => {
    feeds.trips = new ort.Tensor("int64", BigInt64Array.of(BigInt(trips)), []);
    const begin = process.hrtime.bigint();
    await session.run(feeds);
    return Number(process.hrtime.bigint() - begin) / 1000;
  };
}

// The call from JavaScript costs the same for few trips and for many: it falls out of the difference.
async function measure(file) {
  const run = await open(file);
  await run(100);
  let many = 100;
  const guess = (await run(many)) / many;
  many = FEW + Math.ceil(BLOCK_US / guess);
  await run(many);
  const times = [];
  const end = process.hrtime.bigint() + BigInt(Math.round(Number(seconds) * 1e9));
  while (times.length < 3 || process.hrtime.bigint() < end) {
    const short = await run(FEW);
    const long = await run(many);
    times.push((long - short) / (many - FEW));
  }
  return times;
}

console.log(JSON.stringify({network: await measure(files[0]), idle: await measure(files[1])}));
