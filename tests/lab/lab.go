package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"golang.org/x/sync/errgroup"

	"github.com/foresight-observability/foresight/tests/lab/control"
	"github.com/foresight-observability/foresight/tests/lab/history"
	"github.com/foresight-observability/foresight/tests/lab/servers"
	"github.com/foresight-observability/foresight/tests/lab/shop"
)

// addresses is the line of JSON that tells the parent where everything is.
type addresses struct {
	Prometheus string `json:"prometheus,omitempty"`
	Tempo      string `json:"tempo,omitempty"`
	OTLP       string `json:"otlp,omitempty"`
	Zipkin     string `json:"zipkin,omitempty"`
	Jaeger     string `json:"jaeger,omitempty"`
	Mimir      string `json:"mimir,omitempty"`
	MimirSplit string `json:"mimirSplit,omitempty"`
	Ruler      string `json:"ruler,omitempty"` // of the Mimir that is split
	TempoSplit string `json:"tempoSplit,omitempty"`
	Tenant     string `json:"tenant,omitempty"` // for Mimir and the Tempo that is split
	Control    string `json:"control,omitempty"`
}

type logger func(format string, args ...any)

// binaries are the paths of the built servers, empty for those not run.
type binaries struct{ prometheus, tempo, jaeger, mimir string }

func build(ctx context.Context, o options, log logger) (b binaries, err error) {
	builder := servers.Builder{Source: o.source, Cache: o.cache, Log: log}
	group, ctx := errgroup.WithContext(ctx)
	get := func(needed bool, spec servers.Spec, path *string) {
		if !needed {
			return
		}
		group.Go(func() (err error) {
			*path, err = builder.Binary(ctx, spec)
			return err
		})
	}
	get(o.runs(prometheus), servers.Prometheus, &b.prometheus)
	get(o.runs(tempo) || o.runs(tempoSplit), servers.Tempo, &b.tempo)
	get(o.runs(jaeger), servers.Jaeger, &b.jaeger)
	get(o.runs(mimir) || o.runs(mimirSplit), servers.Mimir, &b.mimir)
	return b, group.Wait()
}

// lab is what runs.
type lab struct {
	log       logger
	addresses addresses
	servers   servers.Set
	receivers []shop.Receiver
	cleanup   []func() // run in reverse order
	failed    chan error
	grace     time.Duration // for a server to end
}

// Tempo sleeps for five seconds when it stops and then flushes. That matters
// where its data is kept, and to nobody where it is removed.
const graceForKeptData, graceForLostData = 30 * time.Second, 2 * time.Second

func startLab(ctx context.Context, o options, built binaries, log logger) (*lab, error) {
	l := &lab{log: log, failed: make(chan error, 1), grace: graceForKeptData}
	data := o.data
	if data == "" {
		var err error
		if data, err = os.MkdirTemp("", "foresight-lab-"); err != nil {
			return l, fmt.Errorf("create a directory for the servers' data: %w", err)
		}
		l.grace = graceForLostData
		l.onStop(func() { os.RemoveAll(data) })
	}

	for _, begin := range []func(context.Context, options, binaries, string) error{
		l.startMetrics, l.startTempo, l.startJaeger,
	} {
		if err := begin(ctx, o, built, data); err != nil {
			return l, err
		}
	}
	if o.shop {
		return l, l.openShop(ctx, o)
	}
	return l, nil
}

// startMetrics runs Prometheus and the Mimirs that it writes to. History is
// there first: Prometheus and Mimir take it over when they start.
func (l *lab) startMetrics(ctx context.Context, o options, built binaries, data string) error {
	if !o.runs(prometheus) {
		return nil
	}
	if o.shop && o.history > 0 {
		if err := l.writeHistory(ctx, o, servers.PrometheusData(data)); err != nil {
			return err
		}
	}
	var mimirs []*servers.MimirServer
	for _, kind := range []struct {
		name    string
		split   bool
		address *string
	}{{mimir, false, &l.addresses.Mimir}, {mimirSplit, true, &l.addresses.MimirSplit}} {
		if !o.runs(kind.name) {
			continue
		}
		l.log("starting %s", kind.name)
		server, err := servers.StartMimir(ctx, built.mimir, data, servers.PrometheusData(data), kind.split)
		if err != nil {
			return err
		}
		l.watch(server.Parts...)
		*kind.address, l.addresses.Ruler, l.addresses.Tenant = server.Read, server.Ruler, servers.Tenant
		mimirs = append(mimirs, server)
	}
	l.log("starting Prometheus")
	process, err := servers.StartPrometheus(ctx, built.prometheus, data, o.prometheusPort, mimirs)
	if err != nil {
		return err
	}
	l.watch(process)
	l.addresses.Prometheus = process.URL
	return nil
}

// startTempo runs Tempo, whole or split or both. One of them writes the
// metrics of its generator: two would write the same series twice.
func (l *lab) startTempo(ctx context.Context, o options, built binaries, data string) error {
	remoteWrite := ""
	if l.addresses.Prometheus != "" {
		remoteWrite = l.addresses.Prometheus + "/api/v1/write"
	}
	if o.runs(tempo) {
		l.log("starting Tempo")
		server, err := servers.StartTempo(ctx, built.tempo, data, servers.TempoOptions{
			RemoteWrite: remoteWrite, HTTP: o.tempoPort, OTLP: o.otlpPort,
		})
		if err != nil {
			return err
		}
		l.watch(server.Parts...)
		l.addresses.Tempo, l.addresses.OTLP, l.addresses.Zipkin = server.URL, server.OTLP, server.Zipkin
		l.receivers = append(l.receivers, shop.Receiver{URL: server.OTLP})
		remoteWrite = ""
	}
	if o.runs(tempoSplit) {
		l.log("starting Tempo, split by target")
		server, err := servers.StartTempo(ctx, built.tempo, data, servers.TempoOptions{Split: true, RemoteWrite: remoteWrite})
		if err != nil {
			return err
		}
		l.watch(server.Parts...)
		l.addresses.TempoSplit, l.addresses.Tenant = server.URL, servers.Tenant
		l.receivers = append(l.receivers, shop.Receiver{URL: server.OTLP, Tenant: servers.Tenant})
	}
	return nil
}

func (l *lab) startJaeger(ctx context.Context, o options, built binaries, data string) error {
	if !o.runs(jaeger) {
		return nil
	}
	l.log("starting Jaeger")
	server, err := servers.StartJaeger(ctx, built.jaeger, data, o.jaegerPort)
	if err != nil {
		return err
	}
	l.watch(server.Process)
	l.addresses.Jaeger = server.URL
	l.receivers = append(l.receivers, shop.Receiver{URL: server.OTLP})
	return nil
}

func (l *lab) writeHistory(ctx context.Context, o options, storage string) error {
	began := time.Now()
	l.log("writing %.4g days of metric history, one sample a minute", o.history.Hours()/24)
	err := history.Write(ctx, history.Options{
		Directory: storage, Seed: o.seed, Rate: o.rate, Load: shop.Rhythm{Seed: o.seed},
		Length: o.history, Now: time.Now, Progress: l.log,
	})
	if err == nil {
		l.log("history written in %.1f s", time.Since(began).Seconds())
	}
	return err
}

// openShop starts the traffic and the API that controls it.
func (l *lab) openShop(ctx context.Context, o options) error {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if ctx.Err() == nil && !errors.Is(err, context.Canceled) { // what is cut off by the end is no news
			l.log("telemetry: %v", err)
		}
	}))
	telemetry, closeTelemetry, err := shop.LiveTelemetry(ctx, l.receivers, l.addresses.Prometheus)
	if err != nil {
		return err
	}
	live, err := shop.New(shop.Options{
		Seed: o.seed, Rate: o.rate, Load: shop.Rhythm{Seed: o.seed}, Telemetry: telemetry,
	}, time.Now())
	if err != nil {
		return err
	}
	running, stopTraffic := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		live.RunLive(running)
		close(done)
	}()
	l.onStop(func() {
		stopTraffic()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = live.Close(ctx) // the servers go away with the shop: a lost last batch is no loss
		_ = closeTelemetry(ctx)
	})

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.controlPort))
	if err != nil {
		return fmt.Errorf("listen for the control API: %w", err)
	}
	server := &http.Server{Handler: control.Handler(live, &l.servers), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	l.onStop(func() { server.Close() })
	l.addresses.Control = "http://" + listener.Addr().String()
	l.log("the shop is open: %.1f requests per second now", live.State().Rate)
	return nil
}

// watch stops servers with the lab and fails the lab when one ends by itself.
// Those that are watched together are stopped side by side.
func (l *lab) watch(processes ...*servers.Process) {
	for _, process := range processes {
		l.log("%s is ready at %s", process.Name, process.URL)
		l.servers.Add(process)
		go func() {
			err := <-process.Failed()
			select {
			case l.failed <- err:
			default: // one failure ends the lab
			}
		}()
	}
	l.onStop(func() {
		var group sync.WaitGroup
		for _, process := range processes {
			group.Go(func() { process.Stop(l.grace) })
		}
		group.Wait()
	})
}

func (l *lab) onStop(f func()) { l.cleanup = append(l.cleanup, f) }

// serve waits for the end: the caller's, or that of a server.
func (l *lab) serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

func (l *lab) stop() {
	for i := len(l.cleanup) - 1; i >= 0; i-- {
		l.cleanup[i]()
	}
	l.log("stopped")
}
