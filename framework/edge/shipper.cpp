#include "edge/shipper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"

namespace coppice::edge {

namespace {

/// Well below what a message may hold once encoded, whatever the payloads are.
constexpr int64_t kBatchPayloadBytes = int64_t{8} << 20;

int64_t day_of(core::Timestamp now) {
  return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
}

}  // namespace

bool is_due(core::Timestamp last, core::Timestamp now, std::chrono::milliseconds after) {
  return now < last || now - last >= after;
}

Shipper::Shipper(ShipOptions options,
                 std::string device,
                 Spool& spool,
                 const core::Clock& clock,
                 Publish publish)
    : options_(options),
      device_(std::move(device)),
      spool_(spool),
      clock_(clock),
      publish_(std::move(publish)),
      day_(spool.recall("day")),
      bytes_today_(spool.recall("bytes_today")),
      samples_today_(spool.recall("samples_today")) {}

void Shipper::ship() {
  start_day();
  if (send_again()) {
    send_new();
  }
}

void Shipper::acknowledge(const std::vector<std::string>& ids) {
  spool_.acknowledge(ids);
  for (const std::string& id : ids) {
    sent_.erase(id);
  }
}

void Shipper::start_day() {
  const int64_t today = day_of(clock_.now());
  if (today != day_) {
    bytes_today_ = 0;
    samples_today_ = 0;
    spend(0, 0);
    day_ = today;
    spool_.remember("day", day_);
  }
}

/// Whether all that was due went out.
bool Shipper::send_again() {
  for (const std::string& id : spool_.under_way()) {
    const auto last = sent_.find(id);
    if (last != sent_.end() &&
        !is_due(last->second, clock_.now(), std::chrono::seconds(options_.resend_after_s))) {
      continue;
    }
    const auto bytes = encode(id, spool_.contents(id));
    const auto size = static_cast<int64_t>(bytes.size());
    if (size > options_.daily_bytes && options_.daily_bytes > 0) {
      spool_.put_back(id);  // the budget was larger when it was packed
      sent_.erase(id);
    } else if (size > bytes_left()) {
      return false;
    } else {
      spend(size, 0);
      publish(id, bytes);
    }
  }
  return true;
}

void Shipper::send_new() {
  while (bytes_left() > 0 && spool_.waiting() > 0) {
    const int64_t count = std::min(options_.batch_samples, options_.daily_samples - samples_today_);
    if (count <= 0) {
      return;
    }
    auto samples = spool_.best(count, kBatchPayloadBytes);
    const int64_t most_valuable = samples.front().sequence;
    const std::string id = fmt::format("{}/{}", device_, spool_.next_message());
    auto bytes = encode(id, samples);
    while (static_cast<int64_t>(bytes.size()) > bytes_left() && !samples.empty()) {
      const auto fitting = samples.size() * static_cast<size_t>(bytes_left()) / bytes.size();
      samples.resize(samples.size() == 1 ? 0 : std::clamp<size_t>(fitting, 1, samples.size() - 1));
      bytes = encode(id, samples);
    }
    if (samples.empty()) {
      if (bytes_today_ > 0) {
        return;  // it may fit into what is left of another day
      }
      core::log_warning(fmt::format(
          "{}: a sample is larger than a whole day's budget of {} bytes and is given up",
          device_,
          options_.daily_bytes));
      spool_.evict(most_valuable);
      continue;
    }
    // A kill between these steps wastes budget or sends a sample again; it loses none.
    spend(static_cast<int64_t>(bytes.size()), static_cast<int64_t>(samples.size()));
    spool_.start(id, samples);
    publish(id, bytes);
  }
}

core::Bytes Shipper::encode(const std::string& id, const std::vector<link::Sample>& samples) const {
  return link::encode({id, device_, core::to_millis(clock_.now()), link::SampleBatch{samples}});
}

void Shipper::spend(int64_t bytes, int64_t samples) {
  bytes_today_ += bytes;
  samples_today_ += samples;
  spool_.remember("bytes_today", bytes_today_);
  spool_.remember("samples_today", samples_today_);
}

void Shipper::publish(const std::string& id, std::span<const std::byte> bytes) {
  sent_[id] = clock_.now();
  publish_(bytes);
}

}  // namespace coppice::edge
