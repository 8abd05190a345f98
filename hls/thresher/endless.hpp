// Notices a step that does not end, and one that the operating system stops: both are mistakes of a
// unit's C++ whose line is not known.
#ifndef THRESHER_ENDLESS_HPP
#define THRESHER_ENDLESS_HPP

#include <csignal>
#include <sys/time.h>

#include "thresher/mistake.hpp"

namespace thresher {

// A step is one clock cycle's work; of processor time it takes far less than a second.
constexpr int kSecondsForStep = 2;

// The number of the present step, and what it was when time last ran out.
inline volatile long present_step = 0;
inline long step_before = -1;

inline void on_signal(int number) {
  if (number != SIGVTALRM) {
    mistake({"", 0}, "look for pointers that lead nowhere, and for numbers that types cannot hold",
            "it ends with signal %d", number);
  }
  if (present_step == step_before) {
    mistake({"", 0}, "let each of its loops end: a step is one clock cycle's work",
            "a step does not end: it has taken %d seconds", kSecondsForStep);
  }
  step_before = present_step;
}

inline void set_timer(int seconds) {
  const itimerval times = {{seconds, 0}, {seconds, 0}};
  setitimer(ITIMER_VIRTUAL, &times, nullptr);
}

inline void watch_for_endless_steps() {
  const int numbers[] = {SIGVTALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  for (int number : numbers) std::signal(number, on_signal);
  set_timer(kSecondsForStep);
}

inline void stop_watching() { set_timer(0); }

}  // namespace thresher

#endif
