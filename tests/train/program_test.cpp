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
#include "core/rng.h"
#include "data/store.h"
#include "jobs/executor.h"
#include "jobs/machine.h"
#include "jobs/spec.h"
#include "report/metrics_log.h"
#include "samples.h"
#include "train/checkpoint.h"
#include "train/compute.h"

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
  if (this_machine().gpus == 0) {
    spec_.options = "train: {device: cuda}";
    expect(run(job_arguments("device")), 7, "train.device");
  }
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

/// Starts the job, sends a signal some time after it has saved, and returns how it ended.
int end_after_a_save(const std::vector<std::string>& arguments,
                     const fs::path& out,
                     int signal,
                     std::chrono::milliseconds later = {}) {
  const fs::path checkpoint = out / "checkpoint.h5";
  const auto saved_at = [&] {
    std::error_code none_yet;
    return fs::last_write_time(checkpoint, none_yet);
  };
  const auto before = saved_at();
  const pid_t child = start(arguments);
  int status = 0;
  while (saved_at() == before) {
    if (::waitpid(child, &status, WNOHANG) != 0) {
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::this_thread::sleep_for(later);
  ::kill(child, signal);
  ::waitpid(child, &status, 0);
  return status;
}

/// Whatever must be remembered is in use.
constexpr const char* kEverything =
    "model: {name: mlp, widths: [32], dropout: 0.1}\n"
    "train:\n"
    "  epochs: 3\n"
    "  batch_size: 16\n"
    "  threads: 1\n"
    "  optimizer: {name: adamw, learning_rate: 0.01}\n"
    "  schedule: {name: plateau, warmup_epochs: 1.5, plateau: {patience: 0, threshold: 0.5}}\n"
    "  augmentation: [{name: noise, low: 0, high: 0.1}]\n"
    "  mix: {mixup_alpha: 0.4, cutmix_alpha: 1, cutout_side: 0.3}\n"
    "  penalty: {l1: 1e-5}\n"
    "  sam_rho: 0.05\n"
    "  ema_decay: 0.95\n"
    "  early_stopping: {patience: 5, min_delta: 0.001}\n"
    "  strategies: [l2_sp]\n"
    "  checkpoint: {every_steps: 20}\n";

TEST_F(ProgramTest, AJobKilledAgainAndAgainEndsAsAnUninterruptedOne) {
  spec_.options = kEverything;
  spec_.inputs["validation"] =
      data::write_version(folder_.path(), *testing::quarters(100, 2), {}, {}).file;
  spec_.inputs["replay"] =
      data::write_version(folder_.path(), *testing::quarters(60, 3), {}, {}).file;
  ASSERT_EQ(run(job_arguments("whole")).exit_code, 0);
  const auto arguments = job_arguments("killed");
  const fs::path out = folder_.path() / "killed";
  core::Rng rng(11);
  int kills = 0;
  for (int i = 0; i < 3; ++i) {
    const std::chrono::milliseconds later(rng.below(60));
    kills += WIFSIGNALED(end_after_a_save(arguments, out, SIGKILL, later)) ? 1 : 0;
  }
  ASSERT_GE(kills, 1);
  EXPECT_EQ(run(arguments).exit_code, 0);
  EXPECT_EQ(core::read_file(out / "model.onnx"),
            core::read_file(folder_.path() / "whole" / "model.onnx"));
  const auto rows = report::read_metrics(out / "metrics.jsonl");
  const auto whole = report::read_metrics(folder_.path() / "whole" / "metrics.jsonl");
  ASSERT_EQ(rows.size(), whole.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].step, static_cast<int64_t>(i) + 1);
    for (const char* name : {"loss", "accuracy", "validation_loss", "learning_rate"}) {
      EXPECT_EQ(rows[i].values.at(name), whole[i].values.at(name)) << name << " " << i;
    }
  }
}

TEST_F(ProgramTest, SignalsMakeItSaveWhereItIsAndExitAsInterrupted) {
  spec_.options =
      "model: {name: mlp, widths: [32]}\n"
      "train: {epochs: 1000, batch_size: 16, threads: 1, "
      "checkpoint: {every_epochs: 0, every_steps: 10}}\n";
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string name = signal == SIGINT ? "sigint" : "sigterm";
    const fs::path out = folder_.path() / name;
    const int status = end_after_a_save(job_arguments(name), out, signal);
    ASSERT_TRUE(WIFEXITED(status)) << name;
    EXPECT_EQ(WEXITSTATUS(status), 130);
    const TrainingState state = load_checkpoint(out / "checkpoint.h5").state;
    EXPECT_GE(state.optimizer.steps, 10);
    EXPECT_EQ(state.optimizer.steps,
              static_cast<int64_t>(state.history.size()) * 125 + state.current.steps);
  }
}

}  // namespace

}  // namespace coppice::train
