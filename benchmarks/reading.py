"""Reading and augmentation alone, in images a second: `python -m benchmarks.reading [--data DIR]`.

The batches of a training, whole photographs or windows cut from them, without a network: in the first epoch, which
decodes and reduces the files, and in the next ones, which find them in memory. The two take turns; medians over the
rounds. Beside the clock's rate stands the processor time spent on an image, which a busy machine leaves as it is.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch

from core.files import ROOT
from core.record import new_record, project_path, write_record
from core.training import seed_everything
from course.notebooks.parameters import known_or_folder
from fcn.batches import Batches
from fcn.data_sets import load_splits
from fcn.recipes import WINDOW

OUT = ROOT / "files" / "benchmarks" / "reading.json"
BATCH_SIZE = 4
KINDS = {"whole photographs": None, "windows": WINDOW}
EPOCHS = 3  # one that reads the files, two from memory


def epochs(data: str, scale: float, window: int | None) -> list[tuple[float, float]]:
    """Seconds by the clock and processor seconds of this process, for an image, in each epoch."""
    train, _, _ = load_splits(data, scale)  # anew: nothing is in its memory
    batches, spent = Batches(train, BATCH_SIZE, window, torch.device("cpu")), []
    for _ in range(EPOCHS):
        started, worked = time.perf_counter(), time.process_time()
        for _ in batches:
            pass
        spent.append((time.perf_counter() - started, time.process_time() - worked))
    return [(seconds / len(train), processor / len(train)) for seconds, processor in spent]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--data", default="builtin", help='"builtin" (default), "cmp", "voc", or a folder')
    parser.add_argument("--scale", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    started = time.perf_counter()
    torch.set_num_threads(1)
    seed_everything(0)
    data = known_or_folder("data", options.data, ("builtin", "cmp", "voc"))
    train, _, _ = load_splits(data, options.scale)
    found: dict[str, list[list[tuple[float, float]]]] = {kind: [] for kind in KINDS}
    for _ in range(options.rounds):
        for kind, window in KINDS.items():
            found[kind].append(epochs(data, options.scale, window))
    measured: dict[str, dict[str, float]] = {}
    print(f"{'':18} from files, images/s  from memory, images/s  processor time, ms an image")
    for kind, rounds in found.items():
        first = statistics.median(each[0][0] for each in rounds)
        later = statistics.median(clock for each in rounds for clock, _ in each[1:])
        own = statistics.median(processor for each in rounds for _, processor in each[1:])
        measured[kind] = {
            "images_per_second_from_files": round(1 / first, 1),
            "images_per_second_from_memory": round(1 / later, 1),
            "trainer_processor_seconds": own,
        }
        print(f"{kind:18} {1 / first:20.0f}  {1 / later:21.0f}  {1000 * own:27.2f}")
    record = new_record(
        f"python -m benchmarks.reading --data {project_path(Path(options.data))} --scale {options.scale} "
        f"--rounds {options.rounds}",
        {"batch_size": BATCH_SIZE, "window": WINDOW, "scale": options.scale, "rounds": options.rounds},
        started,
        data={"name": train.root.name, "images": len(train)},
        measured=measured,
    )
    write_record(record, options.out)


if __name__ == "__main__":
    main()
