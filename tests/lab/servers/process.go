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
	"sync/atomic"
	"time"
)

// readyWithin bounds the start of a server on a busy machine.
const readyWithin = 90 * time.Second

// Process is a server that runs, is paused or was killed.
type Process struct {
	Name string
	URL  string // where its HTTP API listens

	directory, binary, ready string
	arguments                []string
	failed                   chan error // gets why it ended, unless that was asked for

	mutex sync.Mutex // held while it is started or ended
	now   *run
}

// run is one life of a process.
type run struct {
	command *exec.Cmd
	exited  chan struct{}
	err     error
	asked   atomic.Bool // to end
}

// start runs a binary that logs into directory and waits until ready answers
// 200.
func start(ctx context.Context, name, directory, binary, url, ready string, arguments ...string) (*Process, error) {
	p := &Process{
		Name: name, URL: url, directory: directory, binary: binary, ready: ready,
		arguments: arguments, failed: make(chan error, 1),
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.launch(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// launch begins a life; the caller holds the mutex.
func (p *Process) launch(ctx context.Context) error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", p.Name, err)
	}
	defer log.Close()
	life := &run{command: exec.Command(p.binary, p.arguments...), exited: make(chan struct{})}
	life.command.Stdout, life.command.Stderr, life.command.Dir = log, log, p.directory
	dieWithParent(life.command)

	started := make(chan error)
	go func() {
		// The kernel ties "die with the parent" to the thread that forked:
		// this goroutine keeps its thread for as long as the server lives.
		runtime.LockOSThread()
		err := life.command.Start()
		started <- err
		if err == nil {
			life.err = life.command.Wait()
			close(life.exited)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.now = life
	if err := p.awaitReady(ctx, life); err != nil {
		life.end(0)
		return err
	}
	go func() {
		<-life.exited
		if !life.asked.Load() {
			p.failed <- fmt.Errorf("%s ended by itself: %v\n%s", p.Name, life.err, p.LogTail())
		}
	}()
	return nil
}

// end asks a life to end, and kills it where it does not in time.
func (r *run) end(grace time.Duration) {
	r.asked.Store(true)
	if grace > 0 {
		_ = r.command.Process.Signal(os.Interrupt)
	}
	select {
	case <-r.exited:
	case <-time.After(grace):
		_ = r.command.Process.Kill()
		<-r.exited
	}
}

func (p *Process) awaitReady(ctx context.Context, life *run) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last := "no answer yet"
	for {
		select {
		case <-life.exited:
			return fmt.Errorf("%s ended before it was ready: %v\n%s", p.Name, life.err, p.LogTail())
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("%s is not ready after %s (%s)\n%s", p.Name, readyWithin, last, p.LogTail())
			}
			return ctx.Err()
		case <-tick.C:
		}
		response, err := http.Get(p.URL + p.ready)
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

// Failed gets the reason where the server ended by itself.
func (p *Process) Failed() <-chan error { return p.failed }

// Stop asks the server to end, and kills it where it does not in time.
func (p *Process) Stop(grace time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.now.end(grace)
}

func (p *Process) logPath() string { return filepath.Join(p.directory, p.Name+".log") }

// LogTail is the end of the server's log.
func (p *Process) LogTail() string {
	log, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("the end of %s:\n%s", p.logPath(), lastLines(log, 20))
}

// given are the ports that this process has handed out: until a server listens
// on one, the kernel takes it for free.
var given sync.Map

// freePorts returns loopback ports that were free a moment ago, all different,
// also from those of earlier calls.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for len(ports) < n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close()
		port := listener.Addr().(*net.TCPAddr).Port
		if _, known := given.LoadOrStore(port, true); !known {
			ports = append(ports, port)
		}
	}
	return ports, nil
}

func lastLines(text []byte, n int) string {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
