#include "graph/tensor.h"

#include <cstdint>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"

namespace coppice::graph {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::message_of;

TEST(Tensor, IsZeroFilledAndAligned) {
  for (const int64_t size : {1, 7, 1000}) {
    const Tensor tensor(DType::F32, {size});
    EXPECT_THAT(tensor.data<float>(), Each(0.F));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes()) % 64, 0U);
  }
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor tensor = Tensor::from<int32_t>({2}, std::vector<int32_t>{1, 2});
  Tensor copy = tensor;
  Tensor clone = tensor.clone();
  tensor.data<int32_t>()[0] = 9;
  EXPECT_THAT(copy.data<int32_t>(), ElementsAre(9, 2));
  EXPECT_THAT(clone.data<int32_t>(), ElementsAre(1, 2));
}

TEST(Tensor, ReshapeSharesBytesAndKeepsTheCount) {
  const Tensor tensor(DType::U8, {2, 6});
  EXPECT_EQ(tensor.reshaped({3, 4}).bytes(), tensor.bytes());
  EXPECT_EQ(tensor.reshaped({3, 4}).shape(), (Shape{3, 4}));
  EXPECT_THROW(tensor.reshaped({5}), core::Error);
}

TEST(Tensor, RefusesAnotherDtypeAndWrongCounts) {
  const Tensor tensor(DType::I8, {2});
  const auto invalid = core::ErrorKind::InvalidArgument;
  EXPECT_EQ(message_of(invalid, [&] { tensor.data<float>(); }), "tensor holds i8, read as f32");
  EXPECT_THROW(Tensor::from<float>({3}, std::vector<float>{1}), core::Error);
  EXPECT_THROW(Tensor(DType::F32, {1}, nullptr), core::Error);
}

TEST(Tensor, EmptyTensorsHaveNoElements) {
  EXPECT_TRUE(Tensor().empty());
  EXPECT_EQ(Tensor().clone().shape(), Shape{0});
  EXPECT_TRUE(Tensor(DType::I64, {3, 0}).data<int64_t>().empty());
  EXPECT_EQ(Tensor(DType::I64, {}).size(), 1);
}

TEST(ElementCount, RefusesNegativeAndOverflowingShapes) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_THROW(element_count({2, -1}), core::Error);
  EXPECT_THROW(element_count({int64_t{1} << 32, int64_t{1} << 32}), core::Error);
  EXPECT_THROW(Tensor(DType::F32, {int64_t{1} << 62}),
               core::Error);  // bytes overflow, elements do not
}

TEST(Shape, PrintsAsAList) {
  EXPECT_EQ(to_string(Shape{1, 28, 28}), "[1, 28, 28]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

TEST(DType, HasNameAndSize) {
  EXPECT_EQ(to_string(DType::I32), "i32");
  EXPECT_EQ(size_bytes(DType::F32), 4);
  EXPECT_EQ(size_bytes(DType::U8), 1);
  EXPECT_EQ(size_bytes(DType::I64), 8);
}

}  // namespace
}  // namespace coppice::graph
