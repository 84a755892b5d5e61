// Every file of configs/models makes a network.

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "graph/models.h"

namespace coppice::graph {
namespace {

ModelInput input_for(const std::string& network) {
  ModelInput input = testing::fashion_input();
  if (network == "ds_cnn") {
    input.sample_shape = {1, 49, 10};
  } else if (network == "cnn1d" || network == "tcn") {
    input.sample_shape = {6, 128};
  } else if (network == "autoencoder") {
    input.sample_shape = {24};
  } else if (network.starts_with("res") || network == "mobilenet_v2") {
    input.sample_shape = {3, 32, 32};
  }
  return input;
}

TEST(ModelConfigs, BuildEveryNetworkOfTheZoo) {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(CONFIGS "/models")) {
    SCOPED_TRACE(entry.path().string());
    const core::ConfigNode file = core::load_config(entry.path());
    ASSERT_EQ(file.map.size(), 1U) << "one role a file";
    const core::ConfigNode* node = file.map[0].value.find("model");
    ASSERT_NE(node, nullptr);
    const auto options = core::read_options<ModelOptions>(*node);
    Model model;
    ASSERT_NO_THROW(model = build_model(options, input_for(options.name), 1));
    EXPECT_NO_THROW(verify(model));
    seen.insert(options.name);
  }
  EXPECT_THAT(zoo().names(), ::testing::UnorderedElementsAreArray(seen));
}

}  // namespace
}  // namespace coppice::graph
