#include "train/tensor_bridge.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::train {

namespace {

TEST(TensorBridge, SharesMemoryBothWays) {
  graph::Tensor ours(graph::DType::F32, {2, 3});
  at::Tensor theirs = to_aten(ours);
  theirs.fill_(4);
  EXPECT_EQ(ours.data<float>()[5], 4);
  const graph::Tensor back = to_graph(theirs);
  EXPECT_EQ(back.bytes(), ours.bytes());
  EXPECT_EQ(back.shape(), ours.shape());
}

TEST(TensorBridge, EitherSideKeepsTheMemoryAlive) {
  at::Tensor theirs;
  {
    graph::Tensor ours(graph::DType::I64, {1000});
    ours.data<int64_t>()[999] = 7;
    theirs = to_aten(ours);
  }
  EXPECT_EQ(theirs[999].item<int64_t>(), 7);
  const graph::Tensor again = to_graph(theirs);
  theirs.reset();
  EXPECT_EQ(again.data<int64_t>()[999], 7);
}

TEST(TensorBridge, CopiesWhatIsNotContiguous) {
  graph::Tensor ours(graph::DType::I32, {2, 2});
  ours.data<int32_t>()[1] = 5;
  const graph::Tensor turned = to_graph(to_aten(ours).t());
  EXPECT_EQ(turned.data<int32_t>()[2], 5);
  EXPECT_NE(turned.bytes(), ours.bytes());
}

TEST(TensorBridge, RefusesTypesThatTheGraphLacks) {
  const at::Tensor wide = to_aten(graph::Tensor(graph::DType::F32, {1})).to(at::kDouble);
  EXPECT_THROW(to_graph(wide), core::Error);
}

}  // namespace

}  // namespace coppice::train
