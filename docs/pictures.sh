#!/usr/bin/env bash
# Draws the pictures of README.md and docs/ again, with the version in this folder. After the build it takes under a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"${CARGO:-cargo}" run --release -- run adam-fig1-mnist --out "$out/adam-fig1-mnist"
"${CARGO:-cargo}" run --release -- run s3-saddle --out "$out/s3-saddle"
cp "$out/adam-fig1-mnist/figure.png" docs/adam-fig1-mnist.png
cp "$out/s3-saddle/contour.png" docs/s3-saddle.png
