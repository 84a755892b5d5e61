#include "loop/pipeline.h"

#include <utility>

#include "core/config.h"
#include "graph/onnx.h"

namespace coppice::loop {

namespace {

using Inputs = std::map<std::string, std::filesystem::path>;

Inputs training_inputs(const TrainingData& data) {
  Inputs inputs{{"train", data.train}};
  if (!data.replay.empty()) {
    inputs["replay"] = data.replay;
  }
  if (!data.validation.empty()) {
    inputs["validation"] = data.validation;
  }
  return inputs;
}

std::filesystem::path train(Stages& stages,
                            const std::string& name,
                            Inputs inputs,
                            recipe::TrainJob job) {
  if (!job.imported.onnx.empty()) {
    inputs["model"] = std::exchange(job.imported.onnx, "");  // its content counts, not its place
  }
  return stages.run("train", name, std::move(inputs), core::dump_options(job)) / "model.onnx";
}

/// Prune, recover, quantise (unless recovering does): from `lineage.student` to `lineage.artefact`.
void compress_student(Stages& stages,
                      const std::string& tag,
                      const std::filesystem::path& teacher,
                      const recipe::TrainOptions& recover,
                      const CompressOptions& options,
                      const TrainingData& data,
                      Lineage& lineage) {
  if (!options.enabled) {
    lineage.recovered = lineage.student;
    lineage.artefact = lineage.student;
    return;
  }
  Inputs to_prune{{"model", lineage.student}};
  if (compress::needs_data(options.prune.criterion)) {
    to_prune["train"] = data.train;
  }
  const auto pruned =
      stages.run("prune", tag + "prune", std::move(to_prune), core::dump_options(options.prune)) /
      "model.onnx";
  Inputs inputs = training_inputs(data);
  inputs["model"] = pruned;
  if (graph::load_onnx(lineage.student).metadata.task == "classification") {
    inputs["teacher"] = teacher;  // it softens class labels; other tasks recover from the data
  }
  lineage.recovered =
      train(stages, tag + "recover", std::move(inputs), {.model = {}, .train = recover});
  if (recover.qat.any()) {  // what it trains is int8 already
    lineage.artefact = lineage.recovered;
    return;
  }
  lineage.artefact = stages.run("quantise",
                                tag + "quantise",
                                {{"model", lineage.recovered}, {"calibration", data.calibration}},
                                core::dump_options(options.quantise)) /
                     "model.onnx";
}

}  // namespace

Lineage build_first(Stages& stages,
                    const std::optional<recipe::TrainJob>& teacher,
                    const recipe::TrainJob& student,
                    const CompressOptions& compress,
                    const TrainingData& data) {
  Lineage lineage;
  Inputs inputs = training_inputs(data);
  if (teacher) {
    lineage.teacher = train(stages, "teacher", inputs, *teacher);
    inputs["teacher"] = lineage.teacher;
  }
  lineage.student = train(stages, "student", inputs, student);
  recipe::TrainOptions recover = compress.recover;
  if (recover.task.name == "auto") {
    recover.task = student.train.task;  // what the student learnt, not what the data is for
  }
  compress_student(
      stages, "", teacher ? lineage.teacher : lineage.student, recover, compress, data, lineage);
  return lineage;
}

Lineage rebuild(Stages& stages,
                const std::string& tag,
                const Lineage& from,
                const RetrainOptions& retrain,
                const CompressOptions& compress,
                const TrainingData& data) {
  Lineage lineage;
  lineage.teacher = from.recovered;
  Inputs inputs = training_inputs(data);
  inputs["model"] = from.student;
  inputs["teacher"] = from.recovered;
  lineage.student =
      train(stages, tag + "-train", std::move(inputs), {.model = {}, .train = retrain.train});
  compress_student(stages, tag + "-", lineage.student, retrain.recover, compress, data, lineage);
  return lineage;
}

}  // namespace coppice::loop
