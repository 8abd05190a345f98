# Package the accelerator as an IP for Vivado's catalog, with two AXI4-Stream interfaces:
#
#     vivado -mode batch -source synth/vivado_ip.tcl
#
# Leaves the IP in build/synth/vivado-ip/ip. Its parameter BATCH_TLAST says what m_axis_tlast marks: 0, the
# end of each frame; 1, the end of the frame whose last input beat came with s_axis_tlast, as a DMA sends it.

source [file join [file dirname [file normalize [info script]]] project.tcl]
require_amd_part Vivado

set sources [project_files [concat $rtl_files $ip_files]]
set ip_folder [build_folder vivado-ip]
set ip_repository [file join $ip_folder ip]
file delete -force $ip_repository

create_project -force ip_project [file join $ip_folder project] -part $part
add_files -norecurse $sources
set_property top $ip_top [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir $ip_repository -vendor $ip_vendor -library $ip_library -taxonomy /UserIP \
    -import_files -force

set core [ipx::current_core]
set_property name $top $core
set_property version $ip_version $core
set_property display_name "$project_name accelerator" $core
set_property description "A neural network as a dataflow accelerator, AXI4-Stream in and out" $core
foreach interface {s_axis m_axis} {
    if {[llength [ipx::get_bus_interfaces -quiet $interface -of_objects $core]] == 0} {
        ipx::infer_bus_interface \
            [list ${interface}_tdata ${interface}_tvalid ${interface}_tready ${interface}_tlast] \
            xilinx.com:interface:axis_rtl:1.0 $core
    }
    ipx::associate_bus_interfaces -busif $interface -clock ap_clk $core
}
ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
if {![file isfile [file join $ip_repository component.xml]]} {
    fail "Vivado wrote no IP to '$ip_repository'; see its log"
}
