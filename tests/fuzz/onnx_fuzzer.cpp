// Any bytes load or are refused in one line. What loads can be written and read again, prepared,
// and, where it is small, built into an engine and run.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/pass.h"
#include "runtime/engine.h"

namespace coppice {
namespace {

using core::ErrorKind;
using graph::Model;
using graph::Tensor;

[[noreturn]] void report(std::string_view stage, std::string_view what) {
  std::fprintf(stderr,
               "broken promise: %.*s: %.*s\n",
               static_cast<int>(stage.size()),
               stage.data(),
               static_cast<int>(what.size()),
               what.data());
  std::abort();
}

/// Runs `action`; false where it refuses with an error of these kinds, in one line.
template <class Action>
bool holds(std::string_view stage, std::initializer_list<ErrorKind> kinds, Action&& action) {
  try {
    action();
    return true;
  } catch (const core::Error& error) {
    const std::string_view what = error.what();
    const bool allowed = std::find(kinds.begin(), kinds.end(), error.kind()) != kinds.end();
    if (!allowed || what.find('\n') != std::string_view::npos || what.size() > 2500) {
      report(stage, what);
    }
    return false;
  }
}

bool is_small(const Model& model) {
  constexpr int64_t kMostBytes = 1 << 19;
  constexpr int64_t kMostMacs = 1 << 20;
  graph::Cost cost;
  const auto count = [&] {
    cost = graph::cost(model);
  };
  return holds("cost", {ErrorKind::InvalidArgument}, count) &&
         cost.activation_bytes <= kMostBytes && cost.macs <= kMostMacs &&
         model.graph.nodes.size() <= 200;
}

void write_and_read(const Model& model) {
  if (model.graph.nodes.size() > 1000) {  // every name that the export makes is looked for
    return;
  }
  core::Bytes bytes;
  const auto write = [&] {
    bytes = graph::to_onnx(model);
  };
  if (!holds("export", {ErrorKind::Unsupported}, write)) {
    return;
  }
  std::string hash;
  holds("import of our export", {}, [&] { hash = graph::content_hash(graph::from_onnx(bytes)); });
  if (hash != graph::content_hash(model)) {
    report("import of our export", "another network");
  }
}

std::vector<Tensor> tensors(const Model& model, bool inputs, int64_t batch, uint8_t value) {
  std::vector<Tensor> result;
  const auto add = [&](const graph::Node& node) {
    graph::Shape shape = node.shape;
    shape[0] = batch;
    Tensor& tensor = result.emplace_back(node.dtype, std::move(shape));
    std::fill_n(tensor.bytes(), tensor.bytes_size(), static_cast<std::byte>(value));
  };
  if (inputs) {
    for (const graph::Node* node : model.graph.inputs()) {
      add(*node);
    }
  } else {
    for (const std::string& name : model.graph.outputs) {
      add(model.graph.at(name));
    }
  }
  return result;
}

void build_and_run(const Model& model) {
  std::unique_ptr<runtime::Engine> engine;
  const auto build = [&] {
    engine =
        runtime::build_engine(model, {.backend = "reference", .max_batch = 2, .memory_mb = 16});
  };
  if (!holds("engine", {ErrorKind::Unsupported, ErrorKind::Numeric}, build)) {
    return;
  }
  for (const int64_t batch : {1, 2}) {
    const std::vector<Tensor> in = tensors(model, true, batch, 0x3f);
    std::vector<Tensor> out = tensors(model, false, batch, 0);
    holds("run", {}, [&] { engine->run(in, out); });
  }
}

void fuzz(std::span<const std::byte> bytes) {
  Model model;
  const auto load = [&] {
    model = graph::from_onnx(bytes);
  };
  if (!holds("import", {ErrorKind::Corrupt, ErrorKind::Unsupported}, load)) {
    return;
  }
  graph::verify(model);
  write_and_read(model);
  if (is_small(model)) {
    build_and_run(model);
  }
}

}  // namespace
}  // namespace coppice

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  coppice::fuzz(std::as_bytes(std::span(data, size)));
  return 0;
}
