package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
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
	Control    string `json:"control,omitempty"`
}

type logger func(format string, args ...any)

// binaries are the paths of the built servers, empty for those not run.
type binaries struct{ prometheus, tempo, jaeger string }

func build(ctx context.Context, o options, log logger) (b binaries, err error) {
	builder := servers.Builder{Source: o.source, Cache: o.cache, Log: log}
	group, ctx := errgroup.WithContext(ctx)
	get := func(spec servers.Spec, path *string) {
		if !o.runs(spec) {
			return
		}
		group.Go(func() (err error) {
			*path, err = builder.Binary(ctx, spec)
			return err
		})
	}
	get(servers.Prometheus, &b.prometheus)
	get(servers.Tempo, &b.tempo)
	get(servers.Jaeger, &b.jaeger)
	return b, group.Wait()
}

// lab is what runs.
type lab struct {
	log       logger
	addresses addresses
	servers   servers.Set
	receivers []string // of traces over OTLP
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

	if o.runs(servers.Prometheus) {
		if o.shop && o.history > 0 {
			if err := l.writeHistory(ctx, o, servers.PrometheusData(data)); err != nil {
				return l, err
			}
		}
		log("starting Prometheus")
		process, err := servers.StartPrometheus(ctx, built.prometheus, data, o.prometheusPort)
		if err != nil {
			return l, err
		}
		l.watch(process)
		l.addresses.Prometheus = process.URL
	}
	if o.runs(servers.Tempo) {
		log("starting Tempo")
		remoteWrite := ""
		if l.addresses.Prometheus != "" {
			remoteWrite = l.addresses.Prometheus + "/api/v1/write"
		}
		tempo, err := servers.StartTempo(ctx, built.tempo, data, remoteWrite,
			servers.TempoPorts{HTTP: o.tempoPort, OTLP: o.otlpPort})
		if err != nil {
			return l, err
		}
		l.watch(tempo.Process)
		l.addresses.Tempo, l.addresses.OTLP, l.addresses.Zipkin = tempo.URL, tempo.OTLP, tempo.Zipkin
		l.receivers = append(l.receivers, tempo.OTLP)
	}
	if o.runs(servers.Jaeger) {
		log("starting Jaeger")
		jaeger, err := servers.StartJaeger(ctx, built.jaeger, data, o.jaegerPort)
		if err != nil {
			return l, err
		}
		l.watch(jaeger.Process)
		l.addresses.Jaeger = jaeger.URL
		l.receivers = append(l.receivers, jaeger.OTLP)
	}
	if o.shop {
		return l, l.openShop(ctx, o)
	}
	return l, nil
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

// watch stops the server with the lab and fails the lab when the server ends
// by itself.
func (l *lab) watch(process *servers.Process) {
	l.log("%s is ready at %s", process.Name, process.URL)
	l.servers.Add(process)
	l.onStop(func() { process.Stop(l.grace) })
	go func() {
		err := <-process.Failed()
		select {
		case l.failed <- err:
		default: // one failure ends the lab
		}
	}()
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
