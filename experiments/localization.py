"""The localisation table of the small ResNet-18s, over seeds: `python -m experiments.localization`."""

import argparse
import sys
import time
from pathlib import Path

from cam.classifiers import load_small
from cam.experiment import (
    HIDDEN,
    TEST_SEED,
    VALIDATION_SEED,
    accuracy,
    localization_table,
    map_makers,
    probability_lost,
)
from cam.pictures import make_pictures
from core import command
from core.devices import best_device
from core.files import ROOT, check_writable
from core.record import new_record, project_path, write_record

RESULTS = ROOT / "files" / "results" / "localization"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the networks (default: 0 1 2)")
    parser.add_argument("--validation", type=int, default=120, help="pictures that choose the thresholds")
    parser.add_argument("--test", type=int, default=300, help="pictures that are scored")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder (default: {project_path(RESULTS)})")


def run(options: argparse.Namespace) -> None:
    """Writes one record for each seed."""
    check_writable(options.out)
    validation = make_pictures(options.validation, VALIDATION_SEED)
    test = make_pictures(options.test, TEST_SEED)
    for seed in options.seeds:
        started = time.perf_counter()
        model = load_small(seed).model.to(best_device())
        makers = map_makers(model, seed)
        record = new_record(
            f"python -m experiments.localization --seeds {seed} --validation {options.validation} "
            f"--test {options.test}",
            {"validation": options.validation, "test": options.test, "seed": seed},
            started,
            seed=seed,
            data={"name": "generated pictures", "sha256": test.sha256()},
            measured={
                "accuracy": accuracy(model, test),
                "table": localization_table(makers, validation, test),
                "probability_lost": probability_lost(model, {name: makers[name](test) for name in HIDDEN}, test),
            },
        )
        write_record(record, options.out / f"seed{seed}.json")
        print(options.out / f"seed{seed}.json")


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m experiments.localization"))
