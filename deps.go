//go:build deps

package foresight

import (
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	_ "github.com/grafana/grafana-plugin-sdk-go/build"
	_ "github.com/grafana/grafana-plugin-sdk-go/experimental"
	_ "github.com/grafana/grafana-plugin-sdk-go/experimental/concurrent"
	_ "github.com/grafana/grafana-plugin-sdk-go/experimental/datasourcetest"
	_ "github.com/grafana/tempo/pkg/tempopb"
	_ "github.com/magefile/mage/mg"
	_ "github.com/magefile/mage/sh"
	_ "github.com/maypok86/otter/v2"
	_ "github.com/prometheus/client_golang/api/prometheus/v1"
	_ "github.com/prometheus/common/model"
	_ "github.com/sony/gobreaker/v2"
	_ "github.com/stretchr/testify/require"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/sync/singleflight"
	_ "gonum.org/v1/gonum/mat"
	_ "gonum.org/v1/gonum/optimize"
	_ "gonum.org/v1/gonum/stat"
	_ "pgregory.net/rapid"
	_ "google.golang.org/protobuf/proto"
	_ "google.golang.org/grpc"
	_ "github.com/hashicorp/go-plugin"
	_ "github.com/gogo/protobuf/jsonpb"
)
