// Runs one unit alone, step by step, until a step would read from an empty stream: what its hardware
// must do. A program of it needs one line per stream, and the ports in the order of `Ports`:
//
//   thresher::StepRun run(argc, argv);                    // INPUT_FOLDER OUTPUT_FOLDER STEPS [REPLAY_FOLDER]
//   thresher::Tap<8> s_axis("s_axis");                    // width, name
//   thresher::Tap<16> m_axis("m_axis");
//   s_axis.play(run.input(), run.replay());               // INPUT_FOLDER/s_axis.bin, REPLAY_FOLDER/s_axis.bin
//   m_axis.answer(run.replay());                          // REPLAY_FOLDER/m_axis.bin
//   my::Unit::Ports ports{thresher::InStream<8>(s_axis), thresher::OutStream<16>(m_axis)};
//   static my::Unit unit;                                 // static: members without a value begin as zero
//   run.steps(unit, ports, s_axis, m_axis);               // at most STEPS
//   m_axis.record(run.output());                          // OUTPUT_FOLDER/m_axis.bin, m_axis.steps
//   run.report(s_axis);                                   // OUTPUT_FOLDER/reference.json
//
// The step that ran dry counts for nothing: what it read and wrote before is left out. A unit that asks
// whether a stream is empty() may never run dry: it goes on to STEPS, and the report says how many steps
// at the end were idle, which neither read nor wrote.
//
// A beat with signals is one word in the files: the data in its lowest bits, then the signals in their order.
//
// Without a replay all beats are there from the first step, and no output is full. A replay says, in a byte of
// `Replayed` for each step, what the hardware's step found at the stream and did with it. A step finds the
// same here; one that takes other beats than the hardware's is the last, and counts for nothing.
//
// The program ends at the first `assert` of the unit that does not hold and, compiled with THRESHER_CHECKED, at
// its first mistake of any kind (mistake.hpp), with status 3; on stderr stand what it is, the step, and the
// beats that the step has read.
#ifndef THRESHER_STEP_RUN_HPP
#define THRESHER_STEP_RUN_HPP

#include <csetjmp>

#include "thresher/assertion.hpp"
#include "thresher/csim.hpp"

#ifdef THRESHER_CHECKED
#include "thresher/endless.hpp"
#include "thresher/undefined.hpp"
#endif

namespace thresher {

// A file of a folder, open; an error is one line on stderr and exit status 1.
inline std::FILE* open_file(const char* folder, const char* name, const char* ending, const char* mode) {
  char path[4096];
  std::snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
  std::FILE* file = std::fopen(path, mode);
  if (file == nullptr) csim_fail("reference: '%s' cannot be opened", path);
  return file;
}

// Makes an object be in memory whenever an unknown function is called: a jump out of a step finds it there.
inline void keep_in_memory(void* object) { asm volatile("" : : "r"(object) : "memory"); }

// What a step of the hardware found at an input and did with it, or at an output. A trial is no step that it
// did: the last one of a replay may ask whether one could be done.
enum Replayed { kThere = 1, kTaken = 2, kTrial = 4, kFull = 8 };

// A stream of the unit, with the beats in it before the present step.
template <int Width, class... Signals>
class Tap : public Channel<Width, Signals...> {
 public:
  explicit Tap(const char* name) : Channel<Width, Signals...>(name), name_(name), later_(name) {}
  ~Tap() {
    std::free(steps_);
    if (replay_ != nullptr) std::fclose(replay_);
  }

  const char* name() const { return name_; }
  std::size_t taken() const { return played_ - before_; }

  // Everything in the stream's file: at once, or as the replay says, where there is one.
  void play(const char* folder, const char* replay = nullptr) {
    std::FILE* file = open_file(folder, name_, ".bin", "rb");
    if (replay != nullptr) replay_ = open_file(replay, name_, ".bin", "rb");
    unsigned char bytes[kBytes];
    for (; std::fread(bytes, kBytes, 1, file) == 1; ++played_) {
      later_.write(Carrier::beat(beat_from_bytes<kBits>(bytes)));
    }
    std::fclose(file);
    if (replay == nullptr) {
      while (!later_.empty()) this->write(later_.read());
    }
  }

  // Lets an output be full where the replay says so.
  void answer(const char* replay) {
    if (replay != nullptr) replay_ = open_file(replay, name_, ".bin", "rb");
  }

  // Makes a beat be there for the next step, as the replay says; without one all are. Whether there is
  // such a step.
  bool begin_step() {
    before_ = held();
    if (replay_ == nullptr) return true;
    said_ = std::fgetc(replay_);
    if (said_ == EOF) return false;
    this->full_ = said_ & kFull;
    if ((said_ & kThere) && this->empty() && !later_.empty()) this->write(later_.read());
    return true;
  }

  // Whether the step has taken a beat where the hardware did.
  bool agrees() const { return replay_ == nullptr || (said_ & kTrial) || has_read() == bool(said_ & kTaken); }

  bool moved() const { return held() != before_; }
  bool has_read() const { return held() < before_; }

  // Notes the step of what it wrote.
  void end_step(long step) {
    if (held() <= before_) return;
    if (held() > room_) steps_ = static_cast<long*>(std::realloc(steps_, (room_ = 2 * held()) * sizeof(long)));
    if (steps_ == nullptr) csim_fail("reference: stream '%s' does not fit into memory", name_);
    for (std::size_t beat = before_; beat < held(); ++beat) steps_[beat] = step;
  }

  // The beats that whole steps wrote, and of each the number of its step in 64 bits.
  void record(const char* folder) {
    std::FILE* file = open_file(folder, name_, ".bin", "wb");
    unsigned char bytes[kBytes];
    for (std::size_t beat = 0; beat < before_; ++beat) {
      beat_to_bytes<kBits>(Carrier::word(this->read()), bytes);
      std::fwrite(bytes, kBytes, 1, file);
    }
    std::FILE* steps = open_file(folder, name_, ".steps", "wb");
    std::fwrite(steps_, sizeof(long), before_, steps);
    if (std::fclose(file) != 0 || std::fclose(steps) != 0) {
      csim_fail("reference: stream '%s' cannot be written", name_);
    }
  }

 private:
  using Carrier = Carried<Width, Signals...>;
  static constexpr int kBits = Carrier::kBits;
  static constexpr std::size_t kBytes = (kBits + 7) / 8;

  // Beats in the stream, those to come among them.
  std::size_t held() const { return this->size() + later_.size(); }

  const char* name_;
  Channel<Width, Signals...> later_;
  std::FILE* replay_ = nullptr;
  int said_ = 0;
  std::size_t played_ = 0;
  std::size_t before_ = 0;
  long* steps_ = nullptr;
  std::size_t room_ = 0;
};

class StepRun {
 public:
  StepRun(int argc, char** argv) {
    if (argc != 4 && argc != 5) csim_fail("usage: %s INPUT_FOLDER OUTPUT_FOLDER STEPS [REPLAY_FOLDER]", argv[0]);
    input_ = argv[1];
    output_ = argv[2];
    limit_ = std::atol(argv[3]);
    replay_ = argv[4];
  }

  const char* input() const { return input_; }
  const char* output() const { return output_; }
  const char* replay() const { return replay_; }

  template <class Unit, class... Taps>
  void steps(Unit& unit, typename Unit::Ports& ports, Taps&... taps) {
    (keep_in_memory(&taps), ...);
    keep_in_memory(this);
    watch();
    const int left = setjmp(left_);
    if (left == 0) go(unit, ports, taps...);
    unwatch();
    if (left == kMistaken) tell(taps...);
  }

  // How far it came, and how many beats each input gave.
  template <class... Taps>
  void report(const Taps&... inputs) const {
    std::FILE* file = open_file(output_, "reference", ".json", "w");
    std::fprintf(file, "{\"steps\": %ld, \"idle\": %ld, \"fed\": %ld, \"asked\": %s, ", done_, done_ - active_,
                 fed_, has_asked ? "true" : "false");
    std::fprintf(file, "\"dry\": \"%s\", \"differs\": \"%s\", \"taken\": {", dry_, differs_);
    const char* comma = "";
    ((std::fprintf(file, "%s\"%s\": %zu", comma, inputs.name(), inputs.taken()), comma = ", "), ...);
    std::fprintf(file, "}}\n");
    if (std::fclose(file) != 0) csim_fail("reference: '%s/reference.json' cannot be written", output_);
  }

 private:
  // Why the steps were left.
  enum { kDry = 1, kMistaken = 2 };

  template <class Unit, class... Taps>
  void go(Unit& unit, typename Unit::Ports& ports, Taps&... taps) {
    for (done_ = 0; (taps.begin_step() & ...) && done_ < limit_; ++done_) {
#ifdef THRESHER_CHECKED
      present_step = done_;
#endif
      unit.step(ports);
      ((taps.agrees() ? void() : void(differs_ = taps.name())), ...);
      if (*differs_) return;
      (taps.end_step(done_), ...);
      if ((taps.moved() || ...)) active_ = done_ + 1;
      if ((taps.has_read() || ...)) fed_ = done_ + 1;
    }
  }

  void watch() {
    on_empty_read = [](const char* name) {
      dry_ = name;
      std::longjmp(left_, kDry);
    };
    on_mistake = [] { std::longjmp(left_, kMistaken); };
#ifdef THRESHER_CHECKED
    watch_for_endless_steps();
#endif
  }

  void unwatch() {
    on_empty_read = nullptr;
    on_mistake = nullptr;
#ifdef THRESHER_CHECKED
    stop_watching();
#endif
  }

  // Where a mistake was made, and with which beats.
  template <class... Taps>
  [[noreturn]] void tell(const Taps&... taps) const {
    std::fprintf(stderr, "step: %ld\n", done_);
    ((taps.has_read() ? void(std::fprintf(stderr, "read: %s %zu\n", taps.name(), taps.taken())) : void()), ...);
    std::exit(3);
  }

  inline static std::jmp_buf left_;
  inline static const char* dry_ = "";

  const char* input_ = nullptr;
  const char* output_ = nullptr;
  const char* replay_ = nullptr;
  const char* differs_ = "";
  long limit_ = 0;
  long done_ = 0;
  long active_ = 0;
  long fed_ = 0;
};

}  // namespace thresher

#endif
