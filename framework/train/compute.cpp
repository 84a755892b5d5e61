#include "train/compute.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include "core/error.h"
#include "jobs/machine.h"

namespace coppice::train {

namespace {

[[noreturn]] void refuse_compute(const std::string& why) {
  throw core::Error(core::ErrorKind::Unsupported, why);
}

int64_t choose_gpu(const recipe::TrainOptions& options, int64_t gpus, int64_t local_rank) {
  if (options.device == "cpu" || (options.device == "auto" && gpus == 0)) {
    return -1;
  }
  if (gpus == 0) {
    refuse_compute(
        "train.device: there is no CUDA GPU here, or this libtorch is built without CUDA; set it "
        "to "
        "'cpu' or 'auto'");
  }
  if (local_rank >= gpus) {
    refuse_compute(
        fmt::format("train.device: rank {} of this machine has no GPU, there are {}; "
                    "start fewer ranks, or set it to 'cpu'",
                    local_rank,
                    gpus));
  }
  return local_rank;
}

}  // namespace

Machine this_machine() {
  return {.gpus = at::hasCUDA() ? int64_t{at::detail::getCUDAHooks().getNumGPUs()} : 0,
          .multiplies_bfloat16 = jobs::multiplies_bfloat16()};
}

at::Device Compute::device() const {
  return gpu < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(gpu));
}

Compute choose_compute(const recipe::TrainOptions& options,
                       const Machine& machine,
                       int64_t local_rank) {
  Compute compute{.gpu = choose_gpu(options, machine.gpus, local_rank)};
  const bool able = compute.gpu >= 0 || machine.multiplies_bfloat16;
  if (options.precision == "bfloat16" && !able) {
    refuse_compute(
        "train.precision: this CPU does not multiply bfloat16 (no AVX-512 BF16, no AMX); set it to "
        "'float32' or 'auto'");
  }
  compute.bfloat16 = options.precision != "float32" && able;
  if (options.precision == "auto" && !able) {
    compute.notice = "train.precision: this CPU does not multiply bfloat16; float32 it is";
  }
  return compute;
}

}  // namespace coppice::train
