#include "coppice/model_run.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/model_samples.h"
#include "coppice/model_source.h"
#include "core/error.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

using Json = nlohmann::ordered_json;
using graph::Tensor;

/// Every output of all samples.
std::vector<Tensor> run_batches(runtime::Engine& engine, const Tensor& samples, int64_t max_batch) {
  const graph::Graph& graph = engine.model().graph;
  std::vector<Tensor> results;
  for (const std::string& name : graph.outputs) {
    graph::Shape shape = graph.at(name).shape;
    shape.at(0) = samples.dim(0);
    results.emplace_back(graph.at(name).dtype, shape);
  }
  const auto part = [](const Tensor& whole, int64_t first, int64_t count) {
    graph::Shape shape = whole.shape();
    const int64_t row_bytes = whole.bytes_size() / shape[0];
    shape[0] = count;
    return Tensor(whole.dtype(),
                  shape,
                  std::shared_ptr<std::byte>(whole.shared_bytes(),
                                             whole.shared_bytes().get() + first * row_bytes));
  };
  for (int64_t first = 0; first < samples.dim(0); first += max_batch) {
    const int64_t count = std::min(max_batch, samples.dim(0) - first);
    const std::vector<Tensor> inputs{part(samples, first, count)};
    std::vector<Tensor> outputs;
    for (const Tensor& result : results) {
      outputs.push_back(part(result, first, count));
    }
    engine.run(inputs, outputs);
  }
  return results;
}

std::string class_name(const graph::Metadata& metadata, int64_t index) {
  const auto i = static_cast<size_t>(index);
  return i < metadata.class_names.size() ? metadata.class_names[i] : std::to_string(index);
}

std::span<const float> sample_row(const Tensor& values, size_t row) {
  const auto width = static_cast<size_t>(values.size() / values.dim(0));
  return values.data<float>().subspan(row * width, width);
}

void add_classes(std::vector<Json>& rows,
                 const Tensor& logits,
                 const graph::Metadata& metadata,
                 const ModelRunOptions& options) {
  const Tensor probabilities = runtime::softmax_rows(logits);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto shares = sample_row(probabilities, i);
    std::vector<int64_t> order(shares.size());
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return shares[static_cast<size_t>(a)] > shares[static_cast<size_t>(b)];
    });
    order.resize(std::min(order.size(), static_cast<size_t>(options.top)));
    Json classes = Json::array();
    for (const int64_t index : order) {
      classes.push_back({{"class", class_name(metadata, index)},
                         {"probability", shares[static_cast<size_t>(index)]}});
    }
    rows[i]["classes"] = std::move(classes);
  }
}

void add_errors(std::vector<Json>& rows,
                const std::vector<Tensor>& outputs,
                const graph::Metadata& metadata) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto made = sample_row(outputs[0], i);
    const auto wanted = sample_row(outputs[1], i);
    double sum = 0;
    for (size_t j = 0; j < made.size(); ++j) {
      const double difference = double{made[j]} - double{wanted[j]};
      sum += difference * difference;
    }
    const double error = sum / static_cast<double>(made.size());
    rows[i]["error"] = error;
    if (metadata.anomaly_threshold) {
      rows[i]["anomaly"] = error > *metadata.anomaly_threshold;
    }
  }
}

void add_values(std::vector<Json>& rows,
                const graph::Graph& graph,
                const std::vector<Tensor>& outputs) {
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < outputs.size(); ++k) {
      const auto values = sample_row(outputs[k], i);
      rows[i][graph.outputs[k]] = std::vector<float>(values.begin(), values.end());
    }
  }
}

/// For people: numbers short, classes as "name 93.1 %".
std::string cell(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_float()) {
    return fmt::format("{:.5g}", value.get<double>());
  }
  if (value.is_object()) {
    return fmt::format("{} {:.1f} %",
                       value.at("class").get<std::string>(),
                       100 * value.at("probability").get<double>());
  }
  if (value.is_array()) {
    constexpr size_t kMostShown = 8;
    std::string text;
    for (size_t i = 0; i < value.size() && i < kMostShown; ++i) {
      text += (i > 0 ? ", " : "") + cell(value[i]);
    }
    return value.size() > kMostShown ? text + ", …" : text;
  }
  return value.dump();
}

void print_rows(const std::vector<Json>& rows) {
  std::vector<std::string> header;
  for (const auto& [key, value] : rows.front().items()) {
    header.push_back(key);
  }
  std::vector<std::vector<std::string>> cells;
  for (const Json& row : rows) {
    auto& line = cells.emplace_back();
    for (const auto& [key, value] : row.items()) {
      line.push_back(cell(value));
    }
  }
  fmt::print("{}", report::text_table(header, cells));
}

}  // namespace

void run_model(const ModelRunOptions& options) {
  if (options.top < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument, "--top must be at least 1");
  }
  const graph::Model model = open_model(options.source, options.overrides).model;
  const ModelSamples samples = read_samples(options.data, only_input(model), options.limit);
  const auto engine = runtime::build_engine(model, options.engine);
  const auto outputs = run_batches(*engine, samples.values, options.engine.max_batch);
  const graph::Metadata& metadata = model.metadata;
  const bool is_classifier =
      metadata.task == "classification" && outputs.front().shape().size() == 2;
  std::vector<Json> rows;
  int64_t right = 0;
  int64_t known = 0;
  std::vector<int64_t> predicted;
  if (is_classifier) {
    predicted = runtime::argmax_rows(outputs.front());
  }
  for (size_t i = 0; i < samples.names.size(); ++i) {
    auto& row = rows.emplace_back(Json{{"sample", samples.names[i]}});
    if (is_classifier && !samples.labels.empty()) {
      const int64_t label = samples.labels[i];
      row["label"] = label < 0 ? "–" : class_name(metadata, label);
      known += label >= 0;
      right += label >= 0 && label == predicted[i];
    }
  }
  if (is_classifier) {
    add_classes(rows, outputs.front(), metadata, options);
  } else if (metadata.task == "reconstruction" && outputs.size() == 2) {
    add_errors(rows, outputs, metadata);
  } else {
    add_values(rows, model.graph, outputs);
  }
  if (options.json) {
    Json all{{"model", metadata.name}, {"backend", engine->backend()}, {"samples", rows}};
    if (known > 0) {
      all["accuracy"] = static_cast<double>(right) / static_cast<double>(known);
    }
    fmt::print("{}\n", all.dump(2));
    return;
  }
  print_rows(rows);
  if (known > 0) {
    fmt::print("\naccuracy {:.2f} % of {} with a label\n",
               100 * static_cast<double>(right) / static_cast<double>(known),
               known);
  }
}

}  // namespace coppice::tools
