package datasets

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/foresight-observability/foresight/pkg/trace/propagation"
)

// PetShop is one scenario of the PetShop data: a shop's components, who calls
// whom, a time without issues, and issues with their root cause.
type PetShop struct {
	Calls  []propagation.Call
	Quiet  PetShopMetrics
	Issues []PetShopIssue
}

// PetShopMetrics are the components' metrics on one grid of five minutes.
type PetShopMetrics struct {
	Times    []float64 // begin of each step, Unix seconds
	Services map[string]*propagation.Service
}

// PetShopIssue is an injected issue.
type PetShopIssue struct {
	Name      string
	Metrics   PetShopMetrics
	Service   string // whose anomaly is asked about
	Signal    propagation.Signal
	At        float64 // of the injection, Unix seconds
	RootCause string
}

// LoadPetShop reads a scenario's folder.
func LoadPetShop(folder string) (*PetShop, error) {
	shop := &PetShop{}
	rows, err := readCSV(filepath.Join(folder, "graph.csv"))
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		for i, cell := range row[1:] {
			if value, err := strconv.ParseFloat(cell, 64); err == nil && value != 0 {
				shop.Calls = append(shop.Calls, propagation.Call{Caller: row[0], Callee: rows[0][i+1]})
			}
		}
	}
	if shop.Quiet, err = readPetShop(filepath.Join(folder, "noissue", "metrics.csv")); err != nil {
		return nil, err
	}
	folders, err := filepath.Glob(filepath.Join(folder, "*", "*", "target.json"))
	if err != nil || len(folders) == 0 {
		return nil, fmt.Errorf("%s has no issues (*/*/target.json)", folder)
	}
	for _, target := range folders {
		issue, err := readIssue(filepath.Dir(target))
		if err != nil {
			return nil, err
		}
		shop.Issues = append(shop.Issues, issue)
	}
	return shop, nil
}

func readIssue(folder string) (PetShopIssue, error) {
	var described struct {
		Target struct {
			Node, Metric string
			Timestamp    float64
		}
		RootCause struct{ Node string } `json:"root_cause"`
	}
	issue := PetShopIssue{Name: filepath.Base(filepath.Dir(folder)) + "/" + filepath.Base(folder)}
	content, err := os.ReadFile(filepath.Join(folder, "target.json"))
	if err != nil {
		return issue, err
	}
	if err := json.Unmarshal(content, &described); err != nil {
		return issue, fmt.Errorf("%s: %w", folder, err)
	}
	issue.Service, issue.At, issue.RootCause = described.Target.Node, described.Target.Timestamp, described.RootCause.Node
	switch described.Target.Metric {
	case "latency":
		issue.Signal = propagation.Latency
	case "availability":
		issue.Signal = propagation.Failures
	default:
		return issue, fmt.Errorf("%s: metric %q is neither latency nor availability", folder, described.Target.Metric)
	}
	issue.Metrics, err = readPetShop(filepath.Join(folder, "metrics.csv"))
	return issue, err
}

// readPetShop reads the columns of latency (average), requests and availability.
func readPetShop(file string) (PetShopMetrics, error) {
	m := PetShopMetrics{Services: map[string]*propagation.Service{}}
	rows, err := readCSV(file)
	if err != nil {
		return m, err
	}
	if len(rows) < 5 {
		return m, fmt.Errorf("%s has no values", file)
	}
	names, metrics, statistics := rows[0], rows[1], rows[2]
	data := rows[4:]
	slices.SortFunc(data, func(a, b []string) int {
		x, _ := strconv.ParseFloat(a[0], 64)
		y, _ := strconv.ParseFloat(b[0], 64)
		return int(x - y)
	})
	for _, row := range data {
		at, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			return m, fmt.Errorf("%s: %w", file, err)
		}
		m.Times = append(m.Times, at)
	}
	for i := 1; i < len(names); i++ {
		s := m.Services[names[i]]
		if s == nil {
			s = &propagation.Service{Name: names[i]}
			m.Services[names[i]] = s
		}
		values := make([]float64, len(data))
		for j, row := range data {
			values[j] = math.NaN()
			if value, err := strconv.ParseFloat(row[i], 64); err == nil {
				values[j] = value
			}
		}
		switch metrics[i] + " " + statistics[i] {
		case "latency Average":
			s.Latency = values
		case "requests Sum":
			s.Requests = values
		case "availability Average":
			for j := range values {
				values[j] = 1 - values[j]/100
			}
			s.Failed = values
		}
	}
	return m, nil
}

// After are these metrics with those of a later time behind them.
func (m PetShopMetrics) After(past PetShopMetrics) []propagation.Service {
	var joined []propagation.Service
	names := map[string]bool{}
	for name := range m.Services {
		names[name] = true
	}
	for name := range past.Services {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	for _, name := range sorted {
		before, now := past.Services[name], m.Services[name]
		if before == nil {
			before = &propagation.Service{}
		}
		if now == nil {
			now = &propagation.Service{}
		}
		joined = append(joined, propagation.Service{
			Name:     name,
			Requests: join(before.Requests, len(past.Times), now.Requests, len(m.Times)),
			Latency:  join(before.Latency, len(past.Times), now.Latency, len(m.Times)),
			Failed:   join(before.Failed, len(past.Times), now.Failed, len(m.Times)),
		})
	}
	return joined
}

// Between are some of the steps.
func (m PetShopMetrics) Between(from, to int) PetShopMetrics {
	part := PetShopMetrics{Times: m.Times[from:to], Services: map[string]*propagation.Service{}}
	cut := func(values []float64) []float64 {
		if values == nil {
			return nil
		}
		return values[from:to]
	}
	for name, s := range m.Services {
		part.Services[name] = &propagation.Service{Name: name, Requests: cut(s.Requests), Latency: cut(s.Latency), Failed: cut(s.Failed)}
	}
	return part
}

func join(before []float64, n int, now []float64, m int) []float64 {
	joined := make([]float64, n+m)
	for i := range joined {
		joined[i] = math.NaN()
	}
	copy(joined, before)
	copy(joined[n:], now)
	return joined
}

func readCSV(file string) ([][]string, error) {
	content, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	rows, err := csv.NewReader(content).ReadAll()
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s is empty", file)
	}
	return rows, err
}
