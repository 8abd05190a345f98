# Vivado's commands, after AMD UG835; the IP packager's after UG1118; pins of IPs after their product guides
# (PG021 DMA, PG085 stream converters, PG164 reset, PG247 SmartConnect, PG082 and PG201 processor systems).

set ::stub::project ""
set ::stub::top ""
set ::stub::sources {}
set ::stub::state ""
set ::stub::packaged ""
array set ::stub::cells {}
array set ::stub::config {}
array set ::stub::joined {}
set ::stub::automated 0
set ::stub::slack [expr {[info exists ::env(SLACK)] ? $::env(SLACK) : 0.5}]

proc has_module {name} {
    foreach file $::stub::sources {
        if {[regexp "(^|\n)\\s*module\\s+$name\\M" [content $file]]} {
            return 1
        }
    }
    return 0
}

proc advance {from to} {
    must [expr {$::stub::state in $from}] "'$to' comes after '$from', not after '$::stub::state'"
    set ::stub::state $to
}

stub create_project {-part} {-in_memory -force} 0 2 {
    needs create_project -part
    must [string match xc* $option(-part)] "create_project: no such part"
    if {[info exists option(-in_memory)]} {
        set ::stub::project memory
    } else {
        must [expr {[llength $words] == 2}] "create_project: give a name and a folder"
        set ::stub::project [lindex $words 1]
        produce [file join [lindex $words 1] [lindex $words 0].xpr]
    }
    set ::stub::sources {}
    set ::stub::top ""
}
stub close_project {} {} 0 0 { set ::stub::project "" }
stub read_verilog {-library} {-sv} 1 1 {
    must [expr {$::stub::project ne ""}] "read_verilog: there is no project"
    must [info exists option(-sv)] "read_verilog: these files are SystemVerilog"
    there [lindex $words 0]
    lappend ::stub::sources {*}[lindex $words 0]
}
stub read_xdc {-cells -ref} {-unmanaged -no_add} 1 1 {
    there $words
    must [regexp {create_clock -period [0-9.]+ -name ap_clk} [content [lindex $words 0]]] "read_xdc: no clock"
}
stub add_files {-fileset -scan_for_includes} {-norecurse} 1 1 {
    must [expr {$::stub::project ne ""}] "add_files: there is no project"
    there [lindex $words 0]
    lappend ::stub::sources {*}[lindex $words 0]
}
stub synth_design {-top -part -mode -flatten_hierarchy} {} 0 0 {
    needs synth_design {-top -part}
    must [has_module $option(-top)] "synth_design: there is no module $option(-top)"
    must [expr {$option(-mode) in {default out_of_context}}] "synth_design: no such mode"
    must [expr {$option(-flatten_hierarchy) in {full none rebuilt}}] "synth_design: no such hierarchy"
    advance {""} synthesised
}
stub opt_design {-directive} {} 0 0 { advance synthesised optimised }
stub place_design {-directive} {} 0 0 { advance optimised placed }
stub phys_opt_design {-directive} {} 0 0 { advance placed placed }
stub route_design {-directive} {} 0 0 { advance placed routed }
stub report_utilization {-file -hierarchical_depth -name} {-hierarchical} 0 0 {
    needs report_utilization -file
    must [expr {$::stub::state eq "routed"}] "report_utilization: nothing is routed"
    produce $option(-file)
}
stub report_timing_summary {-file -delay_type -max_paths -name} {-setup -hold} 0 0 {
    needs report_timing_summary -file
    must [expr {$option(-delay_type) in {max min min_max}}] "report_timing_summary: no such delay"
    produce $option(-file)
}
stub write_checkpoint {} {-force} 1 1 { produce [lindex $words 0] }
stub get_timing_paths {-max_paths -nworst} {-setup -hold} 0 0 { return path }

stub current_project {} {} 0 0 { return project }
stub current_fileset {} {} 0 0 { return fileset }
stub update_compile_order {-fileset} {} 0 0 {
    must [expr {$::stub::top ne ""}] "update_compile_order: there is no top"
    must [has_module $::stub::top] "update_compile_order: there is no module '$::stub::top'"
}
set flags {-quiet -regexp -nocase -latest_file_version -latest_hw_revision}
stub get_board_parts {-filter} $flags 0 1 {
    set known [expr {[info exists ::env(BOARD_PARTS)] ? $::env(BOARD_PARTS) : ""}]
    return [lsearch -all -inline -glob $known [lindex $words 0]]
}
stub update_ip_catalog {} {-rebuild} 0 0 {}

# The names that set_property takes, by the kind of object.
array set ::stub::properties {
    project {board_part ip_repo_paths}
    fileset {top}
    core {name version display_name description}
}
proc set_property {args} {
    note [list set_property {*}$args]
    if {[lindex $args 0] eq "-dict"} {
        lassign $args _ pairs object
    } else {
        set object [lindex $args 2]
        set pairs [lrange $args 0 1]
    }
    foreach {name value} $pairs {
        if {[info exists ::stub::cells($object)]} {
            set kind $::stub::cells($object)
            must [expr {$name in $::stub::configs($kind)}] "set_property: $kind has no $name"
            set ::stub::config($object,$name) $value
        } else {
            must [info exists ::stub::properties($object)] "set_property: there is no object '$object'"
            must [expr {$name in $::stub::properties($object)}] "set_property: $object has no $name"
            if {$name eq "top"} {
                set ::stub::top $value
            }
            if {$name eq "ip_repo_paths"} {
                foreach folder $value {
                    there [list [file join $folder component.xml]]
                }
            }
            if {$name eq "board_part"} {
                must [expr {$value in $::env(BOARD_PARTS)}] "set_property: no board files $value"
            }
        }
    }
}
proc get_property {name object} {
    note [list get_property $name $object]
    switch -glob $name {
        SLACK { return $::stub::slack }
        PROGRESS { return [expr {[info exists ::env(PROGRESS)] ? $::env(PROGRESS) : "100%"}] }
        STATUS { return "write_bitstream ERROR" }
        DIRECTORY { return $::stub::run_folder }
        CONFIG.*ACT*FREQMHZ { return 99.999 }
        default { error "get_property: $object has no $name" }
    }
}

# The IP packager.
namespace eval ipx {}
set valued {-root_dir -vendor -library -taxonomy -module -set_current}
stub ipx::package_project $valued {-import_files -force} 0 0 {
    needs ipx::package_project {-root_dir -vendor -library -taxonomy}
    must [expr {$::stub::top ne "" && [has_module $::stub::top]}] "ipx::package_project: there is no top"
    foreach file $::stub::sources {
        if {[regexp "module\\s+$::stub::top\\M" [content $file]]} {
            must [string match *.v $file] "ipx::package_project: the top is no Verilog"
            set ::stub::ip_text [content $file]
        }
    }
    set ::stub::packaged $option(-root_dir)
    set ::stub::ip_vendor_library $option(-vendor):$option(-library)
    produce [file join $option(-root_dir) component.xml]
}
stub ipx::current_core {} {} 0 0 {
    must [expr {$::stub::packaged ne ""}] "ipx::current_core: nothing is packaged"
    return core
}
stub ipx::get_bus_interfaces {-of_objects} {-quiet} 1 1 {
    needs ipx::get_bus_interfaces -of_objects
    return [expr {[regexp "[lindex $words 0]_tdata" $::stub::ip_text] ? $words : ""}]
}
stub ipx::infer_bus_interface {} {} 3 3 {}
stub ipx::associate_bus_interfaces {-busif -clock -reset} {} 1 1 {
    needs ipx::associate_bus_interfaces -clock
    foreach name [array names option] {
        must [regexp "\\m$option($name)" $::stub::ip_text] "ipx::associate_bus_interfaces: no $option($name)"
    }
}
foreach command {create_xgui_files update_checksums check_integrity save_core} {
    stub ipx::$command {} {-quiet} 1 1 {}
}

# IPs: interface pins (master or slave, memory mapped or stream), clocks and resets in, and what is given out.
array set ::stub::interfaces {
    processing_system7 {M_AXI_GP0 {m mm} S_AXI_HP0 {s mm}}
    zynq_ultra_ps_e {M_AXI_HPM0_FPD {m mm} S_AXI_HP0_FPD {s mm}}
    proc_sys_reset {}
    axi_dma {S_AXI_LITE {s mm} M_AXI_MM2S {m mm} M_AXI_S2MM {m mm} M_AXIS_MM2S {m axis}
        S_AXIS_S2MM {s axis}}
    axis_data_fifo {S_AXIS {s axis} M_AXIS {m axis}}
    axis_dwidth_converter {S_AXIS {s axis} M_AXIS {m axis}}
    accelerator {s_axis {s axis} m_axis {m axis}}
}
array set ::stub::inputs {
    processing_system7 {M_AXI_GP0_ACLK S_AXI_HP0_ACLK}
    zynq_ultra_ps_e {maxihpm0_fpd_aclk saxihp0_fpd_aclk}
    proc_sys_reset {slowest_sync_clk ext_reset_in}
    smartconnect {aclk aresetn}
    axi_dma {s_axi_lite_aclk m_axi_mm2s_aclk m_axi_s2mm_aclk axi_resetn}
    axis_data_fifo {s_axis_aclk s_axis_aresetn}
    axis_dwidth_converter {aclk aresetn}
    accelerator {ap_clk ap_rst_n}
}
array set ::stub::outputs {
    processing_system7 {FCLK_CLK0 FCLK_RESET0_N}
    zynq_ultra_ps_e {pl_clk0 pl_resetn0}
    proc_sys_reset {peripheral_aresetn interconnect_aresetn}
}
array set ::stub::configs {
    processing_system7 {CONFIG.PCW_USE_M_AXI_GP0 CONFIG.PCW_USE_S_AXI_HP0 CONFIG.PCW_S_AXI_HP0_DATA_WIDTH
        CONFIG.PCW_EN_CLK0_PORT CONFIG.PCW_EN_RST0_PORT CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ}
    zynq_ultra_ps_e {CONFIG.PSU__USE__M_AXI_GP0 CONFIG.PSU__USE__M_AXI_GP1 CONFIG.PSU__USE__M_AXI_GP2
        CONFIG.PSU__USE__S_AXI_GP2 CONFIG.PSU__SAXIGP2__DATA_WIDTH CONFIG.PSU__FPGA_PL0_ENABLE
        CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ}
    smartconnect {CONFIG.NUM_SI CONFIG.NUM_MI}
    axi_dma {CONFIG.c_include_sg CONFIG.c_sg_include_stscntrl_strm CONFIG.c_sg_length_width
        CONFIG.c_m_axi_mm2s_data_width CONFIG.c_m_axis_mm2s_tdata_width CONFIG.c_m_axi_s2mm_data_width
        CONFIG.c_s_axis_s2mm_tdata_width}
    axis_data_fifo {CONFIG.FIFO_DEPTH}
    axis_dwidth_converter {CONFIG.M_TDATA_NUM_BYTES}
    accelerator {CONFIG.BATCH_TLAST}
}
array set ::stub::rules {
    processing_system7 {make_external apply_board_preset Master Slave}
    zynq_ultra_ps_e apply_board_preset
}

stub create_bd_design {} {} 1 1 {}
stub create_bd_cell {-type -vlnv -reference} {} 1 1 {
    needs create_bd_cell {-type -vlnv}
    lassign [split $option(-vlnv) :] vendor library name version
    if {$vendor ne "xilinx.com"} {
        must [expr {"$vendor:$library" eq $::stub::ip_vendor_library}] "create_bd_cell: no such IP"
    }
    must [info exists ::stub::inputs($name)] "create_bd_cell: there is no IP $option(-vlnv)"
    must [expr {![info exists ::stub::cells([lindex $words 0])]}] "create_bd_cell: [lindex $words 0] is there"
    set ::stub::cells([lindex $words 0]) $name
    return [lindex $words 0]
}
stub get_bd_cells {} {} 1 1 {
    must [info exists ::stub::cells([lindex $words 0])] "get_bd_cells: there is no [lindex $words 0]"
    return [lindex $words 0]
}
stub apply_bd_automation {-rule -config} {} 1 1 {
    set kind $::stub::cells([lindex $words 0])
    must [expr {$option(-rule) eq "xilinx.com:bd_rule:$kind"}] "apply_bd_automation: no such rule"
    set given [lsort [dict keys $option(-config)]]
    must [string equal $given [lsort $::stub::rules($kind)]] "apply_bd_automation: -config"
    must [dict get $option(-config) apply_board_preset] "the board's memory and clocks are not set"
    incr ::stub::automated
}
proc interface_of {end} {
    lassign [split $end /] cell pin
    must [info exists ::stub::cells($cell)] "there is no cell $cell"
    set kind $::stub::cells($cell)
    if {$kind eq "smartconnect"} {
        foreach {letter count direction} {S NUM_SI s M NUM_MI m} {
            if {[regexp "^${letter}(\\d\\d)_AXI$" $pin _ number]
                && [scan $number %d] < $::stub::config($cell,CONFIG.$count)} {
                return [list $direction mm]
            }
        }
    } elseif {[dict exists $::stub::interfaces($kind) $pin]} {
        return [dict get $::stub::interfaces($kind) $pin]
    }
    error "there is no interface $end"
}
stub get_bd_intf_pins {} {} 1 1 {
    interface_of [lindex $words 0]
    return [lindex $words 0]
}
stub connect_bd_intf_net {} {} 2 2 {
    lassign [interface_of [lindex $words 0]] from protocol
    must [expr {$from eq "m"}] "[lindex $words 0] is no master"
    must [expr {[interface_of [lindex $words 1]] eq [list s $protocol]}] "[lindex $words 1] is no such slave"
    foreach end $words {
        must [expr {![info exists ::stub::joined($end)]}] "$end is joined twice"
    }
    set ::stub::joined([lindex $words 0]) [lindex $words 1]
    set ::stub::joined([lindex $words 1]) [lindex $words 0]
}
stub get_bd_pins {} {} 1 1 {
    lassign [split [lindex $words 0] /] cell pin
    must [info exists ::stub::cells($cell)] "there is no cell $cell"
    set kind $::stub::cells($cell)
    set given [expr {[info exists ::stub::outputs($kind)] ? $::stub::outputs($kind) : {}}]
    must [expr {$pin in $::stub::inputs($kind) || $pin in $given}] "there is no pin [lindex $words 0]"
    return [lindex $words 0]
}
stub connect_bd_net {} {} 2 2 {
    lassign $words from to
    lassign [split $from /] cell pin
    set kind $::stub::cells($cell)
    must [info exists ::stub::outputs($kind)] "$from gives nothing"
    must [expr {$pin in $::stub::outputs($kind)}] "$from gives nothing"
    must [expr {![info exists ::stub::joined($to)]}] "$to is joined twice"
    set resets {reset|rst}
    must [expr {[regexp -nocase $resets [file tail $to]] == [regexp -nocase $resets $pin]}] \
        "a clock is joined to a reset, or a reset to a clock: $words"
    set ::stub::joined($to) $from
}
stub assign_bd_address {} {} 0 0 { set ::stub::assigned 1 }

# Bytes of the stream that leaves or enters an interface.
proc stream_bytes {end} {
    lassign [split $end /] cell pin
    switch $::stub::cells($cell) {
        axi_dma {
            set sends [string equal $pin M_AXIS_MM2S]
            set name [expr {$sends ? "c_m_axis_mm2s_tdata_width" : "c_s_axis_s2mm_tdata_width"}]
            return [expr {$::stub::config($cell,CONFIG.$name) / 8}]
        }
        axis_data_fifo { return [stream_bytes $::stub::joined($cell/S_AXIS)] }
        axis_dwidth_converter { return $::stub::config($cell,CONFIG.M_TDATA_NUM_BYTES) }
        accelerator {
            must [regexp "\\\[(\\d+):0\\\]\\s+${pin}_tdata" $::stub::ip_text _ high] "no width of $pin"
            return [expr {($high + 1) / 8}]
        }
    }
}
stub validate_bd_design {} {} 0 0 {
    must $::stub::automated "the processor system is not set up for the board"
    must $::stub::assigned "addresses are not assigned"
    foreach {cell kind} [array get ::stub::cells] {
        set pins $::stub::inputs($kind)
        if {$kind eq "smartconnect"} {
            foreach {letter count} {S NUM_SI M NUM_MI} {
                for {set i 0} {$i < $::stub::config($cell,CONFIG.$count)} {incr i} {
                    lappend pins [format "${letter}%02d_AXI" $i]
                }
            }
        } else {
            lappend pins {*}[dict keys $::stub::interfaces($kind)]
        }
        foreach pin $pins {
            must [info exists ::stub::joined($cell/$pin)] "$cell/$pin is not joined"
        }
        if {$kind eq "axi_dma"} {
            foreach {memory stream} {c_m_axi_mm2s_data_width c_m_axis_mm2s_tdata_width
                c_m_axi_s2mm_data_width c_s_axis_s2mm_tdata_width} {
                set wide $::stub::config($cell,CONFIG.$memory)
                set narrow $::stub::config($cell,CONFIG.$stream)
                must [expr {$wide in {32 64 128 256 512 1024}}] "the DMA has no memory of $wide bits"
                must [expr {$narrow in {8 16 32 64 128 256 512 1024}}] "the DMA has no stream of $narrow bits"
                must [expr {$wide >= $narrow}] "the DMA's stream is wider than its memory"
            }
        }
    }
    foreach end {accelerator/s_axis axi_dma/S_AXIS_S2MM} {
        must [expr {[stream_bytes $::stub::joined($end)] == [stream_bytes $end]}] "the widths at $end differ"
    }
}
stub save_bd_design {} {} 0 0 {}
stub get_files {} {-quiet} 1 1 { return $words }
stub generate_target {} {-force} 2 2 {}
stub make_wrapper {-files} {-top -import -force} 0 0 {
    needs make_wrapper {-files -top}
    return [produce [file join $::stub::project system_wrapper.v] "module system_wrapper; endmodule"]
}
stub launch_runs {-to_step -jobs} {} 1 1 {
    must [expr {$option(-to_step) eq "write_bitstream"}] "launch_runs: no such step"
    set ::stub::run_folder [file join $::stub::project board.runs impl_1]
    produce [file join $::stub::run_folder ${::stub::top}.bit] bits
    produce [file join $::stub::project board.gen/sources_1/bd/system/hw_handoff/system.hwh] hardware
}
stub wait_on_run {} {} 1 1 {}
stub get_runs {} {} 1 1 { return $words }
stub open_run {} {} 1 1 { set ::stub::state routed }
