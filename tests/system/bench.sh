#!/usr/bin/env bash
# tools/bench on made-up benchmarks: bench.sh SOURCE
set -euo pipefail
source=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "error: $*" >&2; exit 1; }
mkdir -p "$scratch"/{tools,bench/room,bench/peers,build/bench/room}
cp "$source/tools/bench" "$scratch/tools/bench"
export BUILD="$scratch/build"
touch "$scratch/bench/peers/peer.py"

write() {  # NAME ROWS: a script that writes the rows, and fails unless it gets the arguments behind --
  cat >"$scratch/bench/room/$1.py" <<PYTHON
import sys
assert sys.argv[3:] == ["--size", "3"], sys.argv
open(sys.argv[2], "w").write('''$2''')
PYTHON
}
bench() { "$scratch/tools/bench" "$@" -- --size 3; }
refuse() {  # ROWS PATTERN
  write bad "$1"
  if out=$(bench room/bad --json "$scratch/bad.json" 2>&1); then fail "accepted $1"; fi
  grep -q "$2" <<<"$out" || fail "says of $1: $out"
  [ ! -e "$scratch/bad.json" ] || fail "wrote $1"
}

write good '[{"case": "a", "ours": 3, "peer": 4, "peer_name": "other", "unit": "s"}, {"case": "b", "ours": 1, "unit": "s"}]'
cat >"$scratch/build/bench/room/program" <<'PROGRAM'
#!/bin/sh
echo '[{"case": "c", "ours": 5, "peer": 2, "peer_name": "other", "unit": "us"}]' >"$2"
PROGRAM
chmod +x "$scratch/build/bench/room/program"
[ "$("$scratch/tools/bench" --list | tr '\n' ' ')" = "room/good room/program " ] || fail "--list"
bench room --json "$scratch/rows.json" >"$scratch/table.txt"
grep -qE '^a +3 +4 +s +0\.75 +other$' "$scratch/table.txt" || fail "$(cat "$scratch/table.txt")"
grep -qE '^b +1 +– +s +–$' "$scratch/table.txt" || fail "$(cat "$scratch/table.txt")"
/usr/bin/python3 - "$scratch/rows.json" <<'PYTHON'
import json, sys
assert json.load(open(sys.argv[1])) == [
    {"case": "a", "ours": 3, "peer": 4, "peer_name": "other", "ratio": 0.75, "unit": "s"},
    {"case": "b", "ours": 1, "peer": None, "peer_name": None, "ratio": None, "unit": "s"},
    {"case": "c", "ours": 5, "peer": 2, "peer_name": "other", "ratio": 2.5, "unit": "us"}]
PYTHON

refuse '[{"case": "a", "ours": NaN, "unit": "s"}]' 'must be numbers'
refuse '[{"case": "a", "ours": 1, "peer": 0, "peer_name": "x", "unit": "s"}]' 'must be numbers'
refuse '[{"case": "a", "ours": 1, "peer": 2, "unit": "s"}]' 'without peer_name'
refuse '[{"case": "a", "ours": 1, "unit": "s", "extra": 1}]' 'not {case'
refuse '{"case": "a"}' 'no list of rows'
refuse 'no JSON' 'wrote no rows'
if out=$(bench nothing 2>&1); then fail "accepted an unknown name"; fi
grep -q "no benchmark 'nothing'" <<<"$out" || fail "$out"
