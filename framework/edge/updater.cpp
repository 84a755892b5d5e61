#include "edge/updater.h"

#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"

namespace coppice::edge {

namespace {

constexpr int64_t kChunkBytes = 64 * 1024;
constexpr int64_t kLargestArtefact = 256LL * 1024 * 1024;

}  // namespace

Updater::Updater(std::filesystem::path folder,
                 core::Bytes public_key,
                 const core::Clock& clock,
                 TryArtefact try_artefact)
    : folder_(std::move(folder)),
      public_key_(std::move(public_key)),
      clock_(clock),
      try_artefact_(std::move(try_artefact)) {
  std::filesystem::create_directories(folder_ / "incoming");
}

void Updater::start() {
  if (!std::filesystem::exists(folder_ / "current")) {
    return;
  }
  try {
    const release::Release installed = release::read_release(folder_ / "current");
    // Expiry bars new installations; a device that was off for long keeps what it has.
    const auto manifest = release::verify(installed, public_key_, 0, core::Timestamp{});
    try_artefact_(installed.artefact);
    counter_ = manifest.counter;
    hash_ = manifest.artefact_hash;
  } catch (const core::Error& error) {
    refuse(fmt::format("the installed release cannot be used: {}", error.what()));
  }
}

void Updater::offer(const link::ReleaseOffer& offer) {
  try {
    Incoming incoming{
        offer,
        release::verify_offer(offer.manifest, offer.signature, public_key_, counter_, clock_.now()),
        {}};
    if (incoming.manifest.artefact_bytes <= 0 ||
        incoming.manifest.artefact_bytes > kLargestArtefact) {
      refuse(
          fmt::format("an artefact of {} bytes is not accepted", incoming.manifest.artefact_bytes));
      return;
    }
    if (incoming_ && incoming_->manifest.counter >= incoming.manifest.counter) {
      return;
    }
    const auto part = part_file(incoming.manifest.artefact_hash);
    if (std::filesystem::exists(part)) {
      incoming.data = core::read_file(part);
    }
    incoming_ = std::move(incoming);
    if (!wanted()) {
      install();
    }
  } catch (const core::Error& error) {
    refuse(error.what());
  }
}

void Updater::chunk(const link::Chunk& chunk) {
  if (!incoming_ || chunk.artefact_hash != incoming_->manifest.artefact_hash ||
      chunk.offset != static_cast<int64_t>(incoming_->data.size()) || chunk.data.empty()) {
    return;  // a repeated or late delivery
  }
  const auto total = static_cast<size_t>(incoming_->manifest.artefact_bytes);
  if (incoming_->data.size() + chunk.data.size() > total) {
    refuse("the artefact is longer than its manifest says");
    std::filesystem::remove(part_file(incoming_->manifest.artefact_hash));
    incoming_.reset();
    return;
  }
  incoming_->data.insert(incoming_->data.end(), chunk.data.begin(), chunk.data.end());
  try {
    core::write_file(part_file(incoming_->manifest.artefact_hash), incoming_->data);
    if (incoming_->data.size() == total) {
      install();
    }
  } catch (const core::Error& error) {
    refuse(error.what());
    incoming_.reset();
  }
}

std::optional<link::ChunkRequest> Updater::wanted() const {
  if (!incoming_ ||
      static_cast<int64_t>(incoming_->data.size()) >= incoming_->manifest.artefact_bytes) {
    return std::nullopt;
  }
  return link::ChunkRequest{
      incoming_->manifest.artefact_hash, static_cast<int64_t>(incoming_->data.size()), kChunkBytes};
}

std::string Updater::take_error() {
  return std::exchange(error_, {});
}

void Updater::refuse(const std::string& why) {
  error_ = why;
}

void Updater::install() {
  const Incoming incoming = std::move(*incoming_);
  incoming_.reset();
  const auto part = part_file(incoming.manifest.artefact_hash);
  try {
    const release::Release whole{incoming.offer.manifest, incoming.offer.signature, incoming.data};
    release::verify(whole, public_key_, counter_, clock_.now());
    try_artefact_(whole.artefact);
    release::write_release(whole, folder_ / "current");
    counter_ = incoming.manifest.counter;
    hash_ = incoming.manifest.artefact_hash;
  } catch (const core::Error& error) {
    refuse(error.what());
  }
  std::filesystem::remove(part);
}

std::filesystem::path Updater::part_file(const std::string& hash) const {
  return folder_ / "incoming" / (hash + ".part");
}

}  // namespace coppice::edge
