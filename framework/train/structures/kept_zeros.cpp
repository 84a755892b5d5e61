#include "core/error.h"
#include "train/network.h"
#include "train/structure.h"
#include "train/structures/zero_mask.h"

namespace coppice::train {

namespace {

class KeptZeros final : public Structure {
 public:
  explicit KeptZeros(const Network& network) : mask_(network) {
    mask_.read();
    if (!mask_.any()) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "keep: zeros: no layer of the network has a weight that is zero; sparsify "
                        "it first and give it as the input 'model'");
    }
  }

  void begin_step() override { mask_.read(); }

  void fit_gradients() override { mask_.clear_gradients(); }

  void end_step(Optimizer& /*optimizer*/, int64_t /*steps*/) override { mask_.clear_weights(); }

 private:
  ZeroMask mask_;
};

}  // namespace

std::unique_ptr<Structure> make_kept_zeros(const Network& network) {
  return std::make_unique<KeptZeros>(network);
}

}  // namespace coppice::train
