# Quartus' commands, after Intel's Quartus Prime Settings File Reference Manual and its Tcl help.

package provide ::quartus::project 6.0
package provide ::quartus::flow 1.0
set ::stub::project ""
array set ::stub::assigned {}

stub project_new {-family -part -revision} {-overwrite} 1 1 {
    produce [lindex $words 0].qpf
    set ::stub::project [lindex $words 0]
}
stub project_close {} {} 0 0 { set ::stub::project "" }
stub set_global_assignment {-name -library -entity} {-remove} 1 1 {
    needs set_global_assignment -name
    must [expr {$::stub::project ne ""}] "set_global_assignment: there is no project"
    must [expr {$option(-name) in {FAMILY DEVICE TOP_LEVEL_ENTITY SYSTEMVERILOG_FILE SDC_FILE}}] \
        "set_global_assignment: there is no $option(-name)"
    if {[string match *_FILE $option(-name)]} {
        there $words
    }
    lappend ::stub::assigned($option(-name)) [lindex $words 0]
}
stub set_instance_assignment {-name -to -from -entity} {-remove} 1 1 {
    needs set_instance_assignment {-name -to}
    must [expr {$option(-name) eq "VIRTUAL_PIN" && $words in {ON OFF}}] "set_instance_assignment"
    set ::stub::virtual($option(-to)) $words
}
stub export_assignments {} {} 0 0 {}
proc execute_flow {args} {
    note [list execute_flow {*}$args]
    must [expr {$args eq "-compile"}] "execute_flow: $args"
    must [string equal $::stub::virtual(ap_clk) OFF] "execute_flow: the clock is virtual"
    must [string equal $::stub::virtual(*) ON] "execute_flow: ports take pins"
    set found 0
    foreach file $::stub::assigned(SYSTEMVERILOG_FILE) {
        incr found [regexp "(^|\n)module $::stub::assigned(TOP_LEVEL_ENTITY)\\M" [content $file]]
    }
    must $found "execute_flow: there is no top"
    if {[info exists ::env(FAILS)]} {
        error "fit failed"
    }
    foreach name {fit.summary fit.rpt sta.summary} {
        produce $::stub::project.$name
    }
}
