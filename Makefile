# Build, test and run. `make` alone says what there is.

# GoCV's modules are chosen by build tags, because Debian's OpenCV (4.6) is
# older than some of GoCV's bindings. This is the one place; .vscode repeats it
# for editors, and `make lint` compares the two.
TAGS := gocv_specific_modules,gocv_videoio,gocv_highgui
export GOFLAGS := $(strip $(filter-out -tags=%,$(shell go env GOFLAGS 2>/dev/null)) -tags=$(TAGS))

# ONNX Runtime's shared library comes out of this version of the npm package
# onnxruntime-node, and only with this hash.
export ORT_VERSION := 1.27.0
export ORT_INTEGRITY := sha512-QEzGwrvNBgv4uPVdnbHsOGG4G6T96mdlcFI8aAKPjMU8wOPpVocPXb6k3QGkaZagVTv2G9Bnnbo6Z3JdXr1fQw==

# What `make run` replays: any recording that `bin/perceive replay --help` lists. (Live cameras:
# bin/perceive run.)
SOURCE ?= scene://?seed=2&seconds=10

# Tests with one of these words in their name measure allocations or time.
MEASURE := Alloc|Budget

.DEFAULT_GOAL := help
.PHONY: help deps build run test bench lint fmt generate clean road

help: ## say what the targets do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what is missing (skip: PERCEIVE_SKIP_DEPS=1, own library: PERCEIVE_ORT_LIB=FILE)
	@.ci/deps

build: ## make bin/perceive
	@.ci/deps build
	go build -o bin/perceive ./cmd/perceive

run: build ## replay SOURCE: results, an annotated video and a report, in out/
	@mkdir -p out
	bin/perceive replay "$(SOURCE)" --out out/detections.jsonl --annotate out/drive.mp4 --report out/report

# The race detector changes what is allocated and how long things take, so the
# tests that measure run once more without it. With matprofile GoCV counts OpenCV's Mats, which
# the garbage collector does not see: those tests want all of them back.
test: lint ## everything that a change must pass
	go test -race -timeout 25m -skip '$(MEASURE)' ./...
	go test -timeout 15m -run '$(MEASURE)' ./...
	go test -timeout 15m -tags=$(TAGS),matprofile -run Mats ./camera/opencv ./perception/serve

bench: ## all benchmarks
	@.ci/deps build
	go test -run '^$$' -bench . -benchmem ./...

lint: deps ## gofmt, go vet, staticcheck, and the editor's build tags
	@out=$$(gofmt -l .); [ -z "$$out" ] || { echo "run make fmt, these are not formatted:"; echo "$$out"; exit 1; }
	@grep -q '"$(TAGS)"' .vscode/settings.json || { echo ".vscode/settings.json: go.buildTags is not $(TAGS)"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

fmt: ## format the Go files
	gofmt -l -w .

generate: deps ## make generated files again (needs protoc and protoc-gen-go)
	go generate ./...

clean: ## remove what was built; .deps stays
	rm -rf bin build out

# The built-in model, from the photographs on: DATA has train/ and val/ with their labels.jsonl, DETECTOR
# is YOLOX-nano as its authors export it. Two hours on 2 cores; RESUME=--resume goes on with the first part.
road: build ## train the built-in model anew: DATA=road DETECTOR=yolox_nano.onnx, into runs/
	@test -n "$(DATA)" -a -n "$(DETECTOR)" || { echo "make road DATA=FOLDER DETECTOR=FILE.onnx"; exit 2; }
	bin/perceive teach --detector "$(DETECTOR)" --data "jsonl:$(DATA)/train/labels.jsonl" --out runs/seen.jsonl
	bin/perceive train --data "jsonl:$(DATA)/train/labels.jsonl?teacher=runs/seen.jsonl" --val "jsonl:$(DATA)/val/labels.jsonl" --config models/road.yaml --out runs/road $(RESUME)
	bin/perceive train --data "jsonl:$(DATA)/train/labels.jsonl?teacher=runs/seen.jsonl" --val "jsonl:$(DATA)/val/labels.jsonl" --config models/road-finish.yaml --init runs/road --out runs/finish
	bin/perceive export --run runs/finish --data "jsonl:$(DATA)/val/labels.jsonl" --licence Apache-2.0 --out runs/road.onnx
	bin/perceive export --model runs/road.onnx --data "jsonl:$(DATA)/val/labels.jsonl" --precision int8 --out runs/road-int8.onnx
