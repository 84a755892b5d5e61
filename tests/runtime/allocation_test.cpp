#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "runtime/models.h"

namespace {

thread_local bool counting = false;
thread_local int64_t allocations = 0;

/// oneDNN makes a small map for every call; only allocations by our own code count.
bool is_ours(const void* caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == nullptr) {
    return true;
  }
  return std::strstr(info.dli_fname, "libdnnl") == nullptr;
}

void* allocate(size_t size, size_t alignment, const void* caller) {
  if (counting) {
    counting = false;
    allocations += is_ours(caller);
    counting = true;
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), size == 0 ? 1 : size) != 0) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace

void* operator new(size_t size) {
  return allocate(size, sizeof(void*), __builtin_return_address(0));
}

void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, sizeof(void*), __builtin_return_address(0));
}

void* operator new[](size_t size) {
  return allocate(size, sizeof(void*), __builtin_return_address(0));
}

void* operator new(size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<size_t>(alignment), __builtin_return_address(0));
}

void* operator new[](size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<size_t>(alignment), __builtin_return_address(0));
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Tensor;

TEST(Allocation, TheCounterCounts) {
  counting = true;
  std::vector<int> values(10);
  counting = false;
  EXPECT_EQ(std::exchange(allocations, 0), 1);
  EXPECT_EQ(values.size(), 10U);
}

/// Networks that between them use every kind of stage, in float and in 8 bits, at batches that
/// split.
TEST(Allocation, ARunAllocatesNothing) {
  for (const std::string& backend : backends()) {
    for (const char* name : {"mlp", "cnn", "resnet"}) {
      const graph::ModelInput input = image_input(1, 12);
      const graph::Model network = random_network({name, {8, 12}, 1, 0}, input, 3);
      const Tensor samples = random_integers(DType::U8, {16, 1, 12, 12}, 4);
      for (const bool quantised : {false, true}) {
        const graph::Model model =
            quantised ? to_qdq(network, samples, {.quantise_sums = true}) : network;
        const auto engine = build_engine(model, {backend, 1, 11});
        const std::vector<Tensor> inputs{random_integers(DType::U8, {11, 1, 12, 12}, 5)};
        std::vector<Tensor> outputs{Tensor(DType::F32, {11, 10})};
        counting = true;
        engine->run(inputs, outputs);
        engine->run(inputs, outputs);
        counting = false;
        EXPECT_EQ(std::exchange(allocations, 0), 0) << backend << " " << name << quantised;
      }
    }
  }
}

}  // namespace
}  // namespace coppice::runtime::testing
