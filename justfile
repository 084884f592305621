# The same recipes as the Makefile, for those who use just. `just check` is what CI runs.

check:
    make test

demo:
    make demo

build:
    make build

artifacts:
    make artifacts
