#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "core/files.h"
#include "data/reader.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Csv : public ::testing::Test {
 protected:
  Csv() {
    options_.format = "csv";
    options_.files = {"t.csv"};
    options_.csv.label = "y";
  }

  ImportedSamples read(std::string_view text) const {
    test::put_file(folder_.path() / "t.csv", core::as_bytes(text));
    return read_source(options_, folder_.path());
  }

  static std::vector<float> floats(const ImportedSamples& samples) {
    return test::floats_of(read_all(*samples.dataset).samples);
  }

  core::TemporaryFolder folder_;
  SourceOptions options_;
};

TEST_F(Csv, ReadsNumbersAndLabels) {
  const ImportedSamples read_back = read("a,y,b\n1,cat,-2.5e1\n+3, dog ,4\n");
  EXPECT_THAT(floats(read_back), ElementsAre(1, -25, 3, 4));
  EXPECT_THAT(read_back.dataset->schema().class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(read_all(*read_back.dataset).labels, ElementsAre(0, 1));
  EXPECT_THAT(read_back.origins, ElementsAre("t.csv:2", "t.csv:3"));
  EXPECT_EQ(read_back.notes.at("features"), R"(["a","b"])");
}

TEST_F(Csv, FollowsRfc4180) {
  options_.csv.columns = {"note"};
  const ImportedSamples read_back = read(
      "\xef\xbb\xbf\"a\",y,note\r\n1,x,\"two\r\nlines\"\r\n\r\n2,x,\"a \"\"b\"\", c\"\r\n3,x,");
  EXPECT_THAT(read_back.columns.at("note"), ElementsAre("two\r\nlines", "a \"b\", c", ""));
  EXPECT_THAT(read_back.origins, ElementsAre("t.csv:2", "t.csv:5", "t.csv:6"))
      << "the line at which the record begins";
}

TEST_F(Csv, ReadsWithoutHeaderAndWithOtherDelimiters) {
  options_.csv.header = false;
  options_.csv.delimiter = "tab";
  options_.csv.label = "1";
  const ImportedSamples read_back = read("1\t10\n2\t9\n");
  EXPECT_THAT(floats(read_back), ElementsAre(1, 2));
  EXPECT_THAT(read_back.dataset->schema().class_names, ElementsAre("9", "10")) << "as numbers";
  options_.csv.delimiter = ",,";
  EXPECT_ERROR(read("1\t2\n"), InvalidArgument, HasSubstr("csv.delimiter"));
}

TEST_F(Csv, EncodesCategoriesAndKeepsTheirTable) {
  options_.csv.categorical = {"c"};
  const std::string text = "c,y,x\nred,0,1\nblue,1,2\nred,0,3\n";
  EXPECT_THAT(floats(read(text)), ElementsAre(0, 1, 1, 1, 0, 2, 0, 1, 3));
  EXPECT_EQ(read(text).notes.at("features"), R"(["c=blue","c=red","x"])");
  EXPECT_EQ(read(text).notes.at("categories"), R"({"c":["blue","red"]})");
  options_.csv.encoding = CategoryEncoding::Codes;
  EXPECT_THAT(floats(read(text)), ElementsAre(1, 1, 0, 2, 1, 3));
}

TEST_F(Csv, RefusesFillsOrDropsMissingValues) {
  options_.csv.categorical = {"c"};
  options_.csv.encoding = CategoryEncoding::Codes;
  const std::string text = "a,c,y\n1,u,0\nNA,v,1\n3,,1\n8,v,0\n";
  EXPECT_ERROR(read(text),
               Corrupt,
               AllOf(HasSubstr("t.csv: line 3: column 'a': a missing value"), HasSubstr("drop")));
  options_.csv.missing = MissingPolicy::Mean;
  EXPECT_THAT(floats(read(text)), ElementsAre(1, 0, 4, 1, 3, 1, 8, 1));
  options_.csv.missing = MissingPolicy::Drop;
  EXPECT_THAT(floats(read(text)), ElementsAre(1, 0, 8, 1));
  EXPECT_THAT(read(text).origins, ElementsAre("t.csv:2", "t.csv:5"));
  EXPECT_ERROR(read("a,c,y\nNA,u,0\n"), Corrupt, HasSubstr("every row misses a value"));
  options_.csv.missing = MissingPolicy::Mean;
  EXPECT_ERROR(read("a,c,y\nNA,u,0\n"), Corrupt, HasSubstr("column 'a' has no value at all"));
  EXPECT_ERROR(read("a,c,y\n1,u,\n"), Corrupt, HasSubstr("its label or target is missing"));
}

TEST_F(Csv, ReadsRegressionTargetsAndBareFeatures) {
  options_.task = "regression";
  options_.csv.label = "";
  options_.csv.targets = {"y", "z"};
  const ImportedSamples read_back = read("y,a,z\n1,2,3\n4,5,6\n");
  EXPECT_THAT(read_all(*read_back.dataset).targets, ElementsAre(1, 3, 4, 6));
  EXPECT_THAT(read_back.dataset->schema().target_names, ElementsAre("y", "z"));
  options_.task = "reconstruction";
  EXPECT_ERROR(
      read("y,a,z\n1,2,3\n"), InvalidArgument, HasSubstr("neither for task: reconstruction"));
  options_.csv.targets = {};
  EXPECT_THAT(read_all(*read("y,a,z\n1,2,3\n").dataset).labels, ElementsAre(-1));
}

TEST_F(Csv, ShapesSensorWindows) {
  options_.sample_shape = {2, 3};
  const ImportedSamples read_back = read("a,b,c,d,e,f,y\n1,2,3,4,5,6,0\n");
  EXPECT_THAT(read_back.dataset->schema().sample_shape, ElementsAre(2, 3));
  options_.sample_shape = {4};
  EXPECT_ERROR(
      read("a,y\n1,0\n"), InvalidArgument, HasSubstr("1 features do not make samples of [4]"));
}

TEST_F(Csv, JoinsFilesOfTheSameColumns) {
  options_.files = {"t.csv", "u.csv"};
  test::put_file(folder_.path() / "u.csv", core::as_bytes("a,y\n2,n\n"));
  const ImportedSamples read_back = read("a,y\n1,m\n");
  EXPECT_THAT(floats(read_back), ElementsAre(1, 2));
  EXPECT_THAT(read_back.origins, ElementsAre("t.csv:2", "u.csv:2"));
  EXPECT_ERROR(read("b,y\n1,m\n"), Corrupt, AllOf(HasSubstr("u.csv"), HasSubstr("column 1")));
}

struct BadTable {
  const char* text;
  const char* message;
};

class BadCsv : public Csv, public ::testing::WithParamInterface<BadTable> {};

TEST_P(BadCsv, IsRefusedWithItsPlace) {
  EXPECT_ERROR(
      read(GetParam().text),
      Corrupt,
      AllOf(HasSubstr((folder_.path() / "t.csv").string()), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    BadCsv,
    ::testing::Values(BadTable{"a,y\n1,0\n2\n", "line 3: 1 columns where there must be 2"},
                      BadTable{"a,y\n1,0,5\n", "line 2: 3 columns where there must be 2"},
                      BadTable{"a,y\n1,\"0\n", "line 2: a quote that is not closed"},
                      BadTable{"a,y\n1,\"0\"x\n", "line 2: text behind a closing quote"},
                      BadTable{"a,y\n1,x\"0\"\n", "line 2: a quote within a field"},
                      BadTable{"a,y\nfive,0\n",
                               "line 2: column 'a': 'five' is not a finite number"},
                      BadTable{"a,y\n1e300,0\n", "'1e300' is not a finite number"},
                      BadTable{"a,y\n", "no rows of data"},
                      BadTable{"", "no rows of data"},
                      BadTable{"y\n1\n", "no column is left as a feature"},
                      BadTable{"a,a,y\n1,2,3\n", "column 'a' occurs twice"}));

TEST_F(Csv, NamesTheNearestColumnAndClass) {
  options_.csv.ignored = {"tine"};
  EXPECT_ERROR(
      read("time,y\n1,0\n"), NotFound, HasSubstr("no column 'tine' (did you mean 'time'?)"));
  options_.csv.ignored = {"y"};
  EXPECT_ERROR(read("time,y\n1,0\n"), InvalidArgument, HasSubstr("has another role already"));
  options_.csv.ignored = {};
  options_.class_names = {"cat", "dog"};
  EXPECT_ERROR(read("time,y\n1,dog\n2,dgo\n"),
               Corrupt,
               AllOf(HasSubstr("t.csv:3"), HasSubstr("class 'dgo'"), HasSubstr("'dog'?")));
}

TEST(SourceOptions, AreReadFromYaml) {
  const auto options = core::read_options<SourceOptions>(core::parse_config_text(
      "{format: csv, files: [a.csv], csv: {label: y, missing: drop, encoding: codes}}", "t.yaml"));
  EXPECT_EQ(options.csv.missing, MissingPolicy::Drop);
  EXPECT_EQ(options.csv.encoding, CategoryEncoding::Codes);
  EXPECT_ERROR(core::read_options<SourceOptions>(
                   core::parse_config_text("{format: cvs, files: [a.csv]}", "t.yaml")),
               Config,
               HasSubstr("csv"));
}

}  // namespace
}  // namespace coppice::data
