// What quantising makes computes the same integers on every backend, whatever was done before.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>

#include "compress/equalise.h"
#include "compress/qat_form.h"
#include "compress/quantise.h"
#include "compress/samples.h"
#include "graph/given_integers.h"
#include "graph/models.h"
#include "graph/pass.h"
#include "graph/zoo.h"

namespace coppice::compress {

namespace {

struct Method {
  std::string name;
  QuantiseOptions options;
};

std::vector<Method> methods(const graph::Model& model) {
  std::vector<Method> all{{"entropy", {.calibration = "entropy"}},
                          {"round_sums", {.round_sums = true}},
                          {"per_tensor", {.per_channel = false}},
                          {"mixed", {.mixed = {.budget = "layers", .limit = 1, .samples = 4}}}};
  if (!find_pairs(graph::run_passes(model, graph::inference_passes())).empty()) {
    all.push_back({"equalise", {.equalise = true, .replace_relu6 = true}});
  }
  for (Method& method : all) {
    method.options.bias_correction = false;  // the same again with other biases
  }
  return all;
}

class EveryNetwork : public ::testing::TestWithParam<std::string> {
 protected:
  static graph::Model model() {
    auto [options, input] = graph::testing::zoo_example(GetParam());
    if (input.sample_shape.size() == 3 && GetParam() != "lenet5") {
      input.sample_shape = {1, 12, 12};
    }
    return graph::build_model(options, input, 2);
  }
};

INSTANTIATE_TEST_SUITE_P(Zoo,
                         EveryNetwork,
                         ::testing::ValuesIn(graph::zoo().names()),
                         [](const auto& network) { return network.param; });

/// The share of outputs that differ, and by how much of the largest.
struct Difference {
  double share = 0;
  double largest = 0;
};

Difference difference(const graph::Tensor& a, const graph::Tensor& b) {
  Difference result;
  double size = 1e-9;
  for (size_t i = 0; i < static_cast<size_t>(a.size()); ++i) {
    const double x = a.data<float>()[i];
    const double apart = std::abs(x - static_cast<double>(b.data<float>()[i]));
    size = std::max(size, std::abs(x));
    result.share += apart > 1e-4 * size ? 1.0 / static_cast<double>(a.size()) : 0;
    result.largest = std::max(result.largest, apart);
  }
  result.largest /= size;
  return result;
}

std::vector<graph::Tensor> integers_of(const graph::Model& model,
                                       const std::vector<graph::Tensor>& inputs,
                                       const std::string& backend) {
  const int64_t count = inputs.at(0).dim(0);
  const auto engine = runtime::build_engine(model, {.backend = backend, .max_batch = count});
  std::vector<graph::Tensor> outputs;
  for (const std::string& name : model.graph.outputs) {
    const graph::Node& node = model.graph.at(name);
    graph::Shape shape = node.shape;
    shape[0] = count;
    outputs.emplace_back(node.dtype, shape);
  }
  engine->run(inputs, outputs);
  return outputs;
}

int step_at(const graph::Tensor& tensor, size_t i) {
  return tensor.dtype() == graph::DType::U8 ? tensor.data<uint8_t>()[i] : tensor.data<int8_t>()[i];
}

/// Every quantiser of every backend, from the integers that this backend gave it: within one step
/// of the reference, and that at ties only.
void expect_same_integers(const graph::Model& quantised,
                          const graph::Tensor& samples,
                          const std::string& what) {
  const graph::Model tapped = graph::testing::with_integers_as_outputs(quantised);
  const graph::Model judge = graph::testing::with_integers_as_inputs(quantised);
  for (const std::string& backend : runtime::backends()) {
    const auto found = integers_of(tapped, {samples}, backend);
    std::vector<graph::Tensor> inputs{samples};
    inputs.insert(inputs.end(), found.begin(), found.end());
    const auto expected = integers_of(judge, inputs, "reference");
    int64_t values = 0;
    int64_t others = 0;
    for (size_t q = 0; q < found.size(); ++q) {
      int most = 0;
      for (size_t i = 0; i < static_cast<size_t>(found[q].size()); ++i) {
        const int apart = std::abs(step_at(found[q], i) - step_at(expected[q], i));
        most = std::max(most, apart);
        others += apart > 0 ? 1 : 0;
      }
      values += found[q].size();
      EXPECT_LE(most, 1) << what << " on " << backend << ": " << tapped.graph.outputs[q];
    }
    EXPECT_LE(static_cast<double>(others), 1e-3 * static_cast<double>(values))
        << what << " on " << backend;
  }
}

void expect_same_everywhere(const graph::Model& quantised,
                            const graph::Tensor& samples,
                            const std::string& what) {
  const graph::Tensor expected = outputs_on(quantised, samples, "reference");
  for (const std::string& backend : runtime::backends()) {
    const Difference found = difference(expected, outputs_on(quantised, samples, backend));
    // Ties in rounding may fall the other way, by one step of an activation.
    EXPECT_LT(found.largest, 0.05) << what << " on " << backend << ", share " << found.share;
  }
}

TEST_P(EveryNetwork, ComputesTheSameIntegersAfterEveryMethod) {
  const graph::Model float_model = model();
  const graph::Tensor samples = noise_for(float_model, 4, 5);
  for (const Method& method : methods(float_model)) {
    const graph::Model quantised = quantise(float_model, samples, method.options);
    expect_same_everywhere(quantised, samples, method.name);
    if (method.options.round_sums) {  // all activations between layers are integers
      expect_same_integers(quantised, samples, method.name);
    }
  }
}

TEST_P(EveryNetwork, ComputesTheSameIntegersAfterTraining) {
  const graph::Model float_model = model();
  const graph::Tensor samples = noise_for(float_model, 4, 5);
  const QuantiseOptions options{.bias_correction = false};
  for (const FirstScales first : {FirstScales::Calibrated, FirstScales::Lsq}) {
    const QatForm form = make_qat_form(float_model, samples, options, first);
    const graph::Model quantised = finish_qat_form(form.model, form.weights, options);
    expect_same_everywhere(quantised, samples, "quantised training");
    expect_same_integers(quantised, samples, "quantised training");
  }
}

}  // namespace

}  // namespace coppice::compress
