#include "cloud/registry.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/hash.h"

namespace coppice::cloud {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

core::Bytes bytes(std::string_view text) {
  const auto span = core::as_bytes(text);
  return {span.begin(), span.end()};
}

release::KeyPair keys() {
  return release::keys_from_seed(core::Bytes(32, std::byte{7}));
}

release::Release make_release(uint64_t counter, std::string_view artefact) {
  release::Manifest m;
  m.name = "model";
  m.counter = counter;
  m.reason = "test";
  return release::sign(m, bytes(artefact), keys());
}

class RegistryTest : public ::testing::Test {
 protected:
  fs::path object(const std::string& hash) const {
    return folder() / "objects" / hash.substr(0, 2) / hash.substr(2);
  }

  fs::path folder() const { return temporary_.path() / "a registry"; }

  core::TemporaryFolder temporary_;
};

TEST_F(RegistryTest, KeepsObjectsByTheirHash) {
  Registry registry(folder());
  const std::string hash = registry.put_object(bytes("content"));
  EXPECT_EQ(hash, core::sha256("content"));
  EXPECT_EQ(registry.put_object(bytes("content")), hash);
  EXPECT_EQ(registry.get_object(hash), bytes("content"));
  const std::string empty = registry.put_object({});
  EXPECT_THAT(Registry(folder()).get_object(empty), IsEmpty());
}

TEST_F(RegistryTest, AnAlteredByteIsSeenAndMended) {
  Registry registry(folder());
  const std::string hash = registry.put_object(bytes("content"));
  for (size_t i = 0; i < 7; ++i) {
    core::Bytes altered = bytes("content");
    altered[i] ^= std::byte{1};
    core::write_file(object(hash), altered);
    EXPECT_ERROR(registry.get_object(hash), Corrupt, HasSubstr("altered"));
  }
  core::write_file(object(hash), "conten");
  EXPECT_ERROR(registry.get_object(hash), Corrupt, HasSubstr("altered"));
  registry.put_object(bytes("content"));
  EXPECT_EQ(registry.get_object(hash), bytes("content"));
}

TEST_F(RegistryTest, WhatIsNotThereIsNotFound) {
  const Registry registry(folder());
  EXPECT_ERROR(registry.get_object(core::sha256("?")), NotFound, HasSubstr("objects"));
  EXPECT_ERROR(registry.get_object("../registry.db"), NotFound, HasSubstr("not the hash"));
  EXPECT_ERROR(registry.get_object(std::string(64, 'A')), NotFound, HasSubstr("not the hash"));
  EXPECT_ERROR(registry.load_release(1), NotFound, HasSubstr("no release 1"));
  EXPECT_FALSE(registry.find_release(1).has_value());
  EXPECT_THAT(registry.releases(), IsEmpty());
  EXPECT_FALSE(registry.recall("x").has_value());
}

TEST_F(RegistryTest, KeepsReleasesAcrossAReopen) {
  {
    Registry registry(folder());
    EXPECT_EQ(registry.next_counter(), 1U);
    registry.record_release(make_release(1, "first"), "field");
    registry.record_release(make_release(3, "second, larger"), "canary");
    registry.set_release_state(1, "replaced");
    registry.remember("x", 5);
    registry.remember("x", -6);
  }
  Registry registry(folder());
  EXPECT_EQ(registry.next_counter(), 4U);
  EXPECT_EQ(registry.recall("x"), -6);
  const auto releases = registry.releases();
  ASSERT_THAT(releases, SizeIs(2));
  EXPECT_EQ(releases[0].manifest.counter, 1U);
  EXPECT_EQ(releases[0].state, "replaced");
  EXPECT_EQ(releases[1].manifest.counter, 3U);
  EXPECT_EQ(releases[1].state, "canary");
  const auto loaded = registry.load_release(3);
  EXPECT_EQ(loaded.artefact, bytes("second, larger"));
  EXPECT_EQ(release::verify(loaded, keys().public_key, 2, {}).counter, 3U);
}

TEST_F(RegistryTest, CountersOnlyGrow) {
  Registry registry(folder());
  registry.record_release(make_release(5, "a"), "field");
  EXPECT_ERROR(registry.record_release(make_release(5, "b"), "field"), Refused, HasSubstr("5"));
  EXPECT_ERROR(registry.record_release(make_release(4, "b"), "field"), Refused, HasSubstr("4"));
  EXPECT_EQ(registry.load_release(5).artefact, bytes("a"));
  EXPECT_ERROR(registry.set_release_state(4, "field"), NotFound, HasSubstr("no release 4"));
}

TEST_F(RegistryTest, AnAlteredArtefactIsNotLoaded) {
  Registry registry(folder());
  registry.record_release(make_release(1, "artefact"), "field");
  core::write_file(object(core::sha256("artefact")), "Artefact");
  EXPECT_ERROR(registry.load_release(1), Corrupt, HasSubstr("altered"));
}

TEST_F(RegistryTest, KnowsWhatCameFromWhat) {
  Registry registry(folder());
  registry.record_model("student", "first student", {{"accuracy", 0.9}}, core::from_millis(5));
  registry.record_model("student", "first student", {{"accuracy", 0.8}}, core::from_millis(6));
  registry.record_lineage("student", "trained_on", "dataset");
  registry.record_lineage("student", "distilled_from", "teacher");
  registry.record_lineage("student", "distilled_from", "teacher");
  registry.record_lineage("teacher", "trained_on", "dataset");
  const auto ancestors = Registry(folder()).ancestors("student");
  ASSERT_THAT(ancestors, SizeIs(2));
  EXPECT_EQ(ancestors[0].relation, "distilled_from");
  EXPECT_EQ(ancestors[0].parent, "teacher");
  EXPECT_EQ(ancestors[1].relation, "trained_on");
  EXPECT_THAT(registry.ancestors("dataset"), IsEmpty());
}

TEST_F(RegistryTest, ADamagedDatabaseIsCorrupt) {
  fs::create_directories(folder());
  core::write_file(folder() / "registry.db", std::string(5000, 'x'));
  EXPECT_ERROR(Registry{folder()}, Corrupt, HasSubstr("registry.db"));
}

TEST_F(RegistryTest, AFolderThatCanNotBeMadeIsAnError) {
  core::write_file(folder(), "a file");
  EXPECT_ERROR(Registry(folder() / "deeper"), NotFound, HasSubstr("deeper"));
}

}  // namespace
}  // namespace coppice::cloud
