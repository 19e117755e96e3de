package servers

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel end the server when the lab is killed without
// a chance to clean up. The server gets a process group of its own, so that an
// interrupt at the terminal reaches the lab alone, which stops it in order.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
