#include "train/torchscript/torchscript.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <sstream>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "core/files.h"
#include "train/tensor_bridge.h"
#include "train/torchscript/script.h"

namespace coppice::train {

namespace {

torch::jit::Module module_of(const graph::Model& model) {
  const Script script = write_script(model);
  torch::jit::Module module("Network");
  module.register_attribute("training", c10::BoolType::get(), false);
  c10::List<std::string> names;
  for (const std::string& name : model.metadata.class_names) {
    names.push_back(name);
  }
  module.register_attribute("class_names", c10::ListType::create(c10::StringType::get()), names);
  for (const auto& [name, tensor] : script.tensors) {
    const at::Tensor value = to_aten(tensor.value);
    if (tensor.trains && value.is_floating_point()) {
      module.register_parameter(name, value.set_requires_grad(true), /*is_buffer=*/false);
    } else {
      module.register_buffer(name, value);
    }
  }
  module.define(script.text);
  return module;
}

}  // namespace

void save_torchscript(const graph::Model& model, const std::filesystem::path& file) {
  graph::verify(model);
  std::ostringstream bytes;
  module_of(model).save(bytes);
  core::write_file(file, bytes.str());
}

double eager_latency_us(const graph::Model& model, int64_t rounds, int64_t runs) {
  graph::verify(model);
  const at::NoGradGuard no_grad;
  const torch::jit::GraphOptimizerEnabledGuard unoptimised(false);
  torch::jit::Module module = module_of(model);
  module.eval();
  std::vector<c10::IValue> inputs;
  for (const graph::Node* node : model.graph.inputs()) {
    graph::Shape shape = node->shape;
    shape.at(0) = 1;
    inputs.emplace_back(to_aten(graph::Tensor(node->dtype, shape)));
  }
  const auto run_once = [&] {
    const auto begin = std::chrono::steady_clock::now();
    module.forward(inputs);
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
        .count();
  };
  double least = std::numeric_limits<double>::infinity();
  for (int64_t round = 0; round < rounds; ++round) {
    for (int64_t i = 0; i < runs / 10; ++i) {
      run_once();
    }
    std::vector<double> times(static_cast<size_t>(runs));
    std::generate(times.begin(), times.end(), run_once);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    least = std::min(least, *middle);
  }
  return least;
}

}  // namespace coppice::train
