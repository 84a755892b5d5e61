#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "core/files.h"
#include "jobs/executor.h"

namespace coppice::jobs {

/// Runs a function in place of a job; by default it writes model.txt.
class FakeExecutor final : public Executor {
 public:
  using Job = std::function<void(const JobSpec&, const std::filesystem::path&)>;

  FakeExecutor() = default;

  explicit FakeExecutor(Job job) : job_(std::move(job)) {}

  void run(const JobSpec& spec,
           const std::filesystem::path& folder,
           const std::function<void(const JobProgress&)>& on_progress) override {
    ++runs;
    if (on_progress) {
      on_progress({"epoch 1/1", 1, 1, "steps", ""});
    }
    job_(spec, folder);
  }

  std::string trainer_hash() const override { return hash; }

  std::atomic<int> runs = 0;
  std::string hash = "trainer-1";

 private:
  Job job_ = [](const JobSpec& spec, const std::filesystem::path& folder) {
    core::write_file(folder / "model.txt", "model of " + spec.name);
  };
};

}  // namespace coppice::jobs
