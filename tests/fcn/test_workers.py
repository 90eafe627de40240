"""Reading by processes of its own: the same training, and each photograph decoded once."""

import os
from collections import Counter

from samples import NotedReading, same_weights

from core.training import seed_everything
from fcn.models import FCN8s
from fcn.trainer import Training, evaluate, fit


def train(root, folder, workers: int) -> FCN8s:
    (root / "readers.txt").unlink(missing_ok=True)
    seed_everything(3)
    model = FCN8s(width=0.125, padding="aligned")
    training = Training(epochs=3, batch_size=2, learning_rate=1e-3, precision="float32", workers=workers)
    fit(model, NotedReading(root, "train"), NotedReading(root, "val"), training, folder)
    return model


def readers(root) -> Counter:
    return Counter(tuple(line.split()) for line in (root / "readers.txt").read_text().splitlines())


def test_processes_that_read_keep_what_they_have_read(small_facades, tmp_path):
    alone = train(small_facades, tmp_path / "alone", workers=0)
    own = str(os.getpid())
    assert readers(small_facades) == {("train", own): 6, ("val", own): 2}
    helped = train(small_facades, tmp_path / "helped", workers=1)
    assert same_weights(alone, helped)
    times = readers(small_facades)
    assert [count for (split, _), count in times.items() if split == "train"] == [6], "decoded anew in each epoch"
    assert own not in {process for _, process in times}, "it reads by itself"


def test_evaluation_has_helpers_too(small_facades):
    model, dataset = FCN8s(width=0.125, padding="aligned"), NotedReading(small_facades, "test")
    with_helper = evaluate(model, dataset, workers=1).counts
    assert str(os.getpid()) not in {process for _, process in readers(small_facades)}
    assert with_helper.equal(evaluate(model, dataset).counts)
