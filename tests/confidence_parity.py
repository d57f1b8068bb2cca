"""Holds kfood's label issues and calibration against cleanlab, netcal, scikit-learn and scipy.

    pip install cleanlab==2.9.0 netcal==1.4.0 scikit-learn scipy numpy
    python tests/confidence_parity.py            # does the committed fixture still say what they do?
    python tests/confidence_parity.py --write    # makes it anew

The fixture holds labels and probabilities (in thousandths) and what the libraries say of them. The tests
`the_same_labels_are_wrong_as_for_cleanlab` and `calibration_is_that_of_netcal_and_scikit_learn` give the same to kfood.
Exits with 1 if anything differs.
"""

import argparse
import functools
import json
import pathlib
import sys
import warnings

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from netcal.metrics import ECE
from scipy.optimize import minimize_scalar
from sklearn.metrics import brier_score_loss, log_loss

warnings.filterwarnings("ignore")
# cleanlab sorts by numpy's default, which orders equal values (of the same rounding, say) as the processor's instructions have it: asked
# for a stable order, its answer is the same on every machine.
plain_argsort = np.argsort
np.argsort = functools.partial(plain_argsort, kind="stable")

FIXTURE = pathlib.Path(__file__).parent / "fixtures" / "confidence.json"
# Seed, images, classes, share of wrong labels, and how sure the model is. The last ones have classes without or with one image.
CASES = [(0, 40, 2, 0.1, 30), (1, 60, 3, 0.2, 40), (2, 90, 5, 0.1, 60), (3, 120, 10, 0.05, 80), (4, 150, 12, 0.3, 30),
         (5, 80, 4, 0.5, 10), (6, 200, 20, 0.05, 200), (7, 30, 8, 0.2, 60), (8, 12, 6, 0.3, 40), (9, 100, 7, 0.1, 0)]


def thousandths(weights):
    """Whole thousandths that sum to 1000 in each row and are at least 1."""
    p = np.maximum(np.floor(1000 * weights / weights.sum(1, keepdims=True)), 1).astype(int)
    p[np.arange(len(p)), p.argmax(1)] += 1000 - p.sum(1)
    return p


def inputs(seed, images, classes, wrong, sure):
    random = np.random.default_rng(seed)
    # Fewer classes are drawn than there are in some cases: those have no image.
    truth = random.integers(0, classes - (seed % 3 == 2), images)
    labels = np.where(random.random(images) < wrong, random.integers(0, classes, images), truth)
    weights = random.gamma(1.0, 1.0, (images, classes))
    weights[np.arange(images), truth] += sure * random.random(images) / classes
    return labels, thousandths(weights)


def tempered(logs, temperature):
    scaled = logs / temperature
    scaled -= scaled.max(1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(1, keepdims=True))


def case(given):
    labels, p = inputs(*given)
    probabilities, classes = p / 1000, p.shape[1]
    mask = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    logs = np.log(probabilities)
    loss = lambda log_t: -tempered(logs, np.exp(log_t))[np.arange(len(labels)), labels].mean()
    best = minimize_scalar(loss, bounds=(np.log(0.01), np.log(100)), method="bounded", options={"xatol": 1e-10})
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "thousandths": p.flatten().tolist(),
        "issues": np.flatnonzero(mask).tolist(),
        "margins": get_label_quality_scores(labels, probabilities, method="normalized_margin")[mask].tolist(),
        # netcal takes two classes as one number for each image; with confidences and hits it is told what to bin.
        "ece": float(ECE(15).measure(probabilities.max(1), (probabilities.argmax(1) == labels).astype(int)))
        if classes == 2 else float(ECE(15).measure(probabilities, labels)),
        "brier": float(brier_score_loss(labels, probabilities, labels=range(classes), scale_by_half=False)),
        "loss": float(log_loss(labels, probabilities, labels=range(classes))),
        "temperature": float(np.exp(best.x)),
        "loss_there": float(best.fun),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    cases = [case(given) for given in CASES]
    if args.write:
        FIXTURE.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
        return 0
    kept = json.loads(FIXTURE.read_text())
    wrong = 0
    for given, now, then in zip(CASES, cases, kept, strict=True):
        same = {key: np.allclose(now[key], then[key], rtol=0, atol=1e-6) for key in now if len(np.shape(now[key])) == 0
                or len(now[key]) == len(then[key])}
        wrong += not (len(same) == len(now) and all(same.values()))
        print(f"{given}: {len(now['issues'])} label issues, ece {now['ece']:.4f}, temperature {now['temperature']:.3f}",
              "as kept" if len(same) == len(now) and all(same.values()) else "DIFFERS")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
