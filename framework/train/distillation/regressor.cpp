#include "train/distillation/regressor.h"

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "graph/initialise.h"
#include "graph/pass.h"
#include "train/distillation/hint_terms.h"

namespace coppice::train {

namespace {

constexpr std::string_view kRegressor = "distil_regressor";

std::string regressor_name(size_t hint) {
  return std::string(kRegressor) + std::to_string(hint);
}

bool is_activation(graph::Op op) {
  using graph::Op;
  return op == Op::Relu || op == Op::LeakyRelu || op == Op::Clip || op == Op::Sigmoid ||
         op == Op::Tanh || op == Op::HardSwish;
}

graph::Node regressor_layer(const graph::Node& ours, const graph::Node& theirs, std::string name) {
  graph::Node node;
  node.name = std::move(name);
  node.op = theirs.shape.size() == 4 ? graph::Op::Conv : graph::Op::Gemm;
  node.inputs = {ours.name, node.name + ".weight", node.name + ".bias"};
  node.attributes = graph::default_attributes(node.op);
  return node;
}

void add_weights(graph::Model& model,
                 const graph::Node& node,
                 const graph::Node& ours,
                 const graph::Node& theirs,
                 core::Rng& rng) {
  graph::Shape shape{theirs.shape[1], ours.shape[1]};
  if (node.op == graph::Op::Conv) {
    shape.insert(shape.end(), {1, 1});
  }
  graph::Tensor weight(graph::DType::F32, shape);
  graph::fill_normal(weight, std::sqrt(1 / graph::fan_in(weight)), rng);
  graph::Tensor bias(graph::DType::F32, {theirs.shape[1]});
  std::ranges::fill(bias.data<float>(), 0.0F);
  model.weights[node.inputs[1]] = std::move(weight);
  model.weights[node.inputs[2]] = std::move(bias);
}

}  // namespace

std::string compared_node(const recipe::DistilOptions& options, size_t hint) {
  const recipe::HintOptions& o = options.hints[hint];
  return hint_methods().get(o.method).learns_regressor ? regressor_name(hint) : o.student;
}

graph::Model add_regressors(graph::Model student,
                            const recipe::DistilOptions& options,
                            const recipe::TeacherGraphs& teachers,
                            uint64_t seed) {
  for (size_t i = 0; i < options.hints.size(); ++i) {
    const recipe::HintOptions& hint = options.hints[i];
    if (!hint_methods().get(hint.method).learns_regressor) {
      continue;
    }
    const graph::Node ours = student.graph.at(hint.student);
    const graph::Node& theirs = teachers.at(hint.of)->at(hint.teacher);
    core::Rng rng = core::Rng(seed).split("regressor").split(i);
    const std::string name = regressor_name(i);
    const bool activates = is_activation(theirs.op);
    const graph::Node node = regressor_layer(ours, theirs, activates ? name + ".linear" : name);
    add_weights(student, node, ours, theirs, rng);
    student.graph.nodes.push_back(node);
    if (activates) {
      graph::Node activation = theirs;
      activation.name = name;
      activation.inputs = {node.name};
      student.graph.nodes.push_back(activation);
    }
    student.graph.outputs.push_back(name);
  }
  graph::infer_shapes(student);
  return student;
}

graph::Model remove_regressors(graph::Model student) {
  const auto removed = std::erase_if(student.graph.outputs, [](const std::string& output) {
    return output.starts_with(kRegressor);
  });
  return removed == 0 ? student : graph::make_remove_unused()->apply(std::move(student));
}

}  // namespace coppice::train
