// Units for the tests of division and square roots: each beat is two operands, or one.
#ifndef TESTS_HLSC_ARITHMETIC_UNITS_HPP
#define TESTS_HLSC_ARITHMETIC_UNITS_HPP

#include "thresher/divide.hpp"
#include "thresher/fixed.hpp"
#include "thresher/square_root.hpp"
#include "thresher/stream.hpp"

namespace arithmetic_units {

using thresher::InStream;
using thresher::OutStream;
using thresher::sint;
using thresher::uint;

template <int Width, bool Signed>
using Number = typename thresher::Whole<Width, Signed>::Type;

// `divide`, by zero as well, and the operators where they have a meaning. Results are extended to 8 bits more.
template <int A, bool SignedA, int B, bool SignedB>
struct Divide {
  static constexpr int kOut = (A > B ? A : B) + 8;
  struct Ports {
    InStream<A> a;
    InStream<B> b;
    OutStream<kOut> quotient, remainder, plain_quotient, plain_remainder;
  };

  void step(Ports& p) {
    const Number<A, SignedA> a = p.a.read();
    const Number<B, SignedB> b = p.b.read();
    const auto both = thresher::divide(a, b);
    p.quotient.write(sint<kOut>(both.quotient));
    p.remainder.write(sint<kOut>(both.remainder));
    if (b != 0) {
      p.plain_quotient.write(sint<kOut>(a / b));
      p.plain_remainder.write(sint<kOut>(a % b));
    }
  }
};

template <int Width>
struct Root {
  struct Ports {
    InStream<Width> a;
    OutStream<(Width + 1) / 2> root;
    OutStream<(Width + 1) / 2 + 1> remainder;
  };

  void step(Ports& p) {
    const uint<Width> a = p.a.read();
    const auto both = thresher::square_root(a);
    p.root.write(both.root);
    p.remainder.write(both.remainder);
  }
};

// A division in a recurrence, of a variable by a variable.
struct Decay {
  struct Ports {
    InStream<8> s_axis;
    OutStream<8> m_axis;
  };

  void step(Ports& p) {
    const uint<8> by = p.s_axis.read();
    total_ = total_ / (by | 1) + by;
    p.m_axis.write(total_);
  }

  uint<8> total_ = 0;
};

// C++'s own integers, with only one of quotient and remainder at a time.
struct Natives {
  struct Ports {
    InStream<32> a;
    InStream<32> b;
    OutStream<32> quotient, remainder;
  };

  void step(Ports& p) {
    const int a = p.a.read().to_int(), b = p.b.read().to_int() | 1;
    if (b != -1) p.quotient.write(static_cast<unsigned>(a / b));
    p.remainder.write(static_cast<unsigned>(a) % static_cast<unsigned>(b));
  }
};

template <int W, int I, thresher::Rounding R, thresher::Overflow O>
struct Scale {
  using In = thresher::fixed<12, 5>;
  using Out = thresher::fixed<W, I, R, O>;
  struct Ports {
    InStream<12> a;
    InStream<6> b;
    OutStream<W> product, quotient, sum;
  };

  void step(Ports& p) {
    const In a = In::from_bits(p.a.read());
    const auto b = thresher::ufixed<6, 2>::from_bits(p.b.read());
    p.product.write(Out(a * b).bits());
    p.sum.write(Out(a + b * 0 + gain_).bits());
    p.quotient.write(b == 0 ? uint<W>(0) : Out(a / b).bits());
  }

  thresher::fixed<8, 1> gain_ = -0.71;
};

}  // namespace arithmetic_units

#endif
