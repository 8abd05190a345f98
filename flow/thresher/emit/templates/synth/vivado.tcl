# Synthesise and implement the accelerator alone, out of context:
#
#     vivado -mode batch -source synth/vivado.tcl
#
# Leaves in build/synth/vivado: utilization.txt, hierarchy.txt, timing.txt, routed.dcp. Timing that is not
# met is an error, and the reports are there all the same.

source [file join [file dirname [file normalize [info script]]] project.tcl]
require_amd_part Vivado

set sources [project_files $rtl_files]
set constraints [project_file synth/clock.xdc]
set folder [build_folder vivado]
remove_results $folder {utilization.txt hierarchy.txt timing.txt routed.dcp}

create_project -in_memory -part $part
read_verilog -sv $sources
read_xdc $constraints
synth_design -top $top -part $part -mode out_of_context -flatten_hierarchy rebuilt
opt_design
place_design
phys_opt_design
route_design
report_utilization -file [file join $folder utilization.txt]
report_utilization -hierarchical -hierarchical_depth 1 -file [file join $folder hierarchy.txt]
report_timing_summary -delay_type min_max -max_paths 1 -file [file join $folder timing.txt]
write_checkpoint -force [file join $folder routed.dcp]

foreach {kind option} {setup -setup hold -hold} {
    set path [get_timing_paths $option -max_paths 1]
    if {[llength $path] && [get_property SLACK $path] < 0} {
        fail "timing is not met: the worst $kind slack at $clock_mhz MHz is [get_property SLACK $path] ns;\
            see [file join $folder timing.txt]; build for a slower clock, or for a faster part"
    }
}
