#!/usr/bin/env bash
# Online Retail, its last eight weeks played through as they would have come: each week the model in use is measured
# on what happened, last week's candidate comes into use if it is not clearly worse, and a new one is trained.
#
#   tests/benchmarks/weekly_retrain.sh online_retail.csv.gz FOLDER
set -euo pipefail
log=$1 out=$2
kept="Quantity > 0 AND CustomerID IS NOT NULL AND regexp_matches(StockCode, '^[0-9]{5}')"
weeks=(2011-10-14 2011-10-21 2011-10-28 2011-11-04 2011-11-11 2011-11-18 2011-11-25 2011-12-02 2011-12-10)
mkdir -p "$out"
before() { echo "$kept AND InvoiceDate < '$1'"; }
between() { echo "$kept AND InvoiceDate >= '$1' AND InvoiceDate < '$2'"; }
newest() { ls "$1" | grep Z | tail -1; }

# The first model: in use in the folder of versions, and kept as it is beside it.
recsys train "$log" --where "$(before "${weeks[0]}")" --out "$out/models" --keep 4
cp -r "$out/models/$(cat "$out/models/current")" "$out/first"
cp -r "$out/first" "$out/warm"

for week in 0 1 2 3 4 5 6 7; do
  from=${weeks[$week]} to=${weeks[$((week + 1))]}
  echo "== week from $from"
  recsys evaluate "$out/models" "$log" --where "$(between "$from" "$to")" --since "$from" --json > "$out/in-use-$from.json"
  recsys evaluate "$out/first" "$log" --where "$(between "$from" "$to")" --since "$from" --json > "$out/first-$from.json"
  recsys evaluate "$out/warm" "$log" --where "$(between "$from" "$to")" --since "$from" --json > "$out/warm-$from.json"
  if [ "$week" -gt 0 ]; then
    recsys evaluate "$out/cold" "$log" --where "$(between "$from" "$to")" --since "$from" --json > "$out/cold-$from.json"
    # Last week's candidate against the model in use, on the week that neither has seen.
    recsys model promote "$out/models/$(newest "$out/models")" "$out/models" \
      --gate ndcg@10 --on "$log" --where "$(between "$from" "$to")" --json > "$out/gate-$from.json" || true
  fi
  if [ "$week" -eq 4 ]; then  # a candidate that went wrong: the gate is to stay closed for it next week
    recsys train "$log" --where "$(before "$to")" --set neighbor_weight=0 --set l2=1000 \
      --out "$out/models" --keep 4 --candidate
  else
    recsys train "$log" --where "$(before "$to")" --warm-start "$out/warm" --out "$out/models" --keep 4 --candidate
  fi
  # Two models beside, for the table: begun with last week's themes, and from nothing.
  recsys train "$log" --where "$(before "$to")" --warm-start "$out/warm" --out "$out/warm" --json > "$out/train-warm-$to.json"
  recsys train "$log" --where "$(before "$to")" --out "$out/cold" --json > "$out/train-cold-$to.json"
done
recsys model diff "$out/first" "$out/warm" --json > "$out/diff-warm.json"
recsys model diff "$out/first" "$out/cold" --json > "$out/diff-cold.json"
recsys model diff "$out/first" "$out/warm"
