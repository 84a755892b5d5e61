// coppice-train with altered inputs and without room for its checkpoints.

#include <algorithm>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "graph/onnx.h"
#include "jobs/spec.h"
#include "system/program.h"
#include "system/quarters_version.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A file system in memory with room for so many bytes.
class SmallDisk {
 public:
  explicit SmallDisk(int64_t bytes)
      : mounted_(::mount("tmpfs",
                         folder_.path().c_str(),
                         "tmpfs",
                         0,
                         ("size=" + std::to_string(bytes)).c_str()) == 0) {}

  ~SmallDisk() {
    if (mounted_) {
      ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
  }

  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }

  const fs::path& path() const { return folder_.path(); }

 private:
  core::TemporaryFolder folder_;
  bool mounted_;
};

/// Every test runs the same job; what it gives when nothing goes wrong is made once.
class JobFaults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<core::TemporaryFolder>();
    version_ = write_quarters_version(shared_->path(), 800);
    const Outcome outcome = run_program(command(job(), whole()));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  }

  static void TearDownTestSuite() { shared_.reset(); }

  static jobs::JobSpec job() {
    jobs::JobSpec spec;
    spec.kind = "train";
    spec.name = "student";
    spec.inputs["train"] = version_;
    spec.options =
        "model: {name: mlp, widths: [512]}\n"
        "train: {epochs: 12, batch_size: 16, threads: 1}\n";
    return spec;
  }

  static std::vector<std::string> command(const jobs::JobSpec& spec, const fs::path& out) {
    const fs::path file = shared_->path() / "job.yaml";
    core::write_file(file, jobs::to_yaml(spec));
    return {COPPICE_TRAIN, "--job", file.string(), "--out", out.string()};
  }

  static fs::path whole() { return shared_->path() / "whole"; }

  static int64_t whole_bytes(const std::string& name) {
    return static_cast<int64_t>(fs::file_size(whole() / name));
  }

  fs::path out() const { return folder_.path() / "out"; }

  /// Runs the job again where there is room: it goes on from the checkpoint and ends as if nothing
  /// had happened.
  static void expect_goes_on(const fs::path& folder) {
    const Outcome outcome = run_program(command(job(), folder));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_THAT(outcome.out, Not(HasSubstr("epoch 1/12"))) << "not begun anew";
    EXPECT_THAT(outcome.out, HasSubstr("epoch 12/12"));
    EXPECT_TRUE(core::read_file(folder / "model.onnx") == core::read_file(whole() / "model.onnx"));
  }

  core::TemporaryFolder folder_;

 private:
  static inline std::unique_ptr<core::TemporaryFolder> shared_;
  static inline fs::path version_;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(JobFaults, AlteredAndTruncatedVersionsAreRefused) {
  jobs::JobSpec spec = job();
  const core::Bytes version = core::read_file(spec.inputs["train"]);
  const fs::path bad = folder_.path() / "bad.h5";
  spec.inputs["train"] = bad;
  core::Bytes header = version;
  header[100] ^= std::byte{4};
  core::Bytes pixel = version;
  pixel[pixel.size() / 2] ^= std::byte{4};
  const core::Bytes truncated(version.begin(), version.end() - 1);
  for (const core::Bytes& bytes : {header, pixel, truncated, core::Bytes()}) {
    core::write_file(bad, bytes);
    expect_error_line(run_program(command(spec, out())), 5, HasSubstr("bad.h5"));
    EXPECT_FALSE(fs::exists(out() / "model.onnx"));
  }
}

TEST_F(JobFaults, AlteredModelsAreRefused) {
  jobs::JobSpec spec = job();
  spec.inputs["model"] = folder_.path() / "bad.onnx";
  core::write_file(spec.inputs["model"], "not a model");
  expect_error_line(run_program(command(spec, out())), 5, HasSubstr("bad.onnx"));
}

TEST_F(JobFaults, AnAlteredCheckpointIsRefusedAndLeftAsItIs) {
  const core::Bytes checkpoint = core::read_file(whole() / "checkpoint.h5");
  int refused = 0;
  for (const size_t part : {0, 1, 3, 5, 7}) {
    core::Bytes altered = checkpoint;
    altered[altered.size() * part / 8] ^= std::byte{4};
    const fs::path folder = folder_.path() / std::to_string(part);
    fs::create_directory(folder);
    core::write_file(folder / "checkpoint.h5", altered);
    const Outcome outcome = run_program(command(job(), folder));
    if (outcome.exit_code == 0) {  // a byte that HDF5 leaves unused
      EXPECT_TRUE(core::read_file(folder / "model.onnx") ==
                  core::read_file(whole() / "model.onnx"));
      continue;
    }
    ++refused;
    expect_error_line(outcome, 5, HasSubstr("checkpoint.h5"));
    EXPECT_TRUE(core::read_file(folder / "checkpoint.h5") == altered);
    EXPECT_FALSE(fs::exists(folder / "model.onnx"));
  }
  EXPECT_GE(refused, 3);
}

TEST_F(JobFaults, AFullDiskKeepsTheCheckpointBeforeAndNothingElse) {
  // Room for one checkpoint, and not for the next beside it.
  const SmallDisk disk(whole_bytes("checkpoint.h5") * 3 / 2);
  if (!disk.mounted()) {
    GTEST_SKIP() << "mounting a small disk needs the right to mount";
  }
  const fs::path full = disk.path() / "out";
  expect_error_line(
      run_program(command(job(), full)),
      4,
      AnyOf(HasSubstr("checkpoint.h5"), HasSubstr("metrics.jsonl"), HasSubstr("events.out")));
  EXPECT_THAT(names_in(full),
              ElementsAre("checkpoint.h5", StartsWith("events.out.tfevents."), "metrics.jsonl"));
  const core::Bytes checkpoint = core::read_file(full / "checkpoint.h5");
  expect_error_line(run_program(command(job(), full)),
                    4,
                    AnyOf(HasSubstr("checkpoint.h5"), HasSubstr("events.out")));
  EXPECT_TRUE(core::read_file(full / "checkpoint.h5") == checkpoint) << "by a second try either";
  fs::copy(full, out());
  expect_goes_on(out());
}

TEST_F(JobFaults, ACheckpointThatCannotBeWrittenKeepsTheOneBefore) {
  Program killed(command(job(), out()));
  ASSERT_TRUE(wait_until([&] { return killed.ended() || fs::exists(out() / "checkpoint.h5"); }));
  killed.signal(SIGKILL);
  killed.wait();
  ASSERT_FALSE(fs::exists(out() / "model.onnx")) << "it was not killed in time";
  const core::Bytes checkpoint = core::read_file(out() / "checkpoint.h5");
  const int64_t limit = whole_bytes("checkpoint.h5") / 2;
  expect_error_line(run_program(command(job(), out()), {.largest_file_bytes = limit}),
                    4,
                    HasSubstr("checkpoint.h5"));
  EXPECT_TRUE(core::read_file(out() / "checkpoint.h5") == checkpoint);
  expect_goes_on(out());
}

TEST_F(JobFaults, AModelThatCannotBeWrittenLeavesTheOneBefore) {
  fs::copy(whole(), out());
  const core::Bytes before = core::read_file(out() / "model.onnx");
  const int64_t limit = whole_bytes("model.onnx") / 2;
  expect_error_line(run_program(command(job(), out()), {.largest_file_bytes = limit}),
                    4,
                    HasSubstr("model.onnx"));
  EXPECT_TRUE(core::read_file(out() / "model.onnx") == before);
  EXPECT_NO_THROW(graph::load_onnx(out() / "model.onnx"));
}

}  // namespace
}  // namespace coppice::testing
