package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// readyWithin bounds the start of a server on a busy machine.
const readyWithin = 90 * time.Second

// Process is a running server.
type Process struct {
	Name    string
	URL     string // where its HTTP API listens
	logPath string
	command *exec.Cmd
	exited  chan struct{}
	err     error
	stop    sync.Once
}

// start runs a binary that logs into directory and waits until ready answers
// 200.
func start(ctx context.Context, name, directory, binary, url, ready string, args ...string) (*Process, error) {
	logPath := filepath.Join(directory, name+".log")
	log, err := os.Create(logPath)
	if err != nil {
		return nil, fmt.Errorf("create the log of %s: %w", name, err)
	}
	defer log.Close()
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr, command.Dir = log, log, directory
	dieWithParent(command)
	p := &Process{Name: name, URL: url, logPath: logPath, command: command, exited: make(chan struct{})}

	started := make(chan error)
	go func() {
		// The kernel ties "die with the parent" to the thread that forked:
		// this goroutine keeps its thread for as long as the server lives.
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.awaitReady(ctx, ready); err != nil {
		p.Stop(0)
		return nil, err
	}
	return p, nil
}

func (p *Process) awaitReady(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := "no answer yet"
	for {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready: %v\n%s", p.Name, p.err, p.LogTail())
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("%s is not ready after %s (%s)\n%s", p.Name, readyWithin, last, p.LogTail())
			}
			return ctx.Err()
		case <-tick.C:
		}
		response, err := http.Get(p.URL + path)
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		last = fmt.Sprintf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
}

// Exited is closed when the server has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// LogTail is the end of the server's log.
func (p *Process) LogTail() string {
	log, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("the end of %s:\n%s", p.logPath, lastLines(log, 20))
}

// Stop asks the server to end, and kills it where it does not in time.
func (p *Process) Stop(grace time.Duration) {
	p.stop.Do(func() {
		_ = p.command.Process.Signal(os.Interrupt)
		select {
		case <-p.exited:
		case <-time.After(grace):
			_ = p.command.Process.Kill()
			<-p.exited
		}
	})
}

// freePorts returns loopback ports that were free a moment ago, all different.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func lastLines(text []byte, n int) string {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
