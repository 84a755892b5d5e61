#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "graph/pass.h"

namespace coppice::graph {
namespace {

/// Loads or is refused; what loads can be worked with. Anything but core::Error fails the test.
/// Returns whether it loaded.
bool survives(std::span<const std::byte> bytes) {
  try {
    Model model = from_onnx(bytes);
    verify(model);
    cost(model);
    to_onnx(run_passes(std::move(model), inference_passes()));
    return true;
  } catch (const core::Error&) {
    return false;
  }
}

core::Bytes small_cnn() {
  ModelOptions options;
  options.widths = {8, 16};
  return to_onnx(build_model(options, testing::fashion_input(), 1));
}

TEST(OnnxTampered, TruncatedFilesAreRefused) {
  const core::Bytes every_op = to_onnx(testing::model_with_every_op());
  for (size_t size = 0; size < every_op.size(); ++size) {
    survives(std::span(every_op).first(size));
  }
  const core::Bytes cnn = small_cnn();
  for (size_t size = 0; size < cnn.size(); size += 97) {
    // The metadata at the end of the file may be missing at a field's border, the graph not.
    const bool loaded = survives(std::span(cnn).first(size));
    EXPECT_FALSE(loaded && size < cnn.size() / 2) << size;
  }
}

TEST(OnnxTampered, AlteredBytesLoadOrAreRefused) {
  int refused = 0;
  for (const core::Bytes& original : {to_onnx(testing::model_with_every_op()), small_cnn()}) {
    const size_t step = original.size() > 20'000 ? 97 : 3;
    for (size_t i = 0; i < original.size(); i += step) {
      for (const int mask : {0x01, 0x80, 0xff}) {
        core::Bytes bytes = original;
        bytes[i] ^= static_cast<std::byte>(mask);
        refused += survives(bytes) ? 0 : 1;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(OnnxTampered, RandomBytesAreRefused) {
  core::Rng rng(11);
  for (int round = 0; round < 2000; ++round) {
    core::Bytes bytes(static_cast<size_t>(rng.below(64)));
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(rng.below(256));
    }
    EXPECT_FALSE(survives(bytes));
  }
}

TEST(OnnxTampered, RemovedAndDoubledPiecesLoadOrAreRefused) {
  const core::Bytes original = to_onnx(testing::model_with_every_op());
  core::Rng rng(12);
  const auto size = static_cast<int64_t>(original.size());
  for (int round = 0; round < 2000; ++round) {
    const int64_t from = rng.below(size);
    const int64_t length = rng.below(std::min<int64_t>(size - from, 40) + 1);
    core::Bytes bytes = original;
    const auto begin = bytes.begin() + from;
    if (rng.bernoulli(0.5)) {
      bytes.erase(begin, begin + length);
    } else {
      const core::Bytes piece(begin, begin + length);
      bytes.insert(begin, piece.begin(), piece.end());
    }
    survives(bytes);
  }
}

}  // namespace
}  // namespace coppice::graph
