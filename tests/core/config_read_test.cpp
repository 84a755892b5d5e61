#include "core/config_options.h"
#include "core/expect_error.h"

namespace coppice::core::config_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::StrEq;

TEST(ConfigRead, FillsEveryKindOfField) {
  const Experiment read_back = read(
      "name: 007\nepochs: 5\nseed: -3\nverbose: true\ntimeout_s: 1e-3\ntags: [a, 'b c', 5]\n"
      "widths: [1, 2, 3]\nrates: [0, 1.0, .5]\noptimiser: {method: adamw, learning_rate: 3}\n"
      "layers:\n  - channels: 4\n  - {dropout: 0.25}\n  -\n");
  EXPECT_EQ(read_back.name, "007");
  EXPECT_EQ(read_back.epochs, 5);
  EXPECT_EQ(read_back.seed, -3);
  EXPECT_TRUE(read_back.verbose);
  EXPECT_EQ(read_back.timeout_s, 1e-3);
  EXPECT_THAT(read_back.tags, ElementsAre("a", "b c", "5"));
  EXPECT_THAT(read_back.widths, ElementsAre(1, 2, 3));
  EXPECT_THAT(read_back.rates, ElementsAre(0, 1, 0.5));
  EXPECT_EQ(read_back.optimiser.method, Method::AdamW);
  EXPECT_EQ(read_back.optimiser.learning_rate, 3);
  EXPECT_EQ(read_back.optimiser.momentum, 0.9);
  ASSERT_EQ(read_back.layers.size(), 3U);
  EXPECT_EQ(read_back.layers[0].channels, 4);
  EXPECT_EQ(read_back.layers[1].channels, 16);
  EXPECT_EQ(read_back.layers[1].dropout, 0.25);
  EXPECT_EQ(read_back.layers[2].channels, 16);
}

TEST(ConfigRead, WhatIsAbsentKeepsItsDefault) {
  const Experiment read_back = read("name: x\noptimiser:\n");
  EXPECT_EQ(read_back.epochs, 3);
  EXPECT_EQ(read_back.layers.size(), 2U);
  EXPECT_EQ(read_back.optimiser.learning_rate, 0.1);
  EXPECT_THAT(read("name: x\nlayers: []\ntags: []").layers, IsEmpty());
}

TEST(ConfigRead, UnknownKeysNameTheNearest) {
  EXPECT_ERROR(read("name: x\nepoch: 3"),
               Config,
               StrEq("a.yaml:2:1: unknown key 'epoch' (did you mean 'epochs'?)"));
  EXPECT_ERROR(
      read("name: x\noptimiser:\n  lerning_rate: 3"),
      Config,
      StrEq("a.yaml:3:3: unknown key 'optimiser.lerning_rate' (did you mean 'learning_rate'?)"));
  EXPECT_ERROR(
      read("name: x\noptimiser: {colour: 3}"),
      Config,
      StrEq("a.yaml:2:13: unknown key 'optimiser.colour' (valid keys: method, learning_rate, "
            "momentum)"));
  EXPECT_ERROR(
      read("name: x\nlayers: [{}, {chanels: 3}]"),
      Config,
      AllOf(StartsWith("a.yaml:2:15: unknown key 'layers.1.chanels'"), HasSubstr("'channels'")));
}

TEST(ConfigRead, AMisspeltRequiredKeyIsReportedAsMisspelt) {
  EXPECT_ERROR(read("nam: x"), Config, HasSubstr("unknown key 'nam' (did you mean 'name'?)"));
  EXPECT_ERROR(
      read("epochs: 3"), Config, StrEq("a.yaml:1:1: 'name' is missing and has no default"));
  EXPECT_ERROR(read(""), Config, HasSubstr("'name' is missing"));
}

TEST(ConfigRead, IntegersAreExact) {
  for (const std::string bad : {"1.5", "1e3", "abc", "0x10", "3 4", "'3'", "[3]", "{a: 3}", "~"}) {
    EXPECT_ERROR(read("name: x\nepochs: " + bad),
                 Config,
                 AllOf(StartsWith("a.yaml:2:"), HasSubstr("'epochs' must be an integer")));
  }
  EXPECT_ERROR(read("name: x\nseed: 9223372036854775808"), Config, HasSubstr("64 bits"));
  EXPECT_EQ(read("name: x\nseed: 9223372036854775807").seed, INT64_MAX);
  EXPECT_EQ(read("name: x\nseed: -9223372036854775808").seed, INT64_MIN);
}

TEST(ConfigRead, NumbersAreFinite) {
  EXPECT_EQ(read("name: x\ntimeout_s: 7").timeout_s, 7);
  EXPECT_EQ(read("name: x\ntimeout_s: 2.5E+2").timeout_s, 250);
  EXPECT_EQ(read("name: x\ntimeout_s: .inf").timeout_s, HUGE_VAL);
  for (const std::string bad : {"nan", ".nan", "inf", "1e999", "1,5", "'1'", "5s", "true", "[1]"}) {
    EXPECT_ERROR(read("name: x\ntimeout_s: " + bad),
                 Config,
                 AllOf(StartsWith("a.yaml:2:12: "), HasSubstr("'timeout_s' must be a number")));
  }
}

TEST(ConfigRead, BooleansAreTrueOrFalse) {
  EXPECT_FALSE(read("name: x\nverbose: false").verbose);
  for (const std::string bad : {"yes", "1", "True", "'true'", "on", "~"}) {
    EXPECT_ERROR(read("name: x\nverbose: " + bad), Config, HasSubstr("must be true or false"));
  }
}

TEST(ConfigRead, RangesAreInclusive) {
  EXPECT_EQ(read("name: x\nepochs: 1").epochs, 1);
  EXPECT_EQ(read("name: x\nepochs: 1000").epochs, 1000);
  EXPECT_ERROR(read("name: x\nepochs: 0"),
               Config,
               StrEq("a.yaml:2:9: 'epochs' must be from 1 to 1000, but is 0"));
  EXPECT_ERROR(read("name: x\nepochs: 1001"), Config, HasSubstr("from 1 to 1000"));
  EXPECT_ERROR(
      read("name: x\ntimeout_s: -1"), Config, HasSubstr("must be at least 0 s, but is -1"));
  EXPECT_ERROR(read("name: x\nwidths: [4, 0]"),
               Config,
               StrEq("a.yaml:2:13: 'widths.1' must be from 1 to 512, but is 0"));
  EXPECT_ERROR(read("name: x\nlayers: [{dropout: 1}]"), Config, HasSubstr("'layers.0.dropout'"));
}

TEST(ConfigRead, ChoicesAreClosed) {
  EXPECT_ERROR(
      read("name: x\noptimiser: {method: adam}"),
      Config,
      StrEq("a.yaml:2:21: 'optimiser.method' must be one of sgd, adamw, but is 'adam' (did "
            "you mean 'adamw'?)"));
}

TEST(ConfigRead, ShapesAreChecked) {
  EXPECT_ERROR(
      read("name: [x]"), Config, StrEq("a.yaml:1:7: 'name' must be a string, but is a list"));
  EXPECT_ERROR(read("name:"), Config, HasSubstr("'name' must be a string, but is empty"));
  EXPECT_ERROR(read("name: x\ntags: a"), Config, HasSubstr("'tags' must be a list, but is 'a'"));
  EXPECT_ERROR(read("name: x\ntags: [[a]]"), Config, HasSubstr("'tags.0' must be a string"));
  EXPECT_ERROR(
      read("name: x\noptimiser: 3"), Config, HasSubstr("'optimiser' must be a map of keys"));
  EXPECT_ERROR(read("name: x\nlayers: {a: 1}"), Config, HasSubstr("'layers' must be a list"));
  EXPECT_ERROR(read("name: x\nlayers: [3]"), Config, HasSubstr("'layers.0' must be a map of keys"));
  EXPECT_ERROR(read_options<Experiment>(parse_config_text("a: [1]", "f").find("a")->list[0]),
               Config,
               HasSubstr("f:1:5: must be a map of keys"));
}

struct Inner {
  std::string file;

  void visit(Fields& f) { f.field("file", file, {.help = "", .required = true}); }
};

struct Outer {
  Inner inner;

  void visit(Fields& f) { f.group("inner", inner, ""); }
};

TEST(ConfigRead, ARequiredFieldIsMissedInAnAbsentGroupToo) {
  EXPECT_ERROR(read_options<Outer>(parse_config_text("", "a.yaml")),
               Config,
               HasSubstr("'inner.file' is missing"));
}

}  // namespace
}  // namespace coppice::core::config_test
