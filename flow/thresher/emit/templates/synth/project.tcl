# What all scripts of this folder share: the project's facts, its folders, and errors that say what to do.
#
# Scripts run from anywhere and in any order; they write below build/synth of the project and nowhere else.

set synth_dir [file dirname [file normalize [info script]]]
set root_dir [file dirname $synth_dir]

# End with a message: what failed, and what to do.
proc fail {message} {
    puts stderr "synth: error: $message"
    exit 1
}

# The absolute path of a file of the project, which must be there.
proc project_file {name} {
    global root_dir
    set path [file join $root_dir $name]
    if {![file isfile $path]} {
        fail "file '$path' is missing; build the project again"
    }
    return $path
}

# The absolute paths of files of the project, which must all be there.
proc project_files {names} {
    set paths {}
    foreach name $names {
        lappend paths [project_file $name]
    }
    return $paths
}

# The folder build/synth/NAME of the project, made where it is missing.
proc build_folder {name} {
    global root_dir
    set folder [file join $root_dir build synth $name]
    file mkdir $folder
    return $folder
}

# What a result file holds is not trusted to be of this run: remove it first.
proc remove_results {folder names} {
    foreach name $names {
        file delete [file join $folder $name]
    }
}

# The tools of AMD take their own parts only.
proc require_amd_part {tool} {
    global part
    if {![string match -nocase "xc*" $part]} {
        fail "part '$part' is not one that $tool knows; build the project for an AMD part,\
            with --part or --board"
    }
}

# The value of an environment variable, or a default.
proc setting {name default} {
    if {[info exists ::env($name)] && $::env($name) ne ""} {
        return $::env($name)
    }
    return $default
}

source [project_file [file join synth settings.tcl]]
