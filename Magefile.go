//go:build mage

// Every command a person runs: go tool mage <command>.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/build"
	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"
)

// Demo tells the story: a slow query ships, and Foresight names it.
type Demo mg.Namespace

// Test runs the tests.
type Test mg.Namespace

// Build makes the plugin in dist/.
type Build mg.Namespace

// Aliases give the everyday commands their short names.
var Aliases = map[string]any{
	"demo":  Demo.Serve,
	"test":  Test.All,
	"build": Build.All,
}

// Default is what "go tool mage" alone does.
var Default = Build.All

// Serve tells the story, shows it in a browser, and keeps everything running
// until interrupted.
func (Demo) Serve() error {
	mg.SerialDeps(Servers, page)
	return story("go", "run", "./tests/demo")
}

// Once tells the story and ends, with a non-zero status if the finding is wrong.
func (Demo) Once() error {
	mg.Deps(Servers)
	return story("go", "run", "./tests/demo", "-once")
}

// story runs a command that keeps the terminal, so that an interrupt reaches
// it and its own clean-up.
func story(name string, arguments ...string) error {
	command := exec.Command(name, arguments...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}

// positionIndependent are the platforms for which Go links position-independent
// executables by itself; for darwin it always does.
var positionIndependent = []string{"linux_amd64", "linux_arm64", "windows_amd64"}

// hardened builds without this machine's paths in the binary, at an address that
// cannot be foretold, and takes the run bit off the list of sources.
func hardened(platform string, compile func() error) error {
	flags := strings.TrimSpace(os.Getenv("GOFLAGS") + " -trimpath")
	if slices.Contains(positionIndependent, platform) {
		flags += " -buildmode=pie"
	}
	before := os.Getenv("GOFLAGS")
	if err := os.Setenv("GOFLAGS", flags); err != nil {
		return err
	}
	defer func() { _ = os.Setenv("GOFLAGS", before) }()
	if err := compile(); err != nil {
		return err
	}
	err := os.Chmod(filepath.Join("dist", "go_plugin_build_manifest"), 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// All builds the frontend and the backend for this machine.
func (Build) All() { mg.SerialDeps(Build.Frontend, Build.Backend) }

// Backend builds the Go binary for this machine.
func (Build) Backend() error {
	return step("building the backend", func() error {
		return hardened(runtime.GOOS+"_"+runtime.GOARCH, func() error { return build.Build{}.Custom(runtime.GOOS, runtime.GOARCH) })
	})
}

// Release builds the frontend, and the backend for every platform that Grafana
// runs on, or for those in PLATFORMS, as in "linux_amd64,darwin_arm64".
func (Build) Release() error {
	mg.Deps(Build.Frontend)
	b := build.Build{}
	platforms := []struct {
		name  string
		build func() error
	}{
		{"linux_amd64", b.Linux}, {"linux_arm", b.LinuxARM}, {"linux_arm64", b.LinuxARM64},
		{"darwin_amd64", b.Darwin}, {"darwin_arm64", b.DarwinARM64}, {"windows_amd64", b.Windows},
	}
	wanted := splitList(os.Getenv("PLATFORMS"))
	for _, platform := range platforms {
		if len(wanted) > 0 && !slices.Contains(wanted, platform.name) {
			continue
		}
		harden := func() error { return hardened(platform.name, platform.build) }
		if err := step("building the backend for "+platform.name, harden); err != nil {
			return err
		}
	}
	return nil
}

// Frontend builds the TypeScript modules.
func (Build) Frontend() error {
	mg.Deps(packages)
	return step("building the frontend", func() error { return sh.RunV("npm", "run", "--silent", "build") })
}

// page builds what the demo shows in a browser: the plugin's frontend in the
// preview host, or the whole plugin for the Grafana of GRAFANA_HOME.
func page() error {
	if os.Getenv("GRAFANA_HOME") != "" {
		mg.Deps(Build.All)
		return nil
	}
	return previewPage()
}

// previewPage builds what the preview host shows.
func previewPage() error {
	mg.Deps(Build.Frontend)
	return step("building the preview host's page", func() error {
		return sh.RunV("node", "tests/preview/web/build.mjs")
	})
}

// Servers builds the lab's Prometheus and Tempo, once, into the user's cache.
func Servers() error { return servers("prometheus,tempo") }

// servers builds some of the lab's servers that are not in the cache yet.
func servers(names string) error {
	return step("building "+names+" (once; some minutes each on two cores)", func() error {
		return in("tests/lab", "go", "run", ".", "-build-only", "-servers", names)
	})
}

// packages installs the npm packages when the lock file is newer than they are.
func packages() error {
	if upToDate("node_modules/.package-lock.json", "package-lock.json") {
		return nil
	}
	return step("installing npm packages", func() error {
		return sh.RunV("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	})
}

// All passes every test: frontend, Go, the lab, real servers, gRPC, a browser.
func (Test) All() {
	mg.SerialDeps(Test.Unit, Test.Lab, Test.Integration, Test.Attack, Test.Faults, Test.Browser, Test.Engines)
}

// Unit runs every unit test, of the frontend and of Go; it starts no server.
func (Test) Unit() { mg.SerialDeps(Test.Frontend, Test.Go) }

// Race runs the Go unit tests under the race detector.
func (Test) Race() error {
	return step("testing for data races", func() error {
		return sh.RunV("go", "test", "-race", "-timeout", "45m", "./pkg/...")
	})
}

// Browser uses the plugin's frontend in Chromium, in the preview host, over the
// lab; screenshots go to test-results/.
func (Test) Browser() error {
	if _, err := exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium")); err != nil {
		fmt.Println("✗ skipped: the tests in a browser. There is no Chromium; install it, or name it in CHROMIUM.")
		return nil
	}
	mg.SerialDeps(Servers, previewPage)
	return step("testing in a browser", func() error {
		return sh.RunV("npm", "exec", "--", "playwright", "test")
	})
}

// E2e uses the built plugin in Chromium in the Grafana of GRAFANA_HOME,
// provisioned, over the lab: dashboards, Explore, alert rules.
func E2e() error {
	if os.Getenv("GRAFANA_HOME") == "" {
		return errors.New("set GRAFANA_HOME to the folder of a Grafana (12.2 or newer, with bin/grafana in it)")
	}
	mg.SerialDeps(Servers, Build.All)
	return step("testing in Grafana", func() error {
		return sh.RunV("npm", "exec", "--", "playwright", "test", "--config", "tests/e2e/grafana")
	})
}

// Frontend checks the types and runs the frontend's tests.
func (Test) Frontend() error {
	mg.Deps(packages)
	return step("testing the frontend", func() error {
		return errors.Join(
			sh.RunV("npm", "run", "--silent", "typecheck"),
			sh.RunV("npm", "test", "--silent", "--", "--ci"),
		)
	})
}

// Go runs the Go unit tests.
func (Test) Go() error {
	return step("testing the backend", func() error { return sh.RunV("go", "test", "-timeout", "20m", "./...") })
}

// Integration runs the plugin over gRPC against real servers.
func (Test) Integration() error {
	if err := servers("prometheus,tempo,jaeger"); err != nil {
		return err
	}
	return step("testing with real servers", func() error {
		return sh.RunV("go", "test", "-tags", "integration", "-timeout", "45m", "./tests/integration", "./tests/chaos")
	})
}

// Attack abuses the plugin's process while alert rules are evaluated. It runs
// alone, because it measures how late rules are.
func (Test) Attack() error {
	return step("attacking the plugin's process", func() error {
		return sh.RunV("go", "test", "-tags", "integration", "-count=1", "-timeout", "15m", "./tests/attack")
	})
}

// Scale asks two plugin processes over single servers, over a Mimir of one and
// of ten processes and a Tempo of six, and compares: it takes 7 GB of memory
// and half an hour.
func Scale() error {
	if err := servers("prometheus,tempo,mimir,mimir-split,tempo-split"); err != nil {
		return err
	}
	return step("comparing topologies and replicas", func() error {
		return sh.RunWithV(map[string]string{"FORESIGHT_SCALE": "1"}, "go", "test", "-tags", "integration", "-count=1", "-timeout", "60m", "./tests/scale")
	})
}

// Lab runs the lab's own tests.
func (Test) Lab() error {
	return step("testing the lab", func() error { return in("tests/lab", "go", "test", "./...") })
}

// Faults breaks the lab's servers in the ways that differ most, and asks
// everything; go tool mage chaos does so in every way.
func (Test) Faults() error { return chaos("short", "prometheus,tempo") }

// Chaos breaks the lab's servers and their parts in every way, asks everything,
// and writes the tables in tests/chaos/results.
func Chaos() error { return chaos("full", "prometheus,tempo,mimir-split,tempo-split") }

func chaos(form, needed string) error {
	if err := servers(needed); err != nil {
		return err
	}
	return step("breaking what the plugin asks", func() error {
		return sh.RunV("go", "test", "-tags", "integration", "./tests/chaos", "-count=1", "-timeout", "90m", "-run", "TestChaos|TestParts", "-chaos", form)
	})
}

// The engines whose own code is tested against the running plugin, by how long
// they take to compile.
var (
	quickEngines = []string{"argo", "promadapter", "grafana", "gate", "mesh"} // two minutes
	slowEngines  = []string{"flagger", "keda"}                                // up to twenty
)

// Engines runs the code of Argo Rollouts, prometheus-adapter and Grafana's
// notifiers, and foresight-gate, against the running plugin.
func (Test) Engines() error { return engines(quickEngines) }

// Engines runs the code of every engine against the running plugin; KEDA alone
// takes twenty minutes to compile for the first time.
func Engines() error { return engines(append(quickEngines, slowEngines...)) }

func engines(names []string) error {
	for _, name := range names {
		err := step("testing with the code of "+name, func() error {
			return in("tests/engines/"+name, "go", "test", "-count=1", "-timeout", "15m", "./...")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Bench runs every benchmark and prints its figures; results belong into
// tests/bench/RESULTS.md.
func Bench() error {
	mg.Deps(Servers)
	return sh.RunV("go", "run", "./tests/bench", "all")
}

// Lint runs the linters, and looks for known vulnerabilities where the databases
// of them can be reached.
func Lint() error {
	mg.Deps(packages)
	unformatted, err := sh.Output("gofmt", "-l", "pkg", "tests", "Magefile.go")
	if err == nil && unformatted != "" {
		err = fmt.Errorf("not gofmt-clean:\n%s", unformatted)
	}
	return errors.Join(err,
		sh.RunV("go", "vet", "-tags", "integration", "./..."),
		in("tests/lab", "go", "vet", "./..."),
		in("tests/engines/stage", "go", "vet", "./..."),
		in("tests/tools", "go", "vet", "./..."),
		sh.RunV("npm", "run", "--silent", "lint"),
		vulnerabilities(),
	)
}

// step says what is done, and how long it took.
func step(what string, do func() error) error {
	begun := time.Now()
	fmt.Printf("→ %s …\n", what)
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	fmt.Printf("✓ %s (%s)\n", what, time.Since(begun).Round(time.Second/10))
	return nil
}

// in runs a command in a folder.
func in(folder, name string, arguments ...string) error {
	command := exec.Command(name, arguments...)
	command.Dir = filepath.FromSlash(folder)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s in %s: %w", name, strings.Join(arguments, " "), folder, err)
	}
	return nil
}

func upToDate(target, source string) bool {
	made, err := os.Stat(target)
	if err != nil {
		return false
	}
	wanted, err := os.Stat(source)
	return err == nil && !wanted.ModTime().After(made.ModTime())
}
