# Compile hls/ with Vitis HLS, the accelerator as a whole or its layers:
#
#     vitis_hls -f synth/vitis_hls.tcl                   up to 2024.1
#     vitis-run --mode hls --tcl synth/vitis_hls.tcl     from 2024.2
#
# Environment variables say what to do:
#
#     THRESHER_STEPS     of csim csynth cosim export; all of them if not set
#     THRESHER_LAYERS    names of layers, or all: C synthesis of each of these, in place of the accelerator
#
# csim and cosim hold what comes out against the golden vectors in sim/vectors. Leaves each in
# build/synth/vitis-hls/NAME/solution: reports in syn/report, Verilog in syn/verilog and, once exported, in
# impl/verilog; `make sim-vitis` then runs that Verilog in the project's own bench.

source [file join [file dirname [file normalize [info script]]] project.tcl]
require_amd_part "Vitis HLS"

if {[regexp {[^A-Za-z0-9_./:\\~+-]} $root_dir]} {
    fail "Vitis HLS takes no path with blanks or other special characters, as '$root_dir' has;\
        move the project"
}
set hls_dir [file join $root_dir hls]
set steps [setting THRESHER_STEPS {csim csynth cosim export}]
foreach step $steps {
    if {$step ni {csim csynth cosim export}} {
        fail "THRESHER_STEPS: there is no step '$step'; give some of csim csynth cosim export"
    }
}
set chosen [setting THRESHER_LAYERS {}]
if {$chosen eq "all"} {
    set chosen $layers
}
foreach layer $chosen {
    if {$layer ni $layers} {
        fail "THRESHER_LAYERS: there is no layer '$layer'; give some of $layers, or all"
    }
}

proc compile {name function file bench steps} {
    global part period_ns hls_dir
    set flags "-std=c++14 -I$hls_dir -DTHRESHER_AMD -DTHRESHER_VITIS -Wno-unknown-pragmas"
    open_project -reset $name
    set_top $function
    add_files [project_file $file] -cflags $flags
    if {$bench ne ""} {
        add_files -tb [project_file $bench] -cflags $flags
        set vectors [list [project_file sim/vectors/s_axis.bin] [project_file sim/vectors/m_axis.bin]]
    }
    open_solution -reset -flow_target vivado solution
    set_part $part
    create_clock -period $period_ns -name default
    if {"csim" in $steps} {
        csim_design -clean -argv [join $vectors]
    }
    if {"csynth" in $steps} {
        csynth_design
    }
    if {"cosim" in $steps} {
        cosim_design -rtl verilog -argv [join $vectors]
    }
    if {"export" in $steps} {
        export_design -format ip_catalog -rtl verilog
    }
    close_project
}

cd [build_folder vitis-hls]
if {[catch {
    if {[llength $chosen]} {
        foreach layer $chosen {
            compile $layer ${layer}_top hls/tops/$layer.cpp "" csynth
        }
    } else {
        compile $top $top hls/top.cpp hls/top_tb.cpp $steps
    }
} message]} {
    fail "Vitis HLS: $message"
}
exit 0
