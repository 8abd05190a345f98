# The commands of Vitis HLS, after the command reference in AMD UG1399.

array set ::stub::hls {}

stub open_project {} {-reset} 1 1 {
    set folder [file normalize [lindex $words 0]]
    must [string match "$::env(PROJECT)/build/*" $folder] "open_project: outside build/"
    array unset ::stub::hls
    array set ::stub::hls {sources {} benches {} state {}}
    set ::stub::hls(project) [file normalize [lindex $words 0]]
}
stub set_top {} {} 1 1 { set ::stub::hls(top) [lindex $words 0] }
stub add_files {-cflags -csimflags -blackbox} {-tb} 1 1 {
    there [lindex $words 0]
    foreach flag $option(-cflags) {
        must [regexp {^-(std=c\+\+14|I.*|D\w+|Wno-unknown-pragmas)$} $flag] "add_files: flag $flag"
        if {[regexp {^-I(.*)} $flag _ folder]} {
            there $folder
        }
    }
    lappend ::stub::hls([expr {[info exists option(-tb)] ? "benches" : "sources"}]) {*}[lindex $words 0]
}
stub open_solution {-flow_target} {-reset} 1 1 {
    must [expr {$option(-flow_target) in {vivado vitis}}] "open_solution: no such flow"
    set ::stub::hls(solution) [file join $::stub::hls(project) [lindex $words 0]]
}
stub set_part {} {} 1 1 { must [string match xc* $words] "set_part: no such part" }
stub create_clock {-period -name -uncertainty} {} 0 0 {
    needs create_clock -period
    must [expr {$option(-period) > 0}] "create_clock: no such period"
}
proc simulated {name arguments} {
    must [llength $::stub::hls(benches)] "$name: there is no test bench"
    must [expr {[llength $arguments] == 2}] "$name: the bench takes two files"
    there $arguments
}
stub csim_design {-argv -ldflags} {-clean -O -setup} 0 0 { simulated csim_design $option(-argv) }
stub csynth_design {} {} 0 0 {
    set found 0
    foreach file $::stub::hls(sources) {
        incr found [regexp "void $::stub::hls(top)\\(" [content $file]]
    }
    must $found "csynth_design: there is no function $::stub::hls(top)"
    set ::stub::hls(state) synthesised
    produce [file join $::stub::hls(solution) syn verilog $::stub::hls(top).v]
}
stub cosim_design {-argv -rtl -tool -trace_level -ldflags} {-O -setup -random_stall} 0 0 {
    must [expr {$::stub::hls(state) eq "synthesised"}] "cosim_design: nothing is synthesised"
    must [expr {$option(-rtl) in {verilog vhdl}}] "cosim_design: no such language"
    simulated cosim_design $option(-argv)
}
set valued {-format -rtl -flow -output -vendor -library -ipname -version -description -display_name}
stub export_design $valued {} 0 0 {
    must [expr {$::stub::hls(state) eq "synthesised"}] "export_design: nothing is synthesised"
    must [expr {$option(-format) in {ip_catalog xo syn_dcp sysgen}}] "export_design: no such format"
    must [expr {$option(-rtl) in {verilog vhdl}}] "export_design: no such language"
    produce [file join $::stub::hls(solution) impl verilog $::stub::hls(top).v]
}
stub close_project {} {} 0 0 {}
