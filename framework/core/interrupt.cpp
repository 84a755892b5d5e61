#include "core/interrupt.h"

#include <atomic>
#include <cstddef>

#include <signal.h>
#include <unistd.h>

#include "core/error.h"

namespace coppice::core {

namespace {

std::atomic<bool> came = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not lock");

extern "C" void on_signal(int signal_number) {
  if (came.exchange(true) && signal_number == SIGINT) {
    ::_exit(128 + SIGINT);
  }
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    COPPICE_CHECK(::sigaction(signal_number, &action, nullptr) == 0, "a signal handler is refused");
  }
}

bool interrupted() {
  return came.load();
}

void throw_if_interrupted() {
  if (interrupted()) {
    throw Error(ErrorKind::Interrupted, "interrupted; the same command with --resume goes on");
  }
}

}  // namespace coppice::core
