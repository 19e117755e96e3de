module github.com/foresight-observability/foresight/tests/engines/stage

go 1.26.5
