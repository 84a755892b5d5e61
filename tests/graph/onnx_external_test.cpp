// Weights in files beside the model: inside its folder they are read, elsewhere never.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/onnx_file.h"

namespace coppice::graph {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kCorrupt;
using testing::kUnsupported;
using testing::message_of;

constexpr auto kRefused = core::ErrorKind::Refused;

using Entries = std::vector<std::pair<std::string, std::string>>;

class OnnxExternal : public ::testing::Test {
 protected:
  OnnxExternal() {
    fs::create_directories(models() / "weights");
    const std::vector<float> values{1, 2, 3, 4};
    const auto bytes = std::as_bytes(std::span(values));
    core::write_file(models() / "weights.bin", bytes);
    core::write_file(models() / "weights" / "deep.bin", bytes);
    core::write_file(folder_.path() / "secret.bin", bytes);
  }

  fs::path models() const { return folder_.path() / "models"; }

  fs::path secret() const { return folder_.path() / "secret.bin"; }

  /// x + w0 + …, with weights of two values in other files.
  fs::path write(const std::vector<Entries>& weights, const Shape& shape = {2}) const {
    testing::OnnxFile file({2});
    std::string from = "x";
    for (size_t i = 0; i < weights.size(); ++i) {
      const std::string name = "w" + std::to_string(i);
      auto& w = file.floats(name, shape, {});
      w.set_data_location(onnx::TensorProto::EXTERNAL);
      for (const auto& [key, value] : weights[i]) {
        auto* entry = w.add_external_data();
        entry->set_key(key);
        entry->set_value(value);
      }
      const std::string to = i + 1 == weights.size() ? "y" : "a" + std::to_string(i);
      file.node("Add", {from, name}, to);
      from = to;
    }
    core::write_file(models() / "model.onnx", file.text());
    return models() / "model.onnx";
  }

  std::string refusal(core::ErrorKind kind, const Entries& entries) const {
    const fs::path file = write({entries});
    const std::string message = message_of(kind, [&] { load_onnx(file); });
    EXPECT_THAT(message, AllOf(HasSubstr(file.string()), HasSubstr("ONNX tensor 'w0'")));
    return message;
  }

 private:
  core::TemporaryFolder folder_;
};

TEST_F(OnnxExternal, WeightsOfTheFolderAreRead) {
  const fs::path file = write({{{"location", "weights.bin"}, {"offset", "4"}, {"length", "8"}},
                               {{"location", "weights/deep.bin"}}});
  const Model model = load_onnx(file);
  EXPECT_THAT(model.weight("w0").data<float>(), ElementsAre(2, 3));
  EXPECT_THAT(model.weight("w1").data<float>(), ElementsAre(1, 2));
}

TEST_F(OnnxExternal, BytesWithoutAFolderHaveNoWeightsBesideThem) {
  const core::Bytes bytes = core::read_file(write({Entries{{"location", "weights.bin"}}}));
  EXPECT_THAT(message_of(kUnsupported, [&] { from_onnx(bytes); }),
              HasSubstr("'w0' keeps its data outside"));
}

TEST_F(OnnxExternal, PathsOutOfTheFolderAreRefused) {
  for (const std::string& location : {std::string("../secret.bin"),
                                      secret().string(),
                                      (models() / "weights.bin").string(),
                                      std::string("weights/../../secret.bin"),
                                      std::string("./weights.bin"),
                                      std::string("weights/"),
                                      std::string(),
                                      std::string("weights.bin\0", 12)}) {
    EXPECT_THAT(refusal(kRefused, {{"location", location}}),
                HasSubstr("outside the model's folder"))
        << location;
  }
}

TEST_F(OnnxExternal, SymbolicLinksAreNotFollowed) {
  fs::create_symlink(secret(), models() / "link.bin");
  fs::create_directory_symlink(secret().parent_path(), models() / "up");
  EXPECT_THAT(refusal(kRefused, {{"location", "link.bin"}}), HasSubstr("symbolic links"));
  EXPECT_THAT(refusal(kRefused, {{"location", "up/secret.bin"}}), HasSubstr("symbolic links"));
  EXPECT_THAT(refusal(kRefused, {{"location", "weights"}}), HasSubstr("no plain file"));
  refusal(core::ErrorKind::NotFound, {{"location", "missing.bin"}});
}

TEST_F(OnnxExternal, RangesThatDoNotFitAreRefused) {
  const auto range = [&](const std::string& offset, const std::string& length) {
    return refusal(kCorrupt, {{"location", "weights.bin"}, {"offset", offset}, {"length", length}});
  };
  EXPECT_THAT(range("12", "8"), HasSubstr("'weights.bin' of 16 bytes"));
  range("0", "4");
  range("9223372036854775807", "8");
  EXPECT_THAT(range("-4", "8"), HasSubstr("offset '-4'"));
  EXPECT_THAT(range("0", "8e0"), HasSubstr("length '8e0'"));
  EXPECT_THAT(range("0", "99999999999999999999"), HasSubstr("length"));
  EXPECT_THAT(refusal(kUnsupported, {{"location", "weights.bin"}, {"compression", "zip"}}),
              HasSubstr("key 'compression'"));
  const fs::path huge = write({Entries{{"location", "weights.bin"}}}, {1 << 30, 1 << 30});
  EXPECT_THAT(message_of(kCorrupt, [&] { load_onnx(huge); }), HasSubstr("does not fit"));
}

/// Otherwise a thousand tensors read a large file a thousand times.
TEST_F(OnnxExternal, NoByteIsReadTwice) {
  const Entries all{{"location", "weights.bin"}};
  EXPECT_NO_THROW(load_onnx(write({all, all})));
  const fs::path file = write({all, all, all});
  EXPECT_THAT(message_of(kCorrupt, [&] { load_onnx(file); }), HasSubstr("reads bytes again"));
}

TEST_F(OnnxExternal, FilesOf2GiBAreRefusedBeforeTheyAreRead) {
  const fs::path file = models() / "huge.onnx";
  core::write_file(file, std::string_view());
  fs::resize_file(file, uintmax_t{1} << 40);  // takes no space
  EXPECT_THAT(message_of(kUnsupported, [&] { load_onnx(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr("2 GiB or more")));
}

}  // namespace
}  // namespace coppice::graph
