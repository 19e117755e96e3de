module github.com/foresight-observability/foresight/tests/lab

go 1.26.0

require (
	github.com/gofrs/flock v0.13.1
	golang.org/x/mod v0.42.0
	golang.org/x/sync v0.24.0
)

require golang.org/x/sys v0.48.0 // indirect
