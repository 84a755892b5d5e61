#include "loop/fake_trainer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "compress/prune.h"
#include "compress/quantise.h"
#include "core/config.h"
#include "core/error.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/onnx.h"
#include "graph/zoo.h"
#include "loop/judge.h"
#include "recipe/recipe.h"
#include "recipe/train_family.h"
#include "report/metrics_log.h"
#include "runtime/engine.h"

namespace coppice::loop {

namespace {

constexpr int64_t kBatch = 64;

graph::Tensor tensor_of(const data::Dataset& dataset, int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(std::min(count, dataset.size())));
  std::iota(indices.begin(), indices.end(), 0);
  data::Batch batch;
  dataset.read(indices, batch);
  graph::Shape shape{batch.size};
  const auto& sample = dataset.schema().sample_shape;
  shape.insert(shape.end(), sample.begin(), sample.end());
  graph::Tensor tensor(graph::DType::U8, shape);
  std::memcpy(tensor.bytes(), batch.samples.data(), batch.samples.size());
  return tensor;
}

/// What the last layer sees, [n, features].
graph::Tensor features_of(graph::Model model, const data::Dataset& dataset) {
  model.graph.outputs = {model.graph.at("logits").inputs.front()};
  const auto engine = runtime::build_engine(model, {.backend = "reference", .max_batch = kBatch});
  return runtime::run_all(*engine, tensor_of(dataset, dataset.size()), kBatch);
}

graph::Model new_network(const graph::ModelOptions& options,
                         const data::Dataset& dataset,
                         uint64_t seed) {
  graph::ModelInput input;
  input.sample_shape = dataset.schema().sample_shape;
  input.mean = {75};
  input.std = {60};
  input.class_names = dataset.schema().class_names;
  return graph::build_model(options, input, seed);
}

graph::Model train(const jobs::JobSpec& spec) {
  const auto job =
      core::read_options<recipe::TrainJob>(core::parse_config_text(spec.options, "options"));
  std::vector<data::DatasetPtr> parts;
  for (const char* role : {"train", "replay"}) {
    if (const auto it = spec.inputs.find(role); it != spec.inputs.end()) {
      parts.push_back(data::open_version(it->second));
    }
  }
  const auto dataset = data::make_concatenation(parts);
  const auto given = spec.inputs.find("model");
  graph::Model model = given != spec.inputs.end() ? graph::load_onnx(given->second)
                                                  : new_network(job.model, *dataset, spec.seed);
  fit_head(model, *dataset);
  return model;
}

void train_family(const jobs::JobSpec& spec, const std::filesystem::path& folder) {
  const auto job =
      core::read_options<recipe::TrainFamilyJob>(core::parse_config_text(spec.options, "options"));
  const auto dataset = data::open_version(spec.inputs.at("train"));
  for (const recipe::FamilyMember& member : job.members) {
    graph::Model model = new_network(member.model, *dataset, spec.seed);
    fit_head(model, *dataset);
    std::filesystem::create_directories(folder / member.name);
    graph::save_onnx(model, folder / member.name / "model.onnx");
  }
}

graph::Model prune(const jobs::JobSpec& spec) {
  const auto options =
      core::read_options<compress::PruneOptions>(core::parse_config_text(spec.options, "options"));
  return compress::prune(graph::load_onnx(spec.inputs.at("model")), options);
}

graph::Model quantise(const jobs::JobSpec& spec) {
  const auto options = core::read_options<compress::QuantiseOptions>(
      core::parse_config_text(spec.options, "options"));
  const auto calibration = data::open_version(spec.inputs.at("calibration"));
  return compress::quantise(
      graph::load_onnx(spec.inputs.at("model")), tensor_of(*calibration, options.samples), options);
}

void evaluate(const jobs::JobSpec& spec, const std::filesystem::path& folder) {
  const auto dataset = data::open_version(spec.inputs.at("data"));
  const auto confusion = confusion_of(core::read_file(spec.inputs.at("model")), *dataset, {});
  report::write_summary(folder / "summary.json", {{"accuracy", confusion.accuracy()}}, {}, {});
}

}  // namespace

void FakeTrainer::run(const jobs::JobSpec& spec,
                      const std::filesystem::path& folder,
                      const std::function<void(const jobs::JobProgress&)>& on_progress) {
  started_.push_back(spec.name);
  on_start(spec);
  on_progress({"epoch 1/1", 1, 1, "steps", "loss 0.5"});
  report::MetricsLog(folder / "metrics.jsonl").write(1, {{"loss", 0.5}, {"accuracy", 0.9}});
  if (spec.kind == "train_family") {
    train_family(spec, folder);
    return;
  }
  if (spec.kind == "evaluate") {
    evaluate(spec, folder);
    return;
  }
  COPPICE_CHECK(spec.kind == "train" || spec.kind == "prune" || spec.kind == "quantise",
                "a loop starts no other jobs");
  graph::Model model = spec.kind == "train"   ? train(spec)
                       : spec.kind == "prune" ? prune(spec)
                                              : quantise(spec);
  on_model(spec, model);
  graph::save_onnx(model, folder / "model.onnx");
}

void fit_head(graph::Model& model, const data::Dataset& dataset) {
  const graph::Tensor features = features_of(model, dataset);
  const auto classes = dataset.schema().class_names.size();
  const auto width = static_cast<size_t>(features.dim(1));
  std::vector<float> means(classes * width);
  std::vector<float> counts(classes);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const auto label = static_cast<size_t>(dataset.label(i));
    const auto row = features.data<float>().subspan(static_cast<size_t>(i) * width, width);
    std::transform(
        row.begin(), row.end(), &means[label * width], &means[label * width], std::plus());
    counts[label] += 1;
  }
  // The nearest mean m is the one with the largest m·x - |m|²/2.
  std::vector<float> biases(classes);
  for (size_t c = 0; c < classes; ++c) {
    const auto mean = std::span(means).subspan(c * width, width);
    for (float& value : mean) {
      value /= std::max(1.0F, counts[c]);
    }
    biases[c] = -0.5F * std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0F);
  }
  const float lowest = *std::min_element(biases.begin(), biases.end());
  for (size_t c = 0; c < classes; ++c) {
    biases[c] = counts[c] > 0 ? biases[c] : 4 * lowest;  // never seen, never answered
  }
  const auto rows = static_cast<int64_t>(classes);
  model.weights["logits.weight"] =
      graph::Tensor::from<float>({rows, features.dim(1)}, std::span<const float>(means));
  model.weights["logits.bias"] = graph::Tensor::from<float>({rows}, std::span<const float>(biases));
}

graph::Model fitted_network(const data::Dataset& dataset, uint64_t seed) {
  graph::ModelOptions options;
  options.name = "mlp";
  options.widths = {24};
  graph::Model model = new_network(options, dataset, seed);
  fit_head(model, dataset);
  return model;
}

void confuse(graph::Model& model) {
  for (const char* name : {"logits.weight", "logits.bias"}) {
    graph::Tensor& tensor = model.weights.at(name);
    tensor = tensor.clone();
    const auto values = tensor.data<float>();
    const auto row = values.size() / static_cast<size_t>(tensor.dim(0));
    std::rotate(values.begin(), values.end() - static_cast<std::ptrdiff_t>(row), values.end());
  }
}

}  // namespace coppice::loop
