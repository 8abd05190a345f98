// Units joined by FIFOs, cycle by cycle, with tokens in place of beats.
//
// It reads one graph from stdin, then any number of runs, and writes what happened in each to stdout;
// `simulator.py` documents all, and is the only caller. A unit here is what hlsc makes of its C++ (verilog/flow.py): a pipeline whose
// stages all move at once, unless the step in the last one writes and an output register holds a beat
// that is not taken. A FIFO is rtl/fifo.sv. Every handshake signal of these comes from a register, so a
// cycle is: all units and both ends look at the registers, then all registers change.
//
// It uses nothing of the C++ library that has to be linked, as any C compiler may link it.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using Int = std::int64_t;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "token simulator: %s\n", what);
  std::exit(1);
}

// Blocks of memory, each with the address of the one before it in front; those of a run are freed with it.
struct Block {
  Block* before;
  Int padding;
};
Block* newest = nullptr;

// Zeros at first.
template <typename T>
T* allocate(Int count) {
  const auto size = sizeof(Block) + static_cast<std::size_t>(count) * sizeof(T);
  auto* block = static_cast<Block*>(std::calloc(size, 1));
  if (block == nullptr) fail("out of memory");
  block->before = newest;
  newest = block;
  return reinterpret_cast<T*>(block + 1);
}

void free_back_to(Block* kept) {
  while (newest != kept) {
    Block* before = newest->before;
    std::free(newest);
    newest = before;
  }
}

template <typename T>
T* read_array(Int count) {
  T* result = allocate<T>(count);
  const auto wanted = static_cast<std::size_t>(count);
  if (std::fread(result, sizeof(T), wanted, stdin) != wanted) fail("the input ends too early");
  return result;
}

Int read_int() {
  Int value = 0;
  if (std::fread(&value, sizeof value, 1, stdin) != 1) fail("the input ends too early");
  return value;
}

void write_array(const Int* values, Int count) {
  const auto wanted = static_cast<std::size_t>(count);
  if (std::fwrite(values, sizeof(Int), wanted, stdout) != wanted) fail("cannot write");
}

struct Fifo {
  Int depth = 0;
  // Beats in all, and those of them that are not in the output register of a deep FIFO.
  Int held = 0, stored = 0;
  bool valid = false, ready = false;
  // What its two ends do in this cycle.
  bool put = false, taken = false;
  // Of a lazy run: whether the unit behind it waits for a beat, and none is in it.
  bool wanted = false;
  // Whether the next cycle is as this one if no beat goes in or out.
  bool calm = false;
  // The most beats that it held, and whether a beat ever waited outside.
  Int most = 0;
  bool refused = false;

  // The next cycle; whether it never held as many beats before.
  bool update() {
    calm = calm && !put && !taken;
    if (calm) return false;
    calm = !put && !taken && (stored == 0 || valid);
    held += put - taken;
    if (depth == 2) {
      valid = held > 0;
    } else {
      const bool moves = stored > 0 && (!valid || taken);
      stored += put - moves;
      valid = moves || (valid && !taken);
    }
    ready = held < depth;
    put = taken = false;
    if (held <= most) return false;
    most = held;
    return true;
  }
};

enum Kind : Int { kInStep = 0, kLookahead = 1 };

// Of a step: whether it writes, and above that a bit for each input, whether it reads that.
using Code = std::uint32_t;
constexpr Code kWrites = 1;

struct Output {
  Fifo* fifo = nullptr;
  // Whether its register holds a beat.
  bool valid = false;
};

struct Unit {
  Int kind = kInStep, stages = 1, steps = 0, beats = 0, capacity = 0;
  Int input_count = 1, output_count = 1;
  Fifo** inputs = nullptr;
  Output* outputs = nullptr;
  const Code* codes = nullptr;
  const std::int32_t *needs = nullptr, *frees = nullptr;

  Int step = 0;
  // Of a unit that reads ahead: beats of the frame that it took, and that it gave up.
  Int took = 0, freed = 0;
  // Whether the steps in the stages behind the first write; a ring, `last` is that of the last stage.
  bool* writing = nullptr;
  Int last = 0;
  // How many of these write.
  Int under_way = 0;
  // Whether it may do a step: in a lazy run only if a unit behind it waits for what it will write.
  bool called = true;

  // The next cycle; whether a step was done, or a beat taken or given.
  bool cycle() {
    const bool runs = called && (kind == kInStep ? has_beats() : took >= needs[step]);
    const bool writes = runs && (codes[step] & kWrites);
    if (!runs && under_way == 0 && kind == kInStep && !sends()) return false;
    const bool leaves = stages == 1 ? writes : writing[last];
    bool moved = false, held = false;
    for (Int i = 0; i < output_count; ++i) {
      Output& output = outputs[i];
      if (!output.valid) continue;
      const bool sent = output.fifo->ready;
      output.fifo->put = sent;
      output.fifo->refused |= !sent;
      output.valid = !sent;
      moved |= sent;
      held |= !sent;
    }
    if (leaves && held) return moved;
    if (leaves) {
      for (Int i = 0; i < output_count; ++i) outputs[i].valid = true;
    }
    if (stages > 1) {
      under_way += writes - leaves;
      writing[last] = writes;
      if (++last == stages - 1) last = 0;
    }
    if (kind == kLookahead) return advance_ahead(runs) || runs || moved;
    if (!runs) return moved;
    for (Int i = 0; i < input_count; ++i) inputs[i]->taken = reads(i);
    if (++step == steps) step = 0;
    return true;
  }

  // Of a lazy run, once the units behind it were asked: whether it may do a step, and which beats it wants.
  void ask() {
    called = false;
    for (Int i = 0; i < output_count; ++i) called |= outputs[i].fifo->wanted && !outputs[i].valid;
    const bool ahead = kind == kLookahead && took - freed < capacity;
    for (Int i = 0; i < input_count; ++i) {
      inputs[i]->wanted = called && inputs[i]->held == 0 && (kind == kInStep ? reads(i) : ahead);
    }
  }

  // Whether an output register holds a beat.
  bool sends() const {
    for (Int i = 0; i < output_count; ++i) {
      if (outputs[i].valid) return true;
    }
    return false;
  }

  bool reads(Int input) const { return codes[step] >> (input + 1) & 1; }

  bool has_beats() const {
    for (Int i = 0; i < input_count; ++i) {
      if (reads(i) && !inputs[i]->valid) return false;
    }
    return true;
  }

  // Of a unit that reads ahead; whether a beat was taken.
  bool advance_ahead(bool runs) {
    const bool takes = called && inputs[0]->valid && took - freed < capacity;
    inputs[0]->taken = takes;
    took += takes;
    if (runs) {
      freed = frees[step];
      if (++step == steps) {
        step = 0;
        took -= beats;
        freed -= beats;
      }
    }
    return takes;
  }
};

struct Graph {
  Int fifo_count, unit_count;
  Int input_beats, output_beats;
  Int frames, endless, period, limit, lazy;
  // Cycles without a beat at the output after which the run is given up; 0 for none.
  Int patience;
  // Cycles in which all that is under way comes out of any unit and FIFO, or to a stop.
  Int settling;
  Fifo *fifos, *input, *output;
  Unit* units;
};

Graph read_graph() {
  Graph graph{};
  graph.fifo_count = read_int();
  graph.unit_count = read_int();
  graph.fifos = allocate<Fifo>(graph.fifo_count);
  graph.units = allocate<Unit>(graph.unit_count);
  graph.input = &graph.fifos[read_int()];
  graph.input_beats = read_int();
  graph.output = &graph.fifos[read_int()];
  graph.output_beats = read_int();
  for (Int i = 0; i < graph.unit_count; ++i) {
    Unit& unit = graph.units[i];
    unit.kind = read_int();
    unit.stages = read_int();
    unit.steps = read_int();
    unit.beats = read_int();
    unit.capacity = read_int();
    unit.input_count = read_int();
    unit.inputs = allocate<Fifo*>(unit.input_count);
    for (Int j = 0; j < unit.input_count; ++j) unit.inputs[j] = &graph.fifos[read_int()];
    unit.output_count = read_int();
    unit.outputs = allocate<Output>(unit.output_count);
    for (Int j = 0; j < unit.output_count; ++j) unit.outputs[j].fifo = &graph.fifos[read_int()];
    unit.codes = read_array<Code>(unit.steps);
    if (unit.stages + 4 > graph.settling) graph.settling = unit.stages + 4;
    if (unit.kind == kLookahead) {
      unit.needs = read_array<std::int32_t>(unit.steps);
      unit.frees = read_array<std::int32_t>(unit.steps);
    }
  }
  return graph;
}

// Reads what a run is to be, and resets everything; false at the end of the input.
bool begin_run(Graph& graph) {
  if (std::fread(&graph.frames, sizeof graph.frames, 1, stdin) != 1) return false;
  graph.endless = read_int();
  graph.period = read_int();
  graph.limit = read_int();
  graph.lazy = read_int();
  graph.patience = read_int();
  for (Int i = 0; i < graph.fifo_count; ++i) {
    graph.fifos[i] = Fifo{};
    graph.fifos[i].depth = read_int();
    graph.fifos[i].ready = graph.fifos[i].depth == 2;  // a deep FIFO's is a register, 0 in reset
  }
  for (Int i = 0; i < graph.unit_count; ++i) {
    Unit& unit = graph.units[i];
    unit.step = unit.took = unit.freed = unit.last = unit.under_way = 0;
    unit.called = true;
    for (Int j = 0; j < unit.output_count; ++j) unit.outputs[j].valid = false;
    unit.writing = allocate<bool>(unit.stages - 1);
    if (unit.kind == kLookahead) unit.freed = unit.frees[unit.steps - 1] - unit.beats;
  }
  return true;
}

// The source: the next beat of its frame, for how long the next frame is due, and the cycles in which it
// had to wait until a frame was.
struct Source {
  Int beat = 0, lag = 0, waits = 0;
};

// The whole state behind the end of an output frame; equal ones are followed by equal cycles. The lag of a
// source that is late, and stays so, does not count: it offers its beats as if all frames were due.
class History {
 public:
  History(const Graph& graph)
      : graph_(graph), frames_(allocate<Int*>(graph.frames)), sources_(allocate<Source>(graph.frames)) {
    size_ = 1 + 3 * graph.fifo_count;
    for (Int i = 0; i < graph.unit_count; ++i) size_ += 2 + graph.units[i].output_count + graph.units[i].stages;
  }

  // Keeps the present state as that of `frame`; the frame of an equal one before, or -1.
  Int add(Int frame, const Source& source) {
    Int* state = allocate<Int>(size_);
    frames_[frame] = state;
    sources_[frame] = source;
    Int* next = state;
    *next++ = graph_.period > 0 ? source.beat : 0;
    for (Int i = 0; i < graph_.fifo_count; ++i) {
      const Fifo& fifo = graph_.fifos[i];
      *next++ = fifo.held;
      *next++ = fifo.stored;
      *next++ = fifo.valid;
    }
    for (Int i = 0; i < graph_.unit_count; ++i) {
      const Unit& unit = graph_.units[i];
      *next++ = unit.step;
      *next++ = unit.took;
      *next++ = unit.freed;
      for (Int j = 0; j < unit.output_count; ++j) *next++ = unit.outputs[j].valid;
      for (Int j = 0; j < unit.stages - 1; ++j) *next++ = unit.writing[(unit.last + j) % (unit.stages - 1)];
    }
    for (Int before = frame - 1; before >= 0; --before) {
      const Source& then = sources_[before];
      if (then.lag != source.lag && then.waits != source.waits) continue;
      if (std::memcmp(frames_[before], state, static_cast<std::size_t>(size_) * sizeof(Int)) == 0) return before;
    }
    return -1;
  }

 private:
  const Graph& graph_;
  Int** frames_;
  Source* sources_;
  Int size_;
};

enum Status : Int { kDone = 0, kRepeats = 1, kDeadlock = 2 };

// Frames, one after the other, that take too long before the run is given up.
constexpr Int kSlowFrames = 4;

struct Run {
  // `filled` is how many frames had begun when a FIFO last held more beats than before.
  Int status = kDone, cycles = 0, begun = 0, ended = 0, repeat_frames = 0, filled = 0;
  Int *begins, *ends;
};

Run run_graph(Graph& graph) {
  Run run;
  run.begins = allocate<Int>(graph.frames);
  run.ends = allocate<Int>(graph.frames);
  History history(graph);
  Source source;
  Int sink_beat = 0, still = 0, quiet = 0, slow = 0;
  for (Int now = 0;; ++now) {
    const bool left = graph.endless || run.begun < graph.frames || source.beat > 0;
    const Int coming = source.beat > 0 ? run.begun - 1 : run.begun;
    const bool due = now >= coming * graph.period;
    source.waits += !due && graph.input->ready;
    bool moved = left && !due;
    if (graph.lazy) {
      graph.output->wanted = true;
      for (Int i = graph.unit_count; i-- > 0;) graph.units[i].ask();
    }
    if (left && due && (!graph.lazy || graph.input->wanted)) {
      graph.input->put = graph.input->ready;
      moved = graph.input->put;
      graph.input->refused |= !graph.input->ready;
      if (graph.input->put) {
        if (source.beat == 0) {
          if (run.begun < graph.frames) run.begins[run.begun] = now;
          ++run.begun;
        }
        if (++source.beat == graph.input_beats) source.beat = 0;
      }
    }
    for (Int i = 0; i < graph.unit_count; ++i) moved |= graph.units[i].cycle();
    bool frame_ends = false;
    ++quiet;
    if (graph.output->valid) {
      quiet = 0;
      graph.output->taken = true;
      moved = true;
      if (++sink_beat == graph.output_beats) {
        sink_beat = 0;
        run.ends[run.ended++] = now;
        frame_ends = true;
      }
    }
    for (Int i = 0; i < graph.fifo_count; ++i) {
      if (graph.fifos[i].update()) run.filled = run.begun;
    }
    run.cycles = now + 1;
    if (frame_ends) {
      if (graph.endless) {
        source.lag = now - run.begun * graph.period;
        const Int before = history.add(run.ended - 1, source);
        if (before >= 0) {
          run.status = kRepeats;
          run.repeat_frames = run.ended - 1 - before;
          return run;
        }
      }
      if (run.ended == graph.frames) return run;
      if (graph.limit > 0 && run.ended > 1) {
        slow = run.ends[run.ended - 1] - run.ends[run.ended - 2] > graph.limit ? slow + 1 : 0;
        if (slow == kSlowFrames) return run;
      }
    }
    still = moved ? 0 : still + 1;
    if (still > graph.settling || (graph.patience > 0 && quiet > graph.patience)) {
      run.status = kDeadlock;
      return run;
    }
  }
}

}  // namespace

int main() {
  Graph graph = read_graph();
  Block* const graph_memory = newest;
  while (begin_run(graph)) {
    const Run run = run_graph(graph);
    const Int head[] = {run.status, run.cycles, run.begun, run.ended, run.repeat_frames, run.filled};
    write_array(head, 6);
    write_array(run.begins, run.begun < graph.frames ? run.begun : graph.frames);
    write_array(run.ends, run.ended);
    for (Int i = 0; i < graph.fifo_count; ++i) {
      const Fifo& fifo = graph.fifos[i];
      const Int tail[] = {fifo.most, fifo.refused, fifo.held};
      write_array(tail, 3);
    }
    if (std::fflush(stdout) != 0) fail("cannot write");
    free_back_to(graph_memory);
  }
  return 0;
}
