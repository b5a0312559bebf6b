"""Measures training beside PyTorch, cell by cell, and prints a table of tokens a second.

Each cell is measured in several rounds, in which all ways of one shape take turns, and what counts
is the median of the rounds; of a round, the median of its steps. Each measurement is a line of a
file; what is there is not measured again, nor is what failed. So a run that was stopped, or whose
--minutes are over, goes on where it ended. On a machine where nothing else runs:

    python3 .ci/training_table.py --minutes 7 --torch PYTHON_WITH_TORCH
    python3 .ci/training_table.py --print
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOKENS = 2048
STEPS = {"tiny": 8, "small": 4, "base": 2}
LENGTHS = (512, 128, 2048)
OURS = {"own kernels": "own", "ONNX Runtime's kernels": "onnxruntime"}
TORCH = ("float32-explicit", "float32", "float32-compiled", "bf16", "bf16-compiled")
WAYS = tuple(OURS) + tuple("torch " + mode for mode in TORCH)
LOADS = ("alone", "beside a busy process")


def cells(rounds):
    for load in LOADS:
        for length in LENGTHS:
            for preset in STEPS:
                for turn in range(rounds):
                    for way in WAYS:
                        yield {"preset": preset, "length": length, "load": load, "way": way,
                               "round": turn}


def command(cell, torch):
    shape = ["--preset", cell["preset"], "--length", str(cell["length"])]
    shape += ["--batch-size", str(TOKENS // cell["length"]), "--steps", str(STEPS[cell["preset"]])]
    way = cell["way"]
    if way in OURS:
        return ["./minimind", "bench", "train", "--peak", "1", "--kernels", OURS[way]] + shape
    mode = way.removeprefix("torch ")
    script = str(HERE / "torch_training.py")
    return [torch, script, "--device", "cpu", "--modes", mode, "--warm-up", "2"] + shape


def measure(cell, arguments):
    busy = None
    if cell["load"] != "alone":
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        done = subprocess.run(command(cell, arguments.torch), cwd=HERE.parent, text=True,
                              capture_output=True, timeout=arguments.seconds)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {arguments.seconds} s"}
    finally:
        if busy:
            busy.kill()
            busy.wait()
    found = re.search(r"median (\d+) ms|([\d.,]+) ms a step +$", done.stdout, re.MULTILINE)
    if found:
        milliseconds = float((found.group(1) or found.group(2)).replace(",", ""))
        return {"rate": round(1000 * TOKENS / milliseconds)}
    lines = (done.stdout + done.stderr).strip().splitlines()
    return {"failed": lines[-1] if lines else f"status {done.returncode}"}


def known(file):
    if not file.exists():
        return {}
    results = {}
    for line in file.read_text().splitlines():
        cell = json.loads(line)
        results.setdefault(key(cell), {})[cell["round"]] = cell
    return results


def key(cell):
    return cell["preset"], cell["length"], cell["load"], cell["way"]


def text(measured):
    failed = [cell["failed"] for cell in measured.values() if "failed" in cell]
    rates = [cell["rate"] for cell in measured.values() if "rate" in cell]
    return f"{statistics.median_low(rates):,}" if rates else "".join(failed[:1])


def table(results):
    for load in LOADS:
        print(f"\nTokens a second, {load}, {TOKENS} tokens a step:\n")
        print("| preset | length | " + " | ".join(WAYS) + " |")
        print("|---" * (len(WAYS) + 2) + "|")
        for preset in STEPS:
            for length in sorted(LENGTHS):
                row = [results.get((preset, length, load, way), {}) for way in WAYS]
                if any(row):
                    print(f"| {preset} | {length} | " + " | ".join(map(text, row)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=pathlib.Path, default=HERE.parent / "out/training-table.jsonl")
    parser.add_argument("--torch", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--minutes", type=float, default=7, help="after which no cell is begun")
    parser.add_argument("--seconds", type=float, default=75, help="that a cell may take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", default=",".join(STEPS))
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)))
    parser.add_argument("--loads", default="alone,busy")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--print", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    results = known(arguments.file)
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    if not arguments.print:
        subprocess.run(["./minimind", "help"], cwd=HERE.parent, stdout=subprocess.DEVNULL, check=True)
    start = time.monotonic()
    for cell in [] if arguments.print else cells(arguments.rounds):
        load = "alone" if cell["load"] == "alone" else "busy"
        wanted = (cell["preset"] in arguments.presets.split(",")
                  and str(cell["length"]) in arguments.lengths.split(",")
                  and load in arguments.loads.split(",")
                  and cell["way"] in arguments.ways.split(","))
        measured = results.setdefault(key(cell), {})
        failed = any("failed" in before for before in measured.values())
        if not wanted or failed or cell["round"] in measured:
            continue
        if time.monotonic() - start + arguments.seconds > 60 * arguments.minutes:
            print("There is more to measure; run this again.", file=sys.stderr)
            break
        cell |= measure(cell, arguments)
        print(cell, file=sys.stderr, flush=True)
        measured[cell["round"]] = cell
        with arguments.file.open("a") as file:
            file.write(json.dumps(cell) + "\n")
    table(results)


if __name__ == "__main__":
    main()
