#include "system/layering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"

namespace coppice::layering {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Layering, TheProjectKeepsToTheDesign) {
  EXPECT_THAT(check_layering(PROJECT_SOURCE_DIR, design_table()), IsEmpty());
}

TEST(Layering, EveryModuleOfTheTableExists) {
  for (const auto& [name, module] : design_table()) {
    EXPECT_TRUE(
        std::filesystem::exists(std::filesystem::path(PROJECT_SOURCE_DIR) / "framework" / name))
        << name;
    for (const std::string& used : module.uses) {
      EXPECT_TRUE(design_table().contains(used)) << name << " uses " << used;
    }
  }
}

/// A tree of sources made for one case.
class BadTree : public ::testing::Test {
 protected:
  void add(const std::string& name, std::string_view text) {
    const auto file = folder_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    core::write_file(file, text);
  }

  std::vector<std::string> check() const { return check_layering(folder_.path(), design_table()); }

  core::TemporaryFolder folder_;
};

TEST_F(BadTree, AGoodTreeIsFine) {
  add("framework/core/error.h", "#include <sys/types.h>\n#include <unistd.h>\n#include <string>\n");
  add("framework/graph/graph.h", "#include \"core/error.h\"\n");
  add("framework/graph/graph.cpp", "#include \"graph/graph.h\"\n#include <onnx/onnx_pb.h>\n");
  add("framework/graph/reader.h",
      "#include <onnx/onnx_pb.h>\n");  // private: nobody else includes it
  add("framework/graph/reader.cpp", "#include \"graph/reader.h\"\n");
  add("framework/edge/agent.cpp", "#include \"graph/graph.h\"\n#include \"core/error.h\"\n");
  add("framework/train/lower.cpp", "#include <ATen/ops/add.h>\n#include \"graph/graph.h\"\n");
  add("tools/coppice/main.cpp", "#include <CLI/CLI.hpp>\n#include \"graph/graph.h\"\n");
  add("tools/coppice_train/main.cpp", "#include \"train/lower.h\"\n");
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(BadTree, AnUpwardOrSidewaysIncludeIsFound) {
  add("framework/graph/graph.h", "#pragma once\n\n#include \"data/dataset.h\"\n");
  add("framework/core/error.cpp", "  #  include \"graph/graph.h\"\n");
  EXPECT_THAT(check(),
              ElementsAre("framework/core/error.cpp:1: core may not use graph",
                          "framework/graph/graph.h:3: graph may not use data"));
}

TEST_F(BadTree, AnUnknownModuleIsFound) {
  add("framework/utils/misc.h", "");
  EXPECT_THAT(check(), ElementsAre("framework/utils/misc.h: module utils is not in the table"));
}

TEST_F(BadTree, AnIncludeByAnotherPathIsFound) {
  add("framework/graph/op.cpp", "#include \"op.h\"\n#include \"../core/error.h\"\n");
  add("framework/graph/pass.cpp", "#include <core/error.h>\n");
  EXPECT_THAT(check(),
              ElementsAre(HasSubstr("op.cpp:1: op.h is not written"),
                          HasSubstr("op.cpp:2: ../core/error.h is not written"),
                          HasSubstr("pass.cpp:1: core/error.h is ours")));
}

TEST_F(BadTree, TorchOutsideOfTrainIsFound) {
  add("framework/compress/prune.cpp",
      "#include <ATen/core/Tensor.h>\n#include <c10/core/Device.h>\n");
  add("tools/coppice/main.cpp", "#include <torch/types.h>\n#include \"train/trainer.h\"\n");
  EXPECT_THAT(check(),
              ElementsAre(StartsWith("framework/compress/prune.cpp:1: ATen/core/Tensor.h"),
                          StartsWith("framework/compress/prune.cpp:2: c10/core/Device.h"),
                          StartsWith("tools/coppice/main.cpp:1: torch/types.h"),
                          StartsWith("tools/coppice/main.cpp:2: train/trainer.h")));
}

TEST_F(BadTree, AnUmbrellaHeaderIsFoundInTrainToo) {
  add("framework/train/a.cpp", "#include <torch/torch.h>\n");
  add("framework/train/b.cpp", "#include <ATen/ATen.h>\n");
  EXPECT_THAT(check(), ElementsAre(HasSubstr("train/a.cpp:1"), HasSubstr("train/b.cpp:1")));
}

TEST_F(BadTree, AThirdPartyHeaderThatCrossesABorderIsFound) {
  add("framework/core/inner.h", "#include <fmt/format.h>\n");
  add("framework/core/log.h", "#include <spdlog.h>\n#include \"core/inner.h\"\n");
  add("framework/graph/op.cpp", "#include \"core/log.h\"\n");
  EXPECT_THAT(check(),
              ElementsAre(StartsWith("framework/core/inner.h:1: fmt/format.h is third-party"),
                          StartsWith("framework/core/log.h:1: spdlog.h is third-party")));
}

}  // namespace
}  // namespace coppice::layering
