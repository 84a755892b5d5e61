#include "loop/experiment.h"

#include <set>

#include "core/clock.h"
#include "core/files.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "loop/import.h"
#include "loop/judge.h"
#include "report/metrics_log.h"
#include "runtime/profile.h"

namespace coppice::loop {

namespace {

/// What a job found that judged the model on the test data, and what the model costs.
std::map<std::string, double> figures_of(const std::filesystem::path& file,
                                         const std::filesystem::path& evaluation) {
  const graph::Model model = graph::load_onnx(file);
  const auto engine = runtime::build_engine(model);
  auto figures = report::read_figures(evaluation / "summary.json");
  figures["macs"] = static_cast<double>(graph::cost(model).macs);
  figures["bytes"] = static_cast<double>(std::filesystem::file_size(file));
  figures["latency_us"] = runtime::measure_latency(*engine).median_us;
  figures.erase("seconds");
  return figures;
}

std::vector<std::vector<double>> rows_of(const monitor::Confusion& confusion) {
  std::vector<std::vector<double>> rows;
  for (int64_t t = 0; t < confusion.classes(); ++t) {
    auto& row = rows.emplace_back();
    for (int64_t p = 0; p < confusion.classes(); ++p) {
      row.push_back(static_cast<double>(confusion.at(t, p)));
    }
  }
  return rows;
}

}  // namespace

ExperimentResult run_experiment(const ExperimentOptions& options,
                                const std::filesystem::path& folder,
                                jobs::Executor& executor,
                                const jobs::StageCache& cache) {
  const core::Stopwatch watch;
  const auto seed = static_cast<uint64_t>(options.seed);
  Stages stages(executor, cache, seed);
  DataOptions split = options.data;
  split.field = 0;
  const ImportedData data = import_data(split, {}, folder / "data", seed);
  stages.record("import", watch.seconds());

  ExperimentResult result;
  const auto& train = data.train.version.file;
  const auto& held_out = data.held_out.version.file;
  const auto teacher = options.use_teacher ? std::optional(options.teacher) : std::nullopt;
  result.lineage =
      build_first(stages, teacher, options.student, options.compress, {train, {}, held_out, train});

  const auto evaluate = [&](const std::string& stage, const std::filesystem::path& model) {
    return stages.run(
        "evaluate", stage, {{"model", model}, {"data", data.test.version.file}}, "{}");
  };
  const std::filesystem::path& artefact = result.lineage.artefact;
  result.evaluation = evaluate("evaluate", artefact);
  result.figures = figures_of(artefact, result.evaluation);
  if (options.compress.enabled) {
    const std::set<std::string> compared{
        "accuracy", "rmse", "r2", "reconstruction_error", "macs", "bytes", "latency_us"};
    const std::filesystem::path& student = result.lineage.student;
    for (const auto& [name, value] : figures_of(student, evaluate("evaluate-float", student))) {
      if (compared.contains(name)) {
        result.figures["float_" + name] = value;
      }
    }
  }
  const data::Dataset& test = *data.test.samples;
  result.class_names = test.schema().class_names;
  if (graph::load_onnx(artefact).metadata.task == "classification") {
    result.confusion = rows_of(confusion_of(core::read_file(artefact), test, {}));
  }
  core::write_file(folder / "model.onnx", core::read_file(artefact));
  result.times = stages.times();
  result.figures["wall_seconds"] = watch.seconds();
  return result;
}

}  // namespace coppice::loop
