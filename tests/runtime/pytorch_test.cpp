// Files that PyTorch exported: imported, run by every backend, exported again; the numbers are
// PyTorch's (make_pytorch_networks.py).

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/onnx.h"
#include "runtime/models.h"
#include "runtime/pytorch_networks.h"

namespace coppice::runtime::testing {
namespace {

using graph::Op;
using graph::Tensor;

int64_t count_of(const graph::Model& model, Op op) {
  return std::ranges::count_if(model.graph.nodes,
                               [&](const graph::Node& node) { return node.op == op; });
}

class PyTorchFile : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Files,
                         PyTorchFile,
                         ::testing::ValuesIn(exported_names()),
                         [](const auto& test) { return test.param; });

TEST_P(PyTorchFile, GivesPyTorchsNumbersOnEveryBackend) {
  const Exported file = load_exported(GetParam());
  EXPECT_EQ(file.model.graph.outputs, std::vector<std::string>{"y"});
  // A value on the border between two levels may fall on either side.
  const double tolerance = GetParam() == "quantised" ? 0.01 : 1e-5;
  for (const std::string& backend : backends()) {
    const Tensor result = run_model(file.model, {file.input}, backend)[0];
    ASSERT_EQ(result.shape(), file.output.shape());
    EXPECT_LT(relative_difference(result, file.output), tolerance) << backend;
  }
}

TEST_P(PyTorchFile, IsTheSameAfterAnotherExport) {
  const Exported file = load_exported(GetParam());
  const Tensor expected = run_model(file.model, {file.input}, "reference")[0];
  for (const int64_t opset : {13, 17}) {
    const graph::Model back = graph::from_onnx(graph::to_onnx(file.model, opset));
    EXPECT_EQ(graph::cost(back), graph::cost(file.model)) << opset;
    EXPECT_EQ(back.graph.nodes.size(), file.model.graph.nodes.size()) << opset;
    const Tensor result = run_model(back, {file.input}, "reference")[0];
    EXPECT_LT(relative_difference(result, expected), 1e-6) << opset;
  }
}

TEST(PyTorchFiles, PatternsBecomeOneNode) {
  for (const char* name : {"mlp", "mlp13"}) {
    const graph::Model model = load_exported(name).model;
    EXPECT_EQ(count_of(model, Op::LayerNorm), 1) << name;
    EXPECT_EQ(count_of(model, Op::ReduceMean), 0) << name;
  }
  for (const char* name : {"mobile", "mobile14"}) {
    EXPECT_EQ(count_of(load_exported(name).model, Op::HardSwish), 1) << name;
  }
  EXPECT_EQ(count_of(load_exported("transformer").model, Op::LayerNorm), 2);
}

TEST(PyTorchFiles, NormsAreFoldedIntoTransposedConvolutions) {
  const graph::Model model = load_exported("autoencoder").model;
  EXPECT_EQ(count_of(model, Op::BatchNorm), 1);
  EXPECT_EQ(count_of(build_engine(model)->model(), Op::BatchNorm), 0);
}

/// What the file says about the batch's place costs nothing: time-major layers run batch first.
TEST(PyTorchFiles, NoTransposesAreLeftOfTimeMajorLayers) {
  EXPECT_EQ(count_of(load_exported("lstm").model, Op::Transpose), 0);
  EXPECT_EQ(count_of(load_exported("gru").model, Op::Transpose), 0);
  EXPECT_EQ(count_of(load_exported("transformer").model, Op::Transpose), 4);  // q, k, v and back
}

/// Layers over time follow each other as images; the only reshapes are the first and the last.
TEST(PyTorchFiles, LayersOverTimeStayImages) {
  const graph::Model model = load_exported("series").model;
  EXPECT_EQ(count_of(model, Op::Reshape), 1);
  EXPECT_EQ(count_of(model, Op::Flatten), 1);
}

}  // namespace
}  // namespace coppice::runtime::testing
