#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "loop/idx_files.h"
#include "loop/options.h"

namespace coppice::loop {

inline constexpr int64_t kTrainImages = 1200;
inline constexpr int64_t kTestImages = 160;
inline constexpr int64_t kClasses = 4;

/// Four classes of 8x8 images in IDX files, one of them withheld until the third of four days, for
/// two devices.
class TinyWorld {
 public:
  TinyWorld() {
    testing::write_idx(folder_.path(), "train", testing::quarters(kTrainImages, 8, kClasses, 1));
    testing::write_idx(folder_.path(), "test", testing::quarters(kTestImages, 8, kClasses, 2));
  }

  const std::filesystem::path& folder() const { return folder_.path(); }

  DataOptions data() const {
    DataOptions data;
    data.train_images = (folder() / "train-images").string();
    data.train_labels = (folder() / "train-labels").string();
    data.test_images = (folder() / "test-images").string();
    data.test_labels = (folder() / "test-labels").string();
    data.class_names = {"top left", "top right", "bottom left", "bottom right"};
    data.train = 300;
    data.held_out = 120;
    data.field = 700;
    return data;
  }

  static CompressOptions compression() {
    CompressOptions compress;
    compress.prune.macs_ratio = 0.7;
    compress.quantise.samples = 64;
    return compress;
  }

  static recipe::TrainJob job(std::vector<int64_t> widths) {
    recipe::TrainJob job;
    job.model.name = "mlp";
    job.model.widths = std::move(widths);
    return job;
  }

  static data::ScenarioOptions scenario() {
    data::DriftPhase dim{"dim", 1, {{"brightness", 1, -0.1, -0.1}}, {}};
    data::DriftPhase wider{
        "new class", 2, {}, {"top left", "top right", "bottom left", "bottom right"}};
    return {2, {"bottom right"}, {{"clean", 1, {}, {}}, dim, wider}};
  }

  LoopOptions loop() const {
    LoopOptions options;
    options.name = "tiny";
    options.data = data();
    options.teacher = job({32});
    options.student = job({24});
    options.compress = compression();
    options.device.miner.audit_share = 0.05;
    options.device.daily_upload_bytes = 1'000'000;
    options.service.trigger.min_new_samples = 12;
    options.service.trigger.cooldown_hours = 8;
    options.service.gate.judge_latency = false;
    options.service.rollout = {.canary_share = 0.5,
                               .canary_hours = 4,
                               .min_feedback = 5,
                               .max_wait_hours = 12,
                               .max_error_increase_points = 5,
                               .significance = 0.05};
    options.retrain.calibration_samples = 64;
    options.field.scenario = scenario();
    options.field.feedback_share = 0.5;
    options.field.ticks_per_day = 12;
    return options;
  }

 private:
  core::TemporaryFolder folder_;
};

}  // namespace coppice::loop
