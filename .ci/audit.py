"""Ask pip-audit what is known of the installed versions: at most 20 seconds, and never a reason to fail.

Where its index cannot be reached, or pip-audit cannot be had, one line says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 20


def audit() -> str:
    """Return in one line what pip-audit found, or why it did not look."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--timeout",
        "5",
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        try:
            done = subprocess.run(
                [*command, "--output", out], capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {SECONDS} s"
        if not out.exists():
            return (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]
        packages = json.loads(out.read_text())["dependencies"]
    known = [
        f"{each['name']} {each['version']}: {', '.join(v['id'] for v in each['vulns'])}"
        for each in packages
        if each.get("vulns")
    ]
    return "; ".join(known) or f"none known of {len(packages)} packages"


if __name__ == "__main__":
    print(f"pip-audit: {audit()}")
