// All of them, as one header.
#include "bit_units.hpp"
#include "ciphers.hpp"
#include "codes.hpp"
#include "control.hpp"
#include "filters.hpp"
#include "numbers.hpp"
#include "packets.hpp"
