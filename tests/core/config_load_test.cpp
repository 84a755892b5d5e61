#include <fstream>

#include "core/config.h"
#include "core/expect_error.h"
#include "core/files.h"
#include "core/rng.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Kind = ConfigNode::Kind;

class ConfigFiles : public ::testing::Test {
 protected:
  std::filesystem::path add(const std::string& name, std::string_view text) {
    const auto file = folder_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, text);
    return file;
  }

  TemporaryFolder folder_;
};

TEST(ConfigText, NodesKnowTheirPlaces) {
  const ConfigNode root = parse_config_text("a: 1\nb:\n  c: [x, 'y']\n  d:\n", "f.yaml");
  ASSERT_EQ(root.kind, Kind::Map);
  EXPECT_EQ(root.find("a")->place(), "f.yaml:1:4");
  const ConfigNode* b = root.find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->find("c")->list.at(1).place(), "f.yaml:3:10");
  EXPECT_FALSE(b->find("c")->list.at(0).quoted);
  EXPECT_TRUE(b->find("c")->list.at(1).quoted);
  EXPECT_EQ(b->find("d")->kind, Kind::Null);
  EXPECT_EQ(b->find("d")->place(), "f.yaml:4:3");
  EXPECT_EQ(b->find("none"), nullptr);
  EXPECT_EQ(root.find("a")->find("b"), nullptr);
}

TEST(ConfigText, AnEmptyDocumentIsAnEmptyMap) {
  for (const std::string_view text : {"", "\n", "# only a comment\n", "---\n", "~"}) {
    const ConfigNode root = parse_config_text(text, "f.yaml");
    EXPECT_EQ(root.kind, Kind::Map) << text;
    EXPECT_TRUE(root.map.empty());
  }
}

TEST(ConfigText, AnchorsAreCopied) {
  const ConfigNode root = parse_config_text("a: &x {b: 1}\nc: *x\n", "f.yaml");
  EXPECT_EQ(root.find("c")->find("b")->scalar, "1");
}

TEST(ConfigText, RefusesWhatIsNotAConfiguration) {
  EXPECT_ERROR(parse_config_text("a: [1, 2\nb: 3", "f.yaml"),
               Config,
               MatchesRegex("f.yaml:[0-9]+:[0-9]+: not YAML: .+"));
  EXPECT_ERROR(parse_config_text("a: 1\nb: 2\na: 3\n", "f.yaml"),
               Config,
               AllOf(HasSubstr("f.yaml:3:1: key 'a' is given twice"), HasSubstr("f.yaml:1:4")));
  EXPECT_ERROR(parse_config_text("a: {b: 1, b: 1}", "f.yaml"), Config, HasSubstr("f.yaml:1:11"));
  EXPECT_ERROR(parse_config_text("[a]: 1", "f.yaml"), Config, HasSubstr("must be a word"));
  EXPECT_ERROR(parse_config_text("- a\n", "f.yaml"), Config, HasSubstr("map of keys"));
  EXPECT_ERROR(parse_config_text("just words", "f.yaml"), Config, HasSubstr("f.yaml:1:1"));
  EXPECT_ERROR(
      parse_config_text("a: 1\n---\na: 2\n", "f.yaml"), Config, HasSubstr("f.yaml:2:1: something"));
  // yaml-cpp alone reads this one without end.
  EXPECT_ERROR(parse_config_text(", a: 1", "f.yaml"), Config, HasSubstr("f.yaml:1:1"));
  EXPECT_ERROR(parse_config_text("a: !python/object x", "f.yaml"), Config, HasSubstr("tag"));
  EXPECT_ERROR(parse_config_text("a: *missing", "f.yaml"), Config, HasSubstr("f.yaml:1:"));
}

TEST(ConfigText, RefusesAliasesWithoutEnd) {
  EXPECT_ERROR(parse_config_text("a: &x\n  b: *x\n", "f.yaml"), Config, HasSubstr("f.yaml"));
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      bomb += "*a" + std::to_string(i - 1) + ",";
    }
    bomb += "]\n";
  }
  EXPECT_ERROR(parse_config_text(bomb, "f.yaml"), Config, HasSubstr("more than 100000 values"));
  EXPECT_ERROR(parse_config_text("a: " + std::string(5000, '['), "f.yaml"), Config, HasSubstr(""));
}

TEST(ConfigText, ArbitraryTextIsReadOrRefused) {
  const std::string text =
      "a: &x {b: 1}\nlist:\n  - 'q'\n  - *x\nextends: none.yaml\nt: |\n  two\n";
  Rng rng(11);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string mutated = text;
    for (int64_t i = rng.below(4); i >= 0; --i) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(mutated.size())));
      mutated[at] = "\t\n :-[]{}'\"&*!|>%@`#,?~a\xff"[rng.below(26)];
    }
    try {
      parse_config_text(mutated, "f.yaml");
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.what(), HasSubstr("f.yaml"));
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(ConfigFiles, MissingFilesAreNamedWithTheNearest) {
  add("train.yaml", "a: 1");
  EXPECT_ERROR(load_config(folder_.path() / "trian.yaml"),
               NotFound,
               AllOf(HasSubstr("trian.yaml"), HasSubstr("did you mean 'train.yaml'")));
  EXPECT_ERROR(load_config("/nowhere/at/all.yaml"), NotFound, HasSubstr("/nowhere/at/all.yaml"));
  EXPECT_ERROR(load_config(folder_.path()), Io, HasSubstr("directory"));
}

TEST_F(ConfigFiles, LaterFilesOverrideKeyByKey) {
  add("shared/base.yaml", "a: 1\nm: {x: 1, y: 1, deep: {p: 1, q: 1}}\nlist: [1, 2, 3]\n");
  add("shared/more.yaml", "extends: base.yaml\nm: {y: 2}\nonly: here\n");
  const auto file = add("main.yaml", "extends: [shared/more.yaml]\nm: {deep: {q: 3}}\nlist: [9]\n");
  const ConfigNode root = load_config(file);
  EXPECT_EQ(root.find("extends"), nullptr);
  EXPECT_EQ(root.find("a")->scalar, "1");
  EXPECT_EQ(root.find("only")->scalar, "here");
  const ConfigNode* m = root.find("m");
  EXPECT_EQ(m->find("x")->scalar, "1");
  EXPECT_EQ(m->find("y")->scalar, "2");
  EXPECT_EQ(m->find("deep")->find("p")->scalar, "1");
  EXPECT_EQ(m->find("deep")->find("q")->scalar, "3");
  EXPECT_EQ(root.find("list")->list.size(), 1U);
  EXPECT_THAT(m->find("y")->file, EndsWith("shared/more.yaml"));
  EXPECT_EQ(m->find("y")->line, 2);
}

TEST_F(ConfigFiles, TheLastOfSeveralBasesWins) {
  add("one.yaml", "a: 1\nb: 1\n");
  add("two.yaml", "a: 2\n");
  const ConfigNode root = load_config(add("main.yaml", "extends: [one.yaml, two.yaml]\n"));
  EXPECT_EQ(root.find("a")->scalar, "2");
  EXPECT_EQ(root.find("b")->scalar, "1");
}

TEST_F(ConfigFiles, TheSameBaseTwiceIsNoCycle) {
  add("base.yaml", "a: 1\n");
  add("left.yaml", "extends: base.yaml\n");
  add("right.yaml", "extends: base.yaml\n");
  EXPECT_NO_THROW(load_config(add("main.yaml", "extends: [left.yaml, right.yaml]\n")));
}

TEST_F(ConfigFiles, CyclesAreRefusedWithTheirChain) {
  add("b.yaml", "x: 1\nextends: c.yaml\n");
  add("c.yaml", "extends: ./b.yaml\n");
  EXPECT_ERROR(load_config(add("a.yaml", "extends: b.yaml\n")),
               Config,
               AllOf(HasSubstr("c.yaml:1:10: 'extends' goes in a circle: "),
                     MatchesRegex(".*: [^ ]*/b.yaml -> [^ ]*/c.yaml -> [^ ]*/b.yaml")));
  EXPECT_ERROR(load_config(add("self.yaml", "extends: self.yaml\n")),
               Config,
               MatchesRegex(".*/self.yaml:1:10: .*/self.yaml -> [^ ]*/self.yaml"));
}

TEST_F(ConfigFiles, AMissingBaseIsNamedWithThePlaceOfItsEntry) {
  add("base.yaml", "a: 1\n");
  EXPECT_ERROR(load_config(add("main.yaml", "a: 1\nextends: [base.yaml, bsae.yaml]\n")),
               NotFound,
               AllOf(HasSubstr("main.yaml:2:22: "),
                     HasSubstr("'bsae.yaml'"),
                     HasSubstr("did you mean 'base.yaml'")));
  EXPECT_ERROR(load_config(add("odd.yaml", "extends: {a: 1}\n")), Config, HasSubstr("odd.yaml:1:"));
  EXPECT_ERROR(load_config(add("odd.yaml", "extends:\n")), Config, HasSubstr("odd.yaml:1:1"));
}

TEST_F(ConfigFiles, AnErrorInABaseNamesTheBase) {
  add("base.yaml", "a: [\n");
  EXPECT_ERROR(load_config(add("main.yaml", "extends: base.yaml\n")),
               Config,
               AllOf(HasSubstr("base.yaml:"), Not(HasSubstr("main.yaml"))));
}

class Overrides : public ConfigFiles {
 protected:
  ConfigNode load(const std::vector<std::string>& overrides) {
    return load_config(
        add("main.yaml", "a: 1\nm: {x: 1, y: {z: 2}}\nlist:\n  - {p: 1, q: 1}\n  - {p: 2}\n"),
        overrides);
  }
};

TEST_F(Overrides, ReachMapsAndLists) {
  const ConfigNode root = load({"a=5", "m.y.z=6", "list.1.p=7", "new.deep.key=8", "a=9"});
  EXPECT_EQ(root.find("a")->scalar, "9");
  EXPECT_EQ(root.find("a")->place(), "--set a=9");
  EXPECT_EQ(root.find("m")->find("x")->scalar, "1");
  EXPECT_EQ(root.find("m")->find("y")->find("z")->scalar, "6");
  EXPECT_EQ(root.find("list")->list.at(0).find("p")->scalar, "1");
  EXPECT_EQ(root.find("list")->list.at(1).find("p")->scalar, "7");
  EXPECT_EQ(root.find("new")->find("deep")->find("key")->scalar, "8");
}

TEST_F(Overrides, ValuesAreYaml) {
  const ConfigNode root =
      load({"list=[1, 2]", "m={y: {w: 3}}", "a='1=2.5'", "empty=", "list.2=three", "fresh.0.p=1"});
  EXPECT_EQ(root.find("list")->list.size(), 3U);
  EXPECT_EQ(root.find("list")->list.at(2).scalar, "three");
  EXPECT_EQ(root.find("m")->find("y")->find("w")->scalar, "3");
  EXPECT_EQ(root.find("m")->find("y")->find("z")->scalar, "2");  // maps are merged as files are
  EXPECT_EQ(root.find("a")->scalar, "1=2.5");
  EXPECT_EQ(root.find("empty")->kind, Kind::Scalar);
  EXPECT_EQ(root.find("empty")->scalar, "");
  EXPECT_EQ(root.find("fresh")->list.at(0).find("p")->scalar, "1");
}

TEST_F(Overrides, MalformedOnesAreRefused) {
  for (const std::string bad : {"a", "=1", "", ".a=1", "a..b=1", "m.=1"}) {
    EXPECT_ERROR(load({bad}), Config, HasSubstr("--set " + bad));
  }
  EXPECT_ERROR(load({"a.b=1"}), Config, AllOf(HasSubstr("--set a.b=1"), HasSubstr(":1:4")));
  EXPECT_ERROR(load({"list.7.p=1"}), Config, HasSubstr("list of 2"));
  EXPECT_ERROR(load({"list.x=1"}), Config, HasSubstr("'x' is no index"));
  EXPECT_ERROR(load({"a=[1"}), Config, HasSubstr("--set a=[1"));
}

}  // namespace
}  // namespace coppice::core
