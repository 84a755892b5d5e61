#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/config_options.h"
#include "core/config_text.h"
#include "core/expect_error.h"

namespace coppice::core::config_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

struct Empty {
  void visit(Fields&) {}
};

TEST(ConfigDump, SpellsOutEveryDefault) {
  Experiment experiment;
  experiment.name = "run";
  EXPECT_EQ(dump_options(experiment),
            "name: run\n"
            "epochs: 3\n"
            "seed: 1\n"
            "verbose: false\n"
            "timeout_s: 60.0\n"
            "tags: [\"first run\", \"true\"]\n"
            "widths: [16, 32]\n"
            "rates: [0.5, 1.0]\n"
            "optimiser:\n"
            "  method: sgd\n"
            "  learning_rate: 0.1\n"
            "  momentum: 0.9\n"
            "layers:\n"
            "  - channels: 8\n"
            "    dropout: 0.0\n"
            "  - channels: 16\n"
            "    dropout: 0.5\n");
  EXPECT_EQ(dump_options(Empty{}), "{}\n");
}

TEST(ConfigDump, ReadsBackAsTheSame) {
  Experiment experiment;
  experiment.name = "a: b # c\n\"d\" \t\\ \x01 µ";
  experiment.tags = {"",    " x",  "x ", "- y", "~",    "null", "Yes",      "1e3",
                     "0x1", "-5",  ".5", "a b", "#",    "*",    "&a",       "{a}",
                     "[a]", "a,b", "'",  "%",   "a: b", "!t",   "/a/b.c-d", "../x",
                     "_z",  "@",   "`",  "?",   "|",    ">",    "é"};
  experiment.rates = {0.1, 1.0 / 3, 5e-324, 1e-7};
  experiment.timeout_s = 1e300;
  experiment.optimiser.method = Method::AdamW;
  experiment.layers.clear();
  for (const bool comments : {false, true}) {
    const std::string text = dump_options(experiment, comments);
    const Experiment again = read(text);
    EXPECT_EQ(again.name, experiment.name);
    EXPECT_EQ(again.tags, experiment.tags);
    EXPECT_EQ(again.rates, experiment.rates);
    EXPECT_EQ(again.layers.size(), 0U);
    EXPECT_EQ(dump_options(again, comments), text);
  }
}

TEST(ConfigDump, CommentsCarryHelpUnitRangeAndChoices) {
  EXPECT_THAT(dump_options(Experiment{}, true),
              AllOf(HasSubstr("epochs: 3  # passes over the data (1 to 1000)\n"),
                    HasSubstr("timeout_s: 60.0  # longest run [s] (>= 0)\n"),
                    HasSubstr("  method: sgd  # update rule (sgd | adamw)\n"),
                    HasSubstr("optimiser:  # how weights change\n")));
}

TEST(ConfigDump, NumbersStayNumbersForEveryYamlReader) {
  EXPECT_EQ(yaml_text(1.0), "1.0");
  EXPECT_EQ(yaml_text(1e20), "1.0e+20");
  EXPECT_EQ(yaml_text(1.5e-7), "1.5e-07");
  EXPECT_EQ(yaml_text(-0.0), "-0.0");
  EXPECT_EQ(yaml_text(-HUGE_VAL), "-.inf");
  EXPECT_EQ(yaml_text(std::string("12")), "\"12\"");
  EXPECT_EQ(yaml_text(std::string("No")), "\"No\"");
  EXPECT_EQ(yaml_text(std::string("configs/a.yaml")), "configs/a.yaml");
}

Json schema() {
  Experiment experiment;
  return Json::parse(json_schema([&](Fields& f) { experiment.visit(f); }, "An experiment"));
}

TEST(ConfigSchema, DescribesEveryField) {
  const Json root = schema();
  EXPECT_EQ(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(root["title"], "An experiment");
  EXPECT_EQ(root["type"], "object");
  EXPECT_EQ(root["additionalProperties"], false);
  EXPECT_EQ(root["required"], Json({"name"}));
  const Json& fields = root["properties"];
  EXPECT_EQ(fields["name"], Json({{"type", "string"}, {"description", "what the run is called"}}));
  EXPECT_EQ(fields["epochs"],
            Json({{"type", "integer"},
                  {"minimum", 1},
                  {"maximum", 1000},
                  {"description", "passes over the data"},
                  {"default", 3}}));
  EXPECT_EQ(fields["verbose"]["type"], "boolean");
  EXPECT_EQ(fields["timeout_s"]["description"], "longest run [s]");
  EXPECT_EQ(fields["timeout_s"]["minimum"], 0);
  EXPECT_FALSE(fields["timeout_s"].contains("maximum"));
  EXPECT_EQ(fields["widths"]["items"],
            Json({{"type", "integer"}, {"minimum", 1}, {"maximum", 512}}));
  EXPECT_EQ(fields["widths"]["default"], Json({16, 32}));
  EXPECT_EQ(fields["rates"]["items"]["type"], "number");
  EXPECT_EQ(fields["tags"]["default"], Json({"first run", "true"}));
  EXPECT_TRUE(fields.contains("extends"));
}

TEST(ConfigSchema, NestsGroupsAndLists) {
  const Json fields = schema()["properties"];
  const Json& optimiser = fields["optimiser"];
  EXPECT_EQ(optimiser["type"], "object");
  EXPECT_EQ(optimiser["description"], "how weights change");
  EXPECT_EQ(optimiser["additionalProperties"], false);
  EXPECT_EQ(optimiser["properties"]["method"]["enum"], Json({"sgd", "adamw"}));
  EXPECT_EQ(optimiser["properties"]["method"]["default"], "sgd");
  const Json& layers = fields["layers"];
  EXPECT_EQ(layers["type"], "array");
  EXPECT_EQ(layers["items"]["additionalProperties"], false);
  EXPECT_EQ(layers["items"]["properties"]["channels"]["default"], 16);
  EXPECT_EQ(layers["default"],
            Json::parse(R"([{"channels":8,"dropout":0.0},{"channels":16,"dropout":0.5}])"));
}

TEST(ConfigReference, HasARowForEveryField) {
  Experiment experiment;
  const std::string page = reference_page([&](Fields& f) { experiment.visit(f); }, "An experiment");
  EXPECT_THAT(
      page,
      AllOf(
          HasSubstr("# An experiment\n\n| field | type | default | unit | range | help |\n|---|"),
          HasSubstr("| `name` | string | required |  |  | what the run is called |\n"),
          HasSubstr("| `epochs` | integer | `3` |  | 1 to 1000 | passes over the data |\n"),
          HasSubstr("| `timeout_s` | number | `60.0` | s | >= 0 | longest run |\n"),
          HasSubstr("| `rates` | list of numbers | `[0.5, 1.0]` |  | 0 to 1 | a \\| b |\n"),
          HasSubstr("| `optimiser` | group |  |  |  | how weights change |\n"),
          HasSubstr("| `optimiser.method` | string | `sgd` |  | `sgd`, `adamw` | update rule |\n"),
          HasSubstr("| `layers` | list of groups | `2 entries` |"),
          HasSubstr("| `layers.N.channels` | integer | `16` |")));
}

}  // namespace
}  // namespace coppice::core::config_test
