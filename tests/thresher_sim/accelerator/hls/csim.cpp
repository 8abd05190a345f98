#include "thresher/csim.hpp"

#include "total.hpp"
#include "twice.hpp"

int main(int argc, char** argv) {
  thresher::Csim sim(argc, argv);
  thresher::Tape<16> s_axis("s_axis", 3);
  thresher::Tape<18> twice_out("twice_out", 3);
  thresher::Tape<13> m_axis("m_axis", 1);
  Twice twice;
  Total total;
  while (sim.next_chunk()) {
    sim.play(s_axis);
    sim.run(twice, s_axis, twice_out, 3);
    sim.run(total, twice_out, m_axis, 3);
  }
}
