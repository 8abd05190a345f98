// Runs one unit alone, step by step, until a step would read from an empty stream: what its hardware
// must do. A program of it needs one line per stream, and the ports in the order of `Ports`:
//
//   thresher::StepRun run(argc, argv);                    // INPUT_FOLDER OUTPUT_FOLDER STEPS
//   thresher::Tap<8> s_axis("s_axis");                    // width, name
//   thresher::Tap<16> m_axis("m_axis");
//   s_axis.play(run.input());                             // INPUT_FOLDER/s_axis.bin
//   my::Unit::Ports ports{thresher::InStream<8>(s_axis), thresher::OutStream<16>(m_axis)};
//   static my::Unit unit;                                 // static: members without a value begin as zero
//   run.steps(unit, ports, s_axis, m_axis);               // at most STEPS
//   m_axis.record(run.output());                          // OUTPUT_FOLDER/m_axis.bin
//   run.report(s_axis);                                   // OUTPUT_FOLDER/reference.json
//
// The step that ran dry counts for nothing: what it read and wrote before is left out. A unit that asks
// whether a stream is empty() may never run dry: it goes on to STEPS, and the report says how many steps
// at the end were idle, which neither read nor wrote.
#ifndef THRESHER_STEP_RUN_HPP
#define THRESHER_STEP_RUN_HPP

#include <csetjmp>

#include "thresher/csim.hpp"

namespace thresher {

// A file of a folder, open; an error is one line on stderr and exit status 1.
inline std::FILE* open_file(const char* folder, const char* name, const char* ending, const char* mode) {
  char path[4096];
  std::snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
  std::FILE* file = std::fopen(path, mode);
  if (file == nullptr) csim_fail("reference: '%s' cannot be opened", path);
  return file;
}

// A stream of the unit, with the beats in it before the present step.
template <int Width>
class Tap : public Channel<Width> {
 public:
  explicit Tap(const char* name) : Channel<Width>(name), name_(name) {}

  const char* name() const { return name_; }
  std::size_t taken() const { return played_ - before_; }

  // Everything in the stream's file.
  void play(const char* folder) {
    std::FILE* file = open_file(folder, name_, ".bin", "rb");
    unsigned char bytes[kBytes];
    while (std::fread(bytes, kBytes, 1, file) == 1) this->write(beat_from_bytes<Width>(bytes));
    std::fclose(file);
    played_ = this->size();
  }

  bool moved() const { return this->size() != before_; }
  void mark() { before_ = this->size(); }

  // The beats that whole steps wrote.
  void record(const char* folder) {
    std::FILE* file = open_file(folder, name_, ".bin", "wb");
    unsigned char bytes[kBytes];
    for (std::size_t beat = 0; beat < before_; ++beat) {
      beat_to_bytes<Width>(this->read(), bytes);
      std::fwrite(bytes, kBytes, 1, file);
    }
    if (std::fclose(file) != 0) csim_fail("reference: stream '%s' cannot be written", name_);
  }

 private:
  static constexpr std::size_t kBytes = (Width + 7) / 8;

  const char* name_;
  std::size_t played_ = 0;
  std::size_t before_ = 0;
};

class StepRun {
 public:
  StepRun(int argc, char** argv) {
    if (argc != 4) csim_fail("usage: %s INPUT_FOLDER OUTPUT_FOLDER STEPS", argv[0]);
    input_ = argv[1];
    output_ = argv[2];
    limit_ = std::atol(argv[3]);
  }

  const char* input() const { return input_; }
  const char* output() const { return output_; }

  template <class Unit, class... Taps>
  void steps(Unit& unit, typename Unit::Ports& ports, Taps&... taps) {
    on_empty_read = [] { std::longjmp(dry_, 1); };
    ran_dry_ = true;
    if (setjmp(dry_) == 0) {
      for (done_ = 0; done_ < limit_; ++done_) {
        (taps.mark(), ...);
        unit.step(ports);
        if ((taps.moved() || ...)) active_ = done_ + 1;
      }
      (taps.mark(), ...);
      ran_dry_ = false;
    }
    on_empty_read = nullptr;
  }

  // How far it came, and how many beats each input gave.
  template <class... Taps>
  void report(const Taps&... inputs) const {
    std::FILE* file = open_file(output_, "reference", ".json", "w");
    std::fprintf(file, "{\"steps\": %ld, \"idle\": %ld, \"ran_dry\": %s, \"taken\": {", done_, done_ - active_,
                 ran_dry_ ? "true" : "false");
    const char* comma = "";
    ((std::fprintf(file, "%s\"%s\": %zu", comma, inputs.name(), inputs.taken()), comma = ", "), ...);
    std::fprintf(file, "}}\n");
    if (std::fclose(file) != 0) csim_fail("reference: '%s/reference.json' cannot be written", output_);
  }

 private:
  inline static std::jmp_buf dry_;

  const char* input_ = nullptr;
  const char* output_ = nullptr;
  long limit_ = 0;
  long done_ = 0;
  long active_ = 0;
  bool ran_dry_ = false;
};

}  // namespace thresher

#endif
