#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"

namespace coppice::graph {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::model_of;
using testing::node_of;

/// x -> Gemm "a" -> Relu "b" -> Gemm "c"
Model chain() {
  return model_of(
      {{"x", {4}}},
      {{"a.weight", Tensor(DType::F32, {3, 4})}, {"c.weight", Tensor(DType::F32, {2, 3})}},
      {node_of("a", Op::Gemm, {"x", "a.weight"}),
       node_of("b", Op::Relu, {"a"}),
       node_of("c", Op::Gemm, {"b", "c.weight"})});
}

std::string refusal(const Model& model) {
  return message_of(core::ErrorKind::InvalidArgument, [&] { verify(model); });
}

TEST(Verify, AcceptsValidModels) {
  EXPECT_NO_THROW(verify(chain()));
  EXPECT_NO_THROW(verify(testing::model_with_every_op()));
}

TEST(Verify, NamesTheNodeOfARepeatedName) {
  Model model = chain();
  model.graph.find("b")->name = "a";
  EXPECT_THAT(refusal(model), HasSubstr("node 'a' (Relu): another node has the same name"));
  model = chain();
  model.weights["b"] = Tensor(DType::F32, {1});
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): a weight has the same name"));
  model = chain();
  model.graph.find("b")->name = "";
  EXPECT_THAT(refusal(model), HasSubstr("needs a name"));
}

TEST(Verify, RefusesMissingAndLaterInputs) {
  Model model = chain();
  model.graph.find("b")->inputs[0] = "ghost";
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): input 'ghost'"));
  model = chain();
  std::swap(model.graph.nodes[1], model.graph.nodes[2]);
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): input 'a'"));
  model = chain();
  model.graph.find("b")->inputs[0] = "b";
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): input 'b'"));
  model = chain();
  model.weights.erase("c.weight");
  EXPECT_THAT(refusal(model), HasSubstr("node 'c' (Gemm): input 'c.weight'"));
}

TEST(Verify, RefusesWrongNumberOfInputsAndAttributes) {
  Model model = chain();
  model.graph.find("b")->inputs.push_back("x");
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): 2 inputs, takes 1 to 1"));
  model = chain();
  model.graph.find("c")->attributes = ConvAttributes{};
  EXPECT_THAT(refusal(model), HasSubstr("node 'c' (Gemm): attributes of another op"));
}

TEST(Verify, RefusesStaleShapes) {
  Model model = chain();
  model.weights["a.weight"] = Tensor(DType::F32, {3, 5});
  EXPECT_THAT(refusal(model), HasSubstr("node 'a' (Gemm): weight [3, 5]"));
  model = chain();
  model.graph.find("b")->shape = {kBatch, 9};
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): is marked f32 [-1, 9]"));
  model = chain();
  model.graph.find("b")->dtype = DType::U8;
  EXPECT_THAT(refusal(model), HasSubstr("node 'b' (Relu): is marked u8"));
}

TEST(Verify, RefusesBadOutputs) {
  Model model = chain();
  model.graph.outputs = {};
  EXPECT_THAT(refusal(model), HasSubstr("no outputs"));
  model.graph.outputs = {"c", "d"};
  EXPECT_THAT(refusal(model), HasSubstr("output 'd' names no node"));
  model.graph.outputs = {"c", "c"};
  EXPECT_THAT(refusal(model), HasSubstr("output 'c' is listed twice"));
  model = testing::model_with_every_op();
  model.graph.outputs.emplace_back("w");
  EXPECT_THAT(refusal(model), HasSubstr("output 'w' does not depend on an input"));
}

TEST(Graph, LooksUpNodesAndWeights) {
  const Model model = chain();
  EXPECT_EQ(model.graph.find("ghost"), nullptr);
  EXPECT_EQ(model.graph.at("b").op, Op::Relu);
  EXPECT_EQ(model.graph.consumers("a").size(), 1U);
  EXPECT_EQ(model.graph.inputs().at(0)->name, "x");
  EXPECT_TRUE(model.is_weight("a.weight"));
  EXPECT_FALSE(model.is_weight("a"));
  const auto missing = core::ErrorKind::NotFound;
  EXPECT_THAT(message_of(missing, [&] { model.weight("a.wieght"); }),
              HasSubstr("did you mean 'a.weight'"));
  const Model every = testing::model_with_every_op();
  EXPECT_THAT(message_of(missing, [&] { every.graph.at("probabilitys"); }),
              HasSubstr("did you mean 'probabilities'"));
}

TEST(ContentHash, IsTheSameForEqualContent) {
  const Model model = testing::model_with_every_op();
  EXPECT_EQ(content_hash(model).size(), 64U);
  EXPECT_EQ(content_hash(model), content_hash(testing::model_with_every_op()));
  Model same = model;
  same.weights["unused"] = Tensor(DType::F32, {3});
  same.metadata.name = "other";
  same.metadata.lineage["parent"] = "x";
  std::swap(*same.graph.find("w"), *same.graph.find("b"));
  EXPECT_EQ(content_hash(model), content_hash(same));
}

TEST(ContentHash, ChangesWithEveryPartOfTheContent) {
  const Model model = testing::model_with_every_op();
  std::vector<Model> others(14, model);
  others[0].metadata.class_names[0] = "z";
  others[1].graph.outputs.pop_back();
  others[2].graph.find("q")->attributes = AxisAttributes{2};
  others[3].graph.find("average")->as<PoolAttributes>().stride = {2, 1};
  others[4].weights["b.i32"] = others[4].weights["b.i32"].clone();
  others[4].weights["b.i32"].data<int32_t>()[1] += 1;
  others[5].weights["w.i8"] = others[5].weights["w.i8"].reshaped({8, 2, 3, 2});
  others[6].graph.find("probabilities")->name = "p";
  others[7].graph.find("dropout1")->as<DropoutAttributes>().rate = 0.26F;
  others[8].graph.find("smooth")->as<DropoutAttributes>().grain = DropoutGrain::Sample;
  others[9].graph.find("leaky")->as<LeakyReluAttributes>().slope = 0.2F;
  others[10].graph.find("clipped")->as<ClipAttributes>().low = -0.06F;
  others[11].graph.find("larger")->as<ResizeAttributes>().scale = {3, 2};
  others[12].graph.find("part")->as<SliceAttributes>().start = 2;
  others[13].graph.find("rows")->as<ReshapeAttributes>().sample = {40, 4};
  std::set<std::string> hashes{content_hash(model)};
  for (const Model& other : others) {
    EXPECT_TRUE(hashes.insert(content_hash(other)).second);
  }
}

}  // namespace
}  // namespace coppice::graph
