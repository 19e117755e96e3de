module github.com/foresight-observability/foresight/tests/engines/promadapter

go 1.26.5

require (
	github.com/foresight-observability/foresight/tests/engines/stage v0.0.0
	github.com/stretchr/testify v1.9.0
)

require (
	github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc // indirect
	github.com/go-logr/logr v1.4.1 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2 // indirect
	github.com/prometheus/common v0.46.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
	k8s.io/klog/v2 v2.120.1 // indirect
	sigs.k8s.io/prometheus-adapter v0.12.0
)

replace github.com/foresight-observability/foresight/tests/engines/stage => ../stage
