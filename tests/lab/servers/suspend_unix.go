//go:build unix

package servers

import (
	"os"
	"syscall"
)

// suspend stops a process where it stands, or lets it go on.
func suspend(process *os.Process, pause bool) error {
	if pause {
		return process.Signal(syscall.SIGSTOP)
	}
	return process.Signal(syscall.SIGCONT)
}
