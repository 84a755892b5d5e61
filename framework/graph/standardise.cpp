#include "graph/standardise.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/passes/rewire.h"

namespace coppice::graph {

namespace {

[[noreturn]] void refuse_values(const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument, "normalise: " + why);
}

}  // namespace

void Standardisation::check(int64_t channels) const {
  for (const auto* values : {&mean, &std}) {
    if (values->size() != 1 && std::ssize(*values) != channels) {
      refuse_values(fmt::format(
          "{} values for {} channels; give one, or one each", values->size(), channels));
    }
  }
  for (const double value : mean) {
    if (!std::isfinite(value)) {
      refuse_values(fmt::format("mean {} must be finite", value));
    }
  }
  for (const double value : std) {
    if (!(value > 0) || !std::isfinite(value)) {
      refuse_values(fmt::format("std {} must be positive", value));
    }
  }
}

Model standardise_input(Model model, const Standardisation& values, DType raw) {
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1) {
    refuse_values(fmt::format("the model has {} inputs instead of one", inputs.size()));
  }
  const std::string input = inputs[0]->name;
  const Shape shape = inputs[0]->shape;
  values.check(shape.at(1));
  std::vector<Node> nodes;
  const auto append = [&](const char* stem, Op op, const std::string& x, Attributes attributes) {
    nodes.push_back({free_name(model, stem), op, {x}, std::move(attributes), DType::F32, shape});
  };
  const auto append_constant = [&](const char* stem, Op op, const std::vector<double>& constant) {
    append(stem, op, nodes.back().name, NoAttributes{});
    nodes.back().inputs.push_back(free_name(model, nodes.back().name + ".value"));
    model.weights[nodes.back().inputs[1]] = channel_values(constant, shape.size());
  };
  append("raw", Op::Cast, input, CastAttributes{DType::F32});
  append_constant("centred", Op::Sub, values.mean);
  append_constant("standardised", Op::Div, values.std);
  replace_uses(model.graph, input, nodes.back().name);
  auto& all = model.graph.nodes;
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Node& node) { return node.name == input; });
  at->as<InputAttributes>().dtype = raw;
  all.insert(at + 1, nodes.begin(), nodes.end());
  infer_shapes(model);
  verify(model);
  return model;
}

Tensor channel_values(const std::vector<double>& values, size_t rank) {
  Shape shape{std::ssize(values)};
  if (values.size() > 1) {
    shape.resize(rank - 1, 1);
  }
  const std::vector<float> floats(values.begin(), values.end());
  return Tensor::from<float>(shape, floats);
}

}  // namespace coppice::graph
