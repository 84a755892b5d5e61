#include "loop/compression.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/onnx.h"
#include "loop/controls.h"
#include "loop/import.h"
#include "loop/measure.h"
#include "loop/stage_inputs.h"
#include "report/metrics_log.h"

namespace coppice::loop {

namespace {

namespace fs = std::filesystem;

bool is_int8(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) {
    return node.op == graph::Op::QuantizeLinear;
  });
}

/// Runs the stages of one experiment and keeps what they left.
class Compression {
 public:
  Compression(const CompressionOptions& options,
              fs::path folder,
              jobs::Executor& executor,
              const jobs::StageCache& cache)
      : options_(options),
        folder_(std::move(folder)),
        executor_(executor),
        stages_(executor, cache, static_cast<uint64_t>(options.seed)),
        inputs_(options, data_, result_.rows, folder_ / "data") {}

  CompressionResult run() {
    read_data();
    if (!options_.model.onnx.empty()) {
      CompressionRow given;
      given.name = kModelStage;
      given.kind = kModelStage;
      given.model = options_.model.onnx;
      result_.rows.push_back(std::move(given));
    }
    for (const StageOptions& stage : options_.stages) {
      for (const StagePart& part : parts_of(stage)) {
        run_stage(part);
      }
    }
    if (options_.control) {
      result_.controls =
          run_controls(options_, result_.rows, inputs_, folder_ / "scratch", stages_);
    }
    const core::Stopwatch watch;
    judge();
    measure();
    stages_.record("judge", watch.seconds());
    core::write_file(folder_ / "model.onnx", core::read_file(result_.rows.back().model));
    result_.times = stages_.times();
    return std::move(result_);
  }

 private:
  void read_data() {
    const core::Stopwatch watch;
    DataOptions split = options_.data;
    split.field = 0;
    data_ = import_data(split, {}, folder_ / "data", static_cast<uint64_t>(options_.seed));
    require_classes(data_, "compress");
    result_.class_names = data_.test.samples->schema().class_names;
    stages_.record("import", watch.seconds());
  }

  /// A stage that trains the experiment's own network for the first time.
  StageOptions with_own_network(StageOptions stage) const {
    if (!stage.train.builds && stage.from == kModelStage && options_.model.onnx.empty()) {
      stage.train.builds = true;
      stage.train.model = options_.model.network;
    }
    return stage;
  }

  void run_stage(const StagePart& part) {
    const StageOptions stage = with_own_network(part.stage);
    const StageKind& kind = stage_kind(stage.kind);
    CompressionRow row;
    row.name = stage.name;
    row.kind = stage.kind;
    StageInputs::Files inputs = inputs_.of(stage);
    if (!stage.builds()) {
      row.from = stage.from;
      inputs["model"] = inputs_.model(stage.from);
      if (const CompressionRow* before = inputs_.row(stage.from)) {
        row.shape = before->shape;
        row.epochs = before->epochs;
      }
    }
    if (stage.kind == "train") {
      row.epochs += stage.train.train.epochs;
    }
    if (!part.reference.empty()) {
      inputs["reference"] = inputs_.model(part.reference);
    }
    row.shape = part.shape.value_or(row.shape);
    const fs::path model = inputs.contains("model") ? inputs.at("model") : fs::path();
    row.folder =
        stages_.run(std::string(kind.job), stage.name, std::move(inputs), kind.job_options(stage));
    if (stage.is_family()) {
      add_members(stage, row);
      return;
    }
    row.model = fs::exists(row.folder / "model.onnx") ? row.folder / "model.onnx" : model;
    keep_told_figures(row);
    result_.rows.push_back(std::move(row));
  }

  /// A row for each member of the family that `trained` tells of.
  void add_members(const StageOptions& stage, const CompressionRow& trained) {
    for (const std::string& member : stage.models()) {
      CompressionRow row = trained;
      row.name = member;
      row.model = trained.folder / member / "model.onnx";
      row.epochs = stage.family.train.epochs;
      result_.rows.push_back(std::move(row));
    }
  }

  /// What only the job itself knows.
  static void keep_told_figures(CompressionRow& row) {
    const fs::path summary = row.folder / "summary.json";
    if (!fs::exists(summary)) {
      return;
    }
    const auto figures = report::read_figures(summary);
    for (const char* told : {"transfer_bytes", "float_bytes", "times_smaller", "zeros"}) {
      if (const auto it = figures.find(told); it != figures.end()) {
        row.figures[told] = it->second;
      }
    }
  }

  void judge() {
    for (auto* rows : {&result_.rows, &result_.controls}) {
      for (CompressionRow& row : *rows) {
        row.int8 = is_int8(graph::load_onnx(row.model).graph);
        judge_model(row.model, *data_.test.samples, options_.engine, row.figures);
      }
    }
    for (CompressionRow& row : result_.rows) {
      for (const CompressionRow& control : result_.controls) {
        if (control.shape == row.shape) {
          row.figures["control_accuracy"] = control.figures.at("accuracy");
        }
      }
      if (options_.agree && row.int8) {
        row.figures["disagreements"] = static_cast<double>(count_disagreements(
            row.model, row.name, data_.test, options_.engine, folder_ / "agree", executor_));
      }
    }
  }

  void measure() {
    result_.baseline = options_.baseline.empty() ? result_.rows.front().name : options_.baseline;
    if (options_.eager) {
      result_.eager_us = eager_latency(
          result_.row(result_.baseline).model, options_.rounds, folder_ / "eager", executor_);
    }
    std::vector<CompressionRow*> rows;
    std::vector<fs::path> models;
    for (auto* some : {&result_.rows, &result_.controls}) {
      for (CompressionRow& row : *some) {
        rows.push_back(&row);
        models.push_back(row.model);
      }
    }
    const auto latencies = latencies_in_turns(models, options_.engine, options_.rounds);
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i]->figures["latency_us"] = latencies[i];
    }
  }

  const CompressionOptions& options_;
  fs::path folder_;
  jobs::Executor& executor_;
  Stages stages_;
  ImportedData data_;
  CompressionResult result_;
  StageInputs inputs_;
};

double ratio(double above, double below) {
  return below > 0 ? above / below : 0;
}

}  // namespace

const CompressionRow& CompressionResult::row(const std::string& name) const {
  const auto it =
      std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.name == name; });
  COPPICE_CHECK(it != rows.end(), "there is no row '" + name + "'");
  return *it;
}

CompressionResult run_compression(const CompressionOptions& options,
                                  const fs::path& folder,
                                  jobs::Executor& executor,
                                  const jobs::StageCache& cache) {
  return Compression(options, folder, executor, cache).run();
}

std::map<std::string, double> figures_of(const CompressionResult& result) {
  std::map<std::string, double> figures;
  const auto& base = result.row(result.baseline).figures;
  for (const auto* rows : {&result.rows, &result.controls}) {
    for (const CompressionRow& row : *rows) {
      auto own = row.figures;
      own["macs_reduction"] = ratio(base.at("macs"), own.at("macs"));
      own["bytes_reduction"] = ratio(base.at("bytes"), own.at("bytes"));
      own["speedup"] = ratio(base.at("latency_us"), own.at("latency_us"));
      own["points_lost"] = 100 * (base.at("accuracy") - own.at("accuracy"));
      own["epochs"] = static_cast<double>(row.epochs);
      if (result.eager_us > 0) {
        own["speedup_over_eager"] = ratio(result.eager_us, own.at("latency_us"));
      }
      for (const auto& [name, value] : own) {
        figures[fmt::format("{}.{}", name, row.name)] = value;
        if (rows == &result.rows && &row == &result.rows.back()) {
          figures[name] = value;
        }
      }
    }
  }
  if (result.eager_us > 0) {
    figures["eager_us." + result.baseline] = result.eager_us;
  }
  return figures;
}

std::vector<size_t> frontier(const std::vector<CompressionRow>& rows, const std::string& cost) {
  std::vector<size_t> order(rows.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  const auto key = [&](size_t i) {
    return std::pair(rows[i].figures.at(cost), -rows[i].figures.at("accuracy"));
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<size_t> best;
  for (const size_t i : order) {
    if (best.empty() || rows[i].figures.at("accuracy") > rows[best.back()].figures.at("accuracy")) {
      best.push_back(i);
    }
  }
  return best;
}

}  // namespace coppice::loop
