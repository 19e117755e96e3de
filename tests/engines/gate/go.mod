module github.com/foresight-observability/foresight/tests/engines/gate

go 1.26.5

require github.com/foresight-observability/foresight/tests/engines/stage v0.0.0

replace github.com/foresight-observability/foresight/tests/engines/stage => ../stage
