// Training by several real processes of this machine, over the loopback interface.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "graph/onnx.h"
#include "jobs/spec.h"
#include "system/program.h"
#include "system/quarters_version.h"
#include "system/tiny_experiment.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string free_loopback_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(socket, generic, size), 0);
  EXPECT_EQ(::getsockname(socket, generic, &size), 0);
  ::close(socket);
  return std::to_string(ntohs(address.sin_port));
}

class Ranks : public ::testing::Test {
 protected:
  Ranks() {
    spec_.kind = "train";
    spec_.name = "shared";
    spec_.inputs["train"] = write_quarters_version(folder_.path(), 400);
    set_options("epochs: 1, steps_per_epoch: 1, batch_size: 100");
  }

  /// Plain descent with rate 1: a step's change is the gradient.
  void set_options(const std::string& train) {
    spec_.options =
        "model: {name: mlp, widths: [24]}\n"
        "train: {threads: 1, optimizer: {name: sgd, learning_rate: 1, momentum: 0, "
        "weight_decay: 0}, " +
        train + "}\n";
  }

  fs::path out(const std::string& name) const { return folder_.path() / name; }

  std::vector<std::string> command(const std::string& name) {
    const fs::path job = folder_.path() / "job.yaml";
    core::write_file(job, jobs::to_yaml(spec_));
    return {COPPICE_TRAIN, "--job", job.string(), "--out", out(name).string()};
  }

  std::unique_ptr<Program> start(const std::string& name, int rank, int ranks) {
    std::vector<std::string> words{"/usr/bin/env",
                                   "RANK=" + std::to_string(rank),
                                   "WORLD_SIZE=" + std::to_string(ranks),
                                   "MASTER_ADDR=127.0.0.1",
                                   "MASTER_PORT=" + port_,
                                   "COPPICE_JOIN_SECONDS=" + patience_};
    for (const std::string& word : command(name)) {
      words.push_back(word);
    }
    return std::make_unique<Program>(words);
  }

  std::vector<Outcome> run(const std::string& name, int ranks) {
    port_ = free_loopback_port();
    std::vector<std::unique_ptr<Program>> programs;
    for (int rank = 0; rank < ranks; ++rank) {
      programs.push_back(start(name, rank, ranks));
    }
    std::vector<Outcome> outcomes;
    for (const auto& program : programs) {
      outcomes.push_back(program->wait());
    }
    return outcomes;
  }

  std::string epochs_ = "2";
  std::string port_ = free_loopback_port();
  std::string patience_ = "30";
  core::TemporaryFolder folder_;
  jobs::JobSpec spec_;
};

double largest_difference(const fs::path& a, const fs::path& b) {
  const graph::Model left = graph::load_onnx(a / "model.onnx");
  const graph::Model right = graph::load_onnx(b / "model.onnx");
  double largest = 0;
  for (const auto& [name, tensor] : left.weights) {
    if (tensor.dtype() != graph::DType::F32) {
      continue;
    }
    const auto ours = tensor.data<float>();
    const auto others = right.weight(name).data<float>();
    for (size_t i = 0; i < ours.size(); ++i) {
      largest = std::max(largest, static_cast<double>(std::abs(ours[i] - others[i])));
    }
  }
  return largest;
}

TEST_F(Ranks, TwoGiveTheGradientOfTheJointBatchAndOneWrites) {
  const Outcome alone = run_program(command("alone"));
  ASSERT_EQ(alone.exit_code, 0) << alone.error;
  const auto outcomes = run("together", 2);
  ASSERT_EQ(outcomes[0].exit_code, 0) << outcomes[0].error;
  ASSERT_EQ(outcomes[1].exit_code, 0) << outcomes[1].error;
  EXPECT_LT(largest_difference(out("alone"), out("together")), 1e-5);
  EXPECT_THAT(outcomes[0].out, HasSubstr("epoch 1/1"));
  EXPECT_EQ(outcomes[1].out, "");

  set_options("epochs: 1, steps_per_epoch: 1, batch_size: 50");
  ASSERT_EQ(run_program(command("half")).exit_code, 0);
  EXPECT_GT(largest_difference(out("alone"), out("half")), 1e-3) << "half a batch is another";
}

TEST_F(Ranks, AKilledRankEndsTheOthersWhichNameIt) {
  set_options("epochs: 100000, batch_size: 16, checkpoint: {every_epochs: 1}");
  for (const int victim : {0, 1}) {
    port_ = free_loopback_port();
    const std::string name = "killed" + std::to_string(victim);
    const auto killed = start(name, victim, 2);
    const auto left = start(name, 1 - victim, 2);
    ASSERT_TRUE(wait_until([&] {
      return killed->ended() || left->ended() || fs::exists(out(name) / "checkpoint.h5");
    }));
    ASSERT_FALSE(killed->ended()) << killed->wait().error;
    killed->signal(SIGKILL);
    const core::Stopwatch since;
    const Outcome outcome = left->wait();
    EXPECT_LT(since.seconds(), 30);
    expect_last_error_line(outcome, 70, HasSubstr("rank " + std::to_string(victim) + " of 2"));
  }
}

TEST_F(Ranks, ARankThatDiesBeforeAllHaveComeEndsTheOthersToo) {
  for (const int victim : {0, 1}) {
    port_ = free_loopback_port();
    patience_ = "600";
    const auto killed = start("early", victim, 3);
    const auto left = start("early", 1 - victim, 3);
    for (const auto& program : {&killed, &left}) {
      ASSERT_TRUE(wait_until([&] {
        return (*program)->ended() ||
               (*program)->error_so_far().find("waits for rank 2") != std::string::npos;
      }));
      ASSERT_FALSE((*program)->ended()) << (*program)->wait().error;
    }
    killed->signal(SIGKILL);
    const core::Stopwatch since;
    const Outcome outcome = left->wait();
    EXPECT_LT(since.seconds(), 30);
    expect_last_error_line(outcome, 70, HasSubstr("rank " + std::to_string(victim) + " of 3"));
  }
}

TEST_F(Ranks, ARankThatDoesNotComeIsNamed) {
  patience_ = "2";
  const auto zero = start("missed", 0, 3);
  const auto two = start("missed", 2, 3);
  for (const auto& program : {&zero, &two}) {
    expect_last_error_line(
        (*program)->wait(),
        3,
        AllOf(HasSubstr("of 3 ranks, 1 did not come"), HasSubstr("JOIN_SECONDS")));
  }
}

TEST_F(Ranks, AStoppedRankCountsAsLost) {
  set_options("epochs: 100000, batch_size: 16");
  const auto frozen = start("frozen", 1, 2);
  const auto left = start("frozen", 0, 2);
  ASSERT_TRUE(
      wait_until([&] { return left->ended() || fs::exists(out("frozen") / "checkpoint.h5"); }));
  ASSERT_FALSE(left->ended()) << left->wait().error;
  frozen->signal(SIGSTOP);
  const core::Stopwatch since;
  expect_last_error_line(left->wait(), 70, HasSubstr("rank 1 of 2"));
  EXPECT_LT(since.seconds(), 30);
  frozen->signal(SIGCONT);
}

TEST_F(Ranks, ARankThatFailsEndsTheOthersWithItsOwnWords) {
  set_options("epochs: 5, batch_size: 16, schedule: {name: constant}");
  // Weights grow 99-fold with each step.
  const std::string calm = "learning_rate: 1, momentum: 0, weight_decay: 0";
  spec_.options.replace(
      spec_.options.find(calm), calm.size(), "learning_rate: 100, momentum: 0, weight_decay: 1");
  const auto outcomes = run("diverged", 2);
  for (const Outcome& outcome : outcomes) {
    expect_last_error_line(outcome, 8, HasSubstr("not a number"));
  }
}

TEST_F(Ranks, AnInterruptedRankMakesAllSaveAndStopAndTheyGoOn) {
  set_options("epochs: 60, batch_size: 16");
  const std::string steep = "learning_rate: 1,";
  spec_.options.replace(spec_.options.find(steep), steep.size(), "learning_rate: 0.05,");
  ASSERT_EQ(run("whole", 2)[0].exit_code, 0);
  const auto zero = start("stopped", 0, 2);
  const auto one = start("stopped", 1, 2);
  ASSERT_TRUE(
      wait_until([&] { return zero->ended() || fs::exists(out("stopped") / "checkpoint.h5"); }));
  one->signal(SIGTERM);  // rank 1 alone
  const Outcome outcome = zero->wait();
  if (outcome.exit_code != 0) {  // else it was done before
    EXPECT_EQ(outcome.exit_code, 130) << outcome.error;
    EXPECT_EQ(one->wait().exit_code, 130);
    EXPECT_FALSE(fs::exists(out("stopped") / "model.onnx"));
    EXPECT_EQ(run("stopped", 2)[0].exit_code, 0);
  }
  EXPECT_TRUE(core::read_file(out("stopped") / "model.onnx") ==
              core::read_file(out("whole") / "model.onnx"));
}

TEST_F(Ranks, TheLocalLauncherStartsThemAndNamesTheOneThatDied) {
  const TinyExperiment experiment;
  const auto launched = [&](const std::string& name, const std::string& launch) {
    return std::vector<std::string>{COPPICE,
                                    "run",
                                    experiment.file().string(),
                                    "--launch",
                                    launch,
                                    "--set",
                                    "student.train.epochs=" + epochs_,
                                    "--out",
                                    out(name).string()};
  };
  const Outcome done = run_program(launched("done", "local:2"));
  ASSERT_EQ(done.exit_code, 0) << done.error;
  EXPECT_TRUE(fs::exists(out("done") / "summary.json"));
  expect_error_line(run_program(launched("wrong", "local:none")),
                    2,
                    AllOf(HasSubstr("local:N"), HasSubstr("none")));

  epochs_ = "100000";
  Program endless(launched("died", "local:2"));
  fs::path errors;
  const auto training = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(out("died"))) {
      if (entry.path().filename() == "checkpoint.h5") {
        errors = entry.path().parent_path();
        return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(
      wait_until([&] { return endless.ended() || (fs::exists(out("died")) && training()); }));
  // Rank 1 is the one of our own grandchildren whose stderr is stderr.1.txt.
  pid_t victim = 0;
  for (const auto& process : fs::directory_iterator("/proc")) {
    std::error_code gone;
    if (fs::read_symlink(process.path() / "fd" / "2", gone) == errors / "stderr.1.txt") {
      victim = std::stoi(process.path().filename());
    }
  }
  ASSERT_GT(victim, 0);
  ::kill(victim, SIGKILL);
  const core::Stopwatch since;
  const Outcome outcome = endless.wait();
  EXPECT_LT(since.seconds(), 30);
  expect_last_error_line(outcome, 70, AllOf(HasSubstr("rank 1 of 2"), HasSubstr("signal 9")));
}

}  // namespace
}  // namespace coppice::testing
