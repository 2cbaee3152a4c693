cd /tmp/h/rules; export NUMBA_CACHE_DIR=/tmp/h/nc-rules PATH=/tmp/h/venv-rules/bin:$PATH
S="python -W ignore -m tests.benchmarks.ranking_search --data ../shared/data/gowalla --out /tmp/h/log/tries.jsonl"
$S --models implicit-als --rank 256
$S --models irspack-ials --rank 256
$S --models implicit-als --rank 128
$S --models hybrid-nmf
$S --models irspack-ials --rank 128
