//go:build !unix

package servers

import (
	"errors"
	"os"
)

func suspend(*os.Process, bool) error {
	return errors.New("this operating system cannot pause a process")
}
