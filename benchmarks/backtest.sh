#!/bin/sh
# The runs behind the back-test, and its table: RUNS debates of the reference negotiator and RUNS of
# the embedded model on the whole agenda of the summit, with seeds 1 to RUNS.
#
#     sh benchmarks/backtest.sh [FOLDER] [RUNS]
#
# What lies in FOLDER already is kept and interrupted debates are resumed, so it may be stopped and
# called again. A debate of the embedded model takes minutes on one core; TRACKTWO_THREADS sets how
# many it uses, and a second call with another FOLDER may run beside the first.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-transcripts/runs/backtest}
runs=${2:-30}

for model in reference local; do
  mkdir -p "$folder/$model"
  for seed in $(seq 1 "$runs"); do
    file="$folder/$model/seed-$seed.jsonl"
    if [ ! -e "$file" ]; then
      uv run tracktwo run geneva-2021 --agenda summit --model "$model" --seed "$seed" \
        --out "$file" --quiet
    elif ! grep -q '"kind":"debate_closed"' "$file"; then
      uv run tracktwo run --resume "$file" --quiet
    fi
  done
done
uv run tracktwo backtest geneva-2021 "$folder/local" "$folder/reference" \
  --markdown --page "$folder/backtest.html"
