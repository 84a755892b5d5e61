#include "jobs/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::jobs {
namespace {

using core::Error;
using core::ErrorKind;
using ::testing::HasSubstr;

class SpecTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) {
    core::write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }

  JobSpec example() {
    JobSpec spec;
    spec.kind = "train";
    spec.name = "student";
    spec.seed = 7;
    spec.inputs = {{"train", write("train.h5", "images")},
                   {"teacher", write("teacher.onnx", "net")}};
    spec.options = "epochs: 3\nmodel:\n  widths: [16, 32]\n";
    return spec;
  }

  JobSpec read_back(const JobSpec& spec) { return load_job(write("job.yaml", to_yaml(spec))); }

  std::string refusal(const std::string& yaml) {
    try {
      load_job(write("job.yaml", yaml));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Config);
      return error.what();
    }
    return "nothing was refused";
  }

  core::TemporaryFolder folder_;
};

TEST_F(SpecTest, ComesBackAsItWas) {
  const JobSpec spec = example();
  const JobSpec read = read_back(spec);
  EXPECT_EQ(read.kind, spec.kind);
  EXPECT_EQ(read.name, spec.name);
  EXPECT_EQ(read.seed, spec.seed);
  EXPECT_EQ(read.inputs, spec.inputs);
  const auto options = core::parse_config_text(read.options, "options");
  EXPECT_EQ(options.find("epochs")->scalar, "3");
  EXPECT_EQ(options.find("model")->find("widths")->list.at(1).scalar, "32");
  EXPECT_EQ(to_yaml(read), to_yaml(spec));
}

TEST_F(SpecTest, HostileTextsAreEscaped) {
  JobSpec spec = example();
  spec.name = "a: \"b\"\n#c\\ {d} 'e' \t\x01 ü & *x ---";
  spec.inputs = {{"odd: role", folder_.path() / "a \"b\" #c: [d]\nnext"}};
  spec.seed = 18446744073709551615u;
  const JobSpec read = read_back(spec);
  EXPECT_EQ(read.name, spec.name);
  EXPECT_EQ(read.inputs, spec.inputs);
  EXPECT_EQ(read.seed, spec.seed);
}

TEST_F(SpecTest, OptionsKeepTheirMeaning) {
  JobSpec spec = example();
  spec.options =
      "quoted_number: \"12\"\nplain: 12\nempty: \"\"\nnothing: ~\nflow: {a: [1, {b: c}], d: []}\n"
      "text: |\n  two\n   lines\nlist:\n- - 1\n  - 2\n- a: 1\n  b: {}\ndash: \"-\"\nsentence: a, "
      "b [c] {d} #e\n";
  const JobSpec read = read_back(spec);
  const auto before = core::parse_config_text(spec.options, "before");
  const auto after = core::parse_config_text(read.options, "after");
  EXPECT_TRUE(after.find("quoted_number")->quoted);
  EXPECT_FALSE(after.find("plain")->quoted);
  EXPECT_EQ(after.find("nothing")->kind, core::ConfigNode::Kind::Null);
  EXPECT_EQ(after.find("empty")->scalar, "");
  EXPECT_EQ(after.find("flow")->find("a")->list.at(1).find("b")->scalar, "c");
  EXPECT_EQ(after.find("flow")->find("d")->kind, core::ConfigNode::Kind::List);
  EXPECT_EQ(after.find("text")->scalar, "two\n lines\n");
  EXPECT_EQ(after.find("list")->list.at(0).list.at(1).scalar, "2");
  EXPECT_EQ(after.find("list")->list.at(1).find("b")->kind, core::ConfigNode::Kind::Map);
  EXPECT_EQ(after.find("dash")->scalar, "-");
  EXPECT_EQ(after.find("sentence")->scalar, before.find("sentence")->scalar);
}

TEST_F(SpecTest, WithoutOptionsAndInputs) {
  JobSpec spec;
  spec.kind = "evaluate";
  spec.name = "plain";
  const JobSpec read = read_back(spec);
  EXPECT_TRUE(read.inputs.empty());
  EXPECT_EQ(stage_key(read, "t"), stage_key(spec, "t"));
}

TEST_F(SpecTest, RefusesWithThePlace) {
  EXPECT_THAT(refusal("kind: train\nname: x\nsede: 3\n"), HasSubstr("job.yaml:3"));
  EXPECT_THAT(refusal("kind: train\nname: x\nsede: 3\n"), HasSubstr("did you mean 'seed'"));
  EXPECT_THAT(refusal("name: x\n"), HasSubstr("'kind' is missing"));
  EXPECT_THAT(refusal("kind: train\nname: [x]\n"), HasSubstr("'name'"));
  EXPECT_THAT(refusal("kind: train\nname: x\nseed: -1\n"), HasSubstr("job.yaml:3:7"));
  EXPECT_THAT(refusal("kind: train\nname: x\nseed: 1.5\n"), HasSubstr("'seed'"));
  EXPECT_THAT(refusal("kind: train\nname: x\ninputs: [a]\n"), HasSubstr("'inputs'"));
  EXPECT_THAT(refusal("kind: train\nname: x\ninputs: {a: [b]}\n"), HasSubstr("input 'a'"));
  EXPECT_THAT(refusal("kind: train\nname: x\noptions: 3\n"), HasSubstr("'options'"));
  EXPECT_THAT(refusal("- a\n"), HasSubstr("must be a map"));
}

TEST_F(SpecTest, OptionsThatAreNoMapAreRefused) {
  JobSpec spec = example();
  spec.options = "[1, 2]";
  EXPECT_THROW(to_yaml(spec), Error);
  spec.options = "a: [1";
  EXPECT_THROW(to_yaml(spec), Error);
}

TEST_F(SpecTest, EqualJobsHaveEqualKeys) {
  JobSpec spec = example();
  const std::string key = stage_key(spec, "t");
  EXPECT_EQ(key.size(), 64u);
  EXPECT_EQ(stage_key(spec, "t"), key);
  spec.name = "another name";
  EXPECT_EQ(stage_key(spec, "t"), key) << "a name is for people";
  spec.inputs["train"] = write("a copy.h5", "images");
  EXPECT_EQ(stage_key(spec, "t"), key) << "the content counts, not the place";
  spec.options = "# comment\nepochs:   3\nmodel: {widths: [16, 32]}\n";
  EXPECT_EQ(stage_key(spec, "t"), key) << "layout does not count";
}

TEST_F(SpecTest, EveryInputOfAJobChangesItsKey) {
  const JobSpec spec = example();
  const std::string key = stage_key(spec, "t");
  JobSpec other = spec;
  other.kind = "prune";
  EXPECT_NE(stage_key(other, "t"), key);
  other = spec;
  other.seed = 8;
  EXPECT_NE(stage_key(other, "t"), key);
  other = spec;
  other.options = "epochs: 4\nmodel:\n  widths: [16, 32]\n";
  EXPECT_NE(stage_key(other, "t"), key);
  other = spec;
  std::swap(other.inputs["train"], other.inputs["teacher"]);
  EXPECT_NE(stage_key(other, "t"), key);
  other = spec;
  other.inputs.erase("teacher");
  EXPECT_NE(stage_key(other, "t"), key);
  EXPECT_NE(stage_key(spec, "u"), key);
  write("train.h5", "imaget");
  EXPECT_NE(stage_key(spec, "t"), key);
}

TEST_F(SpecTest, AMissingInputIsNotFound) {
  JobSpec spec = example();
  spec.inputs["train"] = folder_.path() / "absent.h5";
  try {
    stage_key(spec, "t");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("absent.h5"));
  }
}

}  // namespace
}  // namespace coppice::jobs
