#include "graph/onnx.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "graph/cost.h"
#include "graph/models.h"
#include "graph/onnx_oracle.h"
#include "graph/pass.h"

namespace coppice::graph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;

std::vector<Model> exports() {
  std::vector<Model> models{testing::model_with_every_op()};
  for (const std::string& name : zoo().names()) {
    auto [options, input] = testing::zoo_example(name);
    options.dropout = 0.3;
    options.drop_path = 0.2;
    models.push_back(build_model(options, input, 3));
    models.push_back(run_passes(models.back(), inference_passes()));
  }
  return models;
}

onnx::ModelProto parse(const core::Bytes& bytes) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return proto;
}

TEST(Onnx, FixturesCoverEveryOp) {
  std::set<Op> seen;
  for (const Node& node : testing::model_with_every_op().graph.nodes) {
    seen.insert(node.op);
  }
  EXPECT_EQ(seen.size(), all_ops().size());
}

TEST(Onnx, RoundTripKeepsTheModel) {
  for (const Model& model : exports()) {
    SCOPED_TRACE(model.metadata.name);
    const Model back = from_onnx(to_onnx(model));
    EXPECT_EQ(content_hash(back), content_hash(model));
    EXPECT_EQ(cost(back), cost(model));
    EXPECT_EQ(back.weights.size(), model.weights.size());
    EXPECT_EQ(back.metadata.name, model.metadata.name);
    EXPECT_EQ(back.metadata.task, model.metadata.task);
    EXPECT_EQ(back.metadata.class_names, model.metadata.class_names);
    EXPECT_EQ(back.metadata.lineage, model.metadata.lineage);
    for (const Node& node : model.graph.nodes) {
      EXPECT_EQ(back.graph.at(node.name).shape, node.shape);
      EXPECT_EQ(back.graph.at(node.name).dtype, node.dtype);
      EXPECT_EQ(back.graph.at(node.name).attributes, node.attributes);
    }
  }
}

TEST(Onnx, TheSameModelGivesTheSameBytes) {
  for (const Model& model : exports()) {
    const core::Bytes bytes = to_onnx(model);
    EXPECT_EQ(bytes, to_onnx(model));
    EXPECT_EQ(bytes, to_onnx(from_onnx(bytes)));
  }
}

TEST(Onnx, ExportsPassTheCheckerOfOnnx) {
  for (const Model& model : exports()) {
    for (const int64_t opset : {kSmallestOpset, int64_t{13}, int64_t{14}, int64_t{17}}) {
      SCOPED_TRACE(model.metadata.name + " " + std::to_string(opset));
      const core::Bytes bytes = to_onnx(model, opset);
      EXPECT_EQ(testing::complaint_of_onnx(core::as_text(bytes)), "");
      const onnx::ModelProto proto = parse(bytes);
      const auto has = [&](Op op) {
        return std::ranges::any_of(model.graph.nodes,
                                   [&](const Node& node) { return node.op == op; });
      };
      const int64_t smallest = has(Op::LayerNorm) ? 17 : has(Op::HardSwish) ? 14 : 13;
      EXPECT_EQ(proto.opset_import(0).version(), opset == kSmallestOpset ? smallest : opset);
      EXPECT_EQ(proto.graph().input_size(), 1);
      EXPECT_EQ(proto.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "batch");
    }
  }
}

/// What an older opset has as several nodes is put together again.
TEST(Onnx, EveryOpsetKeepsTheModel) {
  for (const Model& model : exports()) {
    for (const int64_t opset : {13, 14, 15, 16, 17}) {
      SCOPED_TRACE(model.metadata.name + " " + std::to_string(opset));
      EXPECT_EQ(content_hash(from_onnx(to_onnx(model, opset))), content_hash(model));
    }
  }
  EXPECT_THAT(
      message_of(core::ErrorKind::Unsupported, [] { to_onnx(testing::model_with_every_op(), 12); }),
      HasSubstr("opset 12; supported: 13 to 17"));
}

TEST(Onnx, TheCheckerOfOnnxComplainsWhereItShould) {
  onnx::ModelProto proto = parse(to_onnx(testing::model_with_every_op()));
  proto.mutable_graph()->mutable_node(3)->set_op_type("Ghost");
  EXPECT_NE(testing::complaint_of_onnx(proto.SerializeAsString()), "");
}

/// ONNX's own inference is an independent oracle for ours.
TEST(Onnx, ShapesAgreeWithTheInferenceOfOnnx) {
  for (const Model& model : exports()) {
    SCOPED_TRACE(model.metadata.name);
    const core::Bytes bytes = to_onnx(model);
    const auto shapes = testing::shapes_of_onnx(core::as_text(bytes));
    for (const Node& node : model.graph.nodes) {
      const bool inner =
          node.op != Op::Input &&
          !std::count(model.graph.outputs.begin(), model.graph.outputs.end(), node.name);
      if (inner) {
        ASSERT_TRUE(shapes.contains(node.name)) << node.name;
        EXPECT_EQ(shapes.at(node.name), node.shape) << node.name;
      }
    }
  }
}

TEST(Onnx, SavesAndLoadsFiles) {
  const core::TemporaryFolder folder;
  const auto file = folder.path() / "model.onnx";
  const Model model = testing::model_with_every_op();
  save_onnx(model, file);
  EXPECT_EQ(content_hash(load_onnx(file)), content_hash(model));
  core::write_file(file, "no model");
  EXPECT_THAT(message_of(core::ErrorKind::Corrupt, [&] { load_onnx(file); }),
              AllOf(HasSubstr("model.onnx"), HasSubstr("no ONNX model")));
  message_of(core::ErrorKind::NotFound, [&] { load_onnx(folder.path() / "ghost.onnx"); });
}

TEST(Onnx, RefusesToExportABrokenModel) {
  Model model = testing::model_with_every_op();
  model.graph.outputs = {"ghost"};
  EXPECT_THROW(to_onnx(model), core::Error);
  model = testing::model_with_every_op();
  model.metadata.class_names = {"\xff"};
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument, [&] { to_onnx(model); }),
              HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace coppice::graph
