// coppice-train as others see it: arguments, exit codes, messages, and kills.

#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/process.h"
#include "data/store.h"
#include "jobs/executor.h"
#include "jobs/machine.h"
#include "jobs/spec.h"
#include "report/metrics_log.h"
#include "samples.h"

namespace coppice::train {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string error;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    spec_.kind = "train";
    spec_.name = "program";
    spec_.inputs["train"] =
        data::write_version(folder_.path(), *testing::quarters(2000, 1), {}, {}).file;
    spec_.options =
        "model: {name: mlp, widths: [32], dropout: 0.1}\n"
        "train: {epochs: 5, batch_size: 16, threads: 1}\n";
  }

  Outcome run(std::vector<std::string> arguments) {
    Outcome outcome;
    core::ProcessOptions options;
    options.command = {COPPICE_TRAIN};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    options.environment = jobs::job_environment();
    options.stderr_file = folder_.path() / "stderr.txt";
    options.on_line = [&](std::string_view line) {
      outcome.out += std::string(line) + "\n";
    };
    outcome.exit_code = core::run_process(options).exit_code;
    outcome.error = core::read_text(options.stderr_file);
    return outcome;
  }

  std::vector<std::string> job_arguments(const std::string& out) {
    const fs::path job = folder_.path() / "job.yaml";
    core::write_file(job, jobs::to_yaml(spec_));
    return {"--job", job.string(), "--out", (folder_.path() / out).string()};
  }

  core::TemporaryFolder folder_;
  jobs::JobSpec spec_;
};

TEST_F(ProgramTest, RunsAJobAndTellsItsProgress) {
  const Outcome outcome = run(job_arguments("out"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(outcome.error, "");
  const size_t last = outcome.out.rfind('\n', outcome.out.size() - 2) + 1;
  jobs::JobProgress progress;
  ASSERT_TRUE(jobs::parse_line(outcome.out.substr(last, outcome.out.size() - last - 1), progress));
  EXPECT_EQ(progress.done, progress.total);
  EXPECT_GT(report::read_figures(folder_.path() / "out" / "summary.json").at("accuracy"), 0.9);
}

TEST_F(ProgramTest, ListsItsComponentsAndExplainsItself) {
  const Outcome list = run({"--list"});
  EXPECT_EQ(list.exit_code, 0);
  for (const char* name : {"train", "prune", "quantise", "evaluate", "l2_sp", "adamw"}) {
    EXPECT_THAT(list.out, HasSubstr(name));
  }
  EXPECT_THAT(run({"--help"}).out, HasSubstr("--job"));
}

TEST_F(ProgramTest, ErrorsAreOneLineWithAnExitCodeByKind) {
  const auto expect = [](const Outcome& outcome, int exit_code, const std::string& part) {
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.error;
    EXPECT_TRUE(outcome.error.starts_with("error: ")) << outcome.error;
    EXPECT_EQ(std::ranges::count(outcome.error, '\n'), 1) << outcome.error;
    EXPECT_THAT(outcome.error, HasSubstr(part));
  };
  expect(run({"--jbo", "x"}), 2, "--job");
  expect(run({"--job", "/nowhere/job.yaml", "--out", folder_.path().string()}),
         3,
         "/nowhere/job.yaml");
  spec_.options = "train: {epochs: 0}";
  expect(run(job_arguments("config")), 2, "epochs");
  spec_.options = "";
  core::Bytes bytes = core::read_file(spec_.inputs["train"]);
  bytes[bytes.size() / 2] ^= std::byte{1};
  spec_.inputs["train"] = folder_.path() / "altered.h5";
  core::write_file(spec_.inputs["train"], bytes);
  expect(run(job_arguments("corrupt")), 5, "altered.h5");
}

pid_t start(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{COPPICE_TRAIN};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(COPPICE_TRAIN, argv.data());
    ::_exit(127);
  }
  return child;
}

/// Starts the job, sends a signal after its first epoch, and returns how it ended.
int end_after_an_epoch(const std::vector<std::string>& arguments, const fs::path& out, int signal) {
  const pid_t child = start(arguments);
  int status = 0;
  while (!fs::exists(out / "checkpoint.h5") && ::waitpid(child, &status, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(child, signal);
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(ProgramTest, AKilledJobRunAgainEndsAsAnUninterruptedOne) {
  spec_.options =
      "model: {name: mlp, widths: [32], dropout: 0.1}\n"
      "train: {epochs: 40, batch_size: 16, threads: 1, optimizer: {name: adamw, learning_rate: "
      "0.01}}\n";
  ASSERT_EQ(run(job_arguments("whole")).exit_code, 0);
  const auto arguments = job_arguments("killed");
  const fs::path out = folder_.path() / "killed";
  const int killed = end_after_an_epoch(arguments, out, SIGKILL);
  ASSERT_TRUE(WIFSIGNALED(killed));
  ASSERT_FALSE(fs::exists(out / "model.onnx"));
  EXPECT_EQ(run(arguments).exit_code, 0);
  EXPECT_EQ(core::read_file(out / "model.onnx"),
            core::read_file(folder_.path() / "whole" / "model.onnx"));
  const auto rows = report::read_metrics(out / "metrics.jsonl");
  ASSERT_EQ(rows.size(), 40);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].step, static_cast<int64_t>(i) + 1);
  }
}

TEST_F(ProgramTest, CtrlCEndsItCleanlyBetweenSteps) {
  spec_.options =
      "model: {name: mlp, widths: [32]}\ntrain: {epochs: 1000, batch_size: 16, threads: 1}\n";
  const auto arguments = job_arguments("interrupted");
  const int status = end_after_an_epoch(arguments, folder_.path() / "interrupted", SIGINT);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
}

}  // namespace

}  // namespace coppice::train
