#include <array>
#include <memory>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"
#include "runtime/onednn/recurrent.h"

namespace coppice::runtime::onednn {

void build(PlanBuilder& plan, const Recurrent& stage) {
  const std::string& name = plan.stage().inputs[0];
  const dnnl::memory::dims x = plan.value(name).dims;
  const auto layer = std::make_shared<const RecurrentLayer>(stage);
  const dnnl::memory::desc out = plain(plan.dims(plan.stage().shape), graph::DType::F32);
  const size_t source = plan.in_plain_layout(name);
  const size_t target = plan.new_buffer(out);
  const size_t scratch = plan.new_buffer(plain({layer->scratch_bytes()}, graph::DType::U8));
  const int64_t samples = x[0];
  const int64_t steps = x[1];
  plan.add_loop(
      [=](Buffers buffers) {
        const auto* from = reinterpret_cast<const float*>(buffers[source]);
        auto* to = reinterpret_cast<float*>(buffers[target]);
        auto* memory = reinterpret_cast<float*>(buffers[scratch]);
        for (int64_t n = 0; n < samples; ++n) {
          layer->run(from, steps, to, memory);
          from += steps * layer->in();
          to += steps * layer->hidden();
        }
      },
      std::array{source, target, scratch},
      stage.is_lstm ? "LSTM coppice:vectors" : "GRU coppice:vectors");
  plan.define(target, out);
}

}  // namespace coppice::runtime::onednn
