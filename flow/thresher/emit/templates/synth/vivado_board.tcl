# Build the bitstream of a Zynq board: processor system, AXI DMA, accelerator.
#
#     vivado -mode batch -source synth/vivado_board.tcl
#
# Leaves build/synth/vivado-board/accelerator.bit and accelerator.hwh, as PYNQ and driver/driver.py take them.
#
#     DMA -> FIFO -> width converter -> accelerator -> width converter -> FIFO -> DMA

source [file join [file dirname [file normalize [info script]]] project.tcl]
require_amd_part Vivado
if {$processor eq ""} {
    fail "the project is for no board with a processor system; build it with --board, for one of a Zynq"
}
if {$input_word_bytes eq "" || $output_word_bytes eq ""} {
    fail "beats of $input_beat_bytes and $output_beat_bytes bytes are too wide for AMD's stream converters;\
        fold the first or the last layer to fewer lanes"
}
set description [lindex [get_board_parts -quiet -latest_file_version $board_part] end]
if {$description eq ""} {
    fail "Vivado has no board files '$board_part' for $board; install them with Vivado's board store\
        (Tools, Vivado Store, Boards)"
}

# The IP of the accelerator, for this very part.
source [project_file synth/vivado_ip.tcl]

set folder [build_folder vivado-board]
remove_results $folder {accelerator.bit accelerator.hwh utilization.txt timing.txt}
create_project -force board [file join $folder project] -part $part
set_property board_part $description [current_project]
set_property ip_repo_paths [list $ip_repository] [current_project]
update_ip_catalog

# A cell of AMD's catalog, of whatever version this Vivado has.
proc cell {name ip {config {}}} {
    return [configured [create_bd_cell -type ip -vlnv xilinx.com:ip:$ip $name] $config]
}

proc configured {instance config} {
    if {[llength $config]} {
        set_property -dict $config $instance
    }
    return $instance
}

# Join interfaces two by two: a master's and a slave's.
proc join_streams {ends} {
    foreach {from to} $ends {
        connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
    }
}

create_bd_design system
switch $processor {
    processing_system7 {
        cell ps processing_system7
        apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
            -config {make_external "FIXED_IO, DDR" apply_board_preset "1" Master "Disable" Slave "Disable"} \
            [get_bd_cells ps]
        configured [get_bd_cells ps] [list \
            CONFIG.PCW_USE_M_AXI_GP0 1 \
            CONFIG.PCW_USE_S_AXI_HP0 1 \
            CONFIG.PCW_S_AXI_HP0_DATA_WIDTH [expr {8 * $port_bytes}] \
            CONFIG.PCW_EN_CLK0_PORT 1 \
            CONFIG.PCW_EN_RST0_PORT 1 \
            CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz]
        set clock ps/FCLK_CLK0
        set reset ps/FCLK_RESET0_N
        set control ps/M_AXI_GP0
        set memory ps/S_AXI_HP0
        set clocked {ps/M_AXI_GP0_ACLK ps/S_AXI_HP0_ACLK}
        set actual_mhz CONFIG.PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ
    }
    zynq_ultra_ps_e {
        cell ps zynq_ultra_ps_e
        apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config {apply_board_preset "1"} \
            [get_bd_cells ps]
        configured [get_bd_cells ps] [list \
            CONFIG.PSU__USE__M_AXI_GP0 1 \
            CONFIG.PSU__USE__M_AXI_GP1 0 \
            CONFIG.PSU__USE__M_AXI_GP2 0 \
            CONFIG.PSU__USE__S_AXI_GP2 1 \
            CONFIG.PSU__SAXIGP2__DATA_WIDTH [expr {8 * $port_bytes}] \
            CONFIG.PSU__FPGA_PL0_ENABLE 1 \
            CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz]
        set clock ps/pl_clk0
        set reset ps/pl_resetn0
        set control ps/M_AXI_HPM0_FPD
        set memory ps/S_AXI_HP0_FPD
        set clocked {ps/maxihpm0_fpd_aclk ps/saxihp0_fpd_aclk}
        set actual_mhz CONFIG.PSU__CRL_APB__PL0_REF_CTRL__ACT_FREQMHZ
    }
    default {
        fail "processor system '$processor' is not known to this script"
    }
}

cell system_reset proc_sys_reset
cell axi_control smartconnect {CONFIG.NUM_SI 1 CONFIG.NUM_MI 1}
cell axi_memory smartconnect {CONFIG.NUM_SI 2 CONFIG.NUM_MI 1}
# Lengths of 26 bits: transfers of up to 64 MiB. Words of memory have at least 32 bits, those of streams 8.
cell axi_dma axi_dma [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_m_axi_mm2s_data_width [expr {8 * max(4, $input_word_bytes)}] \
    CONFIG.c_m_axis_mm2s_tdata_width [expr {8 * $input_word_bytes}] \
    CONFIG.c_m_axi_s2mm_data_width [expr {8 * max(4, $output_word_bytes)}] \
    CONFIG.c_s_axis_s2mm_tdata_width [expr {8 * $output_word_bytes}]]
configured [create_bd_cell -type ip -vlnv $ip_vendor:$ip_library:$top:$ip_version $top] {CONFIG.BATCH_TLAST 1}

# The ends of each connection, from the DMA to the accelerator and back.
set forth [list axi_dma/M_AXIS_MM2S]
set back [list]
cell input_fifo axis_data_fifo {CONFIG.FIFO_DEPTH 512}
lappend forth input_fifo/S_AXIS input_fifo/M_AXIS
if {$input_word_bytes != $input_beat_bytes} {
    cell input_width axis_dwidth_converter [list CONFIG.M_TDATA_NUM_BYTES $input_beat_bytes]
    lappend forth input_width/S_AXIS input_width/M_AXIS
    lappend clocked input_width/aclk
    set input_resets input_width/aresetn
} else {
    set input_resets {}
}
lappend forth $top/s_axis
lappend back $top/m_axis
if {$output_word_bytes != $output_beat_bytes} {
    cell output_width axis_dwidth_converter [list CONFIG.M_TDATA_NUM_BYTES $output_word_bytes]
    lappend back output_width/S_AXIS output_width/M_AXIS
    lappend clocked output_width/aclk
    set output_resets output_width/aresetn
} else {
    set output_resets {}
}
cell output_fifo axis_data_fifo {CONFIG.FIFO_DEPTH 512}
lappend back output_fifo/S_AXIS output_fifo/M_AXIS axi_dma/S_AXIS_S2MM
join_streams $forth
join_streams $back
join_streams [list $control axi_control/S00_AXI axi_control/M00_AXI axi_dma/S_AXI_LITE]
join_streams [list axi_dma/M_AXI_MM2S axi_memory/S00_AXI axi_dma/M_AXI_S2MM axi_memory/S01_AXI]
join_streams [list axi_memory/M00_AXI $memory]

lappend clocked system_reset/slowest_sync_clk axi_control/aclk axi_memory/aclk axi_dma/s_axi_lite_aclk \
    axi_dma/m_axi_mm2s_aclk axi_dma/m_axi_s2mm_aclk input_fifo/s_axis_aclk output_fifo/s_axis_aclk $top/ap_clk
foreach pin $clocked {
    connect_bd_net [get_bd_pins $clock] [get_bd_pins $pin]
}
connect_bd_net [get_bd_pins $reset] [get_bd_pins system_reset/ext_reset_in]
set to_reset [list axi_control/aresetn axi_memory/aresetn axi_dma/axi_resetn input_fifo/s_axis_aresetn \
    output_fifo/s_axis_aresetn $top/ap_rst_n]
foreach pin [concat $to_reset $input_resets $output_resets] {
    connect_bd_net [get_bd_pins system_reset/peripheral_aresetn] [get_bd_pins $pin]
}

assign_bd_address
validate_bd_design
save_bd_design
puts "synth: the processor system gives [get_property $actual_mhz [get_bd_cells ps]] MHz of $clock_mhz"

set design [get_files system.bd]
generate_target all $design
add_files -norecurse [list [make_wrapper -files $design -top]]
set_property top system_wrapper [current_fileset]
update_compile_order -fileset sources_1
launch_runs impl_1 -to_step write_bitstream -jobs [setting THRESHER_JOBS 2]
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
    fail "the run ended as '[get_property STATUS [get_runs impl_1]]';\
        see the logs in [file join $folder project board.runs]"
}
open_run impl_1
report_utilization -file [file join $folder utilization.txt]
report_timing_summary -delay_type min_max -max_paths 1 -file [file join $folder timing.txt]
foreach {kind option} {setup -setup hold -hold} {
    set path [get_timing_paths $option -max_paths 1]
    if {[llength $path] && [get_property SLACK $path] < 0} {
        fail "timing is not met: the worst $kind slack is [get_property SLACK $path] ns;\
            see [file join $folder timing.txt]; no bitstream is given; build for a slower clock"
    }
}

# Where the hardware description lies has changed between versions of Vivado.
set handoff [glob -nocomplain -directory [file join $folder project] \
    board.gen/sources_1/bd/system/hw_handoff/system.hwh board.srcs/sources_1/bd/system/hw_handoff/system.hwh]
if {[llength $handoff] == 0} {
    fail "Vivado wrote no hardware description below [file join $folder project]; see its log"
}
set runs [get_property DIRECTORY [get_runs impl_1]]
file copy -force [file join $runs system_wrapper.bit] [file join $folder accelerator.bit]
file copy -force [lindex $handoff 0] [file join $folder accelerator.hwh]
puts "synth: [file join $folder accelerator.bit] and accelerator.hwh are ready"
