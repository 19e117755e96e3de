package main

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/foresight-observability/foresight/tests/harness"
	"github.com/foresight-observability/foresight/tests/preview"
)

// page is where a person looks: a Grafana where one is at hand, else the
// preview host.
type page struct {
	address string
	what    string
	stop    func()
}

func open(plugin *harness.Plugin, lab *harness.Lab, port int) (page, error) {
	if home := os.Getenv("GRAFANA_HOME"); home != "" {
		return grafana(home, lab, port)
	}
	host, err := preview.New(plugin, lab)
	if err != nil {
		return page{}, err
	}
	listener, err := listen(port)
	if err != nil {
		return page{}, err
	}
	server := &http.Server{Handler: host.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return page{
		address: "http://" + listener.Addr().String() + "/",
		what:    "the preview host, not Grafana",
		stop:    func() { _ = server.Close() },
	}, nil
}

// listen opens a port of this machine alone; 0 takes a free one.
func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
