#include "graph/transfer.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "graph/transfer/range_coder.h"
#include "graph/transfer/tensor_code.h"

namespace coppice::graph {

namespace {

using testing::message_of;

constexpr size_t kHeader = 13;

core::Bytes coded_body(const core::Bytes& body) {
  core::Bytes file = to_transfer({});
  file.resize(kHeader);
  const std::string sum = core::sha256(body);
  for (size_t i = 0; i < 8; ++i) {
    file[5 + i] = static_cast<std::byte>(std::stoi(sum.substr(2 * i, 2), nullptr, 16));
  }
  file.insert(file.end(), body.begin(), body.end());
  return file;
}

Model layered(const std::vector<float>& values, int64_t rows) {
  const int64_t columns = std::ssize(values) / rows;
  return testing::model_of({{"x", {columns}}},
                           {{"w", Tensor::from<float>({rows, columns}, values)}},
                           {testing::node_of("y", Op::Gemm, {"x", "w"})});
}

double entropy(double p) {
  return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p);
}

TEST(RangeCoder, CostsWhatTheBitsTell) {
  for (const double share : {0.5, 0.1, 0.02}) {
    core::Rng rng(1);
    std::vector<bool> bits(40000);
    for (size_t i = 0; i < bits.size(); ++i) {
      bits[i] = rng.bernoulli(share);
    }
    RangeEncoder encoder;
    BitModel model;
    for (const bool bit : bits) {
      encoder.bit(model, bit);
    }
    const core::Bytes bytes = encoder.finish();
    EXPECT_LT(8.0 * static_cast<double>(bytes.size()), 1.02 * 40000 * entropy(share) + 64) << share;
    RangeDecoder decoder(bytes);
    BitModel again;
    for (size_t i = 0; i < bits.size(); ++i) {
      ASSERT_EQ(decoder.bit(again), bits[i]) << i;
    }
    EXPECT_TRUE(decoder.at_end());
  }
}

TEST(RangeCoder, CarriesRunThroughLongRows) {
  // Unlikely bits after likely ones push the low end of the interval to the top.
  for (uint64_t seed = 0; seed < 200; ++seed) {
    core::Rng rng(seed);
    RangeEncoder encoder;
    BitModel likely;
    std::vector<bool> bits;
    for (int i = 0; i < 600; ++i) {
      bits.push_back(i < 300 ? true : rng.bernoulli(0.3));
      encoder.bit(likely, bits.back());
      encoder.even_bit(!bits.back());
    }
    const core::Bytes bytes = encoder.finish();
    RangeDecoder decoder(bytes);
    BitModel again;
    for (size_t i = 0; i < bits.size(); ++i) {
      ASSERT_EQ(decoder.bit(again), bits[i]) << seed << ", bit " << i;
      ASSERT_EQ(decoder.even_bit(), !bits[i]) << seed << ", bit " << i;
    }
  }
}

TEST(Transfer, EveryOpsFileComesBackByteForByte) {
  const core::Bytes onnx = to_onnx(testing::model_with_every_op());
  std::vector<TransferPart> parts;
  const core::Bytes coded = to_transfer(onnx, &parts);
  EXPECT_TRUE(is_transfer(coded));
  EXPECT_FALSE(is_transfer(onnx));
  EXPECT_EQ(from_transfer(coded), onnx);
  EXPECT_LT(coded.size(), onnx.size());
  EXPECT_FALSE(parts.empty());
  EXPECT_EQ(to_transfer(onnx), coded) << "deterministic";
}

TEST(Transfer, ACodedFileLoadsLikeAPlainOne) {
  const Model model = build_model({.name = "lenet5"}, testing::fashion_input(), 1);
  const core::TemporaryFolder folder;
  core::write_file(folder.path() / "model.transfer", to_transfer(to_onnx(model)));
  EXPECT_EQ(content_hash(load_onnx(folder.path() / "model.transfer")), content_hash(model));
}

TEST(Transfer, DenseNoiseGrowsByAHeaderAtMost) {
  core::Rng rng(3);
  core::Bytes noise(100000);
  for (std::byte& byte : noise) {
    byte = static_cast<std::byte>(rng.below(256));
  }
  for (const size_t width : {1, 2, 4, 8}) {
    RangeEncoder coder;
    encode_tensor(coder, {.width = width, .rows = 10}, noise);
    EXPECT_LE(coder.finish().size(), noise.size() + noise.size() / 1000 + 16) << width;
  }
  const core::Bytes onnx = to_onnx(build_model({.name = "mlp"}, testing::fashion_input(), 1));
  EXPECT_LT(to_transfer(onnx).size(), onnx.size());
}

TEST(Transfer, NoiseBesideTheTensorsGrowsLittle) {
  core::Rng rng(4);
  core::Bytes onnx{std::byte{0x12}, std::byte{0xa0}, std::byte{0x8d}, std::byte{0x06}};
  for (int i = 0; i < 100000; ++i) {  // the name of the producer
    onnx.push_back(static_cast<std::byte>(rng.below(256)));
  }
  const core::Bytes coded = to_transfer(onnx);
  EXPECT_LE(coded.size(), onnx.size() + onnx.size() / 50 + 64);
  EXPECT_EQ(from_transfer(coded), onnx);
}

TEST(Transfer, SparseSharedWeightsCostTheirEntropy) {
  core::Rng rng(5);
  std::vector<float> values(300 * 400, 0);
  int64_t kept = 0;
  for (float& value : values) {
    if (rng.bernoulli(0.06)) {
      value = 0.01F * static_cast<float>(1 + rng.below(32));
      ++kept;
    }
  }
  std::vector<TransferPart> parts;
  const core::Bytes onnx = to_onnx(layered(values, 300));
  const core::Bytes coded = to_transfer(onnx, &parts);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].tensor, "w");
  EXPECT_EQ(parts[0].raw_bytes, 4 * 300 * 400);
  const double told = 120000 * entropy(0.06) + 5.0 * static_cast<double>(kept);
  EXPECT_GT(8.0 * static_cast<double>(parts[0].coded_bytes), 0.98 * told);
  EXPECT_LT(8.0 * static_cast<double>(parts[0].coded_bytes), 1.04 * told + 8 * 200);
  EXPECT_LT(coded.size(), static_cast<size_t>(parts[0].coded_bytes) + 300);
  EXPECT_EQ(from_transfer(coded), onnx);
}

TEST(Transfer, DeadRowsAndColumnsCostNextToNothing) {
  core::Rng rng(6);
  std::vector<float> values(200 * 300, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 300 % 3 == 0 && i / 300 % 2 == 0 && rng.bernoulli(0.5)) {
      values[i] = 1;
    }
  }
  std::vector<TransferPart> parts;
  const core::Bytes onnx = to_onnx(layered(values, 200));
  EXPECT_EQ(from_transfer(to_transfer(onnx, &parts)), onnx);
  EXPECT_LT(parts[0].coded_bytes, 1750) << "10000 places are a coin's toss each";
}

TEST(Transfer, EveryTruncationAndEveryChangedByteIsRefused) {
  const core::Bytes coded = to_transfer(to_onnx(layered(std::vector<float>(64, 0.5F), 4)));
  for (size_t size = 0; size < coded.size(); ++size) {
    message_of(core::ErrorKind::Corrupt, [&] { from_transfer(std::span(coded).first(size)); });
  }
  for (size_t i = 0; i < coded.size(); ++i) {
    core::Bytes altered = coded;
    altered[i] ^= std::byte{0x10};
    message_of(i == 4 ? core::ErrorKind::Unsupported : core::ErrorKind::Corrupt,
               [&] { from_transfer(altered); });
  }
}

TEST(Transfer, HostileFilesWithATrueChecksumDecodeToLittleOrNothing) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    core::Rng rng(seed);
    core::Bytes body(static_cast<size_t>(4 + rng.below(60)));
    for (std::byte& byte : body) {
      byte = static_cast<std::byte>(rng.bernoulli(0.5) ? rng.below(256) : 0);
    }
    try {
      EXPECT_LE(from_transfer(coded_body(body)).size(), body.size() * 11392);
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt) << error.what();
    }
  }
}

/// As above, but behind a head that tells of a tensor, so that every form of values is read.
TEST(Transfer, AlteredValuesWithATrueChecksumGiveAFileOfTheSizeOrAreRefused) {
  std::vector<float> few(64 * 64);
  std::vector<float> many(64 * 64);
  core::Rng rng(8);
  for (size_t i = 0; i < few.size(); ++i) {
    few[i] = static_cast<float>(rng.below(9)) / 8;
    many[i] = rng.bernoulli(0.5) ? 0 : static_cast<float>(rng.normal());
  }
  for (const auto& values : {few, many}) {
    const core::Bytes onnx = to_onnx(layered(values, 64));
    const core::Bytes coded = to_transfer(onnx);
    const core::Bytes body(coded.begin() + kHeader, coded.end());
    for (int i = 0; i < 400; ++i) {
      core::Bytes altered = body;
      altered[static_cast<size_t>(rng.below(altered.size()))] ^=
          static_cast<std::byte>(1U << rng.below(8));
      try {
        const core::Bytes decoded = from_transfer(coded_body(altered));
        EXPECT_LE(decoded.size(), body.size() * 11392);
      } catch (const core::Error& error) {
        EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt) << error.what();
      }
    }
  }
}

TEST(Transfer, NoFileDecodesToMoreThanAnOnnxFileHolds) {
  RangeEncoder coder;
  NumberCode sizes;
  sizes.code(coder, uint64_t{1} << 31);
  sizes.code(coder, 0);
  sizes.code(coder, 1);
  core::Bytes body = coder.finish();
  body.resize(200000);
  EXPECT_THAT(message_of(core::ErrorKind::Corrupt, [&] { from_transfer(coded_body(body)); }),
              ::testing::HasSubstr("larger than"));
}

TEST(Transfer, AClaimedSizeBeyondWhatBytesCanTellTakesNoMemory) {
  RangeEncoder coder;
  NumberCode sizes;
  sizes.code(coder, uint64_t{1} << 40);
  sizes.code(coder, 0);
  sizes.code(coder, 1);
  EXPECT_THAT(
      message_of(core::ErrorKind::Corrupt, [&] { from_transfer(coded_body(coder.finish())); }),
      ::testing::HasSubstr("larger than its bytes can tell"));
}

TEST(Transfer, ACodedFileInACodedFileIsNoModel) {
  const core::Bytes once = to_transfer(to_onnx(layered(std::vector<float>(64, 0.5F), 4)));
  message_of(core::ErrorKind::Corrupt, [&] { to_transfer(once); });
}

}  // namespace

}  // namespace coppice::graph
