PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test wheel smoke reproduce fuzz batch export bench lint picture table

# What `pip install keras-jpeg-gan` brings is enough: no TensorFlow.
demo: $(VENV)/light
	$(BIN)/python examples/demo.py examples/mountain.jpg demo

test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The wheel in an empty environment outside this folder: alone, then with one extra after another.
wheel: $(VENV)/installed
	$(BIN)/python -m pytest --run_slow -rP --durations=0 tests/test_wheel.py

# By the commands alone: from photographs to a restored file; and the examples.
smoke: $(VENV)/installed
	$(BIN)/python -m pytest --run_slow tests/test_smoke.py tests/test_examples.py

# Every command of docs/reproduce.md, from raw data to the paper's tables, at toy scale.
reproduce: $(VENV)/installed
	$(BIN)/python -m pytest --run_slow tests/test_reproduce.py

# Files broken on purpose, for a minute.
fuzz: $(VENV)/installed
	PYTHONPATH=. $(BIN)/python tests/fuzz/fuzz.py --seconds=60

# jpeg-gan-batch on clusters of Ray that it starts here: nodes removed, drivers killed, a bucket.
batch: $(VENV)/installed
	$(BIN)/python -m pytest --run_slow tests/batch

# SavedModel, TFLite, phones and the browser: with g++, Node and Chromium where they are.
export: $(VENV)/installed
	$(BIN)/python -m pytest --run_slow tests/export

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Beside PyTorch and other programs, where they are (docs/performance.md): IMAGES=folder of photographs
bench: $(VENV)/installed
	$(BIN)/python -m benchmarks.run $(if $(IMAGES),--images=$(IMAGES))

# The pictures of the README.
picture: $(VENV)/installed
	$(BIN)/jpeg-gan-figures --figures=strip --drawn=64 --output=docs examples/*.jpg
	$(BIN)/python examples/demo.py examples/mountain.jpg build/picture --zoom 40 60 200 2
	cp build/picture/side_by_side.png docs/mountain.png

# The table of the README: make table IMAGES=folder of the Kodak photographs FEATURES=AlexNet.npz
table: $(VENV)/installed
	$(BIN)/jpeg-gan-evaluate --images=$(IMAGES) --features=$(FEATURES) --quality=5,10,20 \
		--models=libjpeg,regression,default --methods=exact,mean:16,control --output=build/table

$(VENV)/light: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed: $(VENV)/light
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[train,evaluation,export,batch,test]"
	touch $@
