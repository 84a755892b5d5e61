#include "data/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "core/hash.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class ManifestTest : public ::testing::Test {
 protected:
  Manifest load(const std::string& text) const {
    test::put_file(folder_.path() / "m.yaml", core::as_bytes(text));
    return load_manifest(folder_.path() / "m.yaml");
  }

  core::TemporaryFolder folder_;
};

TEST_F(ManifestTest, LeadsFromFilesToAVersion) {
  const std::string text = "1;7.5 1:2 3:-1\n\n2;8 2:4.5e1\n";
  test::put_file(folder_.path() / "b.dat", core::as_bytes(text));
  const Manifest manifest =
      load("name: gas\nsource: a shop\nclass_names: [x, y]\nfiles: [{path: b.dat, sha256: " +
           core::sha256(text) +
           "}]\nparts: [{name: all, source: {format: libsvm, files: [b.dat], "
           "first_label: 1}}]\n");
  const ManifestPart& part = manifest.parts.front();
  check_files(manifest, part, folder_.path());
  const ImportedSamples samples = read_source(part.source, folder_.path());
  EXPECT_THAT(test::floats_of(read_all(*samples.dataset).samples), ElementsAre(2, 0, -1, 0, 45, 0));
  EXPECT_THAT(read_all(*samples.dataset).labels, ElementsAre(0, 1));
  EXPECT_THAT(samples.origins, ElementsAre("b.dat:1", "b.dat:3"));
  const Version version = write_part(manifest, part, samples, {}, folder_.path());
  EXPECT_THAT(version.schema.class_names, ElementsAre("x", "y")) << "inherited by the part";
  EXPECT_THAT(version.origin, Contains(Pair("dataset", "gas")));
  EXPECT_THAT(
      read_columns(version.file),
      ElementsAre(Pair("extra", ElementsAre("7.5", "8")), Pair("file", ElementsAre("b", "b"))));
}

TEST_F(ManifestTest, RefusesMissingAndAlteredFiles) {
  const Manifest manifest = load(
      "name: m\nsource: a shop\nfiles: [{path: b.dat, sha256: 00}, {path: other}]\n"
      "parts: [{name: all, source: {format: libsvm, files: [b.dat]}}]\n");
  const auto check = [&] {
    check_files(manifest, manifest.parts[0], folder_.path());
  };
  EXPECT_ERROR(check(), NotFound, AllOf(HasSubstr("b.dat"), HasSubstr("get it from a shop")));
  test::put_file(folder_.path() / "b.dat", core::as_bytes("1 1:1\n"));
  EXPECT_ERROR(check(), Corrupt, HasSubstr("SHA-256"));
}

TEST_F(ManifestTest, RefusesNoPartsAndEqualNames) {
  EXPECT_ERROR(load("name: m\n"), Config, HasSubstr("at least one part"));
  const std::string part = "{name: a, source: {format: csv, files: [x]}}";
  EXPECT_ERROR(load("name: m\nparts: [" + part + ", " + part + "]\n"),
               Config,
               HasSubstr("parts.1.name: 'a' occurs twice"));
}

TEST_F(ManifestTest, LinesThatAreNotLibsvmAreRefusedWithTheirNumber) {
  SourceOptions options;
  options.format = "libsvm";
  options.files = {"b.dat"};
  for (const char* line : {"1 2:1 1:1", "1 0:1", "1 a:1", "1 1:", "1 1", "x 1:1", "1 1:nan"}) {
    test::put_file(folder_.path() / "b.dat", core::as_bytes(std::string("1 1:1\n") + line));
    EXPECT_ERROR(read_source(options, folder_.path()), Corrupt, HasSubstr("b.dat: line 2"));
  }
}

TEST(Manifests, ThatComeWithTheProgramAreValid) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DATASETS)) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    const Manifest manifest = load_manifest(entry.path());
    EXPECT_EQ(manifest.name, entry.path().stem());
    for (const std::string& text :
         {manifest.title, manifest.source, manifest.licence, manifest.citation}) {
      EXPECT_NE(text, "") << manifest.name;
    }
    for (const ManifestFile& file : manifest.files) {
      EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << file.path;
    }
    ++count;
  }
  EXPECT_GE(count, 5U);
}

TEST(Manifests, DebiansFashionMnistIsAsItSays) {
  const Manifest manifest = load_manifest(std::filesystem::path(DATASETS) / "fashion-mnist.yaml");
  for (const ManifestPart& part : manifest.parts) {
    EXPECT_NO_THROW(check_files(manifest, part, manifest.folder));
  }
  const ManifestPart& test_part = manifest.parts.at(1);
  const ImportedSamples samples = read_source(test_part.source, manifest.folder);
  EXPECT_THAT(class_counts(*samples.dataset), ::testing::Each(1000));
}

}  // namespace
}  // namespace coppice::data
