# tclsh run.tcl TOOL SCRIPT: run a script of a project where TOOL's commands only check what they are given.
#
# A stub knows the options of its command, as the vendor documents them. It ends the run with an error where
# an option is unknown or lacks its value, where there are too few or too many arguments, where a file that
# is named is not there, and where a file would be written outside build/. Each call goes to the file CALLS.

set stubs [file dirname [file normalize [info script]]]
lassign $argv tool script
set argv {}
set argc 0

# What a stub remembers is out of the scripts' way.
namespace eval stub {}

proc note {line} {
    set file [open $::env(CALLS) a]
    puts $file $line
    close $file
}

proc must {condition message} {
    if {!$condition} {
        error $message
    }
}

# Define a command: its options with a value, its flags, the least and the most other arguments, and what it
# does with `option` (an array) and `words` (the other arguments).
proc stub {name valued flags least most {body {}}} {
    proc $name {args} "
        note \[list $name {*}\$args\]
        lassign \[parse {$name} {$valued} {$flags} $least $most \$args\] options words
        array set option \$options
        $body
    "
}

proc parse {name valued flags least most arguments} {
    set options {}
    set words {}
    for {set i 0} {$i < [llength $arguments]} {incr i} {
        set word [lindex $arguments $i]
        if {![regexp {^-[a-z_]+$} $word]} {
            lappend words $word
        } elseif {$word in $valued} {
            incr i
            must [expr {$i < [llength $arguments]}] "$name: $word lacks its value"
            lappend options $word [lindex $arguments $i]
        } else {
            must [expr {$word in $flags}] "$name: there is no option $word"
            lappend options $word 1
        }
    }
    set count [llength $words]
    must [expr {$count >= $least && $count <= $most}] "$name: $count arguments, and it takes $least to $most"
    return [list $options $words]
}

proc needs {name options} {
    upvar option option
    foreach wanted $options {
        must [info exists option($wanted)] "$name: $wanted is missing"
    }
}

proc there {files} {
    foreach file $files {
        must [file exists $file] "file '$file' is not there"
    }
}

# A file that a tool writes; it must lie in the project's build folder.
proc produce {path {text ""}} {
    set path [file normalize $path]
    must [string match "$::env(PROJECT)/build/*" $path] "'$path' is outside build/"
    file mkdir [file dirname $path]
    set file [open $path w]
    puts $file $text
    close $file
    return $path
}

proc content {path} {
    set file [open $path]
    set text [read $file]
    close $file
    return $text
}

source [file join $stubs $tool.tcl]
if {[catch {source $script}]} {
    puts stderr $errorInfo
    exit 1
}
