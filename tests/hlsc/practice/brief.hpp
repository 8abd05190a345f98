// To be included first: without what libc++ includes besides, a unit compiles in half the time.
#define _LIBCPP_REMOVE_TRANSITIVE_INCLUDES
