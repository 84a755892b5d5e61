#include "loop/experiment.h"

#include "core/clock.h"
#include "core/files.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "loop/import.h"
#include "loop/judge.h"
#include "runtime/profile.h"

namespace coppice::loop {

namespace {

void add_figures(const std::filesystem::path& file,
                 const std::string& prefix,
                 const data::Dataset& test,
                 ExperimentResult& result) {
  const core::Bytes artefact = core::read_file(file);
  const graph::Model model = graph::from_onnx(artefact);
  const auto confusion = confusion_of(artefact, test, {});
  const auto engine = runtime::build_engine(model);
  result.figures[prefix + "accuracy"] = confusion.accuracy();
  result.figures[prefix + "macs"] = static_cast<double>(graph::cost(model).macs);
  result.figures[prefix + "bytes"] = static_cast<double>(artefact.size());
  result.figures[prefix + "latency_us"] = runtime::measure_latency(*engine).median_us;
  result.confusion.clear();
  for (int64_t t = 0; t < confusion.classes(); ++t) {
    auto& row = result.confusion.emplace_back();
    for (int64_t p = 0; p < confusion.classes(); ++p) {
      row.push_back(static_cast<double>(confusion.at(t, p)));
    }
  }
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
  result.class_names = options.data.class_names;
  const auto& train = data.train.version.file;
  const auto teacher = options.use_teacher ? std::optional(options.teacher) : std::nullopt;
  result.lineage = build_first(stages,
                               teacher,
                               options.student,
                               options.compress,
                               {train, {}, data.held_out.version.file, train});

  const core::Stopwatch evaluation;
  const auto& test = *data.test.samples;
  if (options.compress.enabled) {
    add_figures(result.lineage.student, "float_", test, result);
  }
  add_figures(result.lineage.artefact, "", test, result);
  core::write_file(folder / "model.onnx", core::read_file(result.lineage.artefact));
  stages.record("evaluate", evaluation.seconds());
  result.times = stages.times();
  result.figures["wall_seconds"] = watch.seconds();
  return result;
}

}  // namespace coppice::loop
