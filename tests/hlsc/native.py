"""Run units as the C++ that they are: clang's own machine code, in this process."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher_sim.toolchain import find_amd_include, find_clang, find_gxx

HLS = Path(__file__).resolve().parents[2] / "hls"

_RUNTIME = """
#include <setjmp.h>
#include <new>
#include <stdlib.h>
#include <string.h>

// What every byte of a unit and of a Ram holds that the C++ gives no value.
extern "C" { unsigned char unset_byte = 0; }

namespace {

const char* ports_base;
const unsigned char* const* beats_in;
unsigned char* const* beats_out;
const int* available;
int *taken, *written;
jmp_buf blocked;

struct Contents { const void* ram; unsigned char* words; Contents* next; };
Contents* contents;

int bytes_of(int width) { return (width + 7) / 8; }

int object_size(int width) {
  if (width > 64) return (width + 63) / 64 * 8;
  int size = 1;
  while (8 * size < width) size *= 2;
  return size;
}

void put(void* object, int width, const unsigned char* bytes) {
  memset(object, 0, object_size(width));
  memcpy(object, bytes, bytes_of(width));
}

unsigned char* word_of(const void* ram, int width, int depth, unsigned address) {
  for (Contents* found = contents; found; found = found->next)
    if (found->ram == ram) return found->words + (size_t)address * bytes_of(width);
  unsigned char* words = (unsigned char*)malloc((size_t)depth * bytes_of(width));
  memset(words, unset_byte, (size_t)depth * bytes_of(width));
  contents = new Contents{ram, words, contents};
  return words + (size_t)address * bytes_of(width);
}

}  // namespace

extern "C" {
bool thresher_empty(const void* port) noexcept {
  const int index = (int)((const char*)port - ports_base);
  return taken[index] == available[index];
}
bool thresher_full(const void*) noexcept { return false; }
void thresher_read(const void* port, int width, void* beat) noexcept {
  const int index = (int)((const char*)port - ports_base);
  if (taken[index] == available[index]) longjmp(blocked, 1);
  put(beat, width, beats_in[index] + (size_t)taken[index]++ * bytes_of(width));
}
void thresher_write(const void* port, int width, const void* beat) noexcept {
  const int index = (int)((const char*)port - ports_base);
  memcpy(beats_out[index] + (size_t)written[index]++ * bytes_of(width), beat, bytes_of(width));
}
void thresher_rom(const void* table, int width, int depth, int, unsigned address, void* word) noexcept {
  put(word, width, (const unsigned char*)table + (size_t)address * ((width + 63) / 64 * 8));
}
void thresher_ram_initial(void* ram, int width, int depth, int bytes, int is_signed,
                          const void* table) noexcept {
  const unsigned char* number = (const unsigned char*)table;
  for (int address = 0; address < depth; ++address, number += bytes) {
    unsigned char* word = word_of(ram, width, depth, address);
    for (int place = 0; place < bytes_of(width); ++place)
      word[place] = place < bytes ? number[place] : is_signed && number[bytes - 1] >> 7 ? 255 : 0;
    if (width % 8) word[width / 8] &= (1 << width % 8) - 1;
  }
}
void thresher_ram_copy(void*, const void*) noexcept { abort(); }
void thresher_ram_read(const void* ram, int width, int depth, int, unsigned address, void* word) noexcept {
  put(word, width, word_of(ram, width, depth, address));
}
void thresher_ram_write(void* ram, int width, int depth, unsigned address, const void* word) noexcept {
  memcpy(word_of(ram, width, depth, address), word, bytes_of(width));
}
}

// Steps until one is blocked. The arrays are indexed by the port's byte in Ports.
template <class Unit>
int run(int steps, const unsigned char* const* in, const int* in_beats, unsigned char* const* out,
        int* out_beats) {
  constexpr int kPorts = sizeof(typename Unit::Ports);
  static int taken_now[kPorts], before[kPorts];
  alignas(Unit) static unsigned char place[sizeof(Unit)];
  memset(place, unset_byte, sizeof place);
  contents = nullptr;
  Unit& unit = *new (place) Unit;
  typename Unit::Ports ports;
  ports_base = (const char*)&ports;
  beats_in = in; beats_out = out; available = in_beats; taken = taken_now; written = out_beats;
  memset(taken_now, 0, sizeof taken_now);
  volatile int done = 0;
  while (done < steps) {
    memcpy(before, out_beats, sizeof before);
    if (setjmp(blocked)) { memcpy(out_beats, before, sizeof before); break; }
    unit.step(ports);
    done = done + 1;
  }
  return done;
}
"""


def _clang() -> list[str]:
    # Comparisons of 16 bytes in registers crash the code generator of clang 22.1.
    flags = ["-std=c++20", "-O1", "-fno-builtin-memcmp", "-ftrivial-auto-var-init=zero"]
    return [*find_clang(), *flags, "-Wno-integer-overflow", "-Wno-user-defined-warnings"]


def _gxx() -> list[str]:
    # The rest of `uint<8> taps[4] = {1}` is zero with our types, and with AMD's what the memory held: zero,
    # if g++ keeps the bytes that `run` sets before the unit is made. At -O1 it takes a third longer, for runs
    # of milliseconds.
    flags = ["-std=c++14", "-O0", "-w", "-fno-lifetime-dse"]
    return [find_gxx(), *flags, "-DTHRESHER_AMD", f"-isystem{find_amd_include()}"]


_COMPILERS = {"bitint": _clang, "amd": _gxx}

Ports = Sequence[tuple[str, int]]
"""Streams as (name, bits)."""


@dataclass(frozen=True)
class Run:
    """What was written to each output; `blocked` if a step waits for a beat that never comes."""

    outputs: dict[str, list[int]]
    blocked: bool

    def agrees(self, outputs: Mapping[str, Sequence[int]]) -> bool:
        """Whether hardware that was given the time wrote the same, or more if it never blocks."""
        return all(
            list(outputs[name][: None if self.blocked else len(beats)]) == beats
            for name, beats in self.outputs.items()
        )


class NativeUnits:
    """Units compiled together, by clang with our types or by g++ with AMD's; `run` runs one of them."""

    def __init__(self, folder: Path, header: Path, type_names: Sequence[str], types: str = "bitint") -> None:
        entries = [
            f'extern "C" int run_{index}(int steps, const unsigned char* const* in, const int* in_beats, '
            f"unsigned char* const* out, int* out_beats) "
            f"{{ return run<{name}>(steps, in, in_beats, out, out_beats); }}"
            for index, name in enumerate(type_names)
        ]
        source, library = folder / f"native_{types}.cpp", folder / f"native_{types}.so"
        source.write_text("\n".join([_RUNTIME, *entries]))
        command = [*_COMPILERS[types](), "-g0", "-fwrapv", "-shared", "-fPIC", "-DTHRESHER_HLSC"]
        command += ["-fno-exceptions", "-Wno-unknown-pragmas", "-I", str(HLS)]
        command += ["-include", str(header), str(source), "-o", str(library)]
        subprocess.run(command, check=True)
        self._library = ctypes.CDLL(str(library))

    def run(
        self,
        index: int,
        inputs: Ports,
        outputs: Ports,
        streams: Mapping[str, Sequence[int]],
        steps: int,
        unset: int = 0,
    ) -> Run:
        """At most `steps` steps, until one is blocked; the C++ `Ports` has the inputs before the outputs.

        Members and words of a `Ram` without an initial value begin with `unset` in every byte.
        """
        ctypes.c_ubyte.in_dll(self._library, "unset_byte").value = unset
        ports = [(name, -(-width // 8)) for name, width in (*inputs, *outputs)]
        beats = [
            b"".join(beat.to_bytes(size, "little") for beat in streams.get(name, ())) for name, size in ports
        ]
        taken_from = (ctypes.c_char_p * len(ports))(*beats)
        counts = (ctypes.c_int * len(ports))(*(len(streams.get(name, ())) for name, _ in ports))
        buffers = [ctypes.create_string_buffer(steps * size) for _, size in ports]
        written_to = (ctypes.c_void_p * len(ports))(*(ctypes.addressof(buffer) for buffer in buffers))
        written = (ctypes.c_int * len(ports))()
        done = getattr(self._library, f"run_{index}")(steps, taken_from, counts, written_to, written)
        found = {}
        for (name, size), buffer, count in zip(ports, buffers, written, strict=True):
            raw = buffer.raw
            found[name] = [int.from_bytes(raw[at * size : (at + 1) * size], "little") for at in range(count)]
        return Run({name: found[name] for name, _ in outputs}, blocked=done < steps)
