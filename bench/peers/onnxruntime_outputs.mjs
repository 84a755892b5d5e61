// What ONNX Runtime makes of samples: node onnxruntime_outputs.mjs PACKAGE MODEL.onnx IN.raw OUT.raw OPTIMISED.onnx
// PACKAGE is the folder that npm installed onnxruntime-node into. IN holds f32 samples, OUT gets the first output of each, OPTIMISED
// the network that it really runs.
import {readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import path from "node:path";

const [folder, file, inFile, outFile, optimised] = process.argv.slice(2);
const ort = createRequire(path.resolve(folder, "package.json"))("onnxruntime-node");
const BATCH = 50;

const session = await ort.InferenceSession.create(file, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
  optimizedModelFilePath: optimised,
});
const [input] = session.inputMetadata;
const sample = input.shape.slice(1);
const width = sample.reduce((product, extent) => product * extent, 1);
const bytes = readFileSync(inFile);
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const outputs = [];
for (let first = 0; first * width < values.length; first += BATCH) {
  const part = values.subarray(first * width, (first + BATCH) * width);
  const feeds = {[input.name]: new ort.Tensor("float32", part, [part.length / width, ...sample])};
  const result = await session.run(feeds, [session.outputNames[0]]);
  outputs.push(Buffer.from(Float32Array.from(result[session.outputNames[0]].data).buffer));
}
writeFileSync(outFile, Buffer.concat(outputs));
