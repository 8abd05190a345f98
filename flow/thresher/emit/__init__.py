"""The hardware network to a project of files; with hlsc the only place that writes C++, SV and Tcl."""
