#include "core/interrupt.h"

#include <cstdlib>

#include <signal.h>

#include "core/expect_error.h"

namespace coppice::core {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

// The flag is never taken back, so each case has a process of its own.

TEST(Interrupt, NothingCameYet) {
  EXPECT_FALSE(interrupted());
  EXPECT_NO_THROW(throw_if_interrupted());
}

TEST(Interrupt, WithoutTheHandlerASignalEndsTheProcess) {
  EXPECT_EXIT(::raise(SIGTERM), KilledBySignal(SIGTERM), "");
}

TEST(Interrupt, TheFirstSignalOnlySetsTheFlag) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          install_interrupt_handler();
          ::raise(signal_number);
          try {
            throw_if_interrupted();
          } catch (const Error& error) {
            std::exit(interrupted() && error.kind() == ErrorKind::Interrupted ? 0 : 1);
          }
          std::exit(2);
        },
        ExitedWithCode(0),
        "");
  }
}

TEST(Interrupt, ASecondCtrlCEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        ::raise(SIGINT);
        ::raise(SIGINT);
        std::exit(0);
      },
      ExitedWithCode(130),
      "");
}

TEST(Interrupt, ASecondSigtermDoesNot) {
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        ::raise(SIGINT);
        ::raise(SIGTERM);
        std::exit(0);
      },
      ExitedWithCode(0),
      "");
}

}  // namespace
}  // namespace coppice::core
