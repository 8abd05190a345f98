"""Reading the textual LLVM IR that clang writes; knows nothing of hardware."""
