#include "compress/latency_table.h"

#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/prune.h"
#include "core/error.h"
#include "core/files.h"
#include "runtime/profile.h"

namespace coppice::compress {

namespace {

using ::testing::HasSubstr;

graph::Model two_layers(int64_t width) {
  Network net(graph::DType::F32, {3, 8, 8});
  const std::string x = net.relu("relu", net.conv("conv1", "input", width));
  return net.build({net.conv("conv2", x, 4, 1)});
}

/// conv1 takes 10 us a channel with its ReLU, conv2 5 us a channel that it reads.
LatencyTable table_of(const std::vector<int64_t>& widths) {
  LatencyTable table;
  for (const int64_t width : widths) {
    const auto w = static_cast<double>(width);
    table.add(two_layers(width),
              std::vector<runtime::StepTime>{{"conv1", "Conv", 9 * w},
                                             {"relu", "Relu", w},
                                             {"conv2", "reorder", 0.5 * w},
                                             {"conv2", "Conv", 4.5 * w}});
  }
  return table;
}

TEST(LatencyTable, AddsUpTheStepsOfALayer) {
  EXPECT_NEAR(table_of({8}).predict(two_layers(8)), 8 * 15, 1e-9);
}

TEST(LatencyTable, InterpolatesBetweenWidths) {
  const LatencyTable table = table_of({4, 16});
  EXPECT_NEAR(table.predict(two_layers(10)), 150, 1e-9);
  EXPECT_NEAR(table.predict(two_layers(2)), 30, 1e-9) << "in proportion below the least";
  EXPECT_NEAR(table.predict(two_layers(32)), 480, 1e-9) << "and beyond the largest";
}

TEST(LatencyTable, AveragesProfiles) {
  LatencyTable table;
  table.add(two_layers(4), std::vector<runtime::StepTime>{{"conv1", "Conv", 10}});
  table.add(two_layers(4), std::vector<runtime::StepTime>{{"conv1", "Conv", 20}});
  EXPECT_NEAR(table.predict(two_layers(4)), 15, 1e-9);
}

TEST(LatencyTable, SurvivesItsFile) {
  const core::TemporaryFolder folder;
  LatencyTable table = table_of({4, 16});
  table.device = "gateway-7";
  table.backend = "onednn";
  core::write_file(folder.path() / "table.json", table.to_json());
  const LatencyTable loaded = load_latency_table(folder.path() / "table.json");
  EXPECT_EQ(loaded.to_json(), table.to_json());
  EXPECT_EQ(loaded.device, "gateway-7");
  EXPECT_DOUBLE_EQ(loaded.predict(two_layers(7)), table.predict(two_layers(7)));
}

/// conv1 takes `us`; the other layers take no time.
void add_profile(LatencyTable& table, double us) {
  table.add(two_layers(4), std::vector<runtime::StepTime>{{"conv1", "Conv", us}});
}

TEST(LatencyTable, AveragesOnAfterItsFile) {
  LatencyTable table;
  for (const double us : {10.0, 20.0, 25.0}) {
    add_profile(table, us);
  }
  LatencyTable loaded = LatencyTable::from_json(table.to_json());
  EXPECT_EQ(loaded.to_json(), table.to_json()) << "though no double holds the mean of 3";
  add_profile(table, 45);
  add_profile(loaded, 45);
  EXPECT_NEAR(loaded.predict(two_layers(4)), 25, 1e-9);
  EXPECT_EQ(loaded.to_json(), table.to_json());
}

TEST(LatencyTable, TakesAnEntryWithoutProfilesForOne) {
  LatencyTable table;
  add_profile(table, 10);
  std::string older = table.to_json();
  for (const std::string key = ",\n   \"profiles\": 1"; older.find(key) != std::string::npos;) {
    older.erase(older.find(key), key.size());
  }
  ASSERT_THAT(older, testing::Not(HasSubstr("profiles")));
  LatencyTable loaded = LatencyTable::from_json(older);
  add_profile(loaded, 30);
  EXPECT_NEAR(loaded.predict(two_layers(4)), 20, 1e-9);
}

TEST(LatencyTable, ComesFromAnEnginesProfile) {
  const graph::Model model = make_cnn();
  const auto engine = runtime::build_engine(model, {.backend = "reference"});
  const auto steps = runtime::measure_steps(*engine, {.runs = 3, .warm_up = 1});
  LatencyTable table;
  table.add(engine->model(), steps);
  double sum = 0;
  for (const auto& step : steps) {
    sum += step.micros;
  }
  EXPECT_NEAR(table.predict(model), sum, 1e-6 * sum) << "BN and ReLU are in the layers before them";
}

TEST(LatencyTable, LeadsAPruningToItsTarget) {
  const core::TemporaryFolder folder;
  core::write_file(folder.path() / "table.json", table_of({4, 16}).to_json());
  PruneReport report;
  const graph::Model pruned =
      prune(two_layers(16),
            {.min_channels = 1,
             .target = {.metric = "latency",
                        .value = 100,
                        .latency_table = (folder.path() / "table.json").string()}},
            &report);
  EXPECT_NEAR(report.cost_before, 240, 1e-9);
  EXPECT_EQ(pruned.weight("conv1.weight").dim(0), 6) << "6 x 15 us are the most under 100";
}

TEST(LatencyTable, SaysWhichLayerItLacks) {
  try {
    table_of({8}).predict(make_cnn());
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::NotFound);
    EXPECT_THAT(error.what(),
                HasSubstr("no layer 'MaxPool 2x2 stride 2x2 8x8 to 4x4' as node 'pool1' is"));
  }
}

TEST(LatencyTable, RefusesDamagedFiles) {
  for (
      const char* text :
      {"",
       "[]",
       "{}",
       R"({"format": "other", "layers": []})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1, "out": 0, "us": 1}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1, "out": 2, "us": -1}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1e300, "out": 2, "us": 1}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1, "out": 2.5, "us": 1}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1, "out": 2, "us": 1, "profiles": 0}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": "Gemm", "in": 1, "out": 2, "us": 1, "profiles": 1.5}]})",
       R"({"format": "coppice-latency-table-1", "layers": [{"kind": 3, "in": 1, "out": 2, "us": 1}]})"}) {
    try {
      LatencyTable::from_json(text);
      ADD_FAILURE() << text;
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt) << text;
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    }
  }
}

}  // namespace

}  // namespace coppice::compress
