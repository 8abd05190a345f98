# Analysis, synthesis, fit and timing with Quartus, the accelerator alone:
#
#     quartus_sh -t synth/quartus.tcl
#
# The part is THRESHER_QUARTUS_PART, or any of the family THRESHER_QUARTUS_FAMILY (Cyclone V if not set). All
# ports but the clock are virtual: none takes a pin. Leaves its reports in build/synth/quartus.

package require ::quartus::project
package require ::quartus::flow
source [file join [file dirname [file normalize [info script]]] project.tcl]

set sources [project_files $rtl_files]
set constraints [project_file synth/clock.sdc]
set folder [build_folder quartus]
foreach report {map.summary fit.summary fit.rpt sta.summary sta.rpt} {
    remove_results $folder $top.$report
}
cd $folder

project_new $top -overwrite
set_global_assignment -name FAMILY [setting THRESHER_QUARTUS_FAMILY "Cyclone V"]
if {[setting THRESHER_QUARTUS_PART ""] ne ""} {
    set_global_assignment -name DEVICE [setting THRESHER_QUARTUS_PART ""]
}
set_global_assignment -name TOP_LEVEL_ENTITY $top
foreach file $sources {
    set_global_assignment -name SYSTEMVERILOG_FILE $file
}
set_global_assignment -name SDC_FILE $constraints
set_instance_assignment -name VIRTUAL_PIN ON -to *
set_instance_assignment -name VIRTUAL_PIN OFF -to ap_clk
export_assignments
if {[catch {execute_flow -compile} message]} {
    project_close
    fail "Quartus: $message; see the reports in '$folder'"
}
project_close
if {![file isfile [file join $folder $top.sta.summary]]} {
    fail "Quartus left no '$top.sta.summary' in '$folder'; see the reports there"
}
