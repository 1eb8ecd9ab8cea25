#!/usr/bin/env bash
# Holds the examples again. The embedded model's may come out otherwise on another machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=transcripts/examples
rm -f "$here"/*.jsonl
run() { tracktwo run geneva-2021 --quiet "$@"; }
run --model reference --out $here/reference-eight-of-twelve.jsonl
run --model local --out $here/embedded-model-guarded.jsonl
run --items detained-citizens,sanctions --model ru=reference \
  --model us=script:$here/scripts/us-on-detained-citizens.yaml+reference \
  --out $here/scripted-us-votes-against-its-own-text.jsonl
run --agenda six-party --items nord-stream-2 --model reference \
  --out $here/six-parties-on-nord-stream-2.jsonl
run --items syria --model us=reference --model ru=script:$here/scripts/hostile.yaml+reference \
  --out $here/hostile-delegation.jsonl
rm -f "$here"/*.scores.jsonl
